/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_SOURCES_H
#define IGMP_SOURCES_H 1

/* The sources of one (group, port): a list sorted by address.
 *
 * What 'forward' means is told in igmp-group.c.  Each of these keeps three
 * things true: 'ctx->special' hears of every source that gets or loses a
 * treatment of its own, 'ctx->changed' is set if the port gets something else
 * than before, 'ctx->soonest' is no later than any timer set. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-group.h"
#include "lib/mcaddr.h"

/* NULL if it is not there. */
struct igmp_source_view *igmp_sources_find(const struct igmp_group *,
                                           const struct ip_addr *);
/* It must not be there yet. */
void igmp_sources_add(struct igmp_group *, struct igmp_group_ctx *,
                      const struct ip_addr *, bool forward, int64_t expires);
void igmp_sources_delete(struct igmp_group *, struct igmp_group_ctx *,
                         struct igmp_source_view *);
/* (a)=until: wants it from now on, whatever it was. */
void igmp_sources_want(struct igmp_group *, struct igmp_group_ctx *,
                       const struct ip_addr *, int64_t until);
/* X -> Y, when a timer runs out in EXCLUDE mode. */
void igmp_sources_block(struct igmp_group *, struct igmp_group_ctx *,
                        struct igmp_source_view *);
/* Delete (A-B), or (X-A) and (Y-A). */
void igmp_sources_keep_only(struct igmp_group *, struct igmp_group_ctx *,
                            const struct ip_addr *list, size_t n);
/* Changes the filter mode.  The sources stay as they are, but which of them
 * are treated specially turns round. */
void igmp_sources_set_mode(struct igmp_group *, struct igmp_group_ctx *,
                           bool exclude);
/* Tells 'ctx->special' of all of them. */
void igmp_sources_tell(const struct igmp_group *, struct igmp_group_ctx *,
                       int delta);

#endif
