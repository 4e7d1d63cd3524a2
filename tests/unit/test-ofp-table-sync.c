/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The table when connections come and go, and when others touch the switch. */

#include "ofp/ofp-table.h"

#include "ofp/ofp-static.h"
#include "tests/unit/ofp-rig.h"

/* Reconnecting. */

static void
reconnect_sends_the_difference(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    rig_set(r, "226.2.2.4", "3");
    rig_pump(r);
    rig_disconnect(r);
    rig_set(r, "226.2.2.3", "23");
    rig_unset(r, "226.2.2.4");
    rig_connect(r);
    rig_assert_sent(r, "???OAAABC"); /* Group changed; flow, group gone. */
    rig_assert_groups(
        r, "group_id=1291845632 type=all bucket=output:1\n"
           "group_id=1291845633 type=all bucket=output:2 bucket=output:3\n");
    rig_disconnect(r);
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_int_equal(r->n_synced, 3);
}

static void
connection_lost_in_flight(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    ofp_table_run(r->table, r->now);
    rig_to_switch(r); /* It got there; the answer does not come back. */
    rig_disconnect(r);
    assert_int_equal(r->settled, 0);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_PENDING);
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_int_equal(r->settled, 1);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);

    rig_set(r, "226.2.2.3", "1");
    ofp_table_run(r->table, r->now); /* It did not get there. */
    rig_disconnect(r);
    rig_connect(r);
    rig_assert_sent(r, "???GFB");
    assert_int_equal(r->settled, 2);
}

static void
wiped_switch_gets_everything_back(void **state)
{
    struct rig *r = *state;
    char *flows, *groups;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    rig_pump(r);
    flows = fake_switch_dump_flows(r->sw);
    groups = fake_switch_dump_groups(r->sw);
    rig_disconnect(r);
    fake_switch_wipe(r->sw);
    rig_connect(r);
    rig_assert_flows(r, flows);
    rig_assert_groups(r, groups);
    free(flows);
    free(groups);
}

static void
on_adopted(struct rig *r, const struct ofp_adopted *a)
{
    char text[IP_PREFIX_STRLEN];
    size_t n = strlen(r->log);

    assert_true(a->match_understood);
    assert_int_equal(a->table, 40);
    assert_int_equal(a->priority, 200);
    assert_int_equal(a->cookie, OFP_COOKIE | 1);
    n += snprintf(r->log + n, sizeof r->log - n,
                  "adopted:%s:", ip_prefix_format(&a->match.ip_dst, text));
    for (size_t i = 0; i < a->n_copies; i++) {
        const struct ofp_copy *copy = &a->copies[i];
        char mac[MAC_ADDR_STRLEN];

        n += snprintf(r->log + n, sizeof r->log - n, "%u", copy->port);
        if (!mac_addr_is_zero(&copy->eth_dst)) {
            n += snprintf(r->log + n, sizeof r->log - n, "(%s)",
                          mac_addr_format(&copy->eth_dst, mac));
        }
        if (copy->pop_vlan) {
            n += snprintf(r->log + n, sizeof r->log - n, "(pop)");
        }
        if (copy->tun_dst) {
            n += snprintf(r->log + n, sizeof r->log - n, "(%u>%x)",
                          copy->tun_id, copy->tun_dst);
        }
    }
    snprintf(r->log + n, sizeof r->log - n, " ");
}

static void
on_synced_set_two(struct rig *r)
{
    rig_set(r, "226.2.2.2", "12");
    rig_set(r, "226.2.2.3", "2");
}

/* A new controller finds its entries, and sends nothing for those that it
 * still wants; it deletes the others, flows first. */
