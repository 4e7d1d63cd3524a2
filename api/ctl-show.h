/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_SHOW_H
#define API_CTL_SHOW_H 1

/* The resources as tables. */

#include <stdbool.h>
#include <stdio.h>

struct cJSON;

struct ctl_resource {
    const char *name; /* "groups": of the command, and of the list. */
    /* 'items' is the array of the list. */
    void (*print)(FILE *, bool color, const struct cJSON *items);
};

extern const struct ctl_resource CTL_RESOURCES[]; /* Until a NULL name. */

/* Details of one. */
void ctl_show_switch(FILE *, bool color, const struct cJSON *);
void ctl_show_rule(FILE *, bool color, const struct cJSON *);

/* "192.168.168.55 > 226.2.2.2 udp 5004": for free(). */
char *ctl_show_match(const struct cJSON *route);
/* The worst state of a "status" array: "applied", "pending", "rejected", or
 * "" if it is empty. */
const char *ctl_show_state(const struct cJSON *rule);

#endif
