/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SNOOP_H
#define IGMP_SNOOP_H 1

/* One vlan's membership, querier and router ports, in one address family.
 *
 * It is a switch's version of the router side of RFC 3376 (and 2236, 1112)
 * section 6, or of RFC 3810 (and 2710) section 7, kept per (group, port) as
 * RFC 4541 asks of a snooper, together with the querier that makes hosts speak
 * and with what is said upstream, to router ports (RFC 4605).  It knows
 * nothing of OpenFlow or of topology: bytes come in with the port they came
 * from, effects leave through 'struct igmp_ops'.
 *
 * Time: 'now' is the caller's monotonic clock in milliseconds.  Call
 * igmp_snoop_run() no later than igmp_snoop_deadline(), and in any case after
 * a batch of inputs.
 *
 * Ownership: views that the iterators hand out live until the callback
 * returns.  Ops must not call back into the same snoop, except reads.
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
    /* Sources of all groups of a port: each may cost a flow. */
    IGMP_MAX_PORT_SOURCES = 4096,
};

/* What router ports hear of members. */
enum igmp_upstream {
    IGMP_UPSTREAM_PROXY, /* One host's reports for all (RFC 4605). */
    IGMP_UPSTREAM_RELAY, /* The hosts' own reports, as they come. */
    IGMP_UPSTREAM_NONE   /* Nothing. */
};

/* All times in milliseconds; names as in RFC 3376 section 8. */
struct igmp_config {
    enum igmp_family family; /* Cannot change. */
    bool querier;            /* May we be the querier? */
    struct ip_addr address;  /* Querier's; IP_ADDR_ANY: 0.0.0.0, which yields
                              * to any other querier (IPv4 only; for IPv6 it
                              * must be link-local). */
    struct mac_addr mac;     /* Source MAC of what we send. */
    int version;             /* 1..3: the version of queries we send. */
    int64_t query_interval;
    int64_t query_response_interval;
    int robustness; /* 1..7. */
    int64_t last_member_interval;
    int last_member_count;
    enum igmp_upstream upstream;
    bool require_router_alert; /* Drop reports and queries without it. */
    size_t max_groups;         /* Of the vlan; 0: IGMP_MAX_GROUPS. */
};

void igmp_config_init(struct igmp_config *); /* RFC 3376's defaults. */
/* RFC 3376 8.4: robustness x query interval + query response interval. */
int64_t igmp_config_membership_interval(const struct igmp_config *);

/* What happens when a host says that it leaves. */
enum igmp_leave {
    IGMP_LEAVE_QUERY,    /* Last member queries, RFC 3376 6.4.2. */
    IGMP_LEAVE_TRACKED,  /* Gone at once if no host that is known still wants
                         * it; asked like above while older hosts, which may
                         * hide behind each other's reports, are present. */
    IGMP_LEAVE_IMMEDIATE /* Gone at once if no host that is known still wants
                          * it, whatever the versions: nobody is asked. */
};

enum igmp_role {
    IGMP_ROLE_AUTO,  /* Hosts, and routers where they show themselves. */
    IGMP_ROLE_HOST,  /* Guarded: may neither query nor be a router port. */
    IGMP_ROLE_ROUTER /* A router port, always. */
};

/* How copies leave a port. */
enum igmp_delivery {
    IGMP_DELIVER_MULTICAST, /* One, to the group's MAC address. */
    IGMP_DELIVER_UNICAST,   /* One for each host that is known, to its own MAC
                             * address. */
    IGMP_DELIVER_AUTO       /* Unicast up to 'unicast_max' hosts of a group. */
};

/* The settings of one port in this vlan. */
struct igmp_port_config {
    enum igmp_leave leave;
    enum igmp_role role;
    enum igmp_delivery delivery;
    size_t unicast_max;
    size_t max_groups; /* Of the port; 0: no limit. */
    size_t max_hosts;  /* Of the port, over all groups; 0: no limit. */
    bool replace;      /* At a limit the group that was joined first makes
                        * room.  False: the newcomer is refused. */
    /* Groups that may be joined (none listed: all), and may not. */
    const struct ip_prefix *permit, *deny;
    size_t n_permit, n_deny;
};

/* multicast, query, auto, no limits. */
extern const struct igmp_port_config igmp_port_config_default;

/* Something was refused, or (watermark) is near its limit: at 80 % of it, told
 * once on the way up. */
