/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_VIEW_ROUTE_H
#define CONTROLLER_VIEW_ROUTE_H 1

/* For view-switch.c: what is told of a route on each switch. */

#include "controller/ctl-private.h"
#include "controller/view.h"

/* Fills in 'route' of the statuses of a route; they take it along until
 * view_route_free(), which frees no status. */
void view_route_fill(struct ctl *, const struct rule *,
                     struct view_status *statuses, size_t n);
void view_route_free(struct view_status *statuses, size_t n);

#endif
