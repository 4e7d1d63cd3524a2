/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Streams: the sources that have been seen.
 *
 * The first packet of an unregistered group meets the vlan's miss flow, which
 * punts it.  A flow of the same policy but without the punt, for that (port,
 * vlan, source, group), takes over at once and lives while the stream does:
 * so a stream costs a handful of packet-ins, whatever its rate.  The
 * (*,G) flow of a registered group, and the flow of a route, punt until the
 * first packet has told the source.
 *
 * Counters come from the flow that the stream meets; its rates are over the
 * last interval between two readings. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "controller/stream-key.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(streams);

enum {
    SOURCE_IDLE_S = 60,
    MAX_STREAMS = 100000 /* A spoofing host must not fill the memory. */
};

struct stream {
    UT_hash_handle hh;          /* In streams->by_key. */
    UT_hash_handle hh_id;       /* In streams->by_id. */
    struct stream *prev, *next; /* In group->streams. */
    struct stream_key key;
    uint32_t id; /* 24 bits: it stands in the cookie of its flow. */
    /* The route that it meets, as of that generation of the routes. */
    const struct rule *route;
    uint64_t routes_generation;
    bool has_flow;
    bool inner;    /* What a route has made of another: known only so that the
                 * fabric's trees reach its switch. */
    uint8_t ttl;   /* Of its first packet, or hop limit; 0: not seen. */
    uint32_t size; /* The largest IP packet of those seen by us, or on the
                    * average of a while; 0: not known. */
    int64_t first_seen, last_active;
    /* Of the flow that it meets. */
    uint64_t flow_packets, flow_bytes;
    int64_t counted;
    /* Its own, over all flows that it has met. */
    uint64_t packets, bytes;
    double packets_per_s, bits_per_s;
};

/* The known sources of a group. */
struct stream_group {
    UT_hash_handle hh;
    struct channel_key key;
    struct stream *streams;
};

/* Those of one switch. */
struct streams {
    struct ctl_switch *sw;
    struct stream *by_key, *by_id;
    struct stream_group *groups;
    uint32_t last_id;
};

struct streams *
streams_create(struct ctl_switch *sw)
{
    struct streams *streams = xcalloc(1, sizeof *streams);
    streams->sw = sw;
    return streams;
}

static struct stream_group *
find_group(const struct streams *streams, uint16_t vlan,
           const struct ip_addr *group)
{
    struct channel_key key = {.group = *group, .vlan = vlan};
    struct stream_group *g;
    HASH_FIND(hh, streams->groups, &key, sizeof key, g);
    return g;
}

static void
enter_group(struct streams *streams, struct stream *s)
{
    uint16_t vlan = (uint16_t) s->key.vlan;
    struct stream_group *g = find_group(streams, vlan, &s->key.group);
    if (!g) {
        g = xcalloc(1, sizeof *g);
        g->key = (struct channel_key){.group = s->key.group, .vlan = vlan};
        HASH_ADD(hh, streams->groups, key, sizeof g->key, g);
    }
    DL_APPEND(g->streams, s);
}

static struct channel
channel_of(const struct stream *s)
{
    struct channel c = {.group = s->key.group,
                        .source = s->key.source,
                        .vlan = (uint16_t) s->key.vlan};
    return c;
}

static void
leave_group(struct streams *streams, struct stream *s)
{
    struct channel channel = channel_of(s);
    struct stream_group *g = find_group(streams, channel.vlan, &channel.group);
    DL_DELETE(g->streams, s);
    channel_source_lost(streams->sw, &channel, g->streams != NULL);
    if (!g->streams) {
        HASH_DELETE(hh, streams->groups, g);
        free(g);
    }
}

static void
stream_destroy(struct streams *streams, struct stream *s)
{
    leave_group(streams, s);
    fabric_source(streams->sw, (uint16_t) s->key.vlan, &s->key.group, -1);
    HASH_DELETE(hh, streams->by_key, s);
    HASH_DELETE(hh_id, streams->by_id, s);
    free(s);
}

void
streams_destroy(struct streams *streams)
{
    struct stream *s, *tmp;
    HASH_ITER (hh, streams->by_key, s, tmp) {
        stream_destroy(streams, s);
    }
    free(streams);
}

static struct stream *
stream_create(struct streams *streams, const struct stream_key *key,
              uint32_t id)
{
    struct stream *s = xcalloc(1, sizeof *s);
    s->key = *key;
    s->id = id;
    s->first_seen = s->last_active = loop_now(streams->sw->ctl->loop);
    enter_group(streams, s);
    HASH_ADD(hh, streams->by_key, key, sizeof s->key, s);
    HASH_ADD(hh_id, streams->by_id, id, sizeof s->id, s);
    fabric_source(streams->sw, (uint16_t) key->vlan, &key->group, 1);
    return s;
}

