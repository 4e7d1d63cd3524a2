/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openflow/openflow.h>
#include <openvswitch/ofp-print.h>
#include <openvswitch/vlog.h>

#include "ofp/ofp-canon.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

static uint8_t message[OF13_MAX_MESSAGE + 1];

/* What ovs-ofctl would print for the message. */
static void
assert_text(const struct wire_writer *w, const char *expected)
{
    assert_false(w->failed);

    char *text = ofp_to_string(w->data, w->at, NULL, NULL, 1);

    for (char *p = text; (p = strchr(p, '\n')) != NULL;) {
        memmove(p, p + 1, strlen(p));
    }
    if (strcmp(text, expected)) {
        print_error("got      %s\nexpected %s\n", text, expected);
    }
    assert_string_equal(text, expected);
    free(text);
}

/* The library gives the message back as it is. */
static void
assert_canonical(const struct wire_writer *w)
{
    const char *error = "";
    uint8_t *out;
    size_t size;

    assert_false(w->failed);
    assert_int_equal(ofp_msg_size(w->data), w->at);
    out = ofp_msg_type(w->data) == OF13_FLOW_MOD
              ? ofp_canon_flow(w->data, w->at, &size, &error)
              : ofp_canon_group(w->data, w->at, &size, &error);
    if (!out) {
        char *text = ofp_to_string(w->data, w->at, NULL, NULL, 1);

        fail_msg("libopenvswitch refuses our message: %s\n%s", error, text);
    }
    if (size != w->at || memcmp(out, w->data, size)) {
        char *a = ofp_to_string(w->data, w->at, NULL, NULL, 1);
        char *b = ofp_to_string(out, size, NULL, NULL, 1);

        fail_msg("ours %zu bytes: %s\ntheirs %zu bytes: %s", w->at, a, size,
                 b);
    }
    free(out);
}

/* The library decodes the packet-out and says this of it. */
static void
assert_packet_out(const struct wire_writer *w, const char *expected)
{
    assert_false(w->failed);

    char *text = ofp_to_string(w->data, w->at, NULL, NULL, 0);

    if (!strstr(text, expected)) {
        fail_msg("got %s, expected %s", text, expected);
    }
    free(text);
}

static struct wire_writer
writer(void)
{
    struct wire_writer w;

    wire_writer_init(&w, message, sizeof message);
    return w;
}

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;

    assert_true(ip_prefix_parse(text, &p));
    return p;
}

static struct ip_addr
ip(const char *text)
{
    return prefix(text).addr;
}

static void
flow_of_a_channel(void **state)
{
    struct ofp_flow f = {
        .table = 40,
        .priority = 200,
        .match = {.fields = OFP_MATCH_VLAN | OFP_MATCH_IP_DST,
                  .ip_dst = prefix("226.2.2.2")},
        .cookie = UINT64_C(0x4f464d4300000001),
        .output = OFP_OUT_GROUP,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0x4d000000);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:40 "
                    "priority=200,ip,vlan_tci=0x0000/0x1fff,nw_dst=226.2.2.2 "
                    "cookie:0x4f464d4300000001 actions=group:1291845632");
    assert_canonical(&w);
}

static void
flow_that_rewrites(void **state)
{
    struct ofp_flow f = {
        .table = 30,
        .priority = 1,
        .match = {.fields = OFP_MATCH_IN_PORT | OFP_MATCH_VLAN
                            | OFP_MATCH_IP_SRC | OFP_MATCH_IP_DST
                            | OFP_MATCH_IP_PROTO | OFP_MATCH_UDP_DST,
                  .in_port = 7,
                  .vlan = 10,
                  .ip_src = prefix("192.168.168.0/24"),
                  .ip_dst = prefix("226.2.2.2"),
                  .ip_proto = 17,
                  .udp_dst = 5004},
        .cookie = UINT64_C(0x4f464d4300000002),
        .idle_timeout = 60,
        .tell_removed = true,
        .punt = true,
        .rewrite = {.set = OFP_SET_IP_SRC | OFP_SET_TTL | OFP_SET_UDP_DST,
                    .ip_src = ip("10.1.0.10"),
                    .ttl = 16,
                    .udp_dst = 6001},
        .goto_table = 40,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:30 "
                    "priority=1,udp,in_port=7,dl_vlan=10,"
                    "nw_src=192.168.168.0/24,nw_dst=226.2.2.2,tp_dst=5004 "
                    "cookie:0x4f464d4300000002 idle:60 send_flow_rem "
                    "actions=CONTROLLER:65535,set_field:10.1.0.10->ip_src,"
                    "mod_nw_ttl:16,set_field:6001->udp_dst,"
                    "goto_table:40");
}

