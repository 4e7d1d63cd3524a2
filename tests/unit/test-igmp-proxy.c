/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-merge.h"
#include "tests/unit/igmp-lab.h"

/* Port 8 leads to the router; members are elsewhere.  Reports that are sent at
 * random times are found by letting time pass. */

#define C "10.9.0.3"
#define D "10.9.0.4"

/* Merging. */

/* "I:ab" is INCLUDE({a,b}), "E:" EXCLUDE({}). */
static void
add_filter(struct igmp_merge *m, const char *filter)
{
    struct ip_addr list[8];
    size_t n = 0;

    for (const char *p = filter + 2; *p; p++) {
        list[n++] = ip_addr_v4(0x0a090000u + (unsigned int) *p);
    }
    if (*filter == 'E') {
        igmp_merge_exclude(m, list, n);
    } else {
        igmp_merge_include(m, list, n);
    }
}

static void
filters_are_merged(void **state)
{
    static const struct {
        const char *members[4]; /* Those in EXCLUDE mode first. */
        const char *merged;
    } cases[] = {
        {{NULL}, "I:"},
        {{"I:a"}, "I:a"},
        {{"I:b", "I:a", "I:ab"}, "I:ab"},
        {{"I:ac", "I:b"}, "I:abc"},
        {{"E:"}, "E:"},
        {{"E:ab"}, "E:ab"},
        {{"E:abc", "E:bcd"}, "E:bc"},
        {{"E:ab", "E:cd"}, "E:"},
        {{"E:ab", "E:"}, "E:"},
        {{"E:abc", "I:b"}, "E:ac"},
        {{"E:a", "I:abc"}, "E:"},
        {{"E:abc", "E:abd", "I:b", "I:c"}, "E:a"},
        {{"E:", "I:a"}, "E:"},
    };
    const struct ip_addr group = ip(G);
    struct igmp_merge m = {0};

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        size_t n;

        igmp_merge_begin(&m, &group);
        for (size_t j = 0; j < 4 && cases[i].members[j]; j++) {
            add_filter(&m, cases[i].members[j]);
        }
        n = (size_t) sprintf(text, "%c:", m.exclude ? 'E' : 'I');
        for (size_t j = 0; j < m.n; j++) {
            text[n++] = (char) m.sources[j].b[15];
        }
        text[n] = '\0';
        assert_string_equal(text, cases[i].merged);
    }
    igmp_merge_uninit(&m);
}

/* Nobody is left without what he wants; source-specific groups know no "all"
 * (RFC 4604). */
static void
too_many_sources_are_all(void **state)
{
    static const char *const groups[] = {G, "232.1.1.1"};
    struct igmp_merge m = {0};

    (void) state;
    for (int specific = 0; specific < 2; specific++) {
        const struct ip_addr group = ip(groups[specific]);

        igmp_merge_begin(&m, &group);
        for (uint32_t i = 0; i < IGMP_MERGE_MAX; i++) {
            struct ip_addr a = ip_addr_v4(0x0a000000u + i * 7);

            igmp_merge_include(&m, &a, 1);
        }
        assert_false(m.exclude);
        assert_int_equal(m.n, IGMP_MERGE_MAX);
        add_filter(&m, "I:a");
        assert_int_equal(m.exclude, !specific);
        assert_int_equal(m.n, specific ? IGMP_MERGE_MAX : 0);
    }
    igmp_merge_uninit(&m);
}

/* Transcripts. */

static int
setup_proxy(void **state)
{
    struct fixture *f;

    setup(state);
    f = *state;
    f->config.upstream = IGMP_UPSTREAM_PROXY;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    return 0;
}

/* A router on port 8 that loses the election against us: its queries make it
 * known, and the next general query is ours, long after the test. */
static void
router(struct fixture *f)
{
    struct port_id id = port(8);

    igmp_snoop_restore_router_port(f->s, &id, f->now);
    advance(f, 0);
    f->log[0] = '\0';
}

/* A query that wins, so that it is heard by all. */
static struct igmp_query
winning(int version, int64_t max_resp_ms)
{
    struct igmp_query q = query_from("10.1.0.0");

    q.version = version;
    q.max_resp_ms = max_resp_ms;
    return q;
}

