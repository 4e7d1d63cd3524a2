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

/* The querier. */

static void
startup_burst_then_intervals(void **state)
{
    struct fixture *f = *state;

    f->config.robustness = 3;
    restart(f, 0);
    assert_true(igmp_snoop_deadline(f->s) <= f->now);
    advance(f, 0);
    check_log(f, "*?");
    for (int i = 0; i < 2; i++) {
        advance(f, 125 * SECOND / 4 - 1);
        check_log(f, "");
        advance(f, 1);
        check_log(f, "*?");
    }
    for (int i = 0; i < 3; i++) {
        advance(f, 125 * SECOND - 1);
        check_log(f, "");
        advance(f, 1);
        check_log(f, "*?");
    }
}

static void
queries_say_what_is_configured(void **state)
{
    struct fixture *f = *state;

    for (int version = 1; version <= 3; version++) {
        f->config.version = version;
        f->config.query_interval = 60 * SECOND;
        f->config.query_response_interval = 5 * SECOND;
        restart(f, 10);
        advance(f, 0);
        check_log(f, "*?");
        assert_int_equal(f->sent.version, version);
        assert_int_equal(f->sent.vlan, 10);
        assert_int_equal(ip_addr_to_v4(&f->sent.ip_src), 0x0a010001);
        assert_int_equal(ip_addr_to_v4(&f->sent.ip_dst), 0xe0000001);
        assert_memory_equal(&f->sent.eth_src, &f->config.mac, 6);
        assert_int_equal(f->sent.max_resp_ms, version == 1 ? 10000 : 5000);
        assert_int_equal(f->sent.qrv, version == 3 ? 2 : 0);
        assert_int_equal(f->sent.query_interval_ms, version == 3 ? 60000 : 0);
    }
}

static void
no_querier_sends_nothing(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);

    f->config.querier = false;
    restart(f, 0);
    igmp_snoop_port_up(f->s, &p2, f->now);
    join(f, 2, 1, 2, G);
    leave(f, 2, 1, 2, G);
    advance(f, GMI - 1);
    check_log(f, "p2+226.2.2.2");
    advance(f, 1);
    check_log(f, "p2-226.2.2.2");
}

static void
lower_address_wins(void **state)
{
    struct fixture *f = *state;
    struct igmp_query higher = query_from("10.1.0.2");
    struct igmp_query lower = query_from("9.255.255.255");
    struct igmp_querier_view q;

    assert_int_equal(ask(f, 7, &higher), IGMP_OK);
    check_log(f, "p7R"); /* A router is there all the same. */
    igmp_snoop_querier(f->s, &q);
    assert_true(q.ours);
    assert_int_equal(ip_addr_to_v4(&q.address), 0x0a010001);

    assert_int_equal(ask(f, 8, &lower), IGMP_OK);
    check_log(f, "quiet p8R");
    igmp_snoop_querier(f->s, &q);
    assert_false(q.ours);
    assert_int_equal(ip_addr_to_v4(&q.address), 0x09ffffff);
    assert_int_equal(q.port.port_no, 8);
    assert_true(q.since == f->now);
    assert_true(q.next_query == INT64_MAX);
    assert_true(q.expires == f->now + 255 * SECOND);

    advance(f, 255 * SECOND - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "querier *? p7r p8r");
    igmp_snoop_querier(f->s, &q);
    assert_true(q.ours);
    assert_true(q.since == f->now);
}

static void
zero_address_yields_to_any(void **state)
{
    struct fixture *f = *state;
    struct igmp_query other = query_from("192.168.0.1");

    f->config.address = IP_ADDR_ANY;
    restart(f, 0);
    advance(f, 0);
    check_log(f, "*?");
    assert_int_equal(ip_addr_to_v4(&f->sent.ip_src), 0);
    ask(f, 8, &other);
    check_log(f, "quiet p8R");
}

