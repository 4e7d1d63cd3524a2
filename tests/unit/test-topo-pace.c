/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Flapping links, and many ports at once. */

#include "tests/unit/links-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Flaps. */

/* The link is pulled as soon as it is up, and put back at once.  After 'hold'
 * ms it is up again. */
static void
flap(struct rig *r, int64_t hold)
{
    int64_t start = r->now;

    rig_port_down(r, 2, 1);
    assert_int_equal(topo_links_count(r->l), 0);
    rig_run(r, r->now + 1);
    rig_port_up(r, 2, 1);
    while (!topo_links_count(r->l) && r->now < start + 100000) {
        if (r->now > start + 20 && r->now < start + hold) {
            assert_int_equal(rig_role(r, 1, 1), TOPO_ROLE_LINK);
            assert_int_equal(rig_role(r, 2, 1), TOPO_ROLE_LINK);
            assert_false(topo_links_is_searching(r->l));
        }
        rig_run(r, r->now + 1);
    }
    assert_true(rig_linked(r, 1, 1, 2, 1));
    assert_in_range(r->now - start, hold, hold + 30);
}

static bool
get_flaps(void *n, const struct topo_link_view *v)
{
    *(unsigned int *) n = v->flaps;
    return true;
}

static unsigned int
flaps(const struct rig *r)
{
    unsigned int n = 99;

    topo_links_each(r->l, get_flaps, &n);
    return n;
}

static void
test_flaps(void **state)
{
    static const int64_t holds[] = {0,     0,     1000,  2000,  4000, 8000,
                                    16000, 32000, 60000, 60000, 60000};
    static struct rig r;

    (void) state;
    for (int turn = 0; turn < 2; turn++) {
        rig_init(&r);
        rig_two(&r);
        rig_run(&r, 1000);
        for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++) {
            assert_int_equal(flaps(&r), i);
            flap(&r, holds[i]);
        }
        /* All is forgotten 30 s after it was released. */
        rig_run(&r, r.now + TOPO_FLAP_WINDOW_MS + 100);
        assert_int_equal(flaps(&r), 0);
        for (size_t i = 0; i < 4; i++) {
            flap(&r, holds[i]);
        }
        rig_uninit(&r);
    }
}

/* Now and then is no flapping. */
static void
test_seldom(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 1000);
    for (int i = 0; i < 20; i++) {
        rig_run(&r, r.now + 16000);
        flap(&r, 0);
    }
    rig_uninit(&r);
}

/* Another cable of the same switch is not held down, and one that is moves to
 * another port at once if that is not either. */
static void
test_flaps_by_port(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_run(&r, 1000);
    for (int i = 0; i < 6; i++) {
        flap(&r, i < 2 ? 0 : 1000 << (i - 2));
    }
    rig_port_down(&r, 1, 1);
    rig_port_down(&r, 2, 1);
    rig_cable(&r, 1, 2, 2, 2);
    rig_port_up(&r, 1, 2);
    rig_port_up(&r, 2, 2);
    rig_run(&r, r.now + 2);
    assert_true(rig_linked(&r, 1, 2, 2, 2));
    rig_uninit(&r);
}

/* A port that is held down gets no other peer either. */
static void
test_held_for_all(void **state)
{
    static struct rig r;

    (void) state;
    rig_init(&r);
    rig_two(&r);
    rig_switch_up(&r, 3);
    rig_run(&r, 1000);
    flap(&r, 0);
    flap(&r, 0);

    int64_t start = r.now;
    rig_port_down(&r, 2, 1);
    rig_cable(&r, 1, 1, 3, 1);
    rig_run(&r, start + 100);
    rig_port_up(&r, 3, 1);
    rig_run(&r, start + 999);
    assert_int_equal(topo_links_count(r.l), 0);
    rig_run(&r, start + 1030);
    assert_true(rig_linked(&r, 1, 1, 3, 1));
    rig_uninit(&r);
}

/* Many ports. */

enum { SWITCHES = 500, PORTS = 40 };

struct crowd {
    struct topo_links *l;
    int64_t now;
    int64_t filled_at;
    int64_t level, highest; /* Thousandths of a frame in a leaking bucket. */
    uint64_t n_sent;
    size_t n_edges;
    bool too_early;
    enum topo_role from;
    struct port_id watched; /* When it first sent: 'seen_at', 0: not yet. */
    int64_t seen_at;
};

static void
crowd_sent(void *c_, const struct port_id *id, const void *frame, size_t size)
{
    struct crowd *c = c_;

    (void) frame;
    (void) size;
    if (port_id_equal(id, &c->watched) && !c->seen_at) {
        c->seen_at = c->now;
    }
    c->level -= (c->now - c->filled_at) * TOPO_PROBES_PER_S;
    c->level = (c->level > 0 ? c->level : 0) + 1000;
    c->filled_at = c->now;
    c->highest = c->level > c->highest ? c->level : c->highest;
    c->n_sent++;
}

static void
crowd_role(void *c_, const struct port_id *id, enum topo_role role)
{
    struct crowd *c = c_;

    (void) id;
    c->n_edges += role == TOPO_ROLE_EDGE;
}

static void
crowd_link(void *c, const struct port_id *a, const struct port_id *b)
{
    (void) c;
    (void) a;
    (void) b;
    fail();
}

static void
crowd_down(void *c, const struct port_id *a, const struct port_id *b,
           enum topo_link_end why)
{
    (void) why;
    crowd_link(c, a, b);
}

