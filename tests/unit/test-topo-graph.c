/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct topo_port
port(uint32_t no, const char *name)
{
    struct topo_port port = {.no = no, .mac = {{2, 0, 0, 0, 0, no}}};

    snprintf(port.name, sizeof port.name, "%s", name);
    return port;
}

static bool
set_port(struct topo_graph *graph, uint64_t dpid, uint32_t no,
         const char *name)
{
    struct topo_port p = port(no, name);

    return topo_set_port(graph, dpid, &p);
}

static void
test_switches_come_and_go(void **state)
{
    struct topo_graph *graph = topo_graph_create();

    (void) state;
    assert_null(topo_lookup_switch(graph, 1));
    assert_true(topo_set_switch(graph, 1, true));
    assert_false(topo_set_switch(graph, 1, true));
    assert_true(topo_lookup_switch(graph, 1)->connected);
    assert_true(topo_set_switch(graph, 1, false));
    assert_false(topo_lookup_switch(graph, 1)->connected);
    assert_true(topo_remove_switch(graph, 1));
    assert_false(topo_remove_switch(graph, 1));
    assert_null(topo_lookup_switch(graph, 1));
    topo_graph_destroy(graph);
    topo_graph_destroy(NULL);
}

/* A port of a switch that nobody announced, or that has left, is refused. */
static void
test_port_needs_its_switch(void **state)
{
    struct topo_graph *graph = topo_graph_create();

    (void) state;
    assert_false(set_port(graph, 1, 1, "s1-eth1"));
    topo_set_switch(graph, 1, true);
    assert_true(set_port(graph, 1, 1, "s1-eth1"));
    topo_remove_switch(graph, 1);
    assert_null(topo_lookup_port(graph, &(struct port_id){1, 1}));
    assert_false(topo_remove_port(graph, &(struct port_id){1, 1}));
    topo_graph_destroy(graph);
}

static void
test_ports_are_sorted(void **state)
{
    static const uint32_t order[] = {7, 1, 0xfffffffe, 3, 2};
    static const uint32_t sorted[] = {1, 2, 3, 7, 0xfffffffe};
    struct topo_graph *graph = topo_graph_create();

    (void) state;
    topo_set_switch(graph, 1, true);
    for (size_t i = 0; i < 5; i++) {
        set_port(graph, 1, order[i], "p");
    }

    const struct topo_switch *sw = topo_lookup_switch(graph, 1);
    assert_int_equal(sw->n_ports, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(sw->ports[i]->no, sorted[i]);
    }
    assert_true(topo_remove_port(graph, &(struct port_id){1, 3}));
    assert_int_equal(sw->n_ports, 4);
    assert_int_equal(sw->ports[2]->no, 7);
    topo_graph_destroy(graph);
}

static void
test_find_by_name_or_number(void **state)
{
    struct topo_graph *graph = topo_graph_create();
    char longer[TOPO_PORT_NAME_SIZE + 8];

    (void) state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    topo_set_switch(graph, 1, true);
    set_port(graph, 1, 5, "s1-eth5");
    set_port(graph, 1, 6, "5"); /* A name that looks like a number. */
    set_port(graph, 1, 9, "");
    assert_int_equal(topo_find_port(graph, 1, "s1-eth5")->no, 5);
    assert_int_equal(topo_find_port(graph, 1, "5")->no, 6);
    assert_int_equal(topo_find_port(graph, 1, "6")->no, 6);
    assert_int_equal(topo_find_port(graph, 1, "009")->no, 9);
    assert_null(topo_find_port(graph, 1, "7"));
    assert_null(topo_find_port(graph, 1, "-6"));
    assert_null(topo_find_port(graph, 1, "6 "));
    assert_null(topo_find_port(graph, 1, "4294967301")); /* 2^32 + 5 */
    assert_null(topo_find_port(graph, 1, "s1-eth"));
    assert_null(topo_find_port(graph, 1, longer));
    assert_null(topo_find_port(graph, 2, "s1-eth5"));
    topo_graph_destroy(graph);
}

