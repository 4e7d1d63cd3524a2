/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct igmp_times TIMES = {.membership = GMI * 1000,
                                        .older_host = GMI * 1000,
                                        .last_member = 1000,
                                        .last_member_count = 2,
                                        .last_member_time = 2000,
                                        .query_version = 3,
                                        .robustness = 2,
                                        .host_silent = 135 * 1000};

struct ip_addr
letter(char c)
{
    return ip_addr_v4(0x0a090001u + (uint32_t) (c - 'a'));
}

char
letter_of(const struct ip_addr *a)
{
    return (char) ('a' + (int) (ip_addr_to_v4(a) - 0x0a090001u));
}

static void
query(void *f_, const struct ip_addr *sources, size_t n, bool suppress)
{
    struct fixture *f = f_;
    size_t at = strlen(f->asked);

    at += (size_t) sprintf(f->asked + at, "%sQ(G%s", at ? " " : "",
                           n ? "," : "");
    for (size_t i = 0; i < n; i++) {
        f->asked[at++] = letter_of(&sources[i]);
    }
    sprintf(f->asked + at, ")%s", suppress ? "S" : "");
}

static void
ask_host(void *f_, const struct igmp_wish *w)
{
    struct fixture *f = f_;
    size_t at = strlen(f->asked);

    sprintf(f->asked + at, "%sQ(%d)", at ? " " : "", w->host->mac.b[5]);
}

static void
special(void *f_, const struct ip_addr *source, int delta)
{
    struct fixture *f = f_;
    int *n = &f->specials[letter_of(source) - 'a'];

    *n += delta;
    assert_in_range(*n, 0, 1);
}

void
begin(struct fixture *f)
{
    f->ctx.changed = f->ctx.hosts_changed = false;
    f->ctx.soonest = INT64_MAX;
    f->asked[0] = '\0';
}

size_t
letters(const char *s, struct ip_addr *out)
{
    size_t n = 0;

    for (; *s; s++) {
        out[n++] = letter(*s);
    }
    return n;
}

void
record(struct fixture *f, int version, uint8_t type, const char *list)
{
    struct ip_addr sources[6];
    size_t n = letters(list, sources);

    begin(f);
    igmp_group_record(&f->g, &f->ctx, version, type, sources, n);
}

/* All timers run on by 'ms', and what is due happens. */
void
step(struct fixture *f, int64_t ms)
{
    f->ctx.now += ms;
    begin(f);
    igmp_group_run(&f->g, &f->ctx);
}

void
init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->times = TIMES;
    f->ctx = (struct igmp_group_ctx){.times = &f->times,
                                     .now = 1000000,
                                     .hosts = &f->hosts,
                                     .sources = &f->port.sources,
                                     .host_sources = &f->port.host_sources,
                                     .query = query,
                                     .ask_host = ask_host,
                                     .special = special,
                                     .aux = f};
    f->port.sources.max = f->port.host_sources.max = 4096;
    igmp_group_init(&f->g);
}

/* INCLUDE (x), or EXCLUDE (x,y) where 'y' is not NULL. */
void
init_state(struct fixture *f, const char *x, const char *y)
{
    init(f);
    if (y) {
        /* What was wanted while the group timer had less than GMI left. */
        f->ctx.now -= (GMI - GROUP_LEFT) * 1000;
        record(f, 3, IGMP_MODE_IS_EXCLUDE, y);
        f->ctx.now += (GMI - GROUP_LEFT) * 1000;
    }
    f->ctx.now -= (GMI - SOURCE_LEFT) * 1000;
    record(f, 3, IGMP_ALLOW_NEW_SOURCES, x);
    f->ctx.now += (GMI - SOURCE_LEFT) * 1000;
    begin(f);
}

