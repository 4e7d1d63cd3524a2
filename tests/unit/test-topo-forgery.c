/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What hosts can do to topo-links with frames of their own making, and with
 * those that they have seen. */

#include "tests/unit/links-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two switches without a cable, a host at each of their ports 1, that settled
 * long ago.  The host at 1.1 has got a probe just now. */
static void
set_up(struct rig *r)
{
    rig_init(r);
    rig_two(r);
    rig_cut(r, 1, 1);
    r->tapped = rig_id(1, 1);
    rig_run(r, 10151);
    assert_int_equal(rig_port(r, 1, 1)->sent_at, 10150);
    rig_expect(r, "");
}

static void
test_forged(void **state)
{
    static struct rig r;
    size_t n_foreign = 0;
    struct topo_links_counters c;

    (void) state;
    set_up(&r);
    for (size_t i = 0; i < r.tap_size; i++) {
        uint8_t frame[TOPO_PROBE_SIZE];

        memcpy(frame, r.tap, r.tap_size);
        frame[i] ^= 0x55;
        rig_clear(&r);
        bool is_foreign =
            rig_input(&r, 2, 1, frame, r.tap_size) == TOPO_INPUT_FOREIGN;
        n_foreign += is_foreign;
        if (is_foreign) {
            rig_expect(&r, "");
        } else {
            assert_non_null(strstr(r.log, "suspect 2.1 forged"));
        }
        rig_run(&r, r.now + 1000);
    }
    assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    topo_links_counters(r.l, &c);
    assert_int_equal(c.foreign, n_foreign);
    assert_int_equal(c.forged, r.tap_size - n_foreign);
    assert_in_range(n_foreign, 8, 30);
    rig_uninit(&r);
}

static void
test_suspicion_is_limited(void **state)
{
    static struct rig r;

    (void) state;
    set_up(&r);
    r.tap[r.tap_size - 3] ^= 1;
    for (int i = 0; i < 10000; i++) {
        rig_run(&r, r.now + 1);
        rig_input(&r, 2, 1, r.tap, r.tap_size);
    }
    assert_in_range(rig_port(&r, 2, 1)->suspects[TOPO_SUSPECT_FORGED], 10, 11);
    rig_uninit(&r);
}

/* Replayed where it was seen, elsewhere, and after it has arrived. */
static void
test_replayed(void **state)
{
    static struct rig r;

    (void) state;
    set_up(&r);
    /* One's own probe: it looks like a loop, and blocks that port alone. */
    rig_input(&r, 1, 1, r.tap, r.tap_size);
    rig_expect(&r, "10151 suspect 1.1 self\n");
    rig_run(&r, 11200);
    /* Again, and at other ports. */
    rig_clear(&r);
    rig_input(&r, 1, 1, r.tap, r.tap_size); /* 11151 was tapped. */
    rig_run(&r, 11210);
    rig_clear(&r);
    rig_input(&r, 2, 1, r.tap, r.tap_size);
    rig_expect(&r, "11210 suspect 2.1 replayed\n");
    rig_run(&r, 30000);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_EDGE);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
    rig_uninit(&r);
}

/* Between two switches a probe that gets through twice counts once. */
static void
test_replayed_link(void **state)
{
    static struct rig r;
    struct topo_links_counters before, after;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_switch_up(&r, 3);
    rig_port_up(&r, 3, 1);
    r.tapped = rig_id(1, 1);
    rig_run(&r, 5002);
    rig_clear(&r);
    topo_links_counters(r.l, &before);
    rig_input(&r, 2, 1, r.tap, r.tap_size); /* The same port. */
    rig_expect(&r, "5002 suspect 2.1 replayed\n");
    rig_input(&r, 3, 1, r.tap, r.tap_size); /* Another switch. */
    rig_expect(&r, "5002 suspect 3.1 replayed\n");
    topo_links_counters(r.l, &after);
    assert_int_equal(after.replayed, before.replayed + 2);
    assert_int_equal(after.received, before.received);
    rig_uninit(&r);
}

