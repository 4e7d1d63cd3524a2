/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SAY_H
#define IGMP_SAY_H 1

/* Reports of many groups, packed into as few frames as an Ethernet's MTU
 * allows (RFC 3376 4.2.16, RFC 3810 5.2.15).
 *
 *     struct igmp_say say;
 *     igmp_say_begin(&say, voice, port, version);
 *     igmp_say_record(&say, ...); ...
 *     igmp_say_end(&say);
 *
 * Frames leave through 'voice->send' as they become full. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-msg.h"
#include "lib/mcaddr.h"

/* In whose name. */
struct igmp_voice {
    enum igmp_family family;
    uint16_t vlan;
    struct mac_addr mac;
    struct ip_addr address; /* IP_ADDR_ANY: 0.0.0.0, which hosts that have no
                             * address use too (RFC 3376 4.2.13). */
    void (*send)(void *aux, const struct port_id *, const void *frame,
                 size_t size);
    void *aux;
};

/* A packet of 1500 bytes without its IP header (IPv4: 20 + Router Alert 4;
 * IPv6: 40 + hop-by-hop options 8) and the report's own 8 bytes.  A record
 * takes 8 bytes and 4 a source (IPv6: 20, 16). */
enum {
    IGMP_SAY_ROOM_V4 = 1500 - 24 - 8,
    IGMP_SAY_ROOM_V6 = 1500 - 48 - 8,
    IGMP_SAY_RECORDS = IGMP_SAY_ROOM_V4 / 8,
    IGMP_SAY_SOURCES = IGMP_SAY_ROOM_V4 / 4
};

struct igmp_say {
    const struct igmp_voice *voice;
    const struct port_id *port;
    int version;
    unsigned int n_frames; /* That were sent. */

    size_t left; /* Bytes. */
    size_t n_records, n_sources;
    struct igmp_report_record records[IGMP_SAY_RECORDS];
    struct ip_addr sources[IGMP_SAY_SOURCES]; /* Of the records. */
};

void igmp_say_begin(struct igmp_say *, const struct igmp_voice *,
                    const struct port_id *, int version);
/* A group record, of version 3 only. */
void igmp_say_record(struct igmp_say *, enum igmp_record_type,
                     const struct ip_addr *group,
                     const struct ip_addr *sources, size_t n);
/* A report or a leave of versions 1 and 2 (which has no leave: nothing). */
void igmp_say_older(struct igmp_say *, const struct ip_addr *group,
                    bool leave);
void igmp_say_end(struct igmp_say *);

#endif
