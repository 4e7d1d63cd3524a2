/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/ctl-show.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-table.h"
#include "lib/xalloc.h"

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* Switches. */

static const char *
switch_state(const struct cJSON *s, enum ctl_color *color)
{
    if (!ctl_get_bool(s, "connected")) {
        *color = CTL_RED;
        return "away";
    }
    if (!ctl_get_bool(s, "synced")) {
        *color = CTL_YELLOW;
        return "syncing";
    }
    *color = CTL_GREEN;
    return "ready";
}

/* As it is configured, and as it looks if that is not the same. */
static void
add_datapath(struct ctl_table *t, const struct cJSON *s)
{
    const char *said = ctl_get_text(s, "datapath");
    const char *seen = ctl_get_text(s, "datapath_seen");

    if (!*seen || !strcmp(said, seen)) {
        ctl_table_add(t, "%s", said);
    } else {
        ctl_table_add_color(t, CTL_YELLOW, said);
    }
}

static void
print_switches(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "DPID",     "STATE",    "<SINCE",   "PEER",     "<PORTS",
        "<FLOWS",   "<GROUPS",  "<FOREIGN", "<PENDING", "<REJECTED",
        "DATAPATH", "SOFTWARE", NULL};
    struct ctl_table t;
    const struct cJSON *s;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (s, items) {
        enum ctl_color state_color;
        const char *state = switch_state(s, &state_color);
        ctl_table_add(&t, "%s", ctl_get_text(s, "dpid"));
        ctl_table_add_color(&t, state_color, state);
        ctl_table_add_seconds(&t, s, "since_s");
        ctl_table_add(&t, "%s", ctl_get_text(s, "peer"));
        ctl_table_add(&t, "%d", cJSON_GetArraySize(get(s, "ports")));
        ctl_table_add_number(&t, s, "flows");
        ctl_table_add_number(&t, s, "groups");
        ctl_table_add(&t, "%.0f",
                      ctl_get_number(s, "foreign_flows")
                          + ctl_get_number(s, "foreign_groups"));
        ctl_table_add_number(&t, s, "pending");
        ctl_table_add_number(&t, s, "rejected");
        add_datapath(&t, s);
        ctl_table_add(&t, "%s",
                      ctl_get_text(get(s, "description"), "software"));
    }
    ctl_table_print(&t, out, color, "no switches");
}

static void
print_counters(FILE *out, const struct cJSON *s)
{
    const struct cJSON *c;

    cJSON_ArrayForEach (c, get(s, "counters")) {
        if (cJSON_IsString(c)) {
            fprintf(out, "%-14s %" PRIu64 "\n", c->string,
                    (uint64_t) strtoull(c->valuestring, NULL, 0));
        }
    }
}

/* "port-groups 7, rate 12": what guards refused at a port. */
static char *
refused_text(const struct cJSON *port)
{
    char *text = xstrdup("");
    const struct cJSON *item;

    cJSON_ArrayForEach (item, get(port, "refused")) {
        ctl_append(&text, ", ", "%s %" PRIu64, item->string,
                   ctl_get_u64(get(port, "refused"), item->string));
    }
    return text;
}

void
ctl_show_switch(FILE *out, bool color, const struct cJSON *s)
{
    static const char *const columns[] = {"<PORT", "NAME",    "STATE", "KIND",
                                          "MAC",   "REFUSED", NULL};
    struct cJSON *list = cJSON_CreateArray();
    struct ctl_table t;
    const struct cJSON *p;

    cJSON_AddItemReferenceToArray(list, (struct cJSON *) s);
    print_switches(out, color, list);
    cJSON_Delete(list);
    fputc('\n', out);
    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (p, get(s, "ports")) {
        bool up = !strcmp(ctl_get_text(p, "state"), "up");
        ctl_table_add_number(&t, p, "port");
        ctl_table_add(&t, "%s", ctl_get_text(p, "name"));
        ctl_table_add_color(&t, up ? CTL_GREEN : CTL_RED,
                            ctl_get_text(p, "state"));
        ctl_table_add(&t, "%s", ctl_get_text(p, "kind"));
        ctl_table_add(&t, "%s", ctl_get_text(p, "mac"));
        char *refused = refused_text(p);
        ctl_table_add_color(&t, CTL_YELLOW, refused);
        free(refused);
    }
    ctl_table_print(&t, out, color, "no ports");
    fputc('\n', out);
    print_counters(out, s);
}

/* Streams. */