/* The other querier's own timers are in force while it is the querier. */
static void
other_queriers_timers_are_adopted(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");
    struct igmp_querier_view view;

    q.qrv = 3;
    q.query_interval_ms = 20 * SECOND;
    q.max_resp_ms = 4 * SECOND;
    ask(f, 8, &q);
    igmp_snoop_querier(f->s, &view);
    assert_int_equal(view.robustness, 3);
    assert_int_equal(view.query_interval, 20 * SECOND);
    assert_true(view.expires == f->now + 62 * SECOND);
    join(f, 2, 1, 3, G);
    f->log[0] = '\0';
    for (int i = 0; i < 3; i++) { /* It goes on asking. */
        advance(f, 20 * SECOND);
        ask(f, 8, &q);
    }
    advance(f, 4 * SECOND - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p2-226.2.2.2"); /* 3 x 20 + 4 s. */

    q.qrv = 0;
    q.query_interval_ms = 0;
    ask(f, 8, &q);
    igmp_snoop_querier(f->s, &view);
    assert_int_equal(view.robustness, 2);
    assert_int_equal(view.query_interval, 125 * SECOND);
}

static void
non_querier_waits_for_the_queriers_query(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");

    join(f, 2, 1, 3, G);
    join(f, 3, 2, 3, G);
    ask(f, 8, &q);
    f->log[0] = '\0';
    leave(f, 2, 1, 3, G);
    advance(f, 10 * SECOND);
    check_log(f, "");

    q.group = ip(G);
    q.max_resp_ms = 1000;
    q.suppress = true;
    ask(f, 8, &q); /* The S flag: no timer is touched. */
    advance(f, 10 * SECOND);
    check_log(f, "");

    q.suppress = false;
    ask(f, 8, &q);
    advance(f, 500);
    join(f, 3, 2, 3, G); /* The one that is still there answers. */
    advance(f, 1499);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p2-226.2.2.2");
    advance(f, 10 * SECOND);
    assert_true(forwards(f, 3, NULL, G));
}

/* Nor does one that has lost against us lower anything: hosts do not hear it
 * (who_else_must_hear). */
static void
losers_specific_query_is_ignored(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9");

    join(f, 2, 1, 3, G);
    q.group = ip(G);
    q.max_resp_ms = 1000;
    ask(f, 8, &q);
    advance(f, 10 * SECOND);
    check_log(f, "p2+226.2.2.2 p8R");
    assert_true(forwards(f, 2, NULL, G));
}

static void
source_query_of_the_querier_is_heard(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");
    struct ip_addr a = ip(A);

    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, B);
    ask(f, 8, &q);
    f->log[0] = '\0';
    q.group = ip(G);
    q.sources = &a;
    q.n_sources = 1;
    q.max_resp_ms = 1000;
    ask(f, 8, &q);
    advance(f, 2 * SECOND);
    check_log(f, "p2~226.2.2.2");
    assert_false(forwards(f, 2, A, G));
    assert_true(forwards(f, 2, B, G));
}

/* A forged or dying querier that told short intervals must not cost members
 * that answer us. */
static void
take_over_gives_grace(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");
    struct igmp_querier_view view;

    q.qrv = 1;
    q.query_interval_ms = 1000;
    q.max_resp_ms = 1000;
    ask(f, 8, &q);
    join(f, 2, 1, 3, G); /* For 2 s. */
    join(f, 3, 2, 3, G);
    f->log[0] = '\0';
    advance(f, 1600);
    igmp_snoop_querier(f->s, &view);
    assert_true(view.ours);
    check_log(f, "querier *? p8r");
    advance(f, 9 * SECOND);
    join(f, 2, 1, 3, G); /* Answers within our response interval. */
    check_log(f, "");
    advance(f, 100 * SECOND);
    check_log(f, "*? p3-226.2.2.2");
    assert_true(forwards(f, 2, NULL, G));
}

