/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-check.h"
#include "igmp/igmp-snoop-private.h"

#include <stdlib.h>

#include "igmp/igmp-hosts.h"

/* The reading half of igmp-snoop.h. */

/* Forwarding. */

static const struct igmp_member *
find_member(const struct igmp_snoop *s, const struct ip_addr *group,
            const struct port_id *port)
{
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);

    return entry ? igmp_table_lookup_member(entry, port) : NULL;
}

bool
igmp_snoop_forwards(const struct igmp_snoop *s, const struct ip_addr *source,
                    const struct ip_addr *group, const struct port_id *port)
{
    const struct igmp_member *m = find_member(s, group, port);

    return m && igmp_member_forwards(m, source);
}

bool
igmp_snoop_is_router_port(const struct igmp_snoop *s, const struct port_id *id)
{
    const struct igmp_port *port = igmp_table_lookup_port(&s->table, id);

    return port && port->router_until != INT64_MAX;
}

void
igmp_snoop_each_receiver(const struct igmp_snoop *s,
                         const struct ip_addr *source,
                         const struct ip_addr *group, uint64_t dpid,
                         igmp_port_id_cb *cb, void *aux)
{
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    bool plain = entry && igmp_entry_is_plain(entry);

    if (!entry) {
        return;
    }
    for (size_t i = dpid ? igmp_table_first_slot(entry, dpid) : 0;
         i < entry->n_slots; i++) {
        const struct igmp_slot *slot = &entry->slots[i];

        if (dpid && slot->port.dpid != dpid) {
            break;
        }
        if ((plain || igmp_member_forwards(slot->member, source))
            && !cb(aux, &slot->port)) {
            break;
        }
    }
}

/* Those of one (group, port).  Returns false to stop. */
static bool
member_copies(const struct igmp_member *m, const struct igmp_copy *for_all,
              const struct ip_addr *source, igmp_copy_cb *cb, void *aux)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(&m->group);
    struct igmp_copy copy = *for_all;

    if (!m->group.unicast) {
        return !igmp_member_forwards(m, source) || cb(aux, for_all);
    }
    if (!igmp_group_forwards(&m->group, source)) {
        return true;
    }
    for (size_t i = 0; i < m->group.n_hosts; i++) {
        copy.mac = wishes[i]->host->mac;
        if (igmp_wish_wants(wishes[i], source) && !cb(aux, &copy)) {
            return false;
        }
    }
    return true;
}

void
igmp_snoop_each_copy(const struct igmp_snoop *s, const struct ip_addr *source,
                     const struct ip_addr *group, uint64_t dpid,
                     igmp_copy_cb *cb, void *aux)
{
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    bool plain = entry && igmp_entry_is_plain(entry);
    struct igmp_copy copy = {.port = {0}};

    if (!entry) {
        return;
    }
    for (size_t i = dpid ? igmp_table_first_slot(entry, dpid) : 0;
         i < entry->n_slots; i++) {
        const struct igmp_slot *slot = &entry->slots[i];

        copy.port = slot->port;
        if ((dpid && slot->port.dpid != dpid)
            || !(plain
                     ? cb(aux, &copy)
                     : member_copies(slot->member, &copy, source, cb, aux))) {
            break;
        }
    }
}

size_t
igmp_snoop_filtered_sources(const struct igmp_snoop *s,
                            const struct ip_addr *group, struct ip_addr *out,
                            size_t room)
{
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    size_t n = entry ? entry->n_specials : 0;

    for (size_t i = 0; i < n && i < room; i++) {
        out[i] = entry->specials[i].source;
    }
    return n;
}

bool
igmp_snoop_has_group(const struct igmp_snoop *s, const struct ip_addr *group)
{
    return igmp_table_lookup(&s->table, group) != NULL;
}

/* A report that names a group without state.  It is passed on even where one
 * of ours speaks for all: that knows nothing of these groups, but there are
 * switches that prune link-local IPv6 groups, the Linux bridge among them, and
 * neighbour discovery dies behind one that has not heard of them.  In version
 * 3 other groups may be named beside it, so igmp-proxy sees to that. */
static bool
names_local_group(const struct igmp_snoop *s, const struct igmp_msg *msg)
{
    return msg->kind != IGMP_V3_REPORT && msg->kind != IGMP_V2_LEAVE
           && igmp_check_group(s->querier.config.family, &msg->group)
                  == IGMP_IGNORED;
}

static enum igmp_relay
relay_report(const struct igmp_snoop *s, const struct igmp_msg *msg)
{
    switch (s->querier.config.upstream) {
    case IGMP_UPSTREAM_PROXY:
        return names_local_group(s, msg) ? IGMP_RELAY_ROUTERS
                                         : IGMP_RELAY_NONE;
    case IGMP_UPSTREAM_RELAY:
        return IGMP_RELAY_ROUTERS;
    case IGMP_UPSTREAM_NONE:
        break;
    }
    return IGMP_RELAY_NONE;
}

enum igmp_relay
igmp_snoop_relay(const struct igmp_snoop *s, const struct igmp_msg *msg,
                 enum igmp_error error)
{
    if (error && error != IGMP_IGNORED && error != IGMP_LIMIT) {
        return IGMP_RELAY_NONE;
    }
    switch (msg->kind) {
    case IGMP_QUERY:
        /* While we are the querier, who else asks has lost or is a proxy:
         * hosts that heard both would answer twice. */
        return s->querier.ours ? IGMP_RELAY_NONE : IGMP_RELAY_ALL;
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
    case IGMP_V2_LEAVE:
    case IGMP_V3_REPORT:
        return relay_report(s, msg);
    case IGMP_ROUTER_ADVERTISEMENT:
    case IGMP_ROUTER_TERMINATION:
        return IGMP_RELAY_ALL; /* Other snoopers want to know too. */
    case IGMP_ROUTER_SOLICITATION:
        return IGMP_RELAY_ROUTERS;
    case IGMP_PIM_HELLO:
        break; /* The switch has flooded it itself. */
    }
    return IGMP_RELAY_NONE;
}

