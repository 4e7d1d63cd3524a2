/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-encode.h"

#include <arpa/inet.h>
#include <string.h>

#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

static void
pad8(struct wire_writer *w, size_t size)
{
    wire_put_zeros(w, (8 - size % 8) % 8);
}

/* Matches. */

static void
put_prefix(struct wire_writer *w, const struct ip_prefix *p, uint32_t v4,
           uint32_t v6)
{
    bool is_v4 = ip_addr_is_v4(&p->addr);
    size_t skip = is_v4 ? 12 : 0;
    size_t n_bits = p->len > skip * 8 ? p->len - skip * 8 : 0;
    uint32_t header = is_v4 ? v4 : v6;
    uint8_t value[16], mask[16];
    size_t size = 16 - skip;

    if (!n_bits) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        size_t bits = n_bits > i * 8 ? n_bits - i * 8 : 0;

        mask[i] = bits >= 8 ? 0xff : 0xff00 >> bits;
        value[i] = p->addr.b[skip + i] & mask[i];
    }
    wire_put_be32(w, n_bits >= size * 8 ? header : OXM_MASKED(header));
    wire_put(w, value, size);
    if (n_bits < size * 8) {
        wire_put(w, mask, size);
    }
}

static void
put_eth_dst(struct wire_writer *w, const struct ofp_match *m)
{
    static const uint8_t zeros[6];
    static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    bool exact = !memcmp(m->eth_dst_mask.b, ones, 6);

    if (!memcmp(m->eth_dst_mask.b, zeros, 6)) {
        return;
    }
    wire_put_be32(w, exact ? OXM_ETH_DST : OXM_MASKED(OXM_ETH_DST));
    for (int i = 0; i < 6; i++) {
        wire_put_u8(w, m->eth_dst.b[i] & m->eth_dst_mask.b[i]);
    }
    if (!exact) {
        wire_put(w, m->eth_dst_mask.b, 6);
    }
}

/* An address implies its Ethernet type, which OpenFlow wants spelt out. */
static uint16_t
implied_eth_type(const struct ofp_match *m)
{
    const struct ip_prefix *p = NULL;

    if (m->fields & OFP_MATCH_ETH_TYPE) {
        return m->eth_type;
    }
    if (m->fields & OFP_MATCH_IP_SRC) {
        p = &m->ip_src;
    } else if (m->fields & OFP_MATCH_IP_DST) {
        p = &m->ip_dst;
    }
    return !p ? 0 : ip_addr_is_v4(&p->addr) ? 0x0800 : 0x86dd;
}

static void
put_l2_fields(struct wire_writer *w, const struct ofp_match *m)
{
    uint16_t eth_type = implied_eth_type(m);

    if (m->fields & OFP_MATCH_IN_PORT) {
        wire_put_be32(w, OXM_IN_PORT);
        wire_put_be32(w, m->in_port);
    }
    if (m->fields & OFP_MATCH_ETH_SRC) {
        wire_put_be32(w, OXM_ETH_SRC);
        wire_put(w, m->eth_src.b, sizeof m->eth_src.b);
    }
    if (m->fields & OFP_MATCH_ETH_DST) {
        put_eth_dst(w, m);
    }
    if (eth_type) {
        wire_put_be32(w, OXM_ETH_TYPE);
        wire_put_be16(w, eth_type);
    }
    if (m->fields & OFP_MATCH_VLAN) {
        wire_put_be32(w, OXM_VLAN_VID);
        wire_put_be16(w, m->vlan ? m->vlan | OXM_VLAN_PRESENT : 0);
    }
}