static void
test_replayed_later(void **state)
{
    static struct rig r;

    (void) state;
    for (int64_t late = 2999; late <= 3001; late++) {
        set_up(&r);
        rig_run(&r, 10150 + late);
        rig_clear(&r);
        rig_input(&r, 2, 1, r.tap, r.tap_size);
        assert_string_equal(r.log, late > TOPO_PROBE_LIFE_MS
                                       ? "13151 suspect 2.1 replayed\n"
                                       : "");
        rig_uninit(&r);
    }
}

static void
test_replayed_after_restart(void **state)
{
    static struct rig r;

    (void) state;
    for (uint8_t key = 1; key <= 2; key++) {
        set_up(&r);
        rig_restart(&r, key);
        rig_switch_up(&r, 1);
        rig_switch_up(&r, 2);
        r.tapped = rig_id(0, 0);
        rig_input(&r, 2, 1, r.tap, r.tap_size);
        rig_expect(&r, key == 1 ? "10151 suspect 2.1 replayed\n"
                                : "10151 suspect 2.1 forged\n");
        rig_run(&r, 20000);
        assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
        rig_uninit(&r);
    }
}

/* A tunnel between two hosts: fresh probes get through, in both directions. */
static void
test_wormhole(void **state)
{
    static struct rig r;
    struct port_id a = rig_id(1, 1), b = rig_id(2, 1);

    (void) state;
    set_up(&r);
    rig_port(&r, 1, 1)->hosts = rig_port(&r, 2, 1)->hosts = true;
    rig_cable(&r, 1, 1, 2, 1);
    rig_run(&r, 100000);
    assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
    assert_int_equal(rig_port(&r, 1, 1)->suspects[TOPO_SUSPECT_HOST_PORT], 8);
    assert_int_equal(rig_port(&r, 2, 1)->suspects[TOPO_SUSPECT_HOST_PORT], 8);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_EDGE);
    assert_in_range(rig_port(&r, 1, 1)->n_sent, 10, 14);
    /* Hosts at one end are enough. */
    rig_port(&r, 1, 1)->hosts = false;
    topo_links_port_changed(r.l, &a, r.now);
    rig_run(&r, 200000);
    assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
    assert_in_range(rig_port(&r, 1, 1)->n_sent, 10, 14 + 130);
    rig_clear(&r);
    /* They are gone: it was a link after all. */
    rig_port(&r, 2, 1)->hosts = false;
    topo_links_port_changed(r.l, &b, r.now);
    rig_run(&r, 200030);
    rig_expect(&r, "200001 up 1.1 2.1\n");
    rig_uninit(&r);
}

static void
test_hosts_gone_at_both_ends(void **state)
{
    static struct rig r;
    struct port_id a = rig_id(1, 1), b = rig_id(2, 1);

    (void) state;
    set_up(&r);
    rig_port(&r, 1, 1)->hosts = rig_port(&r, 2, 1)->hosts = true;
    rig_cable(&r, 1, 1, 2, 1);
    rig_run(&r, 55000);
    rig_port(&r, 1, 1)->hosts = rig_port(&r, 2, 1)->hosts = false;
    topo_links_port_changed(r.l, &a, r.now);
    topo_links_port_changed(r.l, &b, r.now);
    rig_run(&r, 55030);
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    rig_uninit(&r);
}

static void
test_forbidden(void **state)
{
    static struct rig r;
    struct port_id b = rig_id(2, 1);

    (void) state;
    rig_init(&r);
    rig_port(&r, 2, 1)->forbidden = true;
    rig_two(&r);
    rig_run(&r, 30000);
    assert_int_equal(rig_port(&r, 1, 1)->n_up, 0);
    assert_true(rig_port(&r, 2, 1)->suspects[TOPO_SUSPECT_FORBIDDEN] > 5);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    /* That is a switch's port nevertheless. */
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_UNKNOWN);
    rig_port(&r, 2, 1)->forbidden = false;
    topo_links_port_changed(r.l, &b, r.now);
    rig_run(&r, 30030);
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    /* And again. */
    rig_clear(&r);
    rig_port(&r, 2, 1)->forbidden = true;
    topo_links_port_changed(r.l, &b, r.now);
    rig_expect(&r, "30030 down 1.1 2.1 port-down\n");
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    rig_run(&r, 60000);
    assert_int_equal(topo_links_count(r.l), 0);
    assert_int_equal(rig_role(&r, 2, 1), TOPO_ROLE_EDGE);
    rig_uninit(&r);
}

