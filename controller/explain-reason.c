/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Explain: why a port is among those that get a channel, or is not. */

#include "controller/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fabric.h"
#include "lib/xalloc.h"

enum { TEXT_SIZE = 320 };

/* Membership of one port. */

struct membership {
    const struct port_id *port;
    const struct ip_addr *source;
    int64_t now;
    enum igmp_family family;
    bool found, forwards, exclude, learned, restored, lists_source;
    size_t n_hosts;
    struct igmp_host_view host; /* The last one heard; no 'sources'. */
    int64_t expires;
};

static bool
lists(const struct igmp_port_view *p, const struct ip_addr *source)
{
    for (size_t i = 0; i < p->n_sources; i++) {
        if (ip_addr_equal(&p->sources[i].address, source)) {
            return true;
        }
    }
    return false;
}

static void
take_hosts(struct membership *m, const struct igmp_port_view *p)
{
    m->n_hosts = p->n_hosts;
    for (size_t i = 0; i < p->n_hosts; i++) {
        if (!i || p->hosts[i].last_report > m->host.last_report) {
            m->host = p->hosts[i];
        }
    }
    m->host.sources = NULL;
}

static bool
look_at(void *m_, const struct igmp_port_view *p)
{
    struct membership *m = m_;
    if (!port_id_equal(&p->port, m->port)) {
        return true;
    }
    m->found = true;
    m->learned = p->learned;
    m->restored = p->restored;
    m->exclude = p->exclude;
    m->expires = p->exclude ? p->expires : INT64_MAX;
    m->lists_source = lists(p, m->source);
    take_hosts(m, p);
    return false;
}

static struct membership
membership_of(const struct explain *x, uint16_t vlan,
              const struct ip_addr *group, const struct port_id *port)
{
    const struct ctl_vlan *v = vlan_lookup(x->ctl, vlan);
    struct membership m = {.port = port,
                           .source = &x->out.source,
                           .now = x->now,
                           .family =
                               ip_addr_is_v4(group) ? IGMP_IPV4 : IGMP_IPV6};
    if (v) {
        const struct igmp_snoop *snoop = vlan_snoop_of(v, group);
        igmp_snoop_each_port(snoop, group, look_at, &m);
        m.forwards = igmp_snoop_forwards(snoop, &x->out.source, group, port);
    }
    return m;
}

/* "02:00:00:00:00:02 (10.1.0.2) joined it in IGMPv3, last heard 12 s ago" */
static void
say_host(const struct membership *m, char text[TEXT_SIZE])
{
    char mac[MAC_ADDR_STRLEN], ip[IP_ADDR_STRLEN] = "no address shown";
    size_t at = 0;
    if (!m->n_hosts) {
        snprintf(text, TEXT_SIZE,
                 m->restored ? "it had a member before the daemon restarted, "
                               "who has not answered yet"
                             : "it has a member");
        return;
    }
    if (!ip_addr_is_any(&m->host.ip)) {
        ip_addr_format(&m->host.ip, ip);
    }
    at += (size_t) snprintf(
        text, TEXT_SIZE, "%s (%s) joined it in %sv%d, last heard %.1f s ago",
        mac_addr_format(&m->host.mac, mac), ip,
        m->family == IGMP_IPV6 ? "MLD" : "IGMP",
        igmp_version_shown(m->family, m->host.version),
        (double) (m->now - m->host.last_report) / 1000);
    if (m->n_hosts > 1) {
        at += (size_t) snprintf(text + at, TEXT_SIZE - at,
                                ", and %zu more hosts", m->n_hosts - 1);
    }
    if (m->expires != INT64_MAX) {
        snprintf(text + at, TEXT_SIZE - at, ", expires in %.1f s",
                 (double) (m->expires - m->now) / 1000);
    }
}

/* Why a port gets it. */

static bool
is_router_port(const struct explain *x, const struct port_id *port)
{
    const struct ctl_vlan *v = vlan_lookup(x->ctl, x->out.vlan);
    return v
           && igmp_snoop_is_router_port(vlan_snoop_of(v, &x->out.group), port);
}

static bool
peer_of(const struct explain *x, const struct port_id *port,
        struct port_id *peer)
{
    return x->ctl->fabric
           && topo_links_peer(x->ctl->fabric->links, port, peer);
}

