/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A request through the dispatcher, over a stub controller.
 *
 * Input: "METHOD TARGET\n", then lines "Name: value\n" up to an empty one,
 * then the body.  Whatever comes is answered once, with a status that is known
 * and a body that is JSON where it says so. */

#include "api/api-dispatch.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/stub-ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                      \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)

static void
on_reply(void *aux, struct api_response *r)
{
    int *n_answers = aux;

    ++*n_answers;
    CHECK(strcmp(api_status_text(r->status), "Unknown"));
    CHECK(!r->body || r->type);
    CHECK(strlen(r->etag) < sizeof r->etag);
    if (r->body && strstr(r->type, "json")) {
        struct cJSON *json = cJSON_Parse(r->body);
        CHECK(cJSON_IsObject(json));
        CHECK(strlen(r->body) == r->size);
        cJSON_Delete(json);
    }
    CHECK(r->status < 400 || r->status == 503 || r->body);
}

/* Cuts the next line off '*text'; NULL at the end or at an empty one. */
static char *
next_line(char **text)
{
    char *line = *text;
    char *end = line ? strchr(line, '\n') : NULL;

    if (!line || !*line || *line == '\n') {
        *text = line && *line ? line + 1 : line;
        return NULL;
    }
    *text = end ? end + 1 : line + strlen(line);
    if (end) {
        *end = '\0';
    }
    return line;
}

static void
take_header(struct api_request *r, char *line)
{
    const struct {
        const char *name;
        const char **field;
    } fields[] = {
        {"Host: ", &r->host},
        {"Origin: ", &r->origin},
        {"Content-Type: ", &r->content_type},
        {"Content-Encoding: ", &r->content_encoding},
        {"If-Match: ", &r->if_match},
        {"If-None-Match: ", &r->if_none_match},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t length = strlen(fields[i].name);
        if (!strncmp(line, fields[i].name, length)) {
            *fields[i].field = line + length;
        }
    }
}

static enum api_method
take_method(char **line)
{
    for (int i = 0; i < API_OTHER; i++) {
        size_t length = strlen(api_method_name((enum api_method) i));
        if (!strncmp(*line, api_method_name((enum api_method) i), length)
            && (*line)[length] == ' ') {
            *line += length + 1;
            return (enum api_method) i;
        }
    }
    return API_OTHER;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xmalloc(size + 1);
    struct api_request r = {.method = API_GET};
    int n_answers = 0;

    if (size) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    char *text = copy;
    char *line = next_line(&text);
    if (line) {
        r.method = take_method(&line);
        r.target = line;
        while ((line = next_line(&text))) {
            take_header(&r, line);
        }
        /* Exact, so that a sanitizer sees any read past it. */
        r.body_size = (size_t) (copy + size - text);
        char *body = xmemdup(text, r.body_size);
        r.body = body;
        struct api api = {.ctl = stub_ctl_create(), .loopback = true};
        struct api_call *call = api_dispatch(&api, &r, on_reply, &n_answers);
        CHECK(n_answers == (call ? 0 : 1));
        stub_ctl_destroy(api.ctl);
        CHECK(n_answers == 1);
        free(body);
    }
    free(copy);
    return 0;
}
