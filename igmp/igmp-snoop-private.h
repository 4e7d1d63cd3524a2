/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SNOOP_PRIVATE_H
#define IGMP_SNOOP_PRIVATE_H 1

/* What the files behind igmp-snoop.h share:
 *
 *   igmp-snoop.c   life, configuration, time, sending
 *   igmp-input.c   reports and queries
 *   igmp-limits.c  what a port may do
 *   igmp-ports.c   router ports, ports that come and go, restoring
 *   igmp-proxy.c   what is said upstream
 *   igmp-view.c    reading */

#include <stdint.h>

#include "igmp/igmp-group.h"
#include "igmp/igmp-proxy.h"
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
    struct igmp_proxy proxy;
    int64_t now; /* Of the last event. */

    /* After we took over from another querier, nothing that was not asked by
     * ourselves expires until hosts have had the time to answer us: the other
     * may have told shorter intervals than it kept to. */
    int64_t grace_since, grace_until;

    uint64_t counters[IGMP_N_ERRORS];
};

/* One call of a member's machine. */
struct igmp_turn {
    struct igmp_snoop *s;
    struct igmp_member *m;
    struct igmp_group_ctx ctx;
};

/* igmp-snoop.c */
void igmp_turn_begin(struct igmp_turn *, struct igmp_snoop *,
                     struct igmp_member *);
/* Takes the member away if nothing is left of it, arms its timer otherwise,
 * and tells what changed. */
void igmp_turn_end(struct igmp_turn *);
/* What 'port' gets of 'group' changed: tells everybody. */
void igmp_membership_changed(struct igmp_snoop *, const struct ip_addr *group,
                             const struct port_id *port);
void igmp_forget_member(struct igmp_snoop *, struct igmp_member *);
/* When every host that is asked from now on has answered. */
int64_t igmp_answered_by(const struct igmp_snoop *);
/* After whatever may have changed the querier. */
void igmp_querier_done(struct igmp_snoop *, bool changed);
/* To 'port', NULL for all. */
void igmp_send_general_query(struct igmp_snoop *, const struct port_id *);

/* igmp-input.c */
/* Sorts 'list' and takes doubles out.  Returns how many are left. */
size_t igmp_sort_sources(struct ip_addr *list, size_t n);
/* The machine for a record, made if the record needs one.  NULL with
 * '*error' IGMP_OK if there is nothing to do. */
struct igmp_member *igmp_member_for(struct igmp_snoop *, struct igmp_port *,
                                    const struct ip_addr *group, bool creates,
                                    enum igmp_error *error);

/* igmp-limits.c */
/* Never NULL. */
const struct igmp_port_config *igmp_port_settings(struct igmp_snoop *,
                                                  struct igmp_port *);
/* Tells of what was refused or is near its limit, at most once a second of a
 * port and guard: who provokes it may do so at any rate. */
void igmp_guard_tell(struct igmp_snoop *, struct igmp_port *,
                     const struct igmp_guard_event *);

/* igmp-ports.c */
/* Likewise, 'port' became or ceased to be a router port. */
void igmp_router_ports_changed(struct igmp_snoop *, const struct port_id *);
/* A query, or another sign of a router. */
void igmp_hear_router(struct igmp_snoop *, struct igmp_port *,
                      const struct igmp_msg *);
/* After whatever may have made it a router port, or ended that. */
void igmp_settle_router_port(struct igmp_snoop *, struct igmp_port *);
/* Its timer is due. */
void igmp_run_port(struct igmp_snoop *, struct igmp_port *);

#endif
