/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table-private.h"

#include <stdlib.h>
#include <string.h>

#include "ofp/ofp-encode.h"
#include "ofp/ofp-msg.h"

/* Bundles: ONF extension 230. */
enum {
    ONF_BUNDLE_CONTROL = 2300,
    ONF_BUNDLE_ADD = 2301,
    BUNDLE_OPEN = 0,
    BUNDLE_COMMIT = 4,
    BUNDLE_COMMIT_REPLY = 5,
    BUNDLE_DISCARD = 6,
    BUNDLE_ATOMIC_ORDERED = 3
};
#define ONF_VENDOR UINT32_C(0x4f4e4600)

/* One step. */

/* What a blob leaves out of a flow's message. */
static size_t
match_size(const struct ofp_entry *e)
{
    return (4 + ofp_entry_as_flow(e).match_size + 7) / 8 * 8;
}

/* The message of a flow up to its instructions. */
static void
put_flow_head(struct wire_writer *w, const struct ofp_entry *e,
              const struct ofp_blob *b)
{
    struct ofp_flow_key key = ofp_entry_as_flow(e);

    wire_put(w, b->data, FLOW_MOD_MATCH);
    wire_put_be16(w, 1); /* OXM. */
    wire_put_be16(w, 4 + key.match_size);
    wire_put(w, key.match, key.match_size);
    wire_put_zeros(w, match_size(e) - 4 - key.match_size);
}

static void
put_flow_delete(struct wire_writer *w, const struct ofp_entry *e)
{
    uint8_t bytes[FLOW_MOD_MATCH + OFP_KEY_SIZE + 8];
    struct wire_writer head;

    wire_writer_init(&head, bytes, sizeof bytes);
    put_flow_head(&head, e, e->flow.installed);
    ofp_encode_flow_delete(w, bytes, head.at, OFP_COOKIE, OFP_COOKIE_MASK);
}

/* Flows are changed and deleted only if they are ours. */
static void
put_flow(struct wire_writer *w, const struct ofp_step *s)
{
    size_t start = w->at;
    struct wire_writer patch;

    put_flow_head(w, s->entry, s->blob);
    wire_put(w, s->blob->data + FLOW_MOD_MATCH,
             s->blob->size - FLOW_MOD_MATCH);
    ofp_msg_end(w, start);
    if (s->command != FLOW_ADD && !w->failed) {
        wire_writer_init(&patch, w->data + start + FLOW_MOD_COOKIE, 16);
        wire_put_be64(&patch, OFP_COOKIE);
        wire_put_be64(&patch, OFP_COOKIE_MASK);
        w->data[start + FLOW_MOD_COMMAND] = s->command;
    }
}

/* A group or a meter. */
static void
put_other(struct wire_writer *w, const struct ofp_step *s)
{
    size_t start = w->at;

    if (!s->blob) {
        ofp_encode_group_delete(w, ofp_entry_id(s->entry));
    } else {
        wire_put(w, s->blob->data, s->blob->size);
        wire_patch_be16(w, start + GROUP_MOD_COMMAND, s->command);
    }
}

/* The id that the blob leaves out, at the same distance from the end. */
static void
put_id(struct wire_writer *w, const struct ofp_step *s)
{
    struct wire_writer patch;

    if (s->blob && s->blob->id_at && !w->failed) {
        wire_writer_init(
            &patch, w->data + w->at - (s->blob->size - s->blob->id_at), 4);
        wire_put_be32(&patch, ofp_entry_id(s->entry));
    }
}

void
ofp_send_put_step(struct wire_writer *w, const struct ofp_step *s,
                  uint32_t xid)
{
    size_t start = w->at;

    if (s->class == STEP_FLOW_DOWN) {
        put_flow_delete(w, s->entry);
    } else if (s->class == STEP_FLOW_UP) {
        put_flow(w, s);
    } else {
        put_other(w, s);
    }
    put_id(w, s);
    if (!w->failed) {
        ofp_msg_set_xid(w->data + start, xid);
    }
}

static void
count(struct ofp_table *t, const struct ofp_step *s)
{
    if (s->class == STEP_FLOW_UP || s->class == STEP_FLOW_DOWN) {
        t->counters.flow_mods++;
    } else if (s->class != STEP_METER) {
        t->counters.group_mods++;
    }
}

static void
send_step(struct ofp_table *t, size_t i)
{
    uint8_t bytes[OF13_MAX_MESSAGE + 1];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_send_put_step(&w, &t->round.steps[i], t->round.first_xid + i);
    count(t, &t->round.steps[i]);
    t->ops->send(t->aux, w.data, w.at);
}

