/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-decode.h"
#include "ofp/ofp-msg.h"

static void finish(struct ofp_table *, int64_t now);

/* Asking. */

/* What is known of the switch is only what it says now. */
static void
forget_all(struct ofp_table *t)
{
    struct ofp_entry *e;

    HMAP_FOR_EACH_SAFE(e, node, &t->entries)
    {
        ofp_entry_set_installed(t, e, &e->flow, NULL);
        ofp_entry_set_installed(t, e, &e->group, NULL);
        e->foreign = e->flow_seen = e->group_seen = e->touched = false;
        ofp_entry_bury(t, e);
    }
}

static uint32_t
request(struct ofp_table *t, struct wire_writer *w)
{
    uint32_t xid = ofp_table_xid(t, 1);

    ofp_msg_set_xid(w->data, xid);
    t->ops->send(t->aux, w->data, w->at);
    return xid;
}

void
ofp_readback_start(struct ofp_table *t, enum ofp_readback_kind kind,
                   int64_t now)
{
    struct ofp_readback *rb = &t->readback;
    uint8_t bytes[128];
    struct wire_writer w;

    *rb = (struct ofp_readback){.kind = READBACK_NONE};
    if (kind == READBACK_SYNC) {
        forget_all(t);
    }
    rb->kind = kind;
    rb->started = now;
    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_meter_config(&w);
    rb->meter_xid = request(t, &w);
    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_multipart(&w, OF13_MP_GROUP_DESC);
    rb->group_xid = request(t, &w);
    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_flow_stats(&w, 0, 0);
    rb->flow_xid = request(t, &w);
}

void
ofp_table_poll(struct ofp_table *t, int64_t now)
{
    uint8_t bytes[128];
    struct wire_writer w;

    if (!t->synced || t->failed || t->poll_xid) {
        return;
    }
    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_flow_stats(&w, OFP_COOKIE, OFP_COOKIE_MASK);
    t->poll_started = now;
    t->poll_bytes = 0;
    t->poll_xid = request(t, &w);
}

/* Answers. */

static bool
take_part(struct ofp_table *t, uint32_t *xid, struct wire_reader *r,
          int64_t now)
{
    struct ofp_readback *rb = &t->readback;

    if (xid == &rb->meter_xid) {
        return ofp_stats_meters(t, r);
    } else if (xid == &rb->group_xid) {
        return ofp_stats_groups(t, r);
    } else if (xid == &rb->flow_xid) {
        return ofp_stats_flows(t, r, now);
    } else {
        return ofp_stats_poll(t, r, now);
    }
}

/* Which of our requests 'xid' is, and what is asked there; NULL if none. */
static uint32_t *
find_request(struct ofp_table *t, uint32_t xid, uint16_t *type)
{
    struct ofp_readback *rb = &t->readback;

    if (!xid) {
        return NULL;
    } else if (rb->kind && xid == rb->meter_xid) {
        *type = OF13_MP_METER_CONFIG;
        return &rb->meter_xid;
    } else if (rb->kind && xid == rb->group_xid) {
        *type = OF13_MP_GROUP_DESC;
        return &rb->group_xid;
    } else if (rb->kind && xid == rb->flow_xid) {
        *type = OF13_MP_FLOW;
        return &rb->flow_xid;
    }
    *type = OF13_MP_FLOW;
    return xid == t->poll_xid ? &t->poll_xid : NULL;
}

static void
request_done(struct ofp_table *t, uint32_t *xid, int64_t now)
{
    struct ofp_readback *rb = &t->readback;

    *xid = 0;
    if (xid == &t->poll_xid) {
        t->busy = true;
        t->ops->counted(t->aux);
        t->busy = false;
    } else if (!rb->meter_xid && !rb->group_xid && !rb->flow_xid) {
        finish(t, now);
    }
}

