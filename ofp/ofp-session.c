/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-decode.h"
#include "ofp/ofp-error.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-ports.h"
#include "ofp/ofp-proto.h"
#include "ofp/ofp-stream.h"

enum session_state {
    S_HELLO,    /* Sent ours, waiting for the peer's. */
    S_FEATURES, /* Asked for everything; this is the answer that is due. */
    S_PORTS,
    S_DESC,
    S_READY,
    S_DEAD
};

/* Transaction ids of our own requests: ofp-table stays below them. */
enum session_request {
    X_HELLO,
    X_FEATURES,
    X_CONFIG,
    X_PORTS,
    X_DESC,
    X_CONFIG_AGAIN,
    X_PROBE,
    X_PACKET_OUT,
    X_METERS
};
/* All bytes below 0x80: mininet probes a controller's port and reads what it
 * gets, our HELLO, as UTF-8. */
#define FIRST_XID UINT32_C(0x70000000)

struct ofp_session {
    const struct ofp_session_ops *ops;
    void *aux;
    enum session_state state;
    char *reason;

    int64_t created;
    int64_t probe_interval; /* 0 = never. */
    int64_t last_input;
    int64_t probe_due; /* When a probe must be answered; -1 = none is sent. */

    struct ofp_stream stream;
    struct ofp_features features;
    struct ofp_ports ports;
    struct ofp_session_counters counters;
};

/* Output. */

void
ofp_session_send(struct ofp_session *s, const void *msg, size_t size)
{
    if (s->state != S_DEAD) {
        s->counters.messages_out++;
        s->counters.bytes_out += size;
        s->ops->send(s->aux, msg, size);
    }
}

static void
send_request(struct ofp_session *s, struct wire_writer *w,
             enum session_request request)
{
    ofp_msg_set_xid(w->data, FIRST_XID + request);
    ofp_session_send(s, w->data, w->at);
}

