/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* D4 and D16 (hosts behind a port), D13 (the kernel's buffers), D19 (what the
 * parsers refused), D22 (what ports drop). */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/port-counters.h"

/* Hosts. */

static void
say_member(struct doctor_report *r, const struct doctor_look *look,
           const struct view_group *g, const struct view_member *m)
{
    char group[IP_ADDR_STRLEN], port[DOCTOR_PORT_SIZE];
    doctor_format_port(look->ctl, &m->port, port);
    DOCTOR_SAY(r->where, "%s vlan %u group %s", port, g->vlan,
               ip_addr_format(&g->group, group));
}

/* The oldest version that speaks for the group at the port, and the host that
 * speaks it; hosts that filter sources. */
static const struct view_host *
oldest_host(const struct view_member *m, size_t *n_filtering)
{
    const struct view_host *oldest = NULL;
    *n_filtering = 0;
    for (size_t i = 0; i < m->n_hosts; i++) {
        const struct view_host *h = &m->hosts[i];
        *n_filtering += h->n_sources > 0;
        if (!oldest || h->version < oldest->version) {
            oldest = h;
        }
    }
    return oldest;
}

static void
check_versions(struct doctor_look *look, const struct view_group *g,
               const struct view_member *m)
{
    struct doctor_report r = {.id = D4_MIXED_VERSIONS};
    size_t n_filtering;
    const struct view_host *h = oldest_host(m, &n_filtering);
    int newest = ip_addr_is_v4(&g->group) ? 3 : 2;
    char mac[MAC_ADDR_STRLEN];
    if (!h || h->version >= newest
        || (!n_filtering && (h->version > 1 || newest == 2))) {
        return;
    }
    say_member(&r, look, g, m);
    mac_addr_format(&h->mac, mac);
    r.severity = n_filtering ? DOCTOR_WARNING : DOCTOR_NOTE;
    if (n_filtering) {
        DOCTOR_SAY(r.text,
                   "a host of version %d shares the port with hosts that "
                   "filter sources: their filters do not hold (RFC 3376 "
                   "7.3.2)",
                   h->version);
        DOCTOR_SAY(r.cure, "set that host to IGMPv3 (MLDv2), or give it a "
                           "port of its own");
    } else {
        DOCTOR_SAY(r.text, "a host speaks IGMPv1, which has no leave: its "
                           "stream goes on for a membership interval");
        DOCTOR_SAY(r.cure, "set that host to IGMPv2 or 3");
    }
    DOCTOR_SAY(r.evidence, "%s reports in version %d, %zu of %zu hosts filter",
               mac, h->version, n_filtering, m->n_hosts);
    doctor_report(look, &r);
}

static void
check_silence(struct doctor_look *look, const struct view_group *g,
              const struct view_member *m, int64_t answered_ms)
{
    struct doctor_report r = {.id = D16_SUPPRESSION,
                              .severity = DOCTOR_WARNING};
    const struct view_host *silent = NULL;
    size_t n_silent = 0;
    char mac[MAC_ADDR_STRLEN];
    for (size_t i = 0; i < m->n_hosts; i++) {
        if (m->hosts[i].age_ms > answered_ms) {
            silent = &m->hosts[i];
            n_silent++;
        }
    }
    if (strcmp(m->delivery, "unicast") || !n_silent
        || n_silent == m->n_hosts) {
        return;
    }
    say_member(&r, look, g, m);
    DOCTOR_SAY(r.text,
               "hosts behind it do not answer while others do: they hear each "
               "other's reports and keep quiet (RFC 2236 3)");
    DOCTOR_SAY(r.evidence,
               "%zu of %zu hosts did not answer the last query, such as %s: "
               "%.1f s silent, version %d",
               n_silent, m->n_hosts, mac_addr_format(&silent->mac, mac),
               (double) silent->age_ms / 1000, silent->version);
    DOCTOR_SAY(r.cure, "ofmcast asks each of them by its own MAC address; "
                       "better, isolate them (access point: client isolation) "
                       "or let them speak IGMPv3");
    doctor_report(look, &r);
}

