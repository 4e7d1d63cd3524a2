/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* "reply_to": what becomes of packets to a source that a route gives, and of
 * the device's answers, with vlans, protocols, fragments and neighbours that a
 * real switch would take a lab each for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/arp.h"
#include "lib/wire.h"
#include "tests/sim/sim-case.h"
#include "tests/sim/sim-frame.h"

#define DEVICE "192.168.0.5"
#define SOURCE "10.1.0.10"
#define PEER   "10.1.0.2"

enum { MAX_HOSTS = 3, MAX_ANSWERS = 32, AT = 3, UDP = 17 };

/* Who answers ARP. */
struct host {
    uint32_t port;
    uint16_t vlan;
    const char *ip;
    uint8_t mac; /* Its last byte: 02:00:00:00:00:... */
    bool second; /* It is at the second switch. */
};

struct scene {
    struct sim_case c;
    struct host hosts[MAX_HOSTS];
    /* Theirs, that enter at the next turn. */
    struct {
        const struct host *host;
        size_t size;
        uint8_t frame[ARP_MAX_SIZE];
    } answers[MAX_ANSWERS];
    size_t n_answers, n_answered[2]; /* Of each switch's requests. */
    /* What the switch answered for. */
    struct ip_addr answered_for;
    uint16_t answered_in;
};

static struct mac_addr
mac_of(uint8_t last)
{
    return (struct mac_addr){{2, 0, 0, 0, 0, last}};
}

static void
answer(struct scene *s, const struct host *h, const struct arp *request)
{
    struct arp arp = {.eth_src = mac_of(h->mac),
                      .eth_dst = request->sender_mac,
                      .vlan = request->vlan,
                      .reply = true,
                      .sender_mac = mac_of(h->mac),
                      .target_mac = request->sender_mac,
                      .sender_ip = request->target_ip,
                      .target_ip = request->sender_ip};

    assert_true(s->n_answers < MAX_ANSWERS);
    s->n_answered[h->second]++;
    s->answers[s->n_answers].host = h;
    s->answers[s->n_answers].size = arp_encode(
        &arp, s->answers[s->n_answers].frame, sizeof s->answers[0].frame);
    s->n_answers++;
}

static void
on_output(void *s_, struct sim_switch *sw, uint32_t port, const void *frame,
          size_t size)
{
    struct scene *s = s_;
    struct arp arp;

    if (!arp_decode(frame, size, &arp)) {
        return;
    }
    if (arp.reply && sw->dpid == 1) {
        s->answered_for = arp.sender_ip;
        s->answered_in = arp.vlan;
        return;
    }
    for (const struct host *h = s->hosts; h < s->hosts + MAX_HOSTS; h++) {
        if (h->ip && h->port == port && h->vlan == arp.vlan
            && h->second == (sw->dpid == 2)) {
            struct ip_addr ip = sim_case_address(h->ip);

            if (ip_addr_equal(&ip, &arp.target_ip)) {
                answer(s, h, &arp);
            }
        }
    }
}

static void
on_turn(void *s_)
{
    struct scene *s = s_;
    size_t n = s->n_answers;

    s->n_answers = 0;
    for (size_t i = 0; i < n; i++) {
        const struct host *h = s->answers[i].host;

        fake_switch_packet(s->c.net.switches[h->second].fake, h->port,
                           s->answers[i].frame, s->answers[i].size, NULL,
                           NULL);
    }
}

static bool
never(void *aux)
{
    (void) aux;
    return false;
}

static void
wait_for(struct scene *s, int64_t ms)
{
    assert_false(sim_net_wait(&s->c.net, never, NULL, ms));
    assert_true(sim_net_settle(&s->c.net));
}

/* A device in 'vlan'. */
static void
setup(struct scene *s, const char *yaml, uint16_t vlan)
{
    memset(s, 0, sizeof *s);
    sim_case_setup(&s->c, yaml);
    s->c.net.output = on_output;
    s->c.net.turn = on_turn;
    s->c.net.aux = s;
    s->hosts[0] =
        (struct host){.port = AT, .vlan = vlan, .ip = DEVICE, .mac = 0xd1};
}

/* 'match' and 'set' begin with a comma, or are empty. */
static void
put_route(struct scene *s, const char *match, const char *set)
{
    char route[512];

    snprintf(route, sizeof route,
             "{\"match\":{\"source\":\"" DEVICE
             "\",\"group\":\"226.2.2.2\"%s},"
             "\"set\":{\"source\":\"" SOURCE "\"%s}}",
             match, set);
    assert_int_not_equal(sim_case_put_route(&s->c, "r", route), CTL_INVALID);
    wait_for(s, 4000);
}

