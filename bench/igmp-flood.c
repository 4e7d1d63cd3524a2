/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A host gone mad: reports of random groups out of an interface, at a rate. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "igmp/igmp-msg.h"

enum { BATCH = 64, MAX_FRAME = 128, NAP_NS = 50000, SECOND = 1000000000 };

struct options {
    const char *iface;
    double rate;
    double seconds; /* 0: until SIGTERM. */
    int version;    /* As of IGMP: 2 or 3. */
    bool ipv6;
    uint32_t macs;   /* Hosts to pretend. */
    uint32_t groups; /* To choose from, 2^24 at most. */
    uint32_t seed;
};

struct flood {
    const struct options *o;
    int fd;
    uint32_t random;
    uint8_t frames[BATCH][MAX_FRAME];
    struct iovec iov[BATCH];
    struct mmsghdr msgs[BATCH];
    uint64_t sent;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
    (void) sig;
    stop = 1;
}

static void
die(const char *what)
{
    fprintf(stderr, "igmp-flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double
now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec / SECOND;
}

/* xorshift32: the same groups for the same seed. */
static uint32_t
next_random(struct flood *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 17;
    f->random ^= f->random << 5;
    return f->random;
}

static struct ip_addr
random_group(struct flood *f)
{
    uint32_t r = next_random(f) % f->o->groups;
    struct ip_addr group = {{0xff, 0x1e, [12] = (uint8_t) (r >> 24),
                             (uint8_t) (r >> 16), (uint8_t) (r >> 8),
                             (uint8_t) r}};

    return f->o->ipv6 ? group : ip_addr_v4(0xef000000 | r);
}

static void
build(struct flood *f, size_t slot)
{
    uint32_t host = f->o->macs > 1 ? next_random(f) % f->o->macs : 0;
    const struct igmp_report_record record = {.type = IGMP_CHANGE_TO_EXCLUDE,
                                              .group = random_group(f)};
    const struct ip_addr link_local = {
        {0xfe, 0x80, [13] = 0xbd, (uint8_t) (host >> 8), (uint8_t) host}};
    const struct igmp_report report = {
        .family = f->o->ipv6 ? IGMP_IPV6 : IGMP_IPV4,
        .version = f->o->version,
        .eth_src = {{2, 0xbd, (uint8_t) (host >> 24), (uint8_t) (host >> 16),
                     (uint8_t) (host >> 8), (uint8_t) host}},
        .ip_src =
            f->o->ipv6 ? link_local : ip_addr_v4(0x0a640001 + (host & 0xffff)),
        .records = &record,
        .n_records = 1};

    f->iov[slot].iov_len =
        igmp_report_encode(&report, f->frames[slot], MAX_FRAME);
}

static void
open_socket(struct flood *f)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_IP)};

    f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    to.sll_ifindex = (int) if_nametoindex(f->o->iface);
    if (f->fd < 0 || !to.sll_ifindex
        || bind(f->fd, (struct sockaddr *) &to, sizeof to) < 0) {
        die(f->o->iface);
    }
    for (size_t i = 0; i < BATCH; i++) {
        f->iov[i].iov_base = f->frames[i];
        f->msgs[i].msg_hdr.msg_iov = &f->iov[i];
        f->msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

static void
send_batch(struct flood *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        build(f, i);
    }
    int sent = sendmmsg(f->fd, f->msgs, (unsigned int) n, 0);
    if (sent > 0) {
        f->sent += (uint64_t) sent;
    } else if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
        die("sendmmsg");
    }
}

static void
run(struct flood *f)
{
    const struct options *o = f->o;
    double start = now_s(), now = start;

    while (!stop && (!o->seconds || now - start < o->seconds)) {
        uint64_t due = (uint64_t) ((now - start) * o->rate) + 1;

        if (due > f->sent) {
            uint64_t n = due - f->sent;

            send_batch(f, n < BATCH ? (size_t) n : BATCH);
        } else {
            nanosleep(&(struct timespec){0, NAP_NS}, NULL);
        }
        now = now_s();
    }
    printf("{\"event\":\"done\",\"sent\":%llu,\"seconds\":%.3f,"
           "\"rate\":%.1f}\n",
           (unsigned long long) f->sent, now - start,
           (double) f->sent / (now - start));
}

static void
usage(int status)
{
    fputs(
        "usage: igmp-flood --iface IF [--rate PPS] [--seconds S]\n"
        "                  [--version 2|3] [--ipv6] [--macs N] [--groups N]\n"
        "                  [--seed N]\n"
        "Sends IGMP reports (MLD: version 2 is MLDv1) of random groups of\n"
        "239.0.0.0/8, as N hosts; S = 0 (the default): until SIGTERM.\n"
        "Prints one JSON line at the end.\n",
        status ? stderr : stdout);
    exit(status);
}

static const struct option OPTIONS[] = {
    {"iface", required_argument, NULL, 'i'},
    {"rate", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 't'},
    {"version", required_argument, NULL, 'v'},
    {"ipv6", no_argument, NULL, '6'},
    {"macs", required_argument, NULL, 'm'},
    {"groups", required_argument, NULL, 'g'},
    {"seed", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static void
set_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case 'i':
        o->iface = arg;
        break;
    case 'r':
        o->rate = atof(arg);
        break;
    case 't':
        o->seconds = atof(arg);
        break;
    case 'v':
        o->version = atoi(arg);
        break;
    case '6':
        o->ipv6 = true;
        break;
    case 'm':
        o->macs = (uint32_t) strtoul(arg, NULL, 0);
        break;
    case 'g':
        o->groups = (uint32_t) strtoul(arg, NULL, 0);
        break;
    case 's':
        o->seed = (uint32_t) strtoul(arg, NULL, 0);
        break;
    default:
        usage(c == 'h' ? 0 : 2);
    }
}

int
main(int argc, char *argv[])
{
    struct options o = {
        .rate = 50000, .version = 3, .macs = 1, .groups = 1 << 24, .seed = 1};
    static struct flood f;
    int c;

    while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        set_option(&o, c, optarg);
    }
    if (optind < argc || !o.iface || !(o.rate > 0)
        || (o.version != 2 && o.version != 3) || !o.seed || !o.groups
        || o.groups > 1 << 24) {
        usage(2);
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    f.o = &o;
    f.random = o.seed;
    open_socket(&f);
    run(&f);
    return 0;
}
