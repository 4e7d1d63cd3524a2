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

#include "lib/xalloc.h"
#include "tests/unit/api-rig.h"

static void
test_put_and_delete(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/routes/hdmi", ROUTE), 201);
    assert_string_equal(f->answer.location, "/v1/routes/hdmi");
    assert_non_null(strstr(f->answer.body, "\"name\":\"hdmi\""));
    assert_non_null(strstr(f->answer.body, "\"state\":\"applied\""));
    assert_non_null(strstr(f->answer.body, "\"bytes\":\"0x20000000000001\""));
    char *etag = xstrdup(f->answer.etag);
    assert_true(*etag);
    assert_int_equal(api_rig_put(f, "/v1/routes/hdmi", ROUTE), 200);
    assert_null(f->answer.location);
    assert_string_equal(f->answer.etag, etag);
    assert_int_equal(api_rig_put(f, "/v1/routes/hdmi", OTHER), 200);
    assert_string_not_equal(f->answer.etag, etag);
    assert_int_equal(api_rig_get(f, "/v1/routes/hdmi"), 200);
    assert_non_null(strstr(f->answer.body, "226.2.2.3"));
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/routes/hdmi", NULL), 204);
    assert_null(f->answer.body);
    api_rig_ask(f, API_DELETE, "/v1/routes/hdmi", NULL);
    api_rig_assert_problem(f, 404, "not-found", NULL);

    assert_int_equal(api_rig_put(f, "/v1/flows/f1", FLOW), 201);
    assert_int_equal(api_rig_get(f, "/v1/flows"), 200);
    assert_non_null(strstr(f->answer.body, "\"name\":\"f1\""));
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/flows/f1", NULL), 204);
    free(etag);
}

static void
test_members(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/members/m", MEMBER), 201);
    assert_string_equal(f->answer.location, "/v1/members/m");
    assert_non_null(strstr(f->answer.body, "\"origin\":\"api\""));
    assert_non_null(strstr(f->answer.body, "\"state\":\"applied\""));
    char *body = xstrdup(f->answer.body);
    char *etag = xstrdup(f->answer.etag);
    /* What GET gave may come back, with what the server says in it. */
    assert_int_equal(api_rig_put(f, "/v1/members/m", body), 200);
    assert_string_equal(f->answer.etag, etag);
    assert_int_equal(api_rig_get(f, "/v1/members"), 200);
    assert_non_null(strstr(f->answer.body, "\"members\":[{\"name\":\"m\""));
    assert_int_equal(api_rig_put(f, "/v1/members/m",
                                 "{\"dpid\":1,\"port\":2,\"router\":true}"),
                     200);
    assert_string_not_equal(f->answer.etag, etag);
    assert_int_equal(
        api_rig_ask_with(f, (struct api_request){.method = API_DELETE,
                                                 .target = "/v1/members/m",
                                                 .if_match = etag}),
        412);
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/members/m", NULL), 204);
    assert_int_equal(api_rig_get(f, "/v1/members/m"), 404);
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/members/m", NULL), 404);
    free(body);
    free(etag);
}

static void
test_member_refusals(void **state)
{
    struct api_rig *f = *state;

    api_rig_put(f, "/v1/members/m",
                "{\"dpid\":1,\"port\":2,\"group\":\"10.0.0.1\"}");
    api_rig_assert_problem(f, 422, "invalid", "/group");
    api_rig_put(f, "/v1/members/m", "{\"dpid\":1,\"port\":2,\"origin\":1}");
    api_rig_assert_problem(f, 422, "invalid", "/group");
    api_rig_put(f, "/v1/members/reject", MEMBER);
    assert_int_equal(f->answer.status, 422);
    api_rig_put(f, "/v1/members/full", MEMBER);
    api_rig_assert_problem(f, 507, "storage", NULL);
    /* Of the configuration: neither replaced nor deleted. */
    api_rig_put(f, "/v1/members/config", MEMBER);
    api_rig_assert_problem(f, 409, "configured", NULL);
    api_rig_ask(f, API_DELETE, "/v1/members/config", NULL);
    api_rig_assert_problem(f, 409, "configured", NULL);
    assert_int_equal(api_rig_put(f, "/v1/members/slow", MEMBER), 0);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->answer.status, 201);
}

/* GET, change, PUT. */
static void
test_round_trip(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/routes/r", ROUTE), 201);
    char *body = xstrdup(f->answer.body);
    assert_non_null(strstr(body, "\"status\""));
    assert_int_equal(api_rig_put(f, "/v1/routes/r", body), 200);
    assert_int_equal(api_rig_put(f, "/v1/routes/other", body), 422);
    api_rig_assert_problem(f, 422, "invalid", "/name");
    free(body);
}