void
doctor_check_members(struct doctor_look *look, const struct view_group *g)
{
    enum igmp_family f = ip_addr_is_v4(&g->group) ? IGMP_IPV4 : IGMP_IPV6;
    const struct ctl_vlan *v = vlan_lookup(look->ctl, g->vlan);
    struct igmp_querier_view q;
    if (!v) {
        return;
    }
    igmp_snoop_querier(vlan_snoop(v, f), &q);
    int64_t answered_ms =
        q.query_interval + v->config->igmp[f].query_response_interval;
    for (size_t i = 0; i < g->n_members; i++) {
        check_versions(look, g, &g->members[i]);
        check_silence(look, g, &g->members[i], answered_ms);
    }
}

/* D13.  A port of the userspace datapath is a packet socket, which has the
 * kernel's default buffer. */

int64_t
doctor_read_rmem(const char *file)
{
    FILE *f = fopen(file, "r");
    long long bytes = -1;
    if (f) {
        if (fscanf(f, "%lld", &bytes) != 1) {
            bytes = -1;
        }
        fclose(f);
    }
    return bytes;
}

/* The switch runs on this machine. */
static bool
is_local(const struct ctl_switch *sw)
{
    const char *peer = sw->conn ? conn_peer(sw->conn) : "";
    return !strncmp(peer, "127.", 4) || !strncmp(peer, "[::1]", 5);
}

void
doctor_check_buffers(struct doctor_look *look)
{
    enum { ENOUGH = 4 << 20 };
    static const char file[] = "/proc/sys/net/core/rmem_default";
    struct doctor_report r = {.id = D13_RECEIVE_BUFFER,
                              .severity = DOCTOR_WARNING};
    int64_t bytes = doctor_read_rmem(file);
    struct ctl_switch *sw, *tmp;
    size_t n = 0;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        n += is_local(sw);
    }
    if (!n || bytes < 0 || bytes >= ENOUGH) {
        return;
    }
    DOCTOR_SAY(r.where, "this machine");
    DOCTOR_SAY(r.text, "ports of Open vSwitch's userspace datapath lose "
                       "bursts: their receive buffers are small (the kernel's "
                       "own datapath has none)");
    DOCTOR_SAY(r.evidence,
               "net.core.rmem_default is %lld bytes; %zu switches "
               "are connected from this machine. What is lost is in no "
               "port's counters: 'ss -0 -m' in their namespace has it at d, "
               "by port, and each buffer at rb",
               (long long) bytes, n);
    DOCTOR_SAY(r.cure, "sysctl -w net.core.rmem_default=16777216, then add "
                       "the ports again");
    doctor_report(look, &r);
}

/* D22. */

/* Of one direction; a few are no reason to get up. */
static void
check_direction(struct doctor_look *look, const struct port_id *id, bool out,
                uint64_t lost, int64_t ms)
{
    enum { FEW = 10 };
    struct doctor_report r = {.id = D22_PORT_LOSSES,
                              .severity = DOCTOR_WARNING};
    const struct view_port_counters *c = port_counters_get(look->ctl, id);
    char port[DOCTOR_PORT_SIZE];
    if (lost < FEW) {
        return;
    }
    doctor_format_port(look->ctl, id, port);
    DOCTOR_SAY(r.where, "%s, %s", port, out ? "out" : "in");
    DOCTOR_SAY(
        r.text,
        out ? "it drops packets that should leave by it: somebody "
              "behind it does not get all of a stream"
            : "it drops packets that come in by it: a stream from there "
              "is not whole");
    DOCTOR_SAY(r.evidence,
               "at least %" PRIu64 " drops and errors in the last %lld s; "
               "%" PRIu64 " packets went through so far",
               lost, (long long) ms / 1000,
               out ? c->tx_packets : c->rx_packets);
    DOCTOR_SAY(r.cure, out ? "less or slower streams on this port, a faster "
                             "link, or a longer queue (ip -s link, tc -s "
                             "qdisc); packets over the interface's MTU count "
                             "too"
                           : "look at the interface (ip -s link, ethtool -S): "
                             "its rings, its MTU, its cable");
    doctor_report(look, &r);
}

