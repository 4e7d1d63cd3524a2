/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_BUILD_H
#define CONTROLLER_ROUTE_BUILD_H 1

/* One route on one switch, while it is compiled: what routes.c (flows) and
 * route-targets.c (their buckets) share. */

#include "controller/ctl-private.h"

struct route_build {
    struct ctl_switch *sw;
    struct rule *rule;
    struct rule_part *part;
    const struct route *route;
    uint32_t in_port;  /* 0 = any. */
    uint16_t priority; /* At level 0. */
    bool led;          /* The channels that it leads to are registered. */
    /* Of a route to other switches: its tree; is it compiled where streams
     * come by that, or where they enter? */
    struct far *far;
    bool beyond;
    bool moving; /* By the tree that it moves to. */
};

/* Why a bucket is there, as its note: see route-outputs.h. */
enum {
    BUCKET_ROUTE = 1 << 0,  /* The route names its port. */
    BUCKET_MEMBER = 1 << 1, /* It is for members. */
    BUCKET_TAP = 1 << 2,    /* See lease.h. */
    BUCKET_LABEL = 1 << 3   /* Its Ethernet address is a label, or what was
                             * there before it. */
};

struct bucket_list {
    struct ofp_bucket *buckets; /* The caller of route_add_targets() frees
                                   them. */
    size_t n, allocated;
    unsigned int note; /* Of those that are added. */
};

/* What the part waits for, instead of what was said before. */
void route_wait_for(struct rule_part *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The copy for a tunnel's end, of a stream that is of 'vlan' after the route's
 * own rewriting.  False if there is none here: then the part says what it
 * waits for. */
bool route_find_vtep(struct route_build *, const struct route_target *,
                     int vlan, struct ofp_copy *);
/* For a port of that name, or for the first that a glob fits. */
void route_wait_for_port(struct rule_part *, uint64_t dpid, const char *port);

/* An entry of the route, and that it has it. */
void route_set_flow(struct route_build *, const struct ofp_flow *,
                    enum rule_flow_kind, const struct ofp_bucket *, size_t n);
void route_add_bucket(struct bucket_list *, const struct ofp_copy *,
                      const struct ofp_rewrite *);

/* The copies that the route's targets get of packets known to be of channel
 * 'in', after the route's own rewriting; 'vlan' is theirs then, -1 is any.
 * Equal rewrites stand side by side, and none is there twice. */
void route_add_targets(struct route_build *, const struct channel *in,
                       int vlan, struct bucket_list *);

#endif
