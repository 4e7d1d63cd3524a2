/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONFIG_READ_H
#define CONTROLLER_CONFIG_READ_H 1

/* From the tree of a YAML text to the settings: names, types, ranges, and what
 * must fit together. */

#include <stdbool.h>

#include "controller/config.h"

struct config_node;

/* Sets in 'config', which holds the defaults, what the tree says.  False with
 * 'error' if it makes no sense. */
bool config_read(const char *name, const struct config_node *,
                 struct config *config, char error[CONFIG_ERROR_SIZE]);

#endif
