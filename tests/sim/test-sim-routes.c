/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes, case by case: what chance in test-sim-mcast.c does not come by. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/member.h"
#include "tests/sim/sim-case.h"
#include "tests/sim/sim-frame.h"

static void
a_narrower_route_wins_over_what_a_wider_one_was_narrowed_to(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(
        &c, "wide",
        "{\"match\":{\"group\":\"226.0.0.0/8\"},\"set\":{\"ttl\":5},"
        "\"to\":[{\"members\":true},"
        "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/5 8/5");
    sim_case_put_route(
        &c, "narrow",
        "{\"match\":{\"group\":\"226.2.2.0/24\"},\"set\":{\"ttl\":9}}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/9");
    sim_case_expect_copies(&c, "10.1.1.1", "226.3.3.3", "8/5");
    sim_net_uninit(&c.net);
}

/* The same the other way round: what comes first must make no difference. */
static void
a_wider_route_that_comes_later_loses(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(&c, "narrow",
                       "{\"match\":{\"group\":\"226.2.2.2\",\"vlan\":0},"
                       "\"set\":{\"ttl\":9}}");
    sim_case_put_route(
        &c, "wide",
        "{\"match\":{\"group\":\"226.0.0.0/8\"},\"set\":{\"ttl\":5},"
        "\"to\":[{\"members\":true},"
        "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/9");
    sim_case_put_route(
        &c, "narrow",
        "{\"match\":{\"group\":\"226.9.9.9\"},\"set\":{\"ttl\":9}}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/5 8/5");
    sim_net_uninit(&c.net);
}

/* Its members are those of the vlan that it leads to. */
static void
a_prefix_is_taken_to_another_vlan(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_put_route(
        &c, "r",
        "{\"match\":{\"group\":\"226.0.0.0/8\",\"vlan\":10},"
        "\"set\":{\"vlan\":20,\"ttl\":7},\"to\":[{\"members\":true},"
        "{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    c.vlan = 20;
    sim_case_join(&c, 3, "226.2.2.2");
    c.vlan = 10;
    sim_case_join(&c, 4, "226.2.2.2");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/7 8/7");
    sim_net_uninit(&c.net);
}

/* A target's members may be those of another group, with filters. */
static void
a_target_s_members_filter_sources(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_report(&c, 3, "232.1.1.1", "10.1.1.1", false);
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
                       "{\"members\":true,\"set\":{\"group\":\"232.1.1.1\","
                       "\"ttl\":7}}]}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/7");
    sim_case_expect_copies(&c, "10.1.1.2", "226.2.2.2", "");
    sim_net_uninit(&c.net);
}

static void
one_port_by_two_names_is_one_match(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_put_route(&c, "a",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
                       "\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":5}}");
    assert_int_equal(
        sim_case_put_route(&c, "b",
                           "{\"match\":{\"dpid\":\"1\",\"port\":\"1\","
                           "\"group\":\"226.2.2.2\"},"
                           "\"set\":{\"ttl\":6}}"),
        CTL_INVALID);
    sim_net_uninit(&c.net);
}

/* A filter of one source says nothing about the others. */
static void
a_stop_filter_leaves_other_sources_alone(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "vlans:\n  default: {unregistered: flood}\n");
    sim_case_put_route(
        &c, "stop",
        "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
        "\"to\":[]}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "");
    sim_case_expect_copies(&c, "10.1.1.2", "226.2.2.2",
                           "2/1 3/1 4/1 5/1 6/1 7/1 8/1");
    sim_net_uninit(&c.net);
}

static void
a_route_waits_only_where_a_port_is_missing(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
                       "{\"dpid\":\"1\",\"port\":\"s1-eth2\"},"
                       "{\"dpid\":\"2\",\"port\":\"nowhere\"}]}");
    sim_case_expect_status(&c, "r", "1:applied 2:pending");
    fake_switch_add_port(c.net.switches[1].fake, 9, "nowhere");
    assert_true(sim_net_settle(&c.net));
    sim_case_expect_status(&c, "r", "1:applied 2:applied");
    sim_net_uninit(&c.net);
}

