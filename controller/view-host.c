/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Views of who is there: queriers, routers and hosts of a vlan. */

#include "controller/fabric.h"

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

/* How often the querier changed lately. */
static unsigned int
election_changes(const struct ctl_vlan *v, enum igmp_family f, int64_t now)
{
    const struct vlan_family *family = &v->families[f];
    unsigned int n = 0;
    for (unsigned int i = 0; i < ELECTION_MEMORY && i < family->n_elected;
         i++) {
        n += now - family->elected[i] < ELECTION_MEMORY_MS;
    }
    return n;
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
                    .rival_address = q.rival_address,
                    .rival_port = q.rival_port,
                    .rival_queries = q.rival_queries,
                    .changes = election_changes(v, family, now),
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

/* Hosts.  Each family's machine knows its own, and the fabric those from
 * which it has seen any frame: what has the same MAC address is the same host,
 * unless that speaks on several ports. */

enum { FROM_FABRIC = IGMP_N_FAMILIES, N_ENTRIES };

struct found_host {
    struct igmp_known_host known;
    int from;                /* A family, or FROM_FABRIC. */
    const struct host *host; /* NULL: from a machine. */
};

struct host_list {
    int from;
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
    const struct found_host *a = a_, *b = b_;
    int d = compare_keys(&a->known.mac, &a->known.port, &b->known.mac,
                         &b->known.port);
    return d ? d : a->from - b->from;
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
static void
add_found(struct host_list *list, const struct found_host *found)
{
    if (!is_behind(&found->known, list->after)) {
        return;
    }
    if (list->n >= 2 * list->max) {
        sort_hosts(list);
    }
    list->hosts =
        xgrow(list->hosts, list->n, &list->allocated, sizeof *list->hosts);
    list->hosts[list->n++] = *found;
}

static bool
add_host(void *list_, const struct igmp_known_host *host)
{
    struct host_list *list = list_;
    add_found(list, &(struct found_host){*host, list->from, NULL});
    return true;
}

static void
add_fabric_host(struct host_list *list, const struct host *h)
{
    add_found(list, &(struct found_host){.known = {.mac = h->key.mac,
                                                   .port = h->port,
                                                   .last_report = h->heard},
                                         .from = FROM_FABRIC,
                                         .host = h});
}

static bool
is_same_host(const struct igmp_known_host *a, const struct igmp_known_host *b)
{
    return !memcmp(&a->mac, &b->mac, sizeof a->mac)
           && (port_id_equal(&a->port, &b->port)
               || (!a->duplicate && !b->duplicate));
}

/* What the machines know of a host's addresses, and what the fabric does. */
enum { MAX_IPS = HOST_MAX_IPS + 4 };

static void
merge_ip(struct view_known_host *view, struct ip_addr ips[MAX_IPS],
         const struct ip_addr *ip)
{
    bool known = ip_addr_is_any(ip) || view->n_ips == MAX_IPS;
    for (size_t i = 0; i < view->n_ips; i++) {
        known |= ip_addr_equal(&ips[i], ip);
    }
    if (!known) {
        ips[view->n_ips++] = *ip;
    }
}

static void
merge_versions(struct view_known_host *view, const struct found_host *found)
{
    const struct igmp_known_host *h = &found->known;
    if (found->from == IGMP_IPV6) {
        view->mld_version = igmp_version_shown(IGMP_IPV6, h->version);
    } else if (found->from == IGMP_IPV4) {
        view->igmp_version = igmp_version_shown(IGMP_IPV4, h->version);
    }
}

/* Adds what one machine knows of the host to what others do. */
static void
merge_host(struct view_known_host *view, struct ip_addr ips[MAX_IPS],
           const struct found_host *found, int64_t now)
{
    const struct igmp_known_host *h = &found->known;
    int64_t age = now - h->last_report;
    merge_ip(view, ips, &h->ip);
    for (size_t i = 0; found->host && i < found->host->n_ips; i++) {
        merge_ip(view, ips, &found->host->ips[i]);
    }
    merge_versions(view, found);
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
each_host(struct ctl *ctl, uint16_t vlan, const struct host_list *list,
          size_t max, view_known_host_cb *cb, void *aux, bool *go_on)
{
    int64_t now = loop_now(ctl->loop);
    size_t n = 0;
    for (size_t i = 0; i < list->n && n < max && *go_on; n++) {
        const struct igmp_known_host *first = &list->hosts[i].known;
        struct ip_addr ips[MAX_IPS];
        struct view_known_host view = {
            .vlan = vlan, .mac = first->mac, .ips = ips, .age_ms = -1};
        for (; i < list->n && is_same_host(first, &list->hosts[i].known);
             i++) {
            merge_host(&view, ips, &list->hosts[i], now);
        }
        view.port_name = switch_port_name(ctl, &view.port);
        *go_on = cb(aux, &view);
    }
    return n;
}

/* The fabric's hosts, by vlan: sorted so that each is looked at once, however
 * many vlans there are. */
struct fabric_hosts {
    const struct host **hosts;
    size_t n, next;
};

static int
compare_host_vlans(const void *a_, const void *b_)
{
    const struct host *const *a = a_, *const *b = b_;
    return (*a)->key.vlan - (*b)->key.vlan;
}

static void
find_fabric_hosts(const struct ctl *ctl, uint16_t first,
                  struct fabric_hosts *found)
{
    const struct fabric *f = ctl->fabric;
    size_t n = f ? HASH_COUNT(f->hosts) : 0;
    *found = (struct fabric_hosts){.hosts = xcalloc(n + 1, sizeof(void *))};
    for (const struct host *h = n ? f->hosts : NULL; h; h = h->hh.next) {
        if (h->key.vlan >= first) {
            found->hosts[found->n++] = h;
        }
    }
    if (found->n) {
        qsort(found->hosts, found->n, sizeof *found->hosts,
              compare_host_vlans);
    }
}

static int
compare_vlans(const struct ctl_vlan *a, const struct ctl_vlan *b)
{
    return a->vlan - b->vlan;
}

/* The vlan's hosts; 'v' is NULL where only the fabric knows it. */
static void
find_hosts(const struct ctl_vlan *v, uint16_t vlan, struct host_list *list,
           struct fabric_hosts *fabric)
{
    for (int f = 0; v && f < IGMP_N_FAMILIES; f++) {
        list->from = f;
        igmp_snoop_each_host(vlan_snoop(v, f), add_host, list);
    }
    while (fabric->next < fabric->n
           && fabric->hosts[fabric->next]->key.vlan == vlan) {
        add_fabric_host(list, fabric->hosts[fabric->next++]);
    }
    sort_hosts(list);
}

void
view_hosts(struct ctl *ctl, const struct view_host_key *after, size_t max,
           view_known_host_cb *cb, void *aux)
{
    bool go_on = true;
    struct fabric_hosts fabric;
    uint16_t first = after ? after->vlan : 0;
    find_fabric_hosts(ctl, first, &fabric);
    HASH_SORT(ctl->vlans, compare_vlans);
    const struct ctl_vlan *v = ctl->vlans;
    while (v && v->vlan < first) {
        v = v->hh.next;
    }
    while (max && go_on && (v || fabric.next < fabric.n)) {
        uint16_t vlan = v ? v->vlan : UINT16_MAX;
        if (fabric.next < fabric.n
            && fabric.hosts[fabric.next]->key.vlan < vlan) {
            vlan = fabric.hosts[fabric.next]->key.vlan;
        }
        bool is_v = v && v->vlan == vlan;
        /* Each of them may be known to all three; what is cut off is then
         * behind the last one. */
        struct host_list list = {.after = after && vlan == after->vlan ? after
                                                                       : NULL,
                                 .max = N_ENTRIES * (max + 1)};
        find_hosts(is_v ? v : NULL, vlan, &list, &fabric);
        max -= each_host(ctl, vlan, &list, max, cb, aux, &go_on);
        free(list.hosts);
        v = is_v ? v->hh.next : v;
    }
    free(fabric.hosts);
}
