/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/stub-ctl.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "controller/doctor.h"
#include "controller/sample.h"
#include "controller/view-explain.h"
#include "controller/view-fabric.h"
#include "lib/xalloc.h"

struct rule {
    char name[ROUTE_NAME_SIZE];
    char *json;
    const char *origin; /* Of a member. */
    struct rule *prev, *next;
};

struct waiting {
    ctl_done_cb *done;
    void *aux;
    enum ctl_outcome outcome;
    struct waiting *prev, *next;
};

struct ctl {
    struct rule *routes, *flows, *members;
    struct waiting *waiting;
    ctl_event_cb *listener;
    void *listener_aux;
    size_t n_groups;
    char *store_error;
    bool unsynced;
};

struct ctl *
stub_ctl_create(void)
{
    struct ctl *ctl = xcalloc(1, sizeof *ctl);

    ctl->store_error = xstrdup("");
    return ctl;
}

static void
free_rules(struct rule **rules)
{
    struct rule *r, *next;

    DL_FOREACH_SAFE (*rules, r, next) {
        DL_DELETE(*rules, r);
        free(r->json);
        free(r);
    }
}

void
stub_ctl_destroy(struct ctl *ctl)
{
    stub_ctl_run(ctl);
    free_rules(&ctl->routes);
    free_rules(&ctl->flows);
    free_rules(&ctl->members);
    free(ctl->store_error);
    free(ctl);
}

static void
finish(ctl_done_cb *done, void *aux, enum ctl_outcome outcome,
       const char *detail, const char *pointer)
{
    done(aux, &(struct ctl_result){outcome, detail, pointer});
}

void
stub_ctl_run(struct ctl *ctl)
{
    while (ctl->waiting) {
        struct waiting *w = ctl->waiting;
        DL_DELETE(ctl->waiting, w);
        finish(w->done, w->aux, w->outcome, "", "");
        free(w);
    }
}

size_t
stub_ctl_n_waiting(const struct ctl *ctl)
{
    struct waiting *w;
    size_t n;

    DL_COUNT(ctl->waiting, w, n);
    return n;
}

void
stub_ctl_emit(struct ctl *ctl, const char *type, const char *json)
{
    if (ctl->listener) {
        ctl->listener(ctl->listener_aux, type, json);
    }
}

void
stub_ctl_set_groups(struct ctl *ctl, size_t n)
{
    ctl->n_groups = n;
}

void
stub_ctl_set_store_error(struct ctl *ctl, const char *error)
{
    free(ctl->store_error);
    ctl->store_error = xstrdup(error);
}

void
stub_ctl_set_synced(struct ctl *ctl, bool synced)
{
    ctl->unsynced = !synced;
}

/* Canned data. */

const char *
view_state_name(enum view_state state)
{
    static const char *const names[] = {"applied", "pending", "rejected"};

    return names[state];
}

static struct ip_addr
ip(const char *s)
{
    struct ip_addr a;

    if (!ip_addr_parse(s, &a)) {
        abort();
    }
    return a;
}

static const struct view_guard guards[] = {
    {{1, 2}, "s1-eth2", "port-groups", 7},
    {{1, 2}, "s1-eth2", "rate", UINT64_MAX},
    {{1, 3}, "bad\xff\"name", "role", 0},
};

static const struct view_port_counters port_counters = {
    .rx_packets = 1,
    .tx_packets = UINT64_MAX - 1,
    .rx_bytes = 3,
    .tx_bytes = 4,
    .rx_dropped = 5,
    .tx_dropped = 6,
    .rx_errors = VIEW_NOT_COUNTED,
    .tx_errors = 8};

