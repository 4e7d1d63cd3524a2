/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The whole controller with two fake switches, case by case: what chance in
 * test-sim-mcast.c does not come by. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/route.h"
#include "igmp/igmp-msg.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-frame.h"
#include "tests/sim/sim-case.h"

/* Routes. */

/* Streams and restarts. */

static void
a_source_that_members_name_is_seen(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "");
    sim_case_report(&r, 3, "232.1.1.1", "10.1.1.1", false);
    sim_case_send_packet(&r, "10.1.1.1", "232.1.1.1");
    sim_case_expect_streams(&r, "10.1.1.1>232.1.1.1");
    sim_net_uninit(&r.net);
}

static void
a_rewritten_packet_is_no_stream_of_its_own(void **state)
{
    struct sim_case r;
    struct view_totals totals;

    (void) state;
    sim_case_setup(&r, "");
    sim_case_join(&r, 3, "226.2.2.2");
    sim_case_put_route(
        &r, "r",
        "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
        "\"set\":{\"source\":\"10.9.9.9\"}}");
    sim_case_send_packet(&r, "10.1.1.1", "226.2.2.2");
    sim_case_send_packet(&r, "10.1.1.1", "226.2.2.2");
    sim_case_expect_streams(&r, "10.1.1.1>226.2.2.2");
    view_totals(r.net.ctl, &totals);
    assert_int_equal(totals.streams, 1);
    sim_net_uninit(&r.net);
}

/* Copies for single hosts. */

static const char unicast[] =
    "ports:\n"
    "  - {dpid: 1, port: s1-eth3, delivery: unicast}\n"
    "  - {dpid: 1, port: s1-eth8, delivery: unicast}\n";

static void
restart(struct sim_case *r)
{
    sim_net_restart_controller(&r->net);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&r->net.switches[i]);
    }
    assert_true(sim_net_settle(&r->net));
}

/* Who is behind a port is known from before, and what each wants. */
static void
a_restart_modifies_no_copy_for_one_host(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, unicast);
    sim_case_report_of(&r, 3, 1, "226.2.2.2", "", false);
    sim_case_report_of(&r, 3, 2, "226.2.2.2", "10.1.1.2", false);
    sim_case_join(&r, 4, "226.2.2.2");
    sim_case_report_of(&r, 8, 9, "232.1.1.1", "10.1.1.1", false);
    for (int i = 0; i < 2; i++) {
        sim_case_expect_copies(&r, "10.1.1.3", "226.2.2.2", "4/1 3:1/1");
        sim_case_expect_copies(&r, "10.1.1.1", "226.2.2.2", "4/1 3:1/1");
        sim_case_expect_copies(&r, "10.1.1.2", "226.2.2.2", "4/1 3:1/1 3:2/1");
        sim_case_expect_copies(&r, "10.1.1.1", "232.1.1.1", "8:9/1");
        sim_case_expect_copies(&r, "10.1.1.2", "232.1.1.1", "");

        uint64_t before = sim_case_n_mods(&r);
        restart(&r);
        assert_int_equal(sim_case_n_mods(&r), before);
    }
    sim_net_uninit(&r.net);
}

/* Where a route sends to a port for all, its hosts need no copies of their
 * own; rewritten otherwise it is another stream. */
static void
a_copy_for_all_takes_the_place_of_single_ones(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, unicast);
    sim_case_report_of(&r, 3, 1, "226.2.2.2", "", false);
    sim_case_report_of(&r, 8, 1, "226.2.2.2", "", false);
    sim_case_put_route(
        &r, "r",
        "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
        "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    sim_case_expect_copies(&r, "10.1.1.1", "226.2.2.2", "8/1 3:1/1");
    sim_case_put_route(
        &r, "r",
        "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
        "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth8\","
        "\"set\":{\"ttl\":9}}]}");
    sim_case_expect_copies(&r, "10.1.1.1", "226.2.2.2", "3:1/1 8:1/1 8/9");
    sim_net_uninit(&r.net);
}

struct counts {
    int for_all, for_one;
};

