/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What a route's JSON says of hosts, as where its stream is sent to and as
 * targets; and of fragments. */

#include "controller/route-read.h"

#include <stdio.h>
#include <string.h>

static bool
read_host(const struct json_at *at, const char *member, struct ip_addr *host)
{
    if (!route_read_address(at, member, host)) {
        return false;
    }
    if (!ip_addr_can_send(host)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be the address of a host: not in 0.0.0.0/8, in "
                  "127.0.0.0/8, multicast, reserved or broadcast",
                  member);
        return false;
    }
    return true;
}

void
route_read_match_unicast(const struct json_at *at, struct route_match *match)
{
    struct ip_addr host;

    match->unicast = read_host(at, "unicast", &host);
    if (json_has(at, "group")) {
        json_fail(at->error, at->pointer, "unicast",
                  "give either \"group\" or \"unicast\"");
    }
    if (match->unicast) {
        match->group = (struct ip_prefix){host, 128};
    }
}

static void
read_udp_dst(struct route_reading *r, const struct json_at *at,
             const char *set_pointer, struct route_set *set)
{
    bool twice = set->has_udp_dst;
    int64_t number;

    if (json_get_int(at, "udp_dst", 1, 65535, &number)) {
        set->has_udp_dst = true;
        set->udp_dst = number;
        route_need_udp(r, at, "udp_dst");
        if (twice) {
            json_fail(r->error, set_pointer, "udp_dst",
                      "the target says already which UDP port it is");
        }
    }
}

void
route_read_host_target(struct route_reading *r, const struct json_at *at,
                       const char *set_pointer, struct route_target *target)
{
    static const char *const members[] = {"unicast", "udp_dst", "via",
                                          "vlan",    "set",     NULL};
    int64_t number;

    target->kind = ROUTE_TO_HOST;
    json_only(at, members);
    if (!ip_addr_is_v4(&r->route->match.group.addr)) {
        json_fail(at->error, at->pointer, "unicast",
                  "a stream of IPv6 cannot be copied to single hosts yet: "
                  "name the port that leads there");
    }
    read_host(at, "unicast", &target->host);
    if (!read_host(at, "via", &target->via)) {
        target->via = IP_ADDR_ANY;
    }
    target->has_vlan = json_get_int(at, "vlan", 0, 4094, &number);
    target->vlan = target->has_vlan ? number : 0;
    route_read_set(r, at, set_pointer, &target->set);
    read_udp_dst(r, at, set_pointer, &target->set);
    if (target->set.has_group) {
        json_fail(r->error, set_pointer, "group",
                  "the copy goes to a host: it has no group");
    }
    if (target->set.has_eth_dst) {
        json_fail(r->error, set_pointer, "eth_dst",
                  "the host's own Ethernet address is found by ARP");
    }
    if (target->set.has_vlan) {
        json_fail(r->error, set_pointer, "vlan",
                  "\"vlan\" of a host stands beside \"unicast\"");
    }
}

void
route_check_unicast(struct route_reading *r)
{
    const struct route *route = r->route;
    char pointer[32];

    for (size_t i = 0; route->match.unicast && i < route->n_targets; i++) {
        const struct route_target *t = &route->targets[i];
        if ((t->kind == ROUTE_TO_MEMBERS || t->joined) && !route->set.has_group
            && !t->set.has_group) {
            snprintf(pointer, sizeof pointer, "/to/%zu", i);
            json_fail(r->error, pointer, NULL,
                      "members of which group?  \"set\" needs \"group\" where "
                      "the stream is sent to a host");
        }
    }
}

void
route_read_fragments(const struct json_at *body, struct route *route)
{
    static const char *const words[] = {[ROUTE_FRAGMENTS_AUTO] = "auto",
                                        [ROUTE_FRAGMENTS_DROP] = "drop",
                                        [ROUTE_FRAGMENTS_PASS] = "pass"};
    const char *text;

    if (!json_get_string(body, "fragments", &text)) {
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(text, words[i])) {
            route->fragments = (enum route_fragments) i;
            return;
        }
    }
    json_fail(body->error, body->pointer, "fragments",
              "\"fragments\" must be \"auto\", \"drop\" or \"pass\"");
}
