/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* TABLE_ADMIT: what comes in, and as what.  With l2: fabric a port has a flow
 * that says what it leads to, and which vlans it takes; a port of which that
 * is not known yet has none, and nothing of it goes on but what is for us. */

#include "controller/fabric.h"
#include "lib/xalloc.h"
#include "topo/topo-probe.h"

/* Priorities in TABLE_ADMIT. */
enum {
    PRIO_PROBE = 300,
    PRIO_PORT_VLAN = 101, /* A port, with this vlan. */
    PRIO_PORT = 100
};

static struct fabric_port *
admit_port(struct ctl_switch *sw, uint32_t no)
{
    struct port_id id = {sw->dpid, no};
    return fabric_port_get(sw->ctl->fabric, &id);
}

static struct ofp_flow
port_flow(uint32_t no, enum topo_role role)
{
    struct ofp_flow flow = {.table = TABLE_ADMIT,
                            .priority = PRIO_PORT,
                            .cookie = cookie_make(COOKIE_PORT, role),
                            .goto_table = TABLE_PUNT};
    flow.match.fields = OFP_MATCH_IN_PORT;
    flow.match.in_port = no;
    return flow;
}

static void
admit_vlan(struct ctl_switch *sw, struct ofp_flow flow, uint16_t vlan,
           uint16_t becomes)
{
    struct fabric_port *port = admit_port(sw, flow.match.in_port);
    port->admitted = xgrow(port->admitted, port->n_admitted,
                           &port->allocated_admitted, sizeof *port->admitted);
    port->admitted[port->n_admitted++] = vlan;
    flow.priority = PRIO_PORT_VLAN;
    flow.match.fields |= OFP_MATCH_VLAN;
    flow.match.vlan = vlan;
    flow.goto_table = TABLE_PUNT;
    if (becomes != vlan) {
        flow.rewrite.set = OFP_PUSH_VLAN;
        flow.rewrite.vlan = becomes;
    }
    pipeline_set_flow(sw, &flow);
}

/* Those that it takes by the rules that it has had go. */
static void
unadmit_vlans(struct ctl_switch *sw, uint32_t no)
{
    struct fabric_port *port = admit_port(sw, no);
    struct ofp_flow flow = port_flow(no, TOPO_ROLE_EDGE);
    flow.match.fields |= OFP_MATCH_VLAN;
    for (size_t i = 0; i < port->n_admitted; i++) {
        flow.match.vlan = port->admitted[i];
        ofp_table_unset(sw->table, TABLE_ADMIT, PRIO_PORT_VLAN, &flow.match);
    }
    port->n_admitted = 0;
}

static void
admit_edge(struct ctl_switch *sw, uint32_t no)
{
    struct port_id id = {sw->dpid, no};
    struct ofp_flow flow = port_flow(no, TOPO_ROLE_EDGE);
    const struct config_port_l2 l2 = config_get_port_l2(
        sw->ctl->config, sw->dpid, topo_lookup_port(sw->ctl->topo, &id));
    bool ruled = l2.access_vlan || l2.n_trunk_vlans;
    flow.goto_table = ruled ? 0 : TABLE_PUNT;
    pipeline_set_flow(sw, &flow);
    if (l2.access_vlan) {
        admit_vlan(sw, flow, 0, l2.access_vlan);
    }
    for (size_t i = 0; i < l2.n_trunk_vlans; i++) {
        admit_vlan(sw, flow, l2.trunk_vlans[i], l2.trunk_vlans[i]);
    }
}

void
admit_set_role(struct ctl_switch *sw, uint32_t no, enum topo_role role)
{
    struct ofp_flow flow = port_flow(no, role);
    unadmit_vlans(sw, no);
    if (role == TOPO_ROLE_LINK && !admit_port(sw, no)->open) {
        role = TOPO_ROLE_UNKNOWN;
    }
    switch (role) {
    case TOPO_ROLE_UNKNOWN:
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
        break;
    case TOPO_ROLE_EDGE:
        admit_edge(sw, no);
        break;
    case TOPO_ROLE_LINK:
        flow.set_metadata = true;
        flow.metadata = FROM_LINK;
        pipeline_set_flow(sw, &flow);
        break;
    }
    switch_want_run(sw);
}

static struct ofp_flow
probe_flow(uint16_t eth_type, const struct mac_addr *to)
{
    static const struct mac_addr exact = {{255, 255, 255, 255, 255, 255}};
    struct ofp_flow flow = {.table = TABLE_ADMIT,
                            .priority = PRIO_PROBE,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = TABLE_GUARD};
    flow.match.fields = OFP_MATCH_ETH_TYPE;
    flow.match.eth_type = eth_type;
    if (to) {
        flow.match.fields |= OFP_MATCH_ETH_DST;
        flow.match.eth_dst = *to;
        flow.match.eth_dst_mask = exact;
    }
    return flow;
}

/* Probes of links are for us, by each port's own meter; a neighbour's echo
 * request goes back as it came, without asking us: see topo-probe.h. */
static void
set_probes(struct ctl_switch *sw)
{
    struct ofp_flow lldp = probe_flow(TOPO_ETH_TYPE_LLDP, NULL);
    struct ofp_flow reply =
        probe_flow(TOPO_ETH_TYPE_ECHO, &TOPO_ECHO_REPLY_MAC);
    struct ofp_flow request =
        probe_flow(TOPO_ETH_TYPE_ECHO, &TOPO_ECHO_REQUEST_MAC);
    request.goto_table = 0;
    request.rewrite.set = OFP_SET_ETH_DST;
    request.rewrite.eth_dst = TOPO_ECHO_REPLY_MAC;
    request.output = OFP_OUT_PORT;
    request.out_port = OFP_PORT_IN_PORT;
    pipeline_set_flow(sw, &lldp);
    pipeline_set_flow(sw, &reply);
    pipeline_set_flow(sw, &request);
}

void
admit_set(struct ctl_switch *sw)
{
    if (!sw->ctl->fabric) {
        pipeline_set_miss(sw, TABLE_ADMIT, TABLE_PUNT);
        tunnels_set_flows(sw);
        return;
    }
    set_probes(sw);
    pipeline_set_flow(
        sw, &(struct ofp_flow){.table = TABLE_ADMIT,
                               .cookie = cookie_make(COOKIE_PIPELINE, 0),
                               .set_metadata = true,
                               .metadata = FROM_UNKNOWN,
                               .goto_table = TABLE_PUNT});
    /* The switch's own port is a host like others. */
    struct ofp_flow local = port_flow(PORT_LOCAL, TOPO_ROLE_EDGE);
    pipeline_set_flow(sw, &local);
    tunnels_set_flows(sw);
}

/* What bridges do not pass on (IEEE 802.1D-2004 7.12.6). */
void
admit_set_reserved(struct ctl_switch *sw, uint16_t priority)
{
    static const struct mac_addr base = {{1, 0x80, 0xc2, 0, 0, 0}};
    static const struct mac_addr mask = {{255, 255, 255, 255, 255, 0xf0}};
    struct ofp_flow flow = {.table = TABLE_PUNT,
                            .priority = priority,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0)};
    flow.match.fields = OFP_MATCH_ETH_DST;
    flow.match.eth_dst = base;
    flow.match.eth_dst_mask = mask;
    pipeline_set_flow(sw, &flow);
}
