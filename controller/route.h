/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_H
#define CONTROLLER_ROUTE_H 1

/* A route: which stream, how it is rewritten, where its copies go; and its
 * JSON form (design.md 6.2), which is also what the store keeps.
 *
 * This is the user's intent, checked for sense but not against any switch: a
 * port that does not exist is fine here.
 *
 * Ownership: a route owns its targets; route_destroy(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/json.h"
#include "lib/mcaddr.h"

enum {
    ROUTE_NAME_SIZE = JSON_NAME_SIZE,
    ROUTE_PORT_SIZE = JSON_PORT_SIZE,
    ROUTE_MAX_TARGETS = 1024
};

struct route_match {
    bool has_dpid, has_port, has_vlan, has_source, has_proto, has_udp_dst;
    uint64_t dpid; /* Any switch unless 'has_dpid'. */
    /* Name, glob (see route-ports.h) or number; needs a dpid. */
    char port[ROUTE_PORT_SIZE];
    uint16_t vlan; /* 0 = untagged. */
    struct ip_prefix source;
    struct ip_prefix group; /* Always; the route is about its family. */
    bool unicast;  /* 'group' is the address of a host: "unicast" in JSON. */
    uint8_t proto; /* IP protocol number. */
    uint16_t udp_dst; /* Needs proto udp (implied if absent). */
};

struct route_set {
    bool has_source, has_source_pool, has_group, has_udp_dst, has_ttl,
        has_eth_src, has_eth_dst, has_dscp, has_vlan;
    bool eth_src_auto; /* "auto": the MAC of the output port's switch. */
    struct ip_addr source, group;
    /* So many of their lowest bits stay the packet's own: 0 to 31, of IPv6 to
     * 124.  Not 0 where a prefix takes the place of the one in the match,
     * which is as long. */
    uint8_t source_keep, group_keep;
    /* Of the route, not of a target: each port where the stream enters gets
     * an address of its own out of it. */
    struct ip_prefix source_pool;
    /* Of the route likewise: what is sent to the source goes to the device;
     * and what that sends to some of these hosts has the source. */
    bool reply_to, has_answers;
    struct ip_prefix answers;
    struct mac_addr eth_src;
    struct mac_addr eth_dst; /* Wins over the one that a group brings. */
    uint16_t udp_dst;
    uint16_t vlan;
    uint8_t ttl;  /* 1..255. */
    uint8_t dscp; /* 0..63. */
};

enum route_target_kind {
    ROUTE_TO_MEMBERS,
    ROUTE_TO_PORT,
    ROUTE_TO_VLAN, /* All edge ports of 'vlan'. */
    ROUTE_TO_HOST, /* 'host', which is found by ARP: see route-unicast.c. */
    ROUTE_TO_VTEP  /* The other end of a tunnel. */
};

struct route_target {
    enum route_target_kind kind;
    bool has_dpid; /* Always, of a port. */
    uint64_t dpid;
    char port[ROUTE_PORT_SIZE]; /* As in the match. */
    bool joined;   /* Of a port: while it has a member of the channel. */
    bool has_vlan; /* Of a host: else it is where the stream is. */
    uint16_t vlan;
    struct ip_addr host;
    struct ip_addr via;   /* The router that leads there; IP_ADDR_ANY: none. */
    uint32_t vtep;        /* Of a tunnel: the other end... */
    uint32_t vni;         /* ...and the VNI, 0: the vlan's. */
    struct route_set set; /* On top of the route's own. */
};

/* What becomes of fragments: see route-fragments.c. */
enum route_fragments {
    ROUTE_FRAGMENTS_AUTO, /* What the others get, where that is safe. */
    ROUTE_FRAGMENTS_DROP,
    ROUTE_FRAGMENTS_PASS /* The user knows that it is. */
};

/* Is the stream asked for upstream: see route-join.c. */
enum route_join {
    ROUTE_JOIN_AUTO, /* Where members do not do that themselves. */
    ROUTE_JOIN_ALWAYS,
    ROUTE_JOIN_NEVER,
    ROUTE_N_JOINS
};

struct route {
    char name[ROUTE_NAME_SIZE];
    struct route_match match;
    struct route_set set;
    struct route_target *targets; /* None: a stop filter. */
    size_t n_targets;             /* No "to" in JSON: one, the members. */
    enum route_fragments fragments;
    enum route_join join;
};

/* From a parsed body.  'name' is the one in the URL, with which a "name"
 * member must agree; NULL: the body names itself.  NULL and 'error' if it
 * makes no sense. */
struct route *route_from_json(const char *name, const struct cJSON *,
                              struct json_error *);
void route_destroy(struct route *); /* NULL is fine. */
/* The canonical form: addresses and dpids normalised, defaults left out. */
struct cJSON *route_to_json(const struct route *);

extern const char *const ROUTE_JOIN_NAMES[ROUTE_N_JOINS]; /* "auto" ... */

/* A static flow or group (design.md 6.3): {"dpid":..,"flow":".."} or
 * {"dpid":..,"group":".."}. */
struct static_rule {
    char name[ROUTE_NAME_SIZE];
    uint64_t dpid;
    bool is_group;
    char *text; /* ovs-ofctl syntax, not parsed here. */
};

struct static_rule *static_rule_from_json(const char *name,
                                          const struct cJSON *,
                                          struct json_error *);
void static_rule_destroy(struct static_rule *);
struct cJSON *static_rule_to_json(const struct static_rule *);

#endif
