/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-outputs.h"

#include <stdlib.h>
#include <string.h>

#include "controller/route-match.h"
#include "controller/route-rewrite.h"
#include "lib/xalloc.h"

/* Flows. */

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(1099511628211);
}

static uint64_t
mix_prefix(uint64_t hash, const struct ip_prefix *prefix)
{
    for (size_t i = 0; i < sizeof prefix->addr.b; i++) {
        hash = mix(hash, prefix->addr.b[i]);
    }
    return mix(hash, prefix->len);
}

static uint64_t
flow_hash(uint16_t priority, const struct ofp_match *m)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), priority);
    hash = mix_prefix(mix_prefix(hash, &m->ip_dst), &m->ip_src);
    for (size_t i = 0; i < sizeof m->eth_dst.b; i++) {
        hash = mix(hash, m->eth_dst.b[i]);
    }
    hash = mix(mix(mix(hash, m->fields), m->in_port), m->vlan);
    return mix(mix(hash, m->ip_proto), m->udp_dst);
}

static bool
lookup(const struct ctl_switch *sw, const struct rule_flow *f,
       struct ofp_entry_view *view)
{
    return ofp_table_lookup(sw->table, rule_flow_table(f->kind), f->priority,
                            &f->match, view);
}

/* What its flow has counted; 0 if there is none. */
static uint64_t
packets_of(const struct ctl_switch *sw, const struct part_outputs *o)
{
    struct ofp_entry_view view;
    return lookup(sw, &o->flow, &view) ? view.packets : 0;
}

/* Noting. */

static struct part_outputs *
add_outputs(struct rule_part *part, const struct rule_flow *f)
{
    part->outputs = xgrow(part->outputs, part->n_outputs,
                          &part->allocated_outputs, sizeof *part->outputs);
    struct part_outputs *o = &part->outputs[part->n_outputs++];
    *o = (struct part_outputs){.flow = *f,
                               .hash = flow_hash(f->priority, &f->match),
                               .counted = true};
    return o;
}

void
route_outputs_add(struct route_build *b, const struct ofp_flow *flow,
                  const struct channel *in, const struct bucket_list *list)
{
    const struct rule_flow f = {
        .kind = flow->table == TABLE_FAR ? RULE_FLOW_FAR : RULE_FLOW_ROUTE,
        .priority = flow->priority,
        .match = flow->match};
    if (!list->n) {
        return;
    }
    struct part_outputs *o = add_outputs(b->part, &f);
    o->in = *in;
    o->rewrite = flow->rewrite;
    o->list = xcalloc(list->n, sizeof *o->list);
    o->n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const struct ofp_bucket *bucket = &list->buckets[i];
        o->list[i] = (struct part_output){.port = bucket->out_port,
                                          .note = bucket->note,
                                          .rewrite = bucket->rewrite};
    }
}

/* The first of the flows that are not for fragments, '*n' of them. */
static const struct rule_flow *
own_flow(const struct rule_part *part, size_t *n)
{
    const struct rule_flow *first = &part->flows[0];
    *n = 0;
    for (size_t i = part->n_flows; i-- > 0;) {
        if (part->flows[i].kind == RULE_FLOW_ROUTE) {
            first = &part->flows[i];
            ++*n;
        }
    }
    return first;
}

/* Of a channel that a plain route leads to. */
static void
add_channel(struct ctl_switch *sw, const struct rule *rule,
            struct rule_part *part, const struct channel_key *key)
{
    const struct route *route = rule->route;
    struct channel in = {.group = key->group, .vlan = key->vlan};
    if (route->match.has_source && ip_prefix_is_host(&route->match.source)) {
        in.source = route->match.source.addr;
    }
    struct channel out = route_result(route, &in);
    struct ofp_copy *copies;
    size_t n = copies_of(sw, key->vlan, &out.source, &key->group, &copies);
    size_t n_flows;
    struct part_outputs *o = add_outputs(part, own_flow(part, &n_flows));
    /* Several vlans are one flow. */
    o->counted = part->n_channels == 1 && n_flows == 1;
    o->in = in;
    o->rewrite = route_rewrite(
        &route->set, route->match.has_vlan ? route->match.vlan : -1, sw->dpid);
    o->list = xcalloc(n + 1, sizeof *o->list);
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        struct ofp_bucket bucket = {.out_port = 0};
        copy_to_bucket(&copies[i], &bucket);
        o->list[i] = (struct part_output){.port = bucket.out_port,
                                          .note = BUCKET_MEMBER,
                                          .rewrite = bucket.rewrite};
    }
    free(copies);
}

