/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

/* Random events against a naive model: sets are bit masks, timers are arrays,
 * nothing is lazy, the rows of RFC 3376 6.4 stand as the RFC has them.  After
 * each event every state, timer, receiver list and host must be the same, and
 * membership_changed must have been called exactly for what changed.
 *
 * OFM_SEED and OFM_EVENTS repeat or lengthen a run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    GROUPS = 4,
    PORTS = 5,
    SOURCES = 6,
    HOSTS = 4,
    EVENTS = 150000,
    GMI = 260 * 1000,
    LMQT = 2 * 1000,
    ANSWERED = 10 * 1000 + 125 * 1000 / 4
};

/* One (group, port). */
struct model {
    bool exclude;
    unsigned int x, y; /* Of INCLUDE (A), A is x. */
    int64_t group_timer;
    int64_t timers[SOURCES]; /* Of x. */
    int64_t asked;           /* When it was asked who is still there. */
    int64_t v1_until, v2_until;
    struct {
        bool there, exclude;
        unsigned int set;
        int64_t seen;
    } hosts[HOSTS];
};

struct world {
    struct igmp_snoop *s;
    bool querier;
    int64_t now;
    unsigned int seed;
    struct model models[GROUPS][PORTS];
    unsigned int told[GROUPS][PORTS]; /* What was told to be forwarded. */
};

static unsigned int
pick(struct world *w, unsigned int n)
{
    return (unsigned int) rand_r(&w->seed) % n;
}

static struct ip_addr
group_addr(unsigned int g)
{
    return ip_addr_v4(0xe2010101u + g);
}

static struct ip_addr
source_addr(unsigned int s)
{
    return ip_addr_v4(0x0a090001u + s * 77);
}

static struct port_id
port_id(unsigned int p)
{
    return (struct port_id){.dpid = 1 + p % 2, .port_no = 10 - p};
}

/* The model. */

static void
set_timers(struct model *m, unsigned int set, int64_t at)
{
    for (int s = 0; s < SOURCES; s++) {
        if (set >> s & 1) {
            m->timers[s] = at;
        }
    }
}

static void
model_ask_sources(const struct world *w, struct model *m, unsigned int set)
{
    for (int s = 0; s < SOURCES && w->querier; s++) {
        if ((set & m->x) >> s & 1 && m->timers[s] > w->now + LMQT) {
            m->timers[s] = w->now + LMQT;
            m->asked = w->now;
        }
    }
}

static void
model_ask_group(const struct world *w, struct model *m)
{
    if (w->querier && m->group_timer > w->now + LMQT) {
        m->group_timer = w->now + LMQT;
        m->asked = w->now;
    }
}

static void
model_include(const struct world *w, struct model *m, uint8_t type,
              unsigned int b)
{
    unsigned int a = m->x;

    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
    case IGMP_ALLOW_NEW_SOURCES:
        m->x = a | b;
        set_timers(m, b, w->now + GMI);
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        m->exclude = true;
        m->x = a & b;
        m->y = b & ~a;
        m->group_timer = w->now + GMI;
        if (type == IGMP_CHANGE_TO_EXCLUDE) {
            model_ask_sources(w, m, a & b);
        }
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        m->x = a | b;
        set_timers(m, b, w->now + GMI);
        model_ask_sources(w, m, a & ~b);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        model_ask_sources(w, m, a & b);
        break;
    }
}

static void
model_exclude(const struct world *w, struct model *m, uint8_t type,
              unsigned int a)
{
    unsigned int x = m->x, y = m->y;

    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
    case IGMP_ALLOW_NEW_SOURCES:
        m->x = x | a;
        m->y = y & ~a;
        set_timers(m, a, w->now + GMI);
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        m->x = a & ~y;
        m->y = y & a;
        set_timers(m, a & ~x & ~y,
                   type == IGMP_MODE_IS_EXCLUDE ? w->now + GMI
                                                : m->group_timer);
        m->group_timer = w->now + GMI;
        if (type == IGMP_CHANGE_TO_EXCLUDE) {
            model_ask_sources(w, m, a & ~y);
        }
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        m->x = x | a;
        m->y = y & ~a;
        set_timers(m, a, w->now + GMI);
        model_ask_sources(w, m, x & ~a);
        model_ask_group(w, m);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        m->x = x | (a & ~y);
        set_timers(m, a & ~x & ~y, m->group_timer);
        model_ask_sources(w, m, a & ~y);
        break;
    }
}

