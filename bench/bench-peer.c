/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "bench/bench-peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uthash.h>

#include "bench/bench-util.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

/* OpenFlow 1.3 by the numbers: of types, and of where things stand. */
enum { GUARD_TABLE = 21 }; /* What it holds punts IGMP. */

enum {
    VERSION = 4,
    T_HELLO = 0,
    T_ECHO_REQUEST = 2,
    T_ECHO_REPLY = 3,
    T_EXPERIMENTER = 4,
    T_FEATURES_REQUEST = 5,
    T_FEATURES_REPLY = 6,
    T_PACKET_OUT = 13,
    T_FLOW_MOD = 14,
    T_GROUP_MOD = 15,
    T_MULTIPART_REQUEST = 18,
    T_MULTIPART_REPLY = 19,
    T_BARRIER_REQUEST = 20,
    T_BARRIER_REPLY = 21,
    T_METER_MOD = 29,

    MP_DESC = 0,
    MP_FLOW = 1,
    MP_GROUP_DESC = 7,
    MP_PORT_DESC = 13,
    MP_MORE = 1,
    MP_CHUNK = 60000,

    BUNDLE_CONTROL = 2300,
    BUNDLE_ADD = 2301,
    BUNDLE_OPEN = 0,

    FLOW_MATCH = 48,
    GROUP_BUCKETS = 16,
    KEY_SIZE = 192
};

/* A flow or group as the message that last set it. */
struct bench_entry {
    UT_hash_handle hh;
    uint8_t key[KEY_SIZE];
    size_t key_size;
    uint8_t *msg;
    size_t size;
};

static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

/* Buffers. */

static uint8_t *
room(struct bench_buffer *b, size_t size)
{
    if (b->at && b->at == b->size) {
        b->at = b->size = 0;
    }
    if (b->allocated - b->size < size) {
        b->allocated = (b->allocated + size) * 2;
        b->bytes = xrealloc(b->bytes, b->allocated);
    }
    return b->bytes + b->size;
}

void
bench_peer_put(struct bench_peer *p, const void *bytes, size_t size)
{
    memcpy(room(&p->out, size), bytes, size);
    p->out.size += size;
}

static struct wire_writer
begin(uint8_t *buf, size_t size, uint8_t type, uint32_t xid)
{
    struct wire_writer w;

    wire_writer_init(&w, buf, size);
    wire_put_u8(&w, VERSION);
    wire_put_u8(&w, type);
    wire_put_be16(&w, 0);
    wire_put_be32(&w, xid);
    return w;
}

static void
end(struct bench_peer *p, struct wire_writer *w)
{
    wire_patch_be16(w, 2, (uint16_t) w->at);
    bench_peer_put(p, w->data, w->at);
}

static void
put_empty(struct bench_peer *p, uint8_t type, uint32_t xid)
{
    uint8_t buf[8];
    struct wire_writer w = begin(buf, sizeof buf, type, xid);

    end(p, &w);
}

void
bench_peer_put_echo(struct bench_peer *p)
{
    put_empty(p, T_ECHO_REQUEST, 0xec00);
}

/* Tables. */

static void
forget(struct bench_entry **table, struct bench_entry *e)
{
    HASH_DEL(*table, e);
    free(e->msg);
    free(e);
}

static void
store(struct bench_entry **table, const uint8_t *key, size_t key_size,
      const uint8_t *msg, size_t size, bool gone)
{
    struct bench_entry *e;

    if (key_size > KEY_SIZE) {
        return;
    }
    HASH_FIND(hh, *table, key, key_size, e);
    if (gone) {
        if (e) {
            forget(table, e);
        }
        return;
    }
    if (!e) {
        e = xcalloc(1, sizeof *e);
        memcpy(e->key, key, key_size);
        e->key_size = key_size;
        HASH_ADD_KEYPTR(hh, *table, e->key, key_size, e);
    }
    free(e->msg);
    e->msg = xmemdup(msg, size);
    e->size = size;
}

