/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/json.h"
#include "controller/route.h"
#include "lib/xalloc.h"

char *
api_json_text(struct cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);

    cJSON_Delete(object);
    if (!text) {
        abort(); /* Out of memory, as xmalloc() has it. */
    }
    return text;
}

char *
api_json_print(struct cJSON *object, size_t *size)
{
    char *text = api_json_text(object);

    *size = strlen(text) + 1;
    text = xrealloc(text, *size + 1);
    memcpy(text + *size - 1, "\n", 2);
    return text;
}

char *
api_json_page(const char *plural, char *items[], size_t n, const char *next,
              size_t *size)
{
    size_t room = strlen(plural) + strlen(next) + 64;

    for (size_t i = 0; i < n; i++) {
        room += items[i] ? strlen(items[i]) + 1 : 0;
    }
    char *text = xmalloc(room);
    char *at = text + sprintf(text, "{\"%s\":[", plural);
    const char *separator = "";
    for (size_t i = 0; i < n; i++) {
        if (items[i]) {
            at = stpcpy(stpcpy(at, separator), items[i]);
            separator = ",";
            free(items[i]);
        }
    }
    at += sprintf(at, *next ? "],\"next\":\"%s\"}\n" : "]}\n", next);
    *size = (size_t) (at - text);
    return text;
}

/* Rates are for people: three decimals are enough, and keep the text short. */
static void
add_rate(struct cJSON *object, const char *name, double rate)
{
    cJSON_AddNumberToObject(object, name,
                            isfinite(rate) ? round(rate * 1000) / 1000 : 0);
}

static struct cJSON *
tunnel_json(const struct view_tunnel *t)
{
    struct cJSON *o = cJSON_CreateObject();
    struct cJSON *vnis = cJSON_AddArrayToObject(o, "vnis");

    for (size_t i = 0; i < t->n_vnis; i++) {
        struct cJSON *vni = cJSON_CreateObject();
        cJSON_AddNumberToObject(vni, "vni", t->vnis[i].vni);
        cJSON_AddNumberToObject(vni, "vlan", t->vnis[i].vlan);
        cJSON_AddItemToArray(vnis, vni);
    }
    struct cJSON *peers = cJSON_AddArrayToObject(o, "peers");
    for (size_t i = 0; i < t->n_peers; i++) {
        struct cJSON *peer = cJSON_CreateObject();
        api_json_add_ip(peer, "vtep", &t->peers[i].vtep);
        cJSON_AddStringToObject(peer, "origin", t->peers[i].origin);
        cJSON_AddItemToArray(peers, peer);
    }
    if (!ip_addr_is_any(&t->local)) {
        api_json_add_ip(o, "local", &t->local);
    }
    cJSON_AddBoolToObject(o, "querier", t->querier);
    cJSON_AddNumberToObject(o, "overhead", VIEW_TUNNEL_OVERHEAD);
    return o;
}

/* What is not counted is left out. */
void
api_json_add_port_counters(struct cJSON *o, const char *name,
                           const struct view_port_counters *c)
{
    if (!c) {
        return;
    }
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {{"rx_packets", c->rx_packets}, {"rx_bytes", c->rx_bytes},
               {"rx_dropped", c->rx_dropped}, {"rx_errors", c->rx_errors},
               {"tx_packets", c->tx_packets}, {"tx_bytes", c->tx_bytes},
               {"tx_dropped", c->tx_dropped}, {"tx_errors", c->tx_errors}};
    struct cJSON *counters = cJSON_AddObjectToObject(o, name);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].value != VIEW_NOT_COUNTED) {
            json_add_u64(counters, all[i].name, all[i].value);
        }
    }
}

static struct cJSON *
port_json(const struct view_port *p)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "port", p->no);
    api_json_add_text(o, "name", p->name);
    api_json_add_mac(o, "mac", &p->mac);
    cJSON_AddStringToObject(o, "state", p->up ? "up" : "down");
    api_json_add_text(o, "kind", p->kind);
    if (p->tunnel) {
        cJSON_AddItemToObject(o, "tunnel", tunnel_json(p->tunnel));
    }
    api_json_add_port_counters(o, "counters", p->counters);
    if (p->n_guards) {
        struct cJSON *refused = cJSON_AddObjectToObject(o, "refused");
        for (size_t i = 0; i < p->n_guards; i++) {
            json_add_u64(refused, p->guards[i].guard, p->guards[i].refused);
        }
    }
    return o;
}

