/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/xalloc.h"

/* Parses an exact-size copy, so that a sanitizer sees any read past it. */
static struct config *
parse_size(const char *text, size_t size, char error[CONFIG_ERROR_SIZE])
{
    char *copy = xmemdup(text, size);
    struct config *config = config_parse("f", copy, size, error);

    free(copy);
    return config;
}

static struct config *
parse(const char *text)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config = parse_size(text, strlen(text), error);

    if (!config) {
        fail_msg("%s: %s", text, error);
    }
    assert_string_equal(error, "");
    return config;
}

static void
assert_refused(const char *text, const char *expected)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config = parse_size(text, strlen(text), error);

    if (config) {
        fail_msg("accepted: %s", text);
    }
    assert_string_equal(error, expected);
}

/* For errors whose text is libyaml's. */
static void
assert_refused_at(const char *text, size_t size, const char *place)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config = parse_size(text, size, error);

    assert_null(config);
    if (strncmp(error, place, strlen(place))) {
        fail_msg("expected %s..., got %s", place, error);
    }
}

static void
assert_defaults(const struct config *config)
{
    const struct config_vlan *vlan = &config->vlan_default;

    assert_string_equal(config->openflow.host, "127.0.0.1");
    assert_int_equal(config->openflow.port, 6653);
    assert_string_equal(config->api.host, "127.0.0.1");
    assert_int_equal(config->api.port, 8080);
    assert_int_equal(config->probe_interval, 5000);
    assert_string_equal(config->state_dir, "/var/lib/ofmcast");
    assert_int_equal(config->l2, CONFIG_L2_NORMAL);
    assert_int_equal(config->n_vlans, 0);
    assert_true(vlan->igmp[IGMP_IPV4].querier);
    assert_true(ip_addr_is_any(&vlan->igmp[IGMP_IPV4].address));
    assert_int_equal(vlan->igmp[IGMP_IPV4].version, 3);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_interval, 125000);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_response_interval, 10000);
    assert_int_equal(vlan->igmp[IGMP_IPV4].robustness, 2);
    assert_int_equal(vlan->igmp[IGMP_IPV4].last_member_interval, 1000);
    assert_int_equal(vlan->igmp[IGMP_IPV4].last_member_count, 2);
    assert_int_equal(vlan->unregistered, CONFIG_UNREGISTERED_MROUTERS);
    assert_true(vlan->address_auto);
    assert_true(vlan->mld);
    assert_int_equal(vlan->igmp[IGMP_IPV4].family, IGMP_IPV4);
    assert_int_equal(vlan->igmp[IGMP_IPV4].upstream, IGMP_UPSTREAM_PROXY);
    assert_int_equal(vlan->igmp[IGMP_IPV4].max_groups, 0);
    assert_int_equal(vlan->igmp[IGMP_IPV6].family, IGMP_IPV6);
    assert_true(vlan->igmp[IGMP_IPV6].querier);
    assert_true(ip_addr_is_any(&vlan->igmp[IGMP_IPV6].address));
    assert_int_equal(vlan->igmp[IGMP_IPV6].version, 3);
    assert_int_equal(vlan->igmp[IGMP_IPV6].query_interval, 125000);
    assert_int_equal(config->n_ports, 0);
    assert_int_equal(config->n_members, 0);
    assert_string_equal(config->notice, "");
}

static void
test_defaults(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "# nothing\n",
        "---\n",
        "{}",
        "vlans:\n",
        "ports: []\n",
        "members: []\n",
        "openflow:\napi: ~\nvlans: null\nports:\nport_defaults:\nmembers:",
        "vlans: {default: {}}\n",
        "\xef\xbb\xbf{}",
        "{}\r\n"};
    struct config *config = config_default();

    (void) state;
    assert_defaults(config);
    config_destroy(config);
    config_destroy(NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        config = parse(texts[i]);
        assert_defaults(config);
        config_destroy(config);
    }
}