void
doctor_check_losses(struct doctor_look *look)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        const struct topo_switch *ts =
            topo_lookup_switch(look->ctl->topo, sw->dpid);
        for (size_t i = 0; ts && i < ts->n_ports; i++) {
            struct port_id id = {sw->dpid, ts->ports[i]->no};
            struct port_losses l;
            /* What is sent to a port that is down is D14's. */
            if (ts->ports[i]->up && port_counters_losses(look->ctl, &id, &l)) {
                check_direction(look, &id, false, l.rx, l.ms);
                check_direction(look, &id, true, l.tx, l.ms);
            }
        }
    }
}

/* D19. */

/* What is no policy of ours, but wrong in itself. */
static bool
is_bad(enum igmp_error e)
{
    switch (e) {
    case IGMP_TRUNCATED:
    case IGMP_BAD_IP_HEADER:
    case IGMP_BAD_IP_CHECKSUM:
    case IGMP_FRAGMENT:
    case IGMP_BAD_CHECKSUM:
    case IGMP_BAD_LENGTH:
    case IGMP_BAD_TTL:
    case IGMP_BAD_SOURCE:
    case IGMP_BAD_DESTINATION:
    case IGMP_BAD_GROUP:
    case IGMP_UNKNOWN_TYPE:
    case IGMP_SSM_ONLY:
    case IGMP_NO_ROUTER_ALERT:
        return true;
    case IGMP_OK:
    case IGMP_NOT_IGMP:
    case IGMP_LIMIT:
    case IGMP_DENIED:
    case IGMP_GUARDED:
    case IGMP_RATE:
    case IGMP_IGNORED:
    case IGMP_N_ERRORS:
    default:
        return false;
    }
}

static uint64_t
count_messages(const struct ctl *ctl, enum igmp_family f, enum igmp_error e)
{
    uint64_t n = ctl->igmp_undecoded[f][e];
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        n += igmp_snoop_counter(vlan_snoop(v, f), e);
    }
    return n;
}

static void
check_counter(struct doctor_look *look, enum igmp_family f, enum igmp_error e)
{
    struct doctor_counter *c = &look->counters[f][e];
    struct doctor_report r = {.id = D19_BAD_MESSAGES,
                              .severity = DOCTOR_WARNING};
    uint64_t n = count_messages(look->ctl, f, e);
    int64_t recent =
        2 * look->ctl->config->vlan_default.igmp[f].query_interval;
    if (n > c->value) {
        c->grown = look->now;
    }
    c->value = n;
    if (!n || look->now - c->grown > recent) {
        return;
    }
    DOCTOR_SAY(r.where, "%s %s", f == IGMP_IPV6 ? "MLD" : "IGMP",
               igmp_error_name(e));
    char port[DOCTOR_PORT_SIZE];
    doctor_format_port(look->ctl, &look->ctl->igmp_refused_at[f][e], port);
    DOCTOR_SAY(r.text, "messages of hosts are not taken (%s: %s)",
               igmp_error_name(e), igmp_error_meaning(e));
    DOCTOR_SAY(r.evidence,
               "%" PRIu64 " so far, the last one %lld s ago or less, from %s",
               n, (long long) (look->now - c->grown) / 1000, port);
    DOCTOR_SAY(r.cure,
               "mend what is behind %s: its driver, its address, its "
               "offloads; it is served as if it had not spoken",
               port);
    doctor_report(look, &r);
}

void
doctor_check_messages(struct doctor_look *look)
{
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        for (int e = 0; e < IGMP_N_ERRORS; e++) {
            if (is_bad(e)) {
                check_counter(look, f, e);
            }
        }
    }
}
