/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/igmp-model.h"

#include <string.h>

struct ip_addr
model_addr(const struct world *w, const char *v6, uint32_t v4, unsigned int n)
{
    struct ip_addr a = ip_addr_v4(v4 + n);

    if (w->family == IGMP_IPV6) {
        ip_addr_parse(v6, &a);
        a.b[15] = (uint8_t) n;
    }
    return a;
}

struct ip_addr
model_group(const struct world *w, unsigned int g)
{
    return model_addr(w, "ff05::3:0", 0xe2010100u, 1 + g);
}

struct ip_addr
model_source(const struct world *w, unsigned int s)
{
    return model_addr(w, "2001:db8::9:0", 0x0a090000u, 7 + 2 * s);
}

struct port_id
model_port(unsigned int p)
{
    return (struct port_id){.dpid = 1 + p % 2, .port_no = 10 - p};
}

/* The model. */

void
model_set_timers(struct model *m, unsigned int set, int64_t at)
{
    for (int s = 0; s < SOURCES; s++) {
        if (set >> s & 1) {
            m->timers[s] = at;
        }
    }
}

int
model_version(const struct world *w, const struct model *m)
{
    return w->now < m->v1_until ? 1 : w->now < m->v2_until ? 2 : 3;
}

bool
model_filter_wants(const struct filter *f, unsigned int s)
{
    bool listed = s < SOURCES && f->set >> s & 1;

    return f->there && listed != f->exclude;
}

static bool
hosts_want(const struct model *m, unsigned int s)
{
    for (int h = 0; h < HOSTS; h++) {
        if (model_filter_wants(&m->hosts[h].filter, s)) {
            return true;
        }
    }
    return false;
}

static bool
model_known(const struct world *w, const struct model *m)
{
    return m->port->leave != IGMP_LEAVE_QUERY && w->now >= m->hidden_until
           && (m->port->leave == IGMP_LEAVE_IMMEDIATE
               || model_version(w, m) == 3);
}

void
model_lower_sources(const struct world *w, struct model *m, unsigned int set)
{
    for (int s = 0; s < SOURCES; s++) {
        if ((set & m->x) >> s & 1 && m->timers[s] > w->now + LMQT) {
            m->timers[s] = w->now + LMQT;
            m->asked = w->now;
        }
    }
}

void
model_lower_group(const struct world *w, struct model *m)
{
    if (m->group_timer > w->now + LMQT) {
        m->group_timer = w->now + LMQT;
        m->asked = w->now;
    }
}

static void
model_ask_sources(const struct world *w, struct model *m, unsigned int set)
{
    if (!model_known(w, m)) {
        if (w->querier) {
            model_lower_sources(w, m, set);
        }
        return;
    }
    for (unsigned int s = 0; s < SOURCES; s++) {
        if ((set & m->x) >> s & 1 && !hosts_want(m, s)) {
            m->x &= ~(1u << s);
            m->y |= m->exclude ? 1u << s : 0;
        }
    }
}

/* Nobody wants all any more: what others want is what they listed. */
static void
model_want_listed(struct model *m)
{
    for (int h = 0; h < HOSTS; h++) {
        const struct filter *f = &m->hosts[h].filter;

        for (int s = 0; s < SOURCES && f->there && !f->exclude; s++) {
            int64_t until = m->hosts[h].seen + GMI;

            if (f->set >> s & 1
                && (!(m->x >> s & 1) || m->timers[s] < until)) {
                m->x |= 1u << s;
                m->timers[s] = until;
            }
        }
    }
}

static void
model_ask_group(const struct world *w, struct model *m)
{
    if (!model_known(w, m)) {
        if (w->querier) {
            model_lower_group(w, m);
        }
    } else if (!hosts_want(m, SOURCES)) {
        model_want_listed(m);
        m->exclude = false;
        m->y = 0;
    }
}

