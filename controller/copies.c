/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Copies: out of which ports a channel's packets go, and to whom.
 *
 * A port gets one copy for all that are behind it, or, where it delivers by
 * unicast, one for each of its hosts.  Never both: a router port gets
 * everything for all (RFC 4541 2.1.2), whatever is behind it besides. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "controller/fast-path.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(copies);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);

struct copy_list {
    uint64_t dpid;
    struct ofp_copy *copies;
    size_t n, allocated;
    bool unicast; /* There are such. */
};

static void
add(struct copy_list *list, const struct port_id *port,
    const struct mac_addr *mac)
{
    if (port->dpid == list->dpid) {
        if (list->n == list->allocated) {
            list->copies = xgrow(list->copies, list->n, &list->allocated,
                                 sizeof *list->copies);
        }
        list->copies[list->n++] = (struct ofp_copy){
            .port = (uint32_t) port->port_no, .eth_dst = *mac};
        list->unicast |= !mac_addr_is_zero(mac);
    }
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
    while (!list->unicast && n < list->n
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
        struct ofp_copy all = {.port = list->copies[i].port};
        if (!bsearch(&all, list->copies, n_all, sizeof all, compare_copies)) {
            list->copies[n++] = list->copies[i];
        }
    }
    list->n = n_all ? n : list->n;
}

/* The port with the most copies for single hosts; 0 if none has two. */
static uint32_t
busiest_port(const struct copy_list *list)
{
    uint32_t *ports = xcalloc(list->n, sizeof *ports), busiest = 0;
    size_t n = 0, most = 1;
    for (size_t i = 0; i < list->n; i++) {
        if (!mac_addr_is_zero(&list->copies[i].eth_dst)) {
            ports[n++] = list->copies[i].port;
        }
    }
    if (n) {
        qsort(ports, n, sizeof *ports, compare_ports);
    }
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && ports[end] == ports[i]; end++) {
        }
        if (end - i > most) {
            most = end - i;
            busiest = ports[i];
        }
    }
    free(ports);
    return busiest;
}

/* More copies than the switch makes quickly, or takes at all: whole ports get
 * one for all again, so that nobody goes without. */
static void
merge_ports(const struct ctl_switch *sw, struct copy_list *list)
{
    uint32_t port;
    while (list->n > FAST_PATH_OUTPUTS && (port = busiest_port(list))) {
        static const struct mac_addr all;
        VLOG_WARN_RL(&rl,
                     DPID_FMT ": %zu copies of a packet are too many: port "
                              "%" PRIu32 " gets one for all behind it",
                     sw->dpid, list->n, port);
        add(list, &(struct port_id){sw->dpid, port}, &all);
        sort_copies(list);
        drop_doubles(list);
    }
}

size_t
copies_of(const struct ctl_switch *sw, uint16_t vlan,
          const struct ip_addr *source, const struct ip_addr *group,
          struct ofp_copy **copies)
{
    struct copy_list list = {.dpid = sw->dpid};
    const struct ctl_vlan *v = vlan_lookup(sw->ctl, vlan);
    if (v) {
        const struct igmp_snoop *snoop = vlan_snoop_of(v, group);
        igmp_snoop_each_copy(snoop, source, group, sw->dpid, add_copy, &list);
        igmp_snoop_each_router_port(snoop, add_router_port, &list);
    }
    sort_copies(&list);
    if (list.unicast) {
        drop_doubles(&list);
        merge_ports(sw, &list);
    }
    *copies = list.copies;
    return list.n;
}

/* The packet's IP addresses stay what they are: a host takes what comes to its
 * own MAC address and a group that it has joined. */
void
copy_to_bucket(const struct ofp_copy *copy, struct ofp_bucket *bucket)
{
    bucket->out_port = copy->port;
    if (!mac_addr_is_zero(&copy->eth_dst)) {
        bucket->rewrite.set |= OFP_SET_ETH_DST;
        bucket->rewrite.eth_dst = copy->eth_dst;
    }
}
