/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STORE_HELPER_H
#define TESTS_UNIT_STORE_HELPER_H 1

/* What the tests of the store share.  Every test runs in a folder of its own,
 * which is its '*state'. */

#include <stddef.h>

#include "controller/store.h"

#define in_temporary_dir(TEST)                                                \
    cmocka_unit_test_setup_teardown(TEST, make_dir, remove_dir)

int make_dir(void **dir);
int remove_dir(void **dir);

/* Fails the test if the store does not open, or has something to report. */
struct store *open_good(const char *dir);
/* Fails the test unless the store opens and reports 'notice'. */
struct store *open_damaged(const char *dir, const char *notice);
void put(struct store *, enum store_kind, const char *name, const char *json);
/* All rows as "NAME=JSON[ applied][ gone]; ..."; release with free(). */
char *rows(struct store *, enum store_kind);
void assert_rows(struct store *, enum store_kind, const char *expected);

/* Files in 'dir', read and written whole. */
char *read_state(const char *dir, const char *file, size_t *size);
void write_state(const char *dir, const char *file, const char *, size_t);
void rename_state(const char *dir, const char *from, const char *to);

/* state.db, opened behind the store's back. */
struct sqlite3 *open_sql(const char *dir, const char *sql);
void close_sql(struct sqlite3 *);

/* The exit status of a child that runs 'function', 128 + signal if killed. */
int in_child(int (*function)(void *aux), void *aux);

#endif
