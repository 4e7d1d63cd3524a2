/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_VIEW_H
#define CONTROLLER_VIEW_H 1

/* What the controller knows, for reading.
 *
 * Every view is filled in for one callback and lives as long as that call.
 * Callbacks return false to stop.  Times are ages and remaining times in
 * milliseconds at the moment of the call, -1 = does not apply. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

struct ctl;

enum view_state { VIEW_APPLIED, VIEW_PENDING, VIEW_REJECTED };

const char *view_state_name(enum view_state); /* "applied" ... */

/* The source that a route's pool gives to what comes in by a port. */
struct view_source {
    char port[64]; /* Its name. */
    struct ip_addr source;
};

/* Why a copy goes out of a port: "route", "igmp", "mld", "restored",
 * "static", "mrouter", "link". */
enum {
    VIEW_ORIGIN_ROUTE = 1 << 0, /* The route names the port. */
    VIEW_ORIGIN_IGMP = 1 << 1,  /* A host behind it has joined... */
    VIEW_ORIGIN_MLD = 1 << 2,
    VIEW_ORIGIN_RESTORED = 1 << 3, /* ...or had, before a restart. */
    VIEW_ORIGIN_STATIC = 1 << 4,   /* A static member. */
    VIEW_ORIGIN_MROUTER = 1 << 5,  /* It leads to a router. */
    VIEW_ORIGIN_LINK = 1 << 6,     /* To another switch of the fabric. */
    VIEW_N_ORIGINS = 7
};

/* A copy that a route makes. */
struct view_output {
    uint32_t port;
    const char *port_name;
    unsigned int origins; /* VIEW_ORIGIN_*. */
    char *rewrite;        /* "source=10.1.0.10", "" if there is none. */
    bool counted;         /* Is it known how many packets there were? */
    uint64_t packets;     /* Since the copy came, or came back. */
};

/* What is told of a route on one switch besides. */
struct view_route_status {
    uint16_t priority;           /* The higher one wins. */
    uint64_t wrong_port_packets; /* See route-wrong.h. */
    double packets_per_s, bits_per_s;
    struct view_output *outputs;
    size_t n_outputs;
};

/* How a route or flow stands on one switch. */
struct view_status {
    uint64_t dpid;
    enum view_state state;
    const char *error; /* Why pending or rejected; "" if there is nothing. */
    uint64_t packets, bytes;
    /* Of a route: does it drop all fragments, on some of its flows at least?
     * Why, and how many so far. */
    bool drops_fragments;
    const char *fragments_reason;
    uint64_t fragments_dropped;
    struct view_route_status *route;   /* NULL: not asked for, or none. */
    const struct view_source *sources; /* Of a route with a pool. */
    size_t n_sources;
};

/* What guards refused, by port: for metrics and /v1/switches. */
struct view_guard {
    struct port_id port;
    const char *port_name;
    const char *guard; /* igmp_guard_name(), or "rate". */
    uint64_t refused;
};

typedef bool view_guard_cb(void *aux, const struct view_guard *);
void view_guards(struct ctl *, view_guard_cb *, void *aux);

/* A tunnel port's vlans and other ends. */
struct view_vni {
    uint32_t vni;
    uint16_t vlan;
};

struct view_peer {
    struct ip_addr vtep;
    const char *origin; /* "declared", "shared", "learned" */
};

/* What the outer headers of VXLAN over IPv4 add to a frame: an underlay whose
 * MTU is M carries frames whose IP packet has M - 50 bytes. */
enum { VIEW_TUNNEL_OVERHEAD = 50 };

struct view_tunnel {
    const struct view_vni *vnis;
    size_t n_vnis;
    const struct view_peer *peers; /* By address. */
    size_t n_peers;
    struct ip_addr local; /* IP_ADDR_ANY: not said. */
    bool querier;
};

/* Of a port, all that goes through; VIEW_NOT_COUNTED: the switch does not
 * count that. */
#define VIEW_NOT_COUNTED UINT64_MAX
struct view_port_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
};

