/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-tables.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-actions.h>

#include "lib/xalloc.h"

static uint32_t
hash_id(uint32_t id)
{
    return id * UINT32_C(2654435761);
}

static void
flow_free(struct fake_flow *f)
{
    if (f) {
        minimatch_destroy(&f->match);
        free(f->ofpacts);
        free(f);
    }
}

static void
group_free(struct fake_group *g)
{
    if (g) {
        ofputil_bucket_list_destroy(&g->buckets);
        free(g);
    }
}

static void
meter_free(struct fake_meter *m)
{
    free(m->config.bands);
    free(m);
}

void
fake_tables_init(struct fake_tables *t)
{
    memset(t, 0, sizeof *t);
    for (int i = 0; i < FAKE_N_TABLES; i++) {
        hmap_init(&t->flows[i]);
    }
    hmap_init(&t->groups);
    hmap_init(&t->meters);
}

void
fake_tables_wipe(struct fake_tables *t)
{
    struct fake_group *g;
    struct fake_meter *m;

    for (int i = 0; i < FAKE_N_TABLES; i++) {
        struct fake_flow *f;

        HMAP_FOR_EACH_POP(f, node, &t->flows[i])
        {
            flow_free(f);
        }
    }
    t->n_flows = 0;
    HMAP_FOR_EACH_POP(g, node, &t->groups)
    {
        group_free(g);
    }
    HMAP_FOR_EACH_POP(m, node, &t->meters)
    {
        meter_free(m);
    }
}

void
fake_tables_uninit(struct fake_tables *t)
{
    fake_tables_wipe(t);
    for (int i = 0; i < FAKE_N_TABLES; i++) {
        hmap_destroy(&t->flows[i]);
    }
    hmap_destroy(&t->groups);
    hmap_destroy(&t->meters);
    free(t->log);
}

/* Changing, with a log. */

static struct fake_change *
log_change(struct fake_tables *t)
{
    t->log = xgrow(t->log, t->n_log, &t->allocated_log, sizeof *t->log);

    struct fake_change *c = &t->log[t->n_log++];

    memset(c, 0, sizeof *c);
    return c;
}

static uint32_t
flow_hash(const struct minimatch *match, uint16_t priority)
{
    return minimatch_hash(match, priority);
}

static void
link_flow(struct fake_tables *t, struct fake_flow *f)
{
    hmap_insert(&t->flows[f->table], &f->node,
                flow_hash(&f->match, f->priority));
    t->n_flows++;
}

static void
unlink_flow(struct fake_tables *t, struct fake_flow *f)
{
    hmap_remove(&t->flows[f->table], &f->node);
    t->n_flows--;
}

static void
change_flow(struct fake_tables *t, struct fake_flow *old,
            struct fake_flow *new, int reason)
{
    struct fake_change *c = log_change(t);

    c->old_flow = old;
    c->new_flow = new;
    c->reason = reason;
    if (old) {
        unlink_flow(t, old);
    }
    if (new) {
        link_flow(t, new);
    }
}

static void
change_group(struct fake_tables *t, struct fake_group *old,
             struct fake_group *new)
{
    struct fake_change *c = log_change(t);

    c->old_group = old;
    c->new_group = new;
    if (old) {
        hmap_remove(&t->groups, &old->node);
    }
    if (new) {
        hmap_insert(&t->groups, &new->node, hash_id(new->id));
    }
}

void
fake_tables_commit(struct fake_tables *t, fake_removed_cb *removed, void *aux)
{
    /* The callback may lead to more changes: take the log away first. */
    struct fake_change *log = t->log;
    size_t n = t->n_log;

    t->log = NULL;
    t->n_log = t->allocated_log = 0;
    for (size_t i = 0; i < n; i++) {
        struct fake_change *c = &log[i];

        if (c->old_flow && !c->new_flow && removed
            && c->old_flow->flags & OFPUTIL_FF_SEND_FLOW_REM) {
            removed(aux, c->old_flow, c->reason);
        }
        flow_free(c->old_flow);
        group_free(c->old_group);
    }
    free(log);
}

