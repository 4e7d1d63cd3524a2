/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Connections, switches and their tables.
 *
 * A switch outlives its connections: what it shall hold is kept while it is
 * away, so that it gets the difference when it is back.
 *
 *   connected -> table reads back -> adopted entries -> synced: restore
 *   memberships, compile everything for it -> run sends the difference */

#include "controller/ctl-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fast-path.h"
#include "controller/log.h"
#include "controller/port-counters.h"
#include "controller/route-far.h"
#include "controller/route-reply.h"
#include "controller/route-unicast.h"
#include "controller/route-outputs.h"
#include "controller/sample.h"
#include "controller/writes.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(switches);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

enum {
    POLL_MS = 2000,        /* Counters; OVS refreshes its own every 0.5 s... */
    POLL_FLOWS_PER_MS = 10 /* ...but large tables are read less often. */
};

struct ctl_switch *
switch_lookup(const struct ctl *ctl, uint64_t dpid)
{
    struct ctl_switch *sw;
    HASH_FIND(hh, ctl->switches, &dpid, sizeof dpid, sw);
    return sw;
}

bool
switch_is_connected(const struct ctl_switch *sw)
{
    return sw->conn != NULL;
}

const struct topo_port *
switch_topo_port(const struct ctl *ctl, const struct port_id *id)
{
    struct port_id carrier = {id->dpid, port_id_no(id)};
    return topo_lookup_port(ctl->topo, &carrier);
}

const char *
switch_port_name(const struct ctl *ctl, const struct port_id *id)
{
    const struct topo_port *port = switch_topo_port(ctl, id);
    return port ? port->name : "";
}

bool
switch_has_port(const struct ctl *ctl, const struct port_id *id)
{
    const struct topo_port *port = switch_topo_port(ctl, id);
    return port ? port->up : id->port_no == PORT_LOCAL;
}

bool
switch_copy(const struct ctl_switch *sw, const struct port_id *id,
            uint16_t vlan, struct ofp_copy *copy)
{
    copy->port = port_id_no(id);
    return id->dpid == sw->dpid
           && (sw->ctl->fabric && !tunnel_of(sw->ctl, id)
                   ? edge_carries(sw->ctl, id, vlan, &copy->pop_vlan)
                   : tunnel_copy(sw->ctl, id, vlan, copy));
}

void
switch_want_run(struct ctl_switch *sw)
{
    if (!sw->run_wanted) {
        sw->run_wanted = true;
        LL_PREPEND2(sw->ctl->run_list, sw, next_run);
        loop_want_turn(sw->ctl->loop);
    }
}

int
switch_set_entry(struct ctl_switch *sw, const struct ofp_flow *flow,
                 const struct ofp_bucket *buckets, size_t n, ofp_owner owner,
                 char *error)
{
    if (!fast_path_fits(buckets, n)) {
        VLOG_WARN_RL(&rl,
                     DPID_FMT ": a group of %zu copies leaves the switch's "
                              "fast path: its stream will be slow for all",
                     sw->dpid, n);
        ctl_event(sw->ctl, "group.slow",
                  "{\"dpid\":\"" DPID_FMT "\",\"table\":%u,\"copies\":%zu}",
                  sw->dpid, flow->table, n);
    }
    char why[OFP_ERROR_SIZE];
    int result = ofp_table_set(sw->table, flow, buckets, n, owner, why);
    oversize_note(sw, flow, buckets, n, result ? why : NULL);
    if (result && error) {
        snprintf(error, OFP_ERROR_SIZE, "%s", why);
    }
    return result;
}

void
switch_packet_out(struct ctl_switch *sw, uint32_t in_port, uint32_t port,
                  const void *frame, size_t size)
{
    if (sw->conn) {
        ofp_session_packet_out(conn_session(sw->conn), in_port, port, frame,
                               size);
    }
}

