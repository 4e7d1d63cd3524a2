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

#include "tests/sim/sim-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"

/* Queries are few but for the start.  A leave takes effect after 10 ms: see
 * sim_net_init(). */
static const char yaml[] =
    "l2: normal\n"
    "vlans:\n"
    "  default: {querier_address: 10.0.0.1, query_interval: 125,\n"
    "            query_response_interval: 10, last_member_count: 1}\n";

/* Restarts. */

static void
restart_something(struct sim_world *w)
{
    struct sim_switch *s =
        &w->net.switches[sim_random(&w->random, MODEL_SWITCHES)];

    uint32_t what = sim_random(&w->random, 3);

    SIM_TRACE("restart %s, %d",
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
        if (!sim_strict()) {
            /* It does not know of routers until they ask. */
            w->watching &= !sim_world_has_routers(w);
        }
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
    struct sim_world *w = w_;
    int v = view->vlan == model_vlans[0] ? 0 : 1;
    uint32_t g = ip_addr_to_v4(&view->group) - model_group(0);

    for (size_t i = 0; g < MODEL_GROUPS && i < view->n_members; i++) {
        const struct view_member *m = &view->members[i];
        enum model_filter filter =
            w->model.filters[m->port.dpid - 1][v][g][m->port.port_no];

        if (m->port.port_no == MODEL_ROUTER_PORT
            && w->model.router[m->port.dpid - 1][v]) {
            continue; /* What it gets as a router is restored as a member. */
        }
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
    struct sim_world *w = w_;
    char text[512];

    w->leaving = false;
    view_groups(w->net.ctl, look_for_leavers, w);
    return w->problem[0]
           || (!w->n_pending_writes && !w->leaving
               && !sim_world_compare(w, text, sizeof text));
}

static void
rest(struct sim_world *w)
{
    char text[512];

    if (!sim_net_settle(&w->net)) {
        SIM_FAIL("switches do not settle");
    }
    bool done = sim_net_wait(&w->net, is_done, w, SIM_WAIT_MS);

    /* What is right once must stay right. */
    if (done && !w->problem[0] && !sim_net_settle(&w->net)) {
        SIM_FAIL("switches do not settle again");
    }
    if (w->problem[0]) {
        SIM_FAIL("%s", w->problem);
    } else if (w->n_pending_writes) {
        SIM_FAIL("%d writes without an answer", w->n_pending_writes);
    } else if (w->leaving) {
        SIM_FAIL("%s", w->leaver);
    } else if (sim_world_compare(w, text, sizeof text)) {
        SIM_FAIL("%s", text);
    }
    w->watching = true;
    sim_world_claim(w, true);
}

static void
expect_clean_switches(struct sim_world *w)
{
    for (int i = 0; i < MODEL_SWITCHES; i++) {
        struct fake_switch_counters c;

        fake_switch_counters(w->net.switches[i].fake, &c);
        /* A restarted controller adds meters that are there. */
        if (c.cascaded || c.bad_out_group || c.undecodable || c.crashes
            || (c.errors && sim_strict())) {
            SIM_FAIL(
                "switch %d: %" PRIu64 " cascaded, %" PRIu64
                " without group, %" PRIu64 " undecodable, %" PRIu64 " errors",
                i + 1, c.cascaded, c.bad_out_group, c.undecodable, c.errors);
        }
    }
}

static uint64_t
count_changes(struct sim_world *w)
{
    uint64_t n = 0;

    for (int i = 0; i < MODEL_SWITCHES; i++) {
        struct fake_switch_counters c;

        fake_switch_counters(w->net.switches[i].fake, &c);
        n += c.n_mods - c.mods[FAKE_METER_MOD];
    }
    return n;
}

static void
step(struct sim_world *w)
{
    uint32_t dice = sim_random(&w->random, 100);
    uint32_t n = 1 + sim_random(&w->random, 5);

    if (dice < 3) {
        uint64_t before = count_changes(w);
        restart_something(w);
        if (!sim_net_settle(&w->net)) {
            SIM_FAIL("switches do not settle after a restart");
        }
        sim_world_say_queries(w);
        rest(w);
        uint64_t after = count_changes(w);
        SIM_TRACE("CHANGES %d", (int) (after - before));
        return;
    }
    if (dice < 6) {
        sim_world_add_router(w);
    } else if (dice < 12) {
        sim_world_flap_port(w);
    }
    /* Not both at once: a leave takes its time, a route does not, so that the
     * states on the way would not be those of the model. */
    bool routes = dice < 34;

    while (n--) {
        if (sim_chance(&w->random, 20)) {
            sim_world_send_packet(w, sim_random(&w->random, MODEL_STREAMS));
        } else if (routes) {
            sim_world_change_route(w);
        } else {
            sim_world_change_filter(w);
        }
    }
    rest(w);
    expect_clean_switches(w);
}

static void
make_world(struct sim_world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    sim_world = w;
    sim_random_init(&w->random, seed);
    for (int i = 0; i < MODEL_STREAMS; i++) {
        struct sim_random *r = &w->random;

        w->streams[i] = (struct model_stream){
            .sw = i % MODEL_SWITCHES,
            .in_port = 1 + sim_random(r, MODEL_SOURCE_PORTS),
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

        SIM_TRACE("stream %d: switch %d port %u vlan %u %08x -> %08x:%u", i,
                  s->sw + 1, s->in_port, s->frame.vlan, s->frame.source,
                  s->frame.group, s->frame.udp_dst);
    }
    sim_net_init(&w->net, yaml, MODEL_SWITCHES, MODEL_PORTS);
    w->net.aux = w;
    w->net.changed = sim_world_switch_changed;
    w->net.output = sim_world_switch_output;
    for (int i = 0; i < MODEL_SWITCHES; i++) {
        sim_net_connect(&w->net.switches[i]);
    }
    rest(w);
    /* A route that names no vlan applies to those that have been seen. */
    for (int i = 0; i < MODEL_STREAMS && !sim_strict(); i++) {
        sim_world_send_packet(w, i);
    }
    rest(w);
}

static void
streams_reach_exactly_their_members(void **state)
{
    uint64_t n_steps = sim_setting("OFM_STEPS", 200);
    uint64_t first = sim_setting("OFM_SEED", 1);
    uint64_t last = getenv("OFM_SEED") ? first : first + 1;
    struct sim_world *w = xmalloc(sizeof *w);

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
