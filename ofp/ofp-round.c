/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* What callbacks are told once everything is in order again. */
struct rejection {
    ofp_owner owner;
    char error[OFP_ERROR_SIZE];
};

struct rejections {
    struct rejection *list;
    size_t n, allocated;
};

static void
reject(struct ofp_table *t, struct ofp_entry *e, const char *error,
       int64_t now, struct rejections *rs)
{
    if (ofp_entry_fail(t, e, error, now)) {
        rs->list = xgrow(rs->list, rs->n, &rs->allocated, sizeof *rs->list);
        rs->list[rs->n].owner = e->owner;
        snprintf(rs->list[rs->n].error, OFP_ERROR_SIZE, "%s", error);
        rs->n++;
    }
}

static void
tell(struct ofp_table *t, struct rejections *rs)
{
    t->busy = true;
    for (size_t i = 0; i < rs->n; i++) {
        t->ops->rejected(t->aux, rs->list[i].owner, rs->list[i].error);
    }
    ofp_table_settle(t);
    t->busy = false;
    free(rs->list);
}

/* Cutting a round: from what differs to steps. */

/* Takes over 'blob'. */
static void
add_step(struct ofp_table *t, struct ofp_entry *e, enum ofp_step_class class,
         uint8_t command, struct ofp_blob *blob)
{
    struct ofp_round *r = &t->round;

    r->steps = xgrow(r->steps, r->n, &r->allocated, sizeof *r->steps);
    r->steps[r->n++] = (struct ofp_step){
        .entry = e, .blob = blob, .class = class, .command = command};
    t->n_in_flight += !e->in_flight;
    e->in_flight = true;
    e->touched = t->readback.kind != READBACK_NONE;
}

/* May the flow be modified in place, which keeps its counters?  Only its
 * instructions may differ then: what stands before the match (but for the
 * transaction id) is the same, and the match is anyway. */
static bool
is_modification(const struct ofp_blob *old, const struct ofp_blob *new)
{
    return old->size >= FLOW_MOD_MATCH
           && !memcmp(old->data + FLOW_MOD_COOKIE, new->data + FLOW_MOD_COOKIE,
                      FLOW_MOD_MATCH - FLOW_MOD_COOKIE);
}

static size_t
plan_flow(struct ofp_table *t, struct ofp_entry *e, int64_t now)
{
    struct ofp_blob *old = e->flow.installed, *new = e->flow.desired;

    if (old == new) {
        return 0;
    } else if (!new) {
        add_step(t, e, STEP_FLOW_DOWN, FLOW_DELETE_STRICT, NULL);
        return old->size;
    }
    bool modify = old && is_modification(old, new);
    add_step(t, e, STEP_FLOW_UP, modify ? FLOW_MODIFY_STRICT : FLOW_ADD,
             ofp_blob_ref(new));
    if (!modify) {
        e->added = now;
    }
    return new->size;
}

static size_t
plan_group(struct ofp_table *t, struct ofp_entry *e)
{
    struct ofp_blob *old = e->group.installed, *new = e->group.desired;

    if (old == new) {
        return 0;
    } else if (!new) {
        add_step(t, e, STEP_GROUP_DOWN, MOD_DELETE, NULL);
        return GROUP_MOD_BUCKETS;
    }
    add_step(t, e, e->kind == KIND_METER ? STEP_METER : STEP_GROUP_UP,
             old ? MOD_MODIFY : MOD_ADD, ofp_blob_ref(new));
    return new->size;
}

/* Returns the bytes that the entry adds to the round. */
static size_t
plan(struct ofp_table *t, struct ofp_entry *e, int64_t now,
     struct rejections *rs)
{
    if (e->foreign && e->flow.desired) {
        reject(t, e, "a foreign flow has the same match and priority", now,
               rs);
        return 0;
    }
    if (e->flow.desired && e->flow.desired->id_at && !e->group_id) {
        uint32_t id = ofp_ids_take(&t->ids, e);

        if (!id) {
            reject(t, e, "no group id is left", now, rs);
            return 0;
        }
        ofp_entry_set_group_id(t, e, id);
    }
    return plan_flow(t, e, now) + plan_group(t, e);
}

