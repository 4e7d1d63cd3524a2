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

/* Joining and leaving. */

static void
join_is_told_once(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    check_log(f, "p2+226.2.2.2");
    assert_true(forwards(f, 2, NULL, G));
    assert_true(forwards(f, 2, A, G));
    assert_false(forwards(f, 3, NULL, G));
    assert_false(forwards(f, 2, NULL, G2));
    join(f, 2, 1, 3, G);
    join(f, 2, 2, 2, G);
    join(f, 2, 3, 1, G);
    check_log(f, "");
    assert_int_equal(igmp_snoop_n_groups(f->s), 1);
    assert_int_equal(igmp_snoop_n_members(f->s), 1);
    join(f, 3, 4, 3, G);
    check_log(f, "p3+226.2.2.2");
    assert_int_equal(igmp_snoop_n_members(f->s), 2);
}

static void
leave_takes_the_last_member_time(void **state)
{
    struct fixture *f = *state;

    for (int version = 2; version <= 3; version++) {
        join(f, 2, 1, version, G);
        join(f, 3, 2, version, G);
        f->log[0] = '\0';
        leave(f, 2, 1, version, G);
        check_log(f, "p2?226.2.2.2"); /* Only where the leave came from. */
        assert_int_equal(f->sent.max_resp_ms, 1000);
        assert_true(ip_addr_equal(&f->sent.ip_dst, &f->sent.group));
        advance(f, 999);
        check_log(f, "");
        advance(f, 1);
        check_log(f, "p2?226.2.2.2");
        advance(f, 999);
        assert_true(forwards(f, 2, NULL, G));
        check_log(f, "");
        advance(f, 1);
        check_log(f, "p2-226.2.2.2");
        assert_true(forwards(f, 3, NULL, G));
        leave(f, 3, 2, version, G);
        advance(f, 3 * SECOND);
        check_log(f, "p3?226.2.2.2 p3?226.2.2.2 p3-226.2.2.2");
        assert_int_equal(igmp_snoop_n_groups(f->s), 0);
        advance(f, GMI); /* The v2 host is forgotten. */
        f->log[0] = '\0';
    }
}

static void
another_host_behind_the_port_answers(void **state)
{
    struct fixture *f = *state;

    for (int version = 2; version <= 3; version++) {
        join(f, 2, 1, version, G);
        join(f, 2, 2, version, G);
        f->log[0] = '\0';
        leave(f, 2, 1, version, G);
        advance(f, 1900);
        check_log(f, "p2?226.2.2.2 p2?226.2.2.2");
        join(f, 2, 2, version, G);
        advance(f, 100 * SECOND);
        assert_true(forwards(f, 2, NULL, G));
        assert_false(strstr(f->log, "p2-") != NULL);
    }
}

static void
leave_of_nobody(void **state)
{
    struct fixture *f = *state;

    leave(f, 2, 1, 2, G);
    leave(f, 2, 1, 3, G);
    assert_int_equal(record(f, 2, IGMP_BLOCK_OLD_SOURCES, G, A, NULL),
                     IGMP_OK);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
    join(f, 2, 1, 3, G);
    check_log(f, "p2+226.2.2.2");
    leave(f, 3, 2, 3, G); /* From another port. */
    advance(f, 5 * SECOND);
    check_log(f, "");
    assert_true(forwards(f, 2, NULL, G));
}

static void
silent_member_expires(void **state)
{
    struct fixture *f = *state;

    for (int version = 1; version <= 3; version++) {
        join(f, 2, 1, version, G);
        advance(f, 200 * SECOND);
        join(f, 2, 1, version, G);
        advance(f, GMI - 1);
        assert_true(forwards(f, 2, NULL, G));
        f->log[0] = '\0';
        advance(f, 1);
        check_log(f, "p2-226.2.2.2");
    }
}

