/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Neighbours with a clock of their own: who is asked when and where, and what
 * is said of him. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/neighbours.h"

static const struct mac_addr ours = {{2, 0x4f, 0, 0, 0, 1}};
static const struct mac_addr hers = {{2, 0, 0, 0, 0, 9}};
static const struct port_id p1 = {1, 1}, p2 = {1, 2};

struct world {
    struct neighbours *n;
    int64_t now;
    struct neighbour_key key;
    struct arp asked; /* The last probe, and where. */
    bool everywhere;
    size_t n_asked, n_changed;
    int64_t times[256]; /* Of probes. */
};

static void
sent(void *w_, uint16_t vlan, const struct port_id *port, const void *frame,
     size_t size)
{
    struct world *w = w_;
    assert_true(arp_decode(frame, size, &w->asked));
    assert_int_equal(w->asked.vlan, vlan);
    assert_true(port || w->asked.eth_dst.b[0] == 0xff);
    w->everywhere = !port;
    w->times[w->n_asked++ % 256] = w->now;
}

static void
changed(void *w_, const struct neighbour_key *key)
{
    struct world *w = w_;
    struct neighbour_view view;
    w->n_changed++;
    assert_true(neighbours_get(w->n, key, &view));
}

static void
start(struct world *w)
{
    static const struct neighbours_ops ops = {sent, changed};
    memset(w, 0, sizeof *w);
    w->now = 1000;
    w->key.vlan = 7;
    ip_addr_parse("10.0.0.100", &w->key.ip);
    w->n = neighbours_create(&ours, &ops, w);
    assert_true(neighbours_deadline(w->n) == INT64_MAX);
    neighbours_want(w->n, &w->key, w->now);
}

/* Lets time pass, as the loop would. */
static void
pass(struct world *w, int64_t ms)
{
    int64_t until = w->now + ms;
    while (neighbours_deadline(w->n) <= until) {
        int64_t at = neighbours_deadline(w->n);
        w->now = at > w->now ? at : w->now;
        neighbours_run(w->n, w->now);
        assert_true(neighbours_deadline(w->n) > w->now);
    }
    w->now = until;
}

static bool
answer(struct world *w, const struct port_id *port)
{
    struct arp arp = {.vlan = 7,
                      .reply = true,
                      .eth_src = hers,
                      .eth_dst = ours,
                      .sender_mac = hers,
                      .sender_ip = w->key.ip,
                      .target_mac = ours,
                      .target_ip = ip_addr_v4(0)};
    return neighbours_arp(w->n, port, &arp, w->now);
}

static struct neighbour_view
state(const struct world *w)
{
    struct neighbour_view view;
    assert_true(neighbours_get(w->n, &w->key, &view));
    return view;
}

static void
assert_at(const struct world *w, const struct port_id *port)
{
    struct neighbour_view view = state(w);
    assert_int_equal(view.state, NEIGHBOUR_KNOWN);
    assert_memory_equal(&view.mac, &hers, sizeof hers);
    assert_true(port_id_equal(&view.port, port));
}

static void
asks_and_hears(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 0);
    assert_int_equal(w.n_asked, 1);
    assert_true(w.everywhere);
    assert_true(ip_addr_to_v4(&w.asked.sender_ip) == 0);
    assert_true(ip_addr_equal(&w.asked.target_ip, &w.key.ip));
    assert_int_equal(state(&w).state, NEIGHBOUR_ASKED);

    assert_true(answer(&w, &p1));
    assert_false(answer(&w, &p1));
    assert_int_equal(w.n_changed, 1);
    assert_at(&w, &p1);
    pass(&w, 29999);
    assert_int_equal(w.n_asked, 1);
    pass(&w, 1);
    assert_int_equal(w.n_asked, 2);
    assert_false(w.everywhere);
    assert_memory_equal(&w.asked.eth_dst, &hers, sizeof hers);
    assert_false(answer(&w, &p1));
    neighbours_destroy(w.n);
}

static void
asks_a_silent_one_for_ever(void **unused)
{
    static const int64_t times[] = {0, 300, 1000, 2000, 4000, 9000, 14000};
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 1999);
    assert_int_equal(state(&w).state, NEIGHBOUR_ASKED);
    assert_int_equal(w.n_changed, 0);
    pass(&w, 1);
    assert_int_equal(state(&w).state, NEIGHBOUR_SILENT);
    assert_int_equal(w.n_changed, 1);
    pass(&w, 12000);
    assert_int_equal(w.n_asked, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_true(w.times[i] == 1000 + times[i]);
    }
    assert_int_equal(w.n_changed, 1);
    assert_true(answer(&w, &p1));
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    neighbours_destroy(w.n);
}

/* It keeps its place for a while, and is asked everywhere meanwhile. */
static void
keeps_one_that_falls_silent(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 0);
    answer(&w, &p1);
    pass(&w, 30000 + 1000);
    assert_false(w.everywhere);
    pass(&w, 1000);
    assert_true(w.everywhere);
    pass(&w, 17999);
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    assert_int_equal(w.n_changed, 1);
    pass(&w, 1);
    assert_int_equal(state(&w).state, NEIGHBOUR_SILENT);
    assert_int_equal(w.n_changed, 2);
    neighbours_destroy(w.n);
}

static void
follows_one_that_moves(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 0);
    answer(&w, &p1);
    pass(&w, 1000);
    neighbours_port_changed(w.n, &p1, false, w.now);
    pass(&w, 0);
    assert_int_equal(w.n_asked, 2);
    assert_true(w.everywhere);
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    neighbours_port_changed(w.n, &p2, true, w.now);
    pass(&w, 0);
    assert_true(answer(&w, &p2));
    assert_at(&w, &p2);
    assert_int_equal(w.n_changed, 2);
    pass(&w, 20000);
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    neighbours_destroy(w.n);
}

