/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Trees in use: which there are, who uses them, what becomes of them when the
 * net changes.
 *
 * A tree is mended and goes on (topo-tree.h).  After a quiet time the trees
 * that would be made from scratch are compared with those in use; where they
 * differ the old one is retired and its spreads move to the new one, one by
 * one. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(trees);

/* A few, so that equal ways to hosts share the load. */
enum { HOST_SALTS = 8 };

static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t
mark_of_root(uint64_t dpid)
{
    uint32_t mark = mix(dpid) & 0xffffff;
    return mark ? mark : 1;
}

/* Has it a switch that is away? */
static bool
has_away(const struct fabric *f, const struct fabric_tree *t)
{
    const uint32_t *nodes;
    size_t n;
    topo_net_in_order(f->net, &nodes, &n);
    for (size_t i = 0; i < n; i++) {
        if (topo_net_is_away(f->net, nodes[i])
            && topo_tree_node(t->topo, nodes[i])) {
            return true;
        }
    }
    return false;
}

/* No more spreads take it; those that have it keep it. */
static void
tree_retire(struct fabric *f, struct fabric_tree *t)
{
    HASH_DELETE(hh, f->trees, t);
    t->retired = true;
}

static struct fabric_tree *
tree_get(struct fabric *f, uint64_t root, uint32_t salt, bool avoid)
{
    struct tree_key key = {.root = root, .salt = salt, .avoid = avoid};
    struct fabric_tree *t;
    HASH_FIND(hh, f->trees, &key, sizeof key, t);
    if (t && avoid && has_away(f, t)) {
        tree_retire(f, t);
        t = NULL;
    }
    if (!t) {
        t = xcalloc(1, sizeof *t);
        t->key = key;
        t->topo = topo_tree_build(f->net, root, salt, avoid);
        HASH_ADD(hh, f->trees, key, sizeof t->key, t);
        DL_APPEND(f->all_trees, t);
    }
    t->n_uses++;
    return t;
}

static void
tree_destroy(struct fabric *f, struct fabric_tree *t)
{
    if (!t->retired) {
        HASH_DELETE(hh, f->trees, t);
    }
    DL_DELETE(f->all_trees, t);
    topo_tree_destroy(t->topo);
    free(t->moved);
    free(t);
}

static void
tree_release(struct fabric *f, struct fabric_tree *t)
{
    if (!--t->n_uses) {
        tree_destroy(f, t);
    }
}

void
trees_destroy(struct fabric *f)
{
    struct fabric_tree *t, *tmp;
    DL_FOREACH_SAFE (f->all_trees, t, tmp) {
        tree_destroy(f, t);
    }
}

/* Choosing. */

static bool
is_usable(const struct fabric *f, uint64_t root, bool avoid)
{
    uint32_t node = topo_net_find(f->net, root);
    return node != TOPO_NO_NODE && !(avoid && topo_net_is_away(f->net, node));
}

/* The switch that a mark in a cookie stands for. */
static uint64_t
root_of_mark(const struct fabric *f, uint32_t part, uint32_t mark)
{
    const uint32_t *nodes;
    size_t n;
    topo_net_in_order(f->net, &nodes, &n);
    for (size_t i = 0; mark && i < n; i++) {
        uint64_t dpid = topo_net_dpid(f->net, nodes[i]);
        if (mark_of_root(dpid) == mark
            && topo_roots_part(f->roots, nodes[i]) == part) {
            return dpid;
        }
    }
    return 0;
}

static uint32_t
slot_of(const struct spread *s)
{
    switch ((enum spread_kind) s->key.kind) {
    case SPREAD_CHANNEL:
        return topo_slot(s->key.vlan, &s->key.name);
    case SPREAD_ROUTERS:
        return s->key.vlan % TOPO_SLOTS;
    case SPREAD_FAR:
        return topo_slot(0, &s->key.name);
    case SPREAD_FLOOD:
    case SPREAD_HOST:
        break;
    }
    return 0;
}

static uint64_t
host_root(const struct spread *s)
{
    struct mac_addr mac;
    memcpy(&mac, s->key.name.b, sizeof mac);
    const struct host *host = host_lookup(s->ctl->fabric, s->key.vlan, &mac);
    return host ? host->port.dpid : 0;
}

/* The best root of the spread in that part; 0: none. */
static uint64_t
best_root(const struct spread *s, uint32_t part, bool avoid)
{
    const struct fabric *f = s->ctl->fabric;
    if (s->key.kind == SPREAD_HOST) {
        return host_root(s);
    }
    uint32_t slot = slot_of(s);
    for (uint32_t i = 0; i < TOPO_SLOTS; i++) {
        uint64_t root =
            topo_roots_pick(f->roots, part, (slot + i) % TOPO_SLOTS);
        if (is_usable(f, root, avoid)) {
            return root;
        }
    }
    return 0;
}