static void
v1_member_keeps_leaves_out(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 1, G);
    join(f, 2, 2, 2, G);
    f->log[0] = '\0';
    leave(f, 2, 2, 2, G);
    advance(f, 3 * SECOND);
    check_log(f, "");
    assert_true(forwards(f, 2, NULL, G));
}

/* Sources. */

static void
sources_wanted_and_blocked(void **state)
{
    struct fixture *f = *state;
    struct ip_addr g = ip(G), out[4];

    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, NULL);
    check_log(f, "p2~226.2.2.2");
    assert_true(forwards(f, 2, A, G));
    assert_false(forwards(f, 2, B, G));
    assert_false(forwards(f, 2, NULL, G));
    record(f, 3, IGMP_CHANGE_TO_EXCLUDE, G, B, NULL);
    check_log(f, "p3+226.2.2.2");
    assert_true(forwards(f, 3, A, G));
    assert_false(forwards(f, 3, B, G));
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, out, 4), 2);
    assert_int_equal(ip_addr_to_v4(&out[0]), 0x0a090001);
    assert_int_equal(ip_addr_to_v4(&out[1]), 0x0a090002);

    record(f, 2, IGMP_BLOCK_OLD_SOURCES, G, A, NULL);
    check_log(f, "p2?226.2.2.2,10.9.0.1");
    advance(f, 2 * SECOND);
    check_log(f, "p2?226.2.2.2,10.9.0.1 p2-226.2.2.2");
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, NULL, 0), 1);
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, B, NULL);
    check_log(f, "p3+226.2.2.2");
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, NULL, 0), 0);
    assert_true(forwards(f, 3, B, G));
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, B, NULL);
    check_log(f, ""); /* A refresh. */
}

static void
impossible_sources(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"0.0.0.0", "239.1.1.1", "127.0.0.1",
                                      "255.255.255.255", "240.0.0.1"};

    join(f, 2, 1, 3, G);
    f->log[0] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* Must not become TO_IN({}), a leave. */
        assert_int_equal(record(f, 2, IGMP_CHANGE_TO_INCLUDE, G, bad[i], NULL),
                         IGMP_BAD_SOURCE);
        assert_int_equal(record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, bad[i], NULL),
                         IGMP_BAD_SOURCE);
    }
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_BAD_SOURCE), 10);
    check_log(f, "");
    assert_int_equal(record(f, 3, IGMP_ALLOW_NEW_SOURCES, G, "0.0.0.0", A),
                     IGMP_OK);
    assert_true(forwards(f, 3, A, G));
}

static bool
put_first_port(void *text, const struct port_id *id)
{
    put_port(text, id);
    return false;
}

static void
check_receivers(const struct fixture *f, const char *source, uint64_t dpid,
                const char *want)
{
    struct ip_addr s = source ? ip(source) : IP_ADDR_ANY, g = ip(G);
    char text[1024] = "";

    igmp_snoop_each_receiver(f->s, &s, &g, dpid, put_port, text);
    assert_string_equal(text, want);
}

static void
receivers_by_source_and_switch(void **state)
{
    struct fixture *f = *state;
    struct ip_addr g = ip(G);
    char text[64] = "";

    join(f, 203, 1, 3, G);
    join(f, 104, 2, 2, G);
    join(f, 2, 3, 3, G);
    record(f, 101, IGMP_ALLOW_NEW_SOURCES, G, A, NULL);
    record(f, 5, IGMP_CHANGE_TO_EXCLUDE, G, A, NULL);
    check_receivers(f, NULL, 0, " p2 p5 p104 p203");
    check_receivers(f, A, 0, " p2 p101 p104 p203");
    check_receivers(f, B, 0, " p2 p5 p104 p203");
    check_receivers(f, A, 1, " p2");
    check_receivers(f, A, 2, " p101 p104");
    check_receivers(f, NULL, 2, " p104");
    check_receivers(f, NULL, 3, " p203");
    check_receivers(f, NULL, 4, "");
    igmp_snoop_each_receiver(f->s, &IP_ADDR_ANY, &g, 0, put_first_port, text);
    assert_string_equal(text, " p2");
}

