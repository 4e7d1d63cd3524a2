/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-check.h"
#include "igmp/igmp-hosts.h"
#include "igmp/igmp-snoop-private.h"

/* What comes in: reports to the machines of their groups, queries to the
 * querier. */

/* Reports. */

size_t
igmp_load_sources(const struct igmp_snoop *s, const struct ip_addr *sources,
                  size_t n_sources, struct ip_addr list[IGMP_MAX_SOURCES])
{
    size_t n = 0;

    for (size_t i = 0; i < n_sources && n < IGMP_MAX_SOURCES; i++) {
        if (igmp_check_source(s->querier.config.family, &sources[i])) {
            list[n++] = sources[i];
        }
    }
    return ip_addr_sort(list, n);
}

/* Reads the sources of a record or a query: sorted, without doubles and
 * without what can be no source.  False if that leaves nothing of something:
 * TO_IN({239.1.1.1}) is nonsense, not TO_IN({}), a leave. */
static bool
load_sources(struct igmp_snoop *s, const struct igmp_sources *from,
             struct ip_addr list[IGMP_MAX_SOURCES], size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < from->n; i++) {
        struct ip_addr a = igmp_source_at(from, i);

        if (!igmp_check_source(s->querier.config.family, &a)) {
            continue;
        }
        if (*n == IGMP_MAX_SOURCES) {
            s->counters[IGMP_LIMIT]++;
            break;
        }
        list[(*n)++] = a;
    }
    *n = ip_addr_sort(list, *n);
    return *n || !from->n;
}

/* The machine for a record, made if the record needs one and may have one.
 * NULL with '*error' IGMP_OK if there is nothing to do. */
struct igmp_member *
igmp_member_for(struct igmp_snoop *s, struct igmp_port *port,
                const struct ip_addr *group, bool creates,
                enum igmp_error *error)
{
    struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    struct igmp_member *m = NULL;

    *error = IGMP_OK;
    if (entry) {
        m = igmp_table_lookup_member(entry, &port->id);
    }
    if ((m && igmp_member_is_learned(m)) || !creates) {
        return m;
    }
    *error = igmp_limits_admit_group(s, port, group, !entry);
    if (*error) {
        return NULL;
    }
    return m ? m : igmp_table_add_member(&s->table, entry, group, port);
}

static void
touch_host(struct igmp_host *host, const struct igmp_msg *msg, int64_t now)
{
    if (!ip_addr_is_any(&msg->ip_src)) {
        host->ip = msg->ip_src; /* It may report before it has an address. */
    }
    host->version = (uint8_t) msg->version;
    host->last_report = now;
    host->departure = 0;
}

/* What a host wants that is not known behind this (group, port) yet.  NULL if
 * there are too many of them. */
static struct igmp_wish *
add_wish(struct igmp_turn *t, const struct igmp_msg *msg,
         enum igmp_error *error)
{
    struct igmp_hosts *hosts = &t->s->table.hosts;
    struct igmp_port *port = t->m->port;
    struct igmp_host *host = igmp_hosts_lookup(hosts, &msg->eth_src, port);

    if (t->m->group.n_hosts >= IGMP_MAX_HOSTS) {
        *error = igmp_limits_refuse_host(t->s, port, IGMP_MAX_HOSTS);
        return NULL;
    }
    if (!host) {
        *error = igmp_limits_admit_host(t->s, port);
        if (*error) {
            return NULL;
        }
        host = igmp_hosts_add(hosts, &msg->eth_src, port);
        touch_host(host, msg, t->s->now);
        igmp_limits_count_host(t->s, port);
    }
    return igmp_hosts_add_wish(&t->m->group, &t->ctx, host);
}

/* A host that there is no room to know of has its membership all the same, if
 * it needs no copy of its own: nobody may lock others out. */
static enum igmp_error
hide_host(struct igmp_turn *t, enum igmp_error error)
{
    struct igmp_group *g = &t->m->group;

    if (igmp_port_settings(t->s, t->m->port)->delivery
        == IGMP_DELIVER_UNICAST) {
        return error;
    }
    t->s->counters[error]++;
    g->one_copy = true;
    igmp_group_hide(g, &t->ctx, t->s->now + t->s->times.membership);
    return IGMP_OK;
}

