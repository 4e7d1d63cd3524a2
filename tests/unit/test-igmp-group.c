/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-hosts.h"
#include "igmp/igmp-table.h"

/* Every row of RFC 3376 tables 6.4.1 and 6.4.2 by name, and the rest of
 * section 6 for one (group, port).
 *
 * States are written as text: sources are the letters a to f, times are
 * seconds from now.
 *
 *     IN{a=50 b=260}         INCLUDE (a,b), timers 50 s and 260 s
 *     EX{a=50;c d}=80        EXCLUDE (a; c,d), group timer 80 s
 *
 * and what is asked as "Q(G)", "Q(G,ab)", with an S behind it for the S flag.
 * Before each row, sources that are forwarded have 50 s and the group timer
 * 80 s. GMI is 260 s, LMQT 2 s. */

enum { GMI = 260, SOURCE_LEFT = 50, GROUP_LEFT = 80 };

static const struct igmp_times TIMES = {.membership = GMI * 1000,
                                        .older_host = GMI * 1000,
                                        .last_member = 1000,
                                        .last_member_count = 2,
                                        .last_member_time = 2000,
                                        .query_version = 3,
                                        .robustness = 2,
                                        .host_silent = 135 * 1000};

struct fixture {
    struct igmp_group g;
    struct igmp_group_ctx ctx;
    struct igmp_times times;
    struct igmp_hosts hosts;
    struct igmp_port port;
    char asked[256];
    int specials[6]; /* As told: how often each letter is special. */
};

static struct ip_addr
letter(char c)
{
    return ip_addr_v4(0x0a090001u + (uint32_t) (c - 'a'));
}

static char
letter_of(const struct ip_addr *a)
{
    return (char) ('a' + (int) (ip_addr_to_v4(a) - 0x0a090001u));
}

static void
query(void *f_, const struct ip_addr *sources, size_t n, bool suppress)
{
    struct fixture *f = f_;
    size_t at = strlen(f->asked);

    at += (size_t) sprintf(f->asked + at, "%sQ(G%s", at ? " " : "",
                           n ? "," : "");
    for (size_t i = 0; i < n; i++) {
        f->asked[at++] = letter_of(&sources[i]);
    }
    sprintf(f->asked + at, ")%s", suppress ? "S" : "");
}

static void
ask_host(void *f_, const struct igmp_wish *w)
{
    struct fixture *f = f_;
    size_t at = strlen(f->asked);

    sprintf(f->asked + at, "%sQ(%d)", at ? " " : "", w->host->mac.b[5]);
}

static void
special(void *f_, const struct ip_addr *source, int delta)
{
    struct fixture *f = f_;
    int *n = &f->specials[letter_of(source) - 'a'];

    *n += delta;
    assert_in_range(*n, 0, 1);
}

static void
begin(struct fixture *f)
{
    f->ctx.changed = f->ctx.hosts_changed = false;
    f->ctx.soonest = INT64_MAX;
    f->asked[0] = '\0';
}

static size_t
letters(const char *s, struct ip_addr *out)
{
    size_t n = 0;

    for (; *s; s++) {
        out[n++] = letter(*s);
    }
    return n;
}

static void
record(struct fixture *f, int version, uint8_t type, const char *list)
{
    struct ip_addr sources[6];
    size_t n = letters(list, sources);

    begin(f);
    igmp_group_record(&f->g, &f->ctx, version, type, sources, n);
}

/* All timers run on by 'ms', and what is due happens. */
static void
step(struct fixture *f, int64_t ms)
{
    f->ctx.now += ms;
    begin(f);
    igmp_group_run(&f->g, &f->ctx);
}

static void
init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->times = TIMES;
    f->ctx = (struct igmp_group_ctx){.times = &f->times,
                                     .now = 1000000,
                                     .hosts = &f->hosts,
                                     .query = query,
                                     .ask_host = ask_host,
                                     .special = special,
                                     .aux = f};
    igmp_group_init(&f->g);
}

/* INCLUDE (x), or EXCLUDE (x,y) where 'y' is not NULL. */
static void
init_state(struct fixture *f, const char *x, const char *y)
{
    init(f);
    if (y) {
        /* What was wanted while the group timer had less than GMI left. */
        f->ctx.now -= (GMI - GROUP_LEFT) * 1000;
        record(f, 3, IGMP_MODE_IS_EXCLUDE, y);
        f->ctx.now += (GMI - GROUP_LEFT) * 1000;
    }
    f->ctx.now -= (GMI - SOURCE_LEFT) * 1000;
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, x);
    f->ctx.now += (GMI - SOURCE_LEFT) * 1000;
    begin(f);
}

