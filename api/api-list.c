/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-list.h"

#include <stdlib.h>
#include <string.h>

#include "api/api-json.h"
#include "lib/xalloc.h"

enum { PASS_KEYS = 1, PASS_ITEMS, PASS_DONE };

void
api_list_init(struct api_list *l)
{
    memset(l, 0, sizeof *l);
    l->limit = API_DEFAULT_LIMIT;
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct api_key *) a)->text,
                  ((const struct api_key *) b)->text);
}

/* One more than the limit stays: it tells that there is a next page. */
static void
keep_smallest(struct api_list *l)
{
    if (l->n_keys) {
        qsort(l->keys, l->n_keys, sizeof *l->keys, compare_keys);
    }
    if (l->n_keys > l->limit + 1) {
        l->n_keys = l->limit + 1;
    }
}

bool
api_list_pass(struct api_list *l)
{
    if (++l->pass == PASS_ITEMS) {
        keep_smallest(l);
        l->n = l->n_keys < l->limit ? l->n_keys : l->limit;
        l->items = xcalloc(l->n + 1, sizeof *l->items);
    }
    return l->pass < PASS_DONE;
}

static void
add_key(struct api_list *l, const struct api_key *key)
{
    if (strcmp(key->text, l->after.text) <= 0) {
        return;
    }
    /* Sorting each time that as many again have come keeps the memory
     * bounded by the limit, at the price of one comparison sort. */
    if (l->n_keys >= 2 * (l->limit + 1)) {
        keep_smallest(l);
    }
    l->keys = xgrow(l->keys, l->n_keys, &l->allocated, sizeof *l->keys);
    l->keys[l->n_keys++] = *key;
}

/* NULL if it is not on the page. */
static char **
find_slot(const struct api_list *l, const struct api_key *key)
{
    const struct api_key *found =
        l->n ? bsearch(key, l->keys, l->n, sizeof *l->keys, compare_keys)
             : NULL;

    return found ? &l->items[found - l->keys] : NULL;
}

bool
api_list_wants(struct api_list *l, const struct api_key *key)
{
    if (l->pass == PASS_KEYS) {
        add_key(l, key);
        return false;
    }
    char **slot = find_slot(l, key);
    return slot && !*slot;
}

void
api_list_put(struct api_list *l, const struct api_key *key, struct cJSON *item)
{
    *find_slot(l, key) = api_json_text(item);
}

const char *
api_list_next(const struct api_list *l)
{
    return l->n_keys > l->n ? l->keys[l->n - 1].text : "";
}

char *
api_list_finish(struct api_list *l, const char *plural, size_t *size)
{
    char *text = api_json_page(plural, l->items, l->n, api_list_next(l), size);

    free(l->keys);
    free(l->items);
    memset(l, 0, sizeof *l);
    return text;
}

bool
api_list_is_cursor(const char *s)
{
    size_t length = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return length && length < API_KEY_SIZE && !s[length];
}