static bool
model_exists(const struct model *m)
{
    return m->exclude || m->x;
}

static int
model_version(const struct world *w, const struct model *m)
{
    return w->now < m->v1_until ? 1 : w->now < m->v2_until ? 2 : 3;
}

/* What a host wants itself. */
static void
model_host(const struct world *w, struct model *m, uint8_t type,
           unsigned int set, unsigned int host)
{
    bool include = m->hosts[host].there && !m->hosts[host].exclude;
    bool exclude = m->hosts[host].exclude;
    unsigned int old = m->hosts[host].set;
    bool complete = m->hosts[host].seen != w->now
                    && (!m->asked || w->now - m->asked > 2 * LMQT);

    if (type == IGMP_BLOCK_OLD_SOURCES && !m->hosts[host].there) {
        return;
    }
    if (type == IGMP_MODE_IS_EXCLUDE || type == IGMP_CHANGE_TO_EXCLUDE) {
        exclude = true;
    } else if (type == IGMP_CHANGE_TO_INCLUDE
               || (type == IGMP_MODE_IS_INCLUDE && complete)) {
        exclude = false;
    } else if (type == IGMP_BLOCK_OLD_SOURCES ? include : exclude) {
        set = old & ~set;
    } else {
        set |= old;
    }
    memset(&m->hosts[host], 0, sizeof m->hosts[host]);
    if (exclude || set) {
        m->hosts[host].there = true;
        m->hosts[host].exclude = exclude;
        m->hosts[host].set = set;
        m->hosts[host].seen = w->now;
    }
}

static void
model_record(const struct world *w, struct model *m, int version, uint8_t type,
             unsigned int sources, unsigned int host)
{
    bool creates = type == IGMP_MODE_IS_EXCLUDE
                   || type == IGMP_CHANGE_TO_EXCLUDE
                   || (sources && type != IGMP_BLOCK_OLD_SOURCES);

    if (!model_exists(m) && !creates) {
        return;
    }
    if (creates || m->hosts[host].there) {
        model_host(w, m, type, sources, host);
    }
    if (type == IGMP_MODE_IS_EXCLUDE && version == 1) {
        m->v1_until = w->now + GMI;
    } else if (type == IGMP_MODE_IS_EXCLUDE && version == 2) {
        m->v2_until = w->now + GMI;
    }

    int compatibility = model_version(w, m);
    if ((compatibility < 3 && type == IGMP_BLOCK_OLD_SOURCES)
        || (compatibility == 1 && type == IGMP_CHANGE_TO_INCLUDE)) {
        return;
    }
    if (compatibility < 3 && type == IGMP_CHANGE_TO_EXCLUDE) {
        sources = 0;
    }
    if (m->exclude) {
        model_exclude(w, m, type, sources);
    } else {
        model_include(w, m, type, sources);
    }
}

static void
model_expire(const struct world *w, struct model *m)
{
    for (unsigned int s = 0; s < SOURCES; s++) {
        if (m->x >> s & 1 && m->timers[s] <= w->now) {
            m->x &= ~(1u << s);
            m->y |= m->exclude ? 1u << s : 0;
        }
    }
    if (m->exclude && m->group_timer <= w->now) {
        m->exclude = false;
        m->y = 0;
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        if (m->hosts[h].seen + GMI <= w->now) {
            memset(&m->hosts[h], 0, sizeof m->hosts[h]);
        }
    }
    if (!model_exists(m)) {
        *m = (struct model){0};
    }
}

/* Bit SOURCES stands for a source that no filter names. */
static unsigned int
model_forwards(const struct model *m)
{
    return m->exclude ? ((1u << (SOURCES + 1)) - 1) & ~m->y : m->x;
}

/* The real one. */

static unsigned int
real_forwards(const struct world *w, unsigned int g, unsigned int p)
{
    struct ip_addr group = group_addr(g), source;
    struct port_id port = port_id(p);
    unsigned int set = 0;

    for (unsigned int s = 0; s <= SOURCES; s++) {
        source = s < SOURCES ? source_addr(s) : IP_ADDR_ANY;
        set |= (unsigned int) igmp_snoop_forwards(w->s, &source, &group, &port)
               << s;
    }
    return set;
}

static unsigned int
index_of_port(const struct port_id *port)
{
    return (unsigned int) (10 - port->port_no);
}

