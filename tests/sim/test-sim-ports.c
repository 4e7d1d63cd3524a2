/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Ports that come late: the one that is asked upstream, and one that routes
 * know by two names. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim-case.h"

#define ROUTERS "ports:\n  - {dpid: 1, port: s1-eth9, role: mrouter}\n"

/* Upstream. */

/* The reports (IGMPv3) that left by a port of the first switch. */
struct heard {
    uint32_t port;
    size_t n;
    uint8_t frames[64][256];
    size_t sizes[64];
};

static void
hear(void *heard_, struct sim_switch *sw, uint32_t port, const void *frame,
     size_t size)
{
    static const uint8_t routers[] = {224, 0, 0, 22};
    struct heard *h = heard_;

    if (sw->dpid == 1 && port == h->port && h->n < 64 && size >= 46
        && size <= 256 && !memcmp((const uint8_t *) frame + 30, routers, 4)) {
        memcpy(h->frames[h->n], frame, size);
        h->sizes[h->n++] = size;
    }
}

static void
listen_at(struct sim_case *c, struct heard *h, uint32_t port)
{
    h->port = port;
    h->n = 0;
    c->net.output = hear;
    c->net.aux = h;
}

/* Is the group in one of them? */
static bool
was_said(const struct heard *h, const char *group)
{
    const struct ip_addr g = sim_case_address(group);

    for (size_t i = 0; i < h->n; i++) {
        for (size_t at = 0; at + 4 <= h->sizes[i]; at++) {
            if (!memcmp(h->frames[i] + at, g.b + 12, 4)) {
                return true;
            }
        }
    }
    return false;
}

static bool
never(void *c)
{
    (void) c;
    return false;
}

static void
a_port_that_comes_late_is_asked(void **state)
{
    struct sim_case c;
    struct heard *h = calloc(1, sizeof *h);

    (void) state;
    sim_case_setup(&c, ROUTERS);
    listen_at(&c, h, 9);
    sim_case_put_route(&c, "r",
                       "{\"match\":{\"dpid\":\"1\",\"port\":\"s1-eth9\","
                       "\"group\":\"226.2.2.2\"},"
                       "\"to\":[{\"dpid\":\"1\",\"port\":\"s1-eth3\"}]}");
    assert_int_equal(h->n, 0);
    fake_switch_add_port(c.net.switches[0].fake, 9, "s1-eth9");
    assert_true(sim_net_settle(&c.net));
    assert_false(sim_net_wait(&c.net, never, &c, 5000));
    assert_true(was_said(h, "226.2.2.2"));
    sim_net_uninit(&c.net);
    free(h);
}

/* Two names. */

#define BY(PORT, TTL)                                                         \
    "{\"match\":{\"dpid\":\"1\",\"port\":\"" PORT                             \
    "\",\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":" TTL                       \
    "},\"to\":[{\"dpid\":\"1\",\"port\":\"s1-eth3\"}]}"

/* Before the port is there nobody can tell that they are the same; then the
 * name wins, whichever came first, and also after a restart. */
static void
a_late_port_by_name_and_by_number(void **state)
{
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "a" : "z";
        struct sim_case c;

        (void) state;
        sim_case_setup(&c, "");
        if (i) {
            sim_case_put_route(&c, name, BY("s1-eth9", "7"));
        }
        assert_int_equal(sim_case_put_route(&c, "n", BY("9", "5")),
                         CTL_CREATED);
        if (!i) {
            sim_case_put_route(&c, name, BY("s1-eth9", "7"));
        }
        fake_switch_add_port(c.net.switches[0].fake, 9, "s1-eth9");
        assert_true(sim_net_settle(&c.net));
        c.enters_at = 9;
        for (int turn = 0; turn < 2; turn++) {
            sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/7");
            sim_case_expect_status(&c, name, "1:applied");
            sim_case_expect_status(&c, "n", "1:pending");
            sim_case_restart(&c);
        }
        /* It goes: the other one is there. */
        c.answered = false;
        ctl_route_delete(c.net.ctl, name, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                         sim_case_written, &c);
        sim_case_wait_written(&c);
        sim_case_expect_status(&c, "n", "1:applied");
        sim_case_expect_copies(&c, "10.1.1.1", "226.2.2.2", "3/5");
        sim_net_uninit(&c.net);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_comes_late_is_asked),
        cmocka_unit_test(a_late_port_by_name_and_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
