/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LINKS_RIG_H
#define TESTS_UNIT_LINKS_RIG_H 1

/* Switches, cables between their ports and a clock, around topo-links.
 *
 * What happens is written into a transcript, "TIME WHAT PORT [PORT] [MORE]" a
 * line, as "10 up 1.1 2.1" or "260 role 1.2 edge". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topo/topo-links.h"
#include "topo/topo-probe.h"

enum { RIG_SWITCHES = 12, RIG_PORTS = 8, RIG_LOG_SIZE = 1 << 16 };

struct rig_port {
    bool up, hosts, forbidden;
    bool no_echo;
    struct port_id to; /* The cable's other end; dpid 0: none. */
    int loss;          /* Of what it sends, in a thousand. */
    unsigned int n_sent, n_up, n_down;
    unsigned int suspects[5];
    int64_t sent_at, changed_at;
};

struct rig_switch {
    bool connected, alive;
    struct rig_port ports[RIG_PORTS + 1];
};

struct rig_flight {
    struct rig_flight *prev, *next;
    int64_t at;
    struct port_id to;
    size_t size;
    uint8_t frame[TOPO_PROBE_SIZE];
};

struct rig {
    struct topo_links *l;
    struct topo_links_config config;
    int64_t now, delay;
    uint64_t random;
    struct rig_switch switches[RIG_SWITCHES + 1];
    struct rig_flight *flights; /* In order of time. */
    bool log_roles;
    char log[RIG_LOG_SIZE];
    size_t n_log;
    /* The last link probe that was sent out of the port 'tapped'. */
    struct port_id tapped;
    uint8_t tap[TOPO_PROBE_SIZE];
    size_t tap_size;
};

void rig_init(struct rig *);
void rig_uninit(struct rig *);
/* The daemon starts anew: with another seed, and the key that it is given. */
void rig_restart(struct rig *, uint8_t key);
struct port_id rig_id(unsigned int dpid, unsigned int port);
struct rig_port *rig_port(struct rig *, unsigned int dpid, unsigned int port);
unsigned int rig_random(struct rig *, unsigned int n); /* Below 'n'. */

void rig_switch_up(struct rig *, unsigned int dpid);
void rig_switch_away(struct rig *, unsigned int dpid);
void rig_port_up(struct rig *, unsigned int dpid, unsigned int port);
void rig_port_restored(struct rig *, unsigned int dpid, unsigned int port,
                       enum topo_role);
void rig_port_down(struct rig *, unsigned int dpid, unsigned int port);
/* A cable between the two ports, from whatever they were connected to. */
void rig_cable(struct rig *, unsigned int dpid_a, unsigned int port_a,
               unsigned int dpid_b, unsigned int port_b);
void rig_cut(struct rig *, unsigned int dpid, unsigned int port);
/* Switches and ports up, a cable between them. */
void rig_two(struct rig *);
/* A frame that somebody made comes in. */
enum topo_input rig_input(struct rig *, unsigned int dpid, unsigned int port,
                          const void *frame, size_t size);
/* Until 'now' is 't'. */
void rig_run(struct rig *, int64_t t);
enum topo_role rig_role(const struct rig *, unsigned int dpid,
                        unsigned int port);
bool rig_linked(const struct rig *, unsigned int dpid_a, unsigned int port_a,
                unsigned int dpid_b, unsigned int port_b);
void rig_clear(struct rig *); /* The transcript. */
/* It is exactly that. */
void rig_expect(struct rig *, const char *log);

#endif
