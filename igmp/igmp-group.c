/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* The router side of RFC 3376 section 6 in the RFC's own notation:
 *
 *     INCLUDE (A)     only A; every source of A has a running timer
 *     EXCLUDE (X,Y)   all but Y; X are wanted and have running timers
 *     A+B, A*B, A-B   union, intersection, difference
 *     (A)=T           the timers of A are set to T
 *     GMI, LMQT       Group Membership Interval, Last Member Query Time
 *     Q(G), Q(G,A)    group-specific, group-and-source-specific query
 *
 * 'forward' of a source tells X (or A) from Y.  A source's 'expires' is
 * INT64_MAX in Y: its timer does not run. */

/* The message of a group-and-source-specific query fits an Ethernet frame. */
_Static_assert(24 + 12 + 4 * IGMP_MAX_SOURCES <= 1500, "query over the MTU");
_Static_assert(IGMP_MAX_HOSTS <= UINT16_MAX / 2, "n_hosts overflows");

static void
soonest(struct igmp_group_ctx *ctx, int64_t at)
{
    if (at < ctx->soonest) {
        ctx->soonest = at;
    }
}

/* Sources. */

/* Returns the place of 'a', or where it would stand. */
static size_t
source_place(const struct igmp_group *g, const struct ip_addr *a)
{
    size_t low = 0, high = g->n_sources;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ip_addr_compare(&g->sources[middle].address, a) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct igmp_source_view *
find_source(const struct igmp_group *g, const struct ip_addr *a)
{
    size_t i = source_place(g, a);

    return i < g->n_sources && ip_addr_equal(&g->sources[i].address, a)
               ? &g->sources[i]
               : NULL;
}

/* Is it wanted in INCLUDE mode, or blocked in EXCLUDE mode? */
static bool
is_special(const struct igmp_group *g, const struct igmp_source_view *s)
{
    return g->exclude != s->forward;
}

static void
specials(const struct igmp_group *g, struct igmp_group_ctx *ctx, int delta)
{
    for (size_t i = 0; i < g->n_sources; i++) {
        if (is_special(g, &g->sources[i])) {
            ctx->special(ctx->aux, &g->sources[i].address, delta);
        }
    }
}

static void
add_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
           const struct ip_addr *a, bool forward, int64_t expires)
{
    size_t i = source_place(g, a);

    if (g->n_sources >= IGMP_MAX_SOURCES) {
        ctx->refused++;
        return;
    }
    if (g->n_sources == g->allocated_sources) {
        size_t allocated =
            g->allocated_sources ? g->allocated_sources * 2u : 2;

        g->sources = xrealloc(g->sources, allocated * sizeof *g->sources);
        g->allocated_sources = (uint16_t) allocated;
    }

    struct igmp_source_view *s = &g->sources[i];
    memmove(s + 1, s, (g->n_sources - i) * sizeof *s);
    g->n_sources++;
    *s = (struct igmp_source_view){
        .address = *a, .forward = forward, .expires = expires};
    soonest(ctx, expires);
    if (is_special(g, s)) {
        ctx->special(ctx->aux, a, 1);
        ctx->changed = true;
    }
}

static void
delete_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
              struct igmp_source_view *s)
{
    size_t i = (size_t) (s - g->sources);

    if (is_special(g, s)) {
        ctx->special(ctx->aux, &s->address, -1);
        ctx->changed = true;
    }
    g->n_sources--;
    memmove(s, s + 1, (g->n_sources - i) * sizeof *s);
}

/* (a)=until: wants 'a' from now on, whatever it was. */
static void
want_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
            const struct ip_addr *a, int64_t until)
{
    struct igmp_source_view *s = find_source(g, a);

    if (!s) {
        add_source(g, ctx, a, true, until);
        return;
    }
    if (!s->forward) { /* Y-A, X+A. */
        s->forward = true;
        ctx->special(ctx->aux, a, -1);
        ctx->changed = true;
    }
    s->expires = until;
    soonest(ctx, until);
}

