/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_ENCODE_H
#define OFP_ENCODE_H 1

/* The structs of ofp-flow.h as OpenFlow 1.3 messages.
 *
 * A join costs one such message, so these are written by hand; but they are
 * byte for byte what libopenvswitch makes of the same thing, and so what Open
 * vSwitch gives back in its flow and group descriptions.  That is what lets
 * ofp-table compare with memcmp().  tests/unit/test-ofp-encode holds every
 * combination of members against the library.
 *
 * All messages are written with transaction id 0: ofp_msg_set_xid().  What
 * does not fit makes the writer fail; the caller gives OF13_MAX_MESSAGE bytes
 * of room, so a failed writer means a message that cannot be sent. */

#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"
#include "ofp/ofp-flow.h"

/* The fields of a match as OXM, in canonical order, without header and
 * padding.  This is what identifies a flow besides table and priority. */
enum { OFP_MATCH_MAX_SIZE = 160 };
void ofp_encode_match(struct wire_writer *, const struct ofp_match *);

/* The messages that add a flow, a group, a meter. */
void ofp_encode_flow(struct wire_writer *, const struct ofp_flow *,
                     uint32_t group_id);
void ofp_encode_group(struct wire_writer *, uint32_t group_id,
                      const struct ofp_bucket *, size_t n);
void ofp_encode_meter(struct wire_writer *, uint32_t id, uint32_t rate,
                      uint32_t burst);
/* Actions: the key of a tunnel, and its other end. */
void ofp_encode_set_tun_id(struct wire_writer *, uint32_t);
void ofp_encode_set_tun_dst(struct wire_writer *, uint32_t);
/* Bytes of the GROUP_MOD of buckets like 'bucket', for error messages. */
size_t ofp_encode_bucket_size(const struct ofp_bucket *);

/* The message that deletes the flow which FLOW_MOD 'add' of 'size' bytes adds,
 * if its cookie matches 'cookie' in the bits of 'mask'. */
void ofp_encode_flow_delete(struct wire_writer *, const uint8_t *add,
                            size_t size, uint64_t cookie, uint64_t mask);
void ofp_encode_group_delete(struct wire_writer *, uint32_t group_id);

#endif
