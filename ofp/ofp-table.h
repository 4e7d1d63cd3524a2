/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_TABLE_H
#define OFP_TABLE_H 1

/* What one switch shall hold, what it does hold, and the way from one to the
 * other.
 *
 * The caller says what is desired.  ofp_table_run() compares that with what is
 * installed and sends the difference as one round: groups that are new or
 * changed, flows that go, flows that are new or changed, groups that go, and a
 * barrier.  So a group exists before a flow names it and a flow is gone before
 * its group is.  One round is in flight at a time; changes made meanwhile go
 * into the next one and cancel out among themselves.  A round of several
 * messages travels in a bundle (all or nothing) where the switch takes them;
 * if one of its messages is refused the bundle is discarded and the round is
 * repeated message by message, so that the rest is not held up.
 *
 * An entry is a flow with, perhaps, the ALL group that belongs to it; the
 * table picks the group's id and keeps it while the entry lives, also over a
 * reconnect or a restart of the controller.
 *
 *       set, unset          run: one round           barrier reply
 *   desired ------> dirty ------------------> sent ----------------> installed
 *                     ^                                  | error
 *                     +---- retry with back-off <--- rejected
 *
 * On connect the table reads back flows, groups and meters.  What carries our
 * cookie, or a group id of our range, is ours and is adopted; the rest is
 * foreign: counted and never touched.  An entry whose table, priority and
 * match a foreign flow has is rejected.  (One that came since the last
 * read-back is not known of; OpenFlow has no "add unless it is there".)  The
 * caller is told of each adopted entry and then, by 'synced', that it may
 * compile; the first run after it sends the difference only.
 *
 * Every OFP_AUDIT_MS (less often where a read-back takes long) this is
 * repeated while rounds go on; drift is counted and mended.  A deleted flow
 * that tells of its removal, and a deleted group that is changed, are noticed
 * at once; after the former, and after an audit that found drift, the next
 * audit comes soon.  A flow with an idle timeout that has expired is over: it
 * is forgotten as if it had been unset.
 *
 * Canonical form: an entry is kept as the FLOW_MOD and GROUP_MOD that would
 * add it, byte for byte as libopenvswitch would encode them.  What was read
 * back is brought into that form, so that equal is what has the same bytes;
 * and equal messages of a table are kept once (ofp-blob.h).
 *
 * Limits: a message over 65,535 bytes is refused here, as libopenvswitch
 * would wrap its length (ovs-facts).  A round is at most OFP_ROUND_BYTES, a
 * read-back 64 MiB and 30 s.  A channel of a few members costs 200 bytes.
 * Meters are set and changed, never deleted.
 *
 * Time: 'now' in monotonic milliseconds.  Ownership: ops borrow everything. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofp/ofp-error.h"
#include "ofp/ofp-flow.h"
#include "ofp/ofp-static.h"

struct ofp_flow_removed; /* ofp-session.h */
struct ofp_table;

enum {
    OFP_AUDIT_MS = 30000,
    OFP_AUDIT_SOON_MS = 1000, /* If a flow was removed, or after drift. */
    OFP_ROUND_BYTES = 4 << 20,
    OFP_RETRY_FIRST_MS = 1000, /* Doubles up to... */
    OFP_RETRY_LAST_MS = 60000
};

/* Who an entry is for: the caller's number, 0 = none. */
typedef uint64_t ofp_owner;

enum ofp_entry_state {
    OFP_ENTRY_PENDING, /* Not (fully) on the switch yet. */
    OFP_ENTRY_APPLIED, /* Confirmed by a barrier. */
    OFP_ENTRY_REJECTED /* The switch said no: see the error. */
};

/* An entry as it stands. */
struct ofp_entry_view {
    uint8_t table;
    uint16_t priority;
    uint32_t group_id; /* 0 = none. */
    ofp_owner owner;
    enum ofp_entry_state state;
    const char *error;       /* "OFPBAC_BAD_OUT_GROUP ..."; "" if none. */
    uint64_t packets, bytes; /* Of the flow, at 'counted'. */
    int64_t counted;         /* When they were read; 0 = never. */
};

/* What was found on the switch and is ours. */
struct ofp_adopted {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    struct ofp_match match; /* As far as struct ofp_match can say it... */
    bool match_understood;  /* ...which was all of it. */
    const struct ofp_copy *copies; /* The group's buckets, in their order. */
    size_t n_copies;
    bool has_group;
    bool punts; /* It has an action to the controller. */
};