static uint64_t
root_for(const struct spread *s, uint32_t part, enum tree_choice choice)
{
    uint64_t found = root_of_mark(s->ctl->fabric, part, s->root_mark);
    return found && choice == TREES_KEPT
               ? found
               : best_root(s, part, trees_avoid(s, choice));
}

static uint32_t
salt_of(const struct spread *s)
{
    return s->key.kind == SPREAD_HOST ? s->key.name.b[5] % HOST_SALTS : 0;
}

static uint32_t
part_of_root(const struct fabric *f, uint64_t root)
{
    uint32_t node = topo_net_find(f->net, root);
    return node == TOPO_NO_NODE ? TOPO_NO_NODE
                                : topo_roots_part(f->roots, node);
}

/* The tree that the spread has had in the part, if it may stay. */
static struct fabric_tree *
old_tree(const struct spread *s, uint32_t part)
{
    const struct fabric *f = s->ctl->fabric;
    for (size_t i = 0; i < s->trees.n; i++) {
        struct fabric_tree *t = s->trees.trees[i];
        if (part_of_root(f, t->key.root) == part && !!t->key.avoid == s->avoid
            && is_usable(f, t->key.root, false)
            && (s->key.kind != SPREAD_HOST || t->key.root == host_root(s))) {
            return t;
        }
    }
    return NULL;
}

static struct fabric_tree *
take_tree(const struct spread *s, uint32_t part, enum tree_choice choice)
{
    struct fabric *f = s->ctl->fabric;
    struct fabric_tree *t = choice == TREES_KEPT ? old_tree(s, part) : NULL;
    if (t) {
        t->n_uses++;
        return t;
    }
    uint64_t root = root_for(s, part, choice);
    return root ? tree_get(f, root, salt_of(s), trees_avoid(s, choice)) : NULL;
}

bool
trees_avoid(const struct spread *s, enum tree_choice choice)
{
    return choice == TREES_ROUND || (choice == TREES_KEPT && s->avoid);
}

void
trees_choose(struct tree_set *set, const struct spread *s,
             enum tree_choice choice)
{
    struct fabric *f = s->ctl->fabric;
    set->trees = xcalloc(s->n_ends + 1, sizeof *set->trees);
    set->n = 0;
    for (size_t i = 0; i < s->n_ends; i++) {
        uint32_t part = topo_roots_part(f->roots, s->ends[i].node);
        bool there = part == TOPO_NO_NODE;
        for (size_t j = 0; j < set->n && !there; j++) {
            there = part_of_root(f, set->trees[j]->key.root) == part;
        }
        struct fabric_tree *t = there ? NULL : take_tree(s, part, choice);
        if (t) {
            set->trees[set->n++] = t;
        }
    }
}

struct tree_set
trees_clone(const struct tree_set *set)
{
    struct tree_set clone = {
        .trees = xmemdup(set->trees, set->n * sizeof *set->trees),
        .n = set->n};
    for (size_t i = 0; i < set->n; i++) {
        set->trees[i]->n_uses++;
    }
    return clone;
}

void
trees_release(struct tree_set *set, struct fabric *f)
{
    for (size_t i = 0; i < set->n; i++) {
        tree_release(f, set->trees[i]);
    }
    free(set->trees);
    *set = (struct tree_set){.trees = NULL};
}

uint32_t
tree_mark(const struct spread *s, uint32_t node)
{
    if (s->restored) {
        return s->root_mark;
    }
    for (size_t i = 0; i < s->trees.n && s->n_on > 1; i++) {
        if (topo_tree_node(s->trees.trees[i]->topo, node)) {
            return mark_of_root(s->trees.trees[i]->key.root);
        }
    }
    return 0;
}

/* When the net has changed. */

static uint32_t *
weights_of(const struct fabric *f)
{
    uint32_t *weights = xcalloc(topo_net_size(f->net) + 1, sizeof *weights);
    for (uint32_t i = 0; i < topo_net_size(f->net); i++) {
        weights[i] = fabric_n_edges(f, i);
    }
    return weights;
}

/* The least dpid of each node's part: what tells parts apart over time. */
static uint64_t *
name_parts(const struct fabric *f)
{
    uint32_t n = topo_net_size(f->net);
    uint64_t *names = xcalloc(n + 1, sizeof *names);
    uint64_t *of_part =
        xcalloc(topo_roots_n_parts(f->roots) + 1, sizeof *of_part);
    const uint32_t *nodes;
    size_t n_nodes;
    topo_net_in_order(f->net, &nodes, &n_nodes);
    for (size_t i = 0; i < n_nodes; i++) {
        uint64_t *name = &of_part[topo_roots_part(f->roots, nodes[i])];
        *name = *name ? *name : topo_net_dpid(f->net, nodes[i]);
        names[nodes[i]] = *name;
    }
    free(of_part);
    return names;
}

