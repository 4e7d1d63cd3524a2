/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What a switch was found to hold tells who was a member.
 *
 * The entries of our channels are collected while the table reads back, and
 * put back into the membership machines when it is synced: a restart of the
 * daemon changes nothing until hosts have had their time to answer.
 *
 *      (*,G)  -> 1, 2, 3:host A        1: all but S
 *      (S,G)  -> 2, 3:host A           2: all
 *                                      3: all, to host A */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "controller/route-far.h"
#include "lib/xalloc.h"

/* The entries of one (vlan, group), the (*,G) first. */
struct adopted_group {
    const struct adopted_entry *entries;
    size_t n;
    bool star; /* There is a (*,G). */
};

/* Collecting. */

static int
compare_copies(const void *a_, const void *b_)
{
    const struct ofp_copy *a = a_, *b = b_;
    if (a->port != b->port) {
        return a->port < b->port ? -1 : 1;
    }
    if (a->tun_dst != b->tun_dst) {
        return a->tun_dst < b->tun_dst ? -1 : 1;
    }
    return mac_addr_compare(&a->eth_dst, &b->eth_dst);
}

/* What the entry is of; unregistered groups have the family's any. */
static bool
channel_of_match(enum adopted_kind kind, const struct ofp_match *match,
                 struct channel *channel)
{
    memset(channel, 0, sizeof *channel);
    channel->vlan = match->vlan;
    if (kind == ADOPTED_FLOOD) {
        return !(match->fields & OFP_MATCH_VLAN);
    } else if (match->fields == OFP_MATCH_ETH_DST) {
        memcpy(channel->group.b, &match->eth_dst, sizeof match->eth_dst);
        channel->group.b[0] &= FAR_MASK;
        return true;
    } else if (kind == ADOPTED_ROUTERS) {
        bool v6 = (match->fields & OFP_MATCH_ETH_TYPE)
                  && match->eth_type == ETH_TYPE_IPV6;
        channel->group = v6 ? IP_ADDR_ANY : ip_addr_v4(0);
        return (match->fields & OFP_MATCH_VLAN)
               && !(match->fields & OFP_MATCH_METADATA);
    } else if (kind == ADOPTED_MOVE && match->metadata != FROM_EDGE) {
        return false;
    } else if (!(match->fields & OFP_MATCH_IP_DST)
               || !ip_prefix_is_host(&match->ip_dst)) {
        return false;
    }
    channel->group = match->ip_dst.addr;
    if (match->fields & OFP_MATCH_IP_SRC) {
        channel->source = match->ip_src.addr;
    }
    return true;
}

void
restore_adopt(struct ctl_switch *sw, enum adopted_kind kind,
              const struct ofp_adopted *found)
{
    struct channel channel;
    if (!found->match_understood
        || !channel_of_match(kind, &found->match, &channel)) {
        return;
    }
    sw->adopted = xgrow(sw->adopted, sw->n_adopted, &sw->allocated_adopted,
                        sizeof *sw->adopted);
    struct adopted_entry *entry = &sw->adopted[sw->n_adopted++];
    *entry = (struct adopted_entry){
        .kind = kind,
        .channel = channel,
        .copies =
            xmemdup(found->copies, found->n_copies * sizeof *found->copies),
        .n_copies = found->n_copies,
        .punts = found->punts || kind == ADOPTED_LEARN,
        .mark = found->cookie & 0xffffff};
    if (entry->n_copies) {
        qsort(entry->copies, entry->n_copies, sizeof *entry->copies,
              compare_copies);
    }
}

static struct port_id
port_of(const struct ctl_switch *sw, const struct ofp_copy *copy)
{
    return port_id_make(sw->dpid, copy->port, copy->tun_dst);
}

/* Unregistered groups of the vlan went to these ports.  With another policy
 * nothing on the switch tells which ports lead to routers: then they come back
 * as members of what they got, until they are heard again. */
static void
restore_router_ports(struct ctl_switch *sw, const struct adopted_entry *e)
{
    struct ctl *ctl = sw->ctl;
    bool is_v4 = ip_addr_is_v4(&e->channel.group);
    for (size_t i = 0; i < e->n_copies; i++) {
        struct port_id id = port_of(sw, &e->copies[i]);
        if (switch_has_port(ctl, &id)
            && fabric_found_role(sw, e->copies[i].port) != TOPO_ROLE_LINK
            && !members_hold_router(ctl, e->channel.vlan, &id)) {
            igmp_snoop_restore_router_port(
                vlan_snoop(vlan_get(ctl, e->channel.vlan),
                           is_v4 ? IGMP_IPV4 : IGMP_IPV6),
                &id, loop_now(ctl->loop));
        }
    }
}

