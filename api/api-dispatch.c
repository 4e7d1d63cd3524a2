/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-dispatch.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/api-call.h"
#include "api/api-json.h"
#include "api/api-problem.h"
#include "api/api-resources.h"
#include "controller/json.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

/* Answers. */

static void
destroy_call(struct api_call *c)
{
    api_target_uninit(&c->target);
    api_response_uninit(&c->response);
    free(c);
}

void
api_call_send(struct api_call *c, int status)
{
    struct api_response *r = &c->response;

    r->status = status;
    r->head = c->method == API_HEAD;
    if (status == 200 && *c->if_none_match && *r->etag
        && api_etag_match(c->if_none_match, r->etag, true)) {
        free(r->body);
        r->body = NULL;
        r->size = 0;
        r->type = NULL;
        r->status = 304;
    }
    if (!c->abandoned) {
        c->reply(c->aux, r);
    }
    c->answered = true;
    if (!c->inside) {
        destroy_call(c);
    }
}

void
api_call_text(struct api_call *c, const char *type, char *body, size_t size)
{
    c->response.type = type;
    c->response.body = body;
    c->response.size = size;
    api_call_send(c, 200);
}

void
api_call_json(struct api_call *c, int status, struct cJSON *json)
{
    c->response.type = "application/json";
    c->response.body = api_json_print(json, &c->response.size);
    api_call_send(c, status);
}

static void
send_problem(struct api_call *c, const struct api_problem *p)
{
    api_problem_respond(&c->response, p);
    c->response.etag[0] = '\0';
    api_call_send(c, p->status);
}

void
api_call_problem(struct api_call *c, int status, const char *name,
                 const char *title, const char *format, ...)
{
    char detail[512];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    send_problem(c, &(struct api_problem){status, name, title, detail, NULL});
}

void
api_call_bad_body(struct api_call *c, int status, const struct json_error *e)
{
    if (status == 400) {
        send_problem(c, &(struct api_problem){400, "bad-json",
                                              "The body is not good JSON",
                                              e->detail, e->pointer});
    } else {
        send_problem(c, &(struct api_problem){422, "invalid",
                                              "The body makes no sense",
                                              e->detail, e->pointer});
    }
}

void
api_call_rejected(struct api_call *c, const char *detail, const char *pointer)
{
    send_problem(c, &(struct api_problem){422, "rejected",
                                          "The switch refused it", detail,
                                          pointer});
}

void
api_call_not_found(struct api_call *c)
{
    api_call_problem(c, 404, "not-found", "There is no such resource",
                     "Nothing is at %.256s.", c->request->target);
}

void
api_call_bad_parameter(struct api_call *c, const char *name, const char *what)
{
    api_call_problem(c, 400, "bad-parameter", "A query parameter is wrong",
                     "'%.64s' %s.", name, what);
}

/* Checks that hold for every resource.  Each returns false if it has
 * answered. */

/* Splits the port off an authority: "[::1]:8080", "localhost:80". */
static bool
host_is_local(const char *host)
{
    char name[256];
    struct ip_addr ip;

    if (*host == '[') {
        size_t length = strcspn(++host, "]");
        snprintf(name, sizeof name, "%.*s", (int) (length & 0xff), host);
        return ip_addr_parse(name, &ip);
    }
    size_t length = strcspn(host, ":");
    if (length >= sizeof name) {
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int) length, host);
    return !strcasecmp(name, "localhost") || ip_addr_parse(name, &ip);
}

static bool
check_host(struct api_call *c)
{
    const char *host = c->request->host;

    if (!host && c->request->needs_host) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "HTTP/1.1 needs a Host header.");
        return false;
    }
    if (host && c->api.loopback && !host_is_local(host)) {
        api_call_problem(c, 421, "bad-host",
                         "This server does not go by that name",
                         "It listens on loopback and answers to localhost "
                         "and to addresses only, not to '%.128s'.",
                         host);
        return false;
    }
    return true;
}

static bool
check_origin(struct api_call *c)
{
    const struct api_request *r = c->request;

    if (!r->origin || (r->method != API_PUT && r->method != API_DELETE)) {
        return true;
    }
    const char *scheme_end = strstr(r->origin, "://");
    if (scheme_end && r->host && !strcasecmp(scheme_end + 3, r->host)) {
        return true;
    }
    api_call_problem(c, 403, "cross-origin", "Another site may not write here",
                     "The Origin '%.128s' is not this server.", r->origin);
    return false;
}

/* Whether the path is 'pattern'; then 'args' are what its {...} stand for. */
static bool
match_pattern(const char *pattern, const struct api_target *t,
              const char *args[API_MAX_ARGS])
{
    size_t n_args = 0;
    size_t i = 0;

    while (*pattern == '/' && pattern[1]) {
        size_t length = strcspn(++pattern, "/");
        if (i == t->n_segments) {
            return false;
        }
        const char *segment = t->segments[i++];
        if (*pattern == '{') {
            if (!*segment) {
                return false;
            }
            args[n_args++] = segment;
        } else if (strlen(segment) != length
                   || memcmp(segment, pattern, length)) {
            return false;
        }
        pattern += length;
    }
    return i == t->n_segments;
}

static bool
find_resource(struct api_call *c)
{
    for (const struct api_resource *r = API_RESOURCES; r->pattern; r++) {
        if (match_pattern(r->pattern, &c->target, c->args)) {
            c->resource = r;
            return true;
        }
    }
    api_call_not_found(c);
    return false;
}

