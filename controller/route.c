/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* The last addresses below 224.0.0.0/4, of 224.0.0.0/24, of 224.0.0.0/4. */
#define UNICAST_LAST    0xdfffffffU
#define LINK_LOCAL_LAST 0xe00000ffU
#define MULTICAST_LAST  0xefffffffU

static const char link_local[] =
    "224.0.0.0/24 is link-local: it reaches every port and is never pruned "
    "or routed (RFC 4541 2.1.2)";

/* What all parts of a body need while it is read. */
struct reading {
    struct route *route;
    struct json_error *error;
    bool proto_given; /* "proto" was there, even as "any". */
};

/* Addresses. */
static bool
get_address(const struct json_at *at, const char *member, struct ip_addr *out)
{
    const char *text;

    if (!json_get_string(at, member, &text)) {
        return false;
    }
    if (!ip_addr_parse(text, out)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be an IPv4 address", member);
        return false;
    }
    if (!ip_addr_is_v4(out)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\": IPv6 routes come later", member);
        return false;
    }
    return true;
}

static bool
get_prefix(const struct json_at *at, const char *member, const char *example,
           struct ip_prefix *out)
{
    const char *text;

    if (!json_get_string(at, member, &text)) {
        return false;
    }
    if (!ip_prefix_parse(text, out)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be an IPv4 address, or a prefix without host "
                  "bits such as \"%s\"",
                  member, example);
        return false;
    }
    if (!ip_addr_is_v4(&out->addr) || out->len < 96) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\": IPv6 routes come later", member);
        return false;
    }
    return true;
}

static uint32_t
prefix_first(const struct ip_prefix *prefix)
{
    return ip_addr_to_v4(&prefix->addr);
}

static uint32_t
prefix_last(const struct ip_prefix *prefix)
{
    return prefix_first(prefix)
           | (uint32_t) (0xffffffffULL >> (prefix->len - 96));
}

/* Is first..last within 224.0.0.0/4 and outside 224.0.0.0/24?  Says so if it
 * is not. */
static bool
check_group(const struct json_at *at, const char *member, uint32_t first,
            uint32_t last)
{
    if (first <= UNICAST_LAST || last > MULTICAST_LAST) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be multicast: within 224.0.0.0/4", member);
    } else if (last <= LINK_LOCAL_LAST) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must not be in 224.0.0.0/24: %s", member,
                  link_local);
    } else if (first <= LINK_LOCAL_LAST) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must not include 224.0.0.0/24: %s", member,
                  link_local);
    }
    return !at->error->failed;
}

/* "match" */
/* "proto": "udp", "tcp", "any" or a number. */
static void
read_proto(struct reading *r, const struct json_at *at)
{
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(at->object, "proto");
    struct route_match *match = &r->route->match;
    int64_t number;

    if (!value) {
        return;
    }
    r->proto_given = true;
    if (cJSON_IsNumber(value)) {
        match->has_proto = json_get_int(at, "proto", 0, 255, &number);
        match->proto = match->has_proto ? number : 0;
    } else if (cJSON_IsString(value) && !strcmp(value->valuestring, "udp")) {
        match->has_proto = true;
        match->proto = PROTO_UDP;
    } else if (cJSON_IsString(value) && !strcmp(value->valuestring, "tcp")) {
        match->has_proto = true;
        match->proto = PROTO_TCP;
    } else if (!cJSON_IsString(value) || strcmp(value->valuestring, "any")) {
        json_fail(r->error, at->pointer, "proto",
                  "\"proto\" must be \"udp\", \"any\" or an IP protocol "
                  "number from 0 to 255");
    }
}

/* 'member' of 'at' speaks of UDP ports: then the route is about UDP. */
static void
need_udp(struct reading *r, const struct json_at *at, const char *member)
{
    struct route_match *match = &r->route->match;

    if (!r->proto_given) {
        match->has_proto = true;
        match->proto = PROTO_UDP;
    } else if (!match->has_proto || match->proto != PROTO_UDP) {
        json_fail(r->error, at->pointer, member,
                  "\"%s\" needs UDP: leave \"proto\" out of \"match\" or make "
                  "it \"udp\"",
                  member);
    }
}

static void
read_match_addresses(struct route_match *match, const struct json_at *at)
{
    json_require(at, "group");
    if (get_prefix(at, "group", "239.1.0.0/16", &match->group)) {
        check_group(at, "group", prefix_first(&match->group),
                    prefix_last(&match->group));
    }
    match->has_source =
        get_prefix(at, "source", "192.168.168.0/24", &match->source);
    if (match->has_source && prefix_last(&match->source) > UNICAST_LAST) {
        json_fail(at->error, at->pointer, "source",
                  "\"source\" must be unicast, below 224.0.0.0; leave it out "
                  "for any source");
    }
}

