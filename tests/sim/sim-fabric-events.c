/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-fabric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What hosts, cables, switches and the controller do at random. */

static int
any_switch(struct sim_fabric *f)
{
    return (int) sim_random(&f->random, (uint32_t) f->wires.n_switches);
}

static void __attribute__((format(printf, 2, 3)))
note(struct sim_fabric *f, const char *format, ...)
{
    size_t n = strlen(f->what);
    va_list args;

    va_start(args, format);
    vsnprintf(f->what + n, sizeof f->what - n, format, args);
    va_end(args);
    f->n_events++;
    sim_fabric_trace(f, "EVENT", f->what + n);
}

static void
change_filter(struct sim_fabric *f)
{
    int sw = any_switch(f), g = (int) sim_random(&f->random, FABRIC_GROUPS);
    uint32_t port = 1 + sim_random(&f->random, FABRIC_HOSTS);
    struct fabric_filter *filter = &f->filters[sw][port][g];

    /* One that nobody listens to would not be heard. */
    if (f->net.switches[sw].fd < 0) {
        return;
    }
    if (sim_chance(&f->random, 70)) {
        filter->exclude = !filter->exclude;
        filter->sources = 0;
    } else {
        filter->exclude = sim_chance(&f->random, 50);
        filter->sources = sim_random(&f->random, 4);
    }
    note(f, "s%d:%u group %d %s %u; ", sw + 1, port, g,
         filter->exclude ? "exclude" : "include", filter->sources);
    f->changed[sw][port][g] = true;
    sim_fabric_claim(f, false);
    sim_fabric_say_filter(f, sw, port, g, true);
}

static void
change_stream(struct sim_fabric *f)
{
    int i = (int) sim_random(&f->random, FABRIC_STREAMS);
    struct fabric_stream *s = &f->streams[i];

    if (!s->on || sim_chance(&f->random, 60)) {
        s->on = !s->on;
    } else {
        s->sw = any_switch(f);
        s->port = 1 + sim_random(&f->random, FABRIC_HOSTS);
    }
    s->is_new = true;
    note(f, "stream %d %s s%d:%u; ", i, s->on ? "from" : "off", s->sw + 1,
         s->port);
    sim_fabric_claim(f, false);
}

/* Cables. */

static void
set_port(struct sim_fabric *f, int sw, uint32_t port, bool up)
{
    if (f->wires.down[sw][port] == up) {
        f->wires.down[sw][port] = !up;
        fake_switch_set_port(f->wires.switches[sw], port, up);
    }
}

static void
change_cable(struct sim_fabric *f)
{
    int sw = any_switch(f);
    uint32_t port =
        FABRIC_HOSTS + 1 + sim_random(&f->random, WIRES_PORTS - FABRIC_HOSTS);
    struct wires_end peer = f->wires.peers[sw][port];

    if (peer.sw < 0 || f->dead[sw] || f->dead[peer.sw]) {
        return;
    }
    bool up = !wires_peer(&f->wires, sw, port);

    note(f, "cable s%d:%u=s%d:%u %s; ", sw + 1, port, peer.sw + 1, peer.port,
         up ? "up" : "down");
    f->gentle = false;
    /* It may flap before the controller knows, or come back when all switches
     * do as they are told; in between there are some ms, the round trip to a
     * switch, in which doubles cannot be excluded (doc/fabric.md). */
    if (up && f->n_turns != f->cut_at[sw][port]) {
        sim_net_settle(&f->net);
    }
    f->cut_at[sw][port] = f->cut_at[peer.sw][peer.port] = f->n_turns;
    set_port(f, sw, port, up);
    if (up || sim_chance(&f->random, 60)) {
        set_port(f, peer.sw, peer.port, up);
    }
    sim_fabric_claim(f, false);
}

/* Switches and the controller. */

static void
say_changes_again(struct sim_fabric *f)
{
    if (!sim_net_settle(&f->net)) {
        sim_fabric_fail(f, "switches do not settle");
    }
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
            for (int g = 0; g < FABRIC_GROUPS; g++) {
                if (f->changed[sw][port][g]) {
                    sim_fabric_say_filter(f, sw, port, g, true);
                }
            }
        }
    }
}

