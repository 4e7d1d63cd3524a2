/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What is asked of a write before it begins: see writes.h. */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/ctl-private.h"
#include "controller/lease.h"
#include "controller/route-fragments.h"
#include "controller/route-reply.h"
#include "controller/writes.h"

enum { POINTER_SIZE = 40 };

/* Takes over 'tree'. */
static char *
print(struct cJSON *tree)
{
    char *json = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    return json;
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
        if (route->targets[i].kind == ROUTE_TO_VLAN
            || route->targets[i].has_vlan) {
            snprintf(pointer, POINTER_SIZE, "/to/%zu/vlan", i);
            return true;
        }
    }
    return false;
}

void
ctl_route_put(struct ctl *ctl, const struct route *route, enum ctl_wait wait,
              int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    char pointer[POINTER_SIZE], why[ROUTE_FRAGMENTS_WHY_SIZE];
    const struct rule *twin = route_find_twin(ctl, route);
    if (twin) {
        char detail[160];
        snprintf(detail, sizeof detail,
                 "route \"%s\" matches exactly the same packets", twin->name);
        write_answer(&asker, CTL_INVALID, "/match", detail);
    } else if (vlan_is_open(route, pointer)) {
        write_answer(
            &asker, CTL_INVALID, pointer,
            "a copy in another vlan needs \"vlan\" in \"match\": whether to "
            "push, change or pop a tag depends on it");
    } else if (route_fragments_refused(ctl, route, why, sizeof why)) {
        write_answer(&asker, CTL_INVALID, "/fragments", why);
    } else if (route_reply_refused(ctl, route, why, sizeof why)) {
        write_answer(&asker, CTL_INVALID, "/set/reply_to", why);
    } else {
        char *json = print(route_to_json(route));
        writes_put(ctl, STORE_ROUTE, route->name, json, false, &asker);
        free(json);
    }
}

void
ctl_flow_put(struct ctl *ctl, const struct static_rule *text,
             enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *cb,
             void *aux)
{
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    char *problem = static_problem(ctl, text);
    const struct rule *rule = rule_lookup(ctl, STORE_FLOW, text->name);
    bool same_switch = rule && rule->text->dpid == text->dpid;
    if (problem) {
        write_answer(&asker, CTL_INVALID, text->is_group ? "/group" : "/flow",
                     problem);
    } else if (rule && !rule->gone && !same_switch) {
        write_answer(&asker, CTL_INVALID, "/dpid",
                     "this name is in use on another switch: delete it first");
    } else {
        char *json = print(static_rule_to_json(text));
        writes_put(ctl, STORE_FLOW, text->name, json,
                   same_switch && rule->applied, &asker);
        free(json);
    }
    free(problem);
}

void
ctl_route_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                 int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    writes_erase(ctl, STORE_ROUTE, name, &asker);
}

static bool
is_fixed(const struct ctl *ctl, const char *name,
         const struct write_asker *asker)
{
    const struct rule *rule = rule_lookup(ctl, STORE_MEMBER, name);
    if (rule && rule->fixed) {
        write_answer(
            asker, CTL_FIXED, "",
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
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    if (!is_fixed(ctl, member->name, &asker)) {
        struct member leased = *member;
        leased.lease_ends = member->lease ? lease_end(member->lease) : 0;
        char *json = print(member_to_json(&leased));
        writes_put(ctl, STORE_MEMBER, member->name, json, false, &asker);
        free(json);
    }
}

void
ctl_member_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                  int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    if (!is_fixed(ctl, name, &asker)) {
        writes_erase(ctl, STORE_MEMBER, name, &asker);
    }
}

void
ctl_flow_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                int64_t timeout_ms, ctl_done_cb *cb, void *aux)
{
    const struct write_asker asker = {wait, timeout_ms, cb, aux};
    struct rule *rule = rule_lookup(ctl, STORE_FLOW, name);
    if (!rule || rule->gone) {
        write_answer(&asker, CTL_NOT_FOUND, "", "");
        return;
    }
    const struct rule *user = static_user(ctl, rule);
    if (user) {
        char detail[160];
        snprintf(detail, sizeof detail,
                 "flow \"%s\" uses this group: the switch would delete it "
                 "too",
                 user->name);
        write_answer(&asker, CTL_INVALID, "", detail);
        return;
    }
    writes_mark_gone(ctl, rule, &asker);
}
