/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The whole controller with two fake switches, against a naive model.
 *
 * Hosts join and leave by IGMP of all versions, routes come and go, switches
 * and the controller restart.  When things have settled, a packet of each
 * stream reaches exactly the ports that the model names, once, rewritten as
 * the route says.  And on the way there, after every single change of a
 * switch's tables: nobody gets a packet twice, who is a member before and
 * after misses none, who is neither gets none. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/route.h"
#include "igmp/igmp-msg.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-model.h"
#include "tests/sim/sim-net.h"
#include "tests/sim/sim-random.h"

enum { WAIT_MS = 10000 };

/* Queries are few but for the start.  A leave takes effect after 10 ms: see
 * sim_net_init(). */
static const char yaml[] =
    "l2: normal\n"
    "vlans:\n"
    "  default: {query_interval: 125, query_response_interval: 10,\n"
    "            last_member_count: 1}\n";

/* What a port has been entitled to since the last quiet point. */
struct claim {
    bool ever;   /* In some state of the model. */
    bool always; /* In all of them, with the same bytes... */
    uint8_t bytes[SIM_FRAME_SIZE];
    size_t size; /* ...these. */
};

struct world {
    struct sim_net net;
    struct sim_random random;
    struct model model;
    struct model_stream streams[MODEL_STREAMS];
    struct claim claims[MODEL_STREAMS][MODEL_PORTS + 1];
    bool watching; /* Check claims at every change. */
    bool deaf;     /* Hosts do not answer queries. */
    uint64_t seed, step;
    int n_pending_writes;
    bool leaving;      /* Somebody is a member who should not be... */
    char leaver[160];  /* ...this one. */
    char problem[512]; /* Found in a callback, told by the test. */
};

static struct world *world; /* For messages: cmocka has no context. */

#define FAIL(...)                                                             \
    do {                                                                      \
        fprintf(stderr, "seed %" PRIu64 " step %" PRIu64 ": ", world->seed,   \
                world->step);                                                 \
        fprintf(stderr, __VA_ARGS__);                                         \
        fputc('\n', stderr);                                                  \
        fail();                                                               \
    } while (0)

/* For whoever hunts a failure: what the test does. */
#define TRACE(...)                                                            \
    do {                                                                      \
        if (getenv("OFM_TRACE")) {                                            \
            fprintf(stderr, "step %" PRIu64 ": ", world->step);               \
            fprintf(stderr, __VA_ARGS__);                                     \
            fputc('\n', stderr);                                              \
        }                                                                     \
    } while (0)

/* Asking a switch. */

struct copies {
    int n[MODEL_PORTS + 1];
    uint8_t bytes[MODEL_PORTS + 1][SIM_FRAME_SIZE];
    size_t size[MODEL_PORTS + 1];
};

static void
got_copy(void *copies_, uint32_t out_port, const void *frame, size_t size)
{
    struct copies *c = copies_;

    if (out_port <= MODEL_PORTS) {
        c->n[out_port]++;
        c->size[out_port] = size;
        memcpy(c->bytes[out_port], frame,
               size < SIM_FRAME_SIZE ? size : SIM_FRAME_SIZE);
    }
}

static void
probe(struct world *w, int stream, struct copies *copies)
{
    const struct model_stream *s = &w->streams[stream];
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_frame_build(&s->frame, frame);

    memset(copies, 0, sizeof *copies);
    fake_switch_probe(w->net.switches[s->sw].fake, s->in_port, frame, size,
                      got_copy, copies);
}

/* NULL, or what is wrong with what stream 'i' reaches, "" being right. */
static const char *
compare(struct world *w, int i, char *text, size_t size)
{
    struct copies copies;

    probe(w, i, &copies);
    for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
        uint8_t frame[SIM_FRAME_SIZE];
        struct sim_frame want;
        bool wanted = model_expect(&w->model, &w->streams[i], port, &want);

        if (copies.n[port] != wanted) {
            snprintf(text, size, "stream %d: port %u gets %d copies, not %d",
                     i, port, copies.n[port], wanted);
            return text;
        } else if (wanted
                   && (copies.size[port] != sim_frame_build(&want, frame)
                       || memcmp(copies.bytes[port], frame,
                                 copies.size[port]))) {
            snprintf(text, size, "stream %d: port %u gets other bytes", i,
                     port);
            return text;
        }
    }
    return NULL;
}

