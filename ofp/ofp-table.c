/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-encode.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-table-private.h"

/* Basics. */

struct ofp_table *
ofp_table_create(const struct ofp_table_ops *ops, void *aux)
{
    struct ofp_table *t = xcalloc(1, sizeof *t);

    t->ops = ops;
    t->aux = aux;
    t->next_xid = 1;
    hmap_init(&t->entries);
    timer_heap_init(&t->retries);
    ofp_ids_init(&t->ids, OFP_GROUP_ID_FIRST, OFP_GROUP_ID_LAST);
    ofp_blobs_init(&t->blobs);
    return t;
}

void
ofp_table_destroy(struct ofp_table *t)
{
    struct ofp_entry *e;

    if (!t) {
        return;
    }
    ofp_round_drop(t);
    free(t->round.steps);
    HMAP_FOR_EACH_SAFE(e, node, &t->entries)
    {
        ofp_entry_destroy(t, e);
    }
    hmap_destroy(&t->entries);
    timer_heap_uninit(&t->retries);
    ofp_ids_uninit(&t->ids);
    ofp_blobs_uninit(&t->blobs);
    free(t);
}

/* 'n' transaction ids in a row. */
uint32_t
ofp_table_xid(struct ofp_table *t, size_t n)
{
    uint32_t first = t->next_xid;

    if (n > OFP_LAST_XID - first) {
        first = 1;
    }
    t->next_xid = first + n;
    return first;
}

