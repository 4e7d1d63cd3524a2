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
#include "tests/sim/sim-net.h"

enum { WAIT_MS = 10000, N_PORTS = 8, ENTERS_AT = 1 };

struct rig {
    struct sim_net net;
    uint16_t vlan; /* Of the hosts and packets that come. */
    bool answered;
    enum ctl_outcome outcome;
    char text[4096];
};

static void
setup(struct rig *r, const char *yaml)
{
    memset(r, 0, sizeof *r);
    sim_net_init(&r->net, yaml, 2, N_PORTS);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&r->net.switches[i]);
    }
    assert_true(sim_net_settle(&r->net));
}

static bool
is_answered(void *r_)
{
    const struct rig *r = r_;

    return r->answered;
}

static void
written(void *r_, const struct ctl_result *result)
{
    struct rig *r = r_;

    r->answered = true;
    r->outcome = result->outcome;
}

static enum ctl_outcome
wait_written(struct rig *r)
{
    assert_true(sim_net_wait(&r->net, is_answered, r, WAIT_MS));
    assert_true(sim_net_settle(&r->net));
    return r->outcome;
}

static enum ctl_outcome
put_route(struct rig *r, const char *name, const char *text)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct route *route = json ? route_from_json(name, json, &error) : NULL;

    if (!route) {
        fail_msg("%s: %s %s", text, error.pointer, error.detail);
    }
    r->answered = false;
    ctl_route_put(r->net.ctl, route, CTL_WAIT_APPLIED, WAIT_MS, written, r);
    route_destroy(route);
    cJSON_Delete(json);
    return wait_written(r);
}

static struct ip_addr
address(const char *text)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(text, &a));
    return a;
}

/* A host behind 'port' of the first switch; 'source' "" is any. */
static void
say(struct rig *r, uint32_t port, uint16_t host, const char *group,
    const char *source, bool leave)
{
    struct ip_addr s = source[0] ? address(source) : IP_ADDR_ANY;
    struct igmp_report_record record = {
        .type = (source[0] != '\0') == !leave ? IGMP_MODE_IS_INCLUDE
                                              : IGMP_MODE_IS_EXCLUDE,
        .group = address(group),
        .sources = &s,
        .n_sources = source[0] && !leave,
    };
    struct igmp_report msg = {
        .version = 3,
        .eth_src = {{2, 0, 0, (uint8_t) (host >> 8), (uint8_t) host,
                     (uint8_t) port}},
        .vlan = r->vlan,
        .ip_src = ip_addr_v4(0x0a010000 + port),
        .records = &record,
        .n_records = 1,
    };
    uint8_t frame[256];

    if (leave) {
        record.type = IGMP_CHANGE_TO_INCLUDE;
    }
    size_t size = igmp_report_encode(&msg, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(r->net.switches[0].fake, port, frame, size, NULL, NULL);
}

static void
report_of(struct rig *r, uint32_t port, uint16_t host, const char *group,
          const char *source, bool leave)
{
    say(r, port, host, group, source, leave);
    assert_true(sim_net_settle(&r->net));
}

static void
report(struct rig *r, uint32_t port, const char *group, const char *source,
       bool leave)
{
    report_of(r, port, 0, group, source, leave);
}

static void
join(struct rig *r, uint32_t port, const char *group)
{
    report(r, port, group, "", false);
}

static size_t
build(const struct rig *r, const char *source, const char *group,
      uint8_t *frame)
{
    return sim_frame_build(&(struct sim_frame){.source = address(source),
                                               .group = address(group),
                                               .vlan = r->vlan,
                                               .udp_dst = 5004,
                                               .ttl = 1},
                           frame);
}

/* Collects "PORT/TTL ", of copies for one host "PORT:HOST/TTL ". */
static void
got_copy(void *text_, uint32_t port, const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    char *text = text_;

    assert_true(size > 22);
    if (port != FAKE_PORT_CONTROLLER) {
        sprintf(text + strlen(text), "%s%u", text[0] ? " " : "", port);
        if (frame[0] == 2) {
            sprintf(text + strlen(text), ":%u", frame[4]);
        }
        sprintf(text + strlen(text), "/%u",
                frame[frame[12] == 0x81 ? 26 : 22]);
    }
}

/* Where a packet that enters the first switch comes out, and with which
 * TTL. */
static void
expect_copies(struct rig *r, const char *source, const char *group,
              const char *want)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = build(r, source, group, frame);
    char got[256] = "";

    fake_switch_probe(r->net.switches[0].fake, ENTERS_AT, frame, size,
                      got_copy, got);
    assert_string_equal(got, want);
}