/* A plain route's copies, and as of when. */
static void
add_channels(struct ctl_switch *sw, const struct rule *rule,
             struct rule_part *part)
{
    part->outputs_seen = sw->led_changes;
    for (size_t i = 0; part->n_flows && i < part->n_channels; i++) {
        add_channel(sw, rule, part, &part->channels[i]);
    }
}

/* Taking over. */

static int
compare_outputs(const struct part_output *a, const struct part_output *b)
{
    int d = route_rewrite_compare(&a->rewrite, &b->rewrite);
    return d ? d : a->port < b->port ? -1 : a->port > b->port;
}

/* '*at' is where it should be, as flows mostly come in the order of before. */
static const struct part_outputs *
find_earlier(const struct part_outputs *o, const struct part_outputs *old,
             size_t n_old, size_t *at)
{
    for (size_t n = 0; n < n_old; n++) {
        size_t i = (*at + n) % n_old;
        if (old[i].hash == o->hash
            && ip_addr_equal(&old[i].in.group, &o->in.group)
            && old[i].in.vlan == o->in.vlan
            && ofp_rewrite_equal(&old[i].rewrite, &o->rewrite)) {
            *at = i + 1;
            return &old[i];
        }
    }
    return NULL;
}

/* Both lists are in the same order; copies of plain routes nearly so, and
 * there what is not found begins anew. */
static void
take_over(struct part_outputs *o, const struct part_outputs *earlier,
          uint64_t packets)
{
    size_t j = 0;
    for (size_t i = 0; i < o->n; i++) {
        while (earlier && j < earlier->n
               && compare_outputs(&earlier->list[j], &o->list[i]) < 0) {
            j++;
        }
        bool found = earlier && j < earlier->n
                     && !compare_outputs(&earlier->list[j], &o->list[i]);
        o->list[i].before = found     ? earlier->list[j].before
                            : earlier ? packets
                                      : 0;
    }
}

static void
free_outputs(struct part_outputs *outputs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(outputs[i].list);
    }
    free(outputs);
}

static int
compare_items(const void *a, const void *b)
{
    return compare_outputs(a, b);
}

static void
take_all_over(const struct ctl_switch *sw, struct rule_part *part,
              struct part_outputs *old, size_t n_old)
{
    size_t at = 0;
    for (size_t i = 0; i < part->n_outputs; i++) {
        struct part_outputs *o = &part->outputs[i];
        if (o->n > 1) {
            qsort(o->list, o->n, sizeof *o->list, compare_items);
        }
        take_over(o, find_earlier(o, old, n_old, &at), packets_of(sw, o));
    }
    free_outputs(old, n_old);
}

void
route_outputs_finish(struct ctl_switch *sw, const struct rule *rule,
                     struct rule_part *part, struct rule_part *old)
{
    if (route_is_plain(rule->route)) {
        add_channels(sw, rule, part);
    }
    take_all_over(sw, part, old->outputs, old->n_outputs);
    old->outputs = NULL;
    old->n_outputs = 0;
}

void
route_outputs_free(struct rule_part *part)
{
    free_outputs(part->outputs, part->n_outputs);
}

/* The members of a plain route's channels may be others by now. */
static void
refresh(struct ctl_switch *sw, const struct rule *rule, struct rule_part *part)
{
    if (!route_is_plain(rule->route)
        || part->outputs_seen == sw->led_changes) {
        return;
    }
    struct part_outputs *old = part->outputs;
    size_t n_old = part->n_outputs;
    part->outputs = NULL;
    part->n_outputs = part->allocated_outputs = 0;
    add_channels(sw, rule, part);
    take_all_over(sw, part, old, n_old);
}

