/* SPDX-License-Identifier: Apache-2.0 */
/* "explain": why a port gets a stream, or does not. */
#include <config.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-command.h"
#include "api/ctl-crosscheck.h"
#include "api/ctl-live.h"
#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* Options. */

const struct option CTL_EXPLAIN_OPTIONS[] = {
    CTL_COMMON_OPTIONS,
    {"switch", required_argument, NULL, CTL_OPT_OWN},
    {"in-port", required_argument, NULL, CTL_OPT_OWN},
    {"vlan", required_argument, NULL, CTL_OPT_OWN},
    {"source", required_argument, NULL, CTL_OPT_OWN},
    {"src", required_argument, NULL, CTL_OPT_OWN},
    {"group", required_argument, NULL, CTL_OPT_OWN},
    {"udp-dst", required_argument, NULL, CTL_OPT_OWN},
    {"dport", required_argument, NULL, CTL_OPT_OWN},
    {"ttl", required_argument, NULL, CTL_OPT_OWN},
    {"size", required_argument, NULL, CTL_OPT_OWN},
    {"to", required_argument, NULL, CTL_OPT_OWN},
    {"to-switch", required_argument, NULL, CTL_OPT_OWN},
    {"live", required_argument, NULL, CTL_OPT_OWN},
    {"no-trace", no_argument, NULL, CTL_OPT_OWN},
    {"vswitchd", required_argument, NULL, CTL_OPT_OWN},
    {NULL, 0, NULL, 0}};

/* What the API calls them; NULL: it has no such parameter. */
static const char *
param_of(const char *option)
{
    static const struct {
        const char *option, *param;
    } params[] = {{"switch", "dpid"},     {"in-port", "in_port"},
                  {"vlan", "vlan"},       {"source", "source"},
                  {"src", "source"},      {"group", "group"},
                  {"udp-dst", "udp_dst"}, {"dport", "udp_dst"},
                  {"ttl", "ttl"},         {"size", "size"},
                  {"to", "to_port"},      {"to-switch", "to_dpid"},
                  {"live", "live"}};

    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        if (!strcmp(option, params[i].option)) {
            return params[i].param;
        }
    }
    return NULL;
}

int
ctl_set_explain(struct ctl_options *o, const char *option, const char *value)
{
    const char *param = param_of(option);

    if (!strcmp(option, "no-trace")) {
        o->no_trace = true;
    } else if (!strcmp(option, "vswitchd")) {
        o->vswitchd = value;
    } else if (cJSON_GetObjectItemCaseSensitive(o->packet, param)) {
        ctl_complain("--%s is given twice", option);
        return CTL_USAGE;
    } else {
        o->packet = o->packet ? o->packet : cJSON_CreateObject();
        cJSON_AddStringToObject(o->packet, param, value);
    }
    return CTL_OK;
}

/* The question. */

/* "--to 10.1.0.2", "--to 00:00:00:00:00:02": the port where that host is. */
static bool
is_host(const struct cJSON *host, const struct ip_addr *ip,
        const struct mac_addr *mac)
{
    const struct cJSON *item;
    struct mac_addr own_mac;
    struct ip_addr own;

    if (mac_addr_parse(ctl_get_text(host, "mac"), &own_mac)
        && !mac_addr_compare(&own_mac, mac)) {
        return true;
    }
    cJSON_ArrayForEach (item, get(host, "ips")) {
        if (cJSON_IsString(item) && ip_addr_parse(item->valuestring, &own)
            && ip_addr_equal(&own, ip)) {
            return true;
        }
    }
    return false;
}

static int
find_host(const struct ctl_options *o, const char *name, char **port,
          char **dpid)
{
    const struct ip_addr *none = &IP_ADDR_ANY;
    struct ip_addr ip = *none;
    struct mac_addr mac = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    const struct cJSON *host;
    int code;

    if (!ip_addr_parse(name, &ip) && !mac_addr_parse(name, &mac)) {
        *port = xstrdup(name);
        return CTL_OK;
    }
    struct cJSON *list = ctl_fetch_list(o, "hosts", &code);
    cJSON_ArrayForEach (host, get(list, "hosts")) {
        if (!*port && is_host(host, &ip, &mac)) {
            *port = xasprintf("%.0f", ctl_get_number(host, "port"));
            *dpid = xstrdup(ctl_get_text(host, "dpid"));
        }
    }
    cJSON_Delete(list);
    if (list && !*port) {
        ctl_complain("--to: no host %s is known; name its port instead", name);
        code = CTL_NOT_FOUND;
    }
    return code;
}

static void
add_param(char **target, const char *name, const char *value)
{
    char *encoded = ctl_encode(value);

    ctl_append(target, strchr(*target, '?') ? "&" : "?", "%s=%s", name,
               encoded);
    free(encoded);
}

/* "/v1/explain?dpid=1&...": for free(); NULL with '*code' set. */
static char *
make_target(const struct ctl_options *o, int *code)
{
    static const char *const required[] = {"dpid", "in_port", "source",
                                           "group"};
    static const char *const options[] = {"switch", "in-port", "source",
                                          "group"};
    char *target = xstrdup("/v1/explain"), *port = NULL, *dpid = NULL;
    const struct cJSON *item;

    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!get(o->packet, required[i])) {
            ctl_complain("explain needs --%s: see ofmcastctl explain --help",
                         options[i]);
            *code = CTL_USAGE;
            free(target);
            return NULL;
        }
    }
    *code = CTL_OK;
    cJSON_ArrayForEach (item, o->packet) {
        if (strcmp(item->string, "to_port")) {
            add_param(&target, item->string, item->valuestring);
        } else {
            *code = find_host(o, item->valuestring, &port, &dpid);
        }
    }
    if (port) {
        add_param(&target, "to_port", port);
    }
    if (dpid && !get(o->packet, "to_dpid")) {
        add_param(&target, "to_dpid", dpid);
    }
    free(port);
    free(dpid);
    if (*code != CTL_OK) {
        free(target);
        target = NULL;
    }
    return target;
}

