/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/hash.h"
#include "lib/xalloc.h"

/* Keys. */

size_t
ofp_entry_flow_key(uint8_t *key, uint8_t table, uint16_t priority,
                   const void *match, size_t match_size)
{
    if (match_size > OFP_KEY_SIZE - 3) {
        return 0;
    }
    key[0] = table;
    key[1] = priority >> 8;
    key[2] = priority;
    if (match_size) {
        memcpy(key + 3, match, match_size);
    }
    return 3 + match_size;
}

/* No flow has table 255. */
size_t
ofp_entry_id_key(uint8_t *key, enum ofp_entry_kind kind, uint32_t id)
{
    struct wire_writer w;

    wire_writer_init(&w, key, OFP_KEY_SIZE);
    wire_put_u8(&w, 0xff);
    wire_put_u8(&w, kind);
    wire_put_be32(&w, id);
    return w.at;
}

uint32_t
ofp_entry_id(const struct ofp_entry *e)
{
    struct wire_reader r;

    if (e->kind == KIND_FLOW) {
        return e->group_id;
    }
    wire_reader_init(&r, e->key, e->key_size);
    wire_skip(&r, 2);
    return wire_get_be32(&r);
}

struct ofp_flow_key
ofp_entry_as_flow(const struct ofp_entry *e)
{
    return (struct ofp_flow_key){.table = e->key[0],
                                 .priority = e->key[1] << 8 | e->key[2],
                                 .match = e->key + 3,
                                 .match_size = e->key_size - 3u};
}

/* Finding and making. */

struct ofp_entry *
ofp_entry_find(const struct ofp_table *t, const void *key, size_t size)
{
    struct ofp_entry *e;

    HMAP_FOR_EACH_WITH_HASH(e, node, hash_of_bytes(key, size), &t->entries)
    {
        if (e->key_size == size && !memcmp(e->key, key, size)) {
            return e;
        }
    }
    return NULL;
}

struct ofp_entry *
ofp_entry_get(struct ofp_table *t, enum ofp_entry_kind kind, const void *key,
              size_t size)
{
    struct ofp_entry *e = ofp_entry_find(t, key, size);

    if (!e) {
        e = xmalloc(sizeof *e + size);
        memset(e, 0, sizeof *e);
        e->kind = kind;
        e->key_size = size;
        memcpy(e->key, key, size);
        hmap_insert(&t->entries, &e->node, hash_of_bytes(key, size));
    }
    return e;
}

bool
ofp_entry_is_own_group(uint32_t id)
{
    return id >= OFP_GROUP_ID_FIRST && id <= OFP_GROUP_ID_LAST;
}

struct ofp_entry *
ofp_entry_of_group(const struct ofp_table *t, uint32_t id)
{
    uint8_t key[OFP_KEY_SIZE];

    return ofp_entry_is_own_group(id)
               ? ofp_ids_get(&t->ids, id)
               : ofp_entry_find(t, key, ofp_entry_id_key(key, KIND_GROUP, id));
}

/* Changing. */

void
ofp_entry_set_installed(struct ofp_table *t, struct ofp_entry *e,
                        struct ofp_piece *piece, struct ofp_blob *blob)
{
    int d = (blob != NULL) - (piece->installed != NULL);

    if (e->kind == KIND_METER) {
        t->counters.meters += d;
    } else if (piece == &e->flow) {
        t->counters.flows += d;
    } else {
        t->counters.groups += d;
    }
    ofp_blob_unref(piece->installed);
    piece->installed = blob;
}

void
ofp_entry_set_group_id(struct ofp_table *t, struct ofp_entry *e, uint32_t id)
{
    e->group_id = id;
    ofp_ids_set(&t->ids, id, e);
}

bool
ofp_entry_differs(const struct ofp_entry *e)
{
    return e->flow.desired != e->flow.installed
           || e->group.desired != e->group.installed;
}

/* The dirty list. */

void
ofp_entry_make_dirty(struct ofp_table *t, struct ofp_entry *e)
{
    if (!e->dirty) {
        e->dirty = true;
        e->dirty_seqno = t->seqno;
        DL_APPEND(t->dirty, e);
        t->n_dirty++;
    }
}

void
ofp_entry_take_from_dirty(struct ofp_table *t, struct ofp_entry *e)
{
    e->dirty = false;
    DL_DELETE(t->dirty, e);
    e->prev = e->next = NULL;
    t->n_dirty--;
}

/* It was in a round that came to nothing: its change of 'seqno' waits again,
 * before all others. */
void
ofp_entry_return_to_dirty(struct ofp_table *t, struct ofp_entry *e,
                          uint64_t seqno)
{
    if (e->dirty) {
        ofp_entry_take_from_dirty(t, e);
    }
    e->dirty = true;
    e->dirty_seqno = seqno;
    DL_PREPEND(t->dirty, e);
    t->n_dirty++;
}

/* Failures. */

bool
ofp_entry_fail(struct ofp_table *t, struct ofp_entry *e, const char *error,
               int64_t now)
{
    struct ofp_failure *f = e->failure;
    bool new = !f || !f->error[0] || strcmp(f->error, error);

    if (!f) {
        f = e->failure = xcalloc(1, sizeof *f);
        f->entry = e;
    }
    t->n_failed += !f->error[0];
    f->delay = f->delay ? 2 * f->delay : OFP_RETRY_FIRST_MS;
    f->delay = f->delay < OFP_RETRY_LAST_MS ? f->delay : OFP_RETRY_LAST_MS;
    snprintf(f->error, sizeof f->error, "%s", error);
    timer_heap_set(&t->retries, &f->node, now + f->delay);
    return new;
}

void
ofp_entry_clear_failure(struct ofp_table *t, struct ofp_entry *e)
{
    if (e->failure) {
        t->n_failed -= e->failure->error[0] != '\0';
        timer_heap_cancel(&t->retries, &e->failure->node);
        free(e->failure);
        e->failure = NULL;
    }
}

/* The end. */

void
ofp_entry_destroy(struct ofp_table *t, struct ofp_entry *e)
{
    ofp_entry_clear_failure(t, e);
    if (e->dirty) {
        ofp_entry_take_from_dirty(t, e);
    }
    ofp_entry_set_installed(t, e, &e->flow, NULL);
    ofp_entry_set_installed(t, e, &e->group, NULL);
    ofp_blob_unref(e->flow.desired);
    ofp_blob_unref(e->group.desired);
    if (e->group_id) {
        ofp_ids_set(&t->ids, e->group_id, NULL);
    }
    hmap_remove(&t->entries, &e->node);
    free(e);
}

/* While an audit runs, what it may still be going to tell of is kept, so that
 * it is known to be ours. */
bool
ofp_entry_bury(struct ofp_table *t, struct ofp_entry *e)
{
    bool unsynced_claim = e->claimed && !t->synced;

    if (e->flow.desired || e->flow.installed || e->group.desired
        || e->group.installed || e->foreign || e->in_flight || unsynced_claim
        || t->readback.kind != READBACK_NONE) {
        return false;
    }
    ofp_entry_destroy(t, e);
    return true;
}
