/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/view-fabric.h"

#include <stdlib.h>
#include <string.h>

#include "controller/fabric-hooks.h"
#include "controller/fabric.h"
#include "lib/xalloc.h"

void
view_fabric(struct ctl *ctl, struct view_fabric *view)
{
    const struct fabric *f = ctl->fabric;
    memset(view, 0, sizeof *view);
    if (f) {
        view->on = true;
        view->settled = f->settled;
        view->at_rest = f->settled && !f->hold_timer.node.place
                        && !f->n_draining && !f->n_moving && !f->dirty_spreads
                        && !f->grown && !f->shrunk;
        view->n_links = topo_links_count(f->links);
        view->n_parts = f->roots ? topo_roots_n_parts(f->roots) : 0;
        view->n_trees = HASH_COUNT(f->trees);
        view->n_draining = f->n_draining;
        view->n_moving = f->n_moving;
        view->n_to_move = f->n_to_move;
        view->n_hosts = HASH_COUNT(f->hosts);
        view->generation = f->generation;
    }
}

/* Switches. */

static int
compare_dpids(const void *a_, const void *b_)
{
    const struct view_fabric_switch *a = a_, *b = b_;
    return (a->dpid > b->dpid) - (a->dpid < b->dpid);
}

static void
count_hosts(const struct fabric *f, struct view_fabric_switch *switches,
            size_t n)
{
    for (const struct fabric_port *p = f->ports; p; p = p->hh.next) {
        struct view_fabric_switch key = {.dpid = p->id.dpid};
        struct view_fabric_switch *view =
            p->n_hosts
                ? bsearch(&key, switches, n, sizeof *switches, compare_dpids)
                : NULL;
        if (view) {
            view->n_hosts += p->n_hosts;
        }
    }
}

void
view_fabric_switches(struct ctl *ctl, view_fabric_switch_cb *cb, void *aux)
{
    size_t n_switches = ctl->fabric ? HASH_COUNT(ctl->switches) : 0;
    if (!n_switches) {
        return;
    }
    struct view_fabric_switch *switches =
        xcalloc(n_switches, sizeof *switches);
    size_t n = 0;
    for (const struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
        switches[n++] = (struct view_fabric_switch){
            .dpid = sw->dpid,
            .connected = switch_is_connected(sw),
            .synced =
                ofp_table_is_synced(sw->table) && fabric_knows_ports(sw)};
    }
    qsort(switches, n, sizeof *switches, compare_dpids);
    count_hosts(ctl->fabric, switches, n);
    for (size_t i = 0; i < n && cb(aux, &switches[i]); i++) {
    }
    free(switches);
}

/* Links. */

struct link_view {
    struct ctl *ctl;
    view_link_cb *cb;
    void *aux;
};

/* How many channels send over the link, either way. */
static size_t
count_channels(const struct fabric *f, const struct port_id *a,
               const struct port_id *b)
{
    size_t n = 0;
    const struct topo_span_hop hops[] = {
        {fabric_node(f, a->dpid), (uint32_t) a->port_no},
        {fabric_node(f, b->dpid), (uint32_t) b->port_no}};
    for (const struct spread *s = f->spreads; s; s = s->hh.next) {
        n += s->key.kind == SPREAD_CHANNEL
             && (hop_set_has(&s->installed, &hops[0])
                 || hop_set_has(&s->installed, &hops[1]));
    }
    return n;
}

static bool
view_link(void *aux_, const struct topo_link_view *link)
{
    const struct link_view *v = aux_;
    struct ctl *ctl = v->ctl;
    return v->cb(
        v->aux, &(struct view_link){.a = link->a,
                                    .b = link->b,
                                    .a_name = switch_port_name(ctl, &link->a),
                                    .b_name = switch_port_name(ctl, &link->b),
                                    .up_ms = loop_now(ctl->loop) - link->since,
                                    .flaps = link->flaps,
                                    .n_channels = count_channels(
                                        ctl->fabric, &link->a, &link->b)});
}

void
view_links(struct ctl *ctl, view_link_cb *cb, void *aux)
{
    if (ctl->fabric) {
        topo_links_each(ctl->fabric->links, view_link,
                        &(struct link_view){ctl, cb, aux});
    }
}

/* Roots. */

static size_t
channels_at(const struct fabric *f, uint64_t root)
{
    size_t n = 0;
    for (const struct spread *s = f->spreads; s; s = s->hh.next) {
        bool there = false;
        for (size_t i = 0; i < s->trees.n && !there; i++) {
            there = s->key.kind == SPREAD_CHANNEL
                    && s->trees.trees[i]->key.root == root;
        }
        n += there;
    }
    return n;
}

void
view_roots(struct ctl *ctl, view_root_cb *cb, void *aux)
{
    const struct fabric *f = ctl->fabric;
    uint32_t n_parts = f && f->roots ? topo_roots_n_parts(f->roots) : 0;
    for (uint32_t part = 0; part < n_parts; part++) {
        size_t n;
        const uint64_t *roots = topo_roots_candidates(f->roots, part, &n);
        for (size_t i = 0; i < n; i++) {
            struct view_root view = {.dpid = roots[i],
                                     .part = part,
                                     .n_channels = channels_at(f, roots[i])};
            if (!cb(aux, &view)) {
                return;
            }
        }
    }
}

