/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A channel moves to another tree and loses nothing.
 *
 * Packets that take the new tree are marked, in their destination MAC address
 * (channel-move.c, route-far.c), as long as they are on links.  So old and new
 * tree exist side by side, and each packet is of one of them from its first
 * hop to its last:
 *
 *   S_PREPARE   switches of the new tree learn what to do with marked packets
 *   S_FLIP      switches mark what comes from their hosts, or, if they are of
 *               the old tree only and so have known no source, show it to us:
 *               nobody uses the old tree any more
 *   S_SWAP      the usual entries, which nobody meets now, become those of the
 *               new tree
 *   S_UNFLIP    switches mark no more
 *   S_CLEAR     nobody meets marked packets any more
 *
 * After each step all switches confirm, and packets under way have time to
 * arrive (drain.c).  Members that come or go meanwhile wait until it is over;
 * if the net changes below it the move ends at once, and the usual way is
 * taken. */

#include "controller/fabric.h"

#include <stdlib.h>

#include "lib/xalloc.h"

enum move_phase { S_PREPARE, S_FLIP, S_SWAP, S_UNFLIP, S_CLEAR };

struct spread_move {
    enum move_phase phase;
    struct tree_set old_trees; /* Of which it was before; ... */
    bool old_avoid;            /* ...how they were made. */
    uint32_t *on;              /* The new tree. */
    size_t n_on;
    uint32_t *off; /* Of the old tree only. */
    size_t n_off;
    struct spread_entry *entries;
    size_t n_entries;
};

/* Reading. */

static bool
has_node(const uint32_t *nodes, size_t n, uint32_t node)
{
    for (size_t i = 0; i < n; i++) {
        if (nodes[i] == node) {
            return true;
        }
    }
    return false;
}

bool
spread_moves(const struct spread *s, uint32_t node, enum move_way way)
{
    const struct spread_move *m = s->move;
    bool flipped = m && (m->phase == S_FLIP || m->phase == S_SWAP);
    switch (way) {
    case MOVE_MARKED:
        return m && m->phase < S_CLEAR && has_node(m->on, m->n_on, node);
    case MOVE_FLIPPED:
        return flipped && has_node(m->on, m->n_on, node);
    case MOVE_LEFT:
        return flipped && has_node(m->off, m->n_off, node);
    }
    return false;
}

void
spread_move_add_nodes(const struct spread *s, uint8_t *parts)
{
    const struct spread_move *m = s->move;
    for (size_t i = 0; m && i < m->n_on; i++) {
        parts[m->on[i]] = 1;
    }
    for (size_t i = 0; m && i < m->n_off; i++) {
        parts[m->off[i]] = 1;
    }
}

void
spread_move_each_port(const struct spread *s, uint32_t node,
                      const struct ip_addr *source, spread_port_cb *cb,
                      void *aux)
{
    const struct spread_move *m = s->move;
    const struct spread_entry *e = m ? &m->entries[0] : NULL;
    for (size_t i = 1; m && i < m->n_entries; i++) {
        if (ip_addr_equal(&m->entries[i].source, source)) {
            e = &m->entries[i];
        }
    }
    for (size_t i = e ? hop_set_first(&e->hops, node) : 0;
         e && i < e->hops.n && e->hops.hops[i].node == node; i++) {
        cb(aux, e->hops.hops[i].port);
    }
}

/* Moving. */

static struct spread_entry *
clone_entries(const struct spread_entry *entries, size_t n)
{
    struct spread_entry *clone = xcalloc(n + 1, sizeof *clone);
    for (size_t i = 0; i < n; i++) {
        clone[i].source = entries[i].source;
        hop_set_unite(&clone[i].hops, &entries[i].hops);
    }
    return clone;
}

static void
mark_all(const struct spread *s, const struct spread_move *m)
{
    spread_mark_nodes(s, m->on, m->n_on);
    spread_mark_nodes(s, m->off, m->n_off);
}

static void
find_left(struct spread_move *m, const struct spread *s)
{
    m->off = xcalloc(s->n_on + 1, sizeof *m->off);
    for (size_t i = 0; i < s->n_on; i++) {
        if (!has_node(m->on, m->n_on, s->on[i])) {
            m->off[m->n_off++] = s->on[i];
        }
    }
}

