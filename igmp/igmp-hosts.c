/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-hosts.h"

#include <string.h>

#include "lib/xalloc.h"

_Static_assert(IGMP_MAX_HOSTS <= UINT16_MAX / 2, "n_hosts overflows");

/* Returns the place of 'mac', or where it would stand. */
static size_t
host_place(const struct igmp_group *g, const struct mac_addr *mac)
{
    size_t low = 0, high = g->n_hosts;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (memcmp(&g->hosts[middle].mac, mac, sizeof *mac) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct igmp_host_view *
add_host(struct igmp_group *g, size_t i)
{
    if (g->n_hosts == g->allocated_hosts) {
        size_t allocated = g->allocated_hosts * 2u;

        if (g->hosts == &g->host) {
            g->hosts = xmalloc(allocated * sizeof *g->hosts);
            g->hosts[0] = g->host;
        } else {
            g->hosts = xrealloc(g->hosts, allocated * sizeof *g->hosts);
        }
        g->allocated_hosts = (uint16_t) allocated;
    }

    struct igmp_host_view *h = &g->hosts[i];
    memmove(h + 1, h, (g->n_hosts - i) * sizeof *h);
    g->n_hosts++;
    *h = (struct igmp_host_view){.ip = IP_ADDR_ANY};
    return h;
}

void
igmp_hosts_report(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  int version, uint8_t type, size_t n_sources,
                  const struct mac_addr *mac, const struct ip_addr *ip)
{
    size_t i = host_place(g, mac);
    struct igmp_host_view *h = &g->hosts[i];
    bool found = i < g->n_hosts && !memcmp(&h->mac, mac, sizeof *mac);

    if (!found && !igmp_group_creates(type, n_sources)) {
        return;
    }
    if (found && type == IGMP_CHANGE_TO_INCLUDE && !n_sources) {
        g->n_hosts--;
        memmove(h, h + 1, (g->n_hosts - i) * sizeof *h);
        return;
    }
    if (!found) {
        if (g->n_hosts >= IGMP_MAX_HOSTS) {
            ctx->refused++;
            return;
        }
        h = add_host(g, i);
        h->mac = *mac;
        h->ip = *ip;
    }
    if (!ip_addr_is_any(ip)) {
        h->ip = *ip; /* A host may report before it has an address. */
    }
    if (type == IGMP_MODE_IS_EXCLUDE || type == IGMP_CHANGE_TO_EXCLUDE) {
        h->exclude = true;
    } else if (type == IGMP_MODE_IS_INCLUDE
               || type == IGMP_CHANGE_TO_INCLUDE) {
        h->exclude = false;
    }
    h->version = version;
    h->last_report = ctx->now;
    igmp_group_wake(ctx, ctx->now + ctx->times->membership);
}

void
igmp_hosts_expire(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n_hosts; i++) {
        int64_t end = g->hosts[i].last_report + ctx->times->membership;

        if (end > ctx->now) {
            igmp_group_wake(ctx, end);
            g->hosts[n++] = g->hosts[i];
        }
    }
    g->n_hosts = (uint16_t) n;
}
