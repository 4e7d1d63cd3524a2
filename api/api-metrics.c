/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api-call.h"
#include "controller/view.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

const char API_METRICS_TYPE[] = "text/plain; version=0.0.4; charset=utf-8";

/* A text that grows. */
struct text {
    char *data;
    size_t size, room;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0 || (size_t) length >= sizeof line) {
        abort(); /* Every line is short by design. */
    }
    if (t->size + (size_t) length + 1 > t->room) {
        t->room = 2 * t->room + 4096;
        t->data = xrealloc(t->data, t->room);
    }
    memcpy(t->data + t->size, line, (size_t) length + 1);
    t->size += (size_t) length;
}

static void
add_head(struct text *t, const char *name, const char *type, const char *help)
{
    add(t, "# HELP ofmcast_%s %s\n# TYPE ofmcast_%s %s\n", name, help, name,
        type);
}

static void
add_gauge(struct text *t, const char *name, const char *help, size_t value)
{
    add_head(t, name, "gauge", help);
    add(t, "ofmcast_%s %zu\n", name, value);
}

static void
add_counter(struct text *t, const char *name, const char *help, uint64_t value)
{
    add_head(t, name, "counter", help);
    add(t, "ofmcast_%s %" PRIu64 "\n", name, value);
}

/* Per switch: the samples of one metric stand together, so each metric is one
 * round over the switches. */

struct switch_metric {
    const char *name, *type, *help;
    size_t offset, size; /* Of the member of view_switch. */
};

#define MEMBER(FIELD)                                                         \
    offsetof(struct view_switch, FIELD),                                      \
        sizeof(((struct view_switch *) NULL)->FIELD)

static const struct switch_metric switch_metrics[] = {
    {"switch_connected", "gauge", "Whether the switch is connected.",
     MEMBER(connected)},
    {"switch_synced", "gauge",
     "Whether the switch was read back and programmed since it connected.",
     MEMBER(synced)},
    {"switch_ports", "gauge", "Ports of the switch.", MEMBER(n_ports)},
    {"switch_flows", "gauge", "Flows of ofmcast in the switch.",
     MEMBER(flows)},
    {"switch_groups", "gauge", "Groups of ofmcast in the switch.",
     MEMBER(groups)},
    {"switch_foreign_flows", "gauge", "Flows of others in the switch.",
     MEMBER(foreign_flows)},
    {"switch_foreign_groups", "gauge", "Groups of others in the switch.",
     MEMBER(foreign_groups)},
    {"switch_entries_pending", "gauge",
     "Entries that the switch has not confirmed yet.", MEMBER(pending)},
    {"switch_entries_rejected", "gauge", "Entries that the switch refused.",
     MEMBER(rejected)},
    {"switch_packet_ins_total", "counter", "Packets that the switch sent.",
     MEMBER(packet_ins)},
    {"switch_packet_outs_total", "counter", "Packets sent by the switch.",
     MEMBER(packet_outs)},
    {"switch_messages_received_total", "counter",
     "OpenFlow messages from the switch.", MEMBER(messages_in)},
    {"switch_messages_sent_total", "counter",
     "OpenFlow messages to the switch.", MEMBER(messages_out)},
    {"switch_errors_total", "counter", "OpenFlow errors from the switch.",
     MEMBER(errors)},
    {"switch_flow_mods_total", "counter", "Flow changes sent.",
     MEMBER(flow_mods)},
    {"switch_group_mods_total", "counter", "Group changes sent.",
     MEMBER(group_mods)},
    {"switch_rounds_total", "counter", "Rounds of changes sent.",
     MEMBER(rounds)},
    {"switch_bundles_total", "counter", "Rounds sent as a bundle.",
     MEMBER(bundles)},
    {"switch_drift_total", "counter",
     "Entries that somebody else had changed, put right.", MEMBER(drift)},
};

struct switch_text {
    struct text *text;
    const struct switch_metric *metric;
};

