/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes to other switches (l2: fabric).
 *
 * Such a route has a tree of its own, from where its streams enter to where
 * its copies leave, members that it leads to among them: so each port gets one
 * copy, for whatever reason, and only what has met the route.  What is of the
 * tree is told by its label, the destination MAC address of packets on links:
 *
 *   first switch  TABLE_ROUTE  match -> set -> group { copies here;
 *                                                      label, link ... }
 *   every switch  TABLE_PUNT   from a link, some label -> TABLE_FAR
 *                 TABLE_FAR    label -> group { the group's address, the
 *                                               target's set, port ...;
 *                                               link ... }
 *
 * What is rewritten for all is so where the stream enters, what for one target
 * at its switch.  While the tree moves to another there are entries for both,
 * as with channels (spread-move.c): what is on its way by the new one has
 * another label.  Where members differ by group or source, TABLE_FAR has
 * narrower entries, as TABLE_ROUTE has: the tree is the same for all, and
 * leads to whoever wants any of it. */

#include "controller/route-far.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-fragments.h"
#include "controller/route-match.h"
#include "controller/route-rewrite.h"
#include "controller/route-unicast.h"
#include "lib/hash.h"
#include "lib/xalloc.h"

/* Which routes. */

static bool
is_elsewhere(const struct route *route, const struct route_target *target)
{
    const struct route_match *m = &route->match;
    return target->kind == ROUTE_TO_HOST
           || (target->has_dpid && (!m->has_dpid || m->dpid != target->dpid));
}

bool
route_is_far(const struct ctl *ctl, const struct route *route)
{
    bool far = false;
    for (size_t i = 0; ctl->fabric && i < route->n_targets && !far; i++) {
        far = is_elsewhere(route, &route->targets[i]);
    }
    return far;
}

/* Trees. */

struct far *
far_lookup(const struct ctl *ctl, const struct mac_addr *label)
{
    struct far *far;
    HASH_FIND(hh, ctl->fars, label, sizeof *label, far);
    return far;
}

struct far *
route_far_of_vlan(const struct rule *rule, int vlan)
{
    struct far *far = rule->fars;
    while (far && far->vlan != vlan) {
        far = far->next;
    }
    return far;
}

/* Another try is for two that are the same by chance. */
static struct mac_addr
label_of(const struct ctl *ctl, const char *name, int vlan)
{
    struct mac_addr label;
    char text[ROUTE_NAME_SIZE + 32];
    int n_tries = 0;
    do {
        int n = snprintf(text, sizeof text, "%s/%d/%d", name, vlan, n_tries++);
        uint64_t hash = hash_of_bytes(text, (size_t) n);
        label.b[0] = FAR_LABEL;
        for (int i = 1; i < 6; i++) {
            label.b[i] = (uint8_t) (hash >> (8 * (5 - i)));
        }
    } while (far_lookup(ctl, &label));
    return label;
}

static void
far_create(struct ctl *ctl, struct rule *rule, int vlan)
{
    struct far *far = xcalloc(1, sizeof *far);
    far->label = label_of(ctl, rule->name, vlan);
    far->rule = rule;
    far->vlan = vlan;
    LL_PREPEND(rule->fars, far);
    HASH_ADD(hh, ctl->fars, label, sizeof far->label, far);
    fabric_far_changed(ctl, &far->label);
}

static void
far_destroy(struct ctl *ctl, struct far *far)
{
    LL_DELETE(far->rule->fars, far);
    HASH_DELETE(hh, ctl->fars, far);
    fabric_far_changed(ctl, &far->label);
    free(far);
}

void
route_far_forget(struct ctl *ctl, struct rule *rule)
{
    while (rule->fars) {
        far_destroy(ctl, rule->fars);
    }
}

static void
far_want(struct ctl *ctl, struct rule *rule, int vlan)
{
    if (!route_far_of_vlan(rule, vlan)) {
        far_create(ctl, rule, vlan);
    }
}

