/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openvswitch/vlog.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-decode.h"
#include "ofp/ofp-encode.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

/* A session, and a record of what it does: one word an event. */
static struct {
    struct ofp_session *session;
    char log[4096];
    uint8_t sent[65536];
    size_t n_sent;
    uint8_t meter_bands;
    int64_t now;
} t;

static void note(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void
note(const char *format, ...)
{
    size_t n = strlen(t.log);
    va_list args;

    va_start(args, format);
    vsnprintf(t.log + n, sizeof t.log - n, format, args);
    va_end(args);
}

/* The log since the last call is this. */
static void
assert_log(const char *expected)
{
    assert_string_equal(t.log, expected);
    t.log[0] = '\0';
}

static void
on_send(void *aux, const void *bytes, size_t size)
{
    (void) aux;
    assert_true(size >= 8 && ofp_msg_size(bytes) == size);
    memcpy(t.sent, bytes, size);
    t.n_sent = size;
    note("send:%u ", ofp_msg_type(bytes));
}

static void
on_ready(void *aux, const struct ofp_features *f)
{
    (void) aux;
    t.meter_bands = f->meter_bands;
    note("ready:%llx:%s ", (unsigned long long) f->dpid, f->software);
}

static void
on_port(void *aux, enum ofp_port_change change, const struct ofp_port *port)
{
    (void) aux;
    note("%s:%u:%s:%s ",
         change == OFP_PORT_ADDED      ? "added"
         : change == OFP_PORT_MODIFIED ? "modified"
                                       : "deleted",
         port->no, port->name, port->up ? "up" : "down");
}

static void
on_packet_in(void *aux, const struct ofp_packet_in *pi)
{
    (void) aux;
    note("packet:%u:%zu ", pi->in_port, pi->size);
    if (pi->tun_src) {
        note("tunnel:%llu:%x ", (unsigned long long) pi->tun_id, pi->tun_src);
    }
    for (size_t i = 0; i < pi->size; i++) {
        assert_int_equal(pi->frame[i], (uint8_t) i);
    }
}

static void
on_flow_removed(void *aux, const struct ofp_flow_removed *fr)
{
    (void) aux;
    note("removed:%u:%u:%llu:%s ", fr->table, fr->priority,
         (unsigned long long) fr->packets,
         fr->reason == OFP_REMOVED_IDLE ? "idle" : "other");
}

static void
on_reply(void *aux, const void *msg, size_t size)
{
    (void) aux;
    assert_int_equal(ofp_msg_size(msg), size);
    note("reply:%u ", ofp_msg_type(msg));
}

static const struct ofp_session_ops ops = {
    .send = on_send,
    .ready = on_ready,
    .port_changed = on_port,
    .packet_in = on_packet_in,
    .flow_removed = on_flow_removed,
    .reply = on_reply,
};

static int
setup(void **state)
{
    (void) state;
    memset(&t, 0, sizeof t);
    t.now = 1000;
    t.session = ofp_session_create(&ops, NULL, 5000, t.now);
    assert_log("send:0 ");
    return 0;
}

static int
teardown(void **state)
{
    (void) state;
    ofp_session_destroy(t.session);
    return 0;
}

/* What a switch says. */

struct peer {
    uint8_t bytes[140000];
    struct wire_writer w;
    size_t start;
};

static struct peer p;

static void
begin(uint8_t type, uint32_t xid)
{
    p.start = ofp_msg_begin(&p.w, type);
    ofp_msg_set_xid(p.bytes + p.start, xid);
}

static void
end(void)
{
    ofp_msg_end(&p.w, p.start);
    assert_false(p.w.failed);
}

static void
clear(void)
{
    memset(&p, 0xee, sizeof p);
    wire_writer_init(&p.w, p.bytes, sizeof p.bytes);
}

static void
put_message(uint8_t type, uint32_t xid, const void *body, size_t size)
{
    begin(type, xid);
    wire_put(&p.w, body, size);
    end();
}

/* Gives the session all that was put. */
static bool
give(void)
{
    uint8_t *exact = xmemdup(p.bytes, p.w.at);
    bool alive = ofp_session_input(t.session, exact, p.w.at, t.now);

    free(exact);
    clear();
    return alive;
}

static void
put_hello(uint8_t version)
{
    begin(OF13_HELLO, 1);
    end();
    p.bytes[p.start] = version;
}

static void
put_features(uint64_t dpid, uint8_t auxiliary_id)
{
    begin(OF13_FEATURES_REPLY, 0x70000001);
    wire_put_be64(&p.w, dpid);
    wire_put_be32(&p.w, 0);
    wire_put_u8(&p.w, 254);
    wire_put_u8(&p.w, auxiliary_id);
    wire_put_zeros(&p.w, 10);
    end();
}

static void
put_port(uint32_t no, const char *name, bool up)
{
    char wire_name[16] = {0};

    memcpy(wire_name, name, strlen(name) < 16 ? strlen(name) : 16);
    wire_put_be32(&p.w, no);
    wire_put_zeros(&p.w, 4);
    wire_put(&p.w, "\2\0\0\0\0\1", 6);
    wire_put_zeros(&p.w, 2);
    wire_put(&p.w, wire_name, 16);
    wire_put_be32(&p.w, 0);
    wire_put_be32(&p.w, up ? 4 : 1);
    wire_put_zeros(&p.w, 24);
}

static void
begin_multipart(uint16_t type, uint16_t flags, uint32_t xid)
{
    begin(OF13_MULTIPART_REPLY, xid);
    wire_put_be16(&p.w, type);
    wire_put_be16(&p.w, flags);
    wire_put_zeros(&p.w, 4);
}

static void
put_ports(void)
{
    begin_multipart(OF13_MP_PORT_DESC, 1, 0x70000003);
    put_port(1, "s1-eth1", true);
    put_port(0xfffffffe, "s1", true);
    end();
    begin_multipart(OF13_MP_PORT_DESC, 0, 0x70000003);
    put_port(2, "s1-eth2", false);
    end();
}

static void
put_desc(void)
{
    begin_multipart(OF13_MP_METER_FEATURES, 0, 0x70000008);
    wire_put(&p.w, "\0\4\0\0\0\0\0\2\0\0\0\xf\10\0\0", 16);
    end();
    begin_multipart(OF13_MP_DESC, 0, 0x70000004);
    wire_put_zeros(&p.w, 512);
    wire_put(&p.w, "3.1.0\n\377", 8);
    wire_put_zeros(&p.w, 248 + 32 + 256);
    end();
}

static void
put_port_status(uint8_t reason, uint32_t no, const char *name, bool up)
{
    begin(OF13_PORT_STATUS, 0);
    wire_put_u8(&p.w, reason);
    wire_put_zeros(&p.w, 7);
    put_port(no, name, up);
    end();
}

static void
put_packet_in(uint32_t in_port, size_t size)
{
    begin(OF13_PACKET_IN, 0);
    wire_put_be32(&p.w, OF13_NO_BUFFER);
    wire_put_be16(&p.w, size);
    wire_put_u8(&p.w, 1);
    wire_put_u8(&p.w, 20);
    wire_put_be64(&p.w, 7);
    wire_put_be16(&p.w, 1);
    wire_put_be16(&p.w, 12);
    wire_put_be32(&p.w, OXM_IN_PORT);
    wire_put_be32(&p.w, in_port);
    wire_put_zeros(&p.w, 4 + 2);
    for (size_t i = 0; i < size; i++) {
        wire_put_u8(&p.w, i);
    }
    end();
}

static void
put_handshake(void)
{
    put_hello(OF13_VERSION);
    put_features(0x2a, 0);
    put_ports();
    put_desc();
}

#define HANDSHAKE_LOG                                                         \
    "send:5 send:9 send:18 send:18 send:18 added:1:s1-eth1:up "               \
    "added:2:s1-eth2:down "                                                   \
    "ready:2a:3.1.0?? "

static void
make_ready(void)
{
    clear();
    put_handshake();
    assert_true(give());
    assert_log(HANDSHAKE_LOG);
    assert_true(ofp_session_is_ready(t.session));
}

static void
assert_dead(const char *reason)
{
    assert_false(ofp_session_run(t.session, t.now));
    assert_false(ofp_session_input(t.session, "", 1, t.now));
    assert_non_null(ofp_session_reason(t.session));
    if (!strstr(ofp_session_reason(t.session), reason)) {
        fail_msg("reason is \"%s\", not \"%s\"", ofp_session_reason(t.session),
                 reason);
    }
}

/* Handshake. */

static void
handshake(void **state)
{
    (void) state;
    clear();
    put_hello(OF13_VERSION);
    give();
    assert_log("send:5 send:9 send:18 send:18 send:18 ");
    put_features(0x2a, 0);
    put_ports();
    give();
    assert_false(ofp_session_is_ready(t.session));
    assert_log("");
    put_desc();
    give();
    assert_log("added:1:s1-eth1:up added:2:s1-eth2:down ready:2a:3.1.0?? ");
    assert_int_equal(t.meter_bands, 8);
    assert_null(ofp_session_reason(t.session));
}

static void
whole_handshake_in_one_read(void **state)
{
    (void) state;
    make_ready();
}

static void
handshake_byte_by_byte(void **state)
{
    (void) state;
    clear();
    put_handshake();
    for (size_t i = 0; i < p.w.at; i++) {
        uint8_t *byte = xmemdup(p.bytes + i, 1);

        assert_true(ofp_session_input(t.session, byte, 1, t.now));
        free(byte);
    }
    assert_log(HANDSHAKE_LOG);
}

/* Every way of cutting the stream in two gives the same. */
static void
handshake_cut_anywhere(void **state)
{
    (void) state;
    clear();
    put_handshake();
    for (size_t i = 1; i < p.w.at; i++) {
        uint8_t *a = xmemdup(p.bytes, i);
        uint8_t *b = xmemdup(p.bytes + i, p.w.at - i);

        assert_true(ofp_session_input(t.session, a, i, t.now));
        assert_true(ofp_session_input(t.session, b, p.w.at - i, t.now));
        assert_log(HANDSHAKE_LOG);
        free(a);
        free(b);
        ofp_session_destroy(t.session);
        t.session = ofp_session_create(&ops, NULL, 5000, t.now);
        t.log[0] = '\0';
    }
}

static void
put_hello_bitmap(uint8_t version, uint32_t bitmap)
{
    begin(OF13_HELLO, 1);
    wire_put_be16(&p.w, 2); /* An element of an unknown type first. */
    wire_put_be16(&p.w, 5);
    wire_put_zeros(&p.w, 4);
    wire_put_be16(&p.w, 1);
    wire_put_be16(&p.w, 8);
    wire_put_be32(&p.w, bitmap);
    end();
    p.bytes[p.start] = version;
}

/* A peer of higher version is fine if it also speaks ours. */
static void
versions(void **state)
{
    static const struct {
        uint8_t version;
        uint32_t bitmap; /* 0 = none. */
        bool ok;
    } cases[] = {
        {4, 0, true},       {6, 0, true},       {0xff, 0, true},
        {6, 1 << 4, true},  {6, 0x7e, true},    {1, 1 << 4, true},
        {1, 0, false},      {3, 0, false},      {0, 0, false},
        {6, 1 << 6, false}, {4, 1 << 1, false},
    };

    teardown(state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(state);
        clear();
        if (cases[i].bitmap) {
            put_hello_bitmap(cases[i].version, cases[i].bitmap);
        } else {
            put_hello(cases[i].version);
        }
        assert_int_equal(give(), cases[i].ok);
        if (cases[i].ok) {
            assert_log("send:5 send:9 send:18 send:18 send:18 ");
        } else {
            assert_log("send:1 ");
            assert_memory_equal(t.sent + 8, "\0\0\0\0ofmcast speaks", 18);
            assert_dead("OpenFlow 1.3");
        }
        teardown(state);
    }
    setup(state);
}

static void
hello_with_bad_elements(void **state)
{
    (void) state;
    clear();
    put_message(OF13_HELLO, 1, "\0\1\0\0\0\0\0\0\0\0\0\0", 12);
    assert_true(give());
}

static void
first_must_be_hello(void **state)
{
    (void) state;
    clear();
    put_features(1, 0);
    assert_false(give());
    assert_dead("did not begin with HELLO");
}

static void
peer_refuses_hello(void **state)
{
    (void) state;
    clear();
    put_message(OF13_ERROR, 1, "\0\0\0\0no", 6);
    assert_false(give());
    assert_dead("peer refuses our HELLO: OFPHFC_INCOMPATIBLE");
}

static void
handshake_deadline(void **state)
{
    (void) state;
    assert_int_equal(ofp_session_deadline(t.session), 11000);
    clear();
    put_hello(OF13_VERSION);
    t.now = 10999;
    give();
    assert_true(ofp_session_run(t.session, 10999));
    assert_false(ofp_session_run(t.session, 11000));
    assert_dead("handshake");
    assert_true(ofp_session_deadline(t.session) == INT64_MAX);
}

static void
bad_features(void **state)
{
    (void) state;
    clear();
    put_hello(4);
    put_features(0, 0);
    assert_false(give());
    assert_dead("datapath id 0");

    teardown(state);
    setup(state);
    put_hello(4);
    put_features(5, 1);
    assert_false(give());
    assert_dead("auxiliary connection 1");

    teardown(state);
    setup(state);
    put_hello(4);
    put_message(OF13_FEATURES_REPLY, 1, "\0\0\0\0\0\0\0\1", 8);
    assert_false(give());
    assert_dead("truncated");
}

static void
second_features(void **state)
{
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    put_features(0x2a, 0);
    put_hello(4);
    assert_true(give());
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.undecodable, 2);
    put_features(0x2b, 0);
    assert_false(give());
    assert_dead("datapath id changed from 000000000000002a");
}

