/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOPO_HASH_H
#define TOPO_HASH_H 1

/* A hash for choices that must come out the same after a restart.  It keeps
 * nobody out: who can choose dpids and ports owns the fabric. */

#include <stdint.h>

/* 2^64 / phi, odd. */
#define TOPO_GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* Mixes 'value' into 'hash': the finalizer of SplitMix64 (Steele, Lea and
 * Flood, OOPSLA 2014). */
static inline uint64_t
topo_hash_add(uint64_t hash, uint64_t value)
{
    uint64_t z = (hash ^ value) + TOPO_GOLDEN;

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif
