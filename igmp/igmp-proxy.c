/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-proxy.h"

#include <stdlib.h>
#include <string.h>

#include "igmp/igmp-check.h"
#include "igmp/igmp-snoop-private.h"
#include "lib/xalloc.h"

enum { MAX_ASKERS = 64 }; /* Ports that are spoken to, and no router ports. */

/* A port that is spoken to. */
struct igmp_outlet {
    struct timer_node timer; /* First: a node is its outlet. */
    struct port_id port;
    UT_hash_handle hh;
    int64_t asked_until; /* By one who has no address; INT64_MIN: not. */
    struct igmp_speaker speaker;
};

/* What is wanted. */

static void
merge(struct igmp_merge *m, const struct igmp_filter *f)
{
    if (f->exclude) {
        igmp_merge_exclude(m, f->sources, f->n_sources);
    } else {
        igmp_merge_include(m, f->sources, f->n_sources);
    }
}

static void
merge_learned(struct igmp_merge *m, const struct igmp_group *g)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    struct igmp_filter f = {.exclude = g->exclude, .sources = list};

    for (size_t i = 0; i < g->n_sources; i++) {
        /* INCLUDE (A): A.  EXCLUDE (X,Y): Y. */
        if (g->sources[i].forward != g->exclude) {
            list[f.n_sources++] = g->sources[i].address;
        }
    }
    merge(m, &f);
}

/* Adds what is wanted in one of the modes on other ports than 'port'. */
static void
merge_mode(struct igmp_merge *m, const struct igmp_entry *entry,
           const struct port_id *port, bool exclude)
{
    for (size_t i = 0; i < entry->n_slots && !igmp_merge_is_all(m); i++) {
        const struct igmp_member *member = entry->slots[i].member;

        if (port_id_equal(&entry->slots[i].port, port)) {
            continue;
        }
        if (member->fixed && member->fixed->exclude == exclude) {
            merge(m, member->fixed);
        }
        if (member->group.exclude == exclude) {
            merge_learned(m, &member->group);
        }
    }
}

/* Those in INCLUDE mode, where those in the other are in the merge. */
static void
merge_include(struct igmp_merge *m, const struct igmp_entry *entry,
              const struct port_id *port)
{
    if (m->exclude || igmp_table_lookup_member(entry, port)) {
        merge_mode(m, entry, port, false);
        return;
    }
    /* All are in INCLUDE mode: what somebody wants is listed already. */
    for (size_t i = 0; i < entry->n_specials; i++) {
        igmp_merge_include(m, &entry->specials[i].source, 1);
    }
}

/* All that members on other ports than 'port' want, RFC 4605 4.1, and what is
 * asked for besides. */
static void
wanted_cb(void *s_, const struct ip_addr *group, const struct port_id *port,
          struct igmp_merge *m)
{
    const struct igmp_snoop *s = s_;
    const struct igmp_entry *entry = igmp_table_lookup(&s->table, group);

    igmp_merge_begin(m, group);
    igmp_joins_merge(&s->joins, group, port, true, m);
    if (entry) {
        merge_mode(m, entry, port, true);
    }
    igmp_joins_merge(&s->joins, group, port, false, m);
    if (entry) {
        merge_include(m, entry, port);
    }
    igmp_joins_follow(&s->joins, group, port, m);
}

/* Outlets. */

static struct igmp_outlet *
lookup(const struct igmp_snoop *s, const struct port_id *port)
{
    struct igmp_outlet *o;

    HASH_FIND(hh, s->proxy.outlets, port, sizeof *port, o);
    return o;
}

static void
arm(struct igmp_snoop *s, struct igmp_outlet *o)
{
    int64_t at = igmp_speaker_deadline(&o->speaker);

    if (o->asked_until > s->now && o->asked_until < at) {
        at = o->asked_until;
    }
    timer_heap_set(&s->proxy.timers, &o->timer, at);
}

/* Is 'port' to be spoken to? */
static bool
is_spoken_to(const struct igmp_snoop *s, const struct port_id *port,
             const struct igmp_outlet *o)
{
    return s->querier.config.upstream == IGMP_UPSTREAM_PROXY
           && (igmp_snoop_is_router_port(s, port)
               || (o && o->asked_until > s->now));
}