enum igmp_guard {
    IGMP_GUARD_VLAN_GROUPS,
    IGMP_GUARD_PORT_GROUPS,
    IGMP_GUARD_PORT_HOSTS,
    IGMP_GUARD_SOURCES,    /* Of a (group, port), or of a port. */
    IGMP_GUARD_PERMISSION, /* A group that may not be joined. */
    IGMP_GUARD_ROLE,       /* A host port that sent a query or the like. */
    IGMP_N_GUARDS
};

const char *igmp_guard_name(enum igmp_guard); /* "port-groups" ... */

struct igmp_guard_event {
    enum igmp_guard guard;
    bool watermark;
    struct ip_addr group; /* IP_ADDR_ANY where it does not apply. */
    size_t value, limit;  /* 0 likewise. */
};

/* Why a port ceased to be a member. */
enum igmp_end {
    IGMP_END_LEFT,    /* Its hosts said so, and nobody else answered. */
    IGMP_END_EXPIRED, /* Nobody has reported for a membership interval. */
    IGMP_END_PORT,    /* The port went away. */
    IGMP_END_LIMIT,   /* It made room for another at a limit. */
    IGMP_END_DENIED,  /* The configuration does not permit it any more. */
    IGMP_N_ENDS
};

/* A host found on another port than before takes its memberships along. */
struct igmp_move {
    struct mac_addr mac;
    struct port_id from, to;
    size_t n_groups;
};

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

    /* The following may be NULL. */
    /* The settings of a port; they live until igmp_snoop_set_config(), after
     * which all are asked for again. */
    const struct igmp_port_config *(*port_config)(void *aux,
                                                  const struct port_id *);
    void (*guarded)(void *aux, const struct port_id *,
                    const struct igmp_guard_event *);
    void (*host_moved)(void *aux, const struct igmp_move *);
    /* No host behind 'port' wants the group any more. */
    void (*membership_ended)(void *aux, const struct ip_addr *group,
                             const struct port_id *port, enum igmp_end);
};

struct igmp_snoop *igmp_snoop_create(uint16_t vlan, const struct igmp_config *,
                                     const struct igmp_ops *, void *aux,
                                     int64_t now);
void igmp_snoop_destroy(struct igmp_snoop *); /* NULL is fine. */
/* New timers apply from the next event on; nothing learned is lost.  Ports'
 * settings are asked for again: what they forbid now is taken away. */
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

/* And one of the hosts behind it that got a copy of their own, with its own
 * filter: only to a (group, port) that igmp_snoop_restore() has put back. */
void igmp_snoop_restore_host(struct igmp_snoop *, const struct port_id *,
                             const struct ip_addr *group,
                             const struct mac_addr *, bool exclude,
                             const struct ip_addr *sources, size_t n_sources,
                             int64_t now);

/* Likewise a router port: for as long as if it had just sent a query. */
void igmp_snoop_restore_router_port(struct igmp_snoop *,
                                    const struct port_id *, int64_t now);

/* Members and router ports that the operator has set.  They merge with what
 * is learned and never run out; a port that goes down keeps them. */
struct igmp_filter {
    bool exclude; /* All but 'sources'; false: only 'sources'. */
    const struct ip_addr *sources;
    size_t n_sources;
};

/* 'filter' NULL: not any more.  False if the group cannot have members. */
bool igmp_snoop_set_static(struct igmp_snoop *, const struct port_id *,
                           const struct ip_addr *group,
                           const struct igmp_filter *filter, int64_t now);
void igmp_snoop_set_static_router(struct igmp_snoop *, const struct port_id *,
                                  bool is_router, int64_t now);

/* What is wanted upstream though nobody here has joined it: routers are told
 * as if a host had.  It makes no member, and nothing is forwarded for it. */
struct igmp_join {
    struct ip_addr group;
    struct port_id port;   /* Told there only; no port, no switch: anywhere. */
    bool exclude;          /* Every source; false: only 'source'. */
    struct ip_addr source; /* IP_ADDR_ANY unless in INCLUDE mode. */
    /* Only while somebody wants a source out of 'made', which is what becomes
     * of the one that is asked for; that has the lowest bits of what is
     * wanted where 'made' is no host. */
    bool follows;
    struct ip_prefix made;
};

/* All there are, in any order, in place of those before. */
void igmp_snoop_set_joins(struct igmp_snoop *, const struct igmp_join *,
                          size_t n, int64_t now);