/* A switch that cannot match fragments is told to do as it likes; one that
 * does not describe itself is served too. */
static void
refused_requests(void **state)
{
    (void) state;
    clear();
    put_hello(4);
    put_features(0x2a, 0);
    give();
    t.log[0] = '\0';
    put_message(OF13_ERROR, 0x70000002, "\0\12\0\0", 4);
    give();
    assert_log("send:9 ");
    assert_memory_equal(t.sent + 8, "\0\0\377\377", 4);
    put_ports();
    put_message(OF13_ERROR, 0x70000008, "\0\1\0\2", 4); /* No meters. */
    put_message(OF13_ERROR, 0x70000004, "\0\1\0\2", 4);
    assert_true(give());
    assert_log("added:1:s1-eth1:up added:2:s1-eth2:down ready:2a: ");

    teardown(state);
    setup(state);
    put_hello(4);
    put_features(0x2a, 0);
    put_message(OF13_ERROR, 0x70000003, "\0\1\0\2", 4);
    assert_false(give());
    assert_dead("OFPBRC_BAD_STAT");
}

/* The running session. */

static void
bad_framing(void **state)
{
    (void) state;
    make_ready();
    assert_false(ofp_session_input(t.session, "\4\2\0\7\0\0\0\0", 8, t.now));
    assert_dead("shorter than its header");
}

