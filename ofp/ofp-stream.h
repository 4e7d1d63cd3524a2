/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_STREAM_H
#define OFP_STREAM_H 1

/* Cuts a stream of bytes into OpenFlow messages, however it comes in pieces.
 * Whole messages are handed on from where they are; only the one that has
 * begun and not ended is copied, so that no more than one message is kept.
 *
 * For ofp-session.c alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is a stream at its beginning. */
struct ofp_stream {
    uint8_t *partial;
    size_t n_partial;
};

/* Returns false to stop. */
typedef bool ofp_stream_cb(void *aux, const uint8_t *msg, size_t size);

void ofp_stream_uninit(struct ofp_stream *);
/* Calls 'cb' for each message that is complete with 'bytes'.  False if 'cb'
 * returned false, or if a message claims to be shorter than its header; in
 * either case the stream is of no further use. */
bool ofp_stream_input(struct ofp_stream *, const uint8_t *bytes, size_t size,
                      ofp_stream_cb *cb, void *aux);

#endif
