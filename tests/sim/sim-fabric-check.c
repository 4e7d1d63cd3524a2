/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-fabric.h"

#include <stdarg.h>
#include <string.h>

#include "controller/view-fabric.h"

/* Holding the switches' tables against the model. */

enum { RESEND_TURNS = 20 };

static bool
is_entitled(const struct sim_fabric *f, int stream, int sw, uint32_t port)
{
    const struct fabric_stream *s = &f->streams[stream];

    return !f->dead[sw] && (s->sw != sw || s->port != port)
           && sim_fabric_gets(f, stream, sw, port);
}

void
sim_fabric_claim(struct sim_fabric *f, bool first)
{
    for (int i = 0; i < FABRIC_STREAMS; i++) {
        const struct fabric_stream *s = &f->streams[i];

        f->streams[i].is_new &= !first;
        for (int sw = 0; sw < f->wires.n_switches; sw++) {
            for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
                struct fabric_claim *c = &f->claims[i][sw][port];
                bool now = is_entitled(f, i, sw, port);

                /* Whoever sends may stop or move: then it is entitled, too. */
                c->ever = (!f->dead[sw] && sim_fabric_gets(f, i, sw, port))
                          || (!first && c->ever);
                c->always = now && s->on && !s->is_new && (first || c->always)
                            && wires_reach(&f->wires, s->sw, sw);
            }
        }
    }
}

/* Says 'what' of a walk that went wrong. */
static const char *
tell(const struct sim_fabric *f, const struct wires_walk *walk, char *text,
     size_t size, const char *name, const struct wires_end *end,
     const char *what)
{
    char way[2048];

    wires_walk_format(&f->wires, walk, way, sizeof way);
    snprintf(text, size, "%s: s%d:%u %s\n  way: %s", name, end->sw + 1,
             end->port, what, way);
    return text;
}

/* What may never be, whatever happens. */
static const char *
find_evil(const struct sim_fabric *f, const struct wires_walk *walk,
          char *text, size_t size, const char *name)
{
    struct wires_end end = {walk->steps[0].sw, walk->steps[0].in_port};

    return walk->looped
               ? tell(f, walk, text, size, name, &end, "starts a loop")
           : wires_walk_doubled(walk, &end)
               ? tell(f, walk, text, size, name, &end, "gets copies")
               : NULL;
}

static const char *
stream_name(int stream, char name[32])
{
    snprintf(name, 32, "stream %d", stream);
    return name;
}

static void
walk_stream(struct sim_fabric *f, int stream, struct wires_walk *walk)
{
    uint8_t frame[FABRIC_FRAME_SIZE];
    size_t size = sim_fabric_stream_frame(f, stream, frame);
    const struct fabric_stream *s = &f->streams[stream];

    f->n_walks++;
    wires_walk(&f->wires, s->sw, s->port, frame, size, walk);
}

static void
walk_arp(struct sim_fabric *f, const struct wires_end *from,
         struct wires_walk *walk)
{
    uint8_t frame[FABRIC_FRAME_SIZE];
    size_t size = sim_fabric_arp_frame(from, &f->asked, frame);

    f->n_walks++;
    wires_walk(&f->wires, from->sw, from->port, frame, size, walk);
}

static void
walk_unicast(struct sim_fabric *f, struct wires_walk *walk)
{
    uint8_t frame[FABRIC_FRAME_SIZE];
    size_t size = sim_fabric_unicast_frame(&f->asker, &f->asked, frame);

    f->n_walks++;
    wires_walk(&f->wires, f->asker.sw, f->asker.port, frame, size, walk);
}

/* At each change. */

static const char *
check_stream(struct sim_fabric *f, int stream, char *text, size_t size)
{
    struct wires_walk walk;
    char name[32];

    stream_name(stream, name);
    walk_stream(f, stream, &walk);
    if (find_evil(f, &walk, text, size, name)) {
        return text;
    }
    for (int sw = 0; f->watching && sw < f->wires.n_switches; sw++) {
        for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
            const struct fabric_claim *c = &f->claims[stream][sw][port];
            struct wires_end end = {sw, port};

            if (!c->ever && walk.arrived[sw][port]) {
                return tell(f, &walk, text, size, name, &end,
                            "is no member and gets one");
            }
            if (c->always && f->gentle && !walk.arrived[sw][port]) {
                return tell(f, &walk, text, size, name, &end,
                            "is a member and misses one");
            }
        }
    }
    return NULL;
}

