/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes: from intent to flows in TABLE_ROUTE.
 *
 * The usual route rewrites and leaves the copying to the channel that it leads
 * to:  match -> rewrite, goto TABLE_MCAST.  One that names ports, or rewrites
 * differently for different targets, has a group of its own:
 *
 *      match -> rewrite -> group { members..., ports... }
 *
 * Who the members are depends on the vlan, the group and (with source filters)
 * the source that come out of the rewriting.  Where the match leaves one of
 * these open, the route is compiled once for each value that makes a
 * difference: narrower matches, a little higher in priority (a "level" each),
 * but below every route that is narrower by itself: see route-match.h. */

#include "controller/route-build.h"

#include <stdlib.h>
#include <string.h>

#include "controller/pools.h"
#include "controller/route-far.h"
#include "controller/route-fragments.h"
#include "controller/route-learn.h"
#include "controller/route-match.h"
#include "controller/route-outputs.h"
#include "controller/route-ports.h"
#include "controller/route-reply.h"
#include "controller/route-rewrite.h"
#include "controller/route-wrong.h"
#include "lib/xalloc.h"

/* Parts. */

struct rule_part *
rule_part_lookup(const struct rule *rule, uint64_t dpid)
{
    struct rule_part *part;
    HASH_FIND(hh, rule->parts, &dpid, sizeof dpid, part);
    return part;
}

struct rule_part *
rule_part_get(struct rule *rule, uint64_t dpid)
{
    const struct route_match *m = &rule->route->match;
    struct rule_part *part = rule_part_lookup(rule, dpid);
    if (!part && (!m->has_dpid || m->dpid == dpid || rule->fars)) {
        part = xcalloc(1, sizeof *part);
        part->dpid = dpid;
        HASH_ADD(hh, rule->parts, dpid, sizeof part->dpid, part);
    }
    return part;
}

void
rule_part_destroy(struct rule *rule, struct rule_part *part)
{
    HASH_DELETE(hh, rule->parts, part);
    free(part->flows);
    free(part->ports);
    free(part->channels);
    free(part->feeds);
    free(part->fars);
    free(part->sources.list);
    route_outputs_free(part);
    free(part->waiting);
    free(part->rejected);
    free(part->fragments_reason);
    free(part);
}

void
route_set_flow(struct route_build *b, const struct ofp_flow *flow,
               enum rule_flow_kind kind, const struct ofp_bucket *buckets,
               size_t n)
{
    struct rule_part *part = b->part;
    char error[OFP_ERROR_SIZE];
    if (switch_set_entry(b->sw, flow, buckets, n, b->rule->owner, error)) {
        free(part->rejected);
        part->rejected = xstrdup(error);
    }
    part->flows = xgrow(part->flows, part->n_flows, &part->allocated_flows,
                        sizeof *part->flows);
    part->flows[part->n_flows++] = (struct rule_flow){
        .kind = kind, .priority = flow->priority, .match = flow->match};
}

/* One flow for packets known to be of channel 'in'; vlan -1 is any. */
static void
emit(struct route_build *b, struct ofp_match match, unsigned int level,
     const struct channel *in, int vlan)
{
    const struct route *route = b->route;
    struct ofp_flow flow = {.table = TABLE_ROUTE,
                            .priority = (uint16_t) (b->priority + level),
                            .match = match,
                            .cookie =
                                cookie_make(COOKIE_ROUTE, b->rule->cookie_id),
                            .tell_removed = true};
    if (route_is_learning(b->rule, b->part, &match)) {
        flow.punt = true;
        flow.punt_meter = METER_SOURCES;
    }
    flow.rewrite = route_rewrite(&route->set, vlan, b->sw->dpid);

    struct bucket_list list = {0};
    b->far = route_far_of_vlan(b->rule, vlan);
    if (b->far) {
        route_far_feed(b);
    }
    if (route_is_plain(route)) {
        flow.goto_table = b->sw->ctl->fabric ? TABLE_SOURCE : TABLE_MCAST;
    } else if (route->n_targets) {
        flow.output = OFP_OUT_GROUP;
        route_add_targets(b, in, route->set.has_vlan ? route->set.vlan : vlan,
                          &list);
    }
    route_outputs_add(b, &flow, in, &list);
    route_set_flow(b, &flow, RULE_FLOW_ROUTE, list.buckets, list.n);
    route_set_fragments(b, &flow, list.buckets, list.n);
    free(list.buckets);
}

