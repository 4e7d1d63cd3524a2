/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/oracle.h"

/* Flows whose end was told by one switch and not yet by the other.
 *
 * A real one tells it when nothing refers to the flow any more, from a thread
 * that waits for all others: before the reply to a barrier or long after it,
 * and in any order.  So these messages are counted, not lined up: each text
 * with how many more times the real switch has said it. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <openvswitch/dynamic-string.h>
#include <openvswitch/ofp-monitor.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/shash.h>

enum { FLOW_REMOVED = 11 };

/* All that is told of it but how long it lived. */
static char *
describe(const struct ofp_header *oh)
{
    struct ofputil_flow_removed fr;
    struct ds text = DS_EMPTY_INITIALIZER;

    if (ofputil_decode_flow_removed(&fr, oh)) {
        oracle_die("undecodable end of a flow");
    }
    fr.duration_sec = fr.duration_nsec = 0;
    ofputil_flow_removed_format(&text, &fr, NULL, NULL);
    return ds_steal_cstr(&text);
}

bool
oracle_removed_note(struct shash *removed, const struct ofp_header *oh,
                    bool real)
{
    if (oh->type != FLOW_REMOVED) {
        return false;
    }

    char *text = describe(oh);
    struct shash_node *node = shash_find(removed, text);
    intptr_t n = (node ? (intptr_t) node->data : 0) + (real ? 1 : -1);

    if (!n) {
        shash_delete(removed, node);
    } else {
        shash_replace(removed, text, (void *) n);
    }
    free(text);
    return true;
}

void
oracle_removed_print(const struct shash *removed)
{
    struct shash_node *node;

    SHASH_FOR_EACH(node, removed)
    {
        intptr_t n = (intptr_t) node->data;

        fprintf(stderr, "%s says %" PRIdPTR " more times:%s\n",
                n > 0 ? "OVS" : "the fake", n > 0 ? n : -n, node->name);
    }
}