void
ofp_encode_match(struct wire_writer *w, const struct ofp_match *m)
{
    put_l2_fields(w, m);
    if (m->fields & OFP_MATCH_IP_SRC) {
        put_prefix(w, &m->ip_src, OXM_IPV4_SRC, OXM_IPV6_SRC);
    }
    if (m->fields & OFP_MATCH_IP_DST) {
        put_prefix(w, &m->ip_dst, OXM_IPV4_DST, OXM_IPV6_DST);
    }
    if (m->fields & OFP_MATCH_LATER_FRAG) {
        wire_put_be32(w, NXM_IP_FRAG);
        wire_put_u8(w, NXM_IP_FRAG_LATER);
    } else if (m->fields & OFP_MATCH_FRAG) {
        wire_put_be32(w, OXM_MASKED(NXM_IP_FRAG));
        wire_put_u8(w, NXM_IP_FRAG_ANY);
        wire_put_u8(w, NXM_IP_FRAG_ANY);
    }
    if (m->fields & OFP_MATCH_IP_PROTO) {
        wire_put_be32(w, OXM_IP_PROTO);
        wire_put_u8(w, m->ip_proto);
    }
    if (m->fields & OFP_MATCH_UDP_DST) {
        wire_put_be32(w, OXM_UDP_DST);
        wire_put_be16(w, m->udp_dst);
    }
    if (m->fields & OFP_MATCH_ICMP6_TYPE) {
        wire_put_be32(w, OXM_ICMPV6_TYPE);
        wire_put_u8(w, m->icmp6_type);
    }
    if (m->fields & OFP_MATCH_TUN_ID) {
        wire_put_be32(w, OXM_TUNNEL_ID);
        wire_put_be64(w, m->tun_id);
    }
    if (m->fields & OFP_MATCH_METADATA) {
        wire_put_be32(w, OXM_MASKED(OXM_METADATA));
        wire_put_be64(w, m->metadata);
        wire_put_be64(w, OF13_METADATA_MASK);
    }
}

/* Actions. */

static void
put_action(struct wire_writer *w, uint16_t type, uint32_t argument)
{
    wire_put_be16(w, type);
    wire_put_be16(w, 8);
    wire_put_be32(w, argument);
}

static void
put_set_field(struct wire_writer *w, uint32_t oxm, const void *value)
{
    size_t size = oxm & 0xff;

    wire_put_be16(w, ACTION_SET_FIELD);
    wire_put_be16(w, (8 + size + 7) / 8 * 8);
    wire_put_be32(w, oxm);
    wire_put(w, value, size);
    pad8(w, 8 + size);
}

static void
put_set_be16(struct wire_writer *w, uint32_t oxm, uint16_t value)
{
    const uint8_t bytes[2] = {value >> 8, value & 0xff};

    put_set_field(w, oxm, bytes);
}

/* Sets the bits of the field 'nxm' from 'first' on, up to 'end', to those that
 * 'value' has there: at most 64. */
static void
put_load_bits(struct wire_writer *w, uint32_t nxm, const uint8_t *value,
              unsigned int first, unsigned int end)
{
    unsigned int n_bytes = nxm & 0xff;
    uint64_t number = 0;

    for (unsigned int bit = end; bit-- > first;) {
        number = number << 1 | (value[n_bytes - 1 - bit / 8] >> bit % 8 & 1);
    }
    wire_put_be16(w, ACTION_EXPERIMENTER);
    wire_put_be16(w, 24);
    wire_put_be32(w, NX_VENDOR);
    wire_put_be16(w, NX_REG_LOAD);
    wire_put_be16(w, first << 6 | (end - first - 1));
    wire_put_be32(w, nxm);
    wire_put_be64(w, number);
}

/* Sets all bits of the field 'nxm' but its 'keep' lowest ones.  OpenFlow 1.3's
 * set-field has no mask. */
static void
put_load(struct wire_writer *w, uint32_t nxm, const uint8_t *value,
         unsigned int keep)
{
    unsigned int n_bits = (nxm & 0xff) * 8;

    for (unsigned int at = keep; at < n_bits;) {
        unsigned int end = n_bits - at > 64 ? at + 64 : n_bits;

        put_load_bits(w, nxm, value, at, end);
        at = end;
    }
}

/* The 'n' lowest bits of one field become those of another. */
static void
put_move(struct wire_writer *w, uint32_t from, uint32_t to, unsigned int n)
{
    wire_put_be16(w, ACTION_EXPERIMENTER);
    wire_put_be16(w, 24);
    wire_put_be32(w, NX_VENDOR);
    wire_put_be16(w, NX_REG_MOVE);
    wire_put_be16(w, n);
    wire_put_be32(w, 0); /* From bit 0 to bit 0. */
    wire_put_be32(w, from);
    wire_put_be32(w, to);
}

