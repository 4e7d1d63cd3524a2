/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* See tunnels.h and doc/tunnels.md. */

#include "controller/ctl-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "controller/view.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(tunnels);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 60);

enum { CHECK_MS = 500 }; /* Members have changed: who has none left? */

const struct config_tunnel *
tunnel_of(const struct ctl *ctl, const struct port_id *id)
{
    return ctl->config->n_tunnels ? config_get_tunnel(
               ctl->config, id->dpid, switch_topo_port(ctl, id))
                                  : NULL;
}

const char *
port_json(const struct port_id *id, char buf[PORT_JSON_SIZE])
{
    struct ip_addr vtep = ip_addr_v4(port_id_vtep(id));
    char text[IP_ADDR_STRLEN];
    if (port_id_vtep(id)) {
        snprintf(buf, PORT_JSON_SIZE, "\"port\":%" PRIu32 ",\"vtep\":\"%s\"",
                 port_id_no(id), ip_addr_format(&vtep, text));
    } else {
        snprintf(buf, PORT_JSON_SIZE, "\"port\":%" PRIu32, port_id_no(id));
    }
    return buf;
}

/* Peers. */

static struct tunnel_peer *
peer_lookup(const struct ctl *ctl, const struct port_id *id)
{
    struct tunnel_peer *p;
    HASH_FIND(hh, ctl->tunnels->peers, id, sizeof *id, p);
    return p;
}

static void
tell(struct ctl *ctl, const struct port_id *id, const char *type)
{
    char port[PORT_JSON_SIZE];
    ctl_event(ctl, type, "{\"dpid\":\"" DPID_FMT "\",%s}", id->dpid,
              port_json(id, port));
}

static struct tunnel_peer *
peer_get(struct ctl *ctl, const struct port_id *id, enum tunnel_origin origin)
{
    struct tunnel_peer *p = peer_lookup(ctl, id);
    if (!p) {
        p = xcalloc(1, sizeof *p);
        p->id = *id;
        HASH_ADD(hh, ctl->tunnels->peers, id, sizeof p->id, p);
        guard_port_changed(ctl, id);
        if (origin == TUNNEL_LEARNED) {
            tell(ctl, id, "tunnel.peer.learned");
        }
        tunnels_want_warm(ctl);
    }
    p->origin = p->origin > origin ? p->origin : origin;
    return p;
}

static void
peer_drop(struct ctl *ctl, struct tunnel_peer *p)
{
    struct port_id id = p->id;
    /* While it is known: what changes by this makes no new one. */
    vlans_port_down(ctl, &id);
    tell(ctl, &id, "tunnel.peer.gone");
    guard_port_gone(ctl, &id);
    HASH_DELETE(hh, ctl->tunnels->peers, p);
    free(p);
}

static size_t
count_learned(const struct ctl *ctl, const struct port_id *id)
{
    size_t n = 0;
    const struct tunnel_peer *p;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        n += p->origin == TUNNEL_LEARNED && p->id.dpid == id->dpid
             && port_id_no(&p->id) == port_id_no(id);
    }
    return n;
}

/* Without learning an end is known by the configuration; what a static member
 * names, or stood in the switch's groups, does not become heard by that. */
static bool
may_speak(struct ctl *ctl, const struct config_tunnel *t,
          const struct port_id *id)
{
    const struct tunnel_peer *p = peer_lookup(ctl, id);
    if (!t->learn) {
        return p && p->origin != TUNNEL_LEARNED;
    }
    return p || count_learned(ctl, id) < t->max_peers;
}

bool
tunnels_packet_in(struct ctl_switch *sw, const struct ofp_packet_in *pin,
                  struct port_id *id)
{
    struct ctl *ctl = sw->ctl;
    *id = port_id_make(sw->dpid, pin->in_port, 0);
    const struct config_tunnel *t = tunnel_of(ctl, id);
    if (!t) {
        return true;
    }
    *id = port_id_make(sw->dpid, pin->in_port, pin->tun_src);
    if (pin->tun_src && may_speak(ctl, t, id)) {
        return true;
    }
    ctl->tunnels->refused++;
    VLOG_WARN_RL(&rl,
                 DPID_FMT " port %s: %08" PRIx32 " is no peer: its report is "
                          "not heard",
                 sw->dpid, switch_port_name(ctl, id), pin->tun_src);
    return false;
}