static void
print_streams(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "<VLAN",    "SOURCE",     "GROUP", "SWITCH", "PORT", "<RATE",
        "<BITRATE", "<RECEIVERS", "ROUTE", "<AGE",   NULL};
    char buf[CTL_UNIT_SIZE];
    struct ctl_table t;
    const struct cJSON *s;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (s, items) {
        ctl_table_add_vlan(&t, s);
        ctl_table_add(&t, "%s", ctl_get_text(s, "source"));
        ctl_table_add(&t, "%s", ctl_get_text(s, "group"));
        ctl_table_add(&t, "%s", ctl_get_text(s, "dpid"));
        ctl_table_add(&t, "%s", ctl_get_text(s, "port_name"));
        ctl_table_add(
            &t, "%s",
            ctl_format_rate(ctl_get_number(s, "packets_per_s"), "pps", buf));
        ctl_table_add(
            &t, "%s",
            ctl_format_rate(ctl_get_number(s, "bits_per_s"), "bit/s", buf));
        ctl_table_add_number(&t, s, "receivers");
        ctl_table_add(&t, "%s", ctl_get_text(s, "route"));
        ctl_table_add_seconds(&t, s, "age_s");
    }
    ctl_table_print(&t, out, color, "no streams");
}

/* Routes, flows and members. */

const char *
ctl_show_state(const struct cJSON *rule)
{
    const char *worst = "";
    const struct cJSON *s;

    cJSON_ArrayForEach (s, get(rule, "status")) {
        const char *state = ctl_get_text(s, "state");
        if (!strcmp(state, "rejected") || !*worst
            || (!strcmp(state, "pending") && !strcmp(worst, "applied"))) {
            worst = state;
        }
    }
    return worst;
}

enum ctl_color
ctl_state_color(const char *state)
{
    return !strcmp(state, "applied")    ? CTL_GREEN
           : !strcmp(state, "rejected") ? CTL_RED
                                        : CTL_YELLOW;
}

uint64_t
ctl_sum_packets(const struct cJSON *rule)
{
    const struct cJSON *s;
    uint64_t sum = 0;

    cJSON_ArrayForEach (s, get(rule, "status")) {
        sum += ctl_get_u64(s, "packets");
    }
    return sum;
}

char *
ctl_show_match(const struct cJSON *route)
{
    const struct cJSON *m = get(route, "match");
    char *text = NULL;

    ctl_append(&text, "", "%s > %s",
               *ctl_get_text(m, "source") ? ctl_get_text(m, "source") : "*",
               ctl_get_text(m, "group"));
    if (*ctl_get_text(m, "proto")) {
        ctl_append(&text, " ", "%s", ctl_get_text(m, "proto"));
    }
    if (cJSON_IsNumber(get(m, "proto"))) {
        ctl_append(&text, " ", "proto %.0f", ctl_get_number(m, "proto"));
    }
    if (get(m, "udp_dst")) {
        ctl_append(&text, " ", "port %.0f", ctl_get_number(m, "udp_dst"));
    }
    if (get(m, "vlan")) {
        ctl_append(&text, " ", "vlan %.0f", ctl_get_number(m, "vlan"));
    }
    if (*ctl_get_text(m, "dpid")) {
        ctl_append(&text, " ", "at %s%s%s", ctl_get_text(m, "dpid"),
                   *ctl_get_text(m, "port") ? ":" : "",
                   ctl_get_text(m, "port"));
    }
    return text;
}

char *
ctl_show_set(const struct cJSON *set)
{
    char *text = xstrdup("");
    const struct cJSON *item;

    cJSON_ArrayForEach (item, set) {
        if (cJSON_IsNumber(item)) {
            ctl_append(&text, " ", "%s=%.0f", item->string, item->valuedouble);
        } else if (cJSON_IsString(item)) {
            ctl_append(&text, " ", "%s=%s", item->string, item->valuestring);
        } else if (cJSON_IsTrue(item)) {
            ctl_append(&text, " ", "%s=true", item->string);
        }
    }
    return text;
}

/* Where a target is, in a word or two. */
static char *
target_text(const struct cJSON *item)
{
    char *text = NULL;

    if (ctl_get_bool(item, "members")) {
        return xstrdup("members");
    }
    if (*ctl_get_text(item, "dpid")) {
        ctl_append(&text, "", "%s:", ctl_get_text(item, "dpid"));
    }
    if (get(item, "vlan")) {
        ctl_append(&text, "", "vlan %.0f", ctl_get_number(item, "vlan"));
    } else {
        ctl_append(&text, "", "%s", ctl_get_text(item, "port"));
    }
    if (*ctl_get_text(item, "when")) {
        ctl_append(&text, " ", "if %s", ctl_get_text(item, "when"));
    }
    return text;
}