static void
flow_mod(struct bench_peer *p, const uint8_t *msg, size_t size)
{
    uint8_t key[KEY_SIZE];
    size_t match_size = get16(msg + FLOW_MATCH + 2);
    struct wire_reader r;

    p->flow_mods++;
    if (match_size + 3 > KEY_SIZE || FLOW_MATCH + match_size > size) {
        return;
    }
    if (msg[24] == GUARD_TABLE) {
        wire_reader_init(&r, msg + 8, 8);
        p->punt_cookie = wire_get_be64(&r);
    }
    key[0] = msg[24];
    memcpy(key + 1, msg + 30, 2);
    memcpy(key + 3, msg + FLOW_MATCH, match_size);
    store(&p->flows, key, match_size + 3, msg, size, msg[25] >= 3);
    p->n_flows = HASH_COUNT(p->flows);
}

static void
group_mod(struct bench_peer *p, const uint8_t *msg, size_t size)
{
    p->group_mods++;
    store(&p->groups, msg + 12, 4, msg, size, get16(msg + 8) == 2);
    p->n_groups = HASH_COUNT(p->groups);
}

static void
wipe(struct bench_entry **table)
{
    struct bench_entry *e, *next;

    HASH_ITER (hh, *table, e, next) {
        forget(table, e);
    }
}

void
bench_peer_wipe(struct bench_peer *p)
{
    wipe(&p->flows);
    wipe(&p->groups);
    p->n_flows = p->n_groups = 0;
}

/* Multipart replies. */

static struct wire_writer
begin_multipart(uint8_t *buf, size_t size, uint16_t type, uint32_t xid,
                bool more)
{
    struct wire_writer w = begin(buf, size, T_MULTIPART_REPLY, xid);

    wire_put_be16(&w, type);
    wire_put_be16(&w, more ? MP_MORE : 0);
    wire_put_zeros(&w, 4);
    return w;
}

static void
put_flow(struct wire_writer *w, const struct bench_entry *e)
{
    size_t body = e->size - FLOW_MATCH;

    wire_put_be16(w, (uint16_t) (48 + body));
    wire_put_u8(w, e->msg[24]);
    wire_put_zeros(w, 9);
    wire_put(w, e->msg + 30, 2); /* Priority. */
    wire_put(w, e->msg + 26, 4); /* Timeouts. */
    wire_put(w, e->msg + 44, 2); /* Flags. */
    wire_put_zeros(w, 4);
    wire_put(w, e->msg + 8, 8); /* Cookie. */
    wire_put_zeros(w, 16);
    wire_put(w, e->msg + FLOW_MATCH, body);
}

static void
put_group(struct wire_writer *w, const struct bench_entry *e)
{
    size_t body = e->size - GROUP_BUCKETS;

    wire_put_be16(w, (uint16_t) (8 + body));
    wire_put_u8(w, e->msg[10]);
    wire_put_u8(w, 0);
    wire_put(w, e->msg + 12, 4);
    wire_put(w, e->msg + GROUP_BUCKETS, body);
}

static void
put_table(struct bench_peer *p, uint32_t xid, uint16_t type)
{
    static uint8_t buf[65536];
    struct bench_entry *table = type == MP_FLOW ? p->flows : p->groups;
    struct bench_entry *e, *next;
    struct wire_writer w = begin_multipart(buf, sizeof buf, type, xid, true);

    HASH_ITER (hh, table, e, next) {
        if (w.at + e->size + 64 > MP_CHUNK && w.at > 16) {
            end(p, &w);
            w = begin_multipart(buf, sizeof buf, type, xid, true);
        }
        if (type == MP_FLOW) {
            put_flow(&w, e);
        } else {
            put_group(&w, e);
        }
    }
    wire_patch_be16(&w, 10, 0);
    end(p, &w);
}

