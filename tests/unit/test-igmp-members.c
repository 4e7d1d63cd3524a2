/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-snoop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/igmp-lab.h"

/* Hosts, leave modes, copies, moves, static members and limits of a vlan. */

static struct igmp_port_config settings[16];

static int
setup_settings(void **state)
{
    setup(state);
    for (int i = 0; i < 16; i++) {
        settings[i] = igmp_port_config_default;
        settings[i].unicast_max = 8;
        ((struct fixture *) *state)->settings[i] = &settings[i];
    }
    return 0;
}

static void
reload(struct fixture *f)
{
    igmp_snoop_set_config(f->s, &f->config, f->now);
}

/* Leave modes. */

/* Two hosts behind one port: whatever the mode, the second loses nothing, and
 * when it leaves too, the stream ends. */
static void
check_two_hosts(struct fixture *f, enum igmp_leave leaves, int version,
                const char *asked, const char *last)
{
    settings[2].leave = leaves;
    reload(f);
    join(f, 2, 1, version, G);
    join(f, 2, 2, version, G);
    advance(f, 10 * SECOND);
    f->log[0] = '\0';
    leave(f, 2, 1, version, G);
    check_log(f, asked);
    advance(f, SECOND);
    join(f, 2, 2, version, G); /* The answer, or just a refresh. */
    f->log[0] = '\0';
    advance(f, 5 * SECOND);
    assert_null(strstr(f->log, G));
    assert_true(forwards(f, 2, NULL, G));
    leave(f, 2, 2, version, G);
    advance(f, 5 * SECOND);
    assert_non_null(strstr(f->log, last));
    f->log[0] = '\0';
}

static void
second_host_loses_nothing(void **state)
{
    struct fixture *f = *state;
    static const char all[] = "p2?226.2.2.2 p2?226.2.2.2 p2-226.2.2.2";

    check_two_hosts(f, IGMP_LEAVE_QUERY, 3, "p2?226.2.2.2", all);
    check_two_hosts(f, IGMP_LEAVE_TRACKED, 3, "", "p2-226.2.2.2");
    check_two_hosts(f, IGMP_LEAVE_IMMEDIATE, 3, "", "p2-226.2.2.2");
    check_two_hosts(f, IGMP_LEAVE_QUERY, 2, "p2?226.2.2.2", all);
    check_two_hosts(f, IGMP_LEAVE_TRACKED, 2, "p2?226.2.2.2", all);
    check_two_hosts(f, IGMP_LEAVE_IMMEDIATE, 2, "", "p2-226.2.2.2");
}

/* One of two dies silently: within one membership interval it is forgotten,
 * and the leave of the other ends the stream at once. */
static void
silent_death_is_noticed(void **state)
{
    struct fixture *f = *state;

    settings[2].leave = IGMP_LEAVE_TRACKED;
    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    for (int i = 0; i < 3; i++) {
        advance(f, 100 * SECOND);
        join(f, 2, 2, 3, G);
    }
    f->log[0] = '\0';
    leave(f, 2, 2, 3, G);
    check_log(f, "p2-226.2.2.2");
}

/* Copies. */

static void
copies_of_hosts(void **state)
{
    struct fixture *f = *state;

    settings[2].delivery = IGMP_DELIVER_UNICAST;
    join(f, 2, 2, 3, G);
    join(f, 2, 1, 3, G);
    join(f, 3, 3, 3, G);
    check_log(f, "p2+226.2.2.2 p2+226.2.2.2 p3+226.2.2.2");
    check_copies(f, NULL, G, " p2@1 p2@2 p3");
    join(f, 2, 1, 3, G);
    check_log(f, "");
    leave(f, 2, 1, 3, G);
    check_log(f, "p2?226.2.2.2 p2+226.2.2.2");
    check_copies(f, NULL, G, " p2@2 p3");
    leave(f, 2, 2, 3, G); /* Nobody is known: nobody gets it. */
    check_copies(f, NULL, G, " p3");
    assert_false(forwards(f, 2, NULL, G));
}

/* Each gets what its own filter passes, and each source that they do not agree
 * about is named. */
