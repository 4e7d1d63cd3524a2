/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Static members, with the whole controller and two fake switches. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/member.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-clock.h"
#include "tests/sim/sim-net.h"

enum { WAIT_MS = 10000, N_PORTS = 4 };

#define ONE   "\"dpid\":1,\"port\":2,"
#define GROUP "\"group\":\"239.1.1.1\""
#define S1    ",\"sources\":[\"10.1.0.1\"]"
#define S2    ",\"sources\":[\"10.1.0.2\"]"

struct rig {
    struct sim_net net;
    bool answered;
    enum ctl_outcome outcome;
    char detail[512];
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

static void
written(void *r_, const struct ctl_result *result)
{
    struct rig *r = r_;

    r->answered = true;
    r->outcome = result->outcome;
    snprintf(r->detail, sizeof r->detail, "%s", result->detail);
}

static bool
is_answered(void *r_)
{
    const struct rig *r = r_;

    return r->answered;
}

static enum ctl_outcome
wait_written(struct rig *r)
{
    assert_true(sim_net_wait(&r->net, is_answered, r, WAIT_MS));
    assert_true(sim_net_settle(&r->net));
    return r->outcome;
}

/* 'members' stand between the braces. */
static enum ctl_outcome
put(struct rig *r, const char *name, const char *members)
{
    struct json_error error = {.failed = false};
    char *text = xasprintf("{%s}", members);
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct member *m = json ? member_from_json(name, json, &error) : NULL;

    if (!m) {
        fail_msg("%s: %s %s", text, error.pointer, error.detail);
    }
    r->answered = false;
    ctl_member_put(r->net.ctl, m, CTL_WAIT_APPLIED, WAIT_MS, written, r);
    member_destroy(m);
    cJSON_Delete(json);
    free(text);
    return wait_written(r);
}

static enum ctl_outcome
del(struct rig *r, const char *name)
{
    r->answered = false;
    ctl_member_delete(r->net.ctl, name, CTL_WAIT_APPLIED, WAIT_MS, written, r);
    return wait_written(r);
}

/* "name state origin error; ..." of all. */
static bool
add_line(void *text_, const struct view_rule *rule)
{
    char **text = text_;
    const struct view_status *s = rule->statuses;
    char *more = xasprintf("%s%s %s %s %s; ", *text, rule->name,
                           rule->n_statuses ? view_state_name(s->state) : "",
                           rule->origin, rule->n_statuses ? s->error : "");

    free(*text);
    *text = more;
    return true;
}

static void
assert_members(struct rig *r, const char *expected)
{
    char *text = xstrdup("");

    view_members(r->net.ctl, add_line, &text);
    assert_string_equal(text, expected);
    free(text);
}

static char *
groups_of(struct rig *r)
{
    return fake_switch_dump_groups(r->net.switches[0].fake);
}

static bool
has_bucket(struct rig *r, const char *bucket)
{
    char *text = groups_of(r);
    bool found = strstr(text, bucket) != NULL;

    free(text);
    return found;
}

static uint64_t
n_mods(struct rig *r)
{
    struct fake_switch_counters c;

    fake_switch_counters(r->net.switches[0].fake, &c);
    return c.n_mods;
}

static void
test_it_comes_and_goes(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    char *before = groups_of(&r);
    assert_int_equal(put(&r, "m", ONE GROUP), CTL_CREATED);
    assert_true(has_bucket(&r, "output:2"));
    assert_members(&r, "m applied api ; ");
    uint64_t mods = n_mods(&r);
    assert_int_equal(put(&r, "m", ONE GROUP), CTL_UNCHANGED);
    assert_int_equal(n_mods(&r), mods);
    assert_int_equal(put(&r, "m", "\"dpid\":1,\"port\":3," GROUP),
                     CTL_REPLACED);
    assert_true(has_bucket(&r, "output:3"));
    assert_false(has_bucket(&r, "output:2"));
    assert_int_equal(del(&r, "m"), CTL_DELETED);
    char *after = groups_of(&r);
    assert_string_equal(after, before);
    assert_int_equal(del(&r, "m"), CTL_NOT_FOUND);
    free(before);
    free(after);
    sim_net_uninit(&r.net);
}

/* What a switch refuses leaves nothing behind, and brings back what was. */
static void
test_a_switch_refuses(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    struct fake_switch *fake = r.net.switches[0].fake;
    struct fake_switch_counters c;
    assert_int_equal(put(&r, "m", ONE GROUP), CTL_CREATED);
    char *before = groups_of(&r);
    fake_switch_counters(fake, &c);
    fake_switch_faults(fake)->max_groups = c.groups;
    assert_int_equal(put(&r, "n", ONE "\"group\":\"239.1.1.2\""),
                     CTL_REJECTED);
    assert_non_null(strstr(r.detail, "OFPGMFC"));
    assert_members(&r, "m applied api ; ");
    assert_int_equal(put(&r, "m", ONE "\"group\":\"239.1.1.3\"" S1),
                     CTL_REJECTED);
    assert_members(&r, "m applied api ; ");
    char *after = groups_of(&r);
    assert_string_equal(after, before);

    sim_net_restart_controller(&r.net);
    assert_members(&r, "m pending api the switch is not connected; ");
    free(before);
    free(after);
    sim_net_uninit(&r.net);
}

static void
test_it_waits_for_its_port(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    struct fake_switch *fake = r.net.switches[0].fake;
    assert_int_equal(put(&r, "m", "\"dpid\":1,\"port\":\"late\"," GROUP),
                     CTL_CREATED);
    assert_members(&r, "m pending api there is no port late; ");
    fake_switch_add_port(fake, 9, "late");
    assert_true(sim_net_settle(&r.net));
    assert_members(&r, "m applied api ; ");
    assert_true(has_bucket(&r, "output:9"));
    /* Down is not away. */
    fake_switch_set_port(fake, 9, false);
    assert_true(sim_net_settle(&r.net));
    assert_members(&r, "m applied api ; ");
    fake_switch_remove_port(fake, 9);
    assert_true(sim_net_settle(&r.net));
    assert_members(&r, "m pending api there is no port late; ");
    assert_false(has_bucket(&r, "output:9"));
    sim_net_uninit(&r.net);
}

/* One channel, one entry for each source: in it who wants the source. */
static void
test_several_at_one_port(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    assert_int_equal(put(&r, "a", ONE GROUP S1), CTL_CREATED);
    assert_int_equal(put(&r, "b", ONE GROUP S2), CTL_CREATED);
    char *both = groups_of(&r);
    assert_int_equal(put(&r, "c", ONE GROUP S2), CTL_CREATED);
    char *again = groups_of(&r);
    assert_string_equal(again, both);
    assert_int_equal(del(&r, "b"), CTL_DELETED);
    free(again);
    again = groups_of(&r);
    assert_string_equal(again, both); /* "c" still wants it. */
    assert_int_equal(del(&r, "c"), CTL_DELETED);
    free(again);
    again = groups_of(&r);
    assert_string_not_equal(again, both);
    assert_true(has_bucket(&r, "output:2"));
    assert_int_equal(del(&r, "a"), CTL_DELETED);
    assert_false(has_bucket(&r, "output:2"));
    free(again);
    free(both);
    sim_net_uninit(&r.net);
}

/* 200 sources each: together they are more than a port can have of a group.
 * The first goes on as it was. */
static void
test_too_many_sources_together(void **state)
{
    char text[2][8192];
    struct rig r;

    (void) state;
    setup(&r, "");
    for (int i = 0; i < 2; i++) {
        int n = snprintf(text[i], sizeof text[i], ONE GROUP ",\"sources\":[");
        for (int j = 1; j <= 200; j++) {
            n += snprintf(text[i] + n, sizeof text[i] - (size_t) n,
                          "%s\"10.9.%d.%d\"", j > 1 ? "," : "", i, j);
        }
        snprintf(text[i] + n, sizeof text[i] - (size_t) n, "]");
    }
    assert_int_equal(put(&r, "a", text[0]), CTL_CREATED);
    char *groups = groups_of(&r);
    assert_int_equal(put(&r, "b", text[1]), CTL_REJECTED);
    assert_non_null(strstr(r.detail, "too many sources"));
    assert_members(&r, "a applied api ; ");
    char *after = groups_of(&r);
    assert_string_equal(after, groups);
    free(groups);
    free(after);
    sim_net_uninit(&r.net);
}

/* A restart changes nothing in the switch. */
static void
test_restart(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "");
    assert_int_equal(put(&r, "a", ONE GROUP S1), CTL_CREATED);
    assert_int_equal(put(&r, "b", "\"dpid\":1,\"port\":3," GROUP),
                     CTL_CREATED);
    assert_int_equal(put(&r, "r", "\"dpid\":1,\"port\":4,\"router\":true"),
                     CTL_CREATED);
    char *groups = groups_of(&r);
    char *flows = fake_switch_dump_flows(r.net.switches[0].fake);

