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
#include "lib/xalloc.h"

struct sim_world *sim_world;

/* Asking a switch. */

struct copies {
    int sw;
    struct copy {
        int n;
        uint8_t bytes[SIM_FRAME_SIZE];
        size_t size;
    } slots[MODEL_PORTS + 1][MODEL_SLOTS];
};

/* Copies for a host have its MAC address. */
static int
slot_of(int sw, uint32_t port, const void *frame)
{
    for (int host = 0; host < MODEL_HOSTS; host++) {
        struct mac_addr mac = model_mac(sw, port, host);

        if (!memcmp(frame, mac.b, sizeof mac.b)) {
            return 1 + host;
        }
    }
    return 0;
}

static void
got_copy(void *copies_, uint32_t out_port, const void *frame, size_t size)
{
    struct copies *c = copies_;

    if (out_port <= MODEL_PORTS) {
        struct copy *copy =
            &c->slots[out_port][slot_of(c->sw, out_port, frame)];

        copy->n++;
        copy->size = size;
        memcpy(copy->bytes, frame,
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
    copies->sw = s->sw;
    fake_switch_probe(w->net.switches[s->sw].fake, s->in_port, frame, size,
                      got_copy, copies);
}

/* What is wrong with what stream 'i' reaches in one slot of a port, NULL if it
 * is right. */
static const char *
compare_slot(struct sim_world *w, int i, uint32_t port, int slot,
             const struct copy *copy, char *text, size_t size)
{
    uint8_t frame[SIM_FRAME_SIZE];
    struct sim_frame want;
    bool wanted = model_expect(&w->model, &w->streams[i], port, slot, &want);

    if (copy->n != wanted) {
        snprintf(text, size,
                 "stream %d: port %u slot %d gets %d copies, "
                 "not %d",
                 i, port, slot, copy->n, wanted);
        return text;
    } else if (wanted
               && (copy->size != sim_frame_build(&want, frame)
                   || memcmp(copy->bytes, frame, copy->size))) {
        snprintf(text, size, "stream %d: port %u slot %d gets other bytes", i,
                 port, slot);
        return text;
    }
    return NULL;
}

const char *
sim_world_compare(struct sim_world *w, char *text, size_t size)
{
    for (int i = 0; i < MODEL_STREAMS; i++) {
        struct copies copies;

        probe(w, i, &copies);
        for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
            for (int slot = 0; slot < MODEL_SLOTS; slot++) {
                if (compare_slot(w, i, port, slot, &copies.slots[port][slot],
                                 text, size)) {
                    return text;
                }
            }
        }
    }
    return NULL;
}

/* Claims. */

/* 'frame' NULL: none. */
static void
claim_constant(struct sim_constant *c, const struct sim_frame *frame,
               bool first)
{
    uint8_t bytes[SIM_FRAME_SIZE];
    size_t size = frame ? sim_frame_build(frame, bytes) : 0;

    if (first) {
        c->holds = frame != NULL;
        c->size = size;
        memcpy(c->bytes, bytes, size);
    } else {
        c->holds &= c->size == size && !memcmp(c->bytes, bytes, size);
    }
}

static void
claim_slot(struct sim_world *w, int i, uint32_t port, int slot, bool first)
{
    struct claim *c = &w->claims[i][port][slot];
    struct sim_frame want, other;
    bool wanted = model_expect(&w->model, &w->streams[i], port, slot, &want);
    bool served =
        wanted || model_expect(&w->model, &w->streams[i], port, 0, &other);

    c->ever = wanted || (!first && c->ever);
    claim_constant(&c->always, wanted ? &want : NULL, first);
    if (wanted) {
        other = want;
        memset(&other.eth_dst, 0, sizeof other.eth_dst);
    }
    claim_constant(&c->served, served ? &other : NULL, first);
}

void
sim_world_claim(struct sim_world *w, bool first)
{
    for (int i = 0; i < MODEL_STREAMS; i++) {
        for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
            for (int slot = 0; slot < MODEL_SLOTS; slot++) {
                claim_slot(w, i, port, slot, first);
            }
        }
    }
}

static void
check_slot(struct sim_world *w, int stream, uint32_t port, int slot,
           const struct copies *copies)
{
    const struct claim *c = &w->claims[stream][port][slot];
    const struct copy *copy = &copies->slots[port][slot];
    int n = copy->n + (slot ? copies->slots[port][0].n : 0);
    const char *what =
        n > 1                   ? "gets copies"
        : !c->ever && copy->n   ? "is no member and gets one"
        : c->served.holds && !n ? "is a member and misses one"
        : c->always.holds && copy->n
                && (copy->size != c->always.size
                    || memcmp(copy->bytes, c->always.bytes, copy->size))
            ? "gets other bytes"
            : NULL;

    if (what && !w->problem[0]) {
        snprintf(w->problem, sizeof w->problem,
                 "on the way: stream %d, switch %d port %u slot %d %s", stream,
                 w->streams[stream].sw + 1, port, slot, what);
    }
}

static void
check_claims(struct sim_world *w, int stream)
{
    struct copies copies;

    probe(w, stream, &copies);
    for (uint32_t port = 1; port <= MODEL_PORTS; port++) {
        for (int slot = 0; slot < MODEL_SLOTS; slot++) {
            check_slot(w, stream, port, slot, &copies);
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

/* Routes. */

static void
random_set(struct sim_world *w, struct model_set *set, bool may_set_group)
{
    struct sim_random *r = &w->random;

    memset(set, 0, sizeof *set);
    set->has_source = sim_chance(r, 60);
    set->group = model_group(4 + (int) sim_random(r, 2));
    set->source = model_source(&set->group, 2);
    set->has_group = may_set_group && sim_chance(r, 60);
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
    route->source = model_source(&route->group, 0);
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