static void
test_refusals(void **state)
{
    struct api_rig *f = *state;

    api_rig_put(f, "/v1/flows/reject", FLOW);
    api_rig_assert_problem(f, 422, "rejected", "/flow");
    assert_non_null(strstr(f->answer.body, "OFPBAC_BAD_OUT_GROUP"));
    api_rig_put(f, "/v1/routes/invalid", ROUTE);
    api_rig_assert_problem(f, 422, "invalid", "/to/0");
    api_rig_put(f, "/v1/routes/full", ROUTE);
    api_rig_assert_problem(f, 507, "storage", NULL);
    api_rig_put(f, "/v1/routes/r",
                "{\"match\":{\"group\":\"226.2.2.2\"},\"x\":1}");
    api_rig_assert_problem(f, 422, "invalid", "/x");
    api_rig_put(f, "/v1/routes/r", "{\"match\":{\"group\":\"10.0.0.1\"}}");
    api_rig_assert_problem(f, 422, "invalid", "/match/group");
    api_rig_put(
        f, "/v1/routes/r",
        "{\"match\":{\"group\":\"226.2.2.2\",\"vlan\":9007199254740993}}");
    api_rig_assert_problem(f, 422, "invalid", "/match/vlan");
    assert_int_equal(api_rig_get(f, "/v1/routes"), 200);
    assert_non_null(strstr(f->answer.body, "\"routes\":[]"));
}

static void
test_bad_json(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "null",
                                         "\"x\"",
                                         "{}x",
                                         "{\"a\":01}",
                                         "{,}",
                                         "\xff",
                                         "\xef\xbb\xbf{}",
                                         "{\"a\":NaN}",
                                         "{\"a\":1e400}",
                                         "{\"match\":{},\"match\":{}}"};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct api_rig *f = *state;
        api_rig_put(f, "/v1/routes/r", bodies[i]);
        assert_int_equal(f->answer.status, 400);
        assert_non_null(strstr(f->answer.body, "problem:bad-json"));
        assert_int_equal(api_rig_get(f, "/v1/routes/r"), 404);
    }
}

static void
test_bad_names(void **state)
{
    static const char *const names[] = {"a%20b", "%2e%2e", "..",     ".",
                                        "%2e",   "a%2fb",  "..%2fb", "a%25b",
                                        "a,b",   "%c3%a4", "a;b",    "a%22b"};
    struct api_rig *f = *state;
    char target[160];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(target, sizeof target, "/v1/routes/%s", names[i]);
        api_rig_put(f, target, ROUTE);
        api_rig_assert_problem(f, 400, "bad-name", NULL);
    }
    strcpy(target, "/v1/flows/");
    memset(target + 10, 'n', 65);
    target[75] = '\0';
    api_rig_put(f, target, FLOW);
    api_rig_assert_problem(f, 400, "bad-name", NULL);
    target[74] = '\0';
    assert_int_equal(api_rig_put(f, target, FLOW), 201);
    assert_int_equal(api_rig_put(f, "/v1/flows/a%2Db", FLOW), 201);
    assert_int_equal(api_rig_get(f, "/v1/flows/a-b"), 200);
}

static int
put_as(struct api_rig *f, const char *type, const char *encoding)
{
    return api_rig_ask_with(f,
                            (struct api_request){.method = API_PUT,
                                                 .target = "/v1/routes/r",
                                                 .content_type = type,
                                                 .content_encoding = encoding,
                                                 .body = ROUTE});
}

static void
test_media_types(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(put_as(f, "application/json", NULL), 201);
    assert_int_equal(put_as(f, "Application/JSON; charset=utf-8", NULL), 200);
    assert_int_equal(put_as(f, "application/json", "identity"), 200);
    /* curl -d */
    assert_int_equal(put_as(f, "application/x-www-form-urlencoded", NULL),
                     200);
    assert_int_equal(put_as(f, "text/plain", NULL), 415);
    api_rig_assert_problem(f, 415, "bad-media-type", NULL);
    assert_int_equal(put_as(f, "application/jsonp", NULL), 415);
    assert_int_equal(put_as(f, "", NULL), 415);
    assert_int_equal(put_as(f, NULL, "gzip"), 415);
}

static void
test_write_parameters(void **state)
{
    static const char *const bad[] = {
        "wait=never",  "wait=",          "timeout=-1", "timeout=61",
        "timeout=",    "timeout=1e1",    "timeout=.5", "timeout=1.",
        "timeout=0x1", "timeout=60.001", "x=1",        "timeout=nan"};
    struct api_rig *f = *state;
    char target[80];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(target, sizeof target, "/v1/routes/r?%s", bad[i]);
        api_rig_put(f, target, ROUTE);
        api_rig_assert_problem(f, 400, "bad-parameter", NULL);
    }
    assert_int_equal(api_rig_put(f, "/v1/routes/r?timeout=60", ROUTE), 201);
    assert_int_equal(api_rig_put(f, "/v1/routes/r?timeout=0.25", ROUTE), 200);
    assert_int_equal(
        api_rig_put(f, "/v1/routes/slow?wait=stored&timeout=1", ROUTE), 201);
}

