/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_POOLS_H
#define CONTROLLER_POOLS_H 1

/* Pools of sources: devices that all have the same address get one of their
 * own each, by the port at which they are.
 *
 * A pool is a prefix, of IPv6 its lowest 2^32 addresses.  Routes with the same
 * pool share it: a port has one address there, whichever of them its packets
 * meet.  It keeps that while there is such a route that names the port,
 * whatever becomes of the port, of its number, of the switch, the daemon or
 * the machine: what was given is in the store (STORE_POOL, one row a pool)
 * before it is used.  When the last such route goes the address is free; it is
 * given to another port when no address is left that nobody ever had, the one
 * that has been free for longest first, and until then the port would get it
 * back.
 *
 * An address is given by one pool only, where pools overlap.  The lowest and
 * the highest of a prefix are not given, unless it has but two: hosts take
 * these for the net itself and for its broadcast. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/mcaddr.h"

struct ctl;
struct topo_port;

void pools_load(struct ctl *);
void pools_destroy(struct ctl *);
/* Frees what no route gives any more; true if there was something: ports may
 * wait for that. */
bool pools_sweep(struct ctl *);

/* The port is to have an address: in memory, until pool_keep() has stored it
 * with all others. */
void pool_reserve(struct ctl *, const struct ip_prefix *pool, uint64_t dpid,
                  const struct topo_port *);
void pool_keep(struct ctl *, const struct ip_prefix *pool);
/* The port's address.  False if there was none left, or it is not stored. */
bool pool_get(const struct ctl *, const struct ip_prefix *pool, uint64_t dpid,
              const struct topo_port *, struct ip_addr *);

#endif
