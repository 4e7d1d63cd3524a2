/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_OUTPUTS_H
#define CONTROLLER_ROUTE_OUTPUTS_H 1

/* Where the copies of a route go, on one switch, and how many there were.
 *
 * A switch counts packets by flow; its buckets all count the same, and from
 * zero again whenever their group is changed (ovs-facts.md section 6).  So it
 * is remembered how far the flow had counted when a copy came into its group:
 * what it counts from there on, that copy got.  That is what was sent to the
 * port, not what left it; and a copy that goes and comes back begins anew.
 *
 * The counts are those of the last poll: a copy's first half second may be
 * the flow's.
 *
 * A plain route has no group: its copies are those of the channels that it
 * leads to, looked up again when one of these has changed. */

#include "controller/route-build.h"
#include "controller/view.h"

struct part_output {
    uint32_t port;
    unsigned int note;          /* BUCKET_*. */
    uint64_t before;            /* What the flow had counted when it came. */
    struct ofp_rewrite rewrite; /* On top of the flow's. */
};

/* Those of one flow. */
struct part_outputs {
    struct rule_flow flow;
    uint64_t hash;     /* Of the flow. */
    bool counted;      /* The flow counts nothing but them. */
    struct channel in; /* What its packets are known to be. */
    struct ofp_rewrite rewrite;
    struct part_output *list; /* As buckets are sorted. */
    size_t n;
};

/* The part has this flow, with these buckets. */
void route_outputs_add(struct route_build *, const struct ofp_flow *,
                       const struct channel *in, const struct bucket_list *);
/* It has all of them: they take over what 'old' knew, which is freed. */
void route_outputs_finish(struct ctl_switch *, const struct rule *,
                          struct rule_part *, struct rule_part *old);
void route_outputs_free(struct rule_part *);

/* Counters have come in. */
void route_outputs_counted(struct ctl_switch *, int64_t now);

/* The copies as they are, by port; '*outputs' is for
 * route_outputs_view_free(). */
size_t route_outputs_view(struct ctl_switch *, const struct rule *,
                          struct rule_part *, struct view_output **outputs);
void route_outputs_view_free(struct view_output *, size_t n);

#endif
