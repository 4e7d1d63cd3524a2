/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/mcaddr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

static void
ip_text_both_ways(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "0.0.0.0",  "10.1.0.2",    "226.2.2.2", "255.255.255.255",
        "ff02::16", "2001:db8::1", "fe80::1"};
    char buf[IP_ADDR_STRLEN];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ip_addr a = ip(texts[i]);

        assert_string_equal(ip_addr_format(&a, buf), texts[i]);
    }
    assert_string_equal(ip_addr_format(&IP_ADDR_ANY, buf), "*");
}

static void
ip_text_refused(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "",          "1",        "1.2.3",      "1.2.3.4.5",      "1.2.3.256",
        " 1.2.3.4",  "1.2.3.4 ", "01.2.3.4",   "1.2.3.4/8",      "0x1.2.3.4",
        "1.2.3.4\n", ":::",      "ff02::16%1", "::ffff:1.2.3.4", "*"};
    struct ip_addr a = ip("9.9.9.9"), before = a;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (ip_addr_parse(texts[i], &a)) {
            fail_msg("'%s' was read", texts[i]);
        }
        assert_true(ip_addr_equal(&a, &before));
    }
}

static void
ip_classes(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        bool v4, any, multicast, local;
    } rows[] = {
        {"0.0.0.0", true, true, false, false},
        {"::", false, true, false, false},
        {"::1", false, false, false, false},
        {"10.0.0.1", true, false, false, false},
        {"223.255.255.255", true, false, false, false},
        {"224.0.0.0", true, false, true, true},
        {"224.0.0.255", true, false, true, true},
        {"224.0.1.0", true, false, true, false},
        {"224.1.0.1", true, false, true, false},
        {"239.255.255.250", true, false, true, false},
        {"240.0.0.0", true, false, false, false},
        {"255.255.255.255", true, false, false, false},
        {"ff02::1:ff00:1", false, false, true, true},
        {"ff05::1", false, false, true, false},
        {"ff12::1", false, false, true, false},
        {"fe80::1", false, false, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_addr a = ip(rows[i].text);

        assert_int_equal(ip_addr_is_v4(&a), rows[i].v4);
        assert_int_equal(ip_addr_is_any(&a), rows[i].any);
        assert_int_equal(ip_addr_is_multicast(&a), rows[i].multicast);
        assert_int_equal(ip_addr_is_local_multicast(&a), rows[i].local);
    }
    assert_true(ip_addr_is_any(&IP_ADDR_ANY));
}

static void
ip_senders_and_specific_groups(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        bool sends, specific;
    } rows[] = {
        {"0.0.0.0", false, false},
        {"0.1.2.3", false, false},
        {"10.0.0.1", true, false},
        {"127.0.0.1", false, false},
        {"223.255.255.255", true, false},
        {"231.255.255.255", false, false},
        {"232.0.0.0", false, true},
        {"232.255.255.255", false, true},
        {"233.0.0.0", false, false},
        {"240.0.0.1", false, false},
        {"255.255.255.255", false, false},
        {"::", false, false},
        {"::1", false, false},
        {"fe80::1", true, false},
        {"2001:db8::1", true, false},
        {"ff3e::1", false, true},
        {"ff35::8000:1", false, true},
        {"ff3e:30::1", false, false},
        {"ff2e::1", false, false},
        {"fe3e::1", true, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_addr a = ip(rows[i].text);

        assert_int_equal(ip_addr_can_send(&a), rows[i].sends);
        assert_int_equal(ip_addr_is_source_specific(&a), rows[i].specific);
    }
}

static void
ip_order_and_value(void **state)
{
    (void) state;
    struct ip_addr a = ip_addr_v4(0x0a010002), b = ip("10.1.0.2");

    assert_true(ip_addr_equal(&a, &b));
    assert_int_equal(ip_addr_to_v4(&b), 0x0a010002);
    b = ip("10.1.0.3");
    assert_true(ip_addr_compare(&a, &b) < 0);
    assert_true(ip_addr_compare(&b, &a) > 0);
    b = ip("9.255.255.255");
    assert_true(ip_addr_compare(&b, &a) < 0);
}