/* What its hosts wanted when it died may hold until they are heard. */
static void
allow_all_at(struct sim_fabric *f, int sw)
{
    for (int i = 0; i < FABRIC_STREAMS; i++) {
        for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
            f->claims[i][sw][port].ever = true;
        }
    }
}

static void
kill_or_revive(struct sim_fabric *f, int sw)
{
    bool up = f->dead[sw];

    note(f, "s%d %s; ", sw + 1, up ? "returns" : "dies");
    f->gentle = false;
    f->dead[sw] = !up;
    if (!up) {
        sim_net_disconnect(&f->net.switches[sw]);
        f->watching = false;
        fake_switch_wipe(f->wires.switches[sw]);
    }
    for (uint32_t port = 1; port <= WIRES_PORTS; port++) {
        const struct wires_end *peer = &f->wires.peers[sw][port];

        if (port <= FABRIC_HOSTS || peer->sw >= 0) {
            set_port(f, sw, port, up && (peer->sw < 0 || !f->dead[peer->sw]));
        }
        if (peer->sw >= 0 && !f->dead[peer->sw]) {
            set_port(f, peer->sw, peer->port, up);
        }
    }
    sim_fabric_claim(f, false);
    if (up) {
        allow_all_at(f, sw);
        fake_switch_ofctl(f->wires.switches[sw], "add-flow",
                          "table=100,cookie=0x1234,priority=7,udp,"
                          "actions=drop");
        sim_net_connect(&f->net.switches[sw]);
        sim_net_settle(&f->net);
        sim_fabric_say_all(f, sw);
        memset(f->changed[sw], true, sizeof f->changed[sw]);
    }
}

static void
restart_controller(struct sim_fabric *f)
{
    note(f, "controller restarts; ");
    /* It does not find its way back into the midst of a move. */
    f->gentle &= !sim_fabric_is_moving(f);
    sim_net_restart_controller(&f->net);
    ctl_set_event_listener(f->net.ctl, sim_fabric_trace, f);
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        if (!f->dead[sw]) {
            sim_net_connect(&f->net.switches[sw]);
        }
    }
    say_changes_again(f);
}

/* The tables forward on, others do this and that meanwhile. */
static void
lose_connection(struct sim_fabric *f)
{
    int sw = any_switch(f);

    if (f->dead[sw]) {
        return;
    }
    note(f, "s%d away; ", sw + 1);
    f->gentle &= !sim_fabric_is_moving(f);
    f->prompt = true;
    sim_net_disconnect(&f->net.switches[sw]);
    for (int n = (int) sim_random(&f->random, 3); n > 0; n--) {
        change_filter(f);
    }
    if (sim_chance(&f->random, 50)) {
        sim_net_settle(&f->net);
    }
    note(f, "s%d back; ", sw + 1);
    sim_net_connect(&f->net.switches[sw]);
    say_changes_again(f);
    f->prompt = false;
}

static void
one_event(struct sim_fabric *f)
{
    uint32_t dice = sim_random(&f->random, 100);

    if (dice < 66) {
        change_filter(f);
    } else if (dice < 80) {
        change_stream(f);
    } else if (dice < 91) {
        change_cable(f);
    } else if (dice < 94) {
        kill_or_revive(f, any_switch(f));
    } else if (dice < 98) {
        lose_connection(f);
    } else {
        restart_controller(f);
    }
}

static bool
never(void *aux)
{
    (void) aux;
    return false;
}

/* So that channels move to better trees, and other things happen before they
 * do, or while they are about it. */
static void
let_time_pass(struct sim_fabric *f)
{
    int64_t ms = sim_random(&f->random, 2 * FABRIC_HOLD_MS);

    if (sim_chance(&f->random, 30)) {
        sim_fabric_trace(f, "time passes", "");
        sim_net_wait(&f->net, never, f, ms);
    }
}

void
sim_fabric_step(struct sim_fabric *f)
{
    f->what[0] = '\0';
    for (int n = 1 + (int) sim_random(&f->random, 4); n > 0; n--) {
        let_time_pass(f);
        one_event(f);
    }
    sim_fabric_rest(f);
    sim_fabric_trace(f, "AT REST", "");
}
