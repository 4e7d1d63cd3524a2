/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include "igmp/igmp-msg-private.h"

/* Building MLD and the IPv6 around it: see igmp-build.c. */

enum {
    IP6_HEADER_SIZE = 40,
    OPTIONS_SIZE = 8,
    IP6_SIZE_AT = 4, /* Offsets: in the IPv6 header, in ICMPv6. */
    ICMPV6_CHECKSUM_AT = 2,
    NEXT_ICMPV6 = 58
};

/* Destinations. */
static const struct ip_addr all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct ip_addr all_routers = {{0xff, 0x02, [15] = 2}};
static const struct ip_addr all_v2_routers = {{0xff, 0x02, [15] = 0x16}};

struct envelope {
    struct mac_addr eth_dst; /* All zero: the group's. */
    const struct mac_addr *eth_src;
    uint16_t vlan;
    const struct ip_addr *ip_src, *ip_dst;
};

/* Returns where the IPv6 header begins. */
static size_t
put_headers(struct wire_writer *w, const struct envelope *e)
{
    igmp_ethernet_put(w, &e->eth_dst, e->eth_src, e->vlan, 0x86dd, e->ip_dst);

    size_t ip_at = w->at;
    wire_put_be32(w, UINT32_C(6) << 28);
    wire_put_be16(w, 0); /* Payload length: later. */
    wire_put_u8(w, 0);   /* Hop-by-hop options. */
    wire_put_u8(w, 1);   /* Hop limit. */
    wire_put(w, e->ip_src->b, sizeof e->ip_src->b);
    wire_put(w, e->ip_dst->b, sizeof e->ip_dst->b);

    wire_put_u8(w, NEXT_ICMPV6);
    wire_put_u8(w, 0);            /* 8 bytes. */
    wire_put_be32(w, 0x05020000); /* Router Alert: MLD, RFC 2711 2.1. */
    wire_put_be16(w, 0x0100);     /* PadN. */
    return ip_at;
}

/* Fills in length and checksum.  Returns the frame's size, 0 if it did not
 * fit. */
static size_t
finish(struct wire_writer *w, size_t ip_at, const struct envelope *e)
{
    size_t icmp_at = ip_at + IP6_HEADER_SIZE + OPTIONS_SIZE;
    size_t payload = w->at - ip_at - IP6_HEADER_SIZE;

    if (w->failed || payload > UINT16_MAX) {
        return 0;
    }
    wire_patch_be16(w, ip_at + IP6_SIZE_AT, (uint16_t) payload);
    wire_patch_be16(w, icmp_at + ICMPV6_CHECKSUM_AT,
                    mld_checksum(e->ip_src, e->ip_dst, NEXT_ICMPV6,
                                 w->data + icmp_at, w->at - icmp_at));
    return w->at;
}

static void
put_start(struct wire_writer *w, uint8_t type)
{
    wire_put_u8(w, type);
    wire_put_u8(w, 0);   /* Code. */
    wire_put_be16(w, 0); /* Checksum: later. */
}

static void
put_addresses(struct wire_writer *w, const struct ip_addr *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wire_put(w, a[i].b, sizeof a[i].b);
    }
}

/* Never 0: answers would come all at once. */
static uint16_t
max_resp_code(const struct igmp_query *q)
{
    unsigned int ms = q->max_resp_ms < 1 ? 1
                      : q->max_resp_ms > INT32_MAX
                          ? INT32_MAX
                          : (unsigned int) q->max_resp_ms;

    if (q->version <= 2) { /* RFC 2710 3.4: no floating form. */
        return (uint16_t) (ms > UINT16_MAX ? UINT16_MAX : ms);
    }
    return mld_code_encode(ms);
}

size_t
mld_query_encode(const struct igmp_query *q, void *buf, size_t room)
{
    struct envelope e = {.eth_dst = q->eth_dst,
                         .eth_src = &q->eth_src,
                         .vlan = q->vlan,
                         .ip_src = &q->ip_src,
                         .ip_dst = ip_addr_is_any(&q->group) ? &all_nodes
                                                             : &q->group};
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    size_t ip_at = put_headers(&w, &e);
    put_start(&w, 130);
    wire_put_be16(&w, max_resp_code(q));
    wire_put_be16(&w, 0); /* Reserved. */
    put_addresses(&w, &q->group, 1);
    if (q->version >= 3) {
        igmp_query_flags_put(&w, q);
        wire_put_be16(&w, (uint16_t) q->n_sources);
        put_addresses(&w, q->sources, q->n_sources);
    }
    return finish(&w, ip_at, &e);
}

static void
put_v2_records(struct wire_writer *w, const struct igmp_report *report)
{
    wire_put_be16(w, 0); /* Reserved. */
    wire_put_be16(w, (uint16_t) report->n_records);
    for (size_t i = 0; i < report->n_records; i++) {
        const struct igmp_report_record *record = &report->records[i];

        wire_put_u8(w, record->type);
        wire_put_u8(w, 0); /* No auxiliary data. */
        wire_put_be16(w, (uint16_t) record->n_sources);
        put_addresses(w, &record->group, 1);
        put_addresses(w, record->sources, record->n_sources);
        w->failed |= record->n_sources > UINT16_MAX;
    }
}

size_t
mld_report_encode(const struct igmp_report *report, void *buf, size_t room)
{
    struct envelope e = {.eth_src = &report->eth_src,
                         .vlan = report->vlan,
                         .ip_src = &report->ip_src,
                         .ip_dst = report->version >= 3 ? &all_v2_routers
                                   : report->leave
                                       ? &all_routers
                                       : &report->records[0].group};
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    size_t ip_at = put_headers(&w, &e);
    if (report->version >= 3) {
        put_start(&w, 143);
        put_v2_records(&w, report);
    } else {
        put_start(&w, report->leave ? 132 : 131);
        wire_put_be32(&w, 0); /* Maximum Response Delay, reserved. */
        put_addresses(&w, &report->records[0].group, 1);
    }
    return finish(&w, ip_at, &e);
}
