/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* How the fabric scales: leaf-spine networks of emulated switches, the daemon
 * on one core, this program on the other.  See bench/README.md. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench-util.h"
#include "bench/fabric-peer.h"
#include "igmp/igmp-msg.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

enum {
    N_SPINES = 16,
    N_MEMBERS = 20,
    N_SINGLE = 200,
    N_STAGES = 3, /* No channels, a tenth of them, all. */
    N_STEPS = 7,
    MAX_SIZES = 8
};

static const char *program = "./ofmcastd";
static const char *l2 = "fabric";
static size_t n_channels = 10000, n_sampled = 500;
static int limit_s = 20; /* Of one step. */

/* What one step took. */
struct cost {
    const char *step;
    double wall_s, cpu_s;
    uint64_t mods;
    size_t rss;
    bool done; /* Converged within the limit. */
};

struct run {
    struct bench_daemon daemon;
    struct fabric_net net;
    size_t n_hosts, n_links, empty_rss;
    struct cost costs[N_STEPS];
    size_t n_costs;
    /* The step that is being measured. */
    int64_t start_ns, start_cpu;
    uint64_t start_mods;
};

static void
die(const char *what)
{
    fprintf(stderr, "bench-fabric: %s\n", what);
    exit(1);
}

static void
turn(struct run *r, int wait_ms)
{
    if (!fabric_net_turn(&r->net, wait_ms)) {
        die("a switch was cut off");
    }
}

/* Steps. */

static void
begin(struct run *r)
{
    r->start_mods = r->net.mods;
    r->start_cpu = bench_daemon_cpu_ns(&r->daemon);
    r->start_ns = r->net.last_ns = r->net.last_mod_ns = bench_now_ns();
}

/* Ends the step that begin() began. */
static void
measure(struct run *r, const char *step, bool links)
{
    bool probes = links && !strcmp(l2, "fabric"); /* Else nobody probes. */
    bool done = fabric_net_settle(&r->net, probes,
                                  r->start_ns + limit_s * INT64_C(1000000000));

    r->costs[r->n_costs++] = (struct cost){
        .step = step,
        .wall_s = (double) (r->net.last_ns - r->start_ns) / 1e9,
        .cpu_s =
            (double) (bench_daemon_cpu_ns(&r->daemon) - r->start_cpu) / 1e9,
        .mods = r->net.mods - r->start_mods,
        .rss = bench_daemon_rss(&r->daemon),
        .done = done,
    };
}

/* Hosts and channels. */

static uint32_t
mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

/* The host that is member 'k' of 'channel': each on a leaf of its own, where
 * there are leaves enough. */
static size_t
member(const struct run *r, size_t channel, size_t k)
{
    uint32_t seed = mix((uint32_t) channel + 1);
    size_t n_leaves = r->net.n_leaves, spread = n_leaves / N_MEMBERS;
    size_t stride = 1 + (spread ? mix(seed) % spread : 0);
    size_t leaf = (seed + k * stride) % n_leaves;

    return leaf * FABRIC_HOSTS + mix(seed + (uint32_t) k) % FABRIC_HOSTS;
}

static struct fabric_switch *
leaf_of(struct run *r, size_t host, uint32_t *port)
{
    *port = (uint32_t) (r->net.n_spines + host % FABRIC_HOSTS) + 1;
    return &r->net.switches[r->net.n_spines + host / FABRIC_HOSTS];
}

static struct mac_addr
host_mac(size_t host)
{
    return (struct mac_addr){
        {2, 1, 0, 0, (uint8_t) (host >> 8), (uint8_t) host}};
}

static void
announce(struct run *r, size_t host)
{
    uint8_t frame[60] = {0};
    struct mac_addr mac = host_mac(host);
    uint32_t port;
    struct fabric_switch *s = leaf_of(r, host, &port);
    struct wire_writer w;

    wire_writer_init(&w, frame, sizeof frame);
    wire_put(&w, "\xff\xff\xff\xff\xff\xff", 6);
    wire_put(&w, &mac, 6);
    wire_put_be16(&w, 0x0806);
    wire_put(&w, "\x00\x01\x08\x00\x06\x04\x00\x01", 8);
    wire_put(&w, &mac, 6);
    wire_put_be32(&w, 0x0a010000 + (uint32_t) host);
    wire_put_zeros(&w, 6);
    wire_put_be32(&w, 0x0a010000 + (uint32_t) host);
    fabric_punt(s, port, FABRIC_L2, frame, sizeof frame);
}

