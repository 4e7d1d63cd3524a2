/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The fabric: its switches and ports, and the turn in which what depends on
 * links and roles follows. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/log.h"
#include "lib/xalloc.h"
#include "topo/topo-probe.h"

VLOG_DEFINE_THIS_MODULE(fabric);

enum {
    SHRINK_MS = 2,     /* A switch that dies takes all its links along. */
    GROW_MS = 50,      /* Additions wait so long for others... */
    GROW_MAX_MS = 500, /* ...but not longer than that. */
    SETTLE_CHECK_MS = 50,
    RESTART_MS = 15000, /* A daemon is new for so long. */
    FORGET_MS = 25000,  /* By then sources have been searched for: see
                         * RESTORE_QUIET_MS. */
    MOVE_MS = 20        /* Between two moves. */
};

uint32_t
fabric_node(const struct fabric *f, uint64_t dpid)
{
    return topo_net_find(f->net, dpid);
}

struct ctl_switch *
fabric_switch(const struct fabric *f, uint32_t node)
{
    return switch_lookup(f->ctl, topo_net_dpid(f->net, node));
}

uint32_t
fabric_n_edges(const struct fabric *f, uint32_t node)
{
    const struct ctl_switch *sw = fabric_switch(f, node);
    return sw ? sw->n_edges : 0;
}

/* Neither linked nor connected: what it holds does nothing. */
static bool
is_dead(const struct fabric *f, uint32_t node)
{
    size_t n;
    topo_net_hops(f->net, node, &n);
    return !n && topo_net_is_away(f->net, node);
}

static bool
is_up(const struct fabric *f, const struct topo_span_hop *hop)
{
    const struct port_id id = {topo_net_dpid(f->net, hop->node), hop->port};
    const struct topo_port *port = topo_lookup_port(f->ctl->topo, &id);
    return port && port->up;
}

/* One that is down carries nothing; one that flaps is up again before trees go
 * round it, and its switches still send over it. */
static bool
may_carry(const struct fabric *f, const struct ghost_link *g)
{
    return !is_dead(f, g->a.node) && !is_dead(f, g->b.node)
           && (g->until != UINT64_MAX || (is_up(f, &g->a) && is_up(f, &g->b)));
}

bool
fabric_hop_peer(void *f_, const struct topo_span_hop *hop,
                struct topo_span_hop *peer)
{
    const struct fabric *f = f_;
    const struct topo_hop *h = topo_net_hop(f->net, hop->node, hop->port);
    if (h) {
        *peer = (struct topo_span_hop){h->peer, h->peer_port};
        return true;
    }
    for (size_t i = 0; i < f->n_ghosts; i++) {
        const struct ghost_link *g = &f->ghosts[i];
        if ((!hop_compare(&g->a, hop) || !hop_compare(&g->b, hop))
            && may_carry(f, g)) {
            *peer = hop_compare(&g->a, hop) ? g->a : g->b;
            return true;
        }
    }
    return false;
}

/* One without links cannot be reached by packets either. */
bool
fabric_is_away(const struct fabric *f, uint32_t node)
{
    size_t n = 0;
    if (topo_net_is_away(f->net, node)) {
        topo_net_hops(f->net, node, &n);
    }
    return n > 0;
}

struct fabric_port *
fabric_port_get(struct fabric *f, const struct port_id *id)
{
    struct fabric_port *port;
    HASH_FIND(hh, f->ports, id, sizeof *id, port);
    if (!port) {
        port = xcalloc(1, sizeof *port);
        port->id = *id;
        HASH_ADD(hh, f->ports, id, sizeof port->id, port);
    }
    return port;
}

static void
forget_port(struct fabric *f, struct fabric_port *port)
{
    HASH_DELETE(hh, f->ports, port);
    free(port->admitted);
    free(port);
}

void
fabric_changed(struct fabric *f)
{
    int64_t hold = f->ctl->config->fabric.hold_time;
    loop_timer_set(f->ctl->loop, &f->hold_timer,
                   loop_now(f->ctl->loop) + hold);
    f->moving = NULL;
    f->n_to_move = 0;
}

void
fabric_grow(struct fabric *f)
{
    int64_t now = loop_now(f->ctl->loop);
    if (!f->grown) {
        f->grown = true;
        f->grow_by = now + GROW_MAX_MS;
    }
    int64_t at = now + GROW_MS < f->grow_by ? now + GROW_MS : f->grow_by;
    loop_timer_set(f->ctl->loop, &f->grow_timer, at);
    fabric_changed(f);
}

