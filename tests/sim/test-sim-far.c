/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Routes whose copies leave at the other of two switches that are linked: what
 * each packet meets there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/view-fabric.h"
#include "tests/sim/sim-case.h"
#include "tests/sim/sim-frame.h"

/* The cable's port, at either. */
enum { CABLE = 8 };

/* The cable. */

static void
pass_on(void *other, uint32_t port, const void *frame, size_t size)
{
    if (port == CABLE) {
        fake_switch_packet(other, CABLE, frame, size, NULL, NULL);
    }
}

/* By order of the controller: probes of links. */
static void
on_output(void *c_, struct sim_switch *sw, uint32_t port, const void *frame,
          size_t size)
{
    struct sim_case *c = c_;

    pass_on(c->net.switches[sw->dpid == 1].fake, port, frame, size);
}

static bool
is_linked(void *c_)
{
    const struct sim_case *c = c_;
    struct view_fabric view;

    view_fabric(c->net.ctl, &view);
    return view.n_links == 1 && view.settled && view.at_rest;
}

static bool
never(void *aux)
{
    (void) aux;
    return false;
}

static void
setup(struct sim_case *c)
{
    memset(c, 0, sizeof *c);
    c->enters_at = 1;
    sim_net_init(&c->net, "l2: fabric\n", 2, SIM_CASE_PORTS);
    c->net.output = on_output;
    c->net.aux = c;
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&c->net.switches[i]);
    }
    assert_true(sim_net_wait(&c->net, is_linked, c, 60000));
    sim_net_wait(&c->net, never, NULL, 5000); /* Ports to hosts are known. */
    assert_true(sim_net_settle(&c->net));
}

/* A packet. */

struct copies {
    struct sim_case *c;
    int sw;
    unsigned int n[2][SIM_CASE_PORTS + 1];
    uint8_t last[SIM_FRAME_SIZE];
};

static void
got_copy(void *copies_, uint32_t port, const void *frame, size_t size)
{
    struct copies *copies = copies_;

    if (port == CABLE && copies->sw == 0) {
        copies->sw = 1;
        fake_switch_probe(copies->c->net.switches[1].fake, CABLE, frame, size,
                          got_copy, copies);
        copies->sw = 0;
    } else if (port <= SIM_CASE_PORTS) {
        assert_in_range(size, 14, SIM_FRAME_SIZE);
        copies->n[copies->sw][port]++;
        memcpy(copies->last, frame, size);
    }
}

/* It enters the first switch. */
static void
walk(struct sim_case *c, const char *source, const char *group,
     struct copies *copies)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_case_build(c, source, group, frame);

    *copies = (struct copies){.c = c};
    fake_switch_probe(c->net.switches[0].fake, c->enters_at, frame, size,
                      got_copy, copies);
}

/* Where it leaves: "SWITCH:PORT ", of two copies twice. */
static void
expect(struct sim_case *c, const char *source, const char *group,
       const char *want)
{
    struct copies copies;
    char got[256] = "";

    walk(c, source, group, &copies);
    for (int sw = 0; sw < 2; sw++) {
        for (unsigned int port = 1; port <= SIM_CASE_PORTS; port++) {
            for (unsigned int i = 0; i < copies.n[sw][port]; i++) {
                sprintf(got + strlen(got), "%d:%u ", sw + 1, port);
            }
        }
    }
    assert_string_equal(got, want);
}

/* Cases. */

#define SET_GROUP(GROUP)                                                      \
    "{\"match\":{\"dpid\":\"1\",\"group\":\"226.2.2.0/24\"},"                 \
    "\"set\":{\"group\":\"" GROUP                                             \
    "\"},\"to\":[{\"members\":true},{\"dpid\":\"2\",\"port\":\"s2-eth5\"}]}"

/* Who filters gets the sources that it wants, of each group of the prefix by
 * itself: as the groups are, and as others. */
