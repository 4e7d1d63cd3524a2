/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-frame.h"

#include <string.h>

#include "lib/wire.h"

static const char payload[] = "a picture of a cat";

enum { UDP = 17, UDP_SIZE = 8 + sizeof payload };

/* With the pseudo header of RFC 768 or RFC 8200 8.1, whose sums only depend
 * on the addresses, the protocol and the length. */
static uint16_t
udp_checksum(const uint8_t *addresses, size_t n, const uint8_t *udp)
{
    uint8_t bytes[SIM_FRAME_SIZE];
    struct wire_writer w;
    uint16_t sum;

    wire_writer_init(&w, bytes, sizeof bytes);
    wire_put(&w, addresses, n);
    wire_put_be16(&w, UDP);
    wire_put_be16(&w, UDP_SIZE);
    wire_put(&w, udp, UDP_SIZE);
    sum = wire_checksum(bytes, w.at);
    return sum ? sum : 0xffff;
}

/* Returns where the addresses stand. */
static size_t
put_ipv4(struct wire_writer *w, const struct sim_frame *f)
{
    size_t ip = w->at;

    wire_put_u8(w, 0x45);
    wire_put_u8(w, (uint8_t) (f->dscp << 2));
    wire_put_be16(w, 20 + UDP_SIZE);
    wire_put_be32(w, 0);
    wire_put_u8(w, f->ttl);
    wire_put_u8(w, UDP);
    wire_put_be16(w, 0);
    wire_put_be32(w, ip_addr_to_v4(&f->source));
    wire_put_be32(w, ip_addr_to_v4(&f->group));
    wire_patch_be16(w, ip + 10, wire_checksum(w->data + ip, 20));
    return ip + 12;
}

static size_t
put_ipv6(struct wire_writer *w, const struct sim_frame *f)
{
    size_t ip = w->at;

    wire_put_be32(w, UINT32_C(6) << 28 | (uint32_t) f->dscp << 22);
    wire_put_be16(w, UDP_SIZE);
    wire_put_u8(w, UDP);
    wire_put_u8(w, f->ttl);
    wire_put(w, f->source.b, 16);
    wire_put(w, f->group.b, 16);
    return ip + 8;
}

size_t
sim_frame_build(const struct sim_frame *f, uint8_t buf[SIM_FRAME_SIZE])
{
    bool v4 = ip_addr_is_v4(&f->group);
    struct mac_addr mac = mac_addr_is_zero(&f->eth_dst)
                              ? mac_addr_of_group(&f->group)
                              : f->eth_dst;
    struct wire_writer w;
    size_t addresses, udp;

    wire_writer_init(&w, buf, SIM_FRAME_SIZE);
    wire_put(&w, mac.b, 6);
    wire_put(&w, "\x02\x00\x00\x00\x00\x37", 6);
    if (f->vlan) {
        wire_put_be16(&w, 0x8100);
        wire_put_be16(&w, f->vlan);
    }
    wire_put_be16(&w, v4 ? 0x0800 : 0x86dd);
    addresses = v4 ? put_ipv4(&w, f) : put_ipv6(&w, f);
    udp = w.at;
    wire_put_be16(&w, 1234);
    wire_put_be16(&w, f->udp_dst);
    wire_put_be16(&w, UDP_SIZE);
    wire_put_be16(&w, 0);
    wire_put(&w, payload, sizeof payload);
    wire_patch_be16(&w, udp + 6,
                    udp_checksum(buf + addresses, v4 ? 8 : 32, buf + udp));
    return w.at;
}
