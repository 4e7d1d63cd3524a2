/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* "vlans": "default" and numbers. */

/* The largest values that the fields of a query can say: RFC 3376 4.1.1 and
 * 4.1.7, 31744 tenths and 31744 seconds; 255 tenths for IGMPv2; and 65535
 * thousandths for MLDv1 (RFC 2710 3.4). */
enum {
    MAX_RESPONSE = 3174400,
    MAX_INTERVAL = 31744000,
    MAX_V2_RESPONSE = 25500,
    MAX_MLD1_RESPONSE = 65535
};

static bool
read_querier_address(struct config_reading *r, const struct config_node *node,
                     const struct config_key *key, void *vlan_)
{
    struct config_vlan *vlan = vlan_;
    struct ip_addr address = IP_ADDR_ANY;

    vlan->address_auto = config_key_is_word(node, "auto");
    if (!vlan->address_auto
        && (node->kind != CONFIG_NODE_SCALAR
            || !ip_addr_parse(node->text, &address) || !ip_addr_is_v4(&address)
            || ip_addr_to_v4(&address) >= 0xe0000000
            || ip_addr_to_v4(&address) >> 24 == 127)) {
        return config_key_fail(
            r, node, "\"%s\" must be \"auto\" or a host's IPv4 address",
            key->name);
    }
    vlan->igmp[IGMP_IPV4].address =
        ip_addr_is_any(&address) ? IP_ADDR_ANY : address;
    return true;
}

/* RFC 3810 5.1.14: a query's source is link-local. */
static bool
read_mld_address(struct config_reading *r, const struct config_node *node,
                 const struct config_key *key, void *out)
{
    struct ip_addr address = IP_ADDR_ANY;

    if (!config_key_is_word(node, "auto")
        && (node->kind != CONFIG_NODE_SCALAR
            || !ip_addr_parse(node->text, &address) || address.b[0] != 0xfe
            || (address.b[1] & 0xc0) != 0x80)) {
        return config_key_fail(
            r, node,
            "\"%s\" must be \"auto\" or a link-local address (fe80::/10)",
            key->name);
    }
    *(struct ip_addr *) out = address;
    return true;
}

/* Inside, MLDv1 is 2 and MLDv2 is 3: see igmp-msg.h. */
static bool
read_mld_version(struct config_reading *r, const struct config_node *node,
                 const struct config_key *key, void *out)
{
    int version;

    if (!config_key_int(r, node, key, &version)) {
        return false;
    }
    *(int *) out = version + 1;
    return true;
}

static bool
refuse_of_port(struct config_reading *r, const struct config_node *node,
               const struct config_key *key, void *out)
{
    (void) out;
    return config_key_fail(r, node,
                           "\"%s\" is of a port over all vlans: set it under "
                           "port_defaults or ports",
                           key->name);
}

/* What each value alone may be, but not together. */
static bool
check_response(struct config_reading *r, const struct config_node *node,
               const struct igmp_config *igmp, const char *version,
               int64_t max)
{
    return (igmp->query_response_interval <= max
            && igmp->last_member_interval <= max)
           || config_key_fail(r, node,
                              "with %s, query_response_interval and "
                              "last_member_interval are at most %g seconds",
                              version, max / 1000.0);
}

static bool
check_vlan(struct config_reading *r, const struct config_node *node,
           const struct config_vlan *vlan)
{
    const struct igmp_config *igmp = &vlan->igmp[IGMP_IPV4];

    if (igmp->query_response_interval >= igmp->query_interval) {
        return config_key_fail(r, node,
                               "query_response_interval (%g s) must be below "
                               "query_interval (%g s)",
                               igmp->query_response_interval / 1000.0,
                               igmp->query_interval / 1000.0);
    }
    if (igmp->version == 2
        && !check_response(r, node, igmp, "igmp_version 2", MAX_V2_RESPONSE)) {
        return false;
    }
    return !vlan->mld || vlan->igmp[IGMP_IPV6].version != 2
           || check_response(r, node, igmp, "mld_version 1",
                             MAX_MLD1_RESPONSE);
}

/* What holds for both families was read for IGMP. */
static void
share(struct config_vlan *vlan)
{
    struct igmp_config *mld = &vlan->igmp[IGMP_IPV6];
    struct igmp_config own = *mld;

    *mld = vlan->igmp[IGMP_IPV4];
    mld->family = IGMP_IPV6;
    mld->version = own.version;
    mld->address = own.address;
    mld->querier = mld->querier && vlan->mld;
}

static const char *const upstreams[] = {"proxy", "relay", "none", NULL};
static const char *const policies[] = {"mrouters", "flood", "drop", NULL};

#define VLAN(MEMBER) offsetof(struct config_vlan, MEMBER)
#define IGMP(MEMBER) VLAN(igmp[IGMP_IPV4].MEMBER)