/* The example of the design, as far as this version goes. */
static void
test_every_setting(void **state)
{
    struct config *config = parse(
        "openflow: {listen: \"tcp:192.0.2.1:6633\", probe_interval: 0.5}\n"
        "api: {listen: \"[::1]:0\"}\n"
        "state_dir: ./here\n"
        "l2: none\n"
        "vlans:\n"
        "  \"10\": {querier_address: 10.1.0.1, leave: query}\n"
        "  default: {querier: false, querier_address: auto, igmp_version: 2,\n"
        "            query_interval: 12.5, query_response_interval: 1,\n"
        "            robustness: 7, last_member_interval: 0.1,\n"
        "            last_member_count: 3, leave: query,\n"
        "            unregistered: flood}\n"
        "  4094: {unregistered: drop}\n"
        "  0: {querier: true, query_response_interval: 2.25}\n"
        "ports:\n"
        "  - {dpid: 1, port: s1-eth3}\n");
    const struct config_vlan *vlan = &config->vlan_default;

    (void) state;
    assert_string_equal(config->openflow.host, "192.0.2.1");
    assert_int_equal(config->openflow.port, 6633);
    assert_int_equal(config->probe_interval, 500);
    assert_string_equal(config->api.host, "::1");
    assert_int_equal(config->api.port, 0);
    assert_string_equal(config->state_dir, "./here");
    assert_int_equal(config->l2, CONFIG_L2_NONE);
    assert_false(vlan->igmp[IGMP_IPV4].querier);
    assert_int_equal(vlan->igmp[IGMP_IPV4].version, 2);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_interval, 12500);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_response_interval, 1000);
    assert_int_equal(vlan->igmp[IGMP_IPV4].robustness, 7);
    assert_int_equal(vlan->igmp[IGMP_IPV4].last_member_interval, 100);
    assert_int_equal(vlan->igmp[IGMP_IPV4].last_member_count, 3);
    assert_int_equal(vlan->unregistered, CONFIG_UNREGISTERED_FLOOD);

    /* Sorted, and each built on the defaults, which stand behind "10". */
    assert_int_equal(config->n_vlans, 3);
    assert_int_equal(config->vlans[0].vlan, 0);
    assert_int_equal(config->vlans[1].vlan, 10);
    assert_int_equal(config->vlans[2].vlan, 4094);
    vlan = config_get_vlan(config, 10);
    assert_int_equal(ip_addr_to_v4(&vlan->igmp[IGMP_IPV4].address),
                     0x0a010001);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_interval, 12500);
    assert_false(vlan->igmp[IGMP_IPV4].querier);
    vlan = config_get_vlan(config, 0);
    assert_true(vlan->igmp[IGMP_IPV4].querier);
    assert_int_equal(vlan->igmp[IGMP_IPV4].query_response_interval, 2250);
    assert_int_equal(config_get_vlan(config, 4094)->unregistered,
                     CONFIG_UNREGISTERED_DROP);
    assert_ptr_equal(config_get_vlan(config, 7), &config->vlan_default);
    config_destroy(config);
}

static void
test_bad_keys(void **state)
{
    (void) state;
    assert_refused("x: 1",
                   "f:1:1: unknown key \"x\"; known here: openflow, "
                   "api, state_dir, l2, fabric, vlans, port_defaults, ports, "
                   "members, tunnels, switch_defaults, switches");
    assert_refused("api:\n  Listen: 1",
                   "f:2:3: unknown key \"Listen\"; is \"listen\" meant?");
    assert_refused("vlans:\n  default: {querrier: true}",
                   "f:2:13: unknown key \"querrier\"; is \"querier\" meant?");
    /* Where none is near and there are many, the list ends in dots. */
    assert_refused("vlans: {1: {x: 1}}",
                   "f:1:13: unknown key \"x\"; known here: querier, "
                   "querier_address, igmp_version, query_interval, "
                   "query_response_interval, robustness, "
                   "last_member_interval, last_member_count, unregistered, "
                   "mld, mld_version, mld_querier_address, upstream, re...");
    assert_refused("l2: none\nl2: none", "f:2:1: \"l2\" is given twice");
    assert_refused("vlans: {default: {}, default: {}}",
                   "f:1:22: \"default\" is given twice");
    assert_refused("vlans: {\"5\": {}, 5: {}}",
                   "f:1:18: vlan 5 is given twice");
    assert_refused("vlans: {1: {leave: query, leave: query}}",
                   "f:1:27: \"leave\" is given twice");
    assert_refused("? [a]\n: 1", "f:1:3: a key must be a plain word");
    assert_refused("{{}: 1}", "f:1:2: a key must be a plain word");
    assert_refused("\"a\\e[31mb\\n\": 1",
                   "f:1:1: unknown key \"a?[31mb?\"; known here: openflow, "
                   "api, state_dir, l2, fabric, vlans, port_defaults, ports, "
                   "members, tunnels, switch_defaults, switches");
}

static void
test_bad_vlans(void **state)
{
    static const char *const names[] = {"4095", "-1",  "01",      "1.0",
                                        "0x1",  "ten", "Default", "99999"};
    char text[64], expected[160];

    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(text, sizeof text, "vlans: {%s: {}}", names[i]);
        snprintf(expected, sizeof expected,
                 "f:1:9: \"%s\" is no vlan: use default, \"0\" (untagged) or "
                 "\"1\" to \"4094\"",
                 names[i]);
        assert_refused(text, expected);
    }
    assert_refused("vlans: []", "f:1:8: \"vlans\" must be a map of vlans");
    assert_refused("vlans: {1: 5}",
                   "f:1:12: a vlan must be a map of keys and values");
}

/* 'setting' of a vlan is refused with 'expected'. */
static void
assert_vlan_refused(const char *setting, const char *expected)
{
    char text[160], full[400];

    snprintf(text, sizeof text, "vlans:\n  5: {%s}", setting);
    snprintf(full, sizeof full, "f:2:%d: %s",
             7 + (int) (strchr(setting, ' ') - setting) + 1, expected);
    assert_refused(text, full);
}

