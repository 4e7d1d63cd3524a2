/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A host: joins a group by its kernel's IGMP or MLD, receives, and says
 * exactly what came in.  With --raw it is a tap that sees every multicast
 * frame on the wire, whether the kernel wants it or not, verifies its
 * checksums and counts by Ethernet destination. */

#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/arrival.h"
#include "lab/mcjoin.h"
#include "lab/tally.h"

enum {
    MAX_IFACES = 256,
    BATCH = 64,
    RECEIVE_BUFFER = 16 << 20,
    SECOND = 1000000000
};

struct options {
    struct mcjoin join; /* Group and filter. */
    uint16_t port;
    bool raw, no_join;
    bool commands;  /* Read changes of the filter from stdin. */
    uint64_t count; /* Stop after so many packets on each interface. */
    int idle_ms;    /* Stop after so much silence behind a packet. */
    int every_ms;   /* Report progress. */
    int within_ms;  /* Of the first packet's sending; then all is late. */
    int lazy_ms;    /* Rest between two rounds, to receive in batches. */
};

struct receiver {
    const char *iface;
    unsigned int ifindex;
    int fd;
    uint64_t joined_ns;
    struct tally tally;
};

static struct options options = {.join.exclude = true, .lazy_ms = 2};
static struct receiver receivers[MAX_IFACES];
static size_t n_receivers;
/* Realtime minus monotonic: the kernel's stamps are realtime. */
static uint64_t realtime_offset;
static volatile sig_atomic_t stop, leave, join;

static void
on_signal(int sig)
{
    stop |= sig == SIGTERM || sig == SIGINT;
    leave |= sig == SIGUSR1;
    join |= sig == SIGUSR2;
}

static void
die(const char *what)
{
    fprintf(stderr, "mcrecv: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t
clock_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t) ts.tv_sec * SECOND + (uint64_t) ts.tv_nsec;
}

static void
set_option(int fd, int level, int name, int value, const char *what)
{
    if (setsockopt(fd, level, name, &value, sizeof value) < 0) {
        die(what);
    }
}

static void
tell(const char *event, const struct receiver *r)
{
    printf("{\"event\":\"%s\",\"iface\":\"%s\",\"t_ns\":%llu}\n", event,
           r->iface, (unsigned long long) clock_ns(CLOCK_MONOTONIC));
    fflush(stdout);
}

static void
change_membership(struct receiver *r, bool in)
{
    int error = in ? mcjoin_join(&options.join, r->fd, r->ifindex)
                   : mcjoin_leave(&options.join, r->fd, r->ifindex);

    if (error) {
        errno = error;
        die(in ? "join" : "leave");
    }
    if (in && options.join.exclude && options.join.n_sources) {
        /* The API joins first and filters then: this came in between. */
        while (recv(r->fd, NULL, 0, MSG_TRUNC) >= 0) {
            continue;
        }
    }
    tell(in ? "joined" : "left", r);
}

static void
set_udp_options(int fd, bool v4)
{
    /* What other sockets joined is none of ours, unless that is the point. */
    if (v4) {
        set_option(fd, IPPROTO_IP, IP_RECVTTL, 1, "IP_RECVTTL");
        set_option(fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
        set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, options.no_join,
                   "IP_MULTICAST_ALL");
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1,
                   "IPV6_RECVHOPLIMIT");
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
        set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, options.no_join,
                   "IPV6_MULTICAST_ALL");
    }
}

static void
open_udp(struct receiver *r)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons(options.port)};
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6,
                                .sin6_port = htons(options.port)};
    bool v4 = ip_addr_is_v4(&options.join.group);

    r->fd = socket(v4 ? AF_INET : AF_INET6,
                   SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd < 0) {
        die("socket");
    }
    set_option(r->fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    set_udp_options(r->fd, v4);
    if (setsockopt(r->fd, SOL_SOCKET, SO_BINDTODEVICE, r->iface,
                   (socklen_t) strlen(r->iface))
        < 0) {
        die(r->iface);
    }
    if (v4 ? bind(r->fd, (struct sockaddr *) &any, sizeof any)
           : bind(r->fd, (struct sockaddr *) &any6, sizeof any6)) {
        die("bind");
    }
}

