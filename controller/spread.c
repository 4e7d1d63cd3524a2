/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Spreads: which switches a channel, the flood of broadcast, or the way to a
 * host runs over, and what each of them sends to which of its neighbours.
 *
 *   ends (members, sources) x trees -> spans -> entries' hops: the target
 *
 *   installed + target a forest?  yes: the target is set
 *                                 no:  what both have is set; drain; target
 *
 * See doc/fabric.md for why no order of application makes a loop or a
 * double. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* Ends. */

static size_t
end_place(const struct spread *s, uint32_t node)
{
    size_t low = 0, high = s->n_ends;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->ends[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct spread_end *
spread_end_lookup(const struct spread *s, uint32_t node)
{
    size_t i = end_place(s, node);
    return i < s->n_ends && s->ends[i].node == node ? &s->ends[i] : NULL;
}

struct spread_end *
spread_end_get(struct spread *s, uint32_t node)
{
    size_t i = end_place(s, node);
    if (i == s->n_ends || s->ends[i].node != node) {
        s->ends =
            xgrow(s->ends, s->n_ends, &s->allocated_ends, sizeof *s->ends);
        memmove(&s->ends[i + 1], &s->ends[i],
                (s->n_ends - i) * sizeof *s->ends);
        s->ends[i] = (struct spread_end){.node = node};
        s->n_ends++;
    }
    return &s->ends[i];
}

/* Life. */

struct spread_key
spread_key_of_channel(uint16_t vlan, const struct ip_addr *group)
{
    return (struct spread_key){
        .name = *group, .vlan = vlan, .kind = SPREAD_CHANNEL};
}

struct spread *
spread_lookup(const struct fabric *f, const struct spread_key *key)
{
    struct spread *s;
    HASH_FIND(hh, f->spreads, key, sizeof *key, s);
    return s;
}

struct spread *
spread_get(struct fabric *f, const struct spread_key *key)
{
    struct spread *s = spread_lookup(f, key);
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->ctl = f->ctl;
        s->key = *key;
        s->entries = xcalloc(1, sizeof *s->entries);
        s->n_entries = 1;
        HASH_ADD(hh, f->spreads, key, sizeof s->key, s);
    }
    return s;
}

void
spread_entries_free(struct spread_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hop_set_uninit(&entries[i].hops);
    }
    free(entries);
}

void
spread_destroy(struct spread *s)
{
    struct fabric *f = s->ctl->fabric;
    if (f->moving == s) {
        f->moving = s->hh.next;
    }
    /* It marks the spread as it ends. */
    spread_move_abort(s);
    if (s->dirty) {
        LL_DELETE2(f->dirty_spreads, s, next_dirty);
    }
    drain_forget(s);
    f->n_draining -= s->draining;
    f->n_frozen -= s->frozen;
    HASH_DELETE(hh, f->spreads, s);
    trees_release(&s->trees, f);
    spread_entries_free(s->entries, s->n_entries);
    hop_set_uninit(&s->installed);
    free(s->ends);
    free(s->on);
    free(s->touched);
    free(s);
}

static void
set_dirty(struct spread *s)
{
    struct fabric *f = s->ctl->fabric;
    if (!s->dirty) {
        s->dirty = true;
        LL_PREPEND2(f->dirty_spreads, s, next_dirty);
        loop_want_turn(s->ctl->loop);
    }
}

void
spread_mark(struct spread *s)
{
    s->dirty_all = true;
    set_dirty(s);
}

void
spread_touch(struct spread *s, uint32_t node)
{
    if (!s->dirty_all
        && (!s->n_touched || s->touched[s->n_touched - 1] != node)) {
        s->touched = xgrow(s->touched, s->n_touched, &s->allocated_touched,
                           sizeof *s->touched);
        s->touched[s->n_touched++] = node;
    }
    set_dirty(s);
}

/* Reading. */

static bool
is_late(const struct spread *s, uint32_t node)
{
    const struct spread_end *end =
        s->draining ? spread_end_lookup(s, node) : NULL;
    return end && end->late;
}

