/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes of IPv6: what differs from IPv4. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "tests/unit/route-text.h"

#include "controller/route-fragments.h"
#include "controller/route-join.h"
#include "controller/route-match.h"
#include "controller/route-rewrite.h"

static void
every_member(void **state)
{
    struct route *r = canonical_route(
        "{\"match\":{\"dpid\":\"0000000000000001\",\"port\":\"eth0\","
        "\"vlan\":0,\"source\":\"2001:db8::1\",\"group\":\"ff2e::42\","
        "\"proto\":\"udp\",\"udp_dst\":5004},\"set\":{\"source\":"
        "\"2001:db8:9::10\",\"group\":\"ff1e::1:2\",\"udp_dst\":6001,"
        "\"ttl\":16,\"eth_src\":\"auto\",\"dscp\":46,\"vlan\":10},"
        "\"to\":[{\"members\":true},{\"dpid\":\"0000000000000001\","
        "\"port\":\"eth5\",\"when\":\"joined\",\"set\":{\"group\":"
        "\"ff1e::2\"}},{\"vlan\":10},{\"vtep\":\"10.255.0.2\"}]}");
    struct ofp_match m = route_match(r, 7);
    struct ofp_rewrite rw = route_rewrite(&r->set, 0, 1);
    char mac[MAC_ADDR_STRLEN];

    (void) state;
    assert_int_equal(m.eth_type, 0x86dd);
    assert_ip(&m.ip_src.addr, "2001:db8::1");
    assert_ip(&m.ip_dst.addr, "ff2e::42");
    /* RFC 2464 7. */
    assert_string_equal(mac_addr_format(&rw.eth_dst, mac),
                        "33:33:00:01:00:02");
    char *text = route_rewrite_text(&rw);
    assert_string_equal(text, "source=2001:db8:9::10 group=ff1e::1:2 "
                              "udp_dst=6001 ttl=16 dscp=46 vlan=10 "
                              "eth_src=00:00:00:00:00:01");
    free(text);
    route_destroy(r);
    route_destroy(
        canonical_route("{\"match\":{\"group\":\"ff15::2\"},\"to\":[]}"));
    /* From a link-local sender, of a group of the organisation. */
    route_destroy(canonical_route("{\"match\":{\"source\":\"fe80::1\","
                                  "\"group\":\"ff18::2\",\"proto\":50}}"));
}

static void
one_family_only(void **state)
{
    (void) state;
    assert_refused(
        "{\"match\":{\"source\":\"10.0.0.1\",\"group\":\"ff15::2\"}}",
        "/match/source", "must be IPv6");
    assert_refused(
        "{\"match\":{\"source\":\"2001:db8::1\",\"group\":\"226.1.1.1\"}}",
        "/match/source", "must be IPv4");
    assert_refused("{\"match\":{\"group\":\"ff15::2\"},"
                   "\"set\":{\"group\":\"226.1.1.1\"}}",
                   "/set/group", "no packet changes its family");
    assert_refused("{\"match\":{\"group\":\"ff15::2\"},"
                   "\"set\":{\"source\":\"10.1.0.1\"}}",
                   "/set/source", "must be IPv6");
    assert_refused(
        "{\"match\":{\"group\":\"226.1.1.1\"},\"to\":[{\"members\":true,"
        "\"set\":{\"source\":\"2001:db8::1\"}}]}",
        "/to/0/set/source", "must be IPv4");
    assert_refused(
        "{\"match\":{\"group\":\"226.1.1.1\"},\"to\":[{\"members\":true},"
        "{\"members\":true,\"set\":{\"group\":\"ff15::2\"}}]}",
        "/to/1/set/group", "must be IPv4");
    assert_refused("{\"match\":{\"group\":\"226.1.1.1\"},"
                   "\"set\":{\"source_pool\":\"2001:db8::/64\"}}",
                   "/set/source_pool", "must be IPv4");
    assert_refused("{\"match\":{\"group\":\"ff15::2\"},"
                   "\"set\":{\"source_pool\":\"10.1.0.0/24\"}}",
                   "/set/source_pool", "must be IPv6");
}

