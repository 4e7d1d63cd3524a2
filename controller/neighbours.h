/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_NEIGHBOURS_H
#define CONTROLLER_NEIGHBOURS_H 1

/* Where hosts are that packets shall be sent to: their Ethernet addresses and
 * ports, found and kept fresh by ARP (RFC 826).
 *
 * Whoever is wanted is asked for by probes (RFC 5227: sender 0.0.0.0, so that
 * nobody takes our Ethernet address for that of a host), out of every port of
 * its vlan or out of the one that it is said to be behind, quickly at first
 * and then every five seconds for as long as it is wanted.  One that has
 * answered is asked again every half minute, at its own
 * port at first, then everywhere; it keeps its place for 20 s of silence, or
 * 5 s if its port is down.  Whatever it sends by ARP meanwhile counts as an
 * answer: that is how a host that has moved is found at once.
 *
 * At most 200 probes leave in a second, so that the answers to them are not
 * cut off by a switch's meter.
 *
 * What it must hear, of each vlan: ARP requests of whomever, ARP replies to
 * our own Ethernet address.
 *
 * Time: milliseconds; call neighbours_run() no later than
 * neighbours_deadline().  Pure: effects leave through the ops. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arp.h"
#include "lib/mcaddr.h"

struct neighbours;

/* Who is wanted.  A hash key: no padding. */
struct neighbour_key {
    struct ip_addr ip; /* IPv4. */
    /* Behind this port alone, which is the only one to be asked at; all zero:
     * behind any.  Several hosts may have one address at a port each. */
    struct port_id at;
    uint64_t vlan; /* 0 = untagged. */
};

struct neighbours_ops {
    /* A frame of 'vlan', with its tag, out of 'port'; NULL: out of every port
     * of the vlan. */
    void (*send)(void *aux, uint16_t vlan, const struct port_id *port,
                 const void *frame, size_t size);
    /* neighbours_get() says something else than before.  It must not change
     * who is wanted. */
    void (*changed)(void *aux, const struct neighbour_key *);
};

enum neighbour_state {
    NEIGHBOUR_ASKED, /* It has not had the time to answer. */
    NEIGHBOUR_KNOWN,
    NEIGHBOUR_SILENT /* It does not answer. */
};

/* The rest holds where the state is NEIGHBOUR_KNOWN. */
struct neighbour_view {
    enum neighbour_state state;
    struct mac_addr mac;
    struct port_id port;
    int64_t heard; /* Last. */
};

struct neighbours *neighbours_create(const struct mac_addr *ours,
                                     const struct neighbours_ops *, void *aux);
void neighbours_destroy(struct neighbours *); /* NULL is fine. */

/* Looks for somebody; each call wants one release. */
void neighbours_want(struct neighbours *, const struct neighbour_key *,
                     int64_t now);
void neighbours_release(struct neighbours *, const struct neighbour_key *);
/* False: it is not wanted. */
bool neighbours_get(const struct neighbours *, const struct neighbour_key *,
                    struct neighbour_view *);

/* ARP that was heard at 'port'.  True if it was news of somebody wanted. */
bool neighbours_arp(struct neighbours *, const struct port_id *port,
                    const struct arp *, int64_t now);
/* Where somebody who is wanted was before a restart: to be confirmed. */
void neighbours_restore(struct neighbours *, const struct neighbour_key *,
                        const struct mac_addr *, const struct port_id *,
                        int64_t now);
/* A port is there, or not any more: whoever is not where he was is looked
 * for. */
void neighbours_port_changed(struct neighbours *, const struct port_id *,
                             bool up, int64_t now);

void neighbours_run(struct neighbours *, int64_t now);
int64_t neighbours_deadline(const struct neighbours *);

#endif
