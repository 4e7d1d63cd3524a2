/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "bench/fabric-peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <uthash.h>

#include "bench/bench-util.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

/* OpenFlow 1.3 by the numbers, as in bench-peer.c. */
enum {
    T_PACKET_OUT = 13,
    T_FLOW_MOD = 14,
    T_GROUP_MOD = 15,
    T_METER_MOD = 29,
    T_BARRIER_REQUEST = 20,
    GUARD_TABLE = 21,
    MCAST_TABLE = 40,
    L2_TABLE = 50,
    FLOW_MATCH = 48,
    GROUP_BUCKETS = 16,
    ACTION_OUTPUT = 0,
    ACTION_GROUP = 22,
    ETH_ECHO = 0x88b5,
    ETH_LLDP = 0x88cc,
    MAX_STEPS = 10000,
    FRAME_MAX = 2048
};

static const uint32_t FIRST_GROUP = 0xe1010000; /* 225.1.0.0 */
static const uint32_t CONTROLLER = 0xfffffffd;
static const uint32_t IN_PORT = 0xfffffff8;

struct fabric_group {
    UT_hash_handle hh;
    uint32_t id;
    uint32_t channel; /* Plus 1; 0 = not known. */
    uint32_t *ports;
    size_t n_ports;
};

static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
    return (uint32_t) get16(p) << 16 | get16(p + 2);
}

static bool
is_spine(const struct fabric_switch *s)
{
    return (size_t) (s - s->net->switches) < s->net->n_spines;
}

/* The switch at the other end of the link at 'port', and its port there; NULL
 * if it is no link, or a link that is down. */
static struct fabric_switch *
other_end(const struct fabric_switch *s, uint32_t port, uint32_t *other)
{
    struct fabric_net *net = s->net;
    size_t i = (size_t) (s - net->switches);

    if (!port || port > s->peer.n_ports || s->down[port]) {
        return NULL;
    }
    if (is_spine(s)) {
        *other = (uint32_t) i + 1;
        return &net->switches[net->n_spines + port - 1];
    }
    *other = (uint32_t) (i - net->n_spines) + 1;
    return port <= net->n_spines ? &net->switches[port - 1] : NULL;
}

/* Packets. */

void
fabric_punt(struct fabric_switch *s, uint32_t port, enum fabric_punt kind,
            const void *frame, size_t size)
{
    uint8_t buf[64 + FRAME_MAX];
    struct wire_writer w;
    uint64_t cookie =
        s->cookies[port] ? s->cookies[port] : s->peer.punt_cookie;

    if (s->peer.fd < 0 || size > FRAME_MAX) {
        return;
    }
    if (kind == FABRIC_L2 && s->l2_cookie) {
        cookie = s->l2_cookie;
    }
    wire_writer_init(&w, buf, sizeof buf);
    wire_put_be32(&w, 0x040a0000); /* OpenFlow 1.3, PACKET_IN. */
    wire_put_be32(&w, 0);
    wire_put_be32(&w, UINT32_MAX);
    wire_put_be16(&w, (uint16_t) size);
    wire_put_u8(&w, 1);
    wire_put_u8(&w, kind == FABRIC_L2 ? L2_TABLE : GUARD_TABLE);
    wire_put_be64(&w, cookie);
    wire_put_be16(&w, 1);
    wire_put_be16(&w, 12);
    wire_put_be32(&w, 0x80000004);
    wire_put_be32(&w, port);
    wire_put_zeros(&w, 4 + 2);
    wire_put(&w, frame, size);
    wire_patch_be16(&w, 2, (uint16_t) w.at);
    bench_peer_put(&s->peer, buf, w.at);
    s->dirty = true;
}

/* The other switch returns it in its data plane, connected or not. */
static void
return_echo(struct fabric_switch *s, uint32_t port, const uint8_t *frame,
            size_t size)
{
    static const uint8_t reply[] = {0x02, 0x4f, 0x46, 0x4d, 0x00, 0x02};
    uint8_t copy[FRAME_MAX];

    if (size <= sizeof copy) {
        memcpy(copy, frame, size);
        memcpy(copy, reply, sizeof reply);
        fabric_punt(s, port, FABRIC_CONTROL, copy, size);
    }
}

static void
send_out(struct fabric_switch *s, uint32_t port, const uint8_t *frame,
         size_t size)
{
    uint32_t other_port;
    struct fabric_switch *other = other_end(s, port, &other_port);

    if (!other || size < 14) {
        return;
    }
    if (get16(frame + 12) == ETH_LLDP) {
        s->net->probes++;
        other->probed[other_port] = true;
        fabric_punt(other, other_port, FABRIC_CONTROL, frame, size);
    } else if (get16(frame + 12) == ETH_ECHO) {
        return_echo(s, port, frame, size);
    }
}