/* But a leave is a leave. */
static void
leave_in_grace(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");

    join(f, 2, 1, 3, G);
    ask(f, 8, &q);
    f->log[0] = '\0';
    advance(f, 255 * SECOND);
    check_log(f, "querier *? p8r");
    join(f, 2, 1, 3, G);
    leave(f, 2, 1, 3, G);
    advance(f, 2 * SECOND);
    check_log(f, "p2?226.2.2.2 p2?226.2.2.2 p2-226.2.2.2");
}

static void
second_querier_takes_the_firsts_place(void **state)
{
    struct fixture *f = *state;
    struct igmp_query first = query_from("10.0.0.1");
    struct igmp_query second = query_from("10.0.0.2");
    struct igmp_querier_view view;

    ask(f, 8, &first);
    for (int i = 0; i < 4; i++) {
        advance(f, 100 * SECOND);
        ask(f, 9, &second);
        igmp_snoop_querier(f->s, &view);
        assert_false(view.ours);
        assert_int_equal(ip_addr_to_v4(&view.address),
                         i < 2 ? 0x0a000001 : 0x0a000002);
    }
}

static void
router_port_expires(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9");
    char text[64] = "";

    f->config.querier = false;
    restart(f, 0);
    ask(f, 7, &q);
    ask(f, 8, &q);
    check_log(f, "p7R p8R");
    igmp_snoop_each_router_port(f->s, put_port, text);
    assert_string_equal(text, " p7 p8");
    advance(f, 200 * SECOND);
    ask(f, 8, &q);
    f->log[0] = '\0';
    advance(f, 54999);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p7r");
    advance(f, 200 * SECOND);
    check_log(f, "p8r");
}

static void
restored_router_port_lives_as_long(void **state)
{
    struct fixture *f = *state;
    struct port_id port = {1, 7};

    f->config.querier = false;
    restart(f, 0);
    igmp_snoop_restore_router_port(f->s, &port, f->now);
    check_log(f, "p7R");
    assert_true(igmp_snoop_is_router_port(f->s, &port));
    advance(f, 255 * SECOND - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p7r");
}

/* RFC 2236 3: a querier that has lost goes on with a last member query that it
 * has begun, and so does its member: the second query finds it. */
static void
last_member_query_is_finished(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1");
    struct igmp_querier_view view;

    join(f, 2, 1, 3, G);
    join(f, 3, 2, 3, G);
    f->log[0] = '\0';
    leave(f, 2, 1, 3, G); /* Another host is there, and the query gets lost. */
    leave(f, 3, 2, 3, G);
    check_log(f, "p2?226.2.2.2 p3?226.2.2.2");
    advance(f, 500);
    ask(f, 8, &q);
    check_log(f, "quiet p8R");
    igmp_snoop_querier(f->s, &view);
    assert_false(view.ours); /* We are quiet otherwise. */
    advance(f, 500);
    check_log(f, "p2?226.2.2.2 p3?226.2.2.2");
    assert_int_equal(ip_addr_to_v4(&f->sent.ip_src), 0x0a010001);
    advance(f, 500);
    join(f, 2, 3, 3, G);
    advance(f, 500);
    check_log(f, "p3-226.2.2.2");
    advance(f, 60 * SECOND);
    assert_true(forwards(f, 2, NULL, G));
    leave(f, 2, 3, 3, G); /* Now the other one asks. */
    advance(f, 10 * SECOND);
    check_log(f, "");
}

/* The same of sources, RFC 3376 6.6.3.2. */
static void
source_query_is_finished(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1");

    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, B);
    record(f, 2, IGMP_BLOCK_OLD_SOURCES, G, A, NULL);
    ask(f, 8, &q);
    f->log[0] = '\0';
    advance(f, SECOND);
    check_log(f, "p2?226.2.2.2,10.9.0.1");
    advance(f, SECOND);
    check_log(f, "p2~226.2.2.2");
    assert_true(forwards(f, 2, B, G));
}

/* Taken over in the midst of the other's last member query: who answers us
 * stays, whatever its timer had been lowered to. */
