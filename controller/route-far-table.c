/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes to other switches: copies by their trees, the entries of
 * TABLE_FAR. */

#include "controller/route-far.h"

#include <stdlib.h>
#include <string.h>

#include "controller/route-match.h"
#include "controller/route-outputs.h"
#include "controller/route-rewrite.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

/* In TABLE_FAR; how much above it what is for one group, or source, stands. */
enum { PRIO_FAR = 100, FAR_GROUP = 1, FAR_SOURCE = 2 };

static const struct mac_addr whole = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Copies. */

/* The address that packets would have if they had no label: the one that the
 * route sets, or that of their group.  False if it is not known. */
static bool
address_of(const struct route *route, struct ofp_rewrite *rewrite)
{
    const struct ip_prefix *group = &route->match.group;
    struct route_set same = {.has_group = true,
                             .group = group->addr,
                             .group_keep = (uint8_t) (128 - group->len)};
    *rewrite = route_rewrite(&route->set, -1, 0);
    if (!(rewrite->set & OFP_SET_ETH_DST) && !route->match.unicast) {
        *rewrite = route_rewrite(&same, -1, 0);
    }
    return rewrite->set & OFP_SET_ETH_DST;
}

static void
put_address(struct bucket_list *list, const struct ofp_rewrite *own)
{
    for (size_t i = 0; i < list->n; i++) {
        struct ofp_rewrite *rw = &list->buckets[i].rewrite;
        if (!(rw->set & OFP_SET_ETH_DST)) {
            rw->set |= OFP_SET_ETH_DST;
            rw->eth_dst = own->eth_dst;
            rw->eth_dst_keep = own->eth_dst_keep;
            if (own->eth_dst_keep && !ip_addr_is_v4(&own->ip_dst)) {
                /* What is kept is moved from the IP address: of this family,
                 * which thus becomes what it is. */
                rw->set |= OFP_SET_IP_DST;
                rw->ip_dst = own->ip_dst;
                rw->ip_dst_keep = own->ip_dst_keep;
            }
            list->buckets[i].note |= BUCKET_LABEL;
        }
    }
}

/* Without an address there is no copy for those who do not bring one. */
static void
drop_unaddressed(struct route_build *b, struct bucket_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->buckets[i].rewrite.set & OFP_SET_ETH_DST) {
            list->buckets[n++] = list->buckets[i];
        }
    }
    if (n < list->n) {
        route_wait_for(b->part, "what was sent to a host leaves another "
                                "switch only with a group, or an eth_dst, in "
                                "set");
    }
    list->n = n;
}

/* As the packets that the entry is about, or makes, have it. */
static struct mac_addr
label_now(const struct far *far, bool moving)
{
    struct mac_addr label = far->label;
    label.b[0] |= moving ? FAR_MOVES : 0;
    return label;
}

struct link_aux {
    struct bucket_list *list;
    struct ofp_rewrite rewrite;
};

static void
add_link(void *aux_, uint32_t port)
{
    struct link_aux *aux = aux_;
    route_add_bucket(aux->list, &(struct ofp_copy){.port = port},
                     &aux->rewrite);
}

void
route_far_finish(struct route_build *b, struct bucket_list *list)
{
    struct ofp_rewrite own;
    struct link_aux aux = {.list = list};
    memset(&aux.rewrite, 0, sizeof aux.rewrite);
    if (b->beyond && address_of(b->route, &own)) {
        put_address(list, &own);
    } else if (b->beyond) {
        drop_unaddressed(b, list);
    } else {
        b->moving = fabric_far_moves(b->sw, &b->far->label, MOVE_FLIPPED);
        aux.rewrite.set = OFP_SET_ETH_DST;
        aux.rewrite.eth_dst = label_now(b->far, b->moving);
    }
    list->note = BUCKET_LABEL;
    fabric_far_each_port(b->sw, &b->far->label, b->moving, add_link, &aux);
}

/* TABLE_FAR. */

