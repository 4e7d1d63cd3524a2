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

/* Reading.  The small ones are inline: a parser is made of them. */
void wire_reader_init(struct wire_reader *, const void *data, size_t size);
uint64_t wire_get_be64(struct wire_reader *);
void wire_get(struct wire_reader *, void *out, size_t size);
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

static inline size_t
wire_left(const struct wire_reader *r)
{
    return r->failed ? 0 : r->size - r->at;
}

/* Returns the next 'size' bytes without a copy, NULL if there are fewer. */
static inline const uint8_t *
wire_take(struct wire_reader *r, size_t size)
{
    if (r->failed || size > r->size - r->at) {
        r->failed = true;
        return NULL;
    }

    const uint8_t *p = r->data + r->at;
    r->at += size;
    return p;
}

static inline void
wire_skip(struct wire_reader *r, size_t size)
{
    (void) wire_take(r, size);
}

static inline uint8_t
wire_get_u8(struct wire_reader *r)
{
    const uint8_t *p = wire_take(r, 1);

    return p ? p[0] : 0;
}

static inline uint16_t
wire_get_be16(struct wire_reader *r)
{
    const uint8_t *p = wire_take(r, 2);

    return p ? (uint16_t) (p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
wire_get_be32(struct wire_reader *r)
{
    const uint8_t *p = wire_take(r, 4);

    return p ? (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
                   | (uint32_t) p[2] << 8 | p[3]
             : 0;
}

#endif
