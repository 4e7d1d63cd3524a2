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
#include "tests/unit/stub-ctl.h"

#define ROUTE "{\"match\":{\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":16}}"
#define OTHER "{\"match\":{\"group\":\"226.2.2.3\"}}"
#define FLOW  "{\"dpid\":1,\"flow\":\"table=0,actions=drop\"}"

struct fixture {
    struct api api;
    struct api_response answer; /* The last one. */
    unsigned n_answers;
    struct api_call *waiting; /* What api_dispatch() returned. */
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->api.ctl = stub_ctl_create();
    f->api.loopback = true;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    stub_ctl_destroy(f->api.ctl);
    api_response_uninit(&f->answer);
    free(f);
    return 0;
}

static void
on_reply(void *aux, struct api_response *r)
{
    struct fixture *f = aux;

    f->answer = *r;
    f->answer.body = r->body ? xstrdup(r->body) : NULL;
    f->answer.location = r->location ? xstrdup(r->location) : NULL;
    f->n_answers++;
}

/* Returns the status, 0 if there is no answer yet. */
static int
ask_with(struct fixture *f, struct api_request request)
{
    api_response_uninit(&f->answer);
    f->n_answers = 0;
    request.body_size = request.body ? strlen(request.body) : 0;
    f->waiting = api_dispatch(&f->api, &request, on_reply, f);
    assert_int_equal(f->n_answers, f->waiting ? 0 : 1);
    return f->answer.status;
}

static int
ask(struct fixture *f, enum api_method method, const char *target,
    const char *body)
{
    return ask_with(f, (struct api_request){
                           .method = method, .target = target, .body = body});
}

static int
get(struct fixture *f, const char *target)
{
    return ask(f, API_GET, target, NULL);
}

static int
put(struct fixture *f, const char *target, const char *body)
{
    return ask(f, API_PUT, target, body);
}

/* The answer is a problem of this name, with this pointer (NULL: none). */
static void
assert_problem(struct fixture *f, int status, const char *name,
               const char *pointer)
{
    struct cJSON *o = cJSON_Parse(f->answer.body);
    char type[96];

    snprintf(type, sizeof type, "urn:ofmcast:problem:%s", name);
    assert_int_equal(f->answer.status, status);
    assert_string_equal(f->answer.type, "application/problem+json");
    assert_non_null(o);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(o, "type")),
                        type);
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(o, "title")));
    assert_int_equal(cJSON_GetObjectItem(o, "status")->valueint, status);
    assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(o, "detail")));
    const char *p = cJSON_GetStringValue(cJSON_GetObjectItem(o, "pointer"));
    assert_int_equal(!p, !pointer);
    if (p) {
        assert_string_equal(p, pointer);
    }
    cJSON_Delete(o);
}

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
        "/v1/streams",
        "/v1/queriers",
        "/v1/routes",
        "/v1/flows",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/groups?limit=1",
        "/v1/groups?cursor=0",
        "http://localhost/healthz"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(get(*state, targets[i]), 200);
        struct fixture *f = *state;
        assert_string_equal(f->answer.type, "application/json");
        struct cJSON *o = cJSON_Parse(f->answer.body);
        assert_true(cJSON_IsObject(o));
        cJSON_Delete(o);
        assert_int_equal(ask(f, API_HEAD, targets[i], NULL), 200);
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
                                          "/v1/routes/none",
                                          "/v1/flows/none",
                                          "/v1/routes/none/more",
                                          "/V1/switches",
                                          "//v1/switches",
                                          "/v1/switches/1/ports"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        get(*state, targets[i]);
        assert_problem(*state, 404, "not-found", NULL);
    }
}

static void
test_malformed_addresses(void **state)
{
    static const char *const targets[] = {"/v1/switches/zz",
                                          "/v1/switches/0",
                                          "/v1/groups/4095/226.2.2.2",
                                          "/v1/groups/-1/226.2.2.2",
                                          "/v1/groups/x/226.2.2.2",
                                          "/v1/groups/0/10.0.0.1",
                                          "/v1/groups/0/226.2.2",
                                          "/v1/groups/0/226.2.2.2%00",
                                          "/v1/groups/00000/226.2.2.2",
                                          "/%zz"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        get(*state, targets[i]);
        assert_problem(*state, 400, "bad-request", NULL);
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
        "/healthz?x=1",
        "/v1/routes/hdmi?wait=stored",
        "/v1/groups?wait=stored"};

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        get(*state, targets[i]);
        assert_problem(*state, 400, "bad-parameter", NULL);
    }
}

/* Page by page, with cursors, all groups come in the order of vlan and
 * address. */