static void
metered_punt(void **state)
{
    struct ofp_flow f = {
        .table = 20,
        .priority = 100,
        .match = {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO,
                  .eth_type = 0x0800,
                  .ip_proto = 2},
        .cookie = UINT64_C(0x4f464d4300000003),
        .punt = true,
        .punt_meter = 1,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:20 "
                    "priority=100,ip,nw_proto=2 cookie:0x4f464d4300000003 "
                    "actions=controller(meter_id=1)");
    assert_canonical(&w);
}

/* Metadata: matched behind the other fields, written before the goto. */
static void
metadata(void **state)
{
    struct ofp_flow f = {
        .table = 10,
        .priority = 5,
        .match = {.fields = OFP_MATCH_IN_PORT | OFP_MATCH_ETH_SRC
                            | OFP_MATCH_METADATA | OFP_MATCH_IP_DST,
                  .in_port = 7,
                  .eth_src = {{2, 0, 0, 0, 0, 9}},
                  .ip_dst = prefix("226.2.2.2"),
                  .metadata = 1},
        .cookie = UINT64_C(0x4f464d4300000003),
        .rewrite = {.set = OFP_PUSH_VLAN, .vlan = 10},
        .set_metadata = true,
        .metadata = 2,
        .goto_table = 20,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:10 "
                    "priority=5,ip,metadata=0x1/0xff,in_port=7,"
                    "dl_src=02:00:00:00:00:09,nw_dst=226.2.2.2 "
                    "cookie:0x4f464d4300000003 "
                    "actions=push_vlan:0x8100,set_field:4106->vlan_vid,"
                    "write_metadata:0x2/0xff,goto_table:20");
    assert_canonical(&w);
    f.match.metadata = f.metadata = 0; /* Is not the same as none. */
    f.rewrite.set = 0;
    w = writer();
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:10 "
                    "priority=5,ip,metadata=0/0xff,in_port=7,"
                    "dl_src=02:00:00:00:00:09,nw_dst=226.2.2.2 "
                    "cookie:0x4f464d4300000003 "
                    "actions=write_metadata:0/0xff,goto_table:20");
    assert_canonical(&w);
}

static void
back_to_where_it_came_from(void **state)
{
    struct ofp_flow f = {
        .table = 10,
        .priority = 5,
        .match = {.fields = OFP_MATCH_ETH_TYPE, .eth_type = 0x88b5},
        .output = OFP_OUT_PORT,
        .out_port = OFP_PORT_IN_PORT,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:10 "
                    "priority=5,dl_type=0x88b5 actions=IN_PORT");
    assert_canonical(&w);
}

/* Frames to several ports. */
static void
packet_outs(void **state)
{
    static const uint8_t frame[60];
    static const uint32_t ports[] = {3, 1, 0xfffffff9};
    struct wire_writer w = writer();

    (void) state;
    ofp_msg_put_packet_out_ports(&w, 0, ports, 2, frame, sizeof frame);
    assert_packet_out(&w, "in_port=CONTROLLER actions=output:3,output:1");
    w = writer();
    ofp_msg_put_packet_out_ports(&w, 5, ports + 2, 1, frame, sizeof frame);
    assert_packet_out(&w, "in_port=5 actions=TABLE");

    uint32_t many[4096] = {0};
    size_t max = ofp_msg_packet_out_max_ports(sizeof frame);

    assert_int_equal(max, (65535 - 24 - 60) / 16);
    w = writer();
    ofp_msg_put_packet_out_ports(&w, 0, many, max, frame, sizeof frame);
    assert_false(w.failed);
    w = writer();
    ofp_msg_put_packet_out_ports(&w, 0, many, max + 1, frame, sizeof frame);
    assert_true(w.failed);
    assert_int_equal(ofp_msg_packet_out_max_ports(65535 - 24 - 16), 1);
    assert_int_equal(ofp_msg_packet_out_max_ports(65535 - 24 - 15), 0);
    assert_int_equal(ofp_msg_packet_out_max_ports(65536), 0);
}

