/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What ofmcastd bears: emulated switches over loopback TCP, the daemon on one
 * core, this program on the other.  See bench/README.md. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench-peer.h"
#include "bench/bench-util.h"
#include "igmp/igmp-msg.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

enum {
    N_PORTS = 1100,
    WAIT_MS = 60000,
    N_SINGLE = 1000,
    RESEND_NS = 20000000
};

static const char *program = "./ofmcastd";
static size_t n_groups_max = 100000, n_switches = 1000;

static void
die(const char *what)
{
    fprintf(stderr, "bench-load: %s\n", what);
    exit(1);
}

/* Packet-ins. */

struct batch {
    uint8_t *bytes;
    size_t size, allocated, n;
};

/* Of 'frame', into 'buf', which has room; returns its size. */
static size_t
make_packet_in(const struct bench_peer *p, uint32_t in_port, const void *frame,
               size_t size, uint8_t *buf)
{
    struct wire_writer w;

    wire_writer_init(&w, buf, 42 + size);
    wire_put_be32(&w, 0x040a0000); /* OpenFlow 1.3, PACKET_IN. */
    wire_put_be32(&w, 0);

    wire_put_be32(&w, UINT32_MAX);
    wire_put_be16(&w, (uint16_t) size);
    wire_put_u8(&w, 1); /* An action said so. */
    wire_put_u8(&w, 20);
    wire_put_be64(&w, p->punt_cookie);
    wire_put_be16(&w, 1);
    wire_put_be16(&w, 12);
    wire_put_be32(&w, 0x80000004);
    wire_put_be32(&w, in_port);
    wire_put_zeros(&w, 4 + 2);
    wire_put(&w, frame, size);
    wire_patch_be16(&w, 2, (uint16_t) w.at);
    return w.at;
}

static struct ip_addr
group_address(size_t i)
{
    return ip_addr_v4(UINT32_C(0xe1010000) + (uint32_t) i);
}

/* A report of 'n' groups from 'first' on, by the one host behind 'port'. */
static void
add_report(struct batch *b, const struct bench_peer *p, size_t first, size_t n,
           uint32_t port, uint8_t type)
{
    enum { MAX_RECORDS = 64, ROOM = 2048 };
    struct igmp_report_record records[MAX_RECORDS];
    struct igmp_report report = {
        .version = 3,
        .eth_src = {{2, 1, 0, 0, (uint8_t) (port >> 8), (uint8_t) port}},
        .ip_src = ip_addr_v4(0x0a010000 + port),
        .records = records,
        .n_records = n,
    };
    uint8_t frame[ROOM - 64];

    memset(records, 0, sizeof records);
    for (size_t i = 0; i < n && i < MAX_RECORDS; i++) {
        records[i].type = type;
        records[i].group = group_address(first + i);
    }

    size_t size = igmp_report_encode(&report, frame, sizeof frame);

    if (!size) {
        die("report too large");
    }
    if (b->allocated - b->size < ROOM) {
        b->allocated = b->allocated * 2 + ROOM;
        b->bytes = xrealloc(b->bytes, b->allocated);
    }
    b->size += make_packet_in(p, port, frame, size, b->bytes + b->size);
    b->n++;
}

static void
send_batch(struct bench_peer *p, struct batch *b)
{
    if (!bench_peer_write(p, b->bytes, b->size)) {
        die("connection lost while sending");
    }
    b->size = b->n = 0;
}

/* Set-up. */

static void
start(struct bench_daemon *d, struct bench_peer *p)
{
    if (!bench_daemon_start(d, program)) {
        die("cannot start the daemon");
    }
    bench_peer_init(p, 1, N_PORTS);
    if (!bench_peer_connect(p, d->openflow_port, 10000)
        || !bench_peer_settle(p, 300)) {
        die("cannot connect to the daemon");
    }
    if (!p->flow_mods) {
        die("the daemon programs no pipeline");
    }
}

static void
stop(struct bench_daemon *d, struct bench_peer *p)
{
    bench_peer_uninit(p);
    bench_daemon_stop(d);
}

