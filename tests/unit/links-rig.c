/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/unit/links-rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <cmocka.h>

#include "lib/xalloc.h"

static void __attribute__((format(printf, 2, 3)))
note(struct rig *r, const char *format, ...)
{
    size_t room = sizeof r->log - r->n_log;
    va_list args;

    va_start(args, format);
    int n = snprintf(r->log + r->n_log, room, "%lld ", (long long) r->now);
    r->n_log += (size_t) n < room ? (size_t) n : 0;
    room = sizeof r->log - r->n_log;
    n = vsnprintf(r->log + r->n_log, room, format, args);
    r->n_log += (size_t) n < room ? (size_t) n : 0;
    va_end(args);
}

struct port_id
rig_id(unsigned int dpid, unsigned int port)
{
    return (struct port_id){.dpid = dpid, .port_no = port};
}

struct rig_port *
rig_port(struct rig *r, unsigned int dpid, unsigned int port)
{
    return &r->switches[dpid].ports[port];
}

static struct rig_port *
port_of(struct rig *r, const struct port_id *id)
{
    assert_in_range(id->dpid, 1, RIG_SWITCHES);
    assert_in_range(id->port_no, 1, RIG_PORTS);
    return &r->switches[id->dpid].ports[id->port_no];
}

unsigned int
rig_random(struct rig *r, unsigned int n)
{
    r->random = r->random * UINT64_C(6364136223846793005) + 1;
    return (unsigned int) (r->random >> 33) % n;
}

/* The wire. */

static int
by_time(const struct rig_flight *a, const struct rig_flight *b)
{
    return (a->at > b->at) - (a->at < b->at);
}

static void
launch(struct rig *r, const struct port_id *to, int64_t at, const void *frame,
       size_t size)
{
    struct rig_flight *f = xcalloc(1, sizeof *f);

    f->at = at;
    f->to = *to;
    f->size = size;
    memcpy(f->frame, frame, size);
    DL_INSERT_INORDER(r->flights, f, by_time);
}

static void
land(struct rig *r, struct rig_flight *f)
{
    const struct rig_switch *sw = &r->switches[f->to.dpid];

    DL_DELETE(r->flights, f);
    if (sw->connected && port_of(r, &f->to)->up) {
        assert_int_equal(
            topo_links_input(r->l, &f->to, f->frame, f->size, r->now),
            TOPO_INPUT_OK);
    }
    free(f);
}

static void
sent(void *r_, const struct port_id *id, const void *frame, size_t size)
{
    struct rig *r = r_;
    struct rig_port *p = port_of(r, id);
    const struct port_id *to = &p->to;
    uint8_t copy[TOPO_PROBE_SIZE];
    bool is_echo;

    assert_true(size <= sizeof copy);
    assert_true(r->switches[id->dpid].connected);
    assert_true(p->up);
    p->n_sent++;
    p->sent_at = r->now;
    memcpy(copy, frame, size);
    is_echo = !memcmp(copy, &TOPO_ECHO_REQUEST_MAC, 6);
    if (!is_echo && port_id_equal(id, &r->tapped)) {
        memcpy(r->tap, copy, size);
        r->tap_size = size;
    }
    if (!to->dpid || (int) rig_random(r, 1000) < p->loss
        || !r->switches[to->dpid].alive || !port_of(r, to)->up) {
        return;
    }
    if (!is_echo) {
        launch(r, to, r->now + r->delay, copy, size);
    } else if (!port_of(r, to)->no_echo
               && (int) rig_random(r, 1000) >= port_of(r, to)->loss) {
        memcpy(copy, &TOPO_ECHO_REPLY_MAC, 6);
        launch(r, id, r->now + 2 * r->delay, copy, size);
    }
}

/* The other ops. */

static void
role_changed(void *r_, const struct port_id *id, enum topo_role role)
{
    struct rig *r = r_;

    assert_int_equal(topo_links_role(r->l, id), role);
    port_of(r, id)->changed_at = r->now;
    if (r->log_roles) {
        note(r, "role %d.%d %s\n", (int) id->dpid, (int) id->port_no,
             topo_role_name(role));
    }
}

static void
link_up(void *r_, const struct port_id *a, const struct port_id *b)
{
    struct rig *r = r_;

    assert_true(a->dpid < b->dpid);
    assert_int_equal(topo_links_role(r->l, a), TOPO_ROLE_LINK);
    assert_int_equal(topo_links_role(r->l, b), TOPO_ROLE_LINK);
    port_of(r, a)->n_up++;
    note(r, "up %d.%d %d.%d\n", (int) a->dpid, (int) a->port_no, (int) b->dpid,
         (int) b->port_no);
}

static void
link_down(void *r_, const struct port_id *a, const struct port_id *b,
          enum topo_link_end why)
{
    struct rig *r = r_;

    assert_true(a->dpid < b->dpid);
    port_of(r, a)->n_down++;
    note(r, "down %d.%d %d.%d %s\n", (int) a->dpid, (int) a->port_no,
         (int) b->dpid, (int) b->port_no, topo_link_end_name(why));
}

static void
suspected(void *r_, const struct port_id *id, enum topo_suspicion what)
{
    struct rig *r = r_;

    port_of(r, id)->suspects[what]++;
    note(r, "suspect %d.%d %s\n", (int) id->dpid, (int) id->port_no,
         topo_suspicion_name(what));
}

static bool
has_hosts(void *r_, const struct port_id *id)
{
    return port_of(r_, id)->hosts;
}

static bool
may_link(void *r_, const struct port_id *id)
{
    return !port_of(r_, id)->forbidden;
}

