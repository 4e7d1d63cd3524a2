/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CONN_H
#define CONTROLLER_CONN_H 1

/* TCP connections from switches: the listener, and each connection with its
 * OpenFlow session.
 *
 * Until its session is ready a connection belongs to nobody; conn_ops->ready
 * may adopt it (set 'owner' with conn_set_owner()) or refuse it.  Messages and
 * the end of an adopted connection are reported with that owner.
 *
 * Limits: CONN_MAX_OUTPUT bytes wait for a peer that does not read, then it is
 * cut off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config.h"
#include "controller/loop.h"
#include "ofp/ofp-session.h"

struct conn;
struct listener;

enum { CONN_MAX_OUTPUT = 16 << 20, CONN_MAX = 8192 };

struct conn_ops {
    /* The greeting is done.  Returns false to refuse the switch. */
    bool (*ready)(void *aux, struct conn *, const struct ofp_features *,
                  const struct ofp_port *ports, size_t n_ports);
    /* All of these are of a connection that has an owner. */
    void (*port_changed)(void *owner, enum ofp_port_change,
                         const struct ofp_port *);
    void (*packet_in)(void *owner, const struct ofp_packet_in *);
    void (*flow_removed)(void *owner, const struct ofp_flow_removed *);
    void (*reply)(void *owner, const void *msg, size_t size);
    /* The connection is gone (and freed when this returns). */
    void (*closed)(void *owner, const char *reason);
};

/* NULL with 'error' filled in if the address cannot be bound. */
struct listener *listener_create(struct loop *, const struct config_listen *,
                                 int64_t probe_interval,
                                 const struct conn_ops *, void *aux,
                                 char error[CONFIG_ERROR_SIZE]);
/* Closes its connections too, without reporting them. */
void listener_destroy(struct listener *);
/* A connected, non-blocking stream socket, as if it had been accepted: it is
 * the listener's from now on.  'peer' is its name in logs. */
void listener_take(struct listener *, int fd, const char *peer);
uint16_t listener_port(const struct listener *);
void listener_set_probe_interval(struct listener *, int64_t);

void conn_set_owner(struct conn *, void *owner);
struct ofp_session *conn_session(struct conn *);
const char *conn_peer(const struct conn *); /* "127.0.0.1:40112" */
/* Is its peer still there?  If not, the connection ends before long. */
void conn_challenge(struct conn *);
/* Ends the connection soon: not from within this call. */
void conn_close_soon(struct conn *, const char *reason);

#endif
