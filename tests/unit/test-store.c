/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/store-helper.h"

static void
test_rows(void **dir)
{
    struct store *store = open_good(*dir);

    put(store, STORE_ROUTE, "b", "{\"b\":1}");
    put(store, STORE_ROUTE, "a", "{\"a\":1}");
    put(store, STORE_FLOW, "a", "{\"flow\":1}");
    put(store, STORE_ROUTE, "B", "{}");
    assert_rows(store, STORE_ROUTE, "B={}; a={\"a\":1}; b={\"b\":1}; ");
    assert_rows(store, STORE_FLOW, "a={\"flow\":1}; ");
    assert_rows(store, STORE_MEMBER, "");

    /* Replace, delete, delete what is not there. */
    put(store, STORE_ROUTE, "a", "{\"a\":2}");
    assert_int_equal(store_delete(store, STORE_ROUTE, "b"), 0);
    assert_int_equal(store_delete(store, STORE_ROUTE, "b"), 0);
    assert_rows(store, STORE_ROUTE, "B={}; a={\"a\":2}; ");
    assert_rows(store, STORE_FLOW, "a={\"flow\":1}; ");
    store_close(store);
    store_close(NULL);
}

static void
test_flags(void **dir)
{
    for (int i = 0; i < 4; i++) {
        struct store *store = open_good(*dir);
        const struct store_row row = {
            .name = "r", .json = "{}", .applied = i & 1, .gone = i & 2};
        assert_int_equal(store_put(store, STORE_ROUTE, &row), 0);
        store_close(store);
        store = open_good(*dir);
        assert_rows(store, STORE_ROUTE,
                    i == 0   ? "r={}; "
                    : i == 1 ? "r={} applied; "
                    : i == 2 ? "r={} gone; "
                             : "r={} applied gone; ");
        store_close(store);
    }
}

static void
test_rows_outlive_the_store(void **dir)
{
    struct store *store = open_good(*dir);
    char *big = xmalloc(100001);

    memset(big, 'x', 100000);
    big[100000] = '\0';
    put(store, STORE_ROUTE, "big", big);
    store_close(store);
    store = open_good(*dir);
    put(store, STORE_FLOW, "f", "caf\xc3\xa9");
    store_close(store);

    store = open_good(*dir);
    char *expected = xasprintf("big=%s; ", big);
    assert_rows(store, STORE_ROUTE, expected);
    assert_rows(store, STORE_FLOW, "f=caf\xc3\xa9; ");
    store_close(store);
    free(expected);
    free(big);
}