static void
count_copy(void *counts_, uint32_t port, const void *frame, size_t size)
{
    struct counts *counts = counts_;

    (void) size;
    if (port != FAKE_PORT_CONTROLLER) {
        ++*(*(const uint8_t *) frame == 2 ? &counts->for_one
                                          : &counts->for_all);
    }
}

/* More copies than a switch takes: a whole port gets one for all behind it,
 * and nobody goes without. */
static void
too_many_copies_become_one_for_all(void **state)
{
    enum { N_HOSTS = 510 };
    struct sim_case r;
    struct counts counts = {0};
    uint8_t frame[SIM_FRAME_SIZE];
    char yaml[512];

    (void) state;
    snprintf(yaml, sizeof yaml, "port_defaults: {max_reports: 100000}\n%s",
             unicast);
    sim_case_setup(&r, yaml);
    for (uint16_t host = 0; host < N_HOSTS; host++) {
        sim_case_say(&r, 3, host, "226.2.2.2", "", false);
        sim_case_say(&r, 8, host, "226.2.2.2", "", false);
        if (host % 50 == 0) {
            assert_true(sim_net_settle(&r.net));
        }
    }
    assert_true(sim_net_settle(&r.net));

    size_t size = sim_case_build(&r, "10.1.1.1", "226.2.2.2", frame);
    fake_switch_probe(r.net.switches[0].fake, r.enters_at, frame, size,
                      count_copy, &counts);
    assert_int_equal(counts.for_all, 1);
    assert_int_equal(counts.for_one, N_HOSTS);
    sim_net_uninit(&r.net);
}

static void
a_restart_modifies_nothing(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "");
    sim_case_join(&r, 3, "226.2.2.2"); /* With a source... */
    sim_case_put_route(
        &r, "r",
        "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
        "\"set\":{\"source\":\"10.9.9.9\"}}");
    sim_case_put_route(
        &r, "two",
        "{\"match\":{\"group\":\"226.3.0.0/16\"},\"set\":{\"ttl\":9},"
        "\"to\":[{\"members\":true},"
        "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    sim_case_send_packet(&r, "10.1.1.1", "226.2.2.2");
    sim_case_join(&r, 4, "226.3.3.3");
    sim_case_join(&r, 4, "226.4.4.4"); /* ...without one... */
    sim_case_report(&r, 5, "232.1.1.1", "10.1.1.1", false);
    sim_case_report(&r, 5, "232.1.1.1", "10.1.1.2", false);
    sim_case_send_packet(&r, "10.1.1.1", "232.1.1.1");
    sim_case_send_packet(&r, "10.1.1.1",
                         "226.5.5.5"); /* ...without members. */

    uint64_t before = sim_case_n_mods(&r);
    restart(&r);
    assert_int_equal(sim_case_n_mods(&r), before);
    sim_case_expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/1");
    sim_net_uninit(&r.net);
}

static bool
note_delivery(void *delivery, const struct view_group *g)
{
    assert_int_equal(g->n_members, 1);
    *(const char **) delivery = g->members->delivery;
    return false;
}

static const char *
delivery(struct sim_case *r)
{
    const char *found = NULL;

    view_groups(r->net.ctl, note_delivery, &found);
    return found;
}

/* Not what the configuration asks for. */
static void
what_is_delivered_is_shown(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, unicast);
    sim_case_report(&r, 3, "226.2.2.2", "", false);
    assert_string_equal(delivery(&r), "unicast");
    sim_net_reconfigure(&r.net, "ports:\n"
                                "  - {dpid: 1, port: s1-eth3, role: mrouter,"
                                " delivery: unicast}\n");
    assert_true(sim_net_settle(&r.net));
    assert_string_equal(delivery(&r), "multicast");
    sim_net_uninit(&r.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_members_name_is_seen),
        cmocka_unit_test(a_rewritten_packet_is_no_stream_of_its_own),
        cmocka_unit_test(a_restart_modifies_nothing),
        cmocka_unit_test(a_restart_modifies_no_copy_for_one_host),
        cmocka_unit_test(a_copy_for_all_takes_the_place_of_single_ones),
        cmocka_unit_test(too_many_copies_become_one_for_all),
        cmocka_unit_test(what_is_delivered_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
