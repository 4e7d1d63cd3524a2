/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

const struct import_format IMPORT_FORMATS[] = {
    {"smcroute", import_read_smcroute, false, false},
    {"pymfcd", import_read_pymfcd, false, false},
    {"mcr", import_read_mcr, false, true},
    {"igmpproxy", import_read_igmpproxy, false, false},
    {"socat", import_read_socat, false, true},
    {"ofmcast", import_read_ofmcast, true, false},
    {NULL, NULL, false, false}};

const struct import_format *
import_find_format(const char *name)
{
    for (const struct import_format *f = IMPORT_FORMATS; f->name; f++) {
        if (!strcmp(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

void
import_init(struct import *im, const struct import_ops *ops)
{
    memset(im, 0, sizeof *im);
    im->ops = ops;
}

static void
item_uninit(struct import_item *item)
{
    free(item->name);
    free(item->label);
    free(item->what);
    cJSON_Delete(item->json);
}

void
import_uninit(struct import *im)
{
    import_finish_smcroute(im);
    for (size_t i = 0; i < im->n_items; i++) {
        item_uninit(&im->items[i]);
    }
    for (size_t i = 0; i < im->n_messages; i++) {
        free(im->messages[i].text);
    }
    for (size_t i = 0; i < im->n_addresses; i++) {
        free(im->addresses[i].port);
        free(im->addresses[i].address);
    }
    for (size_t i = 0; i < im->n_files; i++) {
        free(im->files[i]);
    }
    for (size_t i = 0; i < im->n_told; i++) {
        free(im->told[i]);
    }
    free(im->told);
    free(im->items);
    free(im->messages);
    free(im->addresses);
    free(im->files);
    free(im->config);
    memset(im, 0, sizeof *im);
}

/* Messages. */

static size_t
file_number(struct import *im, const char *name)
{
    for (size_t i = 0; i < im->n_files; i++) {
        if (!strcmp(im->files[i], name)) {
            return i;
        }
    }
    im->files =
        xgrow(im->files, im->n_files, &im->allocated_files, sizeof *im->files);
    im->files[im->n_files] = xstrdup(name);
    return im->n_files++;
}

const char *
import_file(struct import *im, const char *name)
{
    size_t i = file_number(im, name); /* It may move the list. */

    return im->files[i];
}

void
import_say(struct import *im, bool is_error, const char *file, int line,
           const char *format, ...)
{
    size_t file_no = file_number(im, file);
    va_list args;

    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    im->messages = xgrow(im->messages, im->n_messages, &im->allocated_messages,
                         sizeof *im->messages);
    im->messages[im->n_messages] = (struct import_message){
        .is_error = is_error,
        .file = im->files[file_no],
        .line = line,
        .text = text,
        .file_no = file_no,
        .order = im->n_messages,
    };
    im->n_messages++;
    im->n_errors += is_error;
}

bool
import_is_lost(const struct import *im)
{
    return im->n_errors >= IMPORT_MAX_ERRORS || im->is_full;
}

/* In the order of files and lines; what came first of a line stays first. */
static int
compare_messages(const void *a_, const void *b_)
{
    const struct import_message *a = a_, *b = b_;

    return a->file_no != b->file_no ? (a->file_no < b->file_no ? -1 : 1)
           : a->line != b->line     ? (a->line < b->line ? -1 : 1)
           : a->order != b->order   ? (a->order < b->order ? -1 : 1)
                                    : 0;
}

void
import_sort_messages(struct import *im)
{
    if (im->n_messages) {
        qsort(im->messages, im->n_messages, sizeof *im->messages,
              compare_messages);
    }
}

void
import_text(struct import *im, const struct import_format *format,
            const char *file, const char *text, size_t size)
{
    if (size > IMPORT_MAX_TEXT) {
        import_error(im, file, 0, "is over %d MiB", IMPORT_MAX_TEXT >> 20);
    } else if (memchr(text, '\0', size)) {
        import_error(im, file, 0, "is not a text: there is a NUL in it");
    } else {
        char *copy = xmalloc(size + 1);
        memcpy(copy, text, size);
        copy[size] = '\0';
        format->read(im, import_file(im, file), copy);
        free(copy);
    }
    import_sort_messages(im);
}

/* Items. */

static struct import_item *
add_item(struct import *im, enum import_kind kind, const char *file, int line,
         struct cJSON *json)
{
    im->items =
        xgrow(im->items, im->n_items, &im->allocated_items, sizeof *im->items);
    struct import_item *item = &im->items[im->n_items++];
    *item = (struct import_item){.kind = kind,
                                 .json = json,
                                 .file = import_file(im, file),
                                 .line = line};
    return item;
}

void
import_add_named(struct import *im, enum import_kind kind, const char *file,
                 int line, const char *name, struct cJSON *json)
{
    add_item(im, kind, file, line, json)->name = xstrdup(name);
}

void
import_remove(struct import *im, struct import_item *item)
{
    size_t i = item - im->items;

    item_uninit(item);
    memmove(item, item + 1, (im->n_items - i - 1) * sizeof *item);
    im->n_items--;
}

struct cJSON *
import_match(const struct import_stream *s)
{
    struct cJSON *match = cJSON_CreateObject();

    /* The old machine was one switch: what others get is not meant. */
    cJSON_AddStringToObject(match, "dpid", "");
    if (s->port) {
        cJSON_AddStringToObject(match, "port", s->port);
    }
    if (s->source) {
        cJSON_AddStringToObject(match, "source", s->source);
    }
    if (s->group) {
        cJSON_AddStringToObject(match, "group", s->group);
    }
    if (s->unicast) {
        cJSON_AddStringToObject(match, "unicast", s->unicast);
    }
    if (s->proto == 17) {
        cJSON_AddStringToObject(match, "proto", "udp");
    } else if (s->proto) {
        cJSON_AddNumberToObject(match, "proto", s->proto);
    }
    if (s->udp_dst) {
        cJSON_AddNumberToObject(match, "udp_dst", s->udp_dst);
    }
    return match;
}

/* "239.1.1.1-5001-10.0.0.0_8-eth0" */
static char *
describe(const struct import_stream *s)
{
    char number[16] = "";

    if (s->udp_dst) {
        snprintf(number, sizeof number, "-%d", s->udp_dst);
    } else if (s->proto && s->proto != 17) {
        snprintf(number, sizeof number, "-proto%d", s->proto);
    }
    char *what =
        xasprintf("%s%s%s%s%s%s", s->group ? s->group : s->unicast, number,
                  s->source ? "-" : "", s->source ? s->source : "",
                  s->port ? "-" : "", s->port ? s->port : "");
    return what;
}

/* FNV-1a: short, and the same on every machine. */
uint32_t
import_hash(const char *s)
{
    uint32_t hash = 2166136261U;

    for (; *s; s++) {
        hash = (hash ^ (unsigned char) *s) * 16777619U;
    }
    return hash;
}

struct import_item *
import_add_route(struct import *im, const char *file, int line,
                 const struct import_stream *s, struct cJSON *set,
                 struct cJSON *to)
{
    struct cJSON *json = cJSON_CreateObject();

    if (im->n_items >= IMPORT_MAX_ROUTES && !im->is_full) {
        import_error(im, file, line, "more than %d routes", IMPORT_MAX_ROUTES);
        im->is_full = true;
    }
    cJSON_AddItemToObject(json, "match", import_match(s));
    if (set) {
        cJSON_AddItemToObject(json, "set", set);
    }
    if (to) {
        cJSON_AddItemToObject(json, "to", to);
    }
    struct import_item *item = add_item(im, IMPORT_ROUTE, file, line, json);
    item->what = describe(s);
    item->hash = import_hash(item->what);
    return item;
}

struct import_item *
import_find_route(struct import *im, const struct import_stream *s)
{
    struct import_item *found = NULL;
    char *what = describe(s);
    uint32_t hash = import_hash(what);

    for (size_t i = 0; !found && i < im->n_items; i++) {
        struct import_item *item = &im->items[i];
        if (item->hash == hash && item->kind == IMPORT_ROUTE
            && !strcmp(item->what, what)) {
            found = item;
        }
    }
    free(what);
    return found;
}

void
import_add_router(struct import *im, const char *file, int line,
                  const char *port)
{
    struct cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "dpid", "");
    cJSON_AddStringToObject(json, "port", port);
    cJSON_AddTrueToObject(json, "router");
    add_item(im, IMPORT_MEMBER, file, line, json)->what =
        xasprintf("upstream-%s", port);
}

struct cJSON *
import_add_port(struct cJSON *to, const char *port)
{
    struct cJSON *target = cJSON_CreateObject();

    cJSON_AddStringToObject(target, "dpid", "");
    cJSON_AddStringToObject(target, "port", port);
    cJSON_AddItemToArray(to, target);
    return target;
}

void
import_add_config(struct import *im, const char *format, ...)
{
    char *old = im->config;
    va_list args;

    va_start(args, format);
    char *piece = xvasprintf(format, args);
    va_end(args);
    im->config = xasprintf("%s%s", old ? old : "", piece);
    free(piece);
    free(old);
}
