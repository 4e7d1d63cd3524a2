/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and learned channels as the kernel shows its own: the text of
 * "ip mroute show" (iproute2, ip/ipmroute.c) and the columns of
 * /proc/net/ip_mr_cache (linux, net/ipv4/ipmr.c). */
#include <config.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-command.h"
#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

/* One line. */
struct mroute {
    const char *source, *group, *iif;
    char *oifs; /* "eth1 eth2 ", NULL: none. */
    uint64_t packets, bytes, wrong;
    bool resolved;
};

struct printer {
    const char *format;
    FILE *out;
    struct ctl_table table; /* Of "mr_cache". */
};

static const struct cJSON *
get(const struct cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Any source is all zero, as it is in the kernel. */
static const char *
source_or_any(const char *source, const char *group)
{
    return *source ? source : strchr(group, ':') ? "::" : "0.0.0.0";
}

static void
print_iproute(struct printer *p, const struct mroute *m)
{
    char *pair = xasprintf("(%s,%s)", m->source, m->group);

    fprintf(p->out, "%-32s Iif: %-10s Oifs: %s State: %s\n", ctl_clean(pair),
            m->iif, m->oifs ? ctl_clean(m->oifs) : "",
            m->resolved ? "resolved" : "unresolved");
    if (!strcmp(p->format, "iproute-stats")) {
        fprintf(p->out, "  %" PRIu64 " packets, %" PRIu64 " bytes", m->packets,
                m->bytes);
        if (m->wrong) {
            fprintf(p->out, ", %" PRIu64 " arrived on wrong iif.", m->wrong);
        }
        fputc('\n', p->out);
    }
    free(pair);
}

static void
print_cache(struct printer *p, const struct mroute *m)
{
    ctl_table_add(&p->table, "%s", m->group);
    ctl_table_add(&p->table, "%s", m->source);
    ctl_table_add(&p->table, "%s", m->iif);
    ctl_table_add(&p->table, "%" PRIu64, m->packets);
    ctl_table_add(&p->table, "%" PRIu64, m->bytes);
    ctl_table_add(&p->table, "%" PRIu64, m->wrong);
    ctl_table_add(&p->table, "%s", m->oifs ? m->oifs : "");
}

/* Frees 'oifs'. */
static void
print(struct printer *p, struct mroute *m)
{
    if (!strcmp(p->format, "mr_cache")) {
        print_cache(p, m);
    } else {
        print_iproute(p, m);
    }
    free(m->oifs);
}

/* Once, however many copies go there. */
static void
add_oif(struct mroute *m, const char *name)
{
    char *word = xasprintf("%s ", name);
    const char *found = m->oifs ? strstr(m->oifs, word) : NULL;

    if (!found || (found != m->oifs && found[-1] != ' ')) {
        ctl_append(&m->oifs, "", "%s", word);
    }
    free(word);
}

static void
print_route(struct printer *p, const struct cJSON *route,
            const struct cJSON *status)
{
    const struct cJSON *match = get(route, "match"), *output;
    const char *group = ctl_get_text(match, "group");
    const char *port = ctl_get_text(match, "port");
    struct mroute m = {
        .source = source_or_any(ctl_get_text(match, "source"), group),
        .group = group,
        .iif = *port ? port : "any",
        .packets = ctl_get_u64(status, "packets"),
        .bytes = ctl_get_u64(status, "bytes"),
        .wrong = ctl_get_u64(status, "wrong_port_packets"),
        .resolved = !strcmp(ctl_get_text(status, "state"), "applied")};

    cJSON_ArrayForEach (output, get(status, "outputs")) {
        add_oif(&m, ctl_get_text(output, "port_name"));
    }
    print(p, &m);
}

static bool
lists(const struct cJSON *sources, const char *source)
{
    const struct cJSON *item;

    cJSON_ArrayForEach (item, sources) {
        if (cJSON_IsString(item) && !strcmp(item->valuestring, source)) {
            return true;
        }
    }
    return false;
}

/* Members on the switch, but for where the stream comes in, that want the
 * source (NULL: whatever they want). */
static void
add_members(struct mroute *m, const struct cJSON *group, const char *dpid,
            const char *source)
{
    const struct cJSON *member;

    cJSON_ArrayForEach (member, get(group, "members")) {
        bool exclude = !strcmp(ctl_get_text(member, "mode"), "exclude");
        const char *name = ctl_get_text(member, "port_name");
        if ((!dpid || !strcmp(ctl_get_text(member, "dpid"), dpid))
            && strcmp(name, m->iif)
            && (!source || lists(get(member, "sources"), source) != exclude)) {
            add_oif(m, name);
        }
    }
}

static const struct cJSON *
find_group(const struct cJSON *groups, const struct cJSON *stream)
{
    const struct cJSON *g;

    cJSON_ArrayForEach (g, groups) {
        if (ctl_get_number(g, "vlan") == ctl_get_number(stream, "vlan")
            && !strcmp(ctl_get_text(g, "group"),
                       ctl_get_text(stream, "group"))) {
            return g;
        }
    }
    return NULL;
}

/* A stream that meets a route is that route's line. */
static void
print_stream(struct printer *p, const struct cJSON *stream,
             const struct cJSON *groups)
{
    struct mroute m = {.source = ctl_get_text(stream, "source"),
                       .group = ctl_get_text(stream, "group"),
                       .iif = ctl_get_text(stream, "port_name"),
                       .packets = ctl_get_u64(stream, "packets"),
                       .bytes = ctl_get_u64(stream, "bytes"),
                       .resolved = true};

    if (!*ctl_get_text(stream, "route")) {
        add_members(&m, find_group(groups, stream),
                    ctl_get_text(stream, "dpid"), m.source);
        print(p, &m);
    }
}

/* Whatever comes for it, from wherever. */
static void
print_group(struct printer *p, const struct cJSON *group)
{
    const char *address = ctl_get_text(group, "group");
    const struct cJSON *s;
    struct mroute m = {.source = source_or_any("", address),
                       .group = address,
                       .iif = "any",
                       .resolved = true};

    cJSON_ArrayForEach (s, get(group, "switches")) {
        m.packets += ctl_get_u64(s, "packets");
        m.bytes += ctl_get_u64(s, "bytes");
    }
    add_members(&m, group, NULL, NULL);
    print(p, &m);
}

static void
print_all(struct printer *p, const struct cJSON *routes,
          const struct cJSON *streams, const struct cJSON *groups)
{
    const struct cJSON *item, *status;

    cJSON_ArrayForEach (item, routes) {
        cJSON_ArrayForEach (status, get(item, "status")) {
            print_route(p, item, status);
        }
    }
    cJSON_ArrayForEach (item, streams) {
        print_stream(p, item, groups);
    }
    cJSON_ArrayForEach (item, groups) {
        print_group(p, item);
    }
}

bool
ctl_is_mroute_format(const char *format)
{
    return !strcmp(format, "iproute") || !strcmp(format, "iproute-stats")
           || !strcmp(format, "mr_cache");
}

int
ctl_show_mroutes(const struct ctl_options *o, FILE *out)
{
    static const char *const columns[] = {"Group",  "Origin", "Iif",  "<Pkts",
                                          "<Bytes", "<Wrong", "Oifs", NULL};
    static const char *const names[] = {"routes", "streams", "groups"};
    struct printer p = {.format = o->format, .out = out};
    struct cJSON *lists[3] = {NULL, NULL, NULL};
    int code = CTL_OK;

    for (int i = 0; i < 3 && code == CTL_OK; i++) {
        lists[i] = ctl_fetch_list(o, names[i], &code);
    }
    ctl_table_init(&p.table, columns);
    if (code == CTL_OK) {
        print_all(&p, get(lists[0], names[0]), get(lists[1], names[1]),
                  get(lists[2], names[2]));
    }
    if (!strcmp(o->format, "mr_cache") && code == CTL_OK) {
        ctl_table_print(&p.table, out, o->color, "");
    }
    for (int i = 0; i < 3; i++) {
        cJSON_Delete(lists[i]);
    }
    return code;
}
