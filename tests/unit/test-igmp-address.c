/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* On a virtual clock; what comes out is written down, one word an effect:
 * "?10.1.0.14" a probe, "=10.1.0.14" the address is ours, "=none" it is not
 * any more. */

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static const struct mac_addr OURS = {{2, 0, 0, 0, 1, 1}};

struct fixture {
    struct igmp_address *a;
    int64_t now;
    char log[4096];
};

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

static void
note(struct fixture *f, char what, const struct ip_addr *a)
{
    char buf[IP_ADDR_STRLEN];
    size_t n = strlen(f->log);

    snprintf(f->log + n, sizeof f->log - n, "%s%c%s", n ? " " : "", what,
             ip_addr_is_any(a) ? "none" : ip_addr_format(a, buf));
}

static void
sent(void *f_, const void *frame, size_t size)
{
    struct arp arp;

    assert_true(arp_decode(frame, size, &arp));
    assert_int_equal(arp.vlan, 10);
    assert_memory_equal(&arp.eth_src, &OURS, sizeof OURS);
    assert_int_equal(ip_addr_to_v4(&arp.sender_ip), 0);
    note(f_, '?', &arp.target_ip);
}

static void
changed(void *f_, const struct ip_addr *address)
{
    struct fixture *f = f_;
    struct ip_addr same = igmp_address_get(f->a);

    assert_true(ip_addr_equal(address, &same));
    note(f, '=', address);
}

