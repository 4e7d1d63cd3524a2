/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What depends on how a switch forwards, and what its ports count. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ctl.h"
#include "controller/doctor.h"
#include "controller/port-counters.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-case.h"
#include "tests/sim/sim-net.h"

/* Fragments, by what forwards. */

/* The one flow of TABLE_FRAGMENTS for 'match' does this. */
static void
expect_fragments(struct sim_case *c, int i, const char *match,
                 const char *actions)
{
    char *flows = fake_switch_dump_flows(c->net.switches[i].fake), *save;
    size_t n = 0;

    for (char *line = strtok_r(flows, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (!strncmp(line, "table=29 ", 9) && strstr(line, match)) {
            const char *does = strstr(line, "actions=");

            n++;
            assert_non_null(does);
            does += 8;
            if (!strncmp(does, "controller(", 11)) { /* Its source. */
                does = strchr(does, ')') + 2;
            }
            assert_string_equal(does, actions);
        }
    }
    assert_int_equal(n, 1);
    free(flows);
}

static bool
append_reason(void *r_, const struct view_rule *rule)
{
    struct sim_case *c = r_;

    for (size_t i = 0; i < rule->n_statuses; i++) {
        const struct view_status *s = &rule->statuses[i];
        size_t n = strlen(c->text);

        snprintf(c->text + n, sizeof c->text - n, "%" PRIu64 ":%s ", s->dpid,
                 s->drops_fragments ? s->fragments_reason : "pass");
    }
    return true;
}

static const char *
fragments_of(struct sim_case *c, const char *name)
{
    c->text[0] = '\0';
    assert_true(view_route(c->net.ctl, name, append_reason, c));
    return c->text;
}

/* The second switch is the kernel's. */
static void
the_kernel_s_datapath_carries_fragments_that_netdev_drops(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "switches:\n  - {dpid: 2, datapath: kernel}\n");
    sim_case_put_route(
        &c, "plain",
        "{\"match\":{\"group\":\"226.2.2.2\",\"source\":\"10.1.1.1\"},"
        "\"set\":{\"source\":\"10.9.9.9\"}}");
    expect_fragments(&c, 0, "226.2.2.2", "drop");
    expect_fragments(&c, 1, "226.2.2.2", "goto_table:30");
    sim_case_put_route(&c, "port",
                       "{\"match\":{\"group\":\"226.3.3.3\",\"udp_dst\":5004},"
                       "\"set\":{\"source\":\"10.9.9.9\"}}");
    expect_fragments(&c, 0, "226.3.3.3", "drop");
    expect_fragments(&c, 1, "226.3.3.3",
                     "set_field:10.9.9.9->ip_src,goto_table:40");
    assert_string_equal(
        fragments_of(&c, "port"),
        "1:its IPv4 addresses are rewritten, and not so that the checksum "
        "stays the same: 'ofmcastctl route neutral' finds a source that keeps "
        "it 2:pass ");

    sim_net_reconfigure(&c.net, "switch_defaults: {datapath: kernel}\n"
                                "switches:\n"
                                "  - {dpid: 2, datapath: netdev}\n");
    assert_true(sim_net_settle(&c.net));
    expect_fragments(&c, 0, "226.2.2.2", "goto_table:30");
    expect_fragments(&c, 1, "226.2.2.2", "drop");
    sim_net_uninit(&c.net);
}

/* The kernel does not know either which of two routes they are of. */
static void
fragments_of_two_routes_are_dropped_by_the_kernel_too(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "switch_defaults: {datapath: kernel}\n");
    sim_case_put_route(&c, "a",
                       "{\"match\":{\"group\":\"226.2.2.2\",\"udp_dst\":1},"
                       "\"set\":{\"source\":\"10.9.9.9\"}}");
    expect_fragments(&c, 0, "226.2.2.2",
                     "set_field:10.9.9.9->ip_src,goto_table:40");
    sim_case_put_route(&c, "b",
                       "{\"match\":{\"group\":\"226.2.2.2\",\"udp_dst\":2},"
                       "\"set\":{\"source\":\"10.9.9.8\"}}");
    expect_fragments(&c, 0, "226.2.2.2", "drop");
    assert_non_null(strstr(fragments_of(&c, "a"), "route b's"));
    sim_net_uninit(&c.net);
}

#define PASS(MATCH, SET, TO)                                                  \
    "{\"match\":{\"group\":\"226.2.2.2\"" MATCH "},\"set\":{" SET             \
    "},\"to\":[" TO "],\"fragments\":\"pass\"}"
#define MEMBERS "{\"members\":true}"

