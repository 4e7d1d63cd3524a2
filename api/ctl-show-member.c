/* SPDX-License-Identifier: Apache-2.0 */
/* Membership as tables: groups, hosts, queriers, static members. */
#include <config.h>

#include "api/ctl-show.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-table.h"
#include "lib/xalloc.h"

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static char *
join_texts(const struct cJSON *array)
{
    char *text = xstrdup("");
    const struct cJSON *item;

    cJSON_ArrayForEach (item, array) {
        const char *s = cJSON_GetStringValue(item);
        ctl_append(&text, ",", "%s", s ? s : "?");
    }
    return text;
}

/* Adds the cell and frees it. */
static void
add_free(struct ctl_table *t, char *text)
{
    ctl_table_add(t, "%s", text);
    free(text);
}

static void
add_version(struct ctl_table *t, const struct cJSON *o, const char *name)
{
    if (ctl_get_number(o, name) > 0) {
        ctl_table_add(t, "v%.0f", ctl_get_number(o, name));
    } else {
        ctl_table_add(t, "-");
    }
}

/* A port's name, or its number where it has none; of a tunnel's end
 * "vx0>10.255.0.2#100", the last the VNI. */
static void
add_port(struct ctl_table *t, const struct cJSON *o)
{
    const char *name = ctl_get_text(o, "port_name");
    const char *vtep = ctl_get_text(o, "vtep");

    if (get(o, "vtep") && get(o, "vni")) {
        ctl_table_add(t, "%s>%s#%.0f", name, vtep, ctl_get_number(o, "vni"));
    } else if (get(o, "vtep")) {
        ctl_table_add(t, "%s>%s", name, vtep);
    } else if (*name) {
        ctl_table_add(t, "%s", name);
    } else if (get(o, "port")) {
        ctl_table_add_number(t, o, "port");
    } else {
        ctl_table_add(t, "-");
    }
}

/* Groups: a line for each member. */

/* "10.1.0.2 only 10.1.0.9": an address, else the MAC; and its own filter where
 * it is not simply everything. */
static char *
host_text(const struct cJSON *h)
{
    const char *ip = ctl_get_text(h, "ip");
    const struct cJSON *sources = get(h, "sources");
    char *text = xstrdup(*ip && strcmp(ip, "*") ? ip : ctl_get_text(h, "mac"));

    if (cJSON_GetArraySize(sources)) {
        char *list = join_texts(sources);
        ctl_append(&text, " ", "%s %s",
                   strcmp(ctl_get_text(h, "mode"), "include") ? "not" : "only",
                   list);
        free(list);
    }
    return text;
}

static char *
hosts_text(const struct cJSON *m)
{
    char *text = xstrdup("");
    const struct cJSON *h;

    cJSON_ArrayForEach (h, get(m, "hosts")) {
        char *host = host_text(h);
        ctl_append(&text, ", ", "%s", host);
        free(host);
    }
    return text;
}

/* "igmp", "static(recorder)", "igmp+static(recorder)". */
static char *
origin_text(const struct cJSON *m)
{
    const char *origin = ctl_get_text(m, "origin");
    char *names = join_texts(get(m, "static"));
    bool only = !strcmp(origin, "static");
    char *text = *names ? xasprintf("%s%sstatic(%s)", only ? "" : origin,
                                    only ? "" : "+", names)
                        : xstrdup(origin);

    free(names);
    return text;
}

static void
add_member(struct ctl_table *t, const struct cJSON *g, const struct cJSON *m)
{
    ctl_table_add_vlan(t, g);
    ctl_table_add(t, "%s", ctl_get_text(g, "group"));
    ctl_table_add(t, "%s", ctl_get_text(m, "dpid"));
    add_port(t, m);
    ctl_table_add(t, "%s", ctl_get_text(m, "mode"));
    add_free(t, join_texts(get(m, "sources")));
    add_version(t, m, "version");
    add_free(t, origin_text(m));
    ctl_table_add(t, "%s", ctl_get_text(m, "delivery"));
    ctl_table_add_seconds(t, m, "expires_s");
    add_free(t, hosts_text(m));
}

void
ctl_print_groups(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "<VLAN",   "GROUP",  "SWITCH",   "PORT",     "MODE",  "SOURCES",
        "VERSION", "ORIGIN", "DELIVERY", "<EXPIRES", "HOSTS", NULL};
    struct ctl_table t;
    const struct cJSON *g, *m;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (g, items) {
        cJSON_ArrayForEach (m, get(g, "members")) {
            add_member(&t, g, m);
        }
        if (!cJSON_GetArraySize(get(g, "members"))) {
            add_member(&t, g, NULL);
        }
    }
    ctl_table_print(&t, out, color, "no groups");
}

/* Hosts. */

void
ctl_print_hosts(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "<VLAN", "MAC",     "ADDRESSES",  "SWITCH", "PORT", "IGMP",
        "MLD",   "<GROUPS", "<LAST SEEN", "NOTE",   NULL};
    struct ctl_table t;
    const struct cJSON *h;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (h, items) {
        ctl_table_add_vlan(&t, h);
        ctl_table_add(&t, "%s", ctl_get_text(h, "mac"));
        add_free(&t, join_texts(get(h, "ips")));
        ctl_table_add(&t, "%s", ctl_get_text(h, "dpid"));
        add_port(&t, h);
        add_version(&t, h, "igmp_version");
        add_version(&t, h, "mld_version");
        ctl_table_add_number(&t, h, "groups");
        ctl_table_add_seconds(&t, h, "last_seen_s");
        ctl_table_add_color(&t, CTL_YELLOW,
                            ctl_get_bool(h, "duplicate") ? "on several ports"
                                                         : "");
    }
    ctl_table_print(&t, out, color, "no hosts");
}

