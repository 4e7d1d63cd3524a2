/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_RULES_H
#define CONTROLLER_RULES_H 1

/* Named rules: routes, the user's flows and groups, static members.  What they
 * are, and what the rest of controller/ asks of them.  Included by
 * ctl-private.h. */

#include "controller/ctl-private.h"

/* A flow that a route has on a switch: in TABLE_ROUTE, or for fragments in
 * TABLE_FRAGMENTS, where it does the same, lets them pass to the other, or
 * drops them. */
enum rule_flow_kind {
    RULE_FLOW_ROUTE,
    RULE_FLOW_FRAGMENTS,
    RULE_FLOW_PASS,
    RULE_FLOW_DROP,
    RULE_FLOW_FAR,   /* In TABLE_FAR: see route-far.c. */
    RULE_FLOW_REPLY, /* In TABLE_ROUTE, and what leads there in TABLE_PUNT: */
    RULE_FLOW_ENTRY  /* see route-reply.c. */
};

static inline uint8_t
rule_flow_table(enum rule_flow_kind kind)
{
    switch (kind) {
    case RULE_FLOW_ROUTE:
    case RULE_FLOW_REPLY:
        return TABLE_ROUTE;
    case RULE_FLOW_FAR:
        return TABLE_FAR;
    case RULE_FLOW_ENTRY:
        return TABLE_PUNT;
    case RULE_FLOW_FRAGMENTS:
    case RULE_FLOW_PASS:
    case RULE_FLOW_DROP:
        break;
    }
    return TABLE_FRAGMENTS;
}

struct rule_flow {
    enum rule_flow_kind kind;
    uint16_t priority;
    struct ofp_match match;
};

/* Flows of a route by the port where they let streams in. */
struct part_port {
    uint32_t no;                    /* 0: any. */
    bool learning;                  /* Punting until a source is known... */
    bool source_known;              /* ...which it is. */
    uint64_t packets, last_packets; /* At this count, at the one before. */
    int64_t last_active;
};

/* Of all its flows, at the last count, and in the time before it. */
struct part_count {
    uint64_t packets, bytes;
    int64_t at; /* 0: not yet. */
    double packets_per_s, bits_per_s;
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
    struct mac_addr *fars; /* Labels of the trees that it sends to. */
    size_t n_fars, allocated_fars;
    struct part_port *ports; /* Where its flows let streams in. */
    size_t n_ports, allocated_ports;
    char *waiting;          /* What it waits for, NULL if nothing. */
    char *rejected;         /* Why it could not even be sent. */
    bool fragments_dropped; /* Those of some of its flows... */
    char *fragments_reason; /* ...why; NULL if none are. */
    bool has_wrong;         /* A flow that counts: see route-wrong.h. */
    struct rule_flow wrong;
    struct part_count count; /* See route-outputs.h. */
    struct part_outputs *outputs;
    size_t n_outputs, allocated_outputs;
    uint64_t outputs_seen; /* Of sw->led_changes. */
    /* Of a route with a pool: where it took effect. */
    struct route_part_sources {
        struct view_source *list;
        size_t n, allocated;
    } sources;
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
    struct rule *prev_dirty, *next_dirty; /* In ctl->dirty_rules, if either. */

    /* A route. */
    struct route *route;
    struct rule *prev_following, *next_following; /* In ctl->following. */
    struct rule *prev_indexed, *next_indexed;     /* See route-index.h. */
    struct rule_part *parts;
    struct far *fars;    /* Trees to other switches. */
    uint32_t cookie_id;  /* From the name: the same after a restart. */
    bool learning;       /* Its flows punt at first: see route-learn.c. */
    int64_t quiet_until; /* Restored: do not search for it yet. */

    /* A static flow or group. */
    struct static_rule *text;
    bool text_is_new;            /* Not compiled yet. */
    struct ofp_static *parsed;   /* NULL while it waits for ports. */
    struct ofp_static *replaced; /* Stays until 'parsed' is confirmed. */

    /* A static member or router port. */
    struct member *member;
    bool member_is_new;         /* Not compiled yet. */
    bool fixed;                 /* Of the configuration. */
    int64_t lease_until;        /* 0: it does not end. */
    struct member_place *place; /* NULL while it waits for its port. */
    struct rule *next_there;    /* In place->rules. */

    /* All but routes. */
    char waiting[160];             /* What a pending rule waits for. */
    char rejected[OFP_ERROR_SIZE]; /* Refused before it was sent. */
};

/* routes.c */
/* Makes what the route has on the switch what it shall have. */
void route_compile(struct ctl_switch *, struct rule *, struct rule_part *);
void route_uncompile(struct ctl *, struct rule *);
void rule_part_destroy(struct rule *, struct rule_part *);
/* The part of the route for this switch; NULL if there is none, or, for
 * ..._get(), if the switch does not concern it. */
struct rule_part *rule_part_lookup(const struct rule *, uint64_t dpid);
struct rule_part *rule_part_get(struct rule *, uint64_t dpid);

/* route-fragments.c */
/* The flows of TABLE_FRAGMENTS that no route has; the one of TABLE_PUNT that
 * sends fragments for these addresses there. */
void fragments_set(struct ctl_switch *);
struct ofp_flow fragments_punt_flow(const struct ip_prefix *to);
/* Marks the routes whose fragments may be taken for those of this one, which
 * comes or goes. */