void
sim_fabric_check(void *f_, struct sim_switch *s)
{
    struct sim_fabric *f = f_;
    struct wires_walk walk;
    char text[3072];
    const char *bad = NULL;

    for (int i = 0; !bad && i < FABRIC_STREAMS; i++) {
        bad = check_stream(f, i, text, sizeof text);
    }
    for (int i = 0; !bad && i < f->wires.n_switches * FABRIC_HOSTS; i++) {
        struct wires_end from = {i / FABRIC_HOSTS, 1 + i % FABRIC_HOSTS};

        walk_arp(f, &from, &walk);
        bad = find_evil(f, &walk, text, sizeof text, "broadcast");
    }
    if (!bad) {
        walk_unicast(f, &walk);
        bad = find_evil(f, &walk, text, sizeof text, "unicast");
    }
    if (bad && !f->problem[0]) {
        snprintf(f->problem, sizeof f->problem, "after a change of s%d: %s",
                 (int) (s - f->net.switches) + 1, bad);
        sim_fabric_trace(f, "WRONG", f->problem);
    }
}

/* At rest. */

/* Each port gets as many copies as 'wanted' says, no cable carries more than
 * is needed. */
static const char *
compare(const struct sim_fabric *f, const struct wires_walk *walk,
        bool wanted[FABRIC_SWITCHES][FABRIC_HOSTS + 1], const char *name,
        char *text, size_t size)
{
    struct wires_end end;

    if (find_evil(f, walk, text, size, name)) {
        return text;
    }
    for (end.sw = 0; end.sw < f->wires.n_switches; end.sw++) {
        for (end.port = 1; end.port <= FABRIC_HOSTS; end.port++) {
            if (walk->arrived[end.sw][end.port] != wanted[end.sw][end.port]) {
                return tell(f, walk, text, size, name, &end,
                            wanted[end.sw][end.port]
                                ? "misses it"
                                : "gets what it should not");
            }
        }
    }
    return wires_walk_wasted(walk, &end) ? tell(
               f, walk, text, size, name, &end, "gets it for nobody behind it")
                                         : NULL;
}

static const char *
compare_stream(struct sim_fabric *f, int stream, char *text, size_t size)
{
    const struct fabric_stream *s = &f->streams[stream];
    bool wanted[FABRIC_SWITCHES][FABRIC_HOSTS + 1] = {{false}};
    struct wires_walk walk;
    char name[32];

    if (!s->on || f->dead[s->sw]) {
        return NULL;
    }
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
            wanted[sw][port] = is_entitled(f, stream, sw, port)
                               && wires_reach(&f->wires, s->sw, sw);
        }
    }
    walk_stream(f, stream, &walk);
    /* Links carry it for whoever wants some source of its group. */
    for (int i = 0; stream == FABRIC_ROUTED && i < walk.n_steps; i++) {
        walk.steps[i].is_useful = true;
    }
    return compare(f, &walk, wanted, stream_name(stream, name), text, size);
}

static const char *
compare_arp(struct sim_fabric *f, const struct wires_end *from, char *text,
            size_t size)
{
    bool wanted[FABRIC_SWITCHES][FABRIC_HOSTS + 1] = {{false}};
    struct wires_walk walk;

    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        for (uint32_t port = 1; port <= FABRIC_HOSTS; port++) {
            wanted[sw][port] = !f->dead[sw] && !f->dead[from->sw]
                               && (sw != from->sw || port != from->port)
                               && wires_reach(&f->wires, from->sw, sw);
        }
    }
    walk_arp(f, from, &walk);
    /* To a switch whose hosts are all gone it may go: no waste. */
    for (int i = 0; i < walk.n_steps; i++) {
        walk.steps[i].is_useful = true;
    }
    return compare(f, &walk, wanted, "broadcast", text, size);
}

static const char *
compare_unicast(struct sim_fabric *f, char *text, size_t size)
{
    bool wanted[FABRIC_SWITCHES][FABRIC_HOSTS + 1] = {{false}};
    struct wires_walk walk;

    if (f->asker.sw == f->asked.sw && f->asker.port == f->asked.port) {
        return NULL;
    }
    wanted[f->asked.sw][f->asked.port] =
        !f->dead[f->asker.sw] && !f->dead[f->asked.sw]
        && wires_reach(&f->wires, f->asker.sw, f->asked.sw);
    if (!wanted[f->asked.sw][f->asked.port]) {
        return NULL; /* It may go as far as it can. */
    }
    walk_unicast(f, &walk);
    return compare(f, &walk, wanted, "unicast", text, size);
}

/* All but unicast. */
static const char *
compare_multicast(struct sim_fabric *f, char *text, size_t size)
{
    const char *bad = NULL;

    for (int i = 0; !bad && i < FABRIC_STREAMS; i++) {
        bad = compare_stream(f, i, text, size);
    }
    for (int i = 0; !bad && i < f->wires.n_switches * FABRIC_HOSTS; i++) {
        struct wires_end from = {i / FABRIC_HOSTS, 1 + i % FABRIC_HOSTS};

        bad = compare_arp(f, &from, text, size);
    }
    return bad;
}

static const char *
compare_all(struct sim_fabric *f, char *text, size_t size)
{
    const char *bad = compare_multicast(f, text, size);

    return bad || !f->is_fabric ? bad : compare_unicast(f, text, size);
}

