/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_CALL_H
#define API_API_CALL_H 1

/* What the handlers of the resources share; private to api/.
 *
 * A handler is called with the call's target parsed and its method known to
 * be right.  It ends with one of the api_call_*() answers below, or keeps the
 * call and answers later.  After its answer a call must not be touched. */

#include "api/api-dispatch.h"
#include "api/api-list.h"
#include "api/api-request.h"
#include "controller/route.h"
#include "controller/view.h"

struct cJSON;
struct json_error;

typedef void api_handler(struct api_call *);

/* Query parameters that a resource takes. */
enum api_params {
    API_PARAMS_NONE,
    API_PARAMS_PAGE,  /* limit, cursor: on GET */
    API_PARAMS_WRITE, /* wait, timeout: on PUT and DELETE */
    API_PARAMS_PACKET /* API_PACKET_PARAMS: on GET */
};

/* What /v1/explain is asked about. */
struct api_param_doc {
    const char *name, *type, *description;
};
extern const struct api_param_doc API_PACKET_PARAMS[]; /* Until a NULL name. */

struct api_resource {
    const char *pattern; /* "/v1/groups/{vlan}/{group}" */
    const char *summary;
    const char *type;   /* Media type of GET. */
    const char *schema; /* In schemas.json, of one item; NULL: none. */
    enum api_params params;
    api_handler *get, *put, *delete;
};

enum { API_MAX_ARGS = 2 };

struct api_call {
    struct api api;
    const struct api_request *request; /* Only while a handler runs. */
    struct api_target target;
    const struct api_resource *resource;
    const char *args[API_MAX_ARGS]; /* What the {...} stand for, decoded. */
    struct api_response response;
    api_reply_cb *reply;
    void *aux;
    enum api_method method;
    bool inside; /* api_dispatch() is on the stack. */
    bool answered, abandoned;
    char if_none_match[API_ETAG_SIZE * 4]; /* Of a GET. */

    /* A write that waits. */
    const struct api_rules *rules;
    char name[ROUTE_NAME_SIZE];

    /* An explanation that waits for packets. */
    struct explain_query *query;
};

/* Answers.  Each ends the call. */
void api_call_send(struct api_call *, int status); /* 'response' is ready. */
void api_call_json(struct api_call *, int status, struct cJSON *);
void api_call_text(struct api_call *, const char *type, char *body,
                   size_t size);
void api_call_problem(struct api_call *, int status, const char *name,
                      const char *title, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void api_call_bad_body(struct api_call *, int status,
                       const struct json_error *);
void api_call_rejected(struct api_call *, const char *detail,
                       const char *pointer);
void api_call_not_found(struct api_call *);
/* If-Match and If-None-Match against what is there now ('etag' "" = nothing).
 * False if it has answered. */
bool api_call_precondition(struct api_call *, const char *etag);
/* 'limit' and 'cursor'.  False if it has answered. */
bool api_call_page(struct api_call *, struct api_list *);
void api_call_bad_cursor(struct api_call *);
/* A query parameter is wrong: 400. */
void api_call_bad_parameter(struct api_call *, const char *name,
                            const char *what);

/* The arguments {vlan} and {group}.  False if it has answered. */
bool api_call_channel(struct api_call *, uint16_t *vlan, struct ip_addr *);

/* An address in hex: the order of the text is that of the addresses. */
enum { API_HEX_SIZE = 33 };
const char *api_format_hex(const struct ip_addr *, char[API_HEX_SIZE]);

/* Routes, flows and members are alike for readers and writers but for the
 * verbs. */
struct api_rules {
    const char *plural; /* "routes" */
    void (*each)(struct ctl *, view_rule_cb *, void *aux);
    bool (*get)(struct ctl *, const char *name, view_rule_cb *, void *aux);
};

extern const struct api_rules API_ROUTES, API_FLOWS, API_MEMBERS;

bool api_rule_etag(struct ctl *, const struct api_rules *, const char *name,
                   char etag[API_ETAG_SIZE]);
/* Fills in the body and the tag of 'name'; false if it is not there. */
bool api_rule_body(struct api_call *, const struct api_rules *,
                   const char *name, struct cJSON **);

/* Answers with the explanation and what really comes: /v1/explain?live=N. */
struct explain_query;
void api_call_live(struct api_call *, const struct explain_query *, int n);
/* The explanation itself. */
struct cJSON *api_explain_json(struct ctl *, const struct explain_query *);

/* The handlers. */
api_handler api_get_switches, api_get_switch;
api_handler api_get_groups, api_get_group;
api_handler api_get_streams, api_get_queriers, api_get_hosts;
api_handler api_get_routes, api_get_route, api_get_flows, api_get_flow;
api_handler api_put_route, api_delete_route, api_put_flow, api_delete_flow;
api_handler api_get_members, api_get_member, api_put_member, api_delete_member;
api_handler api_get_events, api_get_health, api_get_ready, api_get_metrics;
api_handler api_get_openapi, api_get_page, api_get_topology, api_get_tree;
api_handler api_get_doctor, api_get_explain;

#endif
