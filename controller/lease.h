/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_LEASE_H
#define CONTROLLER_LEASE_H 1

/* Static members that end by themselves: "lease" in /v1/members, and
 * "ofmcastctl tap".
 *
 * The store keeps when a lease ends by the wall clock, so that it goes on
 * while the daemon is away.  A daemon that runs goes by the monotonic clock;
 * and whatever became of the wall clock meanwhile, a lease that is read back
 * has at most its whole length left.
 *
 * A leased member also gets what a route of the very group takes away from
 * that group's members, to its own group: see lease_add_taps(). */

#include "controller/route-build.h"

/* The member of a rule is new: from when on does it end?  It keeps an end that
 * it already has, from the store. */
void lease_begin(struct ctl *, struct rule *);
/* The wall clock's end of a lease that begins now: for struct member. */
int64_t lease_end(int64_t seconds);
/* Of the rule, in milliseconds; -1: it has none. */
int64_t lease_remaining(const struct ctl *, const struct rule *);

/* Leases may have ended. */
loop_cb leases_run;

/* Routes of the group have copies for the member, or not any more. */
void lease_mark_routes(struct ctl *, const struct rule *);
/* Copies for the leased members of the group that the route matches, with what
 * the route does to all its copies. */
void lease_add_taps(struct route_build *, const struct channel *in,
                    struct bucket_list *);

#endif
