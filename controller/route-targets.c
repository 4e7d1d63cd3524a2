/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The targets of a route: the buckets of its group. */

#include "controller/route-build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/lease.h"
#include "controller/route-far.h"
#include "controller/route-match.h"
#include "controller/route-ports.h"
#include "controller/route-rewrite.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

void
route_wait_for(struct rule_part *part, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(part->waiting);
    part->waiting = xstrdup(text);
}

void
route_add_bucket(struct bucket_list *list, const struct ofp_copy *copy,
                 const struct ofp_rewrite *rewrite)
{
    list->buckets =
        xgrow(list->buckets, list->n, &list->allocated, sizeof *list->buckets);
    struct ofp_bucket *bucket = &list->buckets[list->n++];
    *bucket = (struct ofp_bucket){.rewrite = *rewrite, .note = list->note};
    copy_to_bucket(copy, bucket);
}

/* Does the port already get, for all behind it, what this copy would be for
 * one? */
static bool
is_double(struct bucket_list *list, const struct ofp_copy *copy,
          const struct ofp_rewrite *rewrite)
{
    struct ofp_copy for_all = *copy;
    struct ofp_bucket all = {.rewrite = *rewrite};
    memset(&for_all.eth_dst, 0, sizeof for_all.eth_dst);
    copy_to_bucket(&for_all, &all);
    for (size_t i = 0; !mac_addr_is_zero(&copy->eth_dst) && i < list->n; i++) {
        if (list->buckets[i].out_port == all.out_port
            && ofp_rewrite_equal(&list->buckets[i].rewrite, &all.rewrite)) {
            list->buckets[i].note |= list->note;
            return true;
        }
    }
    return false;
}

/* Equal rewrites side by side, so that the datapath does each once. */
static int
compare_buckets(const void *a_, const void *b_)
{
    const struct ofp_bucket *a = a_, *b = b_;
    int d = route_rewrite_compare(&a->rewrite, &b->rewrite);
    return d ? d : a->out_port < b->out_port ? -1 : a->out_port > b->out_port;
}

static void
sort_buckets(struct bucket_list *list)
{
    size_t n = 0;
    if (list->n > 1) {
        qsort(list->buckets, list->n, sizeof *list->buckets, compare_buckets);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!n || compare_buckets(&list->buckets[n - 1], &list->buckets[i])) {
            list->buckets[n++] = list->buckets[i];
        } else {
            list->buckets[n - 1].note |= list->buckets[i].note;
        }
    }
    list->n = n;
}

/* What the route makes enters the channel's tree here: it need not wait for a
 * first packet to be found. */
static void
feed(struct route_build *b, const struct channel *out)
{
    struct rule_part *part = b->part;
    struct channel_key key = {.group = out->group, .vlan = out->vlan};
    for (size_t i = 0; i < part->n_feeds; i++) {
        if (!memcmp(&part->feeds[i], &key, sizeof key)) {
            return;
        }
    }
    part->feeds = xgrow(part->feeds, part->n_feeds, &part->allocated_feeds,
                        sizeof *part->feeds);
    part->feeds[part->n_feeds++] = key;
    fabric_source(b->sw, key.vlan, &key.group, 1);
}

/* Router ports get whatever members could. */
struct routers {
    const struct route_build *b;
    uint16_t vlan;
    const struct ofp_rewrite *rewrite;
    struct bucket_list *list;
};

static bool
add_router_port(void *routers_, const struct port_id *port)
{
    struct routers *r = routers_;
    struct ofp_copy copy = {.port = 0};
    if (switch_copy(r->b->sw, port, r->vlan, &copy)) {
        route_add_bucket(r->list, &copy, r->rewrite);
    }
    return true;
}

/* Of a prefix, what is none of the groups that have members: see
 * each_group(). */
static void
add_routers(struct route_build *b, const struct channel *out,
            const struct ofp_rewrite *rewrite, struct bucket_list *list)
{
    struct routers r = {b, out->vlan, rewrite, list};
    const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out->vlan);
    if (v) {
        igmp_snoop_each_router_port(
            vlan_snoop_of(v, &b->route->match.group.addr), add_router_port,
            &r);
    }
}

