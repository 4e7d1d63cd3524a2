/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-net.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct node {
    uint64_t dpid; /* 0: the number is free. */
    bool away;
    struct topo_hop *hops; /* By (dpid of the peer, own port). */
    size_t n_hops, allocated_hops;
};

struct topo_net {
    struct node *nodes;
    size_t n_nodes, allocated_nodes;
    uint32_t *order; /* The numbers in use, by dpid. */
    size_t n_order, allocated_order;
    size_t n_links;
    uint64_t generation;
};

struct topo_net *
topo_net_create(void)
{
    return xcalloc(1, sizeof(struct topo_net));
}

void
topo_net_destroy(struct topo_net *net)
{
    if (net) {
        for (size_t i = 0; i < net->n_nodes; i++) {
            free(net->nodes[i].hops);
        }
        free(net->nodes);
        free(net->order);
        free(net);
    }
}

uint64_t
topo_net_generation(const struct topo_net *net)
{
    return net->generation;
}

/* Nodes. */
/* Where 'dpid' is in the order, or where it belongs. */
static size_t
order_search(const struct topo_net *net, uint64_t dpid)
{
    size_t low = 0, high = net->n_order;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (net->nodes[net->order[middle]].dpid < dpid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t
topo_net_find(const struct topo_net *net, uint64_t dpid)
{
    size_t i = order_search(net, dpid);

    return i < net->n_order && net->nodes[net->order[i]].dpid == dpid
               ? net->order[i]
               : TOPO_NO_NODE;
}

/* Switches come seldom: the lowest free number is looked for. */
static uint32_t
take_number(struct topo_net *net)
{
    if (net->n_order < net->n_nodes) {
        for (size_t i = 0; i < net->n_nodes; i++) {
            if (!net->nodes[i].dpid) {
                return i;
            }
        }
    }
    net->nodes = xgrow(net->nodes, net->n_nodes, &net->allocated_nodes,
                       sizeof *net->nodes);
    net->nodes[net->n_nodes] = (struct node){.dpid = 0};
    return net->n_nodes++;
}

uint32_t
topo_net_add(struct topo_net *net, uint64_t dpid)
{
    uint32_t node = topo_net_find(net, dpid);

    if (node != TOPO_NO_NODE || !dpid) {
        return node;
    }
    size_t i = order_search(net, dpid);

    node = take_number(net);
    net->nodes[node].dpid = dpid;
    net->order = xgrow(net->order, net->n_order, &net->allocated_order,
                       sizeof *net->order);
    memmove(&net->order[i + 1], &net->order[i],
            (net->n_order - i) * sizeof *net->order);
    net->order[i] = node;
    net->n_order++;
    net->generation++;
    return node;
}

uint64_t
topo_net_dpid(const struct topo_net *net, uint32_t node)
{
    return node < net->n_nodes ? net->nodes[node].dpid : 0;
}

uint32_t
topo_net_size(const struct topo_net *net)
{
    return net->n_nodes;
}

size_t
topo_net_n_links(const struct topo_net *net)
{
    return net->n_links;
}

void
topo_net_in_order(const struct topo_net *net, const uint32_t **nodes,
                  size_t *n)
{
    *nodes = net->order;
    *n = net->n_order;
}

/* Hops. */
static struct topo_hop *
find_hop(const struct topo_net *net, uint32_t node, uint32_t port)
{
    const struct node *own = &net->nodes[node];

    for (size_t i = 0; i < own->n_hops; i++) {
        if (own->hops[i].port == port) {
            return &own->hops[i];
        }
    }
    return NULL;
}

static void
insert_hop(struct topo_net *net, uint32_t node, const struct topo_hop *hop)
{
    struct node *own = &net->nodes[node];
    uint64_t dpid = net->nodes[hop->peer].dpid;
    size_t i;

    own->hops =
        xgrow(own->hops, own->n_hops, &own->allocated_hops, sizeof *own->hops);
    for (i = own->n_hops; i > 0; i--) {
        const struct topo_hop *before = &own->hops[i - 1];
        uint64_t other = net->nodes[before->peer].dpid;

        if (other < dpid || (other == dpid && before->port < hop->port)) {
            break;
        }
        own->hops[i] = *before;
    }
    own->hops[i] = *hop;
    own->n_hops++;
}

static void
remove_hop(struct topo_net *net, uint32_t node, struct topo_hop *hop)
{
    struct node *own = &net->nodes[node];
    size_t i = hop - own->hops;

    own->n_hops--;
    memmove(hop, hop + 1, (own->n_hops - i) * sizeof *hop);
}

/* Takes both ends of the port's link out, if it has one. */
static bool
cut(struct topo_net *net, uint32_t node, uint32_t port)
{
    struct topo_hop *hop = find_hop(net, node, port);

    if (!hop) {
        return false;
    }
    remove_hop(net, hop->peer, find_hop(net, hop->peer, hop->peer_port));
    remove_hop(net, node, hop);
    net->n_links--;
    return true;
}

void
topo_net_remove(struct topo_net *net, uint64_t dpid)
{
    uint32_t number = topo_net_find(net, dpid);

    if (number == TOPO_NO_NODE) {
        return;
    }
    struct node *node = &net->nodes[number];
    size_t i = order_search(net, dpid);

    while (node->n_hops) {
        cut(net, number, node->hops[node->n_hops - 1].port);
    }
    free(node->hops);
    *node = (struct node){.dpid = 0};
    net->n_order--;
    memmove(&net->order[i], &net->order[i + 1],
            (net->n_order - i) * sizeof *net->order);
    net->generation++;
}

bool
topo_net_link(struct topo_net *net, uint64_t dpid_a, uint32_t port_a,
              uint64_t dpid_b, uint32_t port_b)
{
    uint32_t a = topo_net_find(net, dpid_a);
    uint32_t b = topo_net_find(net, dpid_b);

    if (a == TOPO_NO_NODE || b == TOPO_NO_NODE || a == b) {
        return false;
    }
    const struct topo_hop *old = find_hop(net, a, port_a);

    if (old && old->peer == b && old->peer_port == port_b) {
        return false;
    }
    cut(net, a, port_a);
    cut(net, b, port_b);
    insert_hop(net, a, &(struct topo_hop){port_a, b, port_b});
    insert_hop(net, b, &(struct topo_hop){port_b, a, port_a});
    net->n_links++;
    net->generation++;
    return true;
}

bool
topo_net_unlink(struct topo_net *net, uint64_t dpid, uint32_t port)
{
    uint32_t node = topo_net_find(net, dpid);

    if (node == TOPO_NO_NODE || !cut(net, node, port)) {
        return false;
    }
    net->generation++;
    return true;
}

const struct topo_hop *
topo_net_hops(const struct topo_net *net, uint32_t node, size_t *n)
{
    if (node >= net->n_nodes) {
        *n = 0;
        return NULL;
    }
    *n = net->nodes[node].n_hops;
    return net->nodes[node].hops;
}

const struct topo_hop *
topo_net_hop(const struct topo_net *net, uint32_t node, uint32_t port)
{
    return node < net->n_nodes ? find_hop(net, node, port) : NULL;
}

/* Being away. */
void
topo_net_set_away(struct topo_net *net, uint32_t node, bool away)
{
    if (topo_net_dpid(net, node) && net->nodes[node].away != away) {
        net->nodes[node].away = away;
        net->generation++;
    }
}

bool
topo_net_is_away(const struct topo_net *net, uint32_t node)
{
    return node < net->n_nodes && net->nodes[node].away;
}
