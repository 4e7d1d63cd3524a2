/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A route's "to": where its copies go. */

#include "controller/route-read.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

static void
read_members_target(const struct json_at *at)
{
    static const char *const members[] = {"members", "set", NULL};
    bool yes;

    json_only(at, members);
    if (json_get_bool(at, "members", &yes) && !yes) {
        json_fail(at->error, at->pointer, "members",
                  "\"members\" must be true; leave the whole target out if "
                  "members get no copy");
    }
}

static void
read_port_target(const struct json_at *at, struct route_target *target)
{
    static const char *const members[] = {"dpid", "port", "when", "set", NULL};
    const char *when;

    target->kind = ROUTE_TO_PORT;
    json_only(at, members);
    json_require(at, "dpid");
    json_require(at, "port");
    target->has_dpid = json_get_dpid(at, "dpid", &target->dpid);
    json_get_port(at, "port", target->port);
    if (json_get_string(at, "when", &when)) {
        target->joined = !strcmp(when, "joined");
        if (!target->joined && strcmp(when, "always")) {
            json_fail(at->error, at->pointer, "when",
                      "\"when\" must be \"always\" or \"joined\": while the "
                      "port has a member of the group");
        }
    }
}

static void
read_vlan_target(const struct json_at *at, struct route_target *target)
{
    static const char *const members[] = {"vlan", "dpid", "set", NULL};
    int64_t number;

    target->kind = ROUTE_TO_VLAN;
    json_only(at, members);
    target->has_dpid = json_get_dpid(at, "dpid", &target->dpid);
    if (json_get_int(at, "vlan", 0, 4094, &number)) {
        target->vlan = number;
    }
}

static void
read_target(struct route_reading *r, const struct cJSON *value, size_t index,
            struct route_target *target)
{
    char pointer[32], set_pointer[40];
    const struct json_at at = {value, pointer, r->error};

    snprintf(pointer, sizeof pointer, "/to/%zu", index);
    snprintf(set_pointer, sizeof set_pointer, "%s/set", pointer);
    if (json_has(&at, "members")) {
        target->kind = ROUTE_TO_MEMBERS;
        read_members_target(&at);
    } else if (json_has(&at, "unicast")) {
        route_read_host_target(r, &at, set_pointer, target);
        return;
    } else if (json_has(&at, "vtep")) {
        route_read_vtep(&at, target);
    } else if (json_has(&at, "vlan")) {
        read_vlan_target(&at, target);
    } else {
        read_port_target(&at, target);
    }
    route_read_set(r, &at, set_pointer, &target->set);
    if (target->kind == ROUTE_TO_VLAN && target->set.has_vlan) {
        json_fail(r->error, set_pointer, "vlan",
                  "the target says already which vlan it is");
    }
}

void
route_read_targets(struct route_reading *r, const struct json_at *body)
{
    const struct cJSON *list = json_get_array(body, "to"), *value;
    struct route *route = r->route;
    size_t n = list ? cJSON_GetArraySize(list) : 1, i = 0;

    if (n > ROUTE_MAX_TARGETS) {
        json_fail(r->error, "", "to", "\"to\" has %zu targets; at most %d fit",
                  n, ROUTE_MAX_TARGETS);
        return;
    }
    route->targets = xcalloc(n + 1, sizeof *route->targets);
    route->n_targets = n;
    cJSON_ArrayForEach (value, list) {
        read_target(r, value, i, &route->targets[i]);
        i++;
    }
}
