/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl-private.h"
#include "lib/xalloc.h"
#include "ofp/ofp-sample.h"
#include "ofp/ofp-session.h"

enum {
    PRIO_SAMPLE = 1,    /* Above TABLE_STATIC's miss. */
    LAST_OUT_MS = 500,  /* What the switch owes us when all have come. */
    TAG_MAGIC = 0x4d53, /* Metadata: magic, sample, packet, rewriting. */
};

struct sample {
    struct sample *prev, *next; /* In ctl->samples. */
    struct ctl *ctl;
    uint64_t dpid;
    uint32_t id; /* 24 bits. */
    struct ofp_match match;
    bool has_flow;
    int64_t began;
    struct loop_timer timer;
    struct sample_packet *packets;
    size_t n_packets, wanted, n_awaited;
    char *first; /* What the route's flow does to all copies. */
    struct sample_rewriting rewritings[SAMPLE_MAX_REWRITINGS];
    size_t n_rewritings, n_left_out;
    sample_cb *cb;
    void *aux;
};

/* The end. */

static void
unset_flow(struct sample *s)
{
    struct ctl_switch *sw = switch_lookup(s->ctl, s->dpid);
    if (s->has_flow && sw) {
        ofp_table_unset(sw->table, TABLE_STATIC, PRIO_SAMPLE, &s->match);
        switch_want_run(sw);
    }
    s->has_flow = false;
}

static void
destroy(struct sample *s)
{
    loop_timer_clear(s->ctl->loop, &s->timer);
    for (size_t i = 0; i < s->n_rewritings; i++) {
        struct sample_rewriting *r = &s->rewritings[i];
        for (size_t j = 0; j < r->n_ports; j++) {
            free(r->ports[j].name);
        }
        free(r->actions);
        free(r->ports);
    }
    free(s->first);
    free(s->packets);
    free(s);
}

static void
finish(struct sample *s, bool abandoned)
{
    struct ctl *ctl = s->ctl;
    unset_flow(s);
    DL_DELETE(ctl->samples, s);
    s->cb(s->aux,
          &(struct sample_result){.abandoned = abandoned,
                                  .wanted = s->wanted,
                                  .packets = s->packets,
                                  .n_packets = s->n_packets,
                                  .rewritings = s->rewritings,
                                  .n_rewritings = s->n_rewritings,
                                  .n_left_out = s->n_left_out,
                                  .lasted = loop_now(ctl->loop) - s->began});
    destroy(s);
}

static void
timer_cb(void *s, int64_t now)
{
    (void) now;
    finish(s, false);
}

void
samples_abandon(struct ctl *ctl)
{
    while (ctl->samples) {
        finish(ctl->samples, true);
    }
}

/* Packets. */

static uint64_t
make_tag(const struct sample *s, size_t packet, size_t rewriting)
{
    return (uint64_t) TAG_MAGIC << 48 | (uint64_t) s->id << 16 | packet << 8
           | rewriting;
}

static void
send_back(struct sample *s, struct ctl_switch *sw,
          const struct ofp_packet_in *pin)
{
    for (size_t i = 0; i < s->n_rewritings; i++) {
        const char *second = s->rewritings[i].actions;
        char *actions = xasprintf("%s%s%s", s->first,
                                  *s->first && *second ? "," : "", second);
        size_t size;
        uint8_t *msg =
            ofp_sample_message(actions, make_tag(s, s->n_packets, i),
                               pin->frame, pin->size, &size);
        if (msg && sw->conn) {
            ofp_session_packet_out_message(conn_session(sw->conn), msg, size);
            s->n_awaited++;
        }
        free(actions);
        free(msg);
    }
}

/* All have come in: no more of them, and what is still on its way out. */
static void
stop_if_done(struct sample *s)
{
    if (s->n_packets == s->wanted) {
        int64_t now = loop_now(s->ctl->loop);
        unset_flow(s);
        loop_timer_set(s->ctl->loop, &s->timer,
                       now + (s->n_awaited ? LAST_OUT_MS : 0));
    }
}

