/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/links-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Up and down. */

static void
test_up_in_any_order(void **state)
{
    static struct rig r;

    (void) state;
    /* How long after the first end the second comes: the first one is asking
     * fast, waits, is an edge. */
    for (int64_t late = 0; late < 20000; late += late < 300 ? 7 : 977) {
        rig_init(&r);
        rig_cable(&r, 1, 1, 2, 1);
        rig_switch_up(&r, 1);
        rig_port_up(&r, 1, 1);
        rig_run(&r, late);
        rig_switch_up(&r, 2);
        rig_port_up(&r, 2, 1);
        assert_false(rig_linked(&r, 1, 1, 2, 1));
        /* One round trip; a port speaks at most each 20 ms. */
        rig_run(&r, late + 2 * r.delay + 20);
        assert_true(rig_linked(&r, 1, 1, 2, 1));
        assert_int_equal(topo_links_count(r.l), 1);
        if (late > 200) {
            assert_int_equal(rig_port(&r, 1, 1)->changed_at,
                             late + 2 * r.delay);
        }
        rig_run(&r, late + 100000);
        assert_int_equal(rig_port(&r, 1, 1)->n_up, 1);
        assert_int_equal(rig_port(&r, 1, 1)->n_down, 0);
        rig_uninit(&r);
    }
}

static void
test_edge(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    r.log_roles = true;
    rig_run(&r, 1000);
    rig_switch_up(&r, 1);
    rig_port_up(&r, 1, 1);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_UNKNOWN);
    rig_run(&r, 2000);
    rig_expect(&r, "1250 role 1.1 edge\n");
    assert_int_equal(rig_port(&r, 1, 1)->n_sent, 3);
    assert_int_equal(rig_port(&r, 1, 1)->sent_at, 1150);
    rig_run(&r, 60000);
    assert_int_equal(rig_port(&r, 1, 1)->n_sent, 3 + 5);
    assert_int_equal(rig_port(&r, 1, 1)->sent_at, 51150);
    rig_uninit(&r);
}

static void
test_transcript(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    r.log_roles = true;
    rig_two(&r);
    rig_run(&r, 5000);
    rig_expect(&r, "1 role 2.1 link\n1 role 1.1 link\n1 up 1.1 2.1\n");
    rig_port_down(&r, 2, 1);
    rig_expect(&r, "5000 down 1.1 2.1 port-down\n");
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_UNKNOWN);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_LINK);
    assert_true(topo_links_is_searching(r.l));
    rig_run(&r, 7000);
    rig_port_up(&r, 2, 1);
    rig_run(&r, 7500);
    rig_expect(&r, "7002 role 2.1 link\n7002 up 1.1 2.1\n");
    assert_false(topo_links_is_searching(r.l));
    rig_port_down(&r, 2, 1);
    rig_run(&r, 20000);
    rig_expect(&r, "7500 down 1.1 2.1 port-down\n10500 role 1.1 edge\n");
    rig_uninit(&r);
}

/* Losing. */

/* Returns when the link went down, from the loss on. */
static int64_t
lose(int64_t after, int64_t interval, bool both)
{
    static struct rig r;

    rig_init(&r);
    r.config.probe_interval = interval;
    topo_links_set_config(r.l, &r.config, r.now);
    rig_two(&r);
    rig_run(&r, 5000 + after);
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    rig_port(&r, 1, 1)->loss = 1000;
    rig_port(&r, 2, 1)->loss = both ? 1000 : 0;
    while (topo_links_count(r.l) && r.now < 5000 + after + 10 * interval) {
        rig_run(&r, r.now + 1);
    }
    assert_non_null(strstr(r.log, "down 1.1 2.1 probes-lost"));

    int64_t taken = r.now - 5000 - after;
    /* One that is heard is no edge, and neither is one that is heard of. */
    rig_run(&r, r.now + 20000);
    enum topo_role role = both ? TOPO_ROLE_EDGE : TOPO_ROLE_LINK;
    assert_int_equal(rig_role(&r, 1, 1), role);
    assert_int_equal(rig_role(&r, 2, 1), role);
    assert_int_equal(topo_links_count(r.l), 0);
    rig_port(&r, 1, 1)->loss = rig_port(&r, 2, 1)->loss = 0;
    rig_run(&r, r.now + (both ? 10200 : 1200));
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    rig_uninit(&r);
    return taken;
}

