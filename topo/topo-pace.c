/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-links-private.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/xalloc.h"

/* All sending is done here, in topo_links_run(): ports that want to send
 * stand in one of three lanes, each first come, first served.  In the urgent
 * one are answers, and echo requests to switches that are away; in the fresh
 * one ports that came up; in the normal one those that are only due.  The
 * former are served first, but for each fourth turn, so that the latter do
 * not starve. */

enum { NORMAL_TURN = 4, CREDIT_OF_ONE = 1000 };

static const int64_t fast_after[TOPO_FAST] = {0, 50, 100};

#define PORT_OF(NODE, MEMBER)                                                 \
    ((struct topo_links_port *) ((char *) (NODE) -offsetof(                   \
        struct topo_links_port, MEMBER)))

/* Lanes. */

static void
leave_lane(struct topo_links *l, struct topo_links_port *p)
{
    if (p->lane != TOPO_LANE_NONE) {
        DL_DELETE2(l->lanes[p->lane], p, lane_prev, lane_next);
    }
    p->lane = TOPO_LANE_NONE;
}

static void
enter_lane(struct topo_links *l, struct topo_links_port *p,
           enum topo_lane lane)
{
    if (lane <= p->lane) {
        return;
    }
    leave_lane(l, p);
    p->lane = lane;
    DL_APPEND2(l->lanes[lane], p, lane_prev, lane_next);
}

static struct topo_links_port *
pop_lane(struct topo_links *l)
{
    struct topo_links_port *p = l->lanes[TOPO_LANE_NORMAL];

    if (++l->turn % NORMAL_TURN || !p) {
        for (int lane = TOPO_LANE_NORMAL; lane < TOPO_N_LANES; lane++) {
            p = l->lanes[lane] ? l->lanes[lane] : p;
        }
    }
    if (p) {
        leave_lane(l, p);
    }
    return p;
}

/* Of a port of which nothing is known yet, or not any more. */
static enum topo_lane
lane_of(const struct topo_links_port *p)
{
    return p->n_fast < TOPO_FAST ? TOPO_LANE_FRESH : TOPO_LANE_NORMAL;
}

static void
want_probe(struct topo_links *l, struct topo_links_port *p,
           enum topo_lane lane)
{
    p->wants_probe = true;
    p->is_answering = false;
    timer_heap_cancel(&l->probes, &p->probe_timer);
    enter_lane(l, p, lane);
}

/* A link depends on it, or only what becomes of a port. */
static void
want_echo(struct topo_links *l, struct topo_links_port *p)
{
    p->wants_echo = true;
    enter_lane(l, p, p->peer ? TOPO_LANE_URGENT : TOPO_LANE_NORMAL);
}

/* When to send. */

void
topo_pace_start(struct topo_links *l, struct topo_links_port *p)
{
    p->n_fast = 0;
    if (!p->sw->away) {
        want_probe(l, p, lane_of(p));
    }
}

void
topo_pace_react(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    int64_t at = p->probed_at + TOPO_REACT_MS;

    if (p->sw->away) {
        return;
    }
    if (p->probed_at == INT64_MIN || at <= now || p->wants_probe) {
        want_probe(l, p, TOPO_LANE_URGENT);
    } else if (p->probe_timer.at > at) {
        p->is_answering = true;
        timer_heap_set(&l->probes, &p->probe_timer, at);
    }
}

static int64_t
interval(const struct topo_links *l, const struct topo_links_port *p)
{
    bool is_edge = p->role == TOPO_ROLE_EDGE && p->keep_until <= p->probed_at;

    return is_edge ? l->config.host_probe_interval : l->config.probe_interval;
}

void
topo_pace_plan(struct topo_links *l, struct topo_links_port *p)
{
    if (!p->sw->away && !p->wants_probe && p->n_fast >= TOPO_FAST) {
        timer_heap_set(&l->probes, &p->probe_timer,
                       p->probed_at + interval(l, p));
    }
}

/* Behind a port without a peer there may be a switch without a controller; and
 * behind a link one that has lost it. */
