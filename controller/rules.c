/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Named rules: routes, static flows and groups, static members.  In memory and
 * in the store, compiled where they concern a switch, and their state on
 * each. */

#include "controller/ctl-private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/lease.h"
#include "controller/log.h"
#include "controller/pools.h"
#include "controller/route-far.h"
#include "controller/route-index.h"
#include "controller/route-join.h"
#include "controller/route-learn.h"
#include "controller/route-reply.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(rules);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

enum { STORE_RETRY_MS = 2000 };

struct rule *
rule_lookup(const struct ctl *ctl, enum store_kind kind, const char *name)
{
    struct rule *rule;
    HASH_FIND_STR(ctl->rules[kind], name, rule);
    return rule;
}

/* What a rule says: one of them. */
struct meaning {
    struct route *route;
    struct static_rule *text;
    struct member *member;
};

/* Parsing what the store keeps. */
static bool
parse(enum store_kind kind, const char *name, const char *json,
      struct meaning *m, struct json_error *error)
{
    *m = (struct meaning){.route = NULL};
    struct cJSON *tree = json_parse(json, strlen(json), error);
    if (tree && kind == STORE_ROUTE) {
        m->route = route_from_json(name, tree, error);
    } else if (tree && kind == STORE_MEMBER) {
        m->member = member_from_json(name, tree, error);
    } else if (tree) {
        m->text = static_rule_from_json(name, tree, error);
    }
    cJSON_Delete(tree);
    return m->route || m->text || m->member;
}

/* FNV-1a, folded to the 24 bits that a cookie has room for. */
static uint32_t
name_hash(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++) {
        hash = (hash ^ (uint8_t) *name) * 16777619u;
    }
    return (hash >> 24) ^ (hash & 0xffffff);
}

static struct rule *
rule_create(struct ctl *ctl, enum store_kind kind, const char *name)
{
    struct rule *rule = xcalloc(1, sizeof *rule);
    rule->kind = kind;
    snprintf(rule->name, sizeof rule->name, "%s", name);
    rule->owner = ++ctl->last_owner;
    rule->cookie_id = name_hash(name);
    HASH_ADD_STR(ctl->rules[kind], name, rule);
    HASH_ADD(hh_owner, ctl->owners, owner, sizeof rule->owner, rule);
    return rule;
}

static void
stop_following(struct ctl *ctl, struct rule *rule)
{
    if (route_follows_members(rule->route)) {
        DL_DELETE2(ctl->following, rule, prev_following, next_following);
    }
}

/* What depends on a route that comes or goes. */
static void
note_route(struct ctl *ctl, const struct route *route)
{
    ctl->routes_generation++;
    routes_join_again(ctl, route);
    ctl->unicast_stale |= route_is_unicast(route);
    routes_mark_rivals(ctl, route);
    routes_mark_numbered(ctl, route);
    routes_mark_replying(ctl, route);
}

static void
unset_route(struct ctl *ctl, struct rule *rule)
{
    struct route *route = rule->route;
    if (route) {
        stop_following(ctl, rule);
        ctl->pools_stale |= route->set.has_source_pool;
        route_index_remove(ctl, rule);
        note_route(ctl, route);
        rule->route = NULL;
        route_destroy(route);
    }
}

static void
set_route(struct ctl *ctl, struct rule *rule, struct route *route)
{
    unset_route(ctl, rule);
    if (route) {
        note_route(ctl, route);
        rule->route = route;
        route_index_add(ctl, rule);
        route_far_changed(ctl, rule);
        if (route_follows_members(route)) {
            DL_PREPEND2(ctl->following, rule, prev_following, next_following);
        }
    }
    route_forget_sources(rule);
}

struct rule *
rule_set(struct ctl *ctl, enum store_kind kind, const char *name,
         const char *json)
{
    struct json_error error = {.failed = false};
    struct meaning m;
    if (!parse(kind, name, json, &m, &error)) {
        VLOG_ERR("%s is not understood: %s %s", name, error.pointer,
                 error.detail);
        return NULL;
    }
    struct rule *rule = rule_lookup(ctl, kind, name);
    if (!rule) {
        rule = rule_create(ctl, kind, name);
    }
    set_route(ctl, rule, m.route);
    static_rule_destroy(rule->text);
    rule->text = m.text;
    rule->text_is_new = true;
    member_destroy(rule->member);
    rule->member = m.member;
    rule->member_is_new = true;
    lease_begin(ctl, rule);
    free(rule->json);
    rule->json = xstrdup(json);
    rule->gone = false;
    rule_mark(ctl, rule);
    return rule;
}

