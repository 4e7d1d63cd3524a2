/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Writes: durable first, then on the switches, then answered.
 *
 *   store -> memory -> compile -> wait for the switches --all fine--> answer
 *                                        | one refuses
 *                                        v
 *               the earlier state: store, memory, compile, wait -> answer
 *
 * So a write that was answered with success survives kill -9, and one that a
 * switch refused leaves nothing behind. */

#include "controller/ctl-private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/route-rewrite.h"
#include "lib/xalloc.h"

enum { POINTER_SIZE = 40 };

struct await {
    uint64_t dpid;
    uint64_t seqno;
};

struct write {
    struct write *prev, *next; /* In ctl->writes. */
    struct ctl *ctl;
    enum store_kind kind;
    char name[ROUTE_NAME_SIZE];
    ofp_owner owner;
    char *earlier;  /* JSON to put back; NULL: there was none. */
    bool follows;   /* It wants what another one has begun: if that fails, it
                     * is the other that puts back. */
    bool overtaken; /* By another one: what it replaced is still needed. */
    struct await *awaits;
    size_t n_awaits;
    bool putting_back;
    char error[OFP_ERROR_SIZE]; /* The switch's. */
    struct loop_timer timer;
    enum ctl_outcome outcome; /* If all goes well. */
    ctl_done_cb *cb;
    void *aux;
};

static void
answer(ctl_done_cb *cb, void *aux, enum ctl_outcome outcome,
       const char *pointer, const char *detail)
{
    cb(aux, &(struct ctl_result){
                .outcome = outcome, .detail = detail, .pointer = pointer});
}

/* Takes over 'tree'. */
static char *
print(struct cJSON *tree)
{
    char *json = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    return json;
}

static void
write_finish(struct write *w)
{
    struct ctl *ctl = w->ctl;
    DL_DELETE(ctl->writes, w);
    loop_timer_clear(ctl->loop, &w->timer);
    const char *pointer = w->kind == STORE_FLOW ? "/flow" : "";
    if (w->putting_back || (w->follows && w->error[0])) {
        answer(w->cb, w->aux, CTL_REJECTED, pointer, w->error);
    } else {
        struct rule *rule = rule_lookup(ctl, w->kind, w->name);
        if (rule && !w->overtaken) {
            static_drop_replaced(ctl, rule);
        }
        answer(w->cb, w->aux, w->outcome, "", "");
    }
    free(w->earlier);
    free(w->awaits);
    free(w);
}

/* Before the changes of a write: what else is to be done is done, so that the
 * switches whose tables change from here on are those that it concerns. */
static void
changes_begin(struct ctl *ctl)
{
    rules_compile(ctl);
    channels_compile(ctl);
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        sw->seqno_before = ofp_table_seqno(sw->table);
    }
}

static void
await(struct write *w, const struct ctl_switch *sw)
{
    uint64_t seqno = ofp_table_seqno(sw->table);
    if (switch_is_connected(sw)
        && ofp_table_settled_seqno(sw->table) < seqno) {
        w->awaits[w->n_awaits++] = (struct await){sw->dpid, seqno};
    }
}

/* Where the rule is still on its way. */
static void
await_pending(struct write *w)
{
    const struct rule *rule = rule_lookup(w->ctl, w->kind, w->name);
    struct view_status *statuses;
    size_t n = rule_statuses(w->ctl, rule, &statuses);
    for (size_t i = 0; i < n; i++) {
        const struct ctl_switch *sw = switch_lookup(w->ctl, statuses[i].dpid);
        if (sw && statuses[i].state == VIEW_PENDING) {
            await(w, sw);
        }
    }
    free(statuses);
}

/* Which switches have to answer: those that it concerns. */
static void
write_await(struct write *w)
{
    struct ctl *ctl = w->ctl;
    rules_compile(ctl);
    channels_compile(ctl);
    free(w->awaits);
    w->awaits = xcalloc(HASH_COUNT(ctl->switches) + 1, sizeof *w->awaits);
    w->n_awaits = 0;
    if (w->follows) {
        await_pending(w);
        return;
    }
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        if (ofp_table_seqno(sw->table) != sw->seqno_before) {
            await(w, sw);
        }
    }
}

