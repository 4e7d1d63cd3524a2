/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes as matches: which packets they are for, which of them wins, what
 * comes out, whose members they follow. */

#include "controller/route-match.h"

#include <stdlib.h>
#include <string.h>

#include "controller/route-rewrite.h"

enum {
    PRIO_FIRST = 1000, /* Below: the miss flow. */
    /* Flows that have not moved for so long have lost their source. */
    SOURCE_IDLE_MS = 60000
};

/* 1 to 33 for IPv4, 0 for no prefix at all. */
static unsigned int
prefix_weight(const struct ofp_match *match, unsigned int field,
              const struct ip_prefix *prefix)
{
    return match->fields & field ? prefix->len - 96u + 1 : 0;
}

uint16_t
route_match_priority(const struct ofp_match *match)
{
    unsigned int p = prefix_weight(match, OFP_MATCH_IP_DST, &match->ip_dst);
    p = p * 34 + prefix_weight(match, OFP_MATCH_IP_SRC, &match->ip_src);
    p = p * 2 + !!(match->fields & OFP_MATCH_IN_PORT);
    p = p * 2 + !!(match->fields & OFP_MATCH_VLAN);
    p = p * 2 + !!(match->fields & OFP_MATCH_UDP_DST);
    p = p * 2 + !!(match->fields & OFP_MATCH_IP_PROTO);
    return (uint16_t) (PRIO_FIRST + p * ROUTE_LEVELS);
}

struct ofp_match
route_match(const struct route *route, uint32_t in_port)
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

struct channel
route_target_channel(const struct route *route,
                     const struct route_target *target,
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
    return route_target_channel(route, NULL, in);
}

bool
route_is_plain(const struct route *route)
{
    return route->n_targets == 1 && route->targets[0].kind == ROUTE_TO_MEMBERS
           && route_set_is_empty(&route->targets[0].set);
}

bool
route_has_members(const struct route *route)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        if (route->targets[i].kind == ROUTE_TO_MEMBERS) {
            return true;
        }
    }
    return false;
}

/* Sources: a route's flows know how many packets there were, but not from
 * whom and through which port: they punt until a packet has told, and again
 * when they have not moved for a while. */

static uint64_t
packets_of(const struct ctl_switch *sw, const struct rule_part *part)
{
    uint64_t packets = 0;
    for (size_t i = 0; i < part->n_flows; i++) {
        const struct rule_flow *f = &part->flows[i];
        struct ofp_entry_view view;
        if (ofp_table_lookup(sw->table, TABLE_ROUTE, f->priority, &f->match,
                             &view)) {
            packets += view.packets;
        }
    }
    return packets;
}

static void
set_learning(struct ctl *ctl, struct rule *rule, bool learning)
{
    rule->source_known = !learning;
    if (rule->learning != learning) {
        rule->learning = learning;
        rule_mark(ctl, rule);
    }
}

static void
count(struct ctl_switch *sw, struct rule *rule, struct rule_part *part,
      int64_t now)
{
    uint64_t packets = packets_of(sw, part);
    bool moves = packets != part->last_packets;
    part->last_packets = packets;
    if (moves) {
        rule->last_active = now;
        if (!rule->source_known && now >= rule->quiet_until) {
            set_learning(sw->ctl, rule, true);
        }
    } else if (rule->source_known
               && now - rule->last_active > SOURCE_IDLE_MS) {
        set_learning(sw->ctl, rule, true);
    }
}

void
routes_counted(struct ctl_switch *sw, int64_t now)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (part) {
            count(sw, rule, part, now);
        }
    }
}

static bool
is_of_cookie(const struct rule *rule, uint64_t cookie)
{
    return cookie == cookie_make(COOKIE_ROUTE, rule->cookie_id);
}

void
route_source_known(struct ctl *ctl, uint64_t cookie)
{
    struct rule *rule, *tmp;
    if (cookie_kind(cookie) == COOKIE_ROUTE) {
        HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
            if (is_of_cookie(rule, cookie)) {
                set_learning(ctl, rule, false);
            }
        }
    }
}

void
route_restore(struct ctl *ctl, const struct ofp_adopted *entry)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (is_of_cookie(rule, entry->cookie) && rule->quiet_until) {
            rule->learning |= entry->punts;
        }
    }
}

/* Looking routes up. */

/* The same port by two names is found where the switch is known. */
static bool
same_port(const struct ctl *ctl, const struct route_match *a,
          const struct route_match *b)
{
    if (a->has_port != b->has_port || !a->has_port
        || !strcmp(a->port, b->port)) {
        return a->has_port == b->has_port;
    }
    const struct topo_port *p = topo_find_port(ctl->topo, a->dpid, a->port);
    return p && p == topo_find_port(ctl->topo, b->dpid, b->port);
}

static bool
same_packets(const struct ctl *ctl, const struct route *a,
             const struct route *b)
{
    const struct route_match *m = &a->match, *n = &b->match;
    return (!m->has_dpid || !n->has_dpid || m->dpid == n->dpid)
           && same_port(ctl, m, n) && m->has_vlan == n->has_vlan
           && m->vlan == n->vlan && m->has_source == n->has_source
           && !memcmp(&m->source, &n->source, sizeof m->source)
           && !memcmp(&m->group, &n->group, sizeof m->group)
           && m->has_proto == n->has_proto && m->proto == n->proto
           && m->has_udp_dst == n->has_udp_dst && m->udp_dst == n->udp_dst;
}

const struct rule *
route_find_twin(const struct ctl *ctl, const struct route *route)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (strcmp(rule->name, route->name)
            && same_packets(ctl, rule->route, route)) {
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
        struct channel out = route_target_channel(route, target, &in);
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
routes_mark_members(struct ctl *ctl, uint64_t dpid, uint16_t vlan,
                    const struct ip_addr *group)
{
    struct rule *rule;
    LL_FOREACH2(ctl->following, rule, next_following)
    {
        if (!rule->dirty && follows_members(rule->route, vlan, group)) {
            rule_mark_on(ctl, rule, dpid);
        }
    }
}

void
routes_mark_following(struct ctl *ctl, uint64_t dpid)
{
    struct rule *rule;
    LL_FOREACH2(ctl->following, rule, next_following)
    {
        rule_mark_on(ctl, rule, dpid);
    }
}

bool
route_follows_members(const struct route *route)
{
    return route_has_members(route) && !route_is_plain(route);
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
            route_match(rule->route, in_port ? in_port->no : 0);
        uint16_t priority = route_match_priority(&match);
        if (!best || priority > best_priority) {
            best = rule;
            best_priority = priority;
        }
    }
    return best;
}