/* X -> Y, when the timer of a source runs out in EXCLUDE mode. */
static void
block_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
             struct igmp_source_view *s)
{
    s->forward = false;
    s->queries_left = 0;
    s->expires = INT64_MAX;
    if (is_special(g, s)) {
        ctx->special(ctx->aux, &s->address, 1);
        ctx->changed = true;
    }
}

static bool
contains(const struct ip_addr *list, size_t n, const struct ip_addr *a)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = ip_addr_compare(&list[middle], a);

        if (!order) {
            return true;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* Delete (A-B), or (X-A) and (Y-A). */
static void
keep_only(struct igmp_group *g, struct igmp_group_ctx *ctx,
          const struct ip_addr *list, size_t n)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        if (!contains(list, n, &g->sources[i].address)) {
            delete_source(g, ctx, &g->sources[i]);
        }
    }
}

/* Changes the filter mode.  The sources stay as they are, but which of them
 * are treated specially turns round. */
static void
set_mode(struct igmp_group *g, struct igmp_group_ctx *ctx, bool exclude)
{
    specials(g, ctx, -1);
    g->exclude = exclude;
    specials(g, ctx, 1);
    ctx->changed = true;
}

static void
set_group_timer(struct igmp_group *g, struct igmp_group_ctx *ctx, int64_t at)
{
    g->timer = at;
    soonest(ctx, at);
}

/* Queries, 6.6.3. */

static bool
may_query(const struct igmp_group_ctx *ctx, bool with_sources)
{
    /* Version 1 has general queries only, version 2 has no sources. */
    return ctx->times->query_version >= (with_sources ? 3 : 2);
}

/* Sends Q(G,S) for the sources that have 'left' queries to be sent (any
 * number if it is 0), first those whose timer somebody has raised meanwhile,
 * with the S flag, so that nobody lowers it again (6.6.3.2). */
static void
send_source_queries(struct igmp_group *g, struct igmp_group_ctx *ctx, int left,
                    bool without_suppressed)
{
    int64_t last_member_end = ctx->now + ctx->times->last_member_time;
    struct ip_addr high[IGMP_MAX_SOURCES], low[IGMP_MAX_SOURCES];
    size_t n_high = 0, n_low = 0;

    for (size_t i = 0; i < g->n_sources; i++) {
        struct igmp_source_view *s = &g->sources[i];

        if (!s->queries_left || (left && s->queries_left != left)) {
            continue;
        }
        s->queries_left--;
        if (s->expires > last_member_end) {
            high[n_high++] = s->address;
        } else {
            low[n_low++] = s->address;
        }
    }
    if (n_high && !without_suppressed) {
        ctx->query(ctx->aux, high, n_high, true);
    }
    if (n_low) {
        ctx->query(ctx->aux, low, n_low, false);
    }
}

static bool
queries_are_left(const struct igmp_group *g)
{
    if (g->queries_left) {
        return true;
    }
    for (size_t i = 0; i < g->n_sources; i++) {
        if (g->sources[i].queries_left) {
            return true;
        }
    }
    return false;
}

/* What was just asked for the first time is asked again with what is already
 * being repeated, if anything is. */
static void
schedule_queries(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    if (!queries_are_left(g)) {
        g->next_query = INT64_MAX;
    } else if (g->next_query == INT64_MAX) {
        g->next_query = ctx->now + ctx->times->last_member;
    }
    soonest(ctx, g->next_query);
}

/* Send Q(G), 6.6.3.1.  While one is being answered there is nothing to ask:
 * the timer is at LMQT or below. */
static void
query_group(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    int64_t last_member_end = ctx->now + ctx->times->last_member_time;

    if (!may_query(ctx, false) || g->timer <= last_member_end) {
        return;
    }
    set_group_timer(g, ctx, last_member_end);
    g->last_lowered = ctx->now;
    g->queries_left = (uint8_t) (ctx->times->last_member_count - 1);
    ctx->query(ctx->aux, NULL, 0, false);
    schedule_queries(g, ctx);
}

/* Marks 's' for Q(G,S) and lowers its timer, 6.6.3.2: a timer below LMQT is
 * being asked for already.  query_marked() sends them. */
static void
mark_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
            struct igmp_source_view *s)
{
    int64_t last_member_end = ctx->now + ctx->times->last_member_time;

