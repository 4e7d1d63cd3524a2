/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lab/mark.h"

#include <string.h>

#include "lib/wire.h"

enum {
    MAGIC = 0x6f666d63, /* "ofmc" */
    CHECK_AT = 36,
    ETH_SIZE = 14,
    VLAN_SIZE = 4,
    IP_SIZE = 20,
    UDP_SIZE = 8,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_VLAN = 0x8100,
    PROTO_UDP = 17
};

static uint8_t
pattern(uint64_t seq, size_t i)
{
    return (uint8_t) (seq * 31 + i * 7 + (i >> 8));
}

void
mark_put(uint8_t *payload, size_t size, const struct mark *m)
{
    struct wire_writer w;

    wire_writer_init(&w, payload, size);
    wire_put_be32(&w, MAGIC);
    wire_put_be32(&w, m->sent.source);
    wire_put_be32(&w, m->sent.group);
    wire_put_be16(&w, m->sent.port);
    wire_put_u8(&w, m->sent.ttl);
    wire_put_u8(&w, 0);
    wire_put_be32(&w, m->stream);
    wire_put_be64(&w, m->seq);
    wire_put_be64(&w, m->time_ns);
    wire_put_be16(&w, 0); /* Check: patched. */
    wire_put_be16(&w, m->sent.vlan);
    wire_patch_be16(&w, CHECK_AT, wire_checksum(payload, MARK_SIZE));
    for (size_t i = MARK_SIZE; i < size; i++) {
        payload[i] = pattern(m->seq, i);
    }
}

enum mark_verdict
mark_get(const uint8_t *payload, size_t size, struct mark *m)
{
    struct wire_reader r;

    wire_reader_init(&r, payload, size);
    if (wire_get_be32(&r) != MAGIC || size < MARK_SIZE) {
        return MARK_FOREIGN;
    }
    m->sent.source = wire_get_be32(&r);
    m->sent.group = wire_get_be32(&r);
    m->sent.port = wire_get_be16(&r);
    m->sent.ttl = wire_get_u8(&r);
    wire_skip(&r, 1);
    m->stream = wire_get_be32(&r);
    m->seq = wire_get_be64(&r);
    m->time_ns = wire_get_be64(&r);
    wire_skip(&r, 2);
    m->sent.vlan = wire_get_be16(&r);
    if (wire_checksum(payload, MARK_SIZE) != 0) {
        return MARK_DAMAGED;
    }
    for (size_t i = MARK_SIZE; i < size; i++) {
        if (payload[i] != pattern(m->seq, i)) {
            return MARK_DAMAGED;
        }
    }
    return MARK_OK;
}

/* The checksum of 'udp' (header and payload) behind its pseudo-header. */
static uint16_t
udp_checksum(uint32_t source, uint32_t group, const uint8_t *udp, size_t size)
{
    uint8_t buf[MARK_MAX_FRAME + 12];
    struct wire_writer w;

    wire_writer_init(&w, buf, sizeof buf);
    wire_put_be32(&w, source);
    wire_put_be32(&w, group);
    wire_put_be16(&w, PROTO_UDP);
    wire_put_be16(&w, (uint16_t) size);
    wire_put(&w, udp, size);
    return wire_checksum(buf, w.at);
}

static void
put_headers(struct wire_writer *w, const uint8_t mac[6], size_t size,
            const struct mark *m)
{
    const struct mark_path *p = &m->sent;

    wire_put_be16(w, 0x0100);
    wire_put_be32(w, 0x5e000000 | (p->group & 0x7fffff));
    wire_put(w, mac, 6);
    if (p->vlan) {
        wire_put_be16(w, ETHERTYPE_VLAN);
        wire_put_be16(w, p->vlan);
    }
    wire_put_be16(w, ETHERTYPE_IPV4);

    wire_put_be16(w, 0x4500);
    wire_put_be16(w, (uint16_t) (IP_SIZE + UDP_SIZE + size));
    wire_put_be16(w, (uint16_t) m->seq); /* Identification. */
    wire_put_be16(w, 0);                 /* Fragments. */
    wire_put_u8(w, p->ttl);
    wire_put_u8(w, PROTO_UDP);
    wire_put_be16(w, 0); /* Checksum: patched. */
    wire_put_be32(w, p->source);
    wire_put_be32(w, p->group);

    wire_put_be16(w, p->port);
    wire_put_be16(w, p->port);
    wire_put_be16(w, (uint16_t) (UDP_SIZE + size));
    wire_put_be16(w, 0); /* Checksum: patched. */
}

