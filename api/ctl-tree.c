/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a channel, drawn. */
#include <config.h>

#include "api/ctl-show.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-table.h"
#include "lib/xalloc.h"

struct drawing {
    FILE *out;
    const struct cJSON *switches;
};

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

const char *
ctl_short_dpid(const char *dpid)
{
    size_t zeros = strspn(dpid, "0");

    return dpid[zeros] ? dpid + zeros : *dpid ? "0" : "?";
}

char *
ctl_port_text(const struct cJSON *port)
{
    const char *name = ctl_get_text(port, "port_name");

    return ctl_clean(*name ? xstrdup(name)
                           : xasprintf("%.0f", ctl_get_number(port, "port")));
}

/* The port of 's' that sends to the switch 'dpid', NULL if none does. */
static const struct cJSON *
find_port(const struct cJSON *s, const char *dpid)
{
    const struct cJSON *p;

    cJSON_ArrayForEach (p, get(s, "ports")) {
        if (get(p, "peer")
            && !strcmp(ctl_get_text(get(p, "peer"), "dpid"), dpid)) {
            return p;
        }
    }
    return NULL;
}

/* "s5-eth101 → s1-eth101  ": the link to the switch above, if there is one;
 * the arrow is the way that packets take. */
static void
print_link(FILE *out, const struct cJSON *parent, const struct cJSON *s)
{
    const struct cJSON *down =
        parent ? find_port(parent, ctl_get_text(s, "dpid")) : NULL;
    const struct cJSON *up =
        parent ? find_port(s, ctl_get_text(parent, "dpid")) : NULL;

    if (!down && !up) {
        return;
    }
    char *above = ctl_port_text(down ? down : get(up, "peer"));
    char *below = ctl_port_text(up ? up : get(down, "peer"));
    fprintf(out, "%s %s %s  ", above, !up ? "→" : !down ? "←" : "↔", below);
    free(above);
    free(below);
}

static void
print_members(FILE *out, const struct cJSON *s)
{
    const char *separator = ": to ";
    const struct cJSON *p;

    cJSON_ArrayForEach (p, get(s, "ports")) {
        if (!ctl_get_bool(p, "link")) {
            char *name = ctl_port_text(p);
            fprintf(out, "%s%s", separator, name);
            free(name);
            separator = ", ";
        }
    }
}

static void
print_switch(FILE *out, const struct cJSON *parent, const struct cJSON *s)
{
    uint64_t n = ctl_get_u64(s, "packets");

    print_link(out, parent, s);
    fprintf(out, "switch %s, %" PRIu64 " packet%s%s%s",
            ctl_short_dpid(ctl_get_text(s, "dpid")), n, n == 1 ? "" : "s",
            ctl_get_bool(s, "connected") ? "" : ", away",
            ctl_get_bool(s, "sources") ? " (source)" : "");
    print_members(out, s);
    fputc('\n', out);
}

static bool
is_child(const struct cJSON *s, const char *parent)
{
    return !strcmp(ctl_get_text(s, "parent"), parent);
}

/* The next one below 'parent' from 's' on. */
static const struct cJSON *
next_child(const struct cJSON *s, const char *parent)
{
    while (s && !is_child(s, parent)) {
        s = s->next;
    }
    return s;
}

/* Depth bounds the recursion: a parent is always less deep, whatever a broken
 * answer says. */
static void
draw_below(const struct drawing *d, const struct cJSON *parent,
           const char *indent)
{
    const char *dpid = ctl_get_text(parent, "dpid");
    double depth = ctl_get_number(parent, "depth");
    const struct cJSON *s = next_child(d->switches->child, dpid);

    while (s) {
        const struct cJSON *next = next_child(s->next, dpid);
        if (ctl_get_number(s, "depth") > depth) {
            char *deeper = xasprintf("%s%s", indent, next ? "│  " : "   ");
            fprintf(d->out, "%s%s ", indent, next ? "├─" : "└─");
            print_switch(d->out, parent, s);
            draw_below(d, s, deeper);
            free(deeper);
        }
        s = next;
    }
}

void
ctl_show_tree(FILE *out, bool color, const struct cJSON *tree)
{
    const struct drawing d = {out, get(tree, "switches")};
    const char *root = ctl_get_text(tree, "root");
    const struct cJSON *s;

    (void) color;
    fprintf(out, "%s", ctl_get_text(tree, "group"));
    if (ctl_get_number(tree, "vlan") > 0) {
        fprintf(out, ", vlan %.0f", ctl_get_number(tree, "vlan"));
    }
    fprintf(out, ": %s, root %s\n", ctl_get_text(tree, "state"),
            *root ? ctl_short_dpid(root) : "none");
    cJSON_ArrayForEach (s, d.switches) {
        if (!*ctl_get_text(s, "parent")) {
            print_switch(out, NULL, s);
            draw_below(&d, s, "");
        }
    }
}