/* By a tunnel: its key matched, its key and other end set, both by groups and
 * for frames of our own. */
static void
tunnels(void **state)
{
    static const uint8_t frame[60];
    static const uint32_t ends[] = {0x0aff0002, 0x0aff0003};
    struct ofp_flow f = {
        .table = 10,
        .priority = 5,
        .match = {.fields =
                      OFP_MATCH_IN_PORT | OFP_MATCH_VLAN | OFP_MATCH_TUN_ID,
                  .in_port = 7,
                  .tun_id = 0x123456},
        .rewrite = {.set = OFP_PUSH_VLAN, .vlan = 10},
        .goto_table = 20,
    };
    struct ofp_bucket b = {.rewrite = {.set = OFP_POP_VLAN | OFP_SET_TUNNEL,
                                       .tun_id = 200,
                                       .tun_dst = 0x0aff0002},
                           .out_port = 7};
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:10 "
                    "priority=5,tun_id=0x123456,in_port=7,"
                    "vlan_tci=0x0000/0x1fff "
                    "actions=push_vlan:0x8100,set_field:4106->vlan_vid,"
                    "goto_table:20");
    assert_canonical(&w);
    w = writer();
    ofp_encode_group(&w, 5, &b, 1);
    assert_text(&w, "OFPT_GROUP_MOD (OF1.3) (xid=0x0): ADD group_id=5,"
                    "type=all,bucket=actions=pop_vlan,set_field:0xc8->tun_id,"
                    "set_field:10.255.0.2->tun_dst,output:7");
    assert_canonical(&w);
    w = writer();
    ofp_msg_put_packet_out_tunnels(&w, 7, 200, ends, 2, frame, sizeof frame);
    assert_packet_out(&w, "in_port=CONTROLLER actions=set_field:0xc8->tun_id,"
                          "set_field:10.255.0.2->tun_dst,output:7,"
                          "set_field:10.255.0.3->tun_dst,output:7");

    uint32_t many[4096] = {0};
    size_t max = ofp_msg_packet_out_max_tunnels(sizeof frame);

    assert_int_equal(max, (65535 - 24 - 16 - 60) / 32);
    w = writer();
    ofp_msg_put_packet_out_tunnels(&w, 7, 1, many, max, frame, sizeof frame);
    assert_false(w.failed);
    w = writer();
    ofp_msg_put_packet_out_tunnels(&w, 7, 1, many, max + 1, frame,
                                   sizeof frame);
    assert_true(w.failed);
}

static void
drop_and_goto(void **state)
{
    struct ofp_flow f = {.table = 40};
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:40 "
                    "priority=0 actions=drop");
    assert_canonical(&w);

    f.goto_table = 50;
    w = writer();
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:40 "
                    "priority=0 actions=goto_table:50");
    assert_canonical(&w);
}

static void
later_fragments(void **state)
{
    struct ofp_flow f = {
        .table = 30,
        .priority = 9,
        .match = {.fields = OFP_MATCH_IP_DST | OFP_MATCH_LATER_FRAG
                            | OFP_MATCH_IP_PROTO,
                  .ip_dst = prefix("226.0.0.0/8"),
                  .ip_proto = 17},
        .output = OFP_OUT_NORMAL,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:30 "
                    "priority=9,udp,nw_dst=226.0.0.0/8,nw_frag=later "
                    "actions=NORMAL");
    assert_canonical(&w);

    f.match.fields ^= OFP_MATCH_LATER_FRAG | OFP_MATCH_FRAG;
    w = writer();
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:30 "
                    "priority=9,udp,nw_dst=226.0.0.0/8,nw_frag=yes "
                    "actions=NORMAL");
    assert_canonical(&w);
}

