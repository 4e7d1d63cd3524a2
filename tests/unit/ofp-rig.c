/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/ofp-rig.h"

#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

static void note(struct rig *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct rig *r, const char *format, ...)
{
    size_t n = strlen(r->log);
    va_list args;

    va_start(args, format);
    vsnprintf(r->log + n, sizeof r->log - n, format, args);
    va_end(args);
}

/* Queues. */

static void
enqueue(struct rig_queue *q, const void *bytes, size_t size)
{
    while (q->n + size > q->allocated) {
        q->allocated = 2 * q->allocated + 4096;
        q->bytes = xrealloc(q->bytes, q->allocated);
    }
    memcpy(q->bytes + q->n, bytes, size);
    q->n += size;
}

/* Takes all out of 'q', for free(). */
static uint8_t *
drain(struct rig_queue *q, size_t *n)
{
    uint8_t *bytes = q->bytes;

    *n = q->n;
    *q = (struct rig_queue){.bytes = NULL};
    return bytes;
}

/* The switch's ops. */

static void
switch_send(void *r_, const void *bytes, size_t size)
{
    struct rig *r = r_;

    enqueue(&r->to_table, bytes, size);
}

static const char *
switch_refuse(void *r_, enum fake_mod_kind kind, uint64_t n)
{
    struct rig *r = r_;

    (void) n;
    if ((int) kind != r->refuse_kind || !r->refuse_times) {
        return NULL;
    }
    r->refuse_times -= r->refuse_times > 0;
    return r->refuse_error;
}

static const struct fake_switch_ops switch_ops = {
    .send = switch_send,
    .refuse = switch_refuse,
};

/* The session's. */

static char
letter_of(const uint8_t *msg)
{
    switch (ofp_msg_type(msg)) {
    case OF13_METER_MOD:
        return 'M';
    case OF13_GROUP_MOD:
        return msg[GROUP_MOD_COMMAND + 1] == MOD_DELETE ? 'g' : 'G';
    case OF13_FLOW_MOD:
        return msg[FLOW_MOD_COMMAND] == FLOW_DELETE_STRICT ? 'f' : 'F';
    case OF13_BARRIER_REQUEST:
        return 'B';
    case OF13_MULTIPART_REQUEST:
        return '?';
    case OF13_EXPERIMENTER:
        /* 2301: added; else by the kind of control. */
        return msg[15] == (2301 & 0xff) ? 'A' : "O?C?C?D?"[msg[21] & 7];
    default:
        return 0;
    }
}

static void
session_send(void *r_, const void *bytes, size_t size)
{
    struct rig *r = r_;
    char letter = letter_of(bytes);
    size_t n = strlen(r->types);

    if (letter && n < sizeof r->types - 1) {
        r->types[n] = letter;
        r->types[n + 1] = '\0';
    }
    enqueue(&r->to_switch, bytes, size);
}

static void
session_ready(void *r_, const struct ofp_features *f)
{
    struct rig *r = r_;

    (void) f;
    r->types[0] = '\0';
    ofp_table_connected(r->table, r->now);
}

static void
session_reply(void *r_, const void *msg, size_t size)
{
    struct rig *r = r_;

    ofp_table_input(r->table, msg, size, r->now);
}

static void
session_port(void *r, enum ofp_port_change change, const struct ofp_port *port)
{
    (void) r;
    (void) change;
    (void) port;
}

static void
session_packet_in(void *r, const struct ofp_packet_in *pi)
{
    (void) r;
    (void) pi;
}

static void
session_flow_removed(void *r_, const struct ofp_flow_removed *fr)
{
    struct rig *r = r_;

    ofp_table_flow_removed(r->table, fr, r->now);
}

static const struct ofp_session_ops session_ops = {
    .send = session_send,
    .ready = session_ready,
    .port_changed = session_port,
    .packet_in = session_packet_in,
    .flow_removed = session_flow_removed,
    .reply = session_reply,
};

/* The table's. */

static void
table_send(void *r_, const void *msg, size_t size)
{
    struct rig *r = r_;

    assert_non_null(r->session);
    assert_int_equal(ofp_msg_size(msg), size);
    ofp_session_send(r->session, msg, size);
}

static void
table_adopted(void *r_, const struct ofp_adopted *a)
{
    struct rig *r = r_;

    r->n_adopted++;
    if (r->on_adopted) {
        r->on_adopted(r, a);
    }
}

static void
table_synced(void *r_)
{
    struct rig *r = r_;

    r->n_synced++;
    if (r->on_synced) {
        r->on_synced(r);
    }
}

static void
table_settled(void *r_, uint64_t seqno)
{
    struct rig *r = r_;

    assert_true(seqno > r->settled);
    assert_true(seqno <= ofp_table_seqno(r->table));
    r->settled = seqno;
}

static void
table_rejected(void *r_, ofp_owner owner, const char *error)
{
    struct rig *r = r_;

    note(r, "rejected:%u:%.*s ", (unsigned int) owner,
         (int) strcspn(error, ":"), error);
    if (r->on_rejected) {
        r->on_rejected(r, owner);
    }
}

static void
table_counted(void *r_)
{
    struct rig *r = r_;

    r->n_counted++;
}

static void
table_drifted(void *r_, size_t n)
{
    struct rig *r = r_;

    r->n_drifted += n;
}

static void
table_failed(void *r_, const char *reason)
{
    struct rig *r = r_;

    snprintf(r->failed, sizeof r->failed, "%s", reason);
}

static const struct ofp_table_ops table_ops = {
    .send = table_send,
    .adopted = table_adopted,
    .synced = table_synced,
    .settled = table_settled,
    .rejected = table_rejected,
    .counted = table_counted,
    .drifted = table_drifted,
    .failed = table_failed,
};

