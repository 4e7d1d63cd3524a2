/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Frames for many ports or ends of tunnels: as few messages as hold them. */

#include <stdlib.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"
#include "ofp/ofp-session.h"

void
ofp_session_packet_out_ports(struct ofp_session *s, uint32_t in_port,
                             const uint32_t *ports, size_t n,
                             const void *frame, size_t size)
{
    size_t max = ofp_msg_packet_out_max_ports(size);
    size_t most = n < max ? n : max;
    size_t room = PACKET_OUT_SIZE + most * PACKET_OUT_ACTION_SIZE + size;
    uint8_t small[2048];
    uint8_t *bytes = room <= sizeof small ? small : xmalloc(room);
    struct wire_writer w;

    for (size_t i = 0, part; i < n && max; i += part) {
        part = n - i < max ? n - i : max;
        wire_writer_init(&w, bytes, room);
        ofp_msg_put_packet_out_ports(&w, in_port, ports + i, part, frame,
                                     size);
        ofp_session_packet_out_message(s, w.data, w.at);
    }
    if (bytes != small) {
        free(bytes);
    }
}

void
ofp_session_packet_out_tunnels(struct ofp_session *s, uint32_t port,
                               uint32_t tun_id, const uint32_t *tun_dsts,
                               size_t n, const void *frame, size_t size)
{
    size_t max = ofp_msg_packet_out_max_tunnels(size);
    uint8_t *bytes = xmalloc(OF13_MAX_MESSAGE);
    struct wire_writer w;

    for (size_t i = 0, part; i < n && max; i += part) {
        part = n - i < max ? n - i : max;
        wire_writer_init(&w, bytes, OF13_MAX_MESSAGE);
        ofp_msg_put_packet_out_tunnels(&w, port, tun_id, tun_dsts + i, part,
                                       frame, size);
        ofp_session_packet_out_message(s, w.data, w.at);
    }
    free(bytes);
}
