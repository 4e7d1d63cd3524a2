/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_TRACE_H
#define API_CTL_TRACE_H 1

/* Reads what "ovs-appctl ofproto/trace" and "ovs-appctl dpif/show" print
 * (measured on Open vSwitch 3.1; tests/golden/trace), for comparing what a
 * switch does with what it shall do.
 *
 * The texts may hold anything: what is not understood is left out, and said
 * by 'partial'.  No function keeps a pointer into a text that it is given. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many outputs as that are remembered of a trace: a switch has 65,280. */
enum { CTL_TRACE_MAX_PORTS = 65536 };

/* What a trace ends in.  Zeroed to begin with. */
struct ctl_trace {
    uint32_t *ports; /* Numbers in the datapath; repeated as in the text. */
    size_t n_ports, allocated;
    bool controller; /* A copy goes to the controller. */
    bool partial;    /* Something was not understood, or goes round again. */
    bool slow_path;  /* Open vSwitch says that its slow path does it. */
    char *actions;   /* The text of the datapath's actions; NULL: none. */
    char *megaflow;  /* What decided; NULL: not said. */
};

/* False if 'text' is no trace with datapath actions. */
bool ctl_trace_parse(struct ctl_trace *, const char *text);
bool ctl_trace_has(const struct ctl_trace *, uint32_t dp_port);
void ctl_trace_clear(struct ctl_trace *);

/* A port of a bridge. */
struct ctl_dpif_port {
    char *bridge, *name;
    uint32_t port;    /* As in OpenFlow; the local one is 65534. */
    uint32_t dp_port; /* In the datapath. */
    bool has_dp_port; /* Patch ports have none. */
};

/* Zeroed to begin with. */
struct ctl_dpif {
    struct ctl_dpif_port *ports;
    size_t n_ports, allocated;
};

/* False if 'text' names no port. */
bool ctl_dpif_parse(struct ctl_dpif *, const char *text);
/* By name, which no two bridges share, and number, which tells a port of
 * another Open vSwitch that has the same name.  NULL if there is none. */
const struct ctl_dpif_port *ctl_dpif_lookup(const struct ctl_dpif *,
                                            const char *name, uint32_t port);
void ctl_dpif_clear(struct ctl_dpif *);

#endif
