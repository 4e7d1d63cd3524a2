/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The doctor: looks, remembers since when a finding holds, tells. */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(doctor);

enum {
    LOOK_MS = 5000,    /* From one look to the next... */
    LOOK_FACTOR = 100, /* ...or so many times what one takes. */
    STEP_MS = 20,      /* Between the steps of one that nobody asked for. */
    FRESH_MS = 1000,   /* So old an answer may be. */
    SMALL = 20000,     /* Memberships and streams; more: only if asked. */
    MAX_PER_CHECK = 32 /* Of one check and severity: no flood of the same, and
                        * notes do not hide errors. */
};

/* What is or may become a finding. */
struct finding {
    struct doctor_report report;
    int64_t since;
    uint64_t seen; /* In this look. */
    bool told;
};

struct doctor {
    struct loop_timer timer;
    struct finding *findings; /* Sorted. */
    size_t n, allocated;
    size_t n_of[DOCTOR_N_CHECKS][DOCTOR_ERROR + 1]; /* In this look. */
    uint64_t look;
    /* Of a look that nobody asked for: the next; 0: none is on. */
    size_t step;
    int64_t looked, took;
    struct doctor_counter counters[IGMP_N_FAMILIES][IGMP_N_ERRORS];
};

static int
compare_reports(const struct doctor_report *a, const struct doctor_report *b)
{
    return a->id != b->id ? (a->id < b->id ? -1 : 1)
                          : strcmp(a->where, b->where);
}

/* Where the report is, or belongs. */
static size_t
find(const struct doctor *d, const struct doctor_report *report)
{
    size_t low = 0, high = d->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_reports(&d->findings[middle].report, report) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
doctor_report(struct doctor_look *look, const struct doctor_report *report)
{
    struct doctor *d = look->doctor;
    size_t i = find(d, report);
    if (i == d->n || compare_reports(&d->findings[i].report, report)) {
        if (d->n_of[report->id][report->severity] >= MAX_PER_CHECK
            || d->n >= DOCTOR_MAX_FINDINGS) {
            return;
        }
        d->findings =
            xgrow(d->findings, d->n, &d->allocated, sizeof *d->findings);
        memmove(&d->findings[i + 1], &d->findings[i],
                (d->n - i) * sizeof *d->findings);
        d->n++;
        d->findings[i] = (struct finding){.since = look->now};
    }
    struct finding *f = &d->findings[i];
    d->n_of[report->id][report->severity] += f->seen != d->look;
    f->seen = d->look;
    f->report = *report;
}

static bool
holds(const struct finding *f, int64_t now)
{
    return now - f->since >= f->report.hold_ms;
}

static void
tell(struct ctl *ctl, const struct finding *f, bool cured)
{
    const struct doctor_report *r = &f->report;
    const struct doctor_check *check = &DOCTOR_CHECKS[r->id];
    VLOG(cured || r->severity == DOCTOR_NOTE ? VLL_DBG : VLL_INFO,
         "%s %s, %s: %s%s", check->id, check->name, r->where,
         cured ? "not any more: " : "", r->text);
    ctl_event(ctl, cured ? "doctor.cured" : "doctor.finding",
              "{\"id\":\"%s\",\"name\":\"%s\",\"severity\":\"%s\"}", check->id,
              check->name, doctor_severity_name(r->severity));
}

/* What was not seen this time is over. */
static void
sweep(struct ctl *ctl, struct doctor *d, int64_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct finding *f = &d->findings[i];
        if (f->seen != d->look) {
            if (f->told) {
                tell(ctl, f, true);
            }
            continue;
        }
        if (!f->told && holds(f, now)) {
            tell(ctl, f, false);
            f->told = true;
        }
        d->findings[n++] = *f;
    }
    d->n = n;
}

/* Facts hold what lives in the controller: they and what needs them are one
 * step, within a turn of the loop. */
static void
check_facts(struct doctor_look *this)
{
    static doctor_check_fn *const checks[] = {
        doctor_check_queriers, doctor_check_upstream, doctor_check_streams,
        doctor_check_groups, doctor_check_sizes};
    struct doctor_facts facts = {.n_groups = 0};
    this->facts = &facts;
    doctor_gather(this, &facts);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        checks[i](this);
    }
    this->facts = NULL;
    doctor_facts_free(&facts);
}

