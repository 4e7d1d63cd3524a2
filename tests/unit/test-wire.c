/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
reads_network_order(void **state)
{
    (void) state;
    static const uint8_t bytes[] = {1, 2,  3,  4,  5,  6,  7,  8,
                                    9, 10, 11, 12, 13, 14, 15, 16};
    struct wire_reader r;

    wire_reader_init(&r, bytes, sizeof bytes);
    assert_int_equal(wire_get_u8(&r), 1);
    assert_int_equal(wire_get_be16(&r), 0x0203);
    assert_int_equal(wire_get_be32(&r), 0x04050607);
    assert_true(wire_get_be64(&r) == 0x08090a0b0c0d0e0fULL);
    assert_int_equal(wire_left(&r), 1);
    assert_int_equal(wire_get_u8(&r), 16);
    assert_false(r.failed);
}

static void
read_past_the_end_is_sticky(void **state)
{
    (void) state;
    uint8_t *bytes = malloc(3); /* On the heap, for AddressSanitizer. */
    struct wire_reader r;

    memset(bytes, 0xff, 3);
    wire_reader_init(&r, bytes, 3);
    assert_int_equal(wire_get_be32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(wire_left(&r), 0);
    assert_int_equal(wire_get_u8(&r), 0);
    assert_int_equal(wire_get_be16(&r), 0);
    assert_true(wire_get_be64(&r) == 0);
    assert_null(wire_take(&r, 1));

    uint8_t out[2] = {7, 7};
    wire_get(&r, out, sizeof out);
    assert_int_equal(out[0] | out[1], 0);
    free(bytes);
}

static void
huge_sizes_do_not_wrap(void **state)
{
    (void) state;
    uint8_t bytes[4] = {0};
    struct wire_reader r;

    wire_reader_init(&r, bytes, sizeof bytes);
    wire_skip(&r, 2);
    assert_null(wire_take(&r, SIZE_MAX));
    assert_true(r.failed);

    struct wire_writer w;
    wire_writer_init(&w, bytes, sizeof bytes);
    wire_put_u8(&w, 1);
    wire_put_zeros(&w, SIZE_MAX);
    assert_true(w.failed);
}

static void
sub_reader_is_bounded(void **state)
{
    (void) state;
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct wire_reader r;

    wire_reader_init(&r, bytes, sizeof bytes);
    struct wire_reader sub = wire_sub(&r, 2);
    assert_int_equal(wire_get_be16(&sub), 0x0102);
    assert_int_equal(wire_get_u8(&sub), 0);
    assert_true(sub.failed);
    assert_false(r.failed);
    assert_int_equal(wire_get_u8(&r), 3);

    sub = wire_sub(&r, 2);
    assert_true(sub.failed);
    assert_true(r.failed);
}

static void
writes_and_patches(void **state)
{
    (void) state;
    uint8_t bytes[20];
    struct wire_writer w;

    memset(bytes, 0xee, sizeof bytes);
    wire_writer_init(&w, bytes, 18);
    wire_put_u8(&w, 1);
    wire_put_be16(&w, 0x0203);
    wire_put_be32(&w, 0x04050607);
    wire_put_be64(&w, 0x08090a0b0c0d0e0fULL);
    wire_put_zeros(&w, 2);
    wire_put(&w, "x", 1);
    assert_false(w.failed);
    assert_int_equal(w.at, 18);
    wire_patch_be16(&w, 15, 0xabcd);
    assert_false(w.failed);

    static const uint8_t want[] = {1,  2,    3,    4,   5,    6,   7,
                                   8,  9,    10,   11,  12,   13,  14,
                                   15, 0xab, 0xcd, 'x', 0xee, 0xee};
    assert_memory_equal(bytes, want, sizeof want);

    wire_put_u8(&w, 9); /* No room. */
    assert_true(w.failed);
    wire_patch_be16(&w, 0, 0);
    assert_memory_equal(bytes, want, sizeof want);
}

static void
patch_beyond_what_is_written_fails(void **state)
{
    (void) state;
    uint8_t bytes[8] = {0};
    struct wire_writer w;

    wire_writer_init(&w, bytes, sizeof bytes);
    wire_put_be16(&w, 1);
    wire_patch_be16(&w, 1, 0xffff);
    assert_true(w.failed);
    assert_int_equal(bytes[2], 0);
}

static void
checksum_of_rfc1071(void **state)
{
    (void) state;
    /* RFC 1071 section 3: the sum is ddf2. */
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03,
                                    0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(wire_checksum(bytes, sizeof bytes), 0xffff & ~0xddf2);

    static const uint8_t odd[] = {0x12, 0x34, 0x56};
    assert_int_equal(wire_checksum(odd, 3), 0xffff & ~(0x1234 + 0x5600));
    assert_int_equal(wire_checksum(odd, 0), 0xffff);

    uint8_t big[65536]; /* Many carries. */
    memset(big, 0xff, sizeof big);
    assert_int_equal(wire_checksum(big, sizeof big), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_network_order),
        cmocka_unit_test(read_past_the_end_is_sticky),
        cmocka_unit_test(huge_sizes_do_not_wrap),
        cmocka_unit_test(sub_reader_is_bounded),
        cmocka_unit_test(writes_and_patches),
        cmocka_unit_test(patch_beyond_what_is_written_fails),
        cmocka_unit_test(checksum_of_rfc1071),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