/* Switches: /v1/switches */
struct view_port {
    uint32_t no;
    const char *name;
    struct mac_addr mac;
    bool up;
    const char *kind;                /* "host", "link", "mrouter", "tunnel" */
    const struct view_guard *guards; /* What was refused there. */
    size_t n_guards;
    const struct view_tunnel *tunnel;          /* NULL: it is none. */
    const struct view_port_counters *counters; /* NULL: not told yet. */
};

struct view_switch {
    uint64_t dpid;
    bool connected;
    bool synced;      /* Read back and compiled since it connected; with l2:
                       * fabric it is known what its ports lead to. */
    const char *peer; /* "127.0.0.1:40112", "" if not connected. */
    int64_t since_ms; /* In this state. */
    const char *manufacturer, *hardware, *software, *serial, *datapath;
    const char *datapath_type; /* As configured: "netdev", "kernel". */
    const char *datapath_seen; /* As it looks; NULL: it cannot be told. */
    const struct view_port *ports;
    size_t n_ports;
    /* Counters. */
    uint64_t packet_ins, packet_outs, messages_in, messages_out, errors;
    uint64_t flow_mods, group_mods, rounds, bundles, drift;
    size_t flows, groups, foreign_flows, foreign_groups, pending, rejected;
};

typedef bool view_switch_cb(void *aux, const struct view_switch *);
void view_switches(struct ctl *, view_switch_cb *, void *aux);
/* False if there is no such switch. */
bool view_switch(struct ctl *, uint64_t dpid, view_switch_cb *, void *aux);

/* Groups: /v1/groups */
struct view_host {
    struct mac_addr mac;
    struct ip_addr ip;
    int version;
    bool exclude;
    const struct ip_addr *sources; /* Its own filter. */
    size_t n_sources;
    int64_t age_ms;
};

struct view_member {
    struct port_id port;
    const char *port_name;
    uint32_t vni; /* Of a tunnel's end, whose address is in 'port'; else 0. */
    bool exclude;
    int version;
    const char *origin; /* "igmp", "mld", "restored", "static", or "igmp" with
                         * 'fixed_by' where both hold. */
    const char *fixed_by; /* Names of static members, "" if none. */
    const char *delivery; /* "multicast", "unicast" */
    int64_t expires_ms;
    const struct ip_addr *sources; /* Wanted (include), blocked (exclude). */
    size_t n_sources;
    const struct view_host *hosts;
    size_t n_hosts;
};

struct view_group_switch {
    uint64_t dpid;
    struct ip_addr source; /* IP_ADDR_ANY: the (*,G) entry. */
    uint32_t group_id;
    enum view_state state;
    const char *error;
    uint64_t packets, bytes;
};

struct view_group {
    uint16_t vlan;
    struct ip_addr group;
    const struct view_member *members;
    size_t n_members;
    const struct view_group_switch *switches;
    size_t n_switches;
};

typedef bool view_group_cb(void *aux, const struct view_group *);
void view_groups(struct ctl *, view_group_cb *, void *aux);
bool view_group(struct ctl *, uint16_t vlan, const struct ip_addr *group,
                view_group_cb *, void *aux);

/* Streams: /v1/streams */
struct view_stream {
    uint16_t vlan;
    struct ip_addr source, group; /* As sent, before rewriting. */
    struct port_id port;          /* Where it enters. */
    const char *port_name;
    uint64_t packets, bytes;
    double packets_per_s, bits_per_s;
    uint8_t ttl;       /* Of its first packet; 0: not seen. */
    uint32_t size;     /* Its largest IP packet, as far as seen; 0: none. */
    const char *route; /* Name of the route that applies, "" if none. */
    size_t n_receivers;
    int64_t age_ms; /* Since it was first seen. */
};

typedef bool view_stream_cb(void *aux, const struct view_stream *);
void view_streams(struct ctl *, view_stream_cb *, void *aux);

/* Queriers: /v1/queriers */
struct view_router {
    struct port_id port;
    const char *port_name;
    const char *sign;     /* "query", "pim", "mrd", "static", "restored" */
    bool fixed;           /* By the operator, whatever signs there are. */
    const char *fixed_by; /* Names of static members, "" if none. */
    int64_t expires_ms;
};

