/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_SHOW_H
#define API_CTL_SHOW_H 1

/* The resources as tables. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api/ctl-table.h"

struct cJSON;

struct ctl_resource {
    const char *name; /* "groups": of the command, and of the list... */
    const char *list; /* ...unless that is another; else NULL. */
    /* 'items' is the array of the list; NULL: it is no list. */
    void (*print)(FILE *, bool color, const struct cJSON *items);
};

extern const struct ctl_resource CTL_RESOURCES[]; /* Until a NULL name. */

/* Details of one. */
void ctl_show_switch(FILE *, bool color, const struct cJSON *);
void ctl_show_rule(FILE *, bool color, const struct cJSON *);

void ctl_show_topology(FILE *, bool color, const struct cJSON *);
void ctl_show_tree(FILE *, bool color, const struct cJSON *);

/* "0000000000000001" as people write it: "1". */
const char *ctl_short_dpid(const char *);
/* A port's name, or its number where it has none: for free(). */
char *ctl_port_text(const struct cJSON *port);

/* "192.168.168.55 > 226.2.2.2 udp 5004": for free(). */
char *ctl_show_match(const struct cJSON *route);
/* The same, with what is set, and where its copies go: for free(). */
char *ctl_show_route(const struct cJSON *route);
/* The worst state of a "status" array: "applied", "pending", "rejected", or
 * "" if it is empty. */
const char *ctl_show_state(const struct cJSON *rule);

/* Between ctl-show.c and ctl-show-member.c. */
enum ctl_color ctl_state_color(const char *state);
uint64_t ctl_sum_packets(const struct cJSON *rule);
char *ctl_show_set(const struct cJSON *set); /* For free(). */
char *ctl_show_targets(const struct cJSON *route);
void ctl_show_field(FILE *, const char *name, char *text); /* Frees it. */
void ctl_show_member(FILE *, const struct cJSON *);
void ctl_print_groups(FILE *, bool color, const struct cJSON *items);
void ctl_print_hosts(FILE *, bool color, const struct cJSON *items);
void ctl_print_queriers(FILE *, bool color, const struct cJSON *items);
void ctl_print_members(FILE *, bool color, const struct cJSON *items);

/* ctl-show-port.c: of switches. */
void ctl_print_ports(FILE *, bool color, const struct cJSON *items);

/* ctl-show-route.c */
void ctl_print_routes(FILE *, bool color, const struct cJSON *items);
/* What a route has on each switch beside its state. */
void ctl_show_copies(FILE *, bool color, const struct cJSON *statuses);

#endif
