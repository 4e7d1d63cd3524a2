/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config-yaml.h"
#include "lib/xalloc.h"

/* RFC 3376 4.1.1 and 4.1.7: the largest values that the fields of a query can
 * say, 31744 tenths and 31744 seconds, and that an IGMPv2 query can. */
enum {
    MAX_RESPONSE = 3174400,
    MAX_INTERVAL = 31744000,
    MAX_V2_RESPONSE = 25500
};

struct reading {
    const char *name; /* Of the file. */
    struct config *config;
    char *error;
};

/* A known key: how its value is read, and where it goes in the struct of its
 * map. */
struct key {
    const char *name;
    bool (*read)(struct reading *, const struct config_node *,
                 const struct key *, void *out);
    size_t offset;
    int64_t min, max;
};

/* Errors. */
/* Always returns false, so that callers can "return fail(...)". */
static bool __attribute__((format(printf, 3, 4)))
fail(struct reading *r, const struct config_node *node, const char *format,
     ...)
{
    char what[CONFIG_ERROR_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    config_yaml_fail(r->error, r->name, node->line, node->column, "%s", what);
    return false;
}

static bool
fail_unknown(struct reading *r, const struct config_node *node,
             const struct key keys[])
{
    char list[200];
    size_t at = 0;

    for (; keys->name && at < sizeof list; keys++) {
        at += snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "",
                       keys->name);
    }
    return fail(r, node, "unknown key \"%.64s\"; known here: %s", node->text,
                list);
}

/* Maps. */
/* "key:" with nothing behind it, as when all below is commented out. */
static bool
is_null(const struct config_node *node)
{
    return node->kind == CONFIG_NODE_SCALAR && !node->quoted
           && (!*node->text || !strcmp(node->text, "~")
               || !strcmp(node->text, "null"));
}

static const struct key *
find_key(const struct key keys[], const char *name)
{
    for (; keys->name; keys++) {
        if (!strcmp(keys->name, name)) {
            return keys;
        }
    }
    return NULL;
}

/* Reads 'map' into the struct at 'out'. */
static bool
read_map(struct reading *r, const struct config_node *map, const char *what,
         const struct key keys[], void *out)
{
    uint64_t seen = 0;

    if (is_null(map)) {
        return true;
    }
    if (map->kind != CONFIG_NODE_MAP) {
        return fail(r, map, "%s must be a map of keys and values", what);
    }
    for (size_t i = 0; i < map->n_children; i += 2) {
        const struct config_node *name = map->children[i];
        const struct key *key = find_key(keys, name->text);

        if (!key) {
            return fail_unknown(r, name, keys);
        }

        uint64_t bit = 1ULL << (key - keys);
        if (seen & bit) {
            return fail(r, name, "\"%s\" is given twice", key->name);
        }
        seen |= bit;
        if (!key->read(r, map->children[i + 1], key,
                       (char *) out + key->offset)) {
            return false;
        }
    }
    return true;
}

/* Scalars. */
static bool
is_word(const struct config_node *node, const char *word)
{
    return node->kind == CONFIG_NODE_SCALAR && !strcmp(node->text, word);
}

static bool
is_number(const struct config_node *node)
{
    return node->kind == CONFIG_NODE_SCALAR && !node->quoted;
}

/* [0-9]+ with at most 'max_digits', without leading zeros. */
static bool
parse_digits(const char *s, size_t max_digits, const char **end, int64_t *out)
{
    size_t n = strspn(s, "0123456789");

    if (!n || n > max_digits || (n > 1 && *s == '0')) {
        return false;
    }
    *out = strtoll(s, NULL, 10);
    *end = s + n;
    return true;
}

static bool
read_bool(struct reading *r, const struct config_node *node,
          const struct key *key, void *out)
{
    bool yes = is_word(node, "true"), no = is_word(node, "false");

    if ((!yes && !no) || node->quoted) {
        return fail(r, node, "\"%s\" must be true or false", key->name);
    }
    *(bool *) out = yes;
    return true;
}

