/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CTL_PRIVATE_H
#define CONTROLLER_CTL_PRIVATE_H 1

/* What the controller's own files share; nobody else includes it.
 *
 *   ctl.c        life, the turn, events
 *   switches.c   connections <-> switches <-> their tables
 *   vlans.c      packet-ins <-> membership machines
 *   addresses.c  the querier's address, looked for among hosts
 *   relay.c      passing on what was punted
 *   guards.c     what a port may send, and telling what was refused
 *   pipeline.c   the fixed flows of a switch
 *   admit.c      those of its first table
 *   fabric.c     many switches as one network: see fabric.h
 *   edges.c      frames out of ports to hosts
 *   channels.c   membership -> (S,G) and (*,G) entries
 *   channel-move.c  the same while a channel moves to another tree
 *   copies.c     membership -> copies of one channel
 *   restore.c    entries found on a switch -> membership
 *   routes.c     routes -> entries
 *   statics.c    the user's flows and groups
 *   members.c    static members and static router ports
 *   rules.c      named rules: store and states
 *   writes.c     REST writes: waiting for switches, putting back
 *   streams.c    sources seen
 *
 * A change marks what it touches dirty (channel_mark(), rule_mark()) and wants
 * a turn; ctl.c's turn compiles what is dirty and runs the tables. */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>
#include <utlist.h>

#include "controller/conn.h"
#include "controller/ctl.h"
#include "controller/guards.h"
#include "controller/loop.h"
#include "controller/store.h"
#include "igmp/igmp-snoop.h"
#include "lib/hash-table.h"
#include "ofp/ofp-table.h"
#include "topo/topo-graph.h"
#include "topo/topo-links.h"

/* The pipeline: design.md section 4. */
enum {
    TABLE_STATIC = 0,
    TABLE_ADMIT = 10,
    TABLE_PUNT = 20,
    TABLE_GUARD = 21,      /* What is for us, by port... */
    TABLE_GUARD_PASS = 22, /* ...and what others get too. */
    TABLE_ROUTE = 30,
    TABLE_SOURCE = 35, /* Sources not known yet (l2: fabric). */
    TABLE_MCAST = 40,
    TABLE_L2 = 50,
    TABLE_L2_OUT = 51 /* Where frames to hosts go (l2: fabric). */
};

/* Where a frame came in, as metadata (l2: fabric). */
enum { FROM_EDGE = 0, FROM_LINK = 1, FROM_UNKNOWN = 2 };

/* Priorities in TABLE_MCAST. */
enum {
    PRIO_MISS = 0,      /* Vlans without a policy of their own. */
    PRIO_MISS_IPV6 = 1, /* IPv6, where that is different. */
    PRIO_MISS_VLAN = 2, /* One vlan's policy for unregistered groups. */
    PRIO_TRANSIT = 4, /* What came by a link is no new source, but goes the */
    PRIO_TRANSIT_IPV6 = 5, /* same ways. */
    PRIO_TRANSIT_VLAN = 6,
    PRIO_SOURCE = 10, /* The same for one known source, without a punt. */
    PRIO_STAR_G = 100,
    PRIO_S_G = 200,
    PRIO_MOVE = 200 /* On top of these: on the way to another tree. */
};

enum {
    ETH_TYPE_IPV4 = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_VLAN = 0x8100, /* 802.1Q */
    ETH_TYPE_IPV6 = 0x86dd
};

/* Meters. */
enum {
    METER_IGMP = 0x4d01,
    METER_SOURCES = 0x4d02,
    METER_ARP = 0x4d03,
    METER_HOSTS = 0x4d04,
    METER_WAYS = 0x4d05,
    METER_PORT = 0x10000 /* + port number: that port's IGMP and MLD. */
};

/* After a restart, what a switch forwards is left alone for so long before
 * sources that are not known any more are searched for. */
enum { RESTORE_QUIET_MS = 10000 };