static struct stream *
find_id(const struct streams *streams, uint32_t id)
{
    struct stream *s;
    HASH_FIND(hh_id, streams->by_id, &id, sizeof id, s);
    return s;
}

static uint32_t
next_id(struct streams *streams)
{
    do {
        streams->last_id = (streams->last_id + 1) & 0xffffff;
    } while (find_id(streams, streams->last_id));
    return streams->last_id;
}

static struct ofp_match
source_match(const struct stream *s)
{
    struct channel channel = channel_of(s);
    struct ofp_match match = channel_match(&channel);
    match.fields |= OFP_MATCH_IN_PORT;
    match.in_port = (uint32_t) s->key.port.port_no;
    return match;
}

static void
set_source_flow(struct streams *streams, struct stream *s)
{
    struct ctl_switch *sw = streams->sw;
    struct ctl_vlan *v = vlan_get(sw->ctl, (uint16_t) s->key.vlan);
    struct ofp_flow flow = {.table = TABLE_MCAST,
                            .priority = PRIO_SOURCE,
                            .match = source_match(s),
                            .cookie = cookie_make(COOKIE_SOURCE, s->id),
                            .idle_timeout = SOURCE_IDLE_S,
                            .tell_removed = true};
    struct ofp_bucket *buckets;
    enum igmp_family family =
        ip_addr_is_v4(&s->key.group) ? IGMP_IPV4 : IGMP_IPV6;
    size_t n = pipeline_policy(sw, v, family, &flow, &buckets);
    ofp_table_set(sw->table, &flow, buckets, n, 0, NULL);
    free(buckets);
    s->has_flow = true;
    switch_want_run(sw);
}

static void
unset_source_flow(struct streams *streams, struct stream *s)
{
    if (s->has_flow) {
        struct ofp_match match = source_match(s);
        ofp_table_unset(streams->sw->table, TABLE_MCAST, PRIO_SOURCE, &match);
        switch_want_run(streams->sw);
    }
    s->has_flow = false;
    s->flow_packets = s->flow_bytes = 0;
}

static void
tell(struct streams *streams, const struct stream *s, const char *type)
{
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN];
    if (s->inner) {
        return;
    }
    ip_addr_format(&s->key.source, source);
    ip_addr_format(&s->key.group, group);
    VLOG_DBG("%s %s -> %s vlan %" PRIu64 " at " DPID_FMT " port %" PRIu64,
             type, source, group, s->key.vlan, s->key.port.dpid,
             s->key.port.port_no);
    ctl_event(streams->sw->ctl, type,
              "{\"vlan\":%" PRIu64 ",\"source\":\"%s\",\"group\":\"%s\","
              "\"dpid\":\"" DPID_FMT "\",\"port\":%" PRIu64 "}",
              s->key.vlan, source, group, s->key.port.dpid,
              s->key.port.port_no);
}

/* A packet that a route has rewritten, on its way to a channel, is no new
 * stream: what the route made of it is known, and so is the stream that it
 * came from, or will be. */
static bool
is_rewritten(const struct ctl *ctl, const struct stream_key *key)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (route_makes(rule->route, &key->source, &key->group)) {
            return true;
        }
    }
    return false;
}

/* NULL if there are too many. */
static struct stream *
stream_get(struct streams *streams, const struct stream_key *key, bool inner)
{
    struct stream *s;
    HASH_FIND(hh, streams->by_key, key, sizeof *key, s);
    if (!s && HASH_COUNT(streams->by_key) < MAX_STREAMS) {
        s = stream_create(streams, key, next_id(streams));
        s->inner = inner;
        tell(streams, s, "stream.new");
    }
    return s;
}

/* Of a frame; counters have it with its tag. */
static void
note_size(struct stream *s, uint64_t frame_size)
{
    enum { ETHERNET = 14, TAG = 4 };
    uint64_t header = ETHERNET + (s->key.vlan ? TAG : 0);
    if (frame_size > header && frame_size - header > s->size
        && frame_size <= UINT32_MAX) {
        s->size = (uint32_t) (frame_size - header);
    }
}

static bool
comes_from_edge(const struct ctl_switch *sw, uint32_t in_port)
{
    struct port_id id = {sw->dpid, in_port};
    return in_port == PORT_LOCAL
           || fabric_role(sw->ctl, &id) != TOPO_ROLE_LINK;
}

/* The switch becomes a part of the channel's tree where there are members;
 * until it is, it goes on to show us what comes. */
