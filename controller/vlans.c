/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Vlans: one membership machine each, fed with what switches punt.
 *
 * A configured vlan exists from the start, any other from the first IGMP
 * message that carries its tag. */

#include "controller/ctl-private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "igmp/igmp-address.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(vlans);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

enum { MAX_LEARNED_VLANS = 256, ANSWER_MARGIN = 1000 };

void
vlan_settle(struct ctl_vlan *v)
{
    int64_t soonest =
        v->address ? igmp_address_deadline(v->address) : INT64_MAX;
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        int64_t at = igmp_snoop_deadline(vlan_snoop(v, f));
        soonest = at < soonest ? at : soonest;
    }
    if (v->mld_from && v->mld_from < soonest) {
        soonest = v->mld_from;
    }
    loop_timer_set(v->ctl->loop, &v->timer, soonest);
}

/* After a packet to 'snoop'.  Of nearly all there is nothing to be done sooner
 * than before; a timer that has become too early is set anew when it fires. */
static void
vlan_hurry(struct ctl_vlan *v, const struct igmp_snoop *snoop)
{
    int64_t at = v->timer.node.at;
    if (igmp_snoop_deadline(snoop) < at
        || (v->address && igmp_address_deadline(v->address) < at)) {
        vlan_settle(v);
    }
}

static bool
mark_group(void *v_, const struct ip_addr *group)
{
    const struct ctl_vlan *v = v_;
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, v->ctl->switches, sw, tmp) {
        channel_mark(v->ctl, sw->dpid, v->vlan, group);
        routes_mark_members(v->ctl, sw->dpid, v->vlan, group);
    }
    return true;
}

/* Hosts have had the time to answer. */
static void
begin_mld(struct ctl_vlan *v)
{
    struct ctl_switch *sw, *tmp;
    v->mld_from = 0;
    fabric_vlan_changed(v->ctl, v->vlan);
    HASH_ITER (hh, v->ctl->switches, sw, tmp) {
        pipeline_set_vlan(sw, v);
        streams_policy_changed(sw, v->vlan);
    }
    igmp_snoop_each_group(vlan_snoop(v, IGMP_IPV6), mark_group, v);
}

static void
timer_cb(void *v_, int64_t now)
{
    struct ctl_vlan *v = v_;
    if (v->address) {
        igmp_address_run(v->address, now);
    }
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        igmp_snoop_run(vlan_snoop(v, f), now);
    }
    if (v->mld_from && v->mld_from <= now) {
        begin_mld(v);
    }
    vlan_settle(v);
}

/* Ports' settings. */

struct vlan_port {
    UT_hash_handle hh; /* In v->ports. */
    struct port_id id;
    struct igmp_port_config config;
};

/* Reads a port's settings.  True if they are others than before. */
static bool
read_settings(const struct ctl_vlan *v, struct vlan_port *port)
{
    const struct ctl *ctl = v->ctl;
    struct igmp_port_config old = port->config;
    port->config = config_get_port(ctl->config, port->id.dpid,
                                   switch_topo_port(ctl, &port->id), v->vlan)
                       .igmp;
    return memcmp(&old, &port->config, sizeof old) != 0;
}

static const struct igmp_port_config *
port_config(void *family_, const struct port_id *id)
{
    const struct vlan_family *family = family_;
    struct ctl_vlan *v = family->vlan;
    struct vlan_port *port;
    HASH_FIND(hh, v->ports, id, sizeof *id, port);
    if (!port) {
        port = xcalloc(1, sizeof *port);
        port->id = *id;
        read_settings(v, port);
        HASH_ADD(hh, v->ports, id, sizeof port->id, port);
    }
    return &port->config;
}

/* The snoop's ops. */

static void
membership_changed(void *family_, const struct ip_addr *group,
                   const struct port_id *port)
{
    const struct vlan_family *family = family_;
    struct ctl_vlan *v = family->vlan;
    channel_mark(v->ctl, port->dpid, v->vlan, group);
    routes_mark_members(v->ctl, port->dpid, v->vlan, group);
    fabric_member_changed(v->ctl, port->dpid, v->vlan, group);
    tunnels_member_changed(v, group, port);
    vlan_tell_member(v, group, port);
}

/* In any vlan, of either family. */
static bool
is_router_port(const struct ctl *ctl, const struct port_id *port)
{
    const struct ctl_vlan *v;
    for (v = ctl->vlans; v; v = v->hh.next) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            /* Not yet, while the vlan is being made. */
            if (v->families[f].snoop
                && igmp_snoop_is_router_port(vlan_snoop(v, f), port)) {
                return true;
            }
        }
    }
    return false;
}