static void
restart_adopts(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.9", "4");
    rig_set(r, "226.2.2.3", "2");
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    rig_restart(r);
    r->on_adopted = on_adopted;
    r->on_synced = on_synced_set_two;
    rig_connect(r);
    rig_assert_log(r, "adopted:226.2.2.2:12 adopted:226.2.2.3:2 "
                      "adopted:226.2.2.9:4 ");
    rig_assert_sent(r, "???fgB");
    rig_assert_groups(
        r, "group_id=1291845633 type=all bucket=output:2\n"
           "group_id=1291845634 type=all bucket=output:1 bucket=output:2\n");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    /* The ids in use are not given out again. */
    rig_set(r, "226.2.2.5", "5");
    rig_set(r, "226.2.2.6", "6");
    rig_pump(r);
    assert_int_equal(rig_table_counters(r).groups, 4);
    assert_int_equal(rig_switch_counters(r).groups, 4);
}

/* Copies are told as they are: to whoever is behind a port, or to one host. */
static void
restart_tells_whom_copies_are_for(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");
    struct ofp_bucket buckets[5];

    memset(buckets, 0, sizeof buckets);
    buckets[4].out_port = 8;
    buckets[4].rewrite.set = OFP_SET_TUNNEL;
    buckets[4].rewrite.tun_id = 100;
    buckets[4].rewrite.tun_dst = 0x0aff0002;
    buckets[0].out_port = 4;
    buckets[3].out_port = 9;
    buckets[3].rewrite.set = OFP_POP_VLAN;
    buckets[1].out_port = buckets[2].out_port = 3;
    for (int i = 1; i < 3; i++) {
        buckets[i].rewrite.set = OFP_SET_ETH_DST | OFP_SET_TTL;
        buckets[i].rewrite.ttl = 7;
        buckets[i].rewrite.eth_dst =
            (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t) i}};
    }
    rig_connect(r);
    assert_int_equal(ofp_table_set(r->table, &f, buckets, 5, 7, NULL), 0);
    rig_pump(r);
    rig_restart(r);
    r->on_adopted = on_adopted;
    rig_connect(r);
    rig_assert_log(r, "adopted:226.2.2.2:43(02:00:00:00:00:01)"
                      "3(02:00:00:00:00:02)9(pop)8(100>aff0002) ");
}

/* What stands behind the group in a flow does not hide it. */
static void
groups_before_metadata(void **state)
{
    struct rig *r = *state;
    const struct ofp_bucket bucket = {.out_port = 3};
    struct ofp_flow f = rig_channel("226.2.2.2");

    rig_connect(r);
    f.set_metadata = true;
    f.metadata = 1;
    assert_int_equal(ofp_table_set(r->table, &f, &bucket, 1, 7, NULL), 0);
    f.priority++;
    f.goto_table = 50;
    assert_int_equal(ofp_table_set(r->table, &f, &bucket, 1, 7, NULL), 0);
    rig_pump(r);
    rig_assert_flows(r, "table=40 cookie=0x4f464d4300000001 priority=200,ip,"
                        "vlan_tci=0x0000/0x1fff,nw_dst=226.2.2.2 idle=0 "
                        "actions=group:1291845632,write_metadata:0x1/0xff\n"
                        "table=40 cookie=0x4f464d4300000001 priority=201,ip,"
                        "vlan_tci=0x0000/0x1fff,nw_dst=226.2.2.2 idle=0 "
                        "actions=group:1291845633,write_metadata:0x1/0xff,"
                        "goto_table:50\n");
}

static void
check_port_flow(struct rig *r, const struct ofp_adopted *a)
{
    (void) r;
    assert_true(a->match_understood);
    assert_int_equal(a->match.fields, OFP_MATCH_IN_PORT | OFP_MATCH_ETH_SRC
                                          | OFP_MATCH_METADATA);
    assert_int_equal(a->match.in_port, 3);
    assert_int_equal(a->match.metadata, 1);
    assert_memory_equal(a->match.eth_src.b, "\x02\0\0\0\0\x05", 6);
    assert_false(a->has_group);
}