static void
gives_up_behind_a_port_that_is_down(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 0);
    answer(&w, &p1);
    neighbours_port_changed(w.n, &p2, false, w.now);
    pass(&w, 100);
    assert_int_equal(w.n_asked, 1);
    neighbours_port_changed(w.n, &p1, false, w.now);
    pass(&w, 4999);
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    pass(&w, 1);
    assert_int_equal(state(&w).state, NEIGHBOUR_SILENT);
    size_t before = w.n_asked;
    neighbours_port_changed(w.n, &p1, true, w.now);
    pass(&w, 0);
    assert_int_equal(w.n_asked, before + 1);
    neighbours_destroy(w.n);
}

static void
confirms_what_it_is_told(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    const struct neighbour_key other = {.ip = w.key.ip, .vlan = 8};
    neighbours_restore(w.n, &w.key, &hers, &p1, w.now);
    neighbours_restore(w.n, &other, &hers, &p1, w.now);
    assert_int_equal(state(&w).state, NEIGHBOUR_KNOWN);
    pass(&w, 0);
    assert_int_equal(w.n_asked, 1);
    assert_false(w.everywhere);
    assert_false(answer(&w, &p1));
    pass(&w, 20000);
    assert_int_equal(w.n_asked, 1);
    neighbours_destroy(w.n);
}

static void
believes_only_hosts(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    struct arp arp = {.vlan = 7, .sender_ip = w.key.ip};
    assert_false(neighbours_arp(w.n, &p1, &arp, w.now));
    arp.sender_mac = ours;
    assert_false(neighbours_arp(w.n, &p1, &arp, w.now));
    arp.sender_mac.b[0] = 1;
    assert_false(neighbours_arp(w.n, &p1, &arp, w.now));
    arp.sender_mac = hers;
    arp.vlan = 8;
    assert_false(neighbours_arp(w.n, &p1, &arp, w.now));
    arp.vlan = 7;
    assert_true(neighbours_arp(w.n, &p1, &arp, w.now));
    neighbours_destroy(w.n);
}

static void
forgets_who_is_not_wanted(void **unused)
{
    struct neighbour_view view;
    struct world w;
    (void) unused;
    start(&w);
    neighbours_want(w.n, &w.key, w.now);
    neighbours_release(w.n, &w.key);
    assert_true(neighbours_get(w.n, &w.key, &view));
    neighbours_release(w.n, &w.key);
    assert_false(neighbours_get(w.n, &w.key, &view));
    assert_false(answer(&w, &p1));
    assert_true(neighbours_deadline(w.n) == INT64_MAX);
    neighbours_destroy(w.n);
}

/* One address at each port: each is a host of its own. */
static void
tells_those_of_one_address_apart_by_port(void **unused)
{
    struct neighbour_view view;
    struct world w;
    (void) unused;
    start(&w);
    pass(&w, 0);
    struct neighbour_key at1 = w.key, at2 = w.key;
    at1.at = p1;
    at2.at = p2;
    neighbours_release(w.n, &w.key);
    neighbours_want(w.n, &at1, w.now);
    neighbours_want(w.n, &at2, w.now);
    pass(&w, 0);
    assert_int_equal(w.n_asked, 3);
    assert_false(w.everywhere);
    assert_int_equal(w.asked.eth_dst.b[0], 0xff);

    assert_true(answer(&w, &p2));
    assert_true(neighbours_get(w.n, &at2, &view));
    assert_int_equal(view.state, NEIGHBOUR_KNOWN);
    assert_true(port_id_equal(&view.port, &p2));
    assert_true(neighbours_get(w.n, &at1, &view));
    assert_int_equal(view.state, NEIGHBOUR_ASKED);
    assert_true(answer(&w, &p1));
    assert_int_equal(w.n_changed, 2);
    /* It is asked again there and nowhere else, silent or not. */
    neighbours_release(w.n, &at1);
    for (int i = 0; i < 60; i++) {
        pass(&w, 1000);
        assert_false(w.everywhere);
    }
    assert_true(neighbours_get(w.n, &at2, &view));
    assert_int_equal(view.state, NEIGHBOUR_SILENT);
    neighbours_destroy(w.n);
}

/* No more than 200 a second, and everybody gets his turn. */
static void
asks_many_one_after_the_other(void **unused)
{
    struct world w;
    (void) unused;
    start(&w);
    for (uint32_t i = 0; i < 999; i++) {
        const struct neighbour_key key = {ip_addr_v4(0x0a010000 + i),
                                          .vlan = 7};
        neighbours_want(w.n, &key, w.now);
    }
    for (int i = 0; i < 60; i++) {
        size_t before = w.n_asked;
        pass(&w, 1000);
        assert_in_range(w.n_asked - before, 0, 220);
    }
    for (uint32_t i = 0; i < 999; i++) {
        struct neighbour_view view;
        const struct neighbour_key key = {ip_addr_v4(0x0a010000 + i),
                                          .vlan = 7};
        assert_true(neighbours_get(w.n, &key, &view));
        assert_int_equal(view.state, NEIGHBOUR_SILENT);
    }
    neighbours_destroy(w.n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_hears),
        cmocka_unit_test(asks_a_silent_one_for_ever),
        cmocka_unit_test(keeps_one_that_falls_silent),
        cmocka_unit_test(follows_one_that_moves),
        cmocka_unit_test(gives_up_behind_a_port_that_is_down),
        cmocka_unit_test(confirms_what_it_is_told),
        cmocka_unit_test(believes_only_hosts),
        cmocka_unit_test(forgets_who_is_not_wanted),
        cmocka_unit_test(tells_those_of_one_address_apart_by_port),
        cmocka_unit_test(asks_many_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
