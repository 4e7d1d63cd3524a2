/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "api/api-groups.h"
#include "tests/unit/api-rig.h"

/* Reading. */

static void
test_all_resources_answer(void **state)
{
    static const char *const targets[] = {
        "/v1/switches",
        "/v1/switches/1",
        "/v1/switches/0x1",
        "/v1/switches/00:00:00:00:00:00:00:01",
        "/v1/groups",
        "/v1/groups/0/226.2.2.2",
        "/v1/topology",
        "/v1/topology/trees/0/226.2.2.2",
        "/v1/streams",
        "/v1/queriers",
        "/v1/routes",
        "/v1/flows",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/groups?limit=1",
        "/v1/streams?cursor=0",
        "http://localhost/healthz"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(api_rig_get(*state, targets[i]), 200);
        struct api_rig *f = *state;
        assert_string_equal(f->answer.type, "application/json");
        struct cJSON *o = cJSON_Parse(f->answer.body);
        assert_true(cJSON_IsObject(o));
        cJSON_Delete(o);
        assert_int_equal(api_rig_ask(f, API_HEAD, targets[i], NULL), 200);
        assert_true(f->answer.head);
        assert_true(f->answer.size > 0);
    }
}

static void
test_not_found(void **state)
{
    static const char *const targets[] = {"/v1",
                                          "/v1/",
                                          "/v1/nothing",
                                          "/v2/switches",
                                          "/v1/switches/",
                                          "/v1/switches/99",
                                          "/v1/groups/0",
                                          "/v1/groups/0/239.1.1.1",
                                          "/v1/groups//226.2.2.2",
                                          "/v1/topology/trees/1/226.2.2.2",
                                          "/v1/routes/none",
                                          "/v1/flows/none",
                                          "/v1/routes/none/more",
                                          "/V1/switches",
                                          "//v1/switches",
                                          "/v1/switches/1/ports"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        api_rig_get(*state, targets[i]);
        api_rig_assert_problem(*state, 404, "not-found", NULL);
    }
}

static void
test_malformed_addresses(void **state)
{
    static const char *const targets[] = {"/v1/switches/zz",
                                          "/v1/switches/0",
                                          "/v1/groups/4095/226.2.2.2",
                                          "/v1/groups/-1/226.2.2.2",
                                          "/v1/topology/trees/4095/226.2.2.2",
                                          "/v1/topology/trees/0/10.0.0.1",
                                          "/v1/groups/x/226.2.2.2",
                                          "/v1/groups/0/10.0.0.1",
                                          "/v1/groups/0/226.2.2",
                                          "/v1/groups/0/226.2.2.2%00",
                                          "/v1/groups/00000/226.2.2.2",
                                          "/%zz"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        api_rig_get(*state, targets[i]);
        api_rig_assert_problem(*state, 400, "bad-request", NULL);
    }
}

static void
test_parameters(void **state)
{
    static const char *const targets[] = {
        "/v1/groups?limit=0",
        "/v1/groups?limit=10001",
        "/v1/groups?limit=-1",
        "/v1/groups?limit=1e3",
        "/v1/groups?limit=",
        "/v1/groups?limit=99999999999999999999",
        "/v1/groups?cursor=a%20b",
        "/v1/groups?cursor=",
        "/v1/groups?colour=red",
        "/v1/groups/0/226.2.2.2?limit=1",
        "/v1/groups?cursor=0",
        "/v1/groups?cursor=1.0.ef",
        "/v1/groups?cursor=1.1000.00000000000000000000ffffe2020202",
        "/v1/groups?cursor=1.00.00000000000000000000ffffe2020202",
        "/v1/groups?cursor=1.0.00000000000000000000ffffe20202-2",
        "/v1/groups?cursor=1.0.00000000000000000000ffffe20202020",
        "/healthz?x=1",
        "/v1/routes/hdmi?wait=stored",
        "/v1/groups?wait=stored"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        api_rig_get(*state, targets[i]);
        api_rig_assert_problem(*state, 400, "bad-parameter", NULL);
    }
}

/* Page by page, with cursors, all groups come in the order of vlan and
 * address. */
static void
test_pages(void **state)
{
    struct api_rig *f = *state;
    char target[160] = "/v1/groups?limit=7";
    struct cJSON *page = NULL;
    size_t n = 0;

    stub_ctl_set_groups(f->api.ctl, 100);
    while (*target) {
        assert_int_equal(api_rig_get(f, target), 200);
        page = cJSON_Parse(f->answer.body);
        n += (size_t) cJSON_GetArraySize(cJSON_GetObjectItem(page, "groups"));
        const char *next =
            cJSON_GetStringValue(cJSON_GetObjectItem(page, "next"));
        target[0] = '\0';
        if (next) {
            snprintf(target, sizeof target, "/v1/groups?cursor=%s&limit=7",
                     next);
        }
        cJSON_Delete(page);
    }
    assert_int_equal(n, 101);
}

