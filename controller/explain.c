/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Explain: follows a packet through the pipeline as it is meant to be, with
 * the lookups that the compiler of flows itself uses. */

#include "controller/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fabric.h"
#include "controller/port-counters.h"
#include "controller/route-far.h"
#include "controller/route-match.h"
#include "lib/xalloc.h"
#include "ofp/ofp-text.h"

static char *say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static char *
say(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return xstrdup(text);
}

void
explain_conclude(struct explain *x, const char *reason, const char *cure,
                 const char *format, ...)
{
    char text[512];
    va_list args;
    if (x->reason) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    x->reason = xstrdup(reason);
    x->cure = xstrdup(cure);
    x->text = xstrdup(text);
}

/* Stages. */

struct explain_stage *
explain_add_stage(struct explain *x, const char *name, uint64_t dpid,
                  int table, bool passes, char *text)
{
    x->stages =
        xgrow(x->stages, x->n_stages, &x->allocated_stages, sizeof *x->stages);
    struct explain_stage *stage = &x->stages[x->n_stages++];
    *stage = (struct explain_stage){.name = name,
                                    .dpid = dpid,
                                    .table = table,
                                    .passes = passes,
                                    .text = text};
    x->ended |= !passes;
    return stage;
}

/* The packet goes no further, and that is why. */
static void
stop(struct explain *x, const char *name, uint64_t dpid, int table,
     const char *reason, const char *cure, char *text)
{
    explain_add_stage(x, name, dpid, table, false, text);
    explain_conclude(x, reason, cure, "%s", text);
}

static void
set_flow(struct explain_stage *stage, const struct ctl_switch *sw,
         const struct ofp_entry_view *view, const struct ofp_match *match)
{
    size_t size;
    uint8_t *msg = ofp_table_message(sw->table, view->table, view->priority,
                                     match, OFP_MESSAGE_FLOW, &size);
    stage->has_flow = true;
    stage->table = view->table;
    stage->priority = view->priority;
    stage->state = view_state_of(view);
    stage->error = xstrdup(view->error);
    stage->packets = view->packets;
    stage->bytes = view->bytes;
    stage->group_id = view->group_id;
    stage->actions = msg ? ofp_text_actions(msg, size) : NULL;
    free(msg);
}

/* Outputs. */

static void enter_by_link(struct explain *, const struct port_id *);

static void
add_output(struct explain *x, const struct port_id *port, const char *actions)
{
    const char *origin = "";
    for (size_t i = 0; i < x->n_outputs; i++) {
        struct explain_output *o = &x->outputs[i];
        if (port_id_equal(&o->port, port) && !strcmp(o->actions, actions)) {
            return;
        }
    }
    x->outputs = xgrow(x->outputs, x->n_outputs, &x->allocated_outputs,
                       sizeof *x->outputs);
    struct explain_output *o = &x->outputs[x->n_outputs++];
    char *text = explain_presence(x, port, &origin);
    *o = (struct explain_output){.port = *port,
                                 .port_name = switch_port_name(x->ctl, port),
                                 .actions = xstrdup(actions),
                                 .origin = origin,
                                 .text = text,
                                 .counters = port_counters_get(x->ctl, port)};
}

struct output_aux {
    struct explain *x;
    uint64_t dpid;
};

static bool
tell_output(void *aux_, const struct ofp_text_output *output)
{
    struct output_aux *aux = aux_;
    struct port_id port =
        port_id_make(aux->dpid, output->port, output->tun_dst);
    struct explain *x = aux->x;
    const struct port_id *in = &x->query->in;
    /* A switch leaves out where it came from: all ends of a tunnel port. */
    if (port.dpid != in->dpid || port_id_no(&port) != port_id_no(in)) {
        add_output(x, &port, output->actions);
        enter_by_link(x, &port);
    }
    return true;
}

static void
tell_group(struct explain *x, const struct ctl_switch *sw,
           const struct ofp_entry_view *view, const struct ofp_match *match)
{
    struct output_aux aux = {x, sw->dpid};
    size_t size;
    uint8_t *msg = ofp_table_message(sw->table, view->table, view->priority,
                                     match, OFP_MESSAGE_GROUP, &size);
    if (msg) {
        ofp_text_each_output(msg, size, tell_output, &aux);
        free(msg);
    }
}

/* The switch has not what it shall have. */
static void
check_state(struct explain *x, const struct ctl_switch *sw,
            const struct ofp_entry_view *view)
{
    if (view->state == OFP_ENTRY_REJECTED) {
        explain_conclude(x, "rejected", "see the error; ofmcast tries again",
                         "switch %" PRIx64 " refused the flow or its group: "
                         "%s",
                         sw->dpid, view->error);
    } else if (view->state == OFP_ENTRY_PENDING) {
        explain_conclude(x, "pending", "",
                         "switch %" PRIx64 " has not confirmed the flow yet%s",
                         sw->dpid,
                         switch_is_connected(sw) ? "" : ": it is away");
    }
}