static bool
read_int(struct reading *r, const struct config_node *node,
         const struct key *key, void *out)
{
    const char *end;
    int64_t value;

    if (!is_number(node) || !parse_digits(node->text, 9, &end, &value) || *end
        || value < key->min || value > key->max) {
        return fail(r, node, "\"%s\" must be a whole number from %lld to %lld",
                    key->name, (long long) key->min, (long long) key->max);
    }
    *(int *) out = value;
    return true;
}

/* "125", "0.5": seconds, in milliseconds. */
static bool
parse_seconds(const char *s, int64_t *ms)
{
    if (!parse_digits(s, 9, &s, ms)) {
        return false;
    }
    *ms *= 1000;
    if (*s == '.') {
        size_t n = strspn(++s, "0123456789");

        if (!n) {
            return false;
        }
        for (size_t i = 0, unit = 100; i < n; i++, unit /= 10) {
            *ms += unit * (s[i] - '0');
        }
        s += n;
    }
    return !*s;
}

static bool
read_seconds(struct reading *r, const struct config_node *node,
             const struct key *key, void *out)
{
    int64_t ms;

    if (!is_number(node) || !parse_seconds(node->text, &ms) || ms < key->min
        || ms > key->max) {
        return fail(r, node, "\"%s\" must be %g to %g seconds", key->name,
                    key->min / 1000.0, key->max / 1000.0);
    }
    *(int64_t *) out = ms;
    return true;
}

static bool
read_path(struct reading *r, const struct config_node *node,
          const struct key *key, void *out)
{
    if (node->kind != CONFIG_NODE_SCALAR || is_null(node) || !*node->text
        || strlen(node->text) > 1024) {
        return fail(r, node, "\"%s\" must be a path", key->name);
    }
    free(*(char **) out);
    *(char **) out = xstrdup(node->text);
    return true;
}

static bool
read_openflow_listen(struct reading *r, const struct config_node *node,
                     const struct key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR
            && config_listen_parse(node->text, true, out))
           || fail(r, node,
                   "\"%s\" must be \"tcp:IP:PORT\", such as "
                   "\"tcp:127.0.0.1:6653\"",
                   key->name);
}

static bool
read_api_listen(struct reading *r, const struct config_node *node,
                const struct key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR
            && config_listen_parse(node->text, false, out))
           || fail(r, node,
                   "\"%s\" must be \"IP:PORT\", such as \"127.0.0.1:8080\"",
                   key->name);
}

static bool
read_later(struct reading *r, const struct config_node *node,
           const struct key *key, void *out)
{
    (void) out;
    return fail(r, node, "\"%s\" is not in this version", key->name);
}

/* vlans: */
static bool
read_querier_address(struct reading *r, const struct config_node *node,
                     const struct key *key, void *out)
{
    struct ip_addr address;

    if (is_word(node, "auto")) {
        *(struct ip_addr *) out = IP_ADDR_ANY;
        return true;
    }
    if (node->kind != CONFIG_NODE_SCALAR
        || !ip_addr_parse(node->text, &address) || !ip_addr_is_v4(&address)
        || ip_addr_to_v4(&address) >= 0xe0000000
        || ip_addr_to_v4(&address) >> 24 == 127) {
        return fail(r, node,
                    "\"%s\" must be \"auto\" or a host's IPv4 address",
                    key->name);
    }
    *(struct ip_addr *) out = ip_addr_to_v4(&address) ? address : IP_ADDR_ANY;
    return true;
}

static bool
read_leave(struct reading *r, const struct config_node *node,
           const struct key *key, void *out)
{
    (void) out;
    if (is_word(node, "query")) {
        return true;
    }
    if (is_word(node, "tracked") || is_word(node, "immediate")) {
        return fail(r, node, "%s: %s is not in this version; use query",
                    key->name, node->text);
    }
    return fail(r, node, "\"%s\" must be query", key->name);
}