static void
read_match(struct reading *r, const struct json_at *body)
{
    static const char *const members[] = {
        "dpid", "port", "vlan", "source", "group", "proto", "udp_dst", NULL};
    const struct json_at at = {json_get_object(body, "match"), "/match",
                               r->error};
    struct route_match *match = &r->route->match;
    int64_t number;

    json_require(body, "match");
    if (!at.object) {
        return;
    }
    json_only(&at, members);
    match->has_dpid = json_get_dpid(&at, "dpid", &match->dpid);
    match->has_port = json_get_port(&at, "port", match->port);
    if (match->has_port && !json_has(&at, "dpid")) {
        json_fail(r->error, at.pointer, "port",
                  "\"port\" needs \"dpid\": say of which switch it is a port");
    }
    match->has_vlan = json_get_int(&at, "vlan", 0, 4094, &number);
    match->vlan = match->has_vlan ? number : 0;
    read_match_addresses(match, &at);
    read_proto(r, &at);
    match->has_udp_dst = json_get_int(&at, "udp_dst", 1, 65535, &number);
    if (match->has_udp_dst) {
        match->udp_dst = number;
        need_udp(r, &at, "udp_dst");
    }
}

/* "set" */
static void
read_set_addresses(struct route_set *set, const struct json_at *at)
{
    set->has_source = get_address(at, "source", &set->source);
    if (set->has_source) {
        uint32_t source = ip_addr_to_v4(&set->source);

        if (source > UNICAST_LAST || source >> 24 == 0
            || source >> 24 == 127) {
            json_fail(at->error, at->pointer, "source",
                      "\"source\" must be the address of a host: not in "
                      "0.0.0.0/8, in 127.0.0.0/8, multicast, reserved or "
                      "broadcast");
        }
    }
    set->has_group = get_address(at, "group", &set->group);
    if (set->has_group) {
        uint32_t group = ip_addr_to_v4(&set->group);

        check_group(at, "group", group, group);
    }
}

static void
read_eth_src(struct route_set *set, const struct json_at *at)
{
    static const struct mac_addr zero;
    const char *text;

    if (!json_get_string(at, "eth_src", &text)) {
        return;
    }
    set->has_eth_src = true;
    set->eth_src_auto = !strcmp(text, "auto");
    if (!set->eth_src_auto
        && (!mac_addr_parse(text, &set->eth_src)
            || mac_addr_is_multicast(&set->eth_src)
            || !memcmp(&set->eth_src, &zero, sizeof zero))) {
        json_fail(at->error, at->pointer, "eth_src",
                  "\"eth_src\" must be \"auto\" or a host's Ethernet address "
                  "such as \"02:00:00:00:00:01\"");
    }
}

static void
read_set(struct reading *r, const struct json_at *parent, const char *pointer,
         struct route_set *set)
{
    static const char *const members[] = {"source",  "group", "udp_dst", "ttl",
                                          "eth_src", "dscp",  "vlan",    NULL};
    const struct json_at at = {json_get_object(parent, "set"), pointer,
                               r->error};
    int64_t number;

    if (!at.object) {
        return;
    }
    json_only(&at, members);
    read_set_addresses(set, &at);
    read_eth_src(set, &at);
    if (json_get_int(&at, "udp_dst", 1, 65535, &number)) {
        set->has_udp_dst = true;
        set->udp_dst = number;
        need_udp(r, &at, "udp_dst");
    }
    if (json_get_int(&at, "ttl", 1, 255, &number)) {
        set->has_ttl = true;
        set->ttl = number;
    }
    if (json_get_int(&at, "dscp", 0, 63, &number)) {
        set->has_dscp = true;
        set->dscp = number;
    }
    if (json_get_int(&at, "vlan", 0, 4094, &number)) {
        set->has_vlan = true;
        set->vlan = number;
    }
}

/* "to" */
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
    static const char *const members[] = {"dpid", "port", "set", NULL};

    target->kind = ROUTE_TO_PORT;
    json_only(at, members);
    json_require(at, "dpid");
    json_require(at, "port");
    json_get_dpid(at, "dpid", &target->dpid);
    json_get_port(at, "port", target->port);
}

static void
read_target(struct reading *r, const struct cJSON *value, size_t index,
            struct route_target *target)
{
    static const char *const later[] = {"unicast", "vtep"};
    char pointer[32], set_pointer[40];
    const struct json_at at = {value, pointer, r->error};

    snprintf(pointer, sizeof pointer, "/to/%zu", index);
    snprintf(set_pointer, sizeof set_pointer, "%s/set", pointer);
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (json_has(&at, later[i])) {
            json_fail(r->error, pointer, later[i],
                      "\"%s\" targets are not supported by this version",
                      later[i]);
        }
    }
    if (json_has(&at, "members")) {
        target->kind = ROUTE_TO_MEMBERS;
        read_members_target(&at);
    } else {
        read_port_target(&at, target);
    }
    read_set(r, &at, set_pointer, &target->set);
}

static void
read_targets(struct reading *r, const struct json_at *body)
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

/* The whole. */
struct route *
route_from_json(const char *name, const struct cJSON *json,
                struct json_error *error)
{
    static const char *const members[] = {"name", "match", "set", "to", NULL};
    const struct json_at body = {json, "", error};
    struct reading r = {.error = error};

    *error = (struct json_error){.failed = false};
    r.route = xcalloc(1, sizeof *r.route);
    json_only(&body, members);
    json_read_name(&body, name, r.route->name);
    read_match(&r, &body);
    read_set(&r, &body, "/set", &r.route->set);
    read_targets(&r, &body);
    if (error->failed) {
        route_destroy(r.route);
        return NULL;
    }
    return r.route;
}

void
route_destroy(struct route *route)
{
    if (route) {
        free(route->targets);
        free(route);
    }
}
