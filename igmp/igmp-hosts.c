/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-hosts.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-sources.h"
#include "igmp/igmp-table.h"
#include "lib/xalloc.h"

enum { SPLIT_TIME = 500 };

_Static_assert(IGMP_MAX_HOSTS <= UINT16_MAX / 2, "n_hosts overflows");
_Static_assert(IGMP_MAX_SOURCES <= UINT16_MAX, "n_sources overflows");

/* The index: chained, because there is one host a membership in the worst
 * case, and uthash's handle alone is as big as a host. */

static size_t
bucket_of(const struct igmp_hosts *h, const struct mac_addr *mac)
{
    uint64_t key[2] = {0, 0};

    memcpy(key, mac, sizeof *mac);
    return igmp_table_hash(key) & (h->n_buckets - 1);
}

static bool
same_mac(const struct mac_addr *a, const struct mac_addr *b)
{
    return !memcmp(a, b, sizeof *a);
}

struct igmp_host *
igmp_hosts_lookup(const struct igmp_hosts *h, const struct mac_addr *mac,
                  const struct igmp_port *port)
{
    struct igmp_host *host =
        h->n_buckets ? h->buckets[bucket_of(h, mac)] : NULL;

    while (host && (host->port != port || !same_mac(&host->mac, mac))) {
        host = host->next;
    }
    return host;
}

struct igmp_host *
igmp_hosts_same(const struct igmp_hosts *h, const struct mac_addr *mac,
                const struct igmp_host *after)
{
    struct igmp_host *host = after          ? after->next
                             : h->n_buckets ? h->buckets[bucket_of(h, mac)]
                                            : NULL;

    while (host && !same_mac(&host->mac, mac)) {
        host = host->next;
    }
    return host;
}

static void
grow_index(struct igmp_hosts *h)
{
    struct igmp_hosts old = *h;

    h->n_buckets = old.n_buckets ? old.n_buckets * 2 : 16;
    h->buckets = xcalloc(h->n_buckets, sizeof *h->buckets);
    for (size_t i = 0; i < old.n_buckets; i++) {
        struct igmp_host *host, *next;

        for (host = old.buckets[i]; host; host = next) {
            struct igmp_host **at = &h->buckets[bucket_of(h, &host->mac)];

            next = host->next;
            host->next = *at;
            *at = host;
        }
    }
    free(old.buckets);
}

struct igmp_host *
igmp_hosts_add(struct igmp_hosts *h, const struct mac_addr *mac,
               struct igmp_port *port)
{
    struct igmp_host *host = xcalloc(1, sizeof *host);

    if (h->n >= h->n_buckets) {
        grow_index(h);
    }

    struct igmp_host **at = &h->buckets[bucket_of(h, mac)];
    host->mac = *mac;
    host->ip = IP_ADDR_ANY;
    host->port = port;
    host->next = *at;
    *at = host;
    h->n++;
    port->n_hosts++;
    return host;
}

void
igmp_hosts_release(struct igmp_hosts *h, struct igmp_host *host)
{
    struct igmp_host **at = &h->buckets[bucket_of(h, &host->mac)];

    if (--host->n_wishes) {
        return;
    }
    while (*at != host) {
        at = &(*at)->next;
    }
    *at = host->next;
    h->n--;
    host->port->n_hosts--;
    free(host->former);
    free(host);
}

void
igmp_hosts_uninit(struct igmp_hosts *h)
{
    free(h->buckets);
}

/* Those behind one (group, port). */

struct igmp_wish *const *
igmp_hosts_wishes(const struct igmp_group *g)
{
    return g->allocated_hosts ? g->hosts.many : &g->hosts.one;
}

/* Returns the place of 'mac', or where it would stand. */
static size_t
wish_place(const struct igmp_group *g, const struct mac_addr *mac)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);
    size_t low = 0, high = g->n_hosts;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (memcmp(&wishes[middle]->host->mac, mac, sizeof *mac) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct igmp_wish *
igmp_hosts_find(const struct igmp_group *g, const struct mac_addr *mac)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);
    size_t i = wish_place(g, mac);

    return i < g->n_hosts && same_mac(&wishes[i]->host->mac, mac) ? wishes[i]
                                                                  : NULL;
}