static void
add_switch_counters(struct cJSON *o, const struct view_switch *s)
{
    struct cJSON *c = cJSON_AddObjectToObject(o, "counters");

    json_add_u64(c, "packet_ins", s->packet_ins);
    json_add_u64(c, "packet_outs", s->packet_outs);
    json_add_u64(c, "messages_in", s->messages_in);
    json_add_u64(c, "messages_out", s->messages_out);
    json_add_u64(c, "errors", s->errors);
    json_add_u64(c, "flow_mods", s->flow_mods);
    json_add_u64(c, "group_mods", s->group_mods);
    json_add_u64(c, "rounds", s->rounds);
    json_add_u64(c, "bundles", s->bundles);
    json_add_u64(c, "drift", s->drift);
}

static void
add_switch_tables(struct cJSON *o, const struct view_switch *s)
{
    cJSON_AddNumberToObject(o, "flows", (double) s->flows);
    cJSON_AddNumberToObject(o, "groups", (double) s->groups);
    cJSON_AddNumberToObject(o, "foreign_flows", (double) s->foreign_flows);
    cJSON_AddNumberToObject(o, "foreign_groups", (double) s->foreign_groups);
    cJSON_AddNumberToObject(o, "pending", (double) s->pending);
    cJSON_AddNumberToObject(o, "rejected", (double) s->rejected);
}

struct cJSON *
api_json_switch(const struct view_switch *s)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_dpid(o, "dpid", s->dpid);
    cJSON_AddBoolToObject(o, "connected", s->connected);
    cJSON_AddBoolToObject(o, "synced", s->synced);
    api_json_add_text(o, "peer", s->peer);
    api_json_add_seconds(o, "since_s", s->since_ms);
    struct cJSON *d = cJSON_AddObjectToObject(o, "description");
    api_json_add_text(d, "manufacturer", s->manufacturer);
    api_json_add_text(d, "hardware", s->hardware);
    api_json_add_text(d, "software", s->software);
    api_json_add_text(d, "serial", s->serial);
    api_json_add_text(d, "datapath", s->datapath);
    cJSON_AddStringToObject(o, "datapath", s->datapath_type);
    if (s->datapath_seen) {
        cJSON_AddStringToObject(o, "datapath_seen", s->datapath_seen);
    }
    struct cJSON *ports = cJSON_AddArrayToObject(o, "ports");
    for (size_t i = 0; i < s->n_ports; i++) {
        cJSON_AddItemToArray(ports, port_json(&s->ports[i]));
    }
    add_switch_tables(o, s);
    add_switch_counters(o, s);
    return o;
}

static const char *
mode_name(bool exclude)
{
    return exclude ? "exclude" : "include";
}

static void
add_ips(struct cJSON *o, const char *name, const struct ip_addr *ips, size_t n)
{
    struct cJSON *array = cJSON_AddArrayToObject(o, name);
    char text[IP_ADDR_STRLEN];

    for (size_t i = 0; i < n; i++) {
        cJSON_AddItemToArray(
            array, cJSON_CreateString(ip_addr_format(&ips[i], text)));
    }
}

static struct cJSON *
host_json(const struct view_host *h)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_mac(o, "mac", &h->mac);
    api_json_add_ip(o, "ip", &h->ip);
    cJSON_AddNumberToObject(o, "version", h->version);
    cJSON_AddStringToObject(o, "mode", mode_name(h->exclude));
    add_ips(o, "sources", h->sources, h->n_sources);
    api_json_add_seconds(o, "age_s", h->age_ms);
    return o;
}

/* 'names' are separated by commas. */
static void
add_names(struct cJSON *o, const char *member, const char *names)
{
    struct cJSON *array = cJSON_AddArrayToObject(o, member);

    for (size_t n; *names; names += n + (names[n] == ',')) {
        char name[ROUTE_NAME_SIZE];
        n = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int) n, names);
        cJSON_AddItemToArray(array, cJSON_CreateString(name));
    }
}

static struct cJSON *
member_json(const struct view_member *m)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_port(o, &m->port, m->port_name);
    if (m->vni) {
        cJSON_AddNumberToObject(o, "vni", m->vni);
    }
    cJSON_AddStringToObject(o, "mode", mode_name(m->exclude));
    add_ips(o, "sources", m->sources, m->n_sources);
    cJSON_AddNumberToObject(o, "version", m->version);
    api_json_add_text(o, "origin", m->origin);
    if (*m->fixed_by) {
        add_names(o, "static", m->fixed_by);
    }
    cJSON_AddStringToObject(o, "delivery", m->delivery);
    api_json_add_seconds(o, "expires_s", m->expires_ms);
    struct cJSON *hosts = cJSON_AddArrayToObject(o, "hosts");
    for (size_t i = 0; i < m->n_hosts; i++) {
        cJSON_AddItemToArray(hosts, host_json(&m->hosts[i]));
    }
    return o;
}

