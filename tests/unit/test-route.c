/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/route-text.h"

/* 'text' makes a route whose canonical form is 'canonical', which makes the
 * same route again. */
static void
assert_canonical(const char *text, const char *canonical)
{
    for (int i = 0; i < 2; i++) {
        struct route *route = good_route(i ? canonical : text);
        struct cJSON *json = route_to_json(route);
        char *printed = cJSON_PrintUnformatted(json);

        assert_string_equal(printed, canonical);
        free(printed);
        cJSON_Delete(json);
        route_destroy(route);
    }
}

/* Like the above for a route whose "match" has 'members' beside a group. */
static void
assert_match_refused(const char *members, const char *pointer,
                     const char *detail)
{
    char text[512];

    snprintf(text, sizeof text, "{\"match\":{\"group\":\"226.2.2.2\",%s}}",
             members);
    assert_refused(text, pointer, detail);
}

/* Like the above for "set" of the route and of a target. */
static void
assert_set_refused(const char *members, const char *member, const char *detail)
{
    char text[512], pointer[64];

    snprintf(text, sizeof text,
             "{\"match\":{\"group\":\"226.2.2.2\"},\"set\":{%s}}", members);
    snprintf(pointer, sizeof pointer, "/set/%s", member);
    assert_refused(text, pointer, detail);
    snprintf(text, sizeof text,
             "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[{\"members\":true},"
             "{\"dpid\":1,\"port\":\"p\",\"set\":{%s}}]}",
             members);
    snprintf(pointer, sizeof pointer, "/to/1/set/%s", member);
    assert_refused(text, pointer, detail);
}

/* The example of the design, with targets of this version. */
static const char full[] =
    "{\"name\":\"r\",\"match\":{\"dpid\":\"0000000000000001\","
    "\"port\":\"s1-eth1\",\"vlan\":0,\"source\":\"192.168.168.55\","
    "\"group\":\"226.2.2.2\",\"proto\":\"udp\",\"udp_dst\":5004},"
    "\"set\":{\"source\":\"10.1.0.10\",\"group\":\"239.1.1.1\","
    "\"udp_dst\":6001,\"ttl\":16,\"eth_src\":\"auto\",\"dscp\":46,"
    "\"vlan\":10},\"to\":[{\"members\":true},"
    "{\"dpid\":\"0000000000000001\",\"port\":\"s1-eth5\","
    "\"set\":{\"group\":\"239.1.1.2\"}}]}";

static void
test_every_member(void **state)
{
    struct route *route = good_route(full);
    const struct route_match *match = &route->match;
    const struct route_set *set = &route->set;
    const struct route_target *targets = route->targets;

    (void) state;
    assert_string_equal(route->name, "r");
    assert_true(match->has_dpid && match->dpid == 1);
    assert_true(match->has_port);
    assert_string_equal(match->port, "s1-eth1");
    assert_true(match->has_vlan && match->vlan == 0);
    assert_true(match->has_source && ip_prefix_is_host(&match->source));
    assert_int_equal(ip_addr_to_v4(&match->source.addr), 0xc0a8a837);
    assert_int_equal(ip_addr_to_v4(&match->group.addr), 0xe2020202);
    assert_int_equal(match->group.len, 128);
    assert_true(match->has_proto && match->proto == 17);
    assert_true(match->has_udp_dst && match->udp_dst == 5004);
    assert_true(set->has_source && set->has_group && set->has_udp_dst
                && set->has_ttl && set->has_eth_src && set->has_dscp
                && set->has_vlan);
    assert_int_equal(ip_addr_to_v4(&set->source), 0x0a01000a);
    assert_int_equal(ip_addr_to_v4(&set->group), 0xef010101);
    assert_true(set->eth_src_auto);
    assert_true(set->udp_dst == 6001 && set->ttl == 16 && set->dscp == 46
                && set->vlan == 10);
    assert_int_equal(route->n_targets, 2);
    assert_int_equal(targets[0].kind, ROUTE_TO_MEMBERS);
    assert_int_equal(targets[1].kind, ROUTE_TO_PORT);
    assert_true(targets[1].dpid == 1);
    assert_string_equal(targets[1].port, "s1-eth5");
    assert_true(targets[1].set.has_group && !targets[1].set.has_ttl);
    route_destroy(route);
    route_destroy(NULL);
    assert_canonical(full, full);
}

