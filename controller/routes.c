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

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-rewrite.h"
#include "lib/xalloc.h"

enum {
    ETH_TYPE_IPV4 = 0x0800,
    PRIO_FIRST = 1000, /* Below: the miss flow. */
    /* Flows that have not moved for so long have lost their source. */
    SOURCE_IDLE_MS = 60000
};

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

/* 1 to 33 for IPv4, 0 for no prefix at all. */
static unsigned int
prefix_weight(const struct ofp_match *match, unsigned int field,
              const struct ip_prefix *prefix)
{
    return match->fields & field ? prefix->len - 96u + 1 : 0;
}

static uint16_t
match_priority(const struct ofp_match *match)
{
    unsigned int p = prefix_weight(match, OFP_MATCH_IP_DST, &match->ip_dst);
    p = p * 34 + prefix_weight(match, OFP_MATCH_IP_SRC, &match->ip_src);
    p = p * 2 + !!(match->fields & OFP_MATCH_IN_PORT);
    p = p * 2 + !!(match->fields & OFP_MATCH_VLAN);
    p = p * 2 + !!(match->fields & OFP_MATCH_UDP_DST);
    p = p * 2 + !!(match->fields & OFP_MATCH_IP_PROTO);
    return (uint16_t) (PRIO_FIRST + p);
}

static struct ofp_match
match_of_route(const struct route *route, uint32_t in_port)
{
    const struct route_match *m = &route->match;
    struct ofp_match match = {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST,
                              .eth_type = ETH_TYPE_IPV4,
                              .ip_dst = m->group};
    if (in_port) {
        match.fields |= OFP_MATCH_IN_PORT;
        match.in_port = in_port;
    }
    if (m->has_vlan) {
        match.fields |= OFP_MATCH_VLAN;
        match.vlan = m->vlan;
    }
    if (m->has_source) {
        match.fields |= OFP_MATCH_IP_SRC;
        match.ip_src = m->source;
    }
    if (m->has_proto) {
        match.fields |= OFP_MATCH_IP_PROTO;
        match.ip_proto = m->proto;
    }
    if (m->has_udp_dst) {
        match.fields |= OFP_MATCH_UDP_DST;
        match.udp_dst = m->udp_dst;
    }
    return match;
}

/* The channel that 'target' has members of, given what a packet is known to
 * be: IP_ADDR_ANY where that is open. */
static struct channel
target_channel(const struct route *route, const struct route_target *target,
               const struct channel *in)
{
    struct channel out = *in;
    const struct route_set *sets[] = {&route->set,
                                      target ? &target->set : NULL};
    for (size_t i = 0; i < 2 && sets[i]; i++) {
        if (sets[i]->has_source) {
            out.source = sets[i]->source;
        }
        if (sets[i]->has_group) {
            out.group = sets[i]->group;
        }
        if (sets[i]->has_vlan) {
            out.vlan = sets[i]->vlan;
        }
    }
    return out;
}

struct channel
route_result(const struct route *route, const struct channel *in)
{
    return target_channel(route, NULL, in);
}

/* Does the route leave the copying to the channel that it leads to? */
static bool
is_plain(const struct route *route)
{
    return route->n_targets == 1 && route->targets[0].kind == ROUTE_TO_MEMBERS
           && route_set_is_empty(&route->targets[0].set);
}

static bool
has_members_target(const struct route *route)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        if (route->targets[i].kind == ROUTE_TO_MEMBERS) {
            return true;
        }
    }
    return false;
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
    struct channel out = target_channel(b->route, target, in);
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
    struct ofp_flow flow = {
        .table = TABLE_ROUTE,
        .priority = match_priority(&match),
        .match = match,
        .cookie = cookie_make(COOKIE_ROUTE, (uint32_t) b->rule->owner)};
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
    if (is_plain(route)) {
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
    bool members = has_members_target(b->route);
    bool plain = is_plain(b->route);
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
        struct ofp_match wide = match_of_route(b->route, b->in_port);
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
    each_vlan(&b, match_of_route(route, b.in_port), in);
}

/* Replacing what a rule has by what it shall have. */

static bool
same_flow(const struct rule_flow *a, const struct rule_flow *b)
{
    const struct ofp_match *m = &a->match, *n = &b->match;
    return a->dpid == b->dpid && a->priority == b->priority
           && m->fields == n->fields && m->in_port == n->in_port
           && m->vlan == n->vlan && m->ip_proto == n->ip_proto
           && m->udp_dst == n->udp_dst
           && !memcmp(&m->ip_src, &n->ip_src, sizeof m->ip_src)
           && !memcmp(&m->ip_dst, &n->ip_dst, sizeof m->ip_dst);
}

