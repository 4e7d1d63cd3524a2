/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg-private.h"

#include <string.h>

/* Building: Ethernet and IP around a message.
 *
 * Sizes are not computed beforehand: lengths and checksums are filled in when
 * all is written, and the cursor's sticky error says whether it fitted. */

enum {
    ETH_TYPE_VLAN = 0x8100,

    IP_DF = 0x4000,
    IP_TOTAL_AT = 2,
    IP_CHECKSUM_AT = 10,
    PROTOCOL_IGMP = 2,

    IP6_SIZE = 40,
    IP6_PAYLOAD_AT = 4,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ICMPV6 = 58,

    PROTOCOL_PIM = 103,
    CHECKSUM_AT = 2 /* In IGMP, ICMPv6 and PIM alike. */
};

static void
put_ethernet(const struct igmp_envelope *e, struct wire_writer *w)
{
    static const struct mac_addr none;
    struct mac_addr dst = memcmp(&e->eth_dst, &none, sizeof none)
                              ? e->eth_dst
                              : mac_addr_of_group(&e->ip_dst);

    wire_put(w, dst.b, sizeof dst.b);
    wire_put(w, e->eth_src.b, sizeof e->eth_src.b);
    if (e->vlan) {
        wire_put_be16(w, ETH_TYPE_VLAN);
        wire_put_be16(w, e->vlan);
    }
    wire_put_be16(w, e->family == IGMP_IPV6 ? 0x86dd : 0x0800);
}

static void
put_ip4(const struct igmp_envelope *e, struct wire_writer *w)
{
    wire_put_u8(w, e->is_pim ? 0x45 : 0x46);
    wire_put_u8(w, 0xc0); /* Internetwork control, RFC 3376 4. */
    wire_put_be16(w, 0);  /* Total length: later. */
    wire_put_be16(w, 0);  /* An atomic datagram needs no id (RFC 6864). */
    wire_put_be16(w, IP_DF);
    wire_put_u8(w, 1); /* TTL. */
    wire_put_u8(w, e->is_pim ? PROTOCOL_PIM : PROTOCOL_IGMP);
    wire_put_be16(w, 0);
    wire_put_be32(w,
                  ip_addr_is_any(&e->ip_src) ? 0 : ip_addr_to_v4(&e->ip_src));
    wire_put_be32(w, ip_addr_to_v4(&e->ip_dst));
    if (!e->is_pim) {
        wire_put_be32(w, 0x94040000); /* Router Alert, RFC 2113. */
    }
}

static void
put_ip6(const struct igmp_envelope *e, struct wire_writer *w)
{
    wire_put_be32(w, UINT32_C(6) << 28);
    wire_put_be16(w, 0); /* Payload length: later. */
    wire_put_u8(w, e->is_pim ? PROTOCOL_PIM : NEXT_HOP_BY_HOP);
    wire_put_u8(w, 1); /* Hop limit. */
    wire_put(w, e->ip_src.b, sizeof e->ip_src.b);
    wire_put(w, e->ip_dst.b, sizeof e->ip_dst.b);
    if (!e->is_pim) {
        wire_put_u8(w, NEXT_ICMPV6);
        wire_put_u8(w, 0);            /* 8 bytes. */
        wire_put_be32(w, 0x05020000); /* Router Alert: MLD, RFC 2711 2.1. */
        wire_put_be16(w, 0x0100);     /* PadN. */
    }
}

void
igmp_envelope_begin(struct igmp_envelope *e, struct wire_writer *w)
{
    put_ethernet(e, w);
    e->ip_at = w->at;
    if (e->family == IGMP_IPV6) {
        put_ip6(e, w);
    } else {
        put_ip4(e, w);
    }
    e->message_at = w->at;
}

size_t
igmp_envelope_end(const struct igmp_envelope *e, struct wire_writer *w)
{
    size_t total = w->at - e->ip_at, header = e->message_at - e->ip_at;
    const uint8_t *message = w->data + e->message_at;
    size_t size = total - header;

    if (w->failed) {
        return 0;
    }
    if (e->family == IGMP_IPV6) {
        if (total - IP6_SIZE > UINT16_MAX) {
            return 0;
        }
        wire_patch_be16(w, e->ip_at + IP6_PAYLOAD_AT,
                        (uint16_t) (total - IP6_SIZE));
        wire_patch_be16(w, e->message_at + CHECKSUM_AT,
                        mld_checksum(&e->ip_src, &e->ip_dst,
                                     e->is_pim ? PROTOCOL_PIM : NEXT_ICMPV6,
                                     message, size));
        return w->at;
    }
    if (total > UINT16_MAX) {
        return 0;
    }
    wire_patch_be16(w, e->ip_at + IP_TOTAL_AT, (uint16_t) total);
    wire_patch_be16(w, e->ip_at + IP_CHECKSUM_AT,
                    wire_checksum(w->data + e->ip_at, header));
    wire_patch_be16(w, e->message_at + CHECKSUM_AT,
                    wire_checksum(message, size));
    return w->at;
}
