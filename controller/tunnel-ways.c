/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What leaves by tunnel ports, and what comes in: see tunnels.h. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* Open vSwitch's userspace datapath drops the first packet to an end whose MAC
 * address it does not know, and forgets one after 15 minutes. */
enum {
    WARM_MS = 60000,
    WARM_SOON_MS = 300, /* The underlay may come up a moment later. */
    WARM_SOON = 10      /* So often. */
};

/* Priorities in TABLE_ADMIT, above those of ports; in TABLE_L2, below those of
 * hosts. */
enum { PRIO_TUNNEL = 110, PRIO_TUNNEL_VNI = 111, PRIO_TUNNEL_L2 = 10 };

/* Copies. */

bool
tunnel_copy(const struct ctl *ctl, const struct port_id *port, uint16_t vlan,
            struct ofp_copy *copy)
{
    const struct config_tunnel *t = tunnel_of(ctl, port);
    if (!port_id_vtep(port)) {
        return !t; /* By a tunnel port as such nothing gets anywhere. */
    }
    if (!t || !config_tunnel_vni(t, vlan, &copy->tun_id)) {
        return false;
    }
    copy->tun_dst = port_id_vtep(port);
    copy->pop_vlan = vlan != 0;
    return true;
}

/* What comes in. */

static void
add_flow(struct ctl_switch *sw, const struct topo_port *port,
         const struct config_vni *vni)
{
    struct ofp_flow flow = {
        .table = TABLE_ADMIT,
        .priority = vni ? PRIO_TUNNEL_VNI : PRIO_TUNNEL,
        .cookie = cookie_make(COOKIE_PIPELINE, 0),
        .match = {.fields = OFP_MATCH_IN_PORT, .in_port = port->no}};
    if (vni) {
        /* The tag is ours to put on (RFC 7348 6.1). */
        flow.match.fields |= OFP_MATCH_VLAN | OFP_MATCH_TUN_ID;
        flow.match.tun_id = vni->vni;
        flow.goto_table = TABLE_PUNT;
        if (vni->vlan) {
            flow.rewrite.set = OFP_PUSH_VLAN;
            flow.rewrite.vlan = vni->vlan;
        }
    }
    sw->tunnel_flows =
        xgrow(sw->tunnel_flows, sw->n_tunnel_flows,
              &sw->allocated_tunnel_flows, sizeof *sw->tunnel_flows);
    sw->tunnel_flows[sw->n_tunnel_flows++] =
        (struct rule_flow){.priority = flow.priority, .match = flow.match};
    pipeline_set_flow(sw, &flow);
}

/* With l2: fabric nobody is learned at a tunnel port. */
static void
set_l2_flow(struct ctl_switch *sw, uint32_t no, bool set)
{
    struct ofp_flow flow = {
        .table = TABLE_L2,
        .priority = PRIO_TUNNEL_L2,
        .cookie = cookie_make(COOKIE_PIPELINE, 0),
        .match = {.fields = OFP_MATCH_IN_PORT, .in_port = no},
        .goto_table = TABLE_L2_OUT};
    if (set && sw->ctl->fabric) {
        pipeline_set_flow(sw, &flow);
    } else if (sw->ctl->fabric) {
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
    }
}

void
tunnels_set_flows(struct ctl_switch *sw)
{
    const struct config *config = sw->ctl->config;
    /* What comes back in the same turn costs no message. */
    for (size_t i = 0; i < sw->n_tunnel_flows; i++) {
        const struct rule_flow *f = &sw->tunnel_flows[i];
        ofp_table_unset(sw->table, TABLE_ADMIT, f->priority, &f->match);
        set_l2_flow(sw, f->match.in_port, false);
    }
    sw->n_tunnel_flows = 0;
    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *t = &config->tunnels[i];
        const struct topo_port *port =
            t->dpid == sw->dpid
                ? topo_find_port(sw->ctl->topo, t->dpid, t->port)
                : NULL;
        for (size_t j = 0; port && j < t->n_vnis; j++) {
            add_flow(sw, port, &t->vnis[j]);
        }
        if (port) {
            add_flow(sw, port, NULL);
            set_l2_flow(sw, port->no, true);
        }
    }
    switch_want_run(sw);
}

/* Frames of ours. */

static uint16_t
tag_of(const uint8_t *frame, size_t size)
{
    bool tagged = size >= 16 && frame[12] == 0x81 && !frame[13];
    return tagged ? (uint16_t) (frame[14] << 8 | frame[15]) & 0xfff : 0;
}

static void
send_to(struct ctl_switch *sw, uint32_t no, uint32_t vni,
        const uint32_t *vteps, size_t n, const uint8_t *frame, size_t size)
{
    if (!sw || !switch_is_connected(sw) || !n) {
        return;
    }
    struct ofp_session *session = conn_session(sw->conn);
    if (!tag_of(frame, size)) {
        ofp_session_packet_out_tunnels(session, no, vni, vteps, n, frame,
                                       size);
        return;
    }
    uint8_t *bare = xmalloc(size);
    memcpy(bare, frame, 12);
    memcpy(bare + 12, frame + 16, size - 16);
    ofp_session_packet_out_tunnels(session, no, vni, vteps, n, bare, size - 4);
    free(bare);
}