/* As routes.c has flows: by vlan where members are looked up. */
void
route_far_update(struct ctl *ctl, struct rule *rule)
{
    const struct route_match *m = &rule->route->match;
    const struct ctl_vlan *v;
    struct far *far, *tmp;
    bool wanted = route_is_far(ctl, rule->route);
    bool follows = route_follows_members(rule->route);
    LL_FOREACH_SAFE (rule->fars, far, tmp) {
        if (!wanted
            || (m->has_vlan ? far->vlan != m->vlan
                            : follows != (far->vlan >= 0))) {
            far_destroy(ctl, far);
        }
    }
    if (wanted && m->has_vlan) {
        far_want(ctl, rule, m->vlan);
    } else if (wanted && !follows) {
        far_want(ctl, rule, -1);
    }
    for (v = wanted && follows && !m->has_vlan ? ctl->vlans : NULL; v;
         v = v->hh.next) {
        far_want(ctl, rule, v->vlan);
    }
}

void
route_far_changed(struct ctl *ctl, const struct rule *rule)
{
    const struct far *far;
    LL_FOREACH(rule->fars, far)
    {
        fabric_far_changed(ctl, &far->label);
    }
}

/* What its packets are known to be where they enter. */
struct channel
route_far_channel(const struct route *route, const struct far *far)
{
    const struct route_match *m = &route->match;
    struct channel in = {.vlan = (uint16_t) (far->vlan < 0 ? 0 : far->vlan)};
    if (ip_prefix_is_host(&m->group)) {
        in.group = m->group.addr;
    }
    if (m->has_source && ip_prefix_is_host(&m->source)) {
        in.source = m->source.addr;
    }
    return in;
}

void
route_far_member_changed(struct ctl *ctl, uint16_t vlan,
                         const struct ip_addr *group)
{
    struct far *far, *tmp;
    HASH_ITER (hh, ctl->fars, far, tmp) {
        if (route_leads_members(far->rule->route, vlan, group)) {
            fabric_far_changed(ctl, &far->label);
        }
    }
}

/* Receivers. */

struct receivers {
    const struct ctl *ctl;
    const struct route *route;
    const struct route_target *target;
    struct channel in, out;
    const struct igmp_snoop *snoop;
    far_port_cb *cb;
    void *aux;
};

static bool
add_port(void *r_, const struct igmp_port_view *port)
{
    const struct receivers *r = r_;
    r->cb(r->aux, &port->port);
    return true;
}

static bool
add_group(void *r_, const struct ip_addr *group)
{
    struct receivers *r = r_;
    struct ip_addr in;
    if (route_group_origin(r->route, r->target, group, &in)) {
        igmp_snoop_each_port(r->snoop, group, add_port, r);
    }
    return true;
}

/* Whoever wants any source. */
static void
add_members(struct receivers *r)
{
    enum igmp_family family =
        ip_addr_is_v4(&r->route->match.group.addr) ? IGMP_IPV4 : IGMP_IPV6;
    r->out = route_target_channel(r->route, r->target, &r->in);
    const struct ctl_vlan *v = vlan_lookup(r->ctl, r->out.vlan);
    if (!v) {
        return;
    }
    r->snoop = vlan_snoop(v, family);
    igmp_snoop_each_router_port(r->snoop, r->cb, r->aux);
    if (ip_addr_is_any(&r->out.group)) {
        igmp_snoop_each_group(r->snoop, add_group, r);
    } else {
        igmp_snoop_each_port(r->snoop, &r->out.group, add_port, r);
    }
}

static void
add_target(struct receivers *r)
{
    struct port_id id = {.dpid = r->target->dpid};
    switch (r->target->kind) {
    case ROUTE_TO_MEMBERS:
        add_members(r);
        break;
    case ROUTE_TO_PORT:
    case ROUTE_TO_VLAN:
    case ROUTE_TO_VTEP:
        if (r->target->has_dpid) {
            r->cb(r->aux, &id);
        }
        break;
    case ROUTE_TO_HOST:
        if (unicast_find(r->ctl, r->route, r->target, &id)) {
            r->cb(r->aux, &id);
        }
        break;
    }
}

void
route_far_each_receiver(const struct ctl *ctl, const struct mac_addr *label,
                        far_port_cb *cb, void *aux)
{
    const struct far *far = far_lookup(ctl, label);
    const struct route *route = far ? far->rule->route : NULL;
    for (size_t i = 0; route && i < route->n_targets; i++) {
        add_target(&(struct receivers){.ctl = ctl,
                                       .route = route,
                                       .target = &route->targets[i],
                                       .in = route_far_channel(route, far),
                                       .cb = cb,
                                       .aux = aux});
    }
}

void
route_far_mark(struct ctl *ctl, const struct mac_addr *label, uint64_t dpid)
{
    struct far *far = far_lookup(ctl, label);
    if (far) {
        rule_mark_on(ctl, far->rule, dpid);
    }
}

