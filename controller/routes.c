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

#include "controller/ctl-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-match.h"
#include "controller/route-rewrite.h"
#include "lib/xalloc.h"

/* What a flow is narrowed to. */
enum { LEVEL_MATCH, LEVEL_GROUP, LEVEL_SOURCE };

struct build {
    struct ctl_switch *sw;
    struct rule *rule;
    struct rule_part *part;
    const struct route *route;
    uint32_t in_port;  /* 0 = any. */
    uint16_t priority; /* At level 0. */
};

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
    if (!part && (!m->has_dpid || m->dpid == dpid)) {
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
    free(part->channels);
    free(part->feeds);
    free(part->waiting);
    free(part->rejected);
    free(part);
}

static void wait_for(struct rule_part *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
wait_for(struct rule_part *part, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(part->waiting);
    part->waiting = xstrdup(text);
}

/* Buckets. */

struct bucket_list {
    struct ofp_bucket *buckets;
    size_t n, allocated;
};

static void
add_bucket(struct bucket_list *list, const struct ofp_copy *copy,
           const struct ofp_rewrite *rewrite)
{
    list->buckets =
        xgrow(list->buckets, list->n, &list->allocated, sizeof *list->buckets);
    struct ofp_bucket *bucket = &list->buckets[list->n++];
    *bucket = (struct ofp_bucket){.rewrite = *rewrite};
    copy_to_bucket(copy, bucket);
}

/* Does the port already get, for all behind it, what this copy would be for
 * one? */
static bool
is_double(const struct bucket_list *list, const struct ofp_copy *copy,
          const struct ofp_rewrite *rewrite)
{
    for (size_t i = 0; !mac_addr_is_zero(&copy->eth_dst) && i < list->n; i++) {
        if (list->buckets[i].out_port == copy->port
            && ofp_rewrite_equal(&list->buckets[i].rewrite, rewrite)) {
            return true;
        }
    }
    return false;
}

/* Equal rewrites side by side, so that the datapath does each once. */
static int
compare_buckets(const void *a_, const void *b_)
{
    const struct ofp_bucket *a = a_, *b = b_;
    int d = route_rewrite_compare(&a->rewrite, &b->rewrite);
    return d ? d : a->out_port < b->out_port ? -1 : a->out_port > b->out_port;
}

static void
sort_buckets(struct bucket_list *list)
{
    size_t n = 0;
    if (list->n > 1) {
        qsort(list->buckets, list->n, sizeof *list->buckets, compare_buckets);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!n || compare_buckets(&list->buckets[n - 1], &list->buckets[i])) {
            list->buckets[n++] = list->buckets[i];
        }
    }
    list->n = n;
}

/* What the route makes enters the channel's tree here: it need not wait for a
 * first packet to be found. */
static void
feed(struct build *b, const struct channel *out)
{
    struct rule_part *part = b->part;
    struct channel_key key = {.group = out->group, .vlan = out->vlan};
    for (size_t i = 0; i < part->n_feeds; i++) {
        if (!memcmp(&part->feeds[i], &key, sizeof key)) {
            return;
        }
    }
    part->feeds = xgrow(part->feeds, part->n_feeds, &part->allocated_feeds,
                        sizeof *part->feeds);
    part->feeds[part->n_feeds++] = key;
    fabric_source(b->sw, key.vlan, &key.group, 1);
}

static void
add_members(struct build *b, const struct route_target *target,
            const struct channel *in, const struct ofp_rewrite *rewrite,
            struct bucket_list *list)
{
    struct channel out = route_target_channel(b->route, target, in);
    if (ip_addr_is_any(&out.group)) {
        return; /* A prefix without a group of its own: see each_group(). */
    }
    feed(b, &out);
    struct ofp_copy *copies;
    size_t n = copies_of(b->sw, out.vlan, &out.source, &out.group, &copies);
    for (size_t i = 0; i < n; i++) {
        if (!is_double(list, &copies[i], rewrite)) {
            add_bucket(list, &copies[i], rewrite);
        }
    }
    free(copies);
}

