/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_MERGE_H
#define IGMP_MERGE_H 1

/* One filter out of many, as one host that had all the members for its sockets
 * would report it (RFC 3376 3.2, RFC 4605 4.1):
 *
 *     some member EXCLUDE   EXCLUDE (what all of those exclude, but for what
 *                           members in INCLUDE mode want)
 *     all INCLUDE           INCLUDE (what any of them wants)
 *
 * Add those in EXCLUDE mode first, then the others.
 *
 * Limits: IGMP_MERGE_MAX sources.  Where more are wanted, all are; of a
 * source-specific group, which has no such word (RFC 4604 2.2.1), the first
 * that were added. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { IGMP_MERGE_MAX = 1024 };

/* Sources are sorted, without doubles.  INCLUDE({}) wants nothing. */
struct igmp_merge {
    bool exclude;
    size_t n, allocated;
    struct ip_addr *sources;
    bool specific; /* The group is source-specific. */
};

/* All zero is a good merge to begin with; it may be used again and again. */
void igmp_merge_begin(struct igmp_merge *, const struct ip_addr *group);
void igmp_merge_uninit(struct igmp_merge *);

/* A member in EXCLUDE or INCLUDE mode; lists are sorted, without doubles. */
void igmp_merge_exclude(struct igmp_merge *, const struct ip_addr *sources,
                        size_t n);
void igmp_merge_include(struct igmp_merge *, const struct ip_addr *sources,
                        size_t n);

/* EXCLUDE({}): whatever else is added, it stays so. */
static inline bool
igmp_merge_is_all(const struct igmp_merge *m)
{
    return m->exclude && !m->n;
}

#endif