static void
test_pages(void **state)
{
    struct fixture *f = *state;
    char target[160] = "/v1/groups?limit=7";
    struct cJSON *page = NULL;
    size_t n = 0;

    stub_ctl_set_groups(f->api.ctl, 100);
    while (*target) {
        assert_int_equal(get(f, target), 200);
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

static void
test_methods(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, API_OTHER, "/v1/switches", NULL), 405);
    assert_problem(f, 405, "bad-method", NULL);
    assert_string_equal(f->answer.allow, "GET, HEAD, OPTIONS");
    assert_int_equal(ask(f, API_PUT, "/v1/switches/1", "{}"), 405);
    assert_int_equal(ask(f, API_DELETE, "/v1/routes", NULL), 405);
    assert_int_equal(ask(f, API_OTHER, "/v1/routes/x", "{}"), 405);
    assert_string_equal(f->answer.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    assert_int_equal(ask(f, API_OPTIONS, "/v1/flows/x", NULL), 204);
    assert_string_equal(f->answer.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    assert_null(f->answer.body);
    assert_int_equal(ask(f, API_OPTIONS, "*", NULL), 204);
    assert_int_equal(ask(f, API_OPTIONS, "/nothing", NULL), 404);
    assert_int_equal(ask(f, API_GET, "*", NULL), 400);
}

static void
test_health(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/healthz"), 200);
    assert_string_equal(f->answer.body, "{\"status\":\"ok\"}\n");
    assert_int_equal(get(f, "/readyz"), 200);
    assert_string_equal(f->answer.body,
                        "{\"status\":\"ready\",\"reasons\":[]}\n");
    stub_ctl_set_store_error(f->api.ctl, "disk \xff full");
    stub_ctl_set_synced(f->api.ctl, false);
    assert_int_equal(get(f, "/healthz"), 200);
    assert_int_equal(get(f, "/readyz"), 503);
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
    struct fixture *f = *state;
    const struct cJSON *path;

    get(f, "/openapi.json");
    struct cJSON *o = cJSON_Parse(f->answer.body);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(o, "openapi")), "3.1.0");
    const struct cJSON *paths = cJSON_GetObjectItem(o, "paths");
    assert_non_null(cJSON_GetObjectItem(paths, "/v1/groups/{vlan}/{group}"));
    cJSON_ArrayForEach (path, paths) {
        /* Its pattern is a path that the server knows: 404 of an unknown
         * path names no allowed method. */
        ask(f, API_OPTIONS, path->string, NULL);
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
    struct fixture *f = *state;

    assert_int_equal(get(f, "/"), 200);
    assert_string_equal(f->answer.type, "text/html; charset=utf-8");
    assert_non_null(strstr(f->answer.body, "<title>ofmcast</title>"));
    assert_int_equal(strlen(f->answer.body), f->answer.size);
}

static void
test_events(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/v1/events"), 200);
    assert_true(f->answer.stream);
    assert_string_equal(f->answer.type, "text/event-stream");
}

/* Who asks. */

static int
ask_host(struct fixture *f, const char *host)
{
    return ask_with(f, (struct api_request){.method = API_GET,
                                            .target = "/healthz",
                                            .needs_host = true,
                                            .host = host});
}

static void
test_host(void **state)
{
    struct fixture *f = *state;
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
    assert_problem(f, 421, "bad-host", NULL);
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
    assert_int_equal(get(f, "/healthz"), 200);
}

static int
ask_origin(struct fixture *f, enum api_method method, const char *origin)
{
    return ask_with(f, (struct api_request){.method = method,
                                            .target = "/v1/routes/r",
                                            .host = "127.0.0.1:8080",
                                            .origin = origin,
                                            .body = ROUTE});
}

static void
test_origin(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask_origin(f, API_PUT, "http://127.0.0.1:8080"), 201);
    assert_int_equal(ask_origin(f, API_PUT, "http://evil.example"), 403);
    assert_problem(f, 403, "cross-origin", NULL);
    assert_int_equal(ask_origin(f, API_PUT, "null"), 403);
    assert_int_equal(ask_origin(f, API_PUT, ""), 403);
    assert_int_equal(ask_origin(f, API_PUT, "http://127.0.0.1:80"), 403);
    assert_int_equal(ask_origin(f, API_DELETE, "http://evil.example"), 403);
    assert_int_equal(ask_origin(f, API_GET, "http://evil.example"), 200);
    assert_int_equal(ask_origin(f, API_DELETE, "http://127.0.0.1:8080"), 204);
}

/* Writing. */

