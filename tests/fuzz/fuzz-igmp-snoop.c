/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A vlan's whole life out of bytes: each starts with an opcode, what follows
 * are its arguments; see step().  Whatever comes in, in whatever order:
 *
 * - membership_changed is called for each change, and only for changes;
 * - receivers are ports that exist, in order, and are those that
 *   igmp_snoop_forwards() names;
 * - filtered sources are those that a view shows as special, each once;
 * - after igmp_snoop_run() the deadline lies ahead;
 * - what is sent parses, and not without end; general queries come from the
 *   querier, reports go to one port;
 * - router ports are told as they change, and views name the same ones;
 * - tables keep to their limits, and nothing is left after all ports went. */

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-snoop.h"
#include "lib/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

enum { PORTS = 6, GROUPS = 4, SOURCES = 8, MAX_STEPS = 200 };

struct world {
    struct igmp_snoop *s;
    struct igmp_config config;
    struct wire_reader in;
    int64_t now;
    unsigned int told[GROUPS][PORTS]; /* Bit SOURCES: any other source. */
    bool routers[PORTS];
    size_t n_sent;
};

static struct port_id
port_id(unsigned int p)
{
    return (struct port_id){.dpid = 1 + p % PORTS / 4,
                            .port_no = 1 + p % PORTS};
}

static struct ip_addr
group_addr(unsigned int g)
{
    return ip_addr_v4(0xe2010101u + g % GROUPS);
}

static struct ip_addr
source_addr(unsigned int s)
{
    return ip_addr_v4(0x0a090001u + s % SOURCES);
}

static unsigned int
forwards(const struct world *w, unsigned int g, unsigned int p)
{
    struct ip_addr group = group_addr(g);
    struct port_id port = port_id(p);
    unsigned int set = 0;

    for (unsigned int s = 0; s <= SOURCES; s++) {
        struct ip_addr source = s < SOURCES ? source_addr(s) : IP_ADDR_ANY;

        set |= (unsigned int) igmp_snoop_forwards(w->s, &source, &group, &port)
               << s;
    }
    return set;
}

static void
membership_changed(void *w_, const struct ip_addr *group,
                   const struct port_id *port)
{
    struct world *w = w_;
    unsigned int g = ip_addr_to_v4(group) - 0xe2010101u;
    unsigned int p = (unsigned int) port->port_no - 1;

    CHECK(p < PORTS);
    if (g < GROUPS) { /* Frames as they came may name others. */
        w->told[g][p] = forwards(w, g, p);
    }
}

static void
router_ports_changed(void *w_, const struct port_id *port)
{
    struct world *w = w_;

    CHECK(port->port_no - 1 < PORTS);

    bool *told = &w->routers[port->port_no - 1];
    CHECK(igmp_snoop_is_router_port(w->s, port) == !*told);
    *told = !*told;
}

static void
sent(void *w_, const struct port_id *port, const void *frame, size_t size)
{
    struct world *w = w_;
    struct igmp_querier_view q;
    struct igmp_msg m;

    igmp_snoop_querier(w->s, &q);
    CHECK(!igmp_msg_decode(frame, size, &m));
    CHECK(m.ttl == 1 && m.router_alert);
    w->n_sent++;
    if (m.kind != IGMP_QUERY) { /* Proxied. */
        CHECK(w->config.upstream == IGMP_UPSTREAM_PROXY);
        CHECK(port);
        return;
    }
    /* Beside another querier, last member queries only: those of before, or
     * for ourselves if we proxy. */
    bool to_one = !mac_addr_is_multicast(&m.eth_dst); /* In its version. */
    CHECK(q.ours || to_one || !ip_addr_is_any(&m.group));
    CHECK(m.version == w->config.version || to_one || !q.ours);
    CHECK(!m.sources.n || m.version == 3);
    CHECK(port || ip_addr_is_any(&m.group));
}

