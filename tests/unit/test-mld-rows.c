/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/igmp-lab.h"

/* Every row of RFC 3810 tables 7.4.1 and 7.4.2 by name: MLDv2 frames into an
 * IPv6 vlan, queries out of it.  The Multicast Address Listening Interval is
 * 260 s, the Last Listener Query Time 2 s. */

#define GROUP "ff05::1:3"
enum { SOURCE_LEFT = 50, GROUP_LEFT = 80, MALI = 260 };

/* Sources 2001:db8::a to 2001:db8::f. */
static struct ip_addr
letter(char c)
{
    struct ip_addr a = ip("2001:db8::");

    a.b[15] = (uint8_t) (c - 'a' + 0xa);
    return a;
}

static char
letter_of(const struct ip_addr *a)
{
    return (char) (a->b[15] - 0xa + 'a');
}

static void
tell_letters(struct fixture *f, uint8_t type, const char *list)
{
    struct ip_addr sources[12];
    struct igmp_report_record r = {
        .type = type, .group = ip(GROUP), .sources = sources};
    struct igmp_report report = report_of(1, 3);

    for (; *list; list++) {
        sources[r.n_sources++] = letter(*list);
    }
    report.records = &r;
    assert_int_equal(say(f, 2, &report), IGMP_OK);
}

/* INCLUDE (x), or EXCLUDE (x,y) where 'y' is not NULL. */
static void
set_state(struct fixture *f, const char *x, const char *y)
{
    char both[16];

    if (*x) {
        tell_letters(f, IGMP_ALLOW_NEW_SOURCES, x);
    }
    advance(f, (GROUP_LEFT - SOURCE_LEFT) * SECOND);
    if (y) { /* INCLUDE (A) x IS_EX (B): EXCLUDE (A*B,B-A). */
        sprintf(both, "%s%s", x, y);
        tell_letters(f, IGMP_MODE_IS_EXCLUDE, both);
    }
    advance(f, (MALI - GROUP_LEFT) * SECOND);
    f->log[0] = '\0';
}

struct text {
    const struct fixture *f;
    char s[256];
};

static bool
put_state(void *text_, const struct igmp_port_view *v)
{
    struct text *text = text_;
    char *s = text->s;
    int64_t now = text->f->now;

    s += sprintf(s, v->exclude ? "EX{" : "IN{");
    for (size_t i = 0; i < v->n_sources; i++) {
        if (v->sources[i].forward) {
            s += sprintf(s, "%s%c=%d", s[-1] == '{' ? "" : " ",
                         letter_of(&v->sources[i].address),
                         (int) ((v->sources[i].expires - now) / 1000));
        }
    }
    if (!v->exclude) {
        sprintf(s, "}");
        return true;
    }
    *s++ = ';';
    for (size_t i = 0; i < v->n_sources; i++) {
        if (!v->sources[i].forward) {
            s += sprintf(s, "%s%c", s[-1] == ';' ? "" : " ",
                         letter_of(&v->sources[i].address));
        }
    }
    sprintf(s, "}=%d", (int) ((v->expires - now) / 1000));
    return true;
}

/* "p2?ff05::1:3,2001:db8::a" is "Q(G,a)". */
static void
put_asked(const char *log, char *out, bool *changed)
{
    static const char group[] = "p2?" GROUP, source[] = ",2001:db8::";
    char word[256];
    int n;

    *out = '\0';
    *changed = false;
    for (; sscanf(log, " %255s%n", word, &n) == 1; log += n) {
        const char *at = word + sizeof group - 1;

        if (strncmp(word, group, sizeof group - 1)) {
            *changed = true;
            continue;
        }
        out += sprintf(out, "%sQ(G%s", out[-1] ? " " : "", *at ? "," : "");
        for (; *at; at += sizeof source) {
            assert_memory_equal(at, source, sizeof source - 1);
            *out++ = at[sizeof source - 1];
        }
        out += sprintf(out, ")");
    }
}

static void
check_row(struct fixture *f, const char *x, const char *y, uint8_t type,
          const char *list, const char *state, const char *asked, bool changed)
{
    struct text text = {f, "IN{}"};
    struct ip_addr group = ip(GROUP);
    char queries[256] = "";
    bool told;

    set_state(f, x, y);
    tell_letters(f, type, list);
    igmp_snoop_each_port(f->s, &group, put_state, &text);
    assert_string_equal(text.s, state);
    put_asked(f->log, queries + 1, &told);
    assert_string_equal(queries + 1, asked);
    assert_int_equal(told, changed);
    if (*asked) {
        assert_int_equal(f->sent.family, IGMP_IPV6);
        assert_int_equal(f->sent.version, 3); /* MLDv2. */
        assert_int_equal(f->sent.max_resp_ms, 1000);
    }
}

static int
setup_mld(void **state)
{
    setup(state);

    struct fixture *f = *state;
    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1");
    restart(f, 0);
    advance(f, 40 * SECOND);
    return 0;
}

#define ROW(TABLE, NAME, X, Y, TYPE, LIST, STATE, ASKED, CHANGED)             \
    static void r74##TABLE##_##NAME(void **state)                             \
    {                                                                         \
        check_row(*state, X, Y, TYPE, LIST, STATE, ASKED, CHANGED);           \
    }
#include "tests/unit/igmp-rows.def"
#undef ROW

/* MLDv1: RFC 3810 8.3.2, as IGMPv2. */
static void
mldv1_hosts(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 2, GROUP);
    check_log(f, "*? *? p2+" GROUP);
    tell_letters(f, IGMP_BLOCK_OLD_SOURCES, "a"); /* Ignored. */
    check_log(f, "");
    leave(f, 2, 1, 2, GROUP);
    advance(f, 5 * SECOND);
    check_log(f, "p2?" GROUP " p2?" GROUP " p2-" GROUP);
}

/* RFC 4604 2.2: ff3x::/32 has sources only. */
static void
ssm_range(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        tell(f, 2, 1, IGMP_CHANGE_TO_EXCLUDE, "ff3e::8000:1", NULL, NULL),
        IGMP_SSM_ONLY);
    assert_int_equal(tell(f, 2, 1, IGMP_ALLOW_NEW_SOURCES, "ff3e::8000:1",
                          "2001:db8::a", NULL),
                     IGMP_OK);
    /* No SSM: a prefix stands in it (RFC 3306). */
    assert_int_equal(tell(f, 2, 1, IGMP_CHANGE_TO_EXCLUDE,
                          "ff3e:30:2001:db8::1", NULL, NULL),
                     IGMP_OK);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup_mld, teardown)
    const struct CMUnitTest tests[] = {
#define ROW(TABLE, NAME, X, Y, TYPE, LIST, STATE, ASKED, CHANGED)             \
    TEST(r74##TABLE##_##NAME),
#include "tests/unit/igmp-rows.def"
#undef ROW
        TEST(mldv1_hosts),
        TEST(ssm_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
