/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_MATCH_H
#define CONTROLLER_ROUTE_MATCH_H 1

/* Routes as matches: for routes.c, which compiles them. */

#include "controller/ctl-private.h"

/* 'in_port' 0 is any. */
struct ofp_match route_match(const struct route *, uint32_t in_port);
/* The narrower match wins: group prefix first, then source prefix, port (a
 * name above a glob), vlan, UDP port, protocol.  Flows that a route has beside
 * the one for its match, for what is narrower, stand up to ROUTE_LEVELS - 1
 * above it: below those of any narrower route. */
enum { ROUTE_LEVELS = 3 };
/* How far a flow is narrowed: to a group, to a source, or to both, which is
 * above what is either. */
enum { ROUTE_LEVEL_MATCH = 0, ROUTE_LEVEL_GROUP = 1, ROUTE_LEVEL_SOURCE = 1 };
/* In TABLE_ROUTE: the miss flow, those of route-wrong.c, routes. */
enum { PRIO_WRONG_PORT = 10, PRIO_FIRST_ROUTE = 6000 };
uint16_t route_priority(const struct route *);
/* How narrow the addresses are that it matches, for a priority: 0 is the
 * widest.  Below 1023 for IPv4, below 990 for IPv6: of its prefixes only whole
 * digits count, as 16 bits have no room for more. */
unsigned int route_address_rank(const struct route_match *);

/* The channel that 'target' (NULL: the route as a whole) has members of, given
 * what a packet is known to be: IP_ADDR_ANY where that is open. */
struct channel route_target_channel(const struct route *,
                                    const struct route_target *target,
                                    const struct channel *in);
/* The group of the match that becomes 'group' for the target; the source
 * likewise.  False if none does.  For groups and sources that the match leaves
 * open, so that the channel has none. */
bool route_group_origin(const struct route *,
                        const struct route_target *target,
                        const struct ip_addr *group, struct ip_addr *in);
bool route_source_origin(const struct route *,
                         const struct route_target *target,
                         const struct ip_addr *source, struct ip_addr *in);
/* Do the target's copies depend on who is a member? */
bool route_target_follows(const struct route_target *);
/* Does it depend on which ports lead to hosts? */
bool route_uses_edges(const struct route *);
/* Does the route leave the copying to the channel that it leads to? */
bool route_is_plain(const struct route *);

#endif
