/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_MODEL_H
#define TESTS_SIM_SIM_MODEL_H 1

/* The naive model of what ofmcast does: who is a member, which routes there
 * are, and so which ports get what of each stream.  Everything is a small
 * array that is searched from end to end, so that it is plainly right. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/sim-frame.h"

enum {
    MODEL_SWITCHES = 2,
    MODEL_PORTS = 8,        /* 1 to 8. */
    MODEL_SOURCE_PORTS = 4, /* Streams enter by 1 to 4... */
    MODEL_FLAP_PORT = 5,    /* ...the links of 5 and 6 come and go... */
    MODEL_ROUTER_PORT = 7,  /* ...behind 7 there may be a router... */
    MODEL_STATIC_PORT = 8,  /* ...8 never joins; routes name it. */
    MODEL_GROUPS = 6,
    MODEL_VLANS = 2,
    MODEL_ROUTES = 4,
    MODEL_STREAMS = 16
};

/* What one host behind a port wants of one group. */
enum model_filter {
    MODEL_NONE,
    MODEL_ANY,     /* From every source. */
    MODEL_INCLUDE, /* From model_sources[0] only. */
    MODEL_EXCLUDE  /* From every source but model_sources[0]. */
};

struct model_set {
    bool has_source, has_group, has_udp_dst, has_ttl, has_dscp;
    uint32_t source, group;
    uint16_t udp_dst;
    uint8_t ttl, dscp;
};

struct model_route {
    bool present;
    /* Match: the group always. */
    uint32_t group;
    bool has_source, has_vlan, has_udp_dst, has_switch;
    uint32_t source;
    uint16_t vlan, udp_dst;
    int sw;
    struct model_set set;
    bool to_members;
    bool to_port; /* MODEL_STATIC_PORT of switch 'to_switch'... */
    int to_switch;
    struct model_set to_set; /* ...with this on top. */
};

struct model_stream {
    int sw;
    uint32_t in_port;
    struct sim_frame frame;
};

struct model {
    enum model_filter filters[MODEL_SWITCHES][MODEL_VLANS][MODEL_GROUPS]
                             [MODEL_PORTS + 1];
    struct model_route routes[MODEL_ROUTES];
    bool down[MODEL_SWITCHES][MODEL_PORTS + 1];
    bool router[MODEL_SWITCHES][MODEL_VLANS]; /* Behind the router port. */
};

extern const uint32_t model_sources[3];
extern const uint16_t model_vlans[MODEL_VLANS];
/* Groups 0 to 3 are what routes match, and 4 and 5 what they make of it. */
uint32_t model_group(int i);

/* What 'port' of the stream's switch gets: true and '*out', or nothing. */
bool model_expect(const struct model *, const struct model_stream *,
                  uint32_t port, struct sim_frame *out);
/* The route as a body for PUT /v1/routes; free() it. */
char *model_route_json(const struct model_route *);

#endif
