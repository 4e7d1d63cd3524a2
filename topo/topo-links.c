/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-links-private.h"

#include <stdlib.h>
#include <utlist.h>

#include "lib/xalloc.h"

enum {
    PROBE_INTERVAL_MS = 1000,
    HOST_PROBE_INTERVAL_MS = 10000,
    INTERVAL_MIN_MS = TOPO_REACT_MS
};

struct topo_links_port *
topo_links_find(const struct topo_links *l, const struct port_id *id)
{
    struct topo_links_port *p;

    HASH_FIND(hh, l->ports, id, sizeof *id, p);
    return p;
}

static struct topo_links_switch *
find_switch(const struct topo_links *l, uint64_t dpid)
{
    struct topo_links_switch *sw;

    HASH_FIND(hh, l->switches, &dpid, sizeof dpid, sw);
    return sw;
}

/* Roles. */

void
topo_links_recount(struct topo_links *l, struct topo_links_port *p)
{
    bool is_searching = p->role == TOPO_ROLE_LINK && !p->peer && !p->is_looped
                        && !p->held_until && !p->sw->away;

    l->n_searching += is_searching;
    l->n_searching -= p->is_searching;
    p->is_searching = is_searching;
}

void
topo_links_set_role(struct topo_links *l, struct topo_links_port *p,
                    enum topo_role role)
{
    bool is_changed = p->role != role;

    p->role = role;
    topo_links_recount(l, p);
    topo_pace_plan(l, p);
    if (role != TOPO_ROLE_LINK) {
        topo_pace_stop_echo(l, p);
    }
    if (is_changed) {
        l->ops->role_changed(l->aux, &p->id, role);
    }
}

/* The port has no peer (any more): it asks for one, and waits for 'patience'
 * ms from then on. */
static void
search(struct topo_links *l, struct topo_links_port *p, int64_t patience,
       int64_t now)
{
    p->patience = 0;
    p->keep_until = INT64_MIN;
    timer_heap_cancel(&l->roles, &p->role_timer);
    topo_links_recount(l, p);
    if (p->sw->away) {
        return;
    }
    if (p->held_until) {
        /* Its neighbours hear of it meanwhile, see topo-hear.c. */
        timer_heap_set(&l->roles, &p->role_timer, p->held_until);
        topo_pace_stop_echo(l, p);
        topo_pace_start(l, p);
        return;
    }
    p->patience = patience;
    topo_pace_start(l, p);
    topo_pace_start_echo(l, p, now);
}

static void
detach(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    p->peer = NULL;
    p->heard.at = INT64_MIN;
    p->missed = 0;
    p->is_awaited = p->is_confirming = false;
    p->held_until = topo_flaps_note(l, &p->id, now);
    search(l, p, TOPO_ORPHAN_MS, now);
}

void
topo_links_end(struct topo_links *l, struct topo_links_port *p,
               enum topo_link_end why, int64_t now)
{
    struct topo_links_port *q = p->peer;
    bool is_first = p->id.dpid < q->id.dpid;

    l->n_links--;
    detach(l, p, now);
    detach(l, q, now);
    l->ops->link_down(l->aux, is_first ? &p->id : &q->id,
                      is_first ? &q->id : &p->id, why);
}

/* A switch is back.  Were both directions heard since? */
static bool
is_confirmed(const struct topo_links_port *p)
{
    return p->peer_heard >= p->confirm_since
           && p->peer->peer_heard >= p->confirm_since;
}

static void
role_due(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    if (p->peer) {
        if (p->is_confirming && !is_confirmed(p)) {
            topo_links_end(l, p, TOPO_LINK_PROBES_LOST, now);
        }
    } else if (p->held_until) {
        p->held_until = 0;
        search(l, p, TOPO_ORPHAN_MS, now);
    } else if (p->keep_until > now) {
        timer_heap_set(&l->roles, &p->role_timer, p->keep_until);
    } else {
        p->is_looped = false;
        topo_links_set_role(l, p, TOPO_ROLE_EDGE);
    }
}

/* Life. */

