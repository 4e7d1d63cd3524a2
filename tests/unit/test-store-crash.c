/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The store when its process is killed, and when the disk refuses: what was
 * accepted is there, what was refused is not. */

#include "controller/store.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/unit/store-helper.h"

/* A disk that refuses.  The calls with which SQLite changes files come here
 * and not to the C library: the first 'n_good' of them pass, then 'n_bad'
 * fail. */
static int n_good = INT32_MAX, n_bad, disk_errno;
static int n_calls;

static bool
disk_refuses(void)
{
    n_calls++;
    if (n_good > 0) {
        n_good -= n_good != INT32_MAX;
        return false;
    }
    if (n_bad > 0) {
        n_bad -= n_bad != INT32_MAX;
        errno = disk_errno;
        return true;
    }
    return false;
}

static void
heal_disk(void)
{
    n_good = INT32_MAX;
    n_bad = 0;
}

/* What the C library would do: a system call. */
ssize_t
pwrite(int fd, const void *data, size_t size, off_t at)
{
    return disk_refuses() ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return disk_refuses() ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

int
ftruncate(int fd, off_t size)
{
    return disk_refuses() ? -1 : syscall(SYS_ftruncate, fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
    return disk_refuses() ? -1 : syscall(SYS_ftruncate, fd, size);
}

int
fsync(int fd)
{
    return disk_refuses() ? -1 : syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return disk_refuses() ? -1 : syscall(SYS_fdatasync, fd);
}

/* Killed in the middle. */
/* Writes rows from '*first' on, telling each accepted one on 'out', until
 * killed. */
static void
write_rows(const char *dir, uint32_t first, int out)
{
    char error[STORE_ERROR_SIZE], name[32], json[64];
    struct store *store = store_open(dir, error);

    if (!store || *store_notice(store)) {
        _exit(1);
    }
    for (uint32_t i = first;; i++) {
        const struct store_row row = {.name = name, .json = json};

        /* Some are new, some replace one: both kinds of change to a page. */
        snprintf(name, sizeof name, "row-%u", i % 50);
        snprintf(json, sizeof json, "{\"n\":%u}", i);
        if (store_put(store, STORE_ROUTE, &row)
            || write(out, &i, sizeof i) != sizeof i) {
            _exit(1);
        }
    }
}

enum { N_SLOTS = 50 };

struct expected {
    uint32_t accepted[N_SLOTS]; /* The last that was reported; 0 = none. */
    uint32_t last;              /* Of all. */
    int n_seen;                 /* Slots whose row is as it must be. */
    int n_wrong;
};

/* A row must be the last accepted one of its slot, or the one that was under
 * way. */
static void
check_row(void *expected_, const struct store_row *row)
{
    struct expected *expected = expected_;
    unsigned int slot, n;

    assert_int_equal(sscanf(row->name, "row-%u", &slot), 1);
    assert_int_equal(sscanf(row->json, "{\"n\":%u}", &n), 1);
    assert_true(slot < N_SLOTS);
    if (n == expected->accepted[slot]) {
        expected->n_seen++;
    } else if (n == expected->last + 1 && n % N_SLOTS == slot) {
        expected->n_seen += expected->accepted[slot] != 0;
    } else {
        print_error("%s=%s, accepted %u of %u\n", row->name, row->json,
                    expected->accepted[slot], expected->last);
        expected->n_wrong++;
    }
}

static bool
read_report(int fd, struct expected *expected)
{
    uint32_t n;

    if (read(fd, &n, sizeof n) != sizeof n) {
        return false;
    }
    assert_int_equal(n, expected->last + 1);
    expected->last = n;
    expected->accepted[n % N_SLOTS] = n;
    return true;
}

static void
check_store(const char *dir, struct expected *expected)
{
    struct store *store = open_good(dir);
    int n = 0;

    expected->n_seen = expected->n_wrong = 0;
    assert_int_equal(store_each(store, STORE_ROUTE, check_row, expected), 0);
    for (int i = 0; i < N_SLOTS; i++) {
        n += expected->accepted[i] != 0;
    }
    assert_int_equal(expected->n_wrong, 0);
    assert_int_equal(expected->n_seen, n);
    store_close(store);
}

/* Kills a child after 'n_reports' and looks at what it left. */
static void
kill_one(const char *dir, struct expected *expected, unsigned int n_reports)
{
    int pipe_fds[2], status;

    assert_int_equal(pipe(pipe_fds), 0);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(pipe_fds[0]);
        write_rows(dir, expected->last + 1, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    for (unsigned int i = 0; i < n_reports; i++) {
        assert_true(read_report(pipe_fds[0], expected));
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    /* What it reported between our last look and its death. */
    while (read_report(pipe_fds[0], expected)) {
        continue;
    }
    close(pipe_fds[0]);
    check_store(dir, expected);
}

static void
test_killed(void **dir)
{
    struct expected expected = {.last = 0};
    unsigned int seed = 20240609;

    print_message("seed %u\n", seed);
    for (int i = 0; i < 300; i++) {
        kill_one(*dir, &expected, rand_r(&seed) % 12);
    }
    print_message("%u writes\n", expected.last);
}

/* A child that ended without closing leaves no lock, and all that it wrote. */
static int
write_and_die(void *dir)
{
    struct store *store = open_good(dir);

    put(store, STORE_FLOW, "f", "{}");
    return 0;
}

static void
test_lock_dies_with_its_holder(void **dir)
{
    assert_int_equal(in_child(write_and_die, *dir), 0);

    struct store *store = open_good(*dir);
    assert_rows(store, STORE_FLOW, "f={}; ");
    store_close(store);
}

/* The disk refuses the n-th call of a write, for every n.  The write says so
 * and the old row stays; with the disk well again the next write works, and a
 * new process finds what the last one had. */
static void
refuse_put(const char *dir, int good, int bad, int error)
{
    struct store *store = open_good(dir);
    const struct store_row new = {.name = "r", .json = "{\"new\":1}"};

    put(store, STORE_ROUTE, "r", "{\"old\":1}");
    put(store, STORE_ROUTE, "stays", "{}");
    n_good = good;
    n_bad = bad;
    disk_errno = error;

    int result = store_put(store, STORE_ROUTE, &new);
    bool reached = n_bad != bad;
    heal_disk();
    if (result) {
        /* Which call failed is not always known. */
        assert_true(result == error || result == EIO);
        assert_non_null(strstr(store_error(store), "cannot store \"r\": "));
    } else {
        assert_false(reached);
    }

    const char *expected =
        result ? "r={\"old\":1}; stays={}; " : "r={\"new\":1}; stays={}; ";
    assert_rows(store, STORE_ROUTE, expected);
    store_close(store);
    store = open_good(dir);
    assert_rows(store, STORE_ROUTE, expected);
    put(store, STORE_ROUTE, "r", "{\"newer\":1}");
    assert_rows(store, STORE_ROUTE, "r={\"newer\":1}; stays={}; ");
    store_close(store);
}

static int
calls_of_a_put(const char *dir)
{
    struct store *store = open_good(dir);

    put(store, STORE_ROUTE, "r", "{\"old\":1}");
    n_calls = 0;
    put(store, STORE_ROUTE, "r", "{\"new\":1}");

    int n = n_calls;
    store_close(store);
    assert_true(n >= 4); /* Journal, its sync, file, its sync... */
    return n;
}

static void
refuse_each_call(const char *dir, int bad, int error)
{
    int n = calls_of_a_put(dir);

    for (int good = 0; good <= n; good++) {
        refuse_put(dir, good, bad, error);
    }
}

static void
test_disk_full(void **dir)
{
    refuse_each_call(*dir, INT32_MAX, ENOSPC);
}

static void
test_disk_full_for_a_moment(void **dir)
{
    refuse_each_call(*dir, 1, ENOSPC);
}

static void
test_disk_error(void **dir)
{
    refuse_each_call(*dir, INT32_MAX, EIO);
}

static void
test_disk_error_for_a_moment(void **dir)
{
    refuse_each_call(*dir, 1, EIO);
}

/* The same store goes on, without being opened again. */
static void
test_recovers_by_itself(void **dir)
{
    struct store *store = open_good(*dir);
    const struct store_row new = {.name = "r", .json = "{\"new\":1}"};

    put(store, STORE_ROUTE, "r", "{\"old\":1}");
    for (int good = 0; good < 12; good++) {
        n_good = good;
        n_bad = INT32_MAX;
        disk_errno = ENOSPC;

        int result = store_put(store, STORE_ROUTE, &new);
        if (result) {
            assert_int_not_equal(store_delete(store, STORE_ROUTE, "r"), 0);
        }
        heal_disk();
        put(store, STORE_ROUTE, "r", "{\"again\":1}");
        assert_rows(store, STORE_ROUTE, "r={\"again\":1}; ");
    }
    store_close(store);
    store = open_good(*dir);
    assert_rows(store, STORE_ROUTE, "r={\"again\":1}; ");
    store_close(store);
}

/* The disk refuses somewhere while a store is opened or closed: whatever
 * happens, nothing that was accepted is lost. */
static void
test_opening_on_a_bad_disk(void **dir)
{
    char error[STORE_ERROR_SIZE];
    struct store *store = open_good(*dir);

    put(store, STORE_ROUTE, "r", "{}");
    store_close(store);
    for (int good = 0; good < 40; good++) {
        n_good = good;
        n_bad = INT32_MAX;
        disk_errno = good % 2 ? ENOSPC : EIO;
        store = store_open(*dir, error);
        assert_true(store || *error);
        store_close(store);
        heal_disk();
        store = open_good(*dir);
        assert_rows(store, STORE_ROUTE, "r={}; ");
        store_close(store);
    }
}

/* The same while a damaged store is being mended. */
static void
test_mending_on_a_bad_disk(void **dir)
{
    char error[STORE_ERROR_SIZE];
    struct store *store = open_good(*dir);
    bool failed = false, succeeded = false;

    put(store, STORE_ROUTE, "r", "{}");
    store_close(store);
    for (int good = 0; good < 60; good++) {
        write_state(*dir, "state.db", "rubbish", 7);
        n_good = good;
        n_bad = INT32_MAX;
        disk_errno = ENOSPC;
        store = store_open(*dir, error);
        failed |= !store;
        succeeded |= store != NULL;
        store_close(store);
        heal_disk();
        store = store_open(*dir, error);
        assert_non_null(store);
        assert_rows(store, STORE_ROUTE, "r={}; ");
        store_close(store);
    }
    assert_true(failed && succeeded);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        in_temporary_dir(test_killed),
        in_temporary_dir(test_lock_dies_with_its_holder),
        in_temporary_dir(test_disk_full),
        in_temporary_dir(test_disk_full_for_a_moment),
        in_temporary_dir(test_disk_error),
        in_temporary_dir(test_disk_error_for_a_moment),
        in_temporary_dir(test_recovers_by_itself),
        in_temporary_dir(test_opening_on_a_bad_disk),
        in_temporary_dir(test_mending_on_a_bad_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
