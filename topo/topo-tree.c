/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-tree.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "topo/topo-hash.h"

/* Nodes by depth, each at most once: lists through 'next'.  In which order a
 * list has its nodes is of no effect. */
struct buckets {
    uint32_t *heads; /* One for each depth. */
    uint32_t *next;  /* One for each node. */
    uint32_t n;      /* Of either. */
};

/* One repair: 'old' is turned into 'nodes', which has those that are kept,
 * and then those that were attached. */
struct mend {
    const struct topo_net *net;
    const struct topo_tree *old;
    uint64_t seed; /* Hash of root and salt. */
    struct topo_tree_node *nodes;
    uint32_t n_nodes;
    struct buckets buckets;
    bool *queued;   /* For each node: it is or was in 'buckets'. */
    uint64_t *best; /* For each node: the hash of the choice of its parent. */
    bool use_away;  /* May new ways lead to and through nodes away? */
};

static const struct topo_tree_node NOWHERE = {.parent = TOPO_NO_NODE,
                                              .depth = UINT32_MAX};

static bool
is_on(const struct topo_tree_node *node)
{
    return node->depth != UINT32_MAX;
}

/* Buckets. */
static void
buckets_init(struct buckets *buckets, uint32_t n)
{
    buckets->n = n;
    buckets->heads = xmalloc((n + 1) * sizeof *buckets->heads);
    buckets->next = xmalloc((n + 1) * sizeof *buckets->next);
    for (uint32_t i = 0; i <= n; i++) {
        buckets->heads[i] = TOPO_NO_NODE;
    }
}

static void
buckets_uninit(struct buckets *buckets)
{
    free(buckets->heads);
    free(buckets->next);
}

static void
buckets_push(struct buckets *buckets, uint32_t depth, uint32_t node)
{
    buckets->next[node] = buckets->heads[depth];
    buckets->heads[depth] = node;
}

/* Keeping. */
static bool
may_be_on(const struct mend *m, uint32_t node)
{
    return topo_net_dpid(m->net, node);
}

