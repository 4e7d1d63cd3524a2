/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_WIRES_H
#define TESTS_SIM_SIM_WIRES_H 1

/* Cables between fake switches, and the way of one frame through all of them:
 * a question only, as fake_switch_probe() is for one switch. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/fake-switch.h"

enum {
    WIRES_SWITCHES = 10,
    WIRES_PORTS = 8, /* Of each switch, numbered from 1. */
    WIRES_MAX_STEPS = 256,
    WIRES_FRAME_SIZE = 192
};

struct wires_end {
    int sw; /* -1: nothing is plugged in but perhaps a host. */
    uint32_t port;
};

struct wires {
    int n_switches;
    struct fake_switch *switches[WIRES_SWITCHES];
    struct wires_end peers[WIRES_SWITCHES][WIRES_PORTS + 1];
    bool down[WIRES_SWITCHES][WIRES_PORTS + 1];
};

void wires_init(struct wires *);
void wires_connect(struct wires *, int a, uint32_t a_port, int b,
                   uint32_t b_port);
/* The other end; NULL if none is plugged in, or one of the ends is down. */
const struct wires_end *wires_peer(const struct wires *, int sw,
                                   uint32_t port);
/* Is there a way of cables that are up?  True for a switch and itself. */
bool wires_reach(const struct wires *, int from, int to);

/* A frame at the door of a switch. */
struct wires_step {
    int sw;
    uint32_t in_port;
    int from;       /* The step that sent it; -1: the first. */
    bool is_useful; /* It, or what came of it, arrived somewhere. */
    size_t size;
    uint8_t frame[WIRES_FRAME_SIZE];
};

struct wires_walk {
    /* Copies that left by ports that no cable is plugged in to. */
    int arrived[WIRES_SWITCHES][WIRES_PORTS + 1];
    bool punted[WIRES_SWITCHES];
    bool looped; /* A copy came back to a door that it had gone through, or
                  * there were too many. */
    struct wires_step steps[WIRES_MAX_STEPS];
    int n_steps;
};

void wires_walk(const struct wires *, int sw, uint32_t in_port,
                const void *frame, size_t size, struct wires_walk *);
/* A port that gets more than one copy; false if there is none. */
bool wires_walk_doubled(const struct wires_walk *, struct wires_end *);
/* A cable that carries a copy that arrives nowhere; false if there is
 * none. */
bool wires_walk_wasted(const struct wires_walk *, struct wires_end *);
/* For people: "s1:1 s1:3=s2:3 s2:1*", with a star where it arrives. */
void wires_walk_format(const struct wires *, const struct wires_walk *,
                       char *text, size_t size);
void wires_format(const struct wires *, char *text, size_t size);

#endif
