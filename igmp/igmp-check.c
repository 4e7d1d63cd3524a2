/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-check.h"

#include <string.h>

enum { ALL_SYSTEMS = 0x01, ALL_ROUTERS = 0x02, ALL_V3_ROUTERS = 0x16 };

/* Is 'a' 224.0.0.'last'? */
static bool
is_local(const struct ip_addr *a, uint8_t last)
{
    return ip_addr_is_v4(a) && ip_addr_is_local_multicast(a)
           && a->b[15] == last;
}

bool
igmp_check_source(const struct ip_addr *a)
{
    /* Not 0/8 (this host, RFC 1122 3.2.1.3), loopback, multicast, 240/4 and
     * broadcast. */
    return ip_addr_is_v4(a) && a->b[12] != 0 && a->b[12] != 127
           && a->b[12] < 224;
}

enum igmp_error
igmp_check_group(const struct ip_addr *a)
{
    if (!ip_addr_is_v4(a) || !ip_addr_is_multicast(a)) {
        return IGMP_BAD_GROUP;
    }
    return ip_addr_is_local_multicast(a) ? IGMP_IGNORED : IGMP_OK;
}

/* Where each kind of message is sent to. */
static bool
destination_is_right(const struct igmp_msg *m)
{
    switch (m->kind) {
    case IGMP_QUERY:
        /* RFC 3376 4.1.12.  Some send specific queries to all systems. */
        return is_local(&m->ip_dst, ALL_SYSTEMS)
               || (!ip_addr_is_any(&m->group)
                   && ip_addr_equal(&m->ip_dst, &m->group));
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
        return ip_addr_equal(&m->ip_dst, &m->group);
    case IGMP_V2_LEAVE:
        /* RFC 2236 3: to all routers, from some to the group. */
        return is_local(&m->ip_dst, ALL_ROUTERS)
               || ip_addr_equal(&m->ip_dst, &m->group);
    case IGMP_V3_REPORT:
        return is_local(&m->ip_dst, ALL_V3_ROUTERS);
    case IGMP_ROUTER_ADVERTISEMENT:
    case IGMP_ROUTER_SOLICITATION:
    case IGMP_ROUTER_TERMINATION:
    case IGMP_PIM_HELLO:
        return false; /* Not decoded yet. */
    }
    return false;
}

enum igmp_error
igmp_check_msg(const struct igmp_msg *m)
{
    if (m->ttl != 1) {
        return IGMP_BAD_TTL;
    }
    /* A host that has no address yet sends from 0.0.0.0 (RFC 3376 4.2.13),
     * and so does a proxy querier (RFC 4541 2.1.1). */
    if (mac_addr_is_multicast(&m->eth_src)
        || (!ip_addr_is_any(&m->ip_src) && !igmp_check_source(&m->ip_src))) {
        return IGMP_BAD_SOURCE;
    }

    enum igmp_error group = IGMP_OK;
    if (m->kind != IGMP_V3_REPORT
        && !(m->kind == IGMP_QUERY && ip_addr_is_any(&m->group))) {
        group = igmp_check_group(&m->group);
        if (group == IGMP_BAD_GROUP) {
            return group;
        }
    }

    /* By Ethernet address too: what came to a unicast one was not meant for
     * all routers. */
    struct mac_addr mac = mac_addr_of_group(&m->ip_dst);
    if (!destination_is_right(m) || memcmp(&mac, &m->eth_dst, sizeof mac)) {
        return IGMP_BAD_DESTINATION;
    }
    return group;
}
