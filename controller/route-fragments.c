/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Fragments: all of a datagram go the same way, or none.
 *
 * They meet TABLE_FRAGMENTS before TABLE_ROUTE.  Each flow of a route has a
 * companion there, of the same priority and the same match but for UDP ports,
 * which no fragment but the first has; in IPv6 the protocol neither.  It sends
 * fragments on to TABLE_ROUTE (if the route's flow takes them: none of that in
 * its match), does itself what the route's flow does, or drops and counts
 * them. */

#include "controller/route-fragments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-far.h"
#include "controller/route-index.h"
#include "controller/route-match.h"
#include "controller/route-ports.h"
#include "controller/route-rewrite.h"
#include "lib/neutral.h"
#include "lib/xalloc.h"

enum {
    PRIO_FRAGMENTS = 81,    /* In TABLE_PUNT: above those of other packets. */
    PRIO_BEFORE_ALL = 65100 /* As in TABLE_ROUTE: see pipeline.c. */
};

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* Danger. */

/* What replacing the upper bits of an address adds to the checksum; the bits
 * that stay cancel out.  False if it is not known what was there. */
static bool
change_of(bool was_known, const struct ip_prefix *was,
          const struct ip_addr *to, unsigned int keep, uint16_t *sum)
{
    uint32_t mask = keep < 32 ? ~((UINT32_C(1) << keep) - 1) : 0;
    if (!was_known || was->len < 128 - keep) {
        return false;
    }
    *sum = neutral_subtract(neutral_sum(ip_addr_to_v4(to) & mask),
                            neutral_sum(ip_addr_to_v4(&was->addr) & mask));
    return true;
}

/* Whether the flow's rewriting and then 'copy' (NULL: nothing more) leave the
 * checksum alone. */
static bool
is_neutral(const struct ofp_flow *flow, const struct ofp_rewrite *copy)
{
    const struct ofp_match *m = &flow->match;
    const struct ofp_rewrite *src = &flow->rewrite, *dst = &flow->rewrite;
    uint16_t src_change = 0, dst_change = 0;
    if (copy && copy->set & OFP_SET_IP_SRC) {
        src = copy;
    }
    if (copy && copy->set & OFP_SET_IP_DST) {
        dst = copy;
    }
    if (src->set & OFP_SET_IP_SRC
        && !change_of(m->fields & OFP_MATCH_IP_SRC, &m->ip_src, &src->ip_src,
                      src->ip_src_keep, &src_change)) {
        return false;
    }
    if (dst->set & OFP_SET_IP_DST
        && !change_of(m->fields & OFP_MATCH_IP_DST, &m->ip_dst, &dst->ip_dst,
                      dst->ip_dst_keep, &dst_change)) {
        return false;
    }
    return !neutral_add(src_change, dst_change);
}

const char *
route_fragments_danger(const struct ofp_flow *flow,
                       const struct ofp_bucket *buckets, size_t n)
{
    const unsigned int addresses = OFP_SET_IP_SRC | OFP_SET_IP_DST;
    const struct ofp_match *m = &flow->match;
    /* In IPv6 it looks for the checksum in the first fragment alone. */
    if (m->eth_type == ETH_TYPE_IPV6) {
        return NULL;
    }
    bool proto = m->fields & OFP_MATCH_IP_PROTO;
    bool rewrites = flow->rewrite.set & addresses;
    bool neutral = n || is_neutral(flow, NULL);
    for (size_t i = 0; i < n; i++) {
        rewrites |= (buckets[i].rewrite.set & addresses) != 0;
        neutral &= is_neutral(flow, &buckets[i].rewrite);
    }
    if (!rewrites
        || (proto && m->ip_proto != PROTO_UDP && m->ip_proto != PROTO_TCP)) {
        return NULL;
    }
    /* A UDP checksum is never left as 0, so that it comes out as it was; one
     * of TCP may become 0 where it was 0xffff. */
    if (proto && m->ip_proto == PROTO_TCP) {
        return "its IPv4 addresses are rewritten";
    }
    return neutral ? NULL
                   : "its IPv4 addresses are rewritten, and not so that the "
                     "checksum stays the same: 'ofmcastctl route neutral' "
                     "finds a source that keeps it";
}

/* Of a route as it is written, before any switch compiles it. */
static struct ofp_flow
flow_of(const struct route *route)
{
    struct ofp_flow flow = {.match = route_match(route, 0),
                            .rewrite = route_rewrite(&route->set, -1, 0)};
    if (route->set.has_source_pool) {
        flow.rewrite.set |= OFP_SET_IP_SRC;
        flow.rewrite.ip_src = route->set.source_pool.addr;
    }
    return flow;
}

