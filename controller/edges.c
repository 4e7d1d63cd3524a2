/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Ports to hosts: which vlans they are in, and frames that we send out of
 * them.
 *
 * A port without vlan rules is in all vlans, tagged as the frame is.  An
 * access port is in one, without the tag; a trunk in those that it lists,
 * 0 (without a tag) if it lists that. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

bool
edge_carries(const struct ctl *ctl, const struct port_id *id, uint16_t vlan,
             bool *pop)
{
    const struct config_tunnel *t = tunnel_of(ctl, id);
    uint32_t vni;
    *pop = false;
    if (t) {
        /* By a tunnel port as such nothing gets anywhere. */
        *pop = vlan != 0;
        return port_id_vtep(id) && config_tunnel_vni(t, vlan, &vni);
    }
    if (!ctl->config->has_vlan_rules) {
        return true;
    }
    const struct config_port_l2 l2 = config_get_port_l2(
        ctl->config, id->dpid, topo_lookup_port(ctl->topo, id));
    *pop = l2.access_vlan && l2.access_vlan == vlan;
    if (l2.access_vlan) {
        return *pop;
    }
    bool listed = !l2.n_trunk_vlans;
    for (size_t i = 0; i < l2.n_trunk_vlans && !listed; i++) {
        listed = l2.trunk_vlans[i] == vlan;
    }
    return listed;
}

/* A frame with and without its tag. */
struct edge_frame {
    const uint8_t *frame;
    size_t size;
    uint8_t *untagged; /* NULL: nobody has asked for it yet. */
};

static bool
is_tagged(const struct edge_frame *f)
{
    return f->size >= 16 && f->frame[12] == 0x81 && f->frame[13] == 0;
}

static uint16_t
vlan_of(const struct edge_frame *f)
{
    return is_tagged(f) ? (uint16_t) (f->frame[14] << 8 | f->frame[15]) & 0xfff
                        : 0;
}

static const uint8_t *
untagged(struct edge_frame *f, size_t *size)
{
    if (!is_tagged(f)) {
        *size = f->size;
        return f->frame;
    }
    if (!f->untagged) {
        f->untagged = xmalloc(f->size);
        memcpy(f->untagged, f->frame, 12);
        memcpy(f->untagged + 12, f->frame + 16, f->size - 16);
    }
    *size = f->size - 4;
    return f->untagged;
}

void
edge_send(struct ctl *ctl, const struct port_id *port, const void *frame,
          size_t size)
{
    struct edge_frame f = {.frame = frame, .size = size};
    struct ctl_switch *sw = switch_lookup(ctl, port->dpid);
    bool pop;
    if (port_id_vtep(port)) {
        tunnels_send(ctl, port, frame, size);
        return;
    } else if (!sw || !edge_carries(ctl, port, vlan_of(&f), &pop)) {
        return;
    }
    size_t n = size;
    const uint8_t *bytes = pop ? untagged(&f, &n) : f.frame;
    switch_packet_out(sw, 0, (uint32_t) port->port_no, bytes, n);
    free(f.untagged);
}

/* Ports of one switch that get a frame: as it is, and without its tag. */
struct edge_lists {
    uint32_t *as_is, *popped;
    size_t n_as_is, n_popped;
};

static void
list_ports(const struct ctl_switch *sw, uint16_t vlan,
           const struct port_id *except, struct edge_lists *lists)
{
    const struct ctl *ctl = sw->ctl;
    const struct topo_switch *ts = topo_lookup_switch(ctl->topo, sw->dpid);
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        const struct topo_port *port = ts->ports[i];
        struct port_id id = {sw->dpid, port->no};
        bool pop;
        if (!port->up || fabric_role(ctl, &id) != TOPO_ROLE_EDGE
            || (except && port_id_equal(&id, except))
            || !edge_carries(ctl, &id, vlan, &pop)) {
            continue;
        }
        if (pop) {
            lists->popped[lists->n_popped++] = port->no;
        } else {
            lists->as_is[lists->n_as_is++] = port->no;
        }
    }
}

static void
flood_switch(struct ctl_switch *sw, struct edge_frame *f,
             const struct port_id *except)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    size_t n_ports = ts ? ts->n_ports : 0;
    struct edge_lists lists = {
        .as_is = xcalloc(n_ports + 1, sizeof *lists.as_is),
        .popped = xcalloc(n_ports + 1, sizeof *lists.popped)};
    list_ports(sw, vlan_of(f), except, &lists);
    switch_packet_out_ports(sw, lists.as_is, lists.n_as_is, f->frame, f->size);
    if (lists.n_popped) {
        size_t size;
        const uint8_t *bytes = untagged(f, &size);
        switch_packet_out_ports(sw, lists.popped, lists.n_popped, bytes, size);
    }
    free(lists.as_is);
    free(lists.popped);
}

void
edges_flood_switch(struct ctl_switch *sw, const void *frame, size_t size)
{
    struct edge_frame f = {.frame = frame, .size = size};
    flood_switch(sw, &f, NULL);
    free(f.untagged);
}

void
edges_flood(struct ctl *ctl, const struct port_id *except, const void *frame,
            size_t size)
{
    struct edge_frame f = {.frame = frame, .size = size};
    for (struct ctl_switch *sw = ctl->switches; sw; sw = sw->hh.next) {
        if (switch_is_connected(sw)) {
            flood_switch(sw, &f, except);
        }
    }
    free(f.untagged);
}
