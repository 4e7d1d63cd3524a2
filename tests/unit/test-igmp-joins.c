/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What is asked for upstream without a member: which port hears what. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-joins.h"
#include "igmp/igmp-snoop-private.h"

static struct ip_addr
ip(const char *text)
{
    struct ip_addr a;
    assert_true(ip_addr_parse(text, &a));
    return a;
}

static struct igmp_merge
merged(struct igmp_joins *joins, const char *group, uint64_t dpid, int port)
{
    const struct ip_addr g = ip(group);
    const struct port_id id = {dpid, (uint32_t) port};
    struct igmp_merge m = {.n = 0};
    igmp_merge_begin(&m, &g);
    igmp_joins_merge(joins, &g, &id, true, &m);
    igmp_joins_merge(joins, &g, &id, false, &m);
    return m;
}

static void
expect(struct igmp_joins *joins, const char *group, uint64_t dpid, int port,
       bool exclude, size_t n)
{
    struct igmp_merge m = merged(joins, group, dpid, port);
    assert_int_equal(m.exclude, exclude);
    assert_int_equal(m.n, n);
    igmp_merge_uninit(&m);
}

static void
no_send(void *aux, const struct port_id *port, const void *frame, size_t size)
{
    (void) aux, (void) port, (void) frame, (void) size;
}

static void
test_a_port_hears_what_is_for_it(void **state)
{
    (void) state;
    const struct igmp_ops ops = {.send = no_send};
    struct igmp_config config = {.robustness = 2,
                                 .version = 3,
                                 .query_interval = 125000,
                                 .query_response_interval = 10000};
    struct igmp_snoop *s = igmp_snoop_create(0, &config, &ops, NULL, 0);
    const struct igmp_join list[] = {
        {.group = ip("239.1.1.2"), .exclude = true},
        {.group = ip("239.1.1.1"), .port = {1, 7}, .source = ip("10.0.0.2")},
        {.group = ip("239.1.1.1"), .port = {1, 7}, .source = ip("10.0.0.1")},
        {.group = ip("239.1.1.1"), .port = {1, 7}, .source = ip("10.0.0.1")},
        {.group = ip("239.1.1.3"), .port = {2, 0}, .exclude = true},
    };
    igmp_snoop_set_joins(s, list, sizeof list / sizeof *list, 0);
    assert_int_equal(s->joins.n, 4); /* Each once. */
    expect(&s->joins, "239.1.1.1", 1, 7, false, 2);
    expect(&s->joins, "239.1.1.1", 1, 8, false, 0);
    expect(&s->joins, "239.1.1.2", 9, 9, true, 0);
    expect(&s->joins, "239.1.1.3", 2, 5, true, 0);
    expect(&s->joins, "239.1.1.3", 1, 5, false, 0);
    expect(&s->joins, "239.1.1.4", 1, 5, false, 0);

    /* Of one group: in the midst, the last, a new one. */
    const struct ip_addr one = ip("239.1.1.1"), last = ip("239.1.1.3"),
                         new = ip("239.1.1.0");
    const struct igmp_join other = {.group = one, .exclude = true};
    igmp_snoop_set_group_joins(s, &one, &other, 1, 1);
    assert_int_equal(s->joins.n, 3);
    expect(&s->joins, "239.1.1.1", 1, 8, true, 0);
    expect(&s->joins, "239.1.1.2", 9, 9, true, 0);
    /* As many, and another one. */
    const struct igmp_join there = {
        .group = one, .port = {1, 7}, .exclude = true};
    igmp_snoop_set_group_joins(s, &one, &there, 1, 1);
    expect(&s->joins, "239.1.1.1", 1, 8, false, 0);
    igmp_snoop_set_group_joins(s, &one, &other, 1, 1);
    igmp_snoop_set_group_joins(s, &last, NULL, 0, 1);
    assert_int_equal(s->joins.n, 2);
    expect(&s->joins, "239.1.1.3", 2, 5, false, 0);
    const struct igmp_join first[] = {
        {.group = new, .source = ip("10.0.0.1")},
        {.group = new, .source = ip("10.0.0.2")}};
    igmp_snoop_set_group_joins(s, &new, first, 2, 1);
    assert_int_equal(s->joins.n, 4);
    expect(&s->joins, "239.1.1.0", 3, 3, false, 2);
    expect(&s->joins, "239.1.1.1", 1, 8, true, 0);

    igmp_snoop_set_joins(s, NULL, 0, 1);
    expect(&s->joins, "239.1.1.2", 9, 9, false, 0);
    igmp_snoop_set_group_joins(s, &one, NULL, 0, 1);
    assert_int_equal(s->joins.n, 0);
    igmp_snoop_destroy(s);
}

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

