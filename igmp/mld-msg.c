/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include <string.h>

#include "igmp/igmp-msg-private.h"

/* MLD and the IPv6 around it.  RFC 2710 3, RFC 3810 5. */

enum {
    IP6_HEADER_SIZE = 40,
    NEXT_HOP_BY_HOP = 0,
    NEXT_FRAGMENT = 44,
    NEXT_ICMPV6 = 58,
    NEXT_PIM = 103,

    OPTION_PAD1 = 0,
    OPTION_ROUTER_ALERT = 5, /* RFC 2711 2.1. */

    MLD_TYPE_QUERY = 130,
    MLD_TYPE_V1_REPORT = 131,
    MLD_TYPE_V1_DONE = 132,
    MLD_TYPE_V2_REPORT = 143,
    TYPE_ROUTER_ADVERTISEMENT = 151, /* RFC 4286; two more follow. */
    TYPE_ROUTER_TERMINATION = 153,

    ICMPV6_MIN_SIZE = 4,
    MLD_V1_SIZE = 24,
    MLD_V2_QUERY_SIZE = 28,
    MLD_V2_REPORT_SIZE = 8,
    V6_WIDTH = 16
};

/* RFC 3810 5.1.3: 1 eee mmmmmmmmmmmm is (mmmmmmmmmmmm | 0x1000) <<
 * (eee + 3). */
