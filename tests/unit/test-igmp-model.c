/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

/* Random events against a naive model: sets are bit masks, timers are arrays,
 * nothing is lazy, the rows of RFC 3376 6.4 stand as the RFC has them.  After
 * each event every state, timer, list of receivers and of copies, and every
 * host must be the same, and membership_changed must have been called exactly
 * for what changed.
 *
 * Ports leave in all three modes, and some deliver by unicast; hosts speak
 * from all of them, so that they move; there are static members; all of it in
 * both families: 10^6 events, a tenth of that under sanitizers.
 *
 * OFM_SEED and OFM_EVENTS repeat or lengthen a run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    GROUPS = 4,
    PORTS = 5,
    SOURCES = 6,
    HOSTS = 4,
#if defined __SANITIZE_ADDRESS__
    EVENTS = 100000 / 4,
#else
    EVENTS = 1000000 / 4,
#endif
    MAX_MOVES = 8,
    GMI = 260 * 1000,
    LMQT = 2 * 1000,
    ANSWERED = 10 * 1000 + 125 * 1000 / 4
};

/* A filter, of a host or of the operator. */
struct filter {
    bool there, exclude;
    unsigned int set;
};

/* One (group, port). */
struct model {
    const struct igmp_port_config *port;
    struct filter fixed;

    bool exclude;
    unsigned int x, y; /* Of INCLUDE (A), A is x. */
    int64_t group_timer;
    int64_t timers[SOURCES]; /* Of x. */
    int64_t asked;           /* When it was asked who is still there. */
    int64_t v1_until, v2_until, hidden_until;
    bool one_copy;
    struct {
        struct filter filter;
        int version;
        int64_t seen;
    } hosts[HOSTS];
};

/* What each of the sources is copied to: bits of hosts, bit HOSTS for all. */
struct copies {
    uint8_t of[SOURCES + 1];
};

struct world {
    struct igmp_snoop *s;
    enum igmp_family family;
    bool querier;
    int64_t now;
    unsigned int seed;
    struct igmp_port_config ports[PORTS];
    struct model models[GROUPS][PORTS];
    struct {
        int port; /* -1: none. */
        int64_t until;
        int n_moves;
    } former[HOSTS][PORTS];
    struct copies told[GROUPS][PORTS];
    unsigned int n_moved;
    bool is_static; /* The operator is at work. */
};

static unsigned int
pick(struct world *w, unsigned int n)
{
    return (unsigned int) rand_r(&w->seed) % n;
}

static struct ip_addr
addr(const struct world *w, const char *v6, uint32_t v4, unsigned int n)
{
    struct ip_addr a = ip_addr_v4(v4 + n);

    if (w->family == IGMP_IPV6) {
        ip_addr_parse(v6, &a);
        a.b[15] = (uint8_t) n;
    }
    return a;
}

static struct ip_addr
group_addr(const struct world *w, unsigned int g)
{
    return addr(w, "ff05::3:0", 0xe2010100u, 1 + g);
}

static struct ip_addr
source_addr(const struct world *w, unsigned int s)
{
    return addr(w, "2001:db8::9:0", 0x0a090000u, 7 + 2 * s);
}

static struct port_id
port_id(unsigned int p)
{
    return (struct port_id){.dpid = 1 + p % 2, .port_no = 10 - p};
}

/* The model. */

static void
set_timers(struct model *m, unsigned int set, int64_t at)
{
    for (int s = 0; s < SOURCES; s++) {
        if (set >> s & 1) {
            m->timers[s] = at;
        }
    }
}

static int
model_version(const struct world *w, const struct model *m)
{
    return w->now < m->v1_until ? 1 : w->now < m->v2_until ? 2 : 3;
}

static bool
filter_wants(const struct filter *f, unsigned int s)
{
    bool listed = s < SOURCES && f->set >> s & 1;

    return f->there && listed != f->exclude;
}

