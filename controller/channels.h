/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CHANNELS_H
#define CONTROLLER_CHANNELS_H 1

/* Channels: what members and filters of a group come to on a switch.  Included
 * by ctl-private.h. */

#include "controller/ctl-private.h"

/* channels.c */
struct channel_state *channel_lookup(const struct ctl_switch *, uint16_t vlan,
                                     const struct ip_addr *group);
/* The next of the switch's after 'c', the first after NULL; in no order. */
struct channel_state *channel_next(const struct ctl_switch *,
                                   const struct channel_state *c);
void channel_mark(struct ctl *, uint64_t dpid, uint16_t vlan,
                  const struct ip_addr *group);
void channels_mark_vlan(struct ctl_switch *, uint16_t vlan);
void channels_mark_all(struct ctl_switch *);
/* A route leads to this channel: it is compiled without members too. */
void channel_register(struct ctl_switch *, const struct channel_key *);
void channel_unregister(struct ctl_switch *, const struct channel_key *);
void channels_compile(struct ctl *);
void channels_destroy(struct ctl_switch *);
struct ofp_match channel_match(const struct channel *);
/* Are not all members known, so that all get it? */
bool channel_is_flooded(const struct ctl_vlan *, const struct ip_addr *group);
/* Does anybody behind this switch have a filter for the group? */
bool channel_has_members(const struct ctl_switch *, uint16_t vlan,
                         const struct ip_addr *group);
/* Flow counters have come in: arms and disarms the search for sources. */
void channels_counted(struct ctl_switch *, int64_t now);
void channel_source_known(struct ctl_switch *, const struct channel *);
/* A source is gone; its group has others, or not. */
void channel_source_lost(struct ctl_switch *, const struct channel *,
                         bool others);
/* The switch has these entries of one (vlan, group) from before a restart,
 * the (*,G) first. */
void channel_restore(struct ctl_switch *, const struct adopted_entry *,
                     size_t n);

/* channel-move.c */
/* Sets and takes away what a channel needs while it moves to another tree, or
 * (no way) all of it. */
void channel_set_move(struct ctl_switch *, const struct channel *);
void channel_unset_move(struct ctl_switch *, const struct channel *);
/* What no switch of a fabric is ever without. */
void channel_set_guard(struct ctl_switch *);

/* copies.c */
/* Copies that this switch makes of the channel, sorted so that equal rewrites
 * stand side by side, those to router ports among them; the caller frees the
 * array. */
size_t copies_of(const struct ctl_switch *, uint16_t vlan,
                 const struct ip_addr *source, const struct ip_addr *group,
                 struct ofp_copy **);
/* The same without links; over the tree that the channel moves to. */
size_t copies_here(const struct ctl_switch *, uint16_t vlan,
                   const struct ip_addr *source, const struct ip_addr *group,
                   struct ofp_copy **);
size_t copies_moving(const struct ctl_switch *, uint16_t vlan,
                     const struct ip_addr *source, const struct ip_addr *group,
                     struct ofp_copy **);
/* On top of the bucket's rewrite: the host's MAC address wins over the
 * group's, and no tag over any. */
void copy_to_bucket(const struct ofp_copy *, struct ofp_bucket *);

#endif
