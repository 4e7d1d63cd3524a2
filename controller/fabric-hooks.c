/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What channels, routes and streams tell the fabric, and where it sends
 * them. */

#include "controller/fabric-hooks.h"

#include <stdlib.h>
#include <string.h>

#include "controller/fabric.h"
#include "controller/route-far.h"
#include "lib/xalloc.h"

static struct spread *
channel_spread(const struct ctl_switch *sw, uint16_t vlan,
               const struct ip_addr *group)
{
    struct spread_key key = spread_key_of_channel(vlan, group);
    const struct fabric *f = sw->ctl->fabric;
    return f ? spread_lookup(f, &key) : NULL;
}

void
fabric_member_changed(struct ctl *ctl, uint64_t dpid, uint16_t vlan,
                      const struct ip_addr *group)
{
    struct fabric *f = ctl->fabric;
    uint32_t node = f ? fabric_node(f, dpid) : TOPO_NO_NODE;
    if (node != TOPO_NO_NODE) {
        struct spread_key key = spread_key_of_channel(vlan, group);
        spread_touch(spread_get(f, &key), node);
        route_far_member_changed(ctl, vlan, group);
    }
}

void
fabric_vlan_changed(struct ctl *ctl, uint16_t vlan)
{
    struct fabric *f = ctl->fabric;
    for (struct spread *s = f ? f->spreads : NULL; s; s = s->hh.next) {
        if (s->key.kind == SPREAD_FAR
            || (s->key.vlan == vlan && s->key.kind != SPREAD_HOST)) {
            spread_mark(s);
        }
    }
}

void
fabric_source(struct ctl_switch *sw, uint16_t vlan,
              const struct ip_addr *group, int change)
{
    struct fabric *f = sw->ctl->fabric;
    uint32_t node = f ? fabric_node(f, sw->dpid) : TOPO_NO_NODE;
    /* What is sent to a host is a route's alone. */
    if (node != TOPO_NO_NODE && ip_addr_is_multicast(group)) {
        struct spread_key key = spread_key_of_channel(vlan, group);
        struct spread *s = spread_get(f, &key);
        struct spread_end *end = spread_end_get(s, node);
        end->n_sources += (uint32_t) change;
        end->fresh |= change > 0;
        if (end->n_sources == 0 || end->n_sources == (uint32_t) change) {
            spread_mark(s);
        }
    }
}

static bool
has_receivers(const struct spread *s)
{
    for (size_t i = 0; s && i < s->n_ends; i++) {
        if (s->ends[i].receiver) {
            return true;
        }
    }
    return false;
}

bool
fabric_is_wanted(const struct ctl_switch *sw, uint16_t vlan,
                 const struct ip_addr *group)
{
    return has_receivers(channel_spread(sw, vlan, group));
}

/* As a frame that a host is to get. */
static void
deliver_copy(struct ctl_switch *sw, const struct ofp_copy *copy,
             const void *frame, size_t size)
{
    struct port_id id = {sw->dpid, copy->port};
    if (fabric_role(sw->ctl, &id) == TOPO_ROLE_LINK) {
        return;
    }
    uint8_t *bytes = xmemdup(frame, size);
    if (!mac_addr_is_zero(&copy->eth_dst)) {
        memcpy(bytes, &copy->eth_dst, sizeof copy->eth_dst);
    }
    if (copy->tun_dst) {
        tunnels_send_copy(sw, copy, bytes, size);
    } else {
        edge_send(sw->ctl, &id, bytes, size);
    }
    free(bytes);
}

/* Does the switch, as it shows us a packet of the group as unregistered, pass
 * it on as well?  On its way it meets switches of the tree. */
static bool
passes_unregistered(const struct ctl_switch *sw, const struct channel *channel)
{
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, channel->vlan);
    enum igmp_family family =
        ip_addr_is_v4(&channel->group) ? IGMP_IPV4 : IGMP_IPV6;
    struct ofp_flow flow = {.goto_table = 0};
    struct ofp_bucket *buckets = NULL;
    size_t n = v ? pipeline_policy(sw, v, family, &flow, &buckets) : 0;
    free(buckets);
    return n || flow.goto_table;
}

bool
fabric_deliver(struct ctl_switch *sw, const struct channel *channel,
               bool registered, const void *frame, size_t size)
{
    const struct spread *s =
        channel_spread(sw, channel->vlan, &channel->group);
    bool wanted = has_receivers(s);
    if (!wanted || (!registered && passes_unregistered(sw, channel))) {
        return wanted;
    }
    for (size_t i = 0; i < s->n_ends; i++) {
        struct ctl_switch *to =
            fabric_switch(sw->ctl->fabric, s->ends[i].node);
        struct ofp_copy *copies = NULL;
        size_t n = to && s->ends[i].receiver
                       ? copies_of(to, channel->vlan, &channel->source,
                                   &channel->group, &copies)
                       : 0;
        for (size_t j = 0; j < n; j++) {
            deliver_copy(to, &copies[j], frame, size);
        }
        free(copies);
    }
    return true;
}

