/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Writes, most of routes: what is stored, and on the switches, when they are
 * answered; and when a switch, the store or the daemon fails. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/member.h"
#include "controller/route.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-case.h"

/* A flow that sets a TTL; what needs a group, too. */
#define TTL(DPID, N)                                                          \
    "{\"match\":{\"dpid\":\"" DPID                                            \
    "\",\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":" #N "}}"
#define NEEDS_GROUP                                                           \
    "{\"match\":{\"dpid\":\"1\",\"group\":\"226.2.2.2\"},\"to\":["            \
    "{\"dpid\":\"1\",\"port\":\"s1-eth4\",\"set\":{\"ttl\":99}}]}"

enum { SECOND = 1000 };

/* One write; several may be under way. */
struct writing {
    bool answered;
    enum ctl_outcome outcome;
};

static void
written(void *w_, const struct ctl_result *result)
{
    struct writing *w = w_;

    assert_false(w->answered);
    w->answered = true;
    w->outcome = result->outcome;
}

static void
begin_of(struct sim_case *c, struct writing *w, const char *name,
         const char *text, enum ctl_wait wait, int64_t timeout_ms)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct route *route = json ? route_from_json(name, json, &error) : NULL;

    assert_non_null(route);
    *w = (struct writing){.answered = false};
    ctl_route_put(c->net.ctl, route, wait, timeout_ms, written, w);
    route_destroy(route);
    cJSON_Delete(json);
}

static void
begin(struct sim_case *c, struct writing *w, const char *text,
      enum ctl_wait wait, int64_t timeout_ms)
{
    begin_of(c, w, "r", text, wait, timeout_ms);
}

static bool
is_answered(void *w_)
{
    const struct writing *w = w_;

    return w->answered;
}

static void
expect_outcome(struct sim_case *c, struct writing *w, enum ctl_outcome want)
{
    assert_true(sim_net_wait(&c->net, is_answered, w, SIM_CASE_WAIT_MS));
    assert_int_equal(w->outcome, want);
}

