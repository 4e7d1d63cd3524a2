/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the switches of a spread hold of it is to be compiled: what that is
 * depends on what is spread. */

#include "controller/fabric.h"

#include <string.h>

#include "controller/route-far.h"

static void
mark_channel(const struct spread *s, struct ctl_switch *sw)
{
    channel_mark(s->ctl, sw->dpid, s->key.vlan, &s->key.name);
    routes_mark_members(s->ctl, sw->dpid, s->key.vlan, &s->key.name);
}

static void
mark_host(const struct spread *s, struct ctl_switch *sw)
{
    struct mac_addr mac;
    memcpy(&mac, s->key.name.b, sizeof mac);
    const struct host *host = host_lookup(s->ctl->fabric, s->key.vlan, &mac);
    if (host) {
        l2_set_host(sw, host);
    }
}

static void
mark_far(const struct spread *s, struct ctl_switch *sw)
{
    struct mac_addr label;
    memcpy(&label, s->key.name.b, sizeof label);
    route_far_mark(s->ctl, &label, sw->dpid);
}

void
spread_mark_node(const struct spread *s, uint32_t node)
{
    struct ctl_switch *sw = fabric_switch(s->ctl->fabric, node);
    struct ctl_vlan *v = vlan_lookup(s->ctl, s->key.vlan);
    if (!sw) {
        return;
    }
    switch ((enum spread_kind) s->key.kind) {
    case SPREAD_CHANNEL:
        mark_channel(s, sw);
        break;
    case SPREAD_ROUTERS:
        if (v) {
            pipeline_set_vlan(sw, v);
            streams_policy_changed(sw, v->vlan);
        }
        break;
    case SPREAD_FLOOD:
        l2_set_flood(sw);
        break;
    case SPREAD_HOST:
        mark_host(s, sw);
        break;
    case SPREAD_FAR:
        mark_far(s, sw);
        break;
    }
}

void
spread_mark_nodes(const struct spread *s, const uint32_t *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        spread_mark_node(s, nodes[i]);
    }
}

void
spread_mark_difference(const struct spread *s, const struct hop_set *a,
                       const struct hop_set *b)
{
    uint32_t last = TOPO_NO_NODE;
    for (size_t i = 0; i < a->n; i++) {
        if (a->hops[i].node != last && !hop_set_has(b, &a->hops[i])) {
            last = a->hops[i].node;
            spread_mark_node(s, last);
        }
    }
}
