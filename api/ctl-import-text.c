/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What an import says: messages, what is to change, what has become of it. */

#include "api/ctl-import.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

static const char *const changes[] = {"added", "changed", "same", "removed"};

static void
print_message(const struct import_message *m)
{
    if (m->line) {
        ctl_say(stderr, "%s:%d: %s%s", m->file, m->line,
                m->is_error ? "" : "note: ", m->text);
    } else {
        ctl_say(stderr, "%s: %s%s", m->file,
                m->is_error ? "" : "note: ", m->text);
    }
}

void
ctl_import_print_messages(const struct ctl_import *ci)
{
    const struct import *im = &ci->import;

    for (size_t i = 0; i < im->n_messages; i++) {
        if (im->messages[i].is_error
            || (!im->n_errors && !ci->options->json)) {
            print_message(&im->messages[i]);
        }
    }
    if (im->n_errors) {
        ctl_complain("%zu error%s; nothing was written", im->n_errors,
                     im->n_errors == 1 ? "" : "s");
    }
}

/* "192.168.1.42 > 225.1.2.3 at 1:eth0, to 1:eth1, 1:eth2": for free(). */
static char *
describe(enum import_kind kind, const struct cJSON *json)
{
    if (kind == IMPORT_ROUTE) {
        return ctl_show_route(json);
    }
    if (kind == IMPORT_FLOW) {
        const char *text = ctl_get_text(json, "flow");
        return xasprintf("on %s: %s",
                         ctl_short_dpid(ctl_get_text(json, "dpid")),
                         *text ? text : ctl_get_text(json, "group"));
    }
    return xasprintf("%s:%s %s", ctl_short_dpid(ctl_get_text(json, "dpid")),
                     ctl_get_text(json, "port"),
                     ctl_get_bool(json, "router")
                         ? "leads to a router"
                         : ctl_get_text(json, "group"));
}

/* A part as it is written, for free(); "-" if it is not. */
static char *
part_of(const struct cJSON *json, const char *name)
{
    const struct cJSON *part = cJSON_GetObjectItemCaseSensitive(json, name);

    return part ? cJSON_PrintUnformatted(part) : xstrdup("-");
}

static void
print_difference(const struct import_entry *e, const char *name)
{
    char *before = part_of(e->before, name);
    char *after = part_of(e->item->json, name);

    ctl_say(stdout, "      %s was %s", name, before);
    ctl_say(stdout, "      %*s is  %s", (int) strlen(name), "", after);
    free(before);
    free(after);
}

/* The parts that differ, before and after. */
static void
print_differences(const struct import_entry *e)
{
    struct cJSON *was = import_canonical(e->kind, e->before);
    struct cJSON *is = import_canonical(e->kind, e->item->json);
    const struct cJSON *part;

    cJSON_ArrayForEach (part, is) {
        if (!cJSON_Compare(cJSON_GetObjectItemCaseSensitive(was, part->string),
                           part, true)) {
            print_difference(e, part->string);
        }
    }
    cJSON_ArrayForEach (part, was) {
        if (!cJSON_GetObjectItemCaseSensitive(is, part->string)) {
            print_difference(e, part->string);
        }
    }
    cJSON_Delete(was);
    cJSON_Delete(is);
}

/* With writing, each is told when it is done. */
void
ctl_import_print_entry(const struct ctl_import *ci,
                       const struct import_entry *e)
{
    const struct cJSON *json = e->item ? e->item->json : e->before;

    if (ci->options->json || !ci->options->dry_run || e->change == IMPORT_SAME
        || (e->change == IMPORT_REMOVED && !ci->options->replace)) {
        return;
    }
    char *text = describe(e->kind, json);
    if (e->item) {
        ctl_say(stdout, "%c %s %s  (%s:%d)", e->change ? '~' : '+',
                CTL_IMPORT_KINDS[e->kind], e->name, e->item->file,
                e->item->line);
    } else {
        ctl_say(stdout, "- %s %s", CTL_IMPORT_KINDS[e->kind], e->name);
    }
    ctl_say(stdout, "      %s", text);
    if (e->change == IMPORT_CHANGED) {
        print_differences(e);
    }
    free(text);
}

void
ctl_import_print_result(struct ctl_import *ci, const struct import_entry *e,
                        const char *state, const char *error)
{
    bool refused = !strcmp(state, "refused");

    if (ci->options->json) {
        struct cJSON *result = cJSON_CreateObject();
        cJSON_AddStringToObject(result, "kind", CTL_IMPORT_KINDS[e->kind]);
        cJSON_AddStringToObject(result, "name", e->name);
        cJSON_AddStringToObject(result, "state", state);
        cJSON_AddStringToObject(result, "error", error);
        if (!ci->results) {
            ci->results = cJSON_CreateArray();
        }
        cJSON_AddItemToArray(ci->results, result);
    }
    if (refused && e->item) {
        ctl_say(stderr, "%s:%d: %s %s: %s", e->item->file, e->item->line,
                CTL_IMPORT_KINDS[e->kind], e->name, error);
    } else if (refused) {
        ctl_complain("%s %s: %s", CTL_IMPORT_KINDS[e->kind], e->name, error);
    } else if (!ci->options->json) {
        ctl_say(stdout, "%c %s %s: %s%s%s", "+~=-"[e->change],
                CTL_IMPORT_KINDS[e->kind], e -> name, state,
                *error ? ": " : "", error);
    }
}