static void
test_canonical_form(void **state)
{
    (void) state;
    /* Addresses, switches and order are normalised; defaults left out. */
    assert_canonical("{\"to\":[{\"members\":true,\"set\":{}}],\"set\":{},"
                     "\"match\":{\"proto\":\"any\",\"group\":\"226.2.2.2/32\","
                     "\"source\":\"192.168.0.0/16\","
                     "\"dpid\":\"00:00:00:00:00:00:ab:CD\"}}",
                     "{\"name\":\"r\",\"match\":{\"dpid\":"
                     "\"000000000000abcd\",\"source\":\"192.168.0.0/16\","
                     "\"group\":\"226.2.2.2\"}}");
    /* A port by its number. */
    assert_canonical("{\"match\":{\"group\":\"226.2.2.2\"},"
                     "\"to\":[{\"port\":7,\"dpid\":1}]}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\"},"
                     "\"to\":[{\"dpid\":\"0000000000000001\","
                     "\"port\":\"7\"}]}");
    assert_canonical("{\"match\":{\"group\":\"239.0.0.0/8\",\"proto\":6},"
                     "\"set\":{\"eth_src\":\"02:00:00:00:AB:01\"}}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"239.0.0.0/8\","
                     "\"proto\":6},\"set\":{\"eth_src\":"
                     "\"02:00:00:00:ab:01\"}}");
    assert_canonical("{\"match\":{\"group\":\"226.2.2.2\",\"proto\":17}}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\","
                     "\"proto\":\"udp\"}}");
}

static void
test_targets(void **state)
{
    (void) state;
    /* No "to": the members.  An empty one: a stop filter. */
    struct route *route = good_route("{\"match\":{\"group\":\"226.2.2.2\"}}");
    assert_int_equal(route->n_targets, 1);
    assert_int_equal(route->targets[0].kind, ROUTE_TO_MEMBERS);
    route_destroy(route);

    route = good_route("{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[]}");
    assert_int_equal(route->n_targets, 0);
    route_destroy(route);
    assert_canonical(
        "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[]}",
        "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\"},\"to\":[]}");

    /* Several members targets, each with its own set; equal ones are kept. */
    assert_canonical(
        "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[{\"members\":true},"
        "{\"members\":true,\"set\":{\"group\":\"239.1.1.2\"}},"
        "{\"members\":true}]}",
        "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
        "{\"members\":true},{\"members\":true,\"set\":{\"group\":"
        "\"239.1.1.2\"}},{\"members\":true}]}");
}

/* To and from hosts; and what becomes of fragments. */
static void
test_hosts(void **state)
{
    (void) state;
    assert_canonical(
        "{\"match\":{\"unicast\":\"10.0.0.50\",\"udp_dst\":5000},\"to\":["
        "{\"unicast\":\"10.0.0.100\",\"via\":\"10.1.0.1\",\"vlan\":7,"
        "\"udp_dst\":6000,\"set\":{\"ttl\":3}}],\"fragments\":\"drop\"}",
        "{\"name\":\"r\",\"match\":{\"unicast\":\"10.0.0.50\",\"proto\":"
        "\"udp\",\"udp_dst\":5000},\"to\":[{\"unicast\":\"10.0.0.100\","
        "\"udp_dst\":6000,\"via\":\"10.1.0.1\",\"vlan\":7,\"set\":"
        "{\"ttl\":3}}],\"fragments\":\"drop\"}");
    assert_canonical(
        "{\"match\":{\"group\":\"226.2.2.2\"},\"fragments\":\"auto\"}",
        "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\"}}");
    assert_refused("{\"match\":{\"unicast\":\"10.0.0.5\"}}", "/to/0",
                   "members of which group");
    assert_refused("{\"match\":{\"unicast\":\"226.2.2.2\"}}", "/match/unicast",
                   "the address of a host");
    assert_refused("{\"match\":{\"unicast\":\"10.0.0.5\","
                   "\"group\":\"226.2.2.2\"}}",
                   "/match/unicast", "either");
    assert_refused("{\"match\":{\"group\":\"226.2.2.2\"},"
                   "\"fragments\":\"some\"}",
                   "/fragments", "must be");
}

