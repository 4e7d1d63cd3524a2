/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-table.h"

#include <errno.h>

#include "lib/xalloc.h"
#include "tests/unit/ofp-rig.h"

/* The plain life of an entry. */

static void
join_and_leave(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    assert_int_equal(r->n_synced, 1);
    rig_assert_sent(r, "???");

    rig_set(r, "226.2.2.2", "2");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_PENDING);
    rig_pump(r);
    rig_assert_sent(r, "GFB"); /* A group exists before a flow names it. */
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:2\n");
    rig_assert_flows(r, "table=40 cookie=0x4f464d4300000001 priority=200,ip,"
                        "vlan_tci=0x0000/0x1fff,nw_dst=226.2.2.2 idle=0 "
                        "actions=group:1291845632\n");

    rig_set(r, "226.2.2.2", "23");
    rig_pump(r);
    rig_assert_sent(r, "GB"); /* In place, the flow is not touched. */
    rig_assert_groups(
        r, "group_id=1291845632 type=all bucket=output:2 bucket=output:3\n");

    rig_unset(r, "226.2.2.2");
    rig_pump(r);
    rig_assert_sent(r, "fgB"); /* A flow is gone before its group is. */
    rig_assert_flows(r, "");
    rig_assert_groups(r, "");
    assert_int_equal(rig_switch_counters(r).cascaded, 0);
}

static void
nothing_new_sends_nothing(void **state)
{
    struct rig *r = *state;
    uint64_t seqno;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "23");
    rig_pump(r);
    r->types[0] = '\0';
    seqno = ofp_table_seqno(r->table);
    rig_set(r, "226.2.2.2", "23");
    rig_pump(r);
    rig_assert_sent(r, "");
    assert_int_equal(ofp_table_seqno(r->table), seqno);
    /* There and back again before a round. */
    rig_set(r, "226.2.2.2", "2");
    rig_set(r, "226.2.2.2", "23");
    rig_unset(r, "226.2.2.3");
    rig_pump(r);
    rig_assert_sent(r, "");
    assert_int_equal(r->settled, ofp_table_seqno(r->table));
    assert_int_equal(rig_table_counters(r).pending, 0);
}

/* While a round is in flight changes gather, and only the last counts. */
static void
changes_coalesce(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    ofp_table_run(r->table, r->now);
    rig_assert_sent(r, "???GFB");
    rig_set(r, "226.2.2.2", "12");
    rig_set(r, "226.2.2.2", "123");
    rig_set(r, "226.2.2.3", "1");
    rig_unset(r, "226.2.2.3");
    ofp_table_run(r->table, r->now);
    rig_assert_sent(r, "");
    assert_int_equal(r->settled, 0);
    rig_pump(r);
    rig_assert_sent(r, "GB");
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:1 "
                         "bucket=output:2 bucket=output:3\n");
    assert_int_equal(r->settled, ofp_table_seqno(r->table));
}

static void
settled_follows_each_round(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    ofp_table_run(r->table, r->now);
    rig_set(r, "226.2.2.3", "1");
    rig_to_switch(r);
    rig_to_table(r);
    assert_int_equal(r->settled, 1);
    assert_int_equal(ofp_table_settled_seqno(r->table), 1);
    rig_pump(r);
    assert_int_equal(r->settled, 2);
}

/* An unset during the round that installs it, and the other way round. */
static void
unset_in_flight(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    ofp_table_run(r->table, r->now);
    rig_unset(r, "226.2.2.2");
    rig_pump(r);
    rig_assert_flows(r, "");
    rig_assert_groups(r, "");
    assert_int_equal(rig_table_counters(r).flows, 0);

    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_unset(r, "226.2.2.2");
    ofp_table_run(r->table, r->now);
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    rig_assert_groups(
        r, "group_id=1291845632 type=all bucket=output:1 bucket=output:2\n");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
}

/* A freed id is given out again only when its group is known to be gone. */
static void
ids_are_not_reused_early(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_unset(r, "226.2.2.2");
    rig_set(r, "226.2.2.3", "2"); /* In the same round. */
    rig_pump(r);
    rig_assert_groups(r, "group_id=1291845633 type=all bucket=output:2\n");
    rig_set(r, "226.2.2.4", "3");
    rig_pump(r);
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:3\n"
                         "group_id=1291845633 type=all bucket=output:2\n");
}

