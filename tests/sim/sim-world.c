/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/route.h"
#include "igmp/igmp-msg.h"
#include "lib/xalloc.h"

struct sim_world *sim_world;

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
probe(struct sim_world *w, int stream, struct copies *copies)
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
compare(struct sim_world *w, int i, char *text, size_t size)
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

const char *
sim_world_compare(struct sim_world *w, char *text, size_t size)
{
    for (int i = 0; i < MODEL_STREAMS; i++) {
        if (compare(w, i, text, size)) {
            return text;
        }
    }
    return NULL;
}

/* Claims. */

void
sim_world_claim(struct sim_world *w, bool first)
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
check_claims(struct sim_world *w, int stream)
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

void
sim_world_switch_changed(void *w_, struct sim_switch *s)
{
    struct sim_world *w = w_;

    for (int i = 0; w->watching && i < MODEL_STREAMS; i++) {
        if (&w->net.switches[w->streams[i].sw] == s) {
            check_claims(w, i);
        }
    }
}

/* Hosts: behind odd ports they speak IGMPv2, behind even ones v3. */

static void
report(struct sim_world *w, int sw, int v, uint32_t port,
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
say_filter(struct sim_world *w, int sw, int v, int g, uint32_t port,
           bool answer)
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

void
sim_world_change_filter(struct sim_world *w)
{
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    int v = (int) sim_random(&w->random, MODEL_VLANS);
    int g = (int) sim_random(&w->random, MODEL_GROUPS);
    uint32_t port = 1 + sim_random(&w->random, MODEL_PORTS - 1);
    enum model_filter *filter = &w->model.filters[sw][v][g][port];

    if (w->model.down[sw][port]) {
        return;
    }
    static const enum model_filter v3[] = {MODEL_NONE, MODEL_ANY,
                                           MODEL_INCLUDE, MODEL_EXCLUDE};

    *filter = port % 2 ? (*filter ? MODEL_NONE : MODEL_ANY)
                       : v3[sim_random(&w->random, 4)];
    SIM_TRACE("switch %d port %u vlan %u 226.2.2.%d: filter %d", sw + 1, port,
              model_vlans[v], g, *filter);
    sim_world_claim(w, false);
    say_filter(w, sw, v, g, port, false);
}

/* A query goes out of a port: who is behind it answers. */
void
sim_world_switch_output(void *w_, struct sim_switch *s, uint32_t port,
                        const void *frame, size_t size)
{
    struct sim_world *w = w_;
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
            w->model.filters[sw][v][g][port] = MODEL_NONE;
        }
    }
    sim_world_claim(w, false);
    fake_switch_set_port(w->net.switches[sw].fake, port, !*down);
}

static void
say_query(struct sim_world *w, int sw, int v)
{
    struct igmp_query query = {
        .version = 3,
        .eth_src = {{2, 0, 0, 0, 0, 0x99}},
        .vlan = model_vlans[v],
        .ip_src = ip_addr_v4(0x0a000009), /* It loses the election. */
        .max_resp_ms = 10000,
        .qrv = 2,
        .query_interval_ms = 125000,
    };
    uint8_t frame[256];
    size_t size = igmp_query_encode(&query, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(w->net.switches[sw].fake, MODEL_ROUTER_PORT, frame,
                       size, NULL, NULL);
}

void
sim_world_add_router(struct sim_world *w)
{
    int sw = (int) sim_random(&w->random, MODEL_SWITCHES);
    int v = (int) sim_random(&w->random, MODEL_VLANS);

    SIM_TRACE("switch %d vlan %u has a router", sw + 1, model_vlans[v]);
    w->model.router[sw][v] = true;
    sim_world_claim(w, false);
    say_query(w, sw, v);
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
                say_query(w, sw, v);
            }
        }
    }
}

/* Routes. */

static void
random_set(struct sim_world *w, struct model_set *set, bool may_set_group)
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
    struct sim_world *w = w_;

    w->n_pending_writes--;
    if (result->outcome > CTL_NOT_FOUND && !w->problem[0]) {
        snprintf(w->problem, sizeof w->problem, "write: %s", result->detail);
    }
}

static void
put_route(struct sim_world *w, int i)
{
    char name[16], *text = model_route_json(&w->model.routes[i]);
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct route *route;

    snprintf(name, sizeof name, "r%d", i);
    route = json ? route_from_json(name, json, &error) : NULL;
    if (!route) {
        SIM_FAIL("%s: %s %s", text, error.pointer, error.detail);
    }
    SIM_TRACE("route %s: %s", name, text);
    w->n_pending_writes++;
    ctl_route_put(w->net.ctl, route, CTL_WAIT_APPLIED, SIM_WAIT_MS, written,
                  w);
    route_destroy(route);
    cJSON_Delete(json);
    free(text);
}

void
sim_world_change_route(struct sim_world *w)
{
    struct sim_random *r = &w->random;
    int i = (int) sim_random(r, MODEL_ROUTES);
    struct model_route *route = &w->model.routes[i];
    char name[16];

    if (route->present && sim_chance(r, 40)) {
        route->present = false;
        sim_world_claim(w, false);
        snprintf(name, sizeof name, "r%d", i);
        SIM_TRACE("delete route %s", name);
        w->n_pending_writes++;
        ctl_route_delete(w->net.ctl, name, CTL_WAIT_APPLIED, SIM_WAIT_MS,
                         written, w);
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
    sim_world_claim(w, false);
    put_route(w, i);
}

/* A packet of a stream for real: punted where its source is unknown. */
void
sim_world_send_packet(struct sim_world *w, uint32_t i)
{
    const struct model_stream *s = &w->streams[i];
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_frame_build(&s->frame, frame);

    SIM_TRACE("a packet of stream %u", i);
    fake_switch_packet(w->net.switches[s->sw].fake, s->in_port, frame, size,
                       NULL, NULL);
}