/* Putting back. */

/* The first copy of the entry that is not before 'copy'. */
static size_t
place(const struct adopted_entry *e, const struct ofp_copy *copy)
{
    size_t low = 0, high = e->n_copies;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_copies(&e->copies[middle], copy) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Does the entry have this copy, or (without a host) any for the port? */
static bool
has_copy(const struct adopted_entry *e, const struct ofp_copy *copy)
{
    size_t i = place(e, copy);
    return i < e->n_copies && e->copies[i].port == copy->port
           && e->copies[i].tun_dst == copy->tun_dst
           && (mac_addr_is_zero(&copy->eth_dst)
               || !compare_copies(&e->copies[i], copy));
}

/* Reads a filter out of the entries: a receiver of (*,G) excludes the sources
 * whose (S,G) leaves it out, any other includes those whose (S,G) names it. */
static bool
filter_of(const struct adopted_group *g, const struct ofp_copy *copy,
          struct ip_addr sources[IGMP_MAX_SOURCES], size_t *n)
{
    bool exclude = g->star && has_copy(&g->entries[0], copy);
    *n = 0;
    for (size_t i = g->star; i < g->n && *n < IGMP_MAX_SOURCES; i++) {
        if (has_copy(&g->entries[i], copy) != exclude) {
            sources[(*n)++] = g->entries[i].channel.source;
        }
    }
    return exclude;
}

/* Is this very copy one of the first 'n' entries'? */
static bool
is_among(const struct adopted_group *g, size_t n, const struct ofp_copy *copy)
{
    for (size_t i = 0; i < n; i++) {
        const struct adopted_entry *e = &g->entries[i];
        size_t k = place(e, copy);
        if (k < e->n_copies && !compare_copies(&e->copies[k], copy)) {
            return true;
        }
    }
    return false;
}

static void
restore_copy(struct ctl_switch *sw, const struct adopted_group *g,
             const struct ofp_copy *copy)
{
    const struct channel *channel = &g->entries[0].channel;
    struct igmp_snoop *snoop =
        vlan_snoop_of(vlan_get(sw->ctl, channel->vlan), &channel->group);
    int64_t now = loop_now(sw->ctl->loop);
    struct port_id id = port_of(sw, copy);
    /* A router port gets everything, which says nothing of members. */
    if (!switch_has_port(sw->ctl, &id)
        || fabric_found_role(sw, copy->port) == TOPO_ROLE_LINK
        || igmp_snoop_is_router_port(snoop, &id)
        || members_hold_router(sw->ctl, channel->vlan, &id)) {
        return;
    }

    struct ip_addr sources[IGMP_MAX_SOURCES];
    struct ofp_copy all = {.port = copy->port, .tun_dst = copy->tun_dst};
    size_t n;
    bool exclude = filter_of(g, &all, sources, &n);
    if (members_hold(sw->ctl, channel->vlan, &channel->group, &id, exclude,
                     sources, &n)) {
        return;
    }
    tunnels_restored(sw->ctl, &id);
    igmp_snoop_restore(snoop, &id, &channel->group, exclude, sources, n, now);
    /* A port that got one for all in some entry has hosts that no other entry
     * need name. */
    if (!mac_addr_is_zero(&copy->eth_dst) && !is_among(g, g->n, &all)) {
        exclude = filter_of(g, copy, sources, &n);
        igmp_snoop_restore_host(snoop, &id, &channel->group, &copy->eth_dst,
                                exclude, sources, n, now);
    }
}

static void
restore_group(struct ctl_switch *sw, const struct adopted_group *g)
{
    if (g->star) {
        channel_restore(sw, g->entries, g->n);
    }
    for (size_t i = 0; i < g->n; i++) {
        const struct adopted_entry *e = &g->entries[i];
        for (size_t j = 0; j < e->n_copies; j++) {
            if (!is_among(g, i, &e->copies[j])) {
                restore_copy(sw, g, &e->copies[j]);
            }
        }
    }
}

/* Groups the entries of one (vlan, group), the (*,G) first. */
static int
compare_adopted(const void *a_, const void *b_)
{
    const struct adopted_entry *a = a_, *b = b_;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->channel.vlan != b->channel.vlan) {
        return a->channel.vlan < b->channel.vlan ? -1 : 1;
    }
    int d = ip_addr_compare(&a->channel.group, &b->channel.group);
    return d ? d : ip_addr_compare(&a->channel.source, &b->channel.source);
}

