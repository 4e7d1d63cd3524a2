/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop-private.h"

#include <stdlib.h>

#include "igmp/igmp-hosts.h"
#include "igmp/igmp-last-member.h"
#include "igmp/igmp-sources.h"

/* One (group, port) with all that makes it up: what is learned (igmp-group),
 * what the operator has set, and how its copies leave the port. */

bool
igmp_member_is_learned(const struct igmp_member *m)
{
    return !igmp_group_is_empty(&m->group);
}

static bool
filter_passes(const struct igmp_filter *f, const struct ip_addr *source)
{
    return ip_addr_is_listed(f->sources, f->n_sources, source) != f->exclude;
}

bool
igmp_member_forwards(const struct igmp_member *m, const struct ip_addr *source)
{
    if (m->fixed && filter_passes(m->fixed, source)) {
        return true;
    }
    /* Where each host has a copy of its own, what nobody is known to want
     * goes to nobody. */
    return igmp_group_forwards(&m->group, source)
           && (!m->group.unicast || igmp_hosts_want(&m->group, source));
}

/* Calls. */

static void
query_cb(void *turn_, const struct ip_addr *sources, size_t n, bool suppress)
{
    struct igmp_turn *t = turn_;
    const struct igmp_query q = {.group = t->m->entry->address,
                                 .version =
                                     igmp_times_repeat_version(&t->s->times),
                                 .sources = sources,
                                 .n_sources = n,
                                 .max_resp_ms = t->s->times.last_member,
                                 .suppress = suppress};

    igmp_send_query(t->s, &t->m->port->id, &q);
}

/* In the version that the host speaks: a newer one it would not understand,
 * an older one would make it fall back (RFC 3376 7.2.1). */
static void
ask_host_cb(void *turn_, const struct igmp_wish *w)
{
    struct igmp_turn *t = turn_;
    int version = t->s->times.query_version;
    const struct igmp_query q = {.group = t->m->entry->address,
                                 .version = w->version < version ? 2 : version,
                                 .eth_dst = w->host->mac,
                                 .max_resp_ms = t->s->times.last_member};

    if (version > 1) { /* Version 1 has general queries only. */
        igmp_send_query(t->s, &t->m->port->id, &q);
    }
}

static void
special_cb(void *turn_, const struct ip_addr *source, int delta)
{
    struct igmp_turn *t = turn_;

    igmp_table_special(t->m->entry, source, delta);
}

void
igmp_turn_begin(struct igmp_turn *t, struct igmp_snoop *s,
                struct igmp_member *m)
{
    const struct igmp_port_config *config = igmp_port_settings(s, m->port);
    struct igmp_port *port = m->port;

    *t = (struct igmp_turn){
        .s = s,
        .m = m,
        .was_learned = igmp_member_is_learned(m),
        .had_one_copy = m->group.one_copy,
        .was_unicast = m->group.unicast,
        .n_hosts = m->group.n_hosts,
        .ctx = {.times = &s->times,
                .hosts = &s->table.hosts,
                .sources = &port->sources,
                .host_sources = &port->host_sources,
                .now = s->now,
                .leave = config->leave,
                .asks_hosts = config->leave == IGMP_LEAVE_TRACKED
                              || config->delivery != IGMP_DELIVER_MULTICAST,
                .may_share = config->delivery == IGMP_DELIVER_AUTO,
                .query = query_cb,
                .ask_host = ask_host_cb,
                .special = special_cb,
                .aux = t,
                .soonest = INT64_MAX}};
}

/* Does each host get a copy of its own?  Not beside a static member, who is
 * known by no address, and not as long as hosts that got one copy for all
 * before a restart may not have been heard. */
static bool
is_unicast(struct igmp_snoop *s, const struct igmp_member *m)
{
    const struct igmp_port_config *config = igmp_port_settings(s, m->port);

    if (m->fixed || m->group.one_copy || !igmp_member_is_learned(m)) {
        return false;
    }
    return config->delivery == IGMP_DELIVER_UNICAST
           || (config->delivery == IGMP_DELIVER_AUTO
               && m->group.n_hosts <= config->unicast_max);
}

/* Members that get one copy for all go on with it until those who may have
 * been hidden by the reports of others were asked: the S flag, because nobody
 * is to be forgotten for that. */
static void
hold_one_copy(struct igmp_turn *t)
{
    struct igmp_group *g = &t->m->group;
    if (t->ctx.times->query_version >= 2) {
        query_cb(t, NULL, 0, true);
    }
    g->one_copy = true;
    /* Unless hosts came or went, it is the configuration that changed. */
    g->hides = !t->ctx.hosts_changed;
    igmp_group_hide(g, &t->ctx, t->ctx.now + t->ctx.times->last_member_time);
}

