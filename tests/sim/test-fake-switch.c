/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-switch.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openvswitch/ofp-port.h>
#include <openvswitch/ofp-switch.h>

#include "tests/sim/rig.h"

/* Handshake and other questions. */

static void
answers_the_handshake(void **state)
{
    struct rig *r = *state;
    struct ofputil_switch_features features;

    fake_switch_connect(r->sw);
    assert_non_null(rig_next_reply(r, OFPTYPE_HELLO));
    rig_send_msg(r,
                 ofpraw_alloc(OFPRAW_OFPT_FEATURES_REQUEST, OFP13_VERSION, 0));

    const struct ofp_header *oh = rig_next_reply(r, OFPTYPE_FEATURES_REPLY);
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));

    assert_int_equal(ofputil_pull_switch_features(&b, &features), 0);
    assert_int_equal(features.datapath_id, 0x1234);

    rig_send_msg(
        r, ofputil_encode_port_desc_stats_request(OFP13_VERSION, OFPP_ANY));
    assert_non_null(rig_next_reply(r, OFPTYPE_PORT_DESC_STATS_REPLY));
    rig_send_msg(r, ofpraw_alloc(OFPRAW_OFPST_DESC_REQUEST, OFP13_VERSION, 0));
    assert_non_null(rig_next_reply(r, OFPTYPE_DESC_STATS_REPLY));
    rig_send_msg(r, ofpraw_alloc(OFPRAW_OFPT_ECHO_REQUEST, OFP13_VERSION, 0));
    assert_non_null(rig_next_reply(r, OFPTYPE_ECHO_REPLY));
    rig_send_msg(
        r, ofpraw_alloc(OFPRAW_OFPT11_BARRIER_REQUEST, OFP13_VERSION, 0));
    assert_non_null(rig_next_reply(r, OFPTYPE_BARRIER_REPLY));
    rig_expect_nothing(r);
}

static void
frames_any_cut_of_the_stream(void **state)
{
    struct rig *r = *state;
    struct ofpbuf *all = ofpbuf_new(0);

    for (int i = 0; i < 3; i++) {
        struct ofpbuf *msg =
            ofpraw_alloc(OFPRAW_OFPT_ECHO_REQUEST, OFP13_VERSION, 0);

        ofpbuf_put(msg, "hello", 5);
        ofpmsg_update_length(msg);
        ofpbuf_put(all, msg->data, msg->size);
        ofpbuf_delete(msg);
    }
    for (size_t i = 0; i < all->size; i++) {
        fake_switch_input(r->sw, (uint8_t *) all->data + i, 1);
    }
    for (int i = 0; i < 3; i++) {
        assert_non_null(rig_next_reply(r, OFPTYPE_ECHO_REPLY));
    }
    rig_expect_nothing(r);
    ofpbuf_delete(all);
}

/* Tables. */

static void
refuses_what_ovs_refuses(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=40,ip,nw_dst=226.2.2.2,actions=group:7");
    rig_expect_error(r, OFPERR_OFPBAC_BAD_OUT_GROUP);
    rig_add_flow(r, "table=40,actions=meter:3,output:1");
    rig_expect_error(r, OFPERR_OFPMMFC_INVALID_METER);
    rig_send_msg(r, rig_group_mod(OFPGC11_MODIFY, "group_id=7,type=all"));
    rig_expect_error(r, OFPERR_OFPGMFC_UNKNOWN_GROUP);
    rig_add_group(r, "group_id=7,type=all,bucket=output:1");
    rig_expect_nothing(r);
    rig_add_group(r, "group_id=7,type=all,bucket=output:2");
    rig_expect_error(r, OFPERR_OFPGMFC_GROUP_EXISTS);
    rig_send_msg(r, rig_bad_group_mod());
    rig_expect_error(r, OFPERR_OFPGMFC_INVALID_GROUP);
    rig_send_msg(r, rig_group_mod(OFPGC11_DELETE, "group_id=9"));
    rig_expect_nothing(r);
    rig_expect_groups(r, "group_id=7 type=all bucket=output:1\n");
}

