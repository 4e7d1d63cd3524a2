/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/fast-path.h"

/* Each copy with a group (and its MAC) and a port of its own. */
static void
make_fan_out(struct ofp_bucket *buckets, size_t n)
{
    memset(buckets, 0, n * sizeof *buckets);
    for (size_t i = 0; i < n; i++) {
        buckets[i].out_port = (uint32_t) i + 1;
        buckets[i].rewrite.set =
            OFP_SET_ETH_DST | OFP_SET_IP_DST | OFP_SET_UDP_DST;
        buckets[i].rewrite.udp_dst = (uint16_t) (5000 + i);
        buckets[i].rewrite.ip_dst = ip_addr_v4(0xef010000 + (uint32_t) i);
        buckets[i].rewrite.eth_dst =
            mac_addr_of_group(&buckets[i].rewrite.ip_dst);
    }
}

/* Where ovs-vswitchd 3.1 was seen to change over. */
static void
limits_are_the_measured_ones(void **state)
{
    (void) state;
    static struct ofp_bucket buckets[1001];
    make_fan_out(buckets, 745);
    assert_int_equal(fast_path_bytes(buckets, 744), 65472);
    assert_true(fast_path_fits(buckets, 744));
    assert_false(fast_path_fits(buckets, 745));

    memset(buckets, 0, sizeof buckets);
    assert_true(fast_path_fits(buckets, 1000));
    assert_false(fast_path_fits(buckets, 1001));
}

/* Likewise, where a copy sets its group and the Ethernet address. */
static void
ipv6_takes_more(void **state)
{
    (void) state;
    static struct ofp_bucket buckets[512];
    make_fan_out(buckets, 512);
    for (size_t i = 0; i < 512; i++) {
        struct ofp_rewrite *rw = &buckets[i].rewrite;
        rw->set = OFP_SET_ETH_DST | OFP_SET_IP_DST;
        rw->ip_dst = (struct ip_addr){
            {0xff, 0x1e, [14] = (uint8_t) (i >> 8), (uint8_t) i}};
        rw->eth_dst = mac_addr_of_group(&rw->ip_dst);
    }
    assert_int_equal(fast_path_bytes(buckets, 511), 511 * 128);
    assert_true(fast_path_fits(buckets, 511));
    assert_false(fast_path_fits(buckets, 512));
}

static void
equal_rewrites_side_by_side_count_once(void **state)
{
    (void) state;
    struct ofp_bucket buckets[4];
    make_fan_out(buckets, 4);
    buckets[1].rewrite = buckets[0].rewrite;
    buckets[3].rewrite = buckets[2].rewrite;
    assert_int_equal(fast_path_bytes(buckets, 4), 4 * 8 + 2 * 80);
}

/* One copy for each host: its MAC address is all that differs. */
static void
unicast_copies_cost_an_address_each(void **state)
{
    (void) state;
    static struct ofp_bucket buckets[1000];
    memset(buckets, 0, sizeof buckets);
    for (size_t i = 0; i < 1000; i++) {
        buckets[i].out_port = 1;
        buckets[i].rewrite.set = OFP_SET_ETH_DST;
        buckets[i].rewrite.eth_dst =
            (struct mac_addr){{2, 0, 0, 0, (uint8_t) (i >> 8), (uint8_t) i}};
    }
    assert_int_equal(fast_path_bytes(buckets, 1000), 40000);
    assert_true(fast_path_fits(buckets, 1000));

    /* What they all share besides is done once. */
    for (size_t i = 0; i < 1000; i++) {
        buckets[i].rewrite.set |= OFP_SET_IP_SRC;
        buckets[i].rewrite.ip_src = ip_addr_v4(0x0a01000a);
    }
    assert_int_equal(fast_path_bytes(buckets, 1000), 40032);
}

/* Each copy into a tunnel is a clone with its outer headers. */
static void
copies_into_tunnels(void **state)
{
    (void) state;
    static struct ofp_bucket buckets[122];
    memset(buckets, 0, sizeof buckets);
    for (uint32_t i = 0; i < 122; i++) {
        buckets[i].out_port = 100;
        buckets[i].rewrite.set = OFP_SET_TUNNEL;
        buckets[i].rewrite.tun_id = 100;
        buckets[i].rewrite.tun_dst = 0x0aff0002 + i;
    }
    assert_int_equal(fast_path_bytes(buckets, 120), 120 * 544);
    assert_true(fast_path_fits(buckets, 120));
    assert_false(fast_path_fits(buckets, 121));
}

/* A copy that wants the packet as it was makes the datapath put that back. */
static void
what_was_set_is_put_back(void **state)
{
    (void) state;
    struct ofp_bucket buckets[2];
    make_fan_out(buckets, 2);
    buckets[1].rewrite.set = 0;
    assert_int_equal(fast_path_bytes(buckets, 2), 2 * 8 + 2 * 80);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_the_measured_ones),
        cmocka_unit_test(ipv6_takes_more),
        cmocka_unit_test(equal_rewrites_side_by_side_count_once),
        cmocka_unit_test(unicast_copies_cost_an_address_each),
        cmocka_unit_test(copies_into_tunnels),
        cmocka_unit_test(what_was_set_is_put_back),
    };
    return cmocka_run_group_tests_name("fast-path", tests, NULL, NULL);
}