static void
check_after(struct fixture *f, int64_t ms, const char *want)
{
    advance(f, ms);
    check_log(f, want);
}

static void
a_join_is_told_at_once_and_again(void **state)
{
    struct fixture *f = *state;

    router(f);
    join(f, 2, 1, 3, G);
    check_after(f, 0, "p2+226.2.2.2 p8!TO_EX:226.2.2.2");
    check_after(f, 400, "");
    check_after(f, 700, "p8!TO_EX:226.2.2.2");
    check_after(f, 10 * SECOND, "");
}

static void
a_second_member_is_not_told(void **state)
{
    struct fixture *f = *state;

    router(f);
    join(f, 2, 1, 3, G);
    advance(f, 2 * SECOND);
    f->log[0] = '\0';
    join(f, 3, 2, 2, G);
    check_after(f, 2 * SECOND, "p3+226.2.2.2");
    leave(f, 2, 1, 3, G);
    check_after(f, 5 * SECOND, "p2?226.2.2.2 p2?226.2.2.2 p2-226.2.2.2");
}

static void
the_last_leave_is_told(void **state)
{
    struct fixture *f = *state;

    router(f);
    join(f, 2, 1, 3, G);
    advance(f, 2 * SECOND);
    f->log[0] = '\0';
    leave(f, 2, 1, 3, G);
    check_after(f, 5 * SECOND,
                "p2?226.2.2.2 p2?226.2.2.2 p2-226.2.2.2"
                " p8!TO_IN:226.2.2.2 p8!TO_IN:226.2.2.2");
}

/* Two proxies that face each other would keep each other alive. */
static void
members_behind_the_router_port_are_not_told_to_it(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, SECOND);

    router(f);
    join(f, 8, 1, 3, G);
    check_after(f, 2 * SECOND, "p8+226.2.2.2");
    ask(f, 8, &q);
    f->log[0] = '\0';
    check_after(f, 2 * SECOND, "");
    join(f, 2, 2, 3, G); /* Another one is. */
    check_after(f, 2 * SECOND,
                "p2+226.2.2.2 p8!TO_EX:226.2.2.2 p8!TO_EX:226.2.2.2");
}

static void
each_router_hears_of_the_other_side(void **state)
{
    struct fixture *f = *state;
    struct port_id other = port(9);

    router(f);
    igmp_snoop_restore_router_port(f->s, &other, f->now);
    join(f, 8, 1, 3, G);
    join(f, 9, 2, 3, G2);
    f->log[0] = '\0';
    advance(f, 0);
    assert_non_null(strstr(f->log, "p8!TO_EX:239.1.1.1"));
    assert_non_null(strstr(f->log, "p9!TO_EX:226.2.2.2"));
    assert_null(strstr(f->log, "p8!TO_EX:226"));
    assert_null(strstr(f->log, "p9!TO_EX:239"));
}

static void
the_operators_members_are_told(void **state)
{
    struct fixture *f = *state;
    struct ip_addr group = ip(G), list[] = {ip(A), ip(B)};
    struct igmp_filter two = {.sources = list, .n_sources = 2};
    struct port_id id = port(2);

    router(f);
    igmp_snoop_set_static(f->s, &id, &group, &two, f->now);
    check_after(f, 2 * SECOND,
                "p2~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.1,10.9.0.2"
                " p8!ALLOW:226.2.2.2,10.9.0.1,10.9.0.2");
    record(f, 2, IGMP_CHANGE_TO_EXCLUDE, G, B, C);
    check_after(f, 2 * SECOND,
                "p2+226.2.2.2 p8!TO_EX:226.2.2.2,10.9.0.3"
                " p8!TO_EX:226.2.2.2,10.9.0.3");
    igmp_snoop_set_static(f->s, &id, &group, NULL, f->now);
    check_after(f, 2 * SECOND,
                "p2+226.2.2.2 p8!BLOCK:226.2.2.2,10.9.0.2"
                " p8!BLOCK:226.2.2.2,10.9.0.2");
}