void
fabric_register(struct ctl_switch *sw, const struct channel_key *channel,
                int change)
{
    struct fabric *f = sw->ctl->fabric;
    if (f) {
        struct spread_key key =
            spread_key_of_channel(channel->vlan, &channel->group);
        struct spread *s = spread_get(f, &key);
        s->n_registered += (uint32_t) change;
        if (s->n_registered == 0 || s->n_registered == (uint32_t) change) {
            spread_mark(s);
        }
    }
}

void
fabric_each_port(const struct ctl_switch *sw, uint16_t vlan,
                 const struct ip_addr *source, const struct ip_addr *group,
                 bool moving, void (*cb)(void *aux, uint32_t port), void *aux)
{
    const struct spread *s = channel_spread(sw, vlan, group);
    uint32_t node = s ? fabric_node(sw->ctl->fabric, sw->dpid) : TOPO_NO_NODE;
    if (s && moving) {
        spread_move_each_port(s, node, source, cb, aux);
    } else if (s) {
        spread_each_port(s, node, source, cb, aux);
    }
}

bool
fabric_moves(const struct ctl_switch *sw, uint16_t vlan,
             const struct ip_addr *group, enum move_way way)
{
    const struct spread *s = channel_spread(sw, vlan, group);
    return s && spread_moves(s, fabric_node(sw->ctl->fabric, sw->dpid), way);
}

static bool
is_moving_at(const struct spread *s, uint32_t node)
{
    return spread_moves(s, node, MOVE_MARKED)
           || spread_moves(s, node, MOVE_LEFT);
}

bool
fabric_is_moving(const struct ctl_switch *sw, uint16_t vlan,
                 const struct ip_addr *group)
{
    const struct spread *s = channel_spread(sw, vlan, group);
    return s && is_moving_at(s, fabric_node(sw->ctl->fabric, sw->dpid));
}

void
fabric_each_router_port(const struct ctl_switch *sw, uint16_t vlan,
                        enum igmp_family family,
                        void (*cb)(void *aux, uint32_t port), void *aux)
{
    struct fabric *f = sw->ctl->fabric;
    struct spread_key key = {
        .name.b[0] = (uint8_t) family, .vlan = vlan, .kind = SPREAD_ROUTERS};
    const struct spread *s = f ? spread_lookup(f, &key) : NULL;
    if (s) {
        spread_each_port(s, fabric_node(f, sw->dpid), &IP_ADDR_ANY, cb, aux);
    }
}

void
fabric_routers_changed(struct ctl *ctl, uint16_t vlan, enum igmp_family family)
{
    struct fabric *f = ctl->fabric;
    if (f) {
        struct spread_key key = {.name.b[0] = (uint8_t) family,
                                 .vlan = vlan,
                                 .kind = SPREAD_ROUTERS};
        spread_mark(spread_get(f, &key));
        fabric_vlan_changed(ctl, vlan);
    }
}

bool
fabric_is_on(const struct ctl_switch *sw, uint16_t vlan,
             const struct ip_addr *group)
{
    const struct spread *s = channel_spread(sw, vlan, group);
    uint32_t node = s ? fabric_node(sw->ctl->fabric, sw->dpid) : TOPO_NO_NODE;
    return s && (spread_is_on(s, node) || is_moving_at(s, node));
}

size_t
fabric_held_sources(const struct ctl_switch *sw, const struct channel_key *key,
                    struct ip_addr *sources)
{
    const struct spread *s = channel_spread(sw, key->vlan, &key->group);
    size_t n = s && (s->restored || s->move) ? s->n_entries - 1 : 0;
    for (size_t i = 0; sources && i < n; i++) {
        sources[i] = s->entries[i + 1].source;
    }
    return n;
}

uint32_t
fabric_root_mark(const struct ctl_switch *sw, uint16_t vlan,
                 const struct ip_addr *group)
{
    const struct spread *s = channel_spread(sw, vlan, group);
    return s ? tree_mark(s, fabric_node(sw->ctl->fabric, sw->dpid)) : 0;
}

/* Of routes to other switches. */

static struct spread_key
key_of_far(const struct mac_addr *label)
{
    struct spread_key key = {.kind = SPREAD_FAR};
    memcpy(key.name.b, label, sizeof *label);
    return key;
}

static struct spread *
far_spread(const struct ctl *ctl, const struct mac_addr *label)
{
    struct spread_key key = key_of_far(label);
    return ctl->fabric ? spread_lookup(ctl->fabric, &key) : NULL;
}

