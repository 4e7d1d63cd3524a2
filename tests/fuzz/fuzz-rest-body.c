/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A body as the REST interface takes it.  What is accepted must come back
 * from its canonical form as the same thing: the store keeps that form. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/member.h"
#include "controller/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* An error must be fit to be shown: a JSON text can carry it. */
static void
check_error(const struct json_error *error)
{
    struct json_error again;
    struct cJSON *object = cJSON_CreateObject();

    if (!error->failed || !error->detail[0]) {
        abort();
    }
    cJSON_AddStringToObject(object, "detail", error->detail);
    cJSON_AddStringToObject(object, "pointer", error->pointer);

    char *text = cJSON_PrintUnformatted(object);
    struct cJSON *parsed = json_parse(text, strlen(text), &again);
    if (!parsed) {
        abort();
    }
    cJSON_Delete(parsed);
    cJSON_Delete(object);
    free(text);
}

/* The canonical text of 'json' as a route, a static rule or a static member;
 * NULL if it is refused. */
typedef char *canonical(const struct cJSON *, struct json_error *);

/* Takes over 'written'. */
static char *
print(struct cJSON *written)
{
    char *text = cJSON_PrintUnformatted(written);

    cJSON_Delete(written);
    return text;
}

static char *
as_route(const struct cJSON *json, struct json_error *error)
{
    struct route *route = route_from_json(NULL, json, error);
    char *text = route ? print(route_to_json(route)) : NULL;

    route_destroy(route);
    return text;
}

static char *
as_static_rule(const struct cJSON *json, struct json_error *error)
{
    struct static_rule *rule = static_rule_from_json(NULL, json, error);
    char *text = rule ? print(static_rule_to_json(rule)) : NULL;

    static_rule_destroy(rule);
    return text;
}

static char *
as_member(const struct cJSON *json, struct json_error *error)
{
    struct member *member = member_from_json(NULL, json, error);
    char *text = member ? print(member_to_json(member)) : NULL;

    member_destroy(member);
    return text;
}

static void
check_round_trip(const struct cJSON *json, canonical *write)
{
    struct json_error error;
    char *first = write(json, &error);

    if (!first) {
        check_error(&error);
        return;
    }

    struct cJSON *parsed = json_parse(first, strlen(first), &error);
    char *second = parsed ? write(parsed, &error) : NULL;
    if (!second || strcmp(first, second)) {
        fprintf(stderr, "%s\nbecame\n%s\n", first, second ? second : "-");
        abort();
    }
    cJSON_Delete(parsed);
    free(first);
    free(second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_error error;
    struct cJSON *json = json_parse((const char *) data, size, &error);

    if (!json) {
        check_error(&error);
        return 0;
    }
    check_round_trip(json, as_route);
    check_round_trip(json, as_static_rule);
    check_round_trip(json, as_member);
    cJSON_Delete(json);
    return 0;
}
