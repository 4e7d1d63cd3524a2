/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FABRIC_HOOKS_H
#define CONTROLLER_FABRIC_HOOKS_H 1

/* What the rest of controller/ tells the fabric, and asks it.  Included by
 * ctl-private.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"
#include "ofp/ofp-session.h"
#include "ofp/ofp-table.h"
#include "topo/topo-links.h"

struct adopted_entry;
struct channel_key;
struct ctl;
struct ctl_switch;

/* fabric.c: none of it does anything unless l2: fabric. */
void fabric_create(struct ctl *);
void fabric_destroy(struct ctl *);
void fabric_reconfigure(struct ctl *);
void fabric_run(struct ctl *);       /* In a turn: before channels. */
void fabric_turn_ends(struct ctl *); /* After all tables have run. */
void fabric_switch_connected(struct ctl_switch *);
void fabric_switch_synced(struct ctl_switch *);
void fabric_switch_settled(struct ctl_switch *);
void fabric_switch_closed(struct ctl_switch *);
/* Of a switch that is synced. */
void fabric_port_up(struct ctl_switch *, const struct port_id *);
void fabric_port_down(struct ctl_switch *, const struct port_id *);
/* TOPO_ROLE_EDGE where there is no fabric. */
enum topo_role fabric_role(const struct ctl *, const struct port_id *);
/* Is it known of all its ports what they lead to?  Yes, without a fabric. */
bool fabric_knows_ports(const struct ctl_switch *);
/* The role that a flow found on the switch tells, and asking for it: until the
 * switch is synced. */
void fabric_adopt_role(struct ctl_switch *, uint32_t port, enum topo_role);
enum topo_role fabric_found_role(const struct ctl_switch *, uint32_t port);
/* A frame that was punted: true if it is a probe, and has been dealt with. */
bool fabric_input(struct ctl *, const struct port_id *, const uint8_t *frame,
                  size_t size);
/* Who wants the channel at a switch has changed; whoever wants any of the
 * vlan; the switch has one source more or less of a channel; one route more or
 * less leads to it. */
void fabric_member_changed(struct ctl *, uint64_t dpid, uint16_t vlan,
                           const struct ip_addr *group);
void fabric_routers_changed(struct ctl *, uint16_t vlan, enum igmp_family);
void fabric_vlan_changed(struct ctl *, uint16_t vlan);
void fabric_source(struct ctl_switch *, uint16_t vlan,
                   const struct ip_addr *group, int change);
/* Has the channel members anywhere? */
bool fabric_is_wanted(const struct ctl_switch *, uint16_t vlan,
                      const struct ip_addr *group);
/* A packet that the switch has shown us and not passed on, to all members
 * wherever they are; 'registered': as one of a channel, not as unregistered.
 * False: there are none. */
bool fabric_deliver(struct ctl_switch *, const struct channel *,
                    bool registered, const void *frame, size_t size);
void fabric_register(struct ctl_switch *, const struct channel_key *,
                     int change);
/* Links that get copies; 'moving': of the tree that the channel moves to. */
void fabric_each_port(const struct ctl_switch *, uint16_t vlan,
                      const struct ip_addr *source,
                      const struct ip_addr *group, bool moving,
                      void (*cb)(void *aux, uint32_t port), void *aux);
/* While a channel moves to another tree: does this switch know marked packets
 * (MOVE_MARKED), does it mark what comes from its hosts (MOVE_FLIPPED), or,
 * as it leaves the tree, show it to us (MOVE_LEFT)? */
enum move_way { MOVE_MARKED, MOVE_FLIPPED, MOVE_LEFT };
bool fabric_moves(const struct ctl_switch *, uint16_t vlan,
                  const struct ip_addr *group, enum move_way);
/* Any of them? */
bool fabric_is_moving(const struct ctl_switch *, uint16_t vlan,
                      const struct ip_addr *group);
void fabric_each_router_port(const struct ctl_switch *, uint16_t vlan,
                             enum igmp_family,
                             void (*cb)(void *aux, uint32_t port), void *aux);
/* Until a restarted daemon has heard all, and while the channel moves: how
 * many of its sources have had entries of their own; they are written to
 * 'sources' unless that is NULL. */
size_t fabric_held_sources(const struct ctl_switch *,
                           const struct channel_key *,
                           struct ip_addr *sources);
/* Does the channel's tree touch the switch? */
bool fabric_is_on(const struct ctl_switch *, uint16_t vlan,
                  const struct ip_addr *group);
/* Do links lead from one to the other? */
bool fabric_is_joined(const struct ctl_switch *, const struct ctl_switch *);
/* Trees of routes, by label (route-far.h): the switch has one entry more or
 * less for streams of it; who gets copies may be others; is the switch on it;
 * its links; does it move; three bytes for the cookies of its flows. */
void fabric_far_source(struct ctl_switch *, const struct mac_addr *label,
                       int change);
void fabric_far_changed(struct ctl *, const struct mac_addr *label);
bool fabric_far_is_on(const struct ctl_switch *, const struct mac_addr *label);
void fabric_far_each_port(const struct ctl_switch *,
                          const struct mac_addr *label, bool moving,
                          void (*cb)(void *aux, uint32_t port), void *aux);
bool fabric_far_moves(const struct ctl_switch *, const struct mac_addr *label,
                      enum move_way);
uint32_t fabric_far_mark(const struct ctl_switch *,
                         const struct mac_addr *label);
/* Three bytes for the cookie of the channel's flows. */
uint32_t fabric_root_mark(const struct ctl_switch *, uint16_t vlan,
                          const struct ip_addr *group);
/* An entry found on a switch: which links it sends to. */
void fabric_adopt(struct ctl_switch *, const struct adopted_entry *);

/* l2.c: likewise. */
void l2_compile(struct ctl *);
void l2_packet_in(struct ctl_switch *, const struct ofp_packet_in *);
void l2_flow_removed(struct ctl_switch *, const struct ofp_flow_removed *);
void l2_adopt(struct ctl_switch *, const struct ofp_adopted *);

#endif