/* Everything. */

size_t
igmp_snoop_n_groups(const struct igmp_snoop *s)
{
    return HASH_COUNT(s->table.entries);
}

size_t
igmp_snoop_n_members(const struct igmp_snoop *s)
{
    return s->table.n_members;
}

void
igmp_snoop_each_group(const struct igmp_snoop *s, igmp_group_cb *cb, void *aux)
{
    const struct igmp_entry *entry;

    for (entry = s->table.entries; entry; entry = entry->hh.next) {
        if (!cb(aux, &entry->address)) {
            return;
        }
    }
}

/* Of the wishes of 'g'; returns when the last report came. */
static int64_t
view_hosts(const struct igmp_group *g, struct igmp_host_view *out)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < g->n_hosts; i++) {
        const struct igmp_wish *w = wishes[i];

        out[i] = (struct igmp_host_view){.mac = w->host->mac,
                                         .ip = w->host->ip,
                                         .version = w->version,
                                         .exclude = w->exclude,
                                         .last_report = w->last_report,
                                         .sources = w->sources,
                                         .n_sources = w->n_sources};
        last = w->last_report > last ? w->last_report : last;
    }
    return last;
}

static bool
view_member(const struct igmp_snoop *s, const struct igmp_member *m,
            igmp_port_cb *cb, void *aux)
{
    const struct igmp_group *g = &m->group;
    struct igmp_host_view few[4], *hosts = few;

    if (g->n_hosts > sizeof few / sizeof *few) {
        hosts = xmalloc(g->n_hosts * sizeof *hosts);
    }

    struct igmp_port_view view = {
        .port = m->port->id,
        .exclude = g->exclude,
        .version = igmp_group_version(g, s->now),
        .expires = g->timer,
        .last_report = view_hosts(g, hosts),
        .sources = g->sources,
        .n_sources = g->n_sources,
        .hosts = hosts,
        .n_hosts = g->n_hosts,
        .learned = igmp_member_is_learned(m),
        .restored = g->restored,
        .fixed = m->fixed,
        .delivery = g->unicast ? IGMP_DELIVER_UNICAST : IGMP_DELIVER_MULTICAST,
    };

    bool go_on = cb(aux, &view);
    if (hosts != few) {
        free(hosts);
    }
    return go_on;
}

void
igmp_snoop_each_port(const struct igmp_snoop *s, const struct ip_addr *group,
                     igmp_port_cb *cb, void *aux)
{
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);

    for (size_t i = 0; entry && i < entry->n_slots; i++) {
        if (!view_member(s, entry->slots[i].member, cb, aux)) {
            return;
        }
    }
}

void
igmp_snoop_each_router_port(const struct igmp_snoop *s, igmp_port_id_cb *cb,
                            void *aux)
{
    const struct igmp_port *port;

    for (port = s->table.routers; port; port = port->next_router) {
        if (!cb(aux, &port->id)) {
            return;
        }
    }
}

/* Does the same MAC address speak on another port, none of them a router's? */
static bool
is_duplicate(const struct igmp_snoop *s, const struct igmp_host *host)
{
    const struct igmp_hosts *hosts = &s->table.hosts;
    const struct igmp_host *other = NULL;

    if (host->departure || host->port->router_until != INT64_MAX) {
        return false;
    }
    while ((other = igmp_hosts_same(hosts, &host->mac, other))) {
        if (other != host && !other->departure
            && other->port->router_until == INT64_MAX) {
            return true;
        }
    }
    return false;
}

void
igmp_snoop_each_host(const struct igmp_snoop *s, igmp_known_host_cb *cb,
                     void *aux)
{
    for (size_t i = 0; i < s->table.hosts.n_buckets; i++) {
        const struct igmp_host *host;

        for (host = s->table.hosts.buckets[i]; host; host = host->next) {
            struct igmp_known_host view = {
                .mac = host->mac,
                .ip = host->ip,
                .port = host->port->id,
                .version = host->version,
                .last_report = host->last_report,
                .n_groups = host->n_wishes,
                .duplicate = is_duplicate(s, host),
            };

            if (!cb(aux, &view)) {
                return;
            }
        }
    }
}

void
igmp_snoop_each_router(const struct igmp_snoop *s, igmp_router_cb *cb,
                       void *aux)
{
    const struct igmp_port *port;

    for (port = s->table.routers; port; port = port->next_router) {
        const struct igmp_routers *r = &port->routers;
        const struct igmp_router *last = igmp_routers_last(r);
        struct igmp_router_view view = {
            .port = port->id,
            .fixed = r->fixed || r->by_role,
            .expires = last ? last->until : INT64_MAX,
            .sign = igmp_why_name(last ? last->why : IGMP_WHY_FIXED)};

        if (!cb(aux, &view)) {
            return;
        }
    }
}

void
igmp_snoop_querier(const struct igmp_snoop *s, struct igmp_querier_view *view)
{
    igmp_querier_view(&s->querier, s->now, view);
}

uint64_t
igmp_snoop_counter(const struct igmp_snoop *s, enum igmp_error error)
{
    return (unsigned int) error < IGMP_N_ERRORS ? s->counters[error] : 0;
}
