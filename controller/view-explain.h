/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_VIEW_EXPLAIN_H
#define CONTROLLER_VIEW_EXPLAIN_H 1

/* Why a port gets a stream, or does not: the way of a packet through the
 * pipeline, stage by stage, as it is meant to be.  As in view.h: nothing is
 * changed, and what is handed out lives until the callback returns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/view.h"
#include "lib/mcaddr.h"

/* The packet, and the port that somebody wonders about. */
struct explain_query {
    struct port_id in;
    uint16_t vlan; /* As it comes in; 0: without a tag. */
    struct ip_addr source, group;
    int udp_dst; /* -1: not said. */
    int ttl;     /* -1: as the stream was seen. */
    int size;    /* Of the IP packet, bytes; -1: as the stream was seen. */
    bool has_to;
    struct port_id to;
};

struct explain_stage {
    const char *name; /* "ingress", "static", "admit", "punt", "route",
                       * "channel", "policy". */
    uint64_t dpid;
    int table;        /* -1: none. */
    bool passes;      /* The packet goes on from here. */
    const char *text; /* In a sentence. */
    /* The flow that it meets, if it is one of ofmcast's. */
    bool has_flow;
    uint16_t priority;
    const char *actions; /* In ovs-ofctl's words. */
    enum view_state state;
    const char *error;
    uint64_t packets, bytes;
    uint32_t group_id; /* 0: none. */
};

struct explain_output {
    struct port_id port;
    const char *port_name;
    const char *actions; /* What is rewritten for this copy; "" if nothing. */
    const char *origin;  /* "member", "static", "mrouter", "route", "link",
                          * "policy". */
    const char *text;    /* Why it gets one. */
    /* Of the port, whatever leaves by it; NULL: not told yet. */
    const struct view_port_counters *counters;
};

struct view_explain {
    const struct explain_stage *stages;
    size_t n_stages;
    const struct explain_output *outputs;
    size_t n_outputs;
    bool delivered;     /* To 'to', or to anybody if there is none. */
    const char *reason; /* A word: see doc/explain.md. */
    const char *text;   /* The same in a sentence. */
    const char *cure;   /* "" if there is none. */
};

/* A port by its name or number; a number need not be there.  False if there is
 * none of that name. */
bool view_find_port(const struct ctl *, uint64_t dpid, const char *name,
                    struct port_id *);

typedef bool view_explain_cb(void *aux, const struct view_explain *);
void view_explain(struct ctl *, const struct explain_query *,
                  view_explain_cb *, void *aux);

#endif