/* Where MLD is off nobody is known to be a member.  A route of any vlan is
 * about the others. */
static void
check_mld(struct route_build *b, const struct channel *out)
{
    const struct ctl *ctl = b->sw->ctl;
    const struct ctl_vlan *v = vlan_lookup(ctl, out->vlan);
    if (v && !v->config->mld && !ip_addr_is_v4(&b->route->match.group.addr)
        && (b->route->match.has_vlan || HASH_COUNT(ctl->vlans) == 1)) {
        route_wait_for(
            b->part,
            "MLD is off in vlan %u: of members only static ones are "
            "known there",
            out->vlan);
    }
}

/* The channel is compiled, with or without members, as long as the route leads
 * there. */
static void
lead_to(struct route_build *b, const struct channel *in)
{
    struct rule_part *part = b->part;
    struct channel out = route_result(b->route, in);
    check_mld(b, &out);
    if (ip_addr_is_any(&out.group)) {
        return;
    }
    part->channels = xgrow(part->channels, part->n_channels,
                           &part->allocated_channels, sizeof *part->channels);
    struct channel_key *key = &part->channels[part->n_channels++];
    *key = (struct channel_key){.group = out.group, .vlan = out.vlan};
    channel_register(b->sw, key);
}

/* Groups or sources that flows are narrowed to. */
struct addresses {
    struct ip_addr *list;
    size_t n, allocated;
};

static void
add_address(struct addresses *a, const struct ip_addr *address)
{
    a->list = xgrow(a->list, a->n, &a->allocated, sizeof *a->list);
    a->list[a->n++] = *address;
}

static int
compare_addresses(const void *a, const void *b)
{
    return ip_addr_compare(a, b);
}

/* Several targets may bring the same ones. */
static void
sort_addresses(struct addresses *a)
{
    size_t n = 0;
    if (a->n > 1) {
        qsort(a->list, a->n, sizeof *a->list, compare_addresses);
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!n || !ip_addr_equal(&a->list[n - 1], &a->list[i])) {
            a->list[n++] = a->list[i];
        }
    }
    a->n = n;
}

static void
add_filtered_sources(const struct route_build *b,
                     const struct route_target *target,
                     const struct channel *out, struct addresses *found)
{
    const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out->vlan);
    if (!v || !ip_addr_is_any(&out->source)) {
        return;
    }
    size_t n = igmp_snoop_filtered_sources(vlan_snoop_of(v, &out->group),
                                           &out->group, NULL, 0);
    struct ip_addr *sources = xcalloc(n + 1, sizeof *sources);
    n = igmp_snoop_filtered_sources(vlan_snoop_of(v, &out->group), &out->group,
                                    sources, n);
    for (size_t i = 0; i < n; i++) {
        struct ip_addr in;
        if (route_source_origin(b->route, target, &sources[i], &in)) {
            add_address(found, &in);
        }
    }
    free(sources);
}

