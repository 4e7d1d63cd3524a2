/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lab/arrival.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

enum { SECOND = 1000000000 };

static struct ip_addr
from_in6(const struct in6_addr *in6)
{
    struct ip_addr a;

    memcpy(a.b, in6, sizeof a.b);
    return a;
}

/* What a control message of IPv4 or IPv6 says of the way of a packet. */
static void
read_ip_control(const struct cmsghdr *c, struct mark_path *path)
{
    if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
        || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
        int ttl;

        memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
        path->ttl = (uint8_t) ttl;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;

        memcpy(&info, CMSG_DATA(c), sizeof info);
        path->group = ip_addr_v4(ntohl(info.ipi_addr.s_addr));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;

        memcpy(&info, CMSG_DATA(c), sizeof info);
        path->group = from_in6(&info.ipi6_addr);
    }
}

uint64_t
arrival_read(struct msghdr *msg, struct mark_path *path)
{
    uint64_t when = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            when = (uint64_t) ts.tv_sec * SECOND + (uint64_t) ts.tv_nsec;
        } else if (c->cmsg_level == SOL_PACKET
                   && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;

            memcpy(&aux, CMSG_DATA(c), sizeof aux);
            path->vlan = aux.tp_vlan_tci & 0xfff;
        } else {
            read_ip_control(c, path);
        }
    }
    return when;
}

struct ip_addr
arrival_source(const struct msghdr *msg)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    memcpy(&sin, msg->msg_name, sizeof sin);
    if (sin.sin_family == AF_INET) {
        return ip_addr_v4(ntohl(sin.sin_addr.s_addr));
    }
    memcpy(&sin6, msg->msg_name, sizeof sin6);
    return from_in6(&sin6.sin6_addr);
}
