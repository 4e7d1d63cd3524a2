/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Copies: out of which ports a channel's packets go, and to whom.
 *
 * A port gets one copy for all that are behind it, or, where it delivers by
 * unicast, one for each of its hosts.  Never both: a router port gets
 * everything for all (RFC 4541 2.1.2), whatever is behind it besides. */

#include "controller/ctl-private.h"

#include <stdlib.h>
#include <string.h>

#include "controller/fast-path.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(copies);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

struct copy_list {
    const struct ctl_switch *sw;
    uint16_t vlan;
    struct ofp_copy *copies;
    size_t n, allocated;
    bool rewrites; /* Some are rewritten. */
};

static void
add_out(struct copy_list *list, const struct ofp_copy *copy)
{
    if (list->n == list->allocated) {
        list->copies = xgrow(list->copies, list->n, &list->allocated,
                             sizeof *list->copies);
    }
    list->copies[list->n++] = *copy;
    list->rewrites |=
        copy->pop_vlan || copy->tun_dst || !mac_addr_is_zero(&copy->eth_dst);
}

static void
add(struct copy_list *list, const struct port_id *port,
    const struct mac_addr *mac)
{
    struct ofp_copy copy = {.eth_dst = *mac};
    if (switch_copy(list->sw, port, list->vlan, &copy)) {
        add_out(list, &copy);
    }
}

static void
add_link(void *list, uint32_t port)
{
    add_out(list, &(struct ofp_copy){.port = port});
}

static bool
add_copy(void *list, const struct igmp_copy *copy)
{
    add(list, &copy->port, &copy->mac);
    return true;
}

static bool
add_router_port(void *list, const struct port_id *port)
{
    static const struct mac_addr all;
    add(list, port, &all);
    return true;
}

/* Equal rewrites side by side, first those without one. */
static int
compare_copies(const void *a_, const void *b_)
{
    const struct ofp_copy *a = a_, *b = b_;
    int d = mac_addr_compare(&a->eth_dst, &b->eth_dst);
    d = d ? d : (int) a->pop_vlan - (int) b->pop_vlan;
    d = d || a->tun_dst == b->tun_dst ? d : a->tun_dst < b->tun_dst ? -1 : 1;
    return d ? d : a->port < b->port ? -1 : a->port > b->port;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

/* Sorts and drops doubles.  Members come sorted, so that there is something to
 * do only where there are router ports or unicast copies. */
static void
sort_copies(struct copy_list *list)
{
    struct ofp_copy *copies = list->copies;
    size_t n = 1;
    while (!list->rewrites && n < list->n
           && copies[n - 1].port < copies[n].port) {
        n++;
    }
    if (n >= list->n) {
        return;
    }
    qsort(copies, list->n, sizeof *copies, compare_copies);
    n = 1;
    for (size_t i = 1; i < list->n; i++) {
        if (compare_copies(&copies[n - 1], &copies[i])) {
            copies[n++] = copies[i];
        }
    }
    list->n = n;
}

/* Unicast copies go where there is one for all.  The list is sorted. */
static void
drop_doubles(struct copy_list *list)
{
    size_t n_all = 0, n;
    while (n_all < list->n && mac_addr_is_zero(&list->copies[n_all].eth_dst)) {
        n_all++;
    }
    n = n_all;
    for (size_t i = n_all; n_all && i < list->n; i++) {
        struct ofp_copy all = list->copies[i];
        memset(&all.eth_dst, 0, sizeof all.eth_dst);
        if (!bsearch(&all, list->copies, n_all, sizeof all, compare_copies)) {
            list->copies[n++] = list->copies[i];
        }
    }
    list->n = n_all ? n : list->n;
}

/* How many copies for single hosts a port gets. */
struct port_copies {
    uint32_t port;
    size_t n;
};

/* Most first. */
static int
compare_counts(const void *a_, const void *b_)
{
    const struct port_copies *a = a_, *b = b_;
    return a->n != b->n ? (a->n > b->n ? -1 : 1)
                        : compare_ports(&a->port, &b->port);
}

/* The ports that get copies for single hosts, those with the most first.  The
 * caller frees them. */
static struct port_copies *
count_ports(const struct copy_list *list, size_t *n_counts)
{
    uint32_t *ports = xcalloc(list->n, sizeof *ports);
    struct port_copies *counts = xcalloc(list->n, sizeof *counts);
    size_t n = 0;
    *n_counts = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!mac_addr_is_zero(&list->copies[i].eth_dst)
            && !list->copies[i].tun_dst) {
            ports[n++] = list->copies[i].port;
        }
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    for (size_t i = 0; i < n; i++) {
        if (!i || ports[i] != ports[i - 1]) {
            counts[(*n_counts)++].port = ports[i];
        }
        counts[*n_counts - 1].n++;
    }
    qsort(counts, *n_counts, sizeof *counts, compare_counts);
    free(ports);
    return counts;
}