/* A write that waits for a switch is answered later, once. */
static void
test_waiting(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/routes/slow", ROUTE), 0);
    assert_non_null(f->waiting);
    assert_int_equal(stub_ctl_n_waiting(f->api.ctl), 1);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 1);
    assert_int_equal(f->answer.status, 201);
    assert_non_null(strstr(f->answer.body, "\"state\":\"pending\""));
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 1);
}

/* The client has gone: ctl finishes, nobody is answered, nothing leaks. */
static void
test_abandoned(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/routes/slow", ROUTE), 0);
    api_call_abandon(f->waiting);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 0);
    assert_int_equal(api_rig_get(f, "/v1/routes/slow"), 200);
    assert_int_equal(api_rig_ask(f, API_DELETE, "/v1/routes/slow", NULL), 0);
    api_call_abandon(f->waiting);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 0);
}

static void
test_deleted_while_waiting(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(api_rig_put(f, "/v1/routes/slow", ROUTE), 0);
    struct api_call *first = f->waiting;
    assert_int_equal(
        api_rig_ask(f, API_DELETE, "/v1/routes/slow?wait=stored", NULL), 204);
    assert_non_null(first);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->answer.status, 409);
}

/* Preconditions. */

static int
ask_if(struct api_rig *f, enum api_method method, const char *match,
       const char *none_match)
{
    return api_rig_ask_with(f,
                            (struct api_request){.method = method,
                                                 .target = "/v1/routes/r",
                                                 .if_match = match,
                                                 .if_none_match = none_match,
                                                 .body = ROUTE});
}

static void
test_preconditions(void **state)
{
    struct api_rig *f = *state;

    assert_int_equal(ask_if(f, API_PUT, "*", NULL), 412);
    api_rig_assert_problem(f, 412, "changed", NULL);
    assert_int_equal(ask_if(f, API_PUT, "\"x\"", NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, "*", NULL), 412);
    assert_int_equal(ask_if(f, API_PUT, NULL, "*"), 201);
    assert_int_equal(ask_if(f, API_PUT, NULL, "*"), 412);
    assert_int_equal(api_rig_get(f, "/v1/routes/r"), 200);
    char *etag = xstrdup(f->answer.etag);
    assert_int_equal(ask_if(f, API_PUT, etag, NULL), 200);
    assert_int_equal(ask_if(f, API_PUT, NULL, etag), 412);
    assert_int_equal(api_rig_put(f, "/v1/routes/r", OTHER), 200);
    assert_int_equal(ask_if(f, API_PUT, etag, NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, etag, NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, "*", NULL), 204);
    free(etag);
}

static void
test_not_modified(void **state)
{
    struct api_rig *f = *state;

    api_rig_put(f, "/v1/routes/r", ROUTE);
    char *etag = xstrdup(f->answer.etag);
    assert_int_equal(ask_if(f, API_GET, NULL, etag), 304);
    assert_null(f->answer.body);
    assert_string_equal(f->answer.etag, etag);
    assert_int_equal(ask_if(f, API_HEAD, NULL, etag), 304);
    assert_int_equal(ask_if(f, API_GET, NULL, "\"x\""), 200);
    assert_int_equal(ask_if(f, API_GET, NULL, "*"), 304);
    free(etag);

    /* Of a list: the tag changes with any item. */
    api_rig_get(f, "/v1/routes");
    char *list = xstrdup(f->answer.etag);
    api_rig_get(f, "/v1/routes");
    assert_string_equal(f->answer.etag, list);
    api_rig_put(f, "/v1/routes/s", OTHER);
    api_rig_get(f, "/v1/routes");
    assert_string_not_equal(f->answer.etag, list);
    free(list);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_RIG_TEST(test_put_and_delete),
        API_RIG_TEST(test_members),
        API_RIG_TEST(test_member_refusals),
        API_RIG_TEST(test_round_trip),
        API_RIG_TEST(test_refusals),
        API_RIG_TEST(test_bad_json),
        API_RIG_TEST(test_bad_names),
        API_RIG_TEST(test_media_types),
        API_RIG_TEST(test_write_parameters),
        API_RIG_TEST(test_waiting),
        API_RIG_TEST(test_abandoned),
        API_RIG_TEST(test_deleted_while_waiting),
        API_RIG_TEST(test_preconditions),
        API_RIG_TEST(test_not_modified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