static const struct view_port ports[] = {
    {1,
     "s1-eth1",
     {{0x02, 0, 0, 0, 0, 0x01}},
     true,
     "host",
     NULL,
     0,
     NULL,
     &port_counters},
    {2,
     "s1-eth2",
     {{0x02, 0, 0, 0, 0, 0x02}},
     true,
     "host",
     guards,
     2,
     NULL,
     NULL},
    {3,
     "bad\xff\"name",
     {{0x02, 0, 0, 0, 0, 0x03}},
     false,
     "mrouter",
     NULL,
     0,
     NULL,
     NULL},
};

/* The canned ones; and one at each of as many ports more as there are groups
 * more. */
void
view_guards(struct ctl *ctl, view_guard_cb *cb, void *aux)
{
    bool more = true;

    for (size_t i = 0; more && i < sizeof guards / sizeof *guards; i++) {
        more = cb(aux, &guards[i]);
    }
    for (size_t i = 0; more && i < ctl->n_groups; i++) {
        more = cb(aux, &(struct view_guard){{2, i + 1}, "p", "rate", 1});
    }
}

static struct view_switch
make_switch(const struct ctl *ctl, uint64_t dpid)
{
    struct view_switch s = {
        .dpid = dpid,
        .connected = dpid == 1,
        .synced = dpid == 1 && !ctl->unsynced,
        .peer = dpid == 1 ? "127.0.0.1:40112" : "",
        .since_ms = 61234,
        .manufacturer = "Nicira, Inc.",
        .hardware = "Open vSwitch",
        .software = "3.1.0",
        .serial = "None",
        .datapath = "s1",
        .datapath_type = "netdev",
        .datapath_seen = "netdev",
        .ports = ports,
        .n_ports = dpid == 1 ? 3 : 0,
        .packet_ins = 7,
        .messages_in = UINT64_MAX,
        .flow_mods = 40,
        .group_mods = 2,
        .flows = 21,
        .groups = 1,
        .foreign_flows = 3,
        .pending = ctl->unsynced ? 4 : 0,
    };

    return s;
}

bool
view_switch(struct ctl *ctl, uint64_t dpid, view_switch_cb *cb, void *aux)
{
    if (dpid != 1 && dpid != 0xabcdef) {
        return false;
    }
    struct view_switch s = make_switch(ctl, dpid);
    cb(aux, &s);
    return true;
}

void
view_switches(struct ctl *ctl, view_switch_cb *cb, void *aux)
{
    /* Not in order of dpid: nobody promised one. */
    struct view_switch s = make_switch(ctl, 0xabcdef);
    if (cb(aux, &s)) {
        s = make_switch(ctl, 1);
        cb(aux, &s);
    }
}

static void
show_group(uint16_t vlan, struct ip_addr group, view_group_cb *cb, void *aux,
           bool *more)
{
    struct ip_addr source = ip("10.1.0.9");
    struct view_host host = {.mac = {{0, 0, 0, 0, 0, 2}},
                             .ip = ip("10.1.0.2"),
                             .version = 3,
                             .exclude = true,
                             .sources = &source,
                             .n_sources = 1,
                             .age_ms = 4900};
    struct view_member members[] = {
        {.port = {1, 2},
         .port_name = "s1-eth2",
         .exclude = true,
         .version = 3,
         .origin = "igmp",
         .fixed_by = "recorder,spare",
         .delivery = "unicast",
         .expires_ms = 255100,
         .hosts = &host,
         .n_hosts = 1},
        {.port = {1, 3},
         .port_name = "bad\xff\"name",
         .version = 3,
         .origin = "restored",
         .fixed_by = "",
         .delivery = "multicast",
         .expires_ms = -1,
         .sources = &source,
         .n_sources = 1},
    };
    struct view_group_switch switches[] = {
        {1, IP_ADDR_ANY, 0x4d000001, VIEW_APPLIED, "", 1000, UINT64_MAX},
        {1, source, 0x4d000002, VIEW_REJECTED, "OFPGMFC_OUT_OF_GROUPS", 0, 0},
    };
    struct view_group g = {vlan, group, members, 2, switches, 2};

    *more = cb(aux, &g);
}

