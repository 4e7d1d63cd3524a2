/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "topo/topo-probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[TOPO_KEY_SIZE] = "a key of thirty-two bytes, yes!";
static const struct mac_addr src = {{6, 1, 2, 3, 4, 5}};
static const struct topo_probe probe = {
    .from = {.dpid = UINT64_C(0xfedcba9876543210), .port_no = 0xfffffeff},
    .number = UINT64_C(0x0123456789abcdef),
};

static size_t
encode(enum topo_probe_kind kind, uint8_t frame[TOPO_PROBE_SIZE])
{
    struct topo_probe p = probe;

    p.kind = kind;
    size_t size = topo_probe_encode(&p, key, &src, frame);
    assert_in_range(size, 60, TOPO_PROBE_SIZE);
    return size;
}

/* As if a switch had returned it. */
static size_t
returned(uint8_t frame[TOPO_PROBE_SIZE])
{
    size_t size = encode(TOPO_PROBE_ECHO, frame);

    memcpy(frame, &TOPO_ECHO_REPLY_MAC, 6);
    return size;
}

static enum topo_probe_error
decode(const uint8_t *frame, size_t size, struct topo_probe *p)
{
    /* Of its exact size, so that a sanitizer sees reads behind it. */
    uint8_t *copy = malloc(size ? size : 1);

    memcpy(copy, frame, size);
    enum topo_probe_error error = topo_probe_decode(copy, size, key, p);
    free(copy);
    return error;
}

static void
test_round_trip(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE];
    struct topo_probe p;

    (void) state;
    for (int kind = TOPO_PROBE_LINK; kind <= TOPO_PROBE_ECHO; kind++) {
        size_t size =
            kind == TOPO_PROBE_ECHO ? returned(frame) : encode(kind, frame);

        assert_int_equal(decode(frame, size, &p), TOPO_PROBE_OK);
        assert_int_equal(p.kind, kind);
        assert_true(port_id_equal(&p.from, &probe.from));
        assert_int_equal(p.number, probe.number);
    }
}

/* What others, and the next one who changes this, can rely on: checked by
 * hand against IEEE 802.1AB-2016 8 and computed with Python's hmac. */
static void
test_bytes(void **state)
{
    static const uint8_t head[] = {
        0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e, 6,    1,    2,    3,    4,    5,
        0x88, 0xcc, 0x02, 0x11, 7,    'f',  'e',  'd',  'c',  'b',  'a',  '9',
        '8',  '7',  '6',  '5',  '4',  '3',  '2',  '1',  '0',  0x04, 0x0b, 7,
        '4',  '2',  '9',  '4',  '9',  '6',  '7',  '0',  '3',  '9',  0x06, 0x02,
        0,    120,  0xfe, 0x3a, 0x02, 0x4f, 0x46, 0x4d, 1,    0,    0xfe, 0xdc,
        0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0xff, 0xff, 0xfe, 0xff, 0x01, 0x23,
        0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    static const uint8_t code[32] = {
        0xcd, 0x98, 0x7e, 0x65, 0x05, 0xbf, 0x8f, 0x6e, 0xb0, 0xed, 0x36,
        0xe9, 0x97, 0x79, 0x75, 0x11, 0xbd, 0xa8, 0x5a, 0x0e, 0x57, 0x96,
        0xfe, 0xb9, 0x2c, 0xa8, 0xda, 0xb4, 0x3a, 0x50, 0x75, 0xbf};
    uint8_t frame[TOPO_PROBE_SIZE];
    size_t size = encode(TOPO_PROBE_LINK, frame);

    (void) state;
    assert_int_equal(size, sizeof head + sizeof code + 2);
    assert_memory_equal(frame, head, sizeof head);
    assert_memory_equal(frame + sizeof head, code, sizeof code);
    assert_memory_equal(frame + size - 2, "\0", 2);
}

static void
test_request_is_no_reply(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE];
    size_t size = encode(TOPO_PROBE_ECHO, frame);
    struct topo_probe p;

    (void) state;
    assert_memory_equal(frame, &TOPO_ECHO_REQUEST_MAC, 6);
    assert_int_equal(decode(frame, size, &p), TOPO_PROBE_FOREIGN);
}