static void
add_state(struct cJSON *o, enum view_state state, const char *error)
{
    cJSON_AddStringToObject(o, "state", view_state_name(state));
    api_json_add_text(o, "error", error);
}

static void
add_traffic(struct cJSON *o, uint64_t packets, uint64_t bytes)
{
    json_add_u64(o, "packets", packets);
    json_add_u64(o, "bytes", bytes);
}

static struct cJSON *
group_switch_json(const struct view_group_switch *s)
{
    struct cJSON *o = cJSON_CreateObject();
    char id[16];

    api_json_add_dpid(o, "dpid", s->dpid);
    /* All eight digits: dump-groups shows decimals, people compare. */
    snprintf(id, sizeof id, "0x%08x", s->group_id);
    cJSON_AddStringToObject(o, "group_id", id);
    api_json_add_ip(o, "source", &s->source);
    add_state(o, s->state, s->error);
    add_traffic(o, s->packets, s->bytes);
    return o;
}

struct cJSON *
api_json_group(const struct view_group *g)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "vlan", g->vlan);
    api_json_add_ip(o, "group", &g->group);
    struct cJSON *members = cJSON_AddArrayToObject(o, "members");
    for (size_t i = 0; i < g->n_members; i++) {
        cJSON_AddItemToArray(members, member_json(&g->members[i]));
    }
    struct cJSON *switches = cJSON_AddArrayToObject(o, "switches");
    for (size_t i = 0; i < g->n_switches; i++) {
        cJSON_AddItemToArray(switches, group_switch_json(&g->switches[i]));
    }
    return o;
}

/* 0 is not known. */
static void
add_number_or_null(struct cJSON *o, const char *name, uint32_t n)
{
    if (n) {
        cJSON_AddNumberToObject(o, name, n);
    } else {
        cJSON_AddNullToObject(o, name);
    }
}

struct cJSON *
api_json_stream(const struct view_stream *s)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "vlan", s->vlan);
    api_json_add_ip(o, "source", &s->source);
    api_json_add_ip(o, "group", &s->group);
    api_json_add_port(o, &s->port, s->port_name);
    add_traffic(o, s->packets, s->bytes);
    add_rate(o, "packets_per_s", s->packets_per_s);
    add_rate(o, "bits_per_s", s->bits_per_s);
    add_number_or_null(o, "ttl", s->ttl);
    add_number_or_null(o, "size", s->size);
    if (s->route && *s->route) {
        api_json_add_text(o, "route", s->route);
    } else {
        cJSON_AddNullToObject(o, "route");
    }
    cJSON_AddNumberToObject(o, "receivers", (double) s->n_receivers);
    api_json_add_seconds(o, "age_s", s->age_ms);
    return o;
}

static struct cJSON *
router_json(const struct view_router *r)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_port(o, &r->port, r->port_name);
    cJSON_AddStringToObject(o, "sign", r->sign);
    cJSON_AddBoolToObject(o, "fixed", r->fixed);
    if (*r->fixed_by) {
        add_names(o, "static", r->fixed_by);
    }
    api_json_add_seconds(o, "expires_s", r->expires_ms);
    return o;
}

struct cJSON *
api_json_querier(const struct view_querier *q)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "vlan", q->vlan);
    cJSON_AddNumberToObject(o, "family", q->family);
    cJSON_AddBoolToObject(o, "enabled", q->enabled);
    cJSON_AddBoolToObject(o, "ours", q->ours);
    /* All zero is a real address here: that of a proxy query. */
    if (ip_addr_is_any(&q->address)) {
        cJSON_AddStringToObject(o, "address",
                                q->family == 6 ? "::" : "0.0.0.0");
    } else {
        api_json_add_ip(o, "address", &q->address);
    }
    if (!q->ours && q->port.dpid) {
        api_json_add_port(o, &q->port, NULL);
    }
    cJSON_AddNumberToObject(o, "version", q->version);
    api_json_add_seconds(o, "since_s", q->since_ms);
    api_json_add_seconds(o, "next_query_s", q->next_query_ms);
    api_json_add_seconds(o, "expires_s", q->expires_ms);
    api_json_add_seconds(o, "query_interval_s", q->query_interval_ms);
    cJSON_AddNumberToObject(o, "robustness", q->robustness);
    cJSON_AddBoolToObject(o, "falls_back", q->falls_back);
    struct cJSON *routers = cJSON_AddArrayToObject(o, "routers");
    for (size_t i = 0; i < q->n_routers; i++) {
        cJSON_AddItemToArray(routers, router_json(&q->routers[i]));
    }
    return o;
}

