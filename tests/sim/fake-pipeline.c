/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-private.h"

#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-actions.h>

#include "lib/xalloc.h"

/* OVS gives up, and drops everything, at this depth (ovs-facts.md 1). */
enum { MAX_DEPTH = 64 };

struct copy {
    uint32_t out_port;
    struct fake_frame frame;
    /* Of a punt. */
    uint8_t table;
    ovs_be64 cookie, metadata;
    bool miss;
};

/* One frame on its way through the switch.  Copies are collected and leave at
 * the end, as a walk that goes wrong emits nothing. */
struct walk {
    struct fake_switch *sw;
    uint32_t in_port;
    bool probe; /* Leave no trace. */
    struct fake_frame frame;
    ovs_be64 metadata;
    const struct fake_flow *rule; /* NULL in a PACKET_OUT. */
    struct ofpbuf action_set;
    int depth;
    bool broken; /* Too deep. */
    bool stop;   /* The TTL has run out. */
    struct copy *copies;
    size_t n_copies, allocated_copies;
};

static void walk_table(struct walk *, uint8_t table);
static void do_actions(struct walk *, const struct ofpact *, size_t size);

static void
emit(struct walk *w, uint32_t port)
{
    w->copies =
        xgrow(w->copies, w->n_copies, &w->allocated_copies, sizeof *w->copies);

    struct copy *c = &w->copies[w->n_copies++];

    memset(c, 0, sizeof *c);
    c->out_port = port;
    c->frame.data = xmemdup(w->frame.data, w->frame.size);
    c->frame.size = w->frame.size;
    c->table = w->rule ? w->rule->table : 0xff;
    c->cookie = w->rule ? w->rule->cookie : OVS_BE64_MAX;
    c->metadata = w->metadata;
    if (w->rule && !w->rule->priority) {
        struct match match;

        minimatch_expand(&w->rule->match, &match);
        match.wc.masks.packet_type = 0;
        c->miss = flow_wildcards_is_catchall(&match.wc);
    }
}

static void
flood(struct walk *w)
{
    for (size_t i = 0; i < w->sw->n_ports; i++) {
        const struct ofputil_phy_port *p = &w->sw->ports[i].desc;
        uint32_t no = (OVS_FORCE uint16_t) p->port_no;

        if (no != w->in_port && !(p->state & OFPUTIL_PS_LINK_DOWN)) {
            emit(w, no);
        }
    }
}

/* Nothing leaves by a port that is down or does not exist. */
static void
emit_to_port(struct walk *w, uint32_t no)
{
    for (size_t i = 0; i < w->sw->n_ports; i++) {
        const struct ofputil_phy_port *p = &w->sw->ports[i].desc;

        if ((OVS_FORCE uint16_t) p->port_no == no
            && !(p->state & OFPUTIL_PS_LINK_DOWN)) {
            emit(w, no);
        }
    }
}

/* The ingress port is left out, except by the name of IN_PORT. */
static void
output(struct walk *w, ofp_port_t port)
{
    switch ((OVS_FORCE int) port) {
    case (OVS_FORCE int) OFPP_IN_PORT:
        emit_to_port(w, w->in_port);
        break;
    case (OVS_FORCE int) OFPP_TABLE:
        walk_table(w, 0);
        break;
    case (OVS_FORCE int) OFPP_NORMAL:
    case (OVS_FORCE int) OFPP_FLOOD:
    case (OVS_FORCE int) OFPP_ALL:
        flood(w);
        break;
    case (OVS_FORCE int) OFPP_CONTROLLER:
        emit(w, FAKE_PORT_CONTROLLER);
        break;
    case (OVS_FORCE int) OFPP_LOCAL:
        emit(w, FAKE_PORT_LOCAL);
        break;
    default:
        if ((OVS_FORCE uint16_t) port != w->in_port) {
            emit_to_port(w, (OVS_FORCE uint16_t) port);
        }
        break;
    }
}

/* A list of actions executed as an OpenFlow action set: pop, push, dec_ttl,
 * then the set-fields in their order, then the last group, else the last
 * output; nothing at all without one. */
static void
do_action_set(struct walk *w, const struct ofpact *ofpacts, size_t size)
{
    static const enum ofpact_type order[] = {OFPACT_STRIP_VLAN,
                                             OFPACT_PUSH_VLAN, OFPACT_DEC_TTL};
    const struct ofpact *slots[3] = {NULL}, *final = NULL, *a;

    OFPACT_FOR_EACH(a, ofpacts, size)
    {
        for (int i = 0; i < 3; i++) {
            slots[i] = a->type == order[i] ? a : slots[i];
        }
        if (a->type == OFPACT_GROUP
            || (a->type == OFPACT_OUTPUT
                && (!final || final->type == OFPACT_OUTPUT))) {
            final = a;
        }
    }
    if (!final) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (slots[i]) {
            do_actions(w, slots[i], OFPACT_ALIGN(slots[i]->len));
        }
    }
    OFPACT_FOR_EACH(a, ofpacts, size)
    {
        if (a->type != OFPACT_OUTPUT && a->type != OFPACT_GROUP
            && a->type != order[0] && a->type != order[1]
            && a->type != order[2]) {
            do_actions(w, a, OFPACT_ALIGN(a->len));
        }
    }
    do_actions(w, final, OFPACT_ALIGN(final->len));
}