static void
pass_is_refused_where_it_would_damage(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "switches:\n  - {dpid: 2, datapath: kernel}\n");
    static const char *const refused[] = {
        PASS("", "\"source\":\"10.9.9.9\"", MEMBERS),
        PASS(",\"dpid\":\"1\"", "\"source\":\"10.9.9.9\"", MEMBERS),
        PASS("", "\"source_pool\":\"10.9.9.0/24\"", MEMBERS),
        PASS("", "\"group\":\"239.1.1.1\"", MEMBERS),
        PASS("", "", "{\"unicast\":\"10.1.0.9\"}"),
        PASS("", "",
             MEMBERS ",{\"dpid\":\"1\",\"port\":\"s1-eth8\",\"set\":{"
                     "\"source\":\"10.9.9.9\"}}"),
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(sim_case_put_route(&c, "r", refused[i]), CTL_INVALID);
    }
    static const char *const taken[] = {
        PASS(",\"dpid\":\"2\"", "\"source\":\"10.9.9.9\"", MEMBERS),
        PASS("", "\"ttl\":9,\"udp_dst\":9", MEMBERS),
        PASS(",\"source\":\"192.168.168.55\"", "\"source\":\"10.1.94.223\"",
             MEMBERS),
        PASS(",\"proto\":50", "\"source\":\"10.9.9.9\"", MEMBERS),
        PASS("", "\"source\":\"10.9.9.9\"", ""),
    };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        int outcome = sim_case_put_route(&c, "r", taken[i]);

        assert_true(outcome == CTL_CREATED || outcome == CTL_REPLACED);
    }
    sim_net_uninit(&c.net);
}

/* One that was accepted before the switch was known to be like that: it is
 * kept, and does no damage. */
static void
pass_does_no_harm_on_netdev(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "switch_defaults: {datapath: kernel}\n");
    sim_case_put_route(&c, "r", PASS("", "\"source\":\"10.9.9.9\"", MEMBERS));
    expect_fragments(&c, 0, "226.2.2.2", "goto_table:30");
    sim_net_reconfigure(&c.net, "");
    assert_true(sim_net_settle(&c.net));
    expect_fragments(&c, 0, "226.2.2.2", "drop");
    assert_non_null(strstr(fragments_of(&c, "r"),
                           "\"pass\" is for switches with \"datapath\": "
                           "\"kernel\""));
    sim_net_uninit(&c.net);
}

#define TO_TWO(SET) "{\"dpid\":\"2\",\"port\":\"s2-eth3\",\"set\":{" SET "}}"
#define FABRIC      "l2: fabric\nswitches:\n  - {dpid: 1, datapath: kernel}\n"

/* A copy that is rewritten at another switch of the fabric: what counts is
 * what that one does to what it gets. */
static void
fragments_of_copies_that_leave_elsewhere(void **state)
{
    static const struct {
        const char *set, *target;
        bool safe;
    } cases[] = {
        {"", "\"source\":\"10.9.9.9\"", false},
        {"", "\"ttl\":9", true},
        /* The kernel has done it. */
        {"\"source\":\"10.9.9.9\"", "", true},
        {"\"source\":\"10.9.9.9\"", "\"ttl\":9", true},
        {"\"source\":\"10.9.9.9\"", "\"source\":\"10.9.9.8\"", false},
        /* Neutral from the first to the last, but not from what the second
         * gets; and the other way round. */
        {"\"source\":\"10.9.9.9\"", "\"source\":\"10.1.94.223\"", false},
        {"\"source\":\"10.9.9.9\"", "\"source\":\"10.8.9.10\"", true},
    };
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, FABRIC);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *route =
            xasprintf(PASS(",\"dpid\":\"1\",\"source\":\"192.168.168.55\"",
                           "%s", TO_TWO("%s")),
                      cases[i].set, cases[i].target);
        int outcome = sim_case_put_route(&c, "r", route);
        char *auto_ =
            xasprintf("%.*s}", (int) (strrchr(route, ',') - route), route);

        assert_int_equal(outcome != CTL_INVALID, cases[i].safe);
        sim_case_put_route(&c, "r", auto_);
        if (!strstr(fragments_of(&c, "r"), "1:pass") == cases[i].safe) {
            fail_msg("%s: %s", auto_, c.text);
        }
        free(auto_);
        free(route);
    }
    sim_net_uninit(&c.net);
}

/* What ports count. */

static bool
append_counters(void *r_, const struct view_switch *s)
{
    struct sim_case *c = r_;

    for (size_t i = 0; s->dpid == 1 && i < s->n_ports; i++) {
        const struct view_port_counters *n_of = s->ports[i].counters;
        size_t n = strlen(c->text);

        if (!n_of) {
            snprintf(c->text + n, sizeof c->text - n, "%u:- ", s->ports[i].no);
            continue;
        }
        if (n_of->rx_packets || n_of->rx_dropped || n_of->tx_dropped) {
            snprintf(c->text + n, sizeof c->text - n,
                     "%u:%" PRIu64 "/%" PRIu64 "/%" PRIu64 " ", s->ports[i].no,
                     n_of->rx_packets, n_of->rx_dropped, n_of->tx_dropped);
        }
    }
    return true;
}

