/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Unicast and broadcast of the fabric.
 *
 * TABLE_L2 knows who may be where; TABLE_L2_OUT says where frames go: each
 * host has an entry at its own switch, and, once somebody behind another
 * switch has sent to it, at those of the shortest path from there.  A frame
 * without an entry is shown to us: we send it out at the host's own port and
 * set up the path, so that nothing is lost; if the host is not known, it goes
 * out of all edge ports.  Never does a switch flood such a frame by itself: it
 * could meet the entries of others and come back. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum {
    HOST_IDLE_S = 300,
    FLOODS_PER_S = 200, /* By packet-out: each is one to every switch. */
    FLOODS_BURST = 50
};

/* Priorities in TABLE_L2 and TABLE_L2_OUT. */
enum { PRIO_HOST = 100, PRIO_FLOOD_VLAN = 60, PRIO_FLOOD = 50 };

static struct spread_key
key_of(const struct host *h)
{
    struct spread_key key = {.vlan = h->key.vlan, .kind = SPREAD_HOST};
    memcpy(key.name.b, &h->key.mac, sizeof h->key.mac);
    return key;
}

/* Floods. */

struct buckets {
    struct ofp_bucket *list;
    size_t n, allocated;
};

static void
add_bucket(struct buckets *b, uint32_t port, bool pop)
{
    b->list = xgrow(b->list, b->n, &b->allocated, sizeof *b->list);
    b->list[b->n++] = (struct ofp_bucket){
        .out_port = port, .rewrite.set = pop ? OFP_POP_VLAN : 0};
}

static void
add_link(void *b, uint32_t port)
{
    add_bucket(b, port, false);
}

/* Edge ports that are in the vlan, -1: of any that no rule names; then links
 * of the flood's tree. */
static void
flood_buckets(const struct ctl_switch *sw, int vlan, struct buckets *b)
{
    const struct fabric *f = sw->ctl->fabric;
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    const struct spread_key key = {.kind = SPREAD_FLOOD};
    const struct spread *s = spread_lookup(f, &key);
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        struct port_id id = {sw->dpid, ts->ports[i]->no};
        struct config_port_l2 l2 =
            config_get_port_l2(sw->ctl->config, sw->dpid, ts->ports[i]);
        bool pop = false;
        if (topo_links_role(f->links, &id) == TOPO_ROLE_EDGE
            && !tunnel_of(sw->ctl, &id)
            && (vlan < 0
                    ? !l2.access_vlan && !l2.n_trunk_vlans
                    : edge_carries(sw->ctl, &id, (uint16_t) vlan, &pop))) {
            add_bucket(b, ts->ports[i]->no, pop);
        }
    }
    if (s) {
        spread_each_port(s, fabric_node(f, sw->dpid), &IP_ADDR_ANY, add_link,
                         b);
    }
}

static struct ofp_flow
flood_flow(int vlan)
{
    struct ofp_flow flow = {.table = TABLE_L2_OUT,
                            .priority = PRIO_FLOOD,
                            .cookie = cookie_make(COOKIE_FLOOD, 0),
                            .output = OFP_OUT_GROUP};
    flow.match.fields = OFP_MATCH_ETH_DST;
    flow.match.eth_dst.b[0] = flow.match.eth_dst_mask.b[0] = 1;
    if (vlan >= 0) {
        flow.priority = PRIO_FLOOD_VLAN;
        flow.match.fields |= OFP_MATCH_VLAN;
        flow.match.vlan = (uint16_t) vlan;
    }
    return flow;
}

static void
set_flood(struct ctl_switch *sw, int vlan)
{
    struct ofp_flow flow = flood_flow(vlan);
    struct buckets b = {.list = NULL};
    flood_buckets(sw, vlan, &b);
    switch_set_entry(sw, &flow, b.list, b.n, 0, NULL);
    free(b.list);
}

/* Vlans that rules of the switch's ports name, sorted. */
static size_t
named_vlans(const struct ctl_switch *sw, uint8_t *named)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    size_t n = 0;
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        struct config_port_l2 l2 =
            config_get_port_l2(sw->ctl->config, sw->dpid, ts->ports[i]);
        if (l2.access_vlan) {
            named[l2.access_vlan] = 1;
            n++;
        }
        for (size_t j = 0; j < l2.n_trunk_vlans; j++) {
            named[l2.trunk_vlans[j]] = 1;
            n++;
        }
    }
    return n;
}

enum { N_VLANS = 4096 };

static void
compile_flood(struct ctl_switch *sw)
{
    uint8_t *named = xcalloc(N_VLANS, 1);
    size_t n = named_vlans(sw, named);
    set_flood(sw, -1);
    for (int vlan = 0; vlan < N_VLANS && (n || sw->flood_vlans); vlan++) {
        bool had = sw->flood_vlans && sw->flood_vlans[vlan];
        if (named[vlan]) {
            set_flood(sw, vlan);
        } else if (had) {
            struct ofp_flow flow = flood_flow(vlan);
            ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
        }
    }
    free(sw->flood_vlans);
    sw->flood_vlans = n ? named : NULL;
    if (!n) {
        free(named);
    }
    switch_want_run(sw);
}