static void
add_port(struct build *b, const struct route_target *target,
         const struct ofp_rewrite *rewrite, struct bucket_list *list)
{
    if (target->dpid != b->sw->dpid) {
        if (b->route->match.has_dpid) {
            wait_for(b->part,
                     "switch " DPID_FMT " of a target is not the one where "
                     "the stream enters: make it a static member of the "
                     "group instead",
                     target->dpid);
        }
        return;
    }
    const struct topo_port *port =
        topo_find_port(b->sw->ctl->topo, target->dpid, target->port);
    if (port) {
        add_bucket(list, &(struct ofp_copy){.port = port->no}, rewrite);
    } else {
        wait_for(b->part, "port %s of switch " DPID_FMT " does not exist",
                 target->port, target->dpid);
    }
}

static void
add_targets(struct build *b, const struct channel *in, int vlan,
            struct bucket_list *list)
{
    /* Ports first: members behind them need no copies of their own. */
    for (int members = 0; members < 2; members++) {
        for (size_t i = 0; i < b->route->n_targets; i++) {
            const struct route_target *target = &b->route->targets[i];
            struct ofp_rewrite rewrite =
                route_rewrite(&target->set, vlan, b->sw->dpid);
            if (target->kind == ROUTE_TO_PORT && !members) {
                add_port(b, target, &rewrite, list);
            } else if (target->kind == ROUTE_TO_MEMBERS && members) {
                add_members(b, target, in, &rewrite, list);
            }
        }
    }
    sort_buckets(list);
}

/* One flow for packets known to be of channel 'in'; vlan -1 is any. */
static void
emit(struct build *b, struct ofp_match match, unsigned int level,
     const struct channel *in, int vlan)
{
    const struct route *route = b->route;
    struct rule_part *part = b->part;
    struct ofp_flow flow = {.table = TABLE_ROUTE,
                            .priority = (uint16_t) (b->priority + level),
                            .match = match,
                            .cookie =
                                cookie_make(COOKIE_ROUTE, b->rule->cookie_id),
                            .tell_removed = true};
    if (b->rule->learning) {
        flow.punt = true;
        flow.punt_meter = METER_SOURCES;
    }
    flow.rewrite = route_rewrite(&route->set, vlan, b->sw->dpid);

    struct bucket_list list = {0};
    if (route_is_plain(route)) {
        flow.goto_table = b->sw->ctl->fabric ? TABLE_SOURCE : TABLE_MCAST;
    } else if (route->n_targets) {
        flow.output = OFP_OUT_GROUP;
        add_targets(b, in, route->set.has_vlan ? route->set.vlan : vlan,
                    &list);
    }
    char error[OFP_ERROR_SIZE];
    if (switch_set_entry(b->sw, &flow, list.buckets, list.n, b->rule->owner,
                         error)) {
        free(part->rejected);
        part->rejected = xstrdup(error);
    }
    free(list.buckets);

    part->flows = xgrow(part->flows, part->n_flows, &part->allocated_flows,
                        sizeof *part->flows);
    part->flows[part->n_flows++] =
        (struct rule_flow){.priority = flow.priority, .match = match};
}

/* The channel is compiled, with or without members, as long as the route leads
 * there. */
static void
lead_to(struct build *b, const struct channel *in)
{
    struct rule_part *part = b->part;
    struct channel out = route_result(b->route, in);
    if (ip_addr_is_any(&out.group)) {
        return;
    }
    part->channels = xgrow(part->channels, part->n_channels,
                           &part->allocated_channels, sizeof *part->channels);
    struct channel_key *key = &part->channels[part->n_channels++];
    *key = (struct channel_key){.group = out.group, .vlan = out.vlan};
    channel_register(b->sw, key);
}

/* The channel whose members 'target' gets, false if it is none of members. */
static bool
members_of(const struct build *b, const struct route_target *target,
           const struct channel *in, struct channel *out)
{
    *out = route_target_channel(b->route, target, in);
    return target->kind == ROUTE_TO_MEMBERS;
}