static void
find_parts(struct fabric *f, uint8_t **moved)
{
    uint32_t *weights = weights_of(f);
    topo_roots_destroy(f->roots);
    f->roots = topo_roots_compute(f->net, weights);
    free(weights);

    uint64_t *names = name_parts(f);
    uint32_t n = topo_net_size(f->net);
    *moved = xcalloc(n + 1, 1);
    for (uint32_t i = 0; i < n; i++) {
        (*moved)[i] = i >= f->n_part_names || names[i] != f->part_names[i];
    }
    free(f->part_names);
    f->part_names = names;
    f->n_part_names = n;
}

static void
mend(struct fabric *f, struct fabric_tree *t)
{
    uint32_t *changed = NULL;
    size_t n = topo_tree_repair(t->topo, f->net, &changed);
    free(t->moved);
    t->moved = n ? xcalloc(topo_net_size(f->net) + 1, 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        t->moved[changed[i]] = 1;
    }
    free(changed);
}

/* Does any node of the spread stand elsewhere than before? */
static bool
is_moved(const struct spread *s, const uint8_t *moved)
{
    bool found = false;
    for (size_t i = 0; moved && i < s->n_ends && !found; i++) {
        found = moved[s->ends[i].node];
    }
    for (size_t i = 0; moved && i < s->n_on && !found; i++) {
        found = moved[s->on[i]];
    }
    return found;
}

static bool
concerns(const struct spread *s, const uint8_t *parts_moved)
{
    bool found = s->key.kind == SPREAD_FLOOD || s->key.kind == SPREAD_ROUTERS
                 || s->key.kind == SPREAD_FAR || is_moved(s, parts_moved);
    for (size_t i = 0; i < s->trees.n && !found; i++) {
        found = is_moved(s, s->trees.trees[i]->moved);
    }
    return found;
}

void
trees_run(struct fabric *f)
{
    uint8_t *parts_moved;
    struct fabric_tree *t;
    struct spread *s, *tmp;
    find_parts(f, &parts_moved);
    DL_FOREACH (f->all_trees, t) {
        mend(f, t);
    }
    HASH_ITER (hh, f->spreads, s, tmp) {
        if (concerns(s, parts_moved)) {
            spread_move_review(s);
            spread_mark(s);
        }
    }
    free(parts_moved);
    drains_review(f);
    f->generation++;
}

/* Rebalancing. */

/* Takes trees out of use for which there are better ones. */
static void
retire_trees(struct fabric *f)
{
    struct fabric_tree *t, *tmp;
    DL_FOREACH_SAFE (f->all_trees, t, tmp) {
        struct topo_tree *best =
            topo_tree_build(f->net, t->key.root, t->key.salt, t->key.avoid);
        if (!t->retired && !topo_tree_equal(t->topo, best)) {
            tree_retire(f, t);
        }
        topo_tree_destroy(best);
    }
}

static bool
is_anybody_away(const struct fabric *f)
{
    const uint32_t *nodes;
    size_t n;
    topo_net_in_order(f->net, &nodes, &n);
    for (size_t i = 0; i < n; i++) {
        if (fabric_is_away(f, nodes[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_best(const struct spread *s)
{
    const struct fabric *f = s->ctl->fabric;
    bool best = !s->avoid;
    for (size_t i = 0; i < s->trees.n && best; i++) {
        const struct fabric_tree *t = s->trees.trees[i];
        uint32_t part = part_of_root(f, t->key.root);
        best = !t->retired && part != TOPO_NO_NODE
               && best_root(s, part, false) == t->key.root;
    }
    return best;
}

static void
find_moves(struct fabric *f)
{
    retire_trees(f);
    f->moving = f->spreads;
    f->n_to_move = 0;
    for (struct spread *s = f->spreads; s; s = s->hh.next) {
        f->n_to_move += !is_best(s);
    }
    if (f->n_to_move) {
        VLOG_INFO("%zu channels and ways move to better trees", f->n_to_move);
    }
}

/* One at a time: while one drains the others carry on. */
bool
trees_rebalance(struct fabric *f)
{
    bool busy = f->n_draining || f->n_moving;
    if (busy || !f->settled || !f->roots || is_anybody_away(f)) {
        return busy;
    }
    if (!f->moving) {
        find_moves(f);
    }
    while (f->moving && f->n_to_move) {
        struct spread *s = f->moving;
        bool best = is_best(s);
        if (!best && (s->dirty || s->waits)) {
            return true; /* Members come or go: in a moment. */
        }
        f->moving = s->hh.next;
        if (!best) {
            f->n_to_move--;
            spread_move_begin(s);
            loop_want_turn(f->ctl->loop);
            return true;
        }
    }
    f->moving = NULL;
    f->n_to_move = 0;
    return false;
}
