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

#include "controller/log.h"
#include "lib/hash.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(channels);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

static size_t
hash_of(const struct channel_key *key)
{
    return hash_of_bytes(key, sizeof *key);
}

static struct channel_state *
find(const struct ctl_switch *sw, const struct channel_key *key)
{
    for (struct hash_node *node = hash_table_find(&sw->channels, hash_of(key));
         node; node = hash_node_find_next(node)) {
        struct channel_state *c = (struct channel_state *) node;
        if (!memcmp(&c->key, key, sizeof *key)) {
            return c;
        }
    }
    return NULL;
}

struct channel_state *
channel_lookup(const struct ctl_switch *sw, uint16_t vlan,
               const struct ip_addr *group)
{
    struct channel_key key = {.group = *group, .vlan = vlan};
    return find(sw, &key);
}

struct channel_state *
channel_next(const struct ctl_switch *sw, const struct channel_state *c)
{
    return (
        struct channel_state *) (c ? hash_table_next(&sw->channels, &c->node)
                                   : hash_table_first(&sw->channels));
}

static struct channel
channel_of(const struct channel_state *c, const struct ip_addr *source)
{
    return (struct channel){
        .group = c->key.group, .source = *source, .vlan = c->key.vlan};
}

static bool
is_unknown(const struct channel_state *c, const struct ip_addr *source)
{
    struct channel channel = channel_of(c, source);
    return !streams_has(c->sw, &channel);
}