/* 'host' joins the 'n' channels, which are few enough for one report. */
static void
report(struct run *r, size_t host, const uint32_t *channels, size_t n)
{
    struct igmp_report_record records[64];
    struct igmp_report report = {
        .version = 3,
        .eth_src = host_mac(host),
        .ip_src = ip_addr_v4(0x0a010000 + (uint32_t) host),
        .records = records,
        .n_records = n,
    };
    uint8_t frame[1500];
    uint32_t port;
    struct fabric_switch *s = leaf_of(r, host, &port);

    memset(records, 0, sizeof records);
    for (size_t i = 0; i < n; i++) {
        records[i].type = IGMP_CHANGE_TO_EXCLUDE;
        records[i].group = ip_addr_v4(UINT32_C(0xe1010000) + channels[i]);
    }

    size_t size = igmp_report_encode(&report, frame, sizeof frame);

    if (!size) {
        die("report too large");
    }
    fabric_punt(s, port, FABRIC_CONTROL, frame, size);
}

/* All members of channels 'first' to 'last' - 1 join, host by host. */
static void
join_all(struct run *r, size_t first, size_t last)
{
    enum { AT_ONCE = 60 };
    struct waiting {
        uint32_t channels[AT_ONCE];
        size_t n;
    } *waiting = xcalloc(r->n_hosts, sizeof *waiting);

    for (size_t c = first; c < last; c++) {
        for (size_t k = 0; k < N_MEMBERS; k++) {
            size_t host = member(r, c, k);
            struct waiting *w = &waiting[host];

            w->channels[w->n++] = (uint32_t) c;
            if (w->n == AT_ONCE) {
                report(r, host, w->channels, w->n);
                w->n = 0;
            }
        }
    }
    for (size_t host = 0; host < r->n_hosts; host++) {
        if (waiting[host].n) {
            report(r, host, waiting[host].channels, waiting[host].n);
        }
    }
    free(waiting);
}

/* Whether a packet of 'channel' from the leaf of its first member comes to
 * each member once, and to nobody else. */
static bool
right(struct run *r, size_t channel, unsigned int *copies)
{
    size_t n = 0;

    memset(copies, 0, r->n_hosts * sizeof *copies);
    if (!fabric_walk(&r->net, channel, member(r, channel, 0) / FABRIC_HOSTS,
                     copies)) {
        return false;
    }
    for (size_t k = 0; k < N_MEMBERS; k++) {
        unsigned int *copy = &copies[member(r, channel, k)];

        if (!*copy) {
            return false;
        }
        n += *copy == 1;
        *copy = 2; /* Seen: leaves that are few have hosts in it twice. */
    }
    for (size_t host = 0; host < r->n_hosts; host++) {
        n -= copies[host] != 0;
    }
    return !n;
}

/* Walks a sample of the channels. */
static void
check(struct run *r, const char *when)
{
    unsigned int *copies = xcalloc(r->n_hosts, sizeof *copies);
    size_t n = n_sampled < n_channels ? n_sampled : n_channels, n_right = 0;

    for (size_t i = 0; i < n; i++) {
        n_right += right(r, i * (n_channels / n), copies);
    }
    free(copies);
    printf("  %-50s %8zu of %zu%s\n", when, n_right, n,
           n_right < n ? " MISS" : "");
}

/* Parts. */

/* A connection that goes at once: from then on its memory is its own. */
static bool
wait_until_it_listens(const struct bench_daemon *d)
{
    struct bench_peer p;
    bool listens;

    bench_peer_init(&p, 1, 1);
    listens = bench_peer_connect(&p, d->openflow_port, 10000);
    bench_peer_uninit(&p);
    return listens;
}

static void
cold_start(struct run *r)
{
    if (!bench_daemon_start(&r->daemon, program)) {
        die("cannot start the daemon");
    }
    if (!wait_until_it_listens(&r->daemon)) {
        die("the daemon does not listen");
    }
    r->empty_rss = bench_daemon_rss(&r->daemon);
    begin(r);
    if (!fabric_net_connect(&r->net, r->daemon.openflow_port)) {
        die("cannot connect to the daemon");
    }
    measure(r, "switches connect, links", true);
    if (!r->net.flow_mods) {
        die("the daemon programs no pipeline");
    }
    begin(r);
    for (size_t host = 0; host < r->n_hosts; host++) {
        announce(r, host);
    }
    measure(r, "hosts", false);
}

