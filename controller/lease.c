/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/lease.h"

#include <time.h>

#include "controller/log.h"
#include "controller/route-match.h"
#include "controller/writes.h"

VLOG_DEFINE_THIS_MODULE(lease);

enum { RETRY_MS = 200, AWAIT_SWITCH_MS = 300000 };

/* Time. */

static int64_t
wall_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
lease_end(int64_t seconds)
{
    return wall_now() + seconds * 1000;
}

static void
arm(struct ctl *ctl)
{
    int64_t at = INT64_MAX;
    const struct rule *rule;
    for (rule = ctl->rules[STORE_MEMBER]; rule; rule = rule->hh.next) {
        if (rule->lease_until && rule->lease_until < at) {
            at = rule->lease_until;
        }
    }
    if (at == INT64_MAX) {
        loop_timer_clear(ctl->loop, &ctl->lease_timer);
    } else {
        loop_timer_set(ctl->loop, &ctl->lease_timer, at);
    }
}

void
lease_begin(struct ctl *ctl, struct rule *rule)
{
    const struct member *m = rule->member;
    bool had = rule->lease_until;
    rule->lease_until = 0;
    if (m && m->lease) {
        int64_t whole = (int64_t) m->lease * 1000;
        int64_t left = m->lease_ends - wall_now();
        left = left < 0 ? 0 : left > whole ? whole : left;
        /* Never 0, which is none. */
        rule->lease_until = loop_now(ctl->loop) + left + 1;
    }
    if (had || rule->lease_until) {
        arm(ctl);
    }
}

int64_t
lease_remaining(const struct ctl *ctl, const struct rule *rule)
{
    int64_t left = rule->lease_until - loop_now(ctl->loop);
    return !rule->lease_until ? -1 : left < 0 ? 0 : left;
}

static void
end(struct ctl *ctl, struct rule *rule)
{
    VLOG_INFO("the lease of member %s has ended", rule->name);
    ctl_event(ctl, "lease.ended", "{\"member\":\"%s\"}", rule->name);
    /* If the store refuses, it ends again after a restart. */
    rule_erase(ctl, STORE_MEMBER, rule->name);
    member_uncompile(ctl, rule);
    rule_destroy(ctl, rule);
}

/* Its switch has not been read since the daemon started: what it has for the
 * member would be taken for hosts'.  One that does not come is not waited for.
 */
static bool
is_awaited(const struct ctl *ctl, const struct rule *rule, int64_t now)
{
    const struct ctl_switch *sw = switch_lookup(ctl, rule->member->dpid);
    return (!sw || !sw->known) && now - ctl->started < AWAIT_SWITCH_MS;
}

void
leases_run(void *ctl_, int64_t now)
{
    struct ctl *ctl = ctl_;
    struct rule *rule, *tmp;
    HASH_ITER (hh, ctl->rules[STORE_MEMBER], rule, tmp) {
        if (!rule->lease_until || rule->lease_until > now) {
            continue;
        }
        if (writes_concern(ctl, STORE_MEMBER, rule->name)
            || is_awaited(ctl, rule, now)) {
            rule->lease_until = now + RETRY_MS;
        } else {
            end(ctl, rule);
        }
    }
    arm(ctl);
}

/* Taps. */

static bool
is_of(const struct route *route, const struct member *member)
{
    const struct route_match *m = &route->match;
    return !route_is_plain(route) && ip_prefix_is_host(&m->group)
           && ip_addr_equal(&m->group.addr, &member->group)
           && (!m->has_vlan || m->vlan == member->vlan);
}

void
lease_mark_routes(struct ctl *ctl, const struct rule *leased)
{
    struct rule *rule, *tmp;
    if (!leased->member->lease) {
        return;
    }
    HASH_ITER (hh, ctl->rules[STORE_ROUTE], rule, tmp) {
        if (is_of(rule->route, leased->member)) {
            rule_mark_on(ctl, rule, leased->member->dpid);
        }
    }
}

/* Is what comes in what the member listens to?  Where the route is for any
 * vlan and does not tell them apart it is all of them. */
static bool
hears(const struct route_build *b, const struct rule *rule,
      const struct channel *in)
{
    return rule->member->lease && is_of(b->route, rule->member)
           && (ip_addr_is_any(&in->source) || member_wants(rule, &in->source))
           && (!route_follows_members(b->route)
               || in->vlan == rule->member->vlan);
}

void
lease_add_taps(struct route_build *b, const struct channel *in,
               struct bucket_list *list)
{
    const struct ctl *ctl = b->sw->ctl;
    const struct route_set *set = &b->route->set;
    const struct rule *rule;
    for (rule = ctl->rules[STORE_MEMBER]; rule; rule = rule->hh.next) {
        struct port_id port;
        if (!hears(b, rule, in) || !member_port(rule, &port)
            || port.dpid != b->sw->dpid) {
            continue;
        }
        struct ofp_copy copy = {.port = (uint32_t) port.port_no};
        uint16_t vlan = set->has_vlan ? set->vlan : rule->member->vlan;
        if (ctl->fabric) {
            /* If it does not, what is heard has a tag. */
            edge_carries(ctl, &port, vlan, &copy.pop_vlan);
        }
        list->note = BUCKET_TAP;
        route_add_bucket(list, &copy, &(struct ofp_rewrite){.set = 0});
    }
}