static struct ofp_flow
port_flow(void)
{
    return (struct ofp_flow){
        .table = 10,
        .priority = 9,
        .match = {.fields = OFP_MATCH_IN_PORT | OFP_MATCH_ETH_SRC
                            | OFP_MATCH_METADATA,
                  .in_port = 3,
                  .eth_src = {{2, 0, 0, 0, 0, 5}},
                  .metadata = 1},
        .cookie = OFP_COOKIE | 3,
        .output = OFP_OUT_PORT,
        .out_port = OFP_PORT_IN_PORT,
        .set_metadata = true,
        .metadata = 2,
        .goto_table = 20,
    };
}

static void
set_port_flow(struct rig *r)
{
    struct ofp_flow f = port_flow();

    assert_int_equal(ofp_table_set(r->table, &f, NULL, 0, 7, NULL), 0);
}

/* A flow with everything that flows of ports have comes back as it was: who
 * wants it again has nothing to send. */
static void
restart_adopts_flows_of_ports(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    set_port_flow(r);
    rig_pump(r);
    rig_assert_flows(r, "table=10 cookie=0x4f464d4300000003 "
                        "priority=9,metadata=0x1/0xff,in_port=3,"
                        "dl_src=02:00:00:00:00:05 idle=0 actions=IN_PORT,"
                        "write_metadata:0x2/0xff,goto_table:20\n");
    rig_restart(r);
    r->on_adopted = check_port_flow;
    r->on_synced = set_port_flow;
    rig_connect(r);
    assert_int_equal(r->n_adopted, 1);
    rig_assert_sent(r, "???");
}

/* Wanted before the switch is there: the ids on the switch are taken over. */
static void
restart_with_desired_state(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.3", "2");
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    rig_restart(r);
    rig_set(r, "226.2.2.2", "12"); /* In another order. */
    rig_set(r, "226.2.2.3", "2");
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_int_equal(r->settled, 2);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_sent(r, "GB");
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:2\n"
                         "group_id=1291845633 type=all bucket=output:1\n");
}

static void
nothing_is_deleted_before_synced(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_restart(r);
    r->session = NULL;
    r->on_synced = on_synced_set_two;
    rig_connect(r);
    assert_int_equal(rig_switch_counters(r).mods[FAKE_FLOW_DELETE_STRICT], 0);
    assert_int_equal(rig_switch_counters(r).mods[FAKE_GROUP_DELETE], 0);
}

/* A group of our range that no flow names is a leftover. */
static void
orphan_group_is_deleted(void **state)
{
    struct rig *r = *state;

    assert_true(fake_switch_ofctl(
        r->sw, "add-group", "group_id=1291845640,type=all,bucket=output:1"));
    rig_connect(r);
    rig_assert_groups(r, "");
    assert_int_equal(rig_table_counters(r).foreign_groups, 0);
}

/* Others' things. */

static void
foreign_things_stay(void **state)
{
    struct rig *r = *state;
    char *flows, *groups;

    assert_true(fake_switch_ofctl(r->sw, "add-flow",
                                  "table=40,priority=5,ip,actions=output:3"));
    assert_true(fake_switch_ofctl(r->sw, "add-group",
                                  "group_id=5,type=all,bucket=output:1"));
    flows = fake_switch_dump_flows(r->sw);
    groups = fake_switch_dump_groups(r->sw);
    rig_connect(r);
    assert_int_equal(rig_table_counters(r).foreign_flows, 1);
    assert_int_equal(rig_table_counters(r).foreign_groups, 1);
    assert_int_equal(r->n_adopted, 0);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_unset(r, "226.2.2.2");
    rig_pump(r);
    rig_advance(r, OFP_AUDIT_MS);
    rig_assert_flows(r, flows);
    rig_assert_groups(r, groups);
    free(flows);
    free(groups);
}