void
rule_destroy(struct ctl *ctl, struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        rule_part_destroy(rule, part);
    }
    route_far_forget(ctl, rule);
    unset_route(ctl, rule);
    rule_unmark(ctl, rule);
    HASH_DELETE(hh, ctl->rules[rule->kind], rule);
    HASH_DELETE(hh_owner, ctl->owners, rule);
    static_rule_destroy(rule->text);
    ofp_static_destroy(rule->parsed);
    ofp_static_destroy(rule->replaced);
    member_forget(ctl, rule);
    free(rule->json);
    free(rule);
}

/* The store's answer is kept for /readyz: writes fail while it does. */
static int
store_result(struct ctl *ctl, int error)
{
    snprintf(ctl->store_error, sizeof ctl->store_error, "%s",
             error ? store_error(ctl->store) : "");
    if (error) {
        VLOG_ERR_RL(&rl, "the store refuses a write: %s", ctl->store_error);
        loop_timer_set(ctl->loop, &ctl->store_timer,
                       loop_now(ctl->loop) + STORE_RETRY_MS);
    }
    return error;
}

/* Writes and deletes a row under a name that no rule can have. */
void
rules_retry_store(void *ctl_, int64_t now)
{
    (void) now;
    struct ctl *ctl = ctl_;
    static const char name[] = "is there space?";
    const struct store_row row = {.name = name, .json = "{}"};
    if (ctl->store_error[0]) {
        int error = store_put(ctl->store, STORE_MEMBER, &row);
        store_result(
            ctl, error ? error : store_delete(ctl->store, STORE_MEMBER, name));
    }
    if (!ctl->store_error[0]) {
        routes_mark_edges(ctl, 0); /* Pools may lend again. */
    }
}

int
rule_store(struct ctl *ctl, enum store_kind kind, const struct store_row *row)
{
    return store_result(ctl, store_put(ctl->store, kind, row));
}

int
rule_save(struct ctl *ctl, const struct rule *rule)
{
    return rule_store(ctl, rule->kind,
                      &(struct store_row){.name = rule->name,
                                          .json = rule->json,
                                          .applied = rule->applied,
                                          .gone = rule->gone});
}

int
rule_erase(struct ctl *ctl, enum store_kind kind, const char *name)
{
    return store_result(ctl, store_delete(ctl->store, kind, name));
}

struct load_aux {
    struct ctl *ctl;
    enum store_kind kind;
};

static void
load_row(void *aux_, const struct store_row *row)
{
    struct load_aux *aux = aux_;
    /* The configuration has one of that name (see members.c), or
     * rules_retry_store() was killed. */
    if (rule_lookup(aux->ctl, aux->kind, row->name)
        || !json_is_name(row->name)) {
        return;
    }
    struct rule *rule = rule_set(aux->ctl, aux->kind, row->name, row->json);
    if (rule) {
        rule->applied = row->applied;
        rule->gone = row->gone;
        /* Its flows stay as they are found: see route_restore(). */
        rule->learning = false;
        rule->quiet_until = aux->ctl->started + RESTORE_QUIET_MS;
    }
}

void
rules_load(struct ctl *ctl)
{
    static const char *const names[STORE_N_KINDS] = {
        [STORE_ROUTE] = "routes",
        [STORE_FLOW] = "flows and groups",
        [STORE_MEMBER] = "static members"};
    for (int kind = 0; kind < STORE_N_KINDS; kind++) {
        struct load_aux aux = {ctl, kind};
        unsigned int before = HASH_COUNT(ctl->rules[kind]);
        store_each(ctl->store, kind, load_row, &aux);
        unsigned int n = HASH_COUNT(ctl->rules[kind]) - before;
        if (n) {
            VLOG_INFO("%u %s restored", n, names[kind]);
        }
    }
}

void
rules_destroy(struct ctl *ctl)
{
    for (size_t i = 0; i < STORE_N_KINDS; i++) {
        struct rule *rule, *tmp;
        HASH_ITER (hh, ctl->rules[i], rule, tmp) {
            rule_destroy(ctl, rule);
        }
    }
}

/* States. */

static void
merge_state(struct view_status *status, const struct ofp_entry_view *entry)
{
    enum view_state state = view_state_of(entry);
    if (state > status->state) {
        status->state = state;
        status->error = entry->error;
    }
}

static void
merge_entry(struct view_status *status, const struct ofp_entry_view *entry)
{
    merge_state(status, entry);
    status->packets += entry->packets;
    status->bytes += entry->bytes;
}

const char *
rule_problem(const struct rule *rule)
{
    struct rule_part *part, *tmp;
    HASH_ITER (hh, rule->parts, part, tmp) {
        if (part->rejected) {
            return part->rejected;
        }
    }
    return rule->rejected[0] ? rule->rejected : NULL;
}

