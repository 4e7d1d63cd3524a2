/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_ARRIVAL_H
#define LAB_ARRIVAL_H 1

/* What the kernel tells of a packet that a socket received. */

#include <stdint.h>
#include <sys/socket.h>

#include "lab/mark.h"

/* Reads the control messages into 'path'; when it came, CLOCK_REALTIME in ns,
 * 0 if that is not told. */
uint64_t arrival_read(struct msghdr *, struct mark_path *path);
/* The IP address in 'msg_name'. */
struct ip_addr arrival_source(const struct msghdr *);

#endif
