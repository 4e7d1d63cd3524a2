/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The fixed flows of a switch: design.md section 4.
 *
 * Tables 0, 10, 30 and 50 need a miss flow only.  Table 20 sorts: IGMP to the
 * controller and nowhere else (a report that reached other hosts would make
 * them suppress their own), link-local groups to everybody, other IPv4
 * multicast to the routes.  IPv6 multicast is flooded until MLD is snooped:
 * pruning it without would cut receivers off. */

#include "controller/ctl-private.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "lib/xalloc.h"

enum {
    /* Reports: a port of thousand hosts may answer a query at once. */
    IGMP_RATE_LIMIT = 20000,
    IGMP_BURST = 5000,
    /* Packets of unknown sources: until the flow that stops them is in place
     * a stream of any rate may only cost a handful. */
    SOURCES_RATE = 200,
    SOURCES_BURST = 8,

    /* Above every route: see route_later_fragments(). */
    PRIO_LATER_FRAGMENTS = 65000
};

/* Each tells when it is removed: whoever empties the tables takes these along,
 * and what else is gone need not wait for the next audit. */
static void
set_flow(struct ctl_switch *sw, const struct ofp_flow *flow)
{
    struct ofp_flow telling = *flow;
    telling.tell_removed = true;
    ofp_table_set(sw->table, &telling, NULL, 0, 0, NULL);
}

static void
set_miss(struct ctl_switch *sw, uint8_t table, uint8_t next)
{
    set_flow(sw, &(struct ofp_flow){.table = table,
                                    .cookie = cookie_make(COOKIE_PIPELINE, 0),
                                    .goto_table = next});
}

static struct ofp_flow
ipv4_to(const char *prefix, uint16_t priority, uint8_t next)
{
    struct ofp_flow flow = {.table = TABLE_PUNT,
                            .priority = priority,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = next};
    flow.match.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_DST;
    flow.match.eth_type = ETH_TYPE_IPV4;
    ip_prefix_parse(prefix, &flow.match.ip_dst);
    return flow;
}

static void
set_punts(struct ctl_switch *sw)
{
    struct ofp_flow igmp = {.table = TABLE_PUNT,
                            .priority = 100,
                            .cookie = cookie_make(COOKIE_IGMP, 0),
                            .punt = true,
                            .punt_meter = METER_IGMP};
    igmp.match.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO;
    igmp.match.eth_type = ETH_TYPE_IPV4;
    igmp.match.ip_proto = IPPROTO_IGMP;
    set_flow(sw, &igmp);

    struct ofp_flow local = ipv4_to("224.0.0.0/24", 90, TABLE_L2);
    set_flow(sw, &local);
    struct ofp_flow multicast = ipv4_to("224.0.0.0/4", 80, TABLE_ROUTE);
    set_flow(sw, &multicast);
    set_miss(sw, TABLE_PUNT, TABLE_L2);
}

/* Rewriting the addresses of a later fragment corrupts its payload on the
 * userspace datapath, and none of them has ports to match: they pass by the
 * routes, as they are. */
static void
set_later_fragments(struct ctl_switch *sw)
{
    struct ofp_flow flow = {.table = TABLE_ROUTE,
                            .priority = PRIO_LATER_FRAGMENTS,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0),
                            .goto_table = TABLE_MCAST};
    flow.match.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_LATER_FRAG;
    flow.match.eth_type = ETH_TYPE_IPV4;
    set_flow(sw, &flow);
}

static void
set_l2(struct ctl_switch *sw)
{
    struct ofp_flow flow = {.table = TABLE_L2,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0)};
    if (sw->ctl->config->l2 == CONFIG_L2_NORMAL) {
        flow.output = OFP_OUT_NORMAL;
    }
    set_flow(sw, &flow);
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

void
pipeline_set(struct ctl_switch *sw)
{
    ofp_table_set_meter(sw->table, METER_IGMP, IGMP_RATE_LIMIT, IGMP_BURST);
    ofp_table_set_meter(sw->table, METER_SOURCES, SOURCES_RATE, SOURCES_BURST);
    set_miss(sw, TABLE_STATIC, TABLE_ADMIT);
    set_miss(sw, TABLE_ADMIT, TABLE_PUNT);
    set_punts(sw);
    set_later_fragments(sw);
    set_miss(sw, TABLE_ROUTE, TABLE_MCAST);
    set_l2(sw);

    struct ofp_flow miss = miss_flow(PRIO_MISS);
    if (sw->ctl->config->vlan_default.unregistered
        == CONFIG_UNREGISTERED_FLOOD) {
        miss.goto_table = TABLE_L2;
    }
    set_flow(sw, &miss);

    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, sw->ctl->vlans, v, tmp) {
        pipeline_set_vlan(sw, v);
    }
    switch_want_run(sw);
}

struct mrouters {
    uint64_t dpid;
    struct ofp_bucket *buckets;
    size_t n, allocated;
};

static bool
add_mrouter(void *m_, const struct port_id *port)
{
    struct mrouters *m = m_;
    if (port->dpid == m->dpid) {
        m->buckets =
            xgrow(m->buckets, m->n, &m->allocated, sizeof *m->buckets);
        m->buckets[m->n++] =
            (struct ofp_bucket){.out_port = (uint32_t) port->port_no};
    }
    return true;
}

size_t
pipeline_policy(const struct ctl_switch *sw, const struct ctl_vlan *v,
                enum igmp_family family, struct ofp_flow *flow,
                struct ofp_bucket **buckets)
{
    struct mrouters m = {.dpid = sw->dpid};
    switch (v->config->unregistered) {
    case CONFIG_UNREGISTERED_FLOOD:
        flow->goto_table = TABLE_L2;
        break;
    case CONFIG_UNREGISTERED_MROUTERS:
        igmp_snoop_each_router_port(vlan_snoop(v, family), add_mrouter, &m);
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
    if (n
        || v->config->unregistered
               != sw->ctl->config->vlan_default.unregistered) {
        ofp_table_set(sw->table, &flow, buckets, n, 0, NULL);
    } else {
        ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
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
}