void
ofp_table_send_empty(struct ofp_table *t, uint8_t type, uint32_t xid)
{
    uint8_t bytes[OF13_HEADER_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_empty(&w, type);
    ofp_msg_set_xid(bytes, xid);
    t->ops->send(t->aux, bytes, w.at);
}

/* Connection. */

void
ofp_table_connected(struct ofp_table *t, int64_t now)
{
    ofp_table_disconnected(t);
    t->connected = true;
    t->bundles = true;
    ofp_readback_start(t, READBACK_SYNC, now);
}

void
ofp_table_disconnected(struct ofp_table *t)
{
    ofp_round_drop(t);
    t->connected = t->synced = t->failed = false;
    t->readback.kind = READBACK_NONE;
    t->poll_xid = 0;
    t->n_untold = 0;
}

bool
ofp_table_is_synced(const struct ofp_table *t)
{
    return t->synced;
}

void
ofp_table_fail(struct ofp_table *t, const char *reason)
{
    if (!t->failed) {
        t->failed = true;
        t->ops->failed(t->aux, reason);
    }
}

static bool
input_error(struct ofp_table *t, const uint8_t *msg, size_t size, int64_t now)
{
    struct ofp_error e;

    /* Cheap first: most errors are for others. */
    if (ofp_msg_xid(msg) > OFP_LAST_XID) {
        return false;
    }
    ofp_error_decode(msg, size, &e);
    if (e.xid == t->poll_xid && e.xid) {
        t->poll_xid = 0;
        return true;
    }
    return ofp_readback_error(t, &e, now)
           || ofp_send_bundle_error(t, e.xid, now) || ofp_round_error(t, &e);
}

bool
ofp_table_input(struct ofp_table *t, const void *msg, size_t size, int64_t now)
{
    if (!t->connected || t->failed || size < OF13_HEADER_SIZE) {
        return false;
    }
    switch (ofp_msg_type(msg)) {
    case OF13_ERROR:
        return input_error(t, msg, size, now);
    case OF13_BARRIER_REPLY:
        return ofp_send_barrier_reply(t, ofp_msg_xid(msg), now);
    case OF13_MULTIPART_REPLY:
        return ofp_readback_input(t, msg, size, now);
    case OF13_EXPERIMENTER:
        return ofp_send_bundle_reply(t, msg, size, now);
    default:
        return false;
    }
}

static bool
check_deadlines(struct ofp_table *t, int64_t now)
{
    if (t->readback.kind && now >= t->readback.started + OFP_ANSWER_MS) {
        ofp_table_fail(t, "the switch does not finish telling what it holds");
    } else if (t->round.state && now >= t->round.started + OFP_ANSWER_MS) {
        ofp_table_fail(t, "the switch does not answer a barrier");
    } else if (t->poll_xid && now >= t->poll_started + OFP_ANSWER_MS) {
        ofp_table_fail(t, "the switch does not finish telling its counters");
    }
    return !t->failed;
}

/* All that somebody changed at one go is told at one go. */
static void
tell_drifted(struct ofp_table *t)
{
    size_t n = t->n_untold;

    if (n) {
        t->n_untold = 0;
        t->busy = true;
        t->ops->drifted(t->aux, n);
        t->busy = false;
    }
}

void
ofp_table_run(struct ofp_table *t, int64_t now)
{
    if (!t->connected || t->failed || t->busy || !check_deadlines(t, now)
        || !t->synced) {
        return;
    }
    tell_drifted(t);
    if (t->round.state) {
        return;
    }
    ofp_round_run(t, now);
    if (!t->round.state && !t->readback.kind && now >= t->audit_at) {
        ofp_readback_start(t, READBACK_AUDIT, now);
    }
}

static int64_t
min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t
ofp_table_deadline(const struct ofp_table *t)
{
    int64_t at = INT64_MAX;

    if (!t->connected || t->failed) {
        return INT64_MAX;
    }
    if (t->readback.kind) {
        at = min(at, t->readback.started + OFP_ANSWER_MS);
    }
    if (t->poll_xid) {
        at = min(at, t->poll_started + OFP_ANSWER_MS);
    }
    if (t->round.state) {
        at = min(at, t->round.started + OFP_ANSWER_MS);
    } else if (t->synced) {
        at = t->dirty ? 0 : min(at, timer_heap_deadline(&t->retries));
        if (!t->readback.kind) {
            at = min(at, t->audit_at);
        }
    }
    return at;
}

/* Changes. */

uint64_t
ofp_table_seqno(const struct ofp_table *t)
{
    return t->seqno;
}

uint64_t
ofp_table_settled_seqno(const struct ofp_table *t)
{
    return t->settled;
}

/* Works out how far changes have been answered, and tells. */
void
ofp_table_settle(struct ofp_table *t)
{
    uint64_t settled = t->seqno;

    if (!t->synced) {
        return;
    }
    if (t->dirty && t->dirty->dirty_seqno <= settled) {
        settled = t->dirty->dirty_seqno - 1;
    }
    if (t->round.state && t->round.first_seqno <= settled) {
        settled = t->round.first_seqno - 1;
    }
    if (settled > t->settled && settled != UINT64_MAX) {
        bool busy = t->busy;

        t->settled = settled;
        t->busy = true;
        t->ops->settled(t->aux, settled);
        t->busy = busy;
    }
}

/* Takes over 'blob', NULL for "not there"; true if that is a change. */
static bool
set_desired(struct ofp_piece *piece, struct ofp_blob *blob)
{
    bool change = piece->desired != blob;

    ofp_blob_unref(piece->desired);
    piece->desired = blob;
    return change;
}

static void
changed(struct ofp_table *t, struct ofp_entry *e)
{
    t->seqno++;
    ofp_entry_clear_failure(t, e);
    ofp_entry_make_dirty(t, e);
}

static int
too_big(char *error, const struct ofp_bucket *buckets, size_t n)
{
    size_t bytes = GROUP_MOD_BUCKETS;

    for (size_t i = 0; i < n; i++) {
        bytes += ofp_encode_bucket_size(&buckets[i]);
    }
    if (error) {
        snprintf(error, OFP_ERROR_SIZE,
                 "%zu copies take %zu bytes, and an OpenFlow message holds "
                 "%d: about %zu such copies fit",
                 n, bytes, OF13_MAX_MESSAGE, n * OF13_MAX_MESSAGE / bytes);
    }
    return E2BIG;
}

/* Where a FLOW_MOD of 'size' bytes names its group, which is the last thing
 * that it does before it writes metadata and goes on to another table. */
static size_t
group_place(const struct ofp_flow *f, size_t size)
{
    enum { GROUP_ID = 4, WRITE_METADATA = 24, GOTO_TABLE = 8 };

    return f->output != OFP_OUT_GROUP
               ? 0
               : size - GROUP_ID - (f->set_metadata ? WRITE_METADATA : 0)
                     - (f->goto_table ? GOTO_TABLE : 0);
}

int
ofp_table_set(struct ofp_table *t, const struct ofp_flow *f,
              const struct ofp_bucket *buckets, size_t n_buckets,
              ofp_owner owner, char *error)
{
    uint8_t key[OFP_KEY_SIZE], flow[1024], group[OF13_MAX_MESSAGE + 1];
    bool has_group = f->output == OFP_OUT_GROUP;
    struct ofp_flow_key fk = {0};
    struct wire_writer w, g;
    struct ofp_entry *e;
    size_t key_size;

    wire_writer_init(&w, flow, sizeof flow);
    ofp_encode_flow(&w, f, 0);
    if (w.failed || !ofp_canon_flow_key(flow, w.at, &fk)) {
        return E2BIG; /* It cannot be: all that a flow can say is less. */
    }
    key_size = ofp_entry_flow_key(key, f->table, f->priority, fk.match,
                                  fk.match_size);
    e = ofp_entry_find(t, key, key_size);
    wire_writer_init(&g, group, sizeof group);
    if (has_group) {
        ofp_encode_group(&g, 0, buckets, n_buckets);
        if (g.failed) {
            return too_big(error, buckets, n_buckets);
        }
    }

    e = e ? e : ofp_entry_get(t, KIND_FLOW, key, key_size);
    e->owner = owner;
    bool flow_changed =
        set_desired(&e->flow, ofp_blobs_get_flow(&t->blobs, flow, w.at,
                                                 group_place(f, w.at)));
    bool group_changed = set_desired(
        &e->group, !has_group ? NULL
                              : ofp_blobs_get_group(&t->blobs, group, g.at,
                                                    GROUP_MOD_ID));
    if (flow_changed || group_changed) {
        changed(t, e);
    }
    return 0;
}

static void
unset(struct ofp_table *t, struct ofp_entry *e)
{
    if (e && (e->flow.desired || e->group.desired)) {
        set_desired(&e->flow, NULL);
        set_desired(&e->group, NULL);
        changed(t, e);
    }
}

static struct ofp_entry *
find_flow(const struct ofp_table *t, uint8_t table, uint16_t priority,
          const struct ofp_match *match)
{
    uint8_t key[OFP_KEY_SIZE], oxm[OFP_MATCH_MAX_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, oxm, sizeof oxm);
    ofp_encode_match(&w, match);
    return ofp_entry_find(t, key,
                          ofp_entry_flow_key(key, table, priority, oxm, w.at));
}

void
ofp_table_unset(struct ofp_table *t, uint8_t table, uint16_t priority,
                const struct ofp_match *match)
{
    unset(t, find_flow(t, table, priority, match));
}

/* The key of a user's flow or group; 0 if it is too long. */
static size_t
static_key(const struct ofp_static *s, uint8_t *key)
{
    const uint8_t *msg;
    struct ofp_flow_key fk;
    size_t size;

    if (ofp_static_kind(s) == OFP_STATIC_GROUP) {
        return ofp_entry_id_key(key, KIND_GROUP, ofp_static_group_id(s));
    }
    msg = ofp_static_message(s, &size);
    return !ofp_canon_flow_key(msg, size, &fk)
               ? 0
               : ofp_entry_flow_key(key, fk.table, fk.priority, fk.match,
                                    fk.match_size);
}

int
ofp_table_set_static(struct ofp_table *t, const struct ofp_static *s,
                     bool installed_before, ofp_owner owner, char *error)
{
    bool is_group = ofp_static_kind(s) == OFP_STATIC_GROUP;
    uint8_t key[OFP_KEY_SIZE], copy[OF13_MAX_MESSAGE];
    size_t key_size = static_key(s, key);
    const uint8_t *msg;
    struct ofp_entry *e;
    size_t size;

    if (!key_size) {
        if (error) {
            snprintf(error, OFP_ERROR_SIZE, "the match is too long");
        }
        return E2BIG;
    }
    msg = ofp_static_message(s, &size);
    e = ofp_entry_get(t, is_group ? KIND_GROUP : KIND_FLOW, key, key_size);
    e->owner = owner;
    e->claimed |= is_group && installed_before;
    memcpy(copy, msg, size);
    bool flow_changed = set_desired(
        &e->flow,
        is_group ? NULL : ofp_blobs_get_flow(&t->blobs, copy, size, 0));
    bool group_changed = set_desired(
        &e->group,
        !is_group ? NULL : ofp_blobs_get_group(&t->blobs, copy, size, 0));
    if (flow_changed || group_changed) {
        changed(t, e);
    }
    return 0;
}

void
ofp_table_unset_static(struct ofp_table *t, const struct ofp_static *s)
{
    uint8_t key[OFP_KEY_SIZE];
    size_t size = static_key(s, key);

    unset(t, size ? ofp_entry_find(t, key, size) : NULL);
}

void
ofp_table_set_meter(struct ofp_table *t, uint32_t id, uint32_t rate,
                    uint32_t burst)
{
    uint8_t key[OFP_KEY_SIZE], msg[METER_MOD_SIZE];
    struct wire_writer w;
    struct ofp_entry *e;

    wire_writer_init(&w, msg, sizeof msg);
    ofp_encode_meter(&w, id, rate, burst);
    e = ofp_entry_get(t, KIND_METER, key,
                      ofp_entry_id_key(key, KIND_METER, id));
    if (set_desired(&e->group,
                    ofp_blobs_get_group(&t->blobs, msg, w.at, METER_MOD_ID))) {
        changed(t, e);
    }
}

/* Reading. */

static bool
view(const struct ofp_entry *e, struct ofp_entry_view *v)
{
    bool failed = e && e->failure && e->failure->error[0];

    if (!e || (!e->flow.desired && !e->group.desired)) {
        return false;
    }
    *v = (struct ofp_entry_view){
        .table = e->kind == KIND_FLOW ? e->key[0] : 0,
        .priority = e->kind == KIND_FLOW ? e->key[1] << 8 | e->key[2] : 0,
        .group_id = ofp_entry_id(e),
        .owner = e->owner,
        .state = failed                                 ? OFP_ENTRY_REJECTED
                 : e->in_flight || ofp_entry_differs(e) ? OFP_ENTRY_PENDING
                                                        : OFP_ENTRY_APPLIED,
        .error = failed ? e->failure->error : "",
        .packets = e->packets,
        .bytes = e->bytes,
        .counted = e->counted,
    };
    return true;
}

bool
ofp_table_lookup(const struct ofp_table *t, uint8_t table, uint16_t priority,
                 const struct ofp_match *match, struct ofp_entry_view *v)
{
    return view(find_flow(t, table, priority, match), v);
}

bool
ofp_table_lookup_static(const struct ofp_table *t, const struct ofp_static *s,
                        struct ofp_entry_view *v)
{
    uint8_t key[OFP_KEY_SIZE];
    size_t size = static_key(s, key);

    return size && view(ofp_entry_find(t, key, size), v);
}

uint8_t *
ofp_table_message(const struct ofp_table *t, uint8_t table, uint16_t priority,
                  const struct ofp_match *match, enum ofp_message_kind kind,
                  size_t *size)
{
    struct ofp_entry *e = find_flow(t, table, priority, match);
    bool is_flow = kind == OFP_MESSAGE_FLOW;
    struct ofp_step step = {.entry = e,
                            .class = is_flow ? STEP_FLOW_UP : STEP_GROUP_UP};
    struct wire_writer w;

    step.blob = !e ? NULL : is_flow ? e->flow.desired : e->group.desired;
    if (!step.blob) {
        return NULL;
    }
    uint8_t *msg = xmalloc(OF13_MAX_MESSAGE);
    wire_writer_init(&w, msg, OF13_MAX_MESSAGE);
    ofp_send_put_step(&w, &step, 0);
    *size = w.at;
    return msg;
}

void
ofp_table_each(const struct ofp_table *t, ofp_entry_cb *cb, void *aux)
{
    struct ofp_entry *e;

    HMAP_FOR_EACH(e, node, &t->entries)
    {
        struct ofp_entry_view v;

        if (e->kind != KIND_METER && view(e, &v) && !cb(aux, &v)) {
            break;
        }
    }
}

void
ofp_table_counters(const struct ofp_table *t, struct ofp_table_counters *c)
{
    *c = t->counters;
    c->pending = t->n_dirty + t->n_in_flight;
    c->rejected = t->n_failed;
}