static void
put_ports(struct bench_peer *p, uint32_t xid)
{
    static uint8_t buf[65536];
    struct wire_writer w =
        begin_multipart(buf, sizeof buf, MP_PORT_DESC, xid, true);

    for (uint32_t no = 1; no <= p->n_ports; no++) {
        char name[16] = "";

        if (w.at + 64 > MP_CHUNK) {
            end(p, &w);
            w = begin_multipart(buf, sizeof buf, MP_PORT_DESC, xid, true);
        }
        snprintf(name, sizeof name, "eth%u", no);
        wire_put_be32(&w, no);
        wire_put_zeros(&w, 4);
        wire_put_be16(&w, 0x0200);
        wire_put_be32(&w, no);
        wire_put_zeros(&w, 2);
        wire_put(&w, name, 16);
        wire_put_zeros(&w, 32); /* Config, state, features, speeds. */
    }
    wire_patch_be16(&w, 10, 0);
    end(p, &w);
}

static void
multipart(struct bench_peer *p, const uint8_t *msg, uint32_t xid)
{
    uint8_t buf[16 + 1056];
    uint16_t type = get16(msg + 8);
    struct wire_writer w;

    switch (type) {
    case MP_FLOW:
    case MP_GROUP_DESC:
        put_table(p, xid, type);
        break;
    case MP_PORT_DESC:
        put_ports(p, xid);
        break;
    default: /* Description, meters...: nothing to tell. */
        w = begin_multipart(buf, sizeof buf, type, xid, false);
        wire_put_zeros(&w, type == MP_DESC ? 1056 : 0);
        end(p, &w);
        break;
    }
}

/* Messages. */

static void
features(struct bench_peer *p, uint32_t xid)
{
    uint8_t buf[32];
    struct wire_writer w = begin(buf, sizeof buf, T_FEATURES_REPLY, xid);

    wire_put_be64(&w, p->dpid);
    wire_put_be32(&w, 0);
    wire_put_u8(&w, 254);
    wire_put_zeros(&w, 3);
    wire_put_be32(&w, 0x4f);
    wire_put_be32(&w, 0);
    end(p, &w);
}

static void handle(struct bench_peer *, const uint8_t *msg, size_t size);

static void
experimenter(struct bench_peer *p, const uint8_t *msg, size_t size,
             uint32_t xid)
{
    struct wire_reader r;
    uint8_t buf[24];
    struct wire_writer w;

    wire_reader_init(&r, msg + 8, size - 8);
    wire_skip(&r, 4);

    uint32_t subtype = wire_get_be32(&r);
    uint32_t id = wire_get_be32(&r);
    uint16_t type = wire_get_be16(&r);

    if (subtype == BUNDLE_ADD && size > 32) {
        handle(p, msg + 24, get16(msg + 26));
    } else if (subtype == BUNDLE_CONTROL) {
        p->in_bundle = type == BUNDLE_OPEN;
        w = begin(buf, sizeof buf, T_EXPERIMENTER, xid);
        wire_put(&w, msg + 8, 8);
        wire_put_be32(&w, id);
        wire_put_be16(&w, type + 1);
        wire_put_be16(&w, 0);
        end(p, &w);
    }
}

static void
handle(struct bench_peer *p, const uint8_t *msg, size_t size)
{
    uint32_t xid = (uint32_t) get16(msg + 4) << 16 | get16(msg + 6);

    p->messages_in++;
    if (p->seen) {
        p->seen(p, msg, size);
    }
    switch (msg[1]) {
    case T_FLOW_MOD:
        flow_mod(p, msg, size);
        break;
    case T_GROUP_MOD:
        group_mod(p, msg, size);
        break;
    case T_METER_MOD:
        p->meter_mods++;
        break;
    case T_PACKET_OUT:
        p->packet_outs++;
        break;
    case T_BARRIER_REQUEST:
        p->barriers++;
        put_empty(p, T_BARRIER_REPLY, xid);
        break;
    case T_ECHO_REQUEST:
        put_empty(p, T_ECHO_REPLY, xid);
        break;
    case T_ECHO_REPLY:
        p->echo_replies++;
        break;
    case T_FEATURES_REQUEST:
        features(p, xid);
        break;
    case T_MULTIPART_REQUEST:
        multipart(p, msg, xid);
        break;
    case T_EXPERIMENTER:
        experimenter(p, msg, size, xid);
        break;
    }
}

