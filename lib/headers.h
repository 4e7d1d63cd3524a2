/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_HEADERS_H
#define LIB_HEADERS_H 1

/* The headers of an IP packet in an Ethernet frame: for people who want to
 * see what really came, so nothing is refused that can be read, and a wrong
 * checksum is a finding.  Of IPv6's extension headers that of fragments is
 * known; behind others there is no UDP header to be seen.  Source: RFC 791,
 * RFC 8200, RFC 768, IEEE 802.1Q.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum headers_checksum {
    HEADERS_SUM_GOOD,
    HEADERS_SUM_BAD,
    HEADERS_SUM_NONE,    /* UDP over IPv4 without one. */
    HEADERS_SUM_UNKNOWN, /* Not all that it covers is there, or no UDP. */
};

struct headers {
    struct mac_addr eth_src, eth_dst;
    uint16_t vlan; /* 0: no tag. */
    struct ip_addr source, destination;
    uint8_t ttl; /* Or hop limit. */
    uint8_t dscp;
    uint8_t protocol;
    uint32_t size; /* Bytes of the IP packet, as its header says. */
    enum headers_checksum ip_checksum; /* Of the IPv4 header. */
    bool is_fragment, more_fragments;
    uint16_t fragment_offset; /* Bytes. */
    bool has_udp;             /* Of a fragment: the first one only. */
    uint16_t udp_src, udp_dst;
    enum headers_checksum udp_checksum;
};

/* False if it is no IP packet, or ends within its IP header. */
bool headers_parse(const uint8_t *frame, size_t size, struct headers *);

#endif
