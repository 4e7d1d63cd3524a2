/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_NET_H
#define TESTS_SIM_SIM_NET_H 1

/* The whole controller with fake switches connected to it by socket pairs, all
 * on one event loop in this process, on the clock of sim-clock.h: a wait takes
 * no time, and a run is the same each time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/ctl.h"
#include "tests/sim/fake-switch.h"

struct event;
struct event_base;
struct sim_net;

enum { SIM_MAX_SWITCHES = 10 };

struct sim_switch {
    struct sim_net *net;
    struct fake_switch *fake;
    uint64_t dpid;
    uint32_t n_ports;
    int fd; /* -1 while disconnected. */
    struct event *readable, *writable;
    uint8_t *out;
    size_t out_size, out_allocated;
};

struct sim_net {
    struct event_base *base;
    struct event *tick; /* So that waiting looks every millisecond. */
    char dir[64];
    struct config *config;
    struct ctl *ctl;
    struct sim_switch switches[SIM_MAX_SWITCHES];
    int n_switches;

    /* After a change of a switch's tables; a frame that leaves by order of the
     * controller.  May be NULL. */
    void (*changed)(void *aux, struct sim_switch *);
    void (*output)(void *aux, struct sim_switch *, uint32_t port,
                   const void *frame, size_t size);
    /* How many bytes of its input, at most, a switch shall handle now; 0: none
     * yet.  It is asked again at the next turn.  May be NULL: all. */
    size_t (*may_read)(void *aux, struct sim_switch *);
    /* At every turn of the loop, between events.  May be NULL. */
    void (*turn)(void *aux);
    void *aux;
};

/* 'yaml' is what a configuration file would hold, but for listeners and
 * state_dir.  Fails the running test if something does not work. */
void sim_net_init(struct sim_net *, const char *yaml, int n_switches,
                  uint32_t n_ports);
void sim_net_uninit(struct sim_net *);
/* As by SIGHUP, with another 'yaml'. */
void sim_net_reconfigure(struct sim_net *, const char *yaml);

void sim_net_connect(struct sim_switch *);
void sim_net_disconnect(struct sim_switch *);
/* The controller is gone with all that it learned, and starts again with what
 * it has stored.  Switches are to be connected again. */
void sim_net_restart_controller(struct sim_net *);

/* Runs the loop until 'done' says so; false if that takes too long. */
typedef bool sim_condition(void *aux);
bool sim_net_wait(struct sim_net *, sim_condition *done, void *aux,
                  int64_t timeout_ms);
/* Until all that was sent so far has been handled, compiled, and confirmed by
 * every connected switch. */
bool sim_net_settle(struct sim_net *);

#endif