static void
put_set_ip_src(struct wire_writer *w, const struct ofp_rewrite *r)
{
    if (!ip_addr_is_v4(&r->ip_src) && r->ip_src_keep) {
        put_load(w, NXM_IPV6_SRC, r->ip_src.b, r->ip_src_keep);
    } else if (!ip_addr_is_v4(&r->ip_src)) {
        put_set_field(w, OXM_IPV6_SRC, r->ip_src.b);
    } else if (r->ip_src_keep) {
        put_load(w, NXM_IP_SRC, r->ip_src.b + 12, r->ip_src_keep);
    } else {
        put_set_field(w, OXM_IPV4_SRC, r->ip_src.b + 12);
    }
}

static void
put_set_ip_dst(struct wire_writer *w, const struct ofp_rewrite *r)
{
    if (!ip_addr_is_v4(&r->ip_dst) && r->ip_dst_keep) {
        put_load(w, NXM_IPV6_DST, r->ip_dst.b, r->ip_dst_keep);
    } else if (!ip_addr_is_v4(&r->ip_dst)) {
        put_set_field(w, OXM_IPV6_DST, r->ip_dst.b);
    } else if (r->ip_dst_keep) {
        put_load(w, NXM_IP_DST, r->ip_dst.b + 12, r->ip_dst_keep);
    } else {
        put_set_field(w, OXM_IPV4_DST, r->ip_dst.b + 12);
    }
}

static void
put_set_eth_dst(struct wire_writer *w, const struct ofp_rewrite *r)
{
    bool v6 = r->set & OFP_SET_IP_DST && !ip_addr_is_v4(&r->ip_dst);

    if (r->eth_dst_keep) {
        put_load(w, NXM_ETH_DST, r->eth_dst.b, r->eth_dst_keep);
        put_move(w, v6 ? NXM_IPV6_DST : NXM_IP_DST, NXM_ETH_DST,
                 r->eth_dst_keep);
    } else {
        put_set_field(w, OXM_ETH_DST, r->eth_dst.b);
    }
}

void
ofp_encode_set_tun_id(struct wire_writer *w, uint32_t id)
{
    const uint8_t bytes[8] = {[4] = id >> 24, id >> 16, id >> 8, id};

    put_set_field(w, OXM_TUNNEL_ID, bytes);
}

void
ofp_encode_set_tun_dst(struct wire_writer *w, uint32_t dst)
{
    const uint8_t bytes[4] = {dst >> 24, dst >> 16, dst >> 8, dst};

    put_set_field(w, NXM_TUN_DST, bytes);
}

static void
put_rewrite(struct wire_writer *w, const struct ofp_rewrite *r)
{
    if (r->set & OFP_POP_VLAN) {
        put_action(w, ACTION_POP_VLAN, 0);
    }
    if (r->set & OFP_PUSH_VLAN) {
        put_action(w, ACTION_PUSH_VLAN, UINT32_C(0x8100) << 16);
    }
    if (r->set & (OFP_SET_VLAN | OFP_PUSH_VLAN)) {
        put_set_be16(w, OXM_VLAN_VID, r->vlan | OXM_VLAN_PRESENT);
    }
    if (r->set & OFP_SET_ETH_SRC) {
        put_set_field(w, OXM_ETH_SRC, r->eth_src.b);
    }
    if (r->set & OFP_SET_ETH_DST) {
        put_set_eth_dst(w, r);
    }
    if (r->set & OFP_SET_IP_SRC) {
        put_set_ip_src(w, r);
    }
    if (r->set & OFP_SET_IP_DST) {
        put_set_ip_dst(w, r);
    }
    if (r->set & OFP_SET_DSCP) {
        put_set_field(w, OXM_IP_DSCP, &r->dscp);
    }
    if (r->set & OFP_SET_TTL) {
        put_action(w, ACTION_SET_NW_TTL, (uint32_t) r->ttl << 24);
    }
    if (r->set & OFP_SET_UDP_DST) {
        put_set_be16(w, OXM_UDP_DST, r->udp_dst);
    }
    if (r->set & OFP_SET_TUNNEL) {
        ofp_encode_set_tun_id(w, r->tun_id);
        ofp_encode_set_tun_dst(w, r->tun_dst);
    }
}

static void
put_output(struct wire_writer *w, uint32_t port, uint16_t max_len)
{
    wire_put_be16(w, ACTION_OUTPUT);
    wire_put_be16(w, 16);
    wire_put_be32(w, port);
    wire_put_be16(w, max_len);
    wire_put_zeros(w, 6);
}

