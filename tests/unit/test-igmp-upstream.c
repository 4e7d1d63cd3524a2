/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

/* What a router upstream believes, against a naive model.
 *
 *     hosts on ports 1..3 --- snoop "down" port 8 --- lossy --- snoop "up"
 *
 * Hosts change their filters at random, say so as RFC 3376 5.1 has it, and
 * answer every query that they hear.  "down" proxies.  Between the two snoops
 * frames get lost, but never two in a row of those that tell of one group: at
 * most Robustness Variable - 1.  After some changes and some quiet, "up" must
 * forward exactly what the hosts together want, but for the host on port 8,
 * who is on its side.
 *
 * OFM_SEED and OFM_ROUNDS repeat or lengthen a run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    GROUPS = 3,
    PORTS = 4, /* The last is the router port. */
    SOURCES = 4,
    ALL = (1 << SOURCES) - 1,
    ROUTER = 8,
    ROUNDS = 3000,
    QUIET = 12 * 1000,
    QUEUE = 4096
};

struct filter {
    bool exclude;
    unsigned int set;
};

struct frame {
    bool up; /* To "up"; else to "down", from port 'from'. */
    unsigned int from;
    size_t size;
    uint8_t bytes[300];
};

struct world {
    struct igmp_snoop *down, *up;
    unsigned int seed;
    int version; /* Of "up". */
    int64_t now;
    struct filter hosts[PORTS][GROUPS], fixed[GROUPS];
    bool lost[2][GROUPS]; /* The last that told of changes; of states. */
    unsigned int n_lost;
    struct frame queue[QUEUE];
    size_t n_queued;
};

static unsigned int
pick(struct world *w, unsigned int n)
{
    return (unsigned int) rand_r(&w->seed) % n;
}

static struct ip_addr
group_addr(unsigned int g)
{
    return ip_addr_v4(0xef010101u + g);
}

static struct port_id
port_id(unsigned int p)
{
    return (struct port_id){.dpid = 1,
                            .port_no = p == PORTS - 1 ? ROUTER : p + 1};
}

static size_t
list_of(unsigned int set, struct ip_addr list[SOURCES])
{
    size_t n = 0;

    for (unsigned int s = 0; s < SOURCES; s++) {
        if (set >> s & 1) {
            list[n++] = ip_addr_v4(0x0a090001u + s);
        }
    }
    return n;
}

/* Frames. */

static void
put(struct world *w, bool up, unsigned int from, const void *frame,
    size_t size)
{
    struct frame *f = &w->queue[w->n_queued++];

    assert_true(w->n_queued <= QUEUE && size && size <= sizeof f->bytes);
    *f = (struct frame){.up = up, .from = from, .size = size};
    memcpy(f->bytes, frame, size);
}

static void
host_says(struct world *w, unsigned int p, unsigned int g, uint8_t type,
          unsigned int set)
{
    struct ip_addr list[SOURCES];
    const struct igmp_report_record record = {.type = type,
                                              .group = group_addr(g),
                                              .sources = list,
                                              .n_sources = list_of(set, list)};
    const struct igmp_report report = {
        .version = w->version, /* They follow the querier. */
        .leave = type == IGMP_CHANGE_TO_INCLUDE,
        .eth_src = {{2, 0, 0, 0, 1, (uint8_t) p}},
        .ip_src = ip_addr_v4(0x0a010010u + p),
        .records = &record,
        .n_records = 1};
    uint8_t frame[300];

    put(w, false, (unsigned int) port_id(p).port_no, frame,
        igmp_report_encode(&report, frame, sizeof frame));
}

/* Every host on a port that hears the query answers at once, and with all. */
static void
hosts_answer(struct world *w, const struct port_id *port)
{
    for (unsigned int p = 0; p < PORTS; p++) {
        for (unsigned int g = 0; g < GROUPS; g++) {
            const struct filter *f = &w->hosts[p][g];

            if ((!port || port->port_no == port_id(p).port_no)
                && (f->exclude || f->set)) {
                host_says(w, p, g,
                          f->exclude ? IGMP_MODE_IS_EXCLUDE
                                     : IGMP_MODE_IS_INCLUDE,
                          f->set);
            }
        }
    }
}

/* May it get lost?  Not if the one before it did, of the same groups; and not
 * if it answers a query for sources, of which each has its own sequence. */
