/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api-call.h"
#include "controller/doctor.h"
#include "controller/view-fabric.h"
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

/* Ports: eight samples each, so not of more than the first. */

enum { MAX_PORTS = 1024 };

struct port_count {
    uint64_t dpid;
    uint32_t no;
    struct view_port_counters counters;
};

struct port_counts {
    size_t n;
    struct port_count ports[MAX_PORTS];
};

static bool
count_ports(void *counts_, const struct view_switch *s)
{
    struct port_counts *counts = counts_;

    for (size_t i = 0; i < s->n_ports && counts->n < MAX_PORTS; i++) {
        if (s->ports[i].counters) {
            counts->ports[counts->n++] =
                (struct port_count){.dpid = s->dpid,
                                    .no = s->ports[i].no,
                                    .counters = *s->ports[i].counters};
        }
    }
    return counts->n < MAX_PORTS;
}

static void
add_ports(struct text *t, struct ctl *ctl)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } metrics[] = {
        {"port_receive_packets_total",
         "Packets that came in by a port: "
         "the first 1024 ports.",
         offsetof(struct view_port_counters, rx_packets)},
        {"port_receive_bytes_total", "Their bytes.",
         offsetof(struct view_port_counters, rx_bytes)},
        {"port_receive_dropped_total", "Packets dropped on the way in.",
         offsetof(struct view_port_counters, rx_dropped)},
        {"port_receive_errors_total", "Errors on the way in.",
         offsetof(struct view_port_counters, rx_errors)},
        {"port_transmit_packets_total", "Packets that left by a port.",
         offsetof(struct view_port_counters, tx_packets)},
        {"port_transmit_bytes_total", "Their bytes.",
         offsetof(struct view_port_counters, tx_bytes)},
        {"port_transmit_dropped_total", "Packets dropped on the way out.",
         offsetof(struct view_port_counters, tx_dropped)},
        {"port_transmit_errors_total", "Errors on the way out.",
         offsetof(struct view_port_counters, tx_errors)},
    };
    struct port_counts *counts = xcalloc(1, sizeof *counts);

    view_switches(ctl, count_ports, counts);
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        add_head(t, metrics[m].name, "counter", metrics[m].help);
        for (size_t i = 0; i < counts->n; i++) {
            const struct port_count *p = &counts->ports[i];
            char dpid[DPID_STRLEN];
            uint64_t value;

            memcpy(&value, (const char *) &p->counters + metrics[m].offset,
                   sizeof value);
            if (value != VIEW_NOT_COUNTED) {
                add(t, "ofmcast_%s{dpid=\"%s\",port=\"%u\"} %" PRIu64 "\n",
                    metrics[m].name, dpid_format(p->dpid, dpid), p->no, value);
            }
        }
    }
    free(counts);
}

/* The names are ours ("ok", "bad-checksum"), but a label that breaks its line
 * would break the whole page.  Returns 'buf'. */
enum { LABEL_SIZE = 64 };
static const char *
clean_label(const char *s, char buf[LABEL_SIZE])
{
    size_t n = 0;

    for (; s[n] && n < LABEL_SIZE - 1; n++) {
        bool plain = s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\';
        buf[n] = plain ? s[n] : '_';
    }
    buf[n] = '\0';
    return buf;
}

struct family_text {
    struct text *text;
    int family;
};

static bool
add_message(void *aux, int family, const char *name, uint64_t value)
{
    const struct family_text *ft = aux;
    char label[LABEL_SIZE];

    if (family == ft->family) {
        add(ft->text, "ofmcast_%s_messages_total{result=\"%s\"} %" PRIu64 "\n",
            family == 6 ? "mld" : "igmp", clean_label(name, label), value);
    }
    return true;
}

static void
add_messages(struct text *t, struct ctl *ctl)
{
    add_head(t, "igmp_messages_total", "counter", "IGMP messages by result.");
    view_igmp_counters(ctl, add_message, &(struct family_text){t, 4});
    add_head(t, "mld_messages_total", "counter", "MLD messages by result.");
    view_igmp_counters(ctl, add_message, &(struct family_text){t, 6});
}

/* Guards: in total, and for the first ports that refused something: the
 * number of series stays bounded however many ports there are. */

enum { MAX_GUARD_KINDS = 16, MAX_GUARD_PORTS = 256 };

struct guard_text {
    struct text *text;
    size_t n_ports, n_kinds;
    struct guard_total {
        const char *guard;
        uint64_t refused;
    } totals[MAX_GUARD_KINDS];
};

