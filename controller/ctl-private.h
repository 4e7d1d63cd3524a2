/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CTL_PRIVATE_H
#define CONTROLLER_CTL_PRIVATE_H 1

/* What the controller's own files share; nobody else includes it.
 *
 *   ctl.c        life, the turn, events
 *   switches.c   connections <-> switches <-> their tables
 *   vlans.c      packet-ins <-> membership machines
 *   vlan-events.c  telling people what these do
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
 *   routes.c, route-*.c  routes -> entries
 *   pools.c      sources that routes give to ports
 *   statics.c    the user's flows and groups
 *   members.c    static members and static router ports
 *   lease.c      those that end by themselves
 *   rules.c      named rules: store and states
 *   rule-compile.c   which of them are to be compiled
 *   writes.c     REST writes: see writes.h
 *   streams.c    sources seen
 *   doctor.c     what is wrong: see doctor-private.h
 *   tunnels.c    other ends of VXLAN ports: see tunnels.h
 *   explain.c    the way of a packet: see explain.h
 *   history.c    how memberships ended
 *   datapath.c   which datapath a switch has
 *   port-counters.c  what the switches count at their ports
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
#include "controller/history.h"
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
    TABLE_FRAGMENTS = 29,  /* Of IPv4, before their routes. */
    TABLE_ROUTE = 30,
    TABLE_SOURCE = 35, /* Sources not known yet (l2: fabric). */
    TABLE_MCAST = 40,
    TABLE_FAR = 45, /* Routes to other switches (l2: fabric). */
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
    COOKIE_MOVE = 13,       /* See channel-move.c. */
    COOKIE_WRONG_PORT = 14, /* See route-wrong.h. */
    COOKIE_SAMPLE = 15,     /* See sample.h; id: of the sample. */
    COOKIE_FAR = 16,        /* See route-far.c. */
    COOKIE_REPLY = 17       /* See route-reply.c. */
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

/* A group of more copies than are good for it. */
struct oversize {
    uint64_t dpid;
    uint8_t table;
    uint16_t priority;
    struct ofp_match match;
    size_t n_copies, bytes;     /* Bytes of datapath actions. */
    char error[OFP_ERROR_SIZE]; /* Why it was not set at all; "": it is. */
};

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
    struct port_counters *port_counters;
    struct oversize *oversize;
    size_t n_oversize, allocated_oversize;
    uint32_t n_edges;     /* Ports that lead to hosts (l2: fabric). */
    bool flood_dirty;     /* What floods leave by is to be compiled. */
    uint64_t led_changes; /* Entries that routes lead to were compiled. */
    struct neighbours *neighbours; /* See route-unicast.c. */
    struct loop_timer neighbours_timer;
    struct unicast_wants *wants;
    uint8_t *flood_vlans; /* Which vlans have a flood of their own. */
    struct rule_flow *tunnel_flows; /* What admits from tunnels. */
    size_t n_tunnel_flows, allocated_tunnel_flows;
};

/* An entry found on the switch, until it is restored. */
enum adopted_kind {
    ADOPTED_LEARN, /* A channel's sources are searched for. */
    ADOPTED_MOVE,  /* It was on its way to another tree. */
    ADOPTED_CHANNEL,
    ADOPTED_ROUTERS, /* Of a vlan; the group: any of the family. */
    ADOPTED_FAR,     /* Of a route to other switches; the group: its label. */
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

enum { ELECTION_MEMORY = 8, ELECTION_MEMORY_MS = 300000 };

struct ctl_vlan {
    UT_hash_handle hh; /* In ctl->vlans, by vlan. */
    struct ctl *ctl;
    uint16_t vlan;
    const struct config_vlan *config;
    struct vlan_family {
        struct ctl_vlan *vlan;
        struct igmp_snoop *snoop;
        /* When the last elections ended, in a ring. */
        int64_t elected[ELECTION_MEMORY];
        unsigned int n_elected;
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
    struct doctor *doctor;
    struct tunnels *tunnels;
    struct history *history; /* Of memberships. */
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
    struct rule *following;           /* Routes whose buckets hold members. */
    struct route_group *route_groups; /* See route-index.h. */
    struct rule *wide_routes;
    struct far *fars;            /* Trees of routes: see route-far.h. */
    struct member_place *places; /* Of static members. */
    struct pool *pools;          /* Of sources: see pools.h. */
    bool pools_stale;            /* Somebody may have none any more. */
    ofp_owner last_owner;
    struct rule *dirty_rules[STORE_N_KINDS]; /* To be compiled. */
    /* Grows when another route may apply to a packet than before. */
    uint64_t routes_generation;
    bool unicast_stale; /* Other hosts may have to be looked for. */
    /* Routes may ask upstream for something else: of these groups, or, if
     * all are stale, of any. */
    struct ip_addr *stale_joins;
    size_t n_stale_joins, allocated_stale_joins;
    bool joins_stale;
    struct write *writes;
    struct sample *samples; /* See sample.h. */
    uint32_t last_sample;
    char store_error[STORE_ERROR_SIZE];
    struct loop_timer store_timer;    /* While there is one. */
    struct loop_timer unstored_timer; /* See writes_store(). */
    struct loop_timer lease_timer;    /* Some static member ends. */
    struct loop_timer trim_timer;     /* A burst of changes is not over. */
    uint64_t trimmed; /* Of 'compiled', when the last one was. */

