/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route-read.h"

#include <cjson/cJSON.h>

enum { PROTO_UDP = 17 };

static void
add_dpid(struct cJSON *object, uint64_t dpid)
{
    char text[DPID_STRLEN];

    cJSON_AddStringToObject(object, "dpid", dpid_format(dpid, text));
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
    add_prefix(object, match->unicast ? "unicast" : "group", &match->group);
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

static void
add_set_addresses(struct cJSON *object, const struct route_set *set)
{
    if (set->has_source) {
        add_prefix(object, "source",
                   &(struct ip_prefix){set->source,
                                       (uint8_t) (128 - set->source_keep)});
    }
    if (set->has_source_pool) {
        add_prefix(object, "source_pool", &set->source_pool);
    }
    if (set->has_answers) {
        add_prefix(object, "reply_to", &set->answers);
    } else if (set->reply_to) {
        cJSON_AddTrueToObject(object, "reply_to");
    }
    if (set->has_group) {
        add_prefix(object, "group",
                   &(struct ip_prefix){set->group,
                                       (uint8_t) (128 - set->group_keep)});
    }
}

/* NULL if it sets nothing. */
static struct cJSON *
write_set(const struct route_set *set)
{
    struct cJSON *object = cJSON_CreateObject();
    char mac[MAC_ADDR_STRLEN];

    add_set_addresses(object, set);
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
    if (set->has_eth_dst) {
        cJSON_AddStringToObject(object, "eth_dst",
                                mac_addr_format(&set->eth_dst, mac));
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

/* The UDP port of a host stands beside its address. */
static struct cJSON *
write_host(const struct route_target *target)
{
    struct cJSON *object = cJSON_CreateObject();
    struct route_set set = target->set;

    add_prefix(object, "unicast", &(struct ip_prefix){target->host, 128});
    if (set.has_udp_dst) {
        cJSON_AddNumberToObject(object, "udp_dst", set.udp_dst);
        set.has_udp_dst = false;
    }
    if (!ip_addr_is_any(&target->via)) {
        add_prefix(object, "via", &(struct ip_prefix){target->via, 128});
    }
    if (target->has_vlan) {
        cJSON_AddNumberToObject(object, "vlan", target->vlan);
    }
    add_set(object, &set);
    return object;
}

static struct cJSON *
write_target(const struct route_target *target)
{
    if (target->kind == ROUTE_TO_HOST) {
        return write_host(target);
    }

    struct cJSON *object = cJSON_CreateObject();
    if (target->kind == ROUTE_TO_MEMBERS) {
        cJSON_AddTrueToObject(object, "members");
    } else if (target->kind == ROUTE_TO_VTEP) {
        route_write_vtep(object, target);
        add_set(object, &target->set);
        return object;
    }
    if (target->kind == ROUTE_TO_VLAN) {
        cJSON_AddNumberToObject(object, "vlan", target->vlan);
    }
    if (target->has_dpid) {
        add_dpid(object, target->dpid);
    }
    if (target->kind == ROUTE_TO_PORT) {
        cJSON_AddStringToObject(object, "port", target->port);
    }
    if (target->joined) {
        cJSON_AddStringToObject(object, "when", "joined");
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
    if (route->fragments) {
        cJSON_AddStringToObject(
            object, "fragments",
            route->fragments == ROUTE_FRAGMENTS_DROP ? "drop" : "pass");
    }
    if (route->join != ROUTE_JOIN_AUTO) {
        cJSON_AddStringToObject(object, "join", ROUTE_JOIN_NAMES[route->join]);
    }
    return object;
}