static void
packet_out(struct fabric_switch *s, const uint8_t *msg, size_t size)
{
    size_t actions = get16(msg + 16), at = 24, end = 24 + actions;

    if (end > size) {
        return;
    }
    while (at + 8 <= end) {
        size_t length = get16(msg + at + 2);

        if (length < 8) {
            break;
        }
        if (get16(msg + at) == ACTION_OUTPUT) {
            uint32_t port = get32(msg + at + 4);

            send_out(s, port == IN_PORT ? get32(msg + 12) : port, msg + end,
                     size - end);
        }
        at += length;
    }
}

/* Flows and groups. */

/* The first action of 'type' in the instructions from 'at' on: its port or
 * group. */
static bool
find_action(const uint8_t *msg, size_t at, size_t size, uint16_t type,
            uint32_t *value)
{
    while (at + 8 <= size) {
        size_t length = get16(msg + at + 2), end = at + length;
        bool actions = get16(msg + at) == 3 || get16(msg + at) == 4;

        if (length < 8 || end > size) {
            return false;
        }
        for (size_t a = at + 8; actions && a + 8 <= end;) {
            if (get16(msg + a) == type) {
                *value = get32(msg + a + 4);
                return true;
            }
            a += get16(msg + a + 2) >= 8 ? get16(msg + a + 2) : length;
        }
        at = end;
    }
    return false;
}

/* The value of the unmasked 32-bit field 'field' of the match. */
static bool
find_field(const uint8_t *msg, uint8_t field, uint32_t *value)
{
    size_t end = FLOW_MATCH + get16(msg + FLOW_MATCH + 2);

    for (size_t at = FLOW_MATCH + 4; at + 4 <= end; at += 4 + msg[at + 3]) {
        if (get16(msg + at) == 0x8000 && msg[at + 2] == field << 1) {
            *value = get32(msg + at + 4);
            return true;
        }
    }
    return false;
}

static struct fabric_group *
find_group(const struct fabric_switch *s, uint32_t id)
{
    struct fabric_group *g;

    HASH_FIND(hh, s->groups, &id, sizeof id, g);
    return g;
}

static void
touch(struct fabric_switch *s, uint32_t channel)
{
    s->touched = s->net->touched[channel] = true;
}

static void
channel_flow(struct fabric_switch *s, const uint8_t *msg, size_t body,
             size_t size)
{
    enum { IPV4_SRC = 11, IPV4_DST = 12 };
    uint32_t source, group, id = 0;

    if (find_field(msg, IPV4_SRC, &source)
        || !find_field(msg, IPV4_DST, &group)
        || group - FIRST_GROUP >= s->net->n_channels) {
        return;
    }
    group -= FIRST_GROUP;
    touch(s, group);
    if (msg[25] < 3) {
        find_action(msg, body, size, ACTION_GROUP, &id);
    }
    s->group_of[group] = id;

    struct fabric_group *g = find_group(s, id);

    if (g) {
        g->channel = group + 1;
    }
}

static void
flow_mod(struct fabric_switch *s, const uint8_t *msg, size_t size)
{
    enum { OXM_IN_PORT = 0 };
    size_t match = get16(msg + FLOW_MATCH + 2);
    size_t body = FLOW_MATCH + (match + 7) / 8 * 8;
    uint64_t cookie = (uint64_t) get32(msg + 8) << 32 | get32(msg + 12);
    uint32_t port = 0, out = 0;

    if (body > size) {
        return;
    }
    if (msg[24] == MCAST_TABLE) {
        channel_flow(s, msg, body, size);
    } else if (msg[25] < 3 && find_action(msg, body, size, ACTION_OUTPUT, &out)
               && out == CONTROLLER) {
        if (msg[24] == L2_TABLE) {
            s->l2_cookie = cookie;
        } else if (msg[24] == GUARD_TABLE
                   && find_field(msg, OXM_IN_PORT, &port)
                   && port <= s->peer.n_ports) {
            s->cookies[port] = cookie;
        }
    }
}

static void
drop_group(struct fabric_switch *s, struct fabric_group *g)
{
    HASH_DEL(s->groups, g);
    free(g->ports);
    free(g);
}

