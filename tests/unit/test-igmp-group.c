/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every row of RFC 3376 tables 6.4.1 and 6.4.2 by name, and the rest of
 * section 6 for one (group, port).  Before each row, sources that are
 * forwarded have 50 s and the group timer 80 s. */

static void
check_row(const char *x, const char *y, uint8_t type, const char *list,
          const char *state, const char *asked, bool changed)
{
    struct fixture f;

    init_state(&f, x, y);
    record(&f, 3, type, list);
    check(&f, state, asked, changed);
    uninit(&f);
}

#define ROW(TABLE, NAME, X, Y, TYPE, LIST, STATE, ASKED, CHANGED)             \
    static void r64##TABLE##_##NAME(void **state)                             \
    {                                                                         \
        (void) state;                                                         \
        check_row(X, Y, TYPE, LIST, STATE, ASKED, CHANGED);                   \
    }
#include "tests/unit/igmp-rows.def"
#undef ROW

/* While another is the querier nothing is asked and no timer lowered. */
static void
non_querier_lowers_nothing(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "ab", "cd");
    f.times.query_version = 0;
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "b");
    check(&f, "EX{a=50 b=260;c d}=80", "", false);
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "ae");
    check(&f, "EX{a=50 b=260 e=80;c d}=80", "", false);
    uninit(&f);
}

/* 6.6.1: but what the querier asks lowers them. */
static void
others_queries_lower_timers(void **state)
{
    (void) state;
    struct fixture f;
    struct ip_addr sources[2];

    init_state(&f, "ab", "cd");
    begin(&f);
    igmp_group_asked(&f.g, &f.ctx, 3000, sources, letters("ac", sources));
    check(&f, "EX{a=3 b=50;c d}=80", "", false);
    assert_true(f.ctx.soonest == f.ctx.now + 3000);
    begin(&f);
    igmp_group_asked(&f.g, &f.ctx, 3000, NULL, 0);
    check(&f, "EX{a=3 b=50;c d}=3", "", false);
    begin(&f);
    igmp_group_asked(&f.g, &f.ctx, 9000, NULL, 0); /* Never raises. */
    check(&f, "EX{a=3 b=50;c d}=3", "", false);
    uninit(&f);

    init_state(&f, "ab", NULL);
    igmp_group_asked(&f.g, &f.ctx, 3000, NULL, 0); /* Has no group timer. */
    check(&f, "IN{a=50 b=50}", "", false);
    uninit(&f);
}

/* 6.6.3.1: asked twice, the S flag unset as long as nobody answered. */
static void
group_query_is_repeated(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "", "");
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=2", "Q(G)", false);
    assert_true(f.ctx.soonest == f.ctx.now + 1000);
    step(&f, 999);
    assert_string_equal(f.asked, "");
    step(&f, 1);
    assert_string_equal(f.asked, "Q(G)");
    step(&f, 999);
    assert_false(igmp_group_is_empty(&f.g));
    step(&f, 1);
    assert_string_equal(f.asked, "");
    assert_true(f.ctx.changed);
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

/* An answer keeps the membership; the repetition then has the S flag. */
static void
answer_raises_the_timer(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "", "");
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    step(&f, 500);
    record(&f, 2, IGMP_MODE_IS_EXCLUDE, "");
    check(&f, "EX{;}=260", "", false);
    step(&f, 500);
    check(&f, "EX{;}=259", "Q(G)S", false);
    step(&f, 2000);
    check(&f, "EX{;}=257", "", false);
    uninit(&f);
}

static void
leave_while_asking_asks_no_more(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "", "");
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    step(&f, 300);
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=1", "", false);
    step(&f, 1700);
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

/* 6.6.3.2: sources whose timer was raised go into a query of their own, with
 * the S flag. */
static void
source_queries_are_repeated(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "abc", NULL);
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "ab");
    check(&f, "IN{a=2 b=2 c=50}", "Q(G,ab)", false);
    step(&f, 500);
    record(&f, 3, IGMP_MODE_IS_INCLUDE, "a");
    check(&f, "IN{a=260 b=1 c=49}", "", false);
    step(&f, 500);
    check(&f, "IN{a=259 b=1 c=49}", "Q(G,a)S Q(G,b)", false);
    step(&f, 1000);
    check(&f, "IN{a=258 c=48}", "", true);
    uninit(&f);
}