static void
foreign_flow_in_our_place(void **state)
{
    static const char text[] = "table=40,priority=200,ip,vlan_tci=0/0x1fff,"
                               "nw_dst=226.2.2.2,actions=output:3";
    struct rig *r = *state;

    assert_true(fake_switch_ofctl(r->sw, "add-flow", text));
    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_sent(r, "???");
    rig_assert_log(r, "rejected:7:a foreign flow has the same match and "
                      "priority ");
    assert_int_equal(r->settled, 1);
    rig_unset(r, "226.2.2.2");
    rig_pump(r);
    rig_assert_sent(r, "");
    assert_int_equal(rig_switch_counters(r).flows, 1);
    /* It goes away: ours gets the place at the next audit. */
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    assert_true(fake_switch_ofctl(r->sw, "del-flows", "table=40"));
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    assert_int_equal(rig_table_counters(r).foreign_flows, 0);
}

/* Drift. */

static void
audit_mends(void **state)
{
    struct rig *r = *state;
    char *flows, *groups;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "2");
    rig_set(r, "226.2.2.4", "3");
    rig_pump(r);
    flows = fake_switch_dump_flows(r->sw);
    groups = fake_switch_dump_groups(r->sw);
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(r->n_drifted, 0);
    r->types[0] = '\0';

    assert_true(fake_switch_ofctl(r->sw, "del-flows", "ip,nw_dst=226.2.2.2"));
    assert_true(fake_switch_ofctl(
        r->sw, "mod-group", "group_id=1291845633,type=all,bucket=output:7"));
    assert_true(fake_switch_ofctl(r->sw, "del-groups", "group_id=1291845634"));
    rig_advance(r, OFP_AUDIT_MS);
    rig_assert_sent(r, "???OAAAAC");
    assert_int_equal(r->n_drifted, 4); /* Two flows, two groups. */
    assert_int_equal(rig_table_counters(r).drift, 4);
    rig_assert_flows(r, flows);
    rig_assert_groups(r, groups);
    free(flows);
    free(groups);
}

/* What is kept of flows that lead to groups of their own is the same for all
 * of them; yet one that leads to another's group is noticed, by an audit and
 * by a new controller. */
static void
flow_that_names_the_group_of_another(void **state)
{
    struct rig *r = *state;
    char *flows;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "1");
    rig_pump(r);
    flows = fake_switch_dump_flows(r->sw);
    assert_true(fake_switch_ofctl(
        r->sw, "mod-flows", "ip,nw_dst=226.2.2.2,actions=group:1291845633"));
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(rig_table_counters(r).drift, 1);
    rig_assert_flows(r, flows);

    assert_true(fake_switch_ofctl(
        r->sw, "mod-flows", "ip,nw_dst=226.2.2.2,actions=group:1291845633"));
    rig_disconnect(r);
    rig_connect(r);
    rig_assert_flows(r, flows);
    free(flows);
}

static void
something_with_our_mark_is_removed(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    assert_true(fake_switch_ofctl(
        r->sw, "add-flow",
        "table=40,cookie=0x4f464d4300000009,tcp,actions=output:3"));
    rig_advance(r, OFP_AUDIT_MS);
    rig_assert_flows(r, "");
}

/* Changes during an audit are not mistaken for drift. */
static void
changes_during_an_audit(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "1");
    rig_set(r, "226.2.2.4", "1");
    rig_pump(r);
    r->now += OFP_AUDIT_MS;
    ofp_table_run(r->table, r->now);
    rig_to_switch(r); /* The old state is on its way to the table. */
    rig_set(r, "226.2.2.2", "12");
    rig_unset(r, "226.2.2.3");
    rig_set(r, "226.2.2.5", "1");
    ofp_table_run(r->table, r->now);
    rig_pump(r);
    assert_int_equal(r->n_drifted, 0);
    assert_int_equal(rig_table_counters(r).drift, 0);
    assert_int_equal(rig_switch_counters(r).flows, 3);
    assert_int_equal(rig_switch_counters(r).groups, 3);
    assert_int_equal(rig_table_counters(r).flows, 3);
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(r->n_drifted, 0);
}

