/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_TEXT_H
#define OFP_TEXT_H 1

/* Messages that add a flow or a group (ofp_table_message()), in ovs-ofctl's
 * words: for people. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The actions of a flow: "set_field:10.1.0.10->ip_src,goto_table:40", for
 * free(); NULL if it is no such message. */
char *ofp_text_actions(const uint8_t *msg, size_t size);

/* One copy that a group makes. */
struct ofp_text_output {
    uint32_t port;       /* 0: none. */
    uint32_t tun_dst;    /* The other end of a tunnel, 0: none. */
    const char *actions; /* But for the output: "set_field:..."; "" if none. */
};

/* Borrowed; false to stop. */
typedef bool ofp_text_cb(void *aux, const struct ofp_text_output *);
/* Of a group, in the order of its buckets. */
void ofp_text_each_output(const uint8_t *msg, size_t size, ofp_text_cb *,
                          void *aux);

#endif
