/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-world.h"

/* Hosts, routers and links.  Behind odd ports hosts speak IGMPv2 and MLDv1,
 * behind even ones IGMPv3 and MLDv2. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-msg.h"
#include "lib/xalloc.h"

/* One host's interest in one group. */
struct host {
    int sw, v, g;
    uint32_t port;
    int number;
};

static struct model_filter *
filter_of(struct sim_world *w, const struct host *h)
{
    return &w->model.filters[h->sw][h->v][h->g][h->port][h->number];
}

static struct ip_addr
address_of(const struct host *h)
{
    char text[IP_ADDR_STRLEN];
    struct ip_addr a;

    snprintf(text, sizeof text,
             h->g < MODEL_V4_GROUPS ? "10.1.%d.%d" : "fe80::%d:%d",
             h->sw + 2 * h->number, (int) h->port);
    assert_true(ip_addr_parse(text, &a));
    return a;
}

static void
report(struct sim_world *w, const struct host *h,
       const struct igmp_report_record *records, size_t n, bool leave)
{
    struct igmp_report report = {
        .family = h->g < MODEL_V4_GROUPS ? IGMP_IPV4 : IGMP_IPV6,
        .version = h->port % 2 ? 2 : 3,
        .leave = leave,
        .eth_src = model_mac(h->sw, h->port, h->number),
        .vlan = model_vlans[h->v],
        .ip_src = address_of(h),
        .records = records,
        .n_records = n,
    };
    uint8_t frame[512];
    size_t size = igmp_report_encode(&report, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(w->net.switches[h->sw].fake, h->port, frame, size, NULL,
                       NULL);
}

struct record {
    struct igmp_report_record record;
    struct ip_addr sources[2];
};

static size_t
make_record(struct record *r, const struct host *h, uint8_t type,
            unsigned int sources)
{
    r->record = (struct igmp_report_record){
        .type = type, .group = model_group(h->g), .sources = r->sources};
    for (int i = 0; i < 2; i++) {
        if (sources & 1U << i) {
            r->sources[r->record.n_sources++] =
                model_source(&r->record.group, i);
        }
    }
    return r->record.n_sources;
}

/* RFC 3376 5.1. */
static void
say_change(struct sim_world *w, const struct host *h,
           const struct model_filter *old)
{
    const struct model_filter *new = filter_of(w, h);
    struct igmp_report_record records[2];
    struct record r[2];
    size_t n = 0;

    if (h->port % 2 || old->exclude != new->exclude) {
        make_record(&r[0], h,
                    new->exclude ? IGMP_CHANGE_TO_EXCLUDE
                                 : IGMP_CHANGE_TO_INCLUDE,
                    new->sources);
        report(w, h, &r[0].record, 1, !new->exclude);
        return;
    }
    unsigned int more = new->sources & ~old->sources;
    unsigned int less = old->sources & ~new->sources;

    if (make_record(&r[0], h, IGMP_ALLOW_NEW_SOURCES,
                    new->exclude ? less : more)) {
        records[n++] = r[0].record;
    }
    if (make_record(&r[1], h, IGMP_BLOCK_OLD_SOURCES,
                    new->exclude ? more : less)) {
        records[n++] = r[1].record;
    }
    if (n) {
        report(w, h, records, n, false);
    }
}

/* RFC 3376 5.2; 'asked' are the sources of the query, 0 if it names none. */
static void
answer(struct sim_world *w, const struct host *h, unsigned int asked)
{
    const struct model_filter *f = filter_of(w, h);
    struct record r;

    if (asked && h->port % 2 == 0) {
        if (make_record(&r, h, IGMP_MODE_IS_INCLUDE,
                        f->exclude ? asked & ~f->sources
                                   : asked & f->sources)) {
            report(w, h, &r.record, 1, false);
        }
    } else if (f->exclude || f->sources) {
        make_record(&r, h,
                    f->exclude ? IGMP_MODE_IS_EXCLUDE : IGMP_MODE_IS_INCLUDE,
                    f->sources);
        report(w, h, &r.record, 1, false);
    }
}

void
sim_world_change_filter(struct sim_world *w)
{
    struct sim_random *random = &w->random;
    struct host h = {.sw = (int) sim_random(random, MODEL_SWITCHES),
                     .v = (int) sim_random(random, MODEL_VLANS),
                     .g = (int) sim_random(random, MODEL_GROUPS),
                     .port = 1 + sim_random(random, MODEL_PORTS - 1)};
    h.number = (int) sim_random(random, (uint32_t) model_hosts(h.port));
    struct model_filter *filter = filter_of(w, &h), old = *filter;

    if (w->model.down[h.sw][h.port]) {
        return;
    }
    if (h.port % 2) {
        filter->exclude = !filter->exclude;
    } else {
        /* Where two hosts each exclude what the other wants, a router learns
         * only after a membership interval that one has gone (RFC 3376
         * 6.4.2): the port gets more than anybody wants for as long. */
        filter->exclude = (!h.number
                           || (h.port == MODEL_UNICAST_PORT
                               && w->model.unicast[h.sw][h.port]))
                          && sim_chance(random, 50);
        filter->sources = sim_random(random, 4);
    }
    SIM_TRACE("switch %d port %u host %d vlan %u group %d: %s %u", h.sw + 1,
              h.port, h.number, model_vlans[h.v], h.g,
              filter->exclude ? "exclude" : "include", filter->sources);
    sim_world_claim(w, false);
    say_change(w, &h, &old);
}

static unsigned int
asked_sources(const struct igmp_msg *msg)
{
    unsigned int asked = 0;

    for (size_t i = 0; i < msg->sources.n; i++) {
        struct ip_addr a = igmp_source_at(&msg->sources, i);

        for (int k = 0; k < 2; k++) {
            struct ip_addr b = model_source(&msg->group, k);

            asked |= ip_addr_equal(&a, &b) ? 1U << k : 0;
        }
    }
    return asked;
}

static void
hear_query(struct sim_world *w, int sw, uint32_t port,
           const struct igmp_msg *msg)
{
    for (int i = 0; i < MODEL_VLANS * MODEL_GROUPS * MODEL_HOSTS; i++) {
        struct host h = {.sw = sw,
                         .port = port,
                         .v = i % MODEL_VLANS,
                         .g = i / MODEL_VLANS % MODEL_GROUPS,
                         .number = i / MODEL_VLANS / MODEL_GROUPS};
        struct ip_addr group = model_group(h.g);
        struct mac_addr mac = model_mac(sw, port, h.number);

        if (model_vlans[h.v] == msg->vlan
            && (msg->family == IGMP_IPV4) == ip_addr_is_v4(&group)
            && (ip_addr_is_any(&msg->group)
                || ip_addr_equal(&msg->group, &group))
            && (mac_addr_is_multicast(&msg->eth_dst)
                || !mac_addr_compare(&msg->eth_dst, &mac))) {
            answer(w, &h, asked_sources(msg));
        }
    }
}

/* A query goes out of a port: who is behind it answers. */
void
sim_world_switch_output(void *w_, struct sim_switch *s, uint32_t port,
                        const void *frame, size_t size)
{
    struct sim_world *w = w_;
    struct igmp_msg msg;

    if (!w->deaf && port <= MODEL_PORTS
        && igmp_msg_decode(frame, size, &msg) == IGMP_OK
        && msg.kind == IGMP_QUERY) {
        hear_query(w, (int) (s - w->net.switches), port, &msg);
    }
}

/* Links and routers. */

void
sim_world_flap_port(struct sim_world *w)
{
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    uint32_t port = MODEL_FLAP_PORT + sim_random(&w->random, 2);
    bool *down = &w->model.down[sw][port];

    *down = !*down;
    SIM_TRACE("switch %d port %u goes %s", sw + 1, port,
              *down ? "down" : "up");
    for (int v = 0; v < MODEL_VLANS; v++) {
        for (int g = 0; g < MODEL_GROUPS; g++) {
            memset(w->model.filters[sw][v][g][port], 0,
                   sizeof w->model.filters[sw][v][g][port]);
        }
    }
    sim_world_claim(w, false);
    fake_switch_set_port(w->net.switches[sw].fake, port, !*down);
}

static void
say_query(struct sim_world *w, int sw, int v, enum igmp_family family)
{
    struct igmp_query query = {
        .family = family,
        .version = 3,
        .eth_src = {{2, 0, 0, 0, 0, 0x99}},
        .vlan = model_vlans[v],
        /* It loses the election. */
        .ip_src = ip_addr_v4(0x0a000009),
        .max_resp_ms = 10000,
        .qrv = 2,
        .query_interval_ms = 125000,
    };
    uint8_t frame[256];

    if (family == IGMP_IPV6) {
        assert_true(ip_addr_parse("fe80::9", &query.ip_src));
    }
    size_t size = igmp_query_encode(&query, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(w->net.switches[sw].fake, MODEL_ROUTER_PORT, frame,
                       size, NULL, NULL);
}

static void
say_both_queries(struct sim_world *w, int sw, int v)
{
    say_query(w, sw, v, IGMP_IPV4);
    say_query(w, sw, v, IGMP_IPV6);
}

void
sim_world_add_router(struct sim_world *w)
{
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    int v = (int) sim_random(&w->random, MODEL_VLANS);

    SIM_TRACE("switch %d vlan %u has a router", sw + 1, model_vlans[v]);
    w->model.router[sw][v] = true;
    sim_world_claim(w, false);
    say_both_queries(w, sw, v);
}

bool
sim_world_has_routers(const struct sim_world *w)
{
    static const struct model none;

    return memcmp(w->model.router, none.router, sizeof none.router) != 0;
}

/* Routers ask again, now that a switch is back. */
void
sim_world_say_queries(struct sim_world *w)
{
    for (int sw = 0; sw < MODEL_SWITCHES; sw++) {
        for (int v = 0; v < MODEL_VLANS; v++) {
            if (w->model.router[sw][v]) {
                say_both_queries(w, sw, v);
            }
        }
    }
}

/* Delivery. */

/* Queries are few but for the start.  A leave takes effect after 10 ms: see
 * sim_net_init(). */
char *
sim_world_yaml(const struct sim_world *w)
{
    static const char head[] =
        "l2: normal\n"
        "vlans:\n"
        "  default: {querier_address: 10.0.0.1,\n"
        "            mld_querier_address: \"fe80::1\", query_interval: 125,\n"
        "            query_response_interval: 10, last_member_count: 1}\n"
        "ports:\n";
    char *yaml = xmalloc(8192);
    size_t n = (size_t) snprintf(yaml, 8192, "%s", head);

    for (int sw = 0; sw < MODEL_SWITCHES; sw++) {
        for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
            n += (size_t) snprintf(
                yaml + n, 8192 - n,
                "  - {dpid: %d, port: s%d-eth%u, delivery: %s}\n", sw + 1,
                sw + 1, port,
                w->model.unicast[sw][port] ? "unicast" : "multicast");
        }
    }
    return yaml;
}

void
sim_world_change_delivery(struct sim_world *w)
{
    static const uint32_t ports[] = {3, 6};
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    uint32_t port = ports[sim_random(&w->random, 2)];
    bool *unicast = &w->model.unicast[sw][port];

    if (!*unicast && w->restarted) {
        return;
    }
    *unicast = !*unicast;
    SIM_TRACE("switch %d port %u delivers by %s", sw + 1, port,
              *unicast ? "unicast" : "multicast");
    sim_world_claim(w, false);

    char *yaml = sim_world_yaml(w);

    sim_net_reconfigure(&w->net, yaml);
    free(yaml);
}