/* Handles what comes in until there are 'n' groups, and their flows. */
static void
wait_for_groups(struct bench_peer *p, size_t n, size_t n_flows)
{
    int64_t give_up = bench_now_ns() + WAIT_MS * INT64_C(1000000);

    while (p->n_groups < n || p->n_flows < n_flows || p->in_bundle) {
        if (!bench_peer_turn(p, 100)) {
            die("connection lost while waiting for groups");
        }
        if (bench_now_ns() > give_up) {
            fprintf(stderr, "%zu of %zu groups, %zu of %zu flows\n",
                    p->n_groups, n, p->n_flows, n_flows);
            die("the groups do not come");
        }
    }
}

/* Joins groups 'first' to 'last' - 1 at 'port', all at once; seconds. */
static double
join_groups(struct bench_peer *p, size_t first, size_t last, uint32_t port)
{
    struct batch b = {.n = 0};
    size_t n = last - first;
    size_t groups = p->n_groups + n, flows = p->n_flows + n;

    for (size_t i = first; i < last; i++) {
        add_report(&b, p, i, 1, port, IGMP_CHANGE_TO_EXCLUDE);
    }

    int64_t start_ns = bench_now_ns();

    send_batch(p, &b);
    wait_for_groups(p, groups, flows);
    free(b.bytes);
    return (double) (bench_now_ns() - start_ns) / 1e9;
}

/* One join at a time. */

struct cost {
    double p50_us, p99_us, cpu_us;
};

static void
flush(struct bench_peer *p)
{
    if (!bench_peer_flush(p)) {
        die("connection lost");
    }
}

/* From the packet-in sent to the group changed and a barrier behind it. */
static int64_t
time_one_join(struct bench_peer *p, struct batch *b)
{
    uint64_t mods = p->group_mods, barriers = p->barriers;
    int64_t start_ns = bench_now_ns();

    send_batch(p, b);
    while (p->group_mods == mods || p->barriers == barriers || p->in_bundle) {
        if (!bench_peer_turn(p, 0)) {
            die("connection lost");
        }
        if (bench_now_ns() - start_ns > 5 * INT64_C(1000000000)) {
            die("a join has no effect");
        }
    }

    int64_t ns = bench_now_ns() - start_ns;

    flush(p);
    return ns;
}

/* 'n' joins: of new groups from 'first' on at 'port' where 'new_groups', else
 * of 'port' to the existing groups from 'first' on. */
static struct cost
time_joins(struct bench_daemon *d, struct bench_peer *p, size_t first,
           size_t n, uint32_t port)
{
    int64_t *ns = xcalloc(n, sizeof *ns);
    struct batch b = {.n = 0};
    struct cost cost;

    bench_peer_settle(p, 200);

    int64_t cpu = bench_daemon_cpu_ns(d);

    for (size_t i = 0; i < n; i++) {
        add_report(&b, p, first + i, 1, port, IGMP_CHANGE_TO_EXCLUDE);
        ns[i] = time_one_join(p, &b);
    }
    cost.cpu_us = (double) (bench_daemon_cpu_ns(d) - cpu) / 1e3 / (double) n;
    cost.p50_us = (double) bench_percentile(ns, n, 50) / 1e3;
    cost.p99_us = (double) bench_percentile(ns, n, 99) / 1e3;
    free(b.bytes);
    free(ns);
    return cost;
}

static void
print_cost(const char *what, struct cost c, const struct cost *base)
{
    char line[80];

    snprintf(line, sizeof line, "%s, p50", what);
    bench_line(line, c.p50_us, "us", true, base ? base->p50_us * 1.3 : 0);
    snprintf(line, sizeof line, "%s, p99", what);
    bench_line(line, c.p99_us, "us", true, 0);
    snprintf(line, sizeof line, "%s, daemon's cpu time", what);
    bench_line(line, c.cpu_us, "us", true, base ? base->cpu_us * 1.3 : 0);
}

/* Reports that change nothing. */

