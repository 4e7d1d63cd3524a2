/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_FAR_H
#define CONTROLLER_ROUTE_FAR_H 1

/* Routes whose copies leave at other switches than the one where the stream
 * enters (l2: fabric): see route-far.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/route-build.h"

/* The tree that such a route has, for streams of one vlan. */
struct far {
    UT_hash_handle hh; /* In ctl->fars, by label. */
    struct far *next;  /* In rule->fars. */
    /* The destination address of its packets on links.  From the route's name:
     * the same after a restart. */
    struct mac_addr label;
    struct rule *rule;
    int vlan; /* Where they enter; -1: any. */
};

/* The first byte of labels, which groups and packets of moving channels have
 * not; a bit of it tells that the tree is the one that it moves to. */
enum { FAR_LABEL = 0x8b, FAR_MOVES = 4, FAR_MASK = 0xff & ~FAR_MOVES };

/* May copies of it leave at other switches? */
bool route_is_far(const struct ctl *, const struct route *);
/* Makes rule->fars what the route needs; takes them away. */
void route_far_update(struct ctl *, struct rule *);
void route_far_forget(struct ctl *, struct rule *);
/* Who gets copies may be others. */
void route_far_changed(struct ctl *, const struct rule *);
void route_far_member_changed(struct ctl *, uint16_t vlan,
                              const struct ip_addr *group);

/* The tree with this label, of streams that are of 'vlan' where they enter;
 * NULL if there is none. */
struct far *far_lookup(const struct ctl *, const struct mac_addr *label);
struct far *route_far_of_vlan(const struct rule *, int vlan);
/* What its packets are known to be where they enter. */
struct channel route_far_channel(const struct route *, const struct far *);
/* Ports, or at least switches, where its copies leave, some more than once. */
typedef bool far_port_cb(void *aux, const struct port_id *);
void route_far_each_receiver(const struct ctl *, const struct mac_addr *label,
                             far_port_cb *, void *aux);
/* What the switch has of the tree is to be compiled. */
void route_far_mark(struct ctl *, const struct mac_addr *label, uint64_t dpid);
/* Is it on some tree of the route? */
bool route_far_is_on(const struct ctl_switch *, const struct rule *);

/* The part has a flow that sends to b->far. */
void route_far_feed(struct route_build *);
void route_far_unfeed(struct ctl_switch *, const struct rule_part *);
/* The entries of the route's trees on this switch. */
void route_far_compile(struct ctl_switch *, struct rule *, struct rule_part *);
/* Completes what leaves: links, and the Ethernet address of the rest. */
void route_far_finish(struct route_build *, struct bucket_list *);
/* A target that is at another switch: is there a way?  If not the part says
 * what it waits for. */
void route_far_check(struct route_build *, const struct route_target *);
/* Why fragments of what the flow of switch 'entry' (0: any) matches cannot be
 * rewritten as the targets elsewhere want it, and at which switch; NULL: they
 * can.  The route is far. */
const char *route_far_danger(const struct ctl *, const struct route *,
                             uint64_t entry, const struct ofp_flow *,
                             uint64_t *dpid);
/* The entry that a packet of the channel, as it is on links, meets. */
bool route_far_find_flow(const struct ctl_switch *, const struct rule *,
                         int vlan, const struct channel *,
                         struct ofp_entry_view *, struct ofp_match *);
/* The switch has this entry, from before a restart. */
void route_far_restore(struct ctl_switch *, const struct ofp_adopted *);

#endif
