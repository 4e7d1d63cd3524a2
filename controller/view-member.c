/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of membership: groups, their members and the hosts behind them. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

/* A group under construction; what it points to is collected in 'parts'. */
struct group_build {
    struct ctl *ctl;
    struct ctl_vlan *vlan;
    struct ip_addr group;
    int64_t now;
    struct view_member *members;
    size_t n_members, allocated_members;
    struct view_group_switch *switches;
    size_t n_switches, allocated_switches;
    view_group_cb *cb;
    void *aux;
    bool go_on;
};

static bool
fixed_wants(const struct igmp_filter *fixed, const struct ip_addr *source)
{
    for (size_t i = 0; fixed && i < fixed->n_sources; i++) {
        if (ip_addr_equal(&fixed->sources[i], source)) {
            return !fixed->exclude;
        }
    }
    return fixed && fixed->exclude;
}

static bool
is_learned(const struct igmp_port_view *port, const struct ip_addr *source)
{
    for (size_t i = 0; i < port->n_sources; i++) {
        if (ip_addr_equal(&port->sources[i].address, source)) {
            return true;
        }
    }
    return false;
}

/* What hosts ask for and what the operator has set, as one filter.  Include
 * mode lists what is wanted, exclude mode what is blocked. */
static void
copy_filter(struct view_member *m, const struct igmp_port_view *port)
{
    const struct igmp_filter *fixed = port->fixed;
    size_t n_fixed = fixed ? fixed->n_sources : 0;
    struct ip_addr *sources =
        xcalloc(port->n_sources + n_fixed + 1, sizeof *sources);
    bool learned_exclude = port->learned && port->exclude;
    m->exclude = learned_exclude || (fixed && fixed->exclude);
    for (size_t i = 0; i < port->n_sources; i++) {
        const struct igmp_source_view *s = &port->sources[i];
        bool wanted = s->forward || fixed_wants(fixed, &s->address);
        if (wanted != m->exclude) {
            sources[m->n_sources++] = s->address;
        }
    }
    for (size_t i = 0; i < n_fixed; i++) {
        const struct ip_addr *s = &fixed->sources[i];
        bool wanted = learned_exclude || !fixed->exclude;
        if (wanted != m->exclude && !is_learned(port, s)) {
            sources[m->n_sources++] = *s;
        }
    }
    m->sources = sources;
}

static const struct view_host *
copy_hosts(const struct igmp_port_view *port, enum igmp_family family,
           int64_t now)
{
    struct view_host *hosts = xcalloc(port->n_hosts + 1, sizeof *hosts);
    for (size_t i = 0; i < port->n_hosts; i++) {
        const struct igmp_host_view *h = &port->hosts[i];
        hosts[i] = (struct view_host){
            .mac = h->mac,
            .ip = h->ip,
            .version = igmp_version_shown(family, h->version),
            .exclude = h->exclude,
            .sources = xmemdup(h->sources, h->n_sources * sizeof *h->sources),
            .n_sources = h->n_sources,
            .age_ms = now - h->last_report};
    }
    return hosts;
}

static int64_t
port_expires(const struct igmp_port_view *port)
{
    int64_t at = port->exclude ? port->expires : 0;
    for (size_t i = 0; !port->exclude && i < port->n_sources; i++) {
        if (port->sources[i].expires > at) {
            at = port->sources[i].expires;
        }
    }
    return at;
}

static const char *
origin_of(const struct igmp_port_view *port, enum igmp_family family)
{
    return !port->learned   ? "static"
           : port->restored ? "restored"
           : family         ? "mld"
                            : "igmp";
}

/* What is for a router is for all behind its port. */
static const char *
delivery_of(const struct group_build *b, const struct igmp_port_view *port)
{
    const struct igmp_snoop *snoop = vlan_snoop_of(b->vlan, &b->group);
    return port->delivery == IGMP_DELIVER_UNICAST
                   && !igmp_snoop_is_router_port(snoop, &port->port)
               ? "unicast"
               : "multicast";
}

static uint32_t
vni_of(const struct group_build *b, const struct port_id *port)
{
    struct ofp_copy copy = {.tun_id = 0};
    return port_id_vtep(port)
                   && tunnel_copy(b->ctl, port, b->vlan->vlan, &copy)
               ? copy.tun_id
               : 0;
}

