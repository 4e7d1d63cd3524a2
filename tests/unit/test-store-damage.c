/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The store with files that are cut, flipped, missing or foreign: it must
 * open, say what was wrong, and have every row that any good copy has. */

#include "controller/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/store-helper.h"

enum { N_ROWS = 40 };

/* Thousands of files are opened here, and none must survive a power failure:
 * these come before the C library's. */
int
fsync(int fd)
{
    (void) fd;
    return 0;
}

int
fdatasync(int fd)
{
    (void) fd;
    return 0;
}

/* A store of a few pages, closed, so that its last generation is whole, and
 * what is in it. */
struct sample {
    const char *dir;
    char *file; /* state.db */
    size_t size;
    char *generation;
    size_t generation_size;
    char *routes, *flows;
};

static void
make_sample(const char *dir, struct sample *sample)
{
    struct store *store = open_good(dir);
    char name[32], json[400];

    for (int i = 0; i < N_ROWS; i++) {
        snprintf(name, sizeof name, "row-%d", i);
        snprintf(json, sizeof json, "{\"n\":%d,\"text\":\"%0*d\"}", i,
                 50 + i * 7, i);
        put(store, i % 3 ? STORE_ROUTE : STORE_FLOW, name, json);
    }
    sample->dir = dir;
    sample->routes = rows(store, STORE_ROUTE);
    sample->flows = rows(store, STORE_FLOW);
    store_close(store);
    sample->file = read_state(dir, "state.db", &sample->size);
    sample->generation =
        read_state(dir, "state.db.1", &sample->generation_size);
}

static void
free_sample(struct sample *sample)
{
    free(sample->file);
    free(sample->generation);
    free(sample->routes);
    free(sample->flows);
}

/* Puts back a good generation and the given state.db. */
static void
place(const struct sample *sample, const char *file, size_t size)
{
    write_state(sample->dir, "state.db", file, size);
    write_state(sample->dir, "state.db.1", sample->generation,
                sample->generation_size);
}

/* The store opens with every row, takes a write, and is well from then on.
 * Returns whether it had something to report. */
static bool
assert_mended(const struct sample *sample)
{
    char error[STORE_ERROR_SIZE];
    struct store *store = store_open(sample->dir, error);

    if (!store) {
        fail_msg("%s", error);
    }

    bool reported = *store_notice(store);
    assert_rows(store, STORE_ROUTE, sample->routes);
    assert_rows(store, STORE_FLOW, sample->flows);
    put(store, STORE_MEMBER, "new", "{}");
    store_close(store);

    store = open_good(sample->dir);
    assert_rows(store, STORE_ROUTE, sample->routes);
    assert_rows(store, STORE_FLOW, sample->flows);
    assert_rows(store, STORE_MEMBER, "new={}; ");
    store_close(store);
    return reported;
}

static void
test_truncated(void **dir)
{
    struct sample sample;

    make_sample(*dir, &sample);
    assert_true(sample.size > 3 * 4096);
    for (size_t size = 0; size < sample.size;
         size += size < 120 || size % 4096 > 4090 ? 1 : 131) {
        place(&sample, sample.file, size);
        if (!assert_mended(&sample)) {
            fail_msg("cut to %zu bytes, and nothing was said", size);
        }
    }
    free_sample(&sample);
}

static void
flip(const struct sample *sample, size_t byte, int bit, size_t *n_reported)
{
    char *file = xmemdup(sample->file, sample->size);

    file[byte] ^= 1 << bit;
    place(sample, file, sample->size);
    *n_reported += assert_mended(sample);
    free(file);
}

/* Not each flip is damage: a page has unused room, the header has reserved
 * bytes and counters.  But if few are reported, nothing looks. */
static void
test_flipped_header(void **dir)
{
    size_t n_reported = 0;
    struct sample sample;

    make_sample(*dir, &sample);
    for (size_t byte = 0; byte < 112; byte++) {
        for (int bit = 0; bit < 8; bit += 3) {
            flip(&sample, byte, bit, &n_reported);
        }
    }
    print_message("%zu of 336 reported\n", n_reported);
    assert_true(n_reported > 100);
    free_sample(&sample);
}

static void
test_flipped_bits(void **dir)
{
    unsigned int seed = 20240608;
    size_t n_reported = 0;
    struct sample sample;

    make_sample(*dir, &sample);
    print_message("seed %u\n", seed);
    for (int i = 0; i < 400; i++) {
        flip(&sample, rand_r(&seed) % sample.size, rand_r(&seed) % 8,
             &n_reported);
    }
    print_message("%zu of 400 reported\n", n_reported);
    assert_true(n_reported > 100);
    free_sample(&sample);
}

