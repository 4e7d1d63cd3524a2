/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that really come: /v1/explain?live=N.  The call waits for them; the
 * loop goes on meanwhile. */
#include <config.h>

#include "api/api-call.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api-json.h"
#include "controller/sample.h"
#include "lib/xalloc.h"

static const char *
checksum_name(enum headers_checksum sum)
{
    switch (sum) {
    case HEADERS_SUM_GOOD:
        return "good";
    case HEADERS_SUM_BAD:
        return "bad";
    case HEADERS_SUM_NONE:
        return "none";
    case HEADERS_SUM_UNKNOWN:
    default:
        return "unknown";
    }
}

static void
add_port_number(struct cJSON *o, const char *name, bool has, uint16_t port)
{
    if (has) {
        cJSON_AddNumberToObject(o, name, port);
    } else {
        cJSON_AddNullToObject(o, name);
    }
}

static struct cJSON *
headers_json(const struct headers *h)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_mac(o, "eth_src", &h->eth_src);
    api_json_add_mac(o, "eth_dst", &h->eth_dst);
    cJSON_AddNumberToObject(o, "vlan", h->vlan);
    api_json_add_ip(o, "source", &h->source);
    api_json_add_ip(o, "destination", &h->destination);
    cJSON_AddNumberToObject(o, "ttl", h->ttl);
    cJSON_AddNumberToObject(o, "dscp", h->dscp);
    cJSON_AddNumberToObject(o, "protocol", h->protocol);
    cJSON_AddNumberToObject(o, "size", h->size);
    cJSON_AddStringToObject(o, "ip_checksum", checksum_name(h->ip_checksum));
    cJSON_AddBoolToObject(o, "fragment", h->is_fragment);
    cJSON_AddBoolToObject(o, "more_fragments", h->more_fragments);
    cJSON_AddNumberToObject(o, "fragment_offset", h->fragment_offset);
    add_port_number(o, "udp_src", h->has_udp, h->udp_src);
    add_port_number(o, "udp_dst", h->has_udp, h->udp_dst);
    cJSON_AddStringToObject(o, "udp_checksum", checksum_name(h->udp_checksum));
    return o;
}

static struct cJSON *
rewriting_json(const struct sample_rewriting *r)
{
    struct cJSON *o = cJSON_CreateObject();

    api_json_add_text(o, "actions", r->actions);
    struct cJSON *ports = cJSON_AddArrayToObject(o, "ports");
    for (size_t i = 0; i < r->n_ports; i++) {
        struct cJSON *port = cJSON_CreateObject();
        api_json_add_port(port, &r->ports[i].id, r->ports[i].name);
        cJSON_AddItemToArray(ports, port);
    }
    return o;
}

static struct cJSON *
packet_json(const struct sample_packet *p, size_t n_rewritings)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "at_s", (double) p->at / 1000);
    cJSON_AddItemToObject(o, "in", headers_json(&p->in));
    struct cJSON *out = cJSON_AddArrayToObject(o, "out");
    for (size_t i = 0; i < n_rewritings; i++) {
        cJSON_AddItemToArray(out, p->out[i].came
                                      ? headers_json(&p->out[i].headers)
                                      : cJSON_CreateNull());
    }
    return o;
}

static void
add_text(struct cJSON *o, const struct sample_result *r)
{
    char text[200];

    snprintf(text, sizeof text,
             r->n_packets == r->wanted
                 ? "%zu of %zu packets came in %.1f s"
                 : "%zu of %zu packets came in %.1f s: the stream is slower, "
                   "does not come in by that port, or a static flow takes it",
             r->n_packets, r->wanted, (double) r->lasted / 1000);
    cJSON_AddStringToObject(o, "text", text);
}

static struct cJSON *
result_json(const struct sample_result *r)
{
    struct cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "wanted", (double) r->wanted);
    add_text(o, r);
    cJSON_AddNumberToObject(o, "left_out", (double) r->n_left_out);
    struct cJSON *rewritings = cJSON_AddArrayToObject(o, "rewritings");
    for (size_t i = 0; i < r->n_rewritings; i++) {
        cJSON_AddItemToArray(rewritings, rewriting_json(&r->rewritings[i]));
    }
    struct cJSON *packets = cJSON_AddArrayToObject(o, "packets");
    for (size_t i = 0; i < r->n_packets; i++) {
        cJSON_AddItemToArray(packets,
                             packet_json(&r->packets[i], r->n_rewritings));
    }
    return o;
}

/* If the client has gone, there is nobody to answer, and if the daemon is on
 * its way out nothing to read. */
static void
sample_done(void *call, const struct sample_result *result)
{
    struct api_call *c = call;
    struct explain_query *query = c->query;

    c->query = NULL;
    if (c->abandoned || result->abandoned) {
        api_call_send(c, 500);
    } else {
        struct cJSON *json = api_explain_json(c->api.ctl, query);
        cJSON_AddItemToObject(json, "live", result_json(result));
        api_call_json(c, 200, json);
    }
    free(query);
}

void
api_call_live(struct api_call *c, const struct explain_query *query, int n)
{
    c->query = xmalloc(sizeof *c->query);
    *c->query = *query;
    const char *obstacle =
        sample_begin(c->api.ctl, query, (size_t) n, sample_done, c);
    if (obstacle) {
        free(c->query);
        c->query = NULL;
        api_call_problem(c, 409, "no-sample", "There can be no sample now",
                         "%s.", obstacle);
    }
}
