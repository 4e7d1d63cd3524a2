/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop-private.h"

/* What a port may do, and who is told when it may not. */

enum { TELL_INTERVAL = 1000 };

const struct igmp_port_config igmp_port_config_default = {
    .leave = IGMP_LEAVE_QUERY};

const struct igmp_port_config *
igmp_port_settings(struct igmp_snoop *s, struct igmp_port *port)
{
    if (!port->config && s->ops.port_config) {
        port->config = s->ops.port_config(s->aux, &port->id);
    }
    if (!port->config) {
        port->config = &igmp_port_config_default;
    }
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
    int64_t *told = &port->guard_told[event->guard];

    if (s->ops.guarded
        && (*told == INT64_MIN || s->now - *told >= TELL_INTERVAL)) {
        *told = s->now;
        s->ops.guarded(s->aux, &port->id, event);
    }
}