/* What is not of an entry: NULL or "" if there is none. */
static void
merge_rest(struct view_status *status, const struct ctl_switch *sw,
           const char *rejected, const char *waiting)
{
    if (!sw || !switch_is_connected(sw)) {
        status->state = VIEW_PENDING;
        status->error = "the switch is not connected";
    } else if (rejected && rejected[0]) {
        status->state = VIEW_REJECTED;
        status->error = rejected;
    } else if (waiting && waiting[0] && status->state == VIEW_APPLIED) {
        status->state = VIEW_PENDING;
        status->error = waiting;
    }
}

static void
merge_part(struct view_status *status, const struct ctl_switch *sw,
           const struct rule_part *part)
{
    for (size_t i = 0; part && i < part->n_flows; i++) {
        const struct rule_flow *f = &part->flows[i];
        struct ofp_entry_view entry;
        if (!ofp_table_lookup(sw->table, rule_flow_table(f->kind), f->priority,
                              &f->match, &entry)) {
            continue;
        }
        if (f->kind <= RULE_FLOW_FRAGMENTS) {
            merge_entry(status, &entry);
            continue;
        }
        /* The route's own flow counts what passes. */
        merge_state(status, &entry);
        status->fragments_dropped +=
            f->kind == RULE_FLOW_DROP ? entry.packets : 0;
    }
    status->drops_fragments = part && part->fragments_dropped;
    status->fragments_reason =
        status->drops_fragments ? part->fragments_reason : "";
    merge_rest(status, sw, part ? part->rejected : NULL,
               part ? part->waiting : NULL);
    status->sources = part ? part->sources.list : NULL;
    status->n_sources = part ? part->sources.n : 0;
}

static size_t
static_statuses(const struct ctl *ctl, const struct rule *rule,
                struct view_status **statuses)
{
    const struct ctl_switch *sw = switch_lookup(ctl, rule->text->dpid);
    struct view_status *status = xcalloc(1, sizeof *status);
    *statuses = status;
    status->dpid = rule->text->dpid;
    status->error = "";
    struct ofp_entry_view entry;
    if (sw && rule->parsed
        && ofp_table_lookup_static(sw->table, rule->parsed, &entry)) {
        merge_entry(status, &entry);
    }
    merge_rest(status, sw, rule->rejected, rule->waiting);
    return 1;
}

static void
merge_channel(struct view_status *status, const struct ctl_switch *sw,
              const struct rule *rule, const struct ip_addr *source)
{
    bool star = ip_addr_is_any(source);
    struct channel channel = {.group = rule->member->group,
                              .source = *source,
                              .vlan = rule->member->vlan};
    struct ofp_match match = channel_match(&channel);
    struct ofp_entry_view entry;
    if (member_wants(rule, source)
        && ofp_table_lookup(sw->table, TABLE_MCAST,
                            star ? PRIO_STAR_G : PRIO_S_G, &match, &entry)) {
        merge_entry(status, &entry);
    }
}

/* As the entries of its channel that its port is in. */
static size_t
member_statuses(const struct ctl *ctl, const struct rule *rule,
                struct view_status **statuses)
{
    const struct member *m = rule->member;
    const struct ctl_switch *sw = switch_lookup(ctl, m->dpid);
    const struct channel_state *c =
        sw && rule->place ? channel_lookup(sw, m->vlan, &m->group) : NULL;
    struct view_status *status = xcalloc(1, sizeof *status);
    *statuses = status;
    status->dpid = m->dpid;
    status->error = "";
    if (c) {
        merge_channel(status, sw, rule, &IP_ADDR_ANY);
    }
    for (size_t i = 0; c && i < c->n_sources; i++) {
        merge_channel(status, sw, rule, &c->sources[i].address);
    }
    merge_rest(status, sw, rule->rejected, rule->waiting);
    return 1;
}

size_t
rule_statuses(const struct ctl *ctl, const struct rule *rule,
              struct view_status **statuses)
{
    if (rule->kind == STORE_FLOW) {
        return static_statuses(ctl, rule, statuses);
    }
    if (rule->kind == STORE_MEMBER) {
        return member_statuses(ctl, rule, statuses);
    }
    const struct route_match *m = &rule->route->match;
    size_t n = 0;
    *statuses = xcalloc(HASH_COUNT(ctl->switches) + 1, sizeof **statuses);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        const struct rule_part *part = rule_part_lookup(rule, sw->dpid);
        if (m->has_dpid && m->dpid != sw->dpid && !part) {
            continue;
        }
        struct view_status *status = &(*statuses)[n++];
        *status = (struct view_status){.dpid = sw->dpid, .error = ""};
        merge_part(status, sw, part);
    }
    if (!n && m->has_dpid) {
        (*statuses)[n++] =
            (struct view_status){.dpid = m->dpid,
                                 .state = VIEW_PENDING,
                                 .error = "the switch is not connected"};
    }
    return n;
}