/* A port that is added again under another name is found by that one only. */
static void
test_rename(void **state)
{
    struct topo_graph *graph = topo_graph_create();

    (void) state;
    topo_set_switch(graph, 1, true);
    set_port(graph, 1, 1, "a");
    set_port(graph, 1, 2, "b");

    const struct topo_port *one =
        topo_lookup_port(graph, &(struct port_id){1, 1});
    assert_true(set_port(graph, 1, 1, "z"));
    assert_ptr_equal(topo_find_port(graph, 1, "z"), one);
    assert_null(topo_find_port(graph, 1, "a"));

    /* While a switch renames, two ports may bear one name: the lower number
     * wins, and the other is found when it is the only one. */
    assert_true(set_port(graph, 1, 2, "z"));
    assert_int_equal(topo_find_port(graph, 1, "z")->no, 1);
    topo_remove_port(graph, &(struct port_id){1, 1});
    assert_int_equal(topo_find_port(graph, 1, "z")->no, 2);
    topo_graph_destroy(graph);
}

static void
test_generation_grows_with_changes_only(void **state)
{
    struct topo_graph *graph = topo_graph_create();
    struct topo_port p = port(1, "a");
    uint64_t generation = topo_graph_generation(graph);

    (void) state;
#define ASSERT_CHANGES(CALL)                                                  \
    assert_true(CALL);                                                        \
    assert_true(topo_graph_generation(graph) > generation);                   \
    generation = topo_graph_generation(graph)
#define ASSERT_NO_CHANGE(CALL)                                                \
    assert_false(CALL);                                                       \
    assert_int_equal(topo_graph_generation(graph), generation)

    ASSERT_CHANGES(topo_set_switch(graph, 1, true));
    ASSERT_CHANGES(topo_set_port(graph, 1, &p));
    ASSERT_NO_CHANGE(topo_set_port(graph, 1, &p));
    p.up = true;
    ASSERT_CHANGES(topo_set_port(graph, 1, &p));
    p.mac.b[0] = 6;
    ASSERT_CHANGES(topo_set_port(graph, 1, &p));
    p.kind = TOPO_PORT_LINK;
    ASSERT_CHANGES(topo_set_port(graph, 1, &p));

    const struct port_id id = {1, 1}, none = {1, 0x100000001};
    ASSERT_NO_CHANGE(topo_set_port_kind(graph, &id, TOPO_PORT_LINK));
    ASSERT_CHANGES(topo_set_port_kind(graph, &id, TOPO_PORT_MROUTER));
    ASSERT_NO_CHANGE(topo_set_port_kind(graph, &none, TOPO_PORT_HOST));
    ASSERT_NO_CHANGE(topo_remove_port(graph, &none));
    ASSERT_CHANGES(topo_remove_port(graph, &id));
    ASSERT_NO_CHANGE(topo_remove_port(graph, &id));
    ASSERT_CHANGES(topo_remove_switch(graph, 1));
    ASSERT_NO_CHANGE(topo_remove_switch(graph, 1));
    topo_graph_destroy(graph);
}

/* A name that fills its array without a NUL must not be read past. */
static void
test_unterminated_name(void **state)
{
    struct topo_graph *graph = topo_graph_create();
    struct topo_port p = {.no = 1};

    (void) state;
    memset(p.name, 'n', sizeof p.name);
    topo_set_switch(graph, 1, true);
    assert_true(topo_set_port(graph, 1, &p));
    assert_int_equal(topo_lookup_switch(graph, 1)->ports[0]->name[63], 0);
    assert_false(topo_set_port(graph, 1, &p));
    topo_graph_destroy(graph);
}

struct seen {
    uint64_t dpids[8];
    size_t n, stop_at;
};

static bool
record_switch(void *seen_, const struct topo_switch *sw)
{
    struct seen *seen = seen_;

    seen->dpids[seen->n++] = sw->dpid;
    return seen->n != seen->stop_at;
}

