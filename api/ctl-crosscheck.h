/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_CROSSCHECK_H
#define API_CTL_CROSSCHECK_H 1

/* Compares what ofmcast means a switch to do with what Open vSwitch says
 * that it does. */

struct cJSON;
struct ctl_options;

/* Runs "ovs-appctl ofproto/trace" for the packet of 'o' where that can be
 * reached, and compares the ports of 'explanation' (GET /v1/explain) with
 * those where copies leave.  Adds the member "trace" to 'explanation', which
 * owns it, and returns it: "agrees" (null: could not be compared), "text",
 * and if there was a trace "flow", "actions", "megaflow", "missing" and
 * "extra" (names of ports). */
const struct cJSON *ctl_crosscheck(const struct ctl_options *,
                                   struct cJSON *explanation);

#endif
