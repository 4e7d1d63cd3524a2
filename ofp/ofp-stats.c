/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table-private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-encode.h"
#include "ofp/ofp-msg.h"

/* What the switch says it holds is first compared as it came: Open vSwitch
 * gives things back in canonical form, and then nothing needs decoding.  Only
 * what differs is brought into that form, to be sure that it differs. */

/* One flow, as it came. */
struct flow_stats {
    struct ofp_flow_key key;
    const uint8_t *timeouts; /* Idle, hard: 4 bytes. */
    const uint8_t *flags;    /* 2 bytes. */
    const uint8_t *cookie;   /* 8 bytes. */
    uint64_t packets, bytes;
    const uint8_t *match; /* With header and padding. */
    size_t match_size;
    const uint8_t *instructions;
    size_t instructions_size;
    bool ours;
};

static bool
get_flow(struct wire_reader *all, struct flow_stats *fs)
{
    uint16_t size = wire_get_be16(all);
    struct wire_reader r = wire_sub(all, size >= 2 ? size - 2 : 0);
    struct wire_reader match, cookie;
    uint16_t match_size;

    fs->key.table = wire_get_u8(&r);
    wire_skip(&r, 9); /* Padding, duration. */
    fs->key.priority = wire_get_be16(&r);
    fs->timeouts = wire_take(&r, 4);
    fs->flags = wire_take(&r, 2);
    wire_skip(&r, 4);
    fs->cookie = wire_take(&r, 8);
    fs->packets = wire_get_be64(&r);
    fs->bytes = wire_get_be64(&r);
    match = r;
    wire_skip(&match, 2);
    match_size = wire_get_be16(&match);
    fs->match_size = (match_size + 7) / 8 * 8;
    fs->match = wire_take(&r, fs->match_size);
    fs->instructions_size = wire_left(&r);
    fs->instructions = wire_take(&r, fs->instructions_size);
    if (r.failed || size < 2 || match_size < 4) {
        return false;
    }
    fs->key.match = fs->match + 4;
    fs->key.match_size = match_size - 4;
    wire_reader_init(&cookie, fs->cookie, 8);
    fs->ours = (wire_get_be64(&cookie) & OFP_COOKIE_MASK) == OFP_COOKIE;
    return true;
}

/* The same instructions, but that those of 'b' leave out the id of the entry's
 * group? */
static bool
are_same_instructions(const uint8_t *instructions, const struct ofp_blob *b,
                      uint32_t group_id)
{
    const uint8_t *d = b->data + FLOW_MOD_MATCH;
    size_t size = b->size - FLOW_MOD_MATCH;
    size_t before = b->id_at ? b->id_at - FLOW_MOD_MATCH : size;
    struct wire_reader r;

    if (memcmp(d, instructions, before)) {
        return false;
    } else if (!b->id_at) {
        return true;
    }
    wire_reader_init(&r, instructions + before, size - before);
    return wire_get_be32(&r) == group_id
           && !memcmp(d + before + 4, instructions + before + 4,
                      size - before - 4);
}

/* Is what came the flow 'b' of 'e', whose match it has? */
static bool
is_same_flow(const struct flow_stats *fs, const struct ofp_entry *e,
             const struct ofp_blob *b)
{
    const uint8_t *d = b ? b->data : NULL;

    return b && b->size == FLOW_MOD_MATCH + fs->instructions_size
           && !memcmp(d + FLOW_MOD_COOKIE, fs->cookie, 8)
           && !memcmp(d + FLOW_MOD_IDLE, fs->timeouts, 4)
           && !memcmp(d + FLOW_MOD_FLAGS, fs->flags, 2)
           && are_same_instructions(fs->instructions, b, e->group_id);
}

/* The message that would add the flow, in canonical form if possible; free()
 * it.  NULL if it could not be sent. */