/* What differs by source: filters of members that name one. */
static void
each_source(struct route_build *b, const struct ofp_match *match,
            unsigned int level, const struct channel *in)
{
    struct addresses sources = {NULL, 0, 0};
    emit(b, *match, level, in, in->vlan);
    for (size_t i = 0; i < b->route->n_targets; i++) {
        const struct route_target *target = &b->route->targets[i];
        struct channel out = route_target_channel(b->route, target, in);
        if (route_target_follows(target)) {
            check_mld(b, &out);
            add_filtered_sources(b, target, &out, &sources);
        }
    }
    sort_addresses(&sources);
    for (size_t i = 0; i < sources.n; i++) {
        struct ofp_match narrow = *match;
        struct channel one = *in;
        one.source = sources.list[i];
        narrow.fields |= OFP_MATCH_IP_SRC;
        narrow.ip_src = (struct ip_prefix){one.source, 128};
        emit(b, narrow, level + ROUTE_LEVEL_SOURCE, &one, one.vlan);
    }
    free(sources.list);
}

struct group_aux {
    const struct route_build *b;
    const struct route_target *target;
    uint16_t vlan; /* Of the members. */
    struct addresses *found;
};

static bool
one_group(void *aux_, const struct ip_addr *group)
{
    struct group_aux *aux = aux_;
    struct ip_addr in;
    if (route_group_origin(aux->b->route, aux->target, group, &in)
        && channel_has_members(aux->b->sw, aux->vlan, group)) {
        add_address(aux->found, &in);
    }
    return true;
}

/* What differs by group: a prefix whose members are looked up by group. */
static void
each_group(struct route_build *b, const struct ofp_match *match,
           const struct channel *in)
{
    struct addresses groups = {NULL, 0, 0};
    each_source(b, match, ROUTE_LEVEL_MATCH, in);
    for (size_t i = 0; i < b->route->n_targets; i++) {
        const struct route_target *target = &b->route->targets[i];
        struct channel out = route_target_channel(b->route, target, in);
        if (route_target_follows(target) && ip_addr_is_any(&out.group)) {
            struct group_aux aux = {b, target, out.vlan, &groups};
            const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out.vlan);
            if (v) {
                igmp_snoop_each_group(
                    vlan_snoop_of(v, &b->route->match.group.addr), one_group,
                    &aux);
            }
        }
    }
    sort_addresses(&groups);
    for (size_t i = 0; i < groups.n; i++) {
        struct ofp_match narrow = *match;
        struct channel one = *in;
        one.group = groups.list[i];
        narrow.ip_dst = (struct ip_prefix){one.group, 128};
        each_source(b, &narrow, ROUTE_LEVEL_GROUP, &one);
    }
    free(groups.list);
}

/* What differs by vlan. */
static void
each_vlan(struct route_build *b, struct ofp_match match, struct channel in)
{
    const struct route_match *m = &b->route->match;
    bool plain = route_is_plain(b->route);
    bool follows = route_follows_members(b->route);
    if (!follows) {
        emit(b, match, ROUTE_LEVEL_MATCH, &in, m->has_vlan ? m->vlan : -1);
    }
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, b->sw->ctl->vlans, v, tmp) {
        if (m->has_vlan && v->vlan != m->vlan) {
            continue;
        }
        in.vlan = v->vlan;
        if (plain && !b->led) {
            lead_to(b, &in);
        } else if (follows) {
            match.fields |= OFP_MATCH_VLAN;
            match.vlan = v->vlan;
            each_group(b, &match, &in);
        }
    }
}

/* What comes in by one port, 0: by any. */
static void
compile_port(struct route_build *b, uint32_t in_port)
{
    const struct route *route = b->route;
    struct channel in = {0};
    b->in_port = in_port;
    if (ip_prefix_is_host(&route->match.group)) {
        in.group = route->match.group.addr;
    }
    if (route->match.has_source && ip_prefix_is_host(&route->match.source)) {
        in.source = route->match.source.addr;
    }
    each_vlan(b, route_match(route, in_port), in);
    b->led = true; /* Other ports lead to the same. */
}

/* A stream that comes in by such a port has a source of its own: as if the
 * route set that one. */
