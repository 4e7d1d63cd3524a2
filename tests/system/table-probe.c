/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Holds the canonical form against a real Open vSwitch: what the table sets
 * must come back as it was sent, or every audit would find drift and every
 * restart would rewrite the switch.
 *
 *     table-probe /run/openvswitch/br0.mgmt [N]
 *
 * It sets entries of every shape, meters, and a user's flows and groups; then
 * audits; then comes back as a new controller that wants the same, which must
 * send nothing; and then takes all away again.  Exit status 0 if all of that
 * holds.  With N it does the same with N channels and says how long that
 * took. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "ofp/ofp-session.h"
#include "ofp/ofp-static.h"
#include "ofp/ofp-table.h"

struct probe {
    int fd;
    struct ofp_session *session;
    struct ofp_table *table;
    int64_t skew; /* Added to the clock, for audits. */
    size_t n_adopted, n_rejected, n_drifted;
    bool synced;
};

static struct ofp_static *statics[32];
static size_t n_statics;
static size_t n_channels; /* 0: entries of every shape instead. */

static void
die(const char *what)
{
    fprintf(stderr, "table-probe: %s\n", what);
    exit(1);
}

static int64_t
now(const struct probe *p)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000 + p->skew;
}

/* Ops. */

static void
on_send(void *p_, const void *bytes, size_t size)
{
    struct probe *p = p_;

    for (size_t at = 0; at < size;) {
        ssize_t n = write(p->fd, (const char *) bytes + at, size - at);

        if (n <= 0) {
            die("cannot write to the switch");
        }
        at += n;
    }
}

static void
on_ready(void *p_, const struct ofp_features *f)
{
    struct probe *p = p_;

    printf("%s %s\n", f->hardware, f->software);
    ofp_table_connected(p->table, now(p));
}

static void
on_port(void *p, enum ofp_port_change change, const struct ofp_port *port)
{
    (void) p;
    (void) change;
    (void) port;
}

static void
on_packet_in(void *p, const struct ofp_packet_in *pi)
{
    (void) p;
    (void) pi;
}

static void
on_flow_removed(void *p_, const struct ofp_flow_removed *fr)
{
    struct probe *p = p_;

    ofp_table_flow_removed(p->table, fr, now(p));
}

static void
on_reply(void *p_, const void *msg, size_t size)
{
    struct probe *p = p_;

    ofp_table_input(p->table, msg, size, now(p));
}

static const struct ofp_session_ops session_ops = {
    .send = on_send,
    .ready = on_ready,
    .port_changed = on_port,
    .packet_in = on_packet_in,
    .flow_removed = on_flow_removed,
    .reply = on_reply,
};

static void
table_send(void *p_, const void *bytes, size_t size)
{
    struct probe *p = p_;

    ofp_session_send(p->session, bytes, size);
}

static void
on_adopted(void *p_, const struct ofp_adopted *a)
{
    struct probe *p = p_;

    (void) a;
    p->n_adopted++;
}

static void
on_synced(void *p_)
{
    struct probe *p = p_;

    p->synced = true;
}

static void
on_settled(void *p, uint64_t seqno)
{
    (void) p;
    (void) seqno;
}

static void
on_rejected(void *p_, ofp_owner owner, const char *error)
{
    struct probe *p = p_;

    fprintf(stderr, "table-probe: entry %u is refused: %s\n",
            (unsigned int) owner, error);
    p->n_rejected++;
}

static void
on_counted(void *p)
{
    (void) p;
}

static void
on_drifted(void *p_, size_t n)
{
    struct probe *p = p_;

    p->n_drifted += n;
}

static void
on_failed(void *p, const char *reason)
{
    (void) p;
    die(reason);
}

static const struct ofp_table_ops table_ops = {
    .send = table_send,
    .adopted = on_adopted,
    .synced = on_synced,
    .settled = on_settled,
    .rejected = on_rejected,
    .counted = on_counted,
    .drifted = on_drifted,
    .failed = on_failed,
};

