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
    MODEL_UNICAST_PORT = 2, /* This one always delivers by unicast... */
    MODEL_FLAP_PORT = 5,    /* ...the links of 5 and 6 come and go... */
    MODEL_ROUTER_PORT = 7,  /* ...behind 7 there may be a router... */
    MODEL_STATIC_PORT = 8,  /* ...8 never joins; routes name it. */
    MODEL_HOSTS = 2,        /* Behind a port: see model_hosts(). */
    MODEL_GROUPS = 8,
    MODEL_V4_GROUPS = 6, /* The first of them. */
    MODEL_VLANS = 2,
    MODEL_ROUTES = 4,
    MODEL_STREAMS = 24,
    /* Copies that may leave a port: one for all, or one for each host. */
    MODEL_SLOTS = 1 + MODEL_HOSTS
};

/* What one host behind a port wants of one group: all but, or only, those of
 * the first two of the group's family's sources whose bits are set. */
struct model_filter {
    bool exclude;
    unsigned int sources;
};

struct model_set {
    bool has_source, has_group, has_udp_dst, has_ttl, has_dscp;
    struct ip_addr source, group;
    uint16_t udp_dst;
    uint8_t ttl, dscp;
};

struct model_route {
    bool present;
    /* Match: the group always. */
    struct ip_addr group;
    bool has_source, has_vlan, has_udp_dst, has_switch;
    struct ip_addr source;
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
    struct model_filter filters[MODEL_SWITCHES][MODEL_VLANS][MODEL_GROUPS]
                               [MODEL_PORTS + 1][MODEL_HOSTS];
    struct model_route routes[MODEL_ROUTES];
    bool down[MODEL_SWITCHES][MODEL_PORTS + 1];
    bool router[MODEL_SWITCHES][MODEL_VLANS]; /* Behind the router port. */
    bool unicast[MODEL_SWITCHES][MODEL_PORTS + 1];
};

extern const uint16_t model_vlans[MODEL_VLANS];
/* Groups 0 to 3 are what routes match, and 4 and 5 what they make of it; the
 * rest are of IPv6. */
struct ip_addr model_group(int i);
/* The sources of the group's family; of IPv4 the third is what routes set. */
struct ip_addr model_source(const struct ip_addr *group, int i);
/* How many hosts are behind a port, and who they are. */
int model_hosts(uint32_t port);
struct mac_addr model_mac(int sw, uint32_t port, int host);

/* Does anybody with this filter get packets of the source?  Number -1 is a
 * source that no filter names. */
bool model_wants(const struct model_filter *, int source);
/* What 'port' of the stream's switch gets for all behind it (slot 0) or for
 * one host (slot 1 + host): true and '*out', or nothing. */
bool model_expect(const struct model *, const struct model_stream *,
                  uint32_t port, int slot, struct sim_frame *out);
/* The route as a body for PUT /v1/routes; free() it. */
char *model_route_json(const struct model_route *);

#endif
