/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-resources.h"

#include <stddef.h>

const struct api_resource API_RESOURCES[] = {
    {"/v1/switches", "The switches: connection, ports, counters",
     API_PARAMS_PAGE, api_get_switches, NULL, NULL},
    {"/v1/switches/{dpid}", "One switch", API_PARAMS_NONE, api_get_switch,
     NULL, NULL},
    {"/v1/groups", "Membership of each group", API_PARAMS_PAGE, api_get_groups,
     NULL, NULL},
    {"/v1/groups/{vlan}/{group}", "Membership of one group", API_PARAMS_NONE,
     api_get_group, NULL, NULL},
    {"/v1/streams", "The sources seen, their rates and receivers",
     API_PARAMS_PAGE, api_get_streams, NULL, NULL},
    {"/v1/queriers", "Who queries each vlan", API_PARAMS_PAGE,
     api_get_queriers, NULL, NULL},
    {"/v1/routes", "The routes", API_PARAMS_PAGE, api_get_routes, NULL, NULL},
    {"/v1/routes/{name}", "One route: a stream, its rewriting, its targets",
     API_PARAMS_WRITE, api_get_route, api_put_route, api_delete_route},
    {"/v1/flows", "The static flows and groups", API_PARAMS_PAGE,
     api_get_flows, NULL, NULL},
    {"/v1/flows/{name}", "One static flow or group in ovs-ofctl's syntax",
     API_PARAMS_WRITE, api_get_flow, api_put_flow, api_delete_flow},
    {"/v1/events", "What happens, as server-sent events", API_PARAMS_NONE,
     api_get_events, NULL, NULL},
    {"/healthz", "Whether the daemon runs", API_PARAMS_NONE, api_get_health,
     NULL, NULL},
    {"/readyz", "Whether it can do its work", API_PARAMS_NONE, api_get_ready,
     NULL, NULL},
    {"/metrics", "Prometheus metrics", API_PARAMS_NONE, api_get_metrics, NULL,
     NULL},
    {"/openapi.json", "This description", API_PARAMS_NONE, api_get_openapi,
     NULL, NULL},
    {"/", "The web page", API_PARAMS_NONE, api_get_page, NULL, NULL},
    {NULL, NULL, API_PARAMS_NONE, NULL, NULL, NULL},
};
