/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-canon.h"

#include <string.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofpbuf.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

/* May 'msg' be given to the decoder for 'type'?  Those abort on messages of
 * another kind. */
static enum ofperr
check(const uint8_t *msg, size_t size, enum ofptype wanted)
{
    enum ofptype type;
    enum ofperr error;

    if (size < OF13_HEADER_SIZE || ofp_msg_size(msg) != size
        || ofp_msg_version(msg) != OF13_VERSION) {
        return OFPERR_OFPBRC_BAD_LEN;
    }
    error = ofptype_decode(&type, (const struct ofp_header *) msg);
    return error ? error : type == wanted ? 0 : OFPERR_OFPBRC_BAD_TYPE;
}

/* Takes over 'buffer'.  The library does not notice when a message grows
 * beyond its 16-bit length. */
static uint8_t *
finish(struct ofpbuf *buffer, size_t *size, enum ofperr *error)
{
    uint8_t *msg = NULL;

    if (buffer->size > OF13_MAX_MESSAGE) {
        *error = OFPERR_OFPBRC_BAD_LEN;
    } else {
        *size = buffer->size;
        msg = xmemdup(buffer->data, buffer->size);
        ofp_msg_set_xid(msg, 0);
    }
    ofpbuf_delete(buffer);
    return msg;
}

static uint8_t *
recode_flow(const uint8_t *msg, size_t *size, enum ofperr *error)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;
    uint8_t *out = NULL;

    ofpbuf_init(&ofpacts, 512);
    *error = ofputil_decode_flow_mod(&fm, (const struct ofp_header *) msg,
                                     OFPUTIL_P_OF13_OXM, NULL, NULL, &ofpacts,
                                     OFPP_MAX, 255);
    if (!*error) {
        out = finish(ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF13_OXM), size,
                     error);
        minimatch_destroy(&fm.match);
    }
    ofpbuf_uninit(&ofpacts);
    return out;
}

uint8_t *
ofp_canon_flow(const uint8_t *msg, size_t size, size_t *out_size,
               const char **reason)
{
    enum ofperr error = check(msg, size, OFPTYPE_FLOW_MOD);
    uint8_t *out = error ? NULL : recode_flow(msg, out_size, &error);

    if (!out && reason) {
        *reason = ofperr_get_name(error);
    }
    return out;
}

/* Commands that libopenvswitch would abort on when it encodes them again are
 * not "add". */
static uint8_t *
recode_group(const uint8_t *msg, size_t *size, enum ofperr *error)
{
    struct ofputil_group_mod gm;
    uint8_t *out = NULL;

    if (msg[GROUP_MOD_COMMAND] || msg[GROUP_MOD_COMMAND + 1]) {
        *error = OFPERR_OFPGMFC_BAD_COMMAND;
        return NULL;
    }
    *error = ofputil_decode_group_mod((const struct ofp_header *) msg, &gm);
    if (!*error) {
        out = finish(ofputil_encode_group_mod(OFP13_VERSION, &gm, NULL, -1),
                     size, error);
        ofputil_uninit_group_mod(&gm);
    }
    return out;
}

uint8_t *
ofp_canon_group(const uint8_t *msg, size_t size, size_t *out_size,
                const char **reason)
{
    enum ofperr error = check(msg, size, OFPTYPE_GROUP_MOD);
    uint8_t *out = error ? NULL : recode_group(msg, out_size, &error);

    if (!out && reason) {
        *reason = ofperr_get_name(error);
    }
    return out;
}

bool
ofp_canon_flow_key(const uint8_t *msg, size_t size, struct ofp_flow_key *key)
{
    struct wire_reader r;
    size_t match_size;

    wire_reader_init(&r, msg, size);
    wire_skip(&r, FLOW_MOD_TABLE);
    key->table = wire_get_u8(&r);
    wire_skip(&r, FLOW_MOD_PRIORITY - FLOW_MOD_TABLE - 1);
    key->priority = wire_get_be16(&r);
    wire_skip(&r, FLOW_MOD_MATCH + 2 - FLOW_MOD_PRIORITY - 2);
    match_size = wire_get_be16(&r);
    if (match_size < 4) {
        return false;
    }
    key->match_size = match_size - 4;
    key->match = wire_take(&r, key->match_size);
    return key->match != NULL;
}

bool
ofp_flow_key_equal(const struct ofp_flow_key *a, const struct ofp_flow_key *b)
{
    return a->table == b->table && a->priority == b->priority
           && a->match_size == b->match_size
           && !memcmp(a->match, b->match, a->match_size);
}