/* Queriers. */

/* "query 4m10s", "static(uplink)", "static(core)+pim 1m40s". */
static char *
signs_text(const struct cJSON *r)
{
    const struct cJSON *expires = get(r, "expires_s");
    const char *sign = ctl_get_text(r, "sign");
    char *names = join_texts(get(r, "static"));
    char *text = !ctl_get_bool(r, "fixed") ? xstrdup("")
                 : *names                  ? xasprintf("static(%s)", names)
                                           : xstrdup("static");
    char buf[CTL_UNIT_SIZE];

    if (strcmp(sign, "static")) {
        bool runs_out = cJSON_IsNumber(expires);
        ctl_append(&text, "+", "%s%s%s", sign, runs_out ? " " : "",
                   runs_out ? ctl_format_seconds(expires, buf) : "");
    }
    free(names);
    return text;
}

/* "s1-eth3 query 4m10s, s1-eth4 static(uplink)" */
static char *
routers_text(const struct cJSON *q)
{
    char *text = xstrdup("");
    const struct cJSON *r;

    cJSON_ArrayForEach (r, get(q, "routers")) {
        char *signs = signs_text(r);
        if (*ctl_get_text(r, "port_name")) {
            ctl_append(&text, ", ", "%s %s", ctl_get_text(r, "port_name"),
                       signs);
        } else {
            ctl_append(&text, ", ", "%s:%.0f %s", ctl_get_text(r, "dpid"),
                       ctl_get_number(r, "port"), signs);
        }
        free(signs);
    }
    return text;
}

static void
add_querier(struct ctl_table *t, const struct cJSON *q)
{
    const char *who = !ctl_get_bool(q, "enabled") ? "off"
                      : ctl_get_bool(q, "ours")   ? "ours"
                                                  : "other";

    ctl_table_add_vlan(t, q);
    ctl_table_add(t, "%s", ctl_get_number(q, "family") == 6 ? "MLD" : "IGMP");
    ctl_table_add(t, "%s", who);
    ctl_table_add(t, "%s", ctl_get_text(q, "address"));
    if (ctl_get_bool(q, "falls_back")) {
        char *text =
            xasprintf("v%.0f (hosts fall back)", ctl_get_number(q, "version"));
        ctl_table_add_color(t, CTL_YELLOW, text);
        free(text);
    } else {
        add_version(t, q, "version");
    }
    ctl_table_add_seconds(t, q, "since_s");
    ctl_table_add_seconds(t, q, "query_interval_s");
    ctl_table_add_seconds(t, q, "next_query_s");
    ctl_table_add_seconds(t, q, "expires_s");
    ctl_table_add(t, "%s", ctl_get_text(q, "dpid"));
    add_port(t, q);
    add_free(t, routers_text(q));
}

void
ctl_print_queriers(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "<VLAN",  "PROTOCOL",     "QUERIER",     "ADDRESS",  "VERSION",
        "<SINCE", "<EVERY",       "<NEXT QUERY", "<EXPIRES", "SWITCH",
        "PORT",   "ROUTER PORTS", NULL};
    struct ctl_table t;
    const struct cJSON *q;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (q, items) {
        add_querier(&t, q);
    }
    ctl_table_print(&t, out, color, "no queriers");
}

/* Static members. */

/* "239.1.1.1 only 10.1.0.5", "every group (router port)" */
static char *
gets_text(const struct cJSON *m)
{
    char *text;

    if (ctl_get_bool(m, "router")) {
        return xstrdup("every group (router port)");
    }
    text = xstrdup(ctl_get_text(m, "group"));
    if (cJSON_GetArraySize(get(m, "sources"))) {
        char *list = join_texts(get(m, "sources"));
        ctl_append(&text, " ", "%s %s",
                   strcmp(ctl_get_text(m, "mode"), "exclude") ? "only" : "not",
                   list);
        free(list);
    }
    return text;
}

void
ctl_print_members(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {"NAME",     "STATE",  "ORIGIN",
                                          "<VLAN",    "SWITCH", "PORT",
                                          "<PACKETS", "GETS",   NULL};
    struct ctl_table t;
    const struct cJSON *m;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (m, items) {
        const char *state = ctl_show_state(m);
        ctl_table_add(&t, "%s", ctl_get_text(m, "name"));
        ctl_table_add_color(&t, ctl_state_color(state), state);
        ctl_table_add(&t, "%s", ctl_get_text(m, "origin"));
        ctl_table_add_vlan(&t, m);
        ctl_table_add(&t, "%s", ctl_get_text(m, "dpid"));
        ctl_table_add(&t, "%s", ctl_get_text(m, "port"));
        ctl_table_add(&t, "%" PRIu64, ctl_sum_packets(m));
        add_free(&t, gets_text(m));
    }
    ctl_table_print(&t, out, color, "no members");
}

void
ctl_show_member(FILE *out, const struct cJSON *m)
{
    double vlan = ctl_get_number(m, "vlan");

    ctl_show_field(out, "switch", xstrdup(ctl_get_text(m, "dpid")));
    ctl_show_field(out, "port", xstrdup(ctl_get_text(m, "port")));
    ctl_show_field(out, "vlan",
                   vlan > 0 ? xasprintf("%.0f", vlan) : xstrdup("-"));
    ctl_show_field(out, "gets", gets_text(m));
    ctl_show_field(out, "origin", xstrdup(ctl_get_text(m, "origin")));
}
