/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-read.h"

#include "controller/config-key.h"

/* Listeners. */
static bool
read_openflow_listen(struct config_reading *r, const struct config_node *node,
                     const struct config_key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR
            && config_listen_parse(node->text, true, out))
           || config_key_fail(r, node,
                              "\"%s\" must be \"tcp:IP:PORT\", such as "
                              "\"tcp:127.0.0.1:6653\"",
                              key->name);
}

static bool
read_api_listen(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR
            && config_listen_parse(node->text, false, out))
           || config_key_fail(
               r, node,
               "\"%s\" must be \"IP:PORT\", such as \"127.0.0.1:8080\"",
               key->name);
}

/* The whole. */
static const char *const l2_words[] = {"fabric", "normal", "none", NULL};

#define FABRIC(NAME, MIN)                                                     \
    {                                                                         \
        .name = #NAME, .read = config_key_seconds,                            \
        .offset = offsetof(struct config_fabric, NAME), .min = (MIN),         \
        .max = 3600000                                                        \
    }

static bool
read_fabric(struct config_reading *r, const struct config_node *node,
            const struct config_key *key, void *out)
{
    static const struct config_key keys[] = {
        FABRIC(probe_interval, 20),
        FABRIC(host_probe_interval, 100),
        FABRIC(echo_interval, 5),
        FABRIC(hold_time, 0),
        {.name = NULL},
    };

    return config_key_read_map(r, node, key->name, keys, out, NULL);
}

static bool
read_openflow(struct config_reading *r, const struct config_node *node,
              const struct config_key *key, void *out)
{
    static const struct config_key keys[] = {
        {.name = "listen",
         .read = read_openflow_listen,
         .offset = offsetof(struct config, openflow)},
        {.name = "probe_interval",
         .read = config_key_seconds,
         .offset = offsetof(struct config, probe_interval),
         .min = 100,
         .max = 3600000},
        {.name = NULL},
    };

    return config_key_read_map(r, node, key->name, keys, out, NULL);
}

static bool
read_api(struct config_reading *r, const struct config_node *node,
         const struct config_key *key, void *out)
{
    static const struct config_key keys[] = {
        {.name = "listen",
         .read = read_api_listen,
         .offset = offsetof(struct config, api)},
        {.name = NULL},
    };

    return config_key_read_map(r, node, key->name, keys, out, NULL);
}

bool
config_read(const char *name, const struct config_node *root,
            struct config *config, char error[CONFIG_ERROR_SIZE])
{
    static const struct config_key keys[] = {
        {.name = "openflow", .read = read_openflow},
        {.name = "api", .read = read_api},
        {.name = "state_dir",
         .read = config_key_path,
         .offset = offsetof(struct config, state_dir)},
        {.name = "l2",
         .read = config_key_enum,
         .offset = offsetof(struct config, l2),
         .words = l2_words},
        {.name = "fabric",
         .read = read_fabric,
         .offset = offsetof(struct config, fabric)},
        {.name = "vlans", .read = config_vlan_read},
        {.name = "port_defaults",
         .read = config_port_read_defaults,
         .offset = offsetof(struct config, port_defaults)},
        {.name = "ports", .read = config_port_read_list},
        {.name = "members", .read = config_member_read_list},
        {.name = "tunnels", .read = config_tunnel_read_list},
        {.name = "switch_defaults",
         .read = config_switch_read_defaults,
         .offset = offsetof(struct config, switch_defaults)},
        {.name = "switches", .read = config_switch_read_list},
        {.name = NULL},
    };
    struct config_reading r = {.name = name, .config = config, .error = error};

    return config_key_read_map(&r, root, "the configuration", keys, config,
                               NULL)
           && config_port_check_l2(&r) && config_tunnel_check_l2(&r);
}