static bool
has_flow(const struct rule_part *part, const struct ofp_flow *flow)
{
    for (size_t i = 0; i < part->n_flows; i++) {
        const struct rule_flow *f = &part->flows[i];
        if (f->kind == RULE_FLOW_FAR && f->priority == flow->priority
            && !memcmp(&f->match, &flow->match, sizeof f->match)) {
            return true;
        }
    }
    return false;
}

static struct ofp_match
label_match(const struct route_build *b)
{
    struct ofp_match match;
    memset(&match, 0, sizeof match);
    match.fields = OFP_MATCH_ETH_DST;
    match.eth_dst = label_now(b->far, b->moving);
    match.eth_dst_mask = whole;
    return match;
}

/* Theirs on links, -1: any. */
static int
vlan_out(const struct route *route, const struct far *far)
{
    return route->set.has_vlan ? route->set.vlan : far->vlan;
}

/* What is told of: by one of the links the stream comes in. */
static void
drop_links(struct bucket_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->buckets[i].note != BUCKET_LABEL) {
            list->buckets[n++] = list->buckets[i];
        }
    }
    list->n = n;
}

/* One entry, for packets that were of channel 'in'. */
static void
emit(struct route_build *b, const struct channel *in, bool by_group,
     bool by_source)
{
    const struct channel out = route_result(b->route, in);
    struct ofp_flow flow = {
        .table = TABLE_FAR,
        .priority = (uint16_t) (PRIO_FAR + by_group * FAR_GROUP
                                + by_source * FAR_SOURCE),
        .match = label_match(b),
        .cookie =
            cookie_make(COOKIE_FAR, fabric_far_mark(b->sw, &b->far->label)),
        .tell_removed = true,
        .output = OFP_OUT_GROUP};
    if (by_group || by_source) {
        flow.match.fields |= OFP_MATCH_ETH_TYPE;
        flow.match.eth_type = ip_addr_is_v4(&b->route->match.group.addr)
                                  ? ETH_TYPE_IPV4
                                  : ETH_TYPE_IPV6;
    }
    if (by_group) {
        flow.match.fields |= OFP_MATCH_IP_DST;
        flow.match.ip_dst = (struct ip_prefix){out.group, 128};
    }
    if (by_source) {
        flow.match.fields |= OFP_MATCH_IP_SRC;
        flow.match.ip_src = (struct ip_prefix){out.source, 128};
    }
    if (has_flow(b->part, &flow)) {
        return;
    }
    struct bucket_list list = {0};
    route_add_targets(b, in, vlan_out(b->route, b->far), &list);
    route_set_flow(b, &flow, RULE_FLOW_FAR, list.buckets, list.n);
    if (!b->moving) {
        /* What its copies are, beside the packets of the stream. */
        flow.rewrite =
            route_rewrite(&b->route->set, b->far->vlan, b->sw->dpid);
        drop_links(&list);
        route_outputs_add(b, &flow, in, &list);
    }
    free(list.buckets);
}

static void
each_source(struct route_build *b, const struct channel *in, bool by_group,
            const struct route_target *target)
{
    const struct channel out = route_target_channel(b->route, target, in);
    const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out.vlan);
    if (!v || !ip_addr_is_any(&out.source) || ip_addr_is_any(&out.group)) {
        return;
    }
    const struct igmp_snoop *snoop = vlan_snoop_of(v, &out.group);
    size_t n = igmp_snoop_filtered_sources(snoop, &out.group, NULL, 0);
    struct ip_addr *sources = xcalloc(n + 1, sizeof *sources);
    n = igmp_snoop_filtered_sources(snoop, &out.group, sources, n);
    for (size_t i = 0; i < n; i++) {
        struct channel one = *in;
        if (route_source_origin(b->route, target, &sources[i], &one.source)) {
            emit(b, &one, by_group, true);
        }
    }
    free(sources);
}

struct group_aux {
    struct route_build *b;
    const struct channel *in;
    const struct route_target *target;
    uint16_t vlan;
};