/* Ends of tunnels: what is left out is the configuration's to say. */
static void
test_vtep_targets(void **state)
{
    (void) state;
    struct route *route =
        good_route("{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[{\"vtep\":"
                   "\"10.255.0.2\"}]}");
    assert_int_equal(route->targets[0].kind, ROUTE_TO_VTEP);
    assert_int_equal(route->targets[0].vtep, 0x0aff0002);
    assert_false(route->targets[0].has_dpid || route->targets[0].vni);
    route_destroy(route);
    assert_canonical(
        "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[{\"vtep\":"
        "\"10.255.0.2\"},{\"port\":\"vx0\",\"dpid\":1,\"vni\":100,"
        "\"vtep\":\"10.255.0.3\",\"set\":{\"ttl\":9}}]}",
        "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\"},\"to\":["
        "{\"vtep\":\"10.255.0.2\"},{\"vtep\":\"10.255.0.3\",\"vni\":100,"
        "\"dpid\":\"0000000000000001\",\"port\":\"vx0\",\"set\":{"
        "\"ttl\":9}}]}");
}

static void
test_bad_targets(void **state)
{
    static const struct {
        const char *to, *pointer, *detail;
    } cases[] = {
        {"{}", "/to", "must be an array"},
        {"null", "/to", "must be an array"},
        {"[1]", "/to/0", "must be an object"},
        {"[null]", "/to/0", "must be an object"},
        {"[{}]", "/to/0/dpid", "missing"},
        {"[{\"dpid\":1}]", "/to/0/port", "missing"},
        {"[{\"port\":\"p\"}]", "/to/0/dpid", "missing"},
        {"[{\"members\":false}]", "/to/0/members", "must be true"},
        {"[{\"members\":1}]", "/to/0/members", "true or false"},
        {"[{\"members\":true,\"dpid\":1}]", "/to/0/dpid", "not known here"},
        {"[{\"members\":true},{\"unicast\":\"239.0.0.1\",\"udp_dst\":1}]",
         "/to/1/unicast", "must be the address of a host"},
        {"[{\"unicast\":\"10.0.0.1\",\"port\":\"x\"}]", "/to/0/port",
         "not known here"},
        {"[{\"unicast\":\"10.0.0.1\",\"via\":\"0.0.0.0\"}]", "/to/0/via",
         "must be the address of a host"},
        {"[{\"unicast\":\"10.0.0.1\",\"udp_dst\":1,"
         "\"set\":{\"udp_dst\":2}}]",
         "/to/0/set/udp_dst", "already"},
        {"[{\"unicast\":\"10.0.0.1\",\"set\":{\"group\":\"239.1.1.1\"}}]",
         "/to/0/set/group", "no group"},
        {"[{\"vtep\":\"224.0.0.1\"}]", "/to/0/vtep", "address of a host"},
        {"[{\"vtep\":\"::1\"}]", "/to/0/vtep", "must be an IPv4 address"},
        {"[{\"vtep\":1}]", "/to/0/vtep", "string"},
        {"[{\"vtep\":\"10.0.0.1\",\"vni\":0}]", "/to/0/vni", "1 to"},
        {"[{\"vtep\":\"10.0.0.1\",\"members\":true}]", "/to/0/vtep",
         "not known here"},
        {"[{\"dpid\":0,\"port\":\"p\"}]", "/to/0/dpid", "datapath id"},
        {"[{\"dpid\":1,\"port\":0}]", "/to/0/port", "whole number"},
        {"[{\"dpid\":1,\"port\":4294967296}]", "/to/0/port", "whole number"},
        {"[{\"dpid\":1,\"port\":\"\"}]", "/to/0/port", "port's name"},
        {"[{\"dpid\":1,\"port\":\"a b\"}]", "/to/0/port", "spaces"},
        {"[{\"dpid\":1,\"port\":\"a\\nb\"}]", "/to/0/port", "control"},
        {"[{\"dpid\":1,\"port\":true}]", "/to/0/port", "string"},
        {"[{\"dpid\":1,\"port\":\"p\",\"set\":[]}]", "/to/0/set", "object"},
    };
    char text[512];

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text,
                 "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":%s}",
                 cases[i].to);
        assert_refused(text, cases[i].pointer, cases[i].detail);
    }
}