static void
compile_pooled(struct route_build *b, const struct topo_port *port)
{
    struct route_part_sources *sources = &b->part->sources;
    struct view_source *s;
    sources->list = xgrow(sources->list, sources->n, &sources->allocated,
                          sizeof *sources->list);
    s = &sources->list[sources->n];
    memcpy(s->port, port->name, sizeof s->port);
    if (!pool_get(b->sw->ctl, &b->route->set.source_pool, b->sw->dpid, port,
                  &s->source)) {
        route_wait_for(b->part,
                       "port %s of switch " DPID_FMT
                       " has no source: the pool is exhausted, or "
                       "cannot be stored",
                       port->name, b->sw->dpid);
        return;
    }
    sources->n++;

    const struct route *route = b->route;
    struct route one = *route;
    one.set.has_source = true;
    one.set.source = s->source;
    b->route = &one;
    b->in_port = port->no;
    compile_port(b, port->no);
    b->route = route;
}

/* A link to another switch brings what has met a route there. */
static bool
is_edge(const struct ctl_switch *sw, const struct topo_port *port)
{
    struct port_id id = {sw->dpid, port->no};
    return fabric_role(sw->ctl, &id) == TOPO_ROLE_EDGE;
}

static void
compile_ports(struct route_build *b, const char *name)
{
    const struct ctl *ctl = b->sw->ctl;
    bool pooled = b->route->set.has_source_pool;
    const struct topo_port *port;
    size_t n = 0;
    for (size_t at = 0;
         (port = route_next_port(ctl->topo, b->sw->dpid, name, &at));) {
        if (!pooled) {
            b->in_port = port->no;
            compile_port(b, port->no);
        } else if (is_edge(b->sw, port)) {
            compile_pooled(b, port);
        }
        n++;
    }
    if (!n) {
        route_wait_for_port(b->part, b->sw->dpid, name);
    }
}

static void
reserve_sources(const struct route_build *b, const char *name)
{
    struct ctl *ctl = b->sw->ctl;
    const struct ip_prefix *pool = &b->route->set.source_pool;
    const struct topo_port *port;
    for (size_t at = 0;
         (port = route_next_port(ctl->topo, b->sw->dpid, name, &at));) {
        if (is_edge(b->sw, port)) {
            pool_reserve(ctl, pool, b->sw->dpid, port);
        }
    }
    pool_keep(ctl, pool);
}

static void
compile_on(struct ctl_switch *sw, struct rule *rule, struct rule_part *part)
{
    const struct route *route = rule->route;
    struct route_build b = {.sw = sw,
                            .rule = rule,
                            .part = part,
                            .route = route,
                            .priority = route_priority(route)};
    const char *name = route->match.has_port ? route->match.port : "*";
    const struct rule *named = route_find_named(sw->ctl, route);
    if (named) {
        route_wait_for(part,
                       "port %s is that of route %s, which matches the same "
                       "packets",
                       name, named->name);
        return;
    }
    if (route->match.has_vlan) {
        vlan_get(sw->ctl, route->match.vlan);
    }
    if (route->set.has_source_pool) {
        reserve_sources(&b, name);
        compile_ports(&b, name);
    } else if (route->match.has_port) {
        compile_ports(&b, name);
    } else {
        compile_port(&b, 0);
    }
    route_reply_compile(&b);
}

/* Replacing what a rule has by what it shall have. */

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_prefixes(const struct ip_prefix *a, const struct ip_prefix *b)
{
    int d = ip_addr_compare(&a->addr, &b->addr);
    return d ? d : compare_numbers(a->len, b->len);
}

static int
compare_flows(const void *a_, const void *b_)
{
    const struct rule_flow *a = a_, *b = b_;
    const struct ofp_match *m = &a->match, *n = &b->match;
    int order[] = {
        compare_numbers(rule_flow_table(a->kind), rule_flow_table(b->kind)),
        compare_numbers(a->priority, b->priority),
        compare_numbers(m->fields, n->fields),
        compare_prefixes(&m->ip_dst, &n->ip_dst),
        compare_prefixes(&m->ip_src, &n->ip_src),
        mac_addr_compare(&m->eth_dst, &n->eth_dst),
        compare_numbers(m->vlan, n->vlan),
        compare_numbers(m->in_port, n->in_port),
        compare_numbers(m->ip_proto, n->ip_proto),
        compare_numbers(m->udp_dst, n->udp_dst),
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (order[i]) {
            return order[i];
        }
    }
    return 0;
}

