/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The fixed flows of a switch: design.md section 4.
 *
 * Tables 0, 10, 30 and 50 need a miss flow only.  Table 20 sorts: IGMP, MLD
 * and router discovery to the controller and nowhere else (a report that
 * reached other hosts would make them suppress their own), PIM to it and on,
 * link-local groups to everybody, other multicast to the routes.
 *
 * What is for the controller goes there by way of a table with one flow a
 * port, each with that port's meter: a port that floods is cut off here, at
 * its own share, and costs the others none of theirs. */

#include "controller/ctl-private.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "controller/route-far.h"
#include "controller/route-rewrite.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

enum {
    /* Reports: a port of thousand hosts may answer a query at once. */
    IGMP_RATE_LIMIT = 20000,
    IGMP_BURST = 5000,
    /* A copy of ARP, where addresses are looked for: some will do. */
    ARP_RATE = 200,
    ARP_BURST = 50,
    /* Packets of unknown sources: until the flow that stops them is in place
     * a stream of any rate may only cost a handful. */
    SOURCES_RATE = 200,
    SOURCES_BURST = 8,
    SOURCES_BURST_FABRIC = 256,

    /* First frames of hosts, and frames to hosts without a way. */
    HOSTS_RATE = 1000,
    HOSTS_BURST = 200,

    PRIO_BEFORE_ALL = 65100 /* Above every route. */
};

/* Priorities in TABLE_PUNT, and in the tables behind. */
enum {
    PRIO_RESERVED = 110,  /* Bridges' own. */
    PRIO_FAR = 105,       /* What a route sends on. */
    PRIO_PUNT_VLAN = 101, /* Of one vlan. */
    PRIO_PUNT = 100,
    PRIO_LOCAL = 90,
    PRIO_MULTICAST = 80,

    PRIO_GUARD_PORT = 1
};

enum {
    /* OFPM_MAX of OpenFlow 1.3: larger port numbers are reserved ones. */
    MAX_METER = 0xffff0000,
    MAX_METERED_PORT = MAX_METER - METER_PORT
};

/* Each tells when it is removed: whoever empties the tables takes these along,
 * and what else is gone need not wait for the next audit. */
void
pipeline_set_flow(struct ctl_switch *sw, const struct ofp_flow *flow)
{
    struct ofp_flow telling = *flow;
    telling.tell_removed = true;
    ofp_table_set(sw->table, &telling, NULL, 0, 0, NULL);
}

void
pipeline_set_miss(struct ctl_switch *sw, uint8_t table, uint8_t next)
{
    pipeline_set_flow(
        sw, &(struct ofp_flow){.table = table,
                               .cookie = cookie_make(COOKIE_PIPELINE, 0),
                               .goto_table = next});
}

/* 'prefix' of groups goes on at table 'next'. */
static void
set_prefix(struct ctl_switch *sw, const char *prefix, uint16_t priority,
           uint8_t next)
{
    struct ofp_flow flow = {.table = TABLE_PUNT,
                            .priority = priority,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = next};
    flow.match.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST;
    ip_prefix_parse(prefix, &flow.match.ip_dst);
    flow.match.eth_type =
        ip_addr_is_v4(&flow.match.ip_dst.addr) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6;
    pipeline_set_flow(sw, &flow);
}

static struct ofp_flow
protocol_flow(uint16_t eth_type, uint8_t protocol, uint8_t next)
{
    struct ofp_flow flow = {.table = TABLE_PUNT,
                            .priority = PRIO_PUNT,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = next};
    flow.match.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO;
    flow.match.eth_type = eth_type;
    flow.match.ip_proto = protocol;
    return flow;
}

/* MLD: RFC 2710 3.1, RFC 3810 5; router discovery: RFC 4286. */
static const uint8_t mld_types[] = {130, 131, 132, 143, 151, 152, 153};

/* MLD of 'vlan' (NULL: of all that have no flows of their own) is for us,
 * or is left alone. */
static void
set_mld(struct ctl_switch *sw, const uint16_t *vlan, bool ours)
{
    struct ofp_flow flow = protocol_flow(ETH_TYPE_IPV6, IPPROTO_ICMPV6,
                                         ours ? TABLE_GUARD : TABLE_L2);
    flow.match.fields |= OFP_MATCH_ICMP6_TYPE;
    if (vlan) {
        flow.priority = PRIO_PUNT_VLAN;
        flow.match.fields |= OFP_MATCH_VLAN;
        flow.match.vlan = *vlan;
    }
    for (size_t i = 0; i < sizeof mld_types; i++) {
        flow.match.icmp6_type = mld_types[i];
        pipeline_set_flow(sw, &flow);
    }
}

