/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Neutral sources, against the checksum of a whole pseudo header. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/neutral.h"

static struct ip_addr
ip(const char *text)
{
    struct ip_addr addr;
    assert_true(ip_addr_parse(text, &addr));
    return addr;
}

static struct ip_prefix
prefix(const char *text)
{
    struct ip_prefix p;
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

/* RFC 1071, of both addresses. */
static uint16_t
checksum(const struct ip_addr *a, const struct ip_addr *b)
{
    uint32_t words[] = {ip_addr_to_v4(a), ip_addr_to_v4(b)}, sum = 0;
    for (int i = 0; i < 2; i++) {
        sum += (words[i] >> 16) + (words[i] & 0xffff);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t) sum;
}

/* The example of ovs-facts: measured to pass. */
static void
finds_the_known_one(void **state)
{
    struct ip_addr from = ip("192.168.168.55"), to, group = ip("226.2.2.2");
    struct ip_prefix pool = prefix("10.1.94.0/24");
    (void) state;
    assert_true(neutral_source(&from, &group, &group, &pool, &to));
    struct ip_addr wanted = ip("10.1.94.223");
    assert_true(ip_addr_equal(&to, &wanted));
}

static void
keeps_the_checksum(void **state)
{
    static const char *const groups[] = {"226.2.2.2", "239.1.1.1",
                                         "239.255.255.255", "224.0.1.0"};
    uint32_t seed = 7;
    (void) state;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525 + 1013904223;
        struct ip_addr from = ip_addr_v4(seed), to;
        struct ip_addr old = ip(groups[i % 4]), new = ip(groups[i / 4 % 4]);
        struct ip_prefix pool = prefix(i % 2 ? "10.1.0.0/16" : "10.0.0.0/8");
        if (neutral_source(&from, &old, &new, &pool, &to)) {
            assert_true(ip_prefix_contains(&pool, &to));
            assert_int_equal(checksum(&from, &old) % 0xffff,
                             checksum(&to, &new) % 0xffff);
        } else {
            /* Only where the one that fits is no host's. */
            assert_true(i % 2);
        }
    }
}

static void
says_when_there_is_none(void **state)
{
    struct ip_addr from = ip("192.168.168.55"), to, group = ip("226.2.2.2");
    struct ip_prefix pool = prefix("10.1.0.0/24"), one = prefix("10.1.94.223");
    (void) state;
    assert_false(neutral_source(&from, &group, &group, &pool, &to));
    assert_true(neutral_source(&from, &group, &group, &one, &to));
}

static void
adds_as_one_complement_does(void **state)
{
    (void) state;
    assert_int_equal(neutral_sum(0xffff0000), 0);
    assert_int_equal(neutral_sum(0xffffffff), 0);
    assert_int_equal(neutral_sum(0x0001ffff), 1);
    assert_int_equal(neutral_add(0xfffe, 2), 1);
    assert_int_equal(neutral_subtract(1, 2), 0xfffe);
    assert_int_equal(neutral_subtract(0, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_known_one),
        cmocka_unit_test(keeps_the_checksum),
        cmocka_unit_test(says_when_there_is_none),
        cmocka_unit_test(adds_as_one_complement_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
