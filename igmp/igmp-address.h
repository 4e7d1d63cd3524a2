/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_ADDRESS_H
#define IGMP_ADDRESS_H 1

/* Which IPv4 address the queries of a vlan come from, if nobody configured
 * one.
 *
 * A querier needs an address that its hosts take for a neighbour's: some drop
 * queries from elsewhere (rp_filter), and 0.0.0.0 loses every election.  So
 * it is chosen where the hosts are: the /24 that most of those that were heard
 * lately use, in it the smallest power-of-two block around them (a /28 at
 * least), from the top of that, as real routers like the low addresses and
 * shall win.  It is probed like any host's (RFC 5227 2.1): three times, and
 * when nobody answers, it is ours.
 *
 * Nobody ever sends us anything by it, so it is not worth a quarrel: as soon
 * as somebody else shows it, or only asks for it, we take another.  When the
 * hosts have moved to another /24 for good, we follow; until the new address
 * is found to be free the old one serves.
 *
 * What it must hear, of each vlan: ARP requests of whomever, ARP replies to
 * our own MAC address, and the senders of IGMP messages.
 *
 * Time: milliseconds; call igmp_address_run() no later than
 * igmp_address_deadline().
 *
 * Limits: 256 hosts are remembered, each for 15 minutes after it was last
 * heard; more than four addresses that are equal modulo 64 push each other
 * out, the one that was silent longest first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arp.h"
#include "lib/mcaddr.h"

struct igmp_address;

struct igmp_address_ops {
    /* Send a frame, of igmp_address_create()'s vlan, out of every port of the
     * vlan. */
    void (*send)(void *aux, const void *frame, size_t size);
    /* igmp_address_get() changed; IP_ADDR_ANY: there is none now. */
    void (*changed)(void *aux, const struct ip_addr *);
};

struct igmp_address *igmp_address_create(uint16_t vlan,
                                         const struct mac_addr *ours,
                                         const struct igmp_address_ops *,
                                         void *aux);
void igmp_address_destroy(struct igmp_address *); /* NULL is fine. */

/* ARP that was heard.  Our own, come back, is ignored. */
void igmp_address_arp(struct igmp_address *, const struct arp *, int64_t now);
/* 'mac' sent IGMP from 'ip', which may be any. */
void igmp_address_host(struct igmp_address *, const struct mac_addr *,
                       const struct ip_addr *ip, int64_t now);

void igmp_address_run(struct igmp_address *, int64_t now);
int64_t igmp_address_deadline(const struct igmp_address *);

/* IP_ADDR_ANY: none yet, queries go out from 0.0.0.0. */
struct ip_addr igmp_address_get(const struct igmp_address *);

/* For MLD no choice is needed: fe80::/64 with the EUI-64 of the MAC address
 * (RFC 4291 2.5.6, appendix A). */
struct ip_addr igmp_address_link_local(const struct mac_addr *);

#endif
