/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-frame.h"

#include <string.h>

#include "lib/wire.h"

static const char payload[] = "a picture of a cat";

static uint16_t
udp_checksum(const uint8_t *ip, const uint8_t *udp, size_t size)
{
    uint8_t bytes[SIM_FRAME_SIZE + 12];
    uint16_t sum;

    memcpy(bytes, ip + 12, 8);
    bytes[8] = 0;
    bytes[9] = 17;
    bytes[10] = (uint8_t) (size >> 8);
    bytes[11] = (uint8_t) size;
    memcpy(bytes + 12, udp, size);
    sum = wire_checksum(bytes, size + 12);
    return sum ? sum : 0xffff;
}

size_t
sim_frame_build(const struct sim_frame *f, uint8_t buf[SIM_FRAME_SIZE])
{
    size_t udp_size = 8 + sizeof payload;
    struct ip_addr group = ip_addr_v4(f->group);
    struct mac_addr mac = mac_addr_of_group(&group);
    struct wire_writer w;
    size_t ip, udp;

    wire_writer_init(&w, buf, SIM_FRAME_SIZE);
    wire_put(&w, mac.b, 6);
    wire_put(&w, "\x02\x00\x00\x00\x00\x37", 6);
    if (f->vlan) {
        wire_put_be16(&w, 0x8100);
        wire_put_be16(&w, f->vlan);
    }
    wire_put_be16(&w, 0x0800);
    ip = w.at;
    wire_put_u8(&w, 0x45);
    wire_put_u8(&w, (uint8_t) (f->dscp << 2));
    wire_put_be16(&w, (uint16_t) (20 + udp_size));
    wire_put_be32(&w, 0);
    wire_put_u8(&w, f->ttl);
    wire_put_u8(&w, 17);
    wire_put_be16(&w, 0);
    wire_put_be32(&w, f->source);
    wire_put_be32(&w, f->group);
    wire_patch_be16(&w, ip + 10, wire_checksum(buf + ip, 20));
    udp = w.at;
    wire_put_be16(&w, 1234);
    wire_put_be16(&w, f->udp_dst);
    wire_put_be16(&w, (uint16_t) udp_size);
    wire_put_be16(&w, 0);
    wire_put(&w, payload, sizeof payload);
    wire_patch_be16(&w, udp + 6, udp_checksum(buf + ip, buf + udp, udp_size));
    return w.at;
}
