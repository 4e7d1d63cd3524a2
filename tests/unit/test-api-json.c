/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "api/api-problem.h"

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

/* Deletes 'json'. */
static void
assert_json(struct cJSON *json, const char *expected)
{
    size_t size;
    char *text = api_json_print(json, &size);

    assert_int_equal(strlen(text), size);
    assert_int_equal(text[size - 1], '\n');
    text[size - 1] = '\0';
    assert_string_equal(text, expected);
    free(text);
}

/* The shape of design.md 6.1. */
static void
test_group(void **state)
{
    struct ip_addr source = ip("10.1.0.9");
    struct view_host host = {.mac = {{0, 0, 0, 0, 0, 2}},
                             .ip = ip("10.1.0.2"),
                             .version = 3,
                             .exclude = true,
                             .sources = &source,
                             .n_sources = 1,
                             .age_ms = 4900};
    struct view_member member = {.port = {1, 2},
                                 .port_name = "s1-eth2",
                                 .exclude = true,
                                 .version = 3,
                                 .origin = "igmp",
                                 .fixed_by = "recorder,spare",
                                 .delivery = "unicast",
                                 .expires_ms = 255100,
                                 .hosts = &host,
                                 .n_hosts = 1};
    struct view_group_switch sw = {1,  IP_ADDR_ANY, 0x4d000001, VIEW_APPLIED,
                                   "", 10,          UINT64_MAX};
    struct view_group g = {0, ip("226.2.2.2"), &member, 1, &sw, 1};

    (void) state;
    assert_json(
        api_json_group(&g),
        "{\"vlan\":0,\"group\":\"226.2.2.2\",\"members\":[{"
        "\"dpid\":\"0000000000000001\",\"port\":2,\"port_name\":\"s1-eth2\","
        "\"mode\":\"exclude\",\"sources\":[],\"version\":3,"
        "\"origin\":\"igmp\",\"static\":[\"recorder\",\"spare\"],"
        "\"delivery\":\"unicast\",\"expires_s\":255.1,\"hosts\":[{"
        "\"mac\":\"00:00:00:00:00:02\",\"ip\":\"10.1.0.2\",\"version\":3,"
        "\"mode\":\"exclude\",\"sources\":[\"10.1.0.9\"],"
        "\"age_s\":4.9}]}],"
        "\"switches\":[{\"dpid\":\"0000000000000001\","
        "\"group_id\":\"0x4d000001\",\"source\":\"*\",\"state\":\"applied\","
        "\"error\":\"\",\"packets\":\"0xa\","
        "\"bytes\":\"0xffffffffffffffff\"}]}");
}

static void
test_group_with_sources(void **state)
{
    struct ip_addr sources[] = {ip("10.1.0.9"), ip("10.1.0.10")};
    struct view_member member = {.port = {UINT64_MAX, 0xfffffffe},
                                 .port_name = "LOCAL",
                                 .version = 3,
                                 .origin = "restored",
                                 .fixed_by = "",
                                 .delivery = "multicast",
                                 .expires_ms = -1,
                                 .sources = sources,
                                 .n_sources = 2};
    struct view_group g = {4094, ip("ff0e::1"), &member, 1, NULL, 0};

    (void) state;
    assert_json(api_json_group(&g),
                "{\"vlan\":4094,\"group\":\"ff0e::1\",\"members\":[{"
                "\"dpid\":\"ffffffffffffffff\",\"port\":4294967294,"
                "\"port_name\":\"LOCAL\",\"mode\":\"include\","
                "\"sources\":[\"10.1.0.9\",\"10.1.0.10\"],\"version\":3,"
                "\"origin\":\"restored\",\"delivery\":\"multicast\","
                "\"expires_s\":null,\"hosts\":[]}],"
                "\"switches\":[]}");
}

static const char SWITCH[] =
    "{\"dpid\":\"0000000000000001\",\"connected\":true,\"synced\":false,"
    "\"peer\":\"127.0.0.1:40112\",\"since_s\":1.5,\"description\":{"
    "\"manufacturer\":\"Nicira, Inc.\",\"hardware\":\"Open vSwitch\","
    "\"software\":\"3.1.0\",\"serial\":\"None\",\"datapath\":\"s1\"},"
    "\"datapath\":\"kernel\",\"datapath_seen\":\"netdev\","
    "\"ports\":[{\"port\":1,\"name\":\"s1-eth1\","
    "\"mac\":\"02:00:00:00:00:01\",\"state\":\"up\",\"kind\":\"host\","
    "\"counters\":{\"rx_packets\":\"0x7\",\"rx_bytes\":\"0x0\","
    "\"rx_dropped\":\"0x0\",\"rx_errors\":\"0x0\","
    "\"tx_packets\":\"0xfffffffffffffffe\",\"tx_bytes\":\"0x0\","
    "\"tx_errors\":\"0x0\"},"
    "\"refused\":{\"port-groups\":\"0x3\","
    "\"rate\":\"0x20000000000001\"}},"
    "{\"port\":100,\"name\":\"vx0\",\"mac\":\"00:00:00:00:00:00\","
    "\"state\":\"down\",\"kind\":\"tunnel\",\"tunnel\":{\"vnis\":[{"
    "\"vni\":200,\"vlan\":10}],\"peers\":[{\"vtep\":\"10.255.0.2\","
    "\"origin\":\"learned\"}],\"local\":\"10.255.0.1\","
    "\"querier\":true,\"overhead\":50}}],"
    "\"flows\":0,\"groups\":0,\"foreign_flows\":0,\"foreign_groups\":2,"
    "\"pending\":0,\"rejected\":0,\"counters\":{"
    "\"packet_ins\":\"0x20000000000001\",\"packet_outs\":\"0x0\","
    "\"messages_in\":\"0x0\",\"messages_out\":\"0x0\",\"errors\":\"0x0\","
    "\"flow_mods\":\"0x0\",\"group_mods\":\"0x0\",\"rounds\":\"0x0\","
    "\"bundles\":\"0x0\",\"drift\":\"0x0\"}}";