char *
ctl_show_targets(const struct cJSON *route)
{
    const struct cJSON *to = get(route, "to");
    char *text = NULL;
    const struct cJSON *item;

    if (!to) {
        return xstrdup("members");
    }
    if (!cJSON_GetArraySize(to)) {
        return xstrdup("nobody");
    }
    cJSON_ArrayForEach (item, to) {
        char *set = ctl_show_set(get(item, "set"));
        const char *open = *set ? " (" : "";
        const char *close = *set ? ")" : "";
        char *target = target_text(item);
        ctl_append(&text, ", ", "%s%s%s%s", target, open, set, close);
        free(target);
        free(set);
    }
    return text;
}

static void
print_flows(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "NAME", "SWITCH", "STATE", "<PACKETS", "KIND", "TEXT", NULL};
    struct ctl_table t;
    const struct cJSON *f;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (f, items) {
        bool is_group = get(f, "group");
        ctl_table_add(&t, "%s", ctl_get_text(f, "name"));
        ctl_table_add(&t, "%s", ctl_get_text(f, "dpid"));
        ctl_table_add_color(&t, ctl_state_color(ctl_show_state(f)),
                            ctl_show_state(f));
        ctl_table_add(&t, "%" PRIu64, ctl_sum_packets(f));
        ctl_table_add(&t, "%s", is_group ? "group" : "flow");
        ctl_table_add(&t, "%s", ctl_get_text(f, is_group ? "group" : "flow"));
    }
    ctl_table_print(&t, out, color, "no flows");
}

void
ctl_show_field(FILE *out, const char *name, char *text)
{
    fprintf(out, "%-6s %s\n", name, *text ? ctl_clean(text) : "-");
    free(text);
}

void
ctl_show_rule(FILE *out, bool color, const struct cJSON *r)
{
    static const char *const columns[] = {"SWITCH", "STATE", "<PACKETS",
                                          "<BYTES", "ERROR", NULL};
    struct ctl_table t;
    const struct cJSON *s;

    ctl_show_field(out, "name", xstrdup(ctl_get_text(r, "name")));
    if (get(r, "match")) {
        ctl_show_field(out, "match", ctl_show_match(r));
        ctl_show_field(out, "set", ctl_show_set(get(r, "set")));
        ctl_show_field(out, "to", ctl_show_targets(r));
    } else if (get(r, "port")) {
        ctl_show_member(out, r);
    } else {
        bool is_group = get(r, "group");
        const char *kind = is_group ? "group" : "flow";
        ctl_show_field(out, "switch", xstrdup(ctl_get_text(r, "dpid")));
        ctl_show_field(out, kind, xstrdup(ctl_get_text(r, kind)));
    }
    fputc('\n', out);
    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (s, get(r, "status")) {
        ctl_table_add(&t, "%s", ctl_get_text(s, "dpid"));
        ctl_table_add_color(&t, ctl_state_color(ctl_get_text(s, "state")),
                            ctl_get_text(s, "state"));
        ctl_table_add(&t, "%" PRIu64, ctl_get_u64(s, "packets"));
        ctl_table_add(&t, "%" PRIu64, ctl_get_u64(s, "bytes"));
        ctl_table_add(&t, "%s", ctl_get_text(s, "error"));
    }
    ctl_table_print(&t, out, color, "on no switch yet");
    ctl_show_copies(out, color, get(r, "status"));
}

char *
ctl_show_route(const struct cJSON *route)
{
    char *match = ctl_show_match(route);
    char *set = ctl_show_set(get(route, "set"));
    char *to = ctl_show_targets(route);
    char *text =
        xasprintf("%s%s%s, to %s", match, *set ? ", set " : "", set, to);

    free(match);
    free(set);
    free(to);
    return text;
}

const struct ctl_resource CTL_RESOURCES[] = {
    {"switches", NULL, print_switches},
    {"ports", "switches", ctl_print_ports},
    {"groups", NULL, ctl_print_groups},
    {"streams", NULL, print_streams},
    {"queriers", NULL, ctl_print_queriers},
    {"hosts", NULL, ctl_print_hosts},
    {"members", NULL, ctl_print_members},
    {"routes", NULL, ctl_print_routes},
    {"flows", NULL, print_flows},
    {"topology", NULL, NULL},
    {"tree", NULL, NULL},
    {NULL, NULL, NULL},
};