    sim_net_restart_controller(&r.net);
    uint64_t mods = n_mods(&r);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&r.net.switches[i]);
    }
    assert_true(sim_net_settle(&r.net));

    assert_members(&r, "a applied api ; b applied api ; r applied api ; ");
    char *groups_now = groups_of(&r);
    char *flows_now = fake_switch_dump_flows(r.net.switches[0].fake);
    assert_string_equal(groups_now, groups);
    assert_string_equal(flows_now, flows);
    assert_int_equal(n_mods(&r), mods);
    free(groups);
    free(groups_now);
    free(flows);
    free(flows_now);
    sim_net_uninit(&r.net);
}

/* A port whose hosts get copies of their own: a device that was never heard
 * has no address to send one to. */
static void
test_on_a_port_that_delivers_by_unicast(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, "port_defaults: {delivery: unicast}\n");
    assert_int_equal(put(&r, "m", ONE GROUP), CTL_CREATED);
    assert_members(&r, "m applied api ; ");
    assert_true(has_bucket(&r, "output:2"));
    sim_net_uninit(&r.net);
}

static bool
is_pruned(void *r)
{
    return has_bucket(r, "output:2");
}

/* Who has joined is not known then: who is named must not be alone. */
static void
test_where_ipv6_is_flooded(void **state)
{
    static const char off[] = "vlans: {default: {mld: false}}\n";
    static const char on[] = "vlans: {default: {query_interval: 1,"
                             " query_response_interval: 0.1}}\n";
    struct rig r;

    (void) state;
    setup(&r, off);
    assert_int_equal(put(&r, "m", ONE "\"group\":\"ff15::1\""), CTL_CREATED);
    assert_members(&r, "m applied api ; ");
    assert_false(is_pruned(&r));

    sim_net_reconfigure(&r.net, on);
    assert_true(sim_net_wait(&r.net, is_pruned, &r, WAIT_MS));
    sim_net_reconfigure(&r.net, off);
    assert_true(sim_net_settle(&r.net));
    assert_false(is_pruned(&r));
    sim_net_uninit(&r.net);
}