static void
put(struct sim_case *c, const char *text, enum ctl_outcome want)
{
    struct writing w;

    begin(c, &w, text, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    expect_outcome(c, &w, want);
}

static void
erase(struct sim_case *c, struct writing *w)
{
    *w = (struct writing){.answered = false};
    ctl_route_delete(c->net.ctl, "r", CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                     written, w);
}

static bool
no_route(void *aux, const struct view_rule *rule)
{
    (void) aux, (void) rule;
    return true;
}

/* What the first switch does with the group: "3/TTL", a member's, and what a
 * restart makes of it, which knows only what was stored. */
static void
expect_now(struct sim_case *c, const char *want)
{
    bool there = strcmp(want, "3/1") != 0;

    assert_true(sim_net_settle(&c->net));
    sim_case_expect_copies(c, "10.1.1.1", "226.2.2.2", want);
    assert_int_equal(view_route(c->net.ctl, "r", no_route, NULL), there);
}

static void
expect_for_ever(struct sim_case *c, const char *want)
{
    expect_now(c, want);
    sim_case_restart(c);
    expect_now(c, want);
}

static void
setup(struct sim_case *c)
{
    sim_case_setup(c, "");
    sim_case_join(c, 3, "226.2.2.2");
}

static struct fake_switch_faults *
faults(struct sim_case *c, int i)
{
    return fake_switch_faults(c->net.switches[i].fake);
}

/* The first switch has no room for another group. */
static void
refuse_groups(struct sim_case *c, bool refuse)
{
    struct fake_switch_counters counters;

    fake_switch_counters(c->net.switches[0].fake, &counters);
    faults(c, 0)->max_groups = refuse ? counters.groups : 0;
}

/* A switch refuses. */

static void
a_refused_write_leaves_what_was_before(void **state)
{
    struct sim_case c;

    (void) state;
    setup(&c);
    refuse_groups(&c, true);
    put(&c, NEEDS_GROUP, CTL_REJECTED);
    expect_for_ever(&c, "3/1");
    put(&c, TTL("1", 7), CTL_CREATED);
    put(&c, NEEDS_GROUP, CTL_REJECTED);
    expect_for_ever(&c, "3/7");
    refuse_groups(&c, false);
    put(&c, NEEDS_GROUP, CTL_REPLACED);
    expect_for_ever(&c, "4/99");
    sim_net_uninit(&c.net);
}

/* Before anything leaves: 900 copies do not fit into a message. */
static void
a_write_that_cannot_be_said_leaves_what_was_before(void **state)
{
    enum { SIZE = 200000, N = 900 };
    char *text = xmalloc(SIZE);
    struct sim_case c;
    size_t n = 0;

    (void) state;
    n += (size_t) snprintf(text, SIZE,
                           "{\"match\":{\"dpid\":\"1\",\"group\":"
                           "\"226.2.2.2\"},\"to\":[");
    for (int i = 0; i < N; i++) {
        n += (size_t) snprintf(
            text + n, SIZE - n,
            "%s{\"dpid\":\"1\",\"port\":\"s1-eth4\",\"set\":{\"group\":"
            "\"239.%d.0.%d\",\"source\":\"10.9.9.9\",\"udp_dst\":%d}}",
            i ? "," : "", i / 250, i % 250 + 1, 1000 + i);
    }
    snprintf(text + n, SIZE - n, "]}");
    setup(&c);
    put(&c, text, CTL_REJECTED);
    expect_for_ever(&c, "3/1");
    put(&c, TTL("1", 7), CTL_CREATED);
    put(&c, text, CTL_REJECTED);
    expect_for_ever(&c, "3/7");
    sim_net_uninit(&c.net);
    free(text);
}

static void
a_refusal_is_that_of_one_write(void **state)
{
    struct writing w, other;
    struct sim_case c;

    (void) state;
    setup(&c);
    refuse_groups(&c, true);
    begin(&c, &w, NEEDS_GROUP, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    begin_of(&c, &other, "other",
             "{\"match\":{\"dpid\":\"1\",\"group\":\"226.3.0.0/16\"},\"to\":"
             "[]}",
             CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    expect_outcome(&c, &w, CTL_REJECTED);
    expect_outcome(&c, &other, CTL_CREATED);
    expect_for_ever(&c, "3/1");
    sim_case_expect_status(&c, "other", "1:applied");
    sim_net_uninit(&c.net);
}

/* What it replaced was accepted, but is not what it puts back: that is what
 * the switch was known to take. */
static void
a_refused_write_that_overtook_another(void **state)
{
    struct writing first, second;
    struct sim_case c;

    (void) state;
    setup(&c);
    put(&c, TTL("1", 7), CTL_CREATED);
    refuse_groups(&c, true);
    begin(&c, &first, TTL("1", 8), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    begin(&c, &second, NEEDS_GROUP, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    expect_outcome(&c, &second, CTL_REJECTED);
    expect_outcome(&c, &first, CTL_REPLACED);
    expect_for_ever(&c, "3/7");
    sim_net_uninit(&c.net);
}

static void
the_same_write_again_is_refused_too(void **state)
{
    struct writing first, second;
    struct sim_case c;

    (void) state;
    setup(&c);
    refuse_groups(&c, true);
    begin(&c, &first, NEEDS_GROUP, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    begin(&c, &second, NEEDS_GROUP, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    expect_outcome(&c, &first, CTL_REJECTED);
    expect_outcome(&c, &second, CTL_REJECTED);
    expect_for_ever(&c, "3/1");
    refuse_groups(&c, false);
    faults(&c, 0)->mute = true;
    begin(&c, &first, NEEDS_GROUP, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    begin(&c, &second, NEEDS_GROUP, CTL_WAIT_APPLIED, 3 * SECOND);
    assert_false(sim_net_wait(&c.net, is_answered, &second, 2 * SECOND));
    expect_outcome(&c, &second, CTL_UNCHANGED);
    assert_false(first.answered);
    faults(&c, 0)->mute = false;
    sim_net_disconnect(&c.net.switches[0]);
    expect_outcome(&c, &first, CTL_CREATED);
    sim_net_uninit(&c.net);
}

/* A switch is silent. */

static void
a_write_is_answered_when_its_time_is_up_and_stored(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    faults(&c, 0)->mute = true;
    begin(&c, &w, TTL("1", 7), CTL_WAIT_APPLIED, 2 * SECOND);
    assert_false(sim_net_wait(&c.net, is_answered, &w, SECOND));
    expect_outcome(&c, &w, CTL_CREATED);
    faults(&c, 0)->mute = false;
    sim_case_restart(&c);
    expect_now(&c, "3/7");

    /* No time at all, but for the store. */
    begin(&c, &w, TTL("1", 8), CTL_WAIT_APPLIED, 0);
    expect_outcome(&c, &w, CTL_REPLACED);
    sim_case_restart(&c);
    expect_now(&c, "3/8");
    sim_net_uninit(&c.net);
}

static void
a_write_that_waits_for_the_store_only(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    faults(&c, 0)->mute = true;
    begin(&c, &w, TTL("1", 7), CTL_WAIT_STORED, SIM_CASE_WAIT_MS);
    assert_true(sim_net_wait(&c.net, is_answered, &w, SECOND));
    assert_int_equal(w.outcome, CTL_CREATED);
    faults(&c, 0)->mute = false;
    sim_case_restart(&c);
    expect_now(&c, "3/7");
    sim_net_uninit(&c.net);
}

/* It concerns another one; or leaves meanwhile. */
static void
a_silent_switch_holds_up_no_other(void **state)
{
    struct writing w, other;
    struct sim_case c;

    (void) state;
    setup(&c);
    faults(&c, 1)->mute = true;
    begin_of(&c, &other, "other",
             "{\"match\":{\"group\":\"226.3.3.3\"},\"set\":{\"ttl\":7}}",
             CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    assert_false(sim_net_wait(&c.net, is_answered, &other, SECOND));
    begin(&c, &w, TTL("1", 7), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    assert_true(sim_net_wait(&c.net, is_answered, &w, SECOND));
    assert_false(other.answered);
    sim_net_disconnect(&c.net.switches[1]);
    assert_true(sim_net_wait(&c.net, is_answered, &other, SECOND));
    assert_int_equal(other.outcome, CTL_CREATED);
    sim_net_uninit(&c.net);
}

/* Not before it is stored, though there is no switch to wait for. */
static void
a_write_for_a_switch_that_is_not_there(void **state)
{
    struct sim_case c;

    (void) state;
    setup(&c);
    sim_net_disconnect(&c.net.switches[0]);
    put(&c, TTL("1", 7), CTL_CREATED);
    sim_case_restart(&c);
    expect_now(&c, "3/7");
    sim_net_uninit(&c.net);
}

/* The daemon leaves. */

static void
what_is_under_way_is_stored_at_the_end(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    begin(&c, &w, TTL("1", 7), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    sim_case_restart(&c);
    assert_true(w.answered);
    expect_now(&c, "3/7");
    sim_net_uninit(&c.net);
}

/* Before the first is stored. */
static void
what_is_deleted_at_once_does_not_come_back(void **state)
{
    struct writing w, deleted;
    struct sim_case c;

    (void) state;
    setup(&c);
    begin(&c, &w, TTL("1", 7), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    erase(&c, &deleted);
    expect_outcome(&c, &w, CTL_CREATED);
    expect_outcome(&c, &deleted, CTL_DELETED);
    expect_for_ever(&c, "3/1");
    put(&c, TTL("1", 7), CTL_CREATED);
    erase(&c, &deleted);
    expect_outcome(&c, &deleted, CTL_DELETED);
    expect_for_ever(&c, "3/1");
    sim_net_uninit(&c.net);
}

/* The store refuses. */

static void
what_cannot_be_stored_goes_from_the_switches(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    /* The second time it is known to refuse: it is asked first. */
    for (int i = 0; i < 2; i++) {
        uint64_t before = sim_case_n_mods(&c);

        sim_case_refuse_to_store(true);
        put(&c, TTL("1", 7), CTL_STORAGE);
        expect_now(&c, "3/1");
        assert_int_equal(sim_case_n_mods(&c) > before, !i);
    }
    sim_case_refuse_to_store(false);
    expect_for_ever(&c, "3/1");
    put(&c, TTL("1", 7), CTL_CREATED);
    for (int i = 0; i < 2; i++) {
        sim_case_refuse_to_store(true);
        put(&c, TTL("1", 8), CTL_STORAGE);
        expect_now(&c, "3/7");
        erase(&c, &w);
        expect_outcome(&c, &w, CTL_STORAGE);
        expect_now(&c, "3/7");
    }
    sim_case_refuse_to_store(false);
    expect_for_ever(&c, "3/7");
    sim_net_uninit(&c.net);
}

/* Though it is there already when it is asked for again, on its way to be
 * stored. */
static void
the_same_write_again_is_not_stored_either(void **state)
{
    struct writing first, second;
    struct sim_case c;

    (void) state;
    setup(&c);
    sim_case_refuse_to_store(true);
    begin(&c, &first, TTL("7", 7), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    begin(&c, &second, TTL("7", 7), CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS);
    expect_outcome(&c, &first, CTL_STORAGE);
    expect_outcome(&c, &second, CTL_STORAGE);
    sim_case_refuse_to_store(false);
    expect_for_ever(&c, "3/1");
    sim_net_uninit(&c.net);
}

/* The answer waits until the switches have the earlier state again, but no
 * longer than the asker wants. */
static void
neither_store_nor_switch(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    put(&c, TTL("1", 7), CTL_CREATED);
    sim_case_refuse_to_store(true);
    faults(&c, 0)->mute = true;
    begin(&c, &w, TTL("1", 8), CTL_WAIT_STORED, 2 * SECOND);
    assert_false(sim_net_wait(&c.net, is_answered, &w, SECOND));
    expect_outcome(&c, &w, CTL_STORAGE);
    sim_case_refuse_to_store(false);
    faults(&c, 0)->mute = false;
    sim_case_restart(&c);
    expect_now(&c, "3/7");
    sim_net_uninit(&c.net);
}

/* Members. */

static void
put_member(struct sim_case *c, struct writing *w, const char *name,
           const char *text)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct member *member = json ? member_from_json(name, json, &error) : NULL;

    assert_non_null(member);
    *w = (struct writing){.answered = false};
    ctl_member_put(c->net.ctl, member, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                   written, w);
    member_destroy(member);
    cJSON_Delete(json);
}

#define AT_4 "{\"dpid\":\"1\",\"port\":\"s1-eth4\",\"group\":\"226.5.5.5\"}"

/* The group that is refused is its channel's. */
static void
a_refused_member_leaves_nothing(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    refuse_groups(&c, true);
    put_member(&c, &w, "m", AT_4);
    expect_outcome(&c, &w, CTL_REJECTED);
    refuse_groups(&c, false);
    for (int i = 0; i < 2; i++) {
        assert_true(sim_net_settle(&c.net));
        sim_case_expect_copies(&c, "10.1.1.1", "226.5.5.5", "");
        sim_case_restart(&c);
    }
    put_member(&c, &w, "m", AT_4);
    expect_outcome(&c, &w, CTL_CREATED);
    for (int i = 0; i < 2; i++) {
        assert_true(sim_net_settle(&c.net));
        sim_case_expect_copies(&c, "10.1.1.1", "226.5.5.5", "4/1");
        sim_case_restart(&c);
    }
    sim_net_uninit(&c.net);
}

#define CONFIGURED                                                            \
    "members:\n  - {name: m, dpid: 1, port: s1-eth3, group: 226.5.5.5}\n"

static void
a_member_of_the_configuration_is_not_written(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    sim_case_setup(&c, CONFIGURED);
    put_member(&c, &w, "m", AT_4);
    expect_outcome(&c, &w, CTL_FIXED);
    w.answered = false;
    ctl_member_delete(c.net.ctl, "m", CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                      written, &w);
    expect_outcome(&c, &w, CTL_FIXED);
    put_member(&c, &w, "other", AT_4);
    expect_outcome(&c, &w, CTL_CREATED);
    assert_true(sim_net_settle(&c.net));
    sim_case_expect_copies(&c, "10.1.1.1", "226.5.5.5", "3/1 4/1");
    sim_net_uninit(&c.net);
}

/* By one that comes before the refusal: its own stays, and the other does not
 * come back with the next configuration. */
static void
a_refused_member_that_is_hidden_by_the_configuration(void **state)
{
    struct writing w;
    struct sim_case c;

    (void) state;
    setup(&c);
    refuse_groups(&c, true);
    put_member(&c, &w, "m", AT_4);
    sim_net_reconfigure(&c.net, CONFIGURED);
    expect_outcome(&c, &w, CTL_REJECTED);
    refuse_groups(&c, false);
    sim_net_wait(&c.net, is_answered, &(struct writing){0}, 60 * SECOND);
    sim_case_expect_copies(&c, "10.1.1.1", "226.5.5.5", "3/1");
    sim_net_reconfigure(&c.net, "");
    for (int i = 0; i < 2; i++) {
        assert_true(sim_net_settle(&c.net));
        sim_case_expect_copies(&c, "10.1.1.1", "226.5.5.5", "");
        sim_case_restart(&c);
    }
    sim_net_uninit(&c.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_write_leaves_what_was_before),
        cmocka_unit_test(a_write_that_cannot_be_said_leaves_what_was_before),
        cmocka_unit_test(a_refusal_is_that_of_one_write),
        cmocka_unit_test(a_refused_write_that_overtook_another),
        cmocka_unit_test(the_same_write_again_is_refused_too),
        cmocka_unit_test(a_write_is_answered_when_its_time_is_up_and_stored),
        cmocka_unit_test(a_write_that_waits_for_the_store_only),
        cmocka_unit_test(a_silent_switch_holds_up_no_other),
        cmocka_unit_test(a_write_for_a_switch_that_is_not_there),
        cmocka_unit_test(what_is_under_way_is_stored_at_the_end),
        cmocka_unit_test(what_is_deleted_at_once_does_not_come_back),
        cmocka_unit_test(what_cannot_be_stored_goes_from_the_switches),
        cmocka_unit_test(the_same_write_again_is_not_stored_either),
        cmocka_unit_test(neither_store_nor_switch),
        cmocka_unit_test(a_refused_member_leaves_nothing),
        cmocka_unit_test(a_member_of_the_configuration_is_not_written),
        cmocka_unit_test(a_refused_member_that_is_hidden_by_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
