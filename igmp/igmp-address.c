/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-address.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-check.h"
#include "lib/xalloc.h"

enum {
    N_SETS = 64,
    N_WAYS = 4,

    MAX_AGE = 15 * 60 * 1000,
    SETTLE = 2000, /* From the first host on: more will tell more. */
    CHECK_INTERVAL = 60 * 1000,
    MOVE_AFTER = 5 * 60 * 1000, /* That long the hosts are elsewhere. */

    /* RFC 5227 1.1. */
    PROBE_NUM = 3,
    PROBE_INTERVAL = 1000, /* PROBE_MIN. */
    ANNOUNCE_WAIT = 2000,
    PROBE_WAIT = 1000,
    MAX_CONFLICTS = 10,
    RATE_LIMIT_INTERVAL = 60 * 1000,

    LONGEST_PREFIX = 28,
    SHORTEST_PREFIX = 24
};

struct host {
    int64_t heard;
    uint32_t ip; /* 0: none. */
};

enum state {
    S_REST, /* Nothing to look for; checks now and then if 'held'. */
    S_WAIT, /* Chooses at 'at'. */
    S_PROBE /* Probes 'candidate'. */
};

struct igmp_address {
    uint16_t vlan;
    struct mac_addr mac;
    struct igmp_address_ops ops;
    void *aux;

    enum state state;
    int64_t at;               /* When the state goes on. */
    uint32_t held, candidate; /* 0: none. */
    int n_probes;
    unsigned int n_conflicts; /* In a row. */
    int64_t elsewhere_since;  /* INT64_MAX: hosts are where 'held' is. */

    struct host hosts[N_SETS][N_WAYS];
};

/* Hosts. */

static bool
is_live(const struct host *h, int64_t now)
{
    return h->ip && now - h->heard < MAX_AGE;
}

/* Neighbours in a /24 fall into different sets, all 254 find room. */
static struct host *
set_of(struct igmp_address *a, uint32_t ip)
{
    return a->hosts[(ip ^ ip >> 8 ^ ip >> 16 ^ ip >> 24) % N_SETS];
}

static bool
is_known(struct igmp_address *a, uint32_t ip, int64_t now)
{
    const struct host *set = set_of(a, ip);

    for (int i = 0; i < N_WAYS; i++) {
        if (set[i].ip == ip) {
            return is_live(&set[i], now);
        }
    }
    return false;
}

static void
remember(struct igmp_address *a, uint32_t ip, int64_t now)
{
    struct host *set = set_of(a, ip), *oldest = set;

    for (int i = 0; i < N_WAYS; i++) {
        if (set[i].ip == ip) {
            oldest = &set[i];
            break;
        }
        if (!set[i].ip || (oldest->ip && set[i].heard < oldest->heard)) {
            oldest = &set[i];
        }
    }
    *oldest = (struct host){.heard = now, .ip = ip};
}

/* Choosing. */

static int
compare_ips(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;

    return a < b ? -1 : a > b;
}

/* The /24 with most hosts: '*low' to '*high' of them.  On a tie the one that
 * we are in, or the lowest.  False if there are no hosts. */
static bool
most_used(struct igmp_address *a, int64_t now, uint32_t *low, uint32_t *high)
{
    uint32_t ips[N_SETS * N_WAYS];
    size_t n = 0, most = 0;

    for (int i = 0; i < N_SETS * N_WAYS; i++) {
        const struct host *h = &a->hosts[i / N_WAYS][i % N_WAYS];

        if (is_live(h, now)) {
            ips[n++] = h->ip;
        }
    }
    qsort(ips, n, sizeof *ips, compare_ips);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && ips[end] >> 8 == ips[i] >> 8; end++) {
            continue;
        }
        if (end - i > most
            || (end - i == most && ips[i] >> 8 == a->held >> 8)) {
            most = end - i;
            *low = ips[i];
            *high = ips[end - 1];
        }
    }
    return most;
}

/* A free address near the hosts 'low' to 'high' of one /24, 0 if there is
 * none: first inside the smallest block around them, then in larger ones.
 * The ends of a block may be a network's own and its broadcast address. */
static uint32_t
choose(struct igmp_address *a, uint32_t low, uint32_t high, int64_t now)
{
    int len = LONGEST_PREFIX;

    while (len > SHORTEST_PREFIX && low >> (32 - len) != high >> (32 - len)) {
        len--;
    }
    for (; len >= SHORTEST_PREFIX; len--) {
        uint32_t size = UINT32_C(1) << (32 - len), base = low & ~(size - 1);

        for (uint32_t ip = base + size - 2; ip > base; ip--) {
            if (!is_known(a, ip, now)) {
                return ip;
            }
        }
    }
    return 0;
}

/* The machine. */

static void
rest(struct igmp_address *a, int64_t now)
{
    a->state = S_REST;
    a->candidate = 0;
    a->elsewhere_since = INT64_MAX;
    a->at = a->held ? now + CHECK_INTERVAL : INT64_MAX;
}

/* The callback comes last: it may ask for whatever it likes. */
static void
tell(struct igmp_address *a)
{
    struct ip_addr address = igmp_address_get(a);

    a->ops.changed(a->aux, &address);
}

/* Two of us that met must not go on in step: the delay is each one's own. */
static int64_t
own_delay(const struct igmp_address *a)
{
    uint32_t x = a->n_conflicts + 1;

    for (size_t i = 0; i < sizeof a->mac.b; i++) {
        x = (x ^ a->mac.b[i]) * UINT32_C(16777619);
    }
    return x % PROBE_WAIT;
}

