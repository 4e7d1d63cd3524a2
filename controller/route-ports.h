/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_PORTS_H
#define CONTROLLER_ROUTE_PORTS_H 1

/* Ports as routes name them: by name, by number, or by a glob, a name in which
 * "*" stands for any characters and "?" for one.  A glob means each port of
 * the switch that it fits, now or later. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct topo_graph;
struct topo_port;

static inline bool
route_port_is_glob(const char *port)
{
    return strpbrk(port, "*?") != NULL;
}

/* Does the glob fit a port's name? */
bool route_glob_fits(const char *glob, const char *name);
/* Is there any name that both fit? */
bool route_globs_meet(const char *a, const char *b);

/* The ports of a switch that 'port' means, in order of their numbers: each
 * call gives the next one, NULL at the end.  '*at' is 0 at first.  What it
 * points to lives as long as the port. */
const struct topo_port *route_next_port(const struct topo_graph *,
                                        uint64_t dpid, const char *port,
                                        size_t *at);
/* Is 'it' one of them? */
bool route_means_port(const struct topo_graph *, uint64_t dpid,
                      const char *port, const struct topo_port *it);

#endif
