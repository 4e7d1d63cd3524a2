/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as tables. */
#include <config.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-show.h"
#include "lib/xalloc.h"

static const struct cJSON *
get(const struct cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static uint64_t
sum(const struct cJSON *route, const char *name)
{
    const struct cJSON *s;
    uint64_t total = 0;

    cJSON_ArrayForEach (s, get(route, "status")) {
        total += ctl_get_u64(s, name);
    }
    return total;
}

static double
sum_rates(const struct cJSON *route, const char *name)
{
    const struct cJSON *s;
    double total = 0;

    cJSON_ArrayForEach (s, get(route, "status")) {
        total += ctl_get_number(s, name);
    }
    return total;
}

/* The same on every switch; 0 where it is on none. */
static double
priority_of(const struct cJSON *route)
{
    return ctl_get_number(cJSON_GetArrayItem(get(route, "status"), 0),
                          "priority");
}

/* The one that wins comes first. */
static int
compare_routes(const void *a_, const void *b_)
{
    const struct cJSON *a = *(const struct cJSON *const *) a_;
    const struct cJSON *b = *(const struct cJSON *const *) b_;
    double x = priority_of(a), y = priority_of(b);

    return x != y ? (x > y ? -1 : 1)
                  : strcmp(ctl_get_text(a, "name"), ctl_get_text(b, "name"));
}

static void
add_route(struct ctl_table *t, const struct cJSON *r)
{
    char *match = ctl_show_match(r), *set = ctl_show_set(get(r, "set"));
    char *to = ctl_show_targets(r);
    char rate[CTL_UNIT_SIZE];

    ctl_table_add(t, "%s", ctl_get_text(r, "name"));
    ctl_table_add(t, "%.0f", priority_of(r));
    ctl_table_add_color(t, ctl_state_color(ctl_show_state(r)),
                        ctl_show_state(r));
    ctl_table_add(t, "%" PRIu64, sum(r, "packets"));
    ctl_table_add(t, "%" PRIu64, sum(r, "bytes"));
    ctl_table_add(t, "%s",
                  ctl_format_rate(sum_rates(r, "bits_per_s"), "bit/s", rate));
    ctl_table_add(t, "%" PRIu64, sum(r, "wrong_port_packets"));
    ctl_table_add(t, "%s", match);
    ctl_table_add(t, "%s", set);
    ctl_table_add(t, "%s", to);
    free(match);
    free(set);
    free(to);
}

void
ctl_print_routes(FILE *out, bool color, const struct cJSON *items)
{
    static const char *const columns[] = {
        "NAME",   "<PRIO", "STATE", "<PACKETS", "<BYTES", "<RATE",
        "<WRONG", "MATCH", "SET",   "TO",       NULL};
    size_t n = (size_t) cJSON_GetArraySize(items), i = 0;
    const struct cJSON **sorted = xcalloc(n + 1, sizeof *sorted);
    const struct cJSON *r;
    struct ctl_table t;

    cJSON_ArrayForEach (r, items) {
        sorted[i++] = r;
    }
    qsort(sorted, n, sizeof *sorted, compare_routes);
    ctl_table_init(&t, columns);
    for (i = 0; i < n; i++) {
        add_route(&t, sorted[i]);
    }
    ctl_table_print(&t, out, color, "no routes");
    free(sorted);
}

/* Copies, and sources that a route gives to ports. */

static char *
origins_text(const struct cJSON *output)
{
    char *text = NULL;
    const struct cJSON *item;

    cJSON_ArrayForEach (item, get(output, "origins")) {
        if (cJSON_IsString(item)) {
            ctl_append(&text, ", ", "%s", item->valuestring);
        }
    }
    return text ? text : xstrdup("");
}

static size_t
add_outputs(struct ctl_table *t, const struct cJSON *status)
{
    const struct cJSON *p;
    size_t n = 0;

    cJSON_ArrayForEach (p, get(status, "outputs")) {
        char *port = ctl_port_text(p), *origins = origins_text(p);
        ctl_table_add(t, "%s", ctl_get_text(status, "dpid"));
        ctl_table_add(t, "%s", port);
        ctl_table_add(t, "%s", origins);
        if (cJSON_IsNull(get(p, "packets"))) {
            ctl_table_add(t, "?");
        } else {
            ctl_table_add(t, "%" PRIu64, ctl_get_u64(p, "packets"));
        }
        ctl_table_add(t, "%s", ctl_get_text(p, "rewrite"));
        free(port);
        free(origins);
        n++;
    }
    return n;
}

static size_t
add_pool(struct ctl_table *t, const struct cJSON *status)
{
    const struct cJSON *p;
    size_t n = 0;

    cJSON_ArrayForEach (p, get(status, "pool")) {
        ctl_table_add(t, "%s", ctl_get_text(status, "dpid"));
        ctl_table_add(t, "%s", ctl_get_text(p, "port"));
        ctl_table_add(t, "%s", ctl_get_text(p, "source"));
        n++;
    }
    return n;
}

static void
show_some(FILE *out, bool color, const struct cJSON *statuses,
          const char *const *columns,
          size_t add(struct ctl_table *, const struct cJSON *))
{
    const struct cJSON *s;
    struct ctl_table t;
    size_t n = 0;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (s, statuses) {
        n += add(&t, s);
    }
    if (n) {
        fputc('\n', out);
        ctl_table_print(&t, out, color, "");
    }
}

/* Of a route: what the states do not tell. */
static void
show_counts(FILE *out, bool color, const struct cJSON *statuses)
{
    static const char *const columns[] = {
        "SWITCH", "<PRIO", "<PACKETS/S", "<RATE", "<WRONG PORT", NULL};
    const struct cJSON *s;
    struct ctl_table t;

    ctl_table_init(&t, columns);
    cJSON_ArrayForEach (s, statuses) {
        char rate[CTL_UNIT_SIZE];
        ctl_table_add(&t, "%s", ctl_get_text(s, "dpid"));
        ctl_table_add(&t, "%.0f", ctl_get_number(s, "priority"));
        ctl_table_add(&t, "%.1f", ctl_get_number(s, "packets_per_s"));
        ctl_table_add(
            &t, "%s",
            ctl_format_rate(ctl_get_number(s, "bits_per_s"), "bit/s", rate));
        ctl_table_add(&t, "%" PRIu64, ctl_get_u64(s, "wrong_port_packets"));
    }
    fputc('\n', out);
    ctl_table_print(&t, out, color, "");
}

void
ctl_show_copies(FILE *out, bool color, const struct cJSON *statuses)
{
    static const char *const outputs[] = {"SWITCH",   "PORT",    "ORIGIN",
                                          "<PACKETS", "REWRITE", NULL};
    static const char *const pool[] = {"SWITCH", "PORT", "SOURCE", NULL};

    if (get(cJSON_GetArrayItem(statuses, 0), "outputs")) {
        show_counts(out, color, statuses);
    }
    show_some(out, color, statuses, outputs, add_outputs);
    show_some(out, color, statuses, pool, add_pool);
}
