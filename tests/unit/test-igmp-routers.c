/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/igmp-lab.h"

/* Router ports: what makes a port one, what ends it, what is passed on to
 * them.  Queries as signs are in test-igmp-querier. */

static const struct igmp_port_config host_only = {.role = IGMP_ROLE_HOST};
static const struct igmp_port_config router = {.role = IGMP_ROLE_ROUTER};

static enum igmp_error
show(struct fixture *f, unsigned int from, enum igmp_kind kind,
     const char *address, int64_t lifetime)
{
    struct igmp_sign sign = {.family = f->config.family,
                             .kind = kind,
                             .eth_src = {{2, 0, 0, 0, 1, 1}},
                             .ip_src = ip(address),
                             .lifetime_ms = lifetime};
    uint8_t frame[256];

    return input(f, from, frame, igmp_sign_encode(&sign, frame, sizeof frame));
}

static bool
put_router(void *f_, const struct igmp_router_view *v)
{
    struct fixture *f = f_;
    size_t n = strlen(f->log);

    n += (size_t) sprintf(f->log + n, "%s%s %s%s", n ? ", " : "",
                          port_name(&v->port), v->fixed ? "fixed " : "",
                          v->sign);
    if (v->expires != INT64_MAX) {
        sprintf(f->log + n, " %lld", (long long) (v->expires - f->now));
    }
    return true;
}

static void
check_routers(struct fixture *f, const char *want)
{
    f->log[0] = '\0';
    igmp_snoop_each_router(f->s, put_router, f);
    check_log(f, want);
}

/* RFC 4541 2.1.1 1 b and c: other signs than queries. */
static void
pim_hello_holds_as_long_as_it_says(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 30 * SECOND),
                     IGMP_OK);
    check_log(f, "p7R");
    check_routers(f, "p7 pim 30000");
    advance(f, 29 * SECOND);
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 30 * SECOND);
    f->log[0] = '\0';
    advance(f, 30 * SECOND - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p7r");
    check_routers(f, "");
}

static void
pim_hello_for_ever(void **state)
{
    struct fixture *f = *state;

    f->config.querier = false;
    restart(f, 0);
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", INT64_MAX);
    check_log(f, "p7R");
    assert_true(igmp_snoop_deadline(f->s) == INT64_MAX);
    check_routers(f, "p7 pim");
    advance(f, INT64_C(1000) * 60 * 60 * 24 * 365 * 100);
    check_log(f, "");
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 0);
    check_log(f, "p7r");
}

/* RFC 4286 3.1.5, and 5: termination. */
static void
advertisement_and_termination(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(show(f, 7, IGMP_ROUTER_ADVERTISEMENT, "10.1.0.9", 60500),
                     IGMP_OK);
    check_log(f, "p7R");
    check_routers(f, "p7 mrd 60500");
    advance(f, 60499);
    f->log[0] = '\0';
    advance(f, 1);
    check_log(f, "p7r");

    show(f, 7, IGMP_ROUTER_ADVERTISEMENT, "10.1.0.9", 60500);
    f->log[0] = '\0';
    assert_int_equal(show(f, 7, IGMP_ROUTER_TERMINATION, "10.1.0.9", 0),
                     IGMP_OK);
    check_log(f, "p7r");
    show(f, 7, IGMP_ROUTER_TERMINATION, "10.1.0.9", 0);
    check_log(f, "");
    show(f, 7, IGMP_ROUTER_SOLICITATION, "10.1.0.9", 0);
    check_log(f, "");
}

/* Who goes takes all signs of its own along, and no other's. */
static void
goodbye_is_of_one_router(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9");

    ask(f, 7, &q);
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 105 * SECOND);
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.8", 50 * SECOND);
    check_log(f, "p7R");
    check_routers(f, "p7 query 255000");
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 0);
    check_log(f, "");
    check_routers(f, "p7 pim 50000");
    show(f, 8, IGMP_PIM_HELLO, "10.1.0.8", 0); /* From elsewhere. */
    check_log(f, "");
    show(f, 7, IGMP_ROUTER_TERMINATION, "10.1.0.8", 0);
    check_log(f, "p7r");
}

/* Whoever comes and goes with every frame does not make the port do so: each
 * time, all groups of the vlan are concerned. */
static void
flapping_is_slow(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;

    for (int i = 0; i < 1000; i++) {
        show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 105 * SECOND);
        show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 0);
        advance(f, 20);
    }
    for (const char *s = f->log; (s = strstr(s, "p7R")); s++) {
        n++;
    }
    assert_in_range(n, 2, 4); /* In 20 s. */
    f->log[0] = '\0';
    advance(f, 10 * SECOND);
    check_routers(f, "");
}

/* One sign that runs out is none of the others. */
static void
longest_sign_counts(void **state)
{
    struct fixture *f = *state;

    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 10 * SECOND);
    show(f, 7, IGMP_ROUTER_ADVERTISEMENT, "10.1.0.9", 60500);
    f->log[0] = '\0';
    advance(f, 10 * SECOND);
    check_log(f, "");
    check_routers(f, "p7 mrd 50500");
    advance(f, 50500);
    check_log(f, "p7r");
}

