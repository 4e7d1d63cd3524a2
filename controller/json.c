/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/json-scan.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

/* The largest integer that a double tells from its neighbours. */
#define MAX_EXACT 9007199254740991.0

/* Errors. */
/* Appends 'token' to the JSON pointer in 'pointer', escaped as RFC 6901 asks;
 * what does not fit is left out, in whole characters. */
static void
append_token(char pointer[], size_t size, const char *token)
{
    size_t at = strlen(pointer), left = strlen(token);

    if (at + 1 < size) {
        pointer[at++] = '/';
    }
    while (left) {
        size_t n = json_utf8_length(token, left);
        const char *from = *token == '~' ? "~0" : *token == '/' ? "~1" : token;
        size_t width = from == token ? n : 2;

        if (!n || at + width >= size) {
            break;
        }
        memcpy(pointer + at, from, width);
        at += width;
        token += n;
        left -= n;
    }
    pointer[at] = '\0';
}

/* A sentence may quote what somebody sent, cut anywhere: only whole printable
 * characters go into logs and answers. */
static void
make_printable(char *s)
{
    size_t left = strlen(s);

    while (left) {
        size_t n = json_utf8_length(s, left);

        if (!n || (unsigned char) *s < ' ' || *s == 0x7f) {
            *s = '?';
            n = 1;
        }
        s += n;
        left -= n;
    }
}

void
json_fail(struct json_error *error, const char *pointer, const char *member,
          const char *format, ...)
{
    va_list args;

    if (error->failed) {
        return;
    }
    error->failed = true;
    snprintf(error->pointer, sizeof error->pointer, "%s", pointer);
    if (member) {
        append_token(error->pointer, sizeof error->pointer, member);
    }
    va_start(args, format);
    vsnprintf(error->detail, sizeof error->detail, format, args);
    va_end(args);
    make_printable(error->detail);
}

/* Parsing. */
static int
compare_keys(const void *a_, const void *b_)
{
    const struct cJSON *const *a = a_, *const *b = b_;

    return strcmp((*a)->string, (*b)->string);
}

/* The first key that stands twice in 'object', NULL if none does. */
static const char *
find_duplicate(const struct cJSON *object)
{
    size_t n = cJSON_GetArraySize(object), i = 0;
    const struct cJSON **members = xcalloc(n + 1, sizeof *members);
    const struct cJSON *member;
    const char *duplicate = NULL;

    cJSON_ArrayForEach (member, object) {
        members[i++] = member;
    }
    qsort(members, n, sizeof *members, compare_keys);
    for (i = 1; i < n && !duplicate; i++) {
        if (!strcmp(members[i - 1]->string, members[i]->string)) {
            duplicate = members[i]->string;
        }
    }
    free(members);
    return duplicate;
}

/* Looks for duplicate keys in 'value' and below.  Its depth is bounded by
 * json_scan(). */
static void
refuse_duplicates(const struct cJSON *value, const char *pointer,
                  struct json_error *error)
{
    const struct cJSON *child;
    size_t i = 0;

    if (cJSON_IsObject(value)) {
        const char *key = find_duplicate(value);

        if (key) {
            json_fail(error, pointer, key, "\"%.64s\" is given twice", key);
        }
    }
    cJSON_ArrayForEach (child, value) {
        char below[sizeof error->pointer], index[24];

        if (error->failed) {
            return;
        }
        if (child->child) {
            snprintf(index, sizeof index, "%zu", i);
            snprintf(below, sizeof below, "%s", pointer);
            append_token(below, sizeof below,
                         child->string ? child->string : index);
            refuse_duplicates(child, below, error);
        }
        i++;
    }
}

struct cJSON *
json_parse(const char *text, size_t size, struct json_error *error)
{
    *error = (struct json_error){.failed = false};
    if (!json_scan(text, size, error)) {
        return NULL;
    }

    struct cJSON *value = cJSON_ParseWithLengthOpts(text, size, NULL, false);
    if (!value) {
        json_fail(error, "", NULL, "not valid JSON");
        return NULL;
    }
    refuse_duplicates(value, "", error);
    if (error->failed) {
        cJSON_Delete(value);
        return NULL;
    }
    return value;
}