/* 0 is none heard. */
static void
add_version(struct cJSON *o, const char *name, int version)
{
    if (version) {
        cJSON_AddNumberToObject(o, name, version);
    } else {
        cJSON_AddNullToObject(o, name);
    }
}

struct cJSON *
api_json_known_host(const struct view_known_host *h)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "vlan", h->vlan);
    api_json_add_mac(o, "mac", &h->mac);
    add_ips(o, "ips", h->ips, h->n_ips);
    api_json_add_port(o, &h->port, h->port_name);
    add_version(o, "igmp_version", h->igmp_version);
    add_version(o, "mld_version", h->mld_version);
    cJSON_AddNumberToObject(o, "groups", (double) h->n_groups);
    cJSON_AddBoolToObject(o, "duplicate", h->duplicate);
    api_json_add_seconds(o, "last_seen_s", h->age_ms);
    return o;
}

static void
add_pool(struct cJSON *o, const struct view_source *sources, size_t n)
{
    struct cJSON *array = cJSON_AddArrayToObject(o, "pool");

    for (size_t i = 0; i < n; i++) {
        struct cJSON *item = cJSON_CreateObject();
        api_json_add_text(item, "port", sources[i].port);
        api_json_add_ip(item, "source", &sources[i].source);
        cJSON_AddItemToArray(array, item);
    }
}

static struct cJSON *
output_json(const struct view_output *output)
{
    static const char *const names[VIEW_N_ORIGINS] = {
        "route", "igmp", "mld", "restored", "static", "mrouter", "link"};
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "port", output->port);
    api_json_add_text(o, "port_name", output->port_name);
    struct cJSON *origins = cJSON_AddArrayToObject(o, "origins");
    for (int i = 0; i < VIEW_N_ORIGINS; i++) {
        if (output->origins & 1u << i) {
            cJSON_AddItemToArray(origins, cJSON_CreateString(names[i]));
        }
    }
    cJSON_AddStringToObject(o, "rewrite", output->rewrite);
    if (output->counted) {
        json_add_u64(o, "packets", output->packets);
    } else {
        cJSON_AddNullToObject(o, "packets");
    }
    return o;
}

static void
add_route_status(struct cJSON *o, const struct view_route_status *r)
{
    add_rate(o, "packets_per_s", r->packets_per_s);
    add_rate(o, "bits_per_s", r->bits_per_s);
    json_add_u64(o, "wrong_port_packets", r->wrong_port_packets);
    cJSON_AddNumberToObject(o, "priority", r->priority);
    struct cJSON *outputs = cJSON_AddArrayToObject(o, "outputs");
    for (size_t i = 0; i < r->n_outputs; i++) {
        cJSON_AddItemToArray(outputs, output_json(&r->outputs[i]));
    }
}

static struct cJSON *
status_json(const struct view_status *s)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_dpid(o, "dpid", s->dpid);
    add_state(o, s->state, s->error);
    add_traffic(o, s->packets, s->bytes);
    if (s->fragments_reason) {
        cJSON_AddStringToObject(o, "fragments",
                                s->drops_fragments ? "drop" : "pass");
        if (s->drops_fragments) {
            api_json_add_text(o, "fragments_reason", s->fragments_reason);
        }
        json_add_u64(o, "fragments_dropped", s->fragments_dropped);
    }
    if (s->route) {
        add_route_status(o, s->route);
    }
    if (s->n_sources) {
        add_pool(o, s->sources, s->n_sources);
    }
    return o;
}

struct cJSON *
api_json_rule(const struct view_rule *r)
{
    struct cJSON *o = cJSON_CreateObject();
    struct cJSON *body = cJSON_Parse(r->json);

    cJSON_AddStringToObject(o, "name", r->name);
    /* The name comes first, and what the server says comes last. */
    cJSON_DeleteItemFromObjectCaseSensitive(body, "name");
    cJSON_DeleteItemFromObjectCaseSensitive(body, "status");
    cJSON_DeleteItemFromObjectCaseSensitive(body, "lease_ends");
    while (body && body->child) {
        struct cJSON *item = cJSON_DetachItemViaPointer(body, body->child);
        cJSON_AddItemToObject(o, item->string, item);
    }
    cJSON_Delete(body);
    if (r->origin) {
        cJSON_AddStringToObject(o, "origin", r->origin);
    }
    if (r->expires_ms >= 0 && cJSON_HasObjectItem(o, "lease")) {
        api_json_add_seconds(o, "expires_s", r->expires_ms);
    }
    struct cJSON *array = cJSON_AddArrayToObject(o, "status");
    for (size_t i = 0; i < r->n_statuses; i++) {
        cJSON_AddItemToArray(array, status_json(&r->statuses[i]));
    }
    return o;
}
