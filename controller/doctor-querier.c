/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* D1 to D5 and D18: who asks, and who is asked upstream. */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <string.h>

enum {
    RIVAL_QUERIES = 3,    /* One or two: it has not heard the winner yet. */
    ELECTION_CHANGES = 4, /* One is the beginning, one a new winner. */
    ADDRESS_MS = 15000    /* So long one is looked for: ARP takes its time. */
};

static const char *
protocol(const struct view_querier *q)
{
    return q->family == 6 ? "MLD" : "IGMP";
}

/* "vlan 10", "vlan 10 MLD" */
static void
say_where(struct doctor_report *r, const struct view_querier *q)
{
    DOCTOR_SAY(r->where, "vlan %u%s", q->vlan, q->family == 6 ? " MLD" : "");
}

static size_t
count_groups(const struct doctor_facts *facts, const struct view_querier *q)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->n_groups; i++) {
        const struct doctor_group *g = &facts->groups[i];
        n +=
            g->vlan == q->vlan && ip_addr_is_v4(&g->group) == (q->family == 4);
    }
    return n;
}

static bool
is_there(const struct view_querier *q)
{
    return q->ours || q->expires_ms >= 0;
}

static void
check_presence(struct doctor_look *look, const struct view_querier *q)
{
    struct doctor_report r = {.id = D1_NO_QUERIER,
                              .severity = DOCTOR_ERROR,
                              .hold_ms = q->query_interval_ms};
    size_t n = count_groups(look->facts, q);
    if (is_there(q) || !n) {
        return;
    }
    say_where(&r, q);
    DOCTOR_SAY(r.text,
               "nobody sends %s queries: members end %lld s after "
               "their last report",
               protocol(q),
               (long long) (q->query_interval_ms * q->robustness / 1000));
    DOCTOR_SAY(r.evidence,
               "%zu groups have members, \"querier\" is %s here, no other "
               "querier was heard for %lld s",
               n, q->enabled ? "true" : "false",
               (long long) q->since_ms / 1000);
    DOCTOR_SAY(r.cure,
               "set \"querier: true\" for vlan %u, or let the router "
               "that shall query reach it",
               q->vlan);
    doctor_report(look, &r);
}

/* A free address where the hosts are, for an example. */
static void
say_address_cure(struct doctor_report *r, const struct view_querier *q,
                 const struct doctor_subnet *s)
{
    char prefix[IP_PREFIX_STRLEN];
    ip_prefix_format(&s->prefix, prefix);
    if (q->ours) {
        DOCTOR_SAY(r->cure,
                   "set \"querier_address: auto\" (or a free address "
                   "of %s) for vlan %u",
                   prefix, q->vlan);
    } else {
        DOCTOR_SAY(r->cure,
                   "give that querier an address of %s, or let "
                   "ofmcast query with a lower one",
                   prefix);
    }
}

static void
check_address(struct doctor_look *look, const struct view_querier *q)
{
    const struct doctor_subnet *s = doctor_subnet_of(look->facts, q->vlan);
    struct doctor_report r = {.id = D2_QUERIER_ADDRESS,
                              .severity = DOCTOR_WARNING};
    char address[IP_ADDR_STRLEN], prefix[IP_PREFIX_STRLEN],
        host[IP_ADDR_STRLEN];
    if (q->family != 4 || !is_there(q) || !s) {
        return;
    }
    bool none = ip_addr_is_any(&q->address);
    if (!none && doctor_is_inside(s, &q->address)) {
        return;
    }
    say_where(&r, q);
    r.hold_ms = none ? ADDRESS_MS : 0;
    snprintf(address, sizeof address, "0.0.0.0");
    if (!none) {
        ip_addr_format(&q->address, address);
    }
    DOCTOR_SAY(r.text,
               "queries come from %s, which is none of the hosts' "
               "neighbours: those with reverse path checks do not answer",
               address);
    DOCTOR_SAY(r.evidence, "%zu hosts of vlan %u are in %s, such as %s",
               s->n_hosts, q->vlan, ip_prefix_format(&s->prefix, prefix),
               ip_addr_format(&s->example, host));
    say_address_cure(&r, q, s);
    doctor_report(look, &r);
}

static void
check_rivals(struct doctor_look *look, const struct view_querier *q)
{
    struct doctor_report r = {.id = D3_TWO_QUERIERS,
                              .severity = DOCTOR_WARNING};
    char rival[IP_ADDR_STRLEN], winner[IP_ADDR_STRLEN], port[DOCTOR_PORT_SIZE];
    bool flaps = q->changes >= ELECTION_CHANGES;
    if (q->rival_queries < RIVAL_QUERIES && !flaps) {
        return;
    }
    say_where(&r, q);
    ip_addr_format(&q->address, winner);
    if (flaps) {
        DOCTOR_SAY(r.text, "the %s querier changes again and again",
                   protocol(q));
        DOCTOR_SAY(r.evidence,
                   "%u changes in the last 5 minutes, now it is %s",
                   q->changes, winner);
        DOCTOR_SAY(r.cure,
                   "look for queriers that do not hear each other, or "
                   "whose intervals differ; make one of them the only");
    } else {
        snprintf(rival, sizeof rival, "0.0.0.0");
        if (!ip_addr_is_any(&q->rival_address)) {
            ip_addr_format(&q->rival_address, rival);
        }
        doctor_format_port(look->ctl, &q->rival_port, port);
        DOCTOR_SAY(r.text, "%s sends %s queries though %s is the querier",
                   rival, protocol(q), q->ours ? "ofmcast" : winner);
        DOCTOR_SAY(r.evidence, "%u general queries in a row from %s at %s",
                   q->rival_queries, rival, port);
        DOCTOR_SAY(r.cure, ip_addr_is_any(&q->rival_address)
                               ? "give it an address, or switch its querier "
                                 "off: 0.0.0.0 takes part in no election"
                               : "it does not hear the winner, or takes no "
                                 "part in elections: switch its querier off");
    }
    doctor_report(look, &r);
}