static void
wrong_version(void **state)
{
    static const uint8_t versions_[] = {0, 1, 2, 5, 255};

    for (size_t i = 0; i < sizeof versions_; i++) {
        teardown(state);
        setup(state);
        make_ready();
        put_message(OF13_BARRIER_REPLY, 0, NULL, 0);
        p.bytes[0] = versions_[i];
        assert_false(give());
        assert_dead("version");
    }
}

static void
unknown_types(void **state)
{
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    for (int type = 30; type < 256; type++) {
        put_message(type, 0, "abcdefgh", 8);
    }
    assert_true(give());
    assert_log("");
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.undecodable, 226);
}

static void
echo(void **state)
{
    uint8_t payload[65527];

    (void) state;
    make_ready();
    memset(payload, 0xa5, sizeof payload);
    put_message(OF13_ECHO_REQUEST, 77, payload, sizeof payload);
    give();
    assert_log("send:3 ");
    assert_int_equal(t.n_sent, 65535);
    assert_int_equal(ofp_msg_xid(t.sent), 77);
    assert_memory_equal(t.sent + 8, payload, sizeof payload);
}

static void
packet_ins(void **state)
{
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    put_packet_in(3, 60);
    put_packet_in(0xfffffffe, 0);
    put_packet_in(1, 1500);
    give();
    assert_log("packet:3:60 packet:4294967294:0 packet:1:1500 ");
    put_packet_in(3, 65000);
    give();
    assert_log("packet:3:65000 ");
    /* No input port; a match longer than the message; shorter than itself. */
    put_packet_in(3, 10);
    p.bytes[31] = 1;
    put_packet_in(3, 10);
    p.bytes[p.start + 26] = 0xff;
    put_packet_in(3, 10);
    p.bytes[p.start + 27] = 3;
    put_message(OF13_PACKET_IN, 0, "abc", 3);
    assert_true(give());
    assert_log("");
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.undecodable, 4);
    assert_int_equal(c.packet_ins, 8);
}