static void
test_switch(void **state)
{
    struct view_guard guards[] = {
        {{1, 1}, "s1-eth1", "port-groups", 3},
        {{1, 1}, "s1-eth1", "rate", UINT64_C(1) << 53 | 1}};
    const struct view_vni vni = {200, 10};
    const struct view_peer peer = {ip("10.255.0.2"), "learned"};
    const struct view_tunnel tunnel = {.vnis = &vni,
                                       .n_vnis = 1,
                                       .peers = &peer,
                                       .n_peers = 1,
                                       .local = ip("10.255.0.1"),
                                       .querier = true};
    const struct view_port_counters counters = {.rx_packets = 7,
                                                .tx_packets = UINT64_MAX - 1,
                                                .tx_dropped =
                                                    VIEW_NOT_COUNTED};
    struct view_port ports[] = {
        {.no = 1,
         .name = "s1-eth1",
         .mac = {{2, 0, 0, 0, 0, 1}},
         .up = true,
         .kind = "host",
         .guards = guards,
         .n_guards = 2,
         .counters = &counters},
        {.no = 100, .name = "vx0", .kind = "tunnel", .tunnel = &tunnel}};
    struct view_switch s = {
        .dpid = 1,
        .connected = true,
        .peer = "127.0.0.1:40112",
        .since_ms = 1500,
        .manufacturer = "Nicira, Inc.",
        .hardware = "Open vSwitch",
        .software = "3.1.0",
        .serial = "None",
        .datapath = "s1",
        .datapath_type = "kernel",
        .datapath_seen = "netdev",
        .ports = ports,
        .n_ports = 2,
        .packet_ins = UINT64_C(1) << 53 | 1,
        .foreign_groups = 2,
    };

    (void) state;
    assert_json(api_json_switch(&s), SWITCH);
}

static void
test_stream(void **state)
{
    struct view_stream s = {
        .vlan = 10,
        .source = ip("192.168.168.55"),
        .group = ip("226.2.2.2"),
        .port = {1, 1},
        .port_name = "s1-eth1",
        .packets_per_s = 5000.12345,
        .bits_per_s = 1.0 / 0.0,
        .route = "",
        .n_receivers = 2,
    };

    (void) state;
    assert_json(api_json_stream(&s),
                "{\"vlan\":10,\"source\":\"192.168.168.55\","
                "\"group\":\"226.2.2.2\",\"dpid\":\"0000000000000001\","
                "\"port\":1,\"port_name\":\"s1-eth1\",\"packets\":\"0x0\","
                "\"bytes\":\"0x0\",\"packets_per_s\":5000.123,"
                "\"bits_per_s\":0,\"ttl\":null,\"size\":null,\"route\":null,"
                "\"receivers\":2,"
                "\"age_s\":0}");
}

/* The address of a proxy query is an address, not a wildcard. */
static void
test_querier(void **state)
{
    struct view_querier q = {.family = 4,
                             .enabled = true,
                             .ours = true,
                             .version = 3,
                             .next_query_ms = 100,
                             .expires_ms = INT64_MAX,
                             .query_interval_ms = 125000,
                             .robustness = 2};

    (void) state;
    assert_json(api_json_querier(&q),
                "{\"vlan\":0,\"family\":4,\"enabled\":true,\"ours\":true,"
                "\"address\":\"0.0.0.0\",\"version\":3,\"since_s\":0,"
                "\"next_query_s\":0.1,\"expires_s\":null,"
                "\"query_interval_s\":125,\"robustness\":2,"
                "\"falls_back\":false,\"routers\":[]}");
}