static void
take_over_in_the_others_query(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1");
    struct port_id p8 = port(8);

    join(f, 2, 1, 3, G);
    ask(f, 8, &q);
    q.group = ip(G);
    q.max_resp_ms = 1000;
    ask(f, 8, &q);
    advance(f, 500);
    f->log[0] = '\0';
    igmp_snoop_port_down(f->s, &p8, f->now);
    advance(f, 0);
    check_log(f, "p8r querier *?");
    advance(f, 9 * SECOND);
    join(f, 2, 1, 3, G);
    advance(f, 100 * SECOND);
    assert_true(forwards(f, 2, NULL, G));
}

static bool
falls_back(struct fixture *f)
{
    struct igmp_querier_view view;

    igmp_snoop_querier(f->s, &view);
    return view.falls_back;
}

/* RFC 3376 7.2.1, 8.12: there and back. */
static void
older_querier_makes_hosts_fall_back(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.0.0.1");
    struct igmp_querier_view view;

    ask(f, 8, &q);
    assert_false(falls_back(f));
    q.version = 2;
    ask(f, 8, &q);
    assert_true(falls_back(f));
    igmp_snoop_querier(f->s, &view);
    assert_int_equal(view.version, 2);
    q.version = 3; /* It was replaced: hosts stay with version 2 a while. */
    ask(f, 8, &q);
    assert_true(falls_back(f));
    for (int i = 0; i < 3; i++) {
        advance(f, 80 * SECOND);
        ask(f, 8, &q);
        assert_true(falls_back(f));
    }
    advance(f, 20 * SECOND);
    assert_false(falls_back(f));
}

/* One that loses, or asks for nobody (0.0.0.0), is heard by hosts behind its
 * port all the same.  A group's own query tells hosts nothing. */
static void
older_loser_makes_hosts_fall_back(void **state)
{
    struct fixture *f = *state;
    struct igmp_query loser = query_from("10.1.0.9");
    struct igmp_query proxy = query_from("0.0.0.0");

    loser.version = proxy.version = 2;
    loser.group = ip(G);
    ask(f, 8, &loser);
    assert_false(falls_back(f));
    loser.group = IP_ADDR_ANY;
    ask(f, 8, &loser);
    assert_true(falls_back(f));
    advance(f, 259 * SECOND);
    assert_true(falls_back(f));
    advance(f, SECOND);
    assert_false(falls_back(f));
    assert_int_equal(ask(f, 8, &proxy), IGMP_IGNORED);
    assert_true(falls_back(f));

    f->config.version = 2; /* As old as they: nobody falls. */
    restart(f, 0);
    ask(f, 8, &loser);
    assert_false(falls_back(f));
}

/* Between two with one address neither yields, and our own query that comes
 * back changes nothing. */
static void
own_address_is_ignored(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.1");

    assert_int_equal(ask(f, 8, &q), IGMP_BAD_SOURCE);
    check_log(f, "");
    f->config.address = IP_ADDR_ANY;
    restart(f, 0);
    q.ip_src = ip("0.0.0.0");
    assert_int_equal(ask(f, 8, &q), IGMP_IGNORED);
    check_log(f, "");
}

/* MLD, RFC 3810 7.6.2: the lower link-local address. */
static void
mld_election(void **state)
{
    struct fixture *f = *state;
    struct igmp_query higher = query_from("fe80::2");
    struct igmp_query lower = query_from("fe80::1:ffff");
    struct igmp_query ours = query_from("fe80::1:0:0:1");
    struct igmp_querier_view view;

    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1:0:0:1");
    restart(f, 0);
    advance(f, 0);
    check_log(f, "*?");
    assert_int_equal(f->sent.family, IGMP_IPV6);
    assert_int_equal(f->sent.version, 3);
    higher.ip_src = ip("fe80::1:0:0:2");
    assert_int_equal(ask(f, 7, &higher), IGMP_OK);
    check_log(f, "p7R");
    assert_int_equal(ask(f, 7, &ours), IGMP_BAD_SOURCE);
    lower.version = 2; /* MLDv1. */
    assert_int_equal(ask(f, 8, &lower), IGMP_OK);
    check_log(f, "quiet p8R");
    igmp_snoop_querier(f->s, &view);
    assert_true(ip_addr_equal(&view.address, &lower.ip_src));
    assert_true(view.falls_back);
    assert_int_equal(igmp_version_shown(IGMP_IPV6, view.version), 1);
    advance(f, 255 * SECOND);
    check_log(f, "querier *? p7r p8r");
}