static uint8_t *
flow_to_add(const struct flow_stats *fs, size_t *size)
{
    struct ofp_flow f = {.table = fs->key.table, .priority = fs->key.priority};
    uint8_t bytes[OF13_MAX_MESSAGE];
    struct wire_writer w;
    uint8_t *canon;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_encode_flow(&w, &f, 0);
    w.at = FLOW_MOD_MATCH;
    wire_put(&w, fs->match, fs->match_size);
    wire_put(&w, fs->instructions, fs->instructions_size);
    if (w.failed) {
        return NULL;
    }
    wire_patch_be16(&w, OF13_HEADER_LENGTH, w.at);
    memcpy(w.data + FLOW_MOD_COOKIE, fs->cookie, 8);
    memcpy(w.data + FLOW_MOD_IDLE, fs->timeouts, 4);
    memcpy(w.data + FLOW_MOD_FLAGS, fs->flags, 2);
    canon = ofp_canon_flow(w.data, w.at, size, NULL);
    if (!canon) {
        canon = xmemdup(w.data, w.at);
        *size = w.at;
    }
    return canon;
}

static struct ofp_entry *
find_by_key(const struct ofp_table *t, const struct ofp_flow_key *k)
{
    uint8_t key[OFP_KEY_SIZE];
    size_t n = ofp_entry_flow_key(key, k->table, k->priority, k->match,
                                  k->match_size);

    return n ? ofp_entry_find(t, key, n) : NULL;
}

static struct ofp_entry *
get_by_key(struct ofp_table *t, const struct ofp_flow_key *k)
{
    uint8_t key[OFP_KEY_SIZE];
    size_t n = ofp_entry_flow_key(key, k->table, k->priority, k->match,
                                  k->match_size);

    return n ? ofp_entry_get(t, KIND_FLOW, key, n) : NULL;
}

/* May this read-back say something about 'e'?  Not if it was changed since an
 * audit began: what comes may have been read before. */
static bool
is_news(const struct ofp_table *t, const struct ofp_entry *e)
{
    return t->readback.kind == READBACK_SYNC || !(e->touched || e->in_flight);
}

/* Takes over 'found': this is what the switch holds. */
static void
take(struct ofp_table *t, struct ofp_entry *e, struct ofp_piece *piece,
     struct ofp_blob *found)
{
    if (t->readback.kind == READBACK_AUDIT) {
        if (piece->installed == found) {
            ofp_blob_unref(found);
            return;
        }
        t->readback.drift++;
        ofp_entry_make_dirty(t, e);
    }
    ofp_entry_set_installed(t, e, piece, found);
}

/* What an item is compared with before anything else. */
static struct ofp_blob *
expected(const struct ofp_table *t, const struct ofp_piece *piece)
{
    return t->readback.kind == READBACK_SYNC ? piece->desired
                                             : piece->installed;
}

/* The group of our range that the instructions name, 0 if none; and where. */
static uint32_t
own_group_named(const uint8_t *instructions, size_t size, size_t *at)
{
    struct wire_reader r;

    wire_reader_init(&r, instructions, size);
    while (wire_left(&r) >= 8) {
        uint16_t type = wire_get_be16(&r);
        uint16_t length = wire_get_be16(&r);
        struct wire_reader in = wire_sub(&r, length >= 4 ? length - 4 : 0);

        wire_skip(&in, 4);
        while (type == INSTR_APPLY_ACTIONS && wire_left(&in) >= 8) {
            uint16_t action = wire_get_be16(&in);
            uint16_t n = wire_get_be16(&in);
            struct wire_reader a = wire_sub(&in, n >= 4 ? n - 4 : 0);
            uint32_t id = wire_get_be32(&a);

            if (n < 8) {
                return 0;
            } else if (action == ACTION_GROUP && ofp_entry_is_own_group(id)) {
                *at = (size_t) (a.data - instructions);
                return id;
            }
        }
        if (length < 8) {
            return 0;
        }
    }
    return 0;
}

/* The flow of 'e' names group 'id': that is then its group, unless it has one
 * or somebody else has this one. */
static void
adopt_group(struct ofp_table *t, struct ofp_entry *e, uint32_t id)
{
    struct ofp_entry *g = id ? ofp_ids_get(&t->ids, id) : NULL;

    if (!id || e->group_id || (g && g->kind != KIND_GROUP)) {
        return;
    }
    ofp_entry_set_group_id(t, e, id);
    if (g) {
        g->group_id = 0;
        e->group_seen = g->group_seen;
        ofp_entry_set_installed(t, e, &e->group,
                                ofp_blob_ref(g->group.installed));
        ofp_entry_set_installed(t, g, &g->group, NULL);
    }
}