/* What comes and goes while an audit runs is settled all the same. */
static void
nothing_stays_unsettled(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    r->now += OFP_AUDIT_MS;
    ofp_table_run(r->table, r->now); /* The audit begins. */
    rig_set(r, "226.2.2.3", "1");
    rig_unset(r, "226.2.2.3");
    rig_to_switch(r);
    rig_to_table(r);
    rig_pump(r);
    assert_int_equal(r->settled, ofp_table_seqno(r->table));
    assert_int_equal(rig_table_counters(r).pending, 0);
}

/* A change is enough to find out that a group is gone. */
static void
deleted_group_is_found_by_a_change(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    assert_true(fake_switch_ofctl(r->sw, "del-groups", ""));
    r->types[0] = '\0';
    rig_set(r, "226.2.2.2", "12");
    rig_pump(r);
    rig_assert_sent(r, "GBGFB");
    rig_assert_log(r, "");
    rig_assert_groups(
        r, "group_id=1291845632 type=all bucket=output:1 bucket=output:2\n");
    assert_int_equal(rig_switch_counters(r).flows, 1);
}

static void
group_that_we_did_not_know_of(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    assert_true(fake_switch_ofctl(
        r->sw, "add-group", "group_id=1291845632,type=all,bucket=output:9"));
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_assert_log(r, "");
    rig_assert_groups(r, "group_id=1291845632 type=all bucket=output:1\n");
    assert_int_equal(rig_state(r, "226.2.2.2"), OFP_ENTRY_APPLIED);
}

/* Temporary flows. */

static void
expired_flow_is_not_put_back(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");

    rig_connect(r);
    f.output = OFP_OUT_NONE;
    f.idle_timeout = 10;
    f.tell_removed = true;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).flows, 1);
    rig_advance(r, 11000);
    assert_int_equal(rig_switch_counters(r).flows, 0);
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(rig_switch_counters(r).flows, 0);
    assert_int_equal(r->n_drifted, 0);
    /* Wanted again, it comes again. */
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).flows, 1);
}

static void
deleted_flow_comes_back_at_once(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");
    struct ofp_bucket b = {.out_port = 3};

    rig_connect(r);
    f.tell_removed = true;
    ofp_table_set(r->table, &f, &b, 1, 0, NULL);
    rig_pump(r);
    assert_true(fake_switch_ofctl(r->sw, "del-groups", ""));
    assert_int_equal(rig_switch_counters(r).flows, 0);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).flows, 1);
    assert_int_equal(rig_switch_counters(r).groups, 1);
    assert_int_equal(r->n_drifted, 1);
}

/* It is told late, of one that has been made again since. */
static void
flow_that_came_back_is_not_gone(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");

    rig_connect(r);
    f.output = OFP_OUT_NONE;
    f.tell_removed = true;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    rig_advance(r, 1000);
    fake_switch_faults(r->sw)->removed_late_ms = 50;
    ofp_table_unset(r->table, f.table, f.priority, &f.match);
    rig_pump(r);
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    uint64_t mods = rig_switch_counters(r).n_mods;
    rig_advance(r, 100);
    assert_int_equal(rig_switch_counters(r).flow_removed, 1);
    assert_int_equal(r->n_drifted, 0);
    assert_int_equal(rig_switch_counters(r).n_mods, mods);

    /* And this is the one that is there. */
    assert_true(fake_switch_ofctl(r->sw, "del-flows", ""));
    rig_advance(r, 100);
    assert_int_equal(r->n_drifted, 1);
    assert_int_equal(rig_switch_counters(r).flows, 1);
}

/* One that tells is enough: the others are looked for, and long before the
 * next audit. */
static void
deleted_flow_calls_for_an_audit(void **state)
{
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.2.2.2");

    rig_connect(r);
    rig_set(r, "226.2.2.3", "1");
    f.output = OFP_OUT_NONE;
    f.tell_removed = true;
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    assert_true(fake_switch_ofctl(r->sw, "del-flows", ""));
    rig_pump(r);
    rig_advance(r, OFP_AUDIT_SOON_MS);
    assert_int_equal(rig_switch_counters(r).flows, 2);
}