static void
test_bad_values(void **state)
{
    static const char *const not_bools[] = {"querier: yes", "querier: True",
                                            "querier: 1", "querier: \"true\"",
                                            "querier: [true]"};
    static const char *const not_ints[] = {
        "robustness: 0",     "robustness: 8",
        "robustness: -1",    "robustness: 2.0",
        "robustness: \"2\"", "robustness: 02",
        "robustness: 0x2",   "robustness: 99999999999999999999",
        "robustness: {}",    "robustness: two"};
    static const char *const not_seconds[] = {
        "query_interval: 0",
        "query_interval: -1",
        "query_interval: 0.09",
        "query_interval: 31745",
        "query_interval: 1e2",
        "query_interval: .5",
        "query_interval: 5.",
        "query_interval: \"5\"",
        "query_interval: 10s",
        "query_interval: nan",
        "query_interval: 1.2.3",
        "query_interval: [1]",
        "query_interval: 99999999999999999999"};
    static const char *const not_addresses[] = {
        "querier_address: 10.1.0.1/24", "querier_address: 224.0.0.1",
        "querier_address: 127.0.0.1",   "querier_address: 255.255.255.255",
        "querier_address: fe80::1",     "querier_address: AUTO"};

    (void) state;
    for (size_t i = 0; i < sizeof not_bools / sizeof *not_bools; i++) {
        assert_vlan_refused(not_bools[i], "\"querier\" must be true or false");
    }
    for (size_t i = 0; i < sizeof not_ints / sizeof *not_ints; i++) {
        assert_vlan_refused(not_ints[i], "\"robustness\" must be a whole "
                                         "number from 1 to 7");
    }
    for (size_t i = 0; i < sizeof not_seconds / sizeof *not_seconds; i++) {
        assert_vlan_refused(not_seconds[i], "\"query_interval\" must be 0.1 "
                                            "to 31744 seconds");
    }
    for (size_t i = 0; i < sizeof not_addresses / sizeof *not_addresses; i++) {
        assert_vlan_refused(not_addresses[i],
                            "\"querier_address\" must be \"auto\" or a host's "
                            "IPv4 address");
    }
    assert_vlan_refused("igmp_version: 4",
                        "\"igmp_version\" must be a whole number from 1 to 3");
    assert_vlan_refused("unregistered: block",
                        "\"unregistered\" must be mrouters, flood or drop");
    assert_refused("state_dir: \"\"", "f:1:12: \"state_dir\" must be a path");
    assert_refused("state_dir: [x]", "f:1:12: \"state_dir\" must be a path");
    assert_refused("[1]", "f:1:1: the configuration must be a map of keys and "
                          "values");
    assert_refused("just text", "f:1:1: the configuration must be a map of "
                                "keys and values");
    assert_refused("api: 5", "f:1:6: api must be a map of keys and values");
    assert_refused("openflow: {probe_interval: 0}",
                   "f:1:28: \"probe_interval\" must be 0.1 to 3600 seconds");
}

static void
test_what_must_fit_together(void **state)
{
    (void) state;
    assert_refused("vlans: {default: {query_interval: 5}}",
                   "f:1:18: query_response_interval (10 s) must be below "
                   "query_interval (5 s)");
    /* Each is fine alone; together with the defaults of the file they are
     * not. */
    assert_refused("vlans:\n"
                   "  7: {query_response_interval: 3}\n"
                   "  default: {query_interval: 2.5,\n"
                   "            query_response_interval: 0.5}",
                   "f:2:6: query_response_interval (3 s) must be below "
                   "query_interval (2.5 s)");
    assert_refused("vlans: {1: {igmp_version: 2, last_member_interval: 25.6}}",
                   "f:1:12: with igmp_version 2, query_response_interval and "
                   "last_member_interval are at most 25.5 seconds");
}

/* Ports of the fabric. */
static struct config_port_l2
port_l2(const struct config *config, uint32_t no, const char *name)
{
    struct topo_port port = {.no = no};

    snprintf(port.name, sizeof port.name, "%s", name);
    return config_get_port_l2(config, 1, &port);
}

static void
test_fabric(void **state)
{
    (void) state;
    struct config *config = parse(
        "l2: fabric\n"
        "fabric: {probe_interval: 0.1, echo_interval: 0.05, hold_time: 0}\n"
        "ports:\n"
        "  - {dpid: 1, port: a, access_vlan: 10, link: never}\n"
        "  - {dpid: 1, port: 7, trunk_vlans: [20, 0, 10]}\n");
    assert_int_equal(config->l2, CONFIG_L2_FABRIC);
    assert_int_equal(config->fabric.probe_interval, 100);
    assert_int_equal(config->fabric.host_probe_interval, 10000);
    assert_int_equal(config->fabric.echo_interval, 50);
    assert_int_equal(config->fabric.hold_time, 0);

    struct config_port_l2 access = port_l2(config, 1, "a");
    assert_int_equal(access.access_vlan, 10);
    assert_false(access.may_link);
    struct config_port_l2 trunk = port_l2(config, 7, "b");
    assert_int_equal(trunk.n_trunk_vlans, 3);
    assert_int_equal(trunk.trunk_vlans[0], 0);
    assert_int_equal(trunk.trunk_vlans[1], 10);
    assert_int_equal(trunk.trunk_vlans[2], 20);
    assert_true(trunk.may_link);
    struct config_port_l2 other = port_l2(config, 8, "c");
    assert_int_equal(other.access_vlan, 0);
    assert_int_equal(other.n_trunk_vlans, 0);
    assert_true(other.may_link);
    config_destroy(config);
}