static void
model_include(const struct world *w, struct model *m, uint8_t type,
              unsigned int b)
{
    unsigned int a = m->x;

    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
    case IGMP_ALLOW_NEW_SOURCES:
        m->x = a | b;
        model_set_timers(m, b, w->now + GMI);
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        m->exclude = true;
        m->x = a & b;
        m->y = b & ~a;
        m->group_timer = w->now + GMI;
        if (type == IGMP_CHANGE_TO_EXCLUDE) {
            model_ask_sources(w, m, a & b);
        }
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        m->x = a | b;
        model_set_timers(m, b, w->now + GMI);
        model_ask_sources(w, m, a & ~b);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        model_ask_sources(w, m, a & b);
        break;
    }
}

static void
model_exclude(const struct world *w, struct model *m, uint8_t type,
              unsigned int a)
{
    unsigned int x = m->x, y = m->y;

    switch (type) {
    case IGMP_MODE_IS_INCLUDE:
    case IGMP_ALLOW_NEW_SOURCES:
        m->x = x | a;
        m->y = y & ~a;
        model_set_timers(m, a, w->now + GMI);
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        m->x = a & ~y;
        m->y = y & a;
        model_set_timers(m, a & ~x & ~y,
                         type == IGMP_MODE_IS_EXCLUDE ? w->now + GMI
                                                      : m->group_timer);
        m->group_timer = w->now + GMI;
        if (type == IGMP_CHANGE_TO_EXCLUDE) {
            model_ask_sources(w, m, a & ~y);
        }
        break;
    case IGMP_CHANGE_TO_INCLUDE:
        m->x = x | a;
        m->y = y & ~a;
        model_set_timers(m, a, w->now + GMI);
        model_ask_sources(w, m, x & ~a);
        model_ask_group(w, m);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        m->x = x | (a & ~y);
        model_set_timers(m, a & ~x & ~y, m->group_timer);
        model_ask_sources(w, m, a & ~y);
        break;
    }
}

bool
model_exists(const struct model *m)
{
    return m->exclude || m->x;
}

void
model_reset(struct model *m)
{
    *m = (struct model){.port = m->port, .fixed = m->fixed};
}

/* Who wants nothing any more is forgotten, with where it was. */
void
model_clean(struct world *w)
{
    for (int p = 0; p < PORTS; p++) {
        unsigned int there = 0;

        for (int g = 0; g < GROUPS; g++) {
            struct model *m = &w->models[g][p];

            if (!model_exists(m)) {
                model_reset(m);
            }
            for (int h = 0; h < HOSTS; h++) {
                there |= (unsigned int) m->hosts[h].filter.there << h;
            }
        }
        for (int h = 0; h < HOSTS; h++) {
            if (!(there >> h & 1)) {
                w->former[h][p].port = -1;
                w->departs[h][p].at = 0;
            }
        }
    }
}

/* What a host wants itself. */
static void
model_host(const struct world *w, struct model *m, int version, uint8_t type,
           unsigned int set, unsigned int host)
{
    struct filter f = m->hosts[host].filter;
    bool include = f.there && !f.exclude;
    bool goes_on = w->now - m->hosts[host].seen <= 500;
    bool complete = !goes_on && w->now >= m->hidden_until
                    && (!m->asked || w->now - m->asked > 2 * LMQT);

    if (type == IGMP_MODE_IS_EXCLUDE || type == IGMP_CHANGE_TO_EXCLUDE) {
        f = (struct filter){true, true, set};
    } else if ((type == IGMP_CHANGE_TO_INCLUDE && !(set && include && goes_on))
               || (type == IGMP_MODE_IS_INCLUDE && complete)) {
        f = (struct filter){true, false, set};
    } else if (type == IGMP_BLOCK_OLD_SOURCES ? include : f.exclude) {
        f.set &= ~set;
    } else {
        f.set |= set;
    }
    f.there = f.exclude || f.set;
    memset(&m->hosts[host], 0, sizeof m->hosts[host]);
    if (f.there) {
        m->hosts[host].filter = f;
        m->hosts[host].version = version;
        m->hosts[host].seen = w->now;
    }
}

