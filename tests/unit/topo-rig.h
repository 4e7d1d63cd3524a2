/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_RIG_H
#define TOPO_RIG_H 1

/* Nets from text, trees as text, and what must hold of every tree. */

#include "topo/topo-net.h"
#include "topo/topo-tree.h"

/* Statements "link DPID:PORT DPID:PORT", "node DPID" and "away DPID", each
 * followed by a newline or a semicolon.  Nodes are added as they are named. */
struct topo_net *rig_net(const char *text);
/* "2:1>1:1 " for each node that has a parent, in order of dpid.  The caller
 * frees it. */
char *rig_tree_text(const struct topo_net *, const struct topo_tree *);
/* Fails the test unless it is a tree over all that can reach the root. */
void rig_check_tree(const struct topo_net *, const struct topo_tree *);
/* How far nodes are from 'dpid', by relaxing until nothing changes;
 * UINT32_MAX: they cannot reach it.  The caller frees it. */
uint32_t *rig_distances(const struct topo_net *, uint64_t dpid, bool avoid);
/* Links dpid and dpid, each by its lowest port without a link. */
void rig_join(struct topo_net *, uint64_t a, uint64_t b);
/* SplitMix64: the same numbers everywhere. */
uint64_t rig_random(uint64_t *state);

#endif