static void
set_ports(struct fabric_group *g, const uint8_t *msg, size_t size)
{
    enum { BUCKET = 16 };

    g->n_ports = 0;
    g->ports = xrealloc(g->ports, size); /* A bucket is larger than a port. */
    for (size_t at = GROUP_BUCKETS; at + BUCKET <= size;) {
        size_t end = at + get16(msg + at);

        if (end < at + BUCKET || end > size) {
            break;
        }
        for (size_t a = at + BUCKET; a + 8 <= end;) {
            if (get16(msg + a) == ACTION_OUTPUT) {
                g->ports[g->n_ports++] = get32(msg + a + 4);
            }
            a += get16(msg + a + 2) >= 8 ? get16(msg + a + 2) : size;
        }
        at = end;
    }
}

static void
group_mod(struct fabric_switch *s, const uint8_t *msg, size_t size)
{
    enum { DELETE = 2 };
    uint32_t id = get32(msg + 12);
    struct fabric_group *g = find_group(s, id);

    s->touched = true;
    if (g && g->channel) {
        touch(s, g->channel - 1);
    }
    if (get16(msg + 8) == DELETE) {
        if (g) {
            drop_group(s, g);
        }
        return;
    }
    if (!g) {
        g = xcalloc(1, sizeof *g);
        g->id = id;
        HASH_ADD(hh, s->groups, id, sizeof g->id, g);
    }
    set_ports(g, msg, size);
}

static void
seen(struct bench_peer *p, const uint8_t *msg, size_t size)
{
    struct fabric_switch *s = (struct fabric_switch *) p; /* Its first. */
    struct fabric_net *net = s->net;
    uint8_t type = msg[1];
    bool mod =
        type == T_FLOW_MOD || type == T_GROUP_MOD || type == T_METER_MOD;

    if (mod) {
        net->mods++;
        net->last_mod_ns = net->last_ns = bench_now_ns();
    }
    if (type == T_FLOW_MOD && size >= FLOW_MATCH + 8) {
        net->flow_mods++;
        flow_mod(s, msg, size);
    } else if (type == T_GROUP_MOD && size >= GROUP_BUCKETS) {
        net->group_mods++;
        group_mod(s, msg, size);
    } else if (type == T_PACKET_OUT && size >= 24) {
        packet_out(s, msg, size);
    } else if (type == T_BARRIER_REQUEST) {
        net->barriers++;
        net->last_ns = bench_now_ns();
    }
}

/* The network. */

void
fabric_net_init(struct fabric_net *net, size_t n_spines, size_t n_leaves,
                size_t n_channels)
{
    memset(net, 0, sizeof *net);
    net->n_spines = n_spines;
    net->n_leaves = n_leaves;
    net->n = n_spines + n_leaves;
    net->n_channels = n_channels;
    net->switches = xcalloc(net->n, sizeof *net->switches);
    net->touched = xcalloc(n_channels, sizeof *net->touched);
    net->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < net->n; i++) {
        struct fabric_switch *s = &net->switches[i];
        size_t n_ports = i < n_spines ? n_leaves : n_spines + FABRIC_HOSTS;

        bench_peer_init(&s->peer, i + 1, (uint32_t) n_ports);
        s->peer.seen = seen;
        s->net = net;
        s->down = xcalloc(n_ports + 1, sizeof *s->down);
        s->probed = xcalloc(n_ports + 1, sizeof *s->probed);
        s->cookies = xcalloc(n_ports + 1, sizeof *s->cookies);
        s->group_of = xcalloc(n_channels, sizeof *s->group_of);
    }
}

void
fabric_net_uninit(struct fabric_net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        struct fabric_switch *s = &net->switches[i];

        while (s->groups) {
            drop_group(s, s->groups);
        }
        bench_peer_uninit(&s->peer);
        free(s->down);
        free(s->probed);
        free(s->cookies);
        free(s->group_of);
    }
    free(net->switches);
    free(net->touched);
    close(net->epoll_fd);
}

bool
fabric_net_connect(struct fabric_net *net, uint16_t port)
{
    for (size_t i = 0; i < net->n; i++) {
        struct fabric_switch *s = &net->switches[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};

        if (!bench_peer_connect(&s->peer, port, 10000)
            || epoll_ctl(net->epoll_fd, EPOLL_CTL_ADD, s->peer.fd, &event)) {
            return false;
        }
        s->dirty = true;
    }
    return true;
}

/* Writes what waits; false if a connection is lost.  '*left': some of it
 * could not be written. */
