/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-links-private.h"

static void
suspect(struct topo_links *l, struct topo_links_port *p,
        enum topo_suspicion what, int64_t now)
{
    if (p->suspect_at != INT64_MIN && now - p->suspect_at < TOPO_SUSPECT_MS) {
        return;
    }
    p->suspect_at = now;
    l->ops->suspect(l->aux, &p->id, what);
}

/* May the port become the end of a link? */
static bool
is_free(const struct topo_links *l, const struct topo_links_port *p,
        enum topo_suspicion *why)
{
    if (!l->ops->may_link(l->aux, &p->id)) {
        *why = TOPO_SUSPECT_FORBIDDEN;
        return false;
    }
    if (l->ops->has_hosts(l->aux, &p->id)) {
        *why = TOPO_SUSPECT_HOST_PORT;
        return false;
    }
    return true;
}

static int64_t
slowest(const struct topo_links *l)
{
    const struct topo_links_config *c = &l->config;

    return c->probe_interval > c->host_probe_interval ? c->probe_interval
                                                      : c->host_probe_interval;
}

/* A switch is known to be behind the port: until it has missed probes that
 * come each 'interval'. */
static void
keep(struct topo_links *l, struct topo_links_port *p, int64_t interval,
     int64_t now)
{
    p->keep_until = now + TOPO_MISSES * interval + TOPO_SETTLE_MS;
    topo_pace_plan(l, p);
}

/* Has 'p' heard 'q', and lately? */
static bool
has_heard(const struct topo_links_port *p, const struct topo_links_port *q,
          int64_t now)
{
    return p->heard.at != INT64_MIN && p->heard.is_believed
           && now - p->heard.at <= TOPO_PROBE_LIFE_MS
           && p->heard.born == q->born
           && port_id_equal(&p->heard.from, &q->id);
}

/* Links. */

static void
attach(struct topo_links *l, struct topo_links_port *p,
       struct topo_links_port *q, int64_t now)
{
    p->peer = q;
    p->since = p->peer_heard = now;
    p->missed = 0;
    p->is_awaited = p->is_confirming = p->is_looped = false;
    p->patience = 0;
    p->n_fast = TOPO_FAST;
    timer_heap_cancel(&l->roles, &p->role_timer);
    topo_pace_stop_echo(l, p);
}

static void
link_up(struct topo_links *l, struct topo_links_port *p,
        struct topo_links_port *q, int64_t now)
{
    bool is_first = p->id.dpid < q->id.dpid;

    attach(l, p, q, now);
    attach(l, q, p, now);
    l->n_links++;
    topo_links_set_role(l, p, TOPO_ROLE_LINK);
    topo_links_set_role(l, q, TOPO_ROLE_LINK);
    l->ops->link_up(l->aux, is_first ? &p->id : &q->id,
                    is_first ? &q->id : &p->id);
}

/* Both have heard each other.  What they had before goes. */
static void
connect_ports(struct topo_links *l, struct topo_links_port *p,
              struct topo_links_port *q, int64_t now)
{
    enum topo_suspicion why;

    if (p->held_until || q->held_until) {
        return;
    }
    if (!is_free(l, q, &why)) {
        suspect(l, q, why, now);
        return;
    }
    if (p->peer) {
        topo_links_end(l, p, TOPO_LINK_RECABLED, now);
    }
    if (q->peer) {
        topo_links_end(l, q, TOPO_LINK_RECABLED, now);
    }
    if (!p->held_until && !q->held_until) {
        link_up(l, p, q, now);
    }
}

/* The switch's own probe: 'p' and 'from' are one loop. */
static void
block(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    if (p->peer) {
        return; /* One odd probe does not end a link. */
    }
    keep(l, p, l->config.probe_interval, now);
    p->is_looped = true;
    p->patience = 0;
    timer_heap_set(&l->roles, &p->role_timer,
                   p->held_until > p->keep_until ? p->held_until
                                                 : p->keep_until);
    topo_links_set_role(l, p, TOPO_ROLE_LINK);
}

/* A probe of the port at the other end of the link. */
static void
hear_peer(struct topo_links *l, struct topo_links_port *p, bool is_newest,
          int64_t now)
{
    struct topo_links_port *q = p->peer;

    p->peer_heard = now;
    q->missed = 0;
    q->is_awaited = q->is_awaited && !is_newest;
    if (p->is_confirming && q->peer_heard >= p->confirm_since) {
        p->is_confirming = q->is_confirming = false;
        p->patience = q->patience = 0;
        timer_heap_cancel(&l->roles, &p->role_timer);
        timer_heap_cancel(&l->roles, &q->role_timer);
    }
}

