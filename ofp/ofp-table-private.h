/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_TABLE_PRIVATE_H
#define OFP_TABLE_PRIVATE_H 1

/* What the files of the table share:
 *
 *   ofp-table.c     the public face: desired state, reading
 *   ofp-entry.c     entries: finding, changing, forgetting
 *   ofp-round.c     what a round consists of, and what becomes of it
 *   ofp-send.c      its way to the switch: plain, or in a bundle
 *   ofp-readback.c  connecting and audits: what the switch holds
 *   ofp-stats.c     the multipart replies, item by item
 *
 * An entry dies only in ofp_round_run() and in ofp_entry_sweep(), which no
 * callback runs under: so callbacks may set and unset whatever they like. */

#include <openvswitch/hmap.h>

#include "lib/timer-heap.h"
#include "lib/wire.h"
#include "ofp/ofp-blob.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-ids.h"
#include "ofp/ofp-proto.h"
#include "ofp/ofp-table.h"

enum {
    /* The switch has this long for a barrier, and for a whole read-back... */
    OFP_ANSWER_MS = 30000,
    /* ...which may be this long. */
    OFP_READBACK_BYTES = 64 << 20,
    /* So many modifications travel without a bundle, which would cost them a
     * round trip more. */
    OFP_PLAIN_MODS = 2,
    /* So many are committed without waiting for what filling the bundle says,
     * if nothing goes. */
    OFP_FEW_MODS = 16,
    /* What a bundle adds to a message. */
    OFP_BUNDLE_OVERHEAD = 24,
    /* Transaction ids from here on belong to ofp-session. */
    OFP_LAST_XID = 0x6fffffff,
    /* Keys of so many foreign flows are kept, to see conflicts. */
    OFP_MAX_FOREIGN = 200000
};

/* A thing on the switch: as it shall be and as it is, each the message that
 * adds it (as far as ofp-blob.h keeps it), or NULL for "not there". */
struct ofp_piece {
    struct ofp_blob *desired, *installed;
};

enum ofp_entry_kind { KIND_FLOW, KIND_GROUP, KIND_METER };

/* Why an entry is rejected, and when it is tried again. */
struct ofp_failure {
    struct timer_node node;
    struct ofp_entry *entry;
    int64_t delay;
    bool repeated;              /* It was tried once more at once. */
    char error[OFP_ERROR_SIZE]; /* "" while only that. */
};

struct ofp_entry {
    struct hmap_node node;         /* In ofp_table's 'entries', by 'key'. */
    struct ofp_entry *prev, *next; /* In ofp_table's 'dirty'. */
    struct ofp_piece flow;         /* Of KIND_FLOW. */
    struct ofp_piece group;        /* Its group; or the group; or the meter. */
    ofp_owner owner;
    struct ofp_failure *failure;
    uint64_t dirty_seqno; /* The change that made it dirty. */
    uint64_t packets, bytes;
    int64_t counted;
    int64_t added; /* When the flow was sent that is there; 0: before us. */
    uint32_t group_id; /* 0 until it is needed. */
    uint16_t key_size;
    uint8_t kind;
    bool dirty : 1;
    bool in_flight : 1;
    bool stuck : 1;   /* A step of it was refused. */
    bool foreign : 1; /* Somebody else's flow has this key. */
    bool claimed : 1; /* A user's group that is known to be ours. */
    /* While an audit runs: seen in it; changed by us since it began. */
    bool flow_seen : 1;
    bool group_seen : 1;
    bool touched : 1;
    uint8_t key[];
};

/* One message of a round. */
enum ofp_step_class {
    STEP_METER,
    STEP_GROUP_UP,
    STEP_FLOW_DOWN,
    STEP_FLOW_UP,
    STEP_GROUP_DOWN,
    N_STEP_CLASSES
};

struct ofp_step {
    struct ofp_entry *entry;
    struct ofp_blob *blob; /* NULL = delete. */
    struct ofp_error *error;
    uint8_t class;
    uint8_t command;
    bool skipped;
};

enum ofp_round_state {
    ROUND_NONE,
    ROUND_PLAIN,         /* Waiting for the barrier of a phase. */
    ROUND_BUNDLE_FILLED, /* Waiting for the barrier behind the bundle. */
    ROUND_BUNDLE_COMMIT  /* Waiting for the commit reply. */
};

struct ofp_round {
    enum ofp_round_state state;
    struct ofp_step *steps; /* In order of class. */
    size_t n, allocated;
    uint32_t first_xid; /* Of steps[0]; the others follow. */
    uint32_t barrier_xid, open_xid, commit_xid;
    uint32_t bundle_id;
    size_t sent;  /* Steps before it are sent, and not in a bundle. */
    bool careful; /* In phases, each after the one before. */
    bool bundle_failed;
    int64_t started;
    uint64_t first_seqno;
};

enum ofp_readback_kind { READBACK_NONE, READBACK_SYNC, READBACK_AUDIT };

struct ofp_readback {
    enum ofp_readback_kind kind;
    uint32_t meter_xid, group_xid, flow_xid; /* 0 = done. */
    int64_t started;
    size_t bytes;
    size_t foreign_flows, foreign_groups;
    size_t drift;
};