static void
crowd_suspect(void *c, const struct port_id *a, enum topo_suspicion what)
{
    (void) what;
    crowd_link(c, a, a);
}

static bool
no(void *c, const struct port_id *id)
{
    (void) c;
    (void) id;
    return false;
}

static bool
yes(void *c, const struct port_id *id)
{
    return !no(c, id);
}

static const struct topo_links_ops crowd_ops = {
    .send = crowd_sent,
    .role_changed = crowd_role,
    .link_up = crowd_link,
    .link_down = crowd_down,
    .suspect = crowd_suspect,
    .has_hosts = no,
    .may_link = yes,
};

static void
crowd_init(struct crowd *c, enum topo_role before)
{
    static const struct topo_links_config config = {
        .probe_interval = 1000, .host_probe_interval = 10000};

    *c = (struct crowd){.n_sent = 0};
    c->l = topo_links_create(&config, &crowd_ops, c, 7, 0);
    for (uint64_t dpid = 1; dpid <= SWITCHES; dpid++) {
        topo_links_switch_up(c->l, dpid, 0);
        for (uint64_t port = 1; port <= PORTS; port++) {
            topo_links_port_up(c->l, &(struct port_id){dpid, port}, before, 0);
        }
    }
}

static void
crowd_run(struct crowd *c, int64_t t)
{
    while (topo_links_deadline(c->l) <= t) {
        int64_t at = topo_links_deadline(c->l);

        c->now = at > c->now ? at : c->now;
        topo_links_run(c->l, c->now);
        assert_true(topo_links_deadline(c->l) > c->now);
    }
    c->now = t;
}

static void
test_crowd(void **state)
{
    enum { ALL = SWITCHES * PORTS };
    struct crowd c;

    (void) state;
    crowd_init(&c, TOPO_ROLE_UNKNOWN);
    /* Nobody is an edge before it was asked, and given the time to answer. */
    crowd_run(&c, 249);
    assert_int_equal(c.n_edges, 0);
    for (int64_t t = 250; t < 20000; t += 50) {
        crowd_run(&c, t);
        assert_true(c.n_edges <= (size_t) (65 + (t - 250) * 4));
    }
    assert_int_equal(c.n_edges, ALL);
    assert_true(c.n_sent >= 3 * ALL);
    crowd_run(&c, 60000);
    print_message("%d frames in 60 s, %d at once\n", (int) c.n_sent,
                  (int) (c.highest / 1000));
    assert_true(c.highest <= 65 * 1000);

    /* With nothing to do, a run costs nothing. */
    clock_t start = clock();
    c.now = topo_links_deadline(c.l) - 1;
    for (int i = 0; i < 100000; i++) {
        topo_links_run(c.l, c.now);
    }
    assert_true(clock() - start < CLOCKS_PER_SEC / 2);
    topo_links_destroy(c.l);
}

/* Silence is not saved up. */
static void
test_burst_after_idle(void **state)
{
    static const struct topo_links_config config = {.probe_interval = 1000};
    struct crowd c = {.now = 999};

    (void) state;
    c.l = topo_links_create(&config, &crowd_ops, &c, 7, 0);
    topo_links_switch_up(c.l, 1, 999);
    for (uint64_t port = 1; port <= 2000; port++) {
        topo_links_port_up(c.l, &(struct port_id){1, port}, TOPO_ROLE_UNKNOWN,
                           999);
    }
    topo_links_run(c.l, 999);
    assert_in_range(c.n_sent, 64, 65);
    topo_links_destroy(c.l);
}

/* After a restart no port that was a link becomes an edge unasked. */
static void
test_crowd_restored(void **state)
{
    struct crowd c;

    (void) state;
    crowd_init(&c, TOPO_ROLE_LINK);
    crowd_run(&c, 2999);
    assert_int_equal(c.n_edges, 0);
    assert_true(topo_links_is_searching(c.l));
    for (int64_t t = 3000; t < 100000; t += 50) {
        crowd_run(&c, t);
        assert_true(c.n_edges <= (size_t) (65 + (t - 3000) * 4));
    }
    assert_int_equal(c.n_edges, SWITCHES * PORTS);
    assert_false(topo_links_is_searching(c.l));
    assert_true(c.highest <= 65 * 1000);
    topo_links_destroy(c.l);
}

/* A port that comes up is not behind all those that are only due. */
static void
test_fresh_ports_first(void **state)
{
    static const struct topo_links_config busy = {.probe_interval = 1000,
                                                  .host_probe_interval = 100};
    static struct crowd c;

    (void) state;
    crowd_init(&c, TOPO_ROLE_EDGE);
    topo_links_set_config(c.l, &busy, 0);
    crowd_run(&c, 30000); /* The three first probes of all are out. */
    c.watched = (struct port_id){1, PORTS + 1};
    c.now = 30000;
    topo_links_port_up(c.l, &c.watched, TOPO_ROLE_UNKNOWN, c.now);
    crowd_run(&c, 30020);
    assert_in_range(c.seen_at, 30000, 30020);
    topo_links_destroy(c.l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flaps),
        cmocka_unit_test(test_seldom),
        cmocka_unit_test(test_flaps_by_port),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_held_for_all),
        cmocka_unit_test(test_burst_after_idle),
        cmocka_unit_test(test_crowd_restored),
        cmocka_unit_test(test_fresh_ports_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