static void
thousand_ports(void **state)
{
    struct fixture *f = *state;
    char text[16384] = "";
    struct ip_addr g = ip(G);

    for (unsigned int i = 0; i < 1000; i++) {
        join(f, i * 37 % 1000, 1, 2, G);
    }
    assert_int_equal(igmp_snoop_n_members(f->s), 1000);
    igmp_snoop_each_receiver(f->s, &IP_ADDR_ANY, &g, 0, put_port, text);
    char *at = text;
    for (unsigned int i = 0; i < 1000; i++) {
        assert_int_equal(strtoul(at + 2, &at, 10), i);
    }
    for (unsigned int i = 0; i < 1000; i++) {
        struct port_id id = port(i);

        igmp_snoop_port_down(f->s, &id, f->now);
        assert_int_equal(igmp_snoop_n_members(f->s), 999 - i);
    }
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
}

/* Reports of many records. */

static void
every_record_counts(void **state)
{
    struct fixture *f = *state;
    struct igmp_report_record records[] = {
        {IGMP_CHANGE_TO_EXCLUDE, ip("239.1.1.1"), NULL, 0},
        {7, ip("239.1.1.2"), NULL, 0}, /* Unknown type. */
        {IGMP_MODE_IS_EXCLUDE, ip("224.0.0.251"), NULL, 0},
        {IGMP_MODE_IS_EXCLUDE, ip("10.1.1.1"), NULL, 0},
        {0, ip("239.1.1.2"), NULL, 0},
        {IGMP_MODE_IS_EXCLUDE, ip("239.1.1.3"), NULL, 0},
    };
    struct igmp_report report = report_of(1, 3);

    report.records = records;
    report.n_records = sizeof records / sizeof *records;
    assert_int_equal(say(f, 2, &report), IGMP_OK);
    check_log(f, "p2+239.1.1.1 p2+239.1.1.3");
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_UNKNOWN_TYPE), 2);
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_IGNORED), 1);
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_BAD_GROUP), 1);
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_OK), 1);
    report.n_records = 0;
    assert_int_equal(say(f, 2, &report), IGMP_IGNORED);
    report.records = &records[3];
    report.n_records = 1;
    assert_int_equal(say(f, 2, &report), IGMP_BAD_GROUP);
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_OK), 1);
}

/* The same group twice: the last word holds. */
static void
same_group_twice(void **state)
{
    struct fixture *f = *state;
    struct ip_addr a = ip(A);
    struct igmp_report_record records[] = {
        {IGMP_CHANGE_TO_INCLUDE, ip(G), NULL, 0},
        {IGMP_CHANGE_TO_EXCLUDE, ip(G), NULL, 0},
        {IGMP_CHANGE_TO_EXCLUDE, ip(G), &a, 1},
    };
    struct igmp_report report = report_of(1, 3);

    report.records = records;
    report.n_records = 2;
    say(f, 2, &report);
    check_log(f, "p2+226.2.2.2");
    report.n_records = 3;
    report.eth_src.b[5] = 2;
    say(f, 3, &report);
    /* The third asks for what it would block, as the RFC's table says. */
    check_log(f, "p3+226.2.2.2 p3?226.2.2.2,10.9.0.1");
}

/* Bad input. */

static void
check_refused(struct fixture *f, const char *why, struct igmp_msg m,
              enum igmp_error want)
{
    struct port_id id = port(2);
    uint64_t before = igmp_snoop_counter(f->s, want);
    enum igmp_error got = igmp_snoop_input(f->s, &id, &m, f->now);

    if (got != want) {
        fail_msg("%s: %s, not %s", why, igmp_error_name(got),
                 igmp_error_name(want));
    }
    assert_int_equal(igmp_snoop_counter(f->s, want), before + 1);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
    assert_false(igmp_snoop_is_router_port(f->s, &id));
    check_log(f, "");
}

