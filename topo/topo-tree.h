/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_TREE_H
#define TOPO_TREE_H 1

/* A tree of shortest paths to one root, over the root's part of the net.
 *
 * Each node has a parent, by one link, or none (the root, and nodes that
 * cannot reach it).  Among several of the same distance the choice is by
 * rendezvous hashing of (root, salt, node, link), all named by dpid and port:
 * so it is the same after a restart, differs between roots and salts (equal
 * paths share the load), and does not change when a link that was not chosen
 * goes.
 *
 * A tree outlives changes of the net: topo_tree_repair() mends what is broken
 * and attaches what is new, and leaves every other node where it is, even if
 * there were a shorter way by now.  topo_tree_build() says what the tree would
 * be from scratch.
 *
 * Nodes that are away (topo_net_set_away()) are treated as follows.  'avoid'
 * false: they may be parents and children as they were, but none gets a new
 * parent and none becomes a new parent, except that where this leaves a node
 * without any way to the root, it is attached all the same (so everybody who
 * is connected to the root has a parent).  'avoid' true: not even then; those
 * that go away stay where they are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topo/topo-net.h"

struct topo_tree_node {
    uint32_t parent;      /* TOPO_NO_NODE: none. */
    uint32_t port;        /* Ours, to the parent... */
    uint32_t parent_port; /* ...and the parent's, to us. */
    uint32_t depth;       /* 0: the root.  UINT32_MAX: not of the tree. */
    uint64_t dpid;        /* Numbers may be given to others; 0: none had it. */
};

struct topo_tree {
    uint64_t root; /* dpid */
    uint32_t salt;
    bool avoid;
    uint64_t generation; /* Of the net that it was made for. */
    struct topo_tree_node *nodes;
    uint32_t n_nodes; /* topo_net_size() at that time. */
};

struct topo_tree *topo_tree_build(const struct topo_net *, uint64_t root,
                                  uint32_t salt, bool avoid);
void topo_tree_destroy(struct topo_tree *); /* NULL is fine. */
/* NULL: not of the tree. */
const struct topo_tree_node *topo_tree_node(const struct topo_tree *,
                                            uint32_t node);

/* After changes of the net.  Writes the nodes whose parent or link to it are
 * others than before (or which came or went) to '*changed', which the caller
 * frees, and returns their number.  If the root is gone nothing is left of the
 * tree.  O(1) besides a pass over the nodes where nothing is broken. */
size_t topo_tree_repair(struct topo_tree *, const struct topo_net *,
                        uint32_t **changed);
/* Same root, salt, nodes and parents? */
bool topo_tree_equal(const struct topo_tree *, const struct topo_tree *);

/* Spans: the part of a tree that joins some of its nodes.
 *
 * Packets enter at any of the receivers or sources and reach all receivers.
 * What leaves a node by a link is said by hops: (node, port) means "send a
 * copy out of this port".  There is one towards each neighbour on the span
 * that has a receiver behind it.  A switch never sends a packet back to the
 * port that it came from, so hops in both directions of a link make no loop.
 *
 * 'on' are the nodes of the smallest subtree that joins receivers and
 * sources (a stem between it and the root is no part of it); nothing where
 * there are no receivers. */
struct topo_span_hop {
    uint32_t node;
    uint32_t port;
};

struct topo_span {
    uint32_t *on; /* Sorted by number. */
    size_t n_on, allocated_on;
    struct topo_span_hop *hops; /* Sorted by node, then port. */
    size_t n_hops, allocated_hops;
};

/* Reusable memory for topo_span_make(): zero-initialise. */
struct topo_span_scratch {
    uint32_t *marks;
    size_t n_marks;
    uint32_t round;
    void *work;
    size_t work_size;
};

void topo_span_uninit(struct topo_span *);
void topo_span_scratch_uninit(struct topo_span_scratch *);
/* Overwrites 'span'.  Nodes that are not of the tree are left out.  A node may
 * be named twice, and as both.  O(length of the paths). */
void topo_span_make(const struct topo_tree *, const uint32_t *receivers,
                    size_t n_receivers, const uint32_t *sources,
                    size_t n_sources, struct topo_span_scratch *,
                    struct topo_span *);

#endif
