/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/hash-table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/hash.h"

enum { N = 1000 };

struct thing {
    struct hash_node node;
    uint32_t name;
    bool seen;
};

/* Few hashes: most are those of several. */
static size_t
hash_of(uint32_t name)
{
    name %= N / 3;
    return hash_of_bytes(&name, sizeof name);
}

static struct thing *
find(const struct hash_table *t, uint32_t name)
{
    for (struct hash_node *node = hash_table_find(t, hash_of(name)); node;
         node = hash_node_find_next(node)) {
        if (((struct thing *) node)->name == name) {
            return (struct thing *) node;
        }
    }
    return NULL;
}

static size_t
walk(const struct hash_table *t)
{
    size_t n = 0;

    for (struct hash_node *node = hash_table_first(t); node;
         node = hash_table_next(t, node)) {
        struct thing *thing = (struct thing *) node;

        assert_false(thing->seen);
        thing->seen = true;
        n++;
    }
    return n;
}

static void
what_is_in_is_found(void **state)
{
    static struct thing things[N];
    struct hash_table t;

    (void) state;
    hash_table_init(&t);
    assert_null(find(&t, 0));
    assert_null(hash_table_first(&t));
    for (uint32_t i = 0; i < N; i++) {
        things[i].name = i;
        hash_table_insert(&t, &things[i].node, hash_of(i));
        assert_ptr_equal(find(&t, i / 2), &things[i / 2]);
    }
    for (uint32_t i = 0; i < N; i += 2) {
        hash_table_remove(&t, &things[i].node);
    }
    for (uint32_t i = 0; i < N; i++) {
        assert_ptr_equal(find(&t, i), i % 2 ? &things[i] : NULL);
    }
    assert_int_equal(walk(&t), N / 2);
    hash_table_uninit(&t);
}

/* Bytes behind the last whole word count, and how many there are. */
static void
hashes_differ(void **state)
{
    uint8_t bytes[32] = {0};

    (void) state;
    for (size_t size = 1; size <= sizeof bytes; size++) {
        size_t zero = hash_of_bytes(bytes, size);

        assert_true(zero != hash_of_bytes(bytes, size - 1));
        bytes[size - 1] = 1;
        assert_true(zero != hash_of_bytes(bytes, size));
        bytes[size - 1] = 0;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_is_found),
        cmocka_unit_test(hashes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