/* Plain: in one phase, or, carefully, in three. */

static unsigned int
phase_of(const struct ofp_step *s)
{
    return s->class <= STEP_GROUP_UP ? 0 : s->class <= STEP_FLOW_UP ? 1 : 2;
}

static void
send_plain(struct ofp_table *t)
{
    struct ofp_round *r = &t->round;
    unsigned int phase = phase_of(&r->steps[r->sent]);
    size_t end = r->sent;

    while (end < r->n && (!r->careful || phase_of(&r->steps[end]) == phase)) {
        /* A flow whose group could not be made, or a group whose flow could
         * not be taken away, is left as it is. */
        r->steps[end].skipped = r->careful && r->steps[end].entry->stuck;
        if (!r->steps[end].skipped) {
            send_step(t, end);
        }
        end++;
    }
    r->sent = end;
    r->state = ROUND_PLAIN;
    r->barrier_xid = ofp_table_xid(t, 1);
    ofp_table_send_empty(t, OF13_BARRIER_REQUEST, r->barrier_xid);
}

/* Bundles. */

static size_t
begin_bundle_message(struct wire_writer *w, uint32_t type, uint32_t bundle_id)
{
    size_t start = ofp_msg_begin(w, OF13_EXPERIMENTER);

    wire_put_be32(w, ONF_VENDOR);
    wire_put_be32(w, type);
    wire_put_be32(w, bundle_id);
    return start;
}

static uint32_t
send_bundle_control(struct ofp_table *t, uint16_t type)
{
    uint32_t xid = ofp_table_xid(t, 1);
    uint8_t bytes[OFP_BUNDLE_OVERHEAD];
    struct wire_writer w;
    size_t start;

    wire_writer_init(&w, bytes, sizeof bytes);
    start = begin_bundle_message(&w, ONF_BUNDLE_CONTROL, t->round.bundle_id);
    wire_put_be16(&w, type);
    wire_put_be16(&w, BUNDLE_ATOMIC_ORDERED);
    ofp_msg_end(&w, start);
    ofp_msg_set_xid(bytes, xid);
    t->ops->send(t->aux, bytes, w.at);
    return xid;
}

static void
send_bundle_add(struct ofp_table *t, size_t i)
{
    uint32_t xid = t->round.first_xid + i;
    uint8_t bytes[OF13_MAX_MESSAGE + 1];
    struct wire_writer w;
    size_t start;

    wire_writer_init(&w, bytes, sizeof bytes);
    start = begin_bundle_message(&w, ONF_BUNDLE_ADD, t->round.bundle_id);
    wire_put_be16(&w, 0);
    wire_put_be16(&w, BUNDLE_ATOMIC_ORDERED);
    ofp_send_put_step(&w, &t->round.steps[i], xid);
    ofp_msg_end(&w, start);
    ofp_msg_set_xid(w.data, xid);
    count(t, &t->round.steps[i]);
    t->ops->send(t->aux, w.data, w.at);
}

/* A message that fails to decode is left out of a bundle, which is committed
 * without it all the same (ovs-facts.md 2): so a barrier comes first, and the
 * commit only if no error came before its reply.
 *
 * A few things that only come, such as a new route's, do not wait for that:
 * what little is there without the one that was left out is repeated. */
static bool
commits_at_once(const struct ofp_round *r)
{
    for (size_t i = r->sent; i < r->n; i++) {
        uint8_t class = r->steps[i].class;

        if (class != STEP_GROUP_UP && class != STEP_FLOW_UP) {
            return false;
        }
    }
    return r->n - r->sent <= OFP_FEW_MODS;
}

static void
send_commit(struct ofp_table *t)
{
    t->round.state = ROUND_BUNDLE_COMMIT;
    t->round.commit_xid = send_bundle_control(t, BUNDLE_COMMIT);
}

static void
send_bundle(struct ofp_table *t)
{
    struct ofp_round *r = &t->round;

    t->counters.bundles++;
    r->state = ROUND_BUNDLE_FILLED;
    r->bundle_failed = false;
    r->bundle_id = ++t->next_bundle_id;
    r->open_xid = send_bundle_control(t, BUNDLE_OPEN);
    for (size_t i = r->sent; i < r->n; i++) {
        send_bundle_add(t, i);
    }
    if (commits_at_once(r)) {
        send_commit(t);
        return;
    }
    r->barrier_xid = ofp_table_xid(t, 1);
    ofp_table_send_empty(t, OF13_BARRIER_REQUEST, r->barrier_xid);
}

