/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-events.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* An event, and the memory that it stands in: the next one in the same place
 * uses it again, for a flood of joins is a flood of events. */
struct item {
    char *text;
    size_t size, room;
};

struct api_events {
    uint64_t run;
    uint64_t next; /* Number of the next event; the first is 1. */
    struct item items[API_EVENTS_MAX];
    size_t first, n; /* In 'items', which wraps around. */
    size_t size;     /* Of all texts. */
};

enum { BIG_ITEM = 4096 }; /* Bytes; the room of a bigger one is given back. */

struct api_events *
api_events_create(uint64_t run)
{
    struct api_events *e = xcalloc(1, sizeof *e);

    e->run = run;
    e->next = 1;
    return e;
}

static struct item *
item_at(const struct api_events *e, size_t i)
{
    return (struct item *) &e->items[(e->first + i) % API_EVENTS_MAX];
}

static void
drop_oldest(struct api_events *e)
{
    struct item *item = item_at(e, 0);

    e->size -= item->size;
    item->size = 0;
    if (item->room > BIG_ITEM) {
        free(item->text);
        *item = (struct item){NULL, 0, 0};
    }
    e->first = (e->first + 1) % API_EVENTS_MAX;
    e->n--;
}

void
api_events_restart(struct api_events *e, uint64_t run)
{
    while (e->n) {
        drop_oldest(e);
    }
    e->run = run;
    e->next = 1;
}

void
api_events_destroy(struct api_events *e)
{
    if (e) {
        for (size_t i = 0; i < API_EVENTS_MAX; i++) {
            free(e->items[i].text);
        }
        free(e);
    }
}

/* A line break would end the field: JSON text has none, a type has none, but
 * a broken event must not be able to forge another one. */
static char *
copy_flat(char *to, const char *from)
{
    for (; *from; from++) {
        *to++ = *from == '\n' || *from == '\r' ? ' ' : *from;
    }
    return to;
}

static void
write_item(struct item *item, uint64_t run, uint64_t number, const char *type,
           const char *json)
{
    size_t room = strlen(type) + strlen(json) + 80;

    if (item->room < room) {
        free(item->text);
        item->text = xmalloc(room);
        item->room = room;
    }
    char *at = item->text
               + sprintf(item->text,
                         "id: %" PRIx64 "-%" PRIu64 "\nevent: ", run, number);
    at = copy_flat(at, type);
    at = stpcpy(at, "\ndata: ");
    at = copy_flat(at, json);
    at = stpcpy(at, "\n\n");
    item->size = (size_t) (at - item->text);
}

const char *
api_events_add(struct api_events *e, const char *type, const char *json,
               size_t *size)
{
    if (e->n == API_EVENTS_MAX) {
        drop_oldest(e);
    }
    struct item *item = item_at(e, e->n);
    write_item(item, e->run, e->next++, type, json);
    e->size += item->size;
    e->n++;
    while (e->n > 1 && e->size > API_EVENTS_MAX_SIZE) {
        drop_oldest(e);
    }
    *size = item->size;
    return item->text;
}

/* The number in 'id', if it is one of this run that was given out. */
static bool
parse_id(const struct api_events *e, const char *id, uint64_t *number)
{
    char *end;
    uint64_t run = strtoull(id, &end, 16);

    if (run != e->run || *end != '-' || end[1] < '0' || end[1] > '9') {
        return false;
    }
    *number = strtoull(end + 1, &end, 10);
    return !*end && *number < e->next;
}

char *
api_events_since(const struct api_events *e, const char *id, size_t *size)
{
    uint64_t oldest = e->next - e->n;
    uint64_t seen = e->next - 1;
    bool lost = false;

    if (id && (!parse_id(e, id, &seen) || seen + 1 < oldest)) {
        lost = true;
        seen = oldest - 1;
    }
    /* The retry time, and a first line that shows that the stream works. */
    char *text =
        xasprintf("retry: 1000\n: ofmcast events\n\n%s",
                  lost ? "event: lost\ndata: {\"lost\":true}\n\n" : "");
    *size = strlen(text);
    for (uint64_t number = seen + 1; number < e->next; number++) {
        const struct item *item = item_at(e, (size_t) (number - oldest));
        text = xrealloc(text, *size + item->size + 1);
        memcpy(text + *size, item->text, item->size + 1);
        *size += item->size;
    }
    return text;
}
