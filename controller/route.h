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
    uint64_t dpid;              /* Any switch unless 'has_dpid'. */
    char port[ROUTE_PORT_SIZE]; /* Name or number; needs a dpid. */
    uint16_t vlan;              /* 0 = untagged. */
    struct ip_prefix source;
    struct ip_prefix group; /* Always. */
    uint8_t proto;          /* IP protocol number. */
    uint16_t udp_dst;       /* Needs proto udp (implied if absent). */
};

struct route_set {
    bool has_source, has_group, has_udp_dst, has_ttl, has_eth_src, has_dscp,
        has_vlan;
    bool eth_src_auto; /* "auto": the MAC of the output port's switch. */
    struct ip_addr source, group;
    struct mac_addr eth_src;
    uint16_t udp_dst;
    uint16_t vlan;
    uint8_t ttl;  /* 1..255. */
    uint8_t dscp; /* 0..63. */
};

enum route_target_kind { ROUTE_TO_MEMBERS, ROUTE_TO_PORT };

struct route_target {
    enum route_target_kind kind;
    uint64_t dpid;
    char port[ROUTE_PORT_SIZE];
    struct route_set set; /* On top of the route's own. */
};

struct route {
    char name[ROUTE_NAME_SIZE];
    struct route_match match;
    struct route_set set;
    struct route_target *targets; /* None: a stop filter. */
    size_t n_targets;             /* No "to" in JSON: one, the members. */
};

/* From a parsed body.  'name' is the one in the URL, with which a "name"
 * member must agree; NULL: the body names itself.  NULL and 'error' if it
 * makes no sense. */
struct route *route_from_json(const char *name, const struct cJSON *,
                              struct json_error *);
void route_destroy(struct route *); /* NULL is fine. */
/* The canonical form: addresses and dpids normalised, defaults left out. */
struct cJSON *route_to_json(const struct route *);

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