static uint64_t
read_member(const struct view_switch *s, const struct switch_metric *m)
{
    const char *at = (const char *) s + m->offset;
    uint64_t value = 0;

    if (m->size == sizeof(bool)) {
        return *(const bool *) at;
    }
    if (m->size == sizeof(size_t)) {
        size_t size;
        memcpy(&size, at, sizeof size);
        return size;
    }
    memcpy(&value, at, sizeof value);
    return value;
}

static bool
add_switch(void *aux, const struct view_switch *s)
{
    struct switch_text *st = aux;
    char dpid[DPID_STRLEN];

    add(st->text, "ofmcast_%s{dpid=\"%s\"} %" PRIu64 "\n", st->metric->name,
        dpid_format(s->dpid, dpid), read_member(s, st->metric));
    return true;
}

static void
add_switches(struct text *t, struct ctl *ctl)
{
    for (size_t i = 0; i < sizeof switch_metrics / sizeof *switch_metrics;
         i++) {
        struct switch_text st = {t, &switch_metrics[i]};
        add_head(t, st.metric->name, st.metric->type, st.metric->help);
        view_switches(ctl, add_switch, &st);
    }
}

/* The names are ours ("ok", "bad-checksum"), but escaping costs nothing. */
static bool
add_igmp(void *text, const char *name, uint64_t value)
{
    char clean[64];
    size_t n = 0;

    for (; name[n] && n < sizeof clean - 1; n++) {
        bool plain = name[n] >= ' ' && name[n] < 0x7f && name[n] != '"'
                     && name[n] != '\\';
        clean[n] = plain ? name[n] : '_';
    }
    clean[n] = '\0';
    add(text, "ofmcast_igmp_messages_total{result=\"%s\"} %" PRIu64 "\n",
        clean, value);
    return true;
}

static void
add_totals(struct text *t, const struct view_totals *v)
{
    add_head(t, "build_info", "gauge", "The version that runs.");
    add(t, "ofmcast_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
    add_head(t, "uptime_seconds", "gauge", "Time since the start.");
    add(t, "ofmcast_uptime_seconds %.3f\n", (double) v->uptime_ms / 1000);
    add_gauge(t, "switches", "Switches known.", v->switches);
    add_gauge(t, "switches_connected", "Switches connected.", v->connected);
    add_gauge(t, "switches_synced", "Switches connected and programmed.",
              v->synced);
    add_gauge(t, "groups", "Groups with members (per vlan).", v->groups);
    add_gauge(t, "members", "Ports that are members of a group.", v->members);
    add_gauge(t, "streams", "Sources seen that send to a group.", v->streams);
    add_gauge(t, "routes", "Routes.", v->routes);
    add_gauge(t, "flows", "Static flows and groups.", v->flows);
    add_gauge(t, "store_ok", "Whether writes can be made durable.",
              !v->store_error || !*v->store_error);
    add_counter(t, "igmp_frames_total", "Packet-ins that carried IGMP.",
                v->frames);
    add_counter(t, "joins_total", "Ports that became member of a group.",
                v->joins);
    add_counter(t, "leaves_total", "Ports that ceased to be member.",
                v->leaves);
    add_counter(t, "channels_compiled_total", "Channel entries compiled.",
                v->compiled);
}

char *
api_metrics(struct ctl *ctl, size_t *size)
{
    struct text t = {NULL, 0, 0};
    struct view_totals totals;

    view_totals(ctl, &totals);
    add_totals(&t, &totals);
    add_head(&t, "igmp_messages_total", "counter", "IGMP messages by result.");
    view_igmp_counters(ctl, add_igmp, &t);
    add_switches(&t, ctl);
    *size = t.size;
    return t.data;
}

void
api_get_metrics(struct api_call *c)
{
    size_t size;
    char *text = api_metrics(c->api.ctl, &size);

    api_call_text(c, API_METRICS_TYPE, text, size);
}
