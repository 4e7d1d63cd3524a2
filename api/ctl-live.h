/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_LIVE_H
#define API_CTL_LIVE_H 1

/* "explain --live": prints the packets that came.  NULL: none were asked
 * for. */

struct cJSON;

void ctl_print_live(const struct cJSON *live);

#endif
