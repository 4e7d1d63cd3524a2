/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_MATCH_H
#define CONTROLLER_ROUTE_MATCH_H 1

/* Routes as matches: for routes.c, which compiles them. */

#include "controller/ctl-private.h"

/* 'in_port' 0 is any. */
struct ofp_match route_match(const struct route *, uint32_t in_port);
/* The narrower match wins: group prefix first, then source prefix, port, vlan,
 * UDP port, protocol.  Flows that a route has beside the one for its match,
 * for what is narrower, stand up to ROUTE_LEVELS - 1 above it: below those of
 * any narrower route. */
enum { ROUTE_LEVELS = 3 };
uint16_t route_match_priority(const struct ofp_match *);

/* The channel that 'target' (NULL: the route as a whole) has members of, given
 * what a packet is known to be: IP_ADDR_ANY where that is open. */
struct channel route_target_channel(const struct route *,
                                    const struct route_target *target,
                                    const struct channel *in);
bool route_has_members(const struct route *);
/* Does the route leave the copying to the channel that it leads to? */
bool route_is_plain(const struct route *);

#endif
