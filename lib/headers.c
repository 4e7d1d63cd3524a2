/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "lib/headers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "lib/xalloc.h"

enum {
    TYPE_VLAN = 0x8100,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    PROTO_UDP = 17,
    PROTO_FRAGMENT = 44,
    UDP_HEADER = 8,
    PSEUDO = 40, /* The longer one, of IPv6. */
    MORE = 0x2000,
    OFFSET = 0x1fff
};

static void
get_udp(struct wire_reader *r, struct headers *h)
{
    h->udp_checksum = HEADERS_SUM_UNKNOWN;
    if (h->protocol != PROTO_UDP || h->fragment_offset
        || wire_left(r) < UDP_HEADER) {
        return;
    }
    const uint8_t *udp = r->data + r->at;
    h->has_udp = true;
    h->udp_src = wire_get_be16(r);
    h->udp_dst = wire_get_be16(r);
    uint16_t length = wire_get_be16(r), sum = wire_get_be16(r);
    size_t rest =
        length < UDP_HEADER ? SIZE_MAX : length - (size_t) UDP_HEADER;
    if (!sum && ip_addr_is_v4(&h->source)) {
        h->udp_checksum = HEADERS_SUM_NONE;
        return;
    }
    if (h->is_fragment || rest > wire_left(r)) {
        return;
    }
    uint8_t *all = xmalloc(PSEUDO + (size_t) length);
    struct wire_writer w;
    wire_writer_init(&w, all, PSEUDO + (size_t) length);
    /* The sum is the same over the 16 bytes that an IPv4 address is kept in as
     * over its four: what is before them is the same in both, and adds twice
     * 0xffff, which is nothing. */
    wire_put(&w, h->source.b, sizeof h->source.b);
    wire_put(&w, h->destination.b, sizeof h->destination.b);
    wire_put_be32(&w, length);
    wire_put_be32(&w, PROTO_UDP);
    wire_put(&w, udp, length);
    h->udp_checksum =
        wire_checksum(all, w.at) ? HEADERS_SUM_BAD : HEADERS_SUM_GOOD;
    free(all);
}

static bool
get_ipv4(struct wire_reader *r, struct headers *h)
{
    const uint8_t *start = r->data + r->at;
    size_t header = (wire_get_u8(r) & 0xf) * 4U;
    h->dscp = wire_get_u8(r) >> 2;
    h->size = wire_get_be16(r);
    wire_skip(r, 2);
    uint16_t fragment = wire_get_be16(r);
    h->more_fragments = fragment & MORE;
    h->fragment_offset = (uint16_t) ((fragment & OFFSET) * 8);
    h->is_fragment = fragment & (MORE | OFFSET);
    h->ttl = wire_get_u8(r);
    h->protocol = wire_get_u8(r);
    wire_skip(r, 2);
    h->source = ip_addr_v4(wire_get_be32(r));
    h->destination = ip_addr_v4(wire_get_be32(r));
    wire_skip(r, header < 20 ? SIZE_MAX : header - 20); /* Options. */
    if (r->failed) {
        return false;
    }
    h->ip_checksum =
        wire_checksum(start, header) ? HEADERS_SUM_BAD : HEADERS_SUM_GOOD;
    return true;
}

static bool
get_ipv6(struct wire_reader *r, struct headers *h)
{
    uint32_t first = wire_get_be32(r);
    h->dscp = (first >> 22) & 0x3f;
    h->size = wire_get_be16(r) + 40U;
    h->protocol = wire_get_u8(r);
    h->ttl = wire_get_u8(r);
    wire_get(r, h->source.b, sizeof h->source.b);
    wire_get(r, h->destination.b, sizeof h->destination.b);
    h->ip_checksum = HEADERS_SUM_NONE;
    if (h->protocol == PROTO_FRAGMENT) {
        h->protocol = wire_get_u8(r);
        wire_skip(r, 1);
        uint16_t fragment = wire_get_be16(r);
        wire_skip(r, 4);
        h->is_fragment = true;
        h->more_fragments = fragment & 1;
        h->fragment_offset = fragment & 0xfff8;
    }
    return !r->failed;
}

bool
headers_parse(const uint8_t *frame, size_t size, struct headers *h)
{
    struct wire_reader r;
    memset(h, 0, sizeof *h);
    wire_reader_init(&r, frame, size);
    wire_get(&r, h->eth_dst.b, sizeof h->eth_dst.b);
    wire_get(&r, h->eth_src.b, sizeof h->eth_src.b);
    uint16_t type = wire_get_be16(&r);
    if (type == TYPE_VLAN) {
        h->vlan = wire_get_be16(&r) & 0xfff;
        type = wire_get_be16(&r);
    }
    if (r.failed
        || !(type == TYPE_IPV4   ? get_ipv4(&r, h)
             : type == TYPE_IPV6 ? get_ipv6(&r, h)
                                 : false)) {
        return false;
    }
    get_udp(&r, h);
    return true;
}
