/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_EVENTS_H
#define API_API_EVENTS_H 1

/* The last events, for listeners that come back: a bounded ring.
 *
 * Each event has an id "RUN-NUMBER": RUN tells this process from the one
 * before, NUMBER counts up.  A listener that names the last id it saw gets all
 * events behind it, or, where the ring does not hold them any more, first an
 * event "lost" that tells it to read the lists again.
 *
 * Limits: API_EVENTS_MAX events and API_EVENTS_MAX_SIZE bytes; the oldest go
 * first.
 *
 * Ownership: texts given out belong to the caller (free()). */

#include <stddef.h>
#include <stdint.h>

enum { API_EVENTS_MAX = 1024, API_EVENTS_MAX_SIZE = 1 << 20 };

struct api_events;

/* 'run' is any number that differs from run to run. */
struct api_events *api_events_create(uint64_t run);
void api_events_destroy(struct api_events *);
/* Forgets everything and begins a new run. */
void api_events_restart(struct api_events *, uint64_t run);
/* Returns the event as text/event-stream, good until the next call. */
const char *api_events_add(struct api_events *, const char *type,
                           const char *json, size_t *size);
/* What a listener that last saw 'id' (NULL: a new one, it gets nothing) has
 * missed. */
char *api_events_since(const struct api_events *, const char *id,
                       size_t *size);

#endif