static void
measure_refresh(struct bench_daemon *d, struct bench_peer *p, const char *what,
                size_t n_groups, size_t n_records, double bar)
{
    struct batch b = {.n = 0};
    size_t n = 0;
    char line[80];

    for (size_t i = 0; i < n_groups; i += n_records) {
        add_report(&b, p, i, n_records, 1, IGMP_MODE_IS_EXCLUDE);
    }
    bench_peer_settle(p, 200);

    size_t size = b.size, in_batch = b.n;
    uint64_t mods = p->group_mods;
    uint64_t counted = bench_daemon_counter(d, "packet_ins");
    int64_t cpu = bench_daemon_cpu_ns(d), start_ns = bench_now_ns();

    while (bench_now_ns() - start_ns < 3 * INT64_C(1000000000)) {
        /* Sending is ahead of the daemon by what the sockets hold. */
        if (!bench_peer_write(p, b.bytes, size)) {
            die("connection lost");
        }
        n += in_batch;
    }
    flush(p);

    double wall = (double) (bench_now_ns() - start_ns) / 1e9;
    double used = (double) (bench_daemon_cpu_ns(d) - cpu) / 1e9;

    snprintf(line, sizeof line, "%s, by the clock", what);
    bench_line(line, (double) n / wall / 1e3, "k/s", false, bar);
    snprintf(line, sizeof line, "%s, by its cpu time", what);
    bench_line(line, (double) n / used / 1e3, "k/s", false, bar);
    counted = bench_daemon_counter(d, "packet_ins") - counted;
    if (counted != n) {
        printf("  (sent %zu, of which the daemon has counted %llu)\n", n,
               (unsigned long long) counted);
    }
    if (p->group_mods != mods) {
        printf("  (%llu group mods: these were not all refreshes)\n",
               (unsigned long long) (p->group_mods - mods));
    }
    free(b.bytes);
}

/* Scenarios. */

/* A report that comes before the greeting is over has no effect: it is sent
 * again and again, as hosts do when they are asked. */
static void
join_until_heard(struct bench_peer *p, size_t n_groups)
{
    struct batch b = {.n = 0};
    int64_t give_up = bench_now_ns() + INT64_C(60000000000);
    int64_t next = 0;

    while (p->n_groups < n_groups && bench_now_ns() < give_up) {
        if (bench_now_ns() >= next) {
            add_report(&b, p, 200000, 1, 1, IGMP_CHANGE_TO_EXCLUDE);
            send_batch(p, &b);
            next = bench_now_ns() + RESEND_NS;
        }
        bench_peer_turn(p, 1);
    }
    free(b.bytes);
}

static void
measure_restart(struct bench_daemon *d, struct bench_peer *p, size_t n)
{
    size_t n_groups = p->n_groups, n_flows = p->n_flows;
    char line[80];

    /* The switch has lost everything. */
    bench_peer_disconnect(p);
    bench_peer_wipe(p);
    int64_t start_ns = bench_now_ns();
    if (!bench_peer_connect(p, d->openflow_port, 10000)) {
        die("cannot reconnect");
    }
    wait_for_groups(p, n_groups, n_flows);
    snprintf(line, sizeof line, "empty switch connects: %zu groups installed",
             n);
    bench_line(line, (double) (bench_now_ns() - start_ns) / 1e9, "s", true, 2);

    /* The daemon has lost everything but what the switch holds.  A join of a
     * new group tells when it is ready again. */
    bench_peer_settle(p, 500);
    bench_peer_disconnect(p);
    if (!bench_daemon_restart(d, program)) {
        die("cannot restart the daemon");
    }
    uint64_t mods = p->flow_mods + p->group_mods;
    start_ns = bench_now_ns();
    if (!bench_peer_connect(p, d->openflow_port, 10000)) {
        die("cannot reconnect");
    }
    join_until_heard(p, n_groups + 1);
    wait_for_groups(p, n_groups + 1, n_flows + 1);
    snprintf(line, sizeof line, "restarted daemon adopts %zu groups", n);
    bench_line(line, (double) (bench_now_ns() - start_ns) / 1e9, "s", true, 3);
    bench_peer_settle(p, 500);
    mods = p->flow_mods + p->group_mods - mods;
    /* (Meters do not count: these switches do not tell theirs.)  Two of them
     * are the new group's own.  Half a mod is a bar of none. */
    bench_line("... modifications sent meanwhile", (double) mods - 2, "", true,
               0.5);
}

