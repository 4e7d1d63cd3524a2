/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-routers.h"

#include <stdlib.h>

#include "lib/xalloc.h"

const char *
igmp_why_name(enum igmp_why why)
{
    static const char *const names[] = {
#define X(SYMBOL, NAME) NAME,
        IGMP_WHYS
#undef X
    };

    return (unsigned int) why < IGMP_N_WHYS ? names[why] : "?";
}

void
igmp_routers_clear(struct igmp_routers *r)
{
    free(r->list);
    r->list = NULL;
    r->n = 0;
}

static void
remove_at(struct igmp_routers *r, size_t i)
{
    r->list[i] = r->list[--r->n];
    if (!r->n) {
        igmp_routers_clear(r);
    }
}

/* Where the sign stands, or a new one may. */
static struct igmp_router *
place_for(struct igmp_routers *r, const struct ip_addr *ip, enum igmp_why why)
{
    size_t soonest = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (r->list[i].why == why && ip_addr_equal(&r->list[i].ip, ip)) {
            return &r->list[i];
        }
        if (r->list[i].until < r->list[soonest].until) {
            soonest = i;
        }
    }
    if (r->n == IGMP_MAX_ROUTERS) {
        return &r->list[soonest];
    }
    if (!r->list) {
        r->list = xcalloc(IGMP_MAX_ROUTERS, sizeof *r->list);
    }
    return &r->list[r->n++];
}

void
igmp_routers_hear(struct igmp_routers *r, const struct ip_addr *ip,
                  enum igmp_why why, int64_t until)
{
    /* A router that shows itself is better than a memory of one. */
    for (size_t i = 0; why != IGMP_WHY_RESTORED && i < r->n; i++) {
        if (r->list[i].why == IGMP_WHY_RESTORED) {
            remove_at(r, i);
            break; /* There is one at most: it has no address. */
        }
    }
    *place_for(r, ip, why) =
        (struct igmp_router){.ip = *ip, .why = why, .until = until};
}

void
igmp_routers_goodbye(struct igmp_routers *r, const struct ip_addr *ip,
                     int64_t now)
{
    int64_t at = now < r->goodbye_until ? r->goodbye_until : now;
    size_t before = r->n;

    for (size_t i = 0; i < r->n; i++) {
        if (ip_addr_equal(&r->list[i].ip, ip)) {
            r->list[i].until = at < r->list[i].until ? at : r->list[i].until;
        }
    }
    igmp_routers_expire(r, now);
    if (before && !r->n) {
        r->goodbye_until = now + IGMP_GOODBYE_INTERVAL;
    }
}

void
igmp_routers_expire(struct igmp_routers *r, int64_t now)
{
    for (size_t i = r->n; i-- > 0;) {
        if (r->list[i].until <= now) {
            remove_at(r, i);
        }
    }
}

int64_t
igmp_routers_until(const struct igmp_routers *r)
{
    int64_t soonest = INT64_MAX - 1;

    if (!r->n && !r->fixed && !r->by_role) {
        return INT64_MAX;
    }
    for (size_t i = 0; i < r->n; i++) {
        soonest = r->list[i].until < soonest ? r->list[i].until : soonest;
    }
    return soonest;
}

const struct igmp_router *
igmp_routers_last(const struct igmp_routers *r)
{
    const struct igmp_router *last = NULL;

    for (size_t i = 0; i < r->n; i++) {
        if (!last || r->list[i].until > last->until) {
            last = &r->list[i];
        }
    }
    return last;
}