/* Both due at the same time: Q(G) makes Q(G,S) with the S flag needless. */
static void
group_query_replaces_suppressed(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "ab", "c");
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{a=2 b=2;c}=2", "Q(G,ab) Q(G)", false);
    record(&f, 3, IGMP_MODE_IS_INCLUDE, "a");
    step(&f, 1000);
    check(&f, "EX{a=259 b=1;c}=1", "Q(G) Q(G,b)", false);
    step(&f, 1000); /* EXCLUDE ends; only what was asked for is left. */
    check(&f, "IN{a=258}", "", true);
    uninit(&f);
}

/* Each is asked as often as it should be, also when it came in later. */
static void
later_sources_are_asked_as_often(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "ab", NULL);
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "a");
    assert_string_equal(f.asked, "Q(G,a)");
    step(&f, 600);
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "b");
    assert_string_equal(f.asked, "Q(G,b)");
    step(&f, 400);
    assert_string_equal(f.asked, "Q(G,ab)");
    step(&f, 1000);
    check(&f, "IN{b=0}", "", true);
    step(&f, 600);
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

static void
queries_stop_with_the_role(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "ab", "");
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "");
    f.times.query_version = 0;
    step(&f, 1000);
    check(&f, "EX{a=1 b=1;}=1", "", false);
    assert_true(f.g.next_query == INT64_MAX);
    uninit(&f);
}

/* Older versions of queries cannot ask everything. */
static void
version_limits_queries(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "a", "b");
    f.times.query_version = 2;
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{a=50;b}=2", "Q(G)", false);
    uninit(&f);

    init_state(&f, "a", "b");
    f.times.query_version = 1;
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{a=50;b}=80", "", false);
    uninit(&f);
}

/* 6.5. */
static void
source_timer_in_include(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "a", NULL);
    record(&f, 3, IGMP_ALLOW_NEW_SOURCES, "b");
    step(&f, 50 * 1000);
    check(&f, "IN{b=210}", "", true);
    step(&f, 210 * 1000);
    check(&f, "IN{}", "", true);
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

static void
source_timer_in_exclude(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "ab", "c");
    step(&f, 50 * 1000 - 1);
    assert_false(f.ctx.changed);
    step(&f, 1);
    check(&f, "EX{;a b c}=30", "", true);
    uninit(&f);
}

static void
group_timer_with_sources(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "", "cd");
    record(&f, 3, IGMP_ALLOW_NEW_SOURCES, "a");
    step(&f, 80 * 1000);
    check(&f, "IN{a=180}", "", true);
    uninit(&f);
}

static void
group_timer_without_sources(void **state)
{
    (void) state;
    struct fixture f;

    init_state(&f, "", "cd");
    step(&f, 80 * 1000);
    check(&f, "IN{}", "", true);
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

/* 7.3.2. */
static void
version_is_of_the_oldest_host(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    record(&f, 3, IGMP_MODE_IS_EXCLUDE, "");
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 3);
    record(&f, 2, IGMP_MODE_IS_EXCLUDE, "");
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 2);
    record(&f, 1, IGMP_MODE_IS_EXCLUDE, "");
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 1);
    f.ctx.now += 100 * 1000;
    record(&f, 2, IGMP_MODE_IS_EXCLUDE, "");
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 1);
    f.ctx.now += 160 * 1000;
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 2);
    f.ctx.now += 100 * 1000;
    assert_int_equal(igmp_group_version(&f.g, f.ctx.now), 3);
    uninit(&f);
}

static void
with_v2_host_block_and_lists_are_ignored(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    record(&f, 2, IGMP_MODE_IS_EXCLUDE, "");
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "ab");
    check(&f, "EX{;}=260", "", false);
    record(&f, 3, IGMP_CHANGE_TO_EXCLUDE, "ab");
    check(&f, "EX{;}=260", "", false);
    record(&f, 3, IGMP_ALLOW_NEW_SOURCES, "a");
    check(&f, "EX{a=260;}=260", "", false);
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{a=2;}=2", "Q(G,a) Q(G)", false);
    uninit(&f);
}

