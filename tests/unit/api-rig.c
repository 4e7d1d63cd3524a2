/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/api-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "lib/xalloc.h"

int
api_rig_set_up(void **state)
{
    struct api_rig *f = xcalloc(1, sizeof *f);

    f->api.ctl = stub_ctl_create();
    f->api.loopback = true;
    *state = f;
    return 0;
}

int
api_rig_tear_down(void **state)
{
    struct api_rig *f = *state;

    stub_ctl_destroy(f->api.ctl);
    api_response_uninit(&f->answer);
    free(f);
    return 0;
}

static void
on_reply(void *aux, struct api_response *r)
{
    struct api_rig *f = aux;

    f->answer = *r;
    f->answer.body = r->body ? xstrdup(r->body) : NULL;
    f->answer.location = r->location ? xstrdup(r->location) : NULL;
    f->n_answers++;
}

int
api_rig_ask_with(struct api_rig *f, struct api_request request)
{
    api_response_uninit(&f->answer);
    f->n_answers = 0;
    request.body_size = request.body ? strlen(request.body) : 0;
    f->waiting = api_dispatch(&f->api, &request, on_reply, f);
    assert_int_equal(f->n_answers, f->waiting ? 0 : 1);
    return f->answer.status;
}

int
api_rig_ask(struct api_rig *f, enum api_method method, const char *target,
            const char *body)
{
    return api_rig_ask_with(f, (struct api_request){.method = method,
                                                    .target = target,
                                                    .body = body});
}

int
api_rig_get(struct api_rig *f, const char *target)
{
    return api_rig_ask(f, API_GET, target, NULL);
}

int
api_rig_put(struct api_rig *f, const char *target, const char *body)
{
    return api_rig_ask(f, API_PUT, target, body);
}

void
api_rig_assert_problem(const struct api_rig *f, int status, const char *name,
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