    if (may_query(ctx, true) && s->forward && s->expires > last_member_end) {
        s->expires = last_member_end;
        g->last_lowered = ctx->now;
        s->queries_left = (uint8_t) ctx->times->last_member_count;
        soonest(ctx, last_member_end);
    }
}

static void
query_marked(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    if (may_query(ctx, true)) {
        send_source_queries(g, ctx, ctx->times->last_member_count, false);
        schedule_queries(g, ctx);
    }
}

/* Send Q(G,A*B), or Q(G,A-Y): what of the list is forwarded. */
static void
query_listed(struct igmp_group *g, struct igmp_group_ctx *ctx,
             const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct igmp_source_view *s = find_source(g, &list[i]);

        if (s) {
            mark_source(g, ctx, s);
        }
    }
    query_marked(g, ctx);
}

/* Send Q(G,A-B), or Q(G,X-A): what is forwarded and not of the list. */
static void
query_unlisted(struct igmp_group *g, struct igmp_group_ctx *ctx,
               const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < g->n_sources; i++) {
        if (!contains(list, n, &g->sources[i].address)) {
            mark_source(g, ctx, &g->sources[i]);
        }
    }
    query_marked(g, ctx);
}

/* Forgets what may not be asked any more: another has become the querier, or
 * the version of queries was configured anew. */
static void
drop_queries(struct igmp_group *g, const struct igmp_group_ctx *ctx)
{
    if (!may_query(ctx, false)) {
        g->queries_left = 0;
    }
    for (size_t i = 0; i < g->n_sources && !may_query(ctx, true); i++) {
        g->sources[i].queries_left = 0;
    }
}

/* Repeats what is to be repeated.  Where both kinds of queries are due, Q(G)
 * makes the Q(G,S) with the S flag needless (6.6.3.2). */
static void
repeat_queries(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    drop_queries(g, ctx);

    bool group = g->queries_left > 0;
    if (group) {
        g->queries_left--;
        ctx->query(ctx->aux, NULL, 0,
                   g->timer > ctx->now + ctx->times->last_member_time);
    }
    send_source_queries(g, ctx, 0, group);
    g->next_query = INT64_MAX;
    schedule_queries(g, ctx);
}

/* The tables of 6.4.1 and 6.4.2. */

/* (B)=GMI, the list being wanted now. */
static void
want_listed(struct igmp_group *g, struct igmp_group_ctx *ctx,
            const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        want_source(g, ctx, &list[i], ctx->now + ctx->times->membership);
    }
}

/* INCLUDE (A)    IS_EX (B)   EXCLUDE (A*B,B-A)  (B-A)=0, Delete (A-B),
 *                                               Group Timer=GMI
 * EXCLUDE (X,Y)  IS_EX (A)   EXCLUDE (A-Y,Y*A)  (A-X-Y)=GMI, Delete (X-A),
 *                                               Delete (Y-A),
 *                                               Group Timer=GMI
 *
 * TO_EX does the same, but for (A-X-Y)=Group Timer: 'new_until'. */
static void
exclude_listed(struct igmp_group *g, struct igmp_group_ctx *ctx,
               const struct ip_addr *list, size_t n, int64_t new_until)
{
    bool was_exclude = g->exclude;

    keep_only(g, ctx, list, n);
    if (!was_exclude) {
        set_mode(g, ctx, true);
    }
    for (size_t i = 0; i < n; i++) {
        if (!find_source(g, &list[i])) {
            add_source(g, ctx, &list[i], was_exclude,
                       was_exclude ? new_until : INT64_MAX);
        }
    }
    set_group_timer(g, ctx, ctx->now + ctx->times->membership);
}

