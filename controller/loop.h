/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_LOOP_H
#define CONTROLLER_LOOP_H 1

/* The event loop's side that the rest of controller/ sees: a clock, timers,
 * and the "turn".
 *
 * Whatever an input changes is only marked.  Once everything that was ready
 * has been handled, the turn runs and does the work for all of it at once:
 * that is where channels are compiled and rounds are sent.  Timers share one
 * libevent timer, armed for the soonest.
 *
 * Ownership: a loop_timer lives in its owner's struct; clear it before that is
 * freed. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/timer-heap.h"

struct event_base;
struct loop;

typedef void loop_cb(void *aux, int64_t now);

struct loop_timer {
    struct timer_node node; /* First: see loop.c. */
    loop_cb *cb;
    void *aux;
};

struct loop *loop_create(struct event_base *, loop_cb *turn, void *aux);
void loop_destroy(struct loop *);
struct event_base *loop_base(const struct loop *);

/* Monotonic milliseconds. */
int64_t loop_now(const struct loop *);
/* Runs the turn once, after what is ready now. */
void loop_want_turn(struct loop *);

void loop_timer_init(struct loop_timer *, loop_cb *, void *aux);
/* INT64_MAX disarms. */
void loop_timer_set(struct loop *, struct loop_timer *, int64_t at);
void loop_timer_clear(struct loop *, struct loop_timer *);

#endif