void
fabric_far_source(struct ctl_switch *sw, const struct mac_addr *label,
                  int change)
{
    struct fabric *f = sw->ctl->fabric;
    uint32_t node = f ? fabric_node(f, sw->dpid) : TOPO_NO_NODE;
    if (node != TOPO_NO_NODE) {
        struct spread_key key = key_of_far(label);
        struct spread *s = spread_get(f, &key);
        struct spread_end *end = spread_end_get(s, node);
        end->n_sources += (uint32_t) change;
        if (end->n_sources == 0 || end->n_sources == (uint32_t) change) {
            spread_mark(s);
        }
    }
}

void
fabric_far_changed(struct ctl *ctl, const struct mac_addr *label)
{
    struct spread *s = far_spread(ctl, label);
    if (s) {
        spread_mark(s);
    }
}

bool
fabric_is_joined(const struct ctl_switch *a, const struct ctl_switch *b)
{
    const struct fabric *f = a->ctl->fabric;
    return f->roots
           && topo_roots_part(f->roots, fabric_node(f, a->dpid))
                  == topo_roots_part(f->roots, fabric_node(f, b->dpid));
}

bool
fabric_far_is_on(const struct ctl_switch *sw, const struct mac_addr *label)
{
    const struct spread *s = far_spread(sw->ctl, label);
    uint32_t node = s ? fabric_node(sw->ctl->fabric, sw->dpid) : TOPO_NO_NODE;
    return s && (spread_is_on(s, node) || is_moving_at(s, node));
}

void
fabric_far_each_port(const struct ctl_switch *sw, const struct mac_addr *label,
                     bool moving, void (*cb)(void *aux, uint32_t port),
                     void *aux)
{
    const struct spread *s = far_spread(sw->ctl, label);
    uint32_t node = s ? fabric_node(sw->ctl->fabric, sw->dpid) : TOPO_NO_NODE;
    if (s && moving) {
        spread_move_each_port(s, node, &IP_ADDR_ANY, cb, aux);
    } else if (s) {
        spread_each_port(s, node, &IP_ADDR_ANY, cb, aux);
    }
}

bool
fabric_far_moves(const struct ctl_switch *sw, const struct mac_addr *label,
                 enum move_way way)
{
    const struct spread *s = far_spread(sw->ctl, label);
    return s && spread_moves(s, fabric_node(sw->ctl->fabric, sw->dpid), way);
}

uint32_t
fabric_far_mark(const struct ctl_switch *sw, const struct mac_addr *label)
{
    const struct spread *s = far_spread(sw->ctl, label);
    return s ? tree_mark(s, fabric_node(sw->ctl->fabric, sw->dpid)) : 0;
}

static struct spread_key
key_of_adopted(const struct adopted_entry *e)
{
    bool v4 = ip_addr_is_v4(&e->channel.group);
    switch (e->kind) {
    case ADOPTED_ROUTERS:
        return (struct spread_key){.name.b[0] = v4 ? IGMP_IPV4 : IGMP_IPV6,
                                   .vlan = e->channel.vlan,
                                   .kind = SPREAD_ROUTERS};
    case ADOPTED_FLOOD:
        return (struct spread_key){.kind = SPREAD_FLOOD};
    case ADOPTED_FAR:
        return (struct spread_key){.name = e->channel.group,
                                   .kind = SPREAD_FAR};
    case ADOPTED_LEARN:
    case ADOPTED_MOVE:
    case ADOPTED_CHANNEL:
        break;
    }
    return spread_key_of_channel(e->channel.vlan, &e->channel.group);
}

void
fabric_adopt(struct ctl_switch *sw, const struct adopted_entry *e)
{
    struct fabric *f = sw->ctl->fabric;
    uint32_t *ports = xcalloc(e->n_copies + 1, sizeof *ports);
    size_t n = 0;
    for (size_t i = 0; i < e->n_copies; i++) {
        if (fabric_found_role(sw, e->copies[i].port) == TOPO_ROLE_LINK) {
            ports[n++] = e->copies[i].port;
        }
    }
    if (f && !sw->known && (n || e->mark || e->kind == ADOPTED_CHANNEL)) {
        const struct spread_key key = key_of_adopted(e);
        struct spread *s = spread_get(f, &key);
        uint32_t node = fabric_node(f, sw->dpid);
        if (n || e->mark) {
            spread_adopt(s, node, &e->channel.source, ports, n);
            s->root_mark = e->mark ? e->mark : s->root_mark;
        } else {
            /* So far for nobody elsewhere, but perhaps with a source. */
            spread_end_get(s, node)->restored = true;
        }
    }
    free(ports);
}