static void
the_operators_router_port_is_spoken_to(void **state)
{
    struct fixture *f = *state;
    struct port_id id = port(8);

    join(f, 2, 1, 3, G);
    igmp_snoop_set_static_router(f->s, &id, true, f->now);
    check_after(f, 0, "p2+226.2.2.2 p8R p8!TO_EX:226.2.2.2");
    igmp_snoop_set_static_router(f->s, &id, false, f->now);
    check_after(f, 2 * SECOND, "p8r");
}

/* RFC 3376 5.1, the table. */
static void
changes_of_filters_are_told(void **state)
{
    struct fixture *f = *state;

    router(f);
    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, NULL);
    check_after(f, 2 * SECOND,
                "p2~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.1"
                " p8!ALLOW:226.2.2.2,10.9.0.1");
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, A, B);
    check_after(f, 2 * SECOND,
                "p3~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.2"
                " p8!ALLOW:226.2.2.2,10.9.0.2");
    record(f, 4, IGMP_CHANGE_TO_EXCLUDE, G, B, C);
    check_after(f, 2 * SECOND,
                "p4+226.2.2.2 p8!TO_EX:226.2.2.2,10.9.0.3"
                " p8!TO_EX:226.2.2.2,10.9.0.3");
    record(f, 5, IGMP_ALLOW_NEW_SOURCES, G, C, NULL);
    check_after(f, 2 * SECOND,
                "p5~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.3"
                " p8!ALLOW:226.2.2.2,10.9.0.3");
}

/* RFC 3376 5.1: a change while the one before it is being repeated is merged
 * into what is repeated, and each source is told as often as it must be. */
static void
changes_meanwhile_are_merged(void **state)
{
    struct fixture *f = *state;

    router(f);
    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, NULL);
    check_after(f, 100, "p2~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.1");
    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, B, NULL);
    check_after(f, 100, "p2~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.1,10.9.0.2");
    check_after(f, 2 * SECOND, "p8!ALLOW:226.2.2.2,10.9.0.2");

    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, C, NULL);
    check_after(f, 100, "p2~226.2.2.2 p8!ALLOW:226.2.2.2,10.9.0.3");
    record(f, 3, IGMP_CHANGE_TO_EXCLUDE, G, NULL, NULL);
    check_after(f, 2 * SECOND,
                "p3+226.2.2.2 p8!TO_EX:226.2.2.2 p8!TO_EX:226.2.2.2");
}

static void
what_is_undone_before_it_was_told_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct port_id two = port(2);

    router(f);
    join(f, 2, 1, 3, G);
    igmp_snoop_port_down(f->s, &two, f->now);
    check_after(f, 5 * SECOND, "p2+226.2.2.2 p2-226.2.2.2");
}

static void
a_new_router_hears_everything(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9"); /* It loses. */

    join(f, 2, 1, 3, G);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G2, A, B);
    check_after(f, 60 * SECOND, "p2+226.2.2.2 p3~239.1.1.1");
    q.group = ip("239.9.9.9"); /* One that needs no answer. */
    ask(f, 8, &q);
    check_after(f, 2 * SECOND,
                "p8R p8!TO_EX:226.2.2.2|ALLOW:239.1.1.1,10.9.0.1,10.9.0.2"
                " p8!TO_EX:226.2.2.2|ALLOW:239.1.1.1,10.9.0.1,10.9.0.2");
}

static void
nothing_is_said_to_what_is_no_router_port_any_more(void **state)
{
    struct fixture *f = *state;
    struct port_id eight = port(8);

    router(f);
    join(f, 2, 1, 3, G);
    check_after(f, 0, "p2+226.2.2.2 p8!TO_EX:226.2.2.2");
    igmp_snoop_port_down(f->s, &eight, f->now);
    join(f, 2, 1, 3, G2);
    check_after(f, 3 * SECOND, "p8r p2+239.1.1.1");
}

static void
queries_are_answered_in_time(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, 4 * SECOND);
    int64_t asked;

    router(f);
    join(f, 2, 1, 3, G);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G2, A, B);
    advance(f, 3 * SECOND);
    f->log[0] = '\0';

    ask(f, 8, &q);
    asked = f->now;
    f->log[0] = '\0';
    while (!f->log[0]) {
        advance(f, 10);
        assert_true(f->now <= asked + q.max_resp_ms);
    }
    check_log(f, "p8!IS_EX:226.2.2.2|IS_IN:239.1.1.1,10.9.0.1,10.9.0.2");
    check_after(f, 5 * SECOND, ""); /* Once. */
}