/* Reading members. */
static const struct cJSON *
lookup(const struct json_at *at, const char *member)
{
    return cJSON_GetObjectItemCaseSensitive(at->object, member);
}

static void
list_members(const char *const members[], char list[], size_t size)
{
    size_t at = 0;

    list[0] = '\0';
    for (size_t i = 0; members[i] && at < size; i++) {
        at +=
            snprintf(list + at, size - at, "%s%s", i ? ", " : "", members[i]);
    }
}

void
json_only(const struct json_at *at, const char *const members[])
{
    const struct cJSON *member;
    char list[192];

    if (!cJSON_IsObject(at->object)) {
        json_fail(at->error, at->pointer, NULL, "%s must be an object",
                  *at->pointer ? "this" : "the body");
        return;
    }
    cJSON_ArrayForEach (member, at->object) {
        size_t i = 0;

        while (members[i] && strcmp(members[i], member->string)) {
            i++;
        }
        if (!members[i]) {
            list_members(members, list, sizeof list);
            json_fail(at->error, at->pointer, member->string,
                      "\"%.64s\" is not known here; known are: %s",
                      member->string, list);
            return;
        }
    }
}

bool
json_has(const struct json_at *at, const char *member)
{
    return lookup(at, member) != NULL;
}

void
json_require(const struct json_at *at, const char *member)
{
    if (!json_has(at, member)) {
        json_fail(at->error, at->pointer, member, "\"%s\" is missing", member);
    }
}

bool
json_get_string(const struct json_at *at, const char *member, const char **out)
{
    const struct cJSON *value = lookup(at, member);

    if (!value) {
        return false;
    }
    if (!cJSON_IsString(value)) {
        json_fail(at->error, at->pointer, member, "\"%s\" must be a string",
                  member);
        return false;
    }
    *out = value->valuestring;
    return true;
}

bool
json_get_bool(const struct json_at *at, const char *member, bool *out)
{
    const struct cJSON *value = lookup(at, member);

    if (!value) {
        return false;
    }
    if (!cJSON_IsBool(value)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be true or false", member);
        return false;
    }
    *out = cJSON_IsTrue(value);
    return true;
}

/* Is 'value' a whole number that a double holds exactly? */
static bool
is_exact(const struct cJSON *value)
{
    double number = value->valuedouble;

    return cJSON_IsNumber(value) && fabs(number) <= MAX_EXACT
           && (double) (int64_t) number == number;
}

/* What to tell somebody whose number is too big to be exact. */
static const char *
exactness_hint(const struct cJSON *value)
{
    return cJSON_IsNumber(value) && fabs(value->valuedouble) > MAX_EXACT
               ? "; JSON numbers over 2^53 - 1 are not exact, a 64-bit "
                 "number is written as a \"0x..\" string"
               : "";
}

bool
json_get_int(const struct json_at *at, const char *member, int64_t min,
             int64_t max, int64_t *out)
{
    const struct cJSON *value = lookup(at, member);

    if (!value) {
        return false;
    }
    if (!is_exact(value) || (int64_t) value->valuedouble < min
        || (int64_t) value->valuedouble > max) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be a whole number from %" PRId64 " to %" PRId64
                  "%s",
                  member, min, max, exactness_hint(value));
        return false;
    }
    *out = value->valuedouble;
    return true;
}