static bool
sum_guard(void *aux, const struct view_guard *g)
{
    struct guard_text *gt = aux;
    size_t i = 0;

    while (i < gt->n_kinds && strcmp(gt->totals[i].guard, g->guard)) {
        i++;
    }
    if (i == MAX_GUARD_KINDS) {
        return true;
    }
    if (i == gt->n_kinds) {
        gt->totals[gt->n_kinds++] = (struct guard_total){g->guard, 0};
    }
    gt->totals[i].refused += g->refused;
    return true;
}

static bool
add_port_guard(void *aux, const struct view_guard *g)
{
    struct guard_text *gt = aux;
    char dpid[DPID_STRLEN], port[LABEL_SIZE], guard[LABEL_SIZE];
    char end[IP_ADDR_STRLEN];
    struct ip_addr vtep = ip_addr_v4(port_id_vtep(&g->port));
    bool is_end = port_id_vtep(&g->port) != 0;

    if (g->refused && gt->n_ports++ < MAX_GUARD_PORTS) {
        add(gt->text,
            "ofmcast_port_refused_total{dpid=\"%s\",port=\"%" PRIu32
            "\",port_name=\"%s\",guard=\"%s\"%s%s%s} %" PRIu64 "\n",
            dpid_format(g->port.dpid, dpid), port_id_no(&g->port),
            clean_label(g->port_name, port), clean_label(g->guard, guard),
            is_end ? ",vtep=\"" : "", is_end ? ip_addr_format(&vtep, end) : "",
            is_end ? "\"" : "", g->refused);
    }
    return true;
}

static void
add_guards(struct text *t, struct ctl *ctl)
{
    struct guard_text gt = {.text = t};
    char guard[LABEL_SIZE];

    view_guards(ctl, sum_guard, &gt);
    add_head(t, "refused_total", "counter", "What guards refused.");
    for (size_t i = 0; i < gt.n_kinds; i++) {
        add(t, "ofmcast_refused_total{guard=\"%s\"} %" PRIu64 "\n",
            clean_label(gt.totals[i].guard, guard), gt.totals[i].refused);
    }
    add_head(t, "port_refused_total", "counter",
             "What guards refused at a port: the first 256 that did.");
    view_guards(ctl, add_port_guard, &gt);
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
    add_gauge(t, "members_static", "Of these, set by the operator.",
              v->static_members);
    add_head(t, "member_rules", "gauge",
             "Static members and router ports, by who set them.");
    add(t, "ofmcast_member_rules{origin=\"api\"} %zu\n", v->rules_api);
    add(t, "ofmcast_member_rules{origin=\"config\"} %zu\n", v->rules_config);
    add_head(t, "hosts", "gauge", "Hosts that have reported a group.");
    add(t, "ofmcast_hosts{family=\"4\"} %zu\n", v->hosts[0]);
    add(t, "ofmcast_hosts{family=\"6\"} %zu\n", v->hosts[1]);
    add_head(t, "queriers", "gauge", "Vlans and families, by their querier.");
    add(t, "ofmcast_queriers{who=\"ours\"} %zu\n", v->queriers_ours);
    add(t, "ofmcast_queriers{who=\"other\"} %zu\n", v->queriers_other);
    add_gauge(t, "router_ports", "Router ports, per vlan and family.",
              v->router_ports);
    add_gauge(t, "router_ports_static", "Of these, set by the operator.",
              v->static_routers);
    add_gauge(t, "filtered_sources", "Sources with an (S,G) entry, by switch.",
              v->filtered_sources);
    add_gauge(t, "streams", "Sources seen that send to a group.", v->streams);
    add_head(t, "tunnel_peers", "gauge", "Other ends of tunnels.");
    add(t, "ofmcast_tunnel_peers{origin=\"learned\"} %zu\n",
        v->tunnel_peers[0]);
    add(t, "ofmcast_tunnel_peers{origin=\"shared\"} %zu\n",
        v->tunnel_peers[1]);
    add(t, "ofmcast_tunnel_peers{origin=\"declared\"} %zu\n",
        v->tunnel_peers[2]);
    add_counter(t, "tunnel_refused_total",
                "Reports of tunnel ends that are no peers.",
                v->tunnel_refused);
    add_gauge(t, "routes", "Routes.", v->routes);
    add_gauge(t, "flows", "Static flows and groups.", v->flows);
    add_gauge(t, "store_ok", "Whether writes can be made durable.",
              !v->store_error || !*v->store_error);
    add_counter(t, "igmp_frames_total", "Packet-ins that carried IGMP or MLD.",
                v->frames);
    add_counter(t, "joins_total", "Ports that became member of a group.",
                v->joins);
    add_counter(t, "leaves_total", "Ports that ceased to be member.",
                v->leaves);
    add_counter(t, "channels_compiled_total", "Channel entries compiled.",
                v->compiled);
}

