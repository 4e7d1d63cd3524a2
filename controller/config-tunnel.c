/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* "tunnels": VXLAN ports whose other ends are ours to say. */

enum { MAX_VNI = 0xffffff, MAX_VLAN = 4094, MAX_PEERS = 4096 };

static int
compare_u32(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static int
compare_vnis(const void *a_, const void *b_)
{
    const struct config_vni *a = a_, *b = b_;

    return compare_u32(&a->vni, &b->vni);
}

/* All of a scalar as a number from 'min' to 'max'. */
static bool
read_number(const struct config_node *node, int64_t min, int64_t max,
            int64_t *n)
{
    const char *end;

    return node->kind == CONFIG_NODE_SCALAR
           && config_key_digits(node->text, 8, &end, n) && !*end && *n >= min
           && *n <= max;
}

static bool
read_vni(struct config_reading *r, const struct config_node *key,
         const struct config_node *value, struct config_vni *vni)
{
    int64_t n, vlan;

    if (!read_number(key, 1, MAX_VNI, &n)) {
        return config_key_fail(r, key, "a VNI must be from 1 to %d", MAX_VNI);
    }
    if (!read_number(value, 0, MAX_VLAN, &vlan)) {
        return config_key_fail(r, value,
                               "the vlan of a VNI must be from 0 (untagged) "
                               "to %d",
                               MAX_VLAN);
    }
    *vni = (struct config_vni){.vni = (uint32_t) n, .vlan = (uint16_t) vlan};
    return true;
}

/* Is the last one unlike all before? */
static bool
check_vni(struct config_reading *r, const struct config_node *node,
          const struct config_tunnel *t)
{
    const struct config_vni *last = &t->vnis[t->n_vnis - 1];

    for (const struct config_vni *v = t->vnis; v < last; v++) {
        if (v->vni == last->vni) {
            return config_key_fail(r, node, "VNI %u is given twice",
                                   (unsigned int) v->vni);
        }
        if (v->vlan == last->vlan) {
            return config_key_fail(r, node, "vlan %u is given to two VNIs",
                                   (unsigned int) v->vlan);
        }
    }
    return true;
}

/* {"100": 0, "200": 10} */
static bool
read_vnis(struct config_reading *r, const struct config_node *map,
          const struct config_key *key, void *out)
{
    struct config_tunnel *t = out;

    if (map->kind != CONFIG_NODE_MAP || !map->n_children) {
        return config_key_fail(
            r, map, "\"%s\" must be a map from VNIs to vlans", key->name);
    }
    t->vnis = xcalloc(map->n_children / 2, sizeof *t->vnis);
    for (size_t i = 0; i < map->n_children; i += 2) {
        if (!read_vni(r, map->children[i], map->children[i + 1],
                      &t->vnis[t->n_vnis])) {
            return false;
        }
        t->n_vnis++;
        if (!check_vni(r, map->children[i], t)) {
            return false;
        }
    }
    qsort(t->vnis, t->n_vnis, sizeof *t->vnis, compare_vnis);
    return true;
}

static bool
read_vtep(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, uint32_t *vtep)
{
    struct ip_addr address;

    if (node->kind != CONFIG_NODE_SCALAR
        || !ip_addr_parse(node->text, &address)
        || !ip_addr_to_vtep(&address, vtep)) {
        return config_key_fail(r, node, "\"%s\" takes IPv4 addresses of hosts",
                               key->name);
    }
    return true;
}

static bool
read_peers(struct config_reading *r, const struct config_node *list,
           const struct config_key *key, void *out)
{
    struct config_tunnel *t = out;

    if (list->kind != CONFIG_NODE_LIST || list->n_children > MAX_PEERS) {
        return config_key_fail(r, list,
                               "\"%s\" must be a list of at most %d addresses",
                               key->name, MAX_PEERS);
    }
    t->peers = xcalloc(list->n_children + 1, sizeof *t->peers);
    for (size_t i = 0; i < list->n_children; i++) {
        uint32_t vtep;

        if (!read_vtep(r, list->children[i], key, &vtep)) {
            return false;
        }
        for (size_t j = 0; j < t->n_peers; j++) {
            if (t->peers[j] == vtep) {
                return config_key_fail(r, list->children[i],
                                       "peer %s is given twice",
                                       list->children[i]->text);
            }
        }
        t->peers[t->n_peers++] = vtep;
    }
    qsort(t->peers, t->n_peers, sizeof *t->peers, compare_u32);
    return true;
}

static bool
read_local(struct config_reading *r, const struct config_node *node,
           const struct config_key *key, void *out)
{
    return read_vtep(r, node, key, out);
}

#define TUNNEL(MEMBER) offsetof(struct config_tunnel, MEMBER)

static bool
read_tunnel(struct config_reading *r, const struct config_node *map,
            struct config_tunnel *t)
{
    static const struct config_key keys[] = {
        {.name = "dpid", .read = config_key_dpid, .offset = TUNNEL(dpid)},
        {.name = "port", .read = config_key_port, .offset = TUNNEL(port)},
        {.name = "vnis", .read = read_vnis},
        {.name = "peers", .read = read_peers},
        {.name = "local", .read = read_local, .offset = TUNNEL(local)},
        {.name = "learn", .read = config_key_bool, .offset = TUNNEL(learn)},
        {.name = "max_peers",
         .read = config_key_size,
         .offset = TUNNEL(max_peers),
         .max = MAX_PEERS},
        {.name = "querier",
         .read = config_key_bool,
         .offset = TUNNEL(querier)},
        {.name = NULL}};

    *t = (struct config_tunnel){
        .learn = true, .querier = true, .max_peers = 256};
    return config_key_read_map(r, map, "a tunnel", keys, t, NULL)
           && ((t->dpid && *t->port && t->n_vnis)
               || config_key_fail(
                   r, map, "a tunnel needs \"dpid\", \"port\" and \"vnis\""));
}

/* What came by one tunnel port must not leave by another of the same vlan:
 * with one of each vlan, the switch itself sees to that. */
static bool
check_others(struct config_reading *r, const struct config_node *node,
             const struct config_tunnel *t)
{
    for (const struct config_tunnel *other = r->config->tunnels; other < t;
         other++) {
        if (other->dpid != t->dpid) {
            continue;
        }
        if (!strcmp(other->port, t->port)) {
            return config_key_fail(
                r, node, "the tunnel port \"%.64s\" is given twice", t->port);
        }
        for (size_t i = 0; i < t->n_vnis; i++) {
            uint32_t vni;

            if (config_tunnel_vni(other, t->vnis[i].vlan, &vni)) {
                return config_key_fail(
                    r, node,
                    "vlan %u is in two tunnel ports of the switch: what came "
                    "by one would leave by the other",
                    (unsigned int) t->vnis[i].vlan);
            }
        }
    }
    return true;
}

bool
config_tunnel_read_list(struct config_reading *r,
                        const struct config_node *list,
                        const struct config_key *key, void *out)
{
    struct config *config = r->config;

    (void) out;
    config->tunnels = config_key_list(r, list, key, sizeof *config->tunnels);
    for (size_t i = 0; config->tunnels && i < list->n_children; i++) {
        struct config_tunnel *t = &config->tunnels[config->n_tunnels++];

        if (!read_tunnel(r, list->children[i], t)
            || !check_others(r, list->children[i], t)) {
            return false;
        }
    }
    r->tunnels = list->n_children ? list : NULL;
    return config->tunnels != NULL;
}

/* A vlan that both carry, -1: none. */
static int
shared_vlan(const struct config_tunnel *a, const struct config_tunnel *b)
{
    for (size_t i = 0; i < a->n_vnis; i++) {
        uint32_t vni;

        if (config_tunnel_vni(b, a->vnis[i].vlan, &vni)) {
            return a->vnis[i].vlan;
        }
    }
    return -1;
}

bool
config_tunnel_check_l2(struct config_reading *r)
{
    const struct config *config = r->config;

    for (size_t i = 0; i < config->n_tunnels; i++) {
        const struct config_tunnel *t = &config->tunnels[i];

        for (size_t j = 0; j < i && config->l2 == CONFIG_L2_FABRIC; j++) {
            int vlan = shared_vlan(t, &config->tunnels[j]);

            if (vlan >= 0) {
                return config_key_fail(
                    r, r->tunnels,
                    "vlan %d is in tunnel ports of two switches: with "
                    "\"l2: fabric\" what came by one would leave by the other",
                    vlan);
            }
        }
    }
    return true;
}

void
config_tunnel_uninit(struct config_tunnel *t)
{
    free(t->vnis);
    free(t->peers);
}

/* Using it. */

bool
config_tunnel_vni(const struct config_tunnel *t, uint16_t vlan, uint32_t *vni)
{
    for (size_t i = 0; i < t->n_vnis; i++) {
        if (t->vnis[i].vlan == vlan) {
            *vni = t->vnis[i].vni;
            return true;
        }
    }
    return false;
}

bool
config_tunnel_has_peer(const struct config_tunnel *t, uint32_t vtep)
{
    return t->n_peers
           && bsearch(&vtep, t->peers, t->n_peers, sizeof vtep, compare_u32);
}

const struct config_tunnel *
config_get_tunnel(const struct config *config, uint64_t dpid,
                  const struct topo_port *port)
{
    char number[16];

    if (!port || !config->n_tunnels) {
        return NULL;
    }
    snprintf(number, sizeof number, "%u", (unsigned int) port->no);
    for (int by_name = 1; by_name >= 0; by_name--) {
        const char *name = by_name ? port->name : number;

        for (size_t i = 0; i < config->n_tunnels; i++) {
            if (config->tunnels[i].dpid == dpid
                && !strcmp(config->tunnels[i].port, name)) {
                return &config->tunnels[i];
            }
        }
    }
    return NULL;
}
