/* SPDX-License-Identifier: Apache-2.0 */
/* The fabric, drawn: its switches by their distance from the roots, each with
 * its links; as a table where there are very many. */
#include <config.h>

#include "api/ctl-show.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-table.h"
#include "lib/xalloc.h"

enum { MAX_DRAWN = 24, WIDTH = 79, INDENT = 6, NO_TIER = 1 << 20 };

/* A link as seen from one of its ends. */
struct view {
    const struct cJSON *near, *far, *link;
    struct node *peer; /* NULL: a switch that is not listed. */
};

struct node {
    const struct cJSON *json;
    const char *dpid;
    int tier; /* Links to the nearest root. */
    bool is_root;
    double n_channels; /* With their root here. */
    struct view *views;
    size_t n_views, allocated;
};

struct drawing {
    FILE *out;
    bool color;
    struct node *nodes; /* By dpid; when drawn, by tier and dpid. */
    size_t n;
};

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static int
compare_dpids(const void *a, const void *b)
{
    return strcmp(((const struct node *) a)->dpid,
                  ((const struct node *) b)->dpid);
}

static struct node *
find(const struct drawing *d, const char *dpid)
{
    struct node key = {.dpid = dpid};

    return d->n ? bsearch(&key, d->nodes, d->n, sizeof key, compare_dpids)
                : NULL;
}

/* Reading the answer. */

static void
read_switches(struct drawing *d, const struct cJSON *topology)
{
    const struct cJSON *switches = get(topology, "switches");
    const struct cJSON *s;

    d->nodes =
        xcalloc((size_t) cJSON_GetArraySize(switches) + 1, sizeof *d->nodes);
    cJSON_ArrayForEach (s, switches) {
        d->nodes[d->n++] = (struct node){
            .json = s, .dpid = ctl_get_text(s, "dpid"), .tier = NO_TIER};
    }
    if (d->n) {
        qsort(d->nodes, d->n, sizeof *d->nodes, compare_dpids);
    }
}

static void
add_view(struct drawing *d, const struct cJSON *link, const char *near,
         const char *far)
{
    struct view v = {get(link, near), get(link, far), link, NULL};
    struct node *node = find(d, ctl_get_text(v.near, "dpid"));

    v.peer = find(d, ctl_get_text(v.far, "dpid"));
    if (node) {
        node->views = xgrow(node->views, node->n_views, &node->allocated,
                            sizeof *node->views);
        node->views[node->n_views++] = v;
    }
}

static int
compare_views(const void *a_, const void *b_)
{
    double a = ctl_get_number(((const struct view *) a_)->near, "port");
    double b = ctl_get_number(((const struct view *) b_)->near, "port");

    return (a > b) - (a < b);
}

static void
read_links(struct drawing *d, const struct cJSON *topology)
{
    const struct cJSON *item;

    cJSON_ArrayForEach (item, get(topology, "links")) {
        add_view(d, item, "a", "b");
        add_view(d, item, "b", "a");
    }
    for (size_t i = 0; i < d->n; i++) {
        if (d->nodes[i].n_views) {
            qsort(d->nodes[i].views, d->nodes[i].n_views,
                  sizeof *d->nodes[i].views, compare_views);
        }
    }
    cJSON_ArrayForEach (item, get(topology, "roots")) {
        struct node *node = find(d, ctl_get_text(item, "dpid"));
        if (node) {
            node->tier = 0;
            node->is_root = true;
            node->n_channels = ctl_get_number(item, "channels");
        }
    }
}

/* Breadth first, from all roots at once. */
static void
find_tiers(struct drawing *d)
{
    struct node **queue = xcalloc(d->n + 1, sizeof(struct node *));
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++) {
        if (d->nodes[i].is_root) {
            queue[n++] = &d->nodes[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < queue[i]->n_views; j++) {
            struct node *peer = queue[i]->views[j].peer;
            if (peer && peer->tier == NO_TIER) {
                peer->tier = queue[i]->tier + 1;
                queue[n++] = peer;
            }
        }
    }
    free(queue);
}

/* Printing. */

static const char *
state_of(const struct node *node, enum ctl_color *color)
{
    bool connected = ctl_get_bool(node->json, "connected");
    bool synced = ctl_get_bool(node->json, "synced");

    *color = !connected ? CTL_RED : synced ? CTL_GREEN : CTL_YELLOW;
    return !connected ? "away" : synced ? "ready" : "syncing";
}

static const char *
plural(double n)
{
    return n == 1 ? "" : "s";
}

static void
print_head(FILE *out, const struct cJSON *t)
{
    int switches = cJSON_GetArraySize(get(t, "switches"));
    int links = cJSON_GetArraySize(get(t, "links"));
    double hosts = ctl_get_number(t, "n_hosts");
    double parts = ctl_get_number(t, "parts");

    fprintf(out, "%d switch%s, %d link%s, %.0f host%s, %.0f part%s; ",
            switches, switches == 1 ? "" : "es", links, plural(links), hosts,
            plural(hosts), parts, plural(parts));
    if (ctl_get_bool(t, "at_rest")) {
        fprintf(out, "at rest\n");
    } else if (!ctl_get_bool(t, "settled")) {
        fprintf(out, "links are still looked for\n");
    } else {
        fprintf(out, "changing: %.0f draining, %.0f to move\n",
                ctl_get_number(t, "draining"), ctl_get_number(t, "to_move"));
    }
}

