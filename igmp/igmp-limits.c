/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop-private.h"

#include <utlist.h>

/* What a port may do, and who is told when it may not. */

enum { WARN_PERCENT = 80, CALM_PERCENT = 70, MAX_HOST_SOURCES = 1 << 16 };

const struct igmp_port_config igmp_port_config_default = {
    .leave = IGMP_LEAVE_QUERY};

const struct igmp_port_config *
igmp_port_settings(struct igmp_snoop *s, struct igmp_port *port)
{
    if (port->config) {
        return port->config;
    }
    if (s->ops.port_config) {
        port->config = s->ops.port_config(s->aux, &port->id);
    }
    if (!port->config) {
        port->config = &igmp_port_config_default;
    }
    port->sources.max = IGMP_MAX_PORT_SOURCES;
    /* Each source of a host with a copy of its own may cost a flow too. */
    port->host_sources.max = port->config->delivery == IGMP_DELIVER_MULTICAST
                                 ? MAX_HOST_SOURCES
                                 : IGMP_MAX_PORT_SOURCES;
    return port->config;
}

const char *
igmp_guard_name(enum igmp_guard guard)
{
    static const char *const names[] = {
        "vlan-groups", "port-groups", "port-hosts",
        "sources",     "permission",  "role",
    };

    return (unsigned int) guard < IGMP_N_GUARDS ? names[guard] : "?";
}

void
igmp_guard_tell(struct igmp_snoop *s, struct igmp_port *port,
                const struct igmp_guard_event *event)
{
    if (s->ops.guarded) {
        s->ops.guarded(s->aux, &port->id, event);
    }
}

/* Watermarks. */

/* Returns whether '*warned' is to be told. */
static bool
reaches_watermark(bool *warned, size_t value, size_t limit)
{
    if (!limit || value * 100 < limit * CALM_PERCENT) {
        *warned = false;
    } else if (!*warned && value * 100 >= limit * WARN_PERCENT) {
        *warned = true;
        return true;
    }
    return false;
}

static void
watch(struct igmp_snoop *s, struct igmp_port *port, enum igmp_guard guard,
      size_t value, size_t limit)
{
    bool warned = port->warned >> guard & 1;

    if (reaches_watermark(&warned, value, limit)) {
        igmp_guard_tell(s, port,
                        &(struct igmp_guard_event){.guard = guard,
                                                   .watermark = true,
                                                   .value = value,
                                                   .limit = limit});
    }
    port->warned &= ~(1u << guard);
    port->warned |= (unsigned int) warned << guard;
}

static size_t
vlan_limit(const struct igmp_snoop *s)
{
    size_t limit = s->querier.config.max_groups;

    return limit && limit < IGMP_MAX_GROUPS ? limit : IGMP_MAX_GROUPS;
}

void
igmp_limits_count_group(struct igmp_snoop *s, struct igmp_port *port,
                        int delta)
{
    size_t n = HASH_COUNT(s->table.entries), limit = vlan_limit(s);

    port->n_groups += (uint32_t) delta;
    watch(s, port, IGMP_GUARD_PORT_GROUPS, port->n_groups,
          igmp_port_settings(s, port)->max_groups);
    if (reaches_watermark(&s->groups_warned, n, limit)) {
        igmp_guard_tell(
            s, port,
            &(struct igmp_guard_event){.guard = IGMP_GUARD_VLAN_GROUPS,
                                       .watermark = true,
                                       .value = n,
                                       .limit = limit});
    }
}

void
igmp_limits_count_host(struct igmp_snoop *s, struct igmp_port *port)
{
    watch(s, port, IGMP_GUARD_PORT_HOSTS, port->n_hosts,
          igmp_port_settings(s, port)->max_hosts);
}

void
igmp_limits_watch_sources(struct igmp_turn *t)
{
    struct igmp_group *g = &t->m->group;
    struct igmp_port *port = t->m->port;
    bool full = port->sources.n >= port->sources.max;
    struct igmp_guard_event event = {.guard = IGMP_GUARD_SOURCES,
                                     .watermark = true,
                                     .group = t->m->entry->address,
                                     .value = g->n_sources,
                                     .limit = IGMP_MAX_SOURCES};

    if (!g->n_sources && !g->sources_warned && !t->ctx.refused) {
        return; /* As nearly always. */
    }
    if (g->n_sources) {
        watch(t->s, port, IGMP_GUARD_SOURCES, port->sources.n,
              port->sources.max);
    }
    if (reaches_watermark(&g->sources_warned, g->n_sources,
                          IGMP_MAX_SOURCES)) {
        igmp_guard_tell(t->s, port, &event);
    }
    if (t->ctx.refused) {
        event.watermark = false;
        event.value = full ? port->sources.n : g->n_sources;
        event.limit = full ? port->sources.max : IGMP_MAX_SOURCES;
        t->s->counters[IGMP_LIMIT] += t->ctx.refused;
        igmp_guard_tell(t->s, port, &event);
    }
}

