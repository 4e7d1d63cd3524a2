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
 * difference: narrower matches, higher priorities.
 *
 * Precedence: the narrower match wins; group prefix first, then source prefix,
 * port, vlan, UDP port, protocol. */

#include "controller/ctl-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-match.h"
#include "controller/route-rewrite.h"
#include "lib/xalloc.h"

struct build {
    struct ctl_switch *sw;
    struct rule *rule;
    const struct route *route;
    uint32_t in_port; /* 0 = any. */
};

static void wait_for(struct rule *rule, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
wait_for(struct rule *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(rule->waiting, sizeof rule->waiting, format, args);
    va_end(args);
}

/* Buckets. */

struct bucket_list {
    struct ofp_bucket *buckets;
    size_t n, allocated;
};

static void
add_bucket(struct bucket_list *list, uint32_t port,
           const struct ofp_rewrite *rewrite)
{
    list->buckets =
        xgrow(list->buckets, list->n, &list->allocated, sizeof *list->buckets);
    list->buckets[list->n++] =
        (struct ofp_bucket){.rewrite = *rewrite, .out_port = port};
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

static void
add_members(struct build *b, const struct route_target *target,
            const struct channel *in, const struct ofp_rewrite *rewrite,
            struct bucket_list *list)
{
    struct channel out = route_target_channel(b->route, target, in);
    if (ip_addr_is_any(&out.group)) {
        return; /* A prefix without a group of its own: see each_group(). */
    }
    uint32_t *ports;
    size_t n = channel_ports(b->sw, out.vlan, &out.source, &out.group, &ports);
    for (size_t i = 0; i < n; i++) {
        add_bucket(list, ports[i], rewrite);
    }
    free(ports);
}

static void
add_port(struct build *b, const struct route_target *target,
         const struct ofp_rewrite *rewrite, struct bucket_list *list)
{
    if (target->dpid != b->sw->dpid) {
        if (b->route->match.has_dpid) {
            wait_for(b->rule,
                     "switch " DPID_FMT " of a target is not the one where "
                     "the stream enters: there is no fabric in this version",
                     target->dpid);
        }
        return;
    }
    const struct topo_port *port =
        topo_find_port(b->sw->ctl->topo, target->dpid, target->port);
    if (port) {
        add_bucket(list, port->no, rewrite);
    } else {
        wait_for(b->rule, "port %s of switch " DPID_FMT " does not exist",
                 target->port, target->dpid);
    }
}

/* One flow for packets known to be of channel 'in'; vlan -1 is any. */
static void
emit(struct build *b, struct ofp_match match, const struct channel *in,
     int vlan)
{
    const struct route *route = b->route;
    struct ofp_flow flow = {.table = TABLE_ROUTE,
                            .priority = route_match_priority(&match),
                            .match = match,
                            .cookie =
                                cookie_make(COOKIE_ROUTE, b->rule->cookie_id)};
    /* An explicit route beats what another one was widened to. */
    struct ofp_entry_view view;
    if (ofp_table_lookup(b->sw->table, flow.table, flow.priority, &match,
                         &view)
        && view.owner != b->rule->owner) {
        return;
    }
    if (b->rule->learning) {
        flow.punt = true;
        flow.punt_meter = METER_SOURCES;
    }
    flow.rewrite = route_rewrite(&route->set, vlan, b->sw->dpid);
    int vlan_after = route->set.has_vlan ? route->set.vlan : vlan;

    struct bucket_list list = {0};
    if (route_is_plain(route)) {
        flow.goto_table = TABLE_MCAST;
    } else if (route->n_targets) {
        flow.output = OFP_OUT_GROUP;
        for (size_t i = 0; i < route->n_targets; i++) {
            const struct route_target *target = &route->targets[i];
            struct ofp_rewrite rewrite =
                route_rewrite(&target->set, vlan_after, b->sw->dpid);
            if (target->kind == ROUTE_TO_MEMBERS) {
                add_members(b, target, in, &rewrite, &list);
            } else {
                add_port(b, target, &rewrite, &list);
            }
        }
        sort_buckets(&list);
    }
    char error[OFP_ERROR_SIZE];
    if (ofp_table_set(b->sw->table, &flow, list.buckets, list.n,
                      b->rule->owner, error)) {
        snprintf(b->rule->rejected, sizeof b->rule->rejected, "%s", error);
    }
    free(list.buckets);

    struct rule *rule = b->rule;
    rule->flows = xgrow(rule->flows, rule->n_flows, &rule->allocated_flows,
                        sizeof *rule->flows);
    rule->flows[rule->n_flows++] = (struct rule_flow){
        .dpid = b->sw->dpid, .priority = flow.priority, .match = match};
}

static void
lead_to(struct build *b, const struct channel *in)
{
    struct rule *rule = b->rule;
    struct channel out = route_result(b->route, in);
    if (ip_addr_is_any(&out.group)) {
        return;
    }
    rule->channels = xgrow(rule->channels, rule->n_channels,
                           &rule->allocated_channels, sizeof *rule->channels);
    struct rule_channel *c = &rule->channels[rule->n_channels++];
    *c = (struct rule_channel){.dpid = b->sw->dpid,
                               .key = {.group = out.group, .vlan = out.vlan}};
    channel_register(b->sw, &c->key);
}

/* What differs by source: filters of members that name one. */
static void
each_source(struct build *b, struct ofp_match match, struct channel in,
            int vlan)
{
    const struct route *route = b->route;
    emit(b, match, &in, vlan);
    struct channel out = route_result(route, &in);
    const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out.vlan);
    if (!ip_addr_is_any(&out.source) || !v) {
        return;
    }
    size_t n = igmp_snoop_filtered_sources(v->snoop, &out.group, NULL, 0);
    struct ip_addr *sources = xcalloc(n + 1, sizeof *sources);
    n = igmp_snoop_filtered_sources(v->snoop, &out.group, sources, n);
    for (size_t i = 0; i < n; i++) {
        if (!route->match.has_source
            || ip_prefix_contains(&route->match.source, &sources[i])) {
            match.fields |= OFP_MATCH_IP_SRC;
            match.ip_src = (struct ip_prefix){sources[i], 128};
            in.source = sources[i];
            emit(b, match, &in, vlan);
        }
    }
    free(sources);
}

struct group_aux {
    struct build *b;
    struct ofp_match match;
    struct channel in;
    int vlan;
};

static bool
one_group(void *aux_, const struct ip_addr *group)
{
    struct group_aux *aux = aux_;
    if (ip_prefix_contains(&aux->b->route->match.group, group)) {
        struct ofp_match match = aux->match;
        match.ip_dst = (struct ip_prefix){*group, 128};
        struct channel in = aux->in;
        in.group = *group;
        each_source(aux->b, match, in, aux->vlan);
    }
    return true;
}

/* What differs by group: a prefix whose members are looked up by group. */
static void
each_group(struct build *b, struct ofp_match match, struct channel in,
           int vlan)
{
    each_source(b, match, in, vlan);
    const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, in.vlan);
    if (v && ip_addr_is_any(&in.group) && !b->route->set.has_group) {
        struct group_aux aux = {b, match, in, vlan};
        igmp_snoop_each_group(v->snoop, one_group, &aux);
    }
}