/* A good probe of 'q' at 'p' that is believed, and not the peer's. */
static void
believe(struct topo_links *l, struct topo_links_port *p,
        struct topo_links_port *q, bool is_news, int64_t now)
{
    if (has_heard(p, q, now) && has_heard(q, p, now)) {
        connect_ports(l, p, q, now);
    } else if (!p->held_until) {
        if (is_news && !p->peer) {
            p->n_fast = 0; /* One probe may be lost. */
        }
        topo_pace_react(l, p, now);
    }
}

static void
hear(struct topo_links *l, struct topo_links_port *p,
     struct topo_links_port *q, bool is_newest, int64_t now)
{
    bool is_news = !has_heard(p, q, now);
    enum topo_suspicion why;

    if (p->peer && p->peer == q) {
        hear_peer(l, p, is_newest, now);
    }
    p->heard = (struct topo_heard){.from = q->id, .born = q->born, .at = now};
    if (p->peer == q) {
        p->heard.is_believed = true;
    } else if (!is_free(l, p, &why)) {
        suspect(l, p, why, now);
    } else if (p->sw == q->sw) {
        suspect(l, p, TOPO_SUSPECT_SELF, now);
        block(l, p, now);
        if (p != q && is_free(l, q, &why)) {
            block(l, q, now);
        }
    } else if (!q->sw->away) {
        p->heard.is_believed = true;
        if (is_free(l, q, &why)) {
            /* A port that is heard, and hears nothing (yet). */
            keep(l, q, l->config.probe_interval, now);
            keep(l, p, l->config.probe_interval, now);
        } else {
            /* That one stays an edge, and slow. */
            keep(l, p, slowest(l), now);
        }
        believe(l, p, q, is_news, now);
    }
}

static void
hear_echo(struct topo_links *l, struct topo_links_port *p,
          const struct topo_sent *sent, int64_t now)
{
    int later = topo_pace_later(p, sent);

    l->counters.echoes_received++;
    p->n_unanswered = later < p->n_unanswered ? later : p->n_unanswered;
    if (!p->peer && now + TOPO_ORPHAN_MS > p->keep_until) {
        p->keep_until = now + TOPO_ORPHAN_MS;
    }
}

/* What was said of the port before may no longer stand in the way. */
void
topo_hear_changed(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    struct topo_links_port *q = NULL;
    enum topo_suspicion why;

    if (p->peer || p->sw->away || p->heard.at == INT64_MIN
        || p->heard.is_believed || !is_free(l, p, &why)) {
        return;
    }
    q = topo_links_find(l, &p->heard.from);
    if (!q || q->born != p->heard.born || q->sw == p->sw) {
        topo_pace_start(l, p);
        return;
    }
    p->heard.is_believed = true;
    keep(l, p, l->config.probe_interval, now);
    topo_pace_start(l, p);
    if (!q->peer) {
        topo_pace_start(l, q);
    }
}

enum topo_input
topo_links_input(struct topo_links *l, const struct port_id *at,
                 const void *frame, size_t size, int64_t now)
{
    struct topo_links_port *p = topo_links_find(l, at), *from;
    struct topo_sent *sent = NULL;
    struct topo_probe probe;
    bool is_echo;

    switch (topo_probe_decode(frame, size, l->config.key, &probe)) {
    case TOPO_PROBE_FOREIGN:
        l->counters.foreign++;
        return TOPO_INPUT_FOREIGN;
    case TOPO_PROBE_FORGED:
        l->counters.forged++;
        if (p) {
            suspect(l, p, TOPO_SUSPECT_FORGED, now);
        }
        return TOPO_INPUT_OK;
    case TOPO_PROBE_OK:
        break;
    }
    is_echo = probe.kind == TOPO_PROBE_ECHO;
    from = topo_links_find(l, &probe.from);
    if (from && (!is_echo || from == p)) {
        sent = topo_pace_find(from, probe.number, is_echo, now);
    }
    if (!sent) {
        /* A port that is down has been forgotten: its last probe may still
         * have been on its way. */
        l->counters.replayed++;
        if (p && from) {
            suspect(l, p, TOPO_SUSPECT_REPLAYED, now);
        }
        return TOPO_INPUT_OK;
    }
    sent->is_received = true;
    if (is_echo) {
        hear_echo(l, p, sent, now);
        return TOPO_INPUT_OK;
    }
    l->counters.received++;
    if (p && !p->sw->away) {
        hear(l, p, from, !topo_pace_later(from, sent), now);
    }
    return TOPO_INPUT_OK;
}