void
fake_tables_revert(struct fake_tables *t)
{
    while (t->n_log) {
        struct fake_change *c = &t->log[--t->n_log];

        if (c->new_flow) {
            unlink_flow(t, c->new_flow);
            flow_free(c->new_flow);
        }
        if (c->old_flow) {
            link_flow(t, c->old_flow);
        }
        if (c->new_group) {
            hmap_remove(&t->groups, &c->new_group->node);
            group_free(c->new_group);
        }
        if (c->old_group) {
            hmap_insert(&t->groups, &c->old_group->node,
                        hash_id(c->old_group->id));
        }
    }
}

/* Flows. */

static enum ofperr
check_ofpacts(const struct fake_tables *t, const struct ofpact *ofpacts,
              size_t size)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH_FLATTENED(a, ofpacts, size)
    {
        if (a->type == OFPACT_METER
            && !fake_tables_lookup_meter(t, ofpact_get_METER(a)->meter_id)) {
            return OFPERR_OFPMMFC_INVALID_METER;
        }
        if (a->type == OFPACT_GROUP
            && !fake_tables_lookup_group(t, ofpact_get_GROUP(a)->group_id)) {
            return OFPERR_OFPBAC_BAD_OUT_GROUP;
        }
    }
    return 0;
}

static struct fake_flow *
find_exactly(const struct fake_tables *t, uint8_t table,
             const struct minimatch *match, uint16_t priority)
{
    struct fake_flow *f;

    HMAP_FOR_EACH_WITH_HASH(f, node, flow_hash(match, priority),
                            &t->flows[table])
    {
        if (f->priority == priority && minimatch_equal(&f->match, match)) {
            return f;
        }
    }
    return NULL;
}

static struct fake_flow *
new_flow(const struct ofputil_flow_mod *fm, int64_t now)
{
    struct fake_flow *f = xcalloc(1, sizeof *f);

    f->table = fm->table_id;
    f->priority = fm->priority;
    minimatch_clone(&f->match, &fm->match);
    f->cookie = fm->new_cookie;
    f->idle_timeout = fm->idle_timeout;
    f->hard_timeout = fm->hard_timeout;
    f->flags = fm->flags & OFPUTIL_FF_STATE;
    f->ofpacts = xmemdup(fm->ofpacts, fm->ofpacts_len);
    f->ofpacts_len = fm->ofpacts_len;
    f->created = f->used = now;
    return f;
}

static enum ofperr
add_flow(struct fake_tables *t, const struct ofputil_flow_mod *fm, int64_t now)
{
    if (fm->table_id >= FAKE_N_TABLES) {
        return OFPERR_OFPBRC_BAD_TABLE_ID;
    }

    enum ofperr error = check_ofpacts(t, fm->ofpacts, fm->ofpacts_len);

    if (error) {
        return error;
    }

    struct fake_flow *old =
        find_exactly(t, fm->table_id, &fm->match, fm->priority);

    if (!old && t->max_flows && t->n_flows >= t->max_flows) {
        return OFPERR_OFPFMFC_TABLE_FULL;
    }

    struct fake_flow *f = new_flow(fm, now);

    if (old && !(fm->flags & OFPUTIL_FF_RESET_COUNTS)) {
        f->packets = old->packets;
        f->bytes = old->bytes;
    }
    change_flow(t, old, f, 0);
    return 0;
}

static bool
loose_match(const struct minimatch *rule_, const struct match *want)
{
    struct match rule;

    minimatch_expand(rule_, &rule);

    const uint8_t *rule_mask = (const uint8_t *) &rule.wc.masks;
    const uint8_t *rule_value = (const uint8_t *) &rule.flow;
    const uint8_t *mask = (const uint8_t *) &want->wc.masks;
    const uint8_t *value = (const uint8_t *) &want->flow;

    for (size_t i = 0; i < sizeof(struct flow); i++) {
        if ((mask[i] & rule_mask[i]) != mask[i]
            || ((rule_value[i] ^ value[i]) & mask[i])) {
            return false;
        }
    }
    return true;
}

bool
fake_flow_selected(const struct fake_flow *f, const struct match *match,
                   uint8_t table, ovs_be64 cookie, ovs_be64 cookie_mask,
                   ofp_port_t out_port, uint32_t out_group)
{
    return (table == 0xff || table == f->table)
           && !((f->cookie ^ cookie) & cookie_mask)
           && (out_port == OFPP_ANY
               || ofpacts_output_to_port(f->ofpacts, f->ofpacts_len, out_port))
           && (out_group == OFPG_ANY
               || ofpacts_output_to_group(f->ofpacts, f->ofpacts_len,
                                          out_group))
           && loose_match(&f->match, match);
}

