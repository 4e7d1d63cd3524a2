/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_UNICAST_H
#define CONTROLLER_ROUTE_UNICAST_H 1

/* Routes and single hosts: see route-unicast.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/neighbours.h"
#include "controller/route-build.h"

/* A switch's neighbours. */
void unicast_create(struct ctl_switch *);
void unicast_destroy(struct ctl_switch *);
/* Arms their timer: after whatever may have moved a deadline. */
void unicast_settle(struct ctl_switch *);
void unicast_port_changed(struct ctl_switch *, uint32_t no, bool up);
/* ARP that the switch has shown us. */
void unicast_packet_in(struct ctl_switch *, const struct port_id *,
                       const uint8_t *frame, size_t);

/* Does the route have to do with single hosts? */
bool route_is_unicast(const struct route *);
/* Whom routes want, and the flows of addresses that streams are sent to: on
 * one switch; on all, if ctl->unicast_stale. */
void unicast_set(struct ctl_switch *);
void unicast_compile(struct ctl *);
/* Must ARP be shown to us? */
bool unicast_wants_arp(const struct ctl_switch *);
/* The switch has this flow of the route, from before a restart. */
void unicast_restore(struct ctl_switch *, const struct route *,
                     const struct ofp_adopted *);

/* Where the target, a host, was heard last, of all switches; its port.  False:
 * nowhere. */
bool unicast_find(const struct ctl *, const struct route *,
                  const struct route_target *, struct port_id *);

/* The same of whom some switch looks for. */
bool unicast_find_anywhere(const struct ctl *, const struct neighbour_key *,
                           struct port_id *);

/* The copy for a host, after the route's own rewriting; 'vlan' is the packets'
 * then, -1 is any.  'out_port' is 0 if there is none yet, or not here. */
void route_add_host(struct route_build *, const struct route_target *,
                    int vlan, struct ofp_bucket *);

#endif
