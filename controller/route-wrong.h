/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_WRONG_H
#define CONTROLLER_ROUTE_WRONG_H 1

/* Packets of a route's stream that come in by another port than the route
 * names: what the kernel counts as WRONGVIF.
 *
 * A flow below all routes matches what the route matches, but for the port,
 * and goes on where the miss goes: it counts, and changes nothing.  Routes
 * that differ in their ports only share one, and each tells its count. */

#include "controller/ctl-private.h"

/* Makes the flow what the part shall have; 'remove': none. */
void route_wrong_compile(struct ctl_switch *, const struct rule *,
                         struct rule_part *, bool remove);
/* How many there were, since the flow came. */
uint64_t route_wrong_packets(const struct ctl_switch *,
                             const struct rule_part *);

#endif