static void
copies_by_filter(void **state)
{
    struct fixture *f = *state;
    struct ip_addr g = ip(G), out[4];

    settings[2].delivery = IGMP_DELIVER_UNICAST;
    tell(f, 2, 1, IGMP_CHANGE_TO_EXCLUDE, G, A, NULL);
    tell(f, 2, 2, IGMP_CHANGE_TO_EXCLUDE, G, NULL, NULL);
    check_copies(f, NULL, G, " p2@1 p2@2");
    check_copies(f, A, G, " p2@2");
    check_copies(f, B, G, " p2@1 p2@2");
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, out, 4), 1);
    tell(f, 2, 3, IGMP_CHANGE_TO_INCLUDE, G, B, NULL);
    check_copies(f, B, G, " p2@1 p2@2 p2@3");
    check_copies(f, NULL, G, " p2@1 p2@2");
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, out, 4), 2);
    f->log[0] = '\0';
    tell(f, 2, 2, IGMP_BLOCK_OLD_SOURCES, G, B, NULL);
    assert_non_null(strstr(f->log, "p2+226.2.2.2"));
    check_copies(f, B, G, " p2@1 p2@3");
}

/* A dead host's copy ends, those of the others go on. */
static void
copies_of_the_dead_end(void **state)
{
    struct fixture *f = *state;

    settings[2].delivery = IGMP_DELIVER_UNICAST;
    join(f, 2, 1, 2, G);
    join(f, 2, 2, 2, G);
    advance(f, 130 * SECOND);
    join(f, 2, 2, 2, G);
    f->log[0] = '\0';
    advance(f, 10 * SECOND); /* 1 may have been silenced by 2's report. */
    assert_non_null(strstr(f->log, "p2?226.2.2.2@1 p2?226.2.2.2@1"));
    assert_int_equal(f->sent.version, 2);
    f->log[0] = '\0';
    advance(f, 119 * SECOND);
    check_copies(f, NULL, G, " p2@1 p2@2");
    advance(f, SECOND);
    check_copies(f, NULL, G, " p2@2");
}

/* Two set-top boxes switched on at once: the report of one made the other keep
 * silent, so that nobody knows of it.  It is looked for. */
static void
who_was_silenced_at_its_join_is_looked_for(void **state)
{
    struct fixture *f = *state;

    settings[2].delivery = IGMP_DELIVER_UNICAST;
    join(f, 2, 1, 2, G);
    check_log(f, "p2+226.2.2.2");
    advance(f, 5 * SECOND);
    check_log(f, "p2?226.2.2.2/S p2?226.2.2.2/S p2?226.2.2.2/S "
                 "p2?226.2.2.2/S");
    join(f, 2, 1, 2, G); /* Known: no news. */
    join(f, 2, 3, 3, G2);
    advance(f, 5 * SECOND);
    check_log(f, "p2+239.1.1.1");
}

static void
auto_changes_with_the_number_of_hosts(void **state)
{
    struct fixture *f = *state;

    settings[2].delivery = IGMP_DELIVER_AUTO;
    settings[2].unicast_max = 2;
    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    check_copies(f, NULL, G, " p2@1 p2@2");
    f->log[0] = '\0';
    join(f, 2, 3, 3, G);
    check_log(f, "p2+226.2.2.2");
    check_copies(f, NULL, G, " p2");
    leave(f, 2, 1, 3, G);
    check_copies(f, NULL, G, " p2@2 p2@3");
}

/* While the stream runs. */
static void
delivery_can_be_switched(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    check_copies(f, NULL, G, " p2");
    f->log[0] = '\0';
    settings[2].delivery = IGMP_DELIVER_UNICAST;
    reload(f);
    check_log(f, "p2+226.2.2.2");
    check_copies(f, NULL, G, " p2@1 p2@2");
    settings[2].delivery = IGMP_DELIVER_MULTICAST;
    reload(f);
    check_log(f, "p2+226.2.2.2");
    check_copies(f, NULL, G, " p2");
}

/* Older hosts may be hidden: they are asked before the one copy ends. */
static void
switching_asks_older_hosts(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 2, G);
    f->log[0] = '\0';
    settings[2].delivery = IGMP_DELIVER_UNICAST;
    reload(f);
    check_log(f, "p2?226.2.2.2/S");
    check_copies(f, NULL, G, " p2");
    join(f, 2, 2, 2, G);
    check_copies(f, NULL, G, " p2");
    advance(f, 2 * SECOND);
    check_copies(f, NULL, G, " p2@1 p2@2");
}

/* After a restart hosts of v2 may hide behind each other's answers for ever,
 * and those that are known are few: one copy for all goes on. */
