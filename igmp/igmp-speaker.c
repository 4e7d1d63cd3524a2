/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-speaker.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "igmp/igmp-speaker-private.h"
#include "igmp/igmp-table.h"
#include "lib/xalloc.h"

/* Section numbers are those of RFC 3376.
 *
 * A record stands for each group that was spoken of: the interface state of
 * 3.2 as it was last told, and what is to be told again of it (5.1). */

enum {
    UNSOLICITED = 1000, /* Unsolicited Report Interval, 8.11. */
    BURST = 32,         /* Frames, and then a pause: */
    PAUSE = 5,          /* Milliseconds. */
    MAX_QUERIED = 256   /* Sources of pending queries of one group. */
};

/* Up to 'most', but not 0: splitmix64. */
static int64_t
random_delay(struct igmp_speaker *sp, int64_t most)
{
    uint64_t z = sp->env->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return most > 1 ? 1 + (int64_t) ((z ^ z >> 31) % (uint64_t) most) : 1;
}

/* Records. */

static struct igmp_speaker_record *
lookup(const struct igmp_speaker *sp, const struct ip_addr *group)
{
    struct igmp_speaker_record *r;

    HASH_FIND(hh, sp->records, group, sizeof *group, r);
    return r;
}

static void
unqueue(struct igmp_speaker *sp, struct igmp_speaker_record *r)
{
    if (r->queue == IGMP_SPEAKER_FRESH) {
        DL_DELETE(sp->fresh, r);
    } else if (r->queue == IGMP_SPEAKER_AGAIN) {
        DL_DELETE(sp->again, r);
    }
    r->queue = IGMP_SPEAKER_QUIET;
}

static void
cancel_answer(struct igmp_speaker *sp, struct igmp_speaker_record *r)
{
    if (r->answer) {
        timer_heap_cancel(&sp->answers, &r->answer->timer);
        igmp_merge_uninit(&r->answer->sources);
        free(r->answer);
        r->answer = NULL;
    }
}

static void
forget(struct igmp_speaker *sp, struct igmp_speaker_record *r)
{
    unqueue(sp, r);
    cancel_answer(sp, r);
    if (sp->cursor == r) {
        sp->cursor = r->hh.next;
        if (!sp->cursor && !sp->answer_again) {
            sp->answer_at = INT64_MAX; /* It was the last to be told of. */
        }
    }
    HASH_DEL(sp->records, r);
    igmp_speaker_record_uninit(r);
    free(r);
}

void
igmp_speaker_init(struct igmp_speaker *sp, struct igmp_speaker_env *env,
                  const struct port_id *port)
{
    *sp = (struct igmp_speaker){.env = env,
                                .port = *port,
                                .answer_at = INT64_MAX,
                                .v1_until = INT64_MIN,
                                .v2_until = INT64_MIN,
                                .paused_until = INT64_MIN};
    timer_heap_init(&sp->answers);
}

void
igmp_speaker_uninit(struct igmp_speaker *sp)
{
    struct igmp_speaker_record *r, *next;

    HASH_ITER (hh, sp->records, r, next) {
        forget(sp, r);
    }
    timer_heap_uninit(&sp->answers);
}

void
igmp_speaker_changed(struct igmp_speaker *sp, const struct ip_addr *group,
                     int64_t now)
{
    struct igmp_speaker_record *r = lookup(sp, group);

    if (!r) {
        r = xcalloc(1, sizeof *r);
        r->group = *group;
        HASH_ADD(hh, sp->records, group, sizeof r->group, r);
    }
    if (r->queue != IGMP_SPEAKER_FRESH) {
        if (!sp->fresh) {
            sp->fresh_since = now;
        }
        unqueue(sp, r);
        DL_APPEND(sp->fresh, r);
        r->queue = IGMP_SPEAKER_FRESH;
    }
}

/* The version that the other side understands, 7.2.1. */

int
igmp_speaker_version(const struct igmp_speaker *sp, int64_t now)
{
    if (now < sp->v1_until) {
        return 1;
    } else if (now < sp->v2_until) {
        return 2;
    }
    return sp->asked ? 3 : sp->env->version;
}

