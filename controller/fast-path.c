/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/fast-path.h"

/* Sizes of datapath actions in Open vSwitch 3.1's userspace datapath. */
enum {
    OUTPUT_BYTES = 8,
    SET_ETH_BYTES = 32,  /* Both addresses. */
    SET_IP_BYTES = 32,   /* Addresses, TTL and DSCP together... */
    SET_IPV6_BYTES = 88, /* ...of IPv6. */
    SET_UDP_BYTES = 16,
    VLAN_BYTES = 8,
    /* A clone that holds the outer headers, in a field of 512 bytes whatever
     * they take, and the output. */
    TUNNEL_BYTES = 544 - OUTPUT_BYTES
};

/* Would the datapath have to do 'fields' of 'b' anew behind 'a'?  It keeps
 * what the copy before has set, and puts back what this one does not want. */
static bool
is_new(const struct ofp_rewrite *a, const struct ofp_rewrite *b,
       unsigned int fields)
{
    if (!((a->set | b->set) & fields)) {
        return false;
    }
    struct ofp_rewrite x = *a, y = *b;
    x.set &= fields;
    y.set &= fields;
    return !ofp_rewrite_equal(&x, &y);
}

/* As far as its addresses tell: a hop limit alone counts as a TTL. */
static bool
is_ipv6(const struct ofp_rewrite *rw)
{
    return (rw->set & OFP_SET_IP_SRC && !ip_addr_is_v4(&rw->ip_src))
           || (rw->set & OFP_SET_IP_DST && !ip_addr_is_v4(&rw->ip_dst));
}

static size_t
rewrite_bytes(const struct ofp_rewrite *before, const struct ofp_rewrite *rw)
{
    enum { IP = 1 };
    static const struct {
        unsigned int fields;
        size_t bytes;
    } actions[] = {
        {OFP_SET_ETH_SRC | OFP_SET_ETH_DST, SET_ETH_BYTES},
        {OFP_SET_IP_SRC | OFP_SET_IP_DST | OFP_SET_TTL | OFP_SET_DSCP,
         SET_IP_BYTES},
        {OFP_SET_UDP_DST, SET_UDP_BYTES},
        {OFP_SET_VLAN | OFP_PUSH_VLAN | OFP_POP_VLAN, VLAN_BYTES},
    };
    size_t bytes = rw->set & OFP_SET_TUNNEL ? TUNNEL_BYTES : 0;
    if (!(before->set | rw->set)) {
        return 0; /* As in most groups. */
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (is_new(before, rw, actions[i].fields)) {
            bytes += i == IP && (is_ipv6(before) || is_ipv6(rw))
                         ? SET_IPV6_BYTES
                         : actions[i].bytes;
        }
    }
    return bytes;
}

size_t
fast_path_bytes(const struct ofp_bucket *buckets, size_t n)
{
    static const struct ofp_rewrite none;
    size_t bytes = n * OUTPUT_BYTES;
    for (size_t i = 0; i < n; i++) {
        bytes += rewrite_bytes(i ? &buckets[i - 1].rewrite : &none,
                               &buckets[i].rewrite);
    }
    return bytes;
}

/* The usual group is small enough whatever it rewrites: no need to look. */
enum {
    ALWAYS_FITS = FAST_PATH_BYTES
                  / (OUTPUT_BYTES + SET_ETH_BYTES + SET_IPV6_BYTES
                     + SET_UDP_BYTES + VLAN_BYTES + TUNNEL_BYTES)
};

bool
fast_path_fits(const struct ofp_bucket *buckets, size_t n)
{
    return n <= ALWAYS_FITS
           || (n <= FAST_PATH_OUTPUTS
               && fast_path_bytes(buckets, n) <= FAST_PATH_BYTES);
}
