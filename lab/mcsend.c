/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Sends numbered UDP multicast from any source address at an exact rate, as
 * raw frames: the interface needs no address, and no checksum is left to
 * hardware that is not there. */

#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lab/mark.h"

enum { BATCH = 64, MIN_SLEEP_NS = 50000, SECOND = 1000000000, MTU = 1500 };

struct options {
    const char *iface;
    struct mark_path path;
    double rate;       /* Packets per second and group. */
    uint64_t count;    /* Per group; 0 = until a signal. */
    double seconds;    /* What is late by then is not sent; 0 = no end. */
    uint64_t burst_ns; /* What falls due in so long is sent together. */
    uint64_t first;    /* Sequence number of the first packet. */
    size_t size;       /* UDP payload. */
    uint32_t groups;   /* The i-th group and port are 'path' plus i, */
    uint32_t sources;  /* the i-th source likewise. */
    uint32_t stream;
};

struct sender {
    const struct options *o;
    int fd;
    uint8_t mac[6];
    uint8_t frames[BATCH][MARK_MAX_FRAME];
    struct iovec iov[BATCH];
    struct mmsghdr msgs[BATCH];
    uint64_t sent, errors;
    uint64_t start_ns, late_ns;
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
    fprintf(stderr, "mcsend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t
clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * SECOND + (uint64_t) ts.tv_nsec;
}

static void
sleep_until(uint64_t ns)
{
    struct timespec ts = {(time_t) (ns / SECOND), (long) (ns % SECOND)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void
open_socket(struct sender *s)
{
    bool v4 = ip_addr_is_v4(&s->o->path.group);
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol =
                                 htons(v4 ? ETH_P_IP : ETH_P_IPV6)};
    struct ifreq ifr;

    /* Protocol 0: it receives nothing. */
    s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        die("socket");
    }
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", s->o->iface);
    if (ioctl(s->fd, SIOCGIFHWADDR, &ifr) < 0) {
        die(s->o->iface);
    }
    memcpy(s->mac, ifr.ifr_hwaddr.sa_data, sizeof s->mac);
    to.sll_ifindex = (int) if_nametoindex(s->o->iface);
    if (bind(s->fd, (struct sockaddr *) &to, sizeof to) < 0) {
        die("bind");
    }
    for (size_t i = 0; i < BATCH; i++) {
        s->iov[i].iov_base = s->frames[i];
        s->msgs[i].msg_hdr.msg_iov = &s->iov[i];
        s->msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

/* The address 'i' behind 'a'. */
static struct ip_addr
address_plus(struct ip_addr a, uint32_t i)
{
    for (size_t k = sizeof a.b; k-- > 0 && i; i >>= 8) {
        i += a.b[k];
        a.b[k] = (uint8_t) i;
    }
    return a;
}

/* Packet 'n' of the whole run: groups and sources take turns. */
static void
build(struct sender *s, size_t slot, uint64_t n, uint64_t now)
{
    const struct options *o = s->o;
    uint32_t channels = o->groups * o->sources;
    uint32_t i = (uint32_t) (n % channels);
    struct mark m = {.sent = o->path,
                     .stream = o->stream + i,
                     .seq = o->first + n / channels,
                     .time_ns = now};

    m.sent.group = address_plus(m.sent.group, i % o->groups);
    m.sent.port = (uint16_t) (m.sent.port + i % o->groups);
    m.sent.source = address_plus(m.sent.source, i / o->groups);
    s->iov[slot].iov_len =
        mark_frame_put(s->frames[slot], s->mac, o->size, &m);
}

static void
send_batch(struct sender *s, size_t n, uint64_t now)
{
    for (size_t i = 0; i < n; i++) {
        build(s, i, s->sent + i, now);
    }
    for (size_t done = 0; done < n && !stop;) {
        int k = sendmmsg(s->fd, s->msgs + done, (unsigned int) (n - done), 0);

        if (k > 0) {
            done += (size_t) k;
            s->sent += (uint64_t) k;
        } else if (errno == ENOBUFS || errno == EAGAIN) {
            s->errors++;
            sleep_until(clock_ns() + MIN_SLEEP_NS);
        } else if (errno != EINTR) {
            die("sendmmsg");
        }
    }
}

static void
run(struct sender *s)
{
    uint64_t channels = (uint64_t) s->o->groups * s->o->sources;
    double rate = s->o->rate * (double) channels;
    uint64_t total = s->o->count * channels;
    double gap_ns = SECOND / rate;
    uint64_t last_ns = (uint64_t) (s->o->seconds * SECOND);
    uint64_t planned = 0;

    s->start_ns = clock_ns();
    while (!stop && (!total || s->sent < total)) {
        uint64_t now = clock_ns();

        if (last_ns && now - s->start_ns > last_ns) {
            break;
        }
        uint64_t due = (uint64_t) ((double) (now - s->start_ns) / gap_ns) + 1;
        uint64_t next = s->start_ns + (uint64_t) ((double) s->sent * gap_ns);

        if (total && due > total) {
            due = total;
        }
        if (due <= s->sent) {
            planned = MAX(next, now + MAX(s->o->burst_ns, MIN_SLEEP_NS));
            sleep_until(planned);
            continue;
        }
        if (now > MAX(next, planned)) {
            s->late_ns = MAX(s->late_ns, now - MAX(next, planned));
        }
        due -= s->sent;
        send_batch(s, due < BATCH ? (size_t) due : BATCH, now);
    }
}

static void
report(const struct sender *s)
{
    double seconds = (double) (clock_ns() - s->start_ns) / SECOND;

    printf("{\"event\":\"done\",\"sent\":%llu,\"groups\":%u,\"size\":%zu,"
           "\"seconds\":%.6f,\"rate\":%.1f,\"late_max_us\":%llu,"
           "\"retries\":%llu}\n",
           (unsigned long long) s->sent, s->o->groups, s->o->size, seconds,
           (double) s->sent / seconds, (unsigned long long) s->late_ns / 1000,
           (unsigned long long) s->errors);
}

static void
usage(int status)
{
    fputs("usage: mcsend --iface IF --group G [--source A] [--port P]"
          " [--ttl T]\n"
          "              [--rate PPS] [--count N] [--for SECONDS]\n"
          "              [--first SEQ] [--size B] [--burst-ms MS]\n"
          "              [--groups N] [--sources N] [--stream ID] [--vlan V]\n"
          "Sends numbered UDP at PPS packets a second, group and source;\n"
          "N = 0 (the default): until SIGTERM.  After SECONDS nothing is\n"
          "sent any more, whatever is late.  What falls due within MS goes\n"
          "out together, as a screen's lines do.  With --groups, group and\n"
          "port of the i-th are G + i and P + i; with --sources its source\n"
          "is A + i.  G and A are IPv4 or IPv6 both; T is also the hop\n"
          "limit.  Prints one JSON line at the end.\n",
          status ? stderr : stdout);
    exit(status);
}

static struct ip_addr
parse_ip(const char *s)
{
    struct ip_addr a;

    if (!ip_addr_parse(s, &a)) {
        fprintf(stderr, "mcsend: %s is no IP address\n", s);
        exit(2);
    }
    return a;
}

static uint64_t
parse_number(const char *s, uint64_t max)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(s, &end, 0);
    if (errno || end == s || *end || *s == '-' || n > max) {
        fprintf(stderr, "mcsend: %s: a number up to %llu is wanted\n", s,
                (unsigned long long) max);
        exit(2);
    }
    return n;
}

static void
set_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case 'i':
        o->iface = arg;
        break;
    case 's':
        o->path.source = parse_ip(arg);
        break;
    case 'g':
        o->path.group = parse_ip(arg);
        break;
    case 'p':
        o->path.port = (uint16_t) parse_number(arg, UINT16_MAX);
        break;
    case 'v':
        o->path.vlan = (uint16_t) parse_number(arg, 4094);
        break;
    case 't':
        o->path.ttl = (uint8_t) parse_number(arg, UINT8_MAX);
        break;
    case 'r':
        o->rate = atof(arg);
        break;
    case 'n':
        o->count = parse_number(arg, UINT64_MAX / UINT16_MAX);
        break;
    case 'e':
        o->seconds = atof(arg);
        break;
    case 'b':
        o->burst_ns = parse_number(arg, 1000) * 1000000;
        break;
    case 'f':
        o->first = parse_number(arg, UINT64_MAX);
        break;
    case 'z':
        o->size = parse_number(arg, MARK_MAX_FRAME);
        break;
    case 'G':
        o->groups = (uint32_t) parse_number(arg, UINT16_MAX);
        break;
    case 'N':
        o->sources = (uint32_t) parse_number(arg, UINT16_MAX);
        break;
    case 'S':
        o->stream = (uint32_t) parse_number(arg, UINT32_MAX);
        break;
    default:
        usage(c == 'h' ? 0 : 2);
    }
}

