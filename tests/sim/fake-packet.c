/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-packet.h"

#include <arpa/inet.h>
#include <string.h>

#include <openvswitch/flow.h>
#include <openvswitch/meta-flow.h>
#include <openvswitch/ofp-actions.h>

#include "lib/wire.h"
#include "lib/xalloc.h"

enum {
    TYPE_VLAN = 0x8100,
    TYPE_IP = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_IPV6 = 0x86dd,
    PROTO_ICMP = 1,
    PROTO_IGMP = 2,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    VLAN_PRESENT = 0x1000
};

static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t) (value >> 8);
    p[1] = (uint8_t) value;
}

/* Where things stand in a frame; 0 = not there. */
struct layout {
    uint16_t type;
    size_t l3, l4; /* Offsets. */
    bool tagged, ipv4, ipv6, fragment, later;
    uint8_t proto;
};

static void
find_l4_of_ipv4(const struct fake_frame *frame, struct layout *lay)
{
    const uint8_t *ip = frame->data + lay->l3;
    size_t left = frame->size - lay->l3;
    size_t header;

    if (left < 20 || ip[0] >> 4 != 4) {
        return;
    }
    header = (size_t) (ip[0] & 15) * 4;
    if (header < 20 || header > left) {
        return;
    }
    lay->ipv4 = true;
    lay->fragment = (get16(ip + 6) & 0x3fff) != 0;
    lay->later = (get16(ip + 6) & 0x1fff) != 0;
    lay->proto = ip[9];
    lay->l4 = lay->l3 + header;
}

static void
find(const struct fake_frame *frame, struct layout *lay)
{
    memset(lay, 0, sizeof *lay);
    if (frame->size < 14) {
        return;
    }
    lay->type = get16(frame->data + 12);
    lay->l3 = 14;
    if (lay->type == TYPE_VLAN && frame->size >= 18) {
        lay->tagged = true;
        lay->type = get16(frame->data + 16);
        lay->l3 = 18;
    }
    if (lay->type == TYPE_IP) {
        find_l4_of_ipv4(frame, lay);
    }
    lay->ipv6 = lay->type == TYPE_IPV6 && frame->size >= lay->l3 + 40;
}

/* Extraction. */

static void
extract_l4(const uint8_t *l4, size_t left, struct flow *flow)
{
    if ((flow->nw_proto == PROTO_UDP && left >= 8)
        || (flow->nw_proto == PROTO_TCP && left >= 20)) {
        flow->tp_src = htons(get16(l4));
        flow->tp_dst = htons(get16(l4 + 2));
    } else if ((flow->nw_proto == PROTO_ICMP || flow->nw_proto == PROTO_ICMP6)
               && left >= 2) {
        flow->tp_src = htons(l4[0]);
        flow->tp_dst = htons(l4[1]);
    }
}

static void
extract_ipv4(const struct fake_frame *frame, const struct layout *lay,
             struct flow *flow)
{
    const uint8_t *ip = frame->data + lay->l3;

    memcpy(&flow->nw_src, ip + 12, 4);
    memcpy(&flow->nw_dst, ip + 16, 4);
    flow->nw_tos = ip[1];
    flow->nw_ttl = ip[8];
    flow->nw_proto = ip[9];
    if (lay->fragment) {
        flow->nw_frag =
            FLOW_NW_FRAG_ANY | (lay->later ? FLOW_NW_FRAG_LATER : 0);
    }
    if (!lay->later) {
        extract_l4(frame->data + lay->l4, frame->size - lay->l4, flow);
    }
}

/* Extension headers are stepped over, as in OVS. */
static void
extract_ipv6(const uint8_t *ip, size_t left, struct flow *flow)
{
    size_t at = 40;

    if (left < at) {
        return;
    }
    memcpy(&flow->ipv6_src, ip + 8, 16);
    memcpy(&flow->ipv6_dst, ip + 24, 16);
    flow->nw_tos = (uint8_t) (get16(ip) >> 4);
    flow->nw_ttl = ip[7];
    flow->nw_proto = ip[6];
    while (
        (flow->nw_proto == 0 || flow->nw_proto == 43 || flow->nw_proto == 60)
        && left - at >= 8) {
        size_t size = (size_t) (ip[at + 1] + 1) * 8;

        if (size > left - at) {
            return;
        }
        flow->nw_proto = ip[at];
        at += size;
    }
    extract_l4(ip + at, left - at, flow);
}