static void
auto_stays_where_hosts_hide(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);
    struct ip_addr g = ip(G);

    settings[2].delivery = IGMP_DELIVER_AUTO;
    igmp_snoop_restore(f->s, &p2, &g, true, NULL, 0, f->now);
    for (int i = 0; i < 4; i++) {
        join(f, 2, 1, 2, G);
        advance(f, 125 * SECOND);
        check_copies(f, NULL, G, " p2");
    }
    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    advance(f, 125 * SECOND);
    check_copies(f, NULL, G, " p2");
    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    advance(f, 130 * SECOND); /* No older host for a membership interval. */
    check_copies(f, NULL, G, " p2@1 p2@2");
}

static void
restored_copies(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2), p3 = port(3);
    struct ip_addr g = ip(G), a = ip(A);
    struct mac_addr h1 = {{2, 0, 0, 0, 0, 1}}, h2 = {{2, 0, 0, 0, 0, 2}};

    settings[2].delivery = settings[3].delivery = IGMP_DELIVER_UNICAST;
    igmp_snoop_restore(f->s, &p2, &g, true, NULL, 0, f->now);
    igmp_snoop_restore_host(f->s, &p2, &g, &h1, true, NULL, 0, f->now);
    igmp_snoop_restore_host(f->s, &p2, &g, &h2, true, &a, 1, f->now);
    igmp_snoop_restore_host(f->s, &p3, &g, &h2, true, &a, 1, f->now); /* No. */
    igmp_snoop_restore(f->s, &p3, &g, true, NULL, 0, f->now);
    check_copies(f, NULL, G, " p2@1 p2@2 p3");
    check_copies(f, A, G, " p2@1 p3");
    join(f, 3, 3, 3, G); /* Others may not have answered yet. */
    check_copies(f, NULL, G, " p2@1 p2@2 p3");
    advance(f, 60 * SECOND);
    check_copies(f, NULL, G, " p2@1 p2@2 p3@3");
    join(f, 2, 1, 3, G);
    join(f, 3, 3, 3, G);
    advance(f, 200 * SECOND); /* 2 did not come back. */
    check_copies(f, NULL, G, " p2@1 p3@3");
}

/* Moves. */

static void
host_takes_its_groups_along(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    join(f, 2, 2, 3, G);
    tell(f, 2, 1, IGMP_ALLOW_NEW_SOURCES, G2, A, NULL);
    f->log[0] = '\0';
    join(f, 3, 1, 3, G);
    check_log(f, "p3~239.1.1.1 p3+226.2.2.2 p2?@1");
    assert_true(forwards(f, 3, A, G2));
    advance(f, 2 * SECOND);
    check_log(f, "p2?@1 p2-239.1.1.1 h1:p2>p3:2");
    assert_false(forwards(f, 2, A, G2));
    assert_true(forwards(f, 2, NULL, G)); /* Host 2 stayed. */
}

/* Nobody loses anything by a frame that somebody else sent in his name. */
static void
who_is_still_there_loses_nothing(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    join(f, 3, 1, 3, G2);
    check_log(f, "p2+226.2.2.2 p3+226.2.2.2 p2?@1 p3+239.1.1.1");
    join(f, 2, 1, 3, G); /* The answer. */
    for (int i = 0; i < 5; i++) {
        join(f, 3, 1, 3, G);
        join(f, 2, 1, 3, G);
        advance(f, 100 * SECOND);
        join(f, 4, 1, 3, G);
    }
    assert_null(strstr(f->log, "h1:"));
    assert_null(strstr(f->log, "p2-"));
}

/* Whoever comes back at once is a duplicate. */
static void
duplicates_do_not_move(void **state)
{
    struct fixture *f = *state;

    join(f, 2, 1, 3, G);
    join(f, 3, 1, 3, G);
    advance(f, 3 * SECOND);
    assert_non_null(strstr(f->log, "p2-226.2.2.2 h1:p2>p3:1"));
    f->log[0] = '\0';
    join(f, 2, 1, 3, G);
    check_log(f, "p2+226.2.2.2");
    for (int i = 0; i < 5; i++) {
        join(f, 3, 1, 3, G);
        join(f, 2, 1, 3, G);
        advance(f, 100 * SECOND);
    }
    assert_null(strstr(f->log, "h1:"));
    assert_null(strstr(f->log, "@1"));
    assert_true(forwards(f, 2, NULL, G) && forwards(f, 3, NULL, G));
    /* Port 3 falls silent, then it may move again. */
    advance(f, 100 * SECOND);
    join(f, 2, 1, 3, G);
    advance(f, 100 * SECOND);
    assert_false(forwards(f, 3, NULL, G));
    f->log[0] = '\0';
    join(f, 4, 1, 3, G);
    advance(f, 3 * SECOND);
    assert_non_null(strstr(f->log, "h1:p2>p4:1"));
}

