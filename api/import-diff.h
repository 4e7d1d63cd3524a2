/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_IMPORT_DIFF_H
#define API_IMPORT_DIFF_H 1

/* What an import would change in a daemon.
 *
 * Two resources are the same if they say the same in other words: a switch as
 * "1" or in 16 digits, a default given or left out, members in another order.
 *
 * Ownership: a diff owns its entries; they point into the import and into the
 * lists, which must live as long. */

#include "api/import.h"

enum import_change {
    IMPORT_ADDED,
    IMPORT_CHANGED,
    IMPORT_SAME,
    IMPORT_REMOVED /* Was imported earlier, is not in the file any more. */
};

struct import_entry {
    enum import_change change;
    enum import_kind kind;
    const char *name;
    const struct import_item *item; /* NULL if IMPORT_REMOVED. */
    const struct cJSON *before;     /* NULL if IMPORT_ADDED. */
};

struct import_diff {
    struct import_entry *entries;
    size_t n, allocated;
};

/* 'lists' are the daemon's: an array of each kind, as GET gives it.  Of what
 * has no item, those whose names begin with 'prefix' and a dot count as
 * removed; NULL: all, but for what the configuration file says and for leases,
 * which end by themselves. */
void import_diff_init(struct import_diff *, const struct import *,
                      const struct cJSON *const lists[IMPORT_KINDS],
                      const char *prefix);
void import_diff_uninit(struct import_diff *);
size_t import_diff_count(const struct import_diff *, enum import_change);
/* Does an entry that is removed stand in the way of one that is added: a route
 * with the same match? */
bool import_diff_collides(const struct import_diff *,
                          const struct import_entry *removed);

/* The same in one way of saying it, for comparison; for cJSON_Delete(). */
struct cJSON *import_canonical(enum import_kind, const struct cJSON *);
bool import_is_exported(const struct cJSON *resource);

#endif
