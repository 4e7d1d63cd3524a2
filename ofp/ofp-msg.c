/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-msg.h"

#include <string.h>

#include "ofp/ofp-encode.h"
#include "ofp/ofp-proto.h"

/* The header. */

uint8_t
ofp_msg_version(const void *msg)
{
    return ((const uint8_t *) msg)[0];
}

uint8_t
ofp_msg_type(const void *msg)
{
    return ((const uint8_t *) msg)[1];
}

size_t
ofp_msg_size(const void *msg)
{
    const uint8_t *b = msg;

    return b[2] << 8 | b[3];
}

uint32_t
ofp_msg_xid(const void *msg)
{
    const uint8_t *b = msg;

    return (uint32_t) b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7];
}

void
ofp_msg_set_xid(void *msg, uint32_t xid)
{
    uint8_t *b = msg;

    b[4] = xid >> 24;
    b[5] = xid >> 16;
    b[6] = xid >> 8;
    b[7] = xid;
}

/* Writing. */

size_t
ofp_msg_begin(struct wire_writer *w, uint8_t type)
{
    size_t start = w->at;

    wire_put_u8(w, OF13_VERSION);
    wire_put_u8(w, type);
    wire_put_be16(w, 0);
    wire_put_be32(w, 0);
    return start;
}

void
ofp_msg_patch_length(struct wire_writer *w, size_t start, size_t length_at)
{
    if (w->at - start > OF13_MAX_MESSAGE) {
        w->failed = true;
        return;
    }
    wire_patch_be16(w, length_at, w->at - start);
}

void
ofp_msg_end(struct wire_writer *w, size_t start)
{
    ofp_msg_patch_length(w, start, start + 2);
}

/* Whole messages. */

void
ofp_msg_put_empty(struct wire_writer *w, uint8_t type)
{
    ofp_msg_end(w, ofp_msg_begin(w, type));
}

/* With a bitmap of versions, as OpenFlow 1.3.1 added it. */
void
ofp_msg_put_hello(struct wire_writer *w)
{
    size_t start = ofp_msg_begin(w, OF13_HELLO);

    wire_put_be16(w, 1);
    wire_put_be16(w, 8);
    wire_put_be32(w, 1U << OF13_VERSION);
    ofp_msg_end(w, start);
}

void
ofp_msg_put_hello_failed(struct wire_writer *w, const char *text)
{
    size_t start = ofp_msg_begin(w, OF13_ERROR);

    wire_put_be16(w, 0); /* Hello failed... */
    wire_put_be16(w, 0); /* ...as we are incompatible. */
    wire_put(w, text, strlen(text));
    ofp_msg_end(w, start);
}

void
ofp_msg_put_set_config(struct wire_writer *w, uint16_t flags)
{
    size_t start = ofp_msg_begin(w, OF13_SET_CONFIG);

    wire_put_be16(w, flags);
    wire_put_be16(w, 0xffff);
    ofp_msg_end(w, start);
}

size_t
ofp_msg_packet_out_max_ports(size_t size)
{
    size_t rest = OF13_MAX_MESSAGE - PACKET_OUT_SIZE;

    return size > rest ? 0 : (rest - size) / PACKET_OUT_ACTION_SIZE;
}

void
ofp_msg_put_packet_out_ports(struct wire_writer *w, uint32_t in_port,
                             const uint32_t *ports, size_t n,
                             const void *frame, size_t size)
{
    size_t start = ofp_msg_begin(w, OF13_PACKET_OUT);

    wire_put_be32(w, OF13_NO_BUFFER);
    wire_put_be32(w, in_port ? in_port : OF13_PORT_CONTROLLER);
    wire_put_be16(w, n * PACKET_OUT_ACTION_SIZE);
    wire_put_zeros(w, 6);
    for (size_t i = 0; i < n; i++) {
        wire_put_be16(w, ACTION_OUTPUT);
        wire_put_be16(w, PACKET_OUT_ACTION_SIZE);
        wire_put_be32(w, ports[i]);
        wire_put_zeros(w, 8);
    }
    wire_put(w, frame, size);
    ofp_msg_end(w, start);
}

size_t
ofp_msg_packet_out_max_tunnels(size_t size)
{
    size_t rest = OF13_MAX_MESSAGE - PACKET_OUT_SIZE - SET_TUNNEL_SIZE;

    return size > rest
               ? 0
               : (rest - size) / (SET_TUNNEL_SIZE + PACKET_OUT_ACTION_SIZE);
}

void
ofp_msg_put_packet_out_tunnels(struct wire_writer *w, uint32_t port,
                               uint32_t tun_id, const uint32_t *tun_dsts,
                               size_t n, const void *frame, size_t size)
{
    size_t start = ofp_msg_begin(w, OF13_PACKET_OUT);

    wire_put_be32(w, OF13_NO_BUFFER);
    wire_put_be32(w, OF13_PORT_CONTROLLER);
    wire_put_be16(w, SET_TUNNEL_SIZE
                         + n * (SET_TUNNEL_SIZE + PACKET_OUT_ACTION_SIZE));
    wire_put_zeros(w, 6);
    ofp_encode_set_tun_id(w, tun_id);
    for (size_t i = 0; i < n; i++) {
        ofp_encode_set_tun_dst(w, tun_dsts[i]);
        wire_put_be16(w, ACTION_OUTPUT);
        wire_put_be16(w, PACKET_OUT_ACTION_SIZE);
        wire_put_be32(w, port);
        wire_put_zeros(w, 8);
    }
    wire_put(w, frame, size);
    ofp_msg_end(w, start);
}

static size_t
begin_multipart(struct wire_writer *w, uint16_t type)
{
    size_t start = ofp_msg_begin(w, OF13_MULTIPART_REQUEST);

    wire_put_be16(w, type);
    wire_put_zeros(w, 6);
    return start;
}

void
ofp_msg_put_multipart(struct wire_writer *w, uint16_t type)
{
    ofp_msg_end(w, begin_multipart(w, type));
}

void
ofp_msg_put_meter_config(struct wire_writer *w)
{
    size_t start = begin_multipart(w, OF13_MP_METER_CONFIG);

    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, 0);
    ofp_msg_end(w, start);
}

void
ofp_msg_put_flow_stats(struct wire_writer *w, uint64_t cookie, uint64_t mask)
{
    size_t start = begin_multipart(w, OF13_MP_FLOW);

    wire_put_u8(w, 0xff); /* All tables. */
    wire_put_zeros(w, 3);
    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, OF13_ANY);
    wire_put_be32(w, 0);
    wire_put_be64(w, cookie & mask);
    wire_put_be64(w, mask);
    wire_put_be16(w, 1); /* A match of anything. */
    wire_put_be16(w, 4);
    wire_put_be32(w, 0);
    ofp_msg_end(w, start);
}
