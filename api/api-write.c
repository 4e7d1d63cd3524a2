/* SPDX-License-Identifier: Apache-2.0 */
/* The PUT and DELETE side of the resources. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/ctl.h"
#include "controller/json.h"
#include "lib/xalloc.h"

enum { DEFAULT_TIMEOUT_MS = 5000, MAX_TIMEOUT_MS = 60000 };

struct waiting {
    enum ctl_wait wait;
    int64_t timeout_ms;
};

/* Digits with at most one dot, 0 to 60 seconds; no sign, no exponent. */
static bool
parse_seconds(const char *s, int64_t *ms)
{
    size_t whole = strspn(s, "0123456789");
    size_t fraction =
        s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
    size_t length = whole + (fraction ? fraction + 1 : 0);

    if (!whole || whole > 3 || fraction > 9 || s[length]) {
        return false;
    }
    *ms = (int64_t) (strtod(s, NULL) * 1000 + 0.5);
    return *ms <= MAX_TIMEOUT_MS;
}

static bool
get_waiting(struct api_call *c, struct waiting *w)
{
    const char *wait = api_target_param(&c->target, "wait");
    const char *timeout = api_target_param(&c->target, "timeout");

    *w = (struct waiting){CTL_WAIT_APPLIED, DEFAULT_TIMEOUT_MS};
    if (wait && !strcmp(wait, "stored")) {
        w->wait = CTL_WAIT_STORED;
    } else if (wait && strcmp(wait, "applied")) {
        api_call_problem(c, 400, "bad-parameter", "A query parameter is wrong",
                         "'wait' is neither 'applied' nor 'stored'.");
        return false;
    }
    if (timeout && !parse_seconds(timeout, &w->timeout_ms)) {
        api_call_problem(c, 400, "bad-parameter", "A query parameter is wrong",
                         "'timeout' is not a number of seconds, 0 to 60.");
        return false;
    }
    return true;
}

/* A path of dots would not survive the clients that tidy URLs up. */
static bool
check_name(struct api_call *c)
{
    const char *name = c->args[0];

    if (json_is_name(name) && strcmp(name, ".") && strcmp(name, "..")) {
        return true;
    }
    api_call_problem(c, 400, "bad-name", "That is no name",
                     "A name is 1 to 64 of A-Z a-z 0-9 . _ - and not . or "
                     "..");
    return false;
}

static bool
is_media_type(const char *field, const char *type)
{
    size_t length = strlen(type);

    return !strncasecmp(field, type, length) && strchr(" \t;", field[length]);
}

/* What "curl -d" says unless it is told otherwise is taken as well: people try
 * an API with curl, and no page of another site can make a browser send a PUT
 * with it (see check_origin()). */
static bool
check_media_type(struct api_call *c)
{
    const struct api_request *r = c->request;

    if (r->content_encoding && strcasecmp(r->content_encoding, "identity")) {
        api_call_problem(
            c, 415, "bad-media-type", "That kind of body is not taken",
            "Content-Encoding '%.64s' is not taken.", r->content_encoding);
        return false;
    }
    if (r->content_type && !is_media_type(r->content_type, "application/json")
        && !is_media_type(r->content_type,
                          "application/x-www-form-urlencoded")) {
        api_call_problem(c, 415, "bad-media-type",
                         "That kind of body is not taken",
                         "Content-Type is '%.64s'; it must be "
                         "application/json.",
                         r->content_type);
        return false;
    }
    return true;
}

/* What a write needs besides its body.  False if it has answered. */
static bool
begin_write(struct api_call *c, const struct api_rules *rules,
            struct waiting *w)
{
    char etag[API_ETAG_SIZE];

    if (!check_name(c) || !get_waiting(c, w)) {
        return false;
    }
    api_rule_etag(c->api.ctl, rules, c->args[0], etag);
    if (!api_call_precondition(c, etag)) {
        return false;
    }
    c->rules = rules;
    snprintf(c->name, sizeof c->name, "%s", c->args[0]);
    return true;
}

static void
answer_with_body(struct api_call *c, bool created)
{
    struct cJSON *json;

    if (created) {
        c->response.location =
            xasprintf("/v1/%s/%s", c->rules->plural, c->name);
    }
    if (api_rule_body(c, c->rules, c->name, &json)) {
        api_call_json(c, created ? 201 : 200, json);
    } else {
        /* Deleted by somebody else while this write waited. */
        api_call_problem(c, 409, "changed", "It has changed",
                         "'%s' was deleted in the meantime.", c->name);
    }
}

static void
answer_refusal(struct api_call *c, const struct ctl_result *result)
{
    struct json_error e = {.failed = true};

    snprintf(e.detail, sizeof e.detail, "%s", result->detail);
    snprintf(e.pointer, sizeof e.pointer, "%s",
             result->pointer ? result->pointer : "");
    api_call_bad_body(c, 422, &e);
}

