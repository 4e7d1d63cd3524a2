/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FABRIC_H
#define CONTROLLER_FABRIC_H 1

/* Many switches as one network (l2: fabric): see doc/fabric.md.
 *
 *   fabric.c   ports' roles and links <-> switches; the topology's turn
 *   trees.c    trees in use, and who of the spreads moves
 *   spread.c   spans of channels, floods and ways: what a switch's hops are
 *   drain.c    waiting between "take away" and "add"
 *   hosts.c    who is where
 *   l2.c       ways to hosts, floods
 *
 * Like ctl-private.h for controller/ alone.  All of it is there only where
 * ctl->fabric is not NULL. */

#include "controller/ctl-private.h"
#include "controller/hops.h"
#include "topo/topo-links.h"
#include "topo/topo-net.h"
#include "topo/topo-roots.h"
#include "topo/topo-tree.h"

/* Trees. */

struct tree_key {
    uint64_t root; /* dpid */
    uint32_t salt;
    uint32_t avoid; /* 1: does not grow to switches that are away. */
};

struct fabric_tree {
    UT_hash_handle hh;               /* In fabric->trees, by key... */
    struct fabric_tree *prev, *next; /* ...and in fabric->all_trees. */
    struct tree_key key;
    bool retired; /* Not in fabric->trees: there is a better one. */
    struct topo_tree *topo;
    size_t n_uses; /* By spreads. */
    /* While the topology's turn lasts: which nodes have moved, by number. */
    uint8_t *moved;
};

struct tree_set {
    struct fabric_tree **trees; /* One for each part of the net with ends. */
    size_t n;
};

/* Spreads. */

enum spread_kind {
    SPREAD_CHANNEL, /* (vlan, group) */
    SPREAD_ROUTERS, /* Unregistered groups of a vlan; name: the family. */
    SPREAD_FLOOD,   /* Broadcast, of all vlans. */
    SPREAD_HOST,    /* To one host; name: its MAC address. */
    SPREAD_FAR      /* A route to other switches; name: its label. */
};

struct spread_key {
    struct ip_addr name;
    uint16_t vlan;
    uint16_t kind;
};

/* A switch where packets of the spread enter or are wanted. */
struct spread_end {
    uint32_t node;
    bool receiver;
    bool restored; /* Found on the switch: perhaps there is a source. */
    bool fresh;    /* A source that has just been seen... */
    bool late;     /* ...and is to wait until the others are there. */
    uint32_t n_sources;
};

struct spread_entry {
    struct ip_addr source; /* IP_ADDR_ANY: (*,G), the first. */
    struct hop_set hops;   /* Where they shall go. */
};

struct spread_move; /* See spread-move.c. */

struct spread {
    UT_hash_handle hh; /* In fabric->spreads, by key. */
    struct ctl *ctl;
    struct spread_key key;
    struct spread_end *ends; /* Sorted by node. */
    size_t n_ends, allocated_ends;
    struct tree_set trees;
    uint32_t *on; /* Nodes that have an entry, sorted. */
    size_t n_on;
    struct spread_entry *entries; /* Sorted by source. */
    size_t n_entries;
    uint64_t shown_roots; /* A sum over what cookies of its flows tell. */
    /* What switches may hold.  While 'draining', what they are told is no more
     * than both this and the entries say. */
    struct hop_set installed;
    uint32_t n_registered; /* Routes that lead to the channel. */
    bool pruned;           /* As of the last refresh: not everybody gets it. */
    bool draining;
    bool restored;            /* As found on the switches. */
    struct spread_move *move; /* To another tree; NULL: it does not. */
    uint32_t root_mark;       /* Of its root, found on a switch; 0: none. */
    bool avoid;               /* Its trees go round switches that are away. */
    bool frozen;              /* Somebody who is away has a part in it. */
    bool waits;               /* For switches to confirm... */
    struct drain *drain; /* ...with these; NULL: from the turn's end on. */
    struct spread *next_of_drain; /* In drain->spreads. */
    struct spread *next_dirty;    /* In fabric->dirty_spreads. */
    bool dirty;                   /* Something, ... */
    bool dirty_all;               /* ...more than these nodes. */
    uint32_t *touched;
    size_t n_touched, allocated_touched;
};

