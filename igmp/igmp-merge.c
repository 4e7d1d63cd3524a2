/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-merge.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void
igmp_merge_begin(struct igmp_merge *m, const struct ip_addr *group)
{
    m->exclude = false;
    m->n = 0;
    m->specific = ip_addr_is_source_specific(group);
}

void
igmp_merge_uninit(struct igmp_merge *m)
{
    free(m->sources);
    *m = (struct igmp_merge){0};
}

/* Returns the place of 'a', or where it would stand. */
static size_t
place(const struct igmp_merge *m, const struct ip_addr *a)
{
    size_t low = 0, high = m->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ip_addr_compare(&m->sources[middle], a) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
has(const struct igmp_merge *m, size_t i, const struct ip_addr *a)
{
    return i < m->n && ip_addr_equal(&m->sources[i], a);
}

static void
insert(struct igmp_merge *m, size_t i, const struct ip_addr *a)
{
    m->sources = xgrow(m->sources, m->n, &m->allocated, sizeof *m->sources);
    memmove(&m->sources[i + 1], &m->sources[i],
            (m->n - i) * sizeof *m->sources);
    m->sources[i] = *a;
    m->n++;
}

static void delete (struct igmp_merge *m, size_t i)
{
    m->n--;
    memmove(&m->sources[i], &m->sources[i + 1],
            (m->n - i) * sizeof *m->sources);
}

/* Keeps what is in the list too. */
static void
intersect(struct igmp_merge *m, const struct ip_addr *list, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0, j = 0; i < m->n && j < n;) {
        int order = ip_addr_compare(&m->sources[i], &list[j]);

        if (!order) {
            m->sources[kept++] = m->sources[i];
        }
        i += order <= 0;
        j += order >= 0;
    }
    m->n = kept;
}

void
igmp_merge_exclude(struct igmp_merge *m, const struct ip_addr *list, size_t n)
{
    if (m->exclude) {
        intersect(m, list, n);
        return;
    }
    m->exclude = true;
    m->n = 0;
    for (size_t i = 0; i < n && i < IGMP_MERGE_MAX; i++) {
        insert(m, i, &list[i]);
    }
}

/* One more than there is room for: all, if that can be said. */
static void
overflow(struct igmp_merge *m)
{
    if (!m->specific) {
        m->exclude = true;
        m->n = 0;
    }
}

void
igmp_merge_include(struct igmp_merge *m, const struct ip_addr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = place(m, &list[i]);
        bool found = has(m, at, &list[i]);

        if (m->exclude && found) {
            delete (m, at);
        } else if (!m->exclude && !found) {
            if (m->n < IGMP_MERGE_MAX) {
                insert(m, at, &list[i]);
            } else {
                overflow(m);
            }
        }
    }
}