/* Round and round over more than two ports. */
static void
moves_in_a_row_end(void **state)
{
    struct fixture *f = *state;
    int n = 0;

    join(f, 2, 1, 3, G);
    for (unsigned int i = 0; i < 30; i++) {
        f->log[0] = '\0';
        join(f, 3 + i % 3, 1, 3, G);
        advance(f, 3 * SECOND);
        n += strstr(f->log, "h1:") != NULL;
    }
    assert_int_equal(n, 8);
}

/* Nobody can be asked: what was stays. */
static void
moves_beside_another_querier(void **state)
{
    struct fixture *f = *state;
    struct igmp_query q = query_from("10.1.0.0");

    join(f, 2, 1, 3, G);
    ask(f, 9, &q);
    f->log[0] = '\0';
    join(f, 3, 1, 3, G);
    check_log(f, "p3+226.2.2.2");
    advance(f, 100 * SECOND);
    assert_true(forwards(f, 2, NULL, G));
}

static void
router_ports_do_not_move_hosts(void **state)
{
    struct fixture *f = *state;
    struct port_id p3 = port(3);

    igmp_snoop_set_static_router(f->s, &p3, true, f->now);
    join(f, 2, 1, 3, G);
    join(f, 3, 1, 3, G);
    join(f, 2, 1, 3, G);
    assert_null(strstr(f->log, "h1:"));
    assert_true(forwards(f, 2, NULL, G) && forwards(f, 3, NULL, G));
}

struct known {
    size_t n, n_duplicates, n_groups;
};

static bool
count_host(void *known_, const struct igmp_known_host *h)
{
    struct known *known = known_;

    known->n++;
    known->n_duplicates += h->duplicate;
    known->n_groups += h->n_groups;
    return true;
}

static void
hosts_are_listed(void **state)
{
    struct fixture *f = *state;
    struct known known = {0, 0, 0};

    for (unsigned int host = 1; host <= 100; host++) {
        join(f, host % 7, host, 3, G);
        join(f, host % 7, host, 3, G2);
    }
    join(f, 9, 1, 3, G);
    join(f, 1, 1, 3, G); /* Back: a duplicate. */
    igmp_snoop_each_host(f->s, count_host, &known);
    assert_int_equal(known.n, 101);
    assert_int_equal(known.n_duplicates, 2);
    assert_int_equal(known.n_groups, 202);
}

/* Static members. */

static void
static_and_learned_merge(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2), p3 = port(3);
    struct ip_addr g = ip(G), a = ip(A), local = ip("224.0.0.5");
    struct igmp_filter only_a = {.sources = &a, .n_sources = 1},
                       all = {true, NULL, 0};

    assert_true(igmp_snoop_set_static(f->s, &p2, &g, &only_a, f->now));
    assert_true(igmp_snoop_set_static(f->s, &p3, &g, &all, f->now));
    assert_false(igmp_snoop_set_static(f->s, &p3, &local, &all, f->now));
    check_log(f, "p2~226.2.2.2 p3+226.2.2.2");
    check_copies(f, A, G, " p2 p3");
    check_copies(f, B, G, " p3");
    assert_int_equal(igmp_snoop_n_groups(f->s), 1);
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, NULL, 0), 1);

    tell(f, 2, 1, IGMP_CHANGE_TO_INCLUDE, G, B, NULL);
    check_copies(f, B, G, " p2 p3");
    tell(f, 2, 1, IGMP_BLOCK_OLD_SOURCES, G, B, NULL);
    advance(f, 5 * SECOND);
    check_copies(f, B, G, " p3");
    join(f, 2, 1, 3, G);
    igmp_snoop_port_down(f->s, &p2, f->now);
    check_copies(f, A, G, " p2 p3");
    check_copies(f, B, G, " p3");
    advance(f, 10 * GMI);
    check_copies(f, A, G, " p2 p3");

    join(f, 2, 1, 3, G);
    assert_true(igmp_snoop_set_static(f->s, &p2, &g, NULL, f->now));
    assert_true(igmp_snoop_set_static(f->s, &p3, &g, NULL, f->now));
    check_copies(f, A, G, " p2");
    assert_int_equal(igmp_snoop_filtered_sources(f->s, &g, NULL, 0), 0);
    leave(f, 2, 1, 3, G);
    advance(f, 5 * SECOND);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
}

