/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lib/xalloc.h"

/* Errors. */
bool
config_key_fail(struct config_reading *r, const struct config_node *node,
                const char *format, ...)
{
    char what[CONFIG_ERROR_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    config_yaml_fail(r->error, r->name, node->line, node->column, "%s", what);
    return false;
}

/* The key that 'text' is most likely meant to be, NULL if none is near: the
 * one with the longest common beginning and end. */
static const char *
nearest_key(const char *text, const struct config_key keys[])
{
    const char *best = NULL;
    size_t best_n = 2, size = strlen(text);

    for (; keys->name; keys++) {
        size_t n = 0, tail = 0, key_size = strlen(keys->name);

        while (n < size && n < key_size && text[n] == keys->name[n]) {
            n++;
        }
        while (tail < size - n && tail < key_size - n
               && text[size - 1 - tail] == keys->name[key_size - 1 - tail]) {
            tail++;
        }
        if (n + tail > best_n) {
            best_n = n + tail;
            best = keys->name;
        }
    }
    return best;
}

static bool
fail_unknown(struct config_reading *r, const struct config_node *node,
             const struct config_key keys[])
{
    const char *near = nearest_key(node->text, keys);
    char list[200] = "";
    size_t at = 0;

    for (; !near && keys->name && at < sizeof list; keys++) {
        at += snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "",
                       keys->name);
    }
    return near ? config_key_fail(r, node,
                                  "unknown key \"%.64s\"; is \"%s\" meant?",
                                  node->text, near)
                : config_key_fail(
                    r, node, "unknown key \"%.64s\"; known here: %s%s",
                    node->text, list, at < sizeof list ? "" : "...");
}

/* Maps. */
bool
config_key_is_null(const struct config_node *node)
{
    return node->kind == CONFIG_NODE_SCALAR && !node->quoted
           && (!*node->text || !strcmp(node->text, "~")
               || !strcmp(node->text, "null"));
}

void *
config_key_list(struct config_reading *r, const struct config_node *list,
                const struct config_key *key, size_t size)
{
    if (list->kind != CONFIG_NODE_LIST && !config_key_is_null(list)) {
        config_key_fail(r, list, "\"%s\" must be a list", key->name);
        return NULL;
    }
    return xcalloc(list->n_children + 1, size);
}

static const struct config_key *
find_key(const struct config_key keys[], const char *name)
{
    for (; keys->name; keys++) {
        if (!strcmp(keys->name, name)) {
            return keys;
        }
    }
    return NULL;
}

bool
config_key_read_map(struct config_reading *r, const struct config_node *map,
                    const char *what, const struct config_key keys[],
                    void *out, unsigned int *said)
{
    uint64_t seen = 0;

    if (config_key_is_null(map)) {
        return true;
    }
    if (map->kind != CONFIG_NODE_MAP) {
        return config_key_fail(r, map, "%s must be a map of keys and values",
                               what);
    }
    for (size_t i = 0; i < map->n_children; i += 2) {
        const struct config_node *name = map->children[i];
        const struct config_key *key = find_key(keys, name->text);

        if (!key) {
            return fail_unknown(r, name, keys);
        }

        uint64_t bit = 1ULL << (key - keys);
        if (seen & bit) {
            return config_key_fail(r, name, "\"%s\" is given twice",
                                   key->name);
        }
        seen |= bit;
        if (!key->read(r, map->children[i + 1], key,
                       (char *) out + key->offset)) {
            return false;
        }
        if (said) {
            *said |= key->said;
        }
    }
    return true;
}

/* Scalars. */
bool
config_key_is_word(const struct config_node *node, const char *word)
{
    return node->kind == CONFIG_NODE_SCALAR && !strcmp(node->text, word);
}

static bool
is_number(const struct config_node *node)
{
    return node->kind == CONFIG_NODE_SCALAR && !node->quoted;
}

bool
config_key_digits(const char *s, size_t max_digits, const char **end,
                  int64_t *out)
{
    size_t n = strspn(s, "0123456789");

    if (!n || n > max_digits || (n > 1 && *s == '0')) {
        return false;
    }
    *out = strtoll(s, NULL, 10);
    *end = s + n;
    return true;
}

bool
config_key_bool(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    bool yes = config_key_is_word(node, "true"),
         no = config_key_is_word(node, "false");

    if ((!yes && !no) || node->quoted) {
        return config_key_fail(r, node, "\"%s\" must be true or false",
                               key->name);
    }
    *(bool *) out = yes;
    return true;
}