/* Switches that have to confirm before spreads go on. */
struct drain {
    struct ctl *ctl;
    uint64_t number;
    int64_t began;
    struct drain *prev, *next; /* In fabric->drains. */
    struct drain_wait {
        uint64_t dpid;
        uint64_t seqno;
    } * waits;
    size_t n_waits;
    bool confirmed; /* All have. */
    struct spread *spreads;
    struct loop_timer timer; /* Datapaths follow a moment later. */
};

/* A link that is up, but over which its ends may still send as to hosts:
 * neither takes what comes before both have confirmed that this is over. */
struct new_link {
    struct new_link *next; /* In fabric->new_links. */
    struct port_id ends[2];
    uint64_t seqnos[2]; /* Of their tables; 0: to be set. */
    int64_t open_at;    /* 0: somebody has not confirmed. */
};

/* A port that gets copies. */
typedef void spread_port_cb(void *aux, uint32_t port);

/* A link that has gone, but that may come back before its switches know that
 * it is not to be used. */
struct ghost_link {
    struct topo_span_hop a, b;
    /* The number of the drain that makes sure of it; UINT64_MAX: trees do not
     * know yet that it has gone. */
    uint64_t until;
};

/* Hosts. */

enum { HOST_MAX_IPS = 8 };

struct host_key {
    struct mac_addr mac;
    uint16_t vlan;
};

struct host {
    UT_hash_handle hh;    /* In fabric->hosts, by key. */
    UT_hash_handle hh_id; /* In fabric->hosts_by_id. */
    uint32_t id;          /* In the cookies of its flows: 24 bits. */
    struct host_key key;
    struct port_id port;
    struct ip_addr ips[HOST_MAX_IPS];
    size_t n_ips;
    int64_t heard;
    int64_t moved;        /* Last time... */
    unsigned int n_moves; /* ...and how often in a short while. */
    struct host *next_there, *prev_there; /* In fabric_port->hosts. */
};

/* A port, as far as the fabric is concerned. */
struct fabric_port {
    UT_hash_handle hh; /* In fabric->ports, by id. */
    struct port_id id;
    enum topo_role before; /* Found on the switch: after a restart. */
    bool edge;             /* Its role; counted in switch->n_edges. */
    bool open;             /* As a link: what comes in is let in. */
    uint16_t *admitted;    /* Vlans of its flows in TABLE_ADMIT. */
    size_t n_admitted, allocated_admitted;
    struct host *hosts;
    size_t n_hosts;
};

struct fabric {
    struct ctl *ctl;
    struct topo_links *links;
    struct topo_net *net;
    struct topo_roots *roots; /* NULL until the first are computed. */
    struct loop_timer links_timer;
    struct loop_timer shrink_timer,
        grow_timer;                 /* Additions wait for others... */
    struct loop_timer hold_timer;   /* ...moves for a quiet time... */
    struct loop_timer settle_timer; /* ...and trees for their links. */
    struct loop_timer forget_timer; /* Sources have been found again. */
    struct fabric_port *ports;
    struct host *hosts, *hosts_by_id;
    uint32_t last_host;
    uint64_t generation;
    uint8_t key[32];   /* Of probes. */
    bool floods_dirty; /* Some switch's flood is. */

    bool shrunk, grown; /* The net has, since trees were last mended. */
    int64_t shrink_at;  /* When losses have waited for each other. */
    int64_t grow_by;    /* When additions have waited long enough. */
    bool settled;       /* Nothing found on switches waits for links. */
    int64_t settle_by;
    uint64_t *part_names; /* By node: the least dpid of its part. */
    uint32_t n_part_names;

    struct fabric_tree *trees, *all_trees;
    struct spread *spreads;
    struct spread *dirty_spreads;
    struct spread *moving; /* Those that rebalancing has still to look at. */
    struct drain *drains;
    uint64_t last_drain;
    struct ghost_link *ghosts;
    size_t n_ghosts, allocated_ghosts;
    struct spread *to_drain; /* For the next of them. */
    struct new_link *new_links;
    struct loop_timer open_timer;
    struct topo_span_scratch scratch;
    size_t n_draining, n_moving, n_frozen, n_to_move;

