/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Replies to the source that a route gives a stream.
 *
 * Nobody has that address, so that the switch answers ARP for it and takes
 * what is sent to it, as of a stream that is sent to a host (both in
 * route-unicast.c, as what a switch wants).  In TABLE_ROUTE, below all routes,
 *
 *      to the source  -> the device's own address, out of its port
 *
 * for the route's protocol and ICMP.  Where the device is, and its Ethernet
 * address, is found by ARP (neighbours.h); behind its port alone, where the
 * route says which that is.  What comes in by that port goes back out of it,
 * which a switch does only when told.
 *
 * Where the route says whom the device answers, its answers get the source
 * that these know:
 *
 *      by its port, from the device, to them  -> from the source, on to L2
 *
 * Several routes may have the same device and the same source: their flows are
 * the same, with a cookie of no route. */

#include "controller/route-reply.h"

#include <stdio.h>
#include <string.h>

#include "controller/route-fragments.h"
#include "controller/route-match.h"
#include "controller/route-ports.h"
#include "controller/route-rewrite.h"
#include "controller/route-unicast.h"

enum {
    PRIO_ANSWER = 15, /* In TABLE_ROUTE: below all routes... */
    PRIO_REPLY = 20,
    PRIO_REPLY_BACK = 21,
    PRIO_ENTRY = 78, /* ...and in TABLE_PUNT: below what is sent to hosts. */
    PRIO_ENTRY_FRAGMENTS = 79
};

enum { PROTO_ICMP = 1, PROTO_ANY = 256, MAX_PROTOS = 2 };

/* Who. */

static uint16_t
device_vlan(const struct route *route)
{
    return route->match.has_vlan ? route->match.vlan : 0;
}

static uint16_t
source_vlan(const struct route *route)
{
    return route->set.has_vlan ? route->set.vlan : device_vlan(route);
}

static void
each_of_pool(const struct ctl_switch *sw, const struct rule *rule,
             struct route_reply *r, route_reply_cb *cb, void *aux)
{
    const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
    for (size_t i = 0; part && i < part->sources.n; i++) {
        const struct view_source *s = &part->sources.list[i];
        const struct topo_port *port =
            topo_find_port(sw->ctl->topo, sw->dpid, s->port);
        if (port) {
            r->device.at = (struct port_id){sw->dpid, port->no};
            r->source.ip = s->source;
            cb(aux, r);
        }
    }
}

void
route_each_reply(const struct ctl_switch *sw, const struct rule *rule,
                 route_reply_cb *cb, void *aux)
{
    const struct route *route = rule->route;
    const struct route_match *m = &route->match;
    struct route_reply r = {
        .device = {.ip = m->source.addr, .vlan = device_vlan(route)},
        .source = {.ip = route->set.source, .vlan = source_vlan(route)}};
    if (!route->set.reply_to || rule->gone
        || (m->has_dpid && m->dpid != sw->dpid)) {
        return;
    }
    if (route->set.has_source_pool) {
        each_of_pool(sw, rule, &r, cb, aux);
        return;
    }
    if (m->has_port) {
        size_t at = 0;
        const struct topo_port *port =
            route_next_port(sw->ctl->topo, sw->dpid, m->port, &at);
        if (!port) {
            return;
        }
        r.device.at = (struct port_id){sw->dpid, port->no};
    }
    cb(aux, &r);
}

struct concerns_aux {
    const struct neighbour_key *key;
    bool found;
};

static void
concerns(void *aux_, const struct route_reply *r)
{
    struct concerns_aux *aux = aux_;
    aux->found |= !memcmp(&r->device, aux->key, sizeof *aux->key)
                  || !memcmp(&r->source, aux->key, sizeof *aux->key);
}

bool
route_replies_to(const struct ctl_switch *sw, const struct rule *rule,
                 const struct neighbour_key *key)
{
    struct concerns_aux aux = {key, false};
    route_each_reply(sw, rule, concerns, &aux);
    return aux.found;
}

/* Flows. */

static size_t
list_protos(const struct route_match *m, int protos[MAX_PROTOS])
{
    size_t n = 0;
    protos[n++] = m->has_proto ? m->proto : PROTO_ANY;
    if (m->has_proto && m->proto != PROTO_ICMP) {
        protos[n++] = PROTO_ICMP;
    }
    return n;
}

