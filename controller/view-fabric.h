/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_VIEW_FABRIC_H
#define CONTROLLER_VIEW_FABRIC_H 1

/* Reading what the fabric is: links, and the tree of a channel.  As in view.h:
 * nothing is changed, views live until the callback returns, callbacks return
 * false to stop.  With l2 other than fabric there is nothing to be seen. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

struct ctl;

struct view_link {
    struct port_id a, b; /* In order of (dpid, port). */
    const char *a_name, *b_name;
    int64_t up_ms;      /* For so long. */
    unsigned int flaps; /* How often it went down lately. */
    size_t n_channels;  /* Whose trees run over it. */
};

typedef bool view_link_cb(void *aux, const struct view_link *);
/* In order of their lower ends. */
void view_links(struct ctl *, view_link_cb *, void *aux);

struct view_fabric {
    bool on;      /* l2: fabric */
    bool settled; /* No restored tree waits for links to be found again. */
    bool at_rest; /* Nothing is to change any more, as things are. */
    size_t n_links;
    size_t n_parts;      /* Connected parts. */
    size_t n_trees;      /* In use. */
    size_t n_draining;   /* Channels between "take away" and "add". */
    size_t n_moving;     /* Channels on their way to another tree. */
    size_t n_to_move;    /* Channels that wait for rebalancing. */
    size_t n_hosts;      /* Known at any switch. */
    uint64_t generation; /* Grows with every change of the topology. */
};

void view_fabric(struct ctl *, struct view_fabric *);

struct view_fabric_switch {
    uint64_t dpid;
    bool connected, synced; /* As in view_switch. */
    size_t n_hosts;         /* Known at its ports. */
};

typedef bool view_fabric_switch_cb(void *aux,
                                   const struct view_fabric_switch *);
/* In order of their dpids. */
void view_fabric_switches(struct ctl *, view_fabric_switch_cb *, void *aux);

/* Where trees may have their roots, and how many of the channels have theirs
 * there. */
struct view_root {
    uint64_t dpid;
    size_t part; /* Connected part. */
    size_t n_channels;
};

typedef bool view_root_cb(void *aux, const struct view_root *);
void view_roots(struct ctl *, view_root_cb *, void *aux);

/* One switch on the tree of a channel. */
struct view_tree_port {
    uint32_t port;
    const char *name;
    bool link;           /* Towards another switch of the tree... */
    struct port_id peer; /* ...this one. */
    const char *peer_name;
};

struct view_tree_switch {
    uint64_t dpid;
    uint32_t depth;  /* From the root; the root of a tree that does not reach
                     * up to it is above. */
    uint64_t parent; /* dpid; 0: none on this tree. */
    bool has_members, has_sources;
    bool connected;
    uint64_t packets, bytes; /* That met the channel's entry there. */
    const struct view_tree_port *ports; /* That get copies, sorted. */
    size_t n_ports;
};

struct view_tree {
    uint16_t vlan;
    struct ip_addr group;
    uint64_t root;     /* Of the part with most switches; 0: none. */
    const char *state; /* "stable", "draining", "restored" */
    const struct view_tree_switch *switches; /* Sorted by depth, dpid. */
    size_t n_switches;
};

typedef void view_tree_cb(void *aux, const struct view_tree *);
/* False: there is no such channel. */
bool view_tree(struct ctl *, uint16_t vlan, const struct ip_addr *group,
               view_tree_cb *, void *aux);

#endif