    int64_t flood_tokens_at; /* Of floods by packet-out. */
    unsigned int flood_tokens;
};

/* fabric.c */
struct ctl_switch *fabric_switch(const struct fabric *, uint32_t node);
/* TOPO_NO_NODE: it is not there yet. */
uint32_t fabric_node(const struct fabric *, uint64_t dpid);
struct fabric_port *fabric_port_get(struct fabric *, const struct port_id *);
/* How many ports of the node lead to hosts. */
uint32_t fabric_n_edges(const struct fabric *, uint32_t node);
/* The other end of a hop's link, be it there or a ghost. */
hop_peer_cb fabric_hop_peer;
/* Is what the switch holds out of our reach? */
bool fabric_is_away(const struct fabric *, uint32_t node);

/* trees.c */
/* The net has changed: mends trees, marks the spreads that move. */
void trees_run(struct fabric *);
/* Which trees a spread's ends get: those that it has as far as it has any;
 * those that go round switches that are away; those that are best now. */
enum tree_choice { TREES_KEPT, TREES_ROUND, TREES_BEST };
void trees_choose(struct tree_set *, const struct spread *, enum tree_choice);
/* Do these go round switches that are away? */
bool trees_avoid(const struct spread *, enum tree_choice);
struct tree_set trees_clone(const struct tree_set *);
void trees_release(struct tree_set *, struct fabric *);
/* Three bytes that tell the root of the spread's tree at a switch: they stand
 * in cookies, for a restarted daemon.  0: there is no tree. */
uint32_t tree_mark(const struct spread *, uint32_t node);
/* Hold time is over: moves what would be better elsewhere, one by one.  True:
 * there is more to do. */
bool trees_rebalance(struct fabric *);
void trees_destroy(struct fabric *);

/* Anything that may have made the net another, or a better one: moves are put
 * off. */
void fabric_changed(struct fabric *);
/* What was added is used soon, what is gone is mended nearly at once. */
void fabric_grow(struct fabric *);
void fabric_shrink(struct fabric *);

/* fabric-links.c; of a struct fabric. */
extern const struct topo_links_ops fabric_links_ops;
void fabric_new_links_uninit(struct fabric *);
/* At the turn's end. */
void fabric_new_links_run(struct fabric *);
/* Does it take part in the net? */
bool fabric_link_is_open(struct fabric *, const struct port_id *a,
                         const struct port_id *b);

/* spread-ends.c */
/* Looks again who wants it, as far as something may have changed.  True if an
 * end has. */
bool spread_refresh(struct spread *, const struct ctl_vlan *);
/* The switches that get 'source' of a channel, some more than once; the caller
 * frees them. */
size_t spread_find_receivers(const struct spread *, const struct ctl_vlan *,
                             const struct ip_addr *source, uint32_t **nodes);
/* The sources that have entries of their own; likewise. */
size_t spread_find_sources(const struct spread *, const struct ctl_vlan *,
                           struct ip_addr **sources);

/* spread-move.c */
/* Moves a channel to the trees that are best now, without loss.  False: it
 * cannot at the moment. */
bool spread_move_begin(struct spread *);
void spread_move_next(struct spread *); /* All have confirmed. */
/* The net has changed: it goes on if none of its links or switches is gone. */
void spread_move_review(struct spread *);
void spread_move_abort(struct spread *);
bool spread_moves(const struct spread *, uint32_t node, enum move_way);
/* Sets what the switches of the new tree have in 'parts', by node. */
void spread_move_add_nodes(const struct spread *, uint8_t *parts);
void spread_move_each_port(const struct spread *, uint32_t node,
                           const struct ip_addr *source, spread_port_cb *,
                           void *aux);

/* spread-plan.c */
/* What is wanted, as planned: it may be asked for before it is told. */
struct spread_plan {
    struct spread *s;
    const struct ctl_vlan *vlan;
    enum tree_choice choice;
    bool avoid;
    struct tree_set trees;
    uint32_t *ends; /* All; the nodes of spread->ends. */
    size_t n_ends;
    uint32_t *on;
    size_t n_on;
    struct spread_entry *entries;
    size_t n_entries;
};

