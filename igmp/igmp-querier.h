/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_QUERIER_H
#define IGMP_QUERIER_H 1

/* Who asks on a vlan, and when: start-up burst, general queries, election
 * (RFC 3376 6.6.2, RFC 4541 2.1.1), the other querier's timers while it is
 * not us (RFC 3376 4.1.6, 4.1.7).
 *
 * Time: milliseconds; call igmp_querier_run() no later than
 * igmp_querier_deadline().  It sends nothing itself: it says when to. */

#include <stdbool.h>
#include <stdint.h>

#include "igmp/igmp-group.h"
#include "igmp/igmp-msg.h"
#include "igmp/igmp-snoop.h"
#include "lib/mcaddr.h"

/* Somebody who asks although another is the querier: it has lost the election,
 * should have noticed, and goes on (RFC 3376 6.6.2 has it fall silent). */
struct igmp_rival {
    struct ip_addr address; /* IP_ADDR_ANY: a proxy's queries, 0.0.0.0. */
    struct port_id port;
    unsigned int n_queries; /* General ones in a row; 0: there is none. */
    int64_t heard;
};

struct igmp_querier {
    struct igmp_config config;
    bool ours;
    int64_t since;      /* When 'ours' last changed. */
    int64_t next_query; /* INT64_MAX if not ours. */
    int startup_left;   /* General queries of the burst. */
    /* Not ours any more, but the last member queries that ran then go on until
     * this time; INT64_MAX: they do not. */
    int64_t finishes;
    /* So long hosts keep to an older version that somebody asked in;
     * INT64_MIN: nobody did. */
    int64_t older_until;

    /* The other; all but 'expires' mean nothing if that is INT64_MAX. */
    int64_t expires; /* Other Querier Present timer. */
    int64_t heard;
    struct ip_addr address;
    struct port_id port;
    int version;
    int robustness; /* Its own, 0 = not told. */
    int64_t query_interval, query_response_interval; /* Same. */

    struct igmp_rival rival; /* The last one. */
};

void igmp_querier_init(struct igmp_querier *, const struct igmp_config *,
                       int64_t now);
/* What returns bool returns true if 'ours' changed. */
bool igmp_querier_set_config(struct igmp_querier *, const struct igmp_config *,
                             int64_t now);
/* Any query: hosts fall back to its version (RFC 3376 7.2.1). */
void igmp_querier_hear_version(struct igmp_querier *, const struct igmp_msg *,
                               int64_t now);
/* A query from an address that is neither 0.0.0.0 nor our own. */
bool igmp_querier_input(struct igmp_querier *, const struct port_id *,
                        const struct igmp_msg *, int64_t now);
/* A query from 0.0.0.0, which is no querier's. */
void igmp_querier_hear_proxy(struct igmp_querier *, const struct port_id *,
                             const struct igmp_msg *, int64_t now);
/* The port went away, and with it the querier if it was there: we take over
 * at the next igmp_querier_run(). */
void igmp_querier_port_down(struct igmp_querier *, const struct port_id *,
                            int64_t now);
/* '*send': send a general query now. */
bool igmp_querier_run(struct igmp_querier *, int64_t now, bool *send);
int64_t igmp_querier_deadline(const struct igmp_querier *);

/* Do we ask in our own name: as querier, or to finish what we began as one? */
bool igmp_querier_speaks(const struct igmp_querier *);
/* What is in force at the moment: ours, or what the other told. */
int igmp_querier_robustness(const struct igmp_querier *);
int64_t igmp_querier_query_interval(const struct igmp_querier *);
void igmp_querier_times(const struct igmp_querier *, struct igmp_times *);
/* Other Querier Present Interval, RFC 3376 8.5. */
int64_t igmp_querier_other_present(const struct igmp_querier *);
/* Startup Query Interval, RFC 3376 8.6. */
int64_t igmp_querier_startup_interval(const struct igmp_querier *);
void igmp_querier_view(const struct igmp_querier *, int64_t now,
                       struct igmp_querier_view *);

#endif
