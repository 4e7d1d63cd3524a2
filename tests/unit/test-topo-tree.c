/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/topo-rig.h"

/* Net in, tree out. */
static const struct {
    const char *name, *net, *tree;
    uint64_t root;
    bool avoid;
} GOLDEN[] = {
    {"line", "link 1:2 2:1;link 2:2 3:1;link 3:2 4:1",
     "1:2>2:1 3:1>2:2 4:1>3:2 ", 2, false},
    {"line, and a node between the ends that is away",
     "link 1:2 2:1;link 2:2 3:1;away 2", "2:1>1:2 3:1>2:2 ", 1, false},
    {"the same, avoided", "link 1:2 2:1;link 2:2 3:1;away 2", "", 1, true},
    {"two parts", "link 1:1 2:1;link 3:1 4:1;node 5", "4:1>3:1 ", 3, false},
    {"no root", "link 1:1 2:1", "", 9, false},
    {"a way round the one that is away",
     "link 1:1 2:1;link 2:2 3:1;link 1:2 4:1;link 4:2 5:1;link 5:2 3:2;"
     "away 2",
     "2:1>1:1 3:2>5:2 4:1>1:2 5:1>4:2 ", 1, false},
    {"the root is away", "link 1:1 2:1;link 2:2 3:1;away 1",
     "2:1>1:1 3:1>2:2 ", 1, false},
    {"ring of 4", "link 1:1 2:2;link 2:1 3:2;link 3:1 4:2;link 4:1 1:2",
     "2:2>1:1 3:1>4:2 4:1>1:2 ", 1, false},
    {"parallel links", "link 1:1 2:1;link 1:2 2:2;link 1:3 2:3", "2:3>1:3 ", 1,
     false},
};

static void
test_golden(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof GOLDEN / sizeof *GOLDEN; i++) {
        struct topo_net *net = rig_net(GOLDEN[i].net);
        struct topo_tree *tree =
            topo_tree_build(net, GOLDEN[i].root, 0, GOLDEN[i].avoid);
        char *text = rig_tree_text(net, tree);

        rig_check_tree(net, tree);
        if (strcmp(text, GOLDEN[i].tree)) {
            fail_msg("%s: %s", GOLDEN[i].name, text);
        }
        free(text);
        topo_tree_destroy(tree);
        topo_net_destroy(net);
    }
}

static struct topo_net *
random_net(uint64_t *seed, uint32_t n, uint32_t n_links)
{
    struct topo_net *net = topo_net_create();

    for (uint32_t i = 1; i <= n; i++) {
        topo_net_add(net, i);
    }
    for (uint32_t i = 0; i < n_links; i++) {
        rig_join(net, rig_random(seed) % n + 1, rig_random(seed) % n + 1);
    }
    return net;
}

/* The same net, its nodes and links added from the last to the first. */
static struct topo_net *
reverse(const struct topo_net *net)
{
    struct topo_net *other = topo_net_create();

    for (uint32_t i = topo_net_size(net); i-- > 0;) {
        topo_net_add(other, topo_net_dpid(net, i));
    }
    for (uint32_t i = topo_net_size(net); i-- > 0;) {
        size_t n;
        const struct topo_hop *hops = topo_net_hops(net, i, &n);

        while (n--) {
            topo_net_link(other, topo_net_dpid(net, i), hops[n].port,
                          topo_net_dpid(net, hops[n].peer), hops[n].peer_port);
        }
    }
    assert_int_equal(topo_net_n_links(net), topo_net_n_links(other));
    return other;
}

static void
test_depth_is_distance_and_order_is_of_no_effect(void **state)
{
    uint64_t seed = 1;

    (void) state;
    for (uint32_t n = 1; n <= 500; n += 1 + n / 3) {
        struct topo_net *net = random_net(&seed, n, n * 3 / 2);
        struct topo_net *other = reverse(net);
        struct topo_tree *tree = topo_tree_build(net, 1, 7, false);
        struct topo_tree *twin = topo_tree_build(other, 1, 7, false);
        uint32_t *distances = rig_distances(net, 1, false);
        char *a = rig_tree_text(net, tree), *b = rig_tree_text(other, twin);

        rig_check_tree(net, tree);
        assert_string_equal(a, b);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(tree->nodes[i].depth, distances[i]);
        }
        free(a);
        free(b);
        free(distances);
        topo_tree_destroy(tree);
        topo_tree_destroy(twin);
        topo_net_destroy(net);
        topo_net_destroy(other);
    }
}