void
switch_packet_out_ports(struct ctl_switch *sw, const uint32_t *ports, size_t n,
                        const void *frame, size_t size)
{
    if (sw->conn && n) {
        ofp_session_packet_out_ports(conn_session(sw->conn), 0, ports, n,
                                     frame, size);
    }
}

void
switches_run(struct ctl *ctl, int64_t now)
{
    while (ctl->run_list) {
        struct ctl_switch *sw = ctl->run_list;
        LL_DELETE2(ctl->run_list, sw, next_run);
        sw->run_wanted = false;
        ofp_table_run(sw->table, now);
        loop_timer_set(ctl->loop, &sw->timer, ofp_table_deadline(sw->table));
    }
}

static void
timer_cb(void *sw_, int64_t now)
{
    (void) now;
    switch_want_run(sw_);
}

static void
poll_cb(void *sw_, int64_t now)
{
    struct ctl_switch *sw = sw_;
    ofp_table_poll(sw->table, now);

    struct ofp_table_counters counters;
    ofp_table_counters(sw->table, &counters);
    loop_timer_set(sw->ctl->loop, &sw->poll_timer,
                   now + POLL_MS
                       + (int64_t) counters.flows / POLL_FLOWS_PER_MS);
}

/* The table's ops. */

static void
table_send(void *sw_, const void *msg, size_t size)
{
    struct ctl_switch *sw = sw_;
    if (sw->conn) {
        ofp_session_send(conn_session(sw->conn), msg, size);
    }
}

static void
table_adopted(void *sw_, const struct ofp_adopted *found)
{
    struct ctl_switch *sw = sw_;
    switch (cookie_kind(found->cookie)) {
    case COOKIE_SOURCE:
        streams_adopted(sw, found);
        break;
    case COOKIE_ROUTE:
        route_restore(sw, found);
        break;
    case COOKIE_REPLY:
        route_reply_restore(sw, found);
        break;
    case COOKIE_CHANNEL:
        restore_adopt(sw, ADOPTED_CHANNEL, found);
        break;
    case COOKIE_MISS:
        restore_adopt(sw, ADOPTED_ROUTERS, found);
        break;
    case COOKIE_PORT:
        fabric_adopt_role(sw, found->match.in_port, found->cookie & 0xffffff);
        break;
    case COOKIE_LEARN:
        restore_adopt(sw, ADOPTED_LEARN, found);
        break;
    case COOKIE_FLOOD:
        restore_adopt(sw, ADOPTED_FLOOD, found);
        break;
    case COOKIE_HOST_IN:
        l2_adopt(sw, found);
        break;
    case COOKIE_PIPELINE:
    case COOKIE_IGMP:
    case COOKIE_ARP:
    case COOKIE_HOST_OUT:
    case COOKIE_WRONG_PORT:
    case COOKIE_SAMPLE:
        break;
    case COOKIE_MOVE:
        restore_adopt(sw, ADOPTED_MOVE, found);
        break;
    case COOKIE_FAR:
        restore_adopt(sw,
                      found->match.eth_dst.b[0] & FAR_MOVES ? ADOPTED_MOVE
                                                            : ADOPTED_FAR,
                      found);
        route_far_restore(sw, found);
        break;
    }
}

/* Who is there?  Nothing was heard from these hosts for a while. */
static void
query_ports(struct ctl_switch *sw)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        struct port_id id = {sw->dpid, ts->ports[i]->no};
        if (ts->ports[i]->up && fabric_role(sw->ctl, &id) != TOPO_ROLE_LINK) {
            vlans_port_up(sw->ctl, &id);
            tunnels_port_up(sw, port_id_no(&id));
        }
    }
}

