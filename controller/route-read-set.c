/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A route's "set": what is changed in its packets. */

#include "controller/route-read.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "controller/route-ports.h"

static bool
check_hosts(const struct json_at *at, const char *member,
            const struct ip_prefix *p)
{
    static const char *const no_hosts[] = {
        "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "ff00::/8", NULL};

    if (route_prefix_meets(p, no_hosts)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be the address of a host: not in %s", member,
                  ip_addr_is_v4(&p->addr)
                      ? "0.0.0.0/8, in 127.0.0.0/8, multicast, reserved or "
                        "broadcast"
                      : "::/127, or multicast");
        return false;
    }
    return true;
}

/* Where a prefix takes the place of another, that is the one of the match.
 * 'fixed': the route as a whole sets one address already. */
static void
check_prefix(const struct json_at *at, const char *member,
             const struct ip_prefix *to, const struct ip_prefix *from,
             bool fixed)
{
    if (ip_prefix_is_host(to)) {
        return;
    }
    if (!from || from->len != to->len) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" is a prefix, which takes the place of another: "
                  "\"%s\" of \"match\" must be one of the same length",
                  member, member);
    } else if (fixed) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" is a prefix, but the route's own \"set\" makes "
                  "it one address for all",
                  member);
    }
}

static void
read_source(const struct route_reading *r, struct route_set *set,
            const struct json_at *at)
{
    const struct route_match *match = &r->route->match;
    const struct route_set *whole = &r->route->set;
    struct ip_prefix p;

    set->has_source = route_read_prefix(at, "source", "10.1.0.0/24", &p);
    if (set->has_source && check_hosts(at, "source", &p)
        && route_check_family(at, "source", &p.addr, match)) {
        check_prefix(at, "source", &p,
                     match->has_source ? &match->source : NULL,
                     set != whole
                         && ((whole->has_source && !whole->source_keep)
                             || whole->has_source_pool));
        set->source = p.addr;
        set->source_keep = 128 - p.len;
    }
}

static void
read_group(const struct route_reading *r, struct route_set *set,
           const struct json_at *at)
{
    const struct route_set *whole = &r->route->set;
    struct ip_prefix p;

    set->has_group = route_read_prefix(at, "group", "239.1.0.0/16", &p);
    if (set->has_group && route_check_group(at, "group", &p)
        && route_check_family(at, "group", &p.addr, &r->route->match)) {
        check_prefix(at, "group", &p, &r->route->match.group,
                     set != whole && whole->has_group && !whole->group_keep);
        set->group = p.addr;
        set->group_keep = 128 - p.len;
    }
}

static void
read_source_pool(const struct route_reading *r, struct route_set *set,
                 const struct json_at *at)
{
    set->has_source_pool =
        route_read_prefix(at, "source_pool", "10.1.0.0/24", &set->source_pool);
    if (!set->has_source_pool) {
        return;
    }
    check_hosts(at, "source_pool", &set->source_pool);
    route_check_family(at, "source_pool", &set->source_pool.addr,
                       &r->route->match);
    if (set != &r->route->set) {
        json_fail(at->error, at->pointer, "source_pool",
                  "\"source_pool\" is of the whole route, not of a target");
    } else if (set->has_source) {
        json_fail(at->error, at->pointer, "source_pool",
                  "give either \"source\" or \"source_pool\"");
    }
}

/* Whose replies are they?  The match says of one device. */
static void
check_device(const struct route_reading *r, const struct json_at *at)
{
    const struct route_match *match = &r->route->match;
    const struct route_set *set = &r->route->set;
    const char *problem =
        !ip_addr_is_v4(&match->group.addr)
            ? "replies of IPv6 cannot be brought to the device yet"
        : !set->has_source && !set->has_source_pool
            ? "replies to what?  \"set\" needs \"source\" or "
              "\"source_pool\""
        : !match->has_source || !ip_prefix_is_host(&match->source)
            ? "whose replies?  \"match\" needs the device's address as "
              "\"source\""
        : match->has_port && route_port_is_glob(match->port)
                && !set->has_source_pool
            ? "devices at several ports cannot share replies: give them a "
              "\"source_pool\""
            : NULL;
    if (problem) {
        json_fail(at->error, at->pointer, "reply_to", "%s", problem);
    }
}

