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
    w->restarted = true;
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

/* A filter as it is told by the controller: number -1 is any other source. */
static bool
view_wants(const struct ip_addr *group, bool exclude,
           const struct ip_addr *sources, size_t n, int source)
{
    struct ip_addr address = model_source(group, source < 0 ? 2 : source);
    bool named = false;

    for (size_t i = 0; i < n; i++) {
        named |= ip_addr_equal(&sources[i], &address);
    }
    return named != exclude;
}

/* Do the hosts (number -1: any of them) want less than that? */
static bool
wants_less(struct sim_world *w, const struct view_group *view,
           const struct view_member *m, int v, int g, int number, bool exclude,
           const struct ip_addr *sources, size_t n)
{
    for (int source = -1; source < 2; source++) {
        bool wanted = false;

        for (int h = 0; h < model_hosts((uint32_t) m->port.port_no); h++) {
            wanted |= (number < 0 || number == h)
                      && model_wants(&w->model.filters[m->port.dpid - 1][v][g]
                                                      [m->port.port_no][h],
                                     source);
        }
        if (!wanted && view_wants(&view->group, exclude, sources, n, source)) {
            w->leaving = true;
            snprintf(w->leaver, sizeof w->leaver,
                     "switch %d port %d host %d vlan %u group %d: source %d is"
                     " not wanted any more (%s)",
                     (int) m->port.dpid, (int) m->port.port_no, number,
                     view->vlan, g, source, m->origin);
            return true;
        }
    }
    return false;
}

/* Somebody who has left, or now wants fewer sources, may still be a member of
 * the old kind for a moment, seen by no stream so far. */
static void
look_at_member(struct sim_world *w, const struct view_group *view, int v,
               int g, const struct view_member *m)
{
    bool unicast = w->model.unicast[m->port.dpid - 1][m->port.port_no];

    /* See sim_world_change_filter() for the exception. */
    if (m->port.port_no != MODEL_UNICAST_PORT || !unicast) {
        wants_less(w, view, m, v, g, -1, m->exclude, m->sources, m->n_sources);
    }
    if (!unicast) {
        return;
    }
    if (strcmp(m->delivery, "unicast")) {
        w->leaving = true; /* Some hosts may not be known yet. */
        snprintf(w->leaver, sizeof w->leaver,
                 "switch %d port %d group %d: does not deliver by unicast",
                 (int) m->port.dpid, (int) m->port.port_no, g);
    }
    for (size_t i = 0; i < m->n_hosts; i++) {
        const struct view_host *h = &m->hosts[i];

        wants_less(w, view, m, v, g, h->mac.b[3], h->exclude, h->sources,
                   h->n_sources);
    }
}

static bool
look_for_leavers(void *w_, const struct view_group *view)
{
    struct sim_world *w = w_;
    int v = view->vlan == model_vlans[0] ? 0 : 1;

    for (int g = 0; g < MODEL_GROUPS; g++) {
        struct ip_addr group = model_group(g);

        for (size_t i = 0;
             ip_addr_equal(&group, &view->group) && i < view->n_members; i++) {
            look_at_member(w, view, v, g, &view->members[i]);
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
    } else if (dice < 16) {
        /* Not at the same time as a route: this takes its time. */
        sim_world_change_delivery(w);
        rest(w);
        return;
    }
    /* Not both at once: a leave takes its time, a route does not, so that the
     * states on the way would not be those of the model. */
    bool routes = dice < 36;

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
        struct model_stream *s = &w->streams[i];
        struct ip_addr group =
            model_group((i / MODEL_SWITCHES) % MODEL_GROUPS);

        *s = (struct model_stream){
            .sw = i % MODEL_SWITCHES,
            .in_port = 1 + sim_random(r, MODEL_SOURCE_PORTS),
            .frame =
                {
                    .source = model_source(&group, (int) sim_random(r, 2)),
                    .group = group,
                    .vlan = model_vlans[sim_random(r, MODEL_VLANS)],
                    .udp_dst = sim_chance(r, 70) ? 5004 : 5005,
                    .ttl = 1,
                },
        };
        char source[IP_ADDR_STRLEN], text[IP_ADDR_STRLEN];

        SIM_TRACE("stream %d: switch %d port %u vlan %u %s -> %s:%u", i,
                  s->sw + 1, s->in_port, s->frame.vlan,
                  ip_addr_format(&s->frame.source, source),
                  ip_addr_format(&group, text), s->frame.udp_dst);
    }
    for (int sw = 0; sw < MODEL_SWITCHES; sw++) {
        w->model.unicast[sw][MODEL_UNICAST_PORT] = w->model.unicast[sw][3] =
            true;
    }

    char *yaml = sim_world_yaml(w);

    sim_net_init(&w->net, yaml, MODEL_SWITCHES, MODEL_PORTS);
    free(yaml);
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
