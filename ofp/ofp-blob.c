/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-blob.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct ofp_blob *
ofp_blob_create(const void *data, size_t size)
{
    struct ofp_blob *b = xmalloc(sizeof *b + size);

    b->refs = 1;
    b->size = size;
    memcpy(b->data, data, size);
    return b;
}

struct ofp_blob *
ofp_blob_ref(struct ofp_blob *b)
{
    if (b) {
        b->refs++;
    }
    return b;
}

void
ofp_blob_unref(struct ofp_blob *b)
{
    if (b && !--b->refs) {
        free(b);
    }
}

bool
ofp_blob_is(const struct ofp_blob *b, const void *data, size_t size)
{
    return b && b->size == size && !memcmp(b->data, data, size);
}

bool
ofp_blob_equal(const struct ofp_blob *a, const struct ofp_blob *b)
{
    return a == b || (a && b && ofp_blob_is(a, b->data, b->size));
}