static void
a_route_moves_to_another_switch(void **state)
{
    struct sim_case c;
    char *flows;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"dpid\":\"1\",\"group\":\"226.2.2.2\"},"
                       "\"set\":{\"ttl\":5}}");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"dpid\":\"2\",\"group\":\"226.2.2.2\"},"
                       "\"set\":{\"ttl\":5}}");
    sim_case_expect_status(&c, "r", "2:applied");
    flows = fake_switch_dump_flows(c.net.switches[0].fake);
    assert_null(strstr(flows, "226.2.2.2"));
    free(flows);
    flows = fake_switch_dump_flows(c.net.switches[1].fake);
    assert_non_null(strstr(flows, "226.2.2.2"));
    free(flows);
    sim_net_uninit(&c.net);
}

/* Collects "PORT@VLAN ", 0 without a tag. */
static void
got_tag(void *text_, uint32_t port, const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    char *text = text_;

    assert_true(size > 16);
    if (port != FAKE_PORT_CONTROLLER) {
        sprintf(text + strlen(text), "%s%u@%u", text[0] ? " " : "", port,
                frame[12] == 0x81 ? (frame[14] & 15) << 8 | frame[15] : 0);
    }
}

static void
expect_tags(struct sim_case *c, const char *group, const char *want)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_case_build(c, "10.1.1.1", group, frame);
    char got[256] = "";

    fake_switch_probe(c->net.switches[0].fake, c->enters_at, frame, size,
                      got_tag, got);
    assert_string_equal(got, want);
}

static bool
never(void *aux)
{
    (void) aux;
    return false;
}

/* As members there do, in a fabric whose switches know the vlans of ports. */
static void
a_named_port_gets_a_copy_as_its_vlan_is_there(void **state)
{
    static const char fabric[] =
        "l2: fabric\nports:\n"
        "  - {dpid: 1, port: s1-eth1, access_vlan: 10}\n"
        "  - {dpid: 1, port: s1-eth2, %s}\n"
        "  - {dpid: 1, port: s1-eth3, access_vlan: 10}\n"
        "  - {dpid: 1, port: s1-eth4, trunk_vlans: [10]}\n";
    struct sim_case c;
    char yaml[512];

    (void) state;
    snprintf(yaml, sizeof yaml, fabric, "access_vlan: 10");
    sim_case_setup(&c, yaml);
    sim_net_wait(&c.net, never, NULL, 5000); /* Ports to hosts are known. */
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(
        &c, "r",
        "{\"match\":{\"vlan\":10,\"group\":\"226.2.2.2\"},\"to\":["
        "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth2\"},"
        "{\"dpid\":\"1\",\"port\":\"s1-eth4\"}]}");
    expect_tags(&c, "226.2.2.2", "4@10 2@0 3@0");
    sim_case_join(&c, 2, "226.2.2.2");
    expect_tags(&c, "226.2.2.2", "4@10 2@0 3@0");
    /* Without a vlan in the match, and by a configuration that changes. */
    sim_case_put_route(&c, "s",
                       "{\"match\":{\"group\":\"226.3.3.3\"},\"to\":["
                       "{\"dpid\":\"1\",\"port\":\"s1-eth2\"},"
                       "{\"dpid\":\"1\",\"port\":\"s1-eth4\"}]}");
    expect_tags(&c, "226.3.3.3", "4@10 2@0");
    snprintf(yaml, sizeof yaml, fabric, "trunk_vlans: [10]");
    sim_net_reconfigure(&c.net, yaml);
    assert_true(sim_net_settle(&c.net));
    expect_tags(&c, "226.3.3.3", "2@10 4@10");
    sim_net_uninit(&c.net);
}

static bool
expect_router_at_6(void *aux, const struct view_rule *rule)
{
    const struct view_route_status *s = rule->statuses[0].route;

    (void) aux;
    assert_int_equal(s->n_outputs, 3);
    assert_int_equal(s->outputs[2].port, 6);
    assert_int_equal(s->outputs[2].origins, VIEW_ORIGIN_MROUTER);
    return true;
}