static void
uninit(struct fixture *f)
{
    igmp_group_uninit(&f->g, &f->ctx);
    assert_int_equal(f->hosts.n, 0);
    assert_int_equal(f->port.n_hosts, 0);
    igmp_hosts_uninit(&f->hosts);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(f->specials[i], 0);
    }
}

static const char *
state_text(const struct fixture *f)
{
    static char s[256];
    const struct igmp_group *g = &f->g;
    size_t n = 0;

    n += (size_t) sprintf(s + n, g->exclude ? "EX{" : "IN{");
    for (size_t i = 0; i < g->n_sources; i++) {
        if (g->sources[i].forward) {
            n += (size_t) sprintf(
                s + n, "%s%c=%d", s[n - 1] == '{' ? "" : " ",
                letter_of(&g->sources[i].address),
                (int) ((g->sources[i].expires - f->ctx.now) / 1000));
        }
    }
    if (!g->exclude) {
        assert_true(g->timer == INT64_MAX);
        sprintf(s + n, "}");
        return s;
    }
    s[n++] = ';';
    for (size_t i = 0; i < g->n_sources; i++) {
        if (!g->sources[i].forward) {
            assert_true(g->sources[i].expires == INT64_MAX);
            n += (size_t) sprintf(s + n, "%s%c", s[n - 1] == ';' ? "" : " ",
                                  letter_of(&g->sources[i].address));
        }
    }
    sprintf(s + n, "}=%d", (int) ((g->timer - f->ctx.now) / 1000));
    return s;
}

/* What is told as special is what the state says, and each timer that runs is
 * within what the caller was told to wake up for. */
static void
check_told(const struct fixture *f)
{
    int specials[6] = {0};

    for (size_t i = 0; i < f->g.n_sources; i++) {
        const struct igmp_source_view *s = &f->g.sources[i];

        specials[letter_of(&s->address) - 'a'] = s->forward != f->g.exclude;
        if (i) {
            assert_true(ip_addr_compare(&s[-1].address, &s->address) < 0);
        }
    }
    assert_memory_equal(specials, f->specials, sizeof specials);
}

static void
check(const struct fixture *f, const char *state, const char *asked,
      bool changed)
{
    assert_string_equal(state_text(f), state);
    assert_string_equal(f->asked, asked);
    assert_int_equal(f->ctx.changed, changed);
    check_told(f);
}

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

#define ROW(NAME, X, Y, TYPE, LIST, STATE, ASKED, CHANGED)                    \
    static void NAME(void **state)                                            \
    {                                                                         \
        (void) state;                                                         \
        check_row(X, Y, TYPE, LIST, STATE, ASKED, CHANGED);                   \
    }

/* 6.4.1: INCLUDE (A) x IS_IN (B) -> INCLUDE (A+B), (B)=GMI. */
ROW(r641_include_is_in, "ab", NULL, IGMP_MODE_IS_INCLUDE, "bc",
    "IN{a=50 b=260 c=260}", "", true)
ROW(r641_include_is_in_refresh, "ab", NULL, IGMP_MODE_IS_INCLUDE, "ab",
    "IN{a=260 b=260}", "", false)
/* INCLUDE (A) x IS_EX (B) -> EXCLUDE (A*B,B-A), (B-A)=0, Delete (A-B),
 * Group Timer=GMI. */
ROW(r641_include_is_ex, "ab", NULL, IGMP_MODE_IS_EXCLUDE, "bc",
    "EX{b=50;c}=260", "", true)
ROW(r641_include_is_ex_none, "ab", NULL, IGMP_MODE_IS_EXCLUDE, "", "EX{;}=260",
    "", true)
ROW(r641_nothing_is_ex, "", NULL, IGMP_MODE_IS_EXCLUDE, "", "EX{;}=260", "",
    true)
/* EXCLUDE (X,Y) x IS_IN (A) -> EXCLUDE (X+A,Y-A), (A)=GMI. */
ROW(r641_exclude_is_in, "ab", "cd", IGMP_MODE_IS_INCLUDE, "bce",
    "EX{a=50 b=260 c=260 e=260;d}=80", "", true)
ROW(r641_exclude_is_in_of_x, "ab", "cd", IGMP_MODE_IS_INCLUDE, "ae",
    "EX{a=260 b=50 e=260;c d}=80", "", false)
