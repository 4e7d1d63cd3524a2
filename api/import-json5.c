/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/import-json5.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

struct reader {
    struct json5 *doc;
    const char *at;
    int line;
    int depth;
    bool failed;
};

static void __attribute__((format(printf, 2, 3)))
fail(struct reader *r, const char *format, ...)
{
    va_list args;

    if (!r->failed) {
        va_start(args, format);
        vsnprintf(r->doc->error, sizeof r->doc->error, format, args);
        va_end(args);
        r->doc->error_line = r->line;
        r->failed = true;
    }
}

/* What stands where something else is expected. */
static void
fail_at(struct reader *r, const char *expected)
{
    unsigned char c = (unsigned char) *r->at;

    if (!c) {
        fail(r, "the text ends where %s is expected", expected);
    } else if (c < 0x21 || c > 0x7e) {
        fail(r, "byte 0x%02x where %s is expected", c, expected);
    } else {
        fail(r, "'%c' where %s is expected", c, expected);
    }
}

/* Blanks and comments. */

/* The bytes of a blank that is not a line feed: ASCII's, no-break space, BOM,
 * line and paragraph separator; 0 if there is none. */
static size_t
blank_length(const char *s)
{
    if (*s && strchr(" \t\r\v\f", *s)) {
        return 1;
    }
    if (!strncmp(s, "\xc2\xa0", 2)) {
        return 2;
    }
    return !strncmp(s, "\xef\xbb\xbf", 3) || !strncmp(s, "\xe2\x80\xa8", 3)
                   || !strncmp(s, "\xe2\x80\xa9", 3)
               ? 3
               : 0;
}

static void
skip_block_comment(struct reader *r)
{
    const char *end = strstr(r->at + 2, "*/");

    if (!end) {
        fail(r, "a comment begins here and does not end");
        r->at += strlen(r->at);
        return;
    }
    for (; r->at < end; r->at++) {
        r->line += *r->at == '\n';
    }
    r->at = end + 2;
}

static void
skip_blanks(struct reader *r)
{
    for (;;) {
        size_t n = blank_length(r->at);
        if (n) {
            r->at += n;
        } else if (*r->at == '\n') {
            r->at++;
            r->line++;
        } else if (!strncmp(r->at, "//", 2)) {
            r->at += strcspn(r->at, "\n");
        } else if (!strncmp(r->at, "/*", 2)) {
            skip_block_comment(r);
        } else {
            return;
        }
    }
}

/* Strings. */

/* 'n' hexadecimal digits; -1 if they are none. */
static long
read_hex(struct reader *r, int n)
{
    long value = 0;

    for (int i = 0; i < n; i++, r->at++) {
        static const char digits[] = "0123456789abcdef";
        const char *d = *r->at ? strchr(digits, *r->at | 0x20) : NULL;
        if (!d || !isxdigit((unsigned char) *r->at)) {
            fail_at(r, "a hexadecimal digit");
            return -1;
        }
        value = value * 16 + (d - digits);
    }
    return value;
}

