/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_GUARDS_H
#define CONTROLLER_GUARDS_H 1

/* What keeps one port from harming the others, as far as the switch's meters
 * (pipeline.c) and the limits of the machines (igmp-limits.c) do not: a fair
 * share of our time, and telling people what was refused.
 *
 * A port may send 'max_reports' messages a second over all its vlans, and as
 * many at once after a second of rest; a long message, of many records, counts
 * as several.  The meter in the switch stands a
 * little higher, so that a flood is seen here too and can be told.
 *
 * Events, of a (port, guard) at most one a second: "guard.limit" (a table
 * limit), "guard.watermark" (80 % of one), "guard.denied" (a group that may
 * not be joined, a query from a host port), "guard.rate" (on entering and
 * leaving the state of sending too much).  Everything that is refused is
 * counted; nothing is ever switched off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"

struct config;
struct ctl;
struct guard_port;
struct topo_port;

/* May this message of 'size' bytes be looked at?  False: it is counted as one
 * too many.  False also if the switch has no such port. */
bool guard_admit(struct ctl *, const struct port_id *, size_t size,
                 int64_t now);
/* A machine of 'vlan' refused something. */
void guard_tell(struct ctl *, uint16_t vlan, const struct port_id *,
                const struct igmp_guard_event *, int64_t now);

/* What the port may send may have changed: it is new, has another name, or the
 * configuration is new. */
void guard_port_changed(struct ctl *, const struct port_id *);
void guard_port_gone(struct ctl *, const struct port_id *);
/* Packets a second that the port's meter shall let pass; 0: no meter. */
uint32_t guard_meter_rate(const struct config *, uint64_t dpid,
                          const struct topo_port *);
void guards_reconfigure(struct ctl *);
void guards_init(struct ctl *);
void guards_destroy(struct ctl *);

#endif