#define REPLY_TO ",\"reply_to\":true"

/* Packets. */

struct packet {
    const char *from, *to;
    uint32_t port;
    uint16_t vlan;
    uint8_t proto; /* 0: UDP. */
    bool later;    /* A later fragment. */
};

struct got {
    size_t n;
    char text[128]; /* Of the last. */
};

static void
got_copy(void *got_, uint32_t port, const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    struct got *got = got_;
    bool tagged = size > 18 && frame[12] == 0x81;
    const uint8_t *ip = frame + (tagged ? 18 : 14);

    assert_true(size >= 38);
    if (port != FAKE_PORT_CONTROLLER) {
        got->n++;
        snprintf(
            got->text, sizeof got->text, "%u@%u %u.%u.%u.%u>%u.%u.%u.%u %02x",
            port, tagged ? (frame[14] & 15) << 8 | frame[15] : 0, ip[12],
            ip[13], ip[14], ip[15], ip[16], ip[17], ip[18], ip[19], frame[5]);
    }
}

/* "PORT@VLAN FROM>TO MAC" of the one copy; of more, which are flooded as
 * nothing else would be, FROM alone; "": none. */
static void
expect(struct scene *s, const struct packet *p, const char *want)
{
    uint8_t frame[SIM_FRAME_SIZE], *ip = frame + (p->vlan ? 18 : 14);
    struct got got = {0};
    size_t size = sim_frame_build(
        &(struct sim_frame){.source = sim_case_address(p->from),
                            .group = sim_case_address(p->to),
                            .eth_dst = {{0, 0, 0, 0, 0, 1}},
                            .vlan = p->vlan,
                            .udp_dst = 5005,
                            .ttl = 64},
        frame);

    ip[9] = p->proto ? p->proto : UDP;
    ip[7] = p->later ? 9 : 0;
    fake_switch_probe(s->c.net.switches[0].fake, p->port, frame, size,
                      got_copy, &got);
    if (got.n > 1) {
        memmove(got.text, strchr(got.text, ' ') + 1, strlen(got.text));
        *strchr(got.text, '>') = '\0';
    }
    assert_string_equal(got.text, want);
}

#define TO_SOURCE(PORT, ...)                                                  \
    (&(struct packet){.from = PEER, .to = SOURCE, .port = (PORT), __VA_ARGS__})
#define FROM(IP, TO, ...)                                                     \
    (&(struct packet){.from = (IP), .to = (TO), __VA_ARGS__})
#define FLOODED PEER

/* Does the switch answer ARP for the source, in this vlan? */
static bool
is_answered_for(struct scene *s, uint16_t vlan)
{
    struct arp arp = {.eth_src = mac_of(0x22),
                      .eth_dst = {{255, 255, 255, 255, 255, 255}},
                      .vlan = vlan,
                      .sender_mac = mac_of(0x22),
                      .sender_ip = sim_case_address(PEER),
                      .target_ip = sim_case_address(SOURCE)};
    struct ip_addr source = arp.target_ip;
    uint8_t frame[ARP_MAX_SIZE];

    s->answered_for = IP_ADDR_ANY;
    fake_switch_packet(s->c.net.switches[0].fake, 2, frame,
                       arp_encode(&arp, frame, sizeof frame), NULL, NULL);
    assert_true(sim_net_settle(&s->c.net));
    return ip_addr_equal(&s->answered_for, &source) && s->answered_in == vlan;
}

static bool
note_error(void *s_, const struct view_rule *rule)
{
    struct scene *s = s_;

    snprintf(s->c.text, sizeof s->c.text, "%s",
             rule->statuses[0].state == VIEW_APPLIED
                 ? "applied"
                 : rule->statuses[0].error);
    return true;
}

static void
expect_status(struct scene *s, const char *want)
{
    assert_true(view_route(s->c.net.ctl, "r", note_error, s));
    assert_string_equal(s->c.text, want);
}

/* Cases. */

