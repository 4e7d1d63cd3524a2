/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* "port_defaults" and "ports", and what a port is told in the end. */

enum { MAX_PREFIXES = 256, MAX_REPORTS = 1000000, MAX_VLAN = 4094 };

const char *const config_roles[] = {"auto", "host", "mrouter", NULL};
const char *const config_leaves[] = {"query", "tracked", "immediate", NULL};
const char *const config_deliveries[] = {"multicast", "unicast", "auto", NULL};
const char *const config_actions[] = {"deny", "replace", NULL};

/* Reading. */
/* Within 224.0.0.0/4 or ff00::/8. */
static bool
is_of_groups(const struct ip_prefix *p)
{
    return ip_addr_is_multicast(&p->addr)
           && p->len >= (ip_addr_is_v4(&p->addr) ? 96 + 4 : 8);
}

static bool
read_prefix(struct config_reading *r, const struct config_node *node,
            const struct config_key *key, struct ip_prefix *prefix)
{
    return (node->kind == CONFIG_NODE_SCALAR
            && ip_prefix_parse(node->text, prefix) && is_of_groups(prefix))
           || config_key_fail(r, node,
                              "\"%s\" takes groups and prefixes of groups, "
                              "such as 239.0.0.0/8 or ff3e::/32",
                              key->name);
}

bool
config_port_read_prefixes(struct config_reading *r,
                          const struct config_node *list,
                          const struct config_key *key, void *settings_)
{
    struct config_port_settings *settings = settings_;
    bool permit = key->said == CONFIG_SAID_PERMIT;

    if (list->kind != CONFIG_NODE_LIST || list->n_children > MAX_PREFIXES) {
        return config_key_fail(r, list,
                               "\"%s\" must be a list of at most %d prefixes",
                               key->name, MAX_PREFIXES);
    }

    struct ip_prefix *prefixes =
        xcalloc(list->n_children + 1, sizeof *prefixes);
    /* At once, so that it is freed whatever comes. */
    if (permit) {
        settings->igmp.permit = prefixes;
        settings->igmp.n_permit = list->n_children;
    } else {
        settings->igmp.deny = prefixes;
        settings->igmp.n_deny = list->n_children;
    }
    for (size_t i = 0; i < list->n_children; i++) {
        if (!read_prefix(r, list->children[i], key, &prefixes[i])) {
            return false;
        }
    }
    return true;
}

void
config_port_settings_uninit(struct config_port_settings *settings)
{
    free((void *) settings->igmp.permit);
    free((void *) settings->igmp.deny);
}

#define MAX_REPORTS_KEY(BASE)                                                 \
    {                                                                         \
        .name = "max_reports", .read = config_key_int,                        \
        .offset =                                                             \
            (BASE) + offsetof(struct config_port_settings, max_reports),      \
        .max = MAX_REPORTS, .said = CONFIG_SAID_MAX_REPORTS                   \
    }

/* From RFC 791's least to what a length can say. */
#define MTU_KEY(BASE)                                                         \
    {                                                                         \
        .name = "mtu", .read = config_key_int,                                \
        .offset = (BASE) + offsetof(struct config_port_settings, mtu),        \
        .min = 68, .max = 65535, .said = CONFIG_SAID_MTU                      \
    }

bool
config_port_read_defaults(struct config_reading *r,
                          const struct config_node *map,
                          const struct config_key *key, void *out)
{
    static const struct config_key keys[] = {CONFIG_PORT_KEYS(0, "max_groups"),
                                             MAX_REPORTS_KEY(0),
                                             MTU_KEY(0),
                                             {.name = NULL}};
    struct config_port_settings *settings = out;

    return config_key_read_map(r, map, key->name, keys, settings,
                               &settings->said);
}

/* Vlan rules. */

static bool
read_vlan(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, int64_t min, uint16_t *vlan)
{
    const char *end = "";
    int64_t n = -1;
    bool ok = node->kind == CONFIG_NODE_SCALAR
              && config_key_digits(node->text, 4, &end, &n) && !*end
              && n >= min && n <= MAX_VLAN;

    *vlan = ok ? (uint16_t) n : 0;
    return ok
           || config_key_fail(r, node, "\"%s\" takes vlans from %d to %d",
                              key->name, (int) min, MAX_VLAN);
}

/* 'l2' may follow the ports: whether it allows rules is asked at the end. */
static void
found_rule(struct config_reading *r, const struct config_node *node)
{
    if (!r->vlan_rule) {
        r->vlan_rule = node;
    }
    r->config->has_vlan_rules = true;
}