/* Permission. */

static bool
is_listed(const struct ip_prefix *list, size_t n, const struct ip_addr *group)
{
    for (size_t i = 0; i < n; i++) {
        if (ip_prefix_contains(&list[i], group)) {
            return true;
        }
    }
    return false;
}

static bool
is_permitted(const struct igmp_port_config *c, const struct ip_addr *group)
{
    return (!c->n_permit || is_listed(c->permit, c->n_permit, group))
           && !is_listed(c->deny, c->n_deny, group);
}

/* The group that the port joined first goes.  False if there is none. */
static bool
make_room(struct igmp_snoop *s, struct igmp_port *port)
{
    struct igmp_member *m;

    DL_FOREACH (port->members, m) {
        if (igmp_member_is_learned(m)) {
            igmp_forget_learned(s, m, IGMP_END_LIMIT);
            return true;
        }
    }
    return false;
}

static enum igmp_error
refuse(struct igmp_snoop *s, struct igmp_port *port, enum igmp_guard guard,
       const struct ip_addr *group, size_t value, size_t limit)
{
    igmp_guard_tell(
        s, port,
        &(struct igmp_guard_event){
            .guard = guard, .group = *group, .value = value, .limit = limit});
    return guard == IGMP_GUARD_PERMISSION ? IGMP_DENIED : IGMP_LIMIT;
}

enum igmp_error
igmp_limits_admit_group(struct igmp_snoop *s, struct igmp_port *port,
                        const struct ip_addr *group, bool is_new)
{
    const struct igmp_port_config *c = igmp_port_settings(s, port);
    size_t n = HASH_COUNT(s->table.entries), limit = vlan_limit(s);

    if (!is_permitted(c, group)) {
        return refuse(s, port, IGMP_GUARD_PERMISSION, group, 0, 0);
    }
    if (is_new && n >= limit) {
        return refuse(s, port, IGMP_GUARD_VLAN_GROUPS, group, n, limit);
    }
    if (c->max_groups && port->n_groups >= c->max_groups) {
        enum igmp_error error = refuse(s, port, IGMP_GUARD_PORT_GROUPS, group,
                                       port->n_groups, c->max_groups);

        return c->replace && make_room(s, port) ? IGMP_OK : error;
    }
    return IGMP_OK;
}

enum igmp_error
igmp_limits_refuse_host(struct igmp_snoop *s, struct igmp_port *port,
                        size_t limit)
{
    return refuse(s, port, IGMP_GUARD_PORT_HOSTS, &IP_ADDR_ANY, port->n_hosts,
                  limit);
}

enum igmp_error
igmp_limits_admit_host(struct igmp_snoop *s, struct igmp_port *port)
{
    size_t limit = igmp_port_settings(s, port)->max_hosts;

    return limit && port->n_hosts >= limit
               ? igmp_limits_refuse_host(s, port, limit)
               : IGMP_OK;
}

/* What is beyond the number of groups now: those joined last, unless they
 * would have replaced the others. */
static void
enforce_number(struct igmp_snoop *s, struct igmp_port *port)
{
    const struct igmp_port_config *c = port->config;

    while (c->max_groups && port->n_groups > c->max_groups) {
        struct igmp_member *m = port->members;

        if (c->replace) {
            make_room(s, port);
            continue;
        }
        do {
            m = m->prev; /* Of the first: the last. */
        } while (!igmp_member_is_learned(m));
        igmp_forget_learned(s, m, IGMP_END_LIMIT);
    }
}

void
igmp_limits_enforce(struct igmp_snoop *s, struct igmp_port *port)
{
    const struct igmp_port_config *c = igmp_port_settings(s, port);
    struct igmp_member *m, *next;

    DL_FOREACH_SAFE (port->members, m, next) {
        if (!igmp_member_is_learned(m)) {
            continue;
        }
        if (is_permitted(c, &m->entry->address)) {
            igmp_run_member(s, m); /* Its delivery may be another. */
        } else {
            igmp_forget_learned(s, m, IGMP_END_DENIED);
        }
    }
    enforce_number(s, port);
}