/* A look is made of these. */
static doctor_check_fn *const steps[] = {
    check_facts,           doctor_check_fragments, doctor_check_datapaths,
    doctor_check_rules,    doctor_check_cycles,    doctor_check_buffers,
    doctor_check_messages, doctor_check_losses};
enum { N_STEPS = sizeof steps / sizeof *steps };

static void
run_step(struct ctl *ctl, size_t step, int64_t now)
{
    struct doctor *d = ctl->doctor;
    struct doctor_look this = {
        .ctl = ctl, .doctor = d, .now = now, .counters = d->counters};
    if (!step) {
        d->look++;
        memset(d->n_of, 0, sizeof d->n_of);
    }
    steps[step](&this);
    if (step + 1 == N_STEPS) {
        d->looked = now;
        sweep(ctl, d, now);
    }
}

/* All of it; one that was under way begins anew. */
static void
look(struct ctl *ctl, int64_t now)
{
    ctl->doctor->step = 0;
    for (size_t i = 0; i < N_STEPS; i++) {
        run_step(ctl, i, now);
    }
}

/* Whoever asks waits for the answer; nobody's join shall wait for a look that
 * nobody asked for. */
static bool
is_small(const struct ctl *ctl)
{
    size_t n = streams_count(ctl);
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            n += igmp_snoop_n_members(vlan_snoop(v, f));
        }
    }
    return n <= SMALL;
}

/* A step; what else has come meanwhile is handled before the next. */
static void
look_again(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    struct doctor *d = ctl->doctor;
    int64_t wait = LOOK_MS;
    if (d->step || is_small(ctl)) {
        run_step(ctl, d->step, now);
        d->took = (d->step ? d->took : 0) + loop_now(ctl->loop) - now;
        d->step = (d->step + 1) % N_STEPS;
        wait = d->step                           ? STEP_MS
               : d->took * LOOK_FACTOR > LOOK_MS ? d->took * LOOK_FACTOR
                                                 : LOOK_MS;
    }
    loop_timer_set(ctl->loop, &d->timer, now + wait);
}

void
doctor_create(struct ctl *ctl)
{
    ctl->doctor = xcalloc(1, sizeof *ctl->doctor);
    loop_timer_init(&ctl->doctor->timer, look_again, ctl);
    loop_timer_set(ctl->loop, &ctl->doctor->timer,
                   loop_now(ctl->loop) + LOOK_MS);
}

void
doctor_destroy(struct ctl *ctl)
{
    if (ctl->doctor) {
        loop_timer_clear(ctl->loop, &ctl->doctor->timer);
        free(ctl->doctor->findings);
        free(ctl->doctor);
    }
}

void
doctor_findings(struct ctl *ctl, doctor_cb *cb, void *aux)
{
    struct doctor *d = ctl->doctor;
    int64_t now = loop_now(ctl->loop);
    if (!d->looked || now - d->looked >= FRESH_MS) {
        look(ctl, now);
    }
    for (size_t i = 0; i < d->n; i++) {
        const struct finding *f = &d->findings[i];
        const struct doctor_report *r = &f->report;
        if (holds(f, now)
            && !cb(aux,
                   &(struct doctor_finding){.check = &DOCTOR_CHECKS[r->id],
                                            .severity = r->severity,
                                            .where = r->where,
                                            .text = r->text,
                                            .evidence = r->evidence,
                                            .cure = r->cure,
                                            .age_ms = now - f->since})) {
            return;
        }
    }
}

void
doctor_counts(const struct ctl *ctl,
              struct doctor_count counts[DOCTOR_N_CHECKS])
{
    const struct doctor *d = ctl->doctor;
    int64_t now = loop_now(ctl->loop);
    memset(counts, 0, DOCTOR_N_CHECKS * sizeof *counts);
    for (size_t i = 0; i < d->n; i++) {
        const struct finding *f = &d->findings[i];
        struct doctor_count *c = &counts[f->report.id];
        if (holds(f, now)) {
            c->n++;
            c->worst =
                f->report.severity > c->worst ? f->report.severity : c->worst;
        }
    }
}
