/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes and single hosts.
 *
 * A target that is a host gets its copies by the Ethernet address and the port
 * that its ARP answers come from (neighbours.h), which each switch finds out
 * by itself; in a fabric the one that the host is behind.
 *
 * A stream that is sent to a host's address enters its route by flows of
 * that address: TABLE_PUNT sends it to TABLE_ROUTE, and what is of no route
 * there goes on to TABLE_L2, as if nothing had been.  Whoever asks for the
 * address by ARP is told the switch's; unless a host has it, which is looked
 * for like any target. */

#include "controller/route-unicast.h"

#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "controller/neighbours.h"
#include "controller/route-far.h"
#include "controller/route-index.h"
#include "controller/route-ports.h"
#include "controller/route-reply.h"
#include "controller/route-rewrite.h"
#include "lib/arp.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(route_unicast);

enum {
    PRIO_UNICAST = 80,  /* In TABLE_PUNT, as of groups. */
    PRIO_NO_ROUTE = 10, /* In TABLE_ROUTE: below all routes. */
    PRIO_ARP_UNICAST = 100
};

/* Who is wanted, in order. */

struct unicast_wants {
    struct unicast_want {
        struct neighbour_key key;
        bool entry; /* What is sent to it enters TABLE_ROUTE... */
        bool reply; /* ...and is the source that a route gave 'device'. */
        struct neighbour_key device;
    } * list;
    size_t n, allocated;
};

static int
compare_wants(const void *a_, const void *b_)
{
    const struct unicast_want *a = a_, *b = b_;
    int d = ip_addr_compare(&a->key.ip, &b->key.ip);
    return d ? d : memcmp(&a->key, &b->key, sizeof a->key);
}

static void
add_want(struct unicast_wants *wants, const struct unicast_want *want)
{
    wants->list =
        xgrow(wants->list, wants->n, &wants->allocated, sizeof *wants->list);
    wants->list[wants->n++] = *want;
}

static void
sort_wants(struct unicast_wants *wants)
{
    size_t n = 0;
    if (wants->n) {
        qsort(wants->list, wants->n, sizeof *wants->list, compare_wants);
    }
    for (size_t i = 0; i < wants->n; i++) {
        const struct unicast_want *w = &wants->list[i];
        if (!n || compare_wants(&wants->list[n - 1], w)) {
            wants->list[n++] = *w;
            continue;
        }
        struct unicast_want *last = &wants->list[n - 1];
        last->entry |= w->entry;
        if (w->reply) {
            last->reply = true;
            last->device = w->device;
        }
    }
    wants->n = n;
}

/* The vlan that a host is in, as far as the route says. */
static uint16_t
vlan_of(const struct route *route, const struct route_target *target)
{
    return target->has_vlan        ? target->vlan
           : route->set.has_vlan   ? route->set.vlan
           : route->match.has_vlan ? route->match.vlan
                                   : 0;
}

static const struct ip_addr *
next_hop(const struct route_target *target)
{
    return ip_addr_is_any(&target->via) ? &target->host : &target->via;
}

bool
route_is_unicast(const struct route *route)
{
    bool is = route->match.unicast || route->set.reply_to;
    for (size_t i = 0; i < route->n_targets && !is; i++) {
        is = route->targets[i].kind == ROUTE_TO_HOST;
    }
    return is;
}

/* The key of a target. */
static struct neighbour_key
key_of(const struct route *route, const struct route_target *target)
{
    return (struct neighbour_key){.ip = *next_hop(target),
                                  .vlan = vlan_of(route, target)};
}

static void
add_reply(void *wants, const struct route_reply *r)
{
    const struct unicast_want device = {.key = r->device};
    const struct unicast_want source = {
        .key = r->source, .entry = true, .reply = true, .device = r->device};
    add_want(wants, &device);
    add_want(wants, &source);
}

static void
add_route(struct unicast_wants *wants, const struct ctl *ctl,
          const struct route *route, bool enters)
{
    const struct route_match *m = &route->match;
    struct unicast_want want = {.entry = false};
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        if (target->kind == ROUTE_TO_HOST) {
            want.key = key_of(route, target);
            add_want(wants, &want);
        }
    }
    if (!m->unicast || !enters) {
        return;
    }
    want.entry = true;
    want.key = (struct neighbour_key){.ip = m->group.addr, .vlan = m->vlan};
    if (m->has_vlan) {
        add_want(wants, &want);
        return;
    }
    const struct ctl_vlan *v;
    for (v = ctl->vlans; v; v = v->hh.next) {
        want.key.vlan = v->vlan;
        add_want(wants, &want);
    }
}

/* Neighbours' ops. */

