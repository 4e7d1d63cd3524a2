/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct member *
read_member(const char *text, struct json_error *error)
{
    struct cJSON *json = json_parse(text, strlen(text), error);

    if (!json) {
        fail_msg("%s: %s", text, error->detail);
    }
    struct member *m = member_from_json("m", json, error);
    cJSON_Delete(json);
    return m;
}

/* "dpid" and "port" are there, 'rest' comes behind. */
static char *
body(const char *rest, char buf[512])
{
    snprintf(buf, 512, "{\"dpid\":1,\"port\":\"s1-eth7\"%s}", rest);
    return buf;
}

/* What stands behind the port in the canonical form; which means the same. */
static void
assert_canonical(const char *rest, const char *canonical)
{
    char text[512], expected[512];

    snprintf(expected, sizeof expected,
             "{\"name\":\"m\",\"vlan\":0,\"dpid\":\"0000000000000001\","
             "\"port\":\"s1-eth7\"%s}",
             canonical);
    body(rest, text);
    for (int i = 0; i < 2; i++) {
        struct json_error error;
        struct member *m = read_member(i ? expected : text, &error);
        if (!m) {
            fail_msg("%s: %s: %s", text, error.pointer, error.detail);
            return;
        }
        struct cJSON *json = member_to_json(m);
        char *printed = cJSON_PrintUnformatted(json);
        assert_string_equal(printed, expected);
        free(printed);
        cJSON_Delete(json);
        member_destroy(m);
    }
}

static void
assert_text_refused(const char *text, const char *pointer, const char *detail)
{
    struct json_error error;
    struct member *m = read_member(text, &error);

    if (m || strcmp(error.pointer, pointer) || !strstr(error.detail, detail)) {
        fail_msg("%s: expected %s \"%s\", got %s \"%s\"", text, pointer,
                 detail, m ? "" : error.pointer,
                 m ? "a member" : error.detail);
    }
}

static void
assert_refused(const char *rest, const char *pointer, const char *detail)
{
    char text[512];

    assert_text_refused(body(rest, text), pointer, detail);
}

#define G ",\"group\":\"239.1.1.1\""

static void
test_canonical_forms(void **state)
{
    (void) state;
    assert_canonical(G, G);
    assert_canonical(G ",\"mode\":\"exclude\",\"sources\":[]", G);
    assert_canonical(G ",\"sources\":[]", G);
    assert_canonical(G ",\"router\":false", G);
    /* Sources without a mode are those that are wanted. */
    assert_canonical(G ",\"sources\":[\"10.1.0.5\",\"10.1.0.4\","
                       "\"10.1.0.5\"]",
                     G ",\"mode\":\"include\","
                       "\"sources\":[\"10.1.0.4\",\"10.1.0.5\"]");
    assert_canonical(G ",\"mode\":\"exclude\",\"sources\":[\"10.1.0.5\"]",
                     G ",\"mode\":\"exclude\",\"sources\":[\"10.1.0.5\"]");
    assert_canonical(",\"group\":\"FF1E:0::1\",\"sources\":[\"2001:DB8::1\"]",
                     ",\"group\":\"ff1e::1\",\"mode\":\"include\","
                     "\"sources\":[\"2001:db8::1\"]");
    assert_canonical(",\"router\":true", ",\"router\":true");
}

static void
test_where(void **state)
{
    struct json_error error;
    struct member *m = read_member(
        "{\"name\":\"m\",\"vlan\":10,\"dpid\":\"0xab\",\"port\":7" G "}",
        &error);

    (void) state;
    assert_non_null(m);
    assert_int_equal(m->vlan, 10);
    assert_int_equal(m->dpid, 0xab);
    assert_string_equal(m->port, "7");
    assert_true(m->exclude);
    assert_int_equal(m->n_sources, 0);
    member_destroy(m);

    assert_text_refused("{\"port\":7" G "}", "/dpid", "");
    assert_text_refused("{\"dpid\":1" G "}", "/port", "");
    assert_text_refused("{\"dpid\":0,\"port\":7" G "}", "/dpid", "");
    assert_text_refused("{\"dpid\":1,\"port\":0" G "}", "/port", "");
    assert_text_refused("{\"dpid\":1,\"port\":\"a b\"" G "}", "/port",
                        "spaces");
    assert_refused(",\"vlan\":4095" G, "/vlan", "");
    assert_refused(",\"name\":\"other\"" G, "/name", "URL");
    assert_refused(",\"colour\":1" G, "/colour", "");
}

