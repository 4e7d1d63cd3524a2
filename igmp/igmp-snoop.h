/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SNOOP_H
#define IGMP_SNOOP_H 1

/* One vlan's membership, querier and router ports.
 *
 * It is a switch's version of the router side of RFC 3376 (and 2236, 1112)
 * section 6, kept per (group, port) as RFC 4541 asks of a snooper, together
 * with the querier that makes hosts speak.  It knows nothing of OpenFlow or of
 * topology: bytes come in with the port they came from, effects leave through
 * 'struct igmp_ops'.
 *
 * Time: 'now' is the caller's monotonic clock in milliseconds.  Call
 * igmp_snoop_run() no later than igmp_snoop_deadline(), and in any case after
 * a batch of inputs.
 *
 * Ownership: views that the iterators hand out live until the next call that
 * is not a read.  Ops must not call back into the same snoop, except reads.
 *
 * Limits: IGMP_MAX_* below; what would pass them is refused and counted as
 * IGMP_LIMIT, nothing is switched off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-msg.h"
#include "lib/mcaddr.h"

struct igmp_snoop;

enum {
    IGMP_MAX_GROUPS = 1 << 20, /* Groups a vlan. */
    IGMP_MAX_SOURCES = 256,    /* Sources a (group, port). */
    IGMP_MAX_HOSTS = 1024,     /* Hosts a (group, port). */
};

/* All times in milliseconds; names as in RFC 3376 section 8. */
struct igmp_config {
    bool querier;           /* May we be the querier? */
    struct ip_addr address; /* Querier's; IP_ADDR_ANY: 0.0.0.0, which yields
                             * to any other querier. */
    struct mac_addr mac;    /* Source MAC of what we send. */
    int version;            /* 1..3: the version of queries we send. */
    int64_t query_interval;
    int64_t query_response_interval;
    int robustness; /* 1..7. */
    int64_t last_member_interval;
    int last_member_count;
};

void igmp_config_init(struct igmp_config *); /* RFC 3376's defaults. */
/* RFC 3376 8.4: robustness x query interval + query response interval. */
int64_t igmp_config_membership_interval(const struct igmp_config *);

struct igmp_ops {
    /* What 'port' gets of 'group' may have changed: igmp_snoop_forwards(). */
    void (*membership_changed)(void *aux, const struct ip_addr *group,
                               const struct port_id *port);
    /* The set of router ports changed: every group is affected. */
    void (*router_ports_changed)(void *aux, const struct port_id *port);
    /* Send a frame out of 'port', or out of every port of the vlan that may
     * have hosts if 'port' is NULL.  The frame carries the vlan's tag unless
     * the vlan is 0. */
    void (*send)(void *aux, const struct port_id *port, const void *frame,
                 size_t size);
    /* We became (true) or ceased to be the querier. */
    void (*querier_changed)(void *aux, bool ours);
};

struct igmp_snoop *igmp_snoop_create(uint16_t vlan, const struct igmp_config *,
                                     const struct igmp_ops *, void *aux,
                                     int64_t now);
void igmp_snoop_destroy(struct igmp_snoop *); /* NULL is fine. */
/* New timers apply from the next event on; nothing learned is lost. */
void igmp_snoop_set_config(struct igmp_snoop *, const struct igmp_config *,
                           int64_t now);

/* A frame's worth, parsed by igmp_msg_decode(), from 'port'.  Returns why it
 * had no effect, or IGMP_OK. */
enum igmp_error igmp_snoop_input(struct igmp_snoop *, const struct port_id *,
                                 const struct igmp_msg *, int64_t now);
/* Which other ports of the vlan must be sent the frame that
 * igmp_snoop_input() has just answered with 'error' (RFC 4541 2.1.1): the
 * snoop reads frames, passing them on is the caller's.  Never back to where
 * it came from. */
enum igmp_relay {
    IGMP_RELAY_NONE,
    IGMP_RELAY_ROUTERS, /* Reports and leaves: the router ports only. */
    IGMP_RELAY_ALL      /* Queries of whoever is the querier: all ports. If
                         * hosts do not hear them, their membership ends. */
};
enum igmp_relay igmp_snoop_relay(const struct igmp_snoop *,
                                 const struct igmp_msg *,
                                 enum igmp_error error);

void igmp_snoop_run(struct igmp_snoop *, int64_t now);
int64_t igmp_snoop_deadline(const struct igmp_snoop *);

/* A port came up: its hosts are asked at once (start-up burst, to it only). */
void igmp_snoop_port_up(struct igmp_snoop *, const struct port_id *,
                        int64_t now);