static void
group_of_two(void **state)
{
    struct ofp_bucket b[] = {
        {.out_port = 2},
        {.rewrite = {.set = OFP_SET_ETH_DST | OFP_SET_IP_DST | OFP_PUSH_VLAN
                            | OFP_SET_DSCP,
                     .eth_dst = {{1, 0, 0x5e, 1, 1, 2}},
                     .ip_dst = ip("239.1.1.2"),
                     .vlan = 10,
                     .dscp = 46},
         .out_port = 3},
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_group(&w, 5, b, 2);
    assert_text(&w,
                "OFPT_GROUP_MOD (OF1.3) (xid=0x0): ADD group_id=5,type=all,"
                "bucket=actions=output:2,"
                "bucket=actions=push_vlan:0x8100,set_field:4106->vlan_vid,"
                "set_field:01:00:5e:01:01:02->eth_dst,"
                "set_field:239.1.1.2->ip_dst,set_field:46->ip_dscp,"
                "output:3");
    assert_canonical(&w);
    assert_int_equal(w.at, 16 + ofp_encode_bucket_size(&b[0])
                               + ofp_encode_bucket_size(&b[1]));
}

/* Prefixes in the place of others: what stays of an address, and how the
 * Ethernet address of a group follows. */
static void
prefixes(void **state)
{
    struct ofp_flow f = {
        .table = 30,
        .priority = 1,
        .match = {.fields = OFP_MATCH_IP_SRC | OFP_MATCH_IP_DST,
                  .ip_src = prefix("192.168.168.0/24"),
                  .ip_dst = prefix("226.2.0.0/16")},
        .rewrite = {.set = OFP_SET_IP_SRC | OFP_SET_IP_DST | OFP_SET_ETH_DST,
                    .ip_src = ip("10.1.0.0"),
                    .ip_src_keep = 8,
                    .ip_dst = ip("239.129.0.0"),
                    .ip_dst_keep = 16,
                    .eth_dst = {{1, 0, 0x5e, 1, 0, 0}},
                    .eth_dst_keep = 16},
        .goto_table = 40,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:30 "
                    "priority=1,ip,nw_src=192.168.168.0/24,"
                    "nw_dst=226.2.0.0/16 "
                    "actions=load:0x1005e01->NXM_OF_ETH_DST[16..47],"
                    "move:NXM_OF_IP_DST[0..15]->NXM_OF_ETH_DST[0..15],"
                    "load:0xa0100->NXM_OF_IP_SRC[8..31],"
                    "load:0xef81->NXM_OF_IP_DST[16..31],goto_table:40");
    assert_canonical(&w);

    struct ofp_bucket b = {.rewrite = f.rewrite, .out_port = 3};
    b.rewrite.ip_src_keep = 31;
    b.rewrite.ip_src = ip("128.0.0.0");
    w = writer();
    ofp_encode_group(&w, 5, &b, 1);
    assert_canonical(&w);
}

/* Of IPv6 a load takes 64 bits at most, and 32 make the Ethernet address. */
static void
ipv6_prefixes(void **state)
{
    struct ofp_flow f = {
        .table = 30,
        .priority = 1,
        .match = {.fields = OFP_MATCH_IP_SRC | OFP_MATCH_IP_DST,
                  .ip_src = prefix("2001:db8:1::/48"),
                  .ip_dst = prefix("ff1e:30::/96")},
        .rewrite = {.set = OFP_SET_IP_SRC | OFP_SET_IP_DST | OFP_SET_ETH_DST,
                    .ip_src = ip("2001:db8:9::"),
                    .ip_src_keep = 80,
                    .ip_dst = ip("ff2e:30::"),
                    .ip_dst_keep = 32,
                    .eth_dst = {{0x33, 0x33, 0, 0, 0, 0}},
                    .eth_dst_keep = 32},
        .goto_table = 40,
    };
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): ADD table:30 "
                    "priority=1,ipv6,ipv6_src=2001:db8:1::/48,"
                    "ipv6_dst=ff1e:30::/96 "
                    "actions=load:0x3333->NXM_OF_ETH_DST[32..47],"
                    "move:NXM_NX_IPV6_DST[0..31]->NXM_OF_ETH_DST[0..31],"
                    "load:0x20010db80009->NXM_NX_IPV6_SRC[80..127],"
                    "load:0->NXM_NX_IPV6_DST[32..95],"
                    "load:0xff2e0030->NXM_NX_IPV6_DST[96..127],"
                    "goto_table:40");
    assert_canonical(&w);
}

static void
empty_group(void **state)
{
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_group(&w, 5, NULL, 0);
    assert_canonical(&w);
}

/* The most that one message holds, and one more: 65,535 - 16 over 32. */
static void
biggest_group(void **state)
{
    struct ofp_bucket *b = calloc(2048, sizeof *b);
    struct wire_writer w = writer();

    (void) state;
    for (int i = 0; i < 2048; i++) {
        b[i].out_port = i + 1;
    }
    ofp_encode_group(&w, 5, b, 2047);
    assert_canonical(&w);
    w = writer();
    ofp_encode_group(&w, 5, b, 2048);
    assert_true(w.failed);
    free(b);
}