static void
deliver(struct streams *streams, struct stream *s, enum cookie_kind kind,
        const struct ofp_packet_in *pin)
{
    struct ctl_switch *sw = streams->sw;
    struct channel channel = channel_of(s);
    bool registered = kind == COOKIE_CHANNEL && sw->ctl->fabric;
    if ((kind != COOKIE_MISS && kind != COOKIE_MOVE && !registered)
        || fabric_deliver(sw, &channel, registered, pin->frame, pin->size)) {
        return;
    }
    if (registered) {
        channel_mark(sw->ctl, sw->dpid, channel.vlan, &channel.group);
    } else if (!s->has_flow) {
        set_source_flow(streams, s);
    }
}

void
streams_packet_in(struct ctl_switch *sw, const struct ofp_packet_in *pin)
{
    struct streams *streams = sw->streams;
    struct stream_key key = {.port = {sw->dpid, pin->in_port}};
    uint8_t ttl = 0;
    bool routed = cookie_kind(pin->cookie) == COOKIE_ROUTE;
    if (!stream_key_parse(pin->frame, pin->size, routed, &key, &ttl)
        || !comes_from_edge(sw, pin->in_port)) {
        return;
    }
    enum cookie_kind kind = cookie_kind(pin->cookie);
    bool inner = (kind == COOKIE_CHANNEL || kind == COOKIE_LEARN)
                 && is_rewritten(sw->ctl, &key);
    if (!inner || sw->ctl->fabric) {
        struct stream *s = stream_get(streams, &key, inner);
        if (!s) {
            return;
        }
        s->ttl = ttl;
        note_size(s, pin->size);
        deliver(streams, s, kind, pin);
    }
    channel_source_known(sw, &(struct channel){.group = key.group,
                                               .source = key.source,
                                               .vlan = (uint16_t) key.vlan});
    route_source_known(sw, pin->cookie, pin->in_port, &key.group);
}

void
streams_flow_removed(struct ctl_switch *sw,
                     const struct ofp_flow_removed *removed)
{
    struct streams *streams = sw->streams;
    if (cookie_kind(removed->cookie) != COOKIE_SOURCE) {
        return;
    }
    struct stream *s = find_id(streams, removed->cookie & 0xffffff);
    if (!s || !s->has_flow) {
        return;
    }
    /* The table still desires it: an audit would bring it back. */
    unset_source_flow(streams, s);
    const struct ip_addr *group = &s->key.group;
    if (!channel_lookup(sw, (uint16_t) s->key.vlan, group)) {
        tell(streams, s, "stream.gone");
        stream_destroy(streams, s);
    }
}

void
streams_adopted(struct ctl_switch *sw, const struct ofp_adopted *entry)
{
    struct streams *streams = sw->streams;
    const struct ofp_match *m = &entry->match;
    uint32_t id = entry->cookie & 0xffffff;
    unsigned int need = OFP_MATCH_IN_PORT | OFP_MATCH_VLAN | OFP_MATCH_IP_SRC
                        | OFP_MATCH_IP_DST;
    if ((m->fields & need) != need || !entry->match_understood) {
        return;
    }
    struct stream_key key = {.port = {sw->dpid, m->in_port},
                             .source = m->ip_src.addr,
                             .group = m->ip_dst.addr,
                             .vlan = m->vlan};
    struct stream *s;
    HASH_FIND(hh, streams->by_key, &key, sizeof key, s);
    if (!s && !find_id(streams, id)) {
        s = stream_create(streams, &key, id);
        set_source_flow(streams, s);
    }
}

/* The route that the stream meets, NULL if none. */
static const struct rule *
route_of(const struct ctl *ctl, struct stream *s)
{
    /* Generation 0 is before the first route. */
    if (s->routes_generation != ctl->routes_generation) {
        s->routes_generation = ctl->routes_generation;
        s->route = routes_match(ctl, &s->key.port, (uint16_t) s->key.vlan,
                                &s->key.source, &s->key.group);
    }
    return s->route;
}

/* The flow that the stream meets. */
static bool
lookup_flow(const struct ctl_switch *sw, struct stream *s,
            struct ofp_entry_view *view)
{
    struct channel channel = channel_of(s);
    const struct rule *rule = route_of(sw->ctl, s);
    if (rule
        && route_lookup_flow(sw, rule, (uint32_t) s->key.port.port_no,
                             &channel, view)) {
        return true;
    }
    struct ofp_match match = channel_match(&channel);
    if (ofp_table_lookup(sw->table, TABLE_MCAST, PRIO_S_G, &match, view)) {
        return true;
    }
    channel.source = IP_ADDR_ANY;
    match = channel_match(&channel);
    if (ofp_table_lookup(sw->table, TABLE_MCAST, PRIO_STAR_G, &match, view)) {
        return true;
    }
    match = source_match(s);
    return ofp_table_lookup(sw->table, TABLE_MCAST, PRIO_SOURCE, &match, view);
}