void
explain_meet(struct explain *x, struct explain_stage *stage,
             const struct ctl_switch *sw, const struct ofp_entry_view *view,
             const struct ofp_match *match)
{
    set_flow(stage, sw, view, match);
    tell_group(x, sw, view, match);
    check_state(x, sw, view);
}

/* The channel's entry: TABLE_MCAST. */

static bool
find_channel(const struct explain *x, const struct ctl_switch *sw,
             struct ofp_entry_view *view, struct ofp_match *match)
{
    struct channel c = x->out;
    *match = channel_match(&c);
    if (!ip_addr_is_any(&c.source)
        && ofp_table_lookup(sw->table, TABLE_MCAST, PRIO_S_G, match, view)) {
        return true;
    }
    c.source = IP_ADDR_ANY;
    *match = channel_match(&c);
    return ofp_table_lookup(sw->table, TABLE_MCAST, PRIO_STAR_G, match, view);
}

static const char *
policy_name(const struct ctl_vlan *v)
{
    switch (v->config->unregistered) {
    case CONFIG_UNREGISTERED_FLOOD:
        return "flood: it goes out of every port";
    case CONFIG_UNREGISTERED_DROP:
        return "drop: nobody gets it";
    case CONFIG_UNREGISTERED_MROUTERS:
        break;
    }
    return "mrouters: router ports alone get it";
}

static bool
tell_router(void *aux_, const struct port_id *port)
{
    struct output_aux *aux = aux_;
    if (port->dpid == aux->dpid) {
        tell_output(aux, &(struct ofp_text_output){.port = port_id_no(port),
                                                   .actions = ""});
    }
    return true;
}

static void
walk_policy(struct explain *x, struct ctl_switch *sw)
{
    struct ctl_vlan *v = vlan_lookup(x->ctl, x->out.vlan);
    struct output_aux aux = {x, sw->dpid};
    char group[IP_ADDR_STRLEN];
    ip_addr_format(&x->out.group, group);
    if (!v) {
        explain_add_stage(
            x, "policy", sw->dpid, TABLE_MCAST, true,
            say("nobody has ever joined anything in vlan %u, and it is "
                "not configured",
                x->out.vlan));
        return;
    }
    explain_add_stage(
        x, "policy", sw->dpid, TABLE_MCAST, true,
        say("no entry for %s in vlan %u: nobody behind this switch has "
            "joined it. Unregistered groups: %s",
            group, x->out.vlan, policy_name(v)));
    if (v->config->unregistered == CONFIG_UNREGISTERED_MROUTERS) {
        igmp_snoop_each_router_port(vlan_snoop_of(v, &x->out.group),
                                    tell_router, &aux);
    } else if (v->config->unregistered == CONFIG_UNREGISTERED_FLOOD) {
        x->flooded = "flooded";
    }
}

static void
walk_channel(struct explain *x, struct ctl_switch *sw)
{
    struct ofp_entry_view view;
    struct ofp_match match;
    char group[IP_ADDR_STRLEN], source[IP_ADDR_STRLEN] = "*";
    x->follows_members = true;
    if (!find_channel(x, sw, &view, &match)) {
        walk_policy(x, sw);
        return;
    }
    if (match.fields & OFP_MATCH_IP_SRC) {
        ip_addr_format(&x->out.source, source);
    }
    struct explain_stage *stage = explain_add_stage(
        x, "channel", sw->dpid, TABLE_MCAST, true,
        say("entry (%s,%s) of vlan %u: its group has the copies", source,
            ip_addr_format(&x->out.group, group), x->out.vlan));
    explain_meet(x, stage, sw, &view, &match);
}

/* What a route has sent on: TABLE_FAR. */
static void
walk_far(struct explain *x, struct ctl_switch *sw)
{
    struct ofp_entry_view view;
    struct ofp_match match;
    struct explain_stage *stage = explain_add_stage(
        x, "far", sw->dpid, TABLE_FAR, true,
        say("it has met route %s at another switch", x->rule->name));
    if (!route_far_find_flow(sw, x->rule, x->query->vlan, &x->out, &view,
                             &match)) {
        stage->passes = false;
        explain_conclude(x, "pending", "",
                         "switch %" PRIx64 " has no flow of route %s yet",
                         sw->dpid, x->rule->name);
        return;
    }
    explain_meet(x, stage, sw, &view, &match);
}

