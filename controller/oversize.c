/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Groups that have too many copies: for the switch's fast path, or at all. */

#include "controller/ctl-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fast-path.h"
#include "lib/xalloc.h"

enum { MAX_OVERSIZE = 64 }; /* Somebody who has so many knows. */

static struct oversize *
find(const struct ctl_switch *sw, uint8_t table, uint16_t priority,
     const struct ofp_match *match)
{
    for (size_t i = 0; i < sw->n_oversize; i++) {
        struct oversize *o = &sw->oversize[i];
        if (o->table == table && o->priority == priority
            && !memcmp(&o->match, match, sizeof *match)) {
            return o;
        }
    }
    return NULL;
}

static void
drop(struct ctl_switch *sw, struct oversize *o)
{
    *o = sw->oversize[--sw->n_oversize];
}

void
oversize_note(struct ctl_switch *sw, const struct ofp_flow *flow,
              const struct ofp_bucket *buckets, size_t n, const char *error)
{
    bool is_one = error || !fast_path_fits(buckets, n);
    struct oversize *o =
        is_one || sw->n_oversize
            ? find(sw, flow->table, flow->priority, &flow->match)
            : NULL;
    if (!is_one && o) {
        drop(sw, o);
    } else if (is_one && !o && sw->n_oversize < MAX_OVERSIZE) {
        sw->oversize = xgrow(sw->oversize, sw->n_oversize,
                             &sw->allocated_oversize, sizeof *sw->oversize);
        o = &sw->oversize[sw->n_oversize++];
    }
    if (is_one && o) {
        *o = (struct oversize){.dpid = sw->dpid,
                               .table = flow->table,
                               .priority = flow->priority,
                               .match = flow->match,
                               .n_copies = n,
                               .bytes = fast_path_bytes(buckets, n)};
        snprintf(o->error, sizeof o->error, "%s", error ? error : "");
    }
}

/* Is there a route that the switch could not be given? */
static bool
has_rejected_route(const struct ctl_switch *sw)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_ROUTE], rule, tmp) {
        const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (!rule->gone && part && part->rejected) {
            return true;
        }
    }
    return false;
}

/* What was refused may have had no earlier state; a route's refused write is
 * taken back. */
static bool
is_wanted(const struct ctl_switch *sw, const struct oversize *o)
{
    return *o->error && (o->table != TABLE_ROUTE || has_rejected_route(sw));
}

size_t
oversize_list(struct ctl_switch *sw)
{
    for (size_t i = 0; i < sw->n_oversize;) {
        struct oversize *o = &sw->oversize[i];
        struct ofp_entry_view view;
        if (!is_wanted(sw, o)
            && !ofp_table_lookup(sw->table, o->table, o->priority, &o->match,
                                 &view)) {
            drop(sw, o);
        } else {
            i++;
        }
    }
    return sw->n_oversize;
}
