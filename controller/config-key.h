/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONFIG_KEY_H
#define CONTROLLER_CONFIG_KEY_H 1

/* Maps of known keys and the values behind them: what the files that read the
 * configuration share.
 *
 *   config-read.c    the whole
 *   config-vlan.c    "vlans"
 *   config-port.c    "port_defaults", "ports", and what a port is told
 *   config-member.c  "members"
 *   config-tunnel.c  "tunnels"
 *   config-switch.c  "switch_defaults", "switches"
 *
 * Every reader returns false after config_key_fail(), which names the place.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config-yaml.h"
#include "controller/config.h"

struct config_reading {
    const char *name; /* Of the file. */
    struct config *config;
    char *error;
    /* The first vlan rule of a port, NULL if there is none. */
    const struct config_node *vlan_rule;
    const struct config_node *tunnels; /* NULL if there are none. */
};

/* A known key: how its value is read, and where it goes in the struct of its
 * map. */
struct config_key {
    const char *name;
    bool (*read)(struct config_reading *, const struct config_node *,
                 const struct config_key *, void *out);
    size_t offset;
    int64_t min, max;         /* Of a number. */
    const char *const *words; /* Of an enum, in its order, NULL at the end. */
    unsigned int said;        /* See struct config_port_settings. */
};

/* Always returns false, so that callers can "return config_key_fail(...)". */
bool config_key_fail(struct config_reading *, const struct config_node *,
                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads 'map', called 'what', into the struct at 'out'.  Adds the 'said' of
 * the keys that are there to '*said' if it is not NULL. */
bool config_key_read_map(struct config_reading *, const struct config_node *,
                         const char *what, const struct config_key keys[],
                         void *out, unsigned int *said);
/* "key:" with nothing behind it, as when all below is commented out. */
bool config_key_is_null(const struct config_node *);
bool config_key_is_word(const struct config_node *, const char *word);
/* [0-9]+ with at most 'max_digits', without leading zeros. */
bool config_key_digits(const char *s, size_t max_digits, const char **end,
                       int64_t *out);

/* Values. */
typedef bool config_key_reader(struct config_reading *,
                               const struct config_node *,
                               const struct config_key *, void *out);
config_key_reader config_key_bool, config_key_seconds, config_key_path;
config_key_reader config_key_int;    /* Into an int. */
config_key_reader config_key_size;   /* Into a size_t. */
config_key_reader config_key_enum;   /* Into an enum, one of 'words'. */
config_key_reader config_key_choice; /* Into a bool: the second of 'words'. */
config_key_reader config_key_dpid;   /* Into a uint64_t. */
config_key_reader config_key_port;   /* A port's name or number, into a
                                    * char[TOPO_PORT_NAME_SIZE]. */

/* Room for the entries of a list, 'size' bytes each, and one more: all zero,
 * the caller's to free.  No value is an empty list.  NULL if it is none. */
void *config_key_list(struct config_reading *, const struct config_node *list,
                      const struct config_key *, size_t size);

/* Names that may be there once. */
struct config_names;
/* False if 'name' was added before. */
bool config_names_add(struct config_names **, const char *name);
void config_names_clear(struct config_names **);

/* config-vlan.c */
config_key_reader config_vlan_read;
/* config-port.c */
config_key_reader config_port_read_defaults, config_port_read_list;
config_key_reader config_port_read_prefixes;
void config_port_settings_uninit(struct config_port_settings *);
/* Vlan rules take effect with l2: fabric only. */
bool config_port_check_l2(struct config_reading *);
/* config-member.c */
config_key_reader config_member_read_list;
/* config-tunnel.c */
config_key_reader config_tunnel_read_list;
bool config_tunnel_check_l2(struct config_reading *);
void config_tunnel_uninit(struct config_tunnel *);
/* config-switch.c */
config_key_reader config_switch_read_defaults, config_switch_read_list;

extern const char *const config_roles[], *const config_leaves[],
                                             *const config_deliveries[],
                                                 *const config_actions[];

/* Which members of struct config_port_settings were given. */
enum {
    CONFIG_SAID_ROLE = 1 << 0,
    CONFIG_SAID_LEAVE = 1 << 1,
    CONFIG_SAID_DELIVERY = 1 << 2,
    CONFIG_SAID_UNICAST_MAX = 1 << 3,
    CONFIG_SAID_MAX_GROUPS = 1 << 4,
    CONFIG_SAID_MAX_HOSTS = 1 << 5,
    CONFIG_SAID_MAX_REPORTS = 1 << 6,
    CONFIG_SAID_ACTION = 1 << 7,
    CONFIG_SAID_PERMIT = 1 << 8,
    CONFIG_SAID_DENY = 1 << 9,
    CONFIG_SAID_MTU = 1 << 10
};

/* The keys of a struct config_port_settings that stands at 'BASE' of its
 * map's struct; a vlan has another name for the ports' 'max_groups', as it has
 * such a limit itself. */
#define CONFIG_PORT_IGMP(BASE, MEMBER)                                        \
    ((BASE) + offsetof(struct config_port_settings, igmp.MEMBER))
#define CONFIG_PORT_KEYS(BASE, MAX_GROUPS)                                    \
    {.name = "role",                                                          \
     .read = config_key_enum,                                                 \
     .offset = CONFIG_PORT_IGMP(BASE, role),                                  \
     .words = config_roles,                                                   \
     .said = CONFIG_SAID_ROLE},                                               \
        {.name = "leave",                                                     \
         .read = config_key_enum,                                             \
         .offset = CONFIG_PORT_IGMP(BASE, leave),                             \
         .words = config_leaves,                                              \
         .said = CONFIG_SAID_LEAVE},                                          \
        {.name = "delivery",                                                  \
         .read = config_key_enum,                                             \
         .offset = CONFIG_PORT_IGMP(BASE, delivery),                          \
         .words = config_deliveries,                                          \
         .said = CONFIG_SAID_DELIVERY},                                       \
        {.name = "unicast_max",                                               \
         .read = config_key_size,                                             \
         .offset = CONFIG_PORT_IGMP(BASE, unicast_max),                       \
         .min = 1,                                                            \
         .max = IGMP_MAX_HOSTS,                                               \
         .said = CONFIG_SAID_UNICAST_MAX},                                    \
        {.name = MAX_GROUPS,                                                  \
         .read = config_key_size,                                             \
         .offset = CONFIG_PORT_IGMP(BASE, max_groups),                        \
         .max = IGMP_MAX_GROUPS,                                              \
         .said = CONFIG_SAID_MAX_GROUPS},                                     \
        {.name = "max_hosts",                                                 \
         .read = config_key_size,                                             \
         .offset = CONFIG_PORT_IGMP(BASE, max_hosts),                         \
         .max = IGMP_MAX_GROUPS,                                              \
         .said = CONFIG_SAID_MAX_HOSTS},                                      \
        {.name = "limit_action",                                              \
         .read = config_key_choice,                                           \
         .offset = CONFIG_PORT_IGMP(BASE, replace),                           \
         .words = config_actions,                                             \
         .said = CONFIG_SAID_ACTION},                                         \
        {.name = "permit",                                                    \
         .read = config_port_read_prefixes,                                   \
         .offset = (BASE),                                                    \
         .said = CONFIG_SAID_PERMIT},                                         \
    {                                                                         \
        .name = "deny", .read = config_port_read_prefixes, .offset = (BASE),  \
        .said = CONFIG_SAID_DENY                                              \
    }

#endif