/* Each bucket gets the packet as it was at the group action. */
static void
do_group(struct walk *w, uint32_t id)
{
    struct fake_group *g = fake_tables_lookup_group(&w->sw->tables, id);
    const struct ofputil_bucket *bucket;

    if (!g) {
        return;
    }
    if (++w->depth > MAX_DEPTH) {
        w->broken = true;
        return;
    }
    g->packets += !w->probe;
    g->bytes += w->probe ? 0 : w->frame.size;
    LIST_FOR_EACH (bucket, list_node, &g->buckets) {
        struct fake_frame saved = w->frame;
        ovs_be64 metadata = w->metadata;

        w->frame.data = xmemdup(saved.data, saved.size);
        do_action_set(w, bucket->ofpacts, bucket->ofpacts_len);
        w->stop = false;
        free(w->frame.data);
        w->frame = saved;
        w->metadata = metadata;
        if (w->broken || g->type != OFPGT11_ALL) {
            break;
        }
    }
    w->depth--;
}

static void
do_meter(struct walk *w, uint32_t id)
{
    struct fake_meter *m = fake_tables_lookup_meter(&w->sw->tables, id);

    if (m) {
        m->packets += !w->probe;
    }
}

static void
write_metadata(struct walk *w, const struct ofpact_metadata *a)
{
    w->metadata = (w->metadata & ~a->mask) | (a->metadata & a->mask);
}

static void
do_action(struct walk *w, const struct ofpact *a)
{
    const struct ofpact_nest *nest;

    switch ((int) a->type) {
    case OFPACT_OUTPUT:
        output(w, ofpact_get_OUTPUT(a)->port);
        return;
    case OFPACT_CONTROLLER:
        do_meter(w, ofpact_get_CONTROLLER(a)->meter_id);
        emit(w, FAKE_PORT_CONTROLLER);
        return;
    case OFPACT_GROUP:
        do_group(w, ofpact_get_GROUP(a)->group_id);
        return;
    case OFPACT_METER:
        do_meter(w, ofpact_get_METER(a)->meter_id);
        return;
    case OFPACT_GOTO_TABLE:
        walk_table(w, ofpact_get_GOTO_TABLE(a)->table_id);
        return;
    case OFPACT_WRITE_METADATA:
        write_metadata(w, ofpact_get_WRITE_METADATA(a));
        return;
    case OFPACT_CLEAR_ACTIONS:
        ofpbuf_clear(&w->action_set);
        return;
    case OFPACT_WRITE_ACTIONS:
        nest = ofpact_get_WRITE_ACTIONS(a);
        ofpbuf_put(&w->action_set, nest->actions,
                   ofpact_nest_get_action_len(nest));
        return;
    }
    switch (fake_packet_rewrite(&w->frame, a)) {
    case FAKE_REWRITE_DAMAGE:
        w->sw->counters.damaged += !w->probe;
        break;
    case FAKE_REWRITE_EXPIRED:
        w->stop = true;
        break;
    case FAKE_REWRITE_DONE:
    case FAKE_REWRITE_NONE:
        break;
    }
}

static void
do_actions(struct walk *w, const struct ofpact *ofpacts, size_t size)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH(a, ofpacts, size)
    {
        if (w->broken || w->stop) {
            return;
        }
        do_action(w, a);
    }
}

static void
walk_table(struct walk *w, uint8_t table)
{
    struct flow flow;

    fake_packet_extract(&w->frame, w->in_port, &flow);
    flow.metadata = w->metadata;
    if (flow.nw_frag & FLOW_NW_FRAG_ANY) {
        if (w->sw->config.frag == OFPUTIL_FRAG_DROP) {
            return;
        } else if (w->sw->config.frag == OFPUTIL_FRAG_NORMAL) {
            flow.tp_src = flow.tp_dst = htons(0);
        }
    }
    if (++w->depth > MAX_DEPTH) {
        w->broken = true;
        return;
    }

    struct fake_flow *rule = fake_tables_lookup(&w->sw->tables, table, &flow);
    const struct fake_flow *saved = w->rule;

    if (rule) {
        if (!w->probe) {
            rule->packets++;
            rule->bytes += w->frame.size;
            rule->used = w->sw->now;
        }
        w->rule = rule;
        do_actions(w, rule->ofpacts, rule->ofpacts_len);
        w->rule = saved;
    }
    w->depth--;
}

