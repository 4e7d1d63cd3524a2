/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The hosts behind one (group, port), and the leave modes. */

static void
hosts_come_and_go(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    say(&f, 7, 2, IGMP_MODE_IS_EXCLUDE, "");
    assert_true(f.ctx.hosts_changed);
    say(&f, 3, 3, IGMP_ALLOW_NEW_SOURCES, "a");
    say(&f, 9, 3, IGMP_CHANGE_TO_INCLUDE, ""); /* Of nothing. */
    say(&f, 9, 3, IGMP_BLOCK_OLD_SOURCES, "a");
    assert_false(f.ctx.hosts_changed);
    check_hosts(&f, "3:IN{a} 7:EX{}");
    assert_int_equal(igmp_hosts_wishes(&f.g)[0]->version, 3);
    assert_int_equal(igmp_hosts_wishes(&f.g)[1]->version, 2);
    assert_int_equal(f.port.n_hosts, 2);
    say(&f, 3, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check_hosts(&f, "7:EX{}");
    assert_true(f.ctx.hosts_changed);
    uninit(&f);
}

/* What each type of record makes of a host's own filter. */
static void
filters_of_hosts(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    say(&f, 1, 3, IGMP_MODE_IS_INCLUDE, "bd");
    check_hosts(&f, "1:IN{bd}");
    say(&f, 1, 3, IGMP_ALLOW_NEW_SOURCES, "ac");
    check_hosts(&f, "1:IN{abcd}");
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "bcf");
    check_hosts(&f, "1:IN{ad}");
    f.ctx.now += 10000; /* The answer to a general query: all of it. */
    say(&f, 1, 3, IGMP_MODE_IS_INCLUDE, "a");
    check_hosts(&f, "1:IN{a}");
    say(&f, 1, 3, IGMP_CHANGE_TO_EXCLUDE, "bc");
    check_hosts(&f, "1:EX{bc}");
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "ac");
    check_hosts(&f, "1:EX{abc}");
    say(&f, 1, 3, IGMP_ALLOW_NEW_SOURCES, "bf");
    check_hosts(&f, "1:EX{ac}");
    say(&f, 1, 3, IGMP_MODE_IS_EXCLUDE, "d");
    check_hosts(&f, "1:EX{d}");
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "ef");
    check_hosts(&f, "1:IN{ef}");
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "ef"); /* Nothing is left. */
    check_hosts(&f, "");
    uninit(&f);
}

/* A long list comes in several reports. */
static void
split_lists_add_up(void **state)
{
    (void) state;
    static const uint8_t types[] = {IGMP_CHANGE_TO_INCLUDE,
                                    IGMP_MODE_IS_INCLUDE};
    struct fixture f;

    for (int i = 0; i < 2; i++) {
        init(&f);
        f.ctx.leave = IGMP_LEAVE_TRACKED;
        say(&f, 1, 3, IGMP_CHANGE_TO_EXCLUDE, "c");
        f.ctx.now += 10000;
        say(&f, 1, 3, types[i], "a");
        f.ctx.now += 5;
        say(&f, 1, 3, types[i], "b");
        check_hosts(&f, "1:IN{ab}");
        f.ctx.now += 5;
        say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
        check_hosts(&f, "");
        uninit(&f);
    }
}

/* Who was asked for sources names only those of them that it wants, an
 * excluding host too (RFC 3376 5.2): that is not its filter. */
static void
answer_for_sources_is_no_filter(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    say(&f, 1, 3, IGMP_MODE_IS_EXCLUDE, "c");
    say(&f, 2, 3, IGMP_MODE_IS_INCLUDE, "ab");
    f.ctx.now += 10000;
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "a");
    assert_string_equal(f.asked, "Q(G,a)");
    f.ctx.now += 500;
    say(&f, 2, 3, IGMP_MODE_IS_INCLUDE, "a");
    say(&f, 1, 3, IGMP_MODE_IS_INCLUDE, "b");
    check_hosts(&f, "1:EX{ac} 2:IN{ab}");
    uninit(&f);
}

/* One that has not reported for a membership interval is gone, although
 * another keeps the membership. */
static void
silent_host_goes(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    say(&f, 1, 3, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 2, 3, IGMP_MODE_IS_EXCLUDE, "");
    step(&f, 200 * 1000);
    say(&f, 2, 3, IGMP_MODE_IS_EXCLUDE, "");
    step(&f, 60 * 1000);
    assert_false(f.ctx.changed);
    assert_true(f.ctx.hosts_changed);
    check_hosts(&f, "2:EX{}");
    uninit(&f);
}

/* A host that others may have spoken for is asked alone, twice, and the next
 * one after it. */
