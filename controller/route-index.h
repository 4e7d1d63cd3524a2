/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_INDEX_H
#define CONTROLLER_ROUTE_INDEX_H 1

/* Routes by the group that they match, so that what concerns one group looks
 * at the routes of that group, and not at all of them: a write, a packet, a
 * stream.
 *
 * Routes of one address are found by it, those of a prefix stand in one list:
 * ctl->route_groups and ctl->wide_routes.  They own no rules. */

#include "controller/ctl-private.h"

/* The rule has its route, and keeps it until it is removed. */
void route_index_add(struct ctl *, struct rule *);
void route_index_remove(struct ctl *, struct rule *);

/* All routes that may match packets to some address of 'group': for one
 * address those that name it, in order of insertion, then all of a prefix,
 * whether it holds the address or not; for a prefix all routes.
 *
 *     struct route_walk walk;
 *     struct rule *rule = route_index_first(ctl, &group, &walk);
 *     for (; rule; rule = route_index_next(&walk)) ...
 *
 * No rule may be added or removed meanwhile. */
struct route_walk {
    const struct route_group *group;
    struct rule *next;
    struct rule *wide; /* What comes when 'next' and 'group' have ended. */
};

struct rule *route_index_first(const struct ctl *,
                               const struct ip_prefix *group,
                               struct route_walk *);
/* The same for one address. */
struct rule *route_index_first_of(const struct ctl *,
                                  const struct ip_addr *group,
                                  struct route_walk *);
struct rule *route_index_next(struct route_walk *);

#endif
