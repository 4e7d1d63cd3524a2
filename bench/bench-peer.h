/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H 1

/* An emulated OpenFlow 1.3 switch that costs next to nothing: it answers what
 * the daemon asks, counts what it is told, and keeps the bytes of flows and
 * groups only to give them back when they are read.  It checks nothing: that
 * is what tests/sim/fake-switch.h is for.
 *
 * One thread; a peer is driven by the calls below. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_entry;

struct bench_buffer {
    uint8_t *bytes;
    size_t at, size, allocated; /* 'at' to 'size' waits. */
};

struct bench_peer {
    int fd; /* -1 while not connected. */
    uint64_t dpid;
    uint32_t n_ports;
    struct bench_buffer in, out;

    struct bench_entry *flows, *groups;
    size_t n_flows, n_groups;
    uint64_t punt_cookie; /* Of the flow that punts IGMP. */

    uint64_t flow_mods, group_mods, meter_mods, barriers, packet_outs;
    uint64_t echo_replies, bytes_in, messages_in;
    bool in_bundle;

    /* Sees every message before it is handled, also those of bundles. */
    void (*seen)(struct bench_peer *, const uint8_t *msg, size_t size);
};

void bench_peer_init(struct bench_peer *, uint64_t dpid, uint32_t n_ports);
void bench_peer_uninit(struct bench_peer *);
/* To 127.0.0.1:'port'; waits up to 'timeout_ms' for somebody to listen. */
bool bench_peer_connect(struct bench_peer *, uint16_t port, int timeout_ms);
void bench_peer_disconnect(struct bench_peer *); /* Keeps the tables. */
void bench_peer_wipe(struct bench_peer *);       /* Empties them. */

/* Reads and handles whatever there is, and writes what can be written.  Waits
 * up to 'wait_ms' for something to do; with 0 it does not block.  False if the
 * connection is gone. */
bool bench_peer_turn(struct bench_peer *, int wait_ms);
/* Appends to what is to be written. */
void bench_peer_put(struct bench_peer *, const void *bytes, size_t size);
void bench_peer_put_echo(struct bench_peer *);
/* Writes 'size' bytes while handling what comes in; true when all is
 * written. */
bool bench_peer_write(struct bench_peer *, const void *bytes, size_t size);
/* Handles what comes in until the daemon has been silent for 'quiet_ms'. */
bool bench_peer_settle(struct bench_peer *, int quiet_ms);
/* Sends an ECHO and waits for its answer: what was written before has been
 * handled by then. */
bool bench_peer_flush(struct bench_peer *);

#endif
