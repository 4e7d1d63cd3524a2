/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* D12, D14, D17 and D20: what the operator has set, and what becomes of it. */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fast-path.h"
#include "controller/route-match.h"
#include "controller/route-ports.h"
#include "lib/xalloc.h"

/* D12.  Groups that a switch does slowly, or not at all. */

static void
say_channel(const struct oversize *o, char text[DOCTOR_WHERE_SIZE])
{
    char group[IP_ADDR_STRLEN], dpid[DPID_STRLEN];
    snprintf(text, DOCTOR_WHERE_SIZE, "switch %s %s %s",
             doctor_format_dpid(o->dpid, dpid),
             o->table == TABLE_ROUTE ? "route to" : "group",
             ip_addr_format(&o->match.ip_dst.addr, group));
}

static void
check_oversize(struct doctor_look *look, const struct oversize *o)
{
    struct doctor_report r = {.id = D12_GROUP_SIZE,
                              .severity =
                                  *o->error ? DOCTOR_ERROR : DOCTOR_WARNING};
    say_channel(o, r.where);
    if (*o->error) {
        DOCTOR_SAY(r.text,
                   "a group of %zu copies does not fit in an OpenFlow "
                   "message: the last change was not made",
                   o->n_copies);
        DOCTOR_SAY(r.evidence, "%s", o->error);
    } else {
        DOCTOR_SAY(r.text,
                   "%zu copies of a packet are more than the switch's "
                   "fast path takes: each is translated anew",
                   o->n_copies);
        DOCTOR_SAY(r.evidence,
                   "%zu bytes of actions (at most %d), %zu outputs (at most "
                   "%d)",
                   o->bytes, FAST_PATH_BYTES, o->n_copies, FAST_PATH_OUTPUTS);
    }
    DOCTOR_SAY(r.cure, "let targets share one rewriting, rewrite before the "
                       "copying (the route's own \"set\"), or split the "
                       "receivers over switches");
    doctor_report(look, &r);
}

/* D14.  Rules that wait, ports and switches that are not there. */

struct rule_check {
    struct doctor_look *look;
    const char *kind;
};

static bool
check_status(void *check_, const struct view_rule *rule)
{
    struct rule_check *check = check_;
    for (size_t i = 0; i < rule->n_statuses; i++) {
        const struct view_status *s = &rule->statuses[i];
        bool rejected = s->state == VIEW_REJECTED;
        struct doctor_report r = {.id = D14_MISSING,
                                  .severity =
                                      rejected ? DOCTOR_ERROR : DOCTOR_WARNING,
                                  .hold_ms = rejected ? 0 : 1000};
        char dpid[DPID_STRLEN];
        if (s->state == VIEW_APPLIED || !*s->error) {
            continue;
        }
        DOCTOR_SAY(r.where, "%s %s", check->kind, rule->name);
        DOCTOR_SAY(r.text, "it is %s on switch %s", view_state_name(s->state),
                   doctor_format_dpid(s->dpid, dpid));
        DOCTOR_SAY(r.evidence, "%s", s->error);
        DOCTOR_SAY(r.cure, rejected ? "change it as the reason says; it is "
                                      "tried again now and then"
                                    : "bring what it waits for, or remove it; "
                                      "it takes effect by itself");
        doctor_report(check->look, &r);
        break;
    }
    return true;
}

static void
report_port(struct doctor_look *look, const char *where, bool missing,
            const char *why)
{
    struct doctor_report r = {
        .id = D14_MISSING, .severity = DOCTOR_WARNING, .hold_ms = 1000};
    DOCTOR_SAY(r.where, "%s", where);
    DOCTOR_SAY(r.text, missing ? "there is no such port" : "it is down");
    DOCTOR_SAY(r.evidence, "%s", why);
    DOCTOR_SAY(r.cure, missing ? "add it, or correct its name"
                               : "look at its cable, or at who set it down "
                                 "(ip link, ovs-ofctl mod-port)");
    doctor_report(look, &r);
}

/* A port that somebody has named is expected to be there. */
static void
check_port(struct doctor_look *look, uint64_t dpid, const char *name,
           const char *why)
{
    const struct topo_port *p = topo_find_port(look->ctl->topo, dpid, name);
    const struct ctl_switch *sw = switch_lookup(look->ctl, dpid);
    char where[DOCTOR_WHERE_SIZE], text[DPID_STRLEN];
    if (!sw || !switch_is_connected(sw) || (p && p->up)) {
        return; /* A switch that is away has its own finding. */
    }
    DOCTOR_SAY(where, "switch %s port %s", doctor_format_dpid(dpid, text),
               p ? p->name : name);
    report_port(look, where, !p, why);
}

