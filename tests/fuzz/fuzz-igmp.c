/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* An Ethernet frame through the IGMP parser; what it took is iterated over,
 * built again and read again, which must say the same. */

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-msg-private.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

enum { ROOM = 1 << 17 };

static struct ip_addr *
copy_sources(const struct igmp_sources *sources)
{
    struct ip_addr *copy = xcalloc(sources->n, sizeof *copy);

    for (size_t i = 0; i < sources->n; i++) {
        copy[i] = igmp_source_at(sources, i);
        CHECK(sources->width == 16 || ip_addr_is_v4(&copy[i]));
    }
    return copy;
}

static void
check_sources(const struct igmp_sources *a, const struct igmp_sources *b)
{
    CHECK(a->n == b->n);
    CHECK(a->width == b->width);
    CHECK(!a->n || !memcmp(a->bytes, b->bytes, (size_t) a->n * a->width));
}

static void
check_headers(const struct igmp_msg *a, const struct igmp_msg *b)
{
    CHECK(a->family == b->family);
    CHECK(a->kind == b->kind && a->version == b->version);
    CHECK(a->vlan == b->vlan);
    CHECK(!memcmp(&a->eth_src, &b->eth_src, sizeof a->eth_src));
    CHECK(ip_addr_equal(&a->ip_src, &b->ip_src));
    CHECK(b->ttl == 1 && b->router_alert == (b->kind != IGMP_PIM_HELLO));
}

static void
check_query(const struct igmp_msg *m, uint8_t *buf)
{
    struct ip_addr *sources = copy_sources(&m->sources);
    struct igmp_query q = {.family = m->family,
                           .version = m->version,
                           .eth_src = m->eth_src,
                           .vlan = m->vlan,
                           .ip_src = m->ip_src,
                           .group = m->group,
                           .sources = sources,
                           .n_sources = m->sources.n,
                           .max_resp_ms = m->max_resp_ms,
                           .suppress = m->suppress,
                           .qrv = m->qrv,
                           .query_interval_ms = m->query_interval_ms};
    size_t n = igmp_query_encode(&q, buf, ROOM);
    struct igmp_msg again;

    free(sources);
    if (!n) {
        /* Options took less room there. */
        CHECK((size_t) m->sources.n * m->sources.width > 64000);
        return;
    }
    CHECK(!igmp_msg_decode(buf, n, &again));
    check_headers(m, &again);
    CHECK(ip_addr_equal(&m->group, &again.group));
    int64_t least = m->family == IGMP_IPV6 ? 1 : 100;
    CHECK(again.max_resp_ms == (m->max_resp_ms ? m->max_resp_ms : least));
    CHECK(again.suppress == m->suppress && again.qrv == m->qrv);
    CHECK(again.query_interval_ms == m->query_interval_ms);
    check_sources(&m->sources, &again.sources);
}

static void
check_short_report(const struct igmp_msg *m, uint8_t *buf)
{
    struct igmp_report_record record = {.group = m->group};
    struct igmp_report report = {.family = m->family,
                                 .version = m->version,
                                 .leave = m->kind == IGMP_V2_LEAVE,
                                 .eth_src = m->eth_src,
                                 .vlan = m->vlan,
                                 .ip_src = m->ip_src,
                                 .records = &record,
                                 .n_records = 1};
    struct igmp_msg again;
    size_t n = igmp_report_encode(&report, buf, ROOM);

    CHECK(n && !igmp_msg_decode(buf, n, &again));
    check_headers(m, &again);
    CHECK(ip_addr_equal(&m->group, &again.group));
}