static void
measure_groups(void)
{
    struct bench_peer p;
    struct bench_daemon d;
    struct cost at_100, cost;
    size_t n = n_groups_max, mid = n / 10;
    char what[64];

    start(&d, &p);

    bench_heading("Joins, one switch, a new group each");
    join_groups(&p, 0, 100, 1);
    at_100 = time_joins(&d, &p, 100, N_SINGLE, 1);
    print_cost("one join at 100 groups", at_100, NULL);
    join_groups(&p, 100 + N_SINGLE, mid, 1);
    cost = time_joins(&d, &p, mid, N_SINGLE, 1);
    snprintf(what, sizeof what, "one join at %zu groups", mid);
    print_cost(what, cost, &at_100);

    size_t first = mid + N_SINGLE;
    size_t rss = bench_daemon_rss(&d);
    int64_t cpu = bench_daemon_cpu_ns(&d);
    double seconds = join_groups(&p, first, n, 1);

    cpu = bench_daemon_cpu_ns(&d) - cpu;
    bench_line("joins that change state, by the clock",
               (double) (n - first) / seconds / 1e3, "k/s", false, 100);
    bench_line("joins that change state, by its cpu time",
               (double) (n - first) / ((double) cpu / 1e9) / 1e3, "k/s", false,
               100);
    bench_peer_settle(&p, 300);
    bench_line("memory of a membership, with its group",
               (double) (bench_daemon_rss(&d) - rss) / (double) (n - first),
               "bytes", true, 1024);
    cost = time_joins(&d, &p, n, N_SINGLE, 1);
    snprintf(what, sizeof what, "one join at %zu groups", n);
    print_cost(what, cost, &at_100);

    bench_heading("Refreshes, one record each");
    measure_refresh(&d, &p, "reports of 1000 groups", 1000, 1, 1000);
    snprintf(what, sizeof what, "reports of %zu groups", n);
    measure_refresh(&d, &p, what, n, 1, 0);
    measure_refresh(&d, &p, "reports of 10 records each", 1000, 10, 0);

    bench_heading("Restarts");
    measure_restart(&d, &p, n);
    stop(&d, &p);
}

static void
measure_members(void)
{
    enum { N_GROUPS = 200 };
    static const uint32_t sizes[] = {10, 100, 1000};
    struct bench_peer p;
    struct bench_daemon d;
    struct cost base = {0, 0, 0};
    struct batch b = {.n = 0};
    uint32_t port = 1;
    size_t rss;

    start(&d, &p);
    rss = bench_daemon_rss(&d);
    bench_heading("Joins, one switch, to groups that have members");
    for (int i = 0; i < 3; i++) {
        char what[64];

        while (port < sizes[i]) {
            for (size_t group = 0; group < N_GROUPS; group++) {
                add_report(&b, &p, group, 1, port, IGMP_CHANGE_TO_EXCLUDE);
            }
            port++;
        }
        send_batch(&p, &b);
        flush(&p);
        bench_peer_settle(&p, 300);

        struct cost cost = time_joins(&d, &p, 0, N_GROUPS, port++);

        snprintf(what, sizeof what, "one join at %u members", sizes[i]);
        print_cost(what, cost, i ? &base : NULL);
        base = i ? base : cost;
    }
    bench_line("memory of a membership among 1000",
               (double) (bench_daemon_rss(&d) - rss)
                   / ((double) N_GROUPS * sizes[2]),
               "bytes", true, 1024);
    free(b.bytes);
    stop(&d, &p);
}