static bool
read_access(struct config_reading *r, const struct config_node *node,
            const struct config_key *key, void *out)
{
    found_rule(r, node);
    return read_vlan(r, node, key, 1, out);
}

static int
compare_vlans(const void *a_, const void *b_)
{
    const uint16_t *a = a_, *b = b_;

    return (int) *a - (int) *b;
}

static bool
read_trunk_vlans(struct config_reading *r, const struct config_node *list,
                 const struct config_key *key, uint16_t *vlans)
{
    bool seen[MAX_VLAN + 1] = {false};

    for (size_t i = 0; i < list->n_children; i++) {
        const struct config_node *node = list->children[i];

        if (!read_vlan(r, node, key, 0, &vlans[i])) {
            return false;
        }
        if (seen[vlans[i]]) {
            return config_key_fail(r, node, "vlan %u is given twice",
                                   (unsigned int) vlans[i]);
        }
        seen[vlans[i]] = true;
    }
    qsort(vlans, list->n_children, sizeof *vlans, compare_vlans);
    return true;
}

static bool
read_trunk(struct config_reading *r, const struct config_node *list,
           const struct config_key *key, void *out)
{
    struct config_port_l2 *l2 = out;

    if (list->kind != CONFIG_NODE_LIST || list->n_children > MAX_VLAN + 1) {
        return config_key_fail(r, list, "\"%s\" must be a list of vlans",
                               key->name);
    }
    uint16_t *vlans = xcalloc(list->n_children + 1, sizeof *vlans);
    /* At once, so that it is freed whatever comes. */
    l2->trunk_vlans = vlans;
    l2->n_trunk_vlans = list->n_children;
    if (list->n_children) {
        found_rule(r, list);
    }
    return read_trunk_vlans(r, list, key, vlans);
}

#define PORT(MEMBER) offsetof(struct config_port, MEMBER)

static bool
read_port(struct config_reading *r, const struct config_node *map,
          struct config_port *port)
{
    static const char *const links[] = {"never", "auto", NULL};
    static const struct config_key keys[] = {
        {.name = "dpid", .read = config_key_dpid, .offset = PORT(dpid)},
        {.name = "port", .read = config_key_port, .offset = PORT(port)},
        {.name = "access_vlan",
         .read = read_access,
         .offset = PORT(l2.access_vlan)},
        {.name = "trunk_vlans", .read = read_trunk, .offset = PORT(l2)},
        {.name = "link",
         .read = config_key_choice,
         .offset = PORT(l2.may_link),
         .words = links},
        CONFIG_PORT_KEYS(PORT(settings), "max_groups"),
        MAX_REPORTS_KEY(PORT(settings)),
        MTU_KEY(PORT(settings)),
        {.name = NULL}};

    port->l2.may_link = true;
    if (!config_key_read_map(r, map, "a port", keys, port,
                             &port->settings.said)) {
        return false;
    }
    if (port->l2.access_vlan && port->l2.n_trunk_vlans) {
        return config_key_fail(r, map,
                               "a port has \"access_vlan\" or "
                               "\"trunk_vlans\", not both");
    }
    return (port->dpid && *port->port)
           || config_key_fail(r, map, "a port needs \"dpid\" and \"port\"");
}

static bool
read_ports(struct config_reading *r, const struct config_node *list,
           struct config_names **names)
{
    struct config *config = r->config;
    char name[DPID_STRLEN + 1 + TOPO_PORT_NAME_SIZE], dpid[DPID_STRLEN];

    for (size_t i = 0; i < list->n_children; i++) {
        const struct config_node *node = list->children[i];
        struct config_port *port = &config->ports[config->n_ports++];

        if (!read_port(r, node, port)) {
            return false;
        }
        snprintf(name, sizeof name, "%s %s", dpid_format(port->dpid, dpid),
                 port->port);
        if (!config_names_add(names, name)) {
            return config_key_fail(r, node,
                                   "port \"%.64s\" of switch %s is given "
                                   "twice",
                                   port->port, dpid);
        }
    }
    return true;
}

bool
config_port_read_list(struct config_reading *r, const struct config_node *list,
                      const struct config_key *key, void *out)
{
    struct config_names *names = NULL;

    (void) out;
    r->config->ports = config_key_list(r, list, key, sizeof *r->config->ports);
    bool ok = r->config->ports && read_ports(r, list, &names);
    config_names_clear(&names);
    return ok;
}

