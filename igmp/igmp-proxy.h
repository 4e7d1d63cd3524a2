/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IGMP_PROXY_H
#define IGMP_PROXY_H 1

/* What is said upstream: toward each router port one host's reports for all
 * members of the vlan (RFC 4605), the operator's included.
 *
 * A snooping switch that has no address asks from 0.0.0.0.  It is no router,
 * and its port no router port; but it has asked who is there, so it is
 * answered, and told what changes, as long as it goes on asking.
 *
 * To a port it never speaks of the members behind it: two proxies that face
 * each other would keep each other's memberships alive for ever.  So each
 * router port has a speaker (igmp-speaker.h) of its own.
 *
 * Cost: without router ports, none.  With them, a change of a member costs one
 * look at the ports of its group, up to the first that wants everything, once
 * a turn.
 *
 * It is off unless igmp_config.upstream is IGMP_UPSTREAM_PROXY. */

#include <stdint.h>

#include "igmp/igmp-speaker.h"
#include "lib/mcaddr.h"
#include "lib/timer-heap.h"

struct igmp_msg;
struct igmp_snoop;
struct igmp_outlet;

struct igmp_proxy {
    struct igmp_speaker_env env;
    struct igmp_outlet *outlets; /* The ports spoken to. */
    struct timer_heap timers;    /* Theirs. */
};

void igmp_proxy_init(struct igmp_snoop *);
void igmp_proxy_uninit(struct igmp_snoop *);
/* The configuration changed. */
void igmp_proxy_configured(struct igmp_snoop *);

/* A port became, or ceased to be, a router port; which of both is asked. */
void igmp_proxy_router_changed(struct igmp_snoop *, const struct port_id *);
/* What a port gets of 'group' may have changed. */
void igmp_proxy_member_changed(struct igmp_snoop *,
                               const struct ip_addr *group);
/* A port went away. */
void igmp_proxy_port_down(struct igmp_snoop *, const struct port_id *);
/* A query came in from 'port'.  Those behind other router ports hear it too if
 * it is passed on. */
void igmp_proxy_query_heard(struct igmp_snoop *, const struct port_id *,
                            const struct igmp_msg *);
/* A version 3 report came in from 'port': its records of groups that are never
 * pruned, of which nothing is kept here, are passed on as they are. */
void igmp_proxy_pass_local(struct igmp_snoop *, const struct port_id *,
                           const struct igmp_msg *);
/* We sent a general query to all: routers expect what it brings. */
void igmp_proxy_query_sent(struct igmp_snoop *);

void igmp_proxy_run(struct igmp_snoop *);
int64_t igmp_proxy_deadline(const struct igmp_snoop *);

#endif
