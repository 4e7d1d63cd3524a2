/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the texts of ofproto/trace and dpif/show. */
#include <config.h>

#include "api/ctl-trace.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* clone() in clone(): Open vSwitch itself goes no deeper than 64. */
enum { MAX_DEPTH = 32 };

/* Digits at '*s', which moves behind them. */
static bool
take_number(const char **s, uint32_t *number)
{
    uint64_t n = 0;
    const char *p = *s;

    if (!isdigit((unsigned char) *p)) {
        return false;
    }
    for (; isdigit((unsigned char) *p); p++) {
        n = n * 10 + (uint64_t) (*p - '0');
        if (n > UINT32_MAX) {
            return false;
        }
    }
    *number = (uint32_t) n;
    *s = p;
    return true;
}

static bool
starts_with(const char *s, const char *word)
{
    return !strncmp(s, word, strlen(word));
}

static char *
copy_text(const char *start, const char *end)
{
    char *copy = xmalloc((size_t) (end - start) + 1);

    memcpy(copy, start, (size_t) (end - start));
    copy[end - start] = '\0';
    return copy;
}

/* The actions. */

static void
add_port(struct ctl_trace *t, uint32_t port)
{
    if (t->n_ports >= CTL_TRACE_MAX_PORTS) {
        t->partial = true;
        return;
    }
    t->ports = xgrow(t->ports, t->n_ports, &t->allocated, sizeof *t->ports);
    t->ports[t->n_ports++] = port;
}

/* The end of the item at 's': the comma or the closing bracket behind it,
 * or 'end'. */
static const char *
skip_item(const char *s, const char *end)
{
    size_t depth = 0;

    for (; s < end; s++) {
        if (*s == '(') {
            depth++;
        } else if (*s == ')' && depth) {
            depth--;
        } else if ((*s == ',' || *s == ')') && !depth) {
            break;
        }
    }
    return s;
}

/* tnl_push(tnl_port(7),header(...),out_port(2)): the copy is one of port 7,
 * and what comes behind it carries it on. */
static void
take_tunnel(struct ctl_trace *t, const char *s)
{
    static const char before[] = "tnl_push(tnl_port(";
    const char *p = s + strlen(before);
    uint32_t port;

    if (starts_with(s, before) && take_number(&p, &port) && *p == ')') {
        add_port(t, port);
    } else {
        t->partial = true;
    }
}

/* What changes a packet, and does not send it anywhere. */
static bool
is_harmless(const char *s)
{
    static const char *const words[] = {
        "drop",       "set(",      "set_masked(", "push_vlan(", "pop_vlan",
        "push_mpls(", "pop_mpls(", "trunc(",      "push_eth(",  "pop_eth",
        "dec_ttl(",   "hash(",     "userspace(",  "ct_clear",   "meter("};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (starts_with(s, words[i])) {
            return true;
        }
    }
    return false;
}

static void take_actions(struct ctl_trace *, const char *, const char *, int);

/* 'end' is behind the item. */
static void
take_item(struct ctl_trace *t, const char *s, const char *end, int depth)
{
    static const char clone[] = "clone(";
    static const char always[] = "sample(sample=100.0%,actions("; /* Metered */
    const char *p = s;
    uint32_t port;

    if (take_number(&p, &port) && p == end) {
        add_port(t, port);
    } else if (starts_with(s, clone) && end[-1] == ')' && depth < MAX_DEPTH) {
        take_actions(t, s + strlen(clone), end - 1, depth + 1);
    } else if (starts_with(s, always) && end - s > (long) sizeof always
               && end[-1] == ')' && end[-2] == ')' && depth < MAX_DEPTH) {
        take_actions(t, s + strlen(always), end - 2, depth + 1);
    } else if (!is_harmless(s)) {
        t->partial = true; /* recirc(), ct(), sample()... */
    }
    if (starts_with(s, "userspace(")) {
        const char *found = strstr(s, "controller(");
        t->controller |= found && found < end;
    }
}

