/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-check.h"

#include <string.h>

/* The last bytes of link-local groups. */
enum {
    ALL_SYSTEMS = 0x01,
    ALL_ROUTERS = 0x02,
    ALL_PIM_ROUTERS = 0x0d,
    ALL_V3_ROUTERS = 0x16,
    ALL_SNOOPERS = 0x6a /* RFC 4286 9. */
};

/* Is 'a' 224.0.0.'last' or ff02::'last'? */
static bool
is_local(enum igmp_family family, const struct ip_addr *a, uint8_t last)
{
    struct ip_addr local = {{0xff, 0x02, [15] = last}};

    if (family == IGMP_IPV4) {
        local = ip_addr_v4(UINT32_C(0xe0000000) | last);
    }
    return ip_addr_equal(a, &local);
}

/* fe80::/10. */
static bool
is_link_local(const struct ip_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool
igmp_check_source(enum igmp_family family, const struct ip_addr *a)
{
    return ip_addr_is_v4(a) == (family == IGMP_IPV4) && ip_addr_can_send(a);
}

enum igmp_error
igmp_check_group(enum igmp_family family, const struct ip_addr *a)
{
    if (ip_addr_is_v4(a) != (family == IGMP_IPV4)
        || !ip_addr_is_multicast(a)) {
        return IGMP_BAD_GROUP;
    }
    /* Scope 0 is reserved, scope 1 never leaves the host (RFC 4291 2.7),
     * whatever the flags in front of it are. */
    if (family == IGMP_IPV6 && (a->b[1] & 0x0f) < 2) {
        return IGMP_IGNORED;
    }
    return ip_addr_is_local_multicast(a) ? IGMP_IGNORED : IGMP_OK;
}

/* Where each kind of message is sent to. */
static bool
destination_is_right(const struct igmp_msg *m)
{
    const struct ip_addr *dst = &m->ip_dst;

    switch (m->kind) {
    case IGMP_QUERY:
        /* RFC 3376 4.1.12, RFC 3810 5.1.15.  Some send specific queries to
         * all systems. */
        return is_local(m->family, dst, ALL_SYSTEMS)
               || (!ip_addr_is_any(&m->group)
                   && ip_addr_equal(dst, &m->group));
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
        return ip_addr_equal(dst, &m->group);
    case IGMP_V2_LEAVE:
        /* RFC 2236 3, RFC 2710 4: to all routers, from some to the group. */
        return is_local(m->family, dst, ALL_ROUTERS)
               || ip_addr_equal(dst, &m->group);
    case IGMP_V3_REPORT:
        return is_local(m->family, dst, ALL_V3_ROUTERS);
    case IGMP_ROUTER_SOLICITATION:
        return is_local(m->family, dst, ALL_ROUTERS);
    case IGMP_ROUTER_ADVERTISEMENT:
    case IGMP_ROUTER_TERMINATION:
        return is_local(m->family, dst, ALL_SNOOPERS);
    case IGMP_PIM_HELLO:
        return is_local(m->family, dst, ALL_PIM_ROUTERS);
    }
    return false;
}

/* Does 'm' have a group that it is about? */
static bool
names_group(const struct igmp_msg *m)
{
    return m->kind == IGMP_V1_REPORT || m->kind == IGMP_V2_REPORT
           || m->kind == IGMP_V2_LEAVE
           || (m->kind == IGMP_QUERY && !ip_addr_is_any(&m->group));
}

static bool
source_is_right(const struct igmp_msg *m)
{
    bool is_router =
        m->kind == IGMP_QUERY || m->kind >= IGMP_ROUTER_ADVERTISEMENT;

    if (mac_addr_is_multicast(&m->eth_src)) {
        return false;
    }
    if (m->family == IGMP_IPV6) {
        /* RFC 3810 5.1.14, 5.2.13: link-local.  A host whose address is still
         * being probed reports from ::, and the probe hangs on that report
         * (RFC 3590): a router discards it, a snooper must not. */
        return is_link_local(&m->ip_src)
               || (!is_router && ip_addr_is_any(&m->ip_src));
    }
    /* A host that has no address yet sends from 0.0.0.0 (RFC 3376 4.2.13),
     * and so does a proxy querier (RFC 4541 2.1.1), but no router. */
    return igmp_check_source(IGMP_IPV4, &m->ip_src)
           || (ip_addr_is_any(&m->ip_src)
               && m->kind < IGMP_ROUTER_ADVERTISEMENT);
}

enum igmp_error
igmp_check_msg(const struct igmp_msg *m)
{
    if (m->ttl != 1) {
        return IGMP_BAD_TTL;
    }
    if (!source_is_right(m)) {
        return IGMP_BAD_SOURCE;
    }

    enum igmp_error group =
        names_group(m) ? igmp_check_group(m->family, &m->group) : IGMP_OK;
    if (group == IGMP_BAD_GROUP) {
        return group;
    }

    /* By Ethernet address too: what came to a unicast one was not meant for
     * all routers. */
    struct mac_addr mac = mac_addr_of_group(&m->ip_dst);
    if (!destination_is_right(m) || memcmp(&mac, &m->eth_dst, sizeof mac)) {
        return IGMP_BAD_DESTINATION;
    }
    return group;
}
