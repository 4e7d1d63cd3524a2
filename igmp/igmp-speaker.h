/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SPEAKER_H
#define IGMP_SPEAKER_H 1

/* The host side of IGMP and MLD on one port: RFC 3376 section 5, RFC 3810
 * section 6, and RFC 2236, 1112 and 2710 where the querier is older (RFC 3376
 * 7.2, RFC 3810 8.2).
 *
 * It tells of changes at once and again, answers queries, and knows nothing of
 * members: what is wanted of a group it asks for when it is going to speak,
 * so that many changes make one report.
 *
 * It never suppresses a report because another host spoke (which is optional
 * in RFC 3376 and would hide us from a snooping switch).
 *
 * Cost: nothing of it grows with the number of members.  Bursts are bounded:
 * so many frames, then a pause, whatever there is to say.
 *
 * Time: milliseconds; call igmp_speaker_run() no later than
 * igmp_speaker_deadline(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-merge.h"
#include "igmp/igmp-msg.h"
#include "igmp/igmp-say.h"
#include "lib/mcaddr.h"
#include "lib/timer-heap.h"

struct igmp_speaker_record;

/* What the speakers of a vlan have in common. */
struct igmp_speaker_env {
    struct igmp_voice voice;
    int robustness;  /* Unless the querier tells its own. */
    int version;     /* Until asked for the first time. */
    uint64_t random; /* State of a generator: any seed will do. */

    /* Merges what is wanted of a group, but by those behind the port. */
    void (*wanted)(void *aux, const struct ip_addr *group,
                   const struct port_id *, struct igmp_merge *);
    struct igmp_merge merge; /* For its use. */
};

struct igmp_speaker {
    struct igmp_speaker_env *env;
    struct port_id port;

    struct igmp_speaker_record *records; /* By group. */
    /* What may have changed, and what is to be told again, soonest first. */
    struct igmp_speaker_record *fresh, *again;
    int64_t fresh_since;

    struct timer_heap answers;          /* To specific queries. */
    int64_t answer_at;                  /* To a general one, or to go on. */
    int64_t answer_step;                /* Between its frames. */
    int64_t answer_again;               /* Asked meanwhile; 0: no. */
    struct igmp_speaker_record *cursor; /* Where to go on, NULL: begin. */

    /* RFC 3376 7.2.1: Older Version Querier Present timers. */
    int64_t v1_until, v2_until;
    int version; /* Of the answers that are pending. */
    int robustness;
    bool asked;
    int64_t paused_until;
};

void igmp_speaker_init(struct igmp_speaker *, struct igmp_speaker_env *,
                       const struct port_id *);
void igmp_speaker_uninit(struct igmp_speaker *);

/* What is wanted of 'group' may have changed. */
void igmp_speaker_changed(struct igmp_speaker *, const struct ip_addr *group,
                          int64_t now);

/* A query that those behind the port have heard. */
struct igmp_question {
    int version;
    struct ip_addr group;               /* IP_ADDR_ANY: a general one. */
    const struct igmp_sources *sources; /* NULL: none. */
    int64_t max_resp_ms;
    int qrv; /* 0: not told. */
    /* RFC 3376 8.12: for how long it makes us speak an older version. */
    int64_t older_present;
};
void igmp_speaker_asked(struct igmp_speaker *, const struct igmp_question *,
                        int64_t now);

void igmp_speaker_run(struct igmp_speaker *, int64_t now);
int64_t igmp_speaker_deadline(const struct igmp_speaker *);
/* Compatibility mode, 7.2.1. */
int igmp_speaker_version(const struct igmp_speaker *, int64_t now);

#endif