/* What changed decides how: instructions alone keep the counters. */
static void
ways_of_changing_a_flow(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = {.table = 50,
                         .priority = 1,
                         .cookie = OFP_COOKIE | 5,
                         .output = OFP_OUT_NORMAL};

    rig_connect(r);
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    f.output = OFP_OUT_PORT;
    f.out_port = 3;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).mods[FAKE_FLOW_ADD], 1);
    assert_int_equal(rig_switch_counters(r).mods[FAKE_FLOW_MODIFY_STRICT], 1);
    rig_assert_flows(r,
                     "table=50 cookie=0x4f464d4300000005 priority=1, idle=0 "
                     "actions=output:3\n");
    f.cookie = OFP_COOKIE | 6;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).mods[FAKE_FLOW_ADD], 2);
    rig_assert_flows(r,
                     "table=50 cookie=0x4f464d4300000006 priority=1, idle=0 "
                     "actions=output:3\n");
}

/* A flow that gets a group, and one that loses it. */
static void
group_comes_and_goes(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");
    struct ofp_bucket b = {.out_port = 4};

    rig_connect(r);
    f.output = OFP_OUT_NONE;
    f.goto_table = 50;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    f.output = OFP_OUT_GROUP;
    ofp_table_set(r->table, &f, &b, 1, 0, NULL);
    rig_pump(r);
    rig_assert_flows(r, "table=40 cookie=0x4f464d4300000001 priority=200,ip,"
                        "vlan_tci=0x0000/0x1fff,nw_dst=226.2.2.2 idle=0 "
                        "actions=group:1291845632,goto_table:50\n");
    r->types[0] = '\0';
    f.output = OFP_OUT_NONE;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    rig_assert_sent(r, "OAABC");
    rig_assert_groups(r, "");
    assert_int_equal(rig_switch_counters(r).cascaded, 0);
}

/* Between a flow that goes and one that comes a packet would meet neither: two
 * messages, but in a bundle. */
static void
replacement_is_atomic(void **state)
{
    struct rig *r = *state;
    struct ofp_flow old = rig_channel("226.2.2.2");
    struct ofp_flow new = rig_channel("226.2.2.2");

    rig_connect(r);
    old.output = new.output = OFP_OUT_NORMAL;
    new.priority = old.priority + 1;
    ofp_table_set(r->table, &old, NULL, 0, 0, NULL);
    rig_pump(r);
    r->types[0] = '\0';
    ofp_table_unset(r->table, old.table, old.priority, &old.match);
    ofp_table_set(r->table, &new, NULL, 0, 0, NULL);
    rig_pump(r);
    rig_assert_sent(r, "OAABC");
}

static void
too_big(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");
    struct ofp_bucket *b = xcalloc(3000, sizeof *b);
    char error[OFP_ERROR_SIZE];

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    for (int i = 0; i < 3000; i++) {
        b[i].out_port = i + 1;
    }
    assert_int_equal(ofp_table_set(r->table, &f, b, 3000, 0, error), E2BIG);
    assert_string_equal(error, "3000 copies take 96016 bytes, and an OpenFlow "
                               "message holds 65535: about 2047 such copies "
                               "fit");
    assert_int_equal(ofp_table_set(r->table, &f, b, 2048, 0, NULL), E2BIG);
    rig_pump(r);
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:1\n");
    assert_int_equal(ofp_table_set(r->table, &f, b, 2047, 0, error), 0);
    rig_pump(r);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    free(b);
}

/* Bundles. */

static void
several_changes_go_in_a_bundle(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->types[0] = '\0';
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    ofp_table_set_meter(r->table, 1, 100, 20);
    rig_pump(r);
    rig_assert_sent(r, "MOAAAAC");
    assert_int_equal(rig_switch_counters(r).commits, 1);
    assert_int_equal(rig_table_counters(r).flows, 2);
    assert_int_equal(rig_table_counters(r).meters, 1);
    assert_int_equal(r->settled, 3);
}

static void
refused_bundle_is_repeated_plainly(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->types[0] = '\0';
    r->refuse_kind = FAKE_FLOW_ADD;
    r->refuse_error = "OFPFMFC_TABLE_FULL";
    r->refuse_times = 2; /* In the bundle, and once when repeated. */
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    rig_pump(r);
    rig_assert_sent(r, "OAAAACGGBFFB");
    rig_assert_log(r, "rejected:7:OFPFMFC_TABLE_FULL ");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_REJECTED);
    assert_int_equal(rig_state(r, "226.2.2.3"), OFP_ENTRY_APPLIED);
    assert_int_equal(rig_table_counters(r).rejected, 1);
    assert_int_equal(r->settled, 2);
    /* Bundles are still good for the next round. */
    rig_set(r, "226.2.2.4", "1");
    rig_set(r, "226.2.2.5", "2");
    rig_pump(r);
    rig_assert_sent(r, "OAAAAC");
}