/* RFC 3376 5.2. */
static void
specific_queries_are_answered(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, SECOND);
    struct ip_addr sources[] = {ip(A), ip(D)};

    router(f);
    join(f, 2, 1, 3, G);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G2, A, B);
    ask(f, 8, &q);
    advance(f, 3 * SECOND);
    f->log[0] = '\0';

    q.suppress = true; /* Concerns routers only. */
    q.group = ip(G);
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!IS_EX:226.2.2.2");
    q.group = ip(G2);
    q.sources = sources;
    q.n_sources = 2;
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!IS_IN:239.1.1.1,10.9.0.1");
    q.sources = &sources[1];
    q.n_sources = 1;
    ask(f, 8, &q); /* Nobody wants it. */
    check_after(f, SECOND, "");
    q.group = ip(G);
    ask(f, 8, &q); /* Not excluded. */
    check_after(f, SECOND, "p8!IS_IN:226.2.2.2,10.9.0.4");
    q.group = ip("239.9.9.9");
    ask(f, 8, &q);
    check_after(f, SECOND, "");
}

/* RFC 3376 5.2, rules 4 and 5. */
static void
pending_answers_take_in_further_queries(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, SECOND);
    struct ip_addr a = ip(A), b = ip(B);

    router(f);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, A, B);
    ask(f, 8, &q);
    advance(f, 3 * SECOND);
    f->log[0] = '\0';

    q.group = ip(G);
    q.suppress = true;
    q.n_sources = 1;
    q.sources = &b;
    ask(f, 8, &q);
    q.sources = &a;
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!IS_IN:226.2.2.2,10.9.0.1,10.9.0.2");
    ask(f, 8, &q);
    q.n_sources = 0;
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!IS_IN:226.2.2.2,10.9.0.1,10.9.0.2");
}

/* A router that is not the querier counts on reports too. */
static void
our_own_queries_are_answered_to_routers(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    join(f, 2, 1, 3, G);
    router(f);
    advance(f, 2 * SECOND);
    for (int i = 0; i < 4; i++) {
        f->log[0] = '\0';
        advance(f, 60 * SECOND);
        join(f, 2, 1, 3, G); /* It answers. */
        n += strstr(f->log, "p8!IS_EX:226.2.2.2") != NULL;
    }
    assert_in_range(n, 1, 2); /* Every 125 s. */
}

/* The version of the querier behind the port, RFC 3376 7.2.1. */

static void
a_version_2_querier_is_answered_in_version_2(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(2, SECOND);

    router(f);
    join(f, 2, 1, 2, G);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G2, A, B);
    advance(f, 3 * SECOND);
    ask(f, 8, &q);
    f->log[0] = '\0';
    check_after(f, 2 * SECOND, "p8!v2:226.2.2.2 p8!v2:239.1.1.1");

    /* Filters cannot be told, only groups. */
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G2, C, NULL);
    record(f, 4, IGMP_CHANGE_TO_EXCLUDE, G2, NULL, NULL);
    check_after(f, 2 * SECOND, "p3~239.1.1.1 p4+239.1.1.1");
    leave(f, 2, 1, 2, G);
    check_after(f, 5 * SECOND,
                "p2?226.2.2.2 p2?226.2.2.2 p2-226.2.2.2"
                " p8!leave:226.2.2.2 p8!leave:226.2.2.2");
    join(f, 2, 1, 2, G);
    check_after(f, 2 * SECOND, "p2+226.2.2.2 p8!v2:226.2.2.2 p8!v2:226.2.2.2");
    q.group = ip(G2);
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!v2:239.1.1.1");
}

static void
a_version_1_querier_hears_of_no_leaves(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(1, 10 * SECOND);
    struct port_id two = port(2);

    router(f);
    ask(f, 8, &q);
    f->log[0] = '\0';
    join(f, 2, 1, 2, G);
    check_after(f, 15 * SECOND,
                "p2+226.2.2.2 p8!v1:226.2.2.2 p8!v1:226.2.2.2");
    ask(f, 8, &q);
    check_after(f, 10 * SECOND, "p8!v1:226.2.2.2");
    igmp_snoop_port_down(f->s, &two, f->now);
    check_after(f, 15 * SECOND, "p2-226.2.2.2");
}