static bool
view_of(void *view, const struct igmp_port_view *v)
{
    *(struct igmp_port_view *) view = *v;
    return true;
}

static void
static_is_shown(void **state)
{
    struct fixture *f = *state;
    struct port_id p2 = port(2);
    struct ip_addr g = ip(G);
    struct igmp_filter all = {true, NULL, 0};
    struct igmp_port_view v;

    igmp_snoop_set_static(f->s, &p2, &g, &all, f->now);
    igmp_snoop_each_port(f->s, &g, view_of, &v);
    assert_false(v.learned);
    assert_non_null(v.fixed);
    assert_true(v.fixed->exclude);
    join(f, 2, 1, 3, G);
    igmp_snoop_each_port(f->s, &g, view_of, &v);
    assert_true(v.learned && v.fixed);
    assert_int_equal(v.delivery, IGMP_DELIVER_MULTICAST);
}

/* Limits. */

static enum igmp_error
join_nth(struct fixture *f, unsigned int from, unsigned int host, unsigned n)
{
    char group[32];

    sprintf(group, "239.5.0.%u", n);
    return tell(f, from, host, IGMP_CHANGE_TO_EXCLUDE, group, NULL, NULL);
}

static void
groups_of_a_port_are_limited(void **state)
{
    struct fixture *f = *state;

    settings[2].max_groups = 5;
    for (unsigned int i = 1; i <= 5; i++) {
        assert_int_equal(join_nth(f, 2, 1, i), IGMP_OK);
    }
    check_log(f, "p2+239.5.0.1 p2+239.5.0.2 p2+239.5.0.3 p2!!port-groups "
                 "p2+239.5.0.4 p2+239.5.0.5");
    assert_int_equal(join_nth(f, 2, 1, 6), IGMP_LIMIT);
    assert_int_equal(join_nth(f, 2, 1, 7), IGMP_LIMIT);
    check_log(f, "p2!port-groups p2!port-groups");
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_LIMIT), 2);
    assert_int_equal(join_nth(f, 2, 2, 1), IGMP_OK); /* It has that one. */
    assert_int_equal(join_nth(f, 3, 3, 6), IGMP_OK); /* Another port. */
}

static void
first_group_makes_room(void **state)
{
    struct fixture *f = *state;

    settings[2].max_groups = 2;
    settings[2].replace = true;
    for (unsigned int i = 1; i <= 3; i++) {
        assert_int_equal(join_nth(f, 2, 1, i), IGMP_OK);
    }
    assert_false(forwards(f, 2, NULL, "239.5.0.1"));
    assert_true(forwards(f, 2, NULL, "239.5.0.2"));
    assert_true(forwards(f, 2, NULL, "239.5.0.3"));
}

static void
watermark_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct port_id p3 = port(3);

    f->config.max_groups = 10;
    reload(f);
    for (unsigned int i = 1; i <= 10; i++) {
        join_nth(f, 2, 1, i);
    }
    assert_non_null(strstr(f->log, "p2!!vlan-groups p2+239.5.0.8"));
    assert_int_equal(join_nth(f, 3, 2, 11), IGMP_LIMIT);
    assert_int_equal(join_nth(f, 3, 2, 10), IGMP_OK);
    f->log[0] = '\0';
    igmp_snoop_port_down(f->s, &p3, f->now);
    leave(f, 2, 1, 3, "239.5.0.10");
    leave(f, 2, 1, 3, "239.5.0.9");
    leave(f, 2, 1, 3, "239.5.0.8");
    advance(f, 5 * SECOND);
    join_nth(f, 2, 1, 8); /* Up again, but it was never below 70 %. */
    assert_null(strstr(f->log, "!!"));
    for (unsigned int i = 1; i <= 3; i++) {
        char group[32];

        sprintf(group, "239.5.0.%u", i);
        leave(f, 2, 1, 3, group);
    }
    advance(f, 5 * SECOND);
    f->log[0] = '\0';
    for (unsigned int i = 1; i <= 3; i++) {
        join_nth(f, 2, 1, i);
    }
    assert_non_null(strstr(f->log, "p2!!vlan-groups"));
}