static void
wait_for(struct igmp_address *a, int64_t until)
{
    a->state = S_WAIT;
    a->candidate = 0;
    a->at = until;
}

static void
send_probe(struct igmp_address *a, int64_t now)
{
    struct ip_addr ip = ip_addr_v4(a->candidate);
    struct arp arp = arp_probe(&a->mac, a->vlan, &ip);
    uint8_t frame[ARP_MAX_SIZE];
    size_t size = arp_encode(&arp, frame, sizeof frame);

    a->n_probes++;
    a->at = now + (a->n_probes < PROBE_NUM ? PROBE_INTERVAL : ANNOUNCE_WAIT);
    a->ops.send(a->aux, frame, size);
}

static void
begin_probing(struct igmp_address *a, int64_t now)
{
    uint32_t low, high;
    bool found = most_used(a, now, &low, &high);

    a->candidate = 0;
    if (found && low >> 8 != a->held >> 8) {
        a->candidate = choose(a, low, high, now);
    }
    if (!a->candidate) {
        rest(a, now); /* Until a host is heard, or they move again. */
        return;
    }
    a->state = S_PROBE;
    a->n_probes = 0;
    send_probe(a, now);
}

/* Hosts that are elsewhere for a moment, a laptop that asks for its address at
 * home, are no reason to change. */
static void
check_place(struct igmp_address *a, int64_t now)
{
    uint32_t low, high;

    a->n_conflicts = 0;
    a->at = now + CHECK_INTERVAL;
    if (!most_used(a, now, &low, &high) || low >> 8 == a->held >> 8) {
        a->elsewhere_since = INT64_MAX;
    } else if (a->elsewhere_since == INT64_MAX) {
        a->elsewhere_since = now;
    } else if (now - a->elsewhere_since >= MOVE_AFTER) {
        begin_probing(a, now);
    }
}

/* Somebody else has, or wants, what we hold or look at. */
static void
conflict(struct igmp_address *a, uint32_t ip, int64_t now)
{
    int64_t delay = own_delay(a);

    remember(a, ip, now);
    if (++a->n_conflicts > MAX_CONFLICTS) {
        delay += RATE_LIMIT_INTERVAL;
    }
    wait_for(a, now + delay);
    if (ip == a->held) {
        a->held = 0;
        tell(a);
    }
}

static bool
is_ours(const struct igmp_address *a, const struct mac_addr *mac)
{
    return !memcmp(mac, &a->mac, sizeof a->mac);
}

/* Inputs. */

/* RFC 3927's addresses say nothing of where a vlan's subnet is. */
static bool
counts(const struct ip_addr *ip)
{
    return igmp_check_source(IGMP_IPV4, ip)
           && ip_addr_to_v4(ip) >> 16 != 0xa9fe;
}

void
igmp_address_host(struct igmp_address *a, const struct mac_addr *mac,
                  const struct ip_addr *ip, int64_t now)
{
    if (!counts(ip) || is_ours(a, mac)) {
        return;
    }

    uint32_t v4 = ip_addr_to_v4(ip);
    remember(a, v4, now);
    if (v4 == a->held || v4 == a->candidate) {
        conflict(a, v4, now);
    } else if (a->state == S_REST && !a->held) {
        wait_for(a, now + SETTLE);
    }
}

void
igmp_address_arp(struct igmp_address *a, const struct arp *arp, int64_t now)
{
    if (is_ours(a, &arp->sender_mac)) {
        return;
    }
    igmp_address_host(a, &arp->sender_mac, &arp->sender_ip, now);

    /* RFC 5227 2.1.1: another probes it at the same time.  And who asks for
     * one that we hold shall have it. */
    uint32_t target = ip_addr_to_v4(&arp->target_ip);
    if (!arp->reply && !ip_addr_to_v4(&arp->sender_ip) && target
        && (target == a->held || target == a->candidate)) {
        conflict(a, target, now);
    }
}

void
igmp_address_run(struct igmp_address *a, int64_t now)
{
    if (a->at > now) {
        return;
    }
    switch (a->state) {
    case S_REST:
        check_place(a, now);
        break;
    case S_WAIT:
        begin_probing(a, now);
        break;
    case S_PROBE:
        if (a->n_probes < PROBE_NUM) {
            send_probe(a, now);
        } else {
            a->held = a->candidate;
            rest(a, now);
            tell(a);
        }
        break;
    }
}

int64_t
igmp_address_deadline(const struct igmp_address *a)
{
    return a->at;
}

struct ip_addr
igmp_address_get(const struct igmp_address *a)
{
    return a->held ? ip_addr_v4(a->held) : IP_ADDR_ANY;
}

struct igmp_address *
igmp_address_create(uint16_t vlan, const struct mac_addr *ours,
                    const struct igmp_address_ops *ops, void *aux)
{
    struct igmp_address *a = xcalloc(1, sizeof *a);

    a->vlan = vlan;
    a->mac = *ours;
    a->ops = *ops;
    a->aux = aux;
    rest(a, 0);
    return a;
}

void
igmp_address_destroy(struct igmp_address *a)
{
    free(a);
}

struct ip_addr
igmp_address_link_local(const struct mac_addr *mac)
{
    const uint8_t *b = mac->b;

    return (struct ip_addr){{0xfe, 0x80, [8] = b[0] ^ 2, b[1], b[2], 0xff,
                             0xfe, b[3], b[4], b[5]}};
}
