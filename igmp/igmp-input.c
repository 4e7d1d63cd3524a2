/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <stdlib.h>

#include "igmp/igmp-check.h"
#include "igmp/igmp-hosts.h"
#include "igmp/igmp-snoop-private.h"

/* What comes in: reports to the machines of their groups, queries to the
 * querier. */

/* Reports. */

static int
compare_addresses(const void *a, const void *b)
{
    return ip_addr_compare(a, b);
}

/* Sorts 'list' and takes doubles out.  Returns how many are left. */
size_t
igmp_sort_sources(struct ip_addr *list, size_t n)
{
    size_t kept = 0;

    if (n > 1) {
        qsort(list, n, sizeof *list, compare_addresses);
    }
    for (size_t i = 0; i < n; i++) {
        if (!kept || !ip_addr_equal(&list[i], &list[kept - 1])) {
            list[kept++] = list[i];
        }
    }
    return kept;
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
    *n = igmp_sort_sources(list, *n);
    return *n || !from->n;
}

/* The machine for a record, made if the record needs one.  NULL with
 * '*error' IGMP_OK if there is nothing to do. */
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
    if (m || !creates) {
        return m;
    }
    if (!entry && HASH_COUNT(s->table.entries) >= IGMP_MAX_GROUPS) {
        *error = IGMP_LIMIT;
        return NULL;
    }
    return igmp_table_add_member(&s->table, entry, group, port);
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
    if (!load_sources(s, &record->sources, list, &n)) {
        return IGMP_BAD_SOURCE;
    }

    struct igmp_member *m = igmp_member_for(
        s, port, &record->group, igmp_group_creates(record->type, n), &error);
    if (m) {
        struct igmp_turn t;

        igmp_turn_begin(&t, s, m);
        igmp_group_record(&m->group, &t.ctx, msg->version, record->type, list,
                          n);
        igmp_hosts_report(&m->group, &t.ctx, msg->version, record->type, n,
                          &msg->eth_src, &msg->ip_src);
        igmp_turn_end(&t);
    }
    return error;
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
    if (ip_addr_is_any(&msg->ip_src)) {
        return IGMP_IGNORED; /* A proxy's: no router, and no querier. */
    }
    if (ip_addr_equal(&msg->ip_src, &s->querier.config.address)) {
        return IGMP_BAD_SOURCE; /* Our own, come back, or a double of it. */
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
