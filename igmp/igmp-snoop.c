/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-check.h"
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

void
igmp_send_query(struct igmp_snoop *s, const struct port_id *port,
                const struct igmp_query *what)
{
    const struct igmp_config *c = &s->querier.config;
    struct igmp_query q = *what;
    uint8_t frame[MAX_FRAME];

    q.family = c->family;
    q.eth_src = c->mac;
    q.vlan = s->vlan;
    q.qrv = (uint8_t) igmp_querier_robustness(&s->querier);
    q.query_interval_ms = igmp_querier_query_interval(&s->querier);
    /* Beside another querier, from 0.0.0.0: it is no bid (RFC 4541 2.1.1). */
    if (igmp_querier_speaks(&s->querier) || c->family == IGMP_IPV6) {
        q.ip_src = c->address;
    } else {
        q.ip_src = IP_ADDR_ANY;
    }

    size_t size = igmp_query_encode(&q, frame, sizeof frame);
    if (size) {
        s->ops.send(s->aux, port, frame, size);
    }
}

void
igmp_send_general_query(struct igmp_snoop *s, const struct port_id *port)
{
    const struct igmp_config *c = &s->querier.config;
    const struct igmp_query q = {.version = c->version,
                                 .max_resp_ms = c->query_response_interval};

    igmp_send_query(s, port, &q);
}

void
igmp_membership_changed(struct igmp_snoop *s, const struct ip_addr *group,
                        const struct port_id *port)
{
    igmp_proxy_member_changed(s, group);
    s->ops.membership_changed(s->aux, group, port);
}

/* The querier's role and times. */

int64_t
igmp_answered_by(const struct igmp_snoop *s)
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
        s->grace_until = igmp_answered_by(s);
    }
    s->ops.querier_changed(s->aux, ours);
}

/* A silent host is asked as often as a general query may be lost, before it is
 * forgotten. */
static void
update_times(struct igmp_snoop *s)
{
    struct igmp_times *t = &s->times;

    igmp_querier_times(&s->querier, t);
    t->robustness = igmp_querier_robustness(&s->querier);
    t->host_silent = igmp_querier_query_interval(&s->querier)
                     + s->querier.config.query_response_interval;

    int64_t latest = t->membership - (t->robustness + 1) * t->last_member;
    t->host_silent = t->host_silent < latest ? t->host_silent
                     : latest > 0            ? latest
                                             : 0;
}

void
igmp_querier_done(struct igmp_snoop *s, bool changed)
{
    update_times(s);
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
    update_times(s);
    igmp_proxy_init(s);
    return s;
}

void
igmp_snoop_destroy(struct igmp_snoop *s)
{
    if (s) {
        igmp_proxy_uninit(s);
        igmp_joins_uninit(&s->joins);
        igmp_moves_uninit(s);
        igmp_table_uninit(&s->table);
        free(s);
    }
}

void
igmp_snoop_set_config(struct igmp_snoop *s, const struct igmp_config *config,
                      int64_t now)
{
    struct igmp_port *port;

    s->now = now;
    for (port = s->table.ports; port; port = port->hh.next) {
        port->config = NULL;
    }
    igmp_querier_done(s, igmp_querier_set_config(&s->querier, config, now));
    for (port = s->table.ports; port; port = port->hh.next) {
        igmp_settle_router_port(s, port);
        igmp_limits_enforce(s, port);
    }
    igmp_proxy_configured(s);
}

/* Time. */

/* Because somebody left. */
static bool
was_asked(const struct igmp_snoop *s, const struct igmp_group *g)
{
    const struct igmp_times *t = &s->times;
    return g->last_lowered != INT64_MIN
           && s->now - g->last_lowered <= t->last_member_time + t->last_member;
}

void
igmp_run_member(struct igmp_snoop *s, struct igmp_member *m)
{
    struct igmp_turn t;

    if (s->now < s->grace_until && m->group.last_lowered < s->grace_since) {
        timer_heap_set(&s->table.member_timers, &m->timer, s->grace_until);
        igmp_turn_begin(&t, s, m); /* Its delivery may be another. */
    } else {
        igmp_turn_begin(&t, s, m);
        t.end = was_asked(s, &m->group) ? IGMP_END_LEFT : IGMP_END_EXPIRED;
        igmp_group_run(&m->group, &t.ctx);
    }
    igmp_turn_end(&t);
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
    igmp_querier_done(s, changed);
    if (send) {
        igmp_send_general_query(s, NULL);
        igmp_proxy_query_sent(s);
    }
    while ((node = timer_heap_pop_due(&s->table.port_timers, now))) {
        igmp_run_port(s, CONTAINER_OF(node, struct igmp_port, timer));
    }
    igmp_moves_run(s);
    while ((node = timer_heap_pop_due(&s->table.member_timers, now))) {
        igmp_run_member(s, CONTAINER_OF(node, struct igmp_member, timer));
    }
    igmp_proxy_run(s);
}

int64_t
igmp_snoop_deadline(const struct igmp_snoop *s)
{
    int64_t at[] = {igmp_querier_deadline(&s->querier),
                    timer_heap_deadline(&s->table.port_timers),
                    timer_heap_deadline(&s->table.member_timers),
                    igmp_moves_deadline(s), igmp_proxy_deadline(s)};
    int64_t soonest = at[0];

    for (size_t i = 1; i < sizeof at / sizeof *at; i++) {
        soonest = at[i] < soonest ? at[i] : soonest;
    }
    return soonest;
}