static void
test_put_and_delete(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, "/v1/routes/hdmi", ROUTE), 201);
    assert_string_equal(f->answer.location, "/v1/routes/hdmi");
    assert_non_null(strstr(f->answer.body, "\"name\":\"hdmi\""));
    assert_non_null(strstr(f->answer.body, "\"state\":\"applied\""));
    assert_non_null(strstr(f->answer.body, "\"bytes\":\"0x20000000000001\""));
    char *etag = xstrdup(f->answer.etag);
    assert_true(*etag);
    assert_int_equal(put(f, "/v1/routes/hdmi", ROUTE), 200);
    assert_null(f->answer.location);
    assert_string_equal(f->answer.etag, etag);
    assert_int_equal(put(f, "/v1/routes/hdmi", OTHER), 200);
    assert_string_not_equal(f->answer.etag, etag);
    assert_int_equal(get(f, "/v1/routes/hdmi"), 200);
    assert_non_null(strstr(f->answer.body, "226.2.2.3"));
    assert_int_equal(ask(f, API_DELETE, "/v1/routes/hdmi", NULL), 204);
    assert_null(f->answer.body);
    ask(f, API_DELETE, "/v1/routes/hdmi", NULL);
    assert_problem(f, 404, "not-found", NULL);

    assert_int_equal(put(f, "/v1/flows/f1", FLOW), 201);
    assert_int_equal(get(f, "/v1/flows"), 200);
    assert_non_null(strstr(f->answer.body, "\"name\":\"f1\""));
    assert_int_equal(ask(f, API_DELETE, "/v1/flows/f1", NULL), 204);
    free(etag);
}

static void
test_refusals(void **state)
{
    struct fixture *f = *state;

    put(f, "/v1/flows/reject", FLOW);
    assert_problem(f, 422, "rejected", "/flow");
    assert_non_null(strstr(f->answer.body, "OFPBAC_BAD_OUT_GROUP"));
    put(f, "/v1/routes/invalid", ROUTE);
    assert_problem(f, 422, "invalid", "/to/0");
    put(f, "/v1/routes/full", ROUTE);
    assert_problem(f, 507, "storage", NULL);
    put(f, "/v1/routes/r", "{\"match\":{\"group\":\"226.2.2.2\"},\"x\":1}");
    assert_problem(f, 422, "invalid", "/x");
    put(f, "/v1/routes/r", "{\"match\":{\"group\":\"10.0.0.1\"}}");
    assert_problem(f, 422, "invalid", "/match/group");
    put(f, "/v1/routes/r",
        "{\"match\":{\"group\":\"226.2.2.2\",\"vlan\":9007199254740993}}");
    assert_problem(f, 422, "invalid", "/match/vlan");
    assert_int_equal(get(f, "/v1/routes"), 200);
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
        struct fixture *f = *state;
        put(f, "/v1/routes/r", bodies[i]);
        assert_int_equal(f->answer.status, 400);
        assert_non_null(strstr(f->answer.body, "problem:bad-json"));
        assert_int_equal(get(f, "/v1/routes/r"), 404);
    }
}

static void
test_bad_names(void **state)
{
    static const char *const names[] = {"a%20b", "%2e%2e", "..",     ".",
                                        "%2e",   "a%2fb",  "..%2fb", "a%25b",
                                        "a,b",   "%c3%a4", "a;b",    "a%22b"};
    struct fixture *f = *state;
    char target[160];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(target, sizeof target, "/v1/routes/%s", names[i]);
        put(f, target, ROUTE);
        assert_problem(f, 400, "bad-name", NULL);
    }
    strcpy(target, "/v1/flows/");
    memset(target + 10, 'n', 65);
    target[75] = '\0';
    put(f, target, FLOW);
    assert_problem(f, 400, "bad-name", NULL);
    target[74] = '\0';
    assert_int_equal(put(f, target, FLOW), 201);
    assert_int_equal(put(f, "/v1/flows/a%2Db", FLOW), 201);
    assert_int_equal(get(f, "/v1/flows/a-b"), 200);
}

static int
put_as(struct fixture *f, const char *type, const char *encoding)
{
    return ask_with(f, (struct api_request){.method = API_PUT,
                                            .target = "/v1/routes/r",
                                            .content_type = type,
                                            .content_encoding = encoding,
                                            .body = ROUTE});
}

