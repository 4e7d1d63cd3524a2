/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_GROUP_H
#define IGMP_GROUP_H 1

/* One group on one port: filter mode, sources, timers (RFC 3376 section 6).
 *
 * The machine knows nothing of frames, of IPv4 or of other ports: records
 * come in as sorted address lists, what it wants to ask or to tell leaves
 * through 'struct igmp_group_ctx'.  So MLD (RFC 3810 section 7 is the same
 * machine) only needs its own codec.
 *
 * Time: 'ctx->now', milliseconds; a timer is the time when it runs out.  The
 * caller arms one timer with 'ctx->soonest' after each call, and calls
 * igmp_group_run() when it is due.
 *
 * Its two lists have files of their own: igmp-sources.h, igmp-hosts.h.
 *
 * Limits: IGMP_MAX_SOURCES sources, 'ctx->sources' of a port; what would pass
 * them is left out and counted in 'ctx->refused'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-msg.h"
#include "igmp/igmp-snoop.h"
#include "lib/mcaddr.h"

struct igmp_hosts;
struct igmp_wish;

/* RFC 3376 section 8, as they are in force at the moment. */
struct igmp_times {
    int64_t membership;       /* Group Membership Interval, 8.4. */
    int64_t older_host;       /* Older Host Present Interval, 8.13. */
    int64_t last_member;      /* Last Member Query Interval, 8.8. */
    int last_member_count;    /* Last Member Query Count, 8.9. */
    int64_t last_member_time; /* Last Member Query Time, 8.10. */
    int query_version;        /* Of our queries: 0: we send none. */
    int finish_version;       /* If that is 0: of those that we finish. */
    int robustness;
    /* Who has been silent for this long did not answer a general query. */
    int64_t host_silent;
};

/* Of a specific query that may have been begun before: RFC 2236 3. */
static inline int
igmp_times_repeat_version(const struct igmp_times *t)
{
    return t->query_version ? t->query_version : t->finish_version;
}

/* How many there are, and may be. */
struct igmp_quota {
    uint32_t n, max;
};

/* What a call needs and what comes out of it. */
struct igmp_group_ctx {
    const struct igmp_times *times;
    struct igmp_hosts *hosts; /* Of the vlan. */
    /* Of the port: of its groups, and of its hosts' own filters. */
    struct igmp_quota *sources, *host_sources;
    int64_t now;
    enum igmp_leave leave;
    bool asks_hosts; /* Silent hosts are asked one by one. */
    bool may_share;  /* One copy for all will do where hosts may be hidden. */

    /* Sends Q(G), or Q(G,S) if 'n' is not 0. */
    void (*query)(void *aux, const struct ip_addr *sources, size_t n,
                  bool suppress);
    /* Sends Q(G) to this host alone.  May be NULL if not 'asks_hosts'. */
    void (*ask_host)(void *aux, const struct igmp_wish *);
    /* A source got (1) or lost (-1) a treatment of its own: it is wanted in
     * INCLUDE mode or blocked in EXCLUDE mode. */
    void (*special)(void *aux, const struct ip_addr *source, int delta);
    void *aux;

    bool changed;       /* What the port gets is not what it got before. */
    bool hosts_changed; /* What some host wants is not what it wanted. */
    int64_t soonest;    /* Call igmp_group_run() no later. */
    size_t refused;     /* Sources beyond a limit. */
};

/* What few have. */
struct igmp_rare {
    int64_t v1_until;     /* IGMPv1 hosts are present, 7.3.2. */
    int64_t hidden_until; /* Hosts may be present that we do not know of: we
                           * were away, they have not been heard yet. */
    int64_t next_ask;     /* Of hosts one by one. */
};

struct igmp_group {
    int64_t timer;        /* EXCLUDE: the group timer.  INCLUDE: INT64_MAX. */
    int64_t v2_until;     /* IGMPv2 hosts are present, 7.3.2. */
    int64_t last_lowered; /* When hosts were last asked who is there. */
    int64_t next_query;   /* INT64_MAX: none to be sent again. */
    uint8_t queries_left; /* Of Q(G).  Those of Q(G,S): in 'sources'. */
    bool exclude;
    bool restored; /* Nobody has reported yet. */
    /* Whatever is configured, one copy for all until we know who is there:
     * 'hidden_until'; with 'hides' for as long as there are hosts of older
     * versions, which may hide others. */
    bool one_copy, hides;
    bool unicast;        /* Each host gets a copy of its own. */
    bool sources_warned; /* Of the watermark. */