/* Calls change_flow() for each flow that a modify or delete selects.  A modify
 * replaces the actions and, in OpenFlow 1.3, nothing else. */
static void
change_selected(struct fake_tables *t, const struct ofputil_flow_mod *fm,
                bool strict)
{
    bool delete =
        fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
    struct match match;

    minimatch_expand(&fm->match, &match);
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        struct fake_flow **found = NULL, *f;
        size_t n = 0, allocated = 0;

        HMAP_FOR_EACH(f, node, &t->flows[table])
        {
            if (fake_flow_selected(f, &match, fm->table_id, fm->cookie,
                                   fm->cookie_mask,
                                   delete ? fm->out_port : OFPP_ANY,
                                   delete ? fm->out_group : OFPG_ANY)
                && (!strict
                    || (f->priority == fm->priority
                        && minimatch_equal(&f->match, &fm->match)))) {
                found = xgrow(found, n, &allocated, sizeof *found);
                found[n++] = f;
            }
        }
        for (size_t i = 0; i < n; i++) {
            struct fake_flow *new = NULL;

            if (!delete) {
                new = xmemdup(found[i], sizeof *new);
                minimatch_clone(&new->match, &found[i]->match);
                new->ofpacts = xmemdup(fm->ofpacts, fm->ofpacts_len);
                new->ofpacts_len = fm->ofpacts_len;
            }
            change_flow(t, found[i], new, OFPRR_DELETE);
        }
        free(found);
    }
}

enum ofperr
fake_tables_flow_mod(struct fake_tables *t, const struct ofputil_flow_mod *fm,
                     int64_t now)
{
    size_t n_log = t->n_log;

    switch (fm->command) {
    case OFPFC_ADD:
        return add_flow(t, fm, now);
    case OFPFC_MODIFY:
    case OFPFC_MODIFY_STRICT:
        /* OVS looks at the actions only if there is a flow to have them.
         * After an error the caller reverts. */
        change_selected(t, fm, fm->command == OFPFC_MODIFY_STRICT);
        return t->n_log > n_log
                   ? check_ofpacts(t, fm->ofpacts, fm->ofpacts_len)
                   : 0;
    case OFPFC_DELETE:
    case OFPFC_DELETE_STRICT:
        change_selected(t, fm, fm->command == OFPFC_DELETE_STRICT);
        return 0;
    default:
        return OFPERR_OFPFMFC_BAD_COMMAND;
    }
}

void
fake_tables_expire(struct fake_tables *t, int64_t now)
{
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        struct fake_flow *f, *next;

        HMAP_FOR_EACH_SAFE(f, next, node, &t->flows[table])
        {
            if (f->idle_timeout && now - f->used >= f->idle_timeout * 1000) {
                change_flow(t, f, NULL, OFPRR_IDLE_TIMEOUT);
            }
        }
    }
}

struct fake_flow *
fake_tables_lookup(const struct fake_tables *t, uint8_t table,
                   const struct flow *flow)
{
    struct fake_flow *best = NULL, *f;

    if (table >= FAKE_N_TABLES) {
        return NULL;
    }
    HMAP_FOR_EACH(f, node, &t->flows[table])
    {
        if ((!best || f->priority > best->priority)
            && minimatch_matches_flow(&f->match, flow)) {
            best = f;
        }
    }
    return best;
}

/* Groups. */

struct fake_group *
fake_tables_lookup_group(const struct fake_tables *t, uint32_t id)
{
    struct fake_group *g;

    HMAP_FOR_EACH_WITH_HASH(g, node, hash_id(id), &t->groups)
    {
        if (g->id == id) {
            return g;
        }
    }
    return NULL;
}

