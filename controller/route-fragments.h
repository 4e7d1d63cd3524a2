/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_FRAGMENTS_H
#define CONTROLLER_ROUTE_FRAGMENTS_H 1

/* What becomes of fragments on a route: see doc/fragments.md. */

#include <stdbool.h>
#include <stddef.h>

#include "controller/route-build.h"
#include "ofp/ofp-flow.h"

/* Why the rewriting of 'flow' and of one of its copies (each on top of the
 * flow's) could damage fragments on Open vSwitch's userspace datapath, which
 * "corrects" bytes 6 and 7 of a later fragment as if they were a UDP checksum,
 * of IPv4 alone; NULL if it cannot.  Pure. */
const char *route_fragments_danger(const struct ofp_flow *,
                                   const struct ofp_bucket *, size_t n);

/* May "fragments": "pass" of a route that comes not be taken, as a switch that
 * it concerns would damage them?  Says 'why', in at most 'size' bytes. */
enum { ROUTE_FRAGMENTS_WHY_SIZE = 384 };
bool route_fragments_refused(const struct ctl *, const struct route *,
                             char *why, size_t size);

/* Could a fragment of the one also be of the other, by all but UDP ports? */
bool route_fragments_meet(const struct ctl *, const struct route *,
                          const struct route *);

/* Sets the companion in TABLE_FRAGMENTS of 'flow', which the route has in
 * TABLE_ROUTE. */
void route_set_fragments(struct route_build *, const struct ofp_flow *,
                         const struct ofp_bucket *, size_t n);

#endif
