/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H 1

/* A bounded cursor over bytes with a sticky error.
 *
 * A read past the end, or a write past the room, sets 'failed' and from then
 * on reads return zeros and writes do nothing.  So a parser reads straight
 * down and checks once.  All integers are in network byte order on the wire
 * and in host byte order here.
 *
 * Ownership: a cursor borrows its bytes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
    const uint8_t *data;
    size_t size; /* Bytes in 'data'. */
    size_t at;   /* Bytes consumed, <= size. */
    bool failed;
};

struct wire_writer {
    uint8_t *data;
    size_t room; /* Bytes that fit in 'data'. */
    size_t at;   /* Bytes written, <= room. */
    bool failed;
};

/* Reading. */
void wire_reader_init(struct wire_reader *, const void *data, size_t size);
size_t wire_left(const struct wire_reader *);
uint8_t wire_get_u8(struct wire_reader *);
uint16_t wire_get_be16(struct wire_reader *);
uint32_t wire_get_be32(struct wire_reader *);
uint64_t wire_get_be64(struct wire_reader *);
void wire_get(struct wire_reader *, void *out, size_t size);
void wire_skip(struct wire_reader *, size_t size);
/* Returns the next 'size' bytes without a copy, NULL if there are fewer. */
const uint8_t *wire_take(struct wire_reader *, size_t size);
/* A reader of the next 'size' bytes, which are consumed from 'r'; a failed
 * one where there are fewer. */
struct wire_reader wire_sub(struct wire_reader *r, size_t size);

/* Writing. */
void wire_writer_init(struct wire_writer *, void *data, size_t room);
void wire_put_u8(struct wire_writer *, uint8_t);
void wire_put_be16(struct wire_writer *, uint16_t);
void wire_put_be32(struct wire_writer *, uint32_t);
void wire_put_be64(struct wire_writer *, uint64_t);
void wire_put(struct wire_writer *, const void *, size_t size);
void wire_put_zeros(struct wire_writer *, size_t size);
/* Overwrites two bytes already written at 'at' (lengths, checksums). */
void wire_patch_be16(struct wire_writer *, size_t at, uint16_t);

/* The Internet checksum (RFC 1071) of 'size' bytes, in host byte order; 0
 * over bytes that include their own correct checksum. */
uint16_t wire_checksum(const void *, size_t size);

#endif
