/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/store-db.h"
#include "controller/store-repair.h"
#include "lib/xalloc.h"

enum { FLAG_APPLIED = 1, FLAG_GONE = 2 };

/* How a row was before a write that failed. */
struct undo {
    bool pending;
    int kind;
    char *name;
    char *json; /* NULL: there was none. */
    int flags;
};

struct store {
    struct sqlite3 *db;
    char *dir; /* "" = in memory. */
    int lock_fd;
    bool changed; /* Since the last good generation was written. */
    struct undo undo;
    char *notice;
    char error[STORE_ERROR_SIZE];
};

/* Files. */
static void __attribute__((format(printf, 2, 3)))
say(char error[STORE_ERROR_SIZE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, STORE_ERROR_SIZE, format, args);
    va_end(args);
}

/* Who holds the lock wrote its process id into it; "?" if that is no more. */
static void
read_holder(int fd, char holder[16])
{
    ssize_t n = pread(fd, holder, 15, 0);

    holder[n > 0 ? n : 0] = '\0';
    holder[strspn(holder, "0123456789")] = '\0';
    if (!*holder) {
        strcpy(holder, "?");
    }
}

/* The kernel drops the lock when its holder dies, however it dies. */
static bool
lock_dir(struct store *store, char error[STORE_ERROR_SIZE])
{
    char *path = xasprintf("%s/state.lock", store->dir), holder[16];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        say(error, "%s: cannot write there: %s", store->dir, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB)) {
        read_holder(fd, holder);
        say(error, "%s is in use by another ofmcastd, process %s", store->dir,
            holder);
        close(fd);
        fd = -1;
    } else {
        int n = snprintf(holder, sizeof holder, "%d\n", (int) getpid());

        /* It is for people only: a full disk may leave it empty. */
        if (ftruncate(fd, 0) || pwrite(fd, holder, n, 0) != n) {
            errno = 0;
        }
    }
    free(path);
    store->lock_fd = fd;
    return fd >= 0;
}

static bool
open_dir(struct store *store, char error[STORE_ERROR_SIZE])
{
    if (mkdir(store->dir, 0700) && errno != EEXIST) {
        say(error, "%s: cannot create it: %s", store->dir, strerror(errno));
        return false;
    }
    return lock_dir(store, error);
}

/* Opens state.db as it is, looks into it, and says how it is. */
static enum store_db_state
look(struct store *store, const char *path, char why[STORE_DB_WHY_SIZE],
     char error[STORE_ERROR_SIZE])
{
    int problem = store_db_open(path, true, &store->db);

    if (problem) {
        say(error, "%s: %s", path, strerror(problem));
        return STORE_DB_BUSY;
    }

    enum store_db_state state = store_db_check(store->db, why);
    if (state == STORE_DB_BUSY) {
        say(error, "%s is in use by another program", path);
    } else if (state == STORE_DB_NEWER) {
        say(error,
            "%s was written by a newer ofmcastd (%s, this one knows up to %d);"
            " it was left as it is",
            path, why, STORE_VERSION);
    } else if (state == STORE_DB_EMPTY && store_has_generation(store->dir)) {
        snprintf(why, STORE_DB_WHY_SIZE, "it is missing or empty");
        state = STORE_DB_DAMAGED;
    }
    return state;
}

static bool
open_db(struct store *store, char error[STORE_ERROR_SIZE])
{
    char *path =
        *store->dir ? xasprintf("%s/state.db", store->dir) : xstrdup("");
    char why[STORE_DB_WHY_SIZE];
    enum store_db_state state = look(store, path, why, error);

    if (state == STORE_DB_DAMAGED) {
        int problem = store_repair(store->dir, store->db, why, &store->notice);

        store_db_close(store->db);
        store->db = NULL;
        if (problem) {
            say(error, "%s is damaged (%s) and cannot be mended: %s", path,
                why, strerror(problem));
        } else {
            state = look(store, path, why, error);
            if (state == STORE_DB_DAMAGED) {
                say(error, "%s is damaged (%s)", path, why);
            }
        }
    }

    bool good = state == STORE_DB_GOOD || state == STORE_DB_EMPTY;
    if (good) {
        int problem = store_db_prepare(store->db);

        if (problem) {
            say(error, "%s: %s", path, strerror(problem));
            good = false;
        }
    }
    free(path);
    return good;
}

static void
save_generation(struct store *store)
{
    int problem = store_save_generation(store->dir, store->db);

    store->changed = problem != 0;
    if (problem && !*store->notice) {
        free(store->notice);
        store->notice = xasprintf("%s/state.db.1, the last good generation, "
                                  "could not be written: %s",
                                  store->dir, strerror(problem));
    }
}

const char *
store_notice(const struct store *store)
{
    return store->notice;
}

const char *
store_error(const struct store *store)
{
    return store->error;
}

