/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_STORE_H
#define CONTROLLER_STORE_H 1

/* What must survive: routes, flows and static groups, static members, and the
 * sources that pools have given, in state_dir/state.db (SQLite,
 * synchronous=FULL).  When store_put() returns 0 the write is on disk.
 *
 * Each row carries a checksum.  A damaged row or file is reported and the last
 * good generation (state.db.1, written after each successful open and on
 * close) is used for it; a database of a newer version is refused.  One
 * process at a time: a second one is refused with a message that says who
 * holds it.
 *
 * Ownership: strings given are copied; strings given to callbacks live for the
 * call. */

#include <stdbool.h>
#include <stddef.h>

struct store;

enum store_kind {
    STORE_ROUTE,
    STORE_FLOW,
    STORE_MEMBER,
    STORE_N_KINDS,   /* Of rules. */
    STORE_POOL = 100 /* Sources given to ports, by prefix. */
};

enum { STORE_VERSION = 1, STORE_ERROR_SIZE = 256 };

/* NULL with 'error' filled in.  'path' "" keeps everything in memory. */
struct store *store_open(const char *dir, char error[STORE_ERROR_SIZE]);
void store_close(struct store *);
/* What was wrong with the files on open and how it was mended; "" if all was
 * well. */
const char *store_notice(const struct store *);

/* 'json' is the body, 'applied' whether a switch has confirmed it once, 'gone'
 * marks one that is deleted but not yet off its switch. */
struct store_row {
    const char *name;
    const char *json;
    bool applied;
    bool gone;
};

/* 0 or an errno (ENOSPC, EIO...): then the old state is kept. */
int store_put(struct store *, enum store_kind, const struct store_row *);
int store_delete(struct store *, enum store_kind, const char *name);
typedef void store_row_cb(void *aux, const struct store_row *);
/* In order of name.  The callback must not change the store. */
int store_each(struct store *, enum store_kind, store_row_cb *, void *aux);
/* The text of the last error, for a person. */
const char *store_error(const struct store *);

#endif
