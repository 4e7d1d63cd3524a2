/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OFP_RIG_H
#define TESTS_UNIT_OFP_RIG_H 1

/* A table, a session and a fake switch, with a queue of bytes each way, so
 * that a test decides when the switch gets to see something and answers. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/mcaddr.h"
#include "ofp/ofp-session.h"
#include "ofp/ofp-table.h"
#include "tests/sim/fake-switch.h"

struct rig_queue {
    uint8_t *bytes;
    size_t n, allocated;
};

struct rig {
    struct ofp_table *table;
    struct ofp_session *session; /* NULL: not connected. */
    struct fake_switch *sw;
    struct rig_queue to_switch, to_table;
    int64_t now;

    char log[65536];   /* What the ops were called with. */
    char types[65536]; /* What was sent: a letter a message. */
    uint64_t settled;
    size_t n_adopted, n_synced, n_counted, n_drifted;
    char failed[256];

    /* Called from within 'synced', 'adopted', 'rejected'. */
    void (*on_synced)(struct rig *);
    void (*on_adopted)(struct rig *, const struct ofp_adopted *);
    void (*on_rejected)(struct rig *, ofp_owner);
    /* Refuses the modification of this kind (-1 none) with this error... */
    int refuse_kind;
    const char *refuse_error;
    int refuse_times; /* ...so many times; -1 = always. */
};

struct rig *rig_create(void);
void rig_destroy(struct rig *);
/* Connects and reads back; returns when all is quiet. */
void rig_connect(struct rig *);
void rig_disconnect(struct rig *);
/* A new controller: another table, which knows nothing. */
void rig_restart(struct rig *);
/* Runs the table and carries bytes until nothing moves. */
void rig_pump(struct rig *);
/* Only what is queued one way. */
void rig_to_switch(struct rig *);
void rig_to_table(struct rig *);
void rig_advance(struct rig *, int64_t ms);

void rig_assert_log(struct rig *, const char *expected);
/* The letters of what was sent since the last call: M meter, G group, g group
 * deleted, F flow, f flow deleted, O bundle opened, A added to it,
 * C committed, D discarded, B barrier, ? multipart. */
void rig_assert_sent(struct rig *, const char *expected);
void rig_assert_flows(struct rig *, const char *expected);
void rig_assert_groups(struct rig *, const char *expected);

/* A (*,G) entry of table 40, and its set and unset. */
struct ofp_flow rig_channel(const char *group);
void rig_set(struct rig *, const char *group, const char *ports);
void rig_unset(struct rig *, const char *group);
enum ofp_entry_state rig_state(struct rig *, const char *group);
const char *rig_error(struct rig *, const char *group);

struct fake_switch_counters rig_switch_counters(struct rig *);
struct ofp_table_counters rig_table_counters(struct rig *);

/* Setup and teardown of a test whose state is a rig. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define RIG_TEST(NAME)                                                        \
    cmocka_unit_test_setup_teardown(NAME, rig_setup, rig_teardown)

#endif
