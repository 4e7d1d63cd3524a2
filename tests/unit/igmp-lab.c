/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

/* Ports 1 to 99 are of switch 1, 101 to 199 of switch 2, and so on. */
struct port_id
port(unsigned int n)
{
    return (struct port_id){.dpid = n / 100 + 1, .port_no = n % 100};
}

const char *
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

/* Appends what a report says to 'text'. */
static void
put_report(char *text, const struct igmp_msg *m)
{
    static const char *const types[] = {"",      "IS_IN", "IS_EX", "TO_IN",
                                        "TO_EX", "ALLOW", "BLOCK"};
    struct igmp_record_cursor c;
    struct igmp_record r;
    char buf[IP_ADDR_STRLEN];
    const char *before = "", *end = text + 400;

    if (m->kind != IGMP_V3_REPORT) {
        sprintf(text, "%s:%s",
                m->kind == IGMP_V2_LEAVE ? "leave"
                : m->version == 1        ? "v1"
                                         : "v2",
                ip_addr_format(&m->group, buf));
        return;
    }
    igmp_record_first(&c, m);
    while (igmp_record_next(&c, &r) && text < end) {
        text += sprintf(text, "%s%s:%s", before, types[r.type],
                        ip_addr_format(&r.group, buf));
        for (size_t i = 0; i < r.sources.n && i < 4; i++) {
            struct ip_addr a = igmp_source_at(&r.sources, i);

            text += sprintf(text, ",%s", ip_addr_format(&a, buf));
        }
        before = "|";
    }
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
    assert_int_equal(m->ttl, 1);
    assert_true(m->router_alert);
    if (!ip_addr_is_any(&m->ip_src)) {
        assert_true(ip_addr_equal(&m->ip_src, &f->config.address));
    }

    f->n_sent++;
    if (m->kind != IGMP_QUERY) {
        put_report(text + sprintf(text, "%s!", port_name(id)), m);
        note(f, "%s", text);
        return;
    }
    size_t n = (size_t) sprintf(text, "%s?", id ? port_name(id) : "*");
    if (!ip_addr_is_any(&m->group)) {
        n += (size_t) sprintf(text + n, "%s", ip_addr_format(&m->group, buf));
    }
    for (size_t i = 0; i < m->sources.n; i++) {
        struct ip_addr a = igmp_source_at(&m->sources, i);

        n += (size_t) sprintf(text + n, ",%s", ip_addr_format(&a, buf));
    }
    if (!mac_addr_is_multicast(&m->eth_dst)) {
        sprintf(text + n, "@%d", m->eth_dst.b[5]);
    }
    note(f, "%s%s", text, m->suppress ? "/S" : "");
}

static void
querier_changed(void *f_, bool ours)
{
    struct fixture *f = f_;

    note(f, "%s", ours ? "querier" : "quiet");
}

static const struct igmp_port_config *
port_config(void *f_, const struct port_id *id)
{
    struct fixture *f = f_;

    return id->port_no < 16 ? f->settings[id->port_no] : NULL;
}

static void
guarded(void *f_, const struct port_id *id,
        const struct igmp_guard_event *event)
{
    note(f_, "%s!%s%s", port_name(id), event->watermark ? "!" : "",
         igmp_guard_name(event->guard));
}

static void
host_moved(void *f_, const struct igmp_move *move)
{
    char from[24];

    strcpy(from, port_name(&move->from));
    note(f_, "h%d:%s>%s:%d", move->mac.b[5], from, port_name(&move->to),
         (int) move->n_groups);
}

static const struct igmp_ops ops = {
    .membership_changed = membership_changed,
    .router_ports_changed = router_ports_changed,
    .send = sent,
    .querier_changed = querier_changed,
    .port_config = port_config,
    .guarded = guarded,
    .host_moved = host_moved,
};

static void
create(struct fixture *f, uint16_t vlan)
{
    f->s = igmp_snoop_create(vlan, &f->config, &ops, f, f->now);
}

/* Default configuration, our address 10.1.0.1, start-up burst over. */
int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->now = START;
    igmp_config_init(&f->config);
    f->config.address = ip("10.1.0.1");
    f->config.mac = (struct mac_addr){{2, 0, 0, 0, 0, 1}};
    f->config.upstream = IGMP_UPSTREAM_RELAY;
    create(f, 0);
    igmp_snoop_run(f->s, f->now);
    f->now += 40 * SECOND;
    igmp_snoop_run(f->s, f->now);
    f->log[0] = '\0';
    *state = f;
    return 0;
}

int
teardown(void **state)
{
    struct fixture *f = *state;

    igmp_snoop_destroy(f->s);
    free(f);
    return 0;
}