/* What Open vSwitch tells of a packet that came by a tunnel. */
static void
packet_in_by_tunnel(void **state)
{
    (void) state;
    make_ready();
    begin(OF13_PACKET_IN, 0);
    wire_put_be32(&p.w, OF13_NO_BUFFER);
    wire_put_zeros(&p.w, 4);
    wire_put_be64(&p.w, 7);
    wire_put_be16(&p.w, 1);
    wire_put_be16(&p.w, 4 + 12 + 8 + 8 + 8);
    wire_put_be32(&p.w, OXM_TUNNEL_ID);
    wire_put_be64(&p.w, 100);
    wire_put_be32(&p.w, NXM_TUN_SRC);
    wire_put_be32(&p.w, 0x0aff0002);
    wire_put_be32(&p.w, NXM_TUN_DST);
    wire_put_be32(&p.w, 0x0aff0001);
    wire_put_be32(&p.w, OXM_IN_PORT);
    wire_put_be32(&p.w, 9);
    wire_put_zeros(&p.w, 2);
    end();
    give();
    assert_log("packet:9:0 tunnel:100:aff0002 ");
}

/* Before READY nobody knows whose packet it would be. */
static void
packet_in_during_handshake(void **state)
{
    (void) state;
    clear();
    put_hello(4);
    put_packet_in(3, 60);
    put_message(OF13_BARRIER_REPLY, 0, NULL, 0);
    give();
    assert_log("send:5 send:9 send:18 send:18 send:18 ");
}