static bool
has_use_for_echo(const struct topo_links_port *p)
{
    if (p->sw->away || p->role != TOPO_ROLE_LINK) {
        return false;
    }
    return p->peer ? p->peer->sw->away : !p->held_until;
}

void
topo_pace_start_echo(struct topo_links *l, struct topo_links_port *p,
                     int64_t now)
{
    p->n_unanswered = 0;
    p->echo_since = now;
    if (has_use_for_echo(p)) {
        want_echo(l, p);
    }
}

void
topo_pace_stop_echo(struct topo_links *l, struct topo_links_port *p)
{
    timer_heap_cancel(&l->echoes, &p->echo_timer);
    p->wants_echo = false;
    if (!p->wants_probe) {
        leave_lane(l, p);
    }
}

void
topo_pace_stop(struct topo_links *l, struct topo_links_port *p)
{
    timer_heap_cancel(&l->probes, &p->probe_timer);
    p->wants_probe = false;
    topo_pace_stop_echo(l, p);
}

/* Numbers. */

/* A bijection, so that no number comes twice (the finaliser of splitmix64). */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void
grow_sent(struct topo_links_port *p)
{
    unsigned int room = p->room ? 2 * p->room : TOPO_MIN_SENT;
    struct topo_sent *sent = xcalloc(room, sizeof *sent);

    for (unsigned int i = 0; i < p->room; i++) {
        sent[i] = p->sent[(p->n_sent + i) % p->room]; /* The oldest first. */
    }
    free(p->sent);
    p->sent = sent;
    p->n_sent = p->room;
    p->room = room;
}

/* The ring grows where it would forget what still counts.  Most ports are
 * probed now and then; only echo requests follow each other quickly. */
static struct topo_sent *
next_sent(struct topo_links_port *p, int64_t now)
{
    if (p->n_sent >= p->room && p->room < TOPO_MAX_SENT
        && (!p->room
            || now - p->sent[p->n_sent % p->room].at <= TOPO_PROBE_LIFE_MS)) {
        grow_sent(p);
    }
    return &p->sent[p->n_sent++ % p->room];
}

static uint64_t
note_sent(struct topo_links *l, struct topo_links_port *p, bool is_echo,
          int64_t now)
{
    struct topo_sent *s = next_sent(p, now);

    *s = (struct topo_sent){.number = mix(l->seed + l->n_numbers++),
                            .at = now,
                            .is_echo = is_echo};
    return s->number;
}

struct topo_sent *
topo_pace_find(struct topo_links_port *p, uint64_t number, bool is_echo,
               int64_t now)
{
    for (unsigned int i = 0; i < p->n_sent && i < p->room; i++) {
        struct topo_sent *s = &p->sent[i];

        if (s->number == number && s->is_echo == is_echo) {
            bool counts = !s->is_received && now - s->at <= TOPO_PROBE_LIFE_MS;

            return counts ? s : NULL;
        }
    }
    return NULL;
}

int
topo_pace_later(const struct topo_links_port *p, const struct topo_sent *sent)
{
    int n = 0;

    for (unsigned int i = p->n_sent; i-- > 0;) {
        const struct topo_sent *s = &p->sent[i % p->room];

        if (s == sent || p->n_sent - i == p->room) {
            break;
        }
        n += s->is_echo == sent->is_echo;
    }
    return n;
}

/* Sending. */

static void
send_frame(struct topo_links *l, struct topo_links_port *p,
           enum topo_probe_kind kind, int64_t now)
{
    struct topo_probe probe = {.kind = kind, .from = p->id};
    uint64_t name = mix(p->id.dpid + mix(p->id.port_no));
    struct mac_addr src = {{6}}; /* Locally administered; each port's own. */
    uint8_t frame[TOPO_PROBE_SIZE];

    memcpy(&src.b[1], &name, sizeof src.b - 1);
    probe.number = note_sent(l, p, kind == TOPO_PROBE_ECHO, now);
    size_t size = topo_probe_encode(&probe, l->config.key, &src, frame);
    l->credit -= CREDIT_OF_ONE;
    l->ops->send(l->aux, &p->id, frame, size);
}

static bool
is_observed(const struct topo_links_port *p)
{
    return p->peer && !p->peer->sw->away && !p->is_confirming;
}