static int
robustness(const struct igmp_speaker *sp)
{
    int n = sp->robustness ? sp->robustness : sp->env->robustness;

    return n < 1 ? 1 : n > 7 ? 7 : n;
}

/* Whenever the mode changes, pending answers are cancelled.  Changes that are
 * to be told again are not, though the RFC says so: a leave would be lost. */
static void
check_version(struct igmp_speaker *sp, int64_t now)
{
    int version = igmp_speaker_version(sp, now);
    struct timer_node *node;

    if (version == sp->version) {
        return;
    }
    sp->version = version;
    sp->answer_at = INT64_MAX;
    sp->answer_again = 0;
    sp->cursor = NULL;
    while ((node = timer_heap_pop_due(&sp->answers, INT64_MAX - 1))) {
        cancel_answer(sp, igmp_speaker_answer_of(node)->record);
    }
}

/* Queries, 5.2. */

/* What is sent at the end of the time allowed comes too late, if only by the
 * time that it takes to get there. */
static int64_t
in_time(int64_t max_resp)
{
    return max_resp - max_resp / 8;
}

/* Frames that all records will take, if they have no sources. */
static size_t
estimate_frames(const struct igmp_speaker *sp)
{
    size_t n = HASH_COUNT(sp->records);
    size_t a_frame = sp->version < 3 ? 1
                     : sp->env->voice.family == IGMP_IPV6
                         ? IGMP_SAY_ROOM_V6 / 20
                         : IGMP_SAY_ROOM_V4 / 8;

    return n / a_frame + 1;
}

/* One answer for all groups; where it takes many frames, these are spread over
 * the time that there is. */
static void
general_asked(struct igmp_speaker *sp, int64_t max_resp, int64_t now)
{
    if (!sp->records) {
        return;
    }
    int64_t bursts = (int64_t) (estimate_frames(sp) / BURST) + 1;
    int64_t at = now + random_delay(sp, in_time(max_resp) / bursts);

    if (sp->cursor) {
        sp->answer_again = max_resp; /* What was told is too old for it. */
    } else if (at < sp->answer_at) { /* Else rule 1: the sooner one serves. */
        sp->answer_at = at;
        sp->answer_step = in_time(max_resp) / (bursts + 1);
    }
}

/* Rules 3 to 5: a pending answer takes in the new query. */
static void
specific_asked(struct igmp_speaker *sp, const struct igmp_question *q,
               int64_t now)
{
    struct igmp_speaker_record *r = lookup(sp, &q->group);
    size_t n = q->sources ? q->sources->n : 0;

    if (!r || !igmp_speaker_wants(r)) {
        return;
    }
    int64_t at = now + random_delay(sp, in_time(q->max_resp_ms));
    struct igmp_speaker_answer *a = r->answer;
    if (!a) {
        a = r->answer = xcalloc(1, sizeof *a);
        a->record = r;
        a->timer.at = at;
        a->of_sources = true;
        igmp_merge_begin(&a->sources, &r->group);
    }
    a->of_sources &= n > 0;
    for (size_t i = 0; i < n && a->of_sources; i++) {
        struct ip_addr source = igmp_source_at(q->sources, i);

        igmp_merge_include(&a->sources, &source, 1);
        a->of_sources = a->sources.n <= MAX_QUERIED;
    }
    at = a->timer.at < at ? a->timer.at : at;
    timer_heap_set(&sp->answers, &a->timer, at);
}

void
igmp_speaker_asked(struct igmp_speaker *sp, const struct igmp_question *q,
                   int64_t now)
{
    bool general = ip_addr_is_any(&q->group);

    if (general) {
        int64_t until = now + q->older_present;

        sp->v1_until = q->version == 1 ? until : sp->v1_until;
        sp->v2_until = q->version == 2 ? until : sp->v2_until;
        sp->asked = true;
    }
    sp->robustness = q->qrv ? q->qrv : sp->robustness;
    check_version(sp, now);
    if (general) {
        general_asked(sp, q->max_resp_ms, now);
    } else {
        specific_asked(sp, q, now);
    }
}