static size_t
n_groups_at(struct api_rig *f, const char *target, char next[160])
{
    assert_int_equal(api_rig_get(f, target), 200);
    struct cJSON *page = cJSON_Parse(f->answer.body);
    size_t n =
        (size_t) cJSON_GetArraySize(cJSON_GetObjectItem(page, "groups"));
    const char *cursor =
        cJSON_GetStringValue(cJSON_GetObjectItem(page, "next"));
    snprintf(next, 160, "/v1/groups?limit=7%s%s", cursor ? "&cursor=" : "",
             cursor ? cursor : "");
    cJSON_Delete(page);
    return n;
}

/* A listing that is kept goes on where it was, without groups that have gone;
 * a cursor of another listing, or of one before a restart, works as well. */
static void
test_listings(void **state)
{
    struct api_rig *f = *state;
    char next[160], old[160], other[160];

    f->api.groups = api_groups_create();
    stub_ctl_set_groups(f->api.ctl, 100);
    assert_int_equal(n_groups_at(f, "/v1/groups?limit=7", old), 7);
    assert_int_equal(n_groups_at(f, old, next), 7);
    /* All but five go; the canned one was on the first page. */
    stub_ctl_set_groups(f->api.ctl, 5);
    size_t left = n_groups_at(f, next, other);
    assert_true(left <= 5);
    stub_ctl_set_groups(f->api.ctl, 100);

    assert_int_equal(n_groups_at(f, "/v1/groups?limit=7", next), 7);
    assert_int_equal(n_groups_at(f, "/v1/groups?limit=50", other), 50);
    size_t n = 7;
    while (strstr(next, "cursor")) {
        strcpy(old, next);
        n += n_groups_at(f, old, next);
    }
    assert_int_equal(n, 101);
    api_groups_destroy(f->api.groups);
    f->api.groups = NULL;
}

static void
test_methods(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_ask(f, API_OTHER, "/v1/switches", NULL), 405);
    api_rig_assert_problem(f, 405, "bad-method", NULL);
    assert_string_equal(f->answer.allow, "GET, HEAD, OPTIONS");
    assert_int_equal(api_rig_ask(f, API_PUT, "/v1/switches/1", "{}"), 405);
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/routes", NULL), 405);
    assert_int_equal(api_rig_ask(f, API_OTHER, "/v1/routes/x", "{}"), 405);
    assert_string_equal(f->answer.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    assert_int_equal(api_rig_ask(f, API_OPTIONS, "/v1/flows/x", NULL), 204);
    assert_string_equal(f->answer.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    assert_null(f->answer.body);
    assert_int_equal(api_rig_ask(f, API_OPTIONS, "*", NULL), 204);
    assert_int_equal(api_rig_ask(f, API_OPTIONS, "/nothing", NULL), 404);
    assert_int_equal(api_rig_ask(f, API_GET, "*", NULL), 400);
}

static void
test_health(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_get(f, "/healthz"), 200);
    assert_string_equal(f->answer.body, "{\"status\":\"ok\"}\n");
    assert_int_equal(api_rig_get(f, "/readyz"), 200);
    assert_string_equal(f->answer.body,
                        "{\"status\":\"ready\",\"reasons\":[]}\n");
    stub_ctl_set_store_error(f->api.ctl, "disk \xff full");
    stub_ctl_set_synced(f->api.ctl, false);
    assert_int_equal(api_rig_get(f, "/healthz"), 200);
    assert_int_equal(api_rig_get(f, "/readyz"), 503);
    assert_string_equal(
        f->answer.body,
        "{\"status\":\"not ready\",\"reasons\":[\"disk \xef\xbf\xbd full\","
        "\"switch 0000000000000001 is connected but not yet programmed\"]}\n");
    assert_int_equal(f->answer.retry_after, 1);
}

