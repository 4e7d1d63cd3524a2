/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/topo-rig.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"

struct topo_net *
rig_net(const char *text)
{
    struct topo_net *net = topo_net_create();

    while (*text) {
        uint64_t a, b;
        uint32_t port_a, port_b;

        text += strspn(text, " ;\n");
        if (!*text) {
            break;
        }
        if (sscanf(text, "link %" SCNu64 ":%u %" SCNu64 ":%u", &a, &port_a, &b,
                   &port_b)
            == 4) {
            topo_net_add(net, a);
            topo_net_add(net, b);
            assert_true(topo_net_link(net, a, port_a, b, port_b));
        } else if (sscanf(text, "node %" SCNu64, &a) == 1) {
            topo_net_add(net, a);
        } else if (sscanf(text, "away %" SCNu64, &a) == 1) {
            topo_net_set_away(net, topo_net_add(net, a), true);
        } else {
            fail_msg("no statement: %s", text);
        }
        text += strcspn(text, ";\n");
    }
    return net;
}

char *
rig_tree_text(const struct topo_net *net, const struct topo_tree *tree)
{
    char *text = xstrdup("");
    const uint32_t *order;
    size_t n;

    topo_net_in_order(net, &order, &n);
    for (size_t i = 0; i < n; i++) {
        const struct topo_tree_node *node = topo_tree_node(tree, order[i]);

        if (node && node->parent != TOPO_NO_NODE) {
            char *longer =
                xasprintf("%s%" PRIu64 ":%u>%" PRIu64 ":%u ", text,
                          topo_net_dpid(net, order[i]), node->port,
                          topo_net_dpid(net, node->parent), node->parent_port);
            free(text);
            text = longer;
        }
    }
    return text;
}

uint32_t *
rig_distances(const struct topo_net *net, uint64_t dpid, bool avoid)
{
    uint32_t size = topo_net_size(net);
    uint32_t *distances = xmalloc((size + 1) * sizeof *distances);
    uint32_t root = topo_net_find(net, dpid);
    bool changed = true;

    memset(distances, 0xff, (size + 1) * sizeof *distances);
    if (root != TOPO_NO_NODE && !(avoid && topo_net_is_away(net, root))) {
        distances[root] = 0;
    }
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < size; i++) {
            size_t n;
            const struct topo_hop *hops = topo_net_hops(net, i, &n);

            for (size_t j = 0; j < n && distances[i] != UINT32_MAX; j++) {
                uint32_t peer = hops[j].peer;

                if (distances[peer] > distances[i] + 1
                    && !(avoid && topo_net_is_away(net, peer))) {
                    distances[peer] = distances[i] + 1;
                    changed = true;
                }
            }
        }
    }
    return distances;
}

void
rig_check_tree(const struct topo_net *net, const struct topo_tree *tree)
{
    uint32_t *distances = rig_distances(net, tree->root, tree->avoid);

    for (uint32_t i = 0; i < topo_net_size(net); i++) {
        const struct topo_tree_node *node = topo_tree_node(tree, i);

        bool reached = distances[i] != UINT32_MAX;
        /* One that avoids who is away keeps those that it has. */
        if (reached ? !node : node && !tree->avoid) {
            fail_msg("node %u is wrongly in or out", i);
        }
        if (!node) {
            continue;
        }
        assert_true(node->dpid == topo_net_dpid(net, i));
        if (node->parent == TOPO_NO_NODE) {
            assert_true(node->depth == 0 && node->dpid == tree->root);
            continue;
        }
        const struct topo_tree_node *parent =
            topo_tree_node(tree, node->parent);
        const struct topo_hop *hop = topo_net_hop(net, i, node->port);

        assert_true(parent && hop && hop->peer == node->parent
                    && hop->peer_port == node->parent_port
                    && node->depth == parent->depth + 1
                    && (tree->avoid || node->depth >= distances[i]));
    }
    free(distances);
}

static uint32_t
free_port(const struct topo_net *net, uint64_t dpid)
{
    uint32_t port = 1;

    while (topo_net_hop(net, topo_net_find(net, dpid), port)) {
        port++;
    }
    return port;
}

void
rig_join(struct topo_net *net, uint64_t a, uint64_t b)
{
    topo_net_add(net, a);
    topo_net_add(net, b);
    topo_net_link(net, a, free_port(net, a), b, free_port(net, b));
}

uint64_t
rig_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
