/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/stream-key.h"

#include <string.h>

#include "controller/ctl-private.h"
#include "lib/wire.h"

static struct ip_addr
get_v6(struct wire_reader *r)
{
    struct ip_addr addr = IP_ADDR_ANY;
    const uint8_t *bytes = wire_take(r, sizeof addr.b);
    if (bytes) {
        memcpy(addr.b, bytes, sizeof addr.b);
    }
    return addr;
}

bool
stream_key_parse(const uint8_t *frame, size_t size, bool routed,
                 struct stream_key *key, uint8_t *ttl)
{
    struct wire_reader r;
    wire_reader_init(&r, frame, size);
    wire_skip(&r, 12);
    uint16_t type = wire_get_be16(&r);
    if (type == ETH_TYPE_VLAN) {
        key->vlan = wire_get_be16(&r) & 0xfff;
        type = wire_get_be16(&r);
    }
    if (type == ETH_TYPE_IPV4) {
        wire_skip(&r, 8);
        *ttl = wire_get_u8(&r);
        wire_skip(&r, 3);
        key->source = ip_addr_v4(wire_get_be32(&r));
        key->group = ip_addr_v4(wire_get_be32(&r));
    } else if (type == ETH_TYPE_IPV6) {
        wire_skip(&r, 7);
        *ttl = wire_get_u8(&r);
        key->source = get_v6(&r);
        key->group = get_v6(&r);
        /* One of the other family in disguise (RFC 4291 2.5.5.2). */
        if (ip_addr_is_v4(&key->source) || ip_addr_is_v4(&key->group)) {
            return false;
        }
    } else {
        return false;
    }
    /* A route may take what is sent to a host. */
    return !r.failed && (routed || ip_addr_is_multicast(&key->group));
}
