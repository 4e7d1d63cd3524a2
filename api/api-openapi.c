/* SPDX-License-Identifier: Apache-2.0 */
/* The description of the API (OpenAPI 3.1), made of the table of resources, so
 * that the two cannot differ, and of api/schemas.json, to which tests/api
 * holds the answers. */
#include <config.h>

#include "api/api-dispatch.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "api/api-call.h"
#include "api/api-json.h"
#include "api/api-resources.h"

/* api/schemas.json, made into a string by the build. */
static const char schemas[] =
#include "api/schemas.inc"
    ;

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
    } else if (params == API_PARAMS_PACKET && !write) {
        for (const struct api_param_doc *p = API_PACKET_PARAMS; p->name; p++) {
            add_parameter(array, "query", p->name, p->type, p->description);
        }
    } else if (params == API_PARAMS_WRITE && write) {
        add_parameter(array, "query", "wait", "string",
                      "'applied' (answer when the switches have confirmed; "
                      "the default) or 'stored'.");
        add_parameter(array, "query", "timeout", "number",
                      "Seconds to wait for the switches: 0 to 60, 5 if "
                      "absent.");
    }
}

static struct cJSON *
make_ref(const char *schema)
{
    struct cJSON *o = cJSON_CreateObject();
    char ref[64];

    snprintf(ref, sizeof ref, "#/components/schemas/%s", schema);
    cJSON_AddStringToObject(o, "$ref", ref);
    return o;
}

/* {"<plural>": [<schema>...], "next": "..."} */
static struct cJSON *
make_list(const char *plural, const char *schema)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "type", "object");
    struct cJSON *required = cJSON_AddArrayToObject(o, "required");
    cJSON_AddItemToArray(required, cJSON_CreateString(plural));
    cJSON_AddFalseToObject(o, "additionalProperties");
    struct cJSON *properties = cJSON_AddObjectToObject(o, "properties");
    struct cJSON *items = cJSON_AddObjectToObject(properties, plural);
    cJSON_AddStringToObject(items, "type", "array");
    cJSON_AddItemToObject(items, "items", make_ref(schema));
    struct cJSON *next = cJSON_AddObjectToObject(properties, "next");
    cJSON_AddStringToObject(next, "type", "string");
    return o;
}

/* NULL where the type says it all. */
static struct cJSON *
make_schema(const struct api_resource *r)
{
    if (!r->schema) {
        return NULL;
    }
    if (r->params == API_PARAMS_PAGE) {
        return make_list(strrchr(r->pattern, '/') + 1, r->schema);
    }
    return make_ref(r->schema);
}

static void
add_content(struct cJSON *o, const char *type, struct cJSON *schema)
{
    struct cJSON *content = cJSON_AddObjectToObject(o, "content");
    struct cJSON *media = cJSON_AddObjectToObject(content, type);

    if (schema) {
        cJSON_AddItemToObject(media, "schema", schema);
    }
}

/* 'type' is NULL where there is no body. */
static void
add_response(struct cJSON *responses, const char *status, const char *type,
             struct cJSON *schema, const char *description)
{
    struct cJSON *o = cJSON_AddObjectToObject(responses, status);

    cJSON_AddStringToObject(o, "description", description);
    if (type) {
        add_content(o, type, schema);
    }
}

static void
add_problem(struct cJSON *responses, const char *status,
            const char *description)
{
    add_response(responses, status, "application/problem+json",
                 make_ref("Problem"), description);
}

static void
add_put(struct cJSON *o, struct cJSON *responses, const struct api_resource *r)
{
    struct cJSON *body = cJSON_AddObjectToObject(o, "requestBody");

    cJSON_AddTrueToObject(body, "required");
    add_content(body, "application/json", make_schema(r));
    add_response(responses, "201", r->type, make_schema(r), "Created.");
    add_problem(responses, "412", "If-Match or If-None-Match.");
    add_problem(responses, "422",
                "It makes no sense, or a switch refused it: then the earlier "
                "state is back.");
    add_problem(responses, "507", "It could not be stored.");
}

static void
add_operation(struct cJSON *path, const struct api_resource *r,
              const char *method, bool write)
{
    struct cJSON *o = cJSON_AddObjectToObject(path, method);
    struct cJSON *parameters = cJSON_CreateArray();
    struct cJSON *responses = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "summary", r->summary);
    add_path_parameters(parameters, r->pattern);
    add_query_parameters(parameters, r->params, write);
    if (cJSON_GetArraySize(parameters)) {
        cJSON_AddItemToObject(o, "parameters", parameters);
    } else {
        cJSON_Delete(parameters);
    }
    if (!strcmp(method, "put")) {
        add_put(o, responses, r);
    }
    if (!strcmp(method, "delete")) {
        add_response(responses, "204", NULL, NULL, "Deleted.");
    } else {
        add_response(responses, "200", r->type, make_schema(r),
                     r->schema ? r->schema : "As its type says.");
    }
    add_problem(responses, "default", "Whatever went wrong.");
    cJSON_AddItemToObject(o, "responses", responses);
}

static void
add_paths(struct cJSON *paths)
{
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
}

char *
api_openapi(size_t *size)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "openapi", "3.1.0");
    struct cJSON *info = cJSON_AddObjectToObject(o, "info");
    cJSON_AddStringToObject(info, "title", "ofmcast");
    cJSON_AddStringToObject(info, "version", PACKAGE_VERSION);
    add_paths(cJSON_AddObjectToObject(o, "paths"));
    struct cJSON *components = cJSON_AddObjectToObject(o, "components");
    cJSON_AddItemToObject(components, "schemas", cJSON_Parse(schemas));
    return api_json_print(o, size);
}

void
api_get_openapi(struct api_call *c)
{
    size_t size;
    char *text = api_openapi(&size);

    api_call_text(c, "application/json", text, size);
}
