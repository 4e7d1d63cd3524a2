/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes whose JSON has prefixes, pools, globs and vlans in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "tests/unit/route-text.h"

#include "controller/route.h"

/* A route that matches both prefixes and sets 'set'. */
#define PREFIXES(SET)                                                         \
    "{\"match\":{\"source\":\"192.168.168.0/24\","                            \
    "\"group\":\"226.2.0.0/16\"},\"set\":{" SET "}}"
/* The same with a target's "set" besides. */
#define TARGET(SET, TARGET_SET)                                               \
    "{\"match\":{\"source\":\"192.168.168.0/24\","                            \
    "\"group\":\"226.2.0.0/16\"},\"set\":{" SET "},"                          \
    "\"to\":[{\"members\":true,\"set\":{" TARGET_SET "}}]}"

static void
prefix_to_prefix(void **state)
{
    struct route *r = canonical_route(
        PREFIXES("\"source\":\"10.1.0.0/24\",\"group\":\"239.1.0.0/16\""));

    (void) state;
    assert_true(r->set.has_source && r->set.has_group);
    assert_int_equal(r->set.source_keep, 8);
    assert_int_equal(r->set.group_keep, 16);
    assert_int_equal(ip_addr_to_v4(&r->set.source), 0x0a010000);
    route_destroy(r);
    /* An address is a prefix of 32 bits: nothing of the old one stays. */
    r = canonical_route(PREFIXES("\"source\":\"10.1.0.7\""));
    assert_int_equal(r->set.source_keep, 0);
    route_destroy(r);
    /* A target's own prefix takes the place of the route's. */
    r = canonical_route(
        TARGET("\"source\":\"10.1.0.0/24\"",
               "\"source\":\"10.2.0.0/24\",\"group\":\"239.1.0.0/16\""));
    assert_int_equal(r->targets[0].set.source_keep, 8);
    route_destroy(r);
}

static void
prefixes_that_make_no_sense(void **state)
{
    (void) state;
    assert_refused(PREFIXES("\"source\":\"10.1.0.0/25\""), "/set/source",
                   "same length");
    assert_refused(PREFIXES("\"source\":\"10.1.0.1/24\""), "/set/source",
                   "host bits");
    assert_refused(PREFIXES("\"source\":\"126.0.0.0/7\""), "/set/source",
                   "address of a host");
    assert_refused(PREFIXES("\"source\":\"0.0.0.0/0\""), "/set/source",
                   "address of a host");
    assert_refused(PREFIXES("\"group\":\"239.1.0.0/24\""), "/set/group",
                   "same length");
    assert_refused(PREFIXES("\"group\":\"224.0.0.0/16\""), "/set/group",
                   "link-local");
    assert_refused("{\"match\":{\"group\":\"226.2.2.2\"},"
                   "\"set\":{\"source\":\"10.1.0.0/24\"}}",
                   "/set/source", "same length");
    /* There is nothing left that could stay. */
    assert_refused(
        TARGET("\"source\":\"10.1.0.7\"", "\"source\":\"10.2.0.0/24\""),
        "/to/0/set/source", "one address for all");
    assert_refused(
        TARGET("\"group\":\"239.1.1.1\"", "\"group\":\"239.1.0.0/16\""),
        "/to/0/set/group", "one address for all");
    assert_refused(TARGET("\"source_pool\":\"10.1.0.0/24\"",
                          "\"source\":\"10.2.0.0/24\""),
                   "/to/0/set/source", "one address for all");
}

static void
pools(void **state)
{
    struct route *r =
        canonical_route(PREFIXES("\"source_pool\":\"10.1.0.16/28\""));

    (void) state;
    assert_true(r->set.has_source_pool && !r->set.has_source);
    assert_int_equal(r->set.source_pool.len, 124);
    route_destroy(r);
    assert_refused(PREFIXES("\"source\":\"10.1.0.7\",\"source_pool\":"
                            "\"10.1.0.16/28\""),
                   "/set/source_pool", "either");
    assert_refused(PREFIXES("\"source_pool\":\"10.1.0.17/28\""),
                   "/set/source_pool", "host bits");
    assert_refused(PREFIXES("\"source_pool\":\"239.1.0.16/28\""),
                   "/set/source_pool", "address of a host");
    assert_refused(PREFIXES("\"source_pool\":1"), "/set/source_pool",
                   "string");
    assert_refused(TARGET("", "\"source_pool\":\"10.1.0.16/28\""),
                   "/to/0/set/source_pool", "whole route");
}

static void
ethernet_destination(void **state)
{
    struct route *r =
        canonical_route(PREFIXES("\"eth_dst\":\"01:00:5e:01:01:01\""));

    (void) state;
    assert_true(r->set.has_eth_dst);
    route_destroy(r);
    route_destroy(
        canonical_route(PREFIXES("\"eth_dst\":\"02:00:00:00:00:01\"")));
    route_destroy(
        canonical_route(PREFIXES("\"eth_dst\":\"ff:ff:ff:ff:ff:ff\"")));
    assert_refused(PREFIXES("\"eth_dst\":\"00:00:00:00:00:00\""),
                   "/set/eth_dst", "Ethernet address");
    assert_refused(PREFIXES("\"eth_dst\":\"auto\""), "/set/eth_dst",
                   "Ethernet address");
}

#define TO(TARGET_TEXT)                                                       \
    "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[{" TARGET_TEXT "}]}"
#define DPID "\"dpid\":\"0000000000000001\""

static void
targets(void **state)
{
    struct route *r =
        canonical_route(TO(DPID ",\"port\":\"eth*\",\"when\":\"joined\""));

    (void) state;
    assert_true(r->targets[0].joined && r->targets[0].has_dpid);
    route_destroy(r);
    r = canonical_route(TO("\"vlan\":10," DPID));
    assert_int_equal(r->targets[0].kind, ROUTE_TO_VLAN);
    assert_int_equal(r->targets[0].vlan, 10);
    assert_true(r->targets[0].has_dpid);
    route_destroy(r);
    r = canonical_route(TO("\"vlan\":0,\"set\":{\"ttl\":9}"));
    assert_false(r->targets[0].has_dpid);
    route_destroy(r);

    struct json_error error;
    r = read_route("r", TO(DPID ",\"port\":\"p\",\"when\":\"always\""),
                   &error);
    assert_false(r->targets[0].joined);
    route_destroy(r);
    assert_refused(TO(DPID ",\"port\":\"p\",\"when\":\"never\""), "/to/0/when",
                   "\"joined\"");
    assert_refused(TO("\"members\":true,\"when\":\"joined\""), "/to/0/when",
                   "not known here");
    assert_refused(TO("\"vlan\":4095"), "/to/0/vlan", "0 to 4094");
    assert_refused(TO("\"vlan\":10,\"port\":\"p\""), "/to/0/port",
                   "not known here");
    assert_refused(TO("\"vlan\":10,\"set\":{\"vlan\":11}"), "/to/0/set/vlan",
                   "says already");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_to_prefix),
        cmocka_unit_test(prefixes_that_make_no_sense),
        cmocka_unit_test(pools),
        cmocka_unit_test(ethernet_destination),
        cmocka_unit_test(targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
