/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A table and a switch to which anything happens at any time: changes, rounds
 * cut short, refusals, lost connections, restarts of either side, others that
 * delete what is ours.  Once all is quiet, the switch holds what is desired
 * and nothing else, and nothing moves any more.
 *
 * Each run is a seed; a failure prints it, and the test takes one as its
 * argument to run that alone. */

#include "lib/xalloc.h"
#include "tests/unit/ofp-rig.h"

enum { N_CHANNELS = 6, N_STEPS = 400, N_SEEDS = 1000 };

static uint32_t seed, state_of_random;

/* What is desired: the ports of each channel, "" = none. */
static char desired[N_CHANNELS][8];

static uint32_t
rnd(uint32_t n)
{
    state_of_random = state_of_random * 1664525 + 1013904223;
    return (state_of_random >> 8) % n;
}

static const char *
name_of(int channel)
{
    static char name[16];

    snprintf(name, sizeof name, "226.2.2.%d", channel);
    return name;
}

static void
change(struct rig *r)
{
    int channel = rnd(N_CHANNELS);
    size_t n = rnd(5);

    for (size_t i = 0; i < n; i++) {
        desired[channel][i] = '1' + rnd(8);
    }
    desired[channel][n] = '\0';
    if (n) {
        rig_set(r, name_of(channel), desired[channel]);
    } else {
        rig_unset(r, name_of(channel));
    }
}

static void
set_all(struct rig *r)
{
    for (int i = 0; i < N_CHANNELS; i++) {
        if (desired[i][0]) {
            rig_set(r, name_of(i), desired[i]);
        }
    }
}

/* Somebody else, with ovs-ofctl. */
static void
meddle(struct rig *r)
{
    char text[64];

    switch (rnd(4)) {
    case 0:
        snprintf(text, sizeof text, "ip,nw_dst=%s", name_of(rnd(N_CHANNELS)));
        fake_switch_ofctl(r->sw, "del-flows", text);
        break;
    case 1:
        snprintf(text, sizeof text, "group_id=%u",
                 OFP_GROUP_ID_FIRST + rnd(N_CHANNELS));
        fake_switch_ofctl(r->sw, "del-groups", text);
        break;
    case 2: {
        uint32_t id = OFP_GROUP_ID_FIRST + rnd(2 * N_CHANNELS);

        snprintf(text, sizeof text, "group_id=%u", id);
        fake_switch_ofctl(r->sw, "del-groups", text);
        snprintf(text, sizeof text, "group_id=%u,type=all,bucket=output:99",
                 id);
        fake_switch_ofctl(r->sw, "add-group", text);
        break;
    }
    default:
        fake_switch_wipe(r->sw);
        break;
    }
}

static void
refuse(struct rig *r)
{
    static const char *const errors[] = {
        "OFPFMFC_TABLE_FULL", "OFPGMFC_OUT_OF_GROUPS", "OFPBAC_BAD_OUT_GROUP",
        "OFPGMFC_UNKNOWN_GROUP", "OFPGMFC_GROUP_EXISTS"};

    r->refuse_kind = rnd(FAKE_N_MODS);
    r->refuse_error = errors[rnd(5)];
    r->refuse_times = rnd(4);
}

static void
restart(struct rig *r)
{
    rig_restart(r);
    if (rnd(2)) {
        set_all(r);
        rig_connect(r);
    } else {
        r->on_synced = set_all;
        rig_connect(r);
        r->on_synced = NULL;
    }
}

static void
step(struct rig *r)
{
    switch (rnd(20)) {
    case 0:
        meddle(r);
        break;
    case 1:
        refuse(r);
        break;
    case 2:
        rig_disconnect(r);
        if (rnd(2)) {
            change(r);
        }
        rig_connect(r);
        break;
    case 3:
        if (!rnd(4)) {
            restart(r);
        }
        break;
    case 4:
        r->now += 1 << rnd(17);
        ofp_table_run(r->table, r->now);
        break;
    case 5:
        ofp_table_poll(r->table, r->now);
        break;
    case 6:
    case 7:
        rig_to_switch(r);
        break;
    case 8:
    case 9:
        rig_to_table(r);
        break;
    case 10:
    case 11:
    case 12:
        ofp_table_run(r->table, r->now);
        break;
    default:
        change(r);
        break;
    }
    /* Nothing may take so long that the table gives up. */
    if (r->to_switch.n + r->to_table.n > 100000 || r->failed[0]) {
        r->failed[0] = '\0';
        rig_disconnect(r);
        rig_connect(r);
    }
}