/* The canned group, and the numbers below 'n_groups' of a sequence that visits
 * every number of 20 bits once, in no order. */
static uint32_t
number_of_group(size_t i)
{
    return (uint32_t) (i * 0x9e3779b1U) & 0xfffff;
}

/* Deterministic: the inverse of the multiplication above. */
static size_t
index_of_group(uint32_t number)
{
    uint32_t inverse = 1;

    for (int i = 0; i < 5; i++) {
        inverse *= 2 - 0x9e3779b1U * inverse;
    }
    return number * inverse & 0xfffff;
}

static uint16_t
vlan_of_group(uint32_t number)
{
    return (uint16_t) (1 + number % 7);
}

bool
view_group(struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
           view_group_cb *cb, void *aux)
{
    struct ip_addr canned = ip("226.2.2.2");
    uint32_t number = ip_addr_to_v4(group) & 0xfffff;
    bool more;

    if (vlan ? vlan != vlan_of_group(number)
                   || index_of_group(number) >= ctl->n_groups
                   || ip_addr_to_v4(group) >> 20 != 0xef0
             : !ip_addr_equal(group, &canned)) {
        return false;
    }
    show_group(vlan, *group, cb, aux, &more);
    return true;
}

void
view_groups(struct ctl *ctl, view_group_cb *cb, void *aux)
{
    bool more;

    show_group(0, ip("226.2.2.2"), cb, aux, &more);
    for (size_t i = 0; more && i < ctl->n_groups; i++) {
        uint32_t n = number_of_group(i);
        show_group(vlan_of_group(n), ip_addr_v4(0xef000000U | n), cb, aux,
                   &more);
    }
}

void
view_streams(struct ctl *ctl, view_stream_cb *cb, void *aux)
{
    struct view_stream s = {
        .source = ip("192.168.168.55"),
        .group = ip("226.2.2.2"),
        .port = {1, 1},
        .port_name = "s1-eth1",
        .packets = 1234567,
        .bytes = UINT64_C(1) << 60,
        .packets_per_s = 5000.12345,
        .bits_per_s = 56e6,
        .route = "hdmi",
        .n_receivers = 2,
        .age_ms = 100,
    };

    (void) ctl;
    if (cb(aux, &s)) {
        s.port.port_no = 2;
        s.route = "";
        cb(aux, &s);
    }
}

void
view_queriers(struct ctl *ctl, view_querier_cb *cb, void *aux)
{
    struct view_router routers[] = {
        {{1, 3}, "s1-eth3", "query", false, "", 250000},
        {{1, 4}, "s1-eth4", "static", true, "uplink", -1},
        {{1, 5}, "s1-eth5", "pim", true, "core", 100000}};
    struct view_querier ours = {
        .family = 4,
        .enabled = true,
        .ours = true,
        .version = 3,
        .since_ms = 1000,
        .next_query_ms = 30250,
        .expires_ms = -1,
        .query_interval_ms = 125000,
        .robustness = 2,
    };
    struct view_querier other = {
        .vlan = 10,
        .family = 4,
        .enabled = true,
        .falls_back = true,
        .routers = routers,
        .n_routers = 3,
        .address = ip("10.1.0.1"),
        .port = {1, 3},
        .version = 2,
        .next_query_ms = -1,
        .expires_ms = 250000,
        .query_interval_ms = 125000,
        .robustness = 2,
    };

    (void) ctl;
    struct view_querier mld = ours;
    mld.family = 6;
    mld.version = 2;
    mld.address = ip("fe80::1");
    if (cb(aux, &other) && cb(aux, &mld)) {
        cb(aux, &ours);
    }
}