static void
add_members(struct route_build *b, const struct route_target *target,
            const struct channel *in, const struct ofp_rewrite *rewrite,
            struct bucket_list *list)
{
    struct channel out = route_target_channel(b->route, target, in);
    if (ip_addr_is_any(&out.group)) {
        add_routers(b, &out, rewrite, list);
        return;
    }
    struct ofp_copy *copies;
    size_t n;
    if (b->far) {
        n = copies_here(b->sw, out.vlan, &out.source, &out.group, &copies);
    } else {
        feed(b, &out);
        n = copies_of(b->sw, out.vlan, &out.source, &out.group, &copies);
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_double(list, &copies[i], rewrite)) {
            route_add_bucket(list, &copies[i], rewrite);
        }
    }
    free(copies);
}

void
route_wait_for_port(struct rule_part *part, uint64_t dpid, const char *port)
{
    if (route_port_is_glob(port)) {
        route_wait_for(part, "no port of switch " DPID_FMT " is called %s",
                       dpid, port);
    } else {
        route_wait_for(part, "port %s of switch " DPID_FMT " does not exist",
                       port, dpid);
    }
}

/* False if the target is not on this switch. */
static bool
is_here(struct route_build *b, const struct route_target *target)
{
    if (target->has_dpid ? target->dpid == b->sw->dpid : !b->beyond) {
        return true;
    }
    if (b->far) {
        if (!b->beyond) {
            route_far_check(b, target);
        }
    } else if (b->route->match.has_dpid) {
        route_wait_for(b->part,
                       "switch " DPID_FMT " of a target is not the one where "
                       "the stream enters: make it a static member of the "
                       "group instead",
                       target->dpid);
    }
    return false;
}

/* Members of a channel at one port. */
struct joined {
    const struct ofp_rewrite *rewrite;
    struct bucket_list *list;
    struct ofp_copy copy;
};

static bool
add_joined(void *joined_, const struct igmp_copy *copy)
{
    struct joined *j = joined_;
    j->copy.eth_dst = copy->mac;
    if (copy->port.port_no == j->copy.port
        && !is_double(j->list, &j->copy, j->rewrite)) {
        route_add_bucket(j->list, &j->copy, j->rewrite);
    }
    return true;
}

/* While the port has a member of what the copies are: as members get it. */
static void
add_port_joined(struct route_build *b, const struct topo_port *port,
                const struct channel *out, const struct ofp_rewrite *rewrite,
                struct bucket_list *list)
{
    struct ctl *ctl = b->sw->ctl;
    const struct ctl_vlan *v = vlan_lookup(ctl, out->vlan);
    const struct port_id id = {b->sw->dpid, port->no};
    struct joined j = {rewrite, list, {.port = port->no}};
    if (v && !ip_addr_is_any(&out->group)
        && (!ctl->fabric
            || edge_carries(ctl, &id, out->vlan, &j.copy.pop_vlan))
        && igmp_snoop_forwards(vlan_snoop_of(v, &out->group), &out->source,
                               &out->group, &id)) {
        igmp_snoop_each_copy(vlan_snoop_of(v, &out->group), &out->source,
                             &out->group, id.dpid, add_joined, &j);
    }
}

/* In a fabric an access port has no tags, whatever the vlan inside; unless the
 * target says which. */
static bool
is_untagged(const struct route_build *b, const struct route_target *target,
            const struct topo_port *port)
{
    const struct config *config = b->sw->ctl->config;
    if (!b->sw->ctl->fabric || !config->has_vlan_rules) {
        return false;
    }
    uint16_t vlan = config_get_port_l2(config, b->sw->dpid, port).access_vlan;
    return vlan && (!target->set.has_vlan || target->set.vlan == vlan);
}

static void
add_ports(struct route_build *b, const struct route_target *target,
          const struct channel *in, const struct ofp_rewrite *rewrite,
          struct bucket_list *list)
{
    const struct channel out = route_target_channel(b->route, target, in);
    const struct topo_port *port;
    size_t n = 0;
    if (!is_here(b, target)) {
        return;
    }
    for (size_t at = 0; (port = route_next_port(b->sw->ctl->topo, target->dpid,
                                                target->port, &at));
         n++) {
        if (target->joined) {
            add_port_joined(b, port, &out, rewrite, list);
        } else {
            struct ofp_copy copy = {.port = port->no,
                                    .pop_vlan = is_untagged(b, target, port)};
            route_add_bucket(list, &copy, rewrite);
        }
    }
    if (!n) {
        route_wait_for_port(b->part, target->dpid, target->port);
    }
}