/* Where the stream enters; 'far': what is for another switch is done there. */
static const char *
danger_of(const struct route *route, const struct ofp_flow *flow, bool far)
{
    const struct route_match *m = &route->match;
    struct ofp_bucket *copies = xcalloc(route->n_targets + 1, sizeof *copies);
    size_t n = 0;
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *t = &route->targets[i];
        bool elsewhere =
            far && m->has_dpid && t->has_dpid && m->dpid != t->dpid;
        struct ofp_rewrite *rw = &copies[n++].rewrite;
        if (!elsewhere) {
            *rw = route_rewrite(&t->set, -1, 0);
        }
        if (t->kind == ROUTE_TO_HOST) {
            rw->set |= OFP_SET_IP_DST;
            rw->ip_dst = t->host;
        }
    }
    const char *danger = route_fragments_danger(flow, copies, n);
    free(copies);
    return danger;
}

static bool
is_netdev(const struct ctl *ctl, uint64_t dpid)
{
    return config_get_datapath(ctl->config, dpid) == CONFIG_DATAPATH_NETDEV;
}

/* A switch that the route concerns and that would do damage; of any that is
 * known, or, as long as none is, of those that may come ('*dpid' 0). */
static bool
find_netdev(const struct ctl *ctl, const struct route *route, uint64_t *dpid)
{
    *dpid = route->match.has_dpid ? route->match.dpid : 0;
    if (*dpid || !ctl->switches) {
        return is_netdev(ctl, *dpid);
    }
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (is_netdev(ctl, sw->dpid)) {
            *dpid = sw->dpid;
            return true;
        }
    }
    return false;
}

bool
route_fragments_refused(const struct ctl *ctl, const struct route *route,
                        char *why, size_t size)
{
    const struct ofp_flow flow = flow_of(route);
    bool far = route_is_far(ctl, route);
    char text[DPID_STRLEN];
    uint64_t dpid;
    if (route->fragments != ROUTE_FRAGMENTS_PASS || !route->n_targets
        || !((find_netdev(ctl, route, &dpid) && danger_of(route, &flow, far))
             || (far
                 && route_far_danger(ctl, route, route->match.dpid, &flow,
                                     &dpid)))) {
        return false;
    }
    snprintf(why, size,
             "a switch with \"datapath\": \"netdev\"%s%s damages fragments "
             "when it rewrites their IPv4 addresses: give \"set\" a source "
             "that keeps the checksum (ofmcastctl route neutral), or, if its "
             "datapath is the Linux kernel's, say \"datapath: kernel\" in the "
             "configuration's \"switches\"",
             dpid ? ", such as " : "", dpid ? dpid_format(dpid, text) : "");
    return true;
}

/* Ambiguity. */

static bool
ports_meet(const struct ctl *ctl, const struct route_match *a,
           const struct route_match *b)
{
    if (!a->has_port || !b->has_port || !strcmp(a->port, b->port)
        || route_port_is_glob(a->port) || route_port_is_glob(b->port)) {
        return true;
    }
    const struct topo_port *p = topo_find_port(ctl->topo, a->dpid, a->port);
    return p && p == topo_find_port(ctl->topo, b->dpid, b->port);
}

/* What later fragments do not show: UDP ports, and in IPv6 the protocol. */
static bool
shows_all(const struct route_match *m)
{
    return !m->has_udp_dst && (!m->has_proto || ip_addr_is_v4(&m->group.addr));
}

static bool
differ_by_port(const struct route_match *m, const struct route_match *n)
{
    return !shows_all(m) && !shows_all(n)
           && ((m->has_udp_dst && n->has_udp_dst && m->udp_dst != n->udp_dst)
               || m->proto != n->proto);
}

bool
route_fragments_meet(const struct ctl *ctl, const struct route *a,
                     const struct route *b)
{
    const struct route_match *m = &a->match, *n = &b->match;
    return differ_by_port(m, n)
           && (!m->has_dpid || !n->has_dpid || m->dpid == n->dpid)
           && (!m->has_vlan || !n->has_vlan || m->vlan == n->vlan)
           && ip_prefix_overlaps(&m->group, &n->group)
           && (!m->has_source || !n->has_source
               || ip_prefix_overlaps(&m->source, &n->source))
           && ports_meet(ctl, m, n);
}

/* Another route that fragments which come to this one may be of: one that is
 * narrower has had them before. */
static const struct rule *
rival(const struct ctl *ctl, const struct rule *rule)
{
    const struct route_match *m = &rule->route->match;
    if (shows_all(m)) {
        return NULL;
    }
    struct route_walk walk;
    const struct rule *other = route_index_first(ctl, &m->group, &walk);
    for (; other; other = route_index_next(&walk)) {
        if (other != rule && !other->gone
            && route_fragments_meet(ctl, rule->route, other->route)
            && route_priority(other->route) <= route_priority(rule->route)) {
            return other;
        }
    }
    return NULL;
}

void
routes_mark_rivals(struct ctl *ctl, const struct route *route)
{
    if (shows_all(&route->match)) {
        return;
    }
    struct route_walk walk;
    struct rule *rule = route_index_first(ctl, &route->match.group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        if (rule->route != route
            && route_fragments_meet(ctl, rule->route, route)) {
            rule_mark(ctl, rule);
        }
    }
}

