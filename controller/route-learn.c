/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Sources of routes: a route's flows know how many packets there were, but not
 * from whom and through which port: they punt until a packet has told, and
 * again when they have not moved for a while.  Where there is a flow for each
 * port, that is so for each port. */

#include "controller/route-learn.h"

#include "controller/route-index.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

/* Flows that have not moved for so long have lost their source. */
enum { SOURCE_IDLE_MS = 60000 };

static struct part_port *
find_port(const struct rule_part *part, uint32_t no)
{
    for (size_t i = 0; i < part->n_ports; i++) {
        if (part->ports[i].no == no) {
            return &part->ports[i];
        }
    }
    return NULL;
}

static struct part_port *
get_port(const struct rule *rule, struct rule_part *part, uint32_t no)
{
    struct part_port *port = find_port(part, no);
    if (!port) {
        part->ports = xgrow(part->ports, part->n_ports, &part->allocated_ports,
                            sizeof *part->ports);
        port = &part->ports[part->n_ports++];
        *port = (struct part_port){.no = no, .learning = rule->learning};
    }
    return port;
}

/* In a flow's match: 0 for any. */
static uint32_t
port_of(const struct ofp_match *match)
{
    return match->fields & OFP_MATCH_IN_PORT ? match->in_port : 0;
}

bool
route_is_learning(const struct rule *rule, struct rule_part *part,
                  const struct ofp_match *match)
{
    return get_port(rule, part, port_of(match))->learning;
}

void
route_forget_sources(struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        part->n_ports = 0;
    }
    rule->learning = true;
}

static void
set_learning(struct ctl *ctl, struct rule *rule, const struct rule_part *part,
             struct part_port *port, bool learning)
{
    port->source_known = !learning;
    if (port->learning != learning) {
        port->learning = learning;
        rule_mark_on(ctl, rule, part->dpid);
    }
}

static void
count_flows(const struct ctl_switch *sw, const struct rule *rule,
            struct rule_part *part)
{
    for (size_t i = 0; i < part->n_ports; i++) {
        part->ports[i].packets = 0;
    }
    struct part_port *port = NULL;
    for (size_t i = 0; i < part->n_flows; i++) {
        const struct rule_flow *f = &part->flows[i];
        struct ofp_entry_view view;
        uint32_t no = port_of(&f->match);
        if (f->kind <= RULE_FLOW_FRAGMENTS
            && ofp_table_lookup(sw->table, rule_flow_table(f->kind),
                                f->priority, &f->match, &view)) {
            /* Those of a port mostly stand side by side. */
            port = port && port->no == no ? port : get_port(rule, part, no);
            port->packets += view.packets;
        }
    }
}

static void
count(struct ctl_switch *sw, struct rule *rule, struct rule_part *part,
      int64_t now)
{
    count_flows(sw, rule, part);
    for (size_t i = 0; i < part->n_ports; i++) {
        struct part_port *p = &part->ports[i];
        bool moves = p->packets != p->last_packets;
        p->last_packets = p->packets;
        if (moves) {
            p->last_active = now;
            if (!p->source_known && now >= rule->quiet_until) {
                set_learning(sw->ctl, rule, part, p, true);
            }
        } else if (p->source_known && now - p->last_active > SOURCE_IDLE_MS) {
            set_learning(sw->ctl, rule, part, p, true);
        }
    }
}

void
routes_counted(struct ctl_switch *sw, int64_t now)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (part) {
            count(sw, rule, part, now);
        }
    }
}

static bool
is_of_cookie(const struct rule *rule, uint64_t cookie)
{
    return cookie == cookie_make(COOKIE_ROUTE, rule->cookie_id);
}

void
route_source_known(struct ctl_switch *sw, uint64_t cookie, uint32_t in_port,
                   const struct ip_addr *group)
{
    if (cookie_kind(cookie) != COOKIE_ROUTE) {
        return;
    }
    struct route_walk walk;
    struct rule *rule = route_index_first_of(sw->ctl, group, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        struct rule_part *part = is_of_cookie(rule, cookie)
                                     ? rule_part_lookup(rule, sw->dpid)
                                     : NULL;
        struct part_port *port = part ? find_port(part, in_port) : NULL;
        port = part && !port ? find_port(part, 0) : port;
        if (port) {
            set_learning(sw->ctl, rule, part, port, false);
        }
    }
}

void
route_restore(struct ctl_switch *sw, const struct ofp_adopted *entry)
{
    struct route_walk walk;
    struct rule *rule =
        route_index_first(sw->ctl, &entry->match.ip_dst, &walk);
    for (; rule; rule = route_index_next(&walk)) {
        struct rule_part *part =
            is_of_cookie(rule, entry->cookie) && rule->quiet_until
                ? rule_part_get(rule, sw->dpid)
                : NULL;
        if (part) {
            get_port(rule, part, port_of(&entry->match))->learning |=
                entry->punts;
            unicast_restore(sw, rule->route, entry);
        }
    }
}