static void
take_config(struct topo_links *l, const struct topo_links_config *config)
{
    l->config = *config;
    if (l->config.probe_interval <= 0) {
        l->config.probe_interval = PROBE_INTERVAL_MS;
    }
    if (l->config.host_probe_interval <= 0) {
        l->config.host_probe_interval = HOST_PROBE_INTERVAL_MS;
    }
    if (l->config.echo_interval <= 0) {
        l->config.echo_interval = TOPO_ECHO_MS;
    }
    if (l->config.probe_interval < INTERVAL_MIN_MS) {
        l->config.probe_interval = INTERVAL_MIN_MS;
    }
    if (l->config.host_probe_interval < INTERVAL_MIN_MS) {
        l->config.host_probe_interval = INTERVAL_MIN_MS;
    }
}

struct topo_links *
topo_links_create(const struct topo_links_config *config,
                  const struct topo_links_ops *ops, void *aux, uint64_t seed,
                  int64_t now)
{
    struct topo_links *l = xcalloc(1, sizeof *l);

    l->ops = ops;
    l->aux = aux;
    l->seed = seed;
    take_config(l, config);
    timer_heap_init(&l->roles);
    timer_heap_init(&l->probes);
    timer_heap_init(&l->echoes);
    timer_heap_init(&l->forget);
    topo_pace_init(l, now);
    return l;
}

void
topo_links_set_config(struct topo_links *l,
                      const struct topo_links_config *config, int64_t now)
{
    struct topo_links_port *p, *next;

    (void) now;
    take_config(l, config);
    HASH_ITER (hh, l->ports, p, next) {
        topo_pace_plan(l, p);
    }
}

static void
forget_switch(struct topo_links *l, struct topo_links_switch *sw)
{
    HASH_DEL(l->switches, sw);
    free(sw);
}

static void
forget_port(struct topo_links *l, struct topo_links_port *p)
{
    topo_pace_stop(l, p);
    timer_heap_cancel(&l->roles, &p->role_timer);
    l->n_searching -= p->is_searching;
    DL_DELETE(p->sw->ports, p);
    HASH_DEL(l->ports, p);
    free(p->sent);
    free(p);
}

void
topo_links_destroy(struct topo_links *l)
{
    struct topo_links_switch *sw, *next_sw;
    struct topo_links_port *p, *next;

    if (!l) {
        return;
    }
    HASH_ITER (hh, l->ports, p, next) {
        forget_port(l, p);
    }
    HASH_ITER (hh, l->switches, sw, next_sw) {
        forget_switch(l, sw);
    }
    topo_flaps_destroy(l);
    timer_heap_uninit(&l->roles);
    timer_heap_uninit(&l->probes);
    timer_heap_uninit(&l->echoes);
    timer_heap_uninit(&l->forget);
    free(l);
}

/* Switches. */

static void
forget_awaited(struct topo_links_port *p)
{
    p->missed = 0;
    p->is_awaited = p->is_confirming = false;
}

/* While nothing can be heard, nothing is missed. */
static void
port_away(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    struct topo_links_port *q = p->peer;

    topo_pace_stop(l, p);
    timer_heap_cancel(&l->roles, &p->role_timer);
    p->patience = 0;
    p->heard.at = INT64_MIN;
    forget_awaited(p);
    topo_links_recount(l, p);
    if (q) {
        forget_awaited(q);
        q->patience = 0;
        timer_heap_cancel(&l->roles, &q->role_timer);
        topo_pace_start_echo(l, q, now);
    }
}

/* Whichever end is first able to ask starts the time. */
static void
confirm(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    forget_awaited(p);
    p->is_confirming = true;
    p->confirm_since = now;
    p->patience = TOPO_ORPHAN_MS;
    topo_pace_stop_echo(l, p);
    topo_pace_start(l, p);
}

static void
port_back(struct topo_links *l, struct topo_links_port *p, int64_t now)
{
    if (p->peer && p->peer->sw->away) {
        topo_pace_start(l, p);
        topo_pace_start_echo(l, p, now);
    } else if (p->peer) {
        confirm(l, p, now);
        confirm(l, p->peer, now);
    } else if (p->role == TOPO_ROLE_EDGE) {
        topo_pace_start(l, p);
    } else {
        search(l, p,
               p->role == TOPO_ROLE_LINK ? TOPO_ORPHAN_MS : TOPO_SETTLE_MS,
               now);
    }
}