/* What 'msg' adds, as a flow of 'e'; 'msg' is overwritten. */
static struct ofp_blob *
found_flow(struct ofp_table *t, const struct ofp_entry *e, uint8_t *msg,
           size_t size)
{
    struct ofp_flow_key key;
    size_t start = FLOW_MOD_MATCH, at = 0;
    uint32_t id;

    if (ofp_canon_flow_key(msg, size, &key)) {
        start += (4 + key.match_size + 7) / 8 * 8;
    }
    id = start < size ? own_group_named(msg + start, size - start, &at) : 0;
    return ofp_blobs_get_flow(&t->blobs, msg, size,
                              id && id == e->group_id ? start + at : 0);
}

static void
own_flow(struct ofp_table *t, const struct flow_stats *fs, int64_t now)
{
    struct ofp_entry *e = find_by_key(t, &fs->key);
    size_t at, size = 0;
    uint32_t id =
        own_group_named(fs->instructions, fs->instructions_size, &at);
    uint8_t *msg = NULL;
    struct ofp_flow_key key;

    if (e && is_news(t, e)) {
        adopt_group(t, e, id);
    }
    if (!e || !is_same_flow(fs, e, expected(t, &e->flow))) {
        msg = flow_to_add(fs, &size);
        if (!msg) {
            return;
        }
        if (!e && ofp_canon_flow_key(msg, size, &key)) {
            e = get_by_key(t, &key);
        }
    }
    if (!e) {
        free(msg);
        return;
    }
    e->flow_seen = true;
    e->packets = fs->packets;
    e->bytes = fs->bytes;
    e->counted = now;
    if (is_news(t, e)) {
        adopt_group(t, e, id);
        take(t, e, &e->flow,
             msg ? found_flow(t, e, msg, size)
                 : ofp_blob_ref(expected(t, &e->flow)));
    }
    free(msg);
}

static void
foreign_flow(struct ofp_table *t, const struct flow_stats *fs)
{
    struct ofp_entry *e;

    if (t->readback.foreign_flows++ >= OFP_MAX_FOREIGN) {
        return;
    }
    e = get_by_key(t, &fs->key);
    if (!e || !is_news(t, e)) {
        return;
    }
    e->foreign = true;
    e->flow_seen = true;
    if (e->flow.installed) {
        take(t, e, &e->flow, NULL); /* It has taken the place of ours. */
    }
}

bool
ofp_stats_flows(struct ofp_table *t, struct wire_reader *r, int64_t now)
{
    while (wire_left(r)) {
        struct flow_stats fs;

        if (!get_flow(r, &fs)) {
            return false;
        } else if (fs.key.table == 0xff) {
            continue; /* There is no such table. */
        } else if (fs.ours) {
            own_flow(t, &fs, now);
        } else {
            foreign_flow(t, &fs);
        }
    }
    return true;
}

bool
ofp_stats_poll(struct ofp_table *t, struct wire_reader *r, int64_t now)
{
    while (wire_left(r)) {
        struct flow_stats fs;
        struct ofp_entry *e;

        if (!get_flow(r, &fs)) {
            return false;
        }
        e = fs.ours ? find_by_key(t, &fs.key) : NULL;
        if (e) {
            e->packets = fs.packets;
            e->bytes = fs.bytes;
            e->counted = now;
        }
    }
    return true;
}

/* Groups. */

static bool
is_same_group(uint8_t type, const uint8_t *buckets, size_t size,
              const struct ofp_blob *b)
{
    return b && b->size == GROUP_MOD_BUCKETS + size
           && b->data[GROUP_MOD_TYPE] == type
           && !memcmp(b->data + GROUP_MOD_BUCKETS, buckets, size);
}