static void
in_include(struct igmp_group *g, struct igmp_group_ctx *ctx, uint8_t type,
           const struct ip_addr *list, size_t n)
{
    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
        /* INCLUDE (A)  IS_IN (B)  INCLUDE (A+B)  (B)=GMI */
    case IGMP_ALLOW_NEW_SOURCES:
        /* INCLUDE (A)  ALLOW (B)  INCLUDE (A+B)  (B)=GMI */
        want_listed(g, ctx, list, n);
        break;
    case IGMP_MODE_IS_EXCLUDE:
        /* See exclude_listed(). */
        exclude_listed(g, ctx, list, n, INT64_MAX);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        /* INCLUDE (A)  BLOCK (B)  INCLUDE (A)  Send Q(G,A*B) */
        query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_EXCLUDE:
        /* INCLUDE (A)  TO_EX (B)  EXCLUDE (A*B,B-A)  (B-A)=0, Delete (A-B),
         *                                  Send Q(G,A*B), Group Timer=GMI */
        exclude_listed(g, ctx, list, n, INT64_MAX);
        query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        /* INCLUDE (A)  TO_IN (B)  INCLUDE (A+B)  (B)=GMI, Send Q(G,A-B) */
        query_unlisted(g, ctx, list, n);
        want_listed(g, ctx, list, n);
        break;
    }
}

/* EXCLUDE (X,Y)  BLOCK (A)  EXCLUDE (X+(A-Y),Y)  (A-X-Y)=Group Timer,
 *                                                Send Q(G,A-Y) */
static void
block_in_exclude(struct igmp_group *g, struct igmp_group_ctx *ctx,
                 const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!find_source(g, &list[i])) {
            add_source(g, ctx, &list[i], true, g->timer);
        }
    }
    query_listed(g, ctx, list, n);
}

static void
in_exclude(struct igmp_group *g, struct igmp_group_ctx *ctx, uint8_t type,
           const struct ip_addr *list, size_t n)
{
    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
        /* EXCLUDE (X,Y)  IS_IN (A)  EXCLUDE (X+A,Y-A)  (A)=GMI */
    case IGMP_ALLOW_NEW_SOURCES:
        /* EXCLUDE (X,Y)  ALLOW (A)  EXCLUDE (X+A,Y-A)  (A)=GMI */
        want_listed(g, ctx, list, n);
        break;
    case IGMP_MODE_IS_EXCLUDE:
        /* See exclude_listed(). */
        exclude_listed(g, ctx, list, n, ctx->now + ctx->times->membership);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        block_in_exclude(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_EXCLUDE:
        /* EXCLUDE (X,Y)  TO_EX (A)  EXCLUDE (A-Y,Y*A)
         *        (A-X-Y)=Group Timer, Delete (X-A), Delete (Y-A),
         *        Send Q(G,A-Y), Group Timer=GMI */
        exclude_listed(g, ctx, list, n, g->timer);
        query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        /* EXCLUDE (X,Y)  TO_IN (A)  EXCLUDE (X+A,Y-A)  (A)=GMI,
         *                                   Send Q(G,X-A), Send Q(G) */
        query_unlisted(g, ctx, list, n);
        want_listed(g, ctx, list, n);
        query_group(g, ctx);
        break;
    }
}

/* The face. */

void
igmp_group_init(struct igmp_group *g)
{
    *g = (struct igmp_group){.timer = INT64_MAX,
                             .v1_until = INT64_MIN,
                             .v2_until = INT64_MIN,
                             .last_lowered = INT64_MIN,
                             .next_query = INT64_MAX,
                             .allocated_hosts = 1};
    g->hosts = &g->host;
}

void
igmp_group_uninit(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    specials(g, ctx, -1);
    free(g->sources);
    if (g->hosts != &g->host) {
        free(g->hosts);
    }
}

bool
igmp_group_creates(uint8_t type, size_t n_sources)
{
    switch (type) {
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        return true;
    case IGMP_MODE_IS_INCLUDE:
    case IGMP_CHANGE_TO_INCLUDE:
    case IGMP_ALLOW_NEW_SOURCES:
        return n_sources > 0;
    default:
        return false;
    }
}

bool
igmp_group_is_empty(const struct igmp_group *g)
{
    return !g->exclude && !g->n_sources;
}

int
igmp_group_version(const struct igmp_group *g, int64_t now)
{
    return now < g->v1_until ? 1 : now < g->v2_until ? 2 : 3;
}