static void
check_version(struct doctor_look *look, const struct view_querier *q)
{
    struct doctor_report r = {.id = D4_MIXED_VERSIONS,
                              .severity = DOCTOR_WARNING};
    char address[IP_ADDR_STRLEN];
    if (!q->falls_back) {
        return;
    }
    say_where(&r, q);
    DOCTOR_SAY(r.text,
               "a querier speaks an older version of %s: hosts fall back to "
               "it, source filters do not hold",
               protocol(q));
    DOCTOR_SAY(r.evidence, "%s is the querier%s, in version %d",
               ip_addr_format(&q->address, address),
               q->ours ? " (ofmcast)" : "", q->version);
    DOCTOR_SAY(r.cure,
               "set that querier to %sv%d, or \"igmp_version\" of "
               "vlan %u to what it speaks",
               protocol(q), q->family == 6 ? 2 : 3, q->vlan);
    doctor_report(look, &r);
}

/* What ofmcast would use here; the other's are in force. */
static void
check_timers(struct doctor_look *look, const struct view_querier *q)
{
    struct doctor_report r = {.id = D5_QUERIER_TIMERS,
                              .severity = DOCTOR_WARNING};
    const struct config_vlan *config =
        config_get_vlan(look->ctl->config, q->vlan);
    const struct igmp_config *c =
        &config->igmp[q->family == 6 ? IGMP_IPV6 : IGMP_IPV4];
    char address[IP_ADDR_STRLEN];
    if (q->ours || q->expires_ms < 0
        || (q->query_interval_ms == c->query_interval
            && q->robustness == c->robustness)) {
        return;
    }
    say_where(&r, q);
    DOCTOR_SAY(r.text,
               "%s queries with timers other than those configured "
               "here; if it goes away, members may end early",
               ip_addr_format(&q->address, address));
    DOCTOR_SAY(r.evidence,
               "its query interval is %.1f s, robustness %d; here %.1f s "
               "and %d",
               (double) q->query_interval_ms / 1000, q->robustness,
               (double) c->query_interval / 1000, c->robustness);
    DOCTOR_SAY(r.cure,
               "make \"query_interval\" and \"robustness\" of vlan %u "
               "the same on both",
               q->vlan);
    doctor_report(look, &r);
}

void
doctor_check_queriers(struct doctor_look *look)
{
    for (size_t i = 0; i < look->facts->n_queriers; i++) {
        const struct view_querier *q = &look->facts->queriers[i];
        check_presence(look, q);
        check_address(look, q);
        check_rivals(look, q);
        check_version(look, q);
        check_timers(look, q);
    }
}

/* D18.  A router was asked for a group, and nothing has come since. */
static void
check_asked(struct doctor_look *look, const struct view_querier *q,
            const struct doctor_group *g)
{
    struct doctor_report r = {.id = D18_UPSTREAM_SILENT,
                              .severity = DOCTOR_WARNING,
                              .hold_ms = 2 * q->query_interval_ms};
    char group[IP_ADDR_STRLEN], port[DOCTOR_PORT_SIZE];
    size_t n;
    doctor_streams_of(look->facts, g->vlan, &g->group, &n);
    if (n) {
        return;
    }
    doctor_format_port(look->ctl, &q->routers[0].port, port);
    ip_addr_format(&g->group, group);
    DOCTOR_SAY(r.where, "vlan %u group %s", g->vlan, group);
    DOCTOR_SAY(r.text,
               "%s was asked for upstream, and no packet of it has "
               "come for two query intervals",
               group);
    DOCTOR_SAY(r.evidence,
               "%zu ports have members, reports went to %s (%s), no source "
               "is known",
               g->n_ports, port, q->routers[0].sign);
    DOCTOR_SAY(r.cure,
               "look whether the source sends at all, and whether the "
               "router at %s has a route and a querier for it",
               port);
    doctor_report(look, &r);
}

void
doctor_check_upstream(struct doctor_look *look)
{
    const struct doctor_facts *f = look->facts;
    for (size_t i = 0; i < f->n_queriers; i++) {
        const struct view_querier *q = &f->queriers[i];
        for (size_t j = 0; q->n_routers && j < f->n_groups; j++) {
            const struct doctor_group *g = &f->groups[j];
            if (g->vlan == q->vlan
                && ip_addr_is_v4(&g->group) == (q->family == 4)) {
                check_asked(look, q, g);
            }
        }
    }
}
