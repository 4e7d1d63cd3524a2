/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Totals, for metrics and health. */

#include "controller/ctl-private.h"

static size_t
count_rules(const struct ctl *ctl, enum store_kind kind)
{
    size_t n = 0;
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[kind], rule, tmp) {
        n += !rule->gone;
    }
    return n;
}

static size_t
count_sources(const struct ctl_switch *sw)
{
    size_t n = 0;
    const struct channel_state *c = NULL;
    while ((c = channel_next(sw, c)) != NULL) {
        n += c->n_sources;
    }
    return n;
}

static bool
count_host(void *n, const struct igmp_known_host *host)
{
    (void) host;
    ++*(size_t *) n;
    return true;
}

static bool
count_router(void *n, const struct port_id *port)
{
    (void) port;
    ++*(size_t *) n;
    return true;
}

static void
add_snoop(const struct ctl_vlan *v, enum igmp_family family,
          struct view_totals *totals)
{
    const struct igmp_snoop *snoop = vlan_snoop(v, family);
    struct igmp_querier_view q;
    totals->groups += igmp_snoop_n_groups(snoop);
    totals->members += igmp_snoop_n_members(snoop);
    igmp_snoop_each_host(snoop, count_host, &totals->hosts[family]);
    igmp_snoop_each_router_port(snoop, count_router, &totals->router_ports);
    igmp_snoop_querier(snoop, &q);
    if (!q.ours) {
        totals->queriers_other += q.port.dpid != 0;
    } else if (v->config->igmp[family].querier) {
        totals->queriers_ours++;
    }
}

static void
count_members(const struct ctl *ctl, struct view_totals *totals)
{
    const struct rule *rule, *next;
    for (rule = ctl->rules[STORE_MEMBER]; rule; rule = next) {
        next = rule->hh.next;
        *(rule->fixed ? &totals->rules_config : &totals->rules_api) += 1;
    }
    members_count(ctl, &totals->static_members, &totals->static_routers);
}

void
view_totals(struct ctl *ctl, struct view_totals *totals)
{
    *totals =
        (struct view_totals){.uptime_ms = loop_now(ctl->loop) - ctl->started,
                             .switches = HASH_COUNT(ctl->switches),
                             .streams = streams_count(ctl),
                             .routes = count_rules(ctl, STORE_ROUTE),
                             .flows = count_rules(ctl, STORE_FLOW),
                             .frames = ctl->frames,
                             .joins = ctl->joins,
                             .leaves = ctl->leaves,
                             .compiled = ctl->compiled,
                             .store_error = ctl->store_error};
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        totals->connected += switch_is_connected(sw);
        totals->synced += ofp_table_is_synced(sw->table);
        totals->filtered_sources += count_sources(sw);
    }
    struct ctl_vlan *v, *next;
    HASH_ITER (hh, ctl->vlans, v, next) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            add_snoop(v, f, totals);
        }
    }
    count_members(ctl, totals);
    const struct tunnel_peer *p;
    for (p = ctl->tunnels->peers; p; p = p->hh.next) {
        totals->tunnel_peers[p->origin]++;
    }
    totals->tunnel_refused = ctl->tunnels->refused;
}

void
view_igmp_counters(struct ctl *ctl, view_counter_cb *cb, void *aux)
{
    for (int i = 0; i < IGMP_N_FAMILIES * IGMP_N_ERRORS; i++) {
        enum igmp_family f = i / IGMP_N_ERRORS;
        enum igmp_error e = i % IGMP_N_ERRORS;
        uint64_t n = ctl->igmp_undecoded[f][e];
        struct ctl_vlan *v, *tmp;
        HASH_ITER (hh, ctl->vlans, v, tmp) {
            n += igmp_snoop_counter(vlan_snoop(v, f), e);
        }
        if (!cb(aux, f == IGMP_IPV6 ? 6 : 4, igmp_error_name(e), n)) {
            return;
        }
    }
}