/* Brings the steps into the order of their classes; within one they stay in
 * the order of the changes. */
static void
sort_steps(struct ofp_round *r)
{
    size_t at[N_STEP_CLASSES + 1] = {0};
    struct ofp_step *sorted;

    if (r->n < 2 || (r->n == 2 && r->steps[0].class <= r->steps[1].class)) {
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        at[r->steps[i].class + 1]++;
    }
    for (size_t i = 0; i < N_STEP_CLASSES; i++) {
        at[i + 1] += at[i];
    }
    sorted = xmalloc(r->n * sizeof *sorted);
    for (size_t i = 0; i < r->n; i++) {
        sorted[at[r->steps[i].class]++] = r->steps[i];
    }
    free(r->steps);
    r->steps = sorted;
    r->allocated = r->n;
}

static void
take_retries(struct ofp_table *t, int64_t now)
{
    struct timer_node *node;

    while ((node = timer_heap_pop_due(&t->retries, now)) != NULL) {
        struct ofp_failure *f = (struct ofp_failure *) node;

        f->repeated = false;
        ofp_entry_make_dirty(t, f->entry);
    }
}

void
ofp_round_run(struct ofp_table *t, int64_t now)
{
    struct ofp_round *r = &t->round;
    struct rejections rs = {.list = NULL};
    size_t bytes = 0;

    take_retries(t, now);
    if (!t->dirty) {
        ofp_table_settle(t);
        return;
    }
    r->first_seqno = t->dirty->dirty_seqno;
    while (t->dirty && bytes < OFP_ROUND_BYTES) {
        struct ofp_entry *e = t->dirty;

        ofp_entry_take_from_dirty(t, e);
        if (!ofp_entry_bury(t, e)) {
            bytes += plan(t, e, now, &rs);
            if (!e->in_flight && !ofp_entry_differs(e)) {
                ofp_entry_clear_failure(t, e);
            }
        }
    }
    if (r->n) {
        sort_steps(r);
        r->started = now;
        r->sent = 0;
        r->careful = false;
        t->counters.rounds++;
        ofp_send_round(t);
    }
    tell(t, &rs);
}

/* Ending one. */

static void
free_steps(struct ofp_round *r)
{
    for (size_t i = 0; i < r->n; i++) {
        ofp_blob_unref(r->steps[i].blob);
        free(r->steps[i].error);
    }
    r->n = 0;
    r->state = ROUND_NONE;
    if (r->allocated > 1024) {
        /* The first rounds are the biggest by far. */
        free(r->steps);
        r->steps = NULL;
        r->allocated = 0;
    }
}

static void
leave_round(struct ofp_table *t, struct ofp_entry *e)
{
    t->n_in_flight -= e->in_flight;
    e->in_flight = e->stuck = false;
}

/* The connection is gone: nobody knows what became of it. */
void
ofp_round_drop(struct ofp_table *t)
{
    struct ofp_round *r = &t->round;

    for (size_t i = r->n; i-- > 0;) {
        leave_round(t, r->steps[i].entry);
        ofp_entry_return_to_dirty(t, r->steps[i].entry, r->first_seqno);
    }
    free_steps(r);
}

bool
ofp_round_error(struct ofp_table *t, const struct ofp_error *error)
{
    struct ofp_round *r = &t->round;
    size_t i = error->xid - r->first_xid;

    if (r->state == ROUND_NONE || i >= r->n) {
        return false;
    }
    if (r->state != ROUND_PLAIN && i >= r->sent) {
        r->bundle_failed = true;
    } else if (!r->steps[i].error) {
        r->steps[i].error = xmemdup(error, sizeof *error);
        r->steps[i].entry->stuck = true;
    }
    return true;
}