/* Starts anew with 'f->config', at once. */
void
restart(struct fixture *f, uint16_t vlan)
{
    igmp_snoop_destroy(f->s);
    f->now = START;
    create(f, vlan);
    f->log[0] = '\0';
}

/* The clock goes on in steps of the deadlines, as the event loop goes. */
void
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
void
check_log(struct fixture *f, const char *want)
{
    assert_string_equal(f->log, want);
    f->log[0] = '\0';
}

enum igmp_error
input(struct fixture *f, unsigned int from, const uint8_t *frame, size_t size)
{
    struct port_id id = port(from);
    struct igmp_msg m;

    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    return igmp_snoop_input(f->s, &id, &m, f->now);
}

/* Host n is 10.1.0.(100+n) with MAC 02:..:n. */
struct igmp_report
report_of(unsigned int host, int version)
{
    return (struct igmp_report){.version = version,
                                .eth_src = {{2, 0, 0, 0, 0, (uint8_t) host}},
                                .ip_src = ip_addr_v4(0x0a010064u + host),
                                .n_records = 1};
}

enum igmp_error
say(struct fixture *f, unsigned int from, const struct igmp_report *report)
{
    uint8_t frame[1600];
    struct igmp_report r = *report;

    if (f->config.family == IGMP_IPV6 && ip_addr_is_v4(&r.ip_src)) {
        r.family = IGMP_IPV6;
        r.ip_src = (struct ip_addr){{0xfe, 0x80, [15] = r.ip_src.b[15]}};
    }
    size_t size = igmp_report_encode(&r, frame, sizeof frame);
    assert_true(size > 0);
    return input(f, from, frame, size);
}

/* Version 1 or 2: a report; 3: TO_EX({}). */
void
join(struct fixture *f, unsigned int from, unsigned int host, int version,
     const char *group)
{
    struct igmp_report_record record = {.type = IGMP_CHANGE_TO_EXCLUDE,
                                        .group = ip(group)};
    struct igmp_report report = report_of(host, version);

    report.records = &record;
    assert_int_equal(say(f, from, &report), IGMP_OK);
}

void
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

/* Of a host that only this port has. */
enum igmp_error
record(struct fixture *f, unsigned int from, uint8_t type, const char *group,
       const char *s1, const char *s2)
{
    return tell(f, from, 50 + from % 100, type, group, s1, s2);
}

enum igmp_error
tell(struct fixture *f, unsigned int from, unsigned int host, uint8_t type,
     const char *group, const char *s1, const char *s2)
{
    struct ip_addr sources[2];
    struct igmp_report_record r = {
        .type = type, .group = ip(group), .sources = sources};
    struct igmp_report report = report_of(host, 3);

    if (s1) {
        sources[r.n_sources++] = ip(s1);
    }
    if (s2) {
        sources[r.n_sources++] = ip(s2);
    }
    report.records = &r;
    return say(f, from, &report);
}

struct igmp_query
query_from(const char *address)
{
    struct ip_addr a = ip(address);

    return (struct igmp_query){.family =
                                   ip_addr_is_v4(&a) ? IGMP_IPV4 : IGMP_IPV6,
                               .version = 3,
                               .eth_src = {{2, 0, 0, 0, 1, 1}},
                               .ip_src = a,
                               .max_resp_ms = 10 * SECOND,
                               .qrv = 2,
                               .query_interval_ms = 125 * SECOND};
}

enum igmp_error
ask(struct fixture *f, unsigned int from, const struct igmp_query *q)
{
    uint8_t frame[1600];
    size_t size = igmp_query_encode(q, frame, sizeof frame);

    return input(f, from, frame, size);
}

bool
forwards(const struct fixture *f, unsigned int to, const char *source,
         const char *group)
{
    struct port_id id = port(to);
    struct ip_addr s = source ? ip(source) : IP_ADDR_ANY, g = ip(group);

    return igmp_snoop_forwards(f->s, &s, &g, &id);
}

bool
put_port(void *text, const struct port_id *id)
{
    strcat(strcat(text, " "), port_name(id));
    return true;
}

struct igmp_msg
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

static bool
put_copy(void *text, const struct igmp_copy *copy)
{
    put_port(text, &copy->port);
    if (copy->mac.b[0]) {
        sprintf(strchr(text, '\0'), "@%d", copy->mac.b[5]);
    }
    return true;
}

void
check_copies(const struct fixture *f, const char *source, const char *group,
             const char *want)
{
    struct ip_addr s = source ? ip(source) : IP_ADDR_ANY, g = ip(group);
    char text[1024] = "";

    igmp_snoop_each_copy(f->s, &s, &g, 0, put_copy, text);
    assert_string_equal(text, want);
}
