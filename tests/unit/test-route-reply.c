/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* "reply_to": what it needs, and whose replies are whose. */

#include "controller/route-reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/route-text.h"

/* A route of one device. */
#define DEVICE            "\"source\":\"192.168.0.5\",\"group\":\"226.2.2.2\""
#define ROUTE(MATCH, SET) "{\"match\":{" MATCH "},\"set\":{" SET "}}"
#define SOURCE            "\"source\":\"10.1.0.10\","

static void
refused(const char *text, const char *detail)
{
    assert_refused(text, "/set/reply_to", detail);
}

static void
is_true_or_a_prefix(void **state)
{
    (void) state;
    struct route *r =
        canonical_route(ROUTE(DEVICE, SOURCE "\"reply_to\":true"));
    assert_true(r->set.reply_to && !r->set.has_answers);
    route_destroy(r);
    r = canonical_route(ROUTE(DEVICE, SOURCE "\"reply_to\":\"10.1.0.0/24\""));
    assert_true(r->set.reply_to && r->set.has_answers);
    assert_int_equal(r->set.answers.len, 120);
    route_destroy(r);
    route_destroy(canonical_route(
        ROUTE("\"dpid\":\"0000000000000001\",\"port\":\"eth*\","
              "" DEVICE,
              "\"source_pool\":\"10.1.0.0/24\","
              "\"reply_to\":true")));

    struct json_error error;
    r = read_route("r", ROUTE(DEVICE, SOURCE "\"reply_to\":false"), &error);
    assert_false(r->set.reply_to);
    route_destroy(r);
    refused(ROUTE(DEVICE, SOURCE "\"reply_to\":1"), "string");
    refused(ROUTE(DEVICE, SOURCE "\"reply_to\":\"10.1.0.1/24\""), "host bits");
    refused(ROUTE(DEVICE, SOURCE "\"reply_to\":\"226.0.0.0/8\""), "hosts");
    refused(ROUTE(DEVICE, SOURCE "\"reply_to\":\"2001:db8::/32\""), "IPv4");
    refused(ROUTE(DEVICE, SOURCE "\"reply_to\":\"192.168.0.0/16\""),
            "the device itself");
}

static void
needs_a_source_and_one_device(void **state)
{
    (void) state;
    refused(ROUTE(DEVICE, "\"ttl\":9,\"reply_to\":true"), "replies to what");
    refused(ROUTE("\"group\":\"226.2.2.2\"", SOURCE "\"reply_to\":true"),
            "whose replies");
    refused(ROUTE("\"source\":\"192.168.168.0/24\",\"group\":\"226.2.2.2\"",
                  "\"source\":\"10.1.0.0/24\",\"reply_to\":true"),
            "whose replies");
    refused(ROUTE("\"dpid\":1,\"port\":\"eth*\"," DEVICE,
                  SOURCE "\"reply_to\":true"),
            "\"source_pool\"");
    refused(ROUTE("\"source\":\"2001:db8::1\",\"group\":\"ff1e::1\"",
                  "\"source\":\"2001:db8:1::1\",\"reply_to\":true"),
            "IPv6");
    refused(ROUTE("\"vlan\":3," DEVICE,
                  SOURCE "\"vlan\":4,\"reply_to\":\"10.1.0.0/24\""),
            "another vlan");
    route_destroy(canonical_route(
        ROUTE("\"vlan\":3," DEVICE, SOURCE "\"reply_to\":true,\"vlan\":4")));

    struct json_error error;
    assert_null(read_route("r",
                           "{\"match\":{" DEVICE "},\"to\":[{\"members\":true,"
                           "\"set\":{" SOURCE "\"reply_to\":true}}]}",
                           &error));
    assert_string_equal(error.pointer, "/to/0/set/reply_to");
}

/* Does "there" leave room for "new"? */
static bool
go_together_in(struct fabric *fabric, const char *there, const char *new,
               const char *why_not)
{
    struct ctl ctl = {.fabric = fabric};
    struct json_error error;
    char why[ROUTE_REPLY_WHY_SIZE] = "";
    struct rule *rule = xcalloc(1, sizeof *rule);
    struct route *route = read_route("new", new, &error);

    snprintf(rule->name, sizeof rule->name, "there");
    rule->route = read_route("there", there, &error);
    assert_true(rule->route && route);
    HASH_ADD_STR(ctl.rules[STORE_ROUTE], name, rule);
    bool together = !route_reply_refused(&ctl, route, why, sizeof why);
    assert_true(together || strstr(why, why_not));
    HASH_DELETE(hh, ctl.rules[STORE_ROUTE], rule);
    route_destroy(rule->route);
    route_destroy(route);
    free(rule);
    return together;
}

static bool
go_together(const char *there, const char *new, const char *why_not)
{
    return go_together_in(NULL, there, new, why_not);
}

