/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

const uint16_t model_vlans[MODEL_VLANS] = {0, 10};

static struct ip_addr
address(const char *prefix, int i)
{
    char text[IP_ADDR_STRLEN];
    struct ip_addr a;

    snprintf(text, sizeof text, "%s%d", prefix, i);
    return ip_addr_parse(text, &a) ? a : IP_ADDR_ANY;
}

struct ip_addr
model_group(int i)
{
    return address(i < MODEL_V4_GROUPS ? "226.2.2." : "ff05::2:", i);
}

struct ip_addr
model_source(const struct ip_addr *group, int i)
{
    return address(ip_addr_is_v4(group) ? "192.168.168.5" : "fd00:1::5", i);
}

int
model_hosts(uint32_t port)
{
    return port == 2 || port == 3 || port == 4 || port == 6 ? 2 : 1;
}

struct mac_addr
model_mac(int sw, uint32_t port, int host)
{
    return (struct mac_addr){
        {2, 0, 0, (uint8_t) host, (uint8_t) sw, (uint8_t) port}};
}

static bool
route_matches(const struct model_route *r, const struct model_stream *s)
{
    const struct sim_frame *f = &s->frame;

    return r->present && ip_addr_equal(&r->group, &f->group)
           && (!r->has_source || ip_addr_equal(&r->source, &f->source))
           && (!r->has_vlan || r->vlan == f->vlan)
           && (!r->has_udp_dst || r->udp_dst == f->udp_dst)
           && (!r->has_switch || r->sw == s->sw);
}

static void
apply(const struct model_set *set, struct sim_frame *f)
{
    f->source = set->has_source ? set->source : f->source;
    f->group = set->has_group ? set->group : f->group;
    f->udp_dst = set->has_udp_dst ? set->udp_dst : f->udp_dst;
    f->ttl = set->has_ttl ? set->ttl : f->ttl;
    f->dscp = set->has_dscp ? set->dscp : f->dscp;
}

/* A router gets whatever members could get. */
static bool
is_router(const struct model *m, int sw, const struct sim_frame *f,
          uint32_t port)
{
    return port == MODEL_ROUTER_PORT
           && m->router[sw][f->vlan == model_vlans[0] ? 0 : 1];
}

bool
model_wants(const struct model_filter *filter, int source)
{
    bool named = source >= 0 && (filter->sources & 1U << source);

    return named != filter->exclude;
}

static bool
host_wants(const struct model *m, int sw, const struct sim_frame *f,
           uint32_t port, int host)
{
    for (int v = 0; v < MODEL_VLANS; v++) {
        for (int g = 0; g < MODEL_GROUPS; g++) {
            struct ip_addr group = model_group(g);
            int source = -1;

            if (model_vlans[v] != f->vlan
                || !ip_addr_equal(&group, &f->group)) {
                continue;
            }
            for (int i = 0; i < 2; i++) {
                struct ip_addr a = model_source(&group, i);

                source = ip_addr_equal(&a, &f->source) ? i : source;
            }
            return model_wants(&m->filters[sw][v][g][port][host], source);
        }
    }
    return false;
}

/* As slot of the port: see model_expect(). */
static bool
is_member(const struct model *m, int sw, struct sim_frame *f, uint32_t port,
          int slot)
{
    bool unicast = m->unicast[sw][port] && !is_router(m, sw, f, port);
    bool wanted = is_router(m, sw, f, port);

    if (unicast != (slot > 0)) {
        return false;
    }
    for (int host = 0; host < model_hosts(port); host++) {
        if (!slot || host == slot - 1) {
            wanted |= host_wants(m, sw, f, port, host);
        }
    }
    if (slot) {
        f->eth_dst = model_mac(sw, port, slot - 1);
    }
    return wanted;
}

bool
model_expect(const struct model *m, const struct model_stream *s,
             uint32_t port, int slot, struct sim_frame *out)
{
    const struct model_route *r = NULL;

    *out = s->frame;
    if (port == s->in_port || m->down[s->sw][port]) {
        return false;
    }
    for (int i = 0; i < MODEL_ROUTES; i++) {
        if (route_matches(&m->routes[i], s)) {
            r = &m->routes[i];
        }
    }
    if (!r) {
        return is_member(m, s->sw, out, port, slot);
    }
    apply(&r->set, out);
    if (r->to_port && r->to_switch == s->sw && port == MODEL_STATIC_PORT) {
        apply(&r->to_set, out);
        return !slot;
    }
    return r->to_members && is_member(m, s->sw, out, port, slot);
}

/* JSON. */

static char *
set_json(const struct model_set *set)
{
    char ip[IP_ADDR_STRLEN], text[256] = "";

    if (set->has_source) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"source\":\"%s\"", ip_addr_format(&set->source, ip));
    }
    if (set->has_group) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"group\":\"%s\"", ip_addr_format(&set->group, ip));
    }
    if (set->has_udp_dst) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"udp_dst\":%u", set->udp_dst);
    }
    if (set->has_ttl) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"ttl\":%u", set->ttl);
    }
    if (set->has_dscp) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"dscp\":%u", set->dscp);
    }
    return text[0] ? xasprintf(",\"set\":{%s}", text + 1) : xstrdup("");
}

static char *
targets_json(const struct model_route *r)
{
    char *set = set_json(&r->to_set);
    char *port =
        xasprintf("{\"dpid\":\"%d\",\"port\":\"s%d-eth%d\"%s}",
                  r->to_switch + 1, r->to_switch + 1, MODEL_STATIC_PORT, set);
    char *targets = xasprintf(
        "[%s%s%s]", r->to_members ? "{\"members\":true}" : "",
        r->to_members && r->to_port ? "," : "", r->to_port ? port : "");

    free(port);
    free(set);
    return targets;
}

char *
model_route_json(const struct model_route *r)
{
    char ip[IP_ADDR_STRLEN], match[256];
    size_t n;

    n = (size_t) snprintf(match, sizeof match, "\"group\":\"%s\"",
                          ip_addr_format(&r->group, ip));
    if (r->has_source) {
        n += (size_t) snprintf(match + n, sizeof match - n,
                               ",\"source\":\"%s\"",
                               ip_addr_format(&r->source, ip));
    }
    if (r->has_vlan) {
        n += (size_t) snprintf(match + n, sizeof match - n, ",\"vlan\":%u",
                               r->vlan);
    }
    if (r->has_udp_dst) {
        n +=
            (size_t) snprintf(match + n, sizeof match - n,
                              ",\"proto\":\"udp\",\"udp_dst\":%u", r->udp_dst);
    }
    if (r->has_switch) {
        snprintf(match + n, sizeof match - n, ",\"dpid\":\"%d\"", r->sw + 1);
    }

    char *set = set_json(&r->set), *targets = targets_json(r);
    char *json =
        xasprintf("{\"match\":{%s}%s,\"to\":%s}", match, set, targets);

    free(set);
    free(targets);
    return json;
}
