/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of switches, rules and totals. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

enum view_state
view_state_of(const struct ofp_entry_view *entry)
{
    switch (entry->state) {
    case OFP_ENTRY_APPLIED:
        return VIEW_APPLIED;
    case OFP_ENTRY_REJECTED:
        return VIEW_REJECTED;
    case OFP_ENTRY_PENDING:
        break;
    }
    return VIEW_PENDING;
}

const char *
view_state_name(enum view_state state)
{
    static const char *const names[] = {
        [VIEW_APPLIED] = "applied",
        [VIEW_PENDING] = "pending",
        [VIEW_REJECTED] = "rejected",
    };
    return names[state];
}

static struct view_port *
build_ports(const struct topo_switch *ts, size_t *n)
{
    *n = ts ? ts->n_ports : 0;
    struct view_port *ports = xcalloc(*n + 1, sizeof *ports);
    for (size_t i = 0; i < *n; i++) {
        const struct topo_port *p = ts->ports[i];
        ports[i] = (struct view_port){.no = p->no,
                                      .name = p->name,
                                      .mac = p->mac,
                                      .up = p->up,
                                      .kind = topo_port_kind_name(p->kind)};
    }
    return ports;
}

static void
build_counters(const struct ctl_switch *sw, struct view_switch *view)
{
    struct ofp_table_counters t;
    ofp_table_counters(sw->table, &t);
    view->flow_mods = t.flow_mods;
    view->group_mods = t.group_mods;
    view->rounds = t.rounds;
    view->bundles = t.bundles;
    view->drift = t.drift;
    view->flows = t.flows;
    view->groups = t.groups;
    view->foreign_flows = t.foreign_flows;
    view->foreign_groups = t.foreign_groups;
    view->pending = t.pending;
    view->rejected = t.rejected;
    if (sw->conn) {
        struct ofp_session_counters s;
        ofp_session_counters(conn_session(sw->conn), &s);
        view->packet_ins = s.packet_ins;
        view->packet_outs = s.packet_outs;
        view->messages_in = s.messages_in;
        view->messages_out = s.messages_out;
        view->errors = s.errors;
    }
}

static bool
build_switch(const struct ctl_switch *sw, view_switch_cb *cb, void *aux)
{
    const struct ofp_features *f = &sw->features;
    struct view_switch view = {.dpid = sw->dpid,
                               .connected = switch_is_connected(sw),
                               .synced = ofp_table_is_synced(sw->table),
                               .peer = sw->conn ? conn_peer(sw->conn) : "",
                               .since_ms = loop_now(sw->ctl->loop) - sw->since,
                               .manufacturer = f->manufacturer,
                               .hardware = f->hardware,
                               .software = f->software,
                               .serial = f->serial,
                               .datapath = f->datapath};
    struct view_port *ports = build_ports(
        topo_lookup_switch(sw->ctl->topo, sw->dpid), &view.n_ports);
    view.ports = ports;
    build_counters(sw, &view);
    bool go_on = cb(aux, &view);
    free(ports);
    return go_on;
}

static int
compare_switches(const struct ctl_switch *a, const struct ctl_switch *b)
{
    return a->dpid < b->dpid ? -1 : a->dpid > b->dpid;
}

void
view_switches(struct ctl *ctl, view_switch_cb *cb, void *aux)
{
    HASH_SORT(ctl->switches, compare_switches);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (!build_switch(sw, cb, aux)) {
            return;
        }
    }
}

bool
view_switch(struct ctl *ctl, uint64_t dpid, view_switch_cb *cb, void *aux)
{
    const struct ctl_switch *sw = switch_lookup(ctl, dpid);
    if (sw) {
        build_switch(sw, cb, aux);
    }
    return sw != NULL;
}

/* Rules. */

static bool
build_rule(const struct ctl *ctl, const struct rule *rule, view_rule_cb *cb,
           void *aux)
{
    struct view_status *statuses;
    size_t n = rule_statuses(ctl, rule, &statuses);
    bool go_on = cb(aux, &(struct view_rule){.name = rule->name,
                                             .json = rule->json,
                                             .statuses = statuses,
                                             .n_statuses = n});
    free(statuses);
    return go_on;
}

static int
compare_rules(const struct rule *a, const struct rule *b)
{
    return strcmp(a->name, b->name);
}

static void
view_rules(struct ctl *ctl, enum store_kind kind, view_rule_cb *cb, void *aux)
{
    HASH_SORT(ctl->rules[kind], compare_rules);
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[kind], rule, tmp) {
        if (!rule->gone && !build_rule(ctl, rule, cb, aux)) {
            return;
        }
    }
}

static bool
view_rule(struct ctl *ctl, enum store_kind kind, const char *name,
          view_rule_cb *cb, void *aux)
{
    const struct rule *rule = rule_lookup(ctl, kind, name);
    if (!rule || rule->gone) {
        return false;
    }
    build_rule(ctl, rule, cb, aux);
    return true;
}

void
view_routes(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    view_rules(ctl, STORE_ROUTE, cb, aux);
}

bool
view_route(struct ctl *ctl, const char *name, view_rule_cb *cb, void *aux)
{
    return view_rule(ctl, STORE_ROUTE, name, cb, aux);
}

void
view_flows(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    view_rules(ctl, STORE_FLOW, cb, aux);
}

bool
view_flow(struct ctl *ctl, const char *name, view_rule_cb *cb, void *aux)
{
    return view_rule(ctl, STORE_FLOW, name, cb, aux);
}

/* Totals. */

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
    }
    struct ctl_vlan *v, *next;
    HASH_ITER (hh, ctl->vlans, v, next) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            totals->groups += igmp_snoop_n_groups(vlan_snoop(v, f));
            totals->members += igmp_snoop_n_members(vlan_snoop(v, f));
        }
    }
}

void
view_igmp_counters(struct ctl *ctl, view_counter_cb *cb, void *aux)
{
    for (int e = 0; e < IGMP_N_ERRORS; e++) {
        uint64_t n = ctl->igmp_undecoded[e];
        struct ctl_vlan *v, *tmp;
        HASH_ITER (hh, ctl->vlans, v, tmp) {
            for (int f = 0; f < IGMP_N_FAMILIES; f++) {
                n += igmp_snoop_counter(vlan_snoop(v, f), e);
            }
        }
        if (!cb(aux, igmp_error_name(e), n)) {
            return;
        }
    }
}
