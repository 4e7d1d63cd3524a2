/* SPDX-License-Identifier: Apache-2.0 */
/* The fabric: /v1/topology and the trees of channels. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>

#include "api/api-json.h"
#include "controller/json.h"
#include "controller/view-fabric.h"

/* 0 is none. */
static void
add_dpid_or_null(struct cJSON *o, const char *name, uint64_t dpid)
{
    if (dpid) {
        api_json_add_dpid(o, name, dpid);
    } else {
        cJSON_AddNullToObject(o, name);
    }
}

static void
add_size(struct cJSON *o, const char *name, size_t n)
{
    cJSON_AddNumberToObject(o, name, (double) n);
}

static void
add_end(struct cJSON *o, const char *name, const struct port_id *port,
        const char *port_name)
{
    struct cJSON *end = cJSON_AddObjectToObject(o, name);

    api_json_add_port(end, port, port_name);
}

/* The topology. */

static bool
add_switch(void *array, const struct view_fabric_switch *s)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_dpid(o, "dpid", s->dpid);
    cJSON_AddBoolToObject(o, "connected", s->connected);
    cJSON_AddBoolToObject(o, "synced", s->synced);
    add_size(o, "n_hosts", s->n_hosts);
    cJSON_AddItemToArray(array, o);
    return true;
}

static bool
add_link(void *array, const struct view_link *l)
{
    struct cJSON *o = cJSON_CreateObject();

    add_end(o, "a", &l->a, l->a_name);
    add_end(o, "b", &l->b, l->b_name);
    api_json_add_seconds(o, "up_s", l->up_ms);
    cJSON_AddNumberToObject(o, "flaps", l->flaps);
    add_size(o, "channels", l->n_channels);
    cJSON_AddItemToArray(array, o);
    return true;
}

static bool
add_root(void *array, const struct view_root *r)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_dpid(o, "dpid", r->dpid);
    add_size(o, "part", r->part);
    add_size(o, "channels", r->n_channels);
    cJSON_AddItemToArray(array, o);
    return true;
}

void
api_get_topology(struct api_call *c)
{
    struct cJSON *o = cJSON_CreateObject();
    struct ctl *ctl = c->api.ctl;
    struct view_fabric f;

    view_fabric(ctl, &f);
    cJSON_AddBoolToObject(o, "fabric", f.on);
    cJSON_AddBoolToObject(o, "settled", f.settled);
    cJSON_AddBoolToObject(o, "at_rest", f.at_rest);
    add_size(o, "parts", f.n_parts);
    add_size(o, "trees", f.n_trees);
    json_add_u64(o, "generation", f.generation);
    add_size(o, "draining", f.n_draining);
    add_size(o, "to_move", f.n_to_move);
    add_size(o, "n_hosts", f.n_hosts);
    view_fabric_switches(ctl, add_switch,
                         cJSON_AddArrayToObject(o, "switches"));
    view_links(ctl, add_link, cJSON_AddArrayToObject(o, "links"));
    view_roots(ctl, add_root, cJSON_AddArrayToObject(o, "roots"));
    api_call_json(c, 200, o);
}

/* Trees. */

static void
add_tree_port(struct cJSON *array, const struct view_tree_port *p)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "port", p->port);
    api_json_add_text(o, "port_name", p->name);
    cJSON_AddBoolToObject(o, "link", p->link);
    if (p->link) {
        add_end(o, "peer", &p->peer, p->peer_name);
    }
    cJSON_AddItemToArray(array, o);
}

static void
add_tree_switch(struct cJSON *array, const struct view_tree_switch *s)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_dpid(o, "dpid", s->dpid);
    cJSON_AddNumberToObject(o, "depth", s->depth);
    add_dpid_or_null(o, "parent", s->parent);
    cJSON_AddBoolToObject(o, "members", s->has_members);
    cJSON_AddBoolToObject(o, "sources", s->has_sources);
    cJSON_AddBoolToObject(o, "connected", s->connected);
    json_add_u64(o, "packets", s->packets);
    json_add_u64(o, "bytes", s->bytes);
    struct cJSON *ports = cJSON_AddArrayToObject(o, "ports");
    for (size_t i = 0; i < s->n_ports; i++) {
        add_tree_port(ports, &s->ports[i]);
    }
    cJSON_AddItemToArray(array, o);
}

static void
take_tree(void *json_, const struct view_tree *t)
{
    struct cJSON **json = json_;
    struct cJSON *o = *json = cJSON_CreateObject();
    char group[IP_ADDR_STRLEN];

    cJSON_AddNumberToObject(o, "vlan", t->vlan);
    cJSON_AddStringToObject(o, "group", ip_addr_format(&t->group, group));
    add_dpid_or_null(o, "root", t->root);
    cJSON_AddStringToObject(o, "state", t->state);
    struct cJSON *switches = cJSON_AddArrayToObject(o, "switches");
    for (size_t i = 0; i < t->n_switches; i++) {
        add_tree_switch(switches, &t->switches[i]);
    }
}

void
api_get_tree(struct api_call *c)
{
    struct cJSON *json = NULL;
    struct ip_addr group;
    uint16_t vlan;

    if (!api_call_channel(c, &vlan, &group)) {
        return;
    }
    if (view_tree(c->api.ctl, vlan, &group, take_tree, &json)) {
        api_call_json(c, 200, json);
    } else {
        api_call_not_found(c);
    }
}
