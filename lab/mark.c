/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lab/mark.h"

#include <string.h>

#include "lib/wire.h"

enum {
    MAGIC_V4 = 0x6f666d63, /* "ofmc" */
    MAGIC_V6 = 0x6f666d36, /* "ofm6" */
    CHECK_FROM_END = 4,    /* Check and vlan end a mark. */
    ETH_SIZE = 14,
    VLAN_SIZE = 4,
    IPV4_SIZE = 20,
    IPV6_SIZE = 40,
    UDP_SIZE = 8,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    PROTO_UDP = 17
};

static uint8_t
pattern(uint64_t seq, size_t i)
{
    return (uint8_t) (seq * 31 + i * 7 + (i >> 8));
}

/* 4 or 16 bytes, as on the wire. */
static void
put_address(struct wire_writer *w, const struct ip_addr *a)
{
    if (ip_addr_is_v4(a)) {
        wire_put_be32(w, ip_addr_to_v4(a));
    } else {
        wire_put(w, a->b, sizeof a->b);
    }
}

static struct ip_addr
get_address(struct wire_reader *r, bool v4)
{
    struct ip_addr a;

    if (v4) {
        return ip_addr_v4(wire_get_be32(r));
    }
    wire_get(r, a.b, sizeof a.b);
    return a;
}

size_t
mark_size(const struct ip_addr *group)
{
    return ip_addr_is_v4(group) ? MARK_SIZE_V4 : MARK_SIZE_V6;
}

void
mark_put(uint8_t *payload, size_t size, const struct mark *m)
{
    size_t head = mark_size(&m->sent.group);
    struct wire_writer w;

    wire_writer_init(&w, payload, size);
    wire_put_be32(&w, head == MARK_SIZE_V4 ? MAGIC_V4 : MAGIC_V6);
    put_address(&w, &m->sent.source);
    put_address(&w, &m->sent.group);
    wire_put_be16(&w, m->sent.port);
    wire_put_u8(&w, m->sent.ttl);
    wire_put_u8(&w, 0);
    wire_put_be32(&w, m->stream);
    wire_put_be64(&w, m->seq);
    wire_put_be64(&w, m->time_ns);
    wire_put_be16(&w, 0); /* Check: patched. */
    wire_put_be16(&w, m->sent.vlan);
    wire_patch_be16(&w, head - CHECK_FROM_END, wire_checksum(payload, head));
    for (size_t i = head; i < size; i++) {
        payload[i] = pattern(m->seq, i);
    }
}

enum mark_verdict
mark_get(const uint8_t *payload, size_t size, struct mark *m)
{
    struct wire_reader r;

    wire_reader_init(&r, payload, size);

    uint32_t magic = wire_get_be32(&r);
    bool v4 = magic == MAGIC_V4;
    size_t head = v4 ? MARK_SIZE_V4 : MARK_SIZE_V6;
    if ((!v4 && magic != MAGIC_V6) || size < head) {
        return MARK_FOREIGN;
    }
    m->sent.source = get_address(&r, v4);
    m->sent.group = get_address(&r, v4);
    m->sent.port = wire_get_be16(&r);
    m->sent.ttl = wire_get_u8(&r);
    wire_skip(&r, 1);
    m->stream = wire_get_be32(&r);
    m->seq = wire_get_be64(&r);
    m->time_ns = wire_get_be64(&r);
    wire_skip(&r, 2);
    m->sent.vlan = wire_get_be16(&r);
    if (wire_checksum(payload, head) != 0) {
        return MARK_DAMAGED;
    }
    for (size_t i = head; i < size; i++) {
        if (payload[i] != pattern(m->seq, i)) {
            return MARK_DAMAGED;
        }
    }
    return MARK_OK;
}

/* The checksum of 'udp' (header and payload) behind its pseudo-header. */
static uint16_t
udp_checksum(const struct mark_path *p, const uint8_t *udp, size_t size)
{
    uint8_t buf[MARK_MAX_FRAME + IPV6_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, buf, sizeof buf);
    put_address(&w, &p->source);
    put_address(&w, &p->group);
    /* The same sum in either family, RFC 768 and RFC 8200 8.1. */
    wire_put_be16(&w, PROTO_UDP);
    wire_put_be16(&w, (uint16_t) size);
    wire_put(&w, udp, size);
    return wire_checksum(buf, w.at);
}