/* EXCLUDE (X,Y) x IS_EX (A) -> EXCLUDE (A-Y,Y*A), (A-X-Y)=GMI,
 * Delete (X-A), Delete (Y-A), Group Timer=GMI. */
ROW(r641_exclude_is_ex, "ab", "cd", IGMP_MODE_IS_EXCLUDE, "bce",
    "EX{b=50 e=260;c}=260", "", true)
ROW(r641_exclude_is_ex_refresh, "ab", "cd", IGMP_MODE_IS_EXCLUDE, "cd",
    "EX{;c d}=260", "", false)

/* 6.4.2: INCLUDE (A) x ALLOW (B) -> INCLUDE (A+B), (B)=GMI. */
ROW(r642_include_allow, "ab", NULL, IGMP_ALLOW_NEW_SOURCES, "bc",
    "IN{a=50 b=260 c=260}", "", true)
/* INCLUDE (A) x BLOCK (B) -> INCLUDE (A), Send Q(G,A*B). */
ROW(r642_include_block, "ab", NULL, IGMP_BLOCK_OLD_SOURCES, "bc",
    "IN{a=50 b=2}", "Q(G,b)", false)
ROW(r642_include_block_others, "ab", NULL, IGMP_BLOCK_OLD_SOURCES, "cd",
    "IN{a=50 b=50}", "", false)
/* INCLUDE (A) x TO_EX (B) -> EXCLUDE (A*B,B-A), (B-A)=0, Delete (A-B),
 * Send Q(G,A*B), Group Timer=GMI. */
ROW(r642_include_to_ex, "ab", NULL, IGMP_CHANGE_TO_EXCLUDE, "bc",
    "EX{b=2;c}=260", "Q(G,b)", true)
ROW(r642_include_to_ex_none, "ab", NULL, IGMP_CHANGE_TO_EXCLUDE, "",
    "EX{;}=260", "", true)
/* INCLUDE (A) x TO_IN (B) -> INCLUDE (A+B), (B)=GMI, Send Q(G,A-B). */
ROW(r642_include_to_in, "ab", NULL, IGMP_CHANGE_TO_INCLUDE, "bc",
    "IN{a=2 b=260 c=260}", "Q(G,a)", true)
ROW(r642_include_to_in_none, "ab", NULL, IGMP_CHANGE_TO_INCLUDE, "",
    "IN{a=2 b=2}", "Q(G,ab)", false)
/* EXCLUDE (X,Y) x ALLOW (A) -> EXCLUDE (X+A,Y-A), (A)=GMI. */
ROW(r642_exclude_allow, "ab", "cd", IGMP_ALLOW_NEW_SOURCES, "bce",
    "EX{a=50 b=260 c=260 e=260;d}=80", "", true)
/* EXCLUDE (X,Y) x BLOCK (A) -> EXCLUDE (X+(A-Y),Y), (A-X-Y)=Group Timer,
 * Send Q(G,A-Y). */
ROW(r642_exclude_block, "ab", "cd", IGMP_BLOCK_OLD_SOURCES, "bce",
    "EX{a=50 b=2 e=2;c d}=80", "Q(G,be)", false)
ROW(r642_exclude_block_blocked, "ab", "cd", IGMP_BLOCK_OLD_SOURCES, "cd",
    "EX{a=50 b=50;c d}=80", "", false)
/* EXCLUDE (X,Y) x TO_EX (A) -> EXCLUDE (A-Y,Y*A), (A-X-Y)=Group Timer,
 * Delete (X-A), Delete (Y-A), Send Q(G,A-Y), Group Timer=GMI. */
ROW(r642_exclude_to_ex, "ab", "cd", IGMP_CHANGE_TO_EXCLUDE, "bce",
    "EX{b=2 e=2;c}=260", "Q(G,be)", true)
ROW(r642_exclude_to_ex_none, "ab", "cd", IGMP_CHANGE_TO_EXCLUDE, "",
    "EX{;}=260", "", true)
/* EXCLUDE (X,Y) x TO_IN (A) -> EXCLUDE (X+A,Y-A), (A)=GMI,
 * Send Q(G,X-A), Send Q(G). */
ROW(r642_exclude_to_in, "ab", "cd", IGMP_CHANGE_TO_INCLUDE, "bce",
    "EX{a=2 b=260 c=260 e=260;d}=2", "Q(G,a) Q(G)", true)
ROW(r642_exclude_to_in_none, "", "", IGMP_CHANGE_TO_INCLUDE, "", "EX{;}=2",
    "Q(G)", false)

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

/* Hosts. */

