/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-stream.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "ofp/ofp-msg.h"
#include "ofp/ofp-proto.h"

void
ofp_stream_uninit(struct ofp_stream *s)
{
    free(s->partial);
    *s = (struct ofp_stream){.partial = NULL};
}

/* Adds from '*bytes' to the unfinished message until it has 'wanted' bytes. */
static bool
fill(struct ofp_stream *s, const uint8_t **bytes, size_t *size, size_t wanted)
{
    size_t n = wanted - s->n_partial;

    n = n < *size ? n : *size;
    s->partial = xrealloc(s->partial, wanted);
    memcpy(s->partial + s->n_partial, *bytes, n);
    s->n_partial += n;
    *bytes += n;
    *size -= n;
    return s->n_partial == wanted;
}

/* Goes on with the unfinished message and hands it on once it is complete. */
static bool
finish(struct ofp_stream *s, const uint8_t **bytes, size_t *size,
       ofp_stream_cb *cb, void *aux)
{
    uint8_t *msg;
    bool ok;

    if (s->n_partial < OF13_HEADER_SIZE
        && !fill(s, bytes, size, OF13_HEADER_SIZE)) {
        return true;
    } else if (ofp_msg_size(s->partial) < OF13_HEADER_SIZE) {
        return false;
    } else if (!fill(s, bytes, size, ofp_msg_size(s->partial))) {
        return true;
    }
    msg = s->partial;
    s->partial = NULL;
    s->n_partial = 0;
    ok = cb(aux, msg, ofp_msg_size(msg));
    free(msg);
    return ok;
}

bool
ofp_stream_input(struct ofp_stream *s, const uint8_t *bytes, size_t size,
                 ofp_stream_cb *cb, void *aux)
{
    if (s->n_partial && !finish(s, &bytes, &size, cb, aux)) {
        return false;
    }
    while (size >= OF13_HEADER_SIZE) {
        size_t n = ofp_msg_size(bytes);

        if (n < OF13_HEADER_SIZE) {
            return false;
        } else if (n > size) {
            break;
        } else if (!cb(aux, bytes, n)) {
            return false;
        }
        bytes += n;
        size -= n;
    }
    if (size) {
        fill(s, &bytes, &size, size);
    }
    return true;
}