static bool
read_unregistered(struct reading *r, const struct config_node *node,
                  const struct key *key, void *out)
{
    enum config_unregistered *policy = out;

    if (is_word(node, "mrouters")) {
        *policy = CONFIG_UNREGISTERED_MROUTERS;
    } else if (is_word(node, "flood")) {
        *policy = CONFIG_UNREGISTERED_FLOOD;
    } else if (is_word(node, "drop")) {
        *policy = CONFIG_UNREGISTERED_DROP;
    } else {
        return fail(r, node, "\"%s\" must be mrouters, flood or drop",
                    key->name);
    }
    return true;
}

/* What each value alone may be, but not together. */
static bool
check_vlan(struct reading *r, const struct config_node *node,
           const struct config_vlan *vlan)
{
    const struct igmp_config *igmp = &vlan->igmp[IGMP_IPV4];

    if (igmp->query_response_interval >= igmp->query_interval) {
        return fail(r, node,
                    "query_response_interval (%g s) must be below "
                    "query_interval (%g s)",
                    igmp->query_response_interval / 1000.0,
                    igmp->query_interval / 1000.0);
    }
    if (igmp->version == 2
        && (igmp->query_response_interval > MAX_V2_RESPONSE
            || igmp->last_member_interval > MAX_V2_RESPONSE)) {
        return fail(r, node,
                    "with igmp_version 2, query_response_interval and "
                    "last_member_interval are at most %g seconds",
                    MAX_V2_RESPONSE / 1000.0);
    }
    return true;
}

#define IGMP(MEMBER) offsetof(struct config_vlan, igmp[IGMP_IPV4].MEMBER)

static bool
read_vlan(struct reading *r, const struct config_node *node,
          struct config_vlan *vlan)
{
    static const struct key keys[] = {
        {"querier", read_bool, IGMP(querier), 0, 0},
        {"querier_address", read_querier_address, IGMP(address), 0, 0},
        {"igmp_version", read_int, IGMP(version), 1, 3},
        {"query_interval", read_seconds, IGMP(query_interval), 100,
         MAX_INTERVAL},
        {"query_response_interval", read_seconds,
         IGMP(query_response_interval), 100, MAX_RESPONSE},
        {"robustness", read_int, IGMP(robustness), 1, 7},
        {"last_member_interval", read_seconds, IGMP(last_member_interval), 100,
         MAX_RESPONSE},
        {"last_member_count", read_int, IGMP(last_member_count), 1, 20},
        {"leave", read_leave, 0, 0, 0},
        {"unregistered", read_unregistered,
         offsetof(struct config_vlan, unregistered), 0, 0},
        {NULL, NULL, 0, 0, 0},
    };

    return read_map(r, node, "a vlan", keys, vlan)
           && check_vlan(r, node, vlan);
}

