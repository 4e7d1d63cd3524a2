/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-rewrite.h"

#include <string.h>

bool
route_set_is_empty(const struct route_set *set)
{
    return !set->has_source && !set->has_group && !set->has_udp_dst
           && !set->has_ttl && !set->has_eth_src && !set->has_dscp
           && !set->has_vlan;
}

static void
set_vlan(struct ofp_rewrite *rw, int from, uint16_t to)
{
    if (from == to) {
        return;
    }
    rw->vlan = to;
    rw->set |= !to ? OFP_POP_VLAN : from > 0 ? OFP_SET_VLAN : OFP_PUSH_VLAN;
}

/* Open vSwitch takes a bridge's MAC for the lower 48 bits of its dpid. */
static struct mac_addr
switch_mac(uint64_t dpid)
{
    struct mac_addr mac;
    for (int i = 0; i < 6; i++) {
        mac.b[i] = (uint8_t) (dpid >> (40 - 8 * i));
    }
    return mac;
}

static void
set_addresses(struct ofp_rewrite *rw, const struct route_set *set,
              uint64_t dpid)
{
    if (set->has_source) {
        rw->set |= OFP_SET_IP_SRC;
        rw->ip_src = set->source;
    }
    if (set->has_group) {
        rw->set |= OFP_SET_IP_DST | OFP_SET_ETH_DST;
        rw->ip_dst = set->group;
        rw->eth_dst = mac_addr_of_group(&set->group);
    }
    if (set->has_eth_src) {
        rw->set |= OFP_SET_ETH_SRC;
        rw->eth_src = set->eth_src_auto ? switch_mac(dpid) : set->eth_src;
    }
}

struct ofp_rewrite
route_rewrite(const struct route_set *set, int vlan, uint64_t dpid)
{
    /* memset, so that padding is zero as well: buckets are compared as bytes
     * by the table. */
    struct ofp_rewrite rw;
    memset(&rw, 0, sizeof rw);
    set_addresses(&rw, set, dpid);
    if (set->has_udp_dst) {
        rw.set |= OFP_SET_UDP_DST;
        rw.udp_dst = set->udp_dst;
    }
    if (set->has_ttl) {
        rw.set |= OFP_SET_TTL;
        rw.ttl = set->ttl;
    }
    if (set->has_dscp) {
        rw.set |= OFP_SET_DSCP;
        rw.dscp = set->dscp;
    }
    if (set->has_vlan) {
        set_vlan(&rw, vlan, set->vlan);
    }
    return rw;
}

static int
compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int
route_rewrite_compare(const struct ofp_rewrite *a, const struct ofp_rewrite *b)
{
    int order[] = {
        compare(a->set, b->set),
        ip_addr_compare(&a->ip_dst, &b->ip_dst),
        ip_addr_compare(&a->ip_src, &b->ip_src),
        compare(a->udp_dst, b->udp_dst),
        compare(a->vlan, b->vlan),
        compare(a->ttl, b->ttl),
        compare(a->dscp, b->dscp),
        memcmp(&a->eth_src, &b->eth_src, sizeof a->eth_src),
        memcmp(&a->eth_dst, &b->eth_dst, sizeof a->eth_dst),
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (order[i]) {
            return order[i];
        }
    }
    return 0;
}