/* Every resource is in the description, and the reverse. */
static void
test_openapi(void **state)
{
    struct api_rig *f = *state;
    const struct cJSON *path;

    api_rig_get(f, "/openapi.json");
    struct cJSON *o = cJSON_Parse(f->answer.body);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(o, "openapi")), "3.1.0");
    const struct cJSON *paths = cJSON_GetObjectItem(o, "paths");
    assert_non_null(cJSON_GetObjectItem(paths, "/v1/groups/{vlan}/{group}"));
    cJSON_ArrayForEach (path, paths) {
        /* Its pattern is a path that the server knows: 404 of an unknown
         * path names no allowed method. */
        api_rig_ask(f, API_OPTIONS, path->string, NULL);
        assert_int_equal(f->answer.status, 204);
        assert_int_equal(!strstr(f->answer.allow, "PUT"),
                         !cJSON_GetObjectItem(path, "put"));
        assert_int_equal(!strstr(f->answer.allow, "DELETE"),
                         !cJSON_GetObjectItem(path, "delete"));
    }
    cJSON_Delete(o);
}

static void
test_page(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_get(f, "/"), 200);
    assert_string_equal(f->answer.type, "text/html; charset=utf-8");
    assert_non_null(strstr(f->answer.body, "<title>ofmcast</title>"));
    assert_int_equal(strlen(f->answer.body), f->answer.size);
}

static void
test_events(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_get(f, "/v1/events"), 200);
    assert_true(f->answer.stream);
    assert_string_equal(f->answer.type, "text/event-stream");
}

/* Who asks. */

static int
ask_host(struct api_rig *f, const char *host)
{
    return api_rig_ask_with(f, (struct api_request){.method = API_GET,
                                                    .target = "/healthz",
                                                    .needs_host = true,
                                                    .host = host});
}

static void
test_host(void **state)
{
    struct api_rig *f = *state;
    char text[400];

    assert_int_equal(ask_host(f, "localhost"), 200);
    assert_int_equal(ask_host(f, "LocalHost:8080"), 200);
    assert_int_equal(ask_host(f, "127.0.0.1:8080"), 200);
    assert_int_equal(ask_host(f, "10.1.2.3"), 200);
    assert_int_equal(ask_host(f, "[::1]:8080"), 200);
    assert_int_equal(ask_host(f, "[::1]"), 200);
    assert_int_equal(ask_host(f, NULL), 400);
    assert_int_equal(ask_host(f, ""), 421);
    assert_int_equal(ask_host(f, "evil.example"), 421);
    api_rig_assert_problem(f, 421, "bad-host", NULL);
    assert_int_equal(ask_host(f, "localhost.evil.example"), 421);
    assert_int_equal(ask_host(f, "127.0.0.1.evil.example"), 421);
    assert_int_equal(ask_host(f, "[::1"), 200);
    assert_int_equal(ask_host(f, "[evil]"), 421);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(ask_host(f, text), 421);
    text[0] = '[';
    assert_int_equal(ask_host(f, text), 421);
    /* Elsewhere it has names that we do not know. */
    f->api.loopback = false;
    assert_int_equal(ask_host(f, "ofmcast.example"), 200);
    assert_int_equal(ask_host(f, NULL), 400);
    /* HTTP/1.0 needs none. */
    assert_int_equal(api_rig_get(f, "/healthz"), 200);
}

static int
ask_origin(struct api_rig *f, enum api_method method, const char *origin)
{
    return api_rig_ask_with(f, (struct api_request){.method = method,
                                                    .target = "/v1/routes/r",
                                                    .host = "127.0.0.1:8080",
                                                    .origin = origin,
                                                    .body = ROUTE});
}

static void
test_origin(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(ask_origin(f, API_PUT, "http://127.0.0.1:8080"), 201);
    assert_int_equal(ask_origin(f, API_PUT, "http://evil.example"), 403);
    api_rig_assert_problem(f, 403, "cross-origin", NULL);
    assert_int_equal(ask_origin(f, API_PUT, "null"), 403);
    assert_int_equal(ask_origin(f, API_PUT, ""), 403);
    assert_int_equal(ask_origin(f, API_PUT, "http://127.0.0.1:80"), 403);
    assert_int_equal(ask_origin(f, API_DELETE, "http://evil.example"), 403);
    assert_int_equal(ask_origin(f, API_GET, "http://evil.example"), 200);
    assert_int_equal(ask_origin(f, API_DELETE, "http://127.0.0.1:8080"), 204);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_RIG_TEST(test_all_resources_answer),
        API_RIG_TEST(test_not_found),
        API_RIG_TEST(test_malformed_addresses),
        API_RIG_TEST(test_parameters),
        API_RIG_TEST(test_pages),
        API_RIG_TEST(test_listings),
        API_RIG_TEST(test_methods),
        API_RIG_TEST(test_health),
        API_RIG_TEST(test_openapi),
        API_RIG_TEST(test_page),
        API_RIG_TEST(test_events),
        API_RIG_TEST(test_host),
        API_RIG_TEST(test_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