static void
check_named_ports(struct doctor_look *look)
{
    const struct config *config = look->ctl->config;
    char why[DOCTOR_TEXT_SIZE];
    struct rule *rule, *tmp;
    for (size_t i = 0; i < config->n_ports; i++) {
        check_port(look, config->ports[i].dpid, config->ports[i].port,
                   "the configuration's \"ports\" names it");
    }
    HASH_ITER (hh, look->ctl->rules[STORE_MEMBER], rule, tmp) {
        struct port_id port;
        if (!rule->gone && member_port(rule, &port)
            && !switch_has_port(look->ctl, &port)) {
            char where[DOCTOR_PORT_SIZE];
            doctor_format_port(look->ctl, &port, where);
            DOCTOR_SAY(why, "static member %s is there", rule->name);
            report_port(look, where, false, why);
        }
    }
}

/* A port that a glob fits is expected to be there like one that is named. */
static void
check_target(struct doctor_look *look, const struct rule *rule,
             const struct route_target *t)
{
    const struct topo_port *p;
    char why[DOCTOR_TEXT_SIZE];
    for (size_t at = 0;
         (p = route_next_port(look->ctl->topo, t->dpid, t->port, &at));) {
        if (!p->up) {
            DOCTOR_SAY(why, "route %s copies to it", rule->name);
            check_port(look, t->dpid, p->name, why);
        }
    }
}

static void
check_route_ports(struct doctor_look *look)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, look->ctl->rules[STORE_ROUTE], rule, tmp) {
        for (size_t i = 0; !rule->gone && i < rule->route->n_targets; i++) {
            const struct route_target *t = &rule->route->targets[i];
            if (t->kind == ROUTE_TO_PORT) {
                check_target(look, rule, t);
            }
        }
    }
}

static void
check_switches(struct doctor_look *look)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        struct doctor_report r = {
            .id = D14_MISSING, .severity = DOCTOR_ERROR, .hold_ms = 1000};
        char dpid[DPID_STRLEN];
        if (switch_is_connected(sw)) {
            continue;
        }
        DOCTOR_SAY(r.where, "switch %s", doctor_format_dpid(sw->dpid, dpid));
        DOCTOR_SAY(r.text, "it is not connected: streams go on as they were, "
                           "joins and leaves have no effect");
        DOCTOR_SAY(r.evidence, "away for %lld s",
                   (long long) (look->now - sw->since) / 1000);
        DOCTOR_SAY(r.cure, "look at the switch, at the network to it and at "
                           "ovs-vsctl get-controller");
        doctor_report(look, &r);
    }
}

/* D20. */
static bool
check_link_local(void *check_, const struct view_rule *rule)
{
    struct rule_check *check = check_;
    struct doctor_report r = {.id = D20_LINK_LOCAL,
                              .severity = DOCTOR_WARNING};
    static const char *const signs[] = {
        "nw_dst=224.0.0.", "ip_dst=224.0.0.", "ipv4_dst=224.0.0.",
        "dl_dst=01:00:5e:00:00:", "ipv6_dst=ff02:"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const char *at = strstr(rule->json, signs[i]);
        bool v6 = !strncmp(signs[i], "ipv6", 4);
        if (at) {
            DOCTOR_SAY(r.where, "flow %s", rule->name);
            DOCTOR_SAY(r.text,
                       "it takes link-local multicast (%s): %s live there and "
                       "must reach every port",
                       v6 ? "ff02::/16" : "224.0.0.0/24",
                       v6 ? "neighbour discovery, MLD and mDNS"
                          : "routing protocols, IGMP and mDNS");
            DOCTOR_SAY(r.evidence, "it matches %.*s",
                       (int) strcspn(at, ",\" "), at);
            DOCTOR_SAY(r.cure,
                       "match the group that you mean; %s is never pruned or "
                       "routed (RFC 4541 %s)",
                       v6 ? "ff02::/16" : "224.0.0.0/24", v6 ? "3" : "2.1.2");
            doctor_report(check->look, &r);
            return true;
        }
    }
    return true;
}

void
doctor_check_rules(struct doctor_look *look)
{
    struct rule_check route = {look, "route"}, flow = {look, "flow"},
                      member = {look, "member"};
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, look->ctl->switches, sw, tmp) {
        for (size_t i = 0; i < oversize_list(sw); i++) {
            check_oversize(look, &sw->oversize[i]);
        }
    }
    view_routes(look->ctl, check_status, &route);
    view_flows(look->ctl, check_status, &flow);
    view_members(look->ctl, check_status, &member);
    view_flows(look->ctl, check_link_local, &flow);
    check_named_ports(look);
    check_route_ports(look);
    check_switches(look);
}

