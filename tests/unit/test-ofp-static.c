/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openvswitch/ofp-print.h>
#include <openvswitch/vlog.h>

/* Ports s1-eth1 to s1-eth9, "drop" = 10, and "ip" = 11. */
static uint32_t
lookup(void *aux, const char *name)
{
    (void) aux;
    if (!strncmp(name, "s1-eth", 6) && name[6] > '0' && name[6] <= '9'
        && !name[7]) {
        return name[6] - '0';
    }
    return !strcmp(name, "drop") ? 10 : !strcmp(name, "ip") ? 11 : 0;
}

static struct ofp_static *
parse(enum ofp_static_kind kind, const char *text)
{
    char *error;
    struct ofp_static *s =
        ofp_static_parse(kind, text, lookup, NULL, NULL, &error);

    if (!s) {
        fail_msg("\"%s\" is refused: %s", text, error);
    }
    assert_null(error);
    return s;
}

/* The text is accepted, and means 'expected' in the words of ovs-ofctl. */
static void
accepts(enum ofp_static_kind kind, const char *text, const char *expected)
{
    struct ofp_static *s = parse(kind, text);
    const uint8_t *msg;
    size_t size;
    char *out;

    msg = ofp_static_message(s, &size);
    out = ofp_to_string(msg, size, NULL, NULL, 1);
    if (!strstr(out, expected)) {
        fail_msg("\"%s\"\nbecame \"%s\"\nwithout \"%s\"", text, out, expected);
    }
    free(out);
    ofp_static_destroy(s);
}

/* The text is refused, the reason contains 'reason'; returns whether it is
 * for a port that does not exist. */
static bool
refuses(enum ofp_static_kind kind, const char *text, const char *reason)
{
    bool unknown = true;
    char *error = NULL;

    if (ofp_static_parse(kind, text, lookup, NULL, &unknown, &error)) {
        fail_msg("\"%s\" is accepted", text);
    }
    assert_non_null(error);
    if (!strstr(error, reason)) {
        fail_msg("\"%s\" is refused with \"%s\", not \"%s\"", text, error,
                 reason);
    }
    free(error);
    return unknown;
}

static void
flows(void **state)
{
    (void) state;
    accepts(OFP_STATIC_FLOW,
            "table=0,priority=100,udp,nw_dst=226.2.2.2,"
            "actions=set_field:10.1.0.10->ip_src,group:5",
            "ADD priority=100,udp,nw_dst=226.2.2.2 cookie:0x4f464d43ffffffff "
            "actions=set_field:10.1.0.10->ip_src,group:5");
    accepts(OFP_STATIC_FLOW, "actions=drop", "actions=drop");
    accepts(OFP_STATIC_FLOW, "table=60 in_port=3 actions=output:4",
            "table:60 in_port=3");
    accepts(OFP_STATIC_FLOW, "ip,actions=goto_table:20", "goto_table:20");
    accepts(OFP_STATIC_FLOW, "cookie=0,ip,actions=NORMAL", "NORMAL");
    accepts(OFP_STATIC_FLOW,
            "idle_timeout=5,hard_timeout=9,send_flow_rem,actions=IN_PORT",
            "idle:5 hard:9 send_flow_rem actions=IN_PORT");
}

static void
port_names(void **state)
{
    (void) state;
    accepts(OFP_STATIC_FLOW, "in_port=s1-eth2,actions=output:s1-eth1",
            "in_port=2 cookie:0x4f464d43ffffffff actions=output:1");
    accepts(OFP_STATIC_FLOW, "actions=s1-eth7,s1-eth8",
            "actions=output:7,output:8");
    accepts(OFP_STATIC_FLOW, "actions=output:\"drop\"", "actions=output:10");
    accepts(OFP_STATIC_FLOW, "ip,actions=output:ip", "actions=output:11");
    accepts(OFP_STATIC_FLOW, "actions=output(port=s1-eth3,max_len=100)",
            "output(port=3,max_len=100)");
    accepts(OFP_STATIC_GROUP,
            "group_id=5,type=all,bucket=output:s1-eth2,bucket=s1-eth3",
            "bucket=actions=output:2,bucket=actions=output:3");
    accepts(OFP_STATIC_GROUP,
            "group_id=5,type=ff,bucket=watch_port:s1-eth2,output:2",
            "watch_port:2");
}

