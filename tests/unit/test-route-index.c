/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/route.h"
#include "lib/xalloc.h"

static struct ip_prefix
prefix(const char *s)
{
    struct ip_prefix p;

    assert_true(ip_prefix_parse(s, &p));
    return p;
}

static struct rule *
add(struct ctl *ctl, const char *name, const char *group)
{
    struct rule *rule = xcalloc(1, sizeof *rule);

    rule->route = xcalloc(1, sizeof *rule->route);
    rule->route->match.group = prefix(group);
    snprintf(rule->name, sizeof rule->name, "%s", name);
    route_index_add(ctl, rule);
    return rule;
}

static void
del(struct ctl *ctl, struct rule *rule)
{
    route_index_remove(ctl, rule);
    free(rule->route);
    free(rule);
}

/* The names of what a walk comes by, one behind the other. */
static const char *
names(const struct ctl *ctl, const char *group)
{
    static char found[64];
    struct route_walk walk;
    struct ip_prefix p = prefix(group);
    struct rule *rule = route_index_first(ctl, &p, &walk);

    found[0] = '\0';
    for (; rule; rule = route_index_next(&walk)) {
        strcat(found, rule->name);
    }
    return found;
}

static void
a_walk_finds_what_may_match(void **state)
{
    struct ctl ctl = {.loop = NULL};
    struct rule *a, *b, *c, *d, *w, *x;

    (void) state;
    assert_string_equal(names(&ctl, "239.1.1.1"), "");
    assert_string_equal(names(&ctl, "239.0.0.0/8"), "");

    a = add(&ctl, "a", "239.1.1.1");
    w = add(&ctl, "w", "239.1.0.0/16");
    b = add(&ctl, "b", "239.1.1.2");
    c = add(&ctl, "c", "239.1.1.1");
    x = add(&ctl, "x", "225.0.0.0/8");
    d = add(&ctl, "d", "ff15::1");
    assert_string_equal(names(&ctl, "239.1.1.1"), "acwx");
    assert_string_equal(names(&ctl, "239.1.1.2"), "bwx");
    assert_string_equal(names(&ctl, "239.1.1.3"), "wx");
    assert_string_equal(names(&ctl, "ff15::1"), "dwx");
    assert_string_equal(names(&ctl, "239.1.1.0/24"), "acbdwx");

    /* The first of a group, then its last; the first of the prefixes. */
    del(&ctl, a);
    assert_string_equal(names(&ctl, "239.1.1.1"), "cwx");
    del(&ctl, c);
    assert_string_equal(names(&ctl, "239.1.1.1"), "wx");
    del(&ctl, w);
    assert_string_equal(names(&ctl, "239.1.1.0/24"), "bdx");
    a = add(&ctl, "a", "239.1.1.1");
    assert_string_equal(names(&ctl, "239.1.1.1"), "ax");

    del(&ctl, a);
    del(&ctl, b);
    del(&ctl, d);
    del(&ctl, x);
    assert_null(ctl.route_groups);
    assert_null(ctl.wide_routes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_finds_what_may_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