/* Groups of a prefix that nobody has joined. */
static void
a_router_port_gets_what_members_could(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c,
                   "ports:\n  - {dpid: 1, port: s1-eth6, role: mrouter}\n");
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(
        &c, "r",
        "{\"match\":{\"group\":\"226.0.0.0/8\"},\"to\":["
        "{\"members\":true},{\"dpid\":\"1\",\"port\":\"s1-eth2\"}"
        "]}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "2/1 3/1 6/1");
    sim_case_expect_copies(&c, "10.1.1.1", "226.3.3.3", "2/1 6/1");
    assert_true(view_route(c.net.ctl, "r", expect_router_at_6, NULL));
    sim_net_uninit(&c.net);
}

static enum ctl_outcome
delete_route(struct sim_case *c, const char *name)
{
    c->answered = false;
    ctl_route_delete(c->net.ctl, name, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                     sim_case_written, c);
    return sim_case_wait_written(c);
}

/* What is taken off is that very flow, and none that is within it. */
static void
a_wide_route_that_goes_takes_no_narrower_one_along(void **state)
{
    struct sim_case c;
    uint64_t before;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(
        &c, "narrow",
        "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
        "\"set\":{\"ttl\":9}}");
    sim_case_put_route(&c, "wide",
                       "{\"match\":{\"dpid\":\"1\",\"group\":\"226.0.0.0/"
                       "8\"},\"set\":{\"ttl\":5},"
                       "\"to\":[{\"dpid\":\"1\",\"port\":\"s1-eth8\"}]}");
    sim_case_expect_copies(&c, "10.1.1.2", "226.2.2.2", "8/5");
    before = sim_case_n_mods(&c);
    delete_route(&c, "wide");
    /* Two flows, and the group; what was lost would have been put back. */
    assert_int_equal(sim_case_n_mods(&c) - before, 3);
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/9");
    sim_case_expect_copies(&c, "10.1.1.2", "226.2.2.2", "3/1");
    sim_net_uninit(&c.net);
}

/* A target of one group, whose members filter, and one of the prefix: the
 * filter's flow stands above the prefix's, but not above those of its groups.
 * Several, as a switch is free to choose among flows that are equally high. */
static void
a_target_s_filter_takes_nothing_from_groups_of_a_prefix(void **state)
{
    enum { N_GROUPS = 4, N_SOURCES = 8 };
    char groups[N_GROUPS][16], sources[N_SOURCES][16];
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"group\":\"226.0.0.0/8\"},\"to\":["
                       "{\"members\":true,\"set\":{\"group\":\"239.9.9.9\","
                       "\"ttl\":9}},{\"members\":true}]}");
    for (uint16_t i = 0; i < N_SOURCES; i++) {
        snprintf(sources[i], sizeof sources[i], "10.1.%u.1", i);
        sim_case_report_of(&c, 3, i, "239.9.9.9", sources[i], false);
    }
    for (unsigned int i = 0; i < N_GROUPS; i++) {
        snprintf(groups[i], sizeof groups[i], "226.2.2.%u", i);
        sim_case_join(&c, 4, groups[i]);
    }
    for (int i = 0; i < N_GROUPS; i++) {
        for (int j = 0; j < N_SOURCES; j++) {
            sim_case_expect_copies(&c, sources[j], groups[i], "4/1 3/9");
        }
        sim_case_expect_copies(&c, "10.9.9.9", groups[i], "4/1");
    }
    sim_case_expect_copies(&c, sources[0], "226.3.3.3", "3/9");
    sim_case_expect_copies(&c, "10.9.9.9", "226.3.3.3", "");
    sim_net_uninit(&c.net);
}

static void
an_address_that_becomes_free_is_given_to_who_waits(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_join(&c, 3, "226.3.3.3");
    sim_case_put_route(&c, "a",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth2\","
                       "\"group\":\"226.2.2.2\"},"
                       "\"set\":{\"source_pool\":\"10.9.9.9\"}}");
    sim_case_put_route(&c, "b",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
                       "\"group\":\"226.3.3.3\"},"
                       "\"set\":{\"source_pool\":\"10.9.9.9\",\"ttl\":7}}");
    sim_case_expect_status(&c, "a", "1:applied");
    sim_case_expect_status(&c, "b", "1:pending");
    delete_route(&c, "a");
    sim_case_expect_status(&c, "b", "1:applied");
    sim_case_expect_copies(&c, "10.1.1.1", "226.3.3.3", "3/7");
    sim_net_uninit(&c.net);
}