/* All ports to hosts that are in the vlan, as it is on each: with its tag, or
 * without. */
static void
add_vlan(struct route_build *b, const struct route_target *target,
         const struct ofp_rewrite *rewrite, struct bucket_list *list)
{
    const struct ctl *ctl = b->sw->ctl;
    const struct topo_switch *ts = topo_lookup_switch(ctl->topo, b->sw->dpid);
    size_t n = 0;
    if (!is_here(b, target)) {
        return;
    }
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        struct ofp_copy copy = {.port = ts->ports[i]->no};
        const struct port_id id = {b->sw->dpid, copy.port};
        if (fabric_role(ctl, &id) == TOPO_ROLE_EDGE
            && edge_carries(ctl, &id, target->vlan, &copy.pop_vlan)) {
            route_add_bucket(list, &copy, rewrite);
            n++;
        }
    }
    if (!n && (target->has_dpid || b->route->match.has_dpid)) {
        route_wait_for(b->part,
                       "no port to hosts of switch " DPID_FMT " is in vlan %d",
                       b->sw->dpid, target->vlan);
    }
}

static void
add_host(struct route_build *b, const struct route_target *target, int vlan,
         struct bucket_list *list)
{
    struct ofp_bucket bucket = {.out_port = 0};
    route_add_host(b, target, vlan, &bucket);
    if (bucket.out_port) {
        list->buckets = xgrow(list->buckets, list->n, &list->allocated,
                              sizeof *list->buckets);
        bucket.note = list->note;
        list->buckets[list->n++] = bucket;
    }
}

static void
add_vtep(struct route_build *b, const struct route_target *target, int vlan,
         const struct ofp_rewrite *rewrite, struct bucket_list *list)
{
    struct ofp_copy copy = {.port = 0};
    if (b->far && !is_here(b, target)) {
        return;
    }
    if (route_find_vtep(b, target, vlan, &copy)) {
        route_add_bucket(list, &copy, rewrite);
    }
}

/* What a target's copies are, beside what the route makes of the stream. */
static struct ofp_rewrite
target_rewrite(const struct route_build *b, const struct route_target *target,
               int vlan)
{
    struct route_set set = target->set;
    if (target->kind == ROUTE_TO_VLAN) {
        set.has_vlan = true;
        set.vlan = target->vlan;
    }
    struct ofp_rewrite rewrite = route_rewrite(&set, vlan, b->sw->dpid);
    if (b->route->set.has_eth_dst && !set.has_eth_dst) {
        /* It wins over the one that a group brings. */
        rewrite.set &= ~(unsigned int) OFP_SET_ETH_DST;
    }
    return rewrite;
}

void
route_add_targets(struct route_build *b, const struct channel *in, int vlan,
                  struct bucket_list *list)
{
    /* Ports first that get a copy in any case: members behind them need none
     * of their own. */
    for (int follow = 0; follow < 2; follow++) {
        for (size_t i = 0; i < b->route->n_targets; i++) {
            const struct route_target *target = &b->route->targets[i];
            struct ofp_rewrite rewrite = target_rewrite(b, target, vlan);
            if (follow != route_target_follows(target)) {
                continue;
            }
            list->note = (target->kind != ROUTE_TO_MEMBERS ? BUCKET_ROUTE : 0)
                         | (follow ? BUCKET_MEMBER : 0);
            switch (target->kind) {
            case ROUTE_TO_MEMBERS:
                add_members(b, target, in, &rewrite, list);
                break;
            case ROUTE_TO_PORT:
                add_ports(b, target, in, &rewrite, list);
                break;
            case ROUTE_TO_VLAN:
                add_vlan(b, target, &rewrite, list);
                break;
            case ROUTE_TO_HOST:
                add_host(b, target, vlan, list);
                break;
            case ROUTE_TO_VTEP:
                add_vtep(b, target, vlan, &rewrite, list);
                break;
            }
        }
    }
    if (!b->beyond) {
        lease_add_taps(b, in, list);
    }
    if (b->far) {
        route_far_finish(b, list);
    }
    sort_buckets(list);
}
