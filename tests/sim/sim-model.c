/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

const uint32_t model_sources[3] = {0xc0a8a837, 0xc0a8a838,
                                   0x0a01000a}; /* The last is of routes. */
const uint16_t model_vlans[MODEL_VLANS] = {0, 10};

uint32_t
model_group(int i)
{
    return 0xe2020200 + (uint32_t) i;
}

static bool
route_matches(const struct model_route *r, const struct model_stream *s)
{
    const struct sim_frame *f = &s->frame;

    return r->present && r->group == f->group
           && (!r->has_source || r->source == f->source)
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

static bool
is_member(const struct model *m, int sw, const struct sim_frame *f,
          uint32_t port)
{
    if (is_router(m, sw, f, port)) {
        return true;
    }
    for (int v = 0; v < MODEL_VLANS; v++) {
        for (int g = 0; g < MODEL_GROUPS; g++) {
            if (model_vlans[v] != f->vlan || model_group(g) != f->group) {
                continue;
            }
            switch (m->filters[sw][v][g][port]) {
            case MODEL_NONE:
                return false;
            case MODEL_ANY:
                return true;
            case MODEL_INCLUDE:
                return f->source == model_sources[0];
            case MODEL_EXCLUDE:
                return f->source != model_sources[0];
            }
        }
    }
    return false;
}

bool
model_expect(const struct model *m, const struct model_stream *s,
             uint32_t port, struct sim_frame *out)
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
        return is_member(m, s->sw, out, port);
    }
    apply(&r->set, out);
    if (r->to_port && r->to_switch == s->sw && port == MODEL_STATIC_PORT) {
        apply(&r->to_set, out);
        return true;
    }
    return r->to_members && is_member(m, s->sw, out, port);
}

/* JSON. */

static const char *
dotted(uint32_t address, char buf[16])
{
    snprintf(buf, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
    return buf;
}

static char *
set_json(const struct model_set *set)
{
    char ip[16], text[256] = "";

    if (set->has_source) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"source\":\"%s\"", dotted(set->source, ip));
    }
    if (set->has_group) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ",\"group\":\"%s\"", dotted(set->group, ip));
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
    char ip[16], match[256];
    size_t n;

    n = (size_t) snprintf(match, sizeof match, "\"group\":\"%s\"",
                          dotted(r->group, ip));
    if (r->has_source) {
        n += (size_t) snprintf(match + n, sizeof match - n,
                               ",\"source\":\"%s\"", dotted(r->source, ip));
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