bool
spread_is_on(const struct spread *s, uint32_t node)
{
    size_t low = 0, high = s->n_on;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->on[middle] < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->n_on && s->on[low] == node && !is_late(s, node);
}

static const struct spread_entry *
entry_of(const struct spread *s, const struct ip_addr *source)
{
    size_t low = 1, high = s->n_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ip_addr_compare(&s->entries[middle].source, source);
        if (!order) {
            return &s->entries[middle];
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &s->entries[0];
}

void
spread_each_port(const struct spread *s, uint32_t node,
                 const struct ip_addr *source, spread_port_cb *cb, void *aux)
{
    const struct hop_set *hops = &entry_of(s, source)->hops;
    for (size_t i = hop_set_first(hops, node);
         i < hops->n && hops->hops[i].node == node; i++) {
        if (!s->draining || hop_set_has(&s->installed, &hops->hops[i])) {
            cb(aux, hops->hops[i].port);
        }
    }
}

void
spread_target(const struct spread *s, struct hop_set *all)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        hop_set_unite(all, &s->entries[i].hops);
    }
}

static bool
is_held(void *s_, const struct topo_span_hop *hop)
{
    const struct spread *s = s_;
    return hop_set_has(&s->installed, hop) && !is_late(s, hop->node);
}

void
spread_emitted(const struct spread *s, struct hop_set *emitted)
{
    spread_target(s, emitted);
    if (s->draining) {
        hop_set_filter(emitted, is_held, (void *) s);
    }
}

void
spread_forget_restored(struct spread *s)
{
    bool any = false;
    for (size_t i = 0; i < s->n_ends; i++) {
        any |= s->ends[i].restored;
        s->ends[i].restored = false;
    }
    if (any) {
        spread_mark(s);
    }
}

static int
compare_nodes(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

/* The entry of a source; a new one is as the (*,G), which is what its packets
 * have met so far. */
struct spread_entry *
spread_entries_get(struct spread_entry **entries, size_t *n,
                   const struct ip_addr *source)
{
    size_t i = 0;
    while (i < *n && ip_addr_compare(&(*entries)[i].source, source) < 0) {
        i++;
    }
    if (i == *n || !ip_addr_equal(&(*entries)[i].source, source)) {
        *entries = xrealloc(*entries, (*n + 1) * sizeof **entries);
        memmove(&(*entries)[i + 1], &(*entries)[i],
                (*n - i) * sizeof **entries);
        (*entries)[i] = (struct spread_entry){.source = *source};
        hop_set_unite(&(*entries)[i].hops, &(*entries)[0].hops);
        ++*n;
    }
    return &(*entries)[i];
}

static bool
is_elsewhere(void *node, const struct topo_span_hop *hop)
{
    return hop->node != *(const uint32_t *) node;
}

void
spread_adopt(struct spread *s, uint32_t node, const struct ip_addr *source,
             const uint32_t *ports, size_t n_ports)
{
    struct spread_entry *own =
        spread_entries_get(&s->entries, &s->n_entries, source);
    struct hop_set hops = {.hops = NULL};
    for (size_t i = 0; i < n_ports; i++) {
        hop_set_add(&hops,
                    &(struct topo_span_hop){.node = node, .port = ports[i]});
    }
    struct spread_entry *end =
        own == s->entries ? s->entries + s->n_entries : own + 1;
    for (struct spread_entry *e = own; e < end; e++) {
        hop_set_filter(&e->hops, is_elsewhere, &node);
        hop_set_unite(&e->hops, &hops);
    }
    hop_set_unite(&s->installed, &hops);
    hop_set_uninit(&hops);
    if (!spread_is_on(s, node)) {
        s->on = xrealloc(s->on, (s->n_on + 1) * sizeof *s->on);
        s->on[s->n_on++] = node;
        qsort(s->on, s->n_on, sizeof *s->on, compare_nodes);
    }
    s->restored = true;
}
