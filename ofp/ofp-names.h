/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_NAMES_H
#define OFP_NAMES_H 1

/* The words of a text in ovs-ofctl(8) syntax that may be names of ports.
 *
 * libopenvswitch wants a table of all names before it parses; here the names
 * are picked from the text instead and looked up, so that the caller need not
 * list its ports.  Most words found are keywords, which does no harm.
 *
 * For ofp-static.c alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofp/ofp-static.h"

struct ofputil_port_map;

struct ofp_name {
    char *name;
    uint32_t port;
    bool bare; /* In the place of an action, as in "actions=drpo". */
};

struct ofp_names {
    struct ofp_name *known, *unknown;
    size_t n_known, n_unknown, allocated_known, allocated_unknown;
};

void ofp_names_init(struct ofp_names *, const char *text, ofp_port_lookup *,
                    void *aux);
void ofp_names_uninit(struct ofp_names *);
/* Initialises 'map' with the known names and, under numbers that mean nothing,
 * the first 'n_unknown' of the others. */
void ofp_names_to_map(const struct ofp_names *, size_t n_unknown,
                      struct ofputil_port_map *map);

#endif