/* D17.  A route's copies that leave a switch by a port may enter another one,
 * where a route takes them; if that leads back, a packet goes round for ever:
 * no TTL is lowered on the way. */

/* A route as far as it has outputs on one switch. */
struct hop {
    const struct rule *rule;
    uint64_t dpid;
    struct channel out; /* What leaves there. */
    int color;          /* 0: not looked at, 1: on the way, 2: done. */
};

struct hop_list {
    struct hop *hops;
    size_t n, allocated;
};

static void
add_hop(struct hop_list *list, const struct rule *rule,
        const struct route_target *target)
{
    const struct route_match *m = &rule->route->match;
    struct channel in = {.vlan = m->vlan};
    if (ip_prefix_is_host(&m->group)) {
        in.group = m->group.addr;
    }
    if (m->has_source && ip_prefix_is_host(&m->source)) {
        in.source = m->source.addr;
    }
    list->hops =
        xgrow(list->hops, list->n, &list->allocated, sizeof *list->hops);
    list->hops[list->n++] =
        (struct hop){.rule = rule,
                     .dpid = target->dpid,
                     .out = route_target_channel(rule->route, target, &in)};
}

static bool
feeds(const struct hop *from, const struct hop *to)
{
    const struct route_match *m = &to->rule->route->match;
    return from->dpid != to->dpid && !ip_addr_is_any(&from->out.group)
           && (!m->has_dpid || m->dpid == to->dpid)
           && ip_prefix_contains(&m->group, &from->out.group)
           && (!m->has_source || ip_addr_is_any(&from->out.source)
               || ip_prefix_contains(&m->source, &from->out.source))
           && (!m->has_vlan || m->vlan == from->out.vlan);
}

/* Depth first; the hop by which a circle closes, or NULL. */
static struct hop *
find_cycle(struct hop_list *list, struct hop *at)
{
    at->color = 1;
    for (size_t i = 0; i < list->n; i++) {
        struct hop *next = &list->hops[i];
        if (next->color == 2 || !feeds(at, next)) {
            continue;
        }
        if (next->color == 1) {
            return next;
        }
        struct hop *found = find_cycle(list, next);
        if (found) {
            return found;
        }
    }
    at->color = 2;
    return NULL;
}

static void
report_cycle(struct doctor_look *look, const struct hop_list *list,
             const struct hop *hop)
{
    struct doctor_report r = {.id = D17_ROUTE_CYCLE, .severity = DOCTOR_ERROR};
    size_t at = 0;
    DOCTOR_SAY(r.where, "route %s", hop->rule->name);
    DOCTOR_SAY(r.text, "its copies may come back to it by way of another "
                       "switch: a packet would go round for ever");
    for (size_t i = 0; i < list->n && at < sizeof r.evidence; i++) {
        if (list->hops[i].color == 1) {
            char group[IP_ADDR_STRLEN];
            at += (size_t) snprintf(
                r.evidence + at, sizeof r.evidence - at,
                "%sroute %s makes %s on switch %" PRIx64, at ? ", " : "",
                list->hops[i].rule->name,
                ip_addr_format(&list->hops[i].out.group, group),
                list->hops[i].dpid);
        }
    }
    DOCTOR_SAY(r.cure, "name the port where each stream enters (\"match\": "
                       "{\"dpid\", \"port\"}), or give them groups of their "
                       "own");
    doctor_report(look, &r);
}

void
doctor_check_cycles(struct doctor_look *look)
{
    enum { TOO_MANY = 4000 }; /* It is done by comparing pairs. */
    struct hop_list list = {.n = 0};
    struct rule *rule, *tmp;
    HASH_ITER (hh, look->ctl->rules[STORE_ROUTE], rule, tmp) {
        for (size_t i = 0; !rule->gone && i < rule->route->n_targets; i++) {
            const struct route_target *t = &rule->route->targets[i];
            if (t->kind == ROUTE_TO_PORT && list.n < TOO_MANY) {
                add_hop(&list, rule, t);
            }
        }
    }
    for (size_t i = 0; i < list.n; i++) {
        struct hop *hop =
            list.hops[i].color ? NULL : find_cycle(&list, &list.hops[i]);
        if (hop) {
            report_cycle(look, &list, hop);
            break; /* One at a time: the next shows when it is mended. */
        }
    }
    free(list.hops);
}
