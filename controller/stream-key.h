/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_STREAM_KEY_H
#define CONTROLLER_STREAM_KEY_H 1

/* Which stream a packet is of. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

/* No padding: a hash key. */
struct stream_key {
    struct port_id port;
    struct ip_addr source, group;
    uint64_t vlan;
};

/* Fills in vlan, source and group of an Ethernet frame, and its TTL or hop
 * limit; false if it is no IP multicast, nor, if 'routed', any IP at all: a
 * route may take what is sent to a host. */
bool stream_key_parse(const uint8_t *frame, size_t size, bool routed,
                      struct stream_key *, uint8_t *ttl);

#endif
