/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* ofp_session and ofp_table against the fake switch: a long random life.
 *
 * Whatever is desired, refused, cut off, forgotten or meddled with: when
 * things have come to rest the switch holds exactly what is desired and what
 * is foreign, and no change on the way there made a flow name a group that is
 * not there.  OFM_SEED and OFM_STEPS repeat or lengthen a run. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "tests/sim/sim-entry.h"
#include "tests/sim/sim-link.h"

enum { N_STATIC = 4, N_FOREIGN = 3 };

/* The user's own: a group, the flow that uses it, and another flow. */
static const char *const static_text[N_STATIC] = {
    "group_id=5,type=all,bucket=output:2,bucket=output:3",
    "table=0,priority=100,udp,nw_dst=226.9.9.9,actions=group:5",
    "table=3,priority=7,arp,actions=NORMAL",
    "group_id=6,type=all,bucket=mod_dl_dst:02:00:00:00:00:01,output:4",
};
static const bool static_is_group[N_STATIC] = {true, false, false, true};

/* Somebody else's: the same tables, another cookie; a group out of range. */
static const char *const foreign_flows[N_FOREIGN] = {
    "table=40,priority=150,ip,nw_dst=226.2.2.2,actions=group:900",
    "table=0,priority=5,cookie=0x1,actions=output:1",
    "table=30,priority=1000,cookie=0x4f464d4400000000,ip,actions=drop",
};
static const char foreign_group[] = "group_id=900,type=all,bucket=output:1";

struct world {
    struct sim_link link; /* First: callbacks get this. */
    struct sim_random random;
    bool has[SIM_N_SLOTS];
    struct sim_entry entries[SIM_N_SLOTS];
    struct ofp_static *rules[N_STATIC];
    bool has_rule[N_STATIC];
    bool may_linger[N_STATIC]; /* Unset, but perhaps still in the switch. */
    bool meddled;              /* Somebody touched what is ours. */
    uint64_t seed, step;
};

/* Telling the table. */

static void
set_slot(struct world *w, unsigned int slot)
{
    const struct sim_entry *e = &w->entries[slot];

    assert_int_equal(ofp_table_set(w->link.table, &e->flow, e->buckets,
                                   e->n_buckets, slot + 1, NULL),
                     0);
}

static void
unset_slot(struct world *w, unsigned int slot)
{
    const struct ofp_flow *f = &w->entries[slot].flow;

    ofp_table_unset(w->link.table, f->table, f->priority, &f->match);
    w->has[slot] = false;
}

static void
set_rule(struct world *w, int i, bool installed_before)
{
    assert_int_equal(ofp_table_set_static(w->link.table, w->rules[i],
                                          installed_before, 1000 + i, NULL),
                     0);
    w->has_rule[i] = true;
}

static void
unset_rule(struct world *w, int i)
{
    ofp_table_unset_static(w->link.table, w->rules[i]);
    w->has_rule[i] = false;
    w->may_linger[i] = true;
}

static void
tell_meters_and_rules(struct world *w)
{
    ofp_table_set_meter(w->link.table, SIM_METER, 1000, 100);
    for (int i = 0; i < N_STATIC; i++) {
        if (w->has_rule[i] || w->may_linger[i]) {
            bool wanted = w->has_rule[i];

            /* A controller remembers what it still has to take away. */
            set_rule(w, i, true);
            if (!wanted) {
                unset_rule(w, i);
            }
        }
    }
}

static void
tell_everything(struct world *w)
{
    tell_meters_and_rules(w);
    for (unsigned int slot = 0; slot < SIM_N_SLOTS; slot++) {
        if (w->has[slot]) {
            set_slot(w, slot);
        }
    }
}

/* A fresh table may learn what is desired when it has read the switch; one
 * that was connected before knows already, and being told again is no
 * change. */
static void
synced(struct sim_link *link)
{
    struct world *w = (struct world *) link;

    tell_everything(w);
}

/* Comparing. */

struct lines {
    char *lines[2 * (SIM_N_SLOTS + N_STATIC + N_FOREIGN)];
    size_t n;
};

