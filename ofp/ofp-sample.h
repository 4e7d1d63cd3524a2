/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_SAMPLE_H
#define OFP_SAMPLE_H 1

/* What a switch makes of a frame: it is handed the frame with the actions that
 * rewrite it, and to show what it has made of it to the controller, and to
 * nobody else.  That comes as a packet-in from port OFP_PORT_CONTROLLER with
 * 'tag' as its metadata. */

#include <stddef.h>
#include <stdint.h>

/* As the port of a packet-in: the controller sent it. */
enum { OFP_PORT_CONTROLLER = 0xfffffffd };

/* The packet-out, for free().  Of the actions, in ovs-ofctl's words (see
 * ofp-text.h), those that change the frame are taken; NULL if they cannot be
 * read, or the message would be too long. */
uint8_t *ofp_sample_message(const char *actions, uint64_t tag,
                            const void *frame, size_t frame_size,
                            size_t *size);

#endif