/* The answer. */

static const char *
paint(const struct ctl_options *o, bool good)
{
    return !o->color ? "" : good ? "\033[32m" : "\033[31m";
}

static void
print_flow(const struct cJSON *flow, int table)
{
    char *actions = ctl_clean(xstrdup(ctl_get_text(flow, "actions")));

    printf("       %-9s table %d, priority %.0f: %s\n", "flow", table,
           ctl_get_number(flow, "priority"), *actions ? actions : "drop");
    printf("       %-9s %" PRIu64 " packets, %" PRIu64 " bytes%s%s\n", "seen",
           ctl_get_u64(flow, "packets"), ctl_get_u64(flow, "bytes"),
           strcmp(ctl_get_text(flow, "state"), "applied") ? ", on the switch: "
                                                          : "",
           strcmp(ctl_get_text(flow, "state"), "applied")
               ? ctl_get_text(flow, "state")
               : "");
    free(actions);
}

static void
print_stage(const struct ctl_options *o, const struct cJSON *stage)
{
    bool passes = ctl_get_bool(stage, "passes");
    char *text = ctl_clean(xstrdup(ctl_get_text(stage, "text")));

    printf("%s%s%s %-9s %s\n", paint(o, passes), passes ? "ok" : "XX",
           o->color ? "\033[0m" : "", ctl_get_text(stage, "stage"), text);
    if (cJSON_IsObject(get(stage, "flow"))) {
        print_flow(get(stage, "flow"), (int) ctl_get_number(stage, "table"));
    }
    free(text);
}

/* What leaves by the port, this stream or any. */
static void
print_port(const struct cJSON *counters)
{
    if (counters) {
        printf("       %-9s %" PRIu64 " packets of all streams left by it, "
               "%" PRIu64 " were dropped, %" PRIu64 " errors\n",
               "port", ctl_get_u64(counters, "tx_packets"),
               ctl_get_u64(counters, "tx_dropped"),
               ctl_get_u64(counters, "tx_errors"));
    }
}

static void
print_output(const struct cJSON *output)
{
    char *port = ctl_port_text(output);
    char *text = ctl_clean(xstrdup(ctl_get_text(output, "text")));
    char *actions = ctl_clean(xstrdup(ctl_get_text(output, "actions")));

    printf("-> %-9s switch %s port %s: %s\n", ctl_get_text(output, "origin"),
           ctl_short_dpid(ctl_get_text(output, "dpid")), port, text);
    if (*actions) {
        printf("       %-9s %s\n", "changed", actions);
    }
    print_port(get(output, "port_counters"));
    free(port);
    free(text);
    free(actions);
}

static void
print_explanation(const struct ctl_options *o, const struct cJSON *x)
{
    bool delivered = ctl_get_bool(x, "delivered");
    char *text = ctl_clean(xstrdup(ctl_get_text(x, "text")));
    char *cure = ctl_clean(xstrdup(ctl_get_text(x, "cure")));
    const struct cJSON *item;

    cJSON_ArrayForEach (item, get(x, "stages")) {
        print_stage(o, item);
    }
    cJSON_ArrayForEach (item, get(x, "outputs")) {
        print_output(item);
    }
    printf("\n%s%s%s (%s): %s\n", paint(o, delivered),
           delivered ? "delivered" : "NOT DELIVERED",
           o->color ? "\033[0m" : "", ctl_get_text(x, "reason"), text);
    if (*cure) {
        printf("       %-9s %s\n", "cure", cure);
    }
    free(text);
    free(cure);
}

static void
print_trace(const struct ctl_options *o, const struct cJSON *trace)
{
    bool disagrees = cJSON_IsFalse(get(trace, "agrees"));
    char *text = ctl_clean(xstrdup(ctl_get_text(trace, "text")));
    char *actions = ctl_clean(xstrdup(ctl_get_text(trace, "actions")));

    if (trace) {
        printf("%s%s%s: %s\n", disagrees ? paint(o, false) : "",
               disagrees ? "trace DISAGREES" : "trace",
               disagrees && o->color ? "\033[0m" : "", text);
    }
    if (*actions) {
        printf("       %-9s %s\n", "datapath", actions);
    }
    free(text);
    free(actions);
}

int
ctl_run_explain(struct ctl_options *o, int argc, char *argv[])
{
    int code;
    char *target = make_target(o, &code);
    struct cJSON *json = target ? ctl_fetch(o, target, &code) : NULL;

    (void) argc;
    (void) argv;
    free(target);
    if (!json) {
        return code;
    }
    const struct cJSON *trace = o->no_trace ? NULL : ctl_crosscheck(o, json);
    if (o->json) {
        ctl_print_json(stdout, json);
    } else {
        print_explanation(o, json);
        print_trace(o, trace);
        ctl_print_live(get(json, "live"));
    }
    code =
        ctl_get_bool(json, "delivered") && !cJSON_IsFalse(get(trace, "agrees"))
            ? CTL_OK
            : CTL_FAILED;
    cJSON_Delete(json);
    return code;
}
