/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include "igmp/igmp-msg-private.h"

/* What tells of routers besides queries: Multicast Router Discovery
 * (RFC 4286), whose messages are IGMP's and ICMPv6's, and PIM's hello
 * (RFC 7761 4.9.2). */

enum {
    MRD_SIZE = 4,
    MRD_ADVERTISEMENT_SIZE = 8,
    MRD_MIN_INTERVAL = 4, /* Seconds, RFC 4286 3.1.1. */

    PIM_PROTOCOL = 103,
    PIM_HEADER_SIZE = 4,
    PIM_VERSION_HELLO = 0x20, /* Version 2, type 0. */
    PIM_OPTION_HOLDTIME = 1,
    PIM_HOLDTIME_FOREVER = 0xffff,
    PIM_HOLDTIME_DEFAULT = 105 /* Seconds, RFC 7761 4.11. */
};

/* Neighbor Dead Interval, RFC 4286 3.1.5: three times the interval and the
 * jitter, which is a fortieth of it (3.1.2). */
enum { MRD_DEAD_MS_A_SECOND = 3025 };

enum igmp_error
igmp_mrd_decode(struct wire_reader *r, enum igmp_kind kind, struct igmp_msg *m)
{
    size_t least =
        kind == IGMP_ROUTER_ADVERTISEMENT ? MRD_ADVERTISEMENT_SIZE : MRD_SIZE;

    if (wire_left(r) < least) {
        return IGMP_BAD_LENGTH;
    }
    m->kind = kind;
    wire_skip(r, 1); /* Type. */
    if (kind == IGMP_ROUTER_ADVERTISEMENT) {
        int64_t interval = wire_get_u8(r);

        interval = interval < MRD_MIN_INTERVAL ? MRD_MIN_INTERVAL : interval;
        m->lifetime_ms = interval * MRD_DEAD_MS_A_SECOND;
    }
    return IGMP_OK;
}

/* The options of a hello: only how long it holds is of interest. */
static enum igmp_error
decode_hello_options(struct wire_reader *r, struct igmp_msg *m)
{
    m->lifetime_ms = PIM_HOLDTIME_DEFAULT * 1000;
    while (wire_left(r)) {
        uint16_t type = wire_get_be16(r);
        struct wire_reader value = wire_sub(r, wire_get_be16(r));

        if (r->failed) {
            return IGMP_TRUNCATED;
        }
        if (type == PIM_OPTION_HOLDTIME) {
            uint16_t holdtime = wire_get_be16(&value);

            if (value.failed) {
                return IGMP_BAD_LENGTH;
            }
            m->lifetime_ms = holdtime == PIM_HOLDTIME_FOREVER
                                 ? INT64_MAX
                                 : holdtime * INT64_C(1000);
        }
    }
    return IGMP_OK;
}

enum igmp_error
igmp_pim_decode(struct wire_reader *r, struct igmp_msg *m)
{
    const uint8_t *bytes = r->data + r->at;
    size_t size = wire_left(r);

    if (size < PIM_HEADER_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    if (bytes[0] != PIM_VERSION_HELLO) {
        return IGMP_NOT_IGMP; /* PIM's other messages are none of ours. */
    }
    if (m->family == IGMP_IPV6
            ? mld_checksum(&m->ip_src, &m->ip_dst, PIM_PROTOCOL, bytes, size)
            : wire_checksum(bytes, size)) {
        return IGMP_BAD_CHECKSUM;
    }
    m->kind = IGMP_PIM_HELLO;
    wire_skip(r, PIM_HEADER_SIZE);
    return decode_hello_options(r, m);
}

/* Building. */

/* 224.0.0.'last' or ff02::'last': RFC 4286 3.2, 4.2, 5.2, RFC 7761 4.3.1. */
static struct ip_addr
destination(const struct igmp_sign *sign)
{
    uint8_t last = sign->kind == IGMP_PIM_HELLO             ? 0x0d
                   : sign->kind == IGMP_ROUTER_SOLICITATION ? 0x02
                                                            : 0x6a;

    if (sign->family == IGMP_IPV6) {
        return (struct ip_addr){{0xff, 0x02, [15] = last}};
    }
    return ip_addr_v4(UINT32_C(0xe0000000) | last);
}

static void
put_mrd(struct wire_writer *w, const struct igmp_sign *sign)
{
    static const uint8_t types[IGMP_N_FAMILIES][3] = {{0x30, 0x31, 0x32},
                                                      {151, 152, 153}};
    bool is_advertisement = sign->kind == IGMP_ROUTER_ADVERTISEMENT;
    int64_t interval = sign->lifetime_ms / MRD_DEAD_MS_A_SECOND;

    wire_put_u8(w,
                types[sign->family][sign->kind - IGMP_ROUTER_ADVERTISEMENT]);
    wire_put_u8(w, !is_advertisement      ? 0
                   : interval > UINT8_MAX ? UINT8_MAX
                                          : (uint8_t) interval);
    wire_put_be16(w, 0); /* Checksum. */
    if (is_advertisement) {
        wire_put_be32(w, 0); /* It says nothing of its queries. */
    }
}

static void
put_hello(struct wire_writer *w, const struct igmp_sign *sign)
{
    int64_t seconds = sign->lifetime_ms / 1000;

    wire_put_u8(w, PIM_VERSION_HELLO);
    wire_put_u8(w, 0);
    wire_put_be16(w, 0); /* Checksum. */
    wire_put_be16(w, PIM_OPTION_HOLDTIME);
    wire_put_be16(w, 2);
    wire_put_be16(w, seconds >= PIM_HOLDTIME_FOREVER ? PIM_HOLDTIME_FOREVER
                                                     : (uint16_t) seconds);
}

size_t
igmp_sign_encode(const struct igmp_sign *sign, void *buf, size_t room)
{
    struct igmp_envelope e = {.family = sign->family,
                              .eth_src = sign->eth_src,
                              .vlan = sign->vlan,
                              .ip_src = sign->ip_src,
                              .ip_dst = destination(sign),
                              .is_pim = sign->kind == IGMP_PIM_HELLO};
    struct wire_writer w;

    if (sign->kind < IGMP_ROUTER_ADVERTISEMENT) {
        return 0;
    }
    wire_writer_init(&w, buf, room);
    igmp_envelope_begin(&e, &w);
    if (e.is_pim) {
        put_hello(&w, sign);
    } else {
        put_mrd(&w, sign);
    }
    return igmp_envelope_end(&e, &w);
}
