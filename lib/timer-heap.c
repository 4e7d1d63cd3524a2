/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/timer-heap.h"

#include <stdlib.h>

#include "lib/xalloc.h"

void
timer_heap_init(struct timer_heap *h)
{
    *h = (struct timer_heap){0};
}

void
timer_heap_uninit(struct timer_heap *h)
{
    free(h->nodes);
    *h = (struct timer_heap){0};
}

static void
put(struct timer_heap *h, size_t i, struct timer_node *node)
{
    h->nodes[i] = node;
    node->place = i + 1;
}

static void
sift_up(struct timer_heap *h, size_t i, struct timer_node *node)
{
    while (i) {
        size_t parent = (i - 1) / 2;

        if (h->nodes[parent]->key <= node->key) {
            break;
        }
        put(h, i, h->nodes[parent]);
        i = parent;
    }
    put(h, i, node);
}

static void
sift_down(struct timer_heap *h, size_t i, struct timer_node *node)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->n) {
            break;
        }
        if (child + 1 < h->n
            && h->nodes[child + 1]->key < h->nodes[child]->key) {
            child++;
        }
        if (node->key <= h->nodes[child]->key) {
            break;
        }
        put(h, i, h->nodes[child]);
        i = child;
    }
    put(h, i, node);
}

void
timer_heap_cancel(struct timer_heap *h, struct timer_node *node)
{
    node->at = INT64_MAX;
    if (!node->place) {
        return;
    }

    size_t i = node->place - 1;
    struct timer_node *last = h->nodes[--h->n];
    node->place = 0;
    if (last == node) {
        return;
    }
    if (last->key < node->key) {
        sift_up(h, i, last);
    } else {
        sift_down(h, i, last);
    }
}

void
timer_heap_set(struct timer_heap *h, struct timer_node *node, int64_t at)
{
    if (at == INT64_MAX) {
        timer_heap_cancel(h, node);
    } else if (!node->place) {
        node->at = node->key = at;
        h->nodes = xgrow(h->nodes, h->n, &h->allocated, sizeof *h->nodes);
        h->n++;
        sift_up(h, h->n - 1, node);
    } else if (at >= node->key) {
        node->at = at; /* Sifted down when 'key' comes up. */
    } else {
        node->at = node->key = at;
        sift_up(h, node->place - 1, node);
    }
}

struct timer_node *
timer_heap_pop_due(struct timer_heap *h, int64_t now)
{
    while (h->n && h->nodes[0]->key <= now) {
        struct timer_node *node = h->nodes[0];

        if (node->at == node->key) {
            timer_heap_cancel(h, node);
            node->at = node->key; /* The caller may want to know. */
            return node;
        }
        /* It was put off.  Even if it is due all the same, others may be due
         * before it. */
        node->key = node->at;
        sift_down(h, 0, node);
    }
    return NULL;
}

int64_t
timer_heap_deadline(const struct timer_heap *h)
{
    return h->n ? h->nodes[0]->key : INT64_MAX;
}
