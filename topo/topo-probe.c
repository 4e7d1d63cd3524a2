/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "topo/topo-probe.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "lib/wire.h"

const struct mac_addr TOPO_PROBE_MAC = {{0x01, 0x80, 0xc2, 0, 0, 0x0e}};
const struct mac_addr TOPO_ECHO_REQUEST_MAC = {{2, 0x4f, 0x46, 0x4d, 0, 1}};
const struct mac_addr TOPO_ECHO_REPLY_MAC = {{2, 0x4f, 0x46, 0x4d, 0, 2}};

/* IEEE 802.1AB-2016, 8.4: a TLV's head is 7 bits of type, 9 of length. */
enum {
    TLV_END = 0,
    TLV_CHASSIS_ID = 1,
    TLV_PORT_ID = 2,
    TLV_TTL = 3,
    TLV_ORGANISATION = 127,
    SUBTYPE_LOCAL = 7 /* "Locally assigned", of both ids. */
};

enum { VERSION = 1, TTL_S = 120, CODE_SIZE = 32 };

/* Destination, source, EtherType. */
enum { SOURCE_AT = 6, ETH_SIZE = 14 };

/* Our TLV: OUI and subtype are the first bytes of our MAC addresses. */
static const uint8_t organisation[] = {2, 0x4f, 0x46, 0x4d};
enum {
    ORGANISATION_SIZE = sizeof organisation,
    CONTENT_SIZE = 1 + 1 + 8 + 4 + 8,
    OUR_SIZE = ORGANISATION_SIZE + CONTENT_SIZE + CODE_SIZE
};

/* The code is over the frame from its source address on: what names the
 * sender to others cannot be changed either.  The destination is left out as
 * a switch changes that of an echo. */
static void
make_code(const uint8_t *frame, size_t size, const uint8_t key[TOPO_KEY_SIZE],
          uint8_t code[CODE_SIZE])
{
    unsigned int code_size = 0;

    memset(code, 0, CODE_SIZE);
    if (!HMAC(EVP_sha256(), key, TOPO_KEY_SIZE, frame + SOURCE_AT,
              size - SOURCE_AT, code, &code_size)
        || code_size != CODE_SIZE) {
        __builtin_trap(); /* SHA-256 is always there. */
    }
}

static void
put_head(struct wire_writer *w, int type, size_t size)
{
    wire_put_be16(w, (uint16_t) (type << 9 | (int) size));
}

static void
put_id(struct wire_writer *w, int type, const char *text)
{
    size_t size = strlen(text);

    put_head(w, type, 1 + size);
    wire_put_u8(w, SUBTYPE_LOCAL);
    wire_put(w, text, size);
}

static void
put_names(struct wire_writer *w, const struct port_id *from)
{
    char text[32];

    snprintf(text, sizeof text, "%016" PRIx64, from->dpid);
    put_id(w, TLV_CHASSIS_ID, text);
    snprintf(text, sizeof text, "%" PRIu32, (uint32_t) from->port_no);
    put_id(w, TLV_PORT_ID, text);
    put_head(w, TLV_TTL, 2);
    wire_put_be16(w, TTL_S);
}

size_t
topo_probe_encode(const struct topo_probe *probe,
                  const uint8_t key[TOPO_KEY_SIZE], const struct mac_addr *src,
                  uint8_t frame[TOPO_PROBE_SIZE])
{
    bool echo = probe->kind == TOPO_PROBE_ECHO;
    uint8_t code[CODE_SIZE];
    struct wire_writer w;

    wire_writer_init(&w, frame, TOPO_PROBE_SIZE);
    wire_put(&w, echo ? &TOPO_ECHO_REQUEST_MAC : &TOPO_PROBE_MAC, 6);
    wire_put(&w, src, sizeof *src);
    wire_put_be16(&w, echo ? TOPO_ETH_TYPE_ECHO : TOPO_ETH_TYPE_LLDP);
    put_names(&w, &probe->from);
    put_head(&w, TLV_ORGANISATION, OUR_SIZE);
    wire_put(&w, organisation, sizeof organisation);
    wire_put_u8(&w, VERSION);
    wire_put_u8(&w, (uint8_t) probe->kind);
    wire_put_be64(&w, probe->from.dpid);
    wire_put_be32(&w, (uint32_t) probe->from.port_no);
    wire_put_be64(&w, probe->number);
    make_code(frame, w.at, key, code);
    wire_put(&w, code, sizeof code);
    put_head(&w, TLV_END, 0);
    return w.at;
}

/* Is it a frame of the kind that ours are?  What else LLDP is on a network is
 * none of our business. */
static bool
get_kind(struct wire_reader *r, enum topo_probe_kind *kind)
{
    struct mac_addr dst;

    wire_get(r, &dst, sizeof dst);
    wire_skip(r, sizeof(struct mac_addr));
    switch (wire_get_be16(r)) {
    case TOPO_ETH_TYPE_LLDP:
        *kind = TOPO_PROBE_LINK;
        return !memcmp(&dst, &TOPO_PROBE_MAC, sizeof dst);
    case TOPO_ETH_TYPE_ECHO:
        *kind = TOPO_PROBE_ECHO;
        return !memcmp(&dst, &TOPO_ECHO_REPLY_MAC, sizeof dst);
    }
    return false;
}

/* Moves on to our TLV, and leaves 'r' behind its first four bytes; 'size' is
 * what it says is left of it. */
static bool
find_ours(struct wire_reader *r, size_t *size)
{
    while (wire_left(r)) {
        unsigned int head = wire_get_be16(r);
        size_t length = head & 0x1ff;

        if (head >> 9 == TLV_END) {
            return false;
        }
        if (head >> 9 == TLV_ORGANISATION && length >= ORGANISATION_SIZE) {
            const uint8_t *whose = wire_take(r, ORGANISATION_SIZE);

            length -= ORGANISATION_SIZE;
            if (whose && !memcmp(whose, organisation, ORGANISATION_SIZE)) {
                *size = length;
                return true;
            }
        }
        wire_skip(r, length);
    }
    return false;
}

enum topo_probe_error
topo_probe_decode(const void *frame, size_t size,
                  const uint8_t key[TOPO_KEY_SIZE], struct topo_probe *probe)
{
    enum topo_probe_kind kind;
    uint8_t code[CODE_SIZE];
    struct wire_reader r;
    size_t length;

    memset(probe, 0, sizeof *probe);
    wire_reader_init(&r, frame, size);
    if (!get_kind(&r, &kind) || r.failed || !find_ours(&r, &length)) {
        return TOPO_PROBE_FOREIGN;
    }

    unsigned int version = wire_get_u8(&r), said = wire_get_u8(&r);
    struct topo_probe read = {.kind = kind};
    read.from.dpid = wire_get_be64(&r);
    read.from.port_no = wire_get_be32(&r);
    read.number = wire_get_be64(&r);
    size_t covered = r.at;
    const uint8_t *theirs = wire_take(&r, CODE_SIZE);
    unsigned int end = wire_get_be16(&r);

    if (r.failed || wire_left(&r) || end
        || length != OUR_SIZE - ORGANISATION_SIZE) {
        return TOPO_PROBE_FORGED;
    }
    make_code(frame, covered, key, code);
    if (CRYPTO_memcmp(code, theirs, CODE_SIZE) || version != VERSION
        || said != kind) {
        return TOPO_PROBE_FORGED;
    }
    *probe = read;
    return TOPO_PROBE_OK;
}