/* It hears everything at once. */
static struct igmp_outlet *
open_outlet(struct igmp_snoop *s, const struct port_id *port)
{
    const struct igmp_entry *entry;
    struct igmp_outlet *o = xcalloc(1, sizeof *o);

    o->port = *port;
    o->timer.at = INT64_MAX;
    o->asked_until = INT64_MIN;
    igmp_speaker_init(&o->speaker, &s->proxy.env, port);
    HASH_ADD(hh, s->proxy.outlets, port, sizeof o->port, o);
    for (entry = s->table.entries; entry; entry = entry->hh.next) {
        igmp_speaker_changed(&o->speaker, &entry->address, s->now);
    }
    for (size_t i = 0; i < s->joins.n; i++) {
        igmp_speaker_changed(&o->speaker, &s->joins.list[i].group, s->now);
    }
    arm(s, o);
    return o;
}

static void
close_outlet(struct igmp_snoop *s, struct igmp_outlet *o)
{
    timer_heap_cancel(&s->proxy.timers, &o->timer);
    HASH_DEL(s->proxy.outlets, o);
    igmp_speaker_uninit(&o->speaker);
    free(o);
}

static void
close_all(struct igmp_snoop *s)
{
    struct igmp_outlet *o, *next;

    HASH_ITER (hh, s->proxy.outlets, o, next) {
        close_outlet(s, o);
    }
}

/* Life. */

static void
send_cb(void *s_, const struct port_id *port, const void *frame, size_t size)
{
    const struct igmp_snoop *s = s_;

    s->ops.send(s->aux, port, frame, size);
}

static void
take_config(struct igmp_snoop *s)
{
    const struct igmp_config *c = &s->querier.config;
    struct igmp_speaker_env *env = &s->proxy.env;

    env->voice.family = c->family;
    env->voice.mac = c->mac;
    env->voice.address = c->address;
    env->version = c->version;
    env->robustness = c->robustness;
}

/* Many daemons that start at once have different addresses, if nothing else:
 * their random delays should differ. */
static uint64_t
seed(const struct igmp_snoop *s)
{
    const struct igmp_config *c = &s->querier.config;
    uint64_t x = (uint64_t) s->now;

    for (size_t i = 0; i < sizeof c->address.b; i++) {
        x = x * 31 + c->address.b[i];
    }
    for (size_t i = 0; i < sizeof c->mac.b; i++) {
        x = x * 31 + c->mac.b[i];
    }
    return x * 31 + s->vlan;
}

void
igmp_proxy_init(struct igmp_snoop *s)
{
    s->proxy.env = (struct igmp_speaker_env){
        .voice = {.vlan = s->vlan, .send = send_cb, .aux = s},
        .random = seed(s),
        .wanted = wanted_cb};
    timer_heap_init(&s->proxy.timers);
    take_config(s);
}

void
igmp_proxy_uninit(struct igmp_snoop *s)
{
    close_all(s);
    timer_heap_uninit(&s->proxy.timers);
    igmp_merge_uninit(&s->proxy.env.merge);
}

void
igmp_proxy_configured(struct igmp_snoop *s)
{
    const struct igmp_port *port;

    take_config(s);
    if (s->querier.config.upstream != IGMP_UPSTREAM_PROXY) {
        close_all(s);
    }
    for (port = s->table.routers; port; port = port->next_router) {
        igmp_proxy_router_changed(s, &port->id);
    }
}

/* Events. */

void
igmp_proxy_router_changed(struct igmp_snoop *s, const struct port_id *port)
{
    struct igmp_outlet *o = lookup(s, port);
    bool is_open = is_spoken_to(s, port, o);

    if (is_open && !o) {
        open_outlet(s, port);
    } else if (!is_open && o) {
        close_outlet(s, o);
    }
}

void
igmp_proxy_port_down(struct igmp_snoop *s, const struct port_id *port)
{
    struct igmp_outlet *o = lookup(s, port);

    if (o) {
        o->asked_until = INT64_MIN;
        igmp_proxy_router_changed(s, port);
    }
}

void
igmp_proxy_member_changed(struct igmp_snoop *s, const struct ip_addr *group)
{
    struct igmp_outlet *o, *next;

    HASH_ITER (hh, s->proxy.outlets, o, next) {
        igmp_speaker_changed(&o->speaker, group, s->now);
        arm(s, o);
    }
}