/* A group takes its flow along, which does not tell: what was put back while
 * somebody was still deleting is looked for again. */
static void
drift_calls_for_another_audit(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    assert_true(fake_switch_ofctl(r->sw, "del-flows", ""));
    rig_advance(r, OFP_AUDIT_MS);
    assert_int_equal(rig_switch_counters(r).flows, 1);
    assert_true(fake_switch_ofctl(r->sw, "del-groups", ""));
    assert_int_equal(rig_switch_counters(r).flows, 0);
    rig_advance(r, OFP_AUDIT_SOON_MS);
    assert_int_equal(rig_switch_counters(r).flows, 1);
    rig_advance(r, OFP_AUDIT_SOON_MS);
    r->types[0] = '\0';
    rig_advance(r, OFP_AUDIT_SOON_MS);
    rig_assert_sent(r, ""); /* All is well: no more of them. */
}

/* The user's. */

static uint32_t
no_ports(void *aux, const char *name)
{
    (void) aux;
    (void) name;
    return 0;
}

static struct ofp_static *
parse(enum ofp_static_kind kind, const char *text)
{
    char *error;
    struct ofp_static *s =
        ofp_static_parse(kind, text, no_ports, NULL, NULL, &error);

    assert_null(error);
    return s;
}

static void
users_flow_and_group(void **state)
{
    struct rig *r = *state;
    struct ofp_static *g =
        parse(OFP_STATIC_GROUP, "group_id=5,type=all,bucket=output:2");
    struct ofp_static *f = parse(OFP_STATIC_FLOW, "ip,actions=group:5");
    struct ofp_entry_view v;

    rig_connect(r);
    ofp_table_set_static(r->table, f, false, 1, NULL);
    ofp_table_set_static(r->table, g, false, 2, NULL);
    rig_pump(r);
    rig_assert_sent(r, "???GFB");
    assert_true(ofp_table_lookup_static(r->table, f, &v));
    assert_int_equal(v.state, OFP_ENTRY_APPLIED);
    assert_int_equal(v.owner, 1);
    assert_true(ofp_table_lookup_static(r->table, g, &v));
    assert_int_equal(v.group_id, 5);
    rig_disconnect(r);
    rig_connect(r);
    rig_assert_sent(r, "???");
    ofp_table_unset_static(r->table, g);
    ofp_table_unset_static(r->table, f);
    rig_pump(r);
    rig_assert_sent(r, "fgB");
    assert_false(ofp_table_lookup_static(r->table, f, &v));
    ofp_static_destroy(f);
    ofp_static_destroy(g);
}

/* A group found on the switch is ours only if the caller says so. */
static void
users_group_after_a_restart(void **state)
{
    static const char text[] = "group_id=5,type=all,bucket=output:2";
    struct rig *r = *state;
    struct ofp_static *g = parse(OFP_STATIC_GROUP, text);
    struct ofp_entry_view v;

    assert_true(fake_switch_ofctl(r->sw, "add-group", text));
    ofp_table_set_static(r->table, g, false, 2, NULL);
    rig_connect(r);
    rig_assert_log(r, "rejected:2:OFPGMFC_GROUP_EXISTS ");
    assert_int_equal(rig_table_counters(r).foreign_groups, 1);
    ofp_table_unset_static(r->table, g);
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).groups, 1);

    rig_restart(r);
    ofp_table_set_static(r->table, g, true, 2, NULL);
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_true(ofp_table_lookup_static(r->table, g, &v));
    assert_int_equal(v.state, OFP_ENTRY_APPLIED);

    /* Deleted while the switch was away, by a controller that restarted. */
    rig_restart(r);
    ofp_table_set_static(r->table, g, true, 2, NULL);
    ofp_table_unset_static(r->table, g);
    rig_connect(r);
    assert_int_equal(rig_switch_counters(r).groups, 0);
    ofp_static_destroy(g);
}

