/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What is told of a route beside its state: see struct view_route_status. */

#include "controller/view-route.h"

#include <stdlib.h>

#include "controller/route-match.h"
#include "controller/route-outputs.h"
#include "controller/route-wrong.h"
#include "lib/xalloc.h"

void
view_route_fill(struct ctl *ctl, const struct rule *rule,
                struct view_status *statuses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ctl_switch *sw = switch_lookup(ctl, statuses[i].dpid);
        struct rule_part *part =
            sw ? rule_part_lookup(rule, statuses[i].dpid) : NULL;
        struct view_route_status *r = xcalloc(1, sizeof *r);
        statuses[i].route = r;
        r->priority = route_priority(rule->route);
        if (part) {
            r->wrong_port_packets = route_wrong_packets(sw, part);
            r->packets_per_s = part->count.packets_per_s;
            r->bits_per_s = part->count.bits_per_s;
            r->n_outputs = route_outputs_view(sw, rule, part, &r->outputs);
        }
    }
}

void
view_route_free(struct view_status *statuses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (statuses[i].route) {
            route_outputs_view_free(statuses[i].route->outputs,
                                    statuses[i].route->n_outputs);
            free(statuses[i].route);
        }
    }
}
