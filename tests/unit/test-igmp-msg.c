/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "igmp/igmp-msg-private.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

/* Packets as they stand on the wire are in tests/golden; here is what takes
 * many packets: every length, every value. */

static const struct mac_addr MAC = {{2, 0, 0, 0, 0, 2}};

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

static size_t
v3_report(uint8_t *buf, size_t room)
{
    struct ip_addr sources[] = {ip("10.9.0.1"), ip("10.9.0.2")};
    struct igmp_report_record records[] = {
        {IGMP_CHANGE_TO_EXCLUDE, ip("226.2.2.2"), NULL, 0},
        {IGMP_ALLOW_NEW_SOURCES, ip("232.1.1.1"), sources, 2},
    };
    struct igmp_report report = {.version = 3,
                                 .eth_src = MAC,
                                 .vlan = 10,
                                 .ip_src = ip("10.1.0.2"),
                                 .records = records,
                                 .n_records = 2};

    return igmp_report_encode(&report, buf, room);
}

static size_t
v3_query(uint8_t *buf, size_t room)
{
    struct ip_addr sources[] = {ip("10.9.0.1"), ip("10.9.0.2")};
    struct igmp_query q = {.version = 3,
                           .eth_src = MAC,
                           .ip_src = ip("10.1.0.1"),
                           .group = ip("232.1.1.1"),
                           .sources = sources,
                           .n_sources = 2,
                           .max_resp_ms = 1000,
                           .qrv = 2,
                           .query_interval_ms = 125000};

    return igmp_query_encode(&q, buf, room);
}

static size_t
v2_leave(uint8_t *buf, size_t room)
{
    struct igmp_report_record record = {.group = ip("226.2.2.2")};
    struct igmp_report report = {.version = 2,
                                 .leave = true,
                                 .eth_src = MAC,
                                 .ip_src = ip("10.1.0.2"),
                                 .records = &record,
                                 .n_records = 1};

    return igmp_report_encode(&report, buf, room);
}

static size_t
mld2_report(uint8_t *buf, size_t room)
{
    struct ip_addr sources[] = {ip("2001:db8::1"), ip("2001:db8::2")};
    struct igmp_report_record records[] = {
        {IGMP_CHANGE_TO_EXCLUDE, ip("ff15::2:2"), NULL, 0},
        {IGMP_ALLOW_NEW_SOURCES, ip("ff35::1"), sources, 2},
    };
    struct igmp_report report = {.family = IGMP_IPV6,
                                 .version = 3,
                                 .eth_src = MAC,
                                 .vlan = 10,
                                 .ip_src = ip("fe80::2"),
                                 .records = records,
                                 .n_records = 2};

    return igmp_report_encode(&report, buf, room);
}

static size_t
mld2_query(uint8_t *buf, size_t room)
{
    struct ip_addr sources[] = {ip("2001:db8::1"), ip("2001:db8::2")};
    struct igmp_query q = {.family = IGMP_IPV6,
                           .version = 3,
                           .eth_src = MAC,
                           .ip_src = ip("fe80::1"),
                           .group = ip("ff35::1"),
                           .sources = sources,
                           .n_sources = 2,
                           .max_resp_ms = 1000,
                           .qrv = 2,
                           .query_interval_ms = 125000};

    return igmp_query_encode(&q, buf, room);
}

static size_t
mld1_done(uint8_t *buf, size_t room)
{
    struct igmp_report_record record = {.group = ip("ff15::2:2")};
    struct igmp_report report = {.family = IGMP_IPV6,
                                 .version = 2,
                                 .leave = true,
                                 .eth_src = MAC,
                                 .ip_src = ip("fe80::2"),
                                 .records = &record,
                                 .n_records = 1};

    return igmp_report_encode(&report, buf, room);
}

typedef size_t build_fn(uint8_t *buf, size_t room);
static build_fn *const builders[] = {v3_report,   v3_query,   v2_leave,
                                     mld2_report, mld2_query, mld1_done};
enum { N_BUILDERS = sizeof builders / sizeof *builders, N_IPV4 = 3 };

/* A frame cut anywhere is refused, and nothing behind the cut is read (the
 * copy is of exactly that size, for AddressSanitizer). */
static void
truncated_at_every_byte(void **state)
{
    (void) state;
    for (int i = 0; i < N_BUILDERS; i++) {
        uint8_t frame[256];
        size_t size = builders[i](frame, sizeof frame);
        struct igmp_msg m;

        assert_true(size > 0);
        for (size_t n = 0; n < size; n++) {
            uint8_t *cut = xmemdup(frame, n);

            assert_int_equal(igmp_msg_decode(cut, n, &m), IGMP_TRUNCATED);
            free(cut);
        }
        assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    }
}