/* More copies than the switch makes quickly, or takes at all: whole ports get
 * one for all again, so that nobody goes without. */
static void
merge_ports(const struct ctl_switch *sw, struct copy_list *list)
{
    static const struct mac_addr all;
    size_t n = list->n, n_counts;
    if (n <= FAST_PATH_OUTPUTS) {
        return;
    }
    struct port_copies *counts = count_ports(list, &n_counts);
    size_t i = 0;
    for (; i < n_counts && n > FAST_PATH_OUTPUTS && counts[i].n > 1; i++) {
        add(list, &(struct port_id){sw->dpid, counts[i].port}, &all);
        n -= counts[i].n - 1;
    }
    if (i) {
        VLOG_WARN_RL(&rl,
                     DPID_FMT ": %zu copies of a packet are too many: %zu "
                              "ports (%" PRIu32 "...) get one for all behind "
                              "them",
                     sw->dpid, list->n - i, i, counts[0].port);
        sort_copies(list);
        drop_doubles(list);
    }
    free(counts);
}

/* By which links: those of the channel's tree, of the one that it moves to. */
enum links { LINKS_NONE, LINKS_TREE, LINKS_MOVE };

static size_t
find_copies(const struct ctl_switch *sw, uint16_t vlan,
            const struct ip_addr *source, const struct ip_addr *group,
            enum links links, struct ofp_copy **copies)
{
    struct copy_list list = {.sw = sw, .vlan = vlan};
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, vlan);
    if (v) {
        const struct igmp_snoop *snoop = vlan_snoop_of(v, group);
        igmp_snoop_each_copy(snoop, source, group, sw->dpid, add_copy, &list);
        igmp_snoop_each_router_port(snoop, add_router_port, &list);
        tunnels_each_shared(sw, v,
                            &(struct channel){.group = *group,
                                              .source = *source,
                                              .vlan = vlan},
                            add_router_port, &list);
    }
    if (links) {
        fabric_each_port(sw, vlan, source, group, links == LINKS_MOVE,
                         add_link, &list);
    }
    sort_copies(&list);
    if (list.rewrites) {
        drop_doubles(&list);
        merge_ports(sw, &list);
    }
    *copies = list.copies;
    return list.n;
}

size_t
copies_of(const struct ctl_switch *sw, uint16_t vlan,
          const struct ip_addr *source, const struct ip_addr *group,
          struct ofp_copy **copies)
{
    return find_copies(sw, vlan, source, group, LINKS_TREE, copies);
}

size_t
copies_here(const struct ctl_switch *sw, uint16_t vlan,
            const struct ip_addr *source, const struct ip_addr *group,
            struct ofp_copy **copies)
{
    return find_copies(sw, vlan, source, group, LINKS_NONE, copies);
}

size_t
copies_moving(const struct ctl_switch *sw, uint16_t vlan,
              const struct ip_addr *source, const struct ip_addr *group,
              struct ofp_copy **copies)
{
    return find_copies(sw, vlan, source, group, LINKS_MOVE, copies);
}

/* The packet's IP addresses stay what they are: a host takes what comes to its
 * own MAC address and a group that it has joined. */
void
copy_to_bucket(const struct ofp_copy *copy, struct ofp_bucket *bucket)
{
    struct ofp_rewrite *rewrite = &bucket->rewrite;
    bucket->out_port = copy->port;
    if (copy->pop_vlan) {
        rewrite->set &= ~(unsigned int) OFP_SET_VLAN;
        /* A tag that is not put on need not be taken off. */
        rewrite->set = rewrite->set & OFP_PUSH_VLAN
                           ? rewrite->set & ~(unsigned int) OFP_PUSH_VLAN
                           : rewrite->set | OFP_POP_VLAN;
    }
    if (copy->tun_dst) {
        rewrite->set |= OFP_SET_TUNNEL;
        rewrite->tun_dst = copy->tun_dst;
        rewrite->tun_id = copy->tun_id;
    }
    if (!mac_addr_is_zero(&copy->eth_dst)) {
        bucket->rewrite.set |= OFP_SET_ETH_DST;
        bucket->rewrite.eth_dst = copy->eth_dst;
        bucket->rewrite.eth_dst_keep = 0;
    }
}