static void
check_v3_report(const struct igmp_msg *m, uint8_t *buf)
{
    struct igmp_report_record *records =
        xcalloc(m->n_records, sizeof *records);
    struct igmp_report report = {.family = m->family,
                                 .version = 3,
                                 .eth_src = m->eth_src,
                                 .vlan = m->vlan,
                                 .ip_src = m->ip_src,
                                 .records = records};
    struct igmp_record_cursor c, c2;
    struct igmp_record a, b;
    struct igmp_msg again;

    igmp_record_first(&c, m);
    while (igmp_record_next(&c, &a)) {
        records[report.n_records++] =
            (struct igmp_report_record){.type = a.type,
                                        .group = a.group,
                                        .sources = copy_sources(&a.sources),
                                        .n_sources = a.sources.n};
    }
    CHECK(report.n_records == m->n_records);
    size_t n = igmp_report_encode(&report, buf, ROOM);
    if (n) {
        CHECK(!igmp_msg_decode(buf, n, &again));
        check_headers(m, &again);
        igmp_record_first(&c, m);
        igmp_record_first(&c2, &again);
        while (igmp_record_next(&c, &a)) {
            CHECK(igmp_record_next(&c2, &b));
            CHECK(a.type == b.type && ip_addr_equal(&a.group, &b.group));
            check_sources(&a.sources, &b.sources);
        }
        CHECK(!igmp_record_next(&c2, &b));
    }
    for (size_t i = 0; i < report.n_records; i++) {
        free((void *) (uintptr_t) records[i].sources);
    }
    free(records);
}

static void
check_sign(const struct igmp_msg *m, uint8_t *buf)
{
    struct igmp_sign sign = {.family = m->family,
                             .kind = m->kind,
                             .eth_src = m->eth_src,
                             .vlan = m->vlan,
                             .ip_src = m->ip_src,
                             .lifetime_ms = m->lifetime_ms};
    struct igmp_msg again;
    size_t n = igmp_sign_encode(&sign, buf, ROOM);

    CHECK(m->lifetime_ms >= 0);
    CHECK(n && !igmp_msg_decode(buf, n, &again));
    check_headers(m, &again);
    CHECK(again.lifetime_ms == m->lifetime_ms);
}

static void
run(const uint8_t *data, size_t size)
{
    static uint8_t buf[ROOM];
    struct igmp_msg m;

    if (igmp_msg_decode(data, size, &m)) {
        return;
    }
    if (m.kind == IGMP_QUERY) {
        check_query(&m, buf);
    } else if (m.kind >= IGMP_ROUTER_ADVERTISEMENT) {
        check_sign(&m, buf);
    } else if (m.kind == IGMP_V3_REPORT) {
        check_v3_report(&m, buf);
    } else {
        check_short_report(&m, buf);
    }
}

/* Puts the checksums right, which a fuzzer would hardly hit upon. */
static void
mend_ip4(struct wire_writer *w, size_t ip_at)
{
    uint8_t *ip = w->data + ip_at;
    size_t size = w->at - ip_at;

    if (size < 20) {
        return;
    }
    size_t header = (ip[0] & 0x0fu) * 4;
    size_t total = (size_t) (ip[2] << 8 | ip[3]);
    if (header < 20 || header + 4 > total || total > size) {
        return;
    }
    wire_patch_be16(w, ip_at + 10, 0);
    wire_patch_be16(w, ip_at + 10, wire_checksum(ip, header));
    wire_patch_be16(w, ip_at + header + 2, 0);
    wire_patch_be16(w, ip_at + header + 2,
                    wire_checksum(ip + header, total - header));
}

static void
mend_ip6(struct wire_writer *w, size_t ip_at)
{
    uint8_t *ip = w->data + ip_at;
    size_t size = w->at - ip_at;
    struct ip_addr src, dst;

    if (size < 48) {
        return;
    }
    size_t end = 40 + (size_t) (ip[4] << 8 | ip[5]);
    uint8_t protocol = ip[6] ? ip[6] : ip[40];
    size_t at = ip[6] ? 40 : 40 + ip[41] * (size_t) 8 + 8;
    if (end > size || at + 4 > end) {
        return;
    }
    memcpy(src.b, ip + 8, sizeof src.b);
    memcpy(dst.b, ip + 24, sizeof dst.b);
    wire_patch_be16(w, ip_at + at + 2, 0);
    wire_patch_be16(w, ip_at + at + 2,
                    mld_checksum(&src, &dst, protocol, ip + at, end - at));
}

static void
mend(uint8_t *frame, size_t size)
{
    size_t ip_at = size > 13 && frame[12] == 0x81 ? 18 : 14;
    struct wire_writer w;

    if (size < ip_at) {
        return;
    }
    wire_writer_init(&w, frame, size);
    w.at = size;
    if (frame[ip_at - 2] == 0x86) {
        mend_ip6(&w, ip_at);
    } else {
        mend_ip4(&w, ip_at);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = xmemdup(data, size); /* Of exactly that size. */

    run(data, size);
    mend(copy, size);
    run(copy, size);
    free(copy);
    return 0;
}
