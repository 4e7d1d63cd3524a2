/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo-rig.h"

enum { MAX_NODES = 5, N_SETS = 1 << MAX_NODES };

/* A span of a small net as bits.  Port N of a node leads to the node with
 * number N, so a hop is bit (node * MAX_NODES + port). */
struct bits {
    uint32_t on, hops;
};

static struct topo_net *
subset_net(uint32_t n, unsigned int edges)
{
    struct topo_net *net = topo_net_create();

    for (uint32_t a = 0; a < n; a++) {
        topo_net_add(net, a + 1);
        for (uint32_t b = 0; b < a; b++, edges >>= 1) {
            if (edges & 1) {
                topo_net_link(net, a + 1, b, b + 1, a);
            }
        }
    }
    return net;
}

static size_t
list(uint32_t set, uint32_t nodes[MAX_NODES])
{
    size_t n = 0;

    for (uint32_t i = 0; i < MAX_NODES; i++) {
        if (set >> i & 1) {
            nodes[n++] = i;
        }
    }
    return n;
}

static struct bits
make(const struct topo_tree *tree, uint32_t receivers, uint32_t sources,
     struct topo_span_scratch *scratch, struct topo_span *span)
{
    uint32_t r[MAX_NODES], s[MAX_NODES];
    size_t n_r = list(receivers, r), n_s = list(sources, s);
    struct bits bits = {0, 0};

    topo_span_make(tree, r, n_r, s, n_s, scratch, span);
    for (size_t i = 0; i < span->n_on; i++) {
        assert_true(!i || span->on[i - 1] < span->on[i]);
        bits.on |= 1u << span->on[i];
    }
    for (size_t i = 0; i < span->n_hops; i++) {
        uint32_t bit =
            1u << (span->hops[i].node * MAX_NODES + span->hops[i].port);

        /* Sorted, and no hop twice. */
        assert_true(bit > bits.hops);
        bits.hops |= bit;
    }
    return bits;
}

/* Adds to 'seen' where a packet gets to that is at 'node' and came from
 * 'from'. */
static void
walk(const struct bits *span, uint32_t node, uint32_t from, uint32_t *seen)
{
    /* No node twice, and none beside the span. */
    assert_false(*seen >> node & 1);
    assert_true(span->on >> node & 1);
    *seen |= 1u << node;
    for (uint32_t to = 0; to < MAX_NODES; to++) {
        if (to != from && span->hops >> (node * MAX_NODES + to) & 1) {
            walk(span, to, node, seen);
        }
    }
}

/* The smallest subtree: take leaves that are no terminals until none is
 * left. */
static uint32_t
naive_on(const struct topo_tree *tree, uint32_t terminals)
{
    uint32_t on = (1u << tree->n_nodes) - 1;
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < tree->n_nodes; i++) {
            uint32_t parent = tree->nodes[i].parent, degree = 0;

            if (parent != TOPO_NO_NODE && on >> parent & 1) {
                degree++;
            }
            for (uint32_t j = 0; j < tree->n_nodes; j++) {
                degree += (on >> j & 1) && tree->nodes[j].parent == i;
            }
            if ((on >> i & 1) && !(terminals >> i & 1) && degree <= 1) {
                on &= ~(1u << i);
                changed = true;
            }
        }
    }
    return on;
}

static void
check_all_sets(const struct topo_tree *tree, struct topo_span_scratch *scratch,
               struct topo_span *span)
{
    static struct bits spans[N_SETS][N_SETS];
    uint32_t n_sets = 1u << tree->n_nodes;

    for (uint32_t r = 0; r < n_sets; r++) {
        for (uint32_t s = 0; s < n_sets; s++) {
            struct bits *bits = &spans[r][s];

            *bits = make(tree, r, s, scratch, span);
            assert_int_equal(bits->on, r ? naive_on(tree, r | s) : 0);
            for (uint32_t i = 0; i < tree->n_nodes; i++) {
                uint32_t seen = 0, bit = 1u << i;

                if (r && (r | s) & bit) {
                    walk(bits, i, MAX_NODES, &seen);
                    assert_int_equal(seen & r, r);
                }
                /* With one terminal less it is a part of this. */
                const struct bits *less = &spans[r & ~bit][s];
                assert_int_equal(less->on & ~bits->on, 0);
                assert_int_equal(less->hops & ~bits->hops, 0);
                less = &spans[r][s & ~bit];
                assert_int_equal(less->on & ~bits->on, 0);
                assert_int_equal(less->hops & ~bits->hops, 0);
            }
        }
    }
}

/* Each connected graph of up to five nodes, each set of receivers with each
 * set of sources.  The root goes round. */
static void
test_all_small_graphs(void **state)
{
    struct topo_span_scratch scratch = {.marks = NULL};
    struct topo_span span = {.on = NULL};
    unsigned int n_graphs = 0;

    (void) state;
    for (uint32_t n = 1; n <= MAX_NODES; n++) {
        for (unsigned int edges = 0; edges < 1u << n * (n - 1) / 2; edges++) {
            struct topo_net *net = subset_net(n, edges);
            struct topo_tree *tree =
                topo_tree_build(net, n_graphs % n + 1, 0, false);
            bool is_connected = true;

            for (uint32_t i = 0; i < n; i++) {
                is_connected = is_connected && topo_tree_node(tree, i);
            }
            if (is_connected) {
                check_all_sets(tree, &scratch, &span);
                n_graphs++;
            }
            topo_tree_destroy(tree);
            topo_net_destroy(net);
        }
    }
    assert_int_equal(n_graphs, 1 + 1 + 4 + 38 + 728);
    topo_span_uninit(&span);
    topo_span_scratch_uninit(&scratch);
}

/* A node named twice, nodes not of the tree, the stem, marks that wrap. */
static void
test_cases(void **state)
{
    struct topo_net *net =
        rig_net("link 1:1 2:1;link 2:2 3:1;link 2:3 4:1;node 5");
    struct topo_tree *tree = topo_tree_build(net, 1, 0, false);
    struct topo_span_scratch scratch = {.round = UINT32_MAX - 1};
    struct topo_span span = {.on = NULL};
    const uint32_t receivers[] = {2, 4, 2, 99}, sources[] = {3, 3, 2};

    (void) state;
    for (int i = 0; i < 4; i++) {
        topo_span_make(tree, receivers, 4, sources, 3, &scratch, &span);
        assert_int_equal(span.n_on, 3);
        assert_int_equal(span.on[0], 1);
        assert_int_equal(span.n_hops, 2);
        assert_int_equal(span.hops[0].node, 1);
        assert_int_equal(span.hops[0].port, 2);
        assert_int_equal(span.hops[1].node, 3);
        assert_int_equal(span.hops[1].port, 1);
    }
    topo_span_make(tree, receivers, 1, NULL, 0, &scratch, &span);
    assert_int_equal(span.n_on, 1);
    assert_int_equal(span.n_hops, 0);
    topo_span_make(tree, NULL, 0, sources, 3, &scratch, &span);
    assert_int_equal(span.n_on, 0);
    topo_span_uninit(&span);
    topo_span_scratch_uninit(&scratch);
    topo_tree_destroy(tree);
    topo_net_destroy(net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_small_graphs),
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
