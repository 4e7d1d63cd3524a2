/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONFIG_H
#define CONTROLLER_CONFIG_H 1

/* The YAML configuration (design.md section 8).
 *
 * Unknown keys, duplicate keys, wrong types and impossible values are errors
 * that name file, line and column.  What has no effect with the other settings
 * is refused in so many words, never ignored: a port's access_vlan and
 * trunk_vlans need "l2: fabric".
 *
 * Ownership: a config is immutable after parsing; config_destroy(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/member.h"
#include "igmp/igmp-snoop.h"
#include "lib/mcaddr.h"
#include "topo/topo-graph.h"

enum config_l2 { CONFIG_L2_FABRIC, CONFIG_L2_NORMAL, CONFIG_L2_NONE };
enum config_unregistered {
    CONFIG_UNREGISTERED_MROUTERS,
    CONFIG_UNREGISTERED_FLOOD,
    CONFIG_UNREGISTERED_DROP
};

/* What a port may be told, under port_defaults, a vlan or a port: the nearest
 * that says something counts, member by member. */
struct config_port_settings {
    struct igmp_port_config igmp; /* 'permit' and 'deny' are owned here. */
    int mtu;           /* Of what is behind it: bytes of an IP packet. */
    int max_reports;   /* IGMP and MLD messages a second, over all vlans; 0: no
                        * limit. */
    unsigned int said; /* Which members were given: bits of config-key.h. */
};

struct config_vlan {
    uint16_t vlan;
    /* By family; 'mac' is left zero here. */
    struct igmp_config igmp[IGMP_N_FAMILIES];
    bool address_auto; /* The IPv4 querier's address is looked for. */
    bool mld;          /* False: IPv6 multicast is flooded, nobody is asked. */
    enum config_unregistered unregistered;
    struct config_port_settings ports; /* Of its ports: see config_get_port(),
                                        * here the defaults are not merged. */
};

/* Vlans of a port as a whole, and whether it may lead to a switch of ours
 * (l2: fabric).  Neither vlan rule: all tags pass as they are. */
struct config_port_l2 {
    uint16_t access_vlan;        /* 0: none. */
    const uint16_t *trunk_vlans; /* Sorted; 0 is "without a tag". */
    size_t n_trunk_vlans;
    bool may_link;
};

struct config_port {
    uint64_t dpid;
    char port[TOPO_PORT_NAME_SIZE]; /* A name, or a number. */
    struct config_port_settings settings;
    struct config_port_l2 l2; /* 'trunk_vlans' are owned here. */
};

/* What forwards: Open vSwitch's own (userspace) datapath, or the Linux
 * kernel's.  The one damages fragments whose addresses it rewrites, the other
 * does not: see doc/fragments.md. */
enum config_datapath { CONFIG_DATAPATH_NETDEV, CONFIG_DATAPATH_KERNEL };

extern const char *const CONFIG_DATAPATH_NAMES[]; /* By it; NULL behind. */

struct config_switch {
    uint64_t dpid;
    enum config_datapath datapath;
    unsigned int said; /* Was that given? */
};

/* How links are looked for and trees are kept; milliseconds. */
struct config_fabric {
    int64_t probe_interval;      /* Of links... */
    int64_t host_probe_interval; /* ...and of ports to hosts. */
    int64_t echo_interval;       /* Of switches that are away. */
    int64_t hold_time; /* Quiet before trees move to what is best now. */
};

/* A port whose packets travel to other hosts' tunnel ends (VXLAN,
 * options:remote_ip=flow, options:key=flow): see doc/tunnels.md. */
struct config_vni {
    uint32_t vni;
    uint16_t vlan; /* Of this switch; 0: untagged. */
};

struct config_tunnel {
    uint64_t dpid;
    char port[TOPO_PORT_NAME_SIZE]; /* A name, or a number. */
    struct config_vni *vnis; /* Sorted by VNI; each vlan once.  Owned here. */
    size_t n_vnis;
    uint32_t *peers; /* Ends that are always there, sorted.  Owned here. */
    size_t n_peers;
    uint32_t local;   /* Our own end, 0: not said. */
    bool learn;       /* Others that report become peers... */
    size_t max_peers; /* ...but not more than so many at a time. */
    bool querier;     /* Are peers asked for members? */
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
    struct config_fabric fabric;
    bool has_vlan_rules; /* Some port has. */
    struct config_vlan vlan_default;
    struct config_vlan *vlans; /* Sorted; each complete (defaults merged). */
    size_t n_vlans;
    struct config_port_settings port_defaults;
    struct config_port *ports;
    size_t n_ports;
    struct config_tunnel *tunnels;
    size_t n_tunnels;
    struct config_switch switch_defaults; /* Without a dpid. */
    struct config_switch *switches;
    size_t n_switches;
    struct member *members; /* Static members and router ports. */
    size_t n_members;
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
/* What holds for a port in a vlan, merged member by member: the port's own
 * settings, else its vlan's, else those of vlans.default, else port_defaults,
 * else what is built in.  'permit' and 'deny' live as long as 'config'.  A
 * NULL port is one that has no settings of its own. */
struct config_port_settings config_get_port(const struct config *,
                                            uint64_t dpid,
                                            const struct topo_port *,
                                            uint16_t vlan);
/* Lives as long as 'config'. */
struct config_port_l2 config_get_port_l2(const struct config *, uint64_t dpid,
                                         const struct topo_port *);
/* What is said of the switch, or of all. */
enum config_datapath config_get_datapath(const struct config *, uint64_t dpid);
/* NULL if the port is none. */
const struct config_tunnel *config_get_tunnel(const struct config *,
                                              uint64_t dpid,
                                              const struct topo_port *);
/* The VNI that carries 'vlan', false if none does. */
bool config_tunnel_vni(const struct config_tunnel *, uint16_t vlan,
                       uint32_t *vni);
bool config_tunnel_has_peer(const struct config_tunnel *, uint32_t vtep);
/* "tcp:IP:PORT" ('scheme' true) or "IP:PORT". */
bool config_listen_parse(const char *, bool scheme, struct config_listen *);

#endif
