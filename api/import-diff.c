/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/import-diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* One way of saying it. */

static struct cJSON *
get(const struct cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void
drop(struct cJSON *object, const char *name)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
}

static void
put_text(struct cJSON *object, const char *name, const char *text)
{
    drop(object, name);
    cJSON_AddStringToObject(object, name, text);
}

static bool
is_text(const struct cJSON *value, const char *text)
{
    return cJSON_IsString(value) && !strcmp(value->valuestring, text);
}

/* A number where a text does as well: dpid, port. */
static void
make_text(struct cJSON *object, const char *name)
{
    const struct cJSON *value = get(object, name);
    char text[24];

    if (cJSON_IsNumber(value)) {
        snprintf(text, sizeof text, "%.0f", value->valuedouble);
        put_text(object, name, text);
    }
}

static void
canonical_place(struct cJSON *object)
{
    const struct cJSON *dpid;
    char text[DPID_STRLEN];
    uint64_t number;

    make_text(object, "port");
    make_text(object, "dpid");
    dpid = get(object, "dpid");
    if (cJSON_IsString(dpid) && dpid_parse(dpid->valuestring, &number)) {
        put_text(object, "dpid", dpid_format(number, text));
    }
}

static void
canonical_set(struct cJSON *object)
{
    const struct cJSON *set = get(object, "set");

    if (cJSON_IsObject(set) && !set->child) {
        drop(object, "set");
    }
}

/* UDP ports are about UDP. */
static bool
speaks_of_udp(const struct cJSON *route)
{
    const struct cJSON *target;
    bool yes = get(get(route, "match"), "udp_dst")
               || get(get(route, "set"), "udp_dst");

    cJSON_ArrayForEach (target, get(route, "to")) {
        yes |= get(target, "udp_dst") || get(get(target, "set"), "udp_dst");
    }
    return yes;
}

static void
canonical_proto(struct cJSON *match, bool udp)
{
    const struct cJSON *proto = get(match, "proto");

    if (is_text(proto, "any")) {
        drop(match, "proto");
    } else if (cJSON_IsNumber(proto) && proto->valueint == PROTO_TCP) {
        put_text(match, "proto", "tcp");
    } else if (is_text(proto, "udp")
               || (cJSON_IsNumber(proto) && proto->valueint == PROTO_UDP)
               || (!proto && udp)) {
        put_text(match, "proto", "udp");
    }
}

static void
canonical_target(struct cJSON *target)
{
    const struct cJSON *vlan = get(target, "vlan");

    canonical_place(target);
    canonical_set(target);
    if (is_text(get(target, "when"), "always")) {
        drop(target, "when");
    }
    if (get(target, "unicast") && cJSON_IsNumber(vlan) && !vlan->valueint) {
        drop(target, "vlan");
    }
}

static void
canonical_route(struct cJSON *route)
{
    struct cJSON *to = get(route, "to");
    struct cJSON *match = get(route, "match");
    struct cJSON *target;

    canonical_place(match);
    canonical_proto(match, speaks_of_udp(route));
    canonical_set(route);
    cJSON_ArrayForEach (target, to) {
        canonical_target(target);
    }
    if (cJSON_GetArraySize(to) == 1 && get(to->child, "members")
        && !to->child->child->next) {
        drop(route, "to");
    }
    if (is_text(get(route, "join"), "auto")) {
        drop(route, "join");
    }
    if (is_text(get(route, "fragments"), "auto")) {
        drop(route, "fragments");
    }
}

static int
compare_texts(const void *a_, const void *b_)
{
    const struct cJSON *const *a = a_, *const *b = b_;

    return strcmp(cJSON_GetStringValue(*a), cJSON_GetStringValue(*b));
}

/* Sources are a set. */
static void
sort_sources(struct cJSON *member)
{
    struct cJSON *list = get(member, "sources");
    size_t n = (size_t) cJSON_GetArraySize(list), i = 0;
    struct cJSON **sorted = xcalloc(n + 1, sizeof *sorted), *value;
    bool texts = true;

    cJSON_ArrayForEach (value, list) {
        texts &= cJSON_IsString(value);
    }
    while (texts && list && list->child) {
        sorted[i++] = cJSON_DetachItemViaPointer(list, list->child);
    }
    qsort(sorted, i, sizeof *sorted, compare_texts);
    for (size_t k = 0; k < i; k++) {
        cJSON_AddItemToArray(list, sorted[k]);
    }
    free(sorted);
}

static void
canonical_member(struct cJSON *member)
{
    const struct cJSON *vlan = get(member, "vlan");
    int n = cJSON_GetArraySize(get(member, "sources"));

    canonical_place(member);
    if (cJSON_IsNumber(vlan) && !vlan->valueint) {
        drop(member, "vlan");
    }
    if (is_text(get(member, "mode"), n ? "include" : "exclude")) {
        drop(member, "mode");
    }
    if (!n) {
        drop(member, "sources");
    }
    if (cJSON_IsFalse(get(member, "router"))) {
        drop(member, "router");
    }
    sort_sources(member);
}