static void
users_flow_to_a_missing_group(void **state)
{
    struct rig *r = *state;
    struct ofp_static *f = parse(OFP_STATIC_FLOW, "ip,actions=group:5");

    rig_connect(r);
    ofp_table_set_static(r->table, f, false, 9, NULL);
    rig_pump(r);
    rig_assert_log(r, "rejected:9:OFPBAC_BAD_OUT_GROUP ");
    ofp_static_destroy(f);
}

/* Meters. */

static void
meters(void **state)
{
    struct rig *r = *state;

    ofp_table_set_meter(r->table, 1, 1000, 100);
    rig_connect(r);
    rig_assert_sent(r, "???MB");
    ofp_table_set_meter(r->table, 1, 1000, 100);
    rig_pump(r);
    rig_assert_sent(r, "");
    ofp_table_set_meter(r->table, 1, 2000, 100);
    rig_pump(r);
    rig_assert_sent(r, "MB");
    rig_restart(r);
    ofp_table_set_meter(r->table, 1, 2000, 100);
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_int_equal(rig_table_counters(r).meters, 1);
}

/* Callbacks may do as they please. */

static void
unset_all_and_set_others(struct rig *r, ofp_owner owner)
{
    (void) owner;
    rig_unset(r, "226.2.2.2");
    rig_unset(r, "226.2.2.3");
    rig_set(r, "226.2.2.4", "5");
}

static void
changes_from_within_rejected(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    r->on_rejected = unset_all_and_set_others;
    r->refuse_kind = FAKE_FLOW_ADD;
    r->refuse_error = "OFPFMFC_TABLE_FULL";
    r->refuse_times = 3;
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "1");
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).flows, 1);
    assert_int_equal(rig_switch_counters(r).groups, 1);
    assert_int_equal(rig_state(r, "226.2.2.4"), OFP_ENTRY_APPLIED);
}

static void
unset_what_is_adopted(struct rig *r, const struct ofp_adopted *a)
{
    ofp_table_unset(r->table, a->table, a->priority, &a->match);
    rig_set(r, "226.9.9.9", "1");
    rig_unset(r, "226.9.9.9");
}

static void
changes_from_within_adopted(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    rig_set(r, "226.2.2.2", "1");
    rig_set(r, "226.2.2.3", "1");
    rig_pump(r);
    rig_disconnect(r);
    r->on_adopted = unset_what_is_adopted;
    rig_connect(r);
    rig_assert_flows(r, "");
    rig_assert_groups(r, "");
    assert_int_equal(rig_table_counters(r).pending, 0);
}

/* Counters of streams. */

static void
poll_reads_counters(void **state)
{
    static const uint8_t frame[64] = {1, 0, 0x5e, 2, 2, 2, 2,   0,
                                      0, 0, 0,    1, 8, 0, 0x45};
    struct rig *r = *state;
    struct ofp_flow f = {.table = 0,
                         .priority = 1,
                         .cookie = OFP_COOKIE | 2,
                         .output = OFP_OUT_NORMAL};
    struct ofp_entry_view v;

    rig_connect(r);
    ofp_table_set(r->table, &f, NULL, 0, 0, NULL);
    rig_pump(r);
    fake_switch_packet(r->sw, 1, frame, sizeof frame, NULL, NULL);
    fake_switch_packet(r->sw, 1, frame, sizeof frame, NULL, NULL);
    r->now += 5;
    ofp_table_poll(r->table, r->now);
    ofp_table_poll(r->table, r->now);
    r->types[0] = '\0';
    rig_pump(r);
    assert_int_equal(r->n_counted, 1);
    assert_true(ofp_table_lookup(r->table, 0, 1, &f.match, &v));
    assert_int_equal(v.packets, 2);
    assert_int_equal(v.bytes, 128);
    assert_int_equal(v.counted, r->now);
}

/* A switch that does not answer. */