static bool
flush(struct fabric_net *net, bool *left)
{
    *left = false;
    for (size_t i = 0; i < net->n; i++) {
        struct fabric_switch *s = &net->switches[i];

        if (s->peer.fd >= 0 && s->dirty) {
            s->dirty = false;
            if (!bench_peer_turn(&s->peer, 0)) {
                return false;
            }
            s->dirty |= s->peer.out.at < s->peer.out.size;
            *left |= s->dirty;
        }
    }
    return true;
}

bool
fabric_net_turn(struct fabric_net *net, int wait_ms)
{
    enum { AT_ONCE = 64 };
    struct epoll_event events[AT_ONCE];
    bool left;

    if (!flush(net, &left)) {
        return false;
    }

    int n = epoll_wait(net->epoll_fd, events, AT_ONCE,
                       left && wait_ms > 1 ? 1 : wait_ms);

    for (int i = 0; i < n; i++) {
        struct fabric_switch *s = events[i].data.ptr;

        if (s->peer.fd >= 0 && !bench_peer_turn(&s->peer, 0)) {
            return false;
        }
        s->dirty |= s->peer.out.at < s->peer.out.size;
    }
    return true;
}

bool
fabric_net_all_probed(const struct fabric_net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        size_t n_links = i < net->n_spines ? net->n_leaves : net->n_spines;

        for (size_t port = 1; port <= n_links; port++) {
            if (!net->switches[i].probed[port]) {
                return false;
            }
        }
    }
    return true;
}

void
fabric_net_clear_touched(struct fabric_net *net)
{
    memset(net->touched, 0, net->n_channels * sizeof *net->touched);
    for (size_t i = 0; i < net->n; i++) {
        net->switches[i].touched = false;
    }
}

static void
tell_port(struct fabric_switch *s, uint32_t port, bool down)
{
    uint8_t buf[80];
    char name[16] = "";
    struct wire_writer w;

    s->down[port] = down;
    s->probed[port] = false;
    snprintf(name, sizeof name, "eth%u", port);
    wire_writer_init(&w, buf, sizeof buf);
    wire_put_be32(&w, 0x040c0050); /* OpenFlow 1.3, PORT_STATUS. */
    wire_put_be32(&w, 0);
    wire_put_u8(&w, 2); /* Modified. */
    wire_put_zeros(&w, 7);
    wire_put_be32(&w, port);
    wire_put_zeros(&w, 4);
    wire_put_be16(&w, 0x0200);
    wire_put_be32(&w, port);
    wire_put_zeros(&w, 2);
    wire_put(&w, name, 16);
    wire_put_be32(&w, 0);
    wire_put_be32(&w, down); /* OFPPS_LINK_DOWN. */
    wire_put_zeros(&w, 24);
    if (s->peer.fd >= 0) {
        bench_peer_put(&s->peer, buf, w.at);
        s->dirty = true;
    }
}

void
fabric_set_link(struct fabric_net *net, size_t l, size_t s, bool down,
                bool tell_spine)
{
    tell_port(&net->switches[net->n_spines + l], (uint32_t) s + 1, down);
    net->switches[s].down[l + 1] = down;
    if (tell_spine) {
        tell_port(&net->switches[s], (uint32_t) l + 1, down);
    }
}

/* Walks. */

struct walk {
    const struct fabric_net *net;
    size_t channel;
    unsigned int *copies;
    size_t steps;
};

static bool
step(struct walk *walk, const struct fabric_switch *s, uint32_t in_port,
     size_t depth)
{
    const struct fabric_net *net = walk->net;
    struct fabric_group *g = find_group(s, s->group_of[walk->channel]);
    size_t leaf = (size_t) (s - net->switches) - net->n_spines;

    if (++walk->steps > MAX_STEPS || depth > 64) {
        return false;
    }
    for (size_t i = 0; g && i < g->n_ports; i++) {
        uint32_t port = g->ports[i], other_port;
        struct fabric_switch *other = other_end(s, port, &other_port);

        if (port == in_port) {
            continue; /* Open vSwitch leaves it out. */
        }
        if (other) {
            if (!step(walk, other, other_port, depth + 1)) {
                return false;
            }
        } else if (!is_spine(s) && port > net->n_spines
                   && port <= s->peer.n_ports) {
            walk->copies[leaf * FABRIC_HOSTS + port - net->n_spines - 1]++;
        }
    }
    return true;
}

bool
fabric_walk(const struct fabric_net *net, size_t channel, size_t l,
            unsigned int *copies)
{
    struct walk walk = {.net = net, .channel = channel, .copies = copies};

    return step(&walk, &net->switches[net->n_spines + l], 0, 0);
}
