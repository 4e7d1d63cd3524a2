/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_IMPORT_H
#define API_CTL_IMPORT_H 1

/* What ofmcastctl's import and export share: the daemon's resources, and how
 * an import is told. */

#include "api/ctl-command.h"
#include "api/import-diff.h"

extern const char *const CTL_IMPORT_KINDS[IMPORT_KINDS];   /* "route"... */
extern const char *const CTL_IMPORT_PLURALS[IMPORT_KINDS]; /* "routes"... */

/* What the daemon has, each an object with a list, or NULL. */
struct ctl_have {
    struct cJSON *pages[IMPORT_KINDS];
    const struct cJSON *lists[IMPORT_KINDS];
};

/* The exit code; what has been fetched is to be uninited all the same. */
int ctl_have_fetch(const struct ctl_options *, struct ctl_have *);
void ctl_have_uninit(struct ctl_have *);

/* An import on its way. */
struct ctl_import {
    struct ctl_options *options;
    const struct import_format *format;
    struct import import;
    struct import_diff diff;
    bool diffed;
    struct cJSON *results; /* With --json: what became of each entry. */
    size_t n_done[IMPORT_REMOVED + 1]; /* Of each change. */
    size_t n_failed;
};

/* Errors, and without --json notes, "FILE:LINE: ...", on stderr. */
void ctl_import_print_messages(const struct ctl_import *);
/* What is to be done with an entry. */
void ctl_import_print_entry(const struct ctl_import *,
                            const struct import_entry *);
/* What has become of it: a state and what was said to it. */
void ctl_import_print_result(struct ctl_import *, const struct import_entry *,
                             const char *state, const char *error);
/* How much was, or would be, done; and the piece of configuration. */
void ctl_import_print_end(const struct ctl_import *);

#endif
