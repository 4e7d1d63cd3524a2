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
    return mac_addr_compare(&a->eth_dst, &b->eth_dst);
}

static bool
channel_of_match(const struct ofp_match *match, struct channel *channel)
{
    if (!(match->fields & OFP_MATCH_IP_DST)
        || !ip_prefix_is_host(&match->ip_dst)) {
        return false;
    }
    memset(channel, 0, sizeof *channel);
    channel->group = match->ip_dst.addr;
    channel->vlan = match->vlan;
    if (match->fields & OFP_MATCH_IP_SRC) {
        channel->source = match->ip_src.addr;
    }
    return true;
}

void
restore_adopt(struct ctl_switch *sw, const struct ofp_adopted *found)
{
    struct channel channel;
    if (!found->match_understood
        || !channel_of_match(&found->match, &channel)) {
        return;
    }
    sw->adopted = xgrow(sw->adopted, sw->n_adopted, &sw->allocated_adopted,
                        sizeof *sw->adopted);
    struct adopted_entry *entry = &sw->adopted[sw->n_adopted++];
    *entry = (struct adopted_entry){
        .channel = channel,
        .copies =
            xmemdup(found->copies, found->n_copies * sizeof *found->copies),
        .n_copies = found->n_copies,
        .punts = found->punts};
    if (entry->n_copies) {
        qsort(entry->copies, entry->n_copies, sizeof *entry->copies,
              compare_copies);
    }
}

/* Unregistered groups of the vlan went to these ports.  With another policy
 * nothing on the switch tells which ports lead to routers: then they come back
 * as members of what they got, until they are heard again. */
void
restore_router_ports(struct ctl_switch *sw, const struct ofp_adopted *found)
{
    struct ctl *ctl = sw->ctl;
    const struct ofp_match *m = &found->match;
    bool is_v6 =
        (m->fields & OFP_MATCH_ETH_TYPE) && m->eth_type == ETH_TYPE_IPV6;
    for (size_t i = 0; i < found->n_copies; i++) {
        struct port_id id = {sw->dpid, found->copies[i].port};
        if (switch_has_port(ctl, &id) && (m->fields & OFP_MATCH_VLAN)) {
            igmp_snoop_restore_router_port(
                vlan_snoop(vlan_get(ctl, m->vlan),
                           is_v6 ? IGMP_IPV6 : IGMP_IPV4),
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
    struct port_id id = {sw->dpid, copy->port};
    /* A router port gets everything, which says nothing of members. */
    if (!switch_has_port(sw->ctl, &id)
        || igmp_snoop_is_router_port(snoop, &id)) {
        return;
    }

    struct ip_addr sources[IGMP_MAX_SOURCES];
    struct ofp_copy all = {.port = copy->port};
    size_t n;
    bool exclude = filter_of(g, &all, sources, &n);
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
        vlan_get(sw->ctl, sw->adopted[i].channel.vlan);
    }
}

void
restore_memberships(struct ctl_switch *sw)
{
    if (sw->n_adopted) {
        qsort(sw->adopted, sw->n_adopted, sizeof *sw->adopted,
              compare_adopted);
    }
    for (size_t i = 0, end; i < sw->n_adopted; i = end) {
        const struct channel *c = &sw->adopted[i].channel;
        for (end = i + 1; end < sw->n_adopted; end++) {
            const struct channel *d = &sw->adopted[end].channel;
            if (d->vlan != c->vlan || !ip_addr_equal(&d->group, &c->group)) {
                break;
            }
        }
        restore_group(
            sw, &(struct adopted_group){.entries = &sw->adopted[i],
                                        .n = end - i,
                                        .star = ip_addr_is_any(&c->source)});
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
