/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_LIST_H
#define API_API_LIST_H 1

/* One page of a list.
 *
 * Views come in no order that lasts, so a page is made in two passes over
 * them: the first keeps the smallest keys behind the cursor, the second puts
 * the items of these keys into their places.  So a cursor (the last key of the
 * page before) stays good whatever comes and goes between two pages: nothing
 * that is there all the time is left out or doubled.
 *
 *     api_list_init(&list);
 *     while (api_list_pass(&list)) {
 *         view_groups(ctl, on_group, &list);  // Fills api_list_slot().
 *     }
 *     text = api_list_finish(&list, "groups", &size);
 *
 * Items are kept as text: a tree of cJSON nodes is ten times as large, and a
 * page of 10000 of them would leave the heap in pieces.
 *
 * Limits: a page holds at most API_MAX_LIMIT items. */

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

enum {
    API_DEFAULT_LIMIT = 1000,
    API_MAX_LIMIT = 10000,
    API_KEY_SIZE = 112 /* A stream's: vlan, group, source, dpid, port. */
};

struct api_key {
    char text[API_KEY_SIZE];
};

struct api_list {
    size_t limit;         /* Set by the caller, before the first pass. */
    struct api_key after; /* The cursor, "" = from the start; the same. */
    int pass;
    struct api_key *keys;
    char **items; /* Their JSON. */
    size_t n, n_keys, allocated;
};

void api_list_init(struct api_list *);
bool api_list_pass(struct api_list *);
/* Whether the item of 'key' is wanted now: then api_list_put() must follow. */
bool api_list_wants(struct api_list *, const struct api_key *);
/* Takes ownership of 'item'. */
void api_list_put(struct api_list *, const struct api_key *, struct cJSON *);
/* The cursor of the next page, "" if there is none. */
const char *api_list_next(const struct api_list *);
/* {"<plural>": [...], "next": "<cursor>"}, for free(); uninits the list. */
char *api_list_finish(struct api_list *, const char *plural, size_t *size);
/* Whether 's' can be a cursor: letters, digits, "._-". */
bool api_list_is_cursor(const char *s);

#endif