static void
send_frame(void *sw_, uint16_t vlan, const struct port_id *port,
           const void *frame, size_t size)
{
    struct ctl_switch *sw = sw_;
    (void) vlan;
    if (sw->ctl->fabric && port) {
        edge_send(sw->ctl, port, frame, size);
    } else if (sw->ctl->fabric) {
        edges_flood_switch(sw, frame, size);
    } else {
        switch_packet_out(sw, 0,
                          port ? (uint32_t) port->port_no : OFP_PORT_FLOOD,
                          frame, size);
    }
}

static bool
sends_to(const struct route *route, const struct neighbour_key *key)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        const struct neighbour_key its = key_of(route, target);
        if (target->kind == ROUTE_TO_HOST && !memcmp(&its, key, sizeof its)) {
            return true;
        }
    }
    return false;
}

static void
neighbour_changed(void *sw_, const struct neighbour_key *key)
{
    struct ctl_switch *sw = sw_;
    struct rule *rule, *tmp;
    struct neighbour_view view;
    char text[IP_ADDR_STRLEN], mac[MAC_ADDR_STRLEN];
    neighbours_get(sw->neighbours, key, &view);
    VLOG_DBG("%s vlan %u is %s of " DPID_FMT, ip_addr_format(&key->ip, text),
             (unsigned int) key->vlan,
             view.state == NEIGHBOUR_KNOWN ? mac_addr_format(&view.mac, mac)
                                           : "no neighbour",
             sw->dpid);
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        if (!sends_to(rule->route, key) && !route_replies_to(sw, rule, key)) {
            continue;
        } else if (sw->ctl->fabric) {
            rule_mark(sw->ctl, rule);
            route_far_changed(sw->ctl, rule);
        } else {
            rule_mark_on(sw->ctl, rule, sw->dpid);
        }
    }
}

static void
timer_cb(void *sw_, int64_t now)
{
    struct ctl_switch *sw = sw_;
    if (switch_is_connected(sw)) {
        neighbours_run(sw->neighbours, now);
    }
    unicast_settle(sw);
}

void
unicast_settle(struct ctl_switch *sw)
{
    loop_timer_set(sw->ctl->loop, &sw->neighbours_timer,
                   switch_is_connected(sw)
                       ? neighbours_deadline(sw->neighbours)
                       : INT64_MAX);
}

void
unicast_create(struct ctl_switch *sw)
{
    static const struct neighbours_ops ops = {.send = send_frame,
                                              .changed = neighbour_changed};
    sw->neighbours = neighbours_create(&sw->ctl->mac, &ops, sw);
    loop_timer_init(&sw->neighbours_timer, timer_cb, sw);
    sw->wants = xcalloc(1, sizeof *sw->wants);
}

void
unicast_destroy(struct ctl_switch *sw)
{
    loop_timer_clear(sw->ctl->loop, &sw->neighbours_timer);
    neighbours_destroy(sw->neighbours);
    free(sw->wants->list);
    free(sw->wants);
}

void
unicast_port_changed(struct ctl_switch *sw, uint32_t no, bool up)
{
    const struct port_id id = {sw->dpid, no};
    neighbours_port_changed(sw->neighbours, &id, up, loop_now(sw->ctl->loop));
    sw->ctl->unicast_stale = true; /* Devices are looked for by port. */
    unicast_settle(sw);
}

/* The flows of an address that streams are sent to. */

static void
set_or_unset(struct ctl_switch *sw, const struct ofp_flow *flow, bool set)
{
    if (set) {
        pipeline_set_flow(sw, flow);
    } else {
        ofp_table_unset(sw->table, flow->table, flow->priority, &flow->match);
    }
}

static void
set_entry(struct ctl_switch *sw, const struct ip_addr *ip, bool set)
{
    const struct ip_prefix to = {*ip, 128};
    struct ofp_flow flow = fragments_punt_flow(&to);
    if (sw->ctl->fabric) {
        /* What came by a link has met the routes where it entered. */
        flow.match.fields |= OFP_MATCH_METADATA;
        flow.match.metadata = FROM_EDGE;
    }
    set_or_unset(sw, &flow, set);
    flow.priority = PRIO_UNICAST;
    flow.match.fields &= ~(unsigned int) OFP_MATCH_FRAG;
    flow.goto_table = TABLE_ROUTE;
    set_or_unset(sw, &flow, set);

    struct ofp_flow rest = {
        .table = TABLE_ROUTE,
        .priority = PRIO_NO_ROUTE,
        .match = {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST,
                  .eth_type = ETH_TYPE_IPV4,
                  .ip_dst = to},
        .cookie = cookie_make(COOKIE_PIPELINE, 0),
        .goto_table = TABLE_L2};
    set_or_unset(sw, &rest, set);
}