/* 'wanted' and 'expected': sources, separated by spaces; "!" before them where
 * all but those are. */
static void
add_wanted(struct igmp_merge *m, const char *wanted)
{
    bool exclude = *wanted == '!';
    struct ip_addr list[8];
    size_t n = 0;
    char text[256], *rest = NULL;
    snprintf(text, sizeof text, "%s", wanted + exclude);
    for (char *word = strtok_r(text, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest)) {
        list[n++] = ip(word);
    }
    n = ip_addr_sort(list, n);
    if (exclude) {
        igmp_merge_exclude(m, list, n);
    } else {
        igmp_merge_include(m, list, n);
    }
}

static void
follow(const struct igmp_join *join, const char *wanted, const char *expected)
{
    const struct ip_addr group = ip("239.1.1.1");
    const struct port_id port = {1, 7};
    struct igmp_join copy = *join;
    copy.group = group;
    copy.follows = true;
    const struct igmp_joins joins = {.list = &copy, .n = 1};
    struct igmp_merge m = {.n = 0}, e = {.n = 0};
    igmp_merge_begin(&m, &group);
    igmp_merge_begin(&e, &group);
    add_wanted(&m, wanted);
    add_wanted(&e, expected);
    /* Nothing is asked for by itself. */
    igmp_joins_merge(&joins, &group, &port, join->exclude, &m);
    igmp_joins_follow(&joins, &group, &port, &m);
    if (m.exclude != e.exclude || m.n != e.n
        || (m.n && memcmp(m.sources, e.sources, m.n * sizeof *m.sources))) {
        fail_msg("wanted \"%s\": not \"%s\"", wanted, expected);
    }
    igmp_merge_uninit(&m);
    igmp_merge_uninit(&e);
}

static void
test_joins_follow_what_is_made_of_them(void **state)
{
    (void) state;
    const struct igmp_join host = {.source = ip("192.168.0.5"),
                                   .made = prefix("10.1.0.5")};
    follow(&host, "", "");
    follow(&host, "10.1.0.6", "10.1.0.6");
    follow(&host, "10.1.0.5", "10.1.0.5 192.168.0.5");
    follow(&host, "!", "!");
    follow(&host, "!10.1.0.5 192.168.0.5", "!10.1.0.5 192.168.0.5");
    follow(&host, "!10.1.0.6 192.168.0.5", "!10.1.0.6");

    const struct igmp_join net = {.source = ip("192.168.0.0"),
                                  .made = prefix("10.1.0.0/24")};
    follow(&net, "10.1.0.5 10.1.0.6 10.1.1.7 224.0.0.1",
           "10.1.0.5 10.1.0.6 10.1.1.7 192.168.0.5 192.168.0.6 224.0.0.1");
    follow(&net, "!10.1.0.5 192.168.0.6", "!");

    /* What is sent stands before what is made of it. */
    const struct igmp_join before = {.source = ip("9.0.0.0"),
                                     .made = prefix("10.1.0.0/24")};
    follow(&before, "10.1.0.5 10.1.0.6", "9.0.0.5 9.0.0.6 10.1.0.5 10.1.0.6");

    const struct igmp_join any = {.exclude = true, .made = prefix("10.1.0.5")};
    follow(&any, "10.1.0.6", "10.1.0.6");
    follow(&any, "10.1.0.5 10.1.0.6", "!");
    follow(&any, "!10.1.0.5", "!10.1.0.5");
    follow(&any, "!10.1.0.6", "!");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_port_hears_what_is_for_it),
        cmocka_unit_test(test_joins_follow_what_is_made_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