/* "0x" and up to 16 hexadecimal digits, or decimal digits; nothing else. */
static bool
parse_u64(const char *s, uint64_t *out)
{
    unsigned int base = 10;
    uint64_t value = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (!*s) {
        return false;
    }
    for (; *s; s++) {
        unsigned int digit = *s >= '0' && *s <= '9'   ? *s - '0'
                             : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10
                             : *s >= 'A' && *s <= 'F' ? *s - 'A' + 10
                                                      : 16;

        if (digit >= base || value > (UINT64_MAX - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool
json_get_u64(const struct json_at *at, const char *member, uint64_t *out)
{
    const struct cJSON *value = lookup(at, member);

    if (!value) {
        return false;
    }
    if (cJSON_IsString(value) && parse_u64(value->valuestring, out)) {
        return true;
    }
    if (is_exact(value) && value->valuedouble >= 0) {
        *out = value->valuedouble;
        return true;
    }
    json_fail(at->error, at->pointer, member,
              "\"%s\" must be a whole number from 0 to 2^64 - 1%s", member,
              exactness_hint(value));
    return false;
}

bool
json_get_dpid(const struct json_at *at, const char *member, uint64_t *out)
{
    const struct cJSON *value = lookup(at, member);

    if (!value) {
        return false;
    }
    if (cJSON_IsString(value) && dpid_parse(value->valuestring, out)) {
        return true;
    }
    if (is_exact(value) && value->valuedouble >= 1) {
        *out = value->valuedouble;
        return true;
    }
    json_fail(at->error, at->pointer, member,
              "\"%s\" must name a switch by its datapath id, such as "
              "\"0000000000000001\" or 1%s",
              member, exactness_hint(value));
    return false;
}

bool
json_get_port(const struct json_at *at, const char *member,
              char out[JSON_PORT_SIZE])
{
    const char *name;
    int64_t no;

    if (cJSON_IsNumber(lookup(at, member))) {
        if (!json_get_int(at, member, 1, UINT32_MAX, &no)) {
            return false;
        }
        snprintf(out, JSON_PORT_SIZE, "%u", (unsigned int) no);
        return true;
    }
    if (!json_get_string(at, member, &name)) {
        return false;
    }

    size_t size = strlen(name);
    if (!size || size >= JSON_PORT_SIZE) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be a port's name of 1 to %d characters, or its "
                  "number",
                  member, JSON_PORT_SIZE - 1);
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char) name[i] <= ' ' || name[i] == 0x7f) {
            json_fail(at->error, at->pointer, member,
                      "\"%s\" must not contain spaces or control characters",
                      member);
            return false;
        }
    }
    memcpy(out, name, size + 1);
    return true;
}

const struct cJSON *
json_get_object(const struct json_at *at, const char *member)
{
    const struct cJSON *value = lookup(at, member);

    if (value && !cJSON_IsObject(value)) {
        json_fail(at->error, at->pointer, member, "\"%s\" must be an object",
                  member);
        return NULL;
    }
    return value;
}

const struct cJSON *
json_get_array(const struct json_at *at, const char *member)
{
    const struct cJSON *value = lookup(at, member);

    if (value && !cJSON_IsArray(value)) {
        json_fail(at->error, at->pointer, member, "\"%s\" must be an array",
                  member);
        return NULL;
    }
    return value;
}

/* Writing, and names. */
void
json_add_u64(struct cJSON *object, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "0x%" PRIx64, value);
    cJSON_AddStringToObject(object, name, text);
}

bool
json_is_name(const char *s)
{
    size_t length = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return length >= 1 && length <= 64 && !s[length];
}

bool
json_read_name(const struct json_at *body, const char *expected,
               char out[JSON_NAME_SIZE])
{
    const char *name = expected, *own;

    if (json_get_string(body, "name", &own)) {
        name = own;
        if (expected && strcmp(own, expected)) {
            json_fail(body->error, body->pointer, "name",
                      "\"name\" is \"%.64s\" but the URL says \"%.64s\"", own,
                      expected);
        }
    } else if (!expected) {
        json_require(body, "name");
    }
    if (name && !json_is_name(name)) {
        json_fail(body->error, body->pointer, "name",
                  "a name is 1 to 64 letters, digits, \".\", \"_\" or \"-\"");
    }
    if (!name || body->error->failed) {
        return false;
    }
    snprintf(out, JSON_NAME_SIZE, "%s", name);
    return true;
}
