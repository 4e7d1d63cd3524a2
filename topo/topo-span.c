/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "topo/topo-tree.h"

/* What is known of a node on the paths between terminals and the root.  Valid
 * where the node's mark is that of this round. */
struct spot {
    uint32_t n_children; /* On the paths. */
    uint32_t n_below;    /* Receivers in its subtree, itself included. */
    bool is_terminal, is_receiver;
};

void
topo_span_uninit(struct topo_span *span)
{
    free(span->on);
    free(span->hops);
    *span = (struct topo_span){.on = NULL};
}

void
topo_span_scratch_uninit(struct topo_span_scratch *scratch)
{
    free(scratch->marks);
    free(scratch->work);
    *scratch = (struct topo_span_scratch){.marks = NULL};
}

/* Makes all marks stale, and room for 'n' nodes. */
static void
start_round(struct topo_span_scratch *scratch, uint32_t n)
{
    if (n > scratch->n_marks) {
        scratch->marks = xrealloc(scratch->marks, n * sizeof *scratch->marks);
        memset(&scratch->marks[scratch->n_marks], 0,
               (n - scratch->n_marks) * sizeof *scratch->marks);
        scratch->n_marks = n;
        scratch->work_size = n * sizeof(struct spot);
        scratch->work = xrealloc(scratch->work, scratch->work_size);
    }
    if (!++scratch->round) {
        memset(scratch->marks, 0, scratch->n_marks * sizeof *scratch->marks);
        scratch->round = 1;
    }
}

/* Adds the path from 'node' up to what is there, the upper end first, so that
 * in span->on parents come before their children. */
static void
add_path(const struct topo_tree *tree, uint32_t node,
         struct topo_span_scratch *scratch, struct topo_span *span)
{
    struct spot *spots = scratch->work;
    size_t low = span->n_on;

    while (node != TOPO_NO_NODE && scratch->marks[node] != scratch->round) {
        scratch->marks[node] = scratch->round;
        spots[node] = (struct spot){.n_children = 0};
        span->on =
            xgrow(span->on, span->n_on, &span->allocated_on, sizeof *span->on);
        span->on[span->n_on++] = node;
        node = tree->nodes[node].parent;
    }
    for (size_t high = span->n_on; low + 1 < high; low++) {
        uint32_t other = span->on[--high];

        span->on[high] = span->on[low];
        span->on[low] = other;
    }
}

static void
add_terminals(const struct topo_tree *tree, const uint32_t *nodes, size_t n,
              bool are_receivers, struct topo_span_scratch *scratch,
              struct topo_span *span)
{
    struct spot *spots = scratch->work;

    for (size_t i = 0; i < n; i++) {
        if (topo_tree_node(tree, nodes[i])) {
            add_path(tree, nodes[i], scratch, span);
            spots[nodes[i]].is_terminal = true;
            if (are_receivers) {
                spots[nodes[i]].is_receiver = true;
            }
        }
    }
}

/* Sums up from the leaves; returns how many receivers there are. */
static uint32_t
count_receivers(const struct topo_tree *tree, struct spot *spots,
                const struct topo_span *span)
{
    for (size_t i = span->n_on; i-- > 0;) {
        struct spot *spot = &spots[span->on[i]];
        uint32_t parent = tree->nodes[span->on[i]].parent;

        spot->n_below += spot->is_receiver;
        if (parent != TOPO_NO_NODE) {
            spots[parent].n_below += spot->n_below;
            spots[parent].n_children++;
        }
    }
    return span->n_on ? spots[span->on[0]].n_below : 0;
}

/* The stem down to where paths part is the beginning of the first path. */
static void
prune_stem(const struct spot *spots, struct topo_span *span)
{
    size_t i = 0;

    while (!spots[span->on[i]].is_terminal
           && spots[span->on[i]].n_children == 1) {
        i++;
    }
    span->n_on -= i;
    memmove(span->on, &span->on[i], span->n_on * sizeof *span->on);
}

static void
add_hop(struct topo_span *span, uint32_t node, uint32_t port)
{
    span->hops = xgrow(span->hops, span->n_hops, &span->allocated_hops,
                       sizeof *span->hops);
    span->hops[span->n_hops++] = (struct topo_span_hop){node, port};
}

static int
compare_nodes(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return (*a > *b) - (*a < *b);
}

static int
compare_hops(const void *a_, const void *b_)
{
    const struct topo_span_hop *a = a_, *b = b_;
    int order = compare_nodes(&a->node, &b->node);

    return order ? order : compare_nodes(&a->port, &b->port);
}

void
topo_span_make(const struct topo_tree *tree, const uint32_t *receivers,
               size_t n_receivers, const uint32_t *sources, size_t n_sources,
               struct topo_span_scratch *scratch, struct topo_span *span)
{
    start_round(scratch, tree->n_nodes);
    span->n_on = span->n_hops = 0;
    add_terminals(tree, receivers, n_receivers, true, scratch, span);
    if (!span->n_on) {
        return;
    }
    add_terminals(tree, sources, n_sources, false, scratch, span);

    struct spot *spots = scratch->work;
    uint32_t n = count_receivers(tree, spots, span);

    prune_stem(spots, span);
    for (size_t i = 1; i < span->n_on; i++) {
        const struct topo_tree_node *node = &tree->nodes[span->on[i]];
        uint32_t n_below = spots[span->on[i]].n_below;

        if (n_below) {
            add_hop(span, node->parent, node->parent_port);
        }
        if (n_below < n) {
            add_hop(span, span->on[i], node->port);
        }
    }
    qsort(span->on, span->n_on, sizeof *span->on, compare_nodes);
    if (span->n_hops) {
        qsort(span->hops, span->n_hops, sizeof *span->hops, compare_hops);
    }
}
