/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_READ_H
#define CONTROLLER_ROUTE_READ_H 1

/* A route's JSON, part by part: what route.c (the whole, "match"),
 * route-read-set.c ("set") and route-read-to.c ("to") share.  Errors go to the
 * body's, with a pointer to the member. */

#include "controller/route.h"

/* What all parts of a body need while it is read. */
struct route_reading {
    struct route *route;
    struct json_error *error;
    bool proto_given; /* "proto" was there, even as "any". */
};

/* The IPv4 address that 'member' is; false if it is absent, or none. */
bool route_read_address(const struct json_at *, const char *member,
                        struct ip_addr *);
/* The prefix that it is, an address being one too; 'example' is for the
 * message. */
bool route_read_prefix(const struct json_at *, const char *member,
                       const char *example, struct ip_prefix *);
/* Has it an address of one of the prefixes of 'list', which ends with NULL? */
bool route_prefix_meets(const struct ip_prefix *, const char *const *list);
/* Is the address of the family of the match, which has been read?  Says so if
 * it is not. */
bool route_check_family(const struct json_at *, const char *member,
                        const struct ip_addr *, const struct route_match *);
/* Is it multicast, and does it leave the link?  Says so if not. */
bool route_check_group(const struct json_at *, const char *member,
                       const struct ip_prefix *);
/* 'member' of 'at' speaks of UDP ports: then the route is about UDP. */
void route_need_udp(struct route_reading *, const struct json_at *,
                    const char *member);

/* The member "set" of 'parent', which stands at 'pointer'.  The match has been
 * read before, and the route's own before those of targets. */
void route_read_set(struct route_reading *, const struct json_at *parent,
                    const char *pointer, struct route_set *);
/* route-read-unicast.c: "unicast" of the match, in the place of "group"; a
 * target with it; and, when all is read, whether members of which group a
 * stream to a host is for is said. */
void route_read_match_unicast(const struct json_at *, struct route_match *);
void route_read_host_target(struct route_reading *, const struct json_at *,
                            const char *set_pointer, struct route_target *);
void route_check_unicast(struct route_reading *);
/* The member "fragments" of the body. */
void route_read_fragments(const struct json_at *body, struct route *);

/* {"vtep":"10.255.0.2","vni":100,"dpid":"1","port":"vx0"}: all but the first
 * are the configuration's to say where they are left out. */
void route_read_vtep(const struct json_at *, struct route_target *);
void route_write_vtep(struct cJSON *, const struct route_target *);
/* The member "to" of the body. */
void route_read_targets(struct route_reading *, const struct json_at *body);

#endif