void
l2_set_flood(struct ctl_switch *sw)
{
    if (!sw->flood_dirty) {
        sw->flood_dirty = true;
        sw->ctl->fabric->floods_dirty = true;
        loop_want_turn(sw->ctl->loop);
    }
}

void
l2_compile(struct ctl *ctl)
{
    struct fabric *f = ctl->fabric;
    if (f && f->floods_dirty) {
        f->floods_dirty = false;
        for (struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
            if (sw->flood_dirty) {
                sw->flood_dirty = false;
                compile_flood(sw);
            }
        }
    }
}

/* Ways to hosts. */

static struct ofp_flow
in_flow(const struct host *h, const struct port_id *port)
{
    struct ofp_flow flow = {.table = TABLE_L2,
                            .priority = PRIO_HOST,
                            .cookie = cookie_make(COOKIE_HOST_IN, h->id),
                            .idle_timeout = HOST_IDLE_S,
                            .tell_removed = true,
                            .goto_table = TABLE_L2_OUT};
    flow.match.fields = OFP_MATCH_IN_PORT | OFP_MATCH_VLAN | OFP_MATCH_ETH_SRC;
    flow.match.in_port = (uint32_t) port->port_no;
    flow.match.vlan = h->key.vlan;
    flow.match.eth_src = h->key.mac;
    return flow;
}

static struct ofp_flow
out_flow(const struct host *h)
{
    static const struct mac_addr exact = {{255, 255, 255, 255, 255, 255}};
    struct ofp_flow flow = {.table = TABLE_L2_OUT,
                            .priority = PRIO_HOST,
                            .cookie = cookie_make(COOKIE_HOST_OUT, h->id),
                            .output = OFP_OUT_PORT};
    flow.match.fields = OFP_MATCH_VLAN | OFP_MATCH_ETH_DST;
    flow.match.vlan = h->key.vlan;
    flow.match.eth_dst = h->key.mac;
    flow.match.eth_dst_mask = exact;
    return flow;
}

static void
set_port(void *flow_, uint32_t port)
{
    struct ofp_flow *flow = flow_;
    flow->out_port = port;
}

/* Where frames to the host leave the switch: 0 if by no way. */
static void
find_way(const struct ctl_switch *sw, const struct host *h,
         struct ofp_flow *flow)
{
    const struct fabric *f = sw->ctl->fabric;
    const struct spread_key key = key_of(h);
    const struct spread *s = spread_lookup(f, &key);
    bool pop;
    if (h->port.dpid == sw->dpid) {
        flow->out_port = (uint32_t) h->port.port_no;
        edge_carries(sw->ctl, &h->port, h->key.vlan, &pop);
        flow->rewrite.set = pop ? OFP_POP_VLAN : 0;
    } else if (s) {
        spread_each_port(s, fabric_node(f, sw->dpid), &IP_ADDR_ANY, set_port,
                         flow);
        flow->idle_timeout = HOST_IDLE_S;
        flow->tell_removed = true;
    }
}

void
l2_set_host(struct ctl_switch *sw, const struct host *h)
{
    struct ofp_flow flow = out_flow(h);
    find_way(sw, h, &flow);
    if (flow.out_port) {
        ofp_table_set(sw->table, &flow, NULL, 0, 0, NULL);
    } else {
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
    }
    switch_want_run(sw);
}

static void
unset(struct ctl_switch *sw, const struct ofp_flow *flow)
{
    if (sw) {
        ofp_table_unset(sw->table, flow->table, flow->priority, &flow->match);
        switch_want_run(sw);
    }
}

void
l2_host_heard(struct fabric *f, struct host *h)
{
    struct ctl_switch *sw = switch_lookup(f->ctl, h->port.dpid);
    if (sw) {
        struct ofp_flow in = in_flow(h, &h->port);
        ofp_table_set(sw->table, &in, NULL, 0, 0, NULL);
        l2_set_host(sw, h);
    }
}

void
l2_host_moved(struct fabric *f, struct host *h, const struct port_id *old)
{
    const struct spread_key key = key_of(h);
    struct spread *s = spread_lookup(f, &key);
    struct ofp_flow in = in_flow(h, old);
    struct ctl_switch *sw = switch_lookup(f->ctl, old->dpid);
    unset(sw, &in);
    if (s) {
        spread_mark(s);
    }
    if (sw && old->dpid != h->port.dpid) {
        l2_set_host(sw, h); /* Its port is not the way any more. */
    }
}

