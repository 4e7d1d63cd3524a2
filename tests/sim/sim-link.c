/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/sim-link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum { PROBE_MS = 5000 };

static void
queue_put(struct sim_queue *q, const void *bytes, size_t size)
{
    if (q->allocated - q->size < size) {
        q->allocated = (q->allocated + size) * 2;
        q->bytes = xrealloc(q->bytes, q->allocated);
    }
    memcpy(q->bytes + q->size, bytes, size);
    q->size += size;
}

/* Takes some of what waits: all of it, or a few bytes. */
static uint8_t *
queue_take(struct sim_queue *q, struct sim_random *random, size_t *size)
{
    *size = sim_chance(random, 50) || q->size == 1
                ? q->size
                : 1 + sim_random(random, (uint32_t) q->size - 1);

    uint8_t *bytes = xmemdup(q->bytes, *size);

    q->size -= *size;
    memmove(q->bytes, q->bytes + *size, q->size);
    return bytes;
}

/* The switch's side. */

static void
switch_send(void *link_, const void *bytes, size_t size)
{
    struct sim_link *link = link_;

    queue_put(&link->to_controller, bytes, size);
}

/* Deletes are never refused: no real switch does that. */
static const char *
switch_refuse(void *link_, enum fake_mod_kind kind, uint64_t n)
{
    struct sim_link *link = link_;

    (void) n;
    if (!link->refuse_percent || kind == FAKE_FLOW_DELETE
        || kind == FAKE_FLOW_DELETE_STRICT || kind == FAKE_GROUP_DELETE
        || kind == FAKE_METER_MOD
        || !sim_chance(&link->random, link->refuse_percent)) {
        return NULL;
    }
    link->n_refused++;
    return kind >= FAKE_GROUP_ADD ? "OFPGMFC_OUT_OF_GROUPS"
                                  : "OFPFMFC_TABLE_FULL";
}

/* The session's side. */

static void
session_send(void *link_, const void *bytes, size_t size)
{
    struct sim_link *link = link_;

    queue_put(&link->to_switch, bytes, size);
}

static void
session_ready(void *link_, const struct ofp_features *features)
{
    struct sim_link *link = link_;

    (void) features;
    ofp_table_connected(link->table, link->now);
}

static void
session_port(void *link, enum ofp_port_change change,
             const struct ofp_port *port)
{
    (void) link, (void) change, (void) port;
}

static void
session_packet_in(void *link, const struct ofp_packet_in *pin)
{
    (void) link, (void) pin;
}

static void
session_flow_removed(void *link_, const struct ofp_flow_removed *fr)
{
    struct sim_link *link = link_;

    ofp_table_flow_removed(link->table, fr, link->now);
}

static void
session_reply(void *link_, const void *msg, size_t size)
{
    struct sim_link *link = link_;

    bool was_synced = link->synced;

    ofp_table_input(link->table, msg, size, link->now);
    if (link->synced && !was_synced && link->on_synced) {
        link->on_synced(link);
    }
}

static const struct ofp_session_ops session_ops = {
    .send = session_send,
    .ready = session_ready,
    .port_changed = session_port,
    .packet_in = session_packet_in,
    .flow_removed = session_flow_removed,
    .reply = session_reply,
};

/* The table's side. */

static void
table_send(void *link_, const void *msg, size_t size)
{
    struct sim_link *link = link_;

    ofp_session_send(link->session, msg, size);
}

static void
table_adopted(void *link_, const struct ofp_adopted *adopted)
{
    struct sim_link *link = link_;

    (void) adopted;
    link->n_adopted++;
}

static void
table_synced(void *link_)
{
    struct sim_link *link = link_;

    link->synced = true;
}

static void
table_settled(void *link_, uint64_t seqno)
{
    struct sim_link *link = link_;

    link->n_settled++;
    link->settled_seqno = seqno;
}

static void
table_rejected(void *link_, ofp_owner owner, const char *error)
{
    struct sim_link *link = link_;

    (void) owner, (void) error;
    link->n_rejected++;
}

static void
table_counted(void *link)
{
    (void) link;
}

static void
table_drifted(void *link_, size_t n)
{
    struct sim_link *link = link_;

    link->n_drifted += n;
}

static void
table_failed(void *link_, const char *reason)
{
    struct sim_link *link = link_;

    fprintf(stderr, "table failed: %s\n", reason);
    link->failed = "table failed";
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

void
sim_link_init(struct sim_link *link, uint64_t seed)
{
    static const struct fake_switch_ops switch_ops = {
        .send = switch_send,
        .refuse = switch_refuse,
    };

    memset(link, 0, sizeof *link);
    link->now = 1000;
    sim_random_init(&link->random, seed);
    link->sw = fake_switch_create(1, &switch_ops, link);
    for (uint32_t port = 1; port <= 5; port++) {
        char name[16];

        snprintf(name, sizeof name, "s1-eth%u", port);
        fake_switch_add_port(link->sw, port, name);
    }
    link->table = ofp_table_create(&table_ops, link);
}

void
sim_link_uninit(struct sim_link *link)
{
    ofp_session_destroy(link->session);
    ofp_table_destroy(link->table);
    fake_switch_destroy(link->sw);
    free(link->to_switch.bytes);
    free(link->to_controller.bytes);
}

void
sim_link_connect(struct sim_link *link)
{
    if (!link->session) {
        link->session =
            ofp_session_create(&session_ops, link, PROBE_MS, link->now);
        fake_switch_connect(link->sw);
    }
}

void
sim_link_disconnect(struct sim_link *link)
{
    if (link->session) {
        ofp_session_destroy(link->session);
        link->session = NULL;
        ofp_table_disconnected(link->table);
        fake_switch_disconnect(link->sw);
        link->synced = false;
        link->to_switch.size = link->to_controller.size = 0;
    }
}

void
sim_link_lose_controller(struct sim_link *link)
{
    sim_link_disconnect(link);
    ofp_table_destroy(link->table);
    link->table = ofp_table_create(&table_ops, link);
    link->n_adopted = 0;
}

bool
sim_link_step(struct sim_link *link)
{
    struct sim_queue *a = &link->to_switch, *b = &link->to_controller;

    if (link->session) {
        ofp_session_run(link->session, link->now);
        ofp_table_run(link->table, link->now);
        fake_switch_run(link->sw, link->now);
    }
    if (!a->size && !b->size) {
        return false;
    }

    struct sim_queue *q =
        !a->size || (b->size && sim_chance(&link->random, 50)) ? b : a;
    size_t size;
    uint8_t *bytes = queue_take(q, &link->random, &size);

    if (q == a) {
        fake_switch_input(link->sw, bytes, size);
    } else if (!ofp_session_input(link->session, bytes, size, link->now)) {
        fprintf(stderr, "session: %s\n", ofp_session_reason(link->session));
        link->failed = "session died";
    }
    free(bytes);
    return true;
}

void
sim_link_pump(struct sim_link *link)
{
    while (!link->failed && sim_link_step(link)) {
        continue;
    }
}