static void
unset_flow(struct ctl_switch *sw, const struct rule *rule,
           const struct rule_flow *flow)
{
    struct ofp_entry_view view;
    uint8_t table = rule_flow_table(flow->kind);
    if (ofp_table_lookup(sw->table, table, flow->priority, &flow->match, &view)
        && view.owner == rule->owner) {
        ofp_table_unset(sw->table, table, flow->priority, &flow->match);
    }
}

/* Takes off what the old part has and the new one has not.  Both are
 * sorted. */
static void
unset_missing(struct ctl_switch *sw, const struct rule *rule,
              const struct rule_part *old, const struct rule_part *new)
{
    size_t j = 0;
    for (size_t i = 0; i < old->n_flows; i++) {
        while (j < new->n_flows
               && compare_flows(&new->flows[j], &old->flows[i]) < 0) {
            j++;
        }
        if (j == new->n_flows
            || compare_flows(&new->flows[j], &old->flows[i])) {
            unset_flow(sw, rule, &old->flows[i]);
        }
    }
}

static void
replace(struct ctl_switch *sw, struct rule *rule, struct rule_part *part,
        bool enters, bool leaves)
{
    struct rule_part old = *part;
    part->flows = NULL;
    part->channels = NULL;
    part->n_flows = part->allocated_flows = 0;
    part->n_channels = part->allocated_channels = 0;
    part->feeds = NULL;
    part->n_feeds = part->allocated_feeds = 0;
    part->fars = NULL;
    part->n_fars = part->allocated_fars = 0;
    part->waiting = part->rejected = part->fragments_reason = NULL;
    part->fragments_dropped = false;
    part->outputs = NULL;
    part->n_outputs = part->allocated_outputs = 0;
    part->sources = (struct route_part_sources){.n = 0};

    if (enters) {
        compile_on(sw, rule, part);
    }
    if (leaves) {
        route_far_compile(sw, rule, part);
    }
    if (part->n_flows > 1) {
        qsort(part->flows, part->n_flows, sizeof *part->flows, compare_flows);
    }
    /* New ones were registered before the old ones go, so that a channel that
     * stays is not taken off and put back. */
    unset_missing(sw, rule, &old, part);
    route_outputs_finish(sw, rule, part, &old);
    for (size_t i = 0; i < old.n_channels; i++) {
        channel_unregister(sw, &old.channels[i]);
    }
    for (size_t i = 0; i < old.n_feeds; i++) {
        fabric_source(sw, old.feeds[i].vlan, &old.feeds[i].group, -1);
    }
    route_far_unfeed(sw, &old);
    free(old.flows);
    free(old.channels);
    free(old.feeds);
    free(old.fars);
    free(old.sources.list);
    free(old.waiting);
    free(old.rejected);
    free(old.fragments_reason);
    route_wrong_compile(sw, rule, part, !enters);
    switch_want_run(sw);
}

/* A part of a switch that does not concern the route any more goes. */
void
route_compile(struct ctl_switch *sw, struct rule *rule, struct rule_part *part)
{
    const struct route_match *m = &rule->route->match;
    bool enters = !m->has_dpid || m->dpid == sw->dpid;
    route_far_update(sw->ctl, rule);
    bool leaves = route_far_is_on(sw, rule);
    replace(sw, rule, part, enters, leaves);
    if (!enters && !leaves) {
        rule_part_destroy(rule, part);
    }
}

void
route_uncompile(struct ctl *ctl, struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        replace(switch_lookup(ctl, part->dpid), rule, part, false, false);
        rule_part_destroy(rule, part);
    }
}
