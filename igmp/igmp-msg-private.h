/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_MSG_PRIVATE_H
#define IGMP_MSG_PRIVATE_H 1

/* What the files behind igmp-msg.h share:
 *
 *   igmp-msg.c       Ethernet, IPv4, IGMP: reading
 *   mld-msg.c        IPv6, MLD: reading
 *   igmp-signs.c     Multicast Router Discovery and PIM, of both families
 *   igmp-envelope.c  Ethernet, IPv4, IPv6: building
 *   igmp-build.c     IGMP: building
 *   mld-build.c      MLD: building */

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

/* igmp-signs.c */
/* 'kind' is one of IGMP_ROUTER_*; the checksum was right. */
enum igmp_error igmp_mrd_decode(struct wire_reader *, enum igmp_kind kind,
                                struct igmp_msg *);
/* What follows the IP header. */
enum igmp_error igmp_pim_decode(struct wire_reader *, struct igmp_msg *);

/* igmp-envelope.c */
/* Ethernet and IP around a message that is to be built. */
struct igmp_envelope {
    enum igmp_family family;
    struct mac_addr eth_dst; /* All zero: the one of 'ip_dst'. */
    struct mac_addr eth_src;
    uint16_t vlan; /* 0 = no tag. */
    struct ip_addr ip_src, ip_dst;
    bool is_pim; /* Else IGMP or ICMPv6, with Router Alert. */

    size_t ip_at, message_at; /* Where they begin. */
};

/* The message is written between the two; igmp_envelope_end() fills in
 * lengths and checksums and returns the frame's size, 0 if it did not fit. */
void igmp_envelope_begin(struct igmp_envelope *, struct wire_writer *);
size_t igmp_envelope_end(const struct igmp_envelope *, struct wire_writer *);

/* igmp-build.c */
/* The byte of flags and QRV, and QQIC: the same in both families. */
void igmp_query_flags_put(struct wire_writer *, const struct igmp_query *);

/* mld-build.c */
size_t mld_query_encode(const struct igmp_query *, void *buf, size_t room);
size_t mld_report_encode(const struct igmp_report *, void *buf, size_t room);

#endif
