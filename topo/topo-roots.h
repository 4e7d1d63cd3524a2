/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_ROOTS_H
#define TOPO_ROOTS_H 1

/* Where trees have their roots.
 *
 * Each connected part of the net has candidates: the switches that lie in the
 * middle of it.  How far out a switch is is the sum, over landmarks, of
 * weight x distance^2; a landmark is a switch with a weight (how many ports
 * lead to hosts), or any switch if none of the part has.  Candidates are all
 * within a quarter of the best (x4 <= 5 * best), at most TOPO_MAX_ROOTS of
 * them, the best first.  In a leaf-spine fabric these are the spines, in a fat
 * tree the cores, in a ring all.  Of many landmarks a sample is taken
 * (TOPO_LANDMARKS, spread by a hash of their dpids), so that the cost is
 * O(TOPO_LANDMARKS x links) and not quadratic.  A switch that is away is no
 * candidate unless there is no other.
 *
 * Channels are shared out among the candidates by slots: TOPO_SLOTS of them
 * in each part, dealt out by Maglev hashing (Eisenbud et al., NSDI 2016): each
 * candidate gets the same number (to within one), and few change hands when a
 * candidate comes or goes.  The result depends on dpids only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"
#include "topo/topo-net.h"

enum {
    TOPO_SLOTS = 251, /* A prime. */
    TOPO_MAX_ROOTS = 64,
    TOPO_LANDMARKS = 32
};

struct topo_roots;

/* 'weights' has one number for each node, below topo_net_size(). */
struct topo_roots *topo_roots_compute(const struct topo_net *,
                                      const uint32_t *weights);
void topo_roots_destroy(struct topo_roots *); /* NULL is fine. */

/* The number of the part that the node is in; TOPO_NO_NODE for one that was
 * not there. */
uint32_t topo_roots_part(const struct topo_roots *, uint32_t node);
uint32_t topo_roots_n_parts(const struct topo_roots *);
/* The dpids of the candidates of a part, sorted. */
const uint64_t *topo_roots_candidates(const struct topo_roots *, uint32_t part,
                                      size_t *n);
/* The dpid of the root of 'slot' in that part. */
uint64_t topo_roots_pick(const struct topo_roots *, uint32_t part,
                         uint32_t slot);
/* The slot of a channel.  Groups that follow each other are spread evenly
 * (a Weyl sequence), by steps of a power of 256 too.  By one step in ten or so
 * they are not: every linear sequence has such steps. */
uint32_t topo_slot(uint16_t vlan, const struct ip_addr *group);

#endif
