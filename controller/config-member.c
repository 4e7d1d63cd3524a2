/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

#include <stdlib.h>
#include <string.h>

#include "controller/json.h"
#include "lib/xalloc.h"

/* "members": static members and router ports, as in member.h. */

static bool
read_name(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, void *out)
{
    if (node->kind != CONFIG_NODE_SCALAR || !json_is_name(node->text)) {
        return config_key_fail(r, node,
                               "\"%s\" must be 1 to 64 of A-Z, a-z, 0-9, "
                               "\".\", \"_\" and \"-\"",
                               key->name);
    }
    memcpy(out, node->text, strlen(node->text) + 1);
    return true;
}

static bool
read_vlan(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, void *out)
{
    int vlan;

    if (!config_key_int(r, node, key, &vlan)) {
        return false;
    }
    *(uint16_t *) out = (uint16_t) vlan;
    return true;
}

static bool
read_address(struct config_reading *r, const struct config_node *node,
             const struct config_key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR && ip_addr_parse(node->text, out))
           || config_key_fail(
               r, node, "\"%s\" must be an IPv4 or IPv6 address", key->name);
}

static bool
read_vtep(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, void *out)
{
    struct ip_addr address;

    return (node->kind == CONFIG_NODE_SCALAR
            && ip_addr_parse(node->text, &address)
            && ip_addr_to_vtep(&address, out))
           || config_key_fail(r, node,
                              "\"%s\" must be the IPv4 address of a host",
                              key->name);
}

static const char *const modes[] = {"include", "exclude", NULL};

static bool
read_sources(struct config_reading *r, const struct config_node *list,
             const struct config_key *key, void *member_)
{
    struct member *m = member_;

    if (list->kind != CONFIG_NODE_LIST
        || list->n_children > MEMBER_MAX_SOURCES) {
        return config_key_fail(r, list,
                               "\"%s\" must be a list of at most %d addresses",
                               key->name, MEMBER_MAX_SOURCES);
    }
    m->sources = xcalloc(list->n_children + 1, sizeof *m->sources);
    for (size_t i = 0; i < list->n_children; i++) {
        const struct config_node *node = list->children[i];

        if (!read_address(r, node, key, &m->sources[i])) {
            return false;
        }
        m->n_sources++;
    }
    return true;
}

/* What must be there, and what not together. */
static bool
check(struct config_reading *r, const struct config_node *node,
      struct member *m, bool has_mode)
{
    const char *field;

    if (!*m->name || !m->dpid || !*m->port) {
        return config_key_fail(
            r, node, "a member needs \"name\", \"dpid\" and \"port\"");
    }
    if (!has_mode) {
        m->exclude = !m->router && !m->n_sources; /* Every source. */
    }

    const char *problem = member_settle(m, &field);
    return !problem || config_key_fail(r, node, "%s", problem);
}

#define MEMBER(NAME) offsetof(struct member, NAME)

static bool
read_member(struct config_reading *r, const struct config_node *node,
            struct member *m)
{
    static const struct config_key keys[] = {
        {.name = "name", .read = read_name, .offset = MEMBER(name)},
        {.name = "vlan",
         .read = read_vlan,
         .offset = MEMBER(vlan),
         .max = 4094},
        {.name = "dpid", .read = config_key_dpid, .offset = MEMBER(dpid)},
        {.name = "port", .read = config_key_port, .offset = MEMBER(port)},
        {.name = "vtep", .read = read_vtep, .offset = MEMBER(vtep)},
        {.name = "router", .read = config_key_bool, .offset = MEMBER(router)},
        {.name = "group", .read = read_address, .offset = MEMBER(group)},
        {.name = "mode",
         .read = config_key_choice,
         .offset = MEMBER(exclude),
         .words = modes,
         .said = 1},
        {.name = "sources", .read = read_sources},
        {.name = NULL}};
    unsigned int has_mode = 0;

    return config_key_read_map(r, node, "a member", keys, m, &has_mode)
           && check(r, node, m, has_mode);
}

static bool
read_members(struct config_reading *r, const struct config_node *list,
             struct config_names **names)
{
    struct config *config = r->config;

    for (size_t i = 0; i < list->n_children; i++) {
        const struct config_node *node = list->children[i];
        struct member *m = &config->members[config->n_members++];

        if (!read_member(r, node, m)) {
            return false;
        }
        if (!config_names_add(names, m->name)) {
            return config_key_fail(r, node, "member \"%s\" is given twice",
                                   m->name);
        }
    }
    return true;
}

bool
config_member_read_list(struct config_reading *r,
                        const struct config_node *list,
                        const struct config_key *key, void *out)
{
    struct config_names *names = NULL;

    (void) out;
    r->config->members =
        config_key_list(r, list, key, sizeof *r->config->members);
    bool ok = r->config->members && read_members(r, list, &names);
    config_names_clear(&names);
    return ok;
}
