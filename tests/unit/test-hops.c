/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Sets of hops against tables of bits, and forests against a search that
 * follows each link by hand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/hops.h"

enum { N_NODES = 7, N_PORTS = 12, N_HOPS = N_NODES * N_PORTS };

static uint32_t
draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

/* Hop 'i' of all that there may be. */
static struct topo_span_hop
hop_of(size_t i)
{
    return (struct topo_span_hop){.node = (uint32_t) (i / N_PORTS),
                                  .port = (uint32_t) (i % N_PORTS)};
}

static void
assert_same(const struct hop_set *set, const bool *bits)
{
    size_t n = 0;
    for (size_t i = 0; i < N_HOPS; i++) {
        struct topo_span_hop hop = hop_of(i);
        if (i % N_PORTS == 0) {
            assert_int_equal(hop_set_first(set, hop.node), n);
        }
        assert_int_equal(hop_set_has(set, &hop), bits[i]);
        if (bits[i]) {
            assert_true(n < set->n);
            assert_int_equal(hop_compare(&set->hops[n], &hop), 0);
            n++;
        }
    }
    assert_int_equal(set->n, n);
}

static void
fill(uint32_t *seed, struct hop_set *set, bool *bits)
{
    memset(bits, 0, N_HOPS * sizeof *bits);
    for (uint32_t n = draw(seed, 40); n; n--) {
        size_t i = draw(seed, N_HOPS);
        struct topo_span_hop hop = hop_of(i);
        hop_set_add(set, &hop);
        bits[i] = true;
    }
    assert_same(set, bits);
}

static bool
is_in(void *bits, const struct topo_span_hop *hop)
{
    return ((const bool *) bits)[hop->node * N_PORTS + hop->port];
}

static void
check_pair(const struct hop_set *a, const bool *in_a, const struct hop_set *b,
           const bool *in_b)
{
    bool equal = true, contains = true;
    for (size_t i = 0; i < N_HOPS; i++) {
        equal = equal && in_a[i] == in_b[i];
        contains = contains && (in_a[i] || !in_b[i]);
    }
    assert_int_equal(hop_set_equal(a, b), equal);
    assert_int_equal(hop_set_contains(a, b), contains);
    assert_true(hop_set_equal(a, a));
    assert_true(hop_set_contains(a, a));
}

static void
operations_do_what_bits_do(void **state)
{
    (void) state;
    uint32_t seed = 1;
    for (int round = 0; round < 3000; round++) {
        struct hop_set a = {.hops = NULL}, b = {.hops = NULL};
        bool in_a[N_HOPS], in_b[N_HOPS], both[N_HOPS], common[N_HOPS];
        fill(&seed, &a, in_a);
        fill(&seed, &b, in_b);
        check_pair(&a, in_a, &b, in_b);
        for (size_t i = 0; i < N_HOPS; i++) {
            both[i] = in_a[i] || in_b[i];
            common[i] = in_a[i] && in_b[i];
        }
        hop_set_unite(&a, &b);
        assert_same(&a, both);
        check_pair(&a, both, &b, in_b);
        hop_set_filter(&a, is_in, in_a); /* Back to what it was... */
        assert_same(&a, in_a);
        hop_set_filter(&a, is_in, in_b);
        assert_same(&a, common);
        check_pair(&a, common, &b, in_b);
        /* A set grows on from what unite and filter have left of it. */
        struct topo_span_hop last = hop_of(N_HOPS - 1);
        hop_set_add(&a, &last);
        common[N_HOPS - 1] = true;
        assert_same(&a, common);
        hop_set_uninit(&a);
        assert_int_equal(a.n, 0);
        hop_set_uninit(&b);
    }
}

static bool
peer_in(void *net, const struct topo_span_hop *hop, struct topo_span_hop *peer)
{
    const struct topo_hop *h = topo_net_hop(net, hop->node, hop->port);
    if (h) {
        *peer = (struct topo_span_hop){h->peer, h->peer_port};
    }
    return h != NULL;
}

static void
empty_sets_are_fine(void **state)
{
    (void) state;
    struct hop_set a = {.hops = NULL}, b = {.hops = NULL};
    struct topo_net *net = topo_net_create();
    hop_set_unite(&a, &b);
    hop_set_filter(&a, is_in, NULL);
    assert_true(hop_set_equal(&a, &b));
    assert_true(hop_set_contains(&a, &b));
    assert_true(hop_set_is_forest(&a, peer_in, net));
    hop_set_uninit(&a);
    topo_net_destroy(net);
}

/* Forests. */

/* Links as a list, apart from the net's own. */
struct naive {
    struct {
        uint32_t a, a_port, b, b_port;
        bool used;
    } links[N_NODES * N_NODES];
    size_t n_links;
};

static bool
uses(const struct hop_set *set, uint32_t node, uint32_t port)
{
    struct topo_span_hop hop = {.node = node, .port = port};
    return hop_set_has(set, &hop);
}