static struct channel_state *
channel_get(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c = find(sw, key);
    if (!c) {
        c = xcalloc(1, sizeof *c);
        c->sw = sw;
        c->key = *key;
        c->learning = is_unknown(c, &IP_ADDR_ANY);
        hash_table_insert(&sw->channels, &c->node, hash_of(key));
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

void
channels_mark_vlan(struct ctl_switch *sw, uint16_t vlan)
{
    struct channel_state *c = NULL;
    while ((c = channel_next(sw, c)) != NULL) {
        if (c->key.vlan == vlan) {
            mark(sw->ctl, c);
        }
    }
}

void
channels_mark_all(struct ctl_switch *sw)
{
    struct channel_state *c = NULL;
    while ((c = channel_next(sw, c)) != NULL) {
        mark(sw->ctl, c);
    }
}

void
channel_register(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c = channel_get(sw, key);
    c->n_registered++;
    fabric_register(sw, key, 1);
    mark(sw->ctl, c);
}

void
channel_unregister(struct ctl_switch *sw, const struct channel_key *key)
{
    struct channel_state *c = channel_get(sw, key);
    c->n_registered--;
    fabric_register(sw, key, -1);
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

/* The receivers before the last change go on, the new one is left out: that
 * must not pass in silence. */
static void
tell_too_big(const struct ctl_switch *sw, const struct channel *channel,
             const char *error)
{
    char group[IP_ADDR_STRLEN];
    ip_addr_format(&channel->group, group);
    VLOG_ERR_RL(&rl, DPID_FMT ": %s of vlan %u has too many receivers: %s",
                sw->dpid, group, channel->vlan, error);
    ctl_event(sw->ctl, "channel.refused",
              "{\"vlan\":%u,\"group\":\"%s\",\"dpid\":\"" DPID_FMT "\"}",
              channel->vlan, group, sw->dpid);
}

/* With l2: fabric what comes by links is nothing new: sources are searched for
 * by a flow in a table that such packets do not meet. */
static void
set_learning_flow(const struct channel_state *c, const struct ip_addr *source,
                  bool learning)
{
    struct ctl_switch *sw = c->sw;
    struct channel channel = channel_of(c, source);
    struct ofp_flow flow = {.table = TABLE_SOURCE,
                            .priority = ip_addr_is_any(source) ? PRIO_STAR_G
                                                               : PRIO_S_G,
                            .match = channel_match(&channel),
                            .cookie = cookie_make(COOKIE_LEARN, 0),
                            .punt = true,
                            .punt_meter = METER_SOURCES,
                            .goto_table = TABLE_MCAST};
    if (learning && sw->n_edges) {
        ofp_table_set(sw->table, &flow, NULL, 0, 0, NULL);
    } else {
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
    }
}

/* With l2: fabric a route may lead to a channel at a switch that has no part
 * in its tree.  As if there were no entry, what comes there is shown to us
 * (streams.c), until the switch is on the tree: in this one flow, so that a
 * packet is either shown or forwarded. */
static bool
shows_us(const struct channel_state *c, bool learning, size_t n_copies)
{
    const struct channel_key *key = &c->key;
    return c->sw->ctl->fabric && c->n_registered && !n_copies
           && !fabric_is_on(c->sw, key->vlan, &key->group)
           && (learning || fabric_is_wanted(c->sw, key->vlan, &key->group));
}

/* That the source is not known is seen in the entry itself, or with l2: fabric
 * in a table before it. */
static void
set_punt(const struct channel_state *c, const struct ip_addr *source,
         bool learning, size_t n_copies, struct ofp_flow *flow)
{
    struct ctl_switch *sw = c->sw;
    bool shows = shows_us(c, learning, n_copies);
    if (sw->ctl->fabric) {
        set_learning_flow(c, source, learning && !shows);
    }
    flow->punt = sw->ctl->fabric ? shows : learning;
    flow->punt_meter = flow->punt ? METER_SOURCES : 0;
    flow->output = shows ? OFP_OUT_NONE : OFP_OUT_GROUP;
    flow->cookie = cookie_make(
        COOKIE_CHANNEL,
        shows ? 0 : fabric_root_mark(sw, c->key.vlan, &c->key.group));
}

static void
set_entry(const struct channel_state *c, const struct ip_addr *source,
          bool learning)
{
    struct ctl_switch *sw = c->sw;
    struct channel channel = channel_of(c, source);
    bool star = ip_addr_is_any(source);
    struct ofp_flow flow = {.table = TABLE_MCAST,
                            .priority = star ? PRIO_STAR_G : PRIO_S_G,
                            .match = channel_match(&channel)};
    struct ofp_copy *copies;
    size_t n = copies_of(sw, channel.vlan, source, &channel.group, &copies);
    set_punt(c, source, learning, n, &flow);
    struct ofp_bucket *buckets = xcalloc(n + 1, sizeof *buckets);
    for (size_t i = 0; i < n; i++) {
        copy_to_bucket(&copies[i], &buckets[i]);
    }
    char error[OFP_ERROR_SIZE];
    if (switch_set_entry(sw, &flow, buckets, n, 0, error)) {
        tell_too_big(sw, &channel, error);
    }
    sw->ctl->compiled++;
    free(buckets);
    free(copies);
}

static void
unset_entry(const struct channel_state *c, const struct ip_addr *source)
{
    struct channel channel = channel_of(c, source);
    struct ofp_match match = channel_match(&channel);
    ofp_table_unset(c->sw->table, TABLE_MCAST,
                    ip_addr_is_any(source) ? PRIO_STAR_G : PRIO_S_G, &match);
    if (c->sw->ctl->fabric) {
        set_learning_flow(c, source, false);
    }
}

static int
compare_sources(const void *a_, const void *b_)
{
    const struct channel_source *a = a_, *b = b_;
    return ip_addr_compare(&a->address, &b->address);
}

/* They are sorted: hosts may name very many. */
static struct channel_source *
find_source(const struct channel_state *c, const struct ip_addr *address)
{
    struct channel_source key = {.address = *address};
    return c->n_sources ? bsearch(&key, c->sources, c->n_sources,
                                  sizeof *c->sources, compare_sources)
                        : NULL;
}

/* Those that filters name, sorted, each once; the caller frees them.  After a
 * restart not all switches may have told yet whose filters there are; and what
 * moves to another tree keeps the entries that it has. */
static struct ip_addr *
named_sources(const struct channel_state *c, const struct igmp_snoop *snoop,
              size_t *n)
{
    const struct channel_key *key = &c->key;
    size_t room = igmp_snoop_filtered_sources(snoop, &key->group, NULL, 0);
    size_t found = fabric_held_sources(c->sw, key, NULL);
    *n = 0;
    if (!room && !found) {
        return NULL;
    }
    struct ip_addr *addresses = xcalloc(room + found, sizeof *addresses);
    *n = igmp_snoop_filtered_sources(snoop, &key->group, addresses, room);
    *n += fabric_held_sources(c->sw, key, &addresses[*n]);
    *n = ip_addr_sort(addresses, *n);
    return addresses;
}

/* One that was there goes on as it is. */
static struct channel_source *
filtered_sources(const struct channel_state *c, const struct igmp_snoop *snoop,
                 size_t *n)
{
    struct ip_addr *addresses = named_sources(c, snoop, n);
    if (!*n) {
        return NULL;
    }
    struct channel_source *sources = xcalloc(*n, sizeof *sources);
    for (size_t i = 0; i < *n; i++) {
        const struct channel_source *old = find_source(c, &addresses[i]);
        sources[i] = (struct channel_source){
            .address = addresses[i],
            .learning = old ? old->learning : is_unknown(c, &addresses[i])};
    }
    free(addresses);
    return sources;
}

static void
compile_sources(struct channel_state *c, const struct igmp_snoop *snoop)
{
    struct channel_state old = *c;
    size_t n = 0;
    c->sources = snoop ? filtered_sources(&old, snoop, &n) : NULL;
    c->n_sources = (uint32_t) n;
    for (size_t i = 0; i < old.n_sources; i++) {
        if (!find_source(c, &old.sources[i].address)) {
            unset_entry(c, &old.sources[i].address);
            if (old.moving) {
                struct channel gone = channel_of(c, &old.sources[i].address);
                channel_unset_move(c->sw, &gone);
            }
        }
    }
    for (size_t i = 0; i < c->n_sources; i++) {
        set_entry(c, &c->sources[i].address, c->sources[i].learning);
    }
    free(old.sources);
}

/* What there is only while the channel moves to another tree. */
static void
compile_move(struct channel_state *c)
{
    const struct channel_key *key = &c->key;
    bool moves = fabric_is_moving(c->sw, key->vlan, &key->group);
    if (moves || c->moving) {
        struct channel star = channel_of(c, &IP_ADDR_ANY);
        channel_set_move(c->sw, &star);
        for (size_t i = 0; i < c->n_sources; i++) {
            struct channel one = channel_of(c, &c->sources[i].address);
            channel_set_move(c->sw, &one);
        }
    }
    c->moving = moves;
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

bool
channel_is_flooded(const struct ctl_vlan *v, const struct ip_addr *group)
{
    return !ip_addr_is_v4(group) && (v->mld_from || !v->config->mld);
}

bool
channel_has_members(const struct ctl_switch *sw, uint16_t vlan,
                    const struct ip_addr *group)
{
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, vlan);
    const struct igmp_snoop *snoop = v ? vlan_snoop_of(v, group) : NULL;
    if (!v || !igmp_snoop_has_group(snoop, group)
        || channel_is_flooded(v, group)) {
        return false;
    }
    bool found = false;
    igmp_snoop_each_receiver(snoop, &IP_ADDR_ANY, group, sw->dpid, found_port,
                             &found);
    if (!found) {
        struct here_aux aux = {.dpid = sw->dpid};
        igmp_snoop_each_port(snoop, group, port_is_here, &aux);
        found = aux.here;
    }
    return found || tunnels_share_group(sw, v, group);
}

static void
destroy(struct channel_state *c)
{
    hash_table_remove(&c->sw->channels, &c->node);
    free(c->sources);
    free(c);
}

static void
compile(struct channel_state *c)
{
    struct ctl_switch *sw = c->sw;
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, c->key.vlan);
    bool wanted = c->n_registered
                  || channel_has_members(sw, c->key.vlan, &c->key.group)
                  || fabric_is_on(sw, c->key.vlan, &c->key.group);
    if (wanted) {
        set_entry(c, &IP_ADDR_ANY, c->learning);
        c->star = true;
    } else if (c->star) {
        unset_entry(c, &IP_ADDR_ANY);
    }
    compile_sources(c, wanted && v ? vlan_snoop_of(v, &c->key.group) : NULL);
    compile_move(c);
    sw->led_changes += c->n_registered > 0;
    switch_want_run(sw);
    if (!wanted) {
        /* What has met no entry so far goes on to be shown to us: perhaps the
         * switch is about to become a part of the tree. */
        if (c->star) {
            streams_unregistered(sw, c->key.vlan, &c->key.group);
        }
        destroy(c);
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
    struct channel_state *c = channel_next(sw, NULL);
    while (c) {
        struct channel_state *next = channel_next(sw, c);
        destroy(c);
        c = next;
    }
    hash_table_uninit(&sw->channels);
}

/* The search for sources.  A (*,G) flow punts until the first packet has told
 * its source, and again when no source is left; an (S,G) flow until it has
 * been met. */

static void
set_learning(struct channel_state *c, bool *learning, bool on)
{
    if (*learning != on) {
        *learning = on;
        mark(c->sw->ctl, c);
    }
}

void
channel_source_known(struct ctl_switch *sw, const struct channel *channel)
{
    struct channel_state *c =
        channel_lookup(sw, channel->vlan, &channel->group);
    struct channel_source *s = c ? find_source(c, &channel->source) : NULL;
    if (c) {
        set_learning(c, &c->learning, false);
    }
    if (s) {
        set_learning(c, &s->learning, false);
    }
}

void
channel_source_lost(struct ctl_switch *sw, const struct channel *channel,
                    bool others)
{
    struct channel_state *c =
        channel_lookup(sw, channel->vlan, &channel->group);
    struct channel_source *s = c ? find_source(c, &channel->source) : NULL;
    if (c && !others) {
        set_learning(c, &c->learning, true);
    }
    if (s) {
        set_learning(c, &s->learning, true);
    }
}

/* The flows stay as they were found, so that a restart changes nothing. */
void
channel_restore(struct ctl_switch *sw, const struct adopted_entry *entries,
                size_t n)
{
    struct channel_key key = {.group = entries->channel.group,
                              .vlan = entries->channel.vlan};
    if (sw->known && channel_lookup(sw, key.vlan, &key.group)) {
        return; /* It is as we left it. */
    }
    struct channel_state *c = channel_get(sw, &key);
    c->quiet_until = loop_now(sw->ctl->loop) + RESTORE_QUIET_MS;
    c->learning = entries->punts;
    c->star = true;
    free(c->sources);
    c->n_sources = n - 1;
    c->sources = xcalloc(n, sizeof *c->sources);
    for (size_t i = 1; i < n; i++) {
        c->sources[i - 1] =
            (struct channel_source){.address = entries[i].channel.source,
                                    .learning = entries[i].punts};
    }
    mark(sw->ctl, c);
}

static uint64_t
packets_of(const struct channel_state *c, const struct ip_addr *source)
{
    struct channel channel = channel_of(c, source);
    struct ofp_match match = channel_match(&channel);
    uint16_t priority = ip_addr_is_any(source) ? PRIO_STAR_G : PRIO_S_G;
    struct ofp_entry_view view;
    return ofp_table_lookup(c->sw->table, TABLE_MCAST, priority, &match, &view)
               ? view.packets
               : 0;
}

/* A restored channel that moves: who sends? */
static void
search_sources(struct channel_state *c, int64_t now)
{
    uint64_t packets = packets_of(c, &IP_ADDR_ANY);
    for (size_t i = 0; i < c->n_sources; i++) {
        packets += packets_of(c, &c->sources[i].address);
    }
    bool moves = (uint32_t) packets != c->last_packets;
    c->last_packets = (uint32_t) packets;
    if (now < c->quiet_until || !moves) {
        return;
    }
    c->quiet_until = 0;
    set_learning(c, &c->learning, is_unknown(c, &IP_ADDR_ANY));
    for (size_t i = 0; i < c->n_sources; i++) {
        struct channel_source *s = &c->sources[i];
        set_learning(c, &s->learning, is_unknown(c, &s->address));
    }
}

void
channels_counted(struct ctl_switch *sw, int64_t now)
{
    struct channel_state *c = NULL;
    while ((c = channel_next(sw, c)) != NULL) {
        if (c->quiet_until) {
            search_sources(c, now);
        }
    }
}
