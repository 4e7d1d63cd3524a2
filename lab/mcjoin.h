/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_MCJOIN_H
#define LAB_MCJOIN_H 1

/* What one socket asks of its kernel's IGMP or MLD, by RFC 3678's API.
 *
 * All functions return 0 or a positive errno. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

enum { MCJOIN_SOURCES = 512 };

struct mcjoin {
    struct ip_addr group;
    bool exclude; /* All but 'sources'; false: only 'sources'. */
    struct ip_addr sources[MCJOIN_SOURCES];
    size_t n_sources;
};

/* Joins with the filter, by as few changes of state as the API knows. */
int mcjoin_join(const struct mcjoin *, int fd, unsigned int ifindex);
int mcjoin_leave(const struct mcjoin *, int fd, unsigned int ifindex);
/* The same membership with another filter, at once: TO_IN or TO_EX where the
 * mode changes, else ALLOW and BLOCK. */
int mcjoin_set(const struct mcjoin *, int fd, unsigned int ifindex);
/* One source more, or one source less, in the mode of 'mcjoin'. */
int mcjoin_allow(const struct mcjoin *, int fd, unsigned int ifindex,
                 const struct ip_addr *source);
int mcjoin_block(const struct mcjoin *, int fd, unsigned int ifindex,
                 const struct ip_addr *source);

/* Takes "allow A...", "block A...", "include A...", "exclude A..." (these
 * two replace the filter).  False if 'line' is none of them; else it is done
 * on the 'n' sockets, and 'error' tells with what result. */
bool mcjoin_command(struct mcjoin *, const char *line, const int fds[],
                    const unsigned int ifindexes[], size_t n, int *error);

#endif
