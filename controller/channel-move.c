/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Entries that a channel has while it moves to another tree: see
 * spread-move.c. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

/* In the first byte of a MAC address.  "Locally administered" (2) is set in
 * the addresses of IPv6 groups (33:33:...) anyway; the bit that tells marked
 * from others is one that neither they nor those of IPv4 (01:00:5e:...)
 * have. */
enum { MARK = 4, MARK_LOCAL = MARK | 2 };

/* A marked packet keeps to marked entries: where there is none, as while a
 * move begins or ends out of order (a daemon that is killed, a net that
 * breaks), the usual ones would take it to another tree, and round. */
void
channel_set_guard(struct ctl_switch *sw)
{
    static const uint16_t types[] = {ETH_TYPE_IPV4, ETH_TYPE_IPV6};
    struct ofp_flow flow = {.table = TABLE_MCAST,
                            .priority = PRIO_MOVE + PRIO_STAR_G / 2,
                            .cookie = cookie_make(COOKIE_PIPELINE, 0)};
    flow.match.fields =
        OFP_MATCH_METADATA | OFP_MATCH_ETH_TYPE | OFP_MATCH_ETH_DST;
    flow.match.metadata = FROM_LINK;
    flow.match.eth_dst.b[0] = flow.match.eth_dst_mask.b[0] = MARK | 1;
    for (size_t i = 0; i < 2; i++) {
        flow.match.eth_type = types[i];
        pipeline_set_flow(sw, &flow);
    }
}

static struct ofp_flow
move_flow(const struct channel *channel, enum move_way way)
{
    bool star = ip_addr_is_any(&channel->source);
    struct ofp_flow flow = {
        .table = TABLE_MCAST,
        .priority = (uint16_t) (PRIO_MOVE + (star ? PRIO_STAR_G : PRIO_S_G)),
        .match = channel_match(channel),
        .cookie = cookie_make(COOKIE_MOVE, 0),
        .output = OFP_OUT_GROUP};
    flow.match.fields |= OFP_MATCH_METADATA;
    flow.match.metadata = way == MOVE_MARKED ? FROM_LINK : FROM_EDGE;
    if (way == MOVE_MARKED) {
        flow.match.fields |= OFP_MATCH_ETH_DST;
        flow.match.eth_dst.b[0] = flow.match.eth_dst_mask.b[0] = MARK;
    }
    return flow;
}

/* On links packets are marked, hosts get them as they were. */
static void
rewrite(const struct ctl_switch *sw, const struct channel *channel,
        enum move_way way, struct ofp_copy *copy)
{
    struct port_id id = {sw->dpid, copy->port};
    bool link = fabric_role(sw->ctl, &id) == TOPO_ROLE_LINK;
    if (!mac_addr_is_zero(&copy->eth_dst) || link != (way == MOVE_FLIPPED)) {
        return;
    }
    copy->eth_dst = mac_addr_of_group(&channel->group);
    if (link) {
        copy->eth_dst.b[0] |= MARK_LOCAL;
    }
}

/* As if the switch had no entry: what is shown to us we deliver
 * (streams.c). */
static void
set_miss(struct ctl_switch *sw, const struct channel *channel)
{
    struct ofp_flow flow = move_flow(channel, MOVE_LEFT);
    flow.output = OFP_OUT_NONE;
    flow.punt = true;
    flow.punt_meter = METER_SOURCES;
    ofp_table_set(sw->table, &flow, NULL, 0, 0, NULL);
}

static void
set_entry(struct ctl_switch *sw, const struct channel *channel,
          enum move_way way)
{
    struct ofp_flow flow = move_flow(channel, way);
    struct ofp_copy *copies;
    size_t n = copies_moving(sw, channel->vlan, &channel->source,
                             &channel->group, &copies);
    struct ofp_bucket *buckets = xcalloc(n + 1, sizeof *buckets);
    for (size_t i = 0; i < n; i++) {
        rewrite(sw, channel, way, &copies[i]);
        copy_to_bucket(&copies[i], &buckets[i]);
    }
    ofp_table_set(sw->table, &flow, buckets, n, 0, NULL);
    free(buckets);
    free(copies);
}

static void
unset_entry(struct ctl_switch *sw, const struct channel *channel,
            enum move_way way)
{
    struct ofp_flow flow = move_flow(channel, way);
    ofp_table_unset(sw->table, flow.table, flow.priority, &flow.match);
}

void
channel_set_move(struct ctl_switch *sw, const struct channel *channel)
{
    uint16_t vlan = channel->vlan;
    const struct ip_addr *group = &channel->group;
    if (fabric_moves(sw, vlan, group, MOVE_MARKED)) {
        set_entry(sw, channel, MOVE_MARKED);
    } else {
        unset_entry(sw, channel, MOVE_MARKED);
    }
    if (fabric_moves(sw, vlan, group, MOVE_FLIPPED)) {
        set_entry(sw, channel, MOVE_FLIPPED);
    } else if (fabric_moves(sw, vlan, group, MOVE_LEFT)) {
        set_miss(sw, channel);
    } else {
        unset_entry(sw, channel, MOVE_FLIPPED);
    }
}

void
channel_unset_move(struct ctl_switch *sw, const struct channel *channel)
{
    unset_entry(sw, channel, MOVE_MARKED);
    unset_entry(sw, channel, MOVE_FLIPPED);
}
