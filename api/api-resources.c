/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-resources.h"

#include <stddef.h>

#define JSON "application/json"

const struct api_resource API_RESOURCES[] = {
    {"/v1/switches", "The switches: connection, ports, counters", JSON,
     "Switch", API_PARAMS_PAGE, api_get_switches, NULL, NULL},
    {"/v1/switches/{dpid}", "One switch", JSON, "Switch", API_PARAMS_NONE,
     api_get_switch, NULL, NULL},
    {"/v1/groups", "Membership of each group", JSON, "Group", API_PARAMS_PAGE,
     api_get_groups, NULL, NULL},
    {"/v1/groups/{vlan}/{group}", "Membership of one group", JSON, "Group",
     API_PARAMS_NONE, api_get_group, NULL, NULL},
    {"/v1/streams", "The sources seen, their rates and receivers", JSON,
     "Stream", API_PARAMS_PAGE, api_get_streams, NULL, NULL},
    {"/v1/queriers", "Who queries each vlan", JSON, "Querier", API_PARAMS_PAGE,
     api_get_queriers, NULL, NULL},
    {"/v1/hosts", "The hosts that have reported groups", JSON, "KnownHost",
     API_PARAMS_PAGE, api_get_hosts, NULL, NULL},
    {"/v1/members", "The static members and static router ports", JSON,
     "StaticMember", API_PARAMS_PAGE, api_get_members, NULL, NULL},
    {"/v1/members/{name}", "One static member or static router port", JSON,
     "StaticMember", API_PARAMS_WRITE, api_get_member, api_put_member,
     api_delete_member},
    {"/v1/routes", "The routes", JSON, "Route", API_PARAMS_PAGE,
     api_get_routes, NULL, NULL},
    {"/v1/routes/{name}", "One route: a stream, its rewriting, its targets",
     JSON, "Route", API_PARAMS_WRITE, api_get_route, api_put_route,
     api_delete_route},
    {"/v1/flows", "The static flows and groups", JSON, "Flow", API_PARAMS_PAGE,
     api_get_flows, NULL, NULL},
    {"/v1/flows/{name}", "One static flow or group in ovs-ofctl's syntax",
     JSON, "Flow", API_PARAMS_WRITE, api_get_flow, api_put_flow,
     api_delete_flow},
    {"/v1/topology", "Switches, links and roots of trees", JSON, "Topology",
     API_PARAMS_NONE, api_get_topology, NULL, NULL},
    {"/v1/topology/trees/{vlan}/{group}", "The tree of a channel", JSON,
     "Tree", API_PARAMS_NONE, api_get_tree, NULL, NULL},
    {"/v1/events", "What happens, as server-sent events", "text/event-stream",
     NULL, API_PARAMS_NONE, api_get_events, NULL, NULL},
    {"/healthz", "Whether the daemon runs", JSON, "Health", API_PARAMS_NONE,
     api_get_health, NULL, NULL},
    {"/readyz", "Whether it can do its work", JSON, "Health", API_PARAMS_NONE,
     api_get_ready, NULL, NULL},
    {"/metrics", "Prometheus metrics", "text/plain", NULL, API_PARAMS_NONE,
     api_get_metrics, NULL, NULL},
    {"/openapi.json", "This description", JSON, NULL, API_PARAMS_NONE,
     api_get_openapi, NULL, NULL},
    {"/", "The web page", "text/html", NULL, API_PARAMS_NONE, api_get_page,
     NULL, NULL},
    {NULL, NULL, NULL, NULL, API_PARAMS_NONE, NULL, NULL, NULL},
};
