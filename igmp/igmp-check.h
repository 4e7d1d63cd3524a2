/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_CHECK_H
#define IGMP_CHECK_H 1

/* Which well-formed messages a snooper may believe: TTL and addresses.
 *
 * It is apart from the parser, which only tells, and from the machine, which
 * knows no family.  Addresses are checked against the family: an IPv4-mapped
 * one is no IPv6 address on the wire. */

#include <stdbool.h>

#include "igmp/igmp-msg.h"

/* Of the whole message; the groups of a v3 report are left to
 * igmp_check_group(). */
enum igmp_error igmp_check_msg(const struct igmp_msg *);
/* May it have state?  IGMP_IGNORED: 224.0.0.0/24 has none (RFC 4541 2.1.2),
 * nor have ff02::/16, which neighbour discovery lives on, and the scopes that
 * never leave a host (RFC 3810 6).  They reach everybody. */
enum igmp_error igmp_check_group(enum igmp_family, const struct ip_addr *);
/* Can it be the source of packets? */
bool igmp_check_source(enum igmp_family, const struct ip_addr *);

#endif
