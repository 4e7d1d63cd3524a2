/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_MATCH_H
#define CONTROLLER_ROUTE_MATCH_H 1

/* Routes as matches: for routes.c, which compiles them. */

#include "controller/ctl-private.h"

/* 'in_port' 0 is any. */
struct ofp_match route_match(const struct route *, uint32_t in_port);
/* The narrower match wins: group prefix first, then source prefix, port, vlan,
 * UDP port, protocol. */
uint16_t route_match_priority(const struct ofp_match *);
bool rule_flow_equal(const struct rule_flow *, const struct rule_flow *);

/* The channel that 'target' (NULL: the route as a whole) has members of, given
 * what a packet is known to be: IP_ADDR_ANY where that is open. */
struct channel route_target_channel(const struct route *,
                                    const struct route_target *target,
                                    const struct channel *in);
bool route_has_members(const struct route *);
/* Does the route leave the copying to the channel that it leads to? */
bool route_is_plain(const struct route *);

#endif
