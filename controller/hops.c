/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/hops.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

int
hop_compare(const struct topo_span_hop *a, const struct topo_span_hop *b)
{
    return a->node != b->node ? (a->node < b->node ? -1 : 1)
                              : (a->port > b->port) - (a->port < b->port);
}

void
hop_set_uninit(struct hop_set *set)
{
    free(set->hops);
    *set = (struct hop_set){.hops = NULL};
}

/* Where 'hop' is, or belongs. */
static size_t
place(const struct hop_set *set, const struct topo_span_hop *hop)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hop_compare(&set->hops[middle], hop) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t
hop_set_first(const struct hop_set *set, uint32_t node)
{
    return place(set, &(struct topo_span_hop){.node = node});
}

bool
hop_set_has(const struct hop_set *set, const struct topo_span_hop *hop)
{
    size_t i = place(set, hop);
    return i < set->n && !hop_compare(&set->hops[i], hop);
}

bool
hop_set_equal(const struct hop_set *a, const struct hop_set *b)
{
    return a->n == b->n
           && (!a->n || !memcmp(a->hops, b->hops, a->n * sizeof *a->hops));
}

bool
hop_set_contains(const struct hop_set *set, const struct hop_set *part)
{
    for (size_t i = 0; i < part->n; i++) {
        if (!hop_set_has(set, &part->hops[i])) {
            return false;
        }
    }
    return true;
}

void
hop_set_add(struct hop_set *set, const struct topo_span_hop *hop)
{
    size_t i = place(set, hop);
    if (i < set->n && !hop_compare(&set->hops[i], hop)) {
        return;
    }
    set->hops = xgrow(set->hops, set->n, &set->allocated, sizeof *set->hops);
    memmove(&set->hops[i + 1], &set->hops[i],
            (set->n - i) * sizeof *set->hops);
    set->hops[i] = *hop;
    set->n++;
}

void
hop_set_unite(struct hop_set *set, const struct hop_set *other)
{
    size_t n = set->n + other->n;
    if (!other->n) {
        return;
    }
    struct topo_span_hop *both = xcalloc(n, sizeof *both);
    size_t i = 0, j = 0, k = 0;
    while (i < set->n || j < other->n) {
        int order = i == set->n ? 1
                    : j == other->n
                        ? -1
                        : hop_compare(&set->hops[i], &other->hops[j]);
        both[k++] = order <= 0 ? set->hops[i] : other->hops[j];
        i += order <= 0;
        j += order >= 0;
    }
    free(set->hops);
    *set = (struct hop_set){.hops = both, .n = k, .allocated = n};
}

void
hop_set_filter(struct hop_set *set, hop_keep_cb *cb, void *aux)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (cb(aux, &set->hops[i])) {
            set->hops[n++] = set->hops[i];
        }
    }
    set->n = n;
}

/* Union-find over the nodes that occur: which of them are joined already? */

struct joined {
    uint32_t *nodes; /* Sorted. */
    size_t *up;      /* Index of another of the same tree, or its own. */
    size_t n;
};

static int
compare_nodes(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return (*a > *b) - (*a < *b);
}

static void
joined_init(struct joined *j, const struct hop_set *set, hop_peer_cb *cb,
            void *aux)
{
    size_t n = 0;
    j->nodes = xcalloc(2 * set->n + 1, sizeof *j->nodes);
    for (size_t i = 0; i < set->n; i++) {
        struct topo_span_hop peer;
        j->nodes[n++] = set->hops[i].node;
        if (cb(aux, &set->hops[i], &peer)) {
            j->nodes[n++] = peer.node;
        }
    }
    if (n) {
        qsort(j->nodes, n, sizeof *j->nodes, compare_nodes);
    }
    j->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (!j->n || j->nodes[j->n - 1] != j->nodes[i]) {
            j->nodes[j->n++] = j->nodes[i];
        }
    }
    j->up = xcalloc(j->n + 1, sizeof *j->up);
    for (size_t i = 0; i < j->n; i++) {
        j->up[i] = i;
    }
}

static size_t
tree_of(struct joined *j, uint32_t node)
{
    const uint32_t *found =
        bsearch(&node, j->nodes, j->n, sizeof *j->nodes, compare_nodes);
    size_t i = (size_t) (found - j->nodes);
    while (j->up[i] != i) {
        i = j->up[i] = j->up[j->up[i]];
    }
    return i;
}

/* Joins the ends of the hop's link.  False if they were joined already. */
static bool
join(struct joined *j, const struct hop_set *set,
     const struct topo_span_hop *hop, const struct topo_span_hop *peer)
{
    if (hop->node > peer->node && hop_set_has(set, peer)) {
        return true; /* The same link, seen from the other end. */
    }
    size_t a = tree_of(j, hop->node), b = tree_of(j, peer->node);
    j->up[a] = b;
    return a != b;
}

bool
hop_set_is_forest(const struct hop_set *set, hop_peer_cb *cb, void *aux)
{
    struct joined j;
    bool forest = true;
    joined_init(&j, set, cb, aux);
    for (size_t i = 0; i < set->n && forest; i++) {
        struct topo_span_hop peer;
        if (cb(aux, &set->hops[i], &peer)) {
            forest = join(&j, set, &set->hops[i], &peer);
        }
    }
    free(j.nodes);
    free(j.up);
    return forest;
}