static void
each_filtered_source(struct build *b, struct ofp_match match,
                     struct channel in, const struct channel *out)
{
    const struct route_match *m = &b->route->match;
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
        if (!m->has_source || ip_prefix_contains(&m->source, &sources[i])) {
            match.fields |= OFP_MATCH_IP_SRC;
            match.ip_src = (struct ip_prefix){sources[i], 128};
            in.source = sources[i];
            emit(b, match, LEVEL_SOURCE, &in, in.vlan);
        }
    }
    free(sources);
}

/* What differs by source: filters of members that name one. */
static void
each_source(struct build *b, const struct ofp_match *match, unsigned int level,
            const struct channel *in)
{
    emit(b, *match, level, in, in->vlan);
    for (size_t i = 0; i < b->route->n_targets; i++) {
        struct channel out;
        if (members_of(b, &b->route->targets[i], in, &out)) {
            each_filtered_source(b, *match, *in, &out);
        }
    }
}

struct group_aux {
    struct build *b;
    const struct ofp_match *match;
    const struct channel *in;
    uint16_t vlan; /* Of the members. */
};

static bool
one_group(void *aux_, const struct ip_addr *group)
{
    struct group_aux *aux = aux_;
    if (ip_prefix_contains(&aux->b->route->match.group, group)
        && channel_has_members(aux->b->sw, aux->vlan, group)) {
        struct ofp_match match = *aux->match;
        match.ip_dst = (struct ip_prefix){*group, 128};
        struct channel in = *aux->in;
        in.group = *group;
        each_source(aux->b, &match, LEVEL_GROUP, &in);
    }
    return true;
}

/* What differs by group: a prefix whose members are looked up by group. */
static void
each_group(struct build *b, const struct ofp_match *match,
           const struct channel *in)
{
    each_source(b, match, LEVEL_MATCH, in);
    for (size_t i = 0; i < b->route->n_targets; i++) {
        struct channel out;
        if (members_of(b, &b->route->targets[i], in, &out)
            && ip_addr_is_any(&out.group)) {
            struct group_aux aux = {b, match, in, out.vlan};
            const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out.vlan);
            if (v) {
                igmp_snoop_each_group(vlan_snoop(v, IGMP_IPV4), one_group,
                                      &aux);
            }
        }
    }
}

/* What differs by vlan. */
static void
each_vlan(struct build *b, struct ofp_match match, struct channel in)
{
    const struct route_match *m = &b->route->match;
    bool plain = route_is_plain(b->route);
    bool follows = route_follows_members(b->route);
    if (!follows) {
        emit(b, match, LEVEL_MATCH, &in, m->has_vlan ? m->vlan : -1);
    }
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, b->sw->ctl->vlans, v, tmp) {
        if (m->has_vlan && v->vlan != m->vlan) {
            continue;
        }
        in.vlan = v->vlan;
        if (plain) {
            lead_to(b, &in);
        } else if (follows) {
            match.fields |= OFP_MATCH_VLAN;
            match.vlan = v->vlan;
            each_group(b, &match, &in);
        }
    }
}