struct ofp_table {
    const struct ofp_table_ops *ops;
    void *aux;
    struct hmap entries;
    struct ofp_entry *dirty; /* In order of 'dirty_seqno'. */
    struct timer_heap retries;
    struct ofp_ids ids;
    struct ofp_blobs blobs;

    uint64_t seqno, settled;
    size_t n_untold; /* Entries that somebody changed: told in the next run. */
    bool connected, synced, failed;
    bool bundles; /* The switch takes them, for all we know. */
    bool busy;    /* In a callback. */
    struct ofp_round round;
    struct ofp_readback readback;
    uint32_t poll_xid;
    int64_t poll_started;
    size_t poll_bytes;
    int64_t audit_at;
    uint32_t next_xid;
    uint32_t next_bundle_id;

    struct ofp_table_counters counters;
    size_t n_dirty, n_in_flight, n_failed;
};

/* ofp-entry.c: entries. */
struct ofp_entry *ofp_entry_find(const struct ofp_table *, const void *key,
                                 size_t size);
struct ofp_entry *ofp_entry_get(struct ofp_table *, enum ofp_entry_kind,
                                const void *key, size_t size);
/* Keys; 'key' has room for OFP_KEY_SIZE bytes. */
enum { OFP_KEY_SIZE = 2048 };
/* 0 if it is longer. */
size_t ofp_entry_flow_key(uint8_t *key, uint8_t table, uint16_t priority,
                          const void *match, size_t match_size);
size_t ofp_entry_id_key(uint8_t *key, enum ofp_entry_kind, uint32_t id);
/* The group, ours or the user's, with this id. */
struct ofp_entry *ofp_entry_of_group(const struct ofp_table *, uint32_t id);
bool ofp_entry_is_own_group(uint32_t id);
/* The id of its group; of the group or meter that it is. */
uint32_t ofp_entry_id(const struct ofp_entry *);
/* Its key as that of a flow, which it must be. */
struct ofp_flow_key ofp_entry_as_flow(const struct ofp_entry *);
/* Takes over 'blob'. */
void ofp_entry_set_installed(struct ofp_table *, struct ofp_entry *,
                             struct ofp_piece *, struct ofp_blob *blob);
void ofp_entry_set_group_id(struct ofp_table *, struct ofp_entry *,
                            uint32_t id);
/* Puts it on the list of what the next round looks at. */
void ofp_entry_make_dirty(struct ofp_table *, struct ofp_entry *);
void ofp_entry_take_from_dirty(struct ofp_table *, struct ofp_entry *);
void ofp_entry_return_to_dirty(struct ofp_table *, struct ofp_entry *,
                               uint64_t seqno);
bool ofp_entry_differs(const struct ofp_entry *);
/* A failure: returns true if it is worth telling. */
bool ofp_entry_fail(struct ofp_table *, struct ofp_entry *, const char *error,
                    int64_t now);
void ofp_entry_clear_failure(struct ofp_table *, struct ofp_entry *);
/* Frees it if nothing speaks for keeping it. */
bool ofp_entry_bury(struct ofp_table *, struct ofp_entry *);
void ofp_entry_destroy(struct ofp_table *, struct ofp_entry *);

/* ofp-table.c. */
uint32_t ofp_table_xid(struct ofp_table *, size_t n);
void ofp_table_send_empty(struct ofp_table *, uint8_t type, uint32_t xid);
void ofp_table_fail(struct ofp_table *, const char *reason);
void ofp_table_settle(struct ofp_table *);

/* ofp-round.c. */
void ofp_round_run(struct ofp_table *, int64_t now);
void ofp_round_drop(struct ofp_table *);
bool ofp_round_error(struct ofp_table *, const struct ofp_error *);
/* Every step has been answered. */
void ofp_round_finish(struct ofp_table *, int64_t now);

/* ofp-send.c. */
void ofp_send_round(struct ofp_table *);
/* The message of one step. */
void ofp_send_put_step(struct wire_writer *, const struct ofp_step *,
                       uint32_t xid);
bool ofp_send_barrier_reply(struct ofp_table *, uint32_t xid, int64_t now);
bool ofp_send_bundle_reply(struct ofp_table *, const uint8_t *msg, size_t size,
                           int64_t now);
/* An error for a message of the bundle itself. */
bool ofp_send_bundle_error(struct ofp_table *, uint32_t xid, int64_t now);

/* ofp-readback.c. */
void ofp_readback_start(struct ofp_table *, enum ofp_readback_kind,
                        int64_t now);
bool ofp_readback_input(struct ofp_table *, const uint8_t *msg, size_t size,
                        int64_t now);
bool ofp_readback_error(struct ofp_table *, const struct ofp_error *,
                        int64_t now);

/* ofp-stats.c: the items of one multipart reply; false if malformed. */
bool ofp_stats_meters(struct ofp_table *, struct wire_reader *);
bool ofp_stats_groups(struct ofp_table *, struct wire_reader *);
bool ofp_stats_flows(struct ofp_table *, struct wire_reader *, int64_t now);
bool ofp_stats_poll(struct ofp_table *, struct wire_reader *, int64_t now);

#endif
