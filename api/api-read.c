/* SPDX-License-Identifier: Apache-2.0 */
/* The GET side of the resources. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api-json.h"
#include "controller/json.h"
#include "lib/mcaddr.h"

/* Keys in fixed-width hex: the order of the text is that of the values. */

static void
put_hex(struct api_key *key, const struct ip_addr *ip)
{
    size_t at = strlen(key->text);

    for (size_t i = 0; i < sizeof ip->b; i++, at += 2) {
        snprintf(key->text + at, sizeof key->text - at, "%02x", ip->b[i]);
    }
}

static struct api_key
key_of_group(uint16_t vlan, const struct ip_addr *group)
{
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%04u-", vlan);
    put_hex(&key, group);
    return key;
}

static struct api_key
key_of_name(const char *name)
{
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%s", name);
    return key;
}

/* Lists. */

static bool
list_switch(void *list, const struct view_switch *s)
{
    struct api_key key;

    dpid_format(s->dpid, key.text);
    struct cJSON **slot = api_list_slot(list, &key);
    if (slot) {
        *slot = api_json_switch(s);
    }
    return true;
}

static bool
list_group(void *list, const struct view_group *g)
{
    struct api_key key = key_of_group(g->vlan, &g->group);
    struct cJSON **slot = api_list_slot(list, &key);

    if (slot) {
        *slot = api_json_group(g);
    }
    return true;
}

static bool
list_stream(void *list, const struct view_stream *s)
{
    struct api_key key = key_of_group(s->vlan, &s->group);

    put_hex(&key, &s->source);
    size_t at = strlen(key.text);
    snprintf(key.text + at, sizeof key.text - at, "-%016" PRIx64 "-%08" PRIx64,
             s->port.dpid, s->port.port_no & UINT32_MAX);
    struct cJSON **slot = api_list_slot(list, &key);
    if (slot) {
        *slot = api_json_stream(s);
    }
    return true;
}

static bool
list_querier(void *list, const struct view_querier *q)
{
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%04u", q->vlan);
    struct cJSON **slot = api_list_slot(list, &key);
    if (slot) {
        *slot = api_json_querier(q);
    }
    return true;
}

void
api_get_switches(struct api_call *c)
{
    struct api_list list;

    if (api_call_page(c, &list)) {
        while (api_list_pass(&list)) {
            view_switches(c->api.ctl, list_switch, &list);
        }
        api_call_json(c, 200, api_list_finish(&list, "switches"));
    }
}

void
api_get_groups(struct api_call *c)
{
    struct api_list list;

    if (api_call_page(c, &list)) {
        while (api_list_pass(&list)) {
            view_groups(c->api.ctl, list_group, &list);
        }
        api_call_json(c, 200, api_list_finish(&list, "groups"));
    }
}

void
api_get_streams(struct api_call *c)
{
    struct api_list list;

    if (api_call_page(c, &list)) {
        while (api_list_pass(&list)) {
            view_streams(c->api.ctl, list_stream, &list);
        }
        api_call_json(c, 200, api_list_finish(&list, "streams"));
    }
}

void
api_get_queriers(struct api_call *c)
{
    struct api_list list;

    if (api_call_page(c, &list)) {
        while (api_list_pass(&list)) {
            view_queriers(c->api.ctl, list_querier, &list);
        }
        api_call_json(c, 200, api_list_finish(&list, "queriers"));
    }
}

/* Routes and flows.  Their tags name the definition, which is what a PUT
 * replaces, and not the status, which changes by itself. */

struct rule_list {
    struct api_list list;
    uint64_t hash; /* In no order: exclusive or. */
};

static uint64_t
hash_rule(const struct view_rule *r)
{
    return api_hash(r->json, api_hash(r->name, 0));
}

static bool
list_rule(void *aux, const struct view_rule *r)
{
    struct rule_list *rules = aux;
    struct api_key key = key_of_name(r->name);
    struct cJSON **slot = api_list_slot(&rules->list, &key);

    if (slot) {
        *slot = api_json_rule(r);
        rules->hash ^= hash_rule(r);
    }
    return true;
}

static void
get_rules(struct api_call *c, const struct api_rules *rules)
{
    struct rule_list list = {.hash = 0};

    if (!api_call_page(c, &list.list)) {
        return;
    }
    while (api_list_pass(&list.list)) {
        rules->each(c->api.ctl, list_rule, &list);
    }
    struct cJSON *o = api_list_finish(&list.list, rules->plural);
    const char *next =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "next"));
    api_etag_format(api_hash(next ? next : "", list.hash), c->response.etag);
    api_call_json(c, 200, o);
}

struct rule_read {
    struct cJSON *json;
    uint64_t hash;
    bool want_json;
};

static bool
read_rule(void *aux, const struct view_rule *r)
{
    struct rule_read *read = aux;

    read->hash = hash_rule(r);
    if (read->want_json) {
        cJSON_Delete(read->json);
        read->json = api_json_rule(r);
    }
    return false;
}