/* The connection. */

void
bench_peer_init(struct bench_peer *p, uint64_t dpid, uint32_t n_ports)
{
    memset(p, 0, sizeof *p);
    p->fd = -1;
    p->dpid = dpid;
    p->n_ports = n_ports;
}

void
bench_peer_disconnect(struct bench_peer *p)
{
    if (p->fd >= 0) {
        close(p->fd);
    }
    p->fd = -1;
    p->in.at = p->in.size = p->out.at = p->out.size = 0;
    p->in_bundle = false;
}

void
bench_peer_uninit(struct bench_peer *p)
{
    bench_peer_disconnect(p);
    bench_peer_wipe(p);
    free(p->in.bytes);
    free(p->out.bytes);
}

bool
bench_peer_connect(struct bench_peer *p, uint16_t port, int timeout_ms)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    int64_t give_up = bench_now_ns() + timeout_ms * INT64_C(1000000);
    int one = 1;

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(port);
    for (;;) {
        p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (p->fd < 0) {
            perror("socket");
            return false;
        }
        if (!connect(p->fd, (struct sockaddr *) &sin, sizeof sin)) {
            break;
        }
        close(p->fd);
        p->fd = -1;
        if (bench_now_ns() > give_up) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    put_empty(p, T_HELLO, 1);
    return true;
}

static bool
receive(struct bench_peer *p)
{
    enum { CHUNK = 256 << 10 };
    ssize_t n = recv(p->fd, room(&p->in, CHUNK), CHUNK, MSG_DONTWAIT);

    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    p->bytes_in += (size_t) n;
    p->in.size += (size_t) n;

    struct bench_buffer *b = &p->in;

    while (b->size - b->at >= 8) {
        size_t size = get16(b->bytes + b->at + 2);

        if (size < 8 || size > b->size - b->at) {
            break;
        }
        handle(p, b->bytes + b->at, size);
        b->at += size;
    }
    /* Half a message: to the front, before the buffer grows without end. */
    if (b->at) {
        memmove(b->bytes, b->bytes + b->at, b->size - b->at);
        b->size -= b->at;
        b->at = 0;
    }
    return true;
}

static bool
transmit(struct bench_peer *p)
{
    struct bench_buffer *b = &p->out;

    if (b->at < b->size) {
        ssize_t n = send(p->fd, b->bytes + b->at, b->size - b->at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        b->at += (size_t) n;
    }
    return true;
}

bool
bench_peer_turn(struct bench_peer *p, int wait_ms)
{
    if (p->fd < 0) {
        return false;
    }
    if (wait_ms) {
        struct pollfd pfd = {.fd = p->fd, .events = POLLIN};

        if (p->out.at < p->out.size) {
            pfd.events |= POLLOUT;
        }
        poll(&pfd, 1, wait_ms);
    }
    return receive(p) && transmit(p);
}

bool
bench_peer_write(struct bench_peer *p, const void *bytes, size_t size)
{
    bench_peer_put(p, bytes, size);
    while (p->out.at < p->out.size) {
        if (!bench_peer_turn(p, 1000)) {
            return false;
        }
    }
    return true;
}

bool
bench_peer_settle(struct bench_peer *p, int quiet_ms)
{
    int64_t last = bench_now_ns();
    uint64_t bytes = p->bytes_in;

    while (bench_now_ns() - last < quiet_ms * INT64_C(1000000)) {
        if (!bench_peer_turn(p, 10)) {
            return false;
        }
        if (p->bytes_in != bytes || p->out.at < p->out.size) {
            bytes = p->bytes_in;
            last = bench_now_ns();
        }
    }
    return true;
}

bool
bench_peer_flush(struct bench_peer *p)
{
    uint64_t want = p->echo_replies + 1;

    bench_peer_put_echo(p);
    while (p->echo_replies < want) {
        if (!bench_peer_turn(p, 1000)) {
            return false;
        }
    }
    return true;
}