/* 7.2.1: Older Version Querier Present Timeout, 2 x 125 s + 1 s. */
static void
the_version_comes_back_when_the_old_querier_is_gone(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(2, SECOND);

    router(f);
    ask(f, 8, &q);
    q = winning(3, SECOND);
    advance(f, 200 * SECOND);
    ask(f, 8, &q);
    f->log[0] = '\0';
    join(f, 2, 1, 3, G);
    check_after(f, 2 * SECOND, "p2+226.2.2.2 p8!v2:226.2.2.2 p8!v2:226.2.2.2");
    advance(f, 50 * SECOND);
    join(f, 2, 1, 3, G2);
    check_after(f, 2 * SECOND,
                "p2+239.1.1.1 p8!TO_EX:239.1.1.1 p8!TO_EX:239.1.1.1");
}

/* A change of version cancels pending answers, 7.2.1, but a leave that was
 * told once is told again. */
static void
a_leave_survives_a_change_of_version(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, 10 * SECOND);
    struct port_id two = port(2);

    router(f);
    join(f, 2, 1, 2, G);
    join(f, 3, 2, 2, G2);
    advance(f, 3 * SECOND);
    ask(f, 8, &q);
    igmp_snoop_port_down(f->s, &two, f->now);
    advance(f, 0);
    f->log[0] = '\0';
    q = winning(2, SECOND);
    ask(f, 8, &q);
    advance(f, 2 * SECOND);
    assert_non_null(strstr(f->log, "p8!leave:226.2.2.2"));
    assert_non_null(strstr(f->log, "p8!v2:239.1.1.1"));
    assert_null(strstr(f->log, "IS_EX"));
    f->log[0] = '\0';
    check_after(f, 10 * SECOND, "");
}

/* Beside another querier. */

/* It hears no leave of a host's, so it is us who ask; from 0.0.0.0, and
 * nobody but the port. */
static void
a_leave_is_asked_for_beside_another_querier(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, SECOND);

    join(f, 2, 1, 3, G);
    ask(f, 8, &q);
    advance(f, 2 * SECOND);
    f->log[0] = '\0';
    leave(f, 2, 1, 3, G);
    check_log(f, "p2?226.2.2.2");
    assert_true(ip_addr_is_any(&f->sent.ip_src));
    assert_int_equal(f->sent.version, 3);
    check_after(f, 5 * SECOND,
                "p2?226.2.2.2 p2-226.2.2.2"
                " p8!TO_IN:226.2.2.2 p8!TO_IN:226.2.2.2");
}

static void
it_is_asked_for_in_the_queriers_version(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(2, SECOND);

    join(f, 2, 1, 2, G);
    ask(f, 8, &q);
    advance(f, 2 * SECOND);
    leave(f, 2, 1, 2, G);
    assert_int_equal(f->sent.kind, IGMP_QUERY);
    assert_int_equal(f->sent.version, 2);
}

/* Queries of the querier are passed on to all, other routers too. */
static void
all_routers_hear_the_answer(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, SECOND);
    struct port_id other = port(9);

    router(f);
    igmp_snoop_restore_router_port(f->s, &other, f->now);
    join(f, 2, 1, 3, G);
    advance(f, 3 * SECOND);
    ask(f, 8, &q);
    f->log[0] = '\0';
    advance(f, 2 * SECOND);
    assert_non_null(strstr(f->log, "p8!IS_EX:226.2.2.2"));
    assert_non_null(strstr(f->log, "p9!IS_EX:226.2.2.2"));
}