static void
with_v1_host_leaves_are_ignored(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    record(&f, 1, IGMP_MODE_IS_EXCLUDE, "");
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=260", "", false);
    record(&f, 3, IGMP_CHANGE_TO_INCLUDE, "a");
    check(&f, "EX{;}=260", "", false);
    record(&f, 3, IGMP_BLOCK_OLD_SOURCES, "a");
    check(&f, "EX{;}=260", "", false);
    f.ctx.now += 255 * 1000;
    record(&f, 2, IGMP_MODE_IS_EXCLUDE, "");
    f.ctx.now += 5 * 1000; /* The v1 host is not heard any more. */
    record(&f, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=2", "Q(G)", false);
    uninit(&f);
}

static void
count_special(void *n, const struct ip_addr *source, int delta)
{
    (void) source;
    *(int *) n += delta;
}

static void
sources_are_limited(void **state)
{
    (void) state;
    struct fixture f;
    int n_special = 0;

    init(&f);
    f.ctx.special = count_special;
    f.ctx.aux = &n_special;
    for (uint32_t i = 0; i < IGMP_MAX_SOURCES + 10; i++) {
        struct ip_addr a = ip_addr_v4(0x0a090000u + (i * 37) % 1021);

        begin(&f);
        igmp_group_record(&f.g, &f.ctx, 3, IGMP_ALLOW_NEW_SOURCES, &a, 1);
        assert_int_equal(f.ctx.changed, i < IGMP_MAX_SOURCES);
    }
    assert_int_equal(f.g.n_sources, IGMP_MAX_SOURCES);
    assert_int_equal(f.ctx.refused, 10);
    assert_int_equal(n_special, IGMP_MAX_SOURCES);
    igmp_group_uninit(&f.g, &f.ctx);
    assert_int_equal(n_special, 0);
}

static void
restored_states(void **state)
{
    (void) state;
    struct fixture f;
    struct ip_addr sources[2];

    init(&f);
    begin(&f);
    igmp_group_restore(&f.g, &f.ctx, true, sources, letters("ab", sources),
                       f.ctx.now + 41250);
    check(&f, "EX{;a b}=260", "", true);
    uninit(&f);
    init(&f);
    begin(&f);
    igmp_group_restore(&f.g, &f.ctx, false, sources, letters("ab", sources),
                       f.ctx.now + 41250);
    check(&f, "IN{a=260 b=260}", "", true);
    assert_true(f.ctx.soonest == f.ctx.now + 41250);
    uninit(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(TABLE, NAME, X, Y, TYPE, LIST, STATE, ASKED, CHANGED)             \
    cmocka_unit_test(r64##TABLE##_##NAME),
#include "tests/unit/igmp-rows.def"
#undef ROW
        cmocka_unit_test(non_querier_lowers_nothing),
        cmocka_unit_test(others_queries_lower_timers),
        cmocka_unit_test(group_query_is_repeated),
        cmocka_unit_test(answer_raises_the_timer),
        cmocka_unit_test(leave_while_asking_asks_no_more),
        cmocka_unit_test(source_queries_are_repeated),
        cmocka_unit_test(group_query_replaces_suppressed),
        cmocka_unit_test(later_sources_are_asked_as_often),
        cmocka_unit_test(queries_stop_with_the_role),
        cmocka_unit_test(version_limits_queries),
        cmocka_unit_test(source_timer_in_include),
        cmocka_unit_test(source_timer_in_exclude),
        cmocka_unit_test(group_timer_with_sources),
        cmocka_unit_test(group_timer_without_sources),
        cmocka_unit_test(version_is_of_the_oldest_host),
        cmocka_unit_test(with_v2_host_block_and_lists_are_ignored),
        cmocka_unit_test(with_v1_host_leaves_are_ignored),
        cmocka_unit_test(sources_are_limited),
        cmocka_unit_test(restored_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
