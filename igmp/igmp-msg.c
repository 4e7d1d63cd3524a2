/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include <string.h>

#include "igmp/igmp-msg-private.h"

enum {
    ETH_TYPE_IP = 0x0800,
    ETH_TYPE_IP6 = 0x86dd,
    ETH_TYPE_VLAN = 0x8100,
    VLAN_VID_MASK = 0x0fff,
    VLAN_VID_RESERVED = 0x0fff, /* IEEE 802.1Q table 9-2. */

    IP_PROTO_IGMP = 2,
    IP_PROTO_PIM = 103,
    IP_MIN_SIZE = 20,
    IP_MORE_OR_OFFSET = 0x3fff, /* MF and the fragment offset, not DF. */
    IP_OPTION_END = 0,
    IP_OPTION_NOP = 1,
    IP_OPTION_ROUTER_ALERT = 148,

    IGMP_HEADER_SIZE = 4,
    IGMP_MIN_SIZE = 8,
    IGMP_V3_QUERY_SIZE = 12,
    IGMP_TYPE_QUERY = 0x11,
    IGMP_TYPE_V1_REPORT = 0x12,
    IGMP_TYPE_V2_REPORT = 0x16,
    IGMP_TYPE_V2_LEAVE = 0x17,
    IGMP_TYPE_V3_REPORT = 0x22,
    IGMP_TYPE_ROUTER_ADVERTISEMENT = 0x30, /* RFC 4286; two more follow. */
    IGMP_TYPE_ROUTER_TERMINATION = 0x32,

    V4_WIDTH = 4,
    V1_MAX_RESP_MS = 10 * 1000 /* RFC 2236 4. */
};

const char *
igmp_error_name(enum igmp_error error)
{
    static const char *const names[] = {
#define X(SYMBOL, NAME, MEANING) NAME,
        IGMP_ERRORS
#undef X
    };

    return (unsigned int) error < IGMP_N_ERRORS ? names[error] : "?";
}

const char *
igmp_error_meaning(enum igmp_error error)
{
    static const char *const meanings[] = {
#define X(SYMBOL, NAME, MEANING) MEANING,
        IGMP_ERRORS
#undef X
    };

    return (unsigned int) error < IGMP_N_ERRORS ? meanings[error] : "?";
}

/* RFC 3376 4.1.1: 1 eee mmmm is (mmmm | 0x10) << (eee + 3). */
unsigned int
igmp_code_decode(uint8_t code)
{
    if (code < 128) {
        return code;
    }
    return (unsigned int) ((code & 0x0f) | 0x10) << ((code >> 4 & 7) + 3);
}

uint8_t
igmp_code_encode(unsigned int value)
{
    if (value < 128) {
        return (uint8_t) value;
    }
    for (unsigned int exp = 0; exp < 8; exp++) {
        if (value < 0x20u << (exp + 3)) {
            return (uint8_t) (0x80 | exp << 4 | (value >> (exp + 3) & 0x0f));
        }
    }
    return 0xff;
}

struct ip_addr
igmp_source_at(const struct igmp_sources *s, size_t i)
{
    struct ip_addr a;

    if (s->width == V4_WIDTH) {
        struct wire_reader r;

        wire_reader_init(&r, s->bytes + i * V4_WIDTH, V4_WIDTH);
        return ip_addr_v4(wire_get_be32(&r));
    }
    memcpy(a.b, s->bytes + i * sizeof a.b, sizeof a.b);
    return a;
}

/* Ethernet, with at most one tag.  What carries two is another network's
 * vlan inside of ours: not for us to look into. */
static enum igmp_error
decode_ethernet(struct wire_reader *r, struct igmp_msg *m, uint16_t *type)
{
    wire_get(r, m->eth_dst.b, sizeof m->eth_dst.b);
    wire_get(r, m->eth_src.b, sizeof m->eth_src.b);

    *type = wire_get_be16(r);
    if (*type == ETH_TYPE_VLAN) {
        m->tagged = true;
        m->vlan = wire_get_be16(r) & VLAN_VID_MASK;
        *type = wire_get_be16(r);
    }
    if (r->failed) {
        return IGMP_TRUNCATED;
    }
    return m->vlan != VLAN_VID_RESERVED ? IGMP_OK : IGMP_NOT_IGMP;
}

/* Options that make no sense are left alone: they are not what a membership
 * hangs on, and hosts that send some are not worth losing. */
