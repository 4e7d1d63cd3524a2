/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_FAKE_TABLES_H
#define TESTS_SIM_FAKE_TABLES_H 1

/* The flow, group and meter tables of the fake switch, and what Open vSwitch
 * 3.1 checks when they change.
 *
 * A change is first made and noted in a log; fake_tables_commit() makes it
 * last, fake_tables_revert() takes it back.  So one modification, or a bundle
 * of many, is all or nothing.  Meters are outside of that, as in OVS. */

#include <stdint.h>

#include <openvswitch/hmap.h>
#include <openvswitch/list.h>
#include <openvswitch/match.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-meter.h>

enum { FAKE_N_TABLES = 254 };

struct fake_flow {
    struct hmap_node node;
    uint8_t table;
    uint16_t priority;
    struct minimatch match;
    ovs_be64 cookie;
    uint16_t idle_timeout, hard_timeout;
    enum ofputil_flow_mod_flags flags;
    struct ofpact *ofpacts;
    size_t ofpacts_len;
    uint64_t packets, bytes;
    int64_t created, used;
};

struct fake_group {
    struct hmap_node node;
    uint32_t id;
    uint8_t type;
    struct ovs_list buckets; /* struct ofputil_bucket. */
    uint64_t packets, bytes;
};

struct fake_meter {
    struct hmap_node node;
    struct ofputil_meter_config config; /* Owns 'bands'. */
    uint64_t packets;
};

struct fake_change {
    struct fake_flow *old_flow, *new_flow;
    struct fake_group *old_group, *new_group;
    int reason; /* OFPRR_*, for a flow that goes. */
};

struct fake_tables {
    struct hmap flows[FAKE_N_TABLES], groups, meters;
    size_t n_flows, max_flows, max_groups; /* max 0 = no limit. */
    uint64_t n_cascaded;
    struct fake_change *log;
    size_t n_log, allocated_log;
};

void fake_tables_init(struct fake_tables *);
void fake_tables_uninit(struct fake_tables *);
void fake_tables_wipe(struct fake_tables *);

enum ofperr fake_tables_flow_mod(struct fake_tables *,
                                 const struct ofputil_flow_mod *, int64_t now);
enum ofperr fake_tables_group_mod(struct fake_tables *,
                                  const struct ofputil_group_mod *);
enum ofperr fake_tables_meter_mod(struct fake_tables *,
                                  const struct ofputil_meter_mod *);
/* Removes what was idle for too long. */
void fake_tables_expire(struct fake_tables *, int64_t now);

/* 'removed' is called for each flow that went and asked for it. */
typedef void fake_removed_cb(void *aux, const struct fake_flow *, int reason);
void fake_tables_commit(struct fake_tables *, fake_removed_cb *, void *aux);
void fake_tables_revert(struct fake_tables *);

struct fake_flow *fake_tables_lookup(const struct fake_tables *, uint8_t table,
                                     const struct flow *);
struct fake_group *fake_tables_lookup_group(const struct fake_tables *,
                                            uint32_t id);
struct fake_meter *fake_tables_lookup_meter(const struct fake_tables *,
                                            uint32_t id);
/* Does 'flow' fall under a flow stats request or a loose delete? */
bool fake_flow_selected(const struct fake_flow *, const struct match *,
                        uint8_t table, ovs_be64 cookie, ovs_be64 cookie_mask,
                        ofp_port_t out_port, uint32_t out_group);

char *fake_flow_format(const struct fake_flow *);
char *fake_group_format(const struct fake_group *);

#endif