/* Counting. */

static void
count(const struct ctl_switch *sw, struct rule_part *part, int64_t now)
{
    struct part_count new = {.at = now}, *old = &part->count;
    for (size_t i = 0; i < part->n_flows; i++) {
        struct ofp_entry_view view;
        /* What passes a flow for fragments is counted behind it; what is
         * dropped there has not been copied. */
        if (part->flows[i].kind <= RULE_FLOW_FRAGMENTS
            && lookup(sw, &part->flows[i], &view)) {
            new.packets += view.packets;
            new.bytes += view.bytes;
        }
    }
    /* Flows that went, or that begin anew, take what they had along. */
    if (old->at && now > old->at
        && new.packets >= old->packets &&new.bytes >= old->bytes) {
        double s = (double) (now - old->at) / 1000;
        new.packets_per_s = (double) (new.packets - old->packets) / s;
        new.bits_per_s = (double) (new.bytes - old->bytes) * 8 / s;
    }
    *old = new;
}

void
route_outputs_counted(struct ctl_switch *sw, int64_t now)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (part) {
            count(sw, part, now);
            refresh(sw, rule, part);
        }
    }
}

/* Reading. */

/* Who is a member at which port, for the copies of one flow. */
struct membership {
    const struct igmp_snoop *snoop; /* NULL: there is none. */
    struct ip_addr group;
    struct port_origins {
        uint32_t port;
        unsigned int origins;
    } * ports;
    size_t n, allocated;
    uint64_t dpid;
};

static bool
add_port(void *m_, const struct igmp_port_view *port)
{
    struct membership *m = m_;
    unsigned int origins = port->fixed ? VIEW_ORIGIN_STATIC : 0;
    if (port->learned) {
        origins |= port->restored             ? VIEW_ORIGIN_RESTORED
                   : ip_addr_is_v4(&m->group) ? VIEW_ORIGIN_IGMP
                                              : VIEW_ORIGIN_MLD;
    }
    if (port->port.dpid == m->dpid && origins) {
        m->ports = xgrow(m->ports, m->n, &m->allocated, sizeof *m->ports);
        m->ports[m->n++] =
            (struct port_origins){(uint32_t) port->port.port_no, origins};
    }
    return true;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct port_origins *a = a_, *b = b_;
    return a->port < b->port ? -1 : a->port > b->port;
}

/* 'family' is some address of the group's family, which may be any. */
static void
find_members(const struct ctl_switch *sw, const struct channel *channel,
             const struct ip_addr *family, struct membership *m)
{
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, channel->vlan);
    *m = (struct membership){.snoop = v ? vlan_snoop_of(v, family) : NULL,
                             .group = channel->group,
                             .dpid = sw->dpid};
    if (m->snoop && !ip_addr_is_any(&m->group)) {
        igmp_snoop_each_port(m->snoop, &m->group, add_port, m);
    }
    if (m->n > 1) {
        qsort(m->ports, m->n, sizeof *m->ports, compare_ports);
    }
}

static unsigned int
member_origins(const struct ctl_switch *sw, const struct membership *m,
               uint32_t port)
{
    const struct port_id id = {sw->dpid, port};
    const struct port_origins key = {port, 0};
    const struct port_origins *found =
        m->n ? bsearch(&key, m->ports, m->n, sizeof key, compare_ports) : NULL;
    unsigned int origins = found ? found->origins : 0;
    if (m->snoop && igmp_snoop_is_router_port(m->snoop, &id)) {
        origins |= VIEW_ORIGIN_MROUTER;
    }
    if (fabric_role(sw->ctl, &id) == TOPO_ROLE_LINK) {
        origins |= VIEW_ORIGIN_LINK;
    }
    return origins;
}

struct output_list {
    struct view_output *list;
    size_t n, allocated;
};

/* Adds who is behind those copies of 'o', the last of 'list', that are for
 * the members of 'target'. */
