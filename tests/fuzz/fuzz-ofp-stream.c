/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What a switch may say, to a session and its table.
 *
 * The input is a script of steps, each a byte that says what and its
 * arguments.  Bytes of the peer come raw, cut anywhere, or as an answer that
 * fits what the table last asked, with the body out of the input: otherwise
 * no fuzzer would hit the transaction ids.  The first byte says whether the
 * handshake is done beforehand. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openvswitch/vlog.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-port-stats.h"
#include "ofp/ofp-proto.h"
#include "ofp/ofp-session.h"
#include "ofp/ofp-static.h"
#include "ofp/ofp-table.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The last messages that were sent, to answer them. */
enum { N_ASKED = 8 };

struct fuzz {
    struct wire_reader in;
    struct ofp_session *session;
    struct ofp_table *table;
    struct ofp_static *group, *flow;
    struct {
        uint32_t xid;
        uint8_t multipart; /* Its type; 0 = it is none of those. */
    } asked[N_ASKED];
    size_t n_asked;
    uint32_t multiparts[16]; /* The last of each type. */
    int64_t now;
    uint32_t sum; /* Of all that was handed over: it must be readable. */
    bool failed;
};

static void
on_send(void *f_, const void *msg, size_t size)
{
    struct fuzz *f = f_;

    if (size < OF13_HEADER_SIZE || ofp_msg_size(msg) != size
        || ofp_msg_version(msg) != OF13_VERSION) {
        abort();
    }
    bool multipart = ofp_msg_type(msg) == OF13_MULTIPART_REQUEST;
    uint8_t type =
        multipart ? ((const uint8_t *) msg)[OF13_HEADER_SIZE + 1] : 0;
    size_t i = f->n_asked++ % N_ASKED;

    f->asked[i].xid = ofp_msg_xid(msg);
    f->asked[i].multipart = type;
    if (multipart) {
        f->multiparts[type % 16] = ofp_msg_xid(msg);
    }
}

static void
on_ready(void *f_, const struct ofp_features *features)
{
    struct fuzz *f = f_;

    (void) features;
    ofp_table_connected(f->table, f->now);
}

static void
on_port(void *f, enum ofp_port_change change, const struct ofp_port *port)
{
    (void) f;
    (void) change;
    if (memchr(port->name, 0, sizeof port->name) == NULL) {
        abort();
    }
}

static void
on_packet_in(void *f_, const struct ofp_packet_in *pi)
{
    struct fuzz *f = f_;

    for (size_t i = 0; i < pi->size; i++) {
        f->sum += pi->frame[i];
    }
}

static void
on_flow_removed(void *f_, const struct ofp_flow_removed *fr)
{
    struct fuzz *f = f_;

    ofp_table_flow_removed(f->table, fr, f->now);
}

/* Whatever its number is. */
static void
read_port_stats(struct fuzz *f, const void *msg, size_t size)
{
    struct ofp_port_stats_reply reply;
    struct ofp_port_stats s;

    if (ofp_port_stats_open(msg, size, ofp_msg_xid(msg), &reply)
        == OFP_PORT_STATS_REPLY) {
        while (ofp_port_stats_next(&reply, &s)) {
            f->sum += s.no + (uint32_t) (s.tx_errors ^ s.rx_packets);
        }
    }
}

static void
on_reply(void *f_, const void *msg, size_t size)
{
    struct fuzz *f = f_;

    read_port_stats(f, msg, size);

    ofp_table_input(f->table, msg, size, f->now);
}

static const struct ofp_session_ops session_ops = {
    .send = on_send,
    .ready = on_ready,
    .port_changed = on_port,
    .packet_in = on_packet_in,
    .flow_removed = on_flow_removed,
    .reply = on_reply,
};

static void
table_send(void *f_, const void *msg, size_t size)
{
    struct fuzz *f = f_;

    ofp_session_send(f->session, msg, size);
}

