/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/route-read.h"
#include "lib/xalloc.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* What is said of groups, by family. */
struct group_space {
    const char *all;      /* Those that are multicast... */
    const char *local[4]; /* ...and those that are not routed... */
    const char *why;
};

static const struct group_space spaces[] = {
    {"224.0.0.0/4",
     {"224.0.0.0/24", NULL},
     "224.0.0.0/24 is link-local: it reaches every port and is never pruned "
     "or routed (RFC 4541 2.1.2)"},
    {"ff00::/8",
     {"ff02::/16", "ff01::/16", "ff00::/16", NULL},
     "it does not leave its link (RFC 4291 2.7): it reaches every port and is "
     "never pruned or routed (RFC 4541 3)"},
};

/* Addresses. */
bool
route_read_address(const struct json_at *at, const char *member,
                   struct ip_addr *out)
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
                  "\"%s\" must be an IPv4 address: hosts and tunnels of IPv6 "
                  "are not possible yet",
                  member);
        return false;
    }
    return true;
}

bool
route_read_prefix(const struct json_at *at, const char *member,
                  const char *example, struct ip_prefix *out)
{
    const char *text;

    if (!json_get_string(at, member, &text)) {
        return false;
    }
    if (!ip_prefix_parse(text, out)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be an IP address, or a prefix without host "
                  "bits such as \"%s\"",
                  member, example);
        return false;
    }
    /* The priorities of flows tell apart no more: see route-match.h. */
    if (!ip_addr_is_v4(&out->addr) && out->len % 4) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\": the length of an IPv6 prefix must be a multiple of "
                  "4, whole digits",
                  member);
        return false;
    }
    return true;
}

bool
route_check_family(const struct json_at *at, const char *member,
                   const struct ip_addr *address, const struct route_match *m)
{
    bool v6 = !ip_addr_is_v4(&m->group.addr);

    if (ip_addr_is_v4(address) == v6) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be IPv%d: the route is about a stream of "
                  "IPv%d, and no packet changes its family",
                  member, v6 ? 6 : 4, v6 ? 6 : 4);
        return false;
    }
    return true;
}

bool
route_prefix_meets(const struct ip_prefix *prefix, const char *const *list)
{
    struct ip_prefix other;

    for (; *list; list++) {
        if (ip_prefix_parse(*list, &other)
            && ip_prefix_overlaps(prefix, &other)) {
            return true;
        }
    }
    return false;
}

static bool
is_within(const struct ip_prefix *prefix, const char *text)
{
    struct ip_prefix outer;

    return ip_prefix_parse(text, &outer) && ip_prefix_covers(&outer, prefix);
}

bool
route_check_group(const struct json_at *at, const char *member,
                  const struct ip_prefix *group)
{
    const struct group_space *space = &spaces[!ip_addr_is_v4(&group->addr)];

    if (!is_within(group, space->all)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be multicast: within %s", member, space->all);
    }
    for (size_t i = 0; !at->error->failed && space->local[i]; i++) {
        const char *const local[] = {space->local[i], NULL};
        if (is_within(group, *local)) {
            json_fail(at->error, at->pointer, member,
                      "\"%s\" must not be in %s: %s", member, *local,
                      space->why);
        } else if (route_prefix_meets(group, local)) {
            json_fail(at->error, at->pointer, member,
                      "\"%s\" must not include %s: %s", member, *local,
                      space->why);
        }
    }
    return !at->error->failed;
}

void
route_need_udp(struct route_reading *r, const struct json_at *at,
               const char *member)
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

/* "match" */
/* "proto": "udp", "tcp", "any" or a number. */
static void
read_proto(struct route_reading *r, const struct json_at *at)
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

static void
read_match_addresses(struct route_match *match, const struct json_at *at)
{
    static const char *const no_sender[] = {"224.0.0.0/3", "ff00::/8", NULL};

    if (json_has(at, "unicast")) {
        route_read_match_unicast(at, match);
    } else if (!json_has(at, "group")) {
        json_require(at, "group");
    } else if (route_read_prefix(at, "group", "239.1.0.0/16", &match->group)) {
        route_check_group(at, "group", &match->group);
    }
    match->has_source =
        route_read_prefix(at, "source", "192.168.168.0/24", &match->source);
    if (match->has_source && route_prefix_meets(&match->source, no_sender)) {
        json_fail(at->error, at->pointer, "source",
                  "\"source\" must be unicast, not multicast or reserved; "
                  "leave it out for any source");
    } else if (match->has_source) {
        route_check_family(at, "source", &match->source.addr, match);
    }
}

static void
read_match(struct route_reading *r, const struct json_at *body)
{
    static const char *const members[] = {"dpid",   "port",    "vlan",
                                          "source", "group",   "unicast",
                                          "proto",  "udp_dst", NULL};
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
        route_need_udp(r, &at, "udp_dst");
    }
}

const char *const ROUTE_JOIN_NAMES[ROUTE_N_JOINS] = {"auto", "always",
                                                     "never"};

static void
read_join(struct route *route, const struct json_at *body)
{
    const char *text;

    if (!json_get_string(body, "join", &text)) {
        return;
    }
    for (int i = 0; i < ROUTE_N_JOINS; i++) {
        if (!strcmp(text, ROUTE_JOIN_NAMES[i])) {
            route->join = (enum route_join) i;
            return;
        }
    }
    json_fail(body->error, "", "join",
              "\"join\" must be \"auto\", \"always\" or \"never\"");
}

/* The whole. */
struct route *
route_from_json(const char *name, const struct cJSON *json,
                struct json_error *error)
{
    static const char *const members[] = {"name", "match",     "set", "to",
                                          "join", "fragments", NULL};
    const struct json_at body = {json, "", error};
    struct route_reading r = {.error = error};

    *error = (struct json_error){.failed = false};
    r.route = xcalloc(1, sizeof *r.route);
    json_only(&body, members);
    json_read_name(&body, name, r.route->name);
    read_match(&r, &body);
    route_read_set(&r, &body, "/set", &r.route->set);
    route_read_targets(&r, &body);
    route_read_fragments(&body, r.route);
    route_check_unicast(&r);
    read_join(r.route, &body);
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