static bool
has_router_alert(struct wire_reader options)
{
    while (wire_left(&options)) {
        uint8_t type = wire_get_u8(&options);

        if (type == IP_OPTION_END) {
            return false;
        }
        if (type != IP_OPTION_NOP) {
            uint8_t size = wire_get_u8(&options);

            if (size < 2) {
                return false;
            }
            wire_skip(&options, size - 2u);
            if (type == IP_OPTION_ROUTER_ALERT && size == 4
                && !options.failed) {
                return true;
            }
        }
    }
    return false;
}

/* The IPv4 header; '*payload' becomes what it carries, without the padding
 * that Ethernet may have put behind it. */
static enum igmp_error
decode_ip(struct wire_reader *r, struct igmp_msg *m,
          struct wire_reader *payload, uint8_t *protocol)
{
    if (wire_left(r) < IP_MIN_SIZE) {
        return IGMP_TRUNCATED;
    }

    const uint8_t *header = r->data + r->at;
    size_t left = wire_left(r);
    uint8_t version_ihl = wire_get_u8(r);
    size_t header_size = (version_ihl & 0x0fu) * 4;
    wire_skip(r, 1); /* TOS. */
    size_t total = wire_get_be16(r);
    wire_skip(r, 2); /* Identification. */
    uint16_t fragment = wire_get_be16(r);
    m->ttl = wire_get_u8(r);
    *protocol = wire_get_u8(r);
    wire_skip(r, 2); /* Checksum. */
    m->ip_src = ip_addr_v4(wire_get_be32(r));
    m->ip_dst = ip_addr_v4(wire_get_be32(r));

    if (version_ihl >> 4 != 4 || header_size < IP_MIN_SIZE
        || total < header_size) {
        return IGMP_BAD_IP_HEADER;
    }
    if (*protocol != IP_PROTO_IGMP && *protocol != IP_PROTO_PIM) {
        return IGMP_NOT_IGMP;
    }
    if (total > left) {
        return IGMP_TRUNCATED;
    }
    if (wire_checksum(header, header_size)) {
        return IGMP_BAD_IP_CHECKSUM;
    }
    if (fragment & IP_MORE_OR_OFFSET) {
        return IGMP_FRAGMENT;
    }
    m->router_alert = has_router_alert(wire_sub(r, header_size - IP_MIN_SIZE));
    *payload = wire_sub(r, total - header_size);
    return IGMP_OK;
}

/* RFC 3376 7.1 tells the versions apart: 8 bytes are v1 (no Max Resp Code) or
 * v2, 12 and more are v3, anything between is nothing. */
static enum igmp_error
decode_query(struct wire_reader *r, uint8_t code, struct igmp_msg *m)
{
    size_t size = r->size;

    m->kind = IGMP_QUERY;
    uint32_t group = wire_get_be32(r);
    m->group = group ? ip_addr_v4(group) : IP_ADDR_ANY;
    if (size == IGMP_MIN_SIZE) {
        m->version = code ? 2 : 1;
        m->max_resp_ms = code ? code * 100 : V1_MAX_RESP_MS;
        return IGMP_OK;
    }
    if (size < IGMP_V3_QUERY_SIZE) {
        return IGMP_BAD_LENGTH;
    }

    uint8_t flags = wire_get_u8(r);
    m->version = 3;
    m->max_resp_ms = igmp_code_decode(code) * 100;
    m->suppress = flags & 0x08;
    m->qrv = flags & 0x07;
    m->query_interval_ms = igmp_code_decode(wire_get_u8(r)) * 1000;
    m->sources.n = wire_get_be16(r);
    m->sources.width = V4_WIDTH;
    m->sources.bytes = wire_take(r, m->sources.n * (size_t) V4_WIDTH);
    return r->failed ? IGMP_TRUNCATED : IGMP_OK;
}

/* Auxiliary data counts in 32-bit words (RFC 3376 4.2.6). */
bool
igmp_record_read(struct wire_reader *r, uint8_t width,
                 struct igmp_record *record)
{
    record->type = wire_get_u8(r);
    size_t aux_size = wire_get_u8(r) * 4u;
    record->sources.n = wire_get_be16(r);
    record->sources.width = width;
    if (width == V4_WIDTH) {
        record->group = ip_addr_v4(wire_get_be32(r));
    } else {
        wire_get(r, record->group.b, sizeof record->group.b);
    }
    record->sources.bytes = wire_take(r, record->sources.n * (size_t) width);
    wire_skip(r, aux_size);
    return !r->failed;
}

