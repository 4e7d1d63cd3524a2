/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SNOOP_PRIVATE_H
#define IGMP_SNOOP_PRIVATE_H 1

/* What the files behind igmp-snoop.h share:
 *
 *   igmp-snoop.c   life, configuration, time, sending
 *   igmp-member.c  one (group, port)
 *   igmp-input.c   reports and queries
 *   igmp-moves.c   hosts that change their port
 *   igmp-limits.c  what a port may do
 *   igmp-ports.c   router ports, ports that come and go
 *   igmp-proxy.c   what is said upstream
 *   igmp-joins.c   what is asked for there without a member
 *   igmp-restore.c what is put back after a restart
 *   igmp-view.c    reading */

#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-check.h"
#include "igmp/igmp-group.h"
#include "igmp/igmp-joins.h"
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
    struct igmp_joins joins;
    int64_t now; /* Of the last event. */

    /* After we took over from another querier, nothing that was not asked by
     * ourselves expires until hosts have had the time to answer us: the other
     * may have told shorter intervals than it kept to. */
    int64_t grace_since, grace_until;

    struct igmp_departure
        *departures; /* In the order in which they are due. */
    uint32_t last_departure;

    bool groups_warned; /* Of the watermark. */
    uint64_t counters[IGMP_N_ERRORS];
};

/* A host that was heard on another port is asked whether it has gone. */
struct igmp_departure {
    struct igmp_departure *prev, *next;
    int64_t at;
    uint32_t id;
    int queries_left;
    struct igmp_move move;
};

/* One call of a member's machine. */
struct igmp_turn {
    struct igmp_snoop *s;
    struct igmp_member *m;
    bool was_learned, had_one_copy, was_unicast; /* At the beginning. */
    size_t n_hosts;                              /* Likewise. */
    enum igmp_end end;                           /* Why it ends, if it does. */
    struct igmp_group_ctx ctx;
};

static inline struct igmp_member *
igmp_member_of(struct igmp_group *g)
{
    return (
        struct igmp_member *) (void *) ((char *) g
                                        - offsetof(struct igmp_member, group));
}

/* igmp-member.c */
bool igmp_member_is_learned(const struct igmp_member *);
/* Does its port get 'source' (IP_ADDR_ANY: one that no filter names)? */
bool igmp_member_forwards(const struct igmp_member *,
                          const struct ip_addr *source);
void igmp_turn_begin(struct igmp_turn *, struct igmp_snoop *,
                     struct igmp_member *);
/* Takes the member away if nothing is left of it, arms its timer otherwise,
 * and tells what changed. */
void igmp_turn_end(struct igmp_turn *);
/* All but what the operator has set. */
void igmp_forget_learned(struct igmp_snoop *, struct igmp_member *,
                         enum igmp_end);

/* igmp-snoop.c */
/* What 'port' gets of 'group' changed: tells everybody. */
void igmp_membership_changed(struct igmp_snoop *, const struct ip_addr *group,
                             const struct port_id *port);
/* Fills in what all queries have in common. */
void igmp_send_query(struct igmp_snoop *, const struct port_id *,
                     const struct igmp_query *);
/* Its timers are looked at. */
void igmp_run_member(struct igmp_snoop *, struct igmp_member *);
/* When every host that is asked from now on has answered. */
int64_t igmp_answered_by(const struct igmp_snoop *);
/* After whatever may have changed the querier. */
void igmp_querier_done(struct igmp_snoop *, bool changed);
/* To 'port', NULL for all. */
void igmp_send_general_query(struct igmp_snoop *, const struct port_id *);

/* igmp-input.c */
/* Those of 'sources' that can be sources: sorted, without doubles, no more
 * than a (group, port) may have.  Returns how many there are. */
size_t igmp_load_sources(const struct igmp_snoop *,
                         const struct ip_addr *sources, size_t n,
                         struct ip_addr list[IGMP_MAX_SOURCES]);
/* The machine for a record, made if the record needs one.  NULL with
 * '*error' IGMP_OK if there is nothing to do. */
struct igmp_member *igmp_member_for(struct igmp_snoop *, struct igmp_port *,
                                    const struct ip_addr *group, bool creates,
                                    enum igmp_error *error);

/* igmp-limits.c */
/* Never NULL. */
const struct igmp_port_config *igmp_port_settings(struct igmp_snoop *,
                                                  struct igmp_port *);
/* Tells of what was refused or is near its limit.  Who provokes it may do so
 * at any rate: the listener has to expect that. */
void igmp_guard_tell(struct igmp_snoop *, struct igmp_port *,
                     const struct igmp_guard_event *);
/* May the port have one more?  At a limit the group that it joined first may
 * have to make room. */
enum igmp_error igmp_limits_admit_group(struct igmp_snoop *,
                                        struct igmp_port *,
                                        const struct ip_addr *group,
                                        bool is_new);
enum igmp_error igmp_limits_admit_host(struct igmp_snoop *,
                                       struct igmp_port *);
/* Tells that there are 'limit' hosts already. */
enum igmp_error igmp_limits_refuse_host(struct igmp_snoop *,
                                        struct igmp_port *, size_t limit);
/* The port has one more (1) or less (-1). */
void igmp_limits_count_group(struct igmp_snoop *, struct igmp_port *,
                             int delta);
void igmp_limits_count_host(struct igmp_snoop *, struct igmp_port *);
/* What the call did to the sources. */
void igmp_limits_watch_sources(struct igmp_turn *);
/* The port's settings are others: takes away what they forbid. */
void igmp_limits_enforce(struct igmp_snoop *, struct igmp_port *);

/* igmp-moves.c */
/* A report of a host that is not known on 'port': if it is on another, its
 * memberships come along. */
void igmp_moves_check(struct igmp_snoop *, struct igmp_port *,
                      const struct mac_addr *);
void igmp_moves_run(struct igmp_snoop *);
int64_t igmp_moves_deadline(const struct igmp_snoop *);
void igmp_moves_uninit(struct igmp_snoop *);

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