/* Sources and those who talk go on doing so. */
static void
send_again(struct sim_fabric *f)
{
    uint8_t frame[FABRIC_FRAME_SIZE];

    for (int i = 0; i < FABRIC_STREAMS; i++) {
        if (f->streams[i].on) {
            sim_fabric_send(f, f->streams[i].sw, f->streams[i].port, frame,
                            sim_fabric_stream_frame(f, i, frame));
        }
    }
    sim_fabric_send(f, f->asker.sw, f->asker.port, frame,
                    sim_fabric_arp_frame(&f->asker, &f->asked, frame));
    sim_fabric_send(f, f->asker.sw, f->asker.port, frame,
                    sim_fabric_unicast_frame(&f->asker, &f->asked, frame));
}

/* Somebody who has left may still be a member for a moment, which no stream
 * shows that is off. */
struct leavers {
    struct sim_fabric *f;
    bool found;
};

static bool
wants_more(const struct sim_fabric *f, const struct view_member *m, int g)
{
    const struct fabric_filter *filter =
        &f->filters[m->port.dpid - 1][m->port.port_no][g];

    for (int k = -1; k < 2; k++) {
        struct ip_addr source = sim_fabric_source(2 * g + k);
        bool named = false;

        for (size_t i = 0; k >= 0 && i < m->n_sources; i++) {
            named |= ip_addr_equal(&m->sources[i], &source);
        }
        if (m->exclude != named && !sim_fabric_wants(filter, k)) {
            return true;
        }
    }
    return false;
}

static bool
look_for_leavers(void *l_, const struct view_group *view)
{
    struct leavers *l = l_;

    for (int g = 0; g < FABRIC_GROUPS; g++) {
        struct ip_addr group = sim_fabric_group(g);

        for (size_t i = 0;
             ip_addr_equal(&group, &view->group) && i < view->n_members; i++) {
            const struct view_member *m = &view->members[i];

            l->found |= m->port.port_no <= FABRIC_HOSTS
                        && !l->f->dead[m->port.dpid - 1]
                        && wants_more(l->f, m, g);
        }
    }
    return true;
}

/* Some channel is between one tree and another. */
bool
sim_fabric_is_moving(const struct sim_fabric *f)
{
    struct view_fabric view;

    view_fabric(f->net.ctl, &view);
    return view.n_draining || view.n_moving;
}

static bool
is_done(void *f_)
{
    struct sim_fabric *f = f_;
    struct leavers l = {.f = f};
    char text[3072];

    if (f->problem[0]) {
        return true;
    }
    if (f->n_turns % RESEND_TURNS == 0) {
        send_again(f);
    }
    view_groups(f->net.ctl, look_for_leavers, &l);
    return !l.found && !f->n_queued && !sim_fabric_is_moving(f)
           && !compare_all(f, text, sizeof text);
}

static void
check_foreign(struct sim_fabric *f)
{
    for (int sw = 0; sw < f->wires.n_switches; sw++) {
        char *flows = fake_switch_dump_flows(f->wires.switches[sw]);

        if (!f->dead[sw] && !strstr(flows, "table=100 cookie=0x1234")) {
            sim_fabric_fail(f, "somebody else's flow is gone");
        }
        free(flows);
    }
}

void
sim_fabric_rest(struct sim_fabric *f)
{
    char text[3072];
    /* What flows has been seen where it enters. */
    bool settled = sim_net_settle(&f->net);
    send_again(f);
    settled = settled && sim_net_settle(&f->net);
    bool done = settled && sim_net_wait(&f->net, is_done, f, FABRIC_WAIT_MS);

    /* What is right once must stay right.  But what moves in two steps, as
     * broadcasts do after the hold time, is away in between; and so is a way
     * that was there for others, until somebody asks for it. */
    if (done && !f->problem[0]) {
        settled = sim_net_settle(&f->net);
        if (!sim_fabric_is_moving(f)
            && compare_multicast(f, text, sizeof text)) {
            sim_fabric_fail(f, text);
        }
        done = sim_net_wait(&f->net, is_done, f, FABRIC_WAIT_MS);
    }
    if (f->problem[0]) {
        sim_fabric_fail(f, f->problem);
    } else if (!settled) {
        sim_fabric_fail(f, "switches do not settle");
    } else if (compare_all(f, text, sizeof text)) {
        sim_fabric_fail(f, text);
    } else if (!done) {
        sim_fabric_fail(f, "somebody who has left is still a member");
    }
    check_foreign(f);
    memset(f->changed, 0, sizeof f->changed);
    f->watching = f->gentle = true;
    f->asker.sw = (int) sim_random(&f->random, (uint32_t) f->wires.n_switches);
    f->asked.sw = (int) sim_random(&f->random, (uint32_t) f->wires.n_switches);
    f->asker.port = 1 + sim_random(&f->random, FABRIC_HOSTS);
    f->asked.port = 1 + sim_random(&f->random, FABRIC_HOSTS);
    sim_fabric_claim(f, true);
}
