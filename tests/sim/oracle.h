/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H 1

/* What the parts of the oracle share: the same messages for the fake switch
 * and a real one, and what both say. */

#include <stdbool.h>
#include <stdint.h>

#include <openvswitch/ofpbuf.h>
#include <openvswitch/shash.h>

#include "tests/sim/sim-random.h"

struct fake_switch;
struct ofp_header;

struct oracle {
    int fd;
    struct fake_switch *fake;
    struct ofpbuf real_bytes, fake_bytes;
    struct shash removed; /* See oracle-removed.c. */
    struct sim_random random;
    uint64_t step;
    uint32_t next_xid;
    /* What the fake switch sends out by itself, on a PACKET_OUT. */
    void (*output)(void *aux, uint32_t port, const void *frame, size_t size);
    void *aux;
};

void oracle_die(const char *what) __attribute__((noreturn));
int oracle_connect(const char *path);
/* Takes over 'msg'. */
void oracle_send(struct oracle *, struct ofpbuf *msg);
/* The next message of either that is no end of a flow; free() it. */
struct ofp_header *oracle_take_real(struct oracle *);
struct ofp_header *oracle_take_fake(struct oracle *);
/* Sends a barrier; the answers up to it must be the same, and the flows that
 * either has told the end of. */
void oracle_compare_answers(struct oracle *);

/* oracle-removed.c: notes 'oh' if it tells the end of a flow. */
bool oracle_removed_note(struct shash *removed, const struct ofp_header *oh,
                         bool real);
void oracle_removed_print(const struct shash *removed);

/* oracle-frames.c: frames, through ports whose sockets are in 'dir'. */
void oracle_frames(struct oracle *, const char *dir, uint64_t n_steps);

#endif
