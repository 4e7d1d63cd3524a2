/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_HISTORY_H
#define CONTROLLER_HISTORY_H 1

/* How memberships ended, and which were refused: so that somebody who asks
 * later can be told.  The last HISTORY_SIZE of them; of one (vlan, group,
 * port) the latest counts. */

#include <stdbool.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"
#include "lib/mcaddr.h"

enum { HISTORY_SIZE = 4096 };

enum history_kind {
    HISTORY_ENDED,  /* 'end' says why. */
    HISTORY_REFUSED /* 'guard' says by what. */
};

struct history_entry {
    struct port_id port;
    struct ip_addr group;
    uint16_t vlan;
    enum history_kind kind;
    enum igmp_end end;
    enum igmp_guard guard;
    int64_t at; /* 0: an empty place. */
};

struct history {
    struct history_entry ring[HISTORY_SIZE];
    unsigned int next;
};

void history_add(struct history *, const struct history_entry *);
/* The latest of these, NULL if it is not remembered. */
const struct history_entry *history_find(const struct history *, uint16_t vlan,
                                         const struct ip_addr *group,
                                         const struct port_id *);

#endif
