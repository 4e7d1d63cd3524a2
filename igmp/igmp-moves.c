/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop-private.h"

#include <stdlib.h>

#include <utlist.h>

#include "igmp/igmp-hosts.h"

/* Hosts that are heard on another port than before.
 *
 * One that has moved takes its memberships along: its stream is there before
 * it is asked again.  Where it was, it is asked whether it is still there, by
 * a query to it alone; the stream ceases if it does not answer within the
 * Last Member Query Time.  If it does, there are two of the same MAC address,
 * or one that pretends to be another: both are hosts of their own until one
 * of them falls silent, and nothing moves.
 *
 * Nor are memberships pulled to and fro: who comes back to the port that it
 * just came from moves nothing, and the number of moves in a row is
 * bounded. */

enum { MAX_MOVES = 8 }; /* In a row, each soon after the one before. */

/* A host's presence elsewhere that 'port' may take over, NULL if there is
 * none. */
static struct igmp_host *
find_mover(struct igmp_snoop *s, const struct igmp_port *port,
           const struct mac_addr *mac)
{
    struct igmp_host *host = igmp_hosts_same(&s->table.hosts, mac, NULL);

    if (!host || igmp_hosts_same(&s->table.hosts, mac, host)) {
        return NULL;
    }
    /* Whoever is behind a router port may be seen by several ways. */
    if (port->router_until != INT64_MAX
        || host->port->router_until != INT64_MAX) {
        return NULL;
    }

    const struct igmp_former *former = host->former;
    if (former && s->now < former->until
        && (port_id_equal(&former->port, &port->id)
            || former->n_moves >= MAX_MOVES)) {
        return NULL;
    }
    return host;
}

static void
remember(struct igmp_snoop *s, struct igmp_host *to,
         const struct igmp_host *from)
{
    bool again = from->former && s->now < from->former->until;

    to->former = xmalloc(sizeof *to->former);
    *to->former =
        (struct igmp_former){.port = from->port->id,
                             .until = s->now + s->times.membership,
                             .n_moves = again ? from->former->n_moves + 1 : 1};
}

/* The port gets what the wish's host wants.  It says so itself as soon as it
 * is asked; until then it counts as if it had done so now. */
static void
arrive(struct igmp_snoop *s, struct igmp_member *m, struct igmp_host *to,
       const struct igmp_wish *from)
{
    struct igmp_group *g = &m->group;
    struct igmp_turn t;

    igmp_turn_begin(&t, s, m);
    if (g->n_hosts < IGMP_MAX_HOSTS) {
        struct igmp_wish *w = igmp_hosts_add_wish(g, &t.ctx, to);
        uint8_t type =
            from->exclude ? IGMP_MODE_IS_EXCLUDE : IGMP_MODE_IS_INCLUDE;

        igmp_hosts_set_filter(g, &t.ctx, w, from->exclude, from->sources,
                              from->n_sources);
        w->version = from->version;
        w->last_report = s->now;
        igmp_group_wake(&t.ctx, s->now + s->times.host_silent);
        /* It may still answer what it was asked where it was. */
        igmp_group_hide(g, &t.ctx, s->now + s->times.last_member_time);
        igmp_group_record(g, &t.ctx, from->version, type, from->sources,
                          from->n_sources);
    }
    igmp_turn_end(&t);
}

/* And the other port does not get any more what only this host wanted there:
 * it has left all of it.  Others are asked only if some may be hidden. */
static void
depart(struct igmp_snoop *s, struct igmp_wish *w)
{
    struct igmp_member *m = igmp_member_of(w->group);
    struct igmp_turn t;

    igmp_turn_begin(&t, s, m);
    if (t.ctx.leave == IGMP_LEAVE_QUERY) {
        t.ctx.leave = IGMP_LEAVE_TRACKED;
    }
    igmp_hosts_remove_wish(&m->group, &t.ctx, w);
    igmp_group_record(&m->group, &t.ctx, 3, IGMP_CHANGE_TO_INCLUDE, NULL, 0);
    igmp_turn_end(&t);
}

