/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A user's flow or group text: the first byte says which.  It must neither
 * abort nor leak, and what is accepted must survive a second reading. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openvswitch/vlog.h>

#include "lib/xalloc.h"
#include "ofp/ofp-canon.h"
#include "ofp/ofp-static.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
const char *__lsan_default_suppressions(void);

/* libopenvswitch forgets a few bytes when it refuses some texts. */
const char *
__lsan_default_suppressions(void)
{
    return "leak:xrealloc__\nleak:xmalloc__\nleak:xcalloc__";
}

static uint32_t
lookup(void *aux, const char *name)
{
    (void) aux;
    return name[0] == 'p' && name[1] ? (uint32_t) name[1] : 0;
}

static void
check(struct ofp_static *s, enum ofp_static_kind kind)
{
    const uint8_t *msg;
    const uint32_t *ids;
    size_t size, again_size;
    uint8_t *again;

    msg = ofp_static_message(s, &size);
    again = kind == OFP_STATIC_FLOW
                ? ofp_canon_flow(msg, size, &again_size, NULL)
                : ofp_canon_group(msg, size, &again_size, NULL);
    if (!again || again_size != size || memcmp(msg, again, size)
        || !ofp_static_same_key(s, s)) {
        abort();
    }
    ofp_static_groups_used(s, &ids);
    free(again);
    ofp_static_destroy(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum ofp_static_kind kind;
    struct ofp_static *s;
    bool unknown;
    char *text, *error;

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    if (!size) {
        return 0;
    }
    kind = data[0] == 'g' ? OFP_STATIC_GROUP : OFP_STATIC_FLOW;
    text = xmalloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    s = ofp_static_parse(kind, text, lookup, NULL, &unknown, &error);
    if (!s != !!error) {
        abort();
    }
    if (s) {
        check(s, kind);
    }
    free(error);
    free(text);
    return 0;
}
