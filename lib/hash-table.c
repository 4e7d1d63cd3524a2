/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/hash-table.h"

#include <stdlib.h>

#include "lib/xalloc.h"

void
hash_table_init(struct hash_table *t)
{
    *t = (struct hash_table){.buckets = NULL};
}

void
hash_table_uninit(struct hash_table *t)
{
    free(t->buckets);
}

static void
put(struct hash_table *t, struct hash_node *node)
{
    struct hash_node **bucket = &t->buckets[node->hash & (t->n_buckets - 1)];

    node->next = *bucket;
    *bucket = node;
}

static void
grow(struct hash_table *t)
{
    struct hash_table old = *t;

    t->n_buckets = old.n_buckets ? 2 * old.n_buckets : 4;
    t->buckets = xcalloc(t->n_buckets, sizeof(struct hash_node *));
    for (size_t i = 0; i < old.n_buckets; i++) {
        for (struct hash_node *node = old.buckets[i], *next; node;
             node = next) {
            next = node->next;
            put(t, node);
        }
    }
    free(old.buckets);
}

void
hash_table_insert(struct hash_table *t, struct hash_node *node, size_t hash)
{
    if (t->n >= t->n_buckets) {
        grow(t);
    }
    node->hash = hash;
    put(t, node);
    t->n++;
}

void
hash_table_remove(struct hash_table *t, struct hash_node *node)
{
    struct hash_node **at = &t->buckets[node->hash & (t->n_buckets - 1)];

    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    t->n--;
}

static struct hash_node *
from(struct hash_node *node, size_t hash)
{
    while (node && node->hash != hash) {
        node = node->next;
    }
    return node;
}

struct hash_node *
hash_table_find(const struct hash_table *t, size_t hash)
{
    return t->n ? from(t->buckets[hash & (t->n_buckets - 1)], hash) : NULL;
}

struct hash_node *
hash_node_find_next(const struct hash_node *node)
{
    return from(node->next, node->hash);
}

static struct hash_node *
first_from(const struct hash_table *t, size_t i)
{
    while (i < t->n_buckets && !t->buckets[i]) {
        i++;
    }
    return i < t->n_buckets ? t->buckets[i] : NULL;
}

struct hash_node *
hash_table_first(const struct hash_table *t)
{
    return first_from(t, 0);
}

struct hash_node *
hash_table_next(const struct hash_table *t, const struct hash_node *node)
{
    return node->next ? node->next
                      : first_from(t, (node->hash & (t->n_buckets - 1)) + 1);
}
