/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/timer-heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void
pops_in_order(void **state)
{
    (void) state;
    struct timer_node nodes[5] = {{0}};
    static const int64_t at[] = {30, 10, 50, 20, 40};
    struct timer_heap h;

    timer_heap_init(&h);
    assert_true(timer_heap_deadline(&h) == INT64_MAX);
    for (int i = 0; i < 5; i++) {
        timer_heap_set(&h, &nodes[i], at[i]);
    }
    assert_true(timer_heap_deadline(&h) == 10);
    assert_null(timer_heap_pop_due(&h, 9));
    assert_ptr_equal(timer_heap_pop_due(&h, 35), &nodes[1]);
    assert_ptr_equal(timer_heap_pop_due(&h, 35), &nodes[3]);
    assert_ptr_equal(timer_heap_pop_due(&h, 35), &nodes[0]);
    assert_null(timer_heap_pop_due(&h, 35));
    assert_true(timer_heap_deadline(&h) == 40);
    timer_heap_cancel(&h, &nodes[4]);
    timer_heap_cancel(&h, &nodes[4]); /* Harmless. */
    assert_true(timer_heap_deadline(&h) == 50);
    timer_heap_set(&h, &nodes[2], INT64_MAX);
    assert_true(timer_heap_deadline(&h) == INT64_MAX);
    timer_heap_uninit(&h);
}

static void
put_off_does_not_move(void **state)
{
    (void) state;
    struct timer_node a = {0}, b = {0};
    struct timer_heap h;

    timer_heap_init(&h);
    timer_heap_set(&h, &a, 10);
    timer_heap_set(&h, &b, 20);
    timer_heap_set(&h, &a, 30);
    assert_true(timer_heap_deadline(&h) <= 20);
    assert_null(timer_heap_pop_due(&h, 15));
    assert_true(timer_heap_deadline(&h) == 20);
    timer_heap_set(&h, &a, 25); /* Forward again, but after its key. */
    assert_ptr_equal(timer_heap_pop_due(&h, 30), &b);
    assert_ptr_equal(timer_heap_pop_due(&h, 30), &a);
    timer_heap_uninit(&h);
}

static void
forward_moves(void **state)
{
    (void) state;
    struct timer_node a = {0}, b = {0};
    struct timer_heap h;

    timer_heap_init(&h);
    timer_heap_set(&h, &a, 10);
    timer_heap_set(&h, &b, 20);
    timer_heap_set(&h, &b, 5);
    assert_true(timer_heap_deadline(&h) == 5);
    assert_ptr_equal(timer_heap_pop_due(&h, 100), &b);
    assert_ptr_equal(timer_heap_pop_due(&h, 100), &a);
    timer_heap_uninit(&h);
}

/* Random sets, cancels and clock steps against an array that is searched. */
enum { N = 200, STEPS = 200000 };

static int64_t
naive_soonest(const int64_t at[N])
{
    int64_t soonest = INT64_MAX;

    for (int i = 0; i < N; i++) {
        soonest = at[i] < soonest ? at[i] : soonest;
    }
    return soonest;
}

static void
drain_and_compare(struct timer_heap *h, struct timer_node nodes[N],
                  int64_t at[N], int64_t now)
{
    struct timer_node *node;

    while ((node = timer_heap_pop_due(h, now))) {
        int64_t soonest = naive_soonest(at);

        assert_true(at[node - nodes] == soonest);
        assert_true(soonest <= now);
        at[node - nodes] = INT64_MAX;
    }
    assert_true(naive_soonest(at) > now);
    assert_true(timer_heap_deadline(h) > now);
    assert_true(timer_heap_deadline(h) <= naive_soonest(at));
}

static void
random_against_naive(void **state)
{
    (void) state;
    const char *env = getenv("OFM_SEED");
    unsigned int seed =
        env ? (unsigned int) strtoul(env, NULL, 0) : (unsigned int) time(NULL);
    struct timer_node nodes[N] = {{0}};
    struct timer_heap h;
    int64_t at[N], now = 0;

    print_message("OFM_SEED=%u\n", seed);
    timer_heap_init(&h);
    for (int i = 0; i < N; i++) {
        at[i] = INT64_MAX;
    }
    for (int step = 0; step < STEPS; step++) {
        int i = rand_r(&seed) % N, what = rand_r(&seed) % 10;

        if (what < 7) {
            at[i] = now + 1 + rand_r(&seed) % 1000;
            timer_heap_set(&h, &nodes[i], at[i]);
        } else if (what < 8) {
            at[i] = INT64_MAX;
            timer_heap_cancel(&h, &nodes[i]);
        } else {
            now += rand_r(&seed) % 20;
            drain_and_compare(&h, nodes, at, now);
        }
    }
    drain_and_compare(&h, nodes, at, now + 2000);
    assert_int_equal(h.n, 0);
    timer_heap_uninit(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pops_in_order),
        cmocka_unit_test(put_off_does_not_move),
        cmocka_unit_test(forward_moves),
        cmocka_unit_test(random_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