static void
membership_changed(void *w_, const struct ip_addr *group,
                   const struct port_id *port)
{
    struct world *w = w_;
    unsigned int g = ip_addr_to_v4(group) - 0xe2010101u;
    unsigned int p = index_of_port(port);
    unsigned int now = real_forwards(w, g, p);

    assert_true(g < GROUPS && p < PORTS);
    assert_int_not_equal(now, w->told[g][p]); /* Or nothing changed. */
    w->told[g][p] = now;
}

static void
router_ports_changed(void *w, const struct port_id *port)
{
    (void) w;
    (void) port;
}

static void
sent(void *w_, const struct port_id *port, const void *frame, size_t size)
{
    struct world *w = w_;
    struct igmp_msg m;

    assert_true(w->querier);
    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    assert_true(port || ip_addr_is_any(&m.group));
}

static void
querier_changed(void *w, bool ours)
{
    (void) w;
    (void) ours;
    fail();
}

struct seen {
    const struct world *w;
    unsigned int g;
    unsigned int ports;
};

static unsigned int
index_of_source(const struct ip_addr *a)
{
    unsigned int i = (ip_addr_to_v4(a) - 0x0a090001u) / 77;

    assert_true(i < SOURCES);
    return i;
}

static void
compare_hosts(const struct igmp_port_view *v, const struct model *m)
{
    unsigned int hosts = 0;

    for (size_t i = 0; i < v->n_hosts; i++) {
        unsigned int h = v->hosts[i].mac.b[5];

        const struct igmp_host_view *host = &v->hosts[i];
        unsigned int set = 0;

        for (size_t s = 0; s < host->n_sources; s++) {
            set |= 1u << index_of_source(&host->sources[s]);
        }
        hosts |= 1u << h;
        assert_true(m->hosts[h].there);
        assert_int_equal(host->exclude, m->hosts[h].exclude);
        assert_int_equal(set, m->hosts[h].set);
        assert_true(host->last_report == m->hosts[h].seen);
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        assert_int_equal(hosts >> h & 1, m->hosts[h].there);
    }
}

static bool
compare_port(void *seen_, const struct igmp_port_view *v)
{
    struct seen *seen = seen_;
    unsigned int p = index_of_port(&v->port), x = 0, y = 0;
    const struct model *m = &seen->w->models[seen->g][p];

    seen->ports |= 1u << p;
    assert_true(model_exists(m));
    assert_int_equal(v->exclude, m->exclude);
    assert_int_equal(v->version, model_version(seen->w, m));
    for (size_t i = 0; i < v->n_sources; i++) {
        unsigned int s = index_of_source(&v->sources[i].address);

        if (v->sources[i].forward) {
            x |= 1u << s;
            assert_true(v->sources[i].expires == m->timers[s]);
        } else {
            y |= 1u << s;
        }
    }
    assert_int_equal(x, m->x);
    assert_int_equal(y, m->y);
    if (m->exclude) {
        assert_true(v->expires == m->group_timer);
    }
    compare_hosts(v, m);
    return true;
}

static bool
add_port(void *set, const struct port_id *port)
{
    *(unsigned int *) set |= 1u << index_of_port(port);
    return true;
}

static void
compare_lists(const struct world *w, unsigned int g)
{
    struct ip_addr group = group_addr(g), out[SOURCES];
    unsigned int special = 0, listed = 0;

    for (unsigned int s = 0; s <= SOURCES; s++) {
        struct ip_addr source = s < SOURCES ? source_addr(s) : IP_ADDR_ANY;
        unsigned int want = 0, got = 0, got1 = 0;

        for (unsigned int p = 0; p < PORTS; p++) {
            want |= (model_forwards(&w->models[g][p]) >> s & 1) << p;
        }
        igmp_snoop_each_receiver(w->s, &source, &group, 0, add_port, &got);
        igmp_snoop_each_receiver(w->s, &source, &group, 1, add_port, &got1);
        assert_int_equal(got, want);
        assert_int_equal(got1, want & 0x15); /* Ports 0, 2, 4. */
    }
    for (unsigned int p = 0; p < PORTS; p++) {
        const struct model *m = &w->models[g][p];

        special |= m->exclude ? m->y : m->x;
    }
    size_t n = igmp_snoop_filtered_sources(w->s, &group, out, SOURCES);
    for (size_t i = 0; i < n; i++) {
        listed |= 1u << index_of_source(&out[i]);
    }
    assert_int_equal(listed, special);
    assert_int_equal(n, __builtin_popcount(special));
}

