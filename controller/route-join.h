/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_JOIN_H
#define CONTROLLER_ROUTE_JOIN_H 1

/* Upstream joins of routes. */

#include "controller/ctl-private.h"

/* Does the route ask for its stream upstream? */
bool route_joins(const struct route *);
/* The route comes or goes. */
void routes_join_again(struct ctl *, const struct route *);
/* Tells the vlans' machines what routes ask for, as far as that may have
 * changed.  Once a turn. */
void routes_join(struct ctl *);

#endif
