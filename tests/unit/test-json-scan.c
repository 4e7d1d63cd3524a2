/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/json-scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "controller/json.h"
#include "lib/xalloc.h"

/* Parses an exact-size copy, so that a sanitizer sees any read past it. */
static struct cJSON *
parse(const char *text, size_t size, struct json_error *error)
{
    char *copy = xmemdup(text, size);
    struct cJSON *value = json_parse(copy, size, error);

    free(copy);
    return value;
}

static void
assert_refused_size(const char *text, size_t size, const char *pointer,
                    const char *detail)
{
    struct json_error error;
    struct cJSON *value = parse(text, size, &error);

    if (value || !strstr(error.detail, detail)) {
        print_error("%.80s: expected \"%s\", got %s\n", text, detail,
                    value ? "a value" : error.detail);
    }
    assert_null(value);
    assert_true(error.failed);
    assert_string_equal(error.pointer, pointer);
    assert_non_null(strstr(error.detail, detail));
}

static void
assert_refused(const char *text, const char *pointer, const char *detail)
{
    assert_refused_size(text, strlen(text), pointer, detail);
}

static struct cJSON *
assert_good(const char *text)
{
    struct json_error error;
    struct cJSON *value = parse(text, strlen(text), &error);

    if (!value) {
        print_error("%.80s: %s\n", text, error.detail);
    }
    assert_non_null(value);
    assert_false(error.failed);
    return value;
}

static void
test_good_texts(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
        "\"\"",
        "true",
        "false",
        "null",
        "0",
        "-0",
        "-0.5e-3",
        "1E+2",
        "1.7976931348623157e308",
        "[[[]],{\"\":{}}]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\xf4\x8f\xbf\xbf\"",
        "\"\\ud834\\udd1e\\uDBFF\\uDFFF\"",
        "{\"a\":1,\"A\":2}",
        "{\"a\":{\"a\":1}}",
    };

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cJSON_Delete(assert_good(texts[i]));
    }
}

static void
test_bad_grammar(void **state)
{
    static const struct {
        const char *text, *detail;
    } cases[] = {
        {"", "the text ends"},
        {" ", "the text ends"},
        {"{", "expected a member's name"},
        {"[", "the text ends"},
        {"[1", "\",\" or \"]\""},
        {"[1,", "the text ends"},
        {"[1,]", "expected a value"},
        {"[,1]", "expected a value"},
        {"[1 2]", "\",\" or \"]\""},
        {"[1}", "\",\" or \"]\""},
        {"{\"a\"}", "expected \":\""},
        {"{\"a\":}", "expected a value"},
        {"{\"a\":1,}", "expected a member's name"},
        {"{a:1}", "expected a member's name"},
        {"{'a':1}", "expected a member's name"},
        {"{\"a\":1 \"b\":2}", "\",\" or \"}\""},
        {"{}x", "more text"},
        {"{}{}", "more text"},
        {"1 2", "more text"},
        {"tru", "expected a value"},
        {"TRUE", "expected a value"},
        {"nullx", "more text"},
        {"// no\n1", "expected a value"},
        {"\v1", "expected a value"},
        {"\xc2\xa0"
         "1",
         "expected a value"},
        {"\"abc", "ends within a string"},
        {"\"\t\"", "must be escaped"},
        {"\"\n\"", "must be escaped"},
        {"\"\\x41\"", "unknown escape"},
        {"\"\\", "unknown escape"},
        {"\"\\u12\"", "four hexadecimal"},
        {"\"\\u12g4\"", "four hexadecimal"},
        {"\"\\u123", "four hexadecimal"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(cases[i].text, "", cases[i].detail);
    }
}

static void
test_bad_numbers(void **state)
{
    static const char *const texts[] = {
        "01",   "-01", "+1",    ".5",     "-.5",       "1.",    "1.e2",
        "1e",   "1e+", "-",     "0x10",   "NaN",       "nan",   "Infinity",
        "-inf", "1_0", "1e400", "-1e400", "1e-400",    "1.5.5", "1e5e5",
        "١",    "--1", "[1.]",  "[01]",   "{\"a\":+1}"};
    char many[600];

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_refused(texts[i], "", "");
    }
    assert_refused("1e400", "", "out of range");
    memset(many, '1', sizeof many);
    assert_refused_size(many, 49, "", "so many digits");
    assert_refused_size(many, sizeof many, "", "so many digits");
}

