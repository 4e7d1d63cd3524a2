/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Writes: answered once they are durable and on the switches.
 *
 *   store -> memory -> compile -> wait for the switches --all fine--> answer
 *                                        | one refuses
 *                                        v
 *               the earlier state: store, memory, compile, wait -> answer
 *
 * So a write that was answered with success survives kill -9, and one that a
 * switch refused leaves nothing behind.
 *
 * A route is stored last of all, while the switches are at work: a write to
 * the disk takes as long as they do.  What they hold of a route that was not
 * stored when the daemon died is known as ours by its cookie, and goes at the
 * next connection.  Groups have no such mark, a deletion is not to come back,
 * and a store that is known to refuse is to be asked first. */

#include "controller/writes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl-private.h"
#include "lib/xalloc.h"

struct await {
    uint64_t dpid;
    uint64_t seqno;
};

enum storing {
    WRITE_STORED,
    WRITE_UNSTORED,  /* Until the event loop comes round. */
    WRITE_NOT_STORED /* The store has refused it. */
};

struct write {
    struct write *prev, *next; /* In ctl->writes. */
    struct ctl *ctl;
    enum store_kind kind;
    char name[ROUTE_NAME_SIZE];
    ofp_owner owner;
    char *earlier;  /* JSON to put back; NULL: there was none. */
    bool follows;   /* It wants what another one has begun: if that fails, it
                     * is the other that puts back. */
    bool overtaken; /* By another one: what it replaced is still needed. */
    struct await *awaits;
    size_t n_awaits;
    enum storing storing;
    bool putting_back;
    char error[OFP_ERROR_SIZE]; /* The switch's, or the store's. */
    struct loop_timer timer;
    enum ctl_outcome outcome; /* If all goes well. */
    struct write_asker asker;
};

void
write_answer(const struct write_asker *asker, enum ctl_outcome outcome,
             const char *pointer, const char *detail)
{
    asker->cb(asker->aux, &(struct ctl_result){.outcome = outcome,
                                               .detail = detail,
                                               .pointer = pointer});
}

bool
writes_concern(const struct ctl *ctl, enum store_kind kind, const char *name)
{
    const struct write *w;
    DL_FOREACH (ctl->writes, w) {
        if (w->kind == kind && !strcmp(w->name, name)) {
            return true;
        }
    }
    return false;
}

static void
write_finish(struct write *w)
{
    struct ctl *ctl = w->ctl;
    DL_DELETE(ctl->writes, w);
    loop_timer_clear(ctl->loop, &w->timer);
    const char *pointer = w->kind == STORE_FLOW ? "/flow" : "";
    if (w->storing == WRITE_NOT_STORED) {
        write_answer(&w->asker, CTL_STORAGE, "", w->error);
    } else if (w->putting_back || (w->follows && w->error[0])) {
        write_answer(&w->asker, CTL_REJECTED, pointer, w->error);
    } else {
        struct rule *rule = rule_lookup(ctl, w->kind, w->name);
        if (rule && !w->overtaken) {
            static_drop_replaced(ctl, rule);
        }
        write_answer(&w->asker, w->outcome, "", "");
    }
    free(w->earlier);
    free(w->awaits);
    free(w);
}

/* Before the changes of a write: what else is to be done is done, so that the
 * switches whose tables change from here on are those that it concerns. */
static void
changes_begin(struct ctl *ctl)
{
    rules_compile(ctl);
    channels_compile(ctl);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        sw->seqno_before = ofp_table_seqno(sw->table);
    }
}

static void
await(struct write *w, const struct ctl_switch *sw)
{
    uint64_t seqno = ofp_table_seqno(sw->table);
    if (switch_is_connected(sw)
        && ofp_table_settled_seqno(sw->table) < seqno) {
        w->awaits[w->n_awaits++] = (struct await){sw->dpid, seqno};
    }
}

/* Where the rule is still on its way. */
static void
await_pending(struct write *w)
{
    const struct rule *rule = rule_lookup(w->ctl, w->kind, w->name);
    struct view_status *statuses;
    size_t n = rule_statuses(w->ctl, rule, &statuses);
    for (size_t i = 0; i < n; i++) {
        const struct ctl_switch *sw = switch_lookup(w->ctl, statuses[i].dpid);
        if (sw && statuses[i].state == VIEW_PENDING) {
            await(w, sw);
        }
    }
    free(statuses);
}

/* Which switches have to answer: those that it concerns. */
static void
write_await(struct write *w)
{
    struct ctl *ctl = w->ctl;
    rules_compile(ctl);
    channels_compile(ctl);
    free(w->awaits);
    w->awaits = xcalloc(HASH_COUNT(ctl->switches) + 1, sizeof *w->awaits);
    w->n_awaits = 0;
    if (w->follows) {
        await_pending(w);
        return;
    }
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (ofp_table_seqno(sw->table) != sw->seqno_before) {
            await(w, sw);
        }
    }
}