unsigned int
mld_code_decode(uint16_t code)
{
    if (code < 0x8000) {
        return code;
    }
    return (unsigned int) ((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3);
}

uint16_t
mld_code_encode(unsigned int value)
{
    if (value < 0x8000) {
        return (uint16_t) value;
    }
    for (unsigned int exp = 0; exp < 8; exp++) {
        if (value < 0x2000u << (exp + 3)) {
            return (uint16_t) (0x8000 | exp << 12
                               | (value >> (exp + 3) & 0x0fff));
        }
    }
    return 0xffff;
}

/* Ones' complement sums add up, whatever they are of. */
uint16_t
mld_checksum(const struct ip_addr *src, const struct ip_addr *dst,
             uint8_t protocol, const void *data, size_t size)
{
    uint8_t pseudo[IP6_HEADER_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, pseudo, sizeof pseudo);
    wire_put(&w, src->b, sizeof src->b);
    wire_put(&w, dst->b, sizeof dst->b);
    wire_put_be32(&w, (uint32_t) size);
    wire_put_be32(&w, protocol);

    uint32_t sum = (uint32_t) (uint16_t) ~wire_checksum(pseudo, sizeof pseudo)
                   + (uint16_t) ~wire_checksum(data, size);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* Options that make no sense are left alone, as those of IPv4 are. */
static bool
has_router_alert(struct wire_reader options)
{
    while (wire_left(&options)) {
        uint8_t type = wire_get_u8(&options);

        if (type != OPTION_PAD1) {
            uint8_t size = wire_get_u8(&options);

            wire_skip(&options, size);
            if (type == OPTION_ROUTER_ALERT && size == 2 && !options.failed) {
                return true;
            }
        }
    }
    return false;
}

/* The hop-by-hop options: the only extension header that a message of ours
 * has (RFC 3810 5).  Returns the type of what follows. */
static uint8_t
step_over_options(struct wire_reader *r, struct igmp_msg *m)
{
    uint8_t next = wire_get_u8(r);
    size_t size = wire_get_u8(r) * (size_t) 8 + 6;

    m->router_alert = has_router_alert(wire_sub(r, size));
    return next;
}

/* The IPv6 header; '*payload' becomes what it carries, without the padding
 * that Ethernet may have put behind it. */
static enum igmp_error
decode_ip6(struct wire_reader *r, struct igmp_msg *m,
           struct wire_reader *payload, uint8_t *protocol)
{
    if (wire_left(r) < IP6_HEADER_SIZE) {
        return IGMP_TRUNCATED;
    }

    uint8_t version = wire_get_u8(r) >> 4;
    wire_skip(r, 3); /* The rest of the traffic class, the flow label. */
    size_t size = wire_get_be16(r);
    uint8_t next = wire_get_u8(r);
    m->ttl = wire_get_u8(r);
    wire_get(r, m->ip_src.b, sizeof m->ip_src.b);
    wire_get(r, m->ip_dst.b, sizeof m->ip_dst.b);
    if (version != 6) {
        return IGMP_BAD_IP_HEADER;
    }
    if (size > wire_left(r)) {
        return IGMP_TRUNCATED;
    }

    *payload = wire_sub(r, size);
    if (next == NEXT_HOP_BY_HOP) {
        next = step_over_options(payload, m);
        if (payload->failed) {
            return IGMP_BAD_IP_HEADER;
        }
    }
    if (next == NEXT_FRAGMENT) {
        /* Of what, its first byte tells. */
        return wire_get_u8(payload) == NEXT_ICMPV6 ? IGMP_FRAGMENT
                                                   : IGMP_NOT_IGMP;
    }
    *protocol = next;
    return IGMP_OK;
}

/* RFC 3810 8.1 tells the versions apart: 24 bytes are v1, 28 and more are v2,
 * anything else is nothing. */
static enum igmp_error
decode_query(struct wire_reader *r, size_t size, struct igmp_msg *m)
{
    if (size != MLD_V1_SIZE && size < MLD_V2_QUERY_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    m->kind = IGMP_QUERY;
    uint16_t code = wire_get_be16(r);
    wire_skip(r, 2); /* Reserved. */
    wire_get(r, m->group.b, sizeof m->group.b);
    if (size == MLD_V1_SIZE) {
        m->version = 2;
        m->max_resp_ms = code;
        return IGMP_OK;
    }

    uint8_t flags = wire_get_u8(r);
    m->version = 3;
    m->max_resp_ms = mld_code_decode(code);
    m->suppress = flags & 0x08;
    m->qrv = flags & 0x07;
    m->query_interval_ms = igmp_code_decode(wire_get_u8(r)) * 1000;
    m->sources.n = wire_get_be16(r);
    m->sources.width = V6_WIDTH;
    m->sources.bytes = wire_take(r, m->sources.n * (size_t) V6_WIDTH);
    return r->failed ? IGMP_TRUNCATED : IGMP_OK;
}

/* Longer ones are fine: the rest is ignored (RFC 2710 3.6). */
static enum igmp_error
decode_v1(struct wire_reader *r, size_t size, enum igmp_kind kind,
          struct igmp_msg *m)
{
    if (size < MLD_V1_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    m->kind = kind;
    m->version = 2;
    wire_skip(r, 4); /* Maximum Response Delay, reserved. */
    wire_get(r, m->group.b, sizeof m->group.b);
    return IGMP_OK;
}

static enum igmp_error
decode_icmp6(struct wire_reader *r, struct igmp_msg *m)
{
    const uint8_t *bytes = r->data + r->at;
    size_t size = wire_left(r);

    if (size < ICMPV6_MIN_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    uint8_t type = bytes[0];
    bool is_mrd =
        type >= TYPE_ROUTER_ADVERTISEMENT && type <= TYPE_ROUTER_TERMINATION;
    if ((type < MLD_TYPE_QUERY || type > MLD_TYPE_V1_DONE)
        && type != MLD_TYPE_V2_REPORT && !is_mrd) {
        return IGMP_NOT_IGMP; /* Neighbour discovery, for instance. */
    }
    if (mld_checksum(&m->ip_src, &m->ip_dst, NEXT_ICMPV6, bytes, size)) {
        return IGMP_BAD_CHECKSUM;
    }
    if (is_mrd) {
        int nth = type - TYPE_ROUTER_ADVERTISEMENT;

        return igmp_mrd_decode(
            r, (enum igmp_kind)(IGMP_ROUTER_ADVERTISEMENT + nth), m);
    }
    wire_skip(r, 4); /* Type, code, which is ignored, checksum. */
    switch (type) {
    case MLD_TYPE_QUERY:
        return decode_query(r, size, m);
    case MLD_TYPE_V1_REPORT:
        return decode_v1(r, size, IGMP_V2_REPORT, m);
    case MLD_TYPE_V1_DONE:
        return decode_v1(r, size, IGMP_V2_LEAVE, m);
    default:
        return size < MLD_V2_REPORT_SIZE ? IGMP_BAD_LENGTH
                                         : igmp_records_decode(r, V6_WIDTH, m);
    }
}

enum igmp_error
mld_msg_decode(struct wire_reader *r, struct igmp_msg *m)
{
    struct wire_reader payload;
    enum igmp_error error;
    uint8_t protocol;

    m->family = IGMP_IPV6;
    error = decode_ip6(r, m, &payload, &protocol);
    if (error) {
        return error;
    }
    return protocol == NEXT_ICMPV6 ? decode_icmp6(&payload, m)
           : protocol == NEXT_PIM  ? igmp_pim_decode(&payload, m)
                                   : IGMP_NOT_IGMP;
}