static void
querier_changed(void *w_, bool ours)
{
    struct world *w = w_;
    struct igmp_querier_view q;

    igmp_snoop_querier(w->s, &q);
    CHECK(q.ours == ours);
    CHECK(!ours || w->config.querier);
}

/* Invariants. */

struct list {
    struct port_id ports[PORTS];
    size_t n;
};

static bool
add_port(void *list_, const struct port_id *port)
{
    struct list *list = list_;

    CHECK(list->n < PORTS);
    list->ports[list->n++] = *port;
    return true;
}

static void
check_receivers(const struct world *w, const struct ip_addr *group,
                const struct ip_addr *source)
{
    struct list all = {.n = 0}, two = {.n = 0};
    size_t n = 0, n_two = 0;

    igmp_snoop_each_receiver(w->s, source, group, 0, add_port, &all);
    igmp_snoop_each_receiver(w->s, source, group, 2, add_port, &two);
    for (unsigned int p = 0; p < PORTS; p++) {
        struct port_id port = port_id(p);

        if (igmp_snoop_forwards(w->s, source, group, &port)) {
            CHECK(n < all.n && port_id_equal(&all.ports[n], &port));
            n++;
            n_two += port.dpid == 2;
        }
    }
    CHECK(n == all.n && n_two == two.n);
}

struct totals {
    const struct world *w;
    const struct ip_addr *group;
    size_t groups, members, specials;
};

static bool
check_port(void *totals_, const struct igmp_port_view *v)
{
    struct totals *t = totals_;

    CHECK(v->n_sources <= IGMP_MAX_SOURCES && v->n_hosts <= IGMP_MAX_HOSTS);
    CHECK(v->exclude || v->n_sources);
    CHECK((v->expires == INT64_MAX) == !v->exclude);
    CHECK(v->version >= 1 && v->version <= 3);
    for (size_t i = 0; i < v->n_sources; i++) {
        const struct igmp_source_view *s = &v->sources[i];

        CHECK(!i || ip_addr_compare(&s[-1].address, &s->address) < 0);
        CHECK(s->forward == (s->expires != INT64_MAX));
        CHECK(igmp_snoop_forwards(t->w->s, &s->address, t->group, &v->port)
              == s->forward);
        CHECK(v->exclude || s->forward);
        t->specials += v->exclude != s->forward;
    }
    t->members++;
    return true;
}

static bool
check_group(void *totals_, const struct ip_addr *group)
{
    struct totals *t = totals_;
    static struct ip_addr out[IGMP_MAX_SOURCES * PORTS];
    size_t members = t->members;

    t->group = group;
    t->specials = 0;
    igmp_snoop_each_port(t->w->s, group, check_port, t);
    CHECK(t->members > members);
    size_t n = igmp_snoop_filtered_sources(t->w->s, group, out,
                                           IGMP_MAX_SOURCES * PORTS);
    CHECK(n <= t->specials && !n == !t->specials);
    for (size_t i = 0; i < n; i++) {
        CHECK(!i || ip_addr_compare(&out[i - 1], &out[i]) < 0);
        check_receivers(t->w, group, &out[i]);
    }
    check_receivers(t->w, group, &IP_ADDR_ANY);
    t->groups++;
    return true;
}

static bool
check_router(void *n, const struct igmp_router_view *v)
{
    CHECK(v->sign[0] != '?');
    CHECK(v->fixed || strcmp(v->sign, "static"));
    ++*(size_t *) n;
    return true;
}

static void
check_all(const struct world *w)
{
    struct totals t = {.w = w};
    struct list routers = {.n = 0};
    size_t n_routers = 0;

    igmp_snoop_each_router_port(w->s, add_port, &routers);
    igmp_snoop_each_router(w->s, check_router, &n_routers);
    CHECK(n_routers == routers.n);
    for (size_t i = 0; i < routers.n; i++) {
        CHECK(w->routers[routers.ports[i].port_no - 1]);
    }
    for (unsigned int p = 0; p < PORTS; p++) {
        routers.n -= w->routers[p];
    }
    CHECK(!routers.n);

    igmp_snoop_each_group(w->s, check_group, &t);
    CHECK(t.groups == igmp_snoop_n_groups(w->s));
    CHECK(t.members == igmp_snoop_n_members(w->s));
    for (unsigned int g = 0; g < GROUPS; g++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            CHECK(w->told[g][p] == forwards(w, g, p));
        }
    }
}

