/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/pools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/ctl-private.h"
#include "lib/xalloc.h"

/* As much of a controller as pools need. */
static struct ctl ctl;
static char dir[] = "/tmp/test-pools-XXXXXX";

static void
start(void)
{
    char error[STORE_ERROR_SIZE];

    memset(&ctl, 0, sizeof ctl);
    ctl.store = store_open(dir, error);
    if (!ctl.store) {
        fail_msg("%s", error);
    }
    ctl.topo = topo_graph_create();
    pools_load(&ctl);
    assert_true(ctl.pools_stale);
}

static void
drop_route(struct rule *rule)
{
    HASH_DELETE(hh, ctl.rules[STORE_ROUTE], rule);
    route_destroy(rule->route);
    free(rule);
}

static void
stop(void)
{
    struct rule *rule, *tmp;

    HASH_ITER (hh, ctl.rules[STORE_ROUTE], rule, tmp) {
        drop_route(rule);
    }
    pools_destroy(&ctl);
    topo_graph_destroy(ctl.topo);
    store_close(ctl.store);
}

static int
setup(void **state)
{
    (void) state;
    assert_non_null(mkdtemp(dir));
    start();
    return 0;
}

static int
teardown(void **state)
{
    static const char *const files[] = {"state.db", "state.db.1",
                                        "state.db-journal", "state.lock"};
    (void) state;
    stop();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = xasprintf("%s/%s", dir, files[i]);
        unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(dir), 0);
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    return 0;
}

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;

    assert_true(ip_prefix_parse(text, &p));
    return p;
}

/* A route with that pool, for ports called 'port' (NULL: for all). */
static struct rule *
add_route(const char *name, const char *pool, const char *port)
{
    struct rule *rule = xcalloc(1, sizeof *rule);

    snprintf(rule->name, sizeof rule->name, "%s", name);
    rule->route = xcalloc(1, sizeof *rule->route);
    rule->route->set.has_source_pool = true;
    rule->route->set.source_pool = prefix(pool);
    if (port) {
        rule->route->match.has_dpid = rule->route->match.has_port = true;
        rule->route->match.dpid = 1;
        strcpy(rule->route->match.port, port);
    }
    HASH_ADD_STR(ctl.rules[STORE_ROUTE], name, rule);
    return rule;
}

/* The source that the port gets, "" if none. */
static const char *
ask(const char *pool, const char *port)
{
    static char text[IP_ADDR_STRLEN];
    struct topo_port p = {.no = 1};
    struct ip_prefix which = prefix(pool);
    struct ip_addr source;

    strcpy(p.name, port);
    pool_reserve(&ctl, &which, 1, &p);
    pool_keep(&ctl, &which);
    return pool_get(&ctl, &which, 1, &p, &source)
               ? ip_addr_format(&source, text)
               : "";
}

static void
each_port_has_its_own(void **state)
{
    (void) state;
    add_route("r", "10.1.0.16/28", NULL);
    assert_string_equal(ask("10.1.0.16/28", "eth1"), "10.1.0.17");
    assert_string_equal(ask("10.1.0.16/28", "eth2"), "10.1.0.18");
    assert_string_equal(ask("10.1.0.16/28", "eth1"), "10.1.0.17");
    /* Also when the daemon is another one, in whatever order they come. */
    stop();
    start();
    add_route("r", "10.1.0.16/28", NULL);
    pools_sweep(&ctl);
    assert_string_equal(ask("10.1.0.16/28", "eth3"), "10.1.0.19");
    assert_string_equal(ask("10.1.0.16/28", "eth2"), "10.1.0.18");
    assert_string_equal(ask("10.1.0.16/28", "eth1"), "10.1.0.17");
}

/* The lowest 32 bits are given. */
static void
ipv6_has_pools_too(void **state)
{
    (void) state;
    add_route("r", "2001:db8:9::/64", NULL);
    assert_string_equal(ask("2001:db8:9::/64", "eth1"), "2001:db8:9::1");
    assert_string_equal(ask("2001:db8:9::/64", "eth2"), "2001:db8:9::2");
    add_route("s", "2001:db8:9::7:10/124", NULL);
    assert_string_equal(ask("2001:db8:9::7:10/124", "eth1"),
                        "2001:db8:9::7:11");
    /* The same below is not the same address. */
    add_route("t", "2001:db8:8::/64", NULL);
    assert_string_equal(ask("2001:db8:8::/64", "eth1"), "2001:db8:8::1");
    /* Where they overlap one has it. */
    add_route("u", "2001:db8:9::/112", NULL);
    assert_string_equal(ask("2001:db8:9::/112", "eth9"), "2001:db8:9::3");
    stop();
    start();
    add_route("r", "2001:db8:9::/64", NULL);
    add_route("u", "2001:db8:9::/112", NULL);
    pools_sweep(&ctl);
    assert_string_equal(ask("2001:db8:9::/64", "eth3"), "2001:db8:9::4");
    assert_string_equal(ask("2001:db8:9::/64", "eth2"), "2001:db8:9::2");
}

