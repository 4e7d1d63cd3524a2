/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config *
parse(const char *text)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config = config_parse("f", text, strlen(text), error);

    if (!config) {
        fail_msg("%s: %s", text, error);
    }
    return config;
}

static void
assert_refused(const char *text, const char *expected)
{
    char error[CONFIG_ERROR_SIZE];

    assert_null(config_parse("f", text, strlen(text), error));
    assert_string_equal(error, expected);
}

static void
tunnels(void **state)
{
    struct topo_port port = {.no = 100, .name = "vx0"};
    uint32_t vni;

    (void) state;
    struct config *c =
        parse("tunnels:\n"
              "  - {dpid: 1, port: vx0, vnis: {\"200\": 10, \"100\": 0},\n"
              "     peers: [10.255.0.3, 10.255.0.2], local: 10.255.0.1,\n"
              "     learn: false, max_peers: 9, querier: false}\n"
              "  - {dpid: 2, port: 100, vnis: {\"100\": 0}}\n"
              "ports:\n"
              "  - {dpid: 2, port: vx0, role: auto}\n");
    const struct config_tunnel *t = config_get_tunnel(c, 1, &port);
    assert_non_null(t);
    assert_int_equal(t->n_vnis, 2);
    assert_int_equal(t->vnis[0].vni, 100);
    assert_true(config_tunnel_vni(t, 10, &vni));
    assert_int_equal(vni, 200);
    assert_false(config_tunnel_vni(t, 1, &vni));
    assert_true(config_tunnel_has_peer(t, 0x0aff0002));
    assert_false(config_tunnel_has_peer(t, 0x0aff0001));
    assert_int_equal(t->local, 0x0aff0001);
    assert_int_equal(t->max_peers, 9);
    assert_false(t->learn || t->querier);
    /* Its ends are hosts, unless the port says something else. */
    assert_int_equal(config_get_port(c, 1, &port, 0).igmp.role,
                     IGMP_ROLE_HOST);
    t = config_get_tunnel(c, 2, &port);
    assert_true(t && t->learn && t->querier && t->max_peers == 256);
    assert_int_equal(config_get_port(c, 2, &port, 0).igmp.role,
                     IGMP_ROLE_AUTO);
    assert_null(config_get_tunnel(c, 3, &port));
    assert_null(config_get_tunnel(c, 1, NULL));
    config_destroy(c);
}

#define TUNNEL "tunnels: [{dpid: 1, port: vx0, vnis: "

static void
impossible_tunnels(void **state)
{
    (void) state;
    assert_refused("tunnels: {}", "f:1:10: \"tunnels\" must be a list");
    assert_refused("tunnels: [{dpid: 1, port: vx0}]",
                   "f:1:11: a tunnel needs \"dpid\", \"port\" and "
                   "\"vnis\"");
    assert_refused(TUNNEL "[]}]",
                   "f:1:38: \"vnis\" must be a map from VNIs to vlans");
    assert_refused(TUNNEL "{0: 1}}]",
                   "f:1:39: a VNI must be from 1 to 16777215");
    assert_refused(TUNNEL "{16777216: 1}}]",
                   "f:1:39: a VNI must be from 1 to 16777215");
    assert_refused(TUNNEL "{1: 4095}}]",
                   "f:1:42: the vlan of a VNI must be from 0 (untagged) to "
                   "4094");
    assert_refused(TUNNEL "{1: 0, 2: 0}}]",
                   "f:1:45: vlan 0 is given to two VNIs");
    assert_refused(TUNNEL "{1: 0, \"1\": 2}}]",
                   "f:1:45: VNI 1 is given twice");
    assert_refused(TUNNEL "{1: 0}, peers: [224.0.0.1]}]",
                   "f:1:54: \"peers\" takes IPv4 addresses of hosts");
    assert_refused(TUNNEL "{1: 0}, peers: [1.2.3.4, 1.2.3.4]}]",
                   "f:1:63: peer 1.2.3.4 is given twice");
    assert_refused(TUNNEL "{1: 0}, local: \"::1\"}]",
                   "f:1:53: \"local\" takes IPv4 addresses of hosts");
    assert_refused(TUNNEL "{1: 0}}, {dpid: 1, port: vx0, vnis: {2: 1}}]",
                   "f:1:47: the tunnel port \"vx0\" is given twice");
    assert_refused(TUNNEL "{1: 0}}, {dpid: 1, port: vx1, vnis: {2: 0}}]",
                   "f:1:47: vlan 0 is in two tunnel ports of the switch: "
                   "what came by one would leave by the other");
    assert_refused("l2: fabric\n" TUNNEL
                   "{1: 0, 2: 7}}, {dpid: 2, port: vx0, vnis: {9: 7}}]",
                   "f:2:10: vlan 7 is in tunnel ports of two switches: with "
                   "\"l2: fabric\" what came by one would leave by the other");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tunnels),
        cmocka_unit_test(impossible_tunnels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