static void
send_probe(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    p->wants_probe = false;
    if (is_observed(p)) {
        if (p->is_awaited && ++p->missed >= TOPO_MISSES) {
            /* It comes back to this lane, as a port without a peer. */
            topo_links_end(l, p, TOPO_LINK_PROBES_LOST, now);
            return;
        }
        p->is_awaited = true;
    }
    l->counters.sent++;
    send_frame(l, p, TOPO_PROBE_LINK, now);
    p->probed_at = now;
    if (p->patience) {
        timer_heap_set(&l->roles, &p->role_timer, now + p->patience);
        p->patience = 0;
    }
    if (p->n_fast < TOPO_FAST && ++p->n_fast < TOPO_FAST) {
        timer_heap_set(&l->probes, &p->probe_timer,
                       now + fast_after[p->n_fast]);
    } else {
        topo_pace_plan(l, p);
    }
}

static void
send_echo(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    bool is_fast = p->peer && now - p->echo_since < 1000;
    int64_t interval = l->config.echo_interval;

    p->wants_echo = false;
    if (!has_use_for_echo(p)) {
        return;
    }
    if (p->peer && p->n_unanswered >= TOPO_ECHO_MISSES) {
        topo_links_end(l, p, TOPO_LINK_SWITCH_GONE, now);
        return;
    }
    p->n_unanswered += p->n_unanswered < TOPO_ECHO_MISSES;
    l->counters.echoes_sent++;
    send_frame(l, p, TOPO_PROBE_ECHO, now);
    timer_heap_set(&l->echoes, &p->echo_timer,
                   now
                       + (is_fast || interval > TOPO_ECHO_SLOW_MS
                              ? interval
                              : TOPO_ECHO_SLOW_MS));
}

/* What the port's role depends on is asked at one time: the probe starts the
 * time for the answers to both.  So there may be one frame too many. */
static void
send_both(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    bool wants_probe = p->wants_probe;

    if (p->wants_echo) {
        send_echo(l, p, now);
    }
    /* It is in its lane again if the echo was the end of its link. */
    if (wants_probe && p->lane == TOPO_LANE_NONE) {
        send_probe(l, p, now);
    }
}

/* Time. */

void
topo_pace_init(struct topo_links *l, int64_t now)
{
    l->credit = (int64_t) TOPO_BURST * CREDIT_OF_ONE;
    l->credit_at = now;
}

static void
refill(struct topo_links *l, int64_t now)
{
    const int64_t full = (int64_t) TOPO_BURST * CREDIT_OF_ONE;
    int64_t passed = now - l->credit_at;

    if (passed > 0) {
        l->credit_at = now;
        l->credit += passed < 1000 ? passed * TOPO_PROBES_PER_S : full;
        l->credit = l->credit < full ? l->credit : full;
    }
}

void
topo_pace_run(struct topo_links *l, int64_t now)
{
    struct topo_links_port *p;
    struct timer_node *node;

    while ((node = timer_heap_pop_due(&l->probes, now))) {
        p = PORT_OF(node, probe_timer);
        want_probe(l, p, p->is_answering ? TOPO_LANE_URGENT : lane_of(p));
    }
    while ((node = timer_heap_pop_due(&l->echoes, now))) {
        p = PORT_OF(node, echo_timer);
        want_echo(l, p);
    }
    refill(l, now);
    while (l->credit >= CREDIT_OF_ONE && (p = pop_lane(l))) {
        send_both(l, p, now);
    }
}

int64_t
topo_pace_deadline(const struct topo_links *l)
{
    int64_t probe = timer_heap_deadline(&l->probes);
    int64_t echo = timer_heap_deadline(&l->echoes);
    int64_t at = probe < echo ? probe : echo;

    if (l->lanes[TOPO_LANE_NORMAL] || l->lanes[TOPO_LANE_FRESH]
        || l->lanes[TOPO_LANE_URGENT]) {
        /* A millisecond brings several. */
        int64_t next = l->credit_at + (l->credit < CREDIT_OF_ONE);

        return next < at ? next : at;
    }
    return at;
}