static void
test_fabric_refused(void **state)
{
    (void) state;
    assert_refused("l2: bridge",
                   "f:1:5: \"l2\" must be fabric, normal or none");
    assert_refused("fabric: {probe_interval: 0.01}",
                   "f:1:26: \"probe_interval\" must be 0.02 to 3600 "
                   "seconds");
    assert_refused("l2: normal\nports: [{dpid: 1, port: p, access_vlan: 10}]",
                   "f:2:41: \"access_vlan\" and \"trunk_vlans\" of a port "
                   "need \"l2: fabric\"");
    /* Of several the first; wherever "l2" stands. */
    assert_refused("ports:\n"
                   "  - {dpid: 1, port: o, trunk_vlans: []}\n"
                   "  - {dpid: 1, port: p, trunk_vlans: [10]}\n"
                   "  - {dpid: 1, port: q, access_vlan: 10}\n"
                   "l2: none\n",
                   "f:3:37: \"access_vlan\" and \"trunk_vlans\" of a port "
                   "need \"l2: fabric\"");
    assert_refused("ports: [{dpid: 1, port: p, access_vlan: 0}]",
                   "f:1:41: \"access_vlan\" takes vlans from 1 to 4094");
    assert_refused("ports: [{dpid: 1, port: p, trunk_vlans: [1, 4095]}]",
                   "f:1:45: \"trunk_vlans\" takes vlans from 0 to 4094");
    assert_refused("ports: [{dpid: 1, port: p, trunk_vlans: [10, 0, 10]}]",
                   "f:1:49: vlan 10 is given twice");
    assert_refused("ports: [{dpid: 1, port: p, trunk_vlans: [0, 4094, 0]}]",
                   "f:1:51: vlan 0 is given twice");
    assert_refused("ports: [{dpid: 1, port: p, trunk_vlans: 5}]",
                   "f:1:41: \"trunk_vlans\" must be a list of vlans");
    assert_refused(
        "l2: fabric\n"
        "ports: [{dpid: 1, port: p, access_vlan: 1, trunk_vlans: [2]}]",
        "f:2:9: a port has \"access_vlan\" or \"trunk_vlans\", not both");
    assert_refused("ports: [{dpid: 1, port: p, link: always}]",
                   "f:1:34: \"link\" must be never or auto");
}

/* Ports. */
static struct config_port_settings
port_settings(const struct config *config, uint64_t dpid, uint32_t no,
              const char *name, uint16_t vlan)
{
    struct topo_port port = {.no = no};

    snprintf(port.name, sizeof port.name, "%s", name);
    return config_get_port(config, dpid, &port, vlan);
}

static void
assert_prefixes(const struct ip_prefix *prefixes, size_t n,
                const char *expected)
{
    char text[200] = "", one[IP_PREFIX_STRLEN];

    for (size_t i = 0; i < n; i++) {
        strcat(text, i ? " " : "");
        strcat(text, ip_prefix_format(&prefixes[i], one));
    }
    assert_string_equal(text, expected);
}

static void
test_port_built_in(void **state)
{
    struct config *config = config_default();
    struct config_port_settings p = port_settings(config, 1, 1, "eth1", 5);

    (void) state;
    assert_int_equal(p.igmp.role, IGMP_ROLE_AUTO);
    assert_int_equal(p.igmp.leave, IGMP_LEAVE_QUERY);
    assert_int_equal(p.igmp.delivery, IGMP_DELIVER_MULTICAST);
    assert_int_equal(p.igmp.unicast_max, 8);
    assert_int_equal(p.igmp.max_groups, 1024);
    assert_int_equal(p.igmp.max_hosts, 1024);
    assert_int_equal(p.max_reports, 5000);
    assert_false(p.igmp.replace);
    assert_int_equal(p.igmp.n_permit, 0);
    assert_int_equal(p.igmp.n_deny, 0);
    p = config_get_port(config, 1, NULL, 0);
    assert_int_equal(p.max_reports, 5000);
    config_destroy(config);
}

