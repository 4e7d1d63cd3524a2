/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes as matches: which packets they are for, which of them wins, what
 * comes out, whose members they follow. */

#include "controller/route-match.h"

#include <stdlib.h>
#include <string.h>

#include "controller/route-index.h"
#include "controller/route-ports.h"
#include "controller/route-rewrite.h"

enum { PROTO_UDP = 17 };

/* A name stands above a glob, and that above no port at all. */
static unsigned int
port_weight(const struct route_match *m)
{
    return !m->has_port ? 0 : route_port_is_glob(m->port) ? 1 : 2;
}

unsigned int
route_address_rank(const struct route_match *m)
{
    /* Prefixes as 1 to 33, 0 for none; those of groups have 4 bits or
     * more. */
    unsigned int group = m->group.len, source = m->source.len;
    if (!ip_addr_is_v4(&m->group.addr)) {
        /* By digits: of groups 3 to 32, of sources 1 to 32. */
        return (group / 4 - 3) * 33 + (m->has_source ? source / 4 : 0);
    }
    return (group - 96 - 4) * 34 + (m->has_source ? source - 96 + 1 : 0);
}

uint16_t
route_priority(const struct route *route)
{
    const struct route_match *m = &route->match;
    unsigned int p = route_address_rank(m);
    p = p * 3 + port_weight(m);
    p = p * 2 + m->has_vlan;
    /* A UDP port implies its protocol. */
    p = p * 3 + (m->has_udp_dst ? 2 : m->has_proto);
    return (uint16_t) (PRIO_FIRST_ROUTE + p * ROUTE_LEVELS);
}

