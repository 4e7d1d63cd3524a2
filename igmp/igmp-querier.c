/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-querier.h"

#include <string.h>

enum { MAX_ROBUSTNESS = 7, MAX_LAST_MEMBER_COUNT = 100 };

/* No configuration can make the machine spin or overflow. */
static int64_t
clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static void
take_config(struct igmp_querier *q, const struct igmp_config *config)
{
    const int64_t max_ms = INT64_C(1000) * 60 * 60 * 24 * 365;
    struct igmp_config *c = &q->config;

    *c = *config;
    c->version = (int) clamp(c->version, 1, 3);
    c->robustness = (int) clamp(c->robustness, 1, MAX_ROBUSTNESS);
    c->last_member_count =
        (int) clamp(c->last_member_count, 1, MAX_LAST_MEMBER_COUNT);
    c->query_interval = clamp(c->query_interval, 1, max_ms);
    c->query_response_interval = clamp(c->query_response_interval, 1, max_ms);
    c->last_member_interval = clamp(c->last_member_interval, 1, max_ms);
}

static void
forget_other(struct igmp_querier *q)
{
    q->expires = INT64_MAX;
    q->robustness = 0;
    q->query_interval = q->query_response_interval = 0;
}

/* Begins with a burst, RFC 3376 8.6 and 8.7. */
static void
become_querier(struct igmp_querier *q, int64_t now)
{
    forget_other(q);
    q->ours = true;
    q->finishes = INT64_MAX;
    q->since = q->next_query = now;
    q->startup_left = q->config.robustness;
}

/* A last member query that is running goes on, as RFC 2236 3 and RFC 2710 4
 * have it: the same router keeps asking.  To stop would lose members, as their
 * timers are lowered already and the one query that was sent may have been
 * lost, while the new querier, that was none when the leave came, asks
 * nothing.  That hosts hear two routers meanwhile costs an answer. */
static void
resign(struct igmp_querier *q, int64_t now)
{
    q->finishes = q->ours ? now
                                + q->config.last_member_interval
                                      * q->config.last_member_count
                          : INT64_MAX;
    q->ours = false;
    q->since = now;
    q->next_query = INT64_MAX;
}

/* Does 'other' win against us?  0.0.0.0 never wins. */
static bool
loses_to(const struct igmp_querier *q, const struct ip_addr *other)
{
    return !q->config.querier || ip_addr_is_any(&q->config.address)
           || ip_addr_compare(other, &q->config.address) < 0;
}

void
igmp_querier_init(struct igmp_querier *q, const struct igmp_config *config,
                  int64_t now)
{
    memset(q, 0, sizeof *q);
    take_config(q, config);
    forget_other(q);
    q->older_until = INT64_MIN;
    resign(q, now);
    if (q->config.querier) {
        become_querier(q, now);
    }
}

bool
igmp_querier_set_config(struct igmp_querier *q,
                        const struct igmp_config *config, int64_t now)
{
    bool was_ours = q->ours;

    take_config(q, config);
    if (q->ours && !q->config.querier) {
        resign(q, now);
    } else if (!q->ours && q->config.querier
               && (q->expires == INT64_MAX || !loses_to(q, &q->address))) {
        become_querier(q, now);
    } else if (q->ours) {
        int64_t next = now + q->config.query_interval;

        q->next_query = next < q->next_query ? next : q->next_query;
    }
    return q->ours != was_ours;
}

/* Takes over what the querier tells of its own timers: hosts and routers
 * keep to them (RFC 3376 4.1.6, 4.1.7). */
static void
adopt(struct igmp_querier *q, const struct port_id *port,
      const struct igmp_msg *m, int64_t now)
{
    q->address = m->ip_src;
    q->port = *port;
    q->heard = now;
    q->version = m->version;
    q->robustness = m->qrv;
    q->query_interval = m->query_interval_ms;
    if (ip_addr_is_any(&m->group)) {
        q->query_response_interval = m->max_resp_ms;
    }
}

static int64_t
response_interval(const struct igmp_querier *q)
{
    return !q->ours && q->query_response_interval
               ? q->query_response_interval
               : q->config.query_response_interval;
}

void
igmp_querier_hear_version(struct igmp_querier *q, const struct igmp_msg *m,
                          int64_t now)
{
    if (m->version < q->config.version && ip_addr_is_any(&m->group)) {
        /* RFC 3376 8.12: the same sum as the membership interval. */
        q->older_until =
            now + igmp_querier_robustness(q) * igmp_querier_query_interval(q)
            + response_interval(q);
    }
}

/* Not the querier's.  One of another address, or after a silence that long,
 * begins anew. */
static void
note_rival(struct igmp_querier *q, const struct port_id *port,
           const struct igmp_msg *m, int64_t now)
{
    struct igmp_rival *r = &q->rival;

    if (!ip_addr_is_any(&m->group)) {
        return;
    }
    if (!ip_addr_equal(&r->address, &m->ip_src)
        || now - r->heard > igmp_querier_other_present(q)) {
        r->n_queries = 0;
    }
    r->address = m->ip_src;
    r->port = *port;
    r->heard = now;
    r->n_queries++;
}

void
igmp_querier_hear_proxy(struct igmp_querier *q, const struct port_id *port,
                        const struct igmp_msg *m, int64_t now)
{
    note_rival(q, port, m, now);
}

