/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A text as that of ofproto/trace and as that of dpif/show. */

#include <stdlib.h>
#include <string.h>

#include "api/ctl-trace.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmalloc(size + 1);
    struct ctl_trace t = {0};
    struct ctl_dpif d = {0};

    memcpy(text, data, size);
    text[size] = '\0';
    if (ctl_trace_parse(&t, text) != (t.actions != NULL)
        || (t.n_ports && !ctl_trace_has(&t, t.ports[t.n_ports - 1]))) {
        abort();
    }
    if (ctl_dpif_parse(&d, text)
        && !ctl_dpif_lookup(&d, d.ports[0].name, d.ports[0].port)) {
        abort();
    }
    ctl_trace_clear(&t);
    ctl_dpif_clear(&d);
    free(text);
    return 0;
}