void
fake_packet_extract(const struct fake_frame *frame, uint32_t in_port,
                    struct flow *flow)
{
    struct layout lay;

    memset(flow, 0, sizeof *flow);
    flow->in_port.ofp_port = OFP_PORT_C((uint16_t) in_port);
    find(frame, &lay);
    if (!lay.l3) {
        return;
    }
    memcpy(&flow->dl_dst, frame->data, 6);
    memcpy(&flow->dl_src, frame->data + 6, 6);
    flow->dl_type = htons(lay.type < 0x600 ? FLOW_DL_TYPE_NONE : lay.type);
    if (lay.tagged) {
        flow->vlans[0].tpid = htons(TYPE_VLAN);
        flow->vlans[0].tci = htons(get16(frame->data + 14) | VLAN_PRESENT);
    }

    const uint8_t *l3 = frame->data + lay.l3;
    size_t left = frame->size - lay.l3;

    if (lay.ipv4) {
        extract_ipv4(frame, &lay, flow);
    } else if (lay.type == TYPE_IPV6) {
        extract_ipv6(l3, left, flow);
    } else if (lay.type == TYPE_ARP && left >= 28) {
        memcpy(&flow->nw_src, l3 + 14, 4);
        memcpy(&flow->nw_dst, l3 + 24, 4);
        flow->nw_proto = l3[7];
        memcpy(&flow->arp_sha, l3 + 8, 6);
        memcpy(&flow->arp_tha, l3 + 18, 6);
    }
}

/* Rewriting.  Checksums are updated incrementally (RFC 1624), as switches do:
 * one that was wrong stays wrong, an absent UDP checksum stays absent. */

static uint16_t
update_sum(uint16_t sum, uint16_t old, uint16_t new)
{
    uint32_t s = (uint32_t) (uint16_t) ~sum + (uint16_t) ~old + new;

    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t) ~s;
}

/* Writes 'size' (even) bytes at 'p' and updates the checksum at 'sum'. */
static void
write_summed(uint8_t *p, const uint8_t *value, size_t size, uint8_t *sum)
{
    for (size_t i = 0; i < size; i += 2) {
        put16(sum, update_sum(get16(sum), get16(p + i), get16(value + i)));
    }
    memcpy(p, value, size);
}

static void
update_udp_sum(uint8_t *sum, const uint8_t *old, const uint8_t *new,
               size_t size)
{
    uint16_t s = get16(sum);

    if (!s) {
        return;
    }
    for (size_t i = 0; i < size; i += 2) {
        s = update_sum(s, get16(old + i), get16(new + i));
    }
    put16(sum, s ? s : 0xffff);
}

static enum fake_rewrite
set_ipv4_address(struct fake_frame *frame, const struct layout *lay,
                 size_t offset, const void *address)
{
    uint8_t *p = frame->data + lay->l3 + offset;
    uint8_t *l4 = frame->data + lay->l4;
    size_t left = frame->size - lay->l4;
    bool damage = false;

    if (!memcmp(p, address, 4)) {
        return FAKE_REWRITE_DONE;
    }
    /* OVS 3.1 does not ask whether this is a later fragment. */
    if (lay->proto == PROTO_UDP && left >= 8) {
        damage = lay->later && get16(l4 + 6);
        update_udp_sum(l4 + 6, p, address, 4);
    } else if (lay->proto == PROTO_TCP && left >= 20) {
        damage = lay->later;
        update_udp_sum(l4 + 16, p, address, 4);
    }
    write_summed(p, address, 4, frame->data + lay->l3 + 10);
    return damage ? FAKE_REWRITE_DAMAGE : FAKE_REWRITE_DONE;
}

/* Replaces the byte at 'offset' of the IPv4 header. */
static enum fake_rewrite
set_ipv4_byte(struct fake_frame *frame, const struct layout *lay,
              size_t offset, uint8_t value)
{
    uint8_t *ip = frame->data + lay->l3;
    uint8_t pair[2];
    size_t even = offset & ~(size_t) 1;

    memcpy(pair, ip + even, 2);
    pair[offset - even] = value;
    write_summed(ip + even, pair, 2, ip + 10);
    return FAKE_REWRITE_DONE;
}

static enum fake_rewrite
set_port(struct fake_frame *frame, const struct layout *lay, uint8_t proto,
         size_t offset, const void *port)
{
    uint8_t *l4 = frame->data + lay->l4;

    /* Only what is there is set: OVS checks the prerequisites per packet. */
    if (lay->ipv4 && lay->proto == proto && !lay->later
        && frame->size - lay->l4 >= 20 - 12 * (proto == PROTO_UDP)) {
        size_t sum = proto == PROTO_UDP ? 6 : 16;

        update_udp_sum(l4 + sum, l4 + offset, port, 2);
        memcpy(l4 + offset, port, 2);
    }
    return FAKE_REWRITE_DONE;
}

