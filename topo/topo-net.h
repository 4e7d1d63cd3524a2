/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_NET_H
#define TOPO_NET_H 1

/* The fabric as a graph: switches, and the links between them.
 *
 * A node is a switch; its number is small, given at topo_net_add(), and stays
 * until topo_net_remove(), after which a later switch may get it.  Numbers are
 * for arrays: whatever must come out the same after a restart is ordered by
 * dpid and port number, never by node number.
 *
 * A link joins one port of a node with one port of another; there may be
 * several between the same two.  Each node sees its links as hops, sorted by
 * (dpid of the peer, own port).
 *
 * 'generation' grows with every change.
 *
 * Cost: looking up a switch O(log n); adding and removing a link O(degree).
 *
 * Ownership: hops that are handed out live until the next change. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOPO_NO_NODE = 0xffffffff };

/* One end of a link, as its node sees it. */
struct topo_hop {
    uint32_t port;      /* Ours. */
    uint32_t peer;      /* The node at the other end... */
    uint32_t peer_port; /* ...and its port. */
};

struct topo_net;

struct topo_net *topo_net_create(void);
void topo_net_destroy(struct topo_net *); /* NULL is fine. */
uint64_t topo_net_generation(const struct topo_net *);

/* The node of the switch, made if it is not there. */
uint32_t topo_net_add(struct topo_net *, uint64_t dpid);
/* With all its links. */
void topo_net_remove(struct topo_net *, uint64_t dpid);
/* TOPO_NO_NODE if there is none. */
uint32_t topo_net_find(const struct topo_net *, uint64_t dpid);
uint64_t topo_net_dpid(const struct topo_net *, uint32_t node); /* 0: none. */
/* Numbers of nodes are below this. */
uint32_t topo_net_size(const struct topo_net *);
size_t topo_net_n_links(const struct topo_net *);
/* Nodes in order of dpid: '*nodes' has '*n' numbers, and lives until the next
 * change. */
void topo_net_in_order(const struct topo_net *, const uint32_t **nodes,
                       size_t *n);

/* Both switches must be there, and be different.  A port has one link: one
 * that it had goes.  Each returns whether anything changed. */
bool topo_net_link(struct topo_net *, uint64_t dpid_a, uint32_t port_a,
                   uint64_t dpid_b, uint32_t port_b);
bool topo_net_unlink(struct topo_net *, uint64_t dpid, uint32_t port);

const struct topo_hop *topo_net_hops(const struct topo_net *, uint32_t node,
                                     size_t *n);
/* The hop of a port, NULL if it has no link. */
const struct topo_hop *topo_net_hop(const struct topo_net *, uint32_t node,
                                    uint32_t port);

/* A node that takes no new ways through itself: it is there, and forwards as
 * it did, but cannot be told anything (its switch has lost the controller).
 * See topo-tree.h. */
void topo_net_set_away(struct topo_net *, uint32_t node, bool away);
bool topo_net_is_away(const struct topo_net *, uint32_t node);

#endif
