/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/store-db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "controller/store.h"
#include "lib/xalloc.h"

/* The row that says which version wrote the file. */
enum { VERSION_KIND = -1 };

#define VERSION_NAME "version"

/* More than any body that the REST interface takes: a damaged record must not
 * make us allocate what it says. */
enum { MAX_TEXT = 16 << 20 };

/* SQLite keeps the errno of a failed call, but what it does to roll back may
 * overwrite that: only what explains a failed write is believed. */
static int
system_errno(struct sqlite3 *db)
{
    static const int believed[] = {ENOSPC, EDQUOT, EROFS,  EFBIG,
                                   EACCES, EMFILE, ENFILE, ENOMEM};
    int error = db ? sqlite3_system_errno(db) : 0;

    for (size_t i = 0; i < sizeof believed / sizeof *believed; i++) {
        if (error == believed[i]) {
            return error;
        }
    }
    return EIO;
}

static int
to_errno(struct sqlite3 *db, int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_TOOBIG:
        return EFBIG;
    case SQLITE_NOMEM:
        return ENOMEM;
    default:
        return system_errno(db);
    }
}

static int
run(struct sqlite3 *db, const char *sql)
{
    return to_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* CRC-32 (ISO 3309), bit by bit: rows are small and few. */
static uint32_t
crc32_add(uint32_t crc, const void *data_, size_t size)
{
    const uint8_t *data = data_;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static uint32_t
row_crc(const struct store_db_row *row)
{
    char numbers[32];
    int n = snprintf(numbers, sizeof numbers, "%d %d", row->kind, row->flags);
    uint32_t crc = crc32_add(0, numbers, n + 1);

    /* With their NULs, so that no byte can move from one to the other. */
    crc = crc32_add(crc, row->name, strlen(row->name) + 1);
    return crc32_add(crc, row->json, strlen(row->json) + 1);
}

/* Opening. */
int
store_db_open(const char *path, bool create, struct sqlite3 **db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    *db = NULL;
    if (*path) {
        /* SQLite would make it readable to all, and fall back on read-only
         * access where writing is not allowed. */
        int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);

        if (fd < 0) {
            return errno;
        }
        close(fd);
    }

    int error = to_errno(
        NULL, sqlite3_open_v2(*path ? path : ":memory:", db, flags, NULL));
    if (error) {
        store_db_close(*db);
        *db = NULL;
        return error;
    }
    sqlite3_extended_result_codes(*db, 1);
    sqlite3_busy_timeout(*db, 0);
    sqlite3_limit(*db, SQLITE_LIMIT_LENGTH, MAX_TEXT);
    /* The file may be damaged in any way: nothing in it is to be run. */
    sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    run(*db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
             "PRAGMA mmap_size=0; PRAGMA locking_mode=EXCLUSIVE");
    return 0;
}

void
store_db_close(struct sqlite3 *db)
{
    sqlite3_close(db);
}

/* Checking. */
/* The first column of the first row as an integer, -1 if there is none. */
static int
get_int(struct sqlite3 *db, const char *sql)
{
    struct sqlite3_stmt *statement = NULL;
    int value = -1;

    if (!sqlite3_prepare_v2(db, sql, -1, &statement, NULL)
        && sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return value;
}

struct survey {
    int version; /* Of the version row, -1 if it is missing or bad. */
    int n_bad;
    int n_unordered; /* Rows not behind their predecessor. */
    int last_kind;
    char *last_name;
};

static void
survey_row(void *survey_, const struct store_db_row *row)
{
    struct survey *survey = survey_;

    if (!row->good) {
        survey->n_bad++;
    } else if (row->kind == VERSION_KIND && !strcmp(row->name, VERSION_NAME)) {
        survey->version = atoi(row->json);
    }
    if (survey->last_name
        && (row->kind < survey->last_kind
            || (row->kind == survey->last_kind
                && strcmp(row->name, survey->last_name) <= 0))) {
        survey->n_unordered++;
    }
    free(survey->last_name);
    survey->last_name = xstrdup(row->name);
    survey->last_kind = row->kind;
}

static bool
structure_is_good(struct sqlite3 *db, char why[STORE_DB_WHY_SIZE])
{
    struct sqlite3_stmt *statement = NULL;
    const char *text = NULL;

    if (!sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &statement,
                            NULL)
        && sqlite3_step(statement) == SQLITE_ROW) {
        text = (const char *) sqlite3_column_text(statement, 0);
    }
    if (!text) {
        text = sqlite3_errmsg(db);
    }

    bool good = !strcmp(text, "ok");
    if (!good) {
        snprintf(why, STORE_DB_WHY_SIZE, "%.120s", text);
    }
    sqlite3_finalize(statement);
    return good;
}

static enum store_db_state
check_contents(struct sqlite3 *db, char why[STORE_DB_WHY_SIZE])
{
    int version = get_int(db, "PRAGMA user_version");
    int n_tables = get_int(db, "SELECT count(*) FROM sqlite_master");
    struct survey survey = {.version = -1};

    if (!version && !n_tables) {
        return STORE_DB_EMPTY;
    }

    int error = store_db_each(db, -1, false, survey_row, &survey);
    free(survey.last_name);
    if ((survey.version < 0 ? version : survey.version) > STORE_VERSION) {
        snprintf(why, STORE_DB_WHY_SIZE, "version %d",
                 survey.version < 0 ? version : survey.version);
        return STORE_DB_NEWER;
    }
    if (error) {
        snprintf(why, STORE_DB_WHY_SIZE, "%.120s", sqlite3_errmsg(db));
    } else if (version != STORE_VERSION || survey.version != STORE_VERSION) {
        snprintf(why, STORE_DB_WHY_SIZE, "its version number is damaged");
    } else if (survey.n_bad || survey.n_unordered) {
        snprintf(why, STORE_DB_WHY_SIZE, "%d of its rows are damaged",
                 survey.n_bad ? survey.n_bad : survey.n_unordered);
    } else if (sqlite3_db_readonly(db, "main")) {
        snprintf(why, STORE_DB_WHY_SIZE, "its format number is damaged");
    } else if (structure_is_good(db, why)) {
        return STORE_DB_GOOD;
    }
    return STORE_DB_DAMAGED;
}

enum store_db_state
store_db_check(struct sqlite3 *db, char why[STORE_DB_WHY_SIZE])
{
    why[0] = '\0';

    /* This rolls back what a killed process began, and takes the lock, which
     * stays with us in exclusive mode. */
    int error = run(db, "BEGIN EXCLUSIVE; COMMIT");
    if (error == EBUSY) {
        return STORE_DB_BUSY;
    }
    if (error) {
        snprintf(why, STORE_DB_WHY_SIZE, "%.120s", sqlite3_errmsg(db));
        return STORE_DB_DAMAGED;
    }
    return check_contents(db, why);
}

int
store_db_prepare(struct sqlite3 *db)
{
    static const struct store_db_row version = {
        .kind = VERSION_KIND, .name = VERSION_NAME, .json = "1"};
    char sql[64];

    _Static_assert(STORE_VERSION == 1, "says version.json, too");
    int error =
        run(db, "PRAGMA journal_mode=PERSIST; PRAGMA synchronous=FULL");
    if (error || get_int(db, "SELECT count(*) FROM sqlite_master") != 0) {
        return error;
    }
    error = run(db, "BEGIN;"
                    "CREATE TABLE row(kind INTEGER NOT NULL,"
                    " name TEXT NOT NULL, json TEXT NOT NULL,"
                    " flags INTEGER NOT NULL, crc INTEGER NOT NULL,"
                    " PRIMARY KEY(kind, name)) WITHOUT ROWID");
    if (!error) {
        error = store_db_put(db, &version);
    }
    if (!error) {
        snprintf(sql, sizeof sql, "PRAGMA user_version=%d; COMMIT",
                 STORE_VERSION);
        error = run(db, sql);
    }
    if (error && !sqlite3_get_autocommit(db)) {
        run(db, "ROLLBACK");
    }
    return error;
}

/* Rows. */
/* Runs 'statement', which returns no rows, and finalizes it. */
static int
finish(struct sqlite3 *db, struct sqlite3_stmt *statement)
{
    int error = to_errno(db, sqlite3_step(statement));

    /* Here the transaction ends: it may fail, too. */
    int end = to_errno(db, sqlite3_finalize(statement));
    return error ? error : end;
}

int
store_db_put(struct sqlite3 *db, const struct store_db_row *row)
{
    struct sqlite3_stmt *s;
    int result = sqlite3_prepare_v2(
        db, "INSERT OR REPLACE INTO row VALUES(?,?,?,?,?)", -1, &s, NULL);

    if (result) {
        return to_errno(db, result);
    }
    if (strlen(row->json) >= MAX_TEXT) {
        sqlite3_finalize(s);
        return EFBIG;
    }
    sqlite3_bind_int(s, 1, row->kind);
    sqlite3_bind_text(s, 2, row->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, row->json, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, row->flags);
    sqlite3_bind_int64(s, 5, row_crc(row));
    return finish(db, s);
}

int
store_db_delete(struct sqlite3 *db, int kind, const char *name)
{
    struct sqlite3_stmt *s;
    int result = sqlite3_prepare_v2(
        db, "DELETE FROM row WHERE kind=? AND name=?", -1, &s, NULL);

    if (result) {
        return to_errno(db, result);
    }
    sqlite3_bind_int(s, 1, kind);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    return finish(db, s);
}

/* Column 'i', which a damaged file may hold as anything; "" for NULL. */
static const char *
get_text(struct sqlite3_stmt *statement, int i, bool *good)
{
    const char *text = (const char *) sqlite3_column_text(statement, i);

    if (!text || strlen(text) != (size_t) sqlite3_column_bytes(statement, i)) {
        *good = false;
    }
    return text ? text : "";
}

/* What the statement of a "SELECT *" stands on. */
static void
read_row(struct sqlite3_stmt *s, struct store_db_row *row)
{
    row->good = true;
    row->kind = sqlite3_column_int(s, 0);
    row->name = get_text(s, 1, &row->good);
    row->json = get_text(s, 2, &row->good);
    row->flags = sqlite3_column_int(s, 3);
    row->good = row->good && sqlite3_column_int64(s, 4) == row_crc(row);
}

int
store_db_get(struct sqlite3 *db, int kind, const char *name,
             store_db_row_cb *cb, void *aux)
{
    struct sqlite3_stmt *s;
    struct store_db_row row;
    int result = sqlite3_prepare_v2(
        db, "SELECT * FROM row WHERE kind=? AND name=?", -1, &s, NULL);

    if (result) {
        return to_errno(db, result);
    }
    sqlite3_bind_int(s, 1, kind);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    result = sqlite3_step(s);
    if (result == SQLITE_ROW) {
        read_row(s, &row);
        cb(aux, &row);
    }

    int error = to_errno(db, result);
    sqlite3_finalize(s);
    return error;
}

int
store_db_each(struct sqlite3 *db, int kind, bool backward, store_db_row_cb *cb,
              void *aux)
{
    struct sqlite3_stmt *s;
    int result =
        sqlite3_prepare_v2(db,
                           backward ? "SELECT * FROM row WHERE ?1<0 OR kind=?1"
                                      " ORDER BY kind DESC, name DESC"
                                    : "SELECT * FROM row WHERE ?1<0 OR kind=?1"
                                      " ORDER BY kind, name",
                           -1, &s, NULL);

    if (result) {
        return to_errno(db, result);
    }
    sqlite3_bind_int(s, 1, kind);
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        struct store_db_row row;

        if (sqlite3_column_count(s) != 5) {
            result = SQLITE_CORRUPT;
            break;
        }
        read_row(s, &row);
        cb(aux, &row);
    }

    int error = to_errno(db, result);
    sqlite3_finalize(s);
    return error;
}

/* Whole files. */
int
store_db_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }

    int error = fsync(fd) ? errno : 0;
    close(fd);
    return error;
}

int
store_db_copy(struct sqlite3 *db, const char *path)
{
    struct sqlite3_stmt *s;

    unlink(path);

    /* VACUUM INTO takes an empty file, which is how it gets its mode. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    close(fd);

    int result = sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &s, NULL);
    if (result) {
        return to_errno(db, result);
    }
    sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);

    int error = finish(db, s);
    return error ? error : store_db_sync(path);
}
