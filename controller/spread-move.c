/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A channel moves to another tree and loses nothing.
 *
 * Packets that take the new tree are marked, in their destination MAC address
 * (channel-move.c), as long as they are on links.  So old and new tree exist
 * side by side, and each packet is of one of them from its first hop to its
 * last:
 *
 *   S_PREPARE   switches of the new tree learn what to do with marked packets
 *   S_FLIP      switches mark what comes from their hosts: nobody uses the old
 *               tree any more
 *   S_SWAP      the usual entries, which nobody meets now, become those of the
 *               new tree
 *   S_UNFLIP    switches mark no more
 *   S_CLEAR     nobody meets marked packets any more
 *
 * After each step all switches confirm, and packets under way have time to
 * arrive (drain.c).  Members that come or go meanwhile wait until it is over;
 * if the net changes the move ends at once, and the usual way is taken. */

#include "controller/fabric.h"

#include <stdlib.h>

#include "lib/xalloc.h"

enum move_phase { S_PREPARE, S_FLIP, S_SWAP, S_UNFLIP, S_CLEAR };

struct spread_move {
    enum move_phase phase;
    uint32_t *on; /* The new tree. */
    size_t n_on;
    struct spread_entry *entries;
    size_t n_entries;
};

/* Reading. */

static bool
is_on(const struct spread_move *m, uint32_t node)
{
    for (size_t i = 0; i < m->n_on; i++) {
        if (m->on[i] == node) {
            return true;
        }
    }
    return false;
}

bool
spread_moves(const struct spread *s, uint32_t node, enum move_way way)
{
    const struct spread_move *m = s->move;
    if (!m || !is_on(m, node)) {
        return false;
    }
    return way == MOVE_MARKED ? m->phase < S_CLEAR
                              : m->phase == S_FLIP || m->phase == S_SWAP;
}

void
spread_move_add_nodes(const struct spread *s, uint8_t *parts)
{
    for (size_t i = 0; s->move && i < s->move->n_on; i++) {
        parts[s->move->on[i]] = 1;
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
start(struct spread *s, const struct spread_plan *p)
{
    struct spread_move *m = xcalloc(1, sizeof *m);
    m->on = xmemdup(p->on, p->n_on * sizeof *p->on);
    m->n_on = p->n_on;
    m->entries = clone_entries(p->entries, p->n_entries);
    m->n_entries = p->n_entries;
    s->move = m;
    s->ctl->fabric->n_moving++;
    spread_mark_nodes(s, m->on, m->n_on);
    drain_want(s);
}

static void
end(struct spread *s)
{
    struct spread_move *m = s->move;
    s->move = NULL;
    s->ctl->fabric->n_moving--;
    spread_mark_nodes(s, m->on, m->n_on);
    spread_entries_free(m->entries, m->n_entries);
    free(m->on);
    free(m);
    spread_mark(s);
}

static bool
has_same_entries(const struct spread *s, const struct spread_plan *p)
{
    bool same = p->n_entries == s->n_entries;
    for (size_t i = 0; i < p->n_entries && same; i++) {
        same = ip_addr_equal(&s->entries[i].source, &p->entries[i].source);
    }
    return same;
}

bool
spread_move_begin(struct spread *s)
{
    struct spread_plan p;
    if (s->dirty || s->waits || s->move || s->frozen || s->restored) {
        return false;
    }
    s->avoid = false;
    s->renew = true;
    spread_plan_make(&p, s);
    spread_move_apply(&p);
    return true;
}

void
spread_move_apply(struct spread_plan *p)
{
    struct spread *s = p->s;
    if (s->key.kind != SPREAD_CHANNEL || !has_same_entries(s, p)
        || spread_plan_is_mixable(p)) {
        spread_plan_apply(p, false);
    } else {
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
    spread_mark_nodes(s, m->on, m->n_on);
    drain_want(s);
}

void
spread_move_abort(struct spread *s)
{
    if (s->move) {
        drain_forget(s);
        end(s);
    }
}
