/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SPEAKER_PRIVATE_H
#define IGMP_SPEAKER_PRIVATE_H 1

/* One group of a speaker:
 *
 *   igmp-speaker.c          when to speak
 *   igmp-speaker-record.c   what to say */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-merge.h"
#include "igmp/igmp-say.h"
#include "igmp/igmp-table.h"
#include "lib/mcaddr.h"
#include "lib/timer-heap.h"

enum igmp_speaker_queue {
    IGMP_SPEAKER_QUIET,
    IGMP_SPEAKER_FRESH,
    IGMP_SPEAKER_AGAIN
};

/* A source whose treatment has changed: to be told 'left' times. */
struct igmp_speaker_source {
    struct ip_addr address;
    uint8_t left;
};

/* To a query of this group that waits for its random time. */
struct igmp_speaker_answer {
    struct timer_node timer; /* First: see igmp_speaker_answer_of(). */
    struct igmp_speaker_record *record;
    bool of_sources;           /* All queries named sources: these. */
    struct igmp_merge sources; /* Serves as a set. */
};

struct igmp_speaker_record {
    struct ip_addr group;
    UT_hash_handle hh;
    struct igmp_speaker_record *prev, *next; /* Of its queue. */
    int64_t again_at;
    struct igmp_speaker_answer *answer; /* NULL: nobody asked. */

    /* What was told, or is going to be; sorted. */
    struct ip_addr *sources;
    uint16_t n_sources;
    bool exclude;

    uint8_t queue;
    uint8_t mode_left;   /* Filter-mode-change records to send, 5.1. */
    uint8_t joined_left; /* Versions 1 and 2: reports, or leaves. */
    uint16_t n_changes;
    struct igmp_speaker_source *changes; /* Sorted. */
};

static inline struct igmp_speaker_answer *
igmp_speaker_answer_of(struct timer_node *node)
{
    return (struct igmp_speaker_answer *) (void *) node;
}

/* Is it anything but INCLUDE({})? */
static inline bool
igmp_speaker_wants(const struct igmp_speaker_record *r)
{
    return r->exclude || r->n_sources;
}

static inline bool
igmp_speaker_is_pending(const struct igmp_speaker_record *r)
{
    return r->mode_left || r->joined_left || r->n_changes;
}

void igmp_speaker_record_uninit(struct igmp_speaker_record *);
/* 'm' is what is wanted now: its difference is to be told 'times' times. */
void igmp_speaker_record_update(struct igmp_speaker_record *,
                                const struct igmp_merge *m, uint8_t times);

/* Each once, by the version of 'say'. */
void igmp_speaker_say_change(struct igmp_speaker_record *, struct igmp_say *);
void igmp_speaker_say_state(const struct igmp_speaker_record *,
                            struct igmp_say *);
void igmp_speaker_say_answer(const struct igmp_speaker_record *,
                             struct igmp_say *);

#endif
