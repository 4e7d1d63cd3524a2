/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FABRIC_PEER_H
#define FABRIC_PEER_H 1

/* A leaf-spine network of emulated switches (bench-peer.h): every leaf is
 * linked with every spine.  Probes that the daemon sends out of a link's port
 * come back as packet-ins of the switch at the other end.  What tables and
 * groups say of channels is kept, so that the way of a packet can be walked.
 *
 * Switches 0 to n_spines - 1 are spines, the port of leaf l is l + 1; behind
 * them stand the leaves, with the spines at ports 1 to n_spines and the hosts
 * above. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bench-peer.h"

enum { FABRIC_HOSTS = 20 }; /* Of a leaf. */

struct fabric_group; /* Where the copies of a group go. */
struct fabric_net;

struct fabric_switch {
    struct bench_peer peer;
    struct fabric_net *net;
    bool *down;        /* By port. */
    bool *probed;      /* By port: a probe has come in. */
    uint64_t *cookies; /* By port: of the flow that punts control frames. */
    uint64_t l2_cookie;
    uint32_t *group_of; /* By channel: its group, 0 = none. */
    struct fabric_group *groups;
    bool dirty, touched;
};

struct fabric_net {
    size_t n_spines, n_leaves, n, n_channels;
    struct fabric_switch *switches;
    bool *touched; /* By channel: a flow or group of it has changed. */
    int epoll_fd;
    uint64_t mods, flow_mods, group_mods, barriers, probes;
    int64_t last_ns;     /* When the last modification or barrier came. */
    int64_t last_mod_ns; /* When the last modification came. */
};

void fabric_net_init(struct fabric_net *, size_t n_spines, size_t n_leaves,
                     size_t n_channels);
void fabric_net_uninit(struct fabric_net *);
bool fabric_net_connect(struct fabric_net *, uint16_t port);
/* Handles what there is, waits up to 'wait_ms' for it.  False if a connection
 * was lost that should be there. */
bool fabric_net_turn(struct fabric_net *, int wait_ms);
/* Both ways of all links have been probed. */
bool fabric_net_all_probed(const struct fabric_net *);
/* Until the daemon has been silent, but for echoes and probes.  'probes': and
 * until all links have been probed.  A daemon that computes is silent too:
 * silence counts once it has answered an echo of every switch and has sent
 * nothing else before.  False if that is not so at 'give_up', or if a
 * connection was lost. */
bool fabric_net_settle(struct fabric_net *, bool probes, int64_t give_up);
void fabric_net_clear_touched(struct fabric_net *);

/* 'frame' comes in at 'port' and is punted, as a control frame or by the miss
 * of l2. */
enum fabric_punt { FABRIC_CONTROL, FABRIC_L2 };
void fabric_punt(struct fabric_switch *, uint32_t port, enum fabric_punt,
                 const void *frame, size_t size);
/* The link of leaf 'l' and spine 's'.  'tell_spine': the spine tells it as
 * well as the leaf. */
void fabric_set_link(struct fabric_net *, size_t l, size_t s, bool down,
                     bool tell_spine);

/* Sends a packet of 'channel' from a host of leaf 'l' that has none of its
 * members.  'copies', by host, counts what arrives.  False if it loops. */
bool fabric_walk(const struct fabric_net *, size_t channel, size_t l,
                 unsigned int *copies);

#endif
