/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* MCR's rules.json5:
 *
 *     {
 *       pinning: {eth0: [0, 1]},
 *       multicast_ttl: 8,
 *       rules: [
 *         {name: 'feed', input: {interface: 'eth0', group: '239.1.1.1',
 *                                port: 5001, protocol: 'esp'},
 *          outputs: [{interface: 'eth1', group: '239.2.2.2', port: 6001,
 *                     ttl: 16}]}
 *       ],
 *       igmp: {...}, pim: {...}, msdp: {...}, control_plane: {...},
 *     }
 *
 * "group" may be a host's address, of an input as of an output. */

#include "api/import-json.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

enum { PROTO_UDP = 17, PROTO_ESP = 50 };

struct rule {
    const struct import_json *json;
    const struct cJSON *value;
    int ttl; /* Of the file, 0: not given. */
    char group[IP_PREFIX_STRLEN];
    struct import_stream stream;
    struct cJSON *to;
};

/* An address without a length, of a group or a host. */
static enum import_address_kind
read_group(const struct import_json *j, const struct cJSON *object,
           const char *name, char out[IP_PREFIX_STRLEN])
{
    const char *text = import_json_text(j, object, name);
    int line =
        import_json_line(j, cJSON_GetObjectItemCaseSensitive(object, name));

    if (!text) {
        return IMPORT_BAD;
    }
    enum import_address_kind kind =
        import_read_address(j->import, j->file, line, text, out);
    if (kind == IMPORT_IPV6 || kind == IMPORT_ANY
        || (kind != IMPORT_BAD && strchr(text, '/'))) {
        import_error(j->import, j->file, line,
                     "%s '%s' is not the IPv4 address of a group or a host",
                     name, text);
        kind = IMPORT_BAD;
    }
    return kind;
}

/* NULL with an error. */
static const char *
read_interface(const struct import_json *j, const struct cJSON *object)
{
    const char *port = import_json_text(j, object, "interface");
    int line = import_json_line(
        j, cJSON_GetObjectItemCaseSensitive(object, "interface"));

    return port && import_check_port(j->import, j->file, line, port) ? port
                                                                     : NULL;
}

static bool
read_protocol(struct rule *rule, const struct cJSON *input)
{
    const struct import_json *j = rule->json;
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(input, "protocol");
    const char *text = value && !cJSON_IsNull(value)
                           ? import_json_text(j, input, "protocol")
                           : "udp";

    if (text && strcmp(text, "esp") && strcmp(text, "udp")) {
        import_json_error(j, value, "protocol '%s' is neither udp nor esp",
                          text);
        return false;
    }
    rule->stream.proto = text && !strcmp(text, "esp") ? PROTO_ESP : PROTO_UDP;
    return text != NULL;
}

static bool
read_input(struct rule *rule)
{
    static const char *const known[] = {"interface", "group", "port",
                                        "protocol", NULL};
    const struct import_json *j = rule->json;
    const struct cJSON *input = import_json_object(j, rule->value, "input");

    if (!input) {
        if (!cJSON_HasObjectItem(rule->value, "input")) {
            import_json_error(j, rule->value, "'input' is missing");
        }
        return false;
    }
    import_json_only(j, input, "an input", known);
    bool good = read_protocol(rule, input);
    enum import_address_kind kind = read_group(j, input, "group", rule->group);
    rule->stream.port = read_interface(j, input);
    rule->stream.group = kind == IMPORT_MULTICAST ? rule->group : NULL;
    rule->stream.unicast = kind == IMPORT_UNICAST ? rule->group : NULL;
    bool esp = rule->stream.proto == PROTO_ESP;
    if (!cJSON_HasObjectItem(input, "port") && !esp) {
        import_json_error(j, input, "'port' is missing");
        return false;
    }
    int port = 0;
    good &= !cJSON_HasObjectItem(input, "port")
            || import_json_number(j, input, "port", esp ? 0 : 1, 65535, &port);
    rule->stream.udp_dst = esp ? 0 : port;
    return good && kind != IMPORT_BAD && rule->stream.port;
}

/* NULL, with an error if it is there and no host's address. */
static const char *
read_source(const struct import_json *j, const struct cJSON *output,
            char out[IP_PREFIX_STRLEN])
{
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(output, "source_ip");

    if (!value) {
        return NULL;
    }
    enum import_address_kind kind = read_group(j, output, "source_ip", out);
    if (kind == IMPORT_MULTICAST) {
        import_json_error(j, value, "source_ip %s is a multicast group", out);
    }
    return kind == IMPORT_UNICAST ? out : NULL;
}