/* What differs by vlan. */
static void
each_vlan(struct build *b, struct ofp_match match, struct channel in)
{
    const struct route_match *m = &b->route->match;
    bool members = route_has_members(b->route);
    bool plain = route_is_plain(b->route);
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, b->sw->ctl->vlans, v, tmp) {
        if (m->has_vlan && v->vlan != m->vlan) {
            continue;
        }
        in.vlan = v->vlan;
        lead_to(b, &in);
        if (members && !plain) {
            match.fields |= OFP_MATCH_VLAN;
            match.vlan = v->vlan;
            each_group(b, match, in, v->vlan);
        }
    }
    if (plain || !members) {
        struct ofp_match wide = route_match(b->route, b->in_port);
        emit(b, wide, &in, m->has_vlan ? m->vlan : -1);
    }
}

static void
compile_on(struct ctl_switch *sw, struct rule *rule)
{
    const struct route *route = rule->route;
    struct build b = {.sw = sw, .rule = rule, .route = route};
    if (route->match.has_dpid && route->match.dpid != sw->dpid) {
        return;
    }
    if (route->match.has_port) {
        const struct topo_port *port =
            topo_find_port(sw->ctl->topo, sw->dpid, route->match.port);
        if (!port) {
            wait_for(rule, "port %s of switch " DPID_FMT " does not exist",
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
    each_vlan(&b, route_match(route, b.in_port), in);
}

/* Replacing what a rule has by what it shall have. */

static void
unset_missing(struct ctl *ctl, struct rule *rule, const struct rule_flow *old,
              size_t n_old)
{
    for (size_t i = 0; i < n_old; i++) {
        bool kept = false;
        for (size_t j = 0; j < rule->n_flows && !kept; j++) {
            kept = rule_flow_equal(&old[i], &rule->flows[j]);
        }
        struct ctl_switch *sw = switch_lookup(ctl, old[i].dpid);
        struct ofp_entry_view view;
        if (!kept && sw
            && ofp_table_lookup(sw->table, TABLE_ROUTE, old[i].priority,
                                &old[i].match, &view)
            && view.owner == rule->owner) {
            ofp_table_unset(sw->table, TABLE_ROUTE, old[i].priority,
                            &old[i].match);
            switch_want_run(sw);
        }
    }
}

static void
replace(struct ctl *ctl, struct rule *rule, bool remove)
{
    struct rule_flow *flows = rule->flows;
    struct rule_channel *channels = rule->channels;
    size_t n_flows = rule->n_flows, n_channels = rule->n_channels;
    rule->flows = NULL;
    rule->channels = NULL;
    rule->n_flows = rule->allocated_flows = 0;
    rule->n_channels = rule->allocated_channels = 0;
    rule->waiting[0] = rule->rejected[0] = '\0';

    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (!remove) {
            compile_on(sw, rule);
            switch_want_run(sw);
        }
    }
    /* New ones were registered before the old ones go, so that a channel that
     * stays is not taken off and put back. */
    unset_missing(ctl, rule, flows, n_flows);
    for (size_t i = 0; i < n_channels; i++) {
        sw = switch_lookup(ctl, channels[i].dpid);
        if (sw) {
            channel_unregister(sw, &channels[i].key);
        }
    }
    free(flows);
    free(channels);
}

void
route_compile(struct ctl *ctl, struct rule *rule)
{
    replace(ctl, rule, false);
}

void
route_uncompile(struct ctl *ctl, struct rule *rule)
{
    replace(ctl, rule, true);
}