static bool
read_number(struct config_reading *r, const struct config_node *node,
            const struct config_key *key, int64_t *value)
{
    const char *end;

    return (is_number(node) && config_key_digits(node->text, 9, &end, value)
            && !*end && *value >= key->min && *value <= key->max)
           || config_key_fail(
               r, node, "\"%s\" must be a whole number from %lld to %lld",
               key->name, (long long) key->min, (long long) key->max);
}

bool
config_key_int(struct config_reading *r, const struct config_node *node,
               const struct config_key *key, void *out)
{
    int64_t value;

    if (!read_number(r, node, key, &value)) {
        return false;
    }
    *(int *) out = (int) value;
    return true;
}

bool
config_key_size(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    int64_t value;

    if (!read_number(r, node, key, &value)) {
        return false;
    }
    *(size_t *) out = (size_t) value;
    return true;
}

/* "125", "0.5": seconds, in milliseconds. */
static bool
parse_seconds(const char *s, int64_t *ms)
{
    if (!config_key_digits(s, 9, &s, ms)) {
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

bool
config_key_seconds(struct config_reading *r, const struct config_node *node,
                   const struct config_key *key, void *out)
{
    int64_t ms;

    if (!is_number(node) || !parse_seconds(node->text, &ms) || ms < key->min
        || ms > key->max) {
        return config_key_fail(r, node, "\"%s\" must be %g to %g seconds",
                               key->name, key->min / 1000.0,
                               key->max / 1000.0);
    }
    *(int64_t *) out = ms;
    return true;
}

/* "a, b or c" */
static void
format_words(const char *const *words, char *out, size_t room)
{
    size_t at = 0;

    for (size_t i = 0; words[i] && at < room; i++) {
        const char *between = !i ? "" : words[i + 1] ? ", " : " or ";

        at += snprintf(out + at, room - at, "%s%s", between, words[i]);
    }
}

static bool
read_word(struct config_reading *r, const struct config_node *node,
          const struct config_key *key, unsigned int *i)
{
    char list[100];

    for (*i = 0; key->words[*i]; (*i)++) {
        if (config_key_is_word(node, key->words[*i])) {
            return true;
        }
    }
    format_words(key->words, list, sizeof list);
    return config_key_fail(r, node, "\"%s\" must be %s", key->name, list);
}

bool
config_key_enum(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    unsigned int i;

    if (!read_word(r, node, key, &i)) {
        return false;
    }
    *(unsigned int *) out = i; /* Any enum of ours. */
    return true;
}

bool
config_key_choice(struct config_reading *r, const struct config_node *node,
                  const struct config_key *key, void *out)
{
    unsigned int i;

    if (!read_word(r, node, key, &i)) {
        return false;
    }
    *(bool *) out = i > 0;
    return true;
}

bool
config_key_path(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    if (node->kind != CONFIG_NODE_SCALAR || config_key_is_null(node)
        || !*node->text || strlen(node->text) > 1024) {
        return config_key_fail(r, node, "\"%s\" must be a path", key->name);
    }
    free(*(char **) out);
    *(char **) out = xstrdup(node->text);
    return true;
}

bool
config_key_dpid(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    return (node->kind == CONFIG_NODE_SCALAR && dpid_parse(node->text, out))
           || config_key_fail(r, node,
                              "\"%s\" must be a switch's datapath id, such as "
                              "1, 0x1 or \"0000000000000001\"",
                              key->name);
}

bool
config_key_port(struct config_reading *r, const struct config_node *node,
                const struct config_key *key, void *out)
{
    size_t size = node->kind == CONFIG_NODE_SCALAR ? strlen(node->text) : 0;

    if (!size || size >= TOPO_PORT_NAME_SIZE || config_key_is_null(node)) {
        return config_key_fail(
            r, node, "\"%s\" must be a port's name or number", key->name);
    }
    memcpy(out, node->text, size + 1);
    return true;
}

/* Names. */
struct config_names {
    UT_hash_handle hh;
    char name[];
};

bool
config_names_add(struct config_names **names, const char *name)
{
    size_t size = strlen(name) + 1;
    struct config_names *node;

    HASH_FIND_STR(*names, name, node);
    if (node) {
        return false;
    }
    node = xcalloc(1, sizeof *node + size);
    memcpy(node->name, name, size);
    HASH_ADD_STR(*names, name, node);
    return true;
}

void
config_names_clear(struct config_names **names)
{
    struct config_names *node, *tmp;

    HASH_ITER (hh, *names, node, tmp) {
        HASH_DELETE(hh, *names, node);
        free(node);
    }
}
