/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_REPLY_H
#define CONTROLLER_ROUTE_REPLY_H 1

/* Replies to the source that a route gives a stream ("reply_to"): see
 * route-reply.c. */

#include <stdbool.h>
#include <stddef.h>

#include "controller/neighbours.h"
#include "controller/route-build.h"

/* A device, and the address that receivers know it by; each in its vlan. */
struct route_reply {
    struct neighbour_key device;
    struct neighbour_key source;
};

/* Those that a route has on a switch, as far as their ports are there. */
typedef void route_reply_cb(void *aux, const struct route_reply *);
void route_each_reply(const struct ctl_switch *, const struct rule *,
                      route_reply_cb *, void *aux);
/* Does it concern one of them that this neighbour has changed? */
bool route_replies_to(const struct ctl_switch *, const struct rule *,
                      const struct neighbour_key *);

/* Their flows. */
void route_reply_compile(struct route_build *);
/* The flow that packets to the source meet if they come in there.  False: the
 * switch has none. */
bool route_reply_find_flow(const struct ctl_switch *, const struct rule *,
                           const struct route_reply *,
                           const struct port_id *in, struct ofp_entry_view *,
                           struct ofp_match *);
/* The switch has this one, from before a restart. */
void route_reply_restore(struct ctl_switch *, const struct ofp_adopted *);

/* Can it not be told whose replies are whose, if this route comes to those
 * that are there?  Says 'why', in at most 'size' bytes. */
enum { ROUTE_REPLY_WHY_SIZE = 200 };
bool route_reply_refused(const struct ctl *, const struct route *, char *why,
                         size_t size);
/* Marks the routes that may have flows in common with this one, which comes or
 * goes. */
void routes_mark_replying(struct ctl *, const struct route *);

#endif
