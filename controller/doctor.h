/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_DOCTOR_H
#define CONTROLLER_DOCTOR_H 1

/* What is wrong, or will be, with evidence and a cure.
 *
 * The doctor looks by itself every few seconds (less often where looking takes
 * long: at most a hundredth of the time goes into it; with more than 20,000
 * memberships and streams only when it is asked), tells of findings that
 * come and go as events, and looks again when it is asked and the last look is
 * more than a second old.  A finding that is normal for a moment (nobody has
 * answered yet) is reported only when it has held for a while.
 *
 * doc/doctor.md has the list of what it looks for. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;

enum doctor_severity {
    DOCTOR_NOTE,    /* Worth knowing: nothing need be wrong. */
    DOCTOR_WARNING, /* It will fail, or does for some. */
    DOCTOR_ERROR    /* Somebody does not get what he should. */
};

enum { DOCTOR_N_CHECKS = 22, DOCTOR_MAX_FINDINGS = 512 };

/* Of each check: "D1", "no-querier", what it looks for. */
struct doctor_check {
    const char *id, *name, *title;
};
extern const struct doctor_check DOCTOR_CHECKS[DOCTOR_N_CHECKS];

const char *doctor_severity_name(enum doctor_severity); /* "note" ... */

/* One finding; all texts are plain, for people. */
struct doctor_finding {
    const struct doctor_check *check;
    enum doctor_severity severity;
    const char *where;    /* "vlan 10", "switch 1 port s1-eth3": with the check
                           * it names the finding. */
    const char *text;     /* What is wrong, in a sentence. */
    const char *evidence; /* What it was seen by. */
    const char *cure;     /* What to do. */
    int64_t age_ms;       /* Since it was first seen. */
};

/* In order of checks and places; valid during the callback, which returns
 * false to stop.  At most DOCTOR_MAX_FINDINGS. */
typedef bool doctor_cb(void *aux, const struct doctor_finding *);
void doctor_findings(struct ctl *, doctor_cb *, void *aux);

/* How many findings there were at the last look, by check: cheap. */
struct doctor_count {
    size_t n;
    enum doctor_severity worst;
};
void doctor_counts(const struct ctl *,
                   struct doctor_count counts[DOCTOR_N_CHECKS]);

#endif