/* Whether its tag is pushed or changed depends on the packet. */
static void
a_host_in_another_vlan_needs_the_vlan_of_the_match(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    assert_int_equal(sim_case_put_route(&c, "r",
                                        "{\"match\":{\"group\":\"226.2.2.2\"},"
                                        "\"to\":[{\"unicast\":\"10.1.0.9\","
                                        "\"vlan\":10}]}"),
                     CTL_INVALID);
    assert_int_equal(sim_case_put_route(&c, "r",
                                        "{\"match\":{\"group\":\"226.2.2.2\","
                                        "\"vlan\":0},"
                                        "\"to\":[{\"unicast\":\"10.1.0.9\","
                                        "\"vlan\":10}]}"),
                     CTL_CREATED);
    sim_net_uninit(&c.net);
}

static void
put_member(struct sim_case *c, const char *name, const char *text)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct member *member = json ? member_from_json(name, json, &error) : NULL;

    if (!member) {
        fail_msg("%s: %s %s", text, error.pointer, error.detail);
    }
    c->answered = false;
    ctl_member_put(c->net.ctl, member, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                   sim_case_written, c);
    member_destroy(member);
    cJSON_Delete(json);
    sim_case_wait_written(c);
}

/* Of the route's streams; and in a fabric as members there get it. */
static void
a_tap_hears_its_own_vlan(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "l2: fabric\nports:\n"
                       "  - {dpid: 1, port: s1-eth1, trunk_vlans: [10, 20]}\n"
                       "  - {dpid: 1, port: s1-eth2, access_vlan: 10}\n");
    sim_net_wait(&c.net, never, NULL, 5000); /* Ports to hosts are known. */
    put_member(&c, "tap",
               "{\"dpid\":\"1\",\"port\":\"s1-eth2\",\"vlan\":10,"
               "\"group\":\"226.2.2.2\",\"lease\":60}");
    c.vlan = 20;
    sim_case_join(&c, 4, "226.2.2.2"); /* So that there is such a vlan. */
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
                       "{\"members\":true,\"set\":{\"ttl\":9}}]}");
    c.vlan = 10;
    expect_tags(&c, "226.2.2.2", "2@0 2@0"); /* A member, and tapped. */
    c.vlan = 20;
    expect_tags(&c, "226.2.2.2", "4@20");
    sim_net_uninit(&c.net);
}

/* It is counted, and goes on as if there were no route. */
static void
what_comes_in_by_another_port_goes_on(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    sim_case_join(&c, 3, "226.2.2.2");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth2\","
                       "\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":7}}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/1");
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
                       "\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":7}}");
    sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/7");
    sim_net_uninit(&c.net);
}

/* Counters. */

struct counted {
    uint64_t packets, outputs[SIM_CASE_PORTS + 1]; /* By port. */
    struct sim_case *c;
};

static bool
note_counts(void *counted_, const struct view_rule *rule)
{
    struct counted *counted = counted_;
    const struct view_status *s = &rule->statuses[0];

    counted->packets = s->packets;
    for (size_t i = 0; i < s->route->n_outputs; i++) {
        const struct view_output *o = &s->route->outputs[i];
        assert_in_range(o->port, 1, SIM_CASE_PORTS);
        counted->outputs[o->port] = o->packets;
    }
    return true;
}

static bool
has_counted(void *counted_)
{
    struct counted *counted = counted_;

    view_route(counted->c->net.ctl, "r", note_counts, counted);
    return counted->packets != 0;
}

/* Though both targets have a flow of the route for the source that a member
 * names. */
