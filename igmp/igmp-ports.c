/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <utlist.h>

#include "igmp/igmp-snoop-private.h"

/* Ports: those that lead to routers, and those that come and go. */

/* Router ports. */

void
igmp_router_ports_changed(struct igmp_snoop *s, const struct port_id *port)
{
    igmp_proxy_router_changed(s, port);
    s->ops.router_ports_changed(s->aux, port);
}

void
igmp_settle_router_port(struct igmp_snoop *s, struct igmp_port *port)
{
    enum igmp_role role = igmp_port_settings(s, port)->role;
    bool was = port->router_until != INT64_MAX;

    if (role == IGMP_ROLE_HOST && port->routers.n) {
        /* What was learned before it became a guarded port. */
        igmp_routers_clear(&port->routers);
        igmp_querier_port_down(&s->querier, &port->id, s->now);
    }
    port->routers.by_role = role == IGMP_ROLE_ROUTER;

    int64_t until = igmp_routers_until(&port->routers);
    igmp_table_set_router(&s->table, port, until);
    igmp_table_arm_port(&s->table, port);
    if (was != (until != INT64_MAX)) {
        igmp_router_ports_changed(s, &port->id);
    }
}

/* RFC 4541 2.1.1: where queries come from is where routers are, and where they
 * show themselves otherwise. */
void
igmp_hear_router(struct igmp_snoop *s, struct igmp_port *port,
                 const struct igmp_msg *msg)
{
    struct igmp_routers *r = &port->routers;
    int64_t lifetime = msg->kind == IGMP_QUERY
                           ? igmp_querier_other_present(&s->querier)
                           : msg->lifetime_ms;
    int64_t until =
        lifetime < INT64_MAX - s->now ? s->now + lifetime : INT64_MAX;

    if (!lifetime) {
        igmp_routers_goodbye(r, &msg->ip_src, s->now);
    } else {
        igmp_routers_hear(r, &msg->ip_src,
                          msg->kind == IGMP_QUERY       ? IGMP_WHY_QUERY
                          : msg->kind == IGMP_PIM_HELLO ? IGMP_WHY_PIM
                                                        : IGMP_WHY_MRD,
                          until);
    }
    igmp_settle_router_port(s, port);
}

void
igmp_run_port(struct igmp_snoop *s, struct igmp_port *port)
{
    if (port->next_query <= s->now) {
        port->next_query = INT64_MAX;
        if (s->querier.ours) {
            igmp_send_general_query(s, &port->id);
            if (--port->burst_left > 0) {
                port->next_query =
                    s->now + igmp_querier_startup_interval(&s->querier);
            }
        }
    }

    igmp_routers_expire(&port->routers, s->now);
    igmp_settle_router_port(s, port);
}

/* Ports. */

void
igmp_snoop_port_up(struct igmp_snoop *s, const struct port_id *id, int64_t now)
{
    struct igmp_port *port = igmp_table_get_port(&s->table, id);

    s->now = now;
    port->burst_left = igmp_querier_robustness(&s->querier);
    port->next_query = now;
    igmp_run_port(s, port);
}

void
igmp_snoop_port_down(struct igmp_snoop *s, const struct port_id *id,
                     int64_t now)
{
    struct igmp_port *port = igmp_table_lookup_port(&s->table, id);
    struct igmp_member *m, *next;

    s->now = now;
    if (!port) {
        return;
    }
    DL_FOREACH_SAFE (port->members, m, next) {
        if (igmp_member_is_learned(m)) {
            igmp_forget_learned(s, m, IGMP_END_PORT);
        }
    }

    igmp_querier_port_down(&s->querier, id, now);
    igmp_proxy_port_down(s, id);
    igmp_routers_clear(&port->routers);
    port->next_query = INT64_MAX;
    if (port->routers.fixed || port->members) { /* The operator's. */
        igmp_settle_router_port(s, port);
        return;
    }

    bool was_router = port->router_until != INT64_MAX;
    struct port_id copy = port->id;
    igmp_table_remove_port(&s->table, port);
    if (was_router) {
        igmp_router_ports_changed(s, &copy);
    }
}

void
igmp_snoop_restore_router_port(struct igmp_snoop *s, const struct port_id *id,
                               int64_t now)
{
    struct igmp_port *port = igmp_table_get_port(&s->table, id);

    s->now = now;
    if (!port->routers.n) {
        igmp_routers_hear(&port->routers, &IP_ADDR_ANY, IGMP_WHY_RESTORED,
                          now + igmp_querier_other_present(&s->querier));
    }
    igmp_settle_router_port(s, port);
}

void
igmp_snoop_set_static_router(struct igmp_snoop *s, const struct port_id *id,
                             bool is_router, int64_t now)
{
    struct igmp_port *port = igmp_table_get_port(&s->table, id);

    s->now = now;
    port->routers.fixed = is_router;
    igmp_settle_router_port(s, port);
}
