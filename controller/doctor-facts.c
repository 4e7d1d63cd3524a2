/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the doctor's checks look at. */

#include "controller/doctor-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct gathering {
    struct doctor_look *look;
    struct doctor_facts *facts;
};

/* Groups. */

static bool
add_group(void *g_, const struct view_group *group)
{
    struct gathering *g = g_;
    struct doctor_facts *f = g->facts;
    doctor_check_members(g->look, group);
    if (group->n_members) {
        f->groups = xgrow(f->groups, f->n_groups, &f->allocated_groups,
                          sizeof *f->groups);
        struct doctor_group *to = &f->groups[f->n_groups++];
        *to = (struct doctor_group){.vlan = group->vlan,
                                    .group = group->group,
                                    .n_ports = group->n_members,
                                    .first = group->members[0]};
        to->first.hosts = NULL;
        to->first.sources = NULL;
        to->first.fixed_by = NULL;
    }
    return true;
}

static int
compare_groups(const void *a_, const void *b_)
{
    const struct doctor_group *a = a_, *b = b_;
    int d = ip_addr_compare(&a->group, &b->group);
    return d ? d : (int) a->vlan - (int) b->vlan;
}

/* Streams. */

static bool
add_stream(void *g_, const struct view_stream *stream)
{
    struct doctor_facts *f = ((struct gathering *) g_)->facts;
    f->streams = xgrow(f->streams, f->n_streams, &f->allocated_streams,
                       sizeof *f->streams);
    f->streams[f->n_streams++] = *stream;
    return true;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_streams(const void *a_, const void *b_)
{
    const struct view_stream *a = a_, *b = b_;
    int order[] = {ip_addr_compare(&a->group, &b->group),
                   compare_numbers(a->vlan, b->vlan),
                   ip_addr_compare(&a->source, &b->source),
                   compare_numbers(a->port.dpid, b->port.dpid),
                   compare_numbers(a->port.port_no, b->port.port_no)};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (order[i]) {
            return order[i];
        }
    }
    return 0;
}

/* Queriers. */

static bool
add_querier(void *g_, const struct view_querier *querier)
{
    struct doctor_facts *f = ((struct gathering *) g_)->facts;
    f->queriers = xgrow(f->queriers, f->n_queriers, &f->allocated_queriers,
                        sizeof *f->queriers);
    struct view_querier *q = &f->queriers[f->n_queriers++];
    *q = *querier;
    q->routers = xmemdup(querier->routers, q->n_routers * sizeof *q->routers);
    return true;
}

/* Subnets. */

static struct doctor_subnet *
get_subnet(struct doctor_facts *f, uint16_t vlan)
{
    for (size_t i = 0; i < f->n_subnets; i++) {
        if (f->subnets[i].vlan == vlan) {
            return &f->subnets[i];
        }
    }
    f->subnets = xgrow(f->subnets, f->n_subnets, &f->allocated_subnets,
                       sizeof *f->subnets);
    struct doctor_subnet *s = &f->subnets[f->n_subnets++];
    *s = (struct doctor_subnet){.vlan = vlan};
    return s;
}

static void
widen(struct doctor_subnet *s, const struct ip_addr *ip)
{
    enum { SLASH_24 = 96 + 24 };
    uint32_t address = ip_addr_to_v4(ip);
    if (!s->n_hosts++) {
        s->prefix.addr = ip_addr_v4(address & 0xffffff00);
        s->prefix.len = SLASH_24;
        s->example = *ip;
    }
    while (s->prefix.len > 96 && !ip_prefix_contains(&s->prefix, ip)) {
        s->prefix.len--;
        uint32_t mask = (uint32_t) (0xffffffffULL << (128 - s->prefix.len));
        s->prefix.addr = ip_addr_v4(ip_addr_to_v4(&s->prefix.addr) & mask);
    }
}

static bool
add_host(void *g_, const struct view_known_host *host)
{
    struct doctor_facts *f = ((struct gathering *) g_)->facts;
    for (size_t i = 0; i < host->n_ips; i++) {
        const struct ip_addr *ip = &host->ips[i];
        if (ip_addr_is_v4(ip) && ip_addr_can_send(ip) && host->igmp_version) {
            widen(get_subnet(f, host->vlan), ip);
        }
    }
    return true;
}