static bool
hosts_want(const struct model *m, unsigned int s)
{
    for (int h = 0; h < HOSTS; h++) {
        if (filter_wants(&m->hosts[h].filter, s)) {
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

static void
lower_sources(const struct world *w, struct model *m, unsigned int set)
{
    for (int s = 0; s < SOURCES; s++) {
        if ((set & m->x) >> s & 1 && m->timers[s] > w->now + LMQT) {
            m->timers[s] = w->now + LMQT;
            m->asked = w->now;
        }
    }
}

static void
lower_group(const struct world *w, struct model *m)
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
            lower_sources(w, m, set);
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

static void
model_ask_group(const struct world *w, struct model *m)
{
    if (!model_known(w, m)) {
        if (w->querier) {
            lower_group(w, m);
        }
    } else if (!hosts_want(m, SOURCES)) {
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
        set_timers(m, b, w->now + GMI);
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
        set_timers(m, b, w->now + GMI);
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
        set_timers(m, a, w->now + GMI);
        break;
    case IGMP_MODE_IS_EXCLUDE:
    case IGMP_CHANGE_TO_EXCLUDE:
        m->x = a & ~y;
        m->y = y & a;
        set_timers(m, a & ~x & ~y,
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
        set_timers(m, a, w->now + GMI);
        model_ask_sources(w, m, x & ~a);
        model_ask_group(w, m);
        break;
    case IGMP_BLOCK_OLD_SOURCES:
        m->x = x | (a & ~y);
        set_timers(m, a & ~x & ~y, m->group_timer);
        model_ask_sources(w, m, a & ~y);
        break;
    }
}

static bool
model_exists(const struct model *m)
{
    return m->exclude || m->x;
}

static void
model_reset(struct model *m)
{
    *m = (struct model){.port = m->port, .fixed = m->fixed};
}

/* Who wants nothing any more is forgotten, with where it was. */
static void
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
    bool complete = m->hosts[host].seen != w->now
                    && (!m->asked || w->now - m->asked > 2 * LMQT);

    if (type == IGMP_MODE_IS_EXCLUDE || type == IGMP_CHANGE_TO_EXCLUDE) {
        f = (struct filter){true, true, set};
    } else if (type == IGMP_CHANGE_TO_INCLUDE
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

static void
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

static unsigned int
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
        struct igmp_port_config tracked = *old->port;
        const struct igmp_port_config *port = old->port;

        if (!f.there) {
            continue;
        }
        new->hosts[h] = old->hosts[h];
        new->hosts[h].seen = w->now;
        model_machine(w, new, new->hosts[h].version,
                      f.exclude ? IGMP_MODE_IS_EXCLUDE : IGMP_MODE_IS_INCLUDE,
                      f.set);
        memset(&old->hosts[h], 0, sizeof old->hosts[h]);
        tracked.leave =
            port->leave == IGMP_LEAVE_QUERY ? IGMP_LEAVE_TRACKED : port->leave;
        old->port = &tracked;
        model_machine(w, old, 3, IGMP_CHANGE_TO_INCLUDE, 0);
        old->port = port;
    }
    w->n_moved++;
    model_clean(w);
}

/* A report of host 'h' comes from port 'p'. */
static void
model_arrive(struct world *w, unsigned int h, unsigned int p)
{
    unsigned int elsewhere = 0, from = 0;

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
model_expire(const struct world *w, struct model *m)
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

/* SOURCES stands for a source that no filter names. */
static bool
model_forwards(const struct model *m, unsigned int s)
{
    return s == SOURCES ? m->exclude
           : m->exclude ? !(m->y >> s & 1)
                        : m->x >> s & 1;
}

static bool
model_is_unicast(const struct model *m)
{
    return m->port->delivery == IGMP_DELIVER_UNICAST && !m->fixed.there
           && !m->one_copy && model_exists(m);
}

static struct copies
model_copies(const struct model *m)
{
    struct copies c = {{0}};

    for (unsigned int s = 0; s <= SOURCES; s++) {
        if (!model_is_unicast(m)) {
            bool one = model_forwards(m, s) || filter_wants(&m->fixed, s);

            c.of[s] = (uint8_t) (one << HOSTS);
            continue;
        }
        for (unsigned int h = 0; h < HOSTS && model_forwards(m, s); h++) {
            c.of[s] |= (uint8_t) (filter_wants(&m->hosts[h].filter, s) << h);
        }
    }
    return c;
}

/* What an entry of its own is needed for. */
static unsigned int
model_specials(const struct model *m)
{
    unsigned int set =
        (m->exclude ? m->y : m->x) | (m->fixed.there ? m->fixed.set : 0);

    for (unsigned int h = 0; h < HOSTS && model_is_unicast(m); h++) {
        set |= m->hosts[h].filter.set;
    }
    return set;
}

/* The real one. */

static unsigned int
index_of_port(const struct port_id *port)
{
    return (unsigned int) (10 - port->port_no);
}

struct copies_aux {
    struct copies copies[PORTS];
    unsigned int s;
};

static bool
add_copy(void *aux_, const struct igmp_copy *copy)
{
    struct copies_aux *aux = aux_;
    uint8_t *set = &aux->copies[index_of_port(&copy->port)].of[aux->s];
    unsigned int bit = copy->mac.b[0] ? 1u << copy->mac.b[5] : 1u << HOSTS;

    assert_false(*set & bit); /* Each once. */
    *set |= (uint8_t) bit;
    return true;
}

static void
real_copies(const struct world *w, unsigned int g, struct copies_aux *aux)
{
    struct ip_addr group = group_addr(w, g);

    memset(aux, 0, sizeof *aux);
    for (aux->s = 0; aux->s <= SOURCES; aux->s++) {
        struct ip_addr source =
            aux->s < SOURCES ? source_addr(w, aux->s) : IP_ADDR_ANY;

        igmp_snoop_each_copy(w->s, &source, &group, 0, add_copy, aux);
    }
}

static void
membership_changed(void *w_, const struct ip_addr *group,
                   const struct port_id *port)
{
    struct world *w = w_;
    unsigned int g = group->b[15] - 1u, p = index_of_port(port);
    struct copies_aux now;

    assert_true(g < GROUPS && p < PORTS);
    real_copies(w, g, &now);
    if (!w->models[g][p].fixed.there && !w->is_static
        && w->ports[p].delivery == IGMP_DELIVER_MULTICAST) {
        /* Or nothing changed. */
        assert_memory_not_equal(&now.copies[p], &w->told[g][p],
                                sizeof w->told[g][p]);
    }
    w->told[g][p] = now.copies[p];
}

static void
router_ports_changed(void *w, const struct port_id *port)
{
    (void) w;
    (void) port;
}

static void
sent(void *w_, const struct port_id *port, const void *frame, size_t size)
{
    struct world *w = w_;
    struct igmp_msg m;

    assert_true(w->querier);
    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    assert_true(port || ip_addr_is_any(&m.group));
}

static void
querier_changed(void *w, bool ours)
{
    (void) w;
    (void) ours;
    fail();
}

struct seen {
    const struct world *w;
    unsigned int g;
    unsigned int ports;
};

static unsigned int
index_of_source(const struct ip_addr *a)
{
    unsigned int i = (a->b[15] - 7u) / 2;

    assert_true(i < SOURCES);
    return i;
}

static void
compare_hosts(const struct igmp_port_view *v, const struct model *m)
{
    unsigned int hosts = 0;

    for (size_t i = 0; i < v->n_hosts; i++) {
        unsigned int h = v->hosts[i].mac.b[5];

        const struct igmp_host_view *host = &v->hosts[i];
        unsigned int set = 0;

        for (size_t s = 0; s < host->n_sources; s++) {
            set |= 1u << index_of_source(&host->sources[s]);
        }
        hosts |= 1u << h;
        assert_true(m->hosts[h].filter.there);
        assert_int_equal(host->exclude, m->hosts[h].filter.exclude);
        assert_int_equal(set, m->hosts[h].filter.set);
        assert_true(host->last_report == m->hosts[h].seen);
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        assert_int_equal(hosts >> h & 1, m->hosts[h].filter.there);
    }
}

static bool
compare_port(void *seen_, const struct igmp_port_view *v)
{
    struct seen *seen = seen_;
    unsigned int p = index_of_port(&v->port), x = 0, y = 0;
    const struct model *m = &seen->w->models[seen->g][p];

    seen->ports |= 1u << p;
    assert_int_equal(v->learned, model_exists(m));
    assert_int_equal(v->fixed != NULL, m->fixed.there);
    assert_true(v->learned || v->fixed);
    assert_int_equal(v->delivery == IGMP_DELIVER_UNICAST, model_is_unicast(m));
    assert_int_equal(v->exclude, m->exclude);
    assert_int_equal(v->version, model_version(seen->w, m));
    for (size_t i = 0; i < v->n_sources; i++) {
        unsigned int s = index_of_source(&v->sources[i].address);

        if (v->sources[i].forward) {
            x |= 1u << s;
            assert_true(v->sources[i].expires == m->timers[s]);
        } else {
            y |= 1u << s;
        }
    }
    assert_int_equal(x, m->x);
    assert_int_equal(y, m->y);
    if (m->exclude) {
        assert_true(v->expires == m->group_timer);
    }
    compare_hosts(v, m);
    return true;
}

static bool
add_port(void *set, const struct port_id *port)
{
    *(unsigned int *) set |= 1u << index_of_port(port);
    return true;
}

static void
compare_receivers(const struct world *w, unsigned int g)
{
    struct ip_addr group = group_addr(w, g);

    for (unsigned int s = 0; s <= SOURCES; s++) {
        struct ip_addr source = s < SOURCES ? source_addr(w, s) : IP_ADDR_ANY;
        unsigned int want = 0, got = 0, got1 = 0;

        for (unsigned int p = 0; p < PORTS; p++) {
            struct copies c = model_copies(&w->models[g][p]);
            struct port_id port = port_id(p);

            want |= (unsigned int) (c.of[s] != 0) << p;
            assert_int_equal(igmp_snoop_forwards(w->s, &source, &group, &port),
                             c.of[s] != 0);
        }
        igmp_snoop_each_receiver(w->s, &source, &group, 0, add_port, &got);
        igmp_snoop_each_receiver(w->s, &source, &group, 1, add_port, &got1);
        assert_int_equal(got, want);
        assert_int_equal(got1, want & 0x15); /* Ports 0, 2, 4. */
    }
}

static void
compare_specials(const struct world *w, unsigned int g)
{
    struct ip_addr group = group_addr(w, g), out[SOURCES];
    unsigned int special = 0, listed = 0;
    size_t n = igmp_snoop_filtered_sources(w->s, &group, out, SOURCES);

    for (unsigned int p = 0; p < PORTS; p++) {
        special |= model_specials(&w->models[g][p]);
    }
    for (size_t i = 0; i < n; i++) {
        listed |= 1u << index_of_source(&out[i]);
    }
    assert_int_equal(listed, special);
    assert_int_equal(n, __builtin_popcount(special));
}

static void
compare_group(const struct world *w, unsigned int g)
{
    struct ip_addr group = group_addr(w, g);
    struct seen seen = {.w = w, .g = g};
    unsigned int ports = 0;
    struct copies_aux real;

    real_copies(w, g, &real);
    for (unsigned int p = 0; p < PORTS; p++) {
        const struct model *m = &w->models[g][p];
        struct copies want = model_copies(m);

        ports |= (unsigned int) (model_exists(m) || m->fixed.there) << p;
        assert_memory_equal(&real.copies[p], &want, sizeof want);
        assert_memory_equal(&w->told[g][p], &want, sizeof want);
    }
    igmp_snoop_each_port(w->s, &group, compare_port, &seen);
    assert_int_equal(seen.ports, ports);
    assert_int_equal(igmp_snoop_has_group(w->s, &group), ports != 0);
    compare_receivers(w, g);
    compare_specials(w, g);
}

static bool
compare_host(void *n_, const struct igmp_known_host *h)
{
    ++*(unsigned int *) n_;
    assert_true(h->n_groups > 0);
    return true;
}

/* All groups take turns: a difference does not go away. */
static void
compare(struct world *w, long i)
{
    size_t n_groups = 0, n_members = 0, n_hosts = 0;
    unsigned int n = 0;

    for (unsigned int g = 0; g < GROUPS; g++) {
        bool any = false;

        for (unsigned int p = 0; p < PORTS; p++) {
            const struct model *m = &w->models[g][p];
            bool is = model_exists(m) || m->fixed.there;

            any |= is;
            n_members += is;
        }
        n_groups += any;
    }
    for (unsigned int h = 0; h < HOSTS; h++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            n_hosts += model_groups(w, h, p) > 0;
        }
    }
    compare_group(w, (unsigned int) (i % GROUPS));
    igmp_snoop_each_host(w->s, compare_host, &n);
    assert_int_equal(n, n_hosts);
    assert_int_equal(igmp_snoop_n_groups(w->s), n_groups);
    assert_int_equal(igmp_snoop_n_members(w->s), n_members);
    assert_true(igmp_snoop_deadline(w->s) > w->now);
}

/* Events. */

static size_t
list_of(struct world *w, unsigned int set, struct ip_addr *out)
{
    size_t n = 0;

    for (unsigned int i = 0, s = pick(w, SOURCES); i < SOURCES; i++, s++) {
        if (set >> s % SOURCES & 1) {
            out[n++] = source_addr(w, s % SOURCES);
            if (!pick(w, 8)) { /* Doubles count once. */
                out[n++] = source_addr(w, s % SOURCES);
            }
        }
    }
    return n;
}

static void
event_report(struct world *w)
{
    static const unsigned int masks[] = {0, 0x3f, 0x3f, 0x07, 0x21};
    unsigned int p = pick(w, PORTS), host = pick(w, HOSTS);
    struct ip_addr sources[3][2 * SOURCES];
    struct igmp_report_record records[3];
    struct igmp_report report = {.family = w->family,
                                 .version = 3,
                                 .eth_src = {{2, 0, 0, 0, 0, (uint8_t) host}},
                                 .ip_src =
                                     addr(w, "fe80::", 0x0a010100u, 1 + host),
                                 .records = records,
                                 .n_records = 1 + pick(w, 3)};
    struct port_id port = port_id(p);
    uint8_t frame[512];
    struct igmp_msg msg;

    if (!pick(w, 6)) {
        report.version = w->family == IGMP_IPV6 || pick(w, 4) ? 2 : 1;
        report.n_records = 1;
        report.leave = report.version == 2 && pick(w, 2);
    }
    model_arrive(w, host, p);
    for (size_t i = 0; i < report.n_records; i++) {
        unsigned int g = pick(w, GROUPS);
        unsigned int set = pick(w, 64) & masks[pick(w, 5)];

        records[i] =
            (struct igmp_report_record){.type = (uint8_t) (1 + pick(w, 6)),
                                        .group = group_addr(w, g),
                                        .sources = sources[i]};
        if (report.version < 3) {
            records[i].type =
                report.leave ? IGMP_CHANGE_TO_INCLUDE : IGMP_MODE_IS_EXCLUDE;
            set = 0;
        }
        records[i].n_sources = list_of(w, set, sources[i]);
        model_record(w, &w->models[g][p], report.version, records[i].type, set,
                     host);
    }
    assert_int_equal(
        igmp_msg_decode(
            frame, igmp_report_encode(&report, frame, sizeof frame), &msg),
        IGMP_OK);
    assert_int_equal(igmp_snoop_input(w->s, &port, &msg, w->now), IGMP_OK);
}

static void
event_time(struct world *w)
{
    static const unsigned int steps[] = {10, 1000, 3000, 30000, 200000};
    int64_t end = w->now + pick(w, steps[pick(w, 5)]);
    int64_t next;

    while ((next = igmp_snoop_deadline(w->s)) <= end && pick(w, 50)) {
        w->now = next > w->now ? next : w->now;
        igmp_snoop_run(w->s, w->now);
    }
    w->now = end; /* Sometimes late, as event loops are. */
    igmp_snoop_run(w->s, w->now);
    for (unsigned int g = 0; g < GROUPS; g++) {
        for (unsigned int p = 0; p < PORTS; p++) {
            model_expire(w, &w->models[g][p]);
        }
    }
    model_clean(w);
}

static void
event_port_down(struct world *w)
{
    unsigned int p = pick(w, PORTS);
    struct port_id port = port_id(p);

    igmp_snoop_port_down(w->s, &port, w->now);
    for (unsigned int g = 0; g < GROUPS; g++) {
        model_reset(&w->models[g][p]);
    }
    model_clean(w);
    if (pick(w, 2)) {
        igmp_snoop_port_up(w->s, &port, w->now);
    }
}

static void
model_linger(const struct world *w, struct model *m)
{
    int64_t until = w->now + ANSWERED;

    m->hidden_until = until;
    if (m->asked && m->asked > w->now - LMQT) {
        return;
    }
    if (m->exclude && m->group_timer < until) {
        m->group_timer = until;
    }
    for (unsigned int s = 0; s < SOURCES; s++) {
        if (m->x >> s & 1 && m->timers[s] < until) {
            m->timers[s] = until;
        }
    }
}

static void
event_restore(struct world *w)
{
    unsigned int p = pick(w, PORTS), g = pick(w, GROUPS), set = pick(w, 64);
    bool exclude = pick(w, 2);
    struct port_id port = port_id(p);
    struct ip_addr group = group_addr(w, g), sources[2 * SOURCES];
    size_t n = list_of(w, set, sources);
    struct model *m = &w->models[g][p];

    igmp_snoop_restore(w->s, &port, &group, exclude, sources, n, w->now);
    if (model_exists(m)) {
        if (n || exclude) {
            model_linger(w, m);
        }
        return;
    }
    if (!n && !exclude) {
        return;
    }
    m->one_copy = true;
    m->hidden_until = w->now + ANSWERED;
    m->exclude = exclude;
    if (exclude) {
        m->y = set;
        m->group_timer = w->now + GMI;
    } else {
        m->x = set;
        set_timers(m, set, w->now + GMI);
    }
}

/* The operator sets a member, or takes it away. */
static void
event_static(struct world *w)
{
    unsigned int p = pick(w, PORTS), g = pick(w, GROUPS);
    struct model *m = &w->models[g][p];
    struct ip_addr group = group_addr(w, g), sources[2 * SOURCES];
    struct filter f = {pick(w, 2), pick(w, 2), 1u << pick(w, SOURCES)};
    struct igmp_filter filter = {.exclude = f.exclude, .sources = sources};
    struct port_id port = port_id(p);
    bool was = m->fixed.there;

    filter.n_sources = list_of(w, f.set, sources);
    m->fixed = f;
    /* Older hosts that were not alone are asked before they are. */
    if (was && !f.there && !m->one_copy && model_is_unicast(m)
        && model_version(w, m) < 3) {
        m->one_copy = true;
        m->hidden_until =
            m->hidden_until > w->now + LMQT ? m->hidden_until : w->now + LMQT;
    }
    w->is_static = true;
    assert_true(igmp_snoop_set_static(w->s, &port, &group,
                                      f.there ? &filter : NULL, w->now));
    w->is_static = false;
}

/* The other querier asks for a group, or for sources of it. */
static void
event_query(struct world *w)
{
    unsigned int g = pick(w, GROUPS), set = pick(w, 2) ? pick(w, 64) : 0;
    struct port_id port = {.dpid = 9, .port_no = 9};
    struct ip_addr sources[2 * SOURCES];
    struct igmp_query q = {.family = w->family,
                           .version = 3,
                           .eth_src = {{2, 0, 0, 0, 9, 9}},
                           .ip_src = addr(w, "fe80::", 0x0a010000u, 1),
                           .group = group_addr(w, g),
                           .sources = sources,
                           .n_sources = list_of(w, set, sources),
                           .max_resp_ms = 1000,
                           .suppress = !pick(w, 4),
                           .qrv = 2,
                           .query_interval_ms = 125 * 1000};
    uint8_t frame[512];
    struct igmp_msg msg;

    igmp_msg_decode(frame, igmp_query_encode(&q, frame, sizeof frame), &msg);
    assert_int_equal(igmp_snoop_input(w->s, &port, &msg, w->now), IGMP_OK);
    for (unsigned int p = 0; p < PORTS && !q.suppress; p++) {
        struct model *m = &w->models[g][p];

        if (!set && m->exclude) {
            lower_group(w, m);
        }
        lower_sources(w, m, set);
    }
}

static const struct igmp_port_config *
port_config(void *w_, const struct port_id *port)
{
    struct world *w = w_;
    unsigned int p = index_of_port(port);

    return p < PORTS ? &w->ports[p] : NULL;
}

static void
init_world(struct world *w)
{
    static const struct igmp_ops ops = {
        .membership_changed = membership_changed,
        .router_ports_changed = router_ports_changed,
        .send = sent,
        .querier_changed = querier_changed,
        .port_config = port_config,
    };
    struct igmp_config config;

    for (int p = 0; p < PORTS; p++) {
        w->ports[p] = igmp_port_config_default;
        w->ports[p].leave = (enum igmp_leave)(p % 3);
        w->ports[p].delivery =
            p > 2 ? IGMP_DELIVER_UNICAST : IGMP_DELIVER_MULTICAST;
        for (int g = 0; g < GROUPS; g++) {
            w->models[g][p].port = &w->ports[p];
        }
        for (int h = 0; h < HOSTS; h++) {
            w->former[h][p].port = -1;
        }
    }
    igmp_config_init(&config);
    config.family = w->family;
    config.address = addr(w, "fe80::", 0x0a010000u, 99);
    config.querier = w->querier;
    config.upstream = IGMP_UPSTREAM_RELAY; /* The other querier asks. */
    w->s = igmp_snoop_create(0, &config, &ops, w, w->now);
    igmp_snoop_run(w->s, w->now);
}

static void
run(enum igmp_family family, bool querier)
{
    const char *seed = getenv("OFM_SEED"), *n = getenv("OFM_EVENTS");
    long n_events = n ? atol(n) : EVENTS;
    struct world w = {.family = family,
                      .querier = querier,
                      .now = 1000,
                      .seed = seed ? (unsigned int) strtoul(seed, NULL, 0)
                                   : (unsigned int) time(NULL)};

    print_message("OFM_SEED=%u, %ld events\n", w.seed, n_events);
    init_world(&w);
    for (long i = 0; i < n_events; i++) {
        unsigned int what = pick(&w, 100);

        if (what < 68) {
            event_report(&w);
        } else if (what < 92) {
            event_time(&w);
        } else if (what < 93) {
            event_port_down(&w);
        } else if (what < 94) {
            event_restore(&w);
        } else if (what < 95) {
            event_static(&w);
        } else if (!querier) {
            event_query(&w);
        }
        compare(&w, i);
    }
    igmp_snoop_destroy(w.s);
    assert_true(n || w.n_moved > 100);
}

static void
as_querier(void **state)
{
    (void) state;
    run(IGMP_IPV4, true);
}

static void
beside_another_querier(void **state)
{
    (void) state;
    run(IGMP_IPV4, false);
}

static void
mld_as_querier(void **state)
{
    (void) state;
    run(IGMP_IPV6, true);
}

static void
mld_beside_another_querier(void **state)
{
    (void) state;
    run(IGMP_IPV6, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_querier),
        cmocka_unit_test(beside_another_querier),
        cmocka_unit_test(mld_as_querier),
        cmocka_unit_test(mld_beside_another_querier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
