/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Between "take away" and "add": waiting until every switch has confirmed what
 * it was told in a turn, and a moment longer, as datapaths follow their tables
 * (ovs-facts.md: 0.5 ms, more where there are many flows).  How much longer
 * nobody says; a switch that has no time to confirm has none to follow, so the
 * moment grows with the time that it took. */

#include "controller/fabric.h"

#include <stdlib.h>

#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(drain);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 10);

enum {
    DATAPATH_MS = 3,
    MOVE_MS = 20, /* Nobody is in a hurry, and all must have followed. */
    STREAMS_PER_MS = 400, /* Each is a flow of the datapath, or several. */
    DATAPATH_MAX_MS = 100,
    /* Of the slowest switch: in each it takes some packets out of each port's
     * receive buffer, where 52 may wait. */
    MOVE_ROUND_TRIPS = 10,
    MOVE_MAX_MS = 1000,
    /* A switch that has not confirmed by then does not answer at all. */
    PATIENCE_MS = 2000
};

void
drain_forget(struct spread *s)
{
    struct fabric *f = s->ctl->fabric;
    if (s->drain) {
        LL_DELETE2(s->drain->spreads, s, next_of_drain);
    } else if (s->waits) {
        LL_DELETE2(f->to_drain, s, next_of_drain);
    }
    s->drain = NULL;
    s->waits = false;
}

void
drain_want(struct spread *s)
{
    struct fabric *f = s->ctl->fabric;
    drain_forget(s);
    s->waits = true;
    LL_PREPEND2(f->to_drain, s, next_of_drain);
    loop_want_turn(f->ctl->loop);
}

static void
drain_destroy(struct drain *d)
{
    struct fabric *f = d->ctl->fabric;
    loop_timer_clear(d->ctl->loop, &d->timer);
    DL_DELETE(f->drains, d);
    free(d->waits);
    free(d);
}

/* Links of which all drains that knew of them are over. */
static void
lay_ghosts(struct fabric *f)
{
    uint64_t oldest = f->drains ? f->drains->number : f->last_drain + 1;
    size_t n = 0;
    for (size_t i = 0; i < f->n_ghosts; i++) {
        if (f->ghosts[i].until >= oldest) {
            f->ghosts[n++] = f->ghosts[i];
        }
    }
    f->n_ghosts = n;
}

void
drain_follows(struct fabric *f)
{
    for (size_t i = 0; i < f->n_ghosts; i++) {
        if (f->ghosts[i].until == UINT64_MAX) {
            f->ghosts[i].until = f->last_drain + 1;
        }
    }
}

static void
timer_cb(void *d_, int64_t now)
{
    (void) now;
    struct drain *d = d_;
    struct spread *s;
    if (d->n_waits) {
        VLOG_WARN_RL(&rl, DPID_FMT " does not confirm what it was told",
                     d->waits[0].dpid);
    }
    while ((s = d->spreads) != NULL) {
        LL_DELETE2(d->spreads, s, next_of_drain);
        s->drain = NULL;
        s->waits = false;
        spread_confirmed(s);
    }
    struct fabric *f = d->ctl->fabric;
    loop_want_turn(d->ctl->loop);
    drain_destroy(d);
    lay_ghosts(f);
}

int64_t
drain_datapath_ms(const struct ctl *ctl)
{
    int64_t ms = DATAPATH_MS + (int64_t) streams_count(ctl) / STREAMS_PER_MS;
    return ms < DATAPATH_MAX_MS ? ms : DATAPATH_MAX_MS;
}

static int64_t
delay(const struct drain *d)
{
    int64_t ms = drain_datapath_ms(d->ctl);
    bool moves = false;
    for (const struct spread *s = d->spreads; s; s = s->next_of_drain) {
        moves |= s->move != NULL;
    }
    if (!moves) {
        return ms; /* Somebody misses packets meanwhile. */
    }
    int64_t trips = MOVE_ROUND_TRIPS * (loop_now(d->ctl->loop) - d->began);
    ms = ms < MOVE_MS ? MOVE_MS : ms;
    ms = ms < trips ? trips : ms;
    return ms < MOVE_MAX_MS ? ms : MOVE_MAX_MS;
}

