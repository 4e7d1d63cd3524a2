/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_MSG_PRIVATE_H
#define IGMP_MSG_PRIVATE_H 1

/* What the files behind igmp-msg.h share:
 *
 *   igmp-msg.c     Ethernet, IPv4, IGMP: reading
 *   mld-msg.c      IPv6, MLD: reading
 *   igmp-signs.c   Multicast Router Discovery and PIM, of both families
 *   igmp-build.c   Ethernet, IPv4, IGMP: building
 *   mld-build.c    IPv6, MLD: building */

#include "igmp/igmp-msg.h"
#include "lib/wire.h"

/* igmp-msg.c */
/* Reads one record, whose addresses have 'width' bytes, and steps over its
 * auxiliary data. */
bool igmp_record_read(struct wire_reader *, uint8_t width,
                      struct igmp_record *);
/* The part of a v3 report behind its checksum: the same in both families. */
enum igmp_error igmp_records_decode(struct wire_reader *, uint8_t width,
                                    struct igmp_msg *);

/* mld-msg.c */
/* What follows EtherType 0x86dd. */
enum igmp_error mld_msg_decode(struct wire_reader *, struct igmp_msg *);
/* Maximum Response Code (RFC 3810 5.1.3) in milliseconds; the encoding rounds
 * down to what the floating form can say. */
unsigned int mld_code_decode(uint16_t code);
uint16_t mld_code_encode(unsigned int value);
/* With the pseudo header of RFC 8200 8.1. */
uint16_t mld_checksum(const struct ip_addr *src, const struct ip_addr *dst,
                      uint8_t protocol, const void *, size_t size);

/* igmp-build.c */
/* The Ethernet header in front of 'ip_dst', to the host 'eth_dst' unless that
 * is all zero. */
void igmp_ethernet_put(struct wire_writer *, const struct mac_addr *eth_dst,
                       const struct mac_addr *eth_src, uint16_t vlan,
                       uint16_t type, const struct ip_addr *ip_dst);
/* The byte of flags and QRV, and QQIC: the same in both families. */
void igmp_query_flags_put(struct wire_writer *, const struct igmp_query *);

/* mld-build.c */
size_t mld_query_encode(const struct igmp_query *, void *buf, size_t room);
size_t mld_report_encode(const struct igmp_report *, void *buf, size_t room);

#endif