/* Ten ports that all have all groups. */
static void
measure_many(void)
{
    enum { N_MEMBERS = 10, AT_ONCE = 60 };
    struct bench_peer p;
    struct bench_daemon d;
    struct batch b = {.n = 0};
    size_t n = n_groups_max * N_MEMBERS;
    char what[64];

    start(&d, &p);
    snprintf(what, sizeof what, "%zu memberships: %zu groups, %d ports", n,
             n_groups_max, N_MEMBERS);
    bench_heading(what);

    size_t rss = bench_daemon_rss(&d);
    int64_t cpu = bench_daemon_cpu_ns(&d), start_ns = bench_now_ns();

    for (size_t first = 0; first < n_groups_max; first += AT_ONCE) {
        size_t left = n_groups_max - first;

        for (uint32_t port = 1; port <= N_MEMBERS; port++) {
            add_report(&b, &p, first, left < AT_ONCE ? left : AT_ONCE, port,
                       IGMP_CHANGE_TO_EXCLUDE);
        }
    }
    send_batch(&p, &b);
    free(b.bytes);
    wait_for_groups(&p, n_groups_max, n_groups_max);

    double wall = (double) (bench_now_ns() - start_ns) / 1e9;
    double used = (double) (bench_daemon_cpu_ns(&d) - cpu) / 1e9;

    bench_line("joins that change state, by the clock",
               (double) n / wall / 1e3, "k/s", false, 100);
    bench_line("joins that change state, by its cpu time",
               (double) n / used / 1e3, "k/s", false, 100);
    bench_peer_settle(&p, 500);
    bench_line("memory of a membership",
               (double) (bench_daemon_rss(&d) - rss) / (double) n, "bytes",
               true, 1024);
    measure_refresh(&d, &p, "refreshes of 1000 groups", 1000, 1, 1000);
    measure_refresh(&d, &p, "refreshes of all groups", n_groups_max, 1, 0);
    stop(&d, &p);
}

static void
measure_switches(void)
{
    struct bench_peer p, *peers = xcalloc(n_switches, sizeof *peers);
    struct bench_daemon d;
    size_t rss;
    int64_t start_ns;

    start(&d, &p);
    rss = bench_daemon_rss(&d);
    start_ns = bench_now_ns();
    bench_heading("Idle switches of 4 ports");
    for (size_t i = 0; i < n_switches; i++) {
        bench_peer_init(&peers[i], i + 2, 4);
        if (!bench_peer_connect(&peers[i], d.openflow_port, 10000)) {
            die("cannot connect");
        }
        bench_peer_turn(&peers[i], 0);
    }
    for (size_t ready = 0; ready < n_switches;) {
        ready = 0;
        for (size_t i = 0; i < n_switches; i++) {
            if (!bench_peer_turn(&peers[i], 0)) {
                die("a switch was cut off");
            }
            ready += peers[i].flow_mods && peers[i].barriers;
        }
        if (bench_now_ns() - start_ns > 60 * INT64_C(1000000000)) {
            fprintf(stderr, "%zu of %zu ready\n", ready, n_switches);
            die("the switches do not come up");
        }
    }
    bench_line("all up and programmed",
               (double) (bench_now_ns() - start_ns) / 1e9, "s", true, 0);
    bench_line("memory of a switch",
               (double) (bench_daemon_rss(&d) - rss) / (double) n_switches
                   / 1024,
               "KiB", true, 64);
    for (size_t i = 0; i < n_switches; i++) {
        bench_peer_uninit(&peers[i]);
    }
    free(peers);
    stop(&d, &p);
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"program", required_argument, NULL, 'p'},
        {"quick", no_argument, NULL, 'q'},
        {"only", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0}};
    const char *only = NULL;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'p':
            program = optarg;
            break;
        case 'q':
            n_groups_max = 20000;
            n_switches = 100;
            break;
        case 'o':
            only = optarg;
            break;
        default:
            fprintf(stderr, "usage: bench-load [--program OFMCASTD] [--quick] "
                            "[--only groups|members|many|switches]\n");
            return 2;
        }
    }
    bench_raise_limits();
    bench_pin_self();
    if (!only || !strcmp(only, "groups")) {
        measure_groups();
    }
    if (!only || !strcmp(only, "members")) {
        measure_members();
    }
    if (!only || !strcmp(only, "many")) {
        measure_many();
    }
    if (!only || !strcmp(only, "switches")) {
        measure_switches();
    }
    printf("\n%d missed\n", bench_n_missed());
    return 0;
}