/* The one callback of every write.  If the client has gone, there is nobody
 * to answer, and the state is not for reading either: the daemon may be on its
 * way out. */
static void
write_done(void *call, const struct ctl_result *result)
{
    struct api_call *c = call;

    if (c->abandoned) {
        api_call_send(c, 500);
        return;
    }
    switch (result->outcome) {
    case CTL_CREATED:
        answer_with_body(c, true);
        break;
    case CTL_REPLACED:
    case CTL_UNCHANGED:
        answer_with_body(c, false);
        break;
    case CTL_DELETED:
        api_call_send(c, 204);
        break;
    case CTL_NOT_FOUND:
        api_call_problem(c, 404, "not-found", "There is no such resource",
                         "Nothing is at /v1/%s/%s.", c->rules->plural,
                         c->name);
        break;
    case CTL_FIXED:
        api_call_problem(c, 409, "configured", "The configuration says so",
                         "%s.", result->detail);
        break;
    case CTL_INVALID:
        answer_refusal(c, result);
        break;
    case CTL_REJECTED:
        api_call_rejected(c, result->detail, result->pointer);
        break;
    case CTL_STORAGE:
        api_call_problem(c, 507, "storage", "It could not be stored",
                         "%s; the earlier state is kept.", result->detail);
        break;
    default:
        abort();
    }
}

/* The body as JSON, NULL if it has answered. */
static struct cJSON *
parse_body(struct api_call *c)
{
    struct json_error e = {.failed = false};

    if (!check_media_type(c)) {
        return NULL;
    }
    struct cJSON *json = json_parse(c->request->body ? c->request->body : "",
                                    c->request->body_size, &e);
    if (json && !cJSON_IsObject(json)) {
        json_fail(&e, "", NULL, "the body must be an object");
        cJSON_Delete(json);
        json = NULL;
    }
    if (!json) {
        api_call_bad_body(c, 400, &e);
        return NULL;
    }
    /* Ours to say; people send back what GET gave them. */
    cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
    return json;
}

void
api_put_route(struct api_call *c)
{
    struct json_error e = {.failed = false};
    struct waiting w;

    if (!begin_write(c, &API_ROUTES, &w)) {
        return;
    }
    struct cJSON *json = parse_body(c);
    if (!json) {
        return;
    }
    struct route *route = route_from_json(c->name, json, &e);
    cJSON_Delete(json);
    if (!route) {
        api_call_bad_body(c, 422, &e);
        return;
    }
    ctl_route_put(c->api.ctl, route, w.wait, w.timeout_ms, write_done, c);
    route_destroy(route);
}

void
api_put_flow(struct api_call *c)
{
    struct json_error e = {.failed = false};
    struct waiting w;

    if (!begin_write(c, &API_FLOWS, &w)) {
        return;
    }
    struct cJSON *json = parse_body(c);
    if (!json) {
        return;
    }
    struct static_rule *rule = static_rule_from_json(c->name, json, &e);
    cJSON_Delete(json);
    if (!rule) {
        api_call_bad_body(c, 422, &e);
        return;
    }
    ctl_flow_put(c->api.ctl, rule, w.wait, w.timeout_ms, write_done, c);
    static_rule_destroy(rule);
}

void
api_put_member(struct api_call *c)
{
    struct json_error e = {.failed = false};
    struct waiting w;

    if (!begin_write(c, &API_MEMBERS, &w)) {
        return;
    }
    struct cJSON *json = parse_body(c);
    if (!json) {
        return;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json, "origin"); /* As "status". */
    cJSON_DeleteItemFromObjectCaseSensitive(json, "expires_s");
    struct member *member = member_from_json(c->name, json, &e);
    if (member && member->lease_ends) { /* That is for the store. */
        json_fail(&e, "", "lease_ends", "there is no member \"lease_ends\"");
        member_destroy(member);
        member = NULL;
    }
    cJSON_Delete(json);
    if (!member) {
        api_call_bad_body(c, 422, &e);
        return;
    }
    ctl_member_put(c->api.ctl, member, w.wait, w.timeout_ms, write_done, c);
    member_destroy(member);
}

void
api_delete_route(struct api_call *c)
{
    struct waiting w;

    if (begin_write(c, &API_ROUTES, &w)) {
        ctl_route_delete(c->api.ctl, c->name, w.wait, w.timeout_ms, write_done,
                         c);
    }
}

void
api_delete_flow(struct api_call *c)
{
    struct waiting w;

    if (begin_write(c, &API_FLOWS, &w)) {
        ctl_flow_delete(c->api.ctl, c->name, w.wait, w.timeout_ms, write_done,
                        c);
    }
}

void
api_delete_member(struct api_call *c)
{
    struct waiting w;

    if (begin_write(c, &API_MEMBERS, &w)) {
        ctl_member_delete(c->api.ctl, c->name, w.wait, w.timeout_ms,
                          write_done, c);
    }
}
