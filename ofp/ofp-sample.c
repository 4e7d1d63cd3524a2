/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-sample.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/match.h>
#include <openvswitch/meta-flow.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-packet.h>
#include <openvswitch/ofpbuf.h>

#include "lib/xalloc.h"
#include "ofp/ofp-proto.h"

/* Actions beside the frame. */
enum { ROOM = 8192 };

/* Does the action change the frame itself? */
static bool
rewrites(const struct ofpact *a)
{
    switch (a->type) {
    case OFPACT_SET_FIELD:
        return ofpact_get_SET_FIELD(a)->field->id >= MFF_ETH_SRC;
    case OFPACT_REG_MOVE:
        return ofpact_get_REG_MOVE(a)->dst.field->id >= MFF_ETH_SRC;
    case OFPACT_SET_VLAN_VID:
    case OFPACT_SET_VLAN_PCP:
    case OFPACT_STRIP_VLAN:
    case OFPACT_PUSH_VLAN:
    case OFPACT_SET_ETH_SRC:
    case OFPACT_SET_ETH_DST:
    case OFPACT_SET_IPV4_SRC:
    case OFPACT_SET_IPV4_DST:
    case OFPACT_SET_IP_DSCP:
    case OFPACT_SET_IP_TTL:
    case OFPACT_SET_L4_SRC_PORT:
    case OFPACT_SET_L4_DST_PORT:
    case OFPACT_DEC_TTL:
        return true;
    default:
        return false;
    }
}

static void
put_tag(struct ofpbuf *ofpacts, uint64_t tag)
{
    union mf_value value = {.be64 = (OVS_FORCE ovs_be64) htobe64(tag)};

    ofpact_put_set_field(ofpacts, mf_from_id(MFF_METADATA), &value, NULL);
}

static bool
put_rewriting(struct ofpbuf *ofpacts, const char *text)
{
    struct ofpbuf all;
    enum ofputil_protocol usable = OFPUTIL_P_ANY;
    struct ofpact_parse_params params = {.ofpacts = &all,
                                         .usable_protocols = &usable};
    const struct ofpact *a;

    ofpbuf_init(&all, 256);
    char *error = ofpacts_parse_instructions(text, &params);
    if (!error) {
        OFPACT_FOR_EACH(a, all.data, all.size)
        {
            if (rewrites(a)) {
                ofpbuf_put(ofpacts, a, OFPACT_ALIGN(a->len));
            }
        }
    }
    ofpbuf_uninit(&all);
    free(error);
    return !error;
}

uint8_t *
ofp_sample_message(const char *actions, uint64_t tag, const void *frame,
                   size_t frame_size, size_t *size)
{
    struct ofpbuf ofpacts;
    uint8_t *copy = NULL;

    ofpbuf_init(&ofpacts, 256);
    put_tag(&ofpacts, tag);
    if (frame_size + ROOM <= OF13_MAX_MESSAGE
        && put_rewriting(&ofpacts, actions) && ofpacts.size < ROOM / 2) {
        struct ofpact_output *output = ofpact_put_OUTPUT(&ofpacts);
        output->port = OFPP_CONTROLLER;
        output->max_len = UINT16_MAX;
        struct ofputil_packet_out po = {.packet = frame,
                                        .packet_len = frame_size,
                                        .buffer_id = UINT32_MAX,
                                        .ofpacts = ofpacts.data,
                                        .ofpacts_len = ofpacts.size};
        match_init_catchall(&po.flow_metadata);
        match_set_in_port(&po.flow_metadata, OFPP_CONTROLLER);
        struct ofpbuf *msg =
            ofputil_encode_packet_out(&po, OFPUTIL_P_OF13_OXM);
        *size = msg->size;
        copy = xmalloc(*size);
        memcpy(copy, msg->data, *size);
        ofpbuf_delete(msg);
    }
    ofpbuf_uninit(&ofpacts);
    return copy;
}
