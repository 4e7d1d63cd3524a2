/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "bench/bench-util.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAEMON_CORE = 0, LOAD_CORE = 1 };

int64_t
bench_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
pin(int core)
{
    cpu_set_t set;

    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        return; /* Sharing one is the best there is. */
    }
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) {
        perror("sched_setaffinity");
    }
}

void
bench_pin_self(void)
{
    pin(LOAD_CORE);
}

void
bench_raise_limits(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The daemon. */

static uint16_t
free_port(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t size = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &sin, sizeof sin)
        || getsockname(fd, (struct sockaddr *) &sin, &size)) {
        perror("no free port");
        exit(1);
    }
    close(fd);
    return ntohs(sin.sin_port);
}

static const char *more_config = "";

void
bench_daemon_config(const char *lines)
{
    more_config = lines;
}

/* One port plays the hosts of a whole building: it has no limits. */
static void
write_config(const char *file)
{
    FILE *f = fopen(file, "w");

    if (f) {
        fputs("port_defaults: {max_groups: 0, max_hosts: 0, max_reports: 0}\n",
              f);
        fputs(more_config, f);
        fclose(f);
    }
}

static void
exec_daemon(const struct bench_daemon *d, const char *program)
{
    char openflow[64], api[64], log[128], config[128];

    snprintf(openflow, sizeof openflow, "tcp:127.0.0.1:%u", d->openflow_port);
    snprintf(api, sizeof api, "127.0.0.1:%u", d->api_port);
    snprintf(log, sizeof log, "%s/log", d->dir);
    snprintf(config, sizeof config, "%s/ofmcast.yaml", d->dir);
    write_config(config);

    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd >= 0) {
        dup2(fd, 1);
        dup2(fd, 2);
    }
    /* Whatever ends this program ends the daemon. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(DAEMON_CORE);
    execl(program, program, "--openflow", openflow, "--api", api,
          "--state-dir", d->dir, "--config", config, (char *) NULL);
    _exit(127);
}

static bool
spawn(struct bench_daemon *d, const char *program)
{
    d->pid = fork();
    if (d->pid < 0) {
        perror("fork");
        return false;
    }
    if (!d->pid) {
        exec_daemon(d, program);
    }
    return true;
}

/* The one to stop, and clean up after, when this program gives up. */
static struct bench_daemon *running;

static void
stop_running(void)
{
    if (running) {
        bench_daemon_stop(running);
    }
}

bool
bench_daemon_start(struct bench_daemon *d, const char *program)
{
    static bool registered;

    if (!registered) {
        registered = true;
        atexit(stop_running);
    }
    if (access(program, X_OK)) {
        perror(program);
        return false;
    }
    snprintf(d->dir, sizeof d->dir, "/tmp/ofmcast-bench.XXXXXX");
    if (!mkdtemp(d->dir)) {
        perror(d->dir);
        return false;
    }
    d->openflow_port = free_port();
    d->api_port = free_port();
    running = d;
    return spawn(d, program);
}

static void
reap(struct bench_daemon *d, int signal)
{
    if (d->pid > 0) {
        kill(d->pid, signal);
        waitpid(d->pid, NULL, 0);
        d->pid = 0;
    }
}

bool
bench_daemon_restart(struct bench_daemon *d, const char *program)
{
    reap(d, SIGKILL);
    return spawn(d, program);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st, (void) flag, (void) ftw;
    return remove(path);
}

void
bench_daemon_stop(struct bench_daemon *d)
{
    running = NULL;
    reap(d, SIGTERM);
    nftw(d->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

size_t
bench_daemon_rss(const struct bench_daemon *d)
{
    char path[64];
    unsigned long pages = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", d->pid);

    FILE *f = fopen(path, "r");

    if (!f || fscanf(f, "%*u %lu", &pages) != 1) {
        pages = 0;
    }
    if (f) {
        fclose(f);
    }
    return pages * (size_t) sysconf(_SC_PAGESIZE);
}

int64_t
bench_daemon_cpu_ns(const struct bench_daemon *d)
{
    char path[64];
    long long ns = 0;

    snprintf(path, sizeof path, "/proc/%d/schedstat", d->pid);

    FILE *f = fopen(path, "r");

    if (!f || fscanf(f, "%lld", &ns) != 1) {
        ns = 0;
    }
    if (f) {
        fclose(f);
    }
    return ns;
}

/* Asks the API; the whole answer, or less, in 'buf'. */
static void
get(const struct bench_daemon *d, const char *path, char *buf, size_t size)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(d->api_port);
    if (fd >= 0 && !connect(fd, (struct sockaddr *) &sin, sizeof sin)
        && dprintf(fd,
                   "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Connection: close\r\n\r\n",
                   path)
               > 0) {
        for (ssize_t got;
             n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) > 0;) {
            n += (size_t) got;
        }
    }
    buf[n] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

uint64_t
bench_daemon_counter(const struct bench_daemon *d, const char *name)
{
    enum { SIZE = 1 << 20 };
    char *buf = malloc(SIZE), key[64], *p = NULL;
    uint64_t value = 0;

    if (buf) {
        get(d, "/v1/switches/1", buf, SIZE);
        snprintf(key, sizeof key, "\"%s\":\"0x", name);
        p = strstr(buf, key);
    }
    if (p) {
        value = strtoull(p + strlen(key), NULL, 16);
    }
    free(buf);
    return value;
}

/* Results. */

static int
compare(const void *a_, const void *b_)
{
    int64_t a = *(const int64_t *) a_, b = *(const int64_t *) b_;

    return a < b ? -1 : a > b;
}

int64_t
bench_percentile(int64_t *values, size_t n, double percent)
{
    if (!n) {
        return 0;
    }
    qsort(values, n, sizeof *values, compare);

    size_t i = (size_t) (percent / 100.0 * (double) n);

    return values[i < n ? i : n - 1];
}

static int n_missed;

int
bench_n_missed(void)
{
    return n_missed;
}

void
bench_heading(const char *title)
{
    printf("\n%-52s %14s %-7s %16s %7s\n", title, "measured", "", "bar",
           "ratio");
    fflush(stdout);
}

void
bench_line(const char *what, double measured, const char *unit, bool at_most,
           double bar)
{
    printf("  %-50s %14.*f %-7s", what, measured < 100 ? 2 : 0, measured,
           unit);
    if (bar > 0) {
        double ratio = measured / bar;
        bool ok = at_most ? ratio <= 1 : ratio >= 1;

        n_missed += !ok;
        printf(" %3s %12.*f %7.2f %s",
               at_most ? "<=" : ">=", bar < 100 ? 2 : 0, bar, ratio,
               ok ? "OK" : "MISS");
    }
    putchar('\n');
    fflush(stdout);
}
