/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-key.h"

/* "switch_defaults" and "switches". */

const char *const CONFIG_DATAPATH_NAMES[] = {"netdev", "kernel", NULL};

#define SWITCH(MEMBER) offsetof(struct config_switch, MEMBER)
#define DATAPATH_KEY                                                          \
    {                                                                         \
        .name = "datapath", .read = config_key_enum,                          \
        .offset = SWITCH(datapath), .words = CONFIG_DATAPATH_NAMES, .said = 1 \
    }

bool
config_switch_read_defaults(struct config_reading *r,
                            const struct config_node *map,
                            const struct config_key *key, void *out)
{
    static const struct config_key keys[] = {DATAPATH_KEY, {.name = NULL}};

    return config_key_read_map(r, map, key->name, keys, out, NULL);
}

static const struct config_switch *
find(const struct config *config, uint64_t dpid)
{
    for (size_t i = 0; i < config->n_switches; i++) {
        if (config->switches[i].dpid == dpid) {
            return &config->switches[i];
        }
    }
    return NULL;
}

static bool
read_switch(struct config_reading *r, const struct config_node *map)
{
    static const struct config_key keys[] = {
        {.name = "dpid", .read = config_key_dpid, .offset = SWITCH(dpid)},
        DATAPATH_KEY,
        {.name = NULL}};
    struct config_switch sw = {.dpid = 0};

    if (!config_key_read_map(r, map, "a switch", keys, &sw, &sw.said)) {
        return false;
    } else if (!sw.dpid) {
        return config_key_fail(r, map, "a switch needs \"dpid\"");
    } else if (find(r->config, sw.dpid)) {
        char dpid[DPID_STRLEN];

        return config_key_fail(r, map, "switch %s is given twice",
                               dpid_format(sw.dpid, dpid));
    }
    r->config->switches[r->config->n_switches++] = sw;
    return true;
}

bool
config_switch_read_list(struct config_reading *r,
                        const struct config_node *list,
                        const struct config_key *key, void *out)
{
    struct config *config = r->config;

    (void) out;
    config->switches = config_key_list(r, list, key, sizeof *config->switches);
    for (size_t i = 0; config->switches && i < list->n_children; i++) {
        if (!read_switch(r, list->children[i])) {
            return false;
        }
    }
    return config->switches != NULL;
}

/* Using it. */

enum config_datapath
config_get_datapath(const struct config *config, uint64_t dpid)
{
    const struct config_switch *sw = find(config, dpid);

    return sw && sw->said ? sw->datapath : config->switch_defaults.datapath;
}
