/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-conns.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/xalloc.h"

enum { SWEEP_INTERVAL_S = 1 };

struct conn {
    struct bufferevent *bev; /* We hold a reference. */
    int64_t since;           /* Idle since, if not in use; ms. */
    bool in_use;
    bool cut; /* Shut down by us; evhttp will notice. */
};

struct api_conns {
    struct event_base *base;
    struct event *sweep_timer;
    struct evconnlistener *listener;
    size_t max;
    int64_t request_timeout_ms;
    struct conn *conns;
    size_t n, allocated;
};

static int64_t
clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* evhttp_connection_free() ends in bufferevent_free(), which takes the
 * callbacks away. */
static bool
is_freed(const struct conn *c)
{
    bufferevent_event_cb event_cb;

    bufferevent_getcb(c->bev, NULL, NULL, &event_cb, NULL);
    return !event_cb;
}

static void
cut(struct conn *c)
{
    c->cut = true;
    shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

static void
sweep(struct api_conns *conns, int64_t now)
{
    for (size_t i = 0; i < conns->n;) {
        struct conn *c = &conns->conns[i];
        if (is_freed(c)) {
            bufferevent_decref(c->bev);
            *c = conns->conns[--conns->n];
            continue;
        }
        if (!c->in_use && !c->cut
            && now - c->since > conns->request_timeout_ms) {
            cut(c);
        }
        i++;
    }
}

/* The argument is evhttp's, which owns the listener. */
static void
on_accept_error(struct evconnlistener *listener, void *http)
{
    (void) http;
    evconnlistener_disable(listener);
}

static void
on_sweep_timer(evutil_socket_t fd, short what, void *aux)
{
    struct api_conns *conns = aux;

    (void) fd;
    (void) what;
    sweep(conns, clock_ms());
    if (conns->listener && conns->n < conns->max) {
        evconnlistener_enable(conns->listener);
    }
}

struct api_conns *
api_conns_create(struct event_base *base, size_t max,
                 int64_t request_timeout_ms)
{
    struct api_conns *conns = xcalloc(1, sizeof *conns);

    conns->base = base;
    conns->max = max;
    conns->request_timeout_ms = request_timeout_ms;
    conns->sweep_timer =
        event_new(base, -1, EV_PERSIST, on_sweep_timer, conns);
    event_add(conns->sweep_timer, &(struct timeval){SWEEP_INTERVAL_S, 0});
    return conns;
}

void
api_conns_destroy(struct api_conns *conns)
{
    if (conns) {
        for (size_t i = 0; i < conns->n; i++) {
            bufferevent_decref(conns->conns[i].bev);
        }
        event_free(conns->sweep_timer);
        free(conns->conns);
        free(conns);
    }
}

void
api_conns_set_listener(struct api_conns *conns,
                       struct evconnlistener *listener)
{
    conns->listener = listener;
    evconnlistener_set_error_cb(listener, on_accept_error);
}

/* The idle one that has had the longest time, NULL if all are in use. */
static struct conn *
find_victim(struct api_conns *conns)
{
    struct conn *victim = NULL;

    for (size_t i = 0; i < conns->n; i++) {
        struct conn *c = &conns->conns[i];
        if (!c->in_use && !c->cut && (!victim || c->since < victim->since)) {
            victim = c;
        }
    }
    return victim;
}

struct bufferevent *
api_conns_add(struct api_conns *conns)
{
    int64_t now = clock_ms();

    sweep(conns, now);
    if (conns->n >= conns->max) {
        struct conn *victim = find_victim(conns);
        if (victim) {
            cut(victim);
        }
        /* Cut ones go within a turn of the loop; where there are none to
         * cut, all are in use. */
        if (conns->n >= 2 * conns->max && conns->listener) {
            evconnlistener_disable(conns->listener);
        }
    }
    struct bufferevent *bev =
        bufferevent_socket_new(conns->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        abort(); /* Out of memory, as xmalloc() has it. */
    }
    bufferevent_incref(bev);
    conns->conns =
        xgrow(conns->conns, conns->n, &conns->allocated, sizeof *conns->conns);
    conns->conns[conns->n++] = (struct conn){.bev = bev, .since = now};
    return bev;
}

void
api_conns_set_in_use(struct api_conns *conns, const struct bufferevent *bev,
                     bool in_use)
{
    for (size_t i = 0; i < conns->n; i++) {
        struct conn *c = &conns->conns[i];
        if (c->bev == bev) {
            c->in_use = in_use;
            c->since = clock_ms();
            return;
        }
    }
}

size_t
api_conns_count(const struct api_conns *conns)
{
    return conns->n;
}