struct view_querier {
    uint16_t vlan;
    int family;   /* 4: IGMP, 6: MLD. */
    bool enabled; /* By configuration. */
    bool ours;
    struct ip_addr address;
    struct port_id port; /* Of a foreign one. */
    int version;
    int64_t since_ms, next_query_ms, expires_ms, query_interval_ms;
    int robustness;
    bool falls_back; /* A foreign one speaks an older version than ours. */
    /* Another that asks all the same: see struct igmp_querier_view. */
    struct ip_addr rival_address;
    struct port_id rival_port;
    unsigned int rival_queries;
    unsigned int changes; /* Of the election, in the last minutes. */
    const struct view_router *routers;
    size_t n_routers;
};

typedef bool view_querier_cb(void *aux, const struct view_querier *);
void view_queriers(struct ctl *, view_querier_cb *, void *aux);

/* Hosts: /v1/hosts.  Those that have sent a report, of either family; in a
 * fabric, those that have sent anything. */
struct view_known_host {
    uint16_t vlan;
    struct mac_addr mac;
    const struct ip_addr *ips;
    size_t n_ips;
    struct port_id port;
    const char *port_name;
    int igmp_version, mld_version; /* 0: none heard. */
    size_t n_groups;
    bool duplicate; /* Its MAC speaks on several ports. */
    int64_t age_ms; /* Since it was last heard. */
};

/* A host's place in their order: vlan, MAC, port. */
struct view_host_key {
    uint16_t vlan;
    struct mac_addr mac;
    struct port_id port;
};

typedef bool view_known_host_cb(void *aux, const struct view_known_host *);
/* Those behind 'after' (NULL: all), in order, at most 'max': there may be very
 * many, and other work waits meanwhile. */
void view_hosts(struct ctl *, const struct view_host_key *after, size_t max,
                view_known_host_cb *, void *aux);

/* Routes, flows and static members: /v1/routes, /v1/flows, /v1/members */
struct view_rule {
    const char *name;
    const char *json;   /* The canonical body, an object. */
    const char *origin; /* Of a member: "api", "config"; else NULL. */
    int64_t expires_ms; /* Of a member's lease; -1: there is none. */
    const struct view_status *statuses;
    size_t n_statuses;
};

typedef bool view_rule_cb(void *aux, const struct view_rule *);
void view_routes(struct ctl *, view_rule_cb *, void *aux);
bool view_route(struct ctl *, const char *name, view_rule_cb *, void *aux);
void view_flows(struct ctl *, view_rule_cb *, void *aux);
bool view_flow(struct ctl *, const char *name, view_rule_cb *, void *aux);

void view_members(struct ctl *, view_rule_cb *, void *aux);
bool view_member_rule(struct ctl *, const char *name, view_rule_cb *,
                      void *aux);

/* Totals, for metrics and health. */
struct view_totals {
    int64_t uptime_ms;
    size_t switches, connected, synced;
    size_t groups, members, streams, routes, flows;
    size_t hosts[2];                      /* By family: IGMP, MLD. */
    size_t queriers_ours, queriers_other; /* Of vlans and families. */
    size_t router_ports;                  /* By vlan and family. */
    size_t filtered_sources; /* That have (S,G) entries, by switch. */
    size_t tunnel_peers[3];  /* Learned, shared, declared. */
    uint64_t tunnel_refused; /* Messages of ends that are no peers. */
    size_t static_members, static_routers; /* (group, port)s; ports. */
    size_t rules_api, rules_config;        /* Of /v1/members. */
    uint64_t frames;         /* Packet-ins that carried IGMP or MLD. */
    uint64_t joins, leaves;  /* (group, port)s that came and went. */
    uint64_t compiled;       /* Channel entries compiled. */
    const char *store_error; /* "" while the store works. */
};

void view_totals(struct ctl *, struct view_totals *);
/* Messages by family (4: IGMP, 6: MLD) and outcome ("ok", "bad-checksum"...),
 * summed over vlans. */
typedef bool view_counter_cb(void *aux, int family, const char *name,
                             uint64_t value);
void view_igmp_counters(struct ctl *, view_counter_cb *, void *aux);

#endif