static void
hosts_of_a_port_are_limited(void **state)
{
    struct fixture *f = *state;

    settings[2].max_hosts = 2;
    settings[2].delivery = IGMP_DELIVER_UNICAST;
    assert_int_equal(join_nth(f, 2, 1, 1), IGMP_OK);
    assert_int_equal(join_nth(f, 2, 2, 1), IGMP_OK);
    assert_int_equal(join_nth(f, 2, 3, 1), IGMP_LIMIT);
    assert_int_equal(join_nth(f, 2, 3, 2), IGMP_LIMIT);
    assert_false(forwards(f, 2, NULL, "239.5.0.2"));
    assert_int_equal(igmp_snoop_n_groups(f->s), 1);
    assert_int_equal(join_nth(f, 2, 1, 2), IGMP_OK);
    /* Nor does one move there, to lose what it has where it is. */
    join_nth(f, 3, 4, 3);
    assert_int_equal(join_nth(f, 2, 4, 3), IGMP_LIMIT);
    assert_true(forwards(f, 3, NULL, "239.5.0.3"));
    leave(f, 2, 2, 3, "239.5.0.1");
    assert_int_equal(join_nth(f, 2, 3, 1), IGMP_OK);
}

/* Who needs no copy of its own is not refused for that we cannot know it; but
 * then the others are asked when somebody leaves. */
static void
unknown_hosts_are_members_too(void **state)
{
    struct fixture *f = *state;

    settings[2].max_hosts = 1;
    settings[2].leave = IGMP_LEAVE_IMMEDIATE;
    assert_int_equal(join_nth(f, 2, 1, 1), IGMP_OK);
    assert_int_equal(join_nth(f, 2, 2, 1), IGMP_OK);
    assert_int_equal(join_nth(f, 2, 2, 2), IGMP_OK);
    check_log(f, "p2!!port-hosts p2+239.5.0.1 p2!port-hosts p2!port-hosts "
                 "p2+239.5.0.2");
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_LIMIT), 2);
    leave(f, 2, 1, 3, "239.5.0.1");
    check_log(f, "p2?239.5.0.1");
    join_nth(f, 2, 2, 1);
    advance(f, 5 * SECOND);
    assert_true(forwards(f, 2, NULL, "239.5.0.1"));
}

static void
groups_are_permitted(void **state)
{
    struct fixture *f = *state;
    struct ip_prefix permit, deny;

    ip_prefix_parse("239.5.0.0/16", &permit);
    ip_prefix_parse("239.5.0.128/25", &deny);
    assert_int_equal(join_nth(f, 2, 1, 200), IGMP_OK);
    join(f, 2, 1, 3, G);
    f->log[0] = '\0';
    settings[2].permit = &permit;
    settings[2].deny = &deny;
    settings[2].n_permit = settings[2].n_deny = 1;
    reload(f);
    check_log(f, "p2-239.5.0.200 p2-226.2.2.2");
    assert_int_equal(join_nth(f, 2, 1, 1), IGMP_OK);
    assert_int_equal(join_nth(f, 2, 1, 128), IGMP_DENIED);
    assert_int_equal(tell(f, 2, 1, IGMP_MODE_IS_EXCLUDE, G, NULL, NULL),
                     IGMP_DENIED);
    check_log(f, "p2+239.5.0.1 p2!permission p2!permission");
    settings[2].max_groups = 1;
    join_nth(f, 3, 3, 1);
    reload(f);
    assert_true(forwards(f, 2, NULL, "239.5.0.1"));
}

static void
fewer_groups_after_a_reload(void **state)
{
    struct fixture *f = *state;

    for (unsigned int i = 1; i <= 4; i++) {
        join_nth(f, 2, 1, i);
    }
    f->log[0] = '\0';
    settings[2].max_groups = 3;
    reload(f);
    check_log(f, "p2!!port-groups p2-239.5.0.4");
    settings[2].max_groups = 2;
    settings[2].replace = true;
    reload(f);
    check_log(f, "p2-239.5.0.1");
}

