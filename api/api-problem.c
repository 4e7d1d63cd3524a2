/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-problem.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "api/api-json.h"

const char API_PROBLEM_TYPE[] = "application/problem+json";

void
api_problem_respond(struct api_response *r, const struct api_problem *p)
{
    struct cJSON *o = cJSON_CreateObject();
    char type[96];

    snprintf(type, sizeof type, "urn:ofmcast:problem:%s", p->name);
    cJSON_AddStringToObject(o, "type", type);
    cJSON_AddStringToObject(o, "title", p->title);
    cJSON_AddNumberToObject(o, "status", p->status);
    if (p->detail && *p->detail) {
        api_json_add_text(o, "detail", p->detail);
    }
    if (p->pointer) {
        api_json_add_text(o, "pointer", p->pointer);
    }
    r->status = p->status;
    r->type = API_PROBLEM_TYPE;
    r->body = api_json_print(o, &r->size);
}
