/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_NEUTRAL_H
#define LIB_NEUTRAL_H 1

/* Rewriting IPv4 addresses without touching the checksum of what they carry
 * (the idea of RFC 6296): if the one's complement sum of source and
 * destination is the same as before, so is the checksum of UDP or TCP, whose
 * pseudo header has both (RFC 768, RFC 9293 3.1).
 *
 * Pure arithmetic.  Addresses are in host order; a sum is 0 to 0xfffe. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/mcaddr.h"

/* The one's complement sum of the two halves of an address. */
uint16_t neutral_sum(uint32_t address);
uint16_t neutral_add(uint16_t, uint16_t);
uint16_t neutral_subtract(uint16_t, uint16_t);

/* The first host address in 'pool' that can take the place of 'source' when
 * 'group' becomes 'new_group' (the same, if it stays).  Hosts do not end in
 * .0 or .255.  False if there is none among the first 262144: most /16 have
 * one, one in 256 of /24 has. */
bool neutral_source(const struct ip_addr *source, const struct ip_addr *group,
                    const struct ip_addr *new_group,
                    const struct ip_prefix *pool, struct ip_addr *out);

#endif