/* An unknown port is told from every other mistake. */
static void
unknown_ports(void **state)
{
    (void) state;
    assert_true(refuses(OFP_STATIC_FLOW, "ip,actions=output:s9-eth1",
                        "there is no port called \"s9-eth1\""));
    assert_true(refuses(OFP_STATIC_FLOW, "in_port=nope,actions=drop",
                        "there is no port called \"nope\""));
    assert_true(refuses(OFP_STATIC_FLOW,
                        "actions=output(port=nope,max_len=100)", "\"nope\""));
    assert_true(refuses(OFP_STATIC_GROUP,
                        "group_id=5,type=all,bucket=output:s1-eth2,"
                        "bucket=output:wlan0",
                        "\"wlan0\""));
    assert_false(refuses(OFP_STATIC_FLOW, "ip,actions=drpo", "drpo"));
    assert_false(refuses(OFP_STATIC_FLOW, "ip,actions=output:1,drpo", "drpo"));
    assert_false(
        refuses(OFP_STATIC_FLOW, "nw_sorc=1.1.1.1,actions=drop", "nw_sorc"));
    assert_false(
        refuses(OFP_STATIC_FLOW, "nw_sorc=1,actions=output:nope", ""));
}

static void
refused_flows(void **state)
{
    (void) state;
    refuses(OFP_STATIC_FLOW, "", "must specify an action");
    refuses(OFP_STATIC_FLOW, "ip", "must specify an action");
    refuses(OFP_STATIC_FLOW, "cookie=1,actions=drop", "cookie");
    refuses(OFP_STATIC_FLOW, "cookie=1/1,actions=drop", "cookie");
    refuses(OFP_STATIC_FLOW, "table=10,actions=drop", "table 10");
    refuses(OFP_STATIC_FLOW, "table=59,actions=drop", "table 59");
    refuses(OFP_STATIC_FLOW, "table=254,actions=drop", "table 254");
    refuses(OFP_STATIC_FLOW, "table=256,actions=drop", "table");
    refuses(OFP_STATIC_FLOW, "priority=65536,actions=drop", "priority");
    refuses(OFP_STATIC_FLOW, "nw_dst=226.2.2.2,actions=drop", "require");
    refuses(OFP_STATIC_FLOW, "ip,tp_dst=5004,actions=drop", "require");
    refuses(OFP_STATIC_FLOW, "ip,nw_dst=226.2.2.300,actions=drop",
            "226.2.2.300");
    refuses(OFP_STATIC_FLOW, "actions=mod_nw_src:10.256.0.1", "10.256.0.1");
    refuses(OFP_STATIC_FLOW, "actions=set_field:5->udp_dst", "");
    refuses(OFP_STATIC_FLOW, "actions=group:0x4d000001", "ofmcast");
    refuses(OFP_STATIC_FLOW, "actions=write_actions(group:0x4dffffff)",
            "ofmcast");
    refuses(OFP_STATIC_FLOW, "importance=5,actions=drop", "importance");
    refuses(OFP_STATIC_FLOW, "table=5,actions=goto_table:4", "");
}

static void
refused_groups(void **state)
{
    (void) state;
    refuses(OFP_STATIC_GROUP, "", "");
    refuses(OFP_STATIC_GROUP, "type=all,bucket=output:1", "group_id");
    refuses(OFP_STATIC_GROUP, "group_id=all,type=all,bucket=output:1", "");
    refuses(OFP_STATIC_GROUP, "group_id=5,bucket=output:1", "type");
    refuses(OFP_STATIC_GROUP, "group_id=1291845632,type=all", "ofmcast");
    refuses(OFP_STATIC_GROUP, "group_id=5,type=all,bucket=group:0x4d000000",
            "ofmcast");
    refuses(OFP_STATIC_GROUP, "group_id=5,type=all,bucket=group:5",
            "contains itself");
    refuses(OFP_STATIC_GROUP,
            "group_id=5,type=select,selection_method=hash,bucket=output:1",
            "OpenFlow 1.3");
    refuses(OFP_STATIC_GROUP,
            "group_id=5,type=indirect,bucket=output:1,bucket=output:2", "");
}

