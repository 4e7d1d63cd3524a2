/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_HOSTS_H
#define IGMP_HOSTS_H 1

/* The hosts of a vlan, each with what it wants itself.
 *
 * A host is a MAC address on a port: one that speaks on two ports is two of
 * them.  It exists while it wants something.  What it wants of one group is a
 * wish: its own filter, which may be narrower than that of the (group, port),
 * where the filters of all hosts are merged (RFC 3376 6.2) and where those
 * count that we do not know of, because another spoke for them (report
 * suppression of IGMPv1 and v2).
 *
 * Ownership: a wish belongs to its group, a host to the index. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-group.h"
#include "lib/mcaddr.h"

struct igmp_port;

/* Where a host was before it moved. */
struct igmp_former {
    struct port_id port;
    int64_t until; /* When that does not matter any more. */
    int n_moves;   /* As long as it did. */
};

struct igmp_host {
    struct mac_addr mac;
    uint8_t version; /* Of its last report. */
    struct ip_addr ip;
    struct igmp_port *port;
    struct igmp_host *next;   /* In the index. */
    struct igmp_wish *wishes; /* Linked by next, pprev. */
    int64_t last_report;
    struct igmp_former *former; /* NULL: it has not moved. */
    uint32_t n_wishes;
    uint32_t departure; /* It seems to have gone: igmp-moves.c.  0: no. */
};

/* What a host wants of one group. */
struct igmp_wish {
    struct igmp_host *host;
    struct igmp_group *group;
    struct igmp_wish *next, **pprev; /* Of the same host. */
    struct ip_addr *sources;         /* Sorted. */
    int64_t last_report;
    uint16_t n_sources;
    uint8_t version; /* Of its last report. */
    bool exclude;
    uint8_t n_asked; /* Queries to it alone since that report. */
};

/* The index. */
struct igmp_hosts {
    struct igmp_host **buckets;
    size_t n, n_buckets; /* A power of two. */
};

void igmp_hosts_uninit(struct igmp_hosts *); /* It must be empty. */
struct igmp_host *igmp_hosts_lookup(const struct igmp_hosts *,
                                    const struct mac_addr *,
                                    const struct igmp_port *);
/* The first, or the next after 'host', of those with this MAC address. */
struct igmp_host *igmp_hosts_same(const struct igmp_hosts *,
                                  const struct mac_addr *,
                                  const struct igmp_host *after);
/* It must not be there yet, and must get a wish. */
struct igmp_host *igmp_hosts_add(struct igmp_hosts *, const struct mac_addr *,
                                 struct igmp_port *);
/* Counts one wish less; the host goes with the last one. */
void igmp_hosts_release(struct igmp_hosts *, struct igmp_host *);

/* Those behind one (group, port).  All of them set 'ctx->hosts_changed' where
 * a filter changes, and tell 'ctx->special' of sources that a host with a copy
 * of its own treats specially. */
/* Sorted by MAC. */
struct igmp_wish *const *igmp_hosts_wishes(const struct igmp_group *);
struct igmp_wish *igmp_hosts_find(const struct igmp_group *,
                                  const struct mac_addr *);
/* It must not be there yet; the group must have room for it. */
struct igmp_wish *igmp_hosts_add_wish(struct igmp_group *,
                                      struct igmp_group_ctx *,
                                      struct igmp_host *);
/* Its host goes with its last wish. */
void igmp_hosts_remove_wish(struct igmp_group *, struct igmp_group_ctx *,
                            struct igmp_wish *);
void igmp_hosts_forget_all(struct igmp_group *, struct igmp_group_ctx *);
void igmp_hosts_set_filter(struct igmp_group *, struct igmp_group_ctx *,
                           struct igmp_wish *, bool exclude,
                           const struct ip_addr *sources, size_t n);
/* A record came from its host.  If it wants nothing any more, it goes. */
void igmp_hosts_report(struct igmp_group *, struct igmp_group_ctx *,
                       struct igmp_wish *, int version, uint8_t type,
                       const struct ip_addr *sources, size_t n);
/* Those that have not reported for a membership interval go. */
void igmp_hosts_expire(struct igmp_group *, struct igmp_group_ctx *);
/* Asks the next of those that have been silent for too long. */
void igmp_hosts_ask(struct igmp_group *, struct igmp_group_ctx *);

/* Does it want 'source' (IP_ADDR_ANY: one that no filter names)? */
bool igmp_wish_wants(const struct igmp_wish *, const struct ip_addr *source);
/* Does any of them? */
bool igmp_hosts_want(const struct igmp_group *, const struct ip_addr *source);
/* Whoever wants only some sources did not matter as long as others wanted them
 * all (INCLUDE (A) x TO_EX (B): Delete (A-B)): takes them into the group. */
void igmp_hosts_want_listed(struct igmp_group *, struct igmp_group_ctx *);
/* Tells 'ctx->special' of all sources that their filters name. */
void igmp_hosts_tell(const struct igmp_group *, struct igmp_group_ctx *,
                     int delta);

#endif
