/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_CASE_H
#define TESTS_SIM_SIM_CASE_H 1

/* A case for the whole controller with two fake switches: what hosts, streams
 * and an operator do, and what must have come of it.  All happens at the first
 * switch, but what hosts report; each function fails the test that runs if it
 * cannot be. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"
#include "tests/sim/sim-net.h"

enum { SIM_CASE_WAIT_MS = 10000, SIM_CASE_PORTS = 8 };

struct sim_case {
    struct sim_net net;
    uint16_t vlan;      /* Of the hosts and packets that come. */
    int hosts_at;       /* Index of the switch of the former: 0. */
    uint32_t enters_at; /* The port of the latter: 1. */
    bool answered;
    enum ctl_outcome outcome;
    char text[4096];
};

void sim_case_setup(struct sim_case *, const char *yaml);
/* The controller comes again, with all that it had stored. */
void sim_case_restart(struct sim_case *);
/* Files of this process grow no more: the store refuses. */
void sim_case_refuse_to_store(bool);
struct ip_addr sim_case_address(const char *);

/* Writes: what came of it, when it was answered. */
void sim_case_written(void *case_, const struct ctl_result *);
enum ctl_outcome sim_case_wait_written(struct sim_case *);
enum ctl_outcome sim_case_put_route(struct sim_case *, const char *name,
                                    const char *json);

/* A host behind 'port'; 'source' "" is any.  The first does not wait until it
 * has been handled. */
void sim_case_say(struct sim_case *, uint32_t port, uint16_t host,
                  const char *group, const char *source, bool leave);
void sim_case_report_of(struct sim_case *, uint32_t port, uint16_t host,
                        const char *group, const char *source, bool leave);
void sim_case_report(struct sim_case *, uint32_t port, const char *group,
                     const char *source, bool leave);
void sim_case_join(struct sim_case *, uint32_t port, const char *group);

/* A packet of a stream; its size. */
size_t sim_case_build(const struct sim_case *, const char *source,
                      const char *group, uint8_t *frame);
void sim_case_send_packet(struct sim_case *, const char *source,
                          const char *group);
/* Where it comes out, and with which TTL: "PORT/TTL ", of copies for one host
 * "PORT:HOST/TTL ". */
void sim_case_expect_copies(struct sim_case *, const char *source,
                            const char *group, const char *want);

/* Modifications of flows and groups so far, of both switches. */
uint64_t sim_case_n_mods(const struct sim_case *);
/* "DPID:STATE DPID:STATE" of a route; "SOURCE>GROUP ..." of all. */
void sim_case_expect_status(struct sim_case *, const char *name,
                            const char *want);
void sim_case_expect_streams(struct sim_case *, const char *want);

#endif