    uint16_t n_sources, allocated_sources; /* Sorted by address. */
    uint16_t n_hosts, allocated_hosts;     /* Sorted by MAC. */
    struct igmp_source_view *sources;
    union {
        struct igmp_wish *one; /* If 'allocated_hosts' is 0. */
        struct igmp_wish **many;
    } hosts;
    struct igmp_rare *rare; /* NULL: none of it. */
};

static inline void
igmp_group_wake(struct igmp_group_ctx *ctx, int64_t at)
{
    ctx->soonest = at < ctx->soonest ? at : ctx->soonest;
}

/* A new one forwards nothing: INCLUDE({}), the RFC's "no state". */
void igmp_group_init(struct igmp_group *);
/* Tells 'ctx' that no source is special any more. */
void igmp_group_uninit(struct igmp_group *, struct igmp_group_ctx *);

/* Would a record leave state where there is none yet? */
bool igmp_group_creates(uint8_t type, size_t n_sources);
bool igmp_group_is_empty(const struct igmp_group *);
int igmp_group_version(const struct igmp_group *, int64_t now);

/* One group record; 'sources' is sorted and has no doubles.  A v1 or v2 report
 * is MODE_IS_EXCLUDE({}), a leave CHANGE_TO_INCLUDE({}): RFC 3376 7.3.2;
 * 'version' is the version of the message. */
void igmp_group_record(struct igmp_group *, struct igmp_group_ctx *,
                       int version, uint8_t type,
                       const struct ip_addr *sources, size_t n);
/* Another router asked, 6.6.1: Q(G), or Q(G,S) if 'n' is not 0; who does not
 * answer within 'time' is gone. */
void igmp_group_asked(struct igmp_group *, struct igmp_group_ctx *,
                      int64_t time, const struct ip_addr *sources, size_t n);
/* For igmp-last-member.c.  The group timer runs out at 'at'. */
void igmp_group_set_timer(struct igmp_group *, struct igmp_group_ctx *,
                          int64_t at);
/* Is there nobody to ask, because we know of each host what it wants?  Older
 * ones may hide behind each other's reports. */
bool igmp_group_hosts_are_known(const struct igmp_group *,
                                const struct igmp_group_ctx *);
/* 6.5: when the group timer runs out, EXCLUDE (X,Y) becomes INCLUDE (X), Y is
 * deleted. */
void igmp_group_end_exclude(struct igmp_group *, struct igmp_group_ctx *);
/* The timer of a source runs out, 6.3 and 6.5: it goes from A, or from X to
 * Y. */
void igmp_group_expire_source(struct igmp_group *, struct igmp_group_ctx *,
                              struct igmp_source_view *);

/* Timers: 6.3, 6.5, 6.6.3. */
void igmp_group_run(struct igmp_group *, struct igmp_group_ctx *);
/* Its hosts are asked anew: nothing runs out before 'until', but for what a
 * last member query is being sent for. */
void igmp_group_linger(struct igmp_group *, struct igmp_group_ctx *,
                       int64_t until);
/* Puts back the state of before a restart, on a new one.  By 'answered_by' all
 * hosts have been heard. */
void igmp_group_restore(struct igmp_group *, struct igmp_group_ctx *,
                        bool exclude, const struct ip_addr *sources, size_t n,
                        int64_t answered_by);

/* INT64_MIN if all hosts are known. */
int64_t igmp_group_hidden_until(const struct igmp_group *);
/* There are hosts that we may not know of before 'until'. */
void igmp_group_hide(struct igmp_group *, struct igmp_group_ctx *,
                     int64_t until);
/* Made if there is none. */
struct igmp_rare *igmp_group_rare(struct igmp_group *);

/* Does the port get 'source' (IP_ADDR_ANY: one that no filter names)? */
bool igmp_group_forwards(const struct igmp_group *,
                         const struct ip_addr *source);

#endif