static int
setup(void **state)
{
    static const struct igmp_address_ops ops = {.send = sent,
                                                .changed = changed};
    struct fixture *f = calloc(1, sizeof *f);

    f->now = 12345;
    f->a = igmp_address_create(10, &OURS, &ops, f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    igmp_address_destroy(f->a);
    free(f);
    return 0;
}

static void
advance(struct fixture *f, int64_t ms)
{
    int64_t end = f->now + ms;

    for (int turns = 0; igmp_address_deadline(f->a) <= end; turns++) {
        int64_t at = igmp_address_deadline(f->a);

        assert_true(turns < 10000); /* Or it spins. */
        f->now = at > f->now ? at : f->now;
        igmp_address_run(f->a, f->now);
        assert_true(igmp_address_deadline(f->a) > f->now);
    }
    f->now = end;
}

static void
check_log(struct fixture *f, const char *want)
{
    assert_string_equal(f->log, want);
    f->log[0] = '\0';
}

static void
host(struct fixture *f, const char *address)
{
    const struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    struct ip_addr a = ip(address);

    igmp_address_host(f->a, &mac, &a, f->now);
}

static void
arp(struct fixture *f, bool reply, const char *sender, const char *target)
{
    struct arp arp = {.reply = reply,
                      .vlan = 10,
                      .sender_mac = {{2, 0, 0, 0, 0, 9}},
                      .sender_ip = ip(sender),
                      .target_ip = ip(target)};

    igmp_address_arp(f->a, &arp, f->now);
}

/* With hosts 10.1.0.2 and 10.1.0.3, until an address is held. */
static void
settle(struct fixture *f)
{
    host(f, "10.1.0.2");
    arp(f, false, "10.1.0.3", "10.1.0.2");
    advance(f, 2 * SECOND);
    check_log(f, "?10.1.0.14");
    advance(f, 2 * SECOND);
    check_log(f, "?10.1.0.14 ?10.1.0.14");
    advance(f, 2 * SECOND - 1);
    check_log(f, "");
    advance(f, 1);
    check_log(f, "=10.1.0.14");
}

static void
nobody_heard_nothing_taken(void **state)
{
    struct fixture *f = *state;
    struct ip_addr a = igmp_address_get(f->a);

    assert_true(ip_addr_is_any(&a));
    assert_true(igmp_address_deadline(f->a) == INT64_MAX);
    host(f, "0.0.0.0");
    host(f, "127.0.0.1");
    host(f, "255.255.255.255");
    host(f, "226.2.2.2");
    host(f, "169.254.3.4");
    host(f, "fe80::1");
    arp(f, false, "0.0.0.0", "10.1.0.7");
    assert_true(igmp_address_deadline(f->a) == INT64_MAX);
}

static void
takes_what_nobody_answers_for(void **state)
{
    struct fixture *f = *state;

    settle(f);
    advance(f, 60 * MINUTE); /* Silent hosts are no reason to give it up. */
    check_log(f, "");
}

/* A host answers the probe. */
static void
leaves_what_somebody_has(void **state)
{
    struct fixture *f = *state;

    host(f, "10.1.0.2");
    advance(f, 2 * SECOND);
    check_log(f, "?10.1.0.14");
    arp(f, true, "10.1.0.14", "0.0.0.0");
    advance(f, 1 * SECOND);
    check_log(f, "?10.1.0.13");
    advance(f, 10 * SECOND);
    check_log(f, "?10.1.0.13 ?10.1.0.13 =10.1.0.13");
}

/* Another probes the same address at the same time. */
static void
leaves_what_somebody_probes(void **state)
{
    struct fixture *f = *state;

    host(f, "10.1.0.2");
    advance(f, 3 * SECOND);
    check_log(f, "?10.1.0.14 ?10.1.0.14");
    arp(f, false, "0.0.0.0", "10.1.0.14");
    advance(f, 10 * SECOND);
    check_log(f, "?10.1.0.13 ?10.1.0.13 ?10.1.0.13 =10.1.0.13");
}

/* Known addresses are not even asked for. */
static void
top_of_the_smallest_block(void **state)
{
    static const struct {
        const char *low, *high, *want;
    } cases[] = {
        {"10.1.0.2", "10.1.0.3", "?10.1.0.14"},
        {"10.1.0.2", "10.1.0.14", "?10.1.0.13"},
        {"10.1.0.2", "10.1.0.20", "?10.1.0.30"},
        {"10.1.0.2", "10.1.0.100", "?10.1.0.126"},
        {"10.1.0.120", "10.1.0.130", "?10.1.0.254"},
        {"10.1.0.1", "10.1.0.254", "?10.1.0.253"},
        {"192.168.7.200", "192.168.7.201", "?192.168.7.206"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *f;

        teardown(state);
        setup(state);
        f = *state;
        host(f, cases[i].low);
        host(f, cases[i].high);
        advance(f, 2 * SECOND);
        check_log(f, cases[i].want);
    }
}

static void
full_block_grows_full_net_waits(void **state)
{
    struct fixture *f = *state;
    char text[32];

    for (int i = 1; i <= 14; i++) {
        sprintf(text, "10.1.0.%d", i);
        host(f, text);
    }
    advance(f, 2 * SECOND);
    check_log(f, "?10.1.0.30");
    for (int i = 15; i <= 254; i++) {
        sprintf(text, "10.1.0.%d", i);
        host(f, text);
    }
    advance(f, 60 * SECOND);
    check_log(f, "");
    struct ip_addr a = igmp_address_get(f->a);
    assert_true(ip_addr_is_any(&a));
}

static void
most_used_net_counts(void **state)
{
    struct fixture *f = *state;

    host(f, "10.9.0.1");
    host(f, "192.168.1.5");
    host(f, "192.168.1.6");
    host(f, "192.168.1.5"); /* Twice is once. */
    host(f, "10.9.0.1");
    host(f, "10.9.0.1");
    advance(f, 2 * SECOND);
    check_log(f, "?192.168.1.14");
}

/* DHCP gave it to a host: the host's it is. */
static void
gives_up_what_somebody_shows(void **state)
{
    struct fixture *f = *state;

    settle(f);
    arp(f, false, "10.1.0.14", "10.1.0.1");
    check_log(f, "=none");
    advance(f, 10 * SECOND);
    check_log(f, "?10.1.0.13 ?10.1.0.13 ?10.1.0.13 =10.1.0.13");

    host(f, "10.1.0.13"); /* In a report. */
    check_log(f, "=none");
    advance(f, 10 * SECOND);
    check_log(f, "?10.1.0.12 ?10.1.0.12 ?10.1.0.12 =10.1.0.12");

    arp(f, false, "0.0.0.0", "10.1.0.12"); /* It asks before it takes. */
    check_log(f, "=none");
    advance(f, 10 * SECOND);
    check_log(f, "?10.1.0.11 ?10.1.0.11 ?10.1.0.11 =10.1.0.11");
}

/* Asking for our address, or answering about another, is no conflict. */
static void
others_arp_is_no_conflict(void **state)
{
    struct fixture *f = *state;
    struct ip_addr held = ip("10.1.0.14");
    struct arp probe = arp_probe(&OURS, 10, &held);

    settle(f);
    arp(f, false, "10.1.0.2", "10.1.0.14");
    arp(f, true, "10.1.0.2", "10.1.0.14");
    arp(f, false, "0.0.0.0", "10.1.0.13");
    igmp_address_arp(f->a, &probe, f->now); /* Our own, come back. */
    igmp_address_host(f->a, &OURS, &held, f->now);
    advance(f, 10 * SECOND);
    check_log(f, "");
}

/* Whoever contests every address makes us slow, not busy. */
static void
many_conflicts_are_slow(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    host(f, "10.1.0.2");
    for (int64_t end = f->now + 10 * MINUTE; f->now < end;) {
        advance(f, 100);
        if (f->log[0] == '?') {
            arp(f, true, f->log + 1, "0.0.0.0");
            f->log[0] = '\0';
            n++;
        }
    }
    assert_in_range(n, 11, 21); /* Ten, then one a minute. */
    advance(f, 2 * MINUTE);
    struct ip_addr a = igmp_address_get(f->a);
    assert_false(ip_addr_is_any(&a));
}

static void
follows_hosts_that_moved(void **state)
{
    struct fixture *f = *state;

    settle(f);
    for (int i = 0; i < 4; i++) { /* A visitor or two do not matter. */
        host(f, "192.168.1.1");
        host(f, "10.1.0.2");
        host(f, "10.1.0.3");
        advance(f, 2 * MINUTE);
    }
    check_log(f, "");
    for (int i = 0; i < 8; i++) {
        host(f, "192.168.1.1");
        host(f, "192.168.1.2");
        host(f, "192.168.1.3");
        advance(f, MINUTE);
        if (i < 5) {
            check_log(f, "");
        }
    }
    check_log(f, "?192.168.1.14 ?192.168.1.14 ?192.168.1.14 =192.168.1.14");
    advance(f, 60 * MINUTE);
    check_log(f, "");
}

/* While the new one is looked for the old one serves, and if all come back it
 * stays. */
static void
old_address_serves_meanwhile(void **state)
{
    struct fixture *f = *state;

    settle(f);
    while (!f->log[0]) {
        host(f, "192.168.1.1");
        host(f, "192.168.1.2");
        host(f, "192.168.1.3");
        advance(f, SECOND);
    }
    check_log(f, "?192.168.1.14");
    struct ip_addr a = igmp_address_get(f->a);
    assert_int_equal(ip_addr_to_v4(&a), 0x0a01000e);
    for (int i = 2; i < 9; i++) {
        char text[32];

        sprintf(text, "10.1.0.%d", i);
        host(f, text);
    }
    arp(f, true, "192.168.1.14", "0.0.0.0");
    advance(f, 10 * MINUTE);
    check_log(f, "");
    a = igmp_address_get(f->a);
    assert_int_equal(ip_addr_to_v4(&a), 0x0a01000e);
}

static void
table_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[32];

    settle(f);
    for (int i = 0; i < 100000; i++) {
        sprintf(text, "10.%d.%d.%d", 2 + i % 7, i / 250 % 250, 1 + i % 250);
        host(f, text);
    }
    advance(f, 30 * MINUTE);
    struct ip_addr a = igmp_address_get(f->a);
    assert_false(ip_addr_is_any(&a));
}

/* RFC 4291 appendix A's form: the universal bit turned, fffe in the middle. */
static void
link_local(void **state)
{
    const struct mac_addr mac = {{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};
    const struct mac_addr real = {{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
    struct ip_addr a = igmp_address_link_local(&mac);
    struct ip_addr b = igmp_address_link_local(&real);
    struct ip_addr want_a = ip("fe80::11:22ff:fe33:4455");
    struct ip_addr want_b = ip("fe80::3656:78ff:fe9a:bcde");

    (void) state;
    assert_true(ip_addr_equal(&a, &want_a));
    assert_true(ip_addr_equal(&b, &want_b));
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nobody_heard_nothing_taken),
        TEST(takes_what_nobody_answers_for),
        TEST(leaves_what_somebody_has),
        TEST(leaves_what_somebody_probes),
        TEST(top_of_the_smallest_block),
        TEST(full_block_grows_full_net_waits),
        TEST(most_used_net_counts),
        TEST(gives_up_what_somebody_shows),
        TEST(others_arp_is_no_conflict),
        TEST(many_conflicts_are_slow),
        TEST(follows_hosts_that_moved),
        TEST(old_address_serves_meanwhile),
        TEST(table_is_bounded),
        TEST(link_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