char *
explain_presence(const struct explain *x, const struct port_id *port,
                 const char **origin)
{
    char text[TEXT_SIZE];
    struct port_id peer;
    struct membership m = membership_of(x, x->out.vlan, &x->out.group, port);
    char *names = members_at(x->ctl, x->out.vlan, &x->out.group, port);
    if (peer_of(x, port, &peer)) {
        *origin = "link";
        snprintf(text, sizeof text,
                 "a link of the channel's tree, to switch %" PRIx64,
                 peer.dpid);
    } else if (x->follows_members && m.found && m.learned && m.forwards) {
        *origin = "member";
        say_host(&m, text);
    } else if (x->follows_members && *names) {
        *origin = "static";
        snprintf(text, sizeof text, "static member %s", names);
    } else if (x->follows_members && is_router_port(x, port)) {
        *origin = "mrouter";
        snprintf(text, sizeof text, "a router port, which gets every group");
    } else if (x->replies) {
        *origin = "reply";
        snprintf(text, sizeof text,
                 "the device whose stream route %s has given that source",
                 x->rule->name);
    } else if (x->rule) {
        *origin = "route";
        snprintf(text, sizeof text, "a target of route %s", x->rule->name);
    } else {
        *origin = "policy";
        snprintf(text, sizeof text, "the policy for unregistered groups");
    }
    free(names);
    return xstrdup(text);
}

/* Why a port does not get it. */

/* Another vlan where the port is a member of the group. */
static bool
is_in_other_vlan(struct explain *x, const struct port_id *port)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, x->ctl->vlans, v, tmp) {
        if (v->vlan != x->out.vlan
            && membership_of(x, v->vlan, &x->out.group, port).found) {
            explain_conclude(
                x, "other-vlan",
                "send it in that vlan, or let a route set it (set.vlan), or "
                "let the host join in the stream's",
                "the port has joined it in vlan %u; the stream is in vlan %u",
                v->vlan, x->out.vlan);
            return true;
        }
    }
    return false;
}

/* Before a route rewrote it, it had the group that the port joined. */
static bool
is_rewritten(struct explain *x, const struct port_id *port)
{
    char in[IP_ADDR_STRLEN], out[IP_ADDR_STRLEN];
    const struct explain_query *q = x->query;
    if (!x->rule || ip_addr_equal(&q->group, &x->out.group)
        || !membership_of(x, q->vlan, &q->group, port).found) {
        return false;
    }
    explain_conclude(x, "rewritten",
                     "join the group that the route makes, or add the port to "
                     "the route's targets",
                     "the port has joined %s, and route %s makes %s of it",
                     ip_addr_format(&q->group, in), x->rule->name,
                     ip_addr_format(&x->out.group, out));
    return true;
}

static void
conclude_end(struct explain *x, const struct history_entry *e)
{
    static const char *const reasons[IGMP_N_ENDS] = {
        [IGMP_END_LEFT] = "left",
        [IGMP_END_EXPIRED] = "expired",
        [IGMP_END_PORT] = "port-was-down",
        [IGMP_END_LIMIT] = "limit",
        [IGMP_END_DENIED] = "denied"};
    static const char *const texts[IGMP_N_ENDS] = {
        [IGMP_END_LEFT] = "the host left",
        [IGMP_END_EXPIRED] = "its membership ran out, as nobody reported",
        [IGMP_END_PORT] = "the port went down",
        [IGMP_END_LIMIT] = "it made room for another group at a limit",
        [IGMP_END_DENIED] = "the configuration does not permit the group"};
    static const char *const cures[IGMP_N_ENDS] = {
        [IGMP_END_LEFT] = "let the host join again",
        [IGMP_END_EXPIRED] = "see why it did not answer: ofmcastctl doctor",
        [IGMP_END_PORT] = "let the host join again",
        [IGMP_END_LIMIT] = "raise max_groups of the port",
        [IGMP_END_DENIED] = "change permit or deny of the port"};
    explain_conclude(x, reasons[e->end], cures[e->end], "%s, %.1f s ago",
                     texts[e->end], (double) (x->now - e->at) / 1000);
}

static bool
was_member(struct explain *x, const struct port_id *port)
{
    const struct history_entry *e =
        history_find(x->ctl->history, x->out.vlan, &x->out.group, port);
    if (!e) {
        return false;
    }
    if (e->kind == HISTORY_REFUSED) {
        explain_conclude(
            x, "refused", "see max_groups, permit and deny of the port",
            "its join was refused (%s), %.1f s ago", igmp_guard_name(e->guard),
            (double) (x->now - e->at) / 1000);
    } else {
        conclude_end(x, e);
    }
    return true;
}

