/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of switches and rules. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "controller/lease.h"
#include "controller/port-counters.h"
#include "controller/view-explain.h"
#include "controller/view-route.h"
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

/* What guards refused, by port. */
struct guards {
    struct view_guard *all;
    size_t n, allocated;
};

static bool
add_guard(void *guards_, const struct view_guard *guard)
{
    struct guards *g = guards_;
    if (guard->refused) {
        g->all = xgrow(g->all, g->n, &g->allocated, sizeof *g->all);
        g->all[g->n++] = *guard;
    }
    return true;
}

static int
compare_port_ids(const struct port_id *a, const struct port_id *b)
{
    if (a->dpid != b->dpid) {
        return a->dpid < b->dpid ? -1 : 1;
    }
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

static int
compare_guards(const void *a_, const void *b_)
{
    const struct view_guard *a = a_, *b = b_;
    int d = compare_port_ids(&a->port, &b->port);
    return d ? d : strcmp(a->guard, b->guard);
}

static void
collect_guards(struct ctl *ctl, struct guards *g)
{
    *g = (struct guards){.all = NULL};
    view_guards(ctl, add_guard, g);
    if (g->n) {
        qsort(g->all, g->n, sizeof *g->all, compare_guards);
    }
}

static void
find_guards(const struct guards *g, const struct port_id *id,
            struct view_port *port)
{
    size_t low = 0, high = g->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_port_ids(&g->all[middle].port, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    port->guards = g->n ? &g->all[low] : NULL;
    while (low + port->n_guards < g->n
           && port_id_equal(&g->all[low + port->n_guards].port, id)) {
        port->n_guards++;
    }
}

static struct view_port *
build_ports(const struct ctl *ctl, const struct topo_switch *ts,
            const struct guards *guards, size_t *n)
{
    *n = ts ? ts->n_ports : 0;
    struct view_port *ports = xcalloc(*n + 1, sizeof *ports);
    for (size_t i = 0; i < *n; i++) {
        const struct topo_port *p = ts->ports[i];
        const struct port_id id = {ts->dpid, p->no};
        ports[i] = (struct view_port){.no = p->no,
                                      .name = p->name,
                                      .mac = p->mac,
                                      .up = p->up,
                                      .kind = topo_port_kind_name(p->kind)};
        find_guards(guards, &id, &ports[i]);
        ports[i].tunnel = tunnel_view(ctl, &id);
        ports[i].counters = port_counters_get(ctl, &id);
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
build_switch(const struct ctl_switch *sw, const struct guards *guards,
             view_switch_cb *cb, void *aux)
{
    const struct ofp_features *f = &sw->features;
    enum config_datapath said = config_get_datapath(sw->ctl->config, sw->dpid);
    enum config_datapath guess;
    bool seen = switch_guess_datapath(sw, &guess);
    struct view_switch view = {
        .dpid = sw->dpid,
        .connected = switch_is_connected(sw),
        .synced = ofp_table_is_synced(sw->table) && fabric_knows_ports(sw),
        .peer = sw->conn ? conn_peer(sw->conn) : "",
        .since_ms = loop_now(sw->ctl->loop) - sw->since,
        .manufacturer = f->manufacturer,
        .hardware = f->hardware,
        .software = f->software,
        .serial = f->serial,
        .datapath = f->datapath,
        .datapath_type = CONFIG_DATAPATH_NAMES[said],
        .datapath_seen = seen ? CONFIG_DATAPATH_NAMES[guess] : NULL};
    struct view_port *ports =
        build_ports(sw->ctl, topo_lookup_switch(sw->ctl->topo, sw->dpid),
                    guards, &view.n_ports);
    view.ports = ports;
    build_counters(sw, &view);
    bool go_on = cb(aux, &view);
    for (size_t i = 0; i < view.n_ports; i++) {
        tunnel_view_free(ports[i].tunnel);
    }
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
    struct guards guards;
    collect_guards(ctl, &guards);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (!build_switch(sw, &guards, cb, aux)) {
            break;
        }
    }
    free(guards.all);
}

bool
view_switch(struct ctl *ctl, uint64_t dpid, view_switch_cb *cb, void *aux)
{
    const struct ctl_switch *sw = switch_lookup(ctl, dpid);
    if (sw) {
        struct guards guards;
        collect_guards(ctl, &guards);
        build_switch(sw, &guards, cb, aux);
        free(guards.all);
    }
    return sw != NULL;
}

/* Rules. */

static const char *
origin_of(const struct rule *rule)
{
    return rule->kind != STORE_MEMBER ? NULL : rule->fixed ? "config" : "api";
}

static bool
build_rule(struct ctl *ctl, const struct rule *rule, view_rule_cb *cb,
           void *aux)
{
    struct view_status *statuses;
    size_t n = rule_statuses(ctl, rule, &statuses);
    if (rule->kind == STORE_ROUTE) {
        view_route_fill(ctl, rule, statuses, n);
    }
    bool go_on =
        cb(aux, &(struct view_rule){.name = rule->name,
                                    .json = rule->json,
                                    .expires_ms = lease_remaining(ctl, rule),
                                    .origin = origin_of(rule),
                                    .statuses = statuses,
                                    .n_statuses = n});
    view_route_free(statuses, n);
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

void
view_members(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    view_rules(ctl, STORE_MEMBER, cb, aux);
}

bool
view_member_rule(struct ctl *ctl, const char *name, view_rule_cb *cb,
                 void *aux)
{
    return view_rule(ctl, STORE_MEMBER, name, cb, aux);
}

/* By name or number. */
static bool
find_port(const struct ctl *ctl, uint64_t dpid, const char *name, uint32_t *no)
{
    const struct topo_port *port = topo_find_port(ctl->topo, dpid, name);
    char *end;
    unsigned long long number = strtoull(name, &end, 10);
    *no = port ? port->no : (uint32_t) number;
    return port
           || (*name >= '0' && *name <= '9' && !*end && number <= UINT32_MAX);
}

/* A tunnel's end is "vx0>10.255.0.2", with "#100" behind it where ofmcastctl
 * shows it. */
bool
view_find_port(const struct ctl *ctl, uint64_t dpid, const char *name,
               struct port_id *id)
{
    const char *mark = strrchr(name, '>');
    uint32_t no = 0, vtep = 0;
    struct ip_addr end;
    bool found = find_port(ctl, dpid, name, &no);
    if (!found && mark) {
        char *port = xasprintf("%.*s", (int) (mark - name), name);
        char *address =
            xasprintf("%.*s", (int) strcspn(mark + 1, "#"), mark + 1);
        found = find_port(ctl, dpid, port, &no) && ip_addr_parse(address, &end)
                && ip_addr_is_v4(&end);
        vtep = found ? ip_addr_to_v4(&end) : 0;
        free(port);
        free(address);
    }
    *id = port_id_make(dpid, no, vtep);
    return found;
}