/* Speaking. */

/* The next record to tell a change of, NULL if there is none. */
static struct igmp_speaker_record *
next_change(struct igmp_speaker *sp, int64_t now)
{
    struct igmp_speaker_record *r = sp->fresh;

    if (!r && sp->again && sp->again->again_at <= now) {
        r = sp->again;
    }
    return r;
}

/* 5.1: Robustness Variable times, at random intervals below the Unsolicited
 * Report Interval, here the upper half of them, which outlives a longer burst
 * of losses.  Never sooner than what waits already: the list stays sorted. */
static int64_t
repeat_time(struct igmp_speaker *sp, int64_t now)
{
    int64_t at = now + UNSOLICITED / 2 + random_delay(sp, UNSOLICITED / 2);
    int64_t last = sp->again ? sp->again->prev->again_at : at;

    return last > at ? last : at;
}

/* What is told in one frame is repeated in one. */
static void
tell_changes(struct igmp_speaker *sp, struct igmp_say *say, int64_t now)
{
    int64_t again_at = repeat_time(sp, now);
    struct igmp_speaker_record *r;

    while (say->n_frames < BURST && (r = next_change(sp, now))) {
        if (r->queue == IGMP_SPEAKER_FRESH) {
            struct igmp_merge *m = &sp->env->merge;

            sp->env->wanted(sp->env->voice.aux, &r->group, &sp->port, m);
            igmp_speaker_record_update(r, m, (uint8_t) robustness(sp));
        }
        unqueue(sp, r);
        igmp_speaker_say_change(r, say);
        if (igmp_speaker_is_pending(r)) {
            r->again_at = again_at;
            r->queue = IGMP_SPEAKER_AGAIN;
            DL_APPEND(sp->again, r);
        } else if (!igmp_speaker_wants(r)) {
            forget(sp, r);
        }
    }
    sp->fresh_since = now;
}

static void
answer_specific(struct igmp_speaker *sp, struct igmp_say *say, int64_t now)
{
    struct timer_node *node;

    while (say->n_frames < BURST
           && (node = timer_heap_pop_due(&sp->answers, now))) {
        struct igmp_speaker_record *r = igmp_speaker_answer_of(node)->record;

        igmp_speaker_say_answer(r, say);
        cancel_answer(sp, r);
    }
}

static void
answer_general(struct igmp_speaker *sp, struct igmp_say *say, int64_t now)
{
    struct igmp_speaker_record *r = sp->cursor ? sp->cursor : sp->records;

    for (; r && say->n_frames < BURST; r = r->hh.next) {
        igmp_speaker_say_state(r, say);
    }
    sp->cursor = r;
    if (r) {
        sp->answer_at = now + (sp->answer_step > 0 ? sp->answer_step : 1);
        return;
    }
    sp->answer_at = INT64_MAX;
    if (sp->answer_again) {
        general_asked(sp, sp->answer_again, now);
        sp->answer_again = 0;
    }
}

void
igmp_speaker_run(struct igmp_speaker *sp, int64_t now)
{
    struct igmp_say say;

    check_version(sp, now);
    if (now < sp->paused_until) {
        return;
    }
    igmp_say_begin(&say, &sp->env->voice, &sp->port, sp->version);
    tell_changes(sp, &say, now);
    answer_specific(sp, &say, now);
    if (sp->answer_at <= now && say.n_frames < BURST) {
        answer_general(sp, &say, now);
    }
    igmp_say_end(&say);
    if (say.n_frames >= BURST) {
        sp->paused_until = now + PAUSE;
    }
}

int64_t
igmp_speaker_deadline(const struct igmp_speaker *sp)
{
    int64_t at[] = {sp->fresh ? sp->fresh_since : INT64_MAX,
                    sp->again ? sp->again->again_at : INT64_MAX,
                    timer_heap_deadline(&sp->answers), sp->answer_at};
    int64_t soonest = INT64_MAX;

    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        soonest = at[i] < soonest ? at[i] : soonest;
    }
    return soonest < sp->paused_until ? sp->paused_until : soonest;
}