static void
test_foreign_querier(void **state)
{
    struct view_router router = {{1, 3}, "s1-eth3", "query",
                                 true,   "core,up", 255000};
    struct view_querier q = {.vlan = 10,
                             .family = 6,
                             .enabled = true,
                             .address = ip("fe80::1"),
                             .port = {1, 3},
                             .version = 1,
                             .next_query_ms = -1,
                             .expires_ms = 255000,
                             .query_interval_ms = 125000,
                             .robustness = 2,
                             .falls_back = true,
                             .routers = &router,
                             .n_routers = 1};

    (void) state;
    assert_json(
        api_json_querier(&q),
        "{\"vlan\":10,\"family\":6,\"enabled\":true,"
        "\"ours\":false,\"address\":\"fe80::1\","
        "\"dpid\":\"0000000000000001\",\"port\":3,\"version\":1,"
        "\"since_s\":0,\"next_query_s\":null,\"expires_s\":255,"
        "\"query_interval_s\":125,\"robustness\":2,"
        "\"falls_back\":true,\"routers\":[{"
        "\"dpid\":\"0000000000000001\",\"port\":3,"
        "\"port_name\":\"s1-eth3\",\"sign\":\"query\","
        "\"fixed\":true,\"static\":[\"core\",\"up\"],\"expires_s\":255}]}");
}

static void
test_known_host(void **state)
{
    struct ip_addr ips[] = {ip("10.1.0.2"), ip("fe80::2")};
    struct view_known_host h = {.vlan = 10,
                                .mac = {{2, 0, 0, 0, 0, 0x22}},
                                .ips = ips,
                                .n_ips = 2,
                                .port = {1, 2},
                                .port_name = "s1-eth2",
                                .mld_version = 2,
                                .n_groups = 5,
                                .duplicate = true,
                                .age_ms = 1500};

    (void) state;
    assert_json(api_json_known_host(&h),
                "{\"vlan\":10,\"mac\":\"02:00:00:00:00:22\","
                "\"ips\":[\"10.1.0.2\",\"fe80::2\"],"
                "\"dpid\":\"0000000000000001\",\"port\":2,"
                "\"port_name\":\"s1-eth2\",\"igmp_version\":null,"
                "\"mld_version\":2,\"groups\":5,\"duplicate\":true,"
                "\"last_seen_s\":1.5}");
}

/* The name first, the status last, whatever the definition says. */
static void
test_rule(void **state)
{
    struct view_status status = {.dpid = 1,
                                 .state = VIEW_REJECTED,
                                 .error = "OFPBAC_BAD_OUT_GROUP",
                                 .packets = 1,
                                 .bytes = 2};
    struct view_rule r = {
        "f1",    "{\"dpid\":\"1\",\"name\":\"f1\",\"flow\":\"x\"}",
        NULL,    -1,
        &status, 1};

    (void) state;
    assert_json(api_json_rule(&r),
                "{\"name\":\"f1\",\"dpid\":\"1\",\"flow\":\"x\",\"status\":[{"
                "\"dpid\":\"0000000000000001\",\"state\":\"rejected\","
                "\"error\":\"OFPBAC_BAD_OUT_GROUP\",\"packets\":\"0x1\","
                "\"bytes\":\"0x2\"}]}");
    r.origin = "config";
    r.n_statuses = 0;
    assert_json(api_json_rule(&r),
                "{\"name\":\"f1\",\"dpid\":\"1\",\"flow\":\"x\","
                "\"origin\":\"config\",\"status\":[]}");
}

static void
assert_text(const char *text, const char *expected)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_text(o, "t", text);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "t")),
        expected);
    cJSON_Delete(o);
}

#define FFFD "\xef\xbf\xbd"

static void
test_text_is_made_utf8(void **state)
{
    (void) state;
    assert_text(NULL, "");
    assert_text("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z",
                "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_text("a\xffz", "a" FFFD "z");
    assert_text("\xc3", FFFD);
    assert_text("\xc0\xaf", FFFD FFFD);          /* Overlong. */
    assert_text("\xe0\x80\xaf", FFFD FFFD FFFD); /* Overlong. */
    assert_text("\xed\xa0\x80", FFFD FFFD FFFD); /* A surrogate. */
    assert_text("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD);
    assert_text("\xe2\x82", FFFD FFFD);
    assert_text("\xf0\x9f\x98", FFFD FFFD FFFD);
}

static void
test_problem(void **state)
{
    struct api_response r = {.status = 0};

    (void) state;
    api_problem_respond(
        &r, &(struct api_problem){422, "invalid", "Title", "why", "/to/0"});
    assert_int_equal(r.status, 422);
    assert_string_equal(r.type, "application/problem+json");
    assert_string_equal(r.body, "{\"type\":\"urn:ofmcast:problem:invalid\","
                                "\"title\":\"Title\",\"status\":422,"
                                "\"detail\":\"why\",\"pointer\":\"/to/0\"}\n");
    api_response_uninit(&r);

    api_problem_respond(&r, &(struct api_problem){404, "gone", "T", "", NULL});
    assert_string_equal(r.body, "{\"type\":\"urn:ofmcast:problem:gone\","
                                "\"title\":\"T\",\"status\":404}\n");
    api_response_uninit(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_group_with_sources),
        cmocka_unit_test(test_switch),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_querier),
        cmocka_unit_test(test_foreign_querier),
        cmocka_unit_test(test_known_host),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_text_is_made_utf8),
        cmocka_unit_test(test_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
