/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the membership machine costs, by itself and on one core: frames in,
 * effects out to nobody.
 *
 *     bench/bench-igmp [SECONDS a row, default 1 [ROW]]
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "igmp/igmp-msg.h"
#include "igmp/igmp-snoop.h"
#include "lib/xalloc.h"

enum { FRAME = 128 };

struct frame {
    uint8_t bytes[FRAME];
    uint16_t size;
    struct port_id port;
};

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
changed(void *n, const struct ip_addr *group, const struct port_id *port)
{
    (void) group;
    (void) port;
    ++*(size_t *) n;
}

static void
router_ports_changed(void *n, const struct port_id *port)
{
    (void) n;
    (void) port;
}

static void
sent(void *n, const struct port_id *port, const void *frame, size_t size)
{
    (void) n;
    (void) port;
    (void) frame;
    (void) size;
}

static void
querier_changed(void *n, bool ours)
{
    (void) n;
    (void) ours;
}

static const struct igmp_ops ops = {
    .membership_changed = changed,
    .router_ports_changed = router_ports_changed,
    .send = sent,
    .querier_changed = querier_changed,
};

static struct igmp_snoop *
create(size_t *n_changed)
{
    struct igmp_config config;

    igmp_config_init(&config);
    *n_changed = 0;
    return igmp_snoop_create(0, &config, &ops, n_changed, 0);
}

/* The n-th of 'n_groups' x 'n_ports' joins, from host 'host' of its port. */
static void
build(struct frame *f, size_t i, size_t n_ports, int version, uint8_t host)
{
    uint32_t group = (uint32_t) (i / n_ports), port = (uint32_t) (i % n_ports);
    struct igmp_report_record record = {.type = IGMP_MODE_IS_EXCLUDE,
                                        .group =
                                            ip_addr_v4(0xe1000000u + group)};
    struct igmp_report report = {
        .version = version,
        .eth_src = {{2, 0, 0, (uint8_t) (port >> 8), (uint8_t) port, host}},
        .ip_src = ip_addr_v4(0x0a010000u + port),
        .records = &record,
        .n_records = 1};

    f->size = (uint16_t) igmp_report_encode(&report, f->bytes, FRAME);
    f->port = (struct port_id){.dpid = 1, .port_no = port + 1};
}

static struct frame *
build_all(size_t n, size_t n_ports, int version)
{
    struct frame *frames = xcalloc(n, sizeof *frames);
    unsigned int seed = 1;

    for (size_t i = 0; i < n; i++) {
        build(&frames[i], i, n_ports, version, 1);
    }
    for (size_t i = n; i > 1; i--) { /* In no order. */
        size_t k =
            (((size_t) rand_r(&seed) << 15) ^ (size_t) rand_r(&seed)) % i;
        struct frame tmp = frames[i - 1];

        frames[i - 1] = frames[k];
        frames[k] = tmp;
    }
    return frames;
}

static void
input_all(struct igmp_snoop *s, const struct frame *frames, size_t n,
          int64_t now)
{
    struct igmp_msg m;

    for (size_t i = 0; i < n; i++) {
        if (igmp_msg_decode(frames[i].bytes, frames[i].size, &m)
            || igmp_snoop_input(s, &frames[i].port, &m, now)) {
            abort();
        }
    }
    igmp_snoop_run(s, now);
}

/* Joins everybody again and again, each time into an empty vlan. */
static double
time_joins(const struct frame *frames, size_t n, double budget)
{
    double busy = 0;
    size_t done = 0, n_changed;

    while (busy < budget) {
        struct igmp_snoop *s = create(&n_changed);
        double start = seconds();

        input_all(s, frames, n, 1000);
        busy += seconds() - start;
        done += n;
        if (n_changed != n) {
            abort();
        }
        igmp_snoop_destroy(s);
    }
    return busy / (double) done * 1e9;
}

static double
time_refreshes(struct igmp_snoop *s, const struct frame *frames, size_t n,
               const size_t *n_changed, double budget)
{
    double start = seconds(), busy;
    size_t done = 0, before = *n_changed;
    int64_t now = 2000;

    do {
        input_all(s, frames, n, now);
        now += 1000; /* Timers come up as they would. */
        done += n;
    } while ((busy = seconds() - start) < budget);
    if (*n_changed != before) {
        abort();
    }
    return busy / (double) done * 1e9;
}

/* What one more join costs where 's' has what it has: a port of its own joins
 * every group there is (1000 at most), goes down, and joins again. */
static double
time_one_more(struct igmp_snoop *s, size_t n_groups, int version,
              double budget)
{
    size_t n = n_groups < 1000 ? n_groups : 1000, done = 0;
    struct frame *frames = xcalloc(n, sizeof *frames);
    const struct port_id port = {.dpid = 2, .port_no = 1};
    double busy = 0;

    for (size_t i = 0; i < n; i++) {
        build(&frames[i], i * (n_groups / n), 1, version, 2);
        frames[i].port = port;
    }
    while (busy < budget) {
        double start = seconds();

        input_all(s, frames, n, 1000);
        busy += seconds() - start;
        done += n;
        igmp_snoop_port_down(s, &port, 1000);
    }
    free(frames);
    return busy / (double) done * 1e9;
}

static void
row(size_t n_groups, size_t n_ports, int version, double budget)
{
    size_t n = n_groups * n_ports, n_changed;
    struct frame *frames = build_all(n, n_ports, version);
    double join_ns = time_joins(frames, n, budget);
    size_t before = mallinfo2().uordblks;
    struct igmp_snoop *s = create(&n_changed);

    input_all(s, frames, n, 1000);
    struct mallinfo2 mi = mallinfo2();
    double bytes = (double) (mi.uordblks + mi.hblkhd - before) / (double) n;
    double more_ns = time_one_more(s, n_groups, version, budget);
    double refresh_ns = time_refreshes(s, frames, n, &n_changed, budget);

    printf("%8zu %6zu  v%d %8.0f %10.0f %8.0f %8.0f %10.0f %8.0f\n", n_groups,
           n_ports, version, join_ns, 1e9 / join_ns, more_ns, refresh_ns,
           1e9 / refresh_ns, bytes);
    fflush(stdout);
    igmp_snoop_destroy(s);
    free(frames);
}

int
main(int argc, char *argv[])
{
    double budget = argc > 1 ? atof(argv[1]) : 1;
    static const struct {
        size_t groups, ports;
        int version;
    } rows[] = {{100, 1, 3},    {10000, 1, 3}, {100000, 1, 3},
                {100000, 1, 2}, {1000, 10, 3}, {100, 100, 3},
                {10, 1000, 3},  {1, 10, 3},    {1, 1000, 3}};

    printf("                      joins, all        one more        "
           "refreshes      bytes a\n"
           "  groups  ports       ns         /s       ns       ns         /s"
           "   member\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (argc > 2 && strtoul(argv[2], NULL, 10) != i) {
            continue; /* For a profiler. */
        }
        row(rows[i].groups, rows[i].ports, rows[i].version, budget);
    }
    return 0;
}
