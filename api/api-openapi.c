/* SPDX-License-Identifier: Apache-2.0 */
/* The description of the API (OpenAPI 3.1), made of the table of resources so
 * that the two cannot differ. */
#include <config.h>

#include "api/api-dispatch.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "api/api-call.h"
#include "api/api-json.h"
#include "api/api-resources.h"

static void
add_parameter(struct cJSON *array, const char *in, const char *name,
              const char *type, const char *description)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddStringToObject(o, "in", in);
    if (!strcmp(in, "path")) {
        cJSON_AddTrueToObject(o, "required");
    }
    if (description) {
        cJSON_AddStringToObject(o, "description", description);
    }
    struct cJSON *schema = cJSON_AddObjectToObject(o, "schema");
    cJSON_AddStringToObject(schema, "type", type);
    cJSON_AddItemToArray(array, o);
}

static void
add_path_parameters(struct cJSON *array, const char *pattern)
{
    char name[32];

    for (const char *p = strchr(pattern, '{'); p; p = strchr(p, '{')) {
        snprintf(name, sizeof name, "%.*s", (int) strcspn(p + 1, "}"), p + 1);
        add_parameter(array, "path", name, "string", NULL);
        p++;
    }
}

static void
add_query_parameters(struct cJSON *array, enum api_params params, bool write)
{
    if (params == API_PARAMS_PAGE && !write) {
        add_parameter(array, "query", "limit", "integer",
                      "Items on a page: 1 to 10000, 1000 if absent.");
        add_parameter(array, "query", "cursor", "string",
                      "The 'next' of the page before.");
    } else if (params == API_PARAMS_WRITE && write) {
        add_parameter(array, "query", "wait", "string",
                      "'applied' (answer when the switches have confirmed; "
                      "the default) or 'stored'.");
        add_parameter(array, "query", "timeout", "number",
                      "Seconds to wait for the switches: 0 to 60, 5 if "
                      "absent.");
    }
}

static void
add_response(struct cJSON *responses, const char *status,
             const char *description)
{
    struct cJSON *o = cJSON_AddObjectToObject(responses, status);

    cJSON_AddStringToObject(o, "description", description);
}

static void
add_body(struct cJSON *operation)
{
    struct cJSON *body = cJSON_AddObjectToObject(operation, "requestBody");

    cJSON_AddTrueToObject(body, "required");
    struct cJSON *content = cJSON_AddObjectToObject(body, "content");
    struct cJSON *json = cJSON_AddObjectToObject(content, "application/json");
    struct cJSON *schema = cJSON_AddObjectToObject(json, "schema");
    cJSON_AddStringToObject(schema, "type", "object");
}

static void
add_operation(struct cJSON *path, const struct api_resource *r,
              const char *method, bool write)
{
    struct cJSON *o = cJSON_AddObjectToObject(path, method);
    struct cJSON *parameters = cJSON_CreateArray();

    cJSON_AddStringToObject(o, "summary", r->summary);
    add_path_parameters(parameters, r->pattern);
    add_query_parameters(parameters, r->params, write);
    if (cJSON_GetArraySize(parameters)) {
        cJSON_AddItemToObject(o, "parameters", parameters);
    } else {
        cJSON_Delete(parameters);
    }
    struct cJSON *responses = cJSON_CreateObject();
    if (!strcmp(method, "put")) {
        add_body(o);
        add_response(responses, "201", "Created; the body is the resource.");
        add_response(responses, "422",
                     "It makes no sense, or the switch refused it; the "
                     "earlier state is kept.");
        add_response(responses, "507", "It could not be stored.");
    }
    if (!strcmp(method, "delete")) {
        add_response(responses, "204", "Deleted.");
    } else {
        add_response(responses, "200", "The resource.");
    }
    add_response(responses, "default", "application/problem+json (RFC 9457).");
    cJSON_AddItemToObject(o, "responses", responses);
}

char *
api_openapi(size_t *size)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "openapi", "3.1.0");
    struct cJSON *info = cJSON_AddObjectToObject(o, "info");
    cJSON_AddStringToObject(info, "title", "ofmcast");
    cJSON_AddStringToObject(info, "version", PACKAGE_VERSION);
    struct cJSON *paths = cJSON_AddObjectToObject(o, "paths");
    for (const struct api_resource *r = API_RESOURCES; r->pattern; r++) {
        struct cJSON *path = cJSON_AddObjectToObject(paths, r->pattern);
        add_operation(path, r, "get", false);
        if (r->put) {
            add_operation(path, r, "put", true);
        }
        if (r->delete) {
            add_operation(path, r, "delete", true);
        }
    }
    return api_json_print(o, size);
}

void
api_get_openapi(struct api_call *c)
{
    size_t size;
    char *text = api_openapi(&size);

    api_call_text(c, "application/json", text, size);
}