static void
many_routers_are_bounded(void **state)
{
    struct fixture *f = *state;
    char address[32];

    for (int i = 1; i < 100; i++) {
        sprintf(address, "10.1.1.%d", i);
        show(f, 7, IGMP_PIM_HELLO, address, i * SECOND);
    }
    check_log(f, "p7R");
    check_routers(f, "p7 pim 99000");
    for (int i = 1; i < 100; i++) {
        sprintf(address, "10.1.1.%d", i);
        show(f, 7, IGMP_PIM_HELLO, address, 0);
    }
    check_log(f, "p7r");
}

static void
static_router_port_stays(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9");
    struct port_id p7 = port(7);

    igmp_snoop_set_static_router(f->s, &p7, true, f->now);
    igmp_snoop_set_static_router(f->s, &p7, true, f->now);
    check_log(f, "p7R");
    check_routers(f, "p7 fixed static");
    ask(f, 7, &q); /* Learned ones merge with it. */
    check_log(f, "");
    check_routers(f, "p7 fixed query 255000");
    igmp_snoop_port_down(f->s, &p7, f->now);
    igmp_snoop_port_up(f->s, &p7, f->now);
    assert_true(igmp_snoop_is_router_port(f->s, &p7));
    check_routers(f, "p7 fixed static");
    advance(f, 1000 * SECOND);
    f->log[0] = '\0';
    ask(f, 7, &q);
    igmp_snoop_set_static_router(f->s, &p7, false, f->now);
    check_log(f, "");
    check_routers(f, "p7 query 255000");
    igmp_snoop_port_down(f->s, &p7, f->now);
    check_log(f, "p7r");
}

static void
role_makes_a_router_port(void **state)
{
    struct fixture *f = *state;
    struct port_id p7 = port(7);

    f->settings[7] = &router;
    igmp_snoop_port_up(f->s, &p7, f->now);
    check_log(f, "p7? p7R");
    check_routers(f, "p7 fixed static");
    advance(f, 1000 * SECOND);
    assert_true(igmp_snoop_is_router_port(f->s, &p7));
    f->log[0] = '\0';
    f->settings[7] = NULL;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    check_log(f, "p7r");
    f->settings[7] = &router;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    check_log(f, "p7R");
    igmp_snoop_port_down(f->s, &p7, f->now);
    check_log(f, "p7r");
}

/* The querier guard: a host's port may neither ask nor be a router's. */
static void
host_port_is_guarded(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1"),
                      proxy = query_from("0.0.0.0");
    struct igmp_querier_view view;
    struct igmp_msg query;
    uint8_t frame[256];

    f->settings[7] = &host_only;
    assert_int_equal(ask(f, 7, &q), IGMP_GUARDED);
    check_log(f, "p7!role");
    igmp_snoop_querier(f->s, &view);
    assert_true(view.ours);
    igmp_msg_decode(frame, igmp_query_encode(&q, frame, sizeof frame), &query);
    assert_int_equal(igmp_snoop_relay(f->s, &query, IGMP_GUARDED),
                     IGMP_RELAY_NONE);
    assert_int_equal(ask(f, 7, &proxy), IGMP_GUARDED);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "10.0.0.1", 1000),
                     IGMP_GUARDED);
    assert_int_equal(show(f, 7, IGMP_ROUTER_ADVERTISEMENT, "10.0.0.1", 60500),
                     IGMP_GUARDED);
    assert_int_equal(show(f, 7, IGMP_ROUTER_TERMINATION, "10.0.0.1", 0),
                     IGMP_GUARDED);
    assert_int_equal(show(f, 7, IGMP_ROUTER_SOLICITATION, "10.0.0.1", 0),
                     IGMP_OK);
    check_routers(f, "");
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_GUARDED), 5);
    join(f, 7, 1, 3, G); /* It is still a host. */
    assert_true(forwards(f, 7, NULL, G));
}

/* A port that turns into a guarded one loses what it had learned, and the
 * querier behind it is none any more. */
static void
guard_applies_to_what_was_learned(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1");

    ask(f, 7, &q);
    check_log(f, "quiet p7R");
    f->settings[7] = &host_only;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    check_log(f, "p7r");
    advance(f, 0);
    check_log(f, "querier *?");
}

static void
restored_until_it_shows_itself(void **state)
{
    struct fixture *f = *state;
    struct port_id p7 = port(7);

    igmp_snoop_restore_router_port(f->s, &p7, f->now);
    check_routers(f, "p7 restored 255000");
    show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 30 * SECOND);
    check_routers(f, "p7 pim 30000");
    igmp_snoop_restore_router_port(f->s, &p7, f->now);
    check_routers(f, "p7 pim 30000");
}