static void
add_origins(const struct ctl_switch *sw, const struct rule *rule,
            const struct route_target *target, const struct part_outputs *o,
            struct view_output *list)
{
    const struct channel out =
        route_target_channel(rule->route, target, &o->in);
    struct membership m;
    find_members(sw, &out, &rule->route->match.group.addr, &m);
    for (size_t i = 0; i < o->n; i++) {
        const struct ofp_rewrite *rw = &o->list[i].rewrite;
        if (o->list[i].note & BUCKET_MEMBER
            && (!target->set.has_group
                || (rw->set & OFP_SET_IP_DST
                    && ip_addr_equal(&rw->ip_dst, &target->set.group)))) {
            list[i].origins |= member_origins(sw, &m, o->list[i].port);
        }
    }
    free(m.ports);
}

/* Whom the route names; members are looked up. */
static unsigned int
origin_of(const struct ctl_switch *sw, const struct part_output *p)
{
    const struct port_id id = {sw->dpid, p->port};
    if (p->note == BUCKET_LABEL
        && fabric_role(sw->ctl, &id) == TOPO_ROLE_LINK) {
        return VIEW_ORIGIN_LINK;
    }
    return (!p->note || p->note & BUCKET_ROUTE ? VIEW_ORIGIN_ROUTE : 0)
           | (p->note & BUCKET_TAP ? VIEW_ORIGIN_STATIC : 0);
}

static void
view_copies(const struct ctl_switch *sw, const struct rule *rule,
            const struct part_outputs *o, struct output_list *out)
{
    uint64_t packets = packets_of(sw, o);
    size_t first = out->n;
    for (size_t i = 0; i < o->n; i++) {
        const struct part_output *p = &o->list[i];
        const struct port_id id = {sw->dpid, p->port};
        struct ofp_rewrite own = p->rewrite, rewrite;
        if (p->note & BUCKET_LABEL) {
            own.set &= ~(unsigned int) (own.eth_dst_keep
                                            ? OFP_SET_ETH_DST | OFP_SET_IP_DST
                                            : OFP_SET_ETH_DST);
        }
        ofp_rewrite_overlay(&o->rewrite, &own, &rewrite);
        out->list =
            xgrow(out->list, out->n, &out->allocated, sizeof *out->list);
        out->list[out->n++] = (struct view_output){
            .port = p->port,
            .port_name = switch_port_name(sw->ctl, &id),
            .origins = origin_of(sw, p),
            .rewrite = route_rewrite_text(&rewrite),
            .counted = o->counted,
            .packets = packets > p->before ? packets - p->before : 0};
    }
    for (size_t i = 0; i < rule->route->n_targets; i++) {
        if (route_target_follows(&rule->route->targets[i])) {
            add_origins(sw, rule, &rule->route->targets[i], o,
                        out->list + first);
        }
    }
}

static int
compare_views(const void *a_, const void *b_)
{
    const struct view_output *a = a_, *b = b_;
    return a->port != b->port ? (a->port < b->port ? -1 : 1)
                              : strcmp(a->rewrite, b->rewrite);
}

/* What several flows do alike is one. */
static void
merge_views(struct output_list *out)
{
    size_t n = 0;
    if (out->n > 1) {
        qsort(out->list, out->n, sizeof *out->list, compare_views);
    }
    for (size_t i = 0; i < out->n; i++) {
        struct view_output *last = n ? &out->list[n - 1] : NULL;
        if (!last || compare_views(last, &out->list[i])) {
            out->list[n++] = out->list[i];
            continue;
        }
        last->origins |= out->list[i].origins;
        last->packets += out->list[i].packets;
        last->counted &= out->list[i].counted;
        free(out->list[i].rewrite);
    }
    out->n = n;
}

size_t
route_outputs_view(struct ctl_switch *sw, const struct rule *rule,
                   struct rule_part *part, struct view_output **outputs)
{
    struct output_list out = {NULL, 0, 0};
    refresh(sw, rule, part);
    for (size_t i = 0; i < part->n_outputs; i++) {
        view_copies(sw, rule, &part->outputs[i], &out);
    }
    merge_views(&out);
    *outputs = out.list;
    return out.n;
}

void
route_outputs_view_free(struct view_output *outputs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(outputs[i].rewrite);
    }
    free(outputs);
}