/* "--json": everything in one object. */
static struct cJSON *
entry_to_json(const struct import_entry *e)
{
    struct cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "kind", CTL_IMPORT_KINDS[e->kind]);
    cJSON_AddStringToObject(object, "name", e->name);
    if (e->item) {
        cJSON_AddStringToObject(object, "file", e->item->file);
        cJSON_AddNumberToObject(object, "line", e->item->line);
        cJSON_AddItemToObject(object, "after",
                              cJSON_Duplicate(e->item->json, true));
    }
    if (e->before && e->change != IMPORT_SAME) {
        cJSON_AddItemToObject(object, "before",
                              cJSON_Duplicate(e->before, true));
    }
    return object;
}

static void
add_notes(const struct import *im, struct cJSON *object)
{
    struct cJSON *notes = cJSON_AddArrayToObject(object, "notes");

    for (size_t i = 0; i < im->n_messages; i++) {
        const struct import_message *m = &im->messages[i];
        struct cJSON *note = cJSON_CreateObject();
        cJSON_AddStringToObject(note, "file", m->file);
        cJSON_AddNumberToObject(note, "line", m->line);
        cJSON_AddStringToObject(note, "text", m->text);
        cJSON_AddItemToArray(notes, note);
    }
}

static void
print_json(const struct ctl_import *ci)
{
    struct cJSON *object = cJSON_CreateObject();
    const struct ctl_options *o = ci->options;

    cJSON_AddBoolToObject(object, "dry_run", o->dry_run);
    cJSON_AddBoolToObject(object, "replace", o->replace);
    for (int change = IMPORT_ADDED; change <= IMPORT_REMOVED; change++) {
        bool left = change == IMPORT_REMOVED && !o->replace;
        struct cJSON *list =
            cJSON_AddArrayToObject(object, left ? "left" : changes[change]);
        for (size_t i = 0; i < ci->diff.n; i++) {
            if ((int) ci->diff.entries[i].change == change) {
                cJSON_AddItemToArray(list,
                                     entry_to_json(&ci->diff.entries[i]));
            }
        }
    }
    add_notes(&ci->import, object);
    if (ci->import.config) {
        cJSON_AddStringToObject(object, "config", ci->import.config);
    }
    if (!o->dry_run) {
        cJSON_AddItemToObject(object, "results",
                              ci->results ? cJSON_Duplicate(ci->results, true)
                                          : cJSON_CreateArray());
    }
    char *text = cJSON_Print(object);
    puts(text);
    free(text);
    cJSON_Delete(object);
}

/* How many there are, or, where something is written, were done. */
static size_t
count(const struct ctl_import *ci, enum import_change change)
{
    bool counted = ci->options->dry_run || change == IMPORT_SAME
                   || (change == IMPORT_REMOVED && !ci->options->replace);

    return counted ? import_diff_count(&ci->diff, change) : ci->n_done[change];
}

static void
print_counts(const struct ctl_import *ci)
{
    size_t removed = count(ci, IMPORT_REMOVED);
    bool replace = ci->options->replace;
    bool dry = ci->options->dry_run;

    ctl_say(stdout, "%zu %s, %zu %s, %zu the same%s", count(ci, IMPORT_ADDED),
            dry ? "to add" : "added", count(ci, IMPORT_CHANGED),
            dry ? "to change" : "changed", count(ci, IMPORT_SAME),
            dry ? "; nothing was written (--dry-run)" : "");
    if (removed && replace) {
        ctl_say(stdout, "%zu %s that the file has not", removed,
                dry ? "to remove" : "removed");
    } else if (removed && !ci->format->has_names) {
        ctl_say(stdout,
                "%zu that an earlier import made and the file has not: left, "
                "without --replace",
                removed);
    }
    if (ci->n_failed) {
        ctl_say(stdout, "%zu refused: these are as they were", ci->n_failed);
    }
    if (!ci->format->has_names && ci->import.n_items) {
        puts("Whether ports of these names exist was not looked at: what "
             "names one that does\nnot is pending until it does.");
    }
}

void
ctl_import_print_end(const struct ctl_import *ci)
{
    if (ci->options->json) {
        print_json(ci);
        return;
    }
    print_counts(ci);
    if (ci->import.config) {
        printf("\nThe rest are settings. Put this into the file that ofmcastd "
               "gets by --config,\nand send it SIGHUP:\n\n%s",
               ci->import.config);
    }
}
