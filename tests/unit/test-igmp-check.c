/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Who may be believed: one right message of each kind, and what is changed
 * about it.  IGMP's side is in test-igmp-snoop too. */

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(s, &a));
    return a;
}

/* A message of 'kind' that is right in everything. */
static struct igmp_msg
right(enum igmp_family family, enum igmp_kind kind)
{
    static const struct {
        const char *group[IGMP_N_FAMILIES], *dst[IGMP_N_FAMILIES];
    } of[] = {
        [IGMP_QUERY] = {{NULL, NULL}, {"224.0.0.1", "ff02::1"}},
        [IGMP_V1_REPORT] = {{"226.2.2.2", "ff15::2:2"},
                            {"226.2.2.2", "ff15::2:2"}},
        [IGMP_V2_REPORT] = {{"226.2.2.2", "ff15::2:2"},
                            {"226.2.2.2", "ff15::2:2"}},
        [IGMP_V2_LEAVE] = {{"226.2.2.2", "ff15::2:2"},
                           {"224.0.0.2", "ff02::2"}},
        [IGMP_V3_REPORT] = {{NULL, NULL}, {"224.0.0.22", "ff02::16"}},
        [IGMP_ROUTER_ADVERTISEMENT] = {{NULL, NULL},
                                       {"224.0.0.106", "ff02::6a"}},
        [IGMP_ROUTER_SOLICITATION] = {{NULL, NULL}, {"224.0.0.2", "ff02::2"}},
        [IGMP_ROUTER_TERMINATION] = {{NULL, NULL},
                                     {"224.0.0.106", "ff02::6a"}},
        [IGMP_PIM_HELLO] = {{NULL, NULL}, {"224.0.0.13", "ff02::d"}},
    };
    const char *group = of[kind].group[family];
    struct igmp_msg m = {.family = family,
                         .kind = kind,
                         .eth_src = {{2, 0, 0, 0, 0, 2}},
                         .ip_src =
                             ip(family == IGMP_IPV6 ? "fe80::2" : "10.1.0.2"),
                         .ip_dst = ip(of[kind].dst[family]),
                         .ttl = 1,
                         .group = group ? ip(group) : IP_ADDR_ANY};

    m.eth_dst = mac_addr_of_group(&m.ip_dst);
    return m;
}

static enum igmp_error
from(enum igmp_family family, enum igmp_kind kind, const char *ip_src)
{
    struct igmp_msg m = right(family, kind);

    m.ip_src = ip(ip_src);
    return igmp_check_msg(&m);
}

static void
what_is_right_is_taken(void **state)
{
    (void) state;
    for (int family = 0; family < IGMP_N_FAMILIES; family++) {
        for (int kind = IGMP_QUERY; kind <= IGMP_PIM_HELLO; kind++) {
            struct igmp_msg m =
                right((enum igmp_family) family, (enum igmp_kind) kind);

            assert_int_equal(igmp_check_msg(&m), IGMP_OK);
        }
    }
}

/* RFC 3376 4, RFC 3810 5: it never was routed. */
static void
only_from_the_link(void **state)
{
    (void) state;
    for (int family = 0; family < IGMP_N_FAMILIES; family++) {
        for (int kind = IGMP_QUERY; kind <= IGMP_PIM_HELLO; kind++) {
            struct igmp_msg m =
                right((enum igmp_family) family, (enum igmp_kind) kind);

            m.ttl = 2;
            assert_int_equal(igmp_check_msg(&m), IGMP_BAD_TTL);
            m.ttl = 0;
            assert_int_equal(igmp_check_msg(&m), IGMP_BAD_TTL);
        }
    }
}

/* To the wrong group, or to one host's Ethernet address. */
static void
only_where_it_belongs(void **state)
{
    (void) state;
    for (int family = 0; family < IGMP_N_FAMILIES; family++) {
        for (int kind = IGMP_QUERY; kind <= IGMP_PIM_HELLO; kind++) {
            struct igmp_msg good =
                right((enum igmp_family) family, (enum igmp_kind) kind);
            struct igmp_msg m = good;

            m.eth_dst = (struct mac_addr){{2, 0, 0, 0, 0, 1}};
            assert_int_equal(igmp_check_msg(&m), IGMP_BAD_DESTINATION);
            m = good;
            m.ip_dst = ip(family == IGMP_IPV6 ? "ff02::3" : "224.0.0.3");
            m.eth_dst = mac_addr_of_group(&m.ip_dst);
            assert_int_equal(igmp_check_msg(&m), IGMP_BAD_DESTINATION);
            m = good;
            m.eth_src.b[0] |= 1;
            assert_int_equal(igmp_check_msg(&m), IGMP_BAD_SOURCE);
        }
    }
}

