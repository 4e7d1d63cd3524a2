/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_HASH_H
#define LIB_HASH_H 1

/* A hash of bytes for tables in memory: quick with long ones, spread well over
 * its lower bits.  It depends on the machine's byte order, and keeps nobody
 * from making collisions. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
hash_add(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / phi. */
    return hash ^ hash >> 32;
}

static inline size_t
hash_of_bytes(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t hash = size, rest = 0;

    for (; size >= sizeof rest; p += sizeof rest, size -= sizeof rest) {
        uint64_t value;

        memcpy(&value, p, sizeof value);
        hash = hash_add(hash, value);
    }
    if (size) {
        memcpy(&rest, p, size);
    }
    return (size_t) hash_add(hash_add(hash, rest), 0);
}

#endif