/* What the port did join. */
struct joined {
    struct membership m;
    const struct igmp_snoop *snoop;
    uint16_t vlan;
    char text[TEXT_SIZE];
    size_t at, n;
};

static bool
add_joined(void *j_, const struct ip_addr *group)
{
    struct joined *j = j_;
    char address[IP_ADDR_STRLEN];
    j->m.found = false;
    igmp_snoop_each_port(j->snoop, group, look_at, &j->m);
    if (j->m.found && j->n++ < 6 && j->at < sizeof j->text) {
        j->at += (size_t) snprintf(j->text + j->at, sizeof j->text - j->at,
                                   "%s%s in vlan %u", j->n > 1 ? ", " : "",
                                   ip_addr_format(group, address), j->vlan);
    }
    return j->n < 6;
}

static void
conclude_never(struct explain *x, const struct port_id *port)
{
    struct joined j = {.m = {.port = port, .source = &x->out.source}};
    char group[IP_ADDR_STRLEN];
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, x->ctl->vlans, v, tmp) {
        j.vlan = v->vlan;
        j.snoop = vlan_snoop_of(v, &x->out.group);
        igmp_snoop_each_group(j.snoop, add_joined, &j);
    }
    explain_conclude(x, "never-joined",
                     "let the host join, or make the port a static member",
                     "nobody at the port has joined %s in vlan %u; %s%s",
                     ip_addr_format(&x->out.group, group), x->out.vlan,
                     j.n ? "it has joined " : "it has joined nothing",
                     j.n ? j.text : "");
}

static bool
check_port(struct explain *x, const struct port_id *to)
{
    const struct topo_port *port = switch_topo_port(x->ctl, to);
    bool pop;
    if (!port) {
        explain_conclude(x, "no-port", "see ofmcastctl show switches DPID",
                         "switch %" PRIx64 " has no port %" PRIu64, to->dpid,
                         to->port_no);
    } else if (!port->up) {
        explain_conclude(x, "port-down", "bring it up", "port %s is down",
                         port->name);
    } else if (to->dpid == x->query->in.dpid
               && port_id_no(to) == port_id_no(&x->query->in)) {
        explain_conclude(x, "ingress-port", "",
                         "it is where the stream comes from: a switch sends "
                         "nothing back there");
    } else if (x->ctl->fabric
               && !edge_carries(x->ctl, to, x->out.vlan, &pop)) {
        explain_conclude(x, "vlan-not-carried",
                         "change access_vlan or trunk_vlans of the port",
                         "port %s is not in vlan %u", port->name, x->out.vlan);
    }
    return !x->reason;
}

static bool
check_switch(struct explain *x, const struct port_id *to)
{
    if (!x->ctl->fabric && to->dpid != x->query->in.dpid) {
        explain_conclude(
            x, "other-switch", "ask with the port where it enters that switch",
            "with l2: normal each switch stands for itself: what "
            "is between switch %" PRIx64 " and %" PRIx64 " is not known",
            x->query->in.dpid, to->dpid);
    }
    return !x->reason;
}

/* Can it leave there at all? */
static bool
can_leave(struct explain *x, const struct port_id *to)
{
    return check_port(x, to) && check_switch(x, to);
}

static void
conclude_filter(struct explain *x, const struct membership *m)
{
    char source[IP_ADDR_STRLEN];
    ip_addr_format(&x->out.source, source);
    if (m->exclude) {
        explain_conclude(x, "excluded-source",
                         "let the hosts there not exclude it",
                         "every host at the port excludes source %s", source);
    } else {
        explain_conclude(x, "not-included",
                         "let a host join from that source, or from any",
                         "the hosts at the port have joined other sources "
                         "only, not %s",
                         source);
    }
}

/* Why the port of the query is not among the outputs. */
static void
conclude_absence(struct explain *x)
{
    const struct port_id *to = &x->query->to;
    if (x->reason || !can_leave(x, to)) {
        return;
    }
    if (x->replies) {
        explain_conclude(x, "not-a-target", "",
                         "replies to what route %s has sent go to the device "
                         "alone",
                         x->rule->name);
        return;
    } else if (!x->follows_members) {
        explain_conclude(x, "not-a-target", "add it to the route's targets",
                         "route %s copies to other ports, and not to members",
                         x->rule->name);
        return;
    }
    struct membership m = membership_of(x, x->out.vlan, &x->out.group, to);
    if (m.found && !m.forwards) {
        conclude_filter(x, &m);
    } else if (m.found) {
        explain_conclude(x, "pending", "",
                         "it has joined, and the switch's group does not have "
                         "it yet");
    } else if (!is_in_other_vlan(x, to) && !is_rewritten(x, to)
               && !was_member(x, to)) {
        conclude_never(x, to);
    }
}