static const char *
compare_all(struct world *w, char *text, size_t size)
{
    for (int i = 0; i < MODEL_STREAMS; i++) {
        if (compare(w, i, text, size)) {
            return text;
        }
    }
    return NULL;
}

/* Claims. */

static void
claim(struct world *w, bool first)
{
    for (int i = 0; i < MODEL_STREAMS; i++) {
        for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
            struct claim *c = &w->claims[i][port];
            uint8_t frame[SIM_FRAME_SIZE];
            struct sim_frame want;
            bool wanted = model_expect(&w->model, &w->streams[i], port, &want);
            size_t size = wanted ? sim_frame_build(&want, frame) : 0;

            if (first) {
                c->ever = c->always = wanted;
                c->size = size;
                memcpy(c->bytes, frame, size);
            } else {
                c->ever |= wanted;
                c->always &= wanted && c->size == size
                             && !memcmp(c->bytes, frame, size);
            }
        }
    }
}

static void
check_claims(struct world *w, int stream)
{
    struct copies copies;

    probe(w, stream, &copies);
    for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
        const struct claim *c = &w->claims[stream][port];
        const char *what =
            copies.n[port] > 1             ? "gets copies"
            : !c->ever && copies.n[port]   ? "is no member and gets one"
            : c->always && !copies.n[port] ? "is a member and misses one"
            : c->always
                    && (copies.size[port] != c->size
                        || memcmp(copies.bytes[port], c->bytes, c->size))
                ? "gets other bytes"
                : NULL;

        if (what && !w->problem[0]) {
            snprintf(w->problem, sizeof w->problem,
                     "on the way: stream %d, switch %d port %u %s", stream,
                     w->streams[stream].sw + 1, port, what);
        }
    }
}

static void
switch_changed(void *w_, struct sim_switch *s)
{
    struct world *w = w_;

    for (int i = 0; w->watching && i < MODEL_STREAMS; i++) {
        if (&w->net.switches[w->streams[i].sw] == s) {
            check_claims(w, i);
        }
    }
}

/* Hosts: behind odd ports they speak IGMPv2, behind even ones v3. */

