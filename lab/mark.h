/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_MARK_H
#define LAB_MARK_H 1

/* The test packets of the lab: what mcsend writes and mcrecv verifies.
 *
 * A mark at the head of the UDP payload tells how the packet left its sender,
 * so that a receiver alone can say what was rewritten on the way.  The rest
 * of the payload is a pattern that follows from the sequence number, so that
 * one changed byte is seen.  IPv4 and IPv6 have marks of different size. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { MARK_SIZE_V4 = 40, MARK_SIZE_V6 = 64, MARK_MAX_FRAME = 1518 };

/* What a network may rewrite; host byte order. */
struct mark_path {
    struct ip_addr source, group;
    uint16_t port;
    uint16_t vlan; /* 0 = untagged. */
    uint8_t ttl;   /* Or hop limit. */
};

struct mark {
    struct mark_path sent;
    uint32_t stream; /* Tells streams of one receiver apart. */
    uint64_t seq;
    uint64_t time_ns; /* CLOCK_MONOTONIC at the sender. */
};

enum mark_verdict {
    MARK_OK,
    MARK_FOREIGN, /* Not one of ours. */
    MARK_DAMAGED  /* Ours, but not as it was sent. */
};

/* The least payload for packets to 'group'. */
size_t mark_size(const struct ip_addr *group);
/* Fills 'payload', which has 'size' >= mark_size() bytes. */
void mark_put(uint8_t *payload, size_t size, const struct mark *);
enum mark_verdict mark_get(const uint8_t *payload, size_t size, struct mark *);

/* Writes Ethernet, IP and UDP headers around a marked payload of 'size'
 * bytes, with right checksums.  'frame' has room for MARK_MAX_FRAME bytes.
 * Returns the frame's size. */
size_t mark_frame_put(uint8_t *frame, const uint8_t mac[6], size_t size,
                      const struct mark *);

/* A frame as it came off a wire. */
struct mark_frame {
    struct mark_path path;
    struct mac_addr eth_dst;
    const uint8_t *payload;
    size_t size;
    bool mac_ok; /* 'eth_dst' is that of the group, or of one host. */
    bool ip_ok;  /* IPv4 header checksum. */
    bool udp_ok; /* UDP checksum; true where IPv4 has none. */
    bool no_udp_checksum;
};

/* False where it is not UDP to an IP multicast group.  A tag that the kernel
 * has taken out of the frame is for the caller to add. */
bool mark_frame_get(const uint8_t *frame, size_t size, struct mark_frame *);

#endif
