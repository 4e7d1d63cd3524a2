/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the machines of a vlan tell that is for people: logs, events, and how
 * memberships ended.  The void pointer is the struct vlan_family. */

#include "controller/ctl-private.h"

#include "controller/log.h"

VLOG_DEFINE_THIS_MODULE(vlan_events);

void
vlan_tell_member(struct ctl_vlan *v, const struct ip_addr *group,
                 const struct port_id *port)
{
    bool member = false;
    if (v->ctl->event_cb) {
        char text[IP_ADDR_STRLEN], at[PORT_JSON_SIZE];
        member = igmp_snoop_forwards(vlan_snoop_of(v, group), &IP_ADDR_ANY,
                                     group, port);
        ctl_event(v->ctl, member ? "member.changed" : "member.left",
                  "{\"vlan\":%u,\"group\":\"%s\",\"dpid\":\"" DPID_FMT
                  "\",%s}",
                  v->vlan, ip_addr_format(group, text), port->dpid,
                  port_json(port, at));
    }
}

void
vlan_querier_changed(void *family_, bool ours)
{
    struct vlan_family *family = family_;
    struct ctl_vlan *v = family->vlan;
    family->elected[family->n_elected++ % ELECTION_MEMORY] =
        loop_now(v->ctl->loop);
    struct igmp_querier_view q;
    char text[IP_ADDR_STRLEN];
    igmp_snoop_querier(family->snoop, &q);
    ip_addr_format(&q.address, text);
    VLOG_INFO("vlan %u: %s is the %s querier%s", v->vlan, text,
              family == &v->families[IGMP_IPV6] ? "MLD" : "IGMP",
              ours ? " (ofmcast)" : "");
    ctl_event(v->ctl, "querier.changed",
              "{\"vlan\":%u,\"family\":%d,\"ours\":%s,\"address\":\"%s\"}",
              v->vlan, family == &v->families[IGMP_IPV6] ? 6 : 4,
              ours ? "true" : "false", text);
}

void
vlan_guarded(void *family_, const struct port_id *port,
             const struct igmp_guard_event *event)
{
    const struct vlan_family *family = family_;
    struct ctl *ctl = family->vlan->ctl;
    guard_tell(ctl, family->vlan->vlan, port, event, loop_now(ctl->loop));
    if (!event->watermark) {
        history_add(ctl->history,
                    &(struct history_entry){.port = *port,
                                            .group = event->group,
                                            .vlan = family->vlan->vlan,
                                            .kind = HISTORY_REFUSED,
                                            .guard = event->guard,
                                            .at = loop_now(ctl->loop)});
    }
}

void
vlan_host_moved(void *family_, const struct igmp_move *move)
{
    const struct vlan_family *family = family_;
    char mac[MAC_ADDR_STRLEN], from[PORT_JSON_SIZE], to[PORT_JSON_SIZE];
    ctl_event(family->vlan->ctl, "host.moved",
              "{\"vlan\":%u,\"mac\":\"%s\",\"from\":{\"dpid\":\"" DPID_FMT
              "\",%s},\"to\":{\"dpid\":\"" DPID_FMT "\",%s},\"groups\":%zu}",
              family->vlan->vlan, mac_addr_format(&move->mac, mac),
              move->from.dpid, port_json(&move->from, from), move->to.dpid,
              port_json(&move->to, to), move->n_groups);
}

void
vlan_membership_ended(void *family_, const struct ip_addr *group,
                      const struct port_id *port, enum igmp_end end)
{
    const struct vlan_family *family = family_;
    struct ctl *ctl = family->vlan->ctl;
    history_add(ctl->history,
                &(struct history_entry){.port = *port,
                                        .group = *group,
                                        .vlan = family->vlan->vlan,
                                        .kind = HISTORY_ENDED,
                                        .end = end,
                                        .at = loop_now(ctl->loop)});
}