static void
put_ethernet(struct wire_writer *w, const uint8_t mac[6],
             const struct mark_path *p)
{
    struct mac_addr to = mac_addr_of_group(&p->group);

    wire_put(w, to.b, sizeof to.b);
    wire_put(w, mac, 6);
    if (p->vlan) {
        wire_put_be16(w, ETHERTYPE_VLAN);
        wire_put_be16(w, p->vlan);
    }
    wire_put_be16(w,
                  ip_addr_is_v4(&p->group) ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
}

static void
put_ipv4(struct wire_writer *w, size_t size, const struct mark *m)
{
    const struct mark_path *p = &m->sent;
    size_t ip_at = w->at;

    wire_put_be16(w, 0x4500);
    wire_put_be16(w, (uint16_t) (IPV4_SIZE + UDP_SIZE + size));
    wire_put_be16(w, (uint16_t) m->seq); /* Identification. */
    wire_put_be16(w, 0);                 /* Fragments. */
    wire_put_u8(w, p->ttl);
    wire_put_u8(w, PROTO_UDP);
    wire_put_be16(w, 0); /* Checksum: patched. */
    put_address(w, &p->source);
    put_address(w, &p->group);
    wire_patch_be16(w, ip_at + 10, wire_checksum(w->data + ip_at, IPV4_SIZE));
}

static void
put_ipv6(struct wire_writer *w, size_t size, const struct mark_path *p)
{
    wire_put_be32(w, UINT32_C(6) << 28);
    wire_put_be16(w, (uint16_t) (UDP_SIZE + size));
    wire_put_u8(w, PROTO_UDP);
    wire_put_u8(w, p->ttl);
    put_address(w, &p->source);
    put_address(w, &p->group);
}

size_t
mark_frame_put(uint8_t *frame, const uint8_t mac[6], size_t size,
               const struct mark *m)
{
    const struct mark_path *p = &m->sent;
    struct wire_writer w;

    wire_writer_init(&w, frame, MARK_MAX_FRAME);
    put_ethernet(&w, mac, p);
    if (ip_addr_is_v4(&p->group)) {
        put_ipv4(&w, size, m);
    } else {
        put_ipv6(&w, size, p);
    }

    size_t udp_at = w.at;
    uint8_t *udp = frame + udp_at;
    wire_put_be16(&w, p->port);
    wire_put_be16(&w, p->port);
    wire_put_be16(&w, (uint16_t) (UDP_SIZE + size));
    wire_put_be16(&w, 0); /* Checksum: patched. */
    mark_put(udp + UDP_SIZE, size, m);

    uint16_t sum = udp_checksum(p, udp, UDP_SIZE + size);
    /* 0 would mean "no checksum" (RFC 768). */
    wire_patch_be16(&w, udp_at + 6, sum ? sum : 0xffff);
    return w.at + size;
}

/* Steps over the Ethernet header and a tag; the type behind them. */
static uint16_t
get_ethernet(struct wire_reader *r, struct mark_frame *f)
{
    wire_get(r, f->eth_dst.b, sizeof f->eth_dst.b);
    wire_skip(r, 6);

    uint16_t type = wire_get_be16(r);
    if (type == ETHERTYPE_VLAN) {
        f->path.vlan = wire_get_be16(r) & 0xfff;
        type = wire_get_be16(r);
    }
    return type;
}

/* Both leave the cursor at the next header and return its protocol. */
static uint8_t
get_ipv4(struct wire_reader *r, struct mark_frame *f)
{
    const uint8_t *ip = r->data + r->at;
    size_t header = (size_t) (wire_get_u8(r) & 15) * 4;

    wire_skip(r, 7);
    f->path.ttl = wire_get_u8(r);

    uint8_t proto = wire_get_u8(r);
    wire_skip(r, 2);
    f->path.source = get_address(r, true);
    f->path.group = get_address(r, true);
    if (header < IPV4_SIZE) {
        return 0;
    }
    wire_skip(r, header - IPV4_SIZE);
    f->ip_ok = !r->failed && wire_checksum(ip, header) == 0;
    return proto;
}

static uint8_t
get_ipv6(struct wire_reader *r, struct mark_frame *f)
{
    wire_skip(r, 6);

    uint8_t proto = wire_get_u8(r);
    f->path.ttl = wire_get_u8(r);
    f->path.source = get_address(r, false);
    f->path.group = get_address(r, false);
    f->ip_ok = true; /* It has none. */
    return proto;
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
    if (f->no_udp_checksum) {
        f->udp_ok = ip_addr_is_v4(&f->path.group);
    } else {
        f->udp_ok = udp_checksum(&f->path, udp, size) == 0;
    }
    return true;
}

bool
mark_frame_get(const uint8_t *frame, size_t size, struct mark_frame *f)
{
    struct wire_reader r;
    uint8_t proto = 0;

    memset(f, 0, sizeof *f);
    if (size > MARK_MAX_FRAME) {
        return false;
    }
    wire_reader_init(&r, frame, size);

    uint16_t type = get_ethernet(&r, f);
    if (type == ETHERTYPE_IPV4) {
        proto = get_ipv4(&r, f);
    } else if (type == ETHERTYPE_IPV6) {
        proto = get_ipv6(&r, f);
    }
    if (r.failed || proto != PROTO_UDP
        || !ip_addr_is_multicast(&f->path.group)) {
        return false;
    }

    struct mac_addr of_group = mac_addr_of_group(&f->path.group);
    f->mac_ok = !mac_addr_is_multicast(&f->eth_dst)
                || !memcmp(&f->eth_dst, &of_group, sizeof of_group);
    return get_udp(&r, f);
}
