/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Static members and static router ports.
 *
 * Several may name the same (vlan, group, port), by different names: the port
 * then gets what any of them wants.  So each finds its place, and a place
 * tells the vlan's machine the union.  One whose port is not there has no
 * place, and waits.
 *
 * A switch must have been read back before its members take their places:
 * then channels are found as a restart left them (channel_restore()), and what
 * is forwarded already costs no message. */

#include "controller/ctl-private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/lease.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(members);

/* No padding. */
struct place_key {
    struct ip_addr group; /* IP_ADDR_ANY: a router port. */
    struct port_id port;
    uint64_t vlan;
};

struct member_place {
    UT_hash_handle hh; /* In ctl->places, by 'key'. */
    struct place_key key;
    struct rule *rules; /* By next_there. */
};

/* The union of filters (RFC 3376 3.2): if any is EXCLUDE, all but what every
 * such one excludes and none includes. */

static bool
wants(const struct member *m, const struct ip_addr *source)
{
    return ip_addr_is_listed(m->sources, m->n_sources, source) != m->exclude;
}

static bool
anybody_wants(const struct member_place *p, const struct ip_addr *source)
{
    const struct rule *rule;
    LL_FOREACH2(p->rules, rule, next_there)
    {
        if (wants(rule->member, source)) {
            return true;
        }
    }
    return false;
}

/* All sources that members of the place name, sorted, each once. */
static struct ip_addr *
all_sources(const struct member_place *p, size_t *n)
{
    const struct rule *rule;
    size_t room = 0;
    LL_FOREACH2(p->rules, rule, next_there)
    {
        room += rule->member->n_sources;
    }
    struct ip_addr *sources = xcalloc(room + 1, sizeof *sources);
    *n = 0;
    LL_FOREACH2(p->rules, rule, next_there)
    {
        for (size_t i = 0; i < rule->member->n_sources; i++) {
            sources[(*n)++] = rule->member->sources[i];
        }
    }
    *n = ip_addr_sort(sources, *n);
    return sources;
}

/* The caller frees 'f->sources'. */
static void
unite(const struct member_place *p, struct igmp_filter *f)
{
    const struct rule *rule;
    size_t n;
    struct ip_addr *sources = all_sources(p, &n);
    *f = (struct igmp_filter){.sources = sources};
    LL_FOREACH2(p->rules, rule, next_there)
    {
        f->exclude |= rule->member->exclude;
    }
    for (size_t i = 0; i < n; i++) {
        if (anybody_wants(p, &sources[i]) != f->exclude) {
            sources[f->n_sources++] = sources[i];
        }
    }
}

/* Why the machine would not take it, NULL if it did.  What it cannot take
 * leaves what was before. */
static const char *
set_filter(const struct ctl_vlan *v, const struct member_place *p,
           const struct igmp_filter *filter, int64_t now)
{
    if (filter->n_sources > IGMP_MAX_SOURCES) {
        return "the members of this port and group have too many sources "
               "together";
    }
    return igmp_snoop_set_static(vlan_snoop_of(v, &p->key.group), &p->key.port,
                                 &p->key.group, p->rules ? filter : NULL, now)
               ? NULL
               : "this group cannot have members";
}

static void
note_problem(const struct member_place *p, const char *problem)
{
    struct rule *rule;
    LL_FOREACH2(p->rules, rule, next_there)
    {
        snprintf(rule->rejected, sizeof rule->rejected, "%s",
                 problem ? problem : "");
    }
}

/* Tells the machine what holds at a place. */
static void
apply(struct ctl *ctl, const struct member_place *p)
{
    struct ctl_vlan *v = vlan_get(ctl, (uint16_t) p->key.vlan);
    int64_t now = loop_now(ctl->loop);
    if (ip_addr_is_any(&p->key.group)) {
        for (int f = 0; f < IGMP_N_FAMILIES; f++) {
            igmp_snoop_set_static_router(vlan_snoop(v, f), &p->key.port,
                                         p->rules != NULL, now);
        }
    } else {
        struct igmp_filter filter;
        unite(p, &filter);
        note_problem(p, set_filter(v, p, &filter, now));
        free((void *) filter.sources);
    }
    vlan_settle(v);
}

static struct member_place *
place_lookup(const struct ctl *ctl, const struct place_key *key)
{
    struct member_place *p;
    HASH_FIND(hh, ctl->places, key, sizeof *key, p);
    return p;
}