/* Switches that have no address ask from 0.0.0.0: RFC 4541 2.1.1. */
static void
who_asks_from_nowhere_is_answered(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("0.0.0.0");
    struct port_id id = port(8);

    join(f, 2, 1, 3, G);
    q.max_resp_ms = SECOND;
    assert_int_equal(ask(f, 8, &q), IGMP_IGNORED);
    check_after(f, 0, "p2+226.2.2.2 p8!TO_EX:226.2.2.2");
    advance(f, 2 * SECOND);
    f->log[0] = '\0';
    assert_false(igmp_snoop_is_router_port(f->s, &id));
    ask(f, 8, &q);
    check_after(f, SECOND, "p8!IS_EX:226.2.2.2");
    join(f, 2, 1, 3, G2);
    check_after(f, 2 * SECOND,
                "p2+239.1.1.1 p8!TO_EX:239.1.1.1 p8!TO_EX:239.1.1.1");

    advance(f, 260 * SECOND); /* It asks no more. */
    f->log[0] = '\0';
    join(f, 3, 2, 3, G);
    check_after(f, 2 * SECOND, "p3+226.2.2.2");
    ask(f, 8, &q);
    igmp_snoop_port_down(f->s, &id, f->now);
    check_after(f, 2 * SECOND, "");
}

/* 224.0.0.0/24 and ff02::/16 are flooded here; a switch upstream may do
 * otherwise. */
static void
local_groups_are_passed_on(void **state)
{
    struct fixture *f = *state;
    struct igmp_report_record records[] = {
        {.type = IGMP_CHANGE_TO_EXCLUDE, .group = ip(G)},
        {.type = IGMP_CHANGE_TO_EXCLUDE, .group = ip("224.0.0.251")}};
    struct igmp_report report = report_of(1, 3);
    struct igmp_msg v2 = report_msg(2, false, "224.0.0.251");
    struct igmp_msg v3 = report_msg(3, false, "224.0.0.251");

    router(f);
    report.records = records;
    report.n_records = 2;
    say(f, 2, &report);
    check_after(f, 2 * SECOND,
                "p8!TO_EX:224.0.0.251 p2+226.2.2.2"
                " p8!TO_EX:226.2.2.2 p8!TO_EX:226.2.2.2");
    records[1].type = IGMP_CHANGE_TO_INCLUDE; /* Others may want it. */
    say(f, 2, &report);
    check_after(f, 2 * SECOND, "");
    say(f, 8, &report); /* Not back to where it came from. */
    check_after(f, 2 * SECOND, "p8+226.2.2.2");
    assert_int_equal(igmp_snoop_relay(f->s, &v2, IGMP_IGNORED),
                     IGMP_RELAY_ROUTERS);
    assert_int_equal(igmp_snoop_relay(f->s, &v3, IGMP_IGNORED),
                     IGMP_RELAY_NONE);
}

/* Settings. */

static void
relay_and_none_say_nothing(void **state)
{
    struct fixture *f = *state;
    struct igmp_msg report = report_msg(3, false, G);

    router(f);
    assert_int_equal(igmp_snoop_relay(f->s, &report, IGMP_OK),
                     IGMP_RELAY_NONE);
    for (int up = IGMP_UPSTREAM_RELAY; up <= IGMP_UPSTREAM_NONE; up++) {
        f->config.upstream = (enum igmp_upstream) up;
        igmp_snoop_set_config(f->s, &f->config, f->now);
        join(f, 2, 1, 3, G);
        f->log[0] = '\0';
        check_after(f, 3 * SECOND, "");
        assert_int_equal(igmp_snoop_relay(f->s, &report, IGMP_OK),
                         up == IGMP_UPSTREAM_RELAY ? IGMP_RELAY_ROUTERS
                                                   : IGMP_RELAY_NONE);
    }
    f->config.upstream = IGMP_UPSTREAM_PROXY;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    check_after(f, 3 * SECOND, "p8!TO_EX:226.2.2.2 p8!TO_EX:226.2.2.2");
}

static void
reports_come_from_the_queriers_address(void **state)
{
    struct fixture *f = *state;

    router(f);
    join(f, 2, 1, 3, G);
    advance(f, 0);
    assert_int_equal(f->sent.kind, IGMP_V3_REPORT);
    assert_true(ip_addr_equal(&f->sent.ip_src, &f->config.address));
    f->config.address = IP_ADDR_ANY;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    join(f, 2, 1, 3, G2);
    advance(f, 0);
    assert_true(ip_addr_is_any(&f->sent.ip_src));
}

/* Many. */