struct ofp_table_ops {
    void (*send)(void *aux, const void *msg, size_t size);
    /* In the order of tables, priorities and matches. */
    void (*adopted)(void *aux, const struct ofp_adopted *);
    void (*synced)(void *aux);
    /* Everything set up to and including change 'seqno' has been answered:
     * applied or rejected. */
    void (*settled)(void *aux, uint64_t seqno);
    /* The switch refused an entry of 'owner'. */
    void (*rejected)(void *aux, ofp_owner owner, const char *error);
    /* New flow counters have come in. */
    void (*counted)(void *aux);
    /* Something of ours had been changed behind our back. */
    void (*drifted)(void *aux, size_t n_entries);
    /* Unrecoverable: close the connection. */
    void (*failed)(void *aux, const char *reason);
};

struct ofp_table *ofp_table_create(const struct ofp_table_ops *, void *aux);
void ofp_table_destroy(struct ofp_table *);

/* Connection. */
void ofp_table_connected(struct ofp_table *, int64_t now);
void ofp_table_disconnected(struct ofp_table *);
bool ofp_table_is_synced(const struct ofp_table *);
/* A reply from the switch, whole: errors, barriers, multiparts, bundles.
 * False if it belongs to nothing that the table sent. */
bool ofp_table_input(struct ofp_table *, const void *msg, size_t size,
                     int64_t now);
/* A flow is gone.  False if that is no news: the one of that match which is
 * there now, or on its way, has been made since.  If one of ours went by a
 * timeout it is not desired any more; else it is put back. */
bool ofp_table_flow_removed(struct ofp_table *,
                            const struct ofp_flow_removed *, int64_t now);
/* Sends a round if one is due and none is in flight; retries; audits. */
void ofp_table_run(struct ofp_table *, int64_t now);
int64_t ofp_table_deadline(const struct ofp_table *);

/* Desired state.  Returns 0, or E2BIG if the entry does not fit in a message:
 * then nothing changed and '*error' (of OFP_ERROR_SIZE, may be NULL) says by
 * how much.  'buckets' count only for a flow whose output is OFP_OUT_GROUP;
 * their order is kept. */
int ofp_table_set(struct ofp_table *, const struct ofp_flow *,
                  const struct ofp_bucket *buckets, size_t n_buckets,
                  ofp_owner, char *error);
void ofp_table_unset(struct ofp_table *, uint8_t table, uint16_t priority,
                     const struct ofp_match *);
/* The user's flows and groups.  Flows of ours are known by their cookie.  A
 * group of the user's carries no mark: one that is found on the switch under
 * this id is taken for ours only if 'installed_before' (the caller remembers
 * that); otherwise the switch will refuse ours with GROUP_EXISTS, and the
 * foreign one stays.  Unsetting deletes what is installed, once connected.
 * Takes no ownership. */
int ofp_table_set_static(struct ofp_table *, const struct ofp_static *,
                         bool installed_before, ofp_owner, char *error);
void ofp_table_unset_static(struct ofp_table *, const struct ofp_static *);
/* Packets per second and burst, in packets. */
void ofp_table_set_meter(struct ofp_table *, uint32_t id, uint32_t rate,
                         uint32_t burst);
/* Number of the last change: see ops->settled. */
uint64_t ofp_table_seqno(const struct ofp_table *);
uint64_t ofp_table_settled_seqno(const struct ofp_table *);

/* Counters: asks the switch for those of our flows, ops->counted follows.
 * Does nothing while an answer is awaited. */
void ofp_table_poll(struct ofp_table *, int64_t now);

/* Reading.  False if there is no such entry. */
bool ofp_table_lookup(const struct ofp_table *, uint8_t table,
                      uint16_t priority, const struct ofp_match *,
                      struct ofp_entry_view *);
bool ofp_table_lookup_static(const struct ofp_table *,
                             const struct ofp_static *,
                             struct ofp_entry_view *);
/* The message that adds the desired flow, or the group that belongs to it: for
 * free(), NULL if there is none.  See ofp-text.h. */
enum ofp_message_kind { OFP_MESSAGE_FLOW, OFP_MESSAGE_GROUP };
uint8_t *ofp_table_message(const struct ofp_table *, uint8_t table,
                           uint16_t priority, const struct ofp_match *,
                           enum ofp_message_kind, size_t *size);
typedef bool ofp_entry_cb(void *aux, const struct ofp_entry_view *);
void ofp_table_each(const struct ofp_table *, ofp_entry_cb *, void *aux);

struct ofp_table_counters {
    size_t flows, groups, meters;         /* Ours, installed. */
    size_t foreign_flows, foreign_groups; /* As of the last read-back. */
    size_t pending, rejected;             /* Entries. */
    uint64_t rounds, bundles;
    uint64_t flow_mods, group_mods; /* Sent since creation. */
    uint64_t drift;                 /* Entries that an audit had to mend. */
};

void ofp_table_counters(const struct ofp_table *, struct ofp_table_counters *);

#endif
