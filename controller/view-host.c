/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of who is there: queriers, routers and hosts of a vlan. */

#include "controller/ctl-private.h"

#include <stdlib.h>

#include "lib/xalloc.h"

int64_t
view_remaining(int64_t at, int64_t now)
{
    return at == INT64_MAX ? -1 : at > now ? at - now : 0;
}

/* Queriers and routers. */

struct router_list {
    const struct ctl_vlan *vlan;
    int64_t now;
    struct view_router *routers;
    size_t n, allocated;
};

static bool
add_router(void *list_, const struct igmp_router_view *r)
{
    struct router_list *list = list_;
    list->routers =
        xgrow(list->routers, list->n, &list->allocated, sizeof *list->routers);
    list->routers[list->n++] = (struct view_router){
        .port = r->port,
        .port_name = switch_port_name(list->vlan->ctl, &r->port),
        .sign = r->sign,
        .fixed = r->fixed,
        .fixed_by = members_at(list->vlan->ctl, list->vlan->vlan, &IP_ADDR_ANY,
                               &r->port),
        .expires_ms = view_remaining(r->expires, list->now)};
    return true;
}

static bool
build_querier(const struct ctl_vlan *v, enum igmp_family family,
              view_querier_cb *cb, void *aux)
{
    const struct igmp_snoop *snoop = vlan_snoop(v, family);
    int64_t now = loop_now(v->ctl->loop);
    struct router_list list = {.vlan = v, .now = now};
    struct igmp_querier_view q;
    igmp_snoop_querier(snoop, &q);
    igmp_snoop_each_router(snoop, add_router, &list);
    bool go_on =
        cb(aux, &(struct view_querier){
                    .vlan = v->vlan,
                    .family = family == IGMP_IPV6 ? 6 : 4,
                    .enabled = v->config->igmp[family].querier,
                    .ours = q.ours,
                    .address = q.address,
                    .port = q.port,
                    .version = igmp_version_shown(family, q.version),
                    .since_ms = now - q.since,
                    .next_query_ms = view_remaining(q.next_query, now),
                    .expires_ms = view_remaining(q.expires, now),
                    .query_interval_ms = q.query_interval,
                    .robustness = q.robustness,
                    .falls_back = q.falls_back,
                    .routers = list.routers,
                    .n_routers = list.n});
    for (size_t i = 0; i < list.n; i++) {
        free((void *) list.routers[i].fixed_by);
    }
    free(list.routers);
    return go_on;
}

void
view_queriers(struct ctl *ctl, view_querier_cb *cb, void *aux)
{
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            if (!build_querier(v, f, cb, aux)) {
                return;
            }
        }
    }
}

/* Hosts.  Each family's machine knows its own: what has the same MAC address
 * is the same host, unless that speaks on several ports. */

struct found_host {
    struct igmp_known_host known;
    enum igmp_family family;
};

struct host_list {
    enum igmp_family family;
    const struct view_host_key *after; /* NULL: all of the vlan. */
    size_t max;
    struct found_host *hosts;
    size_t n, allocated;
};

static int
compare_keys(const struct mac_addr *a_mac, const struct port_id *a,
             const struct mac_addr *b_mac, const struct port_id *b)
{
    int d = memcmp(a_mac, b_mac, sizeof *a_mac);
    if (d) {
        return d;
    }
    if (a->dpid != b->dpid) {
        return a->dpid < b->dpid ? -1 : 1;
    }
    return a->port_no < b->port_no ? -1 : a->port_no > b->port_no;
}

static int
compare_hosts(const void *a_, const void *b_)
{
    const struct igmp_known_host *a = &((const struct found_host *) a_)->known;
    const struct igmp_known_host *b = &((const struct found_host *) b_)->known;
    return compare_keys(&a->mac, &a->port, &b->mac, &b->port);
}

/* A host that was shown on one port is not shown again for what it said on
 * another, unless it speaks on both. */
static bool
is_behind(const struct igmp_known_host *h, const struct view_host_key *after)
{
    return !after
           || (compare_keys(&h->mac, &h->port, &after->mac, &after->port) > 0
               && (h->duplicate
                   || memcmp(&h->mac, &after->mac, sizeof h->mac)));
}