/* Of one output, what is changed in its copy; NULL: nothing. */
static struct cJSON *
make_set(struct rule *rule, const struct cJSON *output, const char *group,
         int udp_dst, const char *port)
{
    const struct import_json *j = rule->json;
    char address[IP_PREFIX_STRLEN];
    bool has_source = cJSON_HasObjectItem(output, "source_ip");
    const char *source = has_source ? read_source(j, output, address)
                                    : import_address_of(j->import, port);
    struct cJSON *set = cJSON_CreateObject();
    int ttl = rule->ttl;

    if (source) {
        cJSON_AddStringToObject(set, "source", source);
    } else if (!has_source) {
        import_tell_source(j->import, j->file, import_json_line(j, output),
                           port);
    }
    if (group && (!rule->stream.group || strcmp(group, rule->stream.group))) {
        cJSON_AddStringToObject(set, "group", group);
    }
    if (udp_dst && udp_dst != rule->stream.udp_dst) {
        cJSON_AddNumberToObject(set, "udp_dst", udp_dst);
    }
    import_json_number(j, output, "ttl", 1, 255, &ttl);
    if (ttl) {
        cJSON_AddNumberToObject(set, "ttl", ttl);
    }
    if (!set->child) {
        cJSON_Delete(set);
        return NULL;
    }
    return set;
}

static void
add_output(struct rule *rule, const struct cJSON *output, bool is_group,
           const char *address, int udp_dst, const char *port)
{
    struct cJSON *target;

    if (is_group) {
        target = import_add_port(rule->to, port);
    } else {
        import_note(rule->json->import, rule->json->file,
                    import_json_line(rule->json, output),
                    "%s gets it wherever it is found, not by %s alone",
                    address, port);
        target = cJSON_CreateObject();
        cJSON_AddStringToObject(target, "unicast", address);
        if (udp_dst) {
            cJSON_AddNumberToObject(target, "udp_dst", udp_dst);
        }
        cJSON_AddItemToArray(rule->to, target);
    }
    struct cJSON *set = make_set(rule, output, is_group ? address : NULL,
                                 is_group ? udp_dst : 0, port);
    if (set) {
        cJSON_AddItemToObject(target, "set", set);
    }
}

static bool
read_output(struct rule *rule, const struct cJSON *output)
{
    static const char *const known[] = {"interface", "group",     "port",
                                        "ttl",       "source_ip", NULL};
    const struct import_json *j = rule->json;
    char address[IP_PREFIX_STRLEN];
    int udp_dst = 0;

    if (!cJSON_IsObject(output)) {
        import_json_error(j, output, "an output is not an object");
        return false;
    }
    import_json_only(j, output, "an output", known);
    enum import_address_kind kind = read_group(j, output, "group", address);
    const char *port = read_interface(j, output);
    bool good = cJSON_HasObjectItem(output, "port")
                && import_json_number(j, output, "port", 1, 65535, &udp_dst);
    if (!cJSON_HasObjectItem(output, "port")) {
        import_json_error(j, output, "'port' is missing");
    }
    if (!good || kind == IMPORT_BAD || !port) {
        return false;
    }
    if (rule->stream.proto == PROTO_ESP) {
        udp_dst = 0;
    }
    add_output(rule, output, kind == IMPORT_MULTICAST, address, udp_dst, port);
    return true;
}

static bool
read_outputs(struct rule *rule)
{
    const struct import_json *j = rule->json;
    const struct cJSON *list = import_json_array(j, rule->value, "outputs");
    const struct cJSON *output;
    bool good = list != NULL;

    if (!cJSON_HasObjectItem(rule->value, "outputs")) {
        import_json_error(j, rule->value, "'outputs' is missing");
    }
    cJSON_ArrayForEach (output, list) {
        good &= read_output(rule, output);
    }
    return good;
}