/* Of the first switch; "-" is not known. */
static const char *
port_counters(struct sim_case *c)
{
    c->text[0] = '\0';
    view_switches(c->net.ctl, append_counters, c);
    return c->text;
}

static bool
append_losses(void *r_, const struct doctor_finding *f)
{
    struct sim_case *c = r_;
    size_t n = strlen(c->text);

    if (!strcmp(f->check->id, "D22")) {
        snprintf(c->text + n, sizeof c->text - n, "%s: %.*s; ", f->where,
                 (int) strcspn(f->evidence + 9, " "),
                 f->evidence + 9); /* Behind "at least ". */
    }
    return true;
}

static const char *
losses(struct sim_case *c)
{
    c->text[0] = '\0';
    doctor_findings(c->net.ctl, append_losses, c);
    return c->text;
}

static bool
never(void *c)
{
    (void) c;
    return false;
}

static void
wait_for(struct sim_case *c, int64_t ms)
{
    assert_false(sim_net_wait(&c->net, never, c, ms));
}

/* What was lost before the daemon looked, or a minute ago, is no finding; nor
 * are a few. */
static void
ports_that_lose_are_found(void **state)
{
    struct sim_case c;

    (void) state;
    memset(&c, 0, sizeof c);
    c.enters_at = 1;
    sim_net_init(&c.net, "", 2, SIM_CASE_PORTS);
    fake_switch_lose(c.net.switches[0].fake, 3, 0, 5000);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&c.net.switches[i]);
    }
    assert_true(sim_net_settle(&c.net));
    sim_case_send_packet(&c, "10.1.1.1", "226.2.2.2");
    wait_for(&c, 6000);
    assert_string_equal(port_counters(&c), "1:1/0/0 3:0/0/5000 ");
    assert_string_equal(losses(&c), "");

    fake_switch_lose(c.net.switches[0].fake, 3, 0, 40);
    fake_switch_lose(c.net.switches[0].fake, 4, 20, 9);
    wait_for(&c, 12000);
    assert_string_equal(port_counters(&c), "1:1/0/0 3:0/0/5040 4:0/20/9 ");
    assert_string_equal(losses(&c), "switch 1 port s1-eth3, out: 40; "
                                    "switch 1 port s1-eth4, in: 20; ");
    wait_for(&c, 80000);
    assert_string_equal(losses(&c), "");

    /* So are errors, and both together. */
    fake_switch_err(c.net.switches[0].fake, 5, 0, 0);
    wait_for(&c, 6000);
    assert_string_equal(losses(&c), "");
    fake_switch_err(c.net.switches[0].fake, 5, 15, 30);
    fake_switch_lose(c.net.switches[0].fake, 5, 5, 0);
    wait_for(&c, 12000);
    assert_string_equal(losses(&c), "switch 1 port s1-eth5, in: 20; "
                                    "switch 1 port s1-eth5, out: 30; ");
    wait_for(&c, 80000);

    /* A counter that begins anew is no loss. */
    fake_switch_lose(c.net.switches[0].fake, 3, 0, (uint64_t) -5000);
    wait_for(&c, 12000);
    assert_string_equal(losses(&c), "");
    sim_net_uninit(&c.net);
}

/* More ports than one message has room for: libopenvswitch makes two. */
static void
an_answer_of_several_messages_is_taken_whole(void **state)
{
    enum { LAST = 600 };
    struct sim_case c;

    (void) state;
    memset(&c, 0, sizeof c);
    sim_net_init(&c.net, "", 1, LAST);
    sim_net_connect(&c.net.switches[0]);
    assert_true(sim_net_settle(&c.net));
    for (int i = 0; i < 2; i++) {
        assert_string_equal(port_counters(&c), i ? "1:0/7/0 600:0/0/9 " : "");
        fake_switch_lose(c.net.switches[0].fake, 1, 7, 0);
        fake_switch_lose(c.net.switches[0].fake, LAST, 0, 9);
        wait_for(&c, 12000); /* They are so many. */
    }
    assert_string_equal(port_counters(&c), "1:0/14/0 600:0/0/18 ");
    sim_net_uninit(&c.net);
}