/* "s1-eth101 ↑ 5 s5-eth101": towards the roots is up. */
static char *
view_text(const struct node *node, const struct view *v)
{
    int other = v->peer ? v->peer->tier : NO_TIER;
    const char *arrow = other < node->tier   ? "↑"
                        : other > node->tier ? "↓"
                                             : "↔";
    char *near = ctl_port_text(v->near);
    char *far = ctl_port_text(v->far);
    char *text = xasprintf("%s %s %s %s", near, arrow,
                           ctl_short_dpid(ctl_get_text(v->far, "dpid")), far);

    free(near);
    free(far);
    return text;
}

/* Characters, not bytes. */
static int
width_of(const char *s)
{
    int n = 0;

    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

/* In as many columns as there is room for. */
static void
print_views(FILE *out, const struct node *node, int width)
{
    int columns = (WIDTH - INDENT) / (width + 3);

    columns = columns < 1 ? 1 : columns;
    for (size_t i = 0; i < node->n_views; i++) {
        char *text = view_text(node, &node->views[i]);
        bool last = i + 1 == node->n_views || (i + 1) % (size_t) columns == 0;
        fprintf(out, "%*s%s", i % (size_t) columns ? 3 : INDENT, "", text);
        fprintf(out, "%*s%s", last ? 0 : width - width_of(text), "",
                last ? "\n" : "");
        free(text);
    }
}

static void
print_node(const struct drawing *d, const struct node *node, int width)
{
    static const char *const codes[] = {"", "\033[32m", "\033[33m", "\033[31m",
                                        "\033[1m"};
    double hosts = ctl_get_number(node->json, "n_hosts");
    enum ctl_color color;
    const char *state = state_of(node, &color);

    fprintf(d->out, "  %s  %s%s%s", ctl_short_dpid(node->dpid),
            d->color ? codes[color] : "", state, d->color ? "\033[0m" : "");
    if (hosts > 0) {
        fprintf(d->out, ", %.0f host%s", hosts, plural(hosts));
    }
    if (node->is_root) {
        fprintf(d->out, ", root of %.0f channel%s", node->n_channels,
                plural(node->n_channels));
    }
    fprintf(d->out, "%s\n", node->n_views ? "" : ", no links");
    print_views(d->out, node, width);
}

static void
print_tier(FILE *out, int tier)
{
    if (!tier) {
        fprintf(out, "\nroots\n");
    } else if (tier == NO_TIER) {
        fprintf(out, "\nlinked with no root\n");
    } else {
        fprintf(out, "\n%d link%s from a root\n", tier, plural(tier));
    }
}

static void
draw(const struct drawing *d, struct node *const *order)
{
    int width = 0;

    for (size_t i = 0; i < d->n; i++) {
        for (size_t j = 0; j < d->nodes[i].n_views; j++) {
            char *text = view_text(&d->nodes[i], &d->nodes[i].views[j]);
            width = width_of(text) > width ? width_of(text) : width;
            free(text);
        }
    }
    for (size_t i = 0; i < d->n; i++) {
        int tier = order[i]->tier;
        if (!i || order[i - 1]->tier != tier) {
            print_tier(d->out, tier);
        }
        print_node(d, order[i], width);
    }
}

static void
add_number(struct ctl_table *t, bool there, double n)
{
    if (there) {
        ctl_table_add(t, "%.0f", n);
    } else {
        ctl_table_add(t, "-");
    }
}

static char *
peers_text(const struct node *node)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < node->n_views; i++) {
        ctl_append(&text, " ", "%s",
                   ctl_short_dpid(ctl_get_text(node->views[i].far, "dpid")));
    }
    return text;
}

static void
print_table(const struct drawing *d, struct node *const *order)
{
    static const char *const columns[] = {"<TIER",  "SWITCH",   "STATE",
                                          "<HOSTS", "<ROOT OF", "<LINKS",
                                          "TO",     NULL};
    struct ctl_table t;

    ctl_table_init(&t, columns);
    for (size_t i = 0; i < d->n; i++) {
        enum ctl_color color;
        const char *state = state_of(order[i], &color);
        char *peers = peers_text(order[i]);
        add_number(&t, order[i]->tier != NO_TIER, order[i]->tier);
        ctl_table_add(&t, "%s", ctl_short_dpid(order[i]->dpid));
        ctl_table_add_color(&t, color, state);
        ctl_table_add_number(&t, order[i]->json, "n_hosts");
        add_number(&t, order[i]->is_root, order[i]->n_channels);
        ctl_table_add(&t, "%zu", order[i]->n_views);
        ctl_table_add(&t, "%s", peers);
        free(peers);
    }
    ctl_table_print(&t, d->out, d->color, "no switches");
}

static int
compare_tiers(const void *a_, const void *b_)
{
    const struct node *a = *(struct node *const *) a_;
    const struct node *b = *(struct node *const *) b_;

    return a->tier != b->tier ? (a->tier > b->tier) - (a->tier < b->tier)
                              : strcmp(a->dpid, b->dpid);
}

void
ctl_show_topology(FILE *out, bool color, const struct cJSON *topology)
{
    struct drawing d = {.out = out, .color = color};

    if (!ctl_get_bool(topology, "fabric")) {
        fprintf(out, "no fabric: l2 is not 'fabric' in the configuration\n");
        return;
    }
    read_switches(&d, topology);
    read_links(&d, topology);
    find_tiers(&d);
    struct node **order = xcalloc(d.n + 1, sizeof(struct node *));
    for (size_t i = 0; i < d.n; i++) {
        order[i] = &d.nodes[i];
    }
    if (d.n) {
        qsort(order, d.n, sizeof(struct node *), compare_tiers);
    }
    print_head(out, topology);
    if (d.n > MAX_DRAWN) {
        fputc('\n', out);
        print_table(&d, order);
    } else {
        draw(&d, order);
    }
    for (size_t i = 0; i < d.n; i++) {
        free(d.nodes[i].views);
    }
    free(d.nodes);
    free(order);
}