static void
test_each_switch_in_order(void **state)
{
    struct topo_graph *graph = topo_graph_create();
    struct seen all = {.n = 0}, first = {.stop_at = 1};

    (void) state;
    topo_set_switch(graph, UINT64_MAX, true);
    topo_set_switch(graph, 2, true);
    topo_set_switch(graph, 1, false);
    topo_each_switch(graph, record_switch, &all);
    assert_int_equal(all.n, 3);
    assert_int_equal(all.dpids[0], 1);
    assert_int_equal(all.dpids[1], 2);
    assert_int_equal(all.dpids[2], UINT64_MAX);
    topo_each_switch(graph, record_switch, &first);
    assert_int_equal(first.n, 1);
    topo_graph_destroy(graph);
}

static void
test_kind_names(void **state)
{
    (void) state;
    assert_string_equal(topo_port_kind_name(TOPO_PORT_HOST), "host");
    assert_string_equal(topo_port_kind_name(TOPO_PORT_LINK), "link");
    assert_string_equal(topo_port_kind_name(TOPO_PORT_MROUTER), "mrouter");
}

/* Random changes against the plainest possible model: one slot a port. */
enum { N_DPIDS = 4, N_PORTS = 40, N_NAMES = 12 };

static void
check_against(const struct topo_graph *graph, int name_of[N_DPIDS][N_PORTS])
{
    for (int d = 0; d < N_DPIDS; d++) {
        for (int name = 0; name < N_NAMES; name++) {
            char text[16];
            int expected = -1;

            snprintf(text, sizeof text, "p%d", name);
            for (int no = N_PORTS - 1; no >= 0; no--) {
                expected = name_of[d][no] == name ? no : expected;
            }

            const struct topo_port *p = topo_find_port(graph, d + 1, text);
            assert_int_equal(p ? (int) p->no : -1, expected);
        }

        size_t n = 0;
        for (int no = 0; no < N_PORTS; no++) {
            const struct port_id id = {d + 1, no};
            const struct topo_port *p = topo_lookup_port(graph, &id);

            assert_int_equal(!!p, name_of[d][no] >= 0);
            n += !!p;
        }
        assert_int_equal(topo_lookup_switch(graph, d + 1)->n_ports, n);
    }
}

static void
test_random_changes(void **state)
{
    struct topo_graph *graph = topo_graph_create();
    int name_of[N_DPIDS][N_PORTS];
    unsigned int seed = 20240607;

    (void) state;
    print_message("seed %u\n", seed);
    memset(name_of, -1, sizeof name_of);
    for (int d = 0; d < N_DPIDS; d++) {
        topo_set_switch(graph, d + 1, true);
    }
    for (int step = 0; step < 4000; step++) {
        int d = rand_r(&seed) % N_DPIDS, no = rand_r(&seed) % N_PORTS;
        int name = rand_r(&seed) % N_NAMES;

        if (rand_r(&seed) % 3) {
            char text[16];

            snprintf(text, sizeof text, "p%d", name);
            assert_int_equal(set_port(graph, d + 1, no, text),
                             name_of[d][no] != name);
            name_of[d][no] = name;
        } else {
            const struct port_id id = {d + 1, no};

            assert_int_equal(topo_remove_port(graph, &id),
                             name_of[d][no] >= 0);
            name_of[d][no] = -1;
        }
        if (step % 50 == 0) {
            check_against(graph, name_of);
        }
    }
    check_against(graph, name_of);
    topo_graph_destroy(graph);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switches_come_and_go),
        cmocka_unit_test(test_port_needs_its_switch),
        cmocka_unit_test(test_ports_are_sorted),
        cmocka_unit_test(test_find_by_name_or_number),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_generation_grows_with_changes_only),
        cmocka_unit_test(test_unterminated_name),
        cmocka_unit_test(test_each_switch_in_order),
        cmocka_unit_test(test_kind_names),
        cmocka_unit_test(test_random_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