void
fabric_shrink(struct fabric *f)
{
    int64_t now = loop_now(f->ctl->loop);
    if (!f->shrunk) {
        f->shrunk = true;
        f->shrink_at = now + SHRINK_MS;
        loop_timer_set(f->ctl->loop, &f->shrink_timer, f->shrink_at);
    }
    fabric_changed(f);
}

/* Trees are made for parts of the net as they were found: a link between two
 * of them must not be there before the parts are found anew, or a tree of each
 * would reach the nodes of both. */
static bool
add_link(void *f_, const struct topo_link_view *link)
{
    struct fabric *f = f_;
    if (fabric_link_is_open(f, &link->a, &link->b)) {
        topo_net_link(f->net, link->a.dpid, (uint32_t) link->a.port_no,
                      link->b.dpid, (uint32_t) link->b.port_no);
    }
    return true;
}

static void
set_links_timer(struct fabric *f)
{
    loop_timer_set(f->ctl->loop, &f->links_timer,
                   topo_links_deadline(f->links));
}

/* Timers. */

/* Of links, new ones too, and of growth.  In the turn: what has come in
 * meanwhile counts before anything is missed. */
static void
turn_timer_cb(void *f_, int64_t now)
{
    struct fabric *f = f_;
    (void) now;
    loop_want_turn(f->ctl->loop);
}

static void
hold_timer_cb(void *f_, int64_t now)
{
    struct fabric *f = f_;
    if (trees_rebalance(f)) {
        loop_timer_set(f->ctl->loop, &f->hold_timer, now + MOVE_MS);
    }
}

static void
settle(struct fabric *f)
{
    f->settled = true;
    f->grown = true;
    f->grow_by = 0;
    for (struct spread *s = f->spreads; s; s = s->hh.next) {
        spread_mark(s);
    }
    VLOG_INFO("%zu links are known: trees follow the net from now on",
              topo_links_count(f->links));
    ctl_event(f->ctl, "fabric.settled", "{\"links\":%zu}",
              topo_links_count(f->links));
    loop_want_turn(f->ctl->loop);
}

static void
forget_timer_cb(void *f_, int64_t now)
{
    struct fabric *f = f_;
    (void) now;
    for (struct spread *s = f->spreads; s; s = s->hh.next) {
        spread_forget_restored(s);
    }
}

static void
settle_timer_cb(void *f_, int64_t now)
{
    struct fabric *f = f_;
    if (now >= f->settle_by || !topo_links_is_searching(f->links)) {
        settle(f);
    } else {
        loop_timer_set(f->ctl->loop, &f->settle_timer, now + SETTLE_CHECK_MS);
    }
}

/* Life. */

static void
random_bytes(void *out, size_t size)
{
    if (getrandom(out, size, 0) != (ssize_t) size) {
        VLOG_FATAL("no random numbers are to be had");
    }
}

static struct topo_links_config
links_config(const struct config *config)
{
    struct topo_links_config c = {
        .probe_interval = config->fabric.probe_interval,
        .host_probe_interval = config->fabric.host_probe_interval,
        .echo_interval = config->fabric.echo_interval};
    return c;
}

void
fabric_create(struct ctl *ctl)
{
    struct fabric *f = xcalloc(1, sizeof *f);
    struct topo_links_config config = links_config(ctl->config);
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    random_bytes(f->key, sizeof f->key);
    memcpy(config.key, f->key, sizeof config.key);
    f->ctl = ctl;
    f->net = topo_net_create();
    f->links = topo_links_create(&config, &fabric_links_ops, f, seed,
                                 loop_now(ctl->loop));
    f->settled = true;
    loop_timer_init(&f->links_timer, turn_timer_cb, f);
    loop_timer_init(&f->grow_timer, turn_timer_cb, f);
    loop_timer_init(&f->shrink_timer, turn_timer_cb, f);
    loop_timer_init(&f->hold_timer, hold_timer_cb, f);
    loop_timer_init(&f->settle_timer, settle_timer_cb, f);
    loop_timer_init(&f->forget_timer, forget_timer_cb, f);
    loop_timer_init(&f->open_timer, turn_timer_cb, f);
    ctl->fabric = f;
}