static void
test_media_types(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put_as(f, "application/json", NULL), 201);
    assert_int_equal(put_as(f, "Application/JSON; charset=utf-8", NULL), 200);
    assert_int_equal(put_as(f, "application/json", "identity"), 200);
    assert_int_equal(put_as(f, "text/plain", NULL), 415);
    assert_problem(f, 415, "bad-media-type", NULL);
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
    struct fixture *f = *state;
    char target[80];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(target, sizeof target, "/v1/routes/r?%s", bad[i]);
        put(f, target, ROUTE);
        assert_problem(f, 400, "bad-parameter", NULL);
    }
    assert_int_equal(put(f, "/v1/routes/r?timeout=60", ROUTE), 201);
    assert_int_equal(put(f, "/v1/routes/r?timeout=0.25", ROUTE), 200);
    assert_int_equal(put(f, "/v1/routes/slow?wait=stored&timeout=1", ROUTE),
                     201);
}

/* A write that waits for a switch is answered later, once. */
static void
test_waiting(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, "/v1/routes/slow", ROUTE), 0);
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
    struct fixture *f = *state;

    assert_int_equal(put(f, "/v1/routes/slow", ROUTE), 0);
    api_call_abandon(f->waiting);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 0);
    assert_int_equal(get(f, "/v1/routes/slow"), 200);
    assert_int_equal(ask(f, API_DELETE, "/v1/routes/slow", NULL), 0);
    api_call_abandon(f->waiting);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->n_answers, 0);
}

static void
test_deleted_while_waiting(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, "/v1/routes/slow", ROUTE), 0);
    struct api_call *first = f->waiting;
    assert_int_equal(ask(f, API_DELETE, "/v1/routes/slow?wait=stored", NULL),
                     204);
    assert_non_null(first);
    stub_ctl_run(f->api.ctl);
    assert_int_equal(f->answer.status, 409);
}

/* Preconditions. */

static int
ask_if(struct fixture *f, enum api_method method, const char *match,
       const char *none_match)
{
    return ask_with(f, (struct api_request){.method = method,
                                            .target = "/v1/routes/r",
                                            .if_match = match,
                                            .if_none_match = none_match,
                                            .body = ROUTE});
}

static void
test_preconditions(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask_if(f, API_PUT, "*", NULL), 412);
    assert_problem(f, 412, "changed", NULL);
    assert_int_equal(ask_if(f, API_PUT, "\"x\"", NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, "*", NULL), 412);
    assert_int_equal(ask_if(f, API_PUT, NULL, "*"), 201);
    assert_int_equal(ask_if(f, API_PUT, NULL, "*"), 412);
    assert_int_equal(get(f, "/v1/routes/r"), 200);
    char *etag = xstrdup(f->answer.etag);
    assert_int_equal(ask_if(f, API_PUT, etag, NULL), 200);
    assert_int_equal(ask_if(f, API_PUT, NULL, etag), 412);
    assert_int_equal(put(f, "/v1/routes/r", OTHER), 200);
    assert_int_equal(ask_if(f, API_PUT, etag, NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, etag, NULL), 412);
    assert_int_equal(ask_if(f, API_DELETE, "*", NULL), 204);
    free(etag);
}

static void
test_not_modified(void **state)
{
    struct fixture *f = *state;

    put(f, "/v1/routes/r", ROUTE);
    char *etag = xstrdup(f->answer.etag);
    assert_int_equal(ask_if(f, API_GET, NULL, etag), 304);
    assert_null(f->answer.body);
    assert_string_equal(f->answer.etag, etag);
    assert_int_equal(ask_if(f, API_HEAD, NULL, etag), 304);
    assert_int_equal(ask_if(f, API_GET, NULL, "\"x\""), 200);
    assert_int_equal(ask_if(f, API_GET, NULL, "*"), 304);
    free(etag);

    /* Of a list: the tag changes with any item. */
    get(f, "/v1/routes");
    char *list = xstrdup(f->answer.etag);
    get(f, "/v1/routes");
    assert_string_equal(f->answer.etag, list);
    put(f, "/v1/routes/s", OTHER);
    get(f, "/v1/routes");
    assert_string_not_equal(f->answer.etag, list);
    free(list);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_resources_answer),
        TEST(test_not_found),
        TEST(test_malformed_addresses),
        TEST(test_parameters),
        TEST(test_pages),
        TEST(test_methods),
        TEST(test_health),
        TEST(test_openapi),
        TEST(test_page),
        TEST(test_events),
        TEST(test_host),
        TEST(test_origin),
        TEST(test_put_and_delete),
        TEST(test_refusals),
        TEST(test_bad_json),
        TEST(test_bad_names),
        TEST(test_media_types),
        TEST(test_write_parameters),
        TEST(test_waiting),
        TEST(test_abandoned),
        TEST(test_deleted_while_waiting),
        TEST(test_preconditions),
        TEST(test_not_modified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