static void
model_machine(const struct world *w, struct model *m, int version,
              uint8_t type, unsigned int sources)
{
    if (type == IGMP_MODE_IS_EXCLUDE && version == 1) {
        m->v1_until = w->now + GMI;
    } else if (type == IGMP_MODE_IS_EXCLUDE && version == 2) {
        m->v2_until = w->now + GMI;
    }

    int compatibility = model_version(w, m);
    if ((compatibility < 3 && type == IGMP_BLOCK_OLD_SOURCES)
        || (compatibility == 1 && type == IGMP_CHANGE_TO_INCLUDE
            && !model_known(w, m))) {
        return;
    }
    if (compatibility < 3 && type == IGMP_CHANGE_TO_EXCLUDE) {
        sources = 0;
    }
    if (m->exclude) {
        model_exclude(w, m, type, sources);
    } else {
        model_include(w, m, type, sources);
    }
}

void
model_record(struct world *w, struct model *m, int version, uint8_t type,
             unsigned int sources, unsigned int host)
{
    bool creates = type == IGMP_MODE_IS_EXCLUDE
                   || type == IGMP_CHANGE_TO_EXCLUDE
                   || (sources && type != IGMP_BLOCK_OLD_SOURCES);

    if (!model_exists(m) && !creates) {
        return;
    }
    if (creates || m->hosts[host].filter.there) {
        model_host(w, m, version, type, sources, host);
    }
    model_machine(w, m, version, type, sources);
    model_clean(w);
}

/* Moves. */

unsigned int
model_groups(const struct world *w, unsigned int h, unsigned int p)
{
    unsigned int n = 0;

    for (int g = 0; g < GROUPS; g++) {
        n += w->models[g][p].hosts[h].filter.there;
    }
    return n;
}

static void
model_move(struct world *w, unsigned int h, unsigned int from, unsigned int to)
{
    bool again =
        w->former[h][from].port >= 0 && w->now < w->former[h][from].until;

    w->former[h][to].n_moves = again ? w->former[h][from].n_moves + 1 : 1;
    w->former[h][to].port = (int) from;
    w->former[h][to].until = w->now + GMI;
    for (int g = 0; g < GROUPS; g++) {
        struct model *old = &w->models[g][from], *new = &w->models[g][to];
        struct filter f = old->hosts[h].filter;

        if (f.there) {
            new->hosts[h] = old->hosts[h];
            new->hosts[h].seen = w->now;
            if (new->hidden_until < w->now + LMQT) {
                new->hidden_until = w->now + LMQT;
            }
            model_machine(w, new, new->hosts[h].version,
                          f.exclude ? IGMP_MODE_IS_EXCLUDE
                                    : IGMP_MODE_IS_INCLUDE,
                          f.set);
        }
    }
    w->n_moved++;
    if (w->querier) {
        w->departs[h][from].at = w->now + LMQT / 2;
        w->departs[h][from].queries_left = 1;
        w->departs[h][from].turn = w->turn++;
    }
    model_clean(w);
}

/* It did not answer where it was. */
static void
model_depart(struct world *w, unsigned int h, unsigned int p)
{
    w->n_departed++;
    for (int g = 0; g < GROUPS; g++) {
        struct model *m = &w->models[g][p];
        const struct igmp_port_config *port = m->port;
        struct igmp_port_config tracked = *port;

        if (!m->hosts[h].filter.there) {
            continue;
        }
        memset(&m->hosts[h], 0, sizeof m->hosts[h]);
        if (port->leave == IGMP_LEAVE_QUERY) {
            tracked.leave = IGMP_LEAVE_TRACKED;
        }
        m->port = &tracked;
        model_machine(w, m, 3, IGMP_CHANGE_TO_INCLUDE, 0);
        m->port = port;
    }
    model_clean(w);
}