static void
a_packet_is_counted_once(void **state)
{
    struct sim_case c;
    struct counted counted = {.c = &c};

    (void) state;
    sim_case_setup(&c, "");
    sim_case_report(&c, 3, "226.2.2.2", "10.1.1.1", false);
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
                       "{\"members\":true},"
                       "{\"members\":true,\"set\":{\"group\":\"226.2.2.2\","
                       "\"ttl\":9}},{\"dpid\":\"1\",\"port\":\"s1-eth4\"}]}");
    for (int i = 0; i < 3; i++) {
        sim_case_send_packet(&c, "10.1.1.1", "226.2.2.2");
    }
    assert_true(sim_net_wait(&c.net, has_counted, &counted, SIM_CASE_WAIT_MS));
    assert_int_equal(counted.packets, 3);
    assert_int_equal(counted.outputs[4], 3);
    sim_net_uninit(&c.net);
}

/* Of routes of all kinds. */
static void
a_restart_modifies_no_route(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c,
                   "ports:\n  - {dpid: 1, port: s1-eth6, role: mrouter}\n");
    sim_case_report(&c, 3, "239.9.9.9", "10.1.1.1", false);
    sim_case_join(&c, 4, "226.2.2.2");
    sim_case_join(&c, 5, "226.8.8.8");
    sim_case_put_route(
        &c, "targets",
        "{\"match\":{\"dpid\":\"1\",\"group\":\"226.0.0.0/8\"},\"to\":["
        "{\"members\":true,\"set\":{\"group\":\"239.9.9.9\"}},"
        "{\"members\":true}]}");
    sim_case_put_route(&c, "pool",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth*\","
                       "\"group\":\"226.8.8.8\"},"
                       "\"set\":{\"source_pool\":\"10.9.0.0/24\"}}");
    sim_case_put_route(&c, "port",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
                       "\"group\":\"226.7.0.0/16\",\"udp_dst\":5004},\"to\":["
                       "{\"dpid\":\"1\",\"port\":\"s1-eth*\"}]}");
    sim_case_put_route(
        &c, "rival",
        "{\"match\":{\"dpid\":\"1\",\"group\":\"226.7.7.7\",\"udp_dst\":5005},"
        "\"to\":[]}");
    sim_case_put_route(
        &c, "joined",
        "{\"match\":{\"dpid\":\"1\",\"group\":\"226.6.6.6\"},"
        "\"set\":{\"group\":\"239.9.9.9\"},\"to\":["
        "{\"dpid\":\"1\",\"port\":\"s1-eth?\",\"when\":\"joined\"}]}");
    put_member(&c, "tap",
               "{\"dpid\":\"1\",\"port\":\"s1-eth7\","
               "\"group\":\"226.6.6.6\",\"lease\":60}");
    sim_case_send_packet(&c, "10.1.1.1", "226.2.2.2");
    sim_case_send_packet(&c, "10.1.1.1", "226.8.8.8");

    for (int i = 0; i < 2; i++) {
        uint64_t before = sim_case_n_mods(&c);
        sim_case_restart(&c);
        assert_int_equal(sim_case_n_mods(&c), before);
        sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "4/1 6/1 3/1 6/1");
        sim_case_expect_copies(&c, "10.1.1.1", "226.6.6.6", "3/1 7/1");
        sim_case_expect_copies(&c, "10.1.1.1", "226.7.7.1",
                               "2/1 3/1 4/1 5/1 6/1 7/1 8/1");
    }
    sim_net_uninit(&c.net);
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
        cmocka_unit_test(
            a_target_s_filter_takes_nothing_from_groups_of_a_prefix),
        cmocka_unit_test(a_wide_route_that_goes_takes_no_narrower_one_along),
        cmocka_unit_test(an_address_that_becomes_free_is_given_to_who_waits),
        cmocka_unit_test(what_comes_in_by_another_port_goes_on),
        cmocka_unit_test(a_packet_is_counted_once),
        cmocka_unit_test(a_tap_hears_its_own_vlan),
        cmocka_unit_test(a_host_in_another_vlan_needs_the_vlan_of_the_match),
        cmocka_unit_test(a_named_port_gets_a_copy_as_its_vlan_is_there),
        cmocka_unit_test(a_router_port_gets_what_members_could),
        cmocka_unit_test(a_restart_modifies_no_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