enum igmp_error
igmp_records_decode(struct wire_reader *r, uint8_t width, struct igmp_msg *m)
{
    struct igmp_record record;

    m->kind = IGMP_V3_REPORT;
    m->version = 3;
    m->address_width = width;
    wire_skip(r, 2); /* Reserved. */
    m->n_records = wire_get_be16(r);
    m->records = r->data + r->at;
    for (unsigned int i = 0; i < m->n_records; i++) {
        if (!igmp_record_read(r, width, &record)) {
            return IGMP_TRUNCATED;
        }
    }
    m->records_size = (size_t) (r->data + r->at - m->records);
    return IGMP_OK;
}

static enum igmp_error
decode_igmp(struct wire_reader *r, struct igmp_msg *m)
{
    if (r->size < IGMP_HEADER_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    bool is_mrd = r->data[0] >= IGMP_TYPE_ROUTER_ADVERTISEMENT
                  && r->data[0] <= IGMP_TYPE_ROUTER_TERMINATION;
    if (!is_mrd && r->size < IGMP_MIN_SIZE) {
        return IGMP_BAD_LENGTH;
    }
    if (wire_checksum(r->data, r->size)) {
        return IGMP_BAD_CHECKSUM;
    }
    if (is_mrd) {
        int nth = r->data[0] - IGMP_TYPE_ROUTER_ADVERTISEMENT;

        return igmp_mrd_decode(
            r, (enum igmp_kind)(IGMP_ROUTER_ADVERTISEMENT + nth), m);
    }

    uint8_t type = wire_get_u8(r);
    uint8_t code = wire_get_u8(r);
    wire_skip(r, 2); /* Checksum. */
    switch (type) {
    case IGMP_TYPE_QUERY:
        return decode_query(r, code, m);
    case IGMP_TYPE_V3_REPORT:
        return igmp_records_decode(r, V4_WIDTH, m);
    case IGMP_TYPE_V1_REPORT:
        m->kind = IGMP_V1_REPORT;
        m->version = 1;
        break;
    case IGMP_TYPE_V2_REPORT:
        m->kind = IGMP_V2_REPORT;
        m->version = 2;
        break;
    case IGMP_TYPE_V2_LEAVE:
        m->kind = IGMP_V2_LEAVE;
        m->version = 2;
        break;
    default:
        return IGMP_UNKNOWN_TYPE;
    }
    /* Such messages may be longer: the rest is ignored (RFC 2236 2.5). */
    m->group = ip_addr_v4(wire_get_be32(r));
    return IGMP_OK;
}

static enum igmp_error
decode_ip4_msg(struct wire_reader *r, struct igmp_msg *m)
{
    struct wire_reader payload;
    uint8_t protocol;
    enum igmp_error error = decode_ip(r, m, &payload, &protocol);

    if (error) {
        return error;
    }
    /* From here on the start of the message is where its size counts. */
    return protocol == IP_PROTO_PIM ? igmp_pim_decode(&payload, m)
                                    : decode_igmp(&payload, m);
}

enum igmp_error
igmp_msg_decode(const void *frame, size_t size, struct igmp_msg *m)
{
    struct wire_reader r;
    uint16_t type;

    memset(m, 0, sizeof *m);
    wire_reader_init(&r, frame, size);

    enum igmp_error error = decode_ethernet(&r, m, &type);
    if (error) {
        return error;
    }
    return type == ETH_TYPE_IP    ? decode_ip4_msg(&r, m)
           : type == ETH_TYPE_IP6 ? mld_msg_decode(&r, m)
                                  : IGMP_NOT_IGMP;
}

void
igmp_record_first(struct igmp_record_cursor *c, const struct igmp_msg *m)
{
    *c = (struct igmp_record_cursor){.bytes = m->records,
                                     .left = m->records_size,
                                     .n_left = m->n_records,
                                     .address_width = m->address_width};
}

bool
igmp_record_next(struct igmp_record_cursor *c, struct igmp_record *record)
{
    struct wire_reader r;

    if (!c->n_left) {
        return false;
    }
    wire_reader_init(&r, c->bytes, c->left);
    if (!igmp_record_read(&r, c->address_width, record)) {
        return false; /* Not after igmp_msg_decode(). */
    }
    c->bytes += r.at;
    c->left -= r.at;
    c->n_left--;
    return true;
}