/* Connecting and waiting. */

static void
probe_open(struct probe *p, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    memset(p, 0, sizeof *p);
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    p->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *) &sun, sizeof sun)) {
        die("cannot connect to the switch");
    }
    p->table = ofp_table_create(&table_ops, p);
    p->session = ofp_session_create(&session_ops, p, 0, now(p));
}

static void
probe_close(struct probe *p)
{
    ofp_table_destroy(p->table);
    ofp_session_destroy(p->session);
    close(p->fd);
}

/* Reads once; false if nothing came for 'wait_ms'. */
static bool
probe_read(struct probe *p, int wait_ms)
{
    static uint8_t bytes[1 << 20];
    struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
    ssize_t n;

    if (poll(&pfd, 1, wait_ms) <= 0) {
        return false;
    }
    n = read(p->fd, bytes, sizeof bytes);
    if (n <= 0) {
        die("the switch closed the connection");
    }
    if (!ofp_session_input(p->session, bytes, n, now(p))) {
        die(ofp_session_reason(p->session));
    }
    return true;
}

static void
probe_settle(struct probe *p)
{
    int64_t deadline = now(p) + 20000;

    int64_t start = now(p);

    while (!p->synced
           || ofp_table_settled_seqno(p->table) < ofp_table_seqno(p->table)) {
        ofp_table_run(p->table, now(p));
        probe_read(p, 100);
        if (now(p) > deadline) {
            die("not settled within 20 s");
        }
    }
    if (n_channels) {
        printf("settled after %d ms\n", (int) (now(p) - start));
    }
}

/* Lets the next audit come, and its answer. */
static void
probe_audit(struct probe *p)
{
    p->skew += OFP_AUDIT_MS;
    ofp_table_run(p->table, now(p));
    while (probe_read(p, 500)) {
        ofp_table_run(p->table, now(p));
    }
}

/* What is set. */

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;

    if (!ip_prefix_parse(text, &p)) {
        die(text);
    }
    return p;
}

static void
set(struct probe *p, const struct ofp_flow *f, const struct ofp_bucket *b,
    size_t n)
{
    char error[OFP_ERROR_SIZE];
    struct ofp_flow flow = *f;

    flow.cookie |= OFP_COOKIE;
    if (ofp_table_set(p->table, &flow, b, n, 100 * flow.table + flow.priority,
                      error)) {
        die(error);
    }
}

