/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_LEARN_H
#define CONTROLLER_ROUTE_LEARN_H 1

/* Which flows of a route punt, so that their sources become known: for
 * routes.c and rules.c.  (What the rest calls stands in ctl-private.h.) */

#include "controller/ctl-private.h"

/* Is the flow of that match to punt? */
bool route_is_learning(const struct rule *, struct rule_part *,
                       const struct ofp_match *);
/* The route has become another one. */
void route_forget_sources(struct rule *);

#endif