void
uninit(struct fixture *f)
{
    igmp_group_uninit(&f->g, &f->ctx);
    assert_int_equal(f->hosts.n, 0);
    assert_int_equal(f->port.n_hosts, 0);
    assert_int_equal(f->port.sources.n, 0);
    assert_int_equal(f->port.host_sources.n, 0);
    igmp_hosts_uninit(&f->hosts);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(f->specials[i], 0);
    }
}

static const char *
state_text(const struct fixture *f)
{
    static char s[256];
    const struct igmp_group *g = &f->g;
    size_t n = 0;

    n += (size_t) sprintf(s + n, g->exclude ? "EX{" : "IN{");
    for (size_t i = 0; i < g->n_sources; i++) {
        if (g->sources[i].forward) {
            n += (size_t) sprintf(
                s + n, "%s%c=%d", s[n - 1] == '{' ? "" : " ",
                letter_of(&g->sources[i].address),
                (int) ((g->sources[i].expires - f->ctx.now) / 1000));
        }
    }
    if (!g->exclude) {
        assert_true(g->timer == INT64_MAX);
        sprintf(s + n, "}");
        return s;
    }
    s[n++] = ';';
    for (size_t i = 0; i < g->n_sources; i++) {
        if (!g->sources[i].forward) {
            assert_true(g->sources[i].expires == INT64_MAX);
            n += (size_t) sprintf(s + n, "%s%c", s[n - 1] == ';' ? "" : " ",
                                  letter_of(&g->sources[i].address));
        }
    }
    sprintf(s + n, "}=%d", (int) ((g->timer - f->ctx.now) / 1000));
    return s;
}

/* What is told as special is what the state says, and each timer that runs is
 * within what the caller was told to wake up for. */
static void
check_told(const struct fixture *f)
{
    int specials[6] = {0};

    for (size_t i = 0; i < f->g.n_sources; i++) {
        const struct igmp_source_view *s = &f->g.sources[i];

        specials[letter_of(&s->address) - 'a'] = s->forward != f->g.exclude;
        if (i) {
            assert_true(ip_addr_compare(&s[-1].address, &s->address) < 0);
        }
    }
    assert_memory_equal(specials, f->specials, sizeof specials);
}

void
check(const struct fixture *f, const char *state, const char *asked,
      bool changed)
{
    assert_string_equal(state_text(f), state);
    assert_string_equal(f->asked, asked);
    assert_int_equal(f->ctx.changed, changed);
    check_told(f);
}

/* A record of host 'id', as a snoop hands it on. */
void
say(struct fixture *f, unsigned int id, int version, uint8_t type,
    const char *list)
{
    struct mac_addr mac = {{2, 0, 0, 0, (uint8_t) (id >> 8), (uint8_t) id}};
    struct igmp_wish *w = igmp_hosts_find(&f->g, &mac);
    struct ip_addr sources[6];
    size_t n = letters(list, sources);

    begin(f);
    if (!w && igmp_group_creates(type, n)) {
        struct igmp_host *host = igmp_hosts_lookup(&f->hosts, &mac, &f->port);

        w = igmp_hosts_add_wish(
            &f->g, &f->ctx,
            host ? host : igmp_hosts_add(&f->hosts, &mac, &f->port));
    }
    if (w) {
        igmp_hosts_report(&f->g, &f->ctx, w, version, type, sources, n);
    }
    igmp_group_record(&f->g, &f->ctx, version, type, sources, n);
}

/* "1:IN{ab} 2:EX{}" */
void
check_hosts(const struct fixture *f, const char *want)
{
    char text[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < f->g.n_hosts; i++) {
        const struct igmp_wish *w = igmp_hosts_wishes(&f->g)[i];

        n += (size_t) sprintf(text + n, "%s%d:%s{", i ? " " : "",
                              w->host->mac.b[5], w->exclude ? "EX" : "IN");
        for (size_t k = 0; k < w->n_sources; k++) {
            text[n++] = letter_of(&w->sources[k]);
        }
        text[n++] = '}';
        text[n] = '\0';
    }
    assert_string_equal(text, want);
}
