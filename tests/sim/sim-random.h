/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SIM_RANDOM_H
#define TESTS_SIM_SIM_RANDOM_H 1

/* Random numbers that a seed repeats exactly, whatever the platform
 * (xorshift64*). */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct sim_random {
    uint64_t state;
};

/* Seed and length of a run: from the environment, so that a failure can be
 * repeated ("OFM_SEED=7 tests/sim/test-sim-table"), else as given. */
static inline uint64_t
sim_setting(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

/* OFM_STRICT=1 also asks for what ofmcast does not do yet; each such place
 * says what it is. */
static inline bool
sim_strict(void)
{
    return sim_setting("OFM_STRICT", 0) != 0;
}

static inline void
sim_random_init(struct sim_random *r, uint64_t seed)
{
    r->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static inline uint64_t
sim_random_u64(struct sim_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 to n - 1. */
static inline uint32_t
sim_random(struct sim_random *r, uint32_t n)
{
    return (uint32_t) ((sim_random_u64(r) >> 32) % n);
}

static inline bool
sim_chance(struct sim_random *r, uint32_t percent)
{
    return sim_random(r, 100) < percent;
}

#endif