static void
test_loss(void **state)
{
    static const int64_t intervals[] = {100, 1000, 2500};

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        int64_t interval = intervals[i], most = 0, least = INT64_MAX;

        for (int64_t after = 0; after < interval; after += interval / 20) {
            for (int both = 0; both <= 1; both++) {
                int64_t taken = lose(after, interval, both);

                most = taken > most ? taken : most;
                least = taken < least ? taken : least;
            }
        }
        print_message("probes each %d ms: lost after %d to %d ms\n",
                      (int) interval, (int) least, (int) most);
        assert_true(most <= TOPO_MISSES * interval + interval + 2);
        assert_true(least >= (TOPO_MISSES - 1) * interval);
    }
}

/* Two probes in a row may get lost, again and again. */
static void
test_some_loss(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    for (int i = 0; i < 50; i++) {
        rig_run(&r, 500 + i * 3000);
        rig_port(&r, 1, 1)->loss = 1000;
        rig_run(&r, 2500 + i * 3000);
        rig_port(&r, 1, 1)->loss = 0;
    }
    rig_expect(&r, "1 up 1.1 2.1\n");
    rig_uninit(&r);
}

/* What one end has heard long ago, or before the other was down, is not the
 * second half of what the other hears now. */
static void
test_old_halves(void **state)
{
    static struct rig r;

    (void) state;
    for (int down = 0; down <= 1; down++) {
        rig_init(&r);
        rig_port(&r, 2, 1)->loss = 1000;
        rig_two(&r);
        rig_run(&r, 200); /* 2.1 has heard. */
        rig_port(&r, 1, 1)->loss = 1000;
        if (down) {
            rig_port_down(&r, 1, 1);
            rig_run(&r, 300);
            rig_port_up(&r, 1, 1);
        } else {
            rig_run(&r, 4000);
        }
        rig_port(&r, 2, 1)->loss = 0;
        rig_run(&r, 10000);
        assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
        rig_uninit(&r);
    }
}

/* Neither end is told that the cable is in another port now. */
static void
test_recabled(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_switch_up(&r, 3);
    rig_port_up(&r, 3, 1);
    rig_run(&r, 5500);
    rig_clear(&r);
    rig_cable(&r, 1, 1, 3, 1);
    rig_run(&r, 6100);
    rig_expect(&r, "6002 down 1.1 2.1 recabled\n6002 up 1.1 3.1\n");
    rig_run(&r, 12000);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    rig_uninit(&r);
}

/* Two cables change places: both ends of each new link had another. */
static void
test_recabled_crosswise(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_cable(&r, 3, 1, 4, 1);
    for (unsigned int dpid = 3; dpid <= 4; dpid++) {
        rig_switch_up(&r, dpid);
        rig_port_up(&r, dpid, 1);
    }
    rig_run(&r, 5500);
    assert_int_equal(topo_links_count(r.l), 2);
    rig_clear(&r);
    rig_cable(&r, 1, 1, 3, 1);
    rig_cable(&r, 2, 1, 4, 1);
    rig_run(&r, 6100);
    rig_expect(&r, "6001 down 3.1 4.1 recabled\n"
                   "6001 down 1.1 2.1 recabled\n"
                   "6001 up 2.1 4.1\n"
                   "6002 up 1.1 3.1\n");
    rig_uninit(&r);
}

static void
test_config(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_port_up(&r, 2, 2);
    rig_run(&r, 10000);
    unsigned int link = rig_port(&r, 1, 1)->n_sent;
    unsigned int edge = rig_port(&r, 2, 2)->n_sent;
    r.config.probe_interval = 100;
    r.config.host_probe_interval = 500;
    topo_links_set_config(r.l, &r.config, r.now);
    rig_run(&r, 20000);
    assert_in_range(rig_port(&r, 1, 1)->n_sent - link, 99, 101);
    assert_in_range(rig_port(&r, 2, 2)->n_sent - edge, 19, 21);
    /* No interval at all means the default one, and the least is 20 ms. */
    link = rig_port(&r, 1, 1)->n_sent;
    r.config.probe_interval = 0;
    r.config.host_probe_interval = 1;
    topo_links_set_config(r.l, &r.config, r.now);
    edge = rig_port(&r, 2, 2)->n_sent;
    rig_run(&r, 30000);
    assert_in_range(rig_port(&r, 1, 1)->n_sent - link, 9, 11);
    assert_in_range(rig_port(&r, 2, 2)->n_sent - edge, 495, 501);
    rig_uninit(&r);
}