static void
start(struct spread *s, struct spread_plan *p)
{
    struct spread_move *m = xcalloc(1, sizeof *m);
    m->on = xmemdup(p->on, p->n_on * sizeof *p->on);
    m->n_on = p->n_on;
    m->entries = clone_entries(p->entries, p->n_entries);
    m->n_entries = p->n_entries;
    find_left(m, s);
    m->old_trees = trees_clone(&s->trees);
    m->old_avoid = s->avoid;
    s->move = m;
    spread_plan_take_trees(p);
    s->ctl->fabric->n_moving++;
    mark_all(s, m);
    drain_want(s);
}

static void
end(struct spread *s)
{
    struct spread_move *m = s->move;
    s->move = NULL;
    s->ctl->fabric->n_moving--;
    mark_all(s, m);
    spread_entries_free(m->entries, m->n_entries);
    trees_release(&m->old_trees, s->ctl->fabric);
    free(m->on);
    free(m->off);
    free(m);
    spread_mark(s);
}

/* Sources that some filter names may come and go at the same time: during the
 * move each of them has an entry, before and after.  Those that are too many
 * are gone with the next plan. */
static void
unite_sources(struct spread *s, struct spread_plan *p)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        spread_entries_get(&p->entries, &p->n_entries, &s->entries[i].source);
    }
    for (size_t i = 0; i < p->n_entries; i++) {
        spread_entries_get(&s->entries, &s->n_entries, &p->entries[i].source);
    }
}

bool
spread_move_begin(struct spread *s)
{
    struct spread_plan p;
    if (s->dirty || s->waits || s->move || s->frozen || s->restored) {
        return false;
    }
    spread_plan_make(&p, s, TREES_BEST);
    spread_move_apply(&p);
    return true;
}

void
spread_move_apply(struct spread_plan *p)
{
    struct spread *s = p->s;
    bool moves = s->key.kind == SPREAD_CHANNEL || s->key.kind == SPREAD_FAR;
    if (!moves || spread_plan_is_mixable(p)) {
        spread_plan_apply(p, false);
    } else {
        unite_sources(s, p);
        start(s, p);
        spread_plan_uninit(p);
    }
}

/* The usual entries become those of the new tree. */
static void
swap(struct spread *s)
{
    const struct spread_move *m = s->move;
    struct spread_plan p = {.s = s,
                            .avoid = s->avoid,
                            .trees = trees_clone(&s->trees),
                            .on = xmemdup(m->on, m->n_on * sizeof *m->on),
                            .n_on = m->n_on,
                            .entries = clone_entries(m->entries, m->n_entries),
                            .n_entries = m->n_entries};
    spread_plan_apply(&p, true);
    hop_set_uninit(&s->installed);
    spread_target(s, &s->installed);
}

void
spread_move_next(struct spread *s)
{
    struct spread_move *m = s->move;
    m->phase++;
    if (m->phase == S_CLEAR) {
        end(s);
        return;
    } else if (m->phase == S_SWAP) {
        swap(s);
    }
    mark_all(s, m);
    drain_want(s);
}

/* Until the usual entries change the spread is of its old trees. */
static void
put_back_trees(struct spread *s)
{
    struct spread_move *m = s->move;
    if (m->phase < S_SWAP) {
        struct tree_set new = s->trees;
        s->trees = m->old_trees;
        s->avoid = m->old_avoid;
        m->old_trees = new;
    }
}

void
spread_move_abort(struct spread *s)
{
    if (s->move) {
        drain_forget(s);
        put_back_trees(s);
        end(s);
    }
}

/* Are all links there, and can all switches be told? */
static bool
may_go_on(const struct spread *s)
{
    const struct fabric *f = s->ctl->fabric;
    const struct spread_move *m = s->move;
    bool may = spread_is_whole(s, &s->installed);
    for (size_t i = 0; i < m->n_on && may; i++) {
        may = !fabric_is_away(f, m->on[i]);
    }
    for (size_t i = 0; i < m->n_entries && may; i++) {
        may = spread_is_whole(s, &m->entries[i].hops);
    }
    return may;
}

void
spread_move_review(struct spread *s)
{
    if (s->move && !may_go_on(s)) {
        spread_move_abort(s);
    }
}