static void
table_synced(void *sw_)
{
    struct ctl_switch *sw = sw_;
    struct ctl *ctl = sw->ctl;
    size_t n = sw->n_adopted;
    restore_vlans(sw);
    restore_memberships(sw);
    if (ctl->fabric) {
        fabric_switch_synced(sw);
    }
    query_ports(sw);
    pipeline_set(sw);
    rules_mark_all(ctl, sw->dpid);
    /* All of it must be desired before this switch's table runs: what is not
     * is taken off. */
    ctl_compile(ctl);
    switch_want_run(sw);
    sw->known = true;

    struct ofp_table_counters c;
    ofp_table_counters(sw->table, &c);
    VLOG_INFO(DPID_FMT ": read back: %zu flows and %zu groups of ours "
                       "(%zu channels), %zu flows and %zu groups of others",
              sw->dpid, c.flows, c.groups, n, c.foreign_flows,
              c.foreign_groups);
    loop_timer_set(ctl->loop, &sw->poll_timer, loop_now(ctl->loop) + POLL_MS);
}

static void
table_settled(void *sw_, uint64_t seqno)
{
    (void) seqno;
    struct ctl_switch *sw = sw_;
    writes_settled(sw);
    fabric_switch_settled(sw);
    switch_want_run(sw);
}

static void
table_rejected(void *sw_, ofp_owner owner, const char *error)
{
    struct ctl_switch *sw = sw_;
    VLOG_WARN_RL(&rl, DPID_FMT " refused an entry: %s", sw->dpid, error);
    writes_rejected(sw, owner, error);
}

static void
table_counted(void *sw_)
{
    struct ctl_switch *sw = sw_;
    int64_t now = loop_now(sw->ctl->loop);
    streams_counted(sw, now);
    channels_counted(sw, now);
    routes_counted(sw, now);
    route_outputs_counted(sw, now);
}

static void
table_drifted(void *sw_, size_t n)
{
    struct ctl_switch *sw = sw_;
    VLOG_WARN(DPID_FMT ": %zu entries of ours had been changed by "
                       "somebody else; they are put back",
              sw->dpid, n);
    ctl_event(sw->ctl, "switch.drift",
              "{\"dpid\":\"" DPID_FMT "\",\"entries\":%zu}", sw->dpid, n);
}

static void
table_failed(void *sw_, const char *reason)
{
    struct ctl_switch *sw = sw_;
    if (sw->conn) {
        conn_close_soon(sw->conn, reason);
    }
}

static const struct ofp_table_ops table_ops = {
    .send = table_send,
    .adopted = table_adopted,
    .synced = table_synced,
    .settled = table_settled,
    .rejected = table_rejected,
    .counted = table_counted,
    .drifted = table_drifted,
    .failed = table_failed,
};

/* Ports. */

static void
set_port(struct ctl_switch *sw, const struct ofp_port *port)
{
    struct ctl *ctl = sw->ctl;
    struct port_id id = {sw->dpid, port->no};
    const struct topo_port *old = topo_lookup_port(ctl->topo, &id);
    bool was_up = old && old->up;
    bool renamed = old && strcmp(old->name, port->name);

    struct topo_port new = {.no = port->no,
                            .mac = port->mac,
                            .up = port->up,
                            .kind = old ? old->kind : TOPO_PORT_HOST};
    memcpy(new.name, port->name, sizeof new.name);
    if (!topo_set_port(ctl->topo, sw->dpid, &new)) {
        return;
    }
    /* Another interface under a number that was in use: whoever was behind it
     * is not there any more. */
    if (was_up && (!port->up || renamed)) {
        vlans_port_down(ctl, &id);
        streams_port_down(sw, port->no);
        tunnels_port_down(sw, port->no);
        fabric_port_down(sw, &id);
        unicast_port_changed(sw, port->no, false);
    }
    if (!old || renamed) {
        guard_port_changed(ctl, &id);
        vlans_port_changed(ctl, &id);
        pipeline_set_port(sw, &new);
        tunnels_ports_changed(sw);
    }
    /* Before that all ports are asked at once: see table_synced(). */
    if (port->up && (!was_up || renamed) && ofp_table_is_synced(sw->table)) {
        fabric_port_up(sw, &id);
        vlans_port_up(ctl, &id);
        unicast_port_changed(sw, port->no, true);
        tunnels_port_up(sw, port->no);
    }
    if (!old || renamed) {
        rules_mark_all(ctl, sw->dpid);
    }
}

