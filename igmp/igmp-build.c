/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include "igmp/igmp-msg-private.h"

/* Building: the other half of igmp-msg.h. */

/* Destinations. */
#define ALL_SYSTEMS    UINT32_C(0xe0000001) /* 224.0.0.1 */
#define ALL_ROUTERS    UINT32_C(0xe0000002) /* 224.0.0.2 */
#define ALL_V3_ROUTERS UINT32_C(0xe0000016) /* 224.0.0.22 */

static void
put_sources(struct wire_writer *w, const struct ip_addr *sources, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wire_put_be32(w, ip_addr_to_v4(&sources[i]));
    }
}

/* Max Resp Code: tenths of a second.  Never 0, which would make a v2 query a
 * v1 query, and answers to a v3 query come all at once. */
static uint8_t
max_resp_code(const struct igmp_query *q)
{
    int64_t tenths = q->max_resp_ms / 100;

    if (q->version == 1) {
        return 0;
    }
    tenths = tenths < 1 ? 1 : tenths;
    if (q->version == 2) {
        return (uint8_t) (tenths > 255 ? 255 : tenths);
    }
    return igmp_code_encode(tenths > UINT16_MAX ? UINT16_MAX
                                                : (unsigned int) tenths);
}

/* QQIC: seconds.  Never 0 for an interval below a second: 0 says nothing. */
static uint8_t
qqi_code(int64_t ms)
{
    int64_t seconds = (ms + 999) / 1000;

    return igmp_code_encode(seconds > UINT16_MAX ? UINT16_MAX
                                                 : (unsigned int) seconds);
}

void
igmp_query_flags_put(struct wire_writer *w, const struct igmp_query *q)
{
    uint8_t qrv = q->qrv <= 7 ? q->qrv : 0; /* RFC 3376 4.1.6. */

    wire_put_u8(w, (uint8_t) ((q->suppress ? 0x08 : 0) | qrv));
    wire_put_u8(w, qqi_code(q->query_interval_ms));
}

static size_t
encode_query(const struct igmp_query *q, void *buf, size_t room)
{
    bool general = ip_addr_is_any(&q->group);
    struct igmp_envelope e = {.eth_dst = q->eth_dst,
                              .eth_src = q->eth_src,
                              .vlan = q->vlan,
                              .ip_src = q->ip_src,
                              .ip_dst = general ? ip_addr_v4(ALL_SYSTEMS)
                                                : q->group};
    struct wire_writer w;

    wire_writer_init(&w, buf, room);
    igmp_envelope_begin(&e, &w);
    wire_put_u8(&w, 0x11);
    wire_put_u8(&w, max_resp_code(q));
    wire_put_be16(&w, 0); /* Checksum. */
    wire_put_be32(&w, general ? 0 : ip_addr_to_v4(&q->group));
    if (q->version >= 3) {
        igmp_query_flags_put(&w, q);
        wire_put_be16(&w, (uint16_t) q->n_sources);
        put_sources(&w, q->sources, q->n_sources);
    }
    return igmp_envelope_end(&e, &w);
}

size_t
igmp_query_encode(const struct igmp_query *q, void *buf, size_t room)
{
    if (q->n_sources > UINT16_MAX) {
        return 0;
    }
    return q->family == IGMP_IPV6 ? mld_query_encode(q, buf, room)
                                  : encode_query(q, buf, room);
}

static void
put_v3_records(struct wire_writer *w, const struct igmp_report *report)
{
    wire_put_u8(w, 0x22);
    wire_put_u8(w, 0);
    wire_put_be16(w, 0); /* Checksum. */
    wire_put_be16(w, 0);
    wire_put_be16(w, (uint16_t) report->n_records);
    for (size_t i = 0; i < report->n_records; i++) {
        const struct igmp_report_record *record = &report->records[i];

        wire_put_u8(w, record->type);
        wire_put_u8(w, 0); /* No auxiliary data. */
        wire_put_be16(w, (uint16_t) record->n_sources);
        wire_put_be32(w, ip_addr_to_v4(&record->group));
        put_sources(w, record->sources, record->n_sources);
        w->failed |= record->n_sources > UINT16_MAX;
    }
}

static size_t
encode_report(const struct igmp_report *report, void *buf, size_t room)
{
    bool leave = report->version == 2 && report->leave;
    struct igmp_envelope e = {.eth_src = report->eth_src,
                              .vlan = report->vlan,
                              .ip_src = report->ip_src};
    struct wire_writer w;

    if (report->version >= 3) {
        e.ip_dst = ip_addr_v4(ALL_V3_ROUTERS);
    } else if (leave) {
        e.ip_dst = ip_addr_v4(ALL_ROUTERS);
    } else {
        e.ip_dst = report->records[0].group;
    }

    wire_writer_init(&w, buf, room);
    igmp_envelope_begin(&e, &w);
    if (report->version >= 3) {
        put_v3_records(&w, report);
    } else {
        wire_put_u8(&w, leave ? 0x17 : report->version == 2 ? 0x16 : 0x12);
        wire_put_u8(&w, 0);
        wire_put_be16(&w, 0); /* Checksum. */
        wire_put_be32(&w, ip_addr_to_v4(&report->records[0].group));
    }
    return igmp_envelope_end(&e, &w);
}

size_t
igmp_report_encode(const struct igmp_report *report, void *buf, size_t room)
{
    if (report->n_records > UINT16_MAX
        || (report->version < 3 && !report->n_records)) {
        return 0;
    }
    return report->family == IGMP_IPV6 ? mld_report_encode(report, buf, room)
                                       : encode_report(report, buf, room);
}