/* Sets or unsets one of a few channels. */
static void
change(struct fuzz *f, uint8_t which)
{
    struct ofp_flow flow = {
        .table = 40,
        .priority = which & 3,
        .match = {.fields = OFP_MATCH_IP_DST,
                  .ip_dst = {ip_addr_v4(0xe2000000), 128}},
        .cookie = OFP_COOKIE | (which & 8),
        .idle_timeout = which & 16 ? 5 : 0,
        .output = which & 32 ? OFP_OUT_NONE : OFP_OUT_GROUP,
        .set_metadata = which & 1,
        .metadata = which & 8,
    };
    struct ofp_bucket buckets[4] = {{.out_port = 1 + (which >> 6)},
                                    {.out_port = 5},
                                    {.out_port = 6},
                                    {.out_port = 7}};

    if (which & 4) {
        ofp_table_unset(f->table, 40, flow.priority, &flow.match);
    } else {
        ofp_table_set(f->table, &flow, buckets, which >> 6, which, NULL);
    }
}

static void
on_adopted(void *f_, const struct ofp_adopted *a)
{
    struct fuzz *f = f_;

    for (size_t i = 0; i < a->n_copies; i++) {
        f->sum += a->copies[i].port + a->copies[i].eth_dst.b[5]
                  + a->copies[i].pop_vlan;
    }
    if (a->priority & 1) {
        ofp_table_unset(f->table, a->table, a->priority, &a->match);
    }
}

static void
on_synced(void *f_)
{
    change(f_, 0x80);
}

static void
on_settled(void *f_, uint64_t seqno)
{
    struct fuzz *f = f_;

    if (seqno > ofp_table_seqno(f->table)) {
        abort();
    }
}

static void
on_rejected(void *f_, ofp_owner owner, const char *error)
{
    if (!error[0]) {
        abort();
    }
    if (owner & 1) {
        change(f_, owner | 4);
    }
}

static void
on_counted(void *f)
{
    (void) f;
}

static void
on_drifted(void *f, size_t n)
{
    (void) f;
    (void) n;
}

static void
on_failed(void *f_, const char *reason)
{
    struct fuzz *f = f_;

    (void) reason;
    f->failed = true;
}

static const struct ofp_table_ops table_ops = {
    .send = table_send,
    .adopted = on_adopted,
    .synced = on_synced,
    .settled = on_settled,
    .rejected = on_rejected,
    .counted = on_counted,
    .drifted = on_drifted,
    .failed = on_failed,
};

static uint32_t
no_ports(void *f, const char *name)
{
    (void) f;
    (void) name;
    return 0;
}

/* Bytes of the peer, in a block of just their size. */
static void
give(struct fuzz *f, const void *bytes, size_t size)
{
    uint8_t *exact = xmemdup(bytes, size);

    ofp_session_input(f->session, exact, size, f->now);
    free(exact);
}

static void
give_message(struct fuzz *f, uint8_t type, uint32_t xid, const void *head,
             size_t head_size, const void *body, size_t body_size)
{
    uint8_t bytes[1024];
    struct wire_writer w;
    size_t start;

    wire_writer_init(&w, bytes, sizeof bytes);
    start = ofp_msg_begin(&w, type);
    wire_put(&w, head, head_size);
    wire_put(&w, body, body_size);
    ofp_msg_end(&w, start);
    if (!w.failed) {
        ofp_msg_set_xid(bytes, xid);
        give(f, bytes, w.at);
    }
}

static void
shake_hands(struct fuzz *f)
{
    static const uint8_t features[24] = {[7] = 1};
    static const uint8_t ports[8 + 64] = {[1] = 13, [11] = 1};
    static const uint8_t desc[8 + 1056];

    give_message(f, OF13_HELLO, 0, NULL, 0, NULL, 0);
    give_message(f, OF13_FEATURES_REPLY, 0, features, 24, NULL, 0);
    give_message(f, OF13_MULTIPART_REPLY, f->multiparts[OF13_MP_PORT_DESC],
                 ports, sizeof ports, NULL, 0);
    give_message(f, OF13_ERROR, f->multiparts[OF13_MP_DESC], desc, 4, NULL, 0);
    if (!ofp_session_is_ready(f->session)) {
        abort(); /* Nothing behind the handshake would be tried. */
    }
}