static void
unset_mld(struct ctl_switch *sw, uint16_t vlan)
{
    struct ofp_flow flow = protocol_flow(ETH_TYPE_IPV6, IPPROTO_ICMPV6, 0);
    flow.match.fields |= OFP_MATCH_ICMP6_TYPE | OFP_MATCH_VLAN;
    flow.match.vlan = vlan;
    for (size_t i = 0; i < sizeof mld_types; i++) {
        flow.match.icmp6_type = mld_types[i];
        ofp_table_unset(sw->table, TABLE_PUNT, PRIO_PUNT_VLAN, &flow.match);
    }
}

/* PIM to all PIM routers (RFC 7761 4.9): we only listen. */
static void
set_pim(struct ctl_switch *sw, uint16_t eth_type, const char *all_routers)
{
    struct ofp_flow flow =
        protocol_flow(eth_type, IPPROTO_PIM, TABLE_GUARD_PASS);
    flow.match.fields |= OFP_MATCH_IP_DST;
    ip_prefix_parse(all_routers, &flow.match.ip_dst);
    pipeline_set_flow(sw, &flow);
}

/* Of the fabric's links each switch would show us the same. */
static struct ofp_match
arp_match(const struct ctl *ctl, const struct mac_addr *target)
{
    static const struct mac_addr exact = {{255, 255, 255, 255, 255, 255}};
    struct ofp_match match = {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_ETH_DST,
                              .eth_type = ETH_TYPE_ARP,
                              .eth_dst = *target,
                              .eth_dst_mask = exact};
    if (ctl->fabric) {
        match.fields |= OFP_MATCH_METADATA;
        match.metadata = FROM_EDGE;
    }
    return match;
}

static void
set_arp_to(struct ctl_switch *sw, const struct mac_addr *target, bool set)
{
    struct ofp_flow flow = {.table = TABLE_PUNT,
                            .priority = PRIO_PUNT,
                            .cookie = cookie_make(COOKIE_ARP, 0),
                            .punt = true,
                            .punt_meter = METER_ARP,
                            .goto_table = TABLE_L2};
    flow.match = arp_match(sw->ctl, target);
    if (set) {
        pipeline_set_flow(sw, &flow);
    } else {
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
    }
}

/* Requests of whomever, and replies to ourselves: see igmp-address.h.  Hosts
 * that have an answer of ours ask again at the switch's address. */
void
pipeline_set_arp(struct ctl_switch *sw)
{
    static const struct mac_addr all = {{255, 255, 255, 255, 255, 255}};
    const struct mac_addr own = mac_addr_of_switch(sw->dpid);
    bool unicast = unicast_wants_arp(sw);
    bool set = unicast || addresses_wanted(sw->ctl);
    set_arp_to(sw, &all, set);
    set_arp_to(sw, &sw->ctl->mac, set);
    set_arp_to(sw, &own, unicast);
}

static void
set_punts(struct ctl_switch *sw)
{
    if (sw->ctl->fabric) {
        admit_set_reserved(sw, PRIO_RESERVED);
    }
    /* To a group: what goes to one host (answers to mtrace) is not ours. */
    struct ofp_flow igmp =
        protocol_flow(ETH_TYPE_IPV4, IPPROTO_IGMP, TABLE_GUARD);
    igmp.match.fields |= OFP_MATCH_IP_DST;
    ip_prefix_parse("224.0.0.0/4", &igmp.match.ip_dst);
    pipeline_set_flow(sw, &igmp);
    set_mld(sw, NULL, sw->ctl->config->vlan_default.mld);
    set_pim(sw, ETH_TYPE_IPV4, "224.0.0.13");
    set_pim(sw, ETH_TYPE_IPV6, "ff02::d");
    pipeline_set_arp(sw);

    set_prefix(sw, "224.0.0.0/24", PRIO_LOCAL, TABLE_L2);
    set_prefix(sw, "224.0.0.0/4", PRIO_MULTICAST, TABLE_ROUTE);
    /* Neighbour discovery, mDNS and DHCPv6 live in ff02::/16; what the scopes
     * below it mean is their sender's business. */
    set_prefix(sw, "ff02::/16", PRIO_LOCAL, TABLE_L2);
    set_prefix(sw, "ff00::/16", PRIO_LOCAL, TABLE_L2);
    set_prefix(sw, "ff01::/16", PRIO_LOCAL, TABLE_L2);
    set_prefix(sw, "ff00::/8", PRIO_MULTICAST, TABLE_ROUTE);
    pipeline_set_miss(sw, TABLE_PUNT, TABLE_L2);
}

