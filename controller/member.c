/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/member.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib/xalloc.h"

void
member_uninit(struct member *m)
{
    free(m->sources);
    m->sources = NULL;
    m->n_sources = 0;
}

void
member_destroy(struct member *m)
{
    if (m) {
        member_uninit(m);
        free(m);
    }
}

/* Does it make sense? */

static const char *
check_group(const struct ip_addr *group)
{
    if (ip_addr_is_any(group)) {
        return "which group? give \"group\", or \"router\": true for a port "
               "that gets all of them";
    }
    if (!ip_addr_is_multicast(group)) {
        return "\"group\" must be multicast: within 224.0.0.0/4 or ff00::/8";
    }
    if (ip_addr_is_local_multicast(group)) {
        return "\"group\" is link-local (224.0.0.0/24, ff02::/16): it reaches "
               "every port and is never pruned (RFC 4541 2.1.2)";
    }
    if (!ip_addr_is_v4(group) && (group->b[1] & 15) < 2) {
        return "\"group\" does not leave its host: scope 0 or 1 (RFC 4291 "
               "2.7)";
    }
    return NULL;
}

static const char *
check_sources(const struct member *m)
{
    for (size_t i = 0; i < m->n_sources; i++) {
        if (ip_addr_is_v4(&m->sources[i]) != ip_addr_is_v4(&m->group)) {
            return "\"sources\" must be of the family of \"group\": IPv4 or "
                   "IPv6";
        }
        if (!ip_addr_can_send(&m->sources[i])) {
            return "\"sources\" must be addresses of hosts: not multicast, "
                   "loopback or reserved";
        }
    }
    if (m->n_sources > MEMBER_MAX_SOURCES) {
        return "\"sources\" are too many: at most 256";
    }
    if (!m->exclude && !m->n_sources) {
        return "\"mode\" \"include\" without \"sources\" is nobody: leave "
               "\"mode\" out for every source";
    }
    if (m->exclude && ip_addr_is_source_specific(&m->group)) {
        return "a group in the source-specific range (232.0.0.0/8, "
               "ff3x::/32) needs \"sources\", in \"mode\" \"include\" (RFC "
               "4607)";
    }
    return NULL;
}

const char *
member_settle(struct member *m, const char **field)
{
    m->n_sources = ip_addr_sort(m->sources, m->n_sources);
    if (m->router) {
        *field = "router";
        return ip_addr_is_any(&m->group) && !m->n_sources
                   ? NULL
                   : "a router port gets every group: leave \"group\", "
                     "\"mode\" and \"sources\" out, or \"router\"";
    }
    *field = "group";
    const char *problem = check_group(&m->group);
    if (!problem) {
        *field = "sources";
        problem = check_sources(m);
    }
    return problem;
}

/* JSON */

static void
read_address(const struct json_at *at, const char *member,
             const struct cJSON *value, struct ip_addr *out)
{
    if (!cJSON_IsString(value) || !ip_addr_parse(value->valuestring, out)) {
        json_fail(at->error, at->pointer, member,
                  "\"%s\" must be an IPv4 or IPv6 address", member);
    }
}

static void
read_sources(struct member *m, const struct json_at *body)
{
    const struct cJSON *list = json_get_array(body, "sources"), *value;
    size_t n = list ? (size_t) cJSON_GetArraySize(list) : 0;

    if (n > 4 * MEMBER_MAX_SOURCES) {
        json_fail(body->error, "", "sources",
                  "\"sources\" are too many: at most %d", MEMBER_MAX_SOURCES);
        return;
    }
    m->sources = n ? xcalloc(n, sizeof *m->sources) : NULL;
    cJSON_ArrayForEach (value, list) {
        read_address(body, "sources", value, &m->sources[m->n_sources++]);
    }
}

static void
read_mode(struct member *m, const struct json_at *body)
{
    const char *mode;

    m->exclude = !m->router && !m->n_sources;
    if (!json_get_string(body, "mode", &mode)) {
        return;
    }
    m->exclude = !strcmp(mode, "exclude");
    if (!m->exclude && strcmp(mode, "include")) {
        json_fail(body->error, "", "mode",
                  "\"mode\" must be \"include\" or \"exclude\"");
    }
}