/* Takes off what was wanted before and is not now.  Both are sorted. */
static void
release(struct ctl_switch *sw, const struct unicast_wants *old,
        const struct unicast_wants *new)
{
    size_t j = 0;
    for (size_t i = 0; i < old->n; i++) {
        const struct unicast_want *w = &old->list[i];
        const struct ip_addr *ip = &w->key.ip;
        while (j < new->n && ip_addr_compare(&new->list[j].key.ip, ip) < 0) {
            j++;
        }
        bool stays = false;
        for (size_t k = j;
             k < new->n &&ip_addr_equal(&new->list[k].key.ip, ip); k++) {
            stays |= new->list[k].entry;
        }
        if (w->entry && !stays) {
            set_entry(sw, ip, false);
        }
        neighbours_release(sw->neighbours, &w->key);
    }
}

static void
set_wants(struct ctl_switch *sw)
{
    struct unicast_wants old = *sw->wants, *new = sw->wants;
    struct rule *rule, *tmp;
    bool had = sw->wants->n > 0;
    *new = (struct unicast_wants){.n = 0};
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        const struct route_match *m = &rule->route->match;
        bool enters = !m->has_dpid || m->dpid == sw->dpid;
        if (!rule->gone && (enters || sw->ctl->fabric)) {
            add_route(new, sw->ctl, rule->route, enters);
            route_each_reply(sw, rule, add_reply, new);
        }
    }
    sort_wants(new);
    for (size_t i = 0; i < new->n; i++) {
        const struct unicast_want *w = &new->list[i];
        neighbours_want(sw->neighbours, &w->key, loop_now(sw->ctl->loop));
        if (w->entry) {
            set_entry(sw, &w->key.ip, true);
        }
    }
    release(sw, &old, new);
    free(old.list);
    if (had || new->n) {
        pipeline_set_arp(sw);
        switch_want_run(sw);
    }
    unicast_settle(sw);
}

void
unicast_set(struct ctl_switch *sw)
{
    set_wants(sw);
}

void
unicast_compile(struct ctl *ctl)
{
    struct ctl_switch *sw, *tmp;
    if (!ctl->unicast_stale) {
        return;
    }
    ctl->unicast_stale = false;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        set_wants(sw);
    }
}

bool
unicast_wants_arp(const struct ctl_switch *sw)
{
    return sw->wants->n > 0;
}

/* Targets. */

bool
unicast_find_anywhere(const struct ctl *ctl, const struct neighbour_key *key,
                      struct port_id *port)
{
    struct ctl_switch *sw, *tmp;
    int64_t last = -1;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        struct neighbour_view view;
        if (neighbours_get(sw->neighbours, key, &view)
            && view.state == NEIGHBOUR_KNOWN && view.heard > last) {
            last = view.heard;
            *port = view.port;
        }
    }
    return last >= 0;
}

bool
unicast_find(const struct ctl *ctl, const struct route *route,
             const struct route_target *target, struct port_id *port)
{
    const struct neighbour_key key = key_of(route, target);
    return unicast_find_anywhere(ctl, &key, port);
}

void
route_add_host(struct route_build *b, const struct route_target *target,
               int vlan, struct ofp_bucket *bucket)
{
    struct ctl_switch *sw = b->sw;
    uint16_t home = vlan_of(b->route, target);
    struct neighbour_view view = {.state = NEIGHBOUR_ASKED};
    char text[IP_ADDR_STRLEN];
    struct port_id last;
    bool pop = false;
    bucket->out_port = 0;
    if (b->far
        && (unicast_find(sw->ctl, b->route, target, &last)
                ? last.dpid != sw->dpid
                : b->beyond)) {
        return; /* It is for another switch. */
    }
    const struct neighbour_key key = key_of(b->route, target);
    if (!neighbours_get(sw->neighbours, &key, &view)
        || view.state != NEIGHBOUR_KNOWN) {
        route_wait_for(b->part, "%s does not answer ARP in vlan %u",
                       ip_addr_format(next_hop(target), text), home);
        return;
    }
    struct route_set set = target->set;
    set.has_vlan = target->has_vlan;
    set.vlan = home;
    if (!set.has_eth_src && !b->route->set.has_eth_src) {
        /* Or switches behind would learn the sender's at two ports. */
        set.has_eth_src = set.eth_src_auto = true;
    }
    bucket->rewrite = route_rewrite(&set, vlan, sw->dpid);
    bucket->rewrite.set |= OFP_SET_IP_DST | OFP_SET_ETH_DST;
    bucket->rewrite.ip_dst = target->host;
    bucket->rewrite.eth_dst = view.mac;
    if (sw->ctl->fabric && !edge_carries(sw->ctl, &view.port, home, &pop)) {
        route_wait_for(b->part, "%s answers at a port that is not in vlan %u",
                       ip_addr_format(next_hop(target), text), home);
        return;
    }
    /* Back to where it came from, which a switch leaves out by its number. */
    uint32_t no = (uint32_t) view.port.port_no;
    struct ofp_copy copy = {.port = no == b->in_port ? OFP_PORT_IN_PORT : no,
                            .eth_dst = view.mac,
                            .pop_vlan = pop};
    copy_to_bucket(&copy, bucket);
}