static void
unset_missing(struct ctl *ctl, struct rule *rule, const struct rule_flow *old,
              size_t n_old)
{
    for (size_t i = 0; i < n_old; i++) {
        bool kept = false;
        for (size_t j = 0; j < rule->n_flows && !kept; j++) {
            kept = same_flow(&old[i], &rule->flows[j]);
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

/* Sources: a route's flows know how many packets there were, but not from
 * whom and through which port.  Once some have come, one is punted. */

static uint64_t
packets_of(const struct ctl *ctl, const struct rule *rule)
{
    uint64_t packets = 0;
    for (size_t i = 0; i < rule->n_flows; i++) {
        const struct rule_flow *f = &rule->flows[i];
        const struct ctl_switch *sw = switch_lookup(ctl, f->dpid);
        struct ofp_entry_view view;
        if (sw
            && ofp_table_lookup(sw->table, TABLE_ROUTE, f->priority, &f->match,
                                &view)) {
            packets += view.packets;
        }
    }
    return packets;
}

void
routes_counted(struct ctl *ctl, int64_t now)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        uint64_t packets = packets_of(ctl, rule);
        bool moves = packets != rule->last_packets;
        rule->last_packets = packets;
        if (moves) {
            rule->last_active = now;
        } else if (now - rule->last_active > SOURCE_IDLE_MS) {
            rule->source_known = false;
        }
        if (moves && !rule->learning && !rule->source_known) {
            rule->learning = true;
            rule_mark(ctl, rule);
        }
    }
}

void
route_source_known(struct ctl *ctl, uint64_t cookie)
{
    if (cookie_kind(cookie) != COOKIE_ROUTE) {
        return;
    }
    ofp_owner owner = cookie & 0xffffff;
    struct rule *rule;
    HASH_FIND(hh_owner, ctl->owners, &owner, sizeof owner, rule);
    if (rule && rule->learning) {
        rule->learning = false;
        rule->source_known = true;
        rule_mark(ctl, rule);
    }
}

/* Looking routes up. */

const struct rule *
route_find_twin(const struct ctl *ctl, const struct route *route)
{
    struct rule_flow a = {.match = match_of_route(route, 0)};
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        const struct route_match *m = &rule->route->match;
        struct rule_flow b = {.match = match_of_route(rule->route, 0)};
        bool same_switch = !m->has_dpid || !route->match.has_dpid
                           || m->dpid == route->match.dpid;
        if (strcmp(rule->name, route->name) && same_switch
            && m->has_port == route->match.has_port
            && !strcmp(m->port, route->match.port) && same_flow(&a, &b)) {
            return rule;
        }
    }
    return NULL;
}

static bool
follows_members(const struct route *route, uint16_t vlan,
                const struct ip_addr *group)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        if (target->kind != ROUTE_TO_MEMBERS) {
            continue;
        }
        struct channel in = {.vlan = route->match.has_vlan ? route->match.vlan
                                                           : vlan};
        struct channel out = target_channel(route, target, &in);
        if (out.vlan == vlan
            && (ip_addr_is_any(&out.group)
                    ? ip_prefix_contains(&route->match.group, group)
                    : ip_addr_equal(&out.group, group))) {
            return true;
        }
    }
    return false;
}

void
routes_mark_members(struct ctl *ctl, uint16_t vlan,
                    const struct ip_addr *group)
{
    struct rule *rule;
    LL_FOREACH2(ctl->following, rule, next_following)
    {
        if (!rule->dirty && follows_members(rule->route, vlan, group)) {
            rule_mark(ctl, rule);
        }
    }
}

bool
route_follows_members(const struct route *route)
{
    return has_members_target(route) && !is_plain(route);
}

struct rule *
routes_match(const struct ctl *ctl, const struct port_id *port, uint16_t vlan,
             const struct ip_addr *source, const struct ip_addr *group)
{
    struct rule *best = NULL, *rule, *tmp;
    uint16_t best_priority = 0;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        const struct route_match *m = &rule->route->match;
        const struct topo_port *in_port =
            m->has_port ? topo_find_port(ctl->topo, port->dpid, m->port)
                        : NULL;
        if (rule->gone || (m->has_dpid && m->dpid != port->dpid)
            || (m->has_port && (!in_port || in_port->no != port->port_no))
            || (m->has_vlan && m->vlan != vlan)
            || (m->has_source && !ip_prefix_contains(&m->source, source))
            || !ip_prefix_contains(&m->group, group)) {
            continue;
        }
        struct ofp_match match =
            match_of_route(rule->route, in_port ? in_port->no : 0);
        uint16_t priority = match_priority(&match);
        if (!best || priority > best_priority) {
            best = rule;
            best_priority = priority;
        }
    }
    return best;
}
