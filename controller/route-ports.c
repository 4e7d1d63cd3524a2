/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-ports.h"

#include <string.h>

#include "topo/topo-graph.h"

/* The last "*" takes one character more whenever what is behind it does not
 * fit: earlier ones need not be tried again. */
bool
route_glob_fits(const char *glob, const char *name)
{
    const char *star = NULL, *from = NULL;
    while (*name) {
        if (*glob == '*') {
            star = glob++;
            from = name;
        } else if (*glob && (*glob == '?' || *glob == *name)) {
            glob++;
            name++;
        } else if (star) {
            glob = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*glob == '*') {
        glob++;
    }
    return !*glob;
}

enum { MAX_GLOB = TOPO_PORT_NAME_SIZE };

/* 'meets[j]': is there a name that the rest of one glob, and that of 'b' from
 * its character j on, both fit?  Makes that of the rest which begins a
 * character earlier, with 'c'. */
static void
step_back(char c, const char *b, size_t n, bool meets[MAX_GLOB + 1])
{
    bool before[MAX_GLOB + 1];
    memcpy(before, meets, sizeof before);
    for (size_t j = n + 1; j-- > 0;) {
        bool end = j == n;
        if (c == '*') {
            /* It is nothing, or takes what 'b' has there. */
            meets[j] = before[j] || (!end && meets[j + 1]);
        } else if (!end && b[j] == '*') {
            meets[j] = before[j] || meets[j + 1];
        } else {
            meets[j] = !end && (c == '?' || b[j] == '?' || c == b[j])
                       && before[j + 1];
        }
    }
}

bool
route_globs_meet(const char *a, const char *b)
{
    size_t n = strlen(b);
    bool meets[MAX_GLOB + 1] = {false};
    if (n > MAX_GLOB) {
        return true; /* JSON_PORT_SIZE does not allow it. */
    }
    meets[n] = true;
    for (size_t j = n; j-- > 0 && b[j] == '*';) {
        meets[j] = true;
    }
    for (size_t i = strlen(a); i-- > 0;) {
        step_back(a[i], b, n, meets);
    }
    return meets[0];
}

const struct topo_port *
route_next_port(const struct topo_graph *topo, uint64_t dpid, const char *port,
                size_t *at)
{
    if (!route_port_is_glob(port)) {
        return !(*at)++ ? topo_find_port(topo, dpid, port) : NULL;
    }
    const struct topo_switch *ts = topo_lookup_switch(topo, dpid);
    while (ts && *at < ts->n_ports) {
        const struct topo_port *p = ts->ports[(*at)++];
        if (route_glob_fits(port, p->name)) {
            return p;
        }
    }
    return NULL;
}

bool
route_means_port(const struct topo_graph *topo, uint64_t dpid,
                 const char *port, const struct topo_port *it)
{
    return route_port_is_glob(port) ? route_glob_fits(port, it->name)
                                    : it == topo_find_port(topo, dpid, port);
}