/* Applies the plan without loss, if that can be. */
void spread_move_apply(struct spread_plan *);
void spread_plan_make(struct spread_plan *, struct spread *, enum tree_choice);
/* The spread's trees are those of the plan from now on. */
void spread_plan_take_trees(struct spread_plan *);
void spread_plan_uninit(struct spread_plan *);
/* Could packets neither go round nor come twice while some switches have the
 * plan and others have not? */
bool spread_plan_is_mixable(const struct spread_plan *);
/* The plan is what is wanted from now on; its contents are taken over.
 * 'at_once': no packet meets what there was before, so nothing need be taken
 * away first. */
void spread_plan_apply(struct spread_plan *, bool at_once);
/* Is there a link for each hop? */
bool spread_is_whole(const struct spread *, const struct hop_set *);
/* What the switch, these switches, those that have hops of one set but not of
 * the other hold of the spread is to be compiled: spread-mark.c. */
void spread_mark_node(const struct spread *, uint32_t node);
void spread_mark_nodes(const struct spread *, const uint32_t *nodes, size_t n);
void spread_mark_difference(const struct spread *, const struct hop_set *,
                            const struct hop_set *);
void spreads_compile(struct fabric *);
/* All have confirmed: what is not desired any more is off. */
void spread_confirmed(struct spread *);

/* spread.c */
struct spread *spread_lookup(const struct fabric *, const struct spread_key *);
struct spread *spread_get(struct fabric *, const struct spread_key *);
struct spread_key spread_key_of_channel(uint16_t vlan, const struct ip_addr *);
void spread_forget_restored(struct spread *);
void spread_mark(struct spread *);
void spread_touch(struct spread *, uint32_t node); /* That end. */
struct spread_end *spread_end_lookup(const struct spread *, uint32_t node);
struct spread_end *spread_end_get(struct spread *, uint32_t node);
void spread_destroy(struct spread *);
/* Links that get copies at the switch, of 'source' (IP_ADDR_ANY: of one that
 * has no entry). */
void spread_each_port(const struct spread *, uint32_t node,
                      const struct ip_addr *source, spread_port_cb *,
                      void *aux);
bool spread_is_on(const struct spread *, uint32_t node);
/* As a switch was found to hold it. */
void spread_adopt(struct spread *, uint32_t node, const struct ip_addr *source,
                  const uint32_t *ports, size_t n_ports);
struct spread_entry *spread_entries_get(struct spread_entry **, size_t *n,
                                        const struct ip_addr *source);
void spread_entries_free(struct spread_entry *, size_t n);
/* Adds the hops of all entries; of those the ones that switches shall hold
 * now. */
void spread_target(const struct spread *, struct hop_set *);
void spread_emitted(const struct spread *, struct hop_set *);

/* drain.c */
/* How long the datapaths of switches follow their tables. */
int64_t drain_datapath_ms(const struct ctl *);
/* What trees have just been told goes with the next drain. */
void drain_follows(struct fabric *);
void drain_begin(struct fabric *); /* At the end of a turn. */
void drain_want(struct spread *);  /* It waits for the next one. */
void drain_forget(struct spread *);
void drains_settled(struct fabric *, const struct ctl_switch *);
/* Nobody waits for a switch that nothing leads to any more. */
void drains_review(struct fabric *);
void drains_destroy(struct fabric *);

/* hosts.c */
struct host *host_lookup(const struct fabric *, uint16_t vlan,
                         const struct mac_addr *);
struct host *host_of_id(const struct fabric *, uint32_t id);
/* From a frame that came in at 'port'. */
void hosts_learn(struct fabric *, const struct port_id *, const uint8_t *frame,
                 size_t size);
void host_is_idle(struct fabric *, const struct ctl_switch *, uint32_t id);
/* It was there before a restart. */
void host_adopt(struct fabric *, const struct host_key *,
                const struct port_id *, uint32_t id);
void hosts_port_down(struct fabric *, const struct port_id *);
void hosts_destroy(struct fabric *);

/* l2.c */
/* What the spread's hops at the switch are has changed. */
void l2_set_flood(struct ctl_switch *);
void l2_set_host(struct ctl_switch *, const struct host *);
void l2_host_heard(struct fabric *, struct host *);
void l2_host_moved(struct fabric *, struct host *, const struct port_id *old);
void l2_host_gone(struct fabric *, const struct host *);

#endif