/* Writing.
 *
 * SQLite may fail a write after its point of no return: with the last sync of
 * the journal.  Then the new row is there.  As the caller is told that it is
 * not, the old one is put back, if need be before the next access. */
static void
keep_old(void *undo_, const struct store_db_row *row)
{
    struct undo *undo = undo_;

    undo->json = xstrdup(row->json);
    undo->flags = row->flags;
}

static void
drop_undo(struct store *store)
{
    free(store->undo.name);
    free(store->undo.json);
    store->undo = (struct undo){.pending = false};
}

struct comparison {
    const struct undo *undo;
    bool present, equal;
};

static void
compare(void *comparison_, const struct store_db_row *row)
{
    struct comparison *comparison = comparison_;
    const struct undo *undo = comparison->undo;

    comparison->present = true;
    comparison->equal = undo->json && !strcmp(row->json, undo->json)
                        && row->flags == undo->flags;
}

static int
settle(struct store *store)
{
    const struct undo *undo = &store->undo;
    struct comparison found = {.undo = undo};
    int problem = 0;

    if (!undo->pending) {
        return 0;
    }
    problem = store_db_get(store->db, undo->kind, undo->name, compare, &found);
    if (!problem && undo->json && !found.equal) {
        const struct store_db_row row = {.kind = undo->kind,
                                         .name = undo->name,
                                         .json = undo->json,
                                         .flags = undo->flags};

        problem = store_db_put(store->db, &row);
    } else if (!problem && !undo->json && found.present) {
        problem = store_db_delete(store->db, undo->kind, undo->name);
    }
    if (!problem) {
        drop_undo(store);
    }
    return problem;
}

/* Puts 'row', or deletes it if its json is NULL. */
static int
write_row(struct store *store, const struct store_db_row *row)
{
    int problem = settle(store);

    if (!problem) {
        struct undo *undo = &store->undo;

        undo->kind = row->kind;
        undo->name = xstrdup(row->name);
        problem =
            store_db_get(store->db, row->kind, row->name, keep_old, undo);
        if (!problem) {
            problem = row->json
                          ? store_db_put(store->db, row)
                          : store_db_delete(store->db, row->kind, row->name);
            undo->pending = problem != 0;
        }
        if (undo->pending) {
            settle(store);
        } else {
            drop_undo(store);
        }
    }
    if (problem) {
        say(store->error, "cannot %s \"%s\": %s",
            row->json ? "store" : "delete", row->name, strerror(problem));
    } else {
        store->changed = true;
        store->error[0] = '\0';
    }
    return problem;
}

int
store_put(struct store *store, enum store_kind kind,
          const struct store_row *row)
{
    const struct store_db_row db_row = {.kind = kind,
                                        .name = row->name,
                                        .json = row->json,
                                        .flags =
                                            (row->applied ? FLAG_APPLIED : 0)
                                            | (row->gone ? FLAG_GONE : 0)};

    return write_row(store, &db_row);
}

int
store_delete(struct store *store, enum store_kind kind, const char *name)
{
    const struct store_db_row db_row = {.kind = kind, .name = name};

    return write_row(store, &db_row);
}

/* Reading. */
struct each {
    store_row_cb *cb;
    void *aux;
    int n_bad;
};

static void
pass_row(void *each_, const struct store_db_row *db_row)
{
    struct each *each = each_;
    const struct store_row row = {.name = db_row->name,
                                  .json = db_row->json,
                                  .applied = db_row->flags & FLAG_APPLIED,
                                  .gone = db_row->flags & FLAG_GONE};

    if (db_row->good) {
        each->cb(each->aux, &row);
    } else {
        each->n_bad++;
    }
}

int
store_each(struct store *store, enum store_kind kind, store_row_cb *cb,
           void *aux)
{
    struct each each = {.cb = cb, .aux = aux};
    int problem = settle(store);

    if (!problem) {
        problem = store_db_each(store->db, kind, false, pass_row, &each);
    }
    /* Damage that came since the file was opened. */
    if (!problem && each.n_bad) {
        problem = EIO;
    }
    if (problem) {
        say(store->error, "cannot read %s/state.db: %s", store->dir,
            strerror(problem));
    }
    return problem;
}

/* Opening and closing. */
void
store_close(struct store *store)
{
    if (!store) {
        return;
    }
    if (store->db) {
        settle(store);
        drop_undo(store);
    }
    if (store->changed && *store->dir) {
        save_generation(store);
    }
    store_db_close(store->db);
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    free(store->dir);
    free(store->notice);
    free(store);
}

struct store *
store_open(const char *dir, char error[STORE_ERROR_SIZE])
{
    struct store *store = xcalloc(1, sizeof *store);

    error[0] = '\0';
    store->dir = xstrdup(dir);
    store->notice = xstrdup("");
    store->lock_fd = -1;
    if ((*dir && !open_dir(store, error)) || !open_db(store, error)) {
        store_close(store);
        return NULL;
    }
    if (*dir) {
        save_generation(store);
    }
    return store;
}
