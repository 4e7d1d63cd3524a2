/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-port-stats.h"

#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

void
ofp_port_stats_put_request(struct wire_writer *w, uint32_t xid)
{
    size_t start = ofp_msg_begin(w, OF13_MULTIPART_REQUEST);

    wire_put_be16(w, OF13_MP_PORT_STATS);
    wire_put_zeros(w, 6);
    wire_put_be32(w, OF13_ANY);
    wire_put_zeros(w, 4);
    ofp_msg_end(w, start);
    ofp_msg_set_xid(w->data + start, xid);
}

enum ofp_port_stats_kind
ofp_port_stats_open(const void *msg, size_t size, uint32_t xid,
                    struct ofp_port_stats_reply *reply)
{
    struct wire_reader *r = &reply->items;
    uint16_t type;

    if (size < OF13_HEADER_SIZE || ofp_msg_xid(msg) != xid) {
        return OFP_PORT_STATS_NONE;
    } else if (ofp_msg_type(msg) == OF13_ERROR) {
        return OFP_PORT_STATS_REFUSED;
    } else if (ofp_msg_type(msg) != OF13_MULTIPART_REPLY) {
        return OFP_PORT_STATS_NONE;
    }
    wire_reader_init(r, msg, size);
    wire_skip(r, OF13_HEADER_SIZE);
    type = wire_get_be16(r);
    reply->more = wire_get_be16(r) & OF13_MULTIPART_MORE;
    wire_skip(r, 4);
    return r->failed || type != OF13_MP_PORT_STATS ? OFP_PORT_STATS_NONE
                                                   : OFP_PORT_STATS_REPLY;
}

bool
ofp_port_stats_next(struct ofp_port_stats_reply *reply,
                    struct ofp_port_stats *s)
{
    struct wire_reader *r = &reply->items;

    if (!wire_left(r)) {
        return false;
    }
    s->no = wire_get_be32(r);
    wire_skip(r, 4);
    s->rx_packets = wire_get_be64(r);
    s->tx_packets = wire_get_be64(r);
    s->rx_bytes = wire_get_be64(r);
    s->tx_bytes = wire_get_be64(r);
    s->rx_dropped = wire_get_be64(r);
    s->tx_dropped = wire_get_be64(r);
    s->rx_errors = wire_get_be64(r);
    s->tx_errors = wire_get_be64(r);
    wire_skip(r, 4 * 8 + 8); /* Kinds of errors, duration. */
    return !r->failed;
}
