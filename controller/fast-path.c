/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/fast-path.h"

/* Sizes of datapath actions in Open vSwitch 3.1's userspace datapath. */
enum {
    OUTPUT_BYTES = 8,
    SET_ETH_BYTES = 32, /* Both addresses. */
    SET_IP_BYTES = 32,  /* Addresses, TTL and DSCP together. */
    SET_UDP_BYTES = 16,
    VLAN_BYTES = 8
};

static size_t
rewrite_bytes(const struct ofp_rewrite *rw)
{
    size_t bytes = 0;
    if (rw->set & (OFP_SET_ETH_SRC | OFP_SET_ETH_DST)) {
        bytes += SET_ETH_BYTES;
    }
    if (rw->set
        & (OFP_SET_IP_SRC | OFP_SET_IP_DST | OFP_SET_TTL | OFP_SET_DSCP)) {
        bytes += SET_IP_BYTES;
    }
    if (rw->set & OFP_SET_UDP_DST) {
        bytes += SET_UDP_BYTES;
    }
    if (rw->set & (OFP_SET_VLAN | OFP_PUSH_VLAN | OFP_POP_VLAN)) {
        bytes += VLAN_BYTES;
    }
    return bytes;
}

size_t
fast_path_bytes(const struct ofp_bucket *buckets, size_t n)
{
    size_t bytes = n * OUTPUT_BYTES;
    for (size_t i = 0; i < n; i++) {
        if (!i
            || !ofp_rewrite_equal(&buckets[i - 1].rewrite,
                                  &buckets[i].rewrite)) {
            bytes += rewrite_bytes(&buckets[i].rewrite);
        }
    }
    return bytes;
}

/* The usual group is small enough whatever it rewrites: no need to look. */
enum {
    ALWAYS_FITS = FAST_PATH_BYTES
                  / (OUTPUT_BYTES + SET_ETH_BYTES + SET_IP_BYTES
                     + SET_UDP_BYTES + VLAN_BYTES)
};

bool
fast_path_fits(const struct ofp_bucket *buckets, size_t n)
{
    return n <= ALWAYS_FITS
           || (n <= FAST_PATH_OUTPUTS
               && fast_path_bytes(buckets, n) <= FAST_PATH_BYTES);
}