static void
put_back(struct write *w)
{
    struct ctl *ctl = w->ctl;
    struct rule *rule = rule_lookup(ctl, w->kind, w->name);
    w->putting_back = true;
    changes_begin(ctl);
    if (rule && rule->fixed) {
        /* A configuration that was loaded meanwhile has one of this name:
         * what we stored is hidden by it. */
        if (w->earlier) {
            rule_store(
                ctl, w->kind,
                &(struct store_row){.name = w->name, .json = w->earlier});
        } else {
            rule_erase(ctl, w->kind, w->name);
        }
    } else if (rule && w->earlier) {
        static_restore_replaced(ctl, rule);
        rule_set(ctl, w->kind, w->name, w->earlier);
        rule_save(ctl, rule);
    } else if (rule) {
        rule_uncompile(ctl, rule);
        rule_erase(ctl, w->kind, w->name);
        rule_destroy(ctl, rule);
    }
    write_await(w);
}

/* Entries of a member are its channel's, for which nobody is named when a
 * switch refuses them. */
static void
note_refusal(struct write *w)
{
    const struct rule *rule = rule_lookup(w->ctl, w->kind, w->name);
    if (!rule || rule->kind != STORE_MEMBER || w->error[0]) {
        return;
    }
    struct view_status *statuses;
    size_t n = rule_statuses(w->ctl, rule, &statuses);
    for (size_t i = 0; i < n; i++) {
        if (statuses[i].state == VIEW_REJECTED) {
            snprintf(w->error, sizeof w->error, "switch " DPID_FMT ": %s",
                     statuses[i].dpid, statuses[i].error);
        }
    }
    free(statuses);
}

static bool
is_answered(const struct ctl *ctl, const struct await *a)
{
    const struct ctl_switch *sw = switch_lookup(ctl, a->dpid);
    return !switch_is_connected(sw)
           || ofp_table_settled_seqno(sw->table) >= a->seqno;
}

static void
write_check(struct write *w)
{
    note_refusal(w);
    if (w->error[0] && !w->putting_back && !w->follows) {
        put_back(w);
    }
    for (size_t i = 0; i < w->n_awaits; i++) {
        if (!is_answered(w->ctl, &w->awaits[i])) {
            return;
        }
    }
    write_finish(w);
}

/* What has not been answered yet is stored nevertheless; the resource's status
 * says what is pending. */
static void
timeout_cb(void *w_, int64_t now)
{
    (void) now;
    write_finish(w_);
}

void
writes_settled(struct ctl_switch *sw)
{
    statics_settled(sw);
    struct write *w, *tmp;
    DL_FOREACH_SAFE (sw->ctl->writes, w, tmp) {
        write_check(w);
    }
}

void
writes_rejected(struct ctl_switch *sw, ofp_owner owner, const char *error)
{
    struct write *w, *tmp;
    DL_FOREACH_SAFE (sw->ctl->writes, w, tmp) {
        if (owner && w->owner == owner && !w->error[0]) {
            snprintf(w->error, sizeof w->error, "switch " DPID_FMT ": %s",
                     sw->dpid, error);
            write_check(w);
        }
    }
}

void
writes_abandon(struct ctl *ctl)
{
    while (ctl->writes) {
        write_finish(ctl->writes);
    }
}

/* An earlier write of the same rule that still waits was accepted, and is
 * overtaken now.  What it would have put back is what we would. */
static char *
overtake(struct ctl *ctl, enum store_kind kind, const char *name,
         char *earlier)
{
    struct write *w, *tmp;
    DL_FOREACH_SAFE (ctl->writes, w, tmp) {
        if (w->kind == kind && !strcmp(w->name, name) && !w->putting_back) {
            if (!w->follows) {
                free(earlier);
                earlier = w->earlier;
                w->earlier = NULL;
            }
            w->overtaken = true;
            write_finish(w);
        }
    }
    return earlier;
}