static bool
may_be_lost(const struct world *w, const struct igmp_msg *m, bool states)
{
    struct igmp_record_cursor c;
    struct igmp_record r;

    if (m->kind != IGMP_V3_REPORT) {
        return !w->lost[0][ip_addr_to_v4(&m->group) - 0xef010101u];
    }
    igmp_record_first(&c, m);
    while (igmp_record_next(&c, &r)) {
        if (r.type == IGMP_MODE_IS_INCLUDE
            || states != (r.type == IGMP_MODE_IS_EXCLUDE)
            || w->lost[states][ip_addr_to_v4(&r.group) - 0xef010101u]) {
            return false;
        }
    }
    return true;
}

static void
note_lost(struct world *w, const struct igmp_msg *m, bool states, bool lost)
{
    struct igmp_record_cursor c;
    struct igmp_record r;

    if (m->kind != IGMP_V3_REPORT) {
        w->lost[0][ip_addr_to_v4(&m->group) - 0xef010101u] = lost;
        return;
    }
    igmp_record_first(&c, m);
    while (igmp_record_next(&c, &r)) {
        w->lost[states][ip_addr_to_v4(&r.group) - 0xef010101u] = lost;
    }
}

static bool
is_lost(struct world *w, const struct igmp_msg *m)
{
    struct igmp_record_cursor c;
    struct igmp_record r = {.type = 0};
    bool states, lost;

    if (m->kind == IGMP_V3_REPORT) {
        igmp_record_first(&c, m);
        igmp_record_next(&c, &r);
    }
    states = r.type == IGMP_MODE_IS_EXCLUDE || r.type == IGMP_MODE_IS_INCLUDE;
    lost = pick(w, 2) && may_be_lost(w, m, states);
    note_lost(w, m, states, lost);
    w->n_lost += lost;
    return lost;
}

static void
deliver(struct world *w)
{
    for (size_t i = 0; i < w->n_queued; i++) {
        const struct frame f = w->queue[i];
        struct port_id port = {.dpid = 1, .port_no = f.from};
        struct igmp_msg m;

        assert_int_equal(igmp_msg_decode(f.bytes, f.size, &m), IGMP_OK);
        if (!f.up) {
            igmp_snoop_input(w->down, &port, &m, w->now);
            if (m.kind == IGMP_QUERY) { /* It is relayed. */
                hosts_answer(w, NULL);
            }
        } else if (!is_lost(w, &m)) {
            igmp_snoop_input(w->up, &port, &m, w->now);
        }
    }
    w->n_queued = 0;
}

static void
down_sends(void *w_, const struct port_id *port, const void *frame,
           size_t size)
{
    struct world *w = w_;
    struct igmp_msg m;

    assert_int_equal(igmp_msg_decode(frame, size, &m), IGMP_OK);
    if (m.kind == IGMP_QUERY) {
        hosts_answer(w, port);
    } else {
        assert_true(port && port->port_no == ROUTER);
        put(w, true, 1, frame, size);
    }
}

static void
up_sends(void *w_, const struct port_id *port, const void *frame, size_t size)
{
    (void) port;
    put(w_, false, ROUTER, frame, size);
}

static void
nobody_cares(void *aux, const struct ip_addr *group,
             const struct port_id *port)
{
    (void) aux, (void) group, (void) port;
}

static void
nor_here(void *aux, const struct port_id *port)
{
    (void) aux, (void) port;
}

static void
nor_there(void *aux, bool ours)
{
    (void) aux, (void) ours;
}

/* Time. */

static void
advance(struct world *w, int64_t ms)
{
    int64_t end = w->now + ms;

    deliver(w);
    for (;;) {
        int64_t down = igmp_snoop_deadline(w->down);
        int64_t up = igmp_snoop_deadline(w->up);
        int64_t next = down < up ? down : up;

        if (next > end) {
            break;
        }
        w->now = next > w->now ? next : w->now;
        igmp_snoop_run(w->down, w->now);
        deliver(w);
        igmp_snoop_run(w->up, w->now);
        deliver(w);
    }
    w->now = end;
}

/* Changes. */

/* RFC 3376 5.1. */
static void
change_host(struct world *w, unsigned int p, unsigned int g,
            const struct filter *to)
{
    struct filter *f = &w->hosts[p][g];
    unsigned int more = to->set & ~f->set, less = f->set & ~to->set;

    if (f->exclude != to->exclude) {
        host_says(w, p, g,
                  to->exclude ? IGMP_CHANGE_TO_EXCLUDE
                              : IGMP_CHANGE_TO_INCLUDE,
                  to->set);
    } else {
        unsigned int allow = to->exclude ? less : more;
        unsigned int block = to->exclude ? more : less;

        if (allow) {
            host_says(w, p, g, IGMP_ALLOW_NEW_SOURCES, allow);
        }
        if (block) {
            host_says(w, p, g, IGMP_BLOCK_OLD_SOURCES, block);
        }
    }
    *f = *to;
}

