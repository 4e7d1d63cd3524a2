/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_IGMP_MODEL_H
#define TESTS_UNIT_IGMP_MODEL_H 1

/* A naive model of a vlan, which test-igmp-model compares the real one with:
 * sets are bit masks, timers are arrays, nothing is lazy, the rows of RFC 3376
 * 6.4 stand as the RFC has them. */

#include <stdbool.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"

enum {
    GROUPS = 4,
    PORTS = 5,
    SOURCES = 6,
    HOSTS = 4,
#ifdef OFM_SANITIZERS
    EVENTS = 100000 / 4,
#else
    EVENTS = 1000000 / 4,
#endif
    MAX_MOVES = 8,
    GMI = 260 * 1000,
    LMQT = 2 * 1000,
    ANSWERED = 10 * 1000 + 125 * 1000 / 4
};

/* A filter, of a host or of the operator. */
struct filter {
    bool there, exclude;
    unsigned int set;
};

/* One (group, port). */
struct model {
    const struct igmp_port_config *port;
    struct filter fixed;

    bool exclude;
    unsigned int x, y; /* Of INCLUDE (A), A is x. */
    int64_t group_timer;
    int64_t timers[SOURCES]; /* Of x. */
    int64_t asked;           /* When it was asked who is still there. */
    int64_t v1_until, v2_until, hidden_until;
    bool one_copy;
    struct {
        struct filter filter;
        int version;
        int64_t seen;
    } hosts[HOSTS];
};

/* What each of the sources is copied to: bits of hosts, bit HOSTS for all. */
struct copies {
    uint8_t of[SOURCES + 1];
};

struct world {
    struct igmp_snoop *s;
    enum igmp_family family;
    bool querier;
    int64_t now;
    unsigned int seed;
    struct igmp_port_config ports[PORTS];
    struct model models[GROUPS][PORTS];
    struct {
        int port; /* -1: none. */
        int64_t until;
        int n_moves;
    } former[HOSTS][PORTS];
    struct {
        int64_t at; /* 0: no. */
        int queries_left;
        unsigned int turn;
    } departs[HOSTS][PORTS]; /* It seems to have gone. */
    struct copies told[GROUPS][PORTS];
    unsigned int n_moved, n_departed, turn;
    bool is_static; /* The operator is at work. */
};

struct ip_addr model_addr(const struct world *w, const char *v6, uint32_t v4,
                          unsigned int n);
struct ip_addr model_group(const struct world *w, unsigned int g);
struct ip_addr model_source(const struct world *w, unsigned int s);
struct port_id model_port(unsigned int p);
int model_version(const struct world *w, const struct model *m);
void model_set_timers(struct model *m, unsigned int set, int64_t at);
bool model_exists(const struct model *m);
void model_reset(struct model *m);
void model_clean(struct world *w);
void model_record(struct world *w, struct model *m, int version, uint8_t type,
                  unsigned int sources, unsigned int host);
unsigned int model_groups(const struct world *w, unsigned int h,
                          unsigned int p);
void model_arrive(struct world *w, unsigned int h, unsigned int p);
/* What is due. */
void model_run(struct world *w);
bool model_is_unicast(const struct model *m);
struct copies model_copies(const struct model *m);
unsigned int model_specials(const struct model *m);
bool model_filter_wants(const struct filter *f, unsigned int s);
void model_lower_sources(const struct world *w, struct model *m,
                         unsigned int set);
void model_lower_group(const struct world *w, struct model *m);

#endif
