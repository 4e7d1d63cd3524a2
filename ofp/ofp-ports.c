/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-ports.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/xalloc.h"
#include "ofp/ofp-proto.h"

struct ofp_ports_node {
    UT_hash_handle hh;
    struct ofp_port port;
};

void
ofp_ports_uninit(struct ofp_ports *ports)
{
    struct ofp_ports_node *node, *next;

    HASH_ITER (hh, ports->nodes, node, next) {
        HASH_DEL(ports->nodes, node);
        free(node);
    }
}

static struct ofp_ports_node *
find(const struct ofp_ports *ports, uint32_t no)
{
    struct ofp_ports_node *node;

    HASH_FIND(hh, ports->nodes, &no, sizeof no, node);
    return node;
}

bool
ofp_ports_put(struct ofp_ports *ports, const struct ofp_port *port,
              ofp_ports_cb *cb, void *aux)
{
    struct ofp_ports_node *node;

    if (port->no > OF13_PORT_MAX) {
        return true;
    }
    node = find(ports, port->no);
    if (node && strcmp(node->port.name, port->name)) {
        ofp_ports_remove(ports, port->no, cb, aux);
        node = NULL;
    }
    if (!node) {
        if (HASH_COUNT(ports->nodes) >= OFP_MAX_PORTS) {
            return false;
        }
        node = xcalloc(1, sizeof *node);
        node->port = *port;
        HASH_ADD(hh, ports->nodes, port.no, sizeof node->port.no, node);
        cb(aux, OFP_PORT_ADDED, &node->port);
    } else if (node->port.up != port->up
               || memcmp(&node->port.mac, &port->mac, sizeof port->mac)) {
        node->port = *port;
        cb(aux, OFP_PORT_MODIFIED, &node->port);
    }
    return true;
}

void
ofp_ports_remove(struct ofp_ports *ports, uint32_t no, ofp_ports_cb *cb,
                 void *aux)
{
    struct ofp_ports_node *node = find(ports, no);

    if (node) {
        HASH_DEL(ports->nodes, node);
        cb(aux, OFP_PORT_DELETED, &node->port);
        free(node);
    }
}

void
ofp_ports_each(const struct ofp_ports *ports, ofp_ports_cb *cb, void *aux)
{
    struct ofp_ports_node *node, *next;

    HASH_ITER (hh, ports->nodes, node, next) {
        cb(aux, OFP_PORT_ADDED, &node->port);
    }
}