/* From the packet-in to the group at the host's leaf, in nanoseconds. */
static int64_t
time_join(struct run *r, size_t host, uint32_t channel)
{
    uint32_t port;
    struct fabric_switch *s = leaf_of(r, host, &port);
    int64_t start_ns = bench_now_ns();

    report(r, host, &channel, 1);
    while (!s->group_of[channel]) {
        turn(r, 0);
        if (bench_now_ns() - start_ns > 2 * INT64_C(1000000000)) {
            return -1;
        }
    }
    return bench_now_ns() - start_ns;
}

/* The 'stage'th time: joins of channels of their own. */
static void
time_joins(struct run *r, int stage, size_t n_before)
{
    int64_t ns[N_SINGLE];
    size_t n = 0;

    for (size_t i = 0; i < N_SINGLE; i++) {
        size_t channel = n_channels + (size_t) stage * N_SINGLE + i;

        ns[n] = time_join(r, member(r, channel, 0), (uint32_t) channel);
        if (ns[n] < 0) {
            break;
        }
        n++;
    }
    printf(
        "  one join at %5zu channels, p50 and p99, us       %8.0f %8.0f%s\n",
        n_before, (double) bench_percentile(ns, n, 50) / 1e3,
        (double) bench_percentile(ns, n, 99) / 1e3,
        n < N_SINGLE ? " (one had no effect) MISS" : "");
    fflush(stdout);
}

static void
channels(struct run *r)
{
    size_t tenth = n_channels / 10;

    time_joins(r, 0, 0);
    begin(r);
    join_all(r, 0, tenth);
    measure(r, "a tenth of the channels", false);
    time_joins(r, 1, tenth);
    begin(r);
    join_all(r, tenth, n_channels);
    measure(r, "the other channels", false);
    time_joins(r, 2, n_channels);
    check(r, "channels that reach each member once");
}

/* How many channels and switches were touched since the last clearing, and
 * how many channels that had nothing to do with it. */
static void
print_touched(const struct run *r, const char *what, const bool *concerned)
{
    size_t n = 0, n_others = 0, n_switches = 0, n_concerned = 0;

    for (size_t c = 0; c < r->net.n_channels; c++) {
        n += r->net.touched[c];
        n_others += r->net.touched[c] && !concerned[c];
        n_concerned += concerned[c];
    }
    for (size_t i = 0; i < r->net.n; i++) {
        n_switches += r->net.switches[i].touched;
    }
    printf("  %s: last mod after %.0f ms; %zu channels concerned,\n"
           "    %zu touched, %zu of them not concerned%s; %zu switches\n",
           what, (double) (r->net.last_mod_ns - r->start_ns) / 1e6,
           n_concerned, n, n_others, n_others ? " MISS" : "", n_switches);
}

/* Which channels use 'spine', as its flows tell. */
static bool *
concerned_by(const struct run *r, size_t spine)
{
    bool *concerned = xcalloc(r->net.n_channels, sizeof *concerned);

    for (size_t c = 0; c < r->net.n_channels; c++) {
        concerned[c] = r->net.switches[spine].group_of[c] != 0;
    }
    return concerned;
}

static void
link_flaps(struct run *r)
{
    enum { SPINE = 1 };
    bool *concerned = concerned_by(r, SPINE);

    fabric_net_clear_touched(&r->net);
    begin(r);
    fabric_set_link(&r->net, 0, SPINE, true, true);
    measure(r, "a link goes", false);
    print_touched(r, "a link goes", concerned);
    check(r, "channels that reach each member once, without");
    begin(r);
    fabric_set_link(&r->net, 0, SPINE, false, true);
    measure(r, "the link comes back", true);
    free(concerned);
}

static void
spine_fails(struct run *r)
{
    enum { SPINE = 0 };
    bool *concerned = concerned_by(r, SPINE);

    fabric_net_clear_touched(&r->net);
    begin(r);
    bench_peer_disconnect(&r->net.switches[SPINE].peer);
    for (size_t l = 0; l < r->net.n_leaves; l++) {
        fabric_set_link(&r->net, l, SPINE, true, false);
    }
    measure(r, "a spine fails", false);
    print_touched(r, "a spine fails", concerned);
    check(r, "channels that reach each member once, without");
    free(concerned);
}