static void
set_ip_dst(struct igmp_msg *m, const char *dst)
{
    m->ip_dst = ip(dst);
    m->eth_dst = mac_addr_of_group(&m->ip_dst);
}

static void
bad_reports_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const sources[] = {"127.0.0.1", "224.0.0.1", "0.0.0.1",
                                          "255.255.255.255", "241.1.1.1"};
    struct igmp_msg m;

    for (int version = 1; version <= 3; version++) {
        m = report_msg(version, false, G);
        m.ttl = 2;
        check_refused(f, "ttl 2", m, IGMP_BAD_TTL);
        m.ttl = 0;
        check_refused(f, "ttl 0", m, IGMP_BAD_TTL);
        for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
            m = report_msg(version, false, G);
            m.ip_src = ip(sources[i]);
            check_refused(f, sources[i], m, IGMP_BAD_SOURCE);
        }
        m = report_msg(version, false, G);
        m.eth_src.b[0] = 1;
        check_refused(f, "multicast source MAC", m, IGMP_BAD_SOURCE);
        m = report_msg(version, false, G);
        m.eth_dst = (struct mac_addr){{2, 0, 0, 0, 0, 9}};
        check_refused(f, "unicast MAC", m, IGMP_BAD_DESTINATION);
        m = report_msg(version, false, G);
        set_ip_dst(&m, "10.1.0.1");
        check_refused(f, "unicast destination", m, IGMP_BAD_DESTINATION);
        m = report_msg(version, false, G);
        set_ip_dst(&m, "224.0.0.1");
        check_refused(f, "to all systems", m, IGMP_BAD_DESTINATION);
    }
    m = report_msg(2, true, G);
    set_ip_dst(&m, "224.0.0.22");
    check_refused(f, "leave to v3 routers", m, IGMP_BAD_DESTINATION);
}

static void
bad_groups_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"0.0.0.0", "10.1.0.9", "223.255.255.255",
                                      "240.0.0.0", "255.255.255.255"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_refused(f, bad[i], report_msg(1, false, bad[i]), IGMP_BAD_GROUP);
        check_refused(f, bad[i], report_msg(2, false, bad[i]), IGMP_BAD_GROUP);
        check_refused(f, bad[i], report_msg(2, true, bad[i]), IGMP_BAD_GROUP);
        check_refused(f, bad[i], report_msg(3, false, bad[i]), IGMP_BAD_GROUP);
    }
    for (int version = 1; version <= 3; version++) {
        check_refused(f, "link local", report_msg(version, false, "224.0.0.1"),
                      IGMP_IGNORED);
        check_refused(f, "mDNS", report_msg(version, false, "224.0.0.251"),
                      IGMP_IGNORED);
    }
}

static void
good_oddities_are_taken(void **state)
{
    struct fixture *f = *state;
    struct port_id id = port(2);
    struct igmp_msg m = report_msg(3, false, "239.255.255.250");

    m.ip_src = ip("0.0.0.0");
    assert_int_equal(igmp_snoop_input(f->s, &id, &m, f->now), IGMP_OK);
    m = report_msg(2, false, "224.0.1.1");
    m.router_alert = false;
    assert_int_equal(igmp_snoop_input(f->s, &id, &m, f->now), IGMP_OK);
    check_log(f, "p2+239.255.255.250 p2+224.0.1.1");
    m = report_msg(2, true, "224.0.1.1");
    set_ip_dst(&m, "224.0.1.1"); /* A leave to the group itself. */
    assert_int_equal(igmp_snoop_input(f->s, &id, &m, f->now), IGMP_OK);
    check_log(f, "p2?224.0.1.1");
}

