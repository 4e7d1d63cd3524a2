/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/store-helper.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/xalloc.h"

int
make_dir(void **dir)
{
    const char *base = getenv("TMPDIR");

    *dir = xasprintf("%s/ofmcast-store-XXXXXX", base ? base : "/tmp");
    return mkdtemp(*dir) ? 0 : -1;
}

static void
remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) {
            char *child = xasprintf("%s/%s", path, entry->d_name);

            if (unlink(child)) {
                remove_tree(child);
            }
            free(child);
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

int
remove_dir(void **dir)
{
    remove_tree(*dir);
    free(*dir);
    return 0;
}

struct store *
open_good(const char *dir)
{
    char error[STORE_ERROR_SIZE];
    struct store *store = store_open(dir, error);

    if (!store) {
        fail_msg("%s: %s", dir, error);
    }
    assert_string_equal(store_notice(store), "");
    return store;
}

struct store *
open_damaged(const char *dir, const char *notice)
{
    char error[STORE_ERROR_SIZE];
    struct store *store = store_open(dir, error);

    if (!store) {
        fail_msg("%s: %s", dir, error);
    }
    if (!strstr(store_notice(store), notice)) {
        fail_msg("expected \"%s\" in \"%s\"", notice, store_notice(store));
    }
    return store;
}

void
put(struct store *store, enum store_kind kind, const char *name,
    const char *json)
{
    const struct store_row row = {.name = name, .json = json};

    assert_int_equal(store_put(store, kind, &row), 0);
}

static void
append_row(void *text_, const struct store_row *row)
{
    char **text = text_;
    char *longer =
        xasprintf("%s%s=%s%s%s; ", *text, row->name, row->json,
                  row->applied ? " applied" : "", row->gone ? " gone" : "");

    free(*text);
    *text = longer;
}

char *
rows(struct store *store, enum store_kind kind)
{
    char *text = xstrdup("");

    assert_int_equal(store_each(store, kind, append_row, &text), 0);
    return text;
}

void
assert_rows(struct store *store, enum store_kind kind, const char *expected)
{
    char *actual = rows(store, kind);

    assert_string_equal(actual, expected);
    free(actual);
}

/* Files. */
static FILE *
open_state(const char *dir, const char *file, const char *mode)
{
    char *path = xasprintf("%s/%s", dir, file);
    FILE *stream = fopen(path, mode);

    assert_non_null(stream);
    free(path);
    return stream;
}

char *
read_state(const char *dir, const char *file, size_t *size)
{
    FILE *stream = open_state(dir, file, "rb");
    enum { ROOM = 1 << 20 };
    char *data = xcalloc(1, ROOM);
    size_t n = fread(data, 1, ROOM - 1, stream);

    assert_true(n < ROOM - 1);
    fclose(stream);
    if (size) {
        *size = n;
    }
    return data;
}

void
write_state(const char *dir, const char *file, const char *data, size_t size)
{
    FILE *stream = open_state(dir, file, "wb");

    assert_int_equal(fwrite(data, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

void
rename_state(const char *dir, const char *from, const char *to)
{
    char *a = xasprintf("%s/%s", dir, from), *b = xasprintf("%s/%s", dir, to);

    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

struct sqlite3 *
open_sql(const char *dir, const char *sql)
{
    char *path = xasprintf("%s/state.db", dir);
    struct sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    free(path);
    return db;
}

void
close_sql(struct sqlite3 *db)
{
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int
in_child(int (*function)(void *aux), void *aux)
{
    int status;

    fflush(NULL);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        _exit(function(aux));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