/* From whichever port, also the device's own: others may be behind it. */
static void
replies_leave_by_the_device_s_port(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, "", "");
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    put_route(&s, "", REPLY_TO);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 0), "3@0 10.1.0.2>192.168.0.5 d1");
    expect(&s, TO_SOURCE(AT, .vlan = 0), "3@0 10.1.0.2>192.168.0.5 d1");
    assert_true(is_answered_for(&s, 0));
    /* To the device by its own address, and to others: as before. */
    expect(&s, FROM(PEER, DEVICE, .port = 2), FLOODED);
    expect(&s, FROM(PEER, "10.1.0.11", .port = 2), FLOODED);
    /* Without it nobody is looked for any more. */
    put_route(&s, "", "");
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    s.n_answered[0] = 0;
    wait_for(&s, 60000);
    assert_int_equal(s.n_answered[0], 0);
    sim_net_uninit(&s.c.net);
}

static void
replies_change_the_vlan(void **state)
{
    static const struct {
        const char *match, *set;
        uint16_t device, receivers;
        const char *want;
    } cases[] = {
        {",\"vlan\":5", ",\"vlan\":10" REPLY_TO, 5, 10,
         "3@5 10.1.0.2>192.168.0.5 d1"},
        {",\"vlan\":0", ",\"vlan\":10" REPLY_TO, 0, 10,
         "3@0 10.1.0.2>192.168.0.5 d1"},
        {",\"vlan\":5", ",\"vlan\":0" REPLY_TO, 5, 0,
         "3@5 10.1.0.2>192.168.0.5 d1"},
        {",\"vlan\":5", REPLY_TO, 5, 5, "3@5 10.1.0.2>192.168.0.5 d1"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;

        setup(&s, "", cases[i].device);
        put_route(&s, cases[i].match, cases[i].set);
        for (uint16_t vlan = 0; vlan <= 10; vlan += 5) {
            bool theirs = vlan == cases[i].receivers;

            expect(&s, TO_SOURCE(2, .vlan = vlan),
                   theirs ? cases[i].want : FLOODED);
            assert_int_equal(is_answered_for(&s, vlan), theirs);
        }
        sim_net_uninit(&s.c.net);
    }
}

static void
replies_are_of_the_route_s_protocol_or_icmp(void **state)
{
    static const char to_device[] = "3@0 10.1.0.2>192.168.0.5 d1";
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, ",\"proto\":\"udp\"", REPLY_TO);
    expect(&s, TO_SOURCE(2, .proto = 17), to_device);
    expect(&s, TO_SOURCE(2, .proto = 1), to_device);
    expect(&s, TO_SOURCE(2, .proto = 6), FLOODED);
    put_route(&s, ",\"proto\":50", REPLY_TO);
    expect(&s, TO_SOURCE(2, .proto = 50), to_device);
    expect(&s, TO_SOURCE(2, .proto = 1), to_device);
    expect(&s, TO_SOURCE(2, .proto = 17), FLOODED);
    put_route(&s, "", REPLY_TO);
    expect(&s, TO_SOURCE(2, .proto = 6), to_device);
    sim_net_uninit(&s.c.net);
}

static void
answers_of_the_device_alone_get_the_source(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 5);
    put_route(&s, ",\"vlan\":5,\"proto\":\"udp\"",
              ",\"reply_to\":\"10.1.0.0/24\"");
    expect(&s, FROM(DEVICE, PEER, .port = AT, .vlan = 5), SOURCE);
    expect(&s, FROM(DEVICE, PEER, .port = AT, .vlan = 5, .proto = 1), SOURCE);
    /* To others, of another protocol, port, vlan; and somebody else's. */
    expect(&s, FROM(DEVICE, "10.1.1.2", .port = AT, .vlan = 5), DEVICE);
    expect(&s, FROM(DEVICE, PEER, .port = AT, .vlan = 5, .proto = 6), DEVICE);
    expect(&s, FROM(DEVICE, PEER, .port = 4, .vlan = 5), DEVICE);
    expect(&s, FROM(DEVICE, PEER, .port = AT), DEVICE);
    expect(&s, FROM("192.168.0.6", PEER, .port = AT, .vlan = 5),
           "192.168.0.6");
    put_route(&s, ",\"vlan\":5,\"proto\":\"udp\"", REPLY_TO);
    expect(&s, FROM(DEVICE, PEER, .port = AT, .vlan = 5), DEVICE);
    sim_net_uninit(&s.c.net);
}

/* Of later fragments a switch without a datapath of the kernel would damage
 * the checksum: they are dropped there, in both directions. */