static bool
one_group(void *aux_, const struct ip_addr *group)
{
    struct group_aux *aux = aux_;
    struct channel in = *aux->in;
    if (route_group_origin(aux->b->route, aux->target, group, &in.group)
        && channel_has_members(aux->b->sw, aux->vlan, group)) {
        emit(aux->b, &in, true, false);
        for (size_t i = 0; i < aux->b->route->n_targets; i++) {
            const struct route_target *t = &aux->b->route->targets[i];
            if (route_target_follows(t)) {
                each_source(aux->b, &in, true, t);
            }
        }
    }
    return true;
}

/* What differs by group and source at this switch. */
static void
each_follower(struct route_build *b, const struct channel *in)
{
    enum igmp_family family =
        ip_addr_is_v4(&b->route->match.group.addr) ? IGMP_IPV4 : IGMP_IPV6;
    for (size_t i = 0; i < b->route->n_targets; i++) {
        const struct route_target *target = &b->route->targets[i];
        const struct channel out = route_target_channel(b->route, target, in);
        const struct ctl_vlan *v = vlan_lookup(b->sw->ctl, out.vlan);
        struct group_aux aux = {b, in, target, out.vlan};
        if (!route_target_follows(target) || !v) {
            continue;
        }
        each_source(b, in, false, target);
        if (ip_addr_is_any(&out.group)) {
            igmp_snoop_each_group(vlan_snoop(v, family), one_group, &aux);
        }
    }
}

static void
compile(struct ctl_switch *sw, struct rule *rule, struct rule_part *part,
        struct far *far, bool moving)
{
    struct route one = *rule->route;
    struct route_build b = {.sw = sw,
                            .rule = rule,
                            .part = part,
                            .route = &one,
                            .far = far,
                            .beyond = true,
                            .moving = moving};
    if (one.set.has_source_pool) {
        /* Here it is not known any more which port it came by. */
        one.set.has_source_pool = one.match.has_source = false;
    }
    const struct channel in = route_far_channel(&one, far);
    emit(&b, &in, false, false);
    each_follower(&b, &in);
}

void
route_far_compile(struct ctl_switch *sw, struct rule *rule,
                  struct rule_part *part)
{
    struct far *far;
    LL_FOREACH(rule->fars, far)
    {
        if (fabric_far_is_on(sw, &far->label)) {
            compile(sw, rule, part, far, false);
        }
        if (fabric_far_moves(sw, &far->label, MOVE_MARKED)) {
            compile(sw, rule, part, far, true);
        }
    }
}

bool
route_far_find_flow(const struct ctl_switch *sw, const struct rule *rule,
                    int vlan, const struct channel *channel,
                    struct ofp_entry_view *view, struct ofp_match *match)
{
    const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
    const struct far *far = route_far_of_vlan(rule, vlan);
    const struct rule_flow *best = NULL;
    far = far ? far : route_far_of_vlan(rule, -1);
    for (size_t i = 0; far && part && i < part->n_flows; i++) {
        const struct rule_flow *f = &part->flows[i];
        const struct ofp_match *m = &f->match;
        if (f->kind == RULE_FLOW_FAR
            && !mac_addr_compare(&m->eth_dst, &far->label)
            && (!(m->fields & OFP_MATCH_IP_DST)
                || ip_addr_equal(&m->ip_dst.addr, &channel->group))
            && (!(m->fields & OFP_MATCH_IP_SRC)
                || ip_addr_equal(&m->ip_src.addr, &channel->source))
            && (!best || best->priority < f->priority)) {
            best = f;
        }
    }
    if (best) {
        *match = best->match;
    }
    return best
           && ofp_table_lookup(sw->table, TABLE_FAR, best->priority,
                               &best->match, view);
}

/* The tree is there before the switch's tables are compiled, whichever switch
 * of it comes first; and hosts that it sends to are where they were. */
void
route_far_restore(struct ctl_switch *sw, const struct ofp_adopted *found)
{
    struct rule *rule, *tmp;
    struct mac_addr label = found->match.eth_dst;
    label.b[0] &= FAR_MASK;
    bool known = far_lookup(sw->ctl, &label) != NULL;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        if (!known) {
            route_far_update(sw->ctl, rule);
        }
        if (rule->quiet_until) {
            unicast_restore(sw, rule->route, found);
        }
    }
}