bool
ofp_readback_input(struct ofp_table *t, const uint8_t *msg, size_t size,
                   int64_t now)
{
    struct wire_reader r;
    uint16_t type, flags, wanted;
    uint32_t *xid = find_request(t, ofp_msg_xid(msg), &wanted);
    size_t *bytes;

    if (!xid) {
        return false;
    }
    bytes = xid == &t->poll_xid ? &t->poll_bytes : &t->readback.bytes;
    *bytes += size;
    wire_reader_init(&r, msg, size);
    wire_skip(&r, OF13_HEADER_SIZE);
    type = wire_get_be16(&r);
    flags = wire_get_be16(&r);
    wire_skip(&r, 4);
    if (r.failed || type != wanted || !take_part(t, xid, &r, now)) {
        ofp_table_fail(t, "malformed multipart reply");
    } else if (*bytes > OFP_READBACK_BYTES) {
        ofp_table_fail(t, "the switch tells more than 64 MiB");
    } else if (!(flags & OF13_MULTIPART_MORE)) {
        request_done(t, xid, now);
    }
    return true;
}

bool
ofp_readback_error(struct ofp_table *t, const struct ofp_error *e, int64_t now)
{
    uint16_t type;
    uint32_t *xid = find_request(t, e->xid, &type);

    if (!xid || xid == &t->poll_xid) {
        return false;
    } else if (xid == &t->readback.meter_xid) {
        request_done(t, xid, now); /* It has none. */
    } else {
        char reason[OFP_ERROR_SIZE + 64];

        snprintf(reason, sizeof reason,
                 "the switch does not tell what it holds: %s", e->text);
        ofp_table_fail(t, reason);
    }
    return true;
}

/* The end. */

static void
take_field(struct wire_reader *value, uint32_t field, struct ofp_copy *copy)
{
    if (field == OXM_ETH_DST) {
        const uint8_t *mac = wire_take(value, sizeof copy->eth_dst);

        if (mac) {
            memcpy(copy->eth_dst.b, mac, sizeof copy->eth_dst);
        }
    } else if (field == OXM_IPV4_DST) {
        copy->ip_dst = wire_get_be32(value);
    } else if (field == NXM_TUN_DST) {
        copy->tun_dst = wire_get_be32(value);
    } else if (field == OXM_TUNNEL_ID) {
        copy->tun_id = (uint32_t) wire_get_be64(value);
    }
}

static void
take_action(struct wire_reader *action, uint16_t type, struct ofp_copy *copy)
{
    if (type == ACTION_OUTPUT) {
        copy->port = wire_get_be32(action);
    } else if (type == ACTION_POP_VLAN) {
        copy->pop_vlan = true;
    } else if (type == ACTION_SET_FIELD) {
        take_field(action, wire_get_be32(action), copy);
    }
}

static struct ofp_copy
read_bucket(struct wire_reader *b)
{
    struct ofp_copy copy = {.port = 0};

    wire_skip(b, GROUP_BUCKET_SIZE - 2);
    while (wire_left(b) >= 8) {
        uint16_t type = wire_get_be16(b);
        uint16_t length = wire_get_be16(b);
        struct wire_reader action = wire_sub(b, length >= 4 ? length - 4 : 0);

        take_action(&action, type, &copy);
        if (length < 8) {
            break;
        }
    }
    return copy;
}

/* Buckets without an output make no copy. */
static size_t
read_copies(const struct ofp_blob *group, struct ofp_copy *copies, size_t max)
{
    struct wire_reader r;
    size_t n = 0;

    wire_reader_init(&r, group->data, group->size);
    wire_skip(&r, GROUP_MOD_BUCKETS);
    while (n < max && wire_left(&r) >= GROUP_BUCKET_SIZE) {
        uint16_t size = wire_get_be16(&r);
        struct wire_reader b = wire_sub(&r, size >= 2 ? size - 2 : 0);

        copies[n] = read_bucket(&b);
        n += copies[n].port != 0;
        if (size < GROUP_BUCKET_SIZE) {
            break;
        }
    }
    return n;
}