/* A record of host 'id', as a snoop hands it on. */
static void
say(struct fixture *f, unsigned int id, int version, uint8_t type,
    const char *list)
{
    struct mac_addr mac = {{2, 0, 0, 0, (uint8_t) (id >> 8), (uint8_t) id}};
    struct igmp_wish *w = igmp_hosts_find(&f->g, &mac);
    struct ip_addr sources[6];
    size_t n = letters(list, sources);

    begin(f);
    if (!w && igmp_group_creates(type, n)) {
        struct igmp_host *host = igmp_hosts_lookup(&f->hosts, &mac, &f->port);

        w = igmp_hosts_add_wish(
            &f->g, &f->ctx,
            host ? host : igmp_hosts_add(&f->hosts, &mac, &f->port));
    }
    if (w) {
        igmp_hosts_report(&f->g, &f->ctx, w, version, type, sources, n);
    }
    igmp_group_record(&f->g, &f->ctx, version, type, sources, n);
}

/* "1:IN{ab} 2:EX{}" */
static void
check_hosts(const struct fixture *f, const char *want)
{
    char text[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < f->g.n_hosts; i++) {
        const struct igmp_wish *w = igmp_hosts_wishes(&f->g)[i];

        n += (size_t) sprintf(text + n, "%s%d:%s{", i ? " " : "",
                              w->host->mac.b[5], w->exclude ? "EX" : "IN");
        for (size_t k = 0; k < w->n_sources; k++) {
            text[n++] = letter_of(&w->sources[k]);
        }
        text[n++] = '}';
        text[n] = '\0';
    }
    assert_string_equal(text, want);
}

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
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "e");
    check(&f, "IN{c=260 e=260}", "", true);
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "");
    check(&f, "IN{e=260}", "", true);
    say(&f, 2, 3, IGMP_BLOCK_OLD_SOURCES, "e");
    check(&f, "IN{}", "", true);
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
    say(&f, 2, 3, IGMP_CHANGE_TO_INCLUDE, "d");
    check(&f, "EX{d=260;a b c}=260", "", true);
    say(&f, 1, 3, IGMP_CHANGE_TO_INCLUDE, "e"); /* Nobody excludes now. */
    check(&f, "IN{d=260 e=260}", "", true);
    uninit(&f);
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
        cmocka_unit_test(r641_include_is_in),
        cmocka_unit_test(r641_include_is_in_refresh),
        cmocka_unit_test(r641_include_is_ex),
        cmocka_unit_test(r641_include_is_ex_none),
        cmocka_unit_test(r641_nothing_is_ex),
        cmocka_unit_test(r641_exclude_is_in),
        cmocka_unit_test(r641_exclude_is_in_of_x),
        cmocka_unit_test(r641_exclude_is_ex),
        cmocka_unit_test(r641_exclude_is_ex_refresh),
        cmocka_unit_test(r642_include_allow),
        cmocka_unit_test(r642_include_block),
        cmocka_unit_test(r642_include_block_others),
        cmocka_unit_test(r642_include_to_ex),
        cmocka_unit_test(r642_include_to_ex_none),
        cmocka_unit_test(r642_include_to_in),
        cmocka_unit_test(r642_include_to_in_none),
        cmocka_unit_test(r642_exclude_allow),
        cmocka_unit_test(r642_exclude_block),
        cmocka_unit_test(r642_exclude_block_blocked),
        cmocka_unit_test(r642_exclude_to_ex),
        cmocka_unit_test(r642_exclude_to_ex_none),
        cmocka_unit_test(r642_exclude_to_in),
        cmocka_unit_test(r642_exclude_to_in_none),
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
        cmocka_unit_test(hosts_come_and_go),
        cmocka_unit_test(filters_of_hosts),
        cmocka_unit_test(answer_for_sources_is_no_filter),
        cmocka_unit_test(silent_host_goes),
        cmocka_unit_test(silent_hosts_are_asked_one_by_one),
        cmocka_unit_test(only_the_querier_asks_hosts),
        cmocka_unit_test(thousand_hosts),
        cmocka_unit_test(second_host_keeps_the_group),
        cmocka_unit_test(last_host_takes_the_group_along),
        cmocka_unit_test(tracked_beside_another_querier),
        cmocka_unit_test(tracked_asks_beside_older_hosts),
        cmocka_unit_test(tracked_sources_in_include),
        cmocka_unit_test(tracked_sources_in_exclude),
        cmocka_unit_test(restored_hides_hosts),
        cmocka_unit_test(restored_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