/* Who has neither members nor is configured goes. */

static bool
mark_used(void *ctl_, const struct igmp_port_view *port)
{
    struct tunnel_peer *p =
        port_id_vtep(&port->port) ? peer_lookup(ctl_, &port->port) : NULL;
    if (p) {
        p->wanted = true;
    }
    return true;
}

static bool
mark_router(void *ctl_, const struct port_id *port)
{
    struct tunnel_peer *p =
        port_id_vtep(port) ? peer_lookup(ctl_, port) : NULL;
    if (p) {
        p->wanted = true;
    }
    return true;
}

struct group_aux {
    struct ctl *ctl;
    const struct igmp_snoop *snoop;
};

static bool
mark_ports(void *aux_, const struct ip_addr *group)
{
    struct group_aux *aux = aux_;
    igmp_snoop_each_port(aux->snoop, group, mark_used, aux->ctl);
    return true;
}

static void
check_cb(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    struct tunnel_peer *p, *tmp;
    (void) now;
    ctl->tunnels->checking = false;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        p->wanted = p->origin != TUNNEL_LEARNED;
    }
    for (const struct ctl_vlan *v = ctl->vlans; v; v = v->hh.next) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            struct group_aux aux = {ctl, vlan_snoop(v, f)};
            igmp_snoop_each_group(aux.snoop, mark_ports, &aux);
            igmp_snoop_each_router_port(aux.snoop, mark_router, ctl);
        }
    }
    HASH_ITER (hh, ctl->tunnels->peers, p, tmp) {
        if (!p->wanted) {
            peer_drop(ctl, p);
        }
    }
}

static void
check_soon(struct ctl *ctl)
{
    if (!ctl->tunnels->checking) {
        ctl->tunnels->checking = true;
        loop_timer_set(ctl->loop, &ctl->tunnels->check_timer,
                       loop_now(ctl->loop) + CHECK_MS);
    }
}

void
tunnels_restored(struct ctl *ctl, const struct port_id *id)
{
    if (port_id_vtep(id)) {
        peer_get(ctl, id, TUNNEL_LEARNED);
        check_soon(ctl);
    }
}

/* Ends that are switches of this daemon. */

/* Do both carry the vlan in the same VNI? */
static bool
is_shared(const struct config_tunnel *a, const struct config_tunnel *b,
          uint16_t vlan)
{
    uint32_t vni, other;
    return a->dpid != b->dpid && a->local && b->local
           && config_tunnel_vni(a, vlan, &vni)
           && config_tunnel_vni(b, vlan, &other) && vni == other;
}

/* Does anybody there want what this is about? */
typedef bool wants_cb(const struct ctl_vlan *, uint64_t dpid,
                      const void *what);

struct shared_aux {
    uint64_t dpid;
    bool found;
};

static bool
is_there(void *aux_, const struct port_id *port)
{
    struct shared_aux *aux = aux_;
    aux->found |= port->dpid == aux->dpid && !port_id_vtep(port);
    return !aux->found;
}

static bool
has_filter_there(void *aux, const struct igmp_port_view *port)
{
    return is_there(aux, &port->port);
}

static bool
has_router(const struct ctl_vlan *v, uint64_t dpid, const void *family)
{
    struct shared_aux aux = {.dpid = dpid};
    igmp_snoop_each_router_port(
        vlan_snoop(v, *(const enum igmp_family *) family), is_there, &aux);
    return aux.found;
}

static bool
has_filter(const struct ctl_vlan *v, uint64_t dpid, const void *group)
{
    struct shared_aux aux = {.dpid = dpid};
    igmp_snoop_each_port(vlan_snoop_of(v, group), group, has_filter_there,
                         &aux);
    return aux.found;
}