/* Likewise those of one group; the others stay. */
void igmp_snoop_set_group_joins(struct igmp_snoop *,
                                const struct ip_addr *group,
                                const struct igmp_join *, size_t n,
                                int64_t now);

/* Reading: forwarding. */
/* Does 'port' get packets of 'source' (IP_ADDR_ANY: of a source that no
 * filter names) to 'group', as member?  Router ports are told apart. */
bool igmp_snoop_forwards(const struct igmp_snoop *,
                         const struct ip_addr *source,
                         const struct ip_addr *group, const struct port_id *);
bool igmp_snoop_is_router_port(const struct igmp_snoop *,
                               const struct port_id *);

/* One copy of a packet: out of 'port', to the group's MAC address if 'mac' is
 * all zero, else to this host's. */
struct igmp_copy {
    struct port_id port;
    struct mac_addr mac;
};

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
    const struct ip_addr *sources; /* Its own filter. */
    size_t n_sources;
};

struct igmp_port_view {
    struct port_id port;
    bool exclude;        /* Filter mode. */
    int version;         /* Compatibility mode, RFC 3376 7.3.2. */
    int64_t expires;     /* Of the group timer; INT64_MAX in INCLUDE mode. */
    int64_t last_report; /* INT64_MIN if no host is known. */
    const struct igmp_source_view *sources;
    size_t n_sources;
    const struct igmp_host_view *hosts; /* Sorted by MAC. */
    size_t n_hosts;
    bool learned;                    /* False: the operator's only. */
    bool restored;                   /* Nobody has reported yet. */
    const struct igmp_filter *fixed; /* The operator's, NULL if none. */
    enum igmp_delivery delivery;     /* As it is now: never AUTO. */
};

/* A host of the vlan, whatever it joined. */
struct igmp_known_host {
    struct mac_addr mac;
    struct ip_addr ip;
    struct port_id port;
    int version;
    int64_t last_report;
    size_t n_groups;
    bool duplicate; /* The same MAC speaks on several ports. */
};

typedef bool igmp_group_cb(void *aux, const struct ip_addr *group);
typedef bool igmp_port_cb(void *aux, const struct igmp_port_view *);
typedef bool igmp_port_id_cb(void *aux, const struct port_id *);
typedef bool igmp_copy_cb(void *aux, const struct igmp_copy *);
typedef bool igmp_known_host_cb(void *aux, const struct igmp_known_host *);

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
/* The same in copies: several of a port that delivers by unicast. */
void igmp_snoop_each_copy(const struct igmp_snoop *,
                          const struct ip_addr *source,
                          const struct ip_addr *group, uint64_t dpid,
                          igmp_copy_cb *, void *aux);
/* The sources that need an entry of their own, each once and sorted: some
 * port wants them in INCLUDE mode, or blocks them in EXCLUDE mode.  Returns
 * how many there are and writes the first 'room' of them. */
size_t igmp_snoop_filtered_sources(const struct igmp_snoop *,
                                   const struct ip_addr *group,
                                   struct ip_addr *out, size_t room);
bool igmp_snoop_has_group(const struct igmp_snoop *, const struct ip_addr *);
void igmp_snoop_each_router_port(const struct igmp_snoop *, igmp_port_id_cb *,
                                 void *aux);

void igmp_snoop_each_host(const struct igmp_snoop *, igmp_known_host_cb *,
                          void *aux);

/* Why a port is a router port. */
struct igmp_router_view {
    struct port_id port;
    bool fixed;       /* By the operator. */
    int64_t expires;  /* INT64_MAX if not learned. */
    const char *sign; /* "query", "pim", "mrd", "static", "restored". */
};
typedef bool igmp_router_cb(void *aux, const struct igmp_router_view *);
void igmp_snoop_each_router(const struct igmp_snoop *, igmp_router_cb *,
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
    /* Another querier speaks an older version than we would: its hosts fall
     * back to it, sources are not filtered (RFC 3376 7.2.1). */
    bool falls_back;
    /* Somebody else asks too, though it has lost the election or comes from
     * 0.0.0.0: so many general queries in a row, 0: nobody does. */
    struct ip_addr rival_address;
    struct port_id rival_port;
    unsigned int rival_queries;
};

void igmp_snoop_querier(const struct igmp_snoop *, struct igmp_querier_view *);
uint64_t igmp_snoop_counter(const struct igmp_snoop *, enum igmp_error);

#endif
