/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-sources.h"

#include <string.h>

#include "lib/xalloc.h"

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

struct igmp_source_view *
igmp_sources_find(const struct igmp_group *g, const struct ip_addr *a)
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

void
igmp_sources_tell(const struct igmp_group *g, struct igmp_group_ctx *ctx,
                  int delta)
{
    for (size_t i = 0; i < g->n_sources; i++) {
        if (is_special(g, &g->sources[i])) {
            ctx->special(ctx->aux, &g->sources[i].address, delta);
        }
    }
}

void
igmp_sources_add(struct igmp_group *g, struct igmp_group_ctx *ctx,
                 const struct ip_addr *a, bool forward, int64_t expires)
{
    size_t i = source_place(g, a);

    if (g->n_sources >= IGMP_MAX_SOURCES
        || ctx->sources->n >= ctx->sources->max) {
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
    ctx->sources->n++;
    *s = (struct igmp_source_view){
        .address = *a, .forward = forward, .expires = expires};
    igmp_group_wake(ctx, expires);
    if (is_special(g, s)) {
        ctx->special(ctx->aux, a, 1);
        ctx->changed = true;
    }
}

void
igmp_sources_delete(struct igmp_group *g, struct igmp_group_ctx *ctx,
                    struct igmp_source_view *s)
{
    size_t i = (size_t) (s - g->sources);

    if (is_special(g, s)) {
        ctx->special(ctx->aux, &s->address, -1);
        ctx->changed = true;
    }
    g->n_sources--;
    ctx->sources->n--;
    memmove(s, s + 1, (g->n_sources - i) * sizeof *s);
}

/* (a)=until: wants 'a' from now on, whatever it was. */
void
igmp_sources_want(struct igmp_group *g, struct igmp_group_ctx *ctx,
                  const struct ip_addr *a, int64_t until)
{
    struct igmp_source_view *s = igmp_sources_find(g, a);

    if (!s) {
        igmp_sources_add(g, ctx, a, true, until);
        return;
    }
    if (!s->forward) { /* Y-A, X+A. */
        s->forward = true;
        ctx->special(ctx->aux, a, -1);
        ctx->changed = true;
    }
    s->expires = until;
    igmp_group_wake(ctx, until);
}

/* X -> Y, when the timer of a source runs out in EXCLUDE mode. */
void
igmp_sources_block(struct igmp_group *g, struct igmp_group_ctx *ctx,
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

/* Delete (A-B), or (X-A) and (Y-A). */
void
igmp_sources_keep_only(struct igmp_group *g, struct igmp_group_ctx *ctx,
                       const struct ip_addr *list, size_t n)
{
    for (size_t i = g->n_sources; i-- > 0;) {
        if (!ip_addr_is_listed(list, n, &g->sources[i].address)) {
            igmp_sources_delete(g, ctx, &g->sources[i]);
        }
    }
}

/* Changes the filter mode.  The sources stay as they are, but which of them
 * are treated specially turns round. */
void
igmp_sources_set_mode(struct igmp_group *g, struct igmp_group_ctx *ctx,
                      bool exclude)
{
    igmp_sources_tell(g, ctx, -1);
    g->exclude = exclude;
    igmp_sources_tell(g, ctx, 1);
    ctx->changed = true;
}