static void
check(struct drain *d)
{
    if (!d->n_waits && !d->confirmed) {
        d->confirmed = true;
        loop_timer_set(d->ctl->loop, &d->timer,
                       loop_now(d->ctl->loop) + delay(d));
    }
}

/* Which switches have a part in what the drain's spreads are or were. */
static uint8_t *
find_parts(const struct drain *d)
{
    uint8_t *parts = xcalloc(topo_net_size(d->ctl->fabric->net) + 1, 1);
    for (const struct spread *s = d->spreads; s; s = s->next_of_drain) {
        for (size_t i = 0; i < s->installed.n; i++) {
            parts[s->installed.hops[i].node] = 1;
        }
        for (size_t i = 0; i < s->n_on; i++) {
            parts[s->on[i]] = 1;
        }
        spread_move_add_nodes(s, parts);
    }
    return parts;
}

static bool
has_links(const struct fabric *f, uint32_t node)
{
    size_t n;
    topo_net_hops(f->net, node, &n);
    return n > 0;
}

static void
add_waits(struct drain *d)
{
    const struct ctl *ctl = d->ctl;
    uint8_t *parts = find_parts(d);
    d->waits = xcalloc(HASH_COUNT(ctl->switches) + 1, sizeof *d->waits);
    for (struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
        uint32_t node = fabric_node(ctl->fabric, sw->dpid);
        uint64_t seqno = ofp_table_seqno(sw->table);
        if (node != TOPO_NO_NODE && parts[node] && has_links(ctl->fabric, node)
            && switch_is_connected(sw)
            && ofp_table_settled_seqno(sw->table) < seqno) {
            d->waits[d->n_waits++] =
                (struct drain_wait){.dpid = sw->dpid, .seqno = seqno};
        }
    }
    free(parts);
}

void
drain_begin(struct fabric *f)
{
    struct ctl *ctl = f->ctl;
    f->last_drain++;
    if (!f->to_drain) {
        lay_ghosts(f);
        return;
    }
    struct drain *d = xcalloc(1, sizeof *d);
    d->ctl = ctl;
    d->number = f->last_drain;
    d->spreads = f->to_drain;
    f->to_drain = NULL;
    for (struct spread *s = d->spreads; s; s = s->next_of_drain) {
        s->drain = d;
    }
    loop_timer_init(&d->timer, timer_cb, d);
    add_waits(d);
    d->began = loop_now(ctl->loop);
    loop_timer_set(ctl->loop, &d->timer, d->began + PATIENCE_MS);
    DL_APPEND(f->drains, d);
    check(d);
}

void
drains_settled(struct fabric *f, const struct ctl_switch *sw)
{
    struct drain *d;
    DL_FOREACH (f->drains, d) {
        for (size_t i = 0; i < d->n_waits; i++) {
            struct drain_wait *w = &d->waits[i];
            if (w->dpid == sw->dpid
                && (!switch_is_connected(sw)
                    || ofp_table_settled_seqno(sw->table) >= w->seqno)) {
                *w = d->waits[--d->n_waits];
                break;
            }
        }
        check(d);
    }
}

void
drains_review(struct fabric *f)
{
    struct drain *d;
    DL_FOREACH (f->drains, d) {
        size_t n = 0;
        for (size_t i = 0; i < d->n_waits; i++) {
            if (has_links(f, fabric_node(f, d->waits[i].dpid))) {
                d->waits[n++] = d->waits[i];
            }
        }
        d->n_waits = n;
        check(d);
    }
}

void
drains_destroy(struct fabric *f)
{
    struct drain *d, *tmp;
    DL_FOREACH_SAFE (f->drains, d, tmp) {
        drain_destroy(d);
    }
}
