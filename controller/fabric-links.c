/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What topo-links tells, and asks: roles of ports, links that come and go,
 * probes that are not believed. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <utlist.h>

#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(fabric_links);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

static void
send_probe(void *f_, const struct port_id *port, const void *frame,
           size_t size)
{
    const struct fabric *f = f_;
    struct ctl_switch *sw = switch_lookup(f->ctl, port->dpid);
    if (sw) {
        switch_packet_out(sw, 0, (uint32_t) port->port_no, frame, size);
    }
}

static void
flood_again(struct fabric *f)
{
    struct spread_key key = {.kind = SPREAD_FLOOD};
    spread_mark(spread_get(f, &key));
}

static void
count_edge(struct fabric *f, struct ctl_switch *sw, int change)
{
    bool had = sw->n_edges > 0;
    sw->n_edges += (uint32_t) change;
    if (had != (sw->n_edges > 0)) {
        channels_mark_all(sw); /* Sources are searched for at edges. */
        flood_again(f);
        fabric_grow(f);
    }
}

/* A port has become a link: whoever was behind it is not there. */
static void
forget_hosts(struct fabric *f, struct ctl_switch *sw,
             const struct port_id *port)
{
    vlans_port_down(f->ctl, port);
    streams_port_down(sw, (uint32_t) port->port_no);
    hosts_port_down(f, port);
}

static void
role_changed(void *f_, const struct port_id *id, enum topo_role role)
{
    struct fabric *f = f_;
    struct ctl *ctl = f->ctl;
    struct ctl_switch *sw = switch_lookup(ctl, id->dpid);
    const struct topo_port *port = topo_lookup_port(ctl->topo, id);
    if (!sw) {
        return;
    }
    bool was_link = port && port->kind == TOPO_PORT_LINK;
    struct fabric_port *p = fabric_port_get(f, id);
    bool was_edge = p->edge;
    p->edge = role == TOPO_ROLE_EDGE;
    p->open &= role == TOPO_ROLE_LINK;
    if (was_edge != (role == TOPO_ROLE_EDGE)) {
        count_edge(f, sw, was_edge ? -1 : 1);
        routes_mark_edges(ctl, id->dpid);
    }
    if (port) {
        topo_set_port_kind(ctl->topo, id,
                           role == TOPO_ROLE_LINK ? TOPO_PORT_LINK
                           : was_link             ? TOPO_PORT_HOST
                                                  : port->kind);
    }
    if (role == TOPO_ROLE_LINK) {
        forget_hosts(f, sw, id);
    } else if (was_link && port && port->up && role == TOPO_ROLE_EDGE) {
        vlans_port_up(ctl, id);
    }
    admit_set_role(sw, (uint32_t) id->port_no, role);
    l2_set_flood(sw);
    ctl_event(ctl, "port.role",
              "{\"dpid\":\"" DPID_FMT "\",\"port\":%" PRIu64
              ",\"role\":\"%s\"}",
              id->dpid, id->port_no, topo_role_name(role));
}

static void
tell_link(struct ctl *ctl, const char *type, const struct port_id *a,
          const struct port_id *b, const char *reason)
{
    VLOG_INFO_RL(&rl, "%s: " DPID_FMT " %s - " DPID_FMT " %s %s", type,
                 a->dpid, switch_port_name(ctl, a), b->dpid,
                 switch_port_name(ctl, b), reason);
    ctl_event(ctl, type,
              "{\"a\":{\"dpid\":\"" DPID_FMT "\",\"port\":%" PRIu64
              "},\"b\":{\"dpid\":\"" DPID_FMT "\",\"port\":%" PRIu64
              "},\"reason\":\"%s\"}",
              a->dpid, a->port_no, b->dpid, b->port_no, reason);
}

/* Links that are new.  A cable may be up at one end for so long that the other
 * is taken for an edge; when the first end is plugged in that other one still
 * floods into it. */

bool
fabric_link_is_open(struct fabric *f, const struct port_id *a,
                    const struct port_id *b)
{
    return fabric_port_get(f, a)->open && fabric_port_get(f, b)->open;
}

static void
link_up(void *f_, const struct port_id *a, const struct port_id *b)
{
    struct fabric *f = f_;
    tell_link(f->ctl, "link.up", a, b, "");
    if (fabric_link_is_open(f, a, b)) {
        fabric_grow(f);
        return;
    }
    struct new_link *link = xcalloc(1, sizeof *link);
    link->ends[0] = *a;
    link->ends[1] = *b;
    LL_PREPEND(f->new_links, link);
    loop_want_turn(f->ctl->loop);
}

/* What comes back is new, at both ends. */
static void
close_port(struct fabric *f, const struct port_id *id)
{
    struct ctl_switch *sw = switch_lookup(f->ctl, id->dpid);
    fabric_port_get(f, id)->open = false;
    if (sw) {
        admit_set_role(sw, (uint32_t) id->port_no, fabric_role(f->ctl, id));
    }
}