static void
sort_hosts(struct host_list *list)
{
    if (list->n) {
        qsort(list->hosts, list->n, sizeof *list->hosts, compare_hosts);
    }
    list->n = list->n < list->max ? list->n : list->max;
}

/* Keeps the first 'max': sorting each time that as many again have come. */
static bool
add_host(void *list_, const struct igmp_known_host *host)
{
    struct host_list *list = list_;
    if (!is_behind(host, list->after)) {
        return true;
    }
    if (list->n >= 2 * list->max) {
        sort_hosts(list);
    }
    list->hosts =
        xgrow(list->hosts, list->n, &list->allocated, sizeof *list->hosts);
    list->hosts[list->n++] = (struct found_host){*host, list->family};
    return true;
}

static bool
is_same_host(const struct igmp_known_host *a, const struct igmp_known_host *b)
{
    return !memcmp(&a->mac, &b->mac, sizeof a->mac)
           && (port_id_equal(&a->port, &b->port)
               || (!a->duplicate && !b->duplicate));
}

enum { HOST_MAX_IPS = 4, N_ENTRIES = IGMP_N_FAMILIES };

/* Adds what one machine knows of the host to what others do. */
static void
merge_host(struct view_known_host *view, struct ip_addr ips[HOST_MAX_IPS],
           const struct found_host *found, int64_t now)
{
    const struct igmp_known_host *h = &found->known;
    int version = igmp_version_shown(found->family, h->version);
    int64_t age = now - h->last_report;
    bool known = ip_addr_is_any(&h->ip) || view->n_ips == HOST_MAX_IPS;
    for (size_t i = 0; i < view->n_ips; i++) {
        known |= ip_addr_equal(&ips[i], &h->ip);
    }
    if (!known) {
        ips[view->n_ips++] = h->ip;
    }
    if (found->family == IGMP_IPV6) {
        view->mld_version = version;
    } else {
        view->igmp_version = version;
    }
    view->n_groups += h->n_groups;
    view->duplicate |= h->duplicate;
    /* It is where it was heard last. */
    if (view->age_ms < 0 || age < view->age_ms) {
        view->port = h->port;
        view->age_ms = age;
    }
}

/* Returns how many of them 'cb' took; '*go_on' is false when it stopped. */
static size_t
each_host(const struct ctl_vlan *v, const struct host_list *list, size_t max,
          view_known_host_cb *cb, void *aux, bool *go_on)
{
    int64_t now = loop_now(v->ctl->loop);
    size_t n = 0;
    for (size_t i = 0; i < list->n && n < max && *go_on; n++) {
        const struct igmp_known_host *first = &list->hosts[i].known;
        struct ip_addr ips[HOST_MAX_IPS];
        struct view_known_host view = {
            .vlan = v->vlan, .mac = first->mac, .ips = ips, .age_ms = -1};
        for (; i < list->n && is_same_host(first, &list->hosts[i].known);
             i++) {
            merge_host(&view, ips, &list->hosts[i], now);
        }
        view.port_name = switch_port_name(v->ctl, &view.port);
        *go_on = cb(aux, &view);
    }
    return n;
}

static int
compare_vlans(const struct ctl_vlan *a, const struct ctl_vlan *b)
{
    return a->vlan - b->vlan;
}

void
view_hosts(struct ctl *ctl, const struct view_host_key *after, size_t max,
           view_known_host_cb *cb, void *aux)
{
    bool go_on = true;
    HASH_SORT(ctl->vlans, compare_vlans);
    struct ctl_vlan *v, *tmp;
    HASH_ITER (hh, ctl->vlans, v, tmp) {
        if (!max || !go_on) {
            return;
        }
        if (after && v->vlan < after->vlan) {
            continue;
        }
        /* Each of them may be known to both machines; what is cut off is then
         * behind the last one. */
        struct host_list list = {
            .after = after && v->vlan == after->vlan ? after : NULL,
            .max = N_ENTRIES * (max + 1)};
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            list.family = f;
            igmp_snoop_each_host(vlan_snoop(v, f), add_host, &list);
        }
        sort_hosts(&list);
        max -= each_host(v, &list, max, cb, aux, &go_on);
        free(list.hosts);
    }
}
