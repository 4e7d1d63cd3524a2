/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/neighbours.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "lib/xalloc.h"

enum {
    REFRESH_MS = 30000,
    RETRY_MS = 1000,     /* Of a refresh that is not answered. */
    N_DIRECTED = 2,      /* Tries at its own port. */
    KEEP_MS = 20000,     /* Unanswered so long it is gone... */
    KEEP_DOWN_MS = 5000, /* ...or so long, behind a port that is down. */
    SILENT_MS = 5000,    /* Between probes for somebody who is silent. */
    N_ASKED = 3,         /* So many until that is said of him. */

    BATCH = 20,    /* Probes in a row... */
    BATCH_MS = 100 /* ...and after them. */
};

/* After the first probes. */
static const int64_t first_waits[] = {300, 700, 1000, 2000};

struct neighbour {
    UT_hash_handle hh;
    struct neighbour *prev, *next; /* That was not asked longest is first. */
    struct neighbour_key key;
    size_t n_wanted;
    enum neighbour_state state;
    struct mac_addr mac;
    struct port_id port;
    int64_t heard;
    int64_t due;          /* When it is asked again. */
    int64_t gone_at;      /* KNOWN: unless it answers before. */
    unsigned int n_asked; /* In a row, without an answer. */
};

struct neighbours {
    struct mac_addr mac;
    struct neighbours_ops ops;
    void *aux;
    struct neighbour *by_key, *list;
    int64_t pause; /* Nobody is asked before. */
};

struct neighbours *
neighbours_create(const struct mac_addr *ours,
                  const struct neighbours_ops *ops, void *aux)
{
    struct neighbours *n = xcalloc(1, sizeof *n);
    n->mac = *ours;
    n->ops = *ops;
    n->aux = aux;
    return n;
}

static void
neighbour_destroy(struct neighbours *n, struct neighbour *e)
{
    HASH_DELETE(hh, n->by_key, e);
    DL_DELETE(n->list, e);
    free(e);
}

void
neighbours_destroy(struct neighbours *n)
{
    while (n && n->list) {
        neighbour_destroy(n, n->list);
    }
    free(n);
}

static struct neighbour *
find(const struct neighbours *n, const struct neighbour_key *key)
{
    struct neighbour *e;
    HASH_FIND(hh, n->by_key, key, sizeof *key, e);
    return e;
}

void
neighbours_want(struct neighbours *n, const struct neighbour_key *key,
                int64_t now)
{
    struct neighbour *e = find(n, key);
    if (!e) {
        e = xcalloc(1, sizeof *e);
        e->key = *key;
        e->due = now;
        HASH_ADD(hh, n->by_key, key, sizeof e->key, e);
        DL_PREPEND(n->list, e);
    }
    e->n_wanted++;
}

void
neighbours_release(struct neighbours *n, const struct neighbour_key *key)
{
    struct neighbour *e = find(n, key);
    if (e && !--e->n_wanted) {
        neighbour_destroy(n, e);
    }
}

bool
neighbours_get(const struct neighbours *n, const struct neighbour_key *key,
               struct neighbour_view *view)
{
    const struct neighbour *e = find(n, key);
    if (e) {
        *view = (struct neighbour_view){e->state, e->mac, e->port, e->heard};
    }
    return e != NULL;
}

static void
tell(const struct neighbours *n, const struct neighbour *e)
{
    n->ops.changed(n->aux, &e->key);
}

/* Inputs. */

/* It is there, as of now.  Does that change anything? */
static bool
found(struct neighbours *n, struct neighbour *e, const struct mac_addr *mac,
      const struct port_id *port)
{
    bool same = e->state == NEIGHBOUR_KNOWN && !mac_addr_compare(&e->mac, mac)
                && port_id_equal(&e->port, port);
    e->state = NEIGHBOUR_KNOWN;
    e->mac = *mac;
    e->port = *port;
    e->n_asked = 0;
    e->gone_at = INT64_MAX;
    if (!same) {
        tell(n, e);
    }
    return !same;
}

static bool
heard(struct neighbours *n, const struct neighbour_key *key,
      const struct mac_addr *mac, const struct port_id *port, int64_t now)
{
    struct neighbour *e = find(n, key);
    if (!e) {
        return false;
    }
    e->due = now + REFRESH_MS;
    e->heard = now;
    return found(n, e, mac, port);
}