static void
send_packet(struct rig *r, const char *source, const char *group)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = build(r, source, group, frame);

    fake_switch_packet(r->net.switches[0].fake, ENTERS_AT, frame, size, NULL,
                       NULL);
    assert_true(sim_net_settle(&r->net));
}

/* Of flows and groups. */
static uint64_t
n_mods(const struct rig *r)
{
    uint64_t n = 0;

    for (int i = 0; i < 2; i++) {
        struct fake_switch_counters c;

        fake_switch_counters(r->net.switches[i].fake, &c);
        n += c.n_mods - c.mods[FAKE_METER_MOD];
    }
    return n;
}

static bool
append_status(void *r_, const struct view_rule *rule)
{
    struct rig *r = r_;

    for (size_t i = 0; i < rule->n_statuses; i++) {
        size_t n = strlen(r->text);

        snprintf(r->text + n, sizeof r->text - n, "%s%" PRIu64 ":%s",
                 i ? " " : "", rule->statuses[i].dpid,
                 view_state_name(rule->statuses[i].state));
    }
    return true;
}

static void
expect_status(struct rig *r, const char *name, const char *want)
{
    r->text[0] = '\0';
    assert_true(view_route(r->net.ctl, name, append_status, r));
    assert_string_equal(r->text, want);
}

static bool
append_stream(void *r_, const struct view_stream *s)
{
    struct rig *r = r_;
    size_t n = strlen(r->text);
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN];

    snprintf(r->text + n, sizeof r->text - n, "%s%s>%s", n ? " " : "",
             ip_addr_format(&s->source, source),
             ip_addr_format(&s->group, group));
    return true;
}

static void
expect_streams(struct rig *r, const char *want)
{
    r->text[0] = '\0';
    view_streams(r->net.ctl, append_stream, r);
    assert_string_equal(r->text, want);
}

/* Routes. */

static void
a_narrower_route_wins_over_what_a_wider_one_was_narrowed_to(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    join(&r, 3, "226.2.2.2");
    put_route(&r, "wide",
              "{\"match\":{\"group\":\"226.0.0.0/8\"},\"set\":{\"ttl\":5},"
              "\"to\":[{\"members\":true},"
              "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/5 8/5");
    put_route(&r, "narrow",
              "{\"match\":{\"group\":\"226.2.2.0/24\"},\"set\":{\"ttl\":9}}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/9");
    expect_copies(&r, "10.1.1.1", "226.3.3.3", "8/5");
    sim_net_uninit(&r.net);
}

/* The same the other way round: what comes first must make no difference. */
static void
a_wider_route_that_comes_later_loses(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    join(&r, 3, "226.2.2.2");
    put_route(&r, "narrow",
              "{\"match\":{\"group\":\"226.2.2.2\",\"vlan\":0},"
              "\"set\":{\"ttl\":9}}");
    put_route(&r, "wide",
              "{\"match\":{\"group\":\"226.0.0.0/8\"},\"set\":{\"ttl\":5},"
              "\"to\":[{\"members\":true},"
              "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/9");
    put_route(&r, "narrow",
              "{\"match\":{\"group\":\"226.9.9.9\"},\"set\":{\"ttl\":9}}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/5 8/5");
    sim_net_uninit(&r.net);
}

/* Its members are those of the vlan that it leads to. */
static void
a_prefix_is_taken_to_another_vlan(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.0.0.0/8\",\"vlan\":10},"
              "\"set\":{\"vlan\":20,\"ttl\":7},\"to\":[{\"members\":true},"
              "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    r.vlan = 20;
    join(&r, 3, "226.2.2.2");
    r.vlan = 10;
    join(&r, 4, "226.2.2.2");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/7 8/7");
    sim_net_uninit(&r.net);
}