static const struct topo_links_ops ops = {
    .send = sent,
    .role_changed = role_changed,
    .link_up = link_up,
    .link_down = link_down,
    .suspect = suspected,
    .has_hosts = has_hosts,
    .may_link = may_link,
};

/* Life. */

void
rig_init(struct rig *r)
{
    *r = (struct rig){.delay = 1, .random = 1};
    memset(r->config.key, 1, sizeof r->config.key);
    r->config.probe_interval = 1000;
    r->config.host_probe_interval = 10000;
    r->l = topo_links_create(&r->config, &ops, r, 1, 0);
}

static void
ground(struct rig *r)
{
    while (r->flights) {
        struct rig_flight *f = r->flights;

        DL_DELETE(r->flights, f);
        free(f);
    }
}

void
rig_uninit(struct rig *r)
{
    topo_links_destroy(r->l);
    ground(r);
}

void
rig_restart(struct rig *r, uint8_t key)
{
    topo_links_destroy(r->l);
    ground(r);
    memset(r->config.key, key, sizeof r->config.key);
    r->random++;
    r->l = topo_links_create(&r->config, &ops, r, r->random * 77, r->now);
}

/* Events. */

void
rig_switch_up(struct rig *r, unsigned int dpid)
{
    struct rig_switch *sw = &r->switches[dpid];

    sw->connected = sw->alive = true;
    topo_links_switch_up(r->l, dpid, r->now);
    for (unsigned int i = 1; i <= RIG_PORTS; i++) {
        struct port_id id = rig_id(dpid, i);

        if (sw->ports[i].up) {
            topo_links_port_up(r->l, &id, TOPO_ROLE_UNKNOWN, r->now);
        } else {
            topo_links_port_down(r->l, &id, r->now);
        }
    }
}

void
rig_switch_away(struct rig *r, unsigned int dpid)
{
    r->switches[dpid].connected = false;
    topo_links_switch_away(r->l, dpid, r->now);
}

void
rig_port_restored(struct rig *r, unsigned int dpid, unsigned int port,
                  enum topo_role before)
{
    struct port_id id = rig_id(dpid, port);

    rig_port(r, dpid, port)->up = true;
    if (r->switches[dpid].connected) {
        topo_links_port_up(r->l, &id, before, r->now);
    }
}

void
rig_port_up(struct rig *r, unsigned int dpid, unsigned int port)
{
    rig_port_restored(r, dpid, port, TOPO_ROLE_UNKNOWN);
}

void
rig_port_down(struct rig *r, unsigned int dpid, unsigned int port)
{
    struct port_id id = rig_id(dpid, port);

    rig_port(r, dpid, port)->up = false;
    if (r->switches[dpid].connected) {
        topo_links_port_down(r->l, &id, r->now);
    }
}

void
rig_cut(struct rig *r, unsigned int dpid, unsigned int port)
{
    struct rig_port *p = rig_port(r, dpid, port);

    if (p->to.dpid) {
        port_of(r, &p->to)->to.dpid = 0;
        p->to.dpid = 0;
    }
}

void
rig_cable(struct rig *r, unsigned int dpid_a, unsigned int port_a,
          unsigned int dpid_b, unsigned int port_b)
{
    rig_cut(r, dpid_a, port_a);
    rig_cut(r, dpid_b, port_b);
    rig_port(r, dpid_a, port_a)->to = rig_id(dpid_b, port_b);
    rig_port(r, dpid_b, port_b)->to = rig_id(dpid_a, port_a);
}

void
rig_two(struct rig *r)
{
    rig_cable(r, 1, 1, 2, 1);
    for (unsigned int dpid = 1; dpid <= 2; dpid++) {
        rig_switch_up(r, dpid);
        rig_port_up(r, dpid, 1);
    }
}

enum topo_input
rig_input(struct rig *r, unsigned int dpid, unsigned int port,
          const void *frame, size_t size)
{
    struct port_id id = rig_id(dpid, port);

    return topo_links_input(r->l, &id, frame, size, r->now);
}

void
rig_run(struct rig *r, int64_t t)
{
    for (;;) {
        int64_t at = topo_links_deadline(r->l);

        if (r->flights && r->flights->at < at) {
            at = r->flights->at;
        }
        if (at > t) {
            break;
        }
        r->now = at > r->now ? at : r->now;
        while (r->flights && r->flights->at <= r->now) {
            land(r, r->flights);
        }
        topo_links_run(r->l, r->now);
        assert_true(topo_links_deadline(r->l) > r->now);
    }
    r->now = t;
}

/* Reading. */

enum topo_role
rig_role(const struct rig *r, unsigned int dpid, unsigned int port)
{
    struct port_id id = rig_id(dpid, port);

    return topo_links_role(r->l, &id);
}

bool
rig_linked(const struct rig *r, unsigned int dpid_a, unsigned int port_a,
           unsigned int dpid_b, unsigned int port_b)
{
    struct port_id a = rig_id(dpid_a, port_a), b = rig_id(dpid_b, port_b);
    struct port_id peer;
    bool ab = topo_links_peer(r->l, &a, &peer) && port_id_equal(&peer, &b);
    bool ba = topo_links_peer(r->l, &b, &peer) && port_id_equal(&peer, &a);

    assert_int_equal(ab, ba);
    return ab;
}

void
rig_clear(struct rig *r)
{
    r->n_log = 0;
    r->log[0] = '\0';
}

void
rig_expect(struct rig *r, const char *log)
{
    assert_string_equal(r->log, log);
    rig_clear(r);
}