static void
changes_flows_as_told(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=1,cookie=0x11,priority=5,ip,actions=output:1");
    rig_add_flow(r, "table=1,cookie=0x12,priority=5,ip,nw_dst=226.2.2.2,"
                    "actions=output:1");
    rig_add_flow(r, "table=2,cookie=0x21,priority=5,ip,actions=output:2");
    rig_send_msg(r, rig_flow_mod(OFPFC_MODIFY, "table=1,ip,actions=output:3"));
    rig_expect_flows(
        r, "table=1 cookie=0x11 priority=5,ip idle=0 actions=output:3\n"
           "table=1 cookie=0x12 priority=5,ip,nw_dst=226.2.2.2 idle=0 "
           "actions=output:3\n"
           "table=2 cookie=0x21 priority=5,ip idle=0 actions=output:2\n");

    rig_send_msg(r, rig_flow_mod(OFPFC_DELETE, "cookie=0x11/0xff"));
    rig_send_msg(r, rig_flow_mod(OFPFC_DELETE, "table=1,out_port=4"));
    rig_send_msg(r,
                 rig_flow_mod(OFPFC_DELETE_STRICT, "table=2,priority=6,ip"));
    rig_expect_flows(
        r, "table=1 cookie=0x12 priority=5,ip,nw_dst=226.2.2.2 idle=0 "
           "actions=output:3\n"
           "table=2 cookie=0x21 priority=5,ip idle=0 actions=output:2\n");
    rig_send_msg(r,
                 rig_flow_mod(OFPFC_DELETE_STRICT, "table=2,priority=5,ip"));
    rig_send_msg(r, rig_flow_mod(OFPFC_DELETE, "ip,out_port=3"));
    rig_expect_flows(r, "");
    rig_expect_nothing(r);
}

static void
deletes_the_flows_of_a_deleted_group(void **state)
{
    struct rig *r = *state;
    struct fake_switch_counters counters;

    rig_add_group(r, "group_id=7,type=all,bucket=output:1");
    rig_add_flow(r, "table=40,priority=1,send_flow_rem,actions=group:7");
    rig_add_flow(r, "table=40,priority=2,actions=output:1");
    rig_send_msg(r, rig_group_mod(OFPGC11_DELETE, "group_id=7"));
    assert_non_null(rig_next_reply(r, OFPTYPE_FLOW_REMOVED));
    rig_expect_nothing(r);
    rig_expect_flows(
        r, "table=40 cookie=0 priority=2, idle=0 actions=output:1\n");
    fake_switch_counters(r->sw, &counters);
    assert_int_equal(counters.cascaded, 1);
}

static void
forgets_idle_flows(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=0,idle_timeout=3,send_flow_rem,actions=output:2");
    fake_switch_run(r->sw, 2000);
    rig_inject(r, 1, 0, 0);
    fake_switch_run(r->sw, 4999);
    rig_expect_nothing(r);
    fake_switch_run(r->sw, 5000);
    assert_non_null(rig_next_reply(r, OFPTYPE_FLOW_REMOVED));
    rig_expect_flows(r, "");
}

static void
fails_when_asked_to(void **state)
{
    struct rig *r = *state;

    r->refuse = "OFPFMFC_EPERM";
    r->refuse_at = 1;
    rig_add_flow(r, "table=0,priority=1,actions=output:1");
    rig_add_flow(r, "table=0,priority=2,actions=output:1");
    rig_expect_error(r, OFPERR_OFPFMFC_EPERM);
    fake_switch_faults(r->sw)->max_flows = 1;
    rig_add_flow(r, "table=0,priority=2,actions=output:1");
    rig_expect_error(r, OFPERR_OFPFMFC_TABLE_FULL);
    rig_add_flow(r, "table=0,priority=1,actions=output:2");
    rig_expect_nothing(r);
    fake_switch_faults(r->sw)->max_groups = 1;
    rig_add_group(r, "group_id=1,type=all");
    rig_add_group(r, "group_id=2,type=all");
    rig_expect_error(r, OFPERR_OFPGMFC_OUT_OF_GROUPS);
    rig_expect_flows(r,
                     "table=0 cookie=0 priority=1, idle=0 actions=output:2\n");
}

/* Bundles. */

static void
bundle_control(struct rig *r, uint16_t type)
{
    struct ofputil_bundle_ctrl_msg ctrl = {
        .bundle_id = 1, .type = type, .flags = OFPBF_ORDERED};

    rig_send_msg(r, ofputil_encode_bundle_ctrl_request(OFP13_VERSION, &ctrl));
}

static void
bundle_add(struct rig *r, struct ofpbuf *msg)
{
    struct ofputil_bundle_add_msg add = {
        .bundle_id = 1, .flags = OFPBF_ORDERED, .msg = msg->data};

    rig_send_msg(r, ofputil_encode_bundle_add(OFP13_VERSION, &add));
    ofpbuf_delete(msg);
}