static void
send_empty(struct ofp_session *s, uint8_t type, enum session_request request)
{
    uint8_t bytes[OF13_HEADER_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_empty(&w, type);
    send_request(s, &w, request);
}

static void
send_hello(struct ofp_session *s)
{
    uint8_t bytes[16];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_hello(&w);
    send_request(s, &w, X_HELLO);
}

static void
send_config(struct ofp_session *s, uint16_t flags,
            enum session_request request)
{
    uint8_t bytes[12];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_set_config(&w, flags);
    send_request(s, &w, request);
}

static void
send_multipart(struct ofp_session *s, uint16_t type,
               enum session_request request)
{
    uint8_t bytes[OF13_MULTIPART_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_multipart(&w, type);
    send_request(s, &w, request);
}

void
ofp_session_packet_out_message(struct ofp_session *s, void *msg, size_t size)
{
    ofp_msg_set_xid(msg, FIRST_XID + X_PACKET_OUT);
    s->counters.packet_outs++;
    ofp_session_send(s, msg, size);
}

/* The end of a session. */

static void __attribute__((format(printf, 2, 3)))
die(struct ofp_session *s, const char *format, ...)
{
    char text[OFP_ERROR_SIZE + 64];
    va_list args;

    if (s->state != S_DEAD) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        s->reason = xstrdup(text);
        s->state = S_DEAD;
    }
}

static void
refuse_hello(struct ofp_session *s, const uint8_t *hello)
{
    uint8_t bytes[64];
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    ofp_msg_put_hello_failed(&w, "ofmcast speaks OpenFlow 1.3 only");
    ofp_msg_set_xid(bytes, ofp_msg_xid(hello));
    ofp_session_send(s, bytes, w.at);
    die(s, "peer does not speak OpenFlow 1.3 (its HELLO says version %u)",
        ofp_msg_version(hello));
}

/* The handshake.  Everything is asked at once; the answers come in order. */

static void
input_hello(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    if (s->state != S_HELLO) {
        s->counters.undecodable++; /* Once more: no harm. */
    } else if (!ofp_decode_hello(msg, size)) {
        refuse_hello(s, msg);
    } else {
        enum { FRAGMENTS_NX_MATCH = 3 };

        s->state = S_FEATURES;
        send_empty(s, OF13_FEATURES_REQUEST, X_FEATURES);
        send_config(s, FRAGMENTS_NX_MATCH, X_CONFIG);
        send_multipart(s, OF13_MP_PORT_DESC, X_PORTS);
        send_multipart(s, OF13_MP_METER_FEATURES, X_METERS);
        send_multipart(s, OF13_MP_DESC, X_DESC);
    }
}

static void
input_features(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    uint8_t auxiliary_id;
    uint64_t dpid;

    if (!ofp_decode_features(msg, size, &dpid, &auxiliary_id)) {
        die(s, "truncated features reply");
    } else if (!dpid) {
        die(s, "datapath id 0");
    } else if (auxiliary_id) {
        die(s, "auxiliary connection %u, where a main one is expected",
            auxiliary_id);
    } else if (s->state == S_FEATURES) {
        s->features.dpid = dpid;
        s->state = S_PORTS;
    } else if (dpid != s->features.dpid) {
        die(s, "datapath id changed from %016" PRIx64 " to %016" PRIx64,
            s->features.dpid, dpid);
    } else {
        s->counters.undecodable++; /* Nobody asked. */
    }
}

static void
tell_port(void *s_, enum ofp_port_change change, const struct ofp_port *port)
{
    struct ofp_session *s = s_;

    if (s->state == S_READY) {
        s->ops->port_changed(s->aux, change, port);
    }
}

static void
input_port_desc(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    bool more = msg[11] & OF13_MULTIPART_MORE;
    struct wire_reader r;

    wire_reader_init(&r, msg, size);
    wire_skip(&r, OF13_MULTIPART_SIZE);
    while (wire_left(&r)) {
        struct ofp_port port;

        if (!ofp_decode_port(&r, &port)) {
            die(s, "truncated port description");
            return;
        } else if (!ofp_ports_put(&s->ports, &port, tell_port, s)) {
            die(s, "more than %d ports", OFP_MAX_PORTS);
            return;
        }
    }
    if (!more) {
        s->state = S_DESC;
    }
}

static void
become_ready(struct ofp_session *s)
{
    s->state = S_READY;
    ofp_ports_each(&s->ports, tell_port, s);
    s->ops->ready(s->aux, &s->features);
}

static void
reply(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    if (s->state == S_READY) {
        s->ops->reply(s->aux, msg, size);
    }
}

static void
input_multipart(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    uint32_t xid = ofp_msg_xid(msg);
    uint16_t type;

    if (size < OF13_MULTIPART_SIZE) {
        s->counters.undecodable++;
        return;
    }
    type = msg[8] << 8 | msg[9];
    if (s->state == S_PORTS && xid == FIRST_XID + X_PORTS
        && type == OF13_MP_PORT_DESC) {
        input_port_desc(s, msg, size);
    } else if (s->state == S_DESC && xid == FIRST_XID + X_METERS
               && type == OF13_MP_METER_FEATURES) {
        if (!ofp_decode_meter_features(msg, size, &s->features)) {
            s->counters.undecodable++;
        }
    } else if (s->state == S_DESC && xid == FIRST_XID + X_DESC
               && type == OF13_MP_DESC) {
        if (!ofp_decode_desc(msg, size, &s->features)) {
            s->counters.undecodable++;
        }
        become_ready(s);
    } else {
        reply(s, msg, size);
    }
}

/* Errors that answer our own requests. */
static void
input_error(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    struct ofp_error e;

    s->counters.errors++;
    ofp_error_decode(msg, size, &e);
    if (s->state == S_HELLO) {
        die(s, "peer refuses our HELLO: %s", e.text);
        return;
    }
    switch (e.xid - FIRST_XID) {
    case X_FEATURES:
        die(s, "peer refuses to tell its features: %s", e.text);
        break;
    case X_PORTS:
        if (s->state == S_PORTS) {
            die(s, "peer refuses to tell its ports: %s", e.text);
        }
        break;
    case X_CONFIG:
        /* It cannot match fragments: then it handles them as it likes. */
        send_config(s, 0, X_CONFIG_AGAIN);
        break;
    case X_DESC:
        if (s->state == S_DESC) {
            become_ready(s);
        }
        break;
    case X_METERS:
        break; /* It has none. */
    default:
        reply(s, msg, size);
        break;
    }
}

/* The running session. */

static void
input_echo(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    uint8_t *answer = xmemdup(msg, size);

    answer[0] = OF13_VERSION;
    answer[1] = OF13_ECHO_REPLY;
    ofp_session_send(s, answer, size);
    free(answer);
}

static void
input_packet_in(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    struct ofp_packet_in pi;

    s->counters.packet_ins++;
    if (!ofp_decode_packet_in(msg, size, &pi)) {
        s->counters.undecodable++;
    } else if (s->state == S_READY) {
        s->ops->packet_in(s->aux, &pi);
    }
}

static void
input_port_status(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    enum { ADD, DELETE, MODIFY };
    struct ofp_port port;
    uint8_t reason;

    if (!ofp_decode_port_status(msg, size, &reason, &port)
        || reason > MODIFY) {
        s->counters.undecodable++;
    } else if (reason == DELETE) {
        ofp_ports_remove(&s->ports, port.no, tell_port, s);
    } else if (!ofp_ports_put(&s->ports, &port, tell_port, s)) {
        die(s, "more than %d ports", OFP_MAX_PORTS);
    }
}

static void
input_flow_removed(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    struct ofp_flow_removed fr;

    if (!ofp_decode_flow_removed(msg, size, &fr)) {
        s->counters.undecodable++;
    } else if (s->state == S_READY) {
        s->ops->flow_removed(s->aux, &fr);
    }
}

static void
input_typed(struct ofp_session *s, const uint8_t *msg, size_t size)
{
    switch (ofp_msg_type(msg)) {
    case OF13_PACKET_IN:
        input_packet_in(s, msg, size);
        break;
    case OF13_HELLO:
        input_hello(s, msg, size);
        break;
    case OF13_ERROR:
        input_error(s, msg, size);
        break;
    case OF13_ECHO_REQUEST:
        input_echo(s, msg, size);
        break;
    case OF13_ECHO_REPLY:
        break; /* That bytes came was the answer. */
    case OF13_FEATURES_REPLY:
        input_features(s, msg, size);
        break;
    case OF13_PORT_STATUS:
        input_port_status(s, msg, size);
        break;
    case OF13_FLOW_REMOVED:
        input_flow_removed(s, msg, size);
        break;
    case OF13_MULTIPART_REPLY:
        input_multipart(s, msg, size);
        break;
    case OF13_BARRIER_REPLY:
    case OF13_EXPERIMENTER:
        reply(s, msg, size);
        break;
    default:
        s->counters.undecodable++;
        break;
    }
}

static bool
input_message(void *s_, const uint8_t *msg, size_t size)
{
    struct ofp_session *s = s_;
    uint8_t type = ofp_msg_type(msg);

    s->counters.messages_in++;
    if (s->state == S_HELLO && type != OF13_HELLO && type != OF13_ERROR) {
        die(s, "peer did not begin with HELLO (but with type %u)", type);
    } else if (type != OF13_HELLO && s->state != S_HELLO
               && ofp_msg_version(msg) != OF13_VERSION) {
        die(s, "message of OpenFlow version %u on a connection of version 4",
            ofp_msg_version(msg));
    } else {
        input_typed(s, msg, size);
    }
    return s->state != S_DEAD;
}

bool
ofp_session_input(struct ofp_session *s, const void *bytes, size_t size,
                  int64_t now)
{
    if (s->state == S_DEAD || !size) {
        return s->state != S_DEAD;
    }
    s->counters.bytes_in += size;
    s->last_input = now;
    s->probe_due = -1;
    if (!ofp_stream_input(&s->stream, bytes, size, input_message, s)) {
        die(s, "message shorter than its header");
    }
    return s->state != S_DEAD;
}

/* Time. */

static void
probe(struct ofp_session *s, int64_t due)
{
    s->probe_due = due;
    send_empty(s, OF13_ECHO_REQUEST, X_PROBE);
}

void
ofp_session_challenge(struct ofp_session *s, int64_t now)
{
    if (s->state == S_READY
        && (s->probe_due < 0 || s->probe_due > now + OFP_CHALLENGE_MS)) {
        probe(s, now + OFP_CHALLENGE_MS);
    }
}

bool
ofp_session_run(struct ofp_session *s, int64_t now)
{
    int64_t interval = s->probe_interval;

    if (s->state == S_DEAD) {
        return false;
    } else if (s->state != S_READY) {
        if (now >= s->created + OFP_HANDSHAKE_MS) {
            die(s, "no complete handshake within %d ms", OFP_HANDSHAKE_MS);
        }
    } else if (s->probe_due >= 0) {
        if (now >= s->probe_due) {
            die(s, "no answer to a probe, silent for %" PRId64 " ms",
                now - s->last_input);
        }
    } else if (interval && now >= s->last_input + interval) {
        probe(s, now + interval);
    }
    return s->state != S_DEAD;
}

int64_t
ofp_session_deadline(const struct ofp_session *s)
{
    if (s->state == S_DEAD) {
        return INT64_MAX;
    } else if (s->state != S_READY) {
        return s->created + OFP_HANDSHAKE_MS;
    } else if (s->probe_due >= 0) {
        return s->probe_due;
    }
    return s->probe_interval ? s->last_input + s->probe_interval : INT64_MAX;
}

/* Basics. */

struct ofp_session *
ofp_session_create(const struct ofp_session_ops *ops, void *aux,
                   int64_t probe_interval_ms, int64_t now)
{
    struct ofp_session *s = xcalloc(1, sizeof *s);

    s->ops = ops;
    s->aux = aux;
    s->created = s->last_input = now;
    s->probe_interval = probe_interval_ms > 0 ? probe_interval_ms : 0;
    s->probe_due = -1;
    send_hello(s);
    return s;
}

void
ofp_session_destroy(struct ofp_session *s)
{
    if (s) {
        ofp_ports_uninit(&s->ports);
        ofp_stream_uninit(&s->stream);
        free(s->reason);
        free(s);
    }
}

const char *
ofp_session_reason(const struct ofp_session *s)
{
    return s->reason;
}

bool
ofp_session_is_ready(const struct ofp_session *s)
{
    return s->state == S_READY;
}

void
ofp_session_counters(const struct ofp_session *s,
                     struct ofp_session_counters *counters)
{
    *counters = s->counters;
}
