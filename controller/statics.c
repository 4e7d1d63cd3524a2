/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The user's flows and groups on their switches.
 *
 * A flow is known as ours by its cookie.  A group has no such mark, so the
 * store remembers: 'applied' = the switch has confirmed it, so that after a
 * restart a group of this id is taken for ours; 'gone' = it was deleted here
 * but perhaps not yet there. */

#include "controller/ctl-private.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/xalloc.h"

struct port_scope {
    const struct ctl *ctl;
    uint64_t dpid;
};

static uint32_t
lookup_port(void *scope_, const char *name)
{
    const struct port_scope *scope = scope_;
    const struct topo_port *port =
        topo_find_port(scope->ctl->topo, scope->dpid, name);
    return port ? port->no : 0;
}

/* NULL with '*error', which the caller frees; '*wait' if only a port is
 * missing. */
static struct ofp_static *
parse(const struct ctl *ctl, const struct static_rule *text, bool *wait,
      char **error)
{
    struct port_scope scope = {ctl, text->dpid};
    *wait = false;
    *error = NULL;
    return ofp_static_parse(text->is_group ? OFP_STATIC_GROUP
                                           : OFP_STATIC_FLOW,
                            text->text, lookup_port, &scope, wait, error);
}

/* Another rule of the same switch that has the same key. */
static const struct rule *
find_twin(const struct ctl *ctl, const struct static_rule *text,
          const struct ofp_static *parsed)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_FLOW], rule, tmp) {
        if (!rule->gone && rule->parsed && rule->text->dpid == text->dpid
            && strcmp(rule->name, text->name)
            && ofp_static_same_key(rule->parsed, parsed)) {
            return rule;
        }
    }
    return NULL;
}

char *
static_problem(const struct ctl *ctl, const struct static_rule *text)
{
    bool wait;
    char *error;
    struct ofp_static *parsed = parse(ctl, text, &wait, &error);
    if (!parsed) {
        if (wait) {
            free(error);
            return NULL;
        }
        return error;
    }
    const struct rule *twin = find_twin(ctl, text, parsed);
    ofp_static_destroy(parsed);
    return twin ? xasprintf(text->is_group
                                ? "\"%s\" is a group of the same id on this "
                                  "switch"
                                : "\"%s\" is a flow of the same table, "
                                  "priority and match on this switch",
                            twin->name)
                : NULL;
}

const struct rule *
static_user(const struct ctl *ctl, const struct rule *group)
{
    if (!group->parsed || ofp_static_kind(group->parsed) != OFP_STATIC_GROUP) {
        return NULL;
    }
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_FLOW], rule, tmp) {
        const uint32_t *ids;
        if (rule == group || rule->gone || !rule->parsed
            || rule->text->dpid != group->text->dpid
            || ofp_static_kind(rule->parsed) != OFP_STATIC_FLOW) {
            continue;
        }
        size_t n = ofp_static_groups_used(rule->parsed, &ids);
        for (size_t i = 0; i < n; i++) {
            if (ids[i] == ofp_static_group_id(group->parsed)) {
                return rule;
            }
        }
    }
    return NULL;
}

static void
unset(struct ctl *ctl, const struct rule *rule,
      const struct ofp_static *parsed)
{
    struct ctl_switch *sw = switch_lookup(ctl, rule->text->dpid);
    if (sw && parsed) {
        ofp_table_unset_static(sw->table, parsed);
        switch_want_run(sw);
    }
}

static void
forget(struct ofp_static **parsed)
{
    ofp_static_destroy(*parsed);
    *parsed = NULL;
}

static bool
same_key(const struct ofp_static *a, const struct ofp_static *b)
{
    return a && b && ofp_static_same_key(a, b);
}

/* The rule's text now means 'parsed' (NULL: nothing yet).  What it meant
 * before stays on the switch until the new one is confirmed there, unless it
 * was not confirmed itself. */