static void
push_tag(struct fake_frame *frame, uint16_t tci)
{
    frame->data = xrealloc(frame->data, frame->size + 4);
    memmove(frame->data + 16, frame->data + 12, frame->size - 12);
    put16(frame->data + 12, TYPE_VLAN);
    put16(frame->data + 14, tci);
    frame->size += 4;
}

static enum fake_rewrite
set_vid(struct fake_frame *frame, const struct layout *lay, uint16_t vid)
{
    if (lay->tagged) {
        uint16_t tci = get16(frame->data + 14) & 0xf000;

        put16(frame->data + 14, (uint16_t) (tci | (vid & 0xfff)));
    } else {
        push_tag(frame, vid & 0xfff);
    }
    return FAKE_REWRITE_DONE;
}

static enum fake_rewrite
pop_tag(struct fake_frame *frame, const struct layout *lay)
{
    if (lay->tagged) {
        memmove(frame->data + 12, frame->data + 16, frame->size - 16);
        frame->size -= 4;
    }
    return FAKE_REWRITE_DONE;
}

static enum fake_rewrite
set_ttl(struct fake_frame *frame, const struct layout *lay, uint8_t ttl)
{
    return lay->ipv4 ? set_ipv4_byte(frame, lay, 8, ttl) : FAKE_REWRITE_DONE;
}

static enum fake_rewrite
set_dscp(struct fake_frame *frame, const struct layout *lay, uint8_t tos)
{
    if (!lay->ipv4) {
        return FAKE_REWRITE_DONE;
    }
    tos = (uint8_t) ((tos & 0xfc) | (frame->data[lay->l3 + 1] & 3));
    return set_ipv4_byte(frame, lay, 1, tos);
}

/* Where the mask is zero the frame's own bits stay. */
static void
apply_mask(const struct ofpact_set_field *sf, const uint8_t *old, size_t size,
           union mf_value *value)
{
    const uint8_t *mask = ofpact_set_field_mask(sf)->b;

    for (size_t i = 0; i < size; i++) {
        value->b[i] =
            (uint8_t) ((sf->value->b[i] & mask[i]) | (old[i] & ~mask[i]));
    }
}

static enum fake_rewrite
set_masked_address(struct fake_frame *frame, const struct layout *lay,
                   const struct ofpact_set_field *sf, size_t offset)
{
    union mf_value value;

    if (!lay->ipv4) {
        return FAKE_REWRITE_DONE;
    }
    apply_mask(sf, frame->data + lay->l3 + offset, 4, &value);
    return set_ipv4_address(frame, lay, offset, &value);
}

/* The UDP checksum is mended where no extension header stands before it. */
static enum fake_rewrite
set_masked_address6(struct fake_frame *frame, const struct layout *lay,
                    const struct ofpact_set_field *sf, size_t offset)
{
    uint8_t *ip = frame->data + lay->l3;
    union mf_value value;

    if (lay->ipv6) {
        apply_mask(sf, ip + offset, 16, &value);
        if (ip[6] == PROTO_UDP && frame->size >= lay->l3 + 48) {
            update_udp_sum(ip + 46, ip + offset, value.b, 16);
        }
        memcpy(ip + offset, &value, 16);
    }
    return FAKE_REWRITE_DONE;
}

/* Of moves, those from the destination's address to the Ethernet one. */
static enum fake_rewrite
move(struct fake_frame *frame, const struct layout *lay,
     const struct ofpact_reg_move *a)
{
    bool is_ours = (lay->ipv4 && a->src.field->id == MFF_IPV4_DST)
                   || (lay->ipv6 && a->src.field->id == MFF_IPV6_DST);
    size_t last = lay->l3 + (lay->ipv4 ? 19 : 39);

    if (!is_ours || a->dst.field->id != MFF_ETH_DST || a->src.ofs || a->dst.ofs
        || a->src.n_bits > 32) {
        return FAKE_REWRITE_NONE;
    }
    for (unsigned int bit = 0; bit < a->src.n_bits; bit++) {
        uint8_t *to = frame->data + 5 - bit / 8;
        uint8_t from = frame->data[last - (size_t) bit / 8];

        *to = (uint8_t) ((*to & ~(1 << bit % 8)) | (from & 1 << bit % 8));
    }
    return FAKE_REWRITE_DONE;
}

