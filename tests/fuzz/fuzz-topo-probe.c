/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A frame through the decoder of probes, with a key of zeros; what it took is
 * encoded again, which must be the same frame. */

#include <stdlib.h>
#include <string.h>

#include "topo/topo-probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[TOPO_KEY_SIZE];
    uint8_t frame[TOPO_PROBE_SIZE];
    struct topo_probe probe;
    struct mac_addr src;

    if (topo_probe_decode(data, size, key, &probe) == TOPO_PROBE_OK) {
        memcpy(&src, data + 6, sizeof src);
        if (topo_probe_encode(&probe, key, &src, frame) != size) {
            abort();
        }
        if (probe.kind == TOPO_PROBE_ECHO) {
            memcpy(frame, &TOPO_ECHO_REPLY_MAC, 6);
        }
        if (memcmp(frame, data, size)) {
            abort();
        }
    }
    return 0;
}