static void
check_answers(const struct route_reading *r, const struct json_at *at)
{
    static const char *const no_hosts[] = {"224.0.0.0/3", NULL};
    const struct route_match *match = &r->route->match;
    const struct route_set *set = &r->route->set;
    const char *problem =
        !ip_addr_is_v4(&set->answers.addr)
                || route_prefix_meets(&set->answers, no_hosts)
            ? "\"reply_to\" must be true, or a prefix of IPv4 hosts"
        : ip_prefix_overlaps(&set->answers, &match->source)
            ? "\"reply_to\" must not include the device itself: its "
              "neighbours know its own address"
        : set->has_vlan && (!match->has_vlan || set->vlan != match->vlan)
            ? "the device cannot answer hosts in another vlan: \"reply_to\" "
              "can only be true"
            : NULL;
    if (problem) {
        json_fail(at->error, at->pointer, "reply_to", "%s", problem);
    }
}

/* After the rest, on which it depends: true, or the prefix of those whom the
 * device answers. */
static void
read_reply_to(const struct route_reading *r, struct route_set *set,
              const struct json_at *at)
{
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(at->object, "reply_to");

    if (!value || cJSON_IsFalse(value)) {
        return;
    }
    set->reply_to = true;
    set->has_answers =
        !cJSON_IsTrue(value)
        && route_read_prefix(at, "reply_to", "10.1.0.0/24", &set->answers);
    if (set != &r->route->set) {
        json_fail(at->error, at->pointer, "reply_to",
                  "\"reply_to\" is of the whole route, not of a target");
        return;
    }
    check_device(r, at);
    if (set->has_answers) {
        check_answers(r, at);
    }
}

static void
read_eth_src(struct route_set *set, const struct json_at *at)
{
    const char *text;

    if (!json_get_string(at, "eth_src", &text)) {
        return;
    }
    set->has_eth_src = true;
    set->eth_src_auto = !strcmp(text, "auto");
    if (!set->eth_src_auto
        && (!mac_addr_parse(text, &set->eth_src)
            || mac_addr_is_multicast(&set->eth_src)
            || mac_addr_is_zero(&set->eth_src))) {
        json_fail(at->error, at->pointer, "eth_src",
                  "\"eth_src\" must be \"auto\" or a host's Ethernet address "
                  "such as \"02:00:00:00:00:01\"");
    }
}

static void
read_eth_dst(struct route_set *set, const struct json_at *at)
{
    const char *text;

    set->has_eth_dst = json_get_string(at, "eth_dst", &text);
    if (set->has_eth_dst
        && (!mac_addr_parse(text, &set->eth_dst)
            || mac_addr_is_zero(&set->eth_dst))) {
        json_fail(at->error, at->pointer, "eth_dst",
                  "\"eth_dst\" must be an Ethernet address such as "
                  "\"01:00:5e:01:01:01\" or \"02:00:00:00:00:01\"");
    }
}

static void
read_addresses(const struct route_reading *r, struct route_set *set,
               const struct json_at *at)
{
    read_source(r, set, at);
    read_source_pool(r, set, at);
    read_group(r, set, at);
    read_eth_src(set, at);
    read_eth_dst(set, at);
}

void
route_read_set(struct route_reading *r, const struct json_at *parent,
               const char *pointer, struct route_set *set)
{
    static const char *const members[] = {
        "source",  "source_pool", "group", "udp_dst",  "ttl", "eth_src",
        "eth_dst", "dscp",        "vlan",  "reply_to", NULL};
    const struct json_at at = {json_get_object(parent, "set"), pointer,
                               r->error};
    int64_t number;

    if (!at.object) {
        return;
    }
    json_only(&at, members);
    read_addresses(r, set, &at);
    if (json_get_int(&at, "udp_dst", 1, 65535, &number)) {
        set->has_udp_dst = true;
        set->udp_dst = number;
        route_need_udp(r, &at, "udp_dst");
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
    read_reply_to(r, set, &at);
}
