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
    bool is_delete;
    char *earlier; /* JSON to put back; NULL: there was none. */
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

static void
write_finish(struct write *w)
{
    struct ctl *ctl = w->ctl;
    DL_DELETE(ctl->writes, w);
    loop_timer_clear(ctl->loop, &w->timer);
    const char *pointer = w->kind == STORE_ROUTE ? "" : "/flow";
    if (w->putting_back) {
        answer(w->cb, w->aux, CTL_REJECTED, pointer, w->error);
    } else {
        struct rule *rule = rule_lookup(ctl, w->kind, w->name);
        if (rule && rule->replaced) {
            static_drop_replaced(ctl, rule);
        }
        answer(w->cb, w->aux, w->outcome, "", "");
    }
    free(w->earlier);
    free(w->awaits);
    free(w);
}

/* Which switches have to answer: those with changes not yet settled. */
static void
write_await(struct write *w)
{
    struct ctl *ctl = w->ctl;
    rules_compile(ctl);
    channels_compile(ctl);
    free(w->awaits);
    w->awaits = xcalloc(HASH_COUNT(ctl->switches) + 1, sizeof *w->awaits);
    w->n_awaits = 0;
    struct ctl_switch *sw, *tmp;
    HASH_ITER (hh, ctl->switches, sw, tmp) {
        uint64_t seqno = ofp_table_seqno(sw->table);
        if (switch_is_connected(sw)
            && ofp_table_settled_seqno(sw->table) < seqno) {
            w->awaits[w->n_awaits++] = (struct await){sw->dpid, seqno};
        }
    }
}

static void
put_back(struct write *w)
{
    struct ctl *ctl = w->ctl;
    struct rule *rule = rule_lookup(ctl, w->kind, w->name);
    w->putting_back = true;
    if (rule && w->earlier) {
        static_restore_replaced(ctl, rule);
        rule_set(ctl, w->kind, w->name, w->earlier);
        rule_save(ctl, rule);
    } else if (rule) {
        if (rule->kind == STORE_ROUTE) {
            route_uncompile(ctl, rule);
        } else {
            static_uncompile(ctl, rule);
        }
        rule_erase(ctl, w->kind, w->name);
        rule_destroy(ctl, rule);
    }
    write_await(w);
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
    for (;;) {
        for (size_t i = 0; i < w->n_awaits; i++) {
            if (!is_answered(w->ctl, &w->awaits[i])) {
                return;
            }
        }
        if (!w->error[0] || w->putting_back) {
            break;
        }
        put_back(w);
    }
    write_finish(w);
}

static void
timeout_cb(void *w_, int64_t now)
{
    (void) now;
    /* It is stored; the resource's status says what is pending. */
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
    struct write *w;
    DL_FOREACH (sw->ctl->writes, w) {
        if (w->owner == owner && !w->error[0]) {
            snprintf(w->error, sizeof w->error, "switch " DPID_FMT ": %s",
                     sw->dpid, error);
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
            free(earlier);
            earlier = w->earlier;
            w->earlier = NULL;
            write_finish(w);
        }
    }
    return earlier;
}

static void
write_start(struct ctl *ctl, enum store_kind kind, const char *name,
            ofp_owner owner, enum ctl_outcome outcome, char *earlier,
            enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    struct write *w = xcalloc(1, sizeof *w);
    w->ctl = ctl;
    w->kind = kind;
    snprintf(w->name, sizeof w->name, "%s", name);
    w->owner = owner;
    w->is_delete = outcome == CTL_DELETED;
    w->outcome = outcome;
    w->earlier = earlier;
    w->cb = cb;
    w->aux = aux;
    loop_timer_init(&w->timer, timeout_cb, w);
    DL_APPEND(ctl->writes, w);
    write_await(w);

    struct rule *rule = rule_lookup(ctl, kind, name);
    if (rule && rule->rejected[0]) {
        snprintf(w->error, sizeof w->error, "%s", rule->rejected);
    }
    if (wait == CTL_WAIT_STORED && !w->error[0]) {
        write_finish(w);
        return;
    }
    loop_timer_set(ctl->loop, &w->timer, loop_now(ctl->loop) + timeout_ms);
    write_check(w);
}

static void
put(struct ctl *ctl, enum store_kind kind, const char *name,
    struct cJSON *tree, enum ctl_wait wait, int64_t timeout_ms,
    ctl_done_cb *cb, void *aux)
{
    char *json = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    struct rule *rule = rule_lookup(ctl, kind, name);
    bool existed = rule && !rule->gone;
    if (existed && !strcmp(rule->json, json)) {
        free(json);
        answer(cb, aux, CTL_UNCHANGED, "", "");
        return;
    }
    struct store_row row = {
        .name = name, .json = json, .applied = rule && rule->applied};
    int error = store_put(ctl->store, kind, &row);
    snprintf(ctl->store_error, sizeof ctl->store_error, "%s",
             error ? store_error(ctl->store) : "");
    if (error) {
        answer(cb, aux, CTL_STORAGE, "", ctl->store_error);
    } else {
        char *earlier =
            overtake(ctl, kind, name, existed ? xstrdup(rule->json) : NULL);
        rule = rule_set(ctl, kind, name, json);
        write_start(ctl, kind, name, rule->owner,
                    existed ? CTL_REPLACED : CTL_CREATED, earlier, wait,
                    timeout_ms, cb, aux);
    }
    free(json);
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
        put(ctl, STORE_ROUTE, route->name, route_to_json(route), wait,
            timeout_ms, cb, aux);
    }
}

void
ctl_flow_put(struct ctl *ctl, const struct static_rule *text,
             enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *cb,
             void *aux)
{
    char *problem = static_problem(ctl, text);
    const struct rule *rule = rule_lookup(ctl, STORE_FLOW, text->name);
    const char *pointer = text->is_group ? "/group" : "/flow";
    if (problem) {
        answer(cb, aux, CTL_INVALID, pointer, problem);
    } else if (rule && !rule->gone && rule->text->dpid != text->dpid) {
        answer(cb, aux, CTL_INVALID, "/dpid",
               "this name is in use on another switch: delete it first");
    } else {
        put(ctl, STORE_FLOW, text->name, static_rule_to_json(text), wait,
            timeout_ms, cb, aux);
    }
    free(problem);
}

void
ctl_route_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                 int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    struct rule *rule = rule_lookup(ctl, STORE_ROUTE, name);
    if (!rule) {
        answer(cb, aux, CTL_NOT_FOUND, "", "");
        return;
    }
    if (rule_erase(ctl, STORE_ROUTE, name)) {
        answer(cb, aux, CTL_STORAGE, "", ctl->store_error);
        return;
    }
    free(overtake(ctl, STORE_ROUTE, name, NULL));
    route_uncompile(ctl, rule);
    rule_destroy(ctl, rule);
    /* What was widened over the deleted one's match is wanted again. */
    rules_mark_all(ctl, 0);
    write_start(ctl, STORE_ROUTE, name, 0, CTL_DELETED, NULL, wait, timeout_ms,
                cb, aux);
}

void
ctl_flow_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
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
    static_uncompile(ctl, rule);
    write_start(ctl, STORE_FLOW, name, 0, CTL_DELETED, NULL, wait, timeout_ms,
                cb, aux);
}
