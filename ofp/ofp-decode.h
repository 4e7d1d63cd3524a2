/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_DECODE_H
#define OFP_DECODE_H 1

/* OpenFlow 1.3 bytes as the structs of ofp-session.h and ofp-flow.h.
 *
 * These read what any peer may send, before anything is known about it: each
 * returns false on what is malformed, and trusts no length.  'msg' is a whole
 * message whose header says 'size'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"
#include "ofp/ofp-flow.h"
#include "ofp/ofp-session.h"

enum { OFP_PORT_WIRE_SIZE = 64 };

/* Does the peer that sent this HELLO speak OpenFlow 1.3?  Malformed elements
 * are left out of account. */
bool ofp_decode_hello(const uint8_t *msg, size_t size);
bool ofp_decode_features(const uint8_t *msg, size_t size, uint64_t *dpid,
                         uint8_t *auxiliary_id);
/* A description multipart reply. */
bool ofp_decode_desc(const uint8_t *msg, size_t size, struct ofp_features *);
/* A multipart reply about meters: how many bands one has. */
bool ofp_decode_meter_features(const uint8_t *msg, size_t size,
                               struct ofp_features *);
/* One port out of 'r'. */
bool ofp_decode_port(struct wire_reader *r, struct ofp_port *);
bool ofp_decode_port_status(const uint8_t *msg, size_t size, uint8_t *reason,
                            struct ofp_port *);
/* 'frame' points into 'msg'. */
bool ofp_decode_packet_in(const uint8_t *msg, size_t size,
                          struct ofp_packet_in *);
bool ofp_decode_flow_removed(const uint8_t *msg, size_t size,
                             struct ofp_flow_removed *);

/* The OXM fields 'oxm' as a match; false if it cannot say all of them (then it
 * says what it can). */
bool ofp_decode_match(const uint8_t *oxm, size_t size, struct ofp_match *);

#endif