bool
route_far_is_on(const struct ctl_switch *sw, const struct rule *rule)
{
    const struct far *far = rule->fars;
    while (far && !fabric_far_is_on(sw, &far->label)) {
        far = far->next;
    }
    return far != NULL;
}

/* Where streams enter. */

void
route_far_feed(struct route_build *b)
{
    struct rule_part *part = b->part;
    const struct mac_addr *label = &b->far->label;
    for (size_t i = 0; i < part->n_fars; i++) {
        if (!mac_addr_compare(&part->fars[i], label)) {
            return;
        }
    }
    part->fars = xgrow(part->fars, part->n_fars, &part->allocated_fars,
                       sizeof *part->fars);
    part->fars[part->n_fars++] = *label;
    fabric_far_source(b->sw, label, 1);
}

void
route_far_unfeed(struct ctl_switch *sw, const struct rule_part *part)
{
    for (size_t i = 0; i < part->n_fars; i++) {
        fabric_far_source(sw, &part->fars[i], -1);
    }
}

void
route_far_check(struct route_build *b, const struct route_target *target)
{
    const struct ctl_switch *there = switch_lookup(b->sw->ctl, target->dpid);
    if (!there || !switch_is_connected(there)) {
        route_wait_for(b->part,
                       "switch " DPID_FMT " of a target is not connected",
                       target->dpid);
    } else if (!fabric_is_joined(b->sw, there)) {
        route_wait_for(b->part,
                       "no links lead to switch " DPID_FMT " of a target",
                       target->dpid);
    }
}

/* A switch other than 'entry' that may be the target's and has the userspace
 * datapath.  Hosts and members may be behind any. */
static bool
find_netdev(const struct ctl *ctl, const struct route *route,
            const struct route_target *target, uint64_t entry, uint64_t *dpid)
{
    const struct ctl_switch *sw = ctl->switches;
    if (is_elsewhere(route, target) && target->has_dpid) {
        *dpid = target->dpid;
        return *dpid != entry
               && config_get_datapath(ctl->config, *dpid)
                      == CONFIG_DATAPATH_NETDEV;
    }
    while (sw
           && (sw->dpid == entry
               || config_get_datapath(ctl->config, sw->dpid)
                      != CONFIG_DATAPATH_NETDEV)) {
        sw = sw->hh.next;
    }
    *dpid = sw ? sw->dpid : 0;
    return sw
           && (is_elsewhere(route, target)
               || target->kind == ROUTE_TO_MEMBERS);
}

static void
pass_address(bool set, const struct ip_addr *to, unsigned int keep,
             unsigned int field, struct ofp_match *match,
             struct ip_prefix *address)
{
    if (set && keep) {
        address->addr = ip_addr_join(to, keep, &address->addr);
    } else if (set) {
        match->fields |= field;
        *address = (struct ip_prefix){*to, 128};
    }
}

/* The packets of the flow as they leave its switch. */
static struct ofp_flow
beyond(const struct ofp_flow *flow)
{
    const struct ofp_rewrite *rw = &flow->rewrite;
    struct ofp_flow after = {.match = flow->match};
    struct ofp_match *m = &after.match;
    pass_address(rw->set & OFP_SET_IP_SRC, &rw->ip_src, rw->ip_src_keep,
                 OFP_MATCH_IP_SRC, m, &m->ip_src);
    pass_address(rw->set & OFP_SET_IP_DST, &rw->ip_dst, rw->ip_dst_keep,
                 OFP_MATCH_IP_DST, m, &m->ip_dst);
    return after;
}

const char *
route_far_danger(const struct ctl *ctl, const struct route *route,
                 uint64_t entry, const struct ofp_flow *flow, uint64_t *dpid)
{
    const struct ofp_flow after = beyond(flow);
    const char *danger = NULL;
    for (size_t i = 0; i < route->n_targets && !danger; i++) {
        const struct route_target *target = &route->targets[i];
        struct ofp_bucket copy = {.rewrite =
                                      route_rewrite(&target->set, -1, 0)};
        if (target->kind == ROUTE_TO_HOST) {
            copy.rewrite.set |= OFP_SET_IP_DST;
            copy.rewrite.ip_dst = target->host;
        }
        if (find_netdev(ctl, route, target, entry, dpid)) {
            danger = route_fragments_danger(&after, &copy, 1);
        }
    }
    return danger;
}
