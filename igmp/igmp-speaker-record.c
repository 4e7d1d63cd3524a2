/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-speaker-private.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-sources.h"
#include "lib/xalloc.h"

void
igmp_speaker_record_uninit(struct igmp_speaker_record *r)
{
    free(r->sources);
    free(r->changes);
}

/* Must 'a' be forwarded, as it was told last? */
static bool
is_wanted(const struct igmp_speaker_record *r, const struct ip_addr *a)
{
    return r->exclude != ip_addr_is_listed(r->sources, r->n_sources, a);
}

/* Changes. */

/* The sources that are in one of the lists only, or wait to be told again:
 * the former, in 'out', 'times' times. */
struct difference {
    struct igmp_speaker_source *out;
    size_t n;
    uint8_t times;
};

static void
differs(struct difference *d, const struct ip_addr *a)
{
    d->out[d->n++] =
        (struct igmp_speaker_source){.address = *a, .left = d->times};
}

/* Both lists are sorted, so 'out' is. */
static void
compare_lists(struct difference *d, const struct igmp_speaker_record *r,
              const struct igmp_merge *m)
{
    size_t i = 0, j = 0;

    while (i < r->n_sources || j < m->n) {
        int order = i == r->n_sources ? 1
                    : j == m->n
                        ? -1
                        : ip_addr_compare(&r->sources[i], &m->sources[j]);

        if (order) {
            differs(d, order < 0 ? &r->sources[i] : &m->sources[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
}

/* Merges what waits already into 'd', which says it anew. */
static void
merge_changes(struct igmp_speaker_record *r, const struct difference *d)
{
    size_t i = 0, j = 0, n = 0;
    struct igmp_speaker_source *both =
        xmalloc((r->n_changes + d->n) * sizeof *both);

    while (i < r->n_changes || j < d->n) {
        int order = i == r->n_changes ? 1
                    : j == d->n       ? -1
                                      : ip_addr_compare(&r->changes[i].address,
                                                        &d->out[j].address);

        both[n++] = order < 0 ? r->changes[i] : d->out[j];
        i += order <= 0;
        j += order >= 0;
    }
    free(r->changes);
    r->changes = both;
    r->n_changes = (uint16_t) n;
}

static void
update_changes(struct igmp_speaker_record *r, const struct igmp_merge *m,
               uint8_t times)
{
    struct difference d = {.times = times};

    if (!r->n_sources && !m->n) {
        return;
    }
    d.out = xmalloc((r->n_sources + m->n) * sizeof *d.out);
    compare_lists(&d, r, m);
    if (d.n) {
        merge_changes(r, &d);
    }
    free(d.out);
}

static void
set_sources(struct igmp_speaker_record *r, const struct igmp_merge *m)
{
    free(r->sources);
    r->sources = m->n ? xmemdup(m->sources, m->n * sizeof *r->sources) : NULL;
    r->n_sources = (uint16_t) m->n;
}

/* RFC 3376 5.1.  A filter-mode-change record tells everything, so it makes
 * what of single sources was to be told again needless. */
void
igmp_speaker_record_update(struct igmp_speaker_record *r,
                           const struct igmp_merge *m, uint8_t times)
{
    bool wanted = igmp_speaker_wants(r);

    if (r->exclude != m->exclude) {
        r->mode_left = times;
        r->n_changes = 0;
    } else {
        update_changes(r, m, times);
    }
    set_sources(r, m);
    r->exclude = m->exclude;
    if (igmp_speaker_wants(r) != wanted) {
        r->joined_left = times;
    }
}

/* Saying it. */

/* ALLOW, or BLOCK, of what is to be told: 5.1, the last table. */
static void
say_sources(const struct igmp_speaker_record *r, struct igmp_say *say,
            bool allow)
{
    struct ip_addr *list = xmalloc(r->n_changes * sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < r->n_changes; i++) {
        if (is_wanted(r, &r->changes[i].address) == allow) {
            list[n++] = r->changes[i].address;
        }
    }
    if (n) {
        igmp_say_record(
            say, allow ? IGMP_ALLOW_NEW_SOURCES : IGMP_BLOCK_OLD_SOURCES,
            &r->group, list, n);
    }
    free(list);
}

/* One transmission less to go, of everything: where a filter-mode-change
 * record is sent it speaks for single sources too. */
static void
count_down(struct igmp_speaker_record *r)
{
    size_t n = 0;

    r->mode_left -= r->mode_left > 0;
    r->joined_left -= r->joined_left > 0;
    for (size_t i = 0; i < r->n_changes; i++) {
        if (--r->changes[i].left) {
            r->changes[n++] = r->changes[i];
        }
    }
    r->n_changes = (uint16_t) n;
    if (!n) {
        free(r->changes);
        r->changes = NULL;
    }
}

void
igmp_speaker_say_change(struct igmp_speaker_record *r, struct igmp_say *say)
{
    if (say->version < 3) {
        if (r->joined_left) {
            igmp_say_older(say, &r->group, !igmp_speaker_wants(r));
        }
    } else if (r->mode_left) {
        igmp_say_record(
            say, r->exclude ? IGMP_CHANGE_TO_EXCLUDE : IGMP_CHANGE_TO_INCLUDE,
            &r->group, r->sources, r->n_sources);
    } else if (r->n_changes) {
        say_sources(r, say, true);
        say_sources(r, say, false);
    }
    count_down(r);
}

/* A current-state record, or what an older version has for it. */
void
igmp_speaker_say_state(const struct igmp_speaker_record *r,
                       struct igmp_say *say)
{
    if (!igmp_speaker_wants(r)) {
        return;
    } else if (say->version < 3) {
        igmp_say_older(say, &r->group, false);
    } else {
        igmp_say_record(
            say, r->exclude ? IGMP_MODE_IS_EXCLUDE : IGMP_MODE_IS_INCLUDE,
            &r->group, r->sources, r->n_sources);
    }
}

/* 5.2: what of the sources asked for is wanted; nothing, if nothing is. */
void
igmp_speaker_say_answer(const struct igmp_speaker_record *r,
                        struct igmp_say *say)
{
    const struct igmp_merge *asked = &r->answer->sources;
    struct ip_addr *list;
    size_t n = 0;

    if (!r->answer->of_sources || say->version < 3) {
        igmp_speaker_say_state(r, say);
        return;
    }
    list = xmalloc(asked->n * sizeof *list);
    for (size_t i = 0; i < asked->n; i++) {
        if (is_wanted(r, &asked->sources[i])) {
            list[n++] = asked->sources[i];
        }
    }
    if (n) {
        igmp_say_record(say, IGMP_MODE_IS_INCLUDE, &r->group, list, n);
    }
    free(list);
}