/* Life. */

struct rig *
rig_create(void)
{
    struct rig *r = xcalloc(1, sizeof *r);

    r->now = 1000;
    r->refuse_kind = -1;
    r->sw = fake_switch_create(0x2a, &switch_ops, r);
    for (uint32_t no = 1; no <= 8; no++) {
        char name[16];

        snprintf(name, sizeof name, "s1-eth%u", no);
        fake_switch_add_port(r->sw, no, name);
    }
    r->table = ofp_table_create(&table_ops, r);
    return r;
}

void
rig_destroy(struct rig *r)
{
    if (r->session) {
        rig_disconnect(r);
    }
    ofp_table_destroy(r->table);
    fake_switch_destroy(r->sw);
    free(r->to_switch.bytes);
    free(r->to_table.bytes);
    free(r);
}

void
rig_connect(struct rig *r)
{
    r->session = ofp_session_create(&session_ops, r, 0, r->now);
    fake_switch_connect(r->sw);
    rig_pump(r);
    assert_true(ofp_session_is_ready(r->session));
}

void
rig_disconnect(struct rig *r)
{
    size_t n;

    ofp_table_disconnected(r->table);
    ofp_session_destroy(r->session);
    r->session = NULL;
    fake_switch_disconnect(r->sw);
    free(drain(&r->to_switch, &n));
    free(drain(&r->to_table, &n));
    r->types[0] = '\0';
}

void
rig_restart(struct rig *r)
{
    if (r->session) {
        rig_disconnect(r);
    }
    ofp_table_destroy(r->table);
    r->table = ofp_table_create(&table_ops, r);
    r->settled = 0;
    r->n_adopted = r->n_synced = 0;
}

void
rig_to_switch(struct rig *r)
{
    size_t n;
    uint8_t *bytes = drain(&r->to_switch, &n);

    if (n) {
        fake_switch_input(r->sw, bytes, n);
    }
    free(bytes);
}

void
rig_to_table(struct rig *r)
{
    size_t n;
    uint8_t *bytes = drain(&r->to_table, &n);

    if (n && r->session) {
        ofp_session_input(r->session, bytes, n, r->now);
    }
    free(bytes);
}

void
rig_pump(struct rig *r)
{
    do {
        ofp_table_run(r->table, r->now);
        rig_to_switch(r);
        rig_to_table(r);
    } while (r->to_switch.n || r->to_table.n
             || (ofp_table_deadline(r->table) <= r->now && !r->failed[0]));
}

void
rig_advance(struct rig *r, int64_t ms)
{
    r->now += ms;
    fake_switch_run(r->sw, r->now);
    rig_pump(r);
}

/* Judging. */

void
rig_assert_log(struct rig *r, const char *expected)
{
    assert_string_equal(r->log, expected);
    r->log[0] = '\0';
}

void
rig_assert_sent(struct rig *r, const char *expected)
{
    assert_string_equal(r->types, expected);
    r->types[0] = '\0';
}

void
rig_assert_flows(struct rig *r, const char *expected)
{
    char *dump = fake_switch_dump_flows(r->sw);

    assert_string_equal(dump, expected);
    free(dump);
}

void
rig_assert_groups(struct rig *r, const char *expected)
{
    char *dump = fake_switch_dump_groups(r->sw);

    assert_string_equal(dump, expected);
    free(dump);
}

/* Channels. */

struct ofp_flow
rig_channel(const char *group)
{
    struct ofp_flow f = {
        .table = 40,
        .priority = 200,
        .match = {.fields = OFP_MATCH_VLAN | OFP_MATCH_IP_DST},
        .cookie = OFP_COOKIE | 1,
        .output = OFP_OUT_GROUP,
    };

    assert_true(ip_prefix_parse(group, &f.match.ip_dst));
    return f;
}

void
rig_set(struct rig *r, const char *group, const char *ports)
{
    struct ofp_flow f = rig_channel(group);
    struct ofp_bucket buckets[64];
    size_t n = 0;

    memset(buckets, 0, sizeof buckets);
    for (const char *p = ports; *p; p++) {
        buckets[n++].out_port = *p - '0';
    }
    assert_int_equal(ofp_table_set(r->table, &f, buckets, n, 7, NULL), 0);
}

void
rig_unset(struct rig *r, const char *group)
{
    struct ofp_flow f = rig_channel(group);

    ofp_table_unset(r->table, f.table, f.priority, &f.match);
}

static struct ofp_entry_view *
lookup(struct rig *r, const char *group)
{
    static struct ofp_entry_view v;
    struct ofp_flow f = rig_channel(group);

    assert_true(ofp_table_lookup(r->table, f.table, f.priority, &f.match, &v));
    return &v;
}

enum ofp_entry_state
rig_state(struct rig *r, const char *group)
{
    return lookup(r, group)->state;
}

const char *
rig_error(struct rig *r, const char *group)
{
    return lookup(r, group)->error;
}

/* For cmocka. */

int
rig_setup(void **state)
{
    *state = rig_create();
    return 0;
}

int
rig_teardown(void **state)
{
    struct rig *r = *state;
    struct fake_switch_counters c;

    /* What never may happen, whatever a test does. */
    fake_switch_counters(r->sw, &c);
    assert_int_equal(c.undecodable, 0);
    rig_destroy(r);
    return 0;
}

struct fake_switch_counters
rig_switch_counters(struct rig *r)
{
    struct fake_switch_counters c;

    fake_switch_counters(r->sw, &c);
    return c;
}

struct ofp_table_counters
rig_table_counters(struct rig *r)
{
    struct ofp_table_counters c;

    ofp_table_counters(r->table, &c);
    return c;
}
