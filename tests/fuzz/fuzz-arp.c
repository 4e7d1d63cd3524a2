/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* An Ethernet frame through the ARP parser; what it took is built again and
 * read again, which must say the same. */

#include <stdlib.h>
#include <string.h>

#include "lib/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t frame[ARP_MAX_SIZE];
    struct arp arp, again;

    if (arp_decode(data, size, &arp)) {
        size_t n = arp_encode(&arp, frame, sizeof frame);

        if (!n || n > size || !arp_decode(frame, n, &again)
            || memcmp(&arp, &again, sizeof arp)) {
            abort();
        }
    }
    return 0;
}
