/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "topo/topo-graph.h"

static void
globs_fit_names(void **state)
{
    static const struct {
        const char *glob, *name;
        bool fits;
    } cases[] = {
        {"eth*", "eth1", true},
        {"eth*", "eth", true},
        {"eth*", "xeth1", false},
        {"*", "anything", true},
        {"eth?", "eth1", true},
        {"eth?", "eth", false},
        {"eth?", "eth12", false},
        {"*eth*1", "s1-eth11", true},
        {"*1*2", "1212", true},
        {"a*b*c", "aXbYbZ", false},
        {"**", "", true},
        {"?*", "", false},
        {"a*a", "a", false},
        {"a*aab", "aaaaaab", true},
        {"s1-eth5", "s1-eth5", true},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (route_glob_fits(cases[i].glob, cases[i].name) != cases[i].fits) {
            fail_msg("%s, %s", cases[i].glob, cases[i].name);
        }
    }
    assert_true(route_port_is_glob("eth*") && route_port_is_glob("?"));
    assert_false(route_port_is_glob("eth1"));
}

static void
globs_that_meet(void **state)
{
    static const struct {
        const char *a, *b;
        bool meet;
    } cases[] = {
        {"eth*", "et*", true},    {"eth*", "*1", true},
        {"eth*", "veth*", false}, {"eth?", "eth??", false},
        {"eth?", "eth*", true},   {"a*b", "b*a", false},
        {"a*b", "*", true},       {"a?c", "*bc", true},
        {"", "*", true},          {"", "?", false},
        {"***", "a", true},       {"*a", "*b", false},
        {"*a*", "*b*", true},     {"x?", "?y", true},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (route_globs_meet(cases[i].a, cases[i].b) != cases[i].meet
            || route_globs_meet(cases[i].b, cases[i].a) != cases[i].meet) {
            fail_msg("%s, %s", cases[i].a, cases[i].b);
        }
    }
}

/* Whether two globs meet, held against all names of up to four letters of
 * two. */
static bool
some_name_fits(const char *a, const char *b)
{
    char name[8];
    for (int length = 0; length <= 6; length++) {
        for (int bits = 0; bits < 1 << length; bits++) {
            for (int i = 0; i < length; i++) {
                name[i] = "ab"[bits >> i & 1];
            }
            name[length] = '\0';
            if (route_glob_fits(a, name) && route_glob_fits(b, name)) {
                return true;
            }
        }
    }
    return false;
}

static void
make_glob(int number, char glob[4])
{
    int n = 0;
    for (; number; number /= 5) {
        if (number % 5) {
            glob[n++] = " ab?*"[number % 5];
        }
    }
    glob[n] = '\0';
}

static void
all_short_globs(void **state)
{
    (void) state;
    for (int i = 0; i < 125; i++) {
        for (int j = 0; j < 125; j++) {
            char a[4], b[4];
            make_glob(i, a);
            make_glob(j, b);
            if (route_globs_meet(a, b) != some_name_fits(a, b)) {
                fail_msg("\"%s\", \"%s\"", a, b);
            }
        }
    }
}

static void
add_port(struct topo_graph *topo, uint32_t no, const char *name)
{
    struct topo_port port = {.no = no, .up = true};
    strcpy(port.name, name);
    topo_set_port(topo, 1, &port);
}

static void
ports_of_a_switch(void **state)
{
    struct topo_graph *topo = topo_graph_create();
    const struct topo_port *p;
    size_t at = 0;

    (void) state;
    assert_null(route_next_port(topo, 1, "eth*", &at));
    topo_set_switch(topo, 1, true);
    add_port(topo, 3, "eth1");
    add_port(topo, 1, "eth2");
    add_port(topo, 2, "wan");
    at = 0;
    p = route_next_port(topo, 1, "eth*", &at);
    assert_int_equal(p->no, 1);
    p = route_next_port(topo, 1, "eth*", &at);
    assert_int_equal(p->no, 3);
    assert_null(route_next_port(topo, 1, "eth*", &at));
    at = 0;
    p = route_next_port(topo, 1, "2", &at);
    assert_string_equal(p->name, "wan");
    assert_null(route_next_port(topo, 1, "2", &at));
    assert_true(route_means_port(topo, 1, "w?n", p));
    assert_true(route_means_port(topo, 1, "wan", p));
    assert_false(route_means_port(topo, 1, "3", p));
    topo_graph_destroy(topo);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_fit_names),
        cmocka_unit_test(globs_that_meet),
        cmocka_unit_test(all_short_globs),
        cmocka_unit_test(ports_of_a_switch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
