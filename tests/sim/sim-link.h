/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_LINK_H
#define TESTS_SIM_SIM_LINK_H 1

/* A connection between ofmcast's session and table on one side and the fake
 * switch on the other: two queues of bytes, cut wherever chance has it.
 *
 *      ofp_table <-> ofp_session --to_switch--> fake_switch
 *                                <-to_controller--
 *
 * The clock is 'now' and moves only when told. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofp/ofp-session.h"
#include "ofp/ofp-table.h"
#include "tests/sim/fake-switch.h"
#include "tests/sim/sim-random.h"

struct sim_queue {
    uint8_t *bytes;
    size_t size, allocated;
};

struct sim_link {
    int64_t now;
    struct sim_random random;
    struct fake_switch *sw;
    struct ofp_session *session; /* NULL while disconnected. */
    struct ofp_table *table;
    struct sim_queue to_switch, to_controller;

    /* What came back.  'on_synced' says what is desired, before the table runs
     * again. */
    void (*on_synced)(struct sim_link *);
    bool synced;
    size_t n_adopted, n_rejected, n_drifted, n_settled;
    uint64_t settled_seqno;
    const char *failed;

    /* How often the switch refuses what adds or changes something. */
    uint32_t refuse_percent;
    uint64_t n_refused;
};

void sim_link_init(struct sim_link *, uint64_t seed);
void sim_link_uninit(struct sim_link *);
void sim_link_connect(struct sim_link *);
void sim_link_disconnect(struct sim_link *);
/* The controller process is gone, and a new one has started. */
void sim_link_lose_controller(struct sim_link *);
/* Moves one chunk in some direction and lets both sides run.  False if there
 * was nothing to move. */
bool sim_link_step(struct sim_link *);
/* Steps until nothing moves any more. */
void sim_link_pump(struct sim_link *);

#endif