static void
take_parsed(struct ctl *ctl, struct rule *rule, struct ofp_static *parsed)
{
    bool confirmed = !rule->replaced;
    if (same_key(rule->replaced, parsed)) {
        forget(&rule->replaced);
    }
    if (!same_key(rule->parsed, parsed)) {
        if (confirmed) {
            rule->replaced = rule->parsed;
            rule->parsed = NULL;
        } else {
            unset(ctl, rule, rule->parsed);
        }
    }
    forget(&rule->parsed);
    rule->parsed = parsed;
}

/* A rule that is gone stays until its switch has lost it. */
static void
unset_gone(struct ctl *ctl, struct rule *rule)
{
    struct ctl_switch *sw = switch_lookup(ctl, rule->text->dpid);
    unset(ctl, rule, rule->parsed);
    if (sw) {
        rule->gone_seqno = ofp_table_seqno(sw->table);
        sw->statics_unsettled = true;
    }
}

void
static_compile(struct ctl *ctl, struct rule *rule)
{
    bool wait;
    char *error;
    struct ofp_static *parsed = parse(ctl, rule->text, &wait, &error);
    rule->waiting[0] = rule->rejected[0] = '\0';
    /* A port that it names went away: it stays as it is until then. */
    if (parsed || rule->text_is_new) {
        take_parsed(ctl, rule, parsed);
    }
    rule->text_is_new = false;
    if (!parsed) {
        snprintf(wait ? rule->waiting : rule->rejected,
                 wait ? sizeof rule->waiting : sizeof rule->rejected, "%s",
                 error);
        free(error);
        return;
    }

    struct ctl_switch *sw = switch_lookup(ctl, rule->text->dpid);
    if (!sw) {
        return;
    }
    char too_big[OFP_ERROR_SIZE];
    if (ofp_table_set_static(sw->table, rule->parsed, rule->applied,
                             rule->owner, too_big)) {
        snprintf(rule->rejected, sizeof rule->rejected, "%s", too_big);
    } else if (rule->gone) {
        /* It was set only to be known as ours. */
        unset_gone(ctl, rule);
    }
    sw->statics_unsettled = true;
    switch_want_run(sw);
}

void
static_uncompile(struct ctl *ctl, struct rule *rule)
{
    static_drop_replaced(ctl, rule);
    unset_gone(ctl, rule);
}

void
static_drop_replaced(struct ctl *ctl, struct rule *rule)
{
    if (rule->replaced) {
        unset(ctl, rule, rule->replaced);
        forget(&rule->replaced);
    }
}

void
static_restore_replaced(struct ctl *ctl, struct rule *rule)
{
    if (rule->replaced) {
        unset(ctl, rule, rule->parsed);
        forget(&rule->parsed);
        rule->parsed = rule->replaced;
        rule->replaced = NULL;
    }
}

/* Returns false while there is something to wait for. */
static bool
settle(struct ctl_switch *sw, struct rule *rule)
{
    if (rule->gone) {
        if (ofp_table_settled_seqno(sw->table) < rule->gone_seqno
            || rule_erase(sw->ctl, rule->kind, rule->name)) {
            return false;
        }
        rule_destroy(sw->ctl, rule);
        return true;
    }
    struct ofp_entry_view entry;
    if (!rule->text->is_group || rule->applied || !rule->parsed
        || !ofp_table_lookup_static(sw->table, rule->parsed, &entry)) {
        return true;
    }
    rule->applied = entry.state == OFP_ENTRY_APPLIED;
    if (rule->applied && rule_save(sw->ctl, rule)) {
        rule->applied = false; /* Once more, when there is space again. */
    }
    return rule->applied;
}

void
statics_settled(struct ctl_switch *sw)
{
    if (!sw->statics_unsettled || !switch_is_connected(sw)
        || !ofp_table_is_synced(sw->table)) {
        return;
    }
    sw->statics_unsettled = false;
    struct rule *rule, *tmp;
    HASH_ITER (hh, sw->ctl->rules[STORE_FLOW], rule, tmp) {
        if (rule->text->dpid == sw->dpid && !settle(sw, rule)) {
            sw->statics_unsettled = true;
        }
    }
}
