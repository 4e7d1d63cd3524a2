/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_BLOB_H
#define OFP_BLOB_H 1

/* Bytes that do not change, counted by who refers to them: what is desired,
 * what is installed and what is on the way are mostly the same message. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofp_blob {
    uint32_t refs;
    uint32_t size;
    uint8_t data[];
};

struct ofp_blob *ofp_blob_create(const void *, size_t size); /* One ref. */
struct ofp_blob *ofp_blob_ref(struct ofp_blob *); /* NULL is fine. */
void ofp_blob_unref(struct ofp_blob *);           /* NULL is fine. */
bool ofp_blob_is(const struct ofp_blob *, const void *, size_t size);
bool ofp_blob_equal(const struct ofp_blob *, const struct ofp_blob *);

#endif