/* A target's members may be those of another group, with filters. */
static void
a_target_s_members_filter_sources(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    report(&r, 3, "232.1.1.1", "10.1.1.1", false);
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
              "{\"members\":true,\"set\":{\"group\":\"232.1.1.1\","
              "\"ttl\":7}}]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/7");
    expect_copies(&r, "10.1.1.2", "226.2.2.2", "");
    sim_net_uninit(&r.net);
}

static void
one_port_by_two_names_is_one_match(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    put_route(&r, "a",
              "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
              "\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":5}}");
    assert_int_equal(put_route(&r, "b",
                               "{\"match\":{\"dpid\":\"1\",\"port\":\"1\","
                               "\"group\":\"226.2.2.2\"},"
                               "\"set\":{\"ttl\":6}}"),
                     CTL_INVALID);
    sim_net_uninit(&r.net);
}

/* A filter of one source says nothing about the others. */
static void
a_stop_filter_leaves_other_sources_alone(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "vlans:\n  default: {unregistered: flood}\n");
    put_route(&r, "stop",
              "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
              "\"to\":[]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "");
    expect_copies(&r, "10.1.1.2", "226.2.2.2", "2/1 3/1 4/1 5/1 6/1 7/1 8/1");
    sim_net_uninit(&r.net);
}

static void
a_route_waits_only_where_a_port_is_missing(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
              "{\"dpid\":\"1\",\"port\":\"s1-eth2\"},"
              "{\"dpid\":\"2\",\"port\":\"nowhere\"}]}");
    expect_status(&r, "r", "1:applied 2:pending");
    fake_switch_add_port(r.net.switches[1].fake, 9, "nowhere");
    assert_true(sim_net_settle(&r.net));
    expect_status(&r, "r", "1:applied 2:applied");
    sim_net_uninit(&r.net);
}

static void
a_route_moves_to_another_switch(void **state)
{
    struct rig r;
    char *flows;

    (void) state;
    setup(&r, "");
    put_route(&r, "r",
              "{\"match\":{\"dpid\":\"1\",\"group\":\"226.2.2.2\"},"
              "\"set\":{\"ttl\":5}}");
    put_route(&r, "r",
              "{\"match\":{\"dpid\":\"2\",\"group\":\"226.2.2.2\"},"
              "\"set\":{\"ttl\":5}}");
    expect_status(&r, "r", "2:applied");
    flows = fake_switch_dump_flows(r.net.switches[0].fake);
    assert_null(strstr(flows, "226.2.2.2"));
    free(flows);
    flows = fake_switch_dump_flows(r.net.switches[1].fake);
    assert_non_null(strstr(flows, "226.2.2.2"));
    free(flows);
    sim_net_uninit(&r.net);
}

/* Streams and restarts. */

static void
a_source_that_members_name_is_seen(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    report(&r, 3, "232.1.1.1", "10.1.1.1", false);
    send_packet(&r, "10.1.1.1", "232.1.1.1");
    expect_streams(&r, "10.1.1.1>232.1.1.1");
    sim_net_uninit(&r.net);
}

static void
a_rewritten_packet_is_no_stream_of_its_own(void **state)
{
    struct rig r;
    struct view_totals totals;

    (void) state;
    setup(&r, "");
    join(&r, 3, "226.2.2.2");
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
              "\"set\":{\"source\":\"10.9.9.9\"}}");
    send_packet(&r, "10.1.1.1", "226.2.2.2");
    send_packet(&r, "10.1.1.1", "226.2.2.2");
    expect_streams(&r, "10.1.1.1>226.2.2.2");
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
restart(struct rig *r)
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
    struct rig r;

    (void) state;
    setup(&r, unicast);
    report_of(&r, 3, 1, "226.2.2.2", "", false);
    report_of(&r, 3, 2, "226.2.2.2", "10.1.1.2", false);
    join(&r, 4, "226.2.2.2");
    report_of(&r, 8, 9, "232.1.1.1", "10.1.1.1", false);
    for (int i = 0; i < 2; i++) {
        expect_copies(&r, "10.1.1.3", "226.2.2.2", "4/1 3:1/1");
        expect_copies(&r, "10.1.1.1", "226.2.2.2", "4/1 3:1/1");
        expect_copies(&r, "10.1.1.2", "226.2.2.2", "4/1 3:1/1 3:2/1");
        expect_copies(&r, "10.1.1.1", "232.1.1.1", "8:9/1");
        expect_copies(&r, "10.1.1.2", "232.1.1.1", "");

        uint64_t before = n_mods(&r);
        restart(&r);
        assert_int_equal(n_mods(&r), before);
    }
    sim_net_uninit(&r.net);
}

