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
               || !memcmp(&a->eth_dst, &b->eth_dst, sizeof a->eth_dst))
           && (!(set & OFP_SET_IP_SRC)
               || !memcmp(&a->ip_src, &b->ip_src, sizeof a->ip_src))
           && (!(set & OFP_SET_IP_DST)
               || !memcmp(&a->ip_dst, &b->ip_dst, sizeof a->ip_dst))
           && (!(set & OFP_SET_UDP_DST) || a->udp_dst == b->udp_dst)
           && (!(set & (OFP_SET_VLAN | OFP_PUSH_VLAN)) || a->vlan == b->vlan)
           && (!(set & OFP_SET_TTL) || a->ttl == b->ttl)
           && (!(set & OFP_SET_DSCP) || a->dscp == b->dscp);
}