/* An answer of some kind to one of the last requests. */
static void
answer(struct fuzz *f)
{
    uint8_t what = wire_get_u8(&f->in);
    size_t which = (f->n_asked - 1 - (what & 7)) % N_ASKED;
    uint32_t xid = f->asked[which].xid;
    size_t size = wire_get_u8(&f->in);
    const uint8_t *body;
    uint8_t head[8] = {0};

    size = size < wire_left(&f->in) ? size : wire_left(&f->in);
    body = wire_take(&f->in, size);
    switch (what >> 3 & 7) {
    case 0:
        give_message(f, OF13_BARRIER_REPLY, xid, NULL, 0, NULL, 0);
        break;
    case 1:
        give_message(f, OF13_ERROR, xid, NULL, 0, body, size);
        break;
    case 2:
        give_message(f, OF13_EXPERIMENTER, xid, "ONF\0\0\0\x08\xfc", 8, body,
                     size);
        break;
    default:
        /* Of the type that was asked for, or by way of exception not. */
        head[1] = f->asked[which].multipart ^ ((what >> 3 & 7) == 5);
        head[3] = what >> 7;
        give_message(f, OF13_MULTIPART_REPLY, xid, head, 8, body, size);
        break;
    }
}

static void
step(struct fuzz *f)
{
    uint8_t what = wire_get_u8(&f->in);

    switch (what & 7) {
    case 0: {
        size_t size = wire_get_u8(&f->in);

        size = size < wire_left(&f->in) ? size : wire_left(&f->in);
        give(f, wire_take(&f->in, size), size);
        break;
    }
    case 1:
    case 2:
        answer(f);
        break;
    case 3:
        change(f, wire_get_u8(&f->in));
        break;
    case 4:
        f->now += (int64_t) 1 << (what >> 3 & 15);
        break;
    case 5:
        ofp_table_poll(f->table, f->now);
        break;
    case 6:
        if (what & 8) {
            ofp_table_set_static(f->table, what & 16 ? f->group : f->flow,
                                 what & 32, 3, NULL);
        } else {
            ofp_table_unset_static(f->table, what & 16 ? f->group : f->flow);
        }
        break;
    default:
        if (what & 8) {
            ofp_table_set_meter(f->table, 1, what, 5);
        } else if (what & 16) {
            ofp_table_disconnected(f->table);
            ofp_table_connected(f->table, f->now);
        }
        break;
    }
    ofp_session_run(f->session, f->now);
    ofp_table_run(f->table, f->now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.now = 1000};
    char *error;

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    wire_reader_init(&f.in, data, size);
    f.group = ofp_static_parse(OFP_STATIC_GROUP,
                               "group_id=5,type=all,bucket=output:1", no_ports,
                               NULL, NULL, &error);
    f.flow = ofp_static_parse(OFP_STATIC_FLOW, "ip,actions=group:5", no_ports,
                              NULL, NULL, &error);
    f.table = ofp_table_create(&table_ops, &f);
    f.session = ofp_session_create(&session_ops, &f, 5000, f.now);
    if (wire_get_u8(&f.in) & 1) {
        shake_hands(&f);
    }
    while (wire_left(&f.in) && !f.failed && !ofp_session_reason(f.session)) {
        step(&f);
    }
    ofp_table_disconnected(f.table);
    ofp_table_destroy(f.table);
    ofp_session_destroy(f.session);
    ofp_static_destroy(f.group);
    ofp_static_destroy(f.flow);
    return 0;
}
