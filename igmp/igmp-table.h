/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_TABLE_H
#define IGMP_TABLE_H 1

/* Where a vlan's groups, ports and (group, port) machines stand.
 *
 * Groups are hashed by address.  The members of a group stand in an array
 * sorted by port: one or two in most groups, where nothing beats an array, and
 * the ports of one switch side by side in big ones, which is what the compiler
 * of groups asks for.  A port knows its members, for when it goes away.
 *
 * Ownership: the table owns all of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "igmp/igmp-group.h"
#include "igmp/igmp-hosts.h"
#include "igmp/igmp-routers.h"
#include "lib/mcaddr.h"
#include "lib/timer-heap.h"
#include "lib/xalloc.h"

/* The library's way out of memory is ours: to abort.  Its keys here are all of
 * 16 bytes, for which there is a quicker hash than its own. */
#define uthash_malloc(SIZE) xmalloc(SIZE)
#define HASH_FUNCTION(KEY, SIZE, HASH)                                        \
    do {                                                                      \
        _Static_assert((SIZE) == 16, "key size");                             \
        (HASH) = igmp_table_hash(KEY);                                        \
    } while (0)
#include <uthash.h>

static inline unsigned int
igmp_table_hash(const void *key)
{
    uint64_t x[2];

    memcpy(x, key, sizeof x);
    x[0] = (x[0] ^ (x[1] << 31 | x[1] >> 33)) + x[1];
    x[0] = (x[0] ^ x[0] >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x[0] = (x[0] ^ x[0] >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (unsigned int) (x[0] ^ x[0] >> 33);
}

struct igmp_port {
    struct port_id id;
    UT_hash_handle hh;
    struct igmp_member *members; /* Linked by prev, next; see utlist. */

    struct timer_node timer; /* The earlier of the two below. */
    int64_t next_query;      /* Of the burst after it came up. */
    int64_t router_until;    /* INT64_MAX: not a router port; else of its
                              * signs, INT64_MAX - 1 if none runs out. */
    struct igmp_routers routers;
    struct igmp_port *prev_router, *next_router; /* If it is one. */
    int burst_left;

    const struct igmp_port_config *config; /* NULL: to be asked for. */
    uint32_t n_groups, n_hosts;            /* Learned. */
    struct igmp_quota sources, host_sources;
    unsigned int warned; /* Bits: guards near their limits. */
};

struct igmp_member {
    struct igmp_group group; /* The machine. */
    struct igmp_entry *entry;
    struct igmp_port *port;
    struct igmp_member *prev, *next; /* Of the same port. */
    struct igmp_filter *fixed;       /* The operator's, NULL if none. */
    struct timer_node timer;
};

struct igmp_special {
    struct ip_addr source;
    uint32_t n; /* Members that treat it specially. */
};

struct igmp_slot {
    struct port_id port; /* A copy: the search stays inside the array. */
    struct igmp_member *member;
};

/* A group: it exists while it has members. */
struct igmp_entry {
    struct ip_addr address;
    struct igmp_slot *slots;       /* Sorted by port. */
    struct igmp_special *specials; /* Sorted by source. */
    uint32_t n_slots, n_specials;
    uint32_t n_unicast; /* Members whose hosts get copies of their own. */
    UT_hash_handle hh;
};

struct igmp_table {
    struct igmp_entry *entries;
    struct igmp_port *ports;
    struct igmp_port *routers; /* Those of them that are router ports. */
    size_t n_members;
    struct igmp_hosts hosts;
    struct timer_heap member_timers, port_timers;
};

void igmp_table_init(struct igmp_table *);
void igmp_table_uninit(struct igmp_table *);

struct igmp_port *igmp_table_lookup_port(const struct igmp_table *,
                                         const struct port_id *);
struct igmp_port *igmp_table_get_port(struct igmp_table *,
                                      const struct port_id *);
/* It must have no members any more. */
void igmp_table_remove_port(struct igmp_table *, struct igmp_port *);
/* INT64_MAX: it is no router port.  Arm its timer after that. */
void igmp_table_set_router(struct igmp_table *, struct igmp_port *,
                           int64_t until);
/* Arms the port's timer. */
void igmp_table_arm_port(struct igmp_table *, struct igmp_port *);

struct igmp_entry *igmp_table_lookup(const struct igmp_table *,
                                     const struct ip_addr *group);
struct igmp_member *igmp_table_lookup_member(const struct igmp_entry *,
                                             const struct port_id *);
/* Does every member want everything, in one copy?  Then there is no need to
 * look at them, who are all over the memory. */
static inline bool
igmp_entry_is_plain(const struct igmp_entry *entry)
{
    return !entry->n_specials && !entry->n_unicast;
}
/* Of the first member of switch 'dpid' or a higher one. */
size_t igmp_table_first_slot(const struct igmp_entry *, uint64_t dpid);
/* Makes the group if there is none: 'entry' is NULL.  The caller has looked
 * both up. */
struct igmp_member *igmp_table_add_member(struct igmp_table *,
                                          struct igmp_entry *entry,
                                          const struct ip_addr *group,
                                          struct igmp_port *);
/* And the group if it was its last.  The machine must be uninit, specials of
 * a static member taken back. */
void igmp_table_remove_member(struct igmp_table *, struct igmp_member *);

void igmp_table_special(struct igmp_entry *, const struct ip_addr *source,
                        int delta);

#endif
