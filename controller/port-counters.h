/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_PORT_COUNTERS_H
#define CONTROLLER_PORT_COUNTERS_H 1

/* What the switches count at their ports: asked of each every few seconds,
 * with one request for all its ports.  They are the ports' own, whatever goes
 * through: no stream's and no route's.
 *
 * What a port of the userspace datapath loses because its socket's buffer is
 * full is not among them: the kernel counts that at the socket, and Open
 * vSwitch does not pass it on (netdev-linux.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/view.h"

struct ctl;
struct ctl_switch;

enum {
    PORT_COUNTERS_MS = 5000,         /* Between two requests... */
    PORT_COUNTERS_PORT_MS = 10,      /* ...and so much more for each port. */
    PORT_COUNTERS_ANSWER_MS = 30000, /* Then it is asked again. */
    PORT_COUNTERS_RECENT_MS = 60000
};

void port_counters_create(struct ctl_switch *);
void port_counters_destroy(struct ctl_switch *);
void port_counters_connected(struct ctl_switch *);
void port_counters_closed(struct ctl_switch *);
void port_counters_port_gone(struct ctl_switch *, uint32_t no);
/* A reply of the switch.  False if it answers something else. */
bool port_counters_input(struct ctl_switch *, const void *msg, size_t size);

/* NULL: not told yet.  Lives until the switch is heard again. */
const struct view_port_counters *port_counters_get(const struct ctl *,
                                                   const struct port_id *);

/* What a port lost lately, while the daemon looked: drops and errors. */
struct port_losses {
    uint64_t rx, tx;
    int64_t ms; /* In so long: half of PORT_COUNTERS_RECENT_MS to all. */
};

/* False if it is not known. */
bool port_counters_losses(const struct ctl *, const struct port_id *,
                          struct port_losses *);

#endif