static void
open_raw(struct receiver *r)
{
    struct sockaddr_ll ll = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int) r->ifindex};

    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd < 0) {
        die("socket");
    }
    set_option(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1,
               "PACKET_IGNORE_OUTGOING");
    set_option(r->fd, SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
    if (bind(r->fd, (struct sockaddr *) &ll, sizeof ll) < 0) {
        die("bind");
    }
}

static void
open_receiver(struct receiver *r)
{
    r->tally.limit_ns = (uint64_t) options.within_ms * 1000000;
    r->ifindex = if_nametoindex(r->iface);
    if (!r->ifindex) {
        die(r->iface);
    }
    if (options.raw) {
        open_raw(r);
    } else {
        open_udp(r);
    }
    set_option(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER,
               "SO_RCVBUFFORCE");
    set_option(r->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
    if (!options.no_join && !options.raw) {
        r->joined_ns = clock_ns(CLOCK_MONOTONIC);
        change_membership(r, true);
    }
}

static void
take_raw(struct receiver *r, const uint8_t *data, size_t size, uint16_t vlan,
         uint64_t when)
{
    const struct ip_addr *group = &options.join.group;
    struct mark_frame f;

    if (!mark_frame_get(data, size, &f)
        || (!ip_addr_is_any(group) && !ip_addr_equal(&f.path.group, group))) {
        return;
    }
    if (vlan) {
        f.path.vlan = vlan;
    }
    if (!f.mac_ok || !f.ip_ok || !f.udp_ok) {
        r->tally.bad_checksum++;
    }
    tally_add_frame(&r->tally, &f.eth_dst);
    tally_add(&r->tally, f.payload, f.size, &f.path, when);
}

static void
take(struct receiver *r, struct msghdr *msg, const uint8_t *data, size_t size)
{
    struct mark_path path = {.port = options.port};
    uint64_t when = arrival_read(msg, &path) - realtime_offset;

    if (options.raw) {
        take_raw(r, data, size, path.vlan, when);
        return;
    }
    path.source = arrival_source(msg);
    tally_add(&r->tally, data, size, &path, when);
}

/* Takes all that is there. */
static void
drain(struct receiver *r)
{
    static uint8_t data[BATCH][2048], control[BATCH][256];
    static struct sockaddr_storage from[BATCH];
    struct mmsghdr msgs[BATCH];
    struct iovec iov[BATCH];
    int n;

    do {
        memset(msgs, 0, sizeof msgs);
        for (size_t i = 0; i < BATCH; i++) {
            iov[i].iov_base = data[i];
            iov[i].iov_len = sizeof data[i];
            msgs[i].msg_hdr.msg_iov = &iov[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
            msgs[i].msg_hdr.msg_control = control[i];
            msgs[i].msg_hdr.msg_controllen = sizeof control[i];
            msgs[i].msg_hdr.msg_name = &from[i];
            msgs[i].msg_hdr.msg_namelen = sizeof from[i];
        }
        n = recvmmsg(r->fd, msgs, BATCH, 0, NULL);
        for (int i = 0; i < n; i++) {
            take(r, &msgs[i].msg_hdr, data[i], msgs[i].msg_len);
        }
    } while (n == BATCH);
    if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN) {
        die("recvmmsg");
    }
}

static void
report(bool done)
{
    for (size_t i = 0; i < n_receivers; i++) {
        struct receiver *r = &receivers[i];

        printf("{\"event\":\"%s\",\"iface\":\"%s\",\"t_ns\":%llu,"
               "\"joined_ns\":%llu,",
               done ? "done" : "progress", r->iface,
               (unsigned long long) clock_ns(CLOCK_MONOTONIC),
               (unsigned long long) r->joined_ns);
        tally_print(&r->tally, done, stdout);
        puts("}");
    }
    fflush(stdout);
}

static void
do_membership(void)
{
    bool out = leave, in = join;

    leave = join = 0;
    for (size_t i = 0; i < n_receivers; i++) {
        if (out) {
            change_membership(&receivers[i], false);
        }
        if (in) {
            receivers[i].joined_ns = clock_ns(CLOCK_MONOTONIC);
            change_membership(&receivers[i], true);
        }
    }
}

/* Takes a line of stdin, if there is one. */
static void
do_command(void)
{
    unsigned int ifindexes[MAX_IFACES];
    int fds[MAX_IFACES], error;
    char line[16384];

    if (!fgets(line, sizeof line, stdin)) {
        options.commands = false;
        return;
    }
    for (size_t i = 0; i < n_receivers; i++) {
        fds[i] = receivers[i].fd;
        ifindexes[i] = receivers[i].ifindex;
    }
    if (!mcjoin_command(&options.join, line, fds, ifindexes, n_receivers,
                        &error)) {
        fprintf(stderr, "mcrecv: no such command: %s", line);
        exit(2);
    }
    if (error) {
        errno = error;
        die(line);
    }
    for (size_t i = 0; i < n_receivers; i++) {
        tell("changed", &receivers[i]);
    }
}

/* By --count or --idle-ms, on every interface. */
static bool
finished(uint64_t now)
{
    if (!options.count && !options.idle_ms) {
        return false;
    }
    for (size_t i = 0; i < n_receivers; i++) {
        const struct tally *t = &receivers[i].tally;
        uint64_t idle = (uint64_t) options.idle_ms * 1000000;
        bool enough = options.count && tally_unique(t) >= options.count;
        bool silent = idle && t->last_ns && now > t->last_ns + idle;

        if (!enough && !silent) {
            return false;
        }
    }
    return true;
}

/* Until something can be read, a signal comes, or it is time. */
static void
wait_for(struct pollfd *fds, size_t n, uint64_t ns)
{
    struct timespec ts = {(time_t) (ns / SECOND), (long) (ns % SECOND)};
    sigset_t none, all;

    sigemptyset(&none);
    ppoll(fds, (nfds_t) n, &ts, &none);
    /* It takes no signal where something can be read at once, as in the midst
     * of a stream always. */
    sigprocmask(SIG_SETMASK, &none, &all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
run(void)
{
    struct timespec rest = {0, options.lazy_ms * 1000000L};
    struct pollfd fds[MAX_IFACES + 1];
    uint64_t every = (uint64_t) options.every_ms * 1000000;
    uint64_t next = clock_ns(CLOCK_MONOTONIC) + every;
    bool last;

    for (size_t i = 0; i < n_receivers; i++) {
        fds[i] = (struct pollfd){.fd = receivers[i].fd, .events = POLLIN};
    }
    fds[n_receivers] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    do {
        last = stop;
        for (size_t i = 0; i < n_receivers; i++) {
            drain(&receivers[i]);
        }
        if (leave || join) {
            do_membership();
        }
        if (options.commands && poll(&fds[n_receivers], 1, 0) > 0) {
            do_command();
        }

        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (every && now >= next) {
            report(false);
            next = now + every;
        }
        if (last || finished(now)) {
            break;
        }
        nanosleep(&rest, NULL);
        wait_for(fds, n_receivers + options.commands,
                 options.idle_ms       ? 20000000
                 : every && next > now ? next - now
                                       : SECOND);
    } while (true);
    report(true);
}

static void
usage(int status)
{
    fputs("usage: mcrecv --iface IF... --group G --port P [--no-join]\n"
          "              [--source S... | --exclude S...] [--commands]\n"
          "       mcrecv --iface IF... --raw [--group G]\n"
          "              [--count N] [--idle-ms MS] [--every MS]"
          " [--lazy-ms MS]\n"
          "              [--within-ms MS]\n"
          "Receives until N packets, MS of silence, or SIGTERM; then prints\n"
          "one JSON line for each interface.  With --within-ms what comes\n"
          "so long after the first was sent is late.  SIGUSR1 leaves the "
          "group, SIGUSR2\n"
          "joins it again.  With --commands, lines of stdin change\n"
          "the filter: allow S..., block S..., include S..., exclude S...\n",
          status ? stderr : stdout);
    exit(status);
}

static struct ip_addr
parse_ip(const char *s)
{
    struct ip_addr a;

    if (!ip_addr_parse(s, &a)) {
        fprintf(stderr, "mcrecv: %s is no IP address\n", s);
        exit(2);
    }
    return a;
}

static void
add_source(const char *s, bool exclude)
{
    struct mcjoin *j = &options.join;

    if (j->n_sources == MCJOIN_SOURCES
        || (j->n_sources && j->exclude != exclude)) {
        fputs("mcrecv: too many sources, or of both kinds\n", stderr);
        exit(2);
    }
    j->exclude = exclude;
    j->sources[j->n_sources++] = parse_ip(s);
}

static unsigned long
parse_number(const char *s, unsigned long max)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(s, &end, 0);
    if (errno || end == s || *end || *s == '-' || n > max) {
        fprintf(stderr, "mcrecv: %s: a number up to %lu is wanted\n", s, max);
        exit(2);
    }
    return n;
}

static void
add_iface(const char *name)
{
    if (n_receivers == MAX_IFACES) {
        fprintf(stderr, "mcrecv: at most %d interfaces\n", MAX_IFACES);
        exit(2);
    }
    receivers[n_receivers++].iface = name;
}

static void
take_option(int c, const char *arg)
{
    const unsigned long hour_ms = 3600000;

    switch (c) {
    case 'i':
        add_iface(arg);
        break;
    case 'g':
        options.join.group = parse_ip(arg);
        break;
    case 's':
    case 'x':
        add_source(arg, c == 'x');
        break;
    case 'p':
        options.port = (uint16_t) parse_number(arg, UINT16_MAX);
        break;
    case 'n':
        options.count = parse_number(arg, UINT32_MAX);
        break;
    case 'I':
        options.idle_ms = (int) parse_number(arg, hour_ms);
        break;
    case 'e':
        options.every_ms = (int) parse_number(arg, hour_ms);
        break;
    case 'w':
        options.within_ms = (int) parse_number(arg, hour_ms);
        break;
    case 'z':
        options.lazy_ms = (int) parse_number(arg, 999);
        break;
    case 'j':
        options.no_join = true;
        break;
    case 'c':
        options.commands = true;
        break;
    case 'r':
        options.raw = true;
        break;
    default:
        usage(c == 'h' ? 0 : 2);
    }
}

static const struct option OPTIONS[] = {
    {"iface", required_argument, NULL, 'i'},
    {"group", required_argument, NULL, 'g'},
    {"source", required_argument, NULL, 's'},
    {"exclude", required_argument, NULL, 'x'},
    {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'n'},
    {"idle-ms", required_argument, NULL, 'I'},
    {"every", required_argument, NULL, 'e'},
    {"within-ms", required_argument, NULL, 'w'},
    {"lazy-ms", required_argument, NULL, 'z'},
    {"no-join", no_argument, NULL, 'j'},
    {"commands", no_argument, NULL, 'c'},
    {"raw", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static void
parse(int argc, char *argv[])
{
    int c;

    while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        take_option(c, optarg);
    }
    if (optind < argc || !n_receivers
        || (!options.raw
            && (!ip_addr_is_multicast(&options.join.group)
                || !options.port))) {
        usage(2);
    }
}

int
main(int argc, char *argv[])
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigset_t signals;

    /* They come while it waits, and never just before. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    sigaction(SIGUSR2, &sa, NULL);
    parse(argc, argv);
    realtime_offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < n_receivers; i++) {
        open_receiver(&receivers[i]);
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* Else poll() would miss a line. */
    puts("{\"event\":\"ready\"}");
    fflush(stdout);
    run();
    for (size_t i = 0; i < n_receivers; i++) {
        close(receivers[i].fd);
        tally_uninit(&receivers[i].tally);
    }
    return 0;
}