/* Using it. */
/* Takes over what 'from' says and nobody nearer has said. */
static void
take(struct config_port_settings *to, const struct config_port_settings *from)
{
#define MEMBER(BIT, NAME)                                                     \
    {                                                                         \
        BIT, offsetof(struct config_port_settings, NAME), sizeof to->NAME     \
    }
    static const struct {
        unsigned int said;
        size_t offset, size;
    } members[] = {
        MEMBER(CONFIG_SAID_ROLE, igmp.role),
        MEMBER(CONFIG_SAID_LEAVE, igmp.leave),
        MEMBER(CONFIG_SAID_DELIVERY, igmp.delivery),
        MEMBER(CONFIG_SAID_UNICAST_MAX, igmp.unicast_max),
        MEMBER(CONFIG_SAID_MAX_GROUPS, igmp.max_groups),
        MEMBER(CONFIG_SAID_MAX_HOSTS, igmp.max_hosts),
        MEMBER(CONFIG_SAID_MAX_REPORTS, max_reports),
        MEMBER(CONFIG_SAID_MTU, mtu),
        MEMBER(CONFIG_SAID_ACTION, igmp.replace),
        MEMBER(CONFIG_SAID_PERMIT, igmp.permit),
        MEMBER(CONFIG_SAID_PERMIT, igmp.n_permit),
        MEMBER(CONFIG_SAID_DENY, igmp.deny),
        MEMBER(CONFIG_SAID_DENY, igmp.n_deny),
    };
#undef MEMBER
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (from->said & ~to->said & members[i].said) {
            memcpy((char *) to + members[i].offset,
                   (const char *) from + members[i].offset, members[i].size);
        }
    }
    to->said |= from->said;
}

/* As topo_find_port() would find it: by name, or by number. */
static bool
is_port(const struct config_port *entry, uint64_t dpid,
        const struct topo_port *port, bool by_name)
{
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned int) port->no);
    return entry->dpid == dpid
           && !strcmp(entry->port, by_name ? port->name : number);
}

static const struct config_port *
find_port(const struct config *config, uint64_t dpid,
          const struct topo_port *port)
{
    for (int by_name = 1; port && by_name >= 0; by_name--) {
        for (size_t i = 0; i < config->n_ports; i++) {
            if (is_port(&config->ports[i], dpid, port, by_name)) {
                return &config->ports[i];
            }
        }
    }
    return NULL;
}

bool
config_port_check_l2(struct config_reading *r)
{
    return !r->vlan_rule || r->config->l2 == CONFIG_L2_FABRIC
           || config_key_fail(r, r->vlan_rule,
                              "\"access_vlan\" and \"trunk_vlans\" of a "
                              "port need \"l2: fabric\"");
}

struct config_port_l2
config_get_port_l2(const struct config *config, uint64_t dpid,
                   const struct topo_port *port)
{
    const struct config_port *own = find_port(config, dpid, port);

    return own ? own->l2 : (struct config_port_l2){.may_link = true};
}

struct config_port_settings
config_get_port(const struct config *config, uint64_t dpid,
                const struct topo_port *port, uint16_t vlan)
{
    /* What holds where nobody says anything. */
    static const struct config_port_settings builtin = {
        .igmp = {.leave = IGMP_LEAVE_QUERY,
                 .role = IGMP_ROLE_AUTO,
                 .delivery = IGMP_DELIVER_MULTICAST,
                 .unicast_max = 8,
                 .max_groups = 1024,
                 .max_hosts = 1024},
        .max_reports = 5000,
        .mtu = 1500,
        .said = ~0U};
    const struct config_port *own = find_port(config, dpid, port);
    struct config_port_settings settings = {.said = 0};

    if (own) {
        take(&settings, &own->settings);
    }
    if (config_get_tunnel(config, dpid, port)
        && !(settings.said & CONFIG_SAID_ROLE)) {
        /* Queries do not cross the core, and a peer that sends them all the
         * same must not get everything for it. */
        settings.igmp.role = IGMP_ROLE_HOST;
        settings.said |= CONFIG_SAID_ROLE;
    }
    take(&settings, &config_get_vlan(config, vlan)->ports);
    take(&settings, &config->vlan_default.ports);
    take(&settings, &config->port_defaults);
    take(&settings, &builtin);
    return settings;
}