static void
compile_on(struct ctl_switch *sw, struct rule *rule, struct rule_part *part)
{
    const struct route *route = rule->route;
    struct build b = {.sw = sw, .rule = rule, .part = part, .route = route};
    if (route->match.has_port) {
        const struct topo_port *port =
            topo_find_port(sw->ctl->topo, sw->dpid, route->match.port);
        if (!port) {
            wait_for(part, "port %s of switch " DPID_FMT " does not exist",
                     route->match.port, sw->dpid);
            return;
        }
        b.in_port = port->no;
    }
    if (route->match.has_vlan) {
        vlan_get(sw->ctl, route->match.vlan);
    }
    struct channel in = {0};
    if (ip_prefix_is_host(&route->match.group)) {
        in.group = route->match.group.addr;
    }
    if (route->match.has_source && ip_prefix_is_host(&route->match.source)) {
        in.source = route->match.source.addr;
    }
    struct ofp_match match = route_match(route, b.in_port);
    b.priority = route_match_priority(&match);
    each_vlan(&b, match, in);
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
        compare_numbers(a->priority, b->priority),
        compare_numbers(m->fields, n->fields),
        compare_prefixes(&m->ip_dst, &n->ip_dst),
        compare_prefixes(&m->ip_src, &n->ip_src),
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
    if (ofp_table_lookup(sw->table, TABLE_ROUTE, flow->priority, &flow->match,
                         &view)
        && view.owner == rule->owner) {
        ofp_table_unset(sw->table, TABLE_ROUTE, flow->priority, &flow->match);
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
        bool remove)
{
    struct rule_part old = *part;
    part->flows = NULL;
    part->channels = NULL;
    part->n_flows = part->allocated_flows = 0;
    part->n_channels = part->allocated_channels = 0;
    part->feeds = NULL;
    part->n_feeds = part->allocated_feeds = 0;
    part->waiting = part->rejected = NULL;

    if (!remove) {
        compile_on(sw, rule, part);
        if (part->n_flows > 1) {
            qsort(part->flows, part->n_flows, sizeof *part->flows,
                  compare_flows);
        }
    }
    /* New ones were registered before the old ones go, so that a channel that
     * stays is not taken off and put back. */
    unset_missing(sw, rule, &old, part);
    for (size_t i = 0; i < old.n_channels; i++) {
        channel_unregister(sw, &old.channels[i]);
    }
    for (size_t i = 0; i < old.n_feeds; i++) {
        fabric_source(sw, old.feeds[i].vlan, &old.feeds[i].group, -1);
    }
    free(old.flows);
    free(old.channels);
    free(old.feeds);
    free(old.waiting);
    free(old.rejected);
    switch_want_run(sw);
}

/* A part of a switch that does not concern the route any more goes. */
void
route_compile(struct ctl_switch *sw, struct rule *rule, struct rule_part *part)
{
    const struct route_match *m = &rule->route->match;
    bool remove = m->has_dpid && m->dpid != sw->dpid;
    replace(sw, rule, part, remove);
    if (remove) {
        rule_part_destroy(rule, part);
    }
}

void
route_uncompile(struct ctl *ctl, struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        replace(switch_lookup(ctl, part->dpid), rule, part, true);
        rule_part_destroy(rule, part);
    }
}

bool
route_lookup_flow(const struct ctl_switch *sw, const struct rule *rule,
                  const struct channel *channel, struct ofp_entry_view *view)
{
    const struct route_match *m = &rule->route->match;
    const struct topo_port *port =
        m->has_port ? topo_find_port(sw->ctl->topo, sw->dpid, m->port) : NULL;
    struct ofp_match match = route_match(rule->route, port ? port->no : 0);
    uint16_t priority = route_match_priority(&match);
    bool follows = route_follows_members(rule->route);
    if (follows) {
        match.fields |= OFP_MATCH_VLAN;
        match.vlan = channel->vlan;
    }
    /* From the narrowest that each_vlan() may have made of it. */
    for (int narrow = follows ? 3 : 0; narrow >= 0; narrow--) {
        bool by_group = narrow & 1, by_source = narrow & 2;
        struct ofp_match n = match;
        if (by_group) {
            n.ip_dst = (struct ip_prefix){channel->group, 128};
        }
        if (by_source) {
            n.fields |= OFP_MATCH_IP_SRC;
            n.ip_src = (struct ip_prefix){channel->source, 128};
        }
        uint16_t level = by_source  ? LEVEL_SOURCE
                         : by_group ? LEVEL_GROUP
                                    : LEVEL_MATCH;
        if (ofp_table_lookup(sw->table, TABLE_ROUTE,
                             (uint16_t) (priority + level), &n, view)) {
            return true;
        }
    }
    return false;
}
