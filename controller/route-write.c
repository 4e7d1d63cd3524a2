/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route.h"

#include <cjson/cJSON.h>

enum { PROTO_UDP = 17 };

static void
add_dpid(struct cJSON *object, uint64_t dpid)
{
    char text[DPID_STRLEN];

    cJSON_AddStringToObject(object, "dpid", dpid_format(dpid, text));
}

static void
add_address(struct cJSON *object, const char *member,
            const struct ip_addr *address)
{
    char text[IP_ADDR_STRLEN];

    cJSON_AddStringToObject(object, member, ip_addr_format(address, text));
}

static void
add_prefix(struct cJSON *object, const char *member,
           const struct ip_prefix *prefix)
{
    char text[IP_PREFIX_STRLEN];

    cJSON_AddStringToObject(object, member, ip_prefix_format(prefix, text));
}

static struct cJSON *
write_match(const struct route_match *match)
{
    struct cJSON *object = cJSON_CreateObject();

    if (match->has_dpid) {
        add_dpid(object, match->dpid);
    }
    if (match->has_port) {
        cJSON_AddStringToObject(object, "port", match->port);
    }
    if (match->has_vlan) {
        cJSON_AddNumberToObject(object, "vlan", match->vlan);
    }
    if (match->has_source) {
        add_prefix(object, "source", &match->source);
    }
    add_prefix(object, "group", &match->group);
    if (match->has_proto && match->proto == PROTO_UDP) {
        cJSON_AddStringToObject(object, "proto", "udp");
    } else if (match->has_proto) {
        cJSON_AddNumberToObject(object, "proto", match->proto);
    }
    if (match->has_udp_dst) {
        cJSON_AddNumberToObject(object, "udp_dst", match->udp_dst);
    }
    return object;
}

/* NULL if it sets nothing. */
static struct cJSON *
write_set(const struct route_set *set)
{
    struct cJSON *object = cJSON_CreateObject();
    char mac[MAC_ADDR_STRLEN];

    if (set->has_source) {
        add_address(object, "source", &set->source);
    }
    if (set->has_group) {
        add_address(object, "group", &set->group);
    }
    if (set->has_udp_dst) {
        cJSON_AddNumberToObject(object, "udp_dst", set->udp_dst);
    }
    if (set->has_ttl) {
        cJSON_AddNumberToObject(object, "ttl", set->ttl);
    }
    if (set->has_eth_src) {
        cJSON_AddStringToObject(
            object, "eth_src",
            set->eth_src_auto ? "auto" : mac_addr_format(&set->eth_src, mac));
    }
    if (set->has_dscp) {
        cJSON_AddNumberToObject(object, "dscp", set->dscp);
    }
    if (set->has_vlan) {
        cJSON_AddNumberToObject(object, "vlan", set->vlan);
    }
    if (!object->child) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

static void
add_set(struct cJSON *parent, const struct route_set *set)
{
    struct cJSON *object = write_set(set);

    if (object) {
        cJSON_AddItemToObject(parent, "set", object);
    }
}

static struct cJSON *
write_target(const struct route_target *target)
{
    struct cJSON *object = cJSON_CreateObject();

    if (target->kind == ROUTE_TO_MEMBERS) {
        cJSON_AddTrueToObject(object, "members");
    } else {
        add_dpid(object, target->dpid);
        cJSON_AddStringToObject(object, "port", target->port);
    }
    add_set(object, &target->set);
    return object;
}

/* One plain {"members":true} is what a route without "to" means. */
static bool
targets_are_default(const struct route *route)
{
    if (route->n_targets != 1 || route->targets[0].kind != ROUTE_TO_MEMBERS) {
        return false;
    }

    struct cJSON *set = write_set(&route->targets[0].set);
    cJSON_Delete(set);
    return !set;
}

struct cJSON *
route_to_json(const struct route *route)
{
    struct cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "name", route->name);
    cJSON_AddItemToObject(object, "match", write_match(&route->match));
    add_set(object, &route->set);
    if (!targets_are_default(route)) {
        struct cJSON *list = cJSON_AddArrayToObject(object, "to");

        for (size_t i = 0; i < route->n_targets; i++) {
            cJSON_AddItemToArray(list, write_target(&route->targets[i]));
        }
    }
    return object;
}
