/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-links-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

const char *
topo_role_name(enum topo_role role)
{
    switch (role) {
    case TOPO_ROLE_UNKNOWN:
        return "unknown";
    case TOPO_ROLE_EDGE:
        return "edge";
    case TOPO_ROLE_LINK:
        return "link";
    }
    return "?";
}

const char *
topo_link_end_name(enum topo_link_end why)
{
    switch (why) {
    case TOPO_LINK_PORT_DOWN:
        return "port-down";
    case TOPO_LINK_PROBES_LOST:
        return "probes-lost";
    case TOPO_LINK_SWITCH_GONE:
        return "switch-gone";
    case TOPO_LINK_RECABLED:
        return "recabled";
    }
    return "?";
}

const char *
topo_suspicion_name(enum topo_suspicion what)
{
    switch (what) {
    case TOPO_SUSPECT_FORGED:
        return "forged";
    case TOPO_SUSPECT_REPLAYED:
        return "replayed";
    case TOPO_SUSPECT_HOST_PORT:
        return "host-port";
    case TOPO_SUSPECT_FORBIDDEN:
        return "forbidden";
    case TOPO_SUSPECT_SELF:
        return "self";
    }
    return "?";
}

enum topo_role
topo_links_role(const struct topo_links *l, const struct port_id *id)
{
    const struct topo_links_port *p = topo_links_find(l, id);

    return p ? p->role : TOPO_ROLE_UNKNOWN;
}

bool
topo_links_peer(const struct topo_links *l, const struct port_id *id,
                struct port_id *peer)
{
    const struct topo_links_port *p = topo_links_find(l, id);

    if (!p || !p->peer) {
        return false;
    }
    *peer = p->peer->id;
    return true;
}

bool
topo_links_is_searching(const struct topo_links *l)
{
    return l->n_searching > 0;
}

size_t
topo_links_count(const struct topo_links *l)
{
    return l->n_links;
}

void
topo_links_counters(const struct topo_links *l, struct topo_links_counters *c)
{
    *c = l->counters;
}

static int
compare_lower(const void *a_, const void *b_)
{
    const struct topo_links_port *const *a = a_, *const *b = b_;
    const struct port_id *x = &(*a)->id, *y = &(*b)->id;

    if (x->dpid != y->dpid) {
        return x->dpid < y->dpid ? -1 : 1;
    }
    return x->port_no < y->port_no ? -1 : x->port_no > y->port_no;
}

void
topo_links_each(const struct topo_links *l, topo_link_cb *cb, void *aux)
{
    const struct topo_links_port **list =
        xcalloc(l->n_links + 1, sizeof *list);
    const struct topo_links_port *p;
    size_t n = 0;

    for (p = l->ports; p; p = p->hh.next) {
        if (p->peer && p->id.dpid < p->peer->id.dpid) {
            list[n++] = p;
        }
    }
    qsort(list, n, sizeof *list, compare_lower);
    for (size_t i = 0; i < n; i++) {
        unsigned int a = topo_flaps_count(l, &list[i]->id);
        unsigned int b = topo_flaps_count(l, &list[i]->peer->id);
        struct topo_link_view view = {.a = list[i]->id,
                                      .b = list[i]->peer->id,
                                      .since = list[i]->since,
                                      .flaps = a > b ? a : b};

        if (!cb(aux, &view)) {
            break;
        }
    }
    free(list);
}
