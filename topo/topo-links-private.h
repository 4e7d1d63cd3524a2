/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_LINKS_PRIVATE_H
#define TOPO_LINKS_PRIVATE_H 1

/* What the files behind topo-links.h share:
 *
 *   topo-links.c   life, switches and ports that come and go, roles
 *   topo-hear.c    what comes in: whether it counts, links that come up
 *   topo-pace.c    what goes out, and when
 *   topo-flaps.c   links that go down again and again
 *   topo-view.c    reading */

#include <uthash.h>

#include "lib/timer-heap.h"
#include "topo/topo-links.h"
#include "topo/topo-probe.h"

enum {
    TOPO_REACT_MS = 20, /* Between a port's probes, whatever it hears. */
    TOPO_BURST = 64,    /* Probes that may go out in one millisecond. */
    TOPO_FAST = 3,      /* Probes of a port that just came up. */
    TOPO_MIN_SENT = 4,  /* Numbers that a port remembers, at first... */
    TOPO_MAX_SENT = 32, /* ...and at most. */
    TOPO_SUSPECT_MS = 1000
};

/* What went out of a port. */
struct topo_sent {
    uint64_t number;
    int64_t at;
    bool is_echo, is_received;
};

/* Whom a port has heard last: a port is another one after it was down, so its
 * name alone does not tell. */
struct topo_heard {
    struct port_id from;
    uint64_t born;
    int64_t at; /* INT64_MIN: nobody. */
    bool is_believed;
};

struct topo_links_switch {
    UT_hash_handle hh;
    uint64_t dpid;
    struct topo_links_port *ports;
    bool away;
};

enum topo_lane {
    TOPO_LANE_NONE,
    TOPO_LANE_NORMAL,
    TOPO_LANE_FRESH,  /* Ports that came up. */
    TOPO_LANE_URGENT, /* Answers, and echoes to who is away. */
    TOPO_N_LANES
};

struct topo_links_port {
    UT_hash_handle hh;
    struct port_id id;
    struct topo_links_switch *sw;
    struct topo_links_port *prev, *next; /* Of the switch. */
    uint64_t born;
    enum topo_role role;
    bool is_looped;    /* To its own switch. */
    bool is_searching; /* Counted in 'n_searching'. */
    int64_t suspect_at;

    /* The link. */
    struct topo_links_port *peer;
    int64_t since;
    int64_t peer_heard; /* When it was heard last, here. */
    /* Our probes towards the peer: how many in a row it has not heard, and
     * whether one is on its way. */
    int missed;
    bool is_awaited;
    /* One end was away: the link stays if both directions are heard after
     * 'confirm_since'. */
    bool is_confirming;
    int64_t confirm_since;

    /* What it hears while it has no link. */
    struct topo_heard heard;
    int64_t keep_until; /* Something was heard or answered: not an edge. */
    int64_t held_until; /* By its flaps; 0: it is not. */

    /* The role's timer; 'patience' is what it will be set to when the next
     * probe is really sent: who waits for an answer must have asked. */
    struct timer_node role_timer;
    int64_t patience;

    /* Sending. */
    struct timer_node probe_timer, echo_timer;
    struct topo_links_port *lane_prev, *lane_next;
    enum topo_lane lane;
    bool wants_probe, wants_echo;
    bool is_answering; /* 'probe_timer' was brought forward. */
    int n_fast;        /* Of the probes after it came up, how many are sent. */
    int64_t probed_at, echo_since;
    int n_unanswered;          /* Echo requests in a row. */
    struct topo_sent *sent;    /* A ring... */
    unsigned int n_sent, room; /* ...and how many there were. */
};

struct topo_flap;

struct topo_links {
    struct topo_links_config config;
    const struct topo_links_ops *ops;
    void *aux;
    uint64_t seed, n_numbers, n_born;

    struct topo_links_switch *switches;
    struct topo_links_port *ports;
    size_t n_links, n_searching;

    struct timer_heap roles, probes, echoes, forget;
    struct topo_flap *flaps;

    struct topo_links_port *lanes[TOPO_N_LANES]; /* Who wants to send. */
    unsigned int turn;
    int64_t credit; /* Thousandths of a probe. */
    int64_t credit_at;

    struct topo_links_counters counters;
};

/* topo-links.c */
struct topo_links_port *topo_links_find(const struct topo_links *,
                                        const struct port_id *);
/* Changes what is_searching() depends on come before this. */
void topo_links_recount(struct topo_links *, struct topo_links_port *);
void topo_links_set_role(struct topo_links *, struct topo_links_port *,
                         enum topo_role);
void topo_links_end(struct topo_links *, struct topo_links_port *,
                    enum topo_link_end, int64_t now);

/* topo-hear.c */
void topo_hear_changed(struct topo_links *, struct topo_links_port *,
                       int64_t now);

/* topo-pace.c */
void topo_pace_init(struct topo_links *, int64_t now);
/* A probe now, and more of them soon. */
void topo_pace_start(struct topo_links *, struct topo_links_port *);
/* One probe as soon as it may be. */
void topo_pace_react(struct topo_links *, struct topo_links_port *,
                     int64_t now);
/* The next probe's time, after the role or an interval has changed. */
void topo_pace_plan(struct topo_links *, struct topo_links_port *);
void topo_pace_start_echo(struct topo_links *, struct topo_links_port *,
                          int64_t now);
void topo_pace_stop_echo(struct topo_links *, struct topo_links_port *);
void topo_pace_stop(struct topo_links *, struct topo_links_port *);
void topo_pace_run(struct topo_links *, int64_t now);
int64_t topo_pace_deadline(const struct topo_links *);
/* NULL: it was not sent from the port within the time, or is in already. */
struct topo_sent *topo_pace_find(struct topo_links_port *, uint64_t number,
                                 bool is_echo, int64_t now);
/* How many of that kind went out after it. */
int topo_pace_later(const struct topo_links_port *, const struct topo_sent *);

/* topo-flaps.c */
/* The link of the port went down.  Until when is it held down?  0: it is
 * not. */
int64_t topo_flaps_note(struct topo_links *, const struct port_id *,
                        int64_t now);
int64_t topo_flaps_held(const struct topo_links *, const struct port_id *,
                        int64_t now);
unsigned int topo_flaps_count(const struct topo_links *,
                              const struct port_id *);
void topo_flaps_run(struct topo_links *, int64_t now);
void topo_flaps_destroy(struct topo_links *);

#endif
