/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

const char *
api_method_name(enum api_method method)
{
    static const char *const names[API_N_METHODS] = {
        [API_GET] = "GET",         [API_HEAD] = "HEAD",
        [API_PUT] = "PUT",         [API_DELETE] = "DELETE",
        [API_OPTIONS] = "OPTIONS", [API_OTHER] = "other"};

    return names[method];
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes 's' in place. */
static const char *
percent_decode(char *s)
{
    char *out = s;

    while (*s) {
        if (*s == '%') {
            int high = hex_digit(s[1]);
            int low = high < 0 ? -1 : hex_digit(s[2]);
            int c = high * 16 + low;

            if (low < 0) {
                return "A % in the URL is not followed by two hex digits.";
            }
            if (c < ' ' || c == 0x7f) {
                return "The URL contains a control character.";
            }
            *out++ = (char) c;
            s += 3;
        } else if ((unsigned char) *s <= ' ' || *s == 0x7f) {
            return "The URL contains a blank or a control character.";
        } else {
            *out++ = *s++;
        }
    }
    *out = '\0';
    return NULL;
}

/* Decoding comes after splitting, so that %2f does not make a segment. */
static const char *
parse_path(struct api_target *t, char *path)
{
    if (!strcmp(path, "/")) {
        return NULL;
    }
    while (path) {
        char *end = strchr(++path, '/');
        if (t->n_segments == API_MAX_SEGMENTS) {
            return "The URL has too many parts.";
        }
        t->segments[t->n_segments++] = path;
        if (end) {
            *end = '\0';
        }
        const char *error = percent_decode(path);
        if (error) {
            return error;
        }
        path = end;
    }
    return NULL;
}

static const char *
parse_query(struct api_target *t, char *query)
{
    char *save = NULL;

    for (char *p = strtok_r(query, "&", &save); p;
         p = strtok_r(NULL, "&", &save)) {
        char *value = strchr(p, '=');
        if (!value) {
            return "A query parameter has no value.";
        }
        *value++ = '\0';
        const char *error = percent_decode(p);
        if (!error) {
            error = percent_decode(value);
        }
        if (error) {
            return error;
        }
        if (api_target_param(t, p)) {
            return "A query parameter is given twice.";
        }
        if (t->n_params == API_MAX_PARAMS) {
            return "There are too many query parameters.";
        }
        t->params[t->n_params++] = (struct api_param){p, value};
    }
    return NULL;
}

/* A proxy's absolute form (RFC 9112 3.2.2) means its path. */
static const char *
skip_authority(const char *s)
{
    if (!strncmp(s, "http://", 7)) {
        s += 7;
        s += strcspn(s, "/?#");
    }
    return s;
}

const char *
api_target_parse(struct api_target *t, const char *s)
{
    memset(t, 0, sizeof *t);
    if (strlen(s) > API_MAX_TARGET) {
        return "The URL is too long.";
    }
    s = skip_authority(s);
    if (*s != '/') {
        return "The URL has no path.";
    }
    if (strchr(s, '#')) {
        return "The URL has a fragment, which is not for a server.";
    }
    t->text = xstrdup(s);
    char *query = strchr(t->text, '?');
    if (query) {
        *query++ = '\0';
    }
    const char *error = parse_path(t, t->text);
    if (!error && query) {
        error = parse_query(t, query);
    }
    if (error) {
        api_target_uninit(t);
    }
    return error;
}

void
api_target_uninit(struct api_target *t)
{
    free(t->text);
    memset(t, 0, sizeof *t);
}

const char *
api_target_param(const struct api_target *t, const char *name)
{
    for (size_t i = 0; i < t->n_params; i++) {
        if (!strcmp(t->params[i].name, name)) {
            return t->params[i].value;
        }
    }
    return NULL;
}

void
api_response_uninit(struct api_response *r)
{
    free(r->body);
    free(r->location);
    memset(r, 0, sizeof *r);
}

const char *
api_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return "Unknown";
}

/* FNV-1a over the string with its NUL.  It tells states apart, it is no
 * defence: who may write here need not forge a tag. */
uint64_t
api_hash(const char *s, uint64_t seed)
{
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

    do {
        hash = (hash ^ (unsigned char) *s) * UINT64_C(0x100000001b3);
    } while (*s++);
    return hash;
}

void
api_etag_format(uint64_t hash, char etag[API_ETAG_SIZE])
{
    snprintf(etag, API_ETAG_SIZE, "\"%016" PRIx64 "\"", hash);
}

bool
api_etag_match(const char *field, const char *etag, bool weak)
{
    if (!*etag) {
        return false;
    }
    if (!strcmp(field, "*")) {
        return true;
    }
    size_t length = strlen(etag);
    for (const char *p = field; *p;) {
        p += strspn(p, " \t,");
        bool is_weak = !strncmp(p, "W/", 2);
        p += is_weak ? 2 : 0;
        if (!strncmp(p, etag, length) && strchr(" \t,", p[length])
            && (weak || !is_weak)) {
            return true;
        }
        /* Step over this tag: to behind its closing quote. */
        if (*p == '"') {
            p++;
            p += strcspn(p, "\"");
            p += *p == '"';
        } else {
            p += strcspn(p, ",");
        }
    }
    return false;
}
