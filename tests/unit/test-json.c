/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

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
assert_parses(const char *text)
{
    struct json_error error;
    struct cJSON *value = parse(text, strlen(text), &error);

    assert_non_null(value);
    cJSON_Delete(value);
}

/* What an error quotes is whole characters, however it is cut. */
static void
test_error_is_printable(void **state)
{
    struct json_error error;
    char text[4000] = "{\"";

    (void) state;
    for (int i = 0; i < 1200; i++) {
        strcat(text, "\xe2\x82\xac"); /* Euro sign. */
    }
    strcat(text, "\\n\":1}");

    struct cJSON *value = parse(text, strlen(text), &error);
    const struct json_at at = {value, "", &error};
    static const char *const known[] = {"name", NULL};

    assert_non_null(value);
    json_only(&at, known);
    assert_true(error.failed);
    cJSON_Delete(value);

    /* Both are valid UTF-8: they would not parse inside a body otherwise. */
    snprintf(text, sizeof text, "[\"%s\"]", error.pointer);
    assert_parses(text);
    for (char *s = error.detail; *s; s++) {
        *s = *s == '"' ? '\'' : *s;
    }
    snprintf(text, sizeof text, "[\"%s\"]", error.detail);
    assert_parses(text);
}

/* Getters, on one object at "/here". */
struct fixture {
    struct cJSON *value;
    struct json_error error;
    struct json_at at;
};

static void
setup(struct fixture *f, const char *text)
{
    f->value = parse(text, strlen(text), &f->error);
    assert_non_null(f->value);
    f->at = (struct json_at){f->value, "/here", &f->error};
}

static void
assert_ok(struct fixture *f)
{
    assert_false(f->error.failed);
    cJSON_Delete(f->value);
}

static void
assert_failed(struct fixture *f, const char *pointer, const char *detail)
{
    assert_true(f->error.failed);
    assert_string_equal(f->error.pointer, pointer);
    assert_string_equal(f->error.detail, detail);
    cJSON_Delete(f->value);
}

static void
test_absent_members(void **state)
{
    struct fixture f;
    const char *s = "kept";
    bool b = true;
    int64_t i = 7;
    uint64_t u = 8;

    (void) state;
    setup(&f, "{\"TTL\":1}"); /* Names are case sensitive. */
    assert_false(json_has(&f.at, "ttl"));
    assert_false(json_get_string(&f.at, "ttl", &s));
    assert_false(json_get_bool(&f.at, "ttl", &b));
    assert_false(json_get_int(&f.at, "ttl", 0, 9, &i));
    assert_false(json_get_u64(&f.at, "ttl", &u));
    assert_false(json_get_dpid(&f.at, "ttl", &u));
    assert_null(json_get_object(&f.at, "ttl"));
    assert_null(json_get_array(&f.at, "ttl"));
    assert_string_equal(s, "kept");
    assert_true(b && i == 7 && u == 8);
    assert_ok(&f);

    setup(&f, "{}");
    json_require(&f.at, "group");
    assert_failed(&f, "/here/group", "\"group\" is missing");
}

static void
test_good_members(void **state)
{
    struct fixture f;
    const char *s;
    bool b;
    int64_t i;

    (void) state;
    setup(&f, "{\"s\":\"x\",\"t\":true,\"f\":false,\"i\":-5,\"e\":1.5e1,"
              "\"m\":9007199254740991,\"o\":{},\"a\":[]}");
    assert_true(json_get_string(&f.at, "s", &s));
    assert_string_equal(s, "x");
    assert_true(json_get_bool(&f.at, "t", &b) && b);
    assert_true(json_get_bool(&f.at, "f", &b) && !b);
    assert_true(json_get_int(&f.at, "i", -5, -5, &i) && i == -5);
    assert_true(json_get_int(&f.at, "e", 0, 255, &i) && i == 15);
    assert_true(json_get_int(&f.at, "m", 0, INT64_MAX, &i));
    assert_true(i == 9007199254740991);
    assert_non_null(json_get_object(&f.at, "o"));
    assert_non_null(json_get_array(&f.at, "a"));
    assert_ok(&f);
}

static void
test_bad_int(void **state)
{
    static const char *const texts[] = {
        "{\"ttl\":0}",     "{\"ttl\":256}",  "{\"ttl\":1.5}",
        "{\"ttl\":\"1\"}", "{\"ttl\":true}", "{\"ttl\":null}",
        "{\"ttl\":-1}",    "{\"ttl\":[1]}",  "{\"ttl\":4294967297}",
        "{\"ttl\":1e-5}"};
    struct fixture f;
    int64_t i;

    (void) state;
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        setup(&f, texts[n]);
        assert_false(json_get_int(&f.at, "ttl", 1, 255, &i));
        assert_failed(&f, "/here/ttl",
                      "\"ttl\" must be a whole number from 1 to 255");
    }

    /* 2^53 + 1 and 2^64: exactness is what is wrong with them. */
    static const char *const inexact[] = {
        "{\"n\":9007199254740993}", "{\"n\":18446744073709551616}",
        "{\"n\":-9007199254740993}", "{\"n\":1e300}"};
    for (size_t n = 0; n < sizeof inexact / sizeof *inexact; n++) {
        setup(&f, inexact[n]);
        assert_false(json_get_int(&f.at, "n", INT64_MIN, INT64_MAX, &i));
        assert_non_null(strstr(f.error.detail, "\"0x..\" string"));
        cJSON_Delete(f.value);
    }
}

