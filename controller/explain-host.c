/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Explain: what is sent to a host's address, and no route matches.  It may be
 * a reply to the source that a route gives a stream. */

#include "controller/explain.h"

#include <stdio.h>

#include "controller/route-reply.h"
#include "controller/route-unicast.h"
#include "lib/xalloc.h"

struct reply_search {
    const struct explain_query *query;
    const struct rule *rule;  /* That is looked at... */
    const struct rule *found; /* ...and whose source it is. */
    struct route_reply reply;
};

static void
compare_source(void *search_, const struct route_reply *r)
{
    struct reply_search *search = search_;
    if (ip_addr_equal(&r->source.ip, &search->query->group)
        && r->source.vlan == search->query->vlan) {
        search->found = search->rule;
        search->reply = *r;
    }
}

/* Of several routes with the same device and source any: their flows are the
 * same. */
static bool
find_reply(const struct explain *x, const struct ctl_switch *sw,
           struct reply_search *search)
{
    struct rule *rule, *tmp;
    *search = (struct reply_search){.query = x->query};
    HASH_ITER (hh, x->ctl->rules[STORE_ROUTE], rule, tmp) {
        search->rule = rule;
        route_each_reply(sw, rule, compare_source, search);
    }
    return search->found != NULL;
}

/* The device's own switch has the flows. */
static struct ctl_switch *
switch_of_device(const struct explain *x, struct ctl_switch *sw,
                 const struct route_reply *r)
{
    struct port_id port;
    if (x->ctl->fabric && unicast_find_anywhere(x->ctl, &r->device, &port)) {
        struct ctl_switch *there = switch_lookup(x->ctl, port.dpid);
        return there ? there : sw;
    }
    return sw;
}

static void
walk_reply(struct explain *x, struct ctl_switch *sw,
           const struct reply_search *search)
{
    const struct rule *rule = search->found;
    const struct route_reply *r = &search->reply;
    struct ofp_entry_view view;
    struct ofp_match match;
    char device[IP_ADDR_STRLEN], text[256];
    snprintf(text, sizeof text,
             "it replies to what route %s has sent: for device %s", rule->name,
             ip_addr_format(&r->device.ip, device));
    struct explain_stage *stage = explain_add_stage(
        x, "reply", sw->dpid, TABLE_ROUTE, true, xstrdup(text));
    x->rule = rule;
    x->replies = true;
    if (route_reply_find_flow(sw, rule, r, &x->query->in, &view, &match)) {
        explain_meet(x, stage, sw, &view, &match);
        return;
    }
    stage->passes = false;
    explain_part(x, sw, rule);
    explain_conclude(x, "pending", "",
                     "switch %" PRIx64 " has no flow for replies yet",
                     sw->dpid);
}

void
explain_host(struct explain *x, struct ctl_switch *sw)
{
    struct reply_search search;
    char text[128], address[IP_ADDR_STRLEN];
    if (find_reply(x, sw, &search)) {
        walk_reply(x, switch_of_device(x, sw, &search.reply), &search);
        return;
    }
    snprintf(text, sizeof text, "no route takes what is sent to host %s",
             ip_addr_format(&x->query->group, address));
    explain_add_stage(x, "route", sw->dpid, TABLE_ROUTE, false, xstrdup(text));
    explain_conclude(x, "no-route",
                     "a route with \"unicast\" in match takes it",
                     "%s: it goes its usual way, to that host alone", text);
}