static void
router_ports_changed(void *family_, const struct port_id *port)
{
    const struct vlan_family *family = family_;
    struct ctl_vlan *v = family->vlan;
    bool router = is_router_port(v->ctl, port);
    tunnels_member_changed(v, NULL, port);
    if (fabric_role(v->ctl, port) != TOPO_ROLE_LINK && !port_id_vtep(port)
        && !tunnel_of(v->ctl, port)) {
        topo_set_port_kind(v->ctl->topo, port,
                           router ? TOPO_PORT_MROUTER : TOPO_PORT_HOST);
    }
    routes_mark_following(v->ctl, port->dpid);
    fabric_routers_changed(v->ctl, v->vlan,
                           family == &v->families[IGMP_IPV6] ? IGMP_IPV6
                                                             : IGMP_IPV4);
    struct ctl_switch *sw = switch_lookup(v->ctl, port->dpid);
    if (sw) {
        channels_mark_vlan(sw, v->vlan);
        pipeline_set_vlan(sw, v);
        streams_policy_changed(sw, v->vlan);
    }
    VLOG_INFO_RL(&rl, DPID_FMT ": port %s %s a router port of vlan %u",
                 port->dpid, switch_port_name(v->ctl, port),
                 router ? "is" : "is no longer", v->vlan);
}

void
vlan_flood(const struct ctl_vlan *v, const void *frame, size_t size)
{
    struct ctl_switch *sw, *tmp;
    if (v->ctl->fabric) {
        edges_flood(v->ctl, NULL, frame, size);
        tunnels_flood(v->ctl, frame, size);
        return;
    }
    HASH_ITER (hh, v->ctl->switches, sw, tmp) {
        switch_packet_out(sw, 0, OFP_PORT_FLOOD, frame, size);
    }
    tunnels_flood(v->ctl, frame, size);
}

static void
send_frame(void *family_, const struct port_id *port, const void *frame,
           size_t size)
{
    const struct vlan_family *family = family_;
    const struct ctl_vlan *v = family->vlan;
    if (!port) {
        vlan_flood(v, frame, size);
        return;
    } else if (v->ctl->fabric) {
        edge_send(v->ctl, port, frame, size);
        return;
    } else if (port_id_vtep(port)) {
        tunnels_send(v->ctl, port, frame, size);
        return;
    }
    struct ctl_switch *sw = switch_lookup(v->ctl, port->dpid);
    if (sw) {
        switch_packet_out(sw, 0, (uint32_t) port->port_no, frame, size);
    }
}

static const struct igmp_ops snoop_ops = {
    .membership_changed = membership_changed,
    .router_ports_changed = router_ports_changed,
    .send = send_frame,
    .querier_changed = vlan_querier_changed,
    .port_config = port_config,
    .guarded = vlan_guarded,
    .host_moved = vlan_host_moved,
    .membership_ended = vlan_membership_ended,
};

static struct igmp_config
family_config(const struct ctl_vlan *v, enum igmp_family family)
{
    struct igmp_config igmp = v->config->igmp[family];
    igmp.mac = v->ctl->mac;
    if (ip_addr_is_any(&igmp.address)) {
        igmp.address = family == IGMP_IPV6
                           ? igmp_address_link_local(&v->ctl->mac)
                           : address_get(v);
    }
    return igmp;
}

struct ctl_vlan *
vlan_lookup(const struct ctl *ctl, uint16_t vlan)
{
    struct ctl_vlan *v;
    HASH_FIND(hh, ctl->vlans, &vlan, sizeof vlan, v);
    return v;
}

/* Ports that lead to routers by configuration do so from the start. */
static bool
start_router_ports(void *v_, const struct topo_switch *ts)
{
    struct ctl_vlan *v = v_;
    for (size_t i = 0; i < ts->n_ports; i++) {
        struct port_id id = {ts->dpid, ts->ports[i]->no};
        for (int f = 0; ts->ports[i]->up && f < IGMP_N_FAMILIES; f++) {
            if (port_config(&v->families[f], &id)->role == IGMP_ROLE_ROUTER
                && !igmp_snoop_is_router_port(vlan_snoop(v, f), &id)) {
                igmp_snoop_port_up(vlan_snoop(v, f), &id,
                                   loop_now(v->ctl->loop));
            }
        }
    }
    return true;
}