static void
commits_a_bundle_at_once(void **state)
{
    struct rig *r = *state;

    bundle_control(r, OFPBCT_OPEN_REQUEST);
    assert_non_null(rig_next_reply(r, OFPTYPE_BUNDLE_CONTROL));
    bundle_add(r, rig_group_mod(OFPGC11_ADD, "group_id=7,type=all"));
    bundle_add(r, rig_flow_mod(OFPFC_ADD, "table=40,actions=group:7"));
    rig_expect_nothing(r);
    rig_expect_flows(r, "");
    assert_int_equal(r->n_changed, 0);
    bundle_control(r, OFPBCT_COMMIT_REQUEST);
    assert_non_null(rig_next_reply(r, OFPTYPE_BUNDLE_CONTROL));
    assert_int_equal(r->n_changed, 1);
    rig_expect_flows(
        r, "table=40 cookie=0 priority=32768, idle=0 actions=group:7\n");
}

static void
reverts_a_bundle_that_fails(void **state)
{
    struct rig *r = *state;

    rig_add_group(r, "group_id=5,type=all,bucket=output:1");
    rig_add_flow(r, "table=40,priority=3,actions=group:5");
    bundle_add(r, rig_group_mod(OFPGC11_MODIFY, "group_id=5,type=all"));
    bundle_add(r, rig_flow_mod(OFPFC_ADD, "table=40,priority=3,actions=drop"));
    bundle_add(r, rig_flow_mod(OFPFC_DELETE, "table=40"));
    bundle_add(r, rig_group_mod(OFPGC11_DELETE, "group_id=5"));
    bundle_add(r, rig_flow_mod(OFPFC_ADD, "table=40,actions=group:7"));
    bundle_control(r, OFPBCT_COMMIT_REQUEST);
    rig_expect_error(r, OFPERR_OFPBAC_BAD_OUT_GROUP);
    rig_expect_error(r, OFPERR_OFPBFC_MSG_FAILED);
    rig_expect_nothing(r);
    rig_expect_flows(r,
                     "table=40 cookie=0 priority=3, idle=0 actions=group:5\n");
    rig_expect_groups(r, "group_id=5 type=all bucket=output:1\n");
}

static void
keeps_a_bundle_without_the_undecodable(void **state)
{
    struct rig *r = *state;

    bundle_control(r, OFPBCT_OPEN_REQUEST);
    assert_non_null(rig_next_reply(r, OFPTYPE_BUNDLE_CONTROL));
    bundle_add(r, rig_flow_mod(OFPFC_ADD, "table=40,actions=output:1"));
    bundle_add(r, rig_bad_group_mod());
    rig_expect_error(r, OFPERR_OFPGMFC_INVALID_GROUP);
    bundle_control(r, OFPBCT_COMMIT_REQUEST);
    assert_non_null(rig_next_reply(r, OFPTYPE_BUNDLE_CONTROL));
    rig_expect_flows(
        r, "table=40 cookie=0 priority=32768, idle=0 actions=output:1\n");
    bundle_control(r, OFPBCT_COMMIT_REQUEST);
    rig_expect_error(r, OFPERR_OFPBFC_BAD_ID);
}

static void
knows_no_bundles_when_told_so(void **state)
{
    struct rig *r = *state;

    fake_switch_faults(r->sw)->no_bundles = true;
    bundle_control(r, OFPBCT_OPEN_REQUEST);
    rig_expect_error(r, OFPERR_OFPBRC_BAD_VENDOR);
}

static void
tells_of_ports(void **state)
{
    struct rig *r = *state;

    fake_switch_add_port(r->sw, 9, "new");
    fake_switch_set_port(r->sw, 9, false);
    fake_switch_remove_port(r->sw, 9);
    for (int i = 0; i < 3; i++) {
        assert_non_null(rig_next_reply(r, OFPTYPE_PORT_STATUS));
    }
    rig_expect_nothing(r);
}

int
main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(answers_the_handshake),
        T(frames_any_cut_of_the_stream),
        T(refuses_what_ovs_refuses),
        T(changes_flows_as_told),
        T(deletes_the_flows_of_a_deleted_group),
        T(forgets_idle_flows),
        T(fails_when_asked_to),
        T(commits_a_bundle_at_once),
        T(reverts_a_bundle_that_fails),
        T(keeps_a_bundle_without_the_undecodable),
        T(knows_no_bundles_when_told_so),
        T(tells_of_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