static enum ofperr
set_group(struct fake_tables *t, const struct ofputil_group_mod *gm)
{
    struct fake_group *old = fake_tables_lookup_group(t, gm->group_id);

    if (gm->command == OFPGC11_ADD && old) {
        return OFPERR_OFPGMFC_GROUP_EXISTS;
    } else if (gm->command == OFPGC11_MODIFY && !old) {
        return OFPERR_OFPGMFC_UNKNOWN_GROUP;
    } else if (gm->group_id > OFPG_MAX) {
        return OFPERR_OFPGMFC_INVALID_GROUP;
    } else if (!old && t->max_groups
               && hmap_count(&t->groups) >= t->max_groups) {
        return OFPERR_OFPGMFC_OUT_OF_GROUPS;
    }

    struct fake_group *g = xcalloc(1, sizeof *g);

    g->id = gm->group_id;
    g->type = gm->type;
    ovs_list_init(&g->buckets);
    ofputil_bucket_clone_list(&g->buckets, &gm->buckets, NULL);
    change_group(t, old, g);
    return 0;
}

static void
delete_group(struct fake_tables *t, struct fake_group *g)
{
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        struct fake_flow *f, *next;

        HMAP_FOR_EACH_SAFE(f, next, node, &t->flows[table])
        {
            if (ofpacts_output_to_group(f->ofpacts, f->ofpacts_len, g->id)) {
                change_flow(t, f, NULL, OFPRR_GROUP_DELETE);
                t->n_cascaded++;
            }
        }
    }
    change_group(t, g, NULL);
}

enum ofperr
fake_tables_group_mod(struct fake_tables *t,
                      const struct ofputil_group_mod *gm)
{
    struct fake_group *g, *next;

    switch (gm->command) {
    case OFPGC11_ADD:
    case OFPGC11_MODIFY:
    case OFPGC11_ADD_OR_MOD:
        return set_group(t, gm);
    case OFPGC11_DELETE:
        HMAP_FOR_EACH_SAFE(g, next, node, &t->groups)
        {
            if (gm->group_id == OFPG_ALL || gm->group_id == g->id) {
                delete_group(t, g);
            }
        }
        return 0;
    default:
        return OFPERR_OFPGMFC_BAD_COMMAND;
    }
}

/* Meters. */

struct fake_meter *
fake_tables_lookup_meter(const struct fake_tables *t, uint32_t id)
{
    struct fake_meter *m;

    HMAP_FOR_EACH_WITH_HASH(m, node, hash_id(id), &t->meters)
    {
        if (m->config.meter_id == id) {
            return m;
        }
    }
    return NULL;
}

static void
delete_meter(struct fake_tables *t, struct fake_meter *m)
{
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        struct fake_flow *f, *next;

        HMAP_FOR_EACH_SAFE(f, next, node, &t->flows[table])
        {
            if (ofpacts_get_meter(f->ofpacts, f->ofpacts_len)
                == m->config.meter_id) {
                change_flow(t, f, NULL, OFPRR_METER_DELETE);
                t->n_cascaded++;
            }
        }
    }
    hmap_remove(&t->meters, &m->node);
    meter_free(m);
}

static void
put_meter(struct fake_tables *t, const struct ofputil_meter_config *config)
{
    struct fake_meter *m = fake_tables_lookup_meter(t, config->meter_id);

    if (m) {
        free(m->config.bands);
    } else {
        m = xcalloc(1, sizeof *m);
        hmap_insert(&t->meters, &m->node, hash_id(config->meter_id));
    }
    m->config = *config;
    m->config.bands =
        xmemdup(config->bands, config->n_bands * sizeof *config->bands);
}

enum ofperr
fake_tables_meter_mod(struct fake_tables *t,
                      const struct ofputil_meter_mod *mm)
{
    uint32_t id = mm->meter.meter_id;
    struct fake_meter *m = fake_tables_lookup_meter(t, id), *next;

    if (mm->command == OFPMC13_DELETE) {
        HMAP_FOR_EACH_SAFE(m, next, node, &t->meters)
        {
            if (id == OFPM13_ALL || id == m->config.meter_id) {
                delete_meter(t, m);
            }
        }
        return 0;
    } else if (!id
               || (id > OFPM13_MAX && id != OFPM13_SLOWPATH
                   && id != OFPM13_CONTROLLER)) {
        return OFPERR_OFPMMFC_INVALID_METER;
    } else if (mm->command == OFPMC13_ADD && m) {
        return OFPERR_OFPMMFC_METER_EXISTS;
    } else if (mm->command == OFPMC13_MODIFY && !m) {
        return OFPERR_OFPMMFC_UNKNOWN_METER;
    }
    put_meter(t, &mm->meter);
    return 0;
}
