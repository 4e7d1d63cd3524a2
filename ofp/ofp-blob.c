/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-blob.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-proto.h"

void
ofp_blobs_init(struct ofp_blobs *pool)
{
    hmap_init(&pool->map);
}

void
ofp_blobs_uninit(struct ofp_blobs *pool)
{
    hmap_destroy(&pool->map);
}

struct ofp_blob *
ofp_blobs_get(struct ofp_blobs *pool, const void *data, size_t size,
              size_t id_at)
{
    size_t hash = hash_of_bytes(data, size);
    struct ofp_blob *b;

    HMAP_FOR_EACH_WITH_HASH(b, node, hash, &pool->map)
    {
        if (b->size == size && b->id_at == id_at
            && !memcmp(b->data, data, size)) {
            return ofp_blob_ref(b);
        }
    }
    b = xmalloc(sizeof *b + size);
    b->pool = pool;
    b->refs = 1;
    b->size = size;
    b->id_at = id_at;
    memcpy(b->data, data, size);
    hmap_insert(&pool->map, &b->node, hash);
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
        hmap_remove(&b->pool->map, &b->node);
        free(b);
    }
}

static size_t
match_size(const uint8_t *msg, size_t size)
{
    struct wire_reader r;

    wire_reader_init(&r, msg, size);
    wire_skip(&r, FLOW_MOD_MATCH + 2);
    return (wire_get_be16(&r) + 7) / 8 * 8;
}

/* The length in the header would tell the one of the match. */
struct ofp_blob *
ofp_blobs_get_flow(struct ofp_blobs *pool, uint8_t *msg, size_t size,
                   size_t id_at)
{
    size_t cut = match_size(msg, size);

    if (cut > size - FLOW_MOD_MATCH) {
        cut = size - FLOW_MOD_MATCH;
    }
    memset(msg + OF13_HEADER_LENGTH, 0, 2);
    if (id_at) {
        memset(msg + id_at, 0, 4);
        id_at -= cut;
    }
    memmove(msg + FLOW_MOD_MATCH, msg + FLOW_MOD_MATCH + cut,
            size - FLOW_MOD_MATCH - cut);
    return ofp_blobs_get(pool, msg, size - cut, id_at);
}

struct ofp_blob *
ofp_blobs_get_group(struct ofp_blobs *pool, uint8_t *msg, size_t size,
                    size_t id_at)
{
    if (id_at) {
        memset(msg + id_at, 0, 4);
    }
    return ofp_blobs_get(pool, msg, size, id_at);
}
