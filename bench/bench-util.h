/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H 1

/* A daemon to measure, a clock, and a table of results. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Monotonic nanoseconds. */
int64_t bench_now_ns(void);

/* The daemon, as a child on a core of its own, with a state folder that goes
 * when it goes. */
struct bench_daemon {
    pid_t pid;
    uint16_t openflow_port, api_port;
    char dir[64];
};

/* Adds lines to the configuration of daemons that are started from now on. */
void bench_daemon_config(const char *lines);
/* 'program' is the path of ofmcastd.  False, with the reason on stderr. */
bool bench_daemon_start(struct bench_daemon *, const char *program);
/* kill -9 and start again with the same state. */
bool bench_daemon_restart(struct bench_daemon *, const char *program);
void bench_daemon_stop(struct bench_daemon *);
size_t bench_daemon_rss(const struct bench_daemon *);     /* Bytes. */
int64_t bench_daemon_cpu_ns(const struct bench_daemon *); /* Used so far. */

/* A counter of /v1/switches/1, "packet_ins"; 0 if it cannot be read. */
uint64_t bench_daemon_counter(const struct bench_daemon *, const char *name);

/* Where this program itself runs: not where the daemon does. */
void bench_pin_self(void);
void bench_raise_limits(void);

/* The 'percent'th percentile of 'values', which are sorted for it. */
int64_t bench_percentile(int64_t *values, size_t n, double percent);

/* One line of the table.  'bar' is the most ("at_most") or the least that
 * will do; 0 = no bar, just told. */
void bench_heading(const char *title);
void bench_line(const char *what, double measured, const char *unit,
                bool at_most, double bar);
/* How many lines missed their bar so far. */
int bench_n_missed(void);

#endif
