/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/store-repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/store-db.h"
#include "lib/xalloc.h"

bool
store_has_generation(const char *dir)
{
    char *path = xasprintf("%s/state.db.1", dir);
    bool exists = *dir && !access(path, F_OK);

    free(path);
    return exists;
}

/* Renames 'from' to 'to', durably. */
static int
replace(const char *dir, const char *from, const char *to)
{
    if (rename(from, to)) {
        return errno;
    }
    return store_db_sync(dir);
}

int
store_save_generation(const char *dir, struct sqlite3 *db)
{
    char *new = xasprintf("%s/state.db.1.new", dir);
    char *path = xasprintf("%s/state.db.1", dir);
    int error = store_db_copy(db, new);

    if (!error) {
        error = replace(dir, new, path);
    } else {
        unlink(new);
    }
    free(new);
    free(path);
    return error;
}

/* Rows on their way into the mended file. */
struct copying {
    struct sqlite3 *to;
    int n_copied;   /* Good rows that were not there already. */
    char lost[160]; /* Names of bad rows, as far as they fit. */
    int error;
};

static void
note_found(void *found, const struct store_db_row *row)
{
    (void) row;
    *(bool *) found = true;
}

static bool
has_row(struct sqlite3 *db, const struct store_db_row *row)
{
    bool found = false;

    store_db_get(db, row->kind, row->name, note_found, &found);
    return found;
}

static void
copy_row(void *copying_, const struct store_db_row *row)
{
    struct copying *copying = copying_;

    if (row->good && !copying->error && !has_row(copying->to, row)) {
        copying->error = store_db_put(copying->to, row);
        copying->n_copied += row->kind >= 0;
    }
}

/* From both ends, as a damaged page stops a walk. */
static void
copy_rows(struct copying *copying, struct sqlite3 *from)
{
    store_db_each(from, -1, false, copy_row, copying);
    store_db_each(from, -1, true, copy_row, copying);
}

/* Names a bad row that no good one replaces. */
static void
note_lost(void *copying_, const struct store_db_row *row)
{
    struct copying *copying = copying_;
    size_t at = strlen(copying->lost);

    if (!row->good && !has_row(copying->to, row)) {
        snprintf(copying->lost + at, sizeof copying->lost - at, "%s\"%.64s\"",
                 at ? ", " : "; lost: ", row->name);
    }
}

/* Fills 'to' and describes it. */
static int
fill(const char *dir, struct sqlite3 *to, struct sqlite3 *damaged,
     const char *why, char **notice)
{
    char *path = xasprintf("%s/state.db.1", dir);
    struct copying copying = {.to = to};
    char ignored[STORE_DB_WHY_SIZE];
    struct sqlite3 *generation;

    copy_rows(&copying, damaged);

    int n_kept = copying.n_copied;
    int missing = store_db_open(path, false, &generation);
    if (!missing) {
        if (store_db_check(generation, ignored) == STORE_DB_NEWER) {
            copying.error = ENOTSUP;
        }
        copy_rows(&copying, generation);
    }
    store_db_each(damaged, -1, false, note_lost, &copying);
    store_db_close(generation);
    free(*notice);
    *notice = xasprintf(
        "%s/state.db was damaged (%s): %d entries of it are good, %d were "
        "taken from the last good generation%s%s%s; the damaged file is kept "
        "as state.db.damaged",
        dir, why, n_kept, copying.n_copied - n_kept, missing ? " (" : "",
        missing ? strerror(missing) : "", missing ? ")" : "");
    if (*copying.lost) {
        char *longer = xasprintf("%s%s", *notice, copying.lost);

        free(*notice);
        *notice = longer;
    }
    free(path);
    return copying.error;
}

/* Puts 'new' into the place of 'path', of which 'old' remains. */
static int
swap(const char *dir, const char *new, const char *path, const char *old)
{
    static const char *const companions[] = {"-journal", "-wal", "-shm"};

    unlink(old);
    if (link(path, old) && errno != ENOENT) {
        return errno;
    }
    /* A journal of the damaged file must not be played back into the new one:
     * SQLite cannot tell them apart. */
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++) {
        char *companion = xasprintf("%s%s", path, companions[i]);

        unlink(companion);
        free(companion);
    }
    return replace(dir, new, path);
}

int
store_repair(const char *dir, struct sqlite3 *damaged, const char *why,
             char **notice)
{
    char *new = xasprintf("%s/state.db.new", dir);
    char *path = xasprintf("%s/state.db", dir);
    char *old = xasprintf("%s/state.db.damaged", dir);
    struct sqlite3 *to;

    unlink(new);

    int error = store_db_open(new, true, &to);
    if (!error) {
        error = store_db_prepare(to);
    }
    if (!error) {
        error = fill(dir, to, damaged, why, notice);
    }
    store_db_close(to);
    if (!error) {
        error = store_db_sync(new);
    }
    if (!error) {
        error = swap(dir, new, path, old);
    }
    free(new);
    free(path);
    free(old);
    return error;
}
