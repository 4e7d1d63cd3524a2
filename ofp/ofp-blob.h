/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_BLOB_H
#define OFP_BLOB_H 1

/* Messages as a table keeps them: bytes that do not change, each kept once.
 *
 * Most entries of a switch do the same as many others, to other packets: they
 * search for sources, or lead to one of few sets of ports.  So what tells an
 * entry from the others is left out of its message: the match of a flow, which
 * is its entry's key, and the id of the entry's own group.  What is left is
 * the same for all of them, and is counted by who refers to it.
 *
 * Two blobs of a pool that are equal are one: compare the pointers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openvswitch/hmap.h>

struct ofp_blobs {
    struct hmap map; /* Of all. */
};

struct ofp_blob {
    struct hmap_node node; /* In 'pool'. */
    struct ofp_blobs *pool;
    uint32_t refs;
    uint32_t size;
    uint32_t id_at; /* Where the id of the entry's group belongs, 0 = not. */
    uint8_t data[];
};

void ofp_blobs_init(struct ofp_blobs *);
void ofp_blobs_uninit(struct ofp_blobs *); /* There must be none any more. */
/* One ref. */
struct ofp_blob *ofp_blobs_get(struct ofp_blobs *, const void *, size_t size,
                               size_t id_at);
struct ofp_blob *ofp_blob_ref(struct ofp_blob *); /* NULL is fine. */
void ofp_blob_unref(struct ofp_blob *);           /* NULL is fine. */

/* The message 'msg' that adds a flow, without its match, or a group.  With
 * 'id_at' it names, there, the group of its entry.  'msg' is overwritten. */
struct ofp_blob *ofp_blobs_get_flow(struct ofp_blobs *, uint8_t *msg,
                                    size_t size, size_t id_at);
struct ofp_blob *ofp_blobs_get_group(struct ofp_blobs *, uint8_t *msg,
                                     size_t size, size_t id_at);

#endif
