/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/route-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

struct route *
read_route(const char *name, const char *text, struct json_error *error)
{
    struct cJSON *json = json_parse(text, strlen(text), error);

    if (!json) {
        fail_msg("%s: %s", text, error->detail);
    }
    struct route *route = route_from_json(name, json, error);
    cJSON_Delete(json);
    return route;
}

struct route *
good_route(const char *text)
{
    struct json_error error;
    struct route *route = read_route("r", text, &error);

    if (!route) {
        fail_msg("%s: %s: %s", text, error.pointer, error.detail);
    }
    assert_false(error.failed);
    return route;
}

struct route *
canonical_route(const char *text)
{
    struct route *route = good_route(text);
    struct cJSON *json = route_to_json(route);

    cJSON_DeleteItemFromObject(json, "name");
    char *printed = cJSON_PrintUnformatted(json);
    assert_string_equal(printed, text);
    free(printed);
    cJSON_Delete(json);
    return route;
}

void
assert_refused(const char *text, const char *pointer, const char *detail)
{
    struct json_error error;
    struct route *route = read_route("r", text, &error);

    if (route || strcmp(error.pointer, pointer)
        || !strstr(error.detail, detail)) {
        fail_msg("%s: expected %s \"%s\", got %s \"%s\"", text, pointer,
                 detail, error.pointer, route ? "a route" : error.detail);
    }
    assert_true(error.failed);
}

struct ip_addr
addr(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

void
assert_ip(const struct ip_addr *ip, const char *text)
{
    char buf[IP_ADDR_STRLEN];

    assert_string_equal(ip_addr_format(ip, buf), text);
}
