/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_FAKE_PRIVATE_H
#define TESTS_SIM_FAKE_PRIVATE_H 1

/* What the files of the fake switch share. */

#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-monitor.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofp-packet.h>
#include <openvswitch/ofp-port.h>
#include <openvswitch/ofp-switch.h>
#include <openvswitch/ofpbuf.h>

#include "tests/sim/fake-packet.h"
#include "tests/sim/fake-switch.h"
#include "tests/sim/fake-tables.h"

enum { FAKE_MAX_PORTS = 4096 };

struct fake_port {
    struct ofputil_phy_port desc;
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_dropped, tx_dropped;
    bool counts_errors;
    uint64_t rx_errors, tx_errors;
};

struct fake_bundle {
    struct ovs_list node;
    uint32_t id;
    uint16_t flags;
    bool closed;
    struct ofpbuf **messages; /* Whole BUNDLE_ADD_MESSAGEs. */
    size_t n, allocated;
};

/* FLOW_REMOVED that waits to be told. */
struct fake_removed {
    struct ovs_list node; /* In fake_switch.removed. */
    int64_t due;
    int64_t created;
    struct ofputil_flow_removed body;
};

struct fake_switch {
    uint64_t dpid;
    struct fake_switch_ops ops;
    void *aux;
    struct fake_switch_faults faults;
    struct fake_switch_counters counters;
    int64_t now;

    bool connected, busy, trace;
    struct ofpbuf input;
    struct ofputil_switch_config config;
    struct ovs_list bundles;
    struct ovs_list removed; /* Those that are due first stand first. */

    struct fake_tables tables;
    struct fake_port *ports; /* Sorted by number. */
    size_t n_ports, allocated_ports;
};

/* fake-switch.c */
void fake_send(struct fake_switch *, struct ofpbuf *); /* Takes 'msg'. */
void fake_send_error(struct fake_switch *, enum ofperr,
                     const struct ofp_header *);
void fake_settle(struct fake_switch *);
enum ofperr fake_modify(struct fake_switch *, const struct ofp_header *);
enum ofperr fake_check_mod(const struct ofp_header *);

/* fake-bundle.c */
enum ofperr fake_bundle_control(struct fake_switch *,
                                const struct ofp_header *);
enum ofperr fake_bundle_add(struct fake_switch *, const struct ofp_header *);
void fake_bundles_forget(struct fake_switch *);

/* fake-stats.c */
enum ofperr fake_stats(struct fake_switch *, enum ofptype,
                       const struct ofp_header *);

/* fake-pipeline.c */
enum ofperr fake_packet_out(struct fake_switch *, const struct ofp_header *);

#endif
