/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-wrong.h"

#include <string.h>

#include "controller/route-index.h"
#include "controller/route-match.h"

/* Among themselves the narrower match wins, as among routes: a packet counts
 * once.  All of them below PRIO_FIRST_ROUTE. */
static uint16_t
priority_of(const struct route_match *m)
{
    unsigned int p = route_address_rank(m);
    p = p * 2 + m->has_vlan;
    p = p * 3 + (m->has_udp_dst ? 2 : m->has_proto);
    return (uint16_t) (PRIO_WRONG_PORT + p);
}

static bool
same_flow(const struct rule_flow *a, const struct rule_flow *b)
{
    const struct ofp_match *m = &a->match, *n = &b->match;
    return a->priority == b->priority && m->fields == n->fields
           && !memcmp(&m->ip_dst, &n->ip_dst, sizeof m->ip_dst)
           && !memcmp(&m->ip_src, &n->ip_src, sizeof m->ip_src)
           && m->vlan == n->vlan && m->ip_proto == n->ip_proto
           && m->udp_dst == n->udp_dst;
}

static bool
is_shared(const struct ctl_switch *sw, const struct rule_flow *flow)
{
    struct route_walk walk;
    const struct rule *rule =
        route_index_first(sw->ctl, &flow->match.ip_dst, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (part && part->has_wrong && same_flow(&part->wrong, flow)) {
            return true;
        }
    }
    return false;
}

static void
unset(struct ctl_switch *sw, struct rule_part *part)
{
    part->has_wrong = false;
    if (!is_shared(sw, &part->wrong)) {
        ofp_table_unset(sw->table, TABLE_ROUTE, part->wrong.priority,
                        &part->wrong.match);
    }
}

void
route_wrong_compile(struct ctl_switch *sw, const struct rule *rule,
                    struct rule_part *part, bool remove)
{
    struct rule_flow wanted = {.priority = 0};
    /* What is sent to a host comes this far only where a route takes it. */
    bool want =
        !remove && rule->route->match.has_port && !rule->route->match.unicast;
    if (want) {
        wanted.priority = priority_of(&rule->route->match);
        wanted.match = route_match(rule->route, 0);
    }
    if (part->has_wrong && (!want || !same_flow(&part->wrong, &wanted))) {
        unset(sw, part);
    }
    if (want && !part->has_wrong) {
        const struct ofp_flow flow = {
            .table = TABLE_ROUTE,
            .priority = wanted.priority,
            .match = wanted.match,
            .cookie = cookie_make(COOKIE_WRONG_PORT, 0),
            .tell_removed = true,
            .goto_table = sw->ctl->fabric ? TABLE_SOURCE : TABLE_MCAST};
        ofp_table_set(sw->table, &flow, NULL, 0, 0, NULL);
        part->wrong = wanted;
        part->has_wrong = true;
    }
}

uint64_t
route_wrong_packets(const struct ctl_switch *sw, const struct rule_part *part)
{
    struct ofp_entry_view view;
    return part->has_wrong
                   && ofp_table_lookup(sw->table, TABLE_ROUTE,
                                       part->wrong.priority,
                                       &part->wrong.match, &view)
               ? view.packets
               : 0;
}