static void
mld_members_are_asked_and_leave(void **state)
{
    struct fixture *f = *state;

    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1");
    restart(f, 10);
    advance(f, 0);
    f->log[0] = '\0';
    join(f, 2, 1, 3, "ff15::2:2");
    join(f, 3, 2, 2, "ff15::2:2");
    check_log(f, "p2+ff15::2:2 p3+ff15::2:2");
    leave(f, 2, 1, 3, "ff15::2:2");
    leave(f, 3, 2, 2, "ff15::2:2");
    check_log(f, "p2?ff15::2:2 p3?ff15::2:2");
    assert_int_equal(f->sent.max_resp_ms, 1000);
    assert_int_equal(f->sent.vlan, 10);
    advance(f, 2 * SECOND);
    check_log(f, "p2?ff15::2:2 p3?ff15::2:2 p2-ff15::2:2 p3-ff15::2:2");
}

/* Who must not be the querier must not make another quiet, not even by a
 * last member query from a lower address: MLD has no 0.0.0.0. */
static void
mld_without_querier_makes_nobody_quiet(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("fe80::2");

    f->config.family = IGMP_IPV6;
    f->config.address = ip("fe80::1");
    f->config.querier = false;
    f->config.upstream = IGMP_UPSTREAM_NONE;
    restart(f, 0);
    ask(f, 8, &q);
    join(f, 2, 1, 3, "ff15::2:2");
    leave(f, 2, 1, 3, "ff15::2:2");
    advance(f, 10 * SECOND);
    check_log(f, "p8R p2+ff15::2:2");
}

/* RFC 4541 2.1.1. */
static void
who_else_must_hear(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.9");
    struct igmp_msg report = report_msg(3, false, G), query;
    struct igmp_msg local = report_msg(2, false, "224.0.0.251");
    uint8_t frame[256];

    assert_int_equal(igmp_snoop_relay(f->s, &report, IGMP_OK),
                     IGMP_RELAY_ROUTERS);
    assert_int_equal(igmp_snoop_relay(f->s, &local, IGMP_IGNORED),
                     IGMP_RELAY_ROUTERS);
    assert_int_equal(igmp_snoop_relay(f->s, &report, IGMP_BAD_TTL),
                     IGMP_RELAY_NONE);

    igmp_msg_decode(frame, igmp_query_encode(&q, frame, sizeof frame), &query);
    ask(f, 8, &q); /* It loses against us. */
    assert_int_equal(igmp_snoop_relay(f->s, &query, IGMP_OK), IGMP_RELAY_NONE);
    q.ip_src = ip("10.1.0.0");
    ask(f, 8, &q);
    assert_int_equal(igmp_snoop_relay(f->s, &query, IGMP_OK), IGMP_RELAY_ALL);
    assert_int_equal(igmp_snoop_relay(f->s, &query, IGMP_BAD_SOURCE),
                     IGMP_RELAY_NONE);
}

/* Ports. */

static void
new_port_is_asked(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);

    igmp_snoop_port_up(f->s, &p2, f->now);
    check_log(f, "p2?");
    advance(f, 125 * SECOND / 4 - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "p2?");
    advance(f, 40 * SECOND);
    check_log(f, "");
}

