/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/sim/fake-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-connection.h>
#include <openvswitch/ofp-monitor.h>
#include <openvswitch/ofp-print.h>
#include <openvswitch/ofp-util.h>
#include <openvswitch/vlog.h>

#include "lib/xalloc.h"

static void
forget_removed(struct fake_switch *sw)
{
    struct fake_removed *r;

    LIST_FOR_EACH_POP (r, node, &sw->removed) {
        free(r);
    }
}

struct fake_switch *
fake_switch_create(uint64_t dpid, const struct fake_switch_ops *ops, void *aux)
{
    struct fake_switch *sw = xcalloc(1, sizeof *sw);

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    sw->dpid = dpid;
    sw->ops = *ops;
    sw->aux = aux;
    sw->trace = getenv("OFM_TRACE") != NULL;
    sw->config.frag = OFPUTIL_FRAG_NORMAL;
    sw->config.miss_send_len = 128;
    ofpbuf_init(&sw->input, 0);
    ovs_list_init(&sw->bundles);
    ovs_list_init(&sw->removed);
    fake_tables_init(&sw->tables);
    return sw;
}

void
fake_switch_destroy(struct fake_switch *sw)
{
    if (sw) {
        fake_bundles_forget(sw);
        forget_removed(sw);
        fake_tables_uninit(&sw->tables);
        ofpbuf_uninit(&sw->input);
        free(sw->ports);
        free(sw);
    }
}

struct fake_switch_faults *
fake_switch_faults(struct fake_switch *sw)
{
    return &sw->faults;
}

/* Sending. */

void
fake_send(struct fake_switch *sw, struct ofpbuf *msg)
{
    ofpmsg_update_length(msg);
    if (sw->connected && !sw->faults.mute) {
        sw->ops.send(sw->aux, msg->data, msg->size);
    }
    ofpbuf_delete(msg);
}

void
fake_send_error(struct fake_switch *sw, enum ofperr error,
                const struct ofp_header *oh)
{
    sw->counters.errors++;
    sw->counters.bad_out_group += error == OFPERR_OFPBAC_BAD_OUT_GROUP;
    fake_send(sw, ofperr_encode_reply(error, oh));
}

static void
note_flow_removed(void *sw_, const struct fake_flow *f, int reason)
{
    struct fake_switch *sw = sw_;
    struct fake_removed *r = xcalloc(1, sizeof *r);
    struct ofputil_flow_removed *fr = &r->body;

    minimatch_expand(&f->match, &fr->match);
    fr->cookie = f->cookie;
    fr->priority = f->priority;
    fr->reason = (uint8_t) reason;
    fr->table_id = f->table;
    fr->idle_timeout = f->idle_timeout;
    fr->hard_timeout = f->hard_timeout;
    fr->packet_count = f->packets;
    fr->byte_count = f->bytes;
    r->created = f->created;
    r->due = sw->now + sw->faults.removed_late_ms;
    ovs_list_push_back(&sw->removed, &r->node);
}

static void
tell_removed(struct fake_switch *sw)
{
    struct fake_removed *r, *next;

    LIST_FOR_EACH_SAFE (r, next, node, &sw->removed) {
        int64_t age = sw->now - r->created;

        if (r->due > sw->now) {
            continue;
        }
        r->body.duration_sec = (uint32_t) (age / 1000);
        r->body.duration_nsec = (uint32_t) (age % 1000 * 1000000);
        sw->counters.flow_removed++;
        fake_send(sw,
                  ofputil_encode_flow_removed(&r->body, OFPUTIL_P_OF13_OXM));
        ovs_list_remove(&r->node);
        free(r);
    }
}

/* Modifications. */

void
fake_settle(struct fake_switch *sw)
{
    fake_tables_commit(&sw->tables, note_flow_removed, sw);
    tell_removed(sw);
    if (sw->ops.changed) {
        sw->ops.changed(sw->aux);
    }
}

static enum ofperr
decode_flow_mod(const struct ofp_header *oh, struct ofputil_flow_mod *fm,
                struct ofpbuf *ofpacts)
{
    return ofputil_decode_flow_mod(fm, oh, OFPUTIL_P_OF13_OXM, NULL, NULL,
                                   ofpacts, OFPP_MAX, FAKE_N_TABLES);
}

/* Asks the test whether this modification is to fail. */
static enum ofperr
ask(struct fake_switch *sw, enum fake_mod_kind kind)
{
    uint64_t n = sw->counters.n_mods++;
    const char *name =
        sw->ops.refuse ? sw->ops.refuse(sw->aux, kind, n) : NULL;

    sw->counters.mods[kind]++;
    return name ? ofperr_from_name(name) : 0;
}

