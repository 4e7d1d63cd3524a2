/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_SAMPLE_H
#define CONTROLLER_SAMPLE_H 1

/* Samples: what really comes in, and what the switch makes of it, packet by
 * packet ("ofmcastctl explain --live").
 *
 * In: for as long as a sample lasts there is a flow in TABLE_STATIC, below
 * all flows of the user, which matches that one stream, shows it to us at the
 * rate of METER_SOURCES and lets it go on as it would without.  Neither routes
 * nor groups are touched, so the stream has no gap.
 *
 * Out: each packet that was shown is handed back to the switch with the
 * actions of the route's flow and of one bucket, and an output to us alone;
 * the switch itself rewrites it (ofp/ofp-sample.h).  So out is what the switch
 * does with that very packet by these actions, though not the copy that left
 * by the port: a tap has that. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/view-explain.h"
#include "lib/headers.h"

struct ctl;
struct ctl_switch;
struct ofp_packet_in;

enum {
    SAMPLE_MAX_PACKETS = 64,
    SAMPLE_MAX_REWRITINGS = 8, /* Of those of all copies, the first ones. */
    SAMPLE_MAX_SAMPLES = 8,    /* At a time. */
    SAMPLE_TIMEOUT_MS = 5000
};

/* What is done to some of the copies. */
struct sample_rewriting {
    char *actions; /* In ovs-ofctl's words; "": nothing. */
    struct sample_port {
        struct port_id id;
        char *name;
    } * ports; /* Whose copies these are. */
    size_t n_ports, allocated_ports;
};

struct sample_packet {
    int64_t at; /* Milliseconds after the sample began. */
    struct headers in;
    struct {
        bool came;
        struct headers headers;
    } out[SAMPLE_MAX_REWRITINGS];
};

struct sample_result {
    bool abandoned; /* There is nothing to be read any more. */
    size_t wanted;
    const struct sample_packet *packets;
    size_t n_packets;
    const struct sample_rewriting *rewritings;
    size_t n_rewritings;
    size_t
        n_left_out; /* Copies with other rewritings, or of other switches. */
    int64_t lasted; /* Milliseconds. */
};

typedef void sample_cb(void *aux, const struct sample_result *);

/* Begins one of 'n' packets (1 to SAMPLE_MAX_PACKETS) of the stream.  'cb' is
 * called once, later.  NULL, or why there is none: a text; then 'cb' is not
 * called. */
const char *sample_begin(struct ctl *, const struct explain_query *, size_t n,
                         sample_cb *, void *aux);
/* All that are under way end. */
void samples_abandon(struct ctl *);
/* True if it was for a sample. */
bool samples_packet_in(struct ctl_switch *, const struct ofp_packet_in *);

#endif