static void
test_number_of_targets(void **state)
{
    static const char target[] = "{\"dpid\":1,\"port\":\"p\"},";
    char *text = xmalloc(1100 * sizeof target), *at = text;

    (void) state;
    at += sprintf(at, "{\"match\":{\"group\":\"226.2.2.2\"},\"to\":[");
    for (int i = 0; i < ROUTE_MAX_TARGETS; i++) {
        at += sprintf(at, "%s", target);
    }
    strcpy(at - 1, "]}");

    struct route *route = good_route(text);
    assert_int_equal(route->n_targets, ROUTE_MAX_TARGETS);
    route_destroy(route);
    at += sprintf(at, "%s", target);
    at[-1 - (int) strlen(target)] = ',';
    strcpy(at - 1, "]}");
    assert_refused(text, "/to", "1025 targets; at most 1024");
    free(text);
}

static void
test_bad_groups(void **state)
{
    static const struct {
        const char *group, *detail;
    } cases[] = {
        {"10.0.0.1", "multicast"},
        {"223.255.255.255", "multicast"},
        {"240.0.0.1", "multicast"},
        {"255.255.255.255", "multicast"},
        {"0.0.0.0/0", "multicast"},
        {"224.0.0.0/3", "multicast"},
        {"192.0.0.0/2", "multicast"},
        {"224.0.0.1", "link-local"},
        {"224.0.0.251", "link-local"},
        {"224.0.0.255", "link-local"},
        {"224.0.0.0/24", "link-local"},
        {"224.0.0.128/25", "link-local"},
        {"224.0.0.0/23", "not include"},
        {"224.0.0.0/4", "not include"},
        {"224.0.0.0/8", "not include"},
        {"226.2.2.2/24", "without host bits"},
        {"226.2.2.2/33", "IP address"},
        {"226.2.2", "IP address"},
        {"", "IP address"},
        {"*", "IP address"},
        {"226.2.2.2 ", "IP address"},
        {"ff00::/8", "must not include ff02::/16"},
        {"::/0", "within ff00::/8"},
        {"::ffff:0:0/90", ""},
    };
    char text[128];

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "{\"match\":{\"group\":\"%s\"}}",
                 cases[i].group);
        assert_refused(text, "/match/group", cases[i].detail);
    }
    assert_refused("{\"match\":{\"group\":1}}", "/match/group", "string");
    assert_refused("{\"match\":{}}", "/match/group", "missing");

    /* Next door is fine. */
    static const char *const good[] = {"224.0.1.0", "239.255.255.255",
                                       "239.0.0.0/8", "232.0.0.0/5",
                                       "224.0.1.0/24"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "{\"match\":{\"group\":\"%s\"}}", good[i]);
        route_destroy(good_route(text));
    }
}

static void
test_bad_matches(void **state)
{
    (void) state;
    assert_refused("{}", "/match", "missing");
    assert_refused("{\"match\":[]}", "/match", "must be an object");
    assert_refused("{\"match\":null}", "/match", "must be an object");
    assert_match_refused("\"x\":1", "/match/x", "not known here");
    assert_match_refused("\"source\":\"226.1.1.1\"", "/match/source",
                         "unicast");
    assert_match_refused("\"source\":\"255.255.255.255\"", "/match/source",
                         "unicast");
    assert_match_refused("\"source\":\"128.0.0.0/1\"", "/match/source",
                         "unicast");
    assert_match_refused("\"source\":\"0.0.0.0/0\"", "/match/source",
                         "leave it out");
    assert_match_refused("\"source\":\"10.1.0.1/24\"", "/match/source",
                         "host bits");
    assert_match_refused("\"source\":\"fe80::1\"", "/match/source",
                         "must be IPv4");
    assert_match_refused("\"port\":\"p\"", "/match/port", "needs \"dpid\"");
    assert_match_refused("\"port\":1", "/match/port", "needs \"dpid\"");
    assert_match_refused("\"dpid\":\"0\"", "/match/dpid", "datapath id");
    assert_match_refused("\"vlan\":4095", "/match/vlan", "0 to 4094");
    assert_match_refused("\"vlan\":4096", "/match/vlan", "0 to 4094");
    assert_match_refused("\"vlan\":-1", "/match/vlan", "0 to 4094");
    assert_match_refused("\"vlan\":\"10\"", "/match/vlan", "0 to 4094");
    assert_match_refused("\"udp_dst\":0", "/match/udp_dst", "1 to 65535");
    assert_match_refused("\"udp_dst\":65536", "/match/udp_dst", "1 to 65535");
    assert_match_refused("\"udp_dst\":9007199254740993", "/match/udp_dst",
                         "\"0x..\" string");
    assert_match_refused("\"proto\":\"icmp\"", "/match/proto", "\"udp\"");
    assert_match_refused("\"proto\":256", "/match/proto", "0 to 255");
    assert_match_refused("\"proto\":null", "/match/proto", "\"udp\"");
}

