/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A host: joins a group by its kernel's IGMP, receives, and says exactly what
 * came in.  With --raw it is a tap that sees every multicast frame on the
 * wire, whether the kernel wants it or not, and verifies its checksums. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/tally.h"

enum {
    MAX_IFACES = 256,
    BATCH = 64,
    RECEIVE_BUFFER = 16 << 20,
    SECOND = 1000000000
};

struct options {
    struct in_addr group, source; /* A source makes it SSM. */
    uint16_t port;
    bool raw, join;
    uint64_t count; /* Stop after so many packets on each interface. */
    int idle_ms;    /* Stop after so much silence behind a packet. */
    int every_ms;   /* Report progress. */
    int lazy_ms;    /* Rest between two rounds, to receive in batches. */
};

struct receiver {
    const char *iface;
    unsigned int ifindex;
    int fd;
    uint64_t joined_ns;
    struct tally tally;
};

static struct options options = {.join = true, .lazy_ms = 2};
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

static struct sockaddr_storage
in_storage(struct in_addr a)
{
    struct sockaddr_storage ss;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = a};

    memset(&ss, 0, sizeof ss);
    memcpy(&ss, &sin, sizeof sin);
    return ss;
}

static void
change_membership(struct receiver *r, bool in)
{
    struct group_source_req ssm = {.gsr_interface = r->ifindex,
                                   .gsr_group = in_storage(options.group),
                                   .gsr_source = in_storage(options.source)};
    struct group_req any = {.gr_interface = r->ifindex,
                            .gr_group = in_storage(options.group)};
    int error;

    if (options.source.s_addr) {
        error =
            setsockopt(r->fd, IPPROTO_IP,
                       in ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
                       &ssm, sizeof ssm);
    } else {
        error = setsockopt(r->fd, IPPROTO_IP,
                           in ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &any,
                           sizeof any);
    }
    if (error) {
        die(in ? "join" : "leave");
    }
    printf("{\"event\":\"%s\",\"iface\":\"%s\",\"t_ns\":%llu}\n",
           in ? "joined" : "left", r->iface,
           (unsigned long long) clock_ns(CLOCK_MONOTONIC));
    fflush(stdout);
}

static void
open_udp(struct receiver *r)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons(options.port)};

    r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd < 0) {
        die("socket");
    }
    set_option(r->fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    set_option(r->fd, IPPROTO_IP, IP_RECVTTL, 1, "IP_RECVTTL");
    set_option(r->fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
    /* What other sockets joined is none of ours, unless that is the point. */
    set_option(r->fd, IPPROTO_IP, IP_MULTICAST_ALL, !options.join,
               "IP_MULTICAST_ALL");
    if (setsockopt(r->fd, SOL_SOCKET, SO_BINDTODEVICE, r->iface,
                   (socklen_t) strlen(r->iface))
        < 0) {
        die(r->iface);
    }
    if (bind(r->fd, (struct sockaddr *) &any, sizeof any) < 0) {
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
    if (options.join && !options.raw) {
        r->joined_ns = clock_ns(CLOCK_MONOTONIC);
        change_membership(r, true);
    }
}

/* What the control messages of 'msg' say about one packet. */
static uint64_t
read_control(struct msghdr *msg, struct mark_path *path)
{
    uint64_t when = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            when = (uint64_t) ts.tv_sec * SECOND + (uint64_t) ts.tv_nsec
                   - realtime_offset;
        } else if (c->cmsg_level == SOL_PACKET
                   && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;

            memcpy(&aux, CMSG_DATA(c), sizeof aux);
            path->vlan = aux.tp_vlan_tci & 0xfff;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            int ttl;

            memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
            path->ttl = (uint8_t) ttl;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof info);
            path->group = ntohl(info.ipi_addr.s_addr);
        }
    }
    return when;
}

static void
take_raw(struct receiver *r, const uint8_t *data, size_t size, uint16_t vlan,
         uint64_t when)
{
    struct mark_frame f;

    if (!mark_frame_get(data, size, &f)
        || (options.group.s_addr
            && f.path.group != ntohl(options.group.s_addr))) {
        return;
    }
    if (vlan) {
        f.path.vlan = vlan;
    }
    if (!f.mac_ok || !f.ip_ok || !f.udp_ok) {
        r->tally.bad_checksum++;
    }
    tally_add(&r->tally, f.payload, f.size, &f.path, when);
}

static void
take(struct receiver *r, struct msghdr *msg, const uint8_t *data, size_t size)
{
    const struct sockaddr_in *from = msg->msg_name;
    struct mark_path path = {.port = options.port};
    uint64_t when = read_control(msg, &path);

    if (options.raw) {
        take_raw(r, data, size, path.vlan, when);
    } else {
        path.source = ntohl(from->sin_addr.s_addr);
        tally_add(&r->tally, data, size, &path, when);
    }
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

static void
run(void)
{
    struct timespec rest = {0, options.lazy_ms * 1000000L};
    struct pollfd fds[MAX_IFACES];
    uint64_t every = (uint64_t) options.every_ms * 1000000;
    uint64_t next = clock_ns(CLOCK_MONOTONIC) + every;
    bool last;

    for (size_t i = 0; i < n_receivers; i++) {
        fds[i] = (struct pollfd){.fd = receivers[i].fd, .events = POLLIN};
    }
    do {
        last = stop;
        for (size_t i = 0; i < n_receivers; i++) {
            drain(&receivers[i]);
        }
        if (leave || join) {
            do_membership();
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
        if (!stop) {
            /* A signal between here and the poll costs at most 20 ms. */
            poll(fds, n_receivers, 20);
        }
    } while (true);
    report(true);
}

static void
usage(int status)
{
    fputs("usage: mcrecv --iface IF... --group G --port P [--source S]"
          " [--no-join]\n"
          "       mcrecv --iface IF... --raw [--group G]\n"
          "              [--count N] [--idle-ms MS] [--every MS]"
          " [--lazy-ms MS]\n"
          "Receives until N packets, MS of silence, or SIGTERM; then prints\n"
          "one JSON line for each interface.  SIGUSR1 leaves the group,\n"
          "SIGUSR2 joins it again.\n",
          status ? stderr : stdout);
    exit(status);
}

static struct in_addr
parse_ip(const char *s)
{
    struct in_addr a;

    if (inet_pton(AF_INET, s, &a) != 1) {
        fprintf(stderr, "mcrecv: %s is no IPv4 address\n", s);
        exit(2);
    }
    return a;
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
        options.group = parse_ip(arg);
        break;
    case 's':
        options.source = parse_ip(arg);
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
    case 'z':
        options.lazy_ms = (int) parse_number(arg, 999);
        break;
    case 'j':
        options.join = false;
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
    {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'n'},
    {"idle-ms", required_argument, NULL, 'I'},
    {"every", required_argument, NULL, 'e'},
    {"lazy-ms", required_argument, NULL, 'z'},
    {"no-join", no_argument, NULL, 'j'},
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
        || (!options.raw && (!options.group.s_addr || !options.port))) {
        usage(2);
    }
}

int
main(int argc, char *argv[])
{
    struct sigaction sa = {.sa_handler = on_signal};

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    sigaction(SIGUSR2, &sa, NULL);
    parse(argc, argv);
    realtime_offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < n_receivers; i++) {
        open_receiver(&receivers[i]);
    }
    puts("{\"event\":\"ready\"}");
    fflush(stdout);
    run();
    for (size_t i = 0; i < n_receivers; i++) {
        close(receivers[i].fd);
        tally_uninit(&receivers[i].tally);
    }
    return 0;
}