/* 0.0.0.0: hosts without an address and proxies, but no router. */
static void
who_may_speak_igmp(void **state)
{
    (void) state;
    assert_int_equal(from(IGMP_IPV4, IGMP_V3_REPORT, "0.0.0.0"), IGMP_OK);
    assert_int_equal(from(IGMP_IPV4, IGMP_QUERY, "0.0.0.0"), IGMP_OK);
    assert_int_equal(from(IGMP_IPV4, IGMP_PIM_HELLO, "0.0.0.0"),
                     IGMP_BAD_SOURCE);
    assert_int_equal(from(IGMP_IPV4, IGMP_ROUTER_ADVERTISEMENT, "0.0.0.0"),
                     IGMP_BAD_SOURCE);
    assert_int_equal(from(IGMP_IPV4, IGMP_V3_REPORT, "127.0.0.1"),
                     IGMP_BAD_SOURCE);
    assert_int_equal(from(IGMP_IPV4, IGMP_V3_REPORT, "fe80::2"),
                     IGMP_BAD_SOURCE);
}

/* RFC 3810 5.1.14, 5.2.13; RFC 3590. */
static void
who_may_speak_mld(void **state)
{
    static const enum igmp_kind of_hosts[] = {IGMP_V2_REPORT, IGMP_V2_LEAVE,
                                              IGMP_V3_REPORT};
    static const enum igmp_kind of_routers[] = {
        IGMP_QUERY, IGMP_ROUTER_ADVERTISEMENT, IGMP_ROUTER_TERMINATION,
        IGMP_PIM_HELLO};
    static const char *const bad[] = {"2001:db8::2", "fec0::1", "ff02::1",
                                      "10.1.0.2"};

    (void) state;
    for (size_t i = 0; i < sizeof of_hosts / sizeof *of_hosts; i++) {
        assert_int_equal(from(IGMP_IPV6, of_hosts[i], "::"), IGMP_OK);
        assert_int_equal(from(IGMP_IPV6, of_hosts[i], "febf::2"), IGMP_OK);
    }
    for (size_t i = 0; i < sizeof of_routers / sizeof *of_routers; i++) {
        assert_int_equal(from(IGMP_IPV6, of_routers[i], "::"),
                         IGMP_BAD_SOURCE);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(from(IGMP_IPV6, IGMP_QUERY, bad[i]), IGMP_BAD_SOURCE);
        assert_int_equal(from(IGMP_IPV6, IGMP_V3_REPORT, bad[i]),
                         IGMP_BAD_SOURCE);
    }
}

/* RFC 4541 3, RFC 3810 6: neighbour discovery needs its groups whole. */
static void
which_groups_have_state(void **state)
{
    static const struct {
        const char *group;
        enum igmp_error error;
    } cases[] = {
        {"ff15::2:2", IGMP_OK},
        {"ff35::1", IGMP_OK},
        {"ff0e::1", IGMP_OK},
        {"ff05::fb", IGMP_OK},
        {"ff12::1234", IGMP_OK}, /* Link-local, but nobody's by standard. */
        {"ff02::1", IGMP_IGNORED},
        {"ff02::fb", IGMP_IGNORED},
        {"ff02::1:ff00:1", IGMP_IGNORED},
        {"ff01::1", IGMP_IGNORED},
        {"ff00::1", IGMP_IGNORED},
        {"ff11::1", IGMP_IGNORED},
        {"2001:db8::1", IGMP_BAD_GROUP},
        {"226.2.2.2", IGMP_BAD_GROUP},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip_addr group = ip(cases[i].group);

        assert_int_equal(igmp_check_group(IGMP_IPV6, &group), cases[i].error);

        struct igmp_msg m = right(IGMP_IPV6, IGMP_V2_LEAVE);
        m.group = group;
        assert_int_equal(igmp_check_msg(&m), cases[i].error);
    }
    struct ip_addr v6 = ip("ff15::2:2"), v4 = ip("226.2.2.2");
    assert_int_equal(igmp_check_group(IGMP_IPV4, &v6), IGMP_BAD_GROUP);
    assert_int_equal(igmp_check_group(IGMP_IPV4, &v4), IGMP_OK);
}

static void
which_sources_can_be(void **state)
{
    static const char *const good[] = {"2001:db8::1", "fe80::1", "fd00::1"};
    static const char *const bad[] = {"::", "::1", "ff15::1", "10.1.0.1"};

    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct ip_addr a = ip(good[i]);

        assert_true(igmp_check_source(IGMP_IPV6, &a));
        assert_false(igmp_check_source(IGMP_IPV4, &a));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ip_addr a = ip(bad[i]);

        assert_false(igmp_check_source(IGMP_IPV6, &a));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_taken),
        cmocka_unit_test(only_from_the_link),
        cmocka_unit_test(only_where_it_belongs),
        cmocka_unit_test(who_may_speak_igmp),
        cmocka_unit_test(who_may_speak_mld),
        cmocka_unit_test(which_groups_have_state),
        cmocka_unit_test(which_sources_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
