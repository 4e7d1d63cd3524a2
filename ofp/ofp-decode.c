/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-decode.h"

#include <string.h>

#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

/* Reads behind the header. */
static struct wire_reader
body(const uint8_t *msg, size_t size)
{
    struct wire_reader r;

    wire_reader_init(&r, msg, size);
    wire_skip(&r, OF13_HEADER_SIZE);
    return r;
}

/* A text of at most 'wire_size' bytes, which need not end in NUL and may hold
 * anything: it goes to logs and into JSON. */
static void
get_text(struct wire_reader *r, size_t wire_size, char *out, size_t out_size)
{
    const uint8_t *in = wire_take(r, wire_size);
    size_t n = 0;

    for (; in && n < wire_size && n < out_size - 1 && in[n]; n++) {
        out[n] = in[n] >= 0x20 && in[n] < 0x7f ? in[n] : '?';
    }
    out[n] = '\0';
}

/* Each element is a type and a length, padded to 8 bytes; type 1 is a bitmap
 * of versions (OpenFlow 1.3.1, 6.3.1). */
bool
ofp_decode_hello(const uint8_t *msg, size_t size)
{
    struct wire_reader r = body(msg, size);

    while (wire_left(&r) >= 8) {
        uint16_t type = wire_get_be16(&r);
        uint16_t length = wire_get_be16(&r);

        if (length < 4) {
            break;
        } else if (type == 1 && length >= 8) {
            return wire_get_be32(&r) & 1U << OF13_VERSION;
        }
        wire_skip(&r, (length + 7) / 8 * 8 - 4);
    }
    return ofp_msg_version(msg) >= OF13_VERSION;
}

bool
ofp_decode_features(const uint8_t *msg, size_t size, uint64_t *dpid,
                    uint8_t *auxiliary_id)
{
    struct wire_reader r = body(msg, size);

    *dpid = wire_get_be64(&r);
    wire_skip(&r, 5); /* Buffers, tables. */
    *auxiliary_id = wire_get_u8(&r);
    wire_skip(&r, 10);
    return !r.failed;
}

bool
ofp_decode_desc(const uint8_t *msg, size_t size, struct ofp_features *f)
{
    struct wire_reader r = body(msg, size);

    wire_skip(&r, OF13_MULTIPART_SIZE - OF13_HEADER_SIZE);
    get_text(&r, 256, f->manufacturer, sizeof f->manufacturer);
    get_text(&r, 256, f->hardware, sizeof f->hardware);
    get_text(&r, 256, f->software, sizeof f->software);
    get_text(&r, 32, f->serial, sizeof f->serial);
    get_text(&r, 256, f->datapath, sizeof f->datapath);
    return !r.failed;
}

bool
ofp_decode_meter_features(const uint8_t *msg, size_t size,
                          struct ofp_features *f)
{
    struct wire_reader r = body(msg, size);

    /* Most meters, kinds of bands, capabilities. */
    wire_skip(&r, OF13_MULTIPART_SIZE - OF13_HEADER_SIZE + 12);
    f->meter_bands = wire_get_u8(&r);
    wire_skip(&r, 3);
    return !r.failed;
}

bool
ofp_decode_port(struct wire_reader *r, struct ofp_port *port)
{
    enum { CONFIG_DOWN = 1, STATE_LINK_DOWN = 1 };
    uint32_t config, state;

    memset(port, 0, sizeof *port);
    port->no = wire_get_be32(r);
    wire_skip(r, 4);
    wire_get(r, port->mac.b, sizeof port->mac.b);
    wire_skip(r, 2);
    get_text(r, 16, port->name, sizeof port->name);
    config = wire_get_be32(r);
    state = wire_get_be32(r);
    port->up = !(config & CONFIG_DOWN) && !(state & STATE_LINK_DOWN);
    wire_skip(r, 24); /* Features, speeds. */
    return !r->failed;
}

bool
ofp_decode_port_status(const uint8_t *msg, size_t size, uint8_t *reason,
                       struct ofp_port *port)
{
    struct wire_reader r = body(msg, size);

    *reason = wire_get_u8(&r);
    wire_skip(&r, 7);
    return ofp_decode_port(&r, port);
}

/* The fields of a packet-in that count.  False if it does not tell where the
 * packet came in. */
