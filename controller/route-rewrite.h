/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_REWRITE_H
#define CONTROLLER_ROUTE_REWRITE_H 1

/* From what a route sets to what a switch does. */

#include <stdbool.h>
#include <stdint.h>

#include "controller/route.h"
#include "ofp/ofp-flow.h"

bool route_set_is_empty(const struct route_set *);

/* 'vlan' is the packet's before the rewriting, -1 if it may be any (then the
 * set has no vlan: route_from_json() saw to that).  A new group brings its
 * Ethernet address with it, unless the set has one; eth_src "auto" is the
 * switch's own address.  A pool is for the caller to resolve. */
struct ofp_rewrite route_rewrite(const struct route_set *, int vlan,
                                 uint64_t dpid);
/* "source=10.1.0.10 ttl=16", in the words of a route; for free(). */
char *route_rewrite_text(const struct ofp_rewrite *);
/* A total order; 0 = equal. */
int route_rewrite_compare(const struct ofp_rewrite *,
                          const struct ofp_rewrite *);

#endif