/* Matches of every kind, in table 20. */
static void
set_matches(struct probe *p)
{
    struct ofp_match m[] = {
        {.fields = 0},
        {.fields = OFP_MATCH_IN_PORT, .in_port = 3},
        {.fields = OFP_MATCH_VLAN},
        {.fields = OFP_MATCH_VLAN, .vlan = 10},
        {.fields = OFP_MATCH_ETH_TYPE, .eth_type = 0x88cc},
        {.fields = OFP_MATCH_ETH_DST,
         .eth_dst = {{1, 0, 0x5e}},
         .eth_dst_mask = {{0xff, 0xff, 0xff, 0x80}}},
        {.fields = OFP_MATCH_ETH_DST,
         .eth_dst = {{1, 0x80, 0xc2, 0, 0, 0x0e}},
         .eth_dst_mask = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}},
        {.fields = OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO,
         .eth_type = 0x0800,
         .ip_proto = 2},
        {.fields =
             OFP_MATCH_ETH_TYPE | OFP_MATCH_IP_PROTO | OFP_MATCH_ICMP6_TYPE,
         .eth_type = 0x86dd,
         .ip_proto = 58,
         .icmp6_type = 143},
        {.fields = OFP_MATCH_IP_DST, .ip_dst = prefix("224.0.0.0/4")},
        {.fields = OFP_MATCH_IP_DST, .ip_dst = prefix("226.2.2.2")},
        {.fields = OFP_MATCH_IP_DST | OFP_MATCH_IP_SRC | OFP_MATCH_VLAN,
         .ip_src = prefix("192.168.168.0/24"),
         .ip_dst = prefix("226.2.2.2")},
        {.fields = OFP_MATCH_IP_DST, .ip_dst = prefix("ff00::/8")},
        {.fields = OFP_MATCH_IP_DST | OFP_MATCH_IP_SRC,
         .ip_src = prefix("2001:db8::1"),
         .ip_dst = prefix("ff05::2:2")},
        {.fields = OFP_MATCH_IP_DST | OFP_MATCH_IP_PROTO | OFP_MATCH_UDP_DST,
         .ip_dst = prefix("226.2.2.2"),
         .ip_proto = 17,
         .udp_dst = 5004},
        {.fields = OFP_MATCH_IP_DST | OFP_MATCH_LATER_FRAG,
         .ip_dst = prefix("226.2.2.2")},
        {.fields = OFP_MATCH_IP_DST | OFP_MATCH_FRAG,
         .ip_dst = prefix("226.2.2.3")},
        {.fields =
             OFP_MATCH_ETH_TYPE | OFP_MATCH_LATER_FRAG | OFP_MATCH_IP_PROTO,
         .eth_type = 0x86dd,
         .ip_proto = 17},
    };

    for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
        set(p,
            &(struct ofp_flow){.table = 20,
                               .priority = i,
                               .match = m[i],
                               .cookie = i,
                               .goto_table = 30},
            NULL, 0);
    }
}

/* Actions of every kind, in table 30. */
static void
set_actions(struct probe *p)
{
    struct ofp_flow f = {
        .table = 30,
        .match = {.fields =
                      OFP_MATCH_IP_DST | OFP_MATCH_IP_PROTO | OFP_MATCH_VLAN,
                  .vlan = 10,
                  .ip_proto = 17,
                  .ip_dst = prefix("226.2.2.2")},
        .rewrite = {.ip_src = prefix("10.1.0.10").addr,
                    .ip_dst = prefix("239.1.1.1").addr,
                    .eth_src = {{2, 0, 0, 0, 0, 1}},
                    .eth_dst = {{1, 0, 0x5e, 1, 1, 1}},
                    .udp_dst = 6001,
                    .ttl = 16,
                    .dscp = 46,
                    .vlan = 20},
        .goto_table = 40,
    };

    for (int bit = 0; bit <= 10; bit++) {
        f.priority = bit;
        f.rewrite.set =
            bit == 8 ? OFP_PUSH_VLAN : (1U << bit) & ~(1U << 8) & 0x3ff;
        set(p, &f, NULL, 0);
    }
    f.priority = 20;
    f.rewrite.set = 0xff;
    set(p, &f, NULL, 0);
    for (int output = 0; output < 4; output++) {
        for (int punt = 0; punt < 3; punt++) {
            struct ofp_bucket b = {.out_port = 5};

            f.priority = 100 + 10 * output + punt;
            f.rewrite.set = OFP_SET_ETH_DST;
            f.output = output;
            f.out_port = 7;
            f.punt = punt > 0;
            f.punt_meter = punt > 1 ? 1 : 0;
            f.goto_table = punt ? 40 : 0;
            set(p, &f, &b, 1);
        }
    }
    f.priority = 200;
    f.idle_timeout = 300;
    f.tell_removed = true;
    set(p, &f, NULL, 0);
}