static bool
get_pipeline_fields(struct wire_reader *r, struct ofp_packet_in *pi)
{
    bool found = false;

    pi->tun_id = 0;
    pi->tun_src = 0;
    pi->metadata = 0;
    while (wire_left(r)) {
        uint32_t header = wire_get_be32(r);
        struct wire_reader value = wire_sub(r, header & 0xff);

        if (header == OXM_IN_PORT) {
            pi->in_port = wire_get_be32(&value);
            found = !value.failed;
        } else if (header == OXM_TUNNEL_ID) {
            pi->tun_id = wire_get_be64(&value);
        } else if (header == NXM_TUN_SRC) {
            pi->tun_src = wire_get_be32(&value);
        } else if (header == OXM_METADATA) {
            pi->metadata = wire_get_be64(&value);
        }
    }
    return found && !r->failed;
}

bool
ofp_decode_packet_in(const uint8_t *msg, size_t size, struct ofp_packet_in *pi)
{
    struct wire_reader r = body(msg, size);
    struct wire_reader match;
    uint16_t match_size;
    uint8_t reason;

    wire_skip(&r, 6); /* Buffer id, total size. */
    reason = wire_get_u8(&r);
    pi->reason = reason == 0   ? OFP_PACKET_IN_NO_MATCH
                 : reason == 1 ? OFP_PACKET_IN_ACTION
                               : OFP_PACKET_IN_OTHER;
    pi->table = wire_get_u8(&r);
    pi->cookie = wire_get_be64(&r);
    wire_skip(&r, 2); /* Type of match. */
    match_size = wire_get_be16(&r);
    if (match_size < 4) {
        return false;
    }
    match = wire_sub(&r, match_size - 4);
    wire_skip(&r, (8 - match_size % 8) % 8 + 2);
    if (r.failed || !get_pipeline_fields(&match, pi)) {
        return false;
    }
    pi->size = wire_left(&r);
    pi->frame = wire_take(&r, pi->size);
    return true;
}

bool
ofp_decode_flow_removed(const uint8_t *msg, size_t size,
                        struct ofp_flow_removed *fr)
{
    struct wire_reader r = body(msg, size);

    fr->cookie = wire_get_be64(&r);
    fr->priority = wire_get_be16(&r);
    fr->reason = wire_get_u8(&r);
    fr->table = wire_get_u8(&r);
    fr->duration = (int64_t) wire_get_be32(&r) * 1000;
    fr->duration += wire_get_be32(&r) / 1000000;
    wire_skip(&r, 4); /* Timeouts. */
    fr->packets = wire_get_be64(&r);
    fr->bytes = wire_get_be64(&r);
    wire_skip(&r, 2); /* The match's type: there is one only. */
    size_t size_of_match = wire_get_be16(&r);
    fr->match_size = size_of_match < 4 ? 0 : size_of_match - 4;
    fr->match = wire_take(&r, fr->match_size);
    return !r.failed;
}

/* Matches. */

/* Reads an address of 'n' bytes, with its mask if there is one, as a prefix.
 * False if the mask is none. */
static bool
get_prefix(struct wire_reader *r, size_t n, bool masked, struct ip_prefix *p)
{
    uint8_t mask[16];
    size_t bits = 0;

    p->addr = n == 4 ? ip_addr_v4(0) : IP_ADDR_ANY;
    memset(mask, 0xff, sizeof mask);
    wire_get(r, p->addr.b + 16 - n, n);
    if (masked) {
        wire_get(r, mask, n);
    }
    while (bits < n * 8 && mask[bits / 8] & 0x80 >> bits % 8) {
        bits++;
    }
    p->len = (16 - n) * 8 + bits;
    for (; bits < n * 8; bits++) {
        if (mask[bits / 8] & 0x80 >> bits % 8) {
            return false;
        }
    }
    return true;
}