static void
port_changes(void **state)
{
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    put_port_status(2, 1, "s1-eth1", false);
    put_port_status(2, 1, "s1-eth1", false); /* Nothing new. */
    put_port_status(2, 1, "s1-eth1", true);
    give();
    assert_log("modified:1:s1-eth1:down modified:1:s1-eth1:up ");
    put_port_status(0, 9, "0123456789abcdefXX", true);
    put_port_status(0, 9, "0123456789abcdefXX", true);
    put_port_status(0, 0xfffffffe, "s1", true);
    give();
    assert_log("added:9:0123456789abcdef:up ");
    /* The number goes to another interface. */
    put_port_status(2, 9, "t\303\244p0", true);
    give();
    assert_log("deleted:9:0123456789abcdef:up added:9:t??p0:up ");
    put_port_status(1, 9, "", true);
    put_port_status(1, 9, "", true);
    put_port_status(3, 2, "s1-eth2", true);
    put_message(OF13_PORT_STATUS, 0, "\0\0\0\0", 4);
    assert_true(give());
    assert_log("deleted:9:t??p0:up ");
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.undecodable, 2);
}

static void
flow_removed(void **state)
{
    (void) state;
    make_ready();
    begin(OF13_FLOW_REMOVED, 0);
    wire_put_be64(&p.w, 1);
    wire_put_be16(&p.w, 500);
    wire_put_u8(&p.w, 0);
    wire_put_u8(&p.w, 40);
    wire_put_zeros(&p.w, 12);
    wire_put_be64(&p.w, 123);
    wire_put_be64(&p.w, 4567);
    wire_put_be32(&p.w, 0x00010004);
    wire_put_be32(&p.w, 0);
    end();
    put_message(OF13_FLOW_REMOVED, 0, "abcdefgh", 8);
    assert_true(give());
    assert_log("removed:40:500:123:idle ");
}

static void
replies(void **state)
{
    (void) state;
    make_ready();
    put_message(OF13_BARRIER_REPLY, 5, NULL, 0);
    put_message(OF13_ERROR, 6, "\0\1\0\1", 4);
    put_message(OF13_ERROR, 6, "", 0);
    put_message(OF13_EXPERIMENTER, 7, "ONF\0\0\0\0\0", 8);
    begin_multipart(OF13_MP_FLOW, 0, 8);
    end();
    begin_multipart(OF13_MP_PORT_DESC, 0, 0x70000003); /* Once more. */
    end();
    put_message(OF13_MULTIPART_REPLY, 8, "abc", 3);
    assert_true(give());
    assert_log("reply:21 reply:1 reply:1 reply:4 reply:19 reply:19 ");
}

static void
many_tiny_messages(void **state)
{
    enum { N = 1000000 };
    uint8_t *bytes = xcalloc(N, 8);
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    for (size_t i = 0; i < N; i++) {
        memcpy(bytes + 8 * i, "\4\3\0\10\0\0\0\0", 8);
    }
    assert_true(ofp_session_input(t.session, bytes, 8 * N, t.now));
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.messages_in, N + 6);
    free(bytes);
}