/* Is the node's way to the root in 'old' still whole in 'net'? */
static bool
is_whole(const struct topo_net *net, const struct topo_tree *old, uint32_t i)
{
    for (; old->nodes[i].parent != TOPO_NO_NODE; i = old->nodes[i].parent) {
        const struct topo_tree_node *node = &old->nodes[i];
        const struct topo_hop *hop = topo_net_hop(net, i, node->port);

        if (topo_net_dpid(net, i) != node->dpid || !hop
            || hop->peer != node->parent || hop->peer_port != node->parent_port
            || topo_net_dpid(net, hop->peer)
                   != old->nodes[node->parent].dpid) {
            return false;
        }
    }
    return old->nodes[i].depth == 0
           && topo_net_dpid(net, i) == old->nodes[i].dpid;
}

/* Repairs 'tree', and checks what it has become against what it was. */
static size_t
repair(struct topo_net *net, struct topo_tree *tree)
{
    struct topo_tree old = *tree;
    uint32_t *changed;
    size_t at = 0, n;

    old.nodes = xmalloc((old.n_nodes + 1) * sizeof *old.nodes);
    memcpy(old.nodes, tree->nodes, old.n_nodes * sizeof *old.nodes);
    n = topo_tree_repair(tree, net, &changed);
    rig_check_tree(net, tree);
    for (uint32_t i = 0; i < topo_net_size(net); i++) {
        bool is_listed = at < n && changed[at] == i;

        at += is_listed;
        if (topo_tree_node(&old, i) && is_whole(net, &old, i)) {
            assert_false(is_listed);
            assert_memory_equal(&old.nodes[i], &tree->nodes[i],
                                sizeof *old.nodes);
        } else if (!topo_tree_node(&old, i)) {
            assert_int_equal(is_listed, topo_tree_node(tree, i) != NULL);
        }
    }
    assert_int_equal(at, n);
    assert_true(tree->generation == topo_net_generation(net));
    free(changed);
    free(old.nodes);
    return n;
}

static void
random_event(struct topo_net *net, uint64_t *seed, uint32_t n)
{
    uint64_t dpid = rig_random(seed) % n + 1;
    uint32_t node = topo_net_find(net, dpid);
    size_t n_hops;
    const struct topo_hop *hops = topo_net_hops(net, node, &n_hops);

    switch (rig_random(seed) % 10) {
    case 0:
        if (dpid != 1) {
            topo_net_remove(net, dpid);
        }
        break;
    case 1:
        topo_net_set_away(net, node, rig_random(seed) % 2);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        if (n_hops) {
            topo_net_unlink(net, dpid, hops[rig_random(seed) % n_hops].port);
        }
        break;
    default:
        rig_join(net, dpid, rig_random(seed) % n + 1);
    }
}

/* Nobody who is away gets a new place in it, nor a new child. */
static void
repair_avoiding(const struct topo_net *net, struct topo_tree *tree)
{
    uint32_t *changed;
    size_t n = topo_tree_repair(tree, net, &changed);

    rig_check_tree(net, tree);
    for (size_t i = 0; i < n; i++) {
        const struct topo_tree_node *node = topo_tree_node(tree, changed[i]);

        assert_false(node && node->depth
                     && (topo_net_is_away(net, changed[i])
                         || topo_net_is_away(net, node->parent)));
    }
    free(changed);
}

static void
test_repair_sequences(void **state)
{
    uint64_t seed = 2;

    (void) state;
    for (uint32_t n = 5; n <= 80; n *= 2) {
        struct topo_net *net = random_net(&seed, n, n * 3 / 2);
        struct topo_tree *tree = topo_tree_build(net, 1, 0, false);
        struct topo_tree *avoiding = topo_tree_build(net, 1, 0, true);

        for (int i = 0; i < 800; i++) {
            random_event(net, &seed, n);
            if (rig_random(&seed) % 4) {
                repair(net, tree);
                repair_avoiding(net, avoiding);
            }
        }
        topo_tree_destroy(tree);
        topo_tree_destroy(avoiding);
        topo_net_destroy(net);
    }
}

static struct topo_net *
subset_net(unsigned int n, unsigned int edges)
{
    struct topo_net *net = topo_net_create();

    for (unsigned int a = 1; a <= n; a++) {
        topo_net_add(net, a);
    }
    for (unsigned int a = 1; a <= n; a++) {
        for (unsigned int b = a + 1; b <= n; b++, edges >>= 1) {
            if (edges & 1) {
                topo_net_link(net, a, b, b, a);
            }
        }
    }
    return net;
}