static void
add_line(struct lines *l, char *line)
{
    assert_non_null(line);
    l->lines[l->n++] = line;
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The cookies of static flows are the table's business, but for the mark. */
static void
blur_cookies(char *text)
{
    for (char *p = text; (p = strstr(p, " cookie=")); p++) {
        const char *line = p;

        while (line > text && line[-1] != '\n') {
            line--;
        }
        if ((!strncmp(line, "table=0 ", 8) || !strncmp(line, "table=3 ", 8))
            && !strncmp(p, " cookie=0x4f464d43", 18)) {
            memset(p + 18, '0', strcspn(p + 18, " "));
        }
    }
}

/* Prints the lines that are only in one of two sorted texts. */
static void
print_difference(const char *want, const char *got)
{
    while (*want || *got) {
        size_t a = strcspn(want, "\n"), b = strcspn(got, "\n");
        int order = !*want  ? 1
                    : !*got ? -1
                            : strncmp(want, got, (a > b ? a : b) + 1);

        if (order < 0) {
            fprintf(stderr, "missing: %.*s\n", (int) a, want);
        } else if (order > 0) {
            fprintf(stderr, "too much: %.*s\n", (int) b, got);
        }
        want += order <= 0 ? a + 1 : 0;
        got += order >= 0 ? b + 1 : 0;
    }
}

static void
expect_lines(struct world *w, struct lines *l, char *got, const char *what)
{
    char *want = xstrdup("");

    qsort(l->lines, l->n, sizeof *l->lines, compare_lines);
    for (size_t i = 0; i < l->n; i++) {
        char *longer = xasprintf("%s%s\n", want, l->lines[i]);

        free(want);
        free(l->lines[i]);
        want = longer;
    }
    l->n = 0;
    blur_cookies(want);
    blur_cookies(got);
    if (strcmp(got, want)) {
        fprintf(stderr, "seed %" PRIu64 " step %" PRIu64 ": %s differ\n",
                w->seed, w->step, what);
        print_difference(want, got);
        fail();
    }
    free(want);
    free(got);
}

static void
expect_slot(struct world *w, unsigned int slot, struct lines *flows,
            struct lines *groups)
{
    const struct sim_entry *e = &w->entries[slot];
    struct ofp_entry_view view;
    char text[SIM_TEXT_SIZE];

    assert_true(ofp_table_lookup(w->link.table, e->flow.table,
                                 e->flow.priority, &e->flow.match, &view));
    assert_int_equal(view.state, OFP_ENTRY_APPLIED);
    assert_int_equal(view.owner, slot + 1);
    sim_entry_flow_text(e, view.group_id, text);
    add_line(flows, fake_switch_format_flow(text));
    if (sim_entry_has_group(e)) {
        assert_in_range(view.group_id, OFP_GROUP_ID_FIRST, OFP_GROUP_ID_LAST);
        sim_entry_group_text(e, view.group_id, text);
        add_line(groups, fake_switch_format_group(text));
    }
}

static void
expect_everything(struct world *w)
{
    struct lines flows = {.n = 0}, groups = {.n = 0};
    struct ofp_table_counters counters;

    for (unsigned int slot = 0; slot < SIM_N_SLOTS; slot++) {
        if (w->has[slot]) {
            expect_slot(w, slot, &flows, &groups);
        }
    }
    for (int i = 0; i < N_STATIC; i++) {
        if (w->has_rule[i] && static_is_group[i]) {
            add_line(&groups, fake_switch_format_group(static_text[i]));
        } else if (w->has_rule[i]) {
            char *text =
                xasprintf("cookie=0x4f464d4300000000,%s", static_text[i]);

            add_line(&flows, fake_switch_format_flow(text));
            free(text);
        }
    }
    for (int i = 0; i < N_FOREIGN; i++) {
        add_line(&flows, fake_switch_format_flow(foreign_flows[i]));
    }
    add_line(&groups, fake_switch_format_group(foreign_group));

    ofp_table_counters(w->link.table, &counters);
    assert_int_equal(counters.flows, flows.n - N_FOREIGN);
    assert_int_equal(counters.groups, groups.n - 1);
    assert_int_equal(counters.pending + counters.rejected, 0);
    expect_lines(w, &flows, fake_switch_dump_flows(w->link.sw), "flows");
    expect_lines(w, &groups, fake_switch_dump_groups(w->link.sw), "groups");
}

/* What must hold at any moment. */
static void
expect_invariants(struct world *w)
{
    struct fake_switch_counters counters;

    fake_switch_counters(w->link.sw, &counters);
    if (w->link.failed || counters.undecodable || counters.crashes
        || (counters.cascaded && !w->meddled)
        || (counters.bad_out_group && !w->link.n_refused && !w->meddled)) {
        fprintf(stderr,
                "seed %" PRIu64 " step %" PRIu64 ": %s, undecodable %" PRIu64
                ", cascaded %" PRIu64 ", bad out group %" PRIu64 "\n",
                w->seed, w->step, w->link.failed ? w->link.failed : "broken",
                counters.undecodable, counters.cascaded,
                counters.bad_out_group);
        fail();
    }
}

/* Coming to rest: nothing in flight, no retry due. */

static bool
at_rest(struct world *w)
{
    struct ofp_table_counters counters;

    ofp_table_counters(w->link.table, &counters);
    return w->link.session && ofp_table_is_synced(w->link.table)
           && !counters.pending && !counters.rejected
           && ofp_table_settled_seqno(w->link.table)
                  == ofp_table_seqno(w->link.table);
}

static void
rest(struct world *w)
{
    w->link.refuse_percent = 0;
    sim_link_connect(&w->link);
    sim_link_pump(&w->link);
    for (int i = 0; i < 200 && !at_rest(w); i++) {
        int64_t next = ofp_table_deadline(w->link.table);

        assert_true(next != INT64_MAX);
        w->link.now = next > w->link.now ? next : w->link.now + 1;
        sim_link_pump(&w->link);
        expect_invariants(w);
    }
    if (w->meddled) {
        /* Only an audit can tell. */
        for (int64_t end = w->link.now + OFP_AUDIT_MS + 1000;
             w->link.now < end; w->link.now += 1000) {
            sim_link_pump(&w->link);
        }
        sim_link_pump(&w->link);
    }
    assert_true(at_rest(w));
    expect_everything(w);
    w->meddled = false;
    memset(w->may_linger, 0, sizeof w->may_linger);
}

/* One step. */

static void
change_slot(struct world *w)
{
    unsigned int slot = sim_random(&w->random, SIM_N_SLOTS);

    if (w->has[slot] && sim_chance(&w->random, 35)) {
        unset_slot(w, slot);
    } else {
        sim_entry_make(&w->entries[slot], slot, &w->random);
        w->has[slot] = true;
        set_slot(w, slot);
    }
}

static void
change_rule(struct world *w)
{
    int i = (int) sim_random(&w->random, N_STATIC);

    if (!w->has_rule[i]) {
        if (i == 1 && !w->has_rule[0]) {
            set_rule(w, 0, false);
        }
        set_rule(w, i, false);
        return;
    }
    if (i == 0 && w->has_rule[1]) { /* The flow goes with its group. */
        unset_rule(w, 1);
    }
    unset_rule(w, i);
}

/* Somebody deletes, or changes, what is ours. */
static void
meddle(struct world *w)
{
    static const char *const acts[][2] = {
        {"del-flows", "table=40,cookie=0x4f464d4300000001/-1"},
        {"mod-flows", "table=20,cookie=0x4f464d4300000002/-1,actions=drop"},
        {"add-flow", "table=40,priority=999,cookie=0x4f464d4300000009,"
                     "actions=output:1"},
        {"del-groups", "group_id=0x4d000000"},
        {"del-groups", "group_id=5"},
        {"add-group", "group_id=0x4dfffff0,type=all"},
    };
    uint32_t i = sim_random(&w->random, sizeof acts / sizeof *acts);

    rest(w);
    fake_switch_ofctl(w->link.sw, acts[i][0], acts[i][1]);
    w->meddled = true;
    rest(w);
}

static void
lose_controller(struct world *w)
{
    sim_link_lose_controller(&w->link);
    if (!sim_strict()) {
        /* Meters and static groups that a fresh table learns of only after it
         * has read the switch are sent once more, and refused. */
        tell_meters_and_rules(w);
    }
}

/* A new controller finds everything as it should be, and touches nothing. */
static void
replace_controller(struct world *w)
{
    struct fake_switch_counters before, after;

    rest(w);
    fake_switch_counters(w->link.sw, &before);
    lose_controller(w);
    sim_link_connect(&w->link);
    rest(w);
    fake_switch_counters(w->link.sw, &after);
    if (after.n_mods != before.n_mods) {
        fprintf(stderr,
                "seed %" PRIu64 " step %" PRIu64 ": %" PRIu64
                " modifications after a restart\n",
                w->seed, w->step, after.n_mods - before.n_mods);
        fail();
    }
    assert_true(w->link.n_adopted + N_STATIC >= after.flows - N_FOREIGN);
}

static void
cut_connection(struct world *w)
{
    sim_link_disconnect(&w->link);
    if (sim_chance(&w->random, 30)) {
        /* ovs-vswitchd restarted; whoever put foreign things there, too. */
        fake_switch_wipe(w->link.sw);
        assert_true(fake_switch_ofctl(w->link.sw, "add-group", foreign_group));
        for (int i = 0; i < N_FOREIGN; i++) {
            assert_true(
                fake_switch_ofctl(w->link.sw, "add-flow", foreign_flows[i]));
        }
    }
    if (sim_chance(&w->random, 30)) {
        lose_controller(w);
    }
    w->link.now += sim_random(&w->random, 20000);
}

static void
step(struct world *w)
{
    uint32_t dice = sim_random(&w->random, 1000);

    if (dice < 500) {
        change_slot(w);
    } else if (dice < 530) {
        change_rule(w);
    } else if (dice < 930) {
        for (uint32_t n = 1 + sim_random(&w->random, 6); n; n--) {
            sim_link_step(&w->link);
        }
        w->link.now += sim_random(&w->random, 50);
    } else if (dice < 940) {
        cut_connection(w);
    } else if (dice < 960) {
        sim_link_connect(&w->link);
    } else if (dice < 970) {
        w->link.refuse_percent = sim_random(&w->random, 40);
    } else if (dice < 973) {
        replace_controller(w);
    } else if (dice < 976) {
        meddle(w);
    } else if (dice < 980) {
        fake_switch_faults(w->link.sw)->no_bundles =
            sim_chance(&w->random, 50);
    } else {
        rest(w);
    }
    expect_invariants(w);
}

static uint32_t
no_port(void *aux, const char *name)
{
    (void) aux, (void) name;
    return 0;
}

static void
make_world(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    sim_random_init(&w->random, seed);
    sim_link_init(&w->link, seed + 1);
    w->link.on_synced = synced;
    for (int i = 0; i < N_STATIC; i++) {
        char *error = NULL;

        w->rules[i] = ofp_static_parse(
            static_is_group[i] ? OFP_STATIC_GROUP : OFP_STATIC_FLOW,
            static_text[i], no_port, NULL, NULL, &error);
        if (!w->rules[i]) {
            fail_msg("%s: %s", static_text[i], error);
        }
    }
    assert_true(fake_switch_ofctl(w->link.sw, "add-group", foreign_group));
    for (int i = 0; i < N_FOREIGN; i++) {
        assert_true(
            fake_switch_ofctl(w->link.sw, "add-flow", foreign_flows[i]));
    }
}

static void
free_world(struct world *w)
{
    for (int i = 0; i < N_STATIC; i++) {
        ofp_static_destroy(w->rules[i]);
    }
    sim_link_uninit(&w->link);
}

static void
holds_what_is_desired_through_anything(void **state)
{
    uint64_t n_steps = sim_setting("OFM_STEPS", 10000);
    uint64_t first = sim_setting("OFM_SEED", 1);
    uint64_t last = getenv("OFM_SEED") ? first : first + 4;
    struct world *w = xmalloc(sizeof *w);

    (void) state;
    for (uint64_t seed = first; seed <= last; seed++) {
        make_world(w, seed);
        for (w->step = 0; w->step < n_steps / (last - first + 1); w->step++) {
            step(w);
        }
        rest(w);
        replace_controller(w);
        free_world(w);
    }
    free(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_is_desired_through_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