void
view_hosts(struct ctl *ctl, const struct view_host_key *after, size_t max,
           view_known_host_cb *cb, void *aux)
{
    struct ip_addr ips[] = {ip("10.1.0.2"), ip("fe80::2")};
    struct view_known_host hosts[] = {{.mac = {{0x02, 0, 0, 0, 0, 0x02}},
                                       .ips = ips,
                                       .n_ips = 2,
                                       .port = {1, 2},
                                       .port_name = "s1-eth2",
                                       .igmp_version = 3,
                                       .mld_version = 2,
                                       .n_groups = 5,
                                       .age_ms = 61000},
                                      {.vlan = 10,
                                       .mac = {{0x02, 0, 0, 0, 0, 0x22}},
                                       .port = {1, 3},
                                       .port_name = "bad\xff\"name",
                                       .mld_version = 1,
                                       .n_groups = 1,
                                       .duplicate = true,
                                       .age_ms = 100}};

    (void) ctl;
    for (size_t i = 0; i < 2 && max; i++) {
        if (!after || hosts[i].vlan > after->vlan) {
            max--;
            if (!cb(aux, &hosts[i])) {
                return;
            }
        }
    }
}

/* A fabric: leaves 1 and 2 and a switch that is away, 0xabcdef, below the
 * spines 5 and 6; none of its links leads to 0x7. */
static const struct view_fabric_switch fabric_switches[] = {
    {1, true, true, 2},  {2, true, true, 1}, {5, true, true, 0},
    {6, true, false, 0}, {7, true, true, 0}, {0xabcdef, false, false, 0},
};
static const struct view_link fabric_links[] = {
    {{1, 101}, {5, 101}, "s1-eth101", "s5-eth101", 61000, 0, 2},
    {{1, 102}, {6, 101}, "s1-eth102", "s6-eth101", 61000, 3, 0},
    {{2, 101}, {5, 102}, "s2-eth101", "s5-eth102", 100, 0, 1},
    {{2, 102}, {6, 102}, "s2-eth102", "", 100, 0, 0},
    {{2, 103}, {0xabcdef, 1}, "s2-eth103", "bad\xff\"name", 0, 0, 1},
};

void
view_fabric(struct ctl *ctl, struct view_fabric *f)
{
    *f = (struct view_fabric){.on = true,
                              .settled = true,
                              .at_rest = !ctl->unsynced,
                              .n_links = 5,
                              .n_parts = 2,
                              .n_trees = 3,
                              .n_draining = ctl->unsynced ? 4 : 0,
                              .n_to_move = ctl->unsynced ? 6 : 0,
                              .n_hosts = 3,
                              .generation = UINT64_MAX};
}

/* As many switches more as there are groups more. */
void
view_fabric_switches(struct ctl *ctl, view_fabric_switch_cb *cb, void *aux)
{
    size_t n = sizeof fabric_switches / sizeof *fabric_switches;

    for (size_t i = 0; i < n; i++) {
        if (!cb(aux, &fabric_switches[i])) {
            return;
        }
    }
    for (size_t i = 0; i < ctl->n_groups; i++) {
        if (!cb(aux,
                &(struct view_fabric_switch){0x1000000 + i, true, true, 0})) {
            return;
        }
    }
}

void
view_links(struct ctl *ctl, view_link_cb *cb, void *aux)
{
    bool more = true;

    (void) ctl;
    for (size_t i = 0; more && i < sizeof fabric_links / sizeof *fabric_links;
         i++) {
        more = cb(aux, &fabric_links[i]);
    }
}

void
view_roots(struct ctl *ctl, view_root_cb *cb, void *aux)
{
    (void) ctl;
    if (cb(aux, &(struct view_root){5, 0, 2})) {
        cb(aux, &(struct view_root){6, 0, 0});
    }
}