/* To 'from' only, or to everybody if it is NULL. */
static void
ask(struct igmp_snoop *s, const struct port_id *from,
    const struct igmp_question *q)
{
    struct igmp_outlet *o, *next;

    HASH_ITER (hh, s->proxy.outlets, o, next) {
        if (!from || port_id_equal(&o->port, from)) {
            igmp_speaker_asked(&o->speaker, q, s->now);
            arm(s, o);
        }
    }
}

/* A query from 0.0.0.0: its port is spoken to for as long as the next but one
 * may take to come. */
static void
asked_by_nobody(struct igmp_snoop *s, const struct port_id *port)
{
    struct igmp_outlet *o = lookup(s, port);

    if (!o && s->querier.config.upstream == IGMP_UPSTREAM_PROXY
        && HASH_COUNT(s->proxy.outlets) < MAX_ASKERS) {
        o = open_outlet(s, port);
    }
    if (o) {
        o->asked_until = s->now + igmp_querier_other_present(&s->querier);
    }
}

/* While we are the querier, queries of others are not passed on. */
void
igmp_proxy_query_heard(struct igmp_snoop *s, const struct port_id *port,
                       const struct igmp_msg *m)
{
    const struct igmp_question q = {
        .version = m->version,
        .group = m->group,
        .sources = &m->sources,
        .max_resp_ms = m->max_resp_ms,
        .qrv = m->qrv,
        .older_present = igmp_querier_robustness(&s->querier)
                             * igmp_querier_query_interval(&s->querier)
                         + m->max_resp_ms};

    if (ip_addr_is_any(&m->ip_src)) {
        asked_by_nobody(s, port);
    }
    ask(s, s->querier.ours ? port : NULL, &q);
}

void
igmp_proxy_query_sent(struct igmp_snoop *s)
{
    const struct igmp_config *c = &s->querier.config;
    const struct igmp_question q = {.version = c->version,
                                    .group = IP_ADDR_ANY,
                                    .max_resp_ms = c->query_response_interval,
                                    .qrv = c->robustness,
                                    .older_present =
                                        igmp_config_membership_interval(c)};

    ask(s, NULL, &q);
}

/* Passing on. */

/* No leaves: others may want the group, and nobody would ask them for a router
 * that lowers its timers for it.  What it knows runs out by itself. */
static void
say_local(struct igmp_snoop *s, struct igmp_say *say,
          const struct igmp_record *r)
{
    struct ip_addr list[IGMP_MAX_SOURCES];
    size_t n = 0;

    if (igmp_check_group(s->querier.config.family, &r->group) != IGMP_IGNORED
        || r->type < IGMP_MODE_IS_INCLUDE || r->type >= IGMP_BLOCK_OLD_SOURCES
        || r->type == IGMP_CHANGE_TO_INCLUDE) {
        return;
    }
    while (n < r->sources.n && n < IGMP_MAX_SOURCES) {
        list[n] = igmp_source_at(&r->sources, n);
        n++;
    }
    igmp_say_record(say, (enum igmp_record_type) r->type, &r->group, list, n);
}

void
igmp_proxy_pass_local(struct igmp_snoop *s, const struct port_id *port,
                      const struct igmp_msg *m)
{
    struct igmp_outlet *o;

    for (o = s->proxy.outlets; o; o = o->hh.next) {
        struct igmp_record_cursor c;
        struct igmp_record r;
        struct igmp_say say;

        if (port_id_equal(&o->port, port)) {
            continue;
        }
        igmp_say_begin(&say, &s->proxy.env.voice, &o->port, 3);
        igmp_record_first(&c, m);
        while (igmp_record_next(&c, &r)) {
            say_local(s, &say, &r);
        }
        igmp_say_end(&say);
    }
}

/* Time. */

void
igmp_proxy_run(struct igmp_snoop *s)
{
    struct timer_node *node;

    while ((node = timer_heap_pop_due(&s->proxy.timers, s->now))) {
        struct igmp_outlet *o = (struct igmp_outlet *) (void *) node;

        if (is_spoken_to(s, &o->port, o)) {
            igmp_speaker_run(&o->speaker, s->now);
            arm(s, o);
        } else {
            close_outlet(s, o);
        }
    }
}

int64_t
igmp_proxy_deadline(const struct igmp_snoop *s)
{
    return timer_heap_deadline(&s->proxy.timers);
}
