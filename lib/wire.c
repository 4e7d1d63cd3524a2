/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lib/wire.h"

#include <string.h>

void
wire_reader_init(struct wire_reader *r, const void *data, size_t size)
{
    *r = (struct wire_reader){.data = data, .size = size};
}

uint64_t
wire_get_be64(struct wire_reader *r)
{
    /* Eight bytes or none: the sticky error must not give a half. */
    const uint8_t *p = wire_take(r, 8);
    uint64_t x = 0;

    for (int i = 0; p && i < 8; i++) {
        x = x << 8 | p[i];
    }
    return x;
}

void
wire_get(struct wire_reader *r, void *out, size_t size)
{
    const uint8_t *p = wire_take(r, size);

    if (!size) {
        return;
    }
    if (p) {
        memcpy(out, p, size);
    } else {
        memset(out, 0, size);
    }
}

struct wire_reader
wire_sub(struct wire_reader *r, size_t size)
{
    const uint8_t *p = wire_take(r, size);

    return (struct wire_reader){.data = p, .size = p ? size : 0, .failed = !p};
}

void
wire_writer_init(struct wire_writer *w, void *data, size_t room)
{
    *w = (struct wire_writer){.data = data, .room = room};
}

/* Returns where to write the next 'size' bytes, NULL if there is no room. */
static uint8_t *
reserve(struct wire_writer *w, size_t size)
{
    if (w->failed || size > w->room - w->at) {
        w->failed = true;
        return NULL;
    }

    uint8_t *p = w->data + w->at;
    w->at += size;
    return p;
}

static void
store(uint8_t *p, size_t size, uint64_t x)
{
    while (p && size--) {
        p[size] = (uint8_t) x;
        x >>= 8;
    }
}

void
wire_put_u8(struct wire_writer *w, uint8_t x)
{
    store(reserve(w, 1), 1, x);
}

void
wire_put_be16(struct wire_writer *w, uint16_t x)
{
    store(reserve(w, 2), 2, x);
}

void
wire_put_be32(struct wire_writer *w, uint32_t x)
{
    store(reserve(w, 4), 4, x);
}

void
wire_put_be64(struct wire_writer *w, uint64_t x)
{
    store(reserve(w, 8), 8, x);
}

void
wire_put(struct wire_writer *w, const void *data, size_t size)
{
    uint8_t *p = reserve(w, size);

    if (p && size) {
        memcpy(p, data, size);
    }
}

void
wire_put_zeros(struct wire_writer *w, size_t size)
{
    uint8_t *p = reserve(w, size);

    if (p && size) {
        memset(p, 0, size);
    }
}

void
wire_patch_be16(struct wire_writer *w, size_t at, uint16_t x)
{
    if (w->failed || w->at < 2 || at > w->at - 2) {
        w->failed = true;
        return;
    }
    store(w->data + at, 2, x);
}

uint16_t
wire_checksum(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t sum = 0;

    for (; size >= 2; p += 2, size -= 2) {
        sum += (uint64_t) (p[0] << 8 | p[1]);
    }
    if (size) {
        sum += (uint64_t) (p[0] << 8);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t) ~sum;
}