static void
silent_hosts_are_asked_one_by_one(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.asks_hosts = true;
    for (unsigned int id = 1; id <= 3; id++) {
        say(&f, id, 2, IGMP_MODE_IS_EXCLUDE, "");
    }
    f.ctx.now += 100 * 1000;
    say(&f, 2, 2, IGMP_MODE_IS_EXCLUDE, "");
    step(&f, 34999);
    assert_string_equal(f.asked, "");
    assert_true(f.ctx.soonest == f.ctx.now + 1);
    step(&f, 1);
    assert_string_equal(f.asked, "Q(1)");
    assert_true(f.ctx.soonest == f.ctx.now + 1000);
    say(&f, 1, 2, IGMP_MODE_IS_EXCLUDE, ""); /* It answers. */
    step(&f, 1000);
    assert_string_equal(f.asked, "Q(3)");
    step(&f, 500);
    assert_string_equal(f.asked, "");
    step(&f, 500);
    assert_string_equal(f.asked, "Q(3)");
    step(&f, 1000); /* It does not, and is asked no more. */
    assert_string_equal(f.asked, "");
    step(&f, (235 - 138) * 1000);
    assert_string_equal(f.asked, "Q(2)");
    step(&f, 25 * 1000);
    check_hosts(&f, "1:EX{} 2:EX{}");
    uninit(&f);
}

/* A v2 host that hears another's report does not answer (RFC 2236 3): it was
 * asked in vain and is asked again. */
static void
suppressed_hosts_are_asked_again(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.asks_hosts = true;
    say(&f, 1, 2, IGMP_MODE_IS_EXCLUDE, "");
    f.ctx.now += 100 * 1000;
    say(&f, 2, 2, IGMP_MODE_IS_EXCLUDE, "");
    for (int i = 0; i < 3; i++) {
        step(&f, i ? 500 : 35 * 1000);
        assert_string_equal(f.asked, "Q(1)");
        step(&f, 500);
        say(&f, 2, 2, IGMP_MODE_IS_EXCLUDE, "");
        assert_true(f.ctx.soonest == f.ctx.now + 500);
    }
    step(&f, 500);
    assert_string_equal(f.asked, "Q(1)");
    say(&f, 2, 3, IGMP_MODE_IS_EXCLUDE, ""); /* Of v3: it hides nobody. */
    step(&f, 1000);
    assert_string_equal(f.asked, "Q(1)");
    step(&f, 1000);
    assert_string_equal(f.asked, "");
    uninit(&f);
}

static void
only_the_querier_asks_hosts(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.asks_hosts = true;
    f.times.query_version = 0;
    say(&f, 1, 2, IGMP_MODE_IS_EXCLUDE, "");
    step(&f, 200 * 1000);
    assert_string_equal(f.asked, "");
    uninit(&f);
}

/* As a snoop does it, many of them stay in order. */
static void
thousand_hosts(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    for (unsigned int i = 0; i < IGMP_MAX_HOSTS; i++) {
        say(&f, (i * 7) % 4099, 3, IGMP_MODE_IS_EXCLUDE, "");
    }
    assert_int_equal(f.g.n_hosts, IGMP_MAX_HOSTS);
    assert_int_equal(f.hosts.n, IGMP_MAX_HOSTS);
    struct igmp_wish *const *wishes = igmp_hosts_wishes(&f.g);
    for (size_t i = 1; i < f.g.n_hosts; i++) {
        assert_true(memcmp(&wishes[i - 1]->host->mac, &wishes[i]->host->mac, 6)
                    < 0);
    }
    for (unsigned int i = 0; i < IGMP_MAX_HOSTS; i++) {
        say(&f, (i * 7) % 4099, 3, IGMP_CHANGE_TO_INCLUDE, "");
    }
    assert_int_equal(f.hosts.n, 0);
    uninit(&f);
}

/* Leave modes: what the rows say "Send Q" for. */

static void
init_two_hosts(struct fixture *f, enum igmp_leave leave)
{
    init(f);
    f->ctx.leave = leave;
    say(f, 1, 3, IGMP_MODE_IS_EXCLUDE, "");
    say(f, 2, 3, IGMP_MODE_IS_EXCLUDE, "");
    f->ctx.now += 10000;
}

/* In all modes the second host keeps the group. */
static void
second_host_keeps_the_group(void **state)
{
    (void) state;
    struct fixture f;

    for (int leave = IGMP_LEAVE_QUERY; leave <= IGMP_LEAVE_IMMEDIATE;
         leave++) {
        init_two_hosts(&f, (enum igmp_leave) leave);
        say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
        if (leave == IGMP_LEAVE_QUERY) {
            check(&f, "EX{;}=2", "Q(G)", false);
            say(&f, 2, 3, IGMP_MODE_IS_EXCLUDE, "");
            check(&f, "EX{;}=260", "", false);
        } else {
            check(&f, "EX{;}=250", "", false);
        }
        check_hosts(&f, "2:EX{}");
        uninit(&f);
    }
}

static void
last_host_takes_the_group_along(void **state)
{
    (void) state;
    struct fixture f;

    for (int leave = IGMP_LEAVE_TRACKED; leave <= IGMP_LEAVE_IMMEDIATE;
         leave++) {
        init_two_hosts(&f, (enum igmp_leave) leave);
        say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
        say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "");
        check(&f, "IN{}", "", true);
        assert_true(igmp_group_is_empty(&f.g));
        uninit(&f);
    }
}

