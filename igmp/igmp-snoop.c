/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-check.h"
#include "igmp/igmp-hosts.h"
#include "igmp/igmp-snoop-private.h"

/* The folder's face: what comes in is handed to the machine that it concerns
 * (igmp-group, igmp-querier), what comes out of them is sent and told.
 *
 * Timers are lazy: a member's stands at the earliest time at which something
 * might run out, is never put off by a report, and finds its next time when
 * it comes up.  So a refresh costs no heap operation. */

enum { MAX_FRAME = 1514 + 4 };

/* Configuration. */

void
igmp_config_init(struct igmp_config *c)
{
    /* RFC 3376 section 8. */
    *c = (struct igmp_config){.querier = true,
                              .address = IP_ADDR_ANY,
                              .version = 3,
                              .query_interval = 125 * 1000,
                              .query_response_interval = 10 * 1000,
                              .robustness = 2,
                              .last_member_interval = 1000,
                              .last_member_count = 2};
}

int64_t
igmp_config_membership_interval(const struct igmp_config *c)
{
    return c->robustness * c->query_interval + c->query_response_interval;
}

/* Sending. */

static void
send_query(struct igmp_snoop *s, const struct port_id *port,
           const struct igmp_query *what)
{
    const struct igmp_config *c = &s->querier.config;
    struct igmp_query q = *what;
    uint8_t frame[MAX_FRAME];

    q.version = c->version;
    q.eth_src = c->mac;
    q.vlan = s->vlan;
    q.ip_src = c->address;
    q.qrv = (uint8_t) c->robustness;
    q.query_interval_ms = c->query_interval;

    size_t size = igmp_query_encode(&q, frame, sizeof frame);
    if (size) {
        s->ops.send(s->aux, port, frame, size);
    }
}

/* To 'port', NULL for all. */
static void
send_general_query(struct igmp_snoop *s, const struct port_id *port)
{
    const struct igmp_query q = {
        .max_resp_ms = s->querier.config.query_response_interval};

    send_query(s, port, &q);
}

/* One call of a machine. */

struct turn {
    struct igmp_snoop *s;
    struct igmp_member *m;
    struct igmp_group_ctx ctx;
};

static void
query_cb(void *turn_, const struct ip_addr *sources, size_t n, bool suppress)
{
    struct turn *t = turn_;
    const struct igmp_query q = {.group = t->m->entry->address,
                                 .sources = sources,
                                 .n_sources = n,
                                 .max_resp_ms = t->s->times.last_member,
                                 .suppress = suppress};

    send_query(t->s, &t->m->port->id, &q);
}

static void
special_cb(void *turn_, const struct ip_addr *source, int delta)
{
    struct turn *t = turn_;

    igmp_table_special(t->m->entry, source, delta);
}

static void
turn_begin(struct turn *t, struct igmp_snoop *s, struct igmp_member *m)
{
    *t = (struct turn){.s = s,
                       .m = m,
                       .ctx = {.times = &s->times,
                               .now = s->now,
                               .query = query_cb,
                               .special = special_cb,
                               .aux = t,
                               .soonest = INT64_MAX}};
}

/* Takes the member away if nothing is left of it, arms its timer otherwise,
 * and tells what changed. */
static void
turn_end(struct turn *t)
{
    struct igmp_snoop *s = t->s;
    struct igmp_member *m = t->m;
    struct ip_addr group = m->entry->address;
    struct port_id port = m->port->id;

    s->counters[IGMP_LIMIT] += t->ctx.refused;
    if (igmp_group_is_empty(&m->group)) {
        igmp_group_uninit(&m->group, &t->ctx);
        igmp_table_remove_member(&s->table, m);
    } else if (!m->timer.place || t->ctx.soonest < m->timer.at) {
        timer_heap_set(&s->table.member_timers, &m->timer, t->ctx.soonest);
    }
    if (t->ctx.changed) {
        s->ops.membership_changed(s->aux, &group, &port);
    }
}

static void
forget_member(struct igmp_snoop *s, struct igmp_member *m)
{
    struct ip_addr group = m->entry->address;
    struct port_id port = m->port->id;
    struct turn t;

    turn_begin(&t, s, m);
    igmp_group_uninit(&m->group, &t.ctx);
    igmp_table_remove_member(&s->table, m);
    s->ops.membership_changed(s->aux, &group, &port);
}

/* The querier's role and times. */

/* When every host that is asked from now on has answered. */
static int64_t
answered_by(const struct igmp_snoop *s)
{
    return s->now + s->querier.config.query_response_interval
           + (s->querier.config.robustness - 1)
                 * igmp_querier_startup_interval(&s->querier);
}