/* Steps. */

static void
input(struct world *w, unsigned int p, const uint8_t *frame, size_t size)
{
    struct port_id port = port_id(p);
    struct igmp_msg m;

    if (!igmp_msg_decode(frame, size, &m)) {
        enum igmp_error error = igmp_snoop_input(w->s, &port, &m, w->now);

        CHECK(error < IGMP_N_ERRORS);
        CHECK(igmp_snoop_counter(w->s, error) > 0);
    }
}

static size_t
get_sources(struct world *w, struct ip_addr out[SOURCES])
{
    unsigned int set = wire_get_u8(&w->in);
    size_t n = 0;

    for (unsigned int s = 0; s < SOURCES; s++) {
        if (set >> s & 1) {
            out[n++] = source_addr(s);
        }
    }
    return n;
}

static void
step_report(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in);
    struct ip_addr sources[4][SOURCES];
    struct igmp_report_record records[4];
    struct igmp_report report = {
        .version = 1 + (int) (what % 4 > 2 ? 2 : what % 4),
        .leave = what & 0x80,
        .eth_src = {{2, 0, 0, 0, 0, (uint8_t) (what >> 4 & 7)}},
        .ip_src = ip_addr_v4(0x0a010000u + (what >> 4 & 7)),
        .records = records,
        .n_records = 1 + (what >> 2 & 3)};
    uint8_t frame[512];

    for (size_t i = 0; i < report.n_records; i++) {
        unsigned int type = wire_get_u8(&w->in);

        records[i] = (struct igmp_report_record){
            .type = (uint8_t) (type % 8),
            .group = group_addr(type >> 3),
            .sources = sources[i],
            .n_sources = get_sources(w, sources[i])};
    }
    input(w, p, frame, igmp_report_encode(&report, frame, sizeof frame));
}

static void
step_query(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in);
    struct ip_addr sources[SOURCES];
    struct igmp_query q = {.version = 1 + (int) (what % 3),
                           .eth_src = {{2, 0, 0, 0, 9, 9}},
                           .ip_src = ip_addr_v4(0x0a000000u + (what >> 4)),
                           .suppress = what & 8,
                           .sources = sources,
                           .n_sources = get_sources(w, sources),
                           .max_resp_ms = wire_get_u8(&w->in) * 100,
                           .qrv = wire_get_u8(&w->in) & 7,
                           .query_interval_ms = wire_get_u8(&w->in) * 1000};
    uint8_t frame[512];

    if (what & 4) {
        q.group = group_addr(wire_get_u8(&w->in));
    }
    input(w, p, frame, igmp_query_encode(&q, frame, sizeof frame));
}

/* A router that shows itself otherwise, or one that the operator names. */
static void
step_sign(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in);
    struct port_id port = port_id(p);
    struct igmp_sign sign = {
        .kind = (enum igmp_kind)(IGMP_ROUTER_ADVERTISEMENT + what % 4),
        .eth_src = {{2, 0, 0, 0, 9, 9}},
        .ip_src = ip_addr_v4(0x0a000000u + (what >> 4)),
        .lifetime_ms = wire_get_u8(&w->in) * 1000};
    uint8_t frame[256];

    if (what & 4) {
        igmp_snoop_set_static_router(w->s, &port, what & 8, w->now);
    } else {
        input(w, p, frame, igmp_sign_encode(&sign, frame, sizeof frame));
    }
}

