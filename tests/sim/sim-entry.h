/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_ENTRY_H
#define TESTS_SIM_SIM_ENTRY_H 1

/* Random table entries, each made twice: as the structs of ofp-flow.h, and,
 * by another way, as the text that ovs-ofctl would take for the same.  The
 * test hands the first to ofp_table and expects to find the second in the
 * switch. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofp/ofp-flow.h"
#include "tests/sim/sim-random.h"

enum {
    SIM_N_SLOTS = 100, /* Different (table, priority, match). */
    SIM_MAX_BUCKETS = 6,
    SIM_TEXT_SIZE = 2048,
    SIM_METER = 1
};

struct sim_entry {
    struct ofp_flow flow;
    struct ofp_bucket buckets[SIM_MAX_BUCKETS];
    size_t n_buckets;
};

/* The entry of slot 'slot', of which only the actions are random. */
void sim_entry_make(struct sim_entry *, unsigned int slot,
                    struct sim_random *);
bool sim_entry_has_group(const struct sim_entry *);
/* "table=..,actions=.." and "group_id=..,bucket=..". */
void sim_entry_flow_text(const struct sim_entry *, uint32_t group_id,
                         char text[SIM_TEXT_SIZE]);
void sim_entry_group_text(const struct sim_entry *, uint32_t group_id,
                          char text[SIM_TEXT_SIZE]);

#endif
