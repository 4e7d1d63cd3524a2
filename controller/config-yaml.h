/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONFIG_YAML_H
#define CONTROLLER_CONFIG_YAML_H 1

/* A YAML text as a tree that knows where everything stands.
 *
 * Only what a configuration needs is read: one document of maps, lists and
 * scalars in UTF-8.  Anchors, aliases and tags are refused (an alias is how
 * ten lines become ten gigabytes), as are keys that are no scalars.  Duplicate
 * keys are the reader's business.
 *
 * Limits: the enum below. */

#include <stdbool.h>
#include <stddef.h>

#include "controller/config.h"

enum {
    CONFIG_YAML_MAX_SIZE = 1 << 20,
    CONFIG_YAML_MAX_DEPTH = 8,
    CONFIG_YAML_MAX_NODES = 200000
};

enum config_node_kind {
    CONFIG_NODE_SCALAR,
    CONFIG_NODE_MAP, /* Children: key, value, key, value... */
    CONFIG_NODE_LIST
};

struct config_node {
    enum config_node_kind kind;
    bool quoted; /* A scalar in quotes: a string whatever it looks like. */
    int line, column;
    char *text;
    struct config_node **children;
    size_t n_children, allocated;
};

/* NULL with 'error' if refused; an empty text is an empty map. */
struct config_node *config_yaml_parse(const char *name, const char *text,
                                      size_t size,
                                      char error[CONFIG_ERROR_SIZE]);
void config_node_destroy(struct config_node *); /* NULL is fine. */

/* "NAME:LINE:COLUMN: ..." into 'error'. */
void config_yaml_fail(char error[CONFIG_ERROR_SIZE], const char *name,
                      int line, int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