/* UDP ports imply UDP, unless something else was asked for. */
static void
test_udp_is_implied(void **state)
{
    static const char *const others[] = {"\"any\"", "\"tcp\"", "6", "1"};
    char members[64], text[256];

    (void) state;
    assert_canonical("{\"match\":{\"group\":\"226.2.2.2\",\"udp_dst\":5}}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\","
                     "\"proto\":\"udp\",\"udp_dst\":5}}");
    assert_canonical("{\"match\":{\"group\":\"226.2.2.2\"},"
                     "\"set\":{\"udp_dst\":5}}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\","
                     "\"proto\":\"udp\"},\"set\":{\"udp_dst\":5}}");
    assert_canonical("{\"match\":{\"group\":\"226.2.2.2\"},"
                     "\"to\":[{\"members\":true,\"set\":{\"udp_dst\":5}}]}",
                     "{\"name\":\"r\",\"match\":{\"group\":\"226.2.2.2\","
                     "\"proto\":\"udp\"},\"to\":[{\"members\":true,"
                     "\"set\":{\"udp_dst\":5}}]}");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(members, sizeof members, "\"proto\":%s,\"udp_dst\":5",
                 others[i]);
        assert_match_refused(members, "/match/udp_dst", "needs UDP");
        snprintf(text, sizeof text,
                 "{\"match\":{\"group\":\"226.2.2.2\",\"proto\":%s},"
                 "\"to\":[{\"members\":true,\"set\":{\"udp_dst\":5}}]}",
                 others[i]);
        assert_refused(text, "/to/0/set/udp_dst", "needs UDP");
    }
}

static void
test_bad_sets(void **state)
{
    static const char *const sources[] = {
        "0.0.0.0",   "0.1.2.3",         "127.0.0.1", "224.0.0.1",
        "226.2.2.2", "255.255.255.255", "240.0.0.1"};
    static const char *const macs[] = {"",
                                       "AUTO",
                                       "01:00:5e:00:00:01",
                                       "00:00:00:00:00:00",
                                       "ff:ff:ff:ff:ff:ff",
                                       "02:00:00:00:00",
                                       "02:00:00:00:00:01:02"};
    char text[64];

    (void) state;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        snprintf(text, sizeof text, "\"source\":\"%s\"", sources[i]);
        assert_set_refused(text, "source", "address of a host");
    }
    for (size_t i = 0; i < sizeof macs / sizeof *macs; i++) {
        snprintf(text, sizeof text, "\"eth_src\":\"%s\"", macs[i]);
        assert_set_refused(text, "eth_src", "\"auto\"");
    }
    assert_set_refused("\"source\":\"10.1.0.10/24\"", "source", "host bits");
    assert_set_refused("\"source\":\"2001:db8::1\"", "source", "must be IPv4");
    assert_set_refused("\"group\":\"10.1.0.10\"", "group", "multicast");
    assert_set_refused("\"group\":\"224.0.0.5\"", "group", "link-local");
    assert_set_refused("\"group\":\"239.0.0.0/8\"", "group", "same length");
    assert_set_refused("\"group\":\"ff0e::1\"", "group", "must be IPv4");
    assert_set_refused("\"udp_dst\":0", "udp_dst", "1 to 65535");
    assert_set_refused("\"ttl\":0", "ttl", "1 to 255");
    assert_set_refused("\"ttl\":256", "ttl", "1 to 255");
    assert_set_refused("\"dscp\":64", "dscp", "0 to 63");
    assert_set_refused("\"vlan\":4095", "vlan", "0 to 4094");
    assert_set_refused("\"tll\":1", "tll",
                       "known are: source, source_pool, group, udp_dst, ttl, "
                       "eth_src, eth_dst, dscp, vlan, reply_to");
}