/* Makes room for one more. */
static struct igmp_wish **
grow_wishes(struct igmp_group *g)
{
    size_t room = g->allocated_hosts ? g->allocated_hosts : 1;

    if (g->n_hosts < room) {
        return g->allocated_hosts ? g->hosts.many : &g->hosts.one;
    }

    struct igmp_wish *one = g->hosts.one;
    g->hosts.many = xrealloc(g->allocated_hosts ? g->hosts.many : NULL,
                             room * 2 * sizeof *g->hosts.many);
    if (!g->allocated_hosts) {
        g->hosts.many[0] = one;
    }
    g->allocated_hosts = (uint16_t) (room * 2);
    return g->hosts.many;
}

struct igmp_wish *
igmp_hosts_add_wish(struct igmp_group *g, struct igmp_group_ctx *ctx,
                    struct igmp_host *host)
{
    struct igmp_wish *w = xcalloc(1, sizeof *w);
    struct igmp_wish **wishes = grow_wishes(g);
    size_t i = wish_place(g, &host->mac);

    memmove(&wishes[i + 1], &wishes[i], (g->n_hosts - i) * sizeof *wishes);
    wishes[i] = w;
    g->n_hosts++;
    w->group = g;
    w->host = host;
    w->next = host->wishes;
    w->pprev = &host->wishes;
    if (w->next) {
        w->next->pprev = &w->next;
    }
    host->wishes = w;
    host->n_wishes++;
    ctx->hosts_changed = true;
    return w;
}

/* Of sources with a copy of its own. */
static void
tell_wish(const struct igmp_group *g, struct igmp_group_ctx *ctx,
          const struct igmp_wish *w, int delta)
{
    for (size_t i = 0; g->unicast && i < w->n_sources; i++) {
        ctx->special(ctx->aux, &w->sources[i], delta);
    }
}

/* All but the group's reference to it. */
static void
free_wish(struct igmp_group *g, struct igmp_group_ctx *ctx,
          struct igmp_wish *w)
{
    struct igmp_host *host = w->host;

    tell_wish(g, ctx, w, -1);
    ctx->host_sources->n -= w->n_sources;
    *w->pprev = w->next;
    if (w->next) {
        w->next->pprev = w->pprev;
    }
    igmp_hosts_release(ctx->hosts, host);
    free(w->sources);
    free(w);
    ctx->hosts_changed = true;
}

void
igmp_hosts_remove_wish(struct igmp_group *g, struct igmp_group_ctx *ctx,
                       struct igmp_wish *w)
{
    struct igmp_wish **wishes =
        g->allocated_hosts ? g->hosts.many : &g->hosts.one;
    size_t i = wish_place(g, &w->host->mac);

    g->n_hosts--;
    memmove(&wishes[i], &wishes[i + 1], (g->n_hosts - i) * sizeof *wishes);
    free_wish(g, ctx, w);
}

void
igmp_hosts_forget_all(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);

    for (size_t i = 0; i < g->n_hosts; i++) {
        free_wish(g, ctx, wishes[i]);
    }
    if (g->allocated_hosts) {
        free(g->hosts.many);
    }
    g->n_hosts = g->allocated_hosts = 0;
}

void
igmp_hosts_tell(const struct igmp_group *g, struct igmp_group_ctx *ctx,
                int delta)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);

    for (size_t i = 0; i < g->n_hosts; i++) {
        tell_wish(g, ctx, wishes[i], delta);
    }
}

/* Filters. */

/* Returns how many of 'n' sources there is room for.  What is left out we do
 * not know of: a host may want more than we think. */
static size_t
take_quota(struct igmp_group *g, struct igmp_group_ctx *ctx,
           const struct igmp_wish *w, size_t n)
{
    struct igmp_quota *q = ctx->host_sources;
    size_t others = q->n - w->n_sources;
    size_t room = q->max > others ? q->max - others : 0;

    if (n > room) {
        ctx->refused += n - room;
        igmp_group_hide(g, ctx, ctx->now + ctx->times->membership);
        n = room;
    }
    q->n = (uint32_t) (others + n);
    return n;
}