/* Does the flow punt?  If so that is its first action: see ofp-encode.c. */
static bool
punts(const struct ofp_blob *flow)
{
    struct wire_reader r;

    wire_reader_init(&r, flow->data, flow->size);
    wire_skip(&r, FLOW_MOD_MATCH);
    bool apply = wire_get_be16(&r) == INSTR_APPLY_ACTIONS;
    wire_skip(&r, 6);
    bool experimenter = wire_get_be16(&r) == ACTION_EXPERIMENTER;
    wire_skip(&r, 2);
    return apply && experimenter && wire_get_be32(&r) == NX_VENDOR
           && wire_get_be16(&r) == NX_CONTROLLER2;
}

static void
tell_adopted(struct ofp_table *t, const struct ofp_entry *e,
             struct ofp_copy *copies)
{
    const struct ofp_blob *b = e->flow.installed;
    struct ofp_adopted a = {.copies = copies};
    struct ofp_flow_key key = ofp_entry_as_flow(e);
    struct wire_reader r;

    wire_reader_init(&r, b->data, b->size);
    wire_skip(&r, FLOW_MOD_COOKIE);
    a.cookie = wire_get_be64(&r);
    a.table = key.table;
    a.priority = key.priority;
    a.match_understood = ofp_decode_match(key.match, key.match_size, &a.match);
    a.punts = punts(b);
    if (e->group.installed) {
        a.has_group = true;
        a.n_copies = read_copies(e->group.installed, copies,
                                 OF13_MAX_MESSAGE / GROUP_BUCKET_SIZE);
    }
    t->ops->adopted(t->aux, &a);
}

static int
compare_keys(const void *a_, const void *b_)
{
    const struct ofp_entry *a = *(struct ofp_entry *const *) a_;
    const struct ofp_entry *b = *(struct ofp_entry *const *) b_;
    size_t both = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, both);

    return order ? order : (a->key_size > both) - (b->key_size > both);
}

/* Those that are installed, by table, priority and match; the caller frees the
 * list. */
static struct ofp_entry **
list_installed(const struct ofp_table *t, size_t *n)
{
    struct ofp_entry **list = xcalloc(hmap_count(&t->entries), sizeof *list);
    struct ofp_entry *e;

    *n = 0;
    HMAP_FOR_EACH(e, node, &t->entries)
    {
        if (e->flow.installed) {
            list[(*n)++] = e;
        }
    }
    qsort(list, *n, sizeof *list, compare_keys);
    return list;
}

/* Callbacks may make more entries meanwhile. */
static void
tell_synced(struct ofp_table *t)
{
    struct ofp_copy *copies =
        xcalloc(OF13_MAX_MESSAGE / GROUP_BUCKET_SIZE, sizeof *copies);
    size_t n;
    struct ofp_entry **list = list_installed(t, &n);

    t->busy = true;
    for (size_t i = 0; i < n; i++) {
        tell_adopted(t, list[i], copies);
    }
    t->ops->synced(t->aux);
    ofp_table_settle(t);
    t->busy = false;
    free(list);
    free(copies);
}

/* What an audit did not see is gone.  A flow with a timeout is expected to
 * go; then it is not wanted any more. */
static void
check_seen(struct ofp_table *t, struct ofp_entry *e)
{
    struct ofp_blob *flow = e->flow.installed;

    if (e->foreign && !e->flow_seen) {
        e->foreign = false;
        if (e->flow.desired) {
            ofp_entry_make_dirty(t, e);
        }
    }
    if (e->touched || e->in_flight) {
        return;
    }
    if (flow && !e->flow_seen) {
        bool temporary =
            flow->data[FLOW_MOD_IDLE] || flow->data[FLOW_MOD_IDLE + 1];

        if (temporary && !e->dirty) {
            ofp_blob_unref(e->flow.desired);
            e->flow.desired = NULL;
        }
        t->readback.drift += !temporary;
        ofp_entry_set_installed(t, e, &e->flow, NULL);
        ofp_entry_make_dirty(t, e);
    }
    if (e->group.installed && !e->group_seen) {
        t->readback.drift++;
        ofp_entry_set_installed(t, e, &e->group, NULL);
        ofp_entry_make_dirty(t, e);
    }
}