/* The tables behind: a flow a port, and one for those not known yet. */

static void
set_guard(struct ctl_switch *sw, uint8_t table, uint32_t port, uint32_t meter)
{
    struct ofp_flow flow = {.table = table,
                            .cookie = cookie_make(COOKIE_IGMP, 0),
                            .punt = true,
                            .punt_meter = meter,
                            .goto_table =
                                table == TABLE_GUARD_PASS ? TABLE_L2 : 0};
    if (port) {
        flow.priority = PRIO_GUARD_PORT;
        flow.match.fields = OFP_MATCH_IN_PORT;
        flow.match.in_port = port;
    }
    pipeline_set_flow(sw, &flow);
}

/* Reserved ports (the switch's own, LOCAL) share the meter of those that are
 * not known. */
static bool
has_meter(uint32_t no)
{
    return no && no <= MAX_METERED_PORT;
}

void
pipeline_set_port(struct ctl_switch *sw, const struct topo_port *port)
{
    if (!has_meter(port->no)) {
        return;
    }
    uint32_t rate = guard_meter_rate(sw->ctl->config, sw->dpid, port);
    uint32_t meter = rate ? METER_PORT + port->no : 0;
    if (meter) {
        ofp_table_set_meter(sw->table, meter, rate, rate);
    }
    set_guard(sw, TABLE_GUARD, port->no, meter);
    set_guard(sw, TABLE_GUARD_PASS, port->no, meter);
    switch_want_run(sw);
}

void
pipeline_unset_port(struct ctl_switch *sw, uint32_t no)
{
    const struct ofp_match match = {.fields = OFP_MATCH_IN_PORT,
                                    .in_port = no};
    if (has_meter(no)) {
        ofp_table_unset(sw->table, TABLE_GUARD, PRIO_GUARD_PORT, &match);
        ofp_table_unset(sw->table, TABLE_GUARD_PASS, PRIO_GUARD_PORT, &match);
        switch_want_run(sw);
    }
}

static void
set_guards(struct ctl_switch *sw)
{
    const struct topo_switch *ts = topo_lookup_switch(sw->ctl->topo, sw->dpid);
    set_guard(sw, TABLE_GUARD, 0, METER_IGMP);
    set_guard(sw, TABLE_GUARD_PASS, 0, METER_IGMP);
    for (size_t i = 0; ts && i < ts->n_ports; i++) {
        pipeline_set_port(sw, ts->ports[i]);
    }
}

void
pipeline_set_transit(struct ctl_switch *sw, uint8_t table, uint8_t metadata,
                     uint8_t next)
{
    struct ofp_flow flow = {.table = table,
                            .priority = PRIO_BEFORE_ALL,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = next};
    flow.match.fields = OFP_MATCH_METADATA;
    flow.match.metadata = metadata;
    pipeline_set_flow(sw, &flow);
}

/* What a route sends to other switches is told by its label, whatever else it
 * is. */
static void
set_far(struct ctl_switch *sw)
{
    struct ofp_flow flow = {
        .table = TABLE_PUNT,
        .priority = PRIO_FAR,
        .match = {.fields = OFP_MATCH_METADATA | OFP_MATCH_ETH_DST,
                  .metadata = FROM_LINK,
                  .eth_dst = {{FAR_LABEL}},
                  .eth_dst_mask = {{FAR_MASK}}},
        .cookie = cookie_make(COOKIE_PIPELINE, 0),
        .goto_table = TABLE_FAR};
    pipeline_set_flow(sw, &flow);
    pipeline_set_miss(sw, TABLE_FAR, 0);
}

static void
set_routes(struct ctl_switch *sw)
{
    bool fabric = sw->ctl->fabric != NULL;
    fragments_set(sw);
    pipeline_set_miss(sw, TABLE_ROUTE, fabric ? TABLE_SOURCE : TABLE_MCAST);
    if (fabric) {
        pipeline_set_transit(sw, TABLE_ROUTE, FROM_LINK, TABLE_MCAST);
        pipeline_set_transit(sw, TABLE_ROUTE, FROM_UNKNOWN, 0);
        pipeline_set_miss(sw, TABLE_SOURCE, TABLE_MCAST);
        set_far(sw);
    }
}