static void
put_back(struct write *w)
{
    struct ctl *ctl = w->ctl;
    struct rule *rule = rule_lookup(ctl, w->kind, w->name);
    bool stored = w->storing == WRITE_STORED;
    w->putting_back = true;
    if (w->storing == WRITE_UNSTORED) {
        w->storing = WRITE_STORED; /* As it was before. */
    }
    changes_begin(ctl);
    if (rule && rule->fixed) {
        /* A configuration that was loaded meanwhile has one of this name:
         * what we stored is hidden by it. */
        if (w->earlier) {
            rule_store(
                ctl, w->kind,
                &(struct store_row){.name = w->name, .json = w->earlier});
        } else {
            rule_erase(ctl, w->kind, w->name);
        }
    } else if (rule && w->earlier) {
        static_restore_replaced(ctl, rule);
        rule_set(ctl, w->kind, w->name, w->earlier);
        if (stored) {
            rule_save(ctl, rule);
        }
    } else if (rule) {
        rule_uncompile(ctl, rule);
        if (stored) {
            rule_erase(ctl, w->kind, w->name);
        }
        rule_destroy(ctl, rule);
    }
    write_await(w);
}

/* Entries of a member are its channel's, for which nobody is named when a
 * switch refuses them. */
static void
note_refusal(struct write *w)
{
    const struct rule *rule = rule_lookup(w->ctl, w->kind, w->name);
    if (!rule || rule->kind != STORE_MEMBER || w->error[0]) {
        return;
    }
    struct view_status *statuses;
    size_t n = rule_statuses(w->ctl, rule, &statuses);
    for (size_t i = 0; i < n; i++) {
        if (statuses[i].state == VIEW_REJECTED) {
            snprintf(w->error, sizeof w->error, "switch " DPID_FMT ": %s",
                     statuses[i].dpid, statuses[i].error);
        }
    }
    free(statuses);
}

static bool
is_answered(const struct ctl *ctl, const struct await *a)
{
    const struct ctl_switch *sw = switch_lookup(ctl, a->dpid);
    return !switch_is_connected(sw)
           || ofp_table_settled_seqno(sw->table) >= a->seqno;
}

static void
write_check(struct write *w)
{
    note_refusal(w);
    if (w->error[0] && !w->putting_back && !w->follows) {
        put_back(w);
    }
    if (w->storing == WRITE_UNSTORED) {
        return;
    }
    for (size_t i = 0; i < w->n_awaits; i++) {
        if (!is_answered(w->ctl, &w->awaits[i])) {
            return;
        }
    }
    write_finish(w);
}

static void
write_store(struct write *w)
{
    if (!rule_save(w->ctl, rule_lookup(w->ctl, w->kind, w->name))) {
        w->storing = WRITE_STORED;
        return;
    }
    w->storing = WRITE_NOT_STORED;
    snprintf(w->error, sizeof w->error, "%s", w->ctl->store_error);
    put_back(w);
}

void
writes_store(void *ctl_, int64_t now)
{
    (void) now;
    struct ctl *ctl = ctl_;
    struct write *w, *tmp;
    DL_FOREACH_SAFE (ctl->writes, w, tmp) {
        if (w->storing == WRITE_UNSTORED) {
            write_store(w);
            if (w->asker.wait == CTL_WAIT_STORED
                && w->storing == WRITE_STORED) {
                write_finish(w);
            } else {
                write_check(w);
            }
        }
    }
}

/* What has not been answered yet is stored nevertheless, as that was due
 * before; the resource's status says what is pending. */
static void
timeout_cb(void *w, int64_t now)
{
    (void) now;
    write_finish(w);
}

void
writes_settled(struct ctl_switch *sw)
{
    statics_settled(sw);
    struct write *w, *tmp;
    DL_FOREACH_SAFE (sw->ctl->writes, w, tmp) {
        write_check(w);
    }
}

void
writes_rejected(struct ctl_switch *sw, ofp_owner owner, const char *error)
{
    struct write *w, *tmp;
    DL_FOREACH_SAFE (sw->ctl->writes, w, tmp) {
        if (owner && w->owner == owner && !w->error[0]) {
            snprintf(w->error, sizeof w->error, "switch " DPID_FMT ": %s",
                     sw->dpid, error);
            write_check(w);
        }
    }
}

void
writes_abandon(struct ctl *ctl)
{
    writes_store(ctl, loop_now(ctl->loop));
    while (ctl->writes) {
        write_finish(ctl->writes);
    }
}

/* An earlier write of the same rule that still waits was accepted, and is
 * overtaken now.  What it would have put back is what we would. */
