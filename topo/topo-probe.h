/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_PROBE_H
#define TOPO_PROBE_H 1

/* Probe frames.
 *
 * A probe is an LLDP frame (IEEE 802.1AB-2016, 8 and 9.2) to the nearest
 * bridge, so that a bridge in between does not pass it on: chassis id, port
 * id, TTL, and an organisationally specific TLV (8.6) with what only we read:
 *
 *      version (1), kind (1), dpid (8), port (4), number (8), code (32)
 *
 * 'code' is HMAC-SHA256 (RFC 2104) over all of the frame before it but the
 * destination, with a key that nobody but this daemon knows.  Nothing may
 * follow but the end of the LLDPDU.
 *
 * An echo request has the same contents behind another destination and
 * EtherType: a switch of ours returns it to the port that it came from, with
 * TOPO_ECHO_REPLY_MAC as its destination, without asking anybody. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum {
    TOPO_ETH_TYPE_LLDP = 0x88cc,
    TOPO_ETH_TYPE_ECHO = 0x88b5, /* Local experimental (IEEE 802). */
    TOPO_KEY_SIZE = 32,
    TOPO_PROBE_SIZE = 160 /* No probe is larger. */
};

extern const struct mac_addr TOPO_PROBE_MAC;        /* 01:80:c2:00:00:0e */
extern const struct mac_addr TOPO_ECHO_REQUEST_MAC; /* 02:4f:46:4d:00:01 */
extern const struct mac_addr TOPO_ECHO_REPLY_MAC;   /* 02:4f:46:4d:00:02 */

enum topo_probe_kind { TOPO_PROBE_LINK, TOPO_PROBE_ECHO };

struct topo_probe {
    enum topo_probe_kind kind;
    struct port_id from;
    uint64_t number;
};

enum topo_probe_error {
    TOPO_PROBE_OK,
    TOPO_PROBE_FOREIGN, /* Somebody else's, or no LLDP at all. */
    TOPO_PROBE_FORGED   /* Claims to be ours: the code is wrong, or the frame
                         * is damaged. */
};

/* Returns the size.  'src' is the frame's source address. */
size_t topo_probe_encode(const struct topo_probe *,
                         const uint8_t key[TOPO_KEY_SIZE],
                         const struct mac_addr *src,
                         uint8_t frame[TOPO_PROBE_SIZE]);
/* A frame as it was punted: a probe, or an echo that has been returned. */
enum topo_probe_error topo_probe_decode(const void *frame, size_t size,
                                        const uint8_t key[TOPO_KEY_SIZE],
                                        struct topo_probe *);

#endif
