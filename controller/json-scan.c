/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/json-scan.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/json.h"

struct scan {
    const uint8_t *text;
    size_t size, at;
    int depth, keys, values;
    struct json_error *error;
};

static bool scan_value(struct scan *);

/* Always returns false, so that callers can "return fail(...)". */
static bool
fail(struct scan *s, const char *what)
{
    int line = 1, column = 1;

    for (size_t i = 0; i < s->at; i++) {
        if (s->text[i] == '\n') {
            line++;
            column = 1;
        } else {
            /* Count characters, not the bytes that continue one. */
            column += (s->text[i] & 0xc0) != 0x80;
        }
    }
    json_fail(s->error, "", NULL, "not valid JSON at line %d, column %d: %s",
              line, column, what);
    return false;
}

/* The next byte, -1 at the end. */
static int
peek(const struct scan *s)
{
    return s->at < s->size ? s->text[s->at] : -1;
}

static bool
take(struct scan *s, int c)
{
    if (peek(s) != c) {
        return false;
    }
    s->at++;
    return true;
}

static void
skip_space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n'
           || peek(s) == '\r') {
        s->at++;
    }
}

/* Numbers. */
static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t
skip_digits(struct scan *s)
{
    size_t start = s->at;

    while (is_digit(peek(s))) {
        s->at++;
    }
    return s->at - start;
}

/* RFC 8259 section 6. */
static bool
scan_number_grammar(struct scan *s)
{
    take(s, '-');
    if (take(s, '0')) {
        if (is_digit(peek(s))) {
            return fail(s, "a number must not begin with 0");
        }
    } else if (!skip_digits(s)) {
        return fail(s, "a digit must follow the minus sign");
    }
    if (take(s, '.') && !skip_digits(s)) {
        return fail(s, "a digit must follow the decimal point");
    }
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) {
            take(s, '-');
        }
        if (!skip_digits(s)) {
            return fail(s, "a digit must follow the exponent's \"e\"");
        }
    }
    return true;
}

static bool
scan_number(struct scan *s)
{
    char text[JSON_MAX_NUMBER + 1];
    size_t start = s->at;

    if (!scan_number_grammar(s)) {
        return false;
    }

    size_t length = s->at - start;
    if (length > JSON_MAX_NUMBER) {
        s->at = start;
        return fail(s, "a number of so many digits is not supported");
    }
    memcpy(text, s->text + start, length);
    text[length] = '\0';
    errno = 0;

    double value = strtod(text, NULL);
    if (errno || !isfinite(value)) {
        s->at = start;
        return fail(s, "the number is out of range");
    }
    return true;
}

/* Strings. */
size_t
json_utf8_length(const char *text, size_t size)
{
    const uint8_t *s = (const uint8_t *) text;
    uint8_t low = 0x80, high = 0xbf; /* Of the second byte. */
    size_t length;

    if (!size) {
        return 0;
    } else if (s[0] < 0x80) {
        return 1;
    } else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        low = s[0] == 0xe0 ? 0xa0 : 0x80;  /* Overlong. */
        high = s[0] == 0xed ? 0x9f : 0xbf; /* Surrogates. */
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        low = s[0] == 0xf0 ? 0x90 : 0x80;  /* Overlong. */
        high = s[0] == 0xf4 ? 0x8f : 0xbf; /* Over U+10FFFF. */
    } else {
        return 0;
    }
    if (size < length || s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* The four digits of a \u escape, -1 if they are not there. */
static int32_t
scan_hex4(struct scan *s)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);

        if (is_digit(c)) {
            value = value * 16 + (c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/* What follows "\u". */
static bool
scan_unicode_escape(struct scan *s)
{
    int32_t value = scan_hex4(s);

    if (value < 0) {
        return fail(s, "\\u needs four hexadecimal digits");
    }
    if (!value) {
        return fail(s, "a NUL character (\\u0000) is not allowed");
    }
    if (value < 0xd800 || value > 0xdfff) {
        return true;
    }
    if (value < 0xdc00 && take(s, '\\') && take(s, 'u')) {
        value = scan_hex4(s);
        if (value >= 0xdc00 && value <= 0xdfff) {
            return true;
        }
    }
    return fail(s, "a \\u surrogate without its other half");
}

static bool
scan_escape(struct scan *s)
{
    int c = peek(s);

    if (c <= 0 || !strchr("\"\\/bfnrtu", c)) {
        return fail(s, "unknown escape: \\ takes one of \" \\ / b f n r t u");
    }
    s->at++;
    return c != 'u' || scan_unicode_escape(s);
}

/* From the opening quote to the closing one. */
static bool
scan_string(struct scan *s)
{
    s->at++;
    while (!take(s, '"')) {
        int c = peek(s);

        if (c < 0) {
            return fail(s, "the text ends within a string");
        } else if (c < ' ') {
            return fail(s, "a control character in a string must be escaped");
        } else if (c == '\\') {
            s->at++;
            if (!scan_escape(s)) {
                return false;
            }
        } else {
            size_t length = json_utf8_length((const char *) s->text + s->at,
                                             s->size - s->at);

            if (!length) {
                return fail(s, "invalid UTF-8");
            }
            s->at += length;
        }
    }
    return true;
}

/* Containers. */
/* A quoted key and the colon behind it. */
static bool
scan_key(struct scan *s)
{
    skip_space(s);
    if (peek(s) != '"') {
        return fail(s, "expected a member's name in double quotes");
    }
    if (++s->keys > JSON_MAX_KEYS) {
        return fail(s, "too many members");
    }
    if (!scan_string(s)) {
        return false;
    }
    skip_space(s);
    return take(s, ':') || fail(s, "expected \":\" after a member's name");
}

/* An object (close '}') or array (close ']') from behind its bracket. */
static bool
scan_container(struct scan *s, char close)
{
    if (++s->depth > JSON_MAX_DEPTH) {
        return fail(s, "nested too deeply");
    }
    skip_space(s);
    if (take(s, close)) {
        s->depth--;
        return true;
    }
    do {
        if ((close == '}' && !scan_key(s)) || !scan_value(s)) {
            return false;
        }
        skip_space(s);
    } while (take(s, ','));
    if (!take(s, close)) {
        return fail(s, close == '}' ? "expected \",\" or \"}\""
                                    : "expected \",\" or \"]\"");
    }
    s->depth--;
    return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
    size_t length = strlen(word);

    if (s->size - s->at < length || memcmp(s->text + s->at, word, length)) {
        return fail(s, "expected a value");
    }
    s->at += length;
    return true;
}

static bool
scan_value(struct scan *s)
{
    if (++s->values > JSON_MAX_VALUES) {
        return fail(s, "too many values");
    }
    skip_space(s);

    int c = peek(s);
    if (is_digit(c) || c == '-') {
        return scan_number(s);
    }
    switch (c) {
    case '{':
        s->at++;
        return scan_container(s, '}');
    case '[':
        s->at++;
        return scan_container(s, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case -1:
        return fail(s, "the text ends where a value is expected");
    default:
        return fail(s, "expected a value");
    }
}

bool
json_scan(const char *text, size_t size, struct json_error *error)
{
    struct scan s = {
        .text = (const uint8_t *) text, .size = size, .error = error};

    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        return fail(&s, "it begins with a byte order mark; leave that out");
    }
    if (!scan_value(&s)) {
        return false;
    }
    skip_space(&s);
    if (s.at < s.size) {
        return fail(&s, "there is more text behind the value");
    }
    return true;
}
