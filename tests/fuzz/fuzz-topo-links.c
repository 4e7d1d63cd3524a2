/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A fabric's life out of bytes; see step().  Frames that were sent get to any
 * port, in any order, once or more often, whole or damaged.  All the same:
 *
 * - of two ports that are linked both say so, and both are links;
 * - links come and go exactly as they are told, and only between switches;
 * - roles change exactly as they are told;
 * - only ports that are up, of switches that are connected, send, only in
 *   topo_links_run(), and no more than there may be;
 * - a suspicion is told once a second a port;
 * - the deadline lies ahead after a run;
 * - nothing is left after all ports went. */

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "topo/topo-links.h"
#include "topo/topo-probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

enum { SWITCHES = 3, PORTS = 4, ALL = SWITCHES * PORTS, KEPT = 16 };
enum { MAX_STEPS = 400, BURST = 65 };

struct port {
    bool up, hosts, forbidden;
    enum topo_role role; /* As told. */
    int peer;            /* As told; -1: none. */
    int64_t suspect_at;
};

struct world {
    struct topo_links *l;
    struct topo_links_config config;
    struct wire_reader in;
    int64_t now, sent_since;
    int n_sent;
    bool running, connected[SWITCHES];
    struct port ports[ALL];
    size_t n_links;
    struct {
        uint8_t frame[TOPO_PROBE_SIZE];
        size_t size;
        int from;
    } kept[KEPT]; /* The last frames that were sent. */
    unsigned int n_kept;
};

static struct port_id
port_id(int p)
{
    return (struct port_id){.dpid = 1 + p / PORTS, .port_no = 1 + p % PORTS};
}

static int
index_of(const struct port_id *id)
{
    CHECK(id->dpid - 1 < SWITCHES && id->port_no - 1 < PORTS);
    return (int) ((id->dpid - 1) * PORTS + id->port_no - 1);
}

/* Ops. */

static void
sent(void *w_, const struct port_id *id, const void *frame, size_t size)
{
    struct world *w = w_;
    int p = index_of(id);
    unsigned int i = w->n_kept++ % KEPT;

    CHECK(w->running && w->ports[p].up && w->connected[p / PORTS]);
    CHECK(size <= TOPO_PROBE_SIZE);
    w->n_sent++;
    memcpy(w->kept[i].frame, frame, size);
    w->kept[i].size = size;
    w->kept[i].from = p;
}

static void
role_changed(void *w_, const struct port_id *id, enum topo_role role)
{
    struct world *w = w_;
    struct port *p = &w->ports[index_of(id)];

    CHECK(p->role != role && topo_links_role(w->l, id) == role);
    p->role = role;
}

static void
link_up(void *w_, const struct port_id *a, const struct port_id *b)
{
    struct world *w = w_;
    int i = index_of(a), j = index_of(b);

    CHECK(a->dpid < b->dpid);
    CHECK(w->ports[i].peer < 0 && w->ports[j].peer < 0);
    CHECK(!w->ports[i].forbidden && !w->ports[j].forbidden);
    CHECK(!w->ports[i].hosts && !w->ports[j].hosts);
    CHECK(w->connected[i / PORTS] && w->connected[j / PORTS]);
    w->ports[i].peer = j;
    w->ports[j].peer = i;
    w->n_links++;
}

static void
link_down(void *w_, const struct port_id *a, const struct port_id *b,
          enum topo_link_end why)
{
    struct world *w = w_;
    int i = index_of(a), j = index_of(b);

    CHECK(a->dpid < b->dpid && w->ports[i].peer == j);
    CHECK(strcmp(topo_link_end_name(why), "?"));
    w->ports[i].peer = w->ports[j].peer = -1;
    w->n_links--;
}

static void
suspect(void *w_, const struct port_id *id, enum topo_suspicion what)
{
    struct world *w = w_;
    struct port *p = &w->ports[index_of(id)];

    CHECK(p->up && strcmp(topo_suspicion_name(what), "?"));
    CHECK(p->suspect_at < 0 || w->now - p->suspect_at >= 1000);
    p->suspect_at = w->now;
}

static bool
has_hosts(void *w_, const struct port_id *id)
{
    struct world *w = w_;

    return w->ports[index_of(id)].hosts;
}

static bool
may_link(void *w_, const struct port_id *id)
{
    struct world *w = w_;

    return !w->ports[index_of(id)].forbidden;
}

/* Invariants. */

struct listed {
    const struct world *w;
    struct port_id before;
    size_t n;
};

static bool
check_link(void *listed_, const struct topo_link_view *v)
{
    struct listed *t = listed_;

    CHECK(t->w->ports[index_of(&v->a)].peer == index_of(&v->b));
    CHECK(v->since <= t->w->now);
    CHECK(!t->n || index_of(&t->before) < index_of(&v->a));
    t->before = v->a;
    t->n++;
    return true;
}

static void
check_all(const struct world *w)
{
    struct listed listed = {.w = w};

    for (int i = 0; i < ALL; i++) {
        const struct port *p = &w->ports[i];
        struct port_id id = port_id(i), peer;
        bool linked = topo_links_peer(w->l, &id, &peer);

        CHECK(topo_links_role(w->l, &id) == p->role);
        CHECK(linked == (p->peer >= 0));
        CHECK(!linked || (p->up && p->role == TOPO_ROLE_LINK));
        CHECK(!linked || index_of(&peer) == p->peer);
        CHECK(!linked || w->ports[p->peer].peer == i);
    }
    CHECK(topo_links_count(w->l) == w->n_links);
    topo_links_each(w->l, check_link, &listed);
    CHECK(listed.n == w->n_links);
}