/* The policy. */

/* Takes over 'reason'. */
static void
drop(struct rule_part *part, char *reason)
{
    free(part->fragments_reason);
    part->fragments_reason = reason;
    part->fragments_dropped = true;
}

/* Why it is damaged here, to be freed; NULL: it is not.  What the user says
 * of a switch that rewrites right is of its configuration; the "pass" of a
 * route that was accepted before does not make it one. */
static char *
damage(const struct route_build *b, const struct ofp_flow *flow,
       const struct ofp_bucket *buckets, size_t n)
{
    const char *danger = is_netdev(b->sw->ctl, b->sw->dpid)
                             ? route_fragments_danger(flow, buckets, n)
                             : NULL;
    uint64_t dpid;
    if (!danger && b->far) {
        danger =
            route_far_danger(b->sw->ctl, b->route, b->sw->dpid, flow, &dpid);
    }
    if (!danger) {
        return NULL;
    }
    return xasprintf(
        "%s%s", danger,
        b->route->fragments == ROUTE_FRAGMENTS_PASS
            ? ". \"fragments\": \"pass\" is for switches with \"datapath\": "
              "\"kernel\" in the configuration"
            : "");
}

/* Is it dropped?  Says why. */
static bool
is_dropped(struct route_build *b, const struct ofp_flow *flow,
           const struct ofp_bucket *buckets, size_t n)
{
    struct rule_part *part = b->part;
    const struct route *route = b->route;
    const struct rule *other = rival(b->sw->ctl, b->rule);
    char *reason = route->fragments == ROUTE_FRAGMENTS_DROP
                       ? xstrdup("the route says so")
                       : damage(b, flow, buckets, n);
    if (reason) {
        drop(part, reason);
    } else if (other) {
        drop(part, xasprintf("fragments have no UDP ports: they may as well "
                             "be route %s's",
                             other->name));
    } else {
        return false;
    }
    return true;
}

/* The fields that later fragments do not have.  In IPv6 all of these are of
 * protocol 44 for a switch, whatever is in them. */
static unsigned int
hidden(const struct ofp_flow *flow)
{
    return flow->match.eth_type == ETH_TYPE_IPV6
               ? OFP_MATCH_UDP_DST | OFP_MATCH_IP_PROTO
               : OFP_MATCH_UDP_DST;
}

void
route_set_fragments(struct route_build *b, const struct ofp_flow *flow,
                    const struct ofp_bucket *buckets, size_t n)
{
    struct ofp_flow companion = *flow;
    enum rule_flow_kind kind = RULE_FLOW_FRAGMENTS;
    companion.table = TABLE_FRAGMENTS;
    companion.match.fields &= ~hidden(flow);
    companion.match.udp_dst = 0;
    if (hidden(flow) & OFP_MATCH_IP_PROTO) {
        companion.match.ip_proto = 0;
    }
    if (is_dropped(b, flow, buckets, n)) {
        kind = RULE_FLOW_DROP;
    } else if (!(flow->match.fields & hidden(flow))) {
        kind = RULE_FLOW_PASS;
    }
    if (kind != RULE_FLOW_FRAGMENTS) {
        companion.punt = false;
        companion.punt_meter = 0;
        memset(&companion.rewrite, 0, sizeof companion.rewrite);
        companion.output = OFP_OUT_NONE;
        companion.goto_table = kind == RULE_FLOW_PASS ? TABLE_ROUTE : 0;
        n = 0;
    }
    route_set_flow(b, &companion, kind, buckets, n);
}

/* The table. */

struct ofp_flow
fragments_punt_flow(const struct ip_prefix *to)
{
    return (struct ofp_flow){
        .table = TABLE_PUNT,
        .priority = PRIO_FRAGMENTS,
        .match = {.fields =
                      OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST | OFP_MATCH_FRAG,
                  .eth_type =
                      ip_addr_is_v4(&to->addr) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6,
                  .ip_dst = *to},
        .cookie = cookie_make(COOKIE_PIPELINE, 0),
        .goto_table = TABLE_FRAGMENTS};
}

void
fragments_set(struct ctl_switch *sw)
{
    static const char *const groups[] = {"224.0.0.0/4", "ff00::/8"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        struct ip_prefix prefix;
        ip_prefix_parse(groups[i], &prefix);
        struct ofp_flow flow = fragments_punt_flow(&prefix);
        pipeline_set_flow(sw, &flow);
    }
    pipeline_set_miss(sw, TABLE_FRAGMENTS, TABLE_ROUTE);
    if (sw->ctl->fabric) {
        /* They have met the routes of the switch where they entered. */
        pipeline_set_transit(sw, TABLE_FRAGMENTS, FROM_LINK, TABLE_MCAST);
        pipeline_set_transit(sw, TABLE_FRAGMENTS, FROM_UNKNOWN, 0);
    }
}