static enum igmp_error
run_record(struct igmp_turn *t, const struct igmp_msg *msg, uint8_t type,
           const struct ip_addr *list, size_t n)
{
    struct igmp_group *g = &t->m->group;
    struct igmp_wish *w = igmp_hosts_find(g, &msg->eth_src);
    enum igmp_error error = IGMP_OK;

    if (!w && igmp_group_creates(type, n)) {
        w = add_wish(t, msg, &error);
        error = error ? hide_host(t, error) : IGMP_OK;
    }
    if (!error) {
        if (w) {
            igmp_hosts_report(g, &t->ctx, w, msg->version, type, list, n);
        }
        igmp_group_record(g, &t->ctx, msg->version, type, list, n);
    }
    return error;
}

/* RFC 4604 2.2: in the range of source-specific multicast (RFC 4607) there are
 * neither any-source joins nor messages that can tell of nothing else. */
static bool
is_any_source_of_ssm(const struct igmp_msg *msg,
                     const struct igmp_record *record)
{
    return ip_addr_is_source_specific(&record->group)
           && (msg->version < 3 || record->type == IGMP_MODE_IS_EXCLUDE
               || record->type == IGMP_CHANGE_TO_EXCLUDE);
}

/* One record of 'msg', or what an older message says as one. */
static enum igmp_error
input_record(struct igmp_snoop *s, struct igmp_port *port,
             const struct igmp_msg *msg, const struct igmp_record *record)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    enum igmp_error error = igmp_check_group(msg->family, &record->group);
    size_t n;

    if (error) {
        return error;
    }
    if (record->type < IGMP_MODE_IS_INCLUDE
        || record->type > IGMP_BLOCK_OLD_SOURCES) {
        return IGMP_UNKNOWN_TYPE;
    }
    if (is_any_source_of_ssm(msg, record)) {
        return IGMP_SSM_ONLY;
    }
    if (!load_sources(s, &record->sources, list, &n)) {
        return IGMP_BAD_SOURCE;
    }

    struct igmp_member *m = igmp_member_for(
        s, port, &record->group, igmp_group_creates(record->type, n), &error);
    if (m) {
        struct igmp_turn t;

        igmp_turn_begin(&t, s, m);
        error = run_record(&t, msg, record->type, list, n);
        igmp_turn_end(&t);
    }
    return error;
}

/* The host that a report is of. */
static void
note_host(struct igmp_snoop *s, struct igmp_port *port,
          const struct igmp_msg *msg)
{
    struct igmp_host *host =
        igmp_hosts_lookup(&s->table.hosts, &msg->eth_src, port);

    if (!host) {
        igmp_moves_check(s, port, &msg->eth_src);
        host = igmp_hosts_lookup(&s->table.hosts, &msg->eth_src, port);
    }
    if (host) {
        touch_host(host, msg, s->now);
    }
}

/* Every record counts, whatever the others are. */
static enum igmp_error
input_v3_report(struct igmp_snoop *s, struct igmp_port *port,
                const struct igmp_msg *msg)
{
    enum igmp_error first = IGMP_OK;
    struct igmp_record_cursor c;
    struct igmp_record record;
    bool taken = false;

    note_host(s, port, msg);
    if (s->proxy.outlets) {
        igmp_proxy_pass_local(s, &port->id, msg);
    }
    igmp_record_first(&c, msg);
    while (igmp_record_next(&c, &record)) {
        enum igmp_error error = input_record(s, port, msg, &record);

        taken |= !error;
        first = first ? first : error;
        s->counters[error] += error != IGMP_OK;
    }
    if (taken) {
        s->counters[IGMP_OK]++;
        return IGMP_OK;
    }
    if (!first) {
        first = IGMP_IGNORED; /* No records at all. */
        s->counters[first]++;
    }
    return first;
}

/* RFC 3376 7.3.2: what the older messages mean. */
static enum igmp_error
input_older(struct igmp_snoop *s, struct igmp_port *port,
            const struct igmp_msg *msg)
{
    const struct igmp_record record = {.type = msg->kind == IGMP_V2_LEAVE
                                                   ? IGMP_CHANGE_TO_INCLUDE
                                                   : IGMP_MODE_IS_EXCLUDE,
                                       .group = msg->group};

    note_host(s, port, msg);
    return input_record(s, port, msg, &record);
}

