/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_FLOW_H
#define OFP_FLOW_H 1

/* The vocabulary in which the controller says what a switch shall do: one
 * match, one rewriting, one flow, one bucket.  Small plain structs in host
 * byte order; zero-initialised they match everything and do nothing.
 * ofp-encode.h turns them into OpenFlow 1.3. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

/* Every flow of ours has these upper bits in its cookie ("OFMC")... */
#define OFP_COOKIE      UINT64_C(0x4f464d4300000000)
#define OFP_COOKIE_MASK UINT64_C(0xffffffff00000000)
/* ...those of the user's static flows this one... */
#define OFP_COOKIE_STATIC UINT64_C(0x4f464d43ffffffff)
/* ...and every group that the table numbers itself an id from this range. */
#define OFP_GROUP_ID_FIRST UINT32_C(0x4d000000)
#define OFP_GROUP_ID_LAST  UINT32_C(0x4dffffff)

/* Which members of a match count. */
enum {
    OFP_MATCH_IN_PORT = 1 << 0,
    OFP_MATCH_VLAN = 1 << 1, /* vlan 0: frames without a tag. */
    OFP_MATCH_ETH_TYPE = 1 << 2,
    OFP_MATCH_ETH_DST = 1 << 3, /* With 'eth_dst_mask'. */
    OFP_MATCH_IP_PROTO = 1 << 4,
    OFP_MATCH_IP_SRC = 1 << 5, /* IPv4 or IPv6, as the prefix says. */
    OFP_MATCH_IP_DST = 1 << 6,
    OFP_MATCH_UDP_DST = 1 << 7,    /* Implies nothing: set IP_PROTO too. */
    OFP_MATCH_ICMP6_TYPE = 1 << 8, /* Likewise. */
    OFP_MATCH_LATER_FRAG = 1 << 9, /* Fragments but the first. */
    OFP_MATCH_METADATA = 1 << 10,  /* The lowest byte of the metadata. */
    OFP_MATCH_ETH_SRC = 1 << 11,
    OFP_MATCH_FRAG = 1 << 12,  /* Any fragment, the first too. */
    OFP_MATCH_TUN_ID = 1 << 13 /* The key of the tunnel that it came by. */
};

struct ofp_match {
    unsigned int fields; /* OFP_MATCH_*. */
    uint32_t in_port;
    uint16_t vlan;
    uint16_t eth_type;
    struct mac_addr eth_src;
    struct mac_addr eth_dst, eth_dst_mask;
    struct ip_prefix ip_src, ip_dst;
    uint16_t udp_dst;
    uint8_t ip_proto;
    uint8_t icmp6_type;
    uint8_t metadata; /* What an earlier table wrote; 0 at first. */
    uint32_t tun_id;
};

/* Which members of a rewriting count. */
enum {
    OFP_SET_ETH_SRC = 1 << 0,
    OFP_SET_ETH_DST = 1 << 1,
    OFP_SET_IP_SRC = 1 << 2,
    OFP_SET_IP_DST = 1 << 3,
    OFP_SET_UDP_DST = 1 << 4,
    OFP_SET_TTL = 1 << 5,
    OFP_SET_DSCP = 1 << 6,
    OFP_SET_VLAN = 1 << 7,  /* Change the vlan id of a tagged frame. */
    OFP_PUSH_VLAN = 1 << 8, /* Tag an untagged frame with 'vlan'. */
    OFP_POP_VLAN = 1 << 9,
    OFP_SET_TUNNEL = 1 << 10 /* 'tun_id' and 'tun_dst', for a tunnel port. */
};

struct ofp_rewrite {
    unsigned int set; /* OFP_SET_* and friends. */
    struct mac_addr eth_src, eth_dst;
    struct ip_addr ip_src, ip_dst;
    uint16_t udp_dst;
    uint16_t vlan;
    uint8_t ttl;
    uint8_t dscp;
    uint32_t tun_id;  /* VXLAN: the VNI. */
    uint32_t tun_dst; /* An IPv4 address, in host byte order. */
    /* How many of the lowest bits of an address stay as they are, 0 to 31, of
     * IPv6 to 127: a prefix is put in the place of another.  Likewise of
     * 'eth_dst', 0 to 23 or 32; but those become the lowest bits of the
     * destination, which must be set too if it is IPv6, as in the Ethernet
     * address of a group (RFC 1112 6.4, RFC 2464 7). */
    uint8_t ip_src_keep, ip_dst_keep, eth_dst_keep;
};

bool ofp_rewrite_equal(const struct ofp_rewrite *, const struct ofp_rewrite *);
/* What becomes of a packet that meets 'first' and then 'second'. */
void ofp_rewrite_overlay(const struct ofp_rewrite *first,
                         const struct ofp_rewrite *second,
                         struct ofp_rewrite *);

/* One copy of a packet. */
struct ofp_bucket {
    struct ofp_rewrite rewrite;
    uint32_t out_port;
    unsigned int note; /* The caller's own: it is not sent. */
};

/* What tells the copies of one channel apart: the port, the host that it is
 * for (all zero: whoever is behind the port), whether it loses its tag on
 * the way out, as the port of an access vlan wants it, and, out of a tunnel
 * port, the other end (0: the port is none). */
struct ofp_copy {
    uint32_t port;
    struct mac_addr eth_dst;
    bool pop_vlan;
    uint32_t ip_dst; /* Found on a switch: the IPv4 address that it gets, in
                      * host order; 0: the packet's own. */
    uint32_t tun_dst, tun_id;
};

enum ofp_output {
    OFP_OUT_NONE,   /* Drop, unless a table follows. */
    OFP_OUT_GROUP,  /* The group that belongs to this flow: see ofp-table.h. */
    OFP_OUT_NORMAL, /* The switch's own L2 forwarding. */
    OFP_OUT_PORT
};

/* As the port of OFP_OUT_PORT: back to where the frame came from, which a
 * switch leaves out if it is named by its number. */
enum { OFP_PORT_IN_PORT = 0xfffffff8 };

/* A flow.  Its actions, in this order: punt, rewrite, output, write metadata,
 * go to. */
struct ofp_flow {
    uint8_t table;
    uint16_t priority;
    struct ofp_match match;

    uint64_t cookie;       /* Within OFP_COOKIE: see above. */
    uint16_t idle_timeout; /* Seconds, 0 = none. */
    bool tell_removed;     /* Ask for a flow-removed message. */

    bool punt;           /* A copy to the controller, whole packets... */
    uint32_t punt_meter; /* ...no faster than this meter lets, 0 = all. */
    struct ofp_rewrite rewrite;
    enum ofp_output output;
    uint32_t out_port;  /* For OFP_OUT_PORT. */
    bool set_metadata;  /* The lowest byte of the metadata becomes... */
    uint8_t metadata;   /* ...this, for the tables that follow. */
    uint8_t goto_table; /* 0 = none. */
};

#endif
