/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_LINKS_H
#define TOPO_LINKS_H 1

/* Which ports of switches lead to other switches, and which to hosts.
 *
 * Probes (topo-probe.h) are sent out of ports; one that comes in at another
 * port shows a link.  It is believed when both directions have been seen.
 *
 *      port up                        nothing heard for TOPO_SETTLE_MS
 *   -----------> TOPO_ROLE_UNKNOWN ------------------------> TOPO_ROLE_EDGE
 *                   |                                        ^   |
 *      both ends    |   link lost while the port is up:      |   | both ends,
 *      have heard   v   without a peer for TOPO_ORPHAN_MS    |   | no hosts
 *                TOPO_ROLE_LINK -----------------------------+   | there
 *                   ^--------------------------------------------+
 *
 * A port that hears a switch which does not hear it (or that is heard, and
 * hears nothing) is no edge: it stays what it is for TOPO_MISSES more probes.
 * Both times count from the first probe that was really sent, so that ports
 * that wait for their turn do not become edges unasked.
 *
 * An unknown port neither floods nor forwards yet: that is the caller's part.
 *
 * Probing.  A port that came up is probed at 0, 50, 150 ms, then every
 * probe_interval if it is a link, every host_probe_interval if it is an edge;
 * all of it paced to at most TOPO_PROBES_PER_S probes a second (intervals
 * stretch where there are more ports: never a burst of all at once).  Hearing
 * a probe at a port whose link is not up yet makes that port send one at once
 * (at most one in 20 ms), so that a link is up a round trip after its later
 * end.
 *
 * Losing.  A link goes at once with a port or a switch; and when one direction
 * has missed TOPO_MISSES probes in a row.  When a switch loses its connection
 * (topo_links_switch_away()) its links stay: it forwards on.  Its neighbours
 * then send echo requests, which a switch's data plane returns by itself
 * (topo-probe.h), at 0 ms and each echo_interval; TOPO_ECHO_MISSES in a row
 * without an answer, and the link is gone.  The echo is also how a port that
 * was a link (restored, or of a link lost) tells whether there is still a
 * switch behind it that has no controller: as long as it is answered the port
 * stays TOPO_ROLE_LINK without a peer, blocked.
 *
 * Forgery.  A probe counts only if its authentication code is right, its
 * number is one that was sent from the port that it names within the last
 * TOPO_PROBE_LIFE_MS, and it has not come in before (anywhere).  Anything else
 * that claims to be ours is told by ops->suspect, at most once a second a
 * port, and makes nothing.  What is not ours (other LLDP) is
 * TOPO_INPUT_FOREIGN and of no effect.  A good probe at a port behind which
 * hosts are known (ops->has_hosts), or that may be no link (ops->may_link), is
 * told likewise and not believed; it is believed as soon as there are none.
 *
 * Flapping.  A link that goes down TOPO_FLAPS times within TOPO_FLAP_WINDOW_MS
 * is held down: 1 s, then twice as long with each further time, up to 60 s;
 * its ports are TOPO_ROLE_LINK without a peer meanwhile.  After
 * TOPO_FLAP_WINDOW_MS without going down all is forgotten.  By port, so that
 * who pulls another cable is not punished.
 *
 * Pure: 'now' is monotonic milliseconds; call topo_links_run() no later than
 * topo_links_deadline().  No input causes more than O(1) sends.  Ops must not
 * call back, except reads. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum {
    TOPO_SETTLE_MS = 250,
    TOPO_ORPHAN_MS = 3000,
    TOPO_PROBES_PER_S = 4000,
    TOPO_MISSES = 3,
    TOPO_PROBE_LIFE_MS = 3000,
    TOPO_ECHO_MS = 20,       /* By default, the first second away... */
    TOPO_ECHO_SLOW_MS = 200, /* ...and from then on. */
    TOPO_ECHO_MISSES = 5,
    TOPO_FLAPS = 3,
    TOPO_FLAP_WINDOW_MS = 30000
};

enum topo_role { TOPO_ROLE_UNKNOWN, TOPO_ROLE_EDGE, TOPO_ROLE_LINK };

const char *topo_role_name(enum topo_role); /* "unknown" ... */

/* Why a link went down. */
enum topo_link_end {
    TOPO_LINK_PORT_DOWN,
    TOPO_LINK_PROBES_LOST,
    TOPO_LINK_SWITCH_GONE,
    TOPO_LINK_RECABLED /* The port has shown another peer. */
};

const char *topo_link_end_name(enum topo_link_end); /* "port-down" ... */

