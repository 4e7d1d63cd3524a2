/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-joins.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-snoop-private.h"
#include "lib/xalloc.h"

static int
compare_ids(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare(const void *a_, const void *b_)
{
    const struct igmp_join *a = a_, *b = b_;
    int d = ip_addr_compare(&a->group, &b->group);

    d = d ? d : compare_ids(a->port.dpid, b->port.dpid);
    d = d ? d : compare_ids(a->port.port_no, b->port.port_no);
    d = d ? d : (int) a->exclude - (int) b->exclude;
    d = d ? d : ip_addr_compare(&a->source, &b->source);
    d = d ? d : (int) a->follows - (int) b->follows;
    d = d ? d : (int) a->made.len - (int) b->made.len;
    return d ? d : ip_addr_compare(&a->made.addr, &b->made.addr);
}

void
igmp_joins_uninit(struct igmp_joins *joins)
{
    free(joins->list);
    *joins = (struct igmp_joins){.n = 0};
}

/* The first that is of 'group', or of one behind it. */
static size_t
find_group(const struct igmp_joins *joins, const struct ip_addr *group)
{
    size_t low = 0, high = joins->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ip_addr_compare(&joins->list[middle].group, group) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
is_for(const struct igmp_join *join, const struct port_id *port)
{
    return (!join->port.dpid || join->port.dpid == port->dpid)
           && (!join->port.port_no || join->port.port_no == port->port_no);
}

void
igmp_joins_merge(const struct igmp_joins *joins, const struct ip_addr *group,
                 const struct port_id *port, bool exclude,
                 struct igmp_merge *m)
{
    for (size_t i = find_group(joins, group);
         i < joins->n && ip_addr_equal(&joins->list[i].group, group); i++) {
        const struct igmp_join *join = &joins->list[i];

        if (!join->follows && join->exclude == exclude && is_for(join, port)) {
            if (exclude) {
                igmp_merge_exclude(m, NULL, 0);
            } else {
                igmp_merge_include(m, &join->source, 1);
            }
        }
    }
}

/* All sources but some are wanted: a host may be among those, and of a prefix
 * there is always something else. */
static void
follow_exclude(const struct igmp_join *join, struct igmp_merge *m)
{
    bool is_host = ip_prefix_is_host(&join->made);

    if (is_host && ip_addr_is_listed(m->sources, m->n, &join->made.addr)) {
        return;
    }
    if (is_host && !join->exclude) {
        igmp_merge_include(m, &join->source, 1);
    } else {
        igmp_merge_exclude(m, NULL, 0);
    }
}

/* What is added meanwhile stands before or behind; where it is met it adds
 * nothing new. */
static void
follow_include(const struct igmp_join *join, struct igmp_merge *m)
{
    for (size_t i = 0; i < m->n && !m->exclude; i++) {
        struct ip_addr made = m->sources[i];

        if (!ip_prefix_contains(&join->made, &made)) {
            continue;
        }
        if (join->exclude) {
            igmp_merge_exclude(m, NULL, 0);
        } else {
            struct ip_addr source =
                ip_addr_join(&join->source, 128U - join->made.len, &made);
            igmp_merge_include(m, &source, 1);
        }
    }
}

void
igmp_joins_follow(const struct igmp_joins *joins, const struct ip_addr *group,
                  const struct port_id *port, struct igmp_merge *m)
{
    for (size_t i = find_group(joins, group);
         i < joins->n && ip_addr_equal(&joins->list[i].group, group); i++) {
        const struct igmp_join *join = &joins->list[i];

        if (join->follows && is_for(join, port)) {
            if (m->exclude) {
                follow_exclude(join, m);
            } else {
                follow_include(join, m);
            }
        }
    }
}

/* Copies 'list', in order, each once. */
static struct igmp_joins
make(const struct igmp_join *list, size_t n_listed)
{
    struct igmp_joins made = {
        .list = n_listed ? xmemdup(list, n_listed * sizeof *list) : NULL,
        .n = n_listed};
    size_t n = 0;

    if (made.n > 1) {
        qsort(made.list, made.n, sizeof *made.list, compare);
    }
    for (size_t i = 0; i < made.n; i++) {
        if (!n || compare(&made.list[n - 1], &made.list[i])) {
            made.list[n++] = made.list[i];
        }
    }
    made.n = n;
    return made;
}

/* Tells of the groups in which the two differ. */
static void
tell_changes(struct igmp_snoop *s, const struct igmp_joins *a,
             const struct igmp_joins *b)
{
    size_t i = 0, j = 0;

    while (i < a->n || j < b->n) {
        int d = i == a->n   ? 1
                : j == b->n ? -1
                            : compare(&a->list[i], &b->list[j]);
        if (d) {
            igmp_proxy_member_changed(s, d < 0 ? &a->list[i].group
                                               : &b->list[j].group);
        }
        i += d <= 0;
        j += d >= 0;
    }
}

void
igmp_snoop_set_joins(struct igmp_snoop *s, const struct igmp_join *list,
                     size_t n, int64_t now)
{
    struct igmp_joins old = s->joins;

    s->now = now;
    s->joins = make(list, n);
    tell_changes(s, &old, &s->joins);
    igmp_joins_uninit(&old);
}

static bool
are_same(const struct igmp_join *a, size_t n_a, const struct igmp_joins *b)
{
    bool same = n_a == b->n;

    for (size_t i = 0; same && i < n_a; i++) {
        same = !compare(&a[i], &b->list[i]);
    }
    return same;
}

void
igmp_snoop_set_group_joins(struct igmp_snoop *s, const struct ip_addr *group,
                           const struct igmp_join *list, size_t n, int64_t now)
{
    struct igmp_joins *all = &s->joins, new = make(list, n);
    size_t at = find_group(all, group), end = at;

    s->now = now;
    while (end < all->n && ip_addr_equal(&all->list[end].group, group)) {
        end++;
    }
    if (!are_same(all->list + at, end - at, &new)) {
        size_t n_behind = all->n - end;

        all->list = xrealloc(all->list, (all->n + new.n) * sizeof *all->list);
        memmove(all->list + at + new.n, all->list + end,
                n_behind * sizeof *all->list);
        for (size_t i = 0; i < new.n; i++) {
            all->list[at + i] = new.list[i];
        }
        all->n = at + new.n + n_behind;
        igmp_proxy_member_changed(s, group);
    }
    igmp_joins_uninit(&new);
}