static enum ofperr
modify_flows(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;
    enum ofperr error;

    ofpbuf_init(&ofpacts, 0);
    error = decode_flow_mod(oh, &fm, &ofpacts);
    if (!error) {
        error = ask(sw, FAKE_FLOW_ADD + fm.command);
        if (!error) {
            sw->tables.max_flows = sw->faults.max_flows;
            error = fake_tables_flow_mod(&sw->tables, &fm, sw->now);
        }
        minimatch_destroy(&fm.match);
    }
    ofpbuf_uninit(&ofpacts);
    return error;
}

static enum ofperr
modify_groups(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_group_mod gm;
    enum ofperr error = ofputil_decode_group_mod(oh, &gm);

    if (!error) {
        error = ask(sw, gm.command == OFPGC11_DELETE ? FAKE_GROUP_DELETE
                        : gm.command == OFPGC11_ADD  ? FAKE_GROUP_ADD
                                                     : FAKE_GROUP_MODIFY);
        if (!error) {
            sw->tables.max_groups = sw->faults.max_groups;
            error = fake_tables_group_mod(&sw->tables, &gm);
        }
        ofputil_uninit_group_mod(&gm);
    }
    return error;
}

static enum ofperr
modify_meters(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_meter_mod mm;
    struct ofpbuf bands;
    enum ofperr error;

    ofpbuf_init(&bands, 0);
    error = ofputil_decode_meter_mod(oh, &mm, &bands);
    if (!error) {
        error = ask(sw, FAKE_METER_MOD);
        if (!error) {
            error = fake_tables_meter_mod(&sw->tables, &mm);
        }
    }
    ofpbuf_uninit(&bands);
    return error;
}

/* Makes the change but does not settle it. */
enum ofperr
fake_modify(struct fake_switch *sw, const struct ofp_header *oh)
{
    enum ofptype type;
    enum ofperr error = ofptype_decode(&type, oh);

    return error                       ? error
           : type == OFPTYPE_FLOW_MOD  ? modify_flows(sw, oh)
           : type == OFPTYPE_GROUP_MOD ? modify_groups(sw, oh)
                                       : OFPERR_OFPBFC_MSG_UNSUP;
}

/* Checks what OVS checks when a modification is added to a bundle: that it
 * decodes. */
enum ofperr
fake_check_mod(const struct ofp_header *oh)
{
    enum ofptype type;
    enum ofperr error = ofptype_decode(&type, oh);

    if (error) {
        return error;
    }
    if (type == OFPTYPE_FLOW_MOD) {
        struct ofputil_flow_mod fm;
        struct ofpbuf ofpacts;

        ofpbuf_init(&ofpacts, 0);
        error = decode_flow_mod(oh, &fm, &ofpacts);
        if (!error) {
            minimatch_destroy(&fm.match);
        }
        ofpbuf_uninit(&ofpacts);
    } else if (type == OFPTYPE_GROUP_MOD) {
        struct ofputil_group_mod gm;

        error = ofputil_decode_group_mod(oh, &gm);
        if (!error) {
            ofputil_uninit_group_mod(&gm);
        }
    } else {
        error = OFPERR_OFPBFC_MSG_UNSUP;
    }
    return error;
}

static enum ofperr
handle_mod(struct fake_switch *sw, enum ofptype type,
           const struct ofp_header *oh)
{
    enum ofperr error = type == OFPTYPE_METER_MOD ? modify_meters(sw, oh)
                                                  : fake_modify(sw, oh);

    if (error) {
        fake_tables_revert(&sw->tables);
    } else {
        fake_settle(sw);
    }
    return error;
}

/* Messages. */

static enum ofperr
send_features(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_switch_features f;

    memset(&f, 0, sizeof f);
    f.datapath_id = sw->dpid;
    f.n_tables = FAKE_N_TABLES;
    f.capabilities =
        OFPUTIL_C_FLOW_STATS | OFPUTIL_C_PORT_STATS | OFPUTIL_C_GROUP_STATS;
    fake_send(sw,
              ofputil_encode_switch_features(&f, OFPUTIL_P_OF13_OXM, oh->xid));
    return 0;
}

static enum ofperr
answer_echo(struct fake_switch *sw, const struct ofp_header *oh)
{
    size_t size = ntohs(oh->length) - sizeof *oh;
    struct ofpbuf *reply = ofpraw_alloc_reply(OFPRAW_OFPT_ECHO_REPLY, oh, 0);

    ofpbuf_put(reply, oh + 1, size);
    fake_send(sw, reply);
    return 0;
}

static enum ofperr
answer_barrier(struct fake_switch *sw, const struct ofp_header *oh)
{
    sw->counters.barriers++;
    if (!sw->faults.drop_barriers) {
        fake_send(sw, ofpraw_alloc_reply(OFPRAW_OFPT11_BARRIER_REPLY, oh, 0));
    }
    return 0;
}

static enum ofperr
answer_role(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_role_request rr;
    enum ofperr error = ofputil_decode_role_message(oh, &rr);

    if (!error) {
        fake_send(sw, ofputil_encode_role_reply(oh, &rr));
    }
    return error;
}