static bool
takes_param(const struct api_call *c, const char *name)
{
    bool write = c->method == API_PUT || c->method == API_DELETE;

    switch (c->resource->params) {
    case API_PARAMS_PAGE:
        return !write && (!strcmp(name, "limit") || !strcmp(name, "cursor"));
    case API_PARAMS_WRITE:
        return write && (!strcmp(name, "wait") || !strcmp(name, "timeout"));
    case API_PARAMS_PACKET:
        for (const struct api_param_doc *p = API_PACKET_PARAMS; p->name; p++) {
            if (!strcmp(name, p->name)) {
                return !write;
            }
        }
        return false;
    case API_PARAMS_NONE:
    default:
        return false;
    }
}

static bool
check_params(struct api_call *c)
{
    for (size_t i = 0; i < c->target.n_params; i++) {
        if (!takes_param(c, c->target.params[i].name)) {
            api_call_bad_parameter(
                c, c->target.params[i].name,
                "is no parameter of this resource and method");
            return false;
        }
    }
    return true;
}

static void
fill_allow(struct api_call *c)
{
    snprintf(c->response.allow, sizeof c->response.allow,
             "GET, HEAD%s%s, OPTIONS", c->resource->put ? ", PUT" : "",
             c->resource->delete ? ", DELETE" : "");
}

static api_handler *
find_handler(const struct api_call *c)
{
    switch (c->method) {
    case API_GET:
    case API_HEAD:
        return c->resource->get;
    case API_PUT:
        return c->resource->put;
    case API_DELETE:
        return c->resource->delete;
    case API_OPTIONS:
    case API_OTHER:
    case API_N_METHODS:
    default:
        return NULL;
    }
}

static void
handle(struct api_call *c)
{
    api_handler *handler = find_handler(c);

    if (c->method == API_OPTIONS) {
        fill_allow(c);
        api_call_send(c, 204);
    } else if (!handler) {
        fill_allow(c);
        api_call_problem(c, 405, "bad-method",
                         "This resource does not take that method",
                         "It takes %s.", c->response.allow);
    } else if (check_params(c)) {
        handler(c);
    }
}

/* A tag list that is too long to be ours may be forgotten: the answer is then
 * a whole 200, which is right too. */
static void
note_if_none_match(struct api_call *c)
{
    const char *field = c->request->if_none_match;

    if (field && (c->method == API_GET || c->method == API_HEAD)
        && strlen(field) < sizeof c->if_none_match) {
        memcpy(c->if_none_match, field, strlen(field) + 1);
    }
}

static void
run(struct api_call *c)
{
    if (!check_host(c) || !check_origin(c)) {
        return;
    }
    if (c->method == API_OPTIONS && !strcmp(c->request->target, "*")) {
        snprintf(c->response.allow, sizeof c->response.allow,
                 "GET, HEAD, PUT, DELETE, OPTIONS");
        api_call_send(c, 204);
        return;
    }
    const char *error = api_target_parse(&c->target, c->request->target);
    if (error) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "%s", error);
        return;
    }
    note_if_none_match(c);
    if (find_resource(c)) {
        handle(c);
    }
}

struct api_call *
api_dispatch(const struct api *api, const struct api_request *request,
             api_reply_cb *reply, void *aux)
{
    struct api_call *c = xcalloc(1, sizeof *c);

    c->api = *api;
    c->request = request;
    c->method = request->method;
    c->reply = reply;
    c->aux = aux;
    c->inside = true;
    run(c);
    c->inside = false;
    c->request = NULL;
    if (c->answered) {
        destroy_call(c);
        return NULL;
    }
    return c;
}

/* ctl still holds the call and will finish it. */
void
api_call_abandon(struct api_call *c)
{
    c->abandoned = true;
    c->reply = NULL;
    c->aux = NULL;
}

/* What handlers ask for. */

bool
api_call_precondition(struct api_call *c, const char *etag)
{
    const char *match = c->request->if_match;
    const char *none_match = c->request->if_none_match;

    if (match && !api_etag_match(match, etag, false)) {
        api_call_problem(c, 412, "changed", "It has changed",
                         "If-Match names another version; there is %s now.",
                         *etag ? etag : "none");
        return false;
    }
    if (none_match && api_etag_match(none_match, etag, true)) {
        api_call_problem(c, 412, "changed", "It has changed",
                         "If-None-Match names what is there: %s.", etag);
        return false;
    }
    return true;
}

void
api_call_bad_cursor(struct api_call *c)
{
    api_call_bad_parameter(c, "cursor", "is not one that this list gave out");
}

bool
api_call_page(struct api_call *c, struct api_list *list)
{
    const char *limit = api_target_param(&c->target, "limit");
    const char *cursor = api_target_param(&c->target, "cursor");

    api_list_init(list);
    if (limit) {
        unsigned long n = strtoul(limit, NULL, 10);
        if (strspn(limit, "0123456789") != strlen(limit) || strlen(limit) > 5
            || n < 1 || n > API_MAX_LIMIT) {
            api_call_bad_parameter(c, "limit",
                                   "is not a number from 1 to 10000");
            return false;
        }
        list->limit = n;
    }
    if (cursor) {
        if (!api_list_is_cursor(cursor)) {
            api_call_bad_cursor(c);
            return false;
        }
        snprintf(list->after.text, sizeof list->after.text, "%s", cursor);
    }
    return true;
}
