/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the daemon, for all commands. */
#include <config.h>

#include "api/ctl-command.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-table.h"
#include "lib/xalloc.h"

static void __attribute__((format(printf, 3, 0)))
say(FILE *out, const char *who, const char *format, va_list args)
{
    char *text = ctl_clean(xvasprintf(format, args));

    fprintf(out, "%s%s\n", who, text);
    free(text);
}

void
ctl_say(FILE *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(out, "", format, args);
    va_end(args);
}

void
ctl_complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(stderr, "ofmcastctl: ", format, args);
    va_end(args);
}

/* RFC 9457, or whatever else came. */
static void
complain_of(const struct ctl_reply *r)
{
    struct cJSON *problem = cJSON_Parse(r->body);
    const char *title = ctl_get_text(problem, "title");
    const char *detail = ctl_get_text(problem, "detail");
    const char *pointer = ctl_get_text(problem, "pointer");

    if (*title) {
        ctl_complain("%s%s%s%s%s%s", title, *detail ? ": " : "", detail,
                     *pointer ? " (at " : "", pointer, *pointer ? ")" : "");
    } else {
        ctl_complain("the server answered %d", r->status);
    }
    cJSON_Delete(problem);
}

int
ctl_check_reply(const struct ctl_reply *r)
{
    if (!r->status) {
        ctl_complain("%s", r->error);
        return CTL_AWAY;
    }
    if (r->status / 100 == 2) {
        return CTL_OK;
    }
    complain_of(r);
    return r->status == 404 ? CTL_NOT_FOUND : CTL_FAILED;
}

struct cJSON *
ctl_fetch(const struct ctl_options *o, const char *target, int *code)
{
    struct ctl_reply r;
    struct cJSON *json = NULL;

    ctl_client_request(&o->client, "GET", target, NULL, &r);
    *code = ctl_check_reply(&r);
    if (*code == CTL_OK) {
        json = cJSON_Parse(r.body);
        if (!json) {
            ctl_complain("%s%s answered with something that is not JSON",
                         o->client.url, target);
            *code = CTL_FAILED;
        }
    }
    ctl_reply_uninit(&r);
    return json;
}

/* Moves the items of 'page' to the end of 'all'. */
static void
take_items(struct cJSON *all, struct cJSON *page, const char *name)
{
    struct cJSON *items = cJSON_GetObjectItemCaseSensitive(page, name);

    while (items && items->child) {
        cJSON_AddItemToArray(all,
                             cJSON_DetachItemViaPointer(items, items->child));
    }
}

struct cJSON *
ctl_fetch_list(const struct ctl_options *o, const char *name, int *code)
{
    struct cJSON *list = cJSON_CreateObject();
    struct cJSON *all = cJSON_AddArrayToObject(list, name);
    char *cursor = NULL;

    do {
        char *encoded = ctl_encode(cursor ? cursor : "");
        char *target =
            xasprintf("/v1/%s%s%s", name, cursor ? "?cursor=" : "", encoded);
        struct cJSON *page = ctl_fetch(o, target, code);
        free(target);
        free(encoded);
        free(cursor);
        cursor = NULL;
        if (!page) {
            cJSON_Delete(list);
            return NULL;
        }
        take_items(all, page, name);
        if (*ctl_get_text(page, "next")) {
            cursor = xstrdup(ctl_get_text(page, "next"));
        }
        cJSON_Delete(page);
    } while (cursor);
    return list;
}

void
ctl_print_json(FILE *out, const struct cJSON *json)
{
    char *text = cJSON_Print(json);

    fprintf(out, "%s\n", text);
    free(text);
}

char *
ctl_encode(const char *s)
{
    char *encoded = xmalloc(strlen(s) * 3 + 1);
    char *out = encoded;

    for (; *s; s++) {
        unsigned char c = (unsigned char) *s;
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c))) {
            *out++ = *s;
        } else {
            out += sprintf(out, "%%%02X", c);
        }
    }
    *out = '\0';
    return encoded;
}