static void
meter(void **state)
{
    struct wire_writer w = writer();

    (void) state;
    ofp_encode_meter(&w, 1, 1000, 200);
    assert_text(&w, "OFPT_METER_MOD (OF1.3) (xid=0x0): ADD meter=1 pktps "
                    "burst bands=type=drop rate=1000 burst_size=200");
    assert_int_equal(w.at, METER_MOD_SIZE);
}

static void
deletes(void **state)
{
    struct ofp_flow f = {
        .table = 40,
        .priority = 7,
        .match = {.fields = OFP_MATCH_IP_DST, .ip_dst = prefix("226.2.2.2")},
        .cookie = 5,
        .goto_table = 50};
    struct wire_writer w = writer();
    uint8_t add[256];

    (void) state;
    ofp_encode_flow(&w, &f, 0);
    memcpy(add, message, w.at);
    size_t size = w.at;

    w = writer();
    ofp_encode_flow_delete(&w, add, size, UINT64_C(0x4f464d4300000000),
                           UINT64_C(0xffffffff00000000));
    assert_text(&w, "OFPT_FLOW_MOD (OF1.3) (xid=0x0): DEL_STRICT table:40 "
                    "priority=7,ip,nw_dst=226.2.2.2 "
                    "cookie:0x4f464d4300000000/0xffffffff00000000 "
                    "actions=drop");
    w = writer();
    ofp_encode_flow_delete(&w, add, 53, 0, 0);
    assert_true(w.failed);
    w = writer();
    ofp_encode_group_delete(&w, 77);
    assert_text(&w, "OFPT_GROUP_MOD (OF1.3) (xid=0x0): DEL "
                    "group_id=77,type=all");
}

/* Random flows and groups, held against the library. */

static uint32_t seed;

static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void
random_bytes(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *) p)[i] = rnd(256);
    }
}

static struct ip_prefix
random_prefix(bool v6)
{
    struct ip_prefix p;

    if (v6) {
        random_bytes(&p.addr, sizeof p.addr);
        p.len = rnd(129);
    } else {
        p.addr = ip_addr_v4(rnd(1 << 24) << 8 | rnd(256));
        p.len = 96 + rnd(33);
    }
    return p;
}

/* A match that has what its fields require. */
static void
random_match(struct ofp_match *m)
{
    bool v6 = rnd(2);

    random_bytes(&m->eth_dst, sizeof m->eth_dst);
    random_bytes(&m->eth_dst_mask, sizeof m->eth_dst_mask);
    if (rnd(2)) {
        memset(&m->eth_dst_mask, 0xff, sizeof m->eth_dst_mask);
    }
    random_bytes(&m->eth_src, sizeof m->eth_src);
    m->fields = rnd(1 << 13);
    m->tun_id = rnd(1 << 24);
    m->metadata = rnd(4) ? rnd(256) : 0;
    m->in_port = 1 + rnd(60000);
    m->vlan = rnd(3) ? rnd(4095) : 0;
    m->eth_type = v6 ? 0x86dd : 0x0800;
    m->ip_src = random_prefix(v6);
    m->ip_dst = random_prefix(v6);
    m->udp_dst = rnd(65536);
    m->icmp6_type = rnd(256);
    m->ip_proto = rnd(256);
    if (m->fields & OFP_MATCH_LATER_FRAG) {
        m->fields &= ~(unsigned int) OFP_MATCH_FRAG;
    }
    if (m->fields & (OFP_MATCH_LATER_FRAG | OFP_MATCH_FRAG)) {
        /* Those have no ports to match on. */
        m->fields &= ~(OFP_MATCH_UDP_DST | OFP_MATCH_ICMP6_TYPE);
    }
    if (m->fields & OFP_MATCH_ICMP6_TYPE && v6) {
        m->fields &= ~OFP_MATCH_UDP_DST;
        m->fields |= OFP_MATCH_IP_PROTO;
        m->ip_proto = 58;
    } else {
        m->fields &= ~OFP_MATCH_ICMP6_TYPE;
    }
    if (m->fields & OFP_MATCH_UDP_DST) {
        m->fields |= OFP_MATCH_IP_PROTO;
        m->ip_proto = 17;
    }
    if (m->fields
        & (OFP_MATCH_IP_PROTO | OFP_MATCH_LATER_FRAG | OFP_MATCH_FRAG)) {
        m->fields |= OFP_MATCH_ETH_TYPE;
    }
}