static void
step_time(struct world *w, unsigned int scale)
{
    static const int64_t scales[] = {1, 20, 1000, 10000};
    int64_t end = w->now + wire_get_u8(&w->in) * scales[scale % 4];

    for (int turns = 0;; turns++) {
        int64_t next = igmp_snoop_deadline(w->s);

        if (next > end || turns == 50) {
            break;
        }
        w->now = next > w->now ? next : w->now;
        igmp_snoop_run(w->s, w->now);
        CHECK(igmp_snoop_deadline(w->s) > w->now);
    }
    w->now = end;
    igmp_snoop_run(w->s, w->now);
    CHECK(igmp_snoop_deadline(w->s) > w->now);
}

static void
step_config(struct world *w)
{
    unsigned int what = wire_get_u8(&w->in);
    struct igmp_config *c = &w->config;

    c->querier = what & 1;
    c->version = 1 + (int) (what >> 1) % 3;
    c->address =
        what & 8 ? ip_addr_v4(0x0a000000u + (what >> 4)) : IP_ADDR_ANY;
    c->robustness = 1 + wire_get_u8(&w->in) % 7;
    c->query_interval = 1 + wire_get_u8(&w->in) * 500;
    c->query_response_interval = wire_get_u8(&w->in) * 100;
    c->last_member_interval = wire_get_u8(&w->in) * 10;
    c->last_member_count = wire_get_u8(&w->in) % 5;
    c->upstream = (enum igmp_upstream)((what >> 5) % 3);
    igmp_snoop_set_config(w->s, c, w->now);
}

static void
step_restore(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in);
    struct ip_addr sources[SOURCES], group = group_addr(what >> 1);
    struct port_id port = port_id(p);
    size_t n = get_sources(w, sources);

    igmp_snoop_restore(w->s, &port, &group, what & 1, sources, n, w->now);
}

static void
step(struct world *w)
{
    unsigned int op = wire_get_u8(&w->in), arg = op >> 3;
    struct port_id port = port_id(arg);

    switch (op & 7) {
    case 0:
    case 1:
        step_report(w, arg);
        break;
    case 2:
        step_query(w, arg);
        break;
    case 3:
        step_time(w, arg);
        break;
    case 4:
        if (arg & 0x10) {
            step_sign(w, arg);
        } else {
            igmp_snoop_port_up(w->s, &port, w->now);
        }
        break;
    case 5:
        igmp_snoop_port_down(w->s, &port, w->now);
        break;
    case 6:
        if (arg & 0x10) {
            step_config(w);
        } else {
            step_restore(w, arg);
        }
        break;
    case 7: { /* A frame as it stands. */
        size_t size = wire_get_u8(&w->in);
        const uint8_t *frame = wire_take(&w->in, size);

        if (frame) {
            input(w, arg, frame, size);
        }
        break;
    }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct igmp_ops ops = {
        .membership_changed = membership_changed,
        .router_ports_changed = router_ports_changed,
        .send = sent,
        .querier_changed = querier_changed,
    };
    struct world w = {.now = 1000};

    wire_reader_init(&w.in, data, size);
    igmp_config_init(&w.config);
    w.config.address = ip_addr_v4(0x0a000008);
    w.s = igmp_snoop_create(0, &w.config, &ops, &w, w.now);
    for (int i = 0; i < MAX_STEPS && wire_left(&w.in); i++) {
        w.n_sent = 0;
        step(&w);
        CHECK(w.n_sent < 5000);
        if (i % 4 == 0) { /* A fault stays; looking for it takes time. */
            check_all(&w);
        }
    }
    check_all(&w);
    for (unsigned int p = 0; p < PORTS; p++) {
        struct port_id port = port_id(p);

        igmp_snoop_port_down(w.s, &port, w.now);
    }
    check_all(&w);
    CHECK(!igmp_snoop_n_groups(w.s) && !igmp_snoop_n_members(w.s));
    igmp_snoop_destroy(w.s);
    return 0;
}