static bool
has_receiver(const struct ctl_vlan *v, uint64_t dpid, const void *channel_)
{
    const struct channel *c = channel_;
    enum igmp_family family = ip_addr_is_v4(&c->group) ? IGMP_IPV4 : IGMP_IPV6;
    struct shared_aux aux = {.dpid = dpid};
    igmp_snoop_each_receiver(vlan_snoop(v, family), &c->source, &c->group,
                             dpid, is_there, &aux);
    return aux.found || has_router(v, dpid, &family);
}

static void
each_shared(const struct ctl_switch *sw, const struct ctl_vlan *v,
            wants_cb *wants, const void *what, igmp_port_id_cb *cb, void *aux)
{
    const struct config *config = sw->ctl->config;
    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *t = &config->tunnels[i];
        const struct topo_port *port =
            t->dpid == sw->dpid
                ? topo_find_port(sw->ctl->topo, t->dpid, t->port)
                : NULL;
        for (size_t j = 0; port && j < config->n_tunnels; j++) {
            const struct config_tunnel *other = &config->tunnels[j];
            if (is_shared(t, other, v->vlan) && wants(v, other->dpid, what)) {
                struct port_id id =
                    port_id_make(sw->dpid, port->no, other->local);
                cb(aux, &id);
            }
        }
    }
}

void
tunnels_each_shared(const struct ctl_switch *sw, const struct ctl_vlan *v,
                    const struct channel *channel, igmp_port_id_cb *cb,
                    void *aux)
{
    each_shared(sw, v, has_receiver, channel, cb, aux);
}

void
tunnels_each_shared_router(const struct ctl_switch *sw,
                           const struct ctl_vlan *v, enum igmp_family family,
                           igmp_port_id_cb *cb, void *aux)
{
    each_shared(sw, v, has_router, &family, cb, aux);
}

static bool
found(void *found_, const struct port_id *port)
{
    (void) port;
    *(bool *) found_ = true;
    return false;
}

bool
tunnels_share_group(const struct ctl_switch *sw, const struct ctl_vlan *v,
                    const struct ip_addr *group)
{
    bool any = false;
    each_shared(sw, v, has_filter, group, found, &any);
    return any;
}

/* What the switch copies to others changes with what is wanted there. */
static void
mark_shared(struct ctl_vlan *v, struct ctl_switch *sw,
            const struct ip_addr *group)
{
    if (group) {
        channel_mark(v->ctl, sw->dpid, v->vlan, group);
        routes_mark_members(v->ctl, sw->dpid, v->vlan, group);
    } else {
        channels_mark_vlan(sw, v->vlan);
        routes_mark_following(v->ctl, sw->dpid);
        pipeline_set_vlan(sw, v);
        streams_policy_changed(sw, v->vlan);
    }
}

void
tunnels_member_changed(struct ctl_vlan *v, const struct ip_addr *group,
                       const struct port_id *id)
{
    struct ctl *ctl = v->ctl;
    const struct config *config = ctl->config;
    if (port_id_vtep(id)) {
        if (group && tunnel_of(ctl, id)) {
            peer_get(ctl, id, TUNNEL_LEARNED);
        }
        check_soon(ctl);
        return;
    }
    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *here = &config->tunnels[i];
        for (size_t j = 0; here->dpid == id->dpid && j < config->n_tunnels;
             j++) {
            struct ctl_switch *sw =
                switch_lookup(ctl, config->tunnels[j].dpid);
            if (sw && is_shared(here, &config->tunnels[j], v->vlan)) {
                mark_shared(v, sw, group);
            }
        }
    }
}

/* Ports and settings. */

static void
want(struct ctl *ctl, const struct port_id *id, enum tunnel_origin origin)
{
    peer_get(ctl, id, origin)->wanted = true;
}

static void
want_peers_of(struct ctl *ctl, const struct config_tunnel *t)
{
    const struct config *config = ctl->config;
    const struct topo_port *port = topo_find_port(ctl->topo, t->dpid, t->port);
    if (!port) {
        return;
    }
    struct port_id id = {t->dpid, port->no};
    topo_set_port_kind(ctl->topo, &id, TOPO_PORT_TUNNEL);
    for (size_t i = 0; i < t->n_peers; i++) {
        id = port_id_make(t->dpid, port->no, t->peers[i]);
        want(ctl, &id, TUNNEL_DECLARED);
    }
    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *other = &config->tunnels[i];
        for (size_t j = 0; j < t->n_vnis; j++) {
            if (is_shared(t, other, t->vnis[j].vlan)) {
                id = port_id_make(t->dpid, port->no, other->local);
                want(ctl, &id, TUNNEL_SHARED);
                break;
            }
        }
    }
}