void
fabric_destroy(struct ctl *ctl)
{
    struct fabric *f = ctl->fabric;
    if (!f) {
        return;
    }
    loop_timer_clear(ctl->loop, &f->links_timer);
    loop_timer_clear(ctl->loop, &f->grow_timer);
    loop_timer_clear(ctl->loop, &f->shrink_timer);
    loop_timer_clear(ctl->loop, &f->hold_timer);
    loop_timer_clear(ctl->loop, &f->settle_timer);
    loop_timer_clear(ctl->loop, &f->forget_timer);
    fabric_new_links_uninit(f);
    struct spread *s, *next;
    HASH_ITER (hh, f->spreads, s, next) {
        spread_destroy(s);
    }
    drains_destroy(f);
    trees_destroy(f);
    hosts_destroy(f);
    struct fabric_port *port, *tmp;
    HASH_ITER (hh, f->ports, port, tmp) {
        forget_port(f, port);
    }
    topo_span_scratch_uninit(&f->scratch);
    topo_roots_destroy(f->roots);
    topo_links_destroy(f->links);
    topo_net_destroy(f->net);
    free(f->part_names);
    free(f->ghosts);
    free(f);
    ctl->fabric = NULL;
}

void
fabric_reconfigure(struct ctl *ctl)
{
    struct fabric *f = ctl->fabric;
    if (!f) {
        return;
    }
    struct topo_links_config config = links_config(ctl->config);
    memcpy(config.key, f->key, sizeof config.key);
    topo_links_set_config(f->links, &config, loop_now(ctl->loop));
    struct fabric_port *port, *tmp;
    HASH_ITER (hh, f->ports, port, tmp) {
        struct ctl_switch *sw = switch_lookup(ctl, port->id.dpid);
        topo_links_port_changed(f->links, &port->id, loop_now(ctl->loop));
        if (sw && topo_lookup_port(ctl->topo, &port->id)) {
            admit_set_role(sw, (uint32_t) port->id.port_no,
                           topo_links_role(f->links, &port->id));
        }
    }
    for (struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
        l2_set_flood(sw);
        channels_mark_all(sw); /* Access ports may be others. */
    }
    set_links_timer(f);
}

/* The turn's part. */
void
fabric_run(struct ctl *ctl)
{
    struct fabric *f = ctl->fabric;
    if (!f) {
        return;
    }
    int64_t now = loop_now(ctl->loop);
    if (now >= topo_links_deadline(f->links)) {
        topo_links_run(f->links, now);
    }
    set_links_timer(f);
    bool due = f->grown && (!f->grow_timer.node.place || now >= f->grow_by);
    bool lost = f->shrunk && now >= f->shrink_at;
    if (f->settled && (lost || due)) {
        f->shrunk = f->grown = false;
        loop_timer_clear(ctl->loop, &f->grow_timer);
        loop_timer_clear(ctl->loop, &f->shrink_timer);
        topo_links_each(f->links, add_link, f);
        trees_run(f);
    }
    spreads_compile(f);
    if (lost) {
        drain_follows(f);
    }
}

void
fabric_turn_ends(struct ctl *ctl)
{
    if (ctl->fabric) {
        drain_begin(ctl->fabric);
        fabric_new_links_run(ctl->fabric);
    }
}

/* Switches. */

void
fabric_switch_connected(struct ctl_switch *sw)
{
    struct fabric *f = sw->ctl->fabric;
    if (f) {
        topo_net_set_away(f->net, topo_net_add(f->net, sw->dpid), false);
        fabric_grow(f);
    }
}

/* Those who had to take the switch as it was can tell it now. */
static void
thaw(struct fabric *f)
{
    for (struct spread *s = f->spreads; s && f->n_frozen; s = s->hh.next) {
        if (s->frozen) {
            spread_mark(s);
        }
    }
}

static bool
start_port(struct fabric *f, const struct ctl_switch *sw,
           const struct topo_port *port)
{
    struct port_id id = {sw->dpid, port->no};
    struct fabric_port *p = fabric_port_get(f, &id);
    enum topo_role before = p->before;
    p->before = TOPO_ROLE_UNKNOWN;
    /* A restarted daemon goes on with links as it finds them. */
    p->open |= port->up && before == TOPO_ROLE_LINK && !sw->known;
    if (port->up) {
        topo_links_port_up(f->links, &id, before, loop_now(f->ctl->loop));
    }
    return port->up && before == TOPO_ROLE_LINK;
}