/* A report of host 'h' comes from port 'p'. */
void
model_arrive(struct world *w, unsigned int h, unsigned int p)
{
    unsigned int elsewhere = 0, from = 0;

    w->departs[h][p].at = 0; /* It is here. */
    for (unsigned int i = 0; i < PORTS; i++) {
        if (model_groups(w, h, i)) {
            elsewhere++;
            from = i;
        }
    }
    if (elsewhere != 1 || from == p) {
        return;
    }
    if (w->former[h][from].port < 0 || w->now >= w->former[h][from].until
        || (w->former[h][from].port != (int) p
            && w->former[h][from].n_moves < MAX_MOVES)) {
        model_move(w, h, from, p);
    }
}

static void
expire(const struct world *w, struct model *m)
{
    for (unsigned int s = 0; s < SOURCES; s++) {
        if (m->x >> s & 1 && m->timers[s] <= w->now) {
            m->x &= ~(1u << s);
            m->y |= m->exclude ? 1u << s : 0;
        }
    }
    if (m->exclude && m->group_timer <= w->now) {
        m->exclude = false;
        m->y = 0;
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        if (m->hosts[h].seen + GMI <= w->now) {
            memset(&m->hosts[h], 0, sizeof m->hosts[h]);
        }
    }
    m->one_copy &= w->now < m->hidden_until;
}

/* The one of those due that has waited longest.  False if there is none. */
static bool
next_departure(const struct world *w, unsigned int *host, unsigned int *port)
{
    unsigned int turn = UINT32_MAX;

    for (unsigned int h = 0; h < HOSTS; h++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            if (w->departs[h][p].at && w->departs[h][p].at <= w->now
                && w->departs[h][p].turn < turn) {
                turn = w->departs[h][p].turn;
                *host = h;
                *port = p;
            }
        }
    }
    return turn < UINT32_MAX;
}

void
model_run(struct world *w)
{
    unsigned int h, p;

    while (next_departure(w, &h, &p)) {
        if (w->departs[h][p].queries_left--) {
            w->departs[h][p].at = w->now + LMQT / 2;
            w->departs[h][p].turn = w->turn++;
        } else {
            model_depart(w, h, p);
        }
    }
    for (unsigned int g = 0; g < GROUPS; g++) {
        for (p = 0; p < PORTS; p++) {
            expire(w, &w->models[g][p]);
        }
    }
    model_clean(w);
}

/* SOURCES stands for a source that no filter names. */
static bool
model_forwards(const struct model *m, unsigned int s)
{
    return s == SOURCES ? m->exclude
           : m->exclude ? !(m->y >> s & 1)
                        : m->x >> s & 1;
}

bool
model_is_unicast(const struct model *m)
{
    return m->port->delivery == IGMP_DELIVER_UNICAST && !m->fixed.there
           && !m->one_copy && model_exists(m);
}

struct copies
model_copies(const struct model *m)
{
    struct copies c = {{0}};

    for (unsigned int s = 0; s <= SOURCES; s++) {
        if (!model_is_unicast(m)) {
            bool one =
                model_forwards(m, s) || model_filter_wants(&m->fixed, s);

            c.of[s] = (uint8_t) (one << HOSTS);
            continue;
        }
        for (unsigned int h = 0; h < HOSTS && model_forwards(m, s); h++) {
            c.of[s] |=
                (uint8_t) (model_filter_wants(&m->hosts[h].filter, s) << h);
        }
    }
    return c;
}

/* What an entry of its own is needed for. */
unsigned int
model_specials(const struct model *m)
{
    unsigned int set =
        (m->exclude ? m->y : m->x) | (m->fixed.there ? m->fixed.set : 0);

    for (unsigned int h = 0; h < HOSTS && model_is_unicast(m); h++) {
        set |= m->hosts[h].filter.set;
    }
    return set;
}
