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

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-packet.h>
#include <openvswitch/ofp-port.h>
#include <openvswitch/ofp-switch.h>
#include <openvswitch/ofp-util.h>

#include "tests/sim/rig.h"

/* Frames. */

static void
copies_and_rewrites(void **state)
{
    struct rig *r = *state;

    rig_add_group(r, "group_id=7,type=all,"
                     "bucket=set_field:10.1.0.10->ip_src,set_field:239.1.1.1->"
                     "ip_dst,set_field:01:00:5e:01:01:01->eth_dst,"
                     "set_field:6001->udp_dst,mod_nw_ttl:16,output:2,"
                     "bucket=output:3,bucket=output:1");
    rig_add_flow(r, "table=0,priority=1,actions=goto_table:40");
    rig_add_flow(r, "table=40,udp,nw_dst=226.2.2.2,actions=group:7");
    rig_inject(r, 1, 0, 0);
    rig_expect_ports(r, "2 3"); /* Never back where it came from. */
    assert_memory_equal(r->frames[0].bytes, "\x01\x00\x5e\x01\x01\x01", 6);
    assert_int_equal(r->frames[0].bytes[14 + 8], 16);
    assert_memory_equal(r->frames[0].bytes + 14 + 12,
                        "\x0a\x01\x00\x0a\xef\x01\x01\x01", 8);
    assert_memory_equal(r->frames[0].bytes + 34 + 2, "\x17\x71", 2);
    assert_memory_equal(r->frames[1].bytes + 14 + 12, "\xc0\xa8\xa8\x37", 4);
    rig_expect_sums(r, 0);
    rig_expect_sums(r, 1);
    fake_switch_set_port(r->sw, 3, false);
    rig_inject(r, 1, 0, 0);
    rig_expect_ports(r, "2");
}

/* One prefix in the place of another, as routes do it. */
static void
rewrites_parts_of_addresses(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=0,udp,nw_dst=226.2.2.0/24,actions="
                    "load:0x01005e0102->NXM_OF_ETH_DST[8..47],"
                    "move:NXM_OF_IP_DST[0..7]->NXM_OF_ETH_DST[0..7],"
                    "load:0x0a0100->NXM_OF_IP_SRC[8..31],"
                    "load:0xef0102->NXM_OF_IP_DST[8..31],output:2");
    rig_inject(r, 1, 0, 0);
    rig_expect_ports(r, "2");
    assert_memory_equal(r->frames[0].bytes, "\x01\x00\x5e\x01\x02\x02", 6);
    assert_memory_equal(r->frames[0].bytes + 14 + 12,
                        "\x0a\x01\x00\x37\xef\x01\x02\x02", 8);
    rig_expect_sums(r, 0);
}

static void
matches_and_changes_tags(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=0,dl_vlan=10,actions=output:2,pop_vlan,output:3,"
                    "push_vlan:0x8100,set_field:0x1014->vlan_vid,output:4");
    rig_add_flow(r, "table=0,priority=1,vlan_tci=0,actions=output:4");
    rig_inject(r, 1, 10, 0);
    rig_expect_ports(r, "2 3 4");
    assert_memory_equal(r->frames[0].bytes + 12, "\x81\x00\x00\x0a", 4);
    assert_memory_equal(r->frames[1].bytes + 12, "\x08\x00", 2);
    assert_memory_equal(r->frames[2].bytes + 12, "\x81\x00\x00\x14", 4);
    rig_inject(r, 1, 11, 0);
    rig_expect_ports(r, "");
    rig_inject(r, 1, 0, 0);
    rig_expect_ports(r, "4");
}

static void
punts_with_where_and_why(void **state)
{
    struct rig *r = *state;
    struct ofputil_packet_in pin;
    size_t total;
    uint32_t buffer_id;

    rig_add_flow(r, "table=0,priority=1,actions=goto_table:20");
    rig_add_flow(r, "table=20,cookie=0x77,udp,actions=controller,output:2");
    rig_inject(r, 3, 0, 0);
    rig_expect_ports(r, "ctl 2");

    const struct ofp_header *oh = rig_next_reply(r, OFPTYPE_PACKET_IN);

    assert_int_equal(ofputil_decode_packet_in(oh, true, NULL, NULL, &pin,
                                              &total, &buffer_id, NULL),
                     0);
    assert_int_equal(pin.table_id, 20);
    assert_int_equal(be64toh((OVS_FORCE uint64_t) pin.cookie), 0x77);
    assert_true(pin.flow_metadata.flow.in_port.ofp_port == OFP_PORT_C(3));
    assert_int_equal(pin.packet_len, r->frames[0].size);
    assert_memory_equal(pin.packet, r->frames[0].bytes, pin.packet_len);
}