/* From 2 over the spine 5 to 1 and 0xabcdef, which is below 2. */
bool
view_tree(struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
          view_tree_cb *cb, void *aux)
{
    static const struct view_tree_port at_5[] = {
        {101, "s5-eth101", true, {1, 101}, "s1-eth101"}};
    static const struct view_tree_port at_1[] = {
        {1, "s1-eth1", false, {0, 0}, ""}, {2, "s1-eth2", false, {0, 0}, ""}};
    static const struct view_tree_port at_2[] = {
        {3, "", false, {0, 0}, ""},
        {101, "s2-eth101", true, {5, 102}, "s5-eth102"},
        {103, "s2-eth103", true, {0xabcdef, 1}, "bad\xff\"name"}};
    static const struct view_tree_switch switches[] = {
        {5, 0, 0, false, false, true, 1000, UINT64_MAX, at_5, 1},
        {1, 1, 5, true, false, true, 1000, 64000, at_1, 2},
        {2, 1, 5, true, true, true, 1001, 64064, at_2, 3},
        {0xabcdef, 2, 2, false, false, false, 0, 0, NULL, 0}};
    struct ip_addr canned = ip("226.2.2.2");

    (void) ctl;
    if (vlan || !ip_addr_equal(group, &canned)) {
        return false;
    }
    cb(aux, &(struct view_tree){vlan, *group, 5, "stable", switches, 4});
    return true;
}

void
view_totals(struct ctl *ctl, struct view_totals *t)
{
    *t = (struct view_totals){
        .uptime_ms = 12345,
        .switches = 2,
        .connected = 1,
        .synced = 1,
        .groups = 1 + ctl->n_groups,
        .members = 2,
        .hosts = {2, 1},
        .queriers_ours = 2,
        .queriers_other = 1,
        .router_ports = 2,
        .filtered_sources = 4,
        .static_members = 1,
        .static_routers = 1,
        .rules_api = 3,
        .rules_config = 1,
        .streams = 2,
        .frames = 99,
        .joins = 5,
        .leaves = 3,
        .store_error = ctl->store_error,
    };
}

void
view_igmp_counters(struct ctl *ctl, view_counter_cb *cb, void *aux)
{
    (void) ctl;
    if (cb(aux, 4, "ok", 98) && cb(aux, 4, "bad-checksum", 1)) {
        cb(aux, 6, "ok", 12);
    }
}

/* Rules. */

static struct rule *
find(struct rule *rules, const char *name)
{
    struct rule *r;

    DL_FOREACH (rules, r) {
        if (!strcmp(r->name, name)) {
            return r;
        }
    }
    return NULL;
}

static bool
show_rule(const struct rule *r, view_rule_cb *cb, void *aux)
{
    struct view_status status = {.dpid = 1,
                                 .state = VIEW_APPLIED,
                                 .error = "",
                                 .packets = 10,
                                 .bytes = UINT64_C(1) << 53 | 1};
    struct view_rule v = {r->name, r->json, NULL, -1, &status, 1};

    v.origin = r->origin;
    if (!strncmp(r->name, "slow", 4)) {
        status.state = VIEW_PENDING;
        status.error = "no answer yet";
    }
    return cb(aux, &v);
}

static void
show_rules(struct rule *rules, view_rule_cb *cb, void *aux)
{
    struct rule *r;

    DL_FOREACH (rules, r) {
        if (!show_rule(r, cb, aux)) {
            break;
        }
    }
}

void
view_routes(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    show_rules(ctl->routes, cb, aux);
}

void
view_flows(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    show_rules(ctl->flows, cb, aux);
}

void
view_members(struct ctl *ctl, view_rule_cb *cb, void *aux)
{
    show_rules(ctl->members, cb, aux);
}

bool
view_member_rule(struct ctl *ctl, const char *name, view_rule_cb *cb,
                 void *aux)
{
    struct rule *r = find(ctl->members, name);

    return r && (show_rule(r, cb, aux), true);
}

bool
view_route(struct ctl *ctl, const char *name, view_rule_cb *cb, void *aux)
{
    struct rule *r = find(ctl->routes, name);

    return r && (show_rule(r, cb, aux), true);
}

bool
view_flow(struct ctl *ctl, const char *name, view_rule_cb *cb, void *aux)
{
    struct rule *r = find(ctl->flows, name);

    return r && (show_rule(r, cb, aux), true);
}