/* Who wants a write, and how long they wait for it. */
struct asker {
    enum ctl_wait wait;
    int64_t timeout_ms;
    ctl_done_cb *cb;
    void *aux;
};

static struct write *
write_create(struct ctl *ctl, enum store_kind kind, const char *name,
             enum ctl_outcome outcome, const struct asker *asker)
{
    struct write *w = xcalloc(1, sizeof *w);
    w->ctl = ctl;
    w->kind = kind;
    snprintf(w->name, sizeof w->name, "%s", name);
    w->outcome = outcome;
    w->cb = asker->cb;
    w->aux = asker->aux;
    loop_timer_init(&w->timer, timeout_cb, w);
    DL_APPEND(ctl->writes, w);
    return w;
}

static void
write_start(struct write *w, const struct asker *asker)
{
    struct ctl *ctl = w->ctl;
    write_await(w);
    const struct rule *rule = rule_lookup(ctl, w->kind, w->name);
    const char *problem = rule && !w->follows ? rule_problem(rule) : NULL;
    if (problem) {
        snprintf(w->error, sizeof w->error, "%s", problem);
    }
    if (asker->wait == CTL_WAIT_STORED && !w->error[0]) {
        write_finish(w);
        return;
    }
    loop_timer_set(ctl->loop, &w->timer,
                   loop_now(ctl->loop) + asker->timeout_ms);
    write_check(w);
}

/* What is wanted is there already, or on its way. */
static void
follow(struct ctl *ctl, const struct rule *rule, const struct asker *asker)
{
    struct write *w =
        write_create(ctl, rule->kind, rule->name, CTL_UNCHANGED, asker);
    w->owner = rule->owner;
    w->follows = true;
    write_start(w, asker);
}