/* Each member comes from the nearest that says it. */
static void
test_port_settings_merge(void **state)
{
    struct config *config =
        parse("port_defaults: {role: host, max_groups: 10, max_hosts: 20,\n"
              "                max_reports: 30, limit_action: replace,\n"
              "                permit: [239.0.0.0/8, 'ff3e::/32'],\n"
              "                deny: [239.9.9.9]}\n"
              "vlans:\n"
              "  default: {max_hosts: 21, delivery: auto}\n"
              "  7: {leave: tracked, max_groups: 3, max_groups_per_port: 11,\n"
              "      unicast_max: 2, permit: [232.0.0.0/8]}\n"
              "ports:\n"
              "  - {dpid: 1, port: 4, max_groups: 44, role: auto}\n"
              "  - {dpid: 0x1, port: eth4, max_groups: 12, permit: [],\n"
              "     delivery: unicast, limit_action: deny, max_reports: 0}\n"
              "  - {dpid: 2, port: eth4, role: mrouter, leave: immediate}\n");
    struct config_port_settings p = port_settings(config, 1, 9, "eth9", 5);

    (void) state;
    assert_int_equal(p.igmp.role, IGMP_ROLE_HOST);
    assert_int_equal(p.igmp.leave, IGMP_LEAVE_QUERY);
    assert_int_equal(p.igmp.delivery, IGMP_DELIVER_AUTO);
    assert_int_equal(p.igmp.unicast_max, 8);
    assert_int_equal(p.igmp.max_groups, 10);
    assert_int_equal(p.igmp.max_hosts, 21);
    assert_int_equal(p.max_reports, 30);
    assert_true(p.igmp.replace);
    assert_prefixes(p.igmp.permit, p.igmp.n_permit, "239.0.0.0/8 ff3e::/32");
    assert_prefixes(p.igmp.deny, p.igmp.n_deny, "239.9.9.9");

    p = port_settings(config, 1, 9, "eth9", 7);
    assert_int_equal(p.igmp.leave, IGMP_LEAVE_TRACKED);
    assert_int_equal(p.igmp.delivery, IGMP_DELIVER_AUTO);
    assert_int_equal(p.igmp.unicast_max, 2);
    assert_int_equal(p.igmp.max_groups, 11);
    assert_int_equal(p.igmp.max_hosts, 21);
    assert_prefixes(p.igmp.permit, p.igmp.n_permit, "232.0.0.0/8");
    assert_int_equal(config_get_vlan(config, 7)->igmp[IGMP_IPV4].max_groups,
                     3);
    assert_int_equal(config_get_vlan(config, 7)->igmp[IGMP_IPV6].max_groups,
                     3);

    /* By its name rather than by its number; an empty list permits all. */
    p = port_settings(config, 1, 4, "eth4", 7);
    assert_int_equal(p.igmp.max_groups, 12);
    assert_int_equal(p.igmp.role, IGMP_ROLE_HOST);
    assert_int_equal(p.igmp.delivery, IGMP_DELIVER_UNICAST);
    assert_false(p.igmp.replace);
    assert_int_equal(p.max_reports, 0);
    assert_int_equal(p.igmp.n_permit, 0);
    assert_int_equal(p.igmp.n_deny, 1);

    p = port_settings(config, 1, 4, "other", 7);
    assert_int_equal(p.igmp.max_groups, 44);
    assert_int_equal(p.igmp.role, IGMP_ROLE_AUTO);
    p = port_settings(config, 2, 1, "eth4", 7);
    assert_int_equal(p.igmp.role, IGMP_ROLE_ROUTER);
    assert_int_equal(p.igmp.leave, IGMP_LEAVE_IMMEDIATE);
    p = port_settings(config, 2, 4, "other", 7);
    assert_int_equal(p.igmp.role, IGMP_ROLE_HOST);
    config_destroy(config);
}

static void
test_bad_ports(void **state)
{
    (void) state;
    assert_refused("ports: {}", "f:1:8: \"ports\" must be a list");
    assert_refused("ports: [5]", "f:1:9: a port must be a map of keys and "
                                 "values");
    assert_refused("ports: [{dpid: 1}]",
                   "f:1:9: a port needs \"dpid\" and \"port\"");
    assert_refused("ports: [{port: p}]",
                   "f:1:9: a port needs \"dpid\" and \"port\"");
    assert_refused("ports: [{dpid: 0, port: p}]",
                   "f:1:16: \"dpid\" must be a switch's datapath id, such as "
                   "1, 0x1 or \"0000000000000001\"");
    assert_refused("ports: [{dpid: 1, port: }]",
                   "f:1:25: \"port\" must be a port's name or number");
    assert_refused("ports:\n"
                   " - {dpid: 1, port: p}\n"
                   " - {dpid: 1, port: q}\n"
                   " - {dpid: 2, port: p}\n"
                   " - {dpid: 0x1, port: p}\n",
                   "f:5:4: port \"p\" of switch 0000000000000001 is given "
                   "twice");
}

/* 'setting' of a port is refused at its value, or 'column' into it. */
static void
assert_port_refused(const char *setting, int column, const char *expected)
{
    char text[160], full[400];
    int at = (int) (strchr(setting, ' ') - setting) + 1 + column;

    snprintf(text, sizeof text, "port_defaults: {%s}", setting);
    snprintf(full, sizeof full, "f:1:%d: %s", 17 + at, expected);
    assert_refused(text, full);
    snprintf(text, sizeof text, "ports:\n- {dpid: 1, port: p, %s}", setting);
    snprintf(full, sizeof full, "f:2:%d: %s", 22 + at, expected);
    assert_refused(text, full);
}

static void
test_bad_port_settings(void **state)
{
    static const char prefix[] = "takes groups and prefixes of groups, such "
                                 "as 239.0.0.0/8 or ff3e::/32";
    static const char *const not_groups[] = {
        "10.0.0.0/8", "224.0.0.0/3", "0.0.0.0/0", "239.0.0.1/8",
        "239.0.0/24", "fe80::/10",   "2001::1",   "::/0",
        "fe00::/7",   "any",         "ff02::/129"};
    char setting[64], expected[120];

    (void) state;
    assert_port_refused("role: router", 0,
                        "\"role\" must be auto, host or mrouter");
    assert_port_refused("leave: fast", 0,
                        "\"leave\" must be query, tracked or immediate");
    assert_port_refused("delivery: both", 0,
                        "\"delivery\" must be multicast, unicast or auto");
    assert_port_refused("limit_action: drop", 0,
                        "\"limit_action\" must be deny or replace");
    assert_port_refused("unicast_max: 0", 0,
                        "\"unicast_max\" must be a whole "
                        "number from 1 to 1024");
    assert_port_refused("max_groups: -1", 0,
                        "\"max_groups\" must be a whole "
                        "number from 0 to 1048576");
    assert_port_refused("max_hosts: 1e3", 0,
                        "\"max_hosts\" must be a whole "
                        "number from 0 to 1048576");
    assert_port_refused("max_reports: 1000001", 0,
                        "\"max_reports\" must be a whole number from 0 to "
                        "1000000");
    assert_port_refused("permit: 239.0.0.0/8", 0,
                        "\"permit\" must be a list "
                        "of at most 256 prefixes");
    assert_port_refused("deny: {}", 0,
                        "\"deny\" must be a list of at most "
                        "256 prefixes");
    for (size_t i = 0; i < sizeof not_groups / sizeof *not_groups; i++) {
        snprintf(setting, sizeof setting, "deny: [239.1.1.1, \"%s\"]",
                 not_groups[i]);
        snprintf(expected, sizeof expected, "\"deny\" %s", prefix);
        assert_port_refused(setting, 12, expected);
    }
    assert_port_refused("permit: [[239.1.1.1]]", 1,
                        "\"permit\" takes groups and prefixes of groups, such "
                        "as 239.0.0.0/8 or ff3e::/32");
    assert_vlan_refused("leave: never",
                        "\"leave\" must be query, tracked or immediate");
    assert_vlan_refused("max_reports: 5",
                        "\"max_reports\" is of a port over all vlans: set it "
                        "under port_defaults or ports");
}

