/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFP_IDS_H
#define OFP_IDS_H 1

/* Which group ids of a range are taken, and by what.
 *
 * A table in two steps, so that it costs eight bytes an id as long as ids are
 * given out from the bottom, which they are; and no more than the range allows
 * if a switch makes some up. */

#include <stddef.h>
#include <stdint.h>

struct ofp_ids {
    uint32_t first, last;
    void ***pages;
    size_t n_pages;
    uint32_t hint; /* Every id below it is taken. */
};

void ofp_ids_init(struct ofp_ids *, uint32_t first, uint32_t last);
void ofp_ids_uninit(struct ofp_ids *);
/* NULL if 'id' is free, or not of the range. */
void *ofp_ids_get(const struct ofp_ids *, uint32_t id);
/* Who has 'id', which must be of the range; NULL frees it. */
void ofp_ids_set(struct ofp_ids *, uint32_t id, void *owner);
/* Gives the lowest free id to 'owner'; 0 if there is none. */
uint32_t ofp_ids_take(struct ofp_ids *, void *owner);

#endif