struct ctl_vlan *
vlan_get(struct ctl *ctl, uint16_t vlan)
{
    struct ctl_vlan *v = vlan_lookup(ctl, vlan);
    if (v) {
        return v;
    }
    v = xcalloc(1, sizeof *v);
    v->ctl = ctl;
    v->vlan = vlan;
    v->config = config_get_vlan(ctl->config, vlan);
    loop_timer_init(&v->timer, timer_cb, v);
    HASH_ADD(hh, ctl->vlans, vlan, sizeof v->vlan, v);
    ctl->joins_stale = ctl->unicast_stale = true;
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        struct igmp_config igmp = family_config(v, f);
        struct vlan_family *family = &v->families[f];
        family->vlan = v;
        family->snoop = igmp_snoop_create(vlan, &igmp, &snoop_ops, family,
                                          loop_now(ctl->loop));
    }
    address_configure(v);
    topo_each_switch(ctl->topo, start_router_ports, v);
    vlan_settle(v);

    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        pipeline_set_vlan(sw, v);
    }
    rules_mark_all(ctl, 0); /* Routes that match any vlan. */
    return v;
}

/* Input. */

/* Of a frame that was not understood, for its counter. */
static enum igmp_family
family_of(const uint8_t *frame, size_t size)
{
    size_t at = size >= 18 && frame[12] == 0x81 && !frame[13] ? 16 : 12;
    bool v6 =
        size >= at + 2 && (frame[at] << 8 | frame[at + 1]) == ETH_TYPE_IPV6;
    return v6 ? IGMP_IPV6 : IGMP_IPV4;
}

/* A packet-in, and where it came from. */
struct input {
    struct ctl *ctl;
    const struct port_id *port;
    const uint8_t *frame;
    size_t size;
    int64_t now;
};

static void
relay(const struct input *in, const struct igmp_snoop *snoop,
      enum igmp_relay whom)
{
    relay_frame(in->ctl, snoop, whom, in->port, in->frame, in->size, in->now);
}

static void
dropped(const struct input *in, enum igmp_error error)
{
    enum igmp_family family = family_of(in->frame, in->size);
    in->ctl->igmp_undecoded[family][error]++;
    in->ctl->igmp_refused_at[family][error] = *in->port;
    VLOG_DBG_RL(&rl, DPID_FMT " port %" PRIu64 ": IGMP or MLD dropped: %s",
                in->port->dpid, in->port->port_no, igmp_error_name(error));
}

/* What came from ourselves, by way of a link between switches of ours or of
 * somebody's loop, tells nothing. */
static bool
is_ours(const struct input *in)
{
    return (in->size >= 12 && !memcmp(in->frame + 6, &in->ctl->mac, 6))
           || relay_is_echo(in->ctl, in->port, in->frame, in->size, in->now);
}

/* Anybody may put any tag on a report, and a vlan costs two machines and
 * queries for ever. */
static struct ctl_vlan *
learn_vlan(struct ctl *ctl, uint16_t vlan)
{
    struct ctl_vlan *v = vlan_lookup(ctl, vlan);
    size_t limit = ctl->config->n_vlans + 1 + MAX_LEARNED_VLANS;
    return v || HASH_COUNT(ctl->vlans) >= limit ? v : vlan_get(ctl, vlan);
}

static void
input(struct ctl_vlan *v, const struct igmp_msg *msg, const struct input *in)
{
    struct ctl *ctl = in->ctl;
    struct igmp_snoop *snoop = vlan_snoop(v, msg->family);
    size_t before = igmp_snoop_n_members(snoop);
    enum igmp_error error = igmp_snoop_input(snoop, in->port, msg, in->now);
    ctl->igmp_refused_at[msg->family][error] = *in->port;
    size_t after = igmp_snoop_n_members(snoop);
    if (after > before) {
        ctl->joins += after - before;
    } else {
        ctl->leaves += before - after;
    }
    /* The switch itself has passed a PIM hello on. */
    if (msg->kind != IGMP_PIM_HELLO) {
        relay(in, snoop, igmp_snoop_relay(snoop, msg, error));
    }
}

/* Returns why it was not even looked at by a machine. */
static enum igmp_error
check_input(const struct input *in, struct igmp_msg *msg)
{
    if (!guard_admit(in->ctl, in->port, in->size, in->now)) {
        return IGMP_RATE;
    }
    if (is_ours(in)) {
        return IGMP_IGNORED;
    }
    enum igmp_error error = igmp_msg_decode(in->frame, in->size, msg);
    if (error == IGMP_UNKNOWN_TYPE) {
        /* RFC 4541 2.1.1: what a snooper does not know is flooded. */
        relay(in, NULL, IGMP_RELAY_ALL);
    }
    return error;
}

