/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_TIMER_HEAP_H
#define LIB_TIMER_HEAP_H 1

/* Deadlines, soonest first: an intrusive binary heap.
 *
 * Putting a deadline off costs O(1): the node stays where it is until it
 * comes up and is then sifted to its real place.  That is the common case
 * here, as every refresh report puts an expiry off.  Bringing one forward
 * costs O(log n).
 *
 * Time: milliseconds of the caller's monotonic clock; INT64_MAX = never.
 * Ownership: nodes live inside the caller's structs; a node must be cancelled
 * before its struct is freed. */

#include <stddef.h>
#include <stdint.h>

struct timer_node {
    int64_t at;   /* When it is due. */
    int64_t key;  /* Where it stands in the heap: key <= at. */
    size_t place; /* Index in the heap + 1; 0 = not in a heap. */
};

struct timer_heap {
    struct timer_node **nodes;
    size_t n, allocated;
};

void timer_heap_init(struct timer_heap *);
void timer_heap_uninit(struct timer_heap *); /* Does not touch the nodes. */
/* Arms 'node', whether armed or not, for time 'at'; INT64_MAX cancels. */
void timer_heap_set(struct timer_heap *, struct timer_node *, int64_t at);
void timer_heap_cancel(struct timer_heap *, struct timer_node *);
/* Removes and returns a node that is due at 'now', NULL if none is. */
struct timer_node *timer_heap_pop_due(struct timer_heap *, int64_t now);
/* No later than the next due time (it may be early after a node was put off:
 * popping then returns NULL and moves on); INT64_MAX if empty. */
int64_t timer_heap_deadline(const struct timer_heap *);

#endif
