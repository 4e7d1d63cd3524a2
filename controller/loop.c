/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "lib/xalloc.h"

struct loop {
    struct event_base *base;
    struct event *turn_event, *timer_event;
    struct timer_heap timers;
    int64_t armed; /* What 'timer_event' is set for. */
    bool turn_wanted;
    loop_cb *turn;
    void *aux;
};

int64_t
loop_now(const struct loop *loop)
{
    (void) loop;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
rearm(struct loop *loop)
{
    int64_t at = timer_heap_deadline(&loop->timers);
    if (at == loop->armed) {
        return;
    }
    loop->armed = at;
    if (at == INT64_MAX) {
        event_del(loop->timer_event);
        return;
    }
    int64_t wait = at - loop_now(loop);
    if (wait < 0) {
        wait = 0;
    }
    struct timeval tv = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
    event_add(loop->timer_event, &tv);
}

static void
timer_event_cb(int fd, short what, void *loop_)
{
    (void) fd;
    (void) what;
    struct loop *loop = loop_;
    loop->armed = INT64_MAX;

    int64_t now = loop_now(loop);
    struct timer_node *node;
    while ((node = timer_heap_pop_due(&loop->timers, now)) != NULL) {
        struct loop_timer *timer = (struct loop_timer *) node;
        timer->cb(timer->aux, now);
    }
    loop_want_turn(loop);
}

static void
turn_event_cb(int fd, short what, void *loop_)
{
    (void) fd;
    (void) what;
    struct loop *loop = loop_;
    loop->turn_wanted = false;
    loop->turn(loop->aux, loop_now(loop));
    rearm(loop);
}

struct loop *
loop_create(struct event_base *base, loop_cb *turn, void *aux)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->base = base;
    loop->turn = turn;
    loop->aux = aux;
    loop->armed = INT64_MAX;
    timer_heap_init(&loop->timers);
    loop->turn_event = event_new(base, -1, 0, turn_event_cb, loop);
    loop->timer_event = event_new(base, -1, 0, timer_event_cb, loop);
    return loop;
}

void
loop_destroy(struct loop *loop)
{
    if (!loop) {
        return;
    }
    event_free(loop->turn_event);
    event_free(loop->timer_event);
    timer_heap_uninit(&loop->timers);
    free(loop);
}

struct event_base *
loop_base(const struct loop *loop)
{
    return loop->base;
}

void
loop_want_turn(struct loop *loop)
{
    if (!loop->turn_wanted) {
        loop->turn_wanted = true;
        event_active(loop->turn_event, EV_TIMEOUT, 0);
    }
}

void
loop_timer_init(struct loop_timer *timer, loop_cb *cb, void *aux)
{
    *timer = (struct loop_timer){.cb = cb, .aux = aux};
}

/* Arming may have to move the libevent timer: the turn does that. */
void
loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at)
{
    timer_heap_set(&loop->timers, &timer->node, at);
    if (at < loop->armed) {
        loop_want_turn(loop);
    }
}

void
loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    timer_heap_cancel(&loop->timers, &timer->node);
}