struct cJSON *
import_canonical(enum import_kind kind, const struct cJSON *resource)
{
    struct cJSON *copy = cJSON_Duplicate(resource, true);

    drop(copy, "name");
    drop(copy, "status");
    drop(copy, "origin");
    if (kind == IMPORT_ROUTE) {
        canonical_route(copy);
    } else if (kind == IMPORT_MEMBER) {
        canonical_member(copy);
    } else {
        canonical_place(copy);
    }
    return copy;
}

static bool
is_same(enum import_kind kind, const struct cJSON *a, const struct cJSON *b)
{
    struct cJSON *x = import_canonical(kind, a),
                 *y = import_canonical(kind, b);
    bool same = cJSON_Compare(x, y, true);

    cJSON_Delete(x);
    cJSON_Delete(y);
    return same;
}

/* The difference. */

bool
import_is_exported(const struct cJSON *resource)
{
    return !is_text(get(resource, "origin"), "config")
           && !get(resource, "lease");
}

static void
add(struct import_diff *d, const struct import_entry *entry)
{
    d->entries = xgrow(d->entries, d->n, &d->allocated, sizeof *d->entries);
    d->entries[d->n++] = *entry;
}

/* By kind and name. */
static int
compare_entries(const void *a_, const void *b_)
{
    const struct import_entry *a = a_, *b = b_;

    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1)
                              : strcmp(a->name, b->name);
}

static struct import_entry *
find(const struct import_entry *entries, size_t n, enum import_kind kind,
     const char *name)
{
    const struct import_entry key = {.kind = kind, .name = name};

    return n ? bsearch(&key, entries, n, sizeof *entries, compare_entries)
             : NULL;
}

static bool
has_prefix(const char *name, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;

    return !prefix || (!strncmp(name, prefix, n) && name[n] == '.');
}

/* What the daemon has, as if it were all to be removed. */
static void
add_list(struct import_diff *d, enum import_kind kind,
         const struct cJSON *list)
{
    const struct cJSON *resource;

    cJSON_ArrayForEach (resource, list) {
        const char *name = cJSON_GetStringValue(get(resource, "name"));
        if (name) {
            add(d, &(struct import_entry){IMPORT_REMOVED, kind, name, NULL,
                                          resource});
        }
    }
}

void
import_diff_init(struct import_diff *d, const struct import *im,
                 const struct cJSON *const lists[IMPORT_KINDS],
                 const char *prefix)
{
    struct import_diff have = {.n = 0};

    *d = (struct import_diff){.n = 0};
    for (int kind = 0; kind < IMPORT_KINDS; kind++) {
        add_list(&have, (enum import_kind) kind, lists[kind]);
    }
    if (have.n) {
        qsort(have.entries, have.n, sizeof *have.entries, compare_entries);
    }
    for (size_t i = 0; i < im->n_items; i++) {
        const struct import_item *item = &im->items[i];
        struct import_entry entry = {IMPORT_ADDED, item->kind, item->name,
                                     item, NULL};
        struct import_entry *before =
            find(have.entries, have.n, item->kind, item->name);
        if (before) {
            entry.before = before->before;
            entry.change = is_same(item->kind, item->json, entry.before)
                               ? IMPORT_SAME
                               : IMPORT_CHANGED;
            before->change = entry.change; /* Not removed. */
        }
        add(d, &entry);
    }
    for (size_t i = 0; i < have.n; i++) {
        const struct import_entry *entry = &have.entries[i];
        if (entry->change == IMPORT_REMOVED && has_prefix(entry->name, prefix)
            && import_is_exported(entry->before)) {
            add(d, entry);
        }
    }
    free(have.entries);
}

void
import_diff_uninit(struct import_diff *d)
{
    free(d->entries);
    *d = (struct import_diff){.n = 0};
}

size_t
import_diff_count(const struct import_diff *d, enum import_change change)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++) {
        n += d->entries[i].change == change;
    }
    return n;
}

/* Routes alone are refused beside another of their match. */
bool
import_diff_collides(const struct import_diff *d,
                     const struct import_entry *removed)
{
    bool collides = false;

    if (removed->kind != IMPORT_ROUTE) {
        return false;
    }
    struct cJSON *gone = import_canonical(IMPORT_ROUTE, removed->before);
    for (size_t i = 0; !collides && i < d->n; i++) {
        const struct import_entry *e = &d->entries[i];
        if (e->kind == IMPORT_ROUTE && e->item && e->change != IMPORT_SAME) {
            struct cJSON *comes =
                import_canonical(IMPORT_ROUTE, e->item->json);
            collides =
                cJSON_Compare(get(gone, "match"), get(comes, "match"), true);
            cJSON_Delete(comes);
        }
    }
    cJSON_Delete(gone);
    return collides;
}