static void
change(struct world *w)
{
    unsigned int p = pick(w, PORTS + 1), g = pick(w, GROUPS);
    struct filter to = {.exclude = pick(w, 6) == 0,
                        .set = pick(w, ALL + 1) & pick(w, ALL + 1)};

    if (w->version < 3) { /* There are no filters. */
        to.set = 0;
        to.exclude = pick(w, 2);
    }

    if (p < PORTS) {
        change_host(w, p, g, &to);
    } else { /* The operator. */
        struct ip_addr group = group_addr(g), list[SOURCES];
        struct port_id id = port_id(1);
        struct igmp_filter f = {.exclude = to.exclude,
                                .sources = list,
                                .n_sources = list_of(to.set, list)};
        bool any = to.exclude || to.set;

        igmp_snoop_set_static(w->down, &id, &group, any ? &f : NULL, w->now);
        w->fixed[g] = to;
    }
}

/* The truth. */

static unsigned int
wanted_by(const struct filter *f)
{
    /* One bit more than there are sources: any other. */
    return f->exclude ? (ALL << 1 | 1) & ~f->set : f->set;
}

static void
compare(struct world *w)
{
    const struct port_id port = {.dpid = 1, .port_no = 1};

    for (unsigned int g = 0; g < GROUPS; g++) {
        struct ip_addr group = group_addr(g), list[SOURCES];
        unsigned int wanted = wanted_by(&w->fixed[g]), believed = 0;

        for (unsigned int p = 0; p < PORTS - 1; p++) {
            wanted |= wanted_by(&w->hosts[p][g]);
        }
        list_of(ALL, list);
        for (unsigned int s = 0; s <= SOURCES; s++) {
            believed |= (unsigned int) igmp_snoop_forwards(
                            w->up, s < SOURCES ? &list[s] : &IP_ADDR_ANY,
                            &group, &port)
                        << s;
        }
        if (w->version < 3) { /* Which has groups only. */
            wanted = wanted ? ALL << 1 | 1 : 0;
        }
        assert_int_equal(believed, wanted);
    }
}

static struct igmp_snoop *
create(struct world *w, bool up)
{
    static const struct igmp_ops ops[] = {{.membership_changed = nobody_cares,
                                           .router_ports_changed = nor_here,
                                           .send = down_sends,
                                           .querier_changed = nor_there},
                                          {.membership_changed = nobody_cares,
                                           .router_ports_changed = nor_here,
                                           .send = up_sends,
                                           .querier_changed = nor_there}};
    struct igmp_config config;

    igmp_config_init(&config);
    config.version = up ? w->version : 3;
    config.address = ip_addr_v4(0x0a010001u + !up);
    config.mac = (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t) up}};
    return igmp_snoop_create(0, &config, &ops[up], w, w->now);
}

static void
run(int version)
{
    const char *seed = getenv("OFM_SEED"), *n = getenv("OFM_ROUNDS");
    long rounds = n ? atol(n) : ROUNDS;
    struct world *w = calloc(1, sizeof *w);

    w->version = version;
    w->seed = seed ? (unsigned int) strtoul(seed, NULL, 0)
                   : (unsigned int) time(NULL);
    print_message("OFM_SEED=%u, %ld rounds\n", w->seed, rounds);
    w->down = create(w, false);
    w->up = create(w, true);
    advance(w, 100 * 1000);
    for (long i = 0; i < rounds; i++) {
        for (unsigned int changes = pick(w, 5); changes-- > 0;) {
            change(w);
            advance(w, pick(w, 2) ? 0 : pick(w, 1500));
        }
        advance(w, QUIET);
        compare(w);
    }
    assert_true(rounds < 100 || w->n_lost > rounds / 10);
    igmp_snoop_destroy(w->down);
    igmp_snoop_destroy(w->up);
    free(w);
}

static void
a_version_3_router_knows_what_is_wanted(void **state)
{
    (void) state;
    run(3);
}

static void
a_version_2_router_knows_the_groups(void **state)
{
    (void) state;
    run(2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_3_router_knows_what_is_wanted),
        cmocka_unit_test(a_version_2_router_knows_the_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
