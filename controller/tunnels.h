/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_TUNNELS_H
#define CONTROLLER_TUNNELS_H 1

/* VXLAN tunnels: one port of a switch, many other ends (VTEPs).
 *
 * Each other end is a port of its own to everything that knows members (see
 * struct port_id): its reports make it a member, its limits are its own.  Only
 * here is it known that its copies leave by the port that carries it, with the
 * end's address and the vlan's VNI set and without the vlan's tag.
 *
 *   declared  by the configuration
 *   shared    another switch of this daemon: its members are known, nobody is
 *             asked
 *   learned   by its own reports; forgotten with its last membership
 *
 * What comes in is told apart by VNI in TABLE_ADMIT, and gets its vlan's tag
 * there.  It never leaves by the tunnel port again: the switch leaves out the
 * port that a packet came by, whoever the other end would be.  Included by
 * ctl-private.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "controller/config.h"
#include "controller/loop.h"
#include "igmp/igmp-snoop.h"
#include "ofp/ofp-flow.h"
#include "ofp/ofp-session.h"

struct ctl;
struct ctl_switch;
struct ctl_vlan;
struct view_tunnel;

enum tunnel_origin { TUNNEL_LEARNED, TUNNEL_SHARED, TUNNEL_DECLARED };

struct tunnel_peer {
    UT_hash_handle hh; /* In tunnels->peers, by 'id'. */
    struct port_id id;
    enum tunnel_origin origin;
    bool wanted; /* By the configuration; or, in a check, a member. */
    bool warmed; /* The way to it has been looked for... */
    bool asked;  /* ...and then its hosts have been asked who is there. */
};

struct tunnels {
    struct tunnel_peer *peers;
    struct loop_timer warm_timer, check_timer;
    bool checking;    /* 'check_timer' is set. */
    int warm_soon;    /* So many more times in short order... */
    int64_t warmed;   /* ...after this time. */
    uint64_t refused; /* Messages of ends that were one too many. */
};

void tunnels_init(struct ctl *);
void tunnels_destroy(struct ctl *);
/* The configuration is another one; ports of a switch have come or gone. */
void tunnels_reconfigure(struct ctl *);
void tunnels_ports_changed(struct ctl_switch *);
/* The switch's tables are ours; its tunnel port went up: peers are asked, and
 * the way to them is found before the first packet needs it. */
void tunnels_port_up(struct ctl_switch *, uint32_t no);
void tunnels_port_down(struct ctl_switch *, uint32_t no);

/* The tunnel that the port is, or is an end of; NULL: none. */
const struct config_tunnel *tunnel_of(const struct ctl *,
                                      const struct port_id *);
/* What comes in at tunnel ports: part of TABLE_ADMIT. */
void tunnels_set_flows(struct ctl_switch *);
/* Whom a packet that was punted came from.  False: nobody that may speak. */
bool tunnels_packet_in(struct ctl_switch *, const struct ofp_packet_in *,
                       struct port_id *);
/* Puts into 'copy' how one for 'port' leaves the tunnel.  False if it does
 * not: the tunnel does not carry the vlan. */
bool tunnel_copy(const struct ctl *, const struct port_id *port, uint16_t vlan,
                 struct ofp_copy *);
/* Calls 'cb' for each end that is a switch of this daemon where somebody
 * wants the channel; that has a router port. */
void tunnels_each_shared(const struct ctl_switch *, const struct ctl_vlan *,
                         const struct channel *, igmp_port_id_cb *cb,
                         void *aux);
void tunnels_each_shared_router(const struct ctl_switch *,
                                const struct ctl_vlan *, enum igmp_family,
                                igmp_port_id_cb *cb, void *aux);
/* Has anybody at such an end a filter for the group? */
bool tunnels_share_group(const struct ctl_switch *, const struct ctl_vlan *,
                         const struct ip_addr *group);
/* Somebody there wants what he did not, or no more; 'group' NULL: any. */
void tunnels_member_changed(struct ctl_vlan *, const struct ip_addr *group,
                            const struct port_id *);
/* An end that a switch was found to send to. */
void tunnels_restored(struct ctl *, const struct port_id *);

/* A packet of somebody, with its vlan's tag, to the copy's end. */
void tunnels_send_copy(struct ctl_switch *, const struct ofp_copy *,
                       const void *frame, size_t size);
/* A frame of ours, with its vlan's tag: to an end; to all that are asked. */
void tunnels_send(struct ctl *, const struct port_id *, const void *frame,
                  size_t size);
void tunnels_flood(struct ctl *, const void *frame, size_t size);
/* New ends are sent to: the ways to them are found soon. */
void tunnels_want_warm(struct ctl *);
/* A timer's: see tunnel-ways.c. */
void tunnels_warm(void *ctl, int64_t now);

/* As it is shown, to be freed; NULL if the port is none. */
struct view_tunnel *tunnel_view(const struct ctl *, const struct port_id *);
void tunnel_view_free(const struct view_tunnel *); /* NULL is fine. */

/* "\"port\":9", and for a tunnel's end ",\"vtep\":\"10.255.0.2\"" behind it:
 * for events. */
enum { PORT_JSON_SIZE = 64 };
const char *port_json(const struct port_id *, char buf[PORT_JSON_SIZE]);

#endif
