/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the switches of a spread shall hold, and the way there without loops
 * and doubles: see doc/fabric.md. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static void
drop_idle_ends(struct spread *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_ends; i++) {
        if (s->ends[i].receiver || s->ends[i].n_sources
            || s->ends[i].restored) {
            s->ends[n++] = s->ends[i];
        }
    }
    s->n_ends = n;
}

/* Compiling. */

static int
compare_nodes(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

/* The hops for these receivers, over all trees.  'on' if it is wanted. */
static void
plan_hops(struct spread_plan *p, const uint32_t *receivers, size_t n,
          struct hop_set *hops, bool on)
{
    struct topo_span_scratch *scratch = &p->s->ctl->fabric->scratch;
    struct topo_span span = {.on = NULL};
    for (size_t i = 0; i < p->trees.n; i++) {
        topo_span_make(p->trees.trees[i]->topo, receivers, n, p->ends,
                       p->n_ends, scratch, &span);
        struct hop_set set = hop_set_of_span(&span);
        hop_set_unite(hops, &set);
        if (on && span.n_on) {
            p->on = xrealloc(p->on, (p->n_on + span.n_on) * sizeof *p->on);
            memcpy(&p->on[p->n_on], span.on, span.n_on * sizeof *p->on);
            p->n_on += span.n_on;
        }
    }
    if (on && p->trees.n > 1 && p->n_on) {
        qsort(p->on, p->n_on, sizeof *p->on, compare_nodes);
    }
    topo_span_uninit(&span);
}

/* Who has a part in it is the same for all entries; with filters the (*,G)
 * entry is for fewer than all receivers. */
static void
plan_star(struct spread_plan *p, bool filtered)
{
    const struct spread *s = p->s;
    struct hop_set hops = {.hops = NULL};
    uint32_t *nodes = xcalloc(s->n_ends + 1, sizeof *nodes);
    size_t n = 0;
    for (size_t i = 0; i < s->n_ends; i++) {
        if (s->ends[i].receiver) {
            nodes[n++] = s->ends[i].node;
        }
    }
    plan_hops(p, nodes, n, filtered ? &hops : &p->entries[0].hops, true);
    free(nodes);
    hop_set_uninit(&hops);
    if (filtered) {
        n = spread_find_receivers(s, p->vlan, &IP_ADDR_ANY, &nodes);
        plan_hops(p, nodes, n, &p->entries[0].hops, false);
        free(nodes);
    }
}

static void
plan_entries(struct spread_plan *p)
{
    struct spread *s = p->s;
    struct ip_addr *sources;
    size_t n = spread_find_sources(s, p->vlan, &sources);
    p->entries = xcalloc(n + 1, sizeof *p->entries);
    p->n_entries = n + 1;
    p->ends = xcalloc(s->n_ends + 1, sizeof *p->ends);
    for (size_t i = 0; i < s->n_ends; i++) {
        p->ends[p->n_ends++] = s->ends[i].node;
    }
    plan_star(p, n > 0);
    for (size_t i = 0; i < n; i++) {
        uint32_t *nodes;
        size_t n_nodes =
            spread_find_receivers(s, p->vlan, &sources[i], &nodes);
        p->entries[i + 1].source = sources[i];
        plan_hops(p, nodes, n_nodes, &p->entries[i + 1].hops, false);
        free(nodes);
    }
    free(sources);
}

void
spread_plan_uninit(struct spread_plan *p)
{
    spread_entries_free(p->entries, p->n_entries);
    trees_release(&p->trees, p->s->ctl->fabric);
    free(p->ends);
    free(p->on);
    *p = (struct spread_plan){.s = p->s, .vlan = p->vlan};
}

/* Is a switch asked for something that it cannot be told, and only because it
 * is in the way? */
static bool
is_in_the_way(const struct spread_plan *p)
{
    const struct spread *s = p->s;
    const struct fabric *f = s->ctl->fabric;
    for (size_t i = 0; i < p->n_entries; i++) {
        const struct hop_set *hops = &p->entries[i].hops;
        for (size_t j = 0; j < hops->n; j++) {
            if (fabric_is_away(f, hops->hops[j].node)
                && !hop_set_has(&s->installed, &hops->hops[j])
                && !spread_end_lookup(s, hops->hops[j].node)) {
                return true;
            }
        }
    }
    return false;
}

/* How many ends the trees reach. */
static size_t
count_reached(const struct spread_plan *p)
{
    const struct spread *s = p->s;
    size_t n = 0;
    for (size_t i = 0; i < s->n_ends; i++) {
        for (size_t j = 0; j < p->trees.n; j++) {
            n += topo_tree_node(p->trees.trees[j]->topo, s->ends[i].node)
                 != NULL;
        }
    }
    return n;
}

static void
plan_again(struct spread_plan *p, enum tree_choice choice)
{
    spread_plan_uninit(p);
    p->choice = choice;
    p->avoid = trees_avoid(p->s, choice);
    trees_choose(&p->trees, p->s, choice);
    plan_entries(p);
}

/* Round those who cannot be told, if there is a way round for everybody. */
void
spread_plan_make(struct spread_plan *p, struct spread *s,
                 enum tree_choice choice)
{
    *p =
        (struct spread_plan){.s = s, .vlan = vlan_lookup(s->ctl, s->key.vlan)};
    plan_again(p, choice);
    if (is_in_the_way(p)) {
        size_t n = count_reached(p);
        plan_again(p, TREES_ROUND);
        if (count_reached(p) < n) {
            plan_again(p, choice);
        }
    }
}

void
spread_plan_take_trees(struct spread_plan *p)
{
    struct spread *s = p->s;
    struct tree_set old = s->trees;
    s->trees = p->trees;
    p->trees = old;
    s->avoid = p->avoid;
    s->root_mark = 0;
}

/* A hop over a link that is not there, and cannot come back unnoticed, carries
 * nothing. */
static bool
is_alive(void *f, const struct topo_span_hop *hop)
{
    struct topo_span_hop peer;
    return fabric_hop_peer(f, hop, &peer);
}

bool
spread_is_whole(const struct spread *s, const struct hop_set *hops)
{
    const struct topo_net *net = s->ctl->fabric->net;
    bool whole = true;
    for (size_t i = 0; i < hops->n && whole; i++) {
        whole =
            topo_net_hop(net, hops->hops[i].node, hops->hops[i].port) != NULL;
    }
    return whole;
}

/* Nothing comes to a switch that is away and no end, unless somebody sends it
 * there: what such a one holds does no harm. */
struct reach {
    const struct spread *s;
    const struct hop_set *hops;
};

static bool
is_entered(const struct reach *r, uint32_t node)
{
    for (size_t i = 0; i < r->hops->n; i++) {
        struct topo_span_hop peer;
        if (fabric_hop_peer(r->s->ctl->fabric, &r->hops->hops[i], &peer)
            && peer.node == node) {
            return true;
        }
    }
    return false;
}

static bool
matters(void *reach_, const struct topo_span_hop *hop)
{
    const struct reach *r = reach_;
    return !fabric_is_away(r->s->ctl->fabric, hop->node)
           || spread_end_lookup(r->s, hop->node) || is_entered(r, hop->node);
}

static bool
may_be_mixed(const struct spread *s, const struct hop_set *both)
{
    struct hop_set set = {.hops = NULL};
    struct reach reach = {s, both};
    hop_set_unite(&set, both);
    if (s->frozen) {
        hop_set_filter(&set, matters, &reach);
    }
    bool forest = hop_set_is_forest(&set, fabric_hop_peer, s->ctl->fabric);
    hop_set_uninit(&set);
    return forest;
}

static void
set_draining(struct spread *s, bool draining)
{
    s->ctl->fabric->n_draining += (size_t) draining - (size_t) s->draining;
    s->draining = draining;
}

static void
set_frozen(struct spread *s)
{
    struct fabric *f = s->ctl->fabric;
    bool frozen = false;
    for (size_t i = 0; i < s->n_on && !frozen; i++) {
        frozen = fabric_is_away(f, s->on[i]);
    }
    for (size_t i = 0; i < s->installed.n && !frozen; i++) {
        frozen = fabric_is_away(f, s->installed.hops[i].node);
    }
    f->n_frozen += (size_t) frozen - (size_t) s->frozen;
    s->frozen = frozen;
}

/* Marks where what the switches hold of the spread becomes another. */
static void
mark_changes(const struct spread *s, const struct spread_plan *old,
             const struct hop_set *before)
{
    bool same_entries = old->n_entries == s->n_entries;
    struct hop_set after = {.hops = NULL};
    for (size_t i = 0; i < s->n_entries && same_entries; i++) {
        same_entries =
            ip_addr_equal(&old->entries[i].source, &s->entries[i].source);
    }
    if (!same_entries) {
        spread_mark_nodes(s, s->on, s->n_on);
        spread_mark_nodes(s, old->on, old->n_on);
        return;
    }
    for (size_t i = 0; i < s->n_entries; i++) {
        spread_mark_difference(s, &old->entries[i].hops, &s->entries[i].hops);
        spread_mark_difference(s, &s->entries[i].hops, &old->entries[i].hops);
    }
    spread_emitted(s, &after);
    spread_mark_difference(s, before, &after);
    spread_mark_difference(s, &after, before);
    hop_set_uninit(&after);
    for (size_t i = 0; i < old->n_on; i++) {
        if (!spread_is_on(s, old->on[i])) {
            spread_mark_node(s, old->on[i]);
        }
    }
    for (size_t i = 0, j = 0; i < s->n_on; i++) {
        while (j < old->n_on && old->on[j] < s->on[i]) {
            j++;
        }
        if (j == old->n_on || old->on[j] != s->on[i]) {
            spread_mark_node(s, s->on[i]);
        }
    }
}

static void
target_of(const struct spread_plan *p, struct hop_set *target)
{
    for (size_t i = 0; i < p->n_entries; i++) {
        hop_set_unite(target, &p->entries[i].hops);
    }
}

bool
spread_plan_is_mixable(const struct spread_plan *p)
{
    struct hop_set both = {.hops = NULL};
    hop_set_unite(&both, &p->s->installed);
    target_of(p, &both);
    bool mixable = may_be_mixed(p->s, &both);
    hop_set_uninit(&both);
    return mixable;
}

/* Takes the plan over; what there was before is left in it. */
static void
swap(struct spread *s, struct spread_plan *p)
{
    struct spread_plan new = *p;
    p->on = s->on;
    p->n_on = s->n_on;
    p->entries = s->entries;
    p->n_entries = s->n_entries;
    s->on = new.on;
    s->n_on = new.n_on;
    s->entries = new.entries;
    s->n_entries = new.n_entries;
    spread_plan_take_trees(p);
}

/* A source that has just been seen, at a switch where nobody wants the
 * channel: its first packets are shown to us, and we deliver them.  That must
 * go on until all others can take its packets, so that none is lost.  True if
 * there is such an end. */
static bool
set_late(struct spread_plan *p)
{
    struct spread *s = p->s;
    bool any = false;
    for (size_t i = 0; i < s->n_ends; i++) {
        struct spread_end *end = &s->ends[i];
        end->late =
            end->fresh && !end->receiver && !spread_is_on(s, end->node);
        end->fresh = false;
        any |= end->late;
    }
    return any;
}

static bool
is_for_late(void *s, const struct topo_span_hop *hop)
{
    const struct spread_end *end = spread_end_lookup(s, hop->node);
    return end && end->late;
}

static bool
is_for_others(void *s, const struct topo_span_hop *hop)
{
    return !is_for_late(s, hop);
}

/* Adds what may be added now.  False: something has to wait. */
static bool
add_to_installed(struct spread *s, const struct hop_set *target, bool late)
{
    struct hop_set now = {.hops = NULL};
    hop_set_unite(&now, target);
    if (late) {
        hop_set_filter(&now, is_for_others, s);
    }
    bool waits = late && !hop_set_contains(&s->installed, &now);
    hop_set_unite(&s->installed, waits ? &now : target);
    hop_set_uninit(&now);
    return !waits;
}

/* Flows tell the root of their tree: where that is another all follow. */
static void
mark_roots(struct spread *s)
{
    uint64_t roots = 0;
    for (size_t i = 0; i < s->trees.n && s->n_on > 1; i++) {
        roots += s->trees.trees[i]->key.root;
    }
    if (roots != s->shown_roots
        && (s->key.kind == SPREAD_CHANNEL || s->key.kind == SPREAD_FAR)) {
        spread_mark_nodes(s, s->on, s->n_on);
    }
    s->shown_roots = roots;
}

/* Where streams of a route enter it is told which of its targets they do not
 * reach. */
static void
mark_far_ends(const struct spread *s)
{
    for (size_t i = 0; i < s->n_ends && s->key.kind == SPREAD_FAR; i++) {
        spread_mark_node(s, s->ends[i].node);
    }
}

void
spread_plan_apply(struct spread_plan *p, bool at_once)
{
    struct spread *s = p->s;
    struct hop_set before = {.hops = NULL}, target = {.hops = NULL};
    hop_set_filter(&s->installed, is_alive, s->ctl->fabric);
    target_of(p, &target);
    bool mixable = at_once || spread_plan_is_mixable(p);
    bool removes = !hop_set_contains(&target, &s->installed);
    spread_emitted(s, &before);
    bool late = set_late(p);
    bool now = mixable && add_to_installed(s, &target, late);
    swap(s, p);
    set_draining(s, !now);
    set_frozen(s);
    if (removes || !now) {
        drain_want(s);
    }
    mark_changes(s, p, &before);
    mark_roots(s);
    mark_far_ends(s);
    hop_set_uninit(&before);
    hop_set_uninit(&target);
    spread_plan_uninit(p);
}

static bool
is_over(const struct spread *s)
{
    return !s->n_ends && !s->n_registered && !s->installed.n && !s->n_on
           && !s->waits && !s->move;
}

/* Members have been read back, sources have not: whatever switch with hosts
 * had a part in the tree may have one.  See spread_forget_restored(). */
static void
keep_restored(struct spread *s)
{
    for (size_t i = 0; i < s->n_on; i++) {
        if (fabric_n_edges(s->ctl->fabric, s->on[i])) {
            spread_end_get(s, s->on[i])->restored = true;
        }
    }
    s->restored = false;
}

static void
compile(struct spread *s)
{
    struct spread_plan p;
    if (!spread_refresh(s, vlan_lookup(s->ctl, s->key.vlan))) {
        return;
    }
    bool restored = s->restored;
    if (restored) {
        keep_restored(s);
    }
    drop_idle_ends(s);
    spread_plan_make(&p, s, TREES_KEPT);
    /* What was found is not always what would be made today; and that somebody
     * cannot be told harms nobody who is served. */
    if ((restored || p.choice == TREES_ROUND) && !s->waits
        && spread_is_whole(s, &s->installed)) {
        spread_move_apply(&p);
    } else {
        spread_plan_apply(&p, false);
    }
}

void
spreads_compile(struct fabric *f)
{
    while (f->settled && f->roots && f->dirty_spreads) {
        struct spread *s = f->dirty_spreads;
        LL_DELETE2(f->dirty_spreads, s, next_dirty);
        s->dirty = false;
        /* One that moves is marked again when it has arrived. */
        if (!s->move) {
            compile(s);
        }
        if (is_over(s)) {
            spread_destroy(s);
        }
    }
}

static bool
is_out_of_reach(void *f, const struct topo_span_hop *hop)
{
    return fabric_is_away(f, hop->node);
}

void
spread_confirmed(struct spread *s)
{
    if (s->move) {
        spread_move_next(s);
        return;
    }
    struct hop_set target = {.hops = NULL}, held = {.hops = NULL};
    struct hop_set before = {.hops = NULL};
    spread_target(s, &target);
    spread_emitted(s, &held);
    hop_set_unite(&before, &held);
    hop_set_filter(&s->installed, is_out_of_reach, s->ctl->fabric);
    hop_set_unite(&s->installed, &held);
    set_draining(s, false);
    hop_set_unite(&s->installed, &target);
    spread_mark_difference(s, &target, &before);
    hop_set_uninit(&target);
    hop_set_uninit(&held);
    hop_set_uninit(&before);
    if (is_over(s)) {
        spread_destroy(s);
    }
}