/* "default" comes first wherever it stands: the others build on it. */
static bool
read_default_vlan(struct reading *r, const struct config_node *map)
{
    const struct config_node *seen = NULL;

    for (size_t i = 0; i < map->n_children; i += 2) {
        if (is_word(map->children[i], "default")) {
            if (seen) {
                return fail(r, map->children[i], "\"default\" is given twice");
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
read_numbered_vlan(struct reading *r, const struct config_node *name,
                   const struct config_node *value, bool seen[4095])
{
    struct config *config = r->config;
    struct config_vlan *vlan = &config->vlans[config->n_vlans];
    const char *end;
    int64_t number;

    if (!parse_digits(name->text, 4, &end, &number) || *end || number > 4094) {
        return fail(r, name,
                    "\"%.64s\" is no vlan: use default, \"0\" (untagged) or "
                    "\"1\" to \"4094\"",
                    name->text);
    }
    if (seen[number]) {
        return fail(r, name, "vlan %d is given twice", (int) number);
    }
    seen[number] = true;
    *vlan = config->vlan_default;
    vlan->vlan = number;
    config->n_vlans++;
    return read_vlan(r, value, vlan);
}

static bool
read_vlans(struct reading *r, const struct config_node *map,
           const struct key *key, void *out)
{
    bool seen[4095] = {false};
    struct config *config = r->config;

    (void) out;
    if (is_null(map)) {
        return true;
    }
    if (map->kind != CONFIG_NODE_MAP) {
        return fail(r, map, "\"%s\" must be a map of vlans", key->name);
    }
    if (!read_default_vlan(r, map)) {
        return false;
    }
    config->vlans = xcalloc(map->n_children / 2 + 1, sizeof *config->vlans);
    for (size_t i = 0; i < map->n_children; i += 2) {
        const struct config_node *name = map->children[i];

        if (!is_word(name, "default")
            && !read_numbered_vlan(r, name, map->children[i + 1], seen)) {
            return false;
        }
    }
    qsort(config->vlans, config->n_vlans, sizeof *config->vlans,
          compare_vlans);
    return true;
}

/* ports: nothing of it is in this version, but it is known. */
static bool
read_any(struct reading *r, const struct config_node *node,
         const struct key *key, void *out)
{
    (void) out;
    return node->kind == CONFIG_NODE_SCALAR
           || fail(r, node, "\"%s\" must be a single value", key->name);
}

static bool
read_ports(struct reading *r, const struct config_node *list,
           const struct key *key, void *out)
{
    static const struct key keys[] = {
        {"dpid", read_any, 0, 0, 0},
        {"port", read_any, 0, 0, 0},
        {"role", read_later, 0, 0, 0},
        {"access_vlan", read_later, 0, 0, 0},
        {"trunk_vlans", read_later, 0, 0, 0},
        {"leave", read_later, 0, 0, 0},
        {"delivery", read_later, 0, 0, 0},
        {"max_groups", read_later, 0, 0, 0},
        {"permit", read_later, 0, 0, 0},
        {"deny", read_later, 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };

    if (is_null(list)) {
        return true;
    }
    if (list->kind != CONFIG_NODE_LIST) {
        return fail(r, list, "\"%s\" must be a list", key->name);
    }
    for (size_t i = 0; i < list->n_children; i++) {
        if (!read_map(r, list->children[i], "a port", keys, out)) {
            return false;
        }
    }
    return true;
}

/* The whole. */
static bool
read_l2(struct reading *r, const struct config_node *node,
        const struct key *key, void *out)
{
    enum config_l2 *l2 = out;

    if (is_word(node, "normal")) {
        *l2 = CONFIG_L2_NORMAL;
    } else if (is_word(node, "none")) {
        *l2 = CONFIG_L2_NONE;
    } else if (is_word(node, "fabric")) {
        return fail(r, node,
                    "%s: fabric is not in this version; use normal "
                    "or none",
                    key->name);
    } else {
        return fail(r, node, "\"%s\" must be normal or none", key->name);
    }
    return true;
}

static bool
read_openflow(struct reading *r, const struct config_node *node,
              const struct key *key, void *out)
{
    static const struct key keys[] = {
        {"listen", read_openflow_listen, offsetof(struct config, openflow), 0,
         0},
        {"probe_interval", read_seconds,
         offsetof(struct config, probe_interval), 100, 3600000},
        {NULL, NULL, 0, 0, 0},
    };

    return read_map(r, node, key->name, keys, out);
}

static bool
read_api(struct reading *r, const struct config_node *node,
         const struct key *key, void *out)
{
    static const struct key keys[] = {
        {"listen", read_api_listen, offsetof(struct config, api), 0, 0},
        {NULL, NULL, 0, 0, 0},
    };

    return read_map(r, node, key->name, keys, out);
}

bool
config_read(const char *name, const struct config_node *root,
            struct config *config, char error[CONFIG_ERROR_SIZE])
{
    static const struct key keys[] = {
        {"openflow", read_openflow, 0, 0, 0},
        {"api", read_api, 0, 0, 0},
        {"state_dir", read_path, offsetof(struct config, state_dir), 0, 0},
        {"l2", read_l2, offsetof(struct config, l2), 0, 0},
        {"vlans", read_vlans, 0, 0, 0},
        {"ports", read_ports, 0, 0, 0},
        {NULL, NULL, 0, 0, 0},
    };
    struct reading r = {.name = name, .config = config, .error = error};

    return read_map(&r, root, "the configuration", keys, config);
}
