/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-text.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include <openvswitch/dynamic-string.h>
#include <openvswitch/meta-flow.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofpbuf.h>

#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

/* The decoders abort on messages of another kind. */
static bool
is_message(const uint8_t *msg, size_t size, enum ofptype wanted)
{
    enum ofptype type;

    return size >= OF13_HEADER_SIZE && ofp_msg_size(msg) == size
           && ofp_msg_version(msg) == OF13_VERSION
           && !ofptype_decode(&type, (const struct ofp_header *) msg)
           && type == wanted;
}

/* "" instead of "drop". */
static char *
format_actions(const struct ofpact *actions, size_t size, bool outputs)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    struct ofpact_format_params params = {.s = &text};
    struct ofpbuf kept;
    const struct ofpact *a;

    ofpbuf_init(&kept, 64);
    OFPACT_FOR_EACH(a, actions, size)
    {
        if (outputs || a->type != OFPACT_OUTPUT) {
            ofpbuf_put(&kept, a, OFPACT_ALIGN(a->len));
        }
    }
    if (kept.size) {
        ofpacts_format(kept.data, kept.size, &params);
    }
    ofpbuf_uninit(&kept);

    char *copy = xstrdup(ds_cstr(&text));
    ds_destroy(&text);
    return copy;
}

char *
ofp_text_actions(const uint8_t *msg, size_t size)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;
    char *text = NULL;

    if (!is_message(msg, size, OFPTYPE_FLOW_MOD)) {
        return NULL;
    }
    ofpbuf_init(&ofpacts, 256);
    if (!ofputil_decode_flow_mod(&fm, (const struct ofp_header *) msg,
                                 OFPUTIL_P_OF13_OXM, NULL, NULL, &ofpacts,
                                 OFPP_MAX, 255)) {
        text = format_actions(fm.ofpacts, fm.ofpacts_len, true);
        minimatch_destroy(&fm.match);
    }
    ofpbuf_uninit(&ofpacts);
    return text;
}

static bool
tell_bucket(const struct ofputil_bucket *bucket, ofp_text_cb *cb, void *aux)
{
    struct ofp_text_output output = {.port = 0};
    const struct ofpact *a;

    OFPACT_FOR_EACH(a, bucket->ofpacts, bucket->ofpacts_len)
    {
        if (a->type == OFPACT_OUTPUT) {
            output.port = (OVS_FORCE uint32_t) ofpact_get_OUTPUT(a)->port;
        } else if (a->type == OFPACT_SET_FIELD) {
            const struct ofpact_set_field *set = ofpact_get_SET_FIELD(a);
            output.tun_dst = set->field->id == MFF_TUN_DST
                                 ? ntohl(set->value->be32)
                                 : output.tun_dst;
        }
    }
    char *text = format_actions(bucket->ofpacts, bucket->ofpacts_len, false);
    output.actions = text;
    bool go_on = cb(aux, &output);
    free(text);
    return go_on;
}

void
ofp_text_each_output(const uint8_t *msg, size_t size, ofp_text_cb *cb,
                     void *aux)
{
    struct ofputil_group_mod gm;
    const struct ofputil_bucket *bucket;

    if (!is_message(msg, size, OFPTYPE_GROUP_MOD) || msg[GROUP_MOD_COMMAND]
        || msg[GROUP_MOD_COMMAND + 1]
        || ofputil_decode_group_mod((const struct ofp_header *) msg, &gm)) {
        return;
    }
    LIST_FOR_EACH (bucket, list_node, &gm.buckets) {
        if (!tell_bucket(bucket, cb, aux)) {
            break;
        }
    }
    ofputil_uninit_group_mod(&gm);
}
