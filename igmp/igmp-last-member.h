/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_LAST_MEMBER_H
#define IGMP_LAST_MEMBER_H 1

/* The specific queries of one (group, port): RFC 3376 6.6.3, RFC 3810 7.6.3.
 *
 * Whom nobody that is known wants any more goes without a query where the
 * leave mode says so: see enum igmp_leave. */

#include "igmp/igmp-group.h"

/* Send Q(G), 6.6.3.1.  While one is being answered there is nothing to ask:
 * the timer is at LMQT or below. */
void igmp_last_member_query_group(struct igmp_group *,
                                  struct igmp_group_ctx *);
/* Send Q(G,A*B), or Q(G,A-Y): what of the list is forwarded. */
void igmp_last_member_query_listed(struct igmp_group *,
                                   struct igmp_group_ctx *,
                                   const struct ip_addr *list, size_t n);
/* Send Q(G,A-B), or Q(G,X-A): what is forwarded and not of the list. */
void igmp_last_member_query_unlisted(struct igmp_group *,
                                     struct igmp_group_ctx *,
                                     const struct ip_addr *list, size_t n);
/* Repeats what is to be repeated.  Where both kinds of queries are due, Q(G)
 * makes the Q(G,S) with the S flag needless (6.6.3.2). */
void igmp_last_member_repeat(struct igmp_group *, struct igmp_group_ctx *);
/* Looks for hosts of older versions that joined when another did, so that its
 * report suppressed theirs and nobody knows of them: asks the group some
 * times, with the S flag, and each time another may be the first to answer. */
void igmp_last_member_seek(struct igmp_group *, struct igmp_group_ctx *);

#endif
