/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* An Ethernet frame, as the headers of what it carries; the same bytes once
 * more, cut short, must not tell more. */

#include <stdlib.h>
#include <string.h>

#include "lib/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct headers h, less;

    bool whole = headers_parse(data, size, &h);
    if (headers_parse(data, size / 2, &less)
        && (!whole || less.size != h.size || (less.has_udp && !h.has_udp))) {
        abort();
    }
    return 0;
}