void
tunnels_send(struct ctl *ctl, const struct port_id *id, const void *frame,
             size_t size)
{
    const struct config_tunnel *t = tunnel_of(ctl, id);
    uint32_t vni, vtep = port_id_vtep(id);
    if (t && t->querier && config_tunnel_vni(t, tag_of(frame, size), &vni)) {
        send_to(switch_lookup(ctl, id->dpid), port_id_no(id), vni, &vtep, 1,
                frame, size);
    }
}

void
tunnels_send_copy(struct ctl_switch *sw, const struct ofp_copy *copy,
                  const void *frame, size_t size)
{
    send_to(sw, copy->port, copy->tun_id, &copy->tun_dst, 1, frame, size);
}

/* The ends of a tunnel port, those too that are switches of this daemon if
 * 'shared'; the caller frees them. */
static uint32_t *
list_peers(const struct ctl *ctl, uint64_t dpid, uint32_t no, bool shared,
           size_t *n)
{
    uint32_t *vteps =
        xcalloc(HASH_COUNT(ctl->tunnels->peers) + 1, sizeof *vteps);
    const struct tunnel_peer *p;
    *n = 0;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        if (p->id.dpid == dpid && port_id_no(&p->id) == no
            && (shared || p->origin != TUNNEL_SHARED)) {
            vteps[(*n)++] = port_id_vtep(&p->id);
        }
    }
    return vteps;
}

static void
flood_tunnel(struct ctl *ctl, const struct config_tunnel *t, uint32_t vni,
             bool shared, const uint8_t *frame, size_t size)
{
    const struct topo_port *port = topo_find_port(ctl->topo, t->dpid, t->port);
    if (port) {
        size_t n;
        uint32_t *vteps = list_peers(ctl, t->dpid, port->no, shared, &n);
        send_to(switch_lookup(ctl, t->dpid), port->no, vni, vteps, n, frame,
                size);
        free(vteps);
    }
}

void
tunnels_flood(struct ctl *ctl, const void *frame, size_t size)
{
    const struct config *config = ctl->config;
    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *t = &config->tunnels[i];
        uint32_t vni;
        if (t->querier && config_tunnel_vni(t, tag_of(frame, size), &vni)) {
            flood_tunnel(ctl, t, vni, false, frame, size);
        }
    }
}

/* A frame that nobody wants: to no group of hosts (bridges do not pass it on,
 * IEEE 802.1D-2004 7.12.6), of a type for local experiments.  All that it does
 * is make the switch ask for the end's MAC address. */
static const uint8_t *
warm_frame(const struct ctl *ctl, uint8_t frame[60])
{
    static const uint8_t nobody[6] = {0x01, 0x80, 0xc2, 0, 0, 0x0e};
    memset(frame, 0, 60);
    memcpy(frame, nobody, 6);
    memcpy(frame + 6, &ctl->mac, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5;
    return frame;
}

static void
warm_vtep(struct ctl_switch *sw, uint32_t port, uint32_t vni, uint32_t vtep)
{
    uint8_t frame[60];
    send_to(sw, port, vni, &vtep, 1, warm_frame(sw->ctl, frame), sizeof frame);
}

/* Hosts at ends to which the way has been found since: a query sent before
 * would have been lost. */
static void
ask_peers(struct ctl *ctl)
{
    struct tunnel_peer *p, *tmp;
    HASH_ITER (hh, ctl->tunnels->peers, p, tmp) {
        const struct ctl_switch *sw = switch_lookup(ctl, p->id.dpid);
        if (!sw || !ofp_table_is_synced(sw->table)
            || !switch_has_port(ctl, &p->id)) {
            continue;
        }
        if (p->warmed && !p->asked) {
            struct port_id id = p->id;
            p->asked = true;
            vlans_port_up(ctl, &id);
        }
        p->warmed = true;
    }
}

void
tunnels_warm(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    uint8_t frame[60];
    ask_peers(ctl);
    warm_frame(ctl, frame);
    for (size_t i = 0; i < ctl->config->n_tunnels; i++) {
        const struct config_tunnel *t = &ctl->config->tunnels[i];
        flood_tunnel(ctl, t, t->vnis[0].vni, true, frame, sizeof frame);
    }
    routes_each_vtep(ctl, warm_vtep);
    bool soon = ctl->tunnels->warm_soon > 0;
    ctl->tunnels->warmed = now;
    ctl->tunnels->warm_soon -= soon;
    loop_timer_set(ctl->loop, &ctl->tunnels->warm_timer,
                   now + (soon ? WARM_SOON_MS : WARM_MS));
}

void
tunnels_want_warm(struct ctl *ctl)
{
    struct tunnels *t = ctl->tunnels;
    int64_t now = loop_now(ctl->loop), next = t->warmed + WARM_SOON_MS;
    t->warm_soon = WARM_SOON;
    loop_timer_set(ctl->loop, &t->warm_timer, next > now ? next : now);
}