/* Groups of every kind, in table 40. */
static void
set_groups(struct probe *p)
{
    struct ofp_flow f = {
        .table = 40,
        .match = {.fields = OFP_MATCH_VLAN | OFP_MATCH_IP_DST},
        .output = OFP_OUT_GROUP};
    static const size_t sizes[] = {0, 1, 2, 10, 818, 2047};
    struct ofp_bucket *b = xcalloc(2047, sizeof *b);

    for (size_t i = 0; i < 2047; i++) {
        b[i].out_port = i + 1;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        f.match.ip_dst.addr = ip_addr_v4(0xe2000000 + i);
        f.match.ip_dst.len = 128;
        f.priority = i;
        set(p, &f, b, sizes[i]);
    }
    for (size_t i = 0; i < 40; i++) {
        b[i].rewrite = (struct ofp_rewrite){
            .set = i * 0x155 & 0x3ff,
            .ip_src = prefix(i % 8 < 4 ? "10.1.0.10" : "2001:db8::1").addr,
            .ip_dst = prefix(i % 8 < 4 ? "239.1.1.1" : "ff05::1").addr,
            .eth_src = {{2, 0, 0, 0, 0, i}},
            .eth_dst = {{1, 0, 0x5e, 1, 1, i}},
            .udp_dst = 6000 + i,
            .ttl = i + 1,
            .dscp = i,
            .vlan = 20 + i};
    }
    f.priority = 50;
    set(p, &f, b, 40);
    free(b);
}

static uint32_t
no_ports(void *aux, const char *name)
{
    (void) aux;
    (void) name;
    return 0;
}

static void
parse_statics(void)
{
    static const char *const texts[] = {
        "ggroup_id=5,type=all,bucket=output:2",
        "ggroup_id=6,type=select,bucket=weight:3,output:2,bucket=weight:1,"
        "set_field:10.0.0.1->ip_dst,output:3",
        "ggroup_id=7,type=ff,bucket=watch_port:1,output:1,"
        "bucket=watch_port:2,output:2",
        "ggroup_id=8,type=indirect,bucket=group:5",
        "fudp,nw_dst=226.2.2.2,actions=set_field:10.1.0.10->ip_src,group:5",
        "ftable=1,in_port=1,dl_vlan=5,actions=strip_vlan,output:2,output:3",
        "ftable=1,in_port=2,actions=mod_vlan_vid:7,mod_dl_dst:1:2:3:4:5:6,1",
        "ftable=2,arp,arp_tpa=10.0.0.0/8,actions=NORMAL",
        "ftable=2,tcp,tp_dst=0x50/0xfff0,actions=drop",
        "ftable=3,ipv6,ipv6_dst=ff05::/16,actions=dec_ttl,IN_PORT",
        "ftable=3,ip,nw_frag=later,actions=resubmit(,10)",
        "ftable=4,actions=learn(table=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
        "output:NXM_OF_IN_PORT[])",
        "ftable=4,ip,actions=ct(commit,zone=1,nat(src=10.0.0.1)),"
        "load:5->NXM_NX_REG0[0..15],move:NXM_OF_IP_SRC[]->NXM_NX_REG1[]",
        "ftable=4,icmp6,icmp_type=135,nd_target=fe80::1,actions=controller("
        "max_len=100,userdata=01.02)",
        "ftable=5,priority=9,metadata=5/7,tun_id=6,reg0=1,actions="
        "write_metadata:3,goto_table:10",
        "ftable=6,udp,idle_timeout=60,hard_timeout=100,send_flow_rem,"
        "actions=set_field:5->udp_dst,clone(output:1),write_actions(group:6)",
        "ftable=6,mpls,mpls_label=5,actions=pop_mpls:0x0800,set_queue:3,"
        "enqueue:1:2,note:01.02.03",
        "ftable=6,check_overlap,no_packet_counts,sctp,actions=multipath("
        "eth_src,50,modulo_n,4,0,NXM_NX_REG0[0..7]),bundle(eth_src,0,hrw,"
        "ofport,members:1,2),FLOOD",
        "ftable=7,priority=3,vlan_tci=0x1000/0x1000,actions=push_vlan:0x88a8,"
        "set_field:4100->vlan_vid,set_field:3->vlan_pcp,ALL,LOCAL",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *error;

        statics[i] = ofp_static_parse(
            texts[i][0] == 'g' ? OFP_STATIC_GROUP : OFP_STATIC_FLOW,
            texts[i] + 1, no_ports, NULL, NULL, &error);
        if (!statics[i]) {
            fprintf(stderr, "%s\n", texts[i]);
            die(error);
        }
        n_statics = i + 1;
    }
}

