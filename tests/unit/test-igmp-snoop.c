/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A whole vlan on a virtual clock.  Frames go in as bytes, what comes out is
 * written down as text, one word an effect:
 *
 *     p2+226.2.2.2      membership of port 2 changed and it now gets packets
 *     p2-226.2.2.2      ... and it does not
 *     p2~226.2.2.2      ... and it gets some sources
 *     p3R  p3r          port 3 is, is not a router port any more
 *     querier  quiet    we are, are not the querier any more
 *     *?                general query to all ports
 *     p2?               general query to port 2
 *     p2?226.2.2.2      group-specific, ",S1,S2" for sources, "/S" for the
 *                       S flag */

static const char A[] = "10.9.0.1", B[] = "10.9.0.2";
static const char G[] = "226.2.2.2", G2[] = "239.1.1.1";
enum { SECOND = 1000, GMI = 260 * SECOND, START = 5000 };

struct fixture {
    struct igmp_snoop *s;
    struct igmp_config config;
    int64_t now;
    char log[4096];
    struct igmp_msg sent; /* Last. */
    uint8_t sent_bytes[1600];
};

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

/* Ports 1 to 99 are of switch 1, 101 to 199 of switch 2, and so on. */
static struct port_id
port(unsigned int n)
{
    return (struct port_id){.dpid = n / 100 + 1, .port_no = n % 100};
}

static const char *
port_name(const struct port_id *id)
{
    static char name[24];

    sprintf(name, "p%llu",
            (unsigned long long) ((id->dpid - 1) * 100 + id->port_no));
    return name;
}

static void __attribute__((format(printf, 2, 3)))
note(struct fixture *f, const char *format, ...)
{
    size_t n = strlen(f->log);
    va_list args;

    if (n > sizeof f->log - 256) {
        return; /* Nobody reads that much. */
    }
    if (n) {
        f->log[n++] = ' ';
    }
    va_start(args, format);
    vsnprintf(f->log + n, sizeof f->log - n, format, args);
    va_end(args);
}

static void
membership_changed(void *f_, const struct ip_addr *group,
                   const struct port_id *id)
{
    struct fixture *f = f_;
    char buf[IP_ADDR_STRLEN];
    struct ip_addr sources[8];
    bool any = igmp_snoop_forwards(f->s, &IP_ADDR_ANY, group, id);
    bool some = false;
    size_t n = igmp_snoop_filtered_sources(f->s, group, sources, 8);

    for (size_t i = 0; i < n && i < 8; i++) {
        some |= igmp_snoop_forwards(f->s, &sources[i], group, id);
    }
    note(f, "%s%c%s", port_name(id),
         any    ? '+'
         : some ? '~'
                : '-',
         ip_addr_format(group, buf));
}

static void
router_ports_changed(void *f_, const struct port_id *id)
{
    struct fixture *f = f_;

    note(f, "%s%c", port_name(id),
         igmp_snoop_is_router_port(f->s, id) ? 'R' : 'r');
}

static void
sent(void *f_, const struct port_id *id, const void *frame, size_t size)
{
    struct fixture *f = f_;
    char text[512], buf[IP_ADDR_STRLEN];
    struct igmp_msg *m = &f->sent;

    assert_true(size <= sizeof f->sent_bytes);
    memcpy(f->sent_bytes, frame, size);
    assert_int_equal(igmp_msg_decode(f->sent_bytes, size, m), IGMP_OK);
    assert_int_equal(m->kind, IGMP_QUERY);
    assert_int_equal(m->ttl, 1);
    assert_true(m->router_alert);
    assert_true(ip_addr_equal(&m->ip_src, &f->config.address)
                || ip_addr_is_any(&f->config.address));

    size_t n = (size_t) sprintf(text, "%s?", id ? port_name(id) : "*");
    if (!ip_addr_is_any(&m->group)) {
        n += (size_t) sprintf(text + n, "%s", ip_addr_format(&m->group, buf));
    }
    for (size_t i = 0; i < m->sources.n; i++) {
        struct ip_addr a = igmp_source_at(&m->sources, i);

        n += (size_t) sprintf(text + n, ",%s", ip_addr_format(&a, buf));
    }
    note(f, "%s%s", text, m->suppress ? "/S" : "");
}

static void
querier_changed(void *f_, bool ours)
{
    struct fixture *f = f_;

    note(f, "%s", ours ? "querier" : "quiet");
}

static const struct igmp_ops ops = {membership_changed, router_ports_changed,
                                    sent, querier_changed};

static void
create(struct fixture *f, uint16_t vlan)
{
    f->s = igmp_snoop_create(vlan, &f->config, &ops, f, f->now);
}

/* Default configuration, our address 10.1.0.1, start-up burst over. */
static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->now = START;
    igmp_config_init(&f->config);
    f->config.address = ip("10.1.0.1");
    f->config.mac = (struct mac_addr){{2, 0, 0, 0, 0, 1}};
    create(f, 0);
    igmp_snoop_run(f->s, f->now);
    f->now += 40 * SECOND;
    igmp_snoop_run(f->s, f->now);
    f->log[0] = '\0';
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    igmp_snoop_destroy(f->s);
    free(f);
    return 0;
}

/* Starts anew with 'f->config', at once. */
static void
restart(struct fixture *f, uint16_t vlan)
{
    igmp_snoop_destroy(f->s);
    f->now = START;
    create(f, vlan);
    f->log[0] = '\0';
}