void
vlans_packet_in(struct ctl *ctl, const struct port_id *port,
                const uint8_t *frame, size_t size)
{
    const struct input in = {ctl, port, frame, size, loop_now(ctl->loop)};
    struct igmp_msg msg;
    if (fabric_input(ctl, port, frame, size)
        || fabric_role(ctl, port) == TOPO_ROLE_LINK) {
        return;
    }
    ctl->frames++;
    enum igmp_error error = check_input(&in, &msg);
    struct ctl_vlan *v = error ? NULL : learn_vlan(ctl, msg.vlan);
    if (!v) {
        dropped(&in, error ? error : IGMP_LIMIT);
        return;
    }
    if (msg.family == IGMP_IPV6 && !v->config->mld) {
        /* Punted before the flow that passes it on was in place. */
        relay(&in, NULL, IGMP_RELAY_ALL);
        return;
    }
    address_heard(v, &msg, in.now);
    input(v, &msg, &in);
    vlan_hurry(v, vlan_snoop(v, msg.family));
}

void
vlans_port_up(struct ctl *ctl, const struct port_id *port)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            igmp_snoop_port_up(vlan_snoop(v, f), port, loop_now(ctl->loop));
        }
        vlan_settle(v);
    }
}

void
vlans_port_down(struct ctl *ctl, const struct port_id *port)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            igmp_snoop_port_down(vlan_snoop(v, f), port, loop_now(ctl->loop));
        }
        vlan_settle(v);
    }
}

void
vlan_configure(struct ctl_vlan *v, enum igmp_family family)
{
    struct igmp_config igmp = family_config(v, family);
    igmp_snoop_set_config(vlan_snoop(v, family), &igmp,
                          loop_now(v->ctl->loop));
}

/* The machines of a vlan ask for all settings again. */
static void
set_config(struct ctl_vlan *v)
{
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        vlan_configure(v, f);
    }
    vlan_settle(v);
}

void
vlans_port_changed(struct ctl *ctl, const struct port_id *id)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        struct vlan_port *port;
        HASH_FIND(hh, v->ports, id, sizeof *id, port);
        if (port && read_settings(v, port)) {
            set_config(v);
        }
    }
}

static bool
forget_ports(void *v_, const struct topo_switch *ts)
{
    struct ctl_vlan *v = v_;
    for (size_t i = 0; i < ts->n_ports; i++) {
        struct port_id id = {ts->dpid, ts->ports[i]->no};
        igmp_snoop_port_down(vlan_snoop(v, IGMP_IPV6), &id,
                             loop_now(v->ctl->loop));
    }
    return true;
}

void
vlans_reconfigure(struct ctl *ctl)
{
    vlan_get(ctl, 0);
    for (size_t i = 0; i < ctl->config->n_vlans; i++) {
        vlan_get(ctl, ctl->config->vlans[i].vlan);
    }
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        struct vlan_port *port, *next;
        bool had_mld = v->config->mld;
        v->config = config_get_vlan(ctl->config, v->vlan);
        v->mld_from =
            had_mld ? v->mld_from
                    : loop_now(ctl->loop) + ANSWER_MARGIN
                          + v->config->igmp[IGMP_IPV6].query_response_interval;
        if (!v->config->mld) {
            v->mld_from = 0;
            /* Who joins is not heard any more: who had joined must not be
             * alone in getting it. */
            topo_each_switch(ctl->topo, forget_ports, v);
            /* Static members stay. */
            igmp_snoop_each_group(vlan_snoop(v, IGMP_IPV6), mark_group, v);
        }
        if (v->config->mld != had_mld) {
            rules_mark_all(ctl, 0); /* Who is a member for routes. */
        }
        HASH_ITER (hh, v->ports, port, next) {
            read_settings(v, port);
        }
        address_configure(v);
        set_config(v);
        fabric_vlan_changed(ctl, v->vlan);
        topo_each_switch(ctl->topo, start_router_ports, v);
    }
}

static void
vlan_destroy(struct ctl_vlan *v)
{
    struct vlan_port *port, *tmp;
    loop_timer_clear(v->ctl->loop, &v->timer);
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        igmp_snoop_destroy(vlan_snoop(v, f));
    }
    HASH_ITER (hh, v->ports, port, tmp) {
        HASH_DELETE(hh, v->ports, port);
        free(port);
    }
    igmp_address_destroy(v->address);
    free(v);
}

void
vlans_destroy(struct ctl *ctl)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        HASH_DELETE(hh, ctl->vlans, v);
        vlan_destroy(v);
    }
}