static enum ofperr
handle(struct fake_switch *sw, enum ofptype type, const struct ofp_header *oh)
{
    switch ((int) type) {
    case OFPTYPE_ECHO_REPLY:
        sw->counters.echo_replies++;
        return 0;
    case OFPTYPE_HELLO:
    case OFPTYPE_ERROR:
    case OFPTYPE_SET_ASYNC_CONFIG:
        return 0;
    case OFPTYPE_ECHO_REQUEST:
        return answer_echo(sw, oh);
    case OFPTYPE_FEATURES_REQUEST:
        return send_features(sw, oh);
    case OFPTYPE_GET_CONFIG_REQUEST:
        fake_send(sw, ofputil_encode_get_config_reply(oh, &sw->config));
        return 0;
    case OFPTYPE_SET_CONFIG:
        return ofputil_decode_set_config(oh, &sw->config);
    case OFPTYPE_BARRIER_REQUEST:
        return answer_barrier(sw, oh);
    case OFPTYPE_ROLE_REQUEST:
        return answer_role(sw, oh);
    case OFPTYPE_FLOW_MOD:
    case OFPTYPE_GROUP_MOD:
    case OFPTYPE_METER_MOD:
        return handle_mod(sw, type, oh);
    case OFPTYPE_BUNDLE_CONTROL:
        return fake_bundle_control(sw, oh);
    case OFPTYPE_BUNDLE_ADD_MESSAGE:
        return fake_bundle_add(sw, oh);
    case OFPTYPE_PACKET_OUT:
        return fake_packet_out(sw, oh);
    default:
        return fake_stats(sw, type, oh);
    }
}

/* For whoever hunts a failure: every message, in words. */
static void
trace(const struct fake_switch *sw, const struct ofp_header *oh)
{
    char *text = ofp_to_string(oh, ntohs(oh->length), NULL, NULL, 1);

    fprintf(stderr, "switch %llu gets %s", (unsigned long long) sw->dpid,
            text);
    free(text);
}

static void
handle_message(struct fake_switch *sw, const struct ofp_header *oh)
{
    enum ofptype type;
    enum ofperr error = oh->version == OFP13_VERSION
                            ? ofptype_decode(&type, oh)
                            : OFPERR_OFPBRC_BAD_VERSION;

    if (sw->trace) {
        trace(sw, oh);
    }
    if (error) {
        sw->counters.undecodable++;
    } else {
        error = handle(sw, type, oh);
    }
    if (error) {
        fake_send_error(sw, error, oh);
    }
}

void
fake_switch_input(struct fake_switch *sw, const void *bytes, size_t size)
{
    ofpbuf_put(&sw->input, bytes, size);
    if (sw->busy) {
        return;
    }
    sw->busy = true;
    while (sw->connected && sw->input.size >= sizeof(struct ofp_header)) {
        const uint8_t *header = sw->input.data;
        size_t length = (size_t) (header[2] << 8 | header[3]);

        if (length < sizeof(struct ofp_header) || length > sw->input.size) {
            sw->counters.undecodable += length < sizeof(struct ofp_header);
            break;
        }

        /* A copy: it must be aligned, and handling it may bring in more bytes,
         * which move these. */
        struct ofp_header *oh = xmemdup(header, length);

        ofpbuf_pull(&sw->input, length);
        handle_message(sw, oh);
        free(oh);
    }
    sw->busy = false;
}

/* Connection. */

void
fake_switch_connect(struct fake_switch *sw)
{
    sw->connected = true;
    ofpbuf_clear(&sw->input);
    sw->config.frag = OFPUTIL_FRAG_NORMAL;
    fake_send(sw,
              ofputil_encode_hello(1u << OFP10_VERSION | 1u << OFP13_VERSION
                                   | 1u << OFP15_VERSION));
}

void
fake_switch_disconnect(struct fake_switch *sw)
{
    sw->connected = false;
    ofpbuf_clear(&sw->input);
    fake_bundles_forget(sw);
    forget_removed(sw);
}

void
fake_switch_run(struct fake_switch *sw, int64_t now)
{
    sw->now = now;
    fake_tables_expire(&sw->tables, now);
    if (sw->tables.n_log) {
        fake_settle(sw);
    }
    tell_removed(sw);
}

void
fake_switch_wipe(struct fake_switch *sw)
{
    fake_tables_wipe(&sw->tables);
}

void
fake_switch_counters(const struct fake_switch *sw,
                     struct fake_switch_counters *counters)
{
    *counters = sw->counters;
    counters->flows = sw->tables.n_flows;
    counters->groups = hmap_count(&sw->tables.groups);
    counters->meters = hmap_count(&sw->tables.meters);
    counters->cascaded = sw->tables.n_cascaded;
}
