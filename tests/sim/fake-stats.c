/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multipart requests and their replies. */

static void
send_list(struct fake_switch *sw, struct ovs_list *replies)
{
    struct ofpbuf *msg;

    LIST_FOR_EACH_POP (msg, list_node, replies) {
        fake_send(sw, msg);
    }
}

static enum ofperr
desc(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofpbuf *reply = ofpraw_alloc_stats_reply(oh, 0);
    struct ofp_desc_stats *d = ofpbuf_put_zeros(reply, sizeof *d);

    snprintf(d->mfr_desc, sizeof d->mfr_desc, "ofmcast tests");
    snprintf(d->hw_desc, sizeof d->hw_desc, "memory");
    snprintf(d->sw_desc, sizeof d->sw_desc, "fake switch");
    snprintf(d->serial_num, sizeof d->serial_num, "None");
    snprintf(d->dp_desc, sizeof d->dp_desc, "s%llu",
             (unsigned long long) sw->dpid);
    fake_send(sw, reply);
    return 0;
}

static enum ofperr
flow_stats(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_flow_stats_request fsr;
    enum ofperr error =
        ofputil_decode_flow_stats_request(&fsr, oh, NULL, NULL);
    struct ovs_list replies;

    if (error) {
        return error;
    }
    ofpmp_init(&replies, oh);
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        const struct fake_flow *f;

        HMAP_FOR_EACH(f, node, &sw->tables.flows[table])
        {
            if (fake_flow_selected(f, &fsr.match, fsr.table_id, fsr.cookie,
                                   fsr.cookie_mask, fsr.out_port,
                                   fsr.out_group)) {
                struct ofputil_flow_stats fs;

                memset(&fs, 0, sizeof fs);
                minimatch_expand(&f->match, &fs.match);
                fs.cookie = f->cookie;
                fs.table_id = f->table;
                fs.priority = f->priority;
                fs.idle_timeout = f->idle_timeout;
                fs.hard_timeout = f->hard_timeout;
                fs.packet_count = f->packets;
                fs.byte_count = f->bytes;
                fs.ofpacts = f->ofpacts;
                fs.ofpacts_len = f->ofpacts_len;
                fs.flags = f->flags;
                ofputil_append_flow_stats_reply(&fs, &replies, NULL);
            }
        }
    }
    send_list(sw, &replies);
    return 0;
}

static enum ofperr
aggregate_stats(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_flow_stats_request fsr;
    enum ofperr error =
        ofputil_decode_flow_stats_request(&fsr, oh, NULL, NULL);
    struct ofputil_aggregate_stats sum;

    if (error) {
        return error;
    }
    memset(&sum, 0, sizeof sum);
    for (int table = 0; table < FAKE_N_TABLES; table++) {
        const struct fake_flow *f;

        HMAP_FOR_EACH(f, node, &sw->tables.flows[table])
        {
            if (fake_flow_selected(f, &fsr.match, fsr.table_id, fsr.cookie,
                                   fsr.cookie_mask, fsr.out_port,
                                   fsr.out_group)) {
                sum.packet_count += f->packets;
                sum.byte_count += f->bytes;
                sum.flow_count++;
            }
        }
    }
    fake_send(sw, ofputil_encode_aggregate_stats_reply(&sum, oh));
    return 0;
}

static enum ofperr
group_desc(struct fake_switch *sw, const struct ofp_header *oh)
{
    const struct fake_group *g;
    struct ovs_list replies;

    ofpmp_init(&replies, oh);
    HMAP_FOR_EACH(g, node, &sw->tables.groups)
    {
        struct ofputil_group_desc gd;

        memset(&gd, 0, sizeof gd);
        gd.group_id = g->id;
        gd.type = g->type;
        ofputil_append_group_desc_reply(&gd, &g->buckets, &replies);
    }
    send_list(sw, &replies);
    return 0;
}