static void
take_actions(struct ctl_trace *t, const char *s, const char *end, int depth)
{
    while (s < end) {
        const char *next = skip_item(s, end);
        if (starts_with(s, "tnl_push(")) {
            take_tunnel(t, s);
            return;
        }
        if (next > s) {
            take_item(t, s, next, depth);
        }
        if (next < end && *next == ')') { /* Brackets do not match. */
            t->partial = true;
        }
        s = next + (next < end);
    }
}

/* Lines. */

static void
take_line(struct ctl_trace *t, const char *s, const char *end)
{
    static const char actions[] = "Datapath actions: ";
    static const char megaflow[] = "Megaflow: ";

    if (starts_with(s, actions)) {
        s += strlen(actions);
        t->partial |= t->actions != NULL; /* It went round again. */
        free(t->actions);
        t->actions = copy_text(s, end);
        take_actions(t, t->actions, t->actions + (end - s), 0);
    } else if (starts_with(s, megaflow)) {
        free(t->megaflow);
        t->megaflow = copy_text(s + strlen(megaflow), end);
    } else if (starts_with(s, "This flow is handled by the userspace slow")) {
        t->slow_path = true;
    }
}

static const char *
end_of_line(const char *s)
{
    return s + strcspn(s, "\n");
}

bool
ctl_trace_parse(struct ctl_trace *t, const char *text)
{
    for (const char *s = text; *s;) {
        const char *end = end_of_line(s);
        take_line(t, s, end);
        s = end + (*end == '\n');
    }
    return t->actions != NULL;
}

bool
ctl_trace_has(const struct ctl_trace *t, uint32_t dp_port)
{
    for (size_t i = 0; i < t->n_ports; i++) {
        if (t->ports[i] == dp_port) {
            return true;
        }
    }
    return false;
}

void
ctl_trace_clear(struct ctl_trace *t)
{
    free(t->ports);
    free(t->actions);
    free(t->megaflow);
    *t = (struct ctl_trace){0};
}

/* dpif/show. */

/* "s1-eth1 1/3: (system)", "to2 4/none: (patch: peer=to1)" */
static void
take_port(struct ctl_dpif *d, const char *bridge, const char *s,
          const char *end)
{
    const char *name_end = s + strcspn(s, " \n");
    const char *p = name_end + (*name_end == ' ');
    struct ctl_dpif_port port = {0};

    if (!*bridge || name_end == s || !take_number(&p, &port.port)
        || *p++ != '/') {
        return;
    }
    port.has_dp_port = take_number(&p, &port.dp_port);
    if (!port.has_dp_port && !starts_with(p, "none")) {
        return;
    }
    p += port.has_dp_port ? 0 : strlen("none");
    if (p >= end || *p != ':' || d->n_ports >= CTL_TRACE_MAX_PORTS) {
        return;
    }
    port.bridge = xstrdup(bridge);
    port.name = copy_text(s, name_end);
    d->ports = xgrow(d->ports, d->n_ports, &d->allocated, sizeof *d->ports);
    d->ports[d->n_ports++] = port;
}

bool
ctl_dpif_parse(struct ctl_dpif *d, const char *text)
{
    char *bridge = xstrdup("");

    for (const char *s = text; *s;) {
        const char *end = end_of_line(s);
        const char *word = s + strspn(s, " ");
        if (word - s == 2 && end > word && end[-1] == ':') {
            free(bridge);
            bridge = copy_text(word, end - 1);
        } else if (word - s == 4) {
            take_port(d, bridge, word, end);
        }
        s = end + (*end == '\n');
    }
    free(bridge);
    return d->n_ports > 0;
}

const struct ctl_dpif_port *
ctl_dpif_lookup(const struct ctl_dpif *d, const char *name, uint32_t port)
{
    for (size_t i = 0; i < d->n_ports; i++) {
        if (d->ports[i].port == port && !strcmp(d->ports[i].name, name)) {
            return &d->ports[i];
        }
    }
    return NULL;
}

void
ctl_dpif_clear(struct ctl_dpif *d)
{
    for (size_t i = 0; i < d->n_ports; i++) {
        free(d->ports[i].bridge);
        free(d->ports[i].name);
    }
    free(d->ports);
    *d = (struct ctl_dpif){0};
}
