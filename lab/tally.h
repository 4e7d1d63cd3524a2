/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_TALLY_H
#define LAB_TALLY_H 1

/* What one receiver got: counts by stream, by path, and times. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lab/mark.h"

enum {
    TALLY_PATHS = 256,
    TALLY_MACS = 64,
    TALLY_STREAMS = 256,
    TALLY_LATENCIES = 1 << 18
};

/* How packets left the sender and how they came in. */
struct tally_path {
    struct mark_path sent, arrived;
    uint64_t packets;
};

/* Frames by their Ethernet destination; raw mode only. */
struct tally_mac {
    struct mac_addr mac;
    uint64_t frames;
};

/* The sequence numbers of one stream. */
struct tally_stream {
    uint32_t id;
    uint64_t *seen; /* A bit each. */
    size_t n_words;
    uint64_t min, max;
    uint64_t unique, duplicated, reordered;
};

struct tally {
    uint64_t received;     /* Ours, undamaged. */
    uint64_t foreign;      /* UDP multicast that is not ours. */
    uint64_t damaged;      /* Payload not as sent. */
    uint64_t bad_checksum; /* Wire checksums or group MAC; raw mode only. */
    uint64_t limit_ns;     /* Of the whole; what comes so long after the */
    uint64_t start_ns;     /* first was sent is late; 0 = nothing is. */
    uint64_t late;         /* Ours, and not counted otherwise. */
    uint64_t first_ns, last_ns, max_gap_ns;
    struct tally_path paths[TALLY_PATHS];
    size_t n_paths;
    struct tally_mac macs[TALLY_MACS];
    size_t n_macs;
    struct tally_stream streams[TALLY_STREAMS];
    size_t n_streams;
    uint32_t *latencies; /* us. */
    size_t n_latencies;
};

/* A payload that came in at 'now_ns' with 'arrived' in its headers. */
void tally_add(struct tally *, const uint8_t *payload, size_t size,
               const struct mark_path *arrived, uint64_t now_ns);
void tally_add_frame(struct tally *, const struct mac_addr *to);
uint64_t tally_unique(const struct tally *);
/* Members of a JSON object, without the braces; latencies only at the end,
 * for they are sorted then. */
void tally_print(struct tally *, bool done, FILE *);
void tally_uninit(struct tally *);

#endif