void
igmp_group_record(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  int version, uint8_t type, const struct ip_addr *sources,
                  size_t n)
{
    g->last_report = ctx->now;
    if (type == IGMP_MODE_IS_EXCLUDE && version == 1) {
        g->v1_until = ctx->now + ctx->times->older_host;
    } else if (type == IGMP_MODE_IS_EXCLUDE && version == 2) {
        g->v2_until = ctx->now + ctx->times->older_host;
    }

    /* RFC 3376 7.3.2: an older host behind the port may want what a newer
     * one blocks, and cannot say so. */
    int compatibility = igmp_group_version(g, ctx->now);
    if (compatibility < 3) {
        if (type == IGMP_BLOCK_OLD_SOURCES) {
            return;
        } else if (type == IGMP_CHANGE_TO_EXCLUDE) {
            n = 0;
        } else if (type == IGMP_CHANGE_TO_INCLUDE && compatibility == 1) {
            return;
        }
    }
    if (g->exclude) {
        in_exclude(g, ctx, type, sources, n);
    } else {
        in_include(g, ctx, type, sources, n);
    }
}

void
igmp_group_asked(struct igmp_group *g, struct igmp_group_ctx *ctx,
                 int64_t time, const struct ip_addr *sources, size_t n)
{
    int64_t end = ctx->now + time;

    if (!n && g->exclude && g->timer > end) {
        set_group_timer(g, ctx, end);
    }
    for (size_t i = 0; i < n; i++) {
        struct igmp_source_view *s = find_source(g, &sources[i]);

        if (s && s->forward && s->expires > end) {
            s->expires = end;
            soonest(ctx, end);
        }
    }
}

void
igmp_group_restore(struct igmp_group *g, struct igmp_group_ctx *ctx,
                   bool exclude, const struct ip_addr *sources, size_t n)
{
    int64_t until = ctx->now + ctx->times->membership;

    if (exclude) {
        exclude_listed(g, ctx, sources, n, INT64_MAX);
    } else {
        want_listed(g, ctx, sources, n);
    }
    g->last_report = ctx->now;
    soonest(ctx, until);
}

/* 6.3 and 6.5: a source timer that runs out takes a source out of A, or out
 * of X into Y. */
static void
expire_sources(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        struct igmp_source_view *s = &g->sources[i];

        if (s->expires > ctx->now) {
            soonest(ctx, s->expires);
        } else if (g->exclude) {
            block_source(g, ctx, s);
        } else {
            delete_source(g, ctx, s);
        }
    }
}

/* 6.5: when the group timer runs out, EXCLUDE (X,Y) becomes INCLUDE (X), Y is
 * deleted. */
static void
expire_group(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    if (g->timer > ctx->now) {
        soonest(ctx, g->timer);
        return;
    }
    for (size_t i = g->n_sources; i-- > 0;) {
        if (!g->sources[i].forward) {
            delete_source(g, ctx, &g->sources[i]);
        }
    }
    set_mode(g, ctx, false);
    g->timer = INT64_MAX;
    g->queries_left = 0;
}

static void
expire_hosts(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n_hosts; i++) {
        int64_t end = g->hosts[i].last_report + ctx->times->membership;

        if (end > ctx->now) {
            soonest(ctx, end);
            g->hosts[n++] = g->hosts[i];
        }
    }
    g->n_hosts = (uint16_t) n;
}

void
igmp_group_run(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    expire_sources(g, ctx);
    expire_group(g, ctx);
    expire_hosts(g, ctx);
    if (g->next_query <= ctx->now) {
        repeat_queries(g, ctx);
    } else {
        soonest(ctx, g->next_query);
    }
}

bool
igmp_group_forwards(const struct igmp_group *g, const struct ip_addr *source)
{
    if (!g->n_sources || ip_addr_equal(source, &IP_ADDR_ANY)) {
        return g->exclude;
    }

    const struct igmp_source_view *s = find_source(g, source);
    return s ? s->forward : g->exclude;
}

/* Hosts. */

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
igmp_group_host(struct igmp_group *g, struct igmp_group_ctx *ctx, int version,
                uint8_t type, size_t n_sources, const struct mac_addr *mac,
                const struct ip_addr *ip)
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
    soonest(ctx, ctx->now + ctx->times->membership);
}
