/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* D6 to D9 and D15: groups' addresses, and streams as they come in. */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-match.h"
#include "lib/xalloc.h"

/* Groups that are in use: those with members, and those that are sent to. */
struct used_group {
    uint16_t vlan;
    struct ip_addr group;
    uint32_t low; /* What its MAC address has of it. */
};

/* IPv4: 23 bits behind 01:00:5e (RFC 1112 6.4). */
static int
compare_used(const void *a_, const void *b_)
{
    const struct used_group *a = a_, *b = b_;
    if (a->vlan != b->vlan) {
        return a->vlan < b->vlan ? -1 : 1;
    }
    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return ip_addr_compare(&a->group, &b->group);
}

static void
add_used(struct used_group *used, size_t *n, uint16_t vlan,
         const struct ip_addr *group)
{
    if (ip_addr_is_v4(group)) {
        used[(*n)++] =
            (struct used_group){vlan, *group, ip_addr_to_v4(group) & 0x7fffff};
    }
}

static void
check_reserved_mac(struct doctor_look *look, const struct used_group *g)
{
    struct doctor_report r = {.id = D6_SHARED_MAC, .severity = DOCTOR_WARNING};
    char group[IP_ADDR_STRLEN], mac[MAC_ADDR_STRLEN];
    if (g->low > 0xff) {
        return;
    }
    struct mac_addr address = mac_addr_of_group(&g->group);
    ip_addr_format(&g->group, group);
    DOCTOR_SAY(r.where, "vlan %u group %s", g->vlan, group);
    DOCTOR_SAY(r.text,
               "%s has the MAC address of a link-local group: many switches "
               "flood it to every port and never prune it",
               group);
    DOCTOR_SAY(r.evidence, "its address is %s, as that of 224.0.0.%u",
               mac_addr_format(&address, mac), g->low);
    DOCTOR_SAY(r.cure, "use a group whose last 23 bits are above 255, or "
                       "rewrite it by a route (set.group)");
    doctor_report(look, &r);
}

static void
check_overlap(struct doctor_look *look, const struct used_group *a,
              const struct used_group *b)
{
    struct doctor_report r = {.id = D6_SHARED_MAC, .severity = DOCTOR_WARNING};
    char first[IP_ADDR_STRLEN], second[IP_ADDR_STRLEN], mac[MAC_ADDR_STRLEN];
    if (a->vlan != b->vlan || a->low != b->low
        || ip_addr_equal(&a->group, &b->group)) {
        return;
    }
    struct mac_addr address = mac_addr_of_group(&a->group);
    ip_addr_format(&a->group, first);
    ip_addr_format(&b->group, second);
    DOCTOR_SAY(r.where, "vlan %u groups %s, %s", a->vlan, first, second);
    DOCTOR_SAY(r.text,
               "%s and %s share a MAC address: hosts' network cards and other "
               "switches cannot tell them apart",
               first, second);
    DOCTOR_SAY(r.evidence,
               "both are %s: 32 groups have the same last 23 bits (RFC 1112)",
               mac_addr_format(&address, mac));
    DOCTOR_SAY(r.cure, "move one of them to another group, or rewrite it by a "
                       "route (set.group)");
    doctor_report(look, &r);
}

void
doctor_check_groups(struct doctor_look *look)
{
    const struct doctor_facts *f = look->facts;
    struct used_group *used =
        xcalloc(f->n_groups + f->n_streams + 1, sizeof *used);
    size_t n = 0;
    for (size_t i = 0; i < f->n_groups; i++) {
        add_used(used, &n, f->groups[i].vlan, &f->groups[i].group);
    }
    for (size_t i = 0; i < f->n_streams; i++) {
        add_used(used, &n, f->streams[i].vlan, &f->streams[i].group);
    }
    qsort(used, n, sizeof *used, compare_used);
    for (size_t i = 0; i < n; i++) {
        check_reserved_mac(look, &used[i]);
        if (i) {
            check_overlap(look, &used[i - 1], &used[i]);
        }
    }
    free(used);
}

/* Streams. */

static void
format_stream(const struct view_stream *s, char text[DOCTOR_WHERE_SIZE])
{
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN];
    snprintf(text, DOCTOR_WHERE_SIZE, "vlan %u stream %s > %s", s->vlan,
             ip_addr_format(&s->source, source),
             ip_addr_format(&s->group, group));
}

/* The route that the stream meets, NULL if none. */
static const struct route *
route_of(const struct doctor_look *look, const struct view_stream *s)
{
    const struct rule *rule =
        *s->route ? rule_lookup(look->ctl, STORE_ROUTE, s->route) : NULL;
    return rule ? rule->route : NULL;
}

