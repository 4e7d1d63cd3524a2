/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "api/ctl-trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"

/* Captured from Open vSwitch 3.1.0 (netdev): tests/golden/trace. */
static char *
read_golden(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char *path =
        xasprintf("%s/tests/golden/trace/%s", srcdir ? srcdir : ".", name);
    FILE *file = fopen(path, "r");
    char *text = xcalloc(1, 65536);

    assert_non_null(file);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    free(path);
    return text;
}

static void
expect_ports(const struct ctl_trace *t, const uint32_t *ports, size_t n)
{
    assert_int_equal(t->n_ports, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(t->ports[i], ports[i]);
    }
}

/* Rewritten copies, one into another bridge, one into a tunnel (whose way
 * on by port 6 is no copy), one to the controller. */
static void
real_trace_with_a_tunnel(void **state)
{
    char *text = read_golden("tunnel.txt");
    struct ctl_trace t = {0};

    (void) state;
    assert_true(ctl_trace_parse(&t, text));
    expect_ports(&t, (uint32_t[]){4, 5, 6, 7}, 4);
    assert_true(t.controller && !t.partial && !t.slow_path);
    assert_true(ctl_trace_has(&t, 7) && !ctl_trace_has(&t, 2));
    assert_non_null(strstr(t.megaflow, "nw_src=192.168.168.55"));
    assert_true(!strncmp(t.actions, "set(ipv4(src=10.1.0.10)),4,", 27));
    ctl_trace_clear(&t);
    free(text);
}

static void
real_trace_of_a_drop(void **state)
{
    char *text = read_golden("drop.txt");
    struct ctl_trace t = {0};

    (void) state;
    assert_true(ctl_trace_parse(&t, text));
    expect_ports(&t, NULL, 0);
    assert_true(!t.controller && !t.partial);
    assert_string_equal(t.actions, "drop");
    ctl_trace_clear(&t);
    free(text);
}

static void
real_ports(void **state)
{
    char *text = read_golden("dpif-show.txt");
    struct ctl_dpif d = {0};

    (void) state;
    assert_true(ctl_dpif_parse(&d, text));
    assert_int_equal(d.n_ports, 9);
    const struct ctl_dpif_port *p = ctl_dpif_lookup(&d, "s1e3", 3);
    assert_true(p && p->has_dp_port && p->dp_port == 5);
    assert_string_equal(p->bridge, "s1");
    p = ctl_dpif_lookup(&d, "to1", 2);
    assert_true(p && !p->has_dp_port);
    assert_string_equal(p->bridge, "s2");
    assert_null(ctl_dpif_lookup(&d, "s1e3", 2));
    ctl_dpif_clear(&d);
    free(text);
}

struct row {
    const char *text;
    bool partial, controller;
    uint32_t ports[4];
    size_t n;
};

static const struct row rows[] = {
    {"1,2", false, false, {1, 2}, 2},
    {"clone(push_vlan(vid=5,pcp=0),3),4", false, false, {3, 4}, 2},
    {"set(tunnel(tun_id=0x5,dst=1.2.3.4)),7", false, false, {7}, 1},
    {"tnl_push(tnl_port(7),header(size=50),out_port(1)),1",
     false,
     false,
     {7},
     1},
    {"tnl_push(tnl_port(x)),1", true, false, {0}, 0},
    {"1,recirc(0x1)", true, false, {1}, 1},
    {"meter(0),1", false, false, {1}, 1},
    {"sample(sample=50.0%,actions(4)),5", true, false, {5}, 1},
    {"sample(sample=100.0%,actions(meter(1),userspace(pid=0,controller()))),5",
     false,
     true,
     {5},
     1},
    {"sample(sample=100.0%,actions(", true, false, {0}, 0},
    {"userspace(pid=0,controller(reason=1)),2", false, true, {2}, 1},
    {"userspace(pid=0,slow_path(action)),2", false, false, {2}, 1},
    {"4294967295,4294967296", true, false, {UINT32_MAX}, 1},
    {"1),2", true, false, {1, 2}, 2},
    {"clone(1", true, false, {0}, 0},
    {"", false, false, {0}, 0},
};

static void
actions_one_by_one(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = xasprintf("Datapath actions: %s\n", rows[i].text);
        struct ctl_trace t = {0};
        assert_true(ctl_trace_parse(&t, text));
        expect_ports(&t, rows[i].ports, rows[i].n);
        assert_int_equal(t.partial, rows[i].partial);
        assert_int_equal(t.controller, rows[i].controller);
        ctl_trace_clear(&t);
        free(text);
    }
}

static void
no_trace_at_all(void **state)
{
    struct ctl_trace t = {0};
    struct ctl_dpif d = {0};

    (void) state;
    assert_false(ctl_trace_parse(&t, "s9: unknown bridge\n"));
    assert_false(ctl_dpif_parse(&d, "  s1:\n    a 1/\n    b 1/2\n  c\n"));
    ctl_trace_clear(&t);
    ctl_dpif_clear(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_trace_with_a_tunnel),
        cmocka_unit_test(real_trace_of_a_drop),
        cmocka_unit_test(real_ports),
        cmocka_unit_test(actions_one_by_one),
        cmocka_unit_test(no_trace_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
