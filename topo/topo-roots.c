/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-roots.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "topo/topo-hash.h"

struct part {
    uint64_t roots[TOPO_MAX_ROOTS]; /* Sorted. */
    size_t n_roots;
    uint8_t slots[TOPO_SLOTS]; /* Which of 'roots'. */
};

struct topo_roots {
    uint32_t *part_of; /* For each node. */
    uint32_t n_nodes;
    struct part *parts; /* In order of their lowest dpid. */
    size_t n_parts, allocated_parts;
};

/* A node with what it is sorted by. */
struct ranked {
    uint64_t key;
    uint64_t dpid;
    uint32_t node;
};

/* What computing takes.  Arrays have one entry for each node. */
struct work {
    const struct topo_net *net;
    const uint32_t *weights;
    uint32_t *members; /* Of the part, in the order in which they were found:
                        * the queue of a search. */
    size_t n_members;
    uint32_t *queue;
    uint32_t *distances; /* UINT32_MAX: not found yet. */
    uint64_t *sums;
    struct ranked *ranked;
};

static int
compare_ranked(const void *a_, const void *b_)
{
    const struct ranked *a = a_, *b = b_;

    if (a->key != b->key) {
        return a->key > b->key ? 1 : -1;
    }
    return (a->dpid > b->dpid) - (a->dpid < b->dpid);
}

static int
compare_dpids(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;

    return (*a > *b) - (*a < *b);
}

/* Writes all who can be reached from 'start' to 'queue', and how far they are
 * to 'distances'. */
static size_t
search(struct work *w, uint32_t start, uint32_t *queue)
{
    size_t n = 0;

    queue[n++] = start;
    w->distances[start] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t n_hops;
        const struct topo_hop *hops = topo_net_hops(w->net, queue[i], &n_hops);

        for (size_t j = 0; j < n_hops; j++) {
            if (w->distances[hops[j].peer] == UINT32_MAX) {
                w->distances[hops[j].peer] = w->distances[queue[i]] + 1;
                queue[n++] = hops[j].peer;
            }
        }
    }
    return n;
}

/* Ranks landmarks by a hash: the first ones are a sample. */
static size_t
find_landmarks(struct work *w, bool weighted)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_members; i++) {
        uint32_t node = w->members[i];
        uint64_t dpid = topo_net_dpid(w->net, node);

        if (!weighted || w->weights[node]) {
            w->ranked[n++] =
                (struct ranked){topo_hash_add(0, dpid), dpid, node};
        }
    }
    if (n) {
        qsort(w->ranked, n, sizeof *w->ranked, compare_ranked);
    }
    return n < TOPO_LANDMARKS ? n : TOPO_LANDMARKS;
}

/* How far out each member is. */
static void
measure(struct work *w)
{
    size_t n = find_landmarks(w, true);
    bool weighted = n > 0;

    if (!weighted) {
        n = find_landmarks(w, false);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t landmark = w->ranked[i].node;
        uint64_t weight = weighted ? w->weights[landmark] : 1;

        for (size_t j = 0; j < w->n_members; j++) {
            w->distances[w->members[j]] = UINT32_MAX;
        }
        search(w, landmark, w->queue);
        for (size_t j = 0; j < w->n_members; j++) {
            uint64_t distance = w->distances[w->members[j]];

            w->sums[w->members[j]] += weight * distance * distance;
        }
    }
}

/* Ranks the members that are not away, or that are, by how far out they
 * are. */
static size_t
rank_members(struct work *w, bool away)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_members; i++) {
        uint32_t node = w->members[i];

        if (topo_net_is_away(w->net, node) == away) {
            w->ranked[n++] = (struct ranked){
                w->sums[node], topo_net_dpid(w->net, node), node};
        }
    }
    if (n) {
        qsort(w->ranked, n, sizeof *w->ranked, compare_ranked);
    }
    return n;
}

static void
choose(struct work *w, struct part *part)
{
    size_t n = rank_members(w, false);

    if (!n) {
        n = rank_members(w, true);
    }
    part->n_roots = 0;
    while (part->n_roots < n && part->n_roots < TOPO_MAX_ROOTS
           && w->ranked[part->n_roots].key * 4 <= w->ranked[0].key * 5) {
        part->roots[part->n_roots] = w->ranked[part->n_roots].dpid;
        part->n_roots++;
    }
    qsort(part->roots, part->n_roots, sizeof *part->roots, compare_dpids);
}