/* A router port in the stream's vlan other than where it comes from. */
static const struct view_router *
router_for(const struct doctor_facts *f, const struct view_stream *s)
{
    for (size_t i = 0; i < f->n_queriers; i++) {
        const struct view_querier *q = &f->queriers[i];
        if (q->vlan != s->vlan
            || ip_addr_is_v4(&s->group) != (q->family == 4)) {
            continue;
        }
        for (size_t j = 0; j < q->n_routers; j++) {
            if (!port_id_equal(&q->routers[j].port, &s->port)) {
                return &q->routers[j];
            }
        }
    }
    return NULL;
}

/* A target behind a router, which lowers the TTL; NULL if there is none that
 * gets it with TTL 1. */
static const struct route_target *
routed_target(const struct route *route, int ttl)
{
    for (size_t i = 0; route && i < route->n_targets; i++) {
        const struct route_target *t = &route->targets[i];
        if (t->kind == ROUTE_TO_HOST && !ip_addr_is_any(&t->via)
            && (t->set.has_ttl ? t->set.ttl : ttl) == 1) {
            return t;
        }
    }
    return NULL;
}

static void
report_ttl(struct doctor_look *look, const struct view_stream *s,
           const char *router, const char *sign)
{
    struct doctor_report r = {.id = D7_TTL, .severity = DOCTOR_WARNING};
    format_stream(s, r.where);
    DOCTOR_SAY(r.text,
               "its packets have TTL 1: the router %s will not pass "
               "them on",
               router);
    DOCTOR_SAY(r.evidence, "TTL of its first packet %u; %s", s->ttl, sign);
    DOCTOR_SAY(r.cure, "a route with \"set\": {\"ttl\": 16} for that stream, "
                       "or a higher TTL at the sender");
    doctor_report(look, &r);
}

static void
check_ttl(struct doctor_look *look, const struct view_stream *s)
{
    const struct route *route = route_of(look, s);
    const struct view_router *router = router_for(look->facts, s);
    int ttl = route && route->set.has_ttl ? route->set.ttl : s->ttl;
    const struct route_target *target = routed_target(route, ttl);
    char port[DOCTOR_PORT_SIZE], name[DOCTOR_PORT_SIZE + 8], sign[96],
        via[IP_ADDR_STRLEN];
    if (ttl == 1 && router) {
        doctor_format_port(look->ctl, &router->port, port);
        snprintf(name, sizeof name, "behind %s", port);
        snprintf(sign, sizeof sign, "that is a router port (%s)",
                 router->sign);
        report_ttl(look, s, name, sign);
    } else if (target) {
        ip_addr_format(&target->via, via);
        snprintf(sign, sizeof sign, "route %s sends it by way of %s", s->route,
                 via);
        report_ttl(look, s, via, sign);
    }
}

static bool
sets_source(const struct route *route)
{
    return route && (route->set.has_source || route->set.has_source_pool);
}

static void
check_source(struct doctor_look *look, const struct view_stream *s)
{
    struct doctor_report r = {.id = D8_FOREIGN_SOURCE,
                              .severity = DOCTOR_WARNING};
    const struct doctor_subnet *subnet =
        doctor_subnet_of(look->facts, s->vlan);
    const struct doctor_group *members =
        doctor_group_in(look->facts, s->vlan, &s->group);
    char source[IP_ADDR_STRLEN], prefix[IP_PREFIX_STRLEN],
        host[IP_ADDR_STRLEN];
    if (!members || !subnet || !ip_addr_is_v4(&s->source)
        || doctor_is_inside(subnet, &s->source)
        || sets_source(route_of(look, s))) {
        return;
    }
    format_stream(s, r.where);
    ip_addr_format(&s->source, source);
    DOCTOR_SAY(r.text,
               "%s is in none of the hosts' subnets: those with reverse path "
               "checks (rp_filter) drop it without a word",
               source);
    DOCTOR_SAY(r.evidence,
               "the hosts of vlan %u are in %s, such as %s; no route sets "
               "another source",
               s->vlan, ip_prefix_format(&subnet->prefix, prefix),
               ip_addr_format(&subnet->example, host));
    DOCTOR_SAY(
        r.cure,
        "a route with \"match\": {\"source\": \"%s\", ...} and \"set\": "
        "{\"source\": a free address of %s}",
        source, prefix);
    doctor_report(look, &r);
}

/* Does anybody get it: members where it ends, or a route's ports? */
static bool
has_receivers(const struct view_stream *s)
{
    return s->n_receivers || *s->route;
}

