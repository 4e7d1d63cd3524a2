/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-error.h"

#include <stdio.h>
#include <openvswitch/ofp-errors.h>
#include <openvswitch/ofp-msgs.h>

#include "lib/wire.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

/* The error in the library's numbering, 0 if it does not know it. */
static enum ofperr
known_error(const uint8_t *msg)
{
    const struct ofp_header *oh = (const struct ofp_header *) msg;
    enum ofptype type;

    if (ofp_msg_version(msg) != OF13_VERSION || ofptype_decode(&type, oh)
        || type != OFPTYPE_ERROR) {
        return 0;
    }

    enum ofperr error = ofperr_decode_msg(oh, NULL);
    return ofperr_is_valid(error) ? error : 0;
}

/* Copies the first sentence of 'from', which may span lines. */
static size_t
copy_sentence(char *to, size_t room, const char *from)
{
    size_t n = 0;

    for (; from[n] && n + 1 < room; n++) {
        if (from[n] == '.' && (!from[n + 1] || from[n + 1] == ' ')) {
            break;
        }
        to[n] = from[n] == '\n' ? ' ' : from[n];
    }
    to[n] = '\0';
    return n;
}

void
ofp_error_decode(const uint8_t *msg, size_t size, struct ofp_error *e)
{
    struct wire_reader r;
    enum ofperr error;
    int n;

    wire_reader_init(&r, msg, size);
    wire_skip(&r, OF13_HEADER_SIZE);
    e->xid = ofp_msg_xid(msg);
    e->type = wire_get_be16(&r);
    e->code = wire_get_be16(&r);
    error = known_error(msg);
    if (!error) {
        snprintf(e->text, sizeof e->text, "OpenFlow error type %u code %u",
                 e->type, e->code);
        return;
    }
    n = snprintf(e->text, sizeof e->text, "%s: ", ofperr_get_name(error));
    if (n > 0 && (size_t) n < sizeof e->text) {
        copy_sentence(e->text + n, sizeof e->text - n,
                      ofperr_get_description(error));
    }
}