/* A loop's probe at a port that has a link: that stays. */
static void
test_self_at_link(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_port_up(&r, 1, 2);
    r.tapped = rig_id(1, 2);
    rig_run(&r, 10151);
    rig_clear(&r);
    rig_input(&r, 1, 1, r.tap, r.tap_size);
    assert_true(rig_linked(&r, 1, 1, 2, 1));
    rig_run(&r, 60000);
    rig_expect(&r, "10151 suspect 1.1 self\n");
    assert_int_equal(rig_role(&r, 1, 2), TOPO_ROLE_EDGE);
    rig_uninit(&r);
}

/* Hosts become known between the two halves of a handshake. */
static void
test_hosts_in_between(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    r.delay = 10;
    rig_cable(&r, 1, 1, 2, 1);
    rig_switch_up(&r, 1);
    rig_switch_up(&r, 2);
    rig_port_up(&r, 1, 1);
    rig_run(&r, 5);
    rig_port_up(&r, 2, 1);
    rig_run(&r, 16); /* 1.1 has heard. */
    rig_port(&r, 1, 1)->hosts = true;
    rig_run(&r, 5000);
    assert_int_equal(topo_links_count(r.l), 0);
    assert_true(rig_port(&r, 1, 1)->suspects[TOPO_SUSPECT_HOST_PORT] > 0);
    rig_uninit(&r);
}

/* The host behind a restored link's port answers echo requests: it has its own
 * port blocked by that, and no more. */
static void
test_echo_answered_by_host(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_cable(&r, 1, 1, 2, 1);
    r.switches[2].alive = rig_port(&r, 2, 1)->up = true;
    rig_switch_up(&r, 1);
    rig_port_restored(&r, 1, 1, TOPO_ROLE_LINK);
    rig_run(&r, 30000);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_LINK);
    assert_int_equal(topo_links_count(r.l), 0);
    rig_cut(&r, 1, 1);
    rig_run(&r, 30000 + TOPO_ORPHAN_MS + 10);
    assert_int_equal(rig_role(&r, 1, 1), TOPO_ROLE_EDGE);
    rig_uninit(&r);
}

/* A cable between two ports of a switch, and a plug that returns all. */
static void
test_self(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_switch_up(&r, 1);
    for (unsigned int i = 1; i <= 3; i++) {
        rig_port_up(&r, 1, i);
    }
    rig_cable(&r, 1, 1, 1, 2);
    rig_port(&r, 1, 3)->to = rig_id(1, 3);
    rig_run(&r, 60000);
    for (unsigned int i = 1; i <= 3; i++) {
        assert_int_equal(rig_role(&r, 1, i), TOPO_ROLE_LINK);
        assert_true(rig_port(&r, 1, i)->suspects[TOPO_SUSPECT_SELF] > 50);
        assert_in_range(rig_port(&r, 1, i)->changed_at, 0, 10);
        assert_in_range(rig_port(&r, 1, i)->n_sent, 60, 65);
    }
    assert_false(topo_links_is_searching(r.l));
    assert_int_equal(topo_links_count(r.l), 0);
    rig_cut(&r, 1, 1);
    rig_port(&r, 1, 3)->to.dpid = 0;
    rig_run(&r, 60000 + 3 * 1000 + TOPO_SETTLE_MS + 1000);
    for (unsigned int i = 1; i <= 3; i++) {
        assert_int_equal(rig_role(&r, 1, i), TOPO_ROLE_EDGE);
    }
    rig_uninit(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_suspicion_is_limited),
        cmocka_unit_test(test_replayed),
        cmocka_unit_test(test_replayed_link),
        cmocka_unit_test(test_replayed_later),
        cmocka_unit_test(test_replayed_after_restart),
        cmocka_unit_test(test_wormhole),
        cmocka_unit_test(test_hosts_gone_at_both_ends),
        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_self_at_link),
        cmocka_unit_test(test_hosts_in_between),
        cmocka_unit_test(test_echo_answered_by_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