/* A flip inside a row's text leaves a file that SQLite finds in order. */
static void
test_flipped_text(void **dir)
{
    struct sample sample;

    make_sample(*dir, &sample);

    char *file = xmemdup(sample.file, sample.size);
    char *at = memmem(file, sample.size, "{\"n\":7,", 7);
    assert_non_null(at);
    at[5] ^= 1;
    place(&sample, file, sample.size);

    struct store *store = open_damaged(*dir, "1 of its rows are damaged");
    assert_non_null(strstr(store_notice(store), "39 entries"));
    assert_non_null(strstr(store_notice(store), " 1 were taken from"));
    assert_null(strstr(store_notice(store), "lost"));
    store_close(store);
    place(&sample, file, sample.size);
    assert_true(assert_mended(&sample));

    /* The damaged file is kept for those who want to look. */
    size_t size;
    char *kept = read_state(*dir, "state.db.damaged", &size);
    assert_int_equal(size, sample.size);
    assert_memory_equal(kept, file, size);
    free(kept);
    free(file);
    free_sample(&sample);
}

static void
test_missing_file(void **dir)
{
    struct sample sample;

    make_sample(*dir, &sample);
    rename_state(*dir, "state.db", "moved-away");
    assert_true(assert_mended(&sample));
    free_sample(&sample);
}

static void
test_foreign_file(void **dir)
{
    static const char text[] = "This is no database, just some text that is "
                               "longer than the first header of one would be.";
    struct sample sample;

    make_sample(*dir, &sample);
    place(&sample, text, sizeof text);
    assert_true(assert_mended(&sample));

    /* A database, but not ours. */
    place(&sample, "", 0);
    close_sql(open_sql(*dir, "CREATE TABLE row(kind, name)"));
    assert_true(assert_mended(&sample));
    free_sample(&sample);
}

/* A bad generation beside a good file is replaced without a word. */
static void
test_damaged_generation(void **dir)
{
    struct sample sample;

    make_sample(*dir, &sample);
    write_state(*dir, "state.db.1", "rubbish", 7);
    assert_false(assert_mended(&sample));
    place(&sample, sample.file, 5000);
    assert_true(assert_mended(&sample));
    free_sample(&sample);
}

/* Writes after the store was opened are not in the last generation.  As long
 * as their rows can be read, they are not lost with another one's damage. */
static int
write_and_die(void *dir)
{
    struct store *store = open_good(dir);

    put(store, STORE_ROUTE, "row-1", "newer");
    put(store, STORE_ROUTE, "young", "young too");
    put(store, STORE_ROUTE, "younger", "will be damaged");
    return 0; /* Without closing. */
}

static void
test_rows_newer_than_the_generation(void **dir)
{
    struct sample sample;
    size_t size;

    make_sample(*dir, &sample);
    assert_int_equal(in_child(write_and_die, *dir), 0);

    char *file = read_state(*dir, "state.db", &size);
    for (int i = 0; i < 2; i++) {
        char *at = memmem(file, size, i ? "{\"n\":7," : "will be damaged", 7);
        assert_non_null(at);
        at[5] ^= 1;
    }
    write_state(*dir, "state.db", file, size);

    struct store *store = open_damaged(*dir, "2 of its rows are damaged");
    assert_non_null(strstr(store_notice(store), "; lost: \"younger\""));

    char *routes = rows(store, STORE_ROUTE);
    assert_non_null(strstr(routes, "row-1=newer; "));
    assert_non_null(strstr(routes, "row-7={\"n\":7,"));
    assert_non_null(strstr(routes, "young=young too; "));
    assert_null(strstr(routes, "younger"));
    free(routes);
    store_close(store);
    store_close(open_good(*dir));
    free(file);
    free_sample(&sample);
}

/* Nothing is left to read: the store is empty, and says so. */
static void
test_both_damaged(void **dir)
{
    struct sample sample;

    make_sample(*dir, &sample);
    write_state(*dir, "state.db", "rubbish", 7);
    write_state(*dir, "state.db.1", "rubbish", 7);

    struct store *store = open_damaged(*dir, "0 entries of it are good, 0 ");
    assert_rows(store, STORE_ROUTE, "");
    put(store, STORE_ROUTE, "a", "{}");
    store_close(store);
    store = open_good(*dir);
    assert_rows(store, STORE_ROUTE, "a={}; ");
    store_close(store);
    free_sample(&sample);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_temporary_dir(test_truncated),
        in_temporary_dir(test_flipped_header),
        in_temporary_dir(test_flipped_bits),
        in_temporary_dir(test_flipped_text),
        in_temporary_dir(test_missing_file),
        in_temporary_dir(test_foreign_file),
        in_temporary_dir(test_damaged_generation),
        in_temporary_dir(test_rows_newer_than_the_generation),
        in_temporary_dir(test_both_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