static void
bad_queries_are_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[256];
    struct igmp_query q = query_from("10.1.0.9");
    struct igmp_msg good, m;

    igmp_msg_decode(frame, igmp_query_encode(&q, frame, sizeof frame), &good);
    m = good;
    m.ip_src = ip("0.0.0.0");
    check_refused(f, "proxy query", m, IGMP_IGNORED);
    m.ip_src = f->config.address;
    check_refused(f, "our own", m, IGMP_BAD_SOURCE);
    m.ip_src = ip("127.0.0.1");
    check_refused(f, "loopback", m, IGMP_BAD_SOURCE);
    m = good;
    m.ttl = 64;
    check_refused(f, "ttl 64", m, IGMP_BAD_TTL);
    m = good;
    set_ip_dst(&m, "10.1.0.1");
    check_refused(f, "unicast", m, IGMP_BAD_DESTINATION);
    m = good;
    m.group = ip("10.1.0.5");
    check_refused(f, "group", m, IGMP_BAD_GROUP);
    m = good;
    m.group = ip(G);
    set_ip_dst(&m, G2);
    check_refused(f, "group is not the destination", m, IGMP_BAD_DESTINATION);
    m = good;
    set_ip_dst(&m, G);
    check_refused(f, "general to a group", m, IGMP_BAD_DESTINATION);
}

/* Restart. */

static void
restored_lives_one_interval(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2), p3 = port(3);
    struct ip_addr g = ip(G), sources[] = {ip(B), ip(A), ip(B)};

    igmp_snoop_restore(f->s, &p2, &g, true, NULL, 0, f->now);
    igmp_snoop_restore(f->s, &p3, &g, false, sources, 3, f->now);
    check_log(f, "p2+226.2.2.2 p3~226.2.2.2");
    igmp_snoop_restore(f->s, &p2, &g, false, sources, 1, f->now); /* Known. */
    check_log(f, "");
    assert_true(forwards(f, 2, NULL, G));
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, NULL, 0), 2);
    advance(f, 100 * SECOND);
    join(f, 2, 1, 3, G);
    f->log[0] = '\0';
    advance(f, 160 * SECOND);
    assert_non_null(strstr(f->log, "p3-226.2.2.2"));
    assert_true(forwards(f, 2, NULL, G));
}

/* The switch was away, and what its hosts said meanwhile was not heard. */
static void
known_lives_until_it_was_asked(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2), p3 = port(3);
    struct ip_addr g = ip(G), source = ip(A);

    join(f, 2, 1, 3, G);
    record(f, 3, IGMP_CHANGE_TO_INCLUDE, G, A, NULL);
    advance(f, GMI - 1 * SECOND);
    igmp_snoop_restore(f->s, &p2, &g, true, NULL, 0, f->now);
    igmp_snoop_restore(f->s, &p3, &g, false, &source, 1, f->now);
    advance(f, 10 * SECOND); /* The answers may take as long. */
    assert_true(forwards(f, 2, NULL, G));
    assert_true(forwards(f, 3, A, G));
    join(f, 2, 1, 3, G);
    advance(f, 60 * SECOND);
    assert_true(forwards(f, 2, NULL, G));
    assert_false(forwards(f, 3, A, G));
}

static void
known_that_is_leaving_leaves(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);
    struct ip_addr g = ip(G);

    join(f, 2, 1, 3, G);
    leave(f, 2, 1, 3, G);
    igmp_snoop_restore(f->s, &p2, &g, true, NULL, 0, f->now);
    advance(f, 3 * SECOND);
    assert_false(forwards(f, 2, NULL, G));
}

static void
nothing_impossible_is_restored(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);
    struct ip_addr local = ip("224.0.0.5"), g = ip(G), any = ip("0.0.0.0");

    igmp_snoop_restore(f->s, &p2, &local, true, NULL, 0, f->now);
    igmp_snoop_restore(f->s, &p2, &g, false, NULL, 0, f->now);
    igmp_snoop_restore(f->s, &p2, &g, false, &any, 1, f->now);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
    check_log(f, "");
}