static void
remove_port(struct ctl_switch *sw, uint32_t no)
{
    struct port_id id = {sw->dpid, no};
    if (topo_lookup_port(sw->ctl->topo, &id)) {
        topo_remove_port(sw->ctl->topo, &id);
        vlans_port_down(sw->ctl, &id);
        streams_port_down(sw, no);
        fabric_port_down(sw, &id);
        guard_port_gone(sw->ctl, &id);
        port_counters_port_gone(sw, no);
        pipeline_unset_port(sw, no);
        unicast_port_changed(sw, no, false);
        tunnels_port_down(sw, no);
        tunnels_ports_changed(sw);
        rules_mark_all(sw->ctl, sw->dpid);
    }
}

/* Ports that went away while the switch was. */
static void
remove_missing_ports(struct ctl_switch *sw, const struct ofp_port *ports,
                     size_t n)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    uint32_t *gone = xcalloc(ts->n_ports + 1, sizeof *gone);
    size_t n_gone = 0;
    for (size_t i = 0; i < ts->n_ports; i++) {
        bool there = false;
        for (size_t j = 0; j < n && !there; j++) {
            there = ports[j].no == ts->ports[i]->no;
        }
        if (!there) {
            gone[n_gone++] = ts->ports[i]->no;
        }
    }
    for (size_t i = 0; i < n_gone; i++) {
        remove_port(sw, gone[i]);
    }
    free(gone);
}

/* Connections' ops. */

static struct ctl_switch *
switch_get(struct ctl *ctl, uint64_t dpid)
{
    struct ctl_switch *sw = switch_lookup(ctl, dpid);
    if (!sw) {
        sw = xcalloc(1, sizeof *sw);
        hash_table_init(&sw->channels);
        sw->ctl = ctl;
        sw->dpid = dpid;
        sw->table = ofp_table_create(&table_ops, sw);
        sw->streams = streams_create(sw);
        port_counters_create(sw);
        unicast_create(sw);
        loop_timer_init(&sw->timer, timer_cb, sw);
        loop_timer_init(&sw->poll_timer, poll_cb, sw);
        HASH_ADD(hh, ctl->switches, dpid, sizeof sw->dpid, sw);
    }
    return sw;
}

static bool
conn_ready(void *ctl_, struct conn *conn, const struct ofp_features *features,
           const struct ofp_port *ports, size_t n_ports)
{
    struct ctl *ctl = ctl_;
    struct ctl_switch *sw = switch_get(ctl, features->dpid);
    if (sw->conn) {
        VLOG_WARN_RL(&rl,
                     "%s claims to be switch " DPID_FMT
                     ", which is connected from %s: refused",
                     conn_peer(conn), features->dpid, conn_peer(sw->conn));
        /* Unless that one is half open: then it makes way for the next
         * attempt. */
        conn_challenge(sw->conn);
        return false;
    }
    int64_t now = loop_now(ctl->loop);
    sw->conn = conn;
    sw->features = *features;
    sw->since = now;
    conn_set_owner(conn, sw);
    topo_set_switch(ctl->topo, sw->dpid, true);
    fabric_switch_connected(sw);
    VLOG_INFO(DPID_FMT ": connected from %s, %zu ports, %s %s", sw->dpid,
              conn_peer(conn), n_ports, features->hardware,
              features->software);

    switch_check_datapath(sw);
    remove_missing_ports(sw, ports, n_ports);
    for (size_t i = 0; i < n_ports; i++) {
        set_port(sw, &ports[i]);
    }
    /* Meters and the user's groups carry no mark of ours: only what is desired
     * before it is read back is known again. */
    pipeline_set(sw);
    rules_compile(ctl);
    ofp_table_connected(sw->table, now);
    port_counters_connected(sw);
    switch_want_run(sw);
    ctl_event(ctl, "switch.up", "{\"dpid\":\"" DPID_FMT "\"}", sw->dpid);
    return true;
}