/* Sets lengths and checksums right for the 'igmp_size' bytes that are kept of
 * 'frame', so that the cut is in the message and not only in the frame. */
static size_t
cut_message(uint8_t *frame, size_t size, size_t ip_at, size_t igmp_size)
{
    size_t igmp_at = ip_at + 24;
    struct wire_writer w;

    wire_writer_init(&w, frame, size);
    w.at = size;
    wire_patch_be16(&w, ip_at + 2, (uint16_t) (24 + igmp_size));
    wire_patch_be16(&w, ip_at + 10, 0);
    wire_patch_be16(&w, ip_at + 10, wire_checksum(frame + ip_at, 24));
    if (igmp_size >= 4) {
        wire_patch_be16(&w, igmp_at + 2, 0);
        wire_patch_be16(&w, igmp_at + 2,
                        wire_checksum(frame + igmp_at, igmp_size));
    }
    return igmp_at + igmp_size;
}

static void
message_cut_at_every_byte(void **state)
{
    (void) state;
    for (int i = 0; i < N_IPV4; i++) {
        uint8_t frame[256];
        size_t size = builders[i](frame, sizeof frame);
        size_t ip_at = frame[12] == 0x81 ? 18 : 14;

        for (size_t n = 0; n < size - ip_at - 24; n++) {
            uint8_t copy[256];
            struct igmp_msg m;

            memcpy(copy, frame, size);
            size_t cut = cut_message(copy, size, ip_at, n);
            uint8_t *exact = xmemdup(copy, cut);
            enum igmp_error error = igmp_msg_decode(exact, cut, &m);

            /* Eight bytes of a v3 query are a v2 query: nothing tells that
             * they were more.  The same holds for no other cut. */
            if (frame[ip_at + 24] == 0x11 && n == 8) {
                assert_int_equal(error, IGMP_OK);
                assert_int_equal(m.version, 2);
            } else {
                assert_int_equal(error,
                                 n < 8 || (frame[ip_at + 24] == 0x11 && n < 12)
                                     ? IGMP_BAD_LENGTH
                                     : IGMP_TRUNCATED);
            }
            free(exact);
        }
    }
}

/* Likewise for the 'icmp_size' bytes that are kept of ICMPv6. */
static size_t
cut_mld(uint8_t *frame, size_t size, size_t ip_at, size_t icmp_size)
{
    size_t icmp_at = ip_at + 48;
    struct ip_addr src, dst;
    struct wire_writer w;

    memcpy(src.b, frame + ip_at + 8, sizeof src.b);
    memcpy(dst.b, frame + ip_at + 24, sizeof dst.b);
    wire_writer_init(&w, frame, size);
    w.at = size;
    wire_patch_be16(&w, ip_at + 4, (uint16_t) (8 + icmp_size));
    if (icmp_size >= 4) {
        wire_patch_be16(&w, icmp_at + 2, 0);
        wire_patch_be16(
            &w, icmp_at + 2,
            mld_checksum(&src, &dst, 58, frame + icmp_at, icmp_size));
    }
    return icmp_at + icmp_size;
}

static void
mld_cut_at_every_byte(void **state)
{
    (void) state;
    for (int i = N_IPV4; i < N_BUILDERS; i++) {
        uint8_t frame[256];
        size_t size = builders[i](frame, sizeof frame);
        size_t ip_at = frame[12] == 0x81 ? 18 : 14;
        uint8_t type = frame[ip_at + 48];

        for (size_t n = 0; n < size - ip_at - 48; n++) {
            uint8_t copy[256];
            struct igmp_msg m;

            memcpy(copy, frame, size);
            size_t cut = cut_mld(copy, size, ip_at, n);
            uint8_t *exact = xmemdup(copy, cut);
            enum igmp_error error = igmp_msg_decode(exact, cut, &m);

            /* 24 bytes of an MLDv2 query are one of MLDv1. */
            if (type == 130 && n == 24) {
                assert_int_equal(error, IGMP_OK);
                assert_int_equal(m.version, 2);
            } else {
                size_t least = type == 143 ? 8 : type == 130 ? 28 : 24;

                assert_int_equal(error,
                                 n < least ? IGMP_BAD_LENGTH : IGMP_TRUNCATED);
            }
            free(exact);
        }
    }
}