static void
depart_all(struct igmp_snoop *s, struct igmp_departure *d,
           struct igmp_host *host)
{
    d->move.n_groups = host->n_wishes;
    for (size_t i = 0; i < d->move.n_groups; i++) {
        depart(s, host->wishes); /* The last one takes the host with it. */
    }
    if (s->ops.host_moved) {
        s->ops.host_moved(s->aux, &d->move);
    }
}

/* One general query to it alone, whatever it had joined. */
static void
ask_departing(struct igmp_snoop *s, struct igmp_departure *d,
              const struct igmp_host *host)
{
    int version = s->times.query_version;
    const struct igmp_query q = {
        .version = host->version < version && version > 2 ? 2 : version,
        .eth_dst = host->mac,
        .max_resp_ms = s->times.last_member};

    if (version) {
        igmp_send_query(s, &d->move.from, &q);
    }
    d->queries_left--;
    d->at = s->now + s->times.last_member;
    DL_APPEND(s->departures, d);
}

/* While another is the querier nobody can be asked: the host stays where it
 * was until it has been silent for as long as any other. */
static void
start_departure(struct igmp_snoop *s, struct igmp_host *from,
                const struct port_id *to)
{
    struct igmp_departure *d;

    if (!s->times.query_version) {
        return;
    }
    d = xcalloc(1, sizeof *d);
    s->last_departure += s->last_departure == UINT32_MAX ? 2 : 1;
    d->id = from->departure = s->last_departure;
    d->queries_left = s->times.last_member_count;
    d->move.mac = from->mac;
    d->move.from = from->port->id;
    d->move.to = *to;
    ask_departing(s, d, from);
}

void
igmp_moves_run(struct igmp_snoop *s)
{
    while (igmp_moves_deadline(s) <= s->now) {
        struct igmp_departure *d = s->departures;
        struct igmp_port *port =
            igmp_table_lookup_port(&s->table, &d->move.from);
        struct igmp_host *host =
            port ? igmp_hosts_lookup(&s->table.hosts, &d->move.mac, port)
                 : NULL;
        bool is_here = !host || host->departure != d->id;

        DL_DELETE(s->departures, d);
        if (!is_here && d->queries_left > 0) {
            ask_departing(s, d, host);
            continue;
        }
        if (!is_here) {
            depart_all(s, d, host);
        }
        free(d);
    }
}

/* All wait for the same time, so the first is due first. */
int64_t
igmp_moves_deadline(const struct igmp_snoop *s)
{
    return s->departures ? s->departures->at : INT64_MAX;
}

void
igmp_moves_uninit(struct igmp_snoop *s)
{
    struct igmp_departure *d, *next;

    DL_FOREACH_SAFE (s->departures, d, next) {
        free(d);
    }
}

void
igmp_moves_check(struct igmp_snoop *s, struct igmp_port *port,
                 const struct mac_addr *mac)
{
    struct igmp_host *from = find_mover(s, port, mac);
    enum igmp_error error;

    if (!from || igmp_limits_admit_host(s, port)) {
        return;
    }

    struct igmp_host *to = igmp_hosts_add(&s->table.hosts, mac, port);
    to->ip = from->ip;
    to->version = from->version;
    to->last_report = s->now;
    to->n_wishes = 1; /* Not to go before it has any. */
    remember(s, to, from);
    for (struct igmp_wish *w = from->wishes; w; w = w->next) {
        struct igmp_member *m = igmp_member_for(
            s, port, &igmp_member_of(w->group)->entry->address, true, &error);

        if (m) {
            arrive(s, m, to, w);
        }
    }
    start_departure(s, from, &port->id);
    igmp_hosts_release(&s->table.hosts, to);
    igmp_limits_count_host(s, port);
}