static struct ofp_flow
flow_of(uint16_t priority, uint64_t vlan, int proto)
{
    struct ofp_flow flow = {.table = TABLE_ROUTE,
                            .priority = priority,
                            .match = {.fields = OFP_MATCH_ETH_TYPE
                                                | OFP_MATCH_VLAN
                                                | OFP_MATCH_IP_DST,
                                      .eth_type = ETH_TYPE_IPV4,
                                      .vlan = (uint16_t) vlan},
                            .cookie = cookie_make(COOKIE_REPLY, 0),
                            .tell_removed = true};
    if (proto != PROTO_ANY) {
        flow.match.fields |= OFP_MATCH_IP_PROTO;
        flow.match.ip_proto = (uint8_t) proto;
    }
    return flow;
}

/* With what becomes of its fragments. */
static void
set_flow(struct route_build *b, const struct ofp_flow *flow,
         const struct ofp_bucket *bucket)
{
    route_set_flow(b, flow, RULE_FLOW_REPLY, bucket, bucket != NULL);
    route_set_fragments(b, flow, bucket, bucket != NULL);
}

static void
set_replies(struct route_build *b, const struct route_reply *r,
            const struct ofp_bucket *bucket, int proto)
{
    struct ofp_flow flow = flow_of(PRIO_REPLY, r->source.vlan, proto);
    struct ofp_bucket back = *bucket;
    flow.match.ip_dst = (struct ip_prefix){r->source.ip, 128};
    flow.output = OFP_OUT_GROUP;
    set_flow(b, &flow, bucket);
    flow.priority = PRIO_REPLY_BACK;
    flow.match.fields |= OFP_MATCH_IN_PORT;
    flow.match.in_port = bucket->out_port;
    back.out_port = OFP_PORT_IN_PORT;
    set_flow(b, &flow, &back);
}

static void
set_entry(struct route_build *b, const struct ofp_flow *answer)
{
    struct ofp_flow flow = *answer;
    memset(&flow.rewrite, 0, sizeof flow.rewrite);
    flow.table = TABLE_PUNT;
    flow.priority = PRIO_ENTRY;
    flow.goto_table = TABLE_ROUTE;
    if (b->sw->ctl->fabric) {
        flow.match.fields |= OFP_MATCH_METADATA;
        flow.match.metadata = FROM_EDGE;
    }
    route_set_flow(b, &flow, RULE_FLOW_ENTRY, NULL, 0);
    flow.priority = PRIO_ENTRY_FRAGMENTS;
    flow.match.fields |= OFP_MATCH_FRAG;
    flow.goto_table = TABLE_FRAGMENTS;
    route_set_flow(b, &flow, RULE_FLOW_ENTRY, NULL, 0);
}

static void
set_answers(struct route_build *b, const struct route_reply *r, uint32_t port,
            int proto)
{
    struct ofp_flow flow = flow_of(PRIO_ANSWER, r->device.vlan, proto);
    flow.match.fields |= OFP_MATCH_IN_PORT | OFP_MATCH_IP_SRC;
    flow.match.in_port = port;
    flow.match.ip_src = (struct ip_prefix){r->device.ip, 128};
    flow.match.ip_dst = b->route->set.answers;
    flow.rewrite.set = OFP_SET_IP_SRC;
    flow.rewrite.ip_src = r->source.ip;
    flow.goto_table = TABLE_L2;
    set_flow(b, &flow, NULL);
    set_entry(b, &flow);
}

/* Where the device is.  False if it is nowhere, or its replies are not ours to
 * give; then the part says so. */
static bool
find_device(struct route_build *b, const struct route_reply *r,
            struct neighbour_view *device)
{
    struct neighbours *n = b->sw->neighbours;
    struct neighbour_view owner;
    struct port_id port;
    char text[IP_ADDR_STRLEN], mac[MAC_ADDR_STRLEN];
    if (neighbours_get(n, &r->source, &owner)
        && owner.state == NEIGHBOUR_KNOWN) {
        route_wait_for(b->part,
                       "replies to %s are not the device's: in vlan %u that "
                       "is the address of host %s",
                       ip_addr_format(&r->source.ip, text),
                       (unsigned int) r->source.vlan,
                       mac_addr_format(&owner.mac, mac));
        return false;
    }
    if (neighbours_get(n, &r->device, device)
        && device->state == NEIGHBOUR_KNOWN) {
        return true;
    }
    if (b->sw->ctl->fabric
        && unicast_find_anywhere(b->sw->ctl, &r->device, &port)) {
        return false; /* Another switch has it, and its replies. */
    }
    route_wait_for(
        b->part, "no replies: %s does not answer ARP in vlan %u%s%s",
        ip_addr_format(&r->device.ip, text), (unsigned int) r->device.vlan,
        r->device.at.port_no ? " behind port " : "",
        r->device.at.port_no ? switch_port_name(b->sw->ctl, &r->device.at)
                             : "");
    return false;
}