/* Cookies: OFP_COOKIE | kind << 24 | id. */
enum cookie_kind {
    COOKIE_PIPELINE = 1,
    COOKIE_IGMP = 2,
    COOKIE_MISS = 3,
    COOKIE_SOURCE = 4, /* id: stream.id */
    COOKIE_CHANNEL = 5,
    COOKIE_ROUTE = 6, /* id: rule.cookie_id */
    COOKIE_ARP = 7,   /* ARP: a copy for us, to learn addresses from. */
    COOKIE_PORT = 8,  /* id: the port's role. */
    COOKIE_LEARN = 9, /* A channel's sources are not known. */
    COOKIE_FLOOD = 10,
    COOKIE_HOST_IN = 11, /* id: host.id */
    COOKIE_HOST_OUT = 12,
    COOKIE_MOVE = 13 /* See channel-move.c. */
};

static inline uint64_t
cookie_make(enum cookie_kind kind, uint32_t id)
{
    return OFP_COOKIE | (uint64_t) kind << 24 | (id & 0xffffff);
}

static inline enum cookie_kind
cookie_kind(uint64_t cookie)
{
    return (cookie & OFP_COOKIE_MASK) == OFP_COOKIE
               ? (enum cookie_kind)(cookie >> 24 & 0xff)
               : 0;
}

struct ctl_switch {
    UT_hash_handle hh; /* In ctl->switches, by dpid. */
    struct ctl *ctl;
    uint64_t dpid;
    struct conn *conn; /* NULL while it is away. */
    struct ofp_features features;
    int64_t since; /* Of being connected, or away. */
    struct ofp_table *table;
    struct loop_timer timer, poll_timer;
    bool run_wanted;
    bool known;             /* Has been synced since this daemon started. */
    bool statics_unsettled; /* Some group is not confirmed, or not gone. */
    uint64_t seqno_before;  /* Of the table, before a write: see writes.c. */
    struct ctl_switch *next_run; /* In ctl->run_list. */
    struct adopted_entry *adopted;
    size_t n_adopted, allocated_adopted;
    struct hash_table channels; /* Of struct channel_state, by 'key'. */
    struct streams *streams;
    uint32_t n_edges;     /* Ports that lead to hosts (l2: fabric). */
    bool flood_dirty;     /* What floods leave by is to be compiled. */
    uint8_t *flood_vlans; /* Which vlans have a flood of their own. */
};

/* An entry found on the switch, until it is restored. */
enum adopted_kind {
    ADOPTED_LEARN, /* A channel's sources are searched for. */
    ADOPTED_MOVE,  /* It was on its way to another tree. */
    ADOPTED_CHANNEL,
    ADOPTED_ROUTERS, /* Of a vlan; the group: any of the family. */
    ADOPTED_FLOOD
};

struct adopted_entry {
    enum adopted_kind kind;
    struct channel channel;
    struct ofp_copy *copies; /* Sorted by port, then host. */
    size_t n_copies;
    bool punts;    /* Its source was not known. */
    uint32_t mark; /* Of its tree's root. */
};

struct ctl_vlan {
    UT_hash_handle hh; /* In ctl->vlans, by vlan. */
    struct ctl *ctl;
    uint16_t vlan;
    const struct config_vlan *config;
    struct vlan_family {
        struct ctl_vlan *vlan;
        struct igmp_snoop *snoop;
    } families[IGMP_N_FAMILIES]; /* By enum igmp_family. */
    struct loop_timer timer;
    struct igmp_address *address; /* NULL unless it is looked for. */
    /* MLD was switched on: IPv6 is flooded until hosts have answered; 0: they
     * have. */
    int64_t mld_from;
    /* What ports were told, by port_id: they live as long as the vlan, as its
     * machines refer to them. */
    struct vlan_port *ports;
};

/* The machines of one family; of the one that an address is of. */
static inline struct igmp_snoop *
vlan_snoop(const struct ctl_vlan *v, enum igmp_family family)
{
    return v->families[family].snoop;
}

static inline struct igmp_snoop *
vlan_snoop_of(const struct ctl_vlan *v, const struct ip_addr *group)
{
    return vlan_snoop(v, ip_addr_is_v4(group) ? IGMP_IPV4 : IGMP_IPV6);
}

/* One (vlan, group) on one switch: the key has no padding. */
struct channel_key {
    struct ip_addr group;
    uint16_t vlan;
};