enum { MANY = 10000, A_FRAME = 183, FRAMES = MANY / A_FRAME + 1 };

static void
many_groups_are_packed(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = winning(3, 10 * SECOND);
    int64_t first = 0, last = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        struct ip_addr group = ip_addr_v4(0xef020000u + i);
        struct port_id id = port(2);

        igmp_snoop_restore(f->s, &id, &group, true, NULL, 0, f->now);
    }
    f->n_sent = 0;
    router(f);
    advance(f, 100); /* All at once, but for the pause. */
    assert_in_range(f->n_sent, FRAMES, FRAMES + 1);
    advance(f, 5 * SECOND);
    assert_in_range(f->n_sent, 2 * FRAMES, 2 * FRAMES + 2);

    q.suppress = true;
    ask(f, 8, &q);
    f->n_sent = 0;
    for (int64_t asked = f->now; f->now < asked + q.max_resp_ms;) {
        unsigned int before = f->n_sent;

        advance(f, 10);
        first = before ? first : f->now - asked;
        last = f->n_sent > before ? f->now - asked : last;
    }
    assert_in_range(f->n_sent, FRAMES, FRAMES + 1);
    assert_true(last > first); /* Not in one burst. */
}

/* A record that is too long for a frame is split; one in EXCLUDE mode cannot
 * be, RFC 3376 4.2.16. */
static void
long_lists_are_split(void **state)
{
    struct fixture *f = *state;
    struct ip_addr list[200];
    const struct ip_addr group = ip(G);

    router(f);
    for (unsigned int p = 0; p < 4; p++) {
        struct port_id id = port(10 + p);

        for (uint32_t i = 0; i < 200; i++) {
            list[i] = ip_addr_v4(0x0a000000u + p * 1000 + i);
        }
        igmp_snoop_restore(f->s, &id, &group, false, list, 200, f->now);
    }
    f->n_sent = 0;
    advance(f, 100);
    assert_int_equal(f->n_sent, 3); /* 365 + 365 + 70. */
    advance(f, 2 * SECOND);
    assert_int_equal(f->n_sent, 6);
}

int
main(void)
{
#define PROXY_TEST(NAME)                                                      \
    cmocka_unit_test_setup_teardown(NAME, setup_proxy, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_merged),
        cmocka_unit_test(too_many_sources_are_all),
        PROXY_TEST(a_join_is_told_at_once_and_again),
        PROXY_TEST(a_second_member_is_not_told),
        PROXY_TEST(the_last_leave_is_told),
        PROXY_TEST(members_behind_the_router_port_are_not_told_to_it),
        PROXY_TEST(each_router_hears_of_the_other_side),
        PROXY_TEST(the_operators_members_are_told),
        PROXY_TEST(the_operators_router_port_is_spoken_to),
        PROXY_TEST(changes_of_filters_are_told),
        PROXY_TEST(changes_meanwhile_are_merged),
        PROXY_TEST(what_is_undone_before_it_was_told_is_not_told),
        PROXY_TEST(a_new_router_hears_everything),
        PROXY_TEST(nothing_is_said_to_what_is_no_router_port_any_more),
        PROXY_TEST(queries_are_answered_in_time),
        PROXY_TEST(specific_queries_are_answered),
        PROXY_TEST(pending_answers_take_in_further_queries),
        PROXY_TEST(our_own_queries_are_answered_to_routers),
        PROXY_TEST(a_version_2_querier_is_answered_in_version_2),
        PROXY_TEST(a_version_1_querier_hears_of_no_leaves),
        PROXY_TEST(the_version_comes_back_when_the_old_querier_is_gone),
        PROXY_TEST(a_leave_survives_a_change_of_version),
        PROXY_TEST(a_leave_is_asked_for_beside_another_querier),
        PROXY_TEST(it_is_asked_for_in_the_queriers_version),
        PROXY_TEST(all_routers_hear_the_answer),
        PROXY_TEST(who_asks_from_nowhere_is_answered),
        PROXY_TEST(local_groups_are_passed_on),
        PROXY_TEST(relay_and_none_say_nothing),
        PROXY_TEST(reports_come_from_the_queriers_address),
        PROXY_TEST(many_groups_are_packed),
        PROXY_TEST(long_lists_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