static void
put_utf8(char **out, long c)
{
    if (c < 0x80) {
        *(*out)++ = (char) c;
    } else if (c < 0x800) {
        *(*out)++ = (char) (0xc0 | c >> 6);
        *(*out)++ = (char) (0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *(*out)++ = (char) (0xe0 | c >> 12);
        *(*out)++ = (char) (0x80 | (c >> 6 & 0x3f));
        *(*out)++ = (char) (0x80 | (c & 0x3f));
    } else {
        *(*out)++ = (char) (0xf0 | c >> 18);
        *(*out)++ = (char) (0x80 | (c >> 12 & 0x3f));
        *(*out)++ = (char) (0x80 | (c >> 6 & 0x3f));
        *(*out)++ = (char) (0x80 | (c & 0x3f));
    }
}

/* Behind "\u": a character outside the first 65,536 takes two of them. */
static void
read_unicode(struct reader *r, char **out)
{
    long c = read_hex(r, 4);

    if (c >= 0xd800 && c < 0xdc00 && !strncmp(r->at, "\\u", 2)) {
        r->at += 2;
        long low = read_hex(r, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (c >= 0xd800 && c < 0xe000) {
        fail(r, "half of a character in a string");
    } else if (!c) {
        fail(r, "a NUL in a string");
    } else if (c > 0) {
        put_utf8(out, c);
    }
}

/* Behind a backslash. */
static void
read_escape(struct reader *r, char **out)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    char c = *r->at;
    const char *known = c ? strchr(from, c) : NULL;

    if (!c) {
        fail_at(r, "the rest of a string");
        return;
    }
    r->at++;
    if (known) {
        *(*out)++ = to[known - from];
    } else if (c == 'u') {
        read_unicode(r, out);
    } else if (c == 'x') {
        long value = read_hex(r, 2);
        if (value > 0) {
            put_utf8(out, value);
        } else if (!value) {
            fail(r, "a NUL in a string");
        }
    } else if (c == '\n') {
        r->line++; /* The string goes on. */
    } else if (c == '\r' && *r->at == '\n') {
        r->at++;
        r->line++;
    } else if (c >= '0' && c <= '9') {
        fail(r, "'\\%c' in a string", c);
    } else {
        *(*out)++ = c;
    }
}

/* For free(); NULL if it has failed. */
static char *
read_string(struct reader *r)
{
    char quote = *r->at++;
    /* No escape is shorter than what it stands for. */
    const char *end = r->at;
    while (*end && *end != quote && *end != '\n') {
        end += *end != '\\' || !end[1]            ? 1
               : end[1] == '\r' && end[2] == '\n' ? 3
                                                  : 2;
    }
    char *text = xmalloc((size_t) (end - r->at) + 1);
    char *out = text;

    while (!r->failed && *r->at != quote) {
        if (*r->at == '\\') {
            r->at++;
            read_escape(r, &out);
        } else if (!*r->at || *r->at == '\n') {
            fail(r, "a string does not end in its line");
        } else {
            *out++ = *r->at++;
        }
    }
    *out = '\0';
    if (r->failed) {
        free(text);
        return NULL;
    }
    r->at++;
    return text;
}

/* Values. */

static struct cJSON *read_value(struct reader *);

static size_t
word_length(const char *s)
{
    size_t n = 0;

    while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z')
           || s[n] == '_' || s[n] == '$' || (s[n] >= '0' && s[n] <= '9')
           || (unsigned char) s[n] >= 0x80) {
        n++;
    }
    return n;
}

static char *
read_key(struct reader *r)
{
    if (*r->at == '"' || *r->at == '\'') {
        return read_string(r);
    }
    size_t length = word_length(r->at);
    if (!length || (*r->at >= '0' && *r->at <= '9')) {
        fail_at(r, "a key");
        return NULL;
    }
    char *key = xasprintf("%.*s", (int) length, r->at);
    r->at += length;
    return key;
}

/* The next of a list that ends with 'close': true if there is one. */
static bool
has_next(struct reader *r, char close, bool first)
{
    skip_blanks(r);
    if (!first && !r->failed && *r->at != close) {
        if (*r->at != ',') {
            fail_at(r, close == '}' ? "',' or '}'" : "',' or ']'");
            return false;
        }
        r->at++;
        skip_blanks(r);
    }
    if (!r->failed && *r->at == close) {
        r->at++;
        return false;
    }
    return !r->failed;
}

static void
read_member(struct reader *r, struct cJSON *object)
{
    int line = r->line;
    char *key = read_key(r);

    if (key && cJSON_GetObjectItemCaseSensitive(object, key)) {
        r->line = line;
        fail(r, "the key '%.40s' stands here a second time", key);
    }
    if (key && cJSON_GetArraySize(object) >= JSON5_MAX_KEYS) {
        fail(r, "more than %d keys in one object", JSON5_MAX_KEYS);
    }
    skip_blanks(r);
    if (!r->failed && *r->at != ':') {
        fail_at(r, "':'");
    }
    if (!r->failed) {
        r->at++;
        skip_blanks(r);
    }
    struct cJSON *value = r->failed ? NULL : read_value(r);
    if (value) {
        cJSON_AddItemToObject(object, key, value);
    }
    free(key);
}

static void
read_members(struct reader *r, struct cJSON *container)
{
    bool is_object = cJSON_IsObject(container);

    if (++r->depth > JSON5_MAX_DEPTH) {
        fail(r, "more than %d brackets in each other", JSON5_MAX_DEPTH);
    }
    r->at++;
    for (bool first = true; has_next(r, is_object ? '}' : ']', first);
         first = false) {
        if (is_object) {
            read_member(r, container);
        } else {
            struct cJSON *value = read_value(r);
            if (value) {
                cJSON_AddItemToArray(container, value);
            }
        }
    }
    r->depth--;
}

/* strtod() takes more than JSON5 has, so the form is checked before. */
static size_t
number_length(const char *s)
{
    size_t n = strspn(s, "0123456789");
    size_t digits = n;

    if (s[n] == '.') {
        size_t fraction = strspn(s + n + 1, "0123456789");
        n += 1 + fraction;
        digits += fraction;
    }
    if (digits && (s[n] == 'e' || s[n] == 'E')) {
        size_t sign = s[n + 1] == '+' || s[n + 1] == '-';
        size_t exponent = strspn(s + n + 1 + sign, "0123456789");
        n = exponent ? n + 1 + sign + exponent : n;
    }
    return digits ? n : 0;
}

static struct cJSON *
read_number(struct reader *r)
{
    bool minus = *r->at == '-';
    const char *s = r->at + (*r->at == '-' || *r->at == '+');
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    size_t n =
        hex ? 2 + strspn(s + 2, "0123456789abcdefABCDEF") : number_length(s);

    r->at = s;
    if (n < (hex ? 3 : 1) || n > 60 || word_length(s + n)) {
        fail(r, "not a number that is of use here");
        return NULL;
    }
    char text[64];
    memcpy(text, s, n);
    text[n] = '\0';
    double value =
        hex ? (double) strtoull(text, NULL, 16) : strtod(text, NULL);
    if (!isfinite(value)) {
        fail(r, "a number that is too large");
        return NULL;
    }
    r->at += n;
    return cJSON_CreateNumber(minus ? -value : value);
}

static struct cJSON *
read_literal(struct reader *r)
{
    size_t n = word_length(r->at);
    struct cJSON *value = NULL;

    if (n == 4 && !memcmp(r->at, "true", n)) {
        value = cJSON_CreateTrue();
    } else if (n == 5 && !memcmp(r->at, "false", n)) {
        value = cJSON_CreateFalse();
    } else if (n == 4 && !memcmp(r->at, "null", n)) {
        value = cJSON_CreateNull();
    } else if (n) {
        fail(r, "'%.*s' where a value is expected", n > 40 ? 40 : (int) n,
             r->at);
    } else {
        fail_at(r, "a value");
    }
    r->at += n;
    return value;
}

static struct cJSON *
read_string_value(struct reader *r)
{
    char *text = read_string(r);
    struct cJSON *value = text ? cJSON_CreateString(text) : NULL;

    free(text);
    return value;
}

static void
mark(struct reader *r, const struct cJSON *value, int line)
{
    struct json5 *doc = r->doc;

    if (doc->n_marks >= JSON5_MAX_VALUES) {
        fail(r, "more than %d values", JSON5_MAX_VALUES);
        return;
    }
    doc->marks = xgrow(doc->marks, doc->n_marks, &doc->allocated_marks,
                       sizeof *doc->marks);
    doc->marks[doc->n_marks++] = (struct json5_mark){value, line};
}

static struct cJSON *
read_value(struct reader *r)
{
    int line = r->line;
    struct cJSON *value;

    switch (*r->at) {
    case '{':
    case '[':
        value = *r->at == '{' ? cJSON_CreateObject() : cJSON_CreateArray();
        read_members(r, value);
        break;
    case '"':
    case '\'':
        value = read_string_value(r);
        break;
    default:
        value = (*r->at >= '0' && *r->at <= '9')
                        || (*r->at && strchr("+-.", *r->at))
                    ? read_number(r)
                    : read_literal(r);
    }
    if (value && r->failed) {
        cJSON_Delete(value);
        return NULL;
    }
    if (value) {
        mark(r, value, line);
    }
    return value;
}

static int
compare_marks(const void *a_, const void *b_)
{
    const struct json5_mark *a = a_, *b = b_;
    uintptr_t x = (uintptr_t) a->value, y = (uintptr_t) b->value;

    return x < y ? -1 : x > y;
}

bool
json5_parse(struct json5 *doc, const char *text)
{
    struct reader r = {.doc = doc, .at = text, .line = 1};

    memset(doc, 0, sizeof *doc);
    skip_blanks(&r);
    doc->root = r.failed ? NULL : read_value(&r);
    skip_blanks(&r);
    if (!r.failed && *r.at) {
        fail_at(&r, "the end");
    }
    if (doc->n_marks) {
        qsort(doc->marks, doc->n_marks, sizeof *doc->marks, compare_marks);
    }
    return !r.failed;
}

void
json5_uninit(struct json5 *doc)
{
    cJSON_Delete(doc->root);
    free(doc->marks);
    memset(doc, 0, sizeof *doc);
}

int
json5_line(const struct json5 *doc, const struct cJSON *value)
{
    struct json5_mark key = {value, 0};
    const struct json5_mark *found =
        doc->n_marks ? bsearch(&key, doc->marks, doc->n_marks,
                               sizeof *doc->marks, compare_marks)
                     : NULL;

    return found ? found->line : 0;
}
