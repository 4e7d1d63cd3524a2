/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SNOOP_PRIVATE_H
#define IGMP_SNOOP_PRIVATE_H 1

/* What igmp-snoop.c (events) and igmp-view.c (reading) share. */

#include <stdint.h>

#include "igmp/igmp-querier.h"
#include "igmp/igmp-snoop.h"
#include "igmp/igmp-table.h"

struct igmp_snoop {
    uint16_t vlan;
    struct igmp_ops ops;
    void *aux;

    struct igmp_querier querier;
    struct igmp_times times; /* Of 'querier', kept up to date. */
    struct igmp_table table;
    int64_t now; /* Of the last event. */

    /* After we took over from another querier, nothing that was not asked by
     * ourselves expires until hosts have had the time to answer us: the other
     * may have told shorter intervals than it kept to. */
    int64_t grace_since, grace_until;

    uint64_t counters[IGMP_N_ERRORS];
};

#endif