static void
no_barrier_reply(void **state)
{
    struct rig *r = *state;

    rig_connect(r);
    fake_switch_faults(r->sw)->drop_barriers = true;
    rig_set(r, "226.2.2.2", "1");
    rig_pump(r);
    rig_advance(r, 29999);
    assert_string_equal(r->failed, "");
    rig_advance(r, 1);
    assert_string_equal(r->failed, "the switch does not answer a barrier");
}

static void
no_read_back(void **state)
{
    struct rig *r = *state;

    r->session = NULL;
    rig_connect(r);
    r->now += OFP_AUDIT_MS;
    fake_switch_faults(r->sw)->mute = true;
    rig_pump(r);
    rig_advance(r, 30000);
    assert_string_equal(r->failed,
                        "the switch does not finish telling what it holds");
}

/* Many. */

static void
very_many(void **state)
{
    enum { N = 20000 };
    struct rig *r = *state;
    struct ofp_flow f = rig_channel("226.0.0.0");
    struct ofp_bucket b[2] = {{.out_port = 1}, {.out_port = 2}};

    for (uint32_t i = 0; i < N; i++) {
        f.match.ip_dst.addr = ip_addr_v4(0xe2000000 + i);
        ofp_table_set(r->table, &f, b, 2, 0, NULL);
    }
    rig_connect(r);
    assert_int_equal(rig_switch_counters(r).flows, N);
    assert_int_equal(r->settled, N);
    rig_restart(r);
    for (uint32_t i = N; i-- > 0;) {
        f.match.ip_dst.addr = ip_addr_v4(0xe2000000 + i);
        ofp_table_set(r->table, &f, b, 2, 0, NULL);
    }
    rig_connect(r);
    rig_assert_sent(r, "???");
    assert_int_equal(r->n_adopted, N);
    /* (Each delete costs the fake switch a search.) */
    for (uint32_t i = 0; i < 100; i++) {
        f.match.ip_dst.addr = ip_addr_v4(0xe2000000 + i);
        ofp_table_unset(r->table, 40, 200, &f.match);
    }
    rig_pump(r);
    assert_int_equal(rig_switch_counters(r).flows, N - 100);
    assert_int_equal(rig_switch_counters(r).groups, N - 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(reconnect_sends_the_difference),
        RIG_TEST(connection_lost_in_flight),
        RIG_TEST(wiped_switch_gets_everything_back),
        RIG_TEST(restart_adopts),
        RIG_TEST(restart_tells_whom_copies_are_for),
        RIG_TEST(groups_before_metadata),
        RIG_TEST(restart_adopts_flows_of_ports),
        RIG_TEST(restart_with_desired_state),
        RIG_TEST(nothing_is_deleted_before_synced),
        RIG_TEST(orphan_group_is_deleted),
        RIG_TEST(foreign_things_stay),
        RIG_TEST(foreign_flow_in_our_place),
        RIG_TEST(audit_mends),
        RIG_TEST(flow_that_names_the_group_of_another),
        RIG_TEST(something_with_our_mark_is_removed),
        RIG_TEST(changes_during_an_audit),
        RIG_TEST(nothing_stays_unsettled),
        RIG_TEST(deleted_group_is_found_by_a_change),
        RIG_TEST(group_that_we_did_not_know_of),
        RIG_TEST(expired_flow_is_not_put_back),
        RIG_TEST(deleted_flow_comes_back_at_once),
        RIG_TEST(flow_that_came_back_is_not_gone),
        RIG_TEST(deleted_flow_calls_for_an_audit),
        RIG_TEST(drift_calls_for_another_audit),
        RIG_TEST(users_flow_and_group),
        RIG_TEST(users_group_after_a_restart),
        RIG_TEST(users_flow_to_a_missing_group),
        RIG_TEST(meters),
        RIG_TEST(changes_from_within_rejected),
        RIG_TEST(changes_from_within_adopted),
        RIG_TEST(poll_reads_counters),
        RIG_TEST(no_barrier_reply),
        RIG_TEST(no_read_back),
        RIG_TEST(very_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