static void
report(struct world *w, int sw, int v, uint32_t port,
       const struct igmp_report_record *record, bool leave)
{
    struct igmp_report report = {
        .version = port % 2 ? 2 : 3,
        .leave = leave,
        .eth_src = {{2, 0, 0, 0, (uint8_t) sw, (uint8_t) port}},
        .vlan = model_vlans[v],
        .ip_src = ip_addr_v4(0x0a010000 + port),
        .records = record,
        .n_records = 1,
    };
    uint8_t frame[256];
    size_t size = igmp_report_encode(&report, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(w->net.switches[sw].fake, port, frame, size, NULL,
                       NULL);
}

/* Says what the filter is, as a change or as the answer to a query. */
static void
say_filter(struct world *w, int sw, int v, int g, uint32_t port, bool answer)
{
    enum model_filter filter = w->model.filters[sw][v][g][port];
    struct ip_addr source = ip_addr_v4(model_sources[0]);
    struct igmp_report_record record = {
        .group = ip_addr_v4(model_group(g)),
        .sources = &source,
        .n_sources = filter == MODEL_INCLUDE || filter == MODEL_EXCLUDE,
    };
    bool include = filter == MODEL_INCLUDE || filter == MODEL_NONE;

    record.type =
        answer ? (include ? IGMP_MODE_IS_INCLUDE : IGMP_MODE_IS_EXCLUDE)
               : (include ? IGMP_CHANGE_TO_INCLUDE : IGMP_CHANGE_TO_EXCLUDE);
    report(w, sw, v, port, &record, filter == MODEL_NONE);
}

static void
change_filter(struct world *w)
{
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    int v = (int) sim_random(&w->random, MODEL_VLANS);
    int g = (int) sim_random(&w->random, MODEL_GROUPS);
    uint32_t port = 1 + sim_random(&w->random, MODEL_PORTS - 1);
    enum model_filter *filter = &w->model.filters[sw][v][g][port];
    static const enum model_filter v3[] = {MODEL_NONE, MODEL_ANY,
                                           MODEL_INCLUDE, MODEL_EXCLUDE};

    *filter = port % 2 ? (*filter ? MODEL_NONE : MODEL_ANY)
                       : v3[sim_random(&w->random, 4)];
    TRACE("switch %d port %u vlan %u 226.2.2.%d: filter %d", sw + 1, port,
          model_vlans[v], g, *filter);
    claim(w, false);
    say_filter(w, sw, v, g, port, false);
}

/* A query goes out of a port: who is behind it answers. */
static void
switch_output(void *w_, struct sim_switch *s, uint32_t port, const void *frame,
              size_t size)
{
    struct world *w = w_;
    int sw = (int) (s - w->net.switches);
    struct igmp_msg msg;

    if (w->deaf || igmp_msg_decode(frame, size, &msg) != IGMP_OK
        || msg.kind != IGMP_QUERY || port > MODEL_PORTS) {
        return;
    }
    for (int v = 0; v < MODEL_VLANS; v++) {
        for (int g = 0; g < MODEL_GROUPS; g++) {
            struct ip_addr group = ip_addr_v4(model_group(g));

            if (model_vlans[v] == msg.vlan && w->model.filters[sw][v][g][port]
                && (ip_addr_is_any(&msg.group)
                    || ip_addr_equal(&msg.group, &group))) {
                say_filter(w, sw, v, g, port, true);
            }
        }
    }
}

/* Routes. */

static void
random_set(struct world *w, struct model_set *set, bool may_set_group)
{
    struct sim_random *r = &w->random;

    memset(set, 0, sizeof *set);
    set->has_source = sim_chance(r, 60);
    set->source = model_sources[2];
    set->has_group = may_set_group && sim_chance(r, 60);
    set->group = model_group(4 + (int) sim_random(r, 2));
    set->has_udp_dst = sim_chance(r, 40);
    set->udp_dst = (uint16_t) (6000 + sim_random(r, 3));
    set->has_ttl = sim_chance(r, 40);
    set->ttl = (uint8_t) (2 + sim_random(r, 60));
    set->has_dscp = sim_chance(r, 30);
    set->dscp = (uint8_t) sim_random(r, 64);
}

static void
written(void *w_, const struct ctl_result *result)
{
    struct world *w = w_;

    w->n_pending_writes--;
    if (result->outcome > CTL_NOT_FOUND && !w->problem[0]) {
        snprintf(w->problem, sizeof w->problem, "write: %s", result->detail);
    }
}

static void
put_route(struct world *w, int i)
{
    char name[16], *text = model_route_json(&w->model.routes[i]);
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct route *route;

    snprintf(name, sizeof name, "r%d", i);
    route = json ? route_from_json(name, json, &error) : NULL;
    if (!route) {
        FAIL("%s: %s %s", text, error.pointer, error.detail);
    }
    TRACE("route %s: %s", name, text);
    w->n_pending_writes++;
    ctl_route_put(w->net.ctl, route, CTL_WAIT_APPLIED, WAIT_MS, written, w);
    route_destroy(route);
    cJSON_Delete(json);
    free(text);
}

static void
change_route(struct world *w)
{
    struct sim_random *r = &w->random;
    int i = (int) sim_random(r, MODEL_ROUTES);
    struct model_route *route = &w->model.routes[i];
    char name[16];

    if (route->present && sim_chance(r, 40)) {
        route->present = false;
        claim(w, false);
        snprintf(name, sizeof name, "r%d", i);
        TRACE("delete route %s", name);
        w->n_pending_writes++;
        ctl_route_delete(w->net.ctl, name, CTL_WAIT_APPLIED, WAIT_MS, written,
                         w);
        return;
    }
    memset(route, 0, sizeof *route);
    route->present = true;
    route->group = model_group(i);
    route->has_source = sim_chance(r, 40);
    route->source = model_sources[0];
    route->has_vlan = sim_chance(r, 30);
    route->vlan = model_vlans[sim_random(r, MODEL_VLANS)];
    route->has_udp_dst = sim_chance(r, 30);
    route->udp_dst = 5004;
    route->has_switch = sim_chance(r, 30);
    route->sw = (int) sim_random(r, MODEL_SWITCHES);
    random_set(w, &route->set, true);
    route->to_members = sim_chance(r, 70);
    route->to_port = sim_chance(r, 50);
    route->to_switch = (int) sim_random(r, MODEL_SWITCHES);
    random_set(w, &route->to_set, true);
    claim(w, false);
    put_route(w, i);
}

/* Restarts. */

static void
restart_something(struct world *w)
{
    struct sim_switch *s =
        &w->net.switches[sim_random(&w->random, MODEL_SWITCHES)];

    uint32_t what = sim_random(&w->random, 3);

    TRACE("restart %s, %d",
          what == 0   ? "a connection"
          : what == 1 ? "a switch"
                      : "the controller",
          (int) (s - w->net.switches) + 1);
    switch (what) {
    case 0: /* The connection. */
        sim_net_disconnect(s);
        sim_net_connect(s);
        break;
    case 1: /* The switch: its tables are empty until it is programmed. */
        w->watching = false;
        sim_net_disconnect(s);
        fake_switch_wipe(s->fake);
        sim_net_connect(s);
        break;
    default: /* The controller: streams flow on. */
        sim_net_restart_controller(&w->net);
        for (int i = 0; i < MODEL_SWITCHES; i++) {
            sim_net_connect(&w->net.switches[i]);
        }
        break;
    }
}

/* Coming to rest. */

/* Somebody who has left, or now wants fewer sources, may still be a member of
 * the old kind for a moment, seen by no stream so far. */
static bool
look_for_leavers(void *w_, const struct view_group *view)
{
    struct world *w = w_;
    int v = view->vlan == model_vlans[0] ? 0 : 1;
    uint32_t g = ip_addr_to_v4(&view->group) - model_group(0);

    for (size_t i = 0; g < MODEL_GROUPS && i < view->n_members; i++) {
        const struct view_member *m = &view->members[i];
        enum model_filter filter =
            w->model.filters[m->port.dpid - 1][v][g][m->port.port_no];

        if (filter == MODEL_NONE || (filter == MODEL_INCLUDE && m->exclude)
            || (filter == MODEL_EXCLUDE && !m->n_sources)) {
            w->leaving = true;
            snprintf(w->leaver, sizeof w->leaver,
                     "switch %d port %d vlan %u 226.2.2.%u: %s of %zu sources "
                     "(%s), though its host wants %s",
                     (int) m->port.dpid, (int) m->port.port_no, view->vlan, g,
                     m->exclude ? "exclude" : "include", m->n_sources,
                     m->origin,
                     filter == MODEL_NONE      ? "nothing"
                     : filter == MODEL_INCLUDE ? "one source only"
                                               : "not that source");
        }
    }
    return true;
}

static bool
is_done(void *w_)
{
    struct world *w = w_;
    char text[512];

    w->leaving = false;
    view_groups(w->net.ctl, look_for_leavers, w);
    return w->problem[0]
           || (!w->n_pending_writes && !w->leaving
               && !compare_all(w, text, sizeof text));
}

static void
rest(struct world *w)
{
    char text[512];

    if (!sim_net_settle(&w->net)) {
        FAIL("switches do not settle");
    }
    bool done = sim_net_wait(&w->net, is_done, w, WAIT_MS);

    /* What is right once must stay right. */
    if (done && !w->problem[0] && !sim_net_settle(&w->net)) {
        FAIL("switches do not settle again");
    }
    if (w->problem[0]) {
        FAIL("%s", w->problem);
    } else if (w->n_pending_writes) {
        FAIL("%d writes without an answer", w->n_pending_writes);
    } else if (w->leaving) {
        FAIL("%s", w->leaver);
    } else if (compare_all(w, text, sizeof text)) {
        FAIL("%s", text);
    }
    w->watching = true;
    claim(w, true);
}

static void
expect_clean_switches(struct world *w)
{
    for (int i = 0; i < MODEL_SWITCHES; i++) {
        struct fake_switch_counters c;

        fake_switch_counters(w->net.switches[i].fake, &c);
        /* A restarted controller adds meters that are there. */
        if (c.cascaded || c.bad_out_group || c.undecodable || c.crashes
            || (c.errors && sim_strict())) {
            FAIL("switch %d: %" PRIu64 " cascaded, %" PRIu64
                 " without group, %" PRIu64 " undecodable, %" PRIu64 " errors",
                 i + 1, c.cascaded, c.bad_out_group, c.undecodable, c.errors);
        }
    }
}

/* A packet of a stream for real: punted where its source is unknown. */
static void
send_packet(struct world *w, uint32_t i)
{
    const struct model_stream *s = &w->streams[i];
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_frame_build(&s->frame, frame);

    TRACE("a packet of stream %u", i);
    fake_switch_packet(w->net.switches[s->sw].fake, s->in_port, frame, size,
                       NULL, NULL);
}

static void
step(struct world *w)
{
    uint32_t dice = sim_random(&w->random, 100);
    uint32_t n = 1 + sim_random(&w->random, 5);

    if (dice < 3) {
        restart_something(w);
        rest(w);
        return;
    }
    /* Not both at once: a leave takes its time, a route does not, so that the
     * states on the way would not be those of the model. */
    bool routes = dice < 25;

    while (n--) {
        if (sim_chance(&w->random, 20)) {
            send_packet(w, sim_random(&w->random, MODEL_STREAMS));
        } else if (routes) {
            change_route(w);
        } else {
            change_filter(w);
        }
    }
    rest(w);
    expect_clean_switches(w);
}

static void
make_world(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    world = w;
    sim_random_init(&w->random, seed);
    for (int i = 0; i < MODEL_STREAMS; i++) {
        struct sim_random *r = &w->random;

        w->streams[i] = (struct model_stream){
            .sw = i % MODEL_SWITCHES,
            .in_port = 1 + sim_random(r, MODEL_PORTS - 1),
            .frame =
                {
                    .source = model_sources[sim_random(r, 2)],
                    .group = model_group((i / MODEL_SWITCHES) % MODEL_GROUPS),
                    .vlan = model_vlans[sim_random(r, MODEL_VLANS)],
                    .udp_dst = sim_chance(r, 70) ? 5004 : 5005,
                    .ttl = 1,
                },
        };
    }
    for (int i = 0; i < MODEL_STREAMS; i++) {
        const struct model_stream *s = &w->streams[i];

        TRACE("stream %d: switch %d port %u vlan %u %08x -> %08x:%u", i,
              s->sw + 1, s->in_port, s->frame.vlan, s->frame.source,
              s->frame.group, s->frame.udp_dst);
    }
    sim_net_init(&w->net, yaml, MODEL_SWITCHES, MODEL_PORTS);
    w->net.aux = w;
    w->net.changed = switch_changed;
    w->net.output = switch_output;
    for (int i = 0; i < MODEL_SWITCHES; i++) {
        sim_net_connect(&w->net.switches[i]);
    }
    rest(w);
    /* A route that names no vlan applies to those that have been seen. */
    for (int i = 0; i < MODEL_STREAMS && !sim_strict(); i++) {
        send_packet(w, i);
    }
    rest(w);
}

static void
streams_reach_exactly_their_members(void **state)
{
    uint64_t n_steps = sim_setting("OFM_STEPS", 200);
    uint64_t first = sim_setting("OFM_SEED", 1);
    uint64_t last = getenv("OFM_SEED") ? first : first + 1;
    struct world *w = xmalloc(sizeof *w);

    (void) state;
    for (uint64_t seed = first; seed <= last; seed++) {
        make_world(w, seed);
        for (w->step = 1; w->step <= n_steps / (last - first + 1); w->step++) {
            step(w);
        }
        sim_net_uninit(&w->net);
    }
    free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_reach_exactly_their_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