static void
take_in(struct sample *s, struct ctl_switch *sw,
        const struct ofp_packet_in *pin)
{
    struct sample_packet *p = &s->packets[s->n_packets];
    if (s->n_packets == s->wanted
        || !headers_parse(pin->frame, pin->size, &p->in)) {
        return;
    }
    p->at = loop_now(s->ctl->loop) - s->began;
    send_back(s, sw, pin);
    s->n_packets++;
    stop_if_done(s);
}

static void
take_out(struct sample *s, const struct ofp_packet_in *pin)
{
    size_t packet = pin->metadata >> 8 & 0xff, i = pin->metadata & 0xff;
    if (packet < s->n_packets && i < s->n_rewritings
        && !s->packets[packet].out[i].came) {
        s->packets[packet].out[i].came = headers_parse(
            pin->frame, pin->size, &s->packets[packet].out[i].headers);
        s->n_awaited--;
        stop_if_done(s);
    }
}

static struct sample *
find(const struct ctl_switch *sw, uint64_t id)
{
    struct sample *s;
    DL_FOREACH (sw->ctl->samples, s) {
        if (s->id == id && s->dpid == sw->dpid) {
            return s;
        }
    }
    return NULL;
}

bool
samples_packet_in(struct ctl_switch *sw, const struct ofp_packet_in *pin)
{
    struct sample *s;
    if (cookie_kind(pin->cookie) == COOKIE_SAMPLE) {
        s = find(sw, pin->cookie & 0xffffff);
        if (s) {
            take_in(s, sw, pin);
        }
        return true;
    }
    if (pin->in_port == OFP_PORT_CONTROLLER
        && pin->metadata >> 48 == TAG_MAGIC) {
        s = find(sw, pin->metadata >> 16 & 0xffffff);
        if (s) {
            take_out(s, pin);
        }
        return true;
    }
    return false;
}

/* The beginning. */

static struct sample_rewriting *
get_rewriting(struct sample *s, const char *actions)
{
    for (size_t i = 0; i < s->n_rewritings; i++) {
        if (!strcmp(s->rewritings[i].actions, actions)) {
            return &s->rewritings[i];
        }
    }
    if (s->n_rewritings == SAMPLE_MAX_REWRITINGS) {
        return NULL;
    }
    struct sample_rewriting *r = &s->rewritings[s->n_rewritings++];
    r->actions = xstrdup(actions);
    return r;
}

/* What is done to all copies: what comes by a tunnel gets its vlan's tag, then
 * a route's flow does 'route' (NULL: none). */
static char *
first_actions(const struct ofp_match *match, uint16_t vlan, const char *route)
{
    bool tags = (match->fields & OFP_MATCH_TUN_ID) && vlan;
    char *tag = tags ? xasprintf("push_vlan:0x8100,set_field:%d->vlan_vid",
                                 vlan | 0x1000)
                     : xstrdup("");
    char *all = xasprintf("%s%s%s", tag, tags && route && *route ? "," : "",
                          route ? route : "");
    free(tag);
    return all;
}

struct explanation_aux {
    struct sample *sample;
    const struct explain_query *query;
};

static bool
take_explanation(void *aux_, const struct view_explain *x)
{
    struct explanation_aux *aux = aux_;
    struct sample *s = aux->sample;
    for (size_t i = 0; i < x->n_stages; i++) {
        if (x->stages[i].table == TABLE_ROUTE && x->stages[i].actions) {
            free(s->first);
            s->first = first_actions(&s->match, aux->query->vlan,
                                     x->stages[i].actions);
        }
    }
    for (size_t i = 0; i < x->n_outputs; i++) {
        const struct explain_output *o = &x->outputs[i];
        struct sample_rewriting *r =
            o->port.dpid == s->dpid ? get_rewriting(s, o->actions) : NULL;
        if (!r) {
            s->n_left_out++;
            continue;
        }
        r->ports =
            xgrow(r->ports, r->n_ports, &r->allocated_ports, sizeof *r->ports);
        r->ports[r->n_ports++] =
            (struct sample_port){o->port, xstrdup(o->port_name)};
    }
    return false;
}