static const struct option OPTIONS[] = {
    {"iface", required_argument, NULL, 'i'},
    {"source", required_argument, NULL, 's'},
    {"group", required_argument, NULL, 'g'},
    {"port", required_argument, NULL, 'p'},
    {"ttl", required_argument, NULL, 't'},
    {"vlan", required_argument, NULL, 'v'},
    {"rate", required_argument, NULL, 'r'},
    {"count", required_argument, NULL, 'n'},
    {"for", required_argument, NULL, 'e'},
    {"burst-ms", required_argument, NULL, 'b'},
    {"first", required_argument, NULL, 'f'},
    {"size", required_argument, NULL, 'z'},
    {"groups", required_argument, NULL, 'G'},
    {"sources", required_argument, NULL, 'N'},
    {"stream", required_argument, NULL, 'S'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static void
parse(struct options *o, int argc, char *argv[])
{
    int c;

    while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        set_option(o, c, optarg);
    }
    size_t max = ip_addr_is_v4(&o->path.group) ? MTU - 28 : MTU - 48;
    if (optind < argc || !o->iface || !ip_addr_is_multicast(&o->path.group)
        || ip_addr_is_v4(&o->path.group) != ip_addr_is_v4(&o->path.source)
        || !(o->rate > 0) || !o->groups || !o->sources
        || o->size < mark_size(&o->path.group) || o->size > max) {
        usage(2);
    }
}

int
main(int argc, char *argv[])
{
    static struct sender s;
    struct options o = {.path = {.source = ip_addr_v4(0xc0a8a837),
                                 .port = 5004,
                                 .ttl = 1}, /* 192.168.168.55 */
                        .rate = 1000,
                        .size = 256,
                        .groups = 1,
                        .sources = 1};
    struct sigaction sa = {.sa_handler = on_signal};

    parse(&o, argc, argv);
    s.o = &o;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    /* Wake up when due, not 50 us later. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    open_socket(&s);
    run(&s);
    report(&s);
    close(s.fd);
    return 0;
}