/* Does the net still have that link?  Hops are sorted by peer and port. */
static bool
has_link(const struct mend *m, uint32_t node, const struct topo_tree_node *own)
{
    size_t n, low = 0;
    const struct topo_hop *hops = topo_net_hops(m->net, node, &n);
    uint64_t dpid = m->old->nodes[own->parent].dpid;

    for (size_t high = n; low < high;) {
        size_t middle = low + (high - low) / 2;
        uint64_t other = topo_net_dpid(m->net, hops[middle].peer);

        if (other < dpid || (other == dpid && hops[middle].port < own->port)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n && hops[low].peer == own->parent
           && hops[low].port == own->port
           && hops[low].peer_port == own->parent_port;
}

static bool
is_kept(const struct mend *m, uint32_t node)
{
    const struct topo_tree_node *own = &m->old->nodes[node];

    if (node >= m->n_nodes || m->nodes[node].dpid != own->dpid
        || !may_be_on(m, node)) {
        return false;
    }
    return own->parent == TOPO_NO_NODE
           || (own->parent < m->n_nodes && is_on(&m->nodes[own->parent])
               && has_link(m, node, own));
}

/* Copies the nodes that stay where they are: parents before children. */
static void
keep(struct mend *m)
{
    const struct topo_tree *old = m->old;
    struct buckets by_depth;

    buckets_init(&by_depth, old->n_nodes);
    for (uint32_t i = 0; i < old->n_nodes; i++) {
        if (is_on(&old->nodes[i])) {
            buckets_push(&by_depth, old->nodes[i].depth, i);
        }
    }
    for (uint32_t depth = 0; depth < by_depth.n; depth++) {
        uint32_t i = by_depth.heads[depth];

        for (; i != TOPO_NO_NODE; i = by_depth.next[i]) {
            if (is_kept(m, i)) {
                m->nodes[i] = old->nodes[i];
            }
        }
    }
    buckets_uninit(&by_depth);

    uint32_t root = topo_net_find(m->net, old->root);
    if (root != TOPO_NO_NODE && may_be_on(m, root)) {
        m->nodes[root].depth = 0;
    }
}

/* Attaching. */
static bool
takes_ways(const struct mend *m, uint32_t node)
{
    return may_be_on(m, node)
           && (m->use_away || !topo_net_is_away(m->net, node));
}

/* Queues the nodes of the tree that have a neighbour to attach, looking from
 * these: where little is broken little is looked at. */
static void
queue_neighbours(struct mend *m)
{
    for (uint32_t i = 0; i < m->n_nodes; i++) {
        if (is_on(&m->nodes[i]) || !takes_ways(m, i)) {
            continue;
        }
        size_t n;
        const struct topo_hop *hops = topo_net_hops(m->net, i, &n);

        for (size_t j = 0; j < n; j++) {
            uint32_t peer = hops[j].peer;

            if (is_on(&m->nodes[peer]) && takes_ways(m, peer)
                && !m->queued[peer]) {
                m->queued[peer] = true;
                buckets_push(&m->buckets, m->nodes[peer].depth, peer);
            }
        }
    }
}

/* Offers 'node' as a parent to who is at the other end of 'hop'.  Of offers of
 * the same depth the one with the least hash is taken. */
static void
offer(struct mend *m, uint32_t node, const struct topo_hop *hop)
{
    struct topo_tree_node *child = &m->nodes[hop->peer];
    uint32_t depth = m->nodes[node].depth + 1;
    bool is_new = !is_on(child);

    /* One that was queued at that depth and has been offered nothing was there
     * before. */
    if (!is_new && (child->depth != depth || !m->best[hop->peer])) {
        return;
    }
    if (!takes_ways(m, hop->peer)) {
        return;
    }
    uint64_t hash = topo_hash_add(m->seed, child->dpid);

    hash = topo_hash_add(hash, m->nodes[node].dpid);
    hash = topo_hash_add(hash, (uint64_t) hop->peer_port << 32 | hop->port);
    hash |= 1; /* 0 is for none. */
    if (is_new || hash < m->best[hop->peer]) {
        m->best[hop->peer] = hash;
        child->parent = node;
        child->port = hop->peer_port;
        child->parent_port = hop->port;
        child->depth = depth;
    }
    if (is_new) {
        m->queued[hop->peer] = true;
        buckets_push(&m->buckets, depth, hop->peer);
    }
}

/* Attaches what can be, by a breadth-first search from the nodes of the
 * tree. */
static void
attach(struct mend *m)
{
    buckets_init(&m->buckets, m->n_nodes);
    memset(m->queued, 0, m->n_nodes * sizeof *m->queued);
    memset(m->best, 0, m->n_nodes * sizeof *m->best);
    queue_neighbours(m);
    for (uint32_t depth = 0; depth < m->n_nodes; depth++) {
        uint32_t i = m->buckets.heads[depth];

        for (; i != TOPO_NO_NODE; i = m->buckets.next[i]) {
            size_t n;
            const struct topo_hop *hops = topo_net_hops(m->net, i, &n);

            for (size_t j = 0; j < n; j++) {
                offer(m, i, &hops[j]);
            }
        }
    }
    buckets_uninit(&m->buckets);
}

/* Telling what has changed. */
static const struct topo_tree_node *
look(const struct topo_tree_node *nodes, uint32_t n_nodes, uint32_t node)
{
    return node < n_nodes && is_on(&nodes[node]) ? &nodes[node] : &NOWHERE;
}

static bool
is_same(const struct topo_tree *a, const struct topo_tree *b, uint32_t node)
{
    const struct topo_tree_node *x = look(a->nodes, a->n_nodes, node);
    const struct topo_tree_node *y = look(b->nodes, b->n_nodes, node);

    return is_on(x) == is_on(y) && x->dpid == y->dpid && x->parent == y->parent
           && x->port == y->port && x->parent_port == y->parent_port
           && look(a->nodes, a->n_nodes, x->parent)->dpid
                  == look(b->nodes, b->n_nodes, y->parent)->dpid;
}

static size_t
list_changes(const struct topo_tree *a, const struct topo_tree *b,
             uint32_t **changed)
{
    uint32_t end = a->n_nodes > b->n_nodes ? a->n_nodes : b->n_nodes;
    size_t n = 0, allocated = 0;

    *changed = NULL;
    for (uint32_t i = 0; i < end; i++) {
        if (!is_same(a, b, i)) {
            *changed = xgrow(*changed, n, &allocated, sizeof **changed);
            (*changed)[n++] = i;
        }
    }
    return n;
}

size_t
topo_tree_repair(struct topo_tree *tree, const struct topo_net *net,
                 uint32_t **changed)
{
    struct topo_tree old = *tree;
    uint32_t n = topo_net_size(net);
    struct mend m = {
        .net = net,
        .old = &old,
        .seed = topo_hash_add(topo_hash_add(0, tree->root), tree->salt),
        .nodes = xmalloc((n + 1) * sizeof *m.nodes),
        .n_nodes = n,
        .queued = xmalloc((n + 1) * sizeof *m.queued),
        .best = xmalloc((n + 1) * sizeof *m.best)};

    for (uint32_t i = 0; i < n; i++) {
        m.nodes[i] = NOWHERE;
        m.nodes[i].dpid = topo_net_dpid(net, i);
    }
    keep(&m);
    attach(&m);
    if (!tree->avoid) {
        m.use_away = true;
        attach(&m);
    }
    tree->nodes = m.nodes;
    tree->n_nodes = n;
    tree->generation = topo_net_generation(net);
    n = list_changes(&old, tree, changed);
    free(m.queued);
    free(m.best);
    free(old.nodes);
    return n;
}

struct topo_tree *
topo_tree_build(const struct topo_net *net, uint64_t root, uint32_t salt,
                bool avoid)
{
    struct topo_tree *tree = xcalloc(1, sizeof *tree);
    uint32_t *changed;

    tree->root = root;
    tree->salt = salt;
    tree->avoid = avoid;
    topo_tree_repair(tree, net, &changed);
    free(changed);
    return tree;
}

void
topo_tree_destroy(struct topo_tree *tree)
{
    if (tree) {
        free(tree->nodes);
        free(tree);
    }
}

const struct topo_tree_node *
topo_tree_node(const struct topo_tree *tree, uint32_t node)
{
    return node < tree->n_nodes && is_on(&tree->nodes[node])
               ? &tree->nodes[node]
               : NULL;
}

bool
topo_tree_equal(const struct topo_tree *a, const struct topo_tree *b)
{
    uint32_t end = a->n_nodes > b->n_nodes ? a->n_nodes : b->n_nodes;

    if (a->root != b->root || a->salt != b->salt) {
        return false;
    }
    for (uint32_t i = 0; i < end; i++) {
        if (!is_same(a, b, i)) {
            return false;
        }
    }
    return true;
}