static void
set_channels(struct probe *p)
{
    struct ofp_flow f = {.table = 40,
                         .priority = 200,
                         .match = {.fields = OFP_MATCH_VLAN | OFP_MATCH_IP_DST,
                                   .ip_dst.len = 128},
                         .output = OFP_OUT_GROUP};
    struct ofp_bucket b[3] = {
        {.out_port = 1}, {.out_port = 2}, {.out_port = 3}};

    for (size_t i = 0; i < n_channels; i++) {
        f.match.ip_dst.addr = ip_addr_v4(0xe2000000 + i);
        set(p, &f, b, 3);
    }
}

static void
set_all(struct probe *p, bool installed_before)
{
    if (n_channels) {
        set_channels(p);
        return;
    }
    ofp_table_set_meter(p->table, 1, 1000, 200);
    ofp_table_set_meter(p->table, 2, 50, 10);
    set_matches(p);
    set_actions(p);
    set_groups(p);
    for (size_t i = 0; i < n_statics; i++) {
        ofp_table_set_static(p->table, statics[i], installed_before, 10000 + i,
                             NULL);
    }
}

static bool
print_unapplied(void *aux, const struct ofp_entry_view *v)
{
    (void) aux;
    if (v->state != OFP_ENTRY_APPLIED) {
        fprintf(stderr, "table-probe: table %u priority %u group %#x: %s\n",
                v->table, v->priority, v->group_id,
                v->error[0] ? v->error : "pending");
    }
    return true;
}

static struct ofp_table_counters
counters(const struct probe *p)
{
    struct ofp_table_counters c;

    ofp_table_counters(p->table, &c);
    return c;
}

int
main(int argc, char *argv[])
{
    struct ofp_table_counters c;
    struct probe p;
    size_t n_flows;

    if (argc < 2) {
        die("usage: table-probe BRIDGE.mgmt [N]");
    }
    n_channels = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (!n_channels) {
        parse_statics();
    }

    probe_open(&p, argv[1]);
    set_all(&p, false);
    probe_settle(&p);
    ofp_table_each(p.table, print_unapplied, NULL);
    c = counters(&p);
    printf("set: %zu flows, %zu groups, %zu meters; refused: %zu\n", c.flows,
           c.groups, c.meters, p.n_rejected);
    if (p.n_rejected || c.rejected || c.pending) {
        die("something was refused");
    }
    n_flows = c.flows;
    probe_audit(&p);
    printf("audit: drift %zu\n", p.n_drifted);
    if (p.n_drifted) {
        die("what was installed does not come back as it was sent");
    }
    probe_close(&p);

    probe_open(&p, argv[1]);
    set_all(&p, true);
    probe_settle(&p);
    c = counters(&p);
    printf("back: adopted %zu, sent %llu flow mods, %llu group mods, %llu "
           "rounds\n",
           p.n_adopted, (unsigned long long) c.flow_mods,
           (unsigned long long) c.group_mods, (unsigned long long) c.rounds);
    if (p.n_adopted != n_flows || c.rounds) {
        die("coming back is not free");
    }
    probe_close(&p);

    probe_open(&p, argv[1]);
    for (size_t i = 0; i < n_statics; i++) {
        ofp_table_set_static(p.table, statics[i], true, 0, NULL);
        ofp_table_unset_static(p.table, statics[i]);
    }
    probe_settle(&p);
    probe_audit(&p);
    c = counters(&p);
    printf("gone: %zu flows, %zu groups left\n", c.flows, c.groups);
    if (c.flows || c.groups) {
        die("something is left");
    }
    probe_close(&p);
    return 0;
}
