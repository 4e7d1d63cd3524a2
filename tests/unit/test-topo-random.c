/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Cables are moved, ports and switches come and go, frames get lost; after
 * some quiet time the links are the cables.
 *
 *     tests/unit/test-topo-random [SEED [ROUNDS]] */

#include "tests/unit/links-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SWITCHES = 10, STEPS = 60, QUIET_MS = 200000 };

static struct {
    unsigned int seed, rounds;
} options = {1, 100};

/* Of two ports that are linked both say so; their number is right. */
static void
check(const struct rig *r)
{
    size_t n = 0;

    for (unsigned int i = 1; i <= SWITCHES; i++) {
        for (unsigned int j = 1; j <= RIG_PORTS; j++) {
            struct port_id id = rig_id(i, j), peer;

            if (topo_links_peer(r->l, &id, &peer)) {
                assert_true(rig_linked(r, i, j, (unsigned int) peer.dpid,
                                       (unsigned int) peer.port_no));
                assert_int_equal(rig_role(r, i, j), TOPO_ROLE_LINK);
                n++;
            }
        }
    }
    assert_int_equal(n, 2 * topo_links_count(r->l));
}

static void
step(struct rig *r)
{
    unsigned int a = 1 + rig_random(r, SWITCHES);
    unsigned int b = 1 + rig_random(r, SWITCHES);
    unsigned int i = 1 + rig_random(r, RIG_PORTS);
    unsigned int j = 1 + rig_random(r, RIG_PORTS);

    switch (rig_random(r, 10)) {
    case 0:
    case 1:
    case 2: /* Nobody may be told. */
        if (a != b || i != j) {
            rig_cable(r, a, i, b, j);
        }
        break;
    case 3:
        rig_cut(r, a, i);
        break;
    case 4:
    case 5:
        if (rig_port(r, a, i)->up) {
            rig_port_down(r, a, i);
        } else {
            rig_port_up(r, a, i);
        }
        break;
    case 6:
        if (r->switches[a].connected) {
            rig_switch_away(r, a);
            r->switches[a].alive = rig_random(r, 2);
        } else {
            rig_switch_up(r, a);
        }
        break;
    case 7:
        rig_port(r, a, i)->loss = (int) rig_random(r, 1000);
        break;
    case 8:
        r->delay = 1 + rig_random(r, 40);
        break;
    case 9: {
        struct port_id id = rig_id(a, i);

        rig_port(r, a, i)->hosts = !rig_random(r, 3);
        topo_links_port_changed(r->l, &id, r->now);
        break;
    }
    }
    rig_run(r, r->now + rig_random(r, rig_random(r, 3) ? 300 : 5000));
    check(r);
}

static void
heal(struct rig *r)
{
    r->delay = 1;
    for (unsigned int i = 1; i <= SWITCHES; i++) {
        if (!r->switches[i].connected) {
            rig_switch_up(r, i);
        }
        for (unsigned int j = 1; j <= RIG_PORTS; j++) {
            struct port_id id = rig_id(i, j);
            struct rig_port *p = rig_port(r, i, j);

            p->loss = 0;
            p->hosts = false;
            topo_links_port_changed(r->l, &id, r->now);
            if (!p->up) {
                rig_port_up(r, i, j);
            }
        }
    }
}

static size_t
check_cables(struct rig *r)
{
    size_t n = 0;

    for (unsigned int i = 1; i <= SWITCHES; i++) {
        for (unsigned int j = 1; j <= RIG_PORTS; j++) {
            const struct port_id *to = &rig_port(r, i, j)->to;

            if (!to->dpid) {
                assert_int_equal(rig_role(r, i, j), TOPO_ROLE_EDGE);
            } else if (to->dpid == i) {
                assert_int_equal(rig_role(r, i, j), TOPO_ROLE_LINK);
            } else {
                assert_true(rig_linked(r, i, j, (unsigned int) to->dpid,
                                       (unsigned int) to->port_no));
                n++;
            }
        }
    }
    assert_int_equal(n, 2 * topo_links_count(r->l));
    assert_false(topo_links_is_searching(r->l));
    return n / 2;
}

static size_t
one_round(unsigned int seed)
{
    static struct rig r;

    rig_init(&r);
    r.random = seed * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned int i = 1; i <= SWITCHES; i++) {
        rig_switch_up(&r, i);
    }
    for (int i = 0; i < STEPS; i++) {
        step(&r);
    }
    heal(&r);
    rig_run(&r, r.now + QUIET_MS);
    check(&r);

    size_t n = check_cables(&r);
    rig_clear(&r);
    rig_run(&r, r.now + 30000);
    assert_null(strstr(r.log, "down"));
    for (unsigned int i = 1; i <= SWITCHES; i++) {
        for (unsigned int j = 1; j <= RIG_PORTS; j++) {
            rig_port_down(&r, i, j);
        }
        rig_switch_away(&r, i);
    }
    assert_int_equal(topo_links_count(r.l), 0);
    assert_false(topo_links_is_searching(r.l));
    rig_uninit(&r);
    return n;
}

static void
test_random(void **state)
{
    size_t n = 0;

    (void) state;
    for (unsigned int i = 0; i < options.rounds; i++) {
        /* Said first: a failure does not come back. */
        if (options.rounds == 1 || i == 0) {
            print_message("seeds from %u on\n", options.seed);
        }
        n += one_round(options.seed + i);
    }
    print_message("%u rounds, %zu links\n", options.rounds, n);
    assert_true(n > options.rounds);
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

    if (argc > 1) {
        options.seed = (unsigned int) strtoul(argv[1], NULL, 10);
    }
    if (argc > 2) {
        options.rounds = (unsigned int) strtoul(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
