/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "lib/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 10.1.0.10:5000 to 226.2.2.2:5004, TTL 7, DSCP 46, "hello, world!". */
static const uint8_t ipv4[] =
    "\x01\x00\x5e\x02\x02\x02\x02\x00\x00\x00\x00\x0a\x08\x00\x45\xb8\x00\x29"
    "\x00\x01\x00\x00\x07\x11\xc4\xfc\x0a\x01\x00\x0a\xe2\x02\x02\x02\x13\x88"
    "\x13\x8c\x00\x15\x89\x54\x68\x65\x6c\x6c\x6f\x2c\x20\x77\x6f\x72\x6c\x64"
    "\x21";
/* fd00::1 to ff05::2, hop limit 9, DSCP 46, "hello". */
static const uint8_t ipv6[] =
    "\x01\x00\x5e\x02\x02\x02\x02\x00\x00\x00\x00\x0a\x86\xdd\x6b\x80\x00\x00"
    "\x00\x0d\x11\x09\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x01\xff\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
    "\x13\x88\x13\x8c\x00\x0d\x98\xe4\x68\x65\x6c\x6c\x6f";

enum { SIZE = sizeof ipv4 - 1, SIZE6 = sizeof ipv6 - 1 };
enum { FRAGMENT = 20, SUM = 24, GROUP = 33, UDP_SUM = 40 };

static void
an_ipv4_packet(void **state)
{
    struct headers h;
    char text[IP_ADDR_STRLEN];

    (void) state;
    assert_true(headers_parse(ipv4, SIZE, &h));
    assert_string_equal(ip_addr_format(&h.source, text), "10.1.0.10");
    assert_string_equal(ip_addr_format(&h.destination, text), "226.2.2.2");
    assert_int_equal(h.eth_dst.b[0], 1);
    assert_int_equal(h.eth_src.b[5], 0xa);
    assert_int_equal(h.ttl, 7);
    assert_int_equal(h.dscp, 46);
    assert_int_equal(h.size, 41);
    assert_int_equal(h.vlan, 0);
    assert_true(h.has_udp);
    assert_int_equal(h.udp_src, 5000);
    assert_int_equal(h.udp_dst, 5004);
    assert_false(h.is_fragment);
    assert_int_equal(h.ip_checksum, HEADERS_SUM_GOOD);
    assert_int_equal(h.udp_checksum, HEADERS_SUM_GOOD);
}

static void
an_ipv6_packet(void **state)
{
    struct headers h;

    (void) state;
    assert_true(headers_parse(ipv6, SIZE6, &h));
    assert_int_equal(h.ttl, 9);
    assert_int_equal(h.dscp, 46);
    assert_int_equal(h.size, 53);
    assert_int_equal(h.udp_dst, 5004);
    assert_int_equal(h.udp_checksum, HEADERS_SUM_GOOD);
}

static void
a_tag(void **state)
{
    uint8_t frame[SIZE + 4];
    struct headers h;

    (void) state;
    memcpy(frame, ipv4, 12);
    memcpy(frame + 12, "\x81\x00\x20\x07", 4);
    memcpy(frame + 16, ipv4 + 12, SIZE - 12);
    assert_true(headers_parse(frame, sizeof frame, &h));
    assert_int_equal(h.vlan, 7);
    assert_int_equal(h.udp_checksum, HEADERS_SUM_GOOD);
}

/* With one byte changed. */
static struct headers
changed(size_t at, uint8_t byte)
{
    uint8_t frame[SIZE];
    struct headers h;

    memcpy(frame, ipv4, SIZE);
    frame[at] = byte;
    assert_true(headers_parse(frame, SIZE, &h));
    return h;
}

static void
checksums(void **state)
{
    uint8_t frame[SIZE];
    struct headers h;

    (void) state;
    assert_int_equal(changed(SUM, 1).ip_checksum, HEADERS_SUM_BAD);
    assert_int_equal(changed(SIZE - 1, 1).udp_checksum, HEADERS_SUM_BAD);
    assert_int_equal(changed(GROUP, 9).udp_checksum, HEADERS_SUM_BAD);
    memcpy(frame, ipv4, SIZE);
    memset(frame + UDP_SUM, 0, 2);
    assert_true(headers_parse(frame, SIZE, &h));
    assert_int_equal(h.udp_checksum, HEADERS_SUM_NONE);
    /* Not all of it was shown. */
    assert_true(headers_parse(ipv4, SIZE - 1, &h));
    assert_true(h.has_udp);
    assert_int_equal(h.udp_checksum, HEADERS_SUM_UNKNOWN);
}

static void
fragments(void **state)
{
    struct headers h = changed(FRAGMENT, 0x20);

    (void) state;
    assert_true(h.is_fragment && h.more_fragments && h.has_udp);
    assert_int_equal(h.udp_checksum, HEADERS_SUM_UNKNOWN);
    h = changed(FRAGMENT + 1, 0x10);
    assert_true(h.is_fragment && !h.more_fragments && !h.has_udp);
    assert_int_equal(h.fragment_offset, 128);
}

static void
what_is_none(void **state)
{
    struct headers h;

    (void) state;
    for (size_t size = 0; size < 34; size++) {
        assert_false(headers_parse(ipv4, size, &h));
    }
    for (size_t size = 0; size < 54; size++) {
        assert_false(headers_parse(ipv6, size, &h));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_packet), cmocka_unit_test(an_ipv6_packet),
        cmocka_unit_test(a_tag),          cmocka_unit_test(checksums),
        cmocka_unit_test(fragments),      cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