/* Its name, unless another has the same. */
static void
label(struct rule *rule, struct import_item *item)
{
    const struct import_json *j = rule->json;
    const struct cJSON *value =
        cJSON_GetObjectItemCaseSensitive(rule->value, "name");
    const char *name = value && !cJSON_IsNull(value)
                           ? import_json_text(j, rule->value, "name")
                           : NULL;

    if (!name || !*name) {
        return;
    }
    for (size_t i = 0; i < j->import->n_items; i++) {
        const char *other = j->import->items[i].label;
        if (other && !strcmp(other, name)) {
            import_note(j->import, j->file, import_json_line(j, value),
                        "the rule at line %d is called %s, too: this one is "
                        "named after its stream",
                        j->import->items[i].line, name);
            return;
        }
    }
    item->label = xstrdup(name);
}

/* 'ttl' is that of the file, 0: none. */
static void
read_rule(const struct import_json *j, const struct cJSON *value, int ttl)
{
    static const char *const known[] = {"name", "input", "outputs", NULL};
    struct rule rule = {.json = j, .value = value, .ttl = ttl};
    int line = import_json_line(j, value);

    if (!cJSON_IsObject(value)) {
        import_json_error(j, value, "a rule is not an object");
        return;
    }
    import_json_only(j, value, "a rule", known);
    rule.to = cJSON_CreateArray();
    bool good = read_input(&rule);
    good &= read_outputs(&rule);
    const struct import_item *same =
        good ? import_find_route(j->import, &rule.stream) : NULL;
    if (same) {
        import_json_error(j, value,
                          "the same input as the rule at %s:%d: put their "
                          "outputs into one",
                          same->file, same->line);
    } else if (good) {
        label(&rule, import_add_route(j->import, j->file, line, &rule.stream,
                                      NULL, rule.to));
        return;
    }
    cJSON_Delete(rule.to);
}

/* The querier's timers are settings of a vlan. */
static void
read_igmp(const struct import_json *j, const struct cJSON *igmp)
{
    static const char *const known[] = {
        "enabled",    "querier_interfaces",      "query_interval",
        "robustness", "query_response_interval", NULL};
    static const struct {
        const char *name;
        int max;
    } keys[] = {{"query_interval", 31744},
                {"query_response_interval", 31743},
                {"robustness", 7}};
    char *text = xstrdup("");
    int number;

    import_json_only(j, igmp, "igmp", known);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (import_json_number(j, igmp, keys[i].name, 1, keys[i].max,
                               &number)) {
            char *old = text;
            text = xasprintf("%s%s%s: %d", old, *old ? ", " : "", keys[i].name,
                             number);
            free(old);
        }
    }
    if (*text) {
        import_add_config(j->import, "vlans:\n  default: {%s}\n", text);
    }
    if (cJSON_HasObjectItem(igmp, "querier_interfaces")) {
        import_note(j->import, j->file,
                    import_json_line(j, cJSON_GetObjectItemCaseSensitive(
                                            igmp, "querier_interfaces")),
                    "querier_interfaces are not carried over: each vlan is "
                    "queried, on all its ports");
    }
    free(text);
}

static void
tell_section(const struct import_json *j, const struct cJSON *file,
             const char *name, const char *why)
{
    const struct cJSON *section = cJSON_GetObjectItemCaseSensitive(file, name);

    if (section && section->child) {
        import_note(j->import, j->file, import_json_line(j, section),
                    "%s is not carried over: %s", name, why);
    }
}

static void
read_file(const struct import_json *j, const struct cJSON *file)
{
    static const char *const known[] = {
        "pinning", "rules",         "pim",           "igmp",
        "msdp",    "control_plane", "multicast_ttl", NULL};
    int ttl = 0;

    import_json_only(j, file, "the file", known);
    import_json_number(j, file, "multicast_ttl", 1, 255, &ttl);
    import_json_each(j, file, "rules", read_rule, ttl);
    const struct cJSON *igmp = import_json_object(j, file, "igmp");
    if (igmp) {
        read_igmp(j, igmp);
    }
    tell_section(j, file, "pinning", "switches copy, no process does");
    tell_section(j, file, "pim",
                 "ofmcast speaks no PIM; run FRR's pimd on a "
                 "router port for it");
    tell_section(j, file, "msdp", "ofmcast speaks no MSDP; FRR's pimd does");
    tell_section(j, file, "control_plane",
                 "there is no RPF check, and events are at /v1/events");
}

void
import_read_mcr(struct import *im, const char *file, char *text)
{
    import_json_read(im, file, text, "the file", read_file);
}
