/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/arp.h"

#include <string.h>

#include "lib/wire.h"

enum {
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_ARP = 0x0806,
    VLAN_VID_MASK = 0x0fff,
    VLAN_VID_RESERVED = 0x0fff, /* IEEE 802.1Q table 9-2. */

    HARDWARE_ETHERNET = 1,
    PROTOCOL_IPV4 = 0x0800,
    MAC_SIZE = 6,
    IPV4_SIZE = 4,
    OP_REQUEST = 1,
    OP_REPLY = 2
};

static bool
decode_ethernet(struct wire_reader *r, struct arp *arp)
{
    wire_get(r, arp->eth_dst.b, sizeof arp->eth_dst.b);
    wire_get(r, arp->eth_src.b, sizeof arp->eth_src.b);

    uint16_t type = wire_get_be16(r);
    if (type == ETH_TYPE_VLAN) {
        arp->vlan = wire_get_be16(r) & VLAN_VID_MASK;
        type = wire_get_be16(r);
    }
    return type == ETH_TYPE_ARP && arp->vlan != VLAN_VID_RESERVED;
}

bool
arp_decode(const void *frame, size_t size, struct arp *arp)
{
    struct wire_reader r;

    memset(arp, 0, sizeof *arp);
    wire_reader_init(&r, frame, size);
    if (!decode_ethernet(&r, arp)) {
        return false;
    }

    bool ok = wire_get_be16(&r) == HARDWARE_ETHERNET;
    ok &= wire_get_be16(&r) == PROTOCOL_IPV4;
    ok &= wire_get_u8(&r) == MAC_SIZE;
    ok &= wire_get_u8(&r) == IPV4_SIZE;
    uint16_t op = wire_get_be16(&r);
    arp->reply = op == OP_REPLY;
    wire_get(&r, arp->sender_mac.b, sizeof arp->sender_mac.b);
    arp->sender_ip = ip_addr_v4(wire_get_be32(&r));
    wire_get(&r, arp->target_mac.b, sizeof arp->target_mac.b);
    arp->target_ip = ip_addr_v4(wire_get_be32(&r));
    return ok && !r.failed && (op == OP_REQUEST || op == OP_REPLY);
}

size_t
arp_encode(const struct arp *arp, void *buf, size_t room)
{
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    wire_put(&w, arp->eth_dst.b, sizeof arp->eth_dst.b);
    wire_put(&w, arp->eth_src.b, sizeof arp->eth_src.b);
    if (arp->vlan) {
        wire_put_be16(&w, ETH_TYPE_VLAN);
        wire_put_be16(&w, arp->vlan);
    }
    wire_put_be16(&w, ETH_TYPE_ARP);
    wire_put_be16(&w, HARDWARE_ETHERNET);
    wire_put_be16(&w, PROTOCOL_IPV4);
    wire_put_u8(&w, MAC_SIZE);
    wire_put_u8(&w, IPV4_SIZE);
    wire_put_be16(&w, arp->reply ? OP_REPLY : OP_REQUEST);
    wire_put(&w, arp->sender_mac.b, sizeof arp->sender_mac.b);
    wire_put_be32(&w, ip_addr_to_v4(&arp->sender_ip));
    wire_put(&w, arp->target_mac.b, sizeof arp->target_mac.b);
    wire_put_be32(&w, ip_addr_to_v4(&arp->target_ip));
    return w.failed ? 0 : w.at;
}

struct arp
arp_probe(const struct mac_addr *mac, uint16_t vlan, const struct ip_addr *ip)
{
    struct arp arp = {.eth_src = *mac,
                      .vlan = vlan,
                      .sender_mac = *mac,
                      .sender_ip = ip_addr_v4(0),
                      .target_ip = *ip};

    memset(arp.eth_dst.b, 0xff, sizeof arp.eth_dst.b);
    return arp;
}
