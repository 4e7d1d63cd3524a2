/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Who wants a spread: switches with members of a channel or with routers, with
 * hosts, or with the one host. */

#include "controller/fabric.h"
#include "controller/route-far.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct receivers {
    const struct spread *s;
    const struct ctl_vlan *vlan;
    uint32_t *nodes;
    size_t n, allocated;
    uint64_t last; /* dpid */
};

static bool
add_receiver(void *r_, const struct port_id *port)
{
    struct receivers *r = r_;
    const struct fabric *f = r->s->ctl->fabric;
    if (port->dpid == r->last) {
        return true;
    }
    r->last = port->dpid;
    uint32_t node = fabric_node(f, port->dpid);
    if (node != TOPO_NO_NODE) {
        r->nodes = xgrow(r->nodes, r->n, &r->allocated, sizeof *r->nodes);
        r->nodes[r->n++] = node;
    }
    return true;
}

/* Who gets 'source' of the channel, its switches more than once perhaps. */
static void
find_receivers(struct receivers *r, const struct ip_addr *source)
{
    const struct igmp_snoop *snoop = vlan_snoop_of(r->vlan, &r->s->key.name);
    r->last = 0;
    igmp_snoop_each_receiver(snoop, source, &r->s->key.name, 0, add_receiver,
                             r);
    igmp_snoop_each_router_port(snoop, add_receiver, r);
}

size_t
spread_find_receivers(const struct spread *s, const struct ctl_vlan *v,
                      const struct ip_addr *source, uint32_t **nodes)
{
    struct receivers r = {.s = s, .vlan = v};
    find_receivers(&r, source);
    *nodes = r.nodes;
    return r.n;
}

static bool
is_channel_pruned(const struct spread *s, const struct ctl_vlan *v)
{
    const struct ip_addr *group = &s->key.name;
    return v && !channel_is_flooded(v, group)
           && (s->n_registered
               || igmp_snoop_has_group(vlan_snoop_of(v, group), group));
}

size_t
spread_find_sources(const struct spread *s, const struct ctl_vlan *v,
                    struct ip_addr **sources)
{
    const struct ip_addr *group = &s->key.name;
    *sources = NULL;
    if (s->key.kind != SPREAD_CHANNEL || !is_channel_pruned(s, v)) {
        return 0;
    }
    const struct igmp_snoop *snoop = vlan_snoop_of(v, group);
    size_t n = igmp_snoop_filtered_sources(snoop, group, NULL, 0);
    if (n) {
        *sources = xcalloc(n, sizeof **sources);
        n = igmp_snoop_filtered_sources(snoop, group, *sources, n);
    }
    return n;
}

/* Everybody who gets any of the channel. */
static void
find_channel_receivers(struct receivers *r)
{
    struct ip_addr *sources;
    size_t n = spread_find_sources(r->s, r->vlan, &sources);
    if (!is_channel_pruned(r->s, r->vlan)) {
        return;
    }
    find_receivers(r, &IP_ADDR_ANY);
    for (size_t i = 0; i < n; i++) {
        find_receivers(r, &sources[i]);
    }
    free(sources);
}

/* All switches with hosts. */
static void
find_edges(struct receivers *r)
{
    const struct fabric *f = r->s->ctl->fabric;
    const uint32_t *nodes;
    size_t n;
    topo_net_in_order(f->net, &nodes, &n);
    for (size_t i = 0; i < n; i++) {
        if (fabric_n_edges(f, nodes[i])) {
            r->nodes = xgrow(r->nodes, r->n, &r->allocated, sizeof *r->nodes);
            r->nodes[r->n++] = nodes[i];
        }
    }
}