/* Frames of whom, and to whom, we do not know. */
static void
set_l2_punt(struct ctl_switch *sw, uint8_t table, enum cookie_kind kind,
            uint32_t meter, uint8_t next)
{
    pipeline_set_flow(sw, &(struct ofp_flow){.table = table,
                                             .cookie = cookie_make(kind, 0),
                                             .punt = true,
                                             .punt_meter = meter,
                                             .goto_table = next});
}

static void
set_fabric_l2(struct ctl_switch *sw)
{
    pipeline_set_transit(sw, TABLE_L2, FROM_LINK, TABLE_L2_OUT);
    pipeline_set_transit(sw, TABLE_L2, FROM_UNKNOWN, 0);
    set_l2_punt(sw, TABLE_L2, COOKIE_HOST_IN, METER_HOSTS, TABLE_L2_OUT);
    set_l2_punt(sw, TABLE_L2_OUT, COOKIE_HOST_OUT, METER_WAYS, 0);
}

static void
set_l2(struct ctl_switch *sw)
{
    struct ofp_flow flow = {.table = TABLE_L2,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0)};
    if (sw->ctl->fabric) {
        set_fabric_l2(sw);
        return;
    }
    if (sw->ctl->config->l2 == CONFIG_L2_NORMAL) {
        flow.output = OFP_OUT_NORMAL;
    }
    pipeline_set_flow(sw, &flow);
}

static struct ofp_flow
miss_flow(uint16_t priority)
{
    return (struct ofp_flow){.table = TABLE_MCAST,
                             .priority = priority,
                             .cookie = cookie_make(COOKIE_MISS, 0),
                             .punt = true,
                             .punt_meter = METER_SOURCES};
}

/* Without MLD nobody's membership is known. */
static enum config_unregistered
policy(const struct config_vlan *config, enum igmp_family family)
{
    return family == IGMP_IPV6 && !config->mld ? CONFIG_UNREGISTERED_FLOOD
                                               : config->unregistered;
}

static enum config_unregistered
vlan_policy(const struct ctl_vlan *v, enum igmp_family family)
{
    return family == IGMP_IPV6 && v->mld_from ? CONFIG_UNREGISTERED_FLOOD
                                              : policy(v->config, family);
}

static void
set_or_unset(struct ctl_switch *sw, const struct ofp_flow *flow,
             const struct ofp_bucket *buckets, size_t n, bool set)
{
    if (set) {
        ofp_table_set(sw->table, flow, buckets, n, 0, NULL);
    } else {
        ofp_table_unset(sw->table, flow->table, flow->priority, &flow->match);
    }
}

/* The same for what came by a link, which is no new source. */
static struct ofp_flow
transit_flow(const struct ofp_flow *miss, uint16_t priority)
{
    struct ofp_flow flow = *miss;
    flow.priority = priority;
    flow.punt = false;
    flow.punt_meter = 0;
    flow.match.fields |= OFP_MATCH_METADATA;
    flow.match.metadata = FROM_LINK;
    return flow;
}

/* Of vlans without a flow of their own. */
static void
set_misses(struct ctl_switch *sw)
{
    const struct config_vlan *config = &sw->ctl->config->vlan_default;
    struct ofp_flow miss = miss_flow(PRIO_MISS);
    if (policy(config, IGMP_IPV4) == CONFIG_UNREGISTERED_FLOOD) {
        miss.goto_table = TABLE_L2;
    }
    pipeline_set_flow(sw, &miss);
    if (sw->ctl->fabric) {
        struct ofp_flow transit = transit_flow(&miss, PRIO_TRANSIT);
        pipeline_set_flow(sw, &transit);
        channel_set_guard(sw);
    }

    struct ofp_flow ipv6 = miss_flow(PRIO_MISS_IPV6);
    ipv6.match.fields = OFP_MATCH_ETH_TYPE;
    ipv6.match.eth_type = ETH_TYPE_IPV6;
    ipv6.goto_table = TABLE_L2;
    bool differs = policy(config, IGMP_IPV6) != policy(config, IGMP_IPV4);
    set_or_unset(sw, &ipv6, NULL, 0, differs);
    if (sw->ctl->fabric) {
        struct ofp_flow transit = transit_flow(&ipv6, PRIO_TRANSIT_IPV6);
        set_or_unset(sw, &transit, NULL, 0, differs);
    }
}