static void
put_punt(struct wire_writer *w, uint32_t meter)
{
    if (!meter) {
        put_output(w, OF13_PORT_CONTROLLER, 0xffff);
        return;
    }
    wire_put_be16(w, ACTION_EXPERIMENTER);
    wire_put_be16(w, 24);
    wire_put_be32(w, NX_VENDOR);
    wire_put_be16(w, NX_CONTROLLER2);
    wire_put_zeros(w, 6);
    wire_put_be16(w, NX_CONTROLLER2_METER);
    wire_put_be16(w, 8);
    wire_put_be32(w, meter);
}

/* Flows. */

static void
put_write_metadata(struct wire_writer *w, uint8_t metadata)
{
    wire_put_be16(w, INSTR_WRITE_METADATA);
    wire_put_be16(w, 24);
    wire_put_zeros(w, 4);
    wire_put_be64(w, metadata);
    wire_put_be64(w, OF13_METADATA_MASK);
}

static void
put_instructions(struct wire_writer *w, const struct ofp_flow *f,
                 uint32_t group_id)
{
    size_t start = w->at;

    if (f->punt || f->rewrite.set || f->output != OFP_OUT_NONE) {
        wire_put_be16(w, INSTR_APPLY_ACTIONS);
        wire_put_be16(w, 0);
        wire_put_zeros(w, 4);
        if (f->punt) {
            put_punt(w, f->punt_meter);
        }
        put_rewrite(w, &f->rewrite);
        if (f->output == OFP_OUT_GROUP) {
            put_action(w, ACTION_GROUP, group_id);
        } else if (f->output == OFP_OUT_NORMAL) {
            put_output(w, OF13_PORT_NORMAL, 0);
        } else if (f->output == OFP_OUT_PORT) {
            put_output(w, f->out_port, 0);
        }
        ofp_msg_patch_length(w, start, start + 2);
    }
    if (f->set_metadata) {
        put_write_metadata(w, f->metadata);
    }
    if (f->goto_table) {
        put_action(w, INSTR_GOTO_TABLE, (uint32_t) f->goto_table << 24);
    }
}

/* Everything before the match. */
static void
put_flow_mod(struct wire_writer *w, const struct ofp_flow *f, uint8_t command)
{
    ofp_msg_begin(w, OF13_FLOW_MOD);
    wire_put_be64(w, f->cookie);
    wire_put_be64(w, 0);
    wire_put_u8(w, f->table);
    wire_put_u8(w, command);
    wire_put_be16(w, f->idle_timeout);
    wire_put_be16(w, 0);
    wire_put_be16(w, f->priority);
    wire_put_be32(w, OF13_NO_BUFFER);
    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, OF13_ANY);
    wire_put_be16(w, f->tell_removed ? FLOW_SEND_REMOVED : 0);
    wire_put_be16(w, 0);
}

void
ofp_encode_flow(struct wire_writer *w, const struct ofp_flow *f,
                uint32_t group_id)
{
    size_t start = w->at;
    size_t match;

    put_flow_mod(w, f, FLOW_ADD);
    match = w->at;
    wire_put_be16(w, 1); /* OXM. */
    wire_put_be16(w, 0);
    ofp_encode_match(w, &f->match);
    ofp_msg_patch_length(w, match, match + 2);
    pad8(w, w->at - match);
    put_instructions(w, f, group_id);
    ofp_msg_end(w, start);
}

void
ofp_encode_flow_delete(struct wire_writer *w, const uint8_t *add, size_t size,
                       uint64_t cookie, uint64_t mask)
{
    size_t start = w->at;
    struct wire_reader r;
    size_t match_size;

    wire_reader_init(&r, add, size);
    wire_skip(&r, FLOW_MOD_MATCH + 2);
    match_size = wire_get_be16(&r);
    match_size = (match_size + 7) / 8 * 8;
    if (r.failed || match_size > size - FLOW_MOD_MATCH) {
        w->failed = true;
        return;
    }

    ofp_msg_begin(w, OF13_FLOW_MOD);
    wire_put_be64(w, cookie & mask);
    wire_put_be64(w, mask);
    wire_put_u8(w, add[FLOW_MOD_TABLE]);
    wire_put_u8(w, FLOW_DELETE_STRICT);
    wire_put_zeros(w, 4);
    wire_put(w, add + FLOW_MOD_PRIORITY, 2);
    wire_put_be32(w, OF13_NO_BUFFER);
    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, OF13_ANY);
    wire_put_zeros(w, 4);
    wire_put(w, add + FLOW_MOD_MATCH, match_size);
    ofp_msg_end(w, start);
}

