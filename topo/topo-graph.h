/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_GRAPH_H
#define TOPO_GRAPH_H 1

/* Switches and their ports, as data: who is there, what is up, what a port
 * leads to.  Links and trees come on top of it.
 *
 * 'generation' grows with every change, so that what was computed from the
 * graph can tell whether it is stale.
 *
 * Ownership: pointers that lookups return live until the switch or port is
 * removed.  Ports are kept sorted by number. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { TOPO_PORT_NAME_SIZE = 64 };

enum topo_port_kind {
    TOPO_PORT_HOST,
    TOPO_PORT_LINK,
    TOPO_PORT_MROUTER,
    TOPO_PORT_TUNNEL
};

const char *topo_port_kind_name(enum topo_port_kind); /* "host" ... */

struct topo_port {
    uint32_t no;
    char name[TOPO_PORT_NAME_SIZE];
    struct mac_addr mac;
    bool up; /* Neither administratively down nor without a link. */
    enum topo_port_kind kind;
};

struct topo_switch {
    uint64_t dpid;
    bool connected;
    const struct topo_port *const *ports; /* Sorted by number. */
    size_t n_ports;
};

struct topo_graph;

struct topo_graph *topo_graph_create(void);
void topo_graph_destroy(struct topo_graph *);
uint64_t topo_graph_generation(const struct topo_graph *);

/* Changes.  Each returns true if anything changed. */
bool topo_set_switch(struct topo_graph *, uint64_t dpid, bool connected);
bool topo_remove_switch(struct topo_graph *, uint64_t dpid);
/* Adds the port or replaces what is known of it ('kind' included). */
bool topo_set_port(struct topo_graph *, uint64_t dpid,
                   const struct topo_port *);
bool topo_set_port_kind(struct topo_graph *, const struct port_id *,
                        enum topo_port_kind);
bool topo_remove_port(struct topo_graph *, const struct port_id *);

/* Lookups: NULL if there is none. */
const struct topo_switch *topo_lookup_switch(const struct topo_graph *,
                                             uint64_t dpid);
const struct topo_port *topo_lookup_port(const struct topo_graph *,
                                         const struct port_id *);
/* By name, or by number where 'name' is all digits and no port has that
 * name. */
const struct topo_port *topo_find_port(const struct topo_graph *,
                                       uint64_t dpid, const char *name);

/* In order of dpid.  The callback returns false to stop. */
typedef bool topo_switch_cb(void *aux, const struct topo_switch *);
void topo_each_switch(const struct topo_graph *, topo_switch_cb *, void *aux);

#endif