void
pipeline_set(struct ctl_switch *sw)
{
    ofp_table_set_meter(sw->table, METER_IGMP, IGMP_RATE_LIMIT, IGMP_BURST);
    /* With l2: fabric these are delivered until the switch is on the tree. */
    ofp_table_set_meter(sw->table, METER_SOURCES, SOURCES_RATE,
                        sw->ctl->fabric ? SOURCES_BURST_FABRIC
                                        : SOURCES_BURST);
    ofp_table_set_meter(sw->table, METER_ARP, ARP_RATE, ARP_BURST);
    if (sw->ctl->fabric) {
        ofp_table_set_meter(sw->table, METER_HOSTS, HOSTS_RATE, HOSTS_BURST);
        ofp_table_set_meter(sw->table, METER_WAYS, HOSTS_RATE, HOSTS_BURST);
    }
    pipeline_set_miss(sw, TABLE_STATIC, TABLE_ADMIT);
    admit_set(sw);
    set_punts(sw);
    set_guards(sw);
    set_routes(sw);
    unicast_set(sw);
    set_l2(sw);

    set_misses(sw);

    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, sw->ctl->vlans, v, tmp) {
        pipeline_set_vlan(sw, v);
    }
    switch_want_run(sw);
}

struct mrouters {
    const struct ctl_switch *sw;
    uint16_t vlan;
    struct ofp_bucket *buckets;
    size_t n, allocated;
};

static void
add_bucket(struct mrouters *m, const struct ofp_copy *copy)
{
    m->buckets = xgrow(m->buckets, m->n, &m->allocated, sizeof *m->buckets);
    struct ofp_bucket *bucket = &m->buckets[m->n++];
    *bucket = (struct ofp_bucket){.out_port = 0};
    copy_to_bucket(copy, bucket);
}

static bool
add_mrouter(void *m_, const struct port_id *port)
{
    struct mrouters *m = m_;
    struct ofp_copy copy = {.port = 0};
    if (switch_copy(m->sw, port, m->vlan, &copy)) {
        add_bucket(m, &copy);
    }
    return true;
}

static void
add_link(void *m, uint32_t port)
{
    add_bucket(m, &(struct ofp_copy){.port = port});
}

size_t
pipeline_policy(const struct ctl_switch *sw, const struct ctl_vlan *v,
                enum igmp_family family, struct ofp_flow *flow,
                struct ofp_bucket **buckets)
{
    struct mrouters m = {.sw = sw, .vlan = v->vlan};
    switch (vlan_policy(v, family)) {
    case CONFIG_UNREGISTERED_FLOOD:
        flow->goto_table = TABLE_L2;
        break;
    case CONFIG_UNREGISTERED_MROUTERS:
        igmp_snoop_each_router_port(vlan_snoop(v, family), add_mrouter, &m);
        tunnels_each_shared_router(sw, v, family, add_mrouter, &m);
        fabric_each_router_port(sw, v->vlan, family, add_link, &m);
        if (m.n) {
            flow->output = OFP_OUT_GROUP;
        }
        break;
    case CONFIG_UNREGISTERED_DROP:
        break;
    }
    *buckets = m.buckets;
    return m.n;
}

/* A vlan needs a flow of its own only where it differs from PRIO_MISS. */
static void
set_policy(struct ctl_switch *sw, struct ctl_vlan *v, enum igmp_family family)
{
    struct ofp_flow flow = miss_flow(PRIO_MISS_VLAN);
    flow.match.fields = OFP_MATCH_VLAN | OFP_MATCH_ETH_TYPE;
    flow.match.vlan = v->vlan;
    flow.match.eth_type = family == IGMP_IPV6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4;
    struct ofp_bucket *buckets;
    size_t n = pipeline_policy(sw, v, family, &flow, &buckets);
    bool set = n
               || vlan_policy(v, family)
                      != policy(&sw->ctl->config->vlan_default, family);
    set_or_unset(sw, &flow, buckets, n, set);
    if (sw->ctl->fabric) {
        struct ofp_flow transit = transit_flow(&flow, PRIO_TRANSIT_VLAN);
        set_or_unset(sw, &transit, buckets, n, set);
    }
    free(buckets);
    switch_want_run(sw);
}

void
pipeline_set_vlan(struct ctl_switch *sw, struct ctl_vlan *v)
{
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        set_policy(sw, v, f);
    }
    if (v->config->mld != sw->ctl->config->vlan_default.mld) {
        set_mld(sw, &v->vlan, v->config->mld);
    } else {
        unset_mld(sw, v->vlan);
    }
}