static struct topo_links_switch *
add_switch(struct topo_links *l, uint64_t dpid)
{
    struct topo_links_switch *sw = xcalloc(1, sizeof *sw);

    sw->dpid = dpid;
    HASH_ADD(hh, l->switches, dpid, sizeof sw->dpid, sw);
    return sw;
}

void
topo_links_switch_up(struct topo_links *l, uint64_t dpid, int64_t now)
{
    struct topo_links_switch *sw = find_switch(l, dpid);
    struct topo_links_port *p;

    if (!sw) {
        add_switch(l, dpid);
    } else if (sw->away) {
        sw->away = false;
        DL_FOREACH (sw->ports, p) {
            port_back(l, p, now);
        }
    }
}

void
topo_links_switch_away(struct topo_links *l, uint64_t dpid, int64_t now)
{
    struct topo_links_switch *sw = find_switch(l, dpid);
    struct topo_links_port *p;

    if (!sw || sw->away) {
        return;
    }
    sw->away = true;
    DL_FOREACH (sw->ports, p) {
        port_away(l, p, now);
    }
    if (!sw->ports) {
        forget_switch(l, sw);
    }
}

/* Ports. */

static struct topo_links_port *
add_port(struct topo_links *l, const struct port_id *id)
{
    struct topo_links_port *p = xcalloc(1, sizeof *p);

    p->id = *id;
    p->sw = find_switch(l, id->dpid);
    if (!p->sw) {
        p->sw = add_switch(l, id->dpid);
    }
    p->born = ++l->n_born;
    p->suspect_at = p->heard.at = p->keep_until = INT64_MIN;
    p->probed_at = p->peer_heard = INT64_MIN;
    p->role_timer.at = p->probe_timer.at = p->echo_timer.at = INT64_MAX;
    DL_APPEND(p->sw->ports, p);
    HASH_ADD(hh, l->ports, id, sizeof p->id, p);
    return p;
}

void
topo_links_port_up(struct topo_links *l, const struct port_id *id,
                   enum topo_role before, int64_t now)
{
    struct topo_links_port *p = topo_links_find(l, id);

    if (p) {
        return;
    }
    p = add_port(l, id);
    p->held_until = topo_flaps_held(l, id, now);
    if (!l->ops->may_link(l->aux, id)) {
        p->held_until = 0;
        before = before == TOPO_ROLE_LINK ? TOPO_ROLE_UNKNOWN : before;
    } else if (p->held_until) {
        before = TOPO_ROLE_LINK;
    }
    topo_links_set_role(l, p, before);
    port_back(l, p, now);
}

void
topo_links_port_down(struct topo_links *l, const struct port_id *id,
                     int64_t now)
{
    struct topo_links_port *p = topo_links_find(l, id);

    if (!p) {
        return;
    }
    if (p->peer) {
        topo_links_end(l, p, TOPO_LINK_PORT_DOWN, now);
    }

    struct topo_links_switch *sw = p->sw;
    forget_port(l, p);
    if (sw->away && !sw->ports) {
        forget_switch(l, sw);
    }
}

void
topo_links_port_changed(struct topo_links *l, const struct port_id *id,
                        int64_t now)
{
    struct topo_links_port *p = topo_links_find(l, id);

    if (!p) {
        return;
    }
    if (p->role == TOPO_ROLE_LINK && !l->ops->may_link(l->aux, id)) {
        if (p->peer) {
            topo_links_end(l, p, TOPO_LINK_PORT_DOWN, now);
        }
        p->is_looped = false;
        p->held_until = 0;
        topo_links_set_role(l, p, TOPO_ROLE_EDGE);
    } else {
        topo_hear_changed(l, p, now);
    }
}

/* Time. */

void
topo_links_run(struct topo_links *l, int64_t now)
{
    struct timer_node *node;

    topo_flaps_run(l, now);
    while ((node = timer_heap_pop_due(&l->roles, now))) {
        role_due(l,
                 (struct topo_links_port *) ((char *) node
                                             - offsetof(struct topo_links_port,
                                                        role_timer)),
                 now);
    }
    topo_pace_run(l, now);
}

int64_t
topo_links_deadline(const struct topo_links *l)
{
    int64_t role = timer_heap_deadline(&l->roles);
    int64_t forget = timer_heap_deadline(&l->forget);
    int64_t pace = topo_pace_deadline(l);
    int64_t at = role < forget ? role : forget;

    return pace < at ? pace : at;
}