static void
set_delivery(struct igmp_turn *t)
{
    struct igmp_group *g = &t->m->group;
    bool unicast = is_unicast(t->s, t->m);

    if (unicast && !g->unicast && t->was_learned && !t->had_one_copy
        && igmp_group_version(g, t->ctx.now) < 3) {
        hold_one_copy(t);
        unicast = false;
    }
    if (unicast != g->unicast) {
        igmp_hosts_tell(g, &t->ctx, -1);
        g->unicast = unicast;
        igmp_hosts_tell(g, &t->ctx, 1);
        t->ctx.changed = true;
    }
    t->ctx.changed |= unicast && t->ctx.hosts_changed;
    if (unicast && g->n_hosts > t->n_hosts
        && igmp_group_version(g, t->ctx.now) < 3) {
        igmp_last_member_seek(g, &t->ctx);
    }
}

void
igmp_turn_end(struct igmp_turn *t)
{
    struct igmp_snoop *s = t->s;
    struct igmp_member *m = t->m;
    struct ip_addr group = m->entry->address;
    struct port_id port = m->port->id;
    bool is_learned = igmp_member_is_learned(m);

    set_delivery(t);
    igmp_limits_watch_sources(t);
    if (!is_learned) {
        igmp_group_uninit(&m->group, &t->ctx);
    }
    m->entry->n_unicast += m->group.unicast - t->was_unicast;
    bool ends = t->was_learned && !is_learned;
    if (t->was_learned != is_learned) {
        igmp_limits_count_group(s, m->port, is_learned ? 1 : -1);
    }
    if (!is_learned && !m->fixed) {
        igmp_table_remove_member(&s->table, m);
    } else if (!m->timer.place || t->ctx.soonest < m->timer.at) {
        timer_heap_set(&s->table.member_timers, &m->timer, t->ctx.soonest);
    }
    if (ends && s->ops.membership_ended) {
        s->ops.membership_ended(s->aux, &group, &port, t->end);
    }
    if (t->ctx.changed) {
        igmp_membership_changed(s, &group, &port);
    }
}

void
igmp_forget_learned(struct igmp_snoop *s, struct igmp_member *m,
                    enum igmp_end end)
{
    struct igmp_turn t;

    igmp_turn_begin(&t, s, m);
    t.end = end;
    t.ctx.changed = t.was_learned;
    igmp_group_uninit(&m->group, &t.ctx);
    igmp_turn_end(&t);
}

/* The operator's. */

static void
tell_fixed(struct igmp_member *m, int delta)
{
    for (size_t i = 0; m->fixed && i < m->fixed->n_sources; i++) {
        igmp_table_special(m->entry, &m->fixed->sources[i], delta);
    }
}

/* One block of memory: the sources stand behind the filter. */
static struct igmp_filter *
clone_filter(bool exclude, const struct ip_addr *sources, size_t n)
{
    struct igmp_filter *f = xmalloc(sizeof *f + n * sizeof *sources);
    struct ip_addr *copy = (struct ip_addr *) (f + 1);

    for (size_t i = 0; i < n; i++) {
        copy[i] = sources[i];
    }
    *f = (struct igmp_filter){
        .exclude = exclude, .sources = copy, .n_sources = n};
    return f;
}

static void
set_fixed(struct igmp_snoop *s, struct igmp_member *m,
          struct igmp_filter *fixed)
{
    struct igmp_turn t;

    igmp_turn_begin(&t, s, m);
    tell_fixed(m, -1);
    free(m->fixed);
    m->fixed = fixed;
    tell_fixed(m, 1);
    t.ctx.changed = true;
    igmp_turn_end(&t);
}

bool
igmp_snoop_set_static(struct igmp_snoop *s, const struct port_id *id,
                      const struct ip_addr *group,
                      const struct igmp_filter *filter, int64_t now)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    struct igmp_entry *entry = igmp_table_lookup(&s->table, group);
    struct igmp_member *m = entry ? igmp_table_lookup_member(entry, id) : NULL;

    s->now = now;
    if (!filter) {
        if (m && m->fixed) {
            set_fixed(s, m, NULL);
        }
        return true;
    }

    size_t n = igmp_load_sources(s, filter->sources, filter->n_sources, list);
    if (igmp_check_group(s->querier.config.family, group)
        || (!filter->exclude && !n)) {
        return false;
    }
    if (!m) {
        m = igmp_table_add_member(&s->table, entry, group,
                                  igmp_table_get_port(&s->table, id));
    }
    set_fixed(s, m, clone_filter(filter->exclude, list, n));
    return true;
}
