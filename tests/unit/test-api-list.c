/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum { N = 1000 };

/* A set of numbers, visited in an order that is not that of their keys. */
struct set {
    bool in[N];
};

static void
visit(const struct set *set, struct api_list *list)
{
    struct api_key key;

    for (unsigned i = 0; i < N; i++) {
        unsigned n = i * 7 % N;
        if (set->in[n]) {
            snprintf(key.text, sizeof key.text, "%04u", n);
            if (api_list_wants(list, &key)) {
                api_list_put(list, &key, cJSON_CreateNumber(n));
            }
        }
    }
}

static struct cJSON *
finish(struct api_list *list)
{
    size_t size;
    char *text = api_list_finish(list, "numbers", &size);
    struct cJSON *page = cJSON_Parse(text);

    assert_non_null(page);
    assert_int_equal(strlen(text), size);
    assert_int_equal(text[size - 1], '\n');
    free(text);
    return page;
}

static struct cJSON *
get_page(const struct set *set, size_t limit, const char *cursor)
{
    struct api_list list;

    api_list_init(&list);
    list.limit = limit;
    snprintf(list.after.text, sizeof list.after.text, "%s", cursor);
    while (api_list_pass(&list)) {
        visit(set, &list);
    }
    return finish(&list);
}

/* Counts what the page holds into 'seen'; copies its cursor. */
static bool
take_page(struct cJSON *page, size_t limit, unsigned seen[N], char *cursor)
{
    const struct cJSON *items =
        cJSON_GetObjectItemCaseSensitive(page, "numbers");
    const char *next =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(page, "next"));
    const struct cJSON *item;
    int last = -1;

    assert_true((size_t) cJSON_GetArraySize(items) <= limit);
    cJSON_ArrayForEach (item, items) {
        assert_true(item->valueint > last);
        last = item->valueint;
        seen[item->valueint]++;
    }
    bool more = next;
    snprintf(cursor, API_KEY_SIZE, "%s", next ? next : "");
    assert_true(!more || api_list_is_cursor(cursor));
    cJSON_Delete(page);
    return more;
}

static void
test_all_pages(void **state)
{
    static const size_t limits[] = {1, 2, 3, 10, 333, 999, 1000, 1001, 10000};

    (void) state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct set set;
        unsigned seen[N] = {0};
        char cursor[API_KEY_SIZE] = "";
        size_t pages = 0;
        memset(&set, true, sizeof set);
        do {
            pages++;
        } while (take_page(get_page(&set, limits[i], cursor), limits[i], seen,
                           cursor));
        for (unsigned n = 0; n < N; n++) {
            assert_int_equal(seen[n], 1);
        }
        assert_int_equal(pages, (N + limits[i] - 1) / limits[i]);
    }
}

static void
test_empty(void **state)
{
    struct set set = {{false}};
    struct cJSON *page = get_page(&set, 10, "");
    char *text = cJSON_PrintUnformatted(page);

    (void) state;
    assert_string_equal(text, "{\"numbers\":[]}");
    free(text);
    cJSON_Delete(page);
}

/* What is there all the time is seen exactly once, whatever comes and goes,
 * be it the cursor's own item. */
static void
test_changes_between_pages(void **state)
{
    struct set set;
    unsigned seen[N] = {0};
    char cursor[API_KEY_SIZE] = "";

    (void) state;
    for (unsigned n = 0; n < N; n++) {
        set.in[n] = n % 2 == 0;
    }
    srand(1);
    for (;;) {
        bool more = take_page(get_page(&set, 7, cursor), 7, seen, cursor);
        if (!more) {
            break;
        }
        /* Multiples of four stay; all others come and go. */
        for (unsigned n = 0; n < N; n++) {
            if (n % 4) {
                set.in[n] = rand() % 2;
            }
        }
        set.in[strtoul(cursor, NULL, 10)] = false;
    }
    for (unsigned n = 0; n < N; n++) {
        assert_true(n % 4 || seen[n] == 1);
        assert_true(seen[n] <= 1);
    }
}

/* Two items of one key: the second is left out, not leaked. */
static void
test_same_key_twice(void **state)
{
    struct api_key key = {"k"};
    struct api_list list;

    (void) state;
    api_list_init(&list);
    while (api_list_pass(&list)) {
        for (int i = 0; i < 2; i++) {
            if (api_list_wants(&list, &key)) {
                api_list_put(&list, &key, cJSON_CreateNumber(i));
            }
        }
    }
    struct cJSON *page = finish(&list);
    char *text = cJSON_PrintUnformatted(page);
    assert_string_equal(text, "{\"numbers\":[0]}");
    free(text);
    cJSON_Delete(page);
}

static void
test_cursors(void **state)
{
    char text[API_KEY_SIZE + 1];

    (void) state;
    assert_true(api_list_is_cursor("0001-ffef"));
    assert_true(api_list_is_cursor("a.B_c-9"));
    assert_false(api_list_is_cursor(""));
    assert_false(api_list_is_cursor("a b"));
    assert_false(api_list_is_cursor("a/b"));
    memset(text, 'a', sizeof text);
    text[API_KEY_SIZE] = '\0';
    assert_false(api_list_is_cursor(text));
    text[API_KEY_SIZE - 1] = '\0';
    assert_true(api_list_is_cursor(text));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pages),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_changes_between_pages),
        cmocka_unit_test(test_same_key_twice),
        cmocka_unit_test(test_cursors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
