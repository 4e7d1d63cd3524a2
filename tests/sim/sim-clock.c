/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-clock.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Far enough from 0 that "a minute ago" is no negative time. */
static int64_t clock_ms = INT64_C(1000000);

int64_t
sim_clock_now(void)
{
    return clock_ms;
}

void
sim_clock_pass(int64_t ms)
{
    clock_ms += ms;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE) {
        return (int) syscall(SYS_clock_gettime, id, ts);
    }
    ts->tv_sec = clock_ms / 1000;
    ts->tv_nsec = clock_ms % 1000 * 1000000;
    return 0;
}

/* Whoever would sleep until 'timeout' is over has slept already. */
int
epoll_wait(int fd, struct epoll_event *events, int size, int timeout)
{
    int n =
        (int) syscall(SYS_epoll_pwait, fd, events, size, 0, NULL, (size_t) 8);

    if (!n && timeout > 0) {
        clock_ms += timeout;
    }
    return n;
}
