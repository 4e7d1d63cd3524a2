/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Which rules are to be compiled, and compiling them: once a turn, however
 * many changes concern them. */

#include "controller/ctl-private.h"
#include "controller/pools.h"

static bool
is_dirty(const struct rule *rule)
{
    return rule->dirty || rule->parts_dirty;
}

static void
enqueue(struct ctl *ctl, struct rule *rule)
{
    if (!is_dirty(rule)) {
        DL_APPEND2(ctl->dirty_rules[rule->kind], rule, prev_dirty, next_dirty);
        loop_want_turn(ctl->loop);
    }
}

void
rule_unmark(struct ctl *ctl, struct rule *rule)
{
    if (is_dirty(rule)) {
        DL_DELETE2(ctl->dirty_rules[rule->kind], rule, prev_dirty, next_dirty);
        rule->dirty = rule->parts_dirty = false;
    }
}

void
rule_mark(struct ctl *ctl, struct rule *rule)
{
    enqueue(ctl, rule);
    rule->dirty = true;
}

void
rule_mark_on(struct ctl *ctl, struct rule *rule, uint64_t dpid)
{
    struct rule_part *part =
        switch_lookup(ctl, dpid) ? rule_part_get(rule, dpid) : NULL;
    if (part) {
        enqueue(ctl, rule);
        part->dirty = rule->parts_dirty = true;
    }
}

void
rules_mark_all(struct ctl *ctl, uint64_t dpid)
{
    struct rule *rule, *tmp;
    ctl->routes_generation++;
    ctl->joins_stale = ctl->unicast_stale = true;
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (dpid) {
            rule_mark_on(ctl, rule, dpid);
        } else {
            rule_mark(ctl, rule);
        }
    }
    HASH_ITER (hh, ctl->rules[STORE_FLOW], rule, tmp) {
        if (!dpid || rule->text->dpid == dpid) {
            rule_mark(ctl, rule);
        }
    }
    HASH_ITER (hh, ctl->rules[STORE_MEMBER], rule, tmp) {
        if (!dpid || rule->member->dpid == dpid) {
            rule_mark(ctl, rule);
        }
    }
}

static void
compile_everywhere(struct ctl *ctl, struct rule *rule)
{
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        struct rule_part *part = rule_part_get(rule, sw->dpid);
        if (part) {
            part->dirty = false;
            route_compile(sw, rule, part);
        }
    }
}

static void
compile_dirty_parts(struct ctl *ctl, struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        if (part->dirty) {
            part->dirty = false;
            route_compile(switch_lookup(ctl, part->dpid), rule, part);
        }
    }
}

static void
compile(struct ctl *ctl, struct rule *rule)
{
    bool everywhere = rule->dirty;
    rule_unmark(ctl, rule);
    if (rule->kind == STORE_FLOW) {
        static_compile(ctl, rule);
    } else if (rule->kind == STORE_MEMBER) {
        member_compile(ctl, rule);
    } else if (everywhere) {
        compile_everywhere(ctl, rule);
    } else {
        compile_dirty_parts(ctl, rule);
    }
}

/* Groups may be named by flows: statics in the order of the table's rounds,
 * which knows that.  Routes may have members in their buckets. */
static struct rule *
next_dirty(const struct ctl *ctl)
{
    static const enum store_kind order[] = {STORE_FLOW, STORE_MEMBER,
                                            STORE_ROUTE};
    struct rule *rule = NULL;
    for (size_t i = 0; i < sizeof order / sizeof *order && !rule; i++) {
        rule = ctl->dirty_rules[order[i]];
    }
    return rule;
}

void
rules_compile(struct ctl *ctl)
{
    if (ctl->pools_stale) {
        ctl->pools_stale = false;
        if (pools_sweep(ctl)) {
            routes_mark_edges(ctl, 0);
        }
    }
    struct rule *rule;
    while ((rule = next_dirty(ctl))) {
        compile(ctl, rule);
    }
}

void
rule_uncompile(struct ctl *ctl, struct rule *rule)
{
    switch (rule->kind) {
    case STORE_ROUTE:
        route_uncompile(ctl, rule);
        break;
    case STORE_MEMBER:
        member_uncompile(ctl, rule);
        break;
    case STORE_FLOW:
    case STORE_N_KINDS:
    case STORE_POOL:
        static_uncompile(ctl, rule);
        break;
    }
}