/* Steps. */

static void
run(struct world *w)
{
    int before = w->n_sent;

    w->running = true;
    topo_links_run(w->l, w->now);
    w->running = false;
    CHECK(w->n_sent - before <= BURST);
    CHECK(topo_links_deadline(w->l) > w->now);
}

static void
step_time(struct world *w, unsigned int scale)
{
    static const int64_t scales[] = {1, 5, 100, 1000};
    int64_t end = w->now + wire_get_u8(&w->in) * scales[scale % 4];

    for (int turns = 0; turns < 200; turns++) {
        int64_t next = topo_links_deadline(w->l);

        if (next > end) {
            break;
        }
        w->now = next > w->now ? next : w->now;
        run(w);
    }
    w->now = end;
    run(w);
    CHECK(w->n_sent
          <= BURST + (w->now - w->sent_since + 1) * TOPO_PROBES_PER_S / 1000);
}

static void
step_frame(struct world *w, int p)
{
    unsigned int which = wire_get_u8(&w->in);
    unsigned int i = (w->n_kept - 1 - which % KEPT) % KEPT;
    struct port_id id = port_id(p);
    uint8_t frame[TOPO_PROBE_SIZE];

    if (!w->n_kept || !w->kept[i].size) {
        return;
    }
    memcpy(frame, w->kept[i].frame, sizeof frame);
    if (!memcmp(frame, &TOPO_ECHO_REQUEST_MAC, 6)) {
        memcpy(frame, &TOPO_ECHO_REPLY_MAC, 6);
        if (which & 0x40) {
            id = port_id(w->kept[i].from);
        }
    }
    if (which & 0x80) {
        frame[wire_get_u8(&w->in) % w->kept[i].size] ^= 1;
    }
    topo_links_input(w->l, &id, frame, w->kept[i].size, w->now);
}

static void
step_port(struct world *w, int p, unsigned int what)
{
    struct port *port = &w->ports[p];
    struct port_id id = port_id(p);

    if (what == 3 && port->up) {
        topo_links_port_down(w->l, &id, w->now);
        port->up = false;
        port->role = TOPO_ROLE_UNKNOWN;
        port->suspect_at = -1;
    } else if (what < 3 && w->connected[p / PORTS]) {
        port->up = true;
        topo_links_port_up(w->l, &id, (enum topo_role) what, w->now);
    }
}

static void
step_changed(struct world *w, int p, unsigned int what)
{
    struct port_id id = port_id(p);

    w->ports[p].hosts ^= what & 1;
    w->ports[p].forbidden ^= what >> 1 & 1;
    topo_links_port_changed(w->l, &id, w->now);
}

static void
step_switch(struct world *w, int s)
{
    if (w->connected[s]) {
        topo_links_switch_away(w->l, 1 + s, w->now);
    } else {
        topo_links_switch_up(w->l, 1 + s, w->now);
    }
    w->connected[s] = !w->connected[s];
}

static void
step_config(struct world *w, unsigned int key)
{
    w->config.key[0] = (uint8_t) (key & 1);
    w->config.probe_interval = wire_get_u8(&w->in) * 20;
    w->config.host_probe_interval = wire_get_u8(&w->in) * 200;
    topo_links_set_config(w->l, &w->config, w->now);
}

static void
step(struct world *w)
{
    unsigned int op = wire_get_u8(&w->in), arg = wire_get_u8(&w->in);
    int p = (int) (arg % ALL);

    switch (op & 7) {
    case 0:
    case 1:
    case 2:
        step_frame(w, p);
        break;
    case 3:
        step_time(w, arg);
        break;
    case 4:
        step_port(w, p, op >> 3 & 3);
        break;
    case 5:
        step_changed(w, p, op >> 3);
        break;
    case 6:
        step_switch(w, (int) (arg % SWITCHES));
        break;
    case 7:
        if (op & 8) {
            step_config(w, arg);
        } else {
            run(w);
        }
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct topo_links_ops ops = {
        .send = sent,
        .role_changed = role_changed,
        .link_up = link_up,
        .link_down = link_down,
        .suspect = suspect,
        .has_hosts = has_hosts,
        .may_link = may_link,
    };
    struct world w = {.now = 1000, .sent_since = 1000};

    wire_reader_init(&w.in, data, size);
    for (int p = 0; p < ALL; p++) {
        w.ports[p].peer = -1;
        w.ports[p].suspect_at = -1;
    }
    w.l = topo_links_create(&w.config, &ops, &w, 1, w.now);
    for (int s = 0; s < SWITCHES; s++) {
        step_switch(&w, s);
        step_port(&w, s * PORTS, 0);
        step_port(&w, s * PORTS + 1, 0);
    }
    for (int i = 0; i < MAX_STEPS && wire_left(&w.in); i++) {
        step(&w);
        check_all(&w);
    }
    for (int p = 0; p < ALL; p++) {
        step_port(&w, p, 3);
    }
    check_all(&w);
    CHECK(!w.n_links && !topo_links_is_searching(w.l));
    topo_links_destroy(w.l);
    return 0;
}