static void
random_rewrite(struct ofp_rewrite *r, bool v6, bool in_flow)
{
    random_bytes(r, sizeof *r);
    r->set = rnd(1 << 11);
    r->vlan = rnd(4095);
    r->dscp = rnd(64);
    r->ip_src = random_prefix(v6).addr;
    r->ip_dst = random_prefix(v6).addr;
    if (in_flow) {
        /* Here the switch wants to see the layer in the match. */
        r->set &=
            OFP_SET_ETH_SRC | OFP_SET_ETH_DST | OFP_PUSH_VLAN | OFP_SET_TUNNEL;
    }
    r->ip_src_keep = rnd(2) ? 0 : rnd(v6 ? 128 : 32);
    r->ip_dst_keep = rnd(2) ? 0 : rnd(v6 ? 128 : 32);
    r->eth_dst_keep = in_flow || rnd(2) ? 0 : rnd(v6 ? 33 : 24);
}

static void
random_flows(void **state)
{
    (void) state;
    for (int i = 0; i < 20000; i++) {
        struct wire_writer w = writer();
        struct ofp_flow f = {
            .table = rnd(60),
            .priority = rnd(65536),
            .cookie = (uint64_t) rnd(1 << 24) << 20,
            .idle_timeout = rnd(2) ? rnd(65536) : 0,
            .tell_removed = rnd(2),
            .punt = rnd(2),
            .punt_meter = rnd(2) ? rnd(100000) : 0,
            .output = rnd(4),
            .out_port = 1 + rnd(65000),
            .set_metadata = rnd(2),
            .metadata = rnd(256),
            .goto_table = rnd(2) ? 60 + rnd(100) : 0,
        };

        if (!rnd(4)) {
            f.out_port = OFP_PORT_IN_PORT;
        }
        random_match(&f.match);
        random_rewrite(&f.rewrite, false, true);
        if (f.match.fields & OFP_MATCH_VLAN && f.match.vlan && rnd(2)) {
            f.rewrite.set = OFP_POP_VLAN; /* It wants to see a tag. */
        }
        ofp_encode_flow(&w, &f, rnd(1 << 24));
        assert_canonical(&w);
    }
}

static void
random_groups(void **state)
{
    (void) state;
    for (int i = 0; i < 20000; i++) {
        struct wire_writer w = writer();
        struct ofp_bucket b[20];
        size_t n = rnd(20);

        memset(b, 0, sizeof b);
        for (size_t j = 0; j < n; j++) {
            random_rewrite(&b[j].rewrite, rnd(2), false);
            if (j && rnd(2)) {
                b[j].rewrite = b[j - 1].rewrite;
            }
            b[j].out_port = 1 + rnd(65000);
        }
        ofp_encode_group(&w, rnd(1 << 24), b, n);
        assert_canonical(&w);
    }
}

/* Equality ignores what is not set. */
static void
rewrite_equality(void **state)
{
    struct ofp_rewrite a, b;

    (void) state;
    memset(&a, 0, sizeof a);
    memset(&b, 0xff, sizeof b);
    b.set = 0;
    assert_true(ofp_rewrite_equal(&a, &b));
    for (unsigned int bit = 0; bit < 11; bit++) {
        a.set = b.set = 1U << bit;
        assert_int_equal(ofp_rewrite_equal(&a, &b), a.set == OFP_POP_VLAN);
        b.set = 0;
        assert_false(ofp_rewrite_equal(&a, &b));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_of_a_channel),
        cmocka_unit_test(flow_that_rewrites),
        cmocka_unit_test(metered_punt),
        cmocka_unit_test(metadata),
        cmocka_unit_test(back_to_where_it_came_from),
        cmocka_unit_test(packet_outs),
        cmocka_unit_test(tunnels),
        cmocka_unit_test(drop_and_goto),
        cmocka_unit_test(later_fragments),
        cmocka_unit_test(group_of_two),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(ipv6_prefixes),
        cmocka_unit_test(empty_group),
        cmocka_unit_test(biggest_group),
        cmocka_unit_test(meter),
        cmocka_unit_test(deletes),
        cmocka_unit_test(random_flows),
        cmocka_unit_test(random_groups),
        cmocka_unit_test(rewrite_equality),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
