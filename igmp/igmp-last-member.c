/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-last-member.h"

#include "igmp/igmp-hosts.h"
#include "igmp/igmp-sources.h"

/* The message of a group-and-source-specific query fits an Ethernet frame. */
_Static_assert(24 + 12 + 4 * IGMP_MAX_SOURCES <= 1500, "query over the MTU");

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
    igmp_group_wake(ctx, g->next_query);
}

void
igmp_last_member_query_group(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    int64_t last_member_end = ctx->now + ctx->times->last_member_time;

    if (igmp_group_hosts_are_known(g, ctx)) {
        if (!igmp_hosts_want(g, &IP_ADDR_ANY)) {
            igmp_hosts_want_listed(g, ctx);
            igmp_group_end_exclude(g, ctx);
        }
        return;
    }
    if (!may_query(ctx, false) || g->timer <= last_member_end) {
        return;
    }
    igmp_group_set_timer(g, ctx, last_member_end);
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

    if (!s->forward) {
        return;
    } else if (igmp_group_hosts_are_known(g, ctx)) {
        if (!igmp_hosts_want(g, &s->address)) {
            igmp_group_expire_source(g, ctx, s);
        }
    } else if (may_query(ctx, true) && s->expires > last_member_end) {
        s->expires = last_member_end;
        g->last_lowered = ctx->now;
        s->queries_left = (uint8_t) ctx->times->last_member_count;
        igmp_group_wake(ctx, last_member_end);
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

void
igmp_last_member_query_listed(struct igmp_group *g, struct igmp_group_ctx *ctx,
                              const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct igmp_source_view *s = igmp_sources_find(g, &list[i]);

        if (s) {
            mark_source(g, ctx, s);
        }
    }
    query_marked(g, ctx);
}

void
igmp_last_member_query_unlisted(struct igmp_group *g,
                                struct igmp_group_ctx *ctx,
                                const struct ip_addr *list, size_t n)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        if (!ip_addr_is_listed(list, n, &g->sources[i].address)) {
            mark_source(g, ctx, &g->sources[i]);
        }
    }
    query_marked(g, ctx);
}

/* Forgets what may not be asked any more: another has been the querier for a
 * while, or the version of queries was configured anew. */
static void
drop_queries(struct igmp_group *g, const struct igmp_group_ctx *ctx)
{
    int version = igmp_times_repeat_version(ctx->times);

    if (version < 2) {
        g->queries_left = 0;
    }
    for (size_t i = 0; i < g->n_sources && version < 3; i++) {
        g->sources[i].queries_left = 0;
    }
}

void
igmp_last_member_repeat(struct igmp_group *g, struct igmp_group_ctx *ctx)
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

void
igmp_last_member_seek(struct igmp_group *g, struct igmp_group_ctx *ctx)
{
    /* How often of two hosts the same one answers first: 1/16. */
    enum { N_QUERIES = 4 };

    if (may_query(ctx, false)) {
        g->queries_left = N_QUERIES;
        schedule_queries(g, ctx);
    }
}