static void
signs_are_checked(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "0.0.0.0", 1000),
                     IGMP_BAD_SOURCE);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "226.2.2.2", 1000),
                     IGMP_BAD_SOURCE);
    assert_int_equal(show(f, 7, IGMP_ROUTER_ADVERTISEMENT, "0.0.0.0", 60500),
                     IGMP_BAD_SOURCE);
    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1");
    restart(f, 0);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "2001:db8::1", 1000),
                     IGMP_BAD_SOURCE);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "::", 1000), IGMP_BAD_SOURCE);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "fe80::9", 1000), IGMP_OK);
    assert_int_equal(show(f, 8, IGMP_ROUTER_ADVERTISEMENT, "fe80::9", 60500),
                     IGMP_OK);
    check_log(f, "p7R p8R");
}

static void
router_alert_may_be_required(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);
    struct igmp_msg m = report_msg(3, false, G);

    m.router_alert = false;
    assert_int_equal(igmp_snoop_input(f->s, &p2, &m, f->now), IGMP_OK);
    f->config.require_router_alert = true;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    assert_int_equal(igmp_snoop_input(f->s, &p2, &m, f->now),
                     IGMP_NO_ROUTER_ALERT);
    assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_NO_ROUTER_ALERT),
                     IGMP_RELAY_NONE);
    join(f, 2, 1, 3, G);
    assert_int_equal(show(f, 7, IGMP_PIM_HELLO, "10.1.0.9", 30 * SECOND),
                     IGMP_OK); /* PIM has no such option. */
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_NO_ROUTER_ALERT), 1);
}

/* Passing on. */

static struct igmp_msg
sign_msg(enum igmp_kind kind)
{
    struct igmp_sign sign = {.kind = kind, .ip_src = ip("10.1.0.9")};
    static uint8_t frame[256];
    struct igmp_msg m;

    assert_int_equal(
        igmp_msg_decode(frame, igmp_sign_encode(&sign, frame, sizeof frame),
                        &m),
        IGMP_OK);
    return m;
}

static void
who_must_hear_signs(void **state)
{
    static const struct {
        enum igmp_kind kind;
        enum igmp_relay relay;
    } cases[] = {
        {IGMP_ROUTER_ADVERTISEMENT, IGMP_RELAY_ALL},
        {IGMP_ROUTER_SOLICITATION, IGMP_RELAY_ROUTERS},
        {IGMP_ROUTER_TERMINATION, IGMP_RELAY_ALL},
        {IGMP_PIM_HELLO, IGMP_RELAY_NONE},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct igmp_msg m = sign_msg(cases[i].kind);

        assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_OK), cases[i].relay);
        assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_GUARDED),
                         IGMP_RELAY_NONE);
    }
}

static void
upstream_says_who_hears_reports(void **state)
{
    struct fixture *f = *state;
    struct igmp_msg m = report_msg(3, false, G);

    f->config.upstream = IGMP_UPSTREAM_RELAY;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_OK), IGMP_RELAY_ROUTERS);
    f->config.upstream = IGMP_UPSTREAM_NONE;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_OK), IGMP_RELAY_NONE);
}

/* A snooping switch upstream (the Linux bridge) prunes solicited-node groups
 * that it was not told of: who proxies must pass those on all the same, also
 * when they are one record of many. */
static void
neighbour_discovery_upstream(void **state)
{
    struct fixture *f = *state;
    struct igmp_report_record records[] = {
        {IGMP_MODE_IS_EXCLUDE, ip("ff15::2:2"), NULL, 0},
        {IGMP_MODE_IS_EXCLUDE, ip("ff02::1:ff00:2"), NULL, 0},
    };
    struct igmp_report report = {.family = IGMP_IPV6,
                                 .version = 3,
                                 .eth_src = {{2, 0, 0, 0, 0, 2}},
                                 .ip_src = ip("fe80::2"),
                                 .records = records,
                                 .n_records = 2};
    uint8_t frame[256];
    struct igmp_msg m;

    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1");
    f->config.upstream = IGMP_UPSTREAM_PROXY;
    restart(f, 0);
    igmp_msg_decode(frame, igmp_report_encode(&report, frame, sizeof frame),
                    &m);
    /* Its record is passed on: local_groups_are_passed_on(). */
    assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_OK), IGMP_RELAY_NONE);
    report.version = 2;
    report.records = &records[1];
    igmp_msg_decode(frame, igmp_report_encode(&report, frame, sizeof frame),
                    &m);
    assert_int_equal(igmp_snoop_relay(f->s, &m, IGMP_IGNORED),
                     IGMP_RELAY_ROUTERS);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pim_hello_holds_as_long_as_it_says),
        TEST(pim_hello_for_ever),
        TEST(advertisement_and_termination),
        TEST(goodbye_is_of_one_router),
        TEST(flapping_is_slow),
        TEST(longest_sign_counts),
        TEST(many_routers_are_bounded),
        TEST(static_router_port_stays),
        TEST(role_makes_a_router_port),
        TEST(host_port_is_guarded),
        TEST(guard_applies_to_what_was_learned),
        TEST(restored_until_it_shows_itself),
        TEST(signs_are_checked),
        TEST(router_alert_may_be_required),
        TEST(who_must_hear_signs),
        TEST(upstream_says_who_hears_reports),
        TEST(neighbour_discovery_upstream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
