/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofp/ofp-ids.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum { PAGE = 128 };

void
ofp_ids_init(struct ofp_ids *ids, uint32_t first, uint32_t last)
{
    *ids = (struct ofp_ids){.first = first, .last = last, .hint = first};
}

void
ofp_ids_uninit(struct ofp_ids *ids)
{
    for (size_t i = 0; i < ids->n_pages; i++) {
        free(ids->pages[i]);
    }
    free(ids->pages);
}

void *
ofp_ids_get(const struct ofp_ids *ids, uint32_t id)
{
    size_t at = id - ids->first;
    size_t page = at / PAGE;

    return id >= ids->first && id <= ids->last && page < ids->n_pages
                   && ids->pages[page]
               ? ids->pages[page][at % PAGE]
               : NULL;
}

void
ofp_ids_set(struct ofp_ids *ids, uint32_t id, void *owner)
{
    size_t at = id - ids->first;
    size_t page = at / PAGE;

    if (page >= ids->n_pages) {
        ids->pages = xrealloc(ids->pages, (page + 1) * sizeof *ids->pages);
        memset(ids->pages + ids->n_pages, 0,
               (page + 1 - ids->n_pages) * sizeof *ids->pages);
        ids->n_pages = page + 1;
    }
    if (!ids->pages[page]) {
        ids->pages[page] = xcalloc(PAGE, sizeof *ids->pages[page]);
    }
    ids->pages[page][at % PAGE] = owner;
    if (!owner && id < ids->hint) {
        ids->hint = id;
    }
}

uint32_t
ofp_ids_take(struct ofp_ids *ids, void *owner)
{
    uint32_t id = ids->hint;

    while (id <= ids->last && ofp_ids_get(ids, id)) {
        id++;
    }
    if (id > ids->last) {
        ids->hint = id;
        return 0;
    }
    ofp_ids_set(ids, id, owner);
    ids->hint = id + 1;
    return id;
}
