/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-model.h"

/* Random events against a naive model.  After each event every state, timer,
 * list of receivers and of copies, and every host must be the same, and
 * membership_changed must have been called exactly for what changed.
 *
 * Ports leave in all three modes, and some deliver by unicast; hosts speak
 * from all of them, so that they move; there are static members; all of it in
 * both families: 10^6 events, a tenth of that under sanitizers.
 *
 * OFM_SEED and OFM_EVENTS repeat or lengthen a run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static unsigned int
pick(struct world *w, unsigned int n)
{
    return (unsigned int) rand_r(&w->seed) % n;
}

/* The real one. */

static unsigned int
index_of_port(const struct port_id *port)
{
    return (unsigned int) (10 - port->port_no);
}

struct copies_aux {
    struct copies copies[PORTS];
    unsigned int s;
};

static bool
add_copy(void *aux_, const struct igmp_copy *copy)
{
    struct copies_aux *aux = aux_;
    uint8_t *set = &aux->copies[index_of_port(&copy->port)].of[aux->s];
    unsigned int bit = copy->mac.b[0] ? 1u << copy->mac.b[5] : 1u << HOSTS;

    assert_false(*set & bit); /* Each once. */
    *set |= (uint8_t) bit;
    return true;
}

static void
real_copies(const struct world *w, unsigned int g, struct copies_aux *aux)
{
    struct ip_addr group = model_group(w, g);

    memset(aux, 0, sizeof *aux);
    for (aux->s = 0; aux->s <= SOURCES; aux->s++) {
        struct ip_addr source =
            aux->s < SOURCES ? model_source(w, aux->s) : IP_ADDR_ANY;

        igmp_snoop_each_copy(w->s, &source, &group, 0, add_copy, aux);
    }
}

static void
membership_changed(void *w_, const struct ip_addr *group,
                   const struct port_id *port)
{
    struct world *w = w_;
    unsigned int g = group->b[15] - 1u, p = index_of_port(port);
    struct copies_aux now;

    assert_true(g < GROUPS && p < PORTS);
    real_copies(w, g, &now);
    if (!w->models[g][p].fixed.there && !w->is_static
        && w->ports[p].delivery == IGMP_DELIVER_MULTICAST) {
        /* Or nothing changed. */
        assert_memory_not_equal(&now.copies[p], &w->told[g][p],
                                sizeof w->told[g][p]);
    }
    w->told[g][p] = now.copies[p];
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
    unsigned int i = (a->b[15] - 7u) / 2;

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
        assert_true(m->hosts[h].filter.there);
        assert_int_equal(host->exclude, m->hosts[h].filter.exclude);
        assert_int_equal(set, m->hosts[h].filter.set);
        assert_true(host->last_report == m->hosts[h].seen);
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        assert_int_equal(hosts >> h & 1, m->hosts[h].filter.there);
    }
}