void routes_mark_rivals(struct ctl *, const struct route *);

/* route-match.c */
/* The rule whose match is the same as that of 'route', other than by name. */
const struct rule *route_find_twin(const struct ctl *, const struct route *);
/* Before a port is there nobody can tell that its name and its number are the
 * same.  The one that a route by number gives way to, since there are both;
 * NULL: there is none. */
const struct rule *route_find_named(const struct ctl *, const struct route *);
/* Those that may have given way to the route, which comes or goes. */
void routes_mark_numbered(struct ctl *, const struct route *);
/* Does it lead to members of the channel? */
bool route_leads_members(const struct route *, uint16_t vlan,
                         const struct ip_addr *group);
/* Marks the routes whose buckets on this switch hold members of the
 * channel. */
void routes_mark_members(struct ctl *, uint64_t dpid, uint16_t vlan,
                         const struct ip_addr *group);
/* Those whose buckets hold members of any channel. */
void routes_mark_following(struct ctl *, uint64_t dpid);
/* Those that depend on which ports of the switch (0: of any) lead to hosts. */
void routes_mark_edges(struct ctl *, uint64_t dpid);
/* The route that a packet would meet, NULL if none. */
struct rule *routes_match(const struct ctl *, const struct port_id *,
                          uint16_t vlan, const struct ip_addr *source,
                          const struct ip_addr *group);
/* All that match, the one that wins first: the first 'room' of them; returns
 * how many that are.  'udp_dst' -1: not known, any will do. */
size_t routes_match_all(const struct ctl *, const struct port_id *,
                        uint16_t vlan, const struct ip_addr *source,
                        const struct ip_addr *group, int udp_dst,
                        struct rule **rules, size_t room);
/* The flow of the route that a packet of this channel meets which comes in by
 * 'in_port'.  False if there is none. */
bool route_lookup_flow(const struct ctl_switch *, const struct rule *,
                       uint32_t in_port, const struct channel *,
                       struct ofp_entry_view *);
/* The same, with the flow's match. */
bool route_find_flow(const struct ctl_switch *, const struct rule *,
                     uint32_t in_port, const struct channel *,
                     struct ofp_entry_view *, struct ofp_match *);
/* The channel that a route makes of (vlan, source, group). */
struct channel route_result(const struct route *, const struct channel *);
/* The same for what comes in by this port: it may have a source of its own. */
struct channel route_result_at(const struct rule *, uint64_t dpid,
                               const char *port_name, const struct channel *);
/* Could a packet of this source and group have been made by the route? */
bool route_makes(const struct route *, const struct ip_addr *source,
                 const struct ip_addr *group);
/* Are the route's receivers looked up by itself (and not by its channel)?
 * Also where its copies differ by vlan, into tunnels. */
bool route_follows_members(const struct route *);

/* route-vtep.c */
bool route_has_vteps(const struct route *);
/* The tunnel ends that routes send to. */
typedef void route_vtep_cb(struct ctl_switch *, uint32_t port, uint32_t vni,
                           uint32_t vtep);
void routes_each_vtep(struct ctl *, route_vtep_cb *);

/* route-learn.c */
/* Counters have come in; a packet to 'group' of the route with this cookie
 * has. */
void routes_counted(struct ctl_switch *, int64_t now);
void route_source_known(struct ctl_switch *, uint64_t cookie, uint32_t in_port,
                        const struct ip_addr *group);
/* The switch has this flow of a route, from before a restart. */
void route_restore(struct ctl_switch *, const struct ofp_adopted *);

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
/* Is what a switch has for this port, from before a restart, what a static
 * member wants, whether it still does or its lease has ended meanwhile?  Then
 * it is not taken for that of hosts, or it would outlive the member.  Takes
 * those that members want out of 'sources' unless 'exclude'; true if nothing
 * is left for hosts.  Hosts behind such a port are asked at once, as
 * everywhere. */
bool members_hold(const struct ctl *, uint16_t vlan,
                  const struct ip_addr *group, const struct port_id *,
                  bool exclude, struct ip_addr *sources, size_t *n);
bool members_hold_router(const struct ctl *, uint16_t vlan,
                         const struct port_id *);
/* (group, port)s that have static members, and static router ports. */
void members_count(const struct ctl *, size_t *n_members, size_t *n_routers);
/* Takes over the members of the configuration. */
void members_configure(struct ctl *);

/* rule-compile.c */
void rule_mark(struct ctl *, struct rule *);
/* On this switch only. */
void rule_mark_on(struct ctl *, struct rule *, uint64_t dpid);
/* Not any more: it has been compiled, or goes. */
void rule_unmark(struct ctl *, struct rule *);
/* All that concern switch 'dpid', 0 = all. */
void rules_mark_all(struct ctl *, uint64_t dpid);
void rules_compile(struct ctl *);
/* Takes what the rule has on switches away. */
void rule_uncompile(struct ctl *, struct rule *);

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
void rules_destroy(struct ctl *);
/* Why the rule could not even be sent to a switch, NULL if it could. */
const char *rule_problem(const struct rule *);
/* How 'rule' stands on each switch; an array that the caller frees. */
size_t rule_statuses(const struct ctl *, const struct rule *,
                     struct view_status **);

#endif