/* Where a route sends to a port for all, its hosts need no copies of their
 * own; rewritten otherwise it is another stream. */
static void
a_copy_for_all_takes_the_place_of_single_ones(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, unicast);
    report_of(&r, 3, 1, "226.2.2.2", "", false);
    report_of(&r, 8, 1, "226.2.2.2", "", false);
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
              "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "8/1 3:1/1");
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
              "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth8\","
              "\"set\":{\"ttl\":9}}]}");
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3:1/1 8:1/1 8/9");
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
    struct rig r;
    struct counts counts = {0};
    uint8_t frame[SIM_FRAME_SIZE];
    char yaml[512];

    (void) state;
    snprintf(yaml, sizeof yaml, "port_defaults: {max_reports: 100000}\n%s",
             unicast);
    setup(&r, yaml);
    for (uint16_t host = 0; host < N_HOSTS; host++) {
        say(&r, 3, host, "226.2.2.2", "", false);
        say(&r, 8, host, "226.2.2.2", "", false);
        if (host % 50 == 0) {
            assert_true(sim_net_settle(&r.net));
        }
    }
    assert_true(sim_net_settle(&r.net));

    size_t size = build(&r, "10.1.1.1", "226.2.2.2", frame);
    fake_switch_probe(r.net.switches[0].fake, ENTERS_AT, frame, size,
                      count_copy, &counts);
    assert_int_equal(counts.for_all, 1);
    assert_int_equal(counts.for_one, N_HOSTS);
    sim_net_uninit(&r.net);
}

static void
a_restart_modifies_nothing(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    join(&r, 3, "226.2.2.2"); /* With a source... */
    put_route(&r, "r",
              "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
              "\"set\":{\"source\":\"10.9.9.9\"}}");
    put_route(&r, "two",
              "{\"match\":{\"group\":\"226.3.0.0/16\"},\"set\":{\"ttl\":9},"
              "\"to\":[{\"members\":true},"
              "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    send_packet(&r, "10.1.1.1", "226.2.2.2");
    join(&r, 4, "226.3.3.3");
    join(&r, 4, "226.4.4.4"); /* ...without one... */
    report(&r, 5, "232.1.1.1", "10.1.1.1", false);
    report(&r, 5, "232.1.1.1", "10.1.1.2", false);
    send_packet(&r, "10.1.1.1", "232.1.1.1");
    send_packet(&r, "10.1.1.1", "226.5.5.5"); /* ...without members. */

    uint64_t before = n_mods(&r);
    restart(&r);
    assert_int_equal(n_mods(&r), before);
    expect_copies(&r, "10.1.1.1", "226.2.2.2", "3/1");
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
delivery(struct rig *r)
{
    const char *found = NULL;

    view_groups(r->net.ctl, note_delivery, &found);
    return found;
}

/* Not what the configuration asks for. */
static void
what_is_delivered_is_shown(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, unicast);
    report(&r, 3, "226.2.2.2", "", false);
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
        cmocka_unit_test(
            a_narrower_route_wins_over_what_a_wider_one_was_narrowed_to),
        cmocka_unit_test(a_wider_route_that_comes_later_loses),
        cmocka_unit_test(a_prefix_is_taken_to_another_vlan),
        cmocka_unit_test(a_target_s_members_filter_sources),
        cmocka_unit_test(one_port_by_two_names_is_one_match),
        cmocka_unit_test(a_stop_filter_leaves_other_sources_alone),
        cmocka_unit_test(a_route_waits_only_where_a_port_is_missing),
        cmocka_unit_test(a_route_moves_to_another_switch),
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
