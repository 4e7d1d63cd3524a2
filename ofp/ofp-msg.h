/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_MSG_H
#define OFP_MSG_H 1

/* OpenFlow 1.3 messages as such: the header, and the small requests.
 *
 * Messages are written with transaction id 0; ofp_msg_set_xid() numbers one
 * when it is sent.  A message that does not fit into the writer, or not into
 * 65,535 bytes, makes the writer fail. */

#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"

/* The header of a whole message. */
uint8_t ofp_msg_version(const void *);
uint8_t ofp_msg_type(const void *);
size_t ofp_msg_size(const void *);
uint32_t ofp_msg_xid(const void *);
void ofp_msg_set_xid(void *, uint32_t xid);

/* Writing one: begin returns what end wants. */
size_t ofp_msg_begin(struct wire_writer *, uint8_t type);
void ofp_msg_end(struct wire_writer *, size_t start);
/* Writes the size of what began at 'start' into the 16 bits at 'length_at'. */
void ofp_msg_patch_length(struct wire_writer *, size_t start,
                          size_t length_at);

/* Whole messages. */
void ofp_msg_put_empty(struct wire_writer *, uint8_t type);
void ofp_msg_put_hello(struct wire_writer *);
void ofp_msg_put_hello_failed(struct wire_writer *, const char *text);
/* Whole packets on a table miss; 'flags' say how to handle fragments. */
void ofp_msg_put_set_config(struct wire_writer *, uint16_t flags);
/* 'in_port' 0: from nowhere.  No more ports fit in a message than
 * ofp_msg_packet_out_max_ports() says of the frame's size. */
void ofp_msg_put_packet_out_ports(struct wire_writer *, uint32_t in_port,
                                  const uint32_t *ports, size_t n,
                                  const void *frame, size_t size);
size_t ofp_msg_packet_out_max_ports(size_t size);
/* The same out of a tunnel port, to each of the 'n' other ends. */
void ofp_msg_put_packet_out_tunnels(struct wire_writer *, uint32_t port,
                                    uint32_t tun_id, const uint32_t *tun_dsts,
                                    size_t n, const void *frame, size_t size);
size_t ofp_msg_packet_out_max_tunnels(size_t size);
/* 'type' is OF13_MP_DESC, _PORT_DESC, _GROUP_DESC or _METER_FEATURES. */
void ofp_msg_put_multipart(struct wire_writer *, uint16_t type);
void ofp_msg_put_meter_config(struct wire_writer *);
/* Flows of every table whose cookie matches 'cookie' in the bits of 'mask'. */
void ofp_msg_put_flow_stats(struct wire_writer *, uint64_t cookie,
                            uint64_t mask);

#endif
