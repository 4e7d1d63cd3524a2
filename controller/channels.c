/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Channels: from who wants what to one group each.
 *
 * A (vlan, group) on a switch compiles into an entry (*,G) and one (S,G) for
 * each source that some port's filter names, which carries the receivers of
 * (*,G) too unless they exclude it: "ports that get S".  Router ports get
 * everything (RFC 4541 2.1.2).  A channel that a route leads to is compiled
 * even without members, into an empty group, so that its packets cost neither
 * a copy nor a packet-in. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum { ETH_TYPE_IPV4 = 0x0800, ETH_TYPE_IPV6 = 0x86dd };

struct channel_state *
channel_lookup(const struct ctl_switch *sw, uint16_t vlan,
               const struct ip_addr *group)
{
    struct channel_key key = {.group = *group, .vlan = vlan};
    struct channel_state *c;
    HASH_FIND(hh, sw->channels, &key, sizeof key, c);
    return c;
}

static struct channel_state *
channel_get(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c;
    HASH_FIND(hh, sw->channels, key, sizeof *key, c);
    if (!c) {
        c = xcalloc(1, sizeof *c);
        c->sw = sw;
        c->key = *key;
        c->learning = !streams_has(sw, key->vlan, &key->group);
        HASH_ADD(hh, sw->channels, key, sizeof c->key, c);
    }
    return c;
}

static void
mark(struct ctl *ctl, struct channel_state *c)
{
    if (!c->dirty) {
        c->dirty = true;
        LL_PREPEND2(ctl->dirty_channels, c, next_dirty);
        loop_want_turn(ctl->loop);
    }
}

void
channel_mark(struct ctl *ctl, uint64_t dpid, uint16_t vlan,
             const struct ip_addr *group)
{
    struct ctl_switch *sw = switch_lookup(ctl, dpid);
    if (sw) {
        struct channel_key key = {.group = *group, .vlan = vlan};
        mark(ctl, channel_get(sw, &key));
    }
}

struct mark_aux {
    struct ctl *ctl;
    const struct ctl_vlan *vlan;
    const struct ip_addr *group;
    uint64_t dpid; /* 0 = all. */
};

static bool
mark_port(void *aux_, const struct igmp_port_view *port)
{
    const struct mark_aux *aux = aux_;
    if (!aux->dpid || aux->dpid == port->port.dpid) {
        channel_mark(aux->ctl, port->port.dpid, aux->vlan->vlan, aux->group);
    }
    return true;
}

static bool
mark_group(void *aux_, const struct ip_addr *group)
{
    struct mark_aux *aux = aux_;
    aux->group = group;
    igmp_snoop_each_port(aux->vlan->snoop, group, mark_port, aux);
    return true;
}

void
channels_mark_switch(struct ctl *ctl, uint64_t dpid)
{
    struct ctl_vlan *v, *next;
    HASH_ITER (hh, ctl->vlans, v, next) {
        struct mark_aux aux = {.ctl = ctl, .vlan = v, .dpid = dpid};
        igmp_snoop_each_group(v->snoop, mark_group, &aux);
    }
    struct ctl_switch *sw = switch_lookup(ctl, dpid);
    struct channel_state *c, *tmp;
    HASH_ITER (hh, sw->channels, c, tmp) {
        mark(ctl, c);
    }
}

void
channels_mark_vlan(struct ctl *ctl, uint16_t vlan)
{
    struct ctl_switch *sw, *next;
    HASH_ITER (hh, ctl->switches, sw, next) {
        struct channel_state *c, *tmp;
        HASH_ITER (hh, sw->channels, c, tmp) {
            if (c->key.vlan == vlan) {
                mark(ctl, c);
            }
        }
    }
}

void
channel_register(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c = channel_get(sw, key);
    c->n_registered++;
    mark(sw->ctl, c);
}

void
channel_unregister(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c = channel_get(sw, key);
    c->n_registered--;
    mark(sw->ctl, c);
}

struct ofp_match
channel_match(const struct channel *channel)
{
    struct ofp_match match = {
        .fields = OFP_MATCH_VLAN | OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST,
        .vlan = channel->vlan,
        .eth_type =
            ip_addr_is_v4(&channel->group) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6,
        .ip_dst = {channel->group, 128}};
    if (!ip_addr_is_any(&channel->source)) {
        match.fields |= OFP_MATCH_IP_SRC;
        match.ip_src = (struct ip_prefix){channel->source, 128};
    }
    return match;
}