static void
groups_and_hosts(void **state)
{
    static const char *const local[] = {"ff02::1", "ff02::/32", "ff01::5",
                                        "ff00::1"};
    char text[128];

    (void) state;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        snprintf(text, sizeof text, "{\"match\":{\"group\":\"%s\"}}",
                 local[i]);
        assert_refused(text, "/match/group", "does not leave its link");
    }
    assert_refused("{\"match\":{\"group\":\"ff00::/12\"}}", "/match/group",
                   "must not include ff02::/16");
    assert_refused("{\"match\":{\"group\":\"2001:db8::1\"}}", "/match/group",
                   "within ff00::/8");
    assert_refused("{\"match\":{\"group\":\"ff1e::/17\"}}", "/match/group",
                   "multiple of 4");
    assert_refused("{\"match\":{\"group\":\"ff1e::1/96\"}}", "/match/group",
                   "host bits");
    assert_refused(
        "{\"match\":{\"group\":\"ff1e::1\",\"source\":\"ff05::1\"}}",
        "/match/source", "unicast");
    assert_refused(
        "{\"match\":{\"group\":\"ff1e::1\",\"source\":\"f000::/4\"}}",
        "/match/source", "unicast");
    assert_refused("{\"match\":{\"group\":\"ff1e::1\",\"source\":\"::/0\"}}",
                   "/match/source", "unicast");
    assert_refused("{\"match\":{\"group\":\"ff1e::1\"},"
                   "\"set\":{\"source\":\"::1\"}}",
                   "/set/source", "address of a host");
    assert_refused("{\"match\":{\"group\":\"ff1e::1\"},"
                   "\"set\":{\"group\":\"ff02::1\"}}",
                   "/set/group", "must not be in ff02::/16");
    /* What is not there yet. */
    assert_refused("{\"match\":{\"unicast\":\"2001:db8::1\"}}",
                   "/match/unicast", "not possible yet");
    assert_refused("{\"match\":{\"group\":\"ff1e::1\"},"
                   "\"to\":[{\"unicast\":\"2001:db8::2\"}]}",
                   "/to/0/unicast", "cannot be copied to single hosts yet");
    assert_refused("{\"match\":{\"group\":\"226.1.1.1\"},"
                   "\"to\":[{\"unicast\":\"2001:db8::2\"}]}",
                   "/to/0/unicast", "must be an IPv4 address");
    assert_refused("{\"match\":{\"group\":\"ff1e::1\"},"
                   "\"to\":[{\"vtep\":\"2001:db8::2\"}]}",
                   "/to/0/vtep", "must be an IPv4 address");
}

static unsigned int
priority(const char *match)
{
    char text[256];
    struct json_error error;

    snprintf(text, sizeof text, "{\"match\":{%s}}", match);
    struct route *r = read_route("r", text, &error);
    if (!r) {
        fail_msg("%s: %s", match, error.detail);
    }
    unsigned int p = route_priority(r);
    route_destroy(r);
    return p;
}

/* Each is above all that stand before it, with room for its levels. */
static void
the_narrower_wins(void **state)
{
    static const char all[] = "\"dpid\":1,\"port\":1,\"vlan\":0,"
                              "\"udp_dst\":5004";
    unsigned int before = PRIO_FIRST_ROUTE - ROUTE_LEVELS;
    char text[256];

    (void) state;
    for (int group = 12; group <= 128; group += 4) {
        for (int source = 0; source <= 128; source += 4) {
            const char *with = source ? "\"source\":\"2000::" : "\"proto\":50";
            char end[16] = "";
            if (source) {
                snprintf(end, sizeof end, "/%d\"", source);
            }
            snprintf(text, sizeof text, "\"group\":\"ff10::/%d\",%s%s", group,
                     with, end);
            unsigned int p = priority(text);
            if (p < before + ROUTE_LEVELS) {
                fail_msg("%s: %u after %u", text, p, before);
            }
            if (source) {
                snprintf(text, sizeof text, "\"group\":\"ff10::/%d\",%s%s,%s",
                         group, with, end, all);
                before = priority(text);
            } else {
                before = p;
            }
        }
    }
    assert_true(before + ROUTE_LEVELS < 65000);
}

