/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/import-json5.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

/* 'text' is the same as 'json'. */
static void
expect(const char *text, const char *json)
{
    struct cJSON *wanted = cJSON_Parse(json);
    struct json5 doc;

    assert_non_null(wanted);
    if (!json5_parse(&doc, text)) {
        fail_msg("%s: %d: %s", text, doc.error_line, doc.error);
    }
    char *got = cJSON_PrintUnformatted(doc.root);
    char *should = cJSON_PrintUnformatted(wanted);
    assert_string_equal(got, should);
    free(got);
    free(should);
    cJSON_Delete(wanted);
    json5_uninit(&doc);
}

static void
expect_error(const char *text, int line, const char *error)
{
    struct json5 doc;

    assert_false(json5_parse(&doc, text));
    assert_string_equal(doc.error, error);
    assert_int_equal(doc.error_line, line);
    json5_uninit(&doc);
}

static void
test_json_is_json5(void **state)
{
    (void) state;
    expect("{\"a\": [1, -2.5, 3e2, true, false, null, \"x\\n\\u00e9\"]}",
           "{\"a\": [1, -2.5, 300, true, false, null, \"x\\n\\u00e9\"]}");
    expect(" [ ] ", "[]");
    expect("\"\\ud83d\\ude00\\/\"", "\"\\ud83d\\ude00/\"");
}

static void
test_what_json_has_not(void **state)
{
    (void) state;
    expect("// c\n{a: 1, $b_2: 2, 'c d': 3, /* x\n*/ \"e\": 4,}",
           "{\"a\":1,\"$b_2\":2,\"c d\":3,\"e\":4}");
    expect("['it\\'s', \"say 'x'\", 'a\\\nb', 'a\\\r\nb', '\\x41\\q',]",
           "[\"it's\",\"say 'x'\",\"ab\",\"ab\",\"Aq\"]");
    expect("[0xFF, -0x10, +3, .5, 5., 1.e1]", "[255,-16,3,0.5,5,10]");
    expect("\xef\xbb\xbf[1,\xc2\xa0 2]\n// the end", "[1,2]");
    expect("{\xc3\xa9: 1}", "{\"\xc3\xa9\": 1}");
}

static void
test_lines(void **state)
{
    struct json5 doc;

    (void) state;
    assert_true(json5_parse(&doc, "/* one\n two */\n{a: [1,\n 2], // x\n"
                                  " b: 'x\\\ny', c:\n {}}"));
    const struct cJSON *a = cJSON_GetObjectItem(doc.root, "a");
    assert_int_equal(json5_line(&doc, doc.root), 3);
    assert_int_equal(json5_line(&doc, a), 3);
    assert_int_equal(json5_line(&doc, a->child->next), 4);
    assert_int_equal(json5_line(&doc, cJSON_GetObjectItem(doc.root, "b")), 5);
    assert_int_equal(json5_line(&doc, cJSON_GetObjectItem(doc.root, "c")), 7);
    assert_int_equal(json5_line(&doc, NULL), 0);
    json5_uninit(&doc);
}

static void
test_errors(void **state)
{
    (void) state;
    expect_error("", 1, "the text ends where a value is expected");
    expect_error("{\n a 1}", 2, "'1' where ':' is expected");
    expect_error("[1 2]", 1, "'2' where ',' or ']' is expected");
    expect_error("{a: 1,\n\n a: 2}", 3,
                 "the key 'a' stands here a second time");
    expect_error("[1]\n\nx", 3, "'x' where the end is expected");
    expect_error("\n/* x", 2, "a comment begins here and does not end");
    expect_error("['x\n']", 1, "a string does not end in its line");
    expect_error("[Infinity]", 1, "'Infinity' where a value is expected");
    expect_error("[1e999]", 1, "a number that is too large");
    expect_error("[0x]", 1, "not a number that is of use here");
    expect_error("[1abc]", 1, "not a number that is of use here");
    expect_error("[-]", 1, "not a number that is of use here");
    expect_error("['\\u0000']", 1, "a NUL in a string");
    expect_error("['\\ud800x']", 1, "half of a character in a string");
    expect_error("['\\x4g']", 1, "'g' where a hexadecimal digit is expected");
    expect_error("['\\x\x10\x11']", 1,
                 "byte 0x10 where a hexadecimal digit is expected");
    expect_error("[,]", 1, "',' where a value is expected");
    expect_error("\x01", 1, "byte 0x01 where a value is expected");
}

static void
test_limits(void **state)
{
    char deep[2 * JSON5_MAX_DEPTH + 4];
    size_t n = JSON5_MAX_DEPTH;

    (void) state;
    memset(deep, '[', n);
    memset(deep + n, ']', n);
    deep[2 * n] = '\0';
    expect(deep, deep);
    memset(deep, '[', n + 1);
    memset(deep + n + 1, ']', n + 1);
    deep[2 * n + 2] = '\0';
    expect_error(deep, 1, "more than 32 brackets in each other");

    char *keys = xmalloc(20 * (JSON5_MAX_KEYS + 2)), *out = keys;
    *out++ = '{';
    for (int i = 0; i <= JSON5_MAX_KEYS; i++) {
        out += sprintf(out, "k%d:1,", i);
    }
    strcpy(out, "}");
    expect_error(keys, 1, "more than 1000 keys in one object");
    free(keys);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_json5),
        cmocka_unit_test(test_what_json_has_not),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