static void
apply(struct ofp_table *t, const struct ofp_step *s)
{
    struct ofp_entry *e = s->entry;
    bool is_flow = s->class == STEP_FLOW_UP || s->class == STEP_FLOW_DOWN;

    ofp_entry_set_installed(t, e, is_flow ? &e->flow : &e->group,
                            ofp_blob_ref(s->blob));
    if (e->kind == KIND_GROUP) {
        e->claimed = s->blob != NULL;
    }
}

/* Errors that say that the switch holds something else than we thought.
 * Returns true if it is worth trying again at once. */
static bool
learn_from(struct ofp_table *t, const struct ofp_step *s)
{
    enum { BAD_ACTION = 2, BAD_OUT_GROUP = 9 };
    struct ofp_entry *e = s->entry;
    unsigned int error = (unsigned int) s->error->type << 16 | s->error->code;
    bool own = e->kind == KIND_FLOW && e->group_id;

    switch (error) {
    case OFP_ERROR_GROUP_MOD << 16 | OFP_ERROR_GROUP_EXISTS:
        if (!own) {
            return false;
        }
        /* Fall through. */
    case OFP_ERROR_METER_MOD << 16 | OFP_ERROR_METER_EXISTS:
        /* It is there, in some form: to be modified. */
        ofp_entry_set_installed(t, e, &e->group,
                                ofp_blobs_get(&t->blobs, "", 0, 0));
        return true;
    case OFP_ERROR_GROUP_MOD << 16 | OFP_ERROR_UNKNOWN_GROUP:
        /* Deleted behind our back, and with it the flow. */
        ofp_entry_set_installed(t, e, &e->flow, NULL);
        /* Fall through. */
    case OFP_ERROR_METER_MOD << 16 | OFP_ERROR_UNKNOWN_METER:
        ofp_entry_set_installed(t, e, &e->group, NULL);
        t->counters.drift++;
        return true;
    case BAD_ACTION << 16 | BAD_OUT_GROUP:
        if (own) {
            ofp_entry_set_installed(t, e, &e->group, NULL);
        }
        return own;
    default:
        return false;
    }
}

static void
fail_step(struct ofp_table *t, const struct ofp_step *s, int64_t now,
          struct rejections *rs)
{
    struct ofp_entry *e = s->entry;
    bool again = learn_from(t, s) && !(e->failure && e->failure->repeated);

    leave_round(t, e);
    if (e->dirty) {
        return; /* Something else is desired by now. */
    } else if (again) {
        if (!e->failure) {
            e->failure = xcalloc(1, sizeof *e->failure);
            e->failure->entry = e;
        }
        e->failure->repeated = true;
        ofp_entry_make_dirty(t, e);
    } else {
        reject(t, e, s->error->text, now, rs);
    }
}

void
ofp_round_finish(struct ofp_table *t, int64_t now)
{
    struct ofp_round *r = &t->round;
    struct rejections rs = {.list = NULL};

    for (size_t i = 0; i < r->n; i++) {
        if (!r->steps[i].error && !r->steps[i].skipped) {
            apply(t, &r->steps[i]);
        }
    }
    /* The first error of an entry is the one that led to the others. */
    for (size_t i = 0; i < r->n; i++) {
        if (r->steps[i].error && r->steps[i].entry->in_flight) {
            fail_step(t, &r->steps[i], now, &rs);
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        struct ofp_entry *e = r->steps[i].entry;

        if (e->in_flight) {
            leave_round(t, e);
            ofp_entry_clear_failure(t, e);
        } else {
            r->steps[i].entry = NULL; /* Has been looked at. */
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        if (r->steps[i].entry && !r->steps[i].entry->dirty) {
            ofp_entry_bury(t, r->steps[i].entry);
        }
    }
    free_steps(r);
    tell(t, &rs);
}