static void
role_changed(struct igmp_snoop *s)
{
    bool ours = s->querier.ours;

    if (ours) {
        s->grace_since = s->now;
        s->grace_until = answered_by(s);
    }
    s->ops.querier_changed(s->aux, ours);
}

/* After whatever may have changed the querier. */
static void
querier_done(struct igmp_snoop *s, bool changed)
{
    igmp_querier_times(&s->querier, &s->times);
    if (changed) {
        role_changed(s);
    }
}

/* Life. */

struct igmp_snoop *
igmp_snoop_create(uint16_t vlan, const struct igmp_config *config,
                  const struct igmp_ops *ops, void *aux, int64_t now)
{
    struct igmp_snoop *s = xcalloc(1, sizeof *s);

    s->vlan = vlan;
    s->ops = *ops;
    s->aux = aux;
    s->now = s->grace_since = s->grace_until = now;
    igmp_table_init(&s->table);
    igmp_querier_init(&s->querier, config, now);
    igmp_querier_times(&s->querier, &s->times);
    return s;
}

void
igmp_snoop_destroy(struct igmp_snoop *s)
{
    if (s) {
        igmp_table_uninit(&s->table);
        free(s);
    }
}

void
igmp_snoop_set_config(struct igmp_snoop *s, const struct igmp_config *config,
                      int64_t now)
{
    s->now = now;
    querier_done(s, igmp_querier_set_config(&s->querier, config, now));
}

/* Reports. */

static int
compare_addresses(const void *a, const void *b)
{
    return ip_addr_compare(a, b);
}

/* Sorts 'list' and takes doubles out.  Returns how many are left. */
static size_t
sort_sources(struct ip_addr *list, size_t n)
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

        if (!igmp_check_source(&a)) {
            continue;
        }
        if (*n == IGMP_MAX_SOURCES) {
            s->counters[IGMP_LIMIT]++;
            break;
        }
        list[(*n)++] = a;
    }
    *n = sort_sources(list, *n);
    return *n || !from->n;
}

/* The machine for a record, made if the record needs one.  NULL with
 * '*error' IGMP_OK if there is nothing to do. */
static struct igmp_member *
member_for(struct igmp_snoop *s, struct igmp_port *port,
           const struct ip_addr *group, bool creates, enum igmp_error *error)
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
    enum igmp_error error = igmp_check_group(&record->group);
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

    struct igmp_member *m = member_for(
        s, port, &record->group, igmp_group_creates(record->type, n), &error);
    if (m) {
        struct turn t;

        turn_begin(&t, s, m);
        igmp_group_record(&m->group, &t.ctx, msg->version, record->type, list,
                          n);
        igmp_hosts_report(&m->group, &t.ctx, msg->version, record->type, n,
                          &msg->eth_src, &msg->ip_src);
        turn_end(&t);
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

/* RFC 4541 2.1.1: where queries come from is where routers are. */
static void
learn_router_port(struct igmp_snoop *s, struct igmp_port *port)
{
    bool is_new = port->router_until == INT64_MAX;

    igmp_table_set_router(&s->table, port,
                          s->now + igmp_querier_other_present(&s->querier));
    igmp_table_arm_port(&s->table, port);
    if (is_new) {
        s->ops.router_ports_changed(s->aux, &port->id);
    }
}

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
        struct turn t;

        turn_begin(&t, s, entry->slots[i].member);
        igmp_group_asked(&t.m->group, &t.ctx, wait * count, list, n);
        turn_end(&t);
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
    querier_done(s, changed);
    learn_router_port(s, port);
    if (!s->querier.ours && !ip_addr_is_any(&msg->group) && !msg->suppress) {
        specific_query_heard(s, msg);
    }
    return IGMP_OK;
}

enum igmp_error
igmp_snoop_input(struct igmp_snoop *s, const struct port_id *id,
                 const struct igmp_msg *msg, int64_t now)
{
    enum igmp_error error = igmp_check_msg(msg);

    s->now = now;
    if (!error) {
        struct igmp_port *port = igmp_table_get_port(&s->table, id);

        if (msg->kind == IGMP_V3_REPORT) {
            return input_v3_report(s, port, msg); /* Counts by itself. */
        }
        error = msg->kind == IGMP_QUERY ? input_query(s, port, msg)
                                        : input_older(s, port, msg);
    }
    s->counters[error]++;
    return error;
}

/* Time. */