void
igmp_hosts_set_filter(struct igmp_group *g, struct igmp_group_ctx *ctx,
                      struct igmp_wish *w, bool exclude,
                      const struct ip_addr *sources, size_t n)
{
    if (w->exclude == exclude && w->n_sources == n
        && (!n || !memcmp(w->sources, sources, n * sizeof *sources))) {
        return;
    }
    n = take_quota(g, ctx, w, n);
    tell_wish(g, ctx, w, -1);
    w->exclude = exclude;
    w->n_sources = (uint16_t) n;
    if (!n) {
        free(w->sources);
        w->sources = NULL;
    } else {
        w->sources = xrealloc(w->sources, n * sizeof *sources);
        memcpy(w->sources, sources, n * sizeof *sources);
    }
    tell_wish(g, ctx, w, 1);
    ctx->hosts_changed = true;
}

/* Adds 'list' to the filter, or takes it away. */
static void
change_filter(struct igmp_group *g, struct igmp_group_ctx *ctx,
              struct igmp_wish *w, const struct ip_addr *list, size_t n,
              bool add)
{
    struct ip_addr merged[2 * IGMP_MAX_SOURCES];
    size_t i = 0, k = 0, n_merged = 0;

    while (i < w->n_sources || (add && k < n)) {
        int order = k == n ? -1
                    : i == w->n_sources
                        ? 1
                        : ip_addr_compare(&w->sources[i], &list[k]);

        if (order < 0) {
            merged[n_merged++] = w->sources[i];
        } else if (add) {
            merged[n_merged++] = list[k];
        }
        i += order <= 0;
        k += order >= 0;
    }
    if (n_merged > IGMP_MAX_SOURCES) {
        ctx->refused += n_merged - IGMP_MAX_SOURCES;
        n_merged = IGMP_MAX_SOURCES;
    }
    igmp_hosts_set_filter(g, ctx, w, w->exclude, merged, n_merged);
}

/* A list that is too long for one report comes in several, one right after the
 * other (RFC 3376 4.2.16): they add up. */
static bool
goes_on(const struct igmp_group_ctx *ctx, const struct igmp_wish *w)
{
    return ctx->now - w->last_report <= SPLIT_TIME;
}

/* Is an IS_IN the answer to a general query, all that the host wants?  A host
 * that was asked about some sources names only those of them that it wants,
 * and does so in EXCLUDE mode too (RFC 3376 5.2). */
static bool
is_complete(const struct igmp_group *g, const struct igmp_group_ctx *ctx,
            const struct igmp_wish *w)
{
    return !goes_on(ctx, w) && ctx->now >= igmp_group_hidden_until(g)
           && (g->last_lowered == INT64_MIN
               || ctx->now - g->last_lowered
                      > 2 * ctx->times->last_member_time);
}

/* A host of an older version that heard this report does not answer any more
 * (RFC 2236 3): who was asked alone meanwhile was asked in vain. */
static void
ask_suppressed_again(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);

    for (size_t i = 0; ctx->asks_hosts && i < g->n_hosts; i++) {
        if (wishes[i]->n_asked && wishes[i]->version < 3) {
            wishes[i]->n_asked = 0;
            igmp_group_wake(ctx, g->rare->next_ask > ctx->now
                                     ? g->rare->next_ask
                                     : ctx->now + ctx->times->last_member);
        }
    }
}