/* As it enters: what comes by a tunnel has no tag yet, but its VNI.  False if
 * the tunnel does not carry the vlan. */
static bool
make_match(const struct ctl *ctl, const struct explain_query *q,
           struct ofp_match *match)
{
    const struct config_tunnel *t = tunnel_of(ctl, &q->in);
    struct channel channel = {
        .group = q->group, .source = q->source, .vlan = t ? 0 : q->vlan};
    *match = channel_match(&channel);
    match->fields |= OFP_MATCH_IN_PORT | (t ? OFP_MATCH_TUN_ID : 0);
    match->in_port = port_id_no(&q->in);
    return !t || config_tunnel_vni(t, q->vlan, &match->tun_id);
}

static bool
count_low(void *n, const struct ofp_entry_view *view)
{
    *(size_t *) n +=
        view->table == TABLE_STATIC && view->priority <= PRIO_SAMPLE;
    return true;
}

static const char *
find_obstacle(const struct ctl *ctl, const struct ctl_switch *sw,
              const struct ofp_match *match)
{
    const struct sample *s;
    struct ofp_entry_view view;
    size_t n = 0, low = 0;
    if (!sw || !sw->conn || !ofp_table_is_synced(sw->table)) {
        return "the switch is away";
    }
    DL_FOREACH (ctl->samples, s) {
        low -= s->has_flow && s->dpid == sw->dpid;
        n++;
    }
    if (n >= SAMPLE_MAX_SAMPLES) {
        return "too many samples are under way; try again in some seconds";
    }
    if (ofp_table_lookup(sw->table, TABLE_STATIC, PRIO_SAMPLE, match, &view)) {
        return "the stream is being sampled; try again in some seconds";
    }
    /* A flow of the user there might not get its packets. */
    ofp_table_each(sw->table, count_low, &low);
    return low > 1
               ? "a static flow of priority 0 or 1 in table 0 is in the way"
               : NULL;
}

static void
set_flow(struct sample *s, struct ctl_switch *sw)
{
    struct ofp_flow flow = {.table = TABLE_STATIC,
                            .priority = PRIO_SAMPLE,
                            .match = s->match,
                            .cookie = cookie_make(COOKIE_SAMPLE, s->id),
                            .punt = true,
                            .punt_meter = METER_SOURCES,
                            .goto_table = TABLE_ADMIT};
    ofp_table_set(sw->table, &flow, NULL, 0, 0, NULL);
    s->has_flow = true;
    switch_want_run(sw);
}

const char *
sample_begin(struct ctl *ctl, const struct explain_query *q, size_t n,
             sample_cb *cb, void *aux)
{
    struct ctl_switch *sw = switch_lookup(ctl, q->in.dpid);
    struct ofp_match match;
    const char *obstacle = make_match(ctl, q, &match)
                               ? find_obstacle(ctl, sw, &match)
                               : "the tunnel does not carry that vlan";
    if (obstacle) {
        return obstacle;
    }
    struct sample *s = xcalloc(1, sizeof *s);
    ctl->last_sample = (ctl->last_sample + 1) & 0xffffff;
    *s = (struct sample){.ctl = ctl,
                         .dpid = sw->dpid,
                         .id = ctl->last_sample,
                         .match = match,
                         .began = loop_now(ctl->loop),
                         .packets = xcalloc(n, sizeof *s->packets),
                         .wanted = n,
                         .first = first_actions(&match, q->vlan, NULL),
                         .cb = cb,
                         .aux = aux};
    view_explain(ctl, q, take_explanation, &(struct explanation_aux){s, q});
    set_flow(s, sw);
    DL_APPEND(ctl->samples, s);
    loop_timer_init(&s->timer, timer_cb, s);
    loop_timer_set(ctl->loop, &s->timer, s->began + SAMPLE_TIMEOUT_MS);
    return NULL;
}
