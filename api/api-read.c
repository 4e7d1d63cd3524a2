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
#include "lib/xalloc.h"

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
    if (api_list_wants(list, &key)) {
        api_list_put(list, &key, api_json_switch(s));
    }
    return true;
}

static bool
list_stream(void *list, const struct view_stream *s)
{
    char group[API_HEX_SIZE], source[API_HEX_SIZE];
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%04u-%s-%s-%016" PRIx64 "-%08" PRIx64,
             s->vlan, api_format_hex(&s->group, group),
             api_format_hex(&s->source, source), s->port.dpid,
             s->port.port_no & UINT32_MAX);
    if (api_list_wants(list, &key)) {
        api_list_put(list, &key, api_json_stream(s));
    }
    return true;
}

static bool
list_querier(void *list, const struct view_querier *q)
{
    struct api_key key;

    snprintf(key.text, sizeof key.text, "%04u-%d", q->vlan, q->family);
    if (api_list_wants(list, &key)) {
        api_list_put(list, &key, api_json_querier(q));
    }
    return true;
}

static void
send_list(struct api_call *c, struct api_list *list, const char *plural)
{
    size_t size;
    char *text = api_list_finish(list, plural, &size);

    api_call_text(c, "application/json", text, size);
}

void
api_get_switches(struct api_call *c)
{
    struct api_list list;

    if (api_call_page(c, &list)) {
        while (api_list_pass(&list)) {
            view_switches(c->api.ctl, list_switch, &list);
        }
        send_list(c, &list, "switches");
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
        send_list(c, &list, "streams");
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
        send_list(c, &list, "queriers");
    }
}

/* Hosts come in their order, page by page: there may be so many that looking
 * at each of them twice would keep other work waiting. */

struct host_page {
    char **items;
    size_t n, limit;
    struct view_host_key last;
    bool more;
};

/* "VLAN-MAC-DPID-PORT" */
static void
format_host_key(const struct view_host_key *k, struct api_key *key)
{
    const uint8_t *b = k->mac.b;

    snprintf(key->text, sizeof key->text,
             "%u-%02x%02x%02x%02x%02x%02x-%016" PRIx64 "-%" PRIu64, k->vlan,
             b[0], b[1], b[2], b[3], b[4], b[5], k->port.dpid,
             k->port.port_no);
}

/* Exactly as it was given out: sscanf() alone takes signs and blanks. */
static bool
parse_host_key(const struct api_key *key, struct view_host_key *k)
{
    struct api_key again;
    uint8_t *b = k->mac.b;
    unsigned vlan;

    if (sscanf(key->text,
               "%4u-%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx-%16" SCNx64 "-%20" SCNu64,
               &vlan, &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &k->port.dpid,
               &k->port.port_no)
        != 9) {
        return false;
    }
    k->vlan = (uint16_t) vlan;
    format_host_key(k, &again);
    return !strcmp(again.text, key->text);
}

static bool
add_host(void *page_, const struct view_known_host *h)
{
    struct host_page *page = page_;

    page->more = page->n == page->limit;
    if (!page->more) {
        page->last = (struct view_host_key){h->vlan, h->mac, h->port};
        page->items[page->n++] = api_json_text(api_json_known_host(h));
    }
    return !page->more;
}

void
api_get_hosts(struct api_call *c)
{
    struct view_host_key after;
    struct api_key next = {""};
    struct api_list list;
    size_t size;

    if (!api_call_page(c, &list)) {
        return;
    }
    bool from_start = !*list.after.text;
    if (!from_start && !parse_host_key(&list.after, &after)) {
        api_call_bad_cursor(c);
        return;
    }
    struct host_page page = {.limit = list.limit,
                             .items = xcalloc(list.limit, sizeof *page.items)};
    view_hosts(c->api.ctl, from_start ? NULL : &after, page.limit + 1,
               add_host, &page);
    if (page.more) {
        format_host_key(&page.last, &next);
    }
    char *text = api_json_page("hosts", page.items, page.n, next.text, &size);
    free(page.items);
    api_call_text(c, "application/json", text, size);
}

/* Routes, flows and members.  Their tags name the definition, which is what a
 * PUT replaces, and not the status, which changes by itself. */

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

    if (api_list_wants(&rules->list, &key)) {
        api_list_put(&rules->list, &key, api_json_rule(r));
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
    api_etag_format(api_hash(api_list_next(&list.list), list.hash),
                    c->response.etag);
    send_list(c, &list.list, rules->plural);
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
const struct api_rules API_MEMBERS = {"members", view_members,
                                      view_member_rule};

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

void
api_get_members(struct api_call *c)
{
    get_rules(c, &API_MEMBERS);
}

void
api_get_member(struct api_call *c)
{
    get_rule(c, &API_MEMBERS);
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
