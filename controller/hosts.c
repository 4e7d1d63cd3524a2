/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Hosts of the fabric: found by the first frame that comes from them.
 *
 * A switch passes frames of a known (port, vlan, source address) on; others it
 * shows to us.  The flow that knows a host goes when the host has been silent
 * for HOST_IDLE_S, and the host with it. */

#include "controller/fabric.h"

#include <stdlib.h>
#include <string.h>

#include "controller/log.h"
#include "lib/arp.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(hosts);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

enum {
    MAX_HOSTS = 200000,
    MAX_PORT_HOSTS = 4096,
    /* More moves than these within that: two that have the same address, or
     * somebody who pretends. */
    MANY_MOVES = 8,
    MOVES_MS = 10000
};

struct host *
host_lookup(const struct fabric *f, uint16_t vlan, const struct mac_addr *mac)
{
    struct host_key key = {.mac = *mac, .vlan = vlan};
    struct host *h;
    HASH_FIND(hh, f->hosts, &key, sizeof key, h);
    return h;
}

struct host *
host_of_id(const struct fabric *f, uint32_t id)
{
    struct host *h;
    HASH_FIND(hh_id, f->hosts_by_id, &id, sizeof id, h);
    return h;
}

static void
put_at(struct fabric *f, struct host *h, const struct port_id *id)
{
    struct fabric_port *port = fabric_port_get(f, id);
    h->port = *id;
    DL_APPEND2(port->hosts, h, prev_there, next_there);
    port->n_hosts++;
}

static void
take_off(struct fabric *f, struct host *h)
{
    struct fabric_port *port = fabric_port_get(f, &h->port);
    DL_DELETE2(port->hosts, h, prev_there, next_there);
    port->n_hosts--;
    if (!port->hosts) {
        topo_links_port_changed(f->links, &port->id, loop_now(f->ctl->loop));
    }
}

static void
host_destroy(struct fabric *f, struct host *h)
{
    take_off(f, h);
    HASH_DELETE(hh, f->hosts, h);
    HASH_DELETE(hh_id, f->hosts_by_id, h);
    l2_host_gone(f, h);
    free(h);
}

void
hosts_port_down(struct fabric *f, const struct port_id *id)
{
    struct fabric_port *port = fabric_port_get(f, id);
    while (port->hosts) {
        host_destroy(f, port->hosts);
    }
}

void
hosts_destroy(struct fabric *f)
{
    struct host *h, *tmp;
    HASH_ITER (hh, f->hosts, h, tmp) {
        HASH_DELETE(hh, f->hosts, h);
        HASH_DELETE(hh_id, f->hosts_by_id, h);
        free(h);
    }
}

static void
tell(struct fabric *f, const char *type, const struct host *h)
{
    char mac[MAC_ADDR_STRLEN], ip[IP_ADDR_STRLEN];
    ctl_event(f->ctl, type,
              "{\"vlan\":%u,\"mac\":\"%s\",\"ip\":\"%s\",\"dpid\":\"" DPID_FMT
              "\",\"port\":%" PRIu64 "}",
              h->key.vlan, mac_addr_format(&h->key.mac, mac),
              h->n_ips ? ip_addr_format(&h->ips[0], ip) : "", h->port.dpid,
              h->port.port_no);
}

static struct host *
host_create(struct fabric *f, const struct host_key *key,
            const struct port_id *port)
{
    struct host *h = xcalloc(1, sizeof *h);
    h->key = *key;
    do {
        f->last_host = (f->last_host + 1) & 0xffffff;
    } while (host_of_id(f, f->last_host));
    h->id = f->last_host;
    HASH_ADD(hh, f->hosts, key, sizeof h->key, h);
    HASH_ADD(hh_id, f->hosts_by_id, id, sizeof h->id, h);
    put_at(f, h, port);
    return h;
}

static void
add_ip(struct host *h, const struct ip_addr *ip)
{
    for (size_t i = 0; i < h->n_ips; i++) {
        if (ip_addr_equal(&h->ips[i], ip)) {
            return;
        }
    }
    if (h->n_ips == HOST_MAX_IPS) {
        memmove(h->ips, h->ips + 1, (HOST_MAX_IPS - 1) * sizeof *h->ips);
        h->n_ips--;
    }
    h->ips[h->n_ips++] = *ip;
}

/* False: it moves too often to be believed. */
static bool
may_move(struct host *h, int64_t now)
{
    h->n_moves = now - h->moved < MOVES_MS ? h->n_moves + 1 : 1;
    if (h->n_moves <= MANY_MOVES) {
        h->moved = now;
    }
    return h->n_moves <= MANY_MOVES;
}