struct port_list {
    uint64_t dpid;
    uint32_t *ports;
    size_t n, allocated;
};

static bool
add_port(void *list_, const struct port_id *port)
{
    struct port_list *list = list_;
    if (port->dpid == list->dpid) {
        list->ports =
            xgrow(list->ports, list->n, &list->allocated, sizeof *list->ports);
        list->ports[list->n++] = (uint32_t) port->port_no;
    }
    return true;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

/* Sorts and drops doubles; returns how many are left.  Members come sorted, so
 * that there is something to do only where there are router ports. */
static size_t
sort_ports(uint32_t *ports, size_t n_ports)
{
    size_t n = 1;
    while (n < n_ports && ports[n - 1] < ports[n]) {
        n++;
    }
    if (n >= n_ports) {
        return n_ports;
    }
    qsort(ports, n_ports, sizeof *ports, compare_ports);
    n = 0;
    for (size_t i = 0; i < n_ports; i++) {
        if (!n || ports[n - 1] != ports[i]) {
            ports[n++] = ports[i];
        }
    }
    return n;
}

size_t
channel_ports(const struct ctl_switch *sw, uint16_t vlan,
              const struct ip_addr *source, const struct ip_addr *group,
              uint32_t **ports)
{
    struct port_list list = {.dpid = sw->dpid};
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, vlan);
    if (v) {
        igmp_snoop_each_receiver(v->snoop, source, group, sw->dpid, add_port,
                                 &list);
        igmp_snoop_each_router_port(v->snoop, add_port, &list);
    }
    size_t n = sort_ports(list.ports, list.n);
    *ports = list.ports;
    return n;
}

static void
set_entry(const struct channel_state *c, const struct ip_addr *source)
{
    struct ctl_switch *sw = c->sw;
    struct channel channel = {
        .group = c->key.group, .source = *source, .vlan = c->key.vlan};
    bool star = ip_addr_is_any(source);
    struct ofp_flow flow = {.table = TABLE_MCAST,
                            .priority = star ? PRIO_STAR_G : PRIO_S_G,
                            .match = channel_match(&channel),
                            .cookie = cookie_make(COOKIE_CHANNEL, 0),
                            .output = OFP_OUT_GROUP};
    if (star && c->learning) {
        flow.punt = true;
        flow.punt_meter = METER_SOURCES;
    }
    uint32_t *ports;
    size_t n = channel_ports(sw, channel.vlan, source, &channel.group, &ports);
    struct ofp_bucket *buckets = xcalloc(n + 1, sizeof *buckets);
    for (size_t i = 0; i < n; i++) {
        buckets[i].out_port = ports[i];
    }
    ofp_table_set(sw->table, &flow, buckets, n, 0, NULL);
    sw->ctl->compiled++;
    free(buckets);
    free(ports);
}

static void
unset_entry(const struct channel_state *c, const struct ip_addr *source)
{
    struct channel channel = {
        .group = c->key.group, .source = *source, .vlan = c->key.vlan};
    struct ofp_match match = channel_match(&channel);
    ofp_table_unset(c->sw->table, TABLE_MCAST,
                    ip_addr_is_any(source) ? PRIO_STAR_G : PRIO_S_G, &match);
}

static bool
contains(const struct ip_addr *list, size_t n, const struct ip_addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (ip_addr_equal(&list[i], addr)) {
            return true;
        }
    }
    return false;
}