bool
igmp_querier_input(struct igmp_querier *q, const struct port_id *port,
                   const struct igmp_msg *m, int64_t now)
{
    bool was_ours = q->ours;

    if (!loses_to(q, &m->ip_src)) {
        note_rival(q, port, m, now);
        return false; /* It will hear us and be quiet. */
    }
    if (q->ours) {
        resign(q, now);
    }
    /* Of several the lowest is the querier; another one takes its place when
     * it was not heard for as long as would make us take over. */
    if (q->expires == INT64_MAX
        || ip_addr_compare(&m->ip_src, &q->address) <= 0
        || now - q->heard >= igmp_querier_other_present(q)) {
        if (q->expires == INT64_MAX
            || !ip_addr_equal(&m->ip_src, &q->address)) {
            q->since = now;
            q->query_response_interval = 0;
        }
        adopt(q, port, m, now);
    } else {
        note_rival(q, port, m, now);
    }
    q->expires = now + igmp_querier_other_present(q);
    return was_ours;
}

void
igmp_querier_port_down(struct igmp_querier *q, const struct port_id *port,
                       int64_t now)
{
    if (q->expires != INT64_MAX && port_id_equal(&q->port, port)) {
        q->expires = now;
    }
}

bool
igmp_querier_run(struct igmp_querier *q, int64_t now, bool *send)
{
    bool was_ours = q->ours;

    *send = false;
    if (q->finishes <= now) {
        q->finishes = INT64_MAX;
    }
    if (q->expires <= now) {
        forget_other(q);
        q->since = now;
        if (q->config.querier) {
            become_querier(q, now);
        }
    }
    if (q->ours && q->next_query <= now) {
        *send = true;
        q->startup_left -= q->startup_left > 0;
        q->next_query = now
                        + (q->startup_left ? igmp_querier_startup_interval(q)
                                           : q->config.query_interval);
    }
    return q->ours != was_ours;
}

int64_t
igmp_querier_deadline(const struct igmp_querier *q)
{
    int64_t soonest = q->next_query < q->expires ? q->next_query : q->expires;

    return soonest < q->finishes ? soonest : q->finishes;
}

int
igmp_querier_robustness(const struct igmp_querier *q)
{
    return !q->ours && q->robustness ? q->robustness : q->config.robustness;
}

int64_t
igmp_querier_query_interval(const struct igmp_querier *q)
{
    return !q->ours && q->query_interval ? q->query_interval
                                         : q->config.query_interval;
}

bool
igmp_querier_speaks(const struct igmp_querier *q)
{
    return q->ours || q->finishes != INT64_MAX;
}

/* An MLD query cannot come from nowhere, and one from an address below the
 * querier's would make that one quiet, which who may not be querier must not
 * do. */
static bool
may_speak_beside(const struct igmp_querier *q)
{
    return !ip_addr_is_any(&q->config.address)
           && (q->config.querier
               || (q->expires != INT64_MAX
                   && ip_addr_compare(&q->address, &q->config.address) < 0));
}

/* Of the specific queries that we send.  Beside another querier it asks, which
 * hears the hosts' leaves if they are relayed to it.  If we proxy, it hears
 * nothing of one until we know who is left: so we ask that, in a version that
 * its hosts speak. */
static int
query_version(const struct igmp_querier *q)
{
    int version = q->config.version;

    if (q->ours) {
        return version;
    } else if (q->config.upstream == IGMP_UPSTREAM_RELAY
               || (q->config.family == IGMP_IPV6 && !may_speak_beside(q))) {
        return 0;
    }
    return q->expires != INT64_MAX && q->version < version ? q->version
                                                           : version;
}

void
igmp_querier_times(const struct igmp_querier *q, struct igmp_times *times)
{
    times->membership =
        igmp_querier_robustness(q) * igmp_querier_query_interval(q)
        + response_interval(q);
    times->older_host = times->membership; /* 8.13: the same sum. */
    times->last_member = q->config.last_member_interval;
    times->last_member_count = q->config.last_member_count;
    times->last_member_time = times->last_member * times->last_member_count;
    times->query_version = query_version(q);
    times->finish_version = igmp_querier_speaks(q) ? q->config.version : 0;
}

int64_t
igmp_querier_other_present(const struct igmp_querier *q)
{
    return igmp_querier_robustness(q) * igmp_querier_query_interval(q)
           + response_interval(q) / 2;
}

int64_t
igmp_querier_startup_interval(const struct igmp_querier *q)
{
    int64_t interval = q->config.query_interval / 4;

    return interval ? interval : 1;
}

void
igmp_querier_view(const struct igmp_querier *q, int64_t now,
                  struct igmp_querier_view *v)
{
    bool other = !q->ours && q->expires != INT64_MAX;

    *v = (struct igmp_querier_view){
        .ours = q->ours,
        .address = q->ours ? q->config.address : IP_ADDR_ANY,
        .version = other ? q->version : q->config.version,
        .since = q->since,
        .next_query = q->next_query,
        .expires = q->expires,
        .query_interval = igmp_querier_query_interval(q),
        .robustness = igmp_querier_robustness(q),
        .falls_back = now<q->older_until, .rival_address = q->rival.address,
                          .rival_port = q->rival.port,
                          .rival_queries = now - q->rival.heard>
                              igmp_querier_other_present(q)
                          ? 0
                          : q->rival.n_queries};
    if (other) {
        v->address = q->address;
        v->port = q->port;
    }
}