static void
test_of_the_configuration(void **state)
{
    static const char yaml[] = "members:\n"
                               "  - {name: m, dpid: 1, port: 2,"
                               " group: 239.1.1.1, sources: [10.1.0.1]}\n";
    struct rig r;

    (void) state;
    setup(&r, yaml);
    assert_members(&r, "m applied config ; ");
    assert_true(has_bucket(&r, "output:2"));
    assert_int_equal(put(&r, "m", ONE GROUP), CTL_FIXED);
    assert_int_equal(del(&r, "m"), CTL_FIXED);
    assert_int_equal(put(&r, "n", ONE GROUP), CTL_CREATED);
    assert_members(&r, "m applied config ; n applied api ; ");
    sim_net_uninit(&r.net);
}

/* "NUMBER:PEERS " of the first switch's tunnel ports, and "NUMBER:kind " of
 * others that are not as hosts' are. */
static bool
add_tunnels(void *text_, const struct view_switch *s)
{
    char *text = text_;

    for (size_t i = 0; s->dpid == 1 && i < s->n_ports; i++) {
        const struct view_port *p = &s->ports[i];
        size_t n = strlen(text);

        if (p->tunnel) {
            snprintf(text + n, 64, "%u:%zu ", p->no, p->tunnel->n_peers);
        } else if (strcmp(p->kind, "host")) {
            snprintf(text + n, 64, "%u:%s ", p->no, p->kind);
        }
    }
    return true;
}

static void
assert_tunnels(struct rig *r, const char *expected)
{
    char text[1024] = "";

    assert_true(sim_net_settle(&r->net));
    view_switches(r->net.ctl, add_tunnels, text);
    assert_string_equal(text, expected);
}

#define TUNNEL "tunnels:\n  - {dpid: 1, port: s1-eth2, vnis: {\"100\": 0}"

/* The way to it is kept open as long as it is named, whatever else comes and
 * goes at the switch. */
static void
test_an_end_that_is_not_learned(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, TUNNEL ", learn: false}\n");
    assert_tunnels(&r, "2:0 ");
    assert_int_equal(put(&r, "m", ONE "\"vtep\":\"10.255.0.2\"," GROUP),
                     CTL_CREATED);
    assert_tunnels(&r, "2:1 ");
    fake_switch_add_port(r.net.switches[0].fake, 9, "s1-eth9");
    assert_tunnels(&r, "2:1 ");
    fake_switch_remove_port(r.net.switches[0].fake, 9);
    sim_net_reconfigure(&r.net, TUNNEL ", learn: false}\n");
    assert_tunnels(&r, "2:1 ");
    assert_int_equal(del(&r, "m"), CTL_DELETED);
    sim_clock_pass(2000);
    assert_tunnels(&r, "2:0 ");
    sim_net_uninit(&r.net);
}

/* While the switch was away its tunnel port went, and a host's has the
 * number. */
static void
test_a_tunnel_port_s_number_is_another_s(void **state)
{
    struct rig r;

    (void) state;
    setup(&r, TUNNEL ", peers: [10.255.0.2]}\n");
    assert_tunnels(&r, "2:1 ");
    sim_net_disconnect(&r.net.switches[0]);
    fake_switch_remove_port(r.net.switches[0].fake, 2);
    fake_switch_add_port(r.net.switches[0].fake, 2, "other");
    sim_net_connect(&r.net.switches[0]);
    assert_tunnels(&r, "");
    sim_net_uninit(&r.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_and_goes),
        cmocka_unit_test(test_a_switch_refuses),
        cmocka_unit_test(test_it_waits_for_its_port),
        cmocka_unit_test(test_several_at_one_port),
        cmocka_unit_test(test_too_many_sources_together),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_on_a_port_that_delivers_by_unicast),
        cmocka_unit_test(test_where_ipv6_is_flooded),
        cmocka_unit_test(test_of_the_configuration),
        cmocka_unit_test(test_an_end_that_is_not_learned),
        cmocka_unit_test(test_a_tunnel_port_s_number_is_another_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
