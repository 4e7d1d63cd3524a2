/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-group.h"

#include <stdlib.h>

#include "igmp/igmp-hosts.h"
#include "igmp/igmp-last-member.h"
#include "igmp/igmp-sources.h"
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

void
igmp_group_set_timer(struct igmp_group *g, struct igmp_group_ctx *ctx,
                     int64_t at)
{
    g->timer = at;
    igmp_group_wake(ctx, at);
}

bool
igmp_group_hosts_are_known(const struct igmp_group *g,
                           const struct igmp_group_ctx *ctx)
{
    return ctx->leave != IGMP_LEAVE_QUERY
           && ctx->now >= igmp_group_hidden_until(g)
           && (ctx->leave == IGMP_LEAVE_IMMEDIATE
               || igmp_group_version(g, ctx->now) == 3);
}

void
igmp_group_end_exclude(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        if (!g->sources[i].forward) {
            igmp_sources_delete(g, ctx, &g->sources[i]);
        }
    }
    igmp_sources_set_mode(g, ctx, false);
    g->timer = INT64_MAX;
    g->queries_left = 0;
}

void
igmp_group_expire_source(struct igmp_group *g, struct igmp_group_ctx *ctx,
                         struct igmp_source_view *s)
{
    if (g->exclude) {
        igmp_sources_block(g, ctx, s);
    } else {
        igmp_sources_delete(g, ctx, s);
    }
}

/* The tables of 6.4.1 and 6.4.2. */

/* (B)=GMI, the list being wanted now. */
static void
want_listed(struct igmp_group *g, struct igmp_group_ctx *ctx,
            const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        igmp_sources_want(g, ctx, &list[i], ctx->now + ctx->times->membership);
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

    igmp_sources_keep_only(g, ctx, list, n);
    if (!was_exclude) {
        igmp_sources_set_mode(g, ctx, true);
    }
    for (size_t i = 0; i < n; i++) {
        if (!igmp_sources_find(g, &list[i])) {
            igmp_sources_add(g, ctx, &list[i], was_exclude,
                             was_exclude ? new_until : INT64_MAX);
        }
    }
    igmp_group_set_timer(g, ctx, ctx->now + ctx->times->membership);
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
        igmp_last_member_query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_EXCLUDE:
        /* INCLUDE (A)  TO_EX (B)  EXCLUDE (A*B,B-A)  (B-A)=0, Delete (A-B),
         *                                  Send Q(G,A*B), Group Timer=GMI */
        exclude_listed(g, ctx, list, n, INT64_MAX);
        igmp_last_member_query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        /* INCLUDE (A)  TO_IN (B)  INCLUDE (A+B)  (B)=GMI, Send Q(G,A-B) */
        igmp_last_member_query_unlisted(g, ctx, list, n);
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
        if (!igmp_sources_find(g, &list[i])) {
            igmp_sources_add(g, ctx, &list[i], true, g->timer);
        }
    }
    igmp_last_member_query_listed(g, ctx, list, n);
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
        igmp_last_member_query_listed(g, ctx, list, n);
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        /* EXCLUDE (X,Y)  TO_IN (A)  EXCLUDE (X+A,Y-A)  (A)=GMI,
         *                                   Send Q(G,X-A), Send Q(G) */
        igmp_last_member_query_unlisted(g, ctx, list, n);
        want_listed(g, ctx, list, n);
        igmp_last_member_query_group(g, ctx);
        break;
    }
}

/* The face. */

void
igmp_group_init(struct igmp_group *g)
{
    *g = (struct igmp_group){.timer = INT64_MAX,
                             .v2_until = INT64_MIN,
                             .last_lowered = INT64_MIN,
                             .next_query = INT64_MAX};
}

void
igmp_group_uninit(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    igmp_sources_tell(g, ctx, -1);
    ctx->sources->n -= g->n_sources;
    free(g->sources);
    igmp_hosts_forget_all(g, ctx);
    free(g->rare);
    igmp_group_init(g);
}

struct igmp_rare *
igmp_group_rare(struct igmp_group *g)
{
    if (!g->rare) {
        g->rare = xmalloc(sizeof *g->rare);
        *g->rare = (struct igmp_rare){.v1_until = INT64_MIN,
                                      .hidden_until = INT64_MIN,
                                      .next_ask = INT64_MIN};
    }
    return g->rare;
}

