/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_FAKE_SWITCH_H
#define TESTS_SIM_FAKE_SWITCH_H 1

/* An OpenFlow 1.3 switch in memory, for tests: bytes in, bytes out, and an
 * answer to "a frame into port p comes out where, and how does it look?".
 *
 * It is the judge of what ofmcast sends, so it shares nothing with ofp/: it
 * decodes with libopenvswitch, keeps the tables itself, and refuses what Open
 * vSwitch 3.1 refuses, with the same errors (read in ofproto/ofproto.c):
 *
 *   - a flow that names a missing group or meter, an existing group added, a
 *     missing one modified;
 *   - deleting a group deletes the flows that name it;
 *   - a message that does not decode inside a bundle is left out of it and the
 *     bundle stays open; a commit is all or nothing;
 *   - a table that is full, and, by 'refuse', whatever a test wants refused.
 *
 * Frames are walked through the tables with our subset of actions: output,
 * group (type all), controller, set-field, TTL, push and pop of vlan tags,
 * write-actions as buckets have them, write-metadata, meters (counted, never
 * dropping), and NORMAL, which floods.  Rewriting the IPv4 addresses of later
 * fragments damages them as the userspace datapath of 3.1 does (ovs-facts.md
 * 4).
 *
 * Time: fake_switch_run() gives it; only idle timeouts use it.
 *
 * With OFM_TRACE in the environment every message is written to stderr.
 *
 * Ownership: ops borrow everything.  'send' may lead to fake_switch_input()
 * again: such bytes are handled when the current message is done. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_switch;

enum fake_mod_kind {
    FAKE_FLOW_ADD,
    FAKE_FLOW_MODIFY,
    FAKE_FLOW_MODIFY_STRICT,
    FAKE_FLOW_DELETE,
    FAKE_FLOW_DELETE_STRICT,
    FAKE_GROUP_ADD,
    FAKE_GROUP_MODIFY,
    FAKE_GROUP_DELETE,
    FAKE_METER_MOD,
    FAKE_N_MODS
};

struct fake_switch_ops {
    /* Bytes for the controller. */
    void (*send)(void *aux, const void *bytes, size_t size);
    /* A PACKET_OUT made 'frame' leave by 'out_port'.  May be NULL. */
    void (*output)(void *aux, uint32_t out_port, const void *frame,
                   size_t size);
    /* The tables may have changed: called after each modification outside a
     * bundle and after each commit, so between any two calls a stream sees one
     * state.  May be NULL. */
    void (*changed)(void *aux);
    /* Whether to refuse the modification numbered 'n' (from 0, of all kinds):
     * NULL, or the name of an error, "OFPFMFC_TABLE_FULL".  May be NULL. */
    const char *(*refuse)(void *aux, enum fake_mod_kind, uint64_t n);
};

struct fake_switch *
fake_switch_create(uint64_t dpid, const struct fake_switch_ops *, void *aux);
void fake_switch_destroy(struct fake_switch *);

/* Faults: set at any time. */
struct fake_switch_faults {
    size_t max_flows, max_groups; /* 0 = no limit. */
    bool no_bundles;              /* As a switch that knows none. */
    bool mute;                    /* Sends nothing at all. */
    bool drop_barriers;           /* Answers no barrier. */
    bool no_port_stats;           /* Does not count at its ports. */
    bool drop_port_stats;         /* Does not tell what it counts there. */
    /* So much later it tells that a flow is gone, as OVS does when its threads
     * have more to do: barriers do not wait for it. */
    int64_t removed_late_ms;
};

struct fake_switch_faults *fake_switch_faults(struct fake_switch *);

/* Connection.  Connecting sends HELLO; disconnecting forgets open bundles and
 * half a message, and keeps the tables (fail_mode=secure). */
void fake_switch_connect(struct fake_switch *);
void fake_switch_disconnect(struct fake_switch *);
void fake_switch_input(struct fake_switch *, const void *bytes, size_t size);
void fake_switch_run(struct fake_switch *, int64_t now);
/* Empties the tables, as a restart of ovs-vswitchd does. */
void fake_switch_wipe(struct fake_switch *);

/* Ports.  PORT_STATUS goes out when connected. */
void fake_switch_add_port(struct fake_switch *, uint32_t no, const char *name);
void fake_switch_remove_port(struct fake_switch *, uint32_t no);
void fake_switch_set_port(struct fake_switch *, uint32_t no, bool up);
/* Counts this many drops more, or errors, which are not known before. */
void fake_switch_lose(struct fake_switch *, uint32_t no, uint64_t rx,
                      uint64_t tx);
void fake_switch_err(struct fake_switch *, uint32_t no, uint64_t rx,
                     uint64_t tx);

/* Frames.  'cb' (may be NULL) gets each copy that leaves; 'out_port' is
 * FAKE_PORT_CONTROLLER for one that was punted, whether or not anybody is
 * connected to get it. */
enum { FAKE_PORT_CONTROLLER = 0xfffffffd, FAKE_PORT_LOCAL = 0xfffffffe };
typedef void fake_output_cb(void *aux, uint32_t out_port, const void *frame,
                            size_t size);
void fake_switch_packet(struct fake_switch *, uint32_t in_port,
                        const void *frame, size_t size, fake_output_cb *cb,
                        void *aux);

/* The same as a question only: no counter moves, nobody is told. */
void fake_switch_probe(struct fake_switch *, uint32_t in_port,
                       const void *frame, size_t size, fake_output_cb *cb,
                       void *aux);

/* Changes the tables as somebody else would with ovs-ofctl: 'command' is
 * "add-flow", "del-flows", "add-group", "mod-group" or "del-groups".  Returns
 * false, with the reason on stderr, if that is not possible. */
bool fake_switch_ofctl(struct fake_switch *, const char *command,
                       const char *text);

/* What the tables hold, in ovs-ofctl's words, sorted: one line a flow
 * ("table=40 cookie=0x1 priority=5,ip,nw_dst=226.2.2.2 idle=0
 * actions=group:7") or group ("group_id=7 type=all bucket=output:1
 * bucket=..").  free() them. */
char *fake_switch_dump_flows(const struct fake_switch *);
char *fake_switch_dump_groups(const struct fake_switch *);
/* The same lines out of ovs-ofctl syntax, to compare with. */
char *fake_switch_format_flow(const char *text);
char *fake_switch_format_group(const char *text);

struct fake_switch_counters {
    size_t flows, groups, meters;
    uint64_t mods[FAKE_N_MODS]; /* Tried, in and out of bundles. */
    uint64_t n_mods;            /* Their sum. */
    uint64_t barriers, errors, packet_outs, packet_ins, flow_removed;
    uint64_t echo_replies; /* To what a test sent past the switch. */
    uint64_t commits, failed_commits, discards;
    /* What a good controller never causes. */
    uint64_t cascaded;      /* Flows that vanished with their group. */
    uint64_t bad_out_group; /* Flows refused as they named no group. */
    uint64_t undecodable;   /* Messages that no switch understands. */
    uint64_t crashes;       /* Bundles that failed after a cascade: there
                             * ovs-vswitchd 3.1.0 aborts. */
    uint64_t damaged;       /* Later fragments damaged by rewriting. */
};

void fake_switch_counters(const struct fake_switch *,
                          struct fake_switch_counters *);

#endif