/* Events of ports and switches that nobody knows. */
static void
test_unknown(void **state)
{
    static struct rig r;
    struct port_id id = rig_id(5, 5), peer;

    (void) state;
    rig_init(&r);
    topo_links_switch_away(r.l, 5, 0);
    topo_links_port_down(r.l, &id, 0);
    topo_links_port_changed(r.l, &id, 0);
    assert_false(topo_links_peer(r.l, &id, &peer));
    assert_int_equal(topo_links_role(r.l, &id), TOPO_ROLE_UNKNOWN);
    assert_int_equal(topo_links_deadline(r.l), INT64_MAX);
    topo_links_switch_up(r.l, 5, 0);
    topo_links_switch_up(r.l, 5, 0);
    topo_links_switch_away(r.l, 5, 0);
    topo_links_switch_away(r.l, 5, 0);
    topo_links_destroy(NULL);
    rig_uninit(&r);
}

/* A probe that got to a wrong port, once. */
static void
test_odd_probe(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_switch_up(&r, 3);
    rig_port_up(&r, 3, 1);
    r.tapped = rig_id(3, 1);
    rig_run(&r, 10151);
    rig_clear(&r);
    assert_int_equal(rig_input(&r, 1, 1, r.tap, r.tap_size), TOPO_INPUT_OK);
    rig_run(&r, 60000);
    rig_expect(&r, "");
    rig_uninit(&r);
}

/* Switches that are away. */

static void
test_away_alive(void **state)
{
    static struct rig r;
    struct topo_links_counters c;

    (void) state;
    rig_init(&r);
    r.delay = 5;
    rig_two(&r);
    rig_run(&r, 5000);
    rig_clear(&r);
    rig_switch_away(&r, 2);
    rig_run(&r, 65000);
    rig_expect(&r, "");
    topo_links_counters(r.l, &c);
    assert_in_range(c.echoes_sent, 50 + 59 * 5, 52 + 59 * 5);
    assert_in_range(c.echoes_received, c.echoes_sent - 1, c.echoes_sent);
    /* Back, and nobody noticed. */
    rig_switch_up(&r, 2);
    rig_run(&r, 90000);
    rig_expect(&r, "");
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    topo_links_counters(r.l, &c);
    assert_in_range(c.echoes_sent, 50 + 59 * 5, 52 + 59 * 5);
    rig_uninit(&r);
}

static void
test_away_dead(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 5000);
    rig_clear(&r);
    rig_switch_away(&r, 2);
    r.switches[2].alive = false;
    rig_run(&r, 7000);
    rig_expect(&r, "5100 down 1.1 2.1 switch-gone\n");
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_LINK);
    rig_run(&r, 9000);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_EDGE);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_LINK);
    assert_false(topo_links_is_searching(r.l)); /* It cannot be asked. */
    rig_switch_up(&r, 2);
    rig_run(&r, 9010);
    rig_expect(&r, "9002 up 1.1 2.1\n");
    rig_uninit(&r);
}

/* It dies later; and four answers in a row get lost before. */
static void
test_away_dies(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 5000);
    rig_clear(&r);
    rig_switch_away(&r, 2);
    for (int i = 0; i < 9; i++) {
        rig_run(&r, 5000 + i * 100);
        rig_port(&r, 1, 1)->loss = 1000;
        rig_run(&r, 5080 + i * 100);
        rig_port(&r, 1, 1)->loss = 0;
    }
    rig_run(&r, 20000);
    rig_expect(&r, "");
    r.switches[2].alive = false;
    rig_run(&r, 20000 + 6 * TOPO_ECHO_SLOW_MS);
    assert_int_equal(topo_links_count(r.l), 0);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_LINK);
    rig_uninit(&r);
}

/* Alive, but without the link: when it is back, that shows. */
static void
test_back_without_link(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 5000);
    rig_clear(&r);
    rig_switch_away(&r, 2);
    rig_run(&r, 15000);
    rig_cut(&r, 1, 1);
    rig_switch_up(&r, 2);
    rig_run(&r, 30000);
    rig_expect(&r, "18000 down 1.1 2.1 probes-lost\n");
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_EDGE);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    rig_uninit(&r);
}

