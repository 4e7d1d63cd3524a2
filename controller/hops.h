/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_HOPS_H
#define CONTROLLER_HOPS_H 1

/* Sets of hops, (node, port): sorted arrays without doubles.  A set that is
 * zero-initialised is empty. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topo/topo-tree.h"

struct hop_set {
    struct topo_span_hop *hops;
    size_t n, allocated;
};

int hop_compare(const struct topo_span_hop *, const struct topo_span_hop *);
void hop_set_uninit(struct hop_set *);
/* Where the node's hops begin; they go on while the node is the same. */
size_t hop_set_first(const struct hop_set *, uint32_t node);
bool hop_set_has(const struct hop_set *, const struct topo_span_hop *);
bool hop_set_equal(const struct hop_set *, const struct hop_set *);
bool hop_set_contains(const struct hop_set *, const struct hop_set *part);
void hop_set_add(struct hop_set *, const struct topo_span_hop *);
/* Adds all of another set. */
void hop_set_unite(struct hop_set *, const struct hop_set *);
/* Keeps those for which the callback returns true. */
typedef bool hop_keep_cb(void *aux, const struct topo_span_hop *);
void hop_set_filter(struct hop_set *, hop_keep_cb *, void *aux);
/* A sorted array as a set, without copying. */
static inline struct hop_set
hop_set_of_span(const struct topo_span *span)
{
    return (struct hop_set){.hops = span->hops, .n = span->n_hops};
}

/* The other end of a hop's link; false if there is no link. */
typedef bool hop_peer_cb(void *aux, const struct topo_span_hop *,
                         struct topo_span_hop *peer);
/* Do the links of the set make a forest, whichever way its hops point: can no
 * packet go round in any part of it, nor come to a node in two ways?  Hops
 * without a link do not count. */
bool hop_set_is_forest(const struct hop_set *, hop_peer_cb *, void *aux);

#endif