/* Nothing is asked, so another querier does not matter. */
static void
tracked_beside_another_querier(void **state)
{
    (void) state;
    struct fixture f;

    init_two_hosts(&f, IGMP_LEAVE_TRACKED);
    f.times.query_version = 0;
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "");
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

/* Another host may hide behind the report of an older one. */
static void
tracked_asks_beside_older_hosts(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.leave = IGMP_LEAVE_TRACKED;
    say(&f, 1, 2, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 1, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=2", "Q(G)", false);
    uninit(&f);

    init(&f);
    f.ctx.leave = IGMP_LEAVE_IMMEDIATE;
    say(&f, 1, 1, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 2, 2, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 2, 2, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=260", "", false); /* The v1 host cannot leave. */
    uninit(&f);

    init(&f);
    f.ctx.leave = IGMP_LEAVE_IMMEDIATE;
    say(&f, 1, 2, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 1, 2, IGMP_CHANGE_TO_INCLUDE, "");
    assert_true(igmp_group_is_empty(&f.g));
    uninit(&f);
}

/* INCLUDE (A) x BLOCK (B), and x TO_IN (B): of A, what nobody wants goes. */
static void
tracked_sources_in_include(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.leave = IGMP_LEAVE_TRACKED;
    say(&f, 1, 3, IGMP_ALLOW_NEW_SOURCES, "abc");
    say(&f, 2, 3, IGMP_ALLOW_NEW_SOURCES, "bd");
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "ab");
    check(&f, "IN{b=260 c=260 d=260}", "", true);
    f.ctx.now += 1000;
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "e");
    check(&f, "IN{c=259 e=260}", "", true);
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "IN{e=260}", "", true);
    say(&f, 2, 3, IGMP_BLOCK_OLD_SOURCES, "e");
    check(&f, "IN{}", "", true);
    uninit(&f);
}

/* INCLUDE (A) x TO_EX (B) deletes A-B, which is still wanted: it comes back
 * when those who wanted all have left. */
static void
tracked_sources_come_back(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.leave = IGMP_LEAVE_TRACKED;
    say(&f, 1, 3, IGMP_ALLOW_NEW_SOURCES, "a");
    f.ctx.now += 10000;
    say(&f, 2, 3, IGMP_CHANGE_TO_EXCLUDE, "");
    check(&f, "EX{;}=260", "", true);
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "IN{a=250}", "", true);
    uninit(&f);
}

/* EXCLUDE (X,Y) x BLOCK (A), x TO_EX (A), x TO_IN (A). */
static void
tracked_sources_in_exclude(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.leave = IGMP_LEAVE_TRACKED;
    say(&f, 1, 3, IGMP_MODE_IS_EXCLUDE, "");
    say(&f, 2, 3, IGMP_ALLOW_NEW_SOURCES, "a");
    say(&f, 1, 3, IGMP_BLOCK_OLD_SOURCES, "ab");
    check(&f, "EX{a=260;b}=260", "", true);
    say(&f, 1, 3, IGMP_CHANGE_TO_EXCLUDE, "abc");
    check(&f, "EX{a=260;b c}=260", "", true);
    f.ctx.now += 1000;
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "d");
    check(&f, "EX{d=260;a b c}=259", "", true);
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "e"); /* Nobody excludes now. */
    check(&f, "IN{d=260 e=260}", "", true);
    uninit(&f);
}

/* After a restart nobody is taken for gone before all have answered. */
static void
restored_hides_hosts(void **state)
{
    (void) state;
    struct fixture f;

    init(&f);
    f.ctx.leave = IGMP_LEAVE_IMMEDIATE;
    igmp_group_restore(&f.g, &f.ctx, true, NULL, 0, f.ctx.now + 41250);
    say(&f, 1, 3, IGMP_MODE_IS_EXCLUDE, "");
    assert_false(f.g.restored);
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "EX{;}=2", "Q(G)", false);
    uninit(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_come_and_go),
        cmocka_unit_test(filters_of_hosts),
        cmocka_unit_test(split_lists_add_up),
        cmocka_unit_test(answer_for_sources_is_no_filter),
        cmocka_unit_test(silent_host_goes),
        cmocka_unit_test(silent_hosts_are_asked_one_by_one),
        cmocka_unit_test(suppressed_hosts_are_asked_again),
        cmocka_unit_test(only_the_querier_asks_hosts),
        cmocka_unit_test(thousand_hosts),
        cmocka_unit_test(second_host_keeps_the_group),
        cmocka_unit_test(last_host_takes_the_group_along),
        cmocka_unit_test(tracked_beside_another_querier),
        cmocka_unit_test(tracked_asks_beside_older_hosts),
        cmocka_unit_test(tracked_sources_in_include),
        cmocka_unit_test(tracked_sources_in_exclude),
        cmocka_unit_test(tracked_sources_come_back),
        cmocka_unit_test(restored_hides_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
