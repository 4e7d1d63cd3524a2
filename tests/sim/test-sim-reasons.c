/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What explain and the doctor say, where no real switch is needed to see
 * whether it is true: with fake switches, on a clock of their own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/doctor.h"
#include "controller/view-explain.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-case.h"
#include "tests/sim/sim-clock.h"

#define SOURCE "192.168.168.55"
#define GROUP  "226.2.2.2"

/* Explain. */

static bool
take_verdict(void *r_, const struct view_explain *x)
{
    struct sim_case *r = r_;

    snprintf(r->text, sizeof r->text, "%s %s", x->delivered ? "yes" : "no",
             x->reason);
    return true;
}

/* 'to' 0: anybody. */
static void
expect_reason(struct sim_case *r, const char *group, uint32_t to,
              const char *want)
{
    struct explain_query query = {
        .in = {r->net.switches[0].dpid, r->enters_at},
        .vlan = r->vlan,
        .source = sim_case_address(SOURCE),
        .group = sim_case_address(group),
        .udp_dst = -1,
        .ttl = -1,
        .size = -1,
        .has_to = to != 0,
        .to = {r->net.switches[0].dpid, to}};

    view_explain(r->net.ctl, &query, take_verdict, r);
    assert_string_equal(r->text, want);
}

static void
a_flooded_group_arrives_everywhere(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "vlans: {default: {unregistered: flood}}\n");
    sim_case_join(&r, 3, "239.9.9.9"); /* The vlan is there. */
    expect_reason(&r, GROUP, 2, "yes flooded");
    expect_reason(&r, GROUP, 0, "yes flooded");
    expect_reason(&r, GROUP, 1, "no ingress-port");
    expect_reason(&r, GROUP, 77, "no no-port");
    fake_switch_set_port(r.net.switches[0].fake, 2, false);
    assert_true(sim_net_settle(&r.net));
    expect_reason(&r, GROUP, 2, "no port-down");
    sim_net_uninit(&r.net);
}

static void
a_link_local_group_arrives_everywhere(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "");
    expect_reason(&r, "224.0.0.251", 2, "yes link-local");
    expect_reason(&r, "224.0.0.251", 1, "no ingress-port");
    expect_reason(&r, "224.0.0.251", 77, "no no-port");
    sim_net_uninit(&r.net);
}

static void
a_number_that_is_none_is_no_port(void **state)
{
    struct sim_case r;
    struct port_id id;

    (void) state;
    sim_case_setup(&r, "");
    assert_true(view_find_port(r.net.ctl, 1, "s1-eth2", &id));
    assert_int_equal(id.port_no, 2);
    assert_true(view_find_port(r.net.ctl, 1, "2", &id));
    /* 2 << 32 | 9 would be the tunnel end 0.0.0.2 at port 9. */
    assert_false(view_find_port(r.net.ctl, 1, "8589934601", &id));
    assert_false(view_find_port(r.net.ctl, 1, "2x", &id));
    assert_false(view_find_port(r.net.ctl, 1, "", &id));
    sim_net_uninit(&r.net);
}

/* The doctor. */

static bool
add_finding(void *r_, const struct doctor_finding *f)
{
    struct sim_case *r = r_;
    size_t n = strlen(r->text);

    snprintf(r->text + n, sizeof r->text - n, "%s %s %s; ", f->check->id,
             doctor_severity_name(f->severity), f->where);
    return true;
}

/* All that is found, seconds later. */
static const char *
findings(struct sim_case *r)
{
    sim_clock_pass(2000);
    r->text[0] = '\0';
    doctor_findings(r->net.ctl, add_finding, r);
    return r->text;
}

static void
expect_finding(struct sim_case *r, const char *what, bool there)
{
    if (!strstr(findings(r), what) == there) {
        fail_msg("%s is %s: %s", what, there ? "not there" : "there", r->text);
    }
}

static void
one_source_at_two_ports(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "");
    for (r.enters_at = 1; r.enters_at <= 2; r.enters_at++) {
        sim_case_send_packet(&r, SOURCE, GROUP);
    }
    sim_case_join(&r, 3, GROUP);
    expect_finding(&r, "D15", true);
    /* A route that takes both, and makes the same of both, mends nothing. */
    sim_case_put_route(&r, "both",
                       "{\"match\":{\"group\":\"" GROUP "\"},"
                       "\"set\":{\"source\":\"10.1.0.11\"}}");
    expect_finding(&r, "D15", true);
    sim_case_put_route(&r, "both",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth*\","
                       "\"group\":\"" GROUP "\"},"
                       "\"set\":{\"source_pool\":\"10.1.0.0/24\"}}");
    expect_finding(&r, "D15", false);
    /* The cure: one for each port. */
    sim_case_put_route(&r, "first",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth1\","
                       "\"group\":\"" GROUP "\"},"
                       "\"set\":{\"source\":\"10.1.0.11\"}}");
    sim_case_put_route(&r, "second",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth2\","
                       "\"group\":\"" GROUP "\"},"
                       "\"set\":{\"source\":\"10.1.0.12\"}}");
    expect_finding(&r, "D15", false);
    sim_net_uninit(&r.net);
}

/* Forty of a kind are kept back, but not what is worse. */
static void
notes_and_warnings_do_not_hide_errors(void **state)
{
    struct sim_case r;

    (void) state;
    sim_case_setup(&r, "");
    for (int i = 0; i < 40; i++) {
        char group[32];
        snprintf(group, sizeof group, "239.1.1.%d", i + 1);
        sim_case_join(&r, 3, group); /* D9: nobody sends to it. */
    }
    for (int i = 0; i < 40; i++) {
        char group[32];
        snprintf(group, sizeof group, "239.2.2.%d", i + 1);
        r.vlan = 7;
        sim_case_join(&r, 4, group);
        r.vlan = 0;
        sim_case_send_packet(&r, SOURCE, group); /* D9: the other vlan. */
    }
    findings(&r);
    sim_clock_pass(4000);
    expect_finding(&r, "D9 note", true);
    expect_finding(&r, "D9 warning", true);
    sim_net_uninit(&r.net);
}

/* A route whose group is too large is refused: what was never there is not
 * complained of for ever. */
static void
a_refused_route_leaves_no_finding(void **state)
{
    struct sim_case r;
    char *text = xcalloc(1, 1024 * 128), *at = text;

    (void) state;
    sim_case_setup(&r, "");
    at += sprintf(at, "{\"match\":{\"group\":\"" GROUP "\"},\"to\":[");
    for (int i = 0; i < 1024; i++) {
        at += sprintf(at,
                      "%s{\"dpid\":\"1\",\"port\":\"s1-eth8\",\"set\":{"
                      "\"source\":\"10.1.%d.%d\",\"group\":\"239.3.%d.%d\","
                      "\"udp_dst\":%d,\"ttl\":9}}",
                      i ? "," : "", i / 250, 1 + i % 250, i / 250, 1 + i % 250,
                      5000 + i);
    }
    sprintf(at, "]}");
    assert_int_equal(sim_case_put_route(&r, "large", text), CTL_REJECTED);
    expect_finding(&r, "D12", false);
    free(text);
    sim_net_uninit(&r.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flooded_group_arrives_everywhere),
        cmocka_unit_test(a_link_local_group_arrives_everywhere),
        cmocka_unit_test(a_number_that_is_none_is_no_port),
        cmocka_unit_test(one_source_at_two_ports),
        cmocka_unit_test(a_refused_route_leaves_no_finding),
        cmocka_unit_test(notes_and_warnings_do_not_hide_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
