/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_FABRIC_H
#define TESTS_SIM_SIM_FABRIC_H 1

/* The controller with a fabric of fake switches that are linked by cables,
 * hosts at their ports, and the naive model of who gets what. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/mcaddr.h"
#include "tests/sim/sim-net.h"
#include "tests/sim/sim-random.h"
#include "tests/sim/sim-wires.h"

enum {
    FABRIC_SWITCHES = 5,
    FABRIC_HOSTS = 2, /* A switch: at ports 1 and 2. */
    FABRIC_GROUPS = 3,
    /* Two sources a group; and one more, of the first of them, that meets a
     * route which makes the first group of it: to whoever is a member, and to
     * a port of the second switch. */
    FABRIC_ROUTED = 2 * FABRIC_GROUPS,
    FABRIC_STREAMS,
    FABRIC_QUEUE = 8192,
    FABRIC_FRAME_SIZE = 512,
    FABRIC_MAX_HOPS = 32,
    FABRIC_WAIT_MS = 10000,
    FABRIC_HOLD_MS = 200
};

/* What a host wants of a group: all but 'sources', or only those (a bit for
 * each of the two). */
struct fabric_filter {
    bool exclude;
    unsigned int sources;
};

struct fabric_stream {
    int sw;
    uint32_t port;
    bool on;
    bool is_new; /* Began, or moved, since the last quiet point. */
};

struct fabric_claim {
    bool ever, always; /* Entitled since the last quiet point. */
};

struct fabric_frame {
    int sw;
    uint32_t in_port;
    int hops;
    size_t size;
    uint8_t bytes[FABRIC_FRAME_SIZE];
};

struct sim_fabric {
    struct sim_net net;
    struct wires wires;
    struct sim_random random;
    bool is_fabric; /* l2: fabric; else normal, to test the test. */

    /* The model. */
    struct fabric_filter filters[FABRIC_SWITCHES][FABRIC_HOSTS + 1]
                                [FABRIC_GROUPS];
    /* Changed since the last quiet point: hosts say it again (RFC 3376 5.1) to
     * who may have missed it. */
    bool changed[FABRIC_SWITCHES][FABRIC_HOSTS + 1][FABRIC_GROUPS];
    struct fabric_stream streams[FABRIC_STREAMS];
    struct fabric_claim claims[FABRIC_STREAMS][FABRIC_SWITCHES]
                              [FABRIC_HOSTS + 1];
    bool dead[FABRIC_SWITCHES];
    uint64_t cut_at[FABRIC_SWITCHES][WIRES_PORTS + 1]; /* Turn. */
    struct wires_end asker, asked; /* Who talk by unicast. */

    bool watching; /* Check claims at every change. */
    bool gentle;   /* No topology event since the last quiet point. */
    bool prompt;   /* Nobody is held back: echoes of a switch that is away have
                    * 100 ms to come back. */

    /* Frames under way, in a ring. */
    struct fabric_frame *queue;
    int head, n_queued;
    int hops;                  /* Of the frame that is being handled. */
    int held[FABRIC_SWITCHES]; /* Turns without input. */
    uint64_t n_turns;

    uint64_t seed, step, n_events, n_walks;
    char what[256];     /* Happened in this step. */
    char problem[4096]; /* Found in a callback, told by the test. */
};

/* sim-fabric.c: hosts and cables. */
void sim_fabric_init(struct sim_fabric *, uint64_t seed);
void sim_fabric_uninit(struct sim_fabric *);
/* Under OFM_TRACE_STEPS, a line with the time. */
void sim_fabric_trace(void *f, const char *type, const char *text);
/* Fails the test with all that is known. */
void sim_fabric_fail(struct sim_fabric *, const char *problem);
/* A frame enters at a host's port, at the next turn of the loop. */
void sim_fabric_send(struct sim_fabric *, int sw, uint32_t port,
                     const void *frame, size_t size);
size_t sim_fabric_stream_frame(const struct sim_fabric *, int stream,
                               uint8_t *frame);
size_t sim_fabric_arp_frame(const struct wires_end *from,
                            const struct wires_end *to, uint8_t *frame);
size_t sim_fabric_unicast_frame(const struct wires_end *from,
                                const struct wires_end *to, uint8_t *frame);
void sim_fabric_say_filter(struct sim_fabric *, int sw, uint32_t port, int g,
                           bool is_change);
/* All members at a switch say so, all hosts are heard. */
void sim_fabric_say_all(struct sim_fabric *, int sw);
struct ip_addr sim_fabric_group(int g);
/* Does this port get the stream, be it not its own? */
bool sim_fabric_gets(const struct sim_fabric *, int stream, int sw,
                     uint32_t port);
struct ip_addr sim_fabric_source(int stream);
/* Sources: 0 and 1, or -1, any other. */
bool sim_fabric_wants(const struct fabric_filter *, int source);

/* sim-fabric-check.c */
/* The model has changed (or is at rest, 'first'). */
void sim_fabric_claim(struct sim_fabric *, bool first);
void sim_fabric_check(void *f, struct sim_switch *);
bool sim_fabric_is_moving(const struct sim_fabric *);
/* Until everything is as the model says. */
void sim_fabric_rest(struct sim_fabric *);

/* sim-fabric-events.c */
void sim_fabric_step(struct sim_fabric *);

#endif
