/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "tests/unit/route-text.h"

static unsigned int
priority(const char *match)
{
    char text[256];

    snprintf(text, sizeof text, "{\"match\":{%s}}", match);
    struct route *r = good_route(text);
    unsigned int p = route_priority(r);
    route_destroy(r);
    return p;
}

/* Each is above all that stand before it, with room for its levels; and all
 * of them below what the pipeline has above routes. */
static void
the_narrower_wins(void **state)
{
    static const char *const matches[] = {
        "\"group\":\"232.0.0.0/5\"",
        "\"group\":\"232.0.0.0/5\",\"proto\":50",
        "\"group\":\"232.0.0.0/5\",\"udp_dst\":5004",
        "\"group\":\"232.0.0.0/5\",\"vlan\":0",
        "\"group\":\"232.0.0.0/5\",\"vlan\":0,\"udp_dst\":5004",
        "\"group\":\"232.0.0.0/5\",\"dpid\":1,\"port\":\"eth*\"",
        "\"group\":\"232.0.0.0/5\",\"dpid\":1,\"port\":\"eth1\"",
        "\"group\":\"232.0.0.0/5\",\"dpid\":1,\"port\":1,\"vlan\":0,"
        "\"udp_dst\":5004",
        "\"group\":\"232.0.0.0/5\",\"source\":\"10.0.0.0/8\"",
        "\"group\":\"232.0.0.0/5\",\"source\":\"10.1.0.0/16\"",
        "\"group\":\"232.0.0.0/5\",\"source\":\"10.1.0.1\",\"dpid\":1,"
        "\"port\":1,\"vlan\":0,\"udp_dst\":5004",
        "\"group\":\"232.0.0.0/8\"",
        "\"group\":\"232.1.1.1\"",
        "\"group\":\"232.1.1.1\",\"source\":\"10.1.0.1\",\"dpid\":1,"
        "\"port\":1,\"vlan\":0,\"udp_dst\":5004",
    };
    unsigned int before = 0;

    (void) state;
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        unsigned int p = priority(matches[i]);
        if (p < before + ROUTE_LEVELS) {
            fail_msg("%s: %u after %u", matches[i], p, before);
        }
        before = p;
    }
    assert_true(before + ROUTE_LEVELS < 65000);
    /* Which switch is not a matter of precedence: no two have the same. */
    assert_int_equal(priority("\"group\":\"232.1.1.1\",\"dpid\":1"),
                     priority("\"group\":\"232.1.1.1\""));
}

/* What comes out of prefixes, and what it was. */
static void
there_and_back(void **state)
{
    struct route *r = good_route(
        "{\"match\":{\"source\":\"192.168.168.0/24\","
        "\"group\":\"226.2.2.0/24\"},"
        "\"set\":{\"source\":\"10.1.0.0/24\",\"group\":\"239.1.1.0/24\"},"
        "\"to\":[{\"members\":true},{\"members\":true,"
        "\"set\":{\"source\":\"10.2.0.0/24\",\"group\":\"239.2.2.2\"}}]}");
    const struct channel in = {.source = addr("192.168.168.55"),
                               .group = addr("226.2.2.2")};
    const struct channel open = {.vlan = 7};
    struct channel out = route_target_channel(r, &r->targets[0], &in);
    struct ip_addr found, ip;

    (void) state;
    assert_ip(&out.source, "10.1.0.55");
    assert_ip(&out.group, "239.1.1.2");
    out = route_target_channel(r, &r->targets[1], &in);
    assert_ip(&out.source, "10.2.0.55");
    assert_ip(&out.group, "239.2.2.2");
    out = route_target_channel(r, &r->targets[0], &open);
    assert_true(ip_addr_is_any(&out.source) && ip_addr_is_any(&out.group));
    assert_int_equal(out.vlan, 7);

    ip = addr("239.1.1.9");
    assert_true(route_group_origin(r, &r->targets[0], &ip, &found));
    assert_ip(&found, "226.2.2.9");
    ip = addr("239.1.2.9");
    assert_false(route_group_origin(r, &r->targets[0], &ip, &found));
    ip = addr("10.2.0.9");
    assert_true(route_source_origin(r, &r->targets[1], &ip, &found));
    assert_ip(&found, "192.168.168.9");
    assert_false(route_source_origin(r, &r->targets[0], &ip, &found));

    struct ip_addr source = addr("10.1.0.1"), group = addr("239.1.1.1");
    assert_true(route_makes(r, &source, &group));
    source = addr("192.168.168.1");
    assert_false(route_makes(r, &source, &group));
    route_destroy(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrower_wins),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