/* Is there a way from 'node' to 'to' over links that are used, other than
 * number 'but'? */
static bool
reaches(const struct naive *g, uint32_t node, uint32_t to, size_t but,
        bool *been)
{
    if (node == to) {
        return true;
    }
    been[node] = true;
    for (size_t i = 0; i < g->n_links; i++) {
        uint32_t a = g->links[i].a, b = g->links[i].b;
        uint32_t next = a == node ? b : a;
        if (i != but && g->links[i].used && (a == node || b == node)
            && !been[next] && reaches(g, next, to, but, been)) {
            return true;
        }
    }
    return false;
}

/* In a forest no link's ends are joined by another way. */
static bool
is_forest(struct naive *g, const struct hop_set *set)
{
    bool forest = true;
    for (size_t i = 0; i < g->n_links; i++) {
        g->links[i].used = uses(set, g->links[i].a, g->links[i].a_port)
                           || uses(set, g->links[i].b, g->links[i].b_port);
    }
    for (size_t i = 0; i < g->n_links && forest; i++) {
        bool been[N_NODES] = {false};
        forest = !g->links[i].used
                 || !reaches(g, g->links[i].a, g->links[i].b, i, been);
    }
    return forest;
}

/* Node numbers and dpids in different orders; several links between two. */
static struct topo_net *
random_net(uint32_t *seed, struct naive *g)
{
    struct topo_net *net = topo_net_create();
    uint32_t next_port[N_NODES] = {0};
    g->n_links = 0;
    for (uint64_t i = 0; i < N_NODES; i++) {
        assert_int_equal(topo_net_add(net, 100 - i), i);
    }
    for (uint32_t n = draw(seed, 14); n; n--) {
        uint32_t a = draw(seed, N_NODES), b = draw(seed, N_NODES);
        if (a == b || next_port[a] == N_PORTS || next_port[b] == N_PORTS) {
            continue;
        }
        uint32_t a_port = next_port[a]++, b_port = next_port[b]++;
        topo_net_link(net, 100 - a, a_port, 100 - b, b_port);
        g->links[g->n_links].a = a;
        g->links[g->n_links].a_port = a_port;
        g->links[g->n_links].b = b;
        g->links[g->n_links++].b_port = b_port;
    }
    return net;
}

/* Hops of links in one direction, the other, or both, and some of none. */
static void
random_hops(uint32_t *seed, const struct naive *g, struct hop_set *set)
{
    for (size_t i = 0; i < g->n_links; i++) {
        uint32_t way = draw(seed, 5);
        struct topo_span_hop there = {g->links[i].a, g->links[i].a_port};
        struct topo_span_hop back = {g->links[i].b, g->links[i].b_port};
        if (way == 1 || way == 3) {
            hop_set_add(set, &there);
        }
        if (way == 2 || way == 3) {
            hop_set_add(set, &back);
        }
    }
    for (uint32_t n = draw(seed, 4); n; n--) {
        struct topo_span_hop dead = {draw(seed, N_NODES), N_PORTS + n};
        hop_set_add(set, &dead);
    }
}

static void
forests_are_told_from_others(void **state)
{
    (void) state;
    static struct naive g;
    uint32_t seed = 7;
    size_t n_forests = 0, n_others = 0;
    for (int round = 0; round < 20000; round++) {
        struct topo_net *net = random_net(&seed, &g);
        struct hop_set set = {.hops = NULL};
        random_hops(&seed, &g, &set);
        bool forest = is_forest(&g, &set);
        assert_int_equal(hop_set_is_forest(&set, peer_in, net), forest);
        n_forests += forest;
        n_others += !forest;
        hop_set_uninit(&set);
        topo_net_destroy(net);
    }
    assert_true(n_forests > 4000);
    assert_true(n_others > 4000);
}

/* Two links between the same two are a ring, one in both directions is
 * not. */
static void
both_directions_are_one_link(void **state)
{
    (void) state;
    struct topo_net *net = topo_net_create();
    struct hop_set set = {.hops = NULL};
    topo_net_add(net, 1);
    topo_net_add(net, 2);
    topo_net_link(net, 1, 5, 2, 6);
    topo_net_link(net, 1, 7, 2, 8);
    hop_set_add(&set, &(struct topo_span_hop){0, 5});
    hop_set_add(&set, &(struct topo_span_hop){1, 6});
    assert_true(hop_set_is_forest(&set, peer_in, net));
    hop_set_add(&set, &(struct topo_span_hop){1, 8});
    assert_false(hop_set_is_forest(&set, peer_in, net));
    topo_net_unlink(net, 1, 7);
    assert_true(hop_set_is_forest(&set, peer_in, net));
    hop_set_uninit(&set);
    topo_net_destroy(net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_do_what_bits_do),
        cmocka_unit_test(empty_sets_are_fine),
        cmocka_unit_test(forests_are_told_from_others),
        cmocka_unit_test(both_directions_are_one_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