static void
ssm_range_has_sources_only(void **state)
{
    struct fixture *f = *state;
    struct igmp_msg m = report_msg(2, false, "232.1.1.1");
    struct port_id p2 = port(2);

    assert_int_equal(
        tell(f, 2, 1, IGMP_MODE_IS_EXCLUDE, "232.1.1.1", NULL, NULL),
        IGMP_SSM_ONLY);
    assert_int_equal(
        tell(f, 2, 1, IGMP_CHANGE_TO_EXCLUDE, "232.1.1.1", A, NULL),
        IGMP_SSM_ONLY);
    assert_int_equal(igmp_snoop_input(f->s, &p2, &m, f->now), IGMP_SSM_ONLY);
    assert_int_equal(
        tell(f, 2, 1, IGMP_ALLOW_NEW_SOURCES, "232.1.1.1", A, NULL), IGMP_OK);
    check_log(f, "p2~232.1.1.1");
}

static void
sources_are_watched(void **state)
{
    struct fixture *f = *state;
    char source[32];

    for (unsigned int i = 0; i < IGMP_MAX_SOURCES + 1; i++) {
        sprintf(source, "10.9.%u.%u", i / 250, 1 + i % 250);
        tell(f, 2, 1, IGMP_ALLOW_NEW_SOURCES, G, source, NULL);
        if (i == 204) {
            assert_non_null(strstr(f->log, "p2!!sources"));
        }
        if (i < IGMP_MAX_SOURCES) {
            f->log[0] = '\0';
        }
    }
    check_log(f, "p2!sources");
}

/* One port cannot fill the switch: 40 groups of 128 sources each. */
static void
sources_of_a_port_are_limited(void **state)
{
    struct fixture *f = *state;
    struct ip_addr sources[128], g;
    struct igmp_report report = report_of(1, 3);
    struct igmp_report_record r = {
        .type = IGMP_ALLOW_NEW_SOURCES, .sources = sources, .n_sources = 128};
    size_t n = 0;

    report.records = &r;
    for (unsigned int i = 0; i < 128; i++) {
        sources[i] = ip_addr_v4(0x0a090001 + i);
    }
    for (unsigned int i = 0; i < 40; i++) {
        r.group = g = ip_addr_v4(0xef050000 + i);
        say(f, 2, &report);
        n += igmp_snoop_filtered_sources(f->s, &g, NULL, 0);
        assert_int_equal(strstr(f->log, "p2!sources") != NULL, i > 31);
        f->log[0] = '\0';
    }
    assert_int_equal(n, IGMP_MAX_PORT_SOURCES);
    assert_int_equal(igmp_snoop_counter(f->s, IGMP_LIMIT), 8 * 128);
    assert_true(forwards(f, 2, "10.9.0.1", "239.5.0.31"));
    tell(f, 3, 2, IGMP_ALLOW_NEW_SOURCES, G, A, NULL); /* Another port. */
    assert_true(forwards(f, 3, A, G));
    advance(f, GMI);
    assert_int_equal(igmp_snoop_n_groups(f->s), 0);
}

int
main(void)
{
#define TEST(NAME)                                                            \
    cmocka_unit_test_setup_teardown(NAME, setup_settings, teardown)
    const struct CMUnitTest tests[] = {
        TEST(second_host_loses_nothing),
        TEST(silent_death_is_noticed),
        TEST(copies_of_hosts),
        TEST(copies_by_filter),
        TEST(copies_of_the_dead_end),
        TEST(who_was_silenced_at_its_join_is_looked_for),
        TEST(auto_changes_with_the_number_of_hosts),
        TEST(delivery_can_be_switched),
        TEST(switching_asks_older_hosts),
        TEST(auto_stays_where_hosts_hide),
        TEST(restored_copies),
        TEST(host_takes_its_groups_along),
        TEST(who_is_still_there_loses_nothing),
        TEST(duplicates_do_not_move),
        TEST(moves_beside_another_querier),
        TEST(moves_in_a_row_end),
        TEST(router_ports_do_not_move_hosts),
        TEST(hosts_are_listed),
        TEST(static_and_learned_merge),
        TEST(static_is_shown),
        TEST(groups_of_a_port_are_limited),
        TEST(first_group_makes_room),
        TEST(watermark_is_told_once),
        TEST(hosts_of_a_port_are_limited),
        TEST(unknown_hosts_are_members_too),
        TEST(groups_are_permitted),
        TEST(fewer_groups_after_a_reload),
        TEST(ssm_range_has_sources_only),
        TEST(sources_are_watched),
        TEST(sources_of_a_port_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