/* No byte can be changed; whose destination, type or organisation it is not
 * ours, is foreign. */
static void
test_each_bit_counts(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE];
    size_t n_foreign = 0;
    struct topo_probe p;

    (void) state;
    for (int kind = TOPO_PROBE_LINK; kind <= TOPO_PROBE_ECHO; kind++) {
        size_t size =
            kind == TOPO_PROBE_ECHO ? returned(frame) : encode(kind, frame);

        for (size_t bit = 0; bit < 8 * size; bit++) {
            frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
            enum topo_probe_error error = decode(frame, size, &p);
            frame[bit / 8] ^= (uint8_t) (1 << bit % 8);
            assert_int_not_equal(error, TOPO_PROBE_OK);
            assert_int_equal(p.number, 0);
            n_foreign += error == TOPO_PROBE_FOREIGN;
        }
    }
    /* 12 bytes of head, the organisation; and what misleads to it. */
    assert_in_range(n_foreign, 2 * 8 * 12, 2 * 8 * 12 + 2 * 6 * 16);
}

static void
test_each_length_counts(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE + 8] = {0};
    size_t size = encode(TOPO_PROBE_LINK, frame);
    struct topo_probe p;

    (void) state;
    for (size_t n = 0; n < sizeof frame; n++) {
        assert_int_equal(decode(frame, n, &p) == TOPO_PROBE_OK, n == size);
    }
    assert_int_equal(decode(frame, size - 1, &p), TOPO_PROBE_FORGED);
    assert_int_equal(decode(frame, size + 1, &p), TOPO_PROBE_FORGED);
}

static void
test_other_key(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE], other[TOPO_KEY_SIZE];
    size_t size = encode(TOPO_PROBE_LINK, frame);
    struct topo_probe p;

    (void) state;
    memcpy(other, key, sizeof other);
    other[31] ^= 1;
    assert_int_equal(topo_probe_decode(frame, size, other, &p),
                     TOPO_PROBE_FORGED);
}

/* A probe as the other kind of frame: who can have an echo returned must not
 * make a link of it. */
static void
test_kinds_do_not_mix(void **state)
{
    uint8_t frame[TOPO_PROBE_SIZE];
    struct topo_probe p;
    size_t size = encode(TOPO_PROBE_ECHO, frame);

    (void) state;
    memcpy(frame, &TOPO_PROBE_MAC, 6);
    frame[12] = 0x88;
    frame[13] = 0xcc;
    assert_int_equal(decode(frame, size, &p), TOPO_PROBE_FORGED);
}

/* lldpd 1.0.16 on Linux, shortened; and other organisations' TLVs. */
static void
test_foreign(void **state)
{
    static const uint8_t lldp[] = {
        0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e, 0x52, 0x54, 0x00, 0x12, 0x34,
        0x56, 0x88, 0xcc, 0x02, 0x07, 0x04, 0x52, 0x54, 0x00, 0x12, 0x34,
        0x56, 0x04, 0x07, 0x03, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x06,
        0x02, 0x00, 0x78, 0xfe, 0x09, 0x00, 0x12, 0x0f, 0x03, 0x01, 0x00,
        0x00, 0x00, 0x00, 0xfe, 0x04, 0x02, 0x4f, 0x46, 0x4e, 0x00, 0x00};
    struct topo_probe p;

    (void) state;
    for (size_t n = 0; n <= sizeof lldp; n++) {
        assert_int_equal(decode(lldp, n, &p), TOPO_PROBE_FOREIGN);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_request_is_no_reply),
        cmocka_unit_test(test_each_bit_counts),
        cmocka_unit_test(test_each_length_counts),
        cmocka_unit_test(test_other_key),
        cmocka_unit_test(test_kinds_do_not_mix),
        cmocka_unit_test(test_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