static void
finish_write(struct ctl *ctl, const char *name, enum ctl_outcome outcome,
             enum ctl_wait wait, ctl_done_cb *done, void *aux)
{
    if (!strncmp(name, "slow", 4) && wait == CTL_WAIT_APPLIED) {
        struct waiting *w = xmalloc(sizeof *w);
        *w = (struct waiting){.done = done, .aux = aux, .outcome = outcome};
        DL_APPEND(ctl->waiting, w);
    } else {
        finish(done, aux, outcome, "", "");
    }
}

/* Takes ownership of 'body'. */
static void
put(struct ctl *ctl, struct rule **rules, const char *name, struct cJSON *body,
    enum ctl_wait wait, ctl_done_cb *done, void *aux)
{
    char *json = cJSON_PrintUnformatted(body);
    struct rule *r = find(*rules, name);
    enum ctl_outcome outcome = CTL_CREATED;

    cJSON_Delete(body);
    if (!strncmp(name, "reject", 6)) {
        finish(done, aux, CTL_REJECTED, "OFPBAC_BAD_OUT_GROUP", "/flow");
    } else if (!strncmp(name, "invalid", 7)) {
        finish(done, aux, CTL_INVALID, "no such thing", "/to/0");
    } else if (!strncmp(name, "config", 6)) {
        finish(done, aux, CTL_FIXED, "it is in the configuration file", "");
    } else if (!strncmp(name, "full", 4)) {
        finish(done, aux, CTL_STORAGE, "No space left on device", "");
    } else {
        if (r) {
            outcome = strcmp(r->json, json) ? CTL_REPLACED : CTL_UNCHANGED;
            free(r->json);
        } else {
            r = xcalloc(1, sizeof *r);
            strcpy(r->name, name);
            r->origin = rules == &ctl->members ? "api" : NULL;
            DL_APPEND(*rules, r);
        }
        r->json = json;
        json = NULL;
        stub_ctl_emit(ctl, "rule.put", "{\"rule\":\"stub\"}");
        finish_write(ctl, name, outcome, wait, done, aux);
    }
    free(json);
}

static void
del(struct ctl *ctl, struct rule **rules, const char *name, enum ctl_wait wait,
    ctl_done_cb *done, void *aux)
{
    struct rule *r = find(*rules, name);

    if (!strncmp(name, "config", 6)) {
        finish(done, aux, CTL_FIXED, "it is in the configuration file", "");
        return;
    }
    if (!r) {
        finish(done, aux, CTL_NOT_FOUND, "", "");
        return;
    }
    DL_DELETE(*rules, r);
    free(r->json);
    free(r);
    stub_ctl_emit(ctl, "rule.deleted", "{\"rule\":\"stub\"}");
    finish_write(ctl, name, CTL_DELETED, wait, done, aux);
}

void
ctl_route_put(struct ctl *ctl, const struct route *route, enum ctl_wait wait,
              int64_t timeout_ms, ctl_done_cb *done, void *aux)
{
    (void) timeout_ms;
    put(ctl, &ctl->routes, route->name, route_to_json(route), wait, done, aux);
}

void
ctl_route_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                 int64_t timeout_ms, ctl_done_cb *done, void *aux)
{
    (void) timeout_ms;
    del(ctl, &ctl->routes, name, wait, done, aux);
}

void
ctl_flow_put(struct ctl *ctl, const struct static_rule *rule,
             enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *done,
             void *aux)
{
    (void) timeout_ms;
    put(ctl, &ctl->flows, rule->name, static_rule_to_json(rule), wait, done,
        aux);
}

void
ctl_flow_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                int64_t timeout_ms, ctl_done_cb *done, void *aux)
{
    (void) timeout_ms;
    del(ctl, &ctl->flows, name, wait, done, aux);
}

