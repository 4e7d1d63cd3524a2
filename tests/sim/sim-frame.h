/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_FRAME_H
#define TESTS_SIM_SIM_FRAME_H 1

/* A packet of a stream, as fields and as bytes. */

#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { SIM_FRAME_SIZE = 128 };

struct sim_frame {
    struct ip_addr source, group; /* Both IPv4 or both IPv6. */
    struct mac_addr eth_dst;      /* All zero: that of the group. */
    uint16_t vlan;                /* 0 = no tag. */
    uint16_t udp_dst;
    uint8_t ttl, dscp;
};

/* All checksums are there.  Returns the size. */
size_t sim_frame_build(const struct sim_frame *, uint8_t buf[SIM_FRAME_SIZE]);

#endif