static void
count(struct stream *s, const struct ofp_entry_view *view, int64_t now)
{
    /* A flow that was replaced, or another flow, starts from zero. */
    bool same = view->packets >= s->flow_packets;
    uint64_t packets = view->packets - (same ? s->flow_packets : 0);
    uint64_t bytes = view->bytes - (same ? s->flow_bytes : 0);
    int64_t interval = now - s->counted;
    if (s->counted && interval > 0) {
        s->packets_per_s = packets * 1000.0 / interval;
        s->bits_per_s = bytes * 8000.0 / interval;
    }
    s->packets += packets;
    s->bytes += bytes;
    s->flow_packets = view->packets;
    s->flow_bytes = view->bytes;
    s->counted = now;
    if (packets) {
        s->last_active = now;
        note_size(s, (bytes + packets - 1) / packets);
    }
}

void
streams_counted(struct ctl_switch *sw, int64_t now)
{
    struct streams *streams = sw->streams;
    struct stream *s, *tmp;
    HASH_ITER (hh, streams->by_key, s, tmp) {
        struct ofp_entry_view view;
        if (lookup_flow(sw, s, &view)) {
            count(s, &view, now);
        }
        if (!s->has_flow && now - s->last_active > SOURCE_IDLE_S * 1000) {
            tell(streams, s, "stream.gone");
            stream_destroy(streams, s);
        }
    }
}

void
streams_port_down(struct ctl_switch *sw, uint32_t port)
{
    struct stream *s, *tmp;
    HASH_ITER (hh, sw->streams->by_key, s, tmp) {
        if (s->key.port.port_no == port) {
            unset_source_flow(sw->streams, s);
            tell(sw->streams, s, "stream.gone");
            stream_destroy(sw->streams, s);
        }
    }
}

void
streams_policy_changed(struct ctl_switch *sw, uint16_t vlan)
{
    struct stream *s, *tmp;
    HASH_ITER (hh, sw->streams->by_key, s, tmp) {
        if (s->key.vlan == vlan && s->has_flow) {
            set_source_flow(sw->streams, s);
        }
    }
}

void
streams_unregistered(struct ctl_switch *sw, uint16_t vlan,
                     const struct ip_addr *group)
{
    struct stream_group *g = find_group(sw->streams, vlan, group);
    struct stream *s;
    DL_FOREACH (g ? g->streams : NULL, s) {
        if (!s->has_flow) {
            set_source_flow(sw->streams, s);
        }
    }
}

bool
streams_has(const struct ctl_switch *sw, const struct channel *channel)
{
    const struct stream_group *g =
        find_group(sw->streams, channel->vlan, &channel->group);
    if (!g || ip_addr_is_any(&channel->source)) {
        return g != NULL;
    }
    const struct stream *s;
    DL_FOREACH (g->streams, s) {
        if (ip_addr_equal(&s->key.source, &channel->source)) {
            return true;
        }
    }
    return false;
}

static bool
view_one(const struct ctl_switch *sw, struct stream *s, view_stream_cb *cb,
         void *aux)
{
    struct ctl *ctl = sw->ctl;
    struct channel in = channel_of(s);
    const struct rule *rule = route_of(ctl, s);
    const char *port_name = switch_port_name(ctl, &s->key.port);
    struct channel out =
        rule ? route_result_at(rule, sw->dpid, port_name, &in) : in;
    struct ofp_copy *copies;
    size_t n = copies_of(sw, out.vlan, &out.source, &out.group, &copies);
    free(copies);
    return cb(aux, &(struct view_stream){.vlan = in.vlan,
                                         .source = in.source,
                                         .group = in.group,
                                         .port = s->key.port,
                                         .port_name = port_name,
                                         .packets = s->packets,
                                         .bytes = s->bytes,
                                         .packets_per_s = s->packets_per_s,
                                         .bits_per_s = s->bits_per_s,
                                         .ttl = s->ttl,
                                         .size = s->size,
                                         .route = rule ? rule->name : "",
                                         .n_receivers = n,
                                         .age_ms = loop_now(ctl->loop)
                                                   - s->first_seen});
}

void
view_streams(struct ctl *ctl, view_stream_cb *cb, void *aux)
{
    struct ctl_switch *sw, *next;
    HASH_ITER (hh, ctl->switches, sw, next) {
        struct stream *s, *tmp;
        HASH_ITER (hh, sw->streams->by_key, s, tmp) {
            if (!s->inner && !view_one(sw, s, cb, aux)) {
                return;
            }
        }
    }
}

size_t
streams_count(const struct ctl *ctl)
{
    size_t n = 0;
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        n += HASH_COUNT(sw->streams->by_key);
    }
    return n;
}
