/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-wires.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
wires_init(struct wires *w)
{
    memset(w, 0, sizeof *w);
    for (int sw = 0; sw < WIRES_SWITCHES; sw++) {
        for (int port = 0; port <= WIRES_PORTS; port++) {
            w->peers[sw][port].sw = -1;
        }
    }
}

void
wires_connect(struct wires *w, int a, uint32_t a_port, int b, uint32_t b_port)
{
    w->peers[a][a_port] = (struct wires_end){b, b_port};
    w->peers[b][b_port] = (struct wires_end){a, a_port};
}

const struct wires_end *
wires_peer(const struct wires *w, int sw, uint32_t port)
{
    const struct wires_end *peer;

    if (port > WIRES_PORTS) {
        return NULL;
    }
    peer = &w->peers[sw][port];
    return peer->sw >= 0 && !w->down[sw][port]
                   && !w->down[peer->sw][peer->port]
               ? peer
               : NULL;
}

bool
wires_reach(const struct wires *w, int from, int to)
{
    unsigned int reached = 1U << from, before = 0;

    while (before != reached) {
        before = reached;
        for (int sw = 0; sw < w->n_switches; sw++) {
            for (uint32_t port = 1; reached & 1U << sw && port <= WIRES_PORTS;
                 port++) {
                const struct wires_end *peer = wires_peer(w, sw, port);

                reached |= peer ? 1U << peer->sw : 0;
            }
        }
    }
    return (reached & 1U << to) != 0;
}

/* Walking. */

struct walking {
    const struct wires *wires;
    struct wires_walk *walk;
    int step; /* Whose copies are being taken. */
};

static void
mark_useful(struct wires_walk *walk, int step)
{
    for (; step >= 0 && !walk->steps[step].is_useful;
         step = walk->steps[step].from) {
        walk->steps[step].is_useful = true;
    }
}

static bool
was_there(const struct wires_walk *walk, int step,
          const struct wires_end *door)
{
    for (; step >= 0; step = walk->steps[step].from) {
        const struct wires_step *s = &walk->steps[step];

        if (s->sw == door->sw && s->in_port == door->port) {
            return true;
        }
    }
    return false;
}

static void
enter(struct wires_walk *walk, int from, const struct wires_end *door,
      const void *frame, size_t size)
{
    struct wires_step *s = &walk->steps[walk->n_steps];

    if (was_there(walk, from, door) || walk->n_steps == WIRES_MAX_STEPS) {
        walk->looped = true;
        return;
    }
    s->sw = door->sw;
    s->in_port = door->port;
    s->from = from;
    s->is_useful = false;
    s->size = size < WIRES_FRAME_SIZE ? size : WIRES_FRAME_SIZE;
    memcpy(s->frame, frame, s->size);
    walk->n_steps++;
}

static void
take_copy(void *w_, uint32_t port, const void *frame, size_t size)
{
    struct walking *w = w_;
    int sw = w->walk->steps[w->step].sw;
    const struct wires_end *peer = wires_peer(w->wires, sw, port);

    if (port == FAKE_PORT_CONTROLLER) {
        w->walk->punted[sw] = true;
    } else if (peer) {
        enter(w->walk, w->step, peer, frame, size);
    } else if (port <= WIRES_PORTS && w->wires->peers[sw][port].sw < 0
               && !w->wires->down[sw][port]) {
        w->walk->arrived[sw][port]++;
        mark_useful(w->walk, w->step);
    }
}

void
wires_walk(const struct wires *wires, int sw, uint32_t in_port,
           const void *frame, size_t size, struct wires_walk *walk)
{
    struct walking w = {.wires = wires, .walk = walk};
    struct wires_end door = {sw, in_port};

    memset(walk->arrived, 0, sizeof walk->arrived);
    memset(walk->punted, 0, sizeof walk->punted);
    walk->looped = false;
    walk->n_steps = 0;
    if (wires->down[sw][in_port]) {
        return;
    }
    enter(walk, -1, &door, frame, size);
    for (; w.step < walk->n_steps; w.step++) {
        const struct wires_step *s = &walk->steps[w.step];

        fake_switch_probe(wires->switches[s->sw], s->in_port, s->frame,
                          s->size, take_copy, &w);
    }
}

bool
wires_walk_doubled(const struct wires_walk *walk, struct wires_end *end)
{
    for (int sw = 0; sw < WIRES_SWITCHES; sw++) {
        for (uint32_t port = 1; port <= WIRES_PORTS; port++) {
            if (walk->arrived[sw][port] > 1) {
                *end = (struct wires_end){sw, port};
                return true;
            }
        }
    }
    return false;
}

bool
wires_walk_wasted(const struct wires_walk *walk, struct wires_end *end)
{
    for (int i = 1; i < walk->n_steps; i++) {
        const struct wires_step *s = &walk->steps[i];

        if (!s->is_useful) {
            *end = (struct wires_end){s->sw, s->in_port};
            return true;
        }
    }
    return false;
}

/* For people. */

struct text {
    char *at;
    size_t room;
};

static void __attribute__((format(printf, 2, 3)))
say(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->at, t->room, format, args);
    va_end(args);
    if (n > 0 && (size_t) n < t->room) {
        t->at += n;
        t->room -= (size_t) n;
    }
}

void
wires_walk_format(const struct wires *w, const struct wires_walk *walk,
                  char *text, size_t size)
{
    struct text t = {text, size};

    *text = '\0';
    for (int i = 0; i < walk->n_steps && i < 40; i++) {
        const struct wires_step *s = &walk->steps[i];
        const struct wires_end *peer = &w->peers[s->sw][s->in_port];

        if (s->from < 0) {
            say(&t, "s%d:%u", s->sw + 1, s->in_port);
        } else {
            say(&t, " s%d:%u=s%d:%u", peer->sw + 1, peer->port, s->sw + 1,
                s->in_port);
        }
    }
    for (int sw = 0; sw < w->n_switches; sw++) {
        for (uint32_t port = 1; port <= WIRES_PORTS; port++) {
            for (int n = walk->arrived[sw][port]; n > 0; n--) {
                say(&t, " s%d:%u*", sw + 1, port);
            }
        }
    }
    say(&t, "%s", walk->looped ? " and round again" : "");
}

void
wires_format(const struct wires *w, char *text, size_t size)
{
    struct text t = {text, size};

    *text = '\0';
    say(&t, "%d switches", w->n_switches);
    for (int sw = 0; sw < w->n_switches; sw++) {
        for (uint32_t port = 1; port <= WIRES_PORTS; port++) {
            const struct wires_end *peer = &w->peers[sw][port];

            if (peer->sw > sw) {
                say(&t, " s%d:%u=s%d:%u%s", sw + 1, port, peer->sw + 1,
                    peer->port, wires_peer(w, sw, port) ? "" : "(down)");
            }
        }
    }
}
