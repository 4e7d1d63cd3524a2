/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_HASH_TABLE_H
#define LIB_HASH_TABLE_H 1

/* A hash table of things that there are hundreds of thousands of: 16 bytes in
 * each, where uthash, which is more comfortable and in use for all else, takes
 * 56.
 *
 * The caller hashes (lib/hash.h) and compares.  Nodes live inside the caller's
 * structs; a node must be removed before its struct is freed. */

#include <stddef.h>

struct hash_node {
    struct hash_node *next;
    size_t hash;
};

struct hash_table {
    struct hash_node **buckets; /* NULL: there are none. */
    size_t n, n_buckets;        /* A power of two. */
};

void hash_table_init(struct hash_table *);
void hash_table_uninit(struct hash_table *); /* Does not touch the nodes. */
void hash_table_insert(struct hash_table *, struct hash_node *, size_t hash);
void hash_table_remove(struct hash_table *, struct hash_node *);

/* The first with this hash; the next after 'node'.  NULL: there is none. */
struct hash_node *hash_table_find(const struct hash_table *, size_t hash);
struct hash_node *hash_node_find_next(const struct hash_node *);

/* All, in no order: the first; the next after 'node'.  Nothing may be inserted
 * on the way; 'node' may be removed once the next is known. */
struct hash_node *hash_table_first(const struct hash_table *);
struct hash_node *hash_table_next(const struct hash_table *,
                                  const struct hash_node *);

#endif