/* Views. */

static bool
put_group(void *text, const struct ip_addr *group)
{
    char buf[IP_ADDR_STRLEN];

    strcat(strcat(text, " "), ip_addr_format(group, buf));
    return true;
}

static bool
copy_view(void *view, const struct igmp_port_view *v)
{
    static struct igmp_host_view hosts[8]; /* Its own live no longer. */
    struct igmp_port_view *copy = view;

    assert_true(v->n_hosts <= 8);
    *copy = *v;
    if (v->n_hosts) {
        memcpy(hosts, v->hosts, v->n_hosts * sizeof *hosts);
    }
    copy->hosts = hosts;
    return true;
}

static void
views_show_the_state(void **state)
{
    struct fixture *f = *state;
    struct igmp_port_view v = {0};
    struct ip_addr g = ip(G);
    char text[64] = "";

    join(f, 2, 1, 3, G2);
    join(f, 2, 1, 2, G);
    record(f, 2, IGMP_ALLOW_NEW_SOURCES, G, A, NULL);
    igmp_snoop_each_group(f->s, put_group, text);
    assert_string_equal(text, " 239.1.1.1 226.2.2.2");
    igmp_snoop_each_port(f->s, &g, copy_view, &v);
    assert_int_equal(v.port.port_no, 2);
    assert_true(v.exclude);
    assert_int_equal(v.version, 2);
    assert_true(v.expires == f->now + GMI);
    assert_true(v.last_report == f->now);
    assert_int_equal(v.n_sources, 1);
    assert_true(v.sources[0].forward);
    assert_true(v.sources[0].expires == f->now + GMI);
    assert_int_equal(v.n_hosts, 2);
    assert_int_equal(v.hosts[0].mac.b[5], 1);
    assert_int_equal(v.hosts[0].version, 2);
    assert_true(v.hosts[0].exclude);
    assert_int_equal(ip_addr_to_v4(&v.hosts[0].ip), 0x0a010065);
    assert_int_equal(v.hosts[1].version, 3);
    assert_false(v.hosts[1].exclude);
}

static void
nothing_known(void **state)
{
    struct fixture *f = *state;
    struct ip_addr g = ip(G);
    struct igmp_port_view v = {.n_hosts = 7};
    struct port_id p = port(2);
    char text[8] = "";

    igmp_snoop_each_port(f->s, &g, copy_view, &v);
    assert_int_equal(v.n_hosts, 7);
    igmp_snoop_each_receiver(f->s, &g, &g, 0, put_port, text);
    igmp_snoop_each_group(f->s, put_group, text);
    igmp_snoop_each_router_port(f->s, put_port, text);
    assert_string_equal(text, "");
    assert_false(igmp_snoop_has_group(f->s, &g));
    assert_false(igmp_snoop_is_router_port(f->s, &p));
    igmp_snoop_port_down(f->s, &p, f->now);
    igmp_snoop_destroy(NULL);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(join_is_told_once),
        TEST(leave_takes_the_last_member_time),
        TEST(another_host_behind_the_port_answers),
        TEST(leave_of_nobody),
        TEST(silent_member_expires),
        TEST(v1_member_keeps_leaves_out),
        TEST(sources_wanted_and_blocked),
        TEST(impossible_sources),
        TEST(receivers_by_source_and_switch),
        TEST(thousand_ports),
        TEST(every_record_counts),
        TEST(same_group_twice),
        TEST(bad_reports_are_refused),
        TEST(bad_groups_are_refused),
        TEST(good_oddities_are_taken),
        TEST(bad_queries_are_refused),
        TEST(restored_lives_one_interval),
        TEST(known_lives_until_it_was_asked),
        TEST(known_that_is_leaving_leaves),
        TEST(nothing_impossible_is_restored),
        TEST(views_show_the_state),
        TEST(nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
