/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* "querier_address: auto": the IPv4 address of a vlan's queries, looked for
 * inside the subnet of its hosts (igmp-address.h).  0.0.0.0, which yields to
 * every querier, until one is found. */

#include "controller/ctl-private.h"

#include "controller/log.h"
#include "igmp/igmp-address.h"
#include "lib/arp.h"

VLOG_DEFINE_THIS_MODULE(addresses);

static void
send_frame(void *v_, const void *frame, size_t size)
{
    vlan_flood(v_, frame, size);
}

static void
address_changed(void *v_, const struct ip_addr *address)
{
    struct ctl_vlan *v = v_;
    struct igmp_querier_view q;
    char text[IP_ADDR_STRLEN];
    vlan_configure(v, IGMP_IPV4);
    igmp_snoop_querier(vlan_snoop(v, IGMP_IPV4), &q);
    VLOG_INFO(
        "vlan %u: IGMP queries of ours come from %s from now on", v->vlan,
        ip_addr_is_any(address) ? "0.0.0.0" : ip_addr_format(address, text));
    if (q.ours) {
        ctl_event(v->ctl, "querier.changed",
                  "{\"vlan\":%u,\"family\":4,\"ours\":true,"
                  "\"address\":\"%s\"}",
                  v->vlan, ip_addr_format(&q.address, text));
    }
}

static const struct igmp_address_ops ops = {.send = send_frame,
                                            .changed = address_changed};

static bool
is_wanted(const struct config_vlan *config)
{
    return config->address_auto && config->igmp[IGMP_IPV4].querier;
}

void
address_configure(struct ctl_vlan *v)
{
    if (!is_wanted(v->config)) {
        igmp_address_destroy(v->address);
        v->address = NULL;
    } else if (!v->address) {
        v->address = igmp_address_create(v->vlan, &v->ctl->mac, &ops, v);
    }
}

struct ip_addr
address_get(const struct ctl_vlan *v)
{
    return v->address ? igmp_address_get(v->address) : IP_ADDR_ANY;
}

void
address_heard(struct ctl_vlan *v, const struct igmp_msg *msg, int64_t now)
{
    if (v->address && msg->family == IGMP_IPV4) {
        igmp_address_host(v->address, &msg->eth_src, &msg->ip_src, now);
    }
}

void
addresses_packet_in(struct ctl *ctl, const uint8_t *frame, size_t size)
{
    struct arp arp;
    if (!arp_decode(frame, size, &arp)) {
        return;
    }
    /* A vlan without members has no use for a querier's address: ARP alone
     * makes none. */
    struct ctl_vlan *v = vlan_lookup(ctl, arp.vlan);
    if (v && v->address) {
        igmp_address_arp(v->address, &arp, loop_now(ctl->loop));
        vlan_settle(v);
    }
}

bool
addresses_wanted(const struct ctl *ctl)
{
    bool wanted = is_wanted(&ctl->config->vlan_default);
    for (size_t i = 0; i < ctl->config->n_vlans && !wanted; i++) {
        wanted = is_wanted(&ctl->config->vlans[i]);
    }
    return wanted;
}