static void
fragments_are_whole_or_dropped(void **state)
{
    static const char kernel[] = "switch_defaults: {datapath: kernel}\n";

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct scene s;

        setup(&s, i ? kernel : "", 0);
        put_route(&s, "", ",\"reply_to\":\"10.1.0.0/24\"");
        expect(&s, TO_SOURCE(2, .later = true),
               i ? "3@0 10.1.0.2>192.168.0.5 d1" : "");
        expect(&s, TO_SOURCE(AT, .later = true),
               i ? "3@0 10.1.0.2>192.168.0.5 d1" : "");
        expect(&s, FROM(DEVICE, PEER, .port = AT, .later = true),
               i ? SOURCE : "");
        sim_net_uninit(&s.c.net);
    }
}

/* There are two of that address. */
static void
the_device_is_where_the_route_says(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    s.hosts[1] =
        (struct host){.port = 4, .vlan = 0, .ip = DEVICE, .mac = 0xd2};
    for (int i = 0; i < 2; i++) {
        put_route(&s,
                  i ? ",\"dpid\":\"1\",\"port\":\"s1-eth4\""
                    : ",\"dpid\":\"1\",\"port\":\"s1-eth3\"",
                  REPLY_TO);
        expect(&s, TO_SOURCE(2, .vlan = 0),
               i ? "4@0 10.1.0.2>192.168.0.5 d2"
                 : "3@0 10.1.0.2>192.168.0.5 d1");
    }
    put_route(&s, ",\"dpid\":\"1\",\"port\":\"s1-eth5\"", REPLY_TO);
    expect_status(&s, "no replies: " DEVICE " does not answer ARP in vlan 0 "
                      "behind port s1-eth5");
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    put_route(&s, ",\"dpid\":\"2\"", REPLY_TO);
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    sim_net_uninit(&s.c.net);
}

static void
a_host_of_that_address_has_its_own(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, "", REPLY_TO);
    s.hosts[1] =
        (struct host){.port = 5, .vlan = 0, .ip = SOURCE, .mac = 0xaa};
    wait_for(&s, 40000);
    expect_status(&s, "replies to " SOURCE " are not the device's: in vlan 0 "
                      "that is the address of host 02:00:00:00:00:aa");
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    s.hosts[1].ip = NULL;
    wait_for(&s, 60000);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 0), "3@0 10.1.0.2>192.168.0.5 d1");
    assert_true(is_answered_for(&s, 0));
    sim_net_uninit(&s.c.net);
}

/* Nobody is told to send to a device that is away; with another card in it is
 * found again. */
static void
a_device_that_is_silent_gets_nothing(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, "", REPLY_TO);
    s.hosts[0].ip = NULL;
    wait_for(&s, 60000);
    expect_status(&s, "no replies: " DEVICE " does not answer ARP in vlan 0");
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    s.hosts[0] =
        (struct host){.port = AT, .vlan = 0, .ip = DEVICE, .mac = 0xd7};
    wait_for(&s, 10000);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 0), "3@0 10.1.0.2>192.168.0.5 d7");
    assert_true(is_answered_for(&s, 0));
    sim_net_uninit(&s.c.net);
}

/* What a route takes that names the address is its own. */
static void
a_route_of_that_address_wins(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, "", REPLY_TO);
    sim_case_put_route(&s.c, "taker",
                       "{\"match\":{\"unicast\":\"" SOURCE
                       "\",\"udp_dst\":5005},"
                       "\"to\":[{\"dpid\":\"1\",\"port\":\"s1-eth6\"}]}");
    wait_for(&s, 4000);
    expect(&s, TO_SOURCE(2, .vlan = 0), "6@0 10.1.0.2>10.1.0.10 01");
    expect(&s, TO_SOURCE(2, .proto = 1), "3@0 10.1.0.2>192.168.0.5 d1");
    sim_net_uninit(&s.c.net);
}