    ctl_event_cb *event_cb;
    void *event_aux;

    /* Totals. */
    uint64_t frames, joins, leaves, compiled;
    uint64_t igmp_undecoded[IGMP_N_FAMILIES][IGMP_N_ERRORS];
    struct port_id igmp_refused_at[IGMP_N_FAMILIES][IGMP_N_ERRORS];
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
/* datapath.c */
/* Which datapath the switch seems to have.  False if that cannot be told; it
 * is a sign, not a promise: see switch_check_datapath(). */
bool switch_guess_datapath(const struct ctl_switch *, enum config_datapath *);
/* Says so where the configuration says something else. */
void switch_check_datapath(const struct ctl_switch *);
/* oversize.c */
/* What becomes of an entry; 'error' NULL: it is set. */
void oversize_note(struct ctl_switch *, const struct ofp_flow *,
                   const struct ofp_bucket *, size_t n, const char *error);
/* How many of sw->oversize still hold. */
size_t oversize_list(struct ctl_switch *);

void switch_packet_out(struct ctl_switch *, uint32_t in_port, uint32_t port,
                       const void *frame, size_t size);
/* Out of several ports; none of them is where it comes from. */
void switch_packet_out_ports(struct ctl_switch *, const uint32_t *ports,
                             size_t n, const void *frame, size_t size);
const char *switch_port_name(const struct ctl *, const struct port_id *);
/* The port as the switch knows it, of a tunnel's end the one that carries it;
 * NULL if it is not there. */
const struct topo_port *switch_topo_port(const struct ctl *,
                                         const struct port_id *);
/* How a copy of something of 'vlan' leaves by a port of this switch.  False if
 * it does not. */
bool switch_copy(const struct ctl_switch *, const struct port_id *,
                 uint16_t vlan, struct ofp_copy *);

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

/* vlan-events.c: members of struct igmp_ops; and, of an event listener. */
void vlan_querier_changed(void *family, bool ours);
void vlan_guarded(void *family, const struct port_id *,
                  const struct igmp_guard_event *);
void vlan_host_moved(void *family, const struct igmp_move *);
void vlan_membership_ended(void *family, const struct ip_addr *group,
                           const struct port_id *, enum igmp_end);
void vlan_tell_member(struct ctl_vlan *, const struct ip_addr *group,
                      const struct port_id *);

/* edges.c */
/* Is the port in the vlan?  '*pop': without the tag. */
bool edge_carries(const struct ctl *, const struct port_id *, uint16_t vlan,
                  bool *pop);
/* A frame out of a port; out of all edge ports of the fabric but 'except'
 * (NULL: all).  Where they are in its vlan; it carries the vlan's tag. */
void edge_send(struct ctl *, const struct port_id *, const void *frame,
               size_t size);
/* Of one switch. */
void edges_flood_switch(struct ctl_switch *, const void *frame, size_t size);
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

/* restore.c */
/* The switch has this entry. */
void restore_adopt(struct ctl_switch *, enum adopted_kind,
                   const struct ofp_adopted *);
/* All are known.  Their vlans are there; then, when it is known which ports
 * lead to routers by configuration, members are made of their receivers. */
void restore_vlans(struct ctl_switch *);
void restore_memberships(struct ctl_switch *);
void restore_forget(struct ctl_switch *);

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

/* doctor.c */
void doctor_create(struct ctl *);
void doctor_destroy(struct ctl *);

#include "controller/channels.h"
#include "controller/fabric-hooks.h"
#include "controller/pipeline.h"
#include "controller/rules.h"
#include "controller/tunnels.h"

#endif