/* A port went away: what was learned from it is forgotten. */
void igmp_snoop_port_down(struct igmp_snoop *, const struct port_id *,
                          int64_t now);

/* Puts back what a switch still forwards after a restart of the controller:
 * 'port' gets 'group' from every source but those of 'blocked' ('exclude'), or
 * only from 'sources'.  It lives one membership interval unless hosts confirm
 * it.  A (group, port) that is known already stays as it is, but does not run
 * out before its hosts, who were not heard for a while, can have answered. */
void igmp_snoop_restore(struct igmp_snoop *, const struct port_id *,
                        const struct ip_addr *group, bool exclude,
                        const struct ip_addr *sources, size_t n_sources,
                        int64_t now);

/* Likewise a router port: for as long as if it had just sent a query. */
void igmp_snoop_restore_router_port(struct igmp_snoop *,
                                    const struct port_id *, int64_t now);

/* Reading: forwarding. */
/* Does 'port' get packets of 'source' (IP_ADDR_ANY: of a source that no
 * filter names) to 'group', as member?  Router ports are told apart. */
bool igmp_snoop_forwards(const struct igmp_snoop *,
                         const struct ip_addr *source,
                         const struct ip_addr *group, const struct port_id *);
bool igmp_snoop_is_router_port(const struct igmp_snoop *,
                               const struct port_id *);

/* Reading: everything.  Callbacks return false to stop. */
struct igmp_source_view {
    struct ip_addr address;
    bool forward;         /* Source timer runs: wanted.  Else blocked. */
    uint8_t queries_left; /* Of the last member query, 0 = none runs. */
    int64_t expires;      /* When, INT64_MAX if its timer does not run. */
};

struct igmp_host_view {
    struct mac_addr mac;
    struct ip_addr ip;
    int version; /* Of its last report. */
    bool exclude;
    int64_t last_report;
};

struct igmp_port_view {
    struct port_id port;
    bool exclude;    /* Filter mode. */
    int version;     /* Compatibility mode, RFC 3376 7.3.2. */
    int64_t expires; /* Of the group timer; INT64_MAX in INCLUDE mode. */
    int64_t last_report;
    const struct igmp_source_view *sources;
    size_t n_sources;
    const struct igmp_host_view *hosts;
    size_t n_hosts;
};

typedef bool igmp_group_cb(void *aux, const struct ip_addr *group);
typedef bool igmp_port_cb(void *aux, const struct igmp_port_view *);
typedef bool igmp_port_id_cb(void *aux, const struct port_id *);

size_t igmp_snoop_n_groups(const struct igmp_snoop *);
size_t igmp_snoop_n_members(const struct igmp_snoop *); /* (group, port)s. */
/* In the order in which they were first seen. */
void igmp_snoop_each_group(const struct igmp_snoop *, igmp_group_cb *,
                           void *aux);
void igmp_snoop_each_port(const struct igmp_snoop *,
                          const struct ip_addr *group, igmp_port_cb *,
                          void *aux);
/* Cheap form of the above: only the ports that get 'source', for the compiler
 * of groups.  Ports of other switches are left out if 'dpid' is not 0. */
void igmp_snoop_each_receiver(const struct igmp_snoop *,
                              const struct ip_addr *source,
                              const struct ip_addr *group, uint64_t dpid,
                              igmp_port_id_cb *, void *aux);
/* The sources that need an entry of their own, each once and sorted: some
 * port wants them in INCLUDE mode, or blocks them in EXCLUDE mode.  Returns
 * how many there are and writes the first 'room' of them. */
size_t igmp_snoop_filtered_sources(const struct igmp_snoop *,
                                   const struct ip_addr *group,
                                   struct ip_addr *out, size_t room);
bool igmp_snoop_has_group(const struct igmp_snoop *, const struct ip_addr *);
void igmp_snoop_each_router_port(const struct igmp_snoop *, igmp_port_id_cb *,
                                 void *aux);

struct igmp_querier_view {
    bool ours;
    struct ip_addr address; /* Ours or the other's. */
    struct port_id port;    /* Where the other is; zeros if ours. */
    int version;
    int64_t since;
    int64_t next_query; /* INT64_MAX while another is the querier. */
    int64_t expires;    /* Other querier present timer; INT64_MAX if ours. */
    int64_t query_interval;
    int robustness;
};

void igmp_snoop_querier(const struct igmp_snoop *, struct igmp_querier_view *);
uint64_t igmp_snoop_counter(const struct igmp_snoop *, enum igmp_error);

#endif