static void
compare(struct world *w)
{
    size_t n_groups = 0, n_members = 0;

    for (unsigned int g = 0; g < GROUPS; g++) {
        struct ip_addr group = group_addr(g);
        struct seen seen = {.w = w, .g = g};
        unsigned int ports = 0;

        for (unsigned int p = 0; p < PORTS; p++) {
            const struct model *m = &w->models[g][p];

            ports |= (unsigned int) model_exists(m) << p;
            n_members += model_exists(m);
            assert_int_equal(real_forwards(w, g, p), model_forwards(m));
            assert_int_equal(w->told[g][p], model_forwards(m));
        }
        n_groups += ports != 0;
        igmp_snoop_each_port(w->s, &group, compare_port, &seen);
        assert_int_equal(seen.ports, ports);
        assert_int_equal(igmp_snoop_has_group(w->s, &group), ports != 0);
        compare_lists(w, g);
    }
    assert_int_equal(igmp_snoop_n_groups(w->s), n_groups);
    assert_int_equal(igmp_snoop_n_members(w->s), n_members);
    assert_true(igmp_snoop_deadline(w->s) > w->now);
}

/* Events. */

static size_t
list_of(struct world *w, unsigned int set, struct ip_addr *out)
{
    size_t n = 0;

    for (unsigned int i = 0, s = pick(w, SOURCES); i < SOURCES; i++, s++) {
        if (set >> s % SOURCES & 1) {
            out[n++] = source_addr(s % SOURCES);
            if (!pick(w, 8)) { /* Doubles count once. */
                out[n++] = source_addr(s % SOURCES);
            }
        }
    }
    return n;
}

static void
event_report(struct world *w)
{
    static const unsigned int masks[] = {0, 0x3f, 0x3f, 0x07, 0x21};
    unsigned int p = pick(w, PORTS), host = pick(w, HOSTS);
    struct ip_addr sources[3][2 * SOURCES];
    struct igmp_report_record records[3];
    struct igmp_report report = {
        .version = 3,
        .eth_src = {{2, 0, 0, 0, (uint8_t) p, (uint8_t) host}},
        .ip_src = ip_addr_v4(0x0a010101u + host),
        .records = records,
        .n_records = 1 + pick(w, 3)};
    struct port_id port = port_id(p);
    uint8_t frame[512];
    struct igmp_msg msg;

    if (!pick(w, 6)) {
        report.version = pick(w, 4) ? 2 : 1;
        report.n_records = 1;
        report.leave = report.version == 2 && pick(w, 2);
    }
    for (size_t i = 0; i < report.n_records; i++) {
        unsigned int g = pick(w, GROUPS);
        unsigned int set = pick(w, 64) & masks[pick(w, 5)];

        records[i] =
            (struct igmp_report_record){.type = (uint8_t) (1 + pick(w, 6)),
                                        .group = group_addr(g),
                                        .sources = sources[i]};
        if (report.version < 3) {
            records[i].type =
                report.leave ? IGMP_CHANGE_TO_INCLUDE : IGMP_MODE_IS_EXCLUDE;
            set = 0;
        }
        records[i].n_sources = list_of(w, set, sources[i]);
        model_record(w, &w->models[g][p], report.version, records[i].type, set,
                     host);
    }
    assert_int_equal(
        igmp_msg_decode(
            frame, igmp_report_encode(&report, frame, sizeof frame), &msg),
        IGMP_OK);
    assert_int_equal(igmp_snoop_input(w->s, &port, &msg, w->now), IGMP_OK);
}

static void
event_time(struct world *w)
{
    static const unsigned int steps[] = {10, 1000, 3000, 30000, 200000};
    int64_t end = w->now + pick(w, steps[pick(w, 5)]);
    int64_t next;

    while ((next = igmp_snoop_deadline(w->s)) <= end && pick(w, 50)) {
        w->now = next > w->now ? next : w->now;
        igmp_snoop_run(w->s, w->now);
    }
    w->now = end; /* Sometimes late, as event loops are. */
    igmp_snoop_run(w->s, w->now);
    for (unsigned int g = 0; g < GROUPS; g++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            model_expire(w, &w->models[g][p]);
        }
    }
}

static void
event_port_down(struct world *w)
{
    unsigned int p = pick(w, PORTS);
    struct port_id port = port_id(p);

    igmp_snoop_port_down(w->s, &port, w->now);
    for (unsigned int g = 0; g < GROUPS; g++) {
        w->models[g][p] = (struct model){0};
    }
    if (pick(w, 2)) {
        igmp_snoop_port_up(w->s, &port, w->now);
    }
}

