/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_STORE_DB_H
#define CONTROLLER_STORE_DB_H 1

/* One database file of the store: its layout, its rows, its checks.
 *
 * Every row carries a CRC over all of itself, since SQLite notices damage to
 * the structure of a file but not to what is in it.  The version stands
 * twice, in the file's header and in a row of its own, so that damage to the
 * header is told from a file of a newer program.
 *
 * The journal is a rollback journal (PERSIST), not a write-ahead log: a log
 * takes half of the time, but every accepted write behind one bad frame of it
 * is gone without a trace, where damage to a database file is seen.  PERSIST,
 * as the file system has no change of the journal's size to write, and as the
 * mark at the journal's beginning that it has ended is synced, so that a power
 * failure cannot bring it back.
 *
 * Results are 0 or an errno. */

#include <stdbool.h>
#include <stddef.h>

struct sqlite3;

enum { STORE_DB_WHY_SIZE = 160 };

struct store_db_row {
    int kind;
    const char *name;
    const char *json;
    int flags;
    bool good; /* Its CRC is right. */
};

enum store_db_state {
    STORE_DB_GOOD,
    STORE_DB_EMPTY, /* A new file: nothing in it yet. */
    STORE_DB_DAMAGED,
    STORE_DB_NEWER, /* Of a later version of this program. */
    STORE_DB_BUSY   /* Another process has it open. */
};

/* Opens without looking inside; creates the file (mode 0600) if 'create'. ""
 * is in memory.  '*db' is NULL on failure. */
int store_db_open(const char *path, bool create, struct sqlite3 **db);
void store_db_close(struct sqlite3 *); /* NULL is fine. */

/* Takes the file's lock and looks at everything in it.  Says in 'why' what is
 * wrong. */
enum store_db_state store_db_check(struct sqlite3 *,
                                   char why[STORE_DB_WHY_SIZE]);
/* Makes writes durable before they return, and lays out an empty file. */
int store_db_prepare(struct sqlite3 *);

int store_db_put(struct sqlite3 *, const struct store_db_row *);
int store_db_delete(struct sqlite3 *, int kind, const char *name);

typedef void store_db_row_cb(void *aux, const struct store_db_row *);
/* Calls back once if there is such a row. */
int store_db_get(struct sqlite3 *, int kind, const char *name,
                 store_db_row_cb *, void *aux);
/* All rows of 'kind' in order of name, or of every kind if it is negative;
 * from the last to the first if 'backward'.  Stops at the first error. */
int store_db_each(struct sqlite3 *, int kind, bool backward, store_db_row_cb *,
                  void *aux);

/* Writes a whole, synced copy to 'path', mode 0600. */
int store_db_copy(struct sqlite3 *, const char *path);
/* Syncs the file or folder 'path'. */
int store_db_sync(const char *path);

#endif