/* Text that libopenvswitch would abort on. */
static void
too_long(void **state)
{
    enum { SIZE = 300000 };
    char *text = malloc(SIZE);

    (void) state;
    strcpy(text, "actions=clone(");
    for (size_t n = strlen(text); n < 200000; n += 2) {
        memcpy(text + n, "1,", 3);
    }
    strcat(text, "1)");
    refuses(OFP_STATIC_FLOW, text, "parentheses");

    strcpy(text, "actions=note:");
    memset(text + 13, '0', 200000);
    text[200013] = '\0';
    refuses(OFP_STATIC_FLOW, text, "word");

    strcpy(text, "actions=1");
    for (size_t n = strlen(text); n < 20000; n += 2) {
        memcpy(text + n, ",1", 3);
    }
    refuses(OFP_STATIC_FLOW, text, "too big");

    memset(text, ' ', SIZE - 1);
    text[SIZE - 1] = '\0';
    refuses(OFP_STATIC_FLOW, text, "longer than");
    free(text);
}

static void
group_ids(void **state)
{
    struct ofp_static *flow =
        parse(OFP_STATIC_FLOW,
              "ip,actions=group:7,clone(group:8),write_actions(group:9)");
    struct ofp_static *group =
        parse(OFP_STATIC_GROUP, "group_id=5,type=all,bucket=group:6,bucket=1");
    const uint32_t *ids;

    (void) state;
    assert_int_equal(ofp_static_groups_used(flow, &ids), 3);
    assert_int_equal(ids[0], 7);
    assert_int_equal(ids[1], 8);
    assert_int_equal(ids[2], 9);
    assert_int_equal(ofp_static_kind(flow), OFP_STATIC_FLOW);
    assert_int_equal(ofp_static_group_id(group), 5);
    assert_int_equal(ofp_static_groups_used(group, &ids), 1);
    assert_int_equal(ids[0], 6);
    ofp_static_destroy(flow);
    ofp_static_destroy(group);
}

static bool
same_key(enum ofp_static_kind kind_a, const char *a,
         enum ofp_static_kind kind_b, const char *b)
{
    struct ofp_static *sa = parse(kind_a, a);
    struct ofp_static *sb = parse(kind_b, b);
    bool same = ofp_static_same_key(sa, sb);

    assert_int_equal(ofp_static_same_key(sb, sa), same);
    ofp_static_destroy(sa);
    ofp_static_destroy(sb);
    return same;
}

static void
keys(void **state)
{
    const enum ofp_static_kind flow = OFP_STATIC_FLOW;
    const enum ofp_static_kind group = OFP_STATIC_GROUP;

    (void) state;
    assert_true(same_key(flow, "ip,nw_dst=226.2.2.2,actions=drop", flow,
                         "table=0,nw_dst=226.2.2.2/32,dl_type=0x800,"
                         "actions=output:1"));
    assert_false(
        same_key(flow, "ip,actions=drop", flow, "ip,priority=1,actions=drop"));
    assert_false(
        same_key(flow, "ip,actions=drop", flow, "ip,table=1,actions=drop"));
    assert_false(same_key(flow, "ip,actions=drop", flow, "arp,actions=drop"));
    assert_true(same_key(group, "group_id=5,type=all", group,
                         "group_id=5,type=indirect,bucket=output:1"));
    assert_false(
        same_key(group, "group_id=5,type=all", group, "group_id=6,type=all"));
    assert_false(same_key(group, "group_id=5,type=all", flow, "actions=5"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows),          cmocka_unit_test(port_names),
        cmocka_unit_test(unknown_ports),  cmocka_unit_test(refused_flows),
        cmocka_unit_test(refused_groups), cmocka_unit_test(too_long),
        cmocka_unit_test(group_ids),      cmocka_unit_test(keys),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