void
l2_host_gone(struct fabric *f, const struct host *h)
{
    const struct spread_key key = key_of(h);
    struct spread *s = spread_lookup(f, &key);
    struct ctl_switch *home = switch_lookup(f->ctl, h->port.dpid);
    struct ofp_flow in = in_flow(h, &h->port), out = out_flow(h);
    unset(home, &in);
    unset(home, &out);
    for (size_t i = 0; s && i < s->n_on; i++) {
        unset(fabric_switch(f, s->on[i]), &out);
    }
    if (s) {
        spread_destroy(s);
    }
}

/* Frames that a switch had no entry for. */

static bool
take_token(struct fabric *f)
{
    int64_t now = loop_now(f->ctl->loop);
    int64_t due = (now - f->flood_tokens_at) * FLOODS_PER_S / 1000;
    if (due > 0) {
        uint64_t tokens = f->flood_tokens + (uint64_t) due;
        f->flood_tokens =
            (unsigned int) (tokens < FLOODS_BURST ? tokens : FLOODS_BURST);
        f->flood_tokens_at = now;
    }
    if (!f->flood_tokens) {
        return false;
    }
    f->flood_tokens--;
    return true;
}

/* The switch is a place from where the host is wanted. */
static void
want_way(struct fabric *f, struct ctl_switch *sw, const struct host *h)
{
    const struct spread_key key = key_of(h);
    uint32_t node = fabric_node(f, sw->dpid);
    struct spread *s = spread_get(f, &key);
    struct spread_end *end = spread_end_get(s, node);
    if (!end->n_sources) {
        end->n_sources = 1;
        spread_mark(s);
    } else {
        l2_set_host(sw, h); /* Its flow had expired. */
    }
}

static bool
read_target(const struct ofp_packet_in *pin, struct host_key *key)
{
    memset(key, 0, sizeof *key);
    if (pin->size < 18) {
        return false;
    }
    memcpy(&key->mac, pin->frame, 6);
    if (pin->frame[12] == 0x81 && pin->frame[13] == 0) {
        key->vlan = (uint16_t) (pin->frame[14] << 8 | pin->frame[15]) & 0xfff;
    }
    return !mac_addr_is_multicast(&key->mac);
}

static void
no_way(struct fabric *f, struct ctl_switch *sw,
       const struct ofp_packet_in *pin)
{
    struct port_id from = {sw->dpid, pin->in_port};
    struct host_key key;
    if (!read_target(pin, &key)) {
        return;
    }
    struct host *h = host_lookup(f, key.vlan, &key.mac);
    if (h && !port_id_equal(&h->port, &from)) {
        if (h->port.dpid != sw->dpid) {
            want_way(f, sw, h);
        }
        edge_send(f->ctl, &h->port, pin->frame, pin->size);
    } else if (!h && take_token(f)) {
        edges_flood(f->ctl, &from, pin->frame, pin->size);
    }
}

void
l2_packet_in(struct ctl_switch *sw, const struct ofp_packet_in *pin)
{
    struct fabric *f = sw->ctl->fabric;
    struct port_id port = {sw->dpid, pin->in_port};
    if (!f) {
        return;
    }
    if (cookie_kind(pin->cookie) == COOKIE_HOST_IN) {
        hosts_learn(f, &port, pin->frame, pin->size);
    } else {
        no_way(f, sw, pin);
    }
}

void
l2_flow_removed(struct ctl_switch *sw, const struct ofp_flow_removed *removed)
{
    struct fabric *f = sw->ctl->fabric;
    uint32_t id = removed->cookie & 0xffffff;
    enum cookie_kind kind = cookie_kind(removed->cookie);
    if (!f || removed->reason != OFP_REMOVED_IDLE) {
        return;
    }
    if (kind == COOKIE_HOST_IN) {
        host_is_idle(f, sw, id);
    } else if (kind == COOKIE_HOST_OUT) {
        const struct host *h = host_of_id(f, id);
        struct spread_key key;
        struct spread *s = NULL;
        if (h) {
            key = key_of(h);
            s = spread_lookup(f, &key);
        }
        struct spread_end *end =
            s ? spread_end_lookup(s, fabric_node(f, sw->dpid)) : NULL;
        if (end && end->n_sources) {
            end->n_sources = 0;
            spread_mark(s);
        }
    }
}

/* Who was there before a restart. */
void
l2_adopt(struct ctl_switch *sw, const struct ofp_adopted *found)
{
    const struct ofp_match *m = &found->match;
    unsigned int need = OFP_MATCH_IN_PORT | OFP_MATCH_VLAN | OFP_MATCH_ETH_SRC;
    struct fabric *f = sw->ctl->fabric;
    if (f && cookie_kind(found->cookie) == COOKIE_HOST_IN
        && (m->fields & need) == need) {
        struct port_id port = {sw->dpid, m->in_port};
        struct host_key key = {.mac = m->eth_src, .vlan = m->vlan};
        host_adopt(f, &key, &port, found->cookie & 0xffffff);
    }
}