static void
read_vtep(struct member *m, const struct json_at *body)
{
    struct ip_addr address;
    const char *text;

    if (json_get_string(body, "vtep", &text)
        && (!ip_addr_parse(text, &address)
            || !ip_addr_to_vtep(&address, &m->vtep))) {
        json_fail(body->error, "", "vtep",
                  "\"vtep\" must be the IPv4 address of a host");
    }
}

static void
read_what(struct member *m, const struct json_at *body)
{
    const struct cJSON *group =
        cJSON_GetObjectItemCaseSensitive(body->object, "group");

    json_get_bool(body, "router", &m->router);
    if (group) {
        read_address(body, "group", group, &m->group);
    }
    read_sources(m, body);
    read_mode(m, body);
    if (m->router && json_has(body, "mode")) {
        json_fail(body->error, "", "mode", "a router port has no \"mode\"");
    }
}

static void
read_lease(struct member *m, const struct json_at *body)
{
    int64_t number;

    if (json_get_int(body, "lease", 1, MEMBER_MAX_LEASE, &number)) {
        m->lease = (uint32_t) number;
    }
    if (json_get_int(body, "lease_ends", 1, INT64_C(1) << 52, &number)) {
        m->lease_ends = number;
    }
}

struct member *
member_from_json(const char *name, const struct cJSON *json,
                 struct json_error *error)
{
    static const char *const members[] = {
        "name",   "vlan",    "dpid", "port",  "mode",       "group",
        "router", "sources", "vtep", "lease", "lease_ends", NULL};
    const struct json_at body = {json, "", error};
    struct member *m = xcalloc(1, sizeof *m);
    const char *field;
    int64_t vlan;

    *error = (struct json_error){.failed = false};
    json_only(&body, members);
    json_read_name(&body, name, m->name);
    m->vlan = json_get_int(&body, "vlan", 0, 4094, &vlan) ? vlan : 0;
    json_require(&body, "dpid");
    json_get_dpid(&body, "dpid", &m->dpid);
    json_require(&body, "port");
    json_get_port(&body, "port", m->port);
    read_vtep(m, &body);
    read_what(m, &body);
    read_lease(m, &body);
    if (!error->failed) {
        const char *problem = member_settle(m, &field);
        if (problem) {
            json_fail(error, "", field, "%s", problem);
        }
    }
    if (error->failed) {
        member_destroy(m);
        return NULL;
    }
    return m;
}

static void
write_what(struct cJSON *object, const struct member *m)
{
    char text[IP_ADDR_STRLEN];

    cJSON_AddStringToObject(object, "group", ip_addr_format(&m->group, text));
    if (!m->n_sources) {
        return;
    }
    cJSON_AddStringToObject(object, "mode",
                            m->exclude ? "exclude" : "include");
    struct cJSON *list = cJSON_AddArrayToObject(object, "sources");
    for (size_t i = 0; i < m->n_sources; i++) {
        cJSON_AddItemToArray(
            list, cJSON_CreateString(ip_addr_format(&m->sources[i], text)));
    }
}

struct cJSON *
member_to_json(const struct member *m)
{
    struct cJSON *object = cJSON_CreateObject();
    char dpid[DPID_STRLEN], text[IP_ADDR_STRLEN];

    cJSON_AddStringToObject(object, "name", m->name);
    cJSON_AddNumberToObject(object, "vlan", m->vlan);
    cJSON_AddStringToObject(object, "dpid", dpid_format(m->dpid, dpid));
    cJSON_AddStringToObject(object, "port", m->port);
    if (m->vtep) {
        struct ip_addr vtep = ip_addr_v4(m->vtep);
        cJSON_AddStringToObject(object, "vtep", ip_addr_format(&vtep, text));
    }
    if (m->router) {
        cJSON_AddTrueToObject(object, "router");
    } else {
        write_what(object, m);
    }
    if (m->lease) {
        cJSON_AddNumberToObject(object, "lease", m->lease);
    }
    if (m->lease_ends) {
        cJSON_AddNumberToObject(object, "lease_ends", (double) m->lease_ends);
    }
    return object;
}
