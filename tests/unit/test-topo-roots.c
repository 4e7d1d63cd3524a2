/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-roots.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/topo-rig.h"

enum { N_CHANNELS = 1000, MAX_SIZE = 600 };

/* Spines are 1, 2, ..., leaves 101, 102, ... */
static struct topo_net *
leaf_spine(uint32_t leaves, uint32_t spines)
{
    struct topo_net *net = topo_net_create();

    for (uint32_t l = 1; l <= leaves; l++) {
        for (uint32_t s = 1; s <= spines; s++) {
            rig_join(net, 100 + l, s);
        }
    }
    return net;
}

/* Cores are 1..4, of each pod P aggregation P0 and P1, edge P2 and P3. */
static struct topo_net *
fat_tree(void)
{
    struct topo_net *net = topo_net_create();

    for (uint32_t pod = 1; pod <= 4; pod++) {
        for (uint32_t i = 0; i < 2; i++) {
            rig_join(net, pod * 10 + i, 2 * i + 1);
            rig_join(net, pod * 10 + i, 2 * i + 2);
            rig_join(net, pod * 10 + i, pod * 10 + 2);
            rig_join(net, pod * 10 + i, pod * 10 + 3);
        }
    }
    return net;
}

/* 'weight' for dpids from 'low' to 'high'. */
static void
weigh(const struct topo_net *net, uint32_t *weights, uint64_t low,
      uint64_t high, uint32_t weight)
{
    for (uint32_t i = 0; i < topo_net_size(net); i++) {
        uint64_t dpid = topo_net_dpid(net, i);

        if (dpid >= low && dpid <= high) {
            weights[i] = weight;
        }
    }
}

/* The candidates of the part of 'dpid' are 'low' to 'high', and each has its
 * share of the slots. */
static void
check(struct topo_net *net, const uint32_t *weights, uint64_t dpid,
      uint64_t low, uint64_t high)
{
    struct topo_roots *roots = topo_roots_compute(net, weights);
    uint32_t part = topo_roots_part(roots, topo_net_find(net, dpid));
    uint32_t counts[TOPO_MAX_ROOTS] = {0};
    size_t n;
    const uint64_t *list = topo_roots_candidates(roots, part, &n);

    assert_int_equal(n, high - low + 1);
    for (size_t i = 0; i < n; i++) {
        assert_true(list[i] == low + i);
    }
    for (uint32_t slot = 0; slot < TOPO_SLOTS; slot++) {
        counts[topo_roots_pick(roots, part, slot) - low]++;
    }
    for (size_t i = 0; i < n; i++) {
        assert_in_range(counts[i], TOPO_SLOTS / n, TOPO_SLOTS / n + 1);
    }
    topo_roots_destroy(roots);
}

static void
test_candidates(void **state)
{
    uint32_t weights[MAX_SIZE] = {0}, none[MAX_SIZE] = {0};
    struct topo_net *net = leaf_spine(4, 2);

    (void) state;
    weigh(net, weights, 101, 199, 4);
    check(net, weights, 101, 1, 2);
    weigh(net, weights, 1, 1, 1);
    check(net, weights, 101, 1, 2);
    /* Away: no candidate, unless all are. */
    topo_net_set_away(net, topo_net_find(net, 2), true);
    check(net, weights, 101, 1, 1);
    topo_net_destroy(net);

    net = leaf_spine(2, 4);
    memset(weights, 0, sizeof weights);
    weigh(net, weights, 101, 199, 4);
    check(net, weights, 101, 1, 4);
    topo_net_destroy(net);

    net = fat_tree();
    memset(weights, 0, sizeof weights);
    for (uint64_t pod = 1; pod <= 4; pod++) {
        weigh(net, weights, pod * 10 + 2, pod * 10 + 3, 2);
    }
    check(net, weights, 12, 1, 4);
    topo_net_destroy(net);

    net = rig_net("link 1:1 2:2;link 2:1 3:2;link 3:1 4:2;link 4:1 1:2;"
                  "link 11:1 12:2;link 12:1 13:2;node 20;away 30");
    check(net, none, 2, 1, 4);
    check(net, none, 11, 12, 12);
    check(net, none, 20, 20, 20);
    check(net, none, 30, 30, 30);
    topo_net_destroy(net);
}

/* Three parts, numbered by their lowest dpids; and no more landmarks than
 * the sample. */