/* Each graph of up to five nodes, each link of it cut and put back. */
static void
test_each_cut_of_small_graphs(void **state)
{
    (void) state;
    for (unsigned int n = 1; n <= 5; n++) {
        for (unsigned int edges = 0; edges < 1u << n * (n - 1) / 2; edges++) {
            struct topo_net *net = subset_net(n, edges);

            for (unsigned int a = 1; a <= n; a++) {
                for (unsigned int b = 1; b < a; b++) {
                    struct topo_tree *tree = topo_tree_build(net, 1, 0, false);
                    bool used = tree->nodes[a - 1].parent == b - 1
                                || tree->nodes[b - 1].parent == a - 1;

                    if (topo_net_unlink(net, a, b)) {
                        assert_int_equal(repair(net, tree) > 0, used);
                        topo_net_link(net, a, b, b, a);
                        repair(net, tree);
                    }
                    topo_tree_destroy(tree);
                }
            }
            topo_net_destroy(net);
        }
    }
}

/* A number that another switch has got is not the node that it was. */
static void
test_number_reused(void **state)
{
    struct topo_net *net = rig_net("link 1:1 2:1;link 2:2 3:1");
    struct topo_tree *tree = topo_tree_build(net, 1, 0, false);

    (void) state;
    topo_net_remove(net, 2);
    assert_int_equal(topo_net_add(net, 9), 1);
    topo_net_link(net, 1, 1, 9, 1);
    topo_net_link(net, 9, 2, 3, 1);
    assert_int_equal(repair(net, tree), 2);
    topo_net_remove(net, 1);
    repair(net, tree);
    assert_null(topo_tree_node(tree, 2));
    topo_tree_destroy(tree);
    topo_tree_destroy(NULL);
    topo_net_destroy(net);
}

/* Nobody moves to or from a node that is away. */
static void
test_away_stays(void **state)
{
    struct topo_net *net = rig_net("link 1:1 2:1;link 2:2 3:1");
    struct topo_tree *tree = topo_tree_build(net, 1, 0, false);

    (void) state;
    topo_net_set_away(net, 1, true);
    topo_net_add(net, 4);
    topo_net_link(net, 1, 2, 4, 1);
    topo_net_link(net, 4, 2, 3, 2);
    assert_int_equal(repair(net, tree), 1);
    assert_int_equal(tree->nodes[2].parent, 1);
    topo_net_unlink(net, 3, 1);
    assert_int_equal(repair(net, tree), 1);
    assert_int_equal(tree->nodes[2].parent, 3);
    topo_tree_destroy(tree);
    topo_net_destroy(net);
}

static void
test_net(void **state)
{
    struct topo_net *net = rig_net("link 5:9 2:1;link 5:3 2:2;link 5:7 1:1");
    uint64_t generation = topo_net_generation(net);
    const uint32_t *order;
    size_t n;

    (void) state;
    assert_false(topo_net_link(net, 2, 1, 5, 9));
    assert_false(topo_net_link(net, 5, 1, 5, 2));
    assert_false(topo_net_link(net, 5, 1, 77, 2));
    assert_false(topo_net_unlink(net, 5, 1));
    assert_true(topo_net_generation(net) == generation);

    const struct topo_hop *hops =
        topo_net_hops(net, topo_net_find(net, 5), &n);
    assert_int_equal(n, 3);
    assert_int_equal(hops[0].port, 7);
    assert_int_equal(hops[1].port, 3);
    assert_int_equal(hops[2].port, 9);
    /* Both ports had other links; those go. */
    assert_true(topo_net_link(net, 2, 1, 1, 1));
    assert_int_equal(topo_net_n_links(net), 2);
    assert_null(topo_net_hop(net, topo_net_find(net, 5), 9));
    topo_net_remove(net, 2);
    assert_int_equal(topo_net_n_links(net), 0);
    assert_int_equal(topo_net_find(net, 2), TOPO_NO_NODE);
    topo_net_in_order(net, &order, &n);
    assert_int_equal(n, 2);
    assert_int_equal(topo_net_dpid(net, order[0]), 1);
    assert_int_equal(topo_net_dpid(net, order[1]), 5);
    topo_net_destroy(net);
    topo_net_destroy(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_depth_is_distance_and_order_is_of_no_effect),
        cmocka_unit_test(test_repair_sequences),
        cmocka_unit_test(test_each_cut_of_small_graphs),
        cmocka_unit_test(test_number_reused),
        cmocka_unit_test(test_away_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
