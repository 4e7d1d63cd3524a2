/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_SESSION_H
#define OFP_SESSION_H 1

/* One OpenFlow 1.3 connection, without the connection: bytes in, messages
 * out.
 *
 * It greets (HELLO, 1.3 only), asks who is there (FEATURES, PORT_DESC, DESC),
 * sets the switch up (SET_CONFIG: whole packets, fragments as nx-match), and
 * is then READY.  It answers echoes, probes a silent peer, keeps the list of
 * ports, and hands everything else on.  A peer that breaks the protocol, is
 * too slow to greet, or too large, ends the session with a reason.
 *
 *   S_HELLO -> S_FEATURES -> S_PORTS -> S_DESC -> S_READY -> S_DEAD
 *
 * Time: 'now' is monotonic milliseconds; call ofp_session_run() no later than
 * ofp_session_deadline().
 *
 * Ownership: 'send' borrows its bytes.  Structs given to ops live for the
 * call. Ops may call ofp_session_send() but not destroy the session. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

struct ofp_session;

enum {
    OFP_HANDSHAKE_MS = 10000, /* Greeting to READY. */
    OFP_CHALLENGE_MS = 2000,  /* See ofp_session_challenge(). */
    OFP_MAX_INPUT = 64 << 10, /* Bytes of one unfinished message. */
    OFP_MAX_PORTS = 65280,    /* All that Open vSwitch can number. */
    OFP_PORT_NAME_SIZE = 64,
    OFP_DESC_SIZE = 256
};

struct ofp_port {
    uint32_t no; /* Reserved ports (LOCAL...) are not told. */
    char name[OFP_PORT_NAME_SIZE]; /* Printable ASCII, '?' for the rest. */
    struct mac_addr mac;
    bool up;
};

struct ofp_features {
    uint64_t dpid;
    char manufacturer[OFP_DESC_SIZE];
    char hardware[OFP_DESC_SIZE];
    char software[OFP_DESC_SIZE];
    char serial[OFP_DESC_SIZE];
    char datapath[OFP_DESC_SIZE];
    uint8_t meter_bands; /* A meter has at most so many; 0: not told. */
};

enum ofp_port_change { OFP_PORT_ADDED, OFP_PORT_MODIFIED, OFP_PORT_DELETED };

enum ofp_packet_in_reason {
    OFP_PACKET_IN_NO_MATCH,
    OFP_PACKET_IN_ACTION,
    OFP_PACKET_IN_OTHER
};

struct ofp_packet_in {
    uint32_t in_port;
    uint8_t table;
    uint64_t cookie; /* Of the flow that punted; UINT64_MAX if not told. */
    enum ofp_packet_in_reason reason;
    /* Of the tunnel that it came by: its key, and the other end (IPv4, in host
     * byte order; 0: none). */
    uint64_t tun_id;
    uint32_t tun_src;
    uint64_t metadata;    /* 0: none. */
    const uint8_t *frame; /* As it was at the punt, tag included. */
    size_t size;
};

enum ofp_removed_reason {
    OFP_REMOVED_IDLE,
    OFP_REMOVED_HARD,
    OFP_REMOVED_DELETE,
    OFP_REMOVED_GROUP_DELETE
};

/* A switch tells when it gets to it, which may be after it has been told to
 * make the same flow again: ofp_table_flow_removed() knows. */
struct ofp_flow_removed {
    uint8_t table;
    uint8_t reason; /* enum ofp_removed_reason, or what is not known. */
    uint16_t priority;
    uint64_t cookie;
    uint64_t packets, bytes;
    int64_t duration;     /* How long it had been there, ms. */
    const uint8_t *match; /* OXM fields, as long as the call lasts. */
    size_t match_size;
};

struct ofp_session_ops {
    void (*send)(void *aux, const void *bytes, size_t size);
    /* Handshake done; 'port_changed' was called for each port just before,
     * and not earlier. */
    void (*ready)(void *aux, const struct ofp_features *);
    void (*port_changed)(void *aux, enum ofp_port_change,
                         const struct ofp_port *);
    void (*packet_in)(void *aux, const struct ofp_packet_in *);
    void (*flow_removed)(void *aux, const struct ofp_flow_removed *);
    /* Whole messages for ofp_table_input(): errors, barrier replies, multipart
     * replies, bundle replies, and flow-removed (before 'flow_removed'). */
    void (*reply)(void *aux, const void *msg, size_t size);
};

/* Sends HELLO at once.  'probe_interval_ms' 0: never probes. */
struct ofp_session *ofp_session_create(const struct ofp_session_ops *,
                                       void *aux, int64_t probe_interval_ms,
                                       int64_t now);
void ofp_session_destroy(struct ofp_session *);

/* Every complete message in 'bytes' (and in what was left of earlier ones) is
 * handled.  Both return false once the session is dead. */
bool ofp_session_input(struct ofp_session *, const void *bytes, size_t size,
                       int64_t now);
bool ofp_session_run(struct ofp_session *, int64_t now);
/* Somebody doubts that the peer is alive: it is probed at once, and has
 * OFP_CHALLENGE_MS to say anything. */
void ofp_session_challenge(struct ofp_session *, int64_t now);
int64_t ofp_session_deadline(const struct ofp_session *);
/* Why the session is dead, for a person; NULL while it is alive. */
const char *ofp_session_reason(const struct ofp_session *);
bool ofp_session_is_ready(const struct ofp_session *);

/* Sends 'frame' out of these ports of the switch, in one message if it holds
 * them all; or of every port but those blocked and 'in_port' if one is
 * OFP_PORT_FLOOD, or through the tables as if it had come in by 'in_port' if
 * it is OFP_PORT_TABLE.  A switch leaves out 'in_port' where it is among them;
 * 0: it comes from nowhere. */
enum { OFP_PORT_TABLE = 0xfffffff9, OFP_PORT_FLOOD = 0xfffffffb };
void ofp_session_packet_out_ports(struct ofp_session *, uint32_t in_port,
                                  const uint32_t *ports, size_t n,
                                  const void *frame, size_t size);

static inline void
ofp_session_packet_out(struct ofp_session *s, uint32_t in_port, uint32_t port,
                       const void *frame, size_t size)
{
    ofp_session_packet_out_ports(s, in_port, &port, 1, frame, size);
}

/* Out of a tunnel port whose other end is the flow's to say, to each of these
 * ends (IPv4, in host byte order). */
void ofp_session_packet_out_tunnels(struct ofp_session *, uint32_t port,
                                    uint32_t tun_id, const uint32_t *tun_dsts,
                                    size_t n, const void *frame, size_t size);

/* A packet-out that is whole, of ofp-sample.h: it gets its number here. */
void ofp_session_packet_out_message(struct ofp_session *, void *msg,
                                    size_t size);

struct ofp_session_counters {
    uint64_t messages_in, bytes_in, messages_out, bytes_out;
    uint64_t packet_ins, packet_outs, errors, undecodable;
};

void ofp_session_counters(const struct ofp_session *,
                          struct ofp_session_counters *);
/* Counts and passes on to ops->send; for ofp-table. */
void ofp_session_send(struct ofp_session *, const void *msg, size_t size);

#endif
