/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
nothing_is_not_null(void **state)
{
    (void) state;
    void *p[] = {xmalloc(0), xcalloc(0, 8), xrealloc(NULL, 0),
                 xmemdup(NULL, 0)};

    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        assert_non_null(p[i]);
        free(p[i]);
    }
}

static void
copies_and_prints(void **state)
{
    (void) state;
    char *a = xstrdup("group");
    char *b = xasprintf("%s %d", a, 7);

    assert_string_equal(b, "group 7");
    free(a);
    free(b);
}

static void
grows_by_doubling(void **state)
{
    (void) state;
    size_t allocated = 0, moves = 0;
    uint32_t *array = NULL;

    for (uint32_t i = 0; i < 10000; i++) {
        size_t before = allocated;

        array = xgrow(array, i, &allocated, sizeof *array);
        moves += allocated != before;
        assert_true(allocated > i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(array[i], i);
    }
    assert_true(moves < 16);
    free(array);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_not_null),
        cmocka_unit_test(copies_and_prints),
        cmocka_unit_test(grows_by_doubling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