/* Size and TTL. */

uint32_t
explain_mtu(const struct ctl *ctl, const struct port_id *id)
{
    const struct topo_port *port = switch_topo_port(ctl, id);
    uint32_t mtu =
        (uint32_t) config_get_port(ctl->config, id->dpid, port, 0).mtu;
    return mtu - (tunnel_of(ctl, id) ? EXPLAIN_TUNNEL_BYTES : 0);
}

/* What is not said is as the stream was seen: 0 if that was not. */
struct seen {
    const struct explain_query *query;
    int size, ttl;
};

static bool
take_stream(void *seen_, const struct view_stream *s)
{
    struct seen *seen = seen_;
    const struct explain_query *q = seen->query;
    if (s->vlan == q->vlan && port_id_equal(&s->port, &q->in)
        && ip_addr_equal(&s->group, &q->group)
        && ip_addr_equal(&s->source, &q->source)) {
        seen->size = (int) s->size;
        seen->ttl = s->ttl;
        return false;
    }
    return true;
}

static int
ttl_of(const struct explain *x, const struct seen *seen)
{
    const struct explain_query *q = x->query;
    return x->rule && x->rule->route->set.has_ttl ? x->rule->route->set.ttl
           : q->ttl >= 0                          ? q->ttl
                                                  : seen->ttl;
}

/* Do its packets fit through the port? */
static bool
fits(struct explain *x, const struct port_id *to)
{
    const struct explain_query *q = x->query;
    struct seen seen = {.query = q};
    uint32_t mtu = explain_mtu(x->ctl, to);
    view_streams(x->ctl, take_stream, &seen);
    int size = q->size >= 0 ? q->size : seen.size;
    if (size > (int) mtu) {
        explain_conclude(x, "mtu",
                         "send smaller packets; or raise the MTU behind the "
                         "port, and say so (\"mtu\" of the port)",
                         "its packets of %d bytes are longer than the port's "
                         "MTU, %u: they vanish there",
                         size, mtu);
        return false;
    }
    if (ttl_of(x, &seen) == 1 && is_router_port(x, to)) {
        explain_conclude(x, "ttl", "set.ttl in a route, or at the sender",
                         "the port gets it, but the router behind it will not "
                         "pass it on: its TTL is 1");
    }
    return true;
}

/* The verdict. */

/* A tunnel port, asked about as such, gets it if any of its ends does. */
static bool
gets_it(const struct explain *x, const struct port_id *port)
{
    for (size_t i = 0; i < x->n_outputs; i++) {
        const struct port_id *o = &x->outputs[i].port;
        if (port_id_equal(o, port)
            || (!port_id_vtep(port) && o->dpid == port->dpid
                && port_id_no(o) == port_id_no(port))) {
            return true;
        }
    }
    return false;
}

/* No tunnel is flooded into. */
static bool
conclude_flooded(struct explain *x)
{
    const struct explain_query *q = x->query;
    if (q->has_to && (!can_leave(x, &q->to) || !fits(x, &q->to))) {
        return false;
    }
    explain_conclude(x, x->flooded, "", "it goes out of every port of vlan %u",
                     x->out.vlan);
    return true;
}

bool
explain_verdict(struct explain *x)
{
    const struct explain_query *q = x->query;
    bool delivered = q->has_to ? gets_it(x, &q->to) : x->n_outputs > 0;
    bool stands = x->reason != NULL;
    if (x->flooded && !(q->has_to && tunnel_of(x->ctl, &q->to))) {
        return conclude_flooded(x);
    }
    if (q->has_to && delivered && !stands && !fits(x, &q->to)) {
        return false;
    }
    if (!delivered && q->has_to) {
        conclude_absence(x);
    } else if (!delivered) {
        explain_conclude(x, "nobody", "", "nobody gets it");
    } else {
        explain_conclude(x, "delivered", "", "%s",
                         q->has_to ? "the port gets it"
                                   : "the ports below get it");
    }
    return delivered && !stands;
}
