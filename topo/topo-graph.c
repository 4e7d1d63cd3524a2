/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-graph.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* A sorted array of pointers: binary search to look up, a move of pointers to
 * change.  Switches and ports come and go seldom and are looked up often. */
struct list {
    void **items;
    size_t n, allocated;
};

typedef int compare_func(const void *item, const void *key);

/* The switch as others see it comes first, so that a pointer to it is a
 * pointer to this. */
struct node {
    struct topo_switch public;
    struct list by_no;   /* struct topo_port *, also public.ports. */
    struct list by_name; /* The same ones; among equal names by number. */
};

struct topo_graph {
    struct list switches; /* struct node * by dpid. */
    uint64_t generation;
};

/* Sorted lists. */
/* Where 'key' is in 'list', or where it belongs. */
static size_t
list_search(const struct list *list, compare_func *compare, const void *key)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(list->items[middle], key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void *
list_lookup(const struct list *list, compare_func *compare, const void *key)
{
    size_t i = list_search(list, compare, key);

    return i < list->n && !compare(list->items[i], key) ? list->items[i]
                                                        : NULL;
}

static void
list_insert(struct list *list, compare_func *compare, void *item)
{
    size_t i = list_search(list, compare, item);

    list->items =
        xgrow(list->items, list->n, &list->allocated, sizeof *list->items);
    memmove(&list->items[i + 1], &list->items[i],
            (list->n - i) * sizeof *list->items);
    list->items[i] = item;
    list->n++;
}

static void
list_remove(struct list *list, compare_func *compare, void *item)
{
    size_t i = list_search(list, compare, item);

    if (i < list->n && list->items[i] == item) {
        list->n--;
        memmove(&list->items[i], &list->items[i + 1],
                (list->n - i) * sizeof *list->items);
    }
}

/* Keys: a struct of the listed kind of which only the key fields are set. */
static int
by_dpid(const void *item, const void *key)
{
    const struct node *a = item, *b = key;

    return (a->public.dpid > b->public.dpid)
           - (a->public.dpid < b->public.dpid);
}

static int
by_no(const void *item, const void *key)
{
    const struct topo_port *a = item, *b = key;

    return (a->no > b->no) - (a->no < b->no);
}

static int
by_name(const void *item, const void *key)
{
    const struct topo_port *a = item, *b = key;
    int order = strcmp(a->name, b->name);

    return order ? order : by_no(a, b);
}

/* Looking up. */
static struct node *
find_node(const struct topo_graph *graph, uint64_t dpid)
{
    const struct node key = {.public.dpid = dpid};

    return list_lookup(&graph->switches, by_dpid, &key);
}

static struct topo_port *
find_no(const struct node *node, uint64_t no)
{
    if (no > UINT32_MAX) {
        return NULL;
    }
    const struct topo_port key = {.no = no};
    return list_lookup(&node->by_no, by_no, &key);
}

const struct topo_switch *
topo_lookup_switch(const struct topo_graph *graph, uint64_t dpid)
{
    const struct node *node = find_node(graph, dpid);

    return node ? &node->public : NULL;
}

const struct topo_port *
topo_lookup_port(const struct topo_graph *graph, const struct port_id *id)
{
    const struct node *node = find_node(graph, id->dpid);

    return node ? find_no(node, id->port_no) : NULL;
}

/* All digits and within 32 bits? */
static bool
parse_no(const char *s, uint32_t *no)
{
    uint64_t value = 0;

    if (!*s) {
        return false;
    }
    for (; *s; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }
        value = value * 10 + (*s - '0');
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *no = value;
    return true;
}

const struct topo_port *
topo_find_port(const struct topo_graph *graph, uint64_t dpid, const char *name)
{
    const struct node *node = find_node(graph, dpid);
    struct topo_port key = {.no = 0};
    uint32_t no;

    if (!node || strlen(name) >= sizeof key.name) {
        return NULL;
    }
    strcpy(key.name, name);

    size_t i = list_search(&node->by_name, by_name, &key);
    if (i < node->by_name.n) {
        const struct topo_port *port = node->by_name.items[i];

        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return parse_no(name, &no) ? find_no(node, no) : NULL;
}

void
topo_each_switch(const struct topo_graph *graph, topo_switch_cb *cb, void *aux)
{
    for (size_t i = 0; i < graph->switches.n; i++) {
        const struct node *node = graph->switches.items[i];

        if (!cb(aux, &node->public)) {
            break;
        }
    }
}

const char *
topo_port_kind_name(enum topo_port_kind kind)
{
    switch (kind) {
    case TOPO_PORT_HOST:
        return "host";
    case TOPO_PORT_LINK:
        return "link";
    case TOPO_PORT_MROUTER:
        return "mrouter";
    case TOPO_PORT_TUNNEL:
        return "tunnel";
    }
    return "unknown";
}

/* Changing. */
static bool
changed(struct topo_graph *graph)
{
    graph->generation++;
    return true;
}

static void
publish_ports(struct node *node)
{
    node->public.ports = (const struct topo_port *const *) node->by_no.items;
    node->public.n_ports = node->by_no.n;
}

static void
node_destroy(struct node *node)
{
    for (size_t i = 0; i < node->by_no.n; i++) {
        free(node->by_no.items[i]);
    }
    free(node->by_no.items);
    free(node->by_name.items);
    free(node);
}

struct topo_graph *
topo_graph_create(void)
{
    return xcalloc(1, sizeof(struct topo_graph));
}

void
topo_graph_destroy(struct topo_graph *graph)
{
    if (!graph) {
        return;
    }
    for (size_t i = 0; i < graph->switches.n; i++) {
        node_destroy(graph->switches.items[i]);
    }
    free(graph->switches.items);
    free(graph);
}

uint64_t
topo_graph_generation(const struct topo_graph *graph)
{
    return graph->generation;
}

bool
topo_set_switch(struct topo_graph *graph, uint64_t dpid, bool connected)
{
    struct node *node = find_node(graph, dpid);

    if (node && node->public.connected == connected) {
        return false;
    }
    if (!node) {
        node = xcalloc(1, sizeof *node);
        node->public.dpid = dpid;
        list_insert(&graph->switches, by_dpid, node);
    }
    node->public.connected = connected;
    return changed(graph);
}

bool
topo_remove_switch(struct topo_graph *graph, uint64_t dpid)
{
    struct node *node = find_node(graph, dpid);

    if (!node) {
        return false;
    }
    list_remove(&graph->switches, by_dpid, node);
    node_destroy(node);
    return changed(graph);
}

static bool
port_equal(const struct topo_port *a, const struct topo_port *b)
{
    return a->no == b->no && !strcmp(a->name, b->name)
           && !memcmp(&a->mac, &b->mac, sizeof a->mac) && a->up == b->up
           && a->kind == b->kind;
}

bool
topo_set_port(struct topo_graph *graph, uint64_t dpid,
              const struct topo_port *given)
{
    struct node *node = find_node(graph, dpid);

    if (!node) {
        return false;
    }

    /* Names come from switches: do not trust them to be terminated. */
    struct topo_port wanted = *given;
    wanted.name[sizeof wanted.name - 1] = '\0';

    struct topo_port *port = find_no(node, wanted.no);
    if (port && port_equal(port, &wanted)) {
        return false;
    }
    if (port) {
        list_remove(&node->by_name, by_name, port);
        *port = wanted;
    } else {
        port = xmemdup(&wanted, sizeof wanted);
        list_insert(&node->by_no, by_no, port);
        publish_ports(node);
    }
    list_insert(&node->by_name, by_name, port);
    return changed(graph);
}

bool
topo_set_port_kind(struct topo_graph *graph, const struct port_id *id,
                   enum topo_port_kind kind)
{
    struct node *node = find_node(graph, id->dpid);
    struct topo_port *port = node ? find_no(node, id->port_no) : NULL;

    if (!port || port->kind == kind) {
        return false;
    }
    port->kind = kind;
    return changed(graph);
}

bool
topo_remove_port(struct topo_graph *graph, const struct port_id *id)
{
    struct node *node = find_node(graph, id->dpid);
    struct topo_port *port = node ? find_no(node, id->port_no) : NULL;

    if (!port) {
        return false;
    }
    list_remove(&node->by_no, by_no, port);
    list_remove(&node->by_name, by_name, port);
    publish_ports(node);
    free(port);
    return changed(graph);
}