/* 'applied' is what the store shall remember of a group that is there. */
static void
put(struct ctl *ctl, enum store_kind kind, const char *name, const char *json,
    bool applied, const struct asker *asker)
{
    struct rule *rule = rule_lookup(ctl, kind, name);
    bool existed = rule && !rule->gone;
    if (existed && !strcmp(rule->json, json)) {
        follow(ctl, rule, asker);
        return;
    }
    struct store_row row = {.name = name, .json = json, .applied = applied};
    if (rule_store(ctl, kind, &row)) {
        answer(asker->cb, asker->aux, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    char *earlier =
        overtake(ctl, kind, name, existed ? xstrdup(rule->json) : NULL);
    changes_begin(ctl);
    if (rule && !existed) {
        rule_destroy(ctl, rule);
    }
    rule = rule_set(ctl, kind, name, json);
    rule->applied = applied;
    struct write *w = write_create(
        ctl, kind, name, existed ? CTL_REPLACED : CTL_CREATED, asker);
    w->owner = rule->owner;
    w->earlier = earlier;
    write_start(w, asker);
}

/* Where a route changes the vlan of packets whose vlan it does not match:
 * 'pointer' is then set to that member. */
static bool
vlan_is_open(const struct route *route, char pointer[POINTER_SIZE])
{
    if (route->match.has_vlan) {
        return false;
    }
    if (route->set.has_vlan) {
        snprintf(pointer, POINTER_SIZE, "/set/vlan");
        return true;
    }
    for (size_t i = 0; i < route->n_targets; i++) {
        if (route->targets[i].set.has_vlan) {
            snprintf(pointer, POINTER_SIZE, "/to/%zu/set/vlan", i);
            return true;
        }
    }
    return false;
}

void
ctl_route_put(struct ctl *ctl, const struct route *route, enum ctl_wait wait,
              int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    char pointer[POINTER_SIZE];
    const struct rule *twin = route_find_twin(ctl, route);
    if (twin) {
        char detail[160];
        snprintf(detail, sizeof detail,
                 "route \"%s\" matches exactly the same packets", twin->name);
        answer(cb, aux, CTL_INVALID, "/match", detail);
    } else if (vlan_is_open(route, pointer)) {
        answer(cb, aux, CTL_INVALID, pointer,
               "changing the vlan needs \"vlan\" in \"match\": whether to "
               "push, change or pop a tag depends on it");
    } else {
        char *json = print(route_to_json(route));
        put(ctl, STORE_ROUTE, route->name, json, false, &asker);
        free(json);
    }
}

void
ctl_flow_put(struct ctl *ctl, const struct static_rule *text,
             enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *cb,
             void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    char *problem = static_problem(ctl, text);
    const struct rule *rule = rule_lookup(ctl, STORE_FLOW, text->name);
    bool same_switch = rule && rule->text->dpid == text->dpid;
    if (problem) {
        answer(cb, aux, CTL_INVALID, text->is_group ? "/group" : "/flow",
               problem);
    } else if (rule && !rule->gone && !same_switch) {
        answer(cb, aux, CTL_INVALID, "/dpid",
               "this name is in use on another switch: delete it first");
    } else {
        char *json = print(static_rule_to_json(text));
        put(ctl, STORE_FLOW, text->name, json, same_switch && rule->applied,
            &asker);
        free(json);
    }
    free(problem);
}

/* What leaves no trace on a switch that would have to be remembered. */
static void
erase(struct ctl *ctl, enum store_kind kind, const char *name,
      const struct asker *asker)
{
    struct rule *rule = rule_lookup(ctl, kind, name);
    if (!rule) {
        answer(asker->cb, asker->aux, CTL_NOT_FOUND, "", "");
        return;
    }
    if (rule_erase(ctl, kind, name)) {
        answer(asker->cb, asker->aux, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    free(overtake(ctl, kind, name, NULL));
    changes_begin(ctl);
    rule_uncompile(ctl, rule);
    rule_destroy(ctl, rule);
    write_start(write_create(ctl, kind, name, CTL_DELETED, asker), asker);
}

void
ctl_route_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                 int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    erase(ctl, STORE_ROUTE, name, &asker);
}

static bool
is_fixed(const struct ctl *ctl, const char *name, const struct asker *asker)
{
    const struct rule *rule = rule_lookup(ctl, STORE_MEMBER, name);
    if (rule && rule->fixed) {
        answer(asker->cb, asker->aux, CTL_FIXED, "",
               "this member is in the configuration file: change it there and "
               "send SIGHUP");
    }
    return rule && rule->fixed;
}

void
ctl_member_put(struct ctl *ctl, const struct member *member,
               enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *cb,
               void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    if (!is_fixed(ctl, member->name, &asker)) {
        char *json = print(member_to_json(member));
        put(ctl, STORE_MEMBER, member->name, json, false, &asker);
        free(json);
    }
}

void
ctl_member_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                  int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    if (!is_fixed(ctl, name, &asker)) {
        erase(ctl, STORE_MEMBER, name, &asker);
    }
}

void
ctl_flow_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct asker asker = {wait, timeout_ms, cb, aux};
    struct rule *rule = rule_lookup(ctl, STORE_FLOW, name);
    if (!rule || rule->gone) {
        answer(cb, aux, CTL_NOT_FOUND, "", "");
        return;
    }
    const struct rule *user = static_user(ctl, rule);
    if (user) {
        char detail[160];
        snprintf(detail, sizeof detail,
                 "flow \"%s\" uses this group: the switch would delete it "
                 "too",
                 user->name);
        answer(cb, aux, CTL_INVALID, "", detail);
        return;
    }
    rule->gone = true;
    if (rule_save(ctl, rule)) {
        rule->gone = false;
        answer(cb, aux, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    free(overtake(ctl, STORE_FLOW, name, NULL));
    changes_begin(ctl);
    static_uncompile(ctl, rule);
    write_start(write_create(ctl, STORE_FLOW, name, CTL_DELETED, &asker),
                &asker);
}
