/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "retry: 1000\n: ofmcast events\n\n"
#define LOST "event: lost\ndata: {\"lost\":true}\n\n"

static void
add(struct api_events *e, const char *type)
{
    size_t size;
    const char *text = api_events_add(e, type, "{}", &size);

    assert_int_equal(strlen(text), size);
}

static void
assert_since(struct api_events *e, const char *id, const char *expected)
{
    size_t size;
    char *text = api_events_since(e, id, &size);

    assert_string_equal(text, expected);
    assert_int_equal(strlen(text), size);
    free(text);
}

static void
test_form(void **state)
{
    struct api_events *e = api_events_create(0xab);
    size_t size;

    (void) state;
    assert_string_equal(
        api_events_add(e, "member.joined", "{\"vlan\":0}", &size),
        "id: ab-1\nevent: member.joined\ndata: {\"vlan\":0}\n\n");
    api_events_destroy(e);
}

/* Nothing in a text can end an event and begin another. */
static void
test_line_breaks(void **state)
{
    struct api_events *e = api_events_create(1);
    size_t size;

    (void) state;
    assert_string_equal(
        api_events_add(e, "a\nid: 9", "{\r\n\n\"b\":1}", &size),
        "id: 1-1\nevent: a id: 9\ndata: {   \"b\":1}\n\n");
    api_events_destroy(e);
}

static void
test_new_listener(void **state)
{
    struct api_events *e = api_events_create(1);

    (void) state;
    assert_since(e, NULL, HEAD);
    add(e, "a");
    assert_since(e, NULL, HEAD);
    api_events_destroy(e);
}

static void
test_coming_back(void **state)
{
    struct api_events *e = api_events_create(1);

    (void) state;
    add(e, "a");
    add(e, "b");
    add(e, "c");
    assert_since(e, "1-3", HEAD);
    assert_since(e, "1-2", HEAD "id: 1-3\nevent: c\ndata: {}\n\n");
    assert_since(e, "1-0",
                 HEAD "id: 1-1\nevent: a\ndata: {}\n\n"
                      "id: 1-2\nevent: b\ndata: {}\n\n"
                      "id: 1-3\nevent: c\ndata: {}\n\n");
    api_events_destroy(e);
}

/* An id of another run, of the future, or no id at all: the listener is told
 * that it has missed something. */
static void
test_unknown_ids(void **state)
{
    static const char *const ids[] = {"2-1",  "1-2", "1-99999999999999999999",
                                      "1",    "1-",  "1-x",
                                      "1-1x", "",    "x",
                                      "1--1", "1-+1"};
    struct api_events *e = api_events_create(1);

    (void) state;
    add(e, "a");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_since(e, ids[i], HEAD LOST "id: 1-1\nevent: a\ndata: {}\n\n");
    }
    api_events_destroy(e);
}

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)); p++) {
        n++;
    }
    return n;
}

static void
test_bounded_in_number(void **state)
{
    struct api_events *e = api_events_create(1);
    size_t size;

    (void) state;
    for (int i = 0; i < API_EVENTS_MAX + 10; i++) {
        add(e, "a");
    }
    char *text = api_events_since(e, "1-5", &size);
    assert_int_equal(count(text, "event: lost"), 1);
    assert_int_equal(count(text, "event: a"), API_EVENTS_MAX);
    free(text);
    /* 10 is the last that is gone; who has seen it has missed nothing. */
    text = api_events_since(e, "1-10", &size);
    assert_int_equal(count(text, "event: lost"), 0);
    assert_int_equal(count(text, "event: a"), API_EVENTS_MAX);
    assert_int_equal(count(text, "id: 1-11\n"), 1);
    free(text);
    api_events_destroy(e);
}

static void
test_bounded_in_size(void **state)
{
    struct api_events *e = api_events_create(1);
    size_t size;
    char *json = malloc(300000);

    (void) state;
    memset(json, 'x', 299999);
    json[299999] = '\0';
    for (int i = 0; i < 10; i++) {
        api_events_add(e, "a", json, &size);
    }
    char *text = api_events_since(e, "1-0", &size);
    assert_true(size <= API_EVENTS_MAX_SIZE + 100);
    assert_int_equal(count(text, "event: a"), 3);
    free(text);
    free(json);
    api_events_destroy(e);
    api_events_destroy(NULL);
}

static void
test_restart(void **state)
{
    struct api_events *e = api_events_create(1);

    (void) state;
    add(e, "a");
    api_events_restart(e, 2);
    assert_since(e, "1-1", HEAD LOST);
    add(e, "b");
    assert_since(e, "2-0", HEAD "id: 2-1\nevent: b\ndata: {}\n\n");
    api_events_destroy(e);
}

/* It is there until the next one comes. */
static void
test_one_over_the_limit(void **state)
{
    struct api_events *e = api_events_create(1);
    char *json = malloc(2 * API_EVENTS_MAX_SIZE + 1);
    size_t size;

    (void) state;
    memset(json, 'x', 2 * API_EVENTS_MAX_SIZE);
    json[2 * API_EVENTS_MAX_SIZE] = '\0';
    add(e, "a");
    assert_non_null(api_events_add(e, "big", json, &size));
    assert_true(size > 2 * API_EVENTS_MAX_SIZE);
    add(e, "b");
    assert_since(e, "1-2", HEAD "id: 1-3\nevent: b\ndata: {}\n\n");
    assert_since(e, "1-1", HEAD LOST "id: 1-3\nevent: b\ndata: {}\n\n");
    free(json);
    api_events_destroy(e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_line_breaks),
        cmocka_unit_test(test_new_listener),
        cmocka_unit_test(test_coming_back),
        cmocka_unit_test(test_unknown_ids),
        cmocka_unit_test(test_bounded_in_number),
        cmocka_unit_test(test_bounded_in_size),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_one_over_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
