/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_METRICS_H
#define API_API_METRICS_H 1

/* Prometheus text format 0.0.4.
 *
 * The number of series depends on the number of switches and of IGMP error
 * kinds, never on groups, members or streams, so that a flood of joins does
 * not become a flood in the monitoring. */

#include <stddef.h>

struct ctl;

extern const char API_METRICS_TYPE[]; /* The Content-Type. */

/* For free(). */
char *api_metrics(struct ctl *, size_t *size);

#endif