static void
find_all_receivers(struct receivers *r)
{
    const struct spread *s = r->s;
    switch ((enum spread_kind) s->key.kind) {
    case SPREAD_CHANNEL:
        find_channel_receivers(r);
        break;
    case SPREAD_ROUTERS:
        if (r->vlan) {
            igmp_snoop_each_router_port(vlan_snoop(r->vlan, s->key.name.b[0]),
                                        add_receiver, r);
        }
        break;
    case SPREAD_FLOOD:
        find_edges(r);
        break;
    case SPREAD_HOST: {
        struct mac_addr mac;
        memcpy(&mac, s->key.name.b, sizeof mac);
        const struct host *h = host_lookup(s->ctl->fabric, s->key.vlan, &mac);
        if (h) {
            add_receiver(r, &h->port);
        }
        break;
    }
    case SPREAD_FAR: {
        struct mac_addr label;
        memcpy(&label, s->key.name.b, sizeof label);
        route_far_each_receiver(s->ctl, &label, add_receiver, r);
        break;
    }
    }
}

/* Where all switches with hosts are sources too. */
static void
set_edges_as_sources(struct spread *s)
{
    struct receivers edges = {.s = s};
    for (size_t i = 0; i < s->n_ends; i++) {
        s->ends[i].n_sources = 0;
    }
    if (s->key.kind == SPREAD_FLOOD || s->key.kind == SPREAD_ROUTERS) {
        find_edges(&edges);
    }
    for (size_t i = 0; i < edges.n; i++) {
        spread_end_get(s, edges.nodes[i])->n_sources = 1;
    }
    free(edges.nodes);
}

/* Nobody can tell a switch that is away that it has no members any more. */
static void
refresh_all(struct spread *s, const struct ctl_vlan *v)
{
    struct receivers r = {.s = s, .vlan = v};
    for (size_t i = 0; i < s->n_ends; i++) {
        s->ends[i].receiver &= fabric_is_away(s->ctl->fabric, s->ends[i].node);
    }
    if (s->key.kind == SPREAD_FLOOD || s->key.kind == SPREAD_ROUTERS) {
        set_edges_as_sources(s);
    }
    find_all_receivers(&r);
    for (size_t i = 0; i < r.n; i++) {
        spread_end_get(s, r.nodes[i])->receiver = true;
    }
    free(r.nodes);
}

static bool
is_at(void *found_, const struct port_id *port)
{
    struct port_id *found = found_;
    bool here = port->dpid == found->dpid;
    found->port_no |= here;
    return !here;
}

static bool
channel_receives(const struct spread *s, const struct ctl_vlan *v,
                 const struct ctl_switch *sw)
{
    struct port_id found = {.dpid = sw->dpid};
    bool pruned = is_channel_pruned(s, v);
    if (pruned && !channel_has_members(sw, s->key.vlan, &s->key.name)) {
        igmp_snoop_each_router_port(vlan_snoop_of(v, &s->key.name), is_at,
                                    &found);
        return found.port_no;
    }
    return pruned;
}

/* True if the end became a receiver, or ceased to be one. */
static bool
refresh_one(struct spread *s, const struct ctl_vlan *v, uint32_t node)
{
    const struct ctl_switch *sw = fabric_switch(s->ctl->fabric, node);
    struct spread_end *end = spread_end_lookup(s, node);
    bool was = end && end->receiver;
    bool is = sw && channel_receives(s, v, sw);
    if (is == was || (was && fabric_is_away(s->ctl->fabric, node))) {
        return false;
    }
    spread_end_get(s, node)->receiver = is;
    return true;
}

bool
spread_refresh(struct spread *s, const struct ctl_vlan *v)
{
    bool pruned = s->key.kind == SPREAD_CHANNEL && is_channel_pruned(s, v);
    /* With the first member routers get it too, after the last they do not. */
    bool changed = s->dirty_all || s->n_entries > 1 || pruned != s->pruned;
    s->pruned = pruned;
    if (!s->dirty_all && pruned) {
        changed |= igmp_snoop_filtered_sources(vlan_snoop_of(v, &s->key.name),
                                               &s->key.name, NULL, 0)
                   > 0;
    }
    if (changed) {
        refresh_all(s, v);
    }
    for (size_t i = 0; i < s->n_touched; i++) {
        changed |= refresh_one(s, v, s->touched[i]);
    }
    s->dirty_all = false;
    s->n_touched = 0;
    return changed;
}