void
restore_vlans(struct ctl_switch *sw)
{
    for (size_t i = 0; i < sw->n_adopted; i++) {
        if (sw->adopted[i].kind < ADOPTED_FAR) {
            vlan_get(sw->ctl, sw->adopted[i].channel.vlan);
        }
    }
}

/* The entries of a kind, which are sorted. */
static struct adopted_entry *
of_kind(const struct ctl_switch *sw, enum adopted_kind kind, size_t *n)
{
    size_t first = 0, end;
    while (first < sw->n_adopted && sw->adopted[first].kind < kind) {
        first++;
    }
    end = first;
    while (end < sw->n_adopted && sw->adopted[end].kind == kind) {
        end++;
    }
    *n = end - first;
    return &sw->adopted[first];
}

/* With l2: fabric what searches for a channel's sources is an entry of its
 * own. */
static void
restore_punts(struct ctl_switch *sw)
{
    size_t n_learn, n;
    const struct adopted_entry *learn = of_kind(sw, ADOPTED_LEARN, &n_learn);
    struct adopted_entry *entries = of_kind(sw, ADOPTED_CHANNEL, &n);
    for (size_t i = 0; n_learn && i < n; i++) {
        struct adopted_entry key = {.kind = ADOPTED_LEARN,
                                    .channel = entries[i].channel};
        entries[i].punts |=
            bsearch(&key, learn, n_learn, sizeof key, compare_adopted) != NULL;
    }
}

static void
restore_groups(struct ctl_switch *sw)
{
    size_t n;
    const struct adopted_entry *entries = of_kind(sw, ADOPTED_CHANNEL, &n);
    for (size_t i = 0, end; i < n; i = end) {
        const struct channel *c = &entries[i].channel;
        for (end = i + 1; end < n; end++) {
            const struct channel *d = &entries[end].channel;
            if (d->vlan != c->vlan || !ip_addr_equal(&d->group, &c->group)) {
                break;
            }
        }
        restore_group(
            sw, &(struct adopted_group){.entries = &entries[i],
                                        .n = end - i,
                                        .star = ip_addr_is_any(&c->source)});
    }
}

/* Some switches may have the channel's entries of the old tree, others those
 * of the new one, which together may be a loop: what is kept of them is where
 * its members are, and a tree is made anew. */
static bool
was_moving(const struct ctl_switch *sw, const struct adopted_entry *e)
{
    struct adopted_entry key = {.kind = ADOPTED_MOVE, .channel = e->channel};
    size_t n;
    const struct adopted_entry *moves = of_kind(sw, ADOPTED_MOVE, &n);
    key.channel.source = IP_ADDR_ANY;
    return n && (e->kind == ADOPTED_CHANNEL || e->kind == ADOPTED_FAR)
           && bsearch(&key, moves, n, sizeof key, compare_adopted);
}

void
restore_memberships(struct ctl_switch *sw)
{
    if (sw->n_adopted) {
        qsort(sw->adopted, sw->n_adopted, sizeof *sw->adopted,
              compare_adopted);
        restore_punts(sw);
        size_t n;
        const struct adopted_entry *routers = of_kind(sw, ADOPTED_ROUTERS, &n);
        for (size_t i = 0; i < n; i++) {
            restore_router_ports(sw, &routers[i]);
        }
        restore_groups(sw);
    }
    for (size_t i = 0; i < sw->n_adopted; i++) {
        const struct adopted_entry *e = &sw->adopted[i];
        if (e->kind > ADOPTED_MOVE && !was_moving(sw, e)) {
            fabric_adopt(sw, e);
        }
    }
    restore_forget(sw);
}

void
restore_forget(struct ctl_switch *sw)
{
    for (size_t i = 0; i < sw->n_adopted; i++) {
        free(sw->adopted[i].copies);
    }
    free(sw->adopted);
    sw->adopted = NULL;
    sw->n_adopted = sw->allocated_adopted = 0;
}