/* It is another port, which has lost nothing while the daemon looked. */
static void
a_port_that_returns_is_counted_anew(void **state)
{
    struct sim_case c;
    struct fake_switch *sw;

    (void) state;
    sim_case_setup(&c, "");
    sw = c.net.switches[0].fake;
    fake_switch_lose(sw, 3, 0, 40);
    wait_for(&c, 6000);
    assert_string_equal(port_counters(&c), "3:0/0/40 ");
    fake_switch_remove_port(sw, 3);
    assert_true(sim_net_settle(&c.net));
    assert_string_equal(port_counters(&c), "");
    fake_switch_add_port(sw, 3, "s1-eth3");
    fake_switch_lose(sw, 3, 0, 5000);
    assert_true(sim_net_settle(&c.net));
    assert_string_equal(port_counters(&c), "3:- ");
    wait_for(&c, 6000);
    assert_string_equal(port_counters(&c), "3:0/0/5000 ");
    assert_string_equal(losses(&c), "");
    sim_net_uninit(&c.net);
}

#define NOT_KNOWN "1:- 2:- 3:- 4:- 5:- 6:- 7:- 8:- "

/* Nothing is known of a switch that is away, though its ports are; and what it
 * has not answered before is asked again. */
static void
a_switch_that_returns_is_counted_anew(void **state)
{
    struct sim_case c;
    struct sim_switch *s;

    (void) state;
    sim_case_setup(&c, "");
    s = &c.net.switches[0];
    fake_switch_lose(s->fake, 3, 0, 40);
    wait_for(&c, 6000);
    assert_string_equal(port_counters(&c), "3:0/0/40 ");
    fake_switch_faults(s->fake)->mute = true;
    wait_for(&c, 6000);
    sim_net_disconnect(s);
    fake_switch_faults(s->fake)->mute = false;
    wait_for(&c, PORT_COUNTERS_ANSWER_MS + 10000);
    assert_string_equal(port_counters(&c), NOT_KNOWN);
    fake_switch_lose(s->fake, 3, 0, 5000);
    sim_net_connect(s);
    assert_true(sim_net_settle(&c.net));
    assert_string_equal(port_counters(&c), "3:0/0/5040 ");
    wait_for(&c, 6000);
    assert_string_equal(losses(&c), "");
    sim_net_uninit(&c.net);
}

static uint64_t
n_errors(const struct sim_switch *s)
{
    struct fake_switch_counters counters;

    fake_switch_counters(s->fake, &counters);
    return counters.errors;
}

/* Until it comes back: as another release, perhaps. */
static void
a_switch_that_does_not_count_is_asked_once(void **state)
{
    struct sim_case c;
    struct sim_switch *s;
    uint64_t before;

    (void) state;
    memset(&c, 0, sizeof c);
    sim_net_init(&c.net, "", 1, SIM_CASE_PORTS);
    s = &c.net.switches[0];
    fake_switch_faults(s->fake)->no_port_stats = true;
    sim_net_connect(s);
    assert_true(sim_net_settle(&c.net));
    before = n_errors(s);
    wait_for(&c, 60000);
    assert_int_equal(n_errors(s), before);
    assert_string_equal(port_counters(&c), NOT_KNOWN);
    fake_switch_faults(s->fake)->no_port_stats = false;
    sim_net_disconnect(s);
    wait_for(&c, 1000);
    sim_net_connect(s);
    assert_true(sim_net_settle(&c.net));
    assert_string_equal(port_counters(&c), "");
    sim_net_uninit(&c.net);
}

/* But not too soon: a switch may be slow. */
static void
a_switch_that_does_not_answer_is_asked_again(void **state)
{
    struct sim_case c;
    struct sim_switch *s;

    (void) state;
    memset(&c, 0, sizeof c);
    sim_net_init(&c.net, "", 1, SIM_CASE_PORTS);
    s = &c.net.switches[0];
    fake_switch_faults(s->fake)->drop_port_stats = true;
    sim_net_connect(s);
    assert_true(sim_net_settle(&c.net));
    fake_switch_faults(s->fake)->drop_port_stats = false;
    wait_for(&c, 25000);
    assert_string_equal(port_counters(&c), NOT_KNOWN);
    wait_for(&c, 15000);
    assert_string_equal(port_counters(&c), "");
    sim_net_uninit(&c.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_kernel_s_datapath_carries_fragments_that_netdev_drops),
        cmocka_unit_test(
            fragments_of_two_routes_are_dropped_by_the_kernel_too),
        cmocka_unit_test(pass_is_refused_where_it_would_damage),
        cmocka_unit_test(pass_does_no_harm_on_netdev),
        cmocka_unit_test(fragments_of_copies_that_leave_elsewhere),
        cmocka_unit_test(ports_that_lose_are_found),
        cmocka_unit_test(an_answer_of_several_messages_is_taken_whole),
        cmocka_unit_test(a_port_that_returns_is_counted_anew),
        cmocka_unit_test(a_switch_that_returns_is_counted_anew),
        cmocka_unit_test(a_switch_that_does_not_count_is_asked_once),
        cmocka_unit_test(a_switch_that_does_not_answer_is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
