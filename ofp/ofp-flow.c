/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-flow.h"

#include <string.h>

bool
ofp_rewrite_equal(const struct ofp_rewrite *a, const struct ofp_rewrite *b)
{
    unsigned int set = a->set;

    return set == b->set
           && (!(set & OFP_SET_ETH_SRC)
               || !memcmp(&a->eth_src, &b->eth_src, sizeof a->eth_src))
           && (!(set & OFP_SET_ETH_DST)
               || (a->eth_dst_keep == b->eth_dst_keep
                   && !memcmp(&a->eth_dst, &b->eth_dst, sizeof a->eth_dst)))
           && (!(set & OFP_SET_IP_SRC)
               || (a->ip_src_keep == b->ip_src_keep
                   && !memcmp(&a->ip_src, &b->ip_src, sizeof a->ip_src)))
           && (!(set & OFP_SET_IP_DST)
               || (a->ip_dst_keep == b->ip_dst_keep
                   && !memcmp(&a->ip_dst, &b->ip_dst, sizeof a->ip_dst)))
           && (!(set & OFP_SET_UDP_DST) || a->udp_dst == b->udp_dst)
           && (!(set & (OFP_SET_VLAN | OFP_PUSH_VLAN)) || a->vlan == b->vlan)
           && (!(set & OFP_SET_TTL) || a->ttl == b->ttl)
           && (!(set & OFP_SET_DSCP) || a->dscp == b->dscp)
           && (!(set & OFP_SET_TUNNEL)
               || (a->tun_id == b->tun_id && a->tun_dst == b->tun_dst));
}

/* The tag: what the second does to it comes last. */
static void
overlay_vlan(struct ofp_rewrite *out, const struct ofp_rewrite *second)
{
    const unsigned int tags = OFP_SET_VLAN | OFP_PUSH_VLAN | OFP_POP_VLAN;
    unsigned int first = out->set & tags, then = second->set & tags;

    if (!then) {
        return;
    }
    out->set &= ~tags;
    out->vlan = second->vlan;
    if (then & OFP_POP_VLAN) {
        /* A tag that was put on and taken off again was never there. */
        out->set |= first & OFP_PUSH_VLAN ? 0 : OFP_POP_VLAN;
    } else {
        out->set |= first & OFP_PUSH_VLAN  ? OFP_PUSH_VLAN
                    : first & OFP_POP_VLAN ? OFP_SET_VLAN
                                           : then;
    }
}

void
ofp_rewrite_overlay(const struct ofp_rewrite *first,
                    const struct ofp_rewrite *second, struct ofp_rewrite *out)
{
    *out = *first;
    overlay_vlan(out, second);
    if (second->set & OFP_SET_ETH_SRC) {
        out->eth_src = second->eth_src;
    }
    if (second->set & OFP_SET_ETH_DST) {
        out->eth_dst = second->eth_dst;
        out->eth_dst_keep = second->eth_dst_keep;
    }
    if (second->set & OFP_SET_IP_SRC) {
        out->ip_src = second->ip_src;
        out->ip_src_keep = second->ip_src_keep;
    }
    if (second->set & OFP_SET_IP_DST) {
        out->ip_dst = second->ip_dst;
        out->ip_dst_keep = second->ip_dst_keep;
    }
    if (second->set & OFP_SET_UDP_DST) {
        out->udp_dst = second->udp_dst;
    }
    if (second->set & OFP_SET_TTL) {
        out->ttl = second->ttl;
    }
    if (second->set & OFP_SET_DSCP) {
        out->dscp = second->dscp;
    }
    if (second->set & OFP_SET_TUNNEL) {
        out->tun_id = second->tun_id;
        out->tun_dst = second->tun_dst;
    }
    out->set |=
        second->set
        & ~(unsigned int) (OFP_SET_VLAN | OFP_PUSH_VLAN | OFP_POP_VLAN);
}