static void
ip_lists(void **state)
{
    struct ip_addr list[5], a = ip_addr_v4(1), b = ip_addr_v4(2),
                            c = ip_addr_v4(3), other = ip_addr_v4(4);

    (void) state;
    assert_int_equal(ip_addr_sort(list, 0), 0);
    assert_false(ip_addr_is_listed(list, 0, &a));
    list[0] = list[3] = c;
    list[1] = list[4] = a;
    list[2] = b;
    assert_int_equal(ip_addr_sort(list, 5), 3);
    assert_true(ip_addr_equal(&list[0], &a));
    assert_true(ip_addr_equal(&list[1], &b));
    assert_true(ip_addr_equal(&list[2], &c));
    assert_true(ip_addr_is_listed(list, 3, &a));
    assert_true(ip_addr_is_listed(list, 3, &b));
    assert_true(ip_addr_is_listed(list, 3, &c));
    assert_false(ip_addr_is_listed(list, 3, &other));
}

static void
prefixes(void **state)
{
    (void) state;
    static const char *const good[] = {
        "10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/23", "10.1.0.2",
        "ff3e::/32",  "::/0",      "2001:db8::1"};
    static const char *const bad[] = {
        "10.0.0.1/8",  "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/08",
        "10.0.0.0/+8", "10.0.0.0/8 ", "/8",          "10.0.0.0/8/8",
        "ff3e::/129",  "ff3e::1/32",  "10.0.0.0/-1", "10.0.0.0/1000"};
    char buf[IP_PREFIX_STRLEN];
    struct ip_prefix p;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(ip_prefix_parse(good[i], &p));
        assert_string_equal(ip_prefix_format(&p, buf), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (ip_prefix_parse(bad[i], &p)) {
            fail_msg("'%s' was read", bad[i]);
        }
    }
    assert_true(ip_prefix_parse("10.1.0.2/32", &p));
    assert_true(ip_prefix_is_host(&p));
    assert_string_equal(ip_prefix_format(&p, buf), "10.1.0.2");
}

static void
prefix_contains(void **state)
{
    (void) state;
    static const struct {
        const char *prefix, *address;
        bool in;
    } rows[] = {
        {"10.1.0.0/23", "10.1.1.255", true},
        {"10.1.0.0/23", "10.1.2.0", false},
        {"0.0.0.0/0", "255.1.1.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"10.1.0.2/32", "10.1.0.2", true},
        {"10.1.0.2/32", "10.1.0.3", false},
        {"128.0.0.0/1", "127.255.255.255", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
    };
    struct ip_prefix p;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_addr a = ip(rows[i].address);

        assert_true(ip_prefix_parse(rows[i].prefix, &p));
        assert_int_equal(ip_prefix_contains(&p, &a), rows[i].in);
    }
}

static void
prefixes_and_prefixes(void **state)
{
    static const struct {
        const char *outer, *inner;
        bool covers, overlaps;
    } rows[] = {
        {"226.0.0.0/8", "226.2.2.2", true, true},
        {"226.2.2.2", "226.0.0.0/8", false, true},
        {"226.2.2.2", "226.2.2.2", true, true},
        {"226.0.0.0/8", "227.0.0.0/8", false, false},
        {"ff00::/8", "ff1e::/16", true, true},
        {"ff1e::/16", "ff10::/12", false, true},
        {"ff1e::/16", "ff2e::/16", false, false},
        {"ff00::/8", "239.0.0.0/8", false, false},
    };

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_prefix outer, inner;

        assert_true(ip_prefix_parse(rows[i].outer, &outer));
        assert_true(ip_prefix_parse(rows[i].inner, &inner));
        assert_int_equal(ip_prefix_covers(&outer, &inner), rows[i].covers);
        assert_int_equal(ip_prefix_overlaps(&outer, &inner), rows[i].overlaps);
        assert_int_equal(ip_prefix_overlaps(&inner, &outer), rows[i].overlaps);
    }
}

static void
addresses_join(void **state)
{
    static const struct {
        const char *upper, *lower, *joined;
        unsigned int keep;
    } rows[] = {
        {"10.1.0.0", "192.168.168.55", "10.1.0.55", 8},
        {"10.1.0.0", "192.168.168.55", "10.1.0.0", 0},
        {"10.1.0.32", "192.168.168.61", "10.1.0.45", 4},
        {"128.0.0.0", "63.1.2.3", "191.1.2.3", 31},
        {"2001:db8:9::", "fd00:1::55:7", "2001:db8:9::55:7", 64},
        {"2001:db8:9::", "fd00::1:2:3:4:5:6", "2001:db8:9:2:3:4:5:6", 80},
        {"ff1e:30::", "ff15::2:2", "ff1e:30::2:2", 96},
        {"f000::", "ff15::2:2", "ff15::2:2", 124},
    };
    char buf[IP_ADDR_STRLEN];

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_addr upper = ip(rows[i].upper), lower = ip(rows[i].lower);
        struct ip_addr a = ip_addr_join(&upper, rows[i].keep, &lower);

        assert_string_equal(ip_addr_format(&a, buf), rows[i].joined);
    }
}