static void
test_back_without_port(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 5000);
    rig_clear(&r);
    rig_switch_away(&r, 2);
    rig_run(&r, 6000);
    rig_port_down(&r, 2, 1);
    rig_switch_up(&r, 2);
    rig_expect(&r, "6000 down 1.1 2.1 port-down\n");
    rig_uninit(&r);
}

static void
test_both_away(void **state)
{
    static struct rig r;

    (void) state;
    for (int dead = 0; dead <= 1; dead++) {
        rig_init(&r);
        rig_two(&r);
        rig_run(&r, 5000);
        rig_clear(&r);
        rig_switch_away(&r, 1);
        rig_switch_away(&r, 2);
        rig_run(&r, 100000);
        rig_expect(&r, "");
        r.switches[2].alive = !dead;
        rig_switch_up(&r, 1);
        rig_run(&r, 110000);
        rig_expect(&r, dead ? "100100 down 1.1 2.1 switch-gone\n" : "");
        rig_switch_up(&r, 2);
        rig_run(&r, 130000);
        rig_expect(&r, dead ? "110002 up 1.1 2.1\n" : "");
        assert_true(rig_linked(&r, 1, 1, 2, 1));
        rig_uninit(&r);
    }
}

/* What was found on switches after a restart. */

static void
test_restored(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_switch_up(&r, 1);
    rig_port_restored(&r, 1, 1, TOPO_ROLE_LINK); /* Nothing there. */
    rig_port_restored(&r, 1, 2, TOPO_ROLE_EDGE);
    rig_cable(&r, 1, 3, 2, 3); /* A switch that is not connected yet. */
    r.switches[2].alive = true;
    rig_port_up(&r, 2, 3);
    rig_port_restored(&r, 1, 3, TOPO_ROLE_LINK);
    assert_int_equal(rig_role(&r, 1, 2), TOPO_ROLE_EDGE);
    r.log_roles = true;
    rig_run(&r, 60000);
    rig_expect(&r, "3000 role 1.1 edge\n");
    assert_true(topo_links_is_searching(r.l));
    rig_switch_up(&r, 2);
    rig_run(&r, 60002);
    assert_true(rig_linked(&r, 1, 3, 2, 3));
    assert_false(topo_links_is_searching(r.l));
    assert_int_equal(rig_port(&r, 1, 3)->n_down, 0);
    /* An edge that is none. */
    rig_cable(&r, 1, 2, 2, 2);
    rig_port_up(&r, 2, 2);
    rig_run(&r, 60005);
    assert_true(rig_linked(&r, 1, 2, 2, 2));
    rig_uninit(&r);
}

/* Reading. */

static bool
count_link(void *n, const struct topo_link_view *v)
{
    assert_int_equal(v->a.dpid, 1);
    assert_int_equal(v->a.port_no, ++*(unsigned int *) n);
    assert_int_equal(v->b.dpid, 7 - v->a.port_no);
    assert_int_equal(v->since, 1);
    return *(unsigned int *) n < 3;
}

static void
test_each(void **state)
{
    static struct rig r;
    unsigned int n = 0;

    (void) state;
    rig_init(&r);
    for (unsigned int dpid = 1; dpid <= 6; dpid++) {
        rig_switch_up(&r, dpid);
    }
    for (unsigned int i = 5; i >= 1; i--) {
        rig_cable(&r, 1, i, 7 - i, i);
        rig_port_up(&r, 1, i);
        rig_port_up(&r, 7 - i, i);
    }
    rig_run(&r, 5000);
    assert_int_equal(topo_links_count(r.l), 5);
    topo_links_each(r.l, count_link, &n);
    assert_int_equal(n, 3); /* Stopped. */
    rig_uninit(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_in_any_order),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_transcript),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_some_loss),
        cmocka_unit_test(test_old_halves),
        cmocka_unit_test(test_recabled),
        cmocka_unit_test(test_recabled_crosswise),
        cmocka_unit_test(test_odd_probe),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_away_alive),
        cmocka_unit_test(test_away_dead),
        cmocka_unit_test(test_away_dies),
        cmocka_unit_test(test_back_without_link),
        cmocka_unit_test(test_back_without_port),
        cmocka_unit_test(test_both_away),
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