static const struct config_key vlan_keys[] = {
    {.name = "querier", .read = config_key_bool, .offset = IGMP(querier)},
    {.name = "querier_address", .read = read_querier_address},
    {.name = "igmp_version",
     .read = config_key_int,
     .offset = IGMP(version),
     .min = 1,
     .max = 3},
    {.name = "query_interval",
     .read = config_key_seconds,
     .offset = IGMP(query_interval),
     .min = 100,
     .max = MAX_INTERVAL},
    {.name = "query_response_interval",
     .read = config_key_seconds,
     .offset = IGMP(query_response_interval),
     .min = 100,
     .max = MAX_RESPONSE},
    {.name = "robustness",
     .read = config_key_int,
     .offset = IGMP(robustness),
     .min = 1,
     .max = 7},
    {.name = "last_member_interval",
     .read = config_key_seconds,
     .offset = IGMP(last_member_interval),
     .min = 100,
     .max = MAX_RESPONSE},
    {.name = "last_member_count",
     .read = config_key_int,
     .offset = IGMP(last_member_count),
     .min = 1,
     .max = 20},
    {.name = "unregistered",
     .read = config_key_enum,
     .offset = VLAN(unregistered),
     .words = policies},
    {.name = "mld", .read = config_key_bool, .offset = VLAN(mld)},
    {.name = "mld_version",
     .read = read_mld_version,
     .offset = VLAN(igmp[IGMP_IPV6].version),
     .min = 1,
     .max = 2},
    {.name = "mld_querier_address",
     .read = read_mld_address,
     .offset = VLAN(igmp[IGMP_IPV6].address)},
    {.name = "upstream",
     .read = config_key_enum,
     .offset = IGMP(upstream),
     .words = upstreams},
    {.name = "require_router_alert",
     .read = config_key_bool,
     .offset = IGMP(require_router_alert)},
    {.name = "max_groups",
     .read = config_key_size,
     .offset = IGMP(max_groups),
     .max = IGMP_MAX_GROUPS},
    {.name = "max_reports", .read = refuse_of_port},
    {.name = "mtu", .read = refuse_of_port},
    CONFIG_PORT_KEYS(VLAN(ports), "max_groups_per_port"),
    {.name = NULL},
};

static bool
read_vlan(struct config_reading *r, const struct config_node *node,
          struct config_vlan *vlan)
{
    if (!config_key_read_map(r, node, "a vlan", vlan_keys, vlan,
                             &vlan->ports.said)) {
        return false;
    }
    share(vlan);
    return check_vlan(r, node, vlan);
}

/* "default" comes first wherever it stands: the others build on it. */
static bool
read_default_vlan(struct config_reading *r, const struct config_node *map)
{
    const struct config_node *seen = NULL;

    for (size_t i = 0; i < map->n_children; i += 2) {
        if (config_key_is_word(map->children[i], "default")) {
            if (seen) {
                return config_key_fail(r, map->children[i],
                                       "\"default\" is given twice");
            }
            seen = map->children[i + 1];
        }
    }
    return !seen || read_vlan(r, seen, &r->config->vlan_default);
}

static int
compare_vlans(const void *a_, const void *b_)
{
    const struct config_vlan *a = a_, *b = b_;

    return (a->vlan > b->vlan) - (a->vlan < b->vlan);
}

/* "10: {...}" into the next of config->vlans. */
static bool
read_numbered_vlan(struct config_reading *r, const struct config_node *name,
                   const struct config_node *value, bool seen[4095])
{
    struct config *config = r->config;
    struct config_vlan *vlan = &config->vlans[config->n_vlans];
    const char *end;
    int64_t number;

    if (!config_key_digits(name->text, 4, &end, &number) || *end
        || number > 4094) {
        return config_key_fail(
            r, name,
            "\"%.64s\" is no vlan: use default, \"0\" (untagged) or "
            "\"1\" to \"4094\"",
            name->text);
    }
    if (seen[number]) {
        return config_key_fail(r, name, "vlan %d is given twice",
                               (int) number);
    }
    seen[number] = true;
    *vlan = config->vlan_default;
    vlan->vlan = number;
    /* Its ports' settings do not build on those of the default but are looked
     * up after it: each list of prefixes has one owner. */
    memset(&vlan->ports, 0, sizeof vlan->ports);
    config->n_vlans++;
    return read_vlan(r, value, vlan);
}

bool
config_vlan_read(struct config_reading *r, const struct config_node *map,
                 const struct config_key *key, void *out)
{
    bool seen[4095] = {false};
    struct config *config = r->config;

    (void) out;
    if (config_key_is_null(map)) {
        return true;
    }
    if (map->kind != CONFIG_NODE_MAP) {
        return config_key_fail(r, map, "\"%s\" must be a map of vlans",
                               key->name);
    }
    if (!read_default_vlan(r, map)) {
        return false;
    }
    config->vlans = xcalloc(map->n_children / 2 + 1, sizeof *config->vlans);
    for (size_t i = 0; i < map->n_children; i += 2) {
        const struct config_node *name = map->children[i];

        if (!config_key_is_word(name, "default")
            && !read_numbered_vlan(r, name, map->children[i + 1], seen)) {
            return false;
        }
    }
    qsort(config->vlans, config->n_vlans, sizeof *config->vlans,
          compare_vlans);
    return true;
}
