/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The user's own flows and groups, case by case: names that are taken, groups
 * in use, what is still to go when a switch is away or the store refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/route.h"
#include "tests/sim/sim-case.h"

#define GROUP(DPID, PORT)                                                     \
    "{\"dpid\":\"" DPID "\",\"group\":\"group_id=5,type=all,bucket=output:"   \
    "" PORT "\"}"
#define FLOW                                                                  \
    "{\"dpid\":\"1\",\"flow\":\"table=0,priority=7,udp,nw_dst=226.9.9.9,"     \
    "actions=group:5\"}"

static void
put(struct sim_case *c, const char *name, const char *text,
    enum ctl_outcome want)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct static_rule *rule =
        json ? static_rule_from_json(name, json, &error) : NULL;

    assert_non_null(rule);
    c->answered = false;
    ctl_flow_put(c->net.ctl, rule, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                 sim_case_written, c);
    static_rule_destroy(rule);
    cJSON_Delete(json);
    assert_int_equal(sim_case_wait_written(c), want);
}

static void
erase(struct sim_case *c, const char *name, enum ctl_outcome want)
{
    c->answered = false;
    ctl_flow_delete(c->net.ctl, name, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                    sim_case_written, c);
    assert_int_equal(sim_case_wait_written(c), want);
}

/* The group of that number on a switch: its buckets; "": there is none. */
static void
expect_group(struct sim_case *c, int i, const char *want)
{
    char *groups = fake_switch_dump_groups(c->net.switches[i].fake);
    char *at = strstr(groups, "group_id=5 "), *buckets = at;

    if (at) {
        at[strcspn(at, "\n")] = '\0';
        buckets = strstr(at, "bucket=");
    }
    assert_string_equal(buckets ? buckets : "", want);
    free(groups);
}

static void
a_name_is_of_one_switch(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    put(&c, "g", GROUP("1", "2"), CTL_CREATED);
    put(&c, "g", GROUP("2", "2"), CTL_INVALID);
    expect_group(&c, 0, "bucket=output:2");
    expect_group(&c, 1, "");
    erase(&c, "g", CTL_DELETED);
    erase(&c, "g", CTL_NOT_FOUND);
    put(&c, "g", GROUP("2", "2"), CTL_CREATED);
    expect_group(&c, 0, "");
    expect_group(&c, 1, "bucket=output:2");
    sim_net_uninit(&c.net);
}

/* The switch would delete the flow, too, without a word. */
static void
a_group_in_use_stays(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    put(&c, "g", GROUP("1", "2"), CTL_CREATED);
    put(&c, "f", FLOW, CTL_CREATED);
    erase(&c, "g", CTL_INVALID);
    sim_case_expect_copies(&c, "10.1.1.1", "226.9.9.9", "2/1");
    erase(&c, "f", CTL_DELETED);
    erase(&c, "g", CTL_DELETED);
    expect_group(&c, 0, "");
    sim_net_uninit(&c.net);
}

/* It carries no mark of ours: that it is ours is only known from the store,
 * also of one that was changed, or deleted, while its switch was away. */
static void
a_group_is_known_again(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    put(&c, "g", GROUP("1", "2"), CTL_CREATED);
    put(&c, "g", GROUP("1", "3"), CTL_REPLACED);
    expect_group(&c, 0, "bucket=output:3");
    sim_net_disconnect(&c.net.switches[0]);
    put(&c, "g", GROUP("1", "4"), CTL_REPLACED);
    sim_case_restart(&c);
    expect_group(&c, 0, "bucket=output:4");
    sim_net_disconnect(&c.net.switches[0]);
    erase(&c, "g", CTL_DELETED);
    erase(&c, "g", CTL_NOT_FOUND);
    sim_case_restart(&c);
    expect_group(&c, 0, "");
    sim_net_uninit(&c.net);
}

static void
what_the_store_refuses_is_as_it_was(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    put(&c, "g", GROUP("1", "2"), CTL_CREATED);
    sim_case_refuse_to_store(true);
    erase(&c, "g", CTL_STORAGE);
    erase(&c, "g", CTL_STORAGE);
    put(&c, "g", GROUP("1", "3"), CTL_STORAGE);
    put(&c, "f", FLOW, CTL_STORAGE);
    sim_case_refuse_to_store(false);
    expect_group(&c, 0, "bucket=output:2");
    sim_case_restart(&c);
    expect_group(&c, 0, "bucket=output:2");
    erase(&c, "f", CTL_NOT_FOUND);
    /* And it can be deleted afterwards. */
    erase(&c, "g", CTL_DELETED);
    expect_group(&c, 0, "");
    sim_net_uninit(&c.net);
}

/* The group of another is modified, the flow names none: refused. */
static void
what_a_switch_refuses_is_as_it_was(void **state)
{
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, "");
    put(&c, "f", FLOW, CTL_REJECTED);
    erase(&c, "f", CTL_NOT_FOUND);
    assert_true(fake_switch_ofctl(c.net.switches[0].fake, "add-group",
                                  "group_id=5,type=all,bucket=output:7"));
    put(&c, "g", GROUP("1", "2"), CTL_REJECTED);
    sim_case_restart(&c);
    erase(&c, "g", CTL_NOT_FOUND);
    expect_group(&c, 0, "bucket=output:7");

    /* One that was taken before. */
    assert_true(
        fake_switch_ofctl(c.net.switches[0].fake, "del-groups", "group_id=5"));
    assert_true(fake_switch_ofctl(c.net.switches[0].fake, "add-group",
                                  "group_id=6,type=all"));
    put(&c, "g", GROUP("1", "2"), CTL_CREATED);
    put(&c, "g",
        "{\"dpid\":\"1\",\"group\":\"group_id=6,type=all,bucket=output:3\"}",
        CTL_REJECTED);
    expect_group(&c, 0, "bucket=output:2");
    sim_case_restart(&c);
    expect_group(&c, 0, "bucket=output:2");
    sim_net_uninit(&c.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_of_one_switch),
        cmocka_unit_test(a_group_in_use_stays),
        cmocka_unit_test(a_group_is_known_again),
        cmocka_unit_test(what_the_store_refuses_is_as_it_was),
        cmocka_unit_test(what_a_switch_refuses_is_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