static void
test_bad_utf8(void **state)
{
    static const char *const strings[] = {
        "\x80",             /* A continuation alone. */
        "\xc3",             /* Cut short. */
        "\xe2\x82",         /* Cut short. */
        "\xf0\x9d\x84",     /* Cut short. */
        "\xc3(",            /* No continuation. */
        "\xe2\x28\xa1",     /* No continuation. */
        "\xc0\xaf",         /* Overlong '/'. */
        "\xc1\xbf",         /* Overlong. */
        "\xe0\x80\xaf",     /* Overlong '/'. */
        "\xe0\x9f\xbf",     /* Overlong. */
        "\xf0\x80\x80\xaf", /* Overlong '/'. */
        "\xf0\x8f\xbf\xbf", /* Overlong. */
        "\xc0\x80",         /* "Modified UTF-8" NUL. */
        "\xed\xa0\x80",     /* U+D800. */
        "\xed\xbf\xbf",     /* U+DFFF. */
        "\xf4\x90\x80\x80", /* U+110000. */
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    char text[64];

    (void) state;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        snprintf(text, sizeof text, "{\"a\":\"%s\"}", strings[i]);
        assert_refused(text, "", "invalid UTF-8");
        snprintf(text, sizeof text, "{\"%s\":1}", strings[i]);
        assert_refused(text, "", "invalid UTF-8");
    }
    assert_refused("\xef\xbb\xbf{}", "", "byte order mark");
    assert_refused_size("\xff\xfe{\0}\0", 6, "", "expected a value");
}

static void
test_surrogates_and_nul(void **state)
{
    static const char *const lone[] = {
        "\"\\ud800\"",        "\"\\udc00\"",        "\"\\ud800x\"",
        "\"\\ud800\\n\"",     "\"\\ud800\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\\udc00\\ud800\"", "\"\\uD800\\",        "\"\\ud800\\u"};

    (void) state;
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++) {
        assert_refused(lone[i], "", "surrogate");
    }
    assert_refused("\"a\\u0000b\"", "", "NUL");
    assert_refused("{\"a\\u0000\":1}", "", "NUL");
    assert_refused_size("{\"a\":\"b\0c\"}", 11, "", "must be escaped");
    assert_refused_size("{}\0", 3, "", "more text");
    assert_refused_size("\0", 1, "", "expected a value");
}

static void
test_position(void **state)
{
    (void) state;
    assert_refused("{\n \"caf\xc3\xa9\": x}", "", "line 2, column 10:");
    assert_refused("[1,\n2,\n03]", "", "line 3, column 2:");
}

/* 'n' arrays or objects in each other. */
static char *
nest(int n, bool objects)
{
    const char *open = objects ? "{\"a\":" : "[";
    size_t width = strlen(open);
    char *text = xmalloc(n * (width + 1) + 2), *at = text;

    for (int i = 0; i < n; i++) {
        at = (char *) memcpy(at, open, width) + width;
    }
    *at++ = '1';
    memset(at, objects ? '}' : ']', n);
    at[n] = '\0';
    return text;
}

static void
test_depth(void **state)
{
    (void) state;
    for (int objects = 0; objects <= 1; objects++) {
        char *text = nest(JSON_MAX_DEPTH, objects);
        cJSON_Delete(assert_good(text));
        free(text);

        text = nest(JSON_MAX_DEPTH + 1, objects);
        assert_refused(text, "", "nested too deeply");
        free(text);

        text = nest(10000, objects);
        assert_refused(text, "", "nested too deeply");
        free(text);

        /* Never closed. */
        text = nest(1000000, objects);
        text[strlen(text) / 2] = '\0';
        assert_refused(text, "", "nested too deeply");
        free(text);
    }

    /* Depth is nesting, not a count of containers. */
    cJSON_Delete(assert_good("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                             "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                             "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
}

static void
test_duplicate_keys(void **state)
{
    (void) state;
    assert_refused("{\"a\":1,\"a\":1}", "/a", "\"a\" is given twice");
    assert_refused("{\"a\":1,\"b\":2,\"\\u0061\":3}", "/a", "given twice");
    assert_refused("{\"to\":[{},{\"set\":{\"x\":1,\"y\":2,\"x\":3}}]}",
                   "/to/1/set/x", "given twice");
    assert_refused("{\"a/b~c\":{\"d\":1,\"d\":2}}", "/a~1b~0c/d", "twice");
    assert_refused("{\"\":1,\"\":2}", "/", "given twice");
}

static char *
many_members(int n, const char *format)
{
    char *text = xmalloc(n * 20 + 3), *at = text;

    *at++ = '{';
    for (int i = 0; i < n; i++) {
        at += sprintf(at, "%s", i ? "," : "");
        at += sprintf(at, "\"k%d\":%s", i, format);
    }
    strcpy(at, "}");
    return text;
}

static void
test_many_members_and_values(void **state)
{
    char *text = many_members(JSON_MAX_KEYS, "0");

    (void) state;
    cJSON_Delete(assert_good(text));
    free(text);
    text = many_members(JSON_MAX_KEYS + 1, "0");
    assert_refused(text, "", "too many members");
    free(text);

    /* One array of half a million values: 64 bytes each in cJSON. */
    size_t size = 1000001;
    text = xmalloc(size);
    for (size_t i = 0; i < size; i++) {
        text[i] = i ? i % 2 ? '0' : ',' : '[';
    }
    text[size - 1] = ']';
    assert_refused_size(text, size, "", "too many values");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),
        cmocka_unit_test(test_bad_grammar),
        cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_bad_utf8),
        cmocka_unit_test(test_surrogates_and_nul),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_many_members_and_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