/* Links: the copy goes on at the switch at their other end. */
static void
enter_by_link(struct explain *x, const struct port_id *port)
{
    struct port_id peer;
    if (!x->ctl->fabric
        || !topo_links_peer(x->ctl->fabric->links, port, &peer)) {
        return;
    }
    struct ctl_switch *sw = switch_lookup(x->ctl, peer.dpid);
    for (size_t i = 0; i < x->n_visited; i++) {
        if (x->visited[i] == sw) {
            return;
        }
    }
    if (sw) {
        x->visited = xgrow(x->visited, x->n_visited, &x->allocated_visited,
                           sizeof *x->visited);
        x->visited[x->n_visited++] = sw;
        if (x->rule && x->rule->fars) {
            walk_far(x, sw);
        } else {
            walk_channel(x, sw);
        }
    }
}

/* Routes: TABLE_ROUTE. */

/* "; cameras, all also match, and are less narrow" */
static char *
name_weaker(const struct explain *x, const struct rule *best)
{
    const struct explain_query *q = x->query;
    struct rule *rules[8];
    size_t n = routes_match_all(x->ctl, &q->in, q->vlan, &q->source, &q->group,
                                q->udp_dst, rules, 8);
    char *text = xstrdup("");
    for (size_t i = 0; i < n; i++) {
        if (rules[i] != best) {
            char *longer =
                say("%s%s%s", text, *text ? ", " : "", rules[i]->name);
            free(text);
            text = longer;
        }
    }
    if (*text) {
        char *whole = say("; less narrow: %s", text);
        free(text);
        text = whole;
    }
    return text;
}

void
explain_part(struct explain *x, const struct ctl_switch *sw,
             const struct rule *rule)
{
    const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
    if (part && part->rejected) {
        explain_conclude(x, "rejected", "change the route",
                         "route %s could not be sent to the switch: %s",
                         rule->name, part->rejected);
    } else if (part && part->waiting) {
        explain_conclude(x, "pending",
                         "bring what it waits for; it takes effect by itself",
                         "route %s waits: %s", rule->name, part->waiting);
    }
}

static void
walk_route_flow(struct explain *x, struct ctl_switch *sw,
                const struct rule *rule, struct channel *in)
{
    struct ofp_entry_view view;
    struct ofp_match match;
    char *weaker = name_weaker(x, rule);
    struct explain_stage *stage = explain_add_stage(
        x, "route", sw->dpid, TABLE_ROUTE, true,
        say("route %s takes it (precedence %u)%s", rule->name,
            route_priority(rule->route), weaker));
    free(weaker);
    if (!route_find_flow(sw, rule, port_id_no(&x->query->in), in, &view,
                         &match)) {
        stage->passes = false;
        explain_part(x, sw, rule);
        explain_conclude(x, "pending", "",
                         "route %s has no flow on the switch yet", rule->name);
        return;
    }
    set_flow(stage, sw, &view, &match);
    if (!rule->route->n_targets) {
        stage->passes = false;
        explain_conclude(x, "stop-filter",
                         "delete the route, or narrow its match",
                         "route %s is a stop filter: what it matches is "
                         "dropped",
                         rule->name);
        return;
    }
    tell_group(x, sw, &view, &match);
    check_state(x, sw, &view);
}

static bool
copies_for_members(const struct route *route)
{
    for (size_t i = 0; i < route->n_targets; i++) {
        if (route_target_follows(&route->targets[i])) {
            return true;
        }
    }
    return false;
}

/* True if the packet goes on to the channel's table. */
static bool
walk_route(struct explain *x, struct ctl_switch *sw)
{
    const struct explain_query *q = x->query;
    struct channel in = {
        .group = q->group, .source = q->source, .vlan = q->vlan};
    struct rule *rule;
    if (!routes_match_all(x->ctl, &q->in, q->vlan, &q->source, &q->group,
                          q->udp_dst, &rule, 1)) {
        if (!ip_addr_is_multicast(&q->group)) {
            explain_host(x, sw);
            return false;
        }
        explain_add_stage(x, "route", sw->dpid, TABLE_ROUTE, true,
                          say("no route matches: it stays as it is"));
        return true;
    }
    x->rule = rule;
    x->out =
        route_result_at(rule, sw->dpid, switch_port_name(x->ctl, &q->in), &in);
    walk_route_flow(x, sw, rule, &in);
    if (x->reason) {
        return false;
    }
    x->follows_members = copies_for_members(rule->route);
    explain_part(x, sw, rule);
    return route_is_plain(rule->route);
}

/* Before the routes. */

static void
walk_statics(struct explain *x, const struct ctl_switch *sw)
{
    struct rule *rule, *tmp;
    char *names = xstrdup("");
    size_t n = 0;
    HASH_ITER (hh, x->ctl->rules[STORE_FLOW], rule, tmp) {
        if (rule->gone || rule->text->is_group
            || rule->text->dpid != sw->dpid) {
            continue;
        }
        if (n++ < 8) {
            char *longer =
                say("%s%s%s", names, *names ? ", " : "", rule->name);
            free(names);
            names = longer;
        }
    }
    if (n) {
        explain_add_stage(
            x, "static", sw->dpid, TABLE_STATIC, true,
            say("%zu static flows of the user stand before all (%s%s): "
                "ofproto/trace tells whether one of them takes it",
                n, names, n > 8 ? "..." : ""));
    }
    free(names);
}