static void
test_impossible_groups(void **state)
{
    (void) state;
    assert_refused("", "/group", "which group");
    assert_refused(",\"group\":\"10.1.1.1\"", "/group", "multicast");
    assert_refused(",\"group\":\"2001:db8::1\"", "/group", "multicast");
    assert_refused(",\"group\":\"239.1.1\"", "/group", "address");
    assert_refused(",\"group\":7", "/group", "address");
    assert_refused(",\"group\":\"224.0.0.251\"", "/group", "link-local");
    assert_refused(",\"group\":\"ff02::fb\"", "/group", "link-local");
    assert_refused(",\"group\":\"ff01::1\"", "/group", "scope");
    /* Its neighbours are good. */
    assert_canonical(",\"group\":\"224.0.1.0\"", ",\"group\":\"224.0.1.0\"");
    assert_canonical(",\"group\":\"ff03::1\"", ",\"group\":\"ff03::1\"");
}

static void
test_impossible_sources(void **state)
{
    (void) state;
    assert_refused(G ",\"sources\":[\"2001:db8::1\"]", "/sources", "family");
    assert_refused(",\"group\":\"ff1e::1\",\"sources\":[\"10.1.0.1\"]",
                   "/sources", "family");
    assert_refused(G ",\"sources\":[\"239.1.1.2\"]", "/sources", "hosts");
    assert_refused(G ",\"sources\":[\"127.0.0.1\"]", "/sources", "hosts");
    assert_refused(G ",\"sources\":[\"0.0.0.0\"]", "/sources", "hosts");
    assert_refused(",\"group\":\"ff1e::1\",\"sources\":[\"::1\"]", "/sources",
                   "hosts");
    assert_refused(G ",\"sources\":[7]", "/sources", "address");
    assert_refused(G ",\"sources\":\"10.1.0.1\"", "/sources", "array");
    assert_refused(G ",\"mode\":\"include\"", "/sources", "nobody");
    assert_refused(G ",\"mode\":\"both\"", "/mode", "include");
    assert_refused(G ",\"mode\":1", "/mode", "");
}

/* 300 sources, "10.0.x.y". */
static void
test_too_many_sources(void **state)
{
    char text[8192];
    int n = snprintf(text, sizeof text,
                     "{\"dpid\":1,\"port\":1" G ",\"sources\":[");

    (void) state;
    for (int i = 0; i < 300; i++) {
        n += snprintf(text + n, sizeof text - (size_t) n, "%s\"10.0.%d.%d\"",
                      i ? "," : "", i / 100, 1 + i % 100);
    }
    snprintf(text + n, sizeof text - (size_t) n, "]}");
    assert_text_refused(text, "/sources", "256");
}

/* RFC 4607: a group in the range of SSM has no members without sources. */
static void
test_source_specific_range(void **state)
{
    (void) state;
    assert_refused(",\"group\":\"232.1.1.1\"", "/sources", "4607");
    assert_refused(",\"group\":\"232.1.1.1\",\"mode\":\"exclude\","
                   "\"sources\":[\"10.1.0.1\"]",
                   "/sources", "4607");
    assert_refused(",\"group\":\"ff3e::8000:1\"", "/sources", "4607");
    assert_canonical(",\"group\":\"232.1.1.1\",\"sources\":[\"10.1.0.1\"]",
                     ",\"group\":\"232.1.1.1\",\"mode\":\"include\","
                     "\"sources\":[\"10.1.0.1\"]");
}

static void
test_either_router_or_group(void **state)
{
    (void) state;
    assert_refused(G ",\"router\":true", "/router", "every group");
    assert_refused(",\"sources\":[\"10.1.0.1\"],\"router\":true", "/router",
                   "every group");
    assert_refused(",\"mode\":\"include\",\"router\":true", "/mode", "router");
    assert_refused(",\"router\":1", "/router", "");
    assert_refused(",\"router\":false", "/group", "which group");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_forms),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_impossible_groups),
        cmocka_unit_test(test_impossible_sources),
        cmocka_unit_test(test_too_many_sources),
        cmocka_unit_test(test_source_specific_range),
        cmocka_unit_test(test_either_router_or_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