static void
macs(void **state)
{
    (void) state;
    static const char *const bad[] = {"",
                                      "00:11:22:33:44",
                                      "00:11:22:33:44:55:66",
                                      "0:11:22:33:44:55",
                                      "00:11:22:33:44:5",
                                      "00:11:22:33:44:5g",
                                      "00-11-22-33-44-55",
                                      "001122334455",
                                      "00:11:22:33:44:55 "};
    char buf[MAC_ADDR_STRLEN];
    struct mac_addr m;

    assert_true(mac_addr_parse("0A:0b:0c:0d:0e:0F", &m));
    assert_string_equal(mac_addr_format(&m, buf), "0a:0b:0c:0d:0e:0f");
    assert_false(mac_addr_is_multicast(&m));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (mac_addr_parse(bad[i], &m)) {
            fail_msg("'%s' was read", bad[i]);
        }
    }
}

static void
mac_of_group(void **state)
{
    (void) state;
    static const char *const rows[][2] = {
        {"226.2.2.2", "01:00:5e:02:02:02"},
        {"239.255.255.250", "01:00:5e:7f:ff:fa"},
        {"224.128.0.1", "01:00:5e:00:00:01"},
        {"ff02::1:ff28:9c5a", "33:33:ff:28:9c:5a"}};
    char buf[MAC_ADDR_STRLEN];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_addr a = ip(rows[i][0]);
        struct mac_addr m = mac_addr_of_group(&a);

        assert_string_equal(mac_addr_format(&m, buf), rows[i][1]);
        assert_true(mac_addr_is_multicast(&m));
    }
}

static void
dpids(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        uint64_t dpid;
    } good[] = {
        {"1", 1},
        {"10", 10},
        {"0x1", 1},
        {"0x10", 16},
        {"0xFFFFFFFFFFFFFFFF", UINT64_MAX},
        {"0000000000000010", 16},
        {"00000000deadbeef", 0xdeadbeef},
        {"00:00:00:00:00:00:00:1f", 0x1f},
    };
    static const char *const bad[] = {"",
                                      "0",
                                      "0x0",
                                      "0x",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1a",
                                      "0x1g",
                                      "00000000000000001",
                                      "0x00000000000000001",
                                      "0000000000000000",
                                      "00:00:00:00:00:00:00",
                                      "00:00:00:00:00:00:00:01:02",
                                      "1:2"};
    char buf[DPID_STRLEN];
    uint64_t dpid;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(dpid_parse(good[i].text, &dpid));
        assert_true(dpid == good[i].dpid);
        uint64_t again;
        assert_true(dpid_parse(dpid_format(dpid, buf), &again));
        assert_true(again == dpid);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (dpid_parse(bad[i], &dpid)) {
            fail_msg("'%s' was read", bad[i]);
        }
    }
    assert_string_equal(dpid_format(1, buf), "0000000000000001");
}

static void
channels(void **state)
{
    (void) state;
    struct channel c = {.group = ip("226.2.2.2")};
    char buf[CHANNEL_STRLEN];

    assert_string_equal(channel_format(&c, buf), "(*,226.2.2.2)");
    c.source = ip("10.1.0.1");
    c.vlan = 10;
    assert_string_equal(channel_format(&c, buf),
                        "(10.1.0.1,226.2.2.2) vlan 10");
    memset(&c, 0xee, sizeof c); /* The longest there is. */
    assert_true(strlen(channel_format(&c, buf)) < CHANNEL_STRLEN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_text_both_ways),
        cmocka_unit_test(ip_text_refused),
        cmocka_unit_test(ip_classes),
        cmocka_unit_test(ip_senders_and_specific_groups),
        cmocka_unit_test(ip_order_and_value),
        cmocka_unit_test(ip_lists),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(prefix_contains),
        cmocka_unit_test(prefixes_and_prefixes),
        cmocka_unit_test(addresses_join),
        cmocka_unit_test(macs),
        cmocka_unit_test(mac_of_group),
        cmocka_unit_test(dpids),
        cmocka_unit_test(channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