bool
api_rule_etag(struct ctl *ctl, const struct api_rules *rules, const char *name,
              char etag[API_ETAG_SIZE])
{
    struct rule_read read = {.want_json = false};

    etag[0] = '\0';
    if (!rules->get(ctl, name, read_rule, &read)) {
        return false;
    }
    api_etag_format(read.hash, etag);
    return true;
}

bool
api_rule_body(struct api_call *c, const struct api_rules *rules,
              const char *name, struct cJSON **json)
{
    struct rule_read read = {.want_json = true};

    if (!rules->get(c->api.ctl, name, read_rule, &read) || !read.json) {
        return false;
    }
    api_etag_format(read.hash, c->response.etag);
    *json = read.json;
    return true;
}

static void
get_rule(struct api_call *c, const struct api_rules *rules)
{
    struct cJSON *json;

    if (api_rule_body(c, rules, c->args[0], &json)) {
        api_call_json(c, 200, json);
    } else {
        api_call_not_found(c);
    }
}

const struct api_rules API_ROUTES = {"routes", view_routes, view_route};
const struct api_rules API_FLOWS = {"flows", view_flows, view_flow};

void
api_get_routes(struct api_call *c)
{
    get_rules(c, &API_ROUTES);
}

void
api_get_flows(struct api_call *c)
{
    get_rules(c, &API_FLOWS);
}

void
api_get_route(struct api_call *c)
{
    get_rule(c, &API_ROUTES);
}

void
api_get_flow(struct api_call *c)
{
    get_rule(c, &API_FLOWS);
}

/* Single resources. */

static bool
take_switch(void *json, const struct view_switch *s)
{
    *(struct cJSON **) json = api_json_switch(s);
    return false;
}

void
api_get_switch(struct api_call *c)
{
    struct cJSON *json = NULL;
    uint64_t dpid;

    if (!dpid_parse(c->args[0], &dpid)) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "'%.64s' is no datapath id.", c->args[0]);
    } else if (view_switch(c->api.ctl, dpid, take_switch, &json) && json) {
        api_call_json(c, 200, json);
    } else {
        api_call_not_found(c);
    }
}

static bool
take_group(void *json, const struct view_group *g)
{
    *(struct cJSON **) json = api_json_group(g);
    return false;
}

static bool
parse_vlan(const char *s, uint16_t *vlan)
{
    unsigned long n = strtoul(s, NULL, 10);

    if (strspn(s, "0123456789") != strlen(s) || strlen(s) > 4 || n > 4094) {
        return false;
    }
    *vlan = (uint16_t) n;
    return true;
}

void
api_get_group(struct api_call *c)
{
    struct cJSON *json = NULL;
    struct ip_addr group;
    uint16_t vlan;

    if (!parse_vlan(c->args[0], &vlan)) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "'%.64s' is no vlan: 0 (untagged) to 4094.",
                         c->args[0]);
    } else if (!ip_addr_parse(c->args[1], &group)
               || !ip_addr_is_multicast(&group)) {
        api_call_problem(c, 400, "bad-request", "The request is malformed",
                         "'%.64s' is no multicast address.", c->args[1]);
    } else if (view_group(c->api.ctl, vlan, &group, take_group, &json)
               && json) {
        api_call_json(c, 200, json);
    } else {
        api_call_not_found(c);
    }
}

/* The server does the rest: see api-server.c. */
void
api_get_events(struct api_call *c)
{
    c->response.stream = true;
    c->response.type = "text/event-stream";
    api_call_send(c, 200);
}

/* Health. */

void
api_get_health(struct api_call *c)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "status", "ok");
    api_call_json(c, 200, o);
}

static bool
note_unsynced(void *reasons, const struct view_switch *s)
{
    if (s->connected && !s->synced) {
        char dpid[DPID_STRLEN];
        char text[96];
        snprintf(text, sizeof text,
                 "switch %s is connected but not yet programmed",
                 dpid_format(s->dpid, dpid));
        cJSON_AddItemToArray(reasons, cJSON_CreateString(text));
    }
    return true;
}

void
api_get_ready(struct api_call *c)
{
    struct cJSON *o = cJSON_CreateObject();
    struct cJSON *reasons = cJSON_CreateArray();
    struct view_totals totals;

    view_totals(c->api.ctl, &totals);
    if (totals.store_error && *totals.store_error) {
        struct cJSON *text = cJSON_CreateObject();
        /* By way of a member, for its care about what is not UTF-8. */
        api_json_add_text(text, "reason", totals.store_error);
        cJSON_AddItemToArray(reasons,
                             cJSON_DetachItemFromObject(text, "reason"));
        cJSON_Delete(text);
    }
    view_switches(c->api.ctl, note_unsynced, reasons);
    bool ready = !cJSON_GetArraySize(reasons);
    cJSON_AddStringToObject(o, "status", ready ? "ready" : "not ready");
    cJSON_AddItemToObject(o, "reasons", reasons);
    if (!ready) {
        c->response.retry_after = 1;
    }
    api_call_json(c, ready ? 200 : 503, o);
}