/* The copy for the device.  False if its port is not in its vlan. */
static bool
make_bucket(struct route_build *b, const struct route_reply *r,
            const struct neighbour_view *device, struct ofp_bucket *bucket)
{
    const struct route_set set = {.has_vlan = true,
                                  .vlan = (uint16_t) r->device.vlan};
    char text[IP_ADDR_STRLEN];
    bool pop = false;
    *bucket = (struct ofp_bucket){.out_port = 0};
    bucket->rewrite = route_rewrite(&set, (int) r->source.vlan, b->sw->dpid);
    bucket->rewrite.set |= OFP_SET_IP_DST | OFP_SET_ETH_DST;
    bucket->rewrite.ip_dst = r->device.ip;
    bucket->rewrite.eth_dst = device->mac;
    if (b->sw->ctl->fabric
        && !edge_carries(b->sw->ctl, &device->port, (uint16_t) r->device.vlan,
                         &pop)) {
        route_wait_for(b->part,
                       "no replies: %s answers at a port that is not in vlan "
                       "%u",
                       ip_addr_format(&r->device.ip, text),
                       (unsigned int) r->device.vlan);
        return false;
    }
    struct ofp_copy copy = {.port = port_id_no(&device->port),
                            .eth_dst = device->mac,
                            .pop_vlan = pop};
    copy_to_bucket(&copy, bucket);
    return true;
}

static void
compile_one(void *b_, const struct route_reply *r)
{
    struct route_build *b = b_;
    struct neighbour_view device;
    struct ofp_bucket bucket;
    int protos[MAX_PROTOS];
    if (!neighbours_get(b->sw->neighbours, &r->device, &device)) {
        b->sw->ctl->unicast_stale = true; /* Its port has come just now. */
        loop_want_turn(b->sw->ctl->loop);
    }
    if (!find_device(b, r, &device) || !make_bucket(b, r, &device, &bucket)) {
        return;
    }
    size_t n = list_protos(&b->route->match, protos);
    for (size_t i = 0; i < n; i++) {
        set_replies(b, r, &bucket, protos[i]);
        if (b->route->set.has_answers) {
            set_answers(b, r, bucket.out_port, protos[i]);
        }
    }
}

void
route_reply_compile(struct route_build *b)
{
    b->far = NULL;
    route_each_reply(b->sw, b->rule, compile_one, b);
}

bool
route_reply_find_flow(const struct ctl_switch *sw, const struct rule *rule,
                      const struct route_reply *r, const struct port_id *in,
                      struct ofp_entry_view *view, struct ofp_match *match)
{
    int protos[MAX_PROTOS];
    list_protos(&rule->route->match, protos);
    struct ofp_flow flow = flow_of(PRIO_REPLY, r->source.vlan, protos[0]);
    flow.match.ip_dst = (struct ip_prefix){r->source.ip, 128};
    *match = flow.match;
    match->fields |= OFP_MATCH_IN_PORT;
    match->in_port = port_id_no(in);
    if (in->dpid == sw->dpid
        && ofp_table_lookup(sw->table, TABLE_ROUTE, PRIO_REPLY_BACK, match,
                            view)) {
        return true;
    }
    *match = flow.match;
    return ofp_table_lookup(sw->table, TABLE_ROUTE, PRIO_REPLY, match, view);
}

/* A restart. */

struct restore_aux {
    struct ctl_switch *sw;
    const struct ofp_adopted *found;
};