/* The clock goes on in steps of the deadlines, as the event loop goes. */
static void
advance(struct fixture *f, int64_t ms)
{
    int64_t end = f->now + ms;

    for (int turns = 0;; turns++) {
        int64_t next = igmp_snoop_deadline(f->s);

        assert_true(turns < 10000); /* Or it spins. */
        if (next > end) {
            break;
        }
        f->now = next > f->now ? next : f->now;
        igmp_snoop_run(f->s, f->now);
        assert_true(igmp_snoop_deadline(f->s) > f->now);
    }
    f->now = end;
    igmp_snoop_run(f->s, f->now);
}

/* What happened since the last call. */
static void
check_log(struct fixture *f, const char *want)
{
    assert_string_equal(f->log, want);
    f->log[0] = '\0';
}

static enum igmp_error
input(struct fixture *f, unsigned int from, const uint8_t *frame, size_t size)
{
    struct port_id id = port(from);
    struct igmp_msg m;

    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    return igmp_snoop_input(f->s, &id, &m, f->now);
}

/* Host n is 10.1.0.(100+n) with MAC 02:..:n. */
static struct igmp_report
report_of(unsigned int host, int version)
{
    return (struct igmp_report){.version = version,
                                .eth_src = {{2, 0, 0, 0, 0, (uint8_t) host}},
                                .ip_src = ip_addr_v4(0x0a010064u + host),
                                .n_records = 1};
}

static enum igmp_error
say(struct fixture *f, unsigned int from, const struct igmp_report *report)
{
    uint8_t frame[1600];
    size_t size = igmp_report_encode(report, frame, sizeof frame);

    assert_true(size > 0);
    return input(f, from, frame, size);
}

/* Version 1 or 2: a report; 3: TO_EX({}). */
static void
join(struct fixture *f, unsigned int from, unsigned int host, int version,
     const char *group)
{
    struct igmp_report_record record = {.type = IGMP_CHANGE_TO_EXCLUDE,
                                        .group = ip(group)};
    struct igmp_report report = report_of(host, version);

    report.records = &record;
    assert_int_equal(say(f, from, &report), IGMP_OK);
}

static void
leave(struct fixture *f, unsigned int from, unsigned int host, int version,
      const char *group)
{
    struct igmp_report_record record = {.type = IGMP_CHANGE_TO_INCLUDE,
                                        .group = ip(group)};
    struct igmp_report report = report_of(host, version);

    report.leave = true;
    report.records = &record;
    assert_int_equal(say(f, from, &report), IGMP_OK);
}

/* A record with one or two sources (NULL: none). */
static enum igmp_error
record(struct fixture *f, unsigned int from, uint8_t type, const char *group,
       const char *s1, const char *s2)
{
    struct ip_addr sources[2];
    struct igmp_report_record r = {
        .type = type, .group = ip(group), .sources = sources};
    struct igmp_report report = report_of(from, 3);

    if (s1) {
        sources[r.n_sources++] = ip(s1);
    }
    if (s2) {
        sources[r.n_sources++] = ip(s2);
    }
    report.records = &r;
    return say(f, from, &report);
}

static struct igmp_query
query_from(const char *address)
{
    return (struct igmp_query){.version = 3,
                               .eth_src = {{2, 0, 0, 0, 1, 1}},
                               .ip_src = ip(address),
                               .max_resp_ms = 10 * SECOND,
                               .qrv = 2,
                               .query_interval_ms = 125 * SECOND};
}

static enum igmp_error
ask(struct fixture *f, unsigned int from, const struct igmp_query *q)
{
    uint8_t frame[1600];
    size_t size = igmp_query_encode(q, frame, sizeof frame);

    return input(f, from, frame, size);
}

static bool
forwards(const struct fixture *f, unsigned int to, const char *source,
         const char *group)
{
    struct port_id id = port(to);
    struct ip_addr s = source ? ip(source) : IP_ADDR_ANY, g = ip(group);

    return igmp_snoop_forwards(f->s, &s, &g, &id);
}

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
    leave(f, 3, 1, 3, G); /* From another port. */
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
put_port(void *text, const struct port_id *id)
{
    strcat(strcat(text, " "), port_name(id));
    return true;
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

static struct igmp_msg
report_msg(int version, bool leaving, const char *group)
{
    static uint8_t frame[256];
    struct igmp_report_record r = {IGMP_MODE_IS_EXCLUDE, ip(group), NULL, 0};
    struct igmp_report report = report_of(1, version);
    struct igmp_msg m;

    report.leave = leaving;
    report.records = &r;
    size_t size = igmp_report_encode(&report, frame, sizeof frame);
    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    return m;
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
    *(struct igmp_port_view *) view = *v;
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
        TEST(startup_burst_then_intervals),
        TEST(queries_say_what_is_configured),
        TEST(no_querier_sends_nothing),
        TEST(lower_address_wins),
        TEST(zero_address_yields_to_any),
        TEST(other_queriers_timers_are_adopted),
        TEST(non_querier_waits_for_the_queriers_query),
        TEST(source_query_of_the_querier_is_heard),
        TEST(take_over_gives_grace),
        TEST(leave_in_grace),
        TEST(second_querier_takes_the_firsts_place),
        TEST(router_port_expires),
        TEST(who_else_must_hear),
        TEST(new_port_is_asked),
        TEST(port_down_forgets),
        TEST(restored_lives_one_interval),
        TEST(nothing_impossible_is_restored),
        TEST(config_changes_apply),
        TEST(lower_address_configured_takes_over),
        TEST(absurd_config_does_no_harm),
        TEST(views_show_the_state),
        TEST(nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