void
igmp_hosts_report(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  struct igmp_wish *w, int version, uint8_t type,
                  const struct ip_addr *list, size_t n)
{
    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
        if (is_complete(g, ctx, w)) {
            igmp_hosts_set_filter(g, ctx, w, false, list, n);
        } else {
            change_filter(g, ctx, w, list, n, !w->exclude);
        }
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        igmp_hosts_set_filter(g, ctx, w, true, list, n);
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        if (n && !w->exclude && goes_on(ctx, w)) {
            change_filter(g, ctx, w, list, n, true);
        } else {
            igmp_hosts_set_filter(g, ctx, w, false, list, n);
        }
        break;
    case IGMP_ALLOW_NEW_SOURCES:
        change_filter(g, ctx, w, list, n, !w->exclude);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        change_filter(g, ctx, w, list, n, w->exclude);
        break;
    }
    if (!w->exclude && !w->n_sources) {
        igmp_hosts_remove_wish(g, ctx, w);
        return;
    }
    w->version = (uint8_t) version;
    w->last_report = ctx->now;
    w->n_asked = 0;
    if (version < 3) {
        ask_suppressed_again(g, ctx);
    }
    igmp_group_wake(ctx, ctx->now
                             + (ctx->asks_hosts ? ctx->times->host_silent
                                                : ctx->times->membership));
}

bool
igmp_wish_wants(const struct igmp_wish *w, const struct ip_addr *source)
{
    if (!w->n_sources || ip_addr_equal(source, &IP_ADDR_ANY)) {
        return w->exclude;
    }
    return ip_addr_is_listed(w->sources, w->n_sources, source) != w->exclude;
}

bool
igmp_hosts_want(const struct igmp_group *g, const struct ip_addr *source)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);

    for (size_t i = 0; i < g->n_hosts; i++) {
        if (igmp_wish_wants(wishes[i], source)) {
            return true;
        }
    }
    return false;
}

void
igmp_hosts_want_listed(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);

    for (size_t i = 0; i < g->n_hosts; i++) {
        const struct igmp_wish *w = wishes[i];
        int64_t until = w->last_report + ctx->times->membership;

        for (size_t k = 0; !w->exclude && k < w->n_sources; k++) {
            const struct igmp_source_view *s =
                igmp_sources_find(g, &w->sources[k]);

            if (!s || !s->forward || s->expires < until) {
                igmp_sources_want(g, ctx, &w->sources[k], until);
            }
        }
    }
}

/* Silence. */

void
igmp_hosts_expire(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    struct igmp_wish **wishes =
        g->allocated_hosts ? g->hosts.many : &g->hosts.one;
    size_t n = 0, n_hosts = g->n_hosts;

    for (size_t i = 0; i < n_hosts; i++) {
        int64_t end = wishes[i]->last_report + ctx->times->membership;

        if (end > ctx->now) {
            igmp_group_wake(ctx, end);
            wishes[n++] = wishes[i];
        } else {
            free_wish(g, ctx, wishes[i]);
        }
    }
    g->n_hosts = (uint16_t) n;
}

/* The one that is being asked, else the one that was silent for longest.
 * '*at' is when the next one will have been silent for too long. */
static struct igmp_wish *
next_to_ask(const struct igmp_group *g, const struct igmp_group_ctx *ctx,
            int64_t *at)
{
    struct igmp_wish *const *wishes = igmp_hosts_wishes(g);
    struct igmp_wish *oldest = NULL;

    *at = INT64_MAX;
    for (size_t i = 0; i < g->n_hosts; i++) {
        struct igmp_wish *w = wishes[i];
        int64_t due = w->last_report + ctx->times->host_silent;

        if (w->n_asked >= ctx->times->robustness) {
            continue;
        } else if (w->n_asked) {
            *at = ctx->now;
            return w;
        }
        if (due < *at) {
            *at = due;
            oldest = w;
        }
    }
    return *at <= ctx->now ? oldest : NULL;
}

void
igmp_hosts_ask(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    struct igmp_wish *w;
    int64_t at;

    if (!ctx->asks_hosts || !ctx->times->query_version) {
        return;
    }
    if (g->rare && g->rare->next_ask > ctx->now) {
        igmp_group_wake(ctx, g->rare->next_ask);
        return;
    }
    w = next_to_ask(g, ctx, &at);
    if (w) {
        w->n_asked++;
        ctx->ask_host(ctx->aux, w);
        at = ctx->now + ctx->times->last_member;
        igmp_group_rare(g)->next_ask = at;
    }
    igmp_group_wake(ctx, at);
}