static void
check_other_vlan(struct doctor_look *look, const struct view_stream *s)
{
    struct doctor_report r = {.id = D9_NO_COUNTERPART,
                              .severity = DOCTOR_WARNING};
    char group[IP_ADDR_STRLEN], port[DOCTOR_PORT_SIZE];
    size_t n;
    const struct doctor_group *g =
        doctor_groups_of(look->facts, &s->group, &n);
    if (has_receivers(s)) {
        return;
    }
    format_stream(s, r.where);
    ip_addr_format(&s->group, group);
    doctor_format_port(look->ctl, &s->port, port);
    DOCTOR_SAY(r.evidence, "it comes in at %s", port);
    if (n) {
        DOCTOR_SAY(r.text,
                   "it is in vlan %u, those who joined %s are in vlan %u",
                   s->vlan, group, g->vlan);
        DOCTOR_SAY(r.cure,
                   "put both in one vlan (access_vlan of a port), or take it "
                   "over by a route with \"set\": {\"vlan\": %u}",
                   g->vlan);
    } else {
        r.severity = DOCTOR_NOTE;
        DOCTOR_SAY(r.text, "nobody has joined %s", group);
        DOCTOR_SAY(r.cure, "none is needed, unless somebody waits for it: "
                           "then see what he has joined, and in which vlan "
                           "(ofmcastctl show hosts)");
    }
    doctor_report(look, &r);
}

/* What becomes of it: what a route makes of it, or it itself. */
static struct channel
result_of(const struct doctor_look *look, const struct view_stream *s)
{
    struct channel in = {
        .group = s->group, .source = s->source, .vlan = s->vlan};
    const struct rule *rule =
        *s->route ? rule_lookup(look->ctl, STORE_ROUTE, s->route) : NULL;
    return rule ? route_result_at(rule, s->port.dpid, s->port_name, &in) : in;
}

/* Two routes with ports of their own to copy to were made to tell the two
 * apart. */
static bool
are_told_apart(const struct doctor_look *look, const struct view_stream *a,
               const struct view_stream *b)
{
    struct channel x = result_of(look, a), y = result_of(look, b);
    const struct route *p = route_of(look, a), *q = route_of(look, b);
    return !ip_addr_equal(&x.source, &y.source)
           || !ip_addr_equal(&x.group, &y.group) || x.vlan != y.vlan
           || (p != q
               && ((p && !route_is_plain(p)) || (q && !route_is_plain(q))));
}

/* Same group, vlan and source, in two places. */
static void
check_twin(struct doctor_look *look, const struct view_stream *a,
           const struct view_stream *b)
{
    struct doctor_report r = {.id = D15_DUPLICATE_SOURCE,
                              .severity = DOCTOR_WARNING};
    char first[DOCTOR_PORT_SIZE], second[DOCTOR_PORT_SIZE];
    if (a->vlan != b->vlan || !ip_addr_equal(&a->group, &b->group)
        || !ip_addr_equal(&a->source, &b->source)
        || (a->port.dpid != b->port.dpid && !look->ctl->fabric)
        || are_told_apart(look, a, b)) {
        return;
    }
    format_stream(a, r.where);
    doctor_format_port(look->ctl, &a->port, first);
    doctor_format_port(look->ctl, &b->port, second);
    DOCTOR_SAY(r.text, "two ports send with the same source and group: "
                       "receivers get both mixed, or all twice");
    DOCTOR_SAY(r.evidence, "%s (%.0f packets/s) and %s (%.0f packets/s)",
               first, a->packets_per_s, second, b->packets_per_s);
    DOCTOR_SAY(r.cure,
               "a route for each port (\"match\": {\"dpid\", \"port\", "
               "...}) that sets another source or group, or "
               "\"source_pool\"");
    doctor_report(look, &r);
}

/* Members that nobody sends to. */
static void
check_member(struct doctor_look *look, const struct doctor_group *g)
{
    struct doctor_report r = {
        .id = D9_NO_COUNTERPART, .severity = DOCTOR_NOTE, .hold_ms = 3000};
    char group[IP_ADDR_STRLEN], port[DOCTOR_PORT_SIZE];
    size_t n;
    doctor_streams_of(look->facts, g->vlan, &g->group, &n);
    const struct channel_state *c;
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        c = channel_lookup(sw, g->vlan, &g->group);
        n += c && c->n_registered; /* A route leads to it. */
    }
    if (n) {
        return;
    }
    doctor_format_port(look->ctl, &g->first.port, port);
    ip_addr_format(&g->group, group);
    DOCTOR_SAY(r.where, "vlan %u group %s", g->vlan, group);
    DOCTOR_SAY(r.text, "it has members, and nobody sends to it");
    DOCTOR_SAY(r.evidence, "%zu ports have members, such as %s", g->n_ports,
               port);
    DOCTOR_SAY(r.cure, "none is needed, unless it should run: see which "
                       "streams there are (ofmcastctl show streams)");
    doctor_report(look, &r);
}

void
doctor_check_streams(struct doctor_look *look)
{
    const struct doctor_facts *f = look->facts;
    for (size_t i = 0; i < f->n_streams; i++) {
        const struct view_stream *s = &f->streams[i];
        check_ttl(look, s);
        check_source(look, s);
        check_other_vlan(look, s);
        if (i) {
            check_twin(look, s - 1, s);
        }
    }
    for (size_t i = 0; i < f->n_groups; i++) {
        check_member(look, &f->groups[i]);
    }
}