static void
finish(struct ofp_table *t, int64_t now)
{
    bool audit = t->readback.kind == READBACK_AUDIT;
    int64_t took = now - t->readback.started;
    struct ofp_entry *e;

    t->readback.kind = READBACK_NONE;
    HMAP_FOR_EACH_SAFE(e, node, &t->entries)
    {
        if (audit) {
            check_seen(t, e);
        } else if (ofp_entry_differs(e)) {
            ofp_entry_make_dirty(t, e);
        }
        e->flow_seen = e->group_seen = e->touched = false;
        ofp_entry_bury(t, e);
    }
    t->counters.foreign_flows = t->readback.foreign_flows;
    t->counters.foreign_groups = t->readback.foreign_groups;
    /* Who has changed something may not have been done with it: what was put
     * back on a group that went a moment later is gone without a word. */
    int64_t pause = t->readback.drift ? OFP_AUDIT_SOON_MS : OFP_AUDIT_MS;
    t->audit_at = now + (took * 100 > pause ? took * 100 : pause);
    if (!audit) {
        t->synced = true;
        tell_synced(t);
    } else if (t->readback.drift) {
        t->counters.drift += t->readback.drift;
        t->n_untold += t->readback.drift;
    }
    ofp_table_settle(t); /* What was buried may have been waited for. */
}

/* One flow is gone: the switch says so at once if it was asked to. */

/* Is it one that had been there before the entry's was made?  Clocks differ,
 * by some millionths. */
static bool
is_older(const struct ofp_entry *e, const struct ofp_flow_removed *fr,
         int64_t now)
{
    enum { ROUNDING_MS = 2 };
    int64_t age = now - e->added;

    if (!e->flow.installed && !e->in_flight) {
        return e->flow.desired != NULL;
    }
    return e->added && fr->duration > age + age / 1000 + ROUNDING_MS;
}

static void
take_removed(struct ofp_table *t, struct ofp_entry *e, uint8_t reason)
{
    ofp_entry_set_installed(t, e, &e->flow, NULL);
    e->touched = t->readback.kind != READBACK_NONE;
    if (reason <= OFP_REMOVED_HARD && !e->dirty) {
        ofp_blob_unref(e->flow.desired);
        ofp_blob_unref(e->group.desired);
        e->flow.desired = e->group.desired = NULL;
    } else if (reason == OFP_REMOVED_GROUP_DELETE) {
        ofp_entry_set_installed(t, e, &e->group, NULL);
    }
    ofp_entry_make_dirty(t, e);
    if (e->flow.desired && reason > OFP_REMOVED_HARD) {
        /* Somebody else is at work: see what more is missing, but do not let
         * two who disagree keep the switch busy. */
        t->audit_at = t->readback.started + OFP_AUDIT_SOON_MS;
        t->counters.drift++;
        t->n_untold++;
    }
}

bool
ofp_table_flow_removed(struct ofp_table *t, const struct ofp_flow_removed *fr,
                       int64_t now)
{
    uint8_t key[OFP_KEY_SIZE];
    size_t n = ofp_entry_flow_key(key, fr->table, fr->priority, fr->match,
                                  fr->match_size);
    struct ofp_entry *e = n && t->synced ? ofp_entry_find(t, key, n) : NULL;

    if (!e || e->kind != KIND_FLOW || e->foreign) {
        return true;
    } else if (is_older(e, fr, now)) {
        return false;
    }
    if (e->flow.installed && !e->in_flight) {
        take_removed(t, e, fr->reason);
    }
    return true;
}