static void
refresh(struct ctl *ctl)
{
    struct tunnel_peer *p, *tmp;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        p->wanted = false;
        p->origin = TUNNEL_LEARNED;
    }
    for (size_t i = 0; i < ctl->config->n_tunnels; i++) {
        want_peers_of(ctl, &ctl->config->tunnels[i]);
    }
    HASH_ITER (hh, ctl->tunnels->peers, p, tmp) {
        const struct config_tunnel *t = tunnel_of(ctl, &p->id);
        if (!p->wanted && !t) {
            peer_drop(ctl, p);
        } else if (!p->wanted && !t->learn) {
            struct port_id id = p->id;
            vlans_port_down(ctl, &id); /* What it has said itself. */
        }
    }
    /* One that is configured no more stays while it has members. */
    check_soon(ctl);
}

static bool
unset_kinds(void *ctl_, const struct topo_switch *ts)
{
    struct ctl *ctl = ctl_;
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        struct port_id id = {ts->dpid, ts->ports[i]->no};
        if (ts->ports[i]->kind == TOPO_PORT_TUNNEL && !tunnel_of(ctl, &id)) {
            topo_set_port_kind(ctl->topo, &id, TOPO_PORT_HOST);
        }
    }
    return true;
}

void
tunnels_reconfigure(struct ctl *ctl)
{
    topo_each_switch(ctl->topo, unset_kinds, ctl);
    refresh(ctl);
    for (struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
        /* Which vlans a tunnel carries may be others. */
        channels_mark_all(sw);
        rules_mark_all(ctl, sw->dpid);
    }
}

void
tunnels_ports_changed(struct ctl_switch *sw)
{
    struct ctl *ctl = sw->ctl;
    if (ctl->config->n_tunnels || ctl->tunnels->peers) {
        /* A tunnel port's number may be another's now. */
        unset_kinds(ctl, topo_lookup_switch(ctl->topo, sw->dpid));
        refresh(ctl);
        tunnels_set_flows(sw);
    }
}

void
tunnels_port_up(struct ctl_switch *sw, uint32_t no)
{
    struct tunnel_peer *p;
    for (p = sw->ctl->tunnels->peers; p; p = p->hh.next) {
        if (p->id.dpid == sw->dpid && port_id_no(&p->id) == no) {
            p->warmed = p->asked = false;
            tunnels_want_warm(sw->ctl);
        }
    }
}

void
tunnels_port_down(struct ctl_switch *sw, uint32_t no)
{
    struct tunnel_peer *p, *tmp;
    HASH_ITER (hh, sw->ctl->tunnels->peers, p, tmp) {
        if (p->id.dpid == sw->dpid && port_id_no(&p->id) == no) {
            struct port_id id = p->id;
            vlans_port_down(sw->ctl, &id);
        }
    }
    check_soon(sw->ctl);
}

void
tunnels_init(struct ctl *ctl)
{
    ctl->tunnels = xcalloc(1, sizeof *ctl->tunnels);
    ctl->tunnels->warmed = INT64_MIN / 2;
    loop_timer_init(&ctl->tunnels->warm_timer, tunnels_warm, ctl);
    loop_timer_init(&ctl->tunnels->check_timer, check_cb, ctl);
}

void
tunnels_destroy(struct ctl *ctl)
{
    struct tunnels *t = ctl->tunnels;
    struct tunnel_peer *p, *tmp;
    loop_timer_clear(ctl->loop, &t->warm_timer);
    loop_timer_clear(ctl->loop, &t->check_timer);
    HASH_ITER (hh, t->peers, p, tmp) {
        HASH_DELETE(hh, t->peers, p);
        free(p);
    }
    free(t);
    ctl->tunnels = NULL;
}
