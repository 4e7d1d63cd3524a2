/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Targets of routes that are ends of tunnels.
 *
 * Where the target does not say which tunnel port, the configuration does:
 * the one of the switch that carries the VNI, or the vlan.  A port that is
 * named with a VNI need not be configured. */

#include "controller/route-build.h"

bool
route_has_vteps(const struct route *route)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        if (route->targets[i].kind == ROUTE_TO_VTEP) {
            return true;
        }
    }
    return false;
}

/* Which way. */

static bool
carries(const struct config_tunnel *t, uint16_t vlan, uint32_t vni)
{
    uint32_t found;

    for (size_t i = 0; vni && i < t->n_vnis; i++) {
        if (t->vnis[i].vni == vni) {
            return true;
        }
    }
    return !vni && config_tunnel_vni(t, vlan, &found);
}

/* Those of the switch; with several, the one that carries the VNI, or the
 * vlan.  NULL if that tells none. */
static const struct config_tunnel *
find_tunnel(const struct ctl_switch *sw, uint16_t vlan, uint32_t vni)
{
    const struct config *config = sw->ctl->config;
    const struct config_tunnel *only = NULL;
    size_t n = 0;

    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *t = &config->tunnels[i];
        if (t->dpid == sw->dpid && carries(t, vlan, vni)) {
            return t;
        }
        if (t->dpid == sw->dpid) {
            only = t;
            n++;
        }
    }
    return n == 1 ? only : NULL;
}

/* NULL, with the reason in the part. */
static const struct topo_port *
find_port(struct route_build *b, const struct route_target *target,
          uint16_t vlan)
{
    const struct config_tunnel *t =
        *target->port ? NULL : find_tunnel(b->sw, vlan, target->vni);
    const char *name = t ? t->port : target->port;
    const struct topo_port *port =
        *name ? topo_find_port(b->sw->ctl->topo, b->sw->dpid, name) : NULL;

    if (!*name) {
        route_wait_for(b->part,
                       "switch " DPID_FMT " has no tunnel port that is meant: "
                       "name one",
                       b->sw->dpid);
    } else if (!port) {
        route_wait_for(b->part,
                       "port %s of switch " DPID_FMT " does not exist", name,
                       b->sw->dpid);
    }
    return port;
}

static bool
find_vni(struct route_build *b, const struct route_target *target,
         const struct topo_port *port, uint16_t vlan, uint32_t *vni)
{
    const struct config_tunnel *t =
        config_get_tunnel(b->sw->ctl->config, b->sw->dpid, port);

    *vni = target->vni;
    if (*vni || (t && config_tunnel_vni(t, vlan, vni))) {
        return true;
    }
    route_wait_for(b->part, "no VNI of port %s carries vlan %u: give \"vni\"",
                   port->name, vlan);
    return false;
}

bool
route_find_vtep(struct route_build *b, const struct route_target *target,
                int vlan, struct ofp_copy *copy)
{
    /* Every stream of such a route is of a known vlan: see
     * route_follows_members(). */
    int out = target->set.has_vlan ? target->set.vlan : vlan;
    if (out < 0 || (target->has_dpid && target->dpid != b->sw->dpid)) {
        return false;
    }
    const struct topo_port *port = find_port(b, target, (uint16_t) out);
    if (!port || !find_vni(b, target, port, (uint16_t) out, &copy->tun_id)) {
        return false;
    }
    copy->port = port->no;
    copy->tun_dst = target->vtep;
    copy->pop_vlan = out != 0;
    tunnels_want_warm(b->sw->ctl);
    return true;
}

/* The ends that routes send to, for finding the way to them. */

static void
note_target(struct ctl *ctl, struct rule *rule,
            const struct route_target *target, route_vtep_cb *cb)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        struct ctl_switch *sw = switch_lookup(ctl, part->dpid);
        const struct topo_port *port = NULL;
        uint16_t vlan = rule->route->match.vlan;
        uint32_t vni = target->vni;
        if (!sw || (target->has_dpid && target->dpid != sw->dpid)) {
            continue;
        }
        const struct config_tunnel *t =
            *target->port ? NULL : find_tunnel(sw, vlan, vni);
        port = topo_find_port(ctl->topo, sw->dpid, t ? t->port : target->port);
        t = config_get_tunnel(ctl->config, sw->dpid, port);
        /* Any VNI will do. */
        if (port && (vni || t)) {
            cb(sw, port->no, vni ? vni : t->vnis[0].vni, target->vtep);
        }
    }
}

void
routes_each_vtep(struct ctl *ctl, route_vtep_cb *cb)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        const struct route *route = rule->route;
        for (size_t i = 0; i < route->n_targets; i++) {
            if (route->targets[i].kind == ROUTE_TO_VTEP && !rule->gone) {
                note_target(ctl, rule, &route->targets[i], cb);
            }
        }
    }
}
