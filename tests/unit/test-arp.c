/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/arp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"

/* Captured from Linux 6.18 on a veth: "ping 10.1.0.1" from 10.1.0.2, and the
 * answer. */
static const uint8_t linux_request[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0a, 0x01, 0x00, 0x02, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x01, 0x00, 0x01};
static const uint8_t linux_reply[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x01, 0x00, 0x01, 0x02,
    0x00, 0x00, 0x00, 0x00, 0x02, 0x0a, 0x01, 0x00, 0x02};

static void
real_frames_both_ways(void **state)
{
    uint8_t again[ARP_MAX_SIZE];
    struct arp arp;

    (void) state;
    assert_true(arp_decode(linux_request, sizeof linux_request, &arp));
    assert_false(arp.reply);
    assert_int_equal(arp.vlan, 0);
    assert_int_equal(ip_addr_to_v4(&arp.sender_ip), 0x0a010002);
    assert_int_equal(ip_addr_to_v4(&arp.target_ip), 0x0a010001);
    assert_memory_equal(&arp.sender_mac, linux_request + 6, 6);
    assert_int_equal(arp_encode(&arp, again, sizeof again),
                     sizeof linux_request);
    assert_memory_equal(again, linux_request, sizeof linux_request);

    assert_true(arp_decode(linux_reply, sizeof linux_reply, &arp));
    assert_true(arp.reply);
    assert_int_equal(ip_addr_to_v4(&arp.sender_ip), 0x0a010001);
    assert_int_equal(arp_encode(&arp, again, sizeof again),
                     sizeof linux_reply);
    assert_memory_equal(again, linux_reply, sizeof linux_reply);
}

static void
probe_tells_nothing_of_us(void **state)
{
    const struct mac_addr mac = {{2, 0, 0, 0, 0, 1}};
    struct ip_addr ip = ip_addr_v4(0x0a01000e);
    struct arp arp = arp_probe(&mac, 10, &ip), again;
    uint8_t frame[ARP_MAX_SIZE];

    (void) state;
    assert_int_equal(arp_encode(&arp, frame, sizeof frame), ARP_MAX_SIZE);
    assert_true(arp_decode(frame, ARP_MAX_SIZE, &again));
    assert_int_equal(again.vlan, 10);
    assert_false(again.reply);
    assert_true(mac_addr_is_multicast(&again.eth_dst));
    assert_int_equal(ip_addr_to_v4(&again.sender_ip), 0);
    assert_int_equal(ip_addr_to_v4(&again.target_ip), 0x0a01000e);
    assert_memory_equal(&again.sender_mac, &mac, sizeof mac);
}

static void
cut_and_foreign_ones_are_refused(void **state)
{
    /* EtherType, hardware, protocol, both sizes, operation. */
    static const size_t at[] = {13, 15, 16, 18, 19, 21};
    struct arp arp;

    (void) state;
    for (size_t n = 0; n < sizeof linux_reply; n++) {
        uint8_t *cut = xmemdup(linux_reply, n);

        assert_false(arp_decode(cut, n, &arp));
        free(cut);
    }
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        uint8_t *frame = xmemdup(linux_reply, sizeof linux_reply);

        frame[at[i]] += 7;
        assert_false(arp_decode(frame, sizeof linux_reply, &arp));
        free(frame);
    }
}

static void
encode_needs_room(void **state)
{
    struct arp arp;

    (void) state;
    assert_true(arp_decode(linux_reply, sizeof linux_reply, &arp));
    for (size_t room = 0; room < sizeof linux_reply; room++) {
        uint8_t *exact = xmalloc(room);

        assert_int_equal(arp_encode(&arp, exact, room), 0);
        free(exact);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_frames_both_ways),
        cmocka_unit_test(probe_tells_nothing_of_us),
        cmocka_unit_test(cut_and_foreign_ones_are_refused),
        cmocka_unit_test(encode_needs_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
