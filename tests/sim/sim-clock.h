/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_CLOCK_H
#define TESTS_SIM_SIM_CLOCK_H 1

/* A clock that stands while anything is left to do and jumps when all wait.
 *
 * A program that links this has its own clock_gettime() and epoll_wait(): the
 * daemon's code and libevent, unchanged, read the one and sleep in the other.
 * So a run depends on its seed alone, however busy the machine is, and takes
 * no longer than its work.  It holds if nothing comes from outside the
 * process, and what is written is there to be read at once: with socketpair(),
 * not with TCP.
 *
 * Only CLOCK_MONOTONIC is changed; CLOCK_REALTIME is as ever. */

#include <stdint.h>

/* Milliseconds. */
int64_t sim_clock_now(void);
/* Time that work takes. */
void sim_clock_pass(int64_t ms);

#endif