/* IPv6, and what is said upstream. */
static void
test_mld_and_upstream(void **state)
{
    struct config *config = parse(
        "vlans:\n"
        "  default: {mld_version: 1, query_interval: 60, upstream: relay,\n"
        "            require_router_alert: true, querier_address: 10.0.0.1}\n"
        "  5: {mld: false, mld_querier_address: 'fe80::5', max_groups: 9}\n"
        "  6: {mld_version: 2, upstream: none, querier_address: auto}\n"
        "  7: {querier: false, querier_address: 0.0.0.0, upstream: proxy}\n");
    const struct config_vlan *v = config_get_vlan(config, 1);
    struct ip_addr five;

    (void) state;
    assert_int_equal(v->igmp[IGMP_IPV6].version, 2);
    assert_int_equal(v->igmp[IGMP_IPV4].version, 3);
    assert_int_equal(v->igmp[IGMP_IPV6].query_interval, 60000);
    assert_int_equal(v->igmp[IGMP_IPV6].upstream, IGMP_UPSTREAM_RELAY);
    assert_true(v->igmp[IGMP_IPV6].require_router_alert);
    assert_true(v->igmp[IGMP_IPV4].require_router_alert);
    assert_false(v->address_auto);

    v = config_get_vlan(config, 5);
    assert_false(v->mld);
    assert_false(v->igmp[IGMP_IPV6].querier);
    assert_true(v->igmp[IGMP_IPV4].querier);
    assert_int_equal(v->igmp[IGMP_IPV4].max_groups, 9);
    assert_true(ip_addr_parse("fe80::5", &five));
    assert_true(ip_addr_equal(&v->igmp[IGMP_IPV6].address, &five));
    assert_int_equal(v->igmp[IGMP_IPV6].family, IGMP_IPV6);

    v = config_get_vlan(config, 6);
    assert_int_equal(v->igmp[IGMP_IPV6].version, 3);
    assert_int_equal(v->igmp[IGMP_IPV4].upstream, IGMP_UPSTREAM_NONE);
    assert_true(v->address_auto);
    assert_true(ip_addr_is_any(&v->igmp[IGMP_IPV4].address));

    v = config_get_vlan(config, 7);
    assert_false(v->igmp[IGMP_IPV6].querier);
    assert_false(v->address_auto);
    assert_true(ip_addr_is_any(&v->igmp[IGMP_IPV4].address));
    assert_int_equal(v->igmp[IGMP_IPV4].upstream, IGMP_UPSTREAM_PROXY);
    config_destroy(config);

    assert_vlan_refused("mld: 1", "\"mld\" must be true or false");
    assert_vlan_refused("mld_version: 3",
                        "\"mld_version\" must be a whole number from 1 to 2");
    assert_vlan_refused("upstream: all",
                        "\"upstream\" must be proxy, relay or none");
    assert_vlan_refused("mld_querier_address: \"2001:db8::1\"",
                        "\"mld_querier_address\" must be \"auto\" or a "
                        "link-local address (fe80::/10)");
    assert_vlan_refused("mld_querier_address: 10.0.0.1",
                        "\"mld_querier_address\" must be \"auto\" or a "
                        "link-local address (fe80::/10)");
    assert_refused("vlans: {1: {mld_version: 1, last_member_interval: 66}}",
                   "f:1:12: with mld_version 1, query_response_interval and "
                   "last_member_interval are at most 65.535 seconds");
    config_destroy(parse("vlans: {1: {mld_version: 1, mld: false,"
                         " last_member_interval: 66}}"));
}

/* Members. */
static void
test_members(void **state)
{
    struct config *config =
        parse("members:\n"
              "- {name: all, dpid: 1, port: 3, group: 239.1.1.1}\n"
              "- {name: some.1, vlan: 10, dpid: 2, port: s1-eth7,\n"
              "   group: 232.1.1.1, sources: [10.1.0.5, 10.1.0.6]}\n"
              "- {name: most, vlan: 4094, dpid: 2, port: s1-eth7,\n"
              "   group: \"ff1e::1\", mode: exclude, sources: ['2001::1']}\n"
              "- {name: up, dpid: 1, port: 9, router: true}\n");
    const struct member *m = config->members;

    (void) state;
    assert_int_equal(config->n_members, 4);
    assert_string_equal(m[0].name, "all");
    assert_int_equal(m[0].vlan, 0);
    assert_int_equal(m[0].dpid, 1);
    assert_string_equal(m[0].port, "3");
    assert_true(m[0].exclude);
    assert_int_equal(m[0].n_sources, 0);
    assert_false(m[0].router);
    assert_int_equal(m[1].vlan, 10);
    assert_false(m[1].exclude);
    assert_int_equal(m[1].n_sources, 2);
    assert_int_equal(ip_addr_to_v4(&m[1].sources[1]), 0x0a010006);
    assert_true(m[2].exclude);
    assert_int_equal(m[2].n_sources, 1);
    assert_true(m[3].router);
    assert_true(ip_addr_is_any(&m[3].group));
    config_destroy(config);
}