static void
run_port(struct igmp_snoop *s, struct igmp_port *port)
{
    if (port->next_query <= s->now) {
        port->next_query = INT64_MAX;
        if (s->querier.ours) {
            send_general_query(s, &port->id);
            if (--port->burst_left > 0) {
                port->next_query =
                    s->now + igmp_querier_startup_interval(&s->querier);
            }
        }
    }

    bool gone = port->router_until <= s->now;
    if (gone) {
        igmp_table_set_router(&s->table, port, INT64_MAX);
    }
    igmp_table_arm_port(&s->table, port);
    if (gone) {
        s->ops.router_ports_changed(s->aux, &port->id);
    }
}

static void
run_member(struct igmp_snoop *s, struct igmp_member *m)
{
    struct turn t;

    if (s->now < s->grace_until && m->group.last_lowered < s->grace_since) {
        timer_heap_set(&s->table.member_timers, &m->timer, s->grace_until);
        return;
    }
    turn_begin(&t, s, m);
    igmp_group_run(&m->group, &t.ctx);
    turn_end(&t);
}

#define CONTAINER_OF(NODE, TYPE, MEMBER)                                      \
    ((TYPE *) (void *) ((char *) (NODE) -offsetof(TYPE, MEMBER)))

void
igmp_snoop_run(struct igmp_snoop *s, int64_t now)
{
    struct timer_node *node;
    bool send;

    s->now = now;
    bool changed = igmp_querier_run(&s->querier, now, &send);
    querier_done(s, changed);
    if (send) {
        send_general_query(s, NULL);
    }
    while ((node = timer_heap_pop_due(&s->table.port_timers, now))) {
        run_port(s, CONTAINER_OF(node, struct igmp_port, timer));
    }
    while ((node = timer_heap_pop_due(&s->table.member_timers, now))) {
        run_member(s, CONTAINER_OF(node, struct igmp_member, timer));
    }
}

int64_t
igmp_snoop_deadline(const struct igmp_snoop *s)
{
    int64_t at[] = {igmp_querier_deadline(&s->querier),
                    timer_heap_deadline(&s->table.port_timers),
                    timer_heap_deadline(&s->table.member_timers)};
    int64_t soonest = at[0];

    for (size_t i = 1; i < sizeof at / sizeof *at; i++) {
        soonest = at[i] < soonest ? at[i] : soonest;
    }
    return soonest;
}

/* Ports. */

void
igmp_snoop_port_up(struct igmp_snoop *s, const struct port_id *id, int64_t now)
{
    struct igmp_port *port = igmp_table_get_port(&s->table, id);

    s->now = now;
    port->burst_left = igmp_querier_robustness(&s->querier);
    port->next_query = now;
    run_port(s, port);
}

void
igmp_snoop_port_down(struct igmp_snoop *s, const struct port_id *id,
                     int64_t now)
{
    struct igmp_port *port = igmp_table_lookup_port(&s->table, id);

    s->now = now;
    if (!port) {
        return;
    }
    while (port->members) {
        forget_member(s, port->members);
    }

    bool was_router = port->router_until != INT64_MAX;
    struct port_id copy = port->id;
    igmp_table_remove_port(&s->table, port);
    igmp_querier_port_down(&s->querier, &copy, now);
    if (was_router) {
        s->ops.router_ports_changed(s->aux, &copy);
    }
}

void
igmp_snoop_restore(struct igmp_snoop *s, const struct port_id *id,
                   const struct ip_addr *group, bool exclude,
                   const struct ip_addr *sources, size_t n_sources,
                   int64_t now)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    enum igmp_error error;
    size_t n = 0;

    s->now = now;
    for (size_t i = 0; i < n_sources && n < IGMP_MAX_SOURCES; i++) {
        if (igmp_check_source(&sources[i])) {
            list[n++] = sources[i];
        }
    }
    n = sort_sources(list, n);
    if (igmp_check_group(group) || (!exclude && !n)) {
        return;
    }

    struct igmp_port *port = igmp_table_get_port(&s->table, id);
    struct igmp_member *m = member_for(s, port, group, true, &error);
    if (m) {
        struct turn t;

        turn_begin(&t, s, m);
        if (igmp_group_is_empty(&m->group)) {
            igmp_group_restore(&m->group, &t.ctx, exclude, list, n);
        } else {
            igmp_group_linger(&m->group, &t.ctx, answered_by(s));
        }
        turn_end(&t);
    }
}

void
igmp_snoop_restore_router_port(struct igmp_snoop *s, const struct port_id *id,
                               int64_t now)
{
    s->now = now;
    learn_router_port(s, igmp_table_get_port(&s->table, id));
}
