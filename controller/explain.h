/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_EXPLAIN_H
#define CONTROLLER_EXPLAIN_H 1

/* What explain.c (the way of the packet), explain-host.c (if it is sent to a
 * host) and explain-reason.c (why a port is or is not among those that get it)
 * share. */

#include "controller/ctl-private.h"
#include "controller/view-explain.h"

/* An answer under construction.  Its texts are owned here. */
struct explain {
    struct ctl *ctl;
    const struct explain_query *query;
    int64_t now;

    struct explain_stage *stages;
    size_t n_stages, allocated_stages;
    struct explain_output *outputs;
    size_t n_outputs, allocated_outputs;
    struct ctl_switch **visited; /* Switches, in a fabric. */
    size_t n_visited, allocated_visited;

    /* Where the packet got to: what the members are members of. */
    struct channel out;
    const struct rule *rule; /* The route that it met, NULL if none. */
    bool follows_members;    /* Are members among its receivers? */
    bool replies;            /* It is a reply to what the route has sent. */
    bool ended;              /* Some stage did not let it pass. */
    const char *flooded; /* A reason: it goes out of every port of the vlan. */
    char *reason, *text, *cure; /* Set once. */
};

/* The first verdict counts. */
void explain_conclude(struct explain *, const char *reason, const char *cure,
                      const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The next stage; 'text' is taken over. */
struct explain_stage *explain_add_stage(struct explain *, const char *name,
                                        uint64_t dpid, int table, bool passes,
                                        char *text);
/* It meets this flow there, with the copies of its group. */
void explain_meet(struct explain *, struct explain_stage *,
                  const struct ctl_switch *, const struct ofp_entry_view *,
                  const struct ofp_match *);
/* Concludes, if the route is not on the switch as it is meant to be. */
void explain_part(struct explain *, const struct ctl_switch *,
                  const struct rule *);
/* What is sent to a host's address, and is no route's: explain-host.c. */
void explain_host(struct explain *, struct ctl_switch *);

/* Why 'port' gets the channel's packets: for free(). '*origin' is a word. */
char *explain_presence(const struct explain *, const struct port_id *,
                       const char **origin);
/* The largest IP packet that gets through the port: as configured; what goes
 * into a tunnel has an outer header besides. */
enum { EXPLAIN_TUNNEL_BYTES = 50 };
uint32_t explain_mtu(const struct ctl *, const struct port_id *);
/* Concludes; true if the port of the query (anybody, if it names none) gets
 * it. */
bool explain_verdict(struct explain *);

#endif
