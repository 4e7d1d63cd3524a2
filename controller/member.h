/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MEMBER_H
#define CONTROLLER_MEMBER_H 1

/* A static member or a static router port: /v1/members, and "members" in the
 * configuration.
 *
 *   {"name":"recorder","vlan":10,"dpid":"1","port":"s1-eth7",
 *    "group":"239.1.1.1","mode":"include","sources":["10.1.0.5"]}
 *   {"name":"uplink","vlan":10,"dpid":"1","port":"s1-eth9","router":true}
 *
 *   {"name":"site-b","dpid":"1","port":"vx0","vtep":"10.255.0.9",
 *    "group":"239.1.1.1"}
 *   {"name":"look","dpid":"1","port":"s1-eth9","group":"239.1.1.1","lease":60}
 *
 * Without 'sources' it gets every source; with them only those, or with "mode"
 * "exclude" all others.  Like a route it waits for a port that does not exist
 * yet.
 *
 * Ownership: a member owns its sources; member_uninit(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/route.h"
#include "lib/mcaddr.h"
#include "topo/topo-graph.h"

struct cJSON;

struct member {
    char name[ROUTE_NAME_SIZE];
    uint16_t vlan;
    uint64_t dpid;
    char port[TOPO_PORT_NAME_SIZE]; /* A name, or a number. */
    uint32_t vtep; /* Of a tunnel port: the other end; else 0. */
    bool router;   /* A router port: no group. */
    struct ip_addr group;
    bool exclude; /* All but 'sources'; false: only those. */
    struct ip_addr *sources;
    size_t n_sources;
    uint32_t lease;     /* Seconds, 0: it does not end; see lease.h... */
    int64_t lease_ends; /* ...when, by the wall clock in milliseconds; 0: not
                         * settled.  Only the store says it. */
};

enum { MEMBER_MAX_LEASE = 86400 };

enum { MEMBER_MAX_SOURCES = 256 };

void member_uninit(struct member *);
/* Sorts the sources and drops doubles.  Then NULL if it makes sense; else why
 * not, with '*field' what is wrong: "group", "sources"... */
const char *member_settle(struct member *, const char **field);

/* From a parsed body.  'name' is the one in the URL, with which a "name"
 * member must agree; NULL: the body names itself.  NULL and 'error' if it
 * makes no sense. */
struct member *member_from_json(const char *name, const struct cJSON *,
                                struct json_error *);
void member_destroy(struct member *); /* NULL is fine. */
/* The canonical form, defaults left out. */
struct cJSON *member_to_json(const struct member *);

#endif