/* A copy of a route that was found on a switch: to whom? */
void
unicast_restore(struct ctl_switch *sw, const struct route *route,
                const struct ofp_adopted *found)
{
    int64_t now = loop_now(sw->ctl->loop);
    for (size_t i = 0; i < route->n_targets; i++) {
        const struct route_target *target = &route->targets[i];
        if (target->kind != ROUTE_TO_HOST) {
            continue;
        }
        for (size_t j = 0; j < found->n_copies; j++) {
            const struct ofp_copy *copy = &found->copies[j];
            bool back = copy->port == OFP_PORT_IN_PORT;
            struct port_id id = {sw->dpid,
                                 back ? found->match.in_port : copy->port};
            if (copy->ip_dst == ip_addr_to_v4(&target->host)
                && !mac_addr_is_zero(&copy->eth_dst)) {
                const struct neighbour_key key = key_of(route, target);
                neighbours_restore(sw->neighbours, &key, &copy->eth_dst, &id,
                                   now);
            }
        }
    }
    unicast_settle(sw);
}

/* ARP. */

/* Does some route take what is sent to this address from there? */
static bool
is_entry(const struct ctl_switch *sw, const struct port_id *port,
         uint16_t vlan, const struct ip_addr *ip)
{
    const struct topo_port *p = topo_lookup_port(sw->ctl->topo, port);
    struct route_walk walk;
    const struct rule *rule = route_index_first_of(sw->ctl, ip, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        const struct route_match *m = &rule->route->match;
        if (m->unicast && !rule->gone && ip_addr_equal(&m->group.addr, ip)
            && (!m->has_dpid || m->dpid == sw->dpid)
            && (!m->has_vlan || m->vlan == vlan)
            && (!m->has_port
                || (p
                    && route_means_port(sw->ctl->topo, sw->dpid, m->port,
                                        p)))) {
            return true;
        }
    }
    return false;
}

/* Does some device get what is sent to this address, and is it there? */
static bool
is_reply(const struct ctl_switch *sw, const struct neighbour_key *key)
{
    const struct unicast_wants *wants = sw->wants;
    const struct unicast_want want = {.key = *key};
    const struct unicast_want *found =
        wants->n
            ? bsearch(&want, wants->list, wants->n, sizeof want, compare_wants)
            : NULL;
    struct neighbour_view device;
    return found && found->reply
           && neighbours_get(sw->neighbours, &found->device, &device)
           && device.state == NEIGHBOUR_KNOWN;
}

/* Nobody has the address: the stream shall come to the switch. */
static void
answer(struct ctl_switch *sw, const struct port_id *port,
       const struct arp *request)
{
    struct arp reply = {.eth_dst = request->sender_mac,
                        .eth_src = mac_addr_of_switch(sw->dpid),
                        .vlan = request->vlan,
                        .reply = true,
                        .sender_mac = mac_addr_of_switch(sw->dpid),
                        .sender_ip = request->target_ip,
                        .target_mac = request->sender_mac,
                        .target_ip = request->sender_ip};
    uint8_t frame[ARP_MAX_SIZE];
    size_t size = arp_encode(&reply, frame, sizeof frame);
    if (sw->ctl->fabric) {
        edge_send(sw->ctl, port, frame, size);
    } else {
        switch_packet_out(sw, 0, (uint32_t) port->port_no, frame, size);
    }
}

void
unicast_packet_in(struct ctl_switch *sw, const struct port_id *port,
                  const uint8_t *frame, size_t size)
{
    struct neighbour_view owner;
    struct arp arp;
    if (!arp_decode(frame, size, &arp)) {
        return;
    }
    neighbours_arp(sw->neighbours, port, &arp, loop_now(sw->ctl->loop));
    unicast_settle(sw);
    const struct neighbour_key asked = {.ip = arp.target_ip, .vlan = arp.vlan};
    /* A probe asks whether somebody has the address: nobody has. */
    if (!arp.reply && ip_addr_to_v4(&arp.sender_ip)
        && mac_addr_compare(&arp.sender_mac, &sw->ctl->mac)
        && neighbours_get(sw->neighbours, &asked, &owner)
        && owner.state == NEIGHBOUR_SILENT
        && (is_reply(sw, &asked)
            || is_entry(sw, port, arp.vlan, &arp.target_ip))) {
        answer(sw, port, &arp);
    }
}
