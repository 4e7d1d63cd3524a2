/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/port-counters.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ctl-private.h"
#include "lib/xalloc.h"
#include "ofp/ofp-port-stats.h"
#include "ofp/ofp-session.h"

/* What had been lost at some time. */
struct lost {
    int64_t at; /* 0: not yet. */
    uint64_t rx, tx;
};

struct counted_port {
    UT_hash_handle hh; /* In port_counters.ports, by number. */
    uint32_t no;
    struct view_port_counters now;
    struct lost last, newer, older; /* Marks half of RECENT apart. */
};

struct port_counters {
    struct ctl_switch *sw;
    struct counted_port *ports;
    struct loop_timer timer;
    uint32_t n_asked;
    uint32_t xid; /* Of the request that is to be answered; 0: none. */
    int64_t asked;
    bool refused; /* The switch does not count. */
};

static void
forget(struct port_counters *pc, struct counted_port *p)
{
    HASH_DEL(pc->ports, p);
    free(p);
}

static size_t
n_ports(const struct ctl_switch *sw)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    return ts ? ts->n_ports : 0;
}

/* Asking. */

static void
ask(struct port_counters *pc, int64_t now)
{
    uint8_t bytes[32];
    struct wire_writer w;
    pc->xid = OFP_PORT_STATS_XID + pc->n_asked++ % OFP_PORT_STATS_XIDS;
    pc->asked = now;
    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_port_stats_put_request(&w, pc->xid);
    ofp_session_send(conn_session(pc->sw->conn), w.data, w.at);
}

static void
timer_cb(void *pc_, int64_t now)
{
    struct port_counters *pc = pc_;
    if (pc->refused) {
        return;
    }
    if (!pc->xid || now - pc->asked >= PORT_COUNTERS_ANSWER_MS) {
        ask(pc, now);
    }
    loop_timer_set(pc->sw->ctl->loop, &pc->timer,
                   now + PORT_COUNTERS_MS
                       + (int64_t) n_ports(pc->sw) * PORT_COUNTERS_PORT_MS);
}

/* Answers. */

static uint64_t
known(uint64_t n)
{
    return n == VIEW_NOT_COUNTED ? 0 : n;
}

/* Marks move on so that there is always one that is old enough.  A counter
 * that goes backwards began anew. */
static void
mark(struct counted_port *p, int64_t now)
{
    const struct view_port_counters *c = &p->now;
    struct lost lost = {.at = now,
                        .rx = known(c->rx_dropped) + known(c->rx_errors),
                        .tx = known(c->tx_dropped) + known(c->tx_errors)};
    if (!p->last.at || lost.rx < p->last.rx || lost.tx < p->last.tx) {
        p->newer = p->older = lost;
    } else if (now - p->newer.at >= PORT_COUNTERS_RECENT_MS / 2) {
        p->older = p->newer;
        p->newer = lost;
    }
    p->last = lost;
}

static void
take(struct port_counters *pc, const struct ofp_port_stats *s, int64_t now)
{
    struct port_id id = {pc->sw->dpid, s->no};
    struct counted_port *p;
    if (!topo_lookup_port(pc->sw->ctl->topo, &id)) {
        return;
    }
    HASH_FIND(hh, pc->ports, &s->no, sizeof s->no, p);
    if (!p) {
        p = xcalloc(1, sizeof *p);
        p->no = s->no;
        HASH_ADD(hh, pc->ports, no, sizeof p->no, p);
    }
    p->now = (struct view_port_counters){.rx_packets = s->rx_packets,
                                         .tx_packets = s->tx_packets,
                                         .rx_bytes = s->rx_bytes,
                                         .tx_bytes = s->tx_bytes,
                                         .rx_dropped = s->rx_dropped,
                                         .tx_dropped = s->tx_dropped,
                                         .rx_errors = s->rx_errors,
                                         .tx_errors = s->tx_errors};
    mark(p, now);
}

bool
port_counters_input(struct ctl_switch *sw, const void *msg, size_t size)
{
    struct port_counters *pc = sw->port_counters;
    struct ofp_port_stats_reply reply;
    struct ofp_port_stats s;
    int64_t now = loop_now(sw->ctl->loop);
    if (!pc->xid) {
        return false;
    }
    switch (ofp_port_stats_open(msg, size, pc->xid, &reply)) {
    case OFP_PORT_STATS_NONE:
        return false;
    case OFP_PORT_STATS_REFUSED:
        pc->refused = true;
        pc->xid = 0;
        return true;
    case OFP_PORT_STATS_REPLY:
        break;
    }
    while (ofp_port_stats_next(&reply, &s)) {
        take(pc, &s, now);
    }
    if (!reply.more) {
        pc->xid = 0;
    }
    return true;
}

/* Life. */

void
port_counters_create(struct ctl_switch *sw)
{
    struct port_counters *pc = xcalloc(1, sizeof *pc);
    pc->sw = sw;
    loop_timer_init(&pc->timer, timer_cb, pc);
    sw->port_counters = pc;
}

void
port_counters_destroy(struct ctl_switch *sw)
{
    struct port_counters *pc = sw->port_counters;
    struct counted_port *p, *tmp;
    loop_timer_clear(sw->ctl->loop, &pc->timer);
    HASH_ITER (hh, pc->ports, p, tmp) {
        forget(pc, p);
    }
    free(pc);
}

/* At once, so that there is something to show and to compare with. */
void
port_counters_connected(struct ctl_switch *sw)
{
    struct port_counters *pc = sw->port_counters;
    pc->refused = false;
    pc->xid = 0;
    timer_cb(pc, loop_now(sw->ctl->loop));
}

void
port_counters_closed(struct ctl_switch *sw)
{
    struct port_counters *pc = sw->port_counters;
    struct counted_port *p, *tmp;
    loop_timer_clear(sw->ctl->loop, &pc->timer);
    HASH_ITER (hh, pc->ports, p, tmp) {
        forget(pc, p);
    }
}

void
port_counters_port_gone(struct ctl_switch *sw, uint32_t no)
{
    struct counted_port *p;
    HASH_FIND(hh, sw->port_counters->ports, &no, sizeof no, p);
    if (p) {
        forget(sw->port_counters, p);
    }
}

/* Reading. */

static const struct counted_port *
find(const struct ctl *ctl, const struct port_id *id)
{
    const struct ctl_switch *sw = switch_lookup(ctl, id->dpid);
    uint32_t no = port_id_no(id);
    struct counted_port *p = NULL;
    if (sw) {
        HASH_FIND(hh, sw->port_counters->ports, &no, sizeof no, p);
    }
    return p;
}

const struct view_port_counters *
port_counters_get(const struct ctl *ctl, const struct port_id *id)
{
    const struct counted_port *p = find(ctl, id);
    return p ? &p->now : NULL;
}

bool
port_counters_losses(const struct ctl *ctl, const struct port_id *id,
                     struct port_losses *losses)
{
    const struct counted_port *p = find(ctl, id);
    if (!p) {
        return false;
    }
    *losses = (struct port_losses){.rx = p->last.rx - p->older.rx,
                                   .tx = p->last.tx - p->older.tx,
                                   .ms = p->last.at - p->older.at};
    return true;
}