/* Groups. */

size_t
ofp_encode_bucket_size(const struct ofp_bucket *b)
{
    uint8_t bytes[512];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    put_rewrite(&w, &b->rewrite);
    return GROUP_BUCKET_SIZE + w.at + 16;
}

static void
put_bucket(struct wire_writer *w, const struct ofp_bucket *b)
{
    size_t start = w->at;

    wire_put_be16(w, 0);
    wire_put_be16(w, 0); /* Weight. */
    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, OF13_ANY);
    wire_put_zeros(w, 4);
    put_rewrite(w, &b->rewrite);
    put_output(w, b->out_port, 0);
    ofp_msg_patch_length(w, start, start);
}

/* How many of the 'n' buckets, from the first, differ only in the port. */
static size_t
run_length(const struct ofp_bucket *b, size_t n)
{
    size_t i = 1;

    while (i < n
           && (b[i].rewrite.set | b[0].rewrite.set
                   ? ofp_rewrite_equal(&b[0].rewrite, &b[i].rewrite)
                   : true)) {
        i++;
    }
    return i;
}

static void
copy_bucket(uint8_t *out, const uint8_t *model, size_t size, uint32_t port)
{
    port = htonl(port);
    memcpy(out, model, size);
    memcpy(out + size - 12, &port, sizeof port);
}

/* Writes the bucket of 'size' bytes that ends at w->at once more for each of
 * the 'n' buckets, which differ only in the port: what a big group mostly
 * consists of, at the price of a copy. */
static void
repeat_bucket(struct wire_writer *w, size_t size, const struct ofp_bucket *b,
              size_t n)
{
    enum { PLAIN = GROUP_BUCKET_SIZE + 16 };
    uint8_t *out = w->data + w->at;
    const uint8_t *model = out - size;

    if (w->failed || w->room - w->at < n * size) {
        w->failed = true;
        return;
    }
    w->at += n * size;
    if (size == PLAIN) {
        /* A size that the compiler knows: half the time. */
        for (size_t i = 0; i < n; i++) {
            copy_bucket(out + i * PLAIN, model, PLAIN, b[i].out_port);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            copy_bucket(out + i * size, model, size, b[i].out_port);
        }
    }
}

void
ofp_encode_group(struct wire_writer *w, uint32_t group_id,
                 const struct ofp_bucket *buckets, size_t n)
{
    size_t start = ofp_msg_begin(w, OF13_GROUP_MOD);

    wire_put_be16(w, MOD_ADD);
    wire_put_u8(w, 0); /* All. */
    wire_put_u8(w, 0);
    wire_put_be32(w, group_id);
    for (size_t i = 0; i < n && !w->failed;) {
        size_t run = run_length(buckets + i, n - i);
        size_t before = w->at;

        put_bucket(w, &buckets[i]);
        repeat_bucket(w, w->at - before, buckets + i + 1, run - 1);
        i += run;
    }
    ofp_msg_end(w, start);
}

void
ofp_encode_group_delete(struct wire_writer *w, uint32_t group_id)
{
    size_t start = ofp_msg_begin(w, OF13_GROUP_MOD);

    wire_put_be16(w, MOD_DELETE);
    wire_put_be16(w, 0);
    wire_put_be32(w, group_id);
    ofp_msg_end(w, start);
}

/* One band that drops what comes faster than 'rate' packets a second. */
void
ofp_encode_meter(struct wire_writer *w, uint32_t id, uint32_t rate,
                 uint32_t burst)
{
    enum { PKTPS = 2, BURST = 4, DROP = 1 };
    size_t start = ofp_msg_begin(w, OF13_METER_MOD);

    wire_put_be16(w, MOD_ADD);
    wire_put_be16(w, PKTPS | BURST);
    wire_put_be32(w, id);
    wire_put_be16(w, DROP);
    wire_put_be16(w, 16);
    wire_put_be32(w, rate);
    wire_put_be32(w, burst);
    wire_put_be32(w, 0);
    ofp_msg_end(w, start);
}