void
doctor_gather(struct doctor_look *look, struct doctor_facts *facts)
{
    enum { ENOUGH_HOSTS = 4096 };
    struct gathering g = {look, facts};
    view_groups(look->ctl, add_group, &g);
    view_streams(look->ctl, add_stream, &g);
    view_queriers(look->ctl, add_querier, &g);
    view_hosts(look->ctl, NULL, ENOUGH_HOSTS, add_host, &g);
    if (facts->n_groups) {
        qsort(facts->groups, facts->n_groups, sizeof *facts->groups,
              compare_groups);
    }
    if (facts->n_streams) {
        qsort(facts->streams, facts->n_streams, sizeof *facts->streams,
              compare_streams);
    }
}

void
doctor_facts_free(struct doctor_facts *facts)
{
    for (size_t i = 0; i < facts->n_queriers; i++) {
        free((void *) facts->queriers[i].routers);
    }
    free(facts->groups);
    free(facts->streams);
    free(facts->queriers);
    free(facts->subnets);
}

/* Looking facts up. */

const struct doctor_subnet *
doctor_subnet_of(const struct doctor_facts *facts, uint16_t vlan)
{
    for (size_t i = 0; i < facts->n_subnets; i++) {
        if (facts->subnets[i].vlan == vlan) {
            return &facts->subnets[i];
        }
    }
    return NULL;
}

bool
doctor_is_inside(const struct doctor_subnet *subnet, const struct ip_addr *ip)
{
    return ip_prefix_contains(&subnet->prefix, ip);
}

const struct view_stream *
doctor_streams_of(const struct doctor_facts *facts, uint16_t vlan,
                  const struct ip_addr *group, size_t *n)
{
    struct view_stream key = {.vlan = vlan, .group = *group};
    size_t low = 0, high = facts->n_streams;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_streams(&facts->streams[middle], &key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct view_stream *first = facts->streams + low;
    *n = 0;
    while (low + *n < facts->n_streams && first[*n].vlan == vlan
           && ip_addr_equal(&first[*n].group, group)) {
        ++*n;
    }
    return first;
}

const struct doctor_group *
doctor_groups_of(const struct doctor_facts *facts, const struct ip_addr *group,
                 size_t *n)
{
    struct doctor_group key = {.group = *group};
    size_t low = 0, high = facts->n_groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_groups(&facts->groups[middle], &key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct doctor_group *first = facts->groups + low;
    *n = 0;
    while (low + *n < facts->n_groups
           && ip_addr_equal(&first[*n].group, group)) {
        ++*n;
    }
    return first;
}

const struct doctor_group *
doctor_group_in(const struct doctor_facts *facts, uint16_t vlan,
                const struct ip_addr *group)
{
    size_t n;
    const struct doctor_group *g = doctor_groups_of(facts, group, &n);
    for (size_t i = 0; i < n; i++) {
        if (g[i].vlan == vlan) {
            return &g[i];
        }
    }
    return NULL;
}

/* Names. */

const char *
doctor_format_dpid(uint64_t dpid, char text[DPID_STRLEN])
{
    snprintf(text, DPID_STRLEN, "%" PRIx64, dpid);
    return text;
}

void
doctor_format_port(const struct ctl *ctl, const struct port_id *port,
                   char text[DOCTOR_PORT_SIZE])
{
    char dpid[DPID_STRLEN];
    const char *name = switch_port_name(ctl, port);
    struct ip_addr vtep = ip_addr_v4(port_id_vtep(port));
    char number[16], address[IP_ADDR_STRLEN] = "";
    snprintf(number, sizeof number, "%" PRIu32, port_id_no(port));
    if (port_id_vtep(port)) {
        ip_addr_format(&vtep, address);
    }
    snprintf(text, DOCTOR_PORT_SIZE, "switch %s port %s%s%s",
             doctor_format_dpid(port->dpid, dpid), *name ? name : number,
             *address ? " to " : "", address);
}