static char *
overtake(struct ctl *ctl, enum store_kind kind, const char *name,
         char *earlier)
{
    struct write *w, *tmp;
    DL_FOREACH_SAFE (ctl->writes, w, tmp) {
        if (w->kind == kind && !strcmp(w->name, name) && !w->putting_back) {
            if (!w->follows) {
                free(earlier);
                earlier = w->earlier;
                w->earlier = NULL;
            }
            w->overtaken = true;
            write_finish(w);
        }
    }
    return earlier;
}

static struct write *
write_create(struct ctl *ctl, enum store_kind kind, const char *name,
             enum ctl_outcome outcome, const struct write_asker *asker)
{
    struct write *w = xcalloc(1, sizeof *w);
    w->ctl = ctl;
    w->kind = kind;
    snprintf(w->name, sizeof w->name, "%s", name);
    w->outcome = outcome;
    w->asker = *asker;
    loop_timer_init(&w->timer, timeout_cb, w);
    DL_APPEND(ctl->writes, w);
    return w;
}

static void
write_start(struct write *w)
{
    struct ctl *ctl = w->ctl;
    write_await(w);
    const struct rule *rule = rule_lookup(ctl, w->kind, w->name);
    const char *problem = rule && !w->follows ? rule_problem(rule) : NULL;
    if (problem) {
        snprintf(w->error, sizeof w->error, "%s", problem);
    }
    bool stored = w->storing == WRITE_STORED;
    if (w->asker.wait == CTL_WAIT_STORED && stored && !w->error[0]) {
        write_finish(w);
        return;
    }
    if (!stored) {
        /* Before what is due, so before the time is up. */
        loop_timer_set(ctl->loop, &ctl->unstored_timer, 0);
    }
    loop_timer_set(ctl->loop, &w->timer,
                   loop_now(ctl->loop) + w->asker.timeout_ms);
    write_check(w);
}

/* What is wanted is there already, or on its way. */
static void
follow(struct ctl *ctl, const struct rule *rule,
       const struct write_asker *asker)
{
    struct write *w =
        write_create(ctl, rule->kind, rule->name, CTL_UNCHANGED, asker);
    w->owner = rule->owner;
    w->follows = true;
    write_start(w);
}

/* What comes next is to find it stored, or not there. */
static void
store_before(struct ctl *ctl, enum store_kind kind, const char *name)
{
    if (writes_concern(ctl, kind, name)) {
        writes_store(ctl, loop_now(ctl->loop));
    }
}

void
writes_put(struct ctl *ctl, enum store_kind kind, const char *name,
           const char *json, bool applied, const struct write_asker *asker)
{
    store_before(ctl, kind, name);
    struct rule *rule = rule_lookup(ctl, kind, name);
    bool existed = rule && !rule->gone;
    if (existed && !strcmp(rule->json, json)) {
        follow(ctl, rule, asker);
        return;
    }
    struct store_row row = {.name = name, .json = json, .applied = applied};
    bool later = kind == STORE_ROUTE && !ctl->store_error[0];
    if (!later && rule_store(ctl, kind, &row)) {
        write_answer(asker, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    char *earlier =
        overtake(ctl, kind, name, existed ? xstrdup(rule->json) : NULL);
    changes_begin(ctl);
    if (rule && !existed) {
        rule_destroy(ctl, rule);
    }
    rule = rule_set(ctl, kind, name, json);
    rule->applied = applied;
    struct write *w = write_create(
        ctl, kind, name, existed ? CTL_REPLACED : CTL_CREATED, asker);
    w->storing = later ? WRITE_UNSTORED : WRITE_STORED;
    w->owner = rule->owner;
    w->earlier = earlier;
    write_start(w);
}

void
writes_erase(struct ctl *ctl, enum store_kind kind, const char *name,
             const struct write_asker *asker)
{
    store_before(ctl, kind, name);
    struct rule *rule = rule_lookup(ctl, kind, name);
    if (!rule) {
        write_answer(asker, CTL_NOT_FOUND, "", "");
        return;
    }
    if (rule_erase(ctl, kind, name)) {
        write_answer(asker, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    free(overtake(ctl, kind, name, NULL));
    changes_begin(ctl);
    rule_uncompile(ctl, rule);
    rule_destroy(ctl, rule);
    write_start(write_create(ctl, kind, name, CTL_DELETED, asker));
}

void
writes_mark_gone(struct ctl *ctl, struct rule *rule,
                 const struct write_asker *asker)
{
    rule->gone = true;
    if (rule_save(ctl, rule)) {
        rule->gone = false;
        write_answer(asker, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    free(overtake(ctl, rule->kind, rule->name, NULL));
    changes_begin(ctl);
    static_uncompile(ctl, rule);
    write_start(write_create(ctl, rule->kind, rule->name, CTL_DELETED, asker));
}