void
ctl_member_put(struct ctl *ctl, const struct member *member,
               enum ctl_wait wait, int64_t timeout_ms, ctl_done_cb *done,
               void *aux)
{
    (void) timeout_ms;
    put(ctl, &ctl->members, member->name, member_to_json(member), wait, done,
        aux);
}

void
ctl_member_delete(struct ctl *ctl, const char *name, enum ctl_wait wait,
                  int64_t timeout_ms, ctl_done_cb *done, void *aux)
{
    (void) timeout_ms;
    del(ctl, &ctl->members, name, wait, done, aux);
}

void
ctl_set_event_listener(struct ctl *ctl, ctl_event_cb *listener, void *aux)
{
    ctl->listener = listener;
    ctl->listener_aux = aux;
}

/* Doctor. */

void
doctor_findings(struct ctl *ctl, doctor_cb *cb, void *aux)
{
    (void) ctl;
    for (int i = 0; i < 2; i++) {
        struct doctor_finding f = {.check = &DOCTOR_CHECKS[i],
                                   .severity = DOCTOR_WARNING,
                                   .where = "vlan 0",
                                   .text = "a text",
                                   .evidence = "an \"evidence\"",
                                   .cure = "a cure",
                                   .age_ms = 1500};
        if (!cb(aux, &f)) {
            return;
        }
    }
}

void
doctor_counts(const struct ctl *ctl,
              struct doctor_count counts[DOCTOR_N_CHECKS])
{
    (void) ctl;
    memset(counts, 0, DOCTOR_N_CHECKS * sizeof *counts);
    counts[1] = (struct doctor_count){1, DOCTOR_WARNING};
}

/* Explain. */

bool
view_find_port(const struct ctl *ctl, uint64_t dpid, const char *name,
               struct port_id *id)
{
    (void) ctl;
    *id = (struct port_id){dpid, (uint64_t) atoi(name)};
    return id->port_no != 0;
}

void
view_explain(struct ctl *ctl, const struct explain_query *query,
             view_explain_cb *cb, void *aux)
{
    const struct explain_stage stages[] = {{.name = "ingress",
                                            .dpid = 1,
                                            .table = -1,
                                            .passes = true,
                                            .text = "it enters"},
                                           {.name = "channel",
                                            .dpid = 1,
                                            .table = 40,
                                            .passes = true,
                                            .text = "entry",
                                            .has_flow = true,
                                            .priority = 100,
                                            .actions = "group:1",
                                            .error = "",
                                            .packets = 7,
                                            .group_id = 1}};
    const struct explain_output output = {.port =
                                              port_id_make(1, 2, 0x0aff0002),
                                          .port_name = "s1-eth2",
                                          .actions = "",
                                          .origin = "member",
                                          .text = "it has joined"};
    (void) ctl;
    cb(aux, &(struct view_explain){.stages = stages,
                                   .n_stages = 2,
                                   .outputs = &output,
                                   .n_outputs = 1,
                                   .delivered = !query->has_to
                                                || query->to.port_no == 2,
                                   .reason = "delivered",
                                   .text = "a text",
                                   .cure = ""});
}

/* One packet, at once; a second one is being sampled. */
const char *
sample_begin(struct ctl *ctl, const struct explain_query *query, size_t n,
             sample_cb *cb, void *aux)
{
    struct sample_port port = {query->in, (char *) "s1-eth2"};
    struct sample_rewriting rewriting = {
        .actions = (char *) "", .ports = &port, .n_ports = 1};
    struct sample_packet packet = {.at = 4, .in = {.ttl = 7, .size = 41}};
    (void) ctl;
    if (n > 1) {
        return "the stream is being sampled";
    }
    packet.in.source = query->source;
    packet.in.destination = query->group;
    cb(aux, &(struct sample_result){.wanted = n,
                                    .packets = &packet,
                                    .n_packets = 1,
                                    .rewritings = &rewriting,
                                    .n_rewritings = 1,
                                    .lasted = 4});
    return NULL;
}