/* One wrong bit anywhere in what the checksums cover is noticed. */
static void
every_bit_flip_is_refused(void **state)
{
    (void) state;
    uint8_t frame[256];
    size_t size = v3_report(frame, sizeof frame);

    for (size_t bit = 18 * 8; bit < size * 8; bit++) {
        struct igmp_msg m;

        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
        assert_int_not_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
}

/* IPv6 has no checksum of its header: its addresses and ICMPv6 are covered by
 * the one of ICMPv6.  The type may turn into another protocol's. */
static void
every_bit_flip_of_mld_is_refused(void **state)
{
    (void) state;
    uint8_t frame[256];
    size_t size = mld2_report(frame, sizeof frame);

    for (size_t bit = (18 + 8) * 8; bit < size * 8; bit++) {
        struct igmp_msg m;

        if (bit / 8 == 18 + 40 || bit / 8 == 18 + 40 + 1) {
            continue; /* Of the options: what follows, and their size. */
        }
        if (bit / 8 > 18 + 40 && bit / 8 < 18 + 48) {
            continue; /* The options themselves. */
        }
        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
        assert_int_not_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
        frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
}

static void
encode_needs_room(void **state)
{
    (void) state;
    for (int i = 0; i < N_BUILDERS; i++) {
        uint8_t frame[256];
        size_t size = builders[i](frame, sizeof frame);

        for (size_t room = 0; room < size; room++) {
            uint8_t *exact = xmalloc(room);

            assert_int_equal(builders[i](exact, room), 0);
            free(exact);
        }
        assert_int_equal(builders[i](frame, size), size);
    }
}

static void
records_are_iterated(void **state)
{
    (void) state;
    uint8_t frame[256];
    struct igmp_record_cursor c;
    struct igmp_record record;
    struct igmp_msg m;

    assert_int_equal(
        igmp_msg_decode(frame, v3_report(frame, sizeof frame), &m), IGMP_OK);
    assert_int_equal(m.kind, IGMP_V3_REPORT);
    assert_int_equal(m.vlan, 10);
    assert_true(m.tagged);
    igmp_record_first(&c, &m);
    assert_true(igmp_record_next(&c, &record));
    assert_int_equal(record.type, IGMP_CHANGE_TO_EXCLUDE);
    assert_int_equal(record.sources.n, 0);
    assert_true(igmp_record_next(&c, &record));
    assert_int_equal(ip_addr_to_v4(&record.group), 0xe8010101);
    assert_int_equal(record.sources.n, 2);
    struct ip_addr a = igmp_source_at(&record.sources, 1);
    assert_int_equal(ip_addr_to_v4(&a), 0x0a090002);
    assert_false(igmp_record_next(&c, &record));
}

static void
mld_records_are_iterated(void **state)
{
    (void) state;
    uint8_t frame[256];
    struct igmp_record_cursor c;
    struct igmp_record record;
    struct igmp_msg m;

    assert_int_equal(
        igmp_msg_decode(frame, mld2_report(frame, sizeof frame), &m), IGMP_OK);
    assert_int_equal(m.family, IGMP_IPV6);
    assert_int_equal(m.kind, IGMP_V3_REPORT);
    assert_int_equal(igmp_version_shown(m.family, m.version), 2);
    assert_int_equal(m.vlan, 10);
    igmp_record_first(&c, &m);
    assert_true(igmp_record_next(&c, &record));
    assert_true(ip_addr_equal(
        &record.group, &(struct ip_addr){{0xff, 0x15, [13] = 2, [15] = 2}}));
    assert_int_equal(record.sources.n, 0);
    assert_true(igmp_record_next(&c, &record));
    assert_int_equal(record.sources.n, 2);
    struct ip_addr a = igmp_source_at(&record.sources, 1),
                   b = ip("2001:db8::2");
    assert_true(ip_addr_equal(&a, &b));
    assert_false(igmp_record_next(&c, &record));
}

/* A report or leave has no records to iterate over. */
static void
other_kinds_have_no_records(void **state)
{
    (void) state;
    uint8_t frame[256];
    struct igmp_record_cursor c;
    struct igmp_record record;
    struct igmp_msg m;

    assert_int_equal(igmp_msg_decode(frame, v2_leave(frame, sizeof frame), &m),
                     IGMP_OK);
    igmp_record_first(&c, &m);
    assert_false(igmp_record_next(&c, &record));
}

static void
codes(void **state)
{
    (void) state;
    /* RFC 3376 4.1.1 and the borders of its two forms. */
    assert_int_equal(igmp_code_decode(0), 0);
    assert_int_equal(igmp_code_decode(127), 127);
    assert_int_equal(igmp_code_decode(0x80), 128);
    assert_int_equal(igmp_code_decode(0x8f), 248);
    assert_int_equal(igmp_code_decode(0x90), 256);
    assert_int_equal(igmp_code_decode(0xff), 31744);
    for (unsigned int code = 0; code < 256; code++) {
        assert_int_equal(igmp_code_encode(igmp_code_decode((uint8_t) code)),
                         code);
    }
    /* Rounded down, and monotone. */
    for (unsigned int value = 0; value < 40000; value++) {
        unsigned int told = igmp_code_decode(igmp_code_encode(value));

        assert_true(told <= value);
        assert_true(told * 16 >= (value > 31744 ? 31744 : value) * 15);
    }
}

/* RFC 3810 5.1.3. */
static void
mld_codes(void **state)
{
    (void) state;
    assert_int_equal(mld_code_decode(0x7fff), 32767);
    assert_int_equal(mld_code_decode(0x8000), 32768);
    assert_int_equal(mld_code_decode(0xffff), 8387584);
    for (unsigned int code = 0; code <= UINT16_MAX; code++) {
        assert_int_equal(mld_code_encode(mld_code_decode((uint16_t) code)),
                         code);
    }
    assert_int_equal(mld_code_encode(UINT32_MAX), 0xffff);
    assert_int_equal(mld_code_decode(mld_code_encode(32775)), 32768);
}

/* To one host: only its Ethernet address is another. */
static void
query_to_one_host(void **state)
{
    (void) state;
    struct igmp_query q = {.version = 3,
                           .eth_dst = {{2, 0, 0, 0, 0, 9}},
                           .eth_src = MAC,
                           .ip_src = ip("10.1.0.1"),
                           .max_resp_ms = 1000};

    for (int i = 0; i < 2; i++) {
        uint8_t frame[256];
        struct igmp_msg m;
        size_t size = igmp_query_encode(&q, frame, sizeof frame);

        assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
        assert_memory_equal(&m.eth_dst, &q.eth_dst, sizeof q.eth_dst);
        assert_true(ip_addr_is_local_multicast(&m.ip_dst));
        q.family = IGMP_IPV6;
        q.ip_src = ip("fe80::1");
    }
}

/* What must never be 0, as 0 means something else. */
static void
query_codes_are_never_zero(void **state)
{
    (void) state;
    uint8_t frame[256];
    struct igmp_msg m;
    struct igmp_query q = {.eth_src = MAC,
                           .ip_src = ip("10.1.0.1"),
                           .max_resp_ms = 20,
                           .query_interval_ms = 100};

    for (q.version = 2; q.version <= 3; q.version++) {
        size_t size = igmp_query_encode(&q, frame, sizeof frame);

        assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
        assert_int_equal(m.version, q.version);
        assert_int_equal(m.max_resp_ms, 100);
        assert_int_equal(m.query_interval_ms, q.version == 3 ? 1000 : 0);
    }
}

static void
query_values_are_capped(void **state)
{
    (void) state;
    uint8_t frame[256];
    struct igmp_msg m;
    struct igmp_query q = {.version = 2,
                           .eth_src = MAC,
                           .ip_src = IP_ADDR_ANY,
                           .max_resp_ms = 60 * 1000,
                           .qrv = 9,
                           .query_interval_ms = INT64_MAX / 4};

    size_t size = igmp_query_encode(&q, frame, sizeof frame);
    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    assert_int_equal(m.max_resp_ms, 25500);
    assert_int_equal(ip_addr_to_v4(&m.ip_src), 0);
    q.version = 3;
    size = igmp_query_encode(&q, frame, sizeof frame);
    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    assert_int_equal(m.max_resp_ms, 57600); /* Floating form. */
    assert_int_equal(m.qrv, 0);             /* RFC 3376 4.1.6. */
    assert_int_equal(m.query_interval_ms, 31744000);
}

static void
errors_have_names(void **state)
{
    (void) state;
    assert_string_equal(igmp_error_name(IGMP_OK), "ok");
    assert_string_equal(igmp_error_name(IGMP_BAD_CHECKSUM), "bad-checksum");
    assert_string_equal(igmp_error_meaning(IGMP_BAD_CHECKSUM),
                        "IGMP, ICMPv6 or PIM checksum");
    assert_string_equal(igmp_error_name(IGMP_N_ERRORS), "?");
    assert_string_equal(igmp_error_meaning(IGMP_N_ERRORS), "?");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(message_cut_at_every_byte),
        cmocka_unit_test(mld_cut_at_every_byte),
        cmocka_unit_test(every_bit_flip_is_refused),
        cmocka_unit_test(every_bit_flip_of_mld_is_refused),
        cmocka_unit_test(encode_needs_room),
        cmocka_unit_test(records_are_iterated),
        cmocka_unit_test(mld_records_are_iterated),
        cmocka_unit_test(other_kinds_have_no_records),
        cmocka_unit_test(codes),
        cmocka_unit_test(mld_codes),
        cmocka_unit_test(query_to_one_host),
        cmocka_unit_test(query_codes_are_never_zero),
        cmocka_unit_test(query_values_are_capped),
        cmocka_unit_test(errors_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