static bool
compare_port(void *seen_, const struct igmp_port_view *v)
{
    struct seen *seen = seen_;
    unsigned int p = index_of_port(&v->port), x = 0, y = 0;
    const struct model *m = &seen->w->models[seen->g][p];

    seen->ports |= 1u << p;
    assert_int_equal(v->learned, model_exists(m));
    assert_int_equal(v->fixed != NULL, m->fixed.there);
    assert_true(v->learned || v->fixed);
    assert_int_equal(v->delivery == IGMP_DELIVER_UNICAST, model_is_unicast(m));
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
compare_receivers(const struct world *w, unsigned int g)
{
    struct ip_addr group = model_group(w, g);

    for (unsigned int s = 0; s <= SOURCES; s++) {
        struct ip_addr source = s < SOURCES ? model_source(w, s) : IP_ADDR_ANY;
        unsigned int want = 0, got = 0, got1 = 0;

        for (unsigned int p = 0; p < PORTS; p++) {
            struct copies c = model_copies(&w->models[g][p]);
            struct port_id port = model_port(p);

            want |= (unsigned int) (c.of[s] != 0) << p;
            assert_int_equal(igmp_snoop_forwards(w->s, &source, &group, &port),
                             c.of[s] != 0);
        }
        igmp_snoop_each_receiver(w->s, &source, &group, 0, add_port, &got);
        igmp_snoop_each_receiver(w->s, &source, &group, 1, add_port, &got1);
        assert_int_equal(got, want);
        assert_int_equal(got1, want & 0x15); /* Ports 0, 2, 4. */
    }
}

static void
compare_specials(const struct world *w, unsigned int g)
{
    struct ip_addr group = model_group(w, g), out[SOURCES];
    unsigned int special = 0, listed = 0;
    size_t n = igmp_snoop_filtered_sources(w->s, &group, out, SOURCES);

    for (unsigned int p = 0; p < PORTS; p++) {
        special |= model_specials(&w->models[g][p]);
    }
    for (size_t i = 0; i < n; i++) {
        listed |= 1u << index_of_source(&out[i]);
    }
    assert_int_equal(listed, special);
    assert_int_equal(n, __builtin_popcount(special));
}

static void
compare_group(const struct world *w, unsigned int g)
{
    struct ip_addr group = model_group(w, g);
    struct seen seen = {.w = w, .g = g};
    unsigned int ports = 0;
    struct copies_aux real;

    real_copies(w, g, &real);
    for (unsigned int p = 0; p < PORTS; p++) {
        const struct model *m = &w->models[g][p];
        struct copies want = model_copies(m);

        ports |= (unsigned int) (model_exists(m) || m->fixed.there) << p;
        assert_memory_equal(&real.copies[p], &want, sizeof want);
        assert_memory_equal(&w->told[g][p], &want, sizeof want);
    }
    igmp_snoop_each_port(w->s, &group, compare_port, &seen);
    assert_int_equal(seen.ports, ports);
    assert_int_equal(igmp_snoop_has_group(w->s, &group), ports != 0);
    compare_receivers(w, g);
    compare_specials(w, g);
}

static bool
compare_host(void *n_, const struct igmp_known_host *h)
{
    ++*(unsigned int *) n_;
    assert_true(h->n_groups > 0);
    return true;
}

/* All groups take turns: a difference does not go away. */
static void
compare(struct world *w, long i)
{
    size_t n_groups = 0, n_members = 0, n_hosts = 0;
    unsigned int n = 0;

    for (unsigned int g = 0; g < GROUPS; g++) {
        bool any = false;

        for (unsigned int p = 0; p < PORTS; p++) {
            const struct model *m = &w->models[g][p];
            bool is = model_exists(m) || m->fixed.there;

            any |= is;
            n_members += is;
        }
        n_groups += any;
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            n_hosts += model_groups(w, h, p) > 0;
        }
    }
    compare_group(w, (unsigned int) (i % GROUPS));
    igmp_snoop_each_host(w->s, compare_host, &n);
    assert_int_equal(n, n_hosts);
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
            out[n++] = model_source(w, s % SOURCES);
            if (!pick(w, 8)) { /* Doubles count once. */
                out[n++] = model_source(w, s % SOURCES);
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
        .family = w->family,
        .version = 3,
        .eth_src = {{2, 0, 0, 0, 0, (uint8_t) host}},
        .ip_src = model_addr(w, "fe80::", 0x0a010100u, 1 + host),
        .records = records,
        .n_records = 1 + pick(w, 3)};
    struct port_id port = model_port(p);
    uint8_t frame[512];
    struct igmp_msg msg;

    if (!pick(w, 6)) {
        report.version = w->family == IGMP_IPV6 || pick(w, 4) ? 2 : 1;
        report.n_records = 1;
        report.leave = report.version == 2 && pick(w, 2);
    }
    model_arrive(w, host, p);
    for (size_t i = 0; i < report.n_records; i++) {
        unsigned int g = pick(w, GROUPS);
        unsigned int set = pick(w, 64) & masks[pick(w, 5)];

        records[i] =
            (struct igmp_report_record){.type = (uint8_t) (1 + pick(w, 6)),
                                        .group = model_group(w, g),
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
run_both(struct world *w)
{
    model_run(w);
    igmp_snoop_run(w->s, w->now);
}

static void
event_time(struct world *w)
{
    static const unsigned int steps[] = {10, 1000, 3000, 30000, 200000};
    int64_t end = w->now + pick(w, steps[pick(w, 5)]);
    int64_t next;

    while ((next = igmp_snoop_deadline(w->s)) <= end && pick(w, 50)) {
        w->now = next > w->now ? next : w->now;
        run_both(w);
    }
    w->now = end; /* Sometimes late, as event loops are. */
    run_both(w);
}

static void
event_port_down(struct world *w)
{
    unsigned int p = pick(w, PORTS);
    struct port_id port = model_port(p);

    igmp_snoop_port_down(w->s, &port, w->now);
    for (unsigned int g = 0; g < GROUPS; g++) {
        model_reset(&w->models[g][p]);
    }
    model_clean(w);
    if (pick(w, 2)) {
        igmp_snoop_port_up(w->s, &port, w->now);
    }
}

static void
model_linger(const struct world *w, struct model *m)
{
    int64_t until = w->now + ANSWERED;

    m->hidden_until = until;
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
    struct port_id port = model_port(p);
    struct ip_addr group = model_group(w, g), sources[2 * SOURCES];
    size_t n = list_of(w, set, sources);
    struct model *m = &w->models[g][p];

    igmp_snoop_restore(w->s, &port, &group, exclude, sources, n, w->now);
    if (model_exists(m)) {
        if (n || exclude) {
            model_linger(w, m);
        }
        return;
    }
    if (!n && !exclude) {
        return;
    }
    m->one_copy = true;
    m->hidden_until = w->now + ANSWERED;
    m->exclude = exclude;
    if (exclude) {
        m->y = set;
        m->group_timer = w->now + GMI;
    } else {
        m->x = set;
        model_set_timers(m, set, w->now + GMI);
    }
}

/* The operator sets a member, or takes it away. */
static void
event_static(struct world *w)
{
    unsigned int p = pick(w, PORTS), g = pick(w, GROUPS);
    struct model *m = &w->models[g][p];
    struct ip_addr group = model_group(w, g), sources[2 * SOURCES];
    struct filter f = {pick(w, 2), pick(w, 2), 1u << pick(w, SOURCES)};
    struct igmp_filter filter = {.exclude = f.exclude, .sources = sources};
    struct port_id port = model_port(p);
    bool was = m->fixed.there;

    filter.n_sources = list_of(w, f.set, sources);
    m->fixed = f;
    /* Older hosts that were not alone are asked before they are. */
    if (was && !f.there && !m->one_copy && model_is_unicast(m)
        && model_version(w, m) < 3) {
        m->one_copy = true;
        m->hidden_until =
            m->hidden_until > w->now + LMQT ? m->hidden_until : w->now + LMQT;
    }
    w->is_static = true;
    assert_true(igmp_snoop_set_static(w->s, &port, &group,
                                      f.there ? &filter : NULL, w->now));
    w->is_static = false;
}

/* The other querier asks for a group, or for sources of it. */
static void
event_query(struct world *w)
{
    unsigned int g = pick(w, GROUPS), set = pick(w, 2) ? pick(w, 64) : 0;
    struct port_id port = {.dpid = 9, .port_no = 9};
    struct ip_addr sources[2 * SOURCES];
    struct igmp_query q = {.family = w->family,
                           .version = 3,
                           .eth_src = {{2, 0, 0, 0, 9, 9}},
                           .ip_src = model_addr(w, "fe80::", 0x0a010000u, 1),
                           .group = model_group(w, g),
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

        if (!set && m->exclude) {
            model_lower_group(w, m);
        }
        model_lower_sources(w, m, set);
    }
}

static const struct igmp_port_config *
port_config(void *w_, const struct port_id *port)
{
    struct world *w = w_;
    unsigned int p = index_of_port(port);

    return p < PORTS ? &w->ports[p] : NULL;
}

static void
init_world(struct world *w)
{
    static const struct igmp_ops ops = {
        .membership_changed = membership_changed,
        .router_ports_changed = router_ports_changed,
        .send = sent,
        .querier_changed = querier_changed,
        .port_config = port_config,
    };
    struct igmp_config config;

    for (int p = 0; p < PORTS; p++) {
        w->ports[p] = igmp_port_config_default;
        w->ports[p].leave = (enum igmp_leave)(p % 3);
        w->ports[p].delivery =
            p > 2 ? IGMP_DELIVER_UNICAST : IGMP_DELIVER_MULTICAST;
        for (int g = 0; g < GROUPS; g++) {
            w->models[g][p].port = &w->ports[p];
        }
        for (int h = 0; h < HOSTS; h++) {
            w->former[h][p].port = -1;
        }
    }
    igmp_config_init(&config);
    config.family = w->family;
    config.address = model_addr(w, "fe80::", 0x0a010000u, 99);
    config.querier = w->querier;
    config.upstream = IGMP_UPSTREAM_RELAY; /* The other querier asks. */
    w->s = igmp_snoop_create(0, &config, &ops, w, w->now);
    igmp_snoop_run(w->s, w->now);
}

static void
run(enum igmp_family family, bool querier)
{
    const char *seed = getenv("OFM_SEED"), *n = getenv("OFM_EVENTS");
    long n_events = n ? atol(n) : EVENTS;
    struct world w = {.family = family,
                      .querier = querier,
                      .now = 1000,
                      .seed = seed ? (unsigned int) strtoul(seed, NULL, 0)
                                   : (unsigned int) time(NULL)};

    print_message("OFM_SEED=%u, %ld events\n", w.seed, n_events);
    init_world(&w);
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
        } else if (what < 95) {
            event_static(&w);
        } else if (!querier) {
            event_query(&w);
        }
        compare(&w, i);
    }
    igmp_snoop_destroy(w.s);
    assert_true(n || (w.n_moved > 100 && (!querier || w.n_departed > 50)));
}

static void
as_querier(void **state)
{
    (void) state;
    run(IGMP_IPV4, true);
}

static void
beside_another_querier(void **state)
{
    (void) state;
    run(IGMP_IPV4, false);
}

static void
mld_as_querier(void **state)
{
    (void) state;
    run(IGMP_IPV6, true);
}

static void
mld_beside_another_querier(void **state)
{
    (void) state;
    run(IGMP_IPV6, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_querier),
        cmocka_unit_test(beside_another_querier),
        cmocka_unit_test(mld_as_querier),
        cmocka_unit_test(mld_beside_another_querier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
