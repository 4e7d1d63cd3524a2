/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_PIPELINE_H
#define CONTROLLER_PIPELINE_H 1

/* The flows that a switch always has, and those of its vlans and ports.
 * Included by ctl-private.h. */

#include "controller/ctl-private.h"

/* pipeline.c */
void pipeline_set(struct ctl_switch *);
/* A port that is there, or not any more. */
void pipeline_set_port(struct ctl_switch *, const struct topo_port *);
void pipeline_unset_port(struct ctl_switch *, uint32_t no);
/* Whether and which ARP is shown to us. */
void pipeline_set_arp(struct ctl_switch *);
/* A flow of the pipeline's own; one that sends all that is left to 'next'. */
void pipeline_set_flow(struct ctl_switch *, const struct ofp_flow *);
void pipeline_set_miss(struct ctl_switch *, uint8_t table, uint8_t next);
/* With l2: fabric frames that came by a link are on their way: they have met
 * the routes of the switch where they entered. */
void pipeline_set_transit(struct ctl_switch *, uint8_t table, uint8_t metadata,
                          uint8_t next);
/* What to do with unregistered groups of a vlan. */
void pipeline_set_vlan(struct ctl_switch *, struct ctl_vlan *);
/* Puts the policy's actions for the family of the flow's EtherType (IPv4 if
 * it has none) into 'flow'; returns the number of buckets, which
 * the caller frees. */
size_t pipeline_policy(const struct ctl_switch *, const struct ctl_vlan *,
                       enum igmp_family, struct ofp_flow *,
                       struct ofp_bucket **);

/* admit.c */
void admit_set(struct ctl_switch *);
void admit_set_reserved(struct ctl_switch *, uint16_t priority);
/* What the port leads to (l2: fabric). */
void admit_set_role(struct ctl_switch *, uint32_t no, enum topo_role);

#endif