static bool
fits_bundle(const struct ofp_round *r)
{
    for (size_t i = r->sent; i < r->n; i++) {
        const struct ofp_step *s = &r->steps[i];
        size_t left_out = s->class == STEP_FLOW_UP ? match_size(s->entry) : 0;

        if (s->blob
            && s->blob->size + left_out
                   > OF13_MAX_MESSAGE - OFP_BUNDLE_OVERHEAD) {
            return false;
        }
    }
    return true;
}

/* The bundle came to nothing; what it held is sent message by message, under
 * new transaction ids, so that each error finds its message, and in phases, so
 * that what follows an error can be left out. */
static void
repeat_plainly(struct ofp_table *t)
{
    t->round.careful = true;
    t->round.first_xid = ofp_table_xid(t, t->round.n);
    send_plain(t);
}

/* Does something go and something else come?  A packet between the two would
 * meet neither, and perhaps reach whom neither lets it; and a group that goes
 * takes flows along that still name it, if the flow's change was refused. */
static bool
is_mixed(const struct ofp_round *r)
{
    bool up = false, down = false;

    for (size_t i = 0; i < r->n; i++) {
        uint8_t class = r->steps[i].class;

        up |= class == STEP_GROUP_UP || class == STEP_FLOW_UP;
        down |= class == STEP_FLOW_DOWN || class == STEP_GROUP_DOWN;
    }
    return up && down;
}

void
ofp_send_round(struct ofp_table *t)
{
    struct ofp_round *r = &t->round;

    r->first_xid = ofp_table_xid(t, r->n);
    bool mixed = is_mixed(r);
    /* A join or a leave is not worth a bundle's extra round trip. */
    if (!t->bundles || (r->n <= OFP_PLAIN_MODS && !mixed) || !fits_bundle(r)
        || r->steps[r->n - 1].class == STEP_METER) {
        r->careful = mixed;
        send_plain(t);
        return;
    }
    /* Meters cannot be in a bundle. */
    while (r->steps[r->sent].class == STEP_METER) {
        send_step(t, r->sent++);
    }
    send_bundle(t);
}

/* Answers. */

bool
ofp_send_barrier_reply(struct ofp_table *t, uint32_t xid, int64_t now)
{
    struct ofp_round *r = &t->round;

    if (r->state == ROUND_NONE || xid != r->barrier_xid) {
        return false;
    } else if (r->state == ROUND_PLAIN) {
        if (r->sent < r->n) {
            send_plain(t);
        } else {
            ofp_round_finish(t, now);
        }
    } else if (r->state == ROUND_BUNDLE_FILLED && !r->bundle_failed) {
        send_commit(t);
    } else if (r->state == ROUND_BUNDLE_FILLED) {
        if (t->bundles) {
            send_bundle_control(t, BUNDLE_DISCARD);
        }
        repeat_plainly(t);
    }
    return true;
}

bool
ofp_send_bundle_reply(struct ofp_table *t, const uint8_t *msg, size_t size,
                      int64_t now)
{
    struct ofp_round *r = &t->round;
    struct wire_reader in;
    uint32_t vendor, type, bundle_id;
    uint16_t control;

    wire_reader_init(&in, msg, size);
    wire_skip(&in, OF13_HEADER_SIZE);
    vendor = wire_get_be32(&in);
    type = wire_get_be32(&in);
    bundle_id = wire_get_be32(&in);
    control = wire_get_be16(&in);
    if (in.failed || vendor != ONF_VENDOR || type != ONF_BUNDLE_CONTROL
        || bundle_id != r->bundle_id || r->state == ROUND_NONE) {
        return false;
    }
    if (control == BUNDLE_COMMIT_REPLY && r->state == ROUND_BUNDLE_COMMIT) {
        if (r->bundle_failed) {
            repeat_plainly(t);
        } else {
            ofp_round_finish(t, now);
        }
    }
    return true;
}

bool
ofp_send_bundle_error(struct ofp_table *t, uint32_t xid, int64_t now)
{
    struct ofp_round *r = &t->round;

    (void) now;
    if ((r->state == ROUND_BUNDLE_FILLED || r->state == ROUND_BUNDLE_COMMIT)
        && xid == r->open_xid) {
        /* It knows no bundles, or not of our kind. */
        t->bundles = false;
        r->bundle_failed = true;
        return true;
    } else if (r->state == ROUND_BUNDLE_COMMIT && xid == r->commit_xid) {
        repeat_plainly(t);
        return true;
    }
    return false;
}
