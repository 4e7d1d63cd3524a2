/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_ARP_H
#define LIB_ARP_H 1

/* ARP for IPv4 over Ethernet (RFC 826): frames <-> struct arp.
 *
 * It trusts no length and decides nothing: an all-zero or a multicast sender
 * is told as it stands. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { ARP_MAX_SIZE = 46 }; /* Of what arp_encode() writes. */

struct arp {
    struct mac_addr eth_src, eth_dst;
    uint16_t vlan; /* 0 = no tag, or one of priority only. */
    bool reply;    /* Else a request. */
    struct mac_addr sender_mac, target_mac;
    struct ip_addr sender_ip, target_ip; /* 0.0.0.0 in a probe's sender. */
};

/* False if the frame is anything else, or too short. */
bool arp_decode(const void *frame, size_t size, struct arp *);
/* Writes a whole Ethernet frame, without the padding to 60 bytes.  Returns its
 * size, 0 if it does not fit 'room'. */
size_t arp_encode(const struct arp *, void *buf, size_t room);

/* RFC 5227 2.1.1: asks whether somebody has 'ip', in such a way that nobody
 * takes it for ours.  To everybody. */
struct arp arp_probe(const struct mac_addr *, uint16_t vlan,
                     const struct ip_addr *ip);

#endif