static void
endless_ports(void **state)
{
    (void) state;
    clear();
    put_hello(4);
    put_features(0x2a, 0);
    give();
    for (uint32_t no = 1; no <= OFP_MAX_PORTS + 1; no++) {
        begin_multipart(OF13_MP_PORT_DESC, 1, 0x70000003);
        put_port(no, "x", true);
        end();
        assert_int_equal(give(), no <= OFP_MAX_PORTS);
    }
    assert_dead("more than 65280 ports");
}

/* Time. */

static void
probe(void **state)
{
    (void) state;
    t.now = 2000;
    make_ready();
    assert_int_equal(ofp_session_deadline(t.session), 7000);
    assert_true(ofp_session_run(t.session, 6999));
    assert_log("");
    assert_true(ofp_session_run(t.session, 7000));
    assert_log("send:2 ");
    assert_int_equal(ofp_session_deadline(t.session), 12000);
    assert_true(ofp_session_run(t.session, 7001));
    assert_log("");
    /* Any byte is a sign of life. */
    t.now = 11999;
    put_message(OF13_BARRIER_REPLY, 0, NULL, 0);
    give();
    assert_int_equal(ofp_session_deadline(t.session), 16999);
    assert_true(ofp_session_run(t.session, 16999));
    assert_true(ofp_session_run(t.session, 21998));
    assert_false(ofp_session_run(t.session, 21999));
    assert_dead("no answer");
}

static void
challenge(void **state)
{
    (void) state;
    t.now = 2000;
    make_ready();
    ofp_session_challenge(t.session, 3000);
    assert_log("send:2 ");
    assert_int_equal(ofp_session_deadline(t.session), 5000);
    ofp_session_challenge(t.session, 4000); /* That changes nothing. */
    assert_log("");
    assert_true(ofp_session_run(t.session, 4999));
    assert_false(ofp_session_run(t.session, 5000));
    assert_dead("no answer");
}

static void
packet_out(void **state)
{
    static uint8_t frame[70000];
    struct ofp_session_counters c;

    (void) state;
    make_ready();
    ofp_session_packet_out(t.session, 0, 3, "frame", 5);
    assert_log("send:13 ");
    assert_int_equal(t.n_sent, 45);
    assert_memory_equal(t.sent + 40, "frame", 5);
    ofp_session_packet_out(t.session, 0, OFP_PORT_FLOOD, frame, 9000);
    ofp_session_packet_out(t.session, 0, 3, frame, sizeof frame);
    assert_log("send:13 ");
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.packet_outs, 2);
}

/* More ports than one message holds, each of them once and in their order. */
static void
packet_out_to_ports(void **state)
{
    static uint8_t frame[65000];
    enum { MAX = (65535 - 24 - 65000) / 16 };
    struct ofp_session_counters c;
    uint32_t ports[MAX + 2];

    (void) state;
    make_ready();
    for (uint32_t i = 0; i < MAX + 2; i++) {
        ports[i] = 100 + i;
    }
    ofp_session_packet_out_ports(t.session, 7, ports, 2, "frame", 5);
    assert_log("send:13 ");
    assert_int_equal(t.n_sent, 24 + 2 * 16 + 5);
    assert_memory_equal(t.sent + 12, "\0\0\0\x07\0\x20", 6);
    assert_memory_equal(t.sent + 24, "\0\0\0\x10\0\0\0\x64", 8);
    assert_memory_equal(t.sent + 40, "\0\0\0\x10\0\0\0\x65", 8);
    assert_memory_equal(t.sent + 56, "frame", 5);
    ofp_session_packet_out_ports(t.session, 0, ports, MAX + 2, frame,
                                 sizeof frame);
    assert_log("send:13 send:13 ");
    assert_int_equal(t.n_sent, 24 + 2 * 16 + 65000);
    assert_memory_equal(t.sent + 24, "\0\0\0\x10\0\0\0\x83", 8);
    ofp_session_packet_out_ports(t.session, 0, ports, 0, frame, 60);
    assert_log("");
    ofp_session_counters(t.session, &c);
    assert_int_equal(c.packet_outs, 3);
}

/* Matches read back. */

