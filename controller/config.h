/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONFIG_H
#define CONTROLLER_CONFIG_H 1

/* The YAML configuration (design.md section 8).
 *
 * Unknown keys, duplicate keys, wrong types and impossible values are errors
 * that name file, line and column.  What design.md lists but this version
 * cannot do yet is refused in so many words, never ignored: "l2: fabric" (so
 * "normal" is the default here), ways to leave other than "query", and all
 * settings of "ports".
 *
 * Ownership: a config is immutable after parsing; config_destroy(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"
#include "lib/mcaddr.h"

enum config_l2 { CONFIG_L2_NORMAL, CONFIG_L2_NONE };
enum config_unregistered {
    CONFIG_UNREGISTERED_MROUTERS,
    CONFIG_UNREGISTERED_FLOOD,
    CONFIG_UNREGISTERED_DROP
};

struct config_vlan {
    uint16_t vlan;
    struct igmp_config igmp; /* 'mac' is left zero here. */
    enum config_unregistered unregistered;
};

/* Host and port of a listener. */
struct config_listen {
    char host[64];
    uint16_t port;
};

struct config {
    struct config_listen openflow; /* tcp:127.0.0.1:6653 */
    int64_t probe_interval;        /* ms */
    struct config_listen api;      /* 127.0.0.1:8080 */
    char *state_dir;
    enum config_l2 l2;
    struct config_vlan vlan_default;
    struct config_vlan *vlans; /* Sorted; each complete (defaults merged). */
    size_t n_vlans;
    char
        *notice; /* What a person should know about the file; "" if nothing. */
};

enum { CONFIG_ERROR_SIZE = 320 };

struct config *config_default(void);
/* From 'text' ('name' is for messages) or from a file.  NULL with 'error'
 * "file:line:column: what" if refused. */
struct config *config_parse(const char *name, const char *text, size_t size,
                            char error[CONFIG_ERROR_SIZE]);
struct config *config_load(const char *file, char error[CONFIG_ERROR_SIZE]);
void config_destroy(struct config *);
/* The settings of 'vlan': its own or the defaults. */
const struct config_vlan *config_get_vlan(const struct config *,
                                          uint16_t vlan);
/* "tcp:IP:PORT" ('scheme' true) or "IP:PORT". */
bool config_listen_parse(const char *, bool scheme, struct config_listen *);

#endif
