/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_WORLD_H
#define TESTS_SIM_SIM_WORLD_H 1

/* The controller with its fake switches, the naive model of what it is to do,
 * and hosts, routers and an operator who do things at random: each call here
 * changes the model and says it to the controller in the way of the real
 * world. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim-model.h"
#include "tests/sim/sim-net.h"
#include "tests/sim/sim-random.h"

enum { SIM_WAIT_MS = 10000 };

/* A frame, and whether it stayed the same since the last quiet point. */
struct sim_constant {
    bool holds;
    uint8_t bytes[SIM_FRAME_SIZE];
    size_t size;
};

/* What a slot of a port has been entitled to since the last quiet point. */
struct claim {
    bool ever;                  /* In some state of the model. */
    struct sim_constant always; /* In all of them. */
    /* Likewise, by this slot or by the one for all, which differ by the
     * destination's MAC address only. */
    struct sim_constant served;
};

struct sim_world {
    struct sim_net net;
    struct sim_random random;
    struct model model;
    struct model_stream streams[MODEL_STREAMS];
    struct claim claims[MODEL_STREAMS][MODEL_PORTS + 1][MODEL_SLOTS];
    bool watching; /* Check claims at every change. */
    bool deaf;     /* Hosts do not answer queries. */
    /* Something has: hosts that the controller may not know get the copy for
     * all until they were asked twice, which takes too long for us. */
    bool restarted;
    uint64_t seed, step;
    int n_pending_writes;
    bool leaving;      /* Somebody is a member who should not be... */
    char leaver[160];  /* ...this one. */
    char problem[512]; /* Found in a callback, told by the test. */
};

/* Where we are, for messages.  Who uses SIM_FAIL() includes <cmocka.h>. */
extern struct sim_world *sim_world;

#define SIM_FAIL(...)                                                         \
    do {                                                                      \
        fprintf(stderr, "seed %" PRIu64 " step %" PRIu64 ": ",                \
                sim_world->seed, sim_world->step);                            \
        fprintf(stderr, __VA_ARGS__);                                         \
        fputc('\n', stderr);                                                  \
        fail();                                                               \
    } while (0)

/* For whoever hunts a failure: what the test does. */
#define SIM_TRACE(...)                                                        \
    do {                                                                      \
        if (getenv("OFM_TRACE")) {                                            \
            fprintf(stderr, "step %" PRIu64 ": ", sim_world->step);           \
            fprintf(stderr, __VA_ARGS__);                                     \
            fputc('\n', stderr);                                              \
        }                                                                     \
    } while (0)

/* What is wrong with where streams come out now, in 'text'; NULL if it is as
 * the model says. */
const char *sim_world_compare(struct sim_world *w, char *text, size_t size);
/* The model has changed (or is at rest, 'first'): who may, and who must, get
 * what until it is at rest again. */
void sim_world_claim(struct sim_world *w, bool first);
/* For sim_net: holds a switch against the claims; lets hosts answer
 * queries. */
void sim_world_switch_changed(void *w_, struct sim_switch *s);
void sim_world_switch_output(void *w_, struct sim_switch *s, uint32_t port,
                             const void *frame, size_t size);
/* Random things that happen. */
void sim_world_change_filter(struct sim_world *w);
void sim_world_flap_port(struct sim_world *w);
/* A port that delivers by unicast delivers by multicast, or vice versa. */
void sim_world_change_delivery(struct sim_world *w);
/* The configuration file as it is now; free() it. */
char *sim_world_yaml(const struct sim_world *w);
void sim_world_add_router(struct sim_world *w);
bool sim_world_has_routers(const struct sim_world *w);
/* Routers ask again, now that a switch or the controller is back. */
void sim_world_say_queries(struct sim_world *w);
void sim_world_change_route(struct sim_world *w);
/* A packet of a stream for real: punted where its source is unknown. */
void sim_world_send_packet(struct sim_world *w, uint32_t i);

#endif