static void
open_port(struct fabric *f, const struct port_id *id)
{
    struct ctl_switch *sw = switch_lookup(f->ctl, id->dpid);
    if (sw && fabric_role(f->ctl, id) == TOPO_ROLE_LINK) {
        fabric_port_get(f, id)->open = true;
        admit_set_role(sw, (uint32_t) id->port_no, TOPO_ROLE_LINK);
    }
}

/* What was to be told in the turn in which the link came up has been
 * compiled.  True if both ends have confirmed it. */
static bool
is_confirmed(const struct fabric *f, struct new_link *link)
{
    bool confirmed = true;
    for (int i = 0; i < 2; i++) {
        const struct ctl_switch *sw =
            switch_lookup(f->ctl, link->ends[i].dpid);
        if (sw && !link->seqnos[i]) {
            link->seqnos[i] = ofp_table_seqno(sw->table);
        }
        confirmed &=
            sw && ofp_table_settled_seqno(sw->table) >= link->seqnos[i];
    }
    return confirmed;
}

void
fabric_new_links_run(struct fabric *f)
{
    int64_t now = loop_now(f->ctl->loop), next = INT64_MAX;
    struct new_link *link, *tmp;
    LL_FOREACH_SAFE (f->new_links, link, tmp) {
        if (!link->open_at && is_confirmed(f, link)) {
            link->open_at = now + drain_datapath_ms(f->ctl);
        }
        if (link->open_at && link->open_at <= now) {
            open_port(f, &link->ends[0]);
            open_port(f, &link->ends[1]);
            fabric_grow(f);
            loop_want_turn(f->ctl->loop);
            LL_DELETE(f->new_links, link);
            free(link);
        } else if (link->open_at && link->open_at < next) {
            next = link->open_at;
        }
    }
    loop_timer_set(f->ctl->loop, &f->open_timer, next);
}

static void
forget_new_link(struct fabric *f, const struct port_id *a)
{
    struct new_link *link, *tmp;
    LL_FOREACH_SAFE (f->new_links, link, tmp) {
        if (port_id_equal(&link->ends[0], a)
            || port_id_equal(&link->ends[1], a)) {
            LL_DELETE(f->new_links, link);
            free(link);
        }
    }
}

void
fabric_new_links_uninit(struct fabric *f)
{
    struct new_link *link, *tmp;
    loop_timer_clear(f->ctl->loop, &f->open_timer);
    LL_FOREACH_SAFE (f->new_links, link, tmp) {
        free(link);
    }
    f->new_links = NULL;
}

static void
add_ghost(struct fabric *f, const struct port_id *a, const struct port_id *b)
{
    f->ghosts =
        xgrow(f->ghosts, f->n_ghosts, &f->allocated_ghosts, sizeof *f->ghosts);
    f->ghosts[f->n_ghosts++] = (struct ghost_link){
        .a = {fabric_node(f, a->dpid), (uint32_t) a->port_no},
        .b = {fabric_node(f, b->dpid), (uint32_t) b->port_no},
        .until = UINT64_MAX};
}

static void
link_down(void *f_, const struct port_id *a, const struct port_id *b,
          enum topo_link_end reason)
{
    struct fabric *f = f_;
    tell_link(f->ctl, "link.down", a, b, topo_link_end_name(reason));
    forget_new_link(f, a);
    close_port(f, a);
    close_port(f, b);
    if (topo_net_unlink(f->net, a->dpid, (uint32_t) a->port_no)) {
        add_ghost(f, a, b);
        fabric_shrink(f);
    }
}

static void
suspect(void *f_, const struct port_id *port, enum topo_suspicion suspicion)
{
    struct fabric *f = f_;
    VLOG_WARN_RL(&rl, DPID_FMT " port %s: a probe that is not believed: %s",
                 port->dpid, switch_port_name(f->ctl, port),
                 topo_suspicion_name(suspicion));
    ctl_event(f->ctl, "link.suspect",
              "{\"dpid\":\"" DPID_FMT "\",\"port\":%" PRIu64
              ",\"reason\":\"%s\"}",
              port->dpid, port->port_no, topo_suspicion_name(suspicion));
}

static bool
has_hosts(void *f_, const struct port_id *port)
{
    return fabric_port_get(f_, port)->hosts != NULL;
}

static bool
may_link(void *f_, const struct port_id *port)
{
    const struct fabric *f = f_;
    return config_get_port_l2(f->ctl->config, port->dpid,
                              topo_lookup_port(f->ctl->topo, port))
        .may_link;
}

const struct topo_links_ops fabric_links_ops = {
    .send = send_probe,
    .role_changed = role_changed,
    .link_up = link_up,
    .link_down = link_down,
    .suspect = suspect,
    .has_hosts = has_hosts,
    .may_link = may_link,
};