static void
what_was_not_stored_is_not_used(void **state)
{
    struct topo_port p = {.no = 1, .name = "eth1"};
    struct ip_prefix which = prefix("10.1.0.16/28");
    struct ip_addr source;

    (void) state;
    assert_false(pool_get(&ctl, &which, 1, &p, &source));
    pool_reserve(&ctl, &which, 1, &p);
    assert_false(pool_get(&ctl, &which, 1, &p, &source));
    pool_keep(&ctl, &which);
    assert_true(pool_get(&ctl, &which, 1, &p, &source));
}

static void
all_are_given_and_no_more(void **state)
{
    char port[16];

    (void) state;
    add_route("r", "10.1.0.0/29", NULL);
    for (int i = 1; i <= 6; i++) {
        char wanted[24];
        snprintf(port, sizeof port, "eth%d", i);
        snprintf(wanted, sizeof wanted, "10.1.0.%d", i);
        assert_string_equal(ask("10.1.0.0/29", port), wanted);
    }
    assert_string_equal(ask("10.1.0.0/29", "eth7"), "");
    pools_sweep(&ctl);
    assert_string_equal(ask("10.1.0.0/29", "eth7"), "");
    assert_string_equal(ask("10.1.0.0/29", "eth6"), "10.1.0.6");
    /* Small ones have no address to spare. */
    add_route("two", "10.2.0.0/31", NULL);
    assert_string_equal(ask("10.2.0.0/31", "a"), "10.2.0.0");
    assert_string_equal(ask("10.2.0.0/31", "b"), "10.2.0.1");
    add_route("one", "10.3.0.7", NULL);
    assert_string_equal(ask("10.3.0.7", "a"), "10.3.0.7");
    assert_string_equal(ask("10.3.0.7", "b"), "");
}

static void
what_is_free_is_given_last(void **state)
{
    (void) state;
    struct rule *r = add_route("r", "10.1.0.0/29", "eth*");
    ask("10.1.0.0/29", "eth1");
    ask("10.1.0.0/29", "eth2");
    drop_route(r);
    pools_sweep(&ctl);
    add_route("s", "10.1.0.0/29", "wan*");
    assert_string_equal(ask("10.1.0.0/29", "wan1"), "10.1.0.3");
    stop();
    start();
    add_route("s", "10.1.0.0/29", "wan*");
    pools_sweep(&ctl);
    assert_string_equal(ask("10.1.0.0/29", "wan2"), "10.1.0.4");
    assert_string_equal(ask("10.1.0.0/29", "wan3"), "10.1.0.5");
    assert_string_equal(ask("10.1.0.0/29", "wan4"), "10.1.0.6");
    /* Nobody has taken it yet: who had it gets it back. */
    add_route("r", "10.1.0.0/29", "eth1");
    assert_string_equal(ask("10.1.0.0/29", "eth1"), "10.1.0.1");
    pools_sweep(&ctl);
    assert_string_equal(ask("10.1.0.0/29", "wan5"), "10.1.0.2");
    assert_string_equal(ask("10.1.0.0/29", "wan6"), "");
    assert_string_equal(ask("10.1.0.0/29", "eth1"), "10.1.0.1");
}

static void
pools_that_overlap(void **state)
{
    (void) state;
    add_route("r", "10.1.0.0/24", "eth*");
    add_route("s", "10.1.0.0/29", "wan*");
    assert_string_equal(ask("10.1.0.0/24", "eth1"), "10.1.0.1");
    assert_string_equal(ask("10.1.0.0/29", "wan1"), "10.1.0.2");
    assert_string_equal(ask("10.1.0.0/24", "eth2"), "10.1.0.3");
}

int
main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_port_has_its_own),     T(what_was_not_stored_is_not_used),
        T(all_are_given_and_no_more), T(what_is_free_is_given_last),
        T(pools_that_overlap),        T(ipv6_has_pools_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