/* A source that some port's filter names, so that it has an (S,G) entry. */
struct channel_source {
    struct ip_addr address;
    bool learning; /* Its entry punts, until a packet has come. */
};

/* There are as many as groups on a switch: ordered so as not to waste room. */
struct channel_state {
    struct hash_node node; /* In sw->channels.  It is the first member. */
    struct ctl_switch *sw;
    struct channel_key key;
    bool dirty;
    bool star;             /* The (*,G) entry is set in the table. */
    bool moving;           /* So are those of channel-move.c. */
    uint32_t last_packets; /* Of its flows, at the last count (modulo). */
    struct channel_state *next_dirty;
    unsigned int n_registered : 24; /* Routes that lead here. */
    bool learning;                  /* Punting until its source is known. */
    uint32_t n_sources;
    struct channel_source *sources; /* (S,G) entries set in the table. */
    int64_t quiet_until; /* Restored: do not search for sources yet. */
};

/* A flow that a route has on a switch. */
struct rule_flow {
    uint16_t priority;
    struct ofp_match match;
};

/* What a route has on one switch. */
struct rule_part {
    UT_hash_handle hh; /* In rule->parts, by dpid. */
    uint64_t dpid;
    bool dirty;
    struct rule_flow *flows; /* Sorted. */
    size_t n_flows, allocated_flows;
    struct channel_key *channels; /* Those that it leads to. */
    size_t n_channels, allocated_channels;
    struct channel_key *feeds; /* Those whose members its buckets hold. */
    size_t n_feeds, allocated_feeds;
    uint64_t last_packets; /* Of its flows, at the last count. */
    char *waiting;         /* What it waits for, NULL if nothing. */
    char *rejected;        /* Why it could not even be sent. */
};

struct rule {
    UT_hash_handle hh;       /* In ctl->rules[kind], by name. */
    UT_hash_handle hh_owner; /* In ctl->owners, by owner. */
    enum store_kind kind;
    char name[ROUTE_NAME_SIZE];
    ofp_owner owner;
    char *json;
    bool applied;        /* Some switch has confirmed it once. */
    bool gone;           /* Deleted, but not yet off its switch... */
    uint64_t gone_seqno; /* ...until this change of its table is settled. */
    bool dirty;          /* Everywhere... */
    bool parts_dirty;    /* ...or only those parts that say so. */

    /* A route. */
    struct route *route;
    struct rule *next_following; /* In ctl->following. */
    struct rule_part *parts;
    uint32_t cookie_id;  /* From the name: the same after a restart. */
    bool learning;       /* Punting until a source of it is known... */
    bool source_known;   /* ...which it is. */
    int64_t quiet_until; /* Restored: do not search for it yet. */
    int64_t last_active;

    /* A static flow or group. */
    struct static_rule *text;
    bool text_is_new;            /* Not compiled yet. */
    struct ofp_static *parsed;   /* NULL while it waits for ports. */
    struct ofp_static *replaced; /* Stays until 'parsed' is confirmed. */

    /* A static member or router port. */
    struct member *member;
    bool member_is_new;         /* Not compiled yet. */
    bool fixed;                 /* Of the configuration. */
    struct member_place *place; /* NULL while it waits for its port. */
    struct rule *next_there;    /* In place->rules. */

    /* All but routes. */
    char waiting[160];             /* What a pending rule waits for. */
    char rejected[OFP_ERROR_SIZE]; /* Refused before it was sent. */
};

/* Frames that were passed on a moment ago. */
enum { RELAY_MEMORY = 64 };

struct relay_memory {
    size_t next;
    struct relayed {
        uint64_t hash;
        struct port_id from;
        int64_t until; /* When it is forgotten. */
    } ring[RELAY_MEMORY];
};

struct ctl {
    struct loop *loop;
    const struct config *config;
    struct store *store;
    struct listener *listener;
    struct topo_graph *topo;
    struct fabric *fabric; /* NULL unless l2: fabric. */
    int64_t started;

