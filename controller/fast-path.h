/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FAST_PATH_H
#define CONTROLLER_FAST_PATH_H 1

/* Whether a group stays on Open vSwitch's fast path.
 *
 * The datapath's list of actions for one packet holds 65,531 bytes and, unless
 * somebody raised net.core.netdev_max_backlog, 1,000 outputs.  Past either,
 * every packet is translated anew in userspace: all receivers are served, but
 * slowly (measured on 3.1: see doc/measured.md). */

#include <stdbool.h>
#include <stddef.h>

#include "ofp/ofp-flow.h"

enum { FAST_PATH_OUTPUTS = 1000, FAST_PATH_BYTES = 65531 };

/* Bytes of datapath actions for these buckets, in this order: equal rewrites
 * side by side are done once. */
size_t fast_path_bytes(const struct ofp_bucket *, size_t n);
bool fast_path_fits(const struct ofp_bucket *, size_t n);

#endif