/* In a fabric, whose edge has tags or none. */
static void
a_device_at_an_access_port(void **state)
{
#define FABRIC                                                                \
    "l2: fabric\nports:\n  - {dpid: 1, port: s1-eth2, trunk_vlans: [10]}\n"   \
    "  - {dpid: 1, port: s1-eth3, %s}\n"
    char yaml[256];
    struct scene s;

    (void) state;
    snprintf(yaml, sizeof yaml, FABRIC, "access_vlan: 10");
    setup(&s, yaml, 0);
    wait_for(&s, 8000); /* Ports to hosts are known. */
    put_route(&s, ",\"vlan\":10", REPLY_TO);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 10), "3@0 10.1.0.2>192.168.0.5 d1");
    snprintf(yaml, sizeof yaml, FABRIC, "trunk_vlans: [10]");
    sim_net_reconfigure(&s.c.net, yaml);
    s.hosts[0].vlan = 10;
    wait_for(&s, 40000);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 10), "3@10 10.1.0.2>192.168.0.5 d1");
    /* At once: it is not to wait until the device is silent. */
    snprintf(yaml, sizeof yaml, FABRIC, "trunk_vlans: [20]");
    sim_net_reconfigure(&s.c.net, yaml);
    assert_true(sim_net_settle(&s.c.net));
    expect_status(&s, "no replies: " DEVICE " answers at a port that is not "
                      "in vlan 10");
    sim_net_uninit(&s.c.net);
}

/* Another one of the fabric is not asked to wait for it. */
static void
a_device_at_another_switch(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "l2: fabric\n", 0);
    s.hosts[0].second = true;
    wait_for(&s, 8000);
    put_route(&s, "", REPLY_TO);
    sim_case_expect_status(&s.c, "r", "1:applied 2:applied");
    s.hosts[0].ip = NULL;
    wait_for(&s, 60000);
    sim_case_expect_status(&s.c, "r", "1:pending 2:pending");
    /* Nor looked for where the route is not. */
    s.hosts[0].ip = DEVICE;
    put_route(&s, ",\"dpid\":\"1\"", REPLY_TO);
    s.n_answered[1] = 0;
    wait_for(&s, 60000);
    sim_case_expect_status(&s.c, "r", "1:pending");
    assert_int_equal(s.n_answered[1], 0);
    sim_net_uninit(&s.c.net);
}

static void
a_device_is_looked_for_at_a_port_that_comes(void **state)
{
    struct scene s;

    (void) state;
    setup(&s, "", 0);
    put_route(&s, ",\"dpid\":\"1\",\"port\":\"s1-eth9\"", REPLY_TO);
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    s.hosts[0].port = 9;
    fake_switch_add_port(s.c.net.switches[0].fake, 9, "s1-eth9");
    wait_for(&s, 4000);
    expect_status(&s, "applied");
    expect(&s, TO_SOURCE(2, .vlan = 0), "9@0 10.1.0.2>192.168.0.5 d1");
    fake_switch_remove_port(s.c.net.switches[0].fake, 9);
    wait_for(&s, 60000);
    expect(&s, TO_SOURCE(2, .vlan = 0), FLOODED);
    assert_false(is_answered_for(&s, 0));
    sim_net_uninit(&s.c.net);
}

/* Of a device that answers later than the switches have come. */
static void
a_restart_modifies_nothing(void **state)
{
    struct scene s;
    uint64_t before;

    (void) state;
    setup(&s, "", 5);
    put_route(&s, ",\"vlan\":5", ",\"reply_to\":\"10.1.0.0/24\"");
    before = sim_case_n_mods(&s.c);
    s.hosts[0].ip = NULL;
    sim_case_restart(&s.c);
    wait_for(&s, 15000);
    assert_int_equal(sim_case_n_mods(&s.c), before);
    s.hosts[0].ip = DEVICE;
    wait_for(&s, 30000);
    assert_int_equal(sim_case_n_mods(&s.c), before);
    expect(&s, TO_SOURCE(2, .vlan = 5), "3@5 10.1.0.2>192.168.0.5 d1");
    sim_net_uninit(&s.c.net);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_leave_by_the_device_s_port),
        cmocka_unit_test(replies_change_the_vlan),
        cmocka_unit_test(replies_are_of_the_route_s_protocol_or_icmp),
        cmocka_unit_test(answers_of_the_device_alone_get_the_source),
        cmocka_unit_test(fragments_are_whole_or_dropped),
        cmocka_unit_test(the_device_is_where_the_route_says),
        cmocka_unit_test(a_host_of_that_address_has_its_own),
        cmocka_unit_test(a_device_that_is_silent_gets_nothing),
        cmocka_unit_test(a_route_of_that_address_wins),
        cmocka_unit_test(a_device_at_an_access_port),
        cmocka_unit_test(a_device_at_another_switch),
        cmocka_unit_test(a_device_is_looked_for_at_a_port_that_comes),
        cmocka_unit_test(a_restart_modifies_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
