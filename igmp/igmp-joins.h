/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_JOINS_H
#define IGMP_JOINS_H 1

/* What is asked for upstream without there being a member: for routes, which
 * want a stream though nobody has joined it.  Only routers (and snooping
 * switches) hear of it, beside what members want: igmp-proxy.h. */

#include <stdbool.h>
#include <stddef.h>

#include "igmp/igmp-merge.h"
#include "igmp/igmp-snoop.h"

/* Sorted, each once. */
struct igmp_joins {
    struct igmp_join *list;
    size_t n;
};

void igmp_joins_uninit(struct igmp_joins *);
/* Adds those of one mode that are for 'port' and follow nobody. */
void igmp_joins_merge(const struct igmp_joins *, const struct ip_addr *group,
                      const struct port_id *port, bool exclude,
                      struct igmp_merge *);
/* Adds those that follow what is wanted already. */
void igmp_joins_follow(const struct igmp_joins *, const struct ip_addr *group,
                       const struct port_id *port, struct igmp_merge *);

#endif
