/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop-private.h"

#include "igmp/igmp-hosts.h"

/* What a switch still forwards after a restart of the controller. */

void
igmp_snoop_restore(struct igmp_snoop *s, const struct port_id *id,
                   const struct ip_addr *group, bool exclude,
                   const struct ip_addr *sources, size_t n_sources,
                   int64_t now)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    enum igmp_error error;

    s->now = now;

    size_t n = igmp_load_sources(s, sources, n_sources, list);
    if (igmp_check_group(s->querier.config.family, group)
        || (!exclude && !n)) {
        return;
    }

    struct igmp_port *port = igmp_table_get_port(&s->table, id);
    struct igmp_member *m = igmp_member_for(s, port, group, true, &error);
    if (m) {
        struct igmp_turn t;

        igmp_turn_begin(&t, s, m);
        if (igmp_group_is_empty(&m->group)) {
            igmp_group_restore(&m->group, &t.ctx, exclude, list, n,
                               igmp_answered_by(s));
        } else {
            igmp_group_linger(&m->group, &t.ctx, igmp_answered_by(s));
        }
        igmp_turn_end(&t);
    }
}

static void
restore_wish(struct igmp_turn *t, const struct mac_addr *mac, bool exclude,
             const struct ip_addr *sources, size_t n)
{
    struct igmp_group *g = &t->m->group;
    struct igmp_hosts *hosts = &t->s->table.hosts;
    struct igmp_host *host = igmp_hosts_lookup(hosts, mac, t->m->port);

    if (!host) {
        host = igmp_hosts_add(hosts, mac, t->m->port);
        host->version = 3;
        host->last_report = t->ctx.now;
    }

    struct igmp_wish *w = igmp_hosts_add_wish(g, &t->ctx, host);
    igmp_hosts_set_filter(g, &t->ctx, w, exclude, sources, n);
    w->version = 3;
    w->last_report = t->ctx.now;
    igmp_group_wake(&t->ctx, t->ctx.now + t->ctx.times->host_silent);
}

void
igmp_snoop_restore_host(struct igmp_snoop *s, const struct port_id *id,
                        const struct ip_addr *group,
                        const struct mac_addr *mac, bool exclude,
                        const struct ip_addr *sources, size_t n_sources,
                        int64_t now)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    struct igmp_member *m = entry ? igmp_table_lookup_member(entry, id) : NULL;
    struct igmp_turn t;

    s->now = now;

    size_t n = igmp_load_sources(s, sources, n_sources, list);
    if (!m || !m->group.restored || m->group.n_hosts >= IGMP_MAX_HOSTS
        || (!exclude && !n) || mac_addr_is_multicast(mac)
        || igmp_hosts_find(&m->group, mac)) {
        return;
    }
    igmp_turn_begin(&t, s, m);
    m->group.one_copy = false;
    restore_wish(&t, mac, exclude, list, n);
    igmp_turn_end(&t);
}