/* Maglev: each root in turn takes the next slot of its own permutation that
 * nobody has. */
static void
deal(struct part *part)
{
    uint32_t at[TOPO_MAX_ROOTS], step[TOPO_MAX_ROOTS];
    bool taken[TOPO_SLOTS] = {false};

    for (size_t i = 0; i < part->n_roots; i++) {
        uint64_t hash = topo_hash_add(1, part->roots[i]);

        at[i] = hash % TOPO_SLOTS;
        step[i] = topo_hash_add(hash, 2) % (TOPO_SLOTS - 1) + 1;
    }
    for (size_t n = 0; n < TOPO_SLOTS; n++) {
        size_t i = n % part->n_roots;

        while (taken[at[i]]) {
            at[i] = (at[i] + step[i]) % TOPO_SLOTS;
        }
        taken[at[i]] = true;
        part->slots[at[i]] = i;
    }
}

static void
add_part(struct topo_roots *roots, struct work *w, uint32_t start)
{
    roots->parts = xgrow(roots->parts, roots->n_parts, &roots->allocated_parts,
                         sizeof *roots->parts);
    w->n_members = search(w, start, w->members);
    for (size_t i = 0; i < w->n_members; i++) {
        roots->part_of[w->members[i]] = roots->n_parts;
    }
    measure(w);
    choose(w, &roots->parts[roots->n_parts]);
    deal(&roots->parts[roots->n_parts]);
    roots->n_parts++;
}

struct topo_roots *
topo_roots_compute(const struct topo_net *net, const uint32_t *weights)
{
    struct topo_roots *roots = xcalloc(1, sizeof *roots);
    uint32_t n = topo_net_size(net);
    struct work w = {.net = net,
                     .weights = weights,
                     .members = xcalloc(n + 1, sizeof *w.members),
                     .queue = xcalloc(n + 1, sizeof *w.queue),
                     .distances = xcalloc(n + 1, sizeof *w.distances),
                     .sums = xcalloc(n + 1, sizeof *w.sums),
                     .ranked = xcalloc(n + 1, sizeof *w.ranked)};
    const uint32_t *order;
    size_t n_order;

    roots->n_nodes = n;
    roots->part_of = xmalloc((n + 1) * sizeof *roots->part_of);
    memset(roots->part_of, 0xff, (n + 1) * sizeof *roots->part_of);
    memset(w.distances, 0xff, (n + 1) * sizeof *w.distances);
    topo_net_in_order(net, &order, &n_order);
    for (size_t i = 0; i < n_order; i++) {
        if (roots->part_of[order[i]] == TOPO_NO_NODE) {
            add_part(roots, &w, order[i]);
        }
    }
    free(w.members);
    free(w.queue);
    free(w.distances);
    free(w.sums);
    free(w.ranked);
    return roots;
}

void
topo_roots_destroy(struct topo_roots *roots)
{
    if (roots) {
        free(roots->part_of);
        free(roots->parts);
        free(roots);
    }
}

uint32_t
topo_roots_part(const struct topo_roots *roots, uint32_t node)
{
    return node < roots->n_nodes ? roots->part_of[node] : TOPO_NO_NODE;
}

uint32_t
topo_roots_n_parts(const struct topo_roots *roots)
{
    return roots->n_parts;
}

const uint64_t *
topo_roots_candidates(const struct topo_roots *roots, uint32_t part, size_t *n)
{
    *n = roots->parts[part].n_roots;
    return roots->parts[part].roots;
}

uint64_t
topo_roots_pick(const struct topo_roots *roots, uint32_t part, uint32_t slot)
{
    const struct part *p = &roots->parts[part];

    return p->roots[p->slots[slot % TOPO_SLOTS]];
}

uint32_t
topo_slot(uint16_t vlan, const struct ip_addr *group)
{
    uint64_t value = 0;

    if (ip_addr_is_v4(group)) {
        value = ip_addr_to_v4(group);
    } else {
        for (size_t i = 0; i < sizeof group->b; i += 4) {
            uint32_t word =
                (uint32_t) group->b[i] << 24 | (uint32_t) group->b[i + 1] << 16
                | (uint32_t) group->b[i + 2] << 8 | group->b[i + 3];
            /* The last word stays as it is: it counts groups. */
            value = (i < 12 ? topo_hash_add(value, word) : value) + word;
        }
    }
    value = (value + ((uint64_t) vlan << 32)) * TOPO_GOLDEN;
    return ((value >> 32) * TOPO_SLOTS) >> 32;
}
