/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include "igmp/igmp-msg-private.h"

/* Building MLD: see igmp-build.c. */

/* Destinations. */
static const struct ip_addr all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct ip_addr all_routers = {{0xff, 0x02, [15] = 2}};
static const struct ip_addr all_v2_routers = {{0xff, 0x02, [15] = 0x16}};

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
    struct igmp_envelope e = {.family = IGMP_IPV6,
                              .eth_dst = q->eth_dst,
                              .eth_src = q->eth_src,
                              .vlan = q->vlan,
                              .ip_src = q->ip_src,
                              .ip_dst = ip_addr_is_any(&q->group) ? all_nodes
                                                                  : q->group};
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    igmp_envelope_begin(&e, &w);
    put_start(&w, 130);
    wire_put_be16(&w, max_resp_code(q));
    wire_put_be16(&w, 0); /* Reserved. */
    put_addresses(&w, &q->group, 1);
    if (q->version >= 3) {
        igmp_query_flags_put(&w, q);
        wire_put_be16(&w, (uint16_t) q->n_sources);
        put_addresses(&w, q->sources, q->n_sources);
    }
    return igmp_envelope_end(&e, &w);
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
    struct igmp_envelope e = {.family = IGMP_IPV6,
                              .eth_src = report->eth_src,
                              .vlan = report->vlan,
                              .ip_src = report->ip_src,
                              .ip_dst = report->version >= 3 ? all_v2_routers
                                        : report->leave
                                            ? all_routers
                                            : report->records[0].group};
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    igmp_envelope_begin(&e, &w);
    if (report->version >= 3) {
        put_start(&w, 143);
        put_v2_records(&w, report);
    } else {
        put_start(&w, report->leave ? 132 : 131);
        wire_put_be32(&w, 0); /* Maximum Response Delay, reserved. */
        put_addresses(&w, &report->records[0].group, 1);
    }
    return igmp_envelope_end(&e, &w);
}