static void
port_down_forgets(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");
    struct port_id p2 = port(2), p8 = port(8);

    join(f, 2, 1, 3, G);
    join(f, 3, 2, 3, G);
    join(f, 2, 1, 3, G2);
    record(f, 2, IGMP_ALLOW_NEW_SOURCES, "232.1.1.1", A, B);
    ask(f, 8, &q);
    f->log[0] = '\0';
    igmp_snoop_port_down(f->s, &p2, f->now);
    check_log(f, "p2-226.2.2.2 p2-239.1.1.1 p2-232.1.1.1");
    assert_int_equal(igmp_snoop_n_groups(f->s), 1);
    igmp_snoop_port_down(f->s, &p2, f->now);
    check_log(f, "");

    /* With its port the other querier is gone: no reason to wait. */
    igmp_snoop_port_down(f->s, &p8, f->now);
    check_log(f, "p8r");
    advance(f, 0);
    check_log(f, "querier *?");
}

/* Configuration. */

static void
config_changes_apply(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    f->log[0] = '\0';
    f->config.query_interval = 10 * SECOND;
    f->config.query_response_interval = SECOND;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    advance(f, 10 * SECOND);
    check_log(f, "*?");
    join(f, 2, 1, 3, G);
    advance(f, 20 * SECOND);
    check_log(f, "*? *?");
    advance(f, SECOND);
    check_log(f, "p2-226.2.2.2");
    f->config.querier = false;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    advance(f, 100 * SECOND);
    check_log(f, "quiet");
    f->config.querier = true;
    igmp_snoop_set_config(f->s, &f->config, f->now);
    advance(f, 0);
    check_log(f, "querier *?");
}

static void
lower_address_configured_takes_over(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");

    ask(f, 8, &q);
    check_log(f, "quiet p8R");
    igmp_snoop_set_config(f->s, &f->config, f->now);
    check_log(f, "");
    f->config.address = ip("10.0.0.1");
    igmp_snoop_set_config(f->s, &f->config, f->now);
    advance(f, 0);
    check_log(f, "querier *?");
}

static void
absurd_config_does_no_harm(void **state)
{
    struct fixture *f = *state;

    f->config.query_interval = 0;
    f->config.query_response_interval = -5;
    f->config.robustness = 100;
    f->config.last_member_interval = 0;
    f->config.last_member_count = 0;
    f->config.version = 77;
    restart(f, 0);
    join(f, 2, 1, 3, G);
    leave(f, 2, 1, 3, G);
    advance(f, 100);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
    f->config.query_interval = INT64_MAX;
    f->config.query_response_interval = INT64_MAX;
    f->config.last_member_interval = INT64_MAX;
    restart(f, 0);
    join(f, 2, 1, 3, G);
    leave(f, 2, 1, 3, G);
    advance(f, 1000 * SECOND);
    assert_true(forwards(f, 2, NULL, G));
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(startup_burst_then_intervals),
        TEST(queries_say_what_is_configured),
        TEST(no_querier_sends_nothing),
        TEST(lower_address_wins),
        TEST(zero_address_yields_to_any),
        TEST(other_queriers_timers_are_adopted),
        TEST(non_querier_waits_for_the_queriers_query),
        TEST(losers_specific_query_is_ignored),
        TEST(source_query_of_the_querier_is_heard),
        TEST(take_over_gives_grace),
        TEST(leave_in_grace),
        TEST(second_querier_takes_the_firsts_place),
        TEST(last_member_query_is_finished),
        TEST(source_query_is_finished),
        TEST(take_over_in_the_others_query),
        TEST(older_querier_makes_hosts_fall_back),
        TEST(older_loser_makes_hosts_fall_back),
        TEST(own_address_is_ignored),
        TEST(mld_election),
        TEST(mld_members_are_asked_and_leave),
        TEST(mld_without_querier_makes_nobody_quiet),
        TEST(router_port_expires),
        TEST(restored_router_port_lives_as_long),
        TEST(who_else_must_hear),
        TEST(new_port_is_asked),
        TEST(port_down_forgets),
        TEST(config_changes_apply),
        TEST(lower_address_configured_takes_over),
        TEST(absurd_config_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