/* The message that would add the group, in canonical form if possible. */
static struct ofp_blob *
group_to_add(struct ofp_table *t, uint32_t id, uint8_t type,
             const uint8_t *buckets, size_t bucket_size)
{
    uint8_t bytes[OF13_MAX_MESSAGE];
    struct wire_writer w;
    struct ofp_blob *b;
    uint8_t *canon;
    size_t size;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_encode_group(&w, id, NULL, 0);
    w.data[GROUP_MOD_TYPE] = type;
    wire_put(&w, buckets, bucket_size);
    if (w.failed) {
        return ofp_blobs_get(&t->blobs, "", 0, 0);
    }
    wire_patch_be16(&w, OF13_HEADER_LENGTH, w.at);
    canon = ofp_canon_group(w.data, w.at, &size, NULL);
    b = ofp_blobs_get_group(&t->blobs, canon ? canon : w.data,
                            canon ? size : w.at,
                            ofp_entry_is_own_group(id) ? GROUP_MOD_ID : 0);
    free(canon);
    return b;
}

/* The entry that the group 'id' belongs to; made up for one of our range that
 * nobody asked for; NULL if it is foreign. */
static struct ofp_entry *
group_entry(struct ofp_table *t, uint32_t id)
{
    struct ofp_entry *e = ofp_entry_of_group(t, id);
    uint8_t key[OFP_KEY_SIZE];

    if (!ofp_entry_is_own_group(id)) {
        return e && e->claimed ? e : NULL;
    } else if (!e) {
        e = ofp_entry_get(t, KIND_GROUP, key,
                          ofp_entry_id_key(key, KIND_GROUP, id));
        ofp_entry_set_group_id(t, e, id);
    }
    return e;
}

static void
one_group(struct ofp_table *t, uint32_t id, uint8_t type,
          const uint8_t *buckets, size_t size)
{
    struct ofp_entry *e = group_entry(t, id);
    struct ofp_blob *b;

    if (!e) {
        t->readback.foreign_groups++;
        return;
    }
    e->group_seen = true;
    if (!is_news(t, e)) {
        return;
    }
    b = expected(t, &e->group);
    take(t, e, &e->group,
         is_same_group(type, buckets, size, b)
             ? ofp_blob_ref(b)
             : group_to_add(t, id, type, buckets, size));
}

bool
ofp_stats_groups(struct ofp_table *t, struct wire_reader *all)
{
    while (wire_left(all)) {
        uint16_t size = wire_get_be16(all);
        struct wire_reader r = wire_sub(all, size >= 2 ? size - 2 : 0);
        uint8_t type = wire_get_u8(&r);
        uint32_t id;

        wire_skip(&r, 1);
        id = wire_get_be32(&r);
        if (r.failed || size < 2) {
            return false;
        }

        size_t left = wire_left(&r);
        one_group(t, id, type, wire_take(&r, left), left);
    }
    return true;
}

/* Meters: only those that we use are of interest. */

bool
ofp_stats_meters(struct ofp_table *t, struct wire_reader *all)
{
    while (wire_left(all)) {
        uint16_t size = wire_get_be16(all);
        struct wire_reader r = wire_sub(all, size >= 2 ? size - 2 : 0);
        uint16_t flags = wire_get_be16(&r);
        uint32_t id = wire_get_be32(&r);
        uint8_t key[OFP_KEY_SIZE];
        struct ofp_entry *e;
        struct wire_writer w;

        if (r.failed || size < 2) {
            return false;
        }
        e = ofp_entry_find(t, key, ofp_entry_id_key(key, KIND_METER, id));
        if (!e) {
            continue;
        }
        e->group_seen = true;
        if (is_news(t, e)) {
            size_t left = wire_left(&r);
            uint8_t bytes[OF13_MAX_MESSAGE];
            size_t start;

            wire_writer_init(&w, bytes, sizeof bytes);
            start = ofp_msg_begin(&w, OF13_METER_MOD);
            wire_put_be16(&w, MOD_ADD);
            wire_put_be16(&w, flags);
            wire_put_be32(&w, id);
            wire_put(&w, wire_take(&r, left), left);
            ofp_msg_end(&w, start);
            take(t, e, &e->group,
                 ofp_blobs_get_group(&t->blobs, w.data, w.at, METER_MOD_ID));
        }
    }
    return true;
}
