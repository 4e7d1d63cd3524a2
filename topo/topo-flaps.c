/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-links-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

enum { HOLD_MIN_MS = 1000, HOLD_MAX_MS = 60000 };

/* A port whose link went down lately.  Apart from the port, as it outlives
 * that. */
struct topo_flap {
    struct timer_node timer; /* First: a node is its flap. */
    UT_hash_handle hh;
    struct port_id port;
    int64_t downs[TOPO_FLAPS]; /* A ring, */
    unsigned int n_downs;      /* and how many there were. */
    int64_t hold;              /* The last one's; 0: there was none. */
    int64_t held_until;
};

static struct topo_flap *
lookup(const struct topo_links *l, const struct port_id *port)
{
    struct topo_flap *f;

    HASH_FIND(hh, l->flaps, port, sizeof *port, f);
    return f;
}

static bool
is_flapping(const struct topo_flap *f, int64_t now)
{
    return f->n_downs >= TOPO_FLAPS
           && now - f->downs[f->n_downs % TOPO_FLAPS] <= TOPO_FLAP_WINDOW_MS;
}

int64_t
topo_flaps_note(struct topo_links *l, const struct port_id *port, int64_t now)
{
    struct topo_flap *f = lookup(l, port);

    if (!f) {
        f = xcalloc(1, sizeof *f);
        f->port = *port;
        HASH_ADD(hh, l->flaps, port, sizeof f->port, f);
    }
    f->downs[f->n_downs++ % TOPO_FLAPS] = now;
    if (f->hold) {
        f->hold = f->hold > HOLD_MAX_MS / 2 ? HOLD_MAX_MS : 2 * f->hold;
    } else if (is_flapping(f, now)) {
        f->hold = HOLD_MIN_MS;
    }
    f->held_until = f->hold ? now + f->hold : 0;
    /* Being held down is no merit. */
    timer_heap_set(&l->forget, &f->timer, now + f->hold + TOPO_FLAP_WINDOW_MS);
    return f->held_until;
}

int64_t
topo_flaps_held(const struct topo_links *l, const struct port_id *port,
                int64_t now)
{
    const struct topo_flap *f = lookup(l, port);

    return f && f->held_until > now ? f->held_until : 0;
}

unsigned int
topo_flaps_count(const struct topo_links *l, const struct port_id *port)
{
    const struct topo_flap *f = lookup(l, port);

    return f ? f->n_downs : 0;
}

static void
forget(struct topo_links *l, struct topo_flap *f)
{
    timer_heap_cancel(&l->forget, &f->timer);
    HASH_DEL(l->flaps, f);
    free(f);
}

void
topo_flaps_run(struct topo_links *l, int64_t now)
{
    struct timer_node *node;

    while ((node = timer_heap_pop_due(&l->forget, now))) {
        forget(l, (struct topo_flap *) node);
    }
}

void
topo_flaps_destroy(struct topo_links *l)
{
    while (l->flaps) {
        forget(l, l->flaps);
    }
}