static void
assert_member_refused(const char *rest, int column, const char *expected)
{
    char text[200], full[300];

    snprintf(text, sizeof text, "members: [{name: a, dpid: 1, port: p%s}]",
             rest);
    snprintf(full, sizeof full, "f:1:%d: %s", column ? 37 + column : 11,
             expected);
    assert_refused(text, full);
}

static void
test_bad_members(void **state)
{
    (void) state;
    assert_refused("members: {}", "f:1:10: \"members\" must be a list");
    assert_refused("members: [{name: a/b}]",
                   "f:1:18: \"name\" must be 1 to 64 of A-Z, a-z, 0-9, "
                   "\".\", \"_\" and \"-\"");
    assert_refused("members: [{name: a, dpid: 1}]",
                   "f:1:11: a member needs \"name\", \"dpid\" and \"port\"");
    assert_refused("members:\n"
                   "- {name: a, dpid: 1, port: 1, router: true}\n"
                   "- {name: a, dpid: 1, port: 2, router: true}\n",
                   "f:3:3: member \"a\" is given twice");
    /* What makes sense is member_settle()'s; where it stands is ours. */
    assert_member_refused("", 0,
                          "which group? give \"group\", or \"router\": true "
                          "for a port that gets all of them");
    assert_member_refused(", router: true, group: 239.1.1.1", 0,
                          "a router port gets every group: leave \"group\", "
                          "\"mode\" and \"sources\" out, or \"router\"");
    assert_member_refused(", group: 10.0.0.1", 0,
                          "\"group\" must be multicast: within 224.0.0.0/4 or "
                          "ff00::/8");
    assert_member_refused(", group: 239.1.1", 9,
                          "\"group\" must be an IPv4 or IPv6 address");
    assert_member_refused(", group: 239.1.1.1, mode: in", 26,
                          "\"mode\" must be include or exclude");
    assert_member_refused(", group: 239.1.1.1, mode: include", 0,
                          "\"mode\" \"include\" without \"sources\" is "
                          "nobody: leave \"mode\" out for every source");
    assert_member_refused(", group: 239.1.1.1, sources: [x]", 30,
                          "\"sources\" must be an IPv4 or IPv6 address");
    assert_member_refused(", group: 239.1.1.1, sources: ['fe80::1']", 0,
                          "\"sources\" must be of the family of \"group\": "
                          "IPv4 or IPv6");
    assert_member_refused(", group: 239.1.1.1, vlan: 4095", 26,
                          "\"vlan\" must be a whole number from 0 to 4094");
}

static void
test_bad_yaml(void **state)
{
    static const char utf16[] = "\xff\xfe"
                                "l\0"
                                "2\0"
                                ":\0"
                                " \0";

    (void) state;
    assert_refused("a: &x 1", "f:1:4: anchors and aliases are not supported");
    assert_refused("a: *x", "f:1:4: anchors and aliases are not supported");
    assert_refused("&x a: 1", "f:1:1: anchors and aliases are not supported");
    assert_refused("a: &x [1]", "f:1:4: anchors and aliases are not "
                                "supported");
    assert_refused("a: !!str 1", "f:1:4: tags are not supported");
    assert_refused("--- !x {}", "f:1:5: tags are not supported");
    assert_refused("{}\n---\n{}", "f:2:1: only one document is allowed");
    assert_refused("a: [[[[[[[[1]]]]]]]]", "f:1:11: nested too deeply");
    assert_refused("state_dir: \"a\\0b\"",
                   "f:1:12: a NUL character is not allowed");
    assert_refused_at("l2: none\n\tapi: 1", 16, "f:2:1: ");
    assert_refused_at("api: {listen", 12, "f:2:1: ");
    assert_refused_at("a: 1\nb: \xff\n", 11, "f:2:4: ");
    assert_refused_at("a\0b", 3, "f:1:2: ");
    assert_refused_at(utf16, sizeof utf16 - 1, "f:1:1: ");
    assert_refused_at("%YAML 3.0\n---\n{}", 16, "f:1:1: ");
}

/* "a: &a [x,x..] b: &b [*a,*a..]": refused at its first line. */
static void
test_bomb(void **state)
{
    (void) state;
    assert_refused("vlans: &a [x,x,x,x]\nports: &b [*a,*a,*a,*a]\n",
                   "f:1:8: anchors and aliases are not supported");
}