/* What comes out of prefixes, and what it was. */
static void
prefixes(void **state)
{
    struct route *r = canonical_route(
        "{\"match\":{\"source\":\"2001:db8:1::/48\","
        "\"group\":\"ff1e:30::/96\"},\"set\":{\"source\":\"2001:db8:9::/48\","
        "\"group\":\"ff2e:40::/96\"}}");
    const struct channel in = {.source = addr("2001:db8:1:7::55"),
                               .group = addr("ff1e:30::1:2")};
    struct channel out = route_target_channel(r, NULL, &in);
    struct ofp_rewrite rw = route_rewrite(&r->set, 0, 1);
    struct ip_addr found, ip;

    (void) state;
    assert_ip(&out.source, "2001:db8:9:7::55");
    assert_ip(&out.group, "ff2e:40::1:2");
    assert_int_equal(rw.ip_src_keep, 80);
    assert_int_equal(rw.ip_dst_keep, 32);
    assert_int_equal(rw.eth_dst_keep, 32);
    ip = addr("ff2e:40::9");
    assert_true(route_group_origin(r, NULL, &ip, &found));
    assert_ip(&found, "ff1e:30::9");
    ip = addr("2001:db8:9:7::9");
    assert_true(route_source_origin(r, NULL, &ip, &found));
    assert_ip(&found, "2001:db8:1:7::9");
    ip = addr("2001:db8:1:7::9");
    assert_false(route_source_origin(r, NULL, &ip, &found));
    char *text = route_rewrite_text(&rw);
    assert_string_equal(text, "source=2001:db8:9::/48 group=ff2e:40::/96");
    free(text);
    route_destroy(r);
    assert_refused("{\"match\":{\"source\":\"2001:db8:1::/48\",\"group\":"
                   "\"ff1e::1\"},\"set\":{\"source\":\"2001:db8:9::/56\"}}",
                   "/set/source", "same length");
    /* No more than 32 bits of a group are in its Ethernet address. */
    r = canonical_route("{\"match\":{\"group\":\"ff1e::/16\"},"
                        "\"set\":{\"group\":\"ff2e::/16\"}}");
    assert_int_equal(route_rewrite(&r->set, 0, 1).eth_dst_keep, 32);
    route_destroy(r);
}

/* The switch mends the first fragment's checksum and leaves later ones
 * alone. */
static void
fragments_are_safe(void **state)
{
    struct route *r = canonical_route(
        "{\"match\":{\"source\":\"2001:db8::1\",\"group\":\"ff1e::1\"},"
        "\"set\":{\"source\":\"2001:db8::99\",\"group\":\"ff1e::2\"}}");
    struct ofp_flow flow = {.match = route_match(r, 0),
                            .rewrite = route_rewrite(&r->set, 0, 1)};

    (void) state;
    assert_null(route_fragments_danger(&flow, NULL, 0));
    route_destroy(r);
}

static void
upstream_is_asked(void **state)
{
    static const struct {
        const char *match;
        bool joins;
    } rows[] = {
        {"\"group\":\"ff1e::1\"", true},
        {"\"group\":\"ff10::/12\"", false},
        {"\"group\":\"ff3e::1\"", false}, /* From which source? */
        {"\"group\":\"ff3e::1\",\"source\":\"2001:db8::1\"", true},
    };
    char text[256];
    struct json_error error;

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text,
                 "{\"match\":{%s},\"to\":[{\"dpid\":1,\"port\":\"p\"}]}",
                 rows[i].match);
        struct route *r = read_route("r", text, &error);
        assert_non_null(r);
        assert_int_equal(route_joins(r), rows[i].joins);
        route_destroy(r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member),
        cmocka_unit_test(one_family_only),
        cmocka_unit_test(groups_and_hosts),
        cmocka_unit_test(the_narrower_wins),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(fragments_are_safe),
        cmocka_unit_test(upstream_is_asked),
    };

    return cmocka_run_group_tests_name("route-ipv6", tests, NULL, NULL);
}
