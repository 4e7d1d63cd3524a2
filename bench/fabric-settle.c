/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "bench/fabric-peer.h"

#include "bench/bench-util.h"

enum { QUIET_MS = 300 };

static bool
all_written(const struct fabric_net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        const struct bench_peer *p = &net->switches[i].peer;

        if (p->fd >= 0 && (p->out.at < p->out.size || p->in_bundle)) {
            return false;
        }
    }
    return true;
}

/* Echoes that have been answered; '*n_up' is how many switches could ask. */
static uint64_t
answered(const struct fabric_net *net, size_t *n_up)
{
    uint64_t n = 0;

    *n_up = 0;
    for (size_t i = 0; i < net->n; i++) {
        if (net->switches[i].peer.fd >= 0) {
            n += net->switches[i].peer.echo_replies;
            ++*n_up;
        }
    }
    return n;
}

static void
ask(struct fabric_net *net)
{
    for (size_t i = 0; i < net->n; i++) {
        if (net->switches[i].peer.fd >= 0) {
            bench_peer_put_echo(&net->switches[i].peer);
            net->switches[i].dirty = true;
        }
    }
}

/* Every switch has got its pipeline, and, where there are 'probes', every
 * link has been probed. */
static bool
all_there(const struct fabric_net *net, bool probes)
{
    for (size_t i = 0; i < net->n; i++) {
        const struct bench_peer *p = &net->switches[i].peer;

        if (p->fd >= 0 && (!p->flow_mods || !p->barriers)) {
            return false;
        }
    }
    return !probes || fabric_net_all_probed(net);
}

bool
fabric_net_settle(struct fabric_net *net, bool probes, int64_t give_up)
{
    int64_t asked_ns = 0; /* What 'last_ns' was then. */
    uint64_t want = 0;
    size_t n_up;

    for (;;) {
        if (!fabric_net_turn(net, 10) || bench_now_ns() > give_up) {
            return false;
        }
        if (!all_written(net) || !all_there(net, probes)) {
            continue;
        }
        if (bench_now_ns() - net->last_ns > QUIET_MS * INT64_C(1000000)
            && answered(net, &n_up) >= want) {
            if (asked_ns == net->last_ns) {
                return true;
            }
            asked_ns = net->last_ns;
            want = answered(net, &n_up) + n_up;
            ask(net);
        }
    }
}