/* What the switch forwards for each channel, by way of its dumps. */
static void
assert_as_desired(struct rig *r)
{
    char *flows = fake_switch_dump_flows(r->sw);
    char *groups = fake_switch_dump_groups(r->sw);
    size_t n = 0;

    for (int i = 0; i < N_CHANNELS; i++) {
        char key[64], line[160], *flow, *group;
        size_t at;

        snprintf(key, sizeof key, "nw_dst=%s ", name_of(i));
        flow = strstr(flows, key);
        assert_int_equal(flow != NULL, desired[i][0] != '\0');
        if (!flow) {
            continue;
        }
        n++;
        at = snprintf(line, sizeof line, "group_id=%lu type=all",
                      strtoul(strstr(flow, "group:") + 6, NULL, 10));
        for (const char *p = desired[i]; *p; p++) {
            at +=
                snprintf(line + at, sizeof line - at, " bucket=output:%c", *p);
        }
        snprintf(line + at, sizeof line - at, "\n");
        group = strstr(groups, line);
        if (!group) {
            print_error("channel %d wants %sgroups are\n%s", i, line, groups);
        }
        assert_non_null(group);
        assert_int_equal(rig_state(r, name_of(i)), OFP_ENTRY_APPLIED);
    }
    assert_int_equal(rig_switch_counters(r).flows, n);
    assert_int_equal(rig_switch_counters(r).groups, n);
    free(flows);
    free(groups);
}

static void
one_run(void)
{
    struct rig *r = rig_create();
    struct ofp_table_counters c;

    state_of_random = seed;
    memset(desired, 0, sizeof desired);
    fake_switch_faults(r->sw)->no_bundles = !rnd(4);
    rig_connect(r);
    for (int i = 0; i < N_STEPS; i++) {
        step(r);
    }
    r->refuse_kind = -1;
    rig_pump(r);
    assert_string_equal(r->failed, "");
    /* One audit may have begun before the last change by others. */
    rig_advance(r, OFP_AUDIT_MS);
    rig_advance(r, OFP_AUDIT_MS);
    rig_advance(r, OFP_RETRY_LAST_MS);
    assert_as_desired(r);
    assert_string_equal(r->failed, "");
    assert_int_equal(r->settled, ofp_table_seqno(r->table));
    ofp_table_counters(r->table, &c);
    assert_int_equal(c.pending, 0);
    assert_int_equal(c.rejected, 0);
    assert_int_equal(c.flows, rig_switch_counters(r).flows);
    assert_int_equal(c.groups, rig_switch_counters(r).groups);
    /* The state is reached: nothing moves any more. */
    r->types[0] = '\0';
    rig_advance(r, OFP_AUDIT_MS);
    rig_assert_sent(r, "???");
    assert_int_equal(rig_switch_counters(r).undecodable, 0);
    rig_destroy(r);
}

static void
anything_at_any_time(void **state)
{
    (void) state;
    for (uint32_t i = 0; i < N_SEEDS; i++) {
        seed = i;
        one_run();
    }
}

static void
one_seed(void **state)
{
    (void) state;
    one_run();
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest all[] = {cmocka_unit_test(anything_at_any_time)};
    const struct CMUnitTest one[] = {cmocka_unit_test(one_seed)};
    int failed;

    if (argc > 1) {
        seed = strtoul(argv[1], NULL, 10);
        return cmocka_run_group_tests(one, NULL, NULL);
    }
    failed = cmocka_run_group_tests(all, NULL, NULL);
    if (failed) {
        fprintf(stderr, "seed %u\n", seed);
    }
    return failed;
}
