/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of tunnels. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "controller/view.h"
#include "lib/xalloc.h"

static int
compare_peers(const void *a_, const void *b_)
{
    const struct view_peer *a = a_, *b = b_;
    return ip_addr_compare(&a->vtep, &b->vtep);
}

static struct view_peer *
build_peers(const struct ctl *ctl, const struct port_id *id, size_t *n)
{
    static const char *const origins[] = {
        [TUNNEL_LEARNED] = "learned",
        [TUNNEL_SHARED] = "shared",
        [TUNNEL_DECLARED] = "declared",
    };
    struct view_peer *peers =
        xcalloc(HASH_COUNT(ctl->tunnels->peers) + 1, sizeof *peers);
    const struct tunnel_peer *p;
    *n = 0;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        if (p->id.dpid == id->dpid && port_id_no(&p->id) == port_id_no(id)) {
            peers[(*n)++] =
                (struct view_peer){.vtep = ip_addr_v4(port_id_vtep(&p->id)),
                                   .origin = origins[p->origin]};
        }
    }
    qsort(peers, *n, sizeof *peers, compare_peers);
    return peers;
}

struct view_tunnel *
tunnel_view(const struct ctl *ctl, const struct port_id *id)
{
    const struct config_tunnel *t = tunnel_of(ctl, id);
    if (!t) {
        return NULL;
    }
    struct view_tunnel *view = xcalloc(1, sizeof *view);
    struct view_vni *vnis = xcalloc(t->n_vnis, sizeof *vnis);
    for (size_t i = 0; i < t->n_vnis; i++) {
        vnis[i] = (struct view_vni){t->vnis[i].vni, t->vnis[i].vlan};
    }
    view->vnis = vnis;
    view->n_vnis = t->n_vnis;
    view->peers = build_peers(ctl, id, &view->n_peers);
    view->local = t->local ? ip_addr_v4(t->local) : IP_ADDR_ANY;
    view->querier = t->querier;
    return view;
}

void
tunnel_view_free(const struct view_tunnel *view)
{
    if (view) {
        free((void *) view->vnis);
        free((void *) view->peers);
        free((void *) view);
    }
}