static void
test_parts(void **state)
{
    uint32_t none[MAX_SIZE] = {0};
    struct topo_net *net = rig_net("link 9:1 8:1;link 3:1 4:1;node 5");
    struct topo_roots *roots;

    (void) state;
    topo_net_remove(net, 8);
    roots = topo_roots_compute(net, none);
    assert_int_equal(topo_roots_n_parts(roots), 3);
    assert_int_equal(topo_roots_part(roots, topo_net_find(net, 4)), 0);
    assert_int_equal(topo_roots_part(roots, topo_net_find(net, 5)), 1);
    assert_int_equal(topo_roots_part(roots, topo_net_find(net, 9)), 2);
    assert_int_equal(topo_roots_part(roots, 1), TOPO_NO_NODE);
    assert_int_equal(topo_roots_part(roots, 99), TOPO_NO_NODE);
    topo_roots_destroy(roots);
    topo_roots_destroy(NULL);
    topo_net_destroy(net);
}

/* The largest deviation from the mean, in percent, of channels over spines;
 * 'step' 0: random groups. */
static uint32_t
deviation(uint32_t spines, uint32_t step, bool v6)
{
    uint32_t weights[MAX_SIZE] = {0}, counts[MAX_SIZE] = {0}, worst = 0;
    struct topo_net *net = leaf_spine(8, spines);
    uint64_t seed = 3;

    weigh(net, weights, 101, 199, 1);
    struct topo_roots *roots = topo_roots_compute(net, weights);
    for (uint32_t i = 0; i < N_CHANNELS; i++) {
        uint32_t low = step ? i * step : rig_random(&seed) & 0xfffffff;
        struct ip_addr group = ip_addr_v4(0xe8000000 + low);

        if (v6) {
            group = (struct ip_addr){{0xff, 0x35}};
            group.b[12] = low >> 24;
            group.b[13] = low >> 16;
            group.b[14] = low >> 8;
            group.b[15] = low;
        }
        counts[topo_roots_pick(roots, 0, topo_slot(10, &group))]++;
    }
    for (uint32_t i = 1; i <= spines; i++) {
        uint32_t off =
            abs((int) (counts[i] * spines) - N_CHANNELS) * 100 / N_CHANNELS;

        worst = off > worst ? off : worst;
    }
    topo_roots_destroy(roots);
    topo_net_destroy(net);
    return worst;
}

static void
test_channels_are_spread(void **state)
{
    static const uint32_t spines[] = {2, 3, 4, 8, 16};
    uint32_t worst = 0, worst_step = 0, n_uneven = 0;

    (void) state;
    for (size_t i = 0; i < sizeof spines / sizeof *spines; i++) {
        for (uint32_t step = 1; step <= 65536; step *= 256) {
            assert_in_range(deviation(spines[i], step, false), 0, 20);
            assert_in_range(deviation(spines[i], step, true), 0, 20);
        }
        print_message("%u spines: random groups are off by %u %%\n", spines[i],
                      deviation(spines[i], 0, false));
    }
    for (uint32_t step = 1; step <= 1000; step++) {
        uint32_t off = deviation(8, step, false);

        n_uneven += off > 20;
        if (off > worst) {
            worst = off;
            worst_step = step;
        }
    }
    print_message("8 spines, steps 1 to 1000: %u off by more than 20 %%, the "
                  "worst, %u, by %u %%\n",
                  n_uneven, worst_step, worst);
    /* No multiplier does without such steps; they shall be few. */
    assert_in_range(n_uneven, 0, 150);
}

/* Slots of others that change hands when one spine of 'n' goes. */
static void
test_few_slots_change(void **state)
{
    uint32_t weights[MAX_SIZE] = {0};

    (void) state;
    for (uint32_t n = 2; n <= 16; n++) {
        struct topo_net *net = leaf_spine(8, n);
        uint32_t worst = 0;

        memset(weights, 0, sizeof weights);
        weigh(net, weights, 101, 199, 1);
        struct topo_roots *before = topo_roots_compute(net, weights);
        for (uint32_t gone = 1; gone <= n; gone++) {
            uint32_t moved = 0, node = topo_net_find(net, gone);

            topo_net_set_away(net, node, true);
            struct topo_roots *after = topo_roots_compute(net, weights);
            topo_net_set_away(net, node, false);
            for (uint32_t slot = 0; slot < TOPO_SLOTS; slot++) {
                uint64_t old = topo_roots_pick(before, 0, slot);

                moved += old != gone && old != topo_roots_pick(after, 0, slot);
            }
            worst = moved > worst ? moved : worst;
            topo_roots_destroy(after);
        }
        print_message("one of %u goes: at most %u of %u others move\n", n,
                      worst, TOPO_SLOTS - TOPO_SLOTS / n);
        assert_in_range(worst, 0, TOPO_SLOTS / 5);
        topo_roots_destroy(before);
        topo_net_destroy(net);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_channels_are_spread),
        cmocka_unit_test(test_few_slots_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