    struct ctl_switch *switches;
    struct ctl_switch *run_list;
    struct ctl_vlan *vlans;
    struct channel_state *dirty_channels;
    struct guard_port *guards; /* By port_id. */
    struct relay_memory relayed;
    /* The source of all that we send: the same on every switch, so that a
     * fabric looks like one querier, and after a restart. */
    struct mac_addr mac;
    struct loop_timer guard_timer;
    struct rule *rules[STORE_N_KINDS];
    struct rule *owners;
    struct rule *following;      /* Routes whose buckets hold members. */
    struct member_place *places; /* Of static members. */
    ofp_owner last_owner;
    bool rules_dirty;
    /* Grows when another route may apply to a packet than before. */
    uint64_t routes_generation;
    struct write *writes;
    char store_error[STORE_ERROR_SIZE];
    struct loop_timer store_timer; /* While there is one. */
    struct loop_timer trim_timer;  /* A burst of changes is not over. */
    uint64_t trimmed;              /* Of 'compiled', when the last one was. */

    ctl_event_cb *event_cb;
    void *event_aux;

    /* Totals. */
    uint64_t frames, joins, leaves, compiled;
    uint64_t igmp_undecoded[IGMP_N_FAMILIES][IGMP_N_ERRORS];
};

/* ctl.c */
/* Everything that is dirty becomes desired entries. */
void ctl_compile(struct ctl *);
void ctl_event(struct ctl *, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* switches.c */
/* The switch's own port: its machine is a host like any other, though the port
 * is not among those that are told of. */
enum { PORT_LOCAL = 0xfffffffe };
/* Is the port there, and up? */
bool switch_has_port(const struct ctl *, const struct port_id *);
/* How a dpid is printed. */
#define DPID_FMT "%016" PRIx64

extern const struct conn_ops switch_conn_ops;
struct ctl_switch *switch_lookup(const struct ctl *, uint64_t dpid);
bool switch_is_connected(const struct ctl_switch *);
/* Its table has something to send: the turn runs it. */
void switch_want_run(struct ctl_switch *);
void switches_run(struct ctl *, int64_t now);
void switches_destroy(struct ctl *);
/* ofp_table_set(), and a word where the switch will have to take its slow path
 * for it. */
int switch_set_entry(struct ctl_switch *, const struct ofp_flow *,
                     const struct ofp_bucket *, size_t n_buckets, ofp_owner,
                     char *error);
void switch_packet_out(struct ctl_switch *, uint32_t in_port, uint32_t port,
                       const void *frame, size_t size);
/* Out of several ports; none of them is where it comes from. */
void switch_packet_out_ports(struct ctl_switch *, const uint32_t *ports,
                             size_t n, const void *frame, size_t size);
const char *switch_port_name(const struct ctl *, const struct port_id *);

/* vlans.c */
struct ctl_vlan *vlan_lookup(const struct ctl *, uint16_t vlan);
struct ctl_vlan *vlan_get(struct ctl *, uint16_t vlan);
void vlans_packet_in(struct ctl *, const struct port_id *, const uint8_t *,
                     size_t);
/* Something was changed in its machines: when must they run next? */
void vlan_settle(struct ctl_vlan *);
/* The port is new or has another name: its settings may be others. */
void vlans_port_changed(struct ctl *, const struct port_id *);
void vlans_port_up(struct ctl *, const struct port_id *);
void vlans_port_down(struct ctl *, const struct port_id *);
void vlans_reconfigure(struct ctl *);
void vlans_destroy(struct ctl *);

/* The configuration of a machine: of the vlan, and the address that was found
 * for it. */
void vlan_configure(struct ctl_vlan *, enum igmp_family);
/* Arms the vlan's timer: after whatever may have moved a deadline. */
void vlan_settle(struct ctl_vlan *);
/* A frame out of every port of the vlan that may have hosts. */
void vlan_flood(const struct ctl_vlan *, const void *frame, size_t size);

/* edges.c */
/* Is the port in the vlan?  '*pop': without the tag. */
bool edge_carries(const struct ctl *, const struct port_id *, uint16_t vlan,
                  bool *pop);
/* A frame out of a port; out of all edge ports of the fabric but 'except'
 * (NULL: all).  Where they are in its vlan; it carries the vlan's tag. */
void edge_send(struct ctl *, const struct port_id *, const void *frame,
               size_t size);
void edges_flood(struct ctl *, const struct port_id *except, const void *frame,
                 size_t size);

/* relay.c */
uint64_t relay_hash(const uint8_t *, size_t);
/* Passes a frame on that came from 'from'. */
void relay_frame(struct ctl *, const struct igmp_snoop *, enum igmp_relay,
                 const struct port_id *from, const uint8_t *frame, size_t size,
                 int64_t now);
/* Is this such a frame, come back at another port? */
bool relay_is_echo(struct ctl *, const struct port_id *, const uint8_t *frame,
                   size_t size, int64_t now);

/* addresses.c */
/* Begins or ceases to look for the querier's address, as is configured. */
void address_configure(struct ctl_vlan *);
/* The one to use in an IGMP query, IP_ADDR_ANY: none is known. */
struct ip_addr address_get(const struct ctl_vlan *);
/* Somebody speaks IGMP; or ARP. */
void address_heard(struct ctl_vlan *, const struct igmp_msg *, int64_t now);
void addresses_packet_in(struct ctl *, const uint8_t *, size_t);
/* Is some vlan's looked for? */
bool addresses_wanted(const struct ctl *);

/* pipeline.c */
void pipeline_set(struct ctl_switch *);
/* A port that is there, or not any more. */
void pipeline_set_port(struct ctl_switch *, const struct topo_port *);
void pipeline_unset_port(struct ctl_switch *, uint32_t no);
/* A flow of the pipeline's own; one that sends all that is left to 'next'. */
void pipeline_set_flow(struct ctl_switch *, const struct ofp_flow *);
void pipeline_set_miss(struct ctl_switch *, uint8_t table, uint8_t next);
/* What to do with unregistered groups of a vlan. */
void pipeline_set_vlan(struct ctl_switch *, struct ctl_vlan *);
/* Puts the policy's actions for the family of the flow's EtherType (IPv4 if
 * it has none) into 'flow'; returns the number of buckets, which
 * the caller frees. */
size_t pipeline_policy(const struct ctl_switch *, const struct ctl_vlan *,
                       enum igmp_family, struct ofp_flow *,
                       struct ofp_bucket **);

/* admit.c */
void admit_set(struct ctl_switch *);
void admit_set_reserved(struct ctl_switch *, uint16_t priority);
/* What the port leads to (l2: fabric). */
void admit_set_role(struct ctl_switch *, uint32_t no, enum topo_role);

/* channels.c */
struct channel_state *channel_lookup(const struct ctl_switch *, uint16_t vlan,
                                     const struct ip_addr *group);
/* The next of the switch's after 'c', the first after NULL; in no order. */
struct channel_state *channel_next(const struct ctl_switch *,
                                   const struct channel_state *c);
void channel_mark(struct ctl *, uint64_t dpid, uint16_t vlan,
                  const struct ip_addr *group);
void channels_mark_vlan(struct ctl_switch *, uint16_t vlan);
void channels_mark_all(struct ctl_switch *);
/* A route leads to this channel: it is compiled without members too. */
void channel_register(struct ctl_switch *, const struct channel_key *);
void channel_unregister(struct ctl_switch *, const struct channel_key *);
void channels_compile(struct ctl *);
void channels_destroy(struct ctl_switch *);
struct ofp_match channel_match(const struct channel *);
/* Are not all members known, so that all get it? */
bool channel_is_flooded(const struct ctl_vlan *, const struct ip_addr *group);
/* Does anybody behind this switch have a filter for the group? */
bool channel_has_members(const struct ctl_switch *, uint16_t vlan,
                         const struct ip_addr *group);
/* Flow counters have come in: arms and disarms the search for sources. */
void channels_counted(struct ctl_switch *, int64_t now);
void channel_source_known(struct ctl_switch *, const struct channel *);
/* A source is gone; its group has others, or not. */
void channel_source_lost(struct ctl_switch *, const struct channel *,
                         bool others);
/* The switch has these entries of one (vlan, group) from before a restart,
 * the (*,G) first. */
void channel_restore(struct ctl_switch *, const struct adopted_entry *,
                     size_t n);

/* channel-move.c */
/* Sets and takes away what a channel needs while it moves to another tree, or
 * (no way) all of it. */
void channel_set_move(struct ctl_switch *, const struct channel *);
void channel_unset_move(struct ctl_switch *, const struct channel *);
/* What no switch of a fabric is ever without. */
void channel_set_guard(struct ctl_switch *);

/* copies.c */
/* Copies that this switch makes of the channel, sorted so that equal rewrites
 * stand side by side, those to router ports among them; the caller frees the
 * array. */
size_t copies_of(const struct ctl_switch *, uint16_t vlan,
                 const struct ip_addr *source, const struct ip_addr *group,
                 struct ofp_copy **);
/* The same over the tree that the channel moves to. */
size_t copies_moving(const struct ctl_switch *, uint16_t vlan,
                     const struct ip_addr *source, const struct ip_addr *group,
                     struct ofp_copy **);
/* On top of the bucket's rewrite: the host's MAC address wins over the
 * group's, and no tag over any. */
void copy_to_bucket(const struct ofp_copy *, struct ofp_bucket *);

/* restore.c */
/* The switch has this entry. */
void restore_adopt(struct ctl_switch *, enum adopted_kind,
                   const struct ofp_adopted *);
/* All are known.  Their vlans are there; then, when it is known which ports
 * lead to routers by configuration, members are made of their receivers. */
void restore_vlans(struct ctl_switch *);
void restore_memberships(struct ctl_switch *);
void restore_forget(struct ctl_switch *);

/* routes.c */
/* Makes what the route has on the switch what it shall have. */
void route_compile(struct ctl_switch *, struct rule *, struct rule_part *);
void route_uncompile(struct ctl *, struct rule *);
void rule_part_destroy(struct rule *, struct rule_part *);
/* The part of the route for this switch; NULL if there is none, or, for
 * ..._get(), if the switch does not concern it. */
struct rule_part *rule_part_lookup(const struct rule *, uint64_t dpid);
struct rule_part *rule_part_get(struct rule *, uint64_t dpid);
/* The flow of the route that a packet of this channel meets.  False if there
 * is none. */
bool route_lookup_flow(const struct ctl_switch *, const struct rule *,
                       const struct channel *, struct ofp_entry_view *);

/* route-match.c */
/* The rule whose match is the same as that of 'route', other than by name. */
const struct rule *route_find_twin(const struct ctl *, const struct route *);
/* Marks the routes whose buckets on this switch hold members of the
 * channel. */
void routes_mark_members(struct ctl *, uint64_t dpid, uint16_t vlan,
                         const struct ip_addr *group);
/* Those whose buckets hold members of any channel. */
void routes_mark_following(struct ctl *, uint64_t dpid);
/* The route that a packet would meet, NULL if none. */
struct rule *routes_match(const struct ctl *, const struct port_id *,
                          uint16_t vlan, const struct ip_addr *source,
                          const struct ip_addr *group);
/* The channel that a route makes of (vlan, source, group). */
struct channel route_result(const struct route *, const struct channel *);
/* Are the route's receivers looked up by itself (and not by its channel)? */
bool route_follows_members(const struct route *);

/* Counters have come in; a packet of the route with this cookie has. */
void routes_counted(struct ctl_switch *, int64_t now);
void route_source_known(struct ctl *, uint64_t cookie);
/* The switch has this flow of a route, from before a restart. */
void route_restore(struct ctl *, const struct ofp_adopted *);

/* statics.c */
void static_compile(struct ctl *, struct rule *);
void static_uncompile(struct ctl *, struct rule *);
/* The replaced one goes when its successor is confirmed, comes back if that is
 * refused. */
void static_drop_replaced(struct ctl *, struct rule *);
void static_restore_replaced(struct ctl *, struct rule *);
/* NULL if the text makes sense, as far as can be told now; else why not. */
char *static_problem(const struct ctl *, const struct static_rule *);
/* A static flow that uses the static group 'rule', NULL if none does. */
const struct rule *static_user(const struct ctl *, const struct rule *);
/* Remembers which were confirmed and which are off their switch. */
void statics_settled(struct ctl_switch *);

/* members.c */
/* Where the member is to take effect; it waits while its port is away. */
void member_compile(struct ctl *, struct rule *);
void member_uncompile(struct ctl *, struct rule *);
/* The rule goes away: frees its member, and tells no machine. */
void member_forget(struct ctl *, struct rule *);
/* Does the member want packets of 'source' (IP_ADDR_ANY: of one that no filter
 * names)? */
bool member_wants(const struct rule *, const struct ip_addr *source);
/* False while it waits. */
bool member_port(const struct rule *, struct port_id *);
/* The names of the members of 'port', "a,b"; the caller frees them. 'group'
 * IP_ADDR_ANY: of the router port. */
char *members_at(const struct ctl *, uint16_t vlan,
                 const struct ip_addr *group, const struct port_id *);
/* (group, port)s that have static members, and static router ports. */
void members_count(const struct ctl *, size_t *n_members, size_t *n_routers);
/* Takes over the members of the configuration. */
void members_configure(struct ctl *);

/* rules.c */
/* The store refused a write: does it still? */
loop_cb rules_retry_store;
/* From the store, what is not there yet. */
void rules_load(struct ctl *);
struct rule *rule_lookup(const struct ctl *, enum store_kind,
                         const char *name);
/* Sets a rule to what 'json' says, in memory only; NULL if it makes no sense.
 */
struct rule *rule_set(struct ctl *, enum store_kind, const char *name,
                      const char *json);
void rule_destroy(struct ctl *, struct rule *);
/* To the store; 0 or an errno, with the reason in 'store_error'. */
int rule_store(struct ctl *, enum store_kind, const struct store_row *);
/* The rule as it stands. */
int rule_save(struct ctl *, const struct rule *);
int rule_erase(struct ctl *, enum store_kind, const char *name);
void rule_mark(struct ctl *, struct rule *);
/* On this switch only. */
void rule_mark_on(struct ctl *, struct rule *, uint64_t dpid);
/* All that concern switch 'dpid', 0 = all. */
void rules_mark_all(struct ctl *, uint64_t dpid);
void rules_compile(struct ctl *);
/* Takes what the rule has on switches away. */
void rule_uncompile(struct ctl *, struct rule *);
void rules_destroy(struct ctl *);
/* Why the rule could not even be sent to a switch, NULL if it could. */
const char *rule_problem(const struct rule *);
/* How 'rule' stands on each switch; an array that the caller frees. */
size_t rule_statuses(const struct ctl *, const struct rule *,
                     struct view_status **);

/* writes.c */
void writes_settled(struct ctl_switch *);
void writes_rejected(struct ctl_switch *, ofp_owner, const char *error);
void writes_abandon(struct ctl *);

/* view-host.c */
/* Remaining time for a person: -1 where there is none. */
int64_t view_remaining(int64_t at, int64_t now);

/* view-switch.c */
enum view_state view_state_of(const struct ofp_entry_view *);

/* streams.c */
struct streams *streams_create(struct ctl_switch *);
void streams_destroy(struct streams *);
void streams_packet_in(struct ctl_switch *, const struct ofp_packet_in *);
void streams_flow_removed(struct ctl_switch *,
                          const struct ofp_flow_removed *);
void streams_adopted(struct ctl_switch *, const struct ofp_adopted *);
void streams_counted(struct ctl_switch *, int64_t now);
void streams_port_down(struct ctl_switch *, uint32_t port);
/* A vlan's policy for unregistered groups changed: source flows follow. */
void streams_policy_changed(struct ctl_switch *, uint16_t vlan);
/* Nobody wants the group any more: flows of the vlan's policy take over for
 * its known sources, so that none of them has to be punted again. */
void streams_unregistered(struct ctl_switch *, uint16_t vlan,
                          const struct ip_addr *group);
/* Is this source of the group known on this switch, or (IP_ADDR_ANY) any? */
bool streams_has(const struct ctl_switch *, const struct channel *);
size_t streams_count(const struct ctl *);

#include "controller/fabric-hooks.h"

#endif
