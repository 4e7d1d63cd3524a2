/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A vlan's whole life out of bytes: each starts with an opcode, what follows
 * are its arguments; see step().  Whatever comes in, in whatever order:
 *
 * - membership_changed is called for each change, and only for changes;
 * - receivers are ports that exist, in order, and are those that
 *   igmp_snoop_forwards() names, as are the ports of copies; no host gets two;
 * - a source that is not filtered is copied like one that no filter names;
 * - filtered sources are those that a view shows as special, each once;
 * - nothing is left of a host that has been silent for too long;
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

/* More than any membership interval, and hosts' time to answer. */
enum { LONGEST = 4000 * 1000 };

struct world {
    struct igmp_snoop *s;
    struct igmp_config config;
    struct wire_reader in;
    int64_t now;
    uint32_t told[GROUPS][PORTS]; /* See copies_of(). */
    struct igmp_port_config ports[PORTS];
    struct ip_prefix deny;
    int64_t role_changed; /* That of the querier. */
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
addr(const struct world *w, const char *v6, uint32_t v4, unsigned int n)
{
    struct ip_addr a = ip_addr_v4(v4 + n);

    if (w->config.family == IGMP_IPV6) {
        ip_addr_parse(v6, &a);
        a.b[15] = (uint8_t) n;
    }
    return a;
}

static struct ip_addr
group_addr(const struct world *w, unsigned int g)
{
    return addr(w, "ff05::3:0", 0xe2010100u, 1 + g % GROUPS);
}

static struct ip_addr
source_addr(const struct world *w, unsigned int s)
{
    return s == SOURCES ? IP_ADDR_ANY
                        : addr(w, "2001:db8::9:0", 0x0a090000u, 1 + s);
}

struct copies {
    const struct world *w;
    struct port_id port;
    struct mac_addr before;
    uint32_t sum;
    size_t n;
};

static bool
add_copy(void *copies_, const struct igmp_copy *copy)
{
    struct copies *c = copies_;

    if (!port_id_equal(&copy->port, &c->port)) {
        return true;
    }
    /* Sorted, so each once. */
    CHECK(!c->n || memcmp(&c->before, &copy->mac, sizeof c->before) < 0);
    c->before = copy->mac;
    c->n++;
    for (size_t i = 0; i < sizeof copy->mac.b; i++) {
        c->sum = (c->sum + copy->mac.b[i] + 1) * UINT32_C(2654435761);
    }
    return true;
}

/* What port 'p' gets of a source; 0: nothing. */
static uint32_t
copies_from(const struct world *w, unsigned int g, unsigned int p,
            const struct ip_addr *source)
{
    struct ip_addr group = group_addr(w, g);
    struct copies c = {.w = w, .port = port_id(p)};

    igmp_snoop_each_copy(w->s, source, &group, 0, add_copy, &c);
    CHECK(igmp_snoop_forwards(w->s, source, &group, &c.port) == (c.n > 0));
    return c.n ? c.sum | 1 : 0;
}

/* What it gets of all sources. */
static uint32_t
copies_of(const struct world *w, unsigned int g, unsigned int p)
{
    uint32_t sum = 0;

    for (unsigned int s = 0; s <= SOURCES; s++) {
        struct ip_addr source = source_addr(w, s);

        sum = sum * 31 + copies_from(w, g, p, &source);
    }
    return sum;
}

static void
membership_changed(void *w_, const struct ip_addr *group,
                   const struct port_id *port)
{
    struct world *w = w_;
    unsigned int p = (unsigned int) port->port_no - 1;

    CHECK(p < PORTS);
    for (unsigned int g = 0; g < GROUPS; g++) {
        struct ip_addr ours = group_addr(w, g);

        if (ip_addr_equal(&ours, group)) { /* Frames may name others. */
            w->told[g][p] = copies_of(w, g, p);
        }
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
    CHECK(q.ours || !ip_addr_is_any(&m.group)
          || !mac_addr_is_multicast(&m.eth_dst));
    CHECK(m.version == w->config.version || !q.ours
          || !mac_addr_is_multicast(&m.eth_dst));
    CHECK(!m.sources.n || m.version == 3);
    CHECK(port
          || (ip_addr_is_any(&m.group) && mac_addr_is_multicast(&m.eth_dst)));
}

static void
querier_changed(void *w_, bool ours)
{
    struct world *w = w_;
    struct igmp_querier_view q;

    igmp_snoop_querier(w->s, &q);
    CHECK(q.ours == ours);
    w->role_changed = w->now;
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
    size_t groups, members, specials, wishes;
};

static bool
check_port(void *totals_, const struct igmp_port_view *v)
{
    struct totals *t = totals_;

    CHECK(v->n_sources <= IGMP_MAX_SOURCES && v->n_hosts <= IGMP_MAX_HOSTS);
    CHECK(v->learned == (v->exclude || v->n_sources));
    CHECK(v->learned || (v->fixed && !v->n_hosts));
    CHECK((v->expires == INT64_MAX) == !v->exclude);
    CHECK(v->version >= 1 && v->version <= 3);
    for (size_t i = 0; i < v->n_sources; i++) {
        const struct igmp_source_view *s = &v->sources[i];

        CHECK(!i || ip_addr_compare(&s[-1].address, &s->address) < 0);
        CHECK(s->forward == (s->expires != INT64_MAX));
        CHECK(v->fixed || v->delivery == IGMP_DELIVER_UNICAST
              || igmp_snoop_forwards(t->w->s, &s->address, t->group, &v->port)
                     == s->forward);
        CHECK(v->exclude || s->forward);
        t->specials += v->exclude != s->forward;
    }
    for (size_t i = 0; i < v->n_hosts; i++) {
        const struct igmp_host_view *h = &v->hosts[i];

        CHECK(!i || memcmp(&h[-1].mac, &h->mac, sizeof h->mac) < 0);
        CHECK(h->exclude || h->n_sources);
        CHECK(h->last_report + LONGEST > t->w->now
              || t->w->now - t->w->role_changed < LONGEST);
        t->specials += v->delivery == IGMP_DELIVER_UNICAST ? h->n_sources : 0;
    }
    t->specials += v->fixed ? v->fixed->n_sources : 0;
    t->members++;
    t->wishes += v->n_hosts;
    return true;
}

static bool
check_host(void *n, const struct igmp_known_host *h)
{
    CHECK(h->n_groups > 0 && h->port.port_no - 1 < PORTS);
    *(size_t *) n += h->n_groups;
    return true;
}

/* What has no entry of its own is forwarded by that for any source. */
static void
check_unfiltered(const struct world *w, unsigned int g)
{
    struct ip_addr out[SOURCES], group = group_addr(w, g);
    size_t n = igmp_snoop_filtered_sources(w->s, &group, out, SOURCES);

    for (unsigned int s = 0; n <= SOURCES && s < SOURCES; s++) {
        struct ip_addr source = source_addr(w, s);
        bool filtered = false;

        for (size_t i = 0; i < n; i++) {
            filtered |= ip_addr_equal(&out[i], &source);
        }
        for (unsigned int p = 0; p < PORTS && !filtered; p++) {
            CHECK(copies_from(w, g, p, &source)
                  == copies_from(w, g, p, &IP_ADDR_ANY));
        }
    }
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
    size_t wishes = 0;
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
    igmp_snoop_each_host(w->s, check_host, &wishes);
    CHECK(wishes == t.wishes);
    for (unsigned int g = 0; g < GROUPS; g++) {
        check_unfiltered(w, g);
        for (unsigned int p = 0; p < PORTS; p++) {
            CHECK(w->told[g][p] == copies_of(w, g, p));
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
            out[n++] = source_addr(w, s);
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
        .family = w->config.family,
        .version = 1 + (int) (what % 4 > 2 ? 2 : what % 4),
        .leave = what & 0x80,
        .eth_src = {{2, 0, 0, 0, 0, (uint8_t) (what >> 4 & 7)}},
        .ip_src = addr(w, "fe80::", 0x0a010000u, what >> 4 & 7),
        .records = records,
        .n_records = 1 + (what >> 2 & 3)};
    uint8_t frame[512];

    for (size_t i = 0; i < report.n_records; i++) {
        unsigned int type = wire_get_u8(&w->in);

        records[i] = (struct igmp_report_record){
            .type = (uint8_t) (type % 8),
            .group = group_addr(w, type >> 3),
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
    struct igmp_query q = {.family = w->config.family,
                           .version = 1 + (int) (what % 3),
                           .eth_src = {{2, 0, 0, 0, 9, 9}},
                           .ip_src = addr(w, "fe80::", 0x0a000000u, what >> 4),
                           .suppress = what & 8,
                           .sources = sources,
                           .n_sources = get_sources(w, sources),
                           .max_resp_ms = wire_get_u8(&w->in) * 100,
                           .qrv = wire_get_u8(&w->in) & 7,
                           .query_interval_ms = wire_get_u8(&w->in) * 1000};
    uint8_t frame[512];

    if (what & 4) {
        q.group = group_addr(w, wire_get_u8(&w->in));
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
        .family = w->config.family,
        .kind = (enum igmp_kind)(IGMP_ROUTER_ADVERTISEMENT + what % 4),
        .eth_src = {{2, 0, 0, 0, 9, 9}},
        .ip_src = addr(w, "fe80::", 0x0a000000u, what >> 4),
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
    if (c->family == IGMP_IPV6 && c->version < 2) {
        c->version = 2; /* MLDv1. */
    }
    c->address = what & 8 || c->family == IGMP_IPV6
                     ? addr(w, "fe80::", 0x0a000000u, what >> 4)
                     : IP_ADDR_ANY;
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
    struct ip_addr sources[SOURCES], group = group_addr(w, what >> 1);
    struct port_id port = port_id(p);
    size_t n = get_sources(w, sources);

    igmp_snoop_restore(w->s, &port, &group, what & 1, sources, n, w->now);
}

/* A host of a restored membership, or a static member. */
static void
step_member(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in);
    struct ip_addr sources[SOURCES], group = group_addr(w, what >> 1);
    struct port_id port = port_id(p);
    struct mac_addr mac = {{2, 0, 0, 0, 0, (uint8_t) (what >> 4 & 7)}};
    struct igmp_filter filter = {.exclude = what & 1, .sources = sources};

    filter.n_sources = get_sources(w, sources);
    if (what & 8) {
        igmp_snoop_restore_host(w->s, &port, &group, &mac, filter.exclude,
                                sources, filter.n_sources, w->now);
    } else {
        igmp_snoop_set_static(w->s, &port, &group,
                              what & 0x80 ? NULL : &filter, w->now);
    }
}

static void
step_settings(struct world *w, unsigned int p)
{
    unsigned int what = wire_get_u8(&w->in), more = wire_get_u8(&w->in);
    struct igmp_port_config *c = &w->ports[p % PORTS];

    c->leave = (enum igmp_leave)(what % 3);
    c->delivery = (enum igmp_delivery)((what >> 2) % 3);
    c->role = (enum igmp_role)((what >> 4) % 3);
    c->unicast_max = more & 3;
    c->max_groups = more >> 2 & 3;
    c->max_hosts = more >> 4 & 3;
    c->replace = what & 0x80;
    c->deny = &w->deny;
    c->n_deny = more >> 7;
    w->deny.addr = group_addr(w, more);
    w->deny.len = 128;
    igmp_snoop_set_config(w->s, &w->config, w->now);
}

static const struct igmp_port_config *
port_config(void *w_, const struct port_id *port)
{
    struct world *w = w_;

    CHECK(port->port_no - 1 < PORTS);
    return &w->ports[port->port_no - 1];
}

static void
step(struct world *w)
{
    unsigned int op = wire_get_u8(&w->in), arg = op >> 3;
    struct port_id port = port_id(arg);

    switch (op & 7) {
    case 0:
        step_report(w, arg);
        break;
    case 1:
        if (arg & 0x10) {
            step_member(w, arg);
        } else {
            step_report(w, arg);
        }
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
        if (arg & 0x10) {
            step_settings(w, arg);
        } else {
            igmp_snoop_port_down(w->s, &port, w->now);
        }
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
        .port_config = port_config,
    };
    struct world w = {.now = 1000};

    wire_reader_init(&w.in, data, size);
    igmp_config_init(&w.config);
    w.config.family = size && data[size - 1] & 0x80 ? IGMP_IPV6 : IGMP_IPV4;
    w.config.address = addr(&w, "fe80::", 0x0a000000, 8);
    for (unsigned int p = 0; p < PORTS; p++) {
        w.ports[p] = igmp_port_config_default;
        w.deny.len = 128;
    }
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

        for (unsigned int g = 0; g < GROUPS; g++) {
            struct ip_addr group = group_addr(&w, g);

            igmp_snoop_set_static(w.s, &port, &group, NULL, w.now);
        }
        igmp_snoop_port_down(w.s, &port, w.now);
    }
    check_all(&w);
    CHECK(!igmp_snoop_n_groups(w.s) && !igmp_snoop_n_members(w.s));
    igmp_snoop_destroy(w.s);
    return 0;
}