void
fabric_switch_synced(struct ctl_switch *sw)
{
    struct fabric *f = sw->ctl->fabric;
    int64_t now = loop_now(sw->ctl->loop);
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    bool restored = false;
    topo_links_switch_up(f->links, sw->dpid, now);
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        restored |= start_port(f, sw, ts->ports[i]);
    }
    if (restored && !sw->known && now - sw->ctl->started < RESTART_MS) {
        /* Not put off again by each switch that comes. */
        f->settle_by = f->settled ? now + 2 * TOPO_ORPHAN_MS : f->settle_by;
        f->settled = false;
        loop_timer_set(f->ctl->loop, &f->settle_timer, now + SETTLE_CHECK_MS);
        loop_timer_set(f->ctl->loop, &f->forget_timer, now + FORGET_MS);
    }
    thaw(f);
    set_links_timer(f);
}

void
fabric_switch_closed(struct ctl_switch *sw)
{
    struct fabric *f = sw->ctl->fabric;
    if (f) {
        uint32_t node = fabric_node(f, sw->dpid);
        topo_net_set_away(f->net, node, true);
        topo_links_switch_away(f->links, sw->dpid, loop_now(f->ctl->loop));
        set_links_timer(f);
        drains_settled(f, sw);
        fabric_shrink(f);
    }
}

void
fabric_switch_settled(struct ctl_switch *sw)
{
    if (sw->ctl->fabric) {
        drains_settled(sw->ctl->fabric, sw);
    }
}

/* Ports. */

void
fabric_port_up(struct ctl_switch *sw, const struct port_id *port)
{
    struct fabric *f = sw->ctl->fabric;
    if (f) {
        topo_links_port_up(f->links, port, TOPO_ROLE_UNKNOWN,
                           loop_now(f->ctl->loop));
        set_links_timer(f);
    }
}

void
fabric_port_down(struct ctl_switch *sw, const struct port_id *port)
{
    struct fabric *f = sw->ctl->fabric;
    if (f) {
        topo_links_port_down(f->links, port, loop_now(f->ctl->loop));
        fabric_links_ops.role_changed(f, port, TOPO_ROLE_UNKNOWN);
        hosts_port_down(f, port);
        set_links_timer(f);
        if (!topo_lookup_port(f->ctl->topo, port)) {
            forget_port(f, fabric_port_get(f, port));
        }
    }
}

void
fabric_adopt_role(struct ctl_switch *sw, uint32_t port, enum topo_role role)
{
    struct port_id id = {sw->dpid, port};
    if (sw->ctl->fabric) {
        fabric_port_get(sw->ctl->fabric, &id)->before = role;
    }
}

enum topo_role
fabric_found_role(const struct ctl_switch *sw, uint32_t port)
{
    struct port_id id = {sw->dpid, port};
    struct fabric *f = sw->ctl->fabric;
    return f ? fabric_port_get(f, &id)->before : TOPO_ROLE_EDGE;
}

bool
fabric_knows_ports(const struct ctl_switch *sw)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    bool known = true;
    for (size_t i = 0; sw->ctl->fabric && ts && i < ts->n_ports; i++) {
        struct port_id id = {sw->dpid, ts->ports[i]->no};
        known &= !ts->ports[i]->up
                 || fabric_role(sw->ctl, &id) != TOPO_ROLE_UNKNOWN;
    }
    return known;
}

enum topo_role
fabric_role(const struct ctl *ctl, const struct port_id *port)
{
    return ctl->fabric ? topo_links_role(ctl->fabric->links, port)
                       : TOPO_ROLE_EDGE;
}

bool
fabric_input(struct ctl *ctl, const struct port_id *port, const uint8_t *frame,
             size_t size)
{
    struct fabric *f = ctl->fabric;
    const uint8_t *type = frame + 12;
    if (!f || size < 14) {
        return false;
    }
    uint16_t eth_type = (uint16_t) (type[0] << 8 | type[1]);
    if (eth_type != TOPO_ETH_TYPE_LLDP && eth_type != TOPO_ETH_TYPE_ECHO) {
        return false;
    }
    topo_links_input(f->links, port, frame, size, loop_now(ctl->loop));
    set_links_timer(f);
    return true;
}