/* Takes the rule from its place, which is not told. */
static struct member_place *
leave(struct rule *rule)
{
    struct member_place *p = rule->place;
    if (p) {
        LL_DELETE2(p->rules, rule, next_there);
        rule->place = NULL;
        rule->rejected[0] = '\0';
    }
    return p;
}

static void
free_if_empty(struct ctl *ctl, struct member_place *p)
{
    if (p && !p->rules) {
        HASH_DELETE(hh, ctl->places, p);
        free(p);
    }
}

void
member_uncompile(struct ctl *ctl, struct rule *rule)
{
    struct member_place *p = leave(rule);
    if (p) {
        lease_mark_routes(ctl, rule);
        apply(ctl, p);
        free_if_empty(ctl, p);
    }
}

void
member_forget(struct ctl *ctl, struct rule *rule)
{
    free_if_empty(ctl, leave(rule));
    member_destroy(rule->member);
    rule->member = NULL;
}

static void
enter(struct ctl *ctl, struct rule *rule, const struct place_key *key)
{
    struct member_place *p = place_lookup(ctl, key);
    if (!p) {
        p = xcalloc(1, sizeof *p);
        p->key = *key;
        HASH_ADD(hh, ctl->places, key, sizeof p->key, p);
    }
    LL_PREPEND2(p->rules, rule, next_there);
    rule->place = p;
    lease_mark_routes(ctl, rule);
    apply(ctl, p);
}

/* Why it has no place. */
static void __attribute__((format(printf, 2, 3)))
wait_for(struct rule *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(rule->waiting, sizeof rule->waiting, format, args);
    va_end(args);
}

/* False if its port is not there. */
static bool
find_place(const struct ctl *ctl, struct rule *rule, struct place_key *key)
{
    const struct member *m = rule->member;
    const struct ctl_switch *sw = switch_lookup(ctl, m->dpid);
    const struct topo_port *port = topo_find_port(ctl->topo, m->dpid, m->port);
    rule->waiting[0] = '\0';
    if (!sw) {
        wait_for(rule, "the switch is not connected");
    } else if (!sw->known && !ofp_table_is_synced(sw->table)) {
        wait_for(rule, "the switch is being read");
    } else if (!port) {
        wait_for(rule, "there is no port %s", m->port);
    } else if (m->vtep && !config_get_tunnel(ctl->config, m->dpid, port)) {
        wait_for(rule, "port %s is no tunnel port of the configuration",
                 m->port);
    } else {
        *key = (struct place_key){.group = m->router ? IP_ADDR_ANY : m->group,
                                  .port =
                                      port_id_make(m->dpid, port->no, m->vtep),
                                  .vlan = m->vlan};
        return true;
    }
    return false;
}

void
member_compile(struct ctl *ctl, struct rule *rule)
{
    struct place_key key;
    bool is_new = rule->member_is_new;
    rule->member_is_new = false;
    if (!find_place(ctl, rule, &key)) {
        member_uncompile(ctl, rule);
        return;
    }
    if (rule->place && !memcmp(&rule->place->key, &key, sizeof key)) {
        if (is_new) {
            lease_mark_routes(ctl, rule);
            apply(ctl, rule->place);
        }
        return;
    }
    member_uncompile(ctl, rule);
    enter(ctl, rule, &key);
}

bool
member_wants(const struct rule *rule, const struct ip_addr *source)
{
    return wants(rule->member, source);
}

bool
member_port(const struct rule *rule, struct port_id *port)
{
    if (rule->place) {
        *port = rule->place->key.port;
    }
    return rule->place != NULL;
}

static int
compare_names(const struct rule *a, const struct rule *b)
{
    return strcmp(a->name, b->name);
}

/* Restarts: what a switch has for static members is no sign of hosts. */

static bool
stands_at(const struct ctl *ctl, const struct member *m, uint16_t vlan,
          const struct port_id *port)
{
    if (m->vlan != vlan || m->dpid != port->dpid
        || m->vtep != port_id_vtep(port)) {
        return false;
    }
    const struct topo_port *p = topo_find_port(ctl->topo, m->dpid, m->port);
    return p && p->no == port_id_no(port);
}

bool
members_hold_router(const struct ctl *ctl, uint16_t vlan,
                    const struct port_id *port)
{
    const struct rule *rule = ctl->rules[STORE_MEMBER];
    while (rule
           && !(rule->member->router
                && stands_at(ctl, rule->member, vlan, port))) {
        rule = rule->hh.next;
    }
    return rule != NULL;
}

