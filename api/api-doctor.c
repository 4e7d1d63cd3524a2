/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor found: /v1/doctor and its metric. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/api-json.h"
#include "controller/doctor.h"

static struct cJSON *
finding_json(const struct doctor_finding *f)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "id", f->check->id);
    cJSON_AddStringToObject(o, "name", f->check->name);
    cJSON_AddStringToObject(o, "severity", doctor_severity_name(f->severity));
    api_json_add_text(o, "where", f->where);
    api_json_add_text(o, "text", f->text);
    api_json_add_text(o, "evidence", f->evidence);
    api_json_add_text(o, "cure", f->cure);
    api_json_add_seconds(o, "age_s", f->age_ms);
    return o;
}

/* In the order of checks: "D2" before "D10". */
static bool
list_finding(void *list, const struct doctor_finding *f)
{
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%02d-%s",
             (int) (f->check - DOCTOR_CHECKS), f->where);
    /* A cursor is of these letters only. */
    for (char *s = key.text; *s; s++) {
        *s = isalnum((unsigned char) *s) ? *s : strchr(".-", *s) ? *s : '_';
    }
    if (api_list_wants(list, &key)) {
        api_list_put(list, &key, finding_json(f));
    }
    return true;
}

void
api_get_doctor(struct api_call *c)
{
    struct api_list list;
    size_t size;

    if (!api_call_page(c, &list)) {
        return;
    }
    while (api_list_pass(&list)) {
        doctor_findings(c->api.ctl, list_finding, &list);
    }
    char *text = api_list_finish(&list, "doctor", &size);
    api_call_text(c, "application/json", text, size);
}
