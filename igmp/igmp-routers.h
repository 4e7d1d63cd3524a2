/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_ROUTERS_H
#define IGMP_ROUTERS_H 1

/* Why one port is a router port: the routers that showed themselves there,
 * each sign with its own lifetime, and what the operator says.
 *
 * Each router is remembered by its address, so that one that says goodbye
 * (RFC 4286 5, PIM holdtime 0) takes only its own signs along and not those of
 * another one behind the same port.
 *
 * Limits: IGMP_MAX_ROUTERS signs; the one that would run out first makes
 * room, which loses nothing as long as the port has others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { IGMP_MAX_ROUTERS = 16 };

/* X(symbol, name that users see). */
#define IGMP_WHYS                                                             \
    X(IGMP_WHY_QUERY, "query")                                                \
    X(IGMP_WHY_PIM, "pim")                                                    \
    X(IGMP_WHY_MRD, "mrd")                                                    \
    X(IGMP_WHY_RESTORED, "restored")                                          \
    X(IGMP_WHY_FIXED, "static")

enum igmp_why {
#define X(SYMBOL, NAME) SYMBOL,
    IGMP_WHYS
#undef X
        IGMP_N_WHYS
};

const char *igmp_why_name(enum igmp_why);

struct igmp_router {
    struct ip_addr ip;
    enum igmp_why why;
    int64_t until; /* INT64_MAX: for ever. */
};

struct igmp_routers {
    struct igmp_router *list; /* NULL while there are none. */
    size_t n;
    int64_t goodbye_until; /* So long none goes at once. */
    bool fixed;            /* By the operator, as a router port. */
    bool by_role;          /* By the port's configured role. */
};

/* All zero is a port without routers.  Frees the list. */
void igmp_routers_clear(struct igmp_routers *);
void igmp_routers_hear(struct igmp_routers *, const struct ip_addr *,
                       enum igmp_why, int64_t until);
/* 'ip' goes away, with all its signs: at once, but not sooner than
 * IGMP_GOODBYE_INTERVAL after the last router of the port has gone so, or
 * anybody could make the port come and go with every other frame. */
enum { IGMP_GOODBYE_INTERVAL = 10 * 1000 };
void igmp_routers_goodbye(struct igmp_routers *, const struct ip_addr *ip,
                          int64_t now);
void igmp_routers_expire(struct igmp_routers *, int64_t now);

/* INT64_MAX: no router port.  Else the next time at which a sign runs out, at
 * most INT64_MAX - 1. */
int64_t igmp_routers_until(const struct igmp_routers *);
/* The sign that lasts longest, NULL if none was learned. */
const struct igmp_router *igmp_routers_last(const struct igmp_routers *);

#endif