static enum ofperr
group_stats(struct fake_switch *sw, const struct ofp_header *oh)
{
    const struct fake_group *g;
    struct ovs_list replies;
    uint32_t id;
    enum ofperr error = ofputil_decode_group_stats_request(oh, &id);

    if (error) {
        return error;
    }
    ofpmp_init(&replies, oh);
    HMAP_FOR_EACH(g, node, &sw->tables.groups)
    {
        if (id == OFPG_ALL || id == g->id) {
            struct ofputil_group_stats gs;

            memset(&gs, 0, sizeof gs);
            gs.group_id = g->id;
            gs.ref_count = 1;
            gs.packet_count = g->packets;
            gs.byte_count = g->bytes;
            gs.n_buckets = (uint32_t) ovs_list_size(&g->buckets);
            /* Of type all: every bucket counts every packet. */
            gs.bucket_stats =
                calloc(gs.n_buckets + 1, sizeof *gs.bucket_stats);
            for (uint32_t i = 0; gs.bucket_stats && i < gs.n_buckets; i++) {
                gs.bucket_stats[i].packet_count = g->packets;
                gs.bucket_stats[i].byte_count = g->bytes;
            }
            ofputil_append_group_stats(&replies, &gs);
            free(gs.bucket_stats);
        }
    }
    send_list(sw, &replies);
    return 0;
}

static enum ofperr
meter_config(struct fake_switch *sw, const struct ofp_header *oh)
{
    const struct fake_meter *m;
    struct ovs_list replies;
    uint32_t id;

    ofputil_decode_meter_request(oh, &id);
    ofpmp_init(&replies, oh);
    HMAP_FOR_EACH(m, node, &sw->tables.meters)
    {
        if (id == OFPM13_ALL || id == m->config.meter_id) {
            ofputil_append_meter_config(&replies, &m->config);
        }
    }
    send_list(sw, &replies);
    return 0;
}

static enum ofperr
port_desc(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ovs_list replies;

    ofpmp_init(&replies, oh);
    for (size_t i = 0; i < sw->n_ports; i++) {
        ofputil_append_port_desc_stats_reply(&sw->ports[i].desc, &replies);
    }
    send_list(sw, &replies);
    return 0;
}

static enum ofperr
port_stats(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ovs_list replies;
    ofp_port_t no;
    enum ofperr error = sw->faults.no_port_stats
                            ? OFPERR_OFPBRC_BAD_STAT
                            : ofputil_decode_port_stats_request(oh, &no);

    if (error || sw->faults.drop_port_stats) {
        return error;
    }
    ofpmp_init(&replies, oh);
    for (size_t i = 0; i < sw->n_ports; i++) {
        const struct fake_port *p = &sw->ports[i];

        if (no == OFPP_ANY || no == p->desc.port_no) {
            struct ofputil_port_stats ps;

            memset(&ps, 0xff, sizeof ps); /* All ones: not known. */
            memset(&ps.custom_stats, 0, sizeof ps.custom_stats);
            ps.port_no = p->desc.port_no;
            ps.stats.rx_packets = p->rx_packets;
            ps.stats.rx_bytes = p->rx_bytes;
            ps.stats.tx_packets = p->tx_packets;
            ps.stats.tx_bytes = p->tx_bytes;
            ps.stats.rx_dropped = p->rx_dropped;
            ps.stats.tx_dropped = p->tx_dropped;
            if (p->counts_errors) {
                ps.stats.rx_errors = p->rx_errors;
                ps.stats.tx_errors = p->tx_errors;
            }
            ofputil_append_port_stat(&replies, &ps);
        }
    }
    send_list(sw, &replies);
    return 0;
}

enum ofperr
fake_stats(struct fake_switch *sw, enum ofptype type,
           const struct ofp_header *oh)
{
    static const struct {
        enum ofptype type;
        enum ofperr (*handle)(struct fake_switch *, const struct ofp_header *);
    } handlers[] = {
        {OFPTYPE_DESC_STATS_REQUEST, desc},
        {OFPTYPE_FLOW_STATS_REQUEST, flow_stats},
        {OFPTYPE_AGGREGATE_STATS_REQUEST, aggregate_stats},
        {OFPTYPE_GROUP_DESC_STATS_REQUEST, group_desc},
        {OFPTYPE_GROUP_STATS_REQUEST, group_stats},
        {OFPTYPE_METER_CONFIG_STATS_REQUEST, meter_config},
        {OFPTYPE_PORT_DESC_STATS_REQUEST, port_desc},
        {OFPTYPE_PORT_STATS_REQUEST, port_stats},
    };

    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (handlers[i].type == type) {
            return handlers[i].handle(sw, oh);
        }
    }
    return OFPERR_OFPBRC_BAD_TYPE;
}
