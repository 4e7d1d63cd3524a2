/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What is settled when all has been read: the switch, and names. */

#include "api/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

/* Where the switch stands in a piece of configuration. */
static const char config_mark[] = "dpid: \"\"";

static bool
is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || (c && strchr("._-", c));
}

bool
import_check_name(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if (!is_name_character(name[i])) {
            return false;
        }
    }
    return length > 0 && length <= IMPORT_MAX_NAME;
}

bool
import_check_prefix(const char *prefix)
{
    return import_check_name(prefix) && strlen(prefix) <= IMPORT_MAX_PREFIX
           && !strchr(prefix, '.');
}

char *
import_prefix(const struct import_format *format, uint64_t dpid,
              const char *prefix)
{
    if (prefix) {
        return xstrdup(prefix);
    }
    return xasprintf("%s-%" PRIx64, format->name, dpid);
}

/* What cannot stand in a name is replaced; then, or where it is too long, a
 * hash of the whole keeps it apart from others. */
static char *
make_name(const char *prefix, const char *what)
{
    char *name = xasprintf("%s.%s", prefix, what);
    bool changed = false;

    for (char *p = name; *p; p++) {
        if (!is_name_character(*p)) {
            changed |= *p != '/';
            *p = '_';
        }
    }
    if (changed || strlen(name) > IMPORT_MAX_NAME) {
        char *plain = name;
        name = xasprintf("%.*s-%08" PRIx32, IMPORT_MAX_NAME - 9, plain,
                         import_hash(what));
        free(plain);
    }
    return name;
}

/* "dpid": "" becomes that of the switch. */
static void
fill_dpid(struct cJSON *object, const char *dpid)
{
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(object, "dpid");

    if (cJSON_IsString(value) && !*value->valuestring) {
        cJSON_ReplaceItemInObjectCaseSensitive(object, "dpid",
                                               cJSON_CreateString(dpid));
    }
}

static void
fill_item(struct cJSON *json, const char *dpid)
{
    struct cJSON *target;

    fill_dpid(json, dpid);
    fill_dpid(cJSON_GetObjectItemCaseSensitive(json, "match"), dpid);
    cJSON_ArrayForEach (target, cJSON_GetObjectItemCaseSensitive(json, "to")) {
        fill_dpid(target, dpid);
    }
}

static bool
lacks_dpid(const struct cJSON *object)
{
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(object, "dpid");

    return cJSON_IsString(value) && !*value->valuestring;
}

bool
import_needs_switch(const struct import *im)
{
    for (size_t i = 0; i < im->n_items; i++) {
        const struct cJSON *json = im->items[i].json, *target;
        bool lacks =
            lacks_dpid(json)
            || lacks_dpid(cJSON_GetObjectItemCaseSensitive(json, "match"));
        cJSON_ArrayForEach (target,
                            cJSON_GetObjectItemCaseSensitive(json, "to")) {
            lacks |= lacks_dpid(target);
        }
        if (lacks) {
            return true;
        }
    }
    return im->config && strstr(im->config, config_mark);
}

/* Items in the order of their kinds and names, those of a name in that of the
 * files. */
static int
compare_names(const void *a_, const void *b_)
{
    const struct import_item *const *a = a_, *const *b = b_;

    if ((*a)->kind != (*b)->kind) {
        return (*a)->kind < (*b)->kind ? -1 : 1;
    }
    int order = strcmp((*a)->name, (*b)->name);
    return order ? order : *a < *b ? -1 : *a > *b;
}

static void
find_doubles(struct import *im)
{
    struct import_item **sorted = xcalloc(im->n_items + 1, sizeof *sorted);

    for (size_t i = 0; i < im->n_items; i++) {
        sorted[i] = &im->items[i];
    }
    qsort(sorted, im->n_items, sizeof *sorted, compare_names);
    for (size_t i = 1; i < im->n_items; i++) {
        const struct import_item *a = sorted[i - 1], *b = sorted[i];
        if (a->kind == b->kind && !strcmp(a->name, b->name)) {
            import_error(im, b->file, b->line,
                         "the same as in %s:%d, by its name, %s", a->file,
                         a->line, a->name);
        }
    }
    free(sorted);
}

static void
fill_config(struct import *im, const char *dpid)
{
    char *at;

    while (im->config && (at = strstr(im->config, config_mark))) {
        char *old = im->config;
        im->config = xasprintf("%.*sdpid: \"%s\"%s", (int) (at - old), old,
                               dpid, at + strlen(config_mark));
        free(old);
    }
}

void
import_finish(struct import *im, const struct import_format *format,
              uint64_t dpid, const char *given)
{
    char *prefix = import_prefix(format, dpid, given);
    char text[DPID_STRLEN];

    import_finish_smcroute(im);
    dpid_format(dpid, text);
    for (size_t i = 0; i < im->n_items; i++) {
        struct import_item *item = &im->items[i];
        fill_item(item->json, text);
        if (!item->name) {
            item->name =
                make_name(prefix, item->label ? item->label : item->what);
        }
    }
    fill_config(im, text);
    find_doubles(im);
    import_sort_messages(im);
    free(prefix);
}

/* For tests. */
char *
import_dump(const struct import *im)
{
    static const char *const kinds[] = {"route", "member", "flow"};
    char *text = xstrdup("");

    for (size_t i = 0; i < im->n_items; i++) {
        const struct import_item *item = &im->items[i];
        char *json = cJSON_PrintUnformatted(item->json);
        char *old = text;
        text = xasprintf("%s%s:%d: %s %s\n    %s\n", old, item->file,
                         item->line, kinds[item->kind],
                         item->name ? item->name : item->what, json);
        free(old);
        free(json);
    }
    for (size_t i = 0; i < im->n_messages; i++) {
        const struct import_message *m = &im->messages[i];
        char *old = text;
        text = xasprintf("%s%s:%d: %s%s\n", old, m->file, m->line,
                         m->is_error ? "" : "note: ", m->text);
        free(old);
    }
    if (im->config) {
        char *old = text;
        text = xasprintf("%s---\n%s", old, im->config);
        free(old);
    }
    return text;
}
