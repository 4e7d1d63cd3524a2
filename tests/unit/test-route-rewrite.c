/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/route-rewrite.h"

static struct ip_addr
addr(const char *s)
{
    struct ip_addr a;
    assert_true(ip_addr_parse(s, &a));
    return a;
}

static void
empty_set_rewrites_nothing(void **state)
{
    (void) state;
    struct route_set set = {.has_ttl = false};
    assert_true(route_set_is_empty(&set));
    assert_int_equal(route_rewrite(&set, 0, 1).set, 0);
}

static void
group_brings_its_ethernet_address(void **state)
{
    (void) state;
    struct route_set set = {.has_group = true, .group = addr("239.129.1.2")};
    struct ofp_rewrite rw = route_rewrite(&set, 0, 1);
    char text[MAC_ADDR_STRLEN];
    assert_int_equal(rw.set, OFP_SET_IP_DST | OFP_SET_ETH_DST);
    /* The lower 23 bits only: RFC 1112 6.4. */
    assert_string_equal(mac_addr_format(&rw.eth_dst, text),
                        "01:00:5e:01:01:02");
}

/* Of the packet's own addresses stays what a prefix leaves. */
static void
prefixes_leave_the_rest(void **state)
{
    (void) state;
    struct route_set set = {.has_source = true,
                            .source = addr("10.1.0.0"),
                            .source_keep = 8,
                            .has_group = true,
                            .group = addr("239.129.0.0"),
                            .group_keep = 16};
    struct ofp_rewrite rw = route_rewrite(&set, 0, 1);
    assert_int_equal(rw.set,
                     OFP_SET_IP_SRC | OFP_SET_IP_DST | OFP_SET_ETH_DST);
    assert_int_equal(rw.ip_src_keep, 8);
    assert_int_equal(rw.ip_dst_keep, 16);
    assert_int_equal(rw.eth_dst_keep, 16);
    /* There are no more than 23 bits of a group in an Ethernet address. */
    set.group = addr("239.0.0.0");
    set.group_keep = 24;
    assert_int_equal(route_rewrite(&set, 0, 1).eth_dst_keep, 23);
    /* Of IPv6 there are 32: RFC 2464 7. */
    static const uint8_t keeps[][2] = {{24, 24}, {32, 32}, {112, 32}};
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; i++) {
        set.group = addr("ff2e::");
        set.group_keep = keeps[i][0];
        rw = route_rewrite(&set, 0, 1);
        assert_int_equal(rw.ip_dst_keep, keeps[i][0]);
        assert_int_equal(rw.eth_dst_keep, keeps[i][1]);
    }
    set.group = addr("ff2e::c5f1:200");
    set.group_keep = 8;
    rw = route_rewrite(&set, 0, 1);
    assert_memory_equal(rw.eth_dst.b, "\x33\x33\xc5\xf1\x02\x00", 6);
}

static void
an_ethernet_address_of_its_own_wins(void **state)
{
    (void) state;
    struct route_set set = {.has_group = true,
                            .group = addr("239.1.0.0"),
                            .group_keep = 16,
                            .has_eth_dst = true,
                            .eth_dst = {{2, 0, 0, 0, 0, 1}}};
    struct ofp_rewrite rw = route_rewrite(&set, 0, 1);
    assert_int_equal(rw.set, OFP_SET_IP_DST | OFP_SET_ETH_DST);
    assert_memory_equal(&rw.eth_dst, &set.eth_dst, sizeof rw.eth_dst);
    assert_int_equal(rw.eth_dst_keep, 0);
    assert_false(route_set_is_empty(&set));
}

static void
vlan_is_pushed_changed_or_popped(void **state)
{
    (void) state;
    struct route_set to_10 = {.has_vlan = true, .vlan = 10};
    struct route_set to_0 = {.has_vlan = true, .vlan = 0};
    assert_int_equal(route_rewrite(&to_10, 0, 1).set, OFP_PUSH_VLAN);
    assert_int_equal(route_rewrite(&to_10, 20, 1).set, OFP_SET_VLAN);
    assert_int_equal(route_rewrite(&to_10, 10, 1).set, 0);
    assert_int_equal(route_rewrite(&to_0, 20, 1).set, OFP_POP_VLAN);
    assert_int_equal(route_rewrite(&to_0, 0, 1).set, 0);
}

static void
auto_source_mac_is_the_switch_s(void **state)
{
    (void) state;
    struct route_set set = {.has_eth_src = true, .eth_src_auto = true};
    struct ofp_rewrite rw = route_rewrite(&set, 0, 0x0000020406080a0cULL);
    char text[MAC_ADDR_STRLEN];
    assert_string_equal(mac_addr_format(&rw.eth_src, text),
                        "02:04:06:08:0a:0c");
}

static void
everything_else_is_copied(void **state)
{
    (void) state;
    struct route_set set = {.has_source = true,
                            .source = addr("10.1.0.10"),
                            .has_udp_dst = true,
                            .udp_dst = 6001,
                            .has_ttl = true,
                            .ttl = 16,
                            .has_dscp = true,
                            .dscp = 46};
    struct ofp_rewrite rw = route_rewrite(&set, -1, 1);
    assert_int_equal(rw.set, OFP_SET_IP_SRC | OFP_SET_UDP_DST | OFP_SET_TTL
                                 | OFP_SET_DSCP);
    assert_memory_equal(&rw.ip_src, &set.source, sizeof rw.ip_src);
    assert_int_equal(rw.udp_dst, 6001);
    assert_int_equal(rw.ttl, 16);
    assert_int_equal(rw.dscp, 46);
}

static void
order_is_total(void **state)
{
    (void) state;
    struct route_set one = {.has_ttl = true, .ttl = 1};
    struct route_set two = {.has_ttl = true, .ttl = 2};
    struct ofp_rewrite a = route_rewrite(&one, 0, 1);
    struct ofp_rewrite b = route_rewrite(&two, 0, 1);
    assert_int_equal(route_rewrite_compare(&a, &a), 0);
    assert_true(route_rewrite_compare(&a, &b) < 0);
    assert_true(route_rewrite_compare(&b, &a) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_set_rewrites_nothing),
        cmocka_unit_test(group_brings_its_ethernet_address),
        cmocka_unit_test(prefixes_leave_the_rest),
        cmocka_unit_test(an_ethernet_address_of_its_own_wins),
        cmocka_unit_test(vlan_is_pushed_changed_or_popped),
        cmocka_unit_test(auto_source_mac_is_the_switch_s),
        cmocka_unit_test(everything_else_is_copied),
        cmocka_unit_test(order_is_total),
    };
    return cmocka_run_group_tests_name("route-rewrite", tests, NULL, NULL);
}