static void
move(struct fabric *f, struct host *h, const struct port_id *to)
{
    struct port_id from = h->port;
    char mac[MAC_ADDR_STRLEN];
    if (!may_move(h, loop_now(f->ctl->loop))) {
        VLOG_WARN_RL(&rl, "%s of vlan %u is seen at more than one port",
                     mac_addr_format(&h->key.mac, mac), h->key.vlan);
        return;
    }
    take_off(f, h);
    put_at(f, h, to);
    l2_host_moved(f, h, &from);
    tell(f, "host.moved", h);
}

/* What a frame says of its sender. */
struct sender {
    struct host_key key;
    struct ip_addr ip; /* IP_ADDR_ANY: it does not say. */
};

static bool
read_sender(const uint8_t *frame, size_t size, struct sender *sender)
{
    struct wire_reader r;
    struct arp arp;
    memset(sender, 0, sizeof *sender);
    wire_reader_init(&r, frame, size);
    wire_skip(&r, 6);
    const uint8_t *mac = wire_take(&r, 6);
    if (mac) {
        memcpy(&sender->key.mac, mac, 6);
    }
    uint16_t type = wire_get_be16(&r);
    if (type == ETH_TYPE_VLAN) {
        sender->key.vlan = wire_get_be16(&r) & 0xfff;
        type = wire_get_be16(&r);
    }
    if (type == ETH_TYPE_ARP && arp_decode(frame, size, &arp)) {
        sender->ip = arp.sender_ip;
    } else if (type == ETH_TYPE_IPV4) {
        wire_skip(&r, 12);
        sender->ip = ip_addr_v4(wire_get_be32(&r));
    } else if (type == ETH_TYPE_IPV6) {
        wire_skip(&r, 8);
        const uint8_t *ip = wire_take(&r, 16);
        if (ip) {
            memcpy(sender->ip.b, ip, 16);
        }
    }
    return mac && !mac_addr_is_multicast(&sender->key.mac)
           && !mac_addr_is_zero(&sender->key.mac);
}

/* Hosts behind a port that shall not be any: those that are too many. */
static bool
has_room(struct fabric *f, const struct port_id *port)
{
    return HASH_COUNT(f->hosts) < MAX_HOSTS
           && fabric_port_get(f, port)->n_hosts < MAX_PORT_HOSTS;
}

void
hosts_learn(struct fabric *f, const struct port_id *port, const uint8_t *frame,
            size_t size)
{
    struct sender sender;
    bool edge = port->port_no == PORT_LOCAL
                || topo_links_role(f->links, port) == TOPO_ROLE_EDGE;
    /* Who is behind a tunnel's end cannot be sent to by its port alone. */
    edge = edge && !tunnel_of(f->ctl, port);
    if (!edge || !read_sender(frame, size, &sender)
        || mac_addr_compare(&sender.key.mac, &f->ctl->mac) == 0) {
        return;
    }
    struct host *h = host_lookup(f, sender.key.vlan, &sender.key.mac);
    bool new = !h;
    if (new && !has_room(f, port)) {
        return;
    } else if (new) {
        h = host_create(f, &sender.key, port);
    } else if (!port_id_equal(&h->port, port)) {
        move(f, h, port);
    }
    if (ip_addr_can_send(&sender.ip)) {
        add_ip(h, &sender.ip);
    }
    h->heard = loop_now(f->ctl->loop);
    l2_host_heard(f, h);
    if (new) {
        tell(f, "host.new", h);
    }
}

/* Its flow has seen nothing for a long time. */
void
host_is_idle(struct fabric *f, const struct ctl_switch *sw, uint32_t id)
{
    struct host *h = host_of_id(f, id);
    if (h && h->port.dpid == sw->dpid) {
        tell(f, "host.gone", h);
        host_destroy(f, h);
    }
}

void
host_adopt(struct fabric *f, const struct host_key *key,
           const struct port_id *port, uint32_t id)
{
    if (host_lookup(f, key->vlan, &key->mac) || host_of_id(f, id)
        || !has_room(f, port)) {
        return;
    }
    uint32_t last = f->last_host;
    f->last_host = (id - 1) & 0xffffff; /* It keeps its number. */
    struct host *h = host_create(f, key, port);
    f->last_host = last > id ? last : id;
    h->heard = loop_now(f->ctl->loop);
    l2_host_heard(f, h);
}