bool
neighbours_arp(struct neighbours *n, const struct port_id *port,
               const struct arp *arp, int64_t now)
{
    struct neighbour_key key = {.ip = arp->sender_ip, .vlan = arp->vlan};
    const struct mac_addr *mac = &arp->sender_mac;
    if (mac_addr_is_zero(mac) || mac_addr_is_multicast(mac)
        || !mac_addr_compare(mac, &n->mac)) {
        return false;
    }
    bool news = heard(n, &key, mac, port, now);
    key.at = *port;
    return heard(n, &key, mac, port, now) || news;
}

void
neighbours_restore(struct neighbours *n, const struct neighbour_key *key,
                   const struct mac_addr *mac, const struct port_id *port,
                   int64_t now)
{
    struct neighbour *e = find(n, key);
    if (e && e->state != NEIGHBOUR_KNOWN) {
        e->due = e->heard = now;
        found(n, e, mac, port);
    }
}

static void
hurry(struct neighbour *e, unsigned int n_asked, int64_t now)
{
    e->n_asked = n_asked;
    e->due = now;
}

void
neighbours_port_changed(struct neighbours *n, const struct port_id *port,
                        bool up, int64_t now)
{
    struct neighbour *e;
    DL_FOREACH (n->list, e) {
        if (e->state != NEIGHBOUR_KNOWN) {
            if (up) {
                hurry(e, 0, now);
            }
        } else if (!up && port_id_equal(&e->port, port)) {
            hurry(e, N_DIRECTED, now);
            if (e->gone_at > now + KEEP_DOWN_MS) {
                e->gone_at = now + KEEP_DOWN_MS;
            }
        } else if (up && e->n_asked) {
            hurry(e, N_DIRECTED, now);
        }
    }
}

/* Asking. */

static int64_t
next_wait(const struct neighbour *e)
{
    enum { N_FIRST = sizeof first_waits / sizeof *first_waits };
    if (e->state == NEIGHBOUR_KNOWN) {
        return RETRY_MS;
    }
    return e->n_asked <= N_FIRST ? first_waits[e->n_asked - 1] : SILENT_MS;
}

static void
ask(struct neighbours *n, struct neighbour *e, int64_t now)
{
    bool known = e->state == NEIGHBOUR_KNOWN;
    bool directed = known && e->n_asked < N_DIRECTED;
    bool bound = e->key.at.port_no != 0;
    uint16_t vlan = (uint16_t) e->key.vlan;
    struct arp arp = arp_probe(&n->mac, vlan, &e->key.ip);
    uint8_t frame[ARP_MAX_SIZE];
    if (directed) {
        arp.eth_dst = e->mac;
    }
    if (known && e->gone_at == INT64_MAX) {
        e->gone_at = now + KEEP_MS;
    }
    e->n_asked++;
    e->due = now + next_wait(e);
    size_t size = arp_encode(&arp, frame, sizeof frame);
    n->ops.send(n->aux, vlan,
                bound      ? &e->key.at
                : directed ? &e->port
                           : NULL,
                frame, size);
}

/* Time is up for it: true if something is said of it that was not before. */
static bool
give_up(struct neighbour *e, int64_t now)
{
    bool gone = e->state == NEIGHBOUR_KNOWN && e->gone_at <= now;
    bool silent =
        e->state == NEIGHBOUR_ASKED && e->n_asked >= N_ASKED && e->due <= now;
    if (gone || silent) {
        e->state = NEIGHBOUR_SILENT;
        e->gone_at = INT64_MAX;
    }
    return gone || silent;
}

void
neighbours_run(struct neighbours *n, int64_t now)
{
    struct neighbour *e, *next, *last = n->list ? n->list->prev : NULL;
    size_t room = n->pause <= now ? BATCH : 0;
    for (e = n->list; e; e = next) {
        next = e == last ? NULL : e->next;
        if (give_up(e, now)) {
            tell(n, e);
        }
        if (room && e->due <= now) {
            room--;
            n->pause = room ? n->pause : now + BATCH_MS;
            DL_DELETE(n->list, e);
            DL_APPEND(n->list, e);
            ask(n, e, now);
        }
    }
}

int64_t
neighbours_deadline(const struct neighbours *n)
{
    const struct neighbour *e;
    int64_t due = INT64_MAX, gone = INT64_MAX;
    DL_FOREACH (n->list, e) {
        due = e->due < due ? e->due : due;
        if (e->state == NEIGHBOUR_KNOWN && e->gone_at < gone) {
            gone = e->gone_at;
        }
    }
    due = due < n->pause ? n->pause : due;
    return due < gone ? due : gone;
}