static void
send_packet_in(struct walk *w, const struct copy *c)
{
    struct ofputil_packet_in_private pin;

    memset(&pin, 0, sizeof pin);
    pin.base.packet = c->frame.data;
    pin.base.packet_len = c->frame.size;
    pin.base.reason = c->miss ? OFPR_NO_MATCH : OFPR_ACTION;
    pin.base.table_id = c->table;
    pin.base.cookie = c->cookie;
    match_init_catchall(&pin.base.flow_metadata);
    match_set_in_port(&pin.base.flow_metadata,
                      OFP_PORT_C((uint16_t) w->in_port));
    if (c->metadata) {
        match_set_metadata(&pin.base.flow_metadata, c->metadata);
    }
    w->sw->counters.packet_ins++;
    fake_send(w->sw, ofputil_encode_packet_in_private(&pin, OFPUTIL_P_OF13_OXM,
                                                      OFPUTIL_PACKET_IN_STD));
}

static struct fake_port *
find_port(struct fake_switch *sw, uint32_t no)
{
    for (size_t i = 0; i < sw->n_ports; i++) {
        if ((OVS_FORCE uint16_t) sw->ports[i].desc.port_no == no) {
            return &sw->ports[i];
        }
    }
    return NULL;
}

static void
deliver(struct walk *w, fake_output_cb *cb, void *aux)
{
    for (size_t i = 0; i < w->n_copies; i++) {
        struct copy *c = &w->copies[i];

        if (!w->broken) {
            struct fake_port *p = find_port(w->sw, c->out_port);

            if (p && !w->probe) {
                p->tx_packets++;
                p->tx_bytes += c->frame.size;
            }
            if (cb) {
                cb(aux, c->out_port, c->frame.data, c->frame.size);
            }
            if (c->out_port == FAKE_PORT_CONTROLLER && w->sw->connected
                && !w->probe) {
                send_packet_in(w, c);
            }
        }
        free(c->frame.data);
    }
    free(w->copies);
    free(w->frame.data);
    ofpbuf_uninit(&w->action_set);
}

static void
start_walk(struct walk *w, struct fake_switch *sw, uint32_t in_port,
           const void *frame, size_t size)
{
    memset(w, 0, sizeof *w);
    w->sw = sw;
    w->in_port = in_port;
    w->frame.data = xmemdup(frame, size);
    w->frame.size = size;
    ofpbuf_init(&w->action_set, 0);
}

static void
finish_walk(struct walk *w)
{
    if (w->action_set.size && !w->broken && !w->stop) {
        struct ofpbuf set = w->action_set;

        ofpbuf_init(&w->action_set, 0);
        do_action_set(w, set.data, set.size);
        ofpbuf_uninit(&set);
    }
}

void
fake_switch_probe(struct fake_switch *sw, uint32_t in_port, const void *frame,
                  size_t size, fake_output_cb *cb, void *aux)
{
    struct walk w;

    start_walk(&w, sw, in_port, frame, size);
    w.probe = true;
    walk_table(&w, 0);
    finish_walk(&w);
    deliver(&w, cb, aux);
}

void
fake_switch_packet(struct fake_switch *sw, uint32_t in_port, const void *frame,
                   size_t size, fake_output_cb *cb, void *aux)
{
    struct fake_port *p = find_port(sw, in_port);
    struct walk w;

    if (p) {
        p->rx_packets++;
        p->rx_bytes += size;
    }
    start_walk(&w, sw, in_port, frame, size);
    walk_table(&w, 0);
    finish_walk(&w);
    deliver(&w, cb, aux);
}

static void
tell_output(void *sw_, uint32_t out_port, const void *frame, size_t size)
{
    struct fake_switch *sw = sw_;

    if (out_port != FAKE_PORT_CONTROLLER && sw->ops.output) {
        sw->ops.output(sw->aux, out_port, frame, size);
    }
}

enum ofperr
fake_packet_out(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_packet_out po;
    struct ofpbuf ofpacts;
    enum ofperr error;

    ofpbuf_init(&ofpacts, 0);
    error = ofputil_decode_packet_out(&po, oh, NULL, &ofpacts);
    if (!error && po.buffer_id != UINT32_MAX) {
        error = OFPERR_OFPBRC_BUFFER_UNKNOWN;
    }
    if (!error) {
        ofp_port_t in_port = po.flow_metadata.flow.in_port.ofp_port;
        struct walk w;

        sw->counters.packet_outs++;
        start_walk(&w, sw, (OVS_FORCE uint16_t) in_port, po.packet,
                   po.packet_len);
        do_actions(&w, po.ofpacts, po.ofpacts_len);
        finish_walk(&w);
        deliver(&w, tell_output, sw);
    }
    ofpbuf_uninit(&ofpacts);
    return error;
}