static void
restore_one(void *aux_, const struct route_reply *r)
{
    struct restore_aux *aux = aux_;
    const struct ofp_match *m = &aux->found->match;
    for (size_t i = 0; i < aux->found->n_copies; i++) {
        const struct ofp_copy *copy = &aux->found->copies[i];
        const struct port_id id = {aux->sw->dpid, copy->port};
        if (ip_addr_equal(&m->ip_dst.addr, &r->source.ip)
            && m->vlan == r->source.vlan && copy->port != OFP_PORT_IN_PORT
            && copy->ip_dst == ip_addr_to_v4(&r->device.ip)
            && !mac_addr_is_zero(&copy->eth_dst)) {
            neighbours_restore(aux->sw->neighbours, &r->device, &copy->eth_dst,
                               &id, loop_now(aux->sw->ctl->loop));
        }
    }
}

void
route_reply_restore(struct ctl_switch *sw, const struct ofp_adopted *found)
{
    struct restore_aux aux = {sw, found};
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        if (rule->quiet_until) {
            route_each_reply(sw, rule, restore_one, &aux);
        }
    }
}

/* Conflicts. */

static struct ip_prefix
sources_of(const struct route *route)
{
    return route->set.has_source_pool
               ? route->set.source_pool
               : (struct ip_prefix){route->set.source, 128};
}

static bool
may_meet(const struct ctl *ctl, const struct route *a, const struct route *b)
{
    const struct route_match *m = &a->match, *n = &b->match;
    return ctl->fabric || !m->has_dpid || !n->has_dpid || m->dpid == n->dpid;
}

/* As far as a route says where it is. */
static bool
same_place(const struct route_match *m, const struct route_match *n)
{
    return m->has_dpid == n->has_dpid && m->dpid == n->dpid
           && m->has_port == n->has_port
           && (!m->has_port || !strcmp(m->port, n->port));
}

/* A port has one address of a pool, whichever routes it is in. */
static bool
same_device(const struct route *a, const struct route *b)
{
    const struct ip_prefix s = sources_of(a), t = sources_of(b);
    bool pools = a->set.has_source_pool && b->set.has_source_pool;
    return ip_addr_equal(&a->match.source.addr, &b->match.source.addr)
           && device_vlan(a) == device_vlan(b)
           && (pools
                   ? !memcmp(&s, &t, sizeof s)
                   : same_place(&a->match, &b->match)
                         && a->set.has_source_pool == b->set.has_source_pool);
}

static bool
share_source(const struct ctl *ctl, const struct route *a,
             const struct route *b)
{
    const struct ip_prefix s = sources_of(a), t = sources_of(b);
    return b->set.reply_to && may_meet(ctl, a, b)
           && source_vlan(a) == source_vlan(b) && ip_prefix_overlaps(&s, &t);
}

/* Would the device's answers get two sources? */
static bool
share_answers(const struct ctl *ctl, const struct route *a,
              const struct route *b)
{
    const struct ip_prefix s = sources_of(a), t = sources_of(b);
    const struct route_match *m = &a->match, *n = &b->match;
    return a->set.has_answers && b->set.has_answers && may_meet(ctl, a, b)
           && ip_addr_equal(&m->source.addr, &n->source.addr)
           && device_vlan(a) == device_vlan(b)
           && (same_place(m, n) || !m->has_port || !n->has_port
               || a->set.has_source_pool || b->set.has_source_pool)
           && ip_prefix_overlaps(&a->set.answers, &b->set.answers)
           && memcmp(&s, &t, sizeof s);
}

bool
route_reply_refused(const struct ctl *ctl, const struct route *route,
                    char *why, size_t size)
{
    const struct rule *rule = ctl->rules[STORE_ROUTE];
    if (!route->set.reply_to) {
        return false;
    }
    for (; rule; rule = rule->hh.next) {
        if (rule->gone || !strcmp(rule->name, route->name)) {
            continue;
        }
        bool whose = share_source(ctl, route, rule->route)
                     && !same_device(route, rule->route);
        if (whose || share_answers(ctl, route, rule->route)) {
            snprintf(why, size,
                     whose ? "route \"%s\" brings replies to this source to "
                             "another device"
                           : "route \"%s\" gives answers of this device "
                             "another source",
                     rule->name);
            return true;
        }
    }
    return false;
}

void
routes_mark_replying(struct ctl *ctl, const struct route *route)
{
    struct rule *rule, *tmp;
    if (!route->set.reply_to) {
        return;
    }
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (rule->route && rule->route != route
            && share_source(ctl, route, rule->route)) {
            rule_mark(ctl, rule);
        }
    }
}
