/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_FAKE_PACKET_H
#define TESTS_SIM_FAKE_PACKET_H 1

/* Frames: what a switch reads out of them and how it rewrites them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow;
struct ofpact;

struct fake_frame {
    uint8_t *data;
    size_t size;
};

/* The fields that matches may name.  Other fields are left zero. */
void fake_packet_extract(const struct fake_frame *, uint32_t in_port,
                         struct flow *);

enum fake_rewrite {
    FAKE_REWRITE_DONE,
    FAKE_REWRITE_NONE,   /* Not a header change. */
    FAKE_REWRITE_DAMAGE, /* Done as OVS 3.1 does, which damages the frame. */
    FAKE_REWRITE_EXPIRED /* dec_ttl hit TTL 1 or 0. */
};

/* Applies one action to the frame if it is a header change. */
enum fake_rewrite fake_packet_rewrite(struct fake_frame *,
                                      const struct ofpact *);

#endif
