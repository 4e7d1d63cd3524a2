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

/* The canonical text of 'json' as a route or a static rule; NULL if it is
 * refused. */
static char *
canonical(const struct cJSON *json, bool as_route)
{
    struct json_error error;
    struct cJSON *written;

    if (as_route) {
        struct route *route = route_from_json(NULL, json, &error);

        written = route ? route_to_json(route) : NULL;
        route_destroy(route);
    } else {
        struct static_rule *rule = static_rule_from_json(NULL, json, &error);

        written = rule ? static_rule_to_json(rule) : NULL;
        static_rule_destroy(rule);
    }
    if (!written) {
        check_error(&error);
        return NULL;
    }

    char *text = cJSON_PrintUnformatted(written);
    cJSON_Delete(written);
    return text;
}

static void
check_round_trip(const struct cJSON *json, bool as_route)
{
    struct json_error error;
    char *first = canonical(json, as_route);

    if (!first) {
        return;
    }

    struct cJSON *parsed = json_parse(first, strlen(first), &error);
    char *second = parsed ? canonical(parsed, as_route) : NULL;
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
    check_round_trip(json, true);
    check_round_trip(json, false);
    cJSON_Delete(json);
    return 0;
}