/* The switch leaves it out, and commits the others. */
static void
bundle_with_a_message_that_is_not_understood(void **state)
{
    struct rig *r = *state;
    struct ofp_flow backward = rig_channel("226.2.2.3");

    rig_connect(r);
    r->types[0] = '\0';
    backward.output = OFP_OUT_NONE;
    backward.goto_table = 3;
    ofp_table_set(r->table, &backward, NULL, 0, 7, NULL);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_sent(r, "OAAACGBFBGFB");
    rig_assert_log(r, "rejected:7:OFPBIC_BAD_TABLE_ID ");
    assert_int_equal(rig_state(r, "226.2.2.3"), OFP_ENTRY_REJECTED);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:1\n");
    assert_int_equal(r->settled, 2);
}

static void
switch_without_bundles(void **state)
{
    struct rig *r = *state;

    fake_switch_faults(r->sw)->no_bundles = true;
    rig_connect(r);
    r->types[0] = '\0';
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    rig_pump(r);
    rig_assert_sent(r, "OAAAACGGBFFB");
    assert_int_equal(rig_state(r, "226.2.2.3"), OFP_ENTRY_APPLIED);
    rig_set(r, "226.2.2.4", "1");
    rig_set(r, "226.2.2.5", "2");
    rig_pump(r);
    rig_assert_sent(r, "GGFFB");
    assert_int_equal(rig_table_counters(r).flows, 4);
    rig_assert_log(r, "");
}

/* Errors. */

static void
rejected_flow_is_retried(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->refuse_kind = FAKE_FLOW_ADD;
    r->refuse_error = "OFPFMFC_TABLE_FULL";
    r->refuse_times = -1;
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_log(r, "rejected:7:OFPFMFC_TABLE_FULL ");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_REJECTED);
    assert_non_null(strstr(rig_error(r, "226.2.2.2"), "OFPFMFC_TABLE_FULL: "));
    assert_int_equal(ofp_table_deadline(r->table), r->now + 1000);
    r->types[0] = '\0';
    rig_advance(r, 999);
    rig_assert_sent(r, "");
    rig_advance(r, 1);
    rig_assert_sent(r, "FB");
    assert_int_equal(ofp_table_deadline(r->table), r->now + 2000);
    rig_assert_log(r, ""); /* The same once more is no news. */
    r->refuse_kind = -1;
    rig_advance(r, 2000);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    assert_int_equal(rig_table_counters(r).rejected, 0);
}

static void
rejected_group(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->refuse_kind = FAKE_GROUP_ADD;
    r->refuse_error = "OFPGMFC_OUT_OF_GROUPS";
    r->refuse_times = 1;
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_log(r, "rejected:7:OFPGMFC_OUT_OF_GROUPS ");
    rig_assert_flows(r, "");
    rig_advance(r, 1000);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
}

/* In a big round the flow of a refused group is not even sent. */
static void
flow_of_rejected_group_is_not_sent(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->types[0] = '\0';
    r->refuse_kind = FAKE_GROUP_ADD;
    r->refuse_error = "OFPGMFC_OUT_OF_GROUPS";
    r->refuse_times = 2;
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "1");
    rig_pump(r);
    rig_assert_sent(r, "OAAAACGGBFB");
    assert_int_equal(rig_switch_counters(r).bad_out_group, 0);
}

/* A change of a rejected entry is tried at once, and so is its end. */
static void
change_of_a_rejected_entry(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->refuse_kind = FAKE_GROUP_MODIFY;
    r->refuse_error = "OFPGMFC_OUT_OF_BUCKETS";
    r->refuse_times = 1;
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_REJECTED);
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:1\n");
    rig_set(r, "226.2.2.2", "13");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_PENDING);
    rig_pump(r);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    r->refuse_times = 1;
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    rig_unset(r, "226.2.2.2");
    rig_pump(r);
    rig_assert_groups(r, "");
    assert_int_equal(rig_table_counters(r).rejected, 0);
    rig_advance(r, 100000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(join_and_leave),
        RIG_TEST(nothing_new_sends_nothing),
        RIG_TEST(changes_coalesce),
        RIG_TEST(settled_follows_each_round),
        RIG_TEST(unset_in_flight),
        RIG_TEST(ids_are_not_reused_early),
        RIG_TEST(ways_of_changing_a_flow),
        RIG_TEST(group_comes_and_goes),
        RIG_TEST(replacement_is_atomic),
        RIG_TEST(too_big),
        RIG_TEST(several_changes_go_in_a_bundle),
        RIG_TEST(refused_bundle_is_repeated_plainly),
        RIG_TEST(bundle_with_a_message_that_is_not_understood),
        RIG_TEST(switch_without_bundles),
        RIG_TEST(rejected_flow_is_retried),
        RIG_TEST(rejected_group),
        RIG_TEST(flow_of_rejected_group_is_not_sent),
        RIG_TEST(change_of_a_rejected_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