static void
members_there_filter_sources_of_a_prefix_s_groups(void **state)
{
    static const char *const groups[] = {"226.2.2.7", "239.9.9.7"};
    static const char *const others[] = {"226.2.2.8", "239.9.9.8"};
    static const char *const routes[] = {SET_GROUP("226.2.2.0/24"),
                                         SET_GROUP("239.9.9.0/24")};

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct sim_case c;

        setup(&c);
        sim_case_put_route(&c, "r", routes[i]);
        c.hosts_at = 1;
        sim_case_report(&c, 2, groups[i], "10.1.1.1", false);
        sim_case_join(&c, 3, groups[i]);
        sim_case_report(&c, 4, others[i], "10.1.1.2", false);
        expect(&c, "10.1.1.1", "226.2.2.7", "2:2 2:3 2:5 ");
        expect(&c, "10.1.1.2", "226.2.2.7", "2:3 2:5 ");
        expect(&c, "10.1.1.1", "226.2.2.8", "2:5 ");
        expect(&c, "10.1.1.2", "226.2.2.8", "2:4 2:5 ");
        expect(&c, "10.1.1.1", "226.2.2.9", "2:5 ");
        /* They go again; the other group's stay. */
        sim_case_report(&c, 2, groups[i], "10.1.1.1", true);
        assert_false(sim_net_wait(&c.net, never, NULL, 2000));
        expect(&c, "10.1.1.1", "226.2.2.7", "2:3 2:5 ");
        expect(&c, "10.1.1.2", "226.2.2.8", "2:4 2:5 ");
        sim_net_uninit(&c.net);
    }
}

/* As the route makes them. */
static void
members_there_filter_sources_of_one_group(void **state)
{
    struct sim_case c;

    (void) state;
    setup(&c);
    sim_case_put_route(
        &c, "r",
        "{\"match\":{\"dpid\":\"1\",\"source\":\"10.1.0.0/16\","
        "\"group\":\"226.2.2.7\"},\"set\":{\"source\":\"10.9.0.0/16\","
        "\"group\":\"239.9.9.7\"},\"to\":[{\"members\":true},"
        "{\"dpid\":\"2\",\"port\":\"s2-eth5\"}]}");
    c.hosts_at = 1;
    sim_case_report(&c, 2, "239.9.9.7", "10.9.1.1", false);
    sim_case_join(&c, 3, "239.9.9.7");
    expect(&c, "10.1.1.1", "226.2.2.7", "2:2 2:3 2:5 ");
    expect(&c, "10.1.1.2", "226.2.2.7", "2:3 2:5 ");
    sim_net_uninit(&c.net);
}

/* It has a label for one on the link; of a group of IPv6 it has 32 bits (RFC
 * 2464 7), which the route sets or leaves as they are. */
static void
a_group_of_ipv6_has_its_ethernet_address_there(void **state)
{
    static const struct {
        const char *match, *set, *group, *want;
        struct mac_addr mac;
    } cases[] = {
        {"ff1e::/96",
         "",
         "ff1e::9a7b:5c3d",
         "ff1e::9a7b:5c3d",
         {{0x33, 0x33, 0x9a, 0x7b, 0x5c, 0x3d}}},
        {"ff1e::/96",
         "\"set\":{\"group\":\"ff2e::/96\"},",
         "ff1e::9a7b:5c3d",
         "ff2e::9a7b:5c3d",
         {{0x33, 0x33, 0x9a, 0x7b, 0x5c, 0x3d}}},
        {"ff1e::9a00:0/104",
         "\"set\":{\"group\":\"ff2e::c500:0/104\"},",
         "ff1e::9a9b:5c3d",
         "ff2e::c59b:5c3d",
         {{0x33, 0x33, 0xc5, 0x9b, 0x5c, 0x3d}}},
        {"ff1e::/16",
         "\"set\":{\"group\":\"ff2e::/16\"},",
         "ff1e::9:9a7b:5c3d",
         "ff2e::9:9a7b:5c3d",
         {{0x33, 0x33, 0x9a, 0x7b, 0x5c, 0x3d}}},
    };
    struct sim_case c;

    (void) state;
    setup(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip_addr want = sim_case_address(cases[i].want);
        struct copies copies;
        char route[256];

        snprintf(route, sizeof route,
                 "{\"match\":{\"dpid\":\"1\",\"group\":\"%s\"},%s\"to\":["
                 "{\"dpid\":\"2\",\"port\":\"s2-eth5\"}]}",
                 cases[i].match, cases[i].set);
        sim_case_put_route(&c, "r", route);
        walk(&c, "2001:db8::1", cases[i].group, &copies);
        assert_int_equal(copies.n[1][5], 1);
        assert_memory_equal(copies.last, &cases[i].mac, 6);
        assert_memory_equal(copies.last + 14 + 24, want.b, 16);
    }
    sim_net_uninit(&c.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_there_filter_sources_of_a_prefix_s_groups),
        cmocka_unit_test(members_there_filter_sources_of_one_group),
        cmocka_unit_test(a_group_of_ipv6_has_its_ethernet_address_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
