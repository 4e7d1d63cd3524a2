/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
assert_refused(const char *target)
{
    struct api_target t;
    const char *error = api_target_parse(&t, target);

    if (!error) {
        print_error("'%s' was taken\n", target);
    }
    assert_non_null(error);
    assert_int_equal(error[strlen(error) - 1], '.');
}

static void
test_root(void **state)
{
    struct api_target t;

    (void) state;
    assert_null(api_target_parse(&t, "/"));
    assert_int_equal(t.n_segments, 0);
    assert_int_equal(t.n_params, 0);
    api_target_uninit(&t);
}

static void
test_segments(void **state)
{
    struct api_target t;

    (void) state;
    assert_null(api_target_parse(&t, "/v1/groups/10/226.2.2.2?limit=5&a=%26"));
    assert_int_equal(t.n_segments, 4);
    assert_string_equal(t.segments[0], "v1");
    assert_string_equal(t.segments[3], "226.2.2.2");
    assert_string_equal(api_target_param(&t, "limit"), "5");
    assert_string_equal(api_target_param(&t, "a"), "&");
    assert_null(api_target_param(&t, "b"));
    api_target_uninit(&t);
}

/* A decoded slash is part of its segment, and a trailing one makes an empty
 * segment, which no resource has. */
static void
test_slashes(void **state)
{
    struct api_target t;

    (void) state;
    assert_null(api_target_parse(&t, "/v1/routes/a%2f..%2Fb"));
    assert_int_equal(t.n_segments, 3);
    assert_string_equal(t.segments[2], "a/../b");
    api_target_uninit(&t);

    assert_null(api_target_parse(&t, "//v1/"));
    assert_int_equal(t.n_segments, 3);
    assert_string_equal(t.segments[0], "");
    assert_string_equal(t.segments[2], "");
    api_target_uninit(&t);
}

static void
test_absolute_form(void **state)
{
    struct api_target t;

    (void) state;
    assert_null(api_target_parse(&t, "http://127.0.0.1:8080/healthz"));
    assert_int_equal(t.n_segments, 1);
    assert_string_equal(t.segments[0], "healthz");
    api_target_uninit(&t);
}

static void
test_bad_targets(void **state)
{
    char text[API_MAX_TARGET + 3];

    (void) state;
    assert_refused("");
    assert_refused("*");
    assert_refused("v1");
    assert_refused("http://host");
    assert_refused("/a#b");
    assert_refused("/a%");
    assert_refused("/a%4");
    assert_refused("/a%4g");
    assert_refused("/a%zz");
    assert_refused("/a%00b");
    assert_refused("/a%0d%0aSet-Cookie:x");
    assert_refused("/a%7f");
    assert_refused("/a b");
    assert_refused("/a\tb");
    assert_refused("/1/2/3/4/5/6/7/8/9");
    assert_refused("/a?b");
    assert_refused("/a?b=1&b=2");
    assert_refused("/a?b=%0");
    assert_refused("/a?%00=1");
    assert_refused("/a?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1");
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[sizeof text - 1] = '\0';
    assert_refused(text);
}

static void
test_empty_query(void **state)
{
    struct api_target t;

    (void) state;
    assert_null(api_target_parse(&t, "/a?"));
    assert_int_equal(t.n_params, 0);
    api_target_uninit(&t);
    assert_null(api_target_parse(&t, "/a?&b=&"));
    assert_int_equal(t.n_params, 1);
    assert_string_equal(api_target_param(&t, "b"), "");
    api_target_uninit(&t);
}

static void
test_etags(void **state)
{
    char a[API_ETAG_SIZE], b[API_ETAG_SIZE];

    (void) state;
    api_etag_format(api_hash("{\"a\":1}", 0), a);
    api_etag_format(api_hash("{\"a\":2}", 0), b);
    assert_string_not_equal(a, b);
    assert_int_equal(a[0], '"');
    assert_int_equal(a[strlen(a) - 1], '"');
    /* The end of a string counts: "ab" + "c" is not "a" + "bc". */
    assert_true(api_hash("c", api_hash("ab", 0))
                != api_hash("bc", api_hash("a", 0)));
}

static void
test_etag_lists(void **state)
{
    (void) state;
    assert_true(api_etag_match("\"x\"", "\"x\"", false));
    assert_true(api_etag_match("*", "\"x\"", false));
    assert_true(api_etag_match("\"a\", \"x\"", "\"x\"", false));
    assert_true(api_etag_match("\"a\",W/\"x\" , \"b\"", "\"x\"", true));
    assert_false(api_etag_match("W/\"x\"", "\"x\"", false));
    assert_false(api_etag_match("\"xy\"", "\"x\"", false));
    assert_false(api_etag_match("x", "\"x\"", false));
    assert_false(api_etag_match("\"a, \"", "\"x\"", false));
    assert_false(api_etag_match("", "\"x\"", true));
    assert_false(api_etag_match("\"", "\"x\"", true));
    assert_false(api_etag_match("W/", "\"x\"", true));
    assert_false(api_etag_match(",,,", "\"x\"", true));
    /* What does not exist matches nothing. */
    assert_false(api_etag_match("*", "", true));
    assert_false(api_etag_match("\"\"", "", true));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_slashes),
        cmocka_unit_test(test_absolute_form),
        cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_empty_query),
        cmocka_unit_test(test_etags),
        cmocka_unit_test(test_etag_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