static void
conn_port_changed(void *sw_, enum ofp_port_change change,
                  const struct ofp_port *port)
{
    struct ctl_switch *sw = sw_;
    if (change == OFP_PORT_DELETED) {
        remove_port(sw, port->no);
    } else {
        set_port(sw, port);
    }
}

static void
conn_packet_in(void *sw_, const struct ofp_packet_in *pin)
{
    struct ctl_switch *sw = sw_;
    struct port_id id = {sw->dpid, pin->in_port};
    if (samples_packet_in(sw, pin)) {
        return;
    }
    switch (cookie_kind(pin->cookie)) {
    case COOKIE_IGMP:
        if (tunnels_packet_in(sw, pin, &id)) {
            vlans_packet_in(sw->ctl, &id, pin->frame, pin->size);
        }
        break;
    case COOKIE_ARP:
        addresses_packet_in(sw->ctl, pin->frame, pin->size);
        unicast_packet_in(sw, &id, pin->frame, pin->size);
        break;
    case COOKIE_HOST_IN:
    case COOKIE_HOST_OUT:
        l2_packet_in(sw, pin);
        break;
    default:
        streams_packet_in(sw, pin);
        break;
    }
}

static void
conn_flow_removed(void *sw_, const struct ofp_flow_removed *removed)
{
    struct ctl_switch *sw = sw_;
    if (ofp_table_flow_removed(sw->table, removed, loop_now(sw->ctl->loop))) {
        streams_flow_removed(sw, removed);
        l2_flow_removed(sw, removed);
        switch_want_run(sw);
    }
}

static void
conn_reply(void *sw_, const void *msg, size_t size)
{
    struct ctl_switch *sw = sw_;
    if (!port_counters_input(sw, msg, size)) {
        ofp_table_input(sw->table, msg, size, loop_now(sw->ctl->loop));
        switch_want_run(sw);
    }
}

static void
conn_closed(void *sw_, const char *reason)
{
    struct ctl_switch *sw = sw_;
    struct ctl *ctl = sw->ctl;
    sw->conn = NULL;
    sw->since = loop_now(ctl->loop);
    loop_timer_clear(ctl->loop, &sw->poll_timer);
    topo_set_switch(ctl->topo, sw->dpid, false);
    ofp_table_disconnected(sw->table);
    port_counters_closed(sw);
    switch_want_run(sw);
    unicast_settle(sw);
    writes_settled(sw);
    fabric_switch_closed(sw);
    VLOG_WARN(DPID_FMT ": disconnected: %s", sw->dpid, reason);
    ctl_event(ctl, "switch.down", "{\"dpid\":\"" DPID_FMT "\"}", sw->dpid);
}

const struct conn_ops switch_conn_ops = {
    .ready = conn_ready,
    .port_changed = conn_port_changed,
    .packet_in = conn_packet_in,
    .flow_removed = conn_flow_removed,
    .reply = conn_reply,
    .closed = conn_closed,
};

void
switches_destroy(struct ctl *ctl)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        HASH_DELETE(hh, ctl->switches, sw);
        loop_timer_clear(ctl->loop, &sw->timer);
        loop_timer_clear(ctl->loop, &sw->poll_timer);
        restore_forget(sw);
        channels_destroy(sw);
        streams_destroy(sw->streams);
        port_counters_destroy(sw);
        unicast_destroy(sw);
        ofp_table_destroy(sw->table);
        free(sw->flood_vlans);
        free(sw->oversize);
        free(sw->tunnel_flows);
        free(sw);
    }
}
