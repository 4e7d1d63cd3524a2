/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-index.h"

#include <stdlib.h>

#include "lib/xalloc.h"

/* All routes of one address. */
struct route_group {
    UT_hash_handle hh;
    struct ip_addr addr;
    struct rule *rules;
};

static struct route_group *
find(const struct ctl *ctl, const struct ip_addr *addr)
{
    struct route_group *group;
    HASH_FIND(hh, ctl->route_groups, addr, sizeof *addr, group);
    return group;
}

void
route_index_add(struct ctl *ctl, struct rule *rule)
{
    const struct ip_prefix *match = &rule->route->match.group;
    if (!ip_prefix_is_host(match)) {
        DL_APPEND2(ctl->wide_routes, rule, prev_indexed, next_indexed);
        return;
    }
    struct route_group *group = find(ctl, &match->addr);
    if (!group) {
        group = xcalloc(1, sizeof *group);
        group->addr = match->addr;
        HASH_ADD(hh, ctl->route_groups, addr, sizeof group->addr, group);
    }
    DL_APPEND2(group->rules, rule, prev_indexed, next_indexed);
}

void
route_index_remove(struct ctl *ctl, struct rule *rule)
{
    const struct ip_prefix *match = &rule->route->match.group;
    if (!ip_prefix_is_host(match)) {
        DL_DELETE2(ctl->wide_routes, rule, prev_indexed, next_indexed);
        return;
    }
    struct route_group *group = find(ctl, &match->addr);
    DL_DELETE2(group->rules, rule, prev_indexed, next_indexed);
    if (!group->rules) {
        HASH_DELETE(hh, ctl->route_groups, group);
        free(group);
    }
}

struct rule *
route_index_next(struct route_walk *walk)
{
    if (!walk->next && walk->group) {
        walk->next = walk->group->rules;
        walk->group = walk->group->hh.next;
    }
    if (!walk->next) {
        walk->next = walk->wide;
        walk->wide = NULL;
    }
    struct rule *rule = walk->next;
    if (rule) {
        walk->next = rule->next_indexed;
    }
    return rule;
}

struct rule *
route_index_first(const struct ctl *ctl, const struct ip_prefix *group,
                  struct route_walk *walk)
{
    *walk = (struct route_walk){.wide = ctl->wide_routes};
    if (ip_prefix_is_host(group)) {
        const struct route_group *one = find(ctl, &group->addr);
        walk->next = one ? one->rules : NULL;
    } else {
        walk->group = ctl->route_groups;
    }
    return route_index_next(walk);
}

struct rule *
route_index_first_of(const struct ctl *ctl, const struct ip_addr *group,
                     struct route_walk *walk)
{
    return route_index_first(ctl, &(struct ip_prefix){*group, 128}, walk);
}