static void
print_memory(const struct run *r)
{
    const struct cost *c = r->costs;

    printf("  memory: a switch, with its links, %.1f KiB; a host %.0f bytes;"
           " a channel %.0f bytes\n",
           (double) (c[0].rss - r->empty_rss) / (double) r->net.n / 1024,
           ((double) c[1].rss - (double) c[0].rss) / (double) r->n_hosts,
           ((double) c[3].rss - (double) c[1].rss) / (double) n_channels);
}

static void
run_size(struct run *r, size_t n)
{
    memset(r, 0, sizeof *r);
    fabric_net_init(&r->net, N_SPINES, n - N_SPINES,
                    n_channels + (size_t) N_STAGES * N_SINGLE);
    r->n_hosts = r->net.n_leaves * FABRIC_HOSTS;
    r->n_links = r->net.n_leaves * N_SPINES;
    printf("\n%zu switches, %zu links, %zu hosts, %zu channels of %d\n", n,
           r->n_links, r->n_hosts, n_channels, N_MEMBERS);
    cold_start(r);
    channels(r);
    link_flaps(r);
    spine_fails(r);
    print_memory(r);
    fabric_net_uninit(&r->net);
    bench_daemon_stop(&r->daemon);
}

/* One line a step and size; the ratios are to the size before: of the cpu
 * time a switch and a link, where 1 is linear. */
static void
print_table(const struct run *runs, size_t n_runs)
{
    printf("\n%-24s %8s %9s %9s %9s %9s %9s %9s\n", "step", "switches",
           "wall s", "cpu s", "mods", "RSS MiB", "x switch", "x link");
    for (size_t step = 0; step < runs[0].n_costs; step++) {
        for (size_t i = 0; i < n_runs; i++) {
            const struct run *r = &runs[i], *last = i ? r - 1 : r;
            const struct cost *c = &r->costs[step];
            double cpu = last->costs[step].cpu_s;
            double ratio = cpu > 0 ? c->cpu_s / cpu : 0;

            printf("%-24s %8zu %9.3f %9.3f %9llu %9.1f", i ? "" : c->step,
                   r->net.n, c->wall_s, c->cpu_s, (unsigned long long) c->mods,
                   (double) c->rss / (1 << 20));
            if (i) {
                printf(" %9.2f %9.2f",
                       ratio * (double) last->net.n / (double) r->net.n,
                       ratio * (double) last->n_links / (double) r->n_links);
            }
            puts(c->done ? "" : " (did not settle) MISS");
        }
    }
}

static size_t
parse_sizes(char *text, size_t *sizes)
{
    size_t n = 0;

    for (char *save, *p = strtok_r(text, ",", &save); p && n < MAX_SIZES;
         p = strtok_r(NULL, ",", &save)) {
        sizes[n] = strtoul(p, NULL, 10);
        if (sizes[n] <= N_SPINES || sizes[n] > 3000) {
            die("a size is a number from 17 to 3000");
        }
        n++;
    }
    return n;
}

static void
usage(void)
{
    fprintf(stderr, "usage: bench-fabric [--program OFMCASTD] [--quick] "
                    "[--switches N,...] [--l2 normal]\n");
    exit(2);
}

static size_t
parse_options(int argc, char *argv[], size_t *sizes)
{
    static const struct option options[] = {
        {"program", required_argument, NULL, 'p'},
        {"quick", no_argument, NULL, 'q'},
        {"switches", required_argument, NULL, 's'},
        {"l2", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0}};
    size_t n_sizes = 3;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'p':
            program = optarg;
            break;
        case 'q':
            n_sizes = 2;
            n_channels = 1000;
            break;
        case 's':
            n_sizes = parse_sizes(optarg, sizes);
            break;
        case 'l':
            l2 = optarg;
            break;
        default:
            usage();
        }
    }
    return n_sizes;
}

int
main(int argc, char *argv[])
{
    static struct run runs[MAX_SIZES];
    size_t sizes[MAX_SIZES] = {125, 250, 500};
    size_t n_sizes = parse_options(argc, argv, sizes);
    char config[64];

    /* Trees stay where a failure has put them: what is counted is of that. */
    snprintf(config, sizeof config, "l2: %s\nfabric: {hold_time: 3600}\n", l2);
    bench_daemon_config(config);
    bench_raise_limits();
    bench_pin_self();
    for (size_t i = 0; i < n_sizes; i++) {
        run_size(&runs[i], sizes[i]);
    }
    if (n_sizes) {
        print_table(runs, n_sizes);
    }
    return 0;
}
