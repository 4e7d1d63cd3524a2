/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_HOSTS_H
#define IGMP_HOSTS_H 1

/* The hosts behind one (group, port): a list sorted by MAC.  They are shown,
 * and decide nothing: a host may be silent because another one spoke for it
 * (report suppression of IGMPv1 and v2). */

#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-group.h"
#include "lib/mcaddr.h"

/* A record of 'type' came from a host. */
void igmp_hosts_report(struct igmp_group *, struct igmp_group_ctx *,
                       int version, uint8_t type, size_t n_sources,
                       const struct mac_addr *, const struct ip_addr *);
/* Those that have not reported for a membership interval go. */
void igmp_hosts_expire(struct igmp_group *, struct igmp_group_ctx *);

#endif