enum topo_suspicion {
    TOPO_SUSPECT_FORGED,    /* The code is wrong. */
    TOPO_SUSPECT_REPLAYED,  /* Came in before, or is too old or unknown.  Not
                            * told of one from a port that is down. */
    TOPO_SUSPECT_HOST_PORT, /* A good probe, at a port with hosts. */
    TOPO_SUSPECT_FORBIDDEN, /* A good probe, at a port that may be no link. */
    TOPO_SUSPECT_SELF /* A switch's port linked to itself or to another of
                            * the same switch: a loop.  The port is kept
                            * TOPO_ROLE_LINK without a peer: blocked. */
};

const char *topo_suspicion_name(enum topo_suspicion); /* "forged" ... */

struct topo_links_config {
    uint8_t key[32];             /* Of the authentication code. */
    int64_t probe_interval;      /* ms; default 1000. */
    int64_t host_probe_interval; /* ms; default 10000. */
    int64_t echo_interval;       /* ms; default TOPO_ECHO_MS. */
};

struct topo_links_ops {
    void (*send)(void *aux, const struct port_id *, const void *frame,
                 size_t size);
    /* After it has changed; topo_links_role() says the same. */
    void (*role_changed)(void *aux, const struct port_id *, enum topo_role);
    /* Ends in order of (dpid, port).  Both are TOPO_ROLE_LINK by then. */
    void (*link_up)(void *aux, const struct port_id *a,
                    const struct port_id *b);
    void (*link_down)(void *aux, const struct port_id *a,
                      const struct port_id *b, enum topo_link_end);
    void (*suspect)(void *aux, const struct port_id *, enum topo_suspicion);
    bool (*has_hosts)(void *aux, const struct port_id *);
    bool (*may_link)(void *aux, const struct port_id *);
};

struct topo_links;

/* 'seed' makes the numbers of probes: something random. */
struct topo_links *topo_links_create(const struct topo_links_config *,
                                     const struct topo_links_ops *, void *aux,
                                     uint64_t seed, int64_t now);
void topo_links_destroy(struct topo_links *); /* NULL is fine. */
void topo_links_set_config(struct topo_links *,
                           const struct topo_links_config *, int64_t now);

/* A switch has connected; its ports follow by topo_links_port_up().  One that
 * was away: its links are probed at once. */
void topo_links_switch_up(struct topo_links *, uint64_t dpid, int64_t now);
/* Its connection is lost.  Its ports and links stay, see above. */
void topo_links_switch_away(struct topo_links *, uint64_t dpid, int64_t now);

/* 'before' is what the port was by what is found on the switch (after a
 * restart of the controller): TOPO_ROLE_EDGE stays that unless a probe comes,
 * TOPO_ROLE_LINK stays that, without a peer until a probe comes; UNKNOWN where
 * nothing is known.  A port that is known keeps what it has. */
void topo_links_port_up(struct topo_links *, const struct port_id *,
                        enum topo_role before, int64_t now);
/* Down, or gone: forgotten, but for its flaps. */
void topo_links_port_down(struct topo_links *, const struct port_id *,
                          int64_t now);
/* What ops->has_hosts and ops->may_link say of the port may have changed. */
void topo_links_port_changed(struct topo_links *, const struct port_id *,
                             int64_t now);

enum topo_input {
    TOPO_INPUT_OK,      /* Ours and good, or ours and told by suspect(). */
    TOPO_INPUT_FOREIGN, /* Not ours. */
};

/* An LLDP frame or echo reply that was punted at 'port'. */
enum topo_input topo_links_input(struct topo_links *, const struct port_id *,
                                 const void *frame, size_t size, int64_t now);
void topo_links_run(struct topo_links *, int64_t now);
int64_t topo_links_deadline(const struct topo_links *);

/* Reading. */
enum topo_role topo_links_role(const struct topo_links *,
                               const struct port_id *);
/* False: it has no link. */
bool topo_links_peer(const struct topo_links *, const struct port_id *,
                     struct port_id *peer);
/* Is some port TOPO_ROLE_LINK without a peer, other than by suspicion or
 * flapping: is more to be expected? */
bool topo_links_is_searching(const struct topo_links *);
/* In order of (dpid, port) of the lower end; false from the callback
 * stops. */
struct topo_link_view {
    struct port_id a, b;
    int64_t since;
    unsigned int flaps;
};
typedef bool topo_link_cb(void *aux, const struct topo_link_view *);
void topo_links_each(const struct topo_links *, topo_link_cb *, void *aux);
size_t topo_links_count(const struct topo_links *);

struct topo_links_counters {
    uint64_t sent, received, echoes_sent, echoes_received;
    uint64_t forged, replayed, foreign;
};
void topo_links_counters(const struct topo_links *,
                         struct topo_links_counters *);

#endif