static bool
add_member(void *b_, const struct igmp_port_view *port)
{
    struct group_build *b = b_;
    enum igmp_family family = ip_addr_is_v4(&b->group) ? IGMP_IPV4 : IGMP_IPV6;
    b->members = xgrow(b->members, b->n_members, &b->allocated_members,
                       sizeof *b->members);
    struct view_member *m = &b->members[b->n_members++];
    *m = (struct view_member){
        .port = port->port,
        .port_name = switch_port_name(b->ctl, &port->port),
        .vni = vni_of(b, &port->port),
        .version =
            port->learned ? igmp_version_shown(family, port->version) : 0,
        .origin = origin_of(port, family),
        .fixed_by = members_at(b->ctl, b->vlan->vlan, &b->group, &port->port),
        .delivery = delivery_of(b, port),
        .expires_ms =
            port->learned ? view_remaining(port_expires(port), b->now) : -1,
        .hosts = copy_hosts(port, family, b->now),
        .n_hosts = port->n_hosts};
    copy_filter(m, port);
    return true;
}

static void
add_entry(struct group_build *b, struct ctl_switch *sw,
          const struct ip_addr *source)
{
    struct channel channel = {
        .group = b->group, .source = *source, .vlan = b->vlan->vlan};
    struct ofp_match match = channel_match(&channel);
    struct ofp_entry_view entry;
    if (!ofp_table_lookup(sw->table, TABLE_MCAST,
                          ip_addr_is_any(source) ? PRIO_STAR_G : PRIO_S_G,
                          &match, &entry)) {
        return;
    }
    b->switches = xgrow(b->switches, b->n_switches, &b->allocated_switches,
                        sizeof *b->switches);
    b->switches[b->n_switches++] =
        (struct view_group_switch){.dpid = sw->dpid,
                                   .source = *source,
                                   .group_id = entry.group_id,
                                   .state = view_state_of(&entry),
                                   .error = entry.error,
                                   .packets = entry.packets,
                                   .bytes = entry.bytes};
}

static void
add_entries(struct group_build *b)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, b->ctl->switches, sw, tmp) {
        const struct channel_state *c =
            channel_lookup(sw, b->vlan->vlan, &b->group);
        if (c) {
            add_entry(b, sw, &IP_ADDR_ANY);
            for (size_t i = 0; i < c->n_sources; i++) {
                add_entry(b, sw, &c->sources[i].address);
            }
        }
    }
}

static void
free_member(struct view_member *m)
{
    for (size_t i = 0; i < m->n_hosts; i++) {
        free((void *) m->hosts[i].sources);
    }
    free((void *) m->hosts);
    free((void *) m->sources);
    free((void *) m->fixed_by);
}

static bool
build_group(void *b_, const struct ip_addr *group)
{
    struct group_build *b = b_;
    b->group = *group;
    b->n_members = b->n_switches = 0;
    igmp_snoop_each_port(vlan_snoop_of(b->vlan, group), group, add_member, b);
    add_entries(b);
    b->go_on =
        b->cb(b->aux, &(struct view_group){.vlan = b->vlan->vlan,
                                           .group = *group,
                                           .members = b->members,
                                           .n_members = b->n_members,
                                           .switches = b->switches,
                                           .n_switches = b->n_switches});
    for (size_t i = 0; i < b->n_members; i++) {
        free_member(&b->members[i]);
    }
    return b->go_on;
}

static void
free_build(struct group_build *b)
{
    free(b->members);
    free(b->switches);
}

void
view_groups(struct ctl *ctl, view_group_cb *cb, void *aux)
{
    struct group_build b = {.ctl = ctl,
                            .now = loop_now(ctl->loop),
                            .cb = cb,
                            .aux = aux,
                            .go_on = true};
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        b.vlan = v;
        if (b.go_on) {
            for (int f = 0; f < IGMP_N_FAMILIES; f++) {
                igmp_snoop_each_group(vlan_snoop(v, f), build_group, &b);
            }
        }
    }
    free_build(&b);
}

bool
view_group(struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
           view_group_cb *cb, void *aux)
{
    struct group_build b = {.ctl = ctl,
                            .vlan = vlan_lookup(ctl, vlan),
                            .now = loop_now(ctl->loop),
                            .cb = cb,
                            .aux = aux};
    if (!b.vlan
        || !igmp_snoop_has_group(vlan_snoop_of(b.vlan, group), group)) {
        return false;
    }
    build_group(&b, group);
    free_build(&b);
    return true;
}
