/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-rewrite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* Of a group's address in its Ethernet address: RFC 1112 6.4, RFC 2464 7. */
enum { GROUP_MAC_BITS = 23, GROUP_MAC_BITS_V6 = 32 };

bool
route_set_is_empty(const struct route_set *set)
{
    return !set->has_source && !set->has_group && !set->has_udp_dst
           && !set->has_ttl && !set->has_eth_src && !set->has_dscp
           && !set->has_vlan && !set->has_source_pool && !set->has_eth_dst;
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

static void
set_addresses(struct ofp_rewrite *rw, const struct route_set *set,
              uint64_t dpid)
{
    if (set->has_source) {
        rw->set |= OFP_SET_IP_SRC;
        rw->ip_src = set->source;
        rw->ip_src_keep = set->source_keep;
    }
    if (set->has_group) {
        uint8_t bits =
            ip_addr_is_v4(&set->group) ? GROUP_MAC_BITS : GROUP_MAC_BITS_V6;
        rw->set |= OFP_SET_IP_DST | OFP_SET_ETH_DST;
        rw->ip_dst = set->group;
        rw->ip_dst_keep = set->group_keep;
        rw->eth_dst = mac_addr_of_group(&set->group);
        rw->eth_dst_keep = set->group_keep < bits ? set->group_keep : bits;
    }
    if (set->has_eth_dst) {
        rw->set |= OFP_SET_ETH_DST;
        rw->eth_dst = set->eth_dst;
        rw->eth_dst_keep = 0;
    }
    if (set->has_eth_src) {
        rw->set |= OFP_SET_ETH_SRC;
        rw->eth_src =
            set->eth_src_auto ? mac_addr_of_switch(dpid) : set->eth_src;
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
        compare(a->tun_id, b->tun_id),
        compare(a->tun_dst, b->tun_dst),
        ip_addr_compare(&a->ip_dst, &b->ip_dst),
        ip_addr_compare(&a->ip_src, &b->ip_src),
        compare(a->udp_dst, b->udp_dst),
        compare(a->vlan, b->vlan),
        compare(a->ttl, b->ttl),
        compare(a->dscp, b->dscp),
        memcmp(&a->eth_src, &b->eth_src, sizeof a->eth_src),
        memcmp(&a->eth_dst, &b->eth_dst, sizeof a->eth_dst),
        compare(a->ip_src_keep, b->ip_src_keep),
        compare(a->ip_dst_keep, b->ip_dst_keep),
        compare(a->eth_dst_keep, b->eth_dst_keep),
    };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (order[i]) {
            return order[i];
        }
    }
    return 0;
}

/* As text. */

static void __attribute__((format(printf, 2, 3)))
say(char **text, const char *format, ...)
{
    va_list args;
    char word[96];
    va_start(args, format);
    vsnprintf(word, sizeof word, format, args);
    va_end(args);
    char *more = xasprintf("%s%s%s", *text, **text ? " " : "", word);
    free(*text);
    *text = more;
}

static void
say_address(char **text, const char *name, const struct ip_addr *address,
            unsigned int keep)
{
    const struct ip_prefix prefix = {*address, (uint8_t) (128 - keep)};
    char buf[IP_PREFIX_STRLEN];
    say(text, "%s=%s", name, ip_prefix_format(&prefix, buf));
}

static void
say_mac(char **text, const char *name, const struct mac_addr *mac)
{
    char buf[MAC_ADDR_STRLEN];
    say(text, "%s=%s", name, mac_addr_format(mac, buf));
}

static void
say_numbers(char **text, const struct ofp_rewrite *rw)
{
    if (rw->set & OFP_SET_UDP_DST) {
        say(text, "udp_dst=%u", rw->udp_dst);
    }
    if (rw->set & OFP_SET_TTL) {
        say(text, "ttl=%u", rw->ttl);
    }
    if (rw->set & OFP_SET_DSCP) {
        say(text, "dscp=%u", rw->dscp);
    }
    if (rw->set & (OFP_SET_VLAN | OFP_PUSH_VLAN | OFP_POP_VLAN)) {
        say(text, "vlan=%u", rw->set & OFP_POP_VLAN ? 0 : rw->vlan);
    }
}

char *
route_rewrite_text(const struct ofp_rewrite *rw)
{
    char *text = xstrdup("");
    if (rw->set & OFP_SET_IP_SRC) {
        say_address(&text, "source", &rw->ip_src, rw->ip_src_keep);
    }
    if (rw->set & OFP_SET_IP_DST) {
        say_address(&text,
                    ip_addr_is_multicast(&rw->ip_dst) ? "group" : "unicast",
                    &rw->ip_dst, rw->ip_dst_keep);
    }
    say_numbers(&text, rw);
    if (rw->set & OFP_SET_ETH_SRC) {
        say_mac(&text, "eth_src", &rw->eth_src);
    }
    /* Where it follows from the group it need not be said. */
    struct mac_addr of_group = mac_addr_of_group(&rw->ip_dst);
    if (rw->set & OFP_SET_ETH_DST
        && (!(rw->set & OFP_SET_IP_DST)
            || mac_addr_compare(&rw->eth_dst, &of_group))) {
        say_mac(&text, "eth_dst", &rw->eth_dst);
    }
    if (rw->set & OFP_SET_TUNNEL) {
        struct ip_addr vtep = ip_addr_v4(rw->tun_dst);
        say_address(&text, "vtep", &vtep, 0);
    }
    return text;
}