static void
match_decoding(void **state)
{
    static const uint8_t unknown[] = {0x80, 0, 0x04, 2, 1, 2};
    static const uint8_t odd_mask[] = {0x80, 0, 0x17, 8,    226, 2,
                                       2,    2, 0xff, 0xff, 0,   0xff};
    static const uint8_t cut[] = {0x80, 0, 0x18, 4, 226, 2};
    /* Metadata of one byte; of more, and masks of more or less, not. */
    static const uint8_t metadata[] = {0x80, 0, 0x05, 16, 0, 0, 0, 0, 0, 0,
                                       0,    5, 0,    0,  0, 0, 0, 0, 0, 0xff};
    uint8_t odd[sizeof metadata];
    struct ofp_match m;

    (void) state;
    assert_true(ofp_decode_match(metadata, sizeof metadata, &m));
    assert_int_equal(m.fields, OFP_MATCH_METADATA);
    assert_int_equal(m.metadata, 5);
    for (size_t i = 4; i < sizeof metadata; i++) {
        memcpy(odd, metadata, sizeof odd);
        odd[i] ^= 8;
        assert_int_equal(ofp_decode_match(odd, sizeof odd, &m), i == 11);
    }
    assert_true(ofp_decode_match(NULL, 0, &m));
    assert_int_equal(m.fields, 0);
    assert_false(ofp_decode_match(unknown, sizeof unknown, &m));
    assert_false(ofp_decode_match(odd_mask, sizeof odd_mask, &m));
    assert_false(ofp_decode_match(cut, sizeof cut, &m));
}

/* What is written is understood again, and means the same. */
static void
matches_return(void **state)
{
    struct ofp_match m = {.in_port = 5,
                          .vlan = 10,
                          .eth_type = 0x0800,
                          .eth_src = {{2, 0, 0, 0, 0, 1}},
                          .eth_dst = {{1, 0, 0x5e}},
                          .eth_dst_mask = {{0xff, 0xff, 0xff}},
                          .ip_src = {ip_addr_v4(0x0a000000), 96 + 8},
                          .ip_dst = {ip_addr_v4(0xe2020202), 128},
                          .udp_dst = 5004,
                          .ip_proto = 17,
                          .icmp6_type = 143,
                          .metadata = 2};

    (void) state;
    for (m.fields = 0; m.fields < OFP_MATCH_ETH_SRC * 2; m.fields++) {
        uint8_t oxm[OFP_MATCH_MAX_SIZE], again[OFP_MATCH_MAX_SIZE];
        struct wire_writer w, w2;
        struct ofp_match back;

        wire_writer_init(&w, oxm, sizeof oxm);
        ofp_encode_match(&w, &m);
        assert_false(w.failed);
        assert_true(ofp_decode_match(oxm, w.at, &back));
        assert_int_equal(back.fields & m.fields, m.fields);
        assert_int_equal(back.metadata, m.fields & OFP_MATCH_METADATA ? 2 : 0);
        wire_writer_init(&w2, again, sizeof again);
        ofp_encode_match(&w2, &back);
        assert_int_equal(w2.at, w.at);
        assert_memory_equal(again, oxm, w.at);
    }
}

#define SESSION_TEST(NAME)                                                    \
    cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(handshake),
        SESSION_TEST(whole_handshake_in_one_read),
        SESSION_TEST(handshake_byte_by_byte),
        SESSION_TEST(handshake_cut_anywhere),
        SESSION_TEST(versions),
        SESSION_TEST(hello_with_bad_elements),
        SESSION_TEST(first_must_be_hello),
        SESSION_TEST(peer_refuses_hello),
        SESSION_TEST(handshake_deadline),
        SESSION_TEST(bad_features),
        SESSION_TEST(second_features),
        SESSION_TEST(refused_requests),
        SESSION_TEST(bad_framing),
        SESSION_TEST(wrong_version),
        SESSION_TEST(unknown_types),
        SESSION_TEST(echo),
        SESSION_TEST(packet_ins),
        SESSION_TEST(packet_in_by_tunnel),
        SESSION_TEST(packet_in_during_handshake),
        SESSION_TEST(port_changes),
        SESSION_TEST(flow_removed),
        SESSION_TEST(replies),
        SESSION_TEST(many_tiny_messages),
        SESSION_TEST(endless_ports),
        SESSION_TEST(probe),
        SESSION_TEST(challenge),
        SESSION_TEST(packet_out),
        SESSION_TEST(packet_out_to_ports),
        cmocka_unit_test(match_decoding),
        cmocka_unit_test(matches_return),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