/* The filters of the place's members. */
struct held {
    const struct member **members;
    size_t n, allocated;
};

static void
find_held(const struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
          const struct port_id *port, struct held *held)
{
    const struct rule *rule;
    for (rule = ctl->rules[STORE_MEMBER]; rule; rule = rule->hh.next) {
        const struct member *m = rule->member;
        if (!m->router && ip_addr_equal(&m->group, group)
            && stands_at(ctl, m, vlan, port)) {
            held->members = xgrow(held->members, held->n, &held->allocated,
                                  sizeof *held->members);
            held->members[held->n++] = m;
        }
    }
}

static bool
is_held(const struct held *held, const struct ip_addr *source)
{
    size_t i = 0;
    while (i < held->n && !wants(held->members[i], source)) {
        i++;
    }
    return i < held->n;
}

/* Do they want all but at most 'excluded'? */
static bool
hold_all_but(const struct held *held, const struct ip_addr *excluded, size_t n)
{
    bool all = false;
    for (size_t i = 0; i < held->n; i++) {
        const struct member *m = held->members[i];
        all |= m->exclude;
        for (size_t j = 0; m->exclude && j < m->n_sources; j++) {
            if (!ip_addr_is_listed(excluded, n, &m->sources[j])
                && !is_held(held, &m->sources[j])) {
                return false;
            }
        }
    }
    return all;
}

bool
members_hold(const struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
             const struct port_id *port, bool exclude, struct ip_addr *sources,
             size_t *n)
{
    struct held held = {.n = 0};
    find_held(ctl, vlan, group, port, &held);
    if (!held.n) {
        return false;
    }
    bool all = exclude && hold_all_but(&held, sources, *n);
    if (!exclude) {
        size_t n_left = 0;
        for (size_t i = 0; i < *n; i++) {
            if (!is_held(&held, &sources[i])) {
                sources[n_left++] = sources[i];
            }
        }
        *n = n_left;
        all = !n_left;
    }
    free(held.members);
    return all;
}

char *
members_at(const struct ctl *ctl, uint16_t vlan, const struct ip_addr *group,
           const struct port_id *port)
{
    const struct place_key key = {*group, *port, vlan};
    struct member_place *p = place_lookup(ctl, &key);
    char *names = xstrdup("");
    if (!p) {
        return names;
    }
    LL_SORT2(p->rules, compare_names, next_there);
    const struct rule *rule;
    LL_FOREACH2(p->rules, rule, next_there)
    {
        char *more = xasprintf("%s%s%s", names, *names ? "," : "", rule->name);
        free(names);
        names = more;
    }
    return names;
}

void
members_count(const struct ctl *ctl, size_t *n_members, size_t *n_routers)
{
    const struct member_place *p;
    for (p = ctl->places; p; p = p->hh.next) {
        ++*(ip_addr_is_any(&p->key.group) ? n_routers : n_members);
    }
}

/* Of the configuration.  One that is stored under the same name steps back
 * until that of the configuration is gone. */

static const struct member *
find_configured(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_members; i++) {
        if (!strcmp(config->members[i].name, name)) {
            return &config->members[i];
        }
    }
    return NULL;
}

static void
set_configured(struct ctl *ctl, const struct member *m)
{
    struct rule *rule = rule_lookup(ctl, STORE_MEMBER, m->name);
    struct cJSON *tree = member_to_json(m);
    char *json = cJSON_PrintUnformatted(tree);
    cJSON_Delete(tree);
    if (rule && !rule->fixed) {
        VLOG_WARN("member %s: the one of the configuration counts, not the "
                  "one that was set by REST",
                  m->name);
    }
    if (!rule || !rule->fixed || strcmp(rule->json, json)) {
        rule = rule_set(ctl, STORE_MEMBER, m->name, json);
    }
    if (rule) {
        rule->fixed = true;
    }
    free(json);
}

void
members_configure(struct ctl *ctl)
{
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_MEMBER], rule, tmp) {
        if (rule->fixed && !find_configured(ctl->config, rule->name)) {
            member_uncompile(ctl, rule);
            rule_destroy(ctl, rule);
        }
    }
    for (size_t i = 0; i < ctl->config->n_members; i++) {
        set_configured(ctl, &ctl->config->members[i]);
    }
}
