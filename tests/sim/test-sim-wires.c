/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Does the checker of fabrics find what is planted?  Three switches in a ring:
 * s1:3=s2:3, s2:4=s3:3, s3:4=s1:4, hosts at ports 1 and 2. */

#include "tests/sim/sim-wires.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim-frame.h"

static struct wires wires;
static struct wires_walk walk;

static int
set_up(void **state)
{
    static const struct fake_switch_ops ops = {.send = NULL};

    (void) state;
    wires_init(&wires);
    wires.n_switches = 3;
    for (int i = 0; i < 3; i++) {
        wires.switches[i] = fake_switch_create((uint64_t) i + 1, &ops, NULL);
        for (uint32_t port = 1; port <= 4; port++) {
            fake_switch_add_port(wires.switches[i], port, "port");
        }
    }
    wires_connect(&wires, 0, 3, 1, 3);
    wires_connect(&wires, 1, 4, 2, 3);
    wires_connect(&wires, 2, 4, 0, 4);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    for (int i = 0; i < 3; i++) {
        fake_switch_destroy(wires.switches[i]);
    }
    return 0;
}

static void
flow(int sw, const char *text)
{
    assert_true(fake_switch_ofctl(wires.switches[sw], "add-flow", text));
}

/* From the host at s1:1. */
static void
walk_from_s1(void)
{
    struct sim_frame f = {.udp_dst = 5004, .ttl = 9};
    uint8_t frame[SIM_FRAME_SIZE];

    ip_addr_parse("10.1.0.1", &f.source);
    ip_addr_parse("226.2.2.2", &f.group);
    wires_walk(&wires, 0, 1, frame, sim_frame_build(&f, frame), &walk);
}

/* 'want' is what people see of it. */
static void
expect_walk(const char *want)
{
    char text[512];

    walk_from_s1();
    wires_walk_format(&wires, &walk, text, sizeof text);
    assert_string_equal(text, want);
}

static void
follows_a_tree(void **state)
{
    struct wires_end end;

    (void) state;
    flow(0, "table=0,ip,actions=output:2,output:3");
    flow(1, "table=0,ip,actions=output:1,output:4");
    flow(2, "table=0,ip,actions=output:2,output:3,controller");
    expect_walk("s1:1 s1:3=s2:3 s2:4=s3:3 s1:2* s2:1* s3:2*");
    assert_false(walk.looped);
    assert_false(wires_walk_doubled(&walk, &end));
    assert_false(wires_walk_wasted(&walk, &end));
    assert_true(walk.punted[2]);
    assert_false(walk.punted[0]);

    wires.down[2][3] = true; /* One end is enough. */
    expect_walk("s1:1 s1:3=s2:3 s1:2* s2:1*");
    wires.down[0][1] = true;
    expect_walk("");
}

static void
finds_a_loop(void **state)
{
    (void) state;
    flow(0, "table=0,ip,actions=output:3");
    flow(1, "table=0,ip,actions=output:4");
    flow(2, "table=0,ip,actions=output:4");
    expect_walk("s1:1 s1:3=s2:3 s2:4=s3:3 s3:4=s1:4 and round again");
    assert_true(walk.looped);
}

static void
finds_a_loop_that_goes_back(void **state)
{
    (void) state;
    flow(0, "table=0,ip,actions=output:3");
    flow(1, "table=0,ip,actions=in_port");
    flow(0, "table=0,priority=40000,ip,in_port=3,actions=in_port");
    expect_walk("s1:1 s1:3=s2:3 s2:3=s1:3 and round again");
    assert_true(walk.looped);
}

static void
finds_a_storm(void **state)
{
    struct wires_end end;

    (void) state;
    for (int i = 0; i < 3; i++) {
        flow(i, "table=0,ip,actions=output:1,output:2,output:3,output:4");
    }
    walk_from_s1();
    assert_true(walk.looped);
    assert_true(walk.n_steps < WIRES_MAX_STEPS);
    assert_true(wires_walk_doubled(&walk, &end));
}

static void
finds_a_double(void **state)
{
    struct wires_end end;

    (void) state;
    flow(0, "table=0,ip,actions=output:3,output:4");
    flow(1, "table=0,ip,actions=output:4");
    flow(2, "table=0,ip,actions=output:2");
    expect_walk("s1:1 s1:3=s2:3 s1:4=s3:4 s2:4=s3:3 s3:2* s3:2*");
    assert_false(walk.looped);
    assert_true(wires_walk_doubled(&walk, &end));
    assert_int_equal(end.sw, 2);
    assert_int_equal(end.port, 2);
}

static void
finds_a_leak(void **state)
{
    struct wires_end end;

    (void) state;
    flow(0, "table=0,ip,actions=output:3");
    flow(1, "table=0,ip,actions=output:1,output:4");
    flow(2, "table=0,ip,actions=drop");
    expect_walk("s1:1 s1:3=s2:3 s2:4=s3:3 s2:1*");
    assert_true(wires_walk_wasted(&walk, &end));
    assert_int_equal(end.sw, 2);
    assert_int_equal(end.port, 3);
    assert_int_equal(walk.arrived[1][1], 1); /* Whom nobody asked for. */
}

static void
knows_who_is_joined(void **state)
{
    char text[512];

    (void) state;
    assert_true(wires_reach(&wires, 0, 2));
    wires.down[2][4] = wires.down[1][4] = true;
    assert_false(wires_reach(&wires, 0, 2));
    assert_false(wires_reach(&wires, 2, 1));
    assert_true(wires_reach(&wires, 0, 1));
    assert_true(wires_reach(&wires, 2, 2));
    wires_format(&wires, text, sizeof text);
    assert_string_equal(
        text, "3 switches s1:3=s2:3 s1:4=s3:4(down) s2:4=s3:3(down)");
}

int
main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(follows_a_tree),
        T(finds_a_loop),
        T(finds_a_loop_that_goes_back),
        T(finds_a_storm),
        T(finds_a_double),
        T(finds_a_leak),
        T(knows_who_is_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
