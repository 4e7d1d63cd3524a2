/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_CANON_H
#define OFP_CANON_H 1

/* Canonical messages: a FLOW_MOD or GROUP_MOD that adds something, in the one
 * form that libopenvswitch gives it.  Two of them are equal exactly if their
 * bytes are.
 *
 * What came from elsewhere (a user's text, another controller's flow) is
 * brought into that form by decoding and encoding it.  Nothing here trusts its
 * input. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The canonical form of the message 'msg' that adds a flow or a group;
 * free() it.  NULL if libopenvswitch does not understand it, or would need
 * more than 65,535 bytes; then '*error' (may be NULL) is its name for why. */
uint8_t *ofp_canon_flow(const uint8_t *msg, size_t size, size_t *out_size,
                        const char **error);
uint8_t *ofp_canon_group(const uint8_t *msg, size_t size, size_t *out_size,
                         const char **error);

/* What identifies a flow, as seen in a FLOW_MOD: 'match' are its OXM fields,
 * within the message.  False if the message is not well-formed so far. */
struct ofp_flow_key {
    uint8_t table;
    uint16_t priority;
    const uint8_t *match;
    size_t match_size;
};

bool ofp_canon_flow_key(const uint8_t *msg, size_t size,
                        struct ofp_flow_key *);
bool ofp_flow_key_equal(const struct ofp_flow_key *,
                        const struct ofp_flow_key *);

#endif