static void
compile_sources(struct channel_state *c, const struct igmp_snoop *snoop)
{
    size_t n = 0;
    struct ip_addr *sources = NULL;
    if (snoop) {
        n = igmp_snoop_filtered_sources(snoop, &c->key.group, NULL, 0);
        sources = n ? xcalloc(n, sizeof *sources) : NULL;
        n = igmp_snoop_filtered_sources(snoop, &c->key.group, sources, n);
    }
    for (size_t i = 0; i < c->n_sources; i++) {
        if (!contains(sources, n, &c->sources[i])) {
            unset_entry(c, &c->sources[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        set_entry(c, &sources[i]);
    }
    free(c->sources);
    c->sources = sources;
    c->n_sources = n;
}

static bool
found_port(void *found, const struct port_id *port)
{
    (void) port;
    *(bool *) found = true;
    return false;
}

struct here_aux {
    uint64_t dpid;
    bool here;
};

static bool
port_is_here(void *aux_, const struct igmp_port_view *port)
{
    struct here_aux *aux = aux_;
    aux->here = port->port.dpid == aux->dpid;
    return !aux->here;
}

/* Does anybody behind this switch have a filter for the group? */
static bool
has_members(const struct channel_state *c, const struct igmp_snoop *snoop)
{
    bool found = false;
    igmp_snoop_each_receiver(snoop, &IP_ADDR_ANY, &c->key.group, c->sw->dpid,
                             found_port, &found);
    if (!found && igmp_snoop_has_group(snoop, &c->key.group)) {
        struct here_aux aux = {.dpid = c->sw->dpid};
        igmp_snoop_each_port(snoop, &c->key.group, port_is_here, &aux);
        found = aux.here;
    }
    return found;
}

static void
compile(struct channel_state *c)
{
    struct ctl_switch *sw = c->sw;
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, c->key.vlan);
    bool wanted = c->n_registered || (v && has_members(c, v->snoop));
    if (wanted) {
        set_entry(c, &IP_ADDR_ANY);
        c->star = true;
    } else if (c->star) {
        unset_entry(c, &IP_ADDR_ANY);
    }
    compile_sources(c, wanted && v ? v->snoop : NULL);
    switch_want_run(sw);
    if (!wanted) {
        streams_unregistered(sw, c->key.vlan, &c->key.group);
        HASH_DELETE(hh, sw->channels, c);
        free(c->sources);
        free(c);
    }
}

void
channels_compile(struct ctl *ctl)
{
    while (ctl->dirty_channels) {
        struct channel_state *c = ctl->dirty_channels;
        LL_DELETE2(ctl->dirty_channels, c, next_dirty);
        c->dirty = false;
        compile(c);
    }
}

void
channels_destroy(struct ctl_switch *sw)
{
    struct channel_state *c, *tmp;
    HASH_ITER (hh, sw->channels, c, tmp) {
        HASH_DELETE(hh, sw->channels, c);
        free(c->sources);
        free(c);
    }
}

/* The search for sources.  A (*,G) flow punts until the first packet has told
 * its source, and again when that source is gone. */

static void
set_learning(struct channel_state *c, bool learning)
{
    if (c->learning != learning) {
        c->learning = learning;
        mark(c->sw->ctl, c);
    }
}

void
channel_source_known(struct ctl_switch *sw, uint16_t vlan,
                     const struct ip_addr *group)
{
    struct channel_state *c = channel_lookup(sw, vlan, group);
    if (c) {
        set_learning(c, false);
    }
}

void
channel_source_lost(struct ctl_switch *sw, uint16_t vlan,
                    const struct ip_addr *group)
{
    struct channel_state *c = channel_lookup(sw, vlan, group);
    if (c) {
        set_learning(c, true);
    }
}

/* The flow stays as it was found, so that a restart changes nothing. */
void
channel_restore(struct ctl_switch *sw, const struct adopted_entry *entry)
{
    struct channel_key key = {.group = entry->channel.group,
                              .vlan = entry->channel.vlan};
    struct channel_state *c;
    HASH_FIND(hh, sw->channels, &key, sizeof key, c);
    if (!c) {
        c = channel_get(sw, &key);
        c->learning = entry->punts;
        c->quiet_until = loop_now(sw->ctl->loop) + RESTORE_QUIET_MS;
        c->star = true;
        mark(sw->ctl, c);
    }
}

/* A restored flow that moves: who sends? */
void
channels_counted(struct ctl_switch *sw, int64_t now)
{
    struct channel_state *c, *tmp;
    HASH_ITER (hh, sw->channels, c, tmp) {
        struct channel channel = {.group = c->key.group, .vlan = c->key.vlan};
        struct ofp_entry_view view;
        if (!c->quiet_until) {
            continue;
        }
        struct ofp_match match = channel_match(&channel);
        uint64_t packets = ofp_table_lookup(sw->table, TABLE_MCAST,
                                            PRIO_STAR_G, &match, &view)
                               ? view.packets
                               : 0;
        bool moves = packets > c->last_packets;
        c->last_packets = packets;
        if (now >= c->quiet_until && moves) {
            c->quiet_until = 0;
            set_learning(c, !streams_has(sw, c->key.vlan, &c->key.group));
        }
    }
}