/* The tree of a channel. */

struct tree_view {
    const struct spread *s;
    struct view_tree_switch *switches;
    size_t n;
};

static void
add_port(struct view_tree_switch *sw, size_t *allocated,
         const struct view_tree_port *port)
{
    struct view_tree_port *ports = (struct view_tree_port *) sw->ports;
    ports = xgrow(ports, sw->n_ports, allocated, sizeof *ports);
    ports[sw->n_ports++] = *port;
    sw->ports = ports;
}

static struct view_tree_port
view_port(const struct ctl *ctl, const struct port_id *id)
{
    struct view_tree_port port = {.port = (uint32_t) id->port_no,
                                  .name = switch_port_name(ctl, id),
                                  .peer_name = ""};
    if (topo_links_peer(ctl->fabric->links, id, &port.peer)) {
        port.link = true;
        port.peer_name = switch_port_name(ctl, &port.peer);
    }
    return port;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct view_tree_port *a = a_, *b = b_;
    return (a->port > b->port) - (a->port < b->port);
}

/* Ports that get copies from any entry. */
static void
view_ports(const struct ctl_switch *sw, const struct spread *s,
           struct view_tree_switch *view)
{
    size_t allocated = 0;
    for (size_t i = 0; i < s->n_entries; i++) {
        struct ofp_copy *copies;
        size_t n = copies_of(sw, s->key.vlan, &s->entries[i].source,
                             &s->key.name, &copies);
        for (size_t j = 0; j < n; j++) {
            struct port_id id = {sw->dpid, copies[j].port};
            struct view_tree_port port = view_port(sw->ctl, &id);
            add_port(view, &allocated, &port);
        }
        free(copies);
    }
    struct view_tree_port *ports = (struct view_tree_port *) view->ports;
    size_t n = 0;
    if (view->n_ports > 1) {
        qsort(ports, view->n_ports, sizeof *ports, compare_ports);
    }
    for (size_t i = 0; i < view->n_ports; i++) {
        if (!n || ports[n - 1].port != ports[i].port) {
            ports[n++] = ports[i];
        }
    }
    view->n_ports = n;
}

static void
add_counters(const struct ctl_switch *sw, const struct spread *s,
             struct view_tree_switch *view)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        struct channel channel = {.group = s->key.name,
                                  .source = s->entries[i].source,
                                  .vlan = s->key.vlan};
        struct ofp_match match = channel_match(&channel);
        struct ofp_entry_view entry;
        if (ofp_table_lookup(sw->table, TABLE_MCAST,
                             i ? PRIO_S_G : PRIO_STAR_G, &match, &entry)) {
            view->packets += entry.packets;
            view->bytes += entry.bytes;
        }
    }
}

static void
view_node(struct tree_view *v, uint32_t node)
{
    const struct spread *s = v->s;
    const struct fabric *f = s->ctl->fabric;
    const struct ctl_switch *sw = fabric_switch(f, node);
    const struct spread_end *end = spread_end_lookup(s, node);
    if (!sw) {
        return;
    }
    struct view_tree_switch *view = &v->switches[v->n++];
    view->dpid = sw->dpid;
    view->connected = switch_is_connected(sw);
    view->has_members = end && end->receiver;
    view->has_sources = end && end->n_sources;
    for (size_t i = 0; i < s->trees.n; i++) {
        const struct topo_tree_node *t =
            topo_tree_node(s->trees.trees[i]->topo, node);
        if (t) {
            view->depth = t->depth;
            view->parent = spread_is_on(s, t->parent)
                               ? topo_net_dpid(f->net, t->parent)
                               : 0;
        }
    }
    view_ports(sw, s, view);
    add_counters(sw, s, view);
}

static int
compare_switches(const void *a_, const void *b_)
{
    const struct view_tree_switch *a = a_, *b = b_;
    return a->depth != b->depth ? (a->depth < b->depth ? -1 : 1)
                                : (a->dpid > b->dpid) - (a->dpid < b->dpid);
}

bool
view_tree(struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
          view_tree_cb *cb, void *aux)
{
    struct spread_key key = spread_key_of_channel(vlan, group);
    struct spread *s = ctl->fabric ? spread_lookup(ctl->fabric, &key) : NULL;
    if (!s) {
        return false;
    }
    struct tree_view v = {
        .s = s, .switches = xcalloc(s->n_on + 1, sizeof *v.switches)};
    for (size_t i = 0; i < s->n_on; i++) {
        view_node(&v, s->on[i]);
    }
    if (v.n) {
        qsort(v.switches, v.n, sizeof *v.switches, compare_switches);
    }
    cb(aux, &(struct view_tree){
                .vlan = vlan,
                .group = *group,
                .root = s->trees.n ? s->trees.trees[0]->key.root : 0,
                .state = s->restored   ? "restored"
                         : s->draining ? "draining"
                                       : "stable",
                .switches = v.switches,
                .n_switches = v.n});
    for (size_t i = 0; i < v.n; i++) {
        free((void *) v.switches[i].ports);
    }
    free(v.switches);
    return true;
}