static void
model_linger(const struct world *w, struct model *m)
{
    int64_t until = w->now + ANSWERED;

    if (m->asked && m->asked > w->now - LMQT) {
        return;
    }
    if (m->exclude && m->group_timer < until) {
        m->group_timer = until;
    }
    for (unsigned int s = 0; s < SOURCES; s++) {
        if (m->x >> s & 1 && m->timers[s] < until) {
            m->timers[s] = until;
        }
    }
}

static void
event_restore(struct world *w)
{
    unsigned int p = pick(w, PORTS), g = pick(w, GROUPS), set = pick(w, 64);
    bool exclude = pick(w, 2);
    struct port_id port = port_id(p);
    struct ip_addr group = group_addr(g), sources[2 * SOURCES];
    size_t n = list_of(w, set, sources);
    struct model *m = &w->models[g][p];

    igmp_snoop_restore(w->s, &port, &group, exclude, sources, n, w->now);
    if (model_exists(m)) {
        if (n || exclude) {
            model_linger(w, m);
        }
        return;
    }
    m->exclude = exclude;
    if (exclude) {
        m->y = set;
        m->group_timer = w->now + GMI;
    } else {
        m->x = set;
        set_timers(m, set, w->now + GMI);
    }
}

/* The other querier asks for a group, or for sources of it. */
static void
event_query(struct world *w)
{
    unsigned int g = pick(w, GROUPS), set = pick(w, 2) ? pick(w, 64) : 0;
    struct port_id port = {.dpid = 9, .port_no = 9};
    struct ip_addr sources[2 * SOURCES];
    struct igmp_query q = {.version = 3,
                           .eth_src = {{2, 0, 0, 0, 9, 9}},
                           .ip_src = ip_addr_v4(0x0a010001u),
                           .group = group_addr(g),
                           .sources = sources,
                           .n_sources = list_of(w, set, sources),
                           .max_resp_ms = 1000,
                           .suppress = !pick(w, 4),
                           .qrv = 2,
                           .query_interval_ms = 125 * 1000};
    uint8_t frame[512];
    struct igmp_msg msg;

    igmp_msg_decode(frame, igmp_query_encode(&q, frame, sizeof frame), &msg);
    assert_int_equal(igmp_snoop_input(w->s, &port, &msg, w->now), IGMP_OK);
    for (unsigned int p = 0; p < PORTS && !q.suppress; p++) {
        struct model *m = &w->models[g][p];

        w->querier = true; /* So that the model lowers its timers. */
        if (!set && m->exclude) {
            model_ask_group(w, m);
        }
        model_ask_sources(w, m, set);
        w->querier = false;
    }
}

static void
run(bool querier)
{
    static const struct igmp_ops ops = {
        .membership_changed = membership_changed,
        .router_ports_changed = router_ports_changed,
        .send = sent,
        .querier_changed = querier_changed,
    };
    const char *seed = getenv("OFM_SEED"), *n = getenv("OFM_EVENTS");
    long n_events = n ? atol(n) : EVENTS;
    struct world w = {.querier = querier,
                      .now = 1000,
                      .seed = seed ? (unsigned int) strtoul(seed, NULL, 0)
                                   : (unsigned int) time(NULL)};
    struct igmp_config config;

    print_message("OFM_SEED=%u, %ld events\n", w.seed, n_events);
    igmp_config_init(&config);
    config.querier = querier;
    config.upstream = IGMP_UPSTREAM_RELAY; /* The other querier asks. */
    w.s = igmp_snoop_create(0, &config, &ops, &w, w.now);
    igmp_snoop_run(w.s, w.now);
    for (long i = 0; i < n_events; i++) {
        unsigned int what = pick(&w, 100);

        if (what < 68) {
            event_report(&w);
        } else if (what < 92) {
            event_time(&w);
        } else if (what < 93) {
            event_port_down(&w);
        } else if (what < 94) {
            event_restore(&w);
        } else if (!querier) {
            event_query(&w);
        }
        compare(&w);
    }
    igmp_snoop_destroy(w.s);
}

static void
as_querier(void **state)
{
    (void) state;
    run(true);
}

static void
beside_another_querier(void **state)
{
    (void) state;
    run(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_querier),
        cmocka_unit_test(beside_another_querier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