struct ofp_match
route_match(const struct route *route, uint32_t in_port)
{
    const struct route_match *m = &route->match;
    struct ofp_match match = {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST,
                              .eth_type = ip_addr_is_v4(&m->group.addr)
                                              ? ETH_TYPE_IPV4
                                              : ETH_TYPE_IPV6,
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

/* What becomes of 'address', which is IP_ADDR_ANY if it is not known. */
static struct ip_addr
rewritten(const struct ip_addr *to, unsigned int keep,
          const struct ip_addr *address)
{
    return !keep                     ? *to
           : ip_addr_is_any(address) ? IP_ADDR_ANY
                                     : ip_addr_join(to, keep, address);
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
        const struct route_set *set = sets[i];
        if (set->has_source) {
            out.source =
                rewritten(&set->source, set->source_keep, &out.source);
        }
        if (set->has_group) {
            out.group = rewritten(&set->group, set->group_keep, &out.group);
        }
        if (set->has_vlan) {
            out.vlan = set->vlan;
        }
    }
    if (target && target->kind == ROUTE_TO_VLAN) {
        out.vlan = target->vlan;
    }
    return out;
}

/* The address within 'from' that becomes 'address', which is within 'to'.
 * False if none does. */
static bool
origin(const struct ip_prefix *from, const struct ip_addr *to,
       unsigned int keep, const struct ip_addr *address, struct ip_addr *out)
{
    const struct ip_prefix there = {*to, (uint8_t) (128 - keep)};
    *out = ip_addr_join(&from->addr, keep, address);
    return ip_prefix_contains(&there, address);
}

bool
route_group_origin(const struct route *route,
                   const struct route_target *target,
                   const struct ip_addr *group, struct ip_addr *in)
{
    const struct route_set *set =
        target && target->set.has_group ? &target->set : &route->set;
    const struct ip_prefix *from = &route->match.group;
    if (set->has_group) {
        return origin(from, &set->group, set->group_keep, group, in);
    }
    *in = *group;
    return ip_prefix_contains(from, group);
}

bool
route_source_origin(const struct route *route,
                    const struct route_target *target,
                    const struct ip_addr *source, struct ip_addr *in)
{
    const struct route_set *set =
        target && target->set.has_source ? &target->set : &route->set;
    const struct route_match *m = &route->match;
    if (set->has_source) {
        return m->has_source
               && origin(&m->source, &set->source, set->source_keep, source,
                         in);
    }
    *in = *source;
    return !m->has_source || ip_prefix_contains(&m->source, source);
}

bool
route_makes(const struct route *route, const struct ip_addr *source,
            const struct ip_addr *group)
{
    const struct route_set *set = &route->set;
    const struct ip_prefix sources = {set->source,
                                      (uint8_t) (128 - set->source_keep)};
    struct ip_addr in;
    return ((set->has_source && ip_prefix_contains(&sources, source))
            || (set->has_source_pool
                && ip_prefix_contains(&set->source_pool, source)))
           && route_group_origin(route, NULL, group, &in);
}

struct channel
route_result(const struct route *route, const struct channel *in)
{
    return route_target_channel(route, NULL, in);
}

struct channel
route_result_at(const struct rule *rule, uint64_t dpid, const char *port_name,
                const struct channel *in)
{
    struct channel out = route_result(rule->route, in);
    const struct rule_part *part = rule_part_lookup(rule, dpid);
    for (size_t i = 0; part && i < part->sources.n; i++) {
        if (!strcmp(part->sources.list[i].port, port_name)) {
            out.source = part->sources.list[i].source;
        }
    }
    return out;
}

bool
route_is_plain(const struct route *route)
{
    return route->n_targets == 1 && route->targets[0].kind == ROUTE_TO_MEMBERS
           && route_set_is_empty(&route->targets[0].set);
}

bool
route_target_follows(const struct route_target *target)
{
    return target->kind == ROUTE_TO_MEMBERS || target->joined;
}

bool
route_uses_edges(const struct route *route)
{
    bool uses = route->set.has_source_pool;
    for (size_t i = 0; i < route->n_targets && !uses; i++) {
        uses = route->targets[i].kind == ROUTE_TO_VLAN;
    }
    return uses;
}

/* Looking routes up. */

/* The same port by two names is found where the switch is known.  A glob is
 * never the same as a name, which wins. */
static bool
same_port(const struct ctl *ctl, const struct route_match *a,
          const struct route_match *b)
{
    if (port_weight(a) != port_weight(b)) {
        return false;
    }
    if (!a->has_port || !strcmp(a->port, b->port)) {
        return true;
    }
    if (route_port_is_glob(a->port)) {
        return route_globs_meet(a->port, b->port);
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
    struct route_walk walk;
    const struct rule *rule =
        route_index_first(ctl, &route->match.group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        if (strcmp(rule->name, route->name)
            && same_packets(ctl, rule->route, route)) {
            return rule;
        }
    }
    return NULL;
}

static bool
is_numbered(const struct route_match *m)
{
    return m->has_port && !m->port[strspn(m->port, "0123456789")];
}

/* "09" is not less of a number than "9". */
static bool
gives_way(const struct route_match *m, const struct route_match *to)
{
    return is_numbered(m)
           && (!is_numbered(to) || strcmp(to->port, m->port) < 0);
}

const struct rule *
route_find_named(const struct ctl *ctl, const struct route *route)
{
    const struct rule *twin =
        is_numbered(&route->match) ? route_find_twin(ctl, route) : NULL;
    return twin && gives_way(&route->match, &twin->route->match) ? twin : NULL;
}

void
routes_mark_numbered(struct ctl *ctl, const struct route *route)
{
    const struct route_match *m = &route->match;
    struct route_walk walk;
    struct rule *rule = m->has_port && !route_port_is_glob(m->port)
                            ? route_index_first(ctl, &m->group, &walk)
                            : NULL;
    for (; rule; rule = route_index_next(&walk)) {
        if (rule->route != route && is_numbered(&rule->route->match)
            && same_packets(ctl, rule->route, route)) {
            rule_mark(ctl, rule);
        }
    }
}

bool
route_leads_members(const struct route *route, uint16_t vlan,
                    const struct ip_addr *group)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        if (!route_target_follows(target)) {
            continue;
        }
        struct channel in = {.vlan = route->match.has_vlan ? route->match.vlan
                                                           : vlan};
        struct channel out = route_target_channel(route, target, &in);
        struct ip_addr from;
        if (out.vlan == vlan
            && (ip_addr_is_any(&out.group)
                    ? route_group_origin(route, target, group, &from)
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
    DL_FOREACH2(ctl->following, rule, next_following)
    {
        if (!rule->dirty && route_leads_members(rule->route, vlan, group)) {
            rule_mark_on(ctl, rule, dpid);
        }
    }
}

void
routes_mark_following(struct ctl *ctl, uint64_t dpid)
{
    struct rule *rule;
    DL_FOREACH2(ctl->following, rule, next_following)
    {
        rule_mark_on(ctl, rule, dpid);
    }
}

void
routes_mark_edges(struct ctl *ctl, uint64_t dpid)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (route_uses_edges(rule->route) && dpid) {
            rule_mark_on(ctl, rule, dpid);
        } else if (route_uses_edges(rule->route)) {
            rule_mark(ctl, rule);
        }
    }
}

bool
route_follows_members(const struct route *route)
{
    bool follows = false;
    for (size_t i = 0; i < route->n_targets && !follows; i++) {
        follows = route_target_follows(&route->targets[i]);
    }
    return (follows && !route_is_plain(route))
           || (route_has_vteps(route) && !route->match.has_vlan
               && !route->set.has_vlan);
}

/* Does the stream that comes in by 'port' meet a route of that match, as far
 * as switch and port go? */
static bool
enters(const struct ctl *ctl, const struct route_match *m,
       const struct port_id *port)
{
    const struct topo_port *p = switch_topo_port(ctl, port);
    return (!m->has_dpid || m->dpid == port->dpid)
           && (!m->has_port
               || (p && route_means_port(ctl->topo, port->dpid, m->port, p)));
}

static bool
meets(const struct ctl *ctl, const struct rule *rule,
      const struct port_id *port, uint16_t vlan, const struct ip_addr *source,
      const struct ip_addr *group)
{
    const struct route_match *m = &rule->route->match;
    return !rule->gone && enters(ctl, m, port)
           && (!m->has_vlan || m->vlan == vlan)
           && (!m->has_source || ip_prefix_contains(&m->source, source))
           && ip_prefix_contains(&m->group, group)
           && !route_find_named(ctl, rule->route);
}

struct rule *
routes_match(const struct ctl *ctl, const struct port_id *port, uint16_t vlan,
             const struct ip_addr *source, const struct ip_addr *group)
{
    struct rule *best = NULL;
    uint16_t best_priority = 0;
    struct route_walk walk;
    struct rule *rule = route_index_first_of(ctl, group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        if (!meets(ctl, rule, port, vlan, source, group)) {
            continue;
        }
        uint16_t priority = route_priority(rule->route);
        if (!best || priority > best_priority) {
            best = rule;
            best_priority = priority;
        }
    }
    return best;
}

static bool
takes_udp(const struct route_match *m, int udp_dst)
{
    return udp_dst < 0
           || ((!m->has_udp_dst || m->udp_dst == udp_dst)
               && (!m->has_proto || m->proto == PROTO_UDP));
}

/* The first 'room' by insertion: there are few. */
size_t
routes_match_all(const struct ctl *ctl, const struct port_id *port,
                 uint16_t vlan, const struct ip_addr *source,
                 const struct ip_addr *group, int udp_dst, struct rule **rules,
                 size_t room)
{
    size_t n = 0;
    struct route_walk walk;
    struct rule *rule = route_index_first_of(ctl, group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        if (!meets(ctl, rule, port, vlan, source, group)
            || !takes_udp(&rule->route->match, udp_dst)) {
            continue;
        }
        uint16_t priority = route_priority(rule->route);
        size_t i = n;
        while (i && route_priority(rules[i - 1]->route) < priority) {
            i--;
        }
        if (i < room) {
            n += n < room;
            memmove(&rules[i + 1], &rules[i], (n - i - 1) * sizeof *rules);
            rules[i] = rule;
        }
    }
    return n;
}

/* The flow that a packet meets. */

bool
route_find_flow(const struct ctl_switch *sw, const struct rule *rule,
                uint32_t in_port, const struct channel *channel,
                struct ofp_entry_view *view, struct ofp_match *found)
{
    const struct route *route = rule->route;
    bool by_port = route->match.has_port || route->set.has_source_pool;
    struct ofp_match match = route_match(route, by_port ? in_port : 0);
    uint16_t priority = route_priority(route);
    bool follows = route_follows_members(route);
    if (follows) {
        match.fields |= OFP_MATCH_VLAN;
        match.vlan = channel->vlan;
    }
    /* From the narrowest that routes.c may have made of it. */
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
        unsigned int level =
            by_group * ROUTE_LEVEL_GROUP + by_source * ROUTE_LEVEL_SOURCE;
        if (ofp_table_lookup(sw->table, TABLE_ROUTE,
                             (uint16_t) (priority + level), &n, view)) {
            *found = n;
            return true;
        }
    }
    return false;
}

bool
route_lookup_flow(const struct ctl_switch *sw, const struct rule *rule,
                  uint32_t in_port, const struct channel *channel,
                  struct ofp_entry_view *view)
{
    struct ofp_match match;
    return route_find_flow(sw, rule, in_port, channel, view, &match);
}