static void
test_u64(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"9007199254740991", 9007199254740991},
                {"\"0\"", 0},
                {"\"0x0\"", 0},
                {"\"0X1f\"", 31},
                {"\"18446744073709551615\"", UINT64_MAX},
                {"\"0xffffffffffffffff\"", UINT64_MAX},
                {"\"0x00000000000000000001\"", 1}};
    static const char *const bad[] = {"9007199254740992",
                                      "9007199254740993",
                                      "-1",
                                      "1.5",
                                      "\"\"",
                                      "\"0x\"",
                                      "\"0x1G\"",
                                      "\"1f\"",
                                      "\"-1\"",
                                      "\"+1\"",
                                      "\" 1\"",
                                      "\"1 \"",
                                      "\"18446744073709551616\"",
                                      "\"0x10000000000000000\"",
                                      "true",
                                      "null",
                                      "{}"};
    struct fixture f;
    char text[64];
    uint64_t u;

    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "{\"u\":%s}", good[i].text);
        setup(&f, text);
        assert_true(json_get_u64(&f.at, "u", &u));
        assert_true(u == good[i].value);
        assert_ok(&f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"u\":%s}", bad[i]);
        setup(&f, text);
        assert_false(json_get_u64(&f.at, "u", &u));
        assert_true(f.error.failed);
        assert_string_equal(f.error.pointer, "/here/u");
        assert_int_equal(!!strstr(f.error.detail, "\"0x..\" string"), i < 2);
        cJSON_Delete(f.value);
    }
}

static void
test_dpid(void **state)
{
    static const char *const good[] = {"1", "\"1\"", "\"0x1\"",
                                       "\"0000000000000001\"",
                                       "\"00:00:00:00:00:00:00:01\""};
    static const char *const bad[] = {
        "0", "\"\"", "-1", "1.5", "\"s1\"", "9007199254740993", "null"};
    struct fixture f;
    char text[64];
    uint64_t dpid;

    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text, "{\"dpid\":%s}", good[i]);
        setup(&f, text);
        assert_true(json_get_dpid(&f.at, "dpid", &dpid));
        assert_true(dpid == 1);
        assert_ok(&f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"dpid\":%s}", bad[i]);
        setup(&f, text);
        assert_false(json_get_dpid(&f.at, "dpid", &dpid));
        assert_string_equal(f.error.pointer, "/here/dpid");
        cJSON_Delete(f.value);
    }
}

static void
test_ill_typed(void **state)
{
    struct fixture f;
    const char *s;
    bool b;

    (void) state;
    setup(&f, "{\"x\":1}");
    assert_false(json_get_string(&f.at, "x", &s));
    assert_failed(&f, "/here/x", "\"x\" must be a string");
    setup(&f, "{\"x\":\"true\"}");
    assert_false(json_get_bool(&f.at, "x", &b));
    assert_failed(&f, "/here/x", "\"x\" must be true or false");
    setup(&f, "{\"x\":[]}");
    assert_null(json_get_object(&f.at, "x"));
    assert_failed(&f, "/here/x", "\"x\" must be an object");
    setup(&f, "{\"x\":{}}");
    assert_null(json_get_array(&f.at, "x"));
    assert_failed(&f, "/here/x", "\"x\" must be an array");
}

static void
test_only_known_members(void **state)
{
    static const char *const known[] = {"ttl", "dscp", NULL};
    struct fixture f;

    (void) state;
    setup(&f, "{\"ttl\":1}");
    json_only(&f.at, known);
    assert_ok(&f);
    setup(&f, "{\"ttl\":1,\"tll\":2,\"x\":3}");
    json_only(&f.at, known);
    assert_failed(&f, "/here/tll",
                  "\"tll\" is not known here; known are: ttl, dscp");
    setup(&f, "[1]");
    json_only(&f.at, known);
    assert_failed(&f, "/here", "this must be an object");
}

static void
test_first_error_sticks(void **state)
{
    struct json_error error = {.failed = false};

    (void) state;
    json_fail(&error, "/a", "b", "first %d", 1);
    json_fail(&error, "/c", NULL, "second");
    assert_string_equal(error.pointer, "/a/b");
    assert_string_equal(error.detail, "first 1");
}

static void
test_names(void **state)
{
    char longest[66];

    (void) state;
    memset(longest, 'n', sizeof longest);
    longest[65] = '\0';
    assert_false(json_is_name(longest));
    longest[64] = '\0';
    assert_true(json_is_name(longest));
    assert_true(json_is_name("A-z_0.9"));
    assert_false(json_is_name(""));
    assert_false(json_is_name("a b"));
    assert_false(json_is_name("a/b"));
    assert_false(json_is_name("a\r\nb"));
    assert_false(json_is_name("a%2eb"));
    assert_false(json_is_name("caf\xc3\xa9"));
}

static void
test_add_u64(void **state)
{
    struct cJSON *object = cJSON_CreateObject();

    (void) state;
    json_add_u64(object, "a", 0);
    json_add_u64(object, "b", UINT64_MAX);

    char *text = cJSON_PrintUnformatted(object);
    assert_string_equal(text, "{\"a\":\"0x0\",\"b\":\"0xffffffffffffffff\"}");
    free(text);
    cJSON_Delete(object);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_is_printable),
        cmocka_unit_test(test_absent_members),
        cmocka_unit_test(test_good_members),
        cmocka_unit_test(test_bad_int),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_dpid),
        cmocka_unit_test(test_ill_typed),
        cmocka_unit_test(test_only_known_members),
        cmocka_unit_test(test_first_error_sticks),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_add_u64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