static bool
add_root(void *t, const struct view_root *r)
{
    char dpid[DPID_STRLEN];

    add(t, "ofmcast_fabric_root_channels{dpid=\"%s\"} %zu\n",
        dpid_format(r->dpid, dpid), r->n_channels);
    return true;
}

static void
add_fabric(struct text *t, struct ctl *ctl)
{
    struct view_fabric f;

    view_fabric(ctl, &f);
    if (!f.on) {
        return;
    }
    add_gauge(t, "fabric_links", "Links between switches.", f.n_links);
    add_gauge(t, "fabric_parts", "Connected parts of the net.", f.n_parts);
    add_gauge(t, "fabric_trees", "Trees in use.", f.n_trees);
    add_gauge(t, "fabric_hosts", "Hosts known.", f.n_hosts);
    add_gauge(t, "fabric_draining",
              "Channels that wait for switches before copies are added.",
              f.n_draining);
    add_gauge(t, "fabric_to_move",
              "Channels that are to move to a better tree.", f.n_to_move);
    add_head(t, "fabric_root_channels", "gauge",
             "Channels that have the root of their tree at the switch.");
    view_roots(ctl, add_root, t);
}

/* Routes: the first of them by name, as there may be very many. */

enum { MAX_ROUTES = 256 };

struct route_counts {
    size_t n;
    struct route_count {
        char name[LABEL_SIZE];
        uint64_t packets, bytes, wrong;
    } routes[MAX_ROUTES];
};

static bool
count_route(void *aux, const struct view_rule *r)
{
    struct route_counts *counts = aux;
    struct route_count *c = &counts->routes[counts->n++];

    *c = (struct route_count){.packets = 0};
    clean_label(r->name, c->name);
    for (size_t i = 0; i < r->n_statuses; i++) {
        const struct view_status *s = &r->statuses[i];
        c->packets += s->packets;
        c->bytes += s->bytes;
        c->wrong += s->route ? s->route->wrong_port_packets : 0;
    }
    return counts->n < MAX_ROUTES;
}

static void
add_route_counts(struct text *t, const struct route_counts *counts,
                 const char *name, const char *help, size_t offset)
{
    add_head(t, name, "counter", help);
    for (size_t i = 0; i < counts->n; i++) {
        uint64_t value;
        memcpy(&value, (const char *) &counts->routes[i] + offset,
               sizeof value);
        add(t, "ofmcast_%s{route=\"%s\"} %" PRIu64 "\n", name,
            counts->routes[i].name, value);
    }
}

static void
add_routes(struct text *t, struct ctl *ctl)
{
    struct route_counts *counts = xcalloc(1, sizeof *counts);

    view_routes(ctl, count_route, counts);
    add_route_counts(t, counts, "route_packets_total",
                     "Packets that met a route: the first 256 by name.",
                     offsetof(struct route_count, packets));
    add_route_counts(t, counts, "route_bytes_total",
                     "Bytes that met a route: likewise.",
                     offsetof(struct route_count, bytes));
    add_route_counts(t, counts, "route_wrong_port_packets_total",
                     "Packets of a route's stream that came in by another "
                     "port: likewise.",
                     offsetof(struct route_count, wrong));
    free(counts);
}

static void
add_doctor(struct text *t, struct ctl *ctl)
{
    struct doctor_count counts[DOCTOR_N_CHECKS];

    doctor_counts(ctl, counts);
    add_head(t, "doctor_findings", "gauge",
             "What ofmcastctl doctor finds, by its worst severity.");
    for (size_t i = 0; i < DOCTOR_N_CHECKS; i++) {
        add(t,
            "ofmcast_doctor_findings{id=\"%s\",name=\"%s\",severity=\"%s\"} "
            "%zu\n",
            DOCTOR_CHECKS[i].id, DOCTOR_CHECKS[i].name,
            counts[i].n ? doctor_severity_name(counts[i].worst) : "none",
            counts[i].n);
    }
}

char *
api_metrics(struct ctl *ctl, size_t *size)
{
    struct text t = {NULL, 0, 0};
    struct view_totals totals;

    view_totals(ctl, &totals);
    add_totals(&t, &totals);
    add_messages(&t, ctl);
    add_guards(&t, ctl);
    add_switches(&t, ctl);
    add_ports(&t, ctl);
    add_fabric(&t, ctl);
    add_routes(&t, ctl);
    add_doctor(&t, ctl);
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