static void
test_size(void **state)
{
    size_t size = (1 << 20) + 1;
    char *text = xmalloc(size), error[CONFIG_ERROR_SIZE];

    (void) state;
    /* One long comment, or very many entries. */
    memset(text, '#', size);
    struct config *config = parse_size(text, size - 1, error);
    assert_non_null(config);
    config_destroy(config);
    assert_null(parse_size(text, size, error));
    assert_string_equal(error, "f: larger than 1048576 bytes");

    memset(text, '[', size);
    assert_refused_at(text, size - 1, "f:1:9: nested too deeply");
    for (size_t i = 0; i < size; i++) {
        text[i] = i % 2 ? ',' : i ? '1' : '[';
    }
    text[1] = '1';
    assert_refused_at(text, size - 1, "f:1:");
    assert_non_null(strstr(error, "larger"));
    free(text);
}

/* Files. */
static struct config *
load_text(const char *file, mode_t mode, char error[CONFIG_ERROR_SIZE])
{
    static const char text[] = "l2: none\n";
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return config_load(file, error);
}

static void
test_files(void **state)
{
    char dir[] = "/tmp/ofmcast-config-XXXXXX", error[CONFIG_ERROR_SIZE];
    char expected[128];

    (void) state;
    assert_non_null(mkdtemp(dir));

    char *file = xasprintf("%s/a.yaml", dir), *fifo = xasprintf("%s/f", dir);
    struct config *config = load_text(file, 0600, error);
    assert_non_null(config);
    assert_int_equal(config->l2, CONFIG_L2_NONE);
    assert_string_equal(config->notice, "");
    config_destroy(config);

    config = load_text(file, 0666, error);
    assert_non_null(config);
    snprintf(expected, sizeof expected, "%s: anybody may write to it", file);
    assert_string_equal(config->notice, expected);
    config_destroy(config);

    /* A symbolic link is followed. */
    assert_int_equal(symlink(file, fifo), 0);
    config = config_load(fifo, error);
    assert_non_null(config);
    config_destroy(config);
    unlink(fifo);

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_null(config_load(fifo, error));
    assert_non_null(strstr(error, "/f: not a regular file"));
    assert_null(config_load(dir, error));
    assert_non_null(strstr(error, "not a regular file"));
    assert_null(config_load("/dev/zero", error));
    assert_string_equal(error, "/dev/zero: not a regular file");
    assert_null(config_load("/nowhere/x", error));
    assert_string_equal(error, "/nowhere/x: No such file or directory");
    unlink(fifo);
    unlink(file);
    rmdir(dir);
    free(file);
    free(fifo);
}

static void
test_listen(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      ":80",
                                      "127.0.0.1:x",
                                      "host:80",
                                      "127.0.0.1:80 ",
                                      "::1:80",
                                      "[::1]",
                                      "[::1]80",
                                      "[127.0.0.1]:80",
                                      "[::1:80",
                                      "[]:80",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:+80",
                                      "tcp:127.0.0.1:80",
                                      "127.0.0.1:0x50",
                                      "127.0.0.1:000080"};
    struct config_listen listen = {.port = 7};

    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(config_listen_parse(bad[i], false, &listen));
    }
    assert_false(config_listen_parse("127.0.0.1:80", true, &listen));
    assert_false(config_listen_parse("ssl:127.0.0.1:80", true, &listen));
    assert_int_equal(listen.port, 7);
    assert_true(config_listen_parse("tcp:0.0.0.0:65535", true, &listen));
    assert_string_equal(listen.host, "0.0.0.0");
    assert_int_equal(listen.port, 65535);
    assert_true(config_listen_parse("[::]:1", false, &listen));
    assert_string_equal(listen.host, "::");
}

static void
test_switches(void **state)
{
    struct config *c;

    (void) state;
    c = parse("");
    assert_int_equal(config_get_datapath(c, 1), CONFIG_DATAPATH_NETDEV);
    config_destroy(c);
    /* A switch of which nothing is said is as all are, whatever is first. */
    c = parse("switches:\n"
              "  - {dpid: 1, datapath: netdev}\n"
              "  - {dpid: 2}\n"
              "switch_defaults: {datapath: kernel}\n");
    assert_int_equal(config_get_datapath(c, 1), CONFIG_DATAPATH_NETDEV);
    assert_int_equal(config_get_datapath(c, 2), CONFIG_DATAPATH_KERNEL);
    assert_int_equal(config_get_datapath(c, 3), CONFIG_DATAPATH_KERNEL);
    config_destroy(c);
    c = parse("switch_defaults:\nswitches:\n");
    assert_int_equal(c->n_switches, 0);
    config_destroy(c);

    assert_refused("switches: {1: {}}", "f:1:11: \"switches\" must be a list");
    assert_refused("switches: [{datapath: kernel}]",
                   "f:1:12: a switch needs \"dpid\"");
    assert_refused("switches: [{dpid: 1}, {dpid: 0x1}]",
                   "f:1:23: switch 0000000000000001 is given twice");
    assert_refused("switches: [{dpid: 1, datapath: system}]",
                   "f:1:32: \"datapath\" must be netdev or kernel");
    assert_refused("switch_defaults: {dpid: 1}",
                   "f:1:19: unknown key \"dpid\"; known here: datapath");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_setting),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_bad_vlans),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_what_must_fit_together),
        cmocka_unit_test(test_fabric),
        cmocka_unit_test(test_fabric_refused),
        cmocka_unit_test(test_port_built_in),
        cmocka_unit_test(test_port_settings_merge),
        cmocka_unit_test(test_bad_ports),
        cmocka_unit_test(test_bad_port_settings),
        cmocka_unit_test(test_mld_and_upstream),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_bad_members),
        cmocka_unit_test(test_bad_yaml),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_switches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
