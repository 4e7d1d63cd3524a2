/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Frames that the switch punted and nobody else has got: passing them on.
 *
 * What we pass on may come back to us: where switches of ours are linked, or
 * through a loop of somebody's.  Passed on again it would never end, and what
 * it says would be learned where it does not come from.  So what was passed
 * on is remembered for a moment. */

#include "controller/ctl-private.h"

#include <stddef.h>

enum { ECHO_MS = 500 };

/* FNV-1a. */
uint64_t
relay_hash(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static struct relayed *
newest(struct relay_memory *memory)
{
    return &memory->ring[memory->next % RELAY_MEMORY];
}

static void
remember(struct relay_memory *memory, const struct port_id *from,
         const uint8_t *frame, size_t size, int64_t now)
{
    memory->next++;
    *newest(memory) = (struct relayed){.hash = relay_hash(frame, size),
                                       .from = *from,
                                       .until = now + ECHO_MS};
}

bool
relay_is_echo(struct ctl *ctl, const struct port_id *port,
              const uint8_t *frame, size_t size, int64_t now)
{
    struct relay_memory *memory = &ctl->relayed;
    if (newest(memory)->until <= now) {
        return false; /* Then so are all others. */
    }
    uint64_t hash = relay_hash(frame, size);
    for (size_t i = 0; i < RELAY_MEMORY; i++) {
        const struct relayed *r = &memory->ring[i];
        if (r->hash == hash && r->until > now
            && !port_id_equal(&r->from, port)) {
            return true;
        }
    }
    return false;
}

struct relay {
    struct ctl *ctl;
    const struct port_id *from;
    const uint8_t *frame;
    size_t size;
};

static bool
relay_to(void *relay_, const struct port_id *port)
{
    const struct relay *r = relay_;
    struct ctl_switch *sw = switch_lookup(r->ctl, port->dpid);
    if (port_id_equal(port, r->from)) {
        return true;
    }
    if (r->ctl->fabric) {
        edge_send(r->ctl, port, r->frame, r->size);
    } else if (port_id_vtep(port)) {
        tunnels_send(r->ctl, port, r->frame, r->size);
    } else if (sw) {
        switch_packet_out(sw, 0, port_id_no(port), r->frame, r->size);
    }
    return true;
}

/* One message a switch: a flood of these must not become one a port. */
static void
relay_to_all(const struct relay *r)
{
    struct ctl_switch *sw;
    if (r->ctl->fabric) {
        edges_flood(r->ctl, r->from, r->frame, r->size);
    }
    for (sw = r->ctl->fabric ? NULL : r->ctl->switches; sw; sw = sw->hh.next) {
        bool here = sw->dpid == r->from->dpid;
        switch_packet_out(sw, here ? port_id_no(r->from) : 0, OFP_PORT_FLOOD,
                          r->frame, r->size);
    }
    if (!port_id_vtep(r->from)) {
        tunnels_flood(r->ctl, r->frame, r->size);
    }
}

void
relay_frame(struct ctl *ctl, const struct igmp_snoop *snoop,
            enum igmp_relay whom, const struct port_id *from,
            const uint8_t *frame, size_t size, int64_t now)
{
    struct relay r = {ctl, from, frame, size};
    switch (whom) {
    case IGMP_RELAY_NONE:
        return;
    case IGMP_RELAY_ROUTERS:
        remember(&ctl->relayed, from, frame, size, now);
        igmp_snoop_each_router_port(snoop, relay_to, &r);
        break;
    case IGMP_RELAY_ALL:
        remember(&ctl->relayed, from, frame, size, now);
        relay_to_all(&r);
        break;
    }
}
