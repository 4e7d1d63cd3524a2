/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_DOCTOR_PRIVATE_H
#define CONTROLLER_DOCTOR_PRIVATE_H 1

/* What the doctor's files share:
 *
 *   doctor.c          looking, remembering, telling
 *   doctor-names.c    the list of checks
 *   doctor-facts.c    what the checks look at, gathered once
 *   doctor-querier.c  D1 to D5, D18: queriers, versions, what is upstream
 *   doctor-stream.c   D6 to D9, D15: addresses and streams
 *   doctor-size.c     D10, D11, D21: fragments, what does that to them, and
 *                     packets that are too long
 *   doctor-rule.c     D12, D14, D17, D20: routes, flows, members
 *   doctor-port.c     D13, D16, D19, D22: buffers, silent hosts, bad messages,
 *                     losses of ports
 *
 * A check reads the facts (and, where those do not do, the controller) and
 * reports.  It keeps nothing. */

#include "controller/ctl-private.h"
#include "controller/doctor.h"

/* Indices of DOCTOR_CHECKS: that of D1 is 0. */
enum doctor_id {
    D1_NO_QUERIER,
    D2_QUERIER_ADDRESS,
    D3_TWO_QUERIERS,
    D4_MIXED_VERSIONS,
    D5_QUERIER_TIMERS,
    D6_SHARED_MAC,
    D7_TTL,
    D8_FOREIGN_SOURCE,
    D9_NO_COUNTERPART,
    D10_FRAGMENTS,
    D11_MTU,
    D12_GROUP_SIZE,
    D13_RECEIVE_BUFFER,
    D14_MISSING,
    D15_DUPLICATE_SOURCE,
    D16_SUPPRESSION,
    D17_ROUTE_CYCLE,
    D18_UPSTREAM_SILENT,
    D19_BAD_MESSAGES,
    D20_LINK_LOCAL,
    D21_DATAPATH,
    D22_PORT_LOSSES
};

enum {
    DOCTOR_PORT_SIZE = 112,
    DOCTOR_WHERE_SIZE = 208,
    DOCTOR_TEXT_SIZE = 384
};

/* The IPv4 hosts of a vlan: the smallest prefix that holds them all, a /24 at
 * most. */
struct doctor_subnet {
    uint16_t vlan;
    size_t n_hosts;
    struct ip_prefix prefix;
    struct ip_addr example; /* One of them. */
};

/* A (vlan, group) that has members. */
struct doctor_group {
    uint16_t vlan;
    struct ip_addr group;
    size_t n_ports;
    struct view_member first; /* One of them; its 'hosts' are NULL. */
};

/* Gathered once a look; views whose strings live in the controller. */
struct doctor_facts {
    struct doctor_group *groups; /* Sorted by group, then vlan. */
    size_t n_groups, allocated_groups;
    struct view_stream *streams; /* Likewise; then source, port. */
    size_t n_streams, allocated_streams;
    struct view_querier *queriers; /* 'routers' are copied. */
    size_t n_queriers, allocated_queriers;
    struct doctor_subnet *subnets; /* By vlan. */
    size_t n_subnets, allocated_subnets;
};

/* Of D19: a counter, and when it grew last. */
struct doctor_counter {
    uint64_t value;
    int64_t grown;
};

struct doctor_look {
    struct ctl *ctl;
    /* Kept from look to look. */
    struct doctor_counter (*counters)[IGMP_N_ERRORS];
    struct doctor *doctor;
    const struct doctor_facts *facts;
    int64_t now;
};

/* What is reported; 'hold_ms': only when it has been seen for so long without
 * a break. */
struct doctor_report {
    enum doctor_id id;
    enum doctor_severity severity;
    int64_t hold_ms;
    char where[DOCTOR_WHERE_SIZE];
    char text[DOCTOR_TEXT_SIZE];
    char evidence[DOCTOR_TEXT_SIZE];
    char cure[DOCTOR_TEXT_SIZE];
};

void doctor_report(struct doctor_look *, const struct doctor_report *);
/* snprintf() into an array of a report. */
#define DOCTOR_SAY(ARRAY, ...) snprintf(ARRAY, sizeof(ARRAY), __VA_ARGS__)

/* doctor-facts.c */
void doctor_gather(struct doctor_look *, struct doctor_facts *);
void doctor_facts_free(struct doctor_facts *);
/* NULL if no host of the vlan has shown an address. */
const struct doctor_subnet *doctor_subnet_of(const struct doctor_facts *,
                                             uint16_t vlan);
bool doctor_is_inside(const struct doctor_subnet *, const struct ip_addr *);
/* The streams of (vlan, group), '*n' of them. */
const struct view_stream *doctor_streams_of(const struct doctor_facts *,
                                            uint16_t vlan,
                                            const struct ip_addr *group,
                                            size_t *n);
/* The members of 'group' in any vlan, '*n' vlans. */
const struct doctor_group *doctor_groups_of(const struct doctor_facts *,
                                            const struct ip_addr *group,
                                            size_t *n);
const struct doctor_group *doctor_group_in(const struct doctor_facts *,
                                           uint16_t vlan,
                                           const struct ip_addr *group);
/* "switch 1 port s1-eth3" */
void doctor_format_port(const struct ctl *, const struct port_id *,
                        char text[DOCTOR_PORT_SIZE]);
/* As people write it: "1". */
const char *doctor_format_dpid(uint64_t dpid, char text[DPID_STRLEN]);

/* The checks. */
typedef void doctor_check_fn(struct doctor_look *);
doctor_check_fn doctor_check_queriers, doctor_check_upstream;
doctor_check_fn doctor_check_streams, doctor_check_groups, doctor_check_sizes;
/* These need no facts. */
doctor_check_fn doctor_check_fragments, doctor_check_datapaths;
doctor_check_fn doctor_check_rules, doctor_check_cycles;
doctor_check_fn doctor_check_buffers, doctor_check_messages;
doctor_check_fn doctor_check_losses;
/* While facts are gathered: what needs a group's members one by one. */
void doctor_check_members(struct doctor_look *, const struct view_group *);
/* Of D13, for tests: the buffer as the kernel tells it, -1 = unknown. */
int64_t doctor_read_rmem(const char *file);

#endif