static enum fake_rewrite
set_field(struct fake_frame *frame, const struct layout *lay,
          const struct ofpact_set_field *sf)
{
    const union mf_value *v = sf->value;
    union mf_value masked;

    switch ((int) sf->field->id) {
    case MFF_ETH_DST:
        apply_mask(sf, frame->data, 6, &masked);
        memcpy(frame->data, &masked, 6);
        return FAKE_REWRITE_DONE;
    case MFF_ETH_SRC:
        memcpy(frame->data + 6, v, 6);
        return FAKE_REWRITE_DONE;
    case MFF_VLAN_VID:
    case MFF_DL_VLAN:
        return set_vid(frame, lay, ntohs(v->be16));
    case MFF_IPV4_SRC:
        return set_masked_address(frame, lay, sf, 12);
    case MFF_IPV4_DST:
        return set_masked_address(frame, lay, sf, 16);
    case MFF_IPV6_SRC:
        return set_masked_address6(frame, lay, sf, 8);
    case MFF_IPV6_DST:
        return set_masked_address6(frame, lay, sf, 24);
    case MFF_IP_TTL:
        return set_ttl(frame, lay, v->u8);
    case MFF_IP_DSCP:
        return set_dscp(frame, lay, v->u8);
    case MFF_IP_DSCP_SHIFTED:
        return set_dscp(frame, lay, (uint8_t) (v->u8 << 2));
    case MFF_UDP_SRC:
        return set_port(frame, lay, PROTO_UDP, 0, v);
    case MFF_UDP_DST:
        return set_port(frame, lay, PROTO_UDP, 2, v);
    case MFF_TCP_SRC:
        return set_port(frame, lay, PROTO_TCP, 0, v);
    case MFF_TCP_DST:
        return set_port(frame, lay, PROTO_TCP, 2, v);
    default:
        return FAKE_REWRITE_DONE; /* Registers and metadata. */
    }
}

enum fake_rewrite
fake_packet_rewrite(struct fake_frame *frame, const struct ofpact *a)
{
    struct layout lay;

    find(frame, &lay);
    if (!lay.l3) {
        return FAKE_REWRITE_NONE;
    }
    switch ((int) a->type) {
    case OFPACT_SET_FIELD:
        return set_field(frame, &lay, ofpact_get_SET_FIELD(a));
    case OFPACT_REG_MOVE:
        return move(frame, &lay, ofpact_get_REG_MOVE(a));
    case OFPACT_SET_IP_TTL:
        return set_ttl(frame, &lay, ofpact_get_SET_IP_TTL(a)->ttl);
    case OFPACT_DEC_TTL:
        if (lay.ipv4 && frame->data[lay.l3 + 8] <= 1) {
            return FAKE_REWRITE_EXPIRED;
        }
        return lay.ipv4 ? set_ttl(frame, &lay,
                                  (uint8_t) (frame->data[lay.l3 + 8] - 1))
                        : FAKE_REWRITE_DONE;
    case OFPACT_PUSH_VLAN:
        push_tag(frame, lay.tagged ? get16(frame->data + 14) : 0);
        return FAKE_REWRITE_DONE;
    case OFPACT_STRIP_VLAN:
        return pop_tag(frame, &lay);
    case OFPACT_SET_VLAN_VID:
        return set_vid(frame, &lay, ofpact_get_SET_VLAN_VID(a)->vlan_vid);
    case OFPACT_SET_IPV4_SRC:
        return lay.ipv4 ? set_ipv4_address(frame, &lay, 12,
                                           &ofpact_get_SET_IPV4_SRC(a)->ipv4)
                        : FAKE_REWRITE_DONE;
    case OFPACT_SET_IPV4_DST:
        return lay.ipv4 ? set_ipv4_address(frame, &lay, 16,
                                           &ofpact_get_SET_IPV4_DST(a)->ipv4)
                        : FAKE_REWRITE_DONE;
    case OFPACT_SET_ETH_SRC:
        memcpy(frame->data + 6, &ofpact_get_SET_ETH_SRC(a)->mac, 6);
        return FAKE_REWRITE_DONE;
    case OFPACT_SET_ETH_DST:
        memcpy(frame->data, &ofpact_get_SET_ETH_DST(a)->mac, 6);
        return FAKE_REWRITE_DONE;
    default:
        return FAKE_REWRITE_NONE;
    }
}
