/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_IGMP_ROWS_H
#define TESTS_UNIT_IGMP_ROWS_H 1

/* One (group, port) on a virtual clock.
 *
 * States are written as text: sources are the letters a to f, times are
 * seconds from now.
 *
 *     IN{a=50 b=260}         INCLUDE (a,b), timers 50 s and 260 s
 *     EX{a=50;c d}=80        EXCLUDE (a; c,d), group timer 80 s
 *
 * and what is asked as "Q(G)", "Q(G,ab)", with an S behind it for the S flag,
 * "Q(1)" for host 1 alone.  GMI is 260 s, LMQT 2 s. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-group.h"
#include "igmp/igmp-hosts.h"
#include "igmp/igmp-table.h"

enum { GMI = 260, SOURCE_LEFT = 50, GROUP_LEFT = 80 };

struct fixture {
    struct igmp_group g;
    struct igmp_group_ctx ctx;
    struct igmp_times times;
    struct igmp_hosts hosts;
    struct igmp_port port;
    char asked[256];
    int specials[6]; /* As told: how often each letter is special. */
};

struct ip_addr letter(char c);
char letter_of(const struct ip_addr *a);
size_t letters(const char *s, struct ip_addr *out);
void begin(struct fixture *f);
void record(struct fixture *f, int version, uint8_t type, const char *list);
/* A record of host 'id', as a snoop hands it on. */
void say(struct fixture *f, unsigned int id, int version, uint8_t type,
         const char *list);
void step(struct fixture *f, int64_t ms);
void init(struct fixture *f);
/* INCLUDE (x), or EXCLUDE (x,y) where 'y' is not NULL. */
void init_state(struct fixture *f, const char *x, const char *y);
void uninit(struct fixture *f);
void check(const struct fixture *f, const char *state, const char *asked,
           bool changed);
/* "1:IN{ab} 2:EX{}" */
void check_hosts(const struct fixture *f, const char *want);

#endif