static void
test_nobody_else_can_read(void **dir)
{
    static const char *const files[] = {"state.db", "state.db.1", "state.lock",
                                        "state.db-journal"};
    char *inner = xasprintf("%s/inner", (const char *) *dir);
    mode_t umask_before = umask(0);
    struct store *store = open_good(inner);
    struct stat st;

    put(store, STORE_ROUTE, "r", "{}");
    assert_int_equal(stat(inner, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = xasprintf("%s/%s", inner, files[i]);

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        free(path);
    }
    store_close(store);
    umask(umask_before);
    free(inner);
}

static void
test_in_memory(void **dir)
{
    struct store *store = open_good("");

    (void) dir;
    put(store, STORE_ROUTE, "r", "{}");
    assert_rows(store, STORE_ROUTE, "r={}; ");
    store_close(store);
    store = open_good("");
    assert_rows(store, STORE_ROUTE, "");
    store_close(store);
}

static void
test_second_opener(void **dir)
{
    struct store *store = open_good(*dir);
    char error[STORE_ERROR_SIZE], *expected;

    assert_null(store_open(*dir, error));
    expected = xasprintf("%s is in use by another ofmcastd, process %d",
                         (const char *) *dir, (int) getpid());
    assert_string_equal(error, expected);
    free(expected);
    put(store, STORE_ROUTE, "r", "{}");
    store_close(store);
    store = open_good(*dir);
    assert_rows(store, STORE_ROUTE, "r={}; ");
    store_close(store);
}

/* Another program, such as a person's sqlite3. */
static void
test_foreign_program(void **dir)
{
    char error[STORE_ERROR_SIZE];

    store_close(open_good(*dir));

    struct sqlite3 *db = open_sql(*dir, "BEGIN EXCLUSIVE");
    assert_null(store_open(*dir, error));
    assert_non_null(strstr(error, "in use by another program"));
    close_sql(db);
    store_close(open_good(*dir));
}

static void
test_bad_places(void **dir)
{
    char error[STORE_ERROR_SIZE];
    char *file = xasprintf("%s/file", (const char *) *dir);
    char *below = xasprintf("%s/below", file);
    char *deep = xasprintf("%s/none/deep", (const char *) *dir);

    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_null(store_open(file, error));
    assert_non_null(strstr(error, "Not a directory"));
    assert_null(store_open(below, error));
    assert_non_null(strstr(error, "Not a directory"));
    assert_null(store_open(deep, error));
    assert_non_null(strstr(error, "No such file"));
    assert_null(store_open("/proc/self", error));
    assert_string_not_equal(error, "");
    free(deep);
    free(below);
    free(file);
}

/* As an ordinary user, since root may write anywhere. */
static int
open_as_nobody(void *dir)
{
    char error[STORE_ERROR_SIZE];

    if (!getuid() && (setgid(65534) || setuid(65534))) {
        return 2;
    }

    struct store *store = store_open(dir, error);
    return !store && strstr(error, "Permission denied") ? 0 : 1;
}

static void
test_read_only_dir(void **dir)
{
    store_close(open_good(*dir));
    assert_int_equal(chmod(*dir, 0555), 0);
    assert_int_equal(in_child(open_as_nobody, *dir), 0);
    assert_int_equal(chmod(*dir, 0700), 0);
    store_close(open_good(*dir));
}

static void
test_newer_version(void **dir)
{
    struct store *store = open_good(*dir);
    char error[STORE_ERROR_SIZE];
    size_t size, size_after;

    put(store, STORE_ROUTE, "r", "{}");
    store_close(store);
    close_sql(open_sql(*dir, "DROP TABLE row; CREATE TABLE other(x);"
                             "PRAGMA user_version=2"));

    char *before = read_state(*dir, "state.db", &size);
    char *generation = read_state(*dir, "state.db.1", NULL);
    assert_null(store_open(*dir, error));
    assert_non_null(strstr(error, "newer ofmcastd (version 2, "));

    char *after = read_state(*dir, "state.db", &size_after);
    char *generation_after = read_state(*dir, "state.db.1", NULL);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    assert_string_equal(generation, generation_after);
    free(before);
    free(after);
    free(generation);
    free(generation_after);
}

/* A generation of a newer version must not be taken for ours, nor lost. */
static void
test_newer_generation(void **dir)
{
    char error[STORE_ERROR_SIZE];

    store_close(open_good(*dir));
    close_sql(open_sql(*dir, "DROP TABLE row; CREATE TABLE other(x);"
                             "PRAGMA user_version=2"));
    rename_state(*dir, "state.db", "state.db.1");
    for (int i = 0; i < 2; i++) {
        assert_null(store_open(*dir, error));
        assert_non_null(strstr(error, "cannot be mended"));
    }
}

static void
test_damaged_version_is_not_newer(void **dir)
{
    struct store *store = open_good(*dir);

    put(store, STORE_ROUTE, "r", "{}");
    store_close(store);
    close_sql(open_sql(*dir, "PRAGMA user_version=65537"));
    store = open_damaged(*dir, "version number is damaged");
    assert_rows(store, STORE_ROUTE, "r={}; ");
    store_close(store);
    store_close(open_good(*dir));
}

static void
test_too_big(void **dir)
{
    struct store *store = open_good(*dir);
    size_t size = 17 << 20;
    char *big = xmalloc(size);

    memset(big, 'x', size);
    big[size - 1] = '\0';
    put(store, STORE_ROUTE, "r", "{}");

    const struct store_row row = {.name = "r", .json = big};
    assert_int_equal(store_put(store, STORE_ROUTE, &row), EFBIG);
    assert_string_equal(store_error(store),
                        "cannot store \"r\": File too large");
    assert_rows(store, STORE_ROUTE, "r={}; ");
    put(store, STORE_ROUTE, "r", "{\"a\":1}");
    assert_string_equal(store_error(store), "");
    store_close(store);
    free(big);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_temporary_dir(test_rows),
        in_temporary_dir(test_flags),
        in_temporary_dir(test_rows_outlive_the_store),
        in_temporary_dir(test_nobody_else_can_read),
        in_temporary_dir(test_in_memory),
        in_temporary_dir(test_second_opener),
        in_temporary_dir(test_foreign_program),
        in_temporary_dir(test_bad_places),
        in_temporary_dir(test_read_only_dir),
        in_temporary_dir(test_newer_version),
        in_temporary_dir(test_newer_generation),
        in_temporary_dir(test_damaged_version_is_not_newer),
        in_temporary_dir(test_too_big),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