static bool
walk_ingress(struct explain *x, const struct ctl_switch *sw)
{
    const struct port_id *in = &x->query->in;
    const struct topo_port *port = switch_topo_port(x->ctl, in);
    if (!sw) {
        stop(x, "ingress", in->dpid, -1, "no-switch",
             "see ofmcastctl show switches",
             say("switch %" PRIx64 " has never connected", in->dpid));
    } else if (!port) {
        stop(x, "ingress", in->dpid, -1, "no-in-port",
             "see ofmcastctl show switches DPID",
             say("switch %" PRIx64 " has no port %" PRIu64, in->dpid,
                 in->port_no));
    } else if (!port->up) {
        stop(x, "ingress", in->dpid, -1, "in-port-down", "bring it up",
             say("port %s, where it would enter, is down", port->name));
    } else {
        explain_add_stage(
            x, "ingress", in->dpid, -1, true,
            say("it enters by port %s%s", port->name,
                switch_is_connected(sw)
                    ? ""
                    : "; the switch is away, and does what it did"));
    }
    return !x->ended;
}

static bool
walk_admit(struct explain *x, const struct ctl_switch *sw)
{
    const struct explain_query *q = x->query;
    bool pop;
    if (!x->ctl->fabric) {
        return true;
    } else if (fabric_role(x->ctl, &q->in) == TOPO_ROLE_LINK) {
        explain_add_stage(x, "admit", sw->dpid, TABLE_ADMIT, true,
                          say("it comes by a link of the fabric"));
    } else if (tunnel_of(x->ctl, &q->in)) {
        explain_add_stage(x, "admit", sw->dpid, TABLE_ADMIT, true,
                          say("it comes by a tunnel"));
    } else if (!edge_carries(x->ctl, &q->in, q->vlan, &pop)) {
        stop(x, "admit", sw->dpid, TABLE_ADMIT, "vlan-not-admitted",
             "change access_vlan or trunk_vlans of the port, or the tag",
             say("port %s is not in vlan %u", switch_port_name(x->ctl, &q->in),
                 q->vlan));
    } else {
        explain_add_stage(x, "admit", sw->dpid, TABLE_ADMIT, true,
                          say("port %s is in vlan %u",
                              switch_port_name(x->ctl, &q->in), q->vlan));
    }
    return !x->ended;
}

/* True if it is a channel's. */
static bool
walk_punt(struct explain *x, const struct ctl_switch *sw)
{
    if (ip_addr_is_local_multicast(&x->query->group)) {
        explain_add_stage(
            x, "punt", sw->dpid, TABLE_PUNT, true,
            say("link-local groups are no channels: they reach every "
                "port (RFC 4541 2.1.2)"));
        x->flooded = "link-local";
    }
    return !x->flooded;
}

static void
walk(struct explain *x)
{
    struct ctl_switch *sw = switch_lookup(x->ctl, x->query->in.dpid);
    if (!walk_ingress(x, sw)) {
        return;
    }
    x->visited =
        xgrow(x->visited, 0, &x->allocated_visited, sizeof *x->visited);
    x->visited[x->n_visited++] = sw;
    walk_statics(x, sw);
    if (walk_admit(x, sw) && walk_punt(x, sw) && walk_route(x, sw)) {
        walk_channel(x, sw);
    }
}

static void
uninit(struct explain *x)
{
    for (size_t i = 0; i < x->n_stages; i++) {
        free((void *) x->stages[i].text);
        free((void *) x->stages[i].actions);
        free((void *) x->stages[i].error);
    }
    for (size_t i = 0; i < x->n_outputs; i++) {
        free((void *) x->outputs[i].actions);
        free((void *) x->outputs[i].text);
    }
    free(x->stages);
    free(x->outputs);
    free(x->visited);
    free(x->reason);
    free(x->text);
    free(x->cure);
}

void
view_explain(struct ctl *ctl, const struct explain_query *query,
             view_explain_cb *cb, void *aux)
{
    struct explain x = {.ctl = ctl,
                        .query = query,
                        .now = loop_now(ctl->loop),
                        .out = {.group = query->group,
                                .source = query->source,
                                .vlan = query->vlan}};
    walk(&x);
    bool delivered = explain_verdict(&x);
    cb(aux, &(struct view_explain){.stages = x.stages,
                                   .n_stages = x.n_stages,
                                   .outputs = x.outputs,
                                   .n_outputs = x.n_outputs,
                                   .delivered = delivered,
                                   .reason = x.reason,
                                   .text = x.text,
                                   .cure = x.cure});
    uninit(&x);
}
