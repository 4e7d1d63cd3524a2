/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/neutral.h"

enum { MODULUS = 0xffff, MAX_TRIES = 1 << 18 };

uint16_t
neutral_sum(uint32_t address)
{
    return (uint16_t) (((address >> 16) + (address & 0xffff)) % MODULUS);
}

uint16_t
neutral_add(uint16_t a, uint16_t b)
{
    return (uint16_t) (((uint32_t) a + b) % MODULUS);
}

uint16_t
neutral_subtract(uint16_t a, uint16_t b)
{
    return (uint16_t) (((uint32_t) a + MODULUS - b % MODULUS) % MODULUS);
}

bool
neutral_source(const struct ip_addr *source, const struct ip_addr *group,
               const struct ip_addr *new_group, const struct ip_prefix *pool,
               struct ip_addr *out)
{
    uint16_t wanted = neutral_add(neutral_sum(ip_addr_to_v4(source)),
                                  neutral_sum(ip_addr_to_v4(group)));
    wanted = neutral_subtract(wanted, neutral_sum(ip_addr_to_v4(new_group)));

    uint32_t first = ip_addr_to_v4(&pool->addr);
    uint64_t n = UINT64_C(1) << (128 - pool->len);
    for (uint32_t i = 0; i < n && i < MAX_TRIES; i++) {
        uint32_t address = first + i;
        bool host =
            n == 1 || ((address & 0xff) != 0 && (address & 0xff) != 0xff);
        if (host && neutral_sum(address) == wanted) {
            *out = ip_addr_v4(address);
            return true;
        }
    }
    return false;
}
