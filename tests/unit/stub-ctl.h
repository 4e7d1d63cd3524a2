/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STUB_CTL_H
#define TESTS_UNIT_STUB_CTL_H 1

/* A controller without a switch, for tests of api/: view.h and ctl.h over
 * canned data, with routes, flows and members kept in memory.
 *
 * What a write does depends on its name:
 *     reject...  a switch refuses it          full...   it cannot be stored
 *     invalid... it makes no sense, at /to/0  slow...   waits for
 *                                                       stub_ctl_run()
 *     config...  it is the configuration's
 * Each write that is done emits an event. */

#include <stddef.h>
#include <stdint.h>

#include "controller/ctl.h"

struct ctl *stub_ctl_create(void);
/* Writes that wait are finished first. */
void stub_ctl_destroy(struct ctl *);
void stub_ctl_run(struct ctl *); /* Finishes the writes that wait. */
size_t stub_ctl_n_waiting(const struct ctl *);
void stub_ctl_emit(struct ctl *, const char *type, const char *json);

/* Besides the canned ones: 'n' groups, in no order. */
void stub_ctl_set_groups(struct ctl *, size_t n);
void stub_ctl_set_store_error(struct ctl *, const char *);
void stub_ctl_set_synced(struct ctl *, bool);

#endif