static void
treats_fragments_as_told(void **state)
{
    struct rig *r = *state;
    struct ofputil_switch_config config = {.frag = OFPUTIL_FRAG_NX_MATCH,
                                           .miss_send_len = 0xffff};
    struct fake_switch_counters counters;

    rig_add_flow(r, "table=0,priority=9,ip,ip_frag=later,actions=output:4");
    rig_add_flow(r, "table=0,priority=5,udp,udp_dst=5004,actions=output:2");
    rig_add_flow(r, "table=0,priority=1,ip,actions="
                    "set_field:10.1.0.10->ip_src,output:3");
    rig_inject(r, 1, 0, 0x2000); /* First of many: no ports in this mode. */
    rig_expect_ports(r, "3");
    rig_send_msg(r, ofputil_encode_set_config(&config, OFP13_VERSION));
    rig_inject(r, 1, 0, 0x2000);
    rig_expect_ports(r, "2");
    rig_inject(r, 1, 0, 100);
    rig_expect_ports(r, "4");
    rig_send_msg(r, rig_flow_mod(OFPFC_DELETE, "ip,ip_frag=later"));
    rig_inject(r, 1, 0, 100);
    fake_switch_counters(r->sw, &counters);
    assert_int_equal(counters.damaged, 0); /* Its "checksum" is zero. */
}

static void
packet_out(struct rig *r, ofp_port_t in_port, const ofp_port_t *ports,
           size_t n)
{
    uint8_t frame[256];
    struct ofputil_packet_out po = {
        .packet = frame,
        .packet_len = rig_make_frame(frame, 0, 0),
        .buffer_id = UINT32_MAX,
    };
    struct ofpbuf ofpacts;

    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, in_port);
    ofpbuf_init(&ofpacts, 0);
    for (size_t i = 0; i < n; i++) {
        ofpact_put_OUTPUT(&ofpacts)->port = ports[i];
    }
    po.ofpacts = ofpacts.data;
    po.ofpacts_len = ofpacts.size;
    r->n_frames = 0;
    rig_send_msg(r, ofputil_encode_packet_out(&po, OFPUTIL_P_OF13_OXM));
    ofpbuf_uninit(&ofpacts);
}

static void
packet_outs_leave(void **state)
{
    struct rig *r = *state;

    packet_out(r, OFPP_CONTROLLER, &(ofp_port_t){OFPP_FLOOD}, 1);
    rig_expect_ports(r, "1 2 3 4");
    rig_expect_nothing(r);
    packet_out(r, OFP_PORT_C(3),
               (ofp_port_t[]){OFP_PORT_C(4), OFP_PORT_C(3), OFP_PORT_C(1)}, 3);
    rig_expect_ports(r, "4 1");
    packet_out(r, OFPP_CONTROLLER, &(ofp_port_t){OFPP_IN_PORT}, 1);
    rig_expect_ports(r, "");
}

/* Through the tables, as if it had come in by that port. */
static void
packet_outs_take_the_tables(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=0,in_port=3,actions=output:1,output:3,in_port");
    rig_add_flow(r, "table=0,in_port=controller,actions=output:3");
    packet_out(r, OFP_PORT_C(3), &(ofp_port_t){OFPP_TABLE}, 1);
    rig_expect_ports(r, "1 3");
    packet_out(r, OFPP_CONTROLLER,
               (ofp_port_t[]){OFP_PORT_C(2), OFPP_TABLE, OFP_PORT_C(4)}, 3);
    rig_expect_ports(r, "2 3 4");
}

/* What a table wrote the next ones match on, and it starts as 0. */
static void
metadata_tells_where_from(void **state)
{
    struct rig *r = *state;

    rig_add_flow(r, "table=0,in_port=1,metadata=0/0xff,"
                    "actions=write_metadata:0x1/0xff,goto_table:20");
    rig_add_flow(r, "table=0,in_port=2,actions=push_vlan:0x8100,"
                    "set_field:4106->vlan_vid,"
                    "write_metadata:0x302/0x3ff,goto_table:20");
    rig_add_flow(r, "table=0,priority=1,actions=goto_table:20");
    rig_add_flow(r, "table=20,metadata=0x1/0xff,actions=output:3");
    rig_add_flow(r, "table=20,dl_vlan=10,metadata=0x2/0xff,"
                    "dl_src=00:00:00:00:00:01,actions=in_port,output:2,"
                    "write_metadata:0x1/0x1,goto_table:21");
    rig_add_flow(r, "table=20,metadata=0/0xff,actions=output:4");
    rig_add_flow(
        r, "table=21,metadata=0x303,dl_vlan=10,actions=pop_vlan,output:1");
    rig_add_flow(r, "table=21,priority=1,actions=output:4");
    rig_inject(r, 1, 0, 0);
    rig_expect_ports(r, "3");
    rig_inject(r, 3, 0, 0);
    rig_expect_ports(r, "4");
    rig_inject(r, 2, 0, 0);
    rig_expect_ports(r, "2 1");
    assert_memory_equal(r->frames[0].bytes + 12, "\x81\x00\x00\x0a", 4);
    assert_memory_equal(r->frames[1].bytes + 12, "\x08\x00", 2);
}

int
main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(copies_and_rewrites),         T(rewrites_parts_of_addresses),
        T(matches_and_changes_tags),    T(punts_with_where_and_why),
        T(treats_fragments_as_told),    T(packet_outs_leave),
        T(packet_outs_take_the_tables), T(metadata_tells_where_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