int64_t
igmp_group_hidden_until(const struct igmp_group *g)
{
    return g->rare ? g->rare->hidden_until : INT64_MIN;
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

void
igmp_group_hide(struct igmp_group *g, struct igmp_group_ctx *ctx,
                int64_t until)
{
    struct igmp_rare *rare = igmp_group_rare(g);

    rare->hidden_until =
        until > rare->hidden_until ? until : rare->hidden_until;
    igmp_group_wake(ctx, rare->hidden_until);
}

int
igmp_group_version(const struct igmp_group *g, int64_t now)
{
    return g->rare && now < g->rare->v1_until ? 1 : now < g->v2_until ? 2 : 3;
}

void
igmp_group_record(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  int version, uint8_t type, const struct ip_addr *sources,
                  size_t n)
{
    g->restored = false;
    if (type == IGMP_MODE_IS_EXCLUDE && version == 1) {
        igmp_group_rare(g)->v1_until = ctx->now + ctx->times->older_host;
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
        } else if (type == IGMP_CHANGE_TO_INCLUDE && compatibility == 1
                   && !igmp_group_hosts_are_known(g, ctx)) {
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
        igmp_group_set_timer(g, ctx, end);
        g->last_lowered = ctx->now;
    }
    for (size_t i = 0; i < n; i++) {
        struct igmp_source_view *s = igmp_sources_find(g, &sources[i]);

        if (s && s->forward && s->expires > end) {
            s->expires = end;
            g->last_lowered = ctx->now;
            igmp_group_wake(ctx, end);
        }
    }
}

void
igmp_group_linger(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  int64_t until)
{
    int64_t asking = ctx->times->last_member_time;

    igmp_group_hide(g, ctx, until);
    if (g->last_lowered > ctx->now - asking) {
        return;
    }
    if (g->exclude && g->timer < until) {
        igmp_group_set_timer(g, ctx, until);
    }
    for (size_t i = 0; i < g->n_sources; i++) {
        struct igmp_source_view *s = &g->sources[i];

        if (s->forward && s->expires < until) {
            s->expires = until;
            igmp_group_wake(ctx, until);
        }
    }
}

void
igmp_group_restore(struct igmp_group *g, struct igmp_group_ctx *ctx,
                   bool exclude, const struct ip_addr *sources, size_t n,
                   int64_t answered_by)
{
    if (exclude) {
        exclude_listed(g, ctx, sources, n, INT64_MAX);
    } else {
        want_listed(g, ctx, sources, n);
    }
    g->restored = g->one_copy = g->hides = true;
    igmp_group_hide(g, ctx, answered_by);
}

static void
expire_sources(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        struct igmp_source_view *s = &g->sources[i];

        if (s->expires > ctx->now) {
            igmp_group_wake(ctx, s->expires);
        } else {
            igmp_group_expire_source(g, ctx, s);
        }
    }
}

static void
expire_group(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    if (g->timer > ctx->now) {
        igmp_group_wake(ctx, g->timer);
        return;
    }
    igmp_group_end_exclude(g, ctx);
}

/* By now all hosts have been heard, but for those of older versions that hide
 * behind each other's answers: not even another query would tell of them. */
static void
end_one_copy(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    bool hides = g->hides && g->one_copy && ctx->may_share;
    int64_t older_until = g->v2_until;

    if (hides && igmp_group_version(g, ctx->now) < 3) {
        if (g->rare && g->rare->v1_until > older_until) {
            older_until = g->rare->v1_until;
        }
        igmp_group_hide(g, ctx, older_until);
    }
    if (ctx->now < igmp_group_hidden_until(g)) {
        igmp_group_wake(ctx, igmp_group_hidden_until(g));
    } else {
        g->one_copy = g->hides = false;
    }
}

void
igmp_group_run(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    expire_sources(g, ctx);
    expire_group(g, ctx);
    igmp_hosts_expire(g, ctx);
    igmp_hosts_ask(g, ctx);
    end_one_copy(g, ctx);
    if (g->next_query <= ctx->now) {
        igmp_last_member_repeat(g, ctx);
    } else {
        igmp_group_wake(ctx, g->next_query);
    }
}

bool
igmp_group_forwards(const struct igmp_group *g, const struct ip_addr *source)
{
    if (!g->n_sources || ip_addr_equal(source, &IP_ADDR_ANY)) {
        return g->exclude;
    }

    const struct igmp_source_view *s = igmp_sources_find(g, source);
    return s ? s->forward : g->exclude;
}