static bool
get_address(struct wire_reader *r, uint32_t header, struct ofp_match *m)
{
    bool masked = header & 0x100;
    size_t n = (header & 0xff) / (masked ? 2 : 1);

    switch (header & ~UINT32_C(0x1ff)) {
    case OXM_IPV4_SRC & ~UINT32_C(0x1ff):
    case OXM_IPV6_SRC & ~UINT32_C(0x1ff):
        m->fields |= OFP_MATCH_IP_SRC;
        return (n == 4 || n == 16) && get_prefix(r, n, masked, &m->ip_src);
    case OXM_IPV4_DST & ~UINT32_C(0x1ff):
    case OXM_IPV6_DST & ~UINT32_C(0x1ff):
        m->fields |= OFP_MATCH_IP_DST;
        return (n == 4 || n == 16) && get_prefix(r, n, masked, &m->ip_dst);
    default:
        return false;
    }
}

static bool
get_vlan(struct wire_reader *r, struct ofp_match *m)
{
    uint16_t vid = wire_get_be16(r);

    m->fields |= OFP_MATCH_VLAN;
    m->vlan = vid & 0xfff;
    return vid ? vid & OXM_VLAN_PRESENT && m->vlan : true;
}

static bool
get_metadata(struct wire_reader *r, struct ofp_match *m)
{
    uint64_t value = wire_get_be64(r);

    m->fields |= OFP_MATCH_METADATA;
    m->metadata = value & OF13_METADATA_MASK;
    return wire_get_be64(r) == OF13_METADATA_MASK && value == m->metadata;
}

static bool
get_tun_id(struct wire_reader *r, struct ofp_match *m)
{
    uint64_t id = wire_get_be64(r);

    m->fields |= OFP_MATCH_TUN_ID;
    m->tun_id = (uint32_t) id;
    return id == m->tun_id;
}

/* One field, whose value is all that 'r' holds. */
static bool
get_field(struct wire_reader *r, uint32_t header, struct ofp_match *m)
{
    switch (header) {
    case OXM_IN_PORT:
        m->fields |= OFP_MATCH_IN_PORT;
        m->in_port = wire_get_be32(r);
        return true;
    case OXM_ETH_SRC:
        m->fields |= OFP_MATCH_ETH_SRC;
        wire_get(r, m->eth_src.b, 6);
        return true;
    case OXM_ETH_DST:
    case OXM_MASKED(OXM_ETH_DST):
        m->fields |= OFP_MATCH_ETH_DST;
        wire_get(r, m->eth_dst.b, 6);
        memset(m->eth_dst_mask.b, 0xff, 6);
        if (header != OXM_ETH_DST) {
            wire_get(r, m->eth_dst_mask.b, 6);
        }
        return true;
    case OXM_ETH_TYPE:
        m->fields |= OFP_MATCH_ETH_TYPE;
        m->eth_type = wire_get_be16(r);
        return true;
    case OXM_VLAN_VID:
        return get_vlan(r, m);
    case OXM_IP_PROTO:
        m->fields |= OFP_MATCH_IP_PROTO;
        m->ip_proto = wire_get_u8(r);
        return true;
    case OXM_UDP_DST:
        m->fields |= OFP_MATCH_UDP_DST;
        m->udp_dst = wire_get_be16(r);
        return true;
    case OXM_ICMPV6_TYPE:
        m->fields |= OFP_MATCH_ICMP6_TYPE;
        m->icmp6_type = wire_get_u8(r);
        return true;
    case NXM_IP_FRAG:
        m->fields |= OFP_MATCH_LATER_FRAG;
        return wire_get_u8(r) == NXM_IP_FRAG_LATER;
    case OXM_MASKED(NXM_IP_FRAG):
        m->fields |= OFP_MATCH_FRAG;
        return wire_get_u8(r) == NXM_IP_FRAG_ANY
               && wire_get_u8(r) == NXM_IP_FRAG_ANY;
    case OXM_TUNNEL_ID:
        return get_tun_id(r, m);
    case OXM_MASKED(OXM_METADATA):
        return get_metadata(r, m);
    default:
        return get_address(r, header, m);
    }
}

bool
ofp_decode_match(const uint8_t *oxm, size_t size, struct ofp_match *m)
{
    struct wire_reader r;
    bool understood = true;

    memset(m, 0, sizeof *m);
    wire_reader_init(&r, oxm, size);
    while (wire_left(&r)) {
        uint32_t header = wire_get_be32(&r);
        struct wire_reader value = wire_sub(&r, header & 0xff);

        understood &= get_field(&value, header, m) && !value.failed
                      && !wire_left(&value);
    }
    return understood && !r.failed;
}