size_t
mark_frame_put(uint8_t *frame, const uint8_t mac[6], size_t size,
               const struct mark *m)
{
    const struct mark_path *p = &m->sent;
    size_t ip_at = p->vlan ? ETH_SIZE + VLAN_SIZE : ETH_SIZE;
    uint8_t *ip = frame + ip_at;
    uint8_t *udp = ip + IP_SIZE;
    struct wire_writer w;
    uint16_t sum;

    wire_writer_init(&w, frame, MARK_MAX_FRAME);
    put_headers(&w, mac, size, m);
    mark_put(udp + UDP_SIZE, size, m);
    sum = udp_checksum(p->source, p->group, udp, UDP_SIZE + size);
    /* 0 would mean "no checksum" (RFC 768). */
    wire_patch_be16(&w, ip_at + IP_SIZE + 6, sum ? sum : 0xffff);
    wire_patch_be16(&w, ip_at + 10, wire_checksum(ip, IP_SIZE));
    return w.at + size;
}

/* Steps over the Ethernet header and tags. */
static bool
get_ethernet(struct wire_reader *r, uint32_t *group_mac, uint16_t *vlan)
{
    uint16_t high = wire_get_be16(r);

    *group_mac = wire_get_be32(r);
    if (high != 0x0100) {
        *group_mac = 0;
    }
    wire_skip(r, 6);

    uint16_t type = wire_get_be16(r);
    if (type == ETHERTYPE_VLAN) {
        *vlan = wire_get_be16(r) & 0xfff;
        type = wire_get_be16(r);
    }
    return !r->failed && type == ETHERTYPE_IPV4;
}

static bool
get_udp(struct wire_reader *r, struct mark_frame *f)
{
    const uint8_t *udp = r->data + r->at;
    size_t left = wire_left(r);

    wire_skip(r, 2);
    f->path.port = wire_get_be16(r);

    size_t size = wire_get_be16(r);
    f->no_udp_checksum = wire_get_be16(r) == 0;
    if (r->failed || size < UDP_SIZE || size > left) {
        return false;
    }
    f->payload = udp + UDP_SIZE;
    f->size = size - UDP_SIZE;
    f->udp_ok = f->no_udp_checksum
                || udp_checksum(f->path.source, f->path.group, udp, size) == 0;
    return true;
}

bool
mark_frame_get(const uint8_t *frame, size_t size, struct mark_frame *f)
{
    struct wire_reader r;
    uint32_t group_mac;

    memset(f, 0, sizeof *f);
    if (size > MARK_MAX_FRAME) {
        return false;
    }
    wire_reader_init(&r, frame, size);
    if (!get_ethernet(&r, &group_mac, &f->path.vlan)) {
        return false;
    }

    const uint8_t *ip = r.data + r.at;
    size_t header = (size_t) (wire_get_u8(&r) & 15) * 4;
    wire_skip(&r, 7);
    f->path.ttl = wire_get_u8(&r);

    uint8_t proto = wire_get_u8(&r);
    wire_skip(&r, 2);
    f->path.source = wire_get_be32(&r);
    f->path.group = wire_get_be32(&r);
    if (header < IP_SIZE || proto != PROTO_UDP || f->path.group >> 28 != 0xe) {
        return false;
    }
    wire_skip(&r, header - IP_SIZE);
    if (r.failed) {
        return false;
    }
    f->mac_ok = group_mac == (0x5e000000 | (f->path.group & 0x7fffff));
    f->ip_ok = wire_checksum(ip, header) == 0;
    return get_udp(&r, f);
}