/* Queries. */

/* 6.6.1: another asks, so who does not answer it is gone for us too. */
static void
specific_query_heard(struct igmp_snoop *s, const struct igmp_msg *msg)
{
    struct igmp_entry *entry = igmp_table_lookup(&s->table, &msg->group);
    struct ip_addr list[IGMP_MAX_SOURCES];
    size_t n;

    if (!entry || !load_sources(s, &msg->sources, list, &n)) {
        return;
    }
    /* Its Last Member Query Count is its robustness, unless told (8.9). */
    int count = msg->qrv ? msg->qrv : s->times.last_member_count;
    int64_t wait = msg->max_resp_ms ? msg->max_resp_ms : s->times.last_member;

    for (size_t i = 0; i < entry->n_slots; i++) {
        struct igmp_turn t;

        igmp_turn_begin(&t, s, entry->slots[i].member);
        igmp_group_asked(&t.m->group, &t.ctx, wait * count, list, n);
        igmp_turn_end(&t);
    }
}

static enum igmp_error
input_query(struct igmp_snoop *s, struct igmp_port *port,
            const struct igmp_msg *msg)
{
    bool any = ip_addr_is_any(&msg->ip_src);

    if (!any && ip_addr_equal(&msg->ip_src, &s->querier.config.address)) {
        return IGMP_BAD_SOURCE; /* Our own, come back, or a double of it. */
    }
    igmp_querier_hear_version(&s->querier, msg, s->now);
    if (any) {
        igmp_querier_hear_proxy(&s->querier, &port->id, msg, s->now);
        igmp_proxy_query_heard(s, &port->id, msg);
        return IGMP_IGNORED; /* A proxy's: no router, and no querier. */
    }
    bool changed = igmp_querier_input(&s->querier, &port->id, msg, s->now);
    igmp_querier_done(s, changed);
    igmp_hear_router(s, port, msg);
    igmp_proxy_query_heard(s, &port->id, msg);
    if (!s->querier.ours && !ip_addr_is_any(&msg->group) && !msg->suppress) {
        specific_query_heard(s, msg);
    }
    return IGMP_OK;
}

/* Signs of routers. */

/* What hosts have no business to send.  Asking for routers is fine. */
static bool
is_routers(const struct igmp_msg *msg)
{
    return msg->kind == IGMP_QUERY
           || (msg->kind >= IGMP_ROUTER_ADVERTISEMENT
               && msg->kind != IGMP_ROUTER_SOLICITATION);
}

static enum igmp_error
input_router(struct igmp_snoop *s, struct igmp_port *port,
             const struct igmp_msg *msg)
{
    const struct igmp_guard_event event = {.guard = IGMP_GUARD_ROLE,
                                           .group = msg->group};

    if (igmp_port_settings(s, port)->role == IGMP_ROLE_HOST) {
        igmp_guard_tell(s, port, &event);
        return IGMP_GUARDED;
    }
    if (msg->kind == IGMP_QUERY) {
        return input_query(s, port, msg);
    }
    igmp_hear_router(s, port, msg);
    return IGMP_OK;
}

/* PIM's messages have no such option (RFC 7761 4.9). */
static bool
lacks_router_alert(const struct igmp_snoop *s, const struct igmp_msg *msg)
{
    return s->querier.config.require_router_alert && !msg->router_alert
           && msg->kind != IGMP_PIM_HELLO;
}

enum igmp_error
igmp_snoop_input(struct igmp_snoop *s, const struct port_id *id,
                 const struct igmp_msg *msg, int64_t now)
{
    enum igmp_error error = msg->family == s->querier.config.family
                                ? igmp_check_msg(msg)
                                : IGMP_NOT_IGMP;

    s->now = now;
    if (!error && lacks_router_alert(s, msg)) {
        error = IGMP_NO_ROUTER_ALERT;
    }
    if (!error && msg->kind != IGMP_ROUTER_SOLICITATION) {
        struct igmp_port *port = igmp_table_get_port(&s->table, id);

        if (msg->kind == IGMP_V3_REPORT) {
            return input_v3_report(s, port, msg); /* Counts by itself. */
        }
        error = is_routers(msg) ? input_router(s, port, msg)
                                : input_older(s, port, msg);
    }
    s->counters[error]++;
    return error;
}