static void
test_names(void **state)
{
    static const char with_name[] =
        "{\"name\":\"x\",\"match\":{\"group\":\"226.2.2.2\"}}";
    static const char without[] = "{\"match\":{\"group\":\"226.2.2.2\"}}";
    struct json_error error;

    (void) state;
    route_destroy(read_route("x", with_name, &error));
    assert_false(error.failed);
    assert_null(read_route("y", with_name, &error));
    assert_string_equal(error.pointer, "/name");
    assert_string_equal(error.detail,
                        "\"name\" is \"x\" but the URL says \"y\"");
    assert_null(read_route("../x", without, &error));
    assert_string_equal(error.pointer, "/name");

    struct route *route = read_route(NULL, with_name, &error);
    assert_string_equal(route->name, "x");
    route_destroy(route);
    assert_null(read_route(NULL, without, &error));
    assert_string_equal(error.detail, "\"name\" is missing");
    assert_null(read_route("x", "[]", &error));
    assert_string_equal(error.detail, "the body must be an object");
    assert_null(read_route("x", "{\"name\":1}", &error));
    assert_string_equal(error.pointer, "/name");
}

/* Static flows and groups. */
static struct static_rule *
read_rule(const char *text, struct json_error *error)
{
    struct cJSON *json = json_parse(text, strlen(text), error);
    struct static_rule *rule =
        json ? static_rule_from_json("f1", json, error) : NULL;

    cJSON_Delete(json);
    return rule;
}

static void
test_static_rules(void **state)
{
    static const char *const texts[] = {
        "{\"name\":\"f1\",\"dpid\":\"00000000000000ff\","
        "\"flow\":\"table=0,priority=1,actions=drop\"}",
        "{\"name\":\"f1\",\"dpid\":\"00000000000000ff\","
        "\"group\":\"group_id=5,type=all,bucket=output:2\"}"};

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct json_error error;
        struct static_rule *rule = read_rule(texts[i], &error);

        assert_non_null(rule);
        assert_false(error.failed);
        assert_true(rule->dpid == 255);
        assert_int_equal(rule->is_group, i);

        struct cJSON *json = static_rule_to_json(rule);
        char *printed = cJSON_PrintUnformatted(json);
        assert_string_equal(printed, texts[i]);
        free(printed);
        cJSON_Delete(json);
        static_rule_destroy(rule);
    }
    static_rule_destroy(NULL);
}

static void
test_bad_static_rules(void **state)
{
    static const struct {
        const char *text, *pointer, *detail;
    } cases[] = {
        {"{}", "/dpid", "missing"},
        {"{\"dpid\":1}", "", "either"},
        {"{\"dpid\":1,\"flow\":\"a\",\"group\":\"b\"}", "", "either"},
        {"{\"dpid\":1,\"flow\":1}", "/flow", "string"},
        {"{\"dpid\":1,\"group\":null}", "/group", "string"},
        {"{\"dpid\":1,\"flow\":\"\"}", "/flow", "1 to 65535"},
        {"{\"dpid\":1,\"flow\":\"a\\nb\"}", "/flow", "one line"},
        {"{\"dpid\":1,\"group\":\"a\\u007f\"}", "/group", "one line"},
        {"{\"flow\":\"a\"}", "/dpid", "missing"},
        {"{\"dpid\":1,\"flow\":\"a\",\"x\":1}", "/x", "not known"},
        {"{\"name\":\"f2\",\"dpid\":1,\"flow\":\"a\"}", "/name", "URL"},
        {"[]", "", "must be an object"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_error error;

        assert_null(read_rule(cases[i].text, &error));
        assert_string_equal(error.pointer, cases[i].pointer);
        assert_non_null(strstr(error.detail, cases[i].detail));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_canonical_form),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_vtep_targets),
        cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_number_of_targets),
        cmocka_unit_test(test_bad_groups),
        cmocka_unit_test(test_bad_matches),
        cmocka_unit_test(test_udp_is_implied),
        cmocka_unit_test(test_bad_sets),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_static_rules),
        cmocka_unit_test(test_bad_static_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
