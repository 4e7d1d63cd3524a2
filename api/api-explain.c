/* SPDX-License-Identifier: Apache-2.0 */
/* Why a port gets a stream, or does not: /v1/explain. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "api/api-json.h"
#include "controller/json.h"
#include "controller/sample.h"
#include "controller/view-explain.h"

const struct api_param_doc API_PACKET_PARAMS[] = {
    {"dpid", "string", "The switch where the packet enters."},
    {"in_port", "string", "The port where it enters: a name or a number."},
    {"vlan", "integer", "Its vlan as it enters, 0 (no tag) if absent."},
    {"source", "string", "Its IP source."},
    {"group", "string", "The group, or the host, that it is sent to."},
    {"udp_dst", "integer", "Its UDP port, if that matters to routes."},
    {"ttl", "integer", "Its TTL; that of the stream, if absent."},
    {"size", "integer", "Bytes of the IP packet; the stream's, if absent."},
    {"to_port", "string", "The port that is asked about; any, if absent."},
    {"to_dpid", "string", "The switch of that port, where it is another."},
    {"live", "integer", "How many packets to wait for and show, 1 to 64."},
    {NULL, NULL, NULL}};

/* Parameters.  Each returns false if it has answered. */

static const char *
required(struct api_call *c, const char *name)
{
    const char *text = api_target_param(&c->target, name);

    if (!text) {
        api_call_bad_parameter(c, name, "must be given");
    }
    return text;
}

static bool
read_dpid(struct api_call *c, const char *name, const char *text,
          uint64_t *dpid)
{
    if (!text || dpid_parse(text, dpid)) {
        return text != NULL;
    }
    api_call_bad_parameter(c, name, "is no datapath id");
    return false;
}

static bool
read_port(struct api_call *c, const char *name, uint64_t dpid,
          const char *text, struct port_id *port)
{
    if (!text || view_find_port(c->api.ctl, dpid, text, port)) {
        return text != NULL;
    }
    api_call_bad_parameter(c, name, "is no port of that switch");
    return false;
}

static bool
read_address(struct api_call *c, const char *name, struct ip_addr *address)
{
    const char *text = required(c, name);

    if (!text || ip_addr_parse(text, address)) {
        return text != NULL;
    }
    api_call_bad_parameter(c, name, "is no IP address");
    return false;
}

/* -1 if it is absent. */
static bool
read_number(struct api_call *c, const char *name, int max, int *number)
{
    const char *text = api_target_param(&c->target, name);
    char *end;

    *number = -1;
    if (!text) {
        return true;
    }
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value > max) {
        api_call_bad_parameter(c, name, "is no such number");
        return false;
    }
    *number = (int) value;
    return true;
}

static bool
read_numbers(struct api_call *c, struct explain_query *q)
{
    int vlan;

    if (!read_number(c, "vlan", 4094, &vlan)
        || !read_number(c, "udp_dst", 65535, &q->udp_dst)
        || !read_number(c, "ttl", 255, &q->ttl)
        || !read_number(c, "size", 65535, &q->size)) {
        return false;
    }
    q->vlan = vlan < 0 ? 0 : (uint16_t) vlan;
    return true;
}

static bool
read_addresses(struct api_call *c, struct explain_query *q)
{
    if (!read_address(c, "source", &q->source)
        || !read_address(c, "group", &q->group)) {
        return false;
    }
    if (!ip_addr_is_multicast(&q->group) && !ip_addr_can_send(&q->group)) {
        api_call_bad_parameter(c, "group",
                               "is no group and no host's address");
        return false;
    }
    if (ip_addr_is_v4(&q->source) != ip_addr_is_v4(&q->group)) {
        api_call_bad_parameter(c, "source",
                               "is not of the same family as the group");
        return false;
    }
    return true;
}

static bool
read_query(struct api_call *c, struct explain_query *q)
{
    const char *to = api_target_param(&c->target, "to_port");
    const char *to_dpid = api_target_param(&c->target, "to_dpid");
    uint64_t dpid;

    *q = (struct explain_query){.has_to = to != NULL};
    if (!read_dpid(c, "dpid", required(c, "dpid"), &dpid)
        || !read_port(c, "in_port", dpid, required(c, "in_port"), &q->in)
        || !read_addresses(c, q) || !read_numbers(c, q)) {
        return false;
    }
    if (to_dpid && !to) {
        api_call_bad_parameter(c, "to_dpid", "needs to_port");
        return false;
    }
    return !to
           || ((!to_dpid || read_dpid(c, "to_dpid", to_dpid, &dpid))
               && read_port(c, "to_port", dpid, to, &q->to));
}

/* The answer. */

static struct cJSON *
flow_json(const struct explain_stage *s)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "priority", s->priority);
    api_json_add_text(o, "actions", s->actions ? s->actions : "");
    cJSON_AddStringToObject(o, "state", view_state_name(s->state));
    api_json_add_text(o, "error", s->error);
    json_add_u64(o, "packets", s->packets);
    json_add_u64(o, "bytes", s->bytes);
    if (s->group_id) {
        json_add_u64(o, "group_id", s->group_id);
    } else {
        cJSON_AddNullToObject(o, "group_id");
    }
    return o;
}

static struct cJSON *
stage_json(const struct explain_stage *s)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "stage", s->name);
    api_json_add_dpid(o, "dpid", s->dpid);
    if (s->table < 0) {
        cJSON_AddNullToObject(o, "table");
    } else {
        cJSON_AddNumberToObject(o, "table", s->table);
    }
    cJSON_AddBoolToObject(o, "passes", s->passes);
    api_json_add_text(o, "text", s->text);
    if (s->has_flow) {
        cJSON_AddItemToObject(o, "flow", flow_json(s));
    } else {
        cJSON_AddNullToObject(o, "flow");
    }
    return o;
}

static struct cJSON *
output_json(const struct explain_output *out)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_port(o, &out->port, out->port_name);
    api_json_add_text(o, "actions", out->actions);
    cJSON_AddStringToObject(o, "origin", out->origin);
    api_json_add_text(o, "text", out->text);
    api_json_add_port_counters(o, "port_counters", out->counters);
    return o;
}

static bool
take_explanation(void *json, const struct view_explain *x)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddBoolToObject(o, "delivered", x->delivered);
    cJSON_AddStringToObject(o, "reason", x->reason);
    api_json_add_text(o, "text", x->text);
    api_json_add_text(o, "cure", x->cure);
    struct cJSON *stages = cJSON_AddArrayToObject(o, "stages");
    for (size_t i = 0; i < x->n_stages; i++) {
        cJSON_AddItemToArray(stages, stage_json(&x->stages[i]));
    }
    struct cJSON *outputs = cJSON_AddArrayToObject(o, "outputs");
    for (size_t i = 0; i < x->n_outputs; i++) {
        cJSON_AddItemToArray(outputs, output_json(&x->outputs[i]));
    }
    *(struct cJSON **) json = o;
    return false;
}

struct cJSON *
api_explain_json(struct ctl *ctl, const struct explain_query *query)
{
    struct cJSON *json = NULL;

    view_explain(ctl, query, take_explanation, &json);
    return json;
}

void
api_get_explain(struct api_call *c)
{
    struct explain_query query;
    int live;

    if (!read_query(c, &query)
        || !read_number(c, "live", SAMPLE_MAX_PACKETS, &live)) {
        return;
    }
    if (!live) {
        api_call_bad_parameter(c, "live", "is no such number");
    } else if (live > 0) {
        api_call_live(c, &query, live);
    } else {
        api_call_json(c, 200, api_explain_json(c->api.ctl, &query));
    }
}