static void
a_source_is_one_device(void **state)
{
    static const char there[] = ROUTE("\"dpid\":1,\"port\":\"eth1\"," DEVICE,
                                      SOURCE "\"reply_to\":\"10.1.0.0/24\"");
#define OTHER_GROUP "\"source\":\"192.168.0.5\",\"group\":\"226.3.3.3\""
    const char *other = "another device", *source = "another source";
    (void) state;
    /* The same device. */
    assert_true(go_together(there,
                            ROUTE("\"dpid\":1,\"port\":\"eth1\"," OTHER_GROUP,
                                  SOURCE "\"reply_to\":true"),
                            ""));
    /* Another address, port; one of another switch; another source. */
    assert_false(
        go_together(there,
                    ROUTE("\"dpid\":1,\"port\":\"eth1\","
                          "\"source\":\"10.9.9.9\",\"group\":\"226.2.2.2\"",
                          SOURCE "\"reply_to\":true"),
                    other));
    assert_false(go_together(there,
                             ROUTE("\"dpid\":1,\"port\":\"eth2\"," DEVICE,
                                   SOURCE "\"reply_to\":true"),
                             other));
    assert_true(go_together(there,
                            ROUTE("\"dpid\":2,\"port\":\"eth2\"," DEVICE,
                                  SOURCE "\"reply_to\":true"),
                            ""));
    assert_true(go_together(
        there,
        ROUTE("\"dpid\":1,\"port\":\"eth2\"," DEVICE, SOURCE "\"ttl\":9"),
        ""));
    assert_false(go_together(there,
                             ROUTE("\"dpid\":1,\"port\":\"eth*\"," DEVICE,
                                   "\"source_pool\":\"10.1.0.0/28\","
                                   "\"reply_to\":true"),
                             other));
    /* Its answers have one source. */
    assert_false(go_together(there,
                             ROUTE("\"dpid\":1,\"port\":\"eth1\"," OTHER_GROUP,
                                   "\"source\":\"10.1.0.11\","
                                   "\"reply_to\":\"10.0.0.0/8\""),
                             source));
    assert_true(go_together(there,
                            ROUTE("\"dpid\":1,\"port\":\"eth1\"," OTHER_GROUP,
                                  "\"source\":\"10.1.0.11\","
                                  "\"reply_to\":\"10.2.0.0/24\""),
                            ""));
}

/* As far as routes say where it is. */
static void
a_device_is_an_address_at_a_place(void **state)
{
    static const char there[] = ROUTE("\"dpid\":1,\"port\":\"eth1\"," DEVICE,
                                      SOURCE "\"reply_to\":\"10.1.0.0/24\"");
    static const char of_2[] = ROUTE("\"dpid\":2,\"port\":\"eth1\"," DEVICE,
                                     SOURCE "\"reply_to\":\"10.1.0.0/24\"");
    static const char vlan_3[] =
        ROUTE("\"vlan\":3," DEVICE, SOURCE "\"vlan\":10,\"reply_to\":true");
    static const char answers_3[] =
        ROUTE("\"vlan\":3," DEVICE, SOURCE "\"reply_to\":\"10.1.0.0/24\"");
    const char *other = "another device", *source = "another source";
    char fabric;

    (void) state;
    /* In a fabric each switch may meet what is for a source. */
    assert_true(go_together(there, of_2, ""));
    assert_false(
        go_together_in((struct fabric *) &fabric, there, of_2, other));
    /* Who does not say where it is may mean another one. */
    assert_false(go_together(
        there, ROUTE(OTHER_GROUP, SOURCE "\"reply_to\":true"), other));
    /* A source, and a device, is one of a vlan. */
    assert_true(go_together(
        vlan_3,
        ROUTE("\"vlan\":3,\"source\":\"10.9.9.9\",\"group\":\"226.2.2.2\"",
              SOURCE "\"vlan\":11,\"reply_to\":true"),
        ""));
    assert_false(go_together(
        vlan_3,
        ROUTE("\"vlan\":4," DEVICE, SOURCE "\"vlan\":10,\"reply_to\":true"),
        other));
    assert_false(go_together(answers_3,
                             ROUTE("\"vlan\":3," OTHER_GROUP,
                                   "\"source\":\"10.1.0.11\","
                                   "\"reply_to\":\"10.0.0.0/8\""),
                             source));
    assert_true(go_together(answers_3,
                            ROUTE("\"vlan\":4," OTHER_GROUP,
                                  "\"source\":\"10.1.0.11\","
                                  "\"reply_to\":\"10.0.0.0/8\""),
                            ""));
    /* Two ports may have a device of that address each. */
    assert_true(go_together(there,
                            ROUTE("\"dpid\":1,\"port\":\"eth2\"," DEVICE,
                                  "\"source\":\"10.1.0.11\","
                                  "\"reply_to\":\"10.1.0.0/24\""),
                            ""));
    assert_false(go_together(there,
                             ROUTE("\"dpid\":1," DEVICE,
                                   "\"source\":\"10.1.0.11\","
                                   "\"reply_to\":\"10.1.0.0/24\""),
                             source));
}

static void
ports_of_a_pool_are_devices(void **state)
{
#define POOL(PORT, PREFIX, REPLY_TO)                                          \
    ROUTE("\"dpid\":1,\"port\":\"" PORT "\"," DEVICE,                         \
          "\"source_pool\":\"" PREFIX "\",\"reply_to\":" REPLY_TO)
    static const char there[] =
        POOL("eth*", "10.1.0.0/28", "\"10.1.0.64/28\"");
    const char *other = "another device", *source = "another source";

    (void) state;
    assert_true(go_together(there, POOL("eth?", "10.1.0.0/28", "true"), ""));
    /* Which of them has an address of both? */
    assert_false(
        go_together(there, POOL("eth*", "10.1.0.0/27", "true"), other));
    assert_true(go_together(there, POOL("eth*", "10.1.0.32/28", "true"), ""));
    assert_false(go_together(
        there, POOL("eth1", "10.1.0.32/28", "\"10.1.0.64/28\""), source));
    assert_true(go_together(
        there, POOL("eth1", "10.1.0.32/28", "\"10.1.0.80/28\""), ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_true_or_a_prefix),
        cmocka_unit_test(needs_a_source_and_one_device),
        cmocka_unit_test(a_source_is_one_device),
        cmocka_unit_test(a_device_is_an_address_at_a_place),
        cmocka_unit_test(ports_of_a_pool_are_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
