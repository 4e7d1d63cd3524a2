/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes ask for their streams upstream.
 *
 * Behind a snooping switch or a router a stream comes only if somebody has
 * joined it there.  Members are spoken for (igmp/igmp-proxy.h), but ports that
 * a route names have not joined anything, and members of what a route makes of
 * the stream have joined something else.  So a route asks for what it matches,
 * where it is a group and no prefix.  Members of that very group want all of
 * it most often; those that want some sources only have named the ones that
 * the route makes, so while there are such it asks for the ones that are sent.
 *
 * It is asked for in the vlan of the match (all vlans, if that is open), and
 * at the port of the match if that is one, else at all router ports. */

#include "controller/route-join.h"

#include <stdlib.h>

#include "controller/route-index.h"
#include "controller/route-match.h"
#include "controller/route-ports.h"
#include "lib/xalloc.h"

/* Do members of the group that is matched get all that the route is for?  Then
 * they are spoken for. */
static bool
is_covered(const struct route *route)
{
    bool covered = true;
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        covered = covered && target->kind == ROUTE_TO_MEMBERS
                  && !route->set.has_group && !target->set.has_group
                  && !route->set.has_vlan && !target->set.has_vlan;
    }
    return covered;
}

/* May there be something to ask for? */
static bool
is_askable(const struct route *route)
{
    const struct ip_prefix *group = &route->match.group;
    return route->join != ROUTE_JOIN_NEVER && ip_prefix_is_host(group)
           && ip_addr_is_multicast(&group->addr)
           && !ip_addr_is_local_multicast(&group->addr);
}

bool
route_joins(const struct route *route)
{
    const struct route_match *m = &route->match;
    bool has_source = m->has_source && ip_prefix_is_host(&m->source);
    return is_askable(route)
           && (has_source || !ip_addr_is_source_specific(&m->group.addr))
           && (route->join == ROUTE_JOIN_ALWAYS || !is_covered(route));
}

/* False if its port is not there. */
static bool
find_port(const struct ctl *ctl, const struct route_match *m,
          struct port_id *port)
{
    *port = (struct port_id){.dpid = m->has_dpid ? m->dpid : 0};
    if (m->has_port && !route_port_is_glob(m->port)) {
        const struct topo_port *p =
            topo_find_port(ctl->topo, m->dpid, m->port);
        port->port_no = p ? p->no : 0;
        return p != NULL;
    }
    return true;
}

/* Whether what the target is sent has another source than what is matched; if
 * so, which those are, and in 'join' what to ask for while they are wanted. */
static bool
follows(const struct route *route, const struct route_target *target,
        struct igmp_join *join)
{
    const struct route_match *m = &route->match;
    const struct route_set *set =
        target->set.has_source ? &target->set : &route->set;
    if (!set->has_source && !set->has_source_pool) {
        return false;
    }
    join->follows = true;
    join->made = set->has_source
                     ? (struct ip_prefix){set->source, 128 - set->source_keep}
                     : set->source_pool;
    /* Bit by bit, or it may be any of those that are matched. */
    join->exclude =
        !set->has_source || !m->has_source || m->source.len != join->made.len;
    join->source = join->exclude ? IP_ADDR_ANY : m->source.addr;
    return !join->exclude || !ip_addr_is_source_specific(&join->group);
}

/* What is asked for in a vlan. */
struct joins {
    const struct ctl *ctl;
    uint16_t vlan;
    struct igmp_join *list;
    size_t n, allocated;
};

static void
add(struct joins *joins, const struct igmp_join *join)
{
    joins->list =
        xgrow(joins->list, joins->n, &joins->allocated, sizeof *joins->list);
    joins->list[joins->n++] = *join;
}

static void
add_route(struct joins *joins, const struct route *route)
{
    const struct route_match *m = &route->match;
    struct igmp_join join = {.group = m->group.addr};
    if (!is_askable(route) || (m->has_vlan && m->vlan != joins->vlan)
        || !find_port(joins->ctl, m, &join.port)) {
        return;
    }
    if (route_joins(route)) {
        join.exclude = !m->has_source || !ip_prefix_is_host(&m->source);
        join.source = join.exclude ? IP_ADDR_ANY : m->source.addr;
        add(joins, &join);
        return;
    }
    for (size_t i = 0; i < route->n_targets; i++) {
        if (follows(route, &route->targets[i], &join)) {
            add(joins, &join);
        }
    }
}

/* Each family has a machine of its own. */
static void
join_all(struct ctl *ctl, struct ctl_vlan *v, enum igmp_family family)
{
    struct joins joins = {.ctl = ctl, .vlan = v->vlan};
    const struct rule *rule;
    for (rule = ctl->rules[STORE_ROUTE]; rule; rule = rule->hh.next) {
        const struct ip_addr *group = &rule->route->match.group.addr;
        if (ip_addr_is_v4(group) == (family == IGMP_IPV4)) {
            add_route(&joins, rule->route);
        }
    }
    igmp_snoop_set_joins(vlan_snoop(v, family), joins.list, joins.n,
                         loop_now(ctl->loop));
    free(joins.list);
}

static void
join_group(struct ctl *ctl, struct ctl_vlan *v, const struct ip_addr *group)
{
    struct joins joins = {.ctl = ctl, .vlan = v->vlan};
    struct route_walk walk;
    const struct rule *rule = route_index_first_of(ctl, group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        add_route(&joins, rule->route);
    }
    igmp_snoop_set_group_joins(vlan_snoop_of(v, group), group, joins.list,
                               joins.n, loop_now(ctl->loop));
    free(joins.list);
}

void
routes_join_again(struct ctl *ctl, const struct route *route)
{
    if (is_askable(route) && !ctl->joins_stale) {
        ctl->stale_joins =
            xgrow(ctl->stale_joins, ctl->n_stale_joins,
                  &ctl->allocated_stale_joins, sizeof *ctl->stale_joins);
        ctl->stale_joins[ctl->n_stale_joins++] = route->match.group.addr;
    }
}

void
routes_join(struct ctl *ctl)
{
    if (!ctl->joins_stale && !ctl->n_stale_joins) {
        return;
    }
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        for (int f = 0; f < IGMP_N_FAMILIES && ctl->joins_stale; f++) {
            join_all(ctl, v, f);
        }
        for (size_t i = 0; i < ctl->n_stale_joins && !ctl->joins_stale; i++) {
            join_group(ctl, v, &ctl->stale_joins[i]);
        }
        vlan_settle(v);
    }
    ctl->joins_stale = false;
    ctl->n_stale_joins = 0;
}
